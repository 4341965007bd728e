"""Who looked at which restricted page of the console, who signed in: a record that nobody shortens or changes unseen.

``looks/000001.jsonl`` in the home, and so on: one line of canonical JSON for each look, each with the SHA-256 of the
line before it.

* A look is on the disk before its page is sent; a page whose look cannot be recorded is not shown. A line that was cut
  off while it was written was of a page that was never sent: the next one takes its place.
* ``anchor`` puts the head of the record, its lines as leaves of a tree (RFC 9162), into the shared ledger as the gate's
  record is put there: a ``record-head`` under the origin of the record with ``/looks`` after it, for own eyes alone.
  ``serve`` does it by the clock (``web.anchoring``), every export, exchange and sync does, and so it is done on demand.
  What was anchored, and cosigned by others since, nobody changes or cuts away any more without ``check`` seeing it: the
  node's own operator cannot, either.
* Not protected: looks that came after the last anchor, against whoever can write the files and make the chain anew.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.ledger.merkle import EMPTY_ROOT, Frontier, leaf_hash
from watchword.limits import LOOKS_BYTES_MAX
from watchword.statements.canonical import canonical, parse_json
from watchword.statements.digests import D, b64, unb64
from watchword.statements.statement import Statement, Subject
from watchword.statements.times import rfc3339

if TYPE_CHECKING:
    from watchword.node.node import Node
    from watchword.node.recorded import Recorded

FORMAT = "watchword-look/1"
BEFORE_ALL = "sha256:" + "00" * 32
_BEFORE = re.compile(rb'\{"at":"[0-9TZ:.-]{20,30}","before":"(sha256:[0-9a-f]{64})",')
"""How a line of this form begins, since its keys are in order: read so, a check takes a tenth of the time."""
_TAIL_BYTES = 8_192
"""More than one line: a path has 2,048 bytes at most here."""


@dataclass(frozen=True)
class Anchor:
    """A head of the record in the shared ledger: at its place it says that the first ``size`` looks have this root."""

    locator: str
    size: int
    root: bytes


@dataclass(frozen=True)
class Waiting:
    """Looks that came after the newest anchor: how many, and when the ``oldest`` of them was (RFC 3339)."""

    count: int
    oldest: str | None


@dataclass(frozen=True)
class Checked:
    """What a check found. ``anchored``: so many looks are, by the newest head, which stands at ``at``; ``wrong``: a
    line each."""

    count: int
    anchored: int
    at: str | None
    wrong: tuple[str, ...]

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        return {"anchored": self.anchored, "at": self.at, "count": self.count, "wrong": list(self.wrong)}


class Looks:
    """The record in *node*'s home."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._folder = node.home / "looks"

    def add(self, look: Mapping[str, str | None]) -> None:
        """Record who looked (``member``, ``person``), ``how`` he is known and at which ``page``, durably.

        Raises:
            StorageTrouble: it is not recorded.
        """
        with durable.translated(self._folder):
            durable.make_folder(self._folder, 0o700)
            newest = self._newest()
            descriptor = os.open(newest, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                # Other processes of this home serve, too.
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                _cut(descriptor)
                at = rfc3339(self._node.clock.now())
                line = canonical({"at": at, "before": self._last(newest), "format": FORMAT} | dict(look))
                durable.write_all(descriptor, line + b"\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def newest(self, count: int) -> list[dict[str, Any]]:
        """The last looks, newest first; a line that is none is left out, and ``check`` names it."""
        found: list[dict[str, Any]] = []
        for path in reversed(self._files()):
            lines = _lines(path)[-(count - len(found)) :]
            found += [one for line in reversed(lines) if (one := _look(line)) is not None]
            if len(found) >= count:
                break
        return found

    def broken(self) -> str | None:
        """Where the chain does not hold, if anywhere: ``000001.jsonl:12``."""
        before = BEFORE_ALL
        for path, number, line in self._every():
            found = _BEFORE.match(line)
            if found is None or found[1].decode() != before:
                return f"{path.name}:{number}"
            before = f"sha256:{sha256(line).hexdigest()}"
        return None

    def check(self) -> Checked:
        """Whether the chain holds, and every head that was anchored is one of these looks."""
        anchors = sorted(_anchors(self._node), key=lambda one: one.size)
        tree, left = Frontier(), list(anchors)
        broken = self.broken()
        wrong = [f"{broken}: not what followed the line before it"] if broken else []
        for _, _, line in self._every():
            tree.append(leaf_hash(line))
            while left and left[0].size == tree.size:
                one = left.pop(0)
                if one.root != tree.root():
                    wrong.append(f"{one.locator}: other looks than these stood there when {one.size:,} were anchored")
        wrong += [f"{one.locator} anchors {one.size:,} looks, {tree.size:,} are here: cut away" for one in left]
        newest = anchors[-1] if anchors else None
        return Checked(
            tree.size, newest.size if newest else 0, newest.locator if newest else None, tuple(wrong)
        )  # fmt: skip

    def head(self) -> tuple[int, bytes]:
        """How many looks there are, and the root over them."""
        tree = Frontier()
        for _, _, line in self._every():
            tree.append(leaf_hash(line))
        return tree.size, tree.root()

    def after(self, size: int) -> Waiting:
        """Those after the first *size*."""
        count, oldest = 0, None
        for path in self._files():
            lines = _lines(path)
            if oldest is None and count + len(lines) > size:
                first = _look(lines[max(size - count, 0)])
                oldest = None if first is None else str(first["at"])
            count += len(lines)
        return Waiting(max(count - size, 0), oldest)

    @property
    def mark(self) -> tuple[str, int] | None:
        """Changes whenever somebody looked; None where nobody ever did."""
        files = self._files()
        return (files[-1].name, files[-1].stat().st_size) if files else None

    def _every(self) -> Iterator[tuple[Path, int, bytes]]:
        for path in self._files():
            yield from ((path, number, line) for number, line in enumerate(_lines(path), 1))

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*.jsonl")) if self._folder.is_dir() else []

    def _newest(self) -> Path:
        files = self._files()
        if not files:
            return self._folder / "000001.jsonl"
        if files[-1].stat().st_size < LOOKS_BYTES_MAX:
            return files[-1]
        return self._folder / f"{int(files[-1].stem) + 1:06}.jsonl"

    def _last(self, path: Path) -> str:
        """The digest of the line before the next one."""
        for one in [path, *reversed([file for file in self._files() if file < path])]:
            size = one.stat().st_size
            if size:
                with one.open("rb") as file:
                    file.seek(max(0, size - _TAIL_BYTES))
                    return f"sha256:{sha256(file.read().splitlines()[-1]).hexdigest()}"
        return BEFORE_ALL


def anchor(node: Node) -> Recorded | None:
    """Anchor the head of the looks of *node* in its shared ledger; None when nobody looked since the last one.

    Raises:
        StorageTrouble, WatchwordError: nothing was anchored.
    """
    if node.store.retired(node.me.origins["ledger"]) or Looks(node).mark is None:
        return None
    size, root = Looks(node).head()
    newest = next(_anchors(node), None)
    if (size, root) == (0, EMPTY_ROOT) or (newest is not None and (size, root) == (newest.size, newest.root)):
        return None
    origin = origin_of(node)
    text = f"{origin}\n{size}\n{b64(root)}\n".encode()
    fields = {"origin": origin, "root": b64(root), "size": size}
    return node.sign_and_append("record-head", (Subject(origin, D(text)),), fields, scope="own")


def waiting(node: Node) -> Waiting:
    """The looks that no head in the shared ledger of *node* has under it yet."""
    if Looks(node).mark is None:
        return Waiting(0, None)
    newest = next(_anchors(node), None)
    return Looks(node).after(0 if newest is None else newest.size)


def origin_of(node: Node) -> str:
    """Under what name the head of the looks is anchored."""
    return f"{node.me.origins['record']}/looks"


def _anchors(node: Node) -> Iterator[Anchor]:
    """Newest first: who wants the newest reads no further."""
    ledger, origin = node.me.origins["ledger"], origin_of(node)
    leaves = node.store.leaves(ledger)
    for index in range(len(leaves) - 1, -1, -1):
        held = node.store.held(leaves[index].commitment)
        if held is None or held.holder is None or held.holder.owner != node.member:
            continue
        said: Statement = held.signed.statement
        if said.kind == "record-head" and said.predicate["origin"] == origin:
            root = unb64(said.predicate["root"], "root of a record-head")
            yield Anchor(node.locator(ledger, index), int(said.predicate["size"]), root)


def _lines(path: Path) -> list[bytes]:
    """The whole lines of a file; what follows the last of them was of a page that was never sent."""
    data = durable.read(path, LOOKS_BYTES_MAX + _TAIL_BYTES) or b""
    return data.split(b"\n")[:-1]


def _look(line: bytes) -> dict[str, Any] | None:
    try:
        value = parse_json(line, "look")
    except WatchwordError:
        return None
    return value if isinstance(value, dict) and {"at", "how", "member", "page", "person"} <= set(value) else None


def _cut(descriptor: int) -> None:
    """Cut off a last line that was not written whole."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
    if tail and not tail.endswith(b"\n"):
        os.ftruncate(descriptor, size - len(tail) + tail.rfind(b"\n") + 1)

"""Who looked at which restricted page: a record that cannot be shortened or changed in the middle unseen.

``looks/000001.jsonl`` in the home, and so on: one line of canonical JSON for each look, each with the SHA-256 of the
line before it.

* A look is on the disk before its page is sent; a page whose look cannot be recorded is not shown.
* Not protected against the node's own operator, who can make the whole chain anew; anchoring it is for a gate's record.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.ledger import durable
from watchword.limits import LOOKS_BYTES_MAX
from watchword.statements.canonical import canonical, parse_json
from watchword.statements.times import rfc3339

if TYPE_CHECKING:
    from watchword.node.node import Node
    from watchword.web.console.access import Reader

FORMAT = "watchword-look/1"
BEFORE_ALL = "sha256:" + "00" * 32
_TAIL_BYTES = 8_192
"""More than one line: a path has 2,048 bytes at most here."""


class Looks:
    """The record in *node*'s home."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._folder = node.home / "looks"

    def add(self, reader: Reader, path: str) -> None:
        """Record a look, durably.

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
                before = self._last(newest)
                look = {
                    "at": rfc3339(self._node.clock.now()), "before": before, "format": FORMAT, "how": reader.how,
                    "member": reader.member, "page": path[:2048], "person": reader.person,
                }  # fmt: skip
                durable.write_all(descriptor, canonical(look) + b"\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def newest(self, count: int) -> list[dict[str, Any]]:
        """The last looks, newest first."""
        found: list[dict[str, Any]] = []
        for path in reversed(self._files()):
            data = durable.read(path, LOOKS_BYTES_MAX + _TAIL_BYTES) or b""
            lines = data.splitlines()[-(count - len(found)) :]
            found += [parse_json(line, str(path)) for line in reversed(lines)]
            if len(found) >= count:
                break
        return found

    def broken(self) -> str | None:
        """Where the chain does not hold, if anywhere: ``000001.jsonl:12``."""
        before = BEFORE_ALL
        for path, number, line in self._lines():
            look = parse_json(line, str(path))
            if not isinstance(look, dict) or look.get("before") != before:
                return f"{path.name}:{number}"
            before = f"sha256:{sha256(line).hexdigest()}"
        return None

    def _lines(self) -> Iterator[tuple[Path, int, bytes]]:
        for path in self._files():
            data = durable.read(path, LOOKS_BYTES_MAX + _TAIL_BYTES) or b""
            yield from ((path, number, line) for number, line in enumerate(data.splitlines(), 1))

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

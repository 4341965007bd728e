"""The simulated world: five members with real nodes, each its own clock and disk, and a network that cannot be trusted.

Everything that happens is drawn from one seed; keys and salts are not, and nothing depends on them.

* ALFA to DELTA are honest. ECHO is not: it runs two copies of its node and shows different ones to different members.
* A letter is an exchange file. The network drops it, delays it, doubles it, swaps it with others, spoils it, or is cut.
* A disk fails at a sync drawn beforehand; the process dies there, and the node is opened again.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from watchword import node
from watchword.charter.charter import CharterFile, parse_charter
from watchword.charter.draft import draft
from watchword.errors import WatchwordError
from watchword.node import Node
from watchword.policy.pack import read_pack
from watchword.statements.digests import D
from watchword.statements.statement import Subject
from watchword.statements.times import FixedClock, rfc3339

HONEST = ("ALFA", "BRAVO", "CHARLIE", "DELTA")
DISHONEST = "ECHO"
START = datetime(2026, 3, 1, 6, tzinfo=UTC)
HEAD_MAX_AGE_S = 21_600
SKEW_S_MAX = 120
REQUIREMENT = {
    "id": "inspected", "text": "A member has looked.", "kind": "inspection", "count": 1, "from": "member",
    "distinct": "operators", "where": [], "tools": 0, "max_age_days": None, "bound": [],
    "when": {"criticality": 0, "human": []}, "owed_by": "members", "accountable": "members", "principle": [],
    "serves": [], "waiver": None,
}  # fmt: skip


@dataclass(frozen=True)
class Letter:
    """An exchange file under way: sender, addressee, when it arrives (seconds since 1970), its bytes."""

    sender: str
    to: str
    due_s: float
    data: bytes = field(repr=False)


class DiskFailed(OSError):
    """The simulated disk at the sync that was drawn."""


class World:
    """The members, the letters under way, and the hour. Closed by ``close`` or as a context manager."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.draw = random.Random(seed)  # noqa: S311  a story that can be told again, no secret
        self.now_s = START.timestamp()
        self.letters: list[Letter] = []
        self.cut: frozenset[str] = frozenset()
        self.told: dict[str, int] = {}
        self._fails_after: int | None = None
        self.skew_s = {name: self.draw.randint(-SKEW_S_MAX, SKEW_S_MAX) for name in (*HONEST, DISHONEST)}
        self.clocks = {name: FixedClock(START + timedelta(seconds=s)) for name, s in self.skew_s.items()}
        self.file, self.secret = _found(folder, self.clocks)
        self.nodes = {name: self.open(name) for name in (*HONEST, DISHONEST)}
        self.twin: Node | None = None

    def open(self, name: str, folder: str | None = None) -> Node:
        """Open a member's home for writing."""
        return Node.open(self.folder / (folder or name), clock=self.clocks[name], writing=True)

    def close(self) -> None:
        """Close every node."""
        for one in (*self.nodes.values(), *([self.twin] if self.twin else [])):
            one.close()

    def count(self, what: str) -> None:
        self.told[what] = self.told.get(what, 0) + 1

    def pass_time(self, seconds: float) -> None:
        """All clocks go on, each with its own error."""
        self.now_s += seconds
        for clock in self.clocks.values():
            clock.advance(seconds)

    # -- processes and disks ----------------------------------------------------------------------

    def act(self, name: str, what: Callable[[Node], Any], *, fails_after: int | None = None) -> Any:
        """Let a member's process do something; None when its disk failed or the node refused, and why is counted.

        Args:
            fails_after: the disk fails after so many syncs; the process then dies and starts again.
        """
        self._fails_after = fails_after
        try:
            return what(self.nodes[name])
        except WatchwordError as error:
            self.count(f"refused: {type(error).__name__}")
            return None
        finally:
            failed, self._fails_after = fails_after is not None and self._fails_after == 0, None
            if failed:
                self.count("disk failures")
                self.restart(name)

    def restart(self, name: str) -> None:
        """A process ends, however it ends, and the home is opened again."""
        self.nodes[name].close()
        self.nodes[name] = self.open(name)

    @contextmanager
    def disk(self) -> Iterator[None]:
        """Syncs cost nothing here, and fail when it is their turn. What was written survives a killed process."""
        real = os.fsync, os.fdatasync

        def sync(_: int) -> None:
            if self._fails_after is not None:
                if self._fails_after == 0:
                    raise DiskFailed(errno.EIO, "simulated")
                self._fails_after -= 1
                if self._fails_after == 0:
                    raise DiskFailed(errno.EIO, "simulated")

        os.fsync = os.fdatasync = sync  # type: ignore[assignment]
        try:
            yield
        finally:
            os.fsync, os.fdatasync = real

    # -- the network ------------------------------------------------------------------------------

    def write(self, sender: str, to: str) -> bytes | None:
        """What *sender* would send to *to* now; ECHO sends what one of its two copies says."""
        path = self.folder / "post" / f"{sender}-to-{to}"
        path.parent.mkdir(exist_ok=True)
        if sender == DISHONEST and self.twin is not None and self.draw.random() < 0.5:
            self.twin.export(to, path)
        else:
            path.unlink(missing_ok=True)
            self.act(sender, lambda here: here.export(to, path))
        return path.read_bytes() if path.exists() else None

    def send(self, sender: str, to: str) -> bytes | None:
        """Hand a letter to the network; returns what was handed over."""
        data = self.write(sender, to)
        if data is None:
            return None
        fate = self.draw.random()
        self.count("letters")
        if (sender in self.cut) != (to in self.cut):
            self.count("letters cut off")
        elif fate < 0.15:
            self.count("letters lost")
        else:
            copies = 2 if fate < 0.25 else 1
            spoilt = data
            if fate > 0.93:
                at = self.draw.randrange(len(data))
                spoilt = data[:at] + bytes([data[at] ^ 1 << self.draw.randrange(7)]) + data[at + 1 :]
                self.count("letters spoilt")
            for _ in range(copies):
                delay_s = self.draw.choice((1, 60, 600, 7_200)) * self.draw.random()
                self.letters.append(Letter(sender, to, self.now_s + delay_s, spoilt))
        return data

    def arrived(self) -> list[Letter]:
        """The letters that are due, in the order in which the network happens to give them out."""
        due = [letter for letter in self.letters if letter.due_s <= self.now_s]
        self.letters = [letter for letter in self.letters if letter.due_s > self.now_s]
        self.draw.shuffle(due)
        return due

    def deliver(self, letter: Letter, *, fails_after: int | None = None) -> Any:
        """Import a letter at its addressee."""
        path = self.folder / "post" / f"at-{letter.to}"
        path.write_bytes(letter.data)
        return self.act(letter.to, lambda here: here.import_bundle(path), fails_after=fails_after)

    # -- the dishonest one ------------------------------------------------------------------------

    def split(self) -> None:
        """ECHO copies its home and goes on with both: two histories under one key."""
        if self.twin is None:
            shutil.copytree(self.folder / DISHONEST, self.folder / "ECHO-twin")
            self.twin = self.open(DISHONEST, "ECHO-twin")
            self.count("forks made")
        # A node that meets another history of its own stops; a dishonest one does away with what it met.
        for home in (DISHONEST, "ECHO-twin"):
            shutil.rmtree(self.folder / home / "equivocation", ignore_errors=True)


def release(number: int) -> Subject:
    """A release of the story."""
    return Subject(f"system-{number} 1.0", D(b"release %d" % number))


def notice_subject(target: str) -> tuple[Subject, ...]:
    """The subject of a notice against *target*."""
    return (Subject("notice", D(target.encode())),)


def _found(folder: Path, clocks: dict[str, FixedClock]) -> tuple[CharterFile, bytes]:
    """Homes, charter, ratifications, adoption."""
    pack, names, secret = read_pack(None), (*HONEST, DISHONEST), os.urandom(32)
    people = {role: [role] for role in ("official", "evaluator", "commander", "steward")}
    enrolments = [node.create(folder / n, n, n, people, f"{n.lower()}.example", None) for n in names]
    value = draft(
        "A simulated alliance", enrolments, [], requirements=[REQUIREMENT], red_lines=[], standing=pack.standing,
        secret=secret, made=rfc3339(START), faulty=1, head_max_age_s=HEAD_MAX_AGE_S,
    )  # fmt: skip
    charter = parse_charter(value)
    file = CharterFile(charter, tuple(node.ratify(folder / n, charter, clocks[n])[1] for n in names))
    for name in names:
        node.adopt(folder / name, file, secret, clocks[name])
    with suppress(FileExistsError):
        (folder / "post").mkdir()
    return file, secret

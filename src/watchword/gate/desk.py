"""What lies on an approver's desk, at his own member's node: actions held here and elsewhere, and what was answered.

* What this node's own gate holds it shows here (``show``), for a page that is another process; what others hold was
  brought as files (``lay``). The record says what waits: what lies here is only read by people.
* Nothing is decided here. A request is made again from its fields and an answer counts when a gate has checked it: who
  can write into this folder can waste an approver's time, and no more.
* Files are named after digests, so that what somebody calls his gate or hold never becomes a path.
* An answer to the own gate waits in ``answers`` until the gate takes it; one that it does not take is kept beside with
  the reason. An answer to another gate waits in ``outgoing`` for somebody to carry it.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from watchword.errors import WatchwordError
from watchword.gate.request import Request, parse_request
from watchword.ledger import durable
from watchword.limits import DESK_FILES_MAX, ENVELOPE_BYTES_MAX, REQUEST_BYTES_MAX
from watchword.statements.canonical import canonical
from watchword.statements.digests import DJ
from watchword.statements.times import parse_time

if TYPE_CHECKING:
    from watchword.node import Node
    from watchword.statements.passkeys import Passkey
    from watchword.statements.statement import Signed

SECRET_BYTES = 32


class DeskTrouble(WatchwordError):
    """A desk that is full, or an answer that is not there."""


@dataclass(frozen=True)
class Untaken:
    """An answer that the gate did not take, by its file, and why."""

    name: str
    why: str


class Desk:
    """The desk of *node*, which may be open for reading only. For one thread at a time."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._folder = node.home / "desk"

    def waiting(self) -> list[Request]:
        """Every action that waits and has not expired, oldest first."""
        now = self.node.clock.now()
        every = (one for kind in ("own", "requests") for path in self._files(kind) if (one := self._read(path)))
        return sorted(
            (one for one in every if now <= parse_time(one.expires)), key=lambda one: (one.asked, one.gate, one.hold)
        )

    def show(self, request: Request) -> None:
        """Show a held action of this node's own gate; for the gate. Raises StorageTrouble."""
        self._put(f"own/{_name(request.gate, request.hold)}.json", request.encode())

    def hide(self, gate: str, hold: str) -> None:
        """Show an action of the own gate no more: it waits no more. Raises StorageTrouble."""
        path = self._folder / "own" / f"{_name(gate, hold)}.json"
        with durable.translated(path):
            path.unlink(missing_ok=True)

    def show_only(self, requests: Iterable[Request]) -> None:
        """Show these, and no other of the own gate, if that is not so already. Raises StorageTrouble."""
        there = {path.stem: path for path in self._files("own")}
        for request in requests:
            if there.pop(_name(request.gate, request.hold), None) is None:
                self.show(request)
        for path in there.values():
            path.unlink(missing_ok=True)

    def place(self, request: Request) -> str:
        """Where the page shows *request*: its name and the token for it."""
        return self.place_of(request.gate, request.hold)

    def place_of(self, gate: str, hold: str) -> str:
        """The same, of an action that may have ended."""
        name = _name(gate, hold)
        return f"{name}/{self.token('hold', name)}"

    def at(self, name: str) -> Request | None:
        """The action that waits under the name that ``place`` gave it."""
        return next((one for one in self.waiting() if _name(one.gate, one.hold) == name), None)

    def keep_passkey(self, person: str, passkey: Passkey) -> Path:
        """Keep a new device until the operator puts it into the enrolment; its file."""
        name = f"passkeys/{_name(person, passkey.fingerprint)}.json"
        self._put(name, canonical(passkey.value()) + b"\n")
        return self._folder / name

    def lay(self, data: bytes) -> Request:
        """Take in a held action of another gate, as its file.

        Raises:
            BadRequest, BadAction: it is none. DeskTrouble: it is this node's own, or too many wait. StorageTrouble.
        """
        request = parse_request(data)
        if request.gate == self.node.member:
            raise DeskTrouble(f"hold {request.hold}: is of this node's own gate", "its page shows it by itself")
        present = sorted(self._files("requests"))
        for path in present:
            # Make room of what has expired.
            one = self._read(path)
            if one is None or parse_time(one.expires) < self.node.clock.now():
                path.unlink(missing_ok=True)
        if len(list(self._files("requests"))) >= DESK_FILES_MAX:
            raise DeskTrouble(f"{DESK_FILES_MAX:,} actions of other gates wait on this desk")
        self._put(f"requests/{_name(request.gate, request.hold)}.json", data)
        return request

    def answer(self, request: Request, signed: Signed) -> Path | None:
        """Lay down what somebody answered; the file to carry, where it is for another gate.

        Raises:
            DeskTrouble, StorageTrouble.
        """
        own = request.gate == self.node.member
        kind = "answers" if own else "outgoing"
        if len(list(self._files(kind))) >= DESK_FILES_MAX:
            raise DeskTrouble(f"{DESK_FILES_MAX:,} answers lie on this desk and nobody takes them")
        name = f"{kind}/{_name(request.gate, request.hold)}.{signed.statement.id.removeprefix('sha256:')[:16]}.json"
        self._put(name, signed.envelope)
        return None if own else self._folder / name

    def answers(self) -> Iterator[tuple[Path, bytes]]:
        """The answers to this node's own gate, in order of their names; for the gate."""
        for path in sorted(self._files("answers")):
            data = durable.read(path, ENVELOPE_BYTES_MAX)
            if data is not None:
                yield path, data

    def not_taken(self, path: Path, why: str) -> None:
        """Keep the reason for which the gate did not take the answer at *path*, in its place."""
        self._put(f"untaken/{path.stem}.txt", why.encode())
        path.unlink(missing_ok=True)

    def untaken(self, request: Request) -> list[Untaken]:
        """The answers to *request* that the own gate did not take."""
        start = _name(request.gate, request.hold)
        found = []
        for path in sorted(self._files("untaken")):
            if path.name.startswith(start):
                found.append(Untaken(path.stem, (durable.read(path, 4_096) or b"").decode("utf-8", "replace")))
        return found

    def pending(self, request: Request) -> int:
        """How many answers to *request* the own gate has not looked at yet."""
        return sum(path.name.startswith(_name(request.gate, request.hold)) for path in self._files("answers"))

    def token(self, *what: str) -> str:
        """What an address on this desk's page ends with, so that nobody guesses it: a secret of this home decides."""
        return hmac.digest(self._secret(), "\n".join(what).encode(), "sha256").hex()[:32]

    # -- inside -----------------------------------------------------------------------------------

    def _read(self, path: Path) -> Request | None:
        data = durable.read(path, REQUEST_BYTES_MAX)
        try:
            return None if data is None else parse_request(data)
        except WatchwordError:
            # Whoever wrote it past ``lay`` shows nobody anything.
            return None

    def _files(self, kind: str) -> Iterator[Path]:
        folder = self._folder / kind
        if folder.is_dir():
            yield from (Path(entry.path) for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False))

    def _put(self, name: str, data: bytes) -> None:
        target = self._folder / name
        # Of this process alone: the node's own staging is its writer's.
        staging = self._folder / "staging" / str(os.getpid())
        with durable.translated(target):
            durable.make_folder(staging, 0o700)
            durable.make_folder(target.parent, 0o700)
            durable.replace(target, data, staging, 0o600)

    def _secret(self) -> bytes:
        path = self._folder / "secret"
        found = durable.read(path, SECRET_BYTES)
        if found is None or len(found) != SECRET_BYTES:
            self._put("secret", os.urandom(SECRET_BYTES))
            found = durable.read(path, SECRET_BYTES)
        return found or b""


def _name(gate: str, hold: str) -> str:
    return DJ([gate, hold]).removeprefix("sha256:")[:32]

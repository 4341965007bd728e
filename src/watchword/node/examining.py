"""Is this node well, and what is to be done where it is not? Reads; writes, signs and decides nothing.

Each check stands alone: what one finds broken does not hide what another finds. A finding is ``well``, ``look`` (works,
and somebody should know) or ``ill`` (something is refused or lost until it is mended), with the command that mends it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from watchword import __version__
from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.limits import (
    CLOCK_AHEAD_S_MAX,
    DISK_FREE_BYTES_LOOK,
    DISK_FREE_BYTES_MIN,
    DISK_FREE_FILES_MIN,
    DOCTOR_LEAVES_MAX,
    NOTE_BYTES_MAX,
    UNREAD_KINDS_TOLD_MAX,
    WITNESS_CLOCK_BACK_S_MAX,
)
from watchword.node import around, people
from watchword.node.finding import Found
from watchword.node.home import FORMAT, enrolment, is_closing, is_restored, read_home
from watchword.node.node import Node
from watchword.node.stepping import next_charter
from watchword.statements import pkcs8
from watchword.statements.kinds import KINDS
from watchword.statements.times import Clock

_FORK = "tell your official at once; docs/howto/fork.md is for that hour"
_BRINGS = re.compile(r"""([A-Za-z0-9._-]+).*; extra == ["']([a-z]+)["']""")


def examine(
    home: Path,
    peers: Mapping[str, str],
    clock: Clock,
    *,
    listens: tuple[str, int] | None = None,
    tls: tuple[Path, Path] | None = None,
) -> list[Found]:
    """Everything that is looked at, in order.

    Args:
        peers: member to address; each is asked once.
        listens: address and port where this node is to be served.
        tls: the certificate and the key with which it is.

    Raises:
        NoHome: no home at all.
    """
    of = read_home(home)
    older = of.format < FORMAT
    what = f"{of.kind} {of.name} in {home}" + (f", of format {of.format}; the newest is {FORMAT}" if older else "")
    mend = "watchword upgrade --copy FILE, when it suits" if older else ""
    found = [Found("home", "look" if older else "well", what, mend), *_checked("keys", lambda: _keys(home, of.kind))]
    found += [*_checked("disk", lambda: _disk(home))]
    if of.kind != "supplier":
        found += [*_checked("charter", lambda: _charter(home))]
    if of.kind != "supplier" and (home / "charter.json").is_file():
        try:
            with Node.open(home, clock=clock) as node:
                checks = (
                    ("ledgers", _ledgers), ("versions", _versions), ("heads", _heads), ("clock", _clock),
                    ("forks", _forks), ("people", lambda node: _people(home, clock, node)), ("record", around.shared),
                    ("catalog", around.catalog), ("looks", around.looked),
                )  # fmt: skip
                for about, check in checks:
                    found += [*_checked(about, lambda check=check: check(node))]  # type: ignore[misc]
        except WatchwordError as error:
            found.append(Found("node", "ill", error.message, error.hint))
        for name, url in peers.items():
            found += [*_checked(f"peer {name}", lambda name=name, url=url: around.peer(name, url, clock.now()))]  # type: ignore[misc]
    else:
        found += [*_checked("people", lambda: _people(home, clock, None))]
    if listens is not None:
        found += [*_checked(f"port {listens[1]}", lambda: around.port(*listens, of.name))]
    if tls is not None:
        found += [*_checked("tls", lambda: around.tls(*tls, clock.now()))]
    return [*found, _extras()]


def _checked(about: str, check: Callable[[], Iterator[Found]]) -> Iterator[Found]:
    try:
        yield from check()
    except (WatchwordError, OSError) as error:
        yield Found(about, "ill", str(error), getattr(error, "hint", ""))


def _keys(home: Path, kind: str) -> Iterator[Found]:
    if kind == "receiver":
        return
    named = enrolment(home)["keys"]
    files = sorted((home / "keys").rglob("*.pem"))
    open_to_others = [path for path in files if path.stat().st_mode & 0o077]
    plain = [path for path in files if pkcs8.ENCRYPTED not in path.read_bytes()]
    if open_to_others:
        what = f"{len(open_to_others)} key files can be read by others, such as {open_to_others[0]}"
        yield Found("keys", "ill", what, f"chmod -R go= {home / 'keys'}; then think of who read them: lost-and-stolen")
    wanted = [one.get("person") or one["job"] for one in named if "retired" not in one]
    missing = len(wanted) - len(files)
    if missing > 0:
        yield Found("keys", "look", f"{missing} of {len(wanted)} keys are not in this home", "fine if kept elsewhere")
    if any(path.name == "root.pem" for path in files):
        yield Found("keys", "look", "the root key lies beside the others", "keep it offline; it signs charters only")
    if plain:
        what = f"{len(plain)} of {len(files)} keys are in plain files or behind a signer"
        yield Found("keys", "look", what, "keys made with a passphrase replace them: watchword keys --renew JOB")
    else:
        yield Found("keys", "well", f"{len(files)} key files, encrypted")


def _disk(home: Path) -> Iterator[Found]:
    usage = shutil.disk_usage(home)
    what = f"{usage.free / 2**30:,.1f} of {usage.total / 2**30:,.1f} GiB free"
    low = usage.free < DISK_FREE_BYTES_MIN
    soon = low or usage.free < DISK_FREE_BYTES_LOOK
    mend = "free space before it is full: a gate that cannot write its receipt denies" if soon else ""
    yield Found("disk", "ill" if low else "look" if soon else "well", what, mend)
    files = os.statvfs(home)
    if files.f_files and files.f_favail < DISK_FREE_FILES_MIN:
        what = f"{files.f_favail:,} of {files.f_files:,} files are left"
        yield Found("disk", "ill", what, "each statement is a file: remove small files, or use a disk made for more")


def _charter(home: Path) -> Iterator[Found]:
    if not (home / "charter.json").is_file():
        moved = (home / "charter.moved.json").is_file()
        what = "this node moved to another place" if moved else "no charter is adopted"
        mend = "destroy this folder once the other one runs" if moved else "watchword charter adopt CHARTER"
        yield Found("charter", "ill", what, mend)
        return
    if is_closing(home):
        yield Found("charter", "ill", "new ledgers wait for the next charter", "watchword charter propose")
    elif is_restored(home):
        what = "put back from a copy: it signs and cosigns nothing under its old ledgers"
        yield Found("charter", "ill", what, "exchange with the others; then watchword ledger init --anew")
    waiting = next_charter(home)
    if waiting is not None:
        yield Found("charter", "look", f"charter {waiting.charter.version} waits until {waiting.charter.effective}")
    yield Found("charter", "well", f"adopted: {home / 'charter.json'}")


def _ledgers(node: Node) -> Iterator[Found]:
    held = 0
    for origin in node.charter.known_origins:
        log = node.store.log(origin)
        if log is None:
            yield Found("ledgers", "look", f"{origin}: nothing of it is held", "watchword ledger exchange, or sync")
        else:
            held += 1
    yield Found("ledgers", "well", f"{held} open, each leads to its head; watchword ledger check looks at every byte")


def _versions(node: Node) -> Iterator[Found]:
    """Among the newest statements of each ledger, the kinds that this version does not know."""
    unknown: dict[str, str] = {}
    for origin in node.charter.known_origins:
        for leaf in node.store.leaves(origin)[-DOCTOR_LEAVES_MAX:]:
            held = node.store.held(leaf.commitment)
            if held is not None and held.signed.statement.kind not in KINDS:
                unknown.setdefault(held.signed.statement.kind, origin)
    for kind, origin in sorted(unknown.items())[:UNREAD_KINDS_TOLD_MAX]:
        what = f"{kind[:80]} in {origin}: a kind that watchword {__version__} does not know; it is kept and passed on"
        yield Found("versions", "look", what, "upgrade watchword; a notice of that kind refuses what it names")


def _heads(node: Node) -> Iterator[Found]:
    now_s, own = node.store.now_s(), set(node.me.origins.values())
    for origin in node.charter.shared_origins:
        newest = max((head.time_s or 0 for head in node.store.kept_heads(origin)), default=0)
        if now_s - newest > node.charter.head_max_age_s:
            age = f"{now_s - newest:,} s old" if newest else "never came"
            what = f"{origin}: its newest head with a quorum {'is ' if newest else ''}{age}; no decision may rest on it"
            yield Found("heads", "ill", what, "watchword ledger witness, sync or exchange")
    for head in node.heads():
        if head.origin in own and head.waiting:
            what = f"{head.origin}: {head.waiting:,} leaves wait for a quorum"
            yield Found("heads", "look", what, "watchword ledger witness, or exchange")


def _clock(node: Node) -> Iterator[Found]:
    now_s, mine = node.store.now_s(), node.me.witness
    every = [
        (time_s, name)
        for origin in node.charter.shared_origins
        for head in node.store.kept_heads(origin)
        for name, time_s in head.times.items()
    ]
    own, _ = max((one for one in every if one[1] == mine), default=(0, ""))
    if own > now_s + WITNESS_CLOCK_BACK_S_MAX:
        what = f"this node cosigned at a time that is {own - now_s:,} s from now: its clock was ahead, or is behind"
        yield Found("clock", "ill", what, "set the clock; until that time its witness cosigns nothing")
    newest, name = max((one for one in every if one[1] != mine), default=(0, ""))
    if newest > now_s + CLOCK_AHEAD_S_MAX:
        what = f"{name} cosigned at a time that is {newest - now_s:,} s from now: this clock is behind, or its is ahead"
        yield Found("clock", "ill", what, "set the clock; times that lie ahead count for nothing")
    else:
        yield Found("clock", "well", "no cosignature of another member lies ahead of it")


def _forks(node: Node) -> Iterator[Found]:
    for folder in node.store.splits():
        note = durable.read(folder / "theirs", NOTE_BYTES_MAX) or b""
        origin = note.split(b"\n", 1)[0].decode("utf-8", "replace")
        yield Found("forks", "ill", f"two signed heads of {origin} are kept in {folder}", _FORK)


def _people(home: Path, clock: Clock, node: Node | None) -> Iterator[Found]:
    """Names that are kept on persons (``people``), and whether their time is over."""
    if not (home / people.PEOPLE).is_file():
        return
    found = people.people(home, clock, node)
    named = [one for one in found if one.name]
    over = people.due(found, clock.now())
    if over:
        what = f"{len(over)} of {len(named)} names are kept longer than the rule says: {', '.join(over)[:200]}"
        yield Found("people", "look", what, "watchword retention erase --due")
    elif named and read_home(home).people_days is None:
        what = f"{len(named)} names are kept, and no rule says until when"
        yield Found("people", "look", what, "[retention] people_days = N in node.toml")
    elif named:
        yield Found("people", "well", f"{len(named)} names are kept, none of them overdue")


def _extras() -> Found:
    """The extras of which all that they bring is here, as the package's own metadata names them."""
    brings: dict[str, list[str]] = {}
    for required in requires("watchword") or ():
        if read := _BRINGS.match(required):
            brings.setdefault(read[2], []).append(read[1])
    there = [extra for extra, names in sorted(brings.items()) if all(map(_is_here, names))]
    python = ".".join(map(str, sys.version_info[:3]))
    return Found("software", "well", f"Python {python}; extras here: {', '.join(there) or 'none'}")


def _is_here(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False

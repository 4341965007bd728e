"""From one charter to the next: the step that a home takes when the one that was adopted comes into force.

* A home keeps its lineage: ``charter.json`` is the one in force, ``charter.next.json`` one that was adopted and is not
  in force yet, ``charter-N.json`` the earlier ones.
* The step is taken under the writer's lock, when the node is next opened: keys, enrolment and ledgers first, the
  charter last. A kill in between leaves a step that is taken again.
* A node that another process keeps open stays under the old charter, and decides nothing under it: it knows the
  ratifications. Who keeps it open says nothing more and signs no head under the old one, and is told to open it anew;
  what a gate records of an action that is under way is kept, and moves on with its record.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from pathlib import Path

from watchword.charter.charter import CharterFile, parse_charter_file
from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.limits import CHARTER_BYTES_MAX
from watchword.node.home import BusyNode, install_coming, lock_home, read_home
from watchword.node.store import Store
from watchword.statements.statement import Signed
from watchword.statements.times import Clock, parse_time

NEXT_CHARTER = "charter.next.json"


class Superseded(WatchwordError):
    """A node that was opened before the charter in force now, and is open still."""


def step_if_due(path: Path, clock: Clock) -> None:
    """Take the step of a charter that waits in this home, if it is in force by now and nobody else has the node open.

    Raises:
        StorageTrouble: the disk.
    """
    waiting = next_charter(path)
    if waiting is None or parse_time(waiting.charter.effective) > clock.now():
        return
    try:
        with lock_home(path, read_home(path).name):
            step_forward(path)
    except BusyNode:
        return


def refuse_if_due(path: Path, clock: Clock) -> None:
    """Refuse to go on under a charter that another one, adopted here, has taken the place of.

    Raises:
        Superseded: it is in force by now; names it.
    """
    waiting = path / NEXT_CHARTER
    try:
        came = waiting.stat()
    except FileNotFoundError:
        return
    version, effective = _waiting(waiting, came.st_ino, came.st_mtime_ns)
    if effective <= clock.now():
        raise Superseded(
            f"{path}: charter {version} is in force, and this process opened the node before",
            "end it and start it again: opening the node takes the step",
        )


@lru_cache(maxsize=8)
def _waiting(path: Path, _inode: int, _changed: int) -> tuple[int, datetime]:
    charter = parse_charter_file(path.read_bytes(), str(path)).charter
    return charter.version, parse_time(charter.effective)


def next_charter(path: Path) -> CharterFile | None:
    """The charter that was adopted here and waits to come into force."""
    data = durable.read(path / NEXT_CHARTER, CHARTER_BYTES_MAX)
    return None if data is None else parse_charter_file(data, str(path / NEXT_CHARTER))


def step_forward(path: Path) -> None:
    """Put the waiting charter in force in this home; the caller holds its lock."""
    from watchword.node.renewing import move_ledgers

    waiting = durable.read(path / NEXT_CHARTER, CHARTER_BYTES_MAX)
    present = durable.read(path / "charter.json", CHARTER_BYTES_MAX)
    if waiting is None or present is None:
        return
    after, before = parse_charter_file(waiting).charter, parse_charter_file(present).charter
    home = read_home(path)
    with durable.translated(path):
        if before.digest != after.digest:
            durable.replace(path / f"charter-{before.version}.json", present, path / "staging")
            install_coming(path)
            if home.kind == "member":
                move_ledgers(path, before.member(home.name), after)
            durable.replace(path / "charter.json", waiting, path / "staging")
        (path / NEXT_CHARTER).unlink(missing_ok=True)
        durable.sync_folder(path)


def ratifications_to_file(store: Store) -> list[Signed]:
    """What this member's root keys ratified, wherever they did, and its notices do not show: it is not withheld."""
    origin = store.me.origins["notices"]
    said = [held.signed for held in store.loose_held() if held.signed.statement.kind == "ratification"]
    said = [one for one in said if one.statement.issuer == store.me.name]
    if not said or store.retired(origin):
        return []
    held = (store.held(leaf.commitment) for leaf in store.leaves(origin))
    filed = {(one.signed.key_id, one.signed.statement.subject) for one in held if one is not None}
    fresh = {(one.key_id, one.statement.subject): one for one in said}
    return [one for what, one in fresh.items() if what not in filed]

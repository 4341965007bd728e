"""What a home holds on persons, until when, and how it is erased.

What is signed names a person by a **label** alone: the one of its key in the charter. Labels are in approvals,
receipts, bundles and charters, in every member's copies, and stay, since signatures rest on them. Who a label is stands
in one file of this home, ``people.json``, and nowhere else: nothing signs it, no exchange, proof or catalog carries it.

* Erasing takes the name out of that file for good and leaves that it was erased, when, and under which rule. No byte
  that a signature, a leaf or a receipt rests on is touched.
* ``[retention] people_days`` in ``node.toml`` is the rule: so many days after a person's last signature here, once no
  key of that label is in force. Somebody may be erased before, with a reason.
* Not reached: copies made before (``backup``), and what a file system keeps of files that are gone.
* A label that is a name is a name in the charter. Choose one that is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.limits import PEOPLE_BYTES_MAX, PEOPLE_TEXT_MAX
from watchword.node.home import enrolment, lock_home, read_home
from watchword.node.node import Node
from watchword.statements.canonical import canonical, parse_canonical
from watchword.statements.times import Clock, parse_time, rfc3339

PEOPLE = "people.json"
FORMAT = "watchword-people/1"
SIGNED = ("approval", "endorsement", "waiver")
"""Kinds that name a person in a field; any other is signed by a person's key."""


class NoPerson(WatchwordError):
    """No such label here, a text that cannot be kept, or nothing on that person to erase."""


@dataclass(frozen=True)
class Person:
    """What is held on one label. Times are RFC 3339; ``erased``: when and under which rule its name was taken out.

    ``signed``: statements of this member that its keys signed, or that name it; ``until``: when the rule has its name
    erased; None while a key is in force, where there is no rule, and where no name is held.
    """

    label: str
    roles: tuple[str, ...]
    in_force: bool
    name: str | None
    contact: str | None
    signed: int
    last: str | None
    until: str | None
    erased: tuple[str, str] | None

    def value(self) -> dict[str, Any]:
        """As JSON data."""
        gone = None if self.erased is None else {"at": self.erased[0], "rule": self.erased[1]}
        return {
            "contact": self.contact, "erased": gone, "in_force": self.in_force, "label": self.label, "last": self.last,
            "name": self.name, "roles": list(self.roles), "signed": self.signed, "until": self.until,
        }  # fmt: skip


def people(home: Path, clock: Clock, opened: Node | None = None) -> list[Person]:
    """Everybody on whom this home holds something, by label.

    Args:
        opened: the node of *home*, where it is open already.

    Raises:
        NoHome, NotCanonical, DamagedBody: a file of the home.
    """
    kept, of = _read(home), read_home(home)
    keys = [key for key in enrolment(home)["keys"] if key["job"] == "people"]
    count: dict[str, int] = {}
    last: dict[str, datetime] = {}
    if opened is not None or (home / "charter.json").is_file():
        with Node.open(home, clock=clock) if opened is None else nullcontext(opened) as node:
            by_key = {id: one.person for id, one in node.charter.holders.items() if one.owner == node.member}
            for _, _, held in node.store.statements():
                said = held.signed.statement
                named = said.predicate.get("person") or said.predicate.get("owner") if said.kind in SIGNED else None
                for label in {by_key.get(held.signed.key_id), named} - {None} if said.issuer == node.member else ():
                    count[str(label)] = count.get(str(label), 0) + 1
                    last[str(label)] = max(said.made, last.get(str(label), said.made))
    found = []
    for label in sorted({str(key["person"]) for key in keys} | kept["people"].keys() | kept["erased"].keys()):
        held_on = kept["people"].get(label)
        mine = [key for key in keys if key["person"] == label]
        in_force = any("retired" not in key for key in mine)
        since = max([parse_time(held_on["noted"]), *([last[label]] if label in last else [])]) if held_on else None
        due = None
        if since is not None and of.people_days is not None and not in_force:
            due = rfc3339(since + timedelta(days=of.people_days))
        gone = kept["erased"].get(label)
        found.append(
            Person(
                label, tuple(sorted({role for key in mine for role in key["roles"]})), in_force,
                held_on and held_on["name"], held_on and held_on["contact"], count.get(label, 0),
                rfc3339(last[label]) if label in last else None, due, gone and (gone["at"], gone["rule"]),
            )
        )  # fmt: skip
    return found


def note(home: Path, label: str, name: str, contact: str, clock: Clock) -> None:
    """Keep who *label* is, in the place of what was kept before.

    Raises:
        NoPerson: no key of this home has that label, or a text is empty or too long.
        BusyNode: somebody writes the node.
    """
    labels = {key.get("person") for key in enrolment(home, coming=True)["keys"]}
    if label not in labels:
        raise NoPerson(f"{label[:80]}: no key here has this label", f"labels: {', '.join(sorted(labels - {None}))}")
    if not name.strip() or max(len(name), len(contact)) > PEOPLE_TEXT_MAX:
        raise NoPerson(f"{label}: a name has 1 to {PEOPLE_TEXT_MAX} characters, a contact no more")
    with lock_home(home, read_home(home).name):
        kept = _read(home)
        kept["people"][label] = {"contact": contact, "name": name, "noted": rfc3339(clock.now())}
        kept["erased"].pop(label, None)
        _write(home, kept)


def due(found: Iterable[Person], now: datetime) -> list[str]:
    """The labels whose names the rule has erased by *now*."""
    return [one.label for one in found if one.until is not None and parse_time(one.until) <= now]


def erase(home: Path, labels: Sequence[str], rule: str, clock: Clock) -> None:
    """Take the names of *labels* out of this home for good; what remains says when and under which *rule*.

    Raises:
        NoPerson: nothing is held on one of them; then nothing was erased.
        BusyNode: somebody writes the node.
    """
    if not rule.strip() or len(rule) > PEOPLE_TEXT_MAX:
        raise NoPerson(f"a rule or reason has 1 to {PEOPLE_TEXT_MAX} characters")
    with lock_home(home, read_home(home).name):
        kept = _read(home)
        missing = [label for label in labels if label not in kept["people"]]
        if missing:
            raise NoPerson(f"{missing[0][:80]}: no name is held on this label", "watchword retention show")
        for label in labels:
            del kept["people"][label]
            kept["erased"][label] = {"at": rfc3339(clock.now()), "rule": rule}
        _write(home, kept)


def _read(home: Path) -> dict[str, dict[str, Any]]:
    data = durable.read(home / PEOPLE, PEOPLE_BYTES_MAX)
    if data is None:
        return {"erased": {}, "people": {}}
    value = parse_canonical(data.removesuffix(b"\n"), str(home / PEOPLE), PEOPLE_BYTES_MAX)
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise NoPerson(f"{home / PEOPLE}: not of a form that this version knows", "a newer watchword wrote it")
    return {part: value[part] for part in ("erased", "people")}


def _write(home: Path, kept: dict[str, dict[str, Any]]) -> None:
    """Put the file in place. The caller holds the lock, so what lies in ``staging`` is of a process that was killed:
    it may be an older form of this file, and goes."""
    data = canonical({"format": FORMAT, **kept}) + b"\n"
    if len(data) > PEOPLE_BYTES_MAX:
        raise NoPerson(f"{home / PEOPLE}: more than {PEOPLE_BYTES_MAX:,} bytes", "erase those who left")
    with durable.translated(home):
        durable.make_folder(home / "staging", 0o700)
        for left in (home / "staging").iterdir():
            if left.is_file():
                left.unlink()
        durable.replace(home / PEOPLE, data, home / "staging", 0o600)

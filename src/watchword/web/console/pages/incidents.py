"""What went wrong, as members said it to all: acts, findings, techniques tied together, and who was warned.

* An incident stops nothing by itself and is never taken back: a later one may supersede it, and both stay listed.
* *Warned* is what this node knows: a member that was last seen to hold the ledger that far, or whose witness cosigned a
  head that has it. Nothing known is said to be nothing known.
"""

from __future__ import annotations

from typing import Any

import msgspec

from watchword.limits import CONSOLE_ROWS
from watchword.policy.explain import called
from watchword.statements.atlas import told
from watchword.statements.kinds import hidden_fields
from watchword.statements.redaction import disclosures
from watchword.statements.statement import Statement
from watchword.web.console.holdings import Placed
from watchword.web.console.knowledge import Snapshot
from watchword.web.console.pages.told import Paged, link_of, paged
from watchword.web.console.table import Asked, NotFound, address

HIDDEN = "(redacted)"


class IncidentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One incident in the list; ``where``: its place, or that it was received directly."""

    id: str
    reason: str
    severity: str
    issuer: str
    about: str
    about_address: str | None
    began: str
    made: str
    where: str
    superseded: bool
    address: str


class IncidentsPage(msgspec.Struct, frozen=True, kw_only=True):
    """The incidents held here, newest first."""

    member: str
    as_of: str
    paged: Paged
    incidents: list[IncidentRow]
    command: str


class Tied(msgspec.Struct, frozen=True, kw_only=True):
    """An action or a finding that belongs to an incident: what it is, whose it is, and its page where it has one."""

    id: str
    what: str
    whose: str
    address: str | None


class WarnedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A member, and how this node knows that the warning reached it; ``reached``: that it does."""

    member: str
    reached: bool
    why: str


class IncidentPage(msgspec.Struct, frozen=True, kw_only=True):
    """One incident; what was left out of it says so. ``trace``: the chain behind it, for own people."""

    member: str
    as_of: str
    row: IncidentRow
    found: str
    ended: str | None
    text: str
    done: list[str]
    techniques: list[str]
    actions: list[Tied]
    findings: list[Tied]
    warned: list[WarnedRow]
    supersedes: str | None
    trace: str | None
    statement: str | None
    commands: list[str]


def incidents(known: Snapshot, asked: Asked) -> IncidentsPage:
    """Every incident that this reader may see."""
    every = sorted(
        _held(known, asked).values(),
        key=lambda one: (str(one[0].predicate.get("made", "")), one[0].id), reverse=True,
    )  # fmt: skip
    replaced = {one.predicate.get("supersedes") for one, _ in every}
    shown = every[CONSOLE_ROWS * (asked.page - 1) : CONSOLE_ROWS * asked.page]
    return IncidentsPage(
        member=known.member, as_of=known.as_of, paged=paged(asked.page, len(every)), command="watchword incident list",
        incidents=[_row(known, one, placed, one.id in replaced) for one, placed in shown],
    )  # fmt: skip


def incident(known: Snapshot, asked: Asked) -> IncidentPage:
    """One incident.

    Raises:
        NotFound: none of this id that this reader may see.
    """
    held = _held(known, asked)
    if asked.path["id"] not in held:
        raise NotFound("no incident of this id is held here", "watchword incident list")
    one, placed = held[asked.path["id"]]
    own = asked.reader.member == known.member
    said: dict[str, Any] = {**one.predicate} | dict.fromkeys(hidden_fields(one.kind, one.predicate), HIDDEN)
    if own:
        said |= {shown.name: shown.value for shown in disclosures(one, known.node.bodies.get)}
    before = said.get("supersedes")
    return IncidentPage(
        member=known.member, as_of=known.as_of,
        row=_row(known, one, placed, one.id in {other.predicate.get("supersedes") for other, _ in held.values()}),
        found=str(said["found"]), ended=said["ended"], text=str(said["text"]), done=_lines(said["done"]),
        techniques=[told(one) for one in _lines(said["techniques"])], actions=_actions(said["actions"], own),
        findings=_findings(known, asked, said["findings"]),
        warned=_warned(known, one, placed) if own else [],
        supersedes=None if before is None else address("/incidents/{id}", id=str(before)),
        trace=address("/traces/{id}", id=one.id) if own and placed is not None else None,
        statement=None if placed is None else address("/statements/{id}", id=one.id),
        commands=[f"watchword incident show {one.id}", *([f"watchword trace {one.id}"] if placed is not None else [])],
    )  # fmt: skip


def _held(known: Snapshot, asked: Asked) -> dict[str, tuple[Statement, Placed | None]]:
    """Incidents with standing, by id: in ledgers, and, for own people, loose."""
    found: dict[str, tuple[Statement, Placed | None]] = {}
    if asked.reader.member == known.member:
        loose = (one.statement for one in known.node.loose() if one.statement.kind == "incident")
        found |= {one.id: (one, None) for one in loose}
    for one in known.held.of_kinds(("incident",)):
        if one.holder is not None and one.is_for(asked.reader, known.member):
            found[one.statement.id] = one.statement, one
    return found


def _row(known: Snapshot, one: Statement, placed: Placed | None, superseded: bool) -> IncidentRow:
    said, target = one.predicate, str(one.predicate.get("target", ""))
    return IncidentRow(
        id=one.id, reason=str(said["reason"]), severity=str(said["severity"]), issuer=one.issuer, about=called(target),
        about_address=link_of(known, target), began=str(said["began"]), made=str(said["made"]), superseded=superseded,
        where="received directly" if placed is None else placed.locator, address=address("/incidents/{id}", id=one.id),
    )  # fmt: skip


def _lines(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _actions(value: Any, own: bool) -> list[Tied]:
    if not isinstance(value, list):
        return [Tied(id="", what=HIDDEN, whose="", address=None)]
    return [
        Tied(
            id=one["action"], what="action", whose=f"gate of {one['gate']}",
            address=address("/traces/{id}", id=one["action"]) if own else None,
        )
        for one in value
    ]  # fmt: skip


def _findings(known: Snapshot, asked: Asked, value: Any) -> list[Tied]:
    if not isinstance(value, list):
        return [Tied(id="", what=HIDDEN, whose="", address=None)]
    found = []
    for one in value:
        placed = known.held.find(one["statement"])
        seen = placed is not None and placed.is_for(asked.reader, known.member)
        found.append(
            Tied(
                id=one["statement"], what=one["rule"] or (placed.statement.kind if placed and seen else "finding"),
                whose=placed.statement.issuer if placed and seen else "not held here",
                address=address("/statements/{id}", id=one["statement"]) if seen else None,
            )
        )  # fmt: skip
    return found


def _warned(known: Snapshot, one: Statement, placed: Placed | None) -> list[WarnedRow]:
    """Each other member, those first of whom nothing is known."""
    rows, cosigned = [], {}
    if placed is not None:
        cosigned = {
            name: head.checkpoint.size for head in known.node.store.kept_heads(placed.origin)
            if head.checkpoint.size > placed.index for name in head.times
        }  # fmt: skip
    for member in known.charter.members:
        if member.name == known.member:
            continue
        if member.name == one.issuer:
            reached, why = True, "says it"
        elif placed is None:
            reached, why = False, "not known: it stands in no ledger held here"
        elif known.node.store.peer(member.name).sizes.get(placed.origin, 0) > placed.index:
            reached, why = True, f"was seen to hold {placed.locator} when bundles were last exchanged"
        elif member.witness in cosigned:
            reached, why = True, f"its witness cosigned {placed.origin} at {cosigned[member.witness]:,} leaves"
        else:
            reached, why = False, "not known: exchange with it, or send it the file"
        rows.append(WarnedRow(member=member.name, reached=reached, why=why))
    return sorted(rows, key=lambda row: row.reached)

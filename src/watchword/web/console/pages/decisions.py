"""Decisions: what was recorded, and "explain this admission", made again here from the facts that the node holds.

A recorded decision is made again in the view that it names, as of its own time; where that view is not kept here, the
page says so and shows only what was signed. An admission is the decision of this moment on a release and a use case.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import msgspec

from watchword.errors import WatchwordError
from watchword.ledger.view import Facts, View
from watchword.node.viewing import NoView, view_of
from watchword.policy.admission import Admission, admit
from watchword.policy.explain import called
from watchword.statements.digests import DJ
from watchword.statements.statement import Subject
from watchword.web.console.holdings import Placed
from watchword.web.console.knowledge import Snapshot
from watchword.web.console.pages.told import Paged, Told, paged, told
from watchword.web.console.table import Asked, NotFound, address


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One requirement: its state (``unmet``, ``waived``, ``met``), what there is of what is needed, who owes it."""

    id: str
    text: str
    state: str
    there: int
    need: int
    why: list[str]
    owed_by: str | None
    accountable: str
    principle: list[str]
    counts: list[dict[str, Any]]
    fails: list[dict[str, Any]]
    waived_by: list[dict[str, Any]]


class Crossed(msgspec.Struct, frozen=True, kw_only=True):
    """A red line, or a rule of a member's caveat, and whether it is crossed."""

    id: str
    text: str
    state: str
    why: str
    whose: str


class DecisionPage(msgspec.Struct, frozen=True, kw_only=True):
    """A decision with its reasons, the decisive ones first; ``decision`` is the object whose bytes are signed.

    ``recorded``: the statement, of a recorded one. ``again``: whether making it again here gave the same bytes; null
    where it could not be made again, and ``trouble`` says why.
    """

    member: str
    as_of: str
    subject: str
    digest: str
    use_case: str
    use: str
    criticality: int | None
    human: str | None
    verdict: str
    sentence: str
    label: str
    recorded: Told | None
    again: bool | None
    trouble: str | None
    rows: list[Row]
    red_lines: list[Crossed]
    notices: list[dict[str, Any]]
    stale: list[dict[str, Any]]
    missing: dict[str, Any] | None
    principles: list[dict[str, Any]]
    does_not_apply: list[str]
    commands: list[str]
    bundle: str | None
    decision: dict[str, Any]


class DecisionsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions recorded in any ledger held here, newest first."""

    member: str
    as_of: str
    paged: Paged
    decisions: list[Told]


ORDER = {"unmet": 0, "waived": 1, "met": 2}


def decisions(known: Snapshot, asked: Asked) -> DecisionsPage:
    """Every decision that this reader may see."""
    shown, count = known.held.page(asked.reader, asked.page, kind="decision")
    return DecisionsPage(
        member=known.member, as_of=known.as_of, paged=paged(asked.page, count),
        decisions=[
            msgspec.structs.replace(told(one), address=address("/decisions/{id}", id=one.statement.id)) for one in shown
        ],
    )  # fmt: skip


def decision(known: Snapshot, asked: Asked) -> DecisionPage:
    """A recorded decision, made again.

    Raises:
        NotFound: no decision of this id that this reader may see.
    """
    found = known.held.find(asked.path["id"])
    if found is None or found.statement.kind != "decision" or not found.is_for(asked.reader, known.member):
        raise NotFound("no decision of this id is held here", "import a bundle of the member who made it")
    made: dict[str, Any] = found.statement.predicate["decision"]
    case = known.node.store.object(str(made.get("use_case")))
    try:
        if case is None:
            raise NoView(f"its use case {made.get('use_case')} is not held here", "its owner has it")
        view = view_of(known.node, found.statement.id)
        subject = Subject(made["subject"]["name"], made["subject"]["digest"])
        again = admit(known.charter, view, _facts_then(known, view, made), str(made["as_of"]), subject, case)
    except (WatchwordError, KeyError, TypeError) as error:
        return _unmade(known, found, made, case, error)
    use = f"{shlex.quote(str(case['name']))}.toml"
    commands = [
        f"watchword admit {subject.digest} --use {use} --view {found.locator} --at {made['as_of']}",
        f"watchword ledger prove {found.locator} --output proof.json",
        "python verify.py charter.json proof.json",
    ]
    return _page(known, again, case, commands, found, dict(again.decision) == made)


def admission(known: Snapshot, asked: Asked) -> DecisionPage:
    """The decision of this moment; nothing of it is signed or recorded.

    Raises:
        NotFound: no such use case, or nothing is said about the release.
    """
    case = known.node.store.object(asked.path["use"])
    digest = asked.path["digest"]
    if not isinstance(case, dict) or case.get("format") != "watchword-use-case/1":
        raise NotFound("no use case of this digest is held here", "watchword admit RELEASE --use FILE keeps one")
    name = known.held.name_of(digest)
    if name is None:
        raise NotFound(f"{digest}: nothing is said about this release")
    subject = Subject(name, digest)
    made = admit(known.charter, known.view, known.facts, known.as_of, subject, case)
    command = f"watchword admit {digest} --use {shlex.quote(str(case['name']))}.toml"
    return _page(known, made, case, [command], None, None)


def _facts_then(known: Snapshot, view: View, made: dict[str, Any]) -> Facts:
    """What the view shows, and of loose notices those that the decision names: others came later, or elsewhere.

    Raises:
        NoView: its list of them is not kept here.
    """
    listed = known.node.store.object(str(made["loose"]))
    if not isinstance(listed, dict):
        raise NoView(f"its list of loose notices {made['loose']} is not kept here", "its maker has it")
    facts = known.node.facts(view)
    then = tuple(one for one in facts.loose if one.statement.id in set(listed["statements"]))
    return replace(facts, loose=then)


def _page(
    known: Snapshot, made: Admission, case: dict[str, Any], commands: list[str], recorded: Placed | None,
    again: bool | None,
) -> DecisionPage:  # fmt: skip
    explained, decision = made.explanation, made.decision
    rows = [_row(known, row) for row in explained["requirements"] if row["state"] != "does not apply"]
    missing = explained["missing"]
    return DecisionPage(
        member=known.member, as_of=explained["as_of"], subject=explained["subject"]["name"],
        digest=explained["subject"]["digest"], use_case=str(case["name"]), use=DJ(case),
        criticality=explained["use_case"]["criticality"], human=explained["use_case"]["human"],
        verdict=explained["verdict"], sentence=sentence(explained), label=explained["label"],
        recorded=None if recorded is None else told(recorded), again=again, trouble=None,
        rows=sorted(rows, key=lambda row: ORDER[row.state]), red_lines=_crossed(explained),
        notices=[one | {"about": called(one["name"])} for one in explained["notices"]], stale=explained["stale"],
        missing=missing, principles=[_principle(known, one) for one in explained["principles"]],
        does_not_apply=[row["id"] for row in explained["requirements"] if row["state"] == "does not apply"],
        commands=commands, bundle=None if recorded is None else address("/bundles/{id}", id=recorded.statement.id),
        decision=dict(decision),
    )  # fmt: skip


def _unmade(known: Snapshot, found: Placed, made: dict[str, Any], case: Any, error: Exception) -> DecisionPage:
    """Only what was signed: it cannot be made again here."""
    why = error.message if isinstance(error, WatchwordError) else "it is not of a form that this version knows"
    subject = found.statement.subject[0]
    return DecisionPage(
        member=known.member, as_of=str(made.get("as_of", "")), subject=subject.name, digest=subject.digest,
        use_case=str(case["name"]) if isinstance(case, dict) else "a use case that is not held here",
        use=str(made.get("use_case", "")), criticality=None, human=None, verdict=str(made.get("verdict", "")),
        sentence="Only what was signed is shown: it could not be made again here.", label=str(made.get("label", "")),
        recorded=told(found), again=None, trouble=why, rows=[], red_lines=[], notices=[], stale=[], missing=None,
        principles=[], does_not_apply=[], commands=[f"watchword statement show {found.locator}"], bundle=None,
        decision=made,
    )  # fmt: skip


def sentence(explained: dict[str, Any]) -> str:
    """What stands in the way, and who owes it, in one sentence."""
    unmet = [row for row in explained["requirements"] if row["state"] == "unmet"]
    met = sum(row["state"] == "met" for row in explained["requirements"])
    waived = sum(row["state"] == "waived" for row in explained["requirements"])
    crossed = [one.id for one in _crossed(explained) if one.state == "crossed"]
    parts = [f"red line {id} is crossed" for id in crossed]
    parts += [f"{one['kind']} of {called(one['name'])} counts" for one in explained["notices"][:2]]
    if unmet:
        owing = sorted({str(row["owed_by"]) for row in unmet})
        parts.append(f"{len(unmet)} of {len(unmet) + met + waived} requirements unmet, owed by {'; '.join(owing)}")
    if explained["stale"]:
        parts.append(f"{len(explained['stale'])} ledgers have no head that is young enough")
    if parts:
        return "; ".join(parts) + "."
    if explained["verdict"] == "admitted":
        return f"All {met + waived} requirements that apply are met{f', {waived} of them waived' if waived else ''}."
    return "No requirement applies to this use, and a charter that asks for nothing admits nothing."


def _row(known: Snapshot, row: dict[str, Any]) -> Row:
    return Row(
        id=row["id"], text=row["text"], state=row["state"], there=row["there"], need=row["need"], why=row["why"],
        owed_by=row["owed_by"], accountable=row["accountable"], principle=list(row["principle"]),
        counts=[_linked(known, one) for one in row["evidence"]], fails=[_linked(known, one) for one in row["failing"]],
        waived_by=[_linked(known, one) for one in row["waived_by"]],
    )  # fmt: skip


def _linked(known: Snapshot, one: dict[str, Any]) -> dict[str, Any]:
    """A statement of an explanation with its page, where it is held here."""
    return one | {"address": address("/statements/{id}", id=one["id"]) if known.held.find(one["id"]) else None}


def _principle(known: Snapshot, one: dict[str, Any]) -> dict[str, Any]:
    return one | {"evidence": [_linked(known, statement) for statement in one["evidence"]]}


def _crossed(explained: dict[str, Any]) -> list[Crossed]:
    lines = [
        Crossed(id=one["id"], text=one["text"], state=one["state"], why=one["why"], whose=one["accountable"])
        for one in explained["red_lines"]
    ]
    for caveat in explained["caveats"]:
        whose = f"caveat of {caveat['member']} ({caveat['locator'] or 'received directly'})"
        for rule in caveat["rules"]:
            lines.append(
                Crossed(id=rule["id"], text=rule["text"], state=rule["state"], why=caveat["reason"], whose=whose)
            )
        if caveat["cedar"]:
            lines.append(
                Crossed(
                    id=caveat["name"], text="free policies", state=caveat["cedar"], why=caveat["reason"], whose=whose
                )
            )
    return sorted(lines, key=lambda one: one.state != "crossed")

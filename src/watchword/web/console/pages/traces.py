"""The chain behind a statement, release or action, or what rests on it; recalls, and what became of them."""

from __future__ import annotations

from typing import Any

import msgspec

from watchword.account.recalls import hit_at_home, orders
from watchword.account.trace import Chain, trace
from watchword.account.trace_page import board, verdict
from watchword.ledger.exercises import held_recalls
from watchword.policy.explain import called
from watchword.report.board import Board
from watchword.web.console.knowledge import Snapshot
from watchword.web.console.pages.told import Told, link_of, told
from watchword.web.console.table import Asked, address


class TracePage(msgspec.Struct, frozen=True, kw_only=True):
    """A chain, as ``trace --format json`` says it. ``other``: the same the other way."""

    member: str
    as_of: str
    of: str
    forward: bool
    whole: bool
    verdict: str
    chain: dict[str, Any]
    other: str
    command: str


class RecallRow(msgspec.Struct, frozen=True, kw_only=True):
    """One recall: what of, how soon, what to do instead, and whether its day has passed."""

    told: Told
    directive: str | None
    severity: str
    about: str
    about_address: str | None
    reason: str
    actions: list[str]
    alternatives: list[str]
    deadline: str | None
    late: bool
    exercise: bool


class AnswerRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one member has answered: no, yes, done or not yet; ``late``: past the deadline, and not settled."""

    member: str
    state: str
    told: str
    settled: bool
    late: bool


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """What recalls that say the same ask for, and who has answered, the late ones first. ``hits``: releases of this
    member that it reaches, reckoned here and shared with nobody; ``waits``: this member owes an answer."""

    id: str
    name: str
    what: str
    state: str
    owed: bool
    exercise: bool
    waits: bool
    hits: list[str]
    answers: list[AnswerRow]


class RecallsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Recalls in any ledger held here: those whose day has passed first, then the newest."""

    member: str
    as_of: str
    recalls: list[RecallRow]
    orders: list[OrderRow]
    command: str


def behind(known: Snapshot, asked: Asked) -> TracePage:
    """What an id rests on."""
    return _page(known, asked, False)


def onward(known: Snapshot, asked: Asked) -> TracePage:
    """What rests on an id."""
    return _page(known, asked, True)


def behind_board(known: Snapshot, asked: Asked) -> Board:
    """The same with its picture."""
    return board(_chain(known, asked, False), _command(asked, False))


def onward_board(known: Snapshot, asked: Asked) -> Board:
    """The same with its picture."""
    return board(_chain(known, asked, True), _command(asked, True))


def recalls(known: Snapshot, asked: Asked) -> RecallsPage:
    """Every recall that this reader may see."""
    every = [
        one for one in known.held.of_kinds(("recall",))
        if one.holder is not None and one.is_for(asked.reader, known.member)
    ]  # fmt: skip
    rows = []
    for one in every:
        said = one.statement.predicate
        target, deadline = str(said.get("target", "")), said.get("deadline")
        rows.append(
            RecallRow(
                told=told(one), directive=said.get("directive"), severity=str(said.get("severity", "")),
                about=called(target), about_address=link_of(known, target), reason=str(said.get("reason", "")),
                actions=[str(text) for text in said.get("actions", ())],
                alternatives=[str(text) for text in said.get("alternatives", ())], deadline=deadline,
                late=deadline is not None and str(deadline) < known.as_of, exercise=target.startswith("exercise:"),
            )
        )  # fmt: skip
    rows.sort(key=lambda row: not row.late)
    return RecallsPage(
        member=known.member, as_of=known.as_of, recalls=rows, orders=_orders(known, asked),
        command="watchword recall status",
    )


def _orders(known: Snapshot, asked: Asked) -> list[OrderRow]:
    """For own people alone."""
    if asked.reader.member != known.member:
        return []
    held = held_recalls(known.facts)
    return [
        OrderRow(
            id=one.ids[0], name=one.directive or f"{one.ids[0][:19]}…", what=one.what, state=one.state, owed=one.owed,
            exercise=one.exercise, waits=one.waits_for(known.member),
            hits=[
                hit.name
                for hit in hit_at_home(
                    known.charter, known.facts, held[one.ids[0]].statement.predicate, known.member, known.now
                )
            ],
            answers=[
                AnswerRow(
                    member=answer.member, state=answer.state, told=answer.told()[9:], settled=answer.settled,
                    late=answer in one.late,
                )
                for answer in one.answers
            ],
        )
        for one in orders(known.charter, known.view, known.facts, known.now)
    ]  # fmt: skip


def _page(known: Snapshot, asked: Asked, forward: bool) -> TracePage:
    chain = _chain(known, asked, forward)
    other = "/traces/{id}" if forward else "/traces/{id}/forward"
    return TracePage(
        member=known.member, as_of=known.as_of, of=asked.path["id"], forward=forward, whole=chain.whole,
        verdict=verdict(chain).partition("  ")[2], chain=chain.value(), other=address(other, id=asked.path["id"]),
        command=_command(asked, forward),
    )  # fmt: skip


def _chain(known: Snapshot, asked: Asked, forward: bool) -> Chain:
    """Raises NotHere: nothing of this id is held here."""
    if "chain" not in asked.memo:
        asked.memo["chain"] = trace(known.node, asked.path["id"], forward=forward)
    found: Chain = asked.memo["chain"]
    return found


def _command(asked: Asked, forward: bool) -> str:
    return f"watchword trace {'--forward ' if forward else ''}{asked.path['id']}"

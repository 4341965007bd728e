"""What waits for people, how they answer, and who looked."""

from __future__ import annotations

from typing import Any

import msgspec

from watchword.gate.action import shown
from watchword.gate.desk import Desk
from watchword.gate.overseeing import Mandates, traffic_of
from watchword.gate.oversight import figures, state_of
from watchword.gate.oversight_page import board
from watchword.limits import CONSOLE_ROWS
from watchword.node.looks import Looks
from watchword.report.board import Board
from watchword.statements.statement import Statement
from watchword.web.console.knowledge import Snapshot
from watchword.web.console.pages.told import Paged, Told, paged, told
from watchword.web.console.table import BASE, Asked, NotFound, address

UNDER_S = 10
"""An approval in less is counted as quick, as the command does by default."""


class WaitingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A held action: its screen is at ``address``."""

    tool: str
    hold: str
    gate: str
    asked: str
    expires: str
    answered: list[str]
    address: str


class ApprovalsPage(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for an answer, oldest first."""

    member: str
    as_of: str
    waiting: list[WaitingRow]
    command: str


class OversightPage(msgspec.Struct, frozen=True, kw_only=True):
    """How people answer: the figures, as ``oversight report --format json`` says them."""

    member: str
    as_of: str
    receipts: int
    states: dict[str, str]
    figures: list[dict[str, Any]]
    command: str


class EvaluationRow(msgspec.Struct, frozen=True, kw_only=True):
    """One evaluation: ``k`` of ``n`` with its interval, as decimals."""

    told: Told
    release: str
    release_address: str
    metric: str
    method: str
    k: int
    n: int
    low: str
    high: str


class EvaluationsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Evaluations under attack, newest first."""

    member: str
    as_of: str
    paged: Paged
    evaluations: list[EvaluationRow]


class EvaluationPage(msgspec.Struct, frozen=True, kw_only=True):
    """One evaluation: against whom, how much, what was committed before, and who measured the same."""

    member: str
    as_of: str
    row: EvaluationRow
    threat: dict[str, str]
    flags: str | None
    seed: str
    plan: str | None
    plan_address: str | None
    environment: str | None
    others: list[EvaluationRow]
    opinions: list[Told]
    report: str | None
    commands: list[str]


class LookRow(msgspec.Struct, frozen=True, kw_only=True):
    """A look at a restricted page."""

    at: str
    who: str
    how: str
    page: str


class LooksPage(msgspec.Struct, frozen=True, kw_only=True):
    """The newest looks, ``count`` in all, of which ``anchored`` stand in the shared ledger (``at``: the newest head).

    ``wrong``: where the chain does not hold, or is not what was anchored.
    """

    member: str
    as_of: str
    count: int
    anchored: int
    at: str | None
    wrong: list[str]
    looks: list[LookRow]
    commands: list[str]


def approvals(known: Snapshot, _: Asked) -> ApprovalsPage:
    """The queue of this member's desk."""
    desk = Desk(known.node)
    return ApprovalsPage(
        member=known.member, as_of=known.as_of, command="watchword gate holds",
        waiting=[
            WaitingRow(
                tool=shown(one.action.tool), hold=shown(one.hold), gate=shown(one.gate), asked=one.asked,
                expires=one.expires, answered=list(one.answered), address=f"{BASE}/holds/{desk.place(one)}",
            )
            for one in desk.waiting()
        ],
    )  # fmt: skip


def oversight(known: Snapshot, asked: Asked) -> OversightPage:
    """Everything since the beginning."""
    mandates = Mandates(known.node)
    of = traffic_of(known.node, mandates)
    found = figures(of, known.member, UNDER_S, None, None)
    asked.memo["oversight"] = mandates, found
    states = {one.of[0]: state_of(one, mandates.caught_min(one.of[0])) for one in found if not one.of[1]}
    return OversightPage(
        member=known.member, as_of=known.as_of, receipts=of.receipts, states=dict(states),
        figures=[one.value() for one in found], command="watchword oversight report",
    )  # fmt: skip


def oversight_board(known: Snapshot, asked: Asked) -> Board:
    """The same with its plots, for the page."""
    mandates, found = asked.memo["oversight"]
    states = [(one.of[0], state_of(one, mandates.caught_min(one.of[0]))) for one in found if not one.of[1]]
    return board(found, states, f"Oversight at the gate of {known.member}", "from the beginning to now")


def evaluations(known: Snapshot, asked: Asked) -> EvaluationsPage:
    """Every evaluation that this reader may see."""
    shown_, count = known.held.page(asked.reader, asked.page, kind="evaluation")
    return EvaluationsPage(
        member=known.member, as_of=known.as_of, paged=paged(asked.page, count),
        evaluations=[_evaluation(one) for one in shown_],
    )


def evaluation(known: Snapshot, asked: Asked) -> EvaluationPage:
    """One evaluation.

    Raises:
        NotFound: none of this id that this reader may see.
    """
    found = known.held.find(asked.path["id"])
    if found is None or found.statement.kind != "evaluation" or not found.is_for(asked.reader, known.member):
        raise NotFound("no evaluation of this id is held here")
    said, subject = found.statement.predicate, found.statement.subject[0].digest
    about = [one for one in known.held.about(subject) if one.is_for(asked.reader, known.member)]
    others = [
        one for one in about
        if one.statement.kind == "evaluation" and one.statement.id != found.statement.id
        and one.statement.predicate.get("metric") == said.get("metric")
    ]  # fmt: skip
    plan, report = said.get("plan"), said.get("report")
    return EvaluationPage(
        member=known.member, as_of=known.as_of, row=_evaluation(found),
        threat={name: str(text) for name, text in (said.get("threat") or {}).items()}, flags=said.get("flags"),
        seed=str(said.get("seed", "")), plan=plan, environment=said.get("environment"),
        plan_address=address("/statements/{id}", id=plan) if plan and known.held.find(str(plan)) else None,
        others=[_evaluation(one) for one in others],
        opinions=[
            told(one) for one in about
            if one.statement.kind == "opinion" and one.statement.predicate.get("statement") == found.statement.id
        ],
        report=None if report is None else str(report.get("name")),
        commands=[f"watchword statement show {found.locator}", f"watchword ledger prove {found.locator} --tlog-proof"],
    )  # fmt: skip


def looks(known: Snapshot, _: Asked) -> LooksPage:
    """Who looked at what, newest first."""
    kept = Looks(known.node)
    found = kept.check()
    return LooksPage(
        member=known.member, as_of=known.as_of, count=found.count, anchored=found.anchored, at=found.at,
        wrong=list(found.wrong), commands=["watchword looks check", "watchword looks anchor"],
        looks=[
            LookRow(
                at=str(one["at"]), how=str(one["how"]), page=str(one["page"]),
                who=f"{one['person'] or 'somebody'} of {one['member'] or 'nobody known'}",
            )
            for one in kept.newest(CONSOLE_ROWS)
        ],
    )  # fmt: skip


def _evaluation(one: Any) -> EvaluationRow:
    statement: Statement = one.statement
    said, subject = statement.predicate, statement.subject[0]
    return EvaluationRow(
        told=told(one), release=subject.name, release_address=address("/releases/{digest}", digest=subject.digest),
        metric=str(said.get("metric", "(redacted)")), method=str(said.get("method", "(redacted)")),
        k=int(said.get("k", 0)), n=int(said.get("n", 0)), low=str(said.get("low", "")), high=str(said.get("high", "")),
    )  # fmt: skip

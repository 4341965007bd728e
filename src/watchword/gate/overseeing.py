"""What became of the probe plans of one gate, for its own member: begun, revealed, caught, missed, as it was drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from watchword.errors import WatchwordError
from watchword.gate.gate import Gate
from watchword.gate.mandate import parse_mandate
from watchword.gate.oversight import APPROVE
from watchword.gate.probes import BadPlan, Plan, check_shown, read_plan
from watchword.statements.statement import Statement
from watchword.statements.times import parse_time

if TYPE_CHECKING:
    from watchword.node import Node


class NotOver(WatchwordError):
    """A plan that is still at work: opened now, it would test nobody."""


@dataclass(frozen=True)
class PlanShown:
    """One plan. ``head``: from which its schedule is drawn, "" until it began. ``missed`` of the ``revealed``: holds
    that somebody approved. ``wrong``: what was shown and not drawn."""

    locator: str
    mandate: str
    head: str
    revealed: int
    missed: int
    wrong: tuple[str, ...]

    def told(self) -> list[str]:
        """For people."""
        if not self.head:
            state = "waits until a head is cosigned after it"
        else:
            caught = self.revealed - self.missed
            state = f"{self.revealed} revealed: {caught} caught, {self.missed} approved by somebody"
        wrong = (f"  wrong: {one}" for one in self.wrong)
        return [f"plan {self.locator} under mandate {self.mandate}: {state}", *wrong]

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        return {
            "head": self.head or None, "mandate": self.mandate, "missed": self.missed, "plan": self.locator,
            "revealed": self.revealed, "wrong": list(self.wrong),
        }  # fmt: skip


def plans_shown(gate: Gate) -> tuple[PlanShown, ...]:
    """The opened plans of *gate*, in the order of its ledger. What still waits is not told apart here either."""
    history, plans = gate.probes()
    return tuple(_shown(gate, one, history) for one in plans)


def opening(node: Node, statement: Statement, now: datetime) -> dict[str, Any]:
    """The object that a ``probe-plan`` statement commits to, once its mandate is over.

    Raises:
        NotOver: it is not.
        BadPlan: no such statement, or its opening is not held here.
    """
    if statement.kind != "probe-plan":
        raise BadPlan(f"this is no probe-plan but: {statement.kind[:40]}")
    mandate = parse_mandate(node.locate(statement.predicate["mandate"]).signed.statement.predicate["mandate"])
    if now < parse_time(mandate.valid_until):
        raise NotOver(
            f"mandate {mandate.name} is valid until {mandate.valid_until}: opened before, its probes would test nobody"
        )
    value = node.store.object(statement.predicate["plan"])
    read_plan(value, statement.id, (statement.issuer, None), f"probe plan {statement.id}")
    return dict(value)


def _shown(gate: Gate, plan: Plan, history: Any) -> PlanShown:
    node = gate.node
    start, head = history.scheduled.get(plan.id, (0, ""))
    holds = [held for held in history.holds.values() if held.mandate == plan.mandate and held.index > start]
    over = [held for held in holds if held.id in history.revealed and plan.is_probe(held.action)]
    name = parse_mandate(node.locate(plan.mandate).signed.statement.predicate["mandate"]).name
    missed = 0
    for held in over:
        answers = [node.locate(id).signed.statement.predicate["answer"] for id in held.approvals]
        missed += APPROVE in answers
    wrong = check_shown(plan, head, [held for held in holds if held.state != "waiting"]) if head else []
    return PlanShown(node.locate(plan.id).locator, name, head, len(over), missed, tuple(wrong))

"""What the people who answer at one gate did, read from its node, and what became of its probe plans.

For its own member; what allies are told is in ``oversight``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from watchword.errors import WatchwordError
from watchword.gate.gate import Gate
from watchword.gate.mandate import BadMandate, Mandate, parse_mandate
from watchword.gate.oversight import (
    APPROVE,
    CAUGHT_MIN,
    Traffic,
    elsewhere,
    figures,
    in_words,
    state_of,
    traffic,
)
from watchword.gate.probes import BadPlan, Plan, check_shown, read_plan
from watchword.gate.receipts import parse_receipt
from watchword.node import NotHere
from watchword.statements.statement import Statement
from watchword.statements.times import parse_time

if TYPE_CHECKING:
    from watchword.node import Node


class Mandates:
    """The mandates that a record names, as far as they are held."""

    def __init__(self, here: Node) -> None:
        self._here = here
        self._read: dict[str, Mandate | None] = {}
        self._caught: dict[str, str] = {}

    def of(self, id: str) -> Mandate | None:
        """The mandate of this id; None where it is not held, or is none."""
        if id not in self._read:
            self._read[id] = self._find(id)
        return self._read[id]

    def _find(self, id: str) -> Mandate | None:
        try:
            return parse_mandate(self._here.locate(id).signed.statement.predicate["mandate"])
        except (BadMandate, NotHere):
            return None

    def role(self, id: str, rule_id: str) -> str | None:
        """Whom a rule asks; and note what its mandate asks of that pool."""
        mandate = self.of(id)
        rule = next((one for one in mandate.rules if one.id == rule_id), None) if mandate else None
        if mandate is None or rule is None or rule.people is None:
            return None
        if mandate.probes is not None:
            self._caught[rule.people.role] = max(mandate.probes.caught_min, self._caught.get(rule.people.role, ""))
        return rule.people.role

    def caught_min(self, role: str) -> str:
        """What the strictest mandate asks of a pool."""
        return self._caught.get(role, CAUGHT_MIN)


def traffic_of(here: Node, mandates: Mandates) -> Traffic:
    """What the record of *here* says people did, and what its own people answered at other gates.

    Raises:
        BadReceipt, DamagedHome: the record is damaged.
    """
    statements = [one.statement for one in here.statements()]
    by_id = {one.id: one for one in statements}
    receipts = [
        parse_receipt(value, f"receipt {here.member}/record#{index}")
        for index, value in enumerate(here.record_events())
    ]
    found = traffic(receipts, by_id.get, mandates.role)
    return replace(found, given=(*found.given, *elsewhere(statements, here.member)))


def warnings(here: Node) -> list[str]:
    """The pools that fail their probes, in words; empty where nobody is tested.

    A warning changes nothing at the gate: how many people an action needs is what its mandate says, in a surge too.
    """
    if not any(one.statement.kind == "probe-plan" and one.statement.issuer == here.member for one in here.statements()):
        return []
    mandates = Mandates(here)
    pools = [one for one in figures(traffic_of(here, mandates), here.member, 1) if not one.of[1]]
    return [
        f"{pool.name} {in_words(pool.vigilance)}; its mandate asks for {mandates.caught_min(pool.of[0])}: relieve or "
        "train its people, or ask more of them with a new mandate"
        for pool in pools
        if pool.vigilance is not None and state_of(pool, mandates.caught_min(pool.of[0])) == "fail"
    ]


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
    wrong = check_shown(plan, head, holds) if head else []
    return PlanShown(node.locate(plan.id).locator, name, head, len(over), missed, tuple(wrong))

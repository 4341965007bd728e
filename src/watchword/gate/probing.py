"""The probes of one gate at work: which plans there are, what is due, what is over. Nothing is recorded here.

* A plan's statement counts for recognising probes as soon as it is held, in the view or not, and for showing any only
  while it is in the view, nothing fells its mandate, and its use is below the top criticality.
* A probe that was not shown within PROBE_LATE_S of its time is not shown at all; nor while PROBE_QUEUE_MAX actions
  wait: in a surge people have better to do. How many people an action needs never depends on any of this.
* After a restart the schedule is worked out again from the record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from watchword.charter.charter import KeyHolder
from watchword.gate.action import Action
from watchword.gate.approval import DoesNotCount
from watchword.gate.authority import Known, against
from watchword.gate.history import WAITING, Held, History
from watchword.gate.probes import CRITICALITY_TOP, BadPlan, Plan, beginning, read_plan, recognised
from watchword.limits import PROBE_LATE_S, PROBE_QUEUE_MAX
from watchword.statements.times import unix

if TYPE_CHECKING:
    from watchword.node import Node


@dataclass(frozen=True)
class Due:
    """A probe to be shown now, with what the screen says of its values."""

    action: Action
    plan: Plan
    screen: tuple[str, ...]


class Probing:
    """What one gate knows of probes. For one thread at a time."""

    def __init__(self) -> None:
        self._read: Known | None = None
        self.plans: tuple[Plan, ...] = ()
        self._unopened: dict[str, str] = {}
        self._history: History | None = None
        self._seen = 0
        self._places: dict[str, int] = {}
        self._waiting: dict[str, list[tuple[int, int, Held]]] = {}
        self._shown: dict[str, Plan] = {}

    def look(self, node: Node, known: Known, history: History) -> None:
        """Take in the plans held in *node*, and what *history* says was held since.

        Args:
            known: what is held now. A plan is read anew when this differs: it shows nothing before it is in the view.
        """
        if self._read is not known:
            self._plans(node)
            self._read = known
        if history is not self._history:
            self._history, self._seen = history, 0
            self._places, self._waiting, self._shown = {}, {}, {}
        if self.plans and self._seen < len(history.holds):
            for held in islice(history.holds.values(), self._seen, None):
                self._take(held, history)
            self._seen = len(history.holds)

    def check(self, action: Action, mandate: str | None) -> None:
        """Check that *action* may be let go; see ``recognised``."""
        recognised(self.plans, self._unopened, action, mandate)

    def is_probe(self, hold: str) -> bool:
        """Whether a hold is a probe."""
        return hold in self._shown

    def check_planner(self, hold: str, holder: KeyHolder) -> None:
        """Check that the one who answers is not the one who planned it.

        Raises:
            DoesNotCount: he is.
        """
        plan = self._shown.get(hold)
        if plan is not None and plan.planner == (holder.owner, holder.person):
            raise DoesNotCount(f"approval by {holder.person} of {holder.owner}: planned what this hold is part of")

    def beginnings(self, known: Known, history: History, own: list[str]) -> Iterator[tuple[Plan, str]]:
        """The plans that begin now, each with the head that its schedule is drawn from."""
        for plan in self.plans:
            fact = known.by_id.get(plan.id)
            if plan.id not in history.scheduled and fact is not None:
                head = beginning(known.view, fact.signed.statement.made, own)
                if head is not None:
                    yield plan, head

    def due(self, known: Known, history: History, now: datetime) -> Iterator[Due]:
        """The probes to be shown now."""
        now_s = unix_of(now)
        for plan in self.plans:
            drawn = self._waiting.get(plan.id, [])
            while drawn and drawn[0][0] <= now_s:
                due_s, which, like = drawn.pop(0)
                busy = sum(1 for _ in islice(history.waiting(), PROBE_QUEUE_MAX)) >= PROBE_QUEUE_MAX
                if due_s + PROBE_LATE_S >= now_s and not busy and _may_test(known, plan, like, now):
                    yield Due(plan.probe(which, like, now), plan, tuple(plan.probes[which].screen))

    def over(self, history: History, needed: dict[str, int]) -> Iterator[tuple[Held, str]]:
        """The probes whose holds are over and that nobody was told of, each with what to tell.

        Args:
            needed: how many approvals would release each hold that waits.
        """
        for hold in self._shown:
            held = history.holds[hold]
            if hold in history.revealed:
                continue
            if held.state != WAITING or len(held.approvals) >= needed.get(hold, len(held.approvals) + 1):
                yield held, self.told_of(held)[0]

    def told_of(self, held: Held) -> tuple[str, ...]:
        """What is said of a probe that is over."""
        plan = self._shown[held.id]
        alike = (one.why for one in plan.probes if (one.tool, one.args) == (held.action.tool, held.action.args))
        return (f"vigilance probe of plan {plan.id}, never to be done: {next(alike, 'known bad')}",)

    def _plans(self, node: Node) -> None:
        plans, self._unopened = [], {}
        for origin, _, one in node.store.statements():
            statement = one.signed.statement
            # Whether or not it still has standing: what it showed before stays a probe.
            if statement.kind != "probe-plan" or not node.store.is_own(origin):
                continue
            mandate, person = statement.predicate["mandate"], one.holder.person if one.holder is not None else None
            value = node.store.object(statement.predicate["plan"])
            try:
                plan = read_plan(value, statement.id, (statement.issuer, person), f"probe plan {statement.id}")
            except BadPlan:
                self._unopened[mandate] = statement.id
            else:
                plans.append(plan)
                if plan.mandate != mandate:
                    self._unopened[mandate] = statement.id
        self.plans = tuple(plans)
        self._history = None  # what was taken in before is looked at again with these

    def _take(self, held: Held, history: History) -> None:
        for plan in self.plans:
            if plan.is_probe(held.action):
                self._shown[held.id] = plan
                self._strike(plan, held)
            elif held.mandate == plan.mandate and held.index > history.scheduled.get(plan.id, (held.index, ""))[0]:
                place = self._places.get(plan.id, 0)
                self._places[plan.id] = place + 1
                drawn = plan.draw(history.scheduled[plan.id][1], place)
                if drawn is not None:
                    listed = self._waiting.setdefault(plan.id, [])
                    listed.append((unix(held.asked) + drawn.delay_s, drawn.which, held))
                    listed.sort(key=lambda one: one[:2])

    def _strike(self, plan: Plan, held: Held) -> None:
        """What was shown is not due any more."""
        for one in self._waiting.get(plan.id, []):
            probe = plan.probes[one[1]]
            if (probe.tool, probe.args) == (held.action.tool, held.action.args) and one[0] <= unix(held.asked):
                self._waiting[plan.id].remove(one)
                return


def unix_of(now: datetime) -> int:
    """Whole seconds since 1970."""
    return int(now.timestamp())


def _may_test(known: Known, plan: Plan, like: Held, now: datetime) -> bool:
    """Whether the commander's authority to test people still stands, and the use is not of the top criticality."""
    ground = known.ground(plan.mandate)
    if ground.mandate is None or ground.mandate.probes is None or plan.id not in known.by_id:
        return False
    if ground.use_case is None or int(ground.use_case["criticality"]) >= CRITICALITY_TOP:
        return False
    return not against(known, ground, like.action.release, now)

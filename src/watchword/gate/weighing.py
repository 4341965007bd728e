"""Whether an action may go, by what is known and by what has happened: reasons against it, or a rule that covers it.

Follows docs/protocol.md, section 9. Pure. The numbers in the code are these:

1. the action is canonical and new: its bytes were never let go, and no equal one has an unknown outcome;
2. the clock is sound: not behind the record, not apart from the monotonic clock, not behind the asker by much;
3. the session is not stopped, and the mandate stands: in the view, by a person, valid now, not stopped, its admission
   neither fallen nor lapsed (``authority``);
4. a rule of it covers the action;
5. the view is fresh enough for that rule;
6. the rule's quota is not used up;
7. no caveat forbids this action (``restrictions``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from watchword.gate.action import Action
from watchword.gate.authority import Ground, Known, against, against_session, against_view, newest_mandate
from watchword.gate.history import History
from watchword.gate.mandate import Mandate, Rule, covering_rule, uncovered
from watchword.gate.restrictions import restricting
from watchword.limits import CLOCK_AHEAD_S_MAX, CLOCK_JUMP_S_MAX
from watchword.observe.steps import as_step
from watchword.statements.times import parse_time, rfc3339


@dataclass(frozen=True)
class Weighed:
    """An action under its mandate: ``reasons`` against it; where there are none, ``mandate`` and ``rule`` are set."""

    reasons: tuple[str, ...]
    ground: Ground
    mandate_id: str | None
    mandate: Mandate | None = None
    rule: Rule | None = None


@dataclass(frozen=True)
class Moment:
    """What an action is weighed by: all that is known, all that happened, and ``now`` with what is wrong with it.

    ``clock``: why the clock cannot be trusted; None when it can. ``member``: whose gate weighs.
    """

    known: Known
    history: History
    now: datetime
    clock: str | None
    member: str


@as_step("policy")
def weigh(
    at: Moment,
    action: Action,
    mandate_id: str | None,
    seen: Mapping[str, Any] | None,
    why_no_mandate: Callable[[str], str],
) -> Weighed:
    """Weigh *action* under a mandate, by default the newest of the gate's member.

    Args:
        seen: what the door knows of its arguments and their origins (``restrictions.seen_of``); None: nothing.
        why_no_mandate: says of a release's digest why there is no mandate; asked only then.
    """
    known = at.known
    mandate_id = mandate_id or newest_mandate(known, action.release, at.member)
    nothing = Weighed((), Ground(()), mandate_id)
    # 1
    gone = at.history.let_go.get(action.digest)
    if gone is not None:
        return replace(nothing, reasons=(f"this action was let go at {gone.time}; ask for a new one",))
    unknown = at.history.unknown_like(action)
    if unknown is not None:
        why = f"nobody knows whether {unknown}, which does the same, happened; reconcile it first"
        return replace(nothing, reasons=(why,))
    # 2
    clock = at.clock
    if clock is None and (parse_time(action.asked) - at.now).total_seconds() > CLOCK_AHEAD_S_MAX:
        clock = f"asked {action.asked}, after now; one of the clocks is wrong"
    if clock is not None:
        return replace(nothing, reasons=(clock,))
    # 3
    stopped = against_session(known, action.session)
    if stopped:
        return replace(nothing, reasons=tuple(stopped))
    if mandate_id is None:
        return replace(nothing, reasons=(why_no_mandate(action.release),))
    ground = known.ground(mandate_id)
    reasons = against(known, ground, action.release, at.now)
    weighed = replace(nothing, ground=ground, mandate=ground.mandate, reasons=tuple(reasons))
    if reasons or ground.mandate is None:
        return weighed
    # 4
    rule = covering_rule(ground.mandate, action)
    if rule is None:
        why = f"{uncovered(ground.mandate, action)}; {ground.who} signed mandate {ground.mandate.name}"
        return replace(weighed, reasons=(why,))
    reasons = against_rule(at, mandate_id, ground.mandate, rule)
    # 7
    reasons += restricting(ground.caveats, action, ground.use_case, seen)
    return replace(weighed, rule=rule, reasons=tuple(reasons))


def against_rule(at: Moment, mandate_id: str, mandate: Mandate, rule: Rule) -> list[str]:
    """Why *rule* lets nothing go now, whatever is asked; empty when it may."""
    # 5
    reasons = against_view(at.known, mandate, rule, at.now)
    # 6
    if rule.quota is not None:
        uses = at.history.uses(mandate_id, rule.id, int(at.now.timestamp()) - rule.quota.per_s)
        if uses >= rule.quota.count:
            reasons.append(f"quota of rule {rule.id} is used up: {uses} in {rule.quota.per_s} s")
    return reasons


def against_clock(history: History, now: datetime, apart_s: float) -> str | None:
    """Why the clock cannot be trusted; None when it can.

    Args:
        apart_s: by how much the wall clock ran ahead of the monotonic one since the gate was opened.
    """
    behind_s = history.latest_s - int(now.timestamp())
    if behind_s > 0:
        return f"the clock says {rfc3339(now)}, {behind_s} s before the last receipt; check it"
    if abs(apart_s) > CLOCK_JUMP_S_MAX:
        return f"the clock jumped by {apart_s:.0f} s since this gate was opened; check it and open the gate again"
    return None

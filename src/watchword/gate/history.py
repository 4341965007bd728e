"""What a gate's record says has happened: the one thing that holds, quotas and used approvals are known from.

Follows docs/protocol.md, section 9 ("Receipt"). Values in memory, made again from the record at every start.

* A receipt is applied after it is durable, in the order of the record, and never taken back.
* Two records that begin alike give histories that begin alike: no clock and no ledger is read here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from watchword.errors import WatchwordError
from watchword.gate.action import Action, recorded_action
from watchword.gate.receipts import LETTING_GO, ORIGIN, BadReceipt, Receipt, parse_receipt
from watchword.statements.times import unix

WAITING = "waiting"
"""The state of a hold before ``released``, ``refused`` or ``expired``."""


class BadRecord(WatchwordError):
    """A record that this gate cannot have written: nothing is decided on it."""


@dataclass
class Held:
    """An action that waits, or waited, for people. ``asked``: the time of its receipt, at place ``index``.

    ``passed``: answers that leave it to others. ``unclean``: what its receipt says of values without a clean origin,
    ``origins``: of the others; ``seen``: what the door knew of its arguments.
    """

    id: str
    action: Action
    mandate: str
    decision: str | None
    rule: str
    asked: str
    index: int
    state: str = WAITING
    approvals: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    unclean: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    seen: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class LetGo:
    """An action that was let go: by which receipt, when, and what came of it (None until it is known)."""

    action: Action
    index: int
    time: str
    outcome: str | None = None


class History:
    """The state of a gate after its record up to ``size``."""

    def __init__(self) -> None:
        self.size = 0
        self.latest_s = 0
        self.holds: dict[str, Held] = {}
        self.let_go: dict[str, LetGo] = {}
        self.used: dict[str, int] = {}
        self._uses: dict[tuple[str, str], list[int]] = {}
        self._unknown: dict[str, dict[str, None]] = {}
        self._waiting: dict[str, str] = {}
        self._held_as: dict[str, str] = {}
        self.scheduled: dict[str, tuple[int, str]] = {}
        self.revealed: set[str] = set()

    def apply(self, receipt: Receipt, action: Action | None = None) -> None:
        """Take in the receipt at place ``size``; *action* is its body, where that is parsed already.

        Raises:
            BadRecord: it does not follow from those before it.
        """
        index, at_s = self.size, unix(receipt.time)
        event, hold = receipt.event, self.holds.get(receipt.hold or "")
        if event == "held":
            self._hold(receipt, action or _action(receipt, index), index)
        elif event == "scheduled":
            self._scheduled(receipt, index)
        elif event == "revealed":
            self._revealed(receipt, index, hold)
        elif event in ("approved", "passed", "refused", "expired", "released"):
            if hold is None or hold.state != WAITING or hold.action.digest != receipt.action:
                raise BadRecord(f"receipt {index}: {event}, but no such hold waits")
            if event == "approved":
                hold.approvals += receipt.approvals
            elif event == "passed":
                hold.passed += receipt.approvals
            else:
                hold.state = event
                self._waiting.pop(hold.action.digest, None)
        if event in ("released", "refused", "approved", "passed", "endorsed", "stopped", "exercised"):
            self._use(receipt, index)
        if event in LETTING_GO:
            gone = action or (hold.action if hold is not None else _action(receipt, index))
            self._let_go(receipt, gone, index, at_s)
        if event in ("returned", "unknown"):
            self._outcome(receipt, index)
        # Only what a mandate's freshness bounds: anything else that a wrong clock dates ahead, a denial or an expiry,
        # would keep the gate shut until that day.
        if event in ("permitted", "held", "approved", "passed", "released"):
            self.latest_s = max(self.latest_s, at_s)
        self.size = index + 1

    def read(self, values: Iterable[dict[str, Any]], gate: str) -> bool:
        """Take in receipts of *gate* from its record, the first at place ``size``; whether one tells that it closed.

        Raises:
            BadReceipt, BadAction, BadRecord: see ``parse_receipt`` and ``apply``; or one is of another gate.
        """
        closed = False
        for value in values:
            where = f"receipt {gate}/record#{self.size}"
            receipt = parse_receipt(value, where, own=True)
            if receipt.gate != gate:
                raise BadRecord(f"{where}: is of the gate of {receipt.gate[:80]}")
            action = None if receipt.body is None else recorded_action(receipt.body)
            if action is not None and action.digest != receipt.action:
                raise BadReceipt(f"{where}: the action shown is not the one named")
            self.apply(receipt, action)
            closed = closed or receipt.event in ("stopped", "exercised")
        return closed

    def waiting(self) -> Iterator[Held]:
        """The holds that wait, oldest first."""
        return (self.holds[id] for id in self._waiting.values())

    def hold_of(self, action: str) -> Held | None:
        """The newest hold of the action of this digest, whether it still waits or not."""
        return self.holds.get(self._held_as.get(action, ""))

    def waiting_for(self, action: str) -> Held | None:
        """The hold that waits for the action of this digest."""
        return self.holds.get(self._waiting.get(action, ""))

    def uses(self, mandate: str, rule: str, since_s: int) -> int:
        """How many actions were let go under a rule after *since_s* (seconds since 1970)."""
        times = self._uses.get((mandate, rule), [])
        return len(times) - bisect_right(times, since_s)

    def unknown_like(self, action: Action) -> str | None:
        """The digest of an action that does the same as *action*, and of which nobody knows whether it happened."""
        return next(iter(self._unknown.get(action.effect, ())), None) if self._unknown else None

    def _hold(self, receipt: Receipt, action: Action, index: int) -> None:
        if not receipt.hold or receipt.hold in self.holds or not receipt.mandate or not receipt.rule:
            raise BadRecord(f"receipt {index}: a hold without a name, a mandate or a rule of its own")
        self.holds[receipt.hold] = Held(
            receipt.hold,
            action,
            receipt.mandate,
            receipt.decision,
            receipt.rule,
            receipt.time,
            index,
            unclean=receipt.unclean,
            origins=tuple(one.removeprefix(ORIGIN) for one in receipt.reasons[1:] if one.startswith(ORIGIN)),
            seen=receipt.seen,
        )
        self._waiting[action.digest] = self._held_as[action.digest] = receipt.hold

    def _scheduled(self, receipt: Receipt, index: int) -> None:
        """A plan of vigilance probes begins: its statement's id, then the head that its schedule is drawn from."""
        if len(receipt.reasons) != 2 or receipt.reasons[0] in self.scheduled:
            raise BadRecord(f"receipt {index}: a plan of probes that does not begin here")
        self.scheduled[receipt.reasons[0]] = index, receipt.reasons[1]

    def _revealed(self, receipt: Receipt, index: int, hold: Held | None) -> None:
        """A hold was a probe. Where it still waited it does no more, and was never let go."""
        if hold is None or hold.id in self.revealed or hold.state == "released":
            raise BadRecord(f"receipt {index}: reveals a hold that was none, or was told before")
        self.revealed.add(hold.id)
        if hold.state == WAITING:
            hold.state = "revealed"
            self._waiting.pop(hold.action.digest, None)

    def _use(self, receipt: Receipt, index: int) -> None:
        """An approval is taken once, and used by one release; what closes the gate is told once."""
        for id in receipt.approvals:
            before = self.used.get(id)
            if receipt.event == "released":
                if before is None or id not in self.holds[receipt.hold or ""].approvals:
                    raise BadRecord(f"receipt {index}: uses approval {id}, which was not given for this hold")
            elif before is not None:
                raise BadRecord(f"receipt {index}: {id} was taken before, by receipt {before}")
            self.used[id] = index

    def _let_go(self, receipt: Receipt, action: Action, index: int, at_s: int) -> None:
        if action.digest in self.let_go:
            raise BadRecord(f"receipt {index}: lets an action go twice")
        self.let_go[action.digest] = LetGo(action, index, receipt.time)
        self._uses.setdefault((receipt.mandate or "", receipt.rule or ""), []).append(max(at_s, self.latest_s))

    def _outcome(self, receipt: Receipt, index: int) -> None:
        gone = self.let_go.get(receipt.action or "")
        if gone is None or gone.outcome == "returned":
            raise BadRecord(f"receipt {index}: {receipt.event}, of an action that is not under way")
        self.let_go[gone.action.digest] = LetGo(gone.action, gone.index, gone.time, receipt.event)
        alike = self._unknown.setdefault(gone.action.effect, {})
        if receipt.event == "unknown":
            alike[gone.action.digest] = None
        else:
            alike.pop(gone.action.digest, None)
        if not alike:
            del self._unknown[gone.action.effect]

    def unknowns(self) -> list[str]:
        """The digests of all actions of which nobody knows whether they happened, sorted."""
        return sorted(digest for alike in self._unknown.values() for digest in alike)


def _action(receipt: Receipt, index: int) -> Action:
    if receipt.body is None:
        raise BadRecord(f"receipt {index}: {receipt.event}, without its action")
    return recorded_action(receipt.body)

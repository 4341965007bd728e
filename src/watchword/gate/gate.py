"""The gate: between a system and the world, and nothing passes that is not in the record first.

Follows docs/protocol.md, section 9. The numbers in ``_weigh`` and ``_against_rule`` are these:

1. the action is canonical and new: its bytes were never let go, and no equal one has an unknown outcome;
2. the clock is sound: not behind the record, not apart from the monotonic clock, not behind the asker by much;
3. the mandate stands: in the view, by a person, valid now, not stopped, its admission not fallen (``authority``);
4. a rule of it covers the action;
5. the view is fresh enough for that rule;
6. the rule's quota is not used up;
7. no caveat forbids this action (``restrictions``). What the session said of a held action is known until a restart.

* Then: permitted, or held for people when the rule asks for approvals. At ``release`` everything is weighed again.
* A receipt is durable before an answer is given. Where it cannot be, the answer is to deny.
* One process decides for a node at a time: a gate works on a ``Node`` opened for writing, whose lock it thereby holds.
  Bad news needs no lock: what any process took in counts from the next question on.
* State is what the record says (``history``), made again at every start.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from watchword.errors import WatchwordError
from watchword.gate import authority
from watchword.gate.action import Action, parse_action, shown_json
from watchword.gate.answer import Answer, Hold, clean_reason
from watchword.gate.approval import DoesNotCount, check_approval, check_endorsement, holder_of
from watchword.gate.authority import Ground, Known, against, against_view, newest_mandate, stop_of
from watchword.gate.history import WAITING, BadRecord, Held, History
from watchword.gate.mandate import Mandate, Rule, covering_rule, uncovered
from watchword.gate.receipts import parse_receipt
from watchword.gate.request import Request
from watchword.gate.restrictions import restricting
from watchword.gate.session import Verdict, decided
from watchword.ledger.view import Fact, View
from watchword.limits import CLOCK_AHEAD_S_MAX, CLOCK_JUMP_S_MAX, HOLDS_WAITING_MAX
from watchword.statements.digests import is_digest
from watchword.statements.kinds import ANY_CHANNEL
from watchword.statements.statement import Signed, open_envelope
from watchword.statements.times import Clock, parse_time, rfc3339

if TYPE_CHECKING:
    from watchword.node import Node

REASONS_MAX = 32
"""Reasons in one receipt. Origin: a fifth of it is more than a person reads."""

VIEW_KEPT_S = 10
"""Seconds for which a view is kept when nothing on disk changed."""


class NoSuchHold(WatchwordError):
    """A hold that this gate does not know, or that no longer waits."""


@dataclass(frozen=True)
class _Weighed:
    """An action under its mandate: ``reasons`` against it; where there are none, ``mandate`` and ``rule`` are set."""

    reasons: tuple[str, ...]
    ground: Ground
    mandate_id: str | None
    mandate: Mandate | None = None
    rule: Rule | None = None


class Gate:
    """The gate of one member's node. Any thread may call its methods; they take turns.

    Raises:
        BadRecord, BadReceipt, DamagedHome: the record is damaged; nothing is decided on it.
        NotHere: the node was opened for reading only.
    """

    def __init__(self, node: Node, clock: Clock | None = None) -> None:
        if not node.writing:
            raise NoSuchHold(f"the gate of {node.member} needs its node opened for writing")
        self.node = node
        self.clock = clock or node.clock
        self.name = node.member
        self._turn = threading.RLock()
        self._history = History()
        self._origins: dict[str, Verdict | None] = {}
        self._cached: tuple[Any, Known] | None = None
        self._viewed: tuple[Any, View] | None = None
        self._started = self.clock.now(), self.clock.monotonic()
        self._catch_up()

    # -- asking -----------------------------------------------------------------------------------

    def ask(self, data: bytes, mandate_id: str | None = None, provenance: Verdict | None = None) -> Answer:
        """Decide on an action: permitted, denied or held. Never raises for what is asked; trouble denies.

        Args:
            data: the action as JSON (see ``action.parse_action``).
            mandate_id: the mandate it is asked under; by default the newest in the view for its release.
            provenance: what the session says of its values' origins; None where the door sees none. It only restricts.
        """
        with self._turn:
            action: Action | None = None
            try:
                action = parse_action(data)
                now = self._begin()
                waiting = self._history.waiting_for(action.digest)
                if waiting is not None:
                    return self._still_held(waiting)
                event, reasons, weighed = self._judge(action, mandate_id, now, provenance)
                if event == "denied":
                    return self._deny(action, reasons, weighed)
                if event == "permitted":
                    return self._record("permitted", reasons, now, action=action, weighed=weighed)
                return self._hold(action, weighed, reasons, now, provenance)
            except WatchwordError as error:
                return self._deny(action, _reasons_of(error))

    def preview(self, data: bytes, mandate_id: str | None = None, provenance: Verdict | None = None) -> Answer:
        """What ``ask`` would answer, without a receipt: nothing is released or held by it, and nothing used up."""
        with self._turn:
            action: Action | None = None
            try:
                action = parse_action(data)
                self._catch_up()
                event, reasons, weighed = self._judge(action, mandate_id, self.clock.now(), provenance)
            except WatchwordError as error:
                return Answer("denied", self.name, _reasons_of(error), action)
            rule = None if weighed.rule is None else weighed.rule.id
            return Answer(event, self.name, reasons, action, mandate=weighed.mandate_id, rule=rule)

    def _judge(
        self, action: Action, mandate_id: str | None, now: datetime, provenance: Verdict | None
    ) -> tuple[str, tuple[str, ...], _Weighed]:
        """What is to be answered, ``denied``, ``permitted`` or ``held``, and why."""
        weighed = self._weigh(action, mandate_id, now, provenance)
        if weighed.reasons or weighed.rule is None:
            return "denied", weighed.reasons, weighed
        return *decided(weighed.rule, provenance), weighed

    def _hold(
        self, action: Action, weighed: _Weighed, reasons: tuple[str, ...], now: datetime, provenance: Verdict | None
    ) -> Answer:
        if sum(1 for _ in self._history.waiting()) >= HOLDS_WAITING_MAX:
            return self._deny(action, (f"{HOLDS_WAITING_MAX:,} actions wait for people already",), weighed)
        hold = secrets.token_hex(4)
        while hold in self._history.holds:
            hold = secrets.token_hex(4)
        answer = self._record("held", reasons, now, action=action, weighed=weighed, hold=hold)
        self._origins[hold] = provenance
        hold_s = 0 if weighed.rule is None else weighed.rule.hold_s
        return replace(answer, asked=rfc3339(now), expires=rfc3339(now + timedelta(seconds=hold_s)))

    def _still_held(self, held: Held) -> Answer:
        request = self._request(held)
        return Answer(
            "held", self.name, ("it waits for people already",), held.action, held.id, held.mandate, held.rule,
            held.asked, None if request is None else request.expires, held.index,
        )  # fmt: skip

    # -- people -----------------------------------------------------------------------------------

    def holds(self) -> tuple[Hold, ...]:
        """The actions that wait for people now, oldest first."""
        with self._turn:
            self._catch_up()
            now = self.clock.now()
            pairs = [(held, self._request(held)) for held in self._history.waiting()]
            return tuple(
                self._shown(held, request)
                for held, request in pairs
                if request is not None and now <= parse_time(request.expires)
            )

    def hold_request(self, hold: str) -> bytes:
        """A held action as a file that another member's approver takes to his own node.

        Raises:
            NoSuchHold: it does not wait, or its mandate is not held any more.
        """
        with self._turn:
            self._catch_up()
            return self._requested(self._waiting(hold)).encode()

    def approve(self, envelope: bytes) -> Answer:
        """Take in a person's answer to a held action; durable when this returns.

        An approval is counted; the action goes only by ``release``. A refusal ends the hold.

        Raises:
            DoesNotCount: it does not count, or was taken before; nothing was recorded.
            NoSuchHold: what it is about does not wait here.
            BadEnvelope, BadStatement, StorageTrouble: malformed; the disk.
        """
        with self._turn:
            now = self._begin()
            clock = self._against_clock(now)
            if clock is not None:
                raise DoesNotCount(clock)
            signed = open_envelope(envelope)
            if signed.statement.kind != "approval":
                raise DoesNotCount(f"a {signed.statement.kind[:40]} is no approval")
            if signed.statement.id in self._history.used:
                raise DoesNotCount("this approval was taken before", "one approval counts once")
            held = self._waiting(signed.statement.predicate["hold"])
            request = self._requested(held)
            rule = self._rule(held)
            fact = check_approval(self._known(), request, rule, signed, now, self._bad_news())
            who = f"{fact.holder.person} of {fact.holder.owner}"
            refuses = signed.statement.predicate["answer"] == "refuse"
            given, _ = self._approvals(held, request, rule, now)
            if not refuses and any(one.holder.operator == fact.holder.operator for one in given):
                raise DoesNotCount(f"approval by {who}: operator {fact.holder.operator} has approved already")
            self.node.append_envelope(signed.envelope)
            there = len(given) + 1
            text = f"{there} of {request.needs.count} operators have approved; last {who}"
            if there >= request.needs.count:
                text += "; it can be released"
            reasons = (f"refused by {who}",) if refuses else (text,)
            answer = self._record(
                "refused" if refuses else "approved", reasons, now,
                held=held, approvals=(signed.statement.id,),
            )  # fmt: skip
            return replace(answer, asked=held.asked, expires=request.expires)

    def release(self, hold: str) -> Answer:
        """Weigh a held action again, with the approvals it has, and let it go: once, ever.

        The answer carries ``action_bytes`` only after its receipt is durable. Where the process dies in between, the
        action was let go and never executed; it is not let go again.

        Raises:
            NoSuchHold: no such hold, or it does not wait any more.
        """
        with self._turn:
            held: Held | None = None
            try:
                now = self._begin()
                held = self._waiting(hold)
                request = self._requested(held)
                weighed = self._weigh(held.action, held.mandate, now, self._origins.get(hold))
                if weighed.reasons or weighed.rule is None:
                    return self._deny(held.action, weighed.reasons, held=held)
                if weighed.rule.id != held.rule:
                    return self._deny(held.action, (f"another rule covers it now: {weighed.rule.id}",), held=held)
                given, fallen = self._approvals(held, request, weighed.rule, now)
                needed = request.needs.count
                if len({one.holder.operator for one in given}) < needed:
                    reasons = (f"{len(given)} of {needed} operators have approved", *fallen)
                    return Answer(
                        "held", self.name, reasons, held.action, held.id, held.mandate, held.rule,
                        held.asked, request.expires, held.index,
                    )  # fmt: skip
                by = ", ".join(f"{one.holder.person} of {one.holder.owner}" for one in given)
                ids = tuple(one.signed.statement.id for one in given)
                return self._record("released", (f"approved by {by}",), now, held=held, approvals=ids)
            except NoSuchHold:
                raise
            except WatchwordError as error:
                return self._deny(None if held is None else held.action, _reasons_of(error), held=held)

    def outcome(self, action: str, outcome: Literal["returned", "unknown"]) -> Answer:
        """Record what became of an action that was let go: it returned, or nobody knows.

        While an outcome is unknown, no action of the same effect is let go; ``returned`` reconciles it.

        Args:
            action: the action's digest.

        Raises:
            NoSuchHold: it was never let go, or its outcome is known.
        """
        with self._turn:
            self._catch_up()
            gone = self._history.let_go.get(action)
            if gone is None:
                raise NoSuchHold(f"action {action[:80]}: was never let go here")
            if outcome not in ("returned", "unknown") or gone.outcome in ("returned", outcome):
                raise NoSuchHold(f"action {action}: its outcome is recorded already, {gone.outcome}")
            return self._record(outcome, (), self.clock.now(), action=gone.action)

    def endorse(self, envelope: bytes, session: str, argument: str, value: Any) -> Answer:
        """Take in that a person vouches for one value in one session; durable when this returns.

        Raises:
            DoesNotCount: see ``check_endorsement``; or it was taken before. BadEnvelope, BadStatement, StorageTrouble.
        """
        with self._turn:
            now, signed = self._begin(), open_envelope(envelope)
            if signed.statement.id in self._history.used:
                raise DoesNotCount("this endorsement was taken before", "one endorsement counts once")
            who = check_endorsement(self._known(), self.name, signed, session, argument, value, now, self._bad_news())
            self.node.append_envelope(signed.envelope)
            reasons = (f"{who} vouches for {argument} = {shown_json(value)} in session {session}",)
            return self._record("endorsed", reasons, now, approvals=(signed.statement.id,))

    def stop(self, envelope: bytes) -> Answer:
        """Void every mandate made until a ``stop`` was, before the next action; durable when this returns.

        Raises:
            DoesNotCount: not a stop, or its signer may not. BadEnvelope, BadStatement, StorageTrouble.
        """
        with self._turn:
            self._catch_up()
            signed = open_envelope(envelope)
            stop = stop_of(signed, holder_of(self.node.charter, signed, "stop"))
            self.node.append_envelope(signed.envelope)
            what = "everything" if stop.releases is None else f"release {', '.join(sorted(stop.releases))}"
            reasons = (f"{what} is stopped by {stop.issuer}: {stop.reason}", f"by statement {stop.id}")
            return self._record("stopped", reasons, self.clock.now())

    def status(self) -> dict[str, Any]:
        """What is in force, what waits, what is stopped, how old the view is, and what would be denied and why."""
        with self._turn:
            self._catch_up()
            now, known = self.clock.now(), self._known()
            age_s, oldest = authority.view_age_s(known, now)
            mandates = [self._mandate_shown(known, id, now) for id in known.mandates]
            everything = {"id", "issuer", "reason"}
            return {
                "clock": self._against_clock(now),
                "gate": self.name,
                "holds": [hold.value() for hold in self.holds()],
                "mandates": mandates,
                "now": rfc3339(now),
                "receipts": self._history.size,
                "schema": "watchword-gate-status/1",
                "stops": [
                    {name: getattr(stop, name) for name in everything}
                    | {"made": rfc3339(stop.made), "releases": sorted(stop.releases) if stop.releases else "all"}
                    for stop in known.stops
                ],
                "unknown": self._history.unknowns(),
                "view": {"age_s": age_s, "oldest": oldest},
            }

    # -- weighing ---------------------------------------------------------------------------------

    def _weigh(self, action: Action, mandate_id: str | None, now: datetime, origins: Verdict | None) -> _Weighed:
        known = self._known()
        mandate_id = mandate_id or newest_mandate(known, action.release, self.name)
        nothing = _Weighed((), Ground(()), mandate_id)
        # 1
        gone = self._history.let_go.get(action.digest)
        if gone is not None:
            return replace(nothing, reasons=(f"this action was let go at {gone.time}; ask for a new one",))
        unknown = self._history.unknown_like(action)
        if unknown is not None:
            why = f"nobody knows whether {unknown}, which does the same, happened; reconcile it first"
            return replace(nothing, reasons=(why,))
        # 2
        clock = self._against_clock(now)
        if clock is None and (parse_time(action.asked) - now).total_seconds() > CLOCK_AHEAD_S_MAX:
            clock = f"asked {action.asked}, after now; one of the clocks is wrong"
        if clock is not None:
            return replace(nothing, reasons=(clock,))
        # 3
        if mandate_id is None:
            return replace(nothing, reasons=(self._no_mandate(action.release),))
        ground = known.ground(mandate_id)
        reasons = against(known, ground, action.release, now)
        weighed = replace(nothing, ground=ground, mandate=ground.mandate, reasons=tuple(reasons))
        if reasons or ground.mandate is None:
            return weighed
        # 4
        rule = covering_rule(ground.mandate, action)
        if rule is None:
            why = f"{uncovered(ground.mandate, action)}; {ground.who} signed mandate {ground.mandate.name}"
            return replace(weighed, reasons=(why,))
        reasons = self._against_rule(known, mandate_id, ground.mandate, rule, now)
        # 7
        reasons += restricting(ground.caveats, action, ground.use_case, origins)
        return replace(weighed, rule=rule, reasons=tuple(reasons))

    def _no_mandate(self, release: str) -> str:
        """Why no mandate of this member's is found: none was signed, or it waits for cosignatures."""
        for origin, index, held in self.node.store.statements():
            statement = held.signed.statement
            if statement.kind == "mandate" and statement.issuer == self.name and statement.is_about(release):
                where = self.node.locator(origin, index)
                return f"no mandate is in the view: {where} waits for cosignatures; exchange with the other members"
        return f"no mandate for release {release} by {self.name} is in the view; a commander can sign one"

    def _against_rule(self, known: Known, mandate_id: str, mandate: Mandate, rule: Rule, now: datetime) -> list[str]:
        # 5
        reasons = against_view(known, mandate, rule, now)
        # 6
        if rule.quota is not None:
            uses = self._history.uses(mandate_id, rule.id, int(now.timestamp()) - rule.quota.per_s)
            if uses >= rule.quota.count:
                reasons.append(f"quota of rule {rule.id} is used up: {uses} in {rule.quota.per_s} s")
        return reasons

    def _against_clock(self, now: datetime) -> str | None:
        """Why the clock cannot be trusted; None when it can."""
        behind_s = self._history.latest_s - int(now.timestamp())
        if behind_s > 0:
            return f"the clock says {rfc3339(now)}, {behind_s} s before the last receipt; check it"
        wall, monotonic = self._started
        apart_s = (now - wall).total_seconds() - (self.clock.monotonic() - monotonic)
        if abs(apart_s) > CLOCK_JUMP_S_MAX:
            return f"the clock jumped by {apart_s:.0f} s since this gate was opened; check it and open the gate again"
        return None

    def _approvals(self, held: Held, request: Request, rule: Rule, now: datetime) -> tuple[list[Fact], list[str]]:
        """The approvals of a hold that count now, one per operator, and why others that were taken do not."""
        known, bad_news = self._known(), self._bad_news() if held.approvals else []
        given: dict[str, Fact] = {}
        fallen: list[str] = []
        for id in held.approvals:
            try:
                fact = check_approval(known, request, rule, self.node.locate(id).signed, now, bad_news)
            except WatchwordError as error:
                fallen.append(error.message)
            else:
                given.setdefault(fact.holder.operator, fact)
        return list(given.values()), fallen

    def _known(self) -> Known:
        """All that is held now. Read again when anything on disk changed; what follows from it, when it differs."""
        stamp = self.node.stamp()
        view = self._view()
        if self._cached is not None and self._cached[0] == (view.digest, stamp):
            return self._cached[1]
        facts = self.node.facts(view)
        holders = self.node.charter.holders
        stops = tuple(stop_of(signed, holders[signed.key_id]) for signed in self.node.stops())
        known = self._cached[1] if self._cached is not None else None
        if known is None or (known.view.digest, known.facts, known.stops) != (view.digest, facts, stops):
            known = Known(self.node.charter, view, facts, stops, authority.use_cases(facts, self.node.store.object))
        self._cached = (view.digest, stamp), known
        return known

    def _bad_news(self) -> list[Signed]:
        everything = (*self.node.loose(), *self.node.statements())
        return [signed for signed in everything if signed.statement.kind in ANY_CHANNEL]

    def _view(self) -> View:
        # A cosignature from the future counts once its time has come: so the clock is part of what is asked.
        stamp = _stamp(self.node.home / "cosigned"), int(self.clock.now().timestamp()) // VIEW_KEPT_S
        if self._viewed is None or self._viewed[0] != stamp:
            self._viewed = stamp, self.node.latest_view()
        return self._viewed[1]

    # -- holds ------------------------------------------------------------------------------------

    def _waiting(self, hold: str) -> Held:
        held = self._history.holds.get(hold)
        if held is None:
            raise NoSuchHold(f"{hold[:80]!r}: no such hold at the gate of {self.name}")
        if held.state != WAITING:
            raise NoSuchHold(f"hold {hold} waits no more: it was {held.state}")
        return held

    def _request(self, held: Held) -> Request | None:
        """What an approver of *held* is shown; None while its mandate is not held."""
        mandate = self._known().ground(held.mandate).mandate
        rule = None if mandate is None else next((rule for rule in mandate.rules if rule.id == held.rule), None)
        if mandate is None or rule is None or rule.people is None:
            return None
        expires = rfc3339(parse_time(held.asked) + timedelta(seconds=rule.hold_s))
        return Request(
            held.action, self.name, held.id, held.mandate, mandate.name, rule.id, rule.people, held.asked, expires,
            held.unclean,
        )  # fmt: skip

    def _requested(self, held: Held) -> Request:
        request = self._request(held)
        if request is None:
            raise NoSuchHold(f"hold {held.id}: its mandate is not held here any more")
        return request

    def _rule(self, held: Held) -> Rule:
        mandate = self._known().ground(held.mandate).mandate
        for rule in () if mandate is None else mandate.rules:
            if rule.id == held.rule:
                return rule
        raise NoSuchHold(f"hold {held.id}: its mandate has no rule {held.rule}")

    def _shown(self, held: Held, request: Request) -> Hold:
        given, _ = self._approvals(held, request, self._rule(held), self.clock.now())
        by = tuple(f"{one.holder.person} of {one.holder.owner}" for one in given)
        needs = request.needs
        return Hold(
            held.id, held.action, held.mandate, request.mandate_name, held.rule, held.asked, request.expires,
            needs.count, needs.role, by,
        )  # fmt: skip

    def _mandate_shown(self, known: Known, id: str, now: datetime) -> dict[str, Any]:
        ground = known.ground(id)
        mandate = ground.mandate
        rules: dict[str, list[str]] = {}
        if mandate is not None:
            for rule in mandate.rules:
                reasons = self._against_rule(known, id, mandate, rule, now)
                rules[rule.id] = [clean_reason(reason) for reason in reasons]
        return {
            "against": [clean_reason(reason) for reason in against(known, ground, ground.release or "", now)],
            "by": ground.who,
            "id": id,
            "name": None if mandate is None else mandate.name,
            "release": ground.release,
            "rules": rules,
            "valid_until": None if mandate is None else mandate.valid_until,
        }

    # -- the record -------------------------------------------------------------------------------

    def _begin(self) -> datetime:
        """Catch up with the record and end what has expired; the moment of what follows."""
        self._catch_up()
        now = self.clock.now()
        if self._against_clock(now) is None:
            for held in list(self._history.waiting()):
                request = self._request(held)
                if request is not None and now > parse_time(request.expires):
                    self._record("expired", (f"nobody released it until {request.expires}",), now, held=held)
        return now

    def _catch_up(self) -> None:
        """Apply the receipts that the record has beyond what this gate knows."""
        for value in self.node.record_events(self._history.size):
            where = f"receipt {self.name}/record#{self._history.size}"
            receipt = parse_receipt(value, where)
            if receipt.gate != self.name:
                raise BadRecord(f"{where}: is of the gate of {receipt.gate[:80]}")
            self._history.apply(receipt)

    def _deny(
        self, action: Action | None, reasons: Sequence[str], weighed: _Weighed | None = None, held: Held | None = None
    ) -> Answer:
        """Deny, with a receipt where that can be: a denial holds without one."""
        try:
            return self._record("denied", reasons, self.clock.now(), action=action, weighed=weighed, held=held)
        except WatchwordError as error:
            told = tuple(clean_reason(reason) for reason in (*reasons, f"no receipt: {error.message}"))
            return Answer("denied", self.name, told, action, None if held is None else held.id)

    def _record(
        self,
        event: str,
        reasons: Sequence[str],
        now: datetime,
        *,
        action: Action | None = None,
        weighed: _Weighed | None = None,
        held: Held | None = None,
        hold: str | None = None,
        approvals: tuple[str, ...] = (),
    ) -> Answer:
        """Make one receipt durable, then know it, then answer."""
        about = held.action if held is not None else action
        mandate_id = held.mandate if held is not None else weighed.mandate_id if weighed else None
        rule = held.rule if held is not None else weighed.rule.id if weighed and weighed.rule else None
        decision = weighed.mandate.decision if weighed and weighed.mandate else held.decision if held else None
        value = {
            "action": None if about is None else about.digest,
            "approvals": list(approvals),
            "body": None if about is None else about.value,
            "decision": decision,
            "event": event,
            "format": "watchword-receipt/1",
            "gate": self.name,
            "hold": held.id if held is not None else hold,
            "mandate": mandate_id if is_digest(mandate_id) else None,
            "reasons": [clean_reason(reason) for reason in reasons[:REASONS_MAX]],
            "rule": rule,
            "time": rfc3339(now),
        }
        receipt = parse_receipt(value, "receipt", own=True)
        with self.node.mutex:
            # Another gate over the same open node decided meanwhile: what was weighed here may no longer hold.
            if self.node.record.size != self._history.size:
                raise BadRecord(f"the record of {self.name} grew while this was weighed", "ask again")
            index = self.node.append_record([value]).start
        self._history.apply(receipt, about)
        released = event in ("permitted", "released") and about is not None
        return Answer(
            event, self.name, tuple(receipt.reasons), about, receipt.hold, receipt.mandate, rule,
            receipt=index, recorded=value,
            action_bytes=about.bytes if about is not None and released else None,
        )  # fmt: skip


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes whenever a file in *folder* was replaced."""
    with os.scandir(folder) as entries:
        return tuple(sorted((one.name, one.inode(), one.stat().st_mtime_ns) for one in entries))


def _reasons_of(error: WatchwordError) -> tuple[str, ...]:
    return (error.message, error.hint) if error.hint else (error.message,)

"""The gate: between a system and the world, and nothing passes that is not in the record first.

Follows docs/protocol.md, section 9. What is known is in ``knowing``, what speaks against an action in ``weighing``,
what people are asked in ``holding``; this asks them in turn, and records.

* An action is permitted, or held for people when the rule asks for approvals. At ``release`` everything is weighed
  again, with what the door knew of the action when it was held.
* What closes the gate, a stop or a recall, gets a receipt when it is first met: it says how long it took to get here.
* A receipt is durable before an answer is given. Where it cannot be, the answer is to deny. Those who ask at once
  share one sync (``recording``).
* One process decides for a node at a time: a gate works on a ``Node`` opened for writing, whose lock it thereby holds;
  or several do, each on a ``Node`` opened for reading, where the record is shared (``together``). Bad news needs no
  lock: what any process took in counts from the next question on.
* State is what the record says (``history``), made again at every start.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

from watchword.errors import WatchwordError
from watchword.gate import holding
from watchword.gate.action import Action, parse_action, shown_json
from watchword.gate.answer import Answer, Hold, clean_reason
from watchword.gate.approval import DoesNotCount, TakenBefore, check_approval, check_endorsement, holder_of
from watchword.gate.authority import Known, stop_of
from watchword.gate.closing import Closing, closings, newly_closed, told_stop
from watchword.gate.desk import Desk
from watchword.gate.history import WAITING, BadRecord, Held, History
from watchword.gate.holding import Followed, Given, NoSuchHold, shown_hold, waiting_hold
from watchword.gate.knowing import Knowledge
from watchword.gate.mandate import Rule
from watchword.gate.probes import Plan
from watchword.gate.probing import Probing
from watchword.gate.receipts import LETTING_GO, ORIGIN, parse_receipt, receipt_value
from watchword.gate.recording import Recorder
from watchword.gate.request import Request
from watchword.gate.restrictions import seen_of
from watchword.gate.session import Verdict, decided
from watchword.gate.state import state_shown
from watchword.gate.together import Together
from watchword.gate.weighing import Moment, Weighed, against_clock, weigh
from watchword.limits import HOLDS_WAITING_MAX
from watchword.node.sharing import shared_record
from watchword.observe.steps import as_step
from watchword.statements.dsse import BadEnvelope
from watchword.statements.statement import BadStatement, Signed, open_envelope
from watchword.statements.times import Clock, parse_time, rfc3339

if TYPE_CHECKING:
    from watchword.node import Node


class Gate:
    """The gate of one member's node. Any thread may call its methods; they take turns.

    Raises:
        BadRecord, BadReceipt, DamagedHome: the record is damaged; nothing is decided on it.
        NoSuchHold: the node was opened for reading only, and its record is its own.
    """

    def __init__(self, node: Node, clock: Clock | None = None) -> None:
        self.node, self.name = node, node.member
        self.clock = clock or node.clock
        self._turn = threading.RLock()
        self._history = History()
        shared = shared_record(node)
        if shared is None and not node.writing:
            raise NoSuchHold(f"the gate of {node.member} needs its node opened for writing")
        self._recorder: Recorder | Together = (
            Recorder(node, self._turn) if shared is None else Together(node, self._turn, shared, self._look_ahead)
        )
        self._taking = threading.Lock()
        self._knowledge = Knowledge(node, self.clock)
        self._met: Known | None = None
        self._owed: dict[str, Literal["returned", "unknown"]] = {}
        self._probing = Probing()
        self._unpaged: list[Answer] = []
        self._started = self.clock.now(), self.clock.monotonic()
        try:
            self._catch_up()
        except BaseException:
            self.close()
            raise

    def move(self, node: Node) -> None:
        """Go on over the same home, opened anew: what was worked out is kept, what others wrote is caught up with.

        Raises:
            BadRecord: it is another home.
        """
        with self._turn:
            if node.home != self.node.home:
                raise BadRecord(f"{node.home}: not the home of this gate")
            self.node = self._knowledge.node = self._recorder.node = node
            self._catch_up()

    def close(self) -> None:
        """Let go of what the gate itself opened; the node is its owner's."""
        self._recorder.close()

    def known(self) -> Known:
        """All that is held now; the same object while nothing that it rests on differs."""
        with self._turn:
            return self._knowledge.known()

    def probes(self) -> tuple[History, tuple[Plan, ...]]:
        """What happened so far, and the plans of vigilance probes that are opened here; for its own member."""
        with self._deciding():
            self._begin()
        return self._history, self._probing.plans

    # -- asking -----------------------------------------------------------------------------------

    @as_step("decision", attrgetter("event"))
    def ask(
        self, data: bytes, mandate_id: str | None = None, provenance: Verdict | None = None, *, holds: bool = True
    ) -> Answer:
        """Decide on an action: permitted, denied or held. Never raises for what is asked; trouble denies.

        Args:
            data: the action as JSON (see ``action.parse_action``).
            mandate_id: the mandate it is asked under; by default the newest in the view for its release.
            provenance: what the session says of its values' origins; None where the door sees none. It only restricts.
            holds: whether what people have to look at is held for them; else that is told and leaves no receipt.
        """
        action: Action | None = None
        try:
            action = asked = parse_action(data)
            at_s = time.perf_counter()
            answer = self._recorder.decided(lambda: self._ask(asked, at_s, mandate_id, provenance, holds))
            while self._unpaged:
                self._on_page(self._unpaged.pop())
            return self._on_page(answer) if answer.hold is not None else answer
        except WatchwordError as error:
            return self._denied(action, error)

    def _ask(
        self, action: Action, asked_s: float, mandate_id: str | None, provenance: Verdict | None, holds: bool
    ) -> Answer:
        now = self._begin(asked_s)
        waiting = self._history.waiting_for(action.digest)
        if waiting is not None:
            return self._still_held(waiting)
        event, reasons, weighed = self._judge(action, mandate_id, now, provenance, self._met)
        if event == "held":
            if not holds:
                return Answer(event, self.name, reasons, action)
            return self._hold(action, weighed, reasons, now, provenance)
        return self._record(event, reasons, now, action=action, weighed=weighed)

    def preview(self, data: bytes, mandate_id: str | None = None, provenance: Verdict | None = None) -> Answer:
        """What ``ask`` would answer, without a receipt: nothing is released or held by it, and nothing used up."""
        with self._turn:
            action: Action | None = None
            try:
                action = parse_action(data)
                event, reasons, weighed = self._judge(action, mandate_id, self._catch_up(), provenance)
            except WatchwordError as error:
                return Answer("denied", self.name, _reasons_of(error), action)
            rule = None if weighed.rule is None else weighed.rule.id
            return Answer(event, self.name, reasons, action, mandate=weighed.mandate_id, rule=rule)

    @as_step("decision", attrgetter("event"))
    def ask_in_shadow(self, data: bytes, mandate_id: str | None = None, provenance: Verdict | None = None) -> Answer:
        """What ``ask`` would answer, with a receipt ``shadow`` that says so; nothing is released, held or used up.

        Where no receipt can be made the answer says that as well: a shadow blocks nothing.
        """
        answer = self.preview(data, mandate_id, provenance)
        told, action, mandate, rule = (answer.event, *answer.reasons), answer.action, answer.mandate, answer.rule
        try:
            recorded = self._recorder.decided(
                lambda: self._record("shadow", told, self._catch_up(), action=action, mandate=mandate, rule=rule)
            )
        except WatchwordError as error:
            return replace(answer, reasons=(*answer.reasons, f"no receipt: {error.message}"))
        return replace(answer, receipt=recorded.receipt, recorded=recorded.recorded)

    def _judge(
        self, action: Action, mandate_id: str | None, now: datetime, provenance: Verdict | None,
        known: Known | None = None,
    ) -> tuple[str, tuple[str, ...], Weighed]:
        """What is to be answered, ``denied``, ``permitted`` or ``held``, and why; *known*: where just looked at."""
        seen = seen_of(action, provenance)
        weighed = weigh(self._moment(now, known), action, mandate_id, seen, self._knowledge.why_no_mandate)
        if weighed.reasons or weighed.rule is None:
            return "denied", weighed.reasons, weighed
        return *decided(weighed.rule, provenance), weighed

    def _moment(self, now: datetime, known: Known | None = None) -> Moment:
        return Moment(known or self._knowledge.known(), self._history, now, self._against_clock(now), self.name)

    def _hold(
        self, action: Action, weighed: Weighed, reasons: tuple[str, ...], now: datetime, provenance: Verdict | None
    ) -> Answer:
        if sum(1 for _ in self._history.waiting()) >= HOLDS_WAITING_MAX:
            full = f"{HOLDS_WAITING_MAX:,} actions wait for people already"
            return self._record("denied", (full,), now, action=action, weighed=weighed)
        hold = secrets.token_hex(4)
        while hold in self._history.holds:
            hold = secrets.token_hex(4)
        origins = () if provenance is None else tuple(ORIGIN + one for one in provenance.origins())
        seen = seen_of(action, provenance)
        told = (*reasons, *origins)
        answer = self._record("held", told, now, action=action, weighed=weighed, hold=hold, seen=seen)
        hold_s = 0 if weighed.rule is None else weighed.rule.hold_s
        return replace(answer, asked=rfc3339(now), expires=rfc3339(now + timedelta(seconds=hold_s)))

    def _still_held(self, held: Held) -> Answer:
        return holding.still_held(self.name, held, self._request(held), ("it waits for people already",))

    # -- people -----------------------------------------------------------------------------------

    def holds(self) -> tuple[Hold, ...]:
        """The actions that wait for people now, oldest first."""
        self.take_answers()
        with self._turn:
            now, known = self._catch_up(), self._knowledge.known()
            pairs = [(held, self._request(held)) for held in self._history.waiting()]
            return tuple(
                shown_hold(held, request, self._given(held, request, holding.rule_of(known, held), now))
                for held, request in pairs
                if request is not None and now <= parse_time(request.expires)
            )

    def followed(self, action: str) -> Followed | None:
        """What became of the newest hold of the action of this digest; None where it never waited here."""
        self.take_answers()
        with self._deciding():
            now = self._begin()
            held = self._history.hold_of(action)
            if held is None:
                return None
            known, request = self._knowledge.known(), self._request(held)
            if request is None:
                return Followed(held.id, held.action, held.state, None, 0, 0)
            waits = held.state == WAITING
            given = self._given(held, request, holding.rule_of(known, held), now).facts if waits else ()
            return Followed(held.id, held.action, held.state, request.expires, len(given), request.needs.count)

    def hold_request(self, hold: str) -> bytes:
        """A held action as a file that another member's approver takes to his own node.

        Raises:
            NoSuchHold: it does not wait, or its mandate is not held any more.
        """
        with self._turn:
            self._catch_up()
            self._requested(held := self._waiting(hold))
            request = self._shown(held)
            return b"" if request is None else request.encode()

    def take_answers(self) -> tuple[Answer, ...]:
        """Take in what approvers of this member answered on its page; what does not count is kept there, with why.

        Raises:
            StorageTrouble: the disk; an answer that was not taken for it lies there still.
        """
        if not self._taking.acquire(blocking=False):
            return ()  # another thread is at it
        try:
            desk = Desk(self.node)
            with self._turn:
                self._catch_up()
                waiting = [self._shown(held) for held in self._history.waiting()]
            desk.show_only(one for one in waiting if one is not None)
            taken = []
            for path, envelope in desk.answers():
                try:
                    taken.append(self.approve(envelope))
                except TakenBefore:  # and killed before it was put away
                    path.unlink(missing_ok=True)
                except (DoesNotCount, NoSuchHold, BadEnvelope, BadStatement) as error:
                    desk.not_taken(path, error.message)
                else:
                    path.unlink(missing_ok=True)
            return tuple(taken)
        finally:
            self._taking.release()

    def approve(self, envelope: bytes) -> Answer:
        """Take in a person's answer to a held action; durable when this returns.

        An approval is counted; the action goes only by ``release``. A refusal ends the hold, what its signer leaves to
        others does not.

        Raises:
            DoesNotCount: it does not count, or was taken before; nothing was recorded.
            NoSuchHold: what it is about does not wait here.
            BadEnvelope, BadStatement, StorageTrouble: malformed; the disk.
        """
        with self._deciding():
            now = self._begin()
            clock = self._against_clock(now)
            if clock is not None:
                raise DoesNotCount(clock)
            signed = open_envelope(envelope)
            if signed.statement.kind != "approval":
                raise DoesNotCount(f"a {signed.statement.kind[:40]} is no approval")
            if signed.statement.id in self._history.used:
                raise TakenBefore("this approval was taken before", "one approval counts once")
            held = self._waiting(signed.statement.predicate["hold"])
            request, known = self._requested(held), self._knowledge.known()
            rule = holding.rule_of(known, held)
            fact = check_approval(known, request, rule, signed, now, self._knowledge.bad_news())
            self._probing.check_planner(held.id, fact.holder)
            who = f"{fact.holder.person} of {fact.holder.owner}"
            holding.check_second(held, signed, self._found)
            given = self._given(held, request, rule, now).facts
            event, reason = holding.answered(signed, request, who, len(given) + 1)
            if event == "approved" and any(one.holder.operator == fact.holder.operator for one in given):
                raise DoesNotCount(f"approval by {who}: operator {fact.holder.operator} has approved already")
            self._recorder.file(signed)
            answer = self._record(event, (reason,), now, held=held, approvals=(signed.statement.id,))
            self._probe(known, now)
            told = self._probing.told_of(held) if held.id in self._history.revealed else ()
            answer = replace(answer, asked=held.asked, expires=request.expires, reasons=(*answer.reasons, *told))
        return self._on_page(answer)

    @as_step("decision", attrgetter("event"))
    def release(self, hold: str) -> Answer:
        """Weigh a held action again, with the approvals it has, and let it go: once, ever.

        The answer carries ``action_bytes`` only after its receipt is durable. Where the process dies in between, the
        action was let go and never executed; it is not let go again.

        Raises:
            NoSuchHold: no such hold, or it does not wait any more.
        """
        held: Held | None = None
        try:
            self.take_answers()
            with self._deciding():
                now = self._begin()
                held = self._waiting(hold)
                answer = self._release(held, now)
            return answer if answer.event == "held" else self._on_page(answer)
        except NoSuchHold:
            raise
        except WatchwordError as error:
            return self._denied(None if held is None else held.action, error, held)

    def _release(self, held: Held, now: datetime) -> Answer:
        request = self._requested(held)
        weighed = weigh(self._moment(now), held.action, held.mandate, held.seen, self._knowledge.why_no_mandate)
        if weighed.reasons or weighed.rule is None:
            return self._record("denied", weighed.reasons, now, held=held)
        if weighed.rule.id != held.rule:
            return self._record("denied", (f"another rule covers it now: {weighed.rule.id}",), now, held=held)
        given, needed = self._given(held, request, weighed.rule, now), request.needs.count
        if len({one.holder.operator for one in given.facts}) < needed:
            reasons = (f"{len(given.facts)} of {needed} operators have approved", *given.fallen)
            return holding.still_held(self.name, held, request, reasons)
        ids = tuple(one.signed.statement.id for one in given.facts)
        self._probing.check(held.action, held.mandate)
        return self._record("released", (f"approved by {', '.join(given.by)}",), now, held=held, approvals=ids)

    def under_way(self) -> tuple[Action, ...]:
        """The actions that were let go and of which no outcome is recorded yet, oldest first."""
        with self._turn:
            self._catch_up()
            return tuple(gone.action for gone in self._history.let_go.values() if gone.outcome is None)

    def outcome(self, action: str, outcome: Literal["returned", "unknown"]) -> Answer:
        """Record what became of an action that was let go: it returned, or nobody knows.

        While an outcome is unknown, no action of the same effect is let go; ``returned`` reconciles it.

        Args:
            action: the action's digest.

        Raises:
            NoSuchHold: it was never let go, or its outcome is known.
            StorageTrouble: the disk; nothing more is let go before it is recorded.
        """
        try:
            return self._recorder.decided(lambda: self._outcome(action, outcome))
        except NoSuchHold:
            raise
        except WatchwordError:
            self._owed[action] = outcome
            raise

    def _outcome(self, action: str, outcome: str) -> Answer:
        now, gone = self._catch_up(), self._history.let_go.get(action)
        if gone is None:
            raise NoSuchHold(f"action {action[:80]}: was never let go here")
        if outcome not in ("returned", "unknown") or gone.outcome in ("returned", outcome):
            raise NoSuchHold(f"action {action}: its outcome is recorded already, {gone.outcome}")
        return self._record(outcome, (), now, action=gone.action)

    def endorse(self, envelope: bytes, session: str, argument: str, value: Any) -> Answer:
        """Take in that a person vouches for one value in one session; durable when this returns.

        Raises:
            DoesNotCount: see ``check_endorsement``; or it was taken before. BadEnvelope, BadStatement, StorageTrouble.
        """
        with self._deciding():
            now, signed = self._begin(), open_envelope(envelope)
            if signed.statement.id in self._history.used:
                raise DoesNotCount("this endorsement was taken before", "one endorsement counts once")
            known, bad_news = self._knowledge.known(), self._knowledge.bad_news()
            who = check_endorsement(known, self.name, signed, session, argument, value, now, bad_news)
            self._recorder.file(signed)
            reasons = (f"{who} vouches for {argument} = {shown_json(value)} in session {session}",)
            return self._record("endorsed", reasons, now, approvals=(signed.statement.id,))

    def stop(self, envelope: bytes) -> Answer:
        """Void every mandate made until a ``stop`` was, before the next action; durable when this returns.

        Raises:
            DoesNotCount: not a stop, or its signer may not. BadEnvelope, BadStatement, StorageTrouble.
        """
        with self._deciding():
            now, signed = self._catch_up(), open_envelope(envelope)
            stop = stop_of(signed, holder_of(self.node.charter, signed, "stop"))
            self._recorder.file(signed)
            self._knowledge.look_again()
            before = self._history.used.get(stop.id)
            if before is not None:
                return Answer("stopped", self.name, told_stop(stop, now)[:2], receipt=before)
            return self._record("stopped", told_stop(stop, now), now, approvals=(stop.id,))

    def stops(self) -> tuple[Closing, ...]:
        """The stops and recalls that this gate met, newest first, with what they did here."""
        with self._deciding():
            self._begin()
            known = self._knowledge.known()
            receipts = self._recorder.receipts()
        return closings(known, receipts, self.node.charter)

    def status(self) -> dict[str, Any]:
        """What is in force, what waits, what is stopped, how old the view is, and what would be denied and why."""
        with self._turn:
            return state_shown(self._moment(self._catch_up()), self.holds())

    # -- holds and the clock ----------------------------------------------------------------------

    def _waiting(self, hold: str) -> Held:
        return waiting_hold(self._history, hold, self.name)

    def _request(self, held: Held) -> Request | None:
        return holding.request_of(self._knowledge.known(), held, self.name)

    def _requested(self, held: Held) -> Request:
        return holding.requested(self._knowledge.known(), held, self.name)

    def _shown(self, held: Held) -> Request | None:
        request = self._request(held)
        return None if request is None else replace(request, answered=holding.answers_of(held, self._found))

    def _on_page(self, answer: Answer) -> Answer:
        """Show what waits, as it stands now, on the approval page; where that fails, it is shown at the next look."""
        try:
            with self._turn:
                held = self._history.holds.get(answer.hold or "")
                request = None if held is None or held.state != WAITING else self._shown(held)
            if request is not None:
                Desk(self.node).show(request)
            elif held is not None:
                Desk(self.node).hide(self.name, held.id)
        except WatchwordError as error:
            return replace(answer, reasons=(*answer.reasons, f"not on the approval page yet: {error.message}"))
        return answer

    def _given(self, held: Held, request: Request, rule: Rule, now: datetime) -> Given:
        known, bad_news = self._knowledge.known(), self._knowledge.bad_news() if held.approvals else []
        return holding.approvals(known, held, request, rule, now, bad_news, self._found)

    def _found(self, id: str) -> Signed:
        return self._recorder.found(id)

    def _against_clock(self, now: datetime) -> str | None:
        wall, monotonic = self._started
        apart_s = (now - wall).total_seconds() - (self.clock.monotonic() - monotonic)
        return against_clock(self._history, now, apart_s)

    # -- the record -------------------------------------------------------------------------------

    def _begin(self, asked_s: float | None = None) -> datetime:
        """Catch up with the record and end what has expired; the moment of what follows, asked for at *asked_s*."""
        now = self._catch_up()
        for action, outcome in self._owed.items():
            gone = self._history.let_go.get(action)
            if gone is not None and gone.outcome is None:
                self._record(outcome, ("recorded late: the disk did not take it",), now, action=gone.action)
        if self._against_clock(now) is None:
            for held in list(self._history.waiting()):
                request = self._request(held)
                if request is not None and now > parse_time(request.expires):
                    self._record("expired", (f"nobody released it until {request.expires}",), now, held=held)
        known = self._knowledge.known(asked_s)
        if known is not self._met:
            for event, id, reasons in newly_closed(known, self.name, now, self._history.used):
                self._record(event, reasons, now, approvals=(id,))
            self._met = known
        self._probe(known, now)
        return now

    def _probe(self, known: Known, now: datetime) -> None:
        """Tell of the probes that are over, begin plans, and show what is due (``probing``)."""
        probing, history = self._probing, self._history
        probing.look(self.node, known, history)
        if not probing.plans or self._against_clock(now) is not None:
            return
        needed = {held.id: request.needs.count for held in history.waiting() if (request := self._request(held))}
        for held, told in list(probing.over(history, needed)):
            self._record("revealed", (told,), now, held=held)
        for plan, head in list(probing.beginnings(known, history, list(self.node.me.origins.values()))):
            self._record("scheduled", (plan.id, head), now)
        for due in list(probing.due(known, history, now)):
            event, reasons, weighed = self._judge(due.action, due.plan.mandate, now, None)
            if event == "held":
                self._unpaged.append(self._hold(due.action, weighed, (*reasons, *due.screen), now, None))
        probing.look(self.node, known, history)

    def _deciding(self) -> AbstractContextManager[None]:
        return self._recorder.deciding()

    def _catch_up(self) -> datetime:
        """Apply the receipts that the record has beyond what this gate knows; the moment of what follows."""
        if self._recorder.lost:
            self._recorder.forget()
            self._history, self._met = History(), None
        news = self._recorder.size() > self._history.size or not self._history.size
        if news and self._history.read(self._recorder.receipts(self._history.size), self.name):
            self._knowledge.look_again()
        return self.clock.now()

    def _look_ahead(self) -> None:
        """Work out what is held before the turn at a shared record is taken: others wait in it."""
        known = self._knowledge.known()
        if known is not self._met:
            list(newly_closed(known, self.name, self.clock.now(), self._history.used))

    def _denied(self, action: Action | None, error: WatchwordError, held: Held | None = None) -> Answer:
        """Deny because of trouble, with a receipt where that can be: a denial holds without one."""
        reasons = _reasons_of(error)
        try:
            return self._recorder.decided(
                lambda: self._record("denied", reasons, self._catch_up(), action=action, held=held)
            )
        except WatchwordError as again:
            told = tuple(clean_reason(reason) for reason in (*reasons, f"no receipt: {again.message}"))
            return Answer("denied", self.name, told, action, None if held is None else held.id)

    def _record(
        self,
        event: str,
        reasons: Sequence[str],
        now: datetime,
        *,
        action: Action | None = None,
        weighed: Weighed | None = None,
        held: Held | None = None,
        hold: str | None = None,
        approvals: tuple[str, ...] = (),
        seen: Mapping[str, Any] | None = None,
        mandate: str | None = None,
        rule: str | None = None,
    ) -> Answer:
        """Make one receipt, know it, and answer; it is durable, and the answer good, once the turn is left."""
        about = held.action if held is not None else action
        mandate_id = held.mandate if held is not None else weighed.mandate_id if weighed else mandate
        rule = held.rule if held is not None else weighed.rule.id if weighed and weighed.rule else rule
        decision = weighed.mandate.decision if weighed and weighed.mandate else held.decision if held else None
        value = receipt_value(
            event, self.name, now, reasons, about, held.id if held is not None else hold, mandate_id, rule, decision,
            approvals, seen,
        )  # fmt: skip
        receipt = parse_receipt(value, "receipt", own=True)
        if event in LETTING_GO and about is not None:
            # The last look, whatever was weighed before: a probe never goes.
            self._probing.check(about, mandate_id)
        index = self._history.size
        try:
            self._history.apply(receipt, about)
            self._recorder.add(value, index)
        except BaseException:
            self._recorder.lost = True
            raise
        released = event in ("permitted", "released") and about is not None
        return Answer(
            event, self.name, tuple(receipt.reasons), about, receipt.hold, receipt.mandate, rule,
            receipt=index, recorded=value,
            action_bytes=about.bytes if about is not None and released else None,
        )  # fmt: skip


def _reasons_of(error: WatchwordError) -> tuple[str, ...]:
    return (error.message, error.hint) if error.hint else (error.message,)

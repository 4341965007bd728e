"""The Python door: a program's own functions as tools that go through a gate.

Follows docs/protocol.md, section 9. The order of one call:

1. the session says where the values come from; the gate decides under its mandate, and its receipt is durable;
2. only then the function runs, with the arguments of exactly the bytes that were released, once;
3. what came back is labelled, and the outcome recorded: *returned*, or *unknown* when a function that does more than
   read raised: what it did until then nobody knows. It is not tried again until somebody reconciles it.

* What is held raises ``IsHeld`` with the hold's id; ``finish`` runs it after people approved, anything else raises.
* This door hears the person only if the program passes his words, and sees no call that goes around it: ``GUARANTEE``.
* In shadow the gate decides and nothing is blocked nor recorded as released: ``Shadow`` says what would have happened.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from watchword.errors import WatchwordError
from watchword.gate.action import new_action, parse_action
from watchword.gate.answer import Answer
from watchword.gate.gate import Gate
from watchword.gate.session import GUARANTEE as SESSION_GUARANTEE
from watchword.gate.session import Session, Verdict, json_value
from watchword.limits import SHADOW_LINES_MAX

SERVER = "python"
"""Under which a program's own functions have their cards."""

GUARANTEE = (
    f"{SESSION_GUARANTEE} This door sees the functions that the program registers with it, and the person's words "
    "where the program passes them; without any, everything after untrusted text is denied."
)


class Denied(WatchwordError):
    """A call that the gate denied. ``answer`` says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.told())
        self.answer = answer


class IsHeld(WatchwordError):
    """A call that waits for people. ``answer.hold`` names it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.told(), f"after people approved, finish({answer.hold!r})")
        self.answer = answer


@dataclass
class Shadow:
    """What would have happened: a count by verdict and tool, and the first calls that would not have gone."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)

    def take(self, tool: str, answer: Answer) -> None:
        """Count one call."""
        self.counts[answer.verdict, tool] += 1
        if answer.verdict != "permit" and len(self.lines) < SHADOW_LINES_MAX:
            self.lines.append(f"{answer.verdict} {tool}: {'; '.join(answer.reasons)}")

    def report(self) -> str:
        """The counts, then the calls that would have waited or been denied."""
        lines = [f"{count:6,}  {verdict:7} {tool}" for (verdict, tool), count in sorted(self.counts.items())]
        return "\n".join([f"{self.counts.total():,} calls in shadow: nothing was blocked", *lines, *self.lines])


@dataclass
class Door:
    """A program's tools behind *gate*, for one session of one release. Not for several threads at once.

    ``release``: the digest of the system that acts. ``mandate``: its mandate's id; by default the newest one.
    """

    gate: Gate
    session: Session
    release: str
    mandate: str | None = None
    shadow: Shadow | None = None
    _tools: dict[str, Callable[..., Any]] = field(default_factory=dict)

    def tool(self, function: Callable[..., Any], name: str | None = None) -> Callable[..., Any]:
        """Register *function* as the tool of its name; the one returned goes through the gate. Usable as a decorator.

        Only named arguments: each has its place in the card.
        """
        called = name or function.__name__
        self._tools[called] = function

        @functools.wraps(function)
        def gated(**args: Any) -> Any:
            return self.call(called, args)

        return gated

    def call(self, tool: str, args: Mapping[str, Any]) -> Any:
        """Ask, then run; what the function returned.

        Raises:
            Denied: the gate says no, or the receipt could not be made durable.
            IsHeld: people have to look first.
            BadAction: the arguments have no canonical form.
            KeyError: no such tool is registered.
        """
        self._tools[tool]
        action = new_action(tool, dict(args), self.release, self.session.id, self.gate.clock)
        verdict = self.session.judge(tool, action.args, SERVER)
        if self.shadow is not None:
            self.shadow.take(tool, self.gate.preview(action.bytes, self.mandate, verdict))
            return self._run(tool, action.args)
        return self._answered(self.gate.ask(action.bytes, self.mandate, verdict), verdict)

    def finish(self, hold: str) -> Any:
        """Run what was held, now that people approved; what the function returned.

        Raises:
            Denied, IsHeld: as ``call``. NoSuchHold: it does not wait.
        """
        return self._answered(self.gate.release(hold), None)

    def endorse(self, envelope: bytes, argument: str, value: Any) -> None:
        """Believe one value as *argument* for the rest of this session, because a person signed for it.

        Raises:
            DoesNotCount: he did not, or may not; nothing changes.
        """
        answer = self.gate.endorse(envelope, self.session.id, argument, value)
        self.session.endorse(answer.reasons[0], argument, value)

    def _answered(self, answer: Answer, verdict: Verdict | None) -> Any:
        if answer.verdict == "hold":
            raise IsHeld(answer)
        if answer.action_bytes is None:
            raise Denied(answer)
        action = parse_action(answer.action_bytes)
        card = self.session.card_of(action.tool, SERVER)
        outcome: Any = "returned" if card is not None and card.effect == "read" else "unknown"
        try:
            result = self._run(action.tool, action.args)
            outcome = "returned"
        finally:
            self.gate.outcome(action.digest, outcome)
        return result

    def _run(self, tool: str, args: Mapping[str, Any]) -> Any:
        self.session.going(tool, args, SERVER)
        try:
            result = self._tools[tool](**args)
        except Exception as error:
            # An error's text is what the tool says, and read by whoever called it.
            self.session.take_in(tool, args, SERVER, str(error))
            raise
        self.session.take_in(tool, args, SERVER, json_value(result))
        return result

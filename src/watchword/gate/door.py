"""The Python door: a program's own functions as tools that go through a gate.

Follows docs/protocol.md, section 9. The order of one call:

1. the session says where the values come from; the gate decides under its mandate, and its receipt is durable;
2. only then the function runs, with the arguments of exactly the bytes that were released, once;
3. what came back is labelled, and the outcome recorded: *returned*, or *unknown* when a function that does more than
   read raised: what it did until then nobody knows. It is not tried again until somebody reconciles it.

* What is held raises ``IsHeld`` with the hold's id. After people approved, ``finish`` runs it, or the same call again.
* This door hears the person only if the program passes his words, and sees no call that goes around it: ``GUARANTEE``.
* A secret in an argument stands in the action as a commitment (``hiding``). The function gets the value itself, which
  this door has in memory alone: what is held over a restart has to be called again.
* In shadow the gate decides and records, and nothing is blocked (``shadow``).
* A framework that runs tools itself asks with ``released`` and runs them ``under_way``: see ``gate.adapters``.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from watchword.errors import WatchwordError
from watchword.gate.action import Action, BadAction, new_action, parse_action
from watchword.gate.answer import Answer
from watchword.gate.gate import Gate
from watchword.gate.hiding import FORM, hidden, key_of
from watchword.gate.holding import NoSuchHold
from watchword.gate.provenance import leaves
from watchword.gate.request import parse_request
from watchword.gate.session import GUARANTEE as SESSION_GUARANTEE
from watchword.gate.session import Session, json_value
from watchword.gate.shadow import Shadow
from watchword.limits import ACTION_BYTES_MAX, HOLDS_WAITING_MAX
from watchword.statements.canonical import canonical, parse_json
from watchword.statements.digests import DJ

T = TypeVar("T")

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


class Forgotten(WatchwordError):
    """An action that was let go and cannot be run here: what it needs was in the memory of another process."""


class IsHeld(WatchwordError):
    """A call that waits for people. ``answer.hold`` names it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.told(), f"after people approved, finish({answer.hold!r}) or the same call again")
        self.answer = answer


@dataclass
class Door:
    """A program's tools behind *gate*, for one session of one release. Calls may run side by side.

    ``release``: the digest of the system that acts. ``mandate``: its mandate's id; by default the newest one.
    """

    gate: Gate
    session: Session
    release: str
    mandate: str | None = None
    shadow: Shadow | None = None
    _tools: dict[str, Callable[..., Any]] = field(default_factory=dict)
    _waiting: dict[str, str] = field(default_factory=dict)
    _clear: dict[str, dict[str, Any]] = field(default_factory=dict)
    _turn: threading.RLock = field(default_factory=threading.RLock)

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
            IsHeld: people have to look first; the same call made again goes once they approved.
            BadAction: the arguments have no canonical form.
            KeyError: no such tool is registered.
        """
        function = self._tools[tool]
        action = self.released(tool, args)
        with self.under_way(action) as returned:
            return returned(function(**self.arguments(action)))

    def finish(self, hold: str) -> Any:
        """Run what was held, now that people approved; what the function returned.

        Raises:
            Denied, IsHeld: as ``call``. NoSuchHold: it does not wait. Forgotten: see ``arguments``; it waits still.
        """
        self.arguments(parse_request(self.gate.hold_request(hold)).action)
        action = self._answered(self.gate.release(hold))
        with self.under_way(action) as returned:
            return returned(self._tools[action.tool](**self.arguments(action)))

    def released(self, tool: str, args: Mapping[str, Any]) -> Action:
        """Ask for one call; the action that is to run, exactly so and once. For who runs tools himself.

        Raises:
            Denied, IsHeld, BadAction: as ``call``.
        """
        with self._turn:
            clear = parse_json(canonical(dict(args)), f"arguments of {tool[:80]}", ACTION_BYTES_MAX)
            if _holds_hidden(clear):
                raise BadAction(f"arguments of {tool[:80]}: one has the form of a commitment, {FORM}…")
            shown = self._hidden(tool, clear)
            action = new_action(tool, shown, self.release, self.session.id, self.gate.clock)
            call = _call(action)
            if shown != clear:
                self._clear[call] = clear
            hold = None if self.shadow is not None else self._waiting.pop(call, None)
            if hold is not None:
                try:
                    return self._answered(self.gate.release(hold), call)
                except NoSuchHold:
                    pass  # refused, expired, or released by hand: it is asked anew
            verdict = self.session.judge(tool, clear, SERVER)
            if self.shadow is not None:
                self.shadow.take(tool, self.gate.ask_in_shadow(action.bytes, self.mandate, verdict))
                return action
            return self._answered(self.gate.ask(action.bytes, self.mandate, verdict), call)

    @contextmanager
    def under_way(self, action: Action) -> Iterator[Callable[[T], T]]:
        """Around the run of what was released: what comes back, given to the function that this yields, is labelled,
        and the outcome recorded."""
        tool, args = action.tool, self.arguments(action)
        card = self.session.card_of(tool, SERVER)
        reads = card is not None and card.effect == "read"
        outcome: Literal["returned", "unknown"] = "returned" if reads else "unknown"
        with self._turn:
            self.session.going(tool, args, SERVER)

        def returned(result: T) -> T:
            nonlocal outcome
            with self._turn:
                self.session.take_in(tool, args, SERVER, json_value(result))
            outcome = "returned"
            return result

        try:
            yield returned
        except Exception as error:
            # An error's text is what the tool says, and read by whoever called it.
            with self._turn:
                self.session.take_in(tool, args, SERVER, str(error))
            raise
        finally:
            self._clear.pop(_call(action), None)
            if self.shadow is None:
                self.gate.outcome(action.digest, outcome)

    def arguments(self, action: Action) -> dict[str, Any]:
        """The arguments to run a released action with, its secrets among them.

        Raises:
            Forgotten: it holds secrets, and this door was not the one that asked.
        """
        clear = self._clear.get(_call(action))
        if clear is None and _holds_hidden(action.args):
            raise Forgotten(f"action {action.digest}: its secrets are not known here any more", "make the call again")
        return action.args if clear is None else clear

    def _hidden(self, tool: str, args: Mapping[str, Any]) -> dict[str, Any]:
        provenance, card = self.session.provenance, self.session.card_of(tool, SERVER)
        if not provenance.secrets and (card is None or all(one.role != "secret" for one in card.args.values())):
            return dict(args)
        return hidden(tool, args, card, lambda text: provenance.secret_in(text) is not None, self._key)

    @functools.cached_property
    def _key(self) -> bytes:
        return key_of(self.gate.node.home)

    def endorse(self, envelope: bytes, argument: str, value: Any) -> None:
        """Believe one value as *argument* for the rest of this session, because a person signed for it.

        Raises:
            DoesNotCount: he did not, or may not; nothing changes.
        """
        with self._turn:
            answer = self.gate.endorse(envelope, self.session.id, argument, value)
            self.session.endorse(answer.reasons[0], argument, value)

    def _answered(self, answer: Answer, call: str | None = None) -> Action:
        if answer.verdict == "hold":
            if call is not None and answer.hold is not None and len(self._waiting) < HOLDS_WAITING_MAX:
                self._waiting[call] = answer.hold
            raise IsHeld(answer)
        if answer.action_bytes is None:
            if call is not None:
                self._clear.pop(call, None)
            raise Denied(answer)
        return parse_action(answer.action_bytes)


def _call(action: Action) -> str:
    return DJ({"args": action.args, "tool": action.tool})


def _holds_hidden(value: Any) -> bool:
    """Whether a commitment stands anywhere in *value*."""
    return any(isinstance(leaf, str) and leaf.startswith(FORM) for leaf in leaves(value))

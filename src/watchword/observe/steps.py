"""Steps: what a process does, told when it is done, with an outcome and a duration, to whoever watches.

Trace ids follow W3C Trace Context, level 1: one trace is everything that a request causes, here and at peers.

* Watchers are told of each step at its beginning and end, in the thread that takes it. A step taken within another is
  its child, in other threads too where these carry the context (thread pools of asyncio and anyio do).
* The facts of a step are numbers, or words of a small fixed set: a route's pattern, a status, a peer as ``node.toml``
  names it. What was asked, answered or held is no fact of a step, nor is a person, a release, an address or a token.
* Of trouble the class is told, and the message only where it is about the machine (``OSError``, ``about_machine``): a
  message may quote what somebody wrote. Where nobody watches, stderr has the message as ever.
* Where nobody watches, a step costs a look at an empty tuple.
"""

from __future__ import annotations

import functools
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Fact = str | int

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")
_CURRENT: ContextVar[Step | None] = ContextVar("watchword-step", default=None)


@dataclass(slots=True)
class Step:
    """One step. ``trace`` and ``id``: hexadecimal, as in a ``traceparent``. ``above``: the id of the step that caused
    it, at another node where ``parent`` is None. ``parts``: seconds that steps within it took in all, by name."""

    name: str
    facts: dict[str, Fact]
    parent: Step | None
    trace: str
    above: str
    id: str
    began: float
    outcome: str = ""
    error: str = ""
    took_s: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)
    span: Any = None


class Watcher:
    """Is told. ``speaks``: it writes troubles where people read them, so that stderr need not have them, too."""

    speaks = False

    def begin(self, step: Step) -> None:
        """*step* begins."""

    def end(self, step: Step) -> None:
        """*step* is done; ``outcome`` and ``took_s`` are set."""

    def trouble(self, kind: str, message: str, step: Step | None) -> None:
        """Something failed that an operator must know: its class, and what may be told of it."""

    def note(self, event: str, facts: dict[str, Fact], alarm: bool) -> None:
        """Something that happens once, such as where a process listens; *alarm*: somebody must act."""


_watchers: tuple[Watcher, ...] = ()


@contextmanager
def watching(*watchers: Watcher) -> Iterator[None]:
    """*watchers* are told of every step of this process meanwhile."""
    global _watchers
    before = _watchers
    _watchers = (*watchers, *before)
    try:
        yield
    finally:
        _watchers = before


@contextmanager
def step(name: str, *, caused_by: str = "", **facts: Fact) -> Iterator[Step]:
    """Around what is one step. Whoever takes it sets its ``outcome``; an exception makes it ``failed``.

    Args:
        caused_by: the ``traceparent`` that a request came with; one that is not well-formed counts as none.
    """
    watchers = _watchers
    this = _begun(name, caused_by, facts)
    for one in watchers:
        one.begin(this)
    token = _CURRENT.set(this)
    try:
        yield this
    except BaseException as error:
        this.outcome, this.error = this.outcome or "failed", type(error).__name__
        raise
    finally:
        _CURRENT.reset(token)
        this.took_s = time.perf_counter() - this.began
        if this.parent is not None:
            this.parent.parts[name] = this.parent.parts.get(name, 0.0) + this.took_s
        for one in watchers:
            one.end(this)


def as_step(name: str, outcome: Callable[[Any], str] | None = None) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Makes a function a step. *outcome*: of what it returned."""

    def made(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def told(*args: P.args, **named: P.kwargs) -> T:
            if not _watchers:
                return function(*args, **named)
            with step(name) as this:
                result = function(*args, **named)
                this.outcome = "done" if outcome is None else outcome(result)
                return result

        return told

    return made


def trouble(error: BaseException) -> None:
    """Something failed that this node's operator must know of; whoever asked is told no more than that."""
    kind, watchers = type(error).__name__, _watchers
    of_machine = isinstance(error, OSError) or getattr(error, "about_machine", False)
    for one in watchers:
        one.trouble(kind, one_line(str(error)) if of_machine else "", _CURRENT.get())
    if not any(one.speaks for one in watchers):
        print(f"watchword: error: {one_line(str(error))}", file=sys.stderr, flush=True)


def note(event: str, text: str, *, alarm: bool = False, **facts: Fact) -> None:
    """Something that happens once; *text* is for people, where nobody else tells it. *alarm*: somebody must act."""
    for one in _watchers:
        one.note(event, facts, alarm)
    if not any(one.speaks for one in _watchers):
        print(f"watchword: {text}", file=sys.stderr, flush=True)


def spoken() -> bool:
    """Whether somebody writes troubles where people read them."""
    return any(one.speaks for one in _watchers)


def watched() -> bool:
    """Whether anybody watches: asked by who would have to gather facts first."""
    return bool(_watchers)


def traceparent() -> str | None:
    """What a request to another node carries, so that what it causes there belongs to this trace."""
    now = _CURRENT.get()
    return None if now is None else f"00-{now.trace}-{now.id}-01"


def one_line(text: str) -> str:
    """*text* on one line, with control and direction characters shown as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _begun(name: str, caused_by: str, facts: dict[str, Fact]) -> Step:
    parent = _CURRENT.get()
    id, trace, above = os.urandom(8).hex(), "", ""
    if parent is not None:
        trace, above = parent.trace, parent.id
    elif caused_by and (read := _TRACEPARENT.fullmatch(caused_by)) and (len(caused_by) == 55 or caused_by[:2] != "00"):
        trace, above = read[1], read[2]
    return Step(name, facts, parent, trace or os.urandom(16).hex(), above, id, time.perf_counter())

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
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Fact = str | int

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Bounds of histograms of steps, in seconds: from a quick answer of the gate to the end of patience with a request."""

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_CURRENT: ContextVar[Step | None] = ContextVar("watchword-step", default=None)


class Step:
    """One step, to be taken once, by ``with``. Whoever takes it sets ``outcome``; an exception sets ``error``.

    ``trace``, ``id``: hexadecimal, as in a ``traceparent``. ``above``: the id of the step of another node that caused
    it. ``sampled``: whether its caller, or a sampler, wants it kept. ``parts``: seconds that steps within it took in
    all, by name. ``span``: of whoever makes spans of steps.
    """

    __slots__ = (
        "_id", "_token", "_watchers", "above", "began", "error", "facts", "name", "outcome", "parent", "parts",
        "sampled", "span", "took_s", "trace",
    )  # fmt: skip

    def __init__(self, name: str, facts: dict[str, Fact], caused_by: str = "") -> None:
        self.name, self.facts, self.outcome, self.error, self.took_s = name, facts, "", "", 0.0
        self.parts: dict[str, float] = {}
        self.span: Any = None
        parent = _CURRENT.get()
        self.parent: Step | None = parent
        self.trace: str
        self.sampled: bool
        self._id = self.above = ""
        if parent is not None:
            self.trace, self.sampled = parent.trace, parent.sampled
        elif caused_by and (read := _read(caused_by)) is not None:
            self.trace, self.above, self.sampled = read
        else:
            self.trace, self.sampled = os.urandom(16).hex(), True

    @property
    def id(self) -> str:
        """Its own id; made when somebody asks."""
        if not self._id:
            self._id = os.urandom(8).hex()
        return self._id

    @id.setter
    def id(self, id: str) -> None:
        self._id = id

    def __enter__(self) -> Step:
        self._watchers, self.began = _watchers, time.perf_counter()
        for one in self._watchers:
            one.begin(self)
        self._token = _CURRENT.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self.took_s = took_s = time.perf_counter() - self.began
        _CURRENT.reset(self._token)
        if kind is not None:
            self.outcome, self.error = self.outcome or "failed", kind.__name__
        if self.parent is not None:
            self.parent.parts[self.name] = self.parent.parts.get(self.name, 0.0) + took_s
        for one in self._watchers:
            one.end(self)


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


def step(name: str, *, caused_by: str = "", **facts: Fact) -> Step:
    """What is one step, to be taken by ``with``.

    Args:
        caused_by: the ``traceparent`` that a request came with; one that is not well-formed counts as none.
    """
    return Step(name, facts, caused_by)


def as_step(name: str, outcome: Callable[[Any], str] | None = None) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Makes a function a step. *outcome*: of what it returned."""

    def made(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def told(*args: P.args, **named: P.kwargs) -> T:
            if not _watchers:
                return function(*args, **named)
            with Step(name, {}) as this:
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
    return None if now is None else f"00-{now.trace}-{now.id}-{now.sampled:02x}"


def one_line(text: str) -> str:
    """*text* on one line, with control and direction characters shown as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _read(header: str) -> tuple[str, str, bool] | None:
    """Trace, parent's id and whether it is sampled, of a well-formed ``traceparent``."""
    read = _TRACEPARENT.fullmatch(header)
    if read is None or (len(header) != 55 and header[:2] == "00"):
        return None
    return read[1], read[2], bool(int(read[3], 16) & 1)

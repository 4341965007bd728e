"""A log of JSON lines on stderr: what was done, how it ended, how long it took; one object on each line.

    {"time": "2026-01-31T12:00:00.123Z", "level": "info", "event": "decision", "trace": "…", "outcome": "denied",
     "took_ms": 1.4, "policy_ms": 0.3, "receipt_ms": 0.9}

* One line for each step of ``LINES``; what it is made of is in it as ``…_ms``. Trouble is a line of its own.
* Python's ``logging`` with one formatter: another handler can be put on the logger ``watchword``.
* A line that cannot be written is lost, and nothing waits or fails for it.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import msgspec

from watchword.observe.steps import Fact, Step, Watcher, watching

LINES = frozenset({"request", "decision", "sync", "witness"})
"""Steps that get a line of their own; all others are parts of these."""

LOG = logging.getLogger("watchword")


class JsonLines(logging.Formatter):
    """A record as one JSON object in ASCII; ``facts`` of it beside what every line has."""

    _second = -1, ""

    def format(self, record: logging.LogRecord) -> str:
        second, whole = self._second
        if second != int(record.created):
            second, whole = int(record.created), time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            self._second = second, whole
        value: dict[str, Any] = {
            "time": f"{whole}.{int(record.msecs):03}Z", "level": record.levelname.lower(), "event": record.getMessage(),
        }  # fmt: skip
        value |= getattr(record, "facts", {})
        text = msgspec.json.encode(value).decode()
        return text if text.isascii() else json.dumps(value, separators=(",", ":"))


class Lines(Watcher):
    """Writes to the logger ``watchword``."""

    speaks = True

    def end(self, step: Step) -> None:
        if step.name not in LINES:
            return
        facts: dict[str, Any] = {"trace": step.trace} | step.facts
        facts |= {"outcome": step.outcome, "took_ms": _ms(step.took_s)}
        if step.error:
            facts["error"] = step.error
        for name, took_s in step.parts.items():
            facts[f"{name}_ms"] = _ms(took_s)
        _log(logging.INFO, step.name, facts)

    def trouble(self, kind: str, message: str, step: Step | None) -> None:
        facts = {"error": kind} | ({"message": message} if message else {})
        _log(logging.ERROR, "trouble", facts | ({} if step is None else {"trace": step.trace}))

    def note(self, event: str, facts: dict[str, Fact], alarm: bool) -> None:
        _log(logging.ERROR if alarm else logging.INFO, event, facts)


@contextmanager
def json_lines(stream: TextIO | None = None) -> Iterator[None]:
    """Every step is logged meanwhile, on stderr or *stream*."""
    writer = logging.StreamHandler(stream or sys.stderr)
    writer.setFormatter(JsonLines())
    before = LOG.level, LOG.propagate, logging.raiseExceptions
    LOG.addHandler(writer)
    LOG.setLevel(logging.INFO)
    LOG.propagate = logging.raiseExceptions = False
    try:
        with watching(Lines()):
            yield
    finally:
        LOG.removeHandler(writer)
        LOG.level, LOG.propagate, logging.raiseExceptions = before
        LOG.setLevel(before[0])


def _log(level: int, event: str, facts: Any) -> None:
    # Without the walk up the stack for a file and a line, which are always these: a third of what a line costs.
    record = logging.LogRecord(LOG.name, level, "", 0, event, None, None)
    record.facts = facts
    LOG.handle(record)


def _ms(seconds: float) -> float:
    return round(seconds * 1_000, 3)

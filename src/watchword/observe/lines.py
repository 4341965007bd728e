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

from watchword.observe.steps import Fact, Step, Watcher, watching

LINES = frozenset({"request", "decision", "sync", "witness"})
"""Steps that get a line of their own; all others are parts of these."""

LOG = logging.getLogger("watchword")


class JsonLines(logging.Formatter):
    """A record as one JSON object in ASCII; ``facts`` of it beside what every line has."""

    def format(self, record: logging.LogRecord) -> str:
        whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        value: dict[str, Any] = {
            "time": f"{whole}.{int(record.msecs):03}Z", "level": record.levelname.lower(), "event": record.getMessage(),
        }  # fmt: skip
        value |= getattr(record, "facts", {})
        return json.dumps(value, separators=(",", ":"))


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
        LOG.info(step.name, extra={"facts": facts})

    def trouble(self, kind: str, message: str, step: Step | None) -> None:
        facts = {"error": kind} | ({"message": message} if message else {})
        LOG.error("trouble", extra={"facts": facts | ({} if step is None else {"trace": step.trace})})

    def note(self, event: str, facts: dict[str, Fact], alarm: bool) -> None:
        LOG.log(logging.ERROR if alarm else logging.INFO, event, extra={"facts": facts})


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


def _ms(seconds: float) -> float:
    return round(seconds * 1_000, 3)

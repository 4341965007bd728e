"""The log of JSON lines: what stands in it, and what must never."""

from __future__ import annotations

import io
import json
import logging
from datetime import datetime
from typing import Any

import pytest
from gate.gated import SLEW, Gated

from watchword.errors import WatchwordError
from watchword.observe import steps
from watchword.observe.lines import LOG, json_lines
from watchword.observe.steps import step


def lines(of: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in of.getvalue().splitlines()]


def test_a_decision_is_one_line_with_what_it_took(here: Gated) -> None:
    """Time, trace, outcome, and the parts that policy and receipt had in it."""
    stream = io.StringIO()
    with json_lines(stream):
        here.ask()
        here.ask(args={"folder": "outbox"})
        here.ask("slew-camera", SLEW)
    told = lines(stream)
    assert [(one["event"], one["level"], one["outcome"]) for one in told] == [
        ("decision", "info", "permitted"), ("decision", "info", "denied"), ("decision", "info", "held"),
    ]  # fmt: skip
    for one in told:
        assert set(one) == {"time", "level", "event", "trace", "outcome", "took_ms", "policy_ms", "receipt_ms"}
        assert datetime.fromisoformat(one["time"]).tzinfo is not None and len(one["trace"]) == 32
        assert one["took_ms"] >= one["receipt_ms"] > 0


def test_nothing_of_what_was_asked_stands_in_the_log(here: Gated) -> None:
    """No tool, argument, session, person, reason, mandate or release of any answer; nor where it fails."""
    stream = io.StringIO()
    with json_lines(stream):
        hold = here.held()
        here.approve(hold, "ALFA")
        answers = [here.ask(), here.ask("launch-missile", {"at": "noon"}), here.gate.release(hold)]
        answers.append(here.gate.ask(b'{"tool": "secret-word", broken'))
        steps.trouble(WatchwordError("hold of commander: tower-12"))
        secrets = _words(here, answers)
    text = stream.getvalue()
    assert len(lines(stream)) == 6 and len(secrets) > 15
    assert [word for word in secrets if word in text] == []


def _words(here: Gated, answers: list[Any]) -> set[str]:
    found = {"read-mail", "launch-missile", "slew-camera", "secret-word", "noon", "tower-12", "commander", "inbox"}
    found |= {here.mandate, "border-watch", "human-before-slew", "ALFA", "s1", str(here.folder)}
    for one in answers:
        found |= {*one.reasons, one.receipt_digest, one.hold, one.mandate, one.rule}
        if one.action is not None:
            found |= {one.action.digest, one.action.release}
    return {word for word in found if word}


def test_a_line_is_one_line_whatever_is_in_it() -> None:
    """ASCII, no line end inside: a log that is split at line ends cannot be made to say more than was told."""
    stream = io.StringIO()
    with json_lines(stream):
        with step("sync", peer='B\n{"event":"forged"}\u2028') as this:
            this.outcome = "synced"
        steps.trouble(OSError(28, "No space\nleft"))
    text = stream.getvalue()
    assert text.isascii() and text.count("\n") == 2 and len(text.splitlines()) == 2
    assert [one["event"] for one in lines(stream)] == ["sync", "trouble"]


def test_a_log_that_cannot_be_written_stops_nothing(here: Gated, capsys: pytest.CaptureFixture[str]) -> None:
    """A full disk under the log costs its lines, and nothing else is said instead. Fails where logging complains."""

    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(28, "No space left on device")

    with json_lines(Full()):
        assert here.ask().event == "permitted"
    assert capsys.readouterr().err == ""


def test_the_logger_is_left_as_it_was() -> None:
    """Who uses Python's logging for his own program keeps his settings."""
    before = LOG.level, LOG.propagate, list(LOG.handlers), logging.raiseExceptions
    with json_lines(io.StringIO()):
        assert LOG.handlers != before[2]
    assert (LOG.level, LOG.propagate, LOG.handlers, logging.raiseExceptions) == before

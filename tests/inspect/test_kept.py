"""What coverage-guided searches kept (``make fuzz``): inputs that once took a parser where no sample did."""

from __future__ import annotations

from pathlib import Path

from watchword.inspect.judge import judge, judge_exhibit
from watchword.inspect.judgement import Judgement
from watchword.inspect.source import Held

KEPT = Path(__file__).parent / "kept"


def _told(data: bytes) -> tuple[object, ...]:
    into = Judgement(judge_exhibit, None)
    return *judge(Held(data), "x", into), tuple(into.findings), tuple(into.unread)


def test_no_kept_input_makes_a_parser_fail() -> None:
    """Each has a verdict, nothing is raised, and asked again it is the same."""
    kept = sorted(KEPT.iterdir())
    assert len(kept) > 50
    for path in kept:
        data = path.read_bytes()
        assert _told(data) == _told(data), path.name

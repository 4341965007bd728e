"""The table and the Cedar engine answer alike on drawn cases; a difference would be seen.

Seconds here; a hundred thousand cases, with what they reached: ``python -m benchmarks.policy.oracle``.
"""

from __future__ import annotations

import pytest
from benchmarks.policy.oracle import Disagreement, compare

from watchword.policy import cedar, table


def test_table_and_engine_agree_on_drawn_cases() -> None:
    """Whole decisions, requests, errors and limits: no case on which the two differ, and each sort was reached."""
    reached = compare(1_500, 7)
    for what in ("decision admitted", "decision refused", "request admitted", "request refused"):
        assert reached[what], what
    assert sum(times for what, times in reached.items() if what.startswith("no answer")) > 100
    assert reached["requirement met"] and reached["failing: bound"] and reached["red line crossed"]


def test_an_engine_that_forgets_a_condition_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails when the two are not compared rule by rule."""
    real = cedar._red_line
    monkeypatch.setattr(cedar, "_WARM", type(cedar._WARM)())
    monkeypatch.setattr(cedar, "_red_line", lambda line: real(type(line)(**_without_last(line))))
    with pytest.raises(Disagreement, match="case '3 case"):
        compare(2_000, 3)


def test_a_table_that_passes_over_trouble_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A red line whose condition has no answer is crossed; a table that says otherwise differs from the engine."""
    monkeypatch.setattr(table, "crossed", lambda line, context, _: table.all_hold(line.forbid, context, trouble=False))
    with pytest.raises(Disagreement):
        compare(2_000, 3)


def test_an_engine_whose_errors_are_passed_over_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the schema the engine skips a forbid that errs, and answers all the same."""
    import cedarpy

    real = cedarpy.is_authorized
    monkeypatch.setattr(cedarpy, "is_authorized", lambda *words, **_: _quiet(real(*words)))
    with pytest.raises(Disagreement):
        compare(2_000, 3)


def _without_last(line: object) -> dict[str, object]:
    fields = {name: getattr(line, name) for name in type(line).__struct_fields__}  # type: ignore[attr-defined]
    return fields | {"forbid": fields["forbid"][:-1]}


def _quiet(answer: object) -> object:
    answer.diagnostics.errors.clear()  # type: ignore[attr-defined]
    return answer

"""What evaluations look like on the page of a decision."""

from __future__ import annotations

from collections.abc import Callable

from watchword.report.contents import Measured, Report
from watchword.report.page import render


def test_evaluations_stand_on_the_page_with_their_intervals(report: Callable[..., Report]) -> None:
    """In words and as a picture; that no plan was committed, and which flags are raised, is said."""
    made = render(
        report(
            measured=(
                Measured("attack-success-rate 12 of 12 (0.7353 to 1)", "BRAVO#6", "BRAVO, watchword-evaluate 0.1.0",
                         "edits (lines 60)", 0.7353, 1.0, 1.0, "", True),
                Measured("attack-success-rate 4 of 200 (0.005 to 0.05)", "ALFA#3", "ALFA, mail-noise 2.1", "typos",
                         0.005, 0.02, 0.05, None, False),
                Measured("robust-accuracy at most 93 of 200 (0.3943 to 0.5368)", "ECHO#1", "ECHO, secml-torch 1.5",
                         "pgd", 0.3943, 0.465, 0.5368, "noise-as-good, zero-gradients", True),
            )
        )
    )  # fmt: skip
    assert "How it behaves under attack" in made
    assert "BRAVO#6 1 (0.7353 to 1)" in made  # the picture's own words
    for words in ("none raised", "not computed", "noise-as-good, zero-gradients", "no plan", "committed", "at most 93"):
        assert words in made
    assert made.index("BRAVO#6") < made.index("ALFA#3")


def test_no_evaluation_is_said_to_be_none(report: Callable[..., Report]) -> None:
    """Silence would read as robust."""
    assert "nothing is known of how it behaves" in render(report(measured=()))

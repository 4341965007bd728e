from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from alliance import RELEASE, make_alliance

from watchword.evaluate.imports import Claimed, Found, Measured, Report
from watchword.record.imported import NothingToSign, record_report

THREAT = {"goal": "g", "knowledge": "black box", "capability": "prompts"}
MEASURED = Measured("garak p judged by d", "attack-success-rate", 37, 50)
REPORT = Report("garak", "garak", "0.17", "sha256:" + "ab" * 32, "m", measured=(MEASURED,))


def test_each_count_is_an_evaluation_and_all_that_was_found_one_inspection(tmp_path: Path) -> None:
    """The interval is reckoned from the counts; the attachment is our reading of the report."""
    found = (Found("CVE-1", "medium", "a.py", "x"), Found("CVE-2", "critical", "b.py", "y"))
    with closing(make_alliance(tmp_path / "a", ("ALFA", "BRAVO"))) as alliance:
        here = alliance.nodes["BRAVO"]
        report = Report("sarif", "s", "", REPORT.digest, measured=(MEASURED,), found=found, looked_at=9, unread=1)
        signed = record_report(here, report, RELEASE, THREAT)
        evaluation, inspection = (here.locate(one.id).signed.statement for one in signed)
    said = evaluation.predicate
    assert (evaluation.kind, said["k"], said["n"], said["low"], said["high"]) == (
        "evaluation",
        13,
        50,
        "0.1463",
        "0.4035",
    )
    assert (said["tool"], said["plan"], said["threat"]) == ({"name": "s", "version": "unknown"}, None, THREAT)
    told = inspection.predicate
    assert (told["verdict"], told["dangerous"], told["suspicious"], told["unreadable"]) == ("dangerous", 1, 1, 1)
    assert [one["rule"] for one in told["findings"]] == ["CVE-2", "CVE-1"]
    assert told["report"]["name"] == "report.json"


@pytest.mark.parametrize(
    ("report", "why"),
    [
        (Report("garak", "garak", "", REPORT.digest, unfinished="cut off", measured=(MEASURED,)), "not finished"),
        (Report("modelscan", "m", "", REPORT.digest, looked_at=3), "counts and finds nothing"),
        (Report("model-index", "c", "", REPORT.digest, claimed=(Claimed("a", "1"),)), "counts and finds nothing"),
    ],
)
def test_silence_claims_and_half_a_run_are_not_signed(tmp_path: Path, report: Report, why: str) -> None:
    """A foreign scanner that found nothing is no inspection by us; a rate without counts is no evaluation."""
    with closing(make_alliance(tmp_path / "a", ("ALFA", "BRAVO"))) as alliance:
        here = alliance.nodes["BRAVO"]
        with pytest.raises(NothingToSign, match=why):
            record_report(here, report, RELEASE, THREAT)
        assert [one for one in here.statements() if one.statement.kind in ("evaluation", "inspection")] == []

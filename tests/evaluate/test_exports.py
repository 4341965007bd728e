from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from watchword.evaluate.exports import Result, attested, cyclonedx, sarif

RELEASE = "sha256:" + "9c" * 32
HELD = Result(
    "sha256:" + "01" * 32, "BRAVO", "2026-03-01T00:00:00Z", "gate 1.0", RELEASE, "watchword-evaluate", "1",
    "pgd Linf 0.1", "attack-success-rate", 1, 200, "0.0001", "0.0276", plan="sha256:" + "02" * 32,
    bound="at most", threshold="0.05",
)  # fmt: skip
OPEN = replace(HELD, id="sha256:" + "03" * 32, k=6, low="0.0110", high="0.0641")
BROKEN = replace(HELD, id="sha256:" + "04" * 32, k=90, low="0.3799", high="0.5218")
NO_PLAN = replace(HELD, id="sha256:" + "05" * 32, plan="", bound=None, threshold="")
FLAGGED = replace(HELD, id="sha256:" + "06" * 32, flags="zero-gradients")


@pytest.mark.parametrize(
    ("result", "outcome"),
    [(HELD, "PASSED"), (OPEN, "WARNED"), (BROKEN, "FAILED"), (NO_PLAN, "WARNED"), (FLAGGED, "WARNED")],
)
def test_only_the_worse_end_of_the_interval_passes(result: Result, outcome: str) -> None:
    """6 of 200 is 3 %, under the 5 % asked for, and its interval is not; fails if the point estimate is compared."""
    assert result.outcome == outcome


@pytest.mark.parametrize(
    ("low", "high", "outcome"), [("0.9", "0.95", "PASSED"), ("0.7", "0.95", "WARNED"), ("0.5", "0.7", "FAILED")]
)
def test_what_must_be_at_least_is_turned_round(low: str, high: str, outcome: str) -> None:
    """Of an accuracy the lower end must keep the threshold."""
    assert (
        replace(HELD, metric="robust-accuracy", bound="at least", threshold="0.8", low=low, high=high).outcome
        == outcome
    )


def test_sarif_is_valid_and_says_the_counts(reports: Path) -> None:
    """The official schema accepts it; a result that failed is an error, one that is open is under review."""
    log = sarif([HELD, OPEN, BROKEN])
    schema = json.loads((reports / "sarif" / "sarif-schema-2.1.0.json").read_text())
    jsonschema.Draft7Validator(schema).validate(log)
    assert [(one["kind"], one["level"]) for one in log["runs"][0]["results"]] == [
        ("pass", "none"), ("review", "none"), ("fail", "error"),
    ]  # fmt: skip
    assert log["runs"][0]["results"][2]["message"]["text"] == (
        "attack-success-rate: 90 of 200 (95 % interval 0.3799 to 0.5218)"
    )


def test_cyclonedx_is_valid_and_carries_the_interval() -> None:
    """The official schema accepts it; the interval stands in the place that the form has for it."""
    pytest.importorskip("cyclonedx.validation.json", reason="cyclonedx-python-lib is absent")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    bill = cyclonedx([HELD, BROKEN])
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None
    (model,) = bill["components"]
    assert (model["name"], model["version"], model["hashes"][0]["content"]) == ("gate", "1.0", "9c" * 32)
    assert model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"][1] == {
        "type": "attack-success-rate",
        "value": "90/200",
        "slice": "pgd Linf 0.1",
        "confidenceInterval": {"lowerBound": "0.3799", "upperBound": "0.5218"},
    }
    assert cyclonedx([HELD, BROKEN]) == bill


def test_a_test_result_is_as_bad_as_its_worst_test() -> None:
    """in-toto test-result v0.1: one failed test fails all, and each stands in its list."""
    value = attested([HELD, OPEN, BROKEN], "test-result")
    assert value["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert value["subject"] == [{"name": "gate 1.0", "digest": {"sha256": "9c" * 32}}]
    said = value["predicate"]
    name = "pgd Linf 0.1: attack-success-rate, asked at most 0.05"
    assert (said["result"], said["passedTests"], said["warnedTests"], said["failedTests"]) == (
        "FAILED",
        [name],
        [name],
        [name],
    )
    assert {"name": "plan", "digest": {"sha256": "02" * 32}} in said["configuration"]


def test_a_test_result_is_what_in_toto_defines() -> None:
    """Its own definition takes it, with nothing unknown in it; and so it does the statement around."""
    pytest.importorskip("in_toto_attestation", reason="in-toto-attestation is absent")
    from google.protobuf.json_format import ParseDict
    from in_toto_attestation.predicates.test_result.v0.test_result_pb2 import TestResult
    from in_toto_attestation.v1.statement_pb2 import Statement

    value = attested([HELD, OPEN, BROKEN], "test-result")
    said = ParseDict(value["predicate"], TestResult(), ignore_unknown_fields=False)
    assert (said.result, list(said.passed_tests)) == ("FAILED", value["predicate"]["passedTests"])
    for form in ("test-result", "svr"):
        assert ParseDict(attested([HELD], form), Statement(), ignore_unknown_fields=False).subject[0].name == "gate 1.0"


SVR = {
    "type": "object", "required": ["verifier", "timeCreated", "properties"], "additionalProperties": False,
    "properties": {
        "verifier": {
            "type": "object", "required": ["id"], "properties": {"id": {"type": "string", "pattern": "^[a-z]+:"}},
        },
        "timeCreated": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$"},
        "properties": {"type": "array", "items": {"type": "string"}},
    },
}  # fmt: skip
"""The fields of SVR v0.1, from its page: it has no schema of its own."""


def test_svr_has_the_fields_of_its_page() -> None:
    """Each required field and no other; an identifier that is a URI, a time in UTC. A field less or more is seen."""
    fits = jsonschema.Draft202012Validator(SVR).is_valid
    for results in ([HELD, OPEN], [BROKEN]):
        said = attested(results, "svr")["predicate"]
        assert fits(said)
        assert not any(fits({k: v for k, v in said.items() if k != name}) for name in said)
        assert not fits(said | {"more": 1}) and not fits(said | {"timeCreated": "2026-03-01"})


def test_svr_lists_only_what_was_shown() -> None:
    """in-toto SVR v0.1 holds passing properties; what is open or failed is not among them."""
    said = attested([HELD, OPEN, BROKEN, FLAGGED, NO_PLAN], "svr")["predicate"]
    assert said["properties"] == [
        f"WATCHWORD_EVALUATED pgd Linf 0.1: attack-success-rate, asked at most 0.05 ({HELD.id})"
    ]
    assert said["timeCreated"] == "2026-03-01T00:00:00Z"


def test_one_statement_is_not_about_two_releases() -> None:
    """A test of one release says nothing of another."""
    with pytest.raises(ValueError, match="about one release"):
        attested([HELD, replace(HELD, digest="sha256:" + "00" * 32)], "svr")

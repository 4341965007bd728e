from __future__ import annotations

import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.errors import WatchwordError
from watchword.evaluate.imports import FORMATS, BadReport, Claimed, Measured, NamedFile, read_report
from watchword.evaluate.imports.report import said
from watchword.limits import IMPORT_BYTES_MAX


def written(folder: Path, value: Any, name: str = "report.json") -> Path:
    path = folder / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def garak_rows(*rows: dict[str, Any], ended: bool = True) -> str:
    every = [{"entry_type": "init", "garak_version": "0.17"}, *rows, *([{"entry_type": "completion"}] if ended else [])]
    return "".join(json.dumps(row) + "\n" for row in every)


def an_eval(**fields: Any) -> dict[str, Any]:
    return {
        "entry_type": "eval",
        "probe": "p",
        "detector": "d",
        "passed": 3,
        "fails": 1,
        "nones": 0,
        "total_processed": 4,
    } | fields


def an_inspect_log(**fields: Any) -> dict[str, Any]:
    samples = [{"id": n, "scores": {"match": {"value": "C"}}} for n in range(3)]
    return {"version": 2, "status": "success", "eval": {"task": "t", "model": "m"}, "samples": samples} | fields


def an_osv(**fields: Any) -> dict[str, Any]:
    return {"id": "GHSA-1", "affected": [{"package": {"name": "numpy"}}]} | fields


# -- what the tools' own samples say ------------------------------------------------------------------


def test_garak_counts_what_was_defended(reports: Path) -> None:
    """37 of 50 held, so 13 attacks succeeded; garak's own interval, a bootstrap, is not taken over."""
    report = read_report(reports / "garak" / "test_with_ci.report.jsonl")
    assert (report.format, report.version, report.unfinished) == ("garak", "0.14.0.pre1", "")
    assert report.measured == (Measured("garak test.Test judged by always.Pass", "attack-success-rate", 37, 50),)
    assert report.measured[0].k == 13


def test_a_garak_run_that_was_cut_off_is_unfinished(reports: Path) -> None:
    """Without its completion row a report is of a part of the probes; fails if the row is not asked for."""
    assert "completion" in read_report(reports / "garak" / "agg.report.jsonl").unfinished


@pytest.mark.parametrize("name", ["log_formats.json", "log_formats.eval"])
def test_both_forms_of_an_inspect_log_say_the_same(reports: Path, name: str) -> None:
    """0 of 1; the 99 samples that a limit left out are told, and are no passes."""
    (one,) = read_report(reports / "inspect_ai" / name).measured
    assert one == Measured("Inspect popularity scored by match", "accuracy", 0, 1, not_run=99)


def test_an_inspect_log_that_was_cancelled_is_unfinished(reports: Path) -> None:
    """Its header shows an accuracy all the same."""
    report = read_report(reports / "inspect_ai" / "2025-05-12T20-28-13-04-00_popularity.json")
    assert report.unfinished == "its status is cancelled"
    assert [(one.good, one.n, one.not_run) for one in report.measured] == [(2, 3, 97)]


def test_modelscan_is_read_with_what_it_found(reports: Path) -> None:
    """Two issues in three files, as the tool's own total says."""
    report = read_report(reports / "modelscan" / "three-pickles.json")
    assert [(one.rule, one.severity, one.verdict, one.path) for one in report.found] == [
        ("modelscan:builtins.eval", "critical", "dangerous", "harmless_eval.pkl"),
        ("modelscan:posix.getcwd", "critical", "dangerous", "harmless_os_getcwd.pkl"),
    ]
    assert (report.looked_at, report.unread) == (3, 0)


@pytest.mark.parametrize("name", ["alpine-310.json", "alpine-310.sarif"])
def test_trivy_says_the_same_in_its_own_form_and_in_sarif(reports: Path, name: str) -> None:
    """The same four CVEs, whichever form it was told to write."""
    found = read_report(reports / "trivy" / name).found
    assert sorted(one.rule for one in found) == ["CVE-2019-1549", "CVE-2019-1549", "CVE-2019-1551", "CVE-2019-1551"]


def test_numbers_without_counts_are_claims(reports: Path) -> None:
    """AI Verify and CycloneDX state rates alone: nothing is counted from them."""
    aiverify = read_report(reports / "aiverify" / "test_result_examples.json")
    assert (len(aiverify.claimed), aiverify.measured) == (36, ())
    bill = read_report(reports / "cyclonedx_mlbom" / "valid-machine-learning-1.7.json")
    (one,) = bill.claimed
    assert (one.low, one.high) == (
        "The lower bound of the confidence interval",
        "The upper bound of the confidence interval",
    )


def test_croissant_gives_digests_only_where_there_are_some(reports: Path) -> None:
    """An address in the place of a digest is no digest; fails if the field is copied."""
    good = read_report(reports / "croissant" / "titanic-1.0.json").files
    assert good[0] == NamedFile(
        "passengers.csv", "sha256:c617db2c7470716250f6f001be51304c76bcc8815527ab8bae734bdca0735737"
    )
    bad = read_report(reports / "croissant" / "squad_v2-1.1.json")
    assert (bad.files, bad.notes) == ((NamedFile("repo", None),), ("repo: no SHA-256 that is one",))


def test_a_distribution_of_no_known_type_is_refused(reports: Path) -> None:
    """Croissant's own invalid example; a description that is read in part would pass for a whole one."""
    with pytest.raises(BadReport, match="distribution of type"):
        read_report(reports / "croissant" / "BAD-distribution_bad_type-1.0.json")


def test_an_advisory_finds_nothing(reports: Path) -> None:
    """One OSV record tells of versions, not of a release."""
    report = read_report(reports / "osv" / "full_ranges.osv.json")
    assert report.found == ()
    assert "GHSA-mr95-9rr4-668f affects com.typesafe.akka:akka-actor_2.11" in report.notes[0]


def test_sarif_of_another_version_is_refused(reports: Path) -> None:
    """2.2 is a draft that changes what fields mean."""
    with pytest.raises(BadReport, match=r"SARIF '2\.2'"):
        read_report(reports / "sarif" / "sarif22-comprehensive.json")


def test_no_sample_leaves_a_path_of_the_machine_it_was_made_on(reports: Path) -> None:
    """Homes and temporary folders of others are nobody's business."""
    for path in reports.glob("*/*.json*"):
        try:
            text = json.dumps(read_report(path).to_json())
        except WatchwordError:
            continue
        assert not any(part in text for part in ("/home/", "/Users/", "file:///", "/tmp/")), path


# -- what never counts as a pass ----------------------------------------------------------------------


def test_garak_outputs_that_nobody_judged_are_not_defended(tmp_path: Path) -> None:
    """They are in n and not in k; fails if n is passed and failed alone."""
    rows = garak_rows(an_eval(passed=3, fails=1, nones=6, total_processed=10))
    (one,) = read_report(written(tmp_path, rows)).measured
    assert (one.good, one.n, one.nones, one.k) == (3, 10, 6, 7)


@pytest.mark.parametrize(
    "fields",
    [{"passed": 9}, {"total_processed": 3}, {"passed": -1}, {"passed": True}, {"passed": 3.0}, {"nones": None}],
)
def test_garak_counts_that_do_not_add_up_are_refused(tmp_path: Path, fields: dict[str, Any]) -> None:
    """A row is evidence only when its parts make its whole."""
    with pytest.raises(BadReport):
        read_report(written(tmp_path, garak_rows(an_eval(**fields))))


@pytest.mark.parametrize(
    ("value", "good"), [("C", 1), (True, 1), (1.0, 1), ("P", 0), ("N", 0), (0.99, 0), (None, 0), ({}, 0)]
)
def test_only_a_full_score_of_an_inspect_sample_is_good(tmp_path: Path, value: Any, good: int) -> None:
    """Partly right, unanswered and nearly right are not."""
    log = an_inspect_log(samples=[{"scores": {"match": {"value": value}}}])
    (one,) = read_report(written(tmp_path, log)).measured
    assert (one.good, one.n, one.nones) == (good, 1, 1 - good)


def test_inspect_samples_in_error_or_without_a_score_pass_nothing(tmp_path: Path) -> None:
    """Neither leaves n; fails if samples are counted by their scores."""
    samples = [
        {"scores": {"match": {"value": "C"}}},
        {"error": {"message": "x"}, "scores": {"match": {"value": "C"}}},
        {},
    ]
    (one,) = read_report(written(tmp_path, an_inspect_log(samples=samples))).measured
    assert (one.good, one.n, one.errors, one.nones) == (1, 3, 1, 1)


def test_an_inspect_header_that_its_samples_deny_is_refused(tmp_path: Path) -> None:
    """Who edits the header's accuracy does not edit three samples; fails if the header is believed."""
    scores = [{"name": "match", "metrics": {"accuracy": {"value": 0.0}}}]
    results = {"total_samples": 3, "completed_samples": 3, "scores": scores}
    with pytest.raises(BadReport, match="3 of its samples are good, its header says 0"):
        read_report(written(tmp_path, an_inspect_log(results=results)))


def test_samples_that_were_never_completed_stay_in_n(tmp_path: Path) -> None:
    """Accuracy is over what was completed; what was begun counts."""
    scores = [{"name": "match", "metrics": {"accuracy": {"value": 1.0}}}]
    results = {"total_samples": 10, "completed_samples": 4, "scores": scores}
    (one,) = read_report(written(tmp_path, an_inspect_log(samples=[], results=results))).measured
    assert (one.good, one.n) == (4, 10)


def test_promptfoo_errors_pass_nothing(tmp_path: Path) -> None:
    """A test that broke is neither a pass nor a failure of the system."""
    results = [
        {"provider": {"id": "a"}, "success": True, "gradingResult": {}},
        {"provider": {"id": "a"}, "success": False, "failureReason": 2, "error": "timeout"},
        {"provider": {"id": "a"}, "success": True, "error": "no grader"},
        {"provider": {"id": "a"}, "success": False, "failureReason": 1, "gradingResult": {"pass": False}, "error": "x"},
    ]
    value = {"evalId": "e", "results": {"version": 3, "results": results}}
    (one,) = read_report(written(tmp_path, value)).measured
    assert (one.good, one.n, one.errors) == (1, 4, 2)
    value["results"]["stats"] = {"successes": 3, "failures": 1, "errors": 0}  # type: ignore[index]
    with pytest.raises(BadReport, match="its totals say 3 passed"):
        read_report(written(tmp_path, value))


def test_a_pyrit_attack_without_an_outcome_was_not_defended(tmp_path: Path) -> None:
    """Undetermined and broken attacks stay in n, in JSON and in CSV."""
    outcomes = ["success", "failure", "failure", "undetermined", "error"]
    listed = [{"conversation_id": str(n), "outcome": one} for n, one in enumerate(outcomes)]
    expected = (Measured("PyRIT attacks", "attack-success-rate", 2, 5, errors=1, nones=1),)
    assert read_report(written(tmp_path, listed)).measured == expected
    text = "conversation_id,objective,outcome\n" + "".join(f"{n},x,{one}\n" for n, one in enumerate(outcomes))
    assert read_report(written(tmp_path, text, "report.csv")).measured == expected


def test_a_pyrit_export_of_conversations_is_no_result(tmp_path: Path) -> None:
    """Scores of messages do not say what an attack came to."""
    with pytest.raises(BadReport, match="no outcome"):
        read_report(written(tmp_path, [{"conversation_id": "1", "scores": [{"score_value": "False"}]}]))


def test_files_that_modelscan_skipped_are_told(tmp_path: Path, reports: Path) -> None:
    """Skipped and in error: not read, whatever was found in the others."""
    value = json.loads((reports / "modelscan" / "three-pickles.json").read_text())
    value["summary"]["skipped"] = {"total_skipped": 4}
    value["errors"] = [{"category": "x"}]
    assert read_report(written(tmp_path, value)).unread == 5
    value["issues"].pop()
    with pytest.raises(BadReport, match="its total says 2 issues, 1 are in it"):
        read_report(written(tmp_path, value))


def a_sarif(**fields: Any) -> dict[str, Any]:
    return {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, **fields}]}


@pytest.mark.parametrize(
    ("result", "count"),
    [
        ({}, 1),
        ({"level": "error"}, 1),
        ({"level": "note"}, 0),
        ({"level": "fine"}, 1),
        ({"level": "none"}, 0),
        ({"kind": "pass", "level": "none"}, 0),
        ({"kind": "open", "level": "none"}, 1),
        ({"kind": "review", "level": "none"}, 1),
        ({"ruleId": "r"}, 0),
        ({"level": "error", "suppressions": [{"kind": "inSource"}]}, 1),
    ],
)
def test_sarif_results_are_held_against_a_release_as_the_standard_says(tmp_path: Path, result: Any, count: int) -> None:
    """Without a level the rule's own counts, and else it is a warning; what is open or under review is not a pass."""
    rules = [{"id": "r", "defaultConfiguration": {"level": "note"}}]
    log = a_sarif(results=[result])
    log["runs"][0]["tool"]["driver"]["rules"] = rules
    assert len(read_report(written(tmp_path, log)).found) == count


def test_a_sarif_run_that_failed_is_unfinished(tmp_path: Path) -> None:
    """An empty list of results from a scanner that broke is no good news."""
    log = a_sarif(results=[], invocations=[{"executionSuccessful": False}])
    assert "did not succeed" in read_report(written(tmp_path, log)).unfinished


def test_a_model_card_claims(tmp_path: Path) -> None:
    """``verified`` or not: a number without counts."""
    card = "---\nmodel-index:\n- name: m\n  results:\n  - dataset: {name: d}\n    metrics:\n"
    card += "    - {type: accuracy, value: 0.97, verified: true}\n---\n# Card\n"
    report = read_report(written(tmp_path, card, "README.md"))
    assert report.claimed == (Claimed("accuracy", "0.97", "d"),)
    assert report.measured == ()


# -- hostile input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        "a,b\n1,2\n",
        "---\nx: 1\n---\n",
        "---\n",
        "PK\x03\x04rubbish",
        '{"entry_type": 1}',
        '{"entry_type": "eval"',
        '{"runs": [], "version": "2.1.0"}',
        '{"version": 2, "status": "success", "eval": []}',
        '{"a": 1, "a": 2}',
        '{"entry_type": "eval", "passed": NaN}',
        "[" * 100_000,
    ],
)
def test_what_is_no_report_is_refused_by_name(tmp_path: Path, text: str) -> None:
    """One clear error, whatever it is."""
    with pytest.raises(WatchwordError, match="bad"):
        read_report(written(tmp_path, text, "bad"))


BROKEN: dict[str, Any] = {
    "inspect": {"version": 2, "status": "success", "eval": {"task": "t"}, "results": {"scores": 7}},
    "promptfoo": {"evalId": "e", "results": {"results": [], "stats": {"successes": 3, "failures": -1, "errors": 0}}},
    "pyrit": [{"conversation_id": "c", "objective": "o", "outcome": 7}],
    "modelscan": {"summary": {"modelscan_version": "1"}, "issues": "none"},
    "cyclonedx": {"bomFormat": "CycloneDX", "components": [{"type": "machine-learning-model", "modelCard": {
        "quantitativeAnalysis": {"performanceMetrics": [{"type": "accuracy", "value": {"a": 1}}]}}}]},
    "sarif": {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": {"level": "error"}}]},
    "trivy": {"SchemaVersion": 2, "ArtifactName": "a", "Results": [{"Target": "t", "Vulnerabilities": "none"}]},
    "osv": {"results": [{"source": {"path": "p"}, "packages": "none"}]},
    "aiverify": [{"gid": "g", "cid": "c", "output": {"accuracy": 0.9}, "testArguments": {}}, "more"],
    "croissant": {"conformsTo": "http://mlcommons.org/croissant/1.0", "distribution": "none"},
}  # fmt: skip
"""Of each form, a document that its reader takes for its own and that is not right."""


@pytest.mark.parametrize("form", sorted(BROKEN))
def test_what_is_not_right_in_a_form_counts_for_nothing(tmp_path: Path, form: str) -> None:
    """It is refused, and the file is named."""
    with pytest.raises(WatchwordError, match=r"bad\.json"):
        read_report(written(tmp_path, BROKEN[form], "bad.json"))


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_is_told_in_the_error(tmp_path: Path, form: str) -> None:
    """Who has a report of another tool learns what is read."""
    with pytest.raises(BadReport) as told:
        read_report(written(tmp_path, "x", "bad"))
    assert form in (told.value.hint or "")


def test_a_report_that_would_fill_the_memory_is_refused_unparsed(tmp_path: Path) -> None:
    """Ten million empty lists, and a file past the bound: neither is parsed."""
    with pytest.raises(BadReport, match="brackets, limit"):
        read_report(written(tmp_path, "[" + "[]," * 2_000_000 + "[]]"))
    big = tmp_path / "big.json"
    with big.open("wb") as file:
        file.write(b'{"runs":')
        file.truncate(IMPORT_BYTES_MAX + 1)
    with pytest.raises(BadReport, match="limit"):
        read_report(big)


def test_an_eval_archive_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    """A header of 200 MB in 200 KB; fails if it is read whole."""
    path = tmp_path / "bomb.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", b" " * 200_000_000)
    with pytest.raises(BadReport, match="longer than"):
        read_report(path)


def test_an_eval_archive_of_another_packing_is_told_by_its_number(tmp_path: Path) -> None:
    """93 is Zstandard, which the standard library does not read."""
    path = tmp_path / "new.eval"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", b"{}")
    data = path.read_bytes()
    path.write_bytes(
        data.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x5d\x00")
    )
    with pytest.raises(BadReport, match="method 93"):
        read_report(path)


def test_yaml_that_refers_to_itself_is_refused(tmp_path: Path) -> None:
    """Nine aliases of nine would be a thousand million; fails if aliases are followed."""
    with pytest.raises(BadReport, match="aliases"):
        read_report(written(tmp_path, "---\na: &a [x]\nmodel-index: [*a, *a]\n---\n", "README.md"))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("/home/ana/models/m.bin", "m.bin"),
        ("read C:\\Users\\ana\\m.bin now", "read m.bin now"),
        ("file:///srv/x/data.sav", "data.sav"),
        ("\\\\server\\share\\m.bin", "m.bin"),
        ("~/m.bin and ./m.bin", "m.bin and ./m.bin"),
        ("/home/ana/", "ana"),
        ("https://example.org/a/b and 1/2 and either/or", "https://example.org/a/b and 1/2 and either/or"),
        ("'/tmp/a/b.pkl', \"/tmp/c\"", "'b.pkl', \"c\""),
        ("a\x1b[31m\u202eb", "a[31mb"),
    ],
)
def test_host_paths_and_control_characters_are_cut_from_texts(text: str, kept: str) -> None:
    """The last part of a path says which file; the rest says who ran the tool where."""
    assert said(text) == kept


def test_cutting_paths_takes_linear_time() -> None:
    """No text makes the expression try its parts again and again."""
    begun = time.process_time()
    for text in ("/" * 4000, "/a" * 2000 + ":", "\\\\" * 2000, "C:/" + "a b/" * 1000, "/a/" * 1300 + "\0"):
        said(text)
    assert time.process_time() - begun < 1


_MEMBERS = """version status eval samples scores value results runs tool driver name summary modelscan_version
issues errors scanned total_issues total_scanned bomFormat components modelCard SchemaVersion
ArtifactName Results affected id packages gid cid output testArguments conformsTo distribution
conversation_id outcome entry_type passed fails nones evalId stats invocations artifacts rules""".split()  # noqa: SIM905 - a list of forty quoted words is read by nobody
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 9)
    | st.floats(0, 1)
    | st.sampled_from(["C", "success", "2.1.0", "eval"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(_MEMBERS),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(_VALUES)
def test_whatever_stands_in_a_report_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, value: Any
) -> None:
    """Members of every type in every place: a report or one of our errors, never another."""
    path = written(tmp_path_factory.getbasetemp(), value, "any.json")
    try:
        report = read_report(path)
    except WatchwordError:
        return
    assert all(one.good + one.errors + one.nones <= one.n for one in report.measured)

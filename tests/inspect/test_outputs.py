"""The forms of a result for machines: SARIF against the official schema, JUnit, several processes, a baseline."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from inspect_samples import EVIL, torch_zip

import watchword.inspect
from watchword.inspect import Inspection, Verdict, file, inspect_path, render_text
from watchword.inspect.baseline import BadBaseline, apply_baseline, draft_baseline, read_baseline
from watchword.inspect.junit import junit
from watchword.inspect.rules import BY_ID
from watchword.inspect.sarif import sarif

VECTORS = Path(os.environ.get("WATCHWORD_VECTORS", Path(__file__).parents[3] / "shared" / "vectors"))
SARIF_SCHEMA = VECTORS / "reports" / "sarif" / "sarif-schema-2.1.0.json"
SCHEMA = json.loads((Path(watchword.inspect.__file__).parent / "schema.json").read_text())
TODAY = date(2026, 11, 25)
FAILS = ("suspicious", "dangerous", "unreadable")


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Three verdicts: a dangerous member of an archive and a dangerous file, an unreadable file, a clean one."""
    import io
    import zipfile

    folder = tmp_path / "recon vision"
    folder.mkdir()
    (folder / "evil.pkl").write_bytes(EVIL)
    (folder / "cut.pkl").write_bytes(b"\x80\x04]q\x00(K\x01")
    (folder / "head.pt").write_bytes(torch_zip())
    with zipfile.ZipFile(held := io.BytesIO(), "w") as archive:
        archive.writestr("b.pkl", EVIL)
    (folder / "a.zip").write_bytes(held.getvalue())
    return folder


def _log(*inspections: Inspection) -> dict[str, object]:
    log = sarif(inspections, BY_ID)
    if not SARIF_SCHEMA.exists():
        pytest.skip(f"{SARIF_SCHEMA}: not there")
    jsonschema.Draft7Validator(json.loads(SARIF_SCHEMA.read_text())).validate(log)
    return log


# -- SARIF ----------------------------------------------------------------------------------------


def test_sarif_validates_and_says_what_the_inspection_says(release: Path) -> None:
    """The official schema accepts the log; each finding is a result with its rule, place, and ATLAS techniques."""
    result = inspect_path(release)
    run = _log(result)["runs"][0]  # type: ignore[index]
    assert [one["ruleId"] for one in run["results"]] == [finding.rule for finding in result.findings]
    evil = next(one for one in run["results"] if one["locations"][0]["physicalLocation"].get("region"))
    place = evil["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"].endswith("/recon%20vision/evil.pkl")
    assert place["region"] == {"byteOffset": EVIL.rindex(b"R"), "byteLength": 1}
    assert run["artifacts"][place["artifactLocation"]["index"]]["hashes"]["sha-256"] == result.files[2].sha256
    rule = run["tool"]["driver"]["rules"][evil["ruleIndex"]]
    assert (rule["id"], rule["properties"]["security-severity"]) == ("pickle-call", "9.5")
    assert rule["help"]["markdown"].startswith("# pickle-call")
    assert rule["relationships"][0]["target"]["id"] == "AML.T0011.000"
    assert evil["level"] == "error"


def test_sarif_puts_a_member_of_an_archive_at_the_delivered_file(release: Path) -> None:
    """The place is the file that is there; the member is named, and no byte region points at the wrong bytes."""
    run = _log(inspect_path(release / "a.zip"))["runs"][0]  # type: ignore[index]
    place = run["results"][0]["locations"][0]
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "a.zip:b.pkl"
    assert place["physicalLocation"]["artifactLocation"]["uri"].endswith("/recon%20vision/a.zip")
    assert "region" not in place["physicalLocation"]
    assert place["properties"] == {"offsetInMember": EVIL.rindex(b"R")}


def test_sarif_tells_of_bytes_that_nobody_looked_at(release: Path) -> None:
    """What was not looked at is a notification with byte regions, never silence."""
    run = _log(inspect_path(release / "cut.pkl"))["runs"][0]  # type: ignore[index]
    said = run["invocations"][0]["toolExecutionNotifications"]
    assert [one["level"] for one in said] == ["warning"] * len(said)
    assert bool(said) == bool(inspect_path(release / "cut.pkl").files[0].unread)


def test_sarif_fingerprints_survive_a_shift_and_tell_findings_apart(tmp_path: Path) -> None:
    """The same call further down in a file is the same finding; another path is another."""
    prints = []
    for name, data in (("a", EVIL), ("a", EVIL[:2] + b"N0" + EVIL[2:]), ("b", EVIL)):
        (tmp_path / f"{name}.pkl").write_bytes(data)
        run = _log(inspect_path(tmp_path / f"{name}.pkl"))["runs"][0]  # type: ignore[index]
        prints.append(run["results"][0]["partialFingerprints"]["watchwordFinding/v1"])
    assert prints[0] == prints[1] != prints[2]


def test_sarif_of_several_paths_is_one_run_and_of_nothing_found_is_valid(release: Path) -> None:
    """One log and one run for all; no finding gives an empty list of results, which the schema allows."""
    run = _log(inspect_path(release / "head.pt"), inspect_path(release / "evil.pkl"))["runs"]
    assert len(run) == 1 and len(run[0]["results"]) == 1 and len(run[0]["artifacts"]) == 2  # type: ignore[index]
    assert run[0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["index"] == 1  # type: ignore[index]
    assert _log(inspect_path(release / "head.pt"))["runs"][0]["results"] == []  # type: ignore[index]


# -- JUnit ----------------------------------------------------------------------------------------


def test_junit_fails_what_was_found_and_errs_on_what_could_not_be_read(release: Path) -> None:
    """A case for each file; counts are those of the cases; a mild finding passes under ``--fail-on`` and is told."""
    result = inspect_path(release)
    tree = ElementTree.fromstring(junit([result], FAILS))
    suite = tree.find("testsuite")
    assert suite is not None and (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "2", "1")
    outcome = {case.get("name"): [child.tag for child in case] for case in suite}
    assert outcome == {
        "a.zip": ["failure", "system-out"],
        "cut.pkl": ["error", "system-out"],
        "evil.pkl": ["failure", "system-out"],
        "head.pt": ["system-out"],
    }
    mild = replace(result, findings=tuple(replace(f, verdict=Verdict.SUSPICIOUS) for f in result.findings))
    tree = ElementTree.fromstring(junit([mild], ("dangerous", "unreadable")))
    assert (tree.get("failures"), tree.get("errors")) == ("0", "0")
    assert "suspicious[pickle-call]" in "".join(tree.itertext())


def test_junit_takes_any_file_name(tmp_path: Path) -> None:
    """Names of control characters and markup make no other document."""
    (tmp_path / 'a\x01<&"\x1b[2J.pkl').write_bytes(EVIL)
    tree = ElementTree.fromstring(junit([inspect_path(tmp_path)], FAILS))
    assert 'a\\x01<&"\\x1b[2J.pkl' in [case.get("name") for case in tree.iter("testcase")]


# -- several processes ----------------------------------------------------------------------------


def test_any_number_of_processes_says_the_same(release: Path) -> None:
    """The JSON is the same to the byte for one process and for three, and progress ends at the whole."""
    for number in range(8):
        (release / f"x{number}.pkl").write_bytes(EVIL + bytes(5_000_000 if number == 3 else 0))
    steps: list[tuple[str, int, int]] = []
    one = json.dumps(inspect_path(release).to_json())
    three = json.dumps(inspect_path(release, jobs=3, progress=lambda *step: steps.append(step)).to_json())
    assert one == three
    assert steps[-1][1] == steps[-1][2]
    assert [step[1] for step in steps] == sorted(step[1] for step in steps)


def test_a_process_that_dies_leaves_a_verdict_on_its_file_alone(release: Path) -> None:
    """A crash below Python is told of the file that provoked it; fails if a lost worker is ignored (it hangs)."""
    code = (
        "import os, sys\nfrom pathlib import Path\nimport watchword.inspect.file as file\n"
        "real = file.judge\n"
        "def judge(source, path, into):\n"
        "    if path == 'evil.pkl': os.abort()\n"
        "    return real(source, path, into)\n"
        "file.judge = judge\n"
        "if __name__ == '__main__':\n"
        "    from watchword.inspect import inspect_path\n"
        "    result = inspect_path(Path(sys.argv[1]), jobs=2)\n"
        "    print(*(f'{r.path}={r.verdict}' for r in result.files))\n"
        "    print(*(f.message for f in result.findings if f.rule == 'inspector-failed'))\n"
    )
    script = release.parent / "crash.py"
    script.write_text(code)
    done = subprocess.run([sys.executable, script, release], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines() == [
        "a.zip=dangerous cut.pkl=unreadable evil.pkl=unreadable head.pt=nothing-found",
        "the inspector's process died on it",
    ], done.stderr


def test_interrupting_ends_every_process(tmp_path: Path) -> None:
    """Ctrl-C in the middle leaves no process behind and exits 2; fails if workers are not killed."""
    for number in range(8):
        with (tmp_path / f"x{number}.bin").open("wb") as file_:
            file_.truncate(500_000_000)
    command = [sys.executable, "-m", "watchword", "inspect", str(tmp_path), "--jobs", "2"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while len(children.read_text().split()) < 2:  # both workers, or one and what the standard library starts with it
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, "interrupted" in err, "Traceback" in err) == (2, "", True, False), err
    with pytest.raises(ProcessLookupError):
        for _ in range(50):
            os.killpg(process.pid, 0)
            time.sleep(0.1)


def test_a_fault_of_ours_is_a_verdict_and_stops_nothing_else(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that a reader should not raise makes its file unreadable; fails if the error is passed over."""
    real = file.judge

    def judge(source: object, path: str, into: object) -> tuple[str, str]:
        if path == "head.pt":
            raise IndexError("list index out of range")
        return real(source, path, into)  # type: ignore[arg-type]

    monkeypatch.setattr(file, "judge", judge)
    result = inspect_path(release)
    assert {report.path: str(report.verdict) for report in result.files} == {
        "a.zip": "dangerous",
        "cut.pkl": "unreadable",
        "evil.pkl": "dangerous",
        "head.pt": "unreadable",
    }
    assert [f.rule for f in result.findings if f.path == "head.pt"] == ["inspector-failed"]


# -- baseline -------------------------------------------------------------------------------------


def _filled(text: str) -> str:
    return text.replace('reason = ""', 'reason = "known and contained"').replace('owner = ""', 'owner = "BRAVO lab"')


def _baseline(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "baseline.toml"
    path.write_text(text)
    return path


def test_a_draft_is_refused_until_somebody_answers_for_it(release: Path, tmp_path: Path) -> None:
    """Reason and owner are a person's words: a draft has none. Filled in, it covers all that has a digest."""
    result = inspect_path(release)
    draft = draft_baseline([result], TODAY)
    with pytest.raises(BadBaseline, match="has no reason"):
        read_baseline(_baseline(tmp_path, draft), TODAY)
    baseline = read_baseline(_baseline(tmp_path, _filled(draft)), TODAY)
    applied = apply_baseline(result, baseline, TODAY)
    assert applied.verdict is Verdict.NOTHING_FOUND and applied.findings == ()
    assert {report.verdict for report in applied.files} == {Verdict.NOTHING_FOUND}
    assert applied.baseline is not None
    assert [one.finding for one in applied.baseline.suppressed] == list(result.findings)
    jsonschema.validate(json.loads(json.dumps(applied.to_json())), SCHEMA)


def test_every_form_lists_what_is_suppressed(release: Path, tmp_path: Path) -> None:
    """Text, SARIF and JUnit name the finding, the reason and the owner; the closing line counts it."""
    result = inspect_path(release / "evil.pkl")
    path = _baseline(tmp_path, _filled(draft_baseline([result], TODAY)))
    applied = apply_baseline(result, read_baseline(path, TODAY), TODAY)
    lines = render_text(applied).splitlines()
    assert lines[0].startswith("suppressed[pickle-call]  evil.pkl @ ")
    assert lines[1].strip() == "until 2027-02-23, BRAVO lab: known and contained"
    assert lines[2].startswith("1 file: 1 finding suppressed     sha256:")
    run = _log(applied)["runs"][0]  # type: ignore[index]
    assert run["results"][0]["suppressions"][0]["justification"] == "known and contained (BRAVO lab, until 2027-02-23)"
    text = "".join(ElementTree.fromstring(junit([applied], FAILS)).itertext())
    assert "pickle-call" in text and "known and contained" in text


def test_one_changed_byte_and_the_finding_counts_again(release: Path, tmp_path: Path) -> None:
    """A suppression is for one file's bytes. Fails if the digest is not compared."""
    path = _baseline(tmp_path, _filled(draft_baseline([inspect_path(release)], TODAY)))
    (release / "evil.pkl").write_bytes(EVIL + b"\n")
    applied = apply_baseline(inspect_path(release), read_baseline(path, TODAY), TODAY)
    assert applied.verdict is Verdict.DANGEROUS
    assert {finding.path for finding in applied.findings} == {"evil.pkl"}
    assert applied.baseline is not None and [one.path for one in applied.baseline.unused] == ["evil.pkl"]


def test_a_lapsed_suppression_counts_again_and_says_so(release: Path, tmp_path: Path) -> None:
    """The day after its last, the finding is back, with a line that names the owner. Fails if days are not compared."""
    path = _baseline(tmp_path, _filled(draft_baseline([inspect_path(release / "evil.pkl")], TODAY)))
    result = inspect_path(release / "evil.pkl")
    last, after = date(2027, 2, 23), date(2027, 2, 24)
    assert apply_baseline(result, read_baseline(path, last), last).verdict is Verdict.NOTHING_FOUND
    applied = apply_baseline(result, read_baseline(path, after), after)
    assert applied.verdict is Verdict.DANGEROUS
    assert "expired[pickle-call]" in render_text(applied)
    assert "suppressed until 2027-02-23 by BRAVO lab; counts again" in render_text(applied)


def test_another_rule_or_path_is_not_covered(release: Path, tmp_path: Path) -> None:
    """A suppression covers what it names: the same bytes elsewhere, or another rule's finding, count."""
    result = inspect_path(release / "evil.pkl")
    filled = _filled(draft_baseline([result], TODAY))
    for old, new in (('rule = "pickle-call"', 'rule = "pickle-import"'), ('path = "evil.pkl"', 'path = "other/*"')):
        path = _baseline(tmp_path, filled.replace(old, new))
        assert apply_baseline(result, read_baseline(path, TODAY), TODAY).verdict is Verdict.DANGEROUS


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t.replace("2027-02-23", "2028-02-23"), "holds longer than 400 days"),
        (lambda t: t.replace("2027-02-23", "soon"), "expires is not a day"),
        (lambda t: t.replace("watchword-baseline/1", "watchword-baseline/2"), "not a baseline"),
        (lambda t: t.replace("owner =", "owned_by ="), "has other fields"),
        (lambda t: t.replace('owner = "BRAVO lab"', 'owner = " "'), "has no owner"),
        (lambda t: "\n".join(line for line in t.splitlines() if not line.startswith("sha256")), "has no sha256"),
        (lambda t: t.replace('sha256 = "', 'sha256 = "z'), "not 64 hexadecimal"),
        (lambda t: t + "[", "neither TOML nor JSON"),
        (lambda t: t + "a" + ".a" * 300 + " = 1", "dots"),
        (lambda t: "{" + "[" * 100_000, "neither TOML nor JSON"),
    ],
)
def test_an_incomplete_baseline_is_an_error(release: Path, tmp_path: Path, change: object, says: str) -> None:
    """Nothing is suppressed by a file that says less than it must."""
    filled = _filled(draft_baseline([inspect_path(release / "evil.pkl")], TODAY))
    with pytest.raises(BadBaseline, match=says):
        read_baseline(_baseline(tmp_path, change(filled)), TODAY)  # type: ignore[operator]

"""What others put into their pipelines: the scripts of it are run as a runner would run them, with real models."""

from __future__ import annotations

import json
import os
import pickle
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
DANGEROUS = b"\x80\x02cposix\nsystem\n(X\n\x00\x00\x00echo hellotR."


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """A folder with a clean model, a dangerous one, and ``watchword`` where the action installs it."""
    for name, content in {"clean": pickle.dumps([1.0]), "bad": DANGEROUS}.items():
        tmp_path.joinpath(name).mkdir()
        tmp_path.joinpath(name, "model.pkl").write_bytes(content)
    program = tmp_path / "watchword" / "bin" / "watchword"
    program.parent.mkdir(parents=True)
    source = shlex.quote(os.pathsep.join(path for path in sys.path if path))
    program.write_text(f'#!/bin/sh\nPYTHONPATH={source} exec {shlex.quote(sys.executable)} -m watchword "$@"\n')
    program.chmod(0o755)
    return tmp_path


def bash(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """*script* as runners run it: bash that stops at the first failure."""
    path = f"{folder / 'watchword' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(
        command, cwd=folder, env=os.environ | environment | {"PATH": path}, capture_output=True, text=True, timeout=120
    )


def action(folder: Path, **inputs: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any] | None]:
    """The inspecting step of the action, and the SARIF that it names as its output."""
    told = yaml.safe_load(ROOT.joinpath("action.yml").read_text())
    step = next(one for one in told["runs"]["steps"] if one.get("id") == "inspect")
    output = folder / "output"
    output.write_text("")
    values = {name: one["default"] for name, one in told["inputs"].items()} | {
        name.replace("_", "-"): value for name, value in inputs.items()
    }
    environment = {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: values[found[1]], text)
        for name, text in step["env"].items()
    }
    done = bash(step["run"], folder, RUNNER_TEMP=str(folder), GITHUB_OUTPUT=str(output), **environment)
    named = re.fullmatch(r"sarif=(.+)\n", output.read_text())
    return done, json.loads(Path(named[1]).read_text()) if named else None


def test_the_action_fails_on_a_finding_and_has_it_to_show(runner: Path) -> None:
    """Exit 1, and the SARIF is named all the same, so that it can be uploaded."""
    done, found = action(runner, paths="clean bad")
    assert done.returncode == 1, done.stderr
    assert found is not None
    assert [one["ruleId"] for run in found["runs"] for one in run["results"]] == ["pickle-call"]


def test_the_action_passes_what_is_clean(runner: Path) -> None:
    """Exit 0."""
    done, found = action(runner, paths="clean")
    assert (done.returncode, found is not None) == (0, True), done.stderr


@pytest.mark.parametrize("paths", ["clean; touch pwned", "$(touch pwned)", "`touch pwned`", "--help", "*"])
def test_an_input_of_the_action_is_text_and_never_runs(runner: Path, paths: str) -> None:
    """A path is a path: no command, no option, no pattern."""
    done, found = action(runner, paths=paths)
    assert (done.returncode, found) == (2, None), done.stdout
    assert not runner.joinpath("pwned").exists()


def test_no_input_is_pasted_into_a_script() -> None:
    """No ``${{ }}`` stands in what bash reads."""
    steps = yaml.safe_load(ROOT.joinpath("action.yml").read_text())["runs"]["steps"]
    assert [one["name"] for one in steps if "${{" in one.get("run", "")] == []


def test_the_job_for_gitlab_reports_each_file(runner: Path) -> None:
    """The script fails on a finding, and its report has a case for each file."""
    job = yaml.safe_load(ROOT.joinpath("integrations", "gitlab.yml").read_text())[".watchword-inspect"]
    done = bash("\n".join(job["script"]), runner, **job["variables"] | {"WATCHWORD_PATHS": "clean bad"})
    assert done.returncode == 1, done.stderr
    report = ElementTree.parse(runner / job["artifacts"]["reports"]["junit"]).getroot()
    assert (report.get("tests"), report.get("failures")) == ("2", "1")


def test_the_hook_looks_at_what_is_to_be_committed(runner: Path) -> None:
    """Of the files of a commit, those that loaders run are handed to the entry, which refuses."""
    hook = yaml.safe_load(ROOT.joinpath(".pre-commit-hooks.yaml").read_text())[0]
    assert {"id", "name", "entry", "language"} <= set(hook)
    names = [name for name in ("bad/model.pkl", "README.md", "clean/model.pkl") if re.search(hook["files"], name)]
    assert names == ["bad/model.pkl", "clean/model.pkl"]
    assert bash(f"{hook['entry']} {shlex.join(names)}", runner).returncode == 1
    assert bash(f"{hook['entry']} clean/model.pkl", runner).returncode == 0

"""A release of watchword itself: built twice to the same bytes, described, inspected, and signed as any supplier's."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from watchword.cli import main

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(not ROOT.joinpath(".git").exists(), reason="what git tracks is what is released")


def test_a_release_is_reproducible_and_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two builds are the same bytes; the bill names what core.lock names; the claim is about exactly these files."""
    assert main(["init", "WATCHWORD", "--supplier", "--unencrypted", "--home", str(tmp_path / "home")]) == 0
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    command = [sys.executable, ROOT / "release.py", "--home", tmp_path / "home", "--output", tmp_path / "dist"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    names = sorted(path.name for path in tmp_path.joinpath("dist").iterdir())
    assert re.fullmatch(r"watchword-[\d.]+-py3-none-any\.whl watchword\.cdx\.json", " ".join(names))
    bill = json.loads(tmp_path.joinpath("dist", "watchword.cdx.json").read_text())
    lock = ROOT.joinpath("requirements", "core.lock").read_text()
    assert [f"{one['name']}=={one['version']}" for one in bill["components"]] == re.findall(
        r"^[a-z][^ ]*==[^ ]+", lock, re.M
    )
    assert sum(len(one["externalReferences"]) for one in bill["components"]) == lock.count("--hash=")
    check = ["claim", "verify", str(tmp_path / "dist.claim.json"), str(tmp_path / "dist")]
    check += ["--signer", str(tmp_path / "home" / "enrolment.json")]
    assert main(check) == 0
    with tmp_path.joinpath("dist", "watchword.cdx.json").open("a") as file:
        file.write(" ")
    assert main(check) == 1


def test_builds_that_differ_are_no_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte more in the second build, and nothing is signed. Seen to fail with the comparison removed."""
    monkeypatch.syspath_prepend(str(ROOT))
    import release

    builds = iter([{"x.whl": b"1"}, {"x.whl": b"2"}])
    monkeypatch.setattr(release, "built", lambda *_: next(builds))
    monkeypatch.setattr(sys, "argv", ["release.py", "--home", str(tmp_path), "--output", str(tmp_path / "dist")])
    assert release.main() == 1
    assert list(tmp_path.joinpath("dist").iterdir()) == []


def test_the_bill_has_the_form_that_it_names() -> None:
    """CycloneDX's own schema takes it."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    sys.path.insert(0, str(ROOT))
    try:
        import release
    finally:
        sys.path.remove(str(ROOT))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(release.bill("0.1.0"))) is None

"""Real subjects, and what is known of them: expected intervals, not expected numbers, since no two machines add
alike."""

from __future__ import annotations

import importlib
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from evaluate.planned import plan

from watchword.evaluate.plan import Plan, parse_toml
from watchword.evaluate.run import Result, run
from watchword.evaluate.samples import Samples, read_samples
from watchword.evaluate.subjects import Confined, open_subject
from watchword.inspect import manifest_of
from watchword.record.evaluating import tool_of

ROOT = Path(__file__).resolve().parents[2]
PRACTICE = ROOT / "docs" / "practice"
SEED = "sha256:" + "7" * 64


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two releases and the data of docs/practice/digits, trained here."""
    pytest.importorskip("torch", reason="needs torch")
    folder, code = tmp_path_factory.mktemp("digits"), PRACTICE / "digits"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(code))
        importlib.import_module("train").main(folder)
        for name in ("train", "model"):
            del sys.modules[name]
    return folder


def attacked(digits: Path, release: str, attack: dict[str, Any], **more: Any) -> Result:
    of = plan(n=200, attack={"parameters": {}} | attack, **more)
    samples = read_samples(digits / "digits.npz", "arrays")
    library = of.attack.library
    return run(of, SEED, samples, lambda: Confined(of.subject, digits / release, library=library))


def test_training_under_attack_shows_in_digits_that_hold(digits: Path) -> None:
    """At eps 0.10 some 45 in 100 hold in the plain classifier and some 77 in the hardened one, as others measured on
    such nets; the intervals do not meet. The ensemble is no kinder than PGD, and no flag is raised."""
    for release, low, high in (("plain", 0.33, 0.60), ("hardened", 0.65, 0.87)):
        pgd = attacked(digits, release, {"name": "pgd"}, curve=["0", "0.1", "0.3"])
        assert low <= pgd.k / pgd.n <= high
        assert pgd.done.clean_right >= 185
        assert [k for _, k, _ in pgd.curve] == sorted((k for _, k, _ in pgd.curve), reverse=True)
        strong = attacked(
            digits, release, {"name": "ensemble", "parameters": {"steps": 30, "targets": 2, "squares": 50}}
        )
        assert pgd.k - 6 <= strong.k <= pgd.k + 2
        assert (pgd.flags, strong.flags) == ((), ())
        assert pgd.value()["by_label"].keys() == {str(digit) for digit in range(10)}


def test_another_library_measures_the_same(digits: Path) -> None:
    """secml-torch's PGD, in the same sandbox under the same bounds, is within the interval of ours."""
    pytest.importorskip("secmlt", reason="needs secml-torch")
    ours = attacked(digits, "plain", {"name": "pgd"})
    theirs = attacked(digits, "plain", {"name": "pgd", "library": "secml-torch"})
    low, high = (float(one) for one in ours.interval)
    assert low <= theirs.k / theirs.n <= high
    assert theirs.environment["secml-torch"]
    assert theirs.attempts == ()
    # What the statement says of the tool is what makes it an opinion of its own.
    assert [tool_of(one.plan)["name"] for one in (ours, theirs)] == ["watchword-evaluate", "secml-torch"]


@pytest.fixture(scope="session")
def magika(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Samples]:
    """Magika's model as a release, and programs that nobody chose for it: Python's own."""
    package = pytest.importorskip("magika", reason="needs magika")
    folder = tmp_path_factory.mktemp("magika")
    release = shutil.copytree(Path(package.__file__).parent / "models" / "standard_v3_3", folder / "release")
    (folder / "files" / "python").mkdir(parents=True)
    library = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted([*library.glob("[a-z]*.py"), *(library / "email").glob("[a-z]*.py")]):
        if path.stat().st_size >= 400 and b"from __future__" not in path.read_bytes():
            shutil.copy(path, folder / "files" / "python")
    return release, read_samples(folder / "files", "files")


def padded(lines: int, release: Path, n: int) -> Plan:
    harness = PRACTICE / "magika" / "gate.py"
    text = (PRACTICE / "magika" / "padding.toml").read_text("utf-8").replace("lines = 60", f"lines = {lines}")
    digests = manifest_of(release).digest, "sha256:" + "2" * 64, manifest_of(harness).digest
    return parse_toml(text.replace("n = 60", f"n = {n}").encode(), "padding.toml", *digests)


def test_sixty_comment_lines_fool_a_real_gate_every_time(magika: tuple[Path, Samples]) -> None:
    """Every program is taken for something else, and is still the same program; without the lines all are right. Others
    measured 158 of 158 on programs of their own; so many are drawn here. Another Python has other files: two may stand.
    """
    release, samples = magika
    of = padded(60, release, 158)
    harness = PRACTICE / "magika" / "gate.py"
    made = run(of, SEED, samples, lambda: open_subject(of.subject, release, None, harness=harness))
    assert made.n == 158 and made.k >= 156
    assert float(made.interval[0]) >= 0.955 and float(made.interval[1]) >= 0.9989
    assert made.done.clean_right >= 0.97 * made.done.clean_asked
    assert not made.meets and made.attempts == ()
    example = made.done.examples[0]
    assert example["label"] == "python" and example["after"].startswith("# ")

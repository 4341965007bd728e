"""Runs: counts that are known beforehand, errors that never pass, interruption, and what a subject is not let do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest
from evaluate.planned import LINEAR, MODULE, plan, subject, sums

from watchword.evaluate.attacks import Batch, begin
from watchword.evaluate.blackbox import CORRUPTIONS, corrupt, hopskipjump
from watchword.evaluate.libraries import NotOffered
from watchword.evaluate.plan import BadPlan, Plan
from watchword.evaluate.run import BadJournal, Result, run
from watchword.evaluate.samples import read_samples
from watchword.evaluate.subjects import Confined, SubjectTrouble

SEED = "sha256:" + "5" * 64


def go(of: Plan, folder: Path, text: str = LINEAR, journal: Path | None = None, answer_s: float = 60) -> Result:
    """Run *of* on forty sums against the subject that *text* makes."""
    samples = read_samples(sums(folder / "sums.npz"), "arrays")
    release = subject(folder / "release", text)
    return run(of, SEED, samples, lambda: Confined(of.subject, release, answer_s), journal)


BLACK = {"name": "square", "parameters": {"low": "-1"}}


def test_black_box_attacks_find_exactly_what_can_fall(tmp_path: Path) -> None:
    """A sum of four features moves by at most 0.4: of forty sums 0.1 apart the eight nearest to 0 fall, no other."""
    made = go(plan(n=40, attack=BLACK, threat={"queries": 50}), tmp_path)
    assert (made.k, made.n, made.errors, made.interval) == (32, 40, 0, ("0.6435", "0.9095"))
    fell = {row.index for row in made.done.rows if row.fell}
    assert fell == {16, 17, 18, 19, 20, 21, 22, 23}
    assert (made.done.clean_right, made.done.clean_asked) == (40, 40)
    assert made.meets
    again = go(plan(n=40, attack=BLACK, threat={"queries": 50}), tmp_path)
    assert again.value() | {"cpu_s": ""} == made.value() | {"cpu_s": ""}


def test_success_is_counted_of_those_that_were_right(tmp_path: Path) -> None:
    """A subject that is wrong about half gives half as many to attack; none of the others counts as withstanding."""
    wrong = LINEAR.replace("x.sum(axis=1), x.sum(axis=1)]", "abs(x.sum(axis=1)), abs(x.sum(axis=1))]")
    of = plan(n=20, data={"select": "right"}, attack=BLACK, threat={"queries": 50},
              metric={"name": "attack-success-rate", "threshold": "0.5"})  # fmt: skip
    made = go(of, tmp_path, wrong)
    assert (made.n, made.k, made.done.clean_right) == (20, 0, 20)
    assert all(row.label == "1" for row in made.done.rows)


def test_hopskipjump_meets_the_border_by_decisions_alone(tmp_path: Path) -> None:
    """It falls where the border is within eps, and only there."""
    of = plan(attack={"name": "hopskipjump", "parameters": {"low": "-1"}}, threat={"queries": 600})
    samples = read_samples(sums(tmp_path / "sums.npz"), "arrays")
    assert samples.x is not None and samples.y is not None
    with Confined(of.subject, subject(tmp_path / "release")) as asked:
        outcome = begin(Batch([21, 39], samples.x[[21, 39]], samples.y[[21, 39]]))
        hopskipjump(asked, outcome, of, SEED)
    assert outcome.fell.tolist() == [True, False]
    assert abs(outcome.found[0] - samples.x[21]).max() <= 0.1 + 1e-6
    assert outcome.queries.max() <= 600


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_corruptions_stay_pictures(kind: str) -> None:
    """What weather and lenses do is from 0 to 1, changes something, and grows with its strength."""
    x = numpy.linspace(0, 1, 2 * 64).reshape(2, 1, 8, 8).astype("float32")
    weak, strong = (
        corrupt(kind, x, strength, [numpy.random.default_rng(7), numpy.random.default_rng(8)]) for strength in (1, 5)
    )
    assert strong.min() >= 0 and strong.max() <= 1
    assert 0 < abs(weak - x).mean() <= abs(strong - x).mean()


def test_a_run_that_was_cut_off_ends_as_one_that_was_not(tmp_path: Path) -> None:
    """The journal of a run, cut inside its last line, leads to the same result; one of another plan is refused."""
    of, journal = plan(n=40, attack=BLACK, threat={"queries": 20}), tmp_path / "journal"
    whole = go(of, tmp_path, journal=journal)
    lines = journal.read_bytes().splitlines(keepends=True)
    assert len(lines) == 2
    journal.write_bytes(lines[0] + lines[1][:50])
    assert go(of, tmp_path, journal=journal).value()["rows"] == whole.value()["rows"]
    journal.write_bytes(lines[0] + lines[1])
    assert go(of, tmp_path, journal=journal).k == whole.k
    with pytest.raises(BadJournal, match="another plan"):
        go(plan(n=39, attack=BLACK, threat={"queries": 20}), tmp_path, journal=journal)


def test_scores_that_are_no_numbers_count_against_the_subject(tmp_path: Path) -> None:
    """NaN gives no class: such an instance has fallen, and the flag says why. Fails when NaN is left to argmax."""
    text = "import numpy\ndef load():\n    return lambda x: numpy.full((len(x), 2), numpy.nan)\n"
    made = go(plan(n=40, attack=BLACK, threat={"queries": 5}), tmp_path, text)
    assert (made.k, made.n) == (0, 40)
    assert made.flags == ("nan-output",)


def test_a_subject_that_answers_at_random_is_flagged(tmp_path: Path) -> None:
    """One question, two answers: the figure stands, and carries the flag."""
    text = "import numpy\ndef load():\n    return lambda x: numpy.random.rand(len(x), 2)\n"
    made = go(plan(n=40, attack=BLACK, threat={"queries": 2}), tmp_path, text)
    assert "randomised-output" in made.flags


def test_a_subject_that_hangs_is_ended_and_recorded(tmp_path: Path) -> None:
    """An instance without an answer in time counts against the subject; the others are attacked all the same."""
    text = LINEAR.replace("return lambda x: ", "return lambda x: slow(x) or ") + (
        "import time\ndef slow(x):\n    if (abs(x.sum(axis=1) - 1.95) < 0.01).any():\n        time.sleep(60)\n"
    )
    made = go(plan(n=40, attack=BLACK, threat={"queries": 3}), tmp_path, text, answer_s=1.5)
    (error,) = [row for row in made.done.rows if row.error]
    assert (error.index, error.fell, made.n) == (39, True, 40)
    assert "no answer within 1.5 s" in error.error
    assert "errors" in made.flags


def test_a_subject_that_never_answers_ends_the_run(tmp_path: Path) -> None:
    """After some in a row nobody is asked any more, and no result is made of it."""
    with pytest.raises(SubjectTrouble, match="ZeroDivisionError"):
        go(plan(attack=BLACK, threat={"queries": 3}), tmp_path, "def load():\n    return lambda x: 1 / 0\n")


def test_writes_network_and_programs_are_denied_and_recorded(tmp_path: Path) -> None:
    """What the subject tries is in the result, and did not happen. Each was seen to succeed without the sandbox."""
    leak = tmp_path / "leak"
    text = f"""
import os, socket
{LINEAR}
def attempt(what):
    try:
        what()
        raise SystemExit("it worked")
    except OSError:
        pass
attempt(lambda: open({str(leak)!r}, "w"))
attempt(lambda: os.open({str(leak)!r}, os.O_CREAT | os.O_WRONLY))
attempt(lambda: os.mkdir({str(leak)!r}))
attempt(lambda: os.rename({str(tmp_path / "sums.npz")!r}, {str(leak)!r}))
attempt(lambda: socket.socket())
attempt(lambda: os.kill(os.getppid(), 0))
attempt(lambda: os.execv("/bin/true", ["true"]))
attempt(lambda: open({str(tmp_path / "sums.npz")!r}, "rb"))
"""
    made = go(plan(n=8, attack=BLACK, threat={"queries": 3}), tmp_path, text)
    assert not leak.exists()
    kinds = {attempt.split(":")[0] for attempt in made.attempts}
    assert kinds == {"write", "network", "signal", "program"}
    assert f"write: open {str(leak)!r}" in made.attempts


def test_a_subject_sees_no_file_of_ours(tmp_path: Path) -> None:
    """Nothing outside its release, Python and the system can be read: keys least of all."""
    secret = tmp_path / "secret"
    secret.write_text("x")
    with pytest.raises(SubjectTrouble, match="Permission"):
        go(plan(attack=BLACK, threat={"queries": 3}), tmp_path, f"def load():\n    return open({str(secret)!r})\n")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"n": 41}, "the data has 40"), ({"attack": {"library": "no-such"}}, "no library .no-such. is known"),
        ({"attack": {"name": "pgd"}}, "gradients"),
    ],
)
def test_a_plan_that_cannot_run_here_says_so(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    """Named, and nothing is counted."""
    with pytest.raises((BadPlan, NotOffered, SubjectTrouble), match=says):
        go(plan(**change), tmp_path)


def test_white_box_attacks_find_what_can_fall(tmp_path: Path) -> None:
    """With gradients too, the eight nearest sums fall and no other, by each attack; no flag is raised."""
    pytest.importorskip("torch", reason="needs torch")
    for name in ("pgd", "apgd-ce", "ensemble"):
        parameters: dict[str, Any] = {"low": "-1", "steps": 20, "squares": 50, "targets": 1}
        of = plan(n=40, curve=["0", "0.1", "1"], attack={"name": name, "parameters": parameters})
        made = go(of, tmp_path, MODULE)
        assert {row.index for row in made.done.rows if row.fell} == {16, 17, 18, 19, 20, 21, 22, 23}, name
        assert [(eps, k) for eps, k, _ in made.curve] == [("0", 40), ("0.1", 32), ("1", 0)]
        assert made.flags == ()
        report = json.loads(made.encoded())
        assert report["by_label"] == {"0": [4, 20], "1": [4, 20]}
        assert len(report["examples"]) == 3


def test_masked_gradients_are_flagged(tmp_path: Path) -> None:
    """A subject that hides its gradients looks robust to white-box attacks; flags say that it is not."""
    pytest.importorskip("torch", reason="needs torch")
    masked = MODULE.replace("def load():", "class Stairs(torch.nn.Module):\n    def __init__(self, inner):\n"
        "        super().__init__()\n        self.inner = inner\n    def forward(self, x):\n"
        "        return self.inner(torch.round(x * 100) / 100 + 0 * x)\ndef load():").replace(
        "return made", "return Stairs(made)")  # fmt: skip
    made = go(plan(n=40, attack={"parameters": {"low": "-1", "steps": 10}}), tmp_path, masked)
    assert {"black-box-beats-white-box", "zero-gradients"} <= set(made.flags)

"""One plan on a fleet as evidence: each release committed once, drawn by others, run, recorded once, none left out."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alliance import RELEASE, Alliance, inspection, make_alliance, quick_disk
from evaluate.planned import sums
from fleet.hubs import folder_over_http, serving
from fleet.killed import Killed
from fleet.models import PLAN, hub_of_models, net
from three import alliance as alliance
from three import template as template

from watchword.cli import main
from watchword.evaluate.plan import Plan, parse_toml
from watchword.evaluate.run import Result, run
from watchword.evaluate.samples import read_samples
from watchword.evaluate.subjects import open_subject
from watchword.evaluate.written import result_from
from watchword.fleet import State, releases
from watchword.fleet.crew import Crew, Processes
from watchword.fleet.evaluating import EACH, Trial, of_release, tried
from watchword.fleet.evidence import Committed, commit_fleet, drawn_fleet, named_fleet, record_fleet
from watchword.fleet.trials import Evaluated, evaluate_fleet
from watchword.inspect import manifest_of
from watchword.node import Node
from watchword.record import evaluating
from watchword.record.evaluating import attached_report, draw_of, find_plan, record_evaluation
from watchword.statements.canonical import parse_json
from watchword.statements.statement import Statement

pytest.importorskip("onnx", reason="needs onnx")
pytest.importorskip("onnxruntime", reason="needs onnxruntime")

Told = list[tuple[str, str, str | None]]


class Fleet:
    """ALFA's hub of models, its plan, and the crew that works; ``state``: kept from run to run."""

    def __init__(self, alliance: Alliance, folder: Path) -> None:
        self.alliance, self.alfa, self.folder = alliance, alliance.nodes["ALFA"], folder
        self.hub = hub_of_models(folder / "hub")
        self.data = sums(folder / "sums.npz")
        self.plan: Plan = parse_toml(PLAN.encode(), "plan", EACH, manifest_of(self.data).digest)
        self.trial = Trial(self.plan, "", read_samples(self.data, "arrays"))
        self.crew: Callable[[], Crew] = lambda: Processes(1, self.trial, tried)

    def commit(self) -> list[Committed]:
        crew = self.crew()
        try:
            with State(self.folder / "state") as state:
                named = named_fleet(releases(str(self.hub)), self.trial, crew, state)
        finally:
            crew.close()
        return commit_fleet(self.alfa, self.plan, named, draw_from="BRAVO")

    def drawn(self) -> None:
        """BRAVO records something, and everybody hears of it."""
        self.alfa.publish()
        self.alliance.sync()
        bravo = self.alliance.nodes["BRAVO"]
        bravo.sign_and_append("inspection", (RELEASE,), inspection())
        bravo.publish()
        self.alliance.sync()

    def record(self, between: Callable[[], object] = lambda: None) -> Told:
        """Name, why there is no result, locator; *between*: happens after the draws are taken."""
        crew = self.crew()
        try:
            with State(self.folder / "state") as state:
                named = named_fleet(releases(str(self.hub)), self.trial, crew, state)
                fleet = drawn_fleet(self.alfa, self.plan, named)
                between()
                made = evaluate_fleet(fleet, self.trial, crew, state)
                locators = record_fleet(self.alfa, made, state)
        finally:
            crew.close()
        told = [one.told for one in made]
        return [(one["name"].rpartition("/")[2], one["why"], at) for one, at in zip(told, locators, strict=True)]

    def statements(self, kind: str) -> list[Statement]:
        return [one.statement for one in self.alfa.statements() if one.statement.kind == kind]


@pytest.fixture
def fleet(alliance: Alliance, tmp_path: Path) -> Fleet:
    return Fleet(alliance, tmp_path)


def test_what_is_committed_is_drawn_run_and_recorded_as_one_run_would(fleet: Fleet) -> None:
    """Each statement is the one that `evaluate run` makes, seed and sample are each release's own, and what does not
    fit, breaks off or is not drawn yet is told by name and recorded by nobody."""
    committed = fleet.commit()
    assert [(one.name.rpartition("/")[2], one.plan, one.why) for one in committed] == [
        ("folder", "ALFA#0", ""), ("good.onnx", "ALFA#1", ""), ("narrow.onnx", "ALFA#2", ""),
        ("readme.md", None, "not a file .onnx"),
    ]  # fmt: skip
    waiting = "no draw yet: plan ALFA#{} is not cosigned yet"
    assert fleet.record() == [
        ("folder", waiting.format(0), None), ("good.onnx", waiting.format(1), None),
        ("narrow.onnx", waiting.format(2), None), ("readme.md", "not a file .onnx", None),
    ]  # fmt: skip
    fleet.drawn()
    told = fleet.record()
    assert [(name, at) for name, _, at in told] == [
        ("folder", "ALFA#3"), ("good.onnx", "ALFA#4"), ("narrow.onnx", None), ("readme.md", None),
    ]  # fmt: skip
    assert "Got invalid dimensions" in told[2][1]
    made = fleet.statements("evaluation")
    assert len({one.predicate["seed"] for one in made}) == 2
    assert [one.subject[0].name for one in made] == ["folder unversioned", "good.onnx unversioned"]
    for statement, place in zip(made, (fleet.hub / "folder", fleet.hub / "good.onnx"), strict=True):
        planned = find_plan(fleet.alfa, of_release(fleet.plan, manifest_of(place).digest))
        draw = draw_of(fleet.alfa, planned)
        alone = run(
            evaluating.read_plan(planned.signed.statement), draw.seed, fleet.trial.samples,
            lambda: open_subject(fleet.plan.subject, place, None),  # noqa: B023
        )  # fmt: skip
        assert record_evaluation(fleet.alfa, alone, planned, draw).id == statement.id
        assert untimed(report(fleet, statement)) == untimed(alone)
        assert statement.predicate["environment"] == alone.environment_digest
        assert statement.predicate["cpu_s"] == f"{report(fleet, statement).done.cpu_s:.2f}"
        assert statement.predicate["plan"] == planned.signed.statement.id


def report(fleet: Fleet, statement: Statement) -> Result:
    found = attached_report(fleet.alfa, statement)
    assert found is not None
    return result_from(parse_json(found, "report", len(found)))


def untimed(result: Result) -> dict[str, Any]:
    return {name: of for name, of in result.value().items() if name != "cpu_s"}


def test_twice_is_once(fleet: Fleet, tmp_path: Path) -> None:
    """A plan is committed once for each release, an evaluation recorded once, and what is on record is not run again:
    neither with the state nor, from its attachment, without."""
    fleet.hub.joinpath("narrow.onnx").unlink()
    fleet.commit()
    assert [one.before for one in fleet.commit()] == [True, True, False]
    assert len(fleet.statements("plan")) == 2
    fleet.drawn()
    first = fleet.record()
    tmp_path.joinpath("state").unlink()

    class Idle(Processes):
        def give(self, batch: Any) -> None:
            assert all(type(piece).__name__ == "Piece" for piece in batch), "a model was run again"
            super().give(batch)

    fleet.crew = lambda: Idle(1, fleet.trial, tried)
    assert fleet.record() == first
    assert len(fleet.statements("evaluation")) == 2


def test_a_fleet_that_is_killed_in_the_middle_records_each_once(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers die with a model in hand, then the node after the first of two statements: one evaluation a release in
    the end. Seen to fail without giving the model out again, and without looking for what was recorded."""
    fleet.hub.joinpath("narrow.onnx").unlink()
    fleet.commit()
    fleet.drawn()
    fleet.crew = lambda: Killed(fleet.trial, tried, 1, lambda piece: type(piece).__name__ == "Model")
    real, seen = record_evaluation, list[str]()

    def stops(*words: Any, **named: Any) -> Any:
        if seen:
            raise KeyboardInterrupt
        seen.append("one")
        return real(*words, **named)

    monkeypatch.setattr("watchword.fleet.evidence.record_evaluation", stops)
    with pytest.raises(KeyboardInterrupt):
        fleet.record()
    assert len(fleet.statements("evaluation")) == 1
    monkeypatch.setattr("watchword.fleet.evidence.record_evaluation", real)
    assert [at for _, _, at in fleet.record()] == ["ALFA#2", "ALFA#3", None]
    assert len(fleet.statements("evaluation")) == 2


def test_another_model_is_not_evaluated_under_the_draw_of_the_committed_one(fleet: Fleet) -> None:
    """A model that was swapped has no plan; one that is swapped after its draw was taken has no result. Seen to fail
    with the digest not compared."""
    fleet.hub.joinpath("narrow.onnx").unlink()
    fleet.commit()
    fleet.drawn()

    def swapped() -> None:
        net(fleet.hub / "good.onnx", -1.0)

    assert fleet.record(between=swapped)[1] == ("good.onnx", "good.onnx: changed while it was read", None)
    assert fleet.record()[1] == ("good.onnx", "its plan was not committed", None)
    assert [one.subject[0].name for one in fleet.statements("evaluation")] == ["folder unversioned"]


def test_a_state_that_says_other_counts_is_not_signed(fleet: Fleet, tmp_path: Path) -> None:
    """Counts that do not follow from the rows, and rows of another form, are recorded by nobody."""
    made = run(
        of_release(fleet.plan, manifest_of(fleet.hub / "good.onnx").digest), "x", fleet.trial.samples,
        lambda: open_subject(fleet.plan.subject, fleet.hub / "good.onnx", None),
    )  # fmt: skip
    value = made.value()
    assert result_from(value).encoded() == made.encoded()
    fewer, forms = {"rows": value["rows"][1:]}, ({"rows": [{"x": 1}]}, {"clean": None}, {"plan": {}})
    with State(tmp_path / "state") as state:
        for changes in ({"k": made.k - 1}, fewer, *forms):
            with pytest.raises(ValueError, match="not an evaluation"):
                result_from(value | changes)
            place = state.put(None, json.dumps({"evaluation": value | changes}).encode())
            assert record_fleet(fleet.alfa, [Evaluated({}, place, True)], state) == [None]
    assert fleet.statements("evaluation") == []


def test_a_command_that_is_killed_records_each_release_once(tmp_path: Path) -> None:
    """SIGKILL while the second model is fetched to be run: given again, the first is not fetched again, and there is
    one evaluation of each. Seen to fail without the lines of the state."""
    for name, sign in (("a.onnx", 1.0), ("b.onnx", -1.0)):
        net(tmp_path / "hub" / name, sign)
    tmp_path.joinpath("plan.toml").write_text(PLAN)
    data = sums(tmp_path / "sums.npz")
    with quick_disk():
        make_alliance(tmp_path / "one", ("ALFA",)).close()
    home = tmp_path / "one" / "ALFA"
    started = threading.Event()

    def kills(path: str, _first: int, part: bytes) -> bytes:
        if path == "/b.onnx" and started.wait(60):
            command.kill()
        return part

    with serving(folder_over_http(tmp_path / "hub")) as server:
        words = ["fleet", "evaluate", str(tmp_path / "plan.toml"), f"http://{server.host}/", "--data", str(data)]
        words += ["--jobs", "1", "--home", str(home)]
        assert main([*words, "--commit"]) == 0
        server.lie = kills
        command = subprocess.Popen([sys.executable, "-m", "watchword", *words, "--record"])
        started.set()
        assert command.wait(60) == -signal.SIGKILL
        server.lie = None
        before = len(server.asked)
        assert main([*words, "--record"]) == 1
        assert {path for path, wanted in server.asked[before:] if wanted} == {"/b.onnx"}
    with Node.open(home) as alfa:
        made = [one.statement for one in alfa.statements() if one.statement.kind == "evaluation"]
    assert [one.subject[0].name for one in made] == ["a.onnx unversioned", "b.onnx unversioned"]

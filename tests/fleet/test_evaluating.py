"""One plan on a fleet of models: each result that of `evaluate run`, nothing lost, nothing passed without one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from evaluate.planned import sums
from fleet.hubs import Registry, bucket_over_s3, folder_over_http, serving
from fleet.killed import Killed
from fleet.models import PLAN, hub_of_models, net
from fleet.test_far import s3

from watchword.cli import main
from watchword.evaluate.plan import parse_toml
from watchword.evaluate.run import run
from watchword.evaluate.samples import read_samples
from watchword.evaluate.subjects import open_subject
from watchword.fleet import State, releases
from watchword.fleet.crew import Crew, Processes
from watchword.fleet.evaluating import EACH, Trial, tried
from watchword.fleet.evidence import named_fleet
from watchword.fleet.hub import Release
from watchword.fleet.trials import Evaluated, evaluate_fleet
from watchword.inspect import manifest_of
from watchword.inspect.walk import Found, Listing

pytest.importorskip("onnx", reason="needs onnx")
pytest.importorskip("onnxruntime", reason="needs onnxruntime")

Went = tuple[list[Evaluated], list[bytes]]
Go = Callable[..., Went]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """``hub_of_models``, in a folder called ``hub``."""
    return hub_of_models(tmp_path / "hub")


def trial_of(folder: Path, **changes: Any) -> Trial:
    data = sums(folder / "sums.npz")
    plan = parse_toml(PLAN.encode(), "plan", EACH, manifest_of(data).digest)
    return Trial(plan, "first", read_samples(data, "arrays"), **changes)


@pytest.fixture
def go(tmp_path: Path) -> Go:
    """``go(hub, state=None, crew=None, trial=None)``: the outcomes, and the results as bytes."""

    def went(
        hub: str | list[Release], state: Path | None = None, crew: Callable[[Trial], Crew] | None = None,
        trial: Trial | None = None,
    ) -> Went:  # fmt: skip
        trial = trial or trial_of(tmp_path)
        worker = crew(trial) if crew else Processes(1, trial, tried)
        try:
            with State(state) as kept:
                made = evaluate_fleet(releases(hub) if isinstance(hub, str) else hub, trial, worker, kept)
                return made, [kept.at(one.place) for one in made]
        finally:
            worker.close()

    return went


def names(made: list[Evaluated]) -> list[str]:
    return [one.told["name"].rpartition("/")[2] for one in made]


def test_each_result_is_that_of_evaluate_run(models: Path, go: Go, tmp_path: Path) -> None:
    """Counts, rows, environment, flags and plan of every model are those of a run on it alone, and what does not fit or
    breaks off has no result, with the reason."""
    made, bodies = go(str(models))
    assert names(made) == ["folder", "good.onnx", "narrow.onnx", "readme.md"]
    assert [one.told["meets"] for one in made] == [False, True, False, False]
    samples = read_samples(tmp_path / "sums.npz", "arrays")
    for body, place in zip(bodies, (models / "folder", models / "good.onnx"), strict=False):
        plan = parse_toml(PLAN.encode(), "plan", manifest_of(place).digest, manifest_of(tmp_path / "sums.npz").digest)
        alone = run(plan, "first", samples, lambda: open_subject(plan.subject, place, None)).value()  # noqa: B023
        assert json.loads(body)["evaluation"] == {name: of for name, of in alone.items() if name != "cpu_s"}
        assert len(alone["rows"]) == 20
    assert [one.told["evaluation"] is None for one in made] == [False, False, True, True]
    assert "Got invalid dimensions" in made[2].told["why"]
    assert made[3].told["why"] == "not a file .onnx"


def test_any_number_of_processes_gives_the_same_results(models: Path, go: Go, tmp_path: Path) -> None:
    """Two processes give the bytes that one gives; so does a run that goes on with its state, and one whose workers are
    killed with the model in hand. Seen to fail without giving the model out again."""
    state = tmp_path / "state"
    _, expected = go(str(models))

    part = [one for one in releases(str(models)) if one.name.endswith("good.onnx")]
    assert [one.before for one in go(part, state)[0]] == [False]
    made, bodies = go(str(models), state, crew=lambda trial: Killed(trial, tried, 2))
    assert bodies == expected
    assert [one.before for one in made] == [False, True, False, False]


def test_a_model_on_which_all_die_has_no_result(models: Path, go: Go) -> None:
    """After the second death it is named and does not pass; the others have their results."""

    hub = [one for one in releases(str(models)) if not one.name.endswith("narrow.onnx")]
    made, _ = go(hub, crew=lambda trial: Killed(trial, tried, 9, lambda piece: piece.name.endswith("folder")))
    assert [(one.told["meets"], one.told["why"]) for one in made] == [
        (False, "the processes that ran it ended"), (True, ""), (False, "not a file .onnx"),
    ]  # fmt: skip


def test_another_seed_plan_or_model_is_not_answered_from_the_state(models: Path, go: Go, tmp_path: Path) -> None:
    """Seen to fail with seed and plan left out of the key. What has no result is tried again."""
    state, hub = tmp_path / "state", list(releases(str(models)))[1:]
    assert [one.before for one in go(hub, state)[0]] == [False, False, False]
    assert [one.before for one in go(hub, state)[0]] == [True, False, False]
    trial = trial_of(tmp_path)
    other = Trial(trial.template, "second", trial.samples)
    assert [one.before for one in go(hub[:1], state, trial=other)[0]] == [False]
    net(models / "good.onnx", -1.0)
    made, _ = go(list(releases(str(models)))[1:2], state)
    assert (made[0].before, made[0].told["meets"]) == (False, False)


def test_a_model_that_hangs_is_ended_and_stops_nothing(tmp_path: Path, go: Go) -> None:
    """It has no result, with the reason; the model beside it has its own."""
    for name, answer in (("hangs", "time.sleep(60)"), ("sums", "x @ ([[-1.0, 1.0]] * 4)")):
        tmp_path.joinpath("hub", name).mkdir(parents=True)
        code = f"import time\ndef load():\n    return lambda x: {answer}\n"
        tmp_path.joinpath("hub", name, "model.py").write_text(code)
    plan = PLAN.replace('"onnx"', '"python"').replace("model.onnx", "model.py:load")
    data = sums(tmp_path / "sums.npz")
    template = parse_toml(plan.encode(), "plan", EACH, manifest_of(data).digest)
    made, _ = go(str(tmp_path / "hub"), trial=Trial(template, "first", read_samples(data, "arrays"), answer_s_max=0.5))
    assert "gave no answer within 0.5 s" in made[0].told["why"]
    assert (made[0].told["meets"], made[1].told["meets"], made[1].told["why"]) == (False, True, "")


@contextmanager
def hub_at(kind: str, models: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of *models*, served as *kind* of hub."""
    if kind == "http":
        with serving(folder_over_http(models)) as server:
            yield f"http://{server.host}/"
    elif kind == "s3":
        pytest.importorskip("obstore", reason="the extra `fleet` is not installed")
        from watchword.fleet import stores

        with serving(bucket_over_s3(models.parent)) as server:
            s3(monkeypatch, server.host)
            stores._store.cache_clear()
            yield f"s3://{models.name}"
        stores._store.cache_clear()
    else:
        registry = Registry()
        for place in sorted(models.iterdir()):
            files = sorted(place.iterdir()) if place.is_dir() else [place]
            registry.push(place.name, "1", {one.name: one.read_bytes() for one in files})
        with serving(registry.answers()) as server:
            yield f"oci://{server.host}"


@pytest.mark.parametrize(("kind", "jobs"), [("http", 1), ("s3", 2), ("oci", 1)])
def test_a_far_model_lands_once_and_is_gone(
    models: Path, go: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, jobs: int
) -> None:
    """Over a web server, a bucket and a registry each result has the bytes of that of the files here, but for its name,
    and to name a release nothing lands; nothing stays behind."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    models.joinpath("narrow.onnx").unlink()
    _, here = go(str(models))
    trial = trial_of(tmp_path, scratch=str(scratch))
    with hub_at(kind, models, monkeypatch) as address:
        made, far = go(address, trial=trial, crew=lambda trial: Processes(jobs, trial, tried))
        scratch.rmdir()  # it is empty
        with State(None) as state:
            named = named_fleet(releases(address), trial, Processes(1, trial, tried), state)
    assert [re.sub(rb'"name":"[^"]*",', b"", body) for body in far] == [
        re.sub(rb'"name":"[^"]*",', b"", body) for body in here
    ]
    assert [one.told["meets"] for one in made] == [False, True, False]
    assert [one.digest for one in named] == [one.told["release"] for one in made]


class Elsewhere:
    """A file somewhere, promised to have a digest."""

    def __init__(self, content: bytes, promised: str | None = None) -> None:
        self.content, self.promised = content, promised

    def read(self, start: int, length: int) -> bytes:
        return self.content[start : start + length]


@pytest.mark.parametrize(
    ("path", "size", "promised", "why"),
    [
        ("../model.onnx", 3, None, "part"), ("model.onnx", 3, "0" * 64, "not what its digest promises"),
        ("model.onnx", 17 * 1024**3, None, "more than the 17,179,869,184"),
    ],
)
def test_what_comes_from_elsewhere_is_not_believed(
    go: Go, tmp_path: Path, path: str, size: int, promised: str | None, why: str
) -> None:
    """A path out of its folder, another content than promised, more than is fetched: no result, and nothing written.
    Each was seen to fail without its check."""
    files = (Found(Path(path), path, size, far=Elsewhere(b"abc", promised)), Found(Path("x"), "model.onnx", 1))
    listing = Listing(files[: 2 if ".." in path else 1], ())
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    made, _ = go([Release("far://x", lambda: listing)], trial=trial_of(tmp_path, scratch=str(scratch)))
    assert why in made[0].told["why"]
    assert not made[0].told["meets"]
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["scratch", "sums.npz"]


def test_a_cache_of_the_hub_is_evaluated(tmp_path: Path, go: Go) -> None:
    """Its files are links into blobs; the model is copied from there, and its digest is that of the plain file."""
    repository = tmp_path / "cache" / "models--org--name"
    repository.joinpath("snapshots", "c0ffee").mkdir(parents=True)
    net(repository / "blobs" / "1234")
    repository.joinpath("snapshots/c0ffee/model.onnx").symlink_to("../../blobs/1234")
    made, _ = go(str(tmp_path / "cache"))
    plain = net(tmp_path / "plain" / "model.onnx")
    assert (made[0].told["release"], made[0].told["meets"]) == (manifest_of(plain).digest, True)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('interface = "onnx"', 'interface = "chat"', "its subject is an endpoint"),
        ("[data]", f'release = "sha256:{"1" * 64}"\n[data]', "is about one release"),
        ("[data]", f'[data]\ndigest = "sha256:{"1" * 64}"', "its data is sha256:1111"),
        ("n = 20", "n = 41", "the data has 40"),
    ],
)
def test_a_plan_that_is_for_no_fleet_stops_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, says: str
) -> None:
    """An endpoint, a release of its own, other data, too few instances: an error, exit 2, no state."""
    plan, data = tmp_path / "plan.toml", sums(tmp_path / "sums.npz")
    plan.write_text(PLAN.replace(old, new, 1))
    asked = ["fleet", "evaluate", str(plan), str(tmp_path), "--data", str(data), "--rehearse", "x"]
    assert main([*asked, "--state", str(tmp_path / "state")]) == 2
    assert says in capsys.readouterr().err
    assert not tmp_path.joinpath("state").exists()

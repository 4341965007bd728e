"""A fleet as a whole: the same bytes whoever looks, nothing read twice, nothing lost with who dies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fleet.hubs import Look
from fleet.killed import Killed

from watchword.fleet import BadHub, State, inspect_fleet, looking, releases
from watchword.fleet.crew import Batch, Processes
from watchword.fleet.looking import Made, Piece
from watchword.inspect import NothingThere, inspect_path
from watchword.inspect.file import How


def test_every_release_has_its_verdict(hub: Path, look: Look) -> None:
    """What stands directly in the hub is a release, and is judged as ``inspect`` judges it."""
    looked, bodies = look(str(hub))
    told = [(one.summary.name.rpartition("/")[2], str(one.summary.verdict), one.summary.files) for one in looked]
    assert told == [
        ("alpha", "nothing-found", 2),
        ("beta", "nothing-found", 1),
        ("gamma", "dangerous", 1),
        ("single.safetensors", "nothing-found", 1),
    ]
    for one, body in zip(looked, bodies, strict=True):
        assert json.loads(body) == inspect_path(Path(one.summary.name)).to_json()


def test_any_number_of_processes_gives_the_same_bytes(hub: Path, look: Look) -> None:
    """One process, two, and a large release shared file by file: the same results in the same order."""
    _, alone = look(str(hub))
    _, shared = look(str(hub), crew=Processes(2, How()))
    assert shared == alone


def test_a_large_release_is_shared_file_by_file(hub: Path, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above FLEET_SPLIT_BYTES each file is a piece of its own, and the inspection is the same."""
    _, whole = look(str(hub))
    monkeypatch.setattr("watchword.fleet.run.FLEET_SPLIT_BYTES", 1)
    given: list[int | None] = []

    class Told(Processes):
        def give(self, batch: Batch) -> None:
            given.extend(piece.file for piece in batch)
            super().give(batch)

    _, parts = look(str(hub), crew=Told(1, How()))
    assert parts == whole
    assert given == [0, 1, None, None, None]


def test_depth_says_what_a_release_is(hub: Path, look: Look) -> None:
    """At depth 0 the hub is one release; two down, a file that stands higher is one of its own."""
    assert [one.summary.files for one in look(str(hub), 0)[0]] == [5]
    names = [one.summary.name.removeprefix(f"{hub}/") for one in look(str(hub), 2)[0]]
    assert names == [
        "alpha/config.json", "alpha/model.safetensors", "beta/weights.pkl", "gamma/nested", "single.safetensors",
    ]  # fmt: skip


def test_what_was_seen_is_not_read_again(hub: Path, look: Look, tmp_path: Path) -> None:
    """The second run takes all from the state; a file that changed is looked at again, and only that release."""
    first, bodies = look(str(hub), state=tmp_path / "state")
    again, same = look(str(hub), state=tmp_path / "state")
    assert ([one.before for one in first], [one.before for one in again]) == ([False] * 4, [True] * 4)
    assert same == bodies
    hub.joinpath("beta", "weights.pkl").write_bytes(hub.joinpath("gamma/nested/head.pkl").read_bytes())
    changed, _ = look(str(hub), state=tmp_path / "state")
    assert [(one.before, str(one.summary.verdict)) for one in changed] == [
        (True, "nothing-found"), (False, "dangerous"), (True, "dangerous"), (True, "nothing-found"),
    ]  # fmt: skip


def test_another_way_to_look_is_not_answered_from_the_state(hub: Path, look: Look, tmp_path: Path) -> None:
    """A result without hashes does not stand for one with them. Seen to fail with the options left out of the key."""
    look(str(hub), state=tmp_path / "state", how=How(hash_files=False))
    looked, _ = look(str(hub), state=tmp_path / "state")
    assert [one.before for one in looked] == [False] * 4
    assert all(one.summary.digest for one in looked)


def test_a_stopped_run_goes_on(hub: Path, look: Look, tmp_path: Path) -> None:
    """Stopped after two releases, the next run looks at the other two, and the results are those of one run."""
    _, expected = look(str(hub))

    class Stops(Processes):
        def taken(self) -> tuple[Batch, list[Made] | None]:
            raise KeyboardInterrupt

    state, how = tmp_path / "state", How()
    with State(state) as kept, pytest.raises(KeyboardInterrupt):
        fleet = list(releases(str(hub)))
        inspect_fleet(fleet[:2], how, Processes(1, how), kept)
        inspect_fleet(fleet[2:], how, Stops(1, how), kept)
    looked, bodies = look(str(hub), state=state)
    assert [one.before for one in looked] == [True, True, False, False]
    assert bodies == expected


def test_a_line_that_was_cut_off_is_not_there(hub: Path, look: Look, tmp_path: Path) -> None:
    """A torn or altered line is looked at again. Seen to fail with the digest of the line unchecked."""
    state = tmp_path / "state"
    _, bodies = look(str(hub), state=state)
    written = state.read_bytes()
    state.write_bytes(written[:-50])
    assert [one.before for one in look(str(hub), state=state)[0]] == [True, True, True, False]
    state.write_bytes(written.replace(b"dangerous", b"harmless_"))
    looked, same = look(str(hub), state=state)
    assert [one.before for one in looked] == [True, True, False, True]
    assert same == bodies


def test_a_file_that_is_no_state_is_left_alone(hub: Path, tmp_path: Path) -> None:
    """Nothing is added to somebody's notes, and two processes do not write one state."""
    from watchword.fleet.state import BadState

    notes = tmp_path / "notes.txt"
    notes.write_text("remember the milk\n")
    with pytest.raises(BadState, match="not the state of a fleet"):
        State(notes)
    assert notes.read_text() == "remember the milk\n"
    with State(tmp_path / "state"), pytest.raises(BadState, match="another process writes there"):
        State(tmp_path / "state")


def _of_gamma(piece: Piece) -> bool:
    return piece.name.endswith("gamma")


@pytest.mark.parametrize("times", [1, 2])
def test_a_killed_worker_loses_nothing(hub: Path, look: Look, times: int) -> None:
    """Whoever dies on a batch is replaced, and the results are those of a quiet run. Seen to fail without giving
    the batch out again."""
    _, expected = look(str(hub))
    assert look(str(hub), crew=Killed(How(), looking.look, times, _of_gamma))[1] == expected


def test_a_file_on_which_all_die_has_that_verdict(hub: Path, look: Look, tmp_path: Path) -> None:
    """It alone is unreadable, everything beside it is judged, and the next run looks at it again."""
    looked, bodies = look(str(hub), crew=Killed(How(), looking.look, 9, _of_gamma), state=tmp_path / "state")
    assert [str(one.summary.verdict) for one in looked] == [
        "nothing-found", "nothing-found", "unreadable", "nothing-found",
    ]  # fmt: skip
    assert json.loads(bodies[2])["findings"][0]["rule"] == "inspector-failed"
    assert [one.before for one in look(str(hub), state=tmp_path / "state")[0]] == [True, True, False, True]


def test_a_file_that_changes_is_a_verdict_and_stops_nothing(hub: Path, look: Look) -> None:
    """A file that cannot be read is unreadable in its release; the others have their verdicts."""
    gone = hub / "beta" / "weights.pkl"

    class Deletes(Processes):
        def taken(self) -> tuple[Batch, list[Made] | None]:
            gone.unlink(missing_ok=True)
            return super().taken()

    verdicts = [str(one.summary.verdict) for one in look(str(hub), crew=Deletes(1, How()))[0]]
    assert verdicts == ["nothing-found", "unreadable", "dangerous", "nothing-found"]


def test_an_empty_hub_is_nothing_looked_at(tmp_path: Path, look: Look) -> None:
    """Nothing there is an error and never a clean result; a hub that is not there as well."""
    tmp_path.joinpath("hub", "empty").mkdir(parents=True)
    with pytest.raises(NothingThere):
        look(str(tmp_path / "hub"))
    with pytest.raises(BadHub, match="no such file"):
        look(str(tmp_path / "missing"))


def test_a_link_in_a_hub_is_told(hub: Path, look: Look) -> None:
    """A release that is a link is not followed and not passed over, and no process is asked about it."""
    hub.joinpath("delta").symlink_to("/etc")
    crew = Killed(How(), looking.look, 9, lambda piece: not piece.listing.files)
    assert [str(one.summary.verdict) for one in look(str(hub), crew=crew)[0]][2] == "unreadable"
    assert crew.times == 9


def test_a_cache_of_the_hub_is_read_as_one(tmp_path: Path, look: Look) -> None:
    """Each snapshot is a release, and its links into the blobs of its own repository are its files; a link anywhere
    else is still an escape. Seen to fail with every link in the cache followed."""
    cache = tmp_path / "cache"
    repository = cache / "models--org--name"
    for folder in ("blobs", "refs", "snapshots/c0ffee/sub", "snapshots/bad"):
        repository.joinpath(folder).mkdir(parents=True)
    repository.joinpath("blobs", "1234").write_bytes(b"{}")
    repository.joinpath("snapshots/c0ffee/config.json").symlink_to("../../blobs/1234")
    repository.joinpath("snapshots/c0ffee/sub/more.json").symlink_to("../../../blobs/1234")
    tmp_path.joinpath("secret").write_bytes(b"{}")
    repository.joinpath("blobs", "5678").symlink_to(tmp_path / "secret")
    repository.joinpath("snapshots/bad/config.json").symlink_to("../../blobs/5678")
    looked, bodies = look(str(cache))
    assert [(one.summary.name.removeprefix(f"{cache}/"), str(one.summary.verdict)) for one in looked] == [
        ("org/name@bad", "unreadable"),
        ("org/name@c0ffee", "nothing-found"),
    ]
    assert [one["path"] for one in json.loads(bodies[1])["files"]] == ["config.json", "sub/more.json"]


def test_an_inspection_is_read_back_as_it_was(hub: Path, look: Look) -> None:
    """Each inspection of the state is the one that looking gave, so that it can be signed; one whose files do not make
    up its manifest is none."""
    from watchword.inspect.written import inspection_from

    for one, body in zip(*look(str(hub)), strict=True):
        assert inspection_from(json.loads(body)) == inspect_path(Path(one.summary.name))
    altered = json.loads(body)
    altered["files"][0]["sha256"] = 64 * "a"
    for broken in (altered, {}, altered | {"manifest": 7}):
        with pytest.raises(ValueError, match=r"not an inspection|do not make up"):
            inspection_from(broken)

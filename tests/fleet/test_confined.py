"""A fleet's parsers run where they reach nothing, by default; what is far is read for them, and no more than it."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fleet.hubs import Look, folder_over_http, safetensors, serving

from watchword.cli import main
from watchword.fleet.crew import Processes
from watchword.inspect import confined
from watchword.inspect.facts import FileReport, Verdict
from watchword.inspect.file import How, Inspected
from watchword.inspect.hashing import Step
from watchword.inspect.walk import Found

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no sandbox but on Linux")


@pytest.mark.parametrize("jobs", [1, 2])
def test_confined_workers_give_the_same_bytes(hub: Path, look: Look, jobs: int) -> None:
    """Whether this process looks or several do, and wherever a cache keeps its files."""
    how = How(sandbox="require", hubs=(hub,))
    assert look(str(hub), crew=Processes(jobs, how), how=how)[1] == look(str(hub))[1]
    how = How(sandbox="require")
    assert look(str(hub), crew=Processes(jobs, how), how=how)[1] == look(str(hub))[1]


def test_what_is_far_is_read_for_a_confined_parser(hub: Path, look: Look) -> None:
    """The same bytes as without, of a file of several ranges too, and every range passes as often."""
    hub.joinpath("large").mkdir()
    hub.joinpath("large/model.safetensors").write_bytes(safetensors(5_000_000))
    asked = []
    for way in ("off", "require"):
        with serving(folder_over_http(hub)) as server:
            _, bodies = look(f"http://{server.host}/", how=How(sandbox=way))
            asked.append(server.sent)
            told = [{**json.loads(body), "target": ""} for body in bodies]
            asked.append(told)
    assert asked[:2] == asked[2:]


@pytest.fixture
def taken_over(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Found], object]], None]:
    """``taken_over(does)``: in the confined process, *does* runs in the place of the parser, on every file."""

    def take(does: Callable[[Found], object]) -> None:
        def inspect_file(found: Found, how: How, step: Step) -> Inspected:
            try:
                does(found)
                words = "done"
            except OSError as error:
                words = f"errno {error.errno}"
            return FileReport(found.path, found.size, "0" * 64, "unknown", Verdict.SUSPICIOUS, words), []

        monkeypatch.setattr(confined, "inspect_file", inspect_file)

    return take


@pytest.mark.parametrize(
    "does",
    [
        lambda found: found.place.with_name("new").write_text("x"),
        lambda found: Path("/etc/hostname").read_text(),
        lambda found: socket.create_connection(("127.0.0.1", 9), 1),
        lambda found: os.execv("/bin/true", ["true"]),
    ],
    ids=["write", "read-elsewhere", "network", "program"],
)
def test_a_parser_that_was_taken_over_reaches_nothing(
    hub: Path, tmp_path: Path, taken_over: Callable[..., None], does: Callable[[Found], object]
) -> None:
    """Each is refused in the default run. Seen to fail with ``--sandbox off``."""
    taken_over(does)
    output = tmp_path / "all.jsonl"
    assert main(["fleet", "inspect", str(hub), "--jobs", "1", "--output", str(output)]) == 1
    told = [one["looked"] for line in output.read_text().splitlines() for one in json.loads(line)["files"]]
    assert told and set(told) <= {"errno 1", "errno 13"}


@pytest.mark.parametrize(("start", "length"), [(-1, 10), (0, 11), (10, 1), (0, 0), (5, 6), (0, 1 << 40)])
def test_a_parser_gets_no_other_bytes_than_those_of_its_file(
    look: Look, hub: Path, taken_over: Callable[..., None], start: int, length: int
) -> None:
    """A range that is not all within the file is not asked for. Seen to fail without comparing it with the size."""
    one = hub.parent / "one"
    one.mkdir()
    one.joinpath("ten.bin").write_bytes(b"0123456789")
    taken_over(lambda found: found.far is not None and found.far.read(start, length))
    with serving(folder_over_http(one)) as server:
        looked, bodies = look(f"http://{server.host}/", how=How(sandbox="require"))
        assert [path for path, ranged in server.asked if ranged] == []
    assert json.loads(bodies[0])["findings"][0]["rule"] == "inspector-failed"
    assert str(looked[0].summary.verdict) == "unreadable"

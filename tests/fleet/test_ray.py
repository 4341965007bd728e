"""A Ray cluster of this machine: the same bytes as without, and nothing lost with a process of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alliance import make_alliance, quick_disk
from evaluate.planned import sums
from fleet.hubs import Look
from fleet.models import PLAN, hub_of_models

from watchword.cli import main
from watchword.node import Node

pytest.importorskip("ray", reason="the extra `ray` is not installed")

# In a process of its own: Ray leaves files and processes behind in whoever starts it.
SCRIPT = """
import os, pathlib, sys
from watchword.cli import main
from watchword.fleet import ray_crew, run

flag = pathlib.Path("killed")

def dies(batch, how, work, by):
    from watchword.fleet.ray_crew import _look
    try:
        flag.absolute().touch(exist_ok=False)
    except FileExistsError:
        return _look(batch, how, work, by)
    os.kill(os.getpid(), 9)

flag = flag.absolute()
ray_crew._look = dies
run.FLEET_SPLIT_BYTES = 1
sys.exit(main(["fleet", *sys.argv[1:], "--on", "ray", "--jobs", "2", "--output", "there"]))
"""


def on_a_cluster(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """``fleet`` with *words*, run in *folder*; the first process that is to work is killed.

    Ray gives a cluster 30 s to start and takes no other number: on a busy machine all is tried once more.
    """
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, *words],
            cwd=folder, env=environment, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        if "timed out during startup" not in done.stderr:
            break
    return done


def test_a_cluster_gives_the_same_bytes(hub: Path, look: Look, tmp_path: Path) -> None:
    """File by file, and although the first process that is to look is killed."""
    _, here = look(str(hub))
    done = on_a_cluster(tmp_path, "inspect", str(hub))
    assert done.returncode == 1, done.stderr
    assert tmp_path.joinpath("there").read_bytes() == b"".join(body + b"\n" for body in here)
    assert tmp_path.joinpath("killed").exists()


def test_a_cluster_makes_the_same_manifests(hub: Path, tmp_path: Path) -> None:
    """Of every delivery the bytes that this machine gives, although the first process that is to read is killed."""
    done = on_a_cluster(tmp_path, "data", str(hub))
    assert done.returncode == 0, done.stderr
    assert tmp_path.joinpath("killed").exists()
    assert main(["fleet", "data", str(hub), "--jobs", "1", "--output", str(tmp_path / "here")]) == 0
    there, here = ({one.name: one.read_bytes() for one in (tmp_path / name).iterdir()} for name in ("there", "here"))
    assert there == here
    assert len(here) == 4


def test_a_cluster_evaluates_to_the_same_bytes(tmp_path: Path) -> None:
    """Of every model the result that this machine's own process gives, although the first that is to run is killed."""
    pytest.importorskip("onnx", reason="needs onnx")
    pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    hub, data = hub_of_models(tmp_path / "hub"), sums(tmp_path / "sums.npz")
    tmp_path.joinpath("plan.toml").write_text(PLAN)
    asked = ("evaluate", "plan.toml", str(hub), "--data", str(data), "--rehearse", "first")
    done = on_a_cluster(tmp_path, *asked)
    assert done.returncode == 1, done.stderr
    assert tmp_path.joinpath("killed").exists()
    there = tmp_path.joinpath("there").read_bytes()
    plan = ["fleet", "evaluate", str(tmp_path / "plan.toml"), *asked[2:], "--jobs", "1"]
    assert main([*plan, "--output", str(tmp_path / "here")]) == 1
    assert tmp_path.joinpath("here").read_bytes() == there


def test_what_a_cluster_ran_is_recorded_as_what_this_machine_ran(tmp_path: Path) -> None:
    """The same statements but for the time it took, signed by the node that asked, although a process is killed."""
    pytest.importorskip("onnx", reason="needs onnx")
    pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    hub, data = hub_of_models(tmp_path / "hub"), sums(tmp_path / "sums.npz")
    tmp_path.joinpath("plan.toml").write_text(PLAN)
    with quick_disk():
        make_alliance(tmp_path / "one", ("ALFA",)).close()
    asked = ["evaluate", str(tmp_path / "plan.toml"), str(hub), "--data", str(data), "--home", str(tmp_path / "here")]
    tmp_path.joinpath("one", "ALFA").rename(tmp_path / "here")
    assert main(["fleet", *asked, "--commit", "--jobs", "1"]) == 1
    shutil.copytree(tmp_path / "here", tmp_path / "there-home")
    done = on_a_cluster(tmp_path, *asked[:-1], str(tmp_path / "there-home"), "--record")
    assert "recorded 2 evaluations by ALFA" in done.stdout, done.stderr
    assert tmp_path.joinpath("killed").exists()
    assert main(["fleet", *asked, "--record", "--jobs", "1"]) == 1
    told = [evaluations(tmp_path / name) for name in ("here", "there-home")]
    assert told[0] == told[1]
    assert len(told[0]) == 2


def evaluations(home: Path) -> list[dict[str, Any]]:
    """Those on record, without what is another each time."""
    with Node.open(home) as node:
        said = [one.statement.predicate for one in node.statements() if one.statement.kind == "evaluation"]
    other = ("cpu_s", "report", "made", "after", "salt", "nonce")
    return [{name: value for name, value in one.items() if name not in other} for one in said]

"""A Ray cluster of this machine: the same bytes as without, and nothing lost with a process of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fleet.hubs import Look

pytest.importorskip("ray", reason="the extra `ray` is not installed")

# In a process of its own: Ray leaves files and processes behind in whoever starts it.
SCRIPT = """
import os, pathlib, sys
from watchword.cli import main
from watchword.fleet import ray_crew, run

flag = pathlib.Path("killed")

def dies(batch, how):
    from watchword.fleet.ray_crew import _look
    try:
        flag.absolute().touch(exist_ok=False)
    except FileExistsError:
        return _look(batch, how)
    os.kill(os.getpid(), 9)

flag = flag.absolute()
ray_crew._look = dies
run.FLEET_SPLIT_BYTES = 1
sys.exit(main(["fleet", "inspect", sys.argv[1], "--on", "ray", "--jobs", "2", "--output", "there"]))
"""


def test_a_cluster_gives_the_same_bytes(hub: Path, look: Look, tmp_path: Path) -> None:
    """File by file, and although the first process that is to look is killed."""
    _, here = look(str(hub))
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, hub], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1, done.stderr
    assert tmp_path.joinpath("there").read_bytes() == b"".join(body + b"\n" for body in here)
    assert tmp_path.joinpath("killed").exists()

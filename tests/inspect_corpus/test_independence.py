"""What is said of a file depends on the file alone: not on what is installed beside the inspector, nor on a network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.inspect import floor
from benchmarks.inspect.corpus.cases import place

FRAMEWORKS = (
    *("torch", "sklearn", "numpy", "scipy", "pandas", "joblib", "keras", "tensorflow", "h5py", "onnx", "onnxruntime"),
    *(
        "xgboost",
        "lightgbm",
        "catboost",
        "transformers",
        "safetensors",
        "gguf",
        "skops",
        "dill",
        "cloudpickle",
        "spacy",
    ),
)
SPY = """
import json, sys
from pathlib import Path
seen = []
starts = ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn")
def hook(event, args):
    if event.startswith("socket.") or event in starts:
        seen.append(event)
sys.addaudithook(hook)
from watchword.inspect import inspect_path
result = inspect_path(Path(sys.argv[1]), hash_files=False).to_json()
loaded = sorted(name for name in sys.argv[2].split() if name in sys.modules)
print(json.dumps({"seen": seen, "loaded": loaded, "result": result}))
"""


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every fifth case of the corpus that is written by hand, of every format in it."""
    root = tmp_path_factory.mktemp("delivered")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of the duplicate names that are the attack
        place(list(floor.by_hand())[::5], root)
    (root / "index.jsonl").unlink()
    return root


def look(delivered: Path, beside: Path | None = None, alone: tuple[str, ...] = ()) -> dict[str, Any]:
    path = [str(beside)] if beside else []
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*path, *sys.path])}
    command = [*alone, sys.executable, "-c", SPY, str(delivered), " ".join(FRAMEWORKS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300, env=environment)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_the_same_is_said_whatever_is_installed_and_nothing_is_connected_to(delivered: Path, tmp_path: Path) -> None:
    """Frameworks beside the inspector are never imported and change no word; no socket, no process, with or without
    a network. Fails when a reader imports a framework: the ones here would say so by not being importable."""
    for name in FRAMEWORKS:
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the inspector imported a framework')\n")
    plain, beside = look(delivered), look(delivered, beside=tmp_path)
    assert plain["result"] == beside["result"]
    assert len(plain["result"]["files"]) > 100
    for said in (plain, beside):
        assert (said["seen"], said["loaded"]) == ([], [])
    if os.geteuid() == 0 and shutil.which("unshare"):
        assert look(delivered, alone=("unshare", "-n", "--")) == plain

"""MLflow's registry behind the guard: what is not admitted is neither promoted nor loaded, by MLflow's own client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mlflow", reason="MLflow is not installed (requirements/heavy.txt)")
pytest.importorskip("alembic", reason="what MLflow's database needs is not installed (requirements/heavy.txt)")

# In a process of its own: MLflow keeps its stores and addresses for good, and warns as it likes.
SCRIPT = """
import json, logging, os, pathlib, warnings
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
import mlflow
from mlflow import MlflowClient
from mlflow.tracking._model_registry.utils import _get_store_registry
from watchword.guard.mlflow_registry import store

here = pathlib.Path.cwd()
_get_store_registry().register("watchword", store)  # as the entry point does where watchword is installed
uri = "sqlite:///" + str(here / "registry.db")
mlflow.set_tracking_uri(uri)
mlflow.set_registry_uri("watchword:" + uri)
guarded, plain = MlflowClient(), MlflowClient(uri, uri)

def tried(act):
    try:
        return act()
    except Exception as error:
        return type(error).__name__

said = {}
guarded.create_registered_model("m")
said["bad"] = tried(lambda: guarded.create_model_version("m", str(here / "mail-sorter-2")))
made = guarded.create_model_version("m", str(here / "mail-sorter"))
said["tag"] = plain.get_model_version("m", made.version).tags
said["alias"] = tried(lambda: guarded.set_registered_model_alias("m", "champion", made.version))
said["held"] = tried(lambda: str(guarded.get_model_version_by_alias("m", "champion").version))
loaded = pathlib.Path(mlflow.artifacts.download_artifacts("models:/m@champion"))
said["loaded"] = [str(loaded.parent), sorted(one.name for one in loaded.iterdir())]
(here / "mail-sorter" / "README.md").write_text("changed")
said["changed"] = tried(lambda: mlflow.artifacts.download_artifacts("models:/m@champion"))
said["promoted"] = tried(lambda: guarded.transition_model_version_stage("m", made.version, "Production"))
said["archived"] = tried(lambda: guarded.transition_model_version_stage("m", made.version, "Archived").current_stage)
evil = plain.create_model_version("m", str(here / "mail-sorter-2"))
said["evil"] = tried(lambda: mlflow.artifacts.download_artifacts(f"models:/m/{evil.version}"))
del os.environ["WATCHWORD_USE"]
said["no use"] = tried(lambda: guarded.set_registered_model_alias("m", "champion", made.version))
print(json.dumps(said))
"""


def test_the_registry_refuses_what_is_not_admitted(stage: Callable[[str], Path]) -> None:
    """Dangerous files are not registered; what is admitted has an alias and is loaded as a copy; what changed at its
    source, was put in past the guard, or is for no stated use is refused; archiving needs nothing.

    Seen to fail with each of the four methods of the store left to the store within.
    """
    work = stage("work")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "WATCHWORD_"))}
    environment |= {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "WATCHWORD_HOME": str(work / "ALFA"),
        "WATCHWORD_MODELS": str(work / "models"), "WATCHWORD_USE": str(work / "use.toml"),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=work, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    release = "sha256:b1d2fd1233434760ea7efd2ab7bbdbfdb231df598a41b6497465aebfc33314c7"
    assert said == {
        "bad": "Refused", "tag": {"watchword.release": release}, "alias": None, "held": "1",
        "loaded": [str(work / "models"), ["README.md", "weights.pkl"]], "changed": "Refused", "promoted": "Refused",
        "archived": "Archived", "evil": "Refused", "no use": "NotAsked",
    }  # fmt: skip
    assert (work / "models" / release[7:] / "README.md").read_text().startswith("---")


def test_the_plugin_is_declared_where_mlflow_looks() -> None:
    """Under the scheme that stands in the address."""
    from watchword.guard import mlflow_registry

    text = Path(__file__).resolve().parents[2].joinpath("pyproject.toml").read_text("utf-8")
    declared = tomllib.loads(text)["project"]["entry-points"]["mlflow.model_registry_store"]
    module, _, name = declared[mlflow_registry.SCHEME[:-1]].partition(":")
    assert (module, getattr(mlflow_registry, name)) == (mlflow_registry.__name__, mlflow_registry.store)

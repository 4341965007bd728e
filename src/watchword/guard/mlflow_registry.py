"""MLflow's registry of models behind the guard: a plugin, ``watchword:`` before the address of the registry.

    MLFLOW_REGISTRY_URI=watchword:https://mlflow.example    WATCHWORD_USE=use.toml    WATCHWORD_MODELS=/srv/models

* What is registered is inspected, and refused where something is found; its digest is the version's tag
  ``watchword.release``, so that people know what to admit.
* An alias, or a stage other than ``None`` and ``Archived``, is given only to what is admitted for $WATCHWORD_USE.
* What is loaded by its registered name (``models:/name/1``, ``models:/name@alias``) is a copy: inspected, named by
  digest, admitted, kept in $WATCHWORD_MODELS and handed to MLflow instead of the original (``guard.admitted``).
* The node of $WATCHWORD_HOME is asked, or, with $WATCHWORD_BUNDLE, $WATCHWORD_CHARTER and $WATCHWORD_MEMBER, a proof.
  Without $WATCHWORD_USE nothing is given or loaded.

It belongs into the process that registers or loads. What is loaded by a path, a run or a logged model's id does not
come through a registry, and not through here.
"""

from __future__ import annotations

import functools
import importlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from watchword.errors import WatchwordError
from watchword.guard.admitted import Held, admitted
from watchword.guard.keeping import keep
from watchword.guard.offline import Offline

SCHEME = "watchword:"
TAG = "watchword.release"
META = "registered_model_meta"
"""A file that MLflow writes into what it loads."""
_FREE_STAGES = frozenset({"none", "archived"})


class NotAsked(WatchwordError):
    """The environment does not say for which use, or by what, a model must be admitted."""


def store(store_uri: str, tracking_uri: str | None = None) -> Guarded:
    """The registry at the address behind ``watchword:``; MLflow calls this (``mlflow.model_registry_store``)."""
    inner = store_uri.removeprefix(SCHEME)
    if not inner or inner.startswith(SCHEME):
        raise NotAsked(f"{store_uri[:200]}: no registry behind it", "such as watchword:sqlite:///registry.db")
    return Guarded(inner, tracking_uri)


class Guarded:
    """A registry's store: what gives out or promotes a model asks first, all else is the store's own."""

    def __init__(self, uri: str, tracking_uri: str | None) -> None:
        self._uri, self._tracking_uri = uri, tracking_uri

    @functools.cached_property
    def _inner(self) -> Any:
        # Not when this store is made: MLflow makes one store at a time, and would wait for itself.
        registries: Any = importlib.import_module("mlflow.tracking._model_registry.utils")
        return registries._get_store(self._uri, self._tracking_uri)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def create_model_version(self, name: str, source: str, *args: Any, **more: Any) -> Any:
        """Register what stands at *source*, after looking at it."""
        with _fetched(source) as here, admitted(here) as held:
            made = self._inner.create_model_version(name, source, *args, **more)
            self._tag(name, made.version, held.digest)
        return made

    def transition_model_version_stage(
        self, name: str, version: Any, stage: str, archive_existing_versions: bool
    ) -> Any:
        """Give the stage to what is admitted; to be archived nothing needs to be."""
        if str(stage).lower() not in _FREE_STAGES:
            with self._held(name, version):
                pass
        return self._inner.transition_model_version_stage(name, version, stage, archive_existing_versions)

    def set_registered_model_alias(self, name: str, alias: str, version: Any) -> Any:
        """Give the alias to what is admitted."""
        with self._held(name, version):
            return self._inner.set_registered_model_alias(name, alias, version)

    def get_model_version_download_uri(self, name: str, version: Any) -> str:
        """Where a copy of what is admitted stands."""
        with self._held(name, version) as held:
            goal = _models() / held.digest.removeprefix("sha256:")
            return keep(held, goal, META).as_uri()

    @contextmanager
    def _held(self, name: str, version: Any) -> Iterator[Held]:
        use, offline = _asked()
        place = _models()
        with (
            _fetched(self._inner.get_model_version_download_uri(name, version)) as here,
            admitted(here, use=use, offline=offline, place=place, in_memory=False) as held,
        ):
            yield held

    def _tag(self, name: str, version: Any, digest: str) -> None:
        entities: Any = importlib.import_module("mlflow.entities.model_registry")
        self._inner.set_model_version_tag(name, version, entities.ModelVersionTag(TAG, digest))


@contextmanager
def _fetched(uri: str) -> Iterator[Path]:
    """The files of a model, as MLflow fetches them; gone afterwards where they were fetched."""
    artifacts: Any = importlib.import_module("mlflow.artifacts")
    with tempfile.TemporaryDirectory(prefix="watchword-mlflow-") as folder:
        yield Path(artifacts.download_artifacts(artifact_uri=uri, dst_path=folder))


def _asked() -> tuple[Path, Offline | None]:
    told = {name: os.environ.get(f"WATCHWORD_{name}", "") for name in ("USE", "BUNDLE", "CHARTER", "MEMBER")}
    if not told["USE"]:
        raise NotAsked("WATCHWORD_USE is not set: nothing is admitted for no use", "name the use case (TOML) in it")
    papers = [told[name] for name in ("BUNDLE", "CHARTER", "MEMBER")]
    if any(papers) and not all(papers):
        raise NotAsked("WATCHWORD_BUNDLE, WATCHWORD_CHARTER and WATCHWORD_MEMBER go together", "or leave them out")
    offline = Offline(Path(papers[1]), Path(papers[0]), papers[2]) if all(papers) else None
    return Path(told["USE"]), offline


def _models() -> Path:
    folder = os.environ.get("WATCHWORD_MODELS", "")
    if not folder:
        raise NotAsked("WATCHWORD_MODELS is not set", "a folder of yours in which copies of admitted models are kept")
    path = Path(folder).resolve()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path

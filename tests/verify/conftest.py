"""Loads verify.py by its path, as an auditor runs it: it is no part of the package and must not need it."""

import functools
import importlib.util
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load(name: str, path: Path) -> ModuleType:
    """A module by its path, once."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise RuntimeError(f"{path} cannot be loaded")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def plain_verify() -> ModuleType:
    """The module verify.py as it is."""
    return load("plain_verify", ROOT / "verify.py")


@pytest.fixture(scope="session")
def verify() -> ModuleType:
    """verify.py, remembering which signatures verified: the stories here sign the same bytes over and over."""
    module: Any = load("standalone_verify", ROOT / "verify.py")
    for name in ("verify_ed25519", "verify_mldsa"):
        if not hasattr(getattr(module, name), "cache_info"):
            setattr(module, name, functools.lru_cache(maxsize=None)(getattr(module, name)))
    return module


@pytest.fixture(scope="session")
def builder() -> ModuleType:
    """The small alliance that makes bundles."""
    return load("verify_builder", Path(__file__).parent / "builder.py")


@pytest.fixture(scope="session")
def story(verify: ModuleType, builder: ModuleType) -> Callable[..., Any]:
    """Starts a story: ``story(members=("ALFA",))`` and so on."""
    tale = load("verify_story", Path(__file__).parent / "story.py")
    return lambda **alliance: tale.Story(builder, verify, **alliance)


class Vectors:
    """Others' test vectors, read where they lie; skipped by name where they are absent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def bytes(self, name: str) -> bytes:
        path = self.folder / name
        if not path.is_file():
            pytest.skip(f"vector {name} is absent; set WATCHWORD_VECTORS")
        return path.read_bytes()

    def json(self, name: str) -> Any:
        return json.loads(self.bytes(name))


@pytest.fixture(scope="session")
def vectors() -> Vectors:
    """Reader of $WATCHWORD_VECTORS, by default shared/vectors beside the repository."""
    return Vectors(Path(os.environ.get("WATCHWORD_VECTORS", ROOT.parent / "shared" / "vectors")))

"""What the tests of this room share: others' vectors, and keys that are made once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from watchword.statements.keys import SigningKey, generate

VECTORS = Path(os.environ.get("WATCHWORD_VECTORS", Path(__file__).resolve().parents[2].parent / "shared" / "vectors"))


@pytest.fixture
def vector_path() -> Callable[[str], Path]:
    """A vector file or folder by name; skips the test when it is absent."""

    def find(name: str) -> Path:
        if not (VECTORS / name).exists():
            pytest.skip(f"vectors absent: {name}")
        return VECTORS / name

    return find


@pytest.fixture
def vector(vector_path: Callable[[str], Path]) -> Callable[[str], Any]:
    """The contents of a JSON vector file by name."""
    return lambda name: json.loads(vector_path(name).read_text("utf-8"))


@pytest.fixture(scope="session")
def log_key() -> SigningKey:
    return generate(44)


@pytest.fixture(scope="session")
def witness_keys() -> dict[str, SigningKey]:
    return {name: generate(44) for name in ("witness.example/alfa", "witness.example/bravo")}

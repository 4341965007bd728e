"""Four members that have exchanged, whose charter can be followed by another; made once, and copied for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alliance import Alliance, copy_alliance, quick_disk
from gate.gated import alone as alone
from gate.gated import here as here
from successions import make_four


@pytest.fixture(scope="session")
def four(tmp_path_factory: pytest.TempPathFactory) -> Alliance:
    return make_four(tmp_path_factory.mktemp("four") / "alliance")


@pytest.fixture
def alliance(four: Alliance, tmp_path: Path) -> Iterator[Alliance]:
    with quick_disk():
        copied = copy_alliance(four, tmp_path / "alliance")
        yield copied
        copied.close()

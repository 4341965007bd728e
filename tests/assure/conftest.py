"""Releases as suppliers deliver them, and an alliance of one to look at them."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alliance import NOON

from watchword.assure import embedded_node
from watchword.node import Node
from watchword.statements.times import FixedClock

CARD = b"---\nlicense: apache-2.0\nbase_model: aquila/base\ndatasets: [border-v2]\n---\n# recon-vision\n"


class RunsACommand:
    """Loading it would run a command; nothing here loads it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("echo pwned",)


def deliver(folder: Path, *, hidden_code: bool = False) -> Path:
    folder.mkdir(parents=True)
    (folder / "README.md").write_bytes(CARD)
    (folder / "weights.pkl").write_bytes(pickle.dumps({"layer": [1.0, 2.0]}))
    if hidden_code:
        (folder / "head.pkl").write_bytes(pickle.dumps(RunsACommand()))
    return folder


def use_case(criticality: int = 0) -> dict[str, Any]:
    return {
        "format": "watchword-use-case/1",
        "name": "mail-triage",
        "purpose": "Sort attachments of incoming mail by file type",
        "criticality": criticality,
        "human": "on",
        "members": ["LOCAL"],
        "owner": "LOCAL",
        "tags": [],
    }


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture(name="deliver")
def deliver_() -> Callable[..., Path]:
    return deliver


@pytest.fixture(name="use_case")
def use_case_() -> Callable[..., dict[str, Any]]:
    return use_case


@pytest.fixture
def alone(tmp_path: Path, clock: FixedClock) -> Iterator[Node]:
    """The embedded node, open for writing."""
    home, made = embedded_node(tmp_path / "node", clock=clock)
    assert made
    with Node.open(home, clock=clock, writing=True) as node:
        yield node

"""Inputs made from others, for the searches that coverage guides: one place for all of them."""

from __future__ import annotations

import copy
import json
import random
import tomllib
from collections.abc import Sequence
from datetime import date
from datetime import time as dtime
from typing import Any


def mutate(rng: random.Random, corpus: Sequence[bytes], pieces: Sequence[bytes], length_max: int) -> bytes:
    """One of the *corpus*, changed in one to four places by *pieces*, other bytes and other inputs; cut to bytes."""
    data = rng.choice(corpus)
    for _ in range(rng.randint(1, 4)):
        at, other = sorted((rng.randint(0, len(data)), rng.randint(0, len(data))))
        what = rng.randrange(6)
        if what == 0:
            data = data[:at] + rng.choice(pieces) + data[at:]
        elif what == 1:
            data = data[:at] + data[other:]
        elif what == 2:
            data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
        elif what == 3:
            data = data[:at] + rng.choice(corpus)[rng.randint(0, len(data)) :]
        elif what == 4:
            data = data[:other] + data[at:other] * rng.randint(1, 3) + data[other:]
        else:
            data = data[:at] + b"".join(rng.choices(pieces, k=rng.randint(1, 6))) + data[other:]
    return data[:length_max]


ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**53, 10**40, 0.5, 1e300, "", "x", "\ud800", "\0", "9" * 5_000,
    [], [None], [[]], {}, {"": None},
)  # fmt: skip
"""Values that a field is seldom meant to have."""


def mutate_json(rng: random.Random, data: bytes) -> bytes:
    """A document of JSON, or of one on each line, with one to three values replaced, moved or left out; as it
    is where it is none. Half of them are spelled as canonical JSON is."""
    try:
        values = [json.loads(line) for line in data.splitlines()] if b"\n{" in data else [json.loads(data)]
    except (ValueError, RecursionError):
        return data
    if not _changed(rng, values):
        return data
    if rng.random() < 0.5:
        return b"\n".join(json.dumps(value).encode() for value in values)
    spelled = (json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for value in values)
    return b"\n".join(text.encode("utf-8", "surrogatepass") for text in spelled)


def mutate_toml(rng: random.Random, data: bytes) -> bytes:
    """A document of TOML, changed in the same way; as it is where it is none."""
    try:
        values: list[Any] = [tomllib.loads(data.decode())]
    except (ValueError, RecursionError):
        return data
    if not _changed(rng, values) or not isinstance(values[0], dict):
        return data
    lines = [f"{json.dumps(name)} = {_toml(value)}\n" for name, value in values[0].items() if value is not None]
    return "".join(lines).encode("utf-8", "surrogatepass")


def _toml(value: Any) -> str:
    """*value* on one line; TOML has no null, so an empty text stands for it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {_toml(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, date | dtime):
        return value.isoformat()
    return '""' if value is None else json.dumps(value)


def _changed(rng: random.Random, values: list[Any]) -> bool:
    """Replace, move or leave out one to three of what *values* hold; whether anything is left."""
    for _ in range(rng.randint(1, 3)):
        places = _places(values)
        held, key = rng.choice(places)
        what = rng.randrange(4)
        if what == 0 and len(places) > 1:
            del held[key]
        elif what == 1:
            other, place = rng.choice(places)
            held[key] = copy.deepcopy(other[place])
        else:
            held[key] = copy.deepcopy(rng.choice(ODD))
        if not values:
            return False
    return True


def _places(values: list[Any]) -> list[tuple[Any, Any]]:
    """Every container in *values*, itself among them, with each of its keys."""
    found: list[tuple[Any, Any]] = []
    waiting: list[Any] = [values]
    while waiting:
        held = waiting.pop()
        keys = list(held) if isinstance(held, dict) else list(range(len(held)))
        found += [(held, key) for key in keys]
        waiting += [held[key] for key in keys if isinstance(held[key], dict | list)]
    return found

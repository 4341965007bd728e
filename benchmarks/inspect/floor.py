"""The floor: cases that watchword once judged rightly, which it may never judge wrongly again.

``floor.json`` holds ids, no files: ``executed`` (the oracle saw the payload act), ``caught`` (malicious, alarmed on),
``quiet`` (benign, nothing found). ``raise_floor`` only adds; to take an id away, a person edits the file and says why.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.inspect.corpus import chains, delivered, gadgets
from benchmarks.inspect.corpus.cases import Case, Placed
from benchmarks.inspect.own import alarmed

FILE = Path(__file__).with_name("floor.json")


def by_hand() -> Iterator[Case]:
    """The part of the corpus that needs no framework: regenerated anywhere in a second."""
    for module in (gadgets, chains, delivered):
        yield from module.cases()
    yield from delivered.lookalikes()


def read() -> dict[str, list[str]]:
    """``executed``, ``caught`` and ``quiet``, each a sorted list of ids."""
    held: dict[str, list[str]] = json.loads(FILE.read_text("utf-8"))
    return held


def lost(cases: Sequence[Placed], said: Mapping[str, str]) -> list[str]:
    """What has fallen below the floor, in words; only *cases* that are here are asked about."""
    held = read()
    here = {case.id for case in cases}
    gone = [f"{key}: once caught, now {said[key]}" for key in held["caught"] if key in here and not alarmed(said[key])]
    noisy = [f"{key}: once quiet, now {said[key]}" for key in held["quiet"] if key in here and alarmed(said[key])]
    crashed = [f"{key}: {verdict}" for key, verdict in said.items() if verdict.startswith("crashed")]
    return gone + noisy + crashed


def raise_floor(cases: Sequence[Placed], said: Mapping[str, str], executed: set[str]) -> None:
    """Add what is judged rightly now. Ids of cases that are not *here* stay as they are."""
    held = read() if FILE.exists() else {"executed": [], "caught": [], "quiet": []}
    caught = {case.id for case in cases if case.malicious and alarmed(said[case.id])}
    quiet = {case.id for case in cases if not case.malicious and said[case.id] == "nothing-found"}
    known = {case.id for case in cases}
    new = {
        "executed": sorted((set(held["executed"]) - known) | (executed & known)),
        "caught": sorted(set(held["caught"]) | caught),
        "quiet": sorted(set(held["quiet"]) | quiet),
    }
    FILE.write_text(json.dumps(new, indent=0) + "\n", "utf-8")

"""Labels a corpus by loading every case in a sandbox: no opinion, what an audit hook saw.

One process per case: a folder of its own that may be spoilt, limits on time and memory, no network (its own network
namespace where we may make one, otherwise only the refusal of the machine). Blind spots, named: what native code does
without Python's knowledge is seen only by the marker it leaves; ``_posixsubprocess`` raises no event.

* ``executed``: the payload was seen to act.
* ``harmless``: the loader took the whole file and nothing was seen. Not counted against anybody.
* ``not seen``: the loader refused, a module is not installed here, or there is no loader: its author's word stands.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.inspect.corpus.cases import MARKER, Placed
from benchmarks.inspect.corpus.gadgets import BESIDE

ROOT = Path(__file__).resolve().parents[2]
SECONDS_MAX = 90
TOGETHER = 2

Verified = Literal["executed", "harmless", "not seen"]


@dataclass(frozen=True)
class Label:
    """What happened when the case was loaded. ``seen`` are the dangerous events, in order; ``why`` its last words."""

    verified: Verified
    seen: tuple[str, ...]
    outcome: str
    why: str


def label(cases: Iterable[Placed], python: Path, said: Path) -> dict[str, Label]:
    """Load each case with *python*'s frameworks, and keep the labels in *said*; those already there are kept."""
    known: dict[str, Any] = json.loads(said.read_text("utf-8")) if said.exists() else {}
    todo = [case for case in cases if case.id not in known]
    with ThreadPoolExecutor(TOGETHER) as pool:
        for case, found in zip(todo, pool.map(lambda case: _load(case, python), todo), strict=True):
            known[case.id] = {**found.__dict__, "seen": list(found.seen)}
    said.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")
    return {key: Label(**{**value, "seen": tuple(value["seen"])}) for key, value in known.items()}


def _load(case: Placed, python: Path) -> Label:
    with tempfile.TemporaryDirectory() as name:
        sandbox = Path(name)
        work, log = sandbox / "work", sandbox / "log"
        shutil.copytree(case.folder, work / "case")
        for path, content in BESIDE:
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_bytes(content)
        (sandbox / "tmp").mkdir()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(sandbox / "tmp"),
            "TMPDIR": str(sandbox / "tmp"),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "KERAS_BACKEND": "torch",
            "OMP_NUM_THREADS": "1",
        }
        alone = ["unshare", "-n", "--"] if os.geteuid() == 0 and shutil.which("unshare") else []
        command = [*alone, str(python), "-m", "benchmarks.inspect.probe", case.loader, f"case/{case.first}", str(log)]
        try:
            done = subprocess.run(
                command,
                cwd=work,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS_MAX,
                check=False,
            )
            ended = f"exit {done.returncode}: {done.stderr[-200:].decode(errors='replace')}"
        except subprocess.TimeoutExpired:
            ended = f"still running after {SECONDS_MAX} s"
        return _read(log, (work / MARKER).exists(), ended)


def _read(log: Path, marker: bool, ended: str) -> Label:
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.exists() else []
    events = [line for line in lines if "event" in line]
    last = next((line for line in lines if "outcome" in line), {"outcome": "died", "why": ended})
    seen = tuple(dict.fromkeys(f"{event['event']}: {event['said']}" for event in events if not event["weak"]))[:8]
    verified: Verified = "not seen"
    if seen or marker:
        verified = "executed"
    elif last["outcome"] == "loaded":
        verified = "harmless"
    return Label(verified, seen or (("marker: found afterwards",) if marker else ()), last["outcome"], last["why"])

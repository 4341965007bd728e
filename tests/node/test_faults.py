"""A node survives a kill, or a full disk, between any two changes of its disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from alliance import RELEASE, Alliance, copy_alliance, inspection, quick_disk

STRIDE = int(os.environ.get("WATCHWORD_FAULT_STRIDE", "53"))
"""Every n-th call is broken in an ordinary run; 1 breaks all 363 of them, in three minutes of CPU for each fault."""


@pytest.mark.parametrize("fault", ["kill", "full"])
def test_nothing_acknowledged_is_lost_at_any_call(template: Alliance, tmp_path: Path, fault: str) -> None:
    """Append, recall, publish, record, import, anchor, export: struck anywhere, the node opens, holds all that was
    acknowledged, and finishes. Fails when the leaf is written before its body, or receipts one by one."""
    with quick_disk():
        ready = copy_alliance(template, tmp_path / "ready")
        ready.nodes["BRAVO"].sign_and_append("inspection", (RELEASE,), inspection())
        (tmp_path / "ready" / "post").mkdir(exist_ok=True)
        ready.sync(1, among=("BRAVO", "CHARLIE"))
        ready.nodes["BRAVO"].export("ALFA", tmp_path / "ready" / "post" / "BRAVO-to-ALFA.wwx.json")
        ready.close()
    script = str(Path(__file__).with_name("faults.py"))
    done = subprocess.run(
        [sys.executable, script, fault, str(tmp_path / "ready"), str(tmp_path / "work"), str(STRIDE)],
        capture_output=True, text=True, check=False, timeout=1_800,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kept at each" in done.stdout

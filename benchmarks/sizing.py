"""What one more statement, and one more receipt, costs a node for as long as it lives: disk, memory, processor time.

Marginal costs between two sizes of the same node, of small statements as most are (an inspection without findings);
evidence with attachments costs those bytes on top. docs/deploy/sizing.md multiplies them out.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.console import FAST, INSPECTION, NOON, founded
from benchmarks.gate import alone, ask_once
from benchmarks.table import Row
from watchword.node import Node
from watchword.statements.digests import D
from watchword.statements.statement import Subject
from watchword.statements.times import FixedClock

SIZES = (1_000, 5_000)
RECEIPTS = 2_000


def run() -> list[Row]:
    """Bytes, megabytes and milliseconds for each statement and each receipt."""
    with tempfile.TemporaryDirectory(dir=FAST) as name:
        at = founded(Path(name))
        disk, memory, spent, opened = [], [], [], []
        count = 0
        for size in SIZES:
            begun = time.process_time()
            with Node.open(at, clock=FixedClock(NOON), writing=True) as here:
                for number in range(count, size):
                    subject = (Subject(f"system {number:05} 1.0", D(str(number).encode())),)
                    here.sign_and_append("inspection", subject, INSPECTION)
                here.publish()
            spent.append((time.process_time() - begun) / (size - count))
            count = size
            begun = time.process_time()
            with Node.open(at, clock=FixedClock(NOON)) as here:
                here.statements()
            opened.append(time.process_time() - begun)
            disk.append(_bytes(at))
            memory.append(_serving(at))
    more = SIZES[1] - SIZES[0]
    between = f"between {SIZES[0]:,} and {SIZES[1]:,}"
    return [
        Row("sizing: disk for a statement, own ledger", (disk[1] - disk[0]) / more, "bytes", note=between),
        Row("sizing: a statement signed and durable", 1_000 * spent[1], "CPU ms", note="one after another"),
        Row("sizing: a node opened, each statement", 1e6 * (opened[1] - opened[0]) / more, "CPU µs", note=between),
        Row(f"sizing: serve at {SIZES[0]:,} statements", memory[0], "MB", note="resident, at rest"),
        Row("sizing: serve, each further 1,000 statements", 1_000 * (memory[1] - memory[0]) / more, "MB", note=between),
        Row("sizing: disk for a receipt", _receipt(), "bytes", note=f"of {RECEIPTS:,} permits, with their ledger"),
    ]


def _bytes(folder: Path) -> int:
    """What the files hold, in the blocks of the disk that they take."""
    return sum(512 * path.lstat().st_blocks for path in folder.rglob("*"))


def _serving(at: Path) -> float:
    """Megabytes that ``watchword serve`` keeps resident once it answers."""
    command = [sys.executable, "-m", "watchword", "serve", "--home", str(at), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        assert process.stdout is not None
        process.stdout.readline()
        status, before = Path(f"/proc/{process.pid}/status"), -1
        while True:  # until nothing more is being made
            used = int(next(line for line in status.read_text().splitlines() if line.startswith("VmRSS")).split()[1])
            if used == before:
                return used / 1024
            before = used
            time.sleep(2)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _receipt() -> float:
    with tempfile.TemporaryDirectory(dir=FAST) as folder, alone(Path(folder)) as gate:
        ask_once(gate, "inbox", "permit")
        before = _bytes(Path(folder))
        for _ in range(RECEIPTS):
            ask_once(gate, "inbox", "permit")
        gate.node.publish()
        return (_bytes(Path(folder)) - before) / RECEIPTS

"""Work in several processes: the same results in the same order, and no process that outlives its command."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from watchword.errors import WatchwordError
from watchword.processes import Died, shared
from watchword.statements.times import parse_time

ASLEEP = (
    "import sys, time\nfrom watchword.processes import shared\n"
    "try:\n    list(shared(time.sleep, [float(sys.argv[1])] * 200))\n"
    "except KeyboardInterrupt:\n    print('interrupted')\n"
)


def begun(children: int, sleep_s: float) -> subprocess.Popen[str]:
    """A command whose workers sleep, as soon as so many children of it are there."""
    process = subprocess.Popen(
        [sys.executable, "-c", ASLEEP, str(sleep_s)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    seen = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while len(seen.read_text().split()) < children:
        time.sleep(0.01)
    return process


def gone(group: int) -> bool:
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_results_come_in_the_order_of_the_pieces() -> None:
    """Whichever process is done first, and with fewer pieces than processes too."""
    assert list(shared(math.isqrt, [100, 81, 64, 49, 36, 25])) == [10, 9, 8, 7, 6, 5]
    assert list(shared(math.isqrt, [100])) == [10]
    assert list(shared(math.isqrt, [])) == []


def test_the_first_error_in_order_is_raised() -> None:
    """The error of an earlier piece is told, with its hint, although a later one was met first."""
    found = shared(parse_time, ["2026-01-01T00:00:00Z", "x", "y"])
    assert next(found).year == 2026
    with pytest.raises(WatchwordError, match="'x'"):
        next(found)


def test_a_process_that_dies_is_told() -> None:
    """A worker that ends without an answer is an error with a name, never a missing result or a wait without end."""
    with pytest.raises(Died):
        list(shared(os._exit, [0, 0]))


@pytest.mark.parametrize("children", [1, 2, 3])
def test_an_interrupt_is_told_once_and_leaves_no_process(children: int) -> None:
    """Ctrl-C while the processes load or work: no word of theirs; fails (seen) if the signal is not blocked in them."""
    process = begun(children, 60)  # the standard library starts one of its own with the first
    # First those alone: nothing of theirs must hurry to be told before the command, which ends them, hears of it.
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGINT)
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=30) == ("interrupted\n", "")
    assert gone(process.pid)


def test_processes_end_with_a_command_that_was_killed() -> None:
    """kill -9 of the command leaves nothing behind: each ends with its piece. Fails if one holds another's pipe."""
    process = begun(3, 0.2)
    process.kill()
    process.communicate(timeout=30)
    assert gone(process.pid)

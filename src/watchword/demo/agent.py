"""An agent of the exercise: asks its member's gate for the same permitted action again and again, until it is denied.

Run as a process: ``python -m watchword.demo.agent RELEASE MANDATE``. It prints ``open`` once the first action was
permitted, and, when the gate closes, the time and the gate's first reason.
"""

from __future__ import annotations

import sys
import time

from watchword import node
from watchword.gate.action import new_action
from watchword.gate.gate import Gate
from watchword.statements.times import SystemClock

PAUSE_S = 0.05
ASKS_MAX = 2_400
"""Asks before an agent gives up: two minutes. Origin: the exercise ends it within seconds."""


def main(release: str, mandate: str) -> int:
    """Ask until denied; exit 0 when the gate closed, 1 when it never opened or never closed."""
    home = node.find_home(None)
    clock = SystemClock()
    opened = False
    for _ in range(ASKS_MAX):
        with node.Node.open(home, writing=True) as here:
            action = new_action("label-attachment", {"message": "m-1", "type": "pdf"}, release, "agent", clock)
            answer = Gate(here).ask(action.bytes, mandate)
        if answer.verdict == "permit" and not opened:
            opened = True
            print("open", flush=True)
        elif answer.verdict != "permit":
            print(f"{time.time():.3f} {answer.reasons[0]}", flush=True)
            return 0 if opened else 1
        time.sleep(PAUSE_S)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))

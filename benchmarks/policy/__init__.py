"""Rules: how long a decision, an action and a check for holes take, and whether table and Cedar engine agree.

``WATCHWORD_BENCH_CASES`` (default 100,000) is the number of drawn cases.
"""

from __future__ import annotations

import os
import time

from benchmarks.table import Row


def run() -> list[Row]:
    """Every figure of the rules."""
    from benchmarks.policy import speed

    return [*speed.run(), _checked(), _compared()]


def _checked() -> Row:
    """A check of all shipped packs together with 50 caveats of five members."""
    from watchword.charter.charter import Condition
    from watchword.policy.check import check
    from watchword.policy.example import imagined
    from watchword.policy.pack import SHIPPED, find_packs
    from watchword.policy.world import Forbid

    def caveat(number: int) -> Forbid:
        tag = ("tags", "contains", f"use-{number}")
        also = [
            ("criticality", ">=", number % 4), ("human", "==", "out"), ("dangerous", ">", 0), ("against", ">", 1),
            ("members", "contains", f"MEMBER-{number % 5 + 1}"),
        ][number % 5]  # fmt: skip
        conditions = tuple(Condition(field=f, op=op, value=value) for f, op, value in (tag, also))
        return Forbid(f"caveat-{number}", conditions, f"MEMBER-{number % 5 + 1}")

    pack = find_packs(SHIPPED)
    charter = imagined(pack.requirements, pack.red_lines, pack.standing)
    began = time.perf_counter()
    checked = check(charter, [caveat(number) for number in range(50)])
    took = time.perf_counter() - began
    if checked.unclear or not all(one.confirmed for one in checked.findings):
        raise SystemExit(f"rules not looked at, or not confirmed: {checked.unclear}")
    note = f"{len(checked.findings)} found, each example put before the table"
    return Row("check of the three packs and 50 caveats", took, "s", "≤ 10 s", took <= 10, note=note)


def _compared() -> Row:
    """Cases a second, all of which must agree."""
    from benchmarks.policy.oracle import compare

    many = int(os.environ.get("WATCHWORD_BENCH_CASES", "100000"))
    began = time.perf_counter()
    reached = compare(many, seed=1)
    took = time.perf_counter() - began
    errors = sum(times for what, times in reached.items() if what.startswith("no answer"))
    note = (
        f"{many:,} drawn cases, {errors:,} of them errors: no disagreement; what they reached: benchmarks.policy.oracle"
    )
    return Row("table and Cedar engine compared", many / took, "/s", note=note)

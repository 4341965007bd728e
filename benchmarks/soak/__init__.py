"""A resilience run: an alliance as processes over real HTTP, faults from one seed, and what must hold afterwards.

``python -m benchmarks.soak [--seconds N] [--nodes N] [--seed N] [--report FILE]``; ``course`` says how it goes,
``faults`` what goes wrong, ``checks`` what must hold. As a row of ``python -m benchmarks`` it runs for a minute.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.table import Row

if TYPE_CHECKING:
    from benchmarks.soak.course import Plan


def soaked(folder: Path, plan: Plan) -> dict[str, Any]:
    """Run one soak in *folder* and look at what it left; its figures."""
    from benchmarks.soak.checks import check
    from benchmarks.soak.course import Soak
    from benchmarks.soak.figures import figures

    soak = Soak(folder, plan)
    try:
        happened = soak.run()
        return figures(soak, happened, check(soak))
    finally:
        soak.close()


def run() -> list[Row]:
    """The figures of a soak of a minute."""
    from benchmarks.soak.course import Plan
    from benchmarks.soak.figures import GOAL, per_cpu_s

    with tempfile.TemporaryDirectory(prefix="watchword-soak-") as folder:
        value = soaked(Path(folder), Plan(calm_s=15, storm_s=45))
    calm, storm, last = value["calm"], value["storm"], value["finding"]["last_gate_closed_after_s"]
    lost, broken = sum(value["lost"].values()), len(value["breaches"])
    what = f"soak of {len(value['members'])} nodes"
    doors = f"{len(value['doors'])} processes, one for each node; agents, syncs and witnesses on the same cores"
    return [
        Row(f"{what}, decisions with receipts in calm", calm["per_s"], "/s", f"≥ {GOAL}/s", calm["per_s"] >= GOAL,
            note=f"{doors}; {per_cpu_s(value):,.0f} per CPU-second; "
            f"p50 {calm['p50_ms']:.0f} ms, p99 {calm['p99_ms']:.0f} ms"),
        Row("… in a storm of faults", storm["per_s"], "/s", note=f"asked at {value['plan']['rate']}/s, "
            f"{len(value['faults'])} faults in {value['plan']['storm_s']:.0f} s"),
        Row("… acknowledged and lost", lost, "", "0", lost == 0),
        Row("… invariants broken", broken, "", "0", broken == 0, note="; ".join(value["breaches"][:3])),
        Row("… from finding to last gate closed", last or 0.0, "s", "", note="in the storm, at a pause of 4 s"),
    ]  # fmt: skip

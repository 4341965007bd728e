"""The figures of a soak, as JSON data: load held, faults injected, what was lost, and how long a finding took."""

from __future__ import annotations

import os
import statistics
from collections import Counter
from typing import Any

from benchmarks.soak.checks import ANSWERED, Found, answers
from benchmarks.soak.course import Happened, Soak
from benchmarks.soak.processes import lines

FORMAT = "watchword-soak/1"
GOAL = 500


def figures(soak: Soak, happened: Happened, found: Found) -> dict[str, Any]:
    """All that the report says."""
    plan = happened.plan
    return {
        "breaches": found.breaches,
        "calm": _phase(soak, "calm", happened.calm) | {"cpu_s": round(happened.calm_cpu_s, 2)},
        "checked": dict(sorted(found.counts.items())),
        "database": happened.database,
        "disks": happened.disks,
        "faults": [
            {"at_s": round(at, 1), "how": one.how, "kind": one.kind, "until_s": round(end, 1), "who": one.who}
            for at, end, one in sorted(happened.faults, key=lambda fault: fault[0])
        ],
        "finding": _finding(soak, happened),
        "format": FORMAT,
        "machine": {"cores": len(os.sched_getaffinity(0)), "load_before": round(happened.load, 1)},
        "lies": dict(sorted(happened.lied.items())),
        "lost": {"receipts": found.lost["receipts"], "statements": found.lost["statements"]},
        "members": list(soak.names),
        "doors": list(soak.doors),
        "liar": soak.liar,
        "plan": {"calm_s": plan.calm_s, "nodes": plan.nodes, "rate": plan.rate, "seed": plan.seed,
                 "shared": plan.shared, "storm_s": plan.storm_s},
        "restarts": [{"at_s": round(at, 1), "process": name, "status": status} for at, name, status in happened.ended],
        "storm": _phase(soak, "storm", happened.storm),
        "troubles": _troubles(soak),
    }  # fmt: skip


def _phase(soak: Soak, phase: str, span: tuple[float, float]) -> dict[str, Any]:
    """Decisions of one phase; ``seconds`` has for each whole second what each gate answered."""
    began, ended = span
    told = [one for one in answers(soak, phase) if one[2] - soak.began <= ended]
    good = [one for one in told if one[3] in ANSWERED and one[4] is not None]
    waits_ms = sorted(1_000 * (one[2] - one[1]) for one in good)
    seconds: dict[str, Counter[int]] = {door: Counter() for door in soak.doors}
    for one in good:
        seconds[one[0]][int(one[2] - soak.began)] += 1
    length_s = max(ended - began, 0.001)
    return {
        "began_s": round(began, 1),
        "ended_s": round(ended, 1),
        "decisions_with_receipts": len(good),
        "per_s": round(len(good) / length_s, 1),
        "p50_ms": round(_part(waits_ms, 50), 1),
        "p99_ms": round(_part(waits_ms, 99), 1),
        "told": dict(sorted(Counter(one[3] for one in told).items())),
        "seconds": {gate: {str(at): count for at, count in sorted(by.items())} for gate, by in seconds.items()},
    }


def _part(ordered: list[float], part: int) -> float:
    return statistics.quantiles(ordered, n=100)[part - 1] if len(ordered) > 1 else 0.0


def _finding(soak: Soak, happened: Happened) -> dict[str, Any]:
    """From the moment somebody found it to the first denial at each door because of it."""
    closed: dict[str, float] = {}
    for door, _, answered_s, what, *_ in answers(soak, "storm"):
        if what == "recalled" and door not in closed:
            closed[door] = round(answered_s - soak.began - happened.found_s, 2)
    knew = {
        name: round(told["at_s"] - soak.began - happened.found_s, 2)
        for name, machine in soak.machines.items() for told in lines(machine.told)[::-1] if told["what"] == "knows"
    }  # fmt: skip
    whole = len(closed) == len(soak.doors)
    return {
        "by": soak.finder,
        "found_s": round(happened.found_s, 1),
        "recorded_after_s": round(happened.recorded_s - happened.found_s, 2),
        "known_after_s": knew,
        "closed_after_s": closed,
        "last_gate_closed_after_s": max(closed.values()) if whole else None,
    }


def _troubles(soak: Soak) -> dict[str, int]:
    """What members' own work was told during the soak, by kind: none of it lost anything."""
    found: Counter[str] = Counter()
    for machine in soak.machines.values():
        for told in lines(machine.told):
            if told["what"] == "trouble":
                found[f"{told['work']}: {told['error']}"] += 1
            elif told["what"] in ("peer's trouble", "fork"):
                found[told["what"]] += 1
    return dict(sorted(found.items()))


def per_cpu_s(value: dict[str, Any]) -> float:
    """Decisions in calm by the CPU-seconds of all that ran: what others did on the machine is not in it."""
    return float(value["calm"]["decisions_with_receipts"] / max(value["calm"]["cpu_s"], 0.01))


def told(value: dict[str, Any]) -> str:
    """For people: verdict first."""
    calm, storm, finding, lost = value["calm"], value["storm"], value["finding"], value["lost"]
    machine = value["machine"]
    kinds = Counter(fault["kind"] for fault in value["faults"])
    last = finding["last_gate_closed_after_s"]
    of = "of one gate" if value["plan"]["shared"] else "of a gate each"
    verdict = "HELD" if not value["breaches"] else f"BROKEN: {len(value['breaches'])} breaches"
    lines_ = [
        f"{verdict}  {len(value['members'])} members, {len(value['doors'])} doors {of}, seed {value['plan']['seed']}",
        f"  in calm   {calm['per_s']:,.0f} decisions with receipts/s over {len(value['doors'])} processes, "
        f"p50 {calm['p50_ms']:.0f} ms, p99 {calm['p99_ms']:.0f} ms",
        f"            {per_cpu_s(value):,.0f} per CPU-second of all processes, agents included; "
        f"{machine['cores']} cores, load {machine['load_before']} before",
        f"  in storm  {storm['per_s']:,.0f}/s asked at {value['plan']['rate']}/s, p50 {storm['p50_ms']:.0f} ms, "
        f"p99 {storm['p99_ms']:.0f} ms",
        f"  faults    {len(value['faults'])}: {', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))}",
        f"  lies told {sum(value['lies'].values()):,}: {', '.join(f'{n} {how}' for how, n in value['lies'].items())}",
        f"  lost      {lost['statements']} of {value['checked'].get('statements acknowledged', 0):,} statements, "
        f"{lost['receipts']} of {value['checked'].get('answers with a receipt', 0):,} receipts",
        f"  finding   last gate closed after {'never' if last is None else f'{last:.1f} s'}",
        f"  disks     {', '.join(f'{name}: {kind}' for name, kind in value['disks'].items())}",
    ]  # fmt: skip
    return "\n".join([*lines_, *(f"  BREACH {one}" for one in value["breaches"])])

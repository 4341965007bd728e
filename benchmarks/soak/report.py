"""The page of a soak: verdict, figures, and one picture of what was answered while what went wrong."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from benchmarks.soak.figures import GOAL, per_cpu_s
from watchword.report.html import Html, definitions, listed, table, tag
from watchword.report.style import document
from watchword.report.svg import WIDTH

LEFT, ROW, RATES = 96, 16, 120


def page(value: dict[str, Any]) -> str:
    """The whole document; *value* as ``figures`` makes it."""
    broken = len(value["breaches"])
    verdict = "Everything held." if not broken else f"{broken} invariants were broken."
    main = tag(
        "main",
        tag("h1", "Resilience run"),
        tag("p", tag("strong", verdict), class_=f"verdict {'bad' if broken else 'good'}"),
        tag("h2", "Figures"),
        definitions(_figures(value)),
        tag("h2", "What was answered while what went wrong"),
        timeline(value),
        *((tag("h2", "Broken"), listed(value["breaches"])) if broken else ()),
        tag("h2", "What was looked at afterwards"),
        table("Counts", ("what", "how many"), [(name, f"{count:,}") for name, count in value["checked"].items()]),
        tag("h2", "What members were told meanwhile"),
        table("Troubles", ("what", "how often"), [(name, f"{count:,}") for name, count in value["troubles"].items()]),
        tag("h2", "Faults"),
        table(
            "Faults by time", ("from", "to", "kind", "who", "how"),
            [(f"{one['at_s']:.1f} s", f"{one['until_s']:.1f} s", one["kind"], one["who"], one["how"])
             for one in value["faults"]],
        ),
        class_="sheet",
    )  # fmt: skip
    return document("Resilience run", main)


def _figures(value: dict[str, Any]) -> list[tuple[str, str]]:
    calm, storm, finding, checked = value["calm"], value["storm"], value["finding"], value["checked"]
    last = finding["last_gate_closed_after_s"]
    plan = value["plan"]
    return [
        ("members", f"{len(value['members'])}"),
        ("doors", f"{len(value['doors'])}, {'of one gate' if plan['shared'] else 'of a gate each'}"),
        ("decisions with receipts, in calm", f"{calm['per_s']:,.0f}/s (goal: {GOAL}/s), p50 {calm['p50_ms']:.0f} ms, "
         f"p99 {calm['p99_ms']:.0f} ms; {per_cpu_s(value):,.0f} per CPU-second of all processes"),
        ("machine", f"{value['machine']['cores']} cores, load {value['machine']['load_before']} before the run"),
        ("in the storm", f"{storm['per_s']:,.0f}/s of {plan['rate']}/s asked, p50 {storm['p50_ms']:.0f} ms, "
         f"p99 {storm['p99_ms']:.0f} ms"),
        ("faults", f"{len(value['faults'])} in {plan['storm_s']:.0f} s; {sum(value['lies'].values()):,} answers that "
         "lied or never came"),
        ("statements lost", f"{value['lost']['statements']} of {checked.get('statements acknowledged', 0):,}"),
        ("receipts lost", f"{value['lost']['receipts']} of {checked.get('answers with a receipt', 0):,}"),
        ("from finding to last gate closed", "never" if last is None else f"{last:.1f} s"),
        ("the liar", f"{value['liar']}: {checked.get('forks kept as proof', 0)} pairs of heads kept, "
         f"{checked.get('forks stated', 0)} statements that convict"),
        ("full disks", ", ".join(f"{name} ({kind})" for name, kind in value["disks"].items()) or "none"),
        ("PostgreSQL", "stopped and killed" if value["database"] else "not on this machine"),
        ("again", f"python -m benchmarks.soak --seed {plan['seed']} --nodes {plan['nodes']} "
         f"--seconds {plan['calm_s'] + plan['storm_s']:.0f} --rate {plan['rate']}{' --shared' * plan['shared']}"),
    ]  # fmt: skip


def timeline(value: dict[str, Any]) -> Html:
    """Decisions a second as a line, above the faults as bars, on one axis of seconds."""
    found_s, last = value["finding"]["found_s"], value["finding"]["last_gate_closed_after_s"]
    end_s = max([value["storm"]["ended_s"], found_s + (last or 0), *(one["until_s"] for one in value["faults"])])
    from_s = value["calm"]["began_s"]
    scale = (WIDTH - LEFT - 10) / max(end_s - from_s, 1)

    def x(at_s: float) -> float:
        return float(LEFT + scale * (at_s - from_s))

    drawn = [*_rates(value, x, from_s, end_s)]
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for fault in value["faults"]:
        rows[fault["kind"]].append(fault)
    y = RATES + 24
    for kind, faults in sorted(rows.items()):
        drawn.append(tag("text", kind, x="0", y=f"{y + 11}", class_="axis"))
        for one in faults:
            wide = max(2.0, scale * (one["until_s"] - one["at_s"]))
            drawn.append(
                tag("rect", x=f"{x(one['at_s']):.1f}", y=f"{y + 2}", width=f"{wide:.1f}",
                    height="10", class_=f"part {'bad' if kind in ('lie', 'fork') else 'warn'}")
            )  # fmt: skip
        y += ROW
    for at_s, name in ((found_s, "found"), *(((found_s + last, "closed"),) if last is not None else ())):
        drawn += [
            tag("path", d=f"M{x(at_s):.1f} 10 V{y}", class_="line"),
            tag("text", name, x=f"{min(x(at_s) + 3, WIDTH - 45):.1f}", y=f"{y + 12}", class_="axis"),
        ]
    drawn += [
        tag("text", f"{at_s - from_s:.0f} s", x=f"{min(x(at_s) - 8, WIDTH - 35):.1f}", y=f"{RATES + 16}", class_="axis")
        for at_s in (from_s, value["storm"]["began_s"], end_s)
    ]
    label = f"decisions a second at {len(value['doors'])} doors, and below them {len(value['faults'])} faults"
    return tag("svg", *drawn, class_="curve", viewBox=f"0 0 {WIDTH} {y + 18}", role="img", aria_label=label)


def _rates(value: dict[str, Any], x: Any, from_s: float, end_s: float) -> list[Html]:
    counts = [
        sum(phase["seconds"].get(gate, {}).get(str(at), 0) for gate in value["doors"] for phase in _phases(value))
        for at in range(int(from_s), int(end_s) + 1)
    ]
    most = max([*counts, GOAL])
    points = [
        f"{x(at):.1f} {10 + (RATES - 10) * (1 - count / most):.1f}"
        for at, count in enumerate(counts, int(from_s))
    ]  # fmt: skip
    goal_y = 10 + (RATES - 10) * (1 - GOAL / most)
    return [
        tag("path", d=f"M{LEFT} {goal_y:.1f} H{WIDTH - 10}", class_="grid"),
        tag("text", f"{GOAL}/s", x="0", y=f"{goal_y + 4:.1f}", class_="axis"),
        *([tag("text", f"{most}/s", x="0", y="14", class_="axis")] if goal_y > 26 else []),
        tag("path", d=f"M{LEFT} {RATES} H{WIDTH - 10}", class_="grid"),
        tag("path", d="M" + " L".join(points), class_="line"),
    ]


def _phases(value: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return value["calm"], value["storm"]

"""What a run found, as a page: counts, accuracy against eps with its interval, by label, examples before and after.

Self-contained, as every report of ours: nothing is fetched, nothing runs, and every picture says its figures in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from watchword.chance import interval
from watchword.report.html import Html, definitions, foreign, join, listed, table, tag
from watchword.report.style import document
from watchword.report.svg import curve, grey_picture, mark

if TYPE_CHECKING:
    from watchword.evaluate.run import Result

NOTES = (
    "Robustness is an upper bound: it holds for the attacks that were tried, and another attack can only lower it.",
    "Of several accepted runs, the worst counts.",
    "The interval is Clopper-Pearson, 95 %: of sampling, not of what was left untried.",
)


def page(result: Result) -> bytes:
    """The page, as UTF-8."""
    plan, kind = result.plan, "good" if result.meets else "bad"
    facts = [
        ("Attack", plan.method()), ("Library", plan.attack.library), ("Goal", plan.threat.goal),
        ("Knowledge", plan.threat.knowledge), ("Capability", plan.capability()),
        ("Right without an attack", f"{result.done.clean_right} of {result.done.clean_asked}"),
        ("Errors, counted against it", str(result.errors)), ("Flags", ", ".join(result.flags) or "none raised"),
        ("CPU time", f"{result.done.cpu_s:.1f} s"), ("Release", plan.subject.release), ("Data", plan.data.digest),
        ("Seed", result.seed), ("Plan", plan.digest), ("Environment", result.environment_digest),
    ]  # fmt: skip
    parts = [
        tag("div", tag("span", tag("b", "WATCHWORD"), "  evaluation"), class_="lead"),
        tag("h1", foreign(plan.name)),
        tag("div", mark(kind), tag("p", result.told()), class_=f"verdict {kind}", role="region", aria_label="Verdict"),
        definitions([(name, foreign(text)) for name, text in facts]),
    ]
    if result.curve:
        points = [(float(eps), *_part(k, n)) for eps, k, n in result.curve]
        parts += [tag("h2", "Still right, by how far the attacker may go"), curve("still right", points)]
        rows = [(eps, f"{k} of {n}", _interval(k, n)) for eps, k, n in result.curve]
        parts.append(table("eps, and what still stands", ("eps", "still right", "interval"), _text(rows)))
    parts += [tag("h2", "By label"), _by_label(result)]
    if result.done.examples:
        parts += [tag("h2", "Before and after"), *(_example(one) for one in result.done.examples)]
    if result.attempts:
        parts += [tag("h2", "What it tried and was not let"), listed([foreign(one) for one in result.attempts])]
    parts.append(listed(list(NOTES), "limits"))
    return document(plan.name, tag("main", *parts, class_="sheet")).encode()


def _part(k: int, n: int) -> tuple[float, float, float]:
    low, high = interval(k, n)
    return k / max(n, 1), low, high


def _interval(k: int, n: int) -> str:
    low, high = interval(k, n)
    return f"{low:.3f} to {high:.3f}"


def _text(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [tuple(foreign(cell) for cell in row) for row in rows]


def _by_label(result: Result) -> Html:
    rows = [(label, f"{fell} of {n}", _interval(fell, n)) for label, (fell, n) in result.by_label().items()]
    return table("what fell, by label", ("label", "fell", "interval"), _text(rows))


def _example(one: dict[str, Any]) -> Html:
    heading = tag("h3", foreign(f"{one['name']}: {one['label']}, fell to {one['by']}"))
    shape = one.get("shape")
    if shape is None:
        return join(heading, tag("pre", foreign(one["before"])), tag("pre", foreign(one["after"])))
    height, width = (1, *shape)[-2:]
    pictures = [
        grey_picture(f"{one['name']} {when}", [float(number) for number in one[when]][: height * width], width)
        for when in ("before", "after")
    ]
    return join(heading, *pictures)

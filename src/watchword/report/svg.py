"""Small pictures drawn as SVG inside the page. Colours are classes, so that dark and printed pages have their own.

No picture says what the words beside it do not: each has a label for readers who cannot see it, and parts are named
in words with a sign beside them.
"""

from __future__ import annotations

from watchword.report.html import Html, join, tag

MARKS = {
    "good": "M3 8.5 6.5 12 13 4.5",
    "bad": "M4 4 12 12 M12 4 4 12",
    "warn": "M8 3 V9.5 M8 12.2 V13",
    "none": "M3.5 8 H12.5",
}
WIDTH = 640


def mark(kind: str) -> Html:
    """A sign of 16 by 16 units: ``good`` a tick, ``bad`` a cross, ``warn`` an exclamation mark, ``none`` a dash."""
    return tag("svg", tag("path", d=MARKS[kind]), class_=f"mark {kind}", viewBox="0 0 16 16", aria_hidden="true")


def share_bar(label: str, parts: list[tuple[str, int, str]]) -> Html:
    """A bar of *parts* (name, count, kind), drawn to scale, with its legend in words.

    A part that is not zero is drawn at least 6 units wide, so that one dangerous file among thousands is seen.
    """
    shown = [part for part in parts if part[1] > 0]
    total = sum(count for _, count, _ in shown)
    if total == 0:
        return join()
    least = 6.0
    wide = [max(least, WIDTH * count / total) for _, count, _ in shown]
    excess = sum(wide) - WIDTH
    widest = max(range(len(wide)), key=wide.__getitem__)
    wide[widest] -= excess
    drawn, left = [], 0.0
    for (_, _, kind), width in zip(shown, wide, strict=True):
        drawn.append(tag("rect", x=f"{left:.1f}", y="0", width=f"{width:.1f}", height="14", class_=f"part {kind}"))
        left += width
    spoken = ", ".join(f"{count:,} {name}" for name, count, _ in shown)
    picture = tag(
        "svg",
        *drawn,
        class_="bar",
        viewBox=f"0 0 {WIDTH} 14",
        preserveAspectRatio="none",
        role="img",
        aria_label=f"{label}: {spoken}",
    )
    legend = [tag("li", mark(kind), f"{count:,} {name}") for name, count, kind in shown]
    return tag("div", picture, tag("ul", *legend, class_="legend"), class_="share")


def dots(label: str, have: int, need: int) -> Html:
    """*have* of *need* as filled and empty circles; at most 12 are drawn, the words beside tell the number."""
    count = min(max(need, have), 12)
    drawn = [
        tag("circle", cx=f"{8 + 16 * at}", cy="8", r="5.5", class_="full" if at < have else "empty")
        for at in range(count)
    ]
    width = str(16 * max(count, 1))
    box = f"0 0 {width} 16"
    return tag("svg", *drawn, class_="dots", viewBox=box, width=width, height="16", role="img", aria_label=label)


def spans(label: str, rows: list[tuple[str, float, float, float]], most: float, unit: str) -> Html:
    """Estimates with their intervals on one scale from 0 to *most*: a dot on a line for each (name, low, at, high).

    The end of a scale that runs off is cut there; the figures stand in the table beside it.
    """
    if not rows or most <= 0:
        return join()
    step, left, drawn = 22, 190, []
    scale = (WIDTH - left - 10) / most
    for place, (name, low, at, high) in enumerate(rows):
        y = f"{step * place + 14}"
        ends = [left + scale * min(max(one, 0.0), most) for one in (low, high)]
        drawn += [
            tag("text", name[:28], x="0", y=y, class_="axis"),
            tag("rect", x=f"{ends[0]:.1f}", y=f"{step * place + 8}", width=f"{max(ends[1] - ends[0], 1):.1f}",
                height="3", class_="part none"),
            tag("circle", cx=f"{left + scale * min(max(at, 0.0), most):.1f}", cy=f"{step * place + 9.5}", r="4.5",
                class_="part point"),
        ]  # fmt: skip
    bottom = step * len(rows) + 14
    for share, text in ((0.0, "0"), (0.5, f"{most / 2:g}"), (1.0, f"{most:g} {unit}")):
        x = left + share * most * scale
        drawn.append(tag("text", text, x=f"{x - 18 * share * (share > 0.5):.1f}", y=f"{bottom}", class_="axis"))
    spoken = "; ".join(f"{name} {at:g} ({low:g} to {high:g}) {unit}" for name, low, at, high in rows)
    return tag(
        "svg", *drawn, class_="spans", viewBox=f"0 0 {WIDTH} {bottom + 6}", role="img", aria_label=f"{label}: {spoken}"
    )

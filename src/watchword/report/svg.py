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


def curve(label: str, points: list[tuple[float, float, float, float]]) -> Html:
    """A line through *points* (x, value, low, high; values from 0 to 1, x from 0 on) in its band of intervals."""
    height, left, bottom = 220, 40, 24
    most = max((x for x, *_ in points), default=0.0) or 1.0
    wide, tall = WIDTH - left - 10, height - bottom - 10

    def at(x: float, value: float) -> str:
        return f"{left + wide * x / most:.1f} {10 + tall * (1 - value):.1f}"

    ordered = sorted(points)
    band = [at(x, high) for x, _, _, high in ordered] + [at(x, low) for x, _, low, _ in reversed(ordered)]
    line = [at(x, value) for x, value, *_ in ordered]
    grid = [tag("path", d=f"M{at(0, part)} L{at(most, part)}", class_="grid") for part in (0, 0.25, 0.5, 0.75, 1)]
    names = [
        tag("text", f"{part:g}", x="4", y=f"{14 + tall * (1 - part):.1f}", class_="axis") for part in (0, 0.5, 1)
    ] + [
        tag("text", f"{x:g}", x=f"{left + wide * x / most - 8:.1f}", y=str(height - 4), class_="axis")
        for x, *_ in ordered
    ]
    spoken = ", ".join(f"at {x:g} {value:.3f} ({low:.3f} to {high:.3f})" for x, value, low, high in ordered)
    drawn = [
        *grid, tag("path", d="M" + " L".join(band) + " Z", class_="interval"),
        tag("path", d="M" + " L".join(line), class_="line"), *names,
    ]  # fmt: skip
    return tag(
        "svg", *drawn, class_="curve", viewBox=f"0 0 {WIDTH} {height}", role="img", aria_label=f"{label}: {spoken}"
    )


def grey_picture(label: str, values: list[float], width: int) -> Html:
    """A picture of *values* from 0 to 1, row by row, in nine shades; at most 64 by 64 are drawn."""
    width = max(1, width)
    rows = [values[start : start + width] for start in range(0, len(values), width)][:64]
    drawn = [
        tag("rect", x=str(x), y=str(y), width="1", height="1", class_=f"shade{round(8 * min(1.0, max(0.0, value)))}")
        for y, row in enumerate(rows)
        for x, value in enumerate(row[:64])
    ]
    box = f"0 0 {min(width, 64)} {len(rows)}"
    return tag("svg", *drawn, class_="picture", viewBox=box, role="img", aria_label=label)


def bars(label: str, heights: list[float]) -> Html:
    """Bars side by side, of heights between 0 and 1; one that is not zero is drawn at least a unit high."""
    wide = WIDTH / max(len(heights), 1)
    drawn = []
    for at, height in enumerate(heights):
        tall = max(1.0, 80 * height) if height > 0 else 0.0
        place = {
            "x": f"{at * wide:.1f}",
            "y": f"{80 - tall:.1f}",
            "width": f"{wide * 0.9:.1f}",
            "height": f"{tall:.1f}",
        }
        drawn.append(tag("rect", **place, class_="part none"))
    return tag("svg", *drawn, class_="plot", viewBox=f"0 0 {WIDTH} 80", role="img", aria_label=label)


def squares(label: str, values: list[list[float]]) -> Html:
    """A picture of squares, each as large as its value's size: full where above zero, empty where below."""
    drawn = []
    for down, line in enumerate(values):
        for across, value in enumerate(line):
            side = 10 * min(1.0, abs(value))
            if side >= 1:
                place = {"x": f"{10 * across + 5 - side / 2:.1f}", "y": f"{10 * down + 5 - side / 2:.1f}"}
                size = f"{side:.1f}"
                drawn.append(tag("rect", **place, width=size, height=size, class_="full" if value > 0 else "empty"))
    wide, tall = 10 * max((len(line) for line in values), default=0), 10 * len(values)
    return tag(
        "svg", *drawn, class_="dots plot", viewBox=f"0 0 {wide} {tall}", width=str(wide), height=str(tall), role="img",
        aria_label=label,
    )  # fmt: skip

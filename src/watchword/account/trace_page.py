"""A trace for people: a tree of lines for a terminal, and a page with its picture for browsers and paper. Pure.

* A part that was told before is named again in one line, and not what is below it. So there are as many lines as links.
* The verdict comes first; then every gap, worst first, before the tree itself.
"""

from __future__ import annotations

from watchword.account.trace import GAPS, Chain, Link, Part
from watchword.limits import TRACE_DRAWN_MAX, TRACE_INDENT_MAX
from watchword.report.board import Board, Cell, Section
from watchword.report.graph import Box

KINDS = {"verified": "good", "recorded": "warn", "named": "none"}
_TOLD = {"verified": "verified", "recorded": "recorded, not cosigned yet", "named": "only named"}


def render_text(chain: Chain) -> str:
    """Verdict, gaps, tree."""
    by_key = {part.key: part for part in chain.parts}
    below: dict[str, list[Link]] = {}
    for link in chain.links:
        below.setdefault(link.below if chain.forward else link.above, []).append(link)
    lines = [verdict(chain), *(f"  {line}" for line in gaps(chain))]
    told: set[str] = set()
    waiting: list[tuple[int, str, str, str]] = [(0, "", chain.parts[0].key, "")]
    while waiting:
        depth, role, key, why = waiting.pop()
        again = key in told and bool(below.get(key))
        lines.append(_set_in(depth) + _line(role, by_key[key], why) + ("  (see above)" if again else ""))
        if key not in told:
            told.add(key)
            waiting += [
                (depth + 1, link.role, link.above if chain.forward else link.below, link.why)
                for link in reversed(below.get(key, ()))
            ]
    return "\n".join(lines)


def verdict(chain: Chain) -> str:
    """One line: whether the chain is whole, and of how many parts in which states."""
    counts = chain.counts
    parts = [f"{counts[state]} {_TOLD.get(state, state)}" for state in (*GAPS, *_TOLD) if state in counts]
    left = [f"{chain.left_out} links left out"] if chain.left_out else []
    direction = "what rests on" if chain.forward else "what is behind"
    return f"{'WHOLE' if chain.whole else 'NOT WHOLE'}  {direction} {chain.parts[0].what}: {', '.join([*parts, *left])}"


def gaps(chain: Chain) -> list[str]:
    """What keeps the chain from being whole, a line each, worst first, with whose it is."""
    what = {part.key: part.what for part in chain.parts}
    lines = [f"broken: {what[one.below]}, {one.role} of {what[one.above]}: {one.why}" for one in chain.links if one.why]
    for state in GAPS:
        lines += [
            f"{state}: {' '.join(filter(None, (part.what, part.place or part.name)))}"
            + (f" ({part.owner})" if part.owner else "")
            + f": {part.why}"
            for part in chain.parts
            if part.state == state
        ]
    return lines


def board(chain: Chain, reproduced_by: str) -> Board:
    """The page: gaps, the picture, every part, every link."""
    at = {part.key: place for place, part in enumerate(chain.parts)}
    sections = []
    found = gaps(chain)
    if found:
        sections.append(Section("Gaps", "", ("What",), tuple((Cell(one, "bad"),) for one in found)))
    shown = chain.parts[:TRACE_DRAWN_MAX]
    boxes = tuple(
        Box(part.what, f"{part.place or part.state} {part.owner}", KINDS.get(part.state, "bad")) for part in shown
    )
    pairs = [(at[one.below], at[one.above], one) if chain.forward else (at[one.above], at[one.below], one)
             for one in chain.links]  # fmt: skip
    drawn = tuple((a, b, "bad" if one.why else "good") for a, b, one in pairs if max(a, b) < len(shown))
    lead = f"Of {len(chain.parts)} parts the first {len(shown)} are drawn." if len(shown) < len(chain.parts) else ""
    sections.append(Section("Chain", lead, (), (), graph=(boxes, drawn)))
    rows = tuple(
        (
            Cell(part.what, KINDS.get(part.state, "bad"), part.name), Cell(part.state, "", part.why), Cell(part.owner),
            Cell(part.place), Cell(part.when), Cell("; ".join(part.checks)),
        )
        for part in chain.parts
    )  # fmt: skip
    sections.append(Section("Parts", "", ("What", "State", "Owner", "Where", "When", "Verified"), rows))
    links = tuple(
        (Cell(chain.parts[at[one.above]].what), Cell(one.role), Cell(chain.parts[at[one.below]].what), _held(one))
        for one in chain.links
    )
    if links:
        sections.append(Section("Links", "", ("What", "Says of it", "Rests on", "Holds"), links))
    kind = "good" if chain.whole else "bad"
    title = f"{'What rests on' if chain.forward else 'Behind'} {chain.parts[0].what}"
    notes = ("Made from what this node holds; it is not signed.", f"Made again by: {reproduced_by}")
    return Board("trace", title, verdict(chain).partition("  ")[2], kind, tuple(sections), notes)


def _held(link: Link) -> Cell:
    return Cell(link.why, "bad") if link.why else Cell("yes", "good")


def _set_in(depth: int) -> str:
    # Deep chains are told by number: lines that grow with depth would make the text grow with its square.
    return "  " * depth if depth <= TRACE_INDENT_MAX else "  " * TRACE_INDENT_MAX + f"({depth}) "


def _line(role: str, part: Part, why: str) -> str:
    state = part.state if part.state in KINDS else part.state.upper()
    fields = (
        f"{role}: {part.what}" if role else part.what, part.owner, part.place or (part.name if not role else ""),
        part.when, state, part.why, f"BROKEN LINK: {why}" if why else "",
    )  # fmt: skip
    return "  ".join(filter(None, fields))

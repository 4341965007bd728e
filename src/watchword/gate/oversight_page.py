"""Oversight figures as people read them: text, and a page with plots. Pure.

Fewer than PROBES_TELLING probes, no interval, a pool too small: the words say so, and no cell stands without its n.
"""

from __future__ import annotations

from collections.abc import Sequence

from watchword.gate.intervals import Range
from watchword.gate.oversight import APPROVE, Figures, State, in_words, percent, seconds
from watchword.report.board import Board, Cell, Plot, Section

STATES: dict[State, tuple[str, str]] = {
    "pass": ("good", "catches enough of the known-bad actions, by the lower bound"),
    "fail": ("bad", "misses too many known-bad actions, even by the upper bound"),
    "too-few": ("warn", "too few probes to say"),
    "withheld": ("none", "too few people to say anything that is not about a person"),
    "no-probes": ("none", "no probes were put to it"),
}
NOTES = (
    "Decision time runs from the hold's receipt to the signature; when a person looked is not known.",
    "False alarms count every ordinary action that was not approved, rightly refused ones too: an upper bound.",
    "Intervals are 95 %: Clopper-Pearson for shares, order statistics for medians; for d' and c approximate.",
    "Figures of persons are for their own member, to train and relieve them; no ally sees them.",
)


def render_text(figures: Sequence[Figures], states: Sequence[tuple[str, State]], period: str, receipts: int) -> str:
    """The figures as lines: pools first, members and people indented below their pool."""
    lines = [f"{period}, {receipts:,} receipts read"]
    if not figures:
        lines.append("no action has waited for people and ended")
    said: dict[str, State] = dict(states)
    for one in figures:
        role, member, person = one.of
        indent = "    " if person else "  " if member else ""
        lines.append(f"{indent}{one.name}: {_answers(one)}")
        lines.append(f"{indent}  decided in     {seconds(one.seconds)}")
        lines.append(f"{indent}  under {one.under_s} s     {percent(one.quick)} of approvals")
        lines.append(f"{indent}  overrode       {percent(one.overrides)}")
        lines.append(f"{indent}  approved though warned  {percent(one.warned)}")
        load = f"{_load(one)}, {one.busiest} in the busiest, {one.streak} approvals in a row"
        lines.append(f"{indent}  load           {load}")
        if not member:
            lines[-1] += f", {one.queue} waiting at once, {one.unanswered} nobody answered in time"
            state: State = said[role]
            lines.append(f"  state          {state}: {STATES[state][1]}")
        lines += [f"{indent}  {text}" for text in _probes(one)]
    return "\n".join(lines)


def board(figures: Sequence[Figures], states: Sequence[tuple[str, State]], title: str, period: str) -> Board:
    """The page. Its verdict is the worst state of any pool."""
    worst: State = min((state for _, state in states), key=_BAD_FIRST.index, default="no-probes")
    sections = [
        Section(
            "What allies are told",
            "One word for each pool, nothing about a person.",
            ("pool", "state"),
            tuple((Cell(role), Cell(state, STATES[state][0], STATES[state][1])) for role, state in states),
        ),
        _time(figures),
        Section(
            "Load and habit",
            "Approvals in a row are no proof of carelessness; with short times they are a reason to look.",
            ("who", "answers", "under the limit", "overrode", "though warned", "an hour", "in the busiest", "streak"),
            tuple(
                (
                    Cell(one.name), Cell(_answers(one)), Cell(percent(one.quick)), Cell(percent(one.overrides)),
                    Cell(percent(one.warned)), Cell(_load(one)), Cell(str(one.busiest)), Cell(str(one.streak)),
                )
                for one in figures
            ),
            (_shares("approved in less than the limit", [(one.name, one.quick) for one in figures]),),
        ),
        _vigilance(figures),
    ]  # fmt: skip
    text = f"{period}: " + ("; ".join(f"{role}: {STATES[state][1]}" for role, state in states) or "nothing was held")
    kind = STATES[worst][0] if STATES[worst][0] != "none" else "warn"
    return Board("oversight", title, text, kind, tuple(sections), NOTES)


_BAD_FIRST: tuple[State, ...] = ("fail", "too-few", "withheld", "no-probes", "pass")


def _answers(one: Figures) -> str:
    total = sum(count for _, count in one.answers)
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(one.answers, key=lambda pair: pair[0] != APPROVE))
    people = f" by {one.people} {'person' if one.people == 1 else 'people'}" if not one.of[2] else ""
    return f"{total:,} answer{'' if total == 1 else 's'}{people}" + (f": {kinds}" if kinds else "")


def _load(one: Figures) -> str:
    return f"{one.load.at:.1f} an hour ({one.load.low:.1f} to {one.load.high:.1f})" if one.load else "nothing yet"


def _probes(one: Figures) -> list[str]:
    if one.vigilance is None:
        return []
    told = [f"probes         {in_words(one.vigilance)}", f"false alarms   {percent(one.vigilance.alarms)}, at most"]
    found = one.vigilance.detection
    if found is not None:
        told.append(f"d'             {_signed(found.d)}; criterion {_signed(found.c)}")
    return told


def _signed(of: Range) -> str:
    return f"{of.at:.2f} ({of.low:.2f} to {of.high:.2f})"


def _time(figures: Sequence[Figures]) -> Section:
    timed = [(one.name, one.seconds) for one in figures if one.seconds is not None]
    rows = tuple(
        (name, at.low if at.low is not None else at.at, at.at, at.high if at.high is not None else at.at)
        for name, at in timed
    )
    most = max((row[3] for row in rows), default=0.0)
    return Section(
        "How long a decision took",
        "Median seconds from being asked to the signature; without an interval where there are fewer than six.",
        ("who", "median"),
        tuple((Cell(name), Cell(seconds(at))) for name, at in timed),
        (Plot("median decision time", rows, most, "s"),),
    )


def _vigilance(figures: Sequence[Figures]) -> Section:
    probed = [(one.name, one.vigilance) for one in figures if one.vigilance is not None]
    if not probed:
        return Section("Vigilance probes", "No probes were put to anybody in this time.", (), ())
    return Section(
        "Vigilance probes",
        "Known-bad actions, put to people under a commander's signed authority, never executable, revealed afterwards.",
        ("who", "caught", "false alarms, at most", "d'", "criterion"),
        tuple(
            (
                Cell(name, "", in_words(one)), Cell(percent(one.caught)), Cell(percent(one.alarms)),
                Cell(_signed(one.detection.d) if one.detection else "unknown"),
                Cell(_signed(one.detection.c) if one.detection else "unknown"),
            )
            for name, one in probed
        ),
        (_shares("known-bad actions caught", [(name, one.caught) for name, one in probed]),),
    )  # fmt: skip


def _shares(label: str, rows: Sequence[tuple[str, Range]]) -> Plot:
    shown = [(name, 100 * (at.low or 0.0), 100 * at.at, 100 * (at.high or 0.0)) for name, at in rows if at.n]
    return Plot(label, tuple((name, round(a, 1), round(b, 1), round(c, 1)) for name, a, b, c in shown), 100, "%")

"""What a run found, as pictures and as a page: accuracy against eps with its interval, by label, examples before and
after.

* ``figures`` is what any page shows of an evaluation: it takes the report that is attached to the statement
  (``evaluation.json``, docs/protocol.md, section 12), whoever made it. The console and a decision's page put it beside
  the statement's own words; ``page`` is the page of a run made here.
* SVG and tables; nothing is fetched, nothing runs, and every picture says its figures in words.
* A report comes from another member: it is read within bounds, and its text is shown, never obeyed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from watchword.chance import interval
from watchword.errors import WatchwordError
from watchword.limits import (
    EVALUATION_EXAMPLES_MAX,
    EVALUATION_INSTANCES_MAX,
    EVALUATION_LABELS_SHOWN_MAX,
    EVALUATION_PICTURED_BYTES_MAX,
)
from watchword.report.html import Html, definitions, foreign, join, listed, table, tag
from watchword.report.style import document
from watchword.report.svg import curve, grey_picture, mark, spans

if TYPE_CHECKING:
    from watchword.evaluate.run import Result

NOTES = (
    "Robustness is an upper bound: it holds for the attacks that were tried, and another attack can only lower it.",
    "Of several accepted runs, the worst counts.",
    "The interval is Clopper-Pearson, 95 %: of sampling, not of what was left untried.",
)


Count = Annotated[int, Meta(ge=0, le=EVALUATION_INSTANCES_MAX)]
Number = Annotated[str, Meta(max_length=40, pattern=r"^-?[0-9]{1,20}(\.[0-9]{1,20})?$")]
Text = Annotated[str, Meta(max_length=8_000)]


class NoPictures(WatchwordError):
    """A report that is not of the form that pictures are drawn from."""


class Point(msgspec.Struct, frozen=True):
    """So many of so many still right at an eps."""

    eps: Number
    k: Count
    n: Count


class Example(msgspec.Struct, frozen=True):
    """An instance that fell. Of arrays ``before`` and ``after`` are numbers of the given shape, else texts."""

    name: Text
    label: Text
    by: Text
    before: Text | Annotated[list[Number], Meta(max_length=100_000)]
    after: Text | Annotated[list[Number], Meta(max_length=100_000)]
    shape: Annotated[list[Annotated[int, Meta(ge=1, le=100_000)]], Meta(max_length=4)] | None = None


class Pictured(msgspec.Struct, frozen=True):
    """What of a report is drawn; the rest is not looked at."""

    by_label: Annotated[dict[Text, tuple[Count, Count]], Meta(max_length=100_000)]
    curve: Annotated[list[Point], Meta(max_length=20)] = []
    examples: Annotated[list[Example], Meta(max_length=100)] = []


def read_pictured(report: bytes) -> Pictured:
    """What of an attached report is drawn.

    Raises:
        NoPictures: too large, not JSON, or of another form.
    """
    if len(report) > EVALUATION_PICTURED_BYTES_MAX:
        raise NoPictures(f"the report of the evaluation has {len(report):,} bytes")
    try:
        found = msgspec.json.decode(report, type=Pictured)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:  # a name that is no UTF-8 raises ValueError
        raise NoPictures(f"the report of the evaluation is not as watchword makes it: {error}") from error
    if any(one.k > one.n for one in found.curve) or any(fell > of for fell, of in found.by_label.values()):
        raise NoPictures("the report of the evaluation counts more than there are")
    return found


def figures(found: Pictured) -> Html:
    """All pictures of an evaluation, each under its heading."""
    return join(accuracy_by_eps(found), by_label(found), before_and_after(found))


def accuracy_by_eps(found: Pictured) -> Html:
    """How many are still right, by how far the attacker may go, in the band of its intervals; nothing without a
    curve."""
    if not found.curve:
        return join()
    points = [(float(one.eps), *_part(one.k, one.n)) for one in found.curve]
    rows = [(one.eps, f"{one.k} of {one.n}", _interval(one.k, one.n)) for one in found.curve]
    return join(
        tag("h2", "Still right, by how far the attacker may go"), curve("still right", points),
        table("eps, and what still stands", ("eps", "still right", "interval"), _text(rows)),
    )  # fmt: skip


def by_label(found: Pictured) -> Html:
    """What fell of each label, the most fallen first, each share with its interval."""
    shares = [(label, fell, n, *_part(fell, n)) for label, (fell, n) in found.by_label.items() if n]
    shares.sort(key=lambda one: (-one[3], one[0]))
    shown = shares[:EVALUATION_LABELS_SHOWN_MAX]
    drawn = [(label, low, at, high) for label, _, _, at, low, high in shown]
    rows = [(label, f"{fell} of {n}", _interval(fell, n)) for label, fell, n, *_ in shown]
    left = len(shares) - len(shown)
    return join(
        tag("h2", "By label"), spans("what fell", drawn, 1.0, ""),
        table("what fell, by label", ("label", "fell", "interval"), _text(rows)),
        tag("p", f"{left:,} more labels stand in the report", class_="quiet small") if left else "",
    )  # fmt: skip


def before_and_after(found: Pictured) -> Html:
    """Pairs of what was given and what the attack made of it."""
    if not found.examples:
        return join()
    return join(tag("h2", "Before and after"), *(_example(one) for one in found.examples[:EVALUATION_EXAMPLES_MAX]))


def page(result: Result) -> bytes:
    """The page of a run, as UTF-8."""
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
        figures(read_pictured(result.encoded())),
    ]
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


def _example(one: Example) -> Html:
    heading = tag("h3", foreign(f"{one.name}: {one.label}, fell to {one.by}"))
    if one.shape is None or isinstance(one.before, str) or isinstance(one.after, str):
        both = [str(text) if isinstance(text, str) else ", ".join(text) for text in (one.before, one.after)]
        return join(heading, *(tag("pre", foreign(text)) for text in both))
    height, width = (1, 1, *one.shape)[-2:]
    pictures = [
        grey_picture(f"{one.name} {when}", [float(number) for number in numbers][: height * width], width)
        for when, numbers in (("before", one.before), ("after", one.after))
    ]
    return join(heading, *pictures)

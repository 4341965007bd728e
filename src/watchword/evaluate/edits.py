"""Edits of texts and files, as data: each set is a TOML file, ours in ``sets/`` or a plan's own (``attack.set``).

Kinds: ``pad`` puts lines before and after; ``typo`` slips; ``swap`` replaces letters; ``swell`` makes long inputs.
What an edit must leave as it was is part of the set: ``keeps = "python"`` wants the same syntax tree. What counts as
success is part of the plan: any other label, or the one that its parameter ``wanted`` names; for ``swell``, so many
``times`` slower.

* Candidates come in a fixed order from the seed and the instance, and no further than the budget.
* An edit that does not keep what it must is no candidate and costs no question.
"""

from __future__ import annotations

import ast
import time
import tomllib
import warnings
from collections.abc import Iterator
from importlib.resources import files
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from watchword.errors import WatchwordError
from watchword.evaluate.draw import texts
from watchword.evaluate.plan import Plan
from watchword.evaluate.subjects import Asked
from watchword.limits import EDIT_CANDIDATES_MAX, EDIT_REPEATS_MAX, EVALUATION_FILE_BYTES_MAX, SPONGE_FLOOR_S
from watchword.statements.fields import Decimal, Strict, Text

Item = str | bytes


class BadEdits(WatchwordError):
    """A set of edits that is not of this form, or does not exist."""


Counts = Annotated[list[Annotated[int, Meta(ge=1, le=EVALUATION_FILE_BYTES_MAX)]], Meta(max_length=100)]
Texts = Annotated[list[Text], Meta(max_length=100)]


class EditSet(Strict, frozen=True, kw_only=True):
    """One set of edits; each kind has fields of its own."""

    name: Text
    of: Literal["texts", "files"]
    kind: Literal["pad", "typo", "swap", "swell"]
    prefix: Text = ""
    lines: Counts = msgspec.field(default_factory=list)
    keeps: Literal["nothing", "python"] = "nothing"
    payloads: Annotated[list[list[Text]], Meta(max_length=1_000)] = msgspec.field(default_factory=list)
    rates: Annotated[list[Decimal], Meta(max_length=100)] = msgspec.field(default_factory=list)
    neighbours: Texts = msgspec.field(default_factory=list)
    swaps: dict[Text, Text] = msgspec.field(default_factory=dict)
    sizes: Counts = msgspec.field(default_factory=list)
    fillers: Texts = msgspec.field(default_factory=list)


def edit_set(plan: Plan) -> EditSet:
    """The set that a plan names: its own, or one that comes with watchword.

    Raises:
        BadEdits: no such set, or malformed; or its lines are not those of the plan's parameter ``lines``.
    """
    value: Any = plan.attack.set
    name = plan.threat.edits or ""
    if value is None:
        place = files("watchword.evaluate").joinpath("sets", f"{name}.toml")
        if not name.replace("-", "").isalnum() or not place.is_file():
            raise BadEdits(f"no set of edits {name!r} comes with watchword", "put it into the plan as [attack.set]")
        value = tomllib.loads(place.read_text("utf-8"))
    try:
        found = msgspec.convert(value, EditSet, strict=True)
    except msgspec.ValidationError as error:
        raise BadEdits(f"set of edits {name}: {error}") from error
    if found.name != name:
        raise BadEdits(f"set of edits {found.name}: the threat model names {name}")
    lines = plan.number("lines", 0)
    return msgspec.structs.replace(found, lines=[lines]) if lines else found


def candidates(of: EditSet, item: Item, seed: str, index: int) -> Iterator[Item]:
    """Edits of one instance, each once, at most EDIT_CANDIDATES_MAX of them."""
    text = item.decode("utf-8", "replace") if isinstance(item, bytes) else item
    exact = isinstance(item, str) or text.encode() == item
    numbers = texts(seed, index, of.name)
    make = {"pad": _padded, "typo": _mistyped, "swap": _swapped, "swell": _swollen}[of.kind]
    before = _tree(text) if of.keeps == "python" else ""
    seen = {text}
    if not exact or before is None:
        return
    repeats = 0
    for tries, made in enumerate(make(of, text, numbers)):
        if tries >= EDIT_CANDIDATES_MAX or repeats >= EDIT_REPEATS_MAX:
            return
        repeats = repeats + 1 if made in seen else 0
        if not repeats:
            seen.add(made)
            if not before or _tree(made) == before:
                yield made.encode() if isinstance(item, bytes) else made


def succeeded(plan: Plan, label: str, right: str) -> bool:
    """Whether an answer is what the attacker wanted."""
    wanted = plan.attack.parameters.get("wanted")
    return label == wanted if wanted is not None else label != right


def slowed(
    subject: Asked, of: EditSet, plan: Plan, item: Item, seed: str, index: int
) -> tuple[Item | None, int, float]:
    """A candidate that costs at least ``times`` as much as the instance itself, how many were asked, and how much.

    Cost is CPU time of the subject's own process, which another program on the machine does not change; of an endpoint,
    the time until it answers. Each is the least of three tries, and an instance costs at least SPONGE_FLOOR_S: what is
    shorter is noise.
    """
    wanted, asked, worst = plan.decimal("times", "10"), 0, 0.0
    clean = max(_cost(subject, item), SPONGE_FLOOR_S)
    for made in candidates(of, item, seed, index):
        if asked >= (plan.threat.queries or EDIT_CANDIDATES_MAX):
            break
        asked += 1
        worst = max(worst, _cost(subject, made) / clean)
        if worst >= wanted:
            return made, asked, worst
    return None, asked, worst


def _cost(subject: Asked, item: Item) -> float:
    taken = []
    for _ in range(3):
        begun, of_subject = time.perf_counter(), subject.cpu_s
        subject.labels([item])
        taken.append(subject.cpu_s - of_subject if subject.metered else time.perf_counter() - begun)
    return min(taken)


def _tree(text: str) -> str | None:
    """The syntax tree of a Python program, without places; None where it has none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.dump(ast.parse(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _shuffled(items: list[Any], numbers: Iterator[int]) -> list[Any]:
    keyed = [(next(numbers), place) for place in range(len(items))]
    return [items[place] for _, place in sorted(keyed)]


def _padded(of: EditSet, text: str, numbers: Iterator[int]) -> Iterator[str]:
    for payload in _shuffled(of.payloads, numbers):
        for count in of.lines:
            lines = [of.prefix + payload[one % len(payload)] for one in range(count)]
            block = "\n".join(lines) + "\n"
            yield f"{block}{text}{'' if text.endswith(chr(10)) else chr(10)}{block}"


def _chosen(places: list[int], rate: str, numbers: Iterator[int]) -> list[int]:
    many = max(1, round(float(rate) * len(places)))
    return sorted(_shuffled(places, numbers)[:many])


def _mistyped(of: EditSet, text: str, numbers: Iterator[int]) -> Iterator[str]:
    keys = [(row, at) for row in of.neighbours for at in range(len(row))]
    beside = {row[at]: row[max(0, at - 1) : at] + row[at + 1 : at + 2] for row, at in keys}
    inner = [at for at in range(1, len(text) - 1) if text[at - 1 : at + 2].isalpha()]
    while inner:
        for rate in of.rates:
            letters = list(text)
            for at in _chosen(inner, rate, numbers):
                way, one = next(numbers) % 4, text[at]
                near = beside.get(one.lower(), "")
                if way == 0 and near:
                    letters[at] = near[next(numbers) % len(near)]
                elif way == 1:
                    letters[at] = one + one
                elif way == 2:
                    letters[at] = ""
                else:
                    letters[at], letters[at - 1] = letters[at - 1], letters[at]
            yield "".join(letters)


def _swapped(of: EditSet, text: str, numbers: Iterator[int]) -> Iterator[str]:
    places = [at for at, one in enumerate(text) if one in of.swaps]
    while places:
        for rate in of.rates:
            chosen = set(_chosen(places, rate, numbers))
            yield "".join(of.swaps[one] if at in chosen else one for at, one in enumerate(text))


def _swollen(of: EditSet, text: str, numbers: Iterator[int]) -> Iterator[str]:
    for size in of.sizes:
        for filler in of.fillers:
            part = filler or text or " "
            yield text + (part * (size // len(part) + 1))[:size]

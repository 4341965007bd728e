"""Holes in a set of rules, each with an example: what nothing can meet, what nothing can cross, what says nothing new.

    never-applies       a requirement that asks nothing of any use case
    unmeetable          a requirement that no evidence of those who may speak can meet
    never-crossed       a red line or caveat that no release and no use case can cross
    forbids-everything  one that every release crosses for every use
    implied             a rule that stops nothing which rules that stand as long as it do not stop
    contradiction       two rules that no evidence satisfies where both are asked
    nothing-left        rules that together refuse every use at some criticality

* The solver says that no other case exists (``policy.world``); the example shown beside it is put before the table that
  decides (``policy.table``), and a finding that the table does not confirm is told as such: it is a defect here.
* Built-in rules imply nothing: a red line that says again what holds anyway names who answers for it.
* A member may take its caveat back, so caveats imply nothing of the charter or of another member. A row that may be
  waived implies nothing either: while it is, whoever answers for the other still asks. No waiver mends a contradiction.
* A row that asks the owner of a use is met by what the owner says, or relies on within limits.
* A leaf whose body is kept back refuses whatever the rules say, so no rule is looked at for it.
* Free policies of a caveat are looked at by themselves (``policy.free``), not beside rules. Not looked at: rules and
  policies about actions, whether an alliance is quick enough for an age.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import msgspec

from watchword.charter.charter import Charter, Condition, KeyHolder, RedLine, Requirement
from watchword.charter.conditions import written
from watchword.charter.lint import speakers
from watchword.errors import WatchwordError
from watchword.limits import CHECK_QUESTION_S_MAX, CHECK_RULES_MAX, CHECK_S_MAX
from watchword.policy import solver as z3
from watchword.policy.cedar import OF_USE
from watchword.policy.example import NOW, Example, example, played
from watchword.policy.world import COUNTED, CRITICALITY, Forbid, Formula, Rule, Unclear, World, has_tool, places_for
from watchword.statements.kinds import EVIDENCE
from watchword.statements.times import rfc3339

REFUSING = frozenset({"unmet", "crossed"})
T = TypeVar("T")


class TooManyRules(WatchwordError):
    """More rules than are compared with each other."""


@dataclass(frozen=True)
class Finding:
    """One hole: what it is, the rules it is about (the first one foremost), why, and an example.

    ``states``: what the table says of each rule in the example. ``confirmed``: whether that is what was expected.
    """

    id: str
    rules: tuple[str, ...]
    what: str
    example: Example
    states: Mapping[str, str]
    confirmed: bool


@dataclass(frozen=True)
class Checked:
    """All holes found, and the rules about which nothing is said, each with the reason."""

    findings: tuple[Finding, ...]
    unclear: tuple[tuple[str, str], ...]
    requirements: int
    red_lines: int
    caveats: int


def check(charter: Charter, caveats: Sequence[Forbid] = ()) -> Checked:
    """Look for holes in the requirements and red lines of *charter* and in *caveats*.

    Raises:
        TooManyRules: more than ``CHECK_RULES_MAX``.
    """
    lines = [forbid_of(one) for one in charter.red_lines]
    rules: list[Rule] = [*charter.requirements, *lines, *caveats]
    if len(rules) > CHECK_RULES_MAX:
        raise TooManyRules(f"{len(rules)} rules, limit {CHECK_RULES_MAX}", "check fewer packs or caveats at a time")
    search = _Search(charter, caveats)
    sound = [rule for rule in rules if not search.alone(rule)]
    search.pairs(sound)
    search.together(sound)
    # Two rules that contradict imply every other: one of them is left out of what follows.
    search.implied([rule for rule in sound if name_of(rule) not in search.ends])
    return Checked(
        tuple(search.findings), tuple(search.unclear.items()), len(charter.requirements), len(lines), len(caveats)
    )


def forbid_of(line: RedLine) -> Forbid:
    """A red line as it is looked at here."""
    shown = None if line.evidence is None else (line.evidence.kind, tuple(line.evidence.where))
    return Forbid(line.id, tuple(line.forbid), evidence=shown)


def name_of(rule: Rule) -> str:
    """What a rule is called in a finding: its id, after the member's name where it is a caveat's."""
    return f"{rule.whose}:{rule.id}" if isinstance(rule, Forbid) and rule.whose else rule.id


class _Undecided(WatchwordError):
    """The solver gave no answer in time."""


class _Search:
    """One search: what was found, what stayed unclear, and until when it may ask."""

    def __init__(self, charter: Charter, caveats: Sequence[Forbid]) -> None:
        self.charter = charter
        # Caveats are played as red lines: their conditions are judged by the same code.
        extra = tuple(
            RedLine(
                id=name_of(one), text="", forbid=list(one.forbid), evidence=None, accountable=one.whose, principle=[],
                serves=[],
            )
            for one in caveats
        )
        # A charter is looked at before it is in force: examples are played when it is.
        self.stage = replace(charter, red_lines=charter.red_lines + extra, effective=rfc3339(NOW))
        self.findings: list[Finding] = []
        self.unclear: dict[str, str] = {}
        self.ends: set[str] = set()
        self.apart: set[tuple[int, str, str]] = set()
        self.until = time.monotonic() + CHECK_S_MAX

    # -- one rule at a time -----------------------------------------------------------------------

    def alone(self, rule: Rule) -> bool:
        """Look at *rule* by itself; whether it is out of what follows: broken, or unclear."""
        before = len(self.findings)
        try:
            world = self.world([rule])
            judged = world.judged(rule)
            if isinstance(rule, Forbid):
                self._forbid_alone(world, rule, judged.refuses)
            elif self.ask(world, judged.applies) is None:
                self.found("never-applies", [rule], "it asks nothing of any use case", world, [], {"does not apply"})
            elif self.ask(world, judged.applies, world.met(rule)) is None:
                self._unmeetable(rule)
        except (Unclear, _Undecided) as error:
            self.unclear[name_of(rule)] = error.message
        return name_of(rule) in self.unclear or len(self.findings) > before

    def _forbid_alone(self, world: World, line: Forbid, crossed: Formula) -> None:
        if self.ask(world, z3.Not(crossed)) is None:
            self.found("forbids-everything", [line], "every release crosses it for every use", world, [], {"crossed"})
        elif self.ask(world, crossed) is None:
            parts = least(list(line.forbid), lambda some: self.ask_of(_with(line, some)) is None)
            near = _with(line, parts[:-1]) if parts else replace(line, evidence=None)
            why = _excluding(parts) if parts else "no evidence is what it is about"
            wide = self.world([line, near])
            crossing = [wide.judged(near).refuses]
            self.found("never-crossed", [line], f"nothing crosses it: {why}", wide, crossing, {"clear"})

    def _unmeetable(self, row: Requirement) -> None:
        parts = least(_parts(row), lambda some: self.ask_of(_only(row, some), met=True) is None)
        if not parts:
            what = f"nobody may say {row.kind}" if row.kind in EVIDENCE else f"{row.kind} is no kind of evidence"
            world = self.world([row])
            self.found("unmeetable", [row], what, world, [world.applies(row)], {"unmet"})
            return
        near = _only(row, parts[:-1])
        world = self.world([row, near])
        what = f"no evidence meets it: {self._short_of(row, parts)}"
        self.found("unmeetable", [row], what, world, [world.applies(row), world.met(near)], {"unmet"})

    def _short_of(self, row: Requirement, parts: Sequence[Part]) -> str:
        names = {name for name, _, _ in parts}
        if names == {"tools"} and not has_tool(row.kind):
            return f"it asks for {_many(row.tools, 'tools')}, and a {row.kind} names none"
        if names <= {"from", "count"}:
            able = [h for h in speakers(self.charter, row.kind) if "from" not in names or row.from_ == _sort_of(h)]
            many = len({holder.operator for holder in able})
            who = _many(row.count, "suppliers" if row.from_ == "supplier" else row.distinct)
            return f"it asks for {who}, and {many} may say {row.kind}"
        return _excluding(parts)

    # -- all of them ------------------------------------------------------------------------------

    def implied(self, rules: list[Rule]) -> None:
        """Tell the rules that others imply, later ones first."""
        left = list(rules)
        everything = self.world(rules)
        refuses = {name_of(rule): everything.judged(rule).refuses for rule in rules}
        # Every rule is asked of the same solver, which learns from one question for the next.
        refusing = {name: z3.Bool(f"refuses {number}") for number, name in enumerate(refuses)}
        standing = {name: z3.Bool(f"stands {number}") for number, name in enumerate(refuses)}
        for name, formula in refuses.items():
            everything.solver.add(z3.Implies(refusing[name], formula), z3.Implies(standing[name], z3.Not(formula)))
        for rule in reversed(rules):
            others = {name_of(one): one for one in left if one is not rule and _stands_with(one, rule)}
            try:
                core = self._excluding(everything, [refusing[name_of(rule)]], {name: standing[name] for name in others})
                if core is None:
                    continue
                by = [others[name] for name in core]
                exact = self.world([rule, *by])
                refused = exact.judged(rule).refuses
                if self.ask(exact, refused, *(z3.Not(exact.judged(one).refuses) for one in by)) is not None:
                    continue
            except (Unclear, _Undecided) as error:
                self.unclear[name_of(rule)] = error.message
                continue
            names = " and ".join(name_of(one) for one in by)
            what = f"whatever it stops, {names} {'stops' if len(by) == 1 else 'together stop'} too"
            self.found("implied", [rule, *by], what, exact, [refused], REFUSING, REFUSING)
            left.remove(rule)

    def pairs(self, rules: list[Rule]) -> None:
        """Tell the pairs that no evidence satisfies where both are asked."""
        rows = [rule for rule in rules if not isinstance(rule, Forbid)]
        lines = [rule for rule in rules if isinstance(rule, Forbid)]
        for number, row in enumerate(rows):
            for other in rows[number + 1 :]:
                if other.kind == row.kind:
                    self._tried(f"{row.id} with {other.id}", partial(self._against_row, row, other))
            for line in lines:
                if _about(line, row.kind):
                    self._tried(f"{row.id} with {name_of(line)}", partial(self._against_line, row, line))

    def _tried(self, what: str, look: Callable[[], None]) -> None:
        try:
            look()
        except (Unclear, _Undecided) as error:
            self.unclear[what] = error.message

    def _against_row(self, row: Requirement, other: Requirement) -> None:
        world = self.world([row, other])
        asked = [world.applies(row), world.applies(other)]
        if self.ask(world, *asked) is None or self.ask(world, *asked, world.met(row), world.met(other)) is not None:
            return
        parts = least(
            [(0, part) for part in _parts(row)] + [(1, part) for part in _parts(other)],
            lambda some: self._exclude(row, other, some),
        )
        what = f"where both apply, nothing meets both: {_excluding([part for _, part in parts])}"
        self.ends.add(name_of(other))
        states = ({"met"}, {"unmet"})
        self.found("contradiction", [row, other], what, world, [*asked, world.met(row)], *states)

    def _exclude(self, row: Requirement, other: Requirement, some: Sequence[tuple[int, Any]]) -> bool:
        one, two = (_only(of, [part for which, part in some if which == n]) for n, of in enumerate((row, other)))
        world = self.world([one, two])
        return self.ask(world, world.applies(one), world.applies(two), world.met(one), world.met(two)) is None

    def _against_line(self, row: Requirement, line: Forbid) -> None:
        about = (id(row), str([one for one in line.forbid if one.field not in OF_USE]), str(line.evidence))
        if about in self.apart:
            return
        world = self.world([row, line])
        here = [world.applies(row), *world.forbidding(line, of_use_case=True)]
        crossed = z3.And(*world.forbidding(line, of_use_case=False))
        if self.ask(world, *here) is None:
            return
        if self.ask(world, *here, world.met(row), z3.Not(crossed)) is not None:
            # What meets the row without crossing the line has nothing to do with the use, nor has another line's use.
            if row.from_ != "owner" and row.when.release != "endpoint":
                self.apart.add(about)
            return
        if self.ask(world, *here, z3.Not(crossed)) is None:
            return  # the line forbids such a release for such a use, whatever the row asks
        self.ends.add(name_of(row))
        what = f"what meets {name_of(row)} crosses {name_of(line)}"
        self.found("contradiction", [row, line], what, world, [*here, world.met(row)], {"met"}, {"crossed"})

    def together(self, rules: list[Rule]) -> None:
        """Tell the criticalities at which nothing is ever admitted, though no rule alone says so."""
        told = [set(one.rules) for one in self.findings]
        rows = [rule for rule in rules if not isinstance(rule, Forbid)]
        world = self.world(rules)
        stand = {name_of(rule): z3.Not(world.judged(rule).refuses) for rule in rules}
        by_name = {name_of(rule): rule for rule in rules}
        some_met = z3.Or(*(z3.And(world.applies(row), world.met(row)) for row in rows))
        for criticality in CRITICALITY:
            here = [world.context["criticality"].number == criticality]
            asked = [*here, some_met]
            try:
                if self.ask(world, *asked) is None:
                    what = f"at criticality {criticality} no requirement applies, so nothing is admitted"
                    self.found("nothing-left", [], what, world, here)
                    continue
                core = self.core(world, asked, stand)
                if core is None or len(core) < 2 or any(pair <= set(core) for pair in told):
                    continue
                some = [by_name[name] for name in core]
                exact = self.world([*some, *rows])
                some_met = z3.Or(*(z3.And(exact.applies(row), exact.met(row)) for row in rows))
                asked = [exact.context["criticality"].number == criticality, some_met]
                refusing = {name_of(rule): exact.judged(rule).refuses for rule in some}
                if self.ask(exact, *asked, *map(z3.Not, refusing.values())) is not None:
                    continue
                most = [z3.Not(refuses) for refuses in list(refusing.values())[:-1]]
            except (Unclear, _Undecided) as error:
                self.unclear[f"criticality {criticality}"] = error.message
                continue
            what = f"at criticality {criticality} they refuse everything together"
            told.append(set(core))
            self.ends.add(core[-1])
            self.found("nothing-left", some, what, exact, [*asked, *most], None, REFUSING)

    # -- asking -----------------------------------------------------------------------------------

    def world(self, rules: Sequence[Rule]) -> World:
        return World(self.charter, rules, places_for(rules))

    def ask(self, world: World, *formulas: Formula) -> Any:
        """A model of *formulas* in *world*, or None where there is none.

        Raises:
            _Undecided: no answer in time.
        """
        with self._asking(world) as solver:
            solver.add(*formulas)
            return solver.model() if self._answer(solver) else None

    def ask_of(self, rule: Rule, met: bool = False) -> Any:
        """A model in which *rule* alone is asked and stands in the way, or, with *met*, does not."""
        world = self.world([rule])
        judged = world.judged(rule)
        return self.ask(world, judged.applies, z3.Not(judged.refuses) if met else judged.refuses)

    def core(self, world: World, formulas: Iterable[Formula], named: Mapping[str, Formula]) -> list[str] | None:
        """Names of *named* that *formulas* exclude together, none of them needlessly; None where they do not."""
        with self._asking(world) as solver:
            solver.add(*formulas)
            marks = {name: z3.Bool(f"stands {number}") for number, name in enumerate(named)}
            for name, formula in named.items():
                solver.add(z3.Implies(marks[name], formula))
            return self._excluding(world, [], marks)

    def _excluding(self, world: World, assumed: Sequence[Formula], marks: Mapping[str, Formula]) -> list[str] | None:
        """Names of *marks* that *assumed* and what the solver knows exclude together; None where they do not."""
        self._in_time()
        solver = world.solver
        if self._answer(solver, *assumed, *marks.values()):
            return None
        inside = {str(mark) for mark in solver.unsat_core()}
        names = [name for name, mark in marks.items() if str(mark) in inside]
        return least(names, lambda some: not self._answer(solver, *assumed, *(marks[name] for name in some)))

    @contextmanager
    def _asking(self, world: World) -> Iterator[Any]:
        self._in_time()
        world.solver.push()
        try:
            yield world.solver
        finally:
            world.solver.pop()

    def _in_time(self) -> None:
        if time.monotonic() > self.until:
            raise _Undecided(f"not looked at: {CHECK_S_MAX:.0f} s are over")

    def _answer(self, solver: Any, *assumptions: Formula) -> bool:
        answer = solver.check(*assumptions)
        if answer == z3.unknown:
            raise _Undecided(f"the solver found no answer in {CHECK_QUESTION_S_MAX:g} s")
        return bool(answer == z3.sat)

    def found(
        self, id: str, rules: Sequence[Rule], what: str, world: World, formulas: Sequence[Formula],
        first: Iterable[str] | None = None, rest: Iterable[str] | None = None,
    ) -> None:  # fmt: skip
        """Keep a finding with the plainest example of *formulas*, put before the table.

        Args:
            first: the states of the first rule that are expected; *rest*: of at least one of the others.
        """
        shown = self._plain(world, formulas)
        decision = played(self.stage, shown)
        states = {one["id"]: one["state"] for one in (*decision["requirements"], *decision["red_lines"])}
        names = tuple(name_of(rule) for rule in rules)
        confirmed = (
            (first is None or states[names[0]] in first)
            and (rest is None or any(states[name] in rest for name in (names if first is None else names[1:])))
            and (id != "nothing-left" or decision["verdict"] == "refused")
        )
        self.findings.append(Finding(id, names, what, shown, {name: states[name] for name in names}, confirmed))

    def _plain(self, world: World, formulas: Sequence[Formula]) -> Example:
        granted = [*formulas, *(z3.Not(p.fallen) for places in world.places.values() for p in places)]
        with self._asking(world) as solver:
            for wish in world.quiet:
                if solver.check(*granted, wish) == z3.sat:
                    granted.append(wish)
            if not self._answer(solver, *granted):
                raise _Undecided("no example without fallen evidence")
            return example(world, solver.model())


def least(parts: list[T], holds: Callable[[list[T]], bool]) -> list[T]:
    """Parts of *parts* for which *holds* still, none of which can be left out alone. Needs ``holds(parts)``."""
    kept = list(parts)
    for part in parts:
        fewer = [one for one in kept if one is not part]
        if holds(fewer):
            kept = fewer
    return kept


Part = tuple[str, int, str]
"""One demand of a requirement: the field it stands in, its place there, and how people read it."""


def _parts(row: Requirement) -> list[Part]:
    """What *row* asks for, demand by demand."""
    parts: list[Part] = [("where", n, written(one)) for n, one in enumerate(row.where)]
    parts += [("bound", n, written(one)) for n, one in enumerate(row.bound)]
    if row.from_ != "any":
        parts.append(("from", 0, f"from {row.from_}"))
    if row.count > 1:
        parts.append(("count", 0, f"{row.count} {row.distinct}"))
    if row.tools:
        parts.append(("tools", 0, f"{row.tools} tools"))
    return parts


def _only(row: Requirement, parts: Iterable[Part]) -> Requirement:
    """*row* with no other demands than *parts*."""
    kept = {(name, number) for name, number, _ in parts}
    return msgspec.structs.replace(
        row,
        where=[one for n, one in enumerate(row.where) if ("where", n) in kept],
        bound=[one for n, one in enumerate(row.bound) if ("bound", n) in kept],
        from_=row.from_ if ("from", 0) in kept else "any",
        count=row.count if ("count", 0) in kept else 1,
        tools=row.tools if ("tools", 0) in kept else 0,
    )


def _with(line: Forbid, conditions: Iterable[Condition]) -> Forbid:
    return replace(line, forbid=tuple(conditions))


def _excluding(parts: Sequence[Any]) -> str:
    told = [written(one) if isinstance(one, Condition) else one[2] for one in parts]
    if len(told) == 1:
        return f"{told[0]} cannot be"
    return f"{', '.join(told[:-1])} and {told[-1]} exclude each other"


def _many(number: int, what: str) -> str:
    return f"{number} {what if number != 1 else what.removesuffix('s')}"


def _sort_of(holder: KeyHolder) -> str:
    return "supplier" if holder.is_supplier else "member"


def _stands_with(one: Rule, rule: Rule) -> bool:
    """Whether *one* stands as long as *rule* does."""
    whose = one.whose if isinstance(one, Forbid) else ""
    return not whose or (isinstance(rule, Forbid) and rule.whose == whose)


def _about(line: Forbid, kind: str) -> bool:
    """Whether evidence of *kind* can cross *line*."""
    counted = any(COUNTED.get(one.field) == kind for one in line.forbid)
    return counted or (line.evidence is not None and line.evidence[0] == kind)

"""Every world that a set of rules can meet, as variables of the z3 solver: one release, its evidence, one use case.

    use case   criticality 0 to 3, human in/on/out, owner, members, tags
    release    of files, or an endpoint: then some statement of that kind shows it
    evidence   per kind a number of places, each empty or a statement with issuer, age, tool and the fields asked for
    reliance   of each statement, whether the owner of the use relies on it, within limits that hold
    waivers    of each row that the charter lets enough people waive, whether they do
    notices    how many recalls and disputes

* Field types are those of ``statements.kinds``; conditions mean what ``charter.conditions`` says, trouble included.
* A text is one of those that the rules name, or another; a decimal is an integer of the smallest step that the rules
  name, a hundredth of it in between.
* ``Unclear`` is raised for what cannot be said in these variables: nothing is concluded about such a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

import msgspec

from watchword.charter.charter import Charter, Condition, KeyHolder, Requirement
from watchword.charter.conditions import ORDER, is_decimal, is_trouble, wrong_with
from watchword.charter.lint import DAY_S, persons, speakers
from watchword.errors import WatchwordError
from watchword.limits import CHECK_PLACES_MAX, CHECK_QUESTION_S_MAX
from watchword.policy import solver as z3
from watchword.policy.cedar import OF_USE, RED_LINE_FIELDS
from watchword.policy.shapes import Shape, shape
from watchword.statements.kinds import EVIDENCE, KINDS

HUMAN = ("in", "on", "out")
CRITICALITY = range(4)
COUNTED = {"dangerous": "inspection", "against": "review", "endpoint": "endpoint"}
"""Fields of a red line's context that count statements, and of which kind."""
_COUNTED_BY = {"dangerous": ("dangerous", "verdict"), "against": ("outcome",), "endpoint": ()}
Formula = Any
"""A z3 expression; z3 ships no types."""


class Unclear(WatchwordError):
    """A rule that asks for something these variables do not have. Names the field."""


@dataclass(frozen=True)
class Forbid:
    """A red line, or one rule of a member's caveat. ``whose``: the member, empty for a red line."""

    id: str
    forbid: tuple[Condition, ...]
    whose: str = ""
    evidence: tuple[str, tuple[Condition, ...]] | None = None


Rule = Requirement | Forbid


@dataclass(frozen=True)
class Field:
    """One field of a statement or context in variables; which of them are used depends on the sort."""

    shape: Shape
    gone: Formula
    null: Formula
    number: Formula = None
    atom: Formula = None
    decimal: Formula = None
    is_decimal: Formula = None
    holds: Mapping[str, Formula] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where one statement of *kind* may stand. ``fields``: those that a rule asks for, by path; ``by``: that it
    is this speaker's; ``relied``: that the owner of the use relies on it."""

    kind: str
    number: int
    present: Formula
    who: Formula
    by: tuple[Formula, ...]
    age_s: Formula
    fallen: Formula
    relied: Formula
    fields: dict[str, Field]


@dataclass(frozen=True)
class Judged:
    """A rule in this world: where it is asked, and where it stands in the way (asked, and unmet or crossed)."""

    applies: Formula
    refuses: Formula


class World:
    """The variables for *rules* under *charter*, and what ties them. ``solver`` knows all of it.

    Args:
        charter: for who may say what.
        rules: all rules that will be asked about.
        places: how many statements of each kind there may be at most.
    """

    def __init__(self, charter: Charter, rules: Sequence[Rule], places: Mapping[str, int]) -> None:
        self.charter = charter
        self._rules = rules
        self._ties: list[Formula] = []
        self._texts: dict[str, list[str]] = {}
        self._wanted: dict[str, set[str]] = {}
        self._counted: set[str] = set()
        self._met: dict[int, tuple[Requirement, Formula]] = {}
        self.scale = 100
        self._collect()
        self.context = self._context()
        self.places = {kind: self._places(kind, number) for kind, number in places.items()}
        self.is_endpoint = z3.Bool("endpoint")
        shown = [place.present for place in self.places.get("endpoint", [])]
        self._ties.append(z3.Implies(self.is_endpoint, z3.Or(*shown)))
        rows = [rule for rule in rules if not isinstance(rule, Forbid)]
        self.waived = {row.id: z3.Bool(f"{row.id} waived") for row in rows if waivers(charter, row)}
        self._count_statements()

    @cached_property
    def solver(self) -> Any:
        """The solver that knows what ties the variables. What is asked is pushed before and popped after."""
        solver = z3.SimpleSolver()
        solver.set("timeout", int(CHECK_QUESTION_S_MAX * 1000))
        solver.add(*self._ties)
        return solver

    def judged(self, rule: Rule) -> Judged:
        """*rule* in this world.

        Raises:
            Unclear: it asks for a field that has no variable.
        """
        if isinstance(rule, Forbid):
            crossed = z3.And(*self.forbidding(rule))
            return Judged(z3.BoolVal(True), crossed)
        applies = self.applies(rule)
        waived = self.waived.get(rule.id, z3.BoolVal(False))
        return Judged(applies, z3.And(applies, z3.Not(self.met(rule)), z3.Not(waived)))

    def forbidding(self, line: Forbid, of_use_case: bool | None = None) -> list[Formula]:
        """The conditions of *line*, each as a formula; those that the use case alone decides, or the others."""
        claiming = {holder.owner for holder in self.speakers("claim")}
        for one in line.forbid:
            if one.field == "suppliers" and isinstance(one.value, str) and one.value not in claiming:
                raise Unclear(f"{one.value[:80]} is no supplier of this charter that may make a claim")
        conditions = [
            z3.BoolVal(True) if is_trouble(one) else self._holds(one, self.context.get(one.field), trouble=True)
            for one in line.forbid
            if of_use_case is None or (one.field in OF_USE or one.field not in RED_LINE_FIELDS) == of_use_case
        ]
        if line.evidence is not None and of_use_case is not True:
            kind, where = line.evidence
            shown = [
                z3.And(place.present, *(self._asked(place, one, trouble=True) for one in where))
                for place in self.places.get(kind, [])
            ]
            conditions.append(z3.Or(*shown))
        return conditions

    def applies(self, row: Requirement) -> Formula:
        """Whether *row* asks anything of the use case and the release."""
        human = self.context["human"]
        asked = [self.context["criticality"].number >= row.when.criticality]
        if row.when.human:
            asked.append(z3.Or(*(human.atom == HUMAN.index(one) for one in row.when.human if one in HUMAN)))
        if row.when.release is not msgspec.UNSET:
            asked.append(self.is_endpoint == (row.when.release == "endpoint"))
        return z3.And(*asked)

    def met(self, row: Requirement) -> Formula:
        """Whether enough evidence for *row* is there, young enough, and none of it fails; built once."""
        if id(row) not in self._met:
            self._met[id(row)] = (row, self._met_by_places(row))
        return self._met[id(row)][1]

    def _met_by_places(self, row: Requirement) -> Formula:
        places = self.places.get(row.kind, [])
        candidate = [self.candidate(row, place) for place in places]
        passes = [z3.And(*(self._asked(place, one, trouble=False) for one in row.bound)) for place in places]
        failing = [z3.And(c, z3.Or(p.fallen, z3.Not(b))) for c, p, b in zip(candidate, places, passes, strict=True)]
        young = [True if row.max_age_days is None else p.age_s <= row.max_age_days * DAY_S for p in places]
        sure = [z3.And(*(self._asked(place, one, trouble=False) for one in row.where)) for place in places]
        good = [
            z3.And(c, z3.Not(f), y, s) for c, f, y, s in zip(candidate, failing, young, sure, strict=True)
        ]  # fmt: skip
        enough = _at_least(self._operators(row, places, good) if row.distinct == "operators" else good, row.count)
        return z3.And(enough, self._tools(row, places, good), z3.Not(z3.Or(*failing)))

    def candidate(self, row: Requirement, place: Place) -> Formula:
        """Whether the statement at *place* is one that *row* is about."""
        speaking = self.speakers(row.kind)
        sort = {True: ("any", "supplier"), False: ("any", "member")}
        fits = [place.by[n] for n, holder in enumerate(speaking) if row.from_ in sort[holder.is_supplier]]
        if row.from_ == "owner":
            own = [(n, holder) for n, holder in enumerate(speaking) if not holder.is_supplier]
            fits = [place.relied, *(z3.And(place.by[n], self._owned_by(holder.owner)) for n, holder in own)]
        return z3.And(place.present, z3.Or(*fits), *(self._asked(place, one, trouble=True) for one in row.where))

    def speakers(self, kind: str) -> list[KeyHolder]:
        """Who may say *kind*: one key of each party that may."""
        return list({holder.owner: holder for holder in speakers(self.charter, kind)}.values())

    @cached_property
    def quiet(self) -> list[Formula]:
        """Wishes for an example that people can read: few statements, no bad news, nothing that falls, new evidence."""
        news = ("recalls", "disputes", "incidents")
        wishes = [self.context[name].number == 0 for name in news if name in self.context]
        wishes.append(z3.Not(self.is_endpoint))
        every = [place for places in self.places.values() for place in places]
        wishes += [z3.Not(place.present) for place in reversed(every)]
        wishes += [place.age_s == DAY_S for place in every]
        lifting = (*self.waived.values(), *(place.relied for place in every))
        wishes += [z3.Not(one) for one in lifting if not z3.is_false(one)]
        # One issuer after the other, and fields that say nothing remarkable.
        wishes += [place.who == place.number for place in every]
        for place in every:
            wishes += [one.number == 0 for one in place.fields.values() if one.number is not None]
            wishes += [one.atom == 0 for one in place.fields.values() if one.atom is not None]
            wishes += [z3.Not(one.null) for one in place.fields.values() if one.shape.nullable]
        wishes += [self.context["human"].atom == 1, self.context["criticality"].number == 0]
        return wishes

    # -- the variables ----------------------------------------------------------------------------

    def _collect(self) -> None:
        """Every text that a rule names, by the field that it is compared with, and the finest decimal step."""
        digits = 0
        for rule in self._rules:
            asked = [("", one) for one in rule.forbid] if isinstance(rule, Forbid) else []
            if isinstance(rule, Forbid) and rule.evidence is not None:
                asked += [(rule.evidence[0], one) for one in rule.evidence[1]]
            if not isinstance(rule, Forbid):
                asked += [(rule.kind, one) for one in (*rule.where, *rule.bound)]
                self._wanted.setdefault(rule.kind, set())
            for kind, condition in asked:
                self._wanted.setdefault(kind, set()).add(condition.field)
                values = condition.value if isinstance(condition.value, list) else [condition.value]
                texts = self._texts.setdefault(f"{kind}:{condition.field}", [])
                for value in values:
                    if isinstance(value, str) and value not in texts:
                        texts.append(value)
                        if is_decimal(value):
                            digits = max(digits, len(value.partition(".")[2]))
            if isinstance(rule, Forbid):
                self._counted |= {one.field for one in rule.forbid if one.field in COUNTED}
            elif rule.tools and has_tool(rule.kind):
                self._wanted[rule.kind].add("tool.name")
        for name in self._counted:
            self._wanted.setdefault(COUNTED[name], set()).update(_COUNTED_BY[name])
        self.scale = 10 ** (digits + 2)

    def _context(self) -> dict[str, Field]:
        found: dict[str, Field] = {}
        for name, kind in RED_LINE_FIELDS.items():
            if kind == "Long":
                high = CRITICALITY.stop - 1 if name == "criticality" else None
                found[name] = self._field("", name, Shape("integer", 0, high), "use")
            elif name == "human":
                found[name] = self._field("", name, Shape("text", values=HUMAN), "use")
            elif name == "owner":
                named = self._texts.get(":owner", [])
                self._texts[":owner"] = list(dict.fromkeys([*(one.name for one in self.charter.members), *named]))
                found[name] = self._field("", name, Shape("text"), "use")
            else:
                found[name] = self._field("", name, Shape("text" if kind == "String" else "texts"), "use")
        return found

    def _places(self, kind: str, many: int) -> list[Place]:
        speaking = self.speakers(kind)
        places: list[Place] = []
        owned = any(not isinstance(one, Forbid) and (one.kind, one.from_) == (kind, "owner") for one in self._rules)
        for number in range(many):
            name = f"{kind}/{number}"
            who = z3.Int(f"{name} who")
            by = tuple(who == one for one in range(len(speaking)))
            place = Place(
                kind, number, z3.Bool(f"{name} present"), who, by, z3.Int(f"{name} age"),
                z3.Bool(f"{name} fallen"), z3.Bool(f"{name} relied") if owned else z3.BoolVal(False), {},
            )  # fmt: skip
            for path in sorted(self._wanted.get(kind, set())):
                place.fields[path] = self._field(kind, path, _shape(kind, path, speaking), name)
            self._ties += [place.who >= 0, place.who < max(1, len(speaking)), place.age_s >= 0]
            if owned:
                relying = {holder.owner for holder in self.speakers("reliance") if not holder.is_supplier}
                self._ties.append(z3.Implies(place.relied, z3.Or(*map(self._owned_by, sorted(relying)))))
            if not speaking:
                self._ties.append(z3.Not(place.present))
            if places:  # the order of places means nothing: full ones first, by issuer
                self._ties.append(z3.Implies(place.present, z3.And(places[-1].present, places[-1].who <= place.who)))
            issuer = place.fields.get("issuer")
            if issuer is not None:
                known = self.known(kind, "issuer", issuer.shape)
                self._ties += [
                    z3.Implies(place.who == i, issuer.atom == known.index(holder.owner))
                    for i, holder in enumerate(speaking)
                ]
            places.append(place)
        return places

    def _owned_by(self, member: str) -> Formula:
        owner = self.context["owner"]
        return owner.atom == self.known("", "owner", owner.shape).index(member)

    def known(self, kind: str, path: str, of: Shape) -> list[str]:
        """The texts that the variable of a field tells apart, by number; a greater number is another text."""
        texts = self._texts.get(f"{kind}:{path}", [])
        return list(dict.fromkeys([*(of.values or ()), *texts]))

    def _field(self, kind: str, path: str, of: Shape, name: str) -> Field:
        """Variables for one field, with what its shape says of them."""
        nulls = [z3.Bool(f"{name} {step} null") for step in of.nullable]
        own = bool(of.nullable) and of.nullable[-1] == path
        gone = z3.Or(*nulls[: -1 if own else None]) if nulls else z3.BoolVal(False)
        null = nulls[-1] if own else z3.BoolVal(False)
        if of.sort == "integer":
            number = z3.Int(f"{name} {path}")
            self._ties += [number >= of.low] if of.low is not None else []
            self._ties += [number <= of.high] if of.high is not None else []
            return Field(of, gone, null, number=number)
        if of.sort == "texts":
            known = self._texts.get(f"{kind}:{path}", [])
            return Field(of, gone, null, holds={one: z3.Bool(f"{name} {path} holds {one}") for one in known})
        if of.sort != "text":
            return Field(of, gone, null)
        atom, decimal = z3.Int(f"{name} {path}"), z3.Int(f"{name} {path} decimal")
        is_number = z3.Bool(f"{name} {path} is decimal")
        known = self.known(kind, path, of)
        self._ties += [atom >= 0]
        for number, text in enumerate(known):
            if not of.allows(text):
                self._ties.append(atom != number)
            elif is_decimal(text):
                self._ties.append(z3.Implies(atom == number, z3.And(is_number, decimal == self._scaled(text))))
            else:
                self._ties.append(z3.Implies(atom == number, z3.Not(is_number)))
        if of.values is not None:
            self._ties.append(atom < len(known))
        elif of.is_decimal is not None:
            self._ties.append(z3.Implies(atom >= len(known), is_number == of.is_decimal))
        return Field(of, gone, null, atom=atom, decimal=decimal, is_decimal=is_number)

    def _scaled(self, text: str) -> Formula:
        return z3.IntVal(int(Decimal(text) * self.scale))

    def _count_statements(self) -> None:
        """Tie what a red line counts, and the suppliers that it names, to the statements that are there."""
        for name, held in self.context["suppliers"].holds.items():
            saying = [n for n, holder in enumerate(self.speakers("claim")) if holder.owner == name]
            claims = [z3.And(p.present, p.who == n) for p in self.places.get("claim", []) for n in saying]
            self._ties.append(held == z3.Or(*claims))
        for name in sorted(self._counted & set(self.context)):
            kind, shown = COUNTED[name], []
            for place in self.places.get(kind, []):
                counts = z3.BoolVal(True)
                if name == "dangerous":
                    verdict = place.fields["verdict"]
                    known = self.known(kind, "verdict", verdict.shape)
                    counts = z3.Or(place.fields["dangerous"].number > 0, verdict.atom == known.index("dangerous"))
                elif name == "against":
                    outcome = place.fields["outcome"]
                    known = self.known(kind, "outcome", outcome.shape)
                    counts = outcome.atom == known.index("against")
                shown.append(z3.If(z3.And(place.present, counts), 1, 0))
            self._ties.append(self.context[name].number == z3.Sum([z3.IntVal(0), *shown]))

    # -- conditions -------------------------------------------------------------------------------

    def _asked(self, place: Place, condition: Condition, trouble: bool) -> Formula:
        return self._holds(condition, place.fields[condition.field], trouble, place.kind)

    def _holds(self, condition: Condition, of: Field | None, trouble: bool, kind: str = "") -> Formula:
        """*condition* as a formula, with *trouble* as its truth where it has none."""
        if of is None or of.shape.sort == "missing" or wrong_with(condition) is not None:
            return z3.BoolVal(trouble)
        if of.shape.sort == "opaque":
            raise Unclear(f"{kind or 'use case'}: what {condition.field} can hold is not known here")
        if condition.op == "any":
            return z3.If(of.gone, z3.BoolVal(trouble), z3.BoolVal(True))
        clear, said = self._compared(condition, of, kind)
        return z3.If(z3.And(clear, z3.Not(of.gone), z3.Not(of.null)), said, z3.BoolVal(trouble))

    def _compared(self, condition: Condition, of: Field, kind: str) -> tuple[Formula, Formula]:
        """Where *condition* has an answer, and the answer."""
        op, wanted, sort = condition.op, condition.value, of.shape.sort
        yes, no = z3.BoolVal(True), z3.BoolVal(False)
        if op == "contains":
            fits = sort == "texts" and isinstance(wanted, str)
            return (yes if sort in ("texts", "list") else no), (of.holds[wanted] if fits else no)
        if sort in ("texts", "list", "structure"):
            return no, no
        if sort == "integer":
            whole = [one for one in (wanted if op == "in" else [wanted]) if type(one) is int]
            if op == "in":
                return yes, z3.Or(*(of.number == one for one in whole))
            return (yes, _COMPARE[op](of.number, z3.IntVal(whole[0]))) if whole else (no, no)
        known = self.known(kind, condition.field, of.shape)
        texts = [one for one in (wanted if op == "in" else [wanted]) if isinstance(one, str)]
        if op == "in":
            return yes, z3.Or(*(of.atom == known.index(one) for one in texts))
        if not texts:
            return no, no
        if not is_decimal(texts[0]):
            equal = of.atom == known.index(texts[0])
            return (no if op in ORDER else yes), (equal if op == "==" else z3.Not(equal))
        said = _COMPARE[op](of.decimal, self._scaled(texts[0]))
        if op in ORDER:
            return of.is_decimal, said
        return yes, z3.And(of.is_decimal, said) if op == "==" else z3.Or(z3.Not(of.is_decimal), said)

    # -- counting ---------------------------------------------------------------------------------

    def _operators(self, row: Requirement, places: list[Place], good: list[Formula]) -> list[Formula]:
        by: dict[str, list[int]] = {}
        for number, holder in enumerate(self.speakers(row.kind)):
            by.setdefault(holder.operator, []).append(number)
        def said(place: Place, numbers: list[int]) -> Formula:
            return z3.Or(*(place.by[n] for n in numbers)) if len(numbers) > 1 else place.by[numbers[0]]

        return [
            z3.Or(*(z3.And(g, said(p, numbers)) for g, p in zip(good, places, strict=True))) for numbers in by.values()
        ]

    def _tools(self, row: Requirement, places: list[Place], good: list[Formula]) -> Formula:
        if not row.tools:
            return z3.BoolVal(True)
        if not has_tool(row.kind):
            return z3.BoolVal(False)
        names = [place.fields["tool.name"].atom for place in places]
        first = [
            z3.And(good[i], *(z3.Not(z3.And(good[j], names[j] == names[i])) for j in range(i)))
            for i in range(len(places))
        ]
        return _at_least(first, row.tools)


def waivers(charter: Charter, row: Requirement) -> list[KeyHolder]:
    """Whose waivers lift *row*, one person of each operator and no more than it takes; none where too few may."""
    if row.waiver is None:
        return []
    may, need = persons(charter, "waiver", row.waiver.role), max(row.waiver.count, 1)
    return may[:need] if len(may) >= need else []


def has_tool(kind: str) -> bool:
    """Whether statements of *kind* name the tool that made them."""
    return shape(kind, "tool.name").sort == "text"


def places_for(rules: Iterable[Rule]) -> dict[str, int]:
    """How many statements of each kind a world for *rules* needs, so that each of them can be decided either way.

    Rows may be about different statements, and so may what red lines show; what red lines count is counted once.

    Raises:
        Unclear: one rule asks for more than ``CHECK_PLACES_MAX``.
    """
    apart: dict[str, int] = {}
    counted: dict[str, int] = {}
    shown = set()
    for rule in rules:
        if not isinstance(rule, Forbid):
            many = _bounded(max(rule.count, rule.tools) + 1, rule.kind)
            apart[rule.kind] = apart.get(rule.kind, 0) + many
            if rule.when.release is not msgspec.UNSET:
                counted.setdefault("endpoint", 1)
            continue
        for one in rule.forbid:
            kind = COUNTED.get(one.field)
            if one.field == "suppliers":
                shown.add(("claim", str(one.value)))
            if kind is not None:
                many = _bounded(one.value + 2 if type(one.value) is int else 1, kind)
                counted[kind] = max(counted.get(kind, 1), many)
        if rule.evidence is not None:
            shown.add((rule.evidence[0], str(rule.evidence[1])))
    for kind, _ in shown:
        apart[kind] = apart.get(kind, 0) + 1
    kinds = {kind for kind in {*apart, *counted} if kind in KINDS and kind in EVIDENCE}
    return {kind: apart.get(kind, 0) + counted.get(kind, 0) for kind in sorted(kinds)}


def _bounded(many: int, kind: str) -> int:
    if many > CHECK_PLACES_MAX:
        raise Unclear(f"{many - 1} statements of kind {kind} are more than are tried here ({CHECK_PLACES_MAX - 1})")
    return many


_COMPARE: dict[str, Callable[[Formula, Formula], Formula]] = {
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip


def _at_least(formulas: list[Formula], many: int) -> Formula:
    if many <= 0:
        return z3.BoolVal(True)
    return z3.AtLeast(*formulas, many) if len(formulas) >= many else z3.BoolVal(False)


def _shape(kind: str, path: str, speaking: Sequence[KeyHolder]) -> Shape:
    """The shape of a field; an issuer is one of those who speak; made and scope are not in these variables."""
    if path == "issuer":
        return Shape("text", values=tuple(holder.owner for holder in speaking))
    if path.partition(".")[0] in ("made", "scope", "after"):
        return Shape("opaque")
    return shape(kind, path)

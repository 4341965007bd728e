"""What a refusal lacks: the fewest statements that would turn it into an admission, and what no evidence lifts.

Pure. The set is not argued but tried: the statements are supposed (``policy.hypothesis``), and the real decision is
made again with them. ``admits`` is what that answered.

* One new statement serves every row of its kind that it can satisfy, so rows are grouped as far as one statement fits
  all of them, also those that are met and would fail by a statement that only just suits another.
* Distinct operators: the fewest that are missing in every row of a group, tried by size; past ``MISSING_TRIED_MAX``
  sets the best next operator is taken each time, and ``smallest`` is false.
* A row that asks the owner of the use takes what the owner says, or what it relies on: where it cannot say enough
  itself, its reliances on what others have said come first, then its own word, then others' and reliances on that.
* What evidence cannot lift is listed apart, each with who can, if anybody: a red line, a notice, evidence that fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import comb
from typing import Any

import msgspec

from watchword.charter.charter import Charter, Condition, Requirement
from watchword.charter.conditions import all_hold, written
from watchword.charter.lint import speakers
from watchword.ledger.view import Fact
from watchword.limits import MISSING_TRIED_MAX, WHAT_IF_STATEMENTS_MAX
from watchword.policy import table
from watchword.policy.cedar import OF_USE
from watchword.policy.fitting import fitting
from watchword.policy.hypothesis import Supposed, World, suppose, supposed_id
from watchword.statements.kinds import COMMON_FIELDS
from watchword.statements.statement import Subject
from watchword.statements.times import parse_time, rfc3339


@dataclass(frozen=True)
class Needed:
    """So many statements of a kind, each by another of the parties *by*, that serve the rows named."""

    kind: str
    count: int
    by: tuple[str, ...]
    rows: tuple[str, ...]
    conditions: tuple[str, ...]
    max_age_days: int | None
    tools: int
    supposed: tuple[Supposed, ...] = field(repr=False)

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        return {
            "by": list(self.by), "conditions": list(self.conditions), "count": self.count, "kind": self.kind,
            "max_age_days": self.max_age_days, "new_tools": self.tools, "requirements": list(self.rows),
            "text": self.told(),
        }  # fmt: skip

    def told(self) -> str:
        """For people, in one line."""
        who = _one_of(self.by) if self.count == 1 else f"{self.count} of {', '.join(self.by)}"
        what = f"{self.count} {self.kind}{'' if self.count == 1 else ' statements'} by {who}"
        notes = list(self.conditions)
        if self.max_age_days is not None:
            notes.append(f"at most {self.max_age_days} days old")
        if self.tools:
            notes.append(f"with {self.tools} other tool{'' if self.tools == 1 else 's'}")
        return what + (f" ({', '.join(notes)})" if notes else "")


@dataclass(frozen=True)
class Unlifted:
    """What stands in the way and no evidence lifts. ``by``: who can; empty where nobody below the charter can."""

    what: str
    id: str
    by: str
    text: str

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        return {"by": self.by or None, "id": self.id, "text": self.text, "what": self.what}


@dataclass(frozen=True)
class Missing:
    """What a refusal lacks. ``admits``: with ``evidence`` alone, the decision made again is *admitted*.

    ``waivable``: the rows that the charter lets somebody waive instead, and by whom.
    """

    evidence: tuple[Needed, ...]
    unlifted: tuple[Unlifted, ...]
    admits: bool
    smallest: bool
    waivable: tuple[str, ...]

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        return {
            "admits": self.admits, "evidence": [one.value() for one in self.evidence], "smallest": self.smallest,
            "unlifted": [one.value() for one in self.unlifted], "waivable": list(self.waivable),
        }  # fmt: skip


def missing(world: World, decision: Mapping[str, Any], subject: Subject, use_case: Mapping[str, Any]) -> Missing | None:
    """What *decision*, made in *world*, lacks; None where it is an admission."""
    if decision["verdict"] == "admitted":
        return None
    search = _Search(world, decision, subject, use_case)
    evidence = search.evidence()
    unlifted = (*search.unlifted, *_unlifted(world.charter, decision, search.considered, use_case))
    supposed = [one for needed in evidence for one in needed.supposed]
    moment = parse_time(decision["as_of"])
    then = suppose(world, supposed, subject, moment)
    again = table.decide(then.charter, then.view, then.facts, decision["as_of"], subject, use_case)
    unmet = {row["id"] for row in decision["requirements"] if row["state"] == "unmet"}
    waivable = tuple(
        f"{row.id}, by {row.waiver.count} waiver{'' if row.waiver.count == 1 else 's'} of the role {row.waiver.role}"
        for row in world.charter.requirements
        if row.id in unmet and row.waiver is not None
    )
    return Missing(tuple(evidence), unlifted, again["verdict"] == "admitted", search.smallest, waivable)


@dataclass(frozen=True)
class _Group:
    """Rows that one statement can serve, with its fields, the parties that may say it, by operator, and for each row
    the operators whose word it takes."""

    rows: tuple[Requirement, ...]
    fields: dict[str, Any]
    parties: dict[str, list[str]]
    allowed: dict[str, frozenset[str]]


class _Search:
    """The search for the evidence that is missing in one decision."""

    def __init__(
        self, world: World, decision: Mapping[str, Any], subject: Subject, use_case: Mapping[str, Any]
    ) -> None:
        self.charter = world.charter
        self.subject = subject
        self.use_case = use_case
        self.moment = parse_time(decision["as_of"])
        self.considered = table.considered_facts(decision, world.facts)
        self.fell = table.fallen(self.considered.values(), table.listed_in(world.facts, decision))
        self.judged = {row["id"]: row for row in decision["requirements"]}
        self.applying = [row for row in self.charter.requirements if self.judged[row.id]["state"] != "does not apply"]
        self.unlifted: list[Unlifted] = []
        self.smallest = True

    def evidence(self) -> list[Needed]:
        """The statements that are missing, group by group."""
        groups: list[_Group] = []
        relied: list[Needed] = []
        for row in self.applying:
            judged = self.judged[row.id]
            if judged["state"] != "unmet" or not self._lacks(row):
                continue
            if any(one["why"] not in LIFTABLE for one in judged["failing"]):
                continue  # more evidence beside what fails would change nothing
            by_reliance = self._by_reliance(row) if row.from_ == "owner" else None
            if by_reliance is not None:
                relied += by_reliance
                continue
            for number, group in enumerate(groups):
                wider = self._group((*group.rows, row)) if group.rows[0].kind == row.kind else None
                if wider is not None:
                    groups[number] = wider
                    break
            else:
                alone = self._group((row,))
                if alone is None:
                    text, by = f"no {row.kind} that the charter's parties may make can meet it", ""
                    owner = self.use_case["owner"]
                    if row.from_ == "owner" and not any(owner == one.name for one in self.charter.members):
                        text, by = f"asked of the owner of the use, and {owner} is no member", "a use of a member's"
                    self.unlifted.append(Unlifted("requirement", row.id, by, text))
                else:
                    groups.append(alone)
        return [needed for group in groups for needed in self._needed(group)] + relied

    def _by_reliance(self, row: Requirement) -> list[Needed] | None:
        """What an owner that cannot say enough itself needs; None where it can, or where this does not help."""
        owner, lacks = self.use_case["owner"], self._lacks(row)
        counted = {self.considered[id].holder.operator for id in self.judged[row.id]["counted"]}
        own = next(iter(self._parties(row)), None)
        if own is not None and (row.distinct == "statements" or (lacks == 1 and own not in counted)):
            return None
        anybody = self._group((msgspec.structs.replace(row, from_="any"),))
        if anybody is None or all(holder.owner != owner for holder in speakers(self.charter, "reliance")):
            return None
        on = {self.considered[id].holder.operator: id for id in self._would_count(row)}
        on = {operator: id for operator, id in on.items() if operator not in counted | {own}}
        more = [one for one in anybody.parties if one not in counted | on.keys() and one != own]
        own_too = own is not None and own not in counted and len(on) < lacks
        new = more[: max(lacks - len(on) - own_too, 0)]
        if len(on) + len(new) + own_too < lacks:
            return None
        on = dict(list(on.items())[: lacks - own_too])
        said = [Supposed(row.kind, anybody.parties[one][0], anybody.fields) for one in new]
        relying = [*on.values(), *(supposed_id(self.charter, one, self.subject, self.moment) for one in said)]
        whose = [self.considered[id].signed.statement.issuer for id in on.values()] + [one.issuer for one in said]
        conditions = tuple(dict.fromkeys(written(one) for one in (*row.where, *row.bound)))
        others = tuple(name for one in more for name in anybody.parties[one])
        needed = []
        if own_too:
            mine = (Supposed(row.kind, owner, anybody.fields),)
            needed.append(Needed(row.kind, 1, (owner,), (row.id,), conditions, row.max_age_days, 0, mine))
        if new:
            needed.append(
                Needed(row.kind, len(new), others, (row.id,), conditions, row.max_age_days, 0, tuple(said))
            )
        if relying:
            limits = {"criticality_max": self.use_case["criticality"], "members": [], "tags": []}
            limits["until"] = rfc3339(self.moment)
            taken = tuple(
                Supposed("reliance", owner, {"limits": limits, "reason": "", "statement": id}) for id in relying
            )
            on_what = (f"on the {row.kind} of {', '.join(whose)}",)
            needed.append(Needed("reliance", len(taken), (owner,), (row.id,), on_what, None, 0, taken))
        return needed

    def _would_count(self, row: Requirement) -> list[str]:
        """What others have said that would count for *row* if the owner relied on it."""
        age_s = None if row.max_age_days is None else row.max_age_days * table.DAY_S
        return [
            id
            for id, fact in self.considered.items()
            if fact.signed.statement.kind == row.kind
            and id not in self.fell
            and all_hold((*row.where, *row.bound), fact.signed.statement.predicate, trouble=False)
            and (age_s is None or (self.moment - fact.signed.statement.made).total_seconds() <= age_s)
        ]

    def _lacks(self, row: Requirement) -> int:
        judged = self.judged[row.id]
        return max(int(row.count - judged["there"]), int(row.tools - judged["tools"]), 0)

    def _group(self, rows: tuple[Requirement, ...]) -> _Group | None:
        """One statement for all of *rows*, which harms no other row that applies; None where there is none."""
        kind = rows[0].kind
        conditions = [one for row in rows for one in (*row.where, *row.bound)]
        by_row = {row.id: self._parties(row) for row in rows}
        parties = {operator: names for of in reversed(by_row.values()) for operator, names in of.items()}
        fields = fitting(kind, [one for one in conditions if _root(one) not in COMMON_FIELDS])
        if fields is None or not all(by_row.values()):
            return None
        for other in self.applying:
            if other.kind != kind or other in rows or not parties.keys() & self._parties(other).keys():
                continue
            about = all_hold(other.where, fields, trouble=True)
            if about and not all_hold(other.bound, fields, trouble=False):
                return self._group((*rows, other))
        return _Group(rows, fields, parties, {id: frozenset(of) for id, of in by_row.items()})

    def _parties(self, row: Requirement) -> dict[str, list[str]]:
        """The parties whose word *row* takes, by operator."""
        about = [one for one in (*row.where, *row.bound) if one.field == "issuer"]
        claiming = {f.signed.statement.issuer for f in self.considered.values() if f.holder.is_supplier}
        found: dict[str, list[str]] = {}
        for holder in speakers(self.charter, row.kind):
            if holder.is_supplier and claiming and holder.owner not in claiming:
                continue
            sorts = {"any", "supplier" if holder.is_supplier else "member"}
            if holder.owner == self.use_case["owner"]:
                sorts.add("owner")
            fits = row.from_ in sorts and all_hold(about, {"issuer": holder.owner}, trouble=False)
            names = found.setdefault(holder.operator, []) if fits else None
            if names is not None and holder.owner not in names:
                names.append(holder.owner)
        return found

    def _needed(self, group: _Group) -> list[Needed]:
        """The fewest statements by distinct operators that make up what the rows of *group* lack."""
        lacking = [row for row in group.rows if self._lacks(row)]
        counted = {row.id: set(group.parties) - group.allowed[row.id] for row in lacking}
        for row in lacking:
            if row.distinct == "operators":
                counted[row.id] |= {self.considered[id].holder.operator for id in self.judged[row.id]["counted"]}
        wanted = {
            row.id: row.count - self.judged[row.id]["there"] if row.distinct == "operators" else 1 for row in lacking
        }
        tools = max((row.tools - self.judged[row.id]["tools"] for row in lacking), default=0)
        if tools > 0 and "tool" not in group.fields:
            self.unlifted.append(Unlifted("requirement", lacking[0].id, "", f"a {lacking[0].kind} names no tool"))
            return []
        chosen = self._operators(list(group.parties), counted, wanted)
        if chosen is None:
            text = f"fewer operators that may make a {lacking[0].kind} than it asks for"
            self.unlifted.append(Unlifted("requirement", lacking[0].id, "", text))
            return []
        total = max([len(chosen), tools, *(self._lacks(row) for row in lacking if row.distinct != "operators")])
        if total > WHAT_IF_STATEMENTS_MAX:
            self.unlifted.append(Unlifted("requirement", lacking[0].id, "", f"asks for {total:,} more statements"))
            return []
        chosen += [(chosen or list(group.parties))[0]] * (total - len(chosen))
        return self._told(group, lacking, chosen, counted, max(tools, 0))

    def _operators(
        self, operators: list[str], counted: Mapping[str, set[str]], wanted: Mapping[str, int]
    ) -> list[str] | None:
        """A smallest list of *operators* in which every row finds as many as it wants that it has not counted."""
        def enough(some: Iterable[str]) -> bool:
            return all(len(set(some) - counted[row]) >= many for row, many in wanted.items())

        tried = 0
        for size in range(max([0, *wanted.values()]), len(operators) + 1):
            tried += comb(len(operators), size)
            if tried > MISSING_TRIED_MAX:
                break
            found = next((list(some) for some in combinations(operators, size) if enough(some)), None)
            if found is not None:
                return found
        if not enough(operators):
            return None
        self.smallest = False
        some: list[str] = []
        while not enough(some):
            short = [row for row, many in wanted.items() if len(set(some) - counted[row]) < many]
            rest = [one for one in operators if one not in some]
            some.append(max(rest, key=lambda one: sum(one not in counted[row] for row in short)))
        return some

    def _told(
        self, group: _Group, lacking: list[Requirement], chosen: list[str], counted: Mapping[str, set[str]], tools: int
    ) -> list[Needed]:
        """What is chosen, with everybody who could do as well: those that the same rows have counted already."""
        def kind_of(operator: str) -> tuple[str, ...]:
            return tuple(row.id for row in lacking if operator not in counted[row.id])

        told = []
        conditions = dict.fromkeys(written(one) for row in group.rows for one in (*row.where, *row.bound))
        ages = [row.max_age_days for row in lacking if row.max_age_days is not None]
        numbers = iter(range(1, tools + 1))
        for serves in dict.fromkeys(map(kind_of, chosen)):
            these = [one for one in chosen if kind_of(one) == serves]
            names = tuple(name for one, of in group.parties.items() if kind_of(one) == serves for name in of)
            supposed, new = [], 0
            for one in these:
                number = next(numbers, None)
                new += number is not None
                supposed.append(
                    Supposed(lacking[0].kind, group.parties[one][0], _with_tool(group.fields, number))
                )
            told.append(
                Needed(
                    lacking[0].kind, len(these), names, serves or tuple(row.id for row in lacking), tuple(conditions),
                    min(ages, default=None), new, tuple(supposed),
                )
            )  # fmt: skip
        return told


def _unlifted(
    charter: Charter, decision: Mapping[str, Any], considered: Mapping[str, Fact], use_case: Mapping[str, Any]
) -> list[Unlifted]:
    """What stands in the way of *decision* besides evidence that is not there."""
    found = []
    lines = {line.id: line for line in charter.red_lines}
    quorum = f"{charter.quorum.witness} operators, who take it back"
    listed = [notice["kind"] for notice in decision["notices"]]
    read = table.red_line_context(use_case, considered.values(), listed, ())
    shown = table.findings(charter, considered.values(), ())
    for one in decision["red_lines"]:
        if one["state"] == "crossed":
            line = lines[one["id"]]
            fields = {condition.field for condition in line.forbid}
            by_leaf = not table.crossed(line, read, shown)  # what is kept back crosses it, and nothing that was read
            by = quorum if by_leaf or fields & FROM_NOTICES else "another use" if fields <= OF_USE else ""
            found.append(Unlifted("red line", one["id"], by, line.text))
    for leaf in table.still_unheld(decision):
        found.append(Unlifted("leaf", f"leaf:{leaf['leaf']}", quorum, f"{leaf['kind']}, kept back or purged"))
    for caveat in decision["caveats"]:
        if table.is_crossed(caveat):
            rules = [rule["id"] for rule in caveat["rules"] if rule["state"] == "crossed"] or ["free policies"]
            text = f"caveat of {caveat['member']}: {', '.join(rules)}"
            found.append(Unlifted("caveat", ", ".join(rules), caveat["member"], text))
    for digest in decision["successors"]:
        text = "decide under the charter that follows"
        found.append(Unlifted("successor charter", digest, "whoever adopts it", text))
    for notice in decision["notices"]:
        if notice["kind"] in table.STOPPING:
            found.append(Unlifted("notice", notice["name"], quorum, notice["kind"]))
    failing: dict[tuple[str, str], list[str]] = {}
    for row in decision["requirements"]:
        for one in row["failing"] if row["state"] == "unmet" else ():
            failing.setdefault((one["id"], one["why"]), []).append(row["id"])
    waivers = {row.id: row.waiver for row in charter.requirements}
    for (id, why), rows in failing.items():
        if why == "unheld" and id not in considered:
            continue  # said above
        kind = considered[id].signed.statement.kind
        by = quorum if why in LIFTABLE else ""
        if not by and all(waivers[row] is not None for row in rows):
            by = f"waivers of {', '.join(rows)}"
        found.append(Unlifted("failing evidence", id, by, f"{kind}, {why}, counts against {', '.join(rows)}"))
    for origin in decision["stale"]:
        found.append(Unlifted("stale ledger", origin, charter.origins[origin].member.name, "no head young enough"))
    states = {row["state"] for row in decision["requirements"]}
    if "waived" in states and not states & {"met", "unmet"}:
        text = "every requirement that applies is waived, and one has to be met"
        found.append(Unlifted("charter", f"version {charter.version}", "whoever meets one", text))
    if states <= {"does not apply"}:
        text = f"no requirement is for criticality {use_case['criticality']}, human {use_case['human']}"
        found.append(Unlifted("charter", f"version {charter.version}", "", text))
    return found


LIFTABLE = frozenset({"disputed", "unheld", "reliance fell"})
"""Why evidence fails, where enough operators can take that back."""
FROM_NOTICES = frozenset({"recalls", "disputes", "incidents"})
"""Fields of a red line's context that notices alone set."""


def _with_tool(fields: Mapping[str, Any], number: int | None) -> dict[str, Any]:
    if number is None or not isinstance(fields.get("tool"), dict):
        return dict(fields)
    return dict(fields) | {"tool": fields["tool"] | {"name": f"another tool {number}"}}


def _root(condition: Condition) -> str:
    return condition.field.partition(".")[0]


def _one_of(names: Sequence[str]) -> str:
    shown = names[:6]
    if len(names) > len(shown):
        return f"{', '.join(shown)} or {len(names) - len(shown)} others"
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)

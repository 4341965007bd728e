"""What is wrong with a charter that parses: rules that cannot work, duties that nobody can do.

* A **fatal** complaint is a charter that must not be ratified: a quorum that proves nothing, a rule whose meaning is
  in doubt, bad news that nobody may say.
* The others are strict but safe: the charter works and refuses; someone should know before, not after.
* One rule is one function below; ``RULES`` is the order of complaints.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from watchword.charter.charter import RESERVED_ROLES, Charter, Condition, KeyHolder, RedLine, Requirement
from watchword.charter.conditions import COUNTED, is_trouble, wrong_with
from watchword.charter.quorum import least_quorum, quorums_intersect
from watchword.charter.standing import may_say
from watchword.limits import AMENDMENT_DELAY_S_MAX, CONDITIONS_MAX
from watchword.statements.kinds import BAD_NEWS, EVIDENCE, KINDS

ROOT_ONLY = ("ratification", "revoke")
RED_LINE_FIELDS = COUNTED | {"criticality", "human", "members", "tags", "owner", "suppliers"}
PRINCIPLES = frozenset("ABCDEF")
HUMAN = frozenset({"in", "on", "out"})
CRITICALITY_MAX = 3
OF_FILES = frozenset({"inspection", "model-signature"})
"""Kinds of evidence that nobody can give of what has no files."""
DAY_S = 86_400


@dataclass(frozen=True)
class Complaint:
    """One thing wrong. ``id`` names the rule, ``what`` the thing; ``fatal``: the charter must not be put in force."""

    id: str
    what: str
    hint: str
    fatal: bool


def lint(charter: Charter) -> tuple[Complaint, ...]:
    """Every complaint about *charter*, in the order of ``RULES``; empty when there is none."""
    return tuple(complaint for rule in RULES for complaint in rule(charter))


def _quorums(charter: Charter) -> Iterator[Complaint]:
    operators, quorum = len(charter.operators), charter.quorum
    least = least_quorum(operators, quorum.faulty)
    if least > operators:
        yield Complaint(
            "quorum-impossible", f"no quorum of {operators} operators bears {quorum.faulty} dishonest ones",
            f"at most {operators - 1} can be borne: quorum.faulty is too large", True,
        )  # fmt: skip
    elif not quorums_intersect(quorum.witness, operators, quorum.faulty):
        yield Complaint(
            "quorum-witness",
            f"two quorums of {quorum.witness} among {operators} operators may share no honest one",
            f"quorum.witness is at least {least} and at most {operators}", True,
        )  # fmt: skip
    if not 1 <= quorum.ratify <= operators:
        yield Complaint(
            "quorum-ratify", f"{quorum.ratify} ratifications asked for, there are {operators} operators",
            f"quorum.ratify is at least 1 and at most {operators}", True,
        )  # fmt: skip
    elif quorum.ratify <= operators // 2 and operators > 1:
        yield Complaint(
            "quorum-ratify-minority", f"{quorum.ratify} of {operators} operators put a charter in force",
            "two different charters could be in force at once; more than half prevents that", True,
        )  # fmt: skip


def _amendment(charter: Charter) -> Iterator[Complaint]:
    operators, ratify, amendment = len(charter.operators), charter.quorum.ratify, charter.amendment
    if not ratify <= amendment.ratify <= operators:
        yield Complaint(
            "amendment-quorum",
            f"a change of the rules takes {amendment.ratify} operators, any other {ratify}, and there are {operators}",
            f"amendment.ratify is at least {ratify} and at most {operators}", True,
        )  # fmt: skip
    elif amendment.ratify > operators - 1 and operators > 1:
        yield Complaint(
            "amendment-everybody",
            f"amendment.ratify is {amendment.ratify} of {operators}: no number of others replaces a root that is lost",
            f"at most {operators - 1} lets the others do it, after the delay", False,
        )  # fmt: skip
    if not amendment.delay_s and operators > 1:
        yield Complaint(
            "amendment-at-once", "amendment.delay_s is 0: a red line goes before anybody can object",
            "a week is 604800", False,
        )  # fmt: skip
    elif amendment.delay_s > AMENDMENT_DELAY_S_MAX:
        yield Complaint(
            "amendment-never", f"amendment.delay_s is {amendment.delay_s:,}: longer than systems live",
            "a lost root waits as long; a week is 604800", True,
        )  # fmt: skip


def _freshness(charter: Charter) -> Iterator[Complaint]:
    if charter.head_max_age_s < 1:
        yield Complaint(
            "head-age-zero", "head_max_age_s is 0: every head is stale at once and nothing is ever admitted",
            "say how old a cosigned head may be, in seconds; a day is 86400", True,
        )  # fmt: skip
    for row in charter.requirements:
        # What nobody has heard of counts nowhere: it is cosigned and carried first, as rarely as the charter allows.
        if row.max_age_days is not None and row.max_age_days * DAY_S < charter.head_max_age_s:
            never = row.max_age_days == 0
            yield Complaint(
                "freshness-unreachable" if never else "freshness-short",
                f"{row.id[:80]}: evidence of at most {row.max_age_days} days, in heads of up to "
                f"{charter.head_max_age_s:,} s: " + ("it is older when it is first seen" if never else
                "it may be too old when it is first seen"),
                "let it be older, or heads be younger", never,
            )  # fmt: skip


def _names(charter: Charter) -> Iterator[Complaint]:
    names = [("member", m.name) for m in charter.members] + [("supplier", s.name) for s in charter.suppliers]
    names += [("operator", operator) for operator in sorted(charter.operators)]
    for what, name in names:
        if not _NAME.fullmatch(name):
            yield Complaint(
                "name-odd", f"{what} {name[:80]!r}: a name has letters, digits, spaces, '.', '_' and '-' only",
                "names are printed, typed and compared by people", True,
            )  # fmt: skip
    for supplier in charter.suppliers:
        if supplier.name in charter.operators:
            yield Complaint(
                "supplier-operator", f"{supplier.name} is a supplier, and the operator of a member",
                "evidence is counted by operator; a supplier is its own", True,
            )  # fmt: skip
    folded = Counter(name.casefold() for what, name in names if what != "operator")
    for name, times in sorted(folded.items()):
        if times > 1:
            yield Complaint("name-alike", f"{times} parties are called {name!r} but for case", "tell them apart", True)
    for id in [row.id for row in charter.requirements] + [line.id for line in charter.red_lines]:
        if not _ID.fullmatch(id):
            yield Complaint(
                "id-odd", f"{id[:80]!r}: an id has small letters, digits and '-', at most 64",
                "ids stand in decisions and are typed by people", True,
            )  # fmt: skip


def _standing(charter: Charter) -> Iterator[Complaint]:
    held = {role for holder in charter.holders.values() if holder.retired_by is None for role in holder.roles}
    for kind in sorted(set(charter.standing) - set(KINDS)):
        yield Complaint("standing-unknown-kind", f"standing names {kind[:80]!r}, which is no kind", "", True)
    for kind in ROOT_ONLY:
        if charter.standing.get(kind) != ("root",):
            yield Complaint("standing-root", f"{kind} is for root keys alone", f'standing.{kind} is ["root"]', True)
    for kind in sorted(set(KINDS) - set(ROOT_ONLY)):
        listed = charter.standing.get(kind, ())
        if not speakers(charter, kind):
            must = kind in BAD_NEWS
            yield Complaint(
                "nobody-may" if must else "nobody-can",
                f"nobody here may say {kind}" + ("" if not listed else f": no key is {' or '.join(listed)}"),
                "bad news needs a voice" if must else f"name a person with such a role, or list another for {kind}",
                must,
            )  # fmt: skip
        for role in listed:
            if role not in held | RESERVED_ROLES:
                yield Complaint("role-unheld", f"{kind}: nobody has the role {role[:80]!r}", "", False)


def _requirements(charter: Charter) -> Iterator[Complaint]:
    if not charter.requirements:
        yield Complaint("no-requirements", "no requirement: a charter that asks for nothing admits nothing", "", False)
    for row in charter.requirements:
        yield from _form(row)
        yield from _reach(charter, row)
        yield from _waiver(charter, row)
    if charter.requirements and min(row.when.criticality for row in charter.requirements) > 0:
        yield Complaint(
            "nothing-at-zero", "no requirement applies at criticality 0: nothing is admitted there", "", False
        )


def _form(row: Requirement) -> Iterator[Complaint]:
    """A row that says something other than what its author can have meant."""
    wrong = []
    if row.kind not in EVIDENCE:
        wrong.append(f"{row.kind[:80]!r} is no kind of evidence: {', '.join(sorted(EVIDENCE))}")
    if row.from_ not in ("member", "supplier", "any", "owner"):
        wrong.append(f"from is member, supplier, any or owner, not {row.from_[:40]!r}")
    if row.waiver is not None and row.waiver.count < 1:
        wrong.append("waiver: count is 0, and no waiver waives nothing")
    if row.distinct not in ("operators", "statements"):
        wrong.append(f"distinct is operators or statements, not {row.distinct[:40]!r}")
    if row.count < 1:
        wrong.append("count is 0: it asks for nothing")
    if row.when.criticality > CRITICALITY_MAX:
        wrong.append(f"criticality goes to {CRITICALITY_MAX}: it never applies")
    if not HUMAN.issuperset(row.when.human):
        wrong.append("human is in, on or out")
    for what, conditions in (("where", row.where), ("bound", row.bound)):
        wrong += [f"{what}: {trouble}" for trouble in _conditions(conditions)]
    if not row.owed_by or not row.accountable:
        wrong.append("owed_by and accountable name someone")
    wrong += [f"principle {letter[:20]!r} is none of A to F" for letter in row.principle if letter not in PRINCIPLES]
    for what in wrong:
        yield Complaint("requirement", f"{row.id[:80]}: {what}", "", True)
    fields = _fields(row.kind)
    for condition in (*row.where, *row.bound):
        first = condition.field.partition(".")[0]
        if fields and first not in fields:
            yield Complaint(
                "requirement-field", f"{row.id[:80]}: {row.kind} has no field {first[:80]!r}",
                f"its fields: {', '.join(sorted(fields))}", True,
            )  # fmt: skip


def _reach(charter: Charter, row: Requirement) -> Iterator[Complaint]:
    """A row that this alliance cannot meet. Safe: the uses it is for are refused."""
    able = speakers(charter, row.kind) if row.kind in EVIDENCE else []
    from_ = [h for h in able if row.from_ == "any" or h.is_supplier == (row.from_ == "supplier")]
    operators = {holder.operator for holder in from_}
    if not from_:
        who = {"supplier": "supplier", "member": "member"}.get(row.from_, "member or supplier")
        yield Complaint(
            "requirement-unmeetable", f"{row.id[:80]}: no {who} may say {row.kind[:80]}",
            f"uses from criticality {row.when.criticality} are refused until one can", False,
        )  # fmt: skip
    elif row.distinct == "operators" and len(operators) < row.count:
        yield Complaint(
            "requirement-unmeetable",
            f"{row.id[:80]}: needs {row.count} operators, {len(operators)} may say {row.kind[:80]}",
            f"uses from criticality {row.when.criticality} are refused until there are more", False,
        )  # fmt: skip


def _waiver(charter: Charter, row: Requirement) -> Iterator[Complaint]:
    """A row that says who waives it, where too few of those are."""
    if row.waiver is None:
        return
    there = len(persons(charter, "waiver", row.waiver.role))
    if there < max(row.waiver.count, 1):
        yield Complaint(
            "waiver-out-of-reach",
            f"{row.id[:80]}: {row.waiver.count} operators waive it as {row.waiver.role[:80]!r}, and {there} can",
            "name persons with that role who may say waiver, or let fewer waive it", False,
        )  # fmt: skip


def _endpoints(charter: Charter) -> Iterator[Complaint]:
    """Rows about files that stand in the way of endpoints, in a table that has rows for those."""
    if not any(row.when.release == "endpoint" for row in charter.requirements):
        return
    for row in charter.requirements:
        if row.kind in OF_FILES and row.when.release is msgspec.UNSET:
            yield Complaint(
                "requirement-of-files",
                f"{row.id[:80]}: {row.kind} is about files, an endpoint has none, and the row is for both",
                'no endpoint is admitted where it applies; say when = { release = "files" }', False,
            )  # fmt: skip


def _red_lines(charter: Charter) -> Iterator[Complaint]:
    for line in charter.red_lines:
        wrong = _conditions(line.forbid)
        if not line.forbid and line.evidence is None:
            wrong.append("no condition: it forbids everything")
        wrong += [f"{c.field[:80]!r} is no field of a red line" for c in line.forbid if c.field not in RED_LINE_FIELDS]
        wrong += [f"{c.field[:80]}: a count compares with > or >=" for c in line.forbid if is_trouble(c)]
        wrong += _wrong_evidence(line)
        wrong += [
            f"principle {letter[:20]!r} is none of A to F" for letter in line.principle if letter not in PRINCIPLES
        ]
        if not line.accountable:
            wrong.append("accountable names someone")
        for what in wrong:
            yield Complaint("red-line", f"{line.id[:80]}: {what}", "", True)


def _wrong_evidence(line: RedLine) -> list[str]:
    if line.evidence is None:
        return []
    kind, fields = line.evidence.kind, _fields(line.evidence.kind)
    if kind not in EVIDENCE:
        return [f"evidence: {kind[:80]!r} is no kind of evidence"]
    firsts = [one.field.partition(".")[0] for one in line.evidence.where]
    wrong = [f"evidence: {trouble}" for trouble in _conditions(line.evidence.where)]
    return wrong + [f"evidence: {kind} has no field {first[:80]!r}" for first in firsts if first not in fields]


RULES: tuple[Callable[[Charter], Iterator[Complaint]], ...] = (
    _quorums, _amendment, _freshness, _names, _standing, _requirements, _endpoints, _red_lines,
)  # fmt: skip

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9._-])?", re.ASCII)
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)


def _conditions(conditions: list[Condition]) -> list[str]:
    wrong = [f"{c.field[:80]}: {trouble}" for c in conditions if (trouble := wrong_with(c)) is not None]
    if len(conditions) > CONDITIONS_MAX:
        wrong.append(f"{len(conditions)} conditions, limit {CONDITIONS_MAX}")
    return wrong


def _fields(kind: str) -> frozenset[str]:
    return frozenset(field.name for field in msgspec.structs.fields(KINDS[kind])) if kind in KINDS else frozenset()


def speakers(charter: Charter, kind: str) -> list[KeyHolder]:
    """The keys that may say *kind* under *charter* from now on: none that is retired."""
    return [h for h in charter.holders.values() if h.retired_by is None and may_say(charter, h, kind)]


def persons(charter: Charter, kind: str, role: str) -> list[KeyHolder]:
    """One person of each operator that may say *kind* in *role*: where people are counted, operators are."""
    may = [holder for holder in speakers(charter, kind) if role in holder.roles]
    return list({holder.operator: holder for holder in may}.values())

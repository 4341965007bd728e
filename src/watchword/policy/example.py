"""A world found by the solver as what a decision is made from, and the decision that the table makes of it.

Nothing here is signed or recorded: a decision is made after signatures, inclusion and cosignatures were checked, so an
example begins where those checks end. It shows what the rules do, with the code that decides (``policy.table``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from watchword.charter.charter import HEAD_JOBS, RESERVED_ROLES, Charter, KeyHolder, parse_charter
from watchword.charter.draft import draft
from watchword.charter.lint import DAY_S, speakers
from watchword.ledger.view import Fact, Facts, Head, View
from watchword.limits import CHECK_PLACES_MAX
from watchword.policy import solver as z3
from watchword.policy.hypothesis import ledger_of
from watchword.policy.shapes import DIGEST, blank
from watchword.policy.table import decide
from watchword.policy.use_case import FORMAT
from watchword.policy.world import CRITICALITY, HUMAN, Field, Formula, Place, World, waivers
from watchword.statements.digests import DJ, D, endpoint_digest
from watchword.statements.keys import PUBLIC_BYTES, PublicKey
from watchword.statements.statement import Signed, Subject, make
from watchword.statements.times import rfc3339

RELEASE = Subject("example 1", D(b"watchword: the release of an example"))
MEMBERS_MIN = 5
"""Members of an imagined alliance. Origin: the exercise's."""
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
"""The moment of every example: ages are counted back from it."""


@dataclass(frozen=True)
class Said:
    """One statement of an example: its kind, who says it, how old it is, and the fields that a rule asks for.

    ``relied``: the owner of the use relies on it.
    """

    kind: str
    by: str
    age_s: int
    fields: tuple[tuple[str, Any], ...]
    relied: bool = False


@dataclass(frozen=True)
class Example:
    """A use case, the evidence about a release, how many recalls reach it, whether it is an endpoint, and which rows
    are waived."""

    use_case: dict[str, Any]
    said: tuple[Said, ...]
    recalls: int
    endpoint: bool = False
    waived: tuple[str, ...] = ()

    def value(self) -> dict[str, Any]:
        """The example as JSON data."""
        said = [
            {"kind": s.kind, "by": s.by, "age_days": s.age_s // DAY_S, "fields": dict(s.fields), "relied": s.relied}
            for s in self.said
        ]
        return {
            "use_case": _shown(self.use_case), "release": "endpoint" if self.endpoint else "files", "statements": said,
            "recalls": self.recalls, "waived": list(self.waived),
        }  # fmt: skip

    def text(self) -> str:
        """The example in one line."""
        use = self.use_case
        parts = [f"criticality {use['criticality']}", f"human {use['human']}"]
        parts += [f"{name} {', '.join(use[name])}" for name in ("members", "tags") if use[name]]
        parts += ["an endpoint"] if self.endpoint else []
        for one in self.said:
            fields = "".join(f", {path} {value}" for path, value in one.fields)
            relied = f", relied on by {use['owner']}" if one.relied else ""
            parts.append(f"{one.kind} by {one.by}{fields}{relied}")
        parts += [f"{id} waived" for id in self.waived]
        if self.recalls:
            parts.append(f"{self.recalls} recall" + ("s" if self.recalls > 1 else ""))
        return "; ".join(parts)


def imagined(
    requirements: Sequence[dict[str, Any]], red_lines: Sequence[dict[str, Any]], standing: Mapping[str, Sequence[str]]
) -> Charter:
    """A charter with these rules for an alliance that has whoever they ask for: rules are checked before it exists.

    As many members as the rows ask operators for, at least ``MEMBERS_MIN``, each its own operator with a person of
    every role that *standing* names, and one supplier. Its keys are nobody's.
    """
    roles = sorted({role for listed in standing.values() for role in listed} - RESERVED_ROLES)
    many = max([MEMBERS_MIN, *(row["count"] for row in requirements)])
    members = [_member(f"MEMBER-{number + 1}", roles) for number in range(min(many, CHECK_PLACES_MAX))]
    supplier = {"contact": "", "keys": [_key("SUPPLIER", "supplier")], "name": "SUPPLIER"}
    value = draft(
        "example", members, [supplier], list(requirements), list(red_lines),
        {kind: list(listed) for kind, listed in standing.items()}, secret=b"\0" * 32, made=rfc3339(NOW),
    )  # fmt: skip
    return parse_charter(value)


def example(world: World, model: Any) -> Example:
    """The world that *model* describes."""
    context = world.context
    use_case = {
        "criticality": _int(model, context["criticality"].number), "format": FORMAT,
        "human": HUMAN[_int(model, context["human"].atom)],
        "members": [one for one, held in context["members"].holds.items() if _true(model, held)],
        "name": "example", "owner": _text(world, "", "owner", context["owner"], model), "purpose": "",
        "tags": [one for one, held in context["tags"].holds.items() if _true(model, held)],
    }  # fmt: skip
    said = [
        _said(world, place, model)
        for places in world.places.values()
        for place in places
        if _true(model, place.present)
    ]
    waived = tuple(id for id, lifted in world.waived.items() if _true(model, lifted))
    recalls = _int(model, context["recalls"].number)
    return Example(use_case, tuple(said), recalls, _true(model, world.is_endpoint), waived)


def played(charter: Charter, one: Example) -> dict[str, Any]:
    """The decision that the table makes of *one* under *charter* (docs/protocol.md, section 8)."""
    facts: list[Fact] = []
    indexes: dict[str, int] = {}
    release = Subject(RELEASE.name, _release(one))

    def say(kind: str, holder: KeyHolder, fields: dict[str, Any], age_s: int = 0) -> str:
        origin = ledger_of(charter, holder.owner)
        subject = Subject(f"{release.name} ({len(facts)})", release.digest)  # else two that say the same are one
        made = NOW - timedelta(seconds=age_s)
        statement = make(kind, (subject,), fields, issuer=holder.owner, made=made)
        indexes[origin] = index = indexes.get(origin, -1) + 1
        facts.append(Fact(Signed(statement, holder.public.id, b"", b""), holder, origin, index))
        return statement.id

    for said in one.said:
        holder = next(h for h in speakers(charter, said.kind) if h.owner == said.by)
        id = say(said.kind, holder, _fields(said), said.age_s)
        if said.relied:
            owner = next(h for h in speakers(charter, "reliance") if h.owner == one.use_case["owner"])
            limits = {"criticality_max": CRITICALITY[-1], "members": [], "tags": [], "until": rfc3339(NOW)}
            say("reliance", owner, {"limits": limits, "reason": "", "statement": id})
    for row in charter.requirements:
        for holder in waivers(charter, row) if row.id in one.waived else ():
            lifted = {"expires": rfc3339(NOW), "owner": "", "reason": "", "requirement": row.id}
            say("waiver", holder, lifted | {"use_case": DJ(one.use_case)})
    loose = [_recall(charter, release, number) for number in range(one.recalls)]
    heads = {origin: Head(indexes.get(origin, 0) + 1, b"\0" * 32, rfc3339(NOW)) for origin in charter.shared_origins}
    held = Facts(
        tuple(sorted(facts, key=lambda fact: (fact.origin, fact.index))), (),
        tuple(sorted(loose, key=lambda signed: signed.statement.id)), b"\0" * 32,
    )  # fmt: skip
    return decide(charter, View(heads), held, rfc3339(NOW), release, one.use_case)


def _release(one: Example) -> str:
    """The digest of what *one* is about: of an endpoint, the one that its first statement of that kind shows."""
    shown = next((said for said in one.said if said.kind == "endpoint"), None) if one.endpoint else None
    return RELEASE.digest if shown is None else endpoint_digest(_fields(shown))


def _fields(said: Said) -> dict[str, Any]:
    fields = blank(said.kind)
    for path, value in said.fields:
        _put(fields, said.kind, path, value)
    return fields


def _member(name: str, roles: Sequence[str]) -> dict[str, Any]:
    origins = {use: f"{name.lower()}.example/{use}" for use in ("ledger", "notices", "record")}
    keys = [_key(name, job) for job in ("root", "ledger", "witness", "gate")]
    person = _key(name, "people") | {"person": f"person of {name}", "roles": list(roles)}
    return {
        "keys": [*keys, person], "name": name, "operator": name, "origins": origins,
        "witness": f"{name.lower()}.example/witness",
    }  # fmt: skip


def _key(owner: str, job: str) -> dict[str, Any]:
    """A public key that nobody holds the other half of."""
    level = 44 if job in HEAD_JOBS else 65
    halves = hashlib.shake_256(f"watchword example {owner} {job}".encode()).digest(32 + PUBLIC_BYTES[level])
    return {**PublicKey(halves[:32], halves[32:], level).value(), "job": job}


def _recall(charter: Charter, release: Subject, number: int) -> Signed:
    holder = next(h for h in speakers(charter, "recall") if not h.is_supplier)
    target = f"release:{release.digest}"
    fields: dict[str, Any] = {
        "target": target,
        "reason": f"example {number}",
        "actions": [],
        "deadline": None,
        "supersedes": None,
        "directive": None,
        "severity": "urgent",
        "versions": [],
        "alternatives": [],
    }
    subject = Subject("notice", D(target.encode()))
    return Signed(make("recall", (subject,), fields, issuer=holder.owner, made=NOW), holder.public.id, b"", b"")


def _said(world: World, place: Place, model: Any) -> Said:
    holder = world.speakers(place.kind)[_int(model, place.who)]
    fields: list[tuple[str, Any]] = []
    for path, of in place.fields.items():
        if path == "issuer" or of.shape.sort in ("missing", "opaque", "structure", "list") or _true(model, of.gone):
            continue
        fields.append((path, _value(world, place.kind, path, of, model)))
    return Said(place.kind, holder.owner, _int(model, place.age_s), tuple(fields), _true(model, place.relied))


def _value(world: World, kind: str, path: str, of: Field, model: Any) -> Any:
    if _true(model, of.null):
        return None
    if of.number is not None:
        return _int(model, of.number)
    if of.atom is not None:
        return _text(world, kind, path, of, model)
    return [one for one, held in of.holds.items() if _true(model, held)]


def _text(world: World, kind: str, path: str, of: Field, model: Any) -> str:
    """A text that the variable can stand for: one that the rules name, a decimal between those, or any other."""
    known, number = world.known(kind, path, of.shape), _int(model, of.atom)
    if number < len(known):
        return known[number]
    if _true(model, of.is_decimal):
        text = format(Decimal(_int(model, of.decimal)) / world.scale, "f")
        while text in known:  # the same number written otherwise is another text
            text += "0" if "." in text else ".0"
        return text
    other = number - len(known) + 1
    if of.shape.allows(DIGEST):
        return D(str(other).encode()) if of.shape.pattern is not None else f"other-{other}"
    return rfc3339(NOW + timedelta(seconds=other)) if of.shape.allows(rfc3339(NOW)) else f"other{other}"


def _put(fields: dict[str, Any], kind: str, path: str, value: Any) -> None:
    *outer, last = path.split(".")
    at = fields
    for depth, step in enumerate(outer, 1):
        if at[step] is None:
            at[step] = blank(kind, ".".join(outer[:depth]))
        at = at[step]
    at[last] = value


def _int(model: Any, formula: Formula) -> int:
    return int(model.eval(formula, model_completion=True).as_long())


def _true(model: Any, formula: Formula) -> bool:
    return bool(z3.is_true(model.eval(formula, model_completion=True)))


def _shown(use_case: dict[str, Any]) -> dict[str, Any]:
    return {name: use_case[name] for name in ("criticality", "human", "members", "owner", "tags")}

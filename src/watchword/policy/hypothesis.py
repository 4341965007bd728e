"""What a decision would be if things stood otherwise: hypothetical evidence, notices, waivers, caveats, rules.

Pure. A hypothesis is charter, view and facts with something added; the real decision is then made of it, by the same
code. Nothing of it is signed, and nothing here can record: a hypothetical statement has no signature and no envelope.

* A hypothetical statement stands behind the head of its issuer's ledger, as if it had arrived and been cosigned. The
  head's time stays: what is stale is not cured by a thought.
* A field that the file leaves out has the least value that its kind allows (``policy.fitting``).
* Rows replace those of the same id, and are added otherwise; a pack takes the place of the whole table.

The file that ``--what-if`` reads, all of it optional::

    without = ["two-inspections"]        # rows or red lines that are not there
    pack = "stricter.toml"               # this table instead of the charter's

    [[statement]]                        # evidence, or a waiver, as if BRAVO had said it
    kind = "evaluation"
    issuer = "BRAVO"
    days_old = 10
    fields = { metric = "attack-success-rate", high = "0.04" }

    [[notice]]                           # bad news, as if it had been received
    kind = "recall"
    issuer = "DELTA"
    fields = { target = "release:sha256:…" }

    [[requirement]]                      # rows and red lines as a pack writes them
    [[red_line]]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from watchword.charter.charter import Charter, KeyHolder, parse_charter
from watchword.charter.standing import may_say
from watchword.errors import WatchwordError
from watchword.ledger.view import Fact, Facts, Head, View
from watchword.limits import WHAT_IF_STATEMENTS_MAX
from watchword.policy.fitting import plausible
from watchword.policy.pack import checked_line, checked_row, read_pack
from watchword.policy.use_case import read_toml
from watchword.statements.canonical import NotCanonical
from watchword.statements.digests import D
from watchword.statements.kinds import KINDS, NOTICES
from watchword.statements.statement import BadStatement, Signed, Subject, make

NEVER_COSIGNED = "1970-01-01T00:00:00Z"

class BadHypothesis(WatchwordError):
    """A what-if file, or a thing supposed, that is not of the form stated here. Names file and part."""


class Hypothetical(Signed):
    """What no key ever signed; whoever shows a statement can tell."""

    __slots__ = ()


@dataclass(frozen=True)
class World:
    """All that a decision is made from, but for time, subject and use case."""

    charter: Charter
    view: View
    facts: Facts = field(repr=False)


@dataclass(frozen=True)
class Supposed:
    """A hypothetical statement: its kind, who says it, which fields, and how many days ago."""

    kind: str
    issuer: str
    fields: Mapping[str, Any]
    days_old: int = 0


@dataclass(frozen=True)
class WhatIf:
    """A what-if file: statements supposed, rows that come, go, or take the place of others."""

    supposed: tuple[Supposed, ...]
    without: tuple[str, ...]
    requirements: tuple[dict[str, Any], ...]
    red_lines: tuple[dict[str, Any], ...]
    whole_table: bool

    def told(self) -> list[str]:
        """What is supposed, in words, one line each."""
        lines = [f"{one.issuer} says {one.kind}{_ago(one.days_old)}" for one in self.supposed]
        if self.whole_table:
            lines.append(f"another table: {len(self.requirements)} requirements, {len(self.red_lines)} red lines")
        else:
            lines += [f"row {row['id']}" for row in self.requirements]
            lines += [f"red line {line['id']}" for line in self.red_lines]
        return lines + [f"without {id}" for id in self.without]


def suppose(world: World, statements: Sequence[Supposed], subject: Subject, moment: datetime) -> World:
    """*world* with each statement as if said, held and cosigned.

    Raises:
        BadHypothesis: a kind or party not known, standing that nobody of the party has, a field that does not fit.
    """
    heads, loose, added = dict(world.view.heads), list(world.facts.loose), list[Fact]()
    supposed: set[str] = set()
    for one in statements:
        holder = speaker(world.charter, one.kind, one.issuer)
        signed, number = _signed(one, holder, subject, moment), 1
        while signed.statement.id in supposed and one.kind not in NOTICES:  # two that say the same would be one
            number += 1
            signed = _signed(one, holder, Subject(f"{subject.name} ({number})", subject.digest), moment)
        supposed.add(signed.statement.id)
        if one.kind in NOTICES:
            loose.append(signed)
            continue
        origin = ledger_of(world.charter, one.issuer)
        head = heads.get(origin, Head(0, bytes(32), NEVER_COSIGNED))
        added.append(Fact(signed, holder, origin, head.size))
        heads[origin] = replace(head, size=head.size + 1)
    return World(world.charter, View(heads), world.facts.with_more(added, loose))


def supposed_id(charter: Charter, one: Supposed, subject: Subject, moment: datetime) -> str:
    """The id that a hypothetical statement has when it is supposed; errors as ``suppose``."""
    return _signed(one, speaker(charter, one.kind, one.issuer), subject, moment).statement.id


def with_rules(charter: Charter, asked: WhatIf) -> Charter:
    """*charter* with the rows of *asked*. Its version stays; what it decides is no decision of any charter.

    Raises:
        BadHypothesis: ``without`` names what is not there.
        BadCharter: rows that no charter can hold.
    """
    value = dict(charter.value)
    for name, rows in (("requirements", asked.requirements), ("red_lines", asked.red_lines)):
        new = {row["id"]: row for row in rows}
        kept = [] if asked.whole_table else [new.pop(row["id"], row) for row in value[name]]
        value[name] = [row for row in [*kept, *new.values()] if row["id"] not in asked.without]
    known = {row["id"] for name in ("requirements", "red_lines") for row in charter.value[name]}
    for id in asked.without:
        if id not in known and not asked.whole_table:
            raise BadHypothesis(f"without {id[:80]}: the charter has no such row or red line")
    return parse_charter(value)


def apply(world: World, asked: WhatIf, subject: Subject, moment: datetime) -> World:
    """*world* as *asked* supposes it. Errors as ``suppose`` and ``with_rules``."""
    charter = with_rules(world.charter, asked)
    return suppose(World(charter, world.view, world.facts), asked.supposed, subject, moment)


def speaker(charter: Charter, kind: str, party: str) -> KeyHolder:
    """The first key of *party* that may say *kind*.

    Raises:
        BadHypothesis: no such kind or party, or none of its keys may.
    """
    if kind not in KINDS:
        raise BadHypothesis(f"{kind[:80]}: not a kind of statement", "known kinds: " + ", ".join(KINDS))
    keys = [holder for holder in charter.holders.values() if holder.owner == party]
    if not keys:
        known = ", ".join(dict.fromkeys(holder.owner for holder in charter.holders.values()))
        raise BadHypothesis(f"{party[:80]}: not a party of {charter.alliance}", f"parties: {known}")
    for holder in keys:
        if holder.retired_by is None and may_say(charter, holder, kind):
            return holder
    listed = ", ".join(charter.standing.get(kind, ())) or "nobody"
    raise BadHypothesis(f"{kind}: nobody of {party} may say this", f"the charter lists: {listed}")


def ledger_of(charter: Charter, party: str) -> str:
    """Where *party* would publish; a supplier's word is published by a member, the first."""
    member = next((one for one in charter.members if one.name == party), charter.members[0])
    return member.origins["ledger"]


def is_supposed(signed: Signed) -> bool:
    """Whether a statement is hypothetical."""
    return isinstance(signed, Hypothetical)


def read_what_if(path: Path) -> WhatIf:
    """Read a what-if file.

    Raises:
        BadHypothesis, BadPack: missing, not TOML, a part missing, unknown or of another type; names *path* and part.
    """
    value = read_toml(path, BadHypothesis)
    try:
        file = msgspec.convert(value, _File, strict=True)
    except msgspec.ValidationError as error:
        raise BadHypothesis(f"{path}: {error}", "docs/howto/official.md shows such a file") from error
    if len(file.statement) + len(file.notice) > WHAT_IF_STATEMENTS_MAX:
        raise BadHypothesis(f"{path}: more than {WHAT_IF_STATEMENTS_MAX} statements")
    for one in file.notice:
        if one.kind not in NOTICES:
            raise BadHypothesis(f"{path}: {one.kind[:80]} is not a notice", "put it under [[statement]]")
    rows = [checked_row(row, f"{path}: requirement {n}") for n, row in enumerate(file.requirement, 1)]
    lines = [checked_line(line, f"{path}: red line {n}") for n, line in enumerate(file.red_line, 1)]
    if file.pack is not None:
        pack = read_pack(path.parent / file.pack)
        rows, lines = [*pack.requirements, *rows], [*pack.red_lines, *lines]
    supposed = [Supposed(one.kind, one.issuer, one.fields, one.days_old) for one in [*file.statement, *file.notice]]
    return WhatIf(tuple(supposed), tuple(file.without), tuple(rows), tuple(lines), file.pack is not None)


class _Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    kind: str
    issuer: str
    fields: dict[str, Any] = {}
    days_old: int = 0


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    statement: list[_Said] = []
    notice: list[_Said] = []
    requirement: list[dict[str, Any]] = []
    red_line: list[dict[str, Any]] = []
    without: list[str] = []
    pack: str | None = None


def _signed(one: Supposed, holder: KeyHolder, subject: Subject, moment: datetime) -> Signed:
    about = subject
    if one.kind in NOTICES:
        about = Subject("notice", D(str(one.fields.get("target", "")).encode()))
    try:
        made = moment - timedelta(days=one.days_old)
        statement = make(one.kind, (about,), plausible(one.kind) | dict(one.fields), issuer=one.issuer, made=made)
    except (BadStatement, NotCanonical, OverflowError) as error:
        hint = "docs/reference/kinds.md lists the fields"
        raise BadHypothesis(f"{one.kind} by {one.issuer}: {error}", hint) from error
    return Hypothetical(statement, holder.public.id, b"", b"")


def _ago(days: int) -> str:
    return f", {days} days ago" if days else ""

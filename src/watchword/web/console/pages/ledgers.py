"""Ledgers, their witnesses, what stands in them; notices; one statement, whole."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from watchword.policy.explain import called
from watchword.statements.kinds import NOTICES, hidden_fields
from watchword.statements.redaction import disclosures
from watchword.web.console.holdings import Placed
from watchword.web.console.knowledge import Snapshot
from watchword.web.console.pages.told import Link, Paged, Told, link_of, paged, told
from watchword.web.console.table import Asked, NotFound, address


class Cosigner(msgspec.Struct, frozen=True, kw_only=True):
    """A witness's cosignature on the newest head, and how many seconds old it is."""

    name: str
    age_s: int


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger as this node knows it; ``waiting``: leaves held that no quorum has cosigned."""

    origin: str
    member: str
    use: str
    size: int
    cosigned_size: int
    waiting: int
    time: str | None
    witnesses: list[Cosigner]
    address: str


class WitnessRow(msgspec.Struct, frozen=True, kw_only=True):
    """A witness: who runs it, and of how many ledgers it cosigned the newest head."""

    name: str
    operator: str
    cosigned: int
    of: int


class LedgersPage(msgspec.Struct, frozen=True, kw_only=True):
    """Every shared ledger of the alliance. ``forks``: kept proofs that two histories of one were signed."""

    member: str
    as_of: str
    quorum: int
    ledgers: list[LedgerRow]
    witnesses: list[WitnessRow]
    forks: list[str]
    command: str


class LedgerPage(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in one member's ledgers, newest first, as far as it is held and in the reader's scope."""

    member: str
    as_of: str
    of: str
    kind: str
    kinds: list[str]
    paged: Paged
    statements: list[Told]


class NoticeRow(msgspec.Struct, frozen=True, kw_only=True):
    """Bad news, or what takes it back: against what, and whether its signer may say so."""

    told: Told | None
    kind: str
    by: str
    about: str
    about_address: str | None
    reason: str
    where: str
    counts: bool


class NoticesPage(msgspec.Struct, frozen=True, kw_only=True):
    """Every notice that can be read here, in ledgers and loose; newest first."""

    member: str
    as_of: str
    notices: list[NoticeRow]
    command: str


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a statement, as text."""

    name: str
    value: str


class StatementPage(msgspec.Struct, frozen=True, kw_only=True):
    """One statement: fields, who signed it with which key, where it stands and who cosigned that, what is beside."""

    member: str
    as_of: str
    told: Told
    key: str
    scope: str
    labels: list[str]
    subjects: list[Link]
    fields: list[Named]
    beside: list[Named]
    page: Link | None
    bundle: str | None
    commands: list[str]
    predicate: dict[str, Any]


def ledgers(known: Snapshot, _: Asked) -> LedgersPage:
    """Heads and cosignatures."""
    heads = known.node.heads()
    of = known.charter.origins
    rows = [
        LedgerRow(
            origin=head.origin, member=of[head.origin].member.name, use=of[head.origin].use, size=head.size,
            cosigned_size=head.cosigned_size, waiting=head.waiting, time=head.time,
            witnesses=[Cosigner(name=name, age_s=age) for name, age in head.witnesses],
            address=address("/ledgers/{member}", member=of[head.origin].member.name),
        )
        for head in heads
    ]  # fmt: skip
    witnesses = [
        WitnessRow(
            name=name, operator=operator, of=len(heads),
            cosigned=sum(name in {one for one, _ in head.witnesses} for head in heads),
        )
        for name, operator in sorted(known.charter.witness_operators.items())
    ]  # fmt: skip
    return LedgersPage(
        member=known.member, as_of=known.as_of, quorum=known.charter.quorum.witness, ledgers=rows, witnesses=witnesses,
        forks=[path.name for path in known.node.store.splits()], command="watchword ledger status",
    )  # fmt: skip


def ledger(known: Snapshot, asked: Asked) -> LedgerPage:
    """One member's ledger and notices.

    Raises:
        NotFound: no such member.
    """
    name, kind = asked.path["member"], asked.query.get("kind", "")
    if name not in {known.charter.origins[origin].member.name for origin in known.charter.known_origins}:
        raise NotFound(f"{name}: no member of this alliance")
    shown, count = known.held.page(asked.reader, asked.page, kind=kind, keeper=name)
    return LedgerPage(
        member=known.member, as_of=known.as_of, of=name, kind=kind,
        kinds=known.held.kinds(asked.reader, name), paged=paged(asked.page, count),
        statements=[told(one) for one in shown],
    )  # fmt: skip


def notices(known: Snapshot, _: Asked) -> NoticesPage:
    """Recalls, retractions, disputes, revocations, stops; and what takes them back."""
    wanted = (NOTICES | {"stop"}) - {"ratification"}
    there = known.held.of_kinds(wanted)
    rows = [_notice(known, one.statement, one.locator, one.holder is not None, one) for one in there]
    recorded = {one.statement.id for one in there}
    rows += [
        _notice(known, one.statement, "received directly", True, None)
        for one in known.node.loose()
        if one.statement.id not in recorded and one.statement.kind in wanted
    ]
    return NoticesPage(member=known.member, as_of=known.as_of, notices=rows, command="watchword notice list")


def statement(known: Snapshot, asked: Asked) -> StatementPage:
    """One statement.

    Raises:
        NotFound: not held, or not for this reader.
    """
    found = known.held.find(asked.path["id"])
    if found is None or not found.is_for(asked.reader, known.member):
        raise NotFound("no statement of this id is held here", "import from the member who recorded it")
    one, said = found.statement, found.statement.predicate
    fields = {name: value for name, value in said.items() if name not in ("issuer", "made", "scope", "after", "_sd")}
    fields |= dict.fromkeys(hidden_fields(one.kind, said), "(redacted)")
    if asked.reader.member == known.member:
        fields |= {shown.name: shown.value for shown in disclosures(one, known.node.bodies.get)}
    scope = said.get("scope")
    page = None
    if one.kind == "decision":
        page = Link(name="the decision, explained", address=address("/decisions/{id}", id=one.id))
    elif one.kind == "evaluation":
        page = Link(name="the evaluation", address=address("/evaluations/{id}", id=one.id))
    beside = known.held.beside(one.id).lines() if asked.reader.member == known.member else []
    return StatementPage(
        member=known.member, as_of=known.as_of, told=told(found), key=found.signed.key_id,
        scope=", ".join(scope) if isinstance(scope, list) else str(scope),
        labels=list(known.node.labels(_located(found))),
        subjects=[
            Link(name=subject.name, address=address("/releases/{digest}", digest=subject.digest))
            if known.held.name_of(subject.digest) is not None
            else Link(name=f"{subject.name} ({subject.digest})", address="")
            for subject in one.subject
        ],
        fields=[Named(name=name, value=_text(value)) for name, value in sorted(fields.items())],
        beside=[Named(name=name, value=text) for name, text in beside], page=page,
        bundle=address("/bundles/{id}", id=one.id) if one.kind == "decision" else None,
        commands=[f"watchword statement show {one.id}", f"watchword ledger prove {found.locator} --tlog-proof"],
        predicate=dict(said),
    )  # fmt: skip


def _located(found: Placed) -> Any:
    from watchword.node.recorded import Located

    return Located(found.signed, found.holder, found.origin, found.index, found.locator)


def _notice(known: Snapshot, said: Any, where: str, counts: bool, placed: Placed | None) -> NoticeRow:
    target = str(said.predicate.get("target", said.predicate.get("statement", "")))
    return NoticeRow(
        told=None if placed is None else told(placed), kind=said.kind, by=said.issuer,
        about=called(target) or ", ".join(subject.name for subject in said.subject),
        about_address=link_of(known, target), reason=str(said.predicate.get("reason", "")), where=where, counts=counts,
    )  # fmt: skip


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)

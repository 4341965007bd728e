"""A proof file of this node's: decisions with all that they were made from, re-checked by anybody offline.

Follows docs/protocol.md, section 10. What is in it, and why:

* the newest cosigned head of every shared ledger, and the older heads that the decisions' views name;
* for each ledger the leaves of what the decisions considered, of the decisions, and of the people's answers;
* every notices ledger whole, with the bodies of all notices that match, so that absence is shown;
* with *record*: the gate's receipts, and the mandates, approvals and anchors that they rest on.

Only bodies of scope ``public`` or ``alliance`` go in: a proof goes to whom the alliance admits, with its secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from watchword.errors import WatchwordError
from watchword.ledger.bundle import Body, Bundle, Earlier, Inclusion, LedgerPart, encode
from watchword.ledger.checkpoint import Checkpoint
from watchword.ledger.exchange import KeptHead
from watchword.ledger.listing import consider
from watchword.ledger.log import Log
from watchword.ledger.notices import name_set, said_name
from watchword.ledger.tlog_proof import TlogProof
from watchword.ledger.view import parse_view
from watchword.node import receipts
from watchword.node.node import Node
from watchword.node.recorded import Located
from watchword.node.store import Held
from watchword.statements.canonical import parse_json
from watchword.statements.digests import blinded
from watchword.statements.kinds import NOTICES
from watchword.statements.statement import Signed
from watchword.statements.times import parse_time, rfc3339


class CannotProve(WatchwordError):
    """Something that a proof needs is not held, not cosigned yet, or may not leave."""


@dataclass
class _Contents:
    """What goes in: leaves by origin and index, bodies by commitment, older heads by origin and size."""

    leaves: dict[str, set[int]] = field(default_factory=dict)
    bodies: dict[bytes, Body] = field(default_factory=dict)
    earlier: dict[str, dict[int, bytes]] = field(default_factory=dict)
    loose: dict[str, bytes] = field(default_factory=dict)
    objects: dict[str, Any] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


def make_proof(
    node: Node,
    decisions: Sequence[str],
    *,
    as_of: str | None = None,
    include_record: bool = False,
    releases: Sequence[str] = (),
) -> bytes:
    """The bytes of a proof bundle.

    Args:
        decisions: ids or locators of decision statements held here.
        as_of: the time for which *no bad news* is stated; now by default.
        releases: digests of releases whose name sets are stated besides those of the decisions.

    Raises:
        NotHere: no such statement.
        CannotProve: a decision or what it rests on is not cosigned yet, not held, or out of scope. Names it.
    """
    with node.mutex:
        heads = _cosigned(node)
        contents = _Contents()
        ids = []
        for what in decisions:
            located = node.locate(what)
            if located.signed.statement.kind != "decision" or located.holder is None:
                raise CannotProve(f"{what}: not a decision with standing")
            ids.append(located.signed.statement.id)
            _add_decision(node, contents, heads, located)
        as_of = as_of or rfc3339(node.clock.now())
        for release in releases:
            _add_release(node, contents, heads, release, parse_time(as_of))
        _add_notices(node, contents, heads)
        receipts: list[LedgerPart] = []
        if include_record:
            receipts = [_add_record(node, contents, heads)]
        parts = [_part(node, contents, origin, head) for origin, head in heads.items()]
        return encode(
            Bundle(
                purpose="proof",
                charter=node.charter.digest,
                sender=node.member,
                to=None,
                made=rfc3339(node.clock.now()),
                ledgers=(*parts, *receipts),
                bodies=tuple(contents.bodies.values()),
                loose=tuple(contents.loose[id] for id in sorted(contents.loose)),
                objects=tuple(contents.objects.values()),
                alliance_secret=node.secret,
                as_of=as_of,
                names=tuple(sorted(contents.names)) if contents.names else None,
                decisions=tuple(ids),
            )
        )


def tlog_proof(node: Node, what: str) -> TlogProof:
    """The inclusion of one statement held here, as a C2SP tlog-proof under the newest cosigned head of its ledger.

    Raises:
        NotHere: no such statement.
        CannotProve: it is not cosigned yet.
    """
    with node.mutex:
        located = node.locate(what)
        log = node.store.log(located.origin)
        head = next((one for one in node.store.kept_heads(located.origin) if one.time_s is not None), None)
        if log is None or head is None or located.index >= head.checkpoint.size:
            raise CannotProve(f"{located.locator} is not cosigned yet", "publish, exchange and import first")
        path = tuple(log.inclusion(located.index, head.checkpoint.size))
        return TlogProof(located.index, path, head.note, log.entry(located.index))


def _cosigned(node: Node) -> dict[str, KeptHead]:
    heads = {}
    for origin in node.charter.shared_origins:
        head = next((one for one in node.store.kept_heads(origin) if one.time_s is not None), None)
        if head is None:
            owner = node.charter.origins[origin].member.name
            raise CannotProve(f"{origin} has no cosigned head here", f"exchange with {owner} and the others first")
        heads[origin] = head
    for origin in node.charter.closed_origins:
        heads[origin] = _end(node, origin)
    return heads


def _end(node: Node, origin: str) -> KeptHead:
    """The end of a closed ledger, which is the charter's word and needs no signature."""
    end, log = node.charter.origins[origin].end, node.store.log(origin)
    if end is None or log is None or log.published_size < end.size or log.root(end.size) != end.root:
        raise CannotProve(f"{origin}, a closed ledger, is not held here whole", "sync with those who mirror it")
    checkpoint = Checkpoint(origin, end.size, end.root)
    return KeptHead(checkpoint, checkpoint.format().encode(), {}, None)


def _add_decision(node: Node, contents: _Contents, heads: dict[str, KeptHead], located: Located) -> None:
    """One decision: its statement, what it considered, its use case, view and loose notices."""
    decision = located.signed.statement.predicate["decision"]
    what = f"decision {located.locator}"
    _add_statement(node, contents, heads, located, what)
    considered: list[Signed] = []
    for one in decision["considered"]:
        held = _held_at(node, one["origin"], one["index"])
        if held is None or held.signed.statement.id != one["id"]:
            raise CannotProve(f"{what}: {one['origin']}, leaf {one['index']}, which it considered, is not held here")
        found = Located(
            held.signed, held.holder, one["origin"], one["index"], node.locator(one["origin"], one["index"])
        )
        _add_statement(node, contents, heads, found, what)
        considered.append(held.signed)
    for one in decision["unheld"]:
        # Of these the leaf alone is shown: that it stands there is what counts.
        contents.leaves.setdefault(one["origin"], set()).add(one["index"])
    contents.names |= set(name_set(node.charter, decision["subject"]["digest"], considered))
    for name in ("use_case", "view", "loose"):
        value = node.store.object(decision[name])
        if value is None:
            raise CannotProve(
                f"{what}: its {name.replace('_', ' ')} {decision[name]} is not kept here", "ask its maker"
            )
        contents.objects[decision[name]] = value
    _add_view(node, contents, heads, decision["view"], what)
    by_id = {held.signed.statement.id: (origin, index, held) for origin, index, held in node.store.statements()}
    loose = {held.signed.statement.id: held.signed for held in node.store.loose_held()}
    for id in contents.objects[decision["loose"]]["statements"]:
        signed = loose[id] if id in loose else by_id[id][2].signed if id in by_id else None
        if signed is None:
            raise CannotProve(f"{what}: notice {id}, which it knew of, is not held here any more")
        _refuse_out_of_scope(node, signed, what)
        contents.loose[id] = signed.envelope
        target = str(signed.statement.predicate["target"]).removeprefix("statement:")
        if signed.statement.kind == "retract" and target in by_id:
            # A retraction has standing by its target's issuer alone, so the target has to be there.
            origin, index, held = by_id[target]
            found = Located(held.signed, held.holder, origin, index, node.locator(origin, index))
            _add_statement(node, contents, heads, found, what)


def _add_release(
    node: Node, contents: _Contents, heads: dict[str, KeptHead], release: str, as_of: datetime
) -> None:
    """All evidence about a release: what its name set is made from."""
    view = node.latest_view()
    considered = consider(node.charter, view, node.facts(view), as_of, release)
    for fact in considered.values():
        located = Located(fact.signed, fact.holder, fact.origin, fact.index, node.locator(fact.origin, fact.index))
        _add_statement(node, contents, heads, located, f"release {release}")
    contents.names |= set(name_set(node.charter, release, [fact.signed for fact in considered.values()]))


def _add_view(node: Node, contents: _Contents, heads: dict[str, KeptHead], digest: str, what: str) -> None:
    """The signed heads that a decision's view names, where they are older than those shown."""
    notes = node.store.view_notes(digest)
    for origin, head in parse_view(contents.objects[digest]).heads.items():
        shown = heads[origin].checkpoint
        if (shown.size, shown.root) == (head.size, head.root):
            continue
        if notes is None or origin not in notes:
            raise CannotProve(
                f"{what}: the signed heads of its view are not kept here", "the member who decided has them"
            )
        if head.size > shown.size:
            raise CannotProve(f"{what}: its view is newer than what is held here", "exchange first")
        contents.earlier.setdefault(origin, {})[head.size] = notes[origin]


def _add_notices(node: Node, contents: _Contents, heads: dict[str, KeptHead]) -> None:
    """Bodies of all notices against one of the names, in the heads shown; loose ones too."""
    back = _add_bodies_under(node, contents, heads, contents.names)
    # What could fell a take-back decides whether it counts.
    _add_bodies_under(
        node, contents, heads, {name for one in back for name in (f"statement:{one.statement.id}", f"key:{one.key_id}")}
    )
    facts = node.facts(node.latest_view())
    for signed in facts.loose:
        # Bad news that came after the decision, and no ledger shows yet: whoever proves must not leave it out.
        if said_name(signed.statement) in contents.names:
            _refuse_out_of_scope(node, signed, "loose notice")
            contents.loose[signed.statement.id] = signed.envelope


def _add_bodies_under(
    node: Node, contents: _Contents, heads: dict[str, KeptHead], names: Iterable[str]
) -> list[Signed]:
    """The bodies held of all notices under *names*; returns the take-backs among them."""
    wanted = {blinded(node.secret, name) for name in names}
    back = []
    for origin, head in heads.items():
        of = node.store.leaves(origin)[: head.checkpoint.size] if node.store.use(origin) == "notices" else ()
        for index, leaf in enumerate(of):
            held = node.store.held(leaf.commitment) if leaf.blinded in wanted else None
            if held is not None:
                _refuse_out_of_scope(node, held.signed, f"notice {node.locator(origin, index)}")
                _add_body(node, contents, leaf.commitment)
                back += [held.signed] if held.signed.statement.kind == "take-back" else []
    return back


def _add_record(node: Node, contents: _Contents, heads: dict[str, KeptHead]) -> LedgerPart:
    """The gate's record whole, with the statements that its receipts and anchors rest on."""
    record = node.record
    if node.writing:
        receipts.publish(node)
    note = record.checkpoint()
    if note is None or record.published_size != record.size:
        raise CannotProve("receipts of this gate are not anchored yet", "anchor the record, publish and exchange first")
    named: set[str] = set()
    of = node.store.leaves(record.origin)
    for index, leaf in enumerate(of):
        found = node.store.receipts.get(index, of)
        contents.bodies[leaf.commitment] = Body("receipt", *found)
        receipt = parse_json(found[1], f"{record.origin}, leaf {index}")
        # What closed the gate counted from any channel; nothing that was let go rests on it.
        used = () if receipt.get("event") in ("stopped", "exercised") else receipt.get("approvals", ())
        named |= {receipt.get("mandate"), *used} - {None}
    anchored = False
    for origin, index, held in node.store.statements():
        statement = held.signed.statement
        anchor = statement.kind == "record-head" and statement.predicate["origin"] == record.origin
        if held.holder is not None and (anchor or statement.id in named) and index < heads[origin].checkpoint.size:
            located = Located(held.signed, held.holder, origin, index, node.locator(origin, index))
            _add_statement(node, contents, heads, located, "the record")
            named.discard(statement.id)
            anchored = anchored or anchor
    if record.size and not anchored:
        raise CannotProve("receipts of this gate are not anchored in a cosigned ledger", "anchor, publish and exchange")
    if named:
        raise CannotProve(
            f"statement {min(named)}, which a receipt rests on, is in no cosigned ledger held here",
            "append it, publish and exchange first",
        )
    return LedgerPart(record.origin, note, entries=tuple(record.entries(0, record.size)))


def _add_statement(node: Node, contents: _Contents, heads: dict[str, KeptHead], located: Located, what: str) -> None:
    origin, index = located.origin, located.index
    if index >= heads[origin].checkpoint.size:
        raise CannotProve(f"{what}: {located.locator} is not cosigned yet", "publish, exchange and import first")
    _refuse_out_of_scope(node, located.signed, what)
    if located.signed.statement.kind not in NOTICES:
        contents.leaves.setdefault(origin, set()).add(index)
    _add_body(node, contents, node.store.leaves(origin)[index].commitment)


def _add_body(node: Node, contents: _Contents, commitment: bytes) -> None:
    found = node.bodies.get(commitment)
    if found is None:
        raise CannotProve(f"body sha256:{commitment.hex()} is gone")
    contents.bodies[commitment] = Body("envelope", *found)


def _refuse_out_of_scope(node: Node, signed: Signed, what: str) -> None:
    scope = signed.statement.predicate.get("scope")
    if scope not in ("public", "alliance"):
        shown = ", ".join(scope) if isinstance(scope, list) else scope
        raise CannotProve(
            f"{what}: rests on a {signed.statement.kind} of {signed.statement.issuer} whose scope is {shown}",
            "a proof shows only what the whole alliance may hold",
        )


def _part(node: Node, contents: _Contents, origin: str, head: KeptHead) -> LedgerPart:
    log = node.store.log(origin)
    if log is None:
        raise CannotProve(f"{origin} is not held here")
    size = head.checkpoint.size
    earlier = tuple(
        Earlier(note, tuple(log.consistency(old, size)))
        for old, note in sorted(contents.earlier.get(origin, {}).items())
    )
    if node.store.use(origin) == "notices":
        return LedgerPart(origin, head.note, earlier, entries=tuple(log.entries(0, size)))
    return LedgerPart(origin, head.note, earlier, proofs=tuple(_inclusions(log, contents.leaves.get(origin, ()), size)))


def _inclusions(log: Log, indices: Iterable[int], size: int) -> Iterable[Inclusion]:
    for index in sorted(indices):
        yield Inclusion(index, log.entry(index), tuple(log.inclusion(index, size)))


def _held_at(node: Node, origin: str, index: int) -> Held | None:
    if origin not in node.charter.known_origins:
        return None
    of = node.store.leaves(origin)
    return node.store.held(of[index].commitment) if index < len(of) else None

"""A spill: what should not have been written is purged, with its salt, wherever the request is honoured: a statement's
body, or only fields of it (a redaction).

Follows docs/protocol.md, section 5. The leaf stays, so every proof still verifies; without salt and body its commitment
tells nothing.

* A request is a ``spill`` statement: by the member in whose ledger the leaf stands, or by the statement's own issuer.
* Each node honours it when it takes it in, and never takes that body in again, whoever offers it.
* A redaction purges the disclosures of fields (``statements.redaction``); the body stays, and its signature holds.
* Bad news is not spilled: it would hide what others must hear. What was spilled is gone from decisions as well, good or
  bad; the request stands in the ledger about the same subjects, and whoever looks at them sees that something went.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from watchword.charter.standing import NoStanding
from watchword.ledger.exchange import attachments
from watchword.node.node import Node
from watchword.node.recorded import Recorded
from watchword.statements.digests import parse_digest
from watchword.statements.kinds import NOTICES
from watchword.statements.statement import Signed


def spill(
    node: Node, what: str, reason: str, person: str | None = None, only: Sequence[bytes] | None = None
) -> Recorded:
    """Ask everybody to purge a statement's body, and do so here.

    Args:
        what: an id or a locator of a statement held here.
        only: the commitments of attachments or disclosures to purge, where the body is to stay.

    Raises:
        NotHere: no such statement, or its body is gone already.
        NoStanding: bad news, or neither this member's ledger nor its own statement.
    """
    with node.mutex:
        located = node.locate(what)
        statement = located.signed.statement
        if statement.kind in NOTICES or statement.kind in ("stop", "spill"):
            raise NoStanding(f"{located.locator}: {statement.kind} is not spilled", "others must hear it")
        if node.member not in (statement.issuer, node.charter.origins[located.origin].member.name):
            raise NoStanding(
                f"{located.locator} is by {statement.issuer}, in another member's ledger",
                f"ask {statement.issuer} or {node.charter.origins[located.origin].member.name} to spill it",
            )
        leaf = node.store.leaves(located.origin)[located.index].commitment
        fields: dict[str, Any] = {
            "attachments": sorted(
                f"sha256:{one.hex()}" for one in _only_of(node, located.signed) if only is None or one in only
            ),
            "body": "purged" if only is None else "kept",
            "leaf": f"sha256:{leaf.hex()}",
            "reason": reason,
        }
        # Only who may hold the body is to hear of it: the request carries the subject's name and digest.
        scope = statement.predicate["scope"]
        recorded = node.sign_and_append("spill", statement.subject, fields, person=person, scope=scope)
        honour(node)
        return recorded


def honour(node: Node) -> int:
    """Purge what the spills held here ask for; how many bodies went."""
    store = node.store
    asked = [
        (held.signed, held.holder.owner)
        for _, _, held in store.statements()
        if held.signed.statement.kind == "spill" and held.holder is not None
    ]
    spilled = store.spilled()
    purged = 0
    for signed, by in asked:
        said = signed.statement.predicate
        leaf = parse_digest(said["leaf"])
        if leaf in spilled or not _may(node, by, leaf):
            continue
        held = store.held(leaf)
        # Whose attachments they are tells only the statement; and what is not here yet may be somebody else's body.
        gone = {one for one in map(parse_digest, said["attachments"]) if store.bodies.holds(one)}
        gone &= set() if held is None or not gone else set(_only_of(node, held.signed))
        if said["body"] == "purged":
            gone.add(leaf)
        if gone <= spilled:
            continue
        store.add_spilled(gone)
        purged += sum(store.purge(one) for one in sorted(gone))
    return purged


def _may(node: Node, by: str, leaf: bytes) -> bool:
    """Whether the member *by* may spill the leaf: it stands in its ledger, or commits to its own statement."""
    held = node.store.held(leaf)
    if held is not None and held.signed.statement.kind in NOTICES | {"stop", "spill"}:
        return False
    if held is not None and held.signed.statement.issuer == by:
        return True
    ledger = node.charter.member(by).origins["ledger"]
    return any(one.commitment == leaf for one in node.store.leaves(ledger))


def _only_of(node: Node, signed: Signed) -> list[bytes]:
    """The attachments and disclosures of a statement that no other one held here names, and that are no leaf's body:
    otherwise a stranger could name somebody's commitment, and have it purged."""
    others = node.store.commitments() | {
        one
        for _, _, held in node.store.statements()
        if held.signed.statement.id != signed.statement.id
        for one in attachments(held.signed)
    }
    return [one for one in attachments(signed) if one not in others]

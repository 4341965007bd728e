"""The notices that a node holds, found where they count: in notices ledgers, in the view or not, or loose.

A notice that somebody put into another ledger counts for nothing there (``Store.facts``), and is not looked for: of
what stands beside it no body is read.
"""

from __future__ import annotations

from watchword.charter.standing import NoStanding
from watchword.node.store import Held, Store


def notices_held(store: Store) -> list[Held]:
    """Every one, with standing or not."""
    origins = [origin for origin in store.charter.known_origins if store.use(origin) == "notices"]
    filed = (store.held(leaf.commitment) for origin in origins for leaf in store.leaves(origin))
    return [*(held for held in filed if held is not None), *store.loose_held()]


def refuse_revoked(store: Store, key_id: str) -> None:
    """A key that was revoked signs nothing more here: what it said would fall at once.

    Raises:
        NoStanding: it was.
    """
    for one in notices_held(store):
        notice = one.signed.statement
        if notice.kind == "revoke" and one.holder is not None and notice.predicate["target"] == f"key:{key_id}":
            raise NoStanding(
                f"{notice.issuer}'s key {key_id[:19]}… was revoked {notice.predicate['made']}",
                "name another person, or ratify a charter with a new key",
            )

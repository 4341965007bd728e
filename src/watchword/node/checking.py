"""A node's check of one ledger: the tree, the bodies, and whether a head that is known here reaches further than it.

* A check that was cut short goes on within CHECK_RESUME_S_MAX; one that ended remembers nothing, because disks rot.
"""

from __future__ import annotations

from pathlib import Path

from watchword.ledger import durable
from watchword.ledger.check import BodyCheck, check_ledger
from watchword.ledger.heads import HeadStore, parse_stored
from watchword.ledger.tiles import BadLedger
from watchword.limits import CHECK_RESUME_S_MAX
from watchword.node.store import Store, own_json, place_of
from watchword.statements.canonical import canonical

CHECKED_FORMAT = "watchword-checked/1"


def checked(store: Store, origin: str, signatures: bool = False) -> str:
    """One ledger rebuilt from its entries, as a line for people. A check that was cut short goes on.

    Args:
        signatures: verify the Ed25519 half of every body too.

    Raises:
        BadLedger, BadTile: an entry that does not fit, or fewer than a head signed or cosigned here states.
        DamagedBody, BadBody: names the file, or the leaf.
    """
    log, stored = store.log(origin), HeadStore(store.home / "heads", origin)
    signed = stored.read()
    sizes = [head.checkpoint.size for head in store.kept_heads(origin)]
    if log is None and signed is not None and store.writing:
        log = store.mirror(origin)  # begun by a process that was killed before its first checkpoint
    if signed is not None:
        sizes.append(parse_stored(signed, store.home / "heads", origin).size)
    there = 0 if log is None else log.size
    if there < max(sizes, default=0):
        raise BadLedger(f"{origin}: {there:,} leaves are held, a head of {max(sizes):,} is known here")
    if log is None:
        return f"{origin}: nothing is held yet"
    keys = {id: holder.public.ed25519 for id, holder in store.charter.holders.items()} if signatures else {}
    receipts = store.use(origin) == "record"
    bodies = None if receipts else BodyCheck(store.home / "bodies", store.use(origin), keys)
    path = store.home / "checked" / place_of(origin)
    first, held = _before(store, path, signatures)

    def done(bundles: int, found: int) -> None:
        if store.writing:
            value = {"bodies": held + found, "bundles": bundles, "format": CHECKED_FORMAT, "time": store.now_s()}
            store.put_own(path, canonical(value | {"signatures": signatures}))

    held += check_ledger(log.folder, origin, stored, bodies=bodies, first=first, done=done)
    path.unlink(missing_ok=True)
    if receipts:
        held = len(store.receipts.events(0, store.leaves(origin)))
    for leaf in () if receipts else store.leaves(origin)[log.published_size :]:
        held += store.bodies.get(leaf.commitment) is not None
    gone = log.size - held
    missing = f", {gone:,} not held" if gone else ""
    signed_too = " and are signed" if signatures and not receipts else ""
    return f"{origin}: {log.size:,} leaves lead to the head, {held:,} bodies match{signed_too}{missing}"


def _before(store: Store, path: Path, signatures: bool) -> tuple[int, int]:
    """Where a check that was cut short less than a day ago goes on: (bundle, bodies found before it)."""
    data = durable.read(path, 4_096)
    if data is None:
        return 0, 0
    value = own_json(path, data, CHECKED_FORMAT)
    fits = value["signatures"] == signatures and 0 <= store.now_s() - value["time"] <= CHECK_RESUME_S_MAX
    return (value["bundles"], value["bodies"]) if fits else (0, 0)

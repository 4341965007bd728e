"""What a member should be woken for: what this node holds, and what its peers show of this member's own ledgers.

* ``fork``        two signed heads of one ledger that cannot both be true are kept here (equivocation)
* ``own-head``    a peer's witness holds a head under our key that our ledger does not lead to: a thief has the key, or
                  this node was put back to an older state; nothing more may be signed under that origin
* ``two-charters``  a member ratified two charters that follow the same one
* ``silence``     a shared ledger has no head that a quorum cosigned within the time asked for
* ``witness``     a member's witness has not cosigned this member's own newest head, or not within that time
* ``own-key``     a statement under one of our keys stands in a foreign ledger and not in ours, and nobody here has said
                  that it is known. Approvals at others' gates are of this sort: each is looked at once
* ``peer``        a peer does not answer

It raises and decides nothing. What nobody can see (a thief who shows it to none of us) it cannot either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from watchword.charter.succession import twice_ratified
from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.ledger.checkpoint import SplitView
from watchword.ledger.fetch import Remote
from watchword.limits import BUNDLE_BYTES_MAX
from watchword.node.accusing import accuse
from watchword.node.node import Node
from watchword.node.renewing import begin_if_superseded
from watchword.node.witnessing import compare
from watchword.statements.canonical import canonical, parse_canonical

KNOWN_FORMAT = "watchword-known/1"


@dataclass(frozen=True)
class Alarm:
    """One thing raised. ``what`` names the ledger, witness, statement or peer; ``why`` says what is wrong with it."""

    id: str
    what: str
    why: str

    def value(self) -> dict[str, str]:
        """As JSON data."""
        return {"id": self.id, "what": self.what, "why": self.why}


def monitor(node: Node, peers: Mapping[str, str], within_s: int, *, accept: bool = False) -> list[Alarm]:
    """Everything to be woken for now, the worst first.

    Args:
        peers: whose witnesses are asked what they hold of our own ledgers.
        within_s: how old a cosignature may be.
        accept: from now on the statements of ``own-key`` that stand there today are known; needs a writing node.
    """
    elsewhere = [*_own_heads(node, peers)]
    accuse(node)
    begin_if_superseded(node)
    found = [Alarm("fork", folder.name, f"both signed heads are kept in {folder}") for folder in node.store.splits()]
    found += [*elsewhere, *_two_words(node)]
    found += [*_silence(node, within_s), *_witnesses(node, within_s)]
    strange = dict(_own_keys(node))
    path = node.home / "known.json"
    data = durable.read(path, BUNDLE_BYTES_MAX)
    known = set() if data is None else set(parse_canonical(data, str(path), BUNDLE_BYTES_MAX)["statements"])
    if accept:
        known |= strange.keys()
        node.store.put_own(path, canonical({"format": KNOWN_FORMAT, "statements": sorted(known)}))
    found += [Alarm("own-key", id, why) for id, why in strange.items() if id not in known]
    return found


def _own_heads(node: Node, peers: Mapping[str, str]) -> Iterator[Alarm]:
    for name, url in peers.items():
        try:
            with Remote(url) as remote:
                for use in ("ledger", "notices"):
                    log = node.store.own(use)
                    try:
                        compare(node, remote, log, log.checkpoint() or b"")
                    except SplitView as split:
                        folder = node.store.keep_split(log.origin, split)
                        yield Alarm("own-head", log.origin, f"{split.message}, at {name}; both are kept in {folder}")
        except WatchwordError as error:
            yield Alarm("peer", name, error.message)


def _two_words(node: Node) -> Iterator[Alarm]:
    said = [held.signed for _, _, held in node.store.statements() if held.holder is not None]
    said = [one for one in [*said, *node.loose()] if one.statement.kind == "ratification"]
    for member, charters in twice_ratified(said).items():
        yield Alarm("two-charters", member, f"ratified {' and '.join(charters)}, which follow the same charter")


def _silence(node: Node, within_s: int) -> Iterator[Alarm]:
    now_s = node.store.now_s()
    for origin in node.charter.shared_origins:
        newest = max((head.time_s or 0 for head in node.store.kept_heads(origin)), default=0)
        if not newest:
            yield Alarm("silence", origin, "no head with a quorum is held")
        elif newest < now_s - within_s:
            yield Alarm("silence", origin, f"its newest head with a quorum is {now_s - newest:,} s old")


def _witnesses(node: Node, within_s: int) -> Iterator[Alarm]:
    now_s = node.store.now_s()
    for use in ("ledger", "notices"):
        origin = node.me.origins[use]
        heads = node.store.kept_heads(origin)
        for name in node.charter.witness_keys:
            if not heads or name not in heads[-1].times:
                yield Alarm("witness", name, f"has not cosigned the newest head of {origin}")
            elif heads[-1].times[name] < now_s - within_s:
                yield Alarm("witness", name, f"cosigned {origin} {now_s - heads[-1].times[name]:,} s ago")


def _own_keys(node: Node) -> Iterator[tuple[str, str]]:
    """Statements under our keys in ledgers of others that are not in ours: (id, where and what)."""
    store = node.store
    ours = {holder.public.id for holder in node.me.keys}
    here, elsewhere = set(), {}
    for origin, index, held in store.statements():
        statement = held.signed.statement
        if store.is_own(origin):
            here.add(statement.id)
        elif held.signed.key_id in ours:
            elsewhere[statement.id] = f"{statement.kind} under a key of ours in {node.locator(origin, index)}"
    yield from ((id, why) for id, why in elsewhere.items() if id not in here)

"""Ask the witnesses of other members to cosign this node's heads, over HTTP.

Follows c2sp.org/tlog-witness, as its client. For each own shared ledger and each peer:

1. POST our newest head with a consistency proof from the size that this witness cosigned last, as far as we know.
2. 409 names the size it really cosigned: once more from there.
3. 200: its two lines are verified, and kept with the head.

* A witness that cosigned more than we have, or another root, holds a head signed with our key that is not ours here.
  It is fetched from its monitoring endpoint; if our key verifies, both signed heads are kept. Either somebody else has
  our key, or this node was put back to an older state: nothing more may be signed under that origin.
* A refusal or silence convicts nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from watchword.errors import WatchwordError
from watchword.ledger.checkpoint import SplitView, cosignatures, parse_checkpoint, parse_size, verify_head
from watchword.ledger.fetch import BadAnswer, Remote
from watchword.ledger.log import Log
from watchword.ledger.notes import parse_note, parse_signatures
from watchword.ledger.witness import format_request
from watchword.limits import NOTE_BYTES_MAX
from watchword.node.carry import Fork
from watchword.node.node import Node
from watchword.node.recorded import NotHere
from watchword.node.renewing import begin_if_superseded
from watchword.observe.steps import step

_TRIES = 3


@dataclass(frozen=True)
class Asked:
    """What one witness said of one ledger: it cosigned (``trouble`` is empty), or why not; a fork convicts."""

    peer: str
    origin: str
    size: int
    trouble: str = ""
    fork: Fork | None = None

    def told(self) -> str:
        """One line for people."""
        if self.fork is not None:
            return f"FORK of {self.origin}: {self.fork.message}; both signed heads kept in {self.fork.folder}"
        said = f"did not cosign: {self.trouble}" if self.trouble else f"cosigned at {self.size:,}"
        return f"{self.origin}: {self.peer} {said}"

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        fork = None if self.fork is None else {"kept": str(self.fork.folder), "message": self.fork.message}
        return {
            "cosigned": not self.trouble and fork is None, "fork": fork, "origin": self.origin, "peer": self.peer,
            "size": self.size, "trouble": self.trouble,
        }  # fmt: skip


def ask_witnesses(node: Node, peers: Mapping[str, str]) -> list[Asked]:
    """Publish, then have every peer (member to address) cosign both shared ledgers.

    Raises:
        NotHere: opened for reading only, or a peer is no other member.
        StorageTrouble, KeyTrouble: ours.
    """
    for name in peers:
        if node.charter.member(name).name == node.member:
            raise NotHere(f"{name} is this node", "witnesses are other members")
    node.publish()
    asked = []
    for name, url in peers.items():
        with step("witness", peer=name) as this:
            try:
                with Remote(url) as remote:
                    said = [_ask(node, remote, name, node.store.own(use)) for use in ("ledger", "notices")]
            except WatchwordError as error:
                said = [Asked(name, node.me.origins[use], 0, error.message) for use in ("ledger", "notices")]
                this.error = type(error).__name__
            forked, refused = any(one.fork for one in said), any(one.trouble for one in said)
            this.outcome = "fork" if forked else "trouble" if refused else "cosigned"
        asked += said
    begin_if_superseded(node)
    return asked


def _ask(node: Node, remote: Remote, peer: str, log: Log) -> Asked:
    origin, size, note = log.origin, log.published_size, log.checkpoint() or b""
    name = node.charter.member(peer).witness
    try:
        lines = _cosignature(node, remote, log, note, name)
        parse_signatures(lines.decode())
        known = {name: node.charter.witness_keys[name]}
        # Lines of strangers in the answer are left out by what keeps the head; ours must be among them, and verify.
        if name not in cosignatures(note + lines, known):
            raise BadAnswer(f"{remote.url}: answered without a cosignature of {name}")
        node.store.take_notes(origin, [note + lines])
    except SplitView as split:
        return Asked(peer, origin, size, fork=Fork(origin, split.message, node.store.keep_split(origin, split)))
    except (WatchwordError, UnicodeDecodeError) as error:
        return Asked(peer, origin, size, str(error))
    return Asked(peer, origin, size)


def _cosignature(node: Node, remote: Remote, log: Log, note: bytes, witness: str) -> bytes:
    """The lines with which the witness answers. Raises SplitView, BadAnswer, Unreachable."""
    size = log.published_size
    kept = [head for head in node.store.kept_heads(log.origin) if witness in head.times]
    old = max((head.checkpoint.size for head in kept), default=0)
    for _ in range(_TRIES):
        request = format_request(old, log.consistency(old, size), note)
        answer = remote.post("witness/add-checkpoint", request, NOTE_BYTES_MAX)
        if answer.status == 200:
            return answer.body
        if answer.status == 409 and answer.body.endswith(b"\n"):
            old = parse_size(answer.body[:-1].decode("ascii", "replace"), "size that the witness cosigned")
            if old <= size:
                continue
        if answer.status in (409, 422):
            compare(node, remote, log, note)
        break
    said = answer.body[:200].decode("utf-8", "replace").strip()
    raise BadAnswer(f"{remote.url}witness/add-checkpoint: status {answer.status}: {said}")


def compare(node: Node, remote: Remote, log: Log, note: bytes) -> None:
    """Look at what the witness holds. Raises SplitView when it is a head of our key that contradicts ours."""
    path = f"witness/{sha256(log.origin.encode()).hexdigest()}/checkpoint"
    answer = remote.get(path, NOTE_BYTES_MAX)
    if answer.status != 200:
        return
    theirs = verify_head(answer.body, log.origin, node.charter.origins[log.origin].key)
    ours = parse_checkpoint(parse_note(note).text)
    if theirs.size > ours.size:
        message = f"a head of {log.origin} at size {theirs.size} is signed with its key, {ours.size} leaves are here"
        raise SplitView(message, note, answer.body)
    if log.root(theirs.size) != theirs.root:
        raise SplitView(f"two signed heads of {log.origin} contradict each other", note, answer.body)

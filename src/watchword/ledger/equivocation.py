"""Evidence that a ledger's key signed two histories, such that anybody can verify it from the charter alone. Pure.

Follows docs/protocol.md, section 6. Two signed heads of one origin convict its key when

1. both are signed by it, with both halves (its cosignatures are left out: they say nothing of who forked), and
2. their sizes are equal and their roots are not, or
3. the tree of the larger one has, by a consistency proof (RFC 9162, 2.1.4), another root at the size of the smaller one
   than the smaller one states.

* A proof that fails convicts nobody: it may be the proof that is wrong. What is proven here is that something is there
  that must not be, never that something is missing.
"""

from __future__ import annotations

from typing import Any

from watchword.errors import WatchwordError
from watchword.ledger.checkpoint import Checkpoint, SplitView, verify_head
from watchword.ledger.merkle import BadProof, verify_consistency
from watchword.ledger.notes import Note, parse_note
from watchword.statements.digests import D, b64, unb64
from watchword.statements.keys import PublicKey
from watchword.statements.kinds import Equivocation
from watchword.statements.statement import Subject


class NotConvicted(WatchwordError):
    """Two notes that do not convict the key of their ledger. Says what is missing."""


def evidence(split: SplitView, origin: str, log_key: PublicKey) -> dict[str, Any] | None:
    """The fields of an ``equivocation`` statement, smaller head first; None where the notes do not convict alone.

    Raises:
        BadNote: one of them is not a head of *origin* under *log_key*.
    """
    heads = sorted(
        ((verify_head(note, origin, log_key), _bare(note, origin)) for note in (split.ours, split.theirs)),
        key=lambda pair: pair[0].size,
    )
    (first, _), (second, _) = heads
    if first.size != second.size and split.passed is None:
        return None
    passed, path = (None, ()) if first.size == second.size else (split.passed, split.path)
    try:
        _convict(first, second, passed, path)
    except NotConvicted:
        return None
    return {
        "origin": origin,
        "heads": [text for _, text in heads],
        "passed": None if passed is None else b64(passed),
        "path": [b64(one) for one in path],
    }


def subject_of(fields: dict[str, Any]) -> Subject:
    """What an ``equivocation`` statement is about: the origin, and a digest over both signed notes."""
    return Subject(fields["origin"], D("".join(fields["heads"]).encode()))


def verify_equivocation(said: Equivocation, log_key: PublicKey) -> tuple[Checkpoint, Checkpoint]:
    """Check that the two heads in a statement convict *log_key* of signing two histories; who made it does not matter.

    Returns:
        Both heads, the smaller first.

    Raises:
        NotConvicted, BadNote: the first of the module's rules that fails.
    """
    # 1
    first, second = (verify_head(text.encode(), said.origin, log_key) for text in said.heads)
    # 2 and 3
    try:
        passed = None if said.passed is None else unb64(said.passed, "passed")
        path = [unb64(one, "path") for one in said.path]
    except WatchwordError as error:
        raise NotConvicted(error.message) from error
    _convict(first, second, passed, path)
    return first, second


def _convict(first: Checkpoint, second: Checkpoint, passed: bytes | None, path: Any) -> None:
    what = f"heads of {first.origin} at {first.size} and {second.size}"
    if first.size == second.size:
        if passed is not None or path:
            raise NotConvicted(f"{what}: equal sizes need no proof")
        if first.root == second.root:
            raise NotConvicted(f"{what} are one and the same")
        return
    if first.size > second.size or passed is None:
        raise NotConvicted(f"{what}: not in order, or without the root that the larger one has there")
    if passed == first.root:
        raise NotConvicted(f"{what}: the larger one extends the smaller one")
    if first.size == 0:
        raise NotConvicted(f"{what}: every tree extends the empty one")
    try:
        verify_consistency(first.size, passed, second.size, second.root, path)
    except BadProof as error:
        raise NotConvicted(f"{what}: {error.message}", "a bad proof alone convicts nobody") from error


def _bare(note: bytes, origin: str) -> str:
    parsed = parse_note(note)
    return Note(parsed.text, tuple(line for line in parsed.signatures if line.name == origin)[:4]).format().decode()

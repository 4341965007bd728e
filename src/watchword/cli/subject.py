"""What a command line means by a release: a path, a digest, or a name that this node has on record."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from watchword.errors import WatchwordError
from watchword.statements.digests import is_digest
from watchword.statements.statement import Subject

if TYPE_CHECKING:
    from watchword.node import Node


NAMING = ("inspection", "bill-of-materials", "claim", "endpoint")
"""Kinds of statement by whose subject a release is known by name."""


class UnknownRelease(WatchwordError):
    """Neither a path nor a digest, nor on record here."""


def release_name(args: argparse.Namespace, fallback: str) -> str:
    """``NAME VERSION`` from ``--system`` and ``--release``."""
    return f"{args.system or fallback} {args.release or 'unversioned'}"


def release(text: str, node: Node | None = None, name: str | None = None) -> Subject:
    """Find the release that *text* means.

    Args:
        text: a path (its manifest is computed), a digest, or ``NAME VERSION`` as recorded.
        node: where recorded names and digests are looked up.
        name: the name to give it; else the recorded one, else the path's last part.

    Raises:
        UnknownRelease: none of the three; or a name that several digests carry.
    """
    if is_digest(text):
        return Subject(name or _recorded_name(node, text) or text[:19], text)
    path = Path(text)
    if path.exists():
        from watchword.inspect import manifest_of

        digest = manifest_of(path).digest
        return Subject(name or _recorded_name(node, digest) or f"{path.resolve().name} unversioned", digest)
    digests = _named(node, text)
    if len(digests) == 1:
        return Subject(text, digests.pop())
    if digests:
        listed = ", ".join(sorted(digests))
        raise UnknownRelease(f"{text}: {len(digests)} releases on record have this name", f"give the digest: {listed}")
    raise UnknownRelease(f"{text}: no such path, and no release of this name is on record here")


def _named(node: Node | None, name: str) -> set[str]:
    if node is None:
        return set()
    return {
        subject.digest
        for signed in node.statements()
        if signed.statement.kind in NAMING
        for subject in signed.statement.subject
        if subject.name == name
    }


def _recorded_name(node: Node | None, digest: str) -> str | None:
    if node is None:
        return None
    for signed in node.statements():
        for subject in signed.statement.subject:
            if subject.digest == digest and signed.statement.kind in NAMING:
                return subject.name
    return None

"""What a command line means by a release: a path, a digest, or a name on record: ``NAME VERSION`` or ``NAME@VERSION``.

A name without a version means the one release of that system on record; where there are several, they are named.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from watchword.errors import WatchwordError
from watchword.statements.digests import is_digest
from watchword.statements.statement import Signed, Subject

NAMING = ("inspection", "bill-of-materials", "claim", "endpoint")
"""Kinds whose subject's name is the release's."""


class OnRecord(Protocol):
    """Where names are looked up: an open node, or a proof."""

    def statements(self) -> Iterable[Signed]: ...


class UnknownRelease(WatchwordError):
    """Neither a path nor a digest, nor on record here."""


def release_name(args: argparse.Namespace, fallback: str) -> str:
    """``NAME VERSION`` from ``--system`` and ``--release``."""
    return f"{args.system or fallback} {args.release or 'unversioned'}"


def release(text: str, record: OnRecord | None = None, name: str | None = None) -> Subject:
    """Find the release that *text* means.

    Args:
        text: a path (its manifest is computed), a digest, ``NAME VERSION``, ``NAME@VERSION`` or ``NAME`` as recorded.
        record: where recorded names and digests are looked up.
        name: the name to give it; else the recorded one, else the path's last part.

    Raises:
        UnknownRelease: none of these; or a name that several digests carry.
    """
    named = [] if record is None else _named(record)
    if is_digest(text):
        return Subject(name or _first_name(named, text) or text[:19], text)
    path = Path(text)
    if path.exists():
        from watchword.inspect import manifest_of

        digest = manifest_of(path).digest
        return Subject(name or _first_name(named, digest) or f"{path.resolve().name} unversioned", digest)
    system, at, version = text.rpartition("@")
    exact = {f"{system} {version}" if at else text, text}
    found = [one for one in named if one.name in exact]
    found = found or [one for one in named if one.name.rpartition(" ")[0] == text]
    digests = sorted({one.digest for one in found})
    if len(digests) == 1:
        return found[0]
    if digests:
        listed = ", ".join(f"{one.name} ({one.digest})" for one in sorted(set(found), key=lambda one: one.name))
        raise UnknownRelease(f"{text}: {len(digests)} releases on record have this name", f"give the digest: {listed}")
    raise UnknownRelease(f"{text}: no such path, and no release of this name is on record here")


def _named(record: OnRecord) -> list[Subject]:
    """The releases that statements name, in the order recorded."""
    return [s for signed in record.statements() if signed.statement.kind in NAMING for s in signed.statement.subject]


def _first_name(named: list[Subject], digest: str) -> str | None:
    return next((one.name for one in named if one.digest == digest), None)

"""Three ways to lie with a proof file, each of which a verifier must find and name.

Every forgery is as good as its forger can make it without a key: still canonical JSON, still consistent in itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from watchword.ledger.merkle import EMPTY_ROOT
from watchword.statements.canonical import canonical
from watchword.statements.digests import b64


def removed_recall(source: Path, target: Path) -> None:
    """Leave the recall out: its leaf is no longer in the notices ledger of the member that issued it."""
    bundle = _read(source)
    ledger = _with_notices(bundle)
    ledger["leaves"] = []
    _write(bundle, target)


def forged_head(source: Path, target: Path) -> None:
    """Leave the recall out and write a head that fits: size 0, root of the empty tree, under the old signatures."""
    bundle = _read(source)
    ledger = _with_notices(bundle)
    ledger["leaves"] = []
    body, _, signatures = ledger["checkpoint"].partition("\n\n")
    origin = body.split("\n")[0]
    ledger["checkpoint"] = f"{origin}\n0\n{b64(EMPTY_ROOT)}\n\n{signatures}"
    _write(bundle, target)


def flipped_byte(source: Path, target: Path) -> None:
    """Flip one bit in the middle of the longest statement body."""
    data = source.read_bytes()
    envelopes = [body["envelope"]["payload"] for body in _read(source)["bodies"] if "envelope" in body]
    longest = max(envelopes, key=len).encode()
    place = data.index(longest) + len(longest) // 2
    target.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])


ALL: dict[str, Callable[[Path, Path], None]] = {
    "removed-recall": removed_recall,
    "forged-head": forged_head,
    "flipped-byte": flipped_byte,
}


def _read(path: Path) -> dict[str, Any]:
    bundle: dict[str, Any] = json.loads(path.read_bytes())
    return bundle


def _write(bundle: dict[str, Any], path: Path) -> None:
    path.write_bytes(canonical(bundle) + b"\n")


def _with_notices(bundle: dict[str, Any]) -> dict[str, Any]:
    """The first notices ledger that holds anything."""
    found: dict[str, Any] = next(
        one for one in bundle["ledgers"] if one["origin"].endswith("/notices") and one["leaves"]
    )
    return found

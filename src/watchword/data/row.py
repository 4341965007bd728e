"""What one row of data is, as bytes: canonical form, digests, leaf, tree. Pure: values in, bytes out.

* The *features* of a row are all its columns but those named as label, source and annotator. The key column, where
  one is named, stays among the features. Canonical bytes: the object of the features by RFC 8785.
* ``features digest = SHA-256("watchword-data-features/1" LF canonical bytes)``.
* ``label digest = SHA-256("watchword-data-label/1" LF canonical bytes of the label value)``. A row without the
  label column (JSONL) has none, which is not the same as a label that is null. A label digest hides nothing from
  somebody who can guess the label.
* The *row line* is the RFC 8785 array ``[key, features digest, label digest, source, annotator]``; digests in
  lower-case hex, null where there is none.
* ``leaf = SHA-256(0x00 "watchword-data-row/1" LF row line)``.
* The root is the Merkle tree hash of RFC 9162, section 2.1.1, over the leaves in row order
  (``node = SHA-256(0x01 left right)``); the leaf's own prefix keeps it apart from the tree of any ledger.
* ``set digest = SHA-256("watchword-data-set/1" LF leaves in ascending order)``: the same for any order of the rows.

Not told apart, because RFC 8785 does not: 1 and 1.0, 0 and -0, two decimal spellings of one double.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import rfc8785

from watchword.errors import WatchwordError
from watchword.limits import JSON_INTEGER_MAX

DIGEST_BYTES = 32
BATCH_ROWS = 1024
"""Rows that are taken together."""
NO_LABEL = bytes(DIGEST_BYTES)
"""Stands for "this row has no label" where label digests lie side by side; SHA-256 of nothing known."""

# Rows reach this encoder with members in RFC 8785 order, integers in range and awkward floats already spelled; what
# is left (strings, escapes, plain floats) it writes exactly as RFC 8785 does. tests/data/test_row.py holds it to that.
_encoder = msgspec.json.Encoder()
_encode = _encoder.encode
_sha256 = hashlib.sha256
_SUBTREE_LEAVES = 256
_NUMPY_LEAVES = 262_144
"""From here on sorting without numpy takes longer than loading it."""
_FEATURES = b"watchword-data-features/1\n"
_LABEL = b"watchword-data-label/1\n"
_LEAF = b"\x00watchword-data-row/1\n"
_SET = b"watchword-data-set/1\n"


class DataError(WatchwordError):
    """Something about data that could not be read, compared or kept."""


class MissingExtra(DataError):
    """A package that only some formats and the screens need is not installed."""


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of *value*, whose objects are in member order and whose numbers came from `number`.

    Raises:
        UnicodeEncodeError: a string holds half of a surrogate pair.
    """
    return _encode(value)


def number(value: float) -> Any:
    """*value* (finite) as something that `canonical` spells by RFC 8785, section 3.2.2.3."""
    size = abs(value)
    if size <= JSON_INTEGER_MAX and value == math.floor(value):
        return int(value)
    if 1e-4 <= size < 1e15:
        return value
    return msgspec.Raw(rfc8785.dumps(value))


def member_order(name: str) -> bytes:
    """The sort key of member names: UTF-16 code units (RFC 8785, section 3.2.3)."""
    return name.encode("utf-16-be", "surrogatepass")


def features_digest(canonical_features: bytes) -> bytes:
    """32 bytes that stand for the features of a row."""
    return _sha256(_FEATURES + canonical_features).digest()


def label_digest(canonical_label: bytes) -> bytes:
    """32 bytes that stand for a label."""
    return _sha256(_LABEL + canonical_label).digest()


def canonical_lines(rows: Sequence[Any]) -> bytes:
    """The `canonical` bytes of each of *rows*, each followed by LF."""
    return _encoder.encode_lines(rows)


def hexes(digests: bytes, rows: slice) -> list[str]:
    """Digests of 32 bytes that lie side by side, those of *rows*, each in lower-case hex."""
    text = digests[rows.start * DIGEST_BYTES : rows.stop * DIGEST_BYTES].hex()
    return [text[at : at + 2 * DIGEST_BYTES] for at in range(0, len(text), 2 * DIGEST_BYTES)]


def leaf_hashes(lines: Iterable[bytes]) -> list[bytes]:
    """The leaf of each row line (without its LF), 32 bytes each."""
    return [_sha256(_LEAF + line).digest() for line in lines]


def set_digest(leaves: bytes) -> bytes:
    """The digest of the multiset of *leaves* (32 bytes each, side by side), 32 bytes."""
    digest = _sha256(_SET)
    digest.update(_ascending(leaves))
    return digest.digest()


def _ascending(leaves: bytes) -> bytes:
    if len(leaves) >= _NUMPY_LEAVES * DIGEST_BYTES:
        try:
            import numpy
        except ImportError:
            pass  # slower without it, and the same
        else:
            return numpy.sort(numpy.frombuffer(leaves, f"S{DIGEST_BYTES}")).tobytes()
    each = [leaves[at : at + DIGEST_BYTES] for at in range(0, len(leaves), DIGEST_BYTES)]
    each.sort()
    return b"".join(each)


class RowTree:
    """The right edge of a Merkle tree: takes leaves in order, holds log2(n) hashes (RFC 9162, section 2.1.1)."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add the next leaves (32 bytes each), whole subtrees of them at once where the tree stands at one's start."""
        place = 0
        while place < len(leaves):
            if self.size % _SUBTREE_LEAVES or len(leaves) - place < _SUBTREE_LEAVES:
                self._push(leaves[place], 1)
                place += 1
                continue
            level = leaves[place : place + _SUBTREE_LEAVES]
            while len(level) > 1:
                pairs = zip(level[::2], level[1::2], strict=True)
                level = [_sha256(b"\x01" + left + right).digest() for left, right in pairs]
            self._push(level[0], _SUBTREE_LEAVES)
            place += _SUBTREE_LEAVES

    def _push(self, node: bytes, leaves: int) -> None:
        """Add the root of a whole subtree of *leaves* leaves (a power of two that divides the size so far)."""
        self.size += leaves
        full = self.size // leaves
        while full & 1 == 0:
            node = _sha256(b"\x01" + self._edge.pop() + node).digest()
            full >>= 1
        self._edge.append(node)

    def root(self) -> bytes:
        """The root over all leaves so far, 32 bytes; of no leaves, SHA-256 of nothing."""
        if not self._edge:
            return _sha256().digest()
        root = self._edge[-1]
        for left in reversed(self._edge[:-1]):
            root = _sha256(b"\x01" + left + root).digest()
        return root

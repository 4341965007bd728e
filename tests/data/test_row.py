"""The bytes of a row: RFC 8785 to the letter, the tree of RFC 9162, digests that cannot stand in for each other."""

from __future__ import annotations

import hashlib
import json
import math
import sys
from pathlib import Path

import pytest
import rfc8785
from hypothesis import assume, given
from hypothesis import strategies as st

from watchword.data.delivery import Delivery, Roles, jsonl_rows
from watchword.data.row import (
    RowTree,
    canonical,
    canonical_lines,
    features_digest,
    label_digest,
    leaf_hashes,
    number,
    set_digest,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_is_spelled_as_rfc_8785_says(value: float) -> None:
    """Any finite double has the bytes that the RFC's reference algorithm gives it."""
    assert canonical(number(value)) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    ("bits", "spelled"),
    [
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
    ],
)
def test_numbers_of_rfc_8785_appendix_b(bits: str, spelled: str) -> None:
    """The RFC's own table of doubles."""
    import struct

    value = struct.unpack(">d", bytes.fromhex(bits))[0]
    assert canonical(number(value)).decode() == spelled


@given(st.dictionaries(TEXT, VALUES, min_size=1, max_size=5))
def test_a_json_row_has_the_bytes_of_rfc_8785(row: dict[str, object]) -> None:
    """Whatever a JSON lines row holds, its canonical bytes are those of an independent RFC 8785 implementation."""
    assume("$integer" not in str(row))
    assert _features_of_json(json.dumps(row)) == rfc8785.dumps(row)  # type: ignore[arg-type]
    assert _features_of_json(json.dumps(row, ensure_ascii=False)) == rfc8785.dumps(row)  # type: ignore[arg-type]


def _features_of_json(line: str) -> bytes:
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        file.write(line.encode() + b"\n")
        file.flush()
        with Delivery(Path(file.name)) as delivery:
            return next(jsonl_rows(delivery, Roles(None, None, None, None), {})).features


def test_members_sort_by_utf_16_and_not_by_code_point() -> None:
    """U+1F600 (surrogates D83D DE00) goes before U+FB33, though its code point is larger (RFC 8785, 3.2.3)."""
    assert _features_of_json('{"\ufb33": 1, "\U0001f600": 2}') == '{"\U0001f600":2,"\ufb33":1}'.encode()


@given(st.lists(st.tuples(*[st.none() | TEXT] * 5), max_size=3))
def test_row_lines_are_canonical_json(rows: list[tuple[str | None, ...]]) -> None:
    """Whatever the names, a row line is RFC 8785 and ends with LF."""
    assert canonical_lines(rows) == b"".join(rfc8785.dumps(list(row)) + b"\n" for row in rows)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 255, 256, 257, 515, 1030])
def test_the_root_is_the_merkle_tree_hash_of_rfc_9162(size: int) -> None:
    """The streaming tree has the root of the RFC's recursive definition."""
    leaves = [hashlib.sha256(n.to_bytes(2)).digest() for n in range(size)]

    def tree_hash(part: list[bytes]) -> bytes:
        if len(part) == 1:
            return part[0]
        split = 2 ** math.floor(math.log2(len(part) - 1))
        return hashlib.sha256(b"\x01" + tree_hash(part[:split]) + tree_hash(part[split:])).digest()

    tree = RowTree()
    tree.extend(leaves[:3])
    tree.extend(leaves[3:])
    assert (tree.root(), tree.size) == (tree_hash(leaves), size)


def test_one_text_as_features_label_and_leaf_has_three_digests() -> None:
    """Domains are apart: fails when a prefix is removed."""
    text = canonical({"a": "b"})
    assert len({features_digest(text), label_digest(text), leaf_hashes([text])[0], hashlib.sha256(text).digest()}) == 4


def test_the_documented_leaf_is_the_leaf_that_is_computed() -> None:
    """The definition in the module's docstring, spelled out with literals."""
    features = hashlib.sha256(b'watchword-data-features/1\n{"x":"1"}').hexdigest()
    label = hashlib.sha256(b'watchword-data-label/1\n"pdf"').hexdigest()
    line = f'["k","{features}","{label}",null,"a-07"]'.encode()
    made = ("k", features_digest(b'{"x":"1"}').hex(), label_digest(b'"pdf"').hex(), None, "a-07")
    assert canonical(made) == line
    assert leaf_hashes([canonical(made)])[0] == hashlib.sha256(b"\x00watchword-data-row/1\n" + line).digest()


def test_the_set_digest_ignores_order_and_keeps_copies() -> None:
    """A re-ordering keeps the set digest; one copy more changes it."""
    leaves = [hashlib.sha256(bytes([n])).digest() for n in range(5)]
    assert set_digest(b"".join(leaves)) == set_digest(b"".join(reversed(leaves)))
    assert set_digest(b"".join(leaves)) != set_digest(b"".join([*leaves, leaves[0]]))


def test_a_large_set_has_one_digest_with_numpy_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves that end in zeros, too, which numpy takes off its strings."""
    leaves = b"".join([hashlib.sha256(b"%d" % at).digest()[: 32 - at % 3] + bytes(at % 3) for at in range(2000)])
    plain = set_digest(leaves)
    monkeypatch.setattr("watchword.data.row._NUMPY_LEAVES", 1)
    assert set_digest(leaves) == plain
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert set_digest(leaves) == plain

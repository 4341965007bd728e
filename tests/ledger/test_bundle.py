"""Bundles as bytes: one encoding, bounded, refused whole."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from charters import signed
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.errors import WatchwordError
from watchword.ledger.bundle import BadBundle, Body, Bundle, Earlier, Inclusion, LedgerPart, encode, parse_bundle
from watchword.limits import BUNDLE_BYTES_MAX
from watchword.statements.canonical import canonical
from watchword.statements.digests import commitment

DIGEST = "sha256:" + "00" * 32
ENVELOPE = signed(
    "review", {"of": "legal", "outcome": "against", "text": "é", "report": None}, role="official"
).envelope


def bundle(**changes: Any) -> Bundle:
    given: dict[str, Any] = {
        "purpose": "exchange",
        "charter": DIGEST,
        "sender": "ALFA",
        "to": "BRAVO",
        "made": "2026-01-31T12:00:00Z",
        "ledgers": (
            LedgerPart(
                "alfa.example/ledger", b"note\n", (Earlier(b"old\n", (b"h" * 32,)),), 3, (b"\1" + b"c" * 32,),
                (Inclusion(2, b"\1" + b"d" * 32, (b"i" * 32, b"j" * 32)),),
            ),
            LedgerPart("bravo.example/ledger", b"note\n"),
        ),
        "bodies": (
            Body("envelope", b"s" * 32, ENVELOPE),
            Body("receipt", b"t" * 32, b'{"event":"held"}'),
            Body("content", b"u" * 32, b"\xff\0 any bytes"),
        ),
        "loose": (ENVELOPE,),
        "objects": ({"format": "watchword-use-case/1"}, {"format": "watchword-view/1", "heads": {}}),
        "decisions": (DIGEST,),
    }  # fmt: skip
    return Bundle(**(given | changes))


def test_a_bundle_reads_back_as_it_was_written() -> None:
    """Every field survives; bodies keep the bytes that their commitments are of."""
    data = encode(bundle())
    back = parse_bundle(data, "file")
    assert encode(back) == data
    assert {body.commitment for body in back.bodies} == {body.commitment for body in bundle().bodies}
    assert back.ledgers == bundle().ledgers
    assert back.loose == (ENVELOPE,)
    assert back.bodies[0].commitment == min(body.commitment for body in back.bodies)
    assert commitment(b"s" * 32, ENVELOPE) in {body.commitment for body in back.bodies}
    assert parse_bundle(data + b"\n", "file") == back


def test_order_is_part_of_the_encoding() -> None:
    """Bodies by commitment, ledgers by origin, objects by digest: any other order is refused."""
    for field in ("bodies", "ledgers", "objects"):
        value = json.loads(encode(bundle()))
        value[field].reverse()
        with pytest.raises(BadBundle, match="not the one encoding"):
            parse_bundle(canonical(value), "file")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format",), "watchword-bundle/2"),
        (("purpose",), "gift"),
        (("extra",), 1),
        (("ledgers", 0, "start"), -1),
        (("ledgers", 0, "start"), 1.5),
        (("ledgers", 0, "leaves", 0), "AQ"),
        (("ledgers", 0, "leaves", 0), "A" * 100_000),
        (("ledgers", 0, "proofs", 0, "path"), ["A" * 43 + "="] * 64),
        (("ledgers", 0, "proofs", 0, "path", 0), "AAAA"),
        (("bodies", 0, "salt"), "AAAA"),
        (("bodies", 0, "more"), 1),
        (("bodies", 0), {"salt": "A" * 43 + "="}),
        (("loose", 0, "signatures"), []),
        (("objects",), [1]),
        (("made",), "yesterday"),
        (("names",), "all"),
        (("alliance_secret",), "short"),
    ],
)
def test_another_form_is_refused_by_name(path: tuple[Any, ...], value: Any) -> None:
    """Unknown fields, wrong types, sizes out of bounds: an error that names the file."""
    whole = json.loads(encode(bundle()))
    inner = whole
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(BadBundle, match=r"^file\.json: "):
        parse_bundle(canonical(whole), "file.json")


def test_a_truncated_bundle_says_where_it_ends() -> None:
    """Cut at any byte: refused; the message tells how much there was."""
    data = encode(bundle())
    for length in range(0, len(data), 97):
        with pytest.raises(BadBundle, match=f"cut off after {length:,} bytes"):
            parse_bundle(data[:length], "file")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_changed_byte_gets_through_as_the_same(data: st.DataObject) -> None:
    """A byte replaced anywhere is refused with an error of ours, or is another bundle whose encoding it is."""
    whole = bytearray(encode(bundle()))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] = data.draw(st.integers(0, 255))
    try:
        back = parse_bundle(bytes(whole), "file")
    except WatchwordError:
        return
    assert encode(back) == bytes(whole).removesuffix(b"\n")


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 200_000,
        b'{"objects":[' + b'{"a":' * 100_000,
        b'{"ledgers":[' + b"[]," * 1_000_000,
        b'"' + b"a" * 5_000_000,
        b"\xff\xfe",
        b"null",
        b'{"format":"\\ud800"}',
        b'{"bodies":[' + b'{"salt":1},' * 300_000,
    ],
)
def test_hostile_bytes_cost_little(data: bytes) -> None:
    """Deep, wide, long, not text: refused within a second."""
    began = time.process_time()
    with pytest.raises(BadBundle):
        parse_bundle(data, "file")
    assert time.process_time() - began < 1


def test_a_bundle_past_the_limit_is_refused_unread() -> None:
    """One byte more than BUNDLE_BYTES_MAX is not parsed."""
    with pytest.raises(BadBundle, match="a bundle has at most"):
        parse_bundle(bytes(BUNDLE_BYTES_MAX + 1), "file")


def test_objects_nested_past_the_limit_are_refused() -> None:
    """Free-form objects keep the bounds of all JSON here."""
    deep: Any = 1
    for _ in range(70):
        deep = [deep]
    with pytest.raises(WatchwordError, match="nested"):
        parse_bundle(encode(bundle(objects=({"deep": deep},))), "file")


def test_a_bundle_of_another_version_is_refused_by_its_version() -> None:
    """Whoever gets one from a newer watchword is told so, not that it was changed. Seen to fail with the format looked
    at last: its encoding is not ours either."""
    value = json.loads(encode(bundle())) | {"format": "watchword-bundle/2"}
    with pytest.raises(BadBundle, match="file: format is 'watchword-bundle/2', this version reads 'watchword-bundle/1"):
        parse_bundle(canonical(value), "file")

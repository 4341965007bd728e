"""Canonical JSON in verify.py: one spelling for each value, and everything else refused."""

import contextlib
import json
import struct
import time

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text() | st.floats(-(2**53) + 1, 2**53 - 1)
)
VALUES = st.recursive(
    LEAVES, lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(), v, max_size=4), max_leaves=20
)


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_encodes_as_the_reference_library_does(verify, value):
    """Any value encodes to the bytes of the `rfc8785` package, and reads back to the same bytes."""
    data = verify.canonical(value)
    assert data == rfc8785.dumps(value)
    assert verify.canonical(parse(verify, data)) == data


def parse(verify, data):
    """As every caller does: under a name, where any trouble with the bytes becomes Refused."""
    with verify.naming("input"):
        return verify.parse_json(data)


# RFC 8785, appendix B: IEEE 754 bits and their text.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize(("bits", "text"), NUMBERS.items())
def test_floats_print_as_rfc_8785_lists_them(verify, bits, text):
    """Appendix B of the RFC, number by number."""
    assert verify.canonical(struct.unpack(">d", bytes.fromhex(bits))[0]).decode() == text


REFUSED = {
    "duplicate key": b'{"a":1,"a":1}',
    "white space": b'{"a": 1}',
    "trailing line": b"{}\n",
    "other key order": b'{"b":1,"a":1}',
    "code point order is not UTF-16 order": '{"\ufb33":1,"\U0001f600":2}'.encode(),
    "needless escape": b'{"a":"\\u0041"}',
    "lone surrogate": b'"\\ud800"',
    "lone surrogate in a key": b'{"\\udc00":1}',
    "NaN": b"NaN",
    "infinity": b"[Infinity]",
    "too big for a double": b"1e400",
    "2^53": b"9007199254740992",
    "minus zero": b"-0",
    "1.0": b"1.0",
    "exponent": b"1E2",
    "five thousand digits": b"9" * 5000,
    "not UTF-8": b'"\xff"',
    "UTF-8 mark": b"\xef\xbb\xbf{}",
    "nothing": b"",
    "two values": b"{}{}",
    "raw control character": b'"\x01"',
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_spellings_are_refused(verify, name):
    """A second spelling of one value would give one statement two digests; fails when re-encoding is not compared."""
    with pytest.raises(verify.Refused):
        parse(verify, REFUSED[name])


def test_depth_is_bounded_and_brackets_in_strings_do_not_count(verify):
    """64 levels are read, 65 and a million are refused; fails when the encoder does not count, or recursion escapes."""
    parse(verify, b"[" * 64 + b"]" * 64)
    parse(verify, b'{"a":' * 64 + b"1" + b"}" * 64)
    parse(verify, json.dumps("[" * 500).encode())
    for depth in (65, 900, 1_000_000):
        with pytest.raises(verify.Refused, match=r"deeper than 64|recursion"):
            parse(verify, b"[" * depth + b"]" * depth)


@pytest.mark.parametrize("data", [b'"' + b'\\"' * 500_000, b'"' * 500_001, b'"\\' * 300_000])
def test_hostile_quotes_cost_linear_time(verify, data):
    """A megabyte of quotes and backslashes is refused at once."""
    start = time.process_time()
    with pytest.raises(verify.Refused):
        parse(verify, data)
    assert time.process_time() - start < 2


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\u0123eE+-. ntf', max_size=40).map(str.encode))
def test_any_bytes_end_in_a_value_or_in_refused(verify, data):
    """No input raises anything but Refused."""
    with contextlib.suppress(verify.Refused):
        assert verify.canonical(parse(verify, data)) == data


@pytest.mark.parametrize("text", ["YQ", "YQ===", "YR==", "Y Q=", "YQ==\n", "YQ=-", "é", "=YQ=", "YQ==YQ=="])
def test_base64_has_one_spelling(verify, text):
    """Padding, alphabet and unused bits are fixed; fails when the re-encoding is not compared."""
    assert verify.decode_base64("YQ==") == b"a"
    with pytest.raises(ValueError):
        verify.decode_base64(text)

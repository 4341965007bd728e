"""One value, one encoding; and a parser that nothing gets past."""

from __future__ import annotations

import json
import math

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.limits import JSON_DEPTH_MAX, JSON_INTEGER_MAX
from watchword.statements.canonical import NotCanonical, canonical, parse_canonical, parse_json

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-JSON_INTEGER_MAX, JSON_INTEGER_MAX)
    | st.floats(-1e15, 1e15, allow_nan=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)


@given(VALUES)
@settings(max_examples=200, deadline=None)
def test_every_value_comes_back_from_its_one_encoding(value: object) -> None:
    """Encoding, parsing and encoding again give the same bytes."""
    data = canonical(value)
    assert canonical(parse_canonical(data, "value")) == data
    assert canonical(json.loads(data)) == data


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": 2}, b'{"a":2,"b":1}'),
        ({"€": 1, "\r": 2, "\ufb33": 3, "1": 4, "😀": 5, "\x80": 6, "ö": 7},
         '{"\\r":2,"1":4,"\x80":6,"ö":7,"€":1,"😀":5,"\ufb33":3}'.encode()),
        ([333333333.33333329, 1e30, 4.50, 2e-3, 1e-27], b"[333333333.3333333,1e+30,4.5,0.002,1e-27]"),
        ("\u20ac$\u000f\nA'B\"\\\\\"/", '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()),
    ],
)  # fmt: skip
def test_the_examples_of_rfc_8785_come_out_as_printed_there(value: object, text: bytes) -> None:
    """RFC 8785, sections 3.2.2, 3.2.3 and its number table."""
    assert canonical(value) == text


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"a":1,"a":1}', "twice"),
        (b'{"a":{"b":1,"b":2}}', "twice"),
        (b"NaN", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b'"\\ud800"', "surrogate"),
        (b'{"\\udfff":1}', "surrogate"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b'"\xff"', "not UTF-8 at byte 1"),
        (b"9007199254740992", "past"),
        (b"1" * 100_000, "past"),
        (b"{} {}", "Extra data"),
        (b"[" * (JSON_DEPTH_MAX + 1) + b"]" * (JSON_DEPTH_MAX + 1), "nested"),
        (b"[" * 200_000, "nested"),
        (b'{"a":' * 200_000, "nested"),
    ],
)
def test_what_two_parsers_could_read_differently_is_refused(data: bytes, why: str) -> None:
    """Duplicate keys, non-finite numbers, surrogates, large integers, deep nesting: refused, naming why."""
    with pytest.raises(NotCanonical, match=why):
        parse_json(data)


def test_brackets_inside_strings_do_not_count_as_nesting() -> None:
    """A text of brackets is a text."""
    assert parse_json(b'["[[[\\"[[[' + b"[" * 500 + b'"]')[0].count("[") == 506


@pytest.mark.parametrize("data", [b'{"a": 1}', b'{"b":1,"a":2}', b"1.0", b'"\\u0041"', b"[1]\n\n", b" []"])
def test_another_spelling_of_the_same_value_is_refused(data: bytes) -> None:
    """A container that is not its own canonical encoding has been touched."""
    parse_json(data)
    with pytest.raises(NotCanonical, match="not canonical"):
        parse_canonical(data, "container")


def test_one_final_line_feed_is_allowed_because_editors_add_it() -> None:
    """Files may end with one line feed more."""
    assert parse_canonical(b"[1]\n", "file") == [1]


@given(VALUES)
@settings(max_examples=300, deadline=None)
def test_two_writers_write_the_same(value: object) -> None:
    """What is plain is written by the standard library, the rest by another package, to the same bytes. Fails where
    names that are not of ASCII, floats or large integers are taken for plain."""
    assert canonical(value) == rfc8785.dumps(value)


def test_every_character_is_written_the_same_by_both() -> None:
    """Each escape, each control character, each character of the first plane, and one beyond."""
    for start in range(0, 0xD800, 256):
        text = "".join(map(chr, range(start, start + 256)))
        assert canonical({"text": [text, "\U0001f600"]}) == rfc8785.dumps({"text": [text, "\U0001f600"]})


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**53, {"a": b"x"}, "\ud800", {1: 2}])
def test_a_value_without_canonical_form_is_refused(value: object) -> None:
    """What another node could not read back is never written."""
    with pytest.raises(NotCanonical):
        canonical(value)


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_random_bytes_raise_nothing_but_the_parsers_own_error(data: bytes) -> None:
    """Any input ends in a value or in NotCanonical."""
    try:
        value = parse_json(data)
    except NotCanonical:
        return
    assert value == json.loads(data)

"""An action is exactly its canonical bytes, and what is shown of it hides nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.gate.action import BadAction, new_action, parse_action, render, shown
from watchword.limits import ACTION_BYTES_MAX
from watchword.statements.canonical import canonical
from watchword.statements.digests import D
from watchword.statements.times import FixedClock

CLOCK = FixedClock(datetime(2026, 1, 31, 12, tzinfo=UTC))
RELEASE = "sha256:" + "9c" * 32
VALUE = {
    "args": {"target": "tower-12", "azimuth_deg": -47.5},
    "asked": "2026-01-31T12:00:00Z",
    "format": "watchword-action/1",
    "nonce": "0" * 32,
    "release": RELEASE,
    "session": "s1",
    "tool": "slew-camera",
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc.é\n", max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def encoded(**changes: object) -> bytes:
    return json.dumps(VALUE | changes).encode()


def test_one_action_has_one_form_however_it_was_written() -> None:
    """Key order, spaces, escapes and 1.0 for 1 do not make another action; its digest is of the canonical bytes."""
    spaced = (
        '{"tool":"slew\\u002dcamera", "session":"s1","release":"RELEASE",\n"nonce":"NONCE","asked":'
        '"2026-01-31T12:00:00Z",'
        '"format":"watchword-action/1","args":{"target":"tower-12","azimuth_deg":-4.75e1}}\n'
    )
    data = spaced.replace("RELEASE", RELEASE).replace("NONCE", "0" * 32).encode()
    assert parse_action(data).bytes == parse_action(encoded()).bytes == canonical(VALUE)
    assert parse_action(data).digest == D(canonical(VALUE))


@pytest.mark.parametrize(
    "data",
    [
        encoded().replace(b'"s1"', b'"s1", "session": "s2"'),
        encoded().replace(b"-47.5", b"NaN"),
        encoded().replace(b"-47.5", b"-Infinity"),
        encoded().replace(b"-47.5", b"1e400"),
        encoded().replace(b"-47.5", b"9007199254740993"),
        encoded().replace(b"-47.5", b"1e16"),
        encoded().replace(b"s1", b"\\ud800"),
        encoded().replace(b"s1", b"\xff"),
        b"\xef\xbb\xbf" + encoded(),
        encoded() + b"{}",
        encoded().replace(b"-47.5", b"[" * 80 + b"]" * 80),
        encoded(args={"x": "y" * ACTION_BYTES_MAX}),
        encoded(more=1),
        encoded(nonce="0" * 31),
        encoded(nonce="A" * 32),
        encoded(release="9c" * 32),
        encoded(asked="2026-02-30T12:00:00Z"),
        encoded(asked="2026-01-31T12:00:00+00:00"),
        encoded(format="watchword-action/2"),
        encoded(tool=""),
        encoded(args=[]),
        b"[]",
        b"",
    ],
)
def test_what_two_readers_could_read_differently_is_refused(data: bytes) -> None:
    """Duplicate keys, numbers without one reading, text that is none, other fields: no action."""
    with pytest.raises(BadAction):
        parse_action(data)


def test_an_action_larger_than_its_limit_only_in_canonical_form_is_refused() -> None:
    """``5e-5`` is ``0.00005`` in RFC 8785: the limit holds for what is kept, not only for what came in."""
    for count, fits in ((8_000, True), (12_000, False)):
        data = encoded(args={"x": 5}).replace(b'"x": 5', b'"x": [%s5]' % (b"5e-5," * count))
        assert len(data) < ACTION_BYTES_MAX
        if fits:
            assert len(parse_action(data).bytes) > len(data)
        else:
            with pytest.raises(BadAction, match="limit"):
                parse_action(data)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=10), JSON, max_size=4))
@settings(max_examples=150, deadline=None)
def test_any_arguments_round_trip_or_are_refused(args: dict[str, object]) -> None:
    """Parsing an action's own bytes gives the same action; rendering takes one line per argument, all of it plain."""
    try:
        action = new_action("tool", args, RELEASE, "s", CLOCK)
    except BadAction:
        return
    assert parse_action(action.bytes) == action
    lines = render(action).split("\n")
    assert len(lines) == 3 + max(len(args), 1)
    assert all(" " <= c <= "~" or "À" <= c <= "ÿ" for line in lines for c in line)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("tower-12", "tower-12"),
        ("Müller", "Müller"),
        ("", '""'),
        (" a", '" a"'),
        ("a ", '"a "'),
        ("to\nwer", '"to\\nwer"'),
        ("t\u043ewer", '"t\\u{043e}wer"'),
        ("tower\u202e21-", '"tower\\u{202e}21-"'),
        ("u\u0308", '"u\\u{0308}"'),
        ("\u200b", '"\\u{200b}"'),
        ("\x1b[2J", '"\\u001b[2J"'),
        ("\x7f\x9b", '"\\u{007f}\\u{009b}"'),
        ("\U0001f600", '"\\u{1f600}"'),
        ('"', '"\\""'),
        ("null", "null"),
    ],
)
def test_what_could_be_mistaken_is_written_out(text: str, written: str) -> None:
    """Look-alike letters, marks that reorder, hidden characters and terminal controls are shown as escapes."""
    assert shown(text) == written


def test_a_text_and_a_number_do_not_look_alike() -> None:
    """Values are shown as JSON: the text "1" has quotes, the number has none; nothing is cut off."""
    action = new_action("t", {"a": "1", "b": 1, "c": None, "long": "x" * 50_000}, RELEASE, "s", CLOCK)
    lines = render(action).split("\n")[3:]
    assert lines[:3] == ['  a = "1"', "  b = 1", "  c = null"]
    assert lines[3] == f'  long = "{"x" * 50_000}"'


def test_the_same_effect_is_recognised_whoever_asks_again() -> None:
    """Two tries of one call differ in nonce, session and time, and share their effect; another argument does not."""
    one, two = (new_action("t", {"a": 1}, RELEASE, session, CLOCK) for session in ("s1", "s2"))
    assert one.digest != two.digest
    assert one.effect == two.effect != new_action("t", {"a": 2}, RELEASE, "s1", CLOCK).effect

"""A held action on its way to an approver: whole, unchanged, and with a word that proves it was read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from watchword.gate import BadAction, BadRequest, Request, approval_fields, parse_request
from watchword.gate.action import new_action
from watchword.gate.mandate import Approvals
from watchword.limits import ACTION_BYTES_MAX
from watchword.statements.canonical import canonical, parse_json
from watchword.statements.digests import D
from watchword.statements.times import FixedClock

CLOCK = FixedClock(datetime(2026, 1, 31, 12, tzinfo=UTC))
RELEASE = "sha256:" + "9c" * 32


def request(args: dict[str, Any], tool: str = "slew-camera") -> Request:
    needs = Approvals(count=2, distinct="operators", role="commander")
    action = new_action(tool, args, RELEASE, "s1", CLOCK)
    return Request(
        action, "ALFA", "7f3a7f3a", "sha256:" + "1" * 64, "border-watch", "human-before-slew", needs,
        "2026-01-31T12:00:00Z", "2026-01-31T12:05:00Z",
    )  # fmt: skip


def test_the_screen_says_everything_that_is_signed() -> None:
    """The text is fixed: another implementation can show the same, and the digest of it is in the approval."""
    one = request({"target": "tower-12", "azimuth_deg": -47.5})
    assert one.render() == (
        "HOLD 7f3a7f3a  at ALFA, mandate border-watch\n"
        "asked 2026-01-31T12:00:00Z, expires 2026-01-31T12:05:00Z\n"
        "tool      slew-camera\n"
        f"release   {RELEASE}\n"
        "session   s1, asked 2026-01-31T12:00:00Z\n"
        "  azimuth_deg = -47.5\n"
        '  target = "tower-12"\n'
        "held by   rule human-before-slew: asks for 2 people with the role commander, of 2 operators\n"
        f"to sign   exactly {len(one.action.bytes)} bytes, {one.action.digest}"
    )
    subject, fields = approval_fields(one, "commander", "approve")
    assert subject[0].digest == one.action.digest
    assert fields["preview"] == D(one.render().encode())
    assert fields["expires"] == one.expires


@pytest.mark.parametrize(
    ("args", "word"),
    [
        ({"a": "first", "target": "tower-12"}, "tower-12"),
        ({"a": 1, "b": "first", "c": "second"}, "first"),
        ({"target": 12}, "slew-camera"),
        ({"target": "t\u043ewer"}, "slew-camera"),
        ({"target": "x" * 65}, "slew-camera"),
        ({"target": ""}, "slew-camera"),
        ({}, "slew-camera"),
    ],
)
def test_the_word_to_type_comes_from_the_action(args: dict[str, Any], word: str) -> None:
    """What is pointed at, if it can be typed as it is shown; never a look-alike."""
    assert request(args).challenge == word


def test_a_tool_that_cannot_be_typed_leaves_the_digest() -> None:
    """There is always a word."""
    one = request({}, tool="\u200b")
    assert one.challenge == one.action.digest[7:15]


@pytest.mark.parametrize("unit", ["\x7f", "\u043e", "\U0001f600", "\\", '"', "x"])
def test_the_largest_action_reaches_its_approver_whole(unit: str) -> None:
    """However much space escaping takes, the file that a gate writes can be read."""
    count = ACTION_BYTES_MAX // len(canonical(unit)[1:-1]) - 300
    one = request({"body": unit * count})
    data = one.encode()
    assert parse_request(data + b"\n") == one


@pytest.mark.parametrize(
    "change",
    [
        {"hold": "00000000"}, {"gate": "BRAVO"}, {"rule": "r"}, {"mandate_name": "m"},
        {"expires": "2026-01-31T13:00:00Z"},
        {"asked": "2026-01-31T11:00:00Z"}, {"needs": {"count": 1, "distinct": "operators", "role": "commander"}},
        {"text": "HOLD"}, {"more": 1}, {"format": "watchword-hold-request/2"}, {"action": {}}, {"asked": "noon"},
    ],
)  # fmt: skip
def test_a_request_that_was_changed_on_the_way_is_refused(change: dict[str, Any]) -> None:
    """Every field that the screen shows is compared with the text that came along."""
    value = parse_json(request({"target": "tower-12"}).encode())
    with pytest.raises((BadRequest, BadAction)):
        parse_request(canonical(value | change))


def test_the_mandate_is_bound_by_the_gate_not_by_the_screen() -> None:
    """Its id is not shown; an approval names it, and the gate compares it (I4)."""
    one = request({"target": "tower-12"})
    other = replace(one, mandate="sha256:" + "2" * 64)
    assert approval_fields(one, "p", "approve")[1] != approval_fields(other, "p", "approve")[1]

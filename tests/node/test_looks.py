"""The record of looks: a chain whose head stands in the shared ledger, so that nothing of it is changed or cut away."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from alliance import Alliance
from hypothesis import given, settings
from hypothesis import strategies as st
from three import alliance as alliance
from three import template as template

from watchword.ledger.merkle import leaf_hash, root_of
from watchword.node import Node
from watchword.node.looks import Looks, Waiting, anchor, waiting
from watchword.statements.canonical import canonical
from watchword.statements.digests import unb64


def look(here: Node, page: str) -> None:
    Looks(here).add({"how": "passkey", "member": "ALFA", "page": page, "person": "official"})


def file_of(here: Node) -> Path:
    return here.home / "looks" / "000001.jsonl"


def chained(lines: list[bytes]) -> bytes:
    """*lines* with a chain made anew, as whoever writes the file could make it."""
    before, made = "sha256:" + "00" * 32, []
    for line in lines:
        made.append(canonical(json.loads(line) | {"before": before}))
        before = f"sha256:{sha256(made[-1]).hexdigest()}"
    return b"".join(one + b"\n" for one in made)


@pytest.fixture
def here(alliance: Alliance) -> Node:
    node = alliance.nodes["ALFA"]
    for number in range(5):
        look(node, f"/console/{number}")
    return node


def test_what_was_anchored_is_one_of_these_looks(here: Node) -> None:
    """The root is that of RFC 9162 over the lines; nothing new, no new head; it is for own eyes."""
    recorded = anchor(here)
    assert recorded is not None and anchor(here) is None
    said = here.locate(recorded.locator).signed.statement
    lines = file_of(here).read_bytes().splitlines()
    assert said.kind == "record-head" and said.predicate["origin"] == "alfa.example/record/looks"
    assert (said.predicate["size"], said.predicate["scope"]) == (5, "own")
    assert unb64(said.predicate["root"]) == root_of([leaf_hash(one) for one in lines])
    look(here, "/console/5")
    found = Looks(here).check()
    assert (found.count, found.anchored, found.at, found.wrong) == (6, 5, recorded.locator, ())


def test_the_record_of_the_gate_is_anchored_beside_it(here: Node) -> None:
    """One anchor is not taken for the other's. Seen to fail with the newest ``record-head`` of any origin."""
    assert here.anchor_record() is None
    looks = [one.statement.predicate["origin"] for one in here.statements() if one.statement.kind == "record-head"]
    assert looks == ["alfa.example/record/looks"]
    here.append_record([{"none": 1}])
    assert here.anchor_record() is not None
    assert here.anchor_record() is None
    assert Looks(here).check().wrong == ()


@pytest.mark.parametrize("how", ["changed", "cut", "taken out", "all gone", "in another order"])
def test_a_chain_made_anew_is_not_what_was_anchored(here: Node, how: str) -> None:
    """Whoever can write the file can make the chain hold, and is found out by the head in the ledger.

    Seen to fail without the comparison of roots, and without what is left of the anchors.
    """
    recorded = anchor(here)
    assert recorded is not None
    file = file_of(here)
    lines = file.read_bytes().splitlines()
    if how == "changed":
        lines[2] = lines[2].replace(b"official", b"somebody")
    elif how == "cut":
        lines = lines[:-1]
    elif how == "taken out":
        lines = [*lines[:1], *lines[2:], lines[0]]
    elif how == "in another order":
        lines.reverse()
    else:
        lines = []
    file.write_bytes(chained(lines))
    found = Looks(here).check()
    assert Looks(here).broken() is None
    assert len(found.wrong) == 1 and recorded.locator in found.wrong[0]


def test_a_line_cut_off_while_written_is_of_a_page_never_sent(here: Node) -> None:
    """The next look takes its place, and the chain holds. Seen to fail without ``_cut``."""
    assert anchor(here) is not None
    with file_of(here).open("ab") as file:
        file.write(b'{"at":"2026-01-31T12:00:00Z","before":"sha')
    assert Looks(here).check().wrong == () and Looks(here).check().count == 5
    look(here, "/console/next")
    found = Looks(here).check()
    assert (found.count, found.wrong) == (6, ()) and Looks(here).newest(1)[0]["page"] == "/console/next"


def test_what_was_not_anchored_can_be_made_anew(here: Node) -> None:
    """Said as a limit, and shown: after the last head only the chain protects."""
    assert anchor(here) is not None
    look(here, "/console/late")
    lines = file_of(here).read_bytes().splitlines()
    file_of(here).write_bytes(chained(lines[:-1]))
    assert Looks(here).check().wrong == ()


@settings(max_examples=40)
@given(st.binary(max_size=300), st.integers(0, 2_000))
def test_any_bytes_in_the_file_are_found_and_stop_nothing(here: Node, data: bytes, at: int) -> None:
    """Garbage in the middle: named, never an error; the newest looks that can be read are listed."""
    file = file_of(here)
    anchor(here)
    whole = file.read_bytes()
    at = min(at, len(whole))
    file.write_bytes(whole[:at] + data + whole[at:])
    try:
        found = Looks(here).check()
        assert found.wrong or not data or (at == len(whole) and b"\n" not in data)
        Looks(here).newest(10)
    finally:
        file.write_bytes(whole)


def test_the_command_says_what_is_wrong_and_exits_one(here: Node, capsys: pytest.CaptureFixture[str]) -> None:
    """Verdict first, then each head that does not fit; 0 where all is well."""
    from argparse import Namespace

    from watchword.cli import looks

    args = Namespace(home=here.home, format="text")
    recorded = anchor(here)
    here.publish()
    assert recorded is not None and looks.check(args) == 0
    file_of(here).write_bytes(b"".join(file_of(here).read_bytes().splitlines(keepends=True)[:3]))
    assert looks.check(args) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"5 looks, 5 of them anchored at {recorded.locator}: nothing was changed or cut away",
        f"3 looks, 5 of them anchored at {recorded.locator}: 1 wrong",
        f"  wrong  {recorded.locator} anchors 5 looks, 3 are here: cut away",
    ]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda lines: [*lines[:2], lines[2].replace(b"/console/2", b"/console/x"), *lines[3:]], 4),
        (lambda lines: [*lines[:1], *lines[2:]], 2),
        (lambda lines: [lines[1], lines[0], *lines[2:]], 1),
        (lambda lines: [*lines[:4], b"{}", *lines[4:]], 5),
        (lambda lines: lines[1:], 1),
    ],
    ids=["changed", "taken out", "in another order", "put in", "the first one gone"],
)
def test_before_any_head_the_chain_names_the_first_line_that_does_not_follow(
    here: Node, change: Callable[[list[bytes]], list[bytes]], place: int
) -> None:
    """Whoever only edits the file is found out at once. Fails when a line is not compared with the one before it."""
    assert Looks(here).broken() is None
    file = file_of(here)
    file.write_bytes(b"".join(line + b"\n" for line in change(file.read_bytes().splitlines())))
    assert Looks(here).broken() == f"000001.jsonl:{place}"
    assert Looks(here).check().wrong == (f"000001.jsonl:{place}: not what followed the line before it",)


def test_the_newest_looks_are_as_many_as_were_asked_for(here: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over several files, newest first, the chain through all of them."""
    monkeypatch.setattr("watchword.node.looks.LOOKS_BYTES_MAX", 1)
    for number in range(5, 8):
        here.clock.advance(60)
        look(here, f"/console/{number}")
    assert len(list(file_of(here).parent.iterdir())) == 4
    pages = [f"/console/{number}" for number in range(7, -1, -1)]
    for count in (1, 2, 3, 4, 8, 20):
        assert [one["page"] for one in Looks(here).newest(count)] == pages[:count]
    assert Looks(here).broken() is None
    times = [one["at"] for one in reversed(Looks(here).newest(8))]
    assert times[4] < times[5] < times[6] < times[7]
    for size, oldest in ((4, times[4]), (5, times[5]), (7, times[7]), (8, None), (9, None)):
        assert Looks(here).after(size) == Waiting(max(8 - size, 0), oldest)


def test_where_nobody_looked_nothing_is_anchored(alliance: Alliance) -> None:
    """No head of nothing stands in the ledger; it would say that somebody had looked."""
    node = alliance.nodes["BRAVO"]
    before = len(list(node.statements()))
    assert anchor(node) is None and waiting(node) == Waiting(0, None)
    node.home.joinpath("looks").mkdir(mode=0o700)
    node.home.joinpath("looks", "000001.jsonl").touch()
    assert anchor(node) is None and len(list(node.statements())) == before

"""A node's next start believes what was opened and verified before, as far as it is the same bytes, and no further."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from alliance import NOON, RELEASE, Alliance, inspection
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.errors import WatchwordError
from watchword.ledger.bodies import DamagedBody
from watchword.ledger.lying import Lying
from watchword.ledger.verified import FORM
from watchword.node import Node, store
from watchword.policy.fitting import plausible
from watchword.statements.keys import generate
from watchword.statements.kinds import KINDS
from watchword.statements.statement import Signed, make, open_envelope, reopen, sign

KEY = generate(65)


@pytest.fixture
def home(alliance: Alliance) -> Path:
    """BRAVO's, that holds three inspections by ALFA and one by itself, all cosigned; every node is closed."""
    for number in range(3):
        alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection(tool=f"tool {number}"))
    alliance.nodes["BRAVO"].sign_and_append("inspection", (RELEASE,), inspection(tool="own"))
    for _ in range(2):
        alliance.nodes["ALFA"].publish()
        alliance.nodes["BRAVO"].publish()
        alliance.sync()
    alliance.close()
    return alliance.home("BRAVO")


def opened(home: Path, alliance: Alliance) -> Node:
    return Node.open(home, clock=alliance.clock)


def told(here: Node) -> list[tuple[object, ...]]:
    """All of a node's facts that a decision looks at."""
    facts = here.facts(here.latest_view())
    said = [(fact.signed, fact.holder, fact.origin, fact.index) for fact in facts.statements]
    return [*said, facts.notices, facts.loose, facts.unheld]


def body_of(home: Path, here: Node) -> Path:
    """The file of the first statement that *here* holds."""
    origin, index, _ = next(here.store.statements())
    return home / "bodies" / "sha256" / here.store.leaves(origin)[index].commitment.hex()


def flip(path: Path) -> None:
    """Change one bit of a file's end, and nothing that ``stat`` shows to whoever does not look at ctime."""
    was, data = path.stat(), bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert (path.stat().st_mtime_ns, path.stat().st_size) == (was.st_mtime_ns, was.st_size)


def test_a_second_start_opens_nothing_anew(home: Path, alliance: Alliance, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came, and what was said here, was verified when it came: no envelope is opened, no signature verified."""
    with opened(home, alliance) as here:
        monkeypatch.setattr(store, "open_envelope", None)
        monkeypatch.setattr("watchword.charter.standing.verify", None)
        assert len(told(here)) == 7 and all(isinstance(one, Lying) for one in here.statements())


def test_a_start_that_remembers_knows_what_one_that_does_not_knows(home: Path, alliance: Alliance) -> None:
    """Equal facts, to the envelope; with the memory lost, of another version, or with bytes of chance in it."""
    with opened(home, alliance) as here:
        whole = told(here)
    for memory in (b"", bytes(32) + (home / "verified").read_bytes()[32:], FORM + os.urandom(99)):
        (home / "verified").write_bytes(memory)
        with opened(home, alliance) as here:
            assert told(here) == whole
            assert [one.signature for one in here.statements()] == [one[0].signature for one in whole[:4]]  # type: ignore[attr-defined]


@pytest.mark.parametrize("remembers", [True, False])
def test_a_body_that_was_changed_since_is_no_evidence(home: Path, alliance: Alliance, remembers: bool) -> None:
    """With its size and time as they were: nothing is decided, and the file is named.

    Seen to fail (remembering) with a body that is read without ``Bodies.get``, which compares it with its commitment.
    """
    with opened(home, alliance) as here:
        path = body_of(home, here)
    flip(path)
    if not remembers:
        (home / "verified").unlink()
    with opened(home, alliance) as here, pytest.raises(DamagedBody, match=path.name):
        told(here)


def test_a_body_that_is_changed_while_a_node_serves_is_never_handed_on(home: Path, alliance: Alliance) -> None:
    """Its facts stay those that were verified; whoever asks for the envelope is refused by name, until it is back."""
    with opened(home, alliance) as here:
        before, path = here.facts(here.latest_view()).statements[0], body_of(home, here)
        envelope, whole = before.signed.envelope, path.read_bytes()
        flip(path)
        assert here.facts(here.latest_view()).statements[0] is before
        for ask in (lambda: before.signed.envelope, lambda: before.signed.signature):
            with pytest.raises(DamagedBody, match=path.name):
                ask()
        path.unlink()
        with pytest.raises(DamagedBody, match="gone since it was read"):
            _ = before.signed.envelope
        path.write_bytes(whole)
        assert before.signed.envelope == envelope


def test_who_may_say_it_is_asked_at_every_start(home: Path, alliance: Alliance) -> None:
    """The memory knows signatures, and not standing: under another charter what stood is asked anew.

    Seen to fail with a holder that is taken from the memory.
    """
    with opened(home, alliance) as here:
        standing = here.charter.standing
        held = [one for _, _, one in here.store.statements()]
        assert all(one.holder is not None for one in held)
    with opened(home, alliance) as here:
        here.charter = here.store.charter = replace(here.charter, standing={**standing, "inspection": ["official"]})
        assert [one.holder for _, _, one in here.store.statements()] == [None] * 4


def test_what_never_had_standing_is_opened_strictly_each_time(home: Path, alliance: Alliance) -> None:
    """A statement by nobody of the charter, put into a ledger, is not in the memory, and counts for nothing."""
    with Node.open(home, clock=alliance.clock, writing=True) as here:
        said = make("inspection", (RELEASE,), inspection(), issuer="BRAVO", made=NOON)
        commitment = here.bodies.put(sign(said, KEY))
        held = here.store.held(commitment)
        assert held is not None and held.holder is None and type(held.signed) is Signed
    assert commitment not in (home / "verified").read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read_again_as_it_was_opened(kind: str) -> None:
    """The quick reading equals the strict one, whatever the kind."""
    envelope = sign(make(kind, (RELEASE,), plausible(kind), issuer="ALFA", made=NOON), KEY)
    signed = open_envelope(envelope)
    assert reopen(envelope) == (signed.statement, signed.key_id)
    assert reopen(envelope)[0].body == signed.statement.body


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(min_size=1, max_size=40), st.integers(0, 2**53 - 1))
def test_any_text_and_number_is_read_again_as_it_was_opened(text: str, name: str, number: int) -> None:
    """Control characters, all planes of Unicode, the largest number: two parsers, one value."""
    try:
        fields = plausible("inspection") | {"tool": {"name": name, "version": text, "rules": text}, "files": number}
        envelope = sign(make("inspection", (replace(RELEASE, name=name),), fields, issuer="ALFA", made=NOON), KEY)
    except WatchwordError:
        return
    signed = open_envelope(envelope)
    assert reopen(envelope) == (signed.statement, signed.key_id)

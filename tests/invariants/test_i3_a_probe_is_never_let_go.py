"""I3 for vigilance probes: however the process dies between an approval and a release, a probe is never let go.

A probe that its approver falls for is approved, released and asked for again in a child that breaks at each thing that
it asks of the disk; what is left is opened by another process, which tries the same.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from alliance import RELEASE
from gate.gated import ALONE, FAST, Gated, gated
from gate.lives import Told, life
from ledger.faults import Disk

from watchword.errors import WatchwordError
from watchword.gate import Answer, Gate, NoSuchHold, parse_request
from watchword.gate.probing import Probing

FAULTS = ("torn", "power", "full")
BAD = {"target": "tower-13", "azimuth_deg": 180}


@pytest.fixture(scope="module")
def prepared() -> Iterator[tuple[Gated, str, bytes, bytes]]:
    """A node with a probe that waits: the hold, its approval by the only commander, and the probe's bytes; closed."""
    with tempfile.TemporaryDirectory(prefix="watchword-probe-", dir=FAST) as folder:
        one = gated(Path(folder), ALONE)
        mandate = one.new_mandate(probes={"caught_min": "0.9", "per_1000": 200}, view_max_age_s=10**6)
        alfa = one.at("ALFA")
        probes = [{"tool": "slew-camera", "args": BAD, "why": "a school", "screen": []}]
        plan = {
            "format": "watchword-probe-plan/1", "key": "5a" * 32, "mandate": mandate, "per_1000": 200, "probes": probes,
        }  # fmt: skip
        digest = alfa.keep_object(plan)
        alfa.sign_and_append("probe-plan", (RELEASE,), {"mandate": mandate, "plan": digest}, person="official")
        one.clock.advance(5)
        one.exchange()
        for _ in range(80):
            real = one.held()
            one.clock.advance(290)
            one.ask()
            found = [hold for hold in one.gate.holds() if hold.id != real]
            if found:
                break
            one.clock.advance(20)
        hold = found[0].id
        data = parse_request(one.gate.hold_request(hold)).action.bytes
        approval = one.approval(hold, "ALFA")
        one.close()
        yield one, hold, approval, data


def live(gate: Gate, hold: str, approval: bytes, data: bytes, told: Told) -> None:
    """Approve it, release it, and ask for its bytes; whatever is not refused is told."""
    for step in (lambda: gate.approve(approval), lambda: gate.release(hold), lambda: gate.ask(data)):
        with suppress(WatchwordError):
            told(step())


def lived(prepared: tuple[Gated, str, bytes, bytes], folder: Path, fault: str, breaks_at: int) -> int:
    """One life that breaks at call *breaks_at*, and another after it; how many calls the first made."""
    before, hold, approval, data = prepared

    def tries(one: Gated, told: Told) -> None:
        live(one.gate, hold, approval, data, told)

    def released(answer: Answer) -> None:
        assert answer.action_bytes is None, "a probe was let go"

    left, effects, calls = life(before, folder, lambda: Disk(folder, fault, breaks_at, ""), tries)
    tries(left, released)
    assert effects.read_bytes() == b"", "a probe was let go"
    gone = {"permitted", "released"}
    assert [r for r in left.receipts() if r["event"] in gone and r["body"]["args"] == BAD] == []
    with pytest.raises(NoSuchHold, match="was revealed"):
        left.gate.release(hold)
    assert left.ask().verdict == "permit", "the gate goes on"
    left.close()
    return calls


@pytest.mark.parametrize("fault", FAULTS)
def test_a_probe_is_let_go_at_no_fault_point(prepared: tuple[Gated, str, bytes, bytes], fault: str, capfd) -> None:  # type: ignore[no-untyped-def]
    """Killed, cut off, or out of space at each write, sync and rename: no effect, no receipt that lets it go."""
    with tempfile.TemporaryDirectory(prefix="watchword-probe-", dir=FAST) as folder:
        total = lived(prepared, Path(folder) / "life", fault, -1)
        assert total > 5
        for number in range(total):
            lived(prepared, Path(folder) / "life", fault, number)
    with capfd.disabled():
        print(f"\n  I3, probes, {fault}: never let go, at each of {total} fault points", file=sys.stderr)


def test_without_the_look_at_its_bytes_it_would_go(
    prepared: tuple[Gated, str, bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check sees what it is for: with the form not looked at, and the probe not told, the approver's slip goes."""
    monkeypatch.setattr(Probing, "check", lambda *_: None)
    monkeypatch.setattr(Probing, "over", lambda *_: iter(()))
    with (
        tempfile.TemporaryDirectory(prefix="watchword-probe-", dir=FAST) as folder,
        pytest.raises(AssertionError, match="a probe was let go"),
    ):
        lived(prepared, Path(folder) / "life", "torn", -1)

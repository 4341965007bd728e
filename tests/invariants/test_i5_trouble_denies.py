"""I5: policy error, missing evidence, clock or storage trouble: deny, and say why. On a stale view, what the mandate's
signer chose beforehand, and never more. (A disk that fails is broken at every call by I3.)"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gate.gated import SLEW, Gated

from watchword.errors import WatchwordError
from watchword.gate import DoesNotCount, NoSuchHold


@pytest.fixture
def here(alone: Gated) -> Gated:
    """One member is enough for all of this."""
    return alone


# -- the view -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age_s", "read", "label", "slew"),
    [
        (3_599, "permit", "permit", "hold"),
        (3_600, "permit", "deny", "deny"),
        (4_199, "permit", "deny", "deny"),
        (4_200, "deny", "deny", "deny"),
        (10**6, "deny", "deny", "deny"),
    ],
)
def test_a_stale_view_leaves_what_the_signer_chose_and_never_more(
    here: Gated, age_s: int, read: str, label: str, slew: str
) -> None:
    """Fresh for 3,600 s; then one rule for 600 s more; then nothing. Fails when any of the three bounds is removed."""
    mandate = here.new_mandate(valid_until="2027-01-31T12:00:00Z")
    here.clock.advance(age_s)
    asked = (("read-mail", {"folder": "inbox"}), ("label-mail", {"label": "a"}), ("slew-camera", SLEW))
    assert [here.ask(tool, args, mandate_id=mandate).verdict for tool, args in asked] == [read, label, slew]


def test_a_mandate_may_choose_to_deny_on_a_stale_view(here: Gated) -> None:
    """Then a stale view lets nothing through, and the reason names the ledger and its age."""
    here.clock.advance(1)
    mandate = here.new_mandate(stale="deny", view_max_age_s=60)
    here.clock.advance(60)
    answer = here.ask(mandate_id=mandate)
    assert answer.verdict == "deny"
    assert answer.reasons == ("alfa.example/ledger was last heard 60 s ago, limit 60; exchange with its owner",)


def test_a_stale_view_also_stops_a_release(here: Gated) -> None:
    """A hold asked for on a fresh view is not released on a stale one, however many approved."""
    mandate = here.new_mandate(view_max_age_s=120)
    hold = str(here.ask("slew-camera", SLEW, mandate_id=mandate).hold)
    here.approve(hold, "ALFA")
    here.clock.advance(121)
    assert "last heard" in here.gate.release(hold).reasons[0]
    here.exchange()
    assert here.gate.release(hold).verdict == "permit"


def test_a_ledger_without_a_cosigned_head_denies(here: Gated) -> None:
    """Its age is not known, so it is not young."""
    for path in (here.folder / "ALFA" / "cosigned").iterdir():
        if b'"origin":"alfa.example/notices"' in path.read_bytes():
            path.unlink()
    assert "alfa.example/notices has no cosigned head" in here.ask().reasons[0]


# -- clocks ---------------------------------------------------------------------------------------


def test_a_clock_that_goes_back_before_the_record_denies(here: Gated) -> None:
    """In this process and after a restart; once it is right again, the gate works."""
    here.ask()
    action = here.action().bytes
    here.clock.jump(-1)
    assert "1 s before the last receipt" in here.gate.ask(action).reasons[0]
    assert "1 s before the last receipt" in here.reopen().ask(action).reasons[0]
    here.clock.jump(1)
    assert here.gate.ask(action).verdict == "permit"


@pytest.mark.parametrize("jump_s", [61, -61])
def test_a_clock_that_jumps_while_the_gate_runs_denies(here: Gated, jump_s: int) -> None:
    """Wall clock and monotonic clock part by more than a minute: denied until somebody opens the gate again."""
    here.clock.jump(jump_s)
    assert f"jumped by {jump_s} s" in here.ask().reasons[0]
    here.clock.jump(-jump_s)
    assert here.ask().verdict == "permit"


def test_no_approval_is_taken_on_a_clock_that_jumped(here: Gated) -> None:
    """Expiry cannot be judged then."""
    hold = here.held()
    envelope = here.approval(hold, "ALFA")
    here.clock.jump(-100)
    with pytest.raises(DoesNotCount, match="clock"):
        here.gate.approve(envelope)
    assert here.gate.release(hold).verdict == "deny"


def test_a_clock_behind_the_cosigned_heads_denies(here: Gated) -> None:
    """Heads from the future do not count, and without them nothing is in the view: one of the clocks is wrong."""
    here.clock.advance(1_000)
    here.exchange()
    here.clock.jump(-301)
    assert "is in the view" in here.reopen().ask(here.action().bytes).reasons[0]
    here.clock.jump(1)
    assert here.reopen().ask(here.action().bytes).verdict == "permit"


def test_an_action_from_the_future_is_denied(here: Gated) -> None:
    """Its asker's clock is wrong, or it was made in advance."""
    here.clock.jump(301)
    action = here.action().bytes
    here.clock.jump(-301)
    assert "one of the clocks is wrong" in here.gate.ask(action).reasons[0]


def test_a_denial_dated_ahead_does_not_close_the_gate_for_years(here: Gated) -> None:
    """What a wrong clock denied, ended or stopped is no measure of time."""
    hold = here.held()
    here.clock.jump(10**8)
    assert here.reopen().ask(here.action().bytes).verdict == "deny"
    here.clock.jump(-(10**8))
    assert here.reopen().ask(here.action().bytes).verdict == "permit"
    with pytest.raises(NoSuchHold, match="expired"):
        here.gate.release(hold)


# -- evidence and errors --------------------------------------------------------------------------


def body_of(here: Gated, kind: str) -> Path:
    """The file in which ALFA keeps the body of its one statement of *kind*."""
    alfa = here.at("ALFA")
    for leaf in alfa.store.leaves("alfa.example/ledger"):
        held = alfa.store.held(leaf.commitment)
        if held is not None and held.signed.statement.kind == kind:
            return here.folder / "ALFA" / "bodies" / "sha256" / leaf.commitment.hex()
    raise LookupError(kind)


@pytest.mark.parametrize(
    ("kind", "words"), [("claim", "not held here"), ("decision", "not in the view"), ("mandate", "no mandate")]
)
def test_evidence_that_is_gone_denies(here: Gated, kind: str, words: str) -> None:
    """Withholding a body never helps: without it, the names of bad news are not known (I2)."""
    assert here.ask().verdict == "permit"
    body_of(here, kind).unlink()
    here.reopen()
    answer = here.ask()
    assert answer.verdict == "deny"
    assert words in answer.reasons[0]


@pytest.mark.parametrize("kind", ["claim", "decision", "mandate"])
def test_evidence_that_is_damaged_denies(here: Gated, kind: str) -> None:
    """One flipped bit in a body: denied by name of the file, and in no process is it believed."""
    path = body_of(here, kind)
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    answer = here.reopen().ask(here.action().bytes)
    assert answer.verdict == "deny"
    assert "does not match its commitment" in answer.reasons[0]


@pytest.mark.parametrize(
    "where", ["weighing.covering_rule", "weighing.against", "weighing.against_view", "knowing.stop_of"]
)
def test_an_error_in_deciding_denies(here: Gated, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Whatever part of the decision fails, nothing goes, and the record says why."""
    here.gate.stop(here.sign("ALFA", "stop", *stop_of_other(), "official"))

    def broken(*_: Any, **__: Any) -> Any:
        raise WatchwordError("the policy could not be read", "repair it")

    monkeypatch.setattr(f"watchword.gate.{where}", broken)
    answer = here.reopen().ask(here.action().bytes)
    assert (answer.verdict, answer.action_bytes) == ("deny", None)
    assert answer.reasons == ("the policy could not be read", "repair it")
    assert here.events()[-1] == "denied"


def stop_of_other() -> tuple[Any, Any]:
    from watchword.statements.statement import Subject

    return (Subject("x", "sha256:" + "77" * 32),), {"reason": "another release"}


def test_a_defect_lets_nothing_go(here: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception nobody foresaw is not an answer: no receipt, no bytes, and the gate goes on afterwards."""

    def defective(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as patched, pytest.raises(ZeroDivisionError):
        patched.setattr("watchword.gate.weighing.covering_rule", defective)
        here.ask()
    assert here.events() == []
    assert here.ask().verdict == "permit"


def test_a_record_that_lost_a_receipt_opens_no_gate(here: Gated) -> None:
    """Without it, a used approval could be used again. Fails when the record is not compared with its receipts."""
    here.ask()
    alfa = here.at("ALFA")
    assert len(alfa.store.leaves("alfa.example/record")) == 1
    with (here.folder / "ALFA" / "receipts").open("r+b") as file:
        file.truncate(file.seek(0, 2) - 1)
    with pytest.raises(WatchwordError, match="receipt 0 is gone"):
        here.reopen()

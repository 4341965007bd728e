"""A gate's receipts in a proof: a dishonest member's record is caught by the package and by verify.py alike."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gate.gated import CARDS, SLEW, Gated

from watchword.account.proof import verify
from watchword.gate.receipts import BadReceipt, check_receipts, parse_receipt
from watchword.ledger.proof import NotProven
from watchword.node import CannotProve
from watchword.statements.canonical import canonical

VERIFY = Path(__file__).resolve().parents[2] / "verify.py"
Value = dict[str, Any]


def proof_of(here: Gated) -> bytes:
    """ALFA's record, anchored and cosigned, in a proof of the admission."""
    alfa = here.at("ALFA")
    alfa.anchor_record()
    here.exchange()
    decision = next(
        f.signed for f in alfa.facts(alfa.latest_view()).statements if f.signed.statement.kind == "decision"
    )
    return alfa.make_proof([decision.statement.id], include_record=True)


def judged(here: Gated, data: bytes, tmp_path: Path) -> tuple[str, str]:
    """What the package and verify.py say of a proof: empty for nothing wrong, else the reason."""
    try:
        verify(here.at("ALFA").charter_file, data, here.clock.now())
        ours = ""
    except NotProven as error:
        ours = error.message
    charter, bundle = tmp_path / "charter.json", tmp_path / "proof.json"
    charter.write_bytes(here.at("ALFA").charter_file.encode() + b"\n")
    bundle.write_bytes(data + b"\n")
    at = here.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    done = subprocess.run(
        [sys.executable, str(VERIFY), "--at", at, str(charter), str(bundle)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return ours, "" if done.returncode == 0 else done.stdout


def released(here: Gated) -> Value:
    """A hold that was approved by two and released; its last receipt."""
    hold = here.held()
    here.approve(hold, "BRAVO", "CHARLIE")
    assert here.gate.release(hold).verdict == "permit"
    return here.receipts()[-1]


def test_an_honest_record_is_proven_by_both_verifiers(here: Gated, tmp_path: Path) -> None:
    """Permitted, denied, held, refused and released: every step holds, and who approved is told."""
    here.ask()
    here.ask("send-mail", {})
    here.gate.approve(here.approval(here.held(), "BRAVO", "refuse"))
    released(here)
    data = proof_of(here)
    assert judged(here, data, tmp_path) == ("", "")
    checked = verify(here.at("ALFA").charter_file, data, here.clock.now()).receipts
    assert [one.receipt.event for one in checked.releases] == ["permitted", "released"]
    assert checked.releases[1].approved_by == ("commander of BRAVO", "commander of CHARLIE")
    assert dict(checked.anchored) == {"alfa.example/record": len(here.receipts())}


def test_a_release_by_devices_is_proven_offline(here: Gated, tmp_path: Path) -> None:
    """An auditor checks what the devices signed with the keys in the charter, with the package and with verify.py.

    Fails without ``by_device`` in ``receipts``: the gate key's word alone would do.
    """
    hold = here.held()
    for name in ("BRAVO", "CHARLIE"):
        here.gate.approve(here.by_device(hold, name))
    assert here.gate.release(hold).verdict == "permit"
    data = proof_of(here)
    checked = verify(here.at("ALFA").charter_file, data, here.clock.now()).receipts
    assert checked.releases[-1].approved_by == ("commander of BRAVO", "commander of CHARLIE")
    assert judged(here, data, tmp_path) == ("", "")


def test_an_approval_that_no_device_signed_is_caught_in_a_proof(here: Gated) -> None:
    """A member that wraps another device's signature itself, and records a release with it, is caught by anybody."""
    hold = here.held()
    wrong = here.by_device(hold, "BRAVO", device=CARDS["CHARLIE"])
    right = here.by_device(hold, "CHARLIE")
    ids = [here.at("ALFA").append_envelope(one).id for one in (wrong, right)]
    held = here.receipts()[-1]
    here.at("ALFA").append_record([held | {"event": "released", "approvals": ids}])
    with pytest.raises(NotProven, match="a passkey that the charter does not list"):
        verify(here.at("ALFA").charter_file, proof_of(here), here.clock.now())


def _without_approvals(here: Gated) -> Value:
    return released(here) | {"approvals": []}


def _one_operator(here: Gated) -> Value:
    """BRAVO and DELTA are run by one operator; DELTA's approval is genuine and in the ledger."""
    hold = here.held()
    there = [here.approval(hold, name) for name in ("BRAVO", "DELTA")]
    ids = [here.at("ALFA").append_envelope(one).id for one in there]
    held = here.receipts()[-1]
    return held | {"event": "released", "approvals": ids}


def _as_permitted(here: Gated) -> Value:
    return released(here) | {"event": "permitted", "approvals": [], "hold": None}


def _used_twice(here: Gated) -> Value:
    return released(here)


def _other_action(here: Gated) -> Value:
    action = here.action("slew-camera", SLEW | {"target": "tower-13"})
    return _fresh_approvals(here) | {"action": action.digest, "body": action.value}


def _fresh_approvals(here: Gated) -> Value:
    """A release that was never recorded by the gate, with genuine approvals of its hold."""
    hold = here.held()
    ids = [here.at("ALFA").append_envelope(here.approval(hold, name)).id for name in ("BRAVO", "CHARLIE")]
    return here.receipts()[-1] | {"event": "released", "approvals": ids}


def _other_hold(here: Gated) -> Value:
    return _fresh_approvals(here) | {"hold": "00000000"}


def _too_late(here: Gated) -> Value:
    return _fresh_approvals(here) | {"time": "2026-01-31T12:06:01Z"}


def _refusals(here: Gated) -> Value:
    hold = here.held()
    ids = [here.at("ALFA").append_envelope(here.approval(hold, name, "refuse")).id for name in ("BRAVO", "CHARLIE")]
    return here.receipts()[-1] | {"event": "released", "approvals": ids}


def _no_such_rule(here: Gated) -> Value:
    return _fresh_approvals(here) | {"rule": "anything-goes"}


def _no_mandate(here: Gated) -> Value:
    return _fresh_approvals(here) | {"mandate": None}


def _other_body(here: Gated) -> Value:
    receipt = _fresh_approvals(here)
    return receipt | {"body": receipt["body"] | {"session": "s2"}}


def _unknown_approval(here: Gated) -> Value:
    return _fresh_approvals(here) | {"approvals": ["sha256:" + "0" * 64]}


@pytest.mark.parametrize(
    ("forge", "words"),
    [
        (_without_approvals, "approved by 0 operators"),
        (_one_operator, "approved by 1 operators"),
        (_as_permitted, "approved by 0 operators"),
        (_used_twice, "was used before"),
        (_other_action, "another action"),
        (_other_hold, "another gate, hold or mandate"),
        (_too_late, "expired"),
        (_refusals, "refuses"),
        (_no_such_rule, "no rule anything-goes"),
        (_no_mandate, "mandate None"),
        (_other_body, "not the one named"),
        (_unknown_approval, "in no cosigned ledger"),
    ],
)
def test_a_release_that_people_did_not_sign_is_caught(
    here: Gated, tmp_path: Path, forge: Callable[[Gated], Value], words: str
) -> None:
    """A dishonest gate appends a receipt of its own making, and anchors it: what is wrong is named.

    Each of these fails when the check of that name is removed from ``receipts``.
    """
    here.at("ALFA").append_record([forge(here)])
    try:
        data = proof_of(here)
    except CannotProve as error:
        assert words in error.message
        return
    with pytest.raises(NotProven, match=words):
        verify(here.at("ALFA").charter_file, data, here.clock.now())
    # The second opinion takes seconds: where operators and uses are counted, it is asked.
    if forge in (_one_operator, _used_twice):
        assert judged(here, data, tmp_path)[1], "verify.py accepts it"


def test_a_record_that_was_cut_or_never_anchored_proves_nothing(here: Gated) -> None:
    """Anchored at three and shown with two, or not anchored at all: refused; receipts after the anchor are told."""
    for _ in range(3):
        here.ask()
    alfa = here.at("ALFA")
    alfa.anchor_record()
    here.exchange()
    facts = alfa.facts(alfa.latest_view()).statements
    origin, entries = alfa.record.origin, alfa.record.entries(0, 3)
    assert check_receipts(alfa.charter, facts, [], {origin: entries}).anchored == {origin: 3}
    here.ask()
    longer = alfa.record.entries(0, 4)
    assert check_receipts(alfa.charter, facts, [], {origin: longer}).anchored == {origin: 3}
    with pytest.raises(NotProven, match="anchors 3 receipts, 2 are here"):
        check_receipts(alfa.charter, facts, [], {origin: entries[:2]})
    with pytest.raises(NotProven, match="not the receipts that"):
        check_receipts(alfa.charter, facts, [], {origin: [entries[1], entries[0], entries[2]]})
    without = [fact for fact in facts if fact.signed.statement.kind != "record-head"]
    with pytest.raises(NotProven, match="no record-head"):
        check_receipts(alfa.charter, without, [], {origin: entries})


@pytest.mark.parametrize(
    "change",
    [{"event": "allowed"}, {"more": 1}, {"format": "watchword-receipt/2"}, {"reasons": "x"}, {"time": "now"},
     {"approvals": None}, {"action": "sha256:" + "0" * 64}],
)  # fmt: skip
def test_a_receipt_of_another_form_is_refused(here: Gated, change: Value) -> None:
    """Unknown events, fields and formats are not guessed at."""
    here.ask()
    receipt = here.receipts()[0]
    assert canonical(parse_receipt(receipt, "it").value()) == canonical(receipt)
    with pytest.raises(BadReceipt):
        parse_receipt(receipt | change, "it")

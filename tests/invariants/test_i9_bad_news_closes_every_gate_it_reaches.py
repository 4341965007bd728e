"""I9: a notice closes every gate that it reaches at once; a gate that it does not reach is bounded by its mandate's
freshness (which I5 tests)."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from alliance import RELEASE
from charters import UNQUERIED
from gate.gated import SLEW, Gated

from watchword.statements.digests import D
from watchword.statements.statement import Signed, Subject


def recorded(here: Gated, kind: str) -> Signed:
    alfa = here.at("ALFA")
    return next(f.signed for f in alfa.facts(alfa.latest_view()).statements if f.signed.statement.kind == kind)


def notice(here: Gated, by: str, kind: str, target: str, person: str | None, **more: Any) -> bytes:
    """A notice against *target*, signed at *by*'s node (or with a supplier's key)."""
    fields: dict[str, Any] = {"target": target, "reason": "payload found"}
    if kind == "recall":
        fields |= {"actions": [], "deadline": None, **UNQUERIED} | more
    if kind == "revoke":
        fields |= {"valid_up_to": []}
        return here.at(by).sign(kind, (Subject("notice", D(target.encode())),), fields).envelope
    return here.sign(by, kind, (Subject("notice", D(target.encode())),), fields, person)  # type: ignore[arg-type]


CASES = {
    "recall of the release": ("BRAVO", "recall", lambda here: f"release:{RELEASE.digest}", "official"),
    "recall of its supplier": ("BRAVO", "recall", lambda here: "supplier:AQUILA", "official"),
    "recall of a key it rests on": (
        "BRAVO", "recall", lambda here: f"key:{recorded(here, 'claim').key_id}", "official",
    ),
    "claim retracted by the supplier": (
        "AQUILA", "retract", lambda here: f"statement:{recorded(here, 'claim').statement.id}", None,
    ),
    "claim disputed": (
        "BRAVO", "dispute", lambda here: f"statement:{recorded(here, 'claim').statement.id}", "evaluator",
    ),
    "admission retracted": (
        "ALFA", "retract", lambda here: f"statement:{recorded(here, 'decision').statement.id}", "official",
    ),
    "admission disputed": (
        "BRAVO", "dispute", lambda here: f"statement:{recorded(here, 'decision').statement.id}", "official",
    ),
    "mandate retracted": (
        "ALFA", "retract", lambda here: f"statement:{recorded(here, 'mandate').statement.id}", "commander",
    ),
    "key of the mandate's signer revoked": (
        "ALFA", "revoke", lambda here: f"key:{recorded(here, 'mandate').key_id}", None,
    ),
    "key of the admission's signer revoked": (
        "ALFA", "revoke", lambda here: f"key:{recorded(here, 'decision').key_id}", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_loose_notice_denies_the_next_question(here: Gated, case: str) -> None:
    """From any channel, without any quorum: permitted before, denied after, and what waits is not released.

    Each fails when ``authority`` looks for one name, or one way to fall, less.
    """
    by, kind, target, person = CASES[case]
    hold = here.held()
    here.approve(hold, "BRAVO", "CHARLIE")
    assert here.ask().verdict == "permit"
    here.at("ALFA").take_loose(notice(here, by, kind, target(here), person))
    answer = here.ask()
    assert answer.verdict == "deny", case
    assert here.gate.release(hold).verdict == "deny"
    assert here.reopen().ask(here.action().bytes).verdict == "deny"


BILL: dict[str, Any] = {
    "format": "CycloneDX 1.6", "system": "mailsort", "release": "1.0", "base_models": [], "datasets": [],
    "components": [{"name": "torch", "version": "2.1.0", "purl": "pkg:pypi/Torch@2.1.0", "digest": None}],
    "document": {"bytes": 9, "commitment": "sha256:" + "0c" * 32, "media_type": "application/json", "name": "bom"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("target", "spans", "verdict"),
    [
        ("package:pkg:pypi/torch", [], "deny"),
        ("package:pkg:pypi/torch", [("2.0", "2.3")], "deny"),
        ("package:pkg:pypi/torch", [("1.0", "1.9"), ("2.1", None)], "deny"),
        ("package:pkg:pypi/torch", [("2.1.1", None)], "permit"),
        ("package:pkg:pypi/other", [], "permit"),
        ("exercise:package:pkg:pypi/torch", [], "permit"),
    ],
)
def test_a_recall_by_query_closes_the_gates_of_what_it_reaches(
    here: Gated, target: str, spans: list[tuple[str | None, str | None]], verdict: str
) -> None:
    """By package and versions, found in the bill of materials, as by name; an exercise closes nothing.

    Fails when the name set lacks the packages, or a recall that does not reach counts.
    """
    subject = (RELEASE,)
    here.at("ALFA").sign_and_append("bill-of-materials", subject, BILL, person="evaluator")
    here.exchange()
    assert here.ask().verdict == "permit"
    versions = [{"from": begin, "before": end} for begin, end in spans]
    here.at("ALFA").take_loose(notice(here, "BRAVO", "recall", target, "official", versions=versions))
    assert here.ask().verdict == verdict
    slewed = here.reopen().ask(here.action("slew-camera", SLEW).bytes)
    assert slewed.verdict == ("deny" if verdict == "deny" else "hold")


@pytest.mark.parametrize(
    "target", [f"release:sha256:{'77' * 32}", "supplier:FALCO", "model:another", f"statement:sha256:{'77' * 32}"]
)
def test_bad_news_of_something_else_closes_nothing(here: Gated, target: str) -> None:
    """A recall reaches what it names."""
    here.at("ALFA").take_loose(notice(here, "BRAVO", "recall", target, "official"))
    assert here.ask().verdict == "permit"


def test_who_may_not_retract_closes_nothing(here: Gated) -> None:
    """BRAVO cannot take back ALFA's mandate: a retraction is by the issuer."""
    target = f"statement:{recorded(here, 'mandate').statement.id}"
    here.at("ALFA").take_loose(notice(here, "BRAVO", "retract", target, "commander"))
    assert here.ask().verdict == "permit"


TAKE = """
import sys
from pathlib import Path
from watchword.node import Node

with Node.open(Path(sys.argv[1])) as node:
    node.take_loose(Path(sys.argv[2]).read_bytes())
"""


def test_another_process_closes_a_gate_that_is_running(here: Gated, tmp_path: Path, capsys: Any) -> None:
    """A gate holds its node's lock for hours; bad news needs no lock, and counts from the next question on."""
    assert here.ask().verdict == "permit"
    envelope = tmp_path / "recall.json"
    envelope.write_bytes(notice(here, "BRAVO", "recall", f"release:{RELEASE.digest}", "official"))
    done = subprocess.run(
        [sys.executable, "-c", TAKE, str(here.folder / "ALFA"), str(envelope)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    began = time.perf_counter()
    answer = here.ask()
    took_ms = (time.perf_counter() - began) * 1_000
    assert answer.verdict == "deny"
    assert "recall of release:" in answer.reasons[0]
    with capsys.disabled():
        print(f"\n  I9: the next question was denied, in {took_ms:.0f} ms")


def test_a_recall_that_came_by_file_counts_before_its_quorum(here: Gated) -> None:
    """In BRAVO's notices ledger, carried once, cosigned by nobody else: the gate is closed."""
    target = f"release:{RELEASE.digest}"
    fields = {"target": target, "reason": "payload", "actions": [], "deadline": None, **UNQUERIED}
    bravo = here.at("BRAVO")
    bravo.sign_and_append("recall", (Subject("notice", D(target.encode())),), fields, person="official")
    bravo.publish()
    bravo.export("ALFA", here.folder / "b.json")
    assert here.ask().verdict == "permit"
    here.at("ALFA").import_bundle(here.folder / "b.json")
    assert here.ask().verdict == "deny"


def test_a_notice_that_nobody_here_can_read_closes_the_gate(here: Gated) -> None:
    """Its leaf carries the blinded name; its body stays with its issuer: counted as bad news, and said so."""
    target = f"release:{RELEASE.digest}"
    fields = {"target": target, "reason": "payload", "actions": [], "deadline": None, **UNQUERIED}
    subject = (Subject("notice", D(target.encode())),)
    here.at("BRAVO").sign_and_append("recall", subject, fields, person="official", scope="own")
    here.exchange()
    here.exchange()
    answer = here.ask()
    assert answer.verdict == "deny"
    assert "text is not held" in answer.reasons[0]


def test_what_waits_is_closed_too(here: Gated) -> None:
    """A stop between the last approval and the release: the bytes stay here."""
    hold = here.held()
    here.approve(hold, "BRAVO", "CHARLIE")
    stop = here.sign("CHARLIE", "stop", (Subject("all", D(b"")),), {"reason": "hold fire"}, "commander")
    here.at("ALFA").take_loose(stop)
    assert "hold fire" in here.gate.release(hold).reasons[0]
    assert here.ask("slew-camera", SLEW).verdict == "deny"

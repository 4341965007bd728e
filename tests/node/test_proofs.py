"""Proof files: what a node writes, the package and ``verify.py`` both re-make; what was changed is found and named."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alliance import RELEASE, Alliance, copy_alliance, inspection, make_alliance, notice_subject, quick_disk
from charters import UNQUERIED

from watchword.errors import WatchwordError
from watchword.ledger.proof import NotProven, Proof, verify_proof
from watchword.node import CannotProve, Recorded
from watchword.policy.pack import read_pack
from watchword.policy.table import decide, loose_list
from watchword.statements.times import rfc3339

VERIFY = Path(__file__).resolve().parents[2] / "verify.py"
TARGET = f"release:{RELEASE.digest}"
USE_CASE = {
    "criticality": 1, "format": "watchword-use-case/1", "human": "on", "members": ["ALFA"], "name": "triage",
    "owner": "ALFA", "purpose": "sort mail", "tags": [],
}  # fmt: skip


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Alliance:
    """Three members, evidence on record and cosigned."""
    pack = read_pack(None)
    with quick_disk():
        made = make_alliance(
            tmp_path_factory.mktemp("proof") / "alliance", ("ALFA", "BRAVO", "CHARLIE"),
            requirements=pack.requirements, red_lines=pack.red_lines, standing=pack.standing,
        )  # fmt: skip
        made.sync()
        made.nodes["ALFA"].append_envelope(made.claim())
        for name in ("ALFA", "BRAVO"):
            made.nodes[name].sign_and_append("inspection", (RELEASE,), inspection())
        made.sync()
        made.close()
    return made


def decision(alliance: Alliance, name: str = "ALFA") -> Recorded:
    here = alliance.nodes[name]
    view = here.latest_view()
    facts = here.facts(view)
    made = decide(here.charter, view, facts, rfc3339(here.clock.now()), RELEASE, USE_CASE)
    return here.record_decision(made, [USE_CASE, view.value(), loose_list(facts)])


def proven(alliance: Alliance, data: bytes) -> Proof:
    """Steps 1 to 8, decisions re-made."""
    proof = verify_proof(alliance.charter_file, data, alliance.clock.now())
    for id in proof.bundle.decisions:
        given = proof.inputs(id)
        again = decide(proof.charter, given.view, given.facts, given.as_of, given.subject, given.use_case)
        assert again == given.decision
    proof.absence()
    return proof


def by_script(alliance: Alliance, data: bytes) -> tuple[int, str]:
    """What the independent verifier says: exit code and report."""
    charter, bundle = alliance.folder / "charter.json", alliance.folder / "proof.json"
    charter.write_bytes(alliance.charter_file.encode())
    bundle.write_bytes(data)
    at = rfc3339(alliance.clock.now())
    command = [sys.executable, str(VERIFY), str(charter), str(bundle), "--at", at]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def small(template: Alliance, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A proof of one decision."""
    with quick_disk():
        copy = copy_alliance(template, tmp_path_factory.mktemp("small") / "alliance")
        recorded = decision(copy)
        copy.sync()
        data = copy.nodes["ALFA"].make_proof([recorded.id])
        copy.close()
    return data


def changed(data: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    value = json.loads(data)
    change(value)
    from watchword.statements.canonical import canonical

    return canonical(value)


def test_both_verifiers_re_make_what_was_decided(alliance: Alliance) -> None:
    """Decisions before a recall, with it loose, and with it in the view: three views, three loose lists, one file."""
    first = decision(alliance)
    alliance.clock.advance(60)
    alliance.recall("BRAVO", TARGET)
    alliance.carry("BRAVO", "ALFA")
    second = decision(alliance)
    alliance.nodes["CHARLIE"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.sync()
    third = decision(alliance)
    alliance.sync()
    data = alliance.nodes["ALFA"].make_proof([first.id, second.locator, third.id])
    proof = proven(alliance, data)
    absence = proof.absence()
    assert absence is not None
    assert [one.name for one in absence.found] == [TARGET]
    assert absence.found[0].index == 0
    code, report = by_script(alliance, data)
    assert code == 0, report


def test_absence_is_told_with_its_names_and_time(template: Alliance, small: bytes) -> None:
    """No notice: the whole name set, and the smallest cosigned time of the notices' heads."""
    absence = proven(template, small).absence()
    assert absence is not None
    assert absence.found == ()
    assert TARGET in absence.names
    assert "supplier:AQUILA" in absence.names
    assert absence.as_of == "2026-01-31T12:00:00Z"


def test_another_member_proves_the_same_decision(alliance: Alliance) -> None:
    """BRAVO holds all that ALFA's decision rests on, its use case too, but not its view until ALFA hands it over."""
    recorded = decision(alliance)
    alliance.sync()
    bravo = alliance.nodes["BRAVO"]
    with pytest.raises(CannotProve, match="its view"):
        bravo.make_proof([recorded.id])
    given = proven(alliance, alliance.nodes["ALFA"].make_proof([recorded.id])).inputs(recorded.id)
    for value in (given.use_case, given.view.value(), loose_list(given.facts)):
        bravo.keep_object(value)
    for digest in (recorded.id,):
        assert bravo.locate(digest).holder is not None


def test_what_is_not_cosigned_is_not_proven(alliance: Alliance) -> None:
    """A decision just recorded, and something that is no decision: refused, naming what to do."""
    recorded = decision(alliance)
    with pytest.raises(CannotProve, match="not cosigned yet"):
        alliance.nodes["ALFA"].make_proof([recorded.id])
    with pytest.raises(CannotProve, match="not a decision"):
        alliance.nodes["ALFA"].make_proof(["ALFA#0"])


def test_a_file_for_a_newer_recall_shows_it(alliance: Alliance) -> None:
    """Bad news that came after the decision and that no ledger shows yet is in the file all the same."""
    recorded = decision(alliance)
    alliance.sync()
    notice = alliance.nodes["BRAVO"].sign(
        "recall", notice_subject(TARGET),
        {"target": TARGET, "reason": "x", "actions": [], "deadline": None, **UNQUERIED},
    )  # fmt: skip
    alliance.nodes["ALFA"].take_loose(notice.envelope)
    data = alliance.nodes["ALFA"].make_proof([recorded.id])
    absence = proven(alliance, data).absence()
    assert absence is not None
    assert [one.name for one in absence.found] == [TARGET]
    code, report = by_script(alliance, data)
    assert code == 0, report


def first_of(value: dict[str, Any], use: str) -> dict[str, Any]:
    return next(one for one in value["ledgers"] if one["origin"].endswith(use))


def drop_ledger(value: dict[str, Any]) -> None:
    value["ledgers"].remove(first_of(value, "charlie.example/notices"))


def drop_name(value: dict[str, Any]) -> None:
    value["names"].remove("supplier:AQUILA")


def drop_body(value: dict[str, Any]) -> None:
    value["bodies"].pop()


def drop_use_case(value: dict[str, Any]) -> None:
    value["objects"] = [one for one in value["objects"] if one["format"] != "watchword-use-case/1"]


def drop_cosignatures(value: dict[str, Any]) -> None:
    part = first_of(value, "alfa.example/ledger")
    lines = part["checkpoint"].split("\n")
    part["checkpoint"] = "\n".join(line for line in lines if "witness" not in line)


def swap_heads(value: dict[str, Any]) -> None:
    part, other = first_of(value, "alfa.example/notices"), first_of(value, "bravo.example/notices")
    part["checkpoint"] = other["checkpoint"]


def bend_path(value: dict[str, Any]) -> None:
    proofs = first_of(value, "alfa.example/ledger")["proofs"]
    proofs[0]["index"], proofs[1]["index"] = proofs[1]["index"], proofs[0]["index"]


def other_secret(value: dict[str, Any]) -> None:
    value["alliance_secret"] = "A" * 43 + "="


def other_charter(value: dict[str, Any]) -> None:
    value["charter"] = "sha256:" + "00" * 32


def later(value: dict[str, Any]) -> None:
    value["as_of"] = "2026-02-02T12:00:00Z"


@pytest.mark.parametrize(
    ("change", "step"),
    [
        (other_charter, 2), (other_secret, 2), (drop_cosignatures, 3), (swap_heads, 3), (bend_path, 4),
        (drop_use_case, 7), (drop_ledger, 7), (drop_name, 8), (later, 8),
    ],
)  # fmt: skip
def test_what_was_changed_is_named_by_its_step(
    template: Alliance, small: bytes, change: Callable[[dict[str, Any]], None], step: int
) -> None:
    """Each kind of tampering fails its own step here, and is refused by the independent verifier too."""
    data = changed(small, change)
    with pytest.raises(NotProven, match=rf"step {step}\b"):
        proven(template, data)
    code, report = by_script(template, data)
    assert code == 1, report


def hide_leaf(value: dict[str, Any]) -> None:
    first_of(value, "bravo.example/notices")["leaves"].pop()


def bend_leaf(value: dict[str, Any]) -> None:
    first_of(value, "bravo.example/notices")["leaves"][0] = "Ag" + "A" * 85 + "="


def older_head(value: dict[str, Any]) -> None:
    """The cunning one: everything that speaks of the recall is gone, and the old head was honestly cosigned."""
    part = first_of(value, "bravo.example/notices")
    part.update(leaves=[], **part["earlier"].pop())
    del part["path"]
    value["decisions"].pop()
    value["bodies"] = [one for one in value["bodies"] if b":recall:" not in b64decode(one["envelope"]["payload"])]


def test_a_removed_recall_is_found(alliance: Alliance) -> None:
    """A notice taken out, changed, or hidden behind an older head: the file is refused by both verifiers. Fails if
    leaves given whole are not led to their head."""
    before = decision(alliance)
    alliance.sync()
    alliance.clock.advance(alliance.charter_file.charter.head_max_age_s + 60)
    alliance.recall("BRAVO", TARGET)
    alliance.sync()
    after = decision(alliance)
    alliance.sync()
    whole = alliance.nodes["ALFA"].make_proof([before.id, after.id])
    proven(alliance, whole)
    for change, step in ((hide_leaf, 4), (bend_leaf, 4), (older_head, 8)):
        data = changed(whole, change)
        with pytest.raises(NotProven, match=rf"step {step}\b"):
            proven(alliance, data)
        code, report = by_script(alliance, data)
        assert code == 1, report


def test_a_missing_body_is_never_a_yes(template: Alliance, small: bytes) -> None:
    """A body left out: the decision cannot be made again with it, so the file is refused."""
    data = changed(small, drop_body)
    with pytest.raises((NotProven, AssertionError)):
        proven(template, data)
    assert by_script(template, data)[0] == 1


def test_a_statement_left_out_of_the_decision_is_found(alliance: Alliance) -> None:
    """A file that holds evidence which the decision should have considered and did not list re-makes differently."""
    here = alliance.nodes["ALFA"]
    view = here.latest_view()
    facts = here.facts(view)
    fewer = replace(facts, statements=facts.statements[:-1])
    made = decide(here.charter, view, fewer, rfc3339(here.clock.now()), RELEASE, USE_CASE)
    recorded = here.record_decision(made, [USE_CASE])
    honest = decision(alliance)
    alliance.sync()
    data = here.make_proof([recorded.id, honest.id])
    with pytest.raises(AssertionError):
        proven(alliance, data)
    assert by_script(alliance, data)[0] == 1


def test_flipped_bytes_of_a_small_proof_are_refused_or_harmless(template: Alliance, small: bytes) -> None:
    """One bit changed at 50 places: never another decision, never an error that is not ours."""
    whole = proven(template, small)
    for place in range(0, len(small), len(small) // 50):
        bent = bytearray(small)
        bent[place] ^= 1
        try:
            proof = proven(template, bytes(bent))
        except WatchwordError:
            continue
        # What no step reads: who wrote the file, and when; the line of one witness more than the quorum needs.
        assert proof.facts == whole.facts
        assert proof.bundle.decisions == whole.bundle.decisions
        assert proof.absence() == whole.absence()


def test_the_record_is_shown_with_its_anchor(alliance: Alliance) -> None:
    """Receipts, and the anchor that bounds them, are in the file when asked; without an anchor it is not made."""
    here = alliance.nodes["ALFA"]
    recorded = decision(alliance)
    receipt = {
        "action": None, "approvals": [], "body": None, "decision": None, "event": "stopped",
        "format": "watchword-receipt/1", "gate": "ALFA", "hold": None, "mandate": None, "reasons": [], "rule": None,
        "seen": None,
        "time": rfc3339(here.clock.now()),
    }  # fmt: skip
    here.append_record([receipt])
    alliance.sync()
    with pytest.raises(CannotProve, match="not anchored"):
        here.make_proof([recorded.id], include_record=True)
    here.anchor_record()
    alliance.sync()
    data = here.make_proof([recorded.id], include_record=True)
    assert [one.value["event"] for one in proven(alliance, data).receipts] == ["stopped"]
    code, report = by_script(alliance, data)
    assert code == 0, report


# -- no notice, and notices that do not count -------------------------------------------------------


def told(alliance: Alliance, data: bytes) -> tuple[list[str], str]:
    """The kinds that the package lists against the names, and what verify.py prints; both must agree."""
    absence = proven(alliance, data).absence()
    assert absence is not None
    code, report = by_script(alliance, data)
    assert code == 0, report
    assert ("no notice against" in report) == (not absence.counting), report
    for one in absence.found:
        assert f"{one.kind:<14} {one.name}" in report
    return [one.kind for one in absence.found], report


def test_a_file_shows_that_there_is_no_notice_without_any_decision(alliance: Alliance) -> None:
    """The release's whole name set, by its evidence; the time is that of the oldest head of the notices."""
    data = alliance.nodes["BRAVO"].make_proof((), releases=(RELEASE.digest,))
    kinds, report = told(alliance, data)
    assert kinds == []
    assert "no notice against these" in report
    assert "supplier:AQUILA" in report


@pytest.mark.parametrize("change", [drop_ledger, drop_name, later])
def test_no_notice_is_not_said_by_less(alliance: Alliance, change: Callable[[dict[str, Any]], None]) -> None:
    """A ledger left out, a name left out, a head too old: refused by both, at step 8."""
    data = changed(alliance.nodes["BRAVO"].make_proof((), releases=(RELEASE.digest,)), change)
    with pytest.raises(NotProven, match=r"step 8\b"):
        proven(alliance, data)
    code, report = by_script(alliance, data)
    assert code == 1 and "step 8" in report, report


def test_junk_filed_as_a_notice_spoils_nobodys_proof(alliance: Alliance) -> None:
    """A member files bytes that are no statement under everybody's name, and shows them: listed, and never counting.

    Both verifiers refused the whole file before they kept junk apart.
    """
    from watchword.ledger.bundle import Body, encode, parse_bundle
    from watchword.ledger.leaves import Leaf
    from watchword.ledger.leaves import encode as leaf_of
    from watchword.statements.canonical import canonical
    from watchword.statements.digests import blinded

    charlie = alliance.nodes["CHARLIE"]
    junk = canonical({"payload": "AAAA", "payloadType": "application/vnd.in-toto+json",
                      "signatures": [{"keyid": RELEASE.digest, "sig": "AAAA"}]})  # fmt: skip
    commitment = charlie.bodies.put(junk)
    salt = (charlie.bodies.get(commitment) or (b"", b""))[0]
    charlie.store.own("notices").append([leaf_of("notices", Leaf(commitment, blinded(charlie.secret, TARGET)))])
    charlie.bodies.purge(commitment)
    alliance.sync()
    data = alliance.nodes["BRAVO"].make_proof((), releases=(RELEASE.digest,))
    assert told(alliance, data)[0] == ["unheld"]
    bundle = parse_bundle(data, "proof")
    shown = encode(replace(bundle, bodies=(*bundle.bodies, Body("envelope", salt, junk))))
    assert told(alliance, shown)[0] == ["no-standing"]


@pytest.fixture
def five(tmp_path: Path) -> Iterator[Alliance]:
    """Five members of whom one may be dishonest; a release with evidence."""
    pack = read_pack(None)
    with quick_disk():
        made = make_alliance(
            tmp_path / "five", requirements=pack.requirements, red_lines=pack.red_lines, standing=pack.standing
        )
        made.sync()
        made.nodes["ALFA"].append_envelope(made.claim())
        made.nodes["BRAVO"].sign_and_append("inspection", (RELEASE,), inspection())
        made.sync()
        yield made
        made.close()


def test_both_verifiers_settle_what_lapsed_and_what_was_taken_back(five: Alliance) -> None:
    """A recall of one voice, then its lapse, then a second voice, then both taken back by four, in real ledgers.

    Decisions are re-made byte for byte at each stage, by the package and by verify.py.
    """
    assert five.charter_file.charter.quorum.faulty == 1
    alfa, ids = five.nodes["ALFA"], []
    recalls = [five.recall("BRAVO", TARGET).id]
    five.sync()
    ids.append(decision(five).id)
    five.clock.advance(73 * 3600)
    for one in five.nodes.values():
        one.publish(refresh=True)
    five.sync()
    ids.append(decision(five).id)
    recalls.append(five.recall("CHARLIE", TARGET).id)
    five.sync()
    ids.append(decision(five).id)
    for name in ("ALFA", "BRAVO", "DELTA", "ECHO"):
        for recall in recalls:
            fields = {"target": TARGET, "reason": "a mistake", "notice": recall}
            five.nodes[name].sign_and_append("take-back", notice_subject(TARGET), fields)
    five.sync()
    ids.append(decision(five).id)
    five.sync()
    data = alfa.make_proof(ids)
    kinds = [
        sorted({one["kind"] for one in proven(five, data).inputs(id).decision["notices"]} - {"take-back"}) for id in ids
    ]
    assert kinds == [["recall"], ["lapsed"], ["recall"], ["taken-back"]]
    found, report = told(five, data)
    assert sorted(set(found)) == ["take-back", "taken-back"], report

"""The chain behind an action: every link verified, every part with its owner, no gap passed over."""

from __future__ import annotations

import time
from typing import Any

import pytest
from alliance import RELEASE, notice_subject
from charters import UNQUERIED
from decisions import FIELDS
from gate.gated import MANDATE, NAMES, SLEW, Gated, rules_for

from watchword.account.links import Named, statement_links
from watchword.account.trace import Chain, Link, Part, trace, walk
from watchword.account.trace_page import board, render_text
from watchword.node import NotHere
from watchword.report.board import render
from watchword.statements.statement import Subject


def told(found: Chain) -> list[tuple[str, str, str]]:
    return [(part.what, part.owner, part.state) for part in found.parts]


def approved(here: Gated) -> str:
    """The digest of a slew that two commanders approved and the gate let go."""
    action = here.action("slew-camera", SLEW)
    hold = str(here.gate.ask(action.bytes).hold)
    here.approve(hold, "BRAVO", "CHARLIE")
    assert here.gate.release(hold).verdict == "permit"
    return action.digest


def settled(here: Gated) -> None:
    """Anchor, publish, and let others cosign."""
    here.at("ALFA").anchor_record()
    for other in ("BRAVO", "CHARLIE", "BRAVO"):
        here.exchange(other)


def test_behind_an_action_stand_receipts_people_mandate_admission_and_supplier(here: Gated) -> None:
    """From the act to the claim, each part with whose word it is; all of it verified."""
    action = approved(here)
    settled(here)
    found = trace(here.at("ALFA"), action)
    assert found.whole, render_text(found)
    parts = told(found)
    assert parts[0][1:] == ("asked of the gate of ALFA", "verified")
    for what, owner in (
        ("receipt: held under rule human-before-slew", "gate of ALFA"),
        ("receipt: released under rule human-before-slew", "gate of ALFA"),
        ("approval: approve by commander", "commander of BRAVO"),
        ("approval: approve by commander", "commander of CHARLIE"),
        (f"mandate: border-watch for {RELEASE.name}", "commander of ALFA"),
        (f"decision: admitted {RELEASE.name}", "official of ALFA"),
        (f"claim: {RELEASE.name}", "supplier of AQUILA"),
    ):
        assert (what, owner, "verified") in parts
    assert ("supplier: AQUILA", "AQUILA", "named") in parts
    claim = next(part for part in found.parts if part.what.startswith("claim"))
    assert claim.checks[0] == "signed by supplier of AQUILA"
    assert claim.checks[1].startswith("leaf 0 of ") and claim.checks[1].endswith("in alfa.example/ledger, cosigned")


def test_what_no_quorum_cosigned_yet_is_not_called_verified(here: Gated) -> None:
    """An action of this minute: its receipts are durable and no more. Fails when ``_receipt`` does not ask for an
    anchor."""
    action = approved(here)
    found = trace(here.at("ALFA"), action)
    assert ("receipt: held under rule human-before-slew", "gate of ALFA", "recorded") in told(found)
    assert "recorded, not cosigned yet" in render_text(found).splitlines()[0]


def test_a_hold_a_receipt_a_locator_and_a_release_can_be_asked_for(here: Gated) -> None:
    """Whatever somebody has at hand leads to the same parts."""
    action, alfa = approved(here), here.at("ALFA")
    hold = next(str(one["hold"]) for one in here.receipts() if one["hold"])
    assert trace(alfa, hold).parts[0].name == action
    assert trace(alfa, "ALFA/record#0").parts[0].what == "receipt: held under rule human-before-slew"
    assert trace(alfa, "ALFA#0").parts[0].what == f"claim: {RELEASE.name}"
    assert [part.what for part in trace(alfa, RELEASE.digest).parts][1] == f"claim: {RELEASE.name}"
    for nothing in ("sha256:" + "00" * 32, "ALFA/record#99", "ALFA#99", "nothing"):
        with pytest.raises(NotHere):
            trace(alfa, nothing)


def test_forward_from_a_claim_lead_the_actions_that_rest_on_it(here: Gated) -> None:
    """Who would have to act if the claim fell: down to each action."""
    action = approved(here)
    settled(here)
    found = trace(here.at("ALFA"), "ALFA#0", forward=True)
    parts = {part.what for part in found.parts}
    assert {"decision: admitted mailsort 1.0", "mandate: border-watch for mailsort 1.0"} <= parts
    assert f"action:{action}" in {part.key for part in found.parts}
    links = {(link.above.partition(":")[0], link.role) for link in found.links}
    assert {("action", "receipt"), ("receipt", "answer"), ("statement", "considered")} <= links


def test_a_claim_taken_back_is_fallen_and_the_chain_not_whole(here: Gated) -> None:
    """A retraction reaches every chain over what it retracts. Fails when ``_bad_news`` is not asked."""
    action, alfa = approved(here), here.at("ALFA")
    decision = next(s for s in alfa.statements() if s.statement.kind == "decision").statement.id
    target = f"statement:{decision}"
    alfa.sign_and_append("retract", notice_subject(target), {"target": target, "reason": "a mistake"})
    found = trace(alfa, action)
    assert not found.whole
    assert ("decision: admitted mailsort 1.0", "official of ALFA", "fallen") in told(found)
    gap = render_text(found).splitlines()[1]
    assert gap.startswith("  fallen: decision") and gap.endswith("retracted")


def test_a_recalled_release_is_named_as_such(here: Gated) -> None:
    """By whom, beside the release."""
    alfa, target = here.at("ALFA"), f"release:{RELEASE.digest}"
    fields = {"target": target, "reason": "payload", "actions": [], "deadline": None, **UNQUERIED}
    alfa.sign_and_append("recall", notice_subject(target), fields)
    found = trace(alfa, here.mandate)
    release = next(part for part in found.parts if part.key == target)
    assert (release.state, release.why) == ("fallen", "recalled by ALFA")


def test_a_release_recalled_by_what_it_is_made_of_is_marked(here: Gated) -> None:
    """A package in the versions that its bill names, or a base model; another version, or another model, marks nothing.

    Seen to fail without the name set of the release.
    """
    alfa = here.at("ALFA")
    bill = FIELDS["bill-of-materials"]
    alfa.sign_and_append("bill-of-materials", (RELEASE,), bill, person="evaluator")
    decision = next(one.statement.id for one in alfa.statements() if one.statement.kind == "decision")

    def mark() -> str:
        parts = {part.key: part for part in trace(alfa, decision).parts}
        return parts[f"release:{RELEASE.digest}"].why

    def recall(target: str, *versions: dict[str, str | None]) -> None:
        said = {"target": target, "reason": "found", "actions": [], "deadline": None, "supersedes": None}
        said |= UNQUERIED | {"versions": list(versions)}
        alfa.sign_and_append("recall", notice_subject(target), said, person="official")

    for target, versions in (
        ("package:pkg:generic/numpy", [{"from": "3.0", "before": None}]), ("model:another", []),
    ):  # fmt: skip
        recall(target, *versions)
        assert mark() == ""
    recall("package:pkg:generic/numpy", {"from": "2.0", "before": "2.3"})
    assert mark() == "recalled by ALFA, with package:pkg:generic/numpy >=2.0,<2.3"


def test_another_members_gate_keeps_its_record_and_the_trace_says_so(here: Gated) -> None:
    """BRAVO has the approval that its commander signed; the action's bytes are ALFA's own."""
    action = approved(here)
    settled(here)
    found = trace(here.at("BRAVO"), action)
    assert told(found)[0] == ("action", "gate of ALFA", "withheld")
    assert not found.whole
    assert ("approval: approve by commander", "commander of CHARLIE", "verified") in told(found)


def test_a_considered_statement_whose_text_is_gone_is_withheld(here: Gated) -> None:
    """Its leaf stands, who has it is named. Fails when only ids held are looked up."""
    alfa = here.at("ALFA")
    alfa.store.purge(alfa.store.leaves("alfa.example/ledger")[0].commitment)
    found = trace(alfa, here.mandate)
    assert ("statement", "ALFA", "withheld") in told(found)
    assert not found.whole


def test_a_mandate_on_a_decision_that_is_nowhere_is_missing(here: Gated) -> None:
    """A link to nothing is told, not skipped."""
    said = MANDATE | {
        "rules": rules_for(NAMES), "decision": "sha256:" + "ab" * 32, "use_case": "sha256:" + "cd" * 32,
        "valid_from": "2026-01-31T12:00:00Z", "valid_until": "2026-02-01T12:00:00Z",
    }  # fmt: skip
    alfa = here.at("ALFA")
    id = alfa.sign_and_append("mandate", (RELEASE,), {"mandate": said}).id
    found = trace(alfa, id)
    assert told(found)[1] == ("statement", "", "missing")


def test_a_mandate_on_something_else_than_an_admission_of_it_is_a_broken_link(here: Gated) -> None:
    """A claim is no decision, and an admission of another release none of this. Fails without ``wrong``."""
    alfa = here.at("ALFA")
    ids = {signed.statement.kind: signed.statement.id for signed in alfa.statements()}
    said: dict[str, Any] = {"rules": [], "name": "x"}
    for subject, decision, why in (
        (RELEASE, ids["claim"], "names a claim where a decision belongs"),
        (Subject("other 1", "sha256:" + "77" * 32), ids["decision"], "the decision is about another release"),
    ):
        id = alfa.sign_and_append("mandate", (subject,), {"mandate": said | {"decision": decision}}).id
        found = trace(alfa, id)
        assert (found.links[0].why, found.whole) == (why, False)
        assert "BROKEN LINK" in render_text(found)


def test_an_approval_of_another_action_is_no_answer_to_this_one(here: Gated) -> None:
    """What a receipt names is judged as an auditor's proof judges it. Fails without ``_wrong_receipt``."""
    first, alfa = approved(here), here.at("ALFA")
    forged = next(one for one in here.receipts() if one["event"] == "released" and one["action"] == first)
    other = here.action("slew-camera", SLEW)
    alfa.append_record([forged | {"action": other.digest, "body": other.value, "hold": "ffffffff"}])
    found = trace(alfa, other.digest)
    assert {link.why for link in found.links if link.role == "answer"} == {"is for another action"}
    assert not found.whole


def test_a_record_that_was_changed_after_it_was_anchored_is_broken(here: Gated) -> None:
    """The anchor stands for other receipts. Fails when the root is not compared."""
    approved(here)
    settled(here)
    alfa = here.at("ALFA")
    anchor = next(s for s in alfa.statements() if s.statement.kind == "record-head").statement
    fields = {name: anchor.predicate[name] for name in ("origin", "root", "size")}
    alfa.sign_and_append("record-head", anchor.subject, fields | {"size": 1, "root": "AAAA" * 10 + "AAA="})
    found = trace(alfa, "ALFA/record#0")
    assert found.parts[0].state == "broken"
    assert found.parts[0].why.startswith("not the record that ALFA#")


def test_circles_and_endless_fans_end(here: Gated) -> None:
    """Links that lead back, 10^5 in a row and 10^5 from one: each part once, in a few CPU seconds; what a bound leaves
    out is counted."""
    many = 100_000

    def steps(key: str) -> list[tuple[str, Named]]:
        n = int(key)
        targets = [n + 1, 0, n] if n < many else [] if n > many else [*range(many, 2 * many)]
        return [(str(one), Named("on", str(one))) for one in targets]

    started = time.process_time()
    keys, links, left_out = walk("0", steps, 350_000)
    assert (len(keys), len(links), left_out) == (150_000, 350_000, 50_000)
    assert time.process_time() - started < 30


def test_the_text_of_a_deep_chain_grows_with_its_links_only() -> None:
    """Lines are set in 20 steps and no further. Fails when each step sets in: 10 GB."""
    parts = tuple(Part(str(n), f"reply {n}", "ALFA", "", "", "verified", "") for n in range(100_000))
    links = tuple(Link(str(n), "replies to", str(n + 1)) for n in range(99_999))
    text = render_text(Chain(False, parts, (*links, Link("99999", "replies to", "0")), 3))
    assert text.startswith("NOT WHOLE") and "3 links left out" in text
    assert len(text) < 12_000_000
    page = render(board(Chain(False, parts[:500], links[:499], 0), "watchword trace X"))
    assert "Of 500 parts the first 120 are drawn." in page


def test_hostile_objects_in_a_decision_name_nothing() -> None:
    """What is not of its form is no link and no crash."""
    from watchword.statements.statement import Statement

    for made in (
        {}, {"considered": 7}, {"considered": [7, {}, {"id": "x"}, {"id": None, "origin": [], "index": {}}]},
        {"unheld": [{"origin": 1, "index": "x"}], "notices": {"a": 1}, "subject": [], "charter": 9},
    ):  # fmt: skip
        assert list(statement_links(Statement("decision", (RELEASE,), {"decision": made}, b""))) == []
    assert list(statement_links(Statement("mandate", (RELEASE,), {"mandate": {"decision": []}}, b""))) == []


def test_the_page_shows_the_graph_without_script_and_names_every_gap(here: Gated) -> None:
    """Boxes, signs, and the same in a table; nothing foreign is markup."""
    alfa = here.at("ALFA")
    alfa.store.purge(alfa.store.leaves("alfa.example/ledger")[0].commitment)
    page = render(board(trace(alfa, here.mandate), "watchword trace X"))
    assert '<svg class="graph"' in page and "<script" not in page
    assert "withheld: statement ALFA#0 (ALFA): its leaf stands there, its text is not held here" in page
    assert "What is behind mandate: border-watch" not in page.partition("<h1>")[0]

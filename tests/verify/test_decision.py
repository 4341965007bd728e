"""Decisions made again, notices and receipts in verify.py. Expected values are written by hand."""

import copy

import pytest

RELEASE = "sha256:" + "51" * 32


@pytest.fixture
def alone(story):
    """An alliance of one with its evidence published."""
    return story(members=("ALFA",)).evidence()


def refused(verify, tale, step, match, bundle=None):
    """The proof is refused in this step, for this reason."""
    with pytest.raises(verify.Refused, match=match) as caught:
        tale.check(bundle)
    assert str(caught.value).startswith(f"step {step}, ")


def row(decision, id_):
    return next(row for row in decision["requirements"] if row["id"] == id_)


# -- conditions


@pytest.mark.parametrize(
    ("field", "op", "value", "held"),
    [
        ("n", "==", 3, True), ("n", "!=", 3, False), ("n", "<", 4, True), ("n", "<=", 3, True), ("n", ">", 3, False),
        ("n", ">=", 3, True), ("low", ">=", "0.9", True), ("low", "<", "0.9", False), ("low", "==", "0.950", True),
        ("low", ">", "-1", True), ("word", "==", "yes", True), ("word", "!=", "1.0", True), ("flag", "==", True, True),
        ("flag", "!=", True, False), ("n", "in", [1, 3], True), ("n", "in", [1, "3", True], False),
        ("word", "in", [], False), ("tags", "contains", "b", True), ("tags", "contains", "c", False),
        ("deep.er", "==", 1, True), ("none", "any", None, True), ("tags", "any", None, True),
    ],
)  # fmt: skip
def test_conditions_hold_as_section_8_says(verify, field, op, value, held):
    """Integers, exact decimals, texts and truth values, each with its own kind only."""
    facts = {"n": 3, "low": "0.95", "word": "yes", "flag": True, "tags": ["a", "b"], "deep": {"er": 1}, "none": None}
    condition = {"field": field, "op": op, "value": value}
    assert verify.holds(condition, facts, False) is held
    assert verify.holds(condition, facts, True) is held


@pytest.mark.parametrize(
    ("field", "op", "value"),
    [
        ("absent", "==", 1), ("absent", "any", None), ("n.er", "==", 1), ("tags.0", "==", "a"), ("n", "==", "3"),
        ("n", "==", True), ("flag", "==", 1), ("flag", ">", False), ("word", "<", "z"), ("n", "<", "4"),
        ("low", ">", 0), ("low", ">", "0x1"), ("low", ">", "1."), ("low", ">", "٣"), ("low", ">", "1" * 41),
        ("none", "==", None), ("tags", "==", ["a", "b"]), ("tags", "in", [["a", "b"]]), ("n", "in", "123"),
        ("word", "contains", "y"), ("half", ">", 0), ("half", "in", [0.5]), ("tags", "contains", None),
    ],
)  # fmt: skip
def test_trouble_never_says_yes(verify, field, op, value):
    """A missing field or another type is false in a bound, true in a red line; fails when either default is turned."""
    facts = {"n": 3, "low": "0.95", "word": "yes", "flag": True, "tags": ["a", "b"], "none": None, "half": 0.5}
    condition = {"field": field, "op": op, "value": value}
    assert verify.holds(condition, facts, False) is False
    assert verify.holds(condition, facts, True) is True


# -- bad news


def test_recall_refuses_and_is_listed(verify, alone):
    """A recall within the view: the decision made again is a refusal, and the proof, which holds, shows the recall."""
    name = f"release:{RELEASE}"
    id_ = alone.a.append("ALFA", "notices", {"envelope": alone.a.notice("recall", "ALFA", name)}, name)
    decision = alone.decide()
    place = {"index": 0, "kind": "recall", "name": name, "origin": "alfa.example/notices", "statement": id_}
    assert (decision["verdict"], decision["notices"]) == ("refused", [place])
    assert {line["id"]: line["state"] for line in decision["red_lines"]}["no-recall"] == "crossed"
    report = alone.check()
    assert report["names"]["notices"] == [place]
    assert any(line.startswith("NOTICES") for line in verify.render(report))


def test_admission_that_passes_over_a_recall_is_found(verify, alone):
    """Every field of the recorded decision is compared; fails when it is believed."""
    alone.a.append("ALFA", "notices", {"envelope": alone.a.notice("recall", "ALFA", "model:resnet")}, "model:resnet")
    alone.decide(verdict="admitted")
    refused(verify, alone, 7, r"made again it differs at byte \d+")


def test_withheld_recall_counts_as_one(alone):
    """Its leaf is there and its body is not: unheld, and a refusal; fails when only bodies are counted."""
    notice = alone.a.notice("recall", "ALFA", "supplier:Aquila")
    alone.a.append("ALFA", "notices", {"envelope": notice}, "supplier:Aquila", held=False)
    decision = alone.decide()
    assert decision["verdict"] == "refused"
    [found] = decision["notices"]
    assert (found["kind"], found["statement"], found["name"]) == ("unheld", None, "supplier:Aquila")
    assert alone.check()["names"]["notices"] == [found]


def test_recall_that_lost_its_body_after_the_decision_is_found(verify, alone):
    """A file that leaves out the recall's body cannot pass off the decision that listed it."""
    name = f"release:{RELEASE}"
    alone.a.append("ALFA", "notices", {"envelope": alone.a.notice("recall", "ALFA", name)}, name)
    alone.decide()
    leaf = alone.a.leaves["alfa.example/notices"][0]
    del alone.a.bodies[leaf[1:33]]
    refused(verify, alone, 7, r"made again it differs")


def test_notice_after_the_view_does_not_change_the_decision_and_is_shown(alone):
    """A decision is judged by its own view; the file still says what came later."""
    decision = alone.decide()
    name = f"release:{RELEASE}"
    alone.a.append("ALFA", "notices", {"envelope": alone.a.notice("recall", "ALFA", name)}, name)
    assert decision["verdict"] == "admitted"
    report = alone.check()
    assert [notice["kind"] for notice in report["names"]["notices"]] == ["recall"]


def test_loose_recall_counts_before_it_is_in_any_ledger(verify, alone):
    """Bad news counts as soon as it is signed; the list of loose notices is found by its digest."""
    notice = alone.a.notice("recall", "ALFA", "model:resnet")
    decision = alone.decide([notice])
    assert decision["verdict"] == "refused"
    assert [(n["kind"], n["origin"], n["index"]) for n in decision["notices"]] == [("recall", None, None)]
    bundle = alone.bundle(loose=[notice])
    assert alone.check(bundle)["names"]["notices"] == decision["notices"]
    refused(verify, alone, 7, r"loose notices .* not all in the bundle")


def test_two_decisions_with_their_own_loose_notices(alone):
    """Before and after a loose recall; each is made again with the list that it names."""
    notice = alone.a.notice("recall", "ALFA", "model:resnet")
    verdicts = [alone.decide()["verdict"], alone.decide([notice])["verdict"]]
    assert verdicts == ["admitted", "refused"]
    report = alone.check(alone.bundle(loose=[notice]))
    assert [decision["verdict"] for decision in report["decisions"]] == verdicts


@pytest.mark.parametrize("junk", ["role", "target", "signature"])
def test_junk_in_the_notices_is_shown_and_never_counts(alone, junk):
    """Whoever may write there cannot stop a release without standing, nor spoil proofs."""
    name = f"release:{RELEASE}"
    key = alone.a.keys["ALFA", "ben" if junk == "role" else "ada"]
    notice = alone.a.notice("recall", "ALFA", "model:other" if junk == "target" else name, key)
    if junk == "signature":
        notice["signatures"][0]["sig"] = alone.b.b64(bytes(3373))
    alone.a.append("ALFA", "notices", {"envelope": notice}, name)
    decision = alone.decide()
    assert decision["verdict"] == "admitted"
    assert [n["kind"] for n in decision["notices"]] == ["no-standing"]
    alone.check()


def test_loose_notice_without_standing_is_refused(verify, alone):
    """What is brought loose must count."""
    notice = alone.a.notice("recall", "ALFA", "model:resnet", alone.a.keys["ALFA", "ben"])
    refused(verify, alone, 6, r"no standing", alone.bundle(loose=[notice]))
    review = {"of": "legal", "outcome": "against", "text": "", "report": None}
    other = alone.a.statement("review", "ALFA", review, [("x", RELEASE)], alone.a.keys["ALFA", "ada"])
    refused(verify, alone, 6, r"not bad news", alone.bundle(loose=[other]))


@pytest.mark.parametrize(
    ("kind", "target", "why"),
    [
        ("retract", "inspection ALFA", "retracted"), ("dispute", "inspection ALFA", "disputed"),
        ("dispute", "claim", "disputed"),
    ],
)  # fmt: skip
def test_evidence_that_falls_counts_as_failing(alone, kind, target, why):
    """Fallen evidence fails its requirement even where enough other evidence would be there."""
    alone.a.now += 1
    alone.inspect("ALFA", made=alone.b.at(alone.a.now))
    name = f"statement:{alone.ids[target]}"
    alone.a.append("ALFA", "notices", {"envelope": alone.a.notice(kind, "ALFA", name)}, name)
    decision = alone.decide()
    id_ = "claim" if target == "claim" else "inspections"
    assert row(decision, id_)["failing"] == [{"id": alone.ids[target], "why": why}]
    assert (row(decision, id_)["state"], decision["verdict"]) == ("unmet", "refused")
    assert row(decision, id_)["there"] == (0 if id_ == "claim" else 1)
    alone.check()


def test_retraction_by_somebody_else_has_no_standing(story):
    """Only the issuer takes its word back; fails without the rule of its own in section 3."""
    tale = story(members=("ALFA",)).evidence()
    name = f"statement:{tale.ids['claim']}"
    tale.a.append("ALFA", "notices", {"envelope": tale.a.notice("retract", "ALFA", name)}, name)
    decision = tale.decide()
    assert ([n["kind"] for n in decision["notices"]], decision["verdict"]) == (["no-standing"], "admitted")
    tale.check()


@pytest.mark.parametrize(("size", "state"), [(0, "unmet"), (2, "unmet"), (3, "met")])
def test_revoked_key_keeps_what_was_logged_before(alone, size, state):
    """Order, not date: a statement at index 2 stands up to size 3 and not to size 2; fails with an off-by-one."""
    key = alone.a.keys["ALFA", "ada"]
    kept = [{"origin": "alfa.example/ledger", "size": size}]
    notice = alone.a.notice("revoke", "ALFA", f"key:{key.id}", valid_up_to=kept)
    alone.a.append("ALFA", "notices", {"envelope": notice}, f"key:{key.id}")
    assert alone.a.where[alone.ids["inspection ALFA"]] == [("alfa.example/ledger", 2)]
    decision = alone.decide()
    assert row(decision, "inspections")["state"] == state
    assert [n["kind"] for n in decision["notices"]] == ["revoke"]


def test_revocation_of_another_members_key_has_no_standing(story):
    """BRAVO cannot revoke ALFA's key; fails when the owner is not compared."""
    tale = story(members=("ALFA", "BRAVO")).evidence()
    name = f"key:{tale.a.keys['ALFA', 'ada'].id}"
    tale.a.append("BRAVO", "notices", {"envelope": tale.a.notice("revoke", "BRAVO", name, valid_up_to=[])}, name)
    assert [n["kind"] for n in tale.decide()["notices"]] == ["no-standing"]


# -- what is considered


def test_old_evidence_does_not_count(alone):
    """Thirty days and a second are too old; the age is told."""
    alone.a.now += 30 * 86_400 + 1
    decision = alone.decide()
    assert (row(decision, "inspections")["state"], row(decision, "inspections")["there"]) == ("unmet", 0)
    assert row(decision, "inspections")["newest_age_s"] == 30 * 86_400 + 1
    assert row(decision, "claim")["state"] == "met"


def test_evidence_from_the_future_is_not_considered(alone):
    """A statement made after the time of the decision is as if it were not there."""
    alone.inspect("ALFA", made=alone.b.at(alone.a.now + 1), dangerous=1)
    decision = alone.decide()
    assert (decision["verdict"], len(decision["considered"])) == ("admitted", 3)


def test_bad_inspection_fails_its_bound(alone):
    """One inspection that found something outweighs the others: it fails, and the requirement with it."""
    alone.inspect("ALFA", dangerous=1)
    decision = alone.decide()
    assert [f["why"] for f in row(decision, "inspections")["failing"]] == ["bound"]
    assert decision["verdict"] == "refused"
    alone.check()


def test_evidence_left_out_of_the_decision_is_found(verify, alone):
    """The bundle shows a statement that the decision should have considered and does not list."""
    honest = alone.decide()
    alone.decisions.clear()
    bad = honest | {"considered": honest["considered"][1:]}
    alone.decide(considered=bad["considered"])
    refused(verify, alone, 7, r"made again it differs")


def test_same_statement_twice_counts_where_it_stands_first(story):
    """A claim published by two members is one claim, at the first origin and index."""
    tale = story(members=("ALFA", "BRAVO")).evidence()
    claim = next(b["envelope"] for b in tale.a.bodies.values() if "envelope" in b)
    envelope = copy.deepcopy(claim)
    id_ = tale.a.append("BRAVO", "ledger", {"envelope": envelope})
    considered = {entry["id"]: (entry["origin"], entry["index"]) for entry in tale.decide()["considered"]}
    assert considered[id_] == min(tale.a.where[id_])
    tale.check()


def test_high_criticality_asks_for_more(alone):
    """At criticality 3 a legal review is asked for and owed; without a person in the loop the red line is crossed."""
    decision = alone.decide(use={"criticality": 3, "human": "out"})
    assert (row(decision, "legal")["state"], row(decision, "legal")["owed_by"]) == ("unmet", "supplier")
    assert [line["state"] for line in decision["red_lines"]] == ["clear", "crossed"]
    assert decision["verdict"] == "refused"
    assert any(line.split() == ["crossed", "human"] for line in verify_lines(alone))


def verify_lines(tale):
    return list(tale.v.render(tale.check()))


def test_alliance_of_one_says_that_nobody_witnessed(alone):
    """Its own clock is all there is, and the decision says so."""
    assert alone.decide()["label"] == "unwitnessed, own clock"


# -- the view


def test_view_of_heads_that_nobody_cosigned_is_refused(verify, alone):
    """A decision stands on heads that step 3 has checked; fails when the view is believed."""
    alone.decide()
    alone.a.older.clear()
    refused(verify, alone, 7, r"view, alfa\.example/ledger: no head at size 3")


def test_view_that_claims_a_later_time_than_its_heads_is_refused(verify, alone):
    """Freshness comes from cosignatures, not from the view's word; fails when the times are not compared."""
    honest = alone.a.view

    def boastful():
        view = honest()
        view["heads"]["alfa.example/notices"]["time"] = alone.b.at(alone.a.now + 200)
        return view

    alone.a.view = boastful
    alone.decide()
    alone.a.now -= 60
    refused(verify, alone, 7, r"alfa\.example/notices: cosigned .* not as late as")


@pytest.mark.parametrize("origin", ["alfa.example/record", "stranger.example/ledger"])
def test_view_of_a_ledger_that_is_not_shared_is_refused(verify, alone, origin):
    """A view is of the charter's shared ledgers and of no other."""
    honest = alone.a.view

    def wide():
        view = honest()
        view["heads"][origin] = view["heads"]["alfa.example/ledger"]
        return view

    alone.a.view = wide
    alone.decide()
    refused(verify, alone, 7, r"no shared ledger in the bundle")


def test_view_from_after_the_decision_is_refused(verify, alone):
    """A decision that is dated back cannot have seen its view; fails without the bound of 300 s."""
    alone.decide(as_of=alone.b.at(alone.a.now - 301))
    refused(verify, alone, 7, r"cosigned after the time of the decision")


def test_stale_view_refuses(alone):
    """A head older than the charter allows refuses, and is named."""
    honest = alone.a.view

    def stale():
        view = honest()
        del view["heads"]["alfa.example/notices"]
        return view

    alone.a.view = stale
    decision = alone.decide()
    assert (decision["stale"], decision["verdict"]) == (["alfa.example/notices"], "refused")
    alone.check()


def test_decision_about_another_release_than_its_subject_is_refused(verify, alone):
    """The statement's subject is the decision's."""
    alone.decide(subject={"digest": RELEASE, "name": "recon 8"})
    refused(verify, alone, 7, r"of another subject")


# -- names


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda b: b["names"].remove("model:resnet"), "name set"),
        (lambda b: b["names"].append("model:zzz"), "name set"),
        (lambda b: b.update(as_of=None), "without a time"),
        (lambda b: b.update(as_of="2030-01-01T00:00:00Z"), "too old to speak for"),
        (lambda b: b["ledgers"].pop(1), "missing, so it may hold any notice"),
    ],
)
def test_absence_of_notices_is_not_stated_by_less(verify, alone, change, reason):
    """All names, all notices ledgers, and heads that are fresh enough; each fails when its check is removed."""
    alone.decide()
    bundle = alone.bundle()
    if "missing" in reason:
        bundle["decisions"], bundle["objects"], bundle["names"] = [], [], []
    change(bundle)
    refused(verify, alone, 8, reason, bundle)


def test_proof_without_the_secret_cannot_speak_of_notices(verify, alone):
    """Blinded names cannot be looked up without it."""
    alone.decide()
    refused(verify, alone, 7, r"without the alliance secret", alone.bundle(alliance_secret=None))
    alone.decisions.clear()
    bundle = alone.bundle(alliance_secret=None)
    refused(verify, alone, 8, r"without the alliance secret", bundle)


# -- receipts


@pytest.fixture
def gate(story):
    """Two members, an admission and a mandate that asks for approvals of two operators."""
    tale = story(members=("ALFA", "BRAVO")).evidence()
    tale.decide()
    return tale.mandate()


def test_release_with_two_approvals_holds(gate):
    """The honest case, with the people named; a denial needs nothing."""
    action = gate.action()
    given = [gate.approve(member, action) for member in ("ALFA", "BRAVO")]
    gate.receipt("denied", gate.action(1), []).receipt("released", action, given).anchor()
    [release] = gate.check()["releases"]
    assert (release["place"], release["approved_by"]) == (
        "alfa.example/record#1",
        ["ben@ALFA of ALFA", "ben@BRAVO of BRAVO"],
    )


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ({}, None),
        ({"answer": "refuse"}, "refuses"),
        ({"hold": "other"}, "another hold"),
        ({"gate": "other"}, "another gate"),
        ({"mandate": "sha256:" + "0" * 64}, "another mandate"),
        ({"expires": "2026-09-21T14:13:20Z"}, "expired 2026-09-21T14:13:20Z"),
    ],
)
def test_approval_is_for_exactly_this_action_and_time(verify, gate, spoil, reason):
    """Each field is compared; each case fails when its comparison is removed."""
    action = gate.action()
    given = [gate.approve("ALFA", action), gate.approve("BRAVO", action, **spoil)]
    gate.receipt("released", action, given).anchor()
    if reason:
        refused(verify, gate, 9, reason)
    else:
        gate.check()


def test_approval_of_another_action_is_refused(verify, gate):
    """The bytes signed are the bytes released; fails when the digest is not compared."""
    action = gate.action()
    given = [gate.approve("ALFA", action), gate.approve("BRAVO", gate.action(1))]
    gate.receipt("released", action, given).anchor()
    refused(verify, gate, 9, r"is for another action")


def test_one_operator_cannot_approve_twice(verify, gate):
    """Two approvals by one operator are one; fails when approvals are counted."""
    action = gate.action()
    gate.receipt("released", action, [gate.approve("ALFA", action) for _ in range(2)]).anchor()
    refused(verify, gate, 9, r"used before|approved by 1 operators")


def test_approval_is_used_once(verify, gate):
    """The same approvals for a second release are a replay; fails when uses are not remembered."""
    action = gate.action()
    given = [gate.approve(member, action) for member in ("ALFA", "BRAVO")]
    gate.receipt("released", action, given).receipt("released", action, given).anchor()
    refused(verify, gate, 9, r"record#1: approval .* was used before, by alfa\.example/record#0")


@pytest.mark.parametrize("event", ["released", "permitted"])
def test_release_without_approvals_is_refused(verify, gate, event):
    """A rule that asks for approvals is not met by none, whatever the event is called."""
    gate.receipt(event, gate.action(), []).anchor()
    refused(verify, gate, 9, r"approved by 0 operators, too few: slew")


def test_release_shows_the_action_that_was_approved(verify, gate):
    """A receipt that shows another action than it names is refused."""
    action = gate.action()
    given = [gate.approve(member, action) for member in ("ALFA", "BRAVO")]
    gate.receipt("released", action, given, body=gate.action(1)).anchor()
    refused(verify, gate, 9, r"not the one named")


def test_release_under_an_unknown_mandate_or_rule_is_refused(verify, gate):
    """No mandate, no release."""
    gate.receipt("permitted", gate.action(), [], rule="other").anchor()
    refused(verify, gate, 9, r"the rule other of it, is not in the bundle")


def test_record_without_an_anchor_is_refused(verify, gate):
    """A record whose owner never stood for it proves nothing."""
    gate.receipt("denied", gate.action(), [])
    refused(verify, gate, 9, r"no record-head")


def test_record_that_was_cut_or_rewritten_is_refused(verify, gate):
    """Receipts past the anchor are said to be so; fewer, or others, than anchored are refused."""
    gate.receipt("denied", gate.action(), []).anchor().receipt("denied", gate.action(1), [])
    assert any("receipts from 1 on are not anchored" in line for line in gate.check()["not_shown"])
    cut = gate.a.leaves["alfa.example/record"].pop(0)
    gate.a.bodies.pop(cut[1:33])
    refused(verify, gate, 9, r"not the receipts that")


def test_record_shorter_than_its_anchor_is_refused(verify, gate):
    """Its owner stood for five receipts and one is here; fails when the anchor's size is not compared."""
    gate.receipt("denied", gate.action(), []).anchor(size=5)
    refused(verify, gate, 9, r"anchors 5 receipts, 1 are here")

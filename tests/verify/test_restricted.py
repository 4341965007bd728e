"""Caveats and kept-back evidence in signed bundles: made again byte for byte, and found when tampered with."""

import copy

import pytest

RELEASE = "sha256:" + "51" * 32
RULE = {
    "id": "no-watch", "text": "not with us", "on": "admit", "accountable": "board", "principle": [], "serves": [],
    "forbid": [{"field": "criticality", "op": ">=", "value": 1}],
}  # fmt: skip


@pytest.fixture
def alone(story):
    """An alliance of one with its evidence published."""
    return story(members=("ALFA",)).evidence()


def caveat(tale, **fields):
    said = {"name": "ours", "rules": [RULE], "cedar": None} | fields
    envelope = tale.a.notice("caveat", "ALFA", "caveat:ALFA", **said)
    return envelope, tale.a.append("ALFA", "notices", {"envelope": envelope}, "caveat:ALFA")


def test_a_caveat_is_judged_again(verify, alone):
    """The refusal by a member's rule holds in the proof, and says whose rule it was."""
    _, id_ = caveat(alone)
    decision = alone.decide()
    rules = [{"id": "no-watch", "state": "crossed"}]
    assert decision["caveats"] == [{"cedar": None, "member": "ALFA", "rules": rules, "statement": id_}]
    assert decision["verdict"] == "refused"
    assert alone.check()["decisions"][0]["verdict"] == "refused"


def test_a_decision_that_passes_over_a_caveat_is_found(verify, alone):
    """Recorded as admitted with the caveat left out: the proof is refused. Fails when caveats are taken as recorded."""
    caveat(alone)
    alone.decide(caveats=[], verdict="admitted")
    with pytest.raises(verify.Refused, match="made again it differs"):
        alone.check()


def test_what_a_free_policy_said_is_taken_as_recorded_and_told(verify, alone):
    """One field is not made again: its maker's engine said it. The verdict follows from it, and the report tells."""
    _, id_ = caveat(alone, rules=[], cedar="forbid (principal, action, resource);")
    decision = alone.decide(free={id_: "crossed"})
    assert (decision["caveats"][0]["cedar"], decision["verdict"]) == ("crossed", "refused")
    assert any("free Cedar policies in caveats" in line for line in alone.check()["not_shown"])
    alone.decide(free={id_: "crossed"}, verdict="admitted")
    with pytest.raises(verify.Refused, match="made again it differs"):
        alone.check()


def test_a_kept_back_leaf_refuses_and_cannot_be_left_out_of_the_decision(verify, alone):
    """Its leaf alone is shown, and counts as failing; a decision that does not list it is found."""
    a = alone.a
    fields = {"of": "legal", "outcome": "against", "text": "", "report": None}
    envelope = a.statement("review", "ALFA", fields, [("recon 7", RELEASE)], a.keys["ALFA", "ada"])
    a.append("ALFA", "ledger", {"envelope": envelope}, held=False)
    decision = alone.decide()
    assert [(one["kind"], one["state"]) for one in decision["unheld"]] == [("review", "unheld")]
    assert decision["verdict"] == "refused"
    assert alone.check()["decisions"][0]["verdict"] == "refused"
    alone.decide(unheld=[], verdict="admitted")
    with pytest.raises(verify.Refused, match="made again it differs"):
        alone.check()


def test_evidence_under_a_leaf_that_is_not_its_own_is_refused(verify, alone):
    """Filed as something else, a body could be kept back later without anybody missing it. Fails without the check."""
    a = alone.a
    bundle = copy.deepcopy(a.bundle([], [], None))
    assert verify.verify_proof(a.charter_file(), verify.canonical(bundle), a.now)["verdict"] == "verified"
    fields = {"of": "legal", "outcome": "against", "text": "", "report": None}
    envelope = a.statement("review", "ALFA", fields, [("recon 7", RELEASE)], a.keys["ALFA", "ada"])
    a.append("ALFA", "ledger", {"envelope": envelope}, "evidence:review:sha256:" + "00" * 32)
    with pytest.raises(verify.Refused, match="is not its leaf"):
        verify.verify_proof(a.charter_file(), verify.canonical(a.bundle([], [], None)), a.now)

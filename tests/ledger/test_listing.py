"""Bad news that counts, that was taken back, that lapsed: what takes it away, and that nothing less does.

Five members, one may be dishonest, four cosign a head. Heads are an hour old, notices as old as is said.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from decisions import DAY, NAMES, RELEASE, Paper, pack_charter, row
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.ledger.view import NoticeLeaf
from watchword.statements.digests import D, blinded

TARGET = f"release:{RELEASE.digest}"
HOUR = timedelta(hours=1)
QUORUM = {"faulty": 1, "ratify": 4, "witness": 4}


@pytest.fixture
def paper() -> Paper:
    """A release that is admitted, in an alliance of which one member may be dishonest."""
    paper = Paper(pack_charter(quorum=QUORUM))
    paper.sound()
    return paper


def listed(paper: Paper) -> list[str]:
    """The kinds of the notices against anything, and that the verdict is what they make it."""
    decision = paper.decide()
    kinds = [one["kind"] for one in decision["notices"]]
    stopped = bool({"recall", "unheld"} & set(kinds)) or any(one["failing"] for one in decision["requirements"])
    assert (decision["verdict"] == "refused") == stopped
    return kinds


def id_of(leaf: Any) -> str:
    return str(leaf.signed.statement.id)


def back(paper: Paper, notice: str, *names: str, target: str = TARGET) -> None:
    for name in names:
        paper.notice("take-back", name, target, notice=notice)


# -- lapsing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("age", "kind"), [(72 * HOUR, "recall"), (73 * HOUR, "lapsed")])
def test_bad_news_of_one_voice_lapses_after_72_hours_of_silence(paper: Paper, age: timedelta, kind: str) -> None:
    """Heads are an hour old: a lane that ended within that hour may have been confirmed, unseen."""
    paper.notice("recall", "BRAVO", TARGET, age=age)
    assert listed(paper) == [kind]


def test_a_lapse_needs_every_notices_ledger_to_have_been_silent(paper: Paper) -> None:
    """A member unheard since the lane's end may have confirmed it; fails when only the clock is asked."""
    paper.notice("recall", "BRAVO", TARGET, age=80 * HOUR)
    paper.head_age["echo.example/notices"] = 9 * HOUR
    assert listed(paper) == ["recall"]
    paper.head_age["echo.example/notices"] = 8 * HOUR
    assert listed(paper) == ["lapsed"]


def test_more_operators_than_may_be_dishonest_confirm_for_good(paper: Paper) -> None:
    """f + 1 of them hold one honest word; another person of the same operator adds nothing."""
    paper.notice("recall", "BRAVO", TARGET, age=90 * DAY)
    paper.notice("recall", "BRAVO", TARGET, age=50 * DAY, role="evaluator")
    assert listed(paper) == ["lapsed", "lapsed"]
    paper.notice("recall", "CHARLIE", TARGET, age=10 * DAY)
    assert listed(paper) == ["recall"] * 3


def test_a_confirmation_counts_from_any_channel(paper: Paper) -> None:
    """In no ledger yet: what keeps bad news alive is bad news."""
    paper.notice("recall", "BRAVO", TARGET, age=9 * DAY)
    paper.loose.append(paper.bad_news("recall", "CHARLIE", TARGET, age=9 * DAY))
    assert listed(paper) == ["recall", "recall"]


def test_repeating_it_does_not_make_it_last(paper: Paper) -> None:
    """One lane in 30 days for one operator and name, in its ledger or loose; fails without the memory of lanes."""
    paper.notice("recall", "BRAVO", TARGET, age=30 * DAY)
    paper.notice("recall", "BRAVO", TARGET, age=2 * DAY)
    paper.loose.append(paper.bad_news("recall", "BRAVO", TARGET, age=1 * HOUR))
    assert listed(paper) == ["lapsed"] * 3


def test_a_new_lane_begins_after_30_days(paper: Paper) -> None:
    """What one member found a month later is heard again, for 72 hours."""
    paper.notice("recall", "BRAVO", TARGET, age=32 * DAY)
    paper.notice("recall", "BRAVO", TARGET, age=2 * DAY)
    assert listed(paper) == ["lapsed", "recall"]


def test_a_notice_that_is_dated_back_later_silences_nothing(paper: Paper) -> None:
    """Who regrets its recall cannot end it alone by filing an older one after it; fails when dates order lanes."""
    paper.notice("recall", "BRAVO", TARGET, age=1 * DAY)
    paper.notice("recall", "BRAVO", TARGET, age=9 * DAY)
    assert listed(paper) == ["recall", "lapsed"]


def test_a_dispute_lapses_and_evidence_stands_again(paper: Paper) -> None:
    """The same for disputes."""
    target = f"statement:{paper.statements[2].signed.statement.id}"
    paper.notice("dispute", "CHARLIE", target, age=2 * DAY)
    assert listed(paper) == ["dispute"]
    paper = Paper(paper.charter)
    paper.sound()
    paper.notice("dispute", "CHARLIE", target, age=4 * DAY)
    assert listed(paper) == ["lapsed"]


@pytest.mark.parametrize(
    ("kind", "issuer"), [("recall", "AQUILA"), ("retract", "ALFA"), ("revoke", "ALFA"), ("unheld", "BRAVO")]
)
def test_what_is_the_issuers_own_does_not_lapse(paper: Paper, kind: str, issuer: str) -> None:
    """A supplier's recall, a retraction, a revocation; nor a notice that nobody can read."""
    inspection = paper.statements[2].signed
    target = {"retract": f"statement:{inspection.statement.id}", "revoke": f"key:{inspection.key_id}"}.get(kind, TARGET)
    paper.notice("recall" if kind == "unheld" else kind, issuer, target, age=900 * DAY, held=kind != "unheld")
    assert listed(paper) == [kind]


def test_where_nobody_may_be_dishonest_one_voice_is_enough() -> None:
    """With ``faulty`` 0 nothing lapses."""
    paper = Paper()
    paper.sound()
    paper.notice("recall", "BRAVO", TARGET, age=900 * DAY)
    assert listed(paper) == ["recall"]


# -- taking back ----------------------------------------------------------------------------------


def test_as_many_operators_as_cosign_a_head_take_bad_news_back(paper: Paper) -> None:
    """Three of four do not; four do. The issuer has one voice like any other."""
    recall = paper.notice("recall", "BRAVO", TARGET)
    paper.notice("recall", "CHARLIE", TARGET)
    back(paper, id_of(recall), "ALFA", "BRAVO", "DELTA")
    assert listed(paper).count("recall") == 2
    back(paper, id_of(recall), "DELTA")
    assert listed(paper).count("recall") == 2
    back(paper, id_of(recall), "ECHO")
    assert sorted(listed(paper)) == ["recall", *["take-back"] * 5, "taken-back"]


def test_all_of_it_taken_back_admits_again(paper: Paper) -> None:
    """The only way from a refusal for bad news back to an admission of the same release."""
    back(paper, id_of(paper.notice("recall", "BRAVO", TARGET)), "ALFA", "BRAVO", "CHARLIE", "DELTA")
    assert paper.decide()["verdict"] == "admitted"


def test_taking_back_counts_only_in_the_view(paper: Paper) -> None:
    """It is good news: received by itself it is nothing; fails when loose statements of this kind are counted."""
    recall = id_of(paper.notice("recall", "BRAVO", TARGET))
    back(paper, recall, "ALFA", "BRAVO", "CHARLIE")
    paper.loose.append(paper.bad_news("take-back", "DELTA", TARGET, notice=recall))
    assert listed(paper).count("recall") == 1


@pytest.mark.parametrize("how", ["other name", "no standing", "body withheld", "other notice", "supplier"])
def test_voices_that_are_none_take_nothing_back(paper: Paper, how: str) -> None:
    """Three good ones, and a fourth that does not count."""
    recall = id_of(paper.notice("recall", "BRAVO", TARGET))
    back(paper, recall, "ALFA", "BRAVO", "CHARLIE")
    if how == "other name":
        back(paper, recall, "DELTA", target="supplier:AQUILA")
    elif how == "other notice":
        back(paper, "sha256:" + "00" * 32, "DELTA")
    else:
        by = "AQUILA" if how == "supplier" else "DELTA"
        paper.notice(
            "take-back", by, TARGET, notice=recall, held=how != "body withheld", standing=how != "no standing"
        )
    assert "recall" in listed(paper)


@pytest.mark.parametrize("kind", ["retract", "dispute", "revoke", "unheld"])
def test_a_take_back_falls_as_evidence_does(paper: Paper, kind: str) -> None:
    """With the fourth voice retracted, disputed or its key revoked the recall counts again."""
    recall = id_of(paper.notice("recall", "BRAVO", TARGET))
    back(paper, recall, "ALFA", "BRAVO", "CHARLIE")
    last = paper.notice("take-back", "DELTA", TARGET, notice=recall)
    assert "recall" not in listed(paper)
    assert last.signed is not None
    statement, key = f"statement:{id_of(last)}", f"key:{last.signed.key_id}"
    by = {"retract": "DELTA", "dispute": "CHARLIE", "revoke": "DELTA", "unheld": "ECHO"}[kind]
    paper.notice(
        "dispute" if kind == "unheld" else kind, by, key if kind == "revoke" else statement, held=kind != "unheld"
    )
    assert "recall" in listed(paper)


def test_a_retraction_or_revocation_is_not_taken_back(paper: Paper) -> None:
    """Nobody makes another's word stand that its issuer took back."""
    target = f"statement:{paper.statements[2].signed.statement.id}"
    retraction = paper.notice("retract", "ALFA", target)
    back(paper, id_of(retraction), *NAMES, target=target)
    assert "retract" in listed(paper)
    assert row(paper.decide(), "inspected")["failing"]


def test_a_notice_that_nobody_can_read_is_taken_back_by_its_leaf(paper: Paper) -> None:
    """A member that withholds a body stops everybody until the others call the leaf by its commitment."""
    commitment = bytes(range(32))
    paper.leaves.append(NoticeLeaf("echo.example/notices", 7, blinded(b"s" * 32, TARGET), None, None, commitment))
    assert listed(paper) == ["unheld"]
    back(paper, f"sha256:{commitment.hex()}", "ALFA", "BRAVO", "CHARLIE", "DELTA")
    assert "unheld" not in listed(paper)


def test_a_body_that_is_no_statement_is_shown_and_does_not_count(paper: Paper) -> None:
    """Its commitment matches and nothing in it can be read as bad news."""
    paper.leaves.append(
        NoticeLeaf("echo.example/notices", 7, blinded(b"s" * 32, TARGET), None, None, b"\1" * 32, is_junk=True)
    )
    assert listed(paper) == ["no-standing"]


# -- polarity -------------------------------------------------------------------------------------

VOICES = st.lists(
    st.tuples(
        st.sampled_from(["recall", "dispute", "take-back"]), st.sampled_from(NAMES), st.integers(0, 40), st.booleans()
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(voices=VOICES, more=st.tuples(st.sampled_from(["recall", "dispute"]), st.sampled_from(NAMES), st.integers(0, 9)))
def test_one_more_voice_of_bad_news_never_admits(voices: list[Any], more: Any) -> None:
    """I2: whatever was said before, a further notice turns no refusal into an admission.

    But for one: who sends bad news and files it nowhere, and then files an older one, unsays its own.
    """
    voices = [one for one in voices if not (one[3] and one[1] == more[1])]
    paper = Paper(pack_charter(quorum=QUORUM))
    paper.sound()
    first = ""
    for kind, name, days, loose in voices:
        fields = {"notice": first or D(b"")} if kind == "take-back" else {}
        if loose and kind != "take-back":
            paper.loose.append(paper.bad_news(kind, name, TARGET, age=days * DAY))
        else:
            leaf = paper.notice(kind, name, TARGET, age=days * DAY, **fields)
            first = first or (id_of(leaf) if kind == "recall" else "")
    before = paper.decide()["verdict"]
    paper.notice(more[0], more[1], TARGET, age=more[2] * DAY)
    if before == "refused":
        assert paper.decide()["verdict"] == "refused"

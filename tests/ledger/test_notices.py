"""Names of bad news, and who may say it."""

from __future__ import annotations

import pytest
from charters import STANDING, UNQUERIED, charter_value, key, signed

from watchword.charter.charter import parse_charter
from watchword.charter.standing import NoStanding
from watchword.ledger.notices import BadName, check_name, filed_under, name_set, standing_of_notice, target_of
from watchword.statements.digests import D
from watchword.statements.statement import Signed, Subject

DIGEST = "sha256:" + "9c" * 32


def notice(kind: str, target: str, issuer: str = "ALFA", role: str = "official", **fields: object) -> Signed:
    subject = Subject("notice", D(target.encode()))
    return signed(kind, {"target": target, "reason": "because"} | fields, issuer, role, subject)


@pytest.mark.parametrize(
    "name",
    [
        f"release:{DIGEST}",
        "component:pkg:pypi/onnx@1",
        "package:pkg:pypi/onnx",
        "model:base",
        f"dataset:{DIGEST}",
        "supplier:AQUILA",
        f"key:{DIGEST}",
        f"statement:{DIGEST}",
        "caveat:BRAVO",
        f"charter:{DIGEST}",
        f"exercise:release:{DIGEST}",
        "exercise:package:pkg:pypi/onnx",
    ],
)
def test_names_have_one_of_the_forms_of_the_protocol(name: str) -> None:
    """What section 7 lists is a name, and a dispute of it is filed under it."""
    check_name(name)
    assert target_of(notice("dispute", name)) == name


@pytest.mark.parametrize(
    "name",
    [
        "", "release:", "release:abc", f"RELEASE:{DIGEST}", DIGEST, "key:AQUILA", f"release:{DIGEST.upper()}", "x:y",
        "model:", "package:", "caveat:", "exercise:", "exercise:release:abc", "exercise:caveat:BRAVO",
        "exercise:model:", f"exercise:exercise:release:{DIGEST}",
    ],
)  # fmt: skip
def test_other_texts_are_no_names(name: str) -> None:
    """A recall of a misspelt name would match nothing, so it is refused when it is made and when it is taken in."""
    with pytest.raises(BadName):
        check_name(name)
    with pytest.raises(BadName):
        target_of(notice("dispute", name))


def test_the_name_set_covers_all_that_a_decision_relied_on() -> None:
    """Release, components by digest and purl, base models, data sets, deliveries, supplier, statements and keys."""
    claim = signed(
        "claim",
        {
            "system": "m", "release": "1", "supplier_contact": "", "trained_on": [], "tested": [],
            "known_weaknesses": [], "support_until": None,
        },
        "AQUILA", "supplier",
    )  # fmt: skip
    other = "sha256:" + "22" * 32
    bill = signed(
        "bill-of-materials",
        {
            "format": "CycloneDX 1.6", "system": "m", "release": "1",
            "components": [
                {"name": "a", "version": "1", "purl": "pkg:pypi/a@1", "digest": None},
                {"name": "b", "version": "1", "purl": None, "digest": other},
            ],
            "base_models": ["base"], "datasets": [{"name": "d", "digest": other}],
            "document": {"bytes": 0, "commitment": other, "media_type": "x", "name": "y"},
        },
    )  # fmt: skip
    delivered = "sha256:" + "33" * 32
    screening = signed(
        "data-screening",
        {
            "tool": {"name": "t", "version": "1"}, "dataset": "d", "delivered": delivered, "previous": None, "rows": 0,
            "added": 0, "removed": 0, "changed_features": 0, "changed_labels": 0, "reordered": 0, "annotators": [],
            "report": None,
        },
        role="steward",
    )  # fmt: skip
    statements = [claim, bill, screening]
    charter = parse_charter(charter_value())
    assert name_set(charter, DIGEST, statements) == tuple(
        sorted(
            {
                "caveat:ALFA", "caveat:BRAVO", "caveat:CHARLIE", f"charter:{charter.digest}",
                f"release:{DIGEST}", "component:pkg:pypi/a@1", "package:pkg:pypi/a", f"component:{other}", "model:base",
                    f"dataset:{other}",
                f"dataset:{delivered}", "supplier:AQUILA",
                *(f"statement:{one.statement.id}" for one in statements), *(f"key:{one.key_id}" for one in statements),
            }
        )
    )  # fmt: skip


def test_only_its_issuer_retracts_a_statement() -> None:
    """By another member, of something not held, of a release: no standing. Fails without the special rule."""
    charter = parse_charter(charter_value())
    target = signed("review", {"of": "legal", "outcome": "in favour", "text": "", "report": None}, "ALFA", "official")
    held = {target.statement.id: target}
    name = f"statement:{target.statement.id}"
    assert standing_of_notice(charter, notice("retract", name), held.get).owner == "ALFA"
    for bad in (notice("retract", name, "BRAVO"), notice("retract", f"release:{DIGEST}")):
        with pytest.raises(NoStanding):
            standing_of_notice(charter, bad, held.get)
    with pytest.raises(NoStanding):
        standing_of_notice(charter, notice("retract", name), lambda _: None)


def test_only_its_owner_s_root_key_revokes_a_key() -> None:
    """Another member's root key, or the owner's official: no standing."""
    charter = parse_charter(charter_value())
    name = f"key:{key('ALFA', 'gate').public.id}"

    def revocation(issuer: str, role: str, target: str = name) -> Signed:
        return notice("revoke", target, issuer, role, valid_up_to=[])

    assert standing_of_notice(charter, revocation("ALFA", "root"), lambda _: None).job == "root"
    for bad in (
        revocation("BRAVO", "root"),
        revocation("ALFA", "official"),
        revocation("ALFA", "root", f"key:{DIGEST}"),
    ):
        with pytest.raises(NoStanding):
            standing_of_notice(charter, bad, lambda _: None)


def test_a_notice_about_something_else_than_its_target_is_none() -> None:
    """Its subject is the digest of its target: a notice signed for another purpose cannot be passed off as bad news."""
    target = f"release:{DIGEST}"
    wrong = signed("dispute", {"target": target, "reason": "because"}, "ALFA", "official")
    with pytest.raises(BadName, match="subject"):
        target_of(wrong)
    assert target_of(notice("dispute", target)) == target


def test_what_is_no_notice_has_no_target_and_no_such_leaf() -> None:
    """A review is filed under its release, so that who must weigh it sees that it is there; a decision, or a review
    that two members keep to themselves, under nothing."""
    review = {"of": "legal", "outcome": "against", "text": "", "report": None}
    alone = {"target": f"release:{DIGEST}", "reason": "because"}
    with pytest.raises(BadName, match="review is not a notice"):
        target_of(signed("review", review, "ALFA", "official"))
    assert filed_under(signed("review", review, "ALFA", "official").statement) == f"evidence:review:{DIGEST}"
    assert filed_under(signed("review", review | {"scope": ["ALFA", "BRAVO"]}, "ALFA", "official").statement) is None
    assert filed_under(signed("stop", {"reason": "x"}, "ALFA", "official").statement) is None
    assert filed_under(notice("dispute", alone["target"]).statement) == alone["target"]
    with pytest.raises(BadName):
        filed_under(notice("dispute", "release:abc").statement)


@pytest.mark.parametrize(
    ("kind", "target", "more"),
    [
        ("dispute", "caveat:BRAVO", {}),
        ("dispute", f"charter:{DIGEST}", {}),
        ("dispute", "exercise:model:base", {}),
        ("recall", "caveat:ALFA", UNQUERIED | {"actions": [], "deadline": None}),
    ],
)
def test_names_that_every_decision_looks_at_are_kept_for_their_own_kinds(
    kind: str, target: str, more: dict[str, object]
) -> None:
    """One voice against a caveat, a charter or an exercise would stop every use; fails without ``says_rightly``."""
    charter = parse_charter(charter_value())
    with pytest.raises(NoStanding, match="not filed under"):
        standing_of_notice(charter, notice(kind, target, **more), lambda _: None)
    assert standing_of_notice(charter, notice("dispute", "model:base"), lambda _: None).owner == "ALFA"


def test_an_exercise_and_what_takes_bad_news_back_stand_there_all_the_same() -> None:
    """A recall exercises a recall; a take-back of a caveat is filed where the caveat is."""
    charter = parse_charter(charter_value())
    exercise = notice("recall", "exercise:model:base", **UNQUERIED, actions=[], deadline=None)
    for said in (exercise, notice("take-back", "caveat:BRAVO", notice=DIGEST)):
        assert standing_of_notice(charter, said, lambda _: None).owner == "ALFA"


def test_a_caveat_is_filed_under_its_issuer_alone() -> None:
    """Under another member's name, or under a release, it is that member's word, or bad news in a caveat's dress."""
    charter = parse_charter(charter_value(standing=STANDING | {"lift": ["official"]}))
    for target, right in (("caveat:ALFA", True), ("caveat:BRAVO", False), (f"release:{DIGEST}", False)):
        said = notice("lift", target, notice=DIGEST)
        if right:
            assert standing_of_notice(charter, said, lambda _: None).owner == "ALFA"
        else:
            with pytest.raises(NoStanding, match="not filed under"):
                standing_of_notice(charter, said, lambda _: None)


def test_a_supplier_takes_no_bad_news_back() -> None:
    """Not even where a charter's table lets it: it would lift what was found against it. A recall of its own stands."""
    charter = parse_charter(charter_value(standing=STANDING | {"take-back": ["official", "supplier"]}))
    target = f"release:{DIGEST}"
    with pytest.raises(NoStanding, match="a supplier takes no bad news back"):
        standing_of_notice(charter, notice("take-back", target, "AQUILA", "supplier", notice=DIGEST), lambda _: None)
    recall = notice("recall", target, "AQUILA", "supplier", **UNQUERIED, actions=[], deadline=None)
    assert standing_of_notice(charter, recall, lambda _: None).is_supplier


def test_a_revocation_names_a_key() -> None:
    """Of a release or a statement it revokes nothing, and is refused, whoever signed it."""
    charter = parse_charter(charter_value())
    for named in (f"release:{DIGEST}", f"statement:{key('ALFA', 'gate').public.id}"):
        with pytest.raises(NoStanding, match="revoke by ALFA"):
            standing_of_notice(charter, notice("revoke", named, "ALFA", "root", valid_up_to=[]), lambda _: None)


def test_a_ratification_is_filed_under_the_charter_it_replaces() -> None:
    """Whoever decides under the old one looks there. Its subject is the new charter; a first one is filed nowhere."""
    fields = {"version": 2, "parent": DIGEST, "effective": "2026-03-01T00:00:00Z"}
    following = signed("ratification", fields, "ALFA", "root", Subject("charter 2", "sha256:" + "44" * 32))
    assert target_of(following) == filed_under(following.statement) == f"charter:{DIGEST}"
    first = signed("ratification", fields | {"version": 1, "parent": None}, "ALFA", "root")
    with pytest.raises(BadName):
        target_of(first)

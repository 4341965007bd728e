"""Names of bad news, and who may say it."""

from __future__ import annotations

import pytest
from charters import charter_value, key, signed

from watchword.charter.charter import parse_charter
from watchword.charter.standing import NoStanding
from watchword.ledger.notices import BadName, check_name, name_set, standing_of_notice, target_of
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
        "model:base",
        f"dataset:{DIGEST}",
        "supplier:AQUILA",
        f"key:{DIGEST}",
    ],
)
def test_names_have_one_of_seven_forms(name: str) -> None:
    """What section 7 lists is a name, and a dispute of it is filed under it."""
    check_name(name)
    assert target_of(notice("dispute", name)) == name


@pytest.mark.parametrize(
    "name",
    ["", "release:", "release:abc", f"RELEASE:{DIGEST}", DIGEST, "key:AQUILA", f"release:{DIGEST.upper()}", "x:y"],
)
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

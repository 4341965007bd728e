"""What stands beside a statement: the word of those whom it is about, and its labels; nothing else."""

from __future__ import annotations

from typing import Any

from charters import NOON, UNQUERIED, charter_value, key
from decisions import FIELDS, RELEASE

from watchword.account.beside import Beside, beside, label
from watchword.charter.charter import parse_charter
from watchword.statements.statement import Statement, Subject, make

CHARTER = parse_charter(charter_value())
LABEL: dict[str, Any] = {
    "policy": "NATO", "classification": "RESTRICTED", "privacy_mark": None, "created": None, "review": None,
    "categories": [{"name": "Releasable to", "type": "permissive", "values": ["GBR", "USA"]},
                   {"name": "Not for", "type": "restrictive", "values": ["industry"]}],
}  # fmt: skip
CLAIM = make("claim", (RELEASE,), FIELDS["claim"], issuer="AQUILA", made=NOON)
INSPECTION = make("inspection", (RELEASE,), FIELDS["inspection"], issuer="ALFA", made=NOON)


def reply(by: str, to: Statement) -> Statement:
    return make("reply", (Subject("statement", to.id),), {"statement": to.id, "text": by}, issuer=by, made=NOON)


def notice(kind: str, target: str, by: str = "ALFA") -> Statement:
    fields: dict[str, Any] = {"target": target, "reason": ""}
    if kind == "recall":
        fields |= {"actions": [], "deadline": None, **UNQUERIED}
    return make(kind, (Subject("notice", "sha256:" + "00" * 32),), fields, issuer=by, made=NOON)


def heard(*held: Statement, about: Statement) -> list[str]:
    return [one.issuer for one in beside(CHARTER, held).get(about.id, Beside()).replies]


def test_the_supplier_of_a_release_may_reply_to_what_is_said_of_it() -> None:
    """Whoever claims the release is heard beside an inspection of it; a member whom it is not about is not."""
    held = (CLAIM, INSPECTION, reply("AQUILA", INSPECTION), reply("BRAVO", INSPECTION))
    assert heard(*held, about=INSPECTION) == ["AQUILA"]
    assert heard(*held[1:], about=INSPECTION) == []


def test_a_notice_is_replied_to_by_whom_it_names() -> None:
    """The supplier named, the supplier of the release, the issuer of the statement, the owner of the key."""
    supplier, release = notice("recall", "supplier:AQUILA"), notice("recall", f"release:{RELEASE.digest}")
    dispute = notice("dispute", f"statement:{INSPECTION.id}", by="BRAVO")
    key_of_bravo = notice("dispute", f"key:{key('BRAVO', 'evaluator').public.id}")
    assert heard(supplier, reply("AQUILA", supplier), about=supplier) == ["AQUILA"]
    assert heard(CLAIM, release, reply("AQUILA", release), reply("BRAVO", release), about=release) == ["AQUILA"]
    assert heard(INSPECTION, dispute, reply("ALFA", dispute), reply("CHARLIE", dispute), about=dispute) == ["ALFA"]
    assert heard(key_of_bravo, reply("BRAVO", key_of_bravo), about=key_of_bravo) == ["BRAVO"]
    answer = reply("AQUILA", INSPECTION)
    assert heard(CLAIM, INSPECTION, answer, reply("ALFA", answer), reply("BRAVO", answer), about=answer) == ["ALFA"]


def test_a_label_stands_beside_what_it_marks() -> None:
    """Whoever may mark, and in one line for people."""
    fields = LABEL | {"statement": INSPECTION.id}
    marking = make("marking", (Subject("statement", INSPECTION.id),), fields, issuer="BRAVO", made=NOON)
    assert beside(CHARTER, [INSPECTION, marking])[INSPECTION.id].lines() == [
        ("marked", "NATO RESTRICTED; Releasable to: GBR, USA; Not for: not industry, by BRAVO")
    ]
    assert beside(CHARTER, [marking]) == {}
    assert label(LABEL | {"privacy_mark": "PERSONAL", "categories": []}) == "NATO RESTRICTED; PERSONAL"

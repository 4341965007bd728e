"""Every answer says what there is, what is needed, who owes it, and what speaks to each principle."""

from __future__ import annotations

from typing import Any

from charters import SECRET
from decisions import DAY, RELEASE, TRIAGE, Paper, pack_charter

from watchword.policy.admission import admit
from watchword.policy.explain import render_text
from watchword.statements.canonical import canonical
from watchword.statements.times import rfc3339


def explained(paper: Paper, **use_case: Any) -> dict[str, Any]:
    arguments = (paper.charter, paper.view(), paper.facts(), rfc3339(paper.now), RELEASE, TRIAGE | use_case)
    return admit(*arguments).explanation


def test_an_admission_reads_as_people_read() -> None:
    """Verdict first, then what is met, then the six principles."""
    paper = Paper()
    paper.sound()
    assert render_text(explained(paper)) == (
        "ADMITTED  mailsort 1.0 (sha256:9c9c…9c9c) for mail-triage\n"
        "  met      supplier-claim, bill-of-materials, inspected, two-inspections, data-accounted\n"
        "\n"
        "  A  Lawfulness                         nothing yet (red lines: no-lone-machine, reviewed-against)\n"
        "  B  Responsibility and accountability  claim ALFA#0 (red lines: recalled, reviewed-against)\n"
        "  C  Explainability and traceability    bill-of-materials ALFA#1, data-screening CHARLIE#0\n"
        "  D  Reliability                        inspection ALFA#2, inspection BRAVO#0, data-screening CHARLIE#0"
        " (red lines: hidden-code, measured-evasion, endpoint-capped, disputed)\n"
        "  E  Governability                      nothing yet (red lines: recalled, no-lone-machine)\n"
        "  F  Bias mitigation                    nothing yet\n"
    )


def test_a_refusal_says_what_is_missing_and_who_owes_it() -> None:
    """There, needed, age and limit; members who have not spoken, or the supplier."""
    paper = Paper()
    paper.say("inspection", "ALFA")
    paper.say("inspection", "BRAVO", age=100 * DAY)
    lines = render_text(explained(paper)).splitlines()
    assert lines[0].startswith("REFUSED  mailsort 1.0")
    assert " ".join(lines[1].split()) == "unmet supplier-claim has 0 of 1 owed by supplier AQUILA"
    assert "  unmet    two-inspections    has 1 of 2 (ALFA)" in lines[3]
    assert lines[3].endswith("owed by 1 of BRAVO, CHARLIE, DELTA, ECHO")
    assert lines[4].endswith("owed by a member")
    assert lines[5] == "  met      inspected"
    paper = Paper()
    paper.say("inspection", "BRAVO", age=100 * DAY)
    rows = {row["id"]: row for row in explained(paper)["requirements"]}
    assert rows["two-inspections"]["why"] == ["has 0 of 2", "newest is 100 days old, limit 90"]


def test_hidden_code_is_named_with_its_offset() -> None:
    """The worst finding of the failing inspection, and the supplier that owes a release without it."""
    paper = Paper()
    paper.sound()
    finding = {"rule": "pickle-call", "verdict": "dangerous", "path": "head.pt:data.pkl", "offset": 0x1A4,
               "message": "loading would call posix.system"}  # fmt: skip
    paper.say("inspection", "DELTA", verdict="dangerous", dangerous=1, findings=[finding])
    text = render_text(explained(paper))
    assert "inspected        DELTA#0 fails" in text
    assert "owed by supplier AQUILA (a release that passes)" in text
    assert "dangerous[pickle-call] head.pt:data.pkl @ 0x1a4 loading would call posix.system" in text
    assert "crossed  hidden-code" in text and "answers for it: official" in text


def test_the_annotator_behind_changed_labels_is_named() -> None:
    """With how many rows, from the screening that fails."""
    paper = Paper()
    paper.sound()
    paper.say(
        "data-screening", "DELTA", changed_labels=12, annotators=[{"name": "a7", "changed": 12, "rows": 300}]
    )
    text = render_text(explained(paper))
    assert "changed_labels is 12, the bound is <= 0, annotator a7 changed 12 of 300 rows" in text


def test_notices_and_stale_ledgers_are_told() -> None:
    """What, against which name, by whom, where, and why."""
    paper = Paper()
    paper.sound()
    inspection = paper.statements[2].signed.statement.id
    paper.notice("recall", "ECHO", "model:mailsort-base")
    paper.notice("dispute", "ECHO", f"statement:{inspection}")
    paper.notice("dispute", "DELTA", f"release:{RELEASE.digest}", held=False)
    paper.notice("recall", "DELTA", "supplier:AQUILA", standing=False)
    paper.loose.append(paper.bad_news("recall", "BRAVO", "supplier:AQUILA"))
    paper.head_age["bravo.example/ledger"] = 3 * DAY
    text = render_text(explained(paper))
    assert "notice   recall model mailsort-base by ECHO (ECHO/notices#0): it leaks" in text
    assert "notice   dispute statement ALFA#2 by ECHO (ECHO/notices#1): not reproduced" in text
    assert "against release sha256:9c9c…9c9c (DELTA/notices#0): its text is not held here" in text
    assert "notice   without standing: " in text
    assert "recall supplier AQUILA by BRAVO (received directly, in no ledger of this view): it leaks" in text
    assert "stale    bravo.example/ledger: no head of BRAVO's ledger is young enough" in text
    assert "failing  inspection ALFA#2 by ALFA: is disputed" in text


def test_fallen_evidence_speaks_to_no_principle() -> None:
    """Even where no row that applies asks for it: a disputed legal review is not lawfulness."""
    paper = Paper()
    paper.sound()
    review = paper.say("review", "ALFA")
    by_letter = {one["letter"]: one for one in explained(paper)["principles"]}
    assert [one["locator"] for one in by_letter["A"]["evidence"]] == ["ALFA#3"]
    paper.notice("dispute", "ECHO", f"statement:{review.signed.statement.id}")
    by_letter = {one["letter"]: one for one in explained(paper)["principles"]}
    assert by_letter["A"]["evidence"] == []


def test_an_alliance_of_one_says_that_nobody_witnessed_it() -> None:
    """The last line of the text."""
    paper = Paper(pack_charter(("ALFA",)))
    paper.say("claim", "AQUILA")
    assert render_text(explained(paper, criticality=0)).endswith("\nunwitnessed, own clock\n")


def test_a_use_that_nothing_is_asked_of_is_refused_with_words() -> None:
    """A table without rows does not read as if all were met."""
    text = render_text(explained(Paper(pack_charter(requirements=[]))))
    assert text.startswith("REFUSED") and "no requirement applies to this use" in text and "met      nothing" in text


def test_hostile_text_moves_no_cursor() -> None:
    """Escape sequences and direction marks in a reason, a name or a finding are shown, not obeyed."""
    paper = Paper()
    paper.sound()
    paper.loose.append(paper.bad_news("recall", "ECHO", "supplier:AQUILA", reason="\x1b[2J\u202ergb\nADMITTED"))
    text = render_text(explained(paper))
    assert "\x1b" not in text and "\u202e" not in text and "\nADMITTED" not in text
    assert r"\x1b[2J\u202ergb\nADMITTED" in text


def test_the_explanation_is_json_and_holds_no_secret() -> None:
    """It can be canonical JSON, and the alliance secret is nowhere in it."""
    paper = Paper()
    paper.sound()
    data = canonical(explained(paper))
    assert SECRET not in data and SECRET.hex().encode() not in data

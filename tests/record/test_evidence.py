from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from watchword.data import diff_rows, manifest_rows
from watchword.inspect.facts import Finding, Inspection, Verdict
from watchword.limits import STATEMENT_COMPONENTS_MAX
from watchword.record.bill import bill_of_materials
from watchword.record.card import Card
from watchword.record.evidence import (
    bill_fields,
    difference_document,
    first_screening_fields,
    inspection_document,
    inspection_fields,
    screening_fields,
)
from watchword.statements.statement import Subject, make

DIGEST = "sha256:" + "ab" * 32
ATTACHMENT = {"bytes": 7, "commitment": DIGEST, "media_type": "application/json", "name": "x.json"}


def made(kind: str, fields: dict[str, Any]) -> Any:
    """The statement of these fields: it parses only if they are exactly those of the kind."""
    subject = (Subject("recon-vision 7", DIGEST),)
    return make(kind, subject, fields, issuer="BRAVO", made=datetime(2026, 3, 1, tzinfo=UTC)).body


def some_finding(verdict: Verdict, path: str = "head.pt", message: str = "m") -> Finding:
    return Finding("rule", "high", "high", verdict, path, 1, message, "", ())


def test_an_inspection_becomes_a_statement_worst_first(release: Any) -> None:
    """Counts are of files, findings are in order of badness, the statement's own type accepts the fields."""
    release.add("a.pkl", b"a", "pickle", Verdict.DANGEROUS)
    release.add("b.zip", b"bb", "zip", Verdict.UNREADABLE)
    release.add("c.txt", b"ccc")
    release.findings += [
        some_finding(Verdict.SUSPICIOUS),
        some_finding(Verdict.UNREADABLE),
        some_finding(Verdict.DANGEROUS),
    ]
    body = made("inspection", inspection_fields(release.inspection(), ATTACHMENT))
    assert (body.verdict, body.files, body.bytes) == ("dangerous", 3, 6)
    assert (body.dangerous, body.suspicious, body.unreadable) == (1, 0, 1)
    assert [one.verdict for one in body.findings] == ["dangerous", "unreadable", "suspicious"]


def test_ten_thousand_findings_fit_and_the_worst_is_kept(release: Any) -> None:
    """At most 200 are stated; the one dangerous finding that came last is the first stated."""
    release.add("a.pkl", b"a", "pickle", Verdict.DANGEROUS)
    release.findings += [some_finding(Verdict.SUSPICIOUS, message="x" * 5_000) for _ in range(10_000)]
    release.findings.append(some_finding(Verdict.DANGEROUS, path="worst"))
    body = made("inspection", inspection_fields(release.inspection(), None))
    assert len(body.findings) == 200
    assert body.findings[0].path == "worst"


def test_a_name_that_is_not_unicode_can_be_stated(release: Any) -> None:
    """Bytes of a file name that are no UTF-8 are written out, not a crash."""
    release.add("a.pkl", b"a", "pickle")
    release.findings.append(some_finding(Verdict.UNREADABLE, path="bad\udcff.pkl"))
    body = made("inspection", inspection_fields(release.inspection(), None))
    assert body.findings[0].path == "bad\\udcff.pkl"


def test_where_the_release_lay_is_not_told(release: Any) -> None:
    """The path of the folder on this machine is in neither the fields nor the attachment."""
    release.add("a.pkl", b"a", "pickle")
    inspection = release.inspection()
    document = inspection_document(inspection)
    assert json.loads(document)["target"] == "recon-vision-7"
    assert str(release.root.parent) not in document.decode() + str(inspection_fields(inspection, None))


def test_nothing_is_stated_of_a_release_without_a_name() -> None:
    """No manifest, no subject, no statement."""
    with pytest.raises(ValueError, match="manifest"):
        inspection_fields(Inspection("x", Verdict.UNREADABLE, None, (), (), {}), None)


def test_a_bill_becomes_a_statement(release: Any) -> None:
    """Components with digests and package URLs; data sets known by name only stay in the document."""
    release.add("a.pkl", b"a", "pickle", modules=["torch"])
    card = Card(datasets=("border-images-v2",), base_models=("aquila/recon-base",))
    bill = bill_of_materials(
        release.inspection(), card, system="s", release="1", supplier="", made="2026-03-01T09:00:00Z"
    )
    body = made("bill-of-materials", bill_fields(bill, ATTACHMENT, system="s", release="1"))
    assert [(one.name, one.purl) for one in body.components] == [("torch", "pkg:pypi/torch"), ("a.pkl", None)]
    assert body.components[1].digest == f"sha256:{release.entries[0].sha256}"
    assert body.base_models == ["aquila/recon-base"]
    assert body.datasets == []
    assert body.format == "CycloneDX 1.6"


def test_a_bill_of_many_files_keeps_models_first(release: Any) -> None:
    """Past the limit the least telling files are left to the document."""
    for number in range(20):
        release.add(f"f{number:02}.txt", b"%d" % number)
    release.add("z.pkl", b"a", "pickle")
    inspection = release.inspection()
    files = inspection.files * (STATEMENT_COMPONENTS_MAX // 20 + 1)
    big = Inspection("x", inspection.verdict, inspection.manifest, (), files, inspection.tool)
    bill = bill_of_materials(big, Card(), system="s", release="1", supplier="", made="2026-03-01T09:00:00Z")
    fields = bill_fields(bill, ATTACHMENT, system="s", release="1")
    assert len(fields["components"]) == STATEMENT_COMPONENTS_MAX
    assert fields["components"][0]["name"] == "z.pkl"


def rows(path: Path, *lines: str) -> Any:
    path.write_text("id,x,label,who\n" + "\n".join(lines) + "\n")
    return manifest_rows(path, key="id", label="label", source=None, annotator="who")


def test_a_difference_becomes_a_screening(tmp_path: Path) -> None:
    """Changed labels by annotator, changed features, added and removed rows, in the fields that policy reads."""
    old = rows(tmp_path / "old.csv", "1,a,cat,ann", "2,b,dog,ann", "3,c,dog,ben", "4,d,cat,ben", "5,e,cat,ben")
    new = rows(tmp_path / "new.csv", "1,a,dog,ann", "2,B,dog,ann", "3,c,dog,cid", "4,d,cat,ben", "6,f,cat,")
    difference = diff_rows(old, new)
    body = made("data-screening", screening_fields(difference, ATTACHMENT, dataset="border-images"))
    assert (body.rows, body.added, body.removed, body.changed_labels, body.reordered) == (5, 1, 1, 1, 0)
    # Row 2 changed its features, row 3 only its annotator: neither may pass as unchanged.
    assert body.changed_features == 2
    assert (body.annotators[0].name, body.annotators[0].changed) == ("ann", 1)
    assert body.delivered == difference.new.manifest
    assert body.previous == difference.old.manifest
    assert json.loads(difference_document(difference))["schema"] == "watchword-data-difference/1"


def test_a_first_delivery_carries_its_screen(tmp_path: Path) -> None:
    """The whole screen is attached; the counts stay those of a first delivery."""
    manifest = rows(tmp_path / "new.csv", "1,a,dog,ann")
    body = made("data-screening", first_screening_fields(manifest, ATTACHMENT, dataset="border-images"))
    assert (body.rows, body.previous, body.report.name) == (1, None, "x.json")


def test_a_first_delivery_is_screened_without_a_past(tmp_path: Path) -> None:
    """Rows are counted; nothing is said to have been compared."""
    manifest = rows(tmp_path / "new.csv", "1,a,dog,ann")
    body = made("data-screening", first_screening_fields(manifest, dataset="border-images"))
    assert (body.rows, body.previous, body.changed_labels) == (1, None, 0)

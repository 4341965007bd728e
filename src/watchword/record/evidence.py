"""The fields of evidence statements, from what the rooms of evidence return (docs/protocol.md, section 4).

* Findings: at most STATEMENT_FINDINGS_MAX, worst first; the whole inspection is the attachment.
* Paths are relative to the release; where it lay on this machine is nobody's business and is left out.
* A data screening counts each matched row once in each field: ``changed_labels``; ``changed_features``, which also has
  the rows of which nothing but the source or annotator changed, since to say nothing of them would be to vouch for
  them; ``reordered``, the fewest moves that explain the new order.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from watchword import __version__
from watchword.inspect.facts import RANK, Finding, Inspection, Verdict
from watchword.limits import (
    STATEMENT_ANNOTATORS_MAX,
    STATEMENT_COMPONENTS_MAX,
    STATEMENT_FINDINGS_MAX,
    STATEMENT_TEXT_CHARS_MAX,
)
from watchword.record.bill import FORMAT, Bill, Component
from watchword.statements.canonical import canonical

if TYPE_CHECKING:
    from watchword.data import Difference, RowManifest

NO_NAME = "(none)"
"""An annotator where a row names none."""

Attachment = dict[str, Any]


def inspection_document(inspection: Inspection) -> bytes:
    """The whole inspection as JSON, for the attachment: the target by its base name alone."""
    value = inspection.to_json()
    value["target"] = base_name(inspection.target)
    # Not RFC 8785: facts may hold what canonical JSON has no form for; the order of keys is fixed all the same.
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()


def inspection_fields(inspection: Inspection, report: Attachment | None) -> dict[str, Any]:
    """The fields of an ``inspection`` statement. Counts are of files; a finding on no one file shows in the verdict.

    Raises:
        ValueError: the release cannot be named (no manifest), so nothing can be stated about it.
    """
    if inspection.manifest is None:
        raise ValueError("a release without a manifest cannot be the subject of a statement")
    ordered = sorted(inspection.findings, key=lambda finding: -RANK[finding.verdict])
    return {
        "tool": {name: inspection.tool[name] for name in ("name", "version", "rules")},
        "verdict": str(inspection.verdict),
        "files": len(inspection.files),
        "bytes": inspection.manifest.size,
        "dangerous": inspection.count(Verdict.DANGEROUS),
        "suspicious": inspection.count(Verdict.SUSPICIOUS),
        "unreadable": inspection.count(Verdict.UNREADABLE),
        "findings": [_finding(finding) for finding in ordered[:STATEMENT_FINDINGS_MAX]],
        "report": report,
    }


def bill_fields(bill: Bill, document: Attachment, *, system: str, release: str) -> dict[str, Any]:
    """The fields of a ``bill-of-materials`` statement. Past STATEMENT_COMPONENTS_MAX the document alone lists them."""
    listed = [one for one in bill.components if one.type != "data" or one.digest]
    return {
        "format": FORMAT,
        "system": system,
        "release": release,
        "components": [_component(one) for one in listed[:STATEMENT_COMPONENTS_MAX]],
        "base_models": list(bill.base_models),
        # A name is not a digest: data sets that a card only names stand in the document.
        "datasets": [],
        "document": document,
    }


def screening_fields(difference: Difference, report: Attachment | None, *, dataset: str) -> dict[str, Any]:
    """The fields of a ``data-screening`` statement on a delivery compared with the one before."""
    counts = difference.counts
    shares = sorted(difference.by_annotator or (), key=lambda share: (-share.changed_label, share.name or NO_NAME))
    annotators = [
        {"name": share.name or NO_NAME, "changed": share.changed_label, "rows": share.rows}
        for share in shares[:STATEMENT_ANNOTATORS_MAX]
    ]
    return {
        "tool": {"name": "watchword-data", "version": __version__},
        "dataset": dataset,
        "delivered": difference.new.manifest,
        "previous": difference.old.manifest,
        "rows": difference.new.rows,
        "added": counts.get("added", 0),
        "removed": counts.get("removed", 0),
        "changed_features": counts.get("changed-features", 0) + difference.worst.get("changed-origin", 0),
        "changed_labels": counts.get("changed-label", 0),
        "reordered": difference.moved,
        "annotators": annotators,
        "report": report,
    }


def first_screening_fields(
    manifest: RowManifest, report: Attachment | None = None, *, dataset: str
) -> dict[str, Any]:
    """The fields of a ``data-screening`` statement on a first delivery: counted, with nothing to compare it with."""
    zeros = dict.fromkeys(("added", "removed", "changed_features", "changed_labels", "reordered"), 0)
    return {
        "tool": {"name": "watchword-data", "version": __version__},
        "dataset": dataset,
        "delivered": f"sha256:{manifest.digest.hex()}",
        "previous": None,
        "rows": manifest.rows,
        **zeros,
        "annotators": [],
        "report": report,
    }


def difference_document(difference: Difference) -> bytes:
    """The whole difference as JSON, for the attachment."""
    return canonical(difference.to_json())


def base_name(target: str) -> str:
    """The last part of a path, by either separator."""
    return target.replace("\\", "/").rstrip("/").rpartition("/")[2] or "release"


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "verdict": str(finding.verdict),
        "path": _cut(finding.path),
        "offset": finding.offset,
        "message": _cut(finding.message),
    }


def _component(one: Component) -> dict[str, Any]:
    return {"name": one.name, "version": one.version, "purl": one.purl or None, "digest": one.digest or None}


def _cut(text: str) -> str:
    # A name that is not Unicode (surrogates stand for its bytes) has no place in canonical JSON as it is.
    safe = text.encode(errors="backslashreplace").decode()
    return safe if len(safe) <= STATEMENT_TEXT_CHARS_MAX else safe[: STATEMENT_TEXT_CHARS_MAX - 1] + "…"

"""Signs evidence and appends it to this member's ledger, once (see the package)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from watchword.inspect.facts import Inspection
from watchword.limits import BODY_BYTES_MAX
from watchword.record.bill import MEDIA_TYPE, Bill
from watchword.record.evidence import (
    bill_fields,
    difference_document,
    first_screening_fields,
    inspection_document,
    inspection_fields,
    screening_fields,
)
from watchword.statements.kinds import BAD_NEWS
from watchword.statements.statement import Signed, Subject
from watchword.statements.times import rfc3339

if TYPE_CHECKING:
    from watchword.data import Difference, RowManifest
    from watchword.node import Node, Recorded

Scope = str | list[str]

_COMMON = frozenset({"issuer", "made", "after"})
_ATTACHED = frozenset({"report", "document"})


def record_inspection(
    node: Node, inspection: Inspection, subject: Subject, *, person: str | None = None, scope: Scope = "alliance"
) -> Recorded:
    """Record what an inspection found about the release *subject*, with the whole inspection attached.

    Args:
        person: whose key signs; None lets the node choose who may.
        scope: who may hold the statement and its attachment.

    Raises:
        ValueError: *subject* is not the release that was inspected, or it has no manifest.
        WatchwordError: as ``Node.sign_and_append``; nothing was recorded.
    """
    if inspection.manifest is None or inspection.manifest.digest != subject.digest:
        raise ValueError("the subject is not the release that was inspected")
    document = inspection_document(inspection)
    fields = inspection_fields(inspection, _placeholder("inspection.json", "application/json", document))
    return _once(node, "inspection", (subject,), fields, "report", document, person, scope)


def record_bill(
    node: Node, bill: Bill, subject: Subject, *, system: str, release: str, person: str | None = None,
    scope: Scope = "alliance",
) -> Recorded:  # fmt: skip
    """Record the bill of materials of *subject*, with the document attached. Arguments and errors as above."""
    fields = bill_fields(bill, _placeholder("bom.cdx.json", MEDIA_TYPE, bill.encoded), system=system, release=release)
    return _once(node, "bill-of-materials", (subject,), fields, "document", bill.encoded, person, scope)


def record_screening(
    node: Node, difference: Difference, subject: Subject, dataset: str, *, review: bytes = b"",
    person: str | None = None, scope: Scope = "alliance",
) -> Recorded:  # fmt: skip
    """Record how a delivery of *dataset*, on which the release *subject* was trained, differs from the one before.

    Attached is the difference or, where that is what a person dropped, the *review*: row by row, with the reasons.
    """
    document = review or difference_document(difference)
    attached = _placeholder("review.json" if review else "difference.json", "application/json", document)
    fields = screening_fields(difference, attached, dataset=dataset)
    subjects = (subject, Subject(dataset, difference.new.manifest))
    return _once(node, "data-screening", subjects, fields, "report", document, person, scope)


def record_first_screening(
    node: Node, manifest: RowManifest, subject: Subject, dataset: str, *, screen: bytes = b"",
    person: str | None = None, scope: Scope = "alliance",
) -> Recorded:  # fmt: skip
    """Record a delivery of *dataset*, with nothing to compare it with: counted and, where given, the screen."""
    attached = _placeholder("screen.json", "application/json", screen) if screen else None
    fields = first_screening_fields(manifest, attached, dataset=dataset)
    subjects = (subject, Subject(dataset, fields["delivered"]))
    return _once(node, "data-screening", subjects, fields, "report" if screen else None, screen, person, scope)


def _once(
    node: Node, kind: str, subjects: tuple[Subject, ...], fields: dict[str, Any], attached: str | None, document: bytes,
    person: str | None, scope: Scope,
) -> Recorded:  # fmt: skip
    """Append, unless the same was recorded today; *attached* names the field that gets *document* as an attachment."""
    if attached == "report" and len(document) > BODY_BYTES_MAX:
        fields, attached = fields | {"report": None}, None
    said = fields | {"scope": scope if isinstance(scope, str) else sorted(scope)}
    for signed in _today(node, kind, subjects):
        if _comparable(signed.statement.predicate) == _comparable(said) and _is_by(node, signed, person):
            # Finds it where it stands; nothing is appended.
            return node.append_envelope(signed.envelope)
    if attached:
        placeholder = fields[attached]
        fields = fields | {attached: node.attach(placeholder["name"], placeholder["media_type"], document)}
    return node.sign_and_append(kind, subjects, fields, person=person, scope=scope)


def _today(node: Node, kind: str, subjects: tuple[Subject, ...]) -> list[Signed]:
    """This member's statements of *kind* about *subjects* made today that have standing and that no notice names."""
    held = [one for _, _, one in node.store.statements() if one.holder is not None]
    bad_news = [one.signed.statement for one in held if one.signed.statement.kind in BAD_NEWS]
    bad_news += [signed.statement for signed in node.loose() if signed.statement.kind in BAD_NEWS]
    named = {statement.predicate["target"] for statement in bad_news}
    day = rfc3339(node.clock.now())[:10]
    return [
        one.signed
        for one in held
        if one.signed.statement.kind == kind
        and one.signed.statement.issuer == node.member
        and one.signed.statement.subject == subjects
        and one.signed.statement.predicate["made"][:10] == day
        and named.isdisjoint({f"statement:{one.signed.statement.id}", f"key:{one.signed.key_id}"})
    ]


def _is_by(node: Node, signed: Signed, person: str | None) -> bool:
    return person is None or node.charter.holders[signed.key_id].person == person


def _comparable(predicate: dict[str, Any]) -> dict[str, Any]:
    """A predicate without what differs between two recordings of one thing: the common times, and an attachment's salt.

    An attachment is compared by its name and size: a document has times in it, of one length.
    """
    kept = {name: value for name, value in predicate.items() if name not in _COMMON}
    for name in _ATTACHED & kept.keys():
        if kept[name] is not None:
            kept[name] = {"name": kept[name]["name"], "bytes": kept[name]["bytes"]}
    return kept


def _placeholder(name: str, media_type: str, document: bytes) -> dict[str, Any]:
    return {"bytes": len(document), "commitment": "", "media_type": media_type, "name": name}

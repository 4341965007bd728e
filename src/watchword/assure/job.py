"""The main job: from the files of an AI system to a signed, recorded, explained decision and a page about it.

Each step is durable before the next begins, so a run that is cut off anywhere leaves an intact node, and the same
command again goes on where it stopped without recording anything twice (see ``record``):

1. inspect: nothing of the release is loaded or executed; it is named by the digest of its manifest;
2. the bill of materials, from what was seen and from the release's own card;
3. sign and append both, publish the head;
4. decide, when a use case is given and the view holds this evidence: an alliance of one cosigns for itself at once, in
   a larger one evidence counts only after others have cosigned it; the decision is recorded;
5. the page, which says what was not decided and why.

A release that cannot be named (a link in it, a file that could not be read) gets its verdict and its page; nothing can
be signed about what has no name.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.account.beside import NOTHING_BESIDE, beside
from watchword.assure.embedded import InTheWay, refuse_inside
from watchword.assure.page import Placed, Release, answer_of, commands, page_of_decision, page_of_run
from watchword.inspect import Inspection, Progress, Verdict, inspect_path
from watchword.ledger import durable
from watchword.ledger.view import FORMAT as VIEW_FORMAT
from watchword.ledger.view import Facts, View, parse_view
from watchword.limits import REPORT_PICTURED_MAX
from watchword.node import Node, Recorded
from watchword.record import Bill, bill_of_materials, read_card, record_bill, record_inspection
from watchword.record.evidence import base_name
from watchword.report import contents
from watchword.report.html import Html
from watchword.report.page import render
from watchword.sandbox import Kept
from watchword.statements.digests import b64
from watchword.statements.statement import Statement, Subject, open_envelope
from watchword.statements.times import rfc3339

if TYPE_CHECKING:
    from watchword.policy.admission import Admission

UNVERSIONED = "unversioned"
USE_CASE_FORMAT = "watchword-use-case/1"


@dataclass(frozen=True)
class Assured:
    """What one run found, recorded and decided.

    Attributes:
        subject: the release; its digest is empty where it cannot be named, and then nothing was recorded.
        bill: None where the release cannot be named.
        recorded: inspection, bill of materials and, when decided, the decision, in this order, each with its labels.
        admission: None when nothing was decided.
        why_not: why nothing was decided, and what to do; empty when it was.
        report: the page's file.
    """

    subject: Subject
    inspection: Inspection
    bill: Bill | None
    recorded: tuple[tuple[str, Recorded, tuple[str, ...]], ...]
    admission: Admission | None
    use_case: Mapping[str, Any] | None
    why_not: str
    report: Path

    @property
    def yes(self) -> bool:
        """Admitted; or, where no use was named, nothing found. What was to be decided and was not is no yes."""
        if self.use_case is not None:
            return self.admission is not None and self.admission.admitted
        return self.inspection.verdict is Verdict.NOTHING_FOUND and bool(self.subject.digest)

    def _repr_html_(self) -> str:
        """What a notebook shows where this is the value of a cell."""
        from watchword.report.cell import cell

        return cell(render_text(self))

    def to_json(self) -> dict[str, Any]:
        """The same as JSON: schema ``watchword-assured/1``."""
        inspection = self.inspection.to_json()
        inspection["target"] = base_name(self.inspection.target)
        return {
            "schema": "watchword-assured/1",
            "subject": {"name": self.subject.name, "digest": self.subject.digest or None},
            "yes": self.yes,
            "inspection": inspection,
            "bill_of_materials": None if self.bill is None else self.bill.document,
            "recorded": [
                {"kind": kind, "id": one.id, "locator": one.locator, "labels": list(labels)}
                for kind, one, labels in self.recorded
            ],
            "decision": None if self.admission is None else self.admission.decision,
            "explanation": None if self.admission is None else self.admission.explanation,
            "why_not": self.why_not or None,
            "report": str(self.report),
        }


def assure(
    path: Path,
    node: Node,
    *,
    system: str | None = None,
    release: str | None = None,
    use_case: Mapping[str, Any] | None = None,
    person: str | None = None,
    scope: str | list[str] = "alliance",
    report: Path = Path("report.html"),
    kept: Kept = Kept.NOTHING,
    progress: Progress | None = None,
) -> Assured:
    """Do the main job on the file or folder *path* with the open *node* (see the module for the steps).

    Args:
        system: the system's name; by default the path's last part.
        release: its version; by default ``unversioned``.
        use_case: for which admission is asked; None records the evidence and decides nothing.
        person: whose key signs the evidence; None lets the node choose for each statement who may.
        scope: who may hold what is recorded.
        report: where the page goes; an older one is replaced.
        kept: what keeps the processes that look, as ``inspect_path`` has it.

    Raises:
        NothingThere, FileChanged, ReleaseChanged: nothing to look at, or it changed meanwhile. Nothing was recorded.
        InTheWay: the node or the report would lie in the release.
        NoStanding, NotHere, KeyTrouble, StorageTrouble: as ``Node.sign_and_append``. What was recorded before stays.
        EngineDisagrees, EngineTrouble: no decision; the evidence stays recorded.
    """
    _refuse_places(path, node.home, report)
    # 1
    inspection = inspect_path(path, kept=kept, progress=progress)
    name = system or base_name(str(path.resolve()))
    version = release or UNVERSIONED
    if inspection.manifest is None:
        about = Subject(f"{name} {version}", "")
        why_not = "the release cannot be named: it holds a link, or a file that could not be read; nothing was recorded"
        return _finish(node, Run(path, name, version, about, inspection, None, (), None, use_case, why_not), report)
    subject = Subject(f"{name} {version}", inspection.manifest.digest)
    # 2
    made = rfc3339(node.clock.now())
    card = read_card(path, inspection.manifest)
    bill = bill_of_materials(
        inspection, card, system=name, release=version, supplier=_supplier(node, subject), made=made
    )
    # 3
    seen = record_inspection(node, inspection, subject, person=person, scope=scope)
    of = record_bill(node, bill, subject, system=name, release=version, person=person, scope=scope)
    node.publish()
    recorded: tuple[tuple[str, Recorded], ...] = (("inspection", seen), ("bill-of-materials", of))
    # 4
    admission, why_not = None, ""
    if use_case is None:
        why_not = f'nothing was decided: name a use with watchword admit "{subject.name}" --use FILE'
    elif waiting := _not_in(node.latest_view(), recorded):
        places = ", ".join(one.locator for one in waiting)
        why_not = f'recorded {places}, not yet cosigned: exchange, then watchword admit "{subject.name}" --use FILE'
    else:
        admission, decision = decide(node, subject, use_case, scope=scope)
        recorded = (*recorded, ("decision", decision))
    # 5
    run = Run(path, name, version, subject, inspection, bill, recorded, admission, use_case, why_not)
    return _finish(node, run, report)


def decide(
    node: Node, subject: Subject, use_case: Mapping[str, Any], *, person: str | None = None,
    scope: str | list[str] = "alliance",
) -> tuple[Admission, Recorded]:  # fmt: skip
    """Decide on *subject* in the node's latest view, record the decision and publish it.

    Raises:
        As ``admit`` and ``Node.record_decision``; where they raise, nothing was decided.
    """
    # The policy room and its engine are loaded by those who decide.
    from watchword.policy.admission import admit

    view = node.latest_view()
    admission = admit(node.charter, view, node.facts(view), rfc3339(node.clock.now()), subject, use_case)
    recorded = node.record_decision(admission.decision, admission.objects, person=person, scope=scope)
    node.publish()
    return admission, recorded


def decision_page(node: Node, admission: Admission, facts: Facts) -> str:
    """The page of a decision that *node* made from *facts*, as one HTML document."""
    use_case, view = _object(admission, USE_CASE_FORMAT), _view(node, admission)
    subject = admission.decision["subject"]
    about = Release(subject["name"], "", subject["digest"])
    steps = commands(about, "", _recorded_at(node, admission), use_case["name"])
    said = [fact.signed.statement for fact in facts.statements]
    drawn = _drawn(node, [one for one in said if one.subject[0].digest == subject["digest"]])
    return render(
        page_of_decision(
            node.charter, node.member, rfc3339(node.clock.now()), admission, facts, use_case, view, _heads(node, view),
            steps, drawn,
        )
    )  # fmt: skip


def _drawn(node: Node, statements: Sequence[Statement]) -> dict[str, Html]:
    """The pictures of the newest evaluations whose reports are held here."""
    evaluations = [one for one in statements if one.kind == "evaluation" and one.predicate.get("report") is not None]
    if not evaluations:
        return {}
    from watchword.evaluate.pictures import NoPictures, figures, read_pictured
    from watchword.record.evaluating import attached_report

    found: dict[str, Html] = {}
    for one in sorted(evaluations, key=lambda one: str(one.predicate["made"]))[-REPORT_PICTURED_MAX:]:
        report = attached_report(node, one)
        try:
            # Another tool's report, or none: the counts stand there without pictures.
            found |= {} if report is None else {one.id: figures(read_pictured(report))}
        except NoPictures:
            continue
    return found


def render_text(assured: Assured) -> str:
    """The outcome as people read it: the verdict first, then what is missing, what was found, where it is recorded."""
    from watchword.inspect import render_text as inspection_text
    from watchword.policy.explain import render_text as decision_text

    lines: list[str] = []
    if assured.admission is not None:
        lines += decision_text(assured.admission.explanation).rstrip("\n").split("\n")
    lines += inspection_text(assured.inspection).rstrip("\n").split("\n")
    if assured.bill is not None:
        needs = [one.name for one in assured.bill.components if one.type == "framework"]
        with_ = f", needs {', '.join(needs[:6])}" if needs else ""
        count = len(assured.bill.components)
        lines.append(f"bill of materials: {count:,} component{'' if count == 1 else 's'}{with_}")
    for kind, one, labels in assured.recorded:
        lines.append(f"recorded {one.locator}  {kind}, {', '.join(labels)}")
    if assured.why_not:
        lines.append(assured.why_not)
    lines.append(f"wrote {assured.report}")
    return "\n".join(lines)


@dataclass(frozen=True)
class Run:
    """What the steps of one run have come to, for the page."""

    path: Path
    system: str
    release: str
    subject: Subject
    inspection: Inspection
    bill: Bill | None
    recorded: tuple[tuple[str, Recorded], ...]
    admission: Admission | None
    use_case: Mapping[str, Any] | None
    why_not: str


def _finish(node: Node, run: Run, report: Path) -> Assured:
    labelled = tuple((kind, one, node.labels(one)) for kind, one in run.recorded)
    around = beside(node.charter, (held.signed.statement for _, _, held in node.store.statements() if held.holder))
    placed = [
        Placed(open_envelope(one.envelope), one.locator, labels, around.get(one.id, NOTHING_BESIDE))
        for _, one, labels in labelled
    ]
    if run.admission is not None:
        considered = {one["id"]: one for one in run.admission.decision["considered"]}
        own = {one.id for _, one in run.recorded}
        for id_ in sorted(considered.keys() - own):
            found = node.locate(id_)
            placed.append(Placed(found.signed, found.locator, node.labels(found), around.get(id_, NOTHING_BESIDE)))
        answer = answer_of(run.admission)
    else:
        answer = contents.Answer("not decided", _sentence(run), "", "")
    about = Release(run.system, run.release, run.subject.digest)
    decision = next((one.locator for kind, one in run.recorded if kind == "decision"), None)
    use = None if run.use_case is None else run.use_case["name"]
    view = _view(node, run.admission)
    page = page_of_run(
        about, node.charter, node.member, rfc3339(node.clock.now()), run.inspection, run.bill, placed, answer,
        run.admission, run.use_case, view, _heads(node, view),
        commands(about, base_name(str(run.path.resolve())), decision, use),
        _drawn(node, [one.signed.statement for one in placed]),
    )  # fmt: skip
    _write(report, render(page).encode())
    return Assured(run.subject, run.inspection, run.bill, labelled, run.admission, run.use_case, run.why_not, report)


def _sentence(run: Run) -> str:
    """What an official reads first where nothing was decided."""
    found = {
        Verdict.NOTHING_FOUND: "was searched and nothing was found, which is evidence and not proof",
        Verdict.SUSPICIOUS: "was searched and something suspicious was found",
        Verdict.UNREADABLE: "was searched and could not be read in full",
        Verdict.DANGEROUS: "holds code that would run when it is loaded",
    }[run.inspection.verdict]
    return f"{run.subject.name} {found}. {run.why_not[:1].upper()}{run.why_not[1:]}."


def _supplier(node: Node, subject: Subject) -> str:
    """Who claims this release, when one supplier does."""
    claims = [held.signed.statement for _, _, held in node.store.statements() if held.holder is not None]
    names = {one.issuer for one in claims if one.kind == "claim" and one.is_about(subject.digest)}
    return names.pop() if len(names) == 1 else ""


def _not_in(view: View, recorded: tuple[tuple[str, Recorded], ...]) -> list[Recorded]:
    """What a decision in *view* would not see yet."""
    missing = []
    for _, one in recorded:
        head = view.heads.get(one.origin)
        if head is None or head.size <= one.index:
            missing.append(one)
    return missing


def _recorded_at(node: Node, admission: Admission) -> str | None:
    """Where this decision is recorded here, if it was."""
    for origin, index, held in node.store.statements():
        statement = held.signed.statement
        if statement.kind == "decision" and statement.predicate["decision"] == admission.decision:
            return node.locator(origin, index)
    return None


def _view(node: Node, admission: Admission | None) -> View:
    """The view that was decided in; where nothing was, the latest."""
    if admission is None:
        return node.latest_view()
    return parse_view(_object(admission, VIEW_FORMAT))


def _object(admission: Admission, form: str) -> dict[str, Any]:
    """The object of this format that the decision names."""
    return next(one for one in admission.objects if one["format"] == form)


def _heads(node: Node, view: View) -> list[contents.Head]:
    """The heads of *view* with the witnesses whose cosignatures this node holds on them."""
    notes = node.store.view_notes(view.digest) or {}
    witnesses = {origin: tuple(sorted(node.store.head(origin, note).times)) for origin, note in notes.items()}
    return [
        contents.Head(origin, head.size, b64(head.root), head.time, witnesses.get(origin, ()))
        for origin, head in sorted(view.heads.items())
    ]


def _refuse_places(path: Path, home: Path, report: Path) -> None:
    refuse_inside(home, path, "a node")
    refuse_inside(report, path, "a report")
    if report.is_dir():
        raise InTheWay(f"{report}: a folder, where the page should go", "name a file with --report")
    if not report.absolute().parent.is_dir():
        raise InTheWay(f"{report}: its folder does not exist", "make it, or name another file with --report")


def _write(path: Path, data: bytes) -> None:
    """Write the page whole or not at all, in place of an older one."""
    with durable.translated(path):
        descriptor, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.absolute().parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(aside).chmod(0o644)
            Path(aside).replace(path)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise

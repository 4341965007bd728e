"""What the page says, gathered from an inspection, a bill of materials, a decision and the statements behind it.

Nothing is judged here: states and reasons are the decision's and its explanation's, verdicts the inspection's. There
are two pages: of one run of ``assure`` (the files were at hand), and of a decision alone (only statements were).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchword.account.beside import NOTHING_BESIDE, Beside, beside
from watchword.report import contents
from watchword.report.html import Html
from watchword.statements.canonical import canonical
from watchword.statements.evaluations import counted
from watchword.statements.kinds import WIDE
from watchword.statements.statement import Signed, Statement
from watchword.statements.words import REDACTED, says

if TYPE_CHECKING:
    from watchword.charter.charter import Charter
    from watchword.inspect import Inspection
    from watchword.ledger.view import Facts, View
    from watchword.policy.admission import Admission
    from watchword.record import Bill

HUMAN = {"in": "in the loop", "on": "on the loop", "out": "out of the loop"}


@dataclass(frozen=True)
class Placed:
    """A statement as the page lists it: signed, at its place, with how far it is recorded."""

    signed: Signed
    locator: str
    labels: tuple[str, ...]
    beside: Beside = NOTHING_BESIDE


@dataclass(frozen=True)
class Release:
    """What the page is about. ``digest`` is empty where the release cannot be named."""

    system: str
    release: str
    digest: str


def page_of_run(
    about: Release, charter: Charter, member: str, made: str, inspection: Inspection, bill: Bill | None,
    placed: Sequence[Placed], answer: contents.Answer, admission: Admission | None, use_case: Mapping[str, Any] | None,
    view: View, heads: Sequence[contents.Head], commands: tuple[tuple[str, str], ...], drawn: Mapping[str, Html],
) -> contents.Report:  # fmt: skip
    """The page of one run: what was seen in the files themselves, then what was decided, if anything. *drawn*: the
    pictures of evaluations, by statement."""
    findings = tuple(
        contents.Finding(
            one.rule, str(one.verdict), one.severity, one.path, one.offset, one.message, one.evidence, one.atlas
        )
        for one in inspection.findings
    )
    looked = tuple(
        contents.Looked(
            file.path, file.format, file.size, file.sha256, str(file.verdict), file.looked, file.notes, file.unread
        )
        for file in inspection.files
    )
    tool = f"{inspection.tool['name']} {inspection.tool['version']}, rules {inspection.tool['rules'][:19]}…"
    return contents.Report(
        system=about.system,
        release=about.release,
        digest=about.digest,
        files=len(inspection.files),
        bytes=sum(file.size for file in inspection.files),
        made=made,
        tool=tool,
        node=member,
        answer=answer,
        inspection_verdict=str(inspection.verdict),
        findings=findings,
        looked=looked,
        bill=_bill(bill),
        statements=_statements(charter, placed),
        measured=_measured(placed, drawn),
        heads=tuple(heads),
        commands=commands,
        **_charter(charter),
        **_decided(charter, admission, use_case, view),
    )


def page_of_decision(
    charter: Charter, member: str, made: str, admission: Admission, facts: Facts, use_case: Mapping[str, Any],
    view: View, heads: Sequence[contents.Head], commands: tuple[tuple[str, str], ...], drawn: Mapping[str, Html],
) -> contents.Report:  # fmt: skip
    """The page of a decision, from the statements that it considered; the files were not at hand."""
    subject = admission.decision["subject"]
    places = {one["id"]: one for one in admission.decision["considered"]}
    considered = [fact for fact in facts.statements if fact.signed.statement.id in places]
    around = beside(charter, (fact.signed.statement for fact in facts.statements))
    placed = [
        Placed(
            fact.signed, locator_of(charter, fact.origin, fact.index), ("in the view",),
            around.get(fact.signed.statement.id, NOTHING_BESIDE),
        )
        for fact in considered
    ]
    inspections = [one.signed.statement for one in placed if one.signed.statement.kind == "inspection"]
    bills = [one.signed.statement for one in placed if one.signed.statement.kind == "bill-of-materials"]
    newest = max(inspections, key=lambda one: str(one.predicate["made"]), default=None)
    system, _, release = subject["name"].rpartition(" ")
    return contents.Report(
        system=system or subject["name"],
        release=release if system else "",
        digest=subject["digest"],
        files=newest.predicate["files"] if newest else 0,
        bytes=newest.predicate["bytes"] if newest else 0,
        made=made,
        tool=", ".join(sorted({_tool(one) for one in inspections})) or "no inspection",
        node=member,
        answer=answer_of(admission),
        inspection_verdict=_worst(inspections),
        findings=tuple(finding for one in inspections for finding in _recorded_findings(one)),
        looked=(),
        bill=_recorded_bill(max(bills, key=lambda one: str(one.predicate["made"]), default=None)),
        statements=_statements(charter, placed),
        measured=_measured(placed, drawn),
        heads=tuple(heads),
        commands=commands,
        **_charter(charter),
        **_decided(charter, admission, use_case, view),
    )


def answer_of(admission: Admission) -> contents.Answer:
    """The decision in one sentence."""
    decision, explained = admission.decision, admission.explanation
    what = f"{decision['subject']['name']}"
    use = explained["use_case"]["name"]
    applying = [row for row in decision["requirements"] if row["state"] != "does not apply"]
    unmet = [row["id"] for row in applying if row["state"] == "unmet"]
    crossed = [line["id"] for line in decision["red_lines"] if line["state"] == "crossed"]
    caveats = [line["id"] for line in _caveat_rules(explained) if line["state"] == "crossed"]
    waived = [row["id"] for row in applying if row["state"] == "waived"]
    if admission.admitted:
        asked = (
            f"all {len(applying)} requirements that apply are met" if len(applying) > 1 else "what is required is met"
        )
        if waived:
            asked = f"what applies is met, or waived for a time ({', '.join(waived)})"
        sentence = f"{what} may be used for {use}: {asked}, and no red line is crossed."
        return contents.Answer("admitted", sentence, decision["label"], decision["as_of"])
    reasons = []
    if unmet:
        reasons.append(f"{len(unmet)} of {len(applying)} requirements unmet ({', '.join(unmet)})")
    if crossed:
        reasons.append(f"red line crossed ({', '.join(crossed)})")
    if caveats:
        reasons.append(f"forbidden by a {'; a '.join(caveats)}")
    if decision["stale"]:
        reasons.append(f"{len(decision['stale'])} ledgers are too old or missing in this view")
    stopping = [one for one in decision["notices"] if one["kind"] in ("recall", "unheld")]
    if stopping:
        reasons.append(f"bad news reaches it ({len(stopping)})")
    if not applying:
        reasons.append("no requirement of the charter applies, and what nothing is asked of is not admitted")
    sentence = f"{what} may not be used for {use}: {'; '.join(reasons)}."
    return contents.Answer("refused", sentence, decision["label"], decision["as_of"])


def locator_of(charter: Charter, origin: str, index: int) -> str:
    """``BRAVO#12``, or ``BRAVO/notices#3``."""
    of = charter.origins[origin]
    return f"{of.member.name}#{index}" if of.use == "ledger" else f"{of.member.name}/{of.use}#{index}"


def commands(about: Release, target: str, decision: str | None, use_case: str | None) -> tuple[tuple[str, str], ...]:
    """What to type to make this page's facts again, and to check them with nothing installed."""
    named = f"{about.system} {about.release}".strip()
    steps = [("Look at the same files again", f"watchword inspect {shlex.quote(target)}")] if target else []
    steps.append(("List what is signed about this release", f"watchword statement list --of {about.digest}"))
    if decision is not None:
        prove = f"watchword ledger prove {decision} --output proof.json"
        steps.append(("Put all of it into one file", prove))
        steps.append(("Check that file with nothing installed but Python", "python verify.py charter.json proof.json"))
    elif use_case is not None:
        admit = f"watchword admit {shlex.quote(named)} --use FILE"
        steps.append((f"Decide on it for {use_case}, once other members have cosigned", admit))
    else:
        steps.append(("Have it decided on for a use", f"watchword admit {shlex.quote(named)} --use FILE"))
    return tuple(steps)


def _charter(charter: Charter) -> dict[str, Any]:
    return {"alliance": charter.alliance, "charter": f"charter version {charter.version} ({charter.digest[:19]}…)"}


def _decided(
    charter: Charter, admission: Admission | None, use_case: Mapping[str, Any] | None, view: View
) -> dict[str, Any]:
    asked: tuple[tuple[str, str], ...] = ()
    if use_case is not None:
        asked = (
            ("Use case", f"{use_case['name']}: {use_case['purpose']}"),
            ("Criticality", f"{use_case['criticality']} of 3, human {HUMAN[use_case['human']]}"),
            ("Owner", use_case["owner"]),
        )
    if admission is None:
        empty: dict[str, Any] = dict.fromkeys(("requirements", "red_lines", "principles", "notices", "stale"), ())
        return empty | {"use_case": asked, "decision": "", "view": view.digest}
    explained = admission.explanation
    judged = {row["id"]: row for row in admission.decision["requirements"]}
    return {
        "use_case": asked,
        "requirements": tuple(_requirement(row, judged[row["id"]]) for row in explained["requirements"]),
        "red_lines": tuple(
            contents.RedLine(one["id"], one["text"], one["state"], one["accountable"])
            for one in [*explained["red_lines"], *_caveat_rules(explained)]
        ),
        "principles": tuple(_principle(one, explained["requirements"]) for one in explained["principles"]),
        "notices": tuple(_notice(one) for one in explained["notices"]),
        "stale": tuple(f"{one['origin']}: {one['use']} of {one['member']}" for one in explained["stale"]),
        "decision": canonical(admission.decision).decode(),
        "view": admission.decision["view"],
    }


def _caveat_rules(explained: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each rule of each member's caveat, as a line among the red lines, named with whose it is."""
    lines = []
    for caveat in explained["caveats"]:
        whose = f"caveat of {caveat['member']}, {caveat['name']}"
        lines += [rule | {"id": f"{whose}: {rule['id']}"} for rule in caveat["rules"]]
        if caveat["cedar"]:
            free = {"state": caveat["cedar"], "text": caveat["reason"], "accountable": caveat["member"]}
            lines.append(free | {"id": f"{whose}: free policies"})
    return lines


def _requirement(row: Mapping[str, Any], judged: Mapping[str, Any]) -> contents.Requirement:
    failing = [
        f"{one['kind']} {one['locator']} by {one['issuer']}: {one['detail'] or one['why']}" for one in row["failing"]
    ]
    return contents.Requirement(
        id=row["id"],
        text=row["text"],
        state=row["state"],
        there=row["there"],
        need=row["need"],
        because=(*row["why"], *failing),
        by=tuple(judged["from"]),
        owed_by=row["owed_by"] or "",
        accountable=row["accountable"],
        principle=tuple(row["principle"]),
    )


def _principle(one: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> contents.Principle:
    own = [row["state"] for row in rows if one["letter"] in row["principle"]]
    evidence = [
        f"{said['kind']} {said['locator']} by {said['issuer']}, {said['made'][:10]}" for said in one["evidence"]
    ]
    return contents.Principle(
        one["letter"], one["name"], tuple(evidence), own.count("met"), own.count("unmet"), tuple(one["red_lines"])
    )


def _notice(one: Mapping[str, Any]) -> str:
    where = one["locator"] or "received directly, in no ledger of this view"
    by = f" by {one['by']}" if one["by"] else ""
    return f"{one['kind']} of {one['name']}{by} ({where}): {one['reason'] or 'no reason given'}"


def _bill(bill: Bill | None) -> contents.Bill | None:
    if bill is None:
        return None
    told = (("Licence", bill.licences), ("Base model", bill.base_models), ("Data sets", bill.datasets))
    components = tuple(
        contents.Component(one.name, one.type, one.version, one.licence, one.digest) for one in bill.components
    )
    return contents.Bill(
        "CycloneDX 1.6", bill.digest, components, tuple((name, ", ".join(of)) for name, of in told if of), bill.notes
    )


def _recorded_bill(statement: Statement | None) -> contents.Bill | None:
    if statement is None:
        return None
    fields = statement.predicate
    components = tuple(
        contents.Component(one["name"], "", one["version"], "", one["digest"] or one["purl"] or "")
        for one in fields["components"]
    )
    told = (("Base model", ", ".join(fields["base_models"])),) if fields["base_models"] else ()
    return contents.Bill(fields["format"], fields["document"]["commitment"], components, told, ())


def _recorded_findings(statement: Statement) -> list[contents.Finding]:
    return [
        contents.Finding(one["rule"], one["verdict"], "", one["path"], one["offset"], one["message"], "", ())
        for one in statement.predicate.get("findings", ())
    ]


def _statements(charter: Charter, placed: Sequence[Placed]) -> tuple[contents.Statement, ...]:
    lines = []
    for one in placed:
        statement = one.signed.statement
        holder = charter.holders.get(one.signed.key_id)
        signer = f"{statement.issuer}, {holder.person or holder.job}" if holder else statement.issuer
        lines.append(
            contents.Statement(
                statement.kind,
                statement.id,
                one.locator,
                signer,
                one.signed.key_id,
                str(statement.predicate["made"]),
                says(statement) or statement.kind,
                (*one.labels, *_kept_to(statement)),
                tuple(f"{heading}: {text}" for heading, text in one.beside.lines()),
            )
        )
    return tuple(lines)


def _measured(placed: Sequence[Placed], drawn: Mapping[str, Html]) -> tuple[contents.Measured, ...]:
    """The evaluations under attack, the worst first; a share of no instance at all is the worst that it can be."""
    found = []

    def badness(one: contents.Measured) -> tuple[float, str]:
        # Of what should stand the lower end is the bad one, of what should not happen the upper.
        stands = one.outcome.startswith("robust-accuracy")
        return (one.low if stands else 1 - one.high), one.locator

    for one in placed:
        fields = one.signed.statement.predicate
        if one.signed.statement.kind == "evaluation":
            at = fields["k"] / fields["n"] if fields["n"] else 1.0
            tool = f"{one.signed.statement.issuer}, {fields['tool']['name']} {fields['tool']['version']}"
            found.append(
                contents.Measured(
                    counted(fields), one.locator, tool, str(fields.get("method", REDACTED)), float(fields["low"]),
                    min(at, 1.0), float(fields["high"]), fields["flags"], fields["plan"] is not None,
                    drawn.get(one.signed.statement.id, Html()),
                )
            )  # fmt: skip
    return tuple(sorted(found, key=badness))


def _kept_to(statement: Statement) -> tuple[str, ...]:
    scope = statement.predicate.get("scope")
    if scope in WIDE:
        return ()
    return (f"kept to {', '.join(scope) if isinstance(scope, list) else statement.issuer}",)


def _tool(statement: Statement) -> str:
    tool = statement.predicate["tool"]
    return f"{tool['name']} {tool['version']} by {statement.issuer}"


def _worst(inspections: Sequence[Statement]) -> str:
    order = ("nothing-found", "suspicious", "unreadable", "dangerous")
    return max((one.predicate["verdict"] for one in inspections), key=order.index, default="not inspected")

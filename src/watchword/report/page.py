"""One self-contained page, ``report.html``: read by an official, printed, and checked by an auditor.

* The verdict sentence comes first, then what is missing and who owes it, then what the verdict rests on.
* Nothing is fetched and nothing runs: no script, no link out, one style sheet admitted by its hash (``style.POLICY``).
* What is cut for length says how much; what is empty says so. Each state is a word with a sign, never a colour alone.
"""

from __future__ import annotations

from watchword.limits import REPORT_COMPONENTS_MAX, REPORT_FILES_MAX, REPORT_FINDINGS_MAX
from watchword.report.contents import Finding, Looked, Report, Requirement
from watchword.report.html import Html, definitions, foreign, join, listed, table, tag
from watchword.report.style import document
from watchword.report.svg import dots, mark, share_bar, spans

_KINDS = {
    "admitted": "good",
    "refused": "bad",
    "not decided": "warn",
    "met": "good",
    "unmet": "bad",
    "waived": "warn",
    "does not apply": "none",
    "clear": "good",
    "crossed": "bad",
    "nothing-found": "good",
    "suspicious": "warn",
    "unreadable": "warn",
    "dangerous": "bad",
}
_RANK = {"dangerous": 0, "unreadable": 1, "suspicious": 2, "nothing-found": 3}
_SECTIONS = (
    ("requirements", "What was required"),
    ("red-lines", "Red lines and bad news"),
    ("principles", "Principles of responsible use"),
    ("findings", "What was found"),
    ("looked", "What was looked at, and what was not"),
    ("attacked", "How it behaves under attack"),
    ("bill", "What it is made of"),
    ("statements", "Who says so"),
    ("check", "Check it yourself"),
    ("limits", "What this page does not say"),
)


def render(report: Report) -> str:
    """The page as one HTML document, ending in a line feed."""
    bodies = (
        _requirements(report),
        _red_lines(report),
        _principles(report),
        _findings(report),
        _looked(report),
        _attacked(report),
        _bill(report),
        _statements(report),
        _check(report),
        _limits(),
    )
    sections = [
        tag("section", tag("h2", f"{number}. {title}", id=place), body)
        for number, ((place, title), body) in enumerate(zip(_SECTIONS, bodies, strict=True), 1)
    ]
    contents = tag("ol", *(tag("li", tag("a", title, href=f"#{place}")) for place, title in _SECTIONS))
    title = f"{report.answer.verdict}: {report.system} {report.release}"
    page = tag("main", *_top(report), tag("nav", contents, aria_label="Contents"), *sections, class_="sheet")
    return document(title, page)


def chip(state: str) -> Html:
    """A state in words with its sign."""
    kind = _KINDS.get(state, "none")
    return tag("span", mark(kind), state.replace("-", " "), class_=f"chip {kind}")


def _aside(*children: str) -> Html:
    return tag("div", *children, class_="quiet small")


def _digest(value: str) -> Html:
    """A digest cut for reading; the whole one is its title, and stands in what the page is checked against."""
    return tag("code", f"{value[:20]}…" if len(value) > 21 else value, title=value, class_="fixed")


def _number(value: int) -> Html:
    """A whole number with separators, in figures of one width."""
    return tag("span", f"{value:,}", class_="number")


def _top(report: Report) -> tuple[Html, ...]:
    kind = _KINDS.get(report.answer.verdict, "warn")
    sign = {"good": "good", "bad": "bad"}.get(kind, "warn")
    verdict = tag(
        "div",
        mark(sign),
        tag("strong", report.answer.verdict.upper()),
        tag("p", foreign(report.answer.sentence)),
        class_=f"verdict {kind}",
        role="region",
        aria_label="Verdict",
    )
    where = f"{report.alliance}, {report.charter}" if report.alliance else "no alliance"
    lead = tag(
        "div",
        tag("span", tag("b", "WATCHWORD"), "  assurance report"),
        tag("span", f"made {report.made} by {report.node}"),
        class_="lead",
    )
    facts = [
        ("System", foreign(report.system)),
        ("Release", foreign(report.release)),
        ("Release digest", tag("code", report.digest)),
        ("Files", f"{report.files:,} files, {report.bytes:,} bytes"),
        ("Alliance and charter", foreign(where)),
        ("State of knowledge", _knowledge(report)),
        *((name, foreign(value)) for name, value in report.use_case),
    ]
    title = tag("h1", foreign(f"{report.system} {report.release}"))
    return lead, title, verdict, definitions(facts)


def _knowledge(report: Report) -> str:
    if not report.answer.label:
        return "no decision was made"
    return f"{report.answer.label}, as of {report.answer.as_of}"


def _requirements(report: Report) -> Html:
    if not report.requirements:
        return tag("p", "Nothing was decided, so no requirement was weighed. Name a use case to have it decided.")
    applying = [row for row in report.requirements if row.state != "does not apply"]
    other = [row for row in report.requirements if row.state == "does not apply"]
    applying.sort(key=lambda row: row.state == "met")
    unmet = sum(row.state == "unmet" for row in applying)
    met = len(applying) - unmet
    bar = share_bar("Requirements", [("unmet", unmet, "bad"), ("met", met, "good")])
    rows = [(_named(row.id, row.text), chip(row.state), _there(row), _owed(row)) for row in applying]
    parts = [bar]
    if rows:
        parts.append(
            table(
                "Requirements of the charter that apply to this use case; those unmet first.",
                ("Requirement", "State", "What there is", "Owed by"),
                rows,
            )
        )
    if other:
        names = ", ".join(row.id for row in other)
        parts.append(tag("p", f"Does not apply to this use case: {names}.", class_="quiet small"))
    return join(*parts)


def _named(id_: str, said: str) -> Html:
    return join(foreign(id_), _aside(foreign(said)) if said else "")


def _there(row: Requirement) -> Html:
    words = f"{row.there} of {row.need}" + (f", from {', '.join(row.by)}" if row.by else "")
    there = tag("div", dots(f"{row.there} of {row.need}", row.there, row.need), foreign(words))
    return join(there, listed([foreign(why) for why in row.because], "small") if row.because else "")


def _owed(row: Requirement) -> Html:
    owed = foreign(row.owed_by) if row.state == "unmet" else tag("span", "nobody", class_="quiet")
    accountable = _aside("accountable: ", foreign(row.accountable))
    return join(owed, accountable if row.accountable else "")


def _red_lines(report: Report) -> Html:
    parts: list[str] = []
    if report.red_lines:
        ordered = sorted(report.red_lines, key=lambda line: line.state == "clear")
        rows = [(_named(line.id, line.text), chip(line.state), foreign(line.accountable)) for line in ordered]
        parts.append(
            table("Red lines of the charter. No waiver lifts one.", ("Red line", "State", "Accountable"), rows)
        )
    else:
        parts.append(tag("p", "Nothing was decided, so no red line was weighed."))
    if report.notices:
        parts.append(tag("h3", "Bad news that reaches this release"))
        parts.append(listed([foreign(notice) for notice in report.notices]))
    elif report.red_lines:
        parts.append(
            tag(
                "p",
                "No recall, retraction, dispute or revocation against any name of this release is known in this view.",
            )
        )
    if report.stale:
        parts.append(tag("h3", "Ledgers too old, or missing, in this view"))
        parts.append(listed([foreign(origin) for origin in report.stale]))
    return join(*parts)


def _principles(report: Report) -> Html:
    rows = []
    for one in report.principles:
        counted = f"{one.met} met, {one.unmet} unmet" if one.met + one.unmet else "none applies"
        state = chip("unmet" if one.unmet else "met" if one.met else "open")
        said = listed([foreign(line) for line in one.evidence])
        if not one.evidence:
            said = tag("span", "nothing yet", class_="quiet")
        if one.red_lines:
            said = join(said, _aside("red lines: ", foreign(", ".join(one.red_lines))))
        rows.append((f"{one.letter}. {one.name}", join(state, _aside(counted)), said))
    if not rows:
        return tag("p", "Nothing was decided, so no evidence was set against the principles.")
    caption = "The six NATO principles of responsible use of AI, and the evidence that speaks to each."
    return table(caption, ("Principle", "Requirements", "Evidence"), rows)


def _findings(report: Report) -> Html:
    counts = {verdict: sum(file.verdict == verdict for file in report.looked) for verdict in _RANK}
    bar = share_bar(
        "Files by verdict", [(verdict.replace("-", " "), count, _KINDS[verdict]) for verdict, count in counts.items()]
    )
    whole = tag("p", "Verdict on the whole release: ", chip(report.inspection_verdict))
    if not report.findings:
        nothing = "No finding. A search that found nothing does not prove that there is nothing."
        return join(bar, whole, tag("p", nothing))
    ordered = sorted(report.findings, key=lambda finding: _RANK.get(finding.verdict, 0))
    rows = [_finding(finding) for finding in ordered[:REPORT_FINDINGS_MAX]]
    caption = "Findings, worst first. An offset counts bytes from the start of the file named."
    return join(
        bar,
        whole,
        table(caption, ("Verdict", "Rule", "Where", "What it is"), rows),
        _cut(len(ordered), REPORT_FINDINGS_MAX, "findings"),
    )


def _finding(finding: Finding) -> tuple[str, ...]:
    offset = "" if finding.offset is None else f"byte {finding.offset:,} (0x{finding.offset:x})"
    where = join(tag("code", foreign(finding.path)), _aside(offset))
    rebuilt = tag("pre", foreign(finding.evidence)) if finding.evidence else ""
    atlas = _aside("ATLAS " + ", ".join(finding.atlas)) if finding.atlas else ""
    severity = _aside(f"severity {finding.severity}") if finding.severity else ""
    rule = join(tag("code", foreign(finding.rule)), severity)
    return chip(finding.verdict), rule, where, join(foreign(finding.message), rebuilt, atlas)


def _looked(report: Report) -> Html:
    if not report.looked:
        return tag("p", "This page was made from recorded statements; the files were not looked at again for it.")
    ordered = sorted(report.looked, key=lambda file: (_RANK.get(file.verdict, 0), not file.unread))
    unread = sum(end - start for file in ordered for start, end in file.unread)
    sentence = f"{len(ordered):,} files of {sum(file.size for file in ordered):,} bytes."
    if unread:
        sentence += f" Of these, {unread:,} bytes were not looked at by any rule; the ranges are named below."
    rows = [_file(file) for file in ordered[:REPORT_FILES_MAX]]
    caption = "Every delivered file. Hashed is not understood: the third column says what was looked at."
    return join(
        tag("p", sentence),
        table(caption, ("File", "Verdict", "Looked at", "Bytes", "SHA-256"), rows) if rows else "",
        _cut(len(ordered), REPORT_FILES_MAX, "files"),
    )


def _file(file: Looked) -> tuple[str, ...]:
    notes = [*file.notes, *(f"bytes {start:,} to {end:,} not looked at" for start, end in file.unread[:20])]
    if len(file.unread) > 20:
        notes.append(f"and {len(file.unread) - 20:,} more ranges")
    looked = join(
        foreign(f"{file.format}: {file.looked}" if file.looked else file.format),
        listed([foreign(note) for note in notes], "small quiet") if notes else "",
    )
    digest = _digest(file.sha256) if file.sha256 else "not hashed"
    return tag("code", foreign(file.path)), chip(file.verdict), looked, _number(file.size), digest


def _attacked(report: Report) -> Html:
    """Evaluations as given, the worst first: that is the one that counts."""
    if not report.measured:
        return tag("p", "No evaluation under attack is recorded: nothing is known of how it behaves.")
    rows = []
    for one in report.measured:
        kind, words = ("none", "not computed") if one.flags is None else ("warn", one.flags)
        kind, words = ("good", "none raised") if words == "" else (kind, words)
        plan = chip("committed") if one.fixed else chip("no plan")
        rows.append(
            (
                join(foreign(one.outcome), _aside(foreign(one.method))),
                join(foreign(one.by), _aside(one.locator)),
                plan,
                join(mark(kind), foreign(words)),
            )
        )
    picture = spans("share, with its interval", [(o.locator, o.low, o.at, o.high) for o in report.measured], 1.0, "")
    note = "Robustness is an upper bound for the attacks tried. Of several accepted runs the worst counts."
    headings = ("outcome", "by", "plan", "flags")
    drawn = [
        tag("details", tag("summary", f"Pictures of {one.locator}"), one.drawn) for one in report.measured if one.drawn
    ]
    told = table("Evaluations, the worst first", headings, rows)
    return join(picture, told, *drawn, tag("p", note, class_="quiet small"))


def _bill(report: Report) -> Html:
    bill = report.bill
    if bill is None:
        return tag("p", "No bill of materials was made.")
    told = definitions([(name, foreign(value)) for name, value in bill.told])
    if not bill.told:
        told = tag("p", "The release carries no card that names its licence, base model or training data.")
    rows = [
        (
            tag("code", foreign(one.name)),
            foreign(one.type),
            foreign(one.version or "not told"),
            foreign(one.licence or "not told"),
            _digest(one.digest) if one.digest else "",
        )
        for one in bill.components[:REPORT_COMPONENTS_MAX]
    ]
    caption = f"Components, as the bill of materials ({bill.format}, {bill.digest[:23]}…) lists them."
    return join(
        told,
        table(caption, ("Component", "Type", "Version", "Licence", "Digest"), rows) if rows else "",
        _cut(len(bill.components), REPORT_COMPONENTS_MAX, "components"),
        listed([foreign(note) for note in bill.notes], "small quiet") if bill.notes else "",
    )


def _statements(report: Report) -> Html:
    rows = [
        (
            join(tag("code", foreign(one.locator), class_="fixed"), _aside(foreign(one.kind))),
            join(foreign(one.issuer), _aside("key ", _digest(one.key))),
            join(foreign(one.says), *(_aside(foreign(line)) for line in one.beside), _aside(tag("code", one.id))),
            tag("span", one.made, class_="fixed"),
            listed([foreign(label) for label in one.labels]),
        )
        for one in report.statements
    ]
    caption = "Signed statements that this page rests on. A statement is named by the digest of what was signed."
    statements = table(caption, ("Place", "Signed by", "What it says", "Made", "How far"), rows)
    if not rows:
        statements = tag("p", "No statement was recorded.")
    if not report.heads:
        return join(statements, tag("p", "No ledger head was cosigned yet."))
    heads = [
        (
            tag("code", foreign(head.origin)),
            _number(head.size),
            tag("span", head.time, class_="fixed"),
            foreign(", ".join(head.cosigned_by) or "not told"),
            _digest(head.root),
        )
        for head in report.heads
    ]
    caption = f"The view: every ledger as it was known ({report.view})."
    return join(statements, table(caption, ("Ledger", "Entries", "Cosigned", "Witnesses", "Root"), heads))


def _check(report: Report) -> Html:
    steps = [join(tag("h3", what), tag("pre", foreign(command))) for what, command in report.commands]
    tool = tag("p", "Inspected with ", foreign(report.tool), ".", class_="quiet")
    if not report.decision:
        return join(*steps, tool)
    folded = tag(
        "details",
        tag("summary", "The decision as it was recorded (canonical JSON)"),
        tag("pre", foreign(report.decision)),
    )
    return join(*steps, tool, folded)


def _limits() -> Html:
    limits = (
        "This page is a reading of signed statements; it is not signed itself. Only a check against the charter shows "
        "that nothing in it was changed.",
        "A screening is evidence, not proof: a search that found nothing does not prove that there is nothing.",
        "An admission is for the use case named and the moment named. It is an approval for use, not a security "
        "accreditation, and a recall or a retraction ends it.",
        "What a supplier says of its own system is a claim, for which the supplier answers.",
        "An alliance of one vouches for itself: its heads are cosigned by its own witness alone, by its own clock.",
        "A node that skips its own gate leaves no trace here.",
    )
    return listed(list(limits), "limits")


def _cut(total: int, shown: int, what: str) -> Html:
    if total <= shown:
        return join()
    return tag(
        "p",
        f"{shown:,} of {total:,} {what} are shown, the worst first; the recorded attachment holds all.",
        class_="quiet small",
    )

"""The Monday page of a member: what may it use, what lapses, what does it owe, who waits for it, what is in trouble.

Pure: facts in, one value out. Every answer is the real decision made again, now and at the moments ahead:

* **use**: every release and use case that somebody decided on, where the member decided, owns the use or takes part in
  it; each decided again in this view, now.
* **lapses**: of those admitted, the first moment within ``LAPSE_DAYS`` at which a requirement stops being met, if every
  ledger goes on being cosigned and nothing else is said; and mandates, support periods and reliances that end.
* **owes**: what is missing for any refused use, and this member can supply; ``alone`` where nobody else can.
* **waits**: actions held for people, bad news that lapses unless another says it, a successor charter without this
  member's ratification, ledgers without its cosignature.
* **recalls**: orders that are still owed, late ones first (``account.recalls``).
* **opinions**: evaluations that others ran again, and whether they agree (``account.opinions``).
* **trouble**: bad news that reaches what is used, and evidence relied on that fell (``account.reliance``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from watchword.account.opinions import opinions
from watchword.account.recalls import orders
from watchword.account.reliance import Relied
from watchword.charter.charter import Charter
from watchword.ledger import listing
from watchword.ledger.view import Fact, Facts, View
from watchword.limits import LAPSE_DAYS, STATUS_MOMENTS_MAX
from watchword.policy import table
from watchword.policy.admission import admit
from watchword.policy.explain import called
from watchword.report.board import Board, Cell, Section
from watchword.statements.statement import Subject
from watchword.statements.times import from_unix, parse_time, rfc3339

SCHEMA = "watchword-status/1"


@dataclass(frozen=True)
class Use:
    """A release and a use case that somebody decided on: the newest decision's place, maker and verdict."""

    subject: Subject
    use_case: Mapping[str, Any]
    decided: str
    by: str
    verdict: str


@dataclass(frozen=True)
class Known:
    """What the page is made from. ``waits``: lines of what waits at this node alone (holds, cosignatures)."""

    charter: Charter
    member: str
    view: View
    facts: Facts
    now: datetime
    uses: tuple[Use, ...]
    relied: tuple[Relied, ...]
    waits: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """One line of a section: what, for which release and use, why, who, when; ``good`` only where it is good news."""

    what: str
    why: str = ""
    who: str = ""
    when: str = ""
    good: bool = False

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        return {"what": self.what, "when": self.when or None, "who": self.who or None, "why": self.why}


@dataclass(frozen=True)
class Status:
    """The page. ``yes``: everything used is admitted, and nothing is in trouble."""

    member: str
    as_of: str
    use: tuple[Line, ...]
    lapses: tuple[Line, ...]
    owes: tuple[Line, ...]
    waits: tuple[Line, ...]
    trouble: tuple[Line, ...]
    opinions: tuple[Line, ...] = ()
    recalls: tuple[Line, ...] = ()

    @property
    def yes(self) -> bool:
        return all(line.good for line in self.use) and not self.trouble

    def sections(self) -> tuple[tuple[str, str, tuple[Line, ...]], ...]:
        """Heading, what an empty section means, lines."""
        return (
            ("may use", "nothing was decided on for this member", self.use),
            (f"lapses within {LAPSE_DAYS} days", "nothing that is known", self.lapses),
            (f"owed by {self.member}", "nothing", self.owes),
            (f"waits for {self.member}", "nobody", self.waits),
            ("disputed, recalled or fallen", "nothing", self.trouble),
            *([("recalls, late ones first", "", self.recalls)] if self.recalls else []),
            *([("second opinions on evaluations", "", self.opinions)] if self.opinions else []),
        )

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        named = {
            "use": self.use, "lapses": self.lapses, "owes": self.owes, "waits": self.waits, "trouble": self.trouble,
            "opinions": self.opinions, "recalls": self.recalls,
        }  # fmt: skip
        found = {name: [line.value() for line in of] for name, of in named.items()}
        for line, shown in zip(self.use, found["use"], strict=True):
            shown["admitted"] = line.good
        return {"as_of": self.as_of, "member": self.member, "schema": SCHEMA, "yes": self.yes} | found


def status(known: Known) -> Status:
    """Make the page."""
    as_of = rfc3339(known.now)
    use, lapses, owes, trouble = [], [], [], []
    for one in known.uses:
        admission = admit(known.charter, known.view, known.facts, as_of, one.subject, one.use_case)
        name = f"{one.subject.name} for {one.use_case['name']}"
        missing = admission.explanation["missing"]
        owes += _owed(known, name, missing) if missing else []
        if not _is_ours(known, one):
            continue
        now_is = "" if one.verdict == admission.decision["verdict"] else f"; it was {one.verdict}"
        why = "" if admission.admitted else _why_not(admission.explanation)
        use.append(Line(name, why + now_is, f"decided {one.decided}", good=admission.admitted))
        trouble += _bad_news(name, admission.explanation)
        if admission.admitted:
            lapses += _lapses(known, one, name, admission.decision)
    trouble += [Line(one.told(), one.why, one.statement.signed.statement.issuer) for one in known.relied if one.why]
    lapses += _ends(known)
    owed = [one for one in orders(known.charter, known.view, known.facts, known.now) if one.owed]
    waits = [Line(text) for text in known.waits] + _unconfirmed(known) + _unratified(known)
    waits += [
        Line(f"answer to the {'exercise of a ' if one.exercise else ''}recall of {one.what}", one.reason,
             ", ".join(one.issuers), one.deadline or "")
        for one in owed if one.waits_for(known.member)
    ]  # fmt: skip
    order = {line: None for line in sorted(lapses, key=lambda line: (line.when, line.what))}
    return Status(
        known.member, as_of, tuple(use), tuple(order), tuple(dict.fromkeys(owes)), tuple(dict.fromkeys(waits)),
        tuple(dict.fromkeys(trouble)),
        tuple(
            Line(one.told(), one.words(), one.evaluation.issuer, good=not one.dispute)
            for one in opinions(known.charter, known.facts.statements)
        ),
        tuple(
            Line(f"{'exercise, ' if one.exercise else ''}{one.what}", answer.told(), "", one.deadline or "")
            for one in owed for answer in one.answers
        ),
    )  # fmt: skip


def render_text(found: Status) -> str:
    """The page for a terminal: each section with its lines, an empty one with what that means."""
    lines = [f"{found.member}, as of {found.as_of}"]
    for heading, empty, of in found.sections():
        lines += ["", heading]
        for line in of:
            sign = "" if heading != "may use" else "yes  " if line.good else "NO   "
            parts = [part for part in (line.when, line.what) if part]
            lines.append(f"  {sign}{'  '.join(parts)}" + "".join(f"  {part}" for part in (line.why, line.who) if part))
        lines += [] if of else [f"  {empty}"]
    return "\n".join(lines)


def board(found: Status) -> Board:
    """The page for paper and browsers."""
    refused = sum(not line.good for line in found.use)
    verdict = f"{len(found.use) - refused} of {len(found.use)} uses are admitted; {len(found.trouble)} in trouble."
    sections = []
    for heading, empty, of in found.sections():
        kind = "warn" if found.trouble or heading == f"owed by {found.member}" else "none"
        rows = tuple(
            (
                Cell(line.what, ("good" if line.good else "bad") if heading == "may use" else kind),
                Cell(line.why), Cell(line.who), Cell(line.when),
            )
            for line in of
        )  # fmt: skip
        title = heading[0].upper() + heading[1:]
        sections.append(Section(title, "" if of else f"{empty}.", ("What", "Why", "Who", "When") if of else (), rows))
    return Board(
        "status", f"{found.member}, {found.as_of[:10]}", verdict, "good" if found.yes else "bad", tuple(sections),
        ("Made again from what this node holds; it is not signed.", "Who did not exchange may know more."),
    )  # fmt: skip


def _is_ours(known: Known, use: Use) -> bool:
    case = use.use_case
    return known.member in (use.by, case["owner"]) or known.member in case["members"]


def _why_not(explained: Mapping[str, Any]) -> str:
    rows = [row["id"] for row in explained["requirements"] if row["state"] == "unmet"]
    rest = [f"{one['what']} {called(one['id'])}" for one in explained["missing"]["unlifted"]]
    return ", ".join(rows or rest) or "no requirement applies"


def _owed(known: Known, name: str, missing: Mapping[str, Any]) -> list[Line]:
    """What this member can supply of what a refused use lacks; nothing where no evidence would help."""
    if any(one["by"] is None for one in missing["unlifted"]):
        return []
    owed = []
    for one in missing["evidence"]:
        if known.member in one["by"]:
            others = [other for other in one["by"] if other != known.member]
            alone = one["count"] > len(others)
            who = "by nobody else" if alone else f"or by {', '.join(others)}"
            owed.append(Line(f"{one['count']} {one['kind']}, {name}", ", ".join(one["requirements"]), who))
    return owed


def _bad_news(name: str, explained: Mapping[str, Any]) -> list[Line]:
    return [
        Line(f"{name}: {one['kind']} of {called(one['name'])}", one["reason"] or "", one["by"] or "not told")
        for one in explained["notices"]
        if one["kind"] in listing.COUNTS | {"incident"}
    ]


def _lapses(known: Known, use: Use, name: str, decision: Mapping[str, Any]) -> list[Line]:
    """The moments ahead at which a requirement of this use stops being met."""
    met = {row["id"] for row in decision["requirements"] if row["state"] != "does not apply"}
    found = []
    for moment in _moments(known, decision):
        heads = {origin: replace(head, time=rfc3339(moment)) for origin, head in known.view.heads.items()}
        then = table.decide(known.charter, View(heads), known.facts, rfc3339(moment), use.subject, use.use_case)
        gone = [row for row in then["requirements"] if row["id"] in met and row["state"] == "unmet"]
        for row in gone:
            met.discard(row["id"])
            found.append(Line(name, f"{row['id']} is met no longer", f"owed by {row['owed_by']}", rfc3339(moment)))
    return found


def _moments(known: Known, decision: Mapping[str, Any]) -> list[datetime]:
    """The seconds after which something that *decision* counts is too old or has ended."""
    ages = [row.max_age_days for row in known.charter.requirements if row.max_age_days is not None]
    considered = table.considered_facts(decision, known.facts).values()
    ends = [fact.signed.statement.made + timedelta(days=days) for fact in considered for days in set(ages)]
    ends += [parse_time(text) for fact in _about(known, decision) if (text := _end_of(fact)) is not None]
    last = known.now + timedelta(days=LAPSE_DAYS)
    return sorted({end + timedelta(seconds=1) for end in ends if known.now <= end <= last})[:STATUS_MOMENTS_MAX]


def _about(known: Known, decision: Mapping[str, Any]) -> list[Fact]:
    return [fact for fact in known.facts.statements if fact.signed.statement.is_about(decision["subject"]["digest"])]


def _end_of(fact: Fact) -> str | None:
    """When a statement says that it ends."""
    said = fact.signed.statement.predicate
    if fact.signed.statement.kind == "reliance":
        return str(said["limits"]["until"])
    return str(said["expires"]) if fact.signed.statement.kind == "waiver" else None


def _ends(known: Known) -> list[Line]:
    """Own mandates, the support of what is used, waivers and own reliances that end soon, by their own words."""
    used = {one.subject.digest for one in known.uses if _is_ours(known, one)}
    lines = []
    for fact in known.facts.statements:
        statement = fact.signed.statement
        said, own = statement.predicate, statement.issuer == known.member
        about = any(subject.digest in used for subject in statement.subject)
        what, end = "", None
        if statement.kind == "mandate" and own:
            what, end = f"mandate {said['mandate'].get('name')}", said["mandate"].get("valid_until")
        elif statement.kind == "claim" and about:
            what, end = f"support of {said['system']} {said['release']}", said["support_until"]
        elif statement.kind == "waiver" and about:
            what, end = f"waiver of {said['requirement']}, {statement.subject[0].name}", said["expires"]
        elif statement.kind == "reliance" and own:
            what, end = f"reliance on {said['statement'][:19]}…", said["limits"]["until"]
        if end is not None and known.now <= parse_time(end) <= known.now + timedelta(days=LAPSE_DAYS):
            lines.append(Line(what, "ends", statement.issuer, end))
    return lines


def _unconfirmed(known: Known) -> list[Line]:
    """Bad news of so few that it lapses unless another says it; and what others take back. An exercise is neither."""
    names = {str(signed.statement.predicate["target"]) for signed in _notices(known.facts)}
    names = {name for name in names if not name.startswith("exercise:")}
    held = {fact.signed.statement.id: fact for fact in known.facts.statements}
    listed = listing.notices(known.charter, known.view, known.facts, sorted(names), held)
    groups: dict[tuple[str, str], list[listing.Listed]] = {}
    for one in listed:
        if one.kind in ("recall", "dispute", "take-back") and one.signed is not None:
            groups.setdefault((one.name, one.kind), []).append(one)
    own = known.charter.member(known.member).operator
    lines = []
    for (name, kind), group in sorted(groups.items()):
        holders = [known.charter.holders[one.signed.key_id] for one in group if one.signed]
        operators, issuers = {h.operator for h in holders}, ", ".join(sorted({h.owner for h in holders}))
        if own in operators or any(holder.is_supplier for holder in holders):
            continue
        if kind == "take-back" and len(operators) < known.charter.quorum.witness:
            why = f"{len(operators)} of {known.charter.quorum.witness} say so"
            lines.append(Line(f"take-back of bad news against {called(name)}", why, issuers))
        elif kind != "take-back" and len(operators) <= known.charter.quorum.faulty:
            end_s = max(end for _, end in listing.lane_ends(group, known.charter))
            lines.append(Line(f"{kind} of {called(name)}", "lapses unless another says it", issuers, from_unix(end_s)))
    return lines


def _unratified(known: Known) -> list[Line]:
    """Successors of the charter that others ratified, as filed under its name, and this member has not."""
    by: dict[str, set[str]] = {}
    for signed in _notices(known.facts):
        if signed.statement.kind == "ratification":
            by.setdefault(signed.statement.subject[0].digest, set()).add(signed.statement.issuer)
    return [
        Line(f"ratification of a successor charter {digest}", "", ", ".join(sorted(names)))
        for digest, names in sorted(by.items())
        if known.member not in names
    ]


def _notices(facts: Facts) -> Iterable[Any]:
    held = [leaf.signed for leaf in facts.notices if leaf.signed is not None and leaf.holder is not None]
    return [signed for signed in (*held, *facts.loose) if "target" in signed.statement.predicate]


def uses_of(decisions: Sequence[tuple[str, Any]], use_case: Mapping[str, Mapping[str, Any]]) -> tuple[Use, ...]:
    """The newest decision on each release and use case.

    Args:
        decisions: statements of kind ``decision`` with their locators.
        use_case: use cases by digest; a decision whose use case is not held is left out.
    """
    newest: dict[tuple[str, str], tuple[str, Use]] = {}
    for locator, statement in decisions:
        made = statement.predicate["decision"]
        case = use_case.get(str(made.get("use_case")))
        if case is None or not isinstance(made.get("subject"), dict):
            continue
        subject = statement.subject[0]
        key, when = (subject.digest, made["use_case"]), str(statement.predicate["made"])
        if key not in newest or newest[key][0] < when:
            newest[key] = when, Use(subject, case, locator, statement.issuer, str(made.get("verdict")))
    found = [use for _, use in newest.values()]
    return tuple(sorted(found, key=lambda use: (use.subject.name, use.use_case["name"], use.subject.digest)))

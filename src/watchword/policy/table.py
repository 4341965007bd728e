"""The decision: what charter, view, notices, time, subject and use case make of each other.

Pure: values in, one JSON object out, the same bytes on every node. Numbers are those of docs/protocol.md, section 8:

1. what is considered, 2. the notices against its names, 3. what they fell, 4. what is known by its leaf alone, 5. each
requirement, 6. each red line and caveat, 7. stale ledgers, 8. charters that follow this one, 9. the verdict.

* Good news counts only with standing and inside the view; bad news and what restricts counts from any channel.
* Evidence that falls, or that somebody keeps back, counts as failing, never as absent: taking the worst run away does
  not help. The counts that a red line may speak of only grow by it, and compare only upwards.
* A requirement may be waived, where its row says by whom. Red lines and caveats have no such path.
* Signatures, inclusion and cosignatures were checked where the facts were made (``ledger``); standing too, but for the
  two rules that need another statement: a retraction is by the issuer of its target, a revocation by the key's owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import msgspec

from watchword.charter.charter import Charter, Condition, KeyHolder, RedLine, Requirement
from watchword.charter.conditions import all_hold, holds_or, is_trouble
from watchword.charter.succession import successors
from watchword.errors import WatchwordError
from watchword.ledger import notices as ledger_notices
from watchword.ledger.listing import Listed as Listed
from watchword.ledger.listing import Unheld as Unheld
from watchword.ledger.listing import consider as consider
from watchword.ledger.listing import fallen as fallen
from watchword.ledger.listing import notices as notices
from watchword.ledger.listing import unheld as unheld
from watchword.ledger.view import Fact, Facts, View
from watchword.ledger.view import loose_list as view_list
from watchword.limits import CAVEATS_KEPT_MAX, CLOCK_AHEAD_S_MAX
from watchword.policy.use_case import parse_use_case
from watchword.statements.digests import DJ, endpoint_digest
from watchword.statements.kinds import CONSIDERED, WIDE
from watchword.statements.statement import Signed, Statement, Subject
from watchword.statements.times import parse_time

FORMAT = "watchword-decision/1"
DAY_S = 86_400
STOPPING = frozenset({"recall", "unheld"})
"""Kinds of listed notice that refuse by themselves: a recall, and one that nobody here can read."""


class NotYetInForce(WatchwordError):
    """A decision at a time before its charter is in force."""


class ViewFromTheFuture(WatchwordError):
    """A view with a cosigned time past the moment of the decision: one of the two clocks is wrong."""


def decide(
    charter: Charter, view: View, facts: Facts, as_of: str, subject: Subject, use_case: Mapping[str, Any]
) -> dict[str, Any]:
    """Make the decision object of section 8.

    Args:
        charter: in force (``charter.standing.in_force``; not checked again here).
        view: heads whose cosignatures were verified.
        facts: statements and notices with standing, and all loose notices held.
        as_of: the moment of the decision, RFC 3339.
        subject: name and digest of the release.
        use_case: the object of section 8 (see ``policy.use_case``).

    Raises:
        ViewFromTheFuture: a head of *view* is later than *as_of* by more than the clocks may differ.
        NotYetInForce: *as_of* is before the charter is in force.
        BadUseCase, BadTime: another form than section 8 states.
    """
    moment = parse_time(as_of)
    parse_use_case(use_case)
    _refuse_future(charter, view, moment)
    # 1
    considered = consider(charter, view, facts, moment, subject.digest)
    # 2
    names = name_set(charter, subject.digest, considered.values())
    listed = notices(charter, view, facts, names, considered)
    # 3
    fell = fallen(considered.values(), listed)
    # 4
    kept_back = unheld(charter, view, facts, subject.digest, listed)
    here = tuple(one for one in kept_back if one.state == "unheld")
    case = Case(considered, fell, here, use_case, moment, sort_of(considered.values(), subject.digest))
    # 5
    requirements = [_judge(row, case) for row in charter.requirements]
    # 6
    context = red_line_context(use_case, considered.values(), (n.kind for n in listed), (u.kind for u in case.unheld))
    found = findings(charter, considered.values(), (one.kind for one in case.unheld))
    red_lines = [{"id": one.id, "state": _crossing(crossed(one, context, found))} for one in charter.red_lines]
    caveats = _caveats(listed, context, use_case["name"], subject.digest)
    # 7
    stale = _stale(charter, view, moment)
    # 8
    ratified = [one.signed for one in listed if one.signed is not None and one.kind == "ratification"]
    next_charters = successors(charter, ratified, moment)
    # 9
    # Of what is kept back neither the names are known under which bad news would reach it, nor what it says.
    stopped = any(notice.kind in STOPPING for notice in listed) or bool(case.unheld)
    admitted = not (stale or next_charters or stopped) and _all_clear(requirements, red_lines, caveats)
    return {
        "as_of": as_of,
        "caveats": caveats,
        "charter": charter.digest,
        "considered": [
            {"id": id, "index": fact.index, "origin": fact.origin} for id, fact in sorted(considered.items())
        ],
        "format": FORMAT,
        "label": "witnessed" if len(charter.operators) > 1 else "unwitnessed, own clock",
        "loose": DJ(loose_list(facts)),
        "notices": [notice.value() for notice in listed],
        "red_lines": red_lines,
        "requirements": requirements,
        "stale": stale,
        "subject": {"digest": subject.digest, "name": subject.name},
        "successors": next_charters,
        "unheld": [one.value() for one in kept_back],
        "use_case": DJ(use_case),
        "verdict": "admitted" if admitted else "refused",
        "view": view.digest,
    }


def _all_clear(
    requirements: list[dict[str, Any]], red_lines: list[dict[str, str]], caveats: list[dict[str, Any]]
) -> bool:
    """Whether every row that applies is met or waived, one is met, and nothing is crossed."""
    states = {row["state"] for row in requirements}
    crossed_lines = any(line["state"] == "crossed" for line in red_lines)
    return (
        "met" in states
        and "unmet" not in states
        and not crossed_lines
        and not any(is_crossed(caveat) for caveat in caveats)
    )


@dataclass(frozen=True)
class Case:
    """What rows are judged against: the considered statements and what fell of them by id, what is known by its leaf
    alone and still counts, the use case, the moment, and the release's sort (``sort_of``)."""

    considered: Mapping[str, Fact]
    fell: Mapping[str, str]
    unheld: tuple[Unheld, ...]
    use_case: Mapping[str, Any]
    moment: datetime
    sort: str

    @cached_property
    def use_case_digest(self) -> str:
        """What waivers name the use case by."""
        return DJ(self.use_case)

    @cached_property
    def relied_on(self) -> dict[str, list[Fact]]:
        """The reliances of the use case's owner, fallen ones too, by the statement that they rely on."""
        found: dict[str, list[Fact]] = {}
        for fact in self.considered.values():
            statement = fact.signed.statement
            wide = statement.predicate["scope"] in WIDE
            if statement.kind == "reliance" and wide and _is_owner(fact, self.use_case):
                found.setdefault(statement.predicate["statement"], []).append(fact)
        return found


def name_set(charter: Charter, release: str, considered: Iterable[Fact]) -> tuple[str, ...]:
    """Every name under which a notice would reach *release* (section 7), sorted by code point."""
    return ledger_notices.name_set(charter, release, (fact.signed for fact in considered))


def sort_of(considered: Iterable[Fact], release: str) -> str:
    """``endpoint`` where a considered statement, fallen or not, shows that *release* is one; else ``files``.

    It shows that by what it says, not by who says it: the digest of an endpoint follows from its fields, and no files
    have it. So nobody can call files an endpoint, to be asked less of them.
    """
    said = (fact.signed.statement for fact in considered)
    shown = any(one.kind == "endpoint" and endpoint_digest(one.predicate) == release for one in said)
    return "endpoint" if shown else "files"


def applies(row: Requirement, case: Case) -> bool:
    """Whether *row* asks anything of this use of this release."""
    when, use_case = row.when, case.use_case
    if when.release not in (msgspec.UNSET, case.sort):
        return False
    return use_case["criticality"] >= when.criticality and (not when.human or use_case["human"] in when.human)


def candidates(row: Requirement, case: Case) -> dict[str, Fact]:
    """The considered statements that *row* is about, by id."""
    return {
        id: fact
        for id, fact in case.considered.items()
        if fact.signed.statement.kind == row.kind
        and (_is_from(row.from_, fact.holder) or (row.from_ == "owner" and _is_owners(fact, case)))
        and all_hold(row.where, fact.signed.statement.predicate, trouble=True)
    }


def red_line_context(
    use_case: Mapping[str, Any], considered: Iterable[Fact], notice_kinds: Iterable[str], unheld_kinds: Iterable[str]
) -> dict[str, Any]:
    """Step 6: what red lines and caveats may speak of.

    Args:
        considered: fallen ones too: a finding that was taken back was still a finding.
        notice_kinds: the kind of each notice listed.
        unheld_kinds: the kind of each statement known by its leaf alone; it counts as the worst that it could be.
    """
    said = [(fact.signed.statement, fact.signed.statement.predicate) for fact in considered]
    kept_back, listed = list(unheld_kinds), list(notice_kinds)
    dangerous = [
        p for s, p in said if s.kind == "inspection" and (p["dangerous"] or p["verdict"] == "dangerous")
    ]
    against = [p for s, p in said if s.kind == "review" and p["outcome"] == "against"]
    endpoints = [p for s, p in said if s.kind == "endpoint"]
    suppliers = {s.issuer for s, _ in said if s.kind == "claim"} | {p["supplier"] for p in endpoints}
    return {
        "criticality": use_case["criticality"],
        "human": use_case["human"],
        "members": use_case["members"],
        "tags": use_case["tags"],
        "owner": use_case["owner"],
        "suppliers": sorted(suppliers),
        "recalls": sum(kind in STOPPING for kind in listed),
        "disputes": listed.count("dispute"),
        "incidents": listed.count("incident"),
        "dangerous": len(dangerous) + kept_back.count("inspection"),
        "against": len(against) + kept_back.count("review"),
        "endpoint": len(endpoints) + kept_back.count("endpoint"),
    }


def findings(charter: Charter, considered: Iterable[Fact], unheld_kinds: Iterable[str]) -> dict[str, int]:
    """Of each red line that names evidence, by its id: how many considered statements are such, fallen ones too.

    A kind of evidence that is not known here counts as found: nobody here can say that it is not there.
    """
    said, kept_back = [fact.signed.statement for fact in considered], list(unheld_kinds)
    return {
        line.id: (line.evidence.kind not in CONSIDERED)
        + kept_back.count(line.evidence.kind)
        + sum(
            one.kind == line.evidence.kind and all_hold(line.evidence.where, one.predicate, trouble=True)
            for one in said
        )
        for line in charter.red_lines
        if line.evidence is not None
    }


def crossed(line: RedLine, context: Mapping[str, Any], found: Mapping[str, int]) -> bool:
    """Whether all conditions of *line* hold, and its evidence, where it names some, was found (``findings``)."""
    return forbidden(line.forbid, context) and (line.evidence is None or found[line.id] > 0)


def forbidden(conditions: Iterable[Condition], context: Mapping[str, Any]) -> bool:
    """Whether all *conditions* hold over what ``red_line_context`` makes; one in trouble counts as holding."""
    return all(is_trouble(one) or holds_or(one, context, trouble=True) for one in conditions)


def is_crossed(caveat: Mapping[str, Any]) -> bool:
    """Whether a caveat, as a decision lists it, forbids this admission."""
    return caveat["cedar"] == "crossed" or any(rule["state"] == "crossed" for rule in caveat["rules"])


@dataclass(frozen=True)
class Seen:
    """What a decision was made over, found again: the considered statements by id, step 6's context and findings, the
    sort of its release."""

    considered: dict[str, Fact]
    context: dict[str, Any]
    found: dict[str, int]
    sort: str


def seen(charter: Charter, facts: Facts, decision: Mapping[str, Any], use_case: Mapping[str, Any]) -> Seen:
    """What red lines and caveats spoke of in *decision*, which was made from the others."""
    considered = considered_facts(decision, facts)
    listed = [notice["kind"] for notice in decision["notices"]]
    kept_back = [one["kind"] for one in still_unheld(decision)]
    context = red_line_context(use_case, considered.values(), listed, kept_back)
    sort = sort_of(considered.values(), decision["subject"]["digest"])
    return Seen(considered, context, findings(charter, considered.values(), kept_back), sort)


def still_unheld(decision: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The leaves that *decision* lists as kept back, without those that were taken back."""
    return [one for one in decision["unheld"] if one["state"] == "unheld"]


def notices_held(facts: Facts) -> dict[str, Signed]:
    """Every notice whose text is held, loose or in a ledger, by its statement's id."""
    held = [*facts.loose, *(leaf.signed for leaf in facts.notices if leaf.signed is not None)]
    return {signed.statement.id: signed for signed in reversed(held)}


def listed_in(facts: Facts, decision: Mapping[str, Any]) -> list[Listed]:
    """The notices that *decision* lists, found again with what they say."""
    held = notices_held(facts)
    return [
        Listed(one["name"], one["kind"], one["origin"], one["index"], held.get(one["statement"]))
        for one in decision["notices"]
    ]


def considered_facts(decision: Mapping[str, Any], facts: Facts) -> dict[str, Fact]:
    """The facts that *decision* considered, by statement id, found again by their place."""
    places = {(one["origin"], one["index"]): one["id"] for one in decision["considered"]}
    about = facts.first_about.get(decision["subject"]["digest"], ())
    here = ((places.get((fact.origin, fact.index)), fact) for fact in about)
    return {id: fact for id, fact in here if id is not None and fact.signed.statement.id == id}


def loose_list(facts: Facts) -> dict[str, Any]:
    """The loose notices held, as the object whose digest a decision names."""
    return view_list(signed.statement.id for signed in facts.loose)


def _refuse_future(charter: Charter, view: View, moment: datetime) -> None:
    if moment < parse_time(charter.effective):
        raise NotYetInForce(
            f"charter {charter.version} of {charter.alliance} is in force from {charter.effective} on",
            "decide for a later time, or under the charter before it",
        )
    for origin, head in sorted(view.heads.items()):
        # A difference, not a sum: there is no time after the year 9999 to compare with.
        if parse_time(head.time) - moment > timedelta(seconds=CLOCK_AHEAD_S_MAX):
            raise ViewFromTheFuture(
                f"view: head of {origin} was cosigned {head.time}, more than {CLOCK_AHEAD_S_MAX} s after this decision",
                "decide for a later time, or with an older view; check the clock of this machine",
            )


def _is_from(who: str, holder: KeyHolder) -> bool:
    if who == "any":
        return True
    return who == ("supplier" if holder.is_supplier else "member")


def _is_owner(fact: Fact, use_case: Mapping[str, Any]) -> bool:
    return not fact.holder.is_supplier and fact.holder.owner == use_case["owner"]


def _is_owners(fact: Fact, case: Case) -> bool:
    """Whether the owner of the use case said this, or relies on it or once did."""
    return _is_owner(fact, case.use_case) or fact.signed.statement.id in case.relied_on


def _judge(row: Requirement, case: Case) -> dict[str, Any]:
    judged: dict[str, Any] = {
        "counted": [], "failing": [], "from": [], "id": row.id, "need": row.count, "newest_age_s": None,
        "owed_by": row.owed_by, "state": "does not apply", "there": 0, "tools": 0, "waived_by": [],
    }  # fmt: skip
    if not applies(row, case):
        return judged
    good: dict[str, Fact] = {}
    failing: dict[str, str] = {}
    ages: list[int] = []
    about = candidates(row, case)
    for id, fact in about.items():
        statement = fact.signed.statement
        why = _why_failing(row, fact, case)
        if why is not None:
            failing[id] = why
            continue
        if not all_hold(row.where, statement.predicate, trouble=False):
            # A filter in trouble lets in what fails and never what helps: a hidden field makes nothing pass.
            continue
        age_s = int((case.moment - statement.made).total_seconds())
        ages.append(age_s)
        young = row.max_age_days is None or age_s <= row.max_age_days * DAY_S
        if young and (row.from_ != "owner" or _is_relied_on(fact, case)):
            good[id] = fact
    kinds = {row.kind, "reliance"} if row.from_ == "owner" else {row.kind}
    kept_back = {one.id: "unheld" for one in case.unheld if one.kind in kinds}
    operators = {fact.holder.operator for fact in good.values()}
    there = len(operators) if row.distinct == "operators" else len(good)
    tools = {_tool(fact) for fact in good.values()} - {None}
    met = there >= row.count and len(tools) >= row.tools and not failing and not kept_back
    waivers = [] if met or kept_back else _waivers(row, case, [about[id] for id in failing])
    return judged | {
        "counted": sorted(good),
        "failing": [{"id": id, "why": why} for id, why in sorted((failing | kept_back).items())],
        "from": sorted({fact.signed.statement.issuer for fact in good.values()}),
        "newest_age_s": min(ages, default=None),
        "state": "met" if met else "waived" if waivers else "unmet",
        "there": there,
        "tools": len(tools),
        "waived_by": sorted(fact.signed.statement.id for fact in waivers),
    }


def _why_failing(row: Requirement, fact: Fact, case: Case) -> str | None:
    """Why a candidate counts against *row*, or None."""
    statement = fact.signed.statement
    if statement.id in case.fell:
        return case.fell[statement.id]
    if not all_hold(row.bound, statement.predicate, trouble=False):
        return "bound"
    on_it = case.relied_on.get(statement.id, ()) if row.from_ == "owner" and not _is_owner(fact, case.use_case) else ()
    return "reliance fell" if any(one.signed.statement.id in case.fell for one in on_it) else None


def _is_relied_on(fact: Fact, case: Case) -> bool:
    """Whether the owner said it, or relies on it within limits that hold for this use case now."""
    if _is_owner(fact, case.use_case):
        return True
    use_case = case.use_case
    limits = [one.signed.statement.predicate["limits"] for one in case.relied_on[fact.signed.statement.id]]
    return any(
        use_case["criticality"] <= one["criticality_max"]
        and case.moment <= parse_time(one["until"])
        and (not one["tags"] or set(use_case["tags"]) <= set(one["tags"]))
        and (not one["members"] or set(use_case["members"]) <= set(one["members"]))
        for one in limits
    )


def _waivers(row: Requirement, case: Case, failing: list[Fact]) -> list[Fact]:
    """The waivers that lift *row* here; none where too few count. None reaches evidence newer than itself."""
    if row.waiver is None:
        return []
    newest = max((fact.signed.statement.made for fact in failing), default=None)
    found = []
    for id, fact in case.considered.items():
        statement, said = fact.signed.statement, fact.signed.statement.predicate
        if (
            statement.kind == "waiver"
            and (said["requirement"], said["use_case"]) == (row.id, case.use_case_digest)
            and id not in case.fell
            and said["scope"] in WIDE
            and row.waiver.role in fact.holder.roles
            and case.moment <= parse_time(said["expires"])
            and (newest is None or newest <= statement.made)
        ):
            found.append(fact)
    enough = len({fact.holder.operator for fact in found}) >= max(row.waiver.count, 1)
    return found if enough else []


def _caveats(listed: Iterable[Listed], context: Mapping[str, Any], use_case: str, subject: str) -> list[dict[str, Any]]:
    """Step 6: what each caveat that stands says of this use."""
    stand = {one.signed.statement.id: one.signed.statement for one in listed if one.kind == "caveat" and one.signed}
    judged = []
    for id, statement in sorted(stand.items(), key=lambda item: (item[1].issuer, item[0])):
        said = statement.predicate
        rules = [
            {"id": rule["id"], "state": _state(rule, forbid, context)}
            for rule, forbid in zip(said["rules"], _conditions(statement), strict=True)
        ]
        free = None
        if said["cedar"] is not None:
            from watchword.policy.caveat import free_crossed

            free = _crossing(free_crossed(id, said["cedar"], use_case, context, subject))
        judged.append({"cedar": free, "member": statement.issuer, "rules": rules, "statement": id})
    return judged


def _crossing(hit: bool) -> str:
    return "crossed" if hit else "clear"


def _state(rule: Mapping[str, Any], forbid: list[Condition], context: Mapping[str, Any]) -> str:
    return "does not apply" if rule["on"] != "admit" else _crossing(forbidden(forbid, context))


def _conditions(caveat: Statement) -> list[list[Condition]]:
    """What each rule of *caveat* forbids; kept by its id, since a caveat stands for as many decisions as there are."""
    kept = _CAVEATS.get(caveat.id)
    if kept is None:
        if len(_CAVEATS) >= CAVEATS_KEPT_MAX:
            _CAVEATS.clear()
        said = caveat.predicate["rules"]
        kept = _CAVEATS[caveat.id] = [msgspec.convert(rule["forbid"], list[Condition]) for rule in said]
    return kept


_CAVEATS: dict[str, list[list[Condition]]] = {}


def _tool(fact: Fact) -> str | None:
    tool = fact.signed.statement.predicate.get("tool")
    return tool["name"] if isinstance(tool, dict) else None


def _stale(charter: Charter, view: View, moment: datetime) -> list[str]:
    oldest = moment - timedelta(seconds=charter.head_max_age_s)
    return [
        origin
        for origin in charter.shared_origins
        if origin not in view.heads or parse_time(view.heads[origin].time) < oldest
    ]

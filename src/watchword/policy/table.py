"""The decision: what charter, view, notices, time, subject and use case make of each other.

Pure: values in, one JSON object out, the same bytes on every node. Numbers are those of docs/protocol.md, section 8:

1. what is considered, 2. the notices against its names, 3. what they fell, 4. each requirement, 5. each red line,
6. stale ledgers, 7. charters that follow this one, 8. the verdict.

* Good news counts only with standing and inside the view; bad news counts from any channel.
* Evidence that falls counts as failing, never as absent: taking the worst run away does not help.
* Signatures, inclusion and cosignatures were checked where the facts were made (``ledger``); standing too, but for the
  two rules that need another statement: a retraction is by the issuer of its target, a revocation by the key's owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from watchword.charter.charter import Charter, KeyHolder, RedLine, Requirement
from watchword.charter.conditions import all_hold, holds_or
from watchword.charter.succession import successors
from watchword.errors import WatchwordError
from watchword.ledger import notices as ledger_notices
from watchword.ledger.listing import Listed as Listed
from watchword.ledger.listing import consider as consider
from watchword.ledger.listing import fallen as fallen
from watchword.ledger.listing import notices as notices
from watchword.ledger.view import Fact, Facts, View
from watchword.ledger.view import loose_list as view_list
from watchword.limits import CLOCK_AHEAD_S_MAX
from watchword.policy.use_case import parse_use_case
from watchword.statements.digests import DJ
from watchword.statements.statement import Subject
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
    requirements = [_judge(row, considered, fell, use_case, moment) for row in charter.requirements]
    # 5
    context = red_line_context(use_case, considered.values(), (notice.kind for notice in listed))
    red_lines = [
        {"id": line.id, "state": "crossed" if crossed(line, context) else "clear"} for line in charter.red_lines
    ]
    # 6
    stale = _stale(charter, view, moment)
    # 7
    ratified = [one.signed for one in listed if one.signed is not None and one.kind == "ratification"]
    next_charters = successors(charter, ratified, moment)
    # 8
    admitted = (
        any(row["state"] == "met" for row in requirements)
        and not any(row["state"] == "unmet" for row in requirements)
        and not any(line["state"] == "crossed" for line in red_lines)
        and not stale
        and not next_charters
        and not any(notice.kind in STOPPING for notice in listed)
    )
    return {
        "as_of": as_of,
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
        "use_case": DJ(use_case),
        "verdict": "admitted" if admitted else "refused",
        "view": view.digest,
    }


def name_set(charter: Charter, release: str, considered: Iterable[Fact]) -> tuple[str, ...]:
    """Every name under which a notice would reach *release* (section 7), sorted by code point."""
    return ledger_notices.name_set(charter, release, (fact.signed for fact in considered))


def applies(row: Requirement, use_case: Mapping[str, Any]) -> bool:
    """Whether *row* asks anything of this use case."""
    when = row.when
    return use_case["criticality"] >= when.criticality and (not when.human or use_case["human"] in when.human)


def candidates(row: Requirement, considered: Mapping[str, Fact]) -> dict[str, Fact]:
    """The considered statements that *row* is about, by id."""
    return {
        id: fact
        for id, fact in considered.items()
        if fact.signed.statement.kind == row.kind
        and _is_from(row.from_, fact.holder)
        and all_hold(row.where, fact.signed.statement.predicate, trouble=True)
    }


def red_line_context(
    use_case: Mapping[str, Any], considered: Iterable[Fact], notice_kinds: Iterable[str]
) -> dict[str, Any]:
    """Step 5: what a red line may speak of. *notice_kinds*: the kind of each notice listed."""
    predicates = [(fact.signed.statement.kind, fact.signed.statement.predicate) for fact in considered]
    # Fallen ones too: a finding that was taken back was still a finding.
    dangerous = [
        p for kind, p in predicates if kind == "inspection" and (p["dangerous"] or p["verdict"] == "dangerous")
    ]
    against = [p for kind, p in predicates if kind == "review" and p["outcome"] == "against"]
    return {
        "criticality": use_case["criticality"],
        "human": use_case["human"],
        "members": use_case["members"],
        "tags": use_case["tags"],
        "recalls": sum(kind in STOPPING for kind in notice_kinds),
        "dangerous": len(dangerous),
        "against": len(against),
    }


def crossed(line: RedLine, context: Mapping[str, Any]) -> bool:
    """Whether all conditions of *line* hold; one in trouble counts as holding."""
    return all_hold(line.forbid, context, trouble=True)


def considered_facts(decision: Mapping[str, Any], facts: Facts) -> dict[str, Fact]:
    """The facts that *decision* considered, by statement id, found again by their place."""
    places = {(one["origin"], one["index"]): one["id"] for one in decision["considered"]}
    here = ((places.get((fact.origin, fact.index)), fact) for fact in facts.statements)
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
    latest = moment + timedelta(seconds=CLOCK_AHEAD_S_MAX)
    for origin, head in sorted(view.heads.items()):
        if parse_time(head.time) > latest:
            raise ViewFromTheFuture(
                f"view: head of {origin} was cosigned {head.time}, more than {CLOCK_AHEAD_S_MAX} s after this decision",
                "decide for a later time, or with an older view; check the clock of this machine",
            )


def _is_from(who: str, holder: KeyHolder) -> bool:
    if who == "any":
        return True
    return who == ("supplier" if holder.is_supplier else "member")


def _judge(
    row: Requirement,
    considered: Mapping[str, Fact],
    fell: Mapping[str, str],
    use_case: Mapping[str, Any],
    moment: datetime,
) -> dict[str, Any]:
    judged: dict[str, Any] = {
        "counted": [], "failing": [], "from": [], "id": row.id, "need": row.count, "newest_age_s": None,
        "owed_by": row.owed_by, "state": "does not apply", "there": 0, "tools": 0,
    }  # fmt: skip
    if not applies(row, use_case):
        return judged
    good: dict[str, Fact] = {}
    failing: dict[str, str] = {}
    ages: list[int] = []
    for id, fact in sorted(candidates(row, considered).items()):
        statement = fact.signed.statement
        if id in fell:
            failing[id] = fell[id]
            continue
        if not all(holds_or(condition, statement.predicate, trouble=False) for condition in row.bound):
            failing[id] = "bound"
            continue
        if not all_hold(row.where, statement.predicate, trouble=False):
            # A filter in trouble lets in what fails and never what helps: a hidden field makes nothing pass.
            continue
        age_s = int((moment - statement.made).total_seconds())
        ages.append(age_s)
        if row.max_age_days is None or age_s <= row.max_age_days * DAY_S:
            good[id] = fact
    operators = {fact.holder.operator for fact in good.values()}
    there = len(operators) if row.distinct == "operators" else len(good)
    tools = {_tool(fact) for fact in good.values()} - {None}
    met = there >= row.count and len(tools) >= row.tools and not failing
    return judged | {
        "counted": sorted(good),
        "failing": [{"id": id, "why": why} for id, why in failing.items()],
        "from": sorted({fact.signed.statement.issuer for fact in good.values()}),
        "newest_age_s": min(ages, default=None),
        "state": "met" if met else "unmet",
        "there": there,
        "tools": len(tools),
    }


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

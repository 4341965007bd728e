"""A mandate: authority that a person delegates to an admitted system, as narrow as it is written.

Follows docs/protocol.md, section 9. Pure.

* What no rule covers is denied, never asked. A rule covers an action when the tool is the same, every condition holds,
  and every argument is named by a condition. A condition in trouble does not hold.
* The first rule that covers an action is the one that applies.
* Not decided here: who may sign one, and whether it still stands (see ``authority``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from watchword.charter.charter import Charter, Condition
from watchword.charter.conditions import all_hold, wrong_with
from watchword.charter.lint import persons
from watchword.errors import WatchwordError
from watchword.gate.action import Action
from watchword.limits import CONDITIONS_MAX, MANDATE_RULES_MAX, PROBES_PER_1000_MAX
from watchword.policy.use_case import read_toml
from watchword.statements.kinds import Digest, Text, Time
from watchword.statements.statement import Signed, Subject
from watchword.statements.times import parse_time, rfc3339

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Positive = Annotated[int, Meta(ge=1, le=2**31)]
ClockTime = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class BadMandate(WatchwordError):
    """A mandate that is not of the form section 9 states, or that cannot mean what it says."""


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Hours(_Strict, frozen=True, kw_only=True):
    """The hours of each day, UTC: from ``from_`` up to but not at ``to``; past midnight when ``to`` is the smaller."""

    from_: ClockTime = msgspec.field(name="from")
    to: ClockTime


class Envelope(_Strict, frozen=True, kw_only=True):
    """What stays allowed on a stale view: these rules, for ``for_s`` seconds more."""

    for_s: Positive
    rules: Annotated[list[Name], Meta(min_length=1)]


class Approvals(_Strict, frozen=True, kw_only=True):
    """How many operators' people in ``role`` must sign one action; 0: nobody."""

    count: Annotated[int, Meta(ge=0, le=64)]
    distinct: Literal["operators"]
    role: Text


class Quota(_Strict, frozen=True, kw_only=True):
    """At most ``count`` actions released in any ``per_s`` seconds."""

    count: Positive
    per_s: Positive


class Rule(_Strict, frozen=True, kw_only=True):
    """One tool with limits on its arguments. ``hold_s``: how long an action waits for people.

    ``unclean``: who is asked where ``approvals`` asks nobody and a value has no clean origin; None: it is denied.
    """

    id: Name
    tool: Text
    args: Annotated[list[Condition], Meta(max_length=CONDITIONS_MAX)]
    approvals: Approvals
    hold_s: Annotated[int, Meta(ge=0, le=31 * 86_400)]
    quota: Quota | None
    unclean: Approvals | None

    @property
    def people(self) -> Approvals | None:
        """Whom an action that is held under this rule waits for."""
        return self.approvals if self.approvals.count else self.unclean


class Probing(_Strict, frozen=True, kw_only=True):
    """A commander's authority to test the people who answer (``probes``): about ``per_1000`` vigilance probes among a
    thousand holds, of which a pool has to catch the share ``caught_min``, a decimal text below 1."""

    caught_min: Annotated[str, Meta(pattern="^0[.][0-9]{1,4}$")]
    per_1000: Annotated[int, Meta(ge=1, le=PROBES_PER_1000_MAX)]


class Mandate(_Strict, frozen=True, kw_only=True):
    """The mandate object. ``decision`` is the id of the admission that it rests on."""

    name: Name
    decision: Digest
    use_case: Digest
    valid_from: Time
    valid_until: Time
    hours: Hours | None
    view_max_age_s: Positive
    stale: Literal["deny"] | Envelope
    rules: Annotated[list[Rule], Meta(min_length=1, max_length=MANDATE_RULES_MAX)]
    probes: Probing | None


@dataclass(frozen=True)
class Draft:
    """A mandate as a person wrote it: all but the admission, the use case and, where it says ``valid_for_s``, times."""

    value: dict[str, Any]
    valid_for_s: int | None


def parse_mandate(value: Any) -> Mandate:
    """Check a mandate object.

    Raises:
        BadMandate: a field missing, unknown or of another type; times or hours that never come; two rules of one id;
            a condition that can never be answered; a rule that asks for approvals and leaves no time for them.
    """
    try:
        mandate = msgspec.convert(value, Mandate, strict=True)
        ends = parse_time(mandate.valid_from) >= parse_time(mandate.valid_until)
    except (msgspec.ValidationError, WatchwordError) as error:
        raise BadMandate(f"mandate: {error}", _HINT) from error
    if ends:
        raise BadMandate(f"mandate {mandate.name}: valid until {mandate.valid_until}, before it begins")
    if mandate.hours is not None and mandate.hours.from_ == mandate.hours.to:
        raise BadMandate(
            f"mandate {mandate.name}: hours from {mandate.hours.to} to itself", "leave hours out for all day"
        )
    ids = [rule.id for rule in mandate.rules]
    for id in ids:
        if ids.count(id) > 1:
            raise BadMandate(f"mandate {mandate.name}: two rules are called {id}")
    for rule in mandate.rules:
        _check_rule(rule, f"mandate {mandate.name}, rule {rule.id}")
    if isinstance(mandate.stale, Envelope):
        for id in mandate.stale.rules:
            if id not in ids:
                raise BadMandate(f"mandate {mandate.name}: stale names a rule {id}, which it has not")
    return mandate


def covering_rule(mandate: Mandate, action: Action) -> Rule | None:
    """The first rule that covers *action*; None: the mandate does not reach so far."""
    for rule in mandate.rules:
        named = {condition.field for condition in rule.args}
        if (
            rule.tool == action.tool
            and named.issuperset(action.args)
            and all_hold(rule.args, action.args, trouble=False)
        ):
            return rule
    return None


def uncovered(mandate: Mandate, action: Action) -> str:
    """Why no rule covers *action*, as people read it."""
    tools = [rule for rule in mandate.rules if rule.tool == action.tool]
    if not tools:
        return "no rule names this tool"
    unnamed = [sorted(set(action.args) - {condition.field for condition in rule.args}) for rule in tools]
    if all(unnamed):
        return f"no rule for this tool names the argument {unnamed[0][0][:80]!r}"
    return "an argument is outside what the rules for this tool allow"


def within_hours(mandate: Mandate, moment: datetime) -> bool:
    """Whether *moment* (UTC) is inside the mandate's hours of the day."""
    if mandate.hours is None:
        return True
    begins, ends, at = mandate.hours.from_, mandate.hours.to, moment.strftime("%H:%M")
    return begins <= at < ends if begins < ends else at >= begins or at < ends


def read_mandate(path: Path) -> Draft:
    """Read a mandate that a person wrote in TOML. May be left out: ``valid_from`` (when it is signed), ``hours``,
    ``stale`` ("deny"), ``probes`` (none), and in a rule ``approvals`` (none), ``unclean`` (nobody: denied), ``hold_s``
    (300), ``quota``, a condition's ``value``.

        name = "border-watch"
        valid_for_s = 28800                    # or valid_until = "2026-01-31T20:00:00Z"
        view_max_age_s = 3600
        [[rules]]
        id = "human-before-slew"
        tool = "slew-camera"
        args = [{field = "target", op = "in", value = ["tower-12"]}, {field = "azimuth_deg", op = "any"}]
        approvals = {count = 2, role = "commander"}

    Raises:
        BadMandate: missing, too large, not TOML, or not a mandate. Names *path*.
    """
    written = read_toml(path, BadMandate)
    value: dict[str, Any] = {
        "hours": None, "probes": None, "stale": "deny", "valid_from": None, "valid_until": None,
    } | written  # fmt: skip
    valid_for_s = value.pop("valid_for_s", None)
    if (valid_for_s is None) == (value["valid_until"] is None):
        raise BadMandate(f"{path}: say either valid_until or valid_for_s")
    if valid_for_s is not None and (type(valid_for_s) is not int or not 0 < valid_for_s <= 366 * 86_400):
        raise BadMandate(f"{path}: valid_for_s is seconds, at most a year")
    for field in ("valid_from", "valid_until"):
        if isinstance(value[field], datetime):
            if value[field].tzinfo is None:
                raise BadMandate(f"{path}: {field} has no time zone", "write it as 2026-01-31T12:00:00Z")
            value[field] = rfc3339(value[field])
    rules = value.get("rules")
    value["rules"] = [_with_defaults(rule) for rule in rules] if isinstance(rules, list) else rules
    for reserved in ("decision", "use_case"):
        if reserved in written:
            raise BadMandate(f"{path}: {reserved} is not written in the file", "it comes from the admission named")
    draft = Draft(value, valid_for_s)
    try:
        _complete(draft, "sha256:" + "0" * 64, "sha256:" + "0" * 64, datetime(2000, 1, 1))
    except BadMandate as error:
        raise BadMandate(f"{path}: {error.message}", error.hint) from error
    return draft


def mandate_fields(draft: Draft, admission: Signed, now: datetime) -> tuple[tuple[Subject, ...], dict[str, Any]]:
    """Subject and fields of the mandate statement that rests on *admission*, a ``decision``.

    Raises:
        BadMandate: it is no admission, or the draft's times do not hold from *now* on.
    """
    statement = admission.statement
    decision = statement.predicate.get("decision")
    if statement.kind != "decision" or not isinstance(decision, dict):
        raise BadMandate(f"this is not an admission but: {statement.kind[:40]}", "watchword admit records one")
    if decision.get("verdict") != "admitted":
        raise BadMandate(
            f"{statement.subject[0].name} was refused for this use", "only what was admitted gets a mandate"
        )
    return statement.subject, {"mandate": _complete(draft, statement.id, decision.get("use_case", ""), now)}


def check_roles(value: Mapping[str, Any], charter: Charter) -> None:
    """Check that *charter* has the people whom a mandate's rules ask: what nobody can approve would only expire.

    Raises:
        BadMandate: names the rule, the role, how many operators it asks for and how many there are.
    """
    for rule in msgspec.convert(value, Mandate, strict=True).rules:
        for asked in (rule.approvals, rule.unclean):
            if asked is None or not asked.count:
                continue
            there = len(persons(charter, "approval", asked.role))
            if there < asked.count:
                many = f"{asked.count} operator{'s' if asked.count > 1 else ''}"
                raise BadMandate(
                    f"rule {rule.id}: asks {many} for a {asked.role[:80]!r}, and {there} can approve as such",
                    "watchword charter show names persons and roles; amend the charter, or ask others",
                )


def _complete(draft: Draft, decision: str, use_case: str, now: datetime) -> dict[str, Any]:
    value = draft.value | {"decision": decision, "use_case": use_case}
    if value["valid_from"] is None:
        value["valid_from"] = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    if draft.valid_for_s is not None:
        try:
            ends = parse_time(value["valid_from"]) + timedelta(seconds=draft.valid_for_s)
        except WatchwordError as error:
            raise BadMandate(f"valid_from: {error.message}", error.hint) from error
        value["valid_until"] = rfc3339(ends)
    parse_mandate(value)
    return value


def _with_defaults(rule: Any) -> Any:
    if not isinstance(rule, dict):
        return rule
    whole = {"args": [], "approvals": {"count": 0}, "hold_s": 300, "quota": None, "unclean": None} | rule
    for name in ("approvals", "unclean"):
        asked: Any = whole[name]
        if isinstance(asked, dict):
            whole[name] = {"distinct": "operators", "role": ""} | asked
    if isinstance(whole["args"], list):
        whole["args"] = [{"value": None} | one if isinstance(one, dict) else one for one in whole["args"]]
    return whole


def _check_rule(rule: Rule, where: str) -> None:
    for condition in rule.args:
        if "." in condition.field:
            raise BadMandate(
                f"{where}: {condition.field[:80]!r} is not the name of an argument", "names have no dot here"
            )
        trouble = wrong_with(condition)
        if trouble:
            raise BadMandate(f"{where}, argument {condition.field[:80]}: {trouble}")
    if rule.unclean is not None and not rule.unclean.count:
        raise BadMandate(f"{where}: unclean asks nobody", "leave it out, and such an action is denied")
    asked = rule.people
    if asked is not None and (not asked.role or not rule.hold_s):
        raise BadMandate(f"{where}: asks for approvals and names no role, or leaves no time for them")


_HINT = "docs/protocol.md, section 9, says what a mandate has"

"""Caveats: a member's own further restriction on use, checked before it is signed and judged where it stands.

A caveat can only restrict (docs/protocol.md, section 8). As a person writes it, it is a TOML file:

    name = "no-foreign-mail"           what people call it
    reason = "…"                       why
    cedar = '''forbid (…) …;'''        free policies, where the rules do not suffice; may be left out
    [[rule]]                           id, text, forbid [condition], accountable; on ("admit"), principle, serves

* A rule is of the form of a red line, over the same fields. One that can never mean what its author wrote is refused.
* Of a free policy the syntax tree is looked at: ``forbid`` only, for the action ``admit`` or ``act`` and no other, with
  the annotations ``id``, ``accountable`` and ``text``. So no caveat reaches a stop, a recall, a dispute, or what counts
  as evidence: those are no actions here.
* An attribute that it asks for with ``has`` and that there never is, is refused: the validator takes a policy that can
  never forbid for a good one.
* It is measured before the engine parses it, and validated strictly. A policy that cannot be evaluated forbids.
* A free policy sees the use case, the suppliers and the release: nothing that grows as evidence falls.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from watchword.charter.charter import Charter, Condition
from watchword.charter.conditions import ORDER, is_trouble, wrong_with
from watchword.errors import WatchwordError
from watchword.ledger.view import Facts
from watchword.policy import cedar
from watchword.policy.acts import ACT_FIELDS, FILLED
from watchword.policy.use_case import read_text, toml_of
from watchword.statements.digests import D
from watchword.statements.kinds import CaveatRule
from watchword.statements.statement import Signed, Subject, make

ANNOTATIONS = ("id", "accountable", "text")
"""What every free policy says of itself."""
ACTIONS = ("admit", "act")


class BadCaveat(WatchwordError):
    """A caveat that is not signed: it would not mean what its author wrote. Names file, line and rule or policy."""


def read_caveat(path: Path) -> dict[str, Any]:
    """The fields of the kind ``caveat`` that *path* states, but for ``target``; checked.

    Raises:
        BadCaveat: not of the form above, or a rule or policy that may not stand in a caveat.
    """
    text = read_text(path, BadCaveat)
    value, lines = toml_of(text, path, BadCaveat), text.split("\n")
    unknown = sorted(set(value) - {"name", "reason", "cedar", "rule"})
    if unknown:
        raise BadCaveat(f"{path}: {unknown[0][:80]!r} is no field of a caveat", "name, reason, cedar and [[rule]]")
    for field in ("name", "reason"):
        if not isinstance(value.get(field), str) or not value[field]:
            raise BadCaveat(f"{path}: no {field}", f"say it: {field} = \"…\"")
    rules, free = value.get("rule", []), value.get("cedar")
    if not isinstance(rules, list) or not (free is None or isinstance(free, str)):
        raise BadCaveat(f"{path}: rules are tables, [[rule]], and cedar is a text")
    if not rules and not free:
        raise BadCaveat(f"{path}: neither a rule nor a policy", "a caveat without either restricts nothing")
    heads = [number for number, line in enumerate(lines, 1) if line.strip() == "[[rule]]"]
    seen: set[str] = set()
    checked = []
    for place, rule in enumerate(rules):
        where = f"{path}, line {heads[place]}" if place < len(heads) else str(path)
        checked.append(_rule(rule, f"{where}, rule {place + 1}"))
        if checked[-1]["id"] in seen:
            raise BadCaveat(f"{where}: a second rule {checked[-1]['id']}")
        seen.add(checked[-1]["id"])
    if free is not None:
        begins = next((number for number, line in enumerate(lines, 1) if _CEDAR.match(line)), 0)
        # Where the text begins on the next line, TOML leaves that line feed out.
        first = begins + (1 if begins and _CEDAR.fullmatch(lines[begins - 1].rstrip()) else 0)
        check_free(free, str(path), max(first, 1), seen)
    return {"cedar": free, "name": value["name"], "reason": value["reason"], "rules": checked}


def check_free(text: str, what: str, first_line: int = 1, taken: Sequence[str] | set[str] = ()) -> None:
    """Check free policies; *taken*: ids that they may not have.

    Raises:
        BadCaveat: names *what*, the line (the text begins on *first_line*), and the policy.
    """
    import cedarpy

    try:
        cedar.measure(f"{what}, Cedar", text)
    except cedar.EngineTrouble as error:
        raise BadCaveat(error.message, error.hint) from error
    seen = set(taken)
    for line, policy in policies_in(text):
        where = f"{what}, line {first_line + line}"
        try:
            tree = json.loads(cedarpy.policies_to_json_str(policy))
        except ValueError as error:
            raise BadCaveat(f"{where}: Cedar cannot read this policy: {str(error)[:200]}") from error
        except RecursionError as error:  # a long chain of && or || is a deep tree without a bracket
            raise BadCaveat(f"{where}: a chain of too many conditions", "split it into several policies") from error
        if tree["templates"] or tree["templateLinks"] or len(tree["staticPolicies"]) != 1:
            raise BadCaveat(f"{where}: a template has no place in a caveat", "name the principal and the resource")
        [one] = tree["staticPolicies"].values()
        where = _check_policy(one, where)
        _refuse_absent(one, where)
        id = one["annotations"]["id"]
        if id in seen:
            raise BadCaveat(f"{where}: a second policy or rule of this id")
        seen.add(id)
        try:
            cedar.compile_text(where, policy, _SCHEMA)
        except cedar.EngineTrouble as error:
            raise BadCaveat(error.message, error.hint) from error
    if seen == set(taken):
        raise BadCaveat(f"{what}: no policy in the Cedar text")


def free_crossed(id: str, text: str, use_case: str, context: Mapping[str, Any], subject: str) -> bool:
    """Whether the free policies of the caveat *id* forbid this admission; so does whatever cannot be evaluated.

    Args:
        use_case: its name; it is the principal. *subject*: digest of the release; it is the resource.
        context: what ``table.red_line_context`` makes.
    """

    def checked() -> tuple[str, str]:
        check_free(text, f"caveat {id}")
        return f"{text}\n{cedar.PERMIT_TEXT}\n", _SCHEMA

    try:
        compiled = cedar.warm(f"free {id}", f"caveat {id}", checked)
        return not cedar.ask(compiled, use_case, {name: context[name] for name in cedar.USE_FIELDS}, subject).admitted
    except (BadCaveat, cedar.EngineTrouble):
        return True


def free_forbids(id: str, text: str, context: Mapping[str, Any], release: str) -> bool:
    """Whether the free policies of the caveat *id* forbid an action; so does whatever cannot be evaluated.

    Args:
        context: over ``acts.ACT_FIELDS``, what is not known left out. Policies that name such an attribute forbid:
            the engine knows no third answer.
        release: the digest of the release that acts.
    """
    if any(re.search(rf"\b{name}\b", text) for name in ACT_FIELDS.keys() - context.keys()):
        return True

    def checked() -> tuple[str, str]:
        check_free(text, f"caveat {id}")
        return f"{text}\n{cedar.permit_text('act')}\n", _SCHEMA

    try:
        compiled = cedar.warm(f"act {id}", f"caveat {id}", checked)
        return not cedar.ask(compiled, "", {**FILLED, **context}, release, "act").admitted
    except (BadCaveat, cedar.EngineTrouble):
        return True


def as_if(charter: Charter, facts: Facts, member: str, fields: Mapping[str, Any], made: datetime) -> Facts:
    """*facts* as they were if *member* had signed this caveat: what ``table.decide`` makes of them shows its price.

    Raises:
        BadCharter: no such member.
        BadCaveat: nobody of this member may sign a caveat.
    """
    allowed = charter.standing.get("caveat", ())
    keys = (key for key in charter.member(member).keys if set(key.roles) & set(allowed))
    holder = next(keys, None)
    if holder is None:
        raise BadCaveat(f"{member}: nobody may sign a caveat", f"the charter lists: {', '.join(allowed) or 'nobody'}")
    target = f"caveat:{member}"
    subject = (Subject("notice", D(target.encode())),)
    statement = make("caveat", subject, {**fields, "target": target}, issuer=member, made=made)
    loose = (*facts.loose, Signed(statement, holder.public.id, b"", b""))
    return replace(facts, loose=tuple(sorted(loose, key=lambda signed: signed.statement.id)))


_CEDAR = re.compile(r"cedar\s*=\s*(?:\"\"\"|''')")
_MASKED = re.compile(r'"(?:[^"\\]|\\.)*+"|//[^\n]*+', re.DOTALL)
_SCHEMA = cedar.schema_of({}, cedar.USE_FIELDS) + cedar.action_schema("act", "UseCase", "Release", ACT_FIELDS)


def _rule(value: Any, where: str) -> dict[str, Any]:
    """A rule in full; refused where it cannot mean what was written."""
    if not isinstance(value, dict):
        raise BadCaveat(f"{where}: not a table")
    rule = {"on": "admit", "principle": [], "serves": []} | value
    if isinstance(rule.get("forbid"), list):
        rule["forbid"] = [{"value": None} | one if isinstance(one, dict) else one for one in rule["forbid"]]
    name = f" ({rule['id'][:80]})" if isinstance(rule.get("id"), str) else ""
    try:
        msgspec.convert(rule, CaveatRule, strict=True)
    except msgspec.ValidationError as error:
        raise BadCaveat(f"{where}{name}: {error}") from error
    for field in ("id", "text", "accountable"):
        if not rule[field]:
            raise BadCaveat(f"{where}{name}: {field} is empty")
    conditions = msgspec.convert(rule["forbid"], list[Condition])
    if not conditions:
        raise BadCaveat(f"{where}{name}: no condition: it would forbid everything", "say in forbid what is forbidden")
    for condition in conditions:
        wrong = wrong_with(condition)
        if wrong is None:
            wrong = _never_right(condition, cedar.RED_LINE_FIELDS if rule["on"] == "admit" else ACT_FIELDS)
        if wrong is not None:
            raise BadCaveat(f"{where}{name}: {condition.field[:80]}: {wrong}")
    return rule


def _never_right(condition: Condition, fields: Mapping[str, str]) -> str | None:
    """What makes *condition* trouble over *fields*, whatever the use or the action."""
    kind = fields.get(condition.field)
    if kind is None:
        return f"no field that a caveat may speak of; those are {', '.join(fields)}"
    if is_trouble(condition):
        return "a count compares with > or >=, and a text with no decimal"
    ops = {"Set<String>": ("contains",), "String": ("==", "!=", "in")}.get(kind, ("in", "==", "!=", *sorted(ORDER)))
    if condition.op not in ops:
        return f"{condition.op} does not fit; {' '.join(ops)} do"
    values = condition.value if condition.op == "in" else [condition.value]
    wanted = int if kind == "Long" else str
    return None if all(type(one) is wanted for one in values) else f"compared with what is no {wanted.__name__}"


def policies_in(text: str) -> Iterator[tuple[int, str]]:
    """Each policy of *text* with the line that it begins on, counted from 0; a ``;`` ends one."""
    masked = _MASKED.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    start = 0
    for end in [*(found.end() for found in re.finditer(";", masked)), len(text)]:
        begun = start + len(masked[start:end]) - len(masked[start:end].lstrip())
        # An annotation's text is masked, its name is not: so the first character kept is the policy's own.
        if masked[start:end].strip():
            yield text.count("\n", 0, begun), text[start:end]
        start = end


def _check_policy(one: dict[str, Any], where: str) -> str:
    """Check one policy's syntax tree; returns *where* with its id."""
    said = one.get("annotations") or {}
    if said.get("id"):
        where = f"{where}, policy {said['id'][:80]}"
    for name in ANNOTATIONS:
        if not said.get(name):
            raise BadCaveat(f"{where}: no annotation @{name}", f"write @{name}(\"…\") above the policy")
    if one["effect"] != "forbid":
        raise BadCaveat(f"{where}: a caveat only forbids, this is a {one['effect']}", "say what is forbidden instead")
    action = one["action"]
    named = action.get("entity") or {}
    if action["op"] != "==" or named.get("type") != "Action" or named.get("id") not in ACTIONS:
        raise BadCaveat(
            f"{where}: its action is not exactly Action::\"admit\" or Action::\"act\"",
            "a caveat reaches no stop, recall, dispute or evidence",
        )
    return where


def _refuse_absent(one: dict[str, Any], where: str) -> None:
    """Refuse ``has`` of an attribute that no request has: a slip of the pen would make the policy forbid nothing."""
    fields = ACT_FIELDS if one["action"]["entity"]["id"] == "act" else cedar.USE_FIELDS
    waiting: list[Any] = [one["conditions"]]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            has = node.get("has")
            if isinstance(has, dict) and has.get("attr") not in fields:
                there = ", ".join(sorted(fields))
                raise BadCaveat(f"{where}: there is no attribute {str(has.get('attr'))[:80]!r}", f"there are {there}")
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node

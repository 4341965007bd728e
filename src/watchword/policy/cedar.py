"""The charter's rows and red lines as Cedar policies, and a decision judged by the Cedar engine.

One ``permit`` stands at the bottom; everything above it is a ``forbid``, so a row more can only shrink what is allowed.

    requirement   forbid … when { it applies } unless { enough is there and nothing fails, or enough waive it };
    red line      forbid … when { all its conditions, and its evidence is there };
    built in      no recall, no stale ledger, no caveat crossed, nothing kept back, something met

A caveat's rules are asked for by themselves, each caveat as policies of its own: they do not depend on a charter.

* Counting is the table's work (Cedar has no aggregates); the thresholds are judged here a second time.
* Every attribute is required and typed by a schema, and the text is validated strictly against it before use: the
  engine skips a ``forbid`` whose evaluation errors, and would then allow.
* Any error, warning of the validator or missing answer is ``EngineTrouble``: there is no decision then.
* A condition in trouble compiles to ``true``: it crosses the red line.
* Text is measured here before the engine sees it: deep nesting was seen to crash its process.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from watchword.charter.charter import Charter, Condition, RedLine, Requirement
from watchword.charter.conditions import is_trouble
from watchword.errors import WatchwordError
from watchword.limits import (
    CAVEATS_KEPT_MAX,
    CEDAR_CHAIN_MAX,
    CEDAR_NESTING_MAX,
    CEDAR_PATH_MAX,
    CEDAR_TEXT_BYTES_MAX,
    CONDITIONS_MAX,
)
from watchword.policy.table import is_crossed, still_unheld

NO_RECALL = "watchword:no-recall"
FRESH = "watchword:fresh-ledgers"
IN_FORCE = "watchword:charter-in-force"
SOMETHING_MET = "watchword:something-met"
NO_CAVEAT = "watchword:no-caveat"
KEPT_BACK = "watchword:nothing-kept-back"
PERMIT = "watchword:permit"
BUILT_IN = {
    NO_RECALL: ("No recall, and no notice that cannot be read, reaches the release.", "context.recalls == 0"),
    FRESH: ("Every shared ledger has a head young enough.", "context.stale.isEmpty()"),
    IN_FORCE: ("No other charter is in force, or ratified beside this one.", "context.successors.isEmpty()"),
    NO_CAVEAT: ("No member's caveat forbids it.", "context.caveats == 0"),
    KEPT_BACK: ("No body of what is said of the release is kept back.", "context.unheld == 0"),
}


class EngineTrouble(WatchwordError):
    """Policies that cannot be compiled, or an engine that did not answer cleanly. Nothing is admitted."""


class TooMuchText(EngineTrouble):
    """More text than the engine is given."""


@dataclass(frozen=True)
class Judged:
    """What the engine answered: whether the permit stands, and the ids of the forbids that apply."""

    admitted: bool
    forbids: frozenset[str]


@dataclass(frozen=True)
class Compiled:
    """Policies: Cedar text, schema text, and the engine's handles on them."""

    text: str
    schema: str
    _policies: Any = field(repr=False)
    _schema: Any = field(repr=False)
    _entities: Any = field(repr=False)


def evaluate(charter: Charter, use_case: Mapping[str, Any], context: Mapping[str, Any], subject: str) -> Judged:
    """Ask the engine.

    Args:
        use_case: for its name; it is the principal.
        context: what ``request_context`` makes.
        subject: the digest of the release; it is the resource.

    Raises:
        EngineTrouble: no clean answer.
    """
    return ask(compile_charter(charter), use_case["name"], context, subject)


def evaluate_rules(id: str, rules: Sequence[Mapping[str, Any]], context: Mapping[str, Any], subject: str) -> set[int]:
    """Ask the engine which rules of a caveat on admissions forbid, by their place among *rules*.

    Args:
        id: the caveat's statement id, by which its policies are kept warm.
        context: what ``table.red_line_context`` makes.

    Raises:
        EngineTrouble: no clean answer; or more text than the engine is given.
    """
    places = [place for place, rule in enumerate(rules) if rule["on"] == "admit"]
    if not places:
        return set()
    compiled = warm(id, f"caveat {id}", lambda: (_caveat_text(rules, places), schema_of({})))
    judged = ask(compiled, "", {name: context[name] for name in RED_LINE_FIELDS}, subject)
    return {int(forbid.removeprefix("rule:")) for forbid in judged.forbids}


def ask(
    compiled: Compiled, principal: str, context: Mapping[str, Any], subject: str, action: str = "admit"
) -> Judged:
    """One request, for an admission or another *action*.

    Raises:
        EngineTrouble: no clean answer.
    """
    return answered(compiled, ("UseCase", principal), action, ("Release", subject), context)


def answered(
    compiled: Compiled, principal: tuple[str, str], action: str, resource: tuple[str, str], context: Mapping[str, Any]
) -> Judged:
    """The engine's answer to one request; *principal* and *resource* are type and id.

    Raises:
        EngineTrouble: no clean answer.
    """
    import cedarpy

    request = {
        "principal": {"type": principal[0], "id": principal[1]},
        "action": {"type": "Action", "id": action},
        "resource": {"type": resource[0], "id": resource[1]},
        "context": dict(context),
    }
    answer = cedarpy.is_authorized(request, compiled._policies, compiled._entities, schema=compiled._schema)
    if answer.diagnostics.errors or answer.decision is cedarpy.Decision.NoDecision:
        first = str(answer.diagnostics.errors[0])[:200] if answer.diagnostics.errors else "no decision"
        raise EngineTrouble(f"Cedar engine: {first}", "nothing is admitted while a rule cannot be evaluated")
    admitted = answer.decision is cedarpy.Decision.Allow
    reasons = {answer.diagnostics.id_annotations_by_reason.get(reason, "") for reason in answer.diagnostics.reasons}
    if "" in reasons or admitted != (reasons == {PERMIT}):
        raise EngineTrouble("Cedar engine: a reason without a policy id")
    return Judged(admitted, frozenset() if admitted else frozenset(reasons))


def request_context(
    red_line_context: Mapping[str, Any],
    found: Mapping[str, int],
    decision: Mapping[str, Any],
    operators: Mapping[str, str],
    sort: str,
) -> dict[str, Any]:
    """The typed context of a request: the red lines' fields, the counts of each row (not its state), what is stale.

    Args:
        found: what ``table.findings`` makes.
        operators: of each considered statement, by its id.
        sort: the release's, as ``table.sort_of`` has it.
    """
    counts = {
        row["id"]: {
            "failing": len(row["failing"]), "there": row["there"], "tools": row["tools"],
            "waivers": len({operators[id] for id in row["waived_by"]}),
        }
        for row in decision["requirements"]
    }  # fmt: skip
    return {
        **red_line_context, "caveats": sum(map(is_crossed, decision["caveats"])), "found": dict(found), "rows": counts,
        "sort": sort, "stale": decision["stale"], "successors": decision["successors"],
        "unheld": len(still_unheld(decision)),
    }  # fmt: skip


def compile_charter(charter: Charter) -> Compiled:
    """The charter's policies, compiled and validated; kept warm by the charter's digest.

    Raises:
        EngineTrouble: too long, nested too deep, or refused by Cedar's validator; names the policies.
    """
    return warm(charter.digest, f"charter {charter.version}", lambda: (cedar_text(charter), cedar_schema(charter)))


def warm(key: str, of: str, texts: Callable[[], tuple[str, str]]) -> Compiled:
    """Policies and their schema, compiled and validated; kept by *key*. *of* names them in an error.

    Raises:
        EngineTrouble: too long, nested too deep, or refused by Cedar's validator; names the policies.
    """
    kept = _WARM.get(key)
    if kept is not None:
        _WARM.move_to_end(key)
        return kept
    compiled = _WARM[key] = compile_text(of, *texts())
    while len(_WARM) > CAVEATS_KEPT_MAX:
        _WARM.popitem(last=False)
    return compiled


def compile_text(of: str, text: str, schema: str) -> Compiled:
    """Cedar policies and their schema, measured, validated strictly and compiled.

    Raises:
        EngineTrouble: as ``warm``.
    """
    for what, measured in (("policies", text), ("schema", schema)):
        measure(f"{of}, Cedar {what}", measured)
    return compile_measured(of, text, schema)


def compile_measured(of: str, text: str, schema: str) -> Compiled:
    """The same of text that was measured before, each policy by itself.

    Raises:
        EngineTrouble: refused by Cedar's validator; names the policies.
    """
    import cedarpy

    try:
        validated = cedarpy.validate_policies(text, schema)
        troubles = [f"{error.policy_id}: {error.error}" for error in validated.errors]
        if troubles or not validated.validation_passed:
            raise EngineTrouble(f"{of}: Cedar refuses {'; '.join(troubles)[:400]}")
        return Compiled(
            text, schema, cedarpy.PolicySet.from_str(text), cedarpy.Schema.from_str(schema),
            cedarpy.Entities.from_json_str("[]"),
        )  # fmt: skip
    except ValueError as error:
        raise EngineTrouble(f"{of}: Cedar cannot read its rows: {str(error)[:400]}") from error


def cedar_text(charter: Charter) -> str:
    """The charter as Cedar policies, in the order: requirements, red lines, built in, the permit.

    Raises:
        EngineTrouble: a row with more conditions than ``CONDITIONS_MAX``, or an id that is built in.
    """
    return rows_text(f"charter {charter.version}", charter.requirements, charter.red_lines)


def rows_text(of: str, requirements: Sequence[Requirement], red_lines: Sequence[RedLine]) -> str:
    """The same for rows that stand in no charter yet; *of* names them in an error."""
    for id in [row.id for row in requirements] + [line.id for line in red_lines]:
        if id in (*BUILT_IN, SOMETHING_MET, PERMIT):
            raise EngineTrouble(f"{of}: {id} is built in", "call the row by another id")
    policies = [_requirement(row) for row in requirements]
    policies += [_red_line(line) for line in red_lines]
    policies += [forbid_text(id, "watchword", [], text, unless=condition) for id, (text, condition) in BUILT_IN.items()]
    some = " || ".join(f"({_applies(row)} && {_met(row)})" for row in requirements) or "false"
    policies.append(forbid_text(SOMETHING_MET, "watchword", [], "Some requirement is met by evidence.", unless=some))
    policies.append(PERMIT_TEXT)
    return "\n\n".join(policies) + "\n"


def cedar_schema(charter: Charter) -> str:
    """The Cedar schema of an admission's request."""
    row = '{"failing": Long, "there": Long, "tools": Long, "waivers": Long}'
    rows = ", ".join(f"{_text(one.id)}: {row}" for one in charter.requirements)
    lines = ", ".join(f"{_text(line.id)}: Long" for line in charter.red_lines if line.evidence is not None)
    return schema_of(
        {
            "caveats": "Long", "unheld": "Long", "sort": "String", "stale": "Set<String>", "successors": "Set<String>",
            "found": f"{{{lines}}}", "rows": f"{{{rows}}}",
        }
    )


def schema_of(more: Mapping[str, str], fields: Mapping[str, str] | None = None) -> str:
    """The Cedar schema of a request with the fields of red lines, or *fields* instead, and *more* beside them."""
    every = {**(RED_LINE_FIELDS if fields is None else fields), **more}
    return "entity UseCase;\nentity Release;\n" + action_schema("admit", "UseCase", "Release", every)


def action_schema(action: str, principal: str, resource: str, context: Mapping[str, str]) -> str:
    """The part of a Cedar schema that is about one action: between whom, and the types of its context."""
    fields = "".join(f'    "{name}": {kind},\n' for name, kind in context.items())
    return (
        f'action "{action}" appliesTo {{\n  principal: [{principal}],\n  resource: [{resource}],\n'
        f"  context: {{\n{fields}  }}\n}};\n"
    )


USE_FIELDS = {
    "criticality": "Long",
    "human": "String",
    "members": "Set<String>",
    "tags": "Set<String>",
    "owner": "String",
    "suppliers": "Set<String>",
}
"""What a free policy may see: nothing that grows as evidence falls, or it could let through what was forbidden."""
OF_USE = USE_FIELDS.keys() - {"suppliers"}
"""Of those, what the use case alone decides."""
RED_LINE_FIELDS = USE_FIELDS | {
    "recalls": "Long",
    "disputes": "Long",
    "incidents": "Long",
    "dangerous": "Long",
    "against": "Long",
    "endpoint": "Long",
}
"""What a red line may speak of, and its Cedar type (docs/protocol.md, section 8, step 6)."""


def measure(what: str, text: str) -> None:
    """Check that Cedar *text* is small and flat enough for the engine, before it sees it.

    The engine's process dies of deep brackets and of long chains without any; ``has`` along a path takes memory with
    the square of its length (4,000 names in 8 KB of text: 7 GB).

    Raises:
        EngineTrouble: more bytes, deeper brackets or longer chains than ``limits`` allow. Names *what*.
    """
    size = len(text.encode())
    if size > CEDAR_TEXT_BYTES_MAX:
        raise TooMuchText(f"{what}: {size:,} bytes, limit {CEDAR_TEXT_BYTES_MAX:,}", "fewer rows, or shorter texts")
    if any(found[1] not in (None, '"') for found in _QUOTED.finditer(text)):
        raise EngineTrouble(f"{what}: a text that does not end")
    bare = _QUOTED.sub(lambda found: '""' if found[1] is not None else " ", text)
    depth = 0
    for token in _BRACKET.finditer(bare):
        depth += 1 if token[0] in "([{" else -1
        if depth > CEDAR_NESTING_MAX:
            raise EngineTrouble(f"{what}: brackets nested deeper than {CEDAR_NESTING_MAX}")
    if _PATH.search(bare) is not None:
        raise EngineTrouble(
            f"{what}: a path of more than {CEDAR_PATH_MAX} names", "name the attribute by a shorter path"
        )
    for sort, pattern in (("arithmetic operators", _ARITHMETIC), ("if", _IF)):
        many = len(pattern.findall(bare))
        if many > CEDAR_CHAIN_MAX:
            raise EngineTrouble(f"{what}: {many:,} {sort}, limit {CEDAR_CHAIN_MAX}")


_WARM: OrderedDict[str, Compiled] = OrderedDict()
# A text that does not end is taken to the end of all: begun again at every quote, it would take time with the square.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+("|\\?\Z)|//[^\n]*+', re.DOTALL)
_BRACKET = re.compile(r"[()\[\]{}]")
_PATH = re.compile(rf"(?:\.\s*+\w++\s*+){{{CEDAR_PATH_MAX}}}")
_ARITHMETIC = re.compile(r"[-+*]")
_IF = re.compile(r"\bif\b")
_LONG_OPS = {"==", "!=", "<", "<=", ">", ">="}


def permit_text(action: str) -> str:
    """The one permit, of everything that no forbid above it forbids."""
    return f'@id("{PERMIT}")\npermit (principal, action == Action::"{action}", resource);'


PERMIT_TEXT = permit_text("admit")


def _requirement(row: Requirement) -> str:
    met = _met(row)
    if row.waiver is not None:
        met = f"({met}) || context.rows[{_text(row.id)}].waivers >= {max(row.waiver.count, 1)}"
    return forbid_text(row.id, row.accountable, row.principle, row.text, when=_applies(row), unless=met)


def _met(row: Requirement) -> str:
    counts = f"context.rows[{_text(row.id)}]"
    return f"{counts}.there >= {row.count} && {counts}.tools >= {row.tools} && {counts}.failing == 0"


def _caveat_text(rules: Sequence[Mapping[str, Any]], places: Sequence[int]) -> str:
    policies = []
    for place in places:
        asked = msgspec.convert(rules[place]["forbid"], list[Condition])
        conditions = " && ".join(condition_text(one) for one in asked)
        policies.append(forbid_text(f"rule:{place}", "", [], "", when=conditions or "true"))
    return "\n\n".join([*policies, PERMIT_TEXT]) + "\n"


def _red_line(line: RedLine) -> str:
    if len(line.forbid) > CONDITIONS_MAX:
        raise EngineTrouble(f"red line {line.id[:80]}: {len(line.forbid)} conditions, limit {CONDITIONS_MAX}")
    conditions = " && ".join(condition_text(one) for one in line.forbid) or "true"
    if line.evidence is not None:
        conditions += f" && context.found[{_text(line.id)}] > 0"
    return forbid_text(line.id, line.accountable, line.principle, line.text, when=conditions)


def _applies(row: Requirement) -> str:
    when = [f"context.criticality >= {row.when.criticality}"]
    if row.when.human:
        when.append(f"[{', '.join(_text(one) for one in row.when.human)}].contains(context.human)")
    if row.when.release is not msgspec.UNSET:
        when.append(f"context.sort == {_text(row.when.release)}")
    return " && ".join(when)


def condition_text(condition: Condition, fields: Mapping[str, str] = RED_LINE_FIELDS) -> str:
    """One condition over *fields*, attributes of the context by Cedar type; ``true`` where it is in trouble."""
    kind = fields.get(condition.field)
    name, op, value = f"context.{condition.field}", condition.op, condition.value
    if kind is None or op == "any" or is_trouble(condition):
        return "true"
    if op == "contains" and kind == "Set<String>" and isinstance(value, str | int):
        return f"{name}.contains({_text(value)})" if isinstance(value, str) else "false"
    if op == "in" and kind != "Set<String>" and isinstance(value, list):
        fitting = ", ".join(_literal(one) for one in value if type(one) is (int if kind == "Long" else str))
        return f"[{fitting}].contains({name})" if fitting else "false"
    if kind == "Long" and op in _LONG_OPS and type(value) is int:
        return f"{name} {op} {_literal(value)}"
    if kind == "String" and op in ("==", "!=") and isinstance(value, str):
        return f"{name} {op} {_text(value)}"
    return "true"


def forbid_text(
    id: str, accountable: str, principle: list[str], text: str, when: str = "true", unless: str | None = None,
    action: str = "admit",
) -> str:  # fmt: skip
    """One Cedar forbid with its annotations; *when* and *unless* are Cedar expressions, the rest is quoted."""
    notes = {"id": id, "accountable": accountable, "principle": ",".join(principle), "text": text}
    lines = [f"@{name}({_text(value)})" for name, value in notes.items()]
    lines.append(f'forbid (principal, action == Action::"{action}", resource)')
    if when != "true" or unless is None:
        lines.append(f"when {{ {when} }}")
    if unless is not None:
        lines.append(f"unless {{ {unless} }}")
    return "\n".join(lines) + ";"


def _literal(value: int | str) -> str:
    return _text(value) if isinstance(value, str) else str(value)


def _text(value: str) -> str:
    """A Cedar string literal: what is not plain ASCII is escaped, so that no text can end it."""
    plain = (c if " " <= c <= "~" and c not in '"\\' else f"\\u{{{ord(c):x}}}" for c in value)
    return '"' + "".join(plain) + '"'

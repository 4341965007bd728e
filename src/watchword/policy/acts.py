"""Rules about single actions: a table that reads them, the Cedar engine that judges the same, sliced by tool.

A caveat's rule on ``act`` forbids an action when all its conditions hold over the action's typed context:

    tool, effect              the tool, and its card's effect
    destinations, identifiers texts of the arguments in these roles; ``secrets``: how many there are
    amount                    the largest amount
    unclean                   how many values have no clean origin
    criticality, human, members, tags, owner   of the use case

* What a door cannot know (no card, no session, an amount that is no integer) is left out of the context: a condition on
  it is in trouble, and trouble forbids.
* Cedar has no trouble: a condition on what is left out is taken out of a rule before it is compiled. The engine gets
  what is then asked for, all of it required, and the text is validated strictly against the schema.
* A slice holds the rules that can speak of one tool where the same is left out: those that ask for the tool by name,
  and those that ask for none. An action is judged by its slice alone, and never by the rules of admission, which are
  another Cedar action.
* Any error, or a difference between table and engine, is raised; whoever asks denies.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from watchword.charter.conditions import all_hold, is_decimal, is_trouble
from watchword.errors import WatchwordError
from watchword.limits import ACT_RULES_MAX, ACT_SLICES_MAX
from watchword.policy.cedar import (
    Compiled,
    EngineTrouble,
    action_schema,
    answered,
    compile_measured,
    condition_text,
    forbid_text,
    measure,
    permit_text,
)
from watchword.statements.kinds import CaveatRule, Condition

ACT_FIELDS = {
    "tool": "String",
    "effect": "String",
    "criticality": "Long",
    "human": "String",
    "members": "Set<String>",
    "tags": "Set<String>",
    "owner": "String",
    "destinations": "Set<String>",
    "identifiers": "Set<String>",
    "secrets": "Long",
    "amount": "Long",
    "unclean": "Long",
}
"""What a rule about an action may speak of, and its Cedar type (docs/protocol.md, section 9)."""
FILLED: dict[str, Any] = {
    name: {"String": "", "Long": 0, "Set<String>": []}[kind] for name, kind in ACT_FIELDS.items()
}


class ActsDisagree(WatchwordError):
    """Table and Cedar engine judge an action differently. The action is denied until it is known which is wrong."""


@dataclass(frozen=True)
class Restriction:
    """One rule about actions: whose it is, and the caveat that carries it, by statement id."""

    member: str
    statement: str
    rule: CaveatRule

    @property
    def told(self) -> str:
        """The rule in a reason."""
        return f"caveat {self.rule.id} of {self.member} forbids it: {self.rule.text} ({self.rule.accountable} answers)"


@dataclass(frozen=True)
class _Slice:
    """The rules that can speak of one tool, by place in the whole list, and the engine's handle on them.

    ``asked``: what each asks for beside the tool's name, what is left out and what is trouble by its form: those are
    answered once for all. ``fields``: what of the context that speaks of. ``holding``: the rules that ask a list of
    texts to hold one, by field and text: where it does not, they need not be read. ``rest``: all others.
    """

    asked: dict[int, list[Condition]]
    fields: tuple[str, ...]
    holding: dict[str, dict[str, list[int]]]
    rest: tuple[int, ...]
    policies: Compiled = field(repr=False)

    def may_forbid(self, context: Mapping[str, Any]) -> Iterator[int]:
        """The rules that are worth reading for an action with this *context*."""
        yield from self.rest
        for name, rules in self.holding.items():
            for text in set(context[name]):
                yield from rules.get(text, ())


class Restrictions:
    """All rules about actions that hold, compiled slice by slice as tools are asked for, and kept warm.

    Raises:
        EngineTrouble: more than ``ACT_RULES_MAX`` of them.
    """

    def __init__(self, rules: Sequence[Restriction]) -> None:
        if len(rules) > ACT_RULES_MAX:
            raise EngineTrouble(f"{len(rules):,} rules about actions, limit {ACT_RULES_MAX:,}")
        self.rules = tuple(rules)
        self._named = [_tools(one.rule.forbid) for one in rules]
        self._tools = frozenset(tool for named in self._named if named is not None for tool in named)
        self._warm: OrderedDict[tuple[str | None, frozenset[str]], _Slice] = OrderedDict()

    def forbidding(self, context: Mapping[str, Any], release: str) -> tuple[Restriction, ...]:
        """The rules that forbid an action, in order; empty when none does.

        Args:
            context: over ``ACT_FIELDS``; what is not known is left out. ``tool`` is always there.
            release: the digest of the release that acts.

        Raises:
            EngineTrouble: no clean answer. ActsDisagree: two different ones.
        """
        if not self.rules:
            return ()
        part = self._slice(context["tool"], ACT_FIELDS.keys() - context.keys())
        # The engine first: what is of another form than the schema says is no context to read.
        by_engine = self._asked(part, context, release)
        by_table = {n for n in part.may_forbid(context) if all_hold(part.asked[n], context, trouble=True)}
        if by_table != by_engine:
            differ = ", ".join(self.rules[n].rule.id for n in sorted(by_table ^ by_engine))
            raise ActsDisagree(f"table and Cedar engine disagree on {differ[:300]}", "report this as a defect")
        return tuple(self.rules[n] for n in sorted(by_table))

    def _asked(self, part: _Slice, context: Mapping[str, Any], release: str) -> set[int]:
        tool = ("Tool", context["tool"])
        asked = {name: context[name] for name in part.fields}
        judged = answered(part.policies, ("Release", release), "act", tool, asked)
        return {int(number) for number in judged.forbids}

    def _slice(self, tool: str, missing: AbstractSet[str]) -> _Slice:
        # Tools that no rule names share one slice, or an asker could make up names and have each compiled.
        key = (tool if tool in self._tools else None, frozenset(missing))
        if key not in self._warm:
            asked = {
                n: [one for one in self.rules[n].rule.forbid if not _answered(one, missing, key[0])]
                for n, named in enumerate(self._named)
                if named is None or key[0] in named
            }
            spoken = {one.field for conditions in asked.values() for one in conditions}
            fields = {name: kind for name, kind in ACT_FIELDS.items() if name in spoken}
            holding, rest = _by_text(asked)
            self._warm[key] = _Slice(asked, tuple(fields), holding, rest, self._compiled(asked, fields))
            while len(self._warm) > ACT_SLICES_MAX:
                self._warm.popitem(last=False)
        self._warm.move_to_end(key)
        return self._warm[key]

    def _compiled(self, asked: Mapping[int, Sequence[Condition]], fields: Mapping[str, str]) -> Compiled:
        policies = []
        for number, conditions in asked.items():
            one = self.rules[number]
            when = " && ".join(condition_text(condition, ACT_FIELDS) for condition in conditions) or "true"
            text = forbid_text(str(number), one.rule.accountable, one.rule.principle, "", when, action="act")
            measure(f"caveat rule {one.rule.id[:80]} of {one.member}", text)
            policies.append(text)
        schema = "entity Release;\nentity Tool;\n" + action_schema("act", "Release", "Tool", fields)
        return compile_measured("rules about actions", "\n\n".join([*policies, permit_text("act")]), schema)


def _by_text(asked: Mapping[int, Sequence[Condition]]) -> tuple[dict[str, dict[str, list[int]]], tuple[int, ...]]:
    """The rules by the field and text that their first such condition asks a list of texts to hold, and the others."""
    holding: dict[str, dict[str, list[int]]] = {}
    rest = []
    for number, conditions in asked.items():
        wants = (
            one
            for one in conditions
            if one.op == "contains" and ACT_FIELDS[one.field] == "Set<String>" and isinstance(one.value, str)
        )
        one = next(wants, None)
        if one is None:
            rest.append(number)
        else:
            holding.setdefault(one.field, {}).setdefault(one.value, []).append(number)
    return holding, tuple(rest)


def _tools(conditions: Sequence[Condition]) -> frozenset[str] | None:
    """The tools of which a rule with these conditions can speak; None where it may speak of any."""
    named = [tools for tools in map(_named, conditions) if tools is not None]
    return frozenset.intersection(*named) if named else None


def _named(condition: Condition) -> frozenset[str] | None:
    """The tools that *condition* lists, or None: it does not. ``==`` takes two spellings of a decimal for one, so a
    tool of such a name is not told apart by its spelling."""
    value = condition.value
    if condition.field != "tool":
        return None
    if condition.op == "in" and isinstance(value, list):
        return frozenset(one for one in value if isinstance(one, str))
    if condition.op == "==" and isinstance(value, str) and not is_decimal(value):
        return frozenset([value])
    return None


def _answered(condition: Condition, missing: AbstractSet[str], tool: str | None) -> bool:
    """Whether *condition* holds for every action of a slice: trouble forbids, and the slice is of the tool named."""
    named = _named(condition)
    known = condition.field in ACT_FIELDS and condition.field not in missing
    return not known or is_trouble(condition) or (named is not None and tool in named)

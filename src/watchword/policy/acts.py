"""Rules about single actions: a table that reads them, the Cedar engine that judges the same, sliced by tool.

A caveat's rule on ``act`` forbids an action when all its conditions hold over the action's typed context:

    tool, effect              the tool, and its card's effect
    destinations, identifiers texts of the arguments in these roles; ``secrets``: how many there are
    amount                    the largest amount
    unclean                   how many values have no clean origin
    criticality, human, members, tags, owner   of the use case

* What a door cannot know (no card, no session, an amount that is no integer) is left out of the context: a condition on
  it is in trouble, and trouble forbids.
* Cedar has no trouble: a condition on what is left out is compiled as ``true``, and the attribute filled with nothing.
  Every attribute is required, and the text is validated strictly against the schema.
* A slice holds the rules that can speak of one tool where the same is left out: those that ask for the tool by name,
  and those that ask for none. An action is judged by its slice alone, and never by the rules of admission, which are
  another Cedar action.
* Any error, or a difference between table and engine, is raised; whoever asks denies.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from watchword.charter.conditions import is_decimal
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
from watchword.policy.table import forbidden
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
_SCHEMA = "entity Release;\nentity Tool;\n" + action_schema("act", "Release", "Tool", ACT_FIELDS)


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

    ``asked``: what each asks for beside the tool's name and what is left out: those two are answered once for all.
    """

    asked: dict[int, list[Condition]]
    policies: Compiled = field(repr=False)


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
        by_table = {n for n, asked in part.asked.items() if forbidden(asked, context)}
        by_engine = self._asked(part, context, release)
        if by_table != by_engine:
            differ = ", ".join(self.rules[n].rule.id for n in sorted(by_table ^ by_engine))
            raise ActsDisagree(f"table and Cedar engine disagree on {differ[:300]}", "report this as a defect")
        return tuple(self.rules[n] for n in sorted(by_table))

    def _asked(self, part: _Slice, context: Mapping[str, Any], release: str) -> set[int]:
        tool = ("Tool", context["tool"])
        judged = answered(part.policies, ("Release", release), "act", tool, {**FILLED, **context})
        return {int(number) for number in judged.forbids}

    def _slice(self, tool: str, missing: AbstractSet[str]) -> _Slice:
        # Tools that no rule names share one slice, or an asker could make up names and have each compiled.
        key = (tool if tool in self._tools else None, frozenset(missing))
        if key not in self._warm:
            asked = {
                n: [one for one in self.rules[n].rule.forbid if one.field not in missing and not _names(one, key[0])]
                for n, named in enumerate(self._named)
                if named is None or key[0] in named
            }
            self._warm[key] = _Slice(asked, self._compiled(asked))
            while len(self._warm) > ACT_SLICES_MAX:
                self._warm.popitem(last=False)
        self._warm.move_to_end(key)
        return self._warm[key]

    def _compiled(self, asked: Mapping[int, Sequence[Condition]]) -> Compiled:
        policies = []
        for number, conditions in asked.items():
            one = self.rules[number]
            when = " && ".join(condition_text(condition, ACT_FIELDS) for condition in conditions) or "true"
            text = forbid_text(str(number), one.rule.accountable, one.rule.principle, "", when, action="act")
            measure(f"caveat rule {one.rule.id[:80]} of {one.member}", text)
            policies.append(text)
        return compile_measured("rules about actions", "\n\n".join([*policies, permit_text("act")]), _SCHEMA)


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


def _names(condition: Condition, tool: str | None) -> bool:
    named = _named(condition)
    return named is not None and tool in named

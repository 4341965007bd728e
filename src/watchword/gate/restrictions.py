"""What a rule about actions sees of one action: its typed context, with nothing in it that this door cannot know.

Follows docs/protocol.md, section 9 ("Restrictions"). The rules themselves are judged by ``policy.acts``.

* Roles come from the tool's card alone. Without a card, or with an argument that the card does not name, no role is
  known: ``destinations``, ``identifiers``, ``secrets`` and ``amount`` are left out, and a rule that asks for them
  forbids.
* An amount that is no integer leaves ``amount`` out; without any amount it is 0.
* ``unclean`` is known only where a session labelled the values (``session``).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from watchword.gate.action import Action
from watchword.gate.session import Verdict
from watchword.policy.acts import Restriction, Restrictions
from watchword.policy.caveat import free_forbids
from watchword.statements.canonical import canonical
from watchword.statements.kinds import CaveatRule
from watchword.statements.statement import Signed


def restricting(
    caveats: Sequence[Signed],
    action: Action,
    use_case: Mapping[str, Any] | None,
    seen: Mapping[str, Any] | None = None,
) -> list[str]:
    """Why caveats forbid *action*; empty when none does.

    Args:
        caveats: those that stand, in order of member and id.
        use_case: of the admission; None where it is not held here.
        seen: see ``seen_of``; None where the door knows nothing of the tool.

    Raises:
        EngineTrouble, ActsDisagree: no clean answer; the action is denied.
    """
    if not caveats:
        return []
    rules = _compiled(tuple(caveats))
    context = act_context(action, use_case, seen)
    free = [one.statement for one in caveats if one.statement.predicate["cedar"] is not None]
    return [one.told for one in rules.forbidding(context, action.release)] + [
        f"caveat {one.predicate['name']} of {one.issuer} forbids it by a policy of its own, or cannot be evaluated"
        for one in free
        if free_forbids(one.id, one.predicate["cedar"], context, action.release)
    ]


def act_context(
    action: Action, use_case: Mapping[str, Any] | None, seen: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The context of *action* over ``policy.acts.ACT_FIELDS``.

    Args:
        use_case: the object for which the release was admitted; None where it is not held here.
        seen: what the tool's card and the session say of it.
    """
    context: dict[str, Any] = {"tool": action.tool}
    if use_case is not None:
        context |= {name: use_case[name] for name in ("criticality", "human", "members", "tags", "owner")}
    return context | dict(seen or {})


def seen_of(action: Action, provenance: Verdict | None) -> dict[str, Any] | None:
    """What a door knows of *action* from its tool's card and its session, as a receipt keeps it; None: nothing."""
    if provenance is None:
        return None
    seen: dict[str, Any] = {}
    card = provenance.card
    # Of what only reads, and of what was stopped for another reason, nobody asked where the values come from.
    if provenance.unclean or (provenance.event == "permit" and card is not None and card.effect != "read"):
        seen["unclean"] = len(provenance.unclean)
    if card is None:
        return seen
    seen["effect"] = card.effect
    if not set(action.args) <= set(card.args):
        return seen
    by_role: dict[str, list[Any]] = {}
    for name, value in action.args.items():
        by_role.setdefault(card.args[name].role, []).extend(_leaves(value))
    seen["destinations"] = sorted({_text(one) for one in by_role.get("destination", ())})
    seen["identifiers"] = sorted({_text(one) for one in by_role.get("identifier", ())})
    seen["secrets"] = len(by_role.get("secret", ()))
    amounts = by_role.get("amount", [])
    if all(type(one) is int for one in amounts):
        seen["amount"] = max(amounts, default=0)
    return seen


_KEPT: OrderedDict[tuple[str, ...], Restrictions] = OrderedDict()
KEPT_MAX = 8
"""Sets of caveats kept compiled. Origin: those that stand, and what they were before the last few changed."""


def _compiled(caveats: tuple[Signed, ...]) -> Restrictions:
    """The rules about actions of these caveats, kept compiled as long as the same ones stand."""
    ids = tuple(one.statement.id for one in caveats)
    if ids not in _KEPT:
        _KEPT[ids] = Restrictions(
            [
                Restriction(one.statement.issuer, one.statement.id, rule)
                for one in caveats
                for rule in msgspec.convert(one.statement.predicate["rules"], list[CaveatRule])
                if rule.on == "act"
            ]
        )
        while len(_KEPT) > KEPT_MAX:
            _KEPT.popitem(last=False)
    return _KEPT[ids]


def _leaves(value: Any) -> Iterator[Any]:
    """Every value inside *value* that holds no other; the keys of objects too: what is sent is sent."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else canonical(value).decode()

"""Free policies of a caveat that never forbid, or always: the engine is asked whatever they can tell apart.

* A free policy sees the use case, the suppliers and the release (``cedar.USE_FIELDS``): that is finite.
  A field that it asks for takes each text that the policy names and one other; a list, each of their subsets.
* Not looked at, and told so: more than ``FREE_CASES_MAX`` such requests; operators on texts (``like``), a principal or
  resource inside a condition, two fields compared with each other; policies about actions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain, combinations, product
from typing import Any

from watchword.errors import WatchwordError
from watchword.limits import FREE_CASES_MAX
from watchword.policy import cedar
from watchword.policy.caveat import policies_in
from watchword.policy.check import Finding
from watchword.policy.example import RELEASE, Example, Said
from watchword.policy.use_case import FORMAT
from watchword.policy.world import CRITICALITY, HUMAN

OTHER = "other"
KNOWN = frozenset({
    "&&", "||", "!", "==", "!=", "<", "<=", ">", ">=", "contains", "containsAll", "containsAny", "isEmpty",
    "if-then-else", "Set", "Value", "Var", ".", "has",
})  # fmt: skip
"""Operators of Cedar's JSON syntax tree of which it is known what they can tell apart."""


class _Unclear(WatchwordError):
    """Why a policy is not looked at."""


def holes(caveat: str, text: str) -> tuple[list[Finding], list[tuple[str, str]]]:
    """What was found in the free policies of the caveat called *caveat*, and the policies not looked at, with why.

    *text* was checked (``caveat.check_free``).
    """
    import cedarpy

    found: list[Finding] = []
    unclear: list[tuple[str, str]] = []
    for _, policy in policies_in(text):
        [tree] = json.loads(cedarpy.policies_to_json_str(policy))["staticPolicies"].values()
        name = f"{caveat}:{tree['annotations']['id']}"
        try:
            seen = _tried(policy, tree)
        except RecursionError:
            unclear.append((name, "a chain of too many conditions"))
            continue
        except (_Unclear, cedar.EngineTrouble) as error:
            unclear.append((name, error.message))
            continue
        if len(seen) == 1:
            [(state, shown)] = seen.items()
            id, what = {
                "clear": ("never-crossed", "no use case of any release is forbidden by it"),
                "crossed": ("forbids-everything", "every use case of every release is forbidden by it"),
            }[state]
            found.append(Finding(id, (name,), what, shown, {name: state}, True))
    return found, unclear


def _tried(policy: str, tree: dict[str, Any]) -> dict[str, Example]:
    """The states that *policy* was seen in, each with the first request that showed it."""
    if tree["action"]["entity"]["id"] != "admit":
        raise _Unclear("policies about actions are not looked at")
    compiled = cedar.compile_text("free policy", f"{policy}\n{cedar.PERMIT_TEXT}\n", _SCHEMA)
    seen: dict[str, Example] = {}
    for number, (principal, resource, context) in enumerate(_requests(tree)):
        if number >= FREE_CASES_MAX:
            raise _Unclear(f"it tells more than {FREE_CASES_MAX:,} requests apart")
        state = "clear" if cedar.ask(compiled, principal, context, resource).admitted else "crossed"
        if state not in seen:
            use_case = {name: context[name] for name in ("criticality", "human", "members", "owner", "tags")}
            use_case |= {"format": FORMAT, "name": principal, "purpose": ""}
            said = tuple(Said("claim", supplier, 0, ()) for supplier in context["suppliers"])
            seen[state] = Example(use_case, said, 0)
        if len(seen) == 2:
            break
    return seen


def _requests(tree: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every request that the policy can tell from another: principal, resource, context."""
    fields: set[str] = set()
    texts: set[str] = set()
    for condition in tree["conditions"]:
        _read(condition["body"], fields, texts)
    words = [*sorted(texts), OTHER]
    domains: list[list[Any]] = []
    for name, kind in cedar.USE_FIELDS.items():
        if name not in fields:
            domains.append([{"Long": 0, "String": "in", "Set<String>": []}[kind]])
        elif kind == "Long":
            domains.append(list(CRITICALITY))
        elif name == "human":
            domains.append(list(HUMAN))
        elif kind == "String":
            domains.append(words)
        else:
            if 2 ** len(words) > FREE_CASES_MAX:
                raise _Unclear(f"it tells more than {FREE_CASES_MAX:,} requests apart")
            domains.append([list(some) for some in _subsets(words)])
    for principal, resource in product(_scope(tree["principal"], "example"), _scope(tree["resource"], RELEASE.digest)):
        for values in product(*domains):
            yield principal, resource, dict(zip(cedar.USE_FIELDS, values, strict=True))


def _scope(scope: dict[str, Any], other: str) -> list[str]:
    if scope["op"] == "All":
        return [other]
    if scope["op"] == "==" and "entity" in scope:
        return [other, scope["entity"]["id"]]
    raise _Unclear(f"a scope with {scope['op']!r} is not looked at")


def _read(node: Any, fields: set[str], texts: set[str]) -> bool:
    """Collect the fields and texts in *node*; whether it reads a field at all."""
    if isinstance(node, list):
        return any([_read(one, fields, texts) for one in node])
    [(op, inside)] = node.items()
    if op not in KNOWN:
        raise _Unclear(f"what {op} tells apart is not known here")
    if op == "Value":
        if isinstance(inside, str):
            texts.add(inside)
        elif not isinstance(inside, bool | int):
            raise _Unclear("an entity inside a condition is not looked at")
        return False
    if op in (".", "has"):
        if inside["left"] != {"Var": "context"}:
            raise _Unclear("only fields of the context are looked at")
        fields.add(inside["attr"])
        return str(op) == "."
    if op == "Var":
        raise _Unclear(f"{inside} inside a condition is not looked at")
    sides = [_read(inside, fields, texts)] if op == "Set" else [_read(one, fields, texts) for one in inside.values()]
    if op not in ("&&", "||", "if-then-else") and sum(sides) > 1:
        raise _Unclear("two fields compared with each other are not looked at")
    return any(sides)


def _subsets(words: list[str]) -> Iterator[tuple[str, ...]]:
    return chain.from_iterable(combinations(words, many) for many in range(len(words) + 1))


_SCHEMA = cedar.schema_of({}, cedar.USE_FIELDS)

"""The rules: every module of this folder but ``rule`` is one, named after its id. Adding one is adding a file, a test
and its page (``docs/rules``).
"""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from collections.abc import Iterator

from watchword.errors import WatchwordError
from watchword.inspect.facts import Oddity
from watchword.inspect.rules.rule import Rule

_FILES = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "rule")

RULES: tuple[Rule, ...] = tuple(importlib.import_module(f"{__name__}.{name}").RULE for name in _FILES)
"""Every rule, by id."""

BY_ID: dict[str, Rule] = {rule.id: rule for rule in RULES}

_BY_FACTS: dict[type, tuple[Rule, ...]] = {
    kind: tuple(rule for rule in RULES if kind in rule.reads) for rule in RULES for kind in rule.reads
}


class UnknownRule(WatchwordError):
    """No rule has this id."""


def check_all(facts: object) -> Iterator[Oddity]:
    """What the rules that read facts of this type say of *facts*."""
    for rule in _BY_FACTS.get(type(facts), ()):
        if rule.check is not None:
            yield from rule.check(facts)


def explain(rule_id: str) -> str:
    """The page of a rule (Markdown), as in ``docs/rules/<id>.md``.

    Raises:
        UnknownRule: with the ids that are near.
    """
    rule = BY_ID.get(rule_id)
    if rule is None:
        near = [known for known in BY_ID if known.partition("-")[0] == rule_id.partition("-")[0]] or list(BY_ID)
        raise UnknownRule(f"there is no rule {rule_id}", f"known rules: {', '.join(near)}")
    return rule.page()


def digest() -> str:
    """``sha256:<hex>`` over all rules and tables, so that two inspections can be told to have used the same."""
    from watchword.inspect.pickles import allowed, denied, stdlib

    text = [rule.page() for rule in RULES]
    text += [f"{name}={value}" for table in (allowed.ALLOWED, denied.DENIED) for name, value in sorted(table.items())]
    for words in (denied.MODULE_WORDS, denied.MAGIC_WORDS, denied.EXECUTING_WORDS, denied.FILE_WORDS, stdlib.STDLIB):
        text.append(" ".join(sorted(words)))
    text += [" ".join(sorted(allowed.FRAMEWORKS)), allowed.REBUILDS.pattern]
    return "sha256:" + hashlib.sha256("\n".join(text).encode()).hexdigest()

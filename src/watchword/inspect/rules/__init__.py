"""The rules: every module of this folder but ``rule`` is one, named after its id. Adding one is adding a file, a test
and its page (``docs/rules``).

A rule is imported when it is first needed: most files need few of them, and start-up is paid for every file that is
inspected alone. What reads facts of ``pickles/`` is called ``pickle-…``, so that a pickle needs no other rules.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from watchword.errors import WatchwordError
from watchword.inspect.facts import Oddity
from watchword.inspect.rules.rule import Rule
from watchword.inspect.updates import added

_FOLDER = Path(__file__).parent
_FILES: dict[str, str] = {
    path.stem.replace("_", "-"): path.stem
    for path in sorted(_FOLDER.iterdir())
    if path.suffix == ".py" and path.stem not in ("__init__", "rule")
}
"""Id to module."""

_PICKLES = "watchword.inspect.pickles."


class UnknownRule(WatchwordError):
    """No rule has this id."""


class _ById(Mapping[str, Rule]):
    """Every rule by id, imported when it is asked for."""

    def __init__(self) -> None:
        self._known: dict[str, Rule] = {}

    def __getitem__(self, rule_id: str) -> Rule:
        found = self._known.get(rule_id)
        if found is None:
            found = importlib.import_module(f"{__name__}.{_FILES[rule_id]}").RULE
            self._known[rule_id] = found
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(_FILES)

    def __len__(self) -> int:
        return len(_FILES)


BY_ID: Mapping[str, Rule] = _ById()


def every() -> tuple[Rule, ...]:
    """Every rule, in the order of ids."""
    return tuple(BY_ID.values())


_BY_FACTS: dict[type, tuple[Rule, ...]] = {}


def check_all(facts: object) -> Iterator[Oddity]:
    """What the rules that read facts of this type say of *facts*."""
    kind = type(facts)
    if kind not in _BY_FACTS:
        asked = (key for key in BY_ID if _may_read(key, kind))
        _BY_FACTS[kind] = tuple(rule for rule in map(BY_ID.__getitem__, asked) if kind in rule.reads)
    for rule in _BY_FACTS[kind]:
        if rule.check is not None:
            yield from rule.check(facts)


def _may_read(rule_id: str, kind: type) -> bool:
    """False where the rule need not be imported: its file does not name the type."""
    if kind.__module__.startswith(_PICKLES):
        return rule_id.startswith("pickle-")
    file = _FILES.get(rule_id)
    return file is None or kind.__name__.encode() in (_FOLDER / f"{file}.py").read_bytes()


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


@cache
def digest() -> str:
    """``sha256:<hex>`` over this whole inspector: rules, readers and tables, file by file, as installed;
    with an update of its data, that too.

    Two inspections with one digest were made by the same rules. (Of files, not of what they say: no rule need be
    imported for it, and a changed check counts as much as a changed word.)
    """
    hashed = hashlib.sha256()
    room = str(_FOLDER.parent)
    for folder, below, files in os.walk(room):
        below[:] = sorted(name for name in below if name != "__pycache__")
        for name in sorted(files):
            with open(f"{folder}/{name}", "rb", buffering=0) as file:  # noqa: PTH123  paid for at every start
                content = file.readall()
            hashed.update(f"{folder[len(room) :]}/{name}\0{len(content)}\0".encode())
            hashed.update(content)
    later = added()
    if later is not None:
        hashed.update(f"data {later.version} {later.digest}\n".encode())
    return "sha256:" + hashed.hexdigest()

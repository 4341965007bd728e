"""Rules and formats of others, from entry points. Off unless named; they add findings and take none away.

1. Only what is named is imported: ``watchword.inspect.rules`` gives a ``Rule``, ``watchword.inspect.formats`` one or
   several ``Format``. Two of one name, an id that is taken, or a name that nothing has, is an error before anything is
   looked at. A rule may read ``FileReport`` (all that was told of one delivered file, imports and other facts among
   it) or what readers put to rules (``ZipFacts``, ``TarFacts`` …).
2. Our own readers look first, whatever a plugin claims. Only where they know nothing does a plugin's reading stand in.
3. A plugin that fails on a file is a finding on that file (``plugin-failed``, unreadable), never silence; what it had
   found before counts.
4. The result lists the plugins, and the digest of the rules covers their distributions' versions and modules.

Plugins are code that runs here with our rights: they are trusted as this package is.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from watchword.errors import WatchwordError
from watchword.inspect.exhibit import Exhibit, Format
from watchword.inspect.facts import Oddity
from watchword.inspect.rules import BY_ID
from watchword.inspect.rules.rule import Rule

RULES, FORMATS = "watchword.inspect.rules", "watchword.inspect.formats"
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class BadPlugin(WatchwordError):
    """A plugin that was named is not there, cannot be loaded, or is not what its entry point says."""


@dataclass(frozen=True)
class Plugins:
    """What was named and loaded. ``listed`` is how the result names them; ``rules`` are by id."""

    listed: tuple[dict[str, str], ...]
    rules: Mapping[str, Rule]
    formats: tuple[Format, ...]

    def check(self, exhibit: Exhibit, facts: object) -> None:
        """Put *facts* to the plugins' rules that read facts of their type."""
        for rule in self.rules.values():
            check = rule.check
            if type(facts) in rule.reads and check is not None:
                contained(exhibit, f"rule {rule.id}", partial(_put, exhibit, check, facts))

    def claiming(self, exhibit: Exhibit, head: bytes) -> list[Format]:
        """The plugins' formats that would read this exhibit."""
        found = []
        for one in self.formats:
            asked = partial(one.claims, exhibit.source, head, exhibit.name)
            if contained(exhibit, f"format {one.name}", asked):
                found.append(one)
        return found

    def read(self, exhibit: Exhibit, one: Format, what: str) -> tuple[str, str] | None:
        """Let a plugin's format read the exhibit; None when it failed."""
        told = contained(exhibit, f"format {one.name}", lambda: _told(one.read(exhibit, what)))
        return told if isinstance(told, tuple) else None


def contained(exhibit: Exhibit, which: str, call: Callable[[], Any]) -> Any:
    """What *call*, code of a plugin, gives; None, with a finding, when it fails."""
    try:
        return call()
    except (Exception, SystemExit) as error:
        if os.environ.get("WATCHWORD_DEBUG"):
            raise
        exhibit.odd("plugin-failed", None, f"{which} of a plugin failed: {type(error).__name__}: {error}")
        exhibit.unread(0, exhibit.source.size)
        return None


@cache
def load_plugins(names: tuple[str, ...]) -> Plugins:
    """The plugins of these names.

    Raises:
        BadPlugin: see rule 1 of the module.
    """
    listed: list[dict[str, str]] = []
    rules: dict[str, Rule] = {}
    formats: list[Format] = []
    for name in dict.fromkeys(names):
        found = [(group, point) for group in (RULES, FORMATS) for point in entry_points(group=group, name=name)]
        if len({(point.value, group) for group, point in found}) != 1:
            what = "no plugin has this name" if not found else "several plugins have this name"
            known = sorted({point.name for group in (RULES, FORMATS) for point in entry_points(group=group)})
            raise BadPlugin(f"{name}: {what}", f"installed plugins: {', '.join(known) or 'none'}")
        group, point = found[0]
        given = _loaded(point)
        for one in given if isinstance(given, tuple | list) else (given,):
            if group == RULES:
                _take_rule(name, one, rules)
            elif isinstance(one, Format):
                formats.append(one)
            else:
                raise BadPlugin(f"{name}: its entry point in {FORMATS} leads to no Format")
        listed.append(_described(point))
    return Plugins(tuple(listed), rules, tuple(formats))


def digest_with(ours: str, plugins: Plugins) -> str:
    """The digest of all rules: *ours* alone where there is no plugin."""
    if not plugins.listed:
        return ours
    text = "\n".join([ours, *(f"{name}={value}" for one in plugins.listed for name, value in sorted(one.items()))])
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _loaded(point: EntryPoint) -> Any:
    try:
        return point.load()
    except (Exception, SystemExit) as error:
        words = f"{point.name}: the plugin cannot be loaded: {type(error).__name__}: {error}"
        raise BadPlugin(words, "nothing was looked at") from error


def _take_rule(name: str, one: Any, rules: dict[str, Rule]) -> None:
    if not isinstance(one, Rule) or not _ID.fullmatch(one.id):
        raise BadPlugin(f"{name}: its entry point in {RULES} leads to no Rule with an id such as maker-what")
    if one.id in BY_ID or one.id in rules:
        raise BadPlugin(f"{name}: there is a rule {one.id} already")
    rules[one.id] = one


def _described(point: EntryPoint) -> dict[str, str]:
    distribution = point.dist
    spec = importlib.util.find_spec(point.module)
    places: Iterable[Path] = ()
    if spec is not None and spec.submodule_search_locations:
        places = sorted(path for root in spec.submodule_search_locations for path in Path(root).rglob("*.py"))
    elif spec is not None and spec.origin:
        places = [Path(spec.origin)]
    hashed = hashlib.sha256()
    for path in places:
        hashed.update(hashlib.sha256(path.read_bytes()).digest())
    return {
        "name": point.name,
        "distribution": "" if distribution is None else distribution.name,
        "version": "" if distribution is None else distribution.version,
        "digest": f"sha256:{hashed.hexdigest()}",
    }


def _put(exhibit: Exhibit, check: Callable[[Any], Iterable[Oddity]], facts: object) -> None:
    exhibit.keep_all(check(facts))


def _told(given: Any) -> tuple[str, str]:
    what, looked = given
    if not isinstance(what, str) or not isinstance(looked, str):
        raise TypeError("a reader returns the format and what was looked at, both text")
    return what, looked

"""From the facts of many sources: what each function and class reaches, and which of its arguments decide it.

``Graph.reach`` maps a dotted name to ``{(letter, parameter)}``; parameter -1 where no argument decides. A letter is one
of ``sinks.py``, or ``h``: calls what it is given.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable

from benchmarks.inspect.derive.sinks import CONSTANT, METHOD_SINKS, SINKS
from benchmarks.inspect.derive.sources import NOTHING, REST, WORDS, Class, Function, Module, Site

Effect = tuple[str, int]
FIXED = -1

_TELLERS = (
    "warnings.",
    "logging.",
    "traceback.",
    "linecache.",
    "inspect.",
    "gettext.",
    "locale.",
    "textwrap.",
    "pprint.",
)
"""Modules that only tell somebody of something: what they do to find the words is no effect of those who call them."""


class Graph:
    """The calls of all functions of *modules*, followed until nothing new is reached."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self.modules = {module.name: module for module in modules}
        self.functions: dict[str, Function] = {}
        self.classes: dict[str, Class] = {}
        self.home: dict[str, Module] = {}
        for module in self.modules.values():
            for name, function in module.functions.items():
                self.functions[f"{module.name}.{name}"] = function
                self.home[f"{module.name}.{name}"] = module
            for name, cls in module.classes.items():
                self.classes[f"{module.name}.{name}"] = cls
                self.home[f"{module.name}.{name}"] = module
        self.known: dict[str, str] = {}
        self.orders: dict[str, list[str]] = {}
        self.reach: dict[str, set[Effect]] = defaultdict(set)
        self.dispatched: dict[tuple[str, str], set[Effect]] = {}
        self._follow()

    # -- names ---------------------------------------------------------------------------------------

    def find(self, name: str, depth: int = 0) -> str:
        """The definition that a dotted name leads to, through imports and aliases; itself where it leads nowhere."""
        if name in SINKS:
            return name
        found = self.known.get(name)
        if found is None:
            self.known[name] = name  # a cycle of aliases ends here
            found = self.known[name] = self._find(name, depth) if depth < 12 else name
        return found

    def _find(self, name: str, depth: int) -> str:
        if name in self.functions or name in self.classes:
            return name
        parts = name.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            module = self.modules.get(".".join(parts[:cut]))
            if module is None:
                continue
            first, rest = parts[cut], parts[cut + 1 :]
            path = f"{module.name}.{first}"
            if path in self.classes and rest:
                member = self.member(path, rest[0])
                return member if member and len(rest) == 1 else name
            target = module.names.get(first)
            if target is not None and target != path:
                return self.find(".".join([target, *rest]), depth + 1)
            for star in module.stars:
                other = f"{star}.{first}"
                if self.find(other, depth + 1) in self.functions or self.find(other, depth + 1) in self.classes:
                    return self.find(".".join([other, *rest]), depth + 1)
            if first not in module.names and cut == len(parts) - 1 and not module.stars:
                return f"builtins.{first}" if path not in self.modules else name
            return name
        return name

    def order(self, cls: str) -> list[str]:
        """The class and its bases, nearest first; a base of no source is its dotted name."""
        found = self.orders.get(cls)
        if found is not None:
            return found
        self.orders[cls] = [cls]
        order = [cls]
        facts = self.classes.get(cls)
        for base in facts.bases if facts is not None else ():
            if base:
                path = self.find(f"{self.home[cls].name}.{base}")
                order += [other for other in self.order(path) if other not in order]
        self.orders[cls] = order
        return order

    def member(self, cls: str, name: str, after: str = "") -> str:
        """The method that ``cls.name`` is, in the order of bases (*after* one of them); empty where there is none."""
        order = self.order(cls)
        if after:
            order = order[order.index(after) + 1 :] if after in order else []
        for base in order:
            facts = self.classes.get(base)
            if facts is None:
                if f"{base}.{name}" in SINKS:
                    return f"{base}.{name}"
                continue
            if f"{base}.{name}" in SINKS:
                return f"{base}.{name}"
            method = facts.methods.get(name)
            if method is None:
                continue
            if not method.startswith("="):
                return f"{self.home[base].name}.{method}"
            if method[1:] in facts.methods:
                return self.member(base, method[1:]) if method[1:] != name else ""
            return self.find(f"{self.home[base].name}.{method[1:]}")
        return ""

    # -- effects -------------------------------------------------------------------------------------

    def _callees(self, site: Site, caller: str) -> list[tuple[str, bool]]:
        """What a call may run: (definition, whether its first parameter is the object)."""
        home, function = self.home[caller], self.functions[caller]
        owner = f"{home.name}.{function.owner}" if function.owner else ""
        if site.kind == "name":
            return self._named(self.find(site.target), site.target)
        if site.kind in ("self", "super") and owner in self.classes:
            member = self.member(owner, site.target, owner if site.kind == "super" else "")
            if not member and site.kind == "self" and site.target in self.classes[owner].fields:
                return []
            return [(member, True)] if member else []
        if site.kind in ("typed", "field"):
            kind, _, method = site.target.partition("|")
            if site.kind == "field":
                kind = next((self.classes[c].fields[kind] for c in self.order(owner) if c in self.classes
                             and kind in self.classes[c].fields), "") if owner in self.classes else ""  # fmt: skip
            path = self.find(kind) if kind else ""
            if path in self.classes or f"{path}.{method}" in SINKS:
                member = self.member(path, method) if path in self.classes else f"{path}.{method}"
                return [(member, True)] if member else []
        return []

    def _named(self, path: str, written: str) -> list[tuple[str, bool]]:
        if path in SINKS:
            return [(path, False)]
        if path in self.classes:
            return self.constructor(path)
        if path in self.functions:
            function = self.functions[path]
            return [(path, function.kind == "class")]
        return []

    def constructor(self, cls: str) -> list[tuple[str, bool]]:
        """What a call of the class runs."""
        found = [(self.member(cls, name), True) for name in ("__new__", "__init__")]
        order = self.order(cls)
        sinks = [(base, False) for base in order if base in SINKS]
        return sinks + [(name, bound) for name, bound in found if name]

    def of_class(self, cls: str, name: str, depth: int = 0) -> set[Effect]:
        """What the method *name* of *cls* reaches, its calls of ``self`` dispatched to what *cls* overrides."""
        member = self.member(cls, name)
        return self._dispatched(cls, member, depth) if member else set()

    def _dispatched(self, cls: str, member: str, depth: int) -> set[Effect]:
        if member not in self.functions or depth > 5:
            return set(self.effects_of(member))
        key = cls, member
        known = self.dispatched.get(key)
        if known is not None:
            return known
        self.dispatched[key] = set()
        found = set(self.reach.get(member, ()))
        for site in self.functions[member].sites:
            for callee, bound in self._virtual(cls, site, member):
                for letter, at in self._dispatched(cls, callee, depth + 1):
                    deps, _ = _argument(site, self.functions.get(callee), at, bound)
                    found |= {(letter, dep) for dep in deps}
        self.dispatched[key] = found
        return found

    def _virtual(self, cls: str, site: Site, caller: str) -> list[tuple[str, bool]]:
        """The methods of *cls* itself that a call on ``self`` in one of its bases runs."""
        if site.kind == "self":
            member = self.member(cls, site.target)
            return [(member, True)] if member in self.functions else []
        if site.kind == "super":
            return [(callee, bound) for callee, bound in self._callees(site, caller) if callee in self.functions]
        if site.kind == "name" and site.target.endswith(".__init__"):
            return [(callee, False) for callee, _ in self._callees(site, caller) if callee in self.functions]
        return []

    def effects_of(self, callee: str) -> set[Effect]:
        if callee in SINKS:
            letter, positions = SINKS[callee]
            return (
                {(letter, at) for at in positions} if positions else {(letter, at) for at in (*range(8), REST, FIXED)}
            )
        return self.reach.get(callee, set())

    def _follow(self) -> None:
        callers: dict[str, set[str]] = defaultdict(set)
        resolved: dict[str, list[tuple[Site, list[tuple[str, bool]]]]] = {}
        for name, function in self.functions.items():
            told = name.startswith(_TELLERS)
            found = [
                (site, [c for c in self._callees(site, name) if told or c[0] in SINKS or not c[0].startswith(_TELLERS)])
                for site in function.sites
            ]
            resolved[name] = found
            for _, callees in found:
                for callee, _ in callees:
                    callers[callee].add(name)
        waiting = deque(self.functions)
        queued = set(waiting)
        while waiting:
            name = waiting.popleft()
            queued.discard(name)
            before = len(self.reach[name]) if name in self.reach else 0
            for site, callees in resolved[name]:
                self._site(name, site, callees)
            if name in self.reach and len(self.reach[name]) > before:
                for caller in callers[name] - queued:
                    waiting.append(caller)
                    queued.add(caller)

    def _site(self, name: str, site: Site, callees: list[tuple[str, bool]]) -> None:
        found: set[Effect] = set()
        if site.kind == "given":
            found |= {("h", at) for at in site.receiver}
        elif site.kind == "reach":
            owner = self.find(site.target)
            if owner in self.modules or owner == site.target:
                found |= {("i", at) for at in site.receiver}
        elif not callees and site.kind in ("method", "field", "typed", "name", "self"):
            letter = METHOD_SINKS.get(site.target.rpartition("|")[2].rpartition(".")[2])
            if letter and (site.kind != "name" or self.find(site.target) == site.target):
                whole = frozenset().union(site.receiver, site.star, *site.args, *site.keywords.values())
                found |= {(letter, at) for at in whole}
        for callee, bound in callees:
            function = self.functions.get(callee)
            for letter, at in self.effects_of(callee):
                deps, given = _argument(site, function, at, bound)
                if deps:
                    found |= {(letter, dep) for dep in deps}
                elif letter in CONSTANT and (given or at == FIXED):
                    found.add((letter, FIXED))
        if found:
            self.reach[name] |= found


def _argument(site: Site, function: Function | None, at: int, bound: bool) -> tuple[frozenset[int], bool]:
    """What the argument for parameter *at* depends on, and whether it is given at all."""
    if at == FIXED:
        return NOTHING, False
    if bound and at == 0 and function is not None:
        mine = site.receiver if function.kind == "method" else NOTHING
        return mine, len(mine) > 0
    found = site.star
    given = len(found) > 0
    if at < REST:
        place = at - (bound and function is not None)
        if place < len(site.args):
            found |= site.args[place]
            given = True
        if function is not None and at < len(function.params) and function.params[at] in site.keywords:
            found |= site.keywords[function.params[at]]
            given = True
        elif function is None and not site.args and site.keywords:
            found = found.union(*site.keywords.values())
            given = True
    elif at == REST and function is not None:
        for extra in site.args[len(function.params) - bound :]:
            found |= extra
            given = True
    elif at == REST:
        given = bool(site.args)
    elif at < WORDS and function is not None:
        word = function.words[at - REST - 1] if at - REST - 1 < len(function.words) else ""
        if word in site.keywords:
            found |= site.keywords[word]
            given = True
    elif function is not None:
        for word, deps in site.keywords.items():
            if word not in function.params and word not in function.words:
                found |= deps
                given = True
    return found, given

"""How an imported name stands: allowed, denied, a walk through a module, or unknown (a class, or a function).

Judged on the name alone, in this order:

1. in the table of what frameworks need (``allowed.py``);
2. in, or below, the table of what must never be reached (``denied.py``);
3. an attribute path that leads through a module or through an object's internals;
4. a last name that executes wherever it is found;
5. another name of something that acts, as the derived data know it (``reaches.py``): judged as that is;
6. what a framework's reducers were seen to call, as the release or an update of its data (``updates``) says, or what is
   called like a rebuilding function of one, unless the derived data say that it acts;
7. else unknown: a class or a function as the data say, and else by convention a class when its last part is capitalised
   and no step before it is not.

Python 2 names count under their Python 3 names too: a loader with ``fix_imports`` reads them so.
"""

from __future__ import annotations

from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from watchword.inspect.pickles.allowed import FRAMEWORKS, derived, is_error, rebuilds, shape_of
from watchword.inspect.pickles.denied import DENIED, EXECUTING_WORDS, FILE_WORDS, MAGIC_WORDS, MODULE_WORDS
from watchword.inspect.pickles.reaches import WORDS, Reach, reach_of
from watchword.inspect.pickles.stdlib import STDLIB
from watchword.inspect.pickles.values import Global
from watchword.inspect.updates import added


@dataclass(frozen=True, slots=True)
class Standing:
    """``kind`` is allowed, denied, walk, executing, class or function; ``what`` says it in words (denied: its harm).

    ``reach`` is what a call of it would do, where that is known and it is not in a table by hand.
    """

    kind: str
    what: str = ""
    shape: str = ""
    stdlib: bool = False
    reach: Reach | None = None

    @property
    def acts(self) -> str:
        """In words, what a function does that a model has no need to take hold of; empty of a class and of others."""
        letters = self.reach.places if self.reach is not None and self.kind == "function" else {}
        return next((WORDS[letter] for letter in WORDS if letter in letters and letter in "xplnc"), "")


_known: dict[tuple[str, str], Standing] = {}


def standing(target: Global) -> Standing:
    """How *target* stands. Results are kept for the life of the process, up to a bound."""
    key = (target.module, target.name)
    found = _known.get(key)
    if found is None:
        if len(_known) > 100_000:
            _known.clear()
        found = _known[key] = _judge(*key)
    return found


def python3_name(module: str, name: str) -> tuple[str, str]:
    """The name that ``fix_imports`` makes of a Python 2 name."""
    mapped = NAME_MAPPING.get((module, name))
    if mapped is not None:
        return mapped
    return IMPORT_MAPPING.get(module, module), name


def _judge(module: str, name: str) -> Standing:
    raw = _judge_name(module, name)
    mapped = python3_name(module, name)
    if mapped == (module, name) or raw.kind == "denied":
        return raw
    return _judge_name(*mapped)


def _judge_name(module: str, name: str, depth: int = 0) -> Standing:
    path = f"{module}.{name}"
    steps = name.split(".")
    top = module.partition(".")[0]
    shape = shape_of(path)
    if shape is not None and shape != "reference":
        return Standing("allowed", shape=shape)
    what = _denied(path)
    if what:
        return Standing("denied" if shape is None else "reference", what)
    for step in steps:
        if step in MODULE_WORDS:
            return Standing("walk", f"leads through the module {step}")
        if step in MAGIC_WORDS:
            return Standing("walk", f"leads through {step}")
    if steps[-1] in EXECUTING_WORDS or (module.startswith("pathlib") and steps[-1] in FILE_WORDS):
        return Standing("executing", "executes code or commands, or reaches files, under this name elsewhere")
    reach = reach_of(module, name)
    if reach is not None and reach.alias:
        other = _judge_alias(reach.alias, depth)
        if other.kind not in ("allowed", "class", "function"):
            return other
        reach = other.reach
    if is_error(path):
        return Standing("allowed", shape="any")
    if path in derived():
        return Standing("allowed", shape=derived()[path], reach=reach)
    later = added()
    if later is not None and path in later.rebuilds:
        return Standing("allowed", shape=later.rebuilds[path], reach=reach)
    acts = reach is not None and any(letter != "h" for letter in reach.places)
    if not acts and top not in STDLIB and len(steps) == 1 and rebuilds(name):
        return Standing("allowed", shape="plain" if top in FRAMEWORKS else "harmless")
    return Standing(_kind(steps, reach), stdlib=top in STDLIB, reach=reach)


def _judge_alias(path: str, depth: int) -> Standing:
    """How what *path* leads to stands: a module is walked through, anything else is judged under its own name."""
    module, _, name = path.rpartition(".")
    if not module or path in _harms() or depth > 4:
        return Standing("walk", f"is {path} under another name")
    other = _judge_name(module, name, depth + 1)
    if other.kind in ("denied", "walk", "executing"):
        return Standing("walk", f"is {path} under another name, which {other.what}")
    return other


def _kind(steps: list[str], reach: Reach | None) -> str:
    if reach is not None and reach.mark:
        return "class" if reach.mark == "K" else "function"
    if len(steps) > 1 and steps[0].islower() and steps[0] not in _LOWER_CLASSES:
        return "function"  # a walk through a module or a function, whatever its last step is called
    return "class" if steps[-1].lstrip("_")[:1].isupper() else "function"


_LOWER_CLASSES_TEXT = """
    str bytes bytearray dict list set frozenset tuple int float complex object type slice range property staticmethod
    classmethod defaultdict deque date time datetime timedelta timezone ndarray dtype array
"""
_LOWER_CLASSES = frozenset(_LOWER_CLASSES_TEXT.split())
"""Classes of Python and numpy whose names say otherwise; the first step of a path to their methods."""


@cache
def _harms() -> Mapping[str, str]:
    """What is denied: what the release says, and what came after it."""
    later = added()
    return DENIED if later is None or not later.denied else {**later.denied, **DENIED}


def _denied(path: str) -> str:
    """What *path*, or anything it stands below, would do; an empty text when in no table."""
    at, harms = len(path), _harms()
    while at > 0:
        what = harms.get(path[:at])
        if what is not None:
            return what
        at = path.rfind(".", 0, at)
    return ""

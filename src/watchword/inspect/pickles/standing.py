"""How an imported name stands: allowed, denied, a walk through a module, or unknown (a class, or a function).

Judged on the name alone, in this order:

1. in the table of what frameworks need (``allowed.py``);
2. in, or below, the table of what must never be reached (``denied.py``);
3. an attribute path that leads through a module or through an object's internals;
4. a last name that executes wherever it is found;
5. else unknown: by convention a class when its last part is capitalised, and else a function.

Python 2 names count under their Python 3 names too: a loader with ``fix_imports`` reads them so.
"""

from __future__ import annotations

from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from dataclasses import dataclass

from watchword.inspect.pickles.allowed import shape_of
from watchword.inspect.pickles.denied import DENIED, EXECUTING_WORDS, FILE_WORDS, MAGIC_WORDS, MODULE_WORDS
from watchword.inspect.pickles.stdlib import STDLIB
from watchword.inspect.pickles.values import Global


@dataclass(frozen=True, slots=True)
class Standing:
    """``kind`` is allowed, denied, walk, executing, class or function; ``what`` says it in words (denied: its harm)."""

    kind: str
    what: str = ""
    shape: str = ""
    stdlib: bool = False


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


def _judge_name(module: str, name: str) -> Standing:
    path = f"{module}.{name}"
    steps = name.split(".")
    top = module.partition(".")[0]
    shape = shape_of(path, top, steps[-1])
    if shape is not None and shape != "reference":
        return Standing("allowed", shape=shape)
    what = _denied(path)
    if what and shape != "reference":
        return Standing("denied", what)
    if shape == "reference":
        return Standing("reference", what)
    for step in steps:
        if step in MODULE_WORDS:
            return Standing("walk", f"leads through the module {step}")
        if step in MAGIC_WORDS:
            return Standing("walk", f"leads through {step}")
    if steps[-1] in EXECUTING_WORDS or (module.startswith("pathlib") and steps[-1] in FILE_WORDS):
        return Standing("executing", "executes code or commands, or reaches files, under this name elsewhere")
    stdlib = top in STDLIB
    if not steps[-1].lstrip("_")[:1].isupper():
        return Standing("function", stdlib=stdlib)
    return Standing("class", stdlib=stdlib)


def _denied(path: str) -> str:
    """What *path*, or anything it stands below, would do; an empty text when in no table."""
    at = len(path)
    while at > 0:
        what = DENIED.get(path[:at])
        if what is not None:
            return what
        at = path.rfind(".", 0, at)
    return ""

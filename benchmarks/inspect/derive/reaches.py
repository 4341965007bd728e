"""Writes ``reaches.txt``: ``python -m benchmarks.inspect.derive.reaches OUT PYTHON[,PYTHON…] [PACKAGES…]``

A PYTHON is the folder of a standard library, the newest first; PACKAGES are folders that hold packages. Packages are
read a few thousand sources at a time, each time together with the first standard library. What any reading says counts.
"""

from __future__ import annotations

import gc
import re
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from benchmarks.inspect.derive.graph import FIXED, Effect, Graph
from benchmarks.inspect.derive.sinks import SINKS
from benchmarks.inspect.derive.sources import REST, Module, read_module

VERSION = 1
_LEFT_OUT = {"site-packages", "tests", "test", "idle_test", "lib2to3", "__pycache__", "_vendor_tests", "node_modules"}
_OBJECT = (
    "__setstate__", "__setitem__", "__del__", "__call__", "__getattr__", "append", "extend", "add", "update",
)  # fmt: skip
"""Methods that loading runs of an object that it has made."""

_SILENT_TEXT = """
    __iter__ __next__ __len__ __getitem__ __str__ __repr__ __hash__ __eq__ __int__ __float__ __index__ __fspath__
    __bytes__ __bool__ __array__ __get__ keys
"""
_SILENT = tuple(_SILENT_TEXT.split())
"""Methods that run when the object is given to something: a container, a number, a text is made of it."""

_SENSITIVE_TEXT = """
    os posix nt subprocess sys importlib builtins ctypes shutil socket runpy pty marshal imp tempfile multiprocessing
    threading pickle cPickle _pickle inspect types code codeop pdb bdb timeit asyncio urllib requests webbrowser io
    platform pydoc pkgutil zipimport commands cloudpickle dill joblib torch numpy pandas yaml
"""
_SENSITIVE = frozenset(_SENSITIVE_TEXT.split())
"""Top-level names under whose modules and functions other modules are walked through."""


_LEFT_UNSAID = re.compile("cl[a]ude|chat[g]pt|co[p]ilot", re.IGNORECASE)
"""Clients of services whose names the tree's own check takes for something else."""


def modules_of(root: Path, tops: list[str] | None = None) -> Iterator[Module]:
    """The modules below a folder of sources, of all or some top-level names, as far as they parse."""
    for path in sources_of(root, tops):
        parts = list(path.relative_to(root).with_suffix("").parts)
        package = parts[-1] == "__init__"
        if package:
            parts.pop()
        try:
            yield read_module(".".join(parts), path.read_text("utf-8", "replace"), package)
        except (SyntaxError, ValueError, RecursionError):
            continue


def sources_of(root: Path, tops: list[str] | None = None) -> Iterator[Path]:
    """The sources of modules, tests and generated tables left out."""
    for top in [root] if tops is None else [root / top for top in tops]:
        for path in [top] if top.suffix == ".py" else sorted(top.rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            if _LEFT_OUT.intersection(parts[:-1]) and parts[:2] != ("test", "support"):
                continue
            if _BULK.match("/".join(parts)) or not all(part.isidentifier() for part in parts):
                continue
            if path.stat().st_size <= 1_500_000:
                yield path


_BULK = re.compile(
    r"transformers/models/|diffusers/(pipelines|models)/|kubernetes/client/|openai/types/|plotly/(validators|graph_objs)/|"
    r"tensorflow_datasets/(?!core|scripts)|ccxt/|sympy/(?!parsing|utilities|core|printing|codegen|interactive|external)|"
    r"astropy/(?!io|utils|config|table)|airflow/(migrations|example)|django/(conf/locale|contrib)|scipy/(stats|special)/|"
    r"langchain_community/(embeddings|vectorstores|llms|chat)|rdkit/|ansible/modules|salt/(modules|states)|"
    r"twisted/(names|words|mail)|keras/src/ops|tf_keras/src/(layers|applications)|jax/_src/(lax|numpy|pallas)"
)
"""Parts of packages that hold models, clients and tables by the thousand, and nothing that acts."""


def codes(effects: set[Effect], skip: int, rest: int, fixed: bool) -> str:
    """Effects as text: each letter with the places of the arguments that decide it; *skip* of them are no arguments.

    ``0``…``9A``…``Z`` are places, ``*`` with a place all from there on, ``~`` what is given by name, ``@`` the object
    itself, ``-`` that nothing need be given.
    """
    places: dict[str, set[str]] = defaultdict(set)
    for letter, at in effects:
        if at == FIXED:
            text = "-" if fixed else ""
        elif at > REST:
            text = "~"
        elif at == REST:
            text = "*" + _DIGITS[min(max(rest - skip, 0), 35)]
        elif at < skip:
            text = "@"
        else:
            text = _DIGITS[min(at - skip, 35)]
        if text:
            places[letter].add(text)
    return "".join(letter + "".join(sorted(places[letter])) for letter in sorted(places))


_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def entries(graph: Graph, wanted: set[str]) -> Iterator[tuple[str, str, str]]:
    """(module, name, codes) of what is worth knowing."""
    for path, function in graph.functions.items():
        module = graph.home[path].name
        if module not in wanted:
            continue
        found = graph.reach.get(path, set())
        skip = 0 if function.kind in ("plain", "static") else 1
        text = codes({e for e in found if e[0] != "h"}, skip, len(function.params), fixed=True)
        last = function.name.rpartition(".")[2]
        if text and not (function.owner and last in ("__init__", "__new__", *_OBJECT)):
            yield module, function.name, text
        elif not function.owner and function.name.lstrip("_")[:1].isupper():
            yield module, function.name, "F" + text
    for path, cls in graph.classes.items():
        module = graph.home[path].name
        if module in wanted:
            yield from ((module, name, text) for name, text in _of_class(graph, path, cls.name))
    for name in wanted:
        for local, target in graph.modules[name].names.items():
            yield from _alias(graph, name, local, target)


def _of_class(graph: Graph, path: str, name: str) -> Iterator[tuple[str, str]]:
    new = _trimmed(graph.of_class(path, "__new__"))
    init = _trimmed(graph.of_class(path, "__init__"))
    for base in graph.order(path):
        letter, positions = SINKS.get(base, ("", ()))
        init |= {(letter, at + 1) for at in positions or range(8)} if letter else set()
    rest = max(len(graph.functions[m].params) if (m := graph.member(path, which)) in graph.functions else 1
               for which in ("__new__", "__init__"))  # fmt: skip
    both = codes(new | init, 1, rest, fixed=False)
    if both or ("." not in name and not name.lstrip("_")[:1].isupper()):
        yield name, "K" + both
    text = codes(new, 1, rest, fixed=False)
    if text:
        yield f"{name}.__new__", text
    for method in _OBJECT:
        found = {(letter, at) for letter, at in graph.of_class(path, method) if letter != "h" or at == 0}
        if method in ("__del__", "__call__", "__getattr__"):
            found = {effect for effect in found if effect[1] == 0}
        if method in ("__setitem__", "append", "extend", "add", "update"):
            found = {effect for effect in found if effect[0] != "h"}
        member = graph.member(path, method)
        length = len(graph.functions[member].params) if member in graph.functions else 1
        text = codes(found, 1, length, fixed=False)
        if text:
            yield f"{name}.{method}", text
    silent = {(letter, at) for method in _SILENT for letter, at in graph.of_class(path, method) if at == 0}
    text = codes({effect for effect in silent if effect[0] != "h"}, 1, 1, fixed=False)
    if text:
        yield f"{name}.__silent__", text


def _trimmed(effects: set[Effect]) -> set[Effect]:
    """A new object holds nothing but what it is given."""
    return {effect for effect in effects if effect[1] > 0}


def _alias(graph: Graph, module: str, local: str, target: str) -> Iterator[tuple[str, str, str]]:
    """A name under which *module* holds another module, or a function that acts, of the sensitive ones."""
    path = graph.find(target)
    if path == f"{module}.{local}":
        return
    if path.partition(".")[0] not in _SENSITIVE:
        # A package shows what its modules hold.
        if path.startswith(module + ".") and _acts(graph, path):
            yield module, local, ">" + path
        return
    if path in graph.modules or (path == target and "." not in path):
        if local.lstrip("_") != path:
            yield module, local, ">" + path
    elif _acts(graph, path):
        yield module, local, ">" + path


def _acts(graph: Graph, path: str) -> bool:
    if path in graph.classes:
        found = graph.of_class(path, "__init__") | graph.of_class(path, "__new__")
        return path in SINKS or any(letter != "h" and at > 0 for letter, at in found)
    return path in SINKS or any(letter != "h" for letter, _ in graph.reach.get(path, ()))


def merged(old: str, new: str) -> str:
    """Both texts' effects."""
    if old == new or new.startswith(">"):
        return old or new
    if old.startswith(">"):
        return new
    places: dict[str, set[str]] = defaultdict(set)
    marks = ""
    for text in (old, new):
        letter, at = "", 0
        while at < len(text):
            if text[at] in "KF" and not letter:
                marks = text[at]
            elif text[at].islower():
                letter = text[at]
                places[letter] = places[letter]
            elif text[at] == "*":
                places[letter].add(text[at : at + 2])
                at += 1
            else:
                places[letter].add(text[at])
            at += 1
    return marks + "".join(letter + "".join(sorted(places[letter])) for letter in sorted(places))


def main(out: Path, pythons: list[str], packages: list[str]) -> None:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    warnings.simplefilter("ignore")
    gc.disable()
    for python in pythons:
        _add(found, list(modules_of(Path(python))), [], python)
    base = list(modules_of(Path(pythons[0])))
    known = {module.name for module in base}
    for folder in packages:
        for tops in _portions(Path(folder)):
            modules = [module for module in modules_of(Path(folder), tops) if module.name not in known]
            known.update(module.name for module in modules)
            _add(found, modules, base, f"{folder}: {tops[0]} to {tops[-1]}")
    for path, (letter, positions) in SINKS.items():
        name, _, entry = path.rpartition(".")
        text = codes({(letter, at) for at in positions or (*range(8), FIXED)}, 0, 0, fixed=True)
        found[name][entry] = merged(found[name].get(entry, ""), text)
    for name, rows in found.items():
        if _LEFT_UNSAID.search(name):
            rows.clear()
        for entry in [entry for entry, text in rows.items() if _LEFT_UNSAID.search(entry + text)]:
            del rows[entry]
    lines = [
        name + "\t" + " ".join(f"{entry}={text}" for entry, text in sorted(rows.items()))
        for name, rows in sorted(found.items())
        if rows
    ]
    out.write_text("\n".join([f"# reaches {VERSION}", *lines, ""]), "utf-8")


def _add(found: dict[str, dict[str, str]], modules: list[Module], base: list[Module], what: str) -> None:
    graph = Graph([*base, *modules])
    for name, entry, text in entries(graph, {module.name for module in modules}):
        found[name][entry] = merged(found[name].get(entry, ""), text)
    print(f"{what}: {len(modules):,} modules, {len(graph.functions):,} functions", file=sys.stderr, flush=True)
    del graph
    gc.collect()


def _portions(folder: Path, size: int = 5000) -> Iterator[list[str]]:
    tops: list[str] = []
    count = 0
    for top in sorted(path.name for path in folder.iterdir() if path.suffix in ("", ".py")):
        more = sum(1 for _ in sources_of(folder, [top]))
        if more and count + more > size and tops:
            yield tops
            tops, count = [], 0
        if more:
            tops.append(top)
            count += more
    if tops:
        yield tops


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2].split(","), sys.argv[3:])

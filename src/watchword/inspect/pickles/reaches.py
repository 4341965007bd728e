"""What a function or class of Python or of a known package would do if it were called, and which arguments decide it.

* The data (``data/reaches.txt``) is derived from sources by ``benchmarks/inspect/derive``: every call graph is followed
  to where it runs code, imports by name, starts a process, reaches files or the network, or loads. So it does not
  matter on whose list a name stands, nor what is installed here.
* One line per module, sorted, found by binary search: nothing is parsed that is not asked for.
* An effect counts in a call only where an argument is given that decides it. ``pandas.DataFrame.to_json()`` gives a
  text; with a path it writes a file.
* A name that is in no line has no effect that the derivation could see. That is not the same as harmless.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from watchword.inspect.pickles.stdlib import STDLIB
from watchword.inspect.pickles.values import Container, Global, Made, Opaque, Persistent, Value

DATA = Path(__file__).parent / "data" / "reaches.txt"

WORDS = {
    "x": "runs code",
    "i": "imports by name",
    "p": "starts or signals a process",
    "f": "reaches files",
    "n": "opens network connections",
    "l": "loads another serialised object",
    "c": "loads a native library",
    "h": "calls what it is given",
}
"""Letter of the data → what it does, worst first."""

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Reach:
    """``mark`` is K for a class, F for a function that is named like a class, else empty. ``alias`` is a dotted name.

    ``places`` maps a letter to the places of deciding arguments: a digit or capital is a position, ``*`` with one all
    from there on, ``~`` anything given by name, ``@`` the object whose method it is, ``-`` nothing: it always acts.
    """

    mark: str
    alias: str
    places: dict[str, str]


@lru_cache(maxsize=8192)
def reach_of(module: str, name: str) -> Reach | None:
    """What is known of ``module.name``, also where *name* leads through submodules; None when nothing is."""
    steps = name.split(".")
    if len(steps) > 8 or len(module) > 200:
        return None
    for at in range(len(steps)):
        row = _row(".".join((module, *steps[:at])))
        text = row.get(".".join(steps[at:]))
        if text is not None:
            return _parsed(text)
        text = row.get(steps[at])
        if text is not None and text[0] == ">":
            return Reach("", ".".join((text[1:], *steps[at + 1 :])), {})
    return None


def decided(reach: Reach, args: Value, kwargs: Value, on_object: bool = False) -> str:
    """The letters of what *reach* does when it is given these arguments, worst first; empty when nothing decides.

    ``on_object``: it is the method of an object whose contents the file decides.
    """
    return "".join(
        letter for letter in WORDS if _decides(letter, reach.places.get(letter, ""), args, kwargs, on_object)
    )


def in_words(letters: str) -> str:
    """``starts or signals a process``."""
    return WORDS[letters[0]]


def _decides(letter: str, places: str, args: Value, kwargs: Value, on_object: bool) -> bool:
    if not places:
        return False
    if not isinstance(args, Container):
        return True  # what is not known decides
    at = 0
    while at < len(places):
        place = places[at]
        at += 1
        if place == "-" or (place == "@" and on_object):
            return True
        if place == "~" and kwargs is not None and (not isinstance(kwargs, Container) or kwargs.count):
            return True
        if place == "*":
            start = _DIGITS.index(places[at])
            at += 1
            if any(_given(letter, args, index) for index in range(start, min(args.count, start + 64))):
                return True
        elif place in _DIGITS and _given(letter, args, _DIGITS.index(place)):
            return True
    return False


def _given(letter: str, args: Container, index: int) -> bool:
    """Whether the argument is there and of a kind that can decide: a text or an object, not a number or None."""
    if index >= args.count:
        return False
    if index >= len(args.items):
        return True
    value = args.items[index]
    if letter == "h":
        if isinstance(value, Global):
            return value.module != "builtins" and not value.name.rpartition(".")[2].lstrip("_")[:1].isupper()
        return isinstance(value, Opaque | Persistent) or (isinstance(value, Made) and not _is_object(value))
    if isinstance(value, Container):
        return value.count > 0
    if letter in "xi" and isinstance(value, Made | Global):
        return not isinstance(value, Made) or not _is_object(value)  # code and names are texts
    return value is not None and value != "" and type(value) not in (bool, int, float)


def _is_object(value: Made) -> bool:
    """True for an object of a framework's class, by its name. Python's own, and what functions return, can be code."""
    if not isinstance(value.callee, Global) or value.callee.module.partition(".")[0] in STDLIB:
        return False
    return value.callee.name.rpartition(".")[2].lstrip("_")[:1].isupper()


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Reach:
    if text[0] == ">":
        return Reach("", text[1:], {})
    mark = text[0] if text[0] in "KF" else ""
    places: dict[str, str] = {}
    letter = ""
    for char in text[len(mark) :]:
        if char.islower():
            letter = char
            places[letter] = ""
        else:
            places[letter] += char
    return Reach(mark, "", places)


@lru_cache(maxsize=4096)
def _row(module: str) -> dict[str, str]:
    """The entries of one module; none for a module that has no line."""
    data = _data()
    key = module.encode(errors="replace")
    low, high = 0, len(data)
    while low < high:
        start = data.rfind(b"\n", low, (low + high) // 2) + 1 or low
        end = data.find(b"\n", start)
        tab = data.find(b"\t", start, end)
        found = data[start:tab] if tab > 0 else b""  # the first line, which names the version, has none
        if found == key and tab > 0:
            entries = data[tab + 1 : end].decode().split(" ")
            return dict(entry.split("=", 1) for entry in entries)
        if found < key:
            low = end + 1
        else:
            high = start
    return {}


@lru_cache(maxsize=1)
def _data() -> mmap.mmap:
    with DATA.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

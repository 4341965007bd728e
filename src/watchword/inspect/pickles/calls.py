"""What a call or a write in a pickle amounts to: it reaches something, is unknown, is given away by arguments.

Judged by use:

* NEWOBJ and ``copyreg`` construct a class without calling its ``__init__``: with data, that is how models look.
* A REDUCE of a class calls it: fine with plain data, a finding with code, commands, URLs or paths of a machine.
* A REDUCE of a function that is in no table is a finding: loading a model has no need of it.
* What acts by the derived data (``reaches.py``) is dangerous where the arguments given decide what it does: also the
  constructor of a class, and the methods that loading runs of an object that it has made.
* A callee that is itself computed is followed through partials and getters, and otherwise a finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from watchword.inspect.pickles.denied import EXECUTING_WORDS, FILE_WORDS
from watchword.inspect.pickles.reaches import Reach, decided, in_words, reach_of
from watchword.inspect.pickles.shapes import SHAPES, class_of, followed, telling
from watchword.inspect.pickles.standing import Standing, standing
from watchword.inspect.pickles.values import Call, Container, Global, Made, Opaque, Value, Write, arguments, readable


@dataclass(frozen=True, slots=True)
class Reached:
    """A call that reaches code execution, a process, a file, the network or another loader.

    ``why`` is empty where the name says it.
    """

    call: Call
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class UnknownCall:
    """A call of something that no table knows and that is no plain class, or that is computed."""

    call: Call
    name: str
    what: str


@dataclass(frozen=True, slots=True)
class Telling:
    """A call whose arguments give it away, or do not have the shape that an honest one has."""

    call: Call
    name: str
    what: str


@dataclass(frozen=True, slots=True)
class Tampering:
    """A write to something imported: it changes the program that loads, not the object that is loaded."""

    write: Write
    name: str


Ruling = Reached | UnknownCall | Telling

_BAD = ("denied", "walk", "executing", "reference")

_RUN_BY = {
    "BUILD": ("__setstate__", "__getattr__", "__del__"),
    "APPENDS": ("extend", "append"),
    "SETITEMS": ("__setitem__",),
    "ADDITEMS": ("update", "add"),
}
"""The methods of an object that a write runs, at once or (``__del__``) with what it has stored."""


def rule_on(call: Call) -> Ruling | None:
    """What *call* amounts to; None when it is how honest objects are rebuilt."""
    target, trail, first = followed(call.callee)
    if not isinstance(target, Global):
        return _rule_on_computed(call, target)
    if trail and isinstance(call.args, Container):
        whole = Container("tuple", (*first, *call.args.items), len(first) + call.args.count)
        call = Call(call.callee, whole, call.kwargs, call.how, call.offset)
    how = standing(target)
    name = trail + target.path
    if how.kind in _BAD:
        return Reached(call, name, "" if how.kind == "denied" else how.what)
    if target.dynamic:
        return UnknownCall(call, name, "its name is computed while loading")
    if how.kind == "allowed":
        return (
            _rule_on_allowed(call, name, how, trail) or _acts(call, target, how, trail) or _rule_on_meant(call, target)
        )
    acted = _acts(call, target, how, trail)
    if acted is not None:
        return acted
    if call.how in ("NEWOBJ", "NEWOBJ_EX"):
        if how.stdlib and how.kind == "function":
            return UnknownCall(call, name, "an iterator or descriptor that runs what it is given when it is used")
        return None
    if how.kind == "function":
        return UnknownCall(call, name, "a function that no known framework needs to rebuild its objects")
    if how.stdlib:
        return UnknownCall(call, name, "a class of the standard library that models do not use")
    what = telling(call.args) or telling(call.kwargs)
    if not what and isinstance(call.args, Container) and call.args.count > len(call.args.items):
        what = "more arguments than are followed"
    return Telling(call, name, f"is given {what}") if what else None


def rule_on_write(write: Write) -> Tampering | Reached | None:
    """A write to an imported thing, or to an attribute taken from one; a method that acts; None for plain state."""
    target = write.target
    if isinstance(target, Global):
        return Tampering(write, target.path)
    if not isinstance(target, Made):
        return None
    if isinstance(target.callee, Global) and target.callee.name.rpartition(".")[2] in ("getattr", "type", "__dict__"):
        return Tampering(write, readable(target, 80))
    if any(name.startswith("__") and name.endswith("__") for name in _set_one_by_one(write)):
        return Tampering(write, "what an object is")
    cls = class_of(target)
    if cls is None:
        return None
    for method, reach in (*_methods(cls.module, cls.name, write.how), *_setters(cls, write)):
        args = write.state if write.how != "BUILD" else Container("tuple", (write.state,), 1)
        letters = decided(reach, args, None, on_object=True).replace("h", "")
        if letters:
            run = Global(cls.module, f"{cls.name}.{method}")
            called = Call(run, Container("tuple", (target, write.state), 2), None, "REDUCE", write.offset)
            return Reached(called, run.path, in_words(letters))
    return None


def _setters(cls: Global, write: Write) -> list[tuple[str, Reach]]:
    """What setting attributes one by one runs: the second half of a state of two is set so, and meets properties."""
    names = _set_one_by_one(write)
    found = [(name, reach_of(cls.module, f"{cls.name}.{name}")) for name in ("__setattr__", *names) if names]
    return [(name, reach) for name, reach in found if reach is not None]


def _set_one_by_one(write: Write) -> list[str]:
    """The names of a state's second half: for slots, and set with ``setattr``."""
    state = arguments(write.state)
    if write.how != "BUILD" or len(state) != 2 or not isinstance(state[1], Container) or state[1].kind != "dict":
        return []
    return [name for name in state[1].items[:64:2] if isinstance(name, str)]


@lru_cache(maxsize=4096)
def _methods(module: str, name: str, how: str) -> tuple[tuple[str, Reach], ...]:
    found = ((method, reach_of(module, f"{name}.{method}")) for method in _RUN_BY[how])
    return tuple((method, reach) for method, reach in found if reach is not None)


def _acts(call: Call, target: Global, how: Standing, trail: str) -> Ruling | None:
    """What the derived data say of a call with these arguments."""
    reach = how.reach
    if call.how in ("NEWOBJ", "NEWOBJ_EX"):
        reach = reach_of(target.module, f"{target.name}.__new__")
    if reach is None:
        return None
    letters = decided(reach, call.args, call.kwargs)
    if letters.replace("h", ""):
        return Reached(call, trail + target.path, in_words(letters))
    return UnknownCall(call, trail + target.path, "calls what it is given") if letters else None


def _rule_on_allowed(call: Call, name: str, how: Standing, trail: str) -> Ruling | None:
    if trail and how.shape != "any":
        return UnknownCall(call, name, "called through a partial, so its arguments are not all known")
    wrong = SHAPES[how.shape](call.args, call.kwargs)
    if wrong is None:
        return None
    return Reached(call, name, wrong.what) if wrong.dangerous else Telling(call, name, wrong.what)


def _rule_on_meant(call: Call, target: Global) -> Ruling | None:
    """An allowed call that stands for another, or that uses an object whose own methods act."""
    given = arguments(call.args)
    meant = None
    if target.path in ("copyreg._reconstructor", "copy_reg._reconstructor") and len(given) > 2:
        meant = Call(given[1], Container("tuple", given[2:], 1), None, "REDUCE", call.offset)
    elif target.path == "copyreg.__newobj__" and given:
        meant = Call(given[0], Container("tuple", given[1:], len(given) - 1), None, "NEWOBJ", call.offset)
    elif target.path == "copyreg.__newobj_ex__" and len(given) > 2:
        meant = Call(given[0], given[1], given[2], "NEWOBJ_EX", call.offset)
    elif target.path == "dill._dill._create_array" and len(given) > 1:
        meant = Call(given[0], given[1], None, "REDUCE", call.offset)
    elif target.name.startswith("_rebuild_from_type") and len(given) > 2:
        meant = Call(given[0], given[2], None, "REDUCE", call.offset)
    if meant is not None:
        return rule_on(meant)
    for value in given:
        cls = class_of(value) if isinstance(value, Made) else None
        reach = reach_of(cls.module, f"{cls.name}.__silent__") if cls is not None else None
        if cls is not None and reach is not None and decided(reach, call.args, None, on_object=True):
            letters = decided(reach, call.args, None, on_object=True)
            return Reached(
                call, target.path, f"uses an object of {cls.path}, which {in_words(letters)} when it is used"
            )
    return None


def _rule_on_computed(call: Call, target: Value) -> Ruling | None:
    """A callee that is the result of a call, an object, or unknown."""
    if isinstance(target, Made) and isinstance(target.callee, Global):
        name = readable(target, 80)
        getter = target.callee.name.rpartition(".")[2]
        if getter in ("getattr", "attrgetter", "methodcaller"):
            words = [part for text in _names(target.args) for part in text.split(".")]
            reached = [word for word in words if word in EXECUTING_WORDS or word in FILE_WORDS]
            if reached:
                return Reached(call, name, f"calls {reached[0]}, taken from an object while loading")
            if getter == "getattr":
                return _rule_on_method(call, target, name)
        cls = class_of(target)
        reach = reach_of(cls.module, f"{cls.name}.__call__") if cls is not None else None
        if reach is not None and decided(reach, call.args, call.kwargs, on_object=True):
            return Reached(call, name, in_words(decided(reach, call.args, call.kwargs, on_object=True)))
        return UnknownCall(call, name, "calls what another call has returned")
    if isinstance(target, Made | Opaque):
        return UnknownCall(call, readable(target, 80), "calls something computed while loading")
    # A constant or a container cannot be called: a loader stops here with an error.
    return None


def _rule_on_method(call: Call, target: Made, name: str) -> Ruling | None:
    """A call of ``getattr(x, name)``: a class method of a plain class is a constructor by another name."""
    given = arguments(target.args)
    owner = given[0] if given else None
    method = given[1] if len(given) > 1 and isinstance(given[1], str) else ""
    if isinstance(owner, Made):
        cls = class_of(owner)
        reach = reach_of(cls.module, f"{cls.name}.{method}") if cls is not None else None
        letters = decided(reach, call.args, call.kwargs, on_object=True) if reach is not None else ""
        if letters.replace("h", ""):
            return Reached(call, name, in_words(letters))
    if isinstance(owner, Global):
        inside = standing(Global(owner.module, f"{owner.name}.{method}"))
        if inside.kind in _BAD:
            return Reached(call, name, inside.what)
        letters = decided(inside.reach, call.args, call.kwargs) if inside.reach is not None else ""
        if letters.replace("h", ""):
            return Reached(call, name, in_words(letters))
        if call.how in ("NEWOBJ", "NEWOBJ_EX") or (inside.kind == "allowed" and inside.shape == "any"):
            return None
    return UnknownCall(call, name, "calls a method taken from an object while loading")


def _names(args: Value) -> list[str]:
    return [value for value in arguments(args) if isinstance(value, str)]

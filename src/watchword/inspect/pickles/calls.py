"""What a call in a pickle amounts to: it reaches something denied, is unknown, is given away by arguments, or nothing.

Judged by use:

* NEWOBJ and ``copyreg`` construct a class without calling its ``__init__``: with data, that is how models look.
* A REDUCE of a class calls it: fine with plain data, a finding with code, commands, URLs or paths of a machine.
* A REDUCE of a function that is in no table is a finding: loading a model has no need of it.
* A callee that is itself computed is followed through partials and getters, and otherwise a finding.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchword.inspect.pickles.denied import EXECUTING_WORDS, FILE_WORDS
from watchword.inspect.pickles.shapes import SHAPES, target_of, telling
from watchword.inspect.pickles.standing import Standing, standing
from watchword.inspect.pickles.values import Call, Global, Made, Opaque, Value, Write, arguments, readable


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


def rule_on(call: Call) -> Ruling | None:
    """What *call* amounts to; None when it is how honest objects are rebuilt."""
    target, trail = target_of(call.callee)
    if not isinstance(target, Global):
        return _rule_on_computed(call, target)
    how = standing(target)
    name = trail + target.path
    if how.kind in _BAD:
        return Reached(call, name, "" if how.kind == "denied" else how.what)
    if target.dynamic:
        return UnknownCall(call, name, "its name is computed while loading")
    if how.kind == "allowed":
        return _rule_on_allowed(call, name, how, trail)
    if call.how in ("NEWOBJ", "NEWOBJ_EX"):
        return None
    if how.kind == "function":
        return UnknownCall(call, name, "a function that no known framework needs to rebuild its objects")
    if how.stdlib:
        return UnknownCall(call, name, "a class of the standard library that models do not use")
    what = telling(call.args) or telling(call.kwargs)
    return Telling(call, name, f"is given {what}") if what else None


def tampering(write: Write) -> Tampering | None:
    """A write to an imported thing, or to an attribute taken from one; None for the state of an object."""
    if isinstance(write.target, Global):
        return Tampering(write, write.target.path)
    if isinstance(write.target, Made) and isinstance(write.target.callee, Global):
        given = arguments(write.target.args)
        if write.target.callee.name.endswith(("getattr", "__dict__")) and given and isinstance(given[0], Global):
            return Tampering(write, readable(write.target, 80))
    return None


def _rule_on_allowed(call: Call, name: str, how: Standing, trail: str) -> Ruling | None:
    if trail and how.shape != "any":
        return UnknownCall(call, name, "called through a partial, so its arguments are not all known")
    wrong = SHAPES[how.shape](call.args, call.kwargs)
    if wrong is None:
        return None
    return Reached(call, name, wrong.what) if wrong.dangerous else Telling(call, name, wrong.what)


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
        return UnknownCall(call, name, "calls what another call has returned")
    if isinstance(target, Made | Opaque):
        return UnknownCall(call, readable(target, 80), "calls something computed while loading")
    # A constant or a container cannot be called: a loader stops here with an error.
    return None


def _rule_on_method(call: Call, target: Made, name: str) -> Ruling | None:
    """A call of ``getattr(x, name)``: a class method of a plain class is a constructor by another name."""
    owner = arguments(target.args)[:1]
    if owner and isinstance(owner[0], Global):
        method = arguments(target.args)[1] if len(arguments(target.args)) > 1 else ""
        inside = standing(Global(owner[0].module, f"{owner[0].name}.{method}"))
        if inside.kind in _BAD:
            return Reached(call, name, inside.what)
        if call.how in ("NEWOBJ", "NEWOBJ_EX") or (inside.kind == "allowed" and inside.shape == "any"):
            return None
    return UnknownCall(call, name, "calls a method taken from an object while loading")


def _names(args: Value) -> list[str]:
    return [value for value in arguments(args) if isinstance(value, str)]

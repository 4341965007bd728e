"""The opcodes of protocols 0 to 5, and the loop that runs them (PEP 307, 3154, 574; stack discipline of ``_pickle.c``).

joblib puts raw array bytes between opcodes; a machine with ``joblib`` set passes over them as joblib would
(``arrays.py``). A plain unpickler would run them as opcodes, so a judge looks at such a stream both ways.
"""

from __future__ import annotations

import codecs
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from watchword.inspect.pickles.arrays import UnknownSize, array_bytes, is_array_wrapper, wraps_objects
from watchword.inspect.pickles.machine import HEAD, Broken, Limit, Machine, decode
from watchword.inspect.pickles.reader import Ended, Reader
from watchword.inspect.pickles.values import Blob, Container, Global, Made, Opaque, Value, readable
from watchword.limits import PICKLE_OPS_MAX, PICKLE_STACK_MAX, PICKLE_TEXT_BYTES_MAX

_WITHOUT_TEXTS = frozenset({"catboost", "lightgbm", "pandas", "scipy", "sklearn", "statsmodels", "torch", "xgboost"})
_CLASS = re.compile(r"[A-Z]\w*[a-z]\w*")


class _Stopped(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one pickle ended: ``how`` is stop, ended (cut off), broken or limit. Offsets are absolute; ``ops`` counts."""

    start: int
    end: int
    how: str
    why: str
    protocol: int
    ops: int


def run(m: Machine, reader: Reader) -> Outcome:
    """Run one pickle from where *reader* stands; leaves it after the STOP, or where the stream broke."""
    m.reset()
    m.reader = reader
    reader.frame_end = 0
    start = at = reader.tell()
    table, stack, how, why, ops = TABLE, m.stack, "limit", f"more than {PICKLE_OPS_MAX:,} opcodes", 0
    try:
        for ops in range(1, m.ops_left + 1):  # noqa: B007 - counted, and needed after the loop
            here = reader.at
            at = reader.base + here
            if here < len(reader.buffer):  # as reader.byte(), without the call: this is the inner loop
                reader.at = here + 1
                operation = table[reader.buffer[here]]
            else:
                operation = table[reader.byte()]
            if operation is None:
                reader.seek(reader.tell() - 1)
                raise Broken("not an opcode")
            operation(m)
            if at < reader.frame_end < reader.base + reader.at and m.crossed is None:
                m.crossed = at
            if len(stack) > PICKLE_STACK_MAX:
                raise Limit(f"more than {PICKLE_STACK_MAX:,} values on the stack")
    except _Stopped:
        how, why = "stop", ""
    except Ended:
        how, why = "ended", "the stream is cut off"
        reader.seek(reader.source.size)
    except Broken as error:
        how, why = "broken", str(error)
    except Limit as error:
        how, why = "limit", str(error)
    if at < reader.frame_end < reader.tell() and m.crossed is None:
        m.crossed = at
    m.ops_left -= ops
    return Outcome(start, reader.tell(), how, why, m.protocol, ops)


def _op_stop(m: Machine) -> None:
    m.result = m.pop()
    raise _Stopped


def _op_pop(m: Machine) -> None:
    if m.marks and m.marks[-1] == len(m.stack):
        m.pop_mark()
    else:
        m.pop()


def _op_pop_mark(m: Machine) -> None:
    m.pop_mark()


def _op_proto(m: Machine) -> None:
    m.protocol = m.reader.byte()
    if m.protocol > 5:
        raise Broken(f"protocol {m.protocol} does not exist")


def _op_int(m: Machine) -> None:
    text, whole = m.line()
    if text in ("00", "01"):
        m.stack.append(text == "01")
        return
    _push_number(m, text.rstrip("L") if text.endswith("L") else text, whole)


def _push_number(m: Machine, text: str, whole: bool) -> None:
    stripped = text.strip()
    if not stripped.lstrip("+-").replace("_", "").isalnum():
        raise Broken("not a number")
    try:
        m.stack.append(int(stripped, 0) if whole and len(stripped) <= 40 else Opaque("int"))
    except ValueError:
        try:
            m.stack.append(int(stripped))
        except ValueError:
            raise Broken("not a number") from None


def _op_float(m: Machine) -> None:
    text, _ = m.line()
    try:
        m.stack.append(float(text))
    except ValueError:
        raise Broken("not a number") from None


def _op_string(m: Machine) -> None:
    data, length = m.reader.line(PICKLE_TEXT_BYTES_MAX)
    data = data.rstrip(b" \t\r") if length <= PICKLE_TEXT_BYTES_MAX else data
    if len(data) < 2 or data[0] not in b"'\"" or (length <= PICKLE_TEXT_BYTES_MAX and data[-1] != data[0]):
        raise Broken("a string without quotes")
    if length > PICKLE_TEXT_BYTES_MAX:
        m.stack.append(Blob("str", length, data[1:HEAD].decode("latin-1"), None))
        return
    try:
        m.stack.append(decode(codecs.escape_decode(data[1:-1])[0], "utf-8"))
    except ValueError:
        raise Broken("a string with a bad escape") from None


def _op_unicode(m: Machine) -> None:
    data, length = m.reader.line(PICKLE_TEXT_BYTES_MAX)
    try:
        if length > PICKLE_TEXT_BYTES_MAX:
            m.stack.append(Blob("str", length, data[:HEAD].decode("raw-unicode-escape", "replace"), None))
        else:
            m.stack.append(data.decode("raw-unicode-escape"))
    except UnicodeDecodeError:
        raise Broken("a string with a bad escape") from None


def _op_long(m: Machine, length: int) -> None:
    if length < 0:
        raise Broken("a number of negative length")
    if length <= 16:
        m.stack.append(int.from_bytes(m.reader.take(length), "little", signed=True))
    else:
        m.reader.skip(length)
        m.stack.append(Opaque("int"))


def _sized(m: Machine, code: str) -> int:
    length: int = struct.unpack(code, m.reader.take(struct.calcsize(code)))[0]
    if length < 0:
        raise Broken("a negative length")
    return length


def _import_named(m: Machine) -> Value:
    """Import what the next two lines name. At the end of a stream CPython's Python unpickler reads empty lines."""
    at = m.reader.tell() - 1
    lines = []
    for _ in range(2):
        try:
            lines.append(m.line())
        except Ended:
            lines.append(("", True))
    (module, whole), (name, whole_too) = lines
    return m.import_(module, name, at, dynamic=not (whole and whole_too))


def _op_global(m: Machine) -> None:
    m.stack.append(_import_named(m))


def _op_stack_global(m: Machine) -> None:
    at = m.reader.tell() - 1
    name, module = m.pop(), m.pop()
    if type(name) is str and type(module) is str:
        m.stack.append(m.import_(module, name, at))
    else:
        # A class where a name should be stops CPython, and does so where joblib's array bytes are read as opcodes. In
        # the first reading that is not relied on: what is named like a class may be a text.
        if m.second and (_no_text(name) or _no_text(module)):
            raise Broken("a class where a name should be")
        # A name that is the result of a call can be anything.
        m.stack.append(m.import_(readable(module, 80), readable(name, 80), at, dynamic=True))


def _no_text(value: Value) -> bool:
    """True for what is surely no text: an imported class, or an object of a framework that has no texts of its own."""
    if isinstance(value, Made) and value.how == "NEWOBJ" and isinstance(value.callee, Global):
        return value.callee.module.partition(".")[0] in _WITHOUT_TEXTS
    return isinstance(value, Global) and _CLASS.fullmatch(value.name) is not None


def _op_reduce(m: Machine) -> None:
    at = m.reader.tell() - 1
    args, callee = m.pop(), m.pop()
    m.stack.append(m.call(callee, args, None, "REDUCE", at))


def _op_newobj(m: Machine) -> None:
    at = m.reader.tell() - 1
    args, cls = m.pop(), m.pop()
    m.stack.append(m.call(cls, args, None, "NEWOBJ", at))


def _op_newobj_ex(m: Machine) -> None:
    at = m.reader.tell() - 1
    kwargs, args, cls = m.pop(), m.pop(), m.pop()
    m.stack.append(m.call(cls, args, kwargs, "NEWOBJ_EX", at))


def _op_inst(m: Machine) -> None:
    at = m.reader.tell() - 1
    cls = _import_named(m)  # CPython's Python unpickler imports before it looks for the mark
    args = m.container("tuple", m.pop_mark())
    m.stack.append(m.call(cls, args, None, "INST", at))


def _op_obj(m: Machine) -> None:
    at = m.reader.tell() - 1
    items = m.pop_mark()
    if not items:
        raise Broken("OBJ without a class")
    m.stack.append(m.call(items[0], m.container("tuple", items[1:]), None, "OBJ", at))


def _op_build(m: Machine) -> None:
    at = m.reader.tell() - 1
    state, target = m.pop(), m.top()
    m.write(target, state, at)
    if isinstance(target, Made):
        target.state = state
        if m.joblib and is_array_wrapper(target):
            m.stack[-1] = Opaque("ndarray")
            _skip_array(m, target)


def _skip_array(m: Machine, wrapper: Made) -> None:
    """Pass over the array bytes that joblib reads after this wrapper; object arrays are a pickle of their own."""
    at = m.reader.tell()
    if at >= m.reader.frame_end:
        m.reader.frame_end = 0  # joblib closes the frame before the array
    if wraps_objects(wrapper):
        inner = Machine(m.on_event)
        inner.ops_left = m.ops_left
        inner.globals = m.globals
        outcome = run(inner, m.reader)
        m.ops_left -= outcome.ops
        if outcome.how != "stop":
            raise (Limit if outcome.how == "limit" else Broken)(f"inside an array of objects: {outcome.why}")
        return
    try:
        alignment, length = array_bytes(wrapper)
    except UnknownSize as error:
        raise Limit(f"the size of an array is not known: {error}") from None
    if alignment:
        m.reader.skip(m.reader.byte())
    m.reader.skip(length)
    m.arrays.append((at, m.reader.tell()))


def _add(m: Machine, target: Value, items: list[Value], how: str) -> None:
    """*how* is APPENDS, SETITEMS or ADDITEMS: on anything but a plain container this runs a method: a write."""
    if isinstance(target, Container):
        m.extend(target, items)
    elif isinstance(target, Global | Made):
        m.write(target, m.container("list", items), m.reader.tell() - 1, how)


def _op_append(m: Machine) -> None:
    item = m.pop()
    _add(m, m.top(), [item], "APPENDS")


def _op_setitem(m: Machine) -> None:
    value, key = m.pop(), m.pop()
    _add(m, m.top(), [key, value], "SETITEMS")


def _op_adds(m: Machine, how: str) -> None:
    items = m.pop_mark()
    _add(m, m.top(), items, how)


def _op_tuple(m: Machine, count: int) -> None:
    at = len(m.stack) - count
    if at < m.fence:
        raise Broken("takes a value from an empty stack")
    items = m.stack[at:]
    del m.stack[at:]
    m.stack.append(m.container("tuple", items))


def _op_put(m: Machine, index: int) -> None:
    if index < 0:
        raise Broken("a negative memo index")
    m.remember(index, m.top())


def _op_bytearray(m: Machine) -> None:
    m.reader.skip(_sized(m, "<Q"))
    m.stack.append(Opaque("bytearray"))


def _op_frame(m: Machine) -> None:
    within = m.reader.frame_end > m.reader.tell()
    length = _sized(m, "<Q")
    if within and m.crossed is None:
        m.crossed = m.reader.tell()
    m.reader.frame(length)


def _op_readonly(m: Machine) -> None:
    m.top()


def _u1(m: Machine) -> int:
    return m.reader.byte()


def _u4(m: Machine) -> int:
    return int.from_bytes(m.reader.take(4), "little")


_OPERATIONS: dict[int, Callable[[Machine], None]] = {
    ord("("): Machine.mark,
    ord("."): _op_stop,
    ord("0"): _op_pop,
    ord("1"): _op_pop_mark,
    ord("2"): lambda m: m.stack.append(m.top()),
    ord("F"): _op_float,
    ord("I"): _op_int,
    ord("J"): lambda m: m.stack.append(int.from_bytes(m.reader.take(4), "little", signed=True)),
    ord("K"): lambda m: m.stack.append(m.reader.byte()),
    ord("L"): _op_int,
    ord("M"): lambda m: m.stack.append(int.from_bytes(m.reader.take(2), "little")),
    ord("N"): lambda m: m.stack.append(None),
    ord("P"): lambda m: m.persistent(m.line()[0]),
    ord("Q"): lambda m: m.persistent(m.pop()),
    ord("R"): _op_reduce,
    ord("S"): _op_string,
    ord("T"): lambda m: m.stack.append(m.text(_sized(m, "<i"), "latin-1")),
    ord("U"): lambda m: m.stack.append(m.text(_u1(m), "latin-1")),
    ord("V"): _op_unicode,
    ord("X"): lambda m: m.stack.append(m.text(_sized(m, "<I"))),
    ord("a"): _op_append,
    ord("b"): _op_build,
    ord("c"): _op_global,
    ord("d"): lambda m: m.stack.append(m.container("dict", m.pop_mark())),
    ord("}"): lambda m: m.stack.append(m.container("dict", [])),
    ord("e"): lambda m: _op_adds(m, "APPENDS"),
    ord("g"): lambda m: m.stack.append(m.recall(m.number())),
    ord("h"): lambda m: m.stack.append(m.recall(_u1(m))),
    ord("i"): _op_inst,
    ord("j"): lambda m: m.stack.append(m.recall(_u4(m))),
    ord("l"): lambda m: m.stack.append(m.container("list", m.pop_mark())),
    ord("]"): lambda m: m.stack.append(m.container("list", [])),
    ord("o"): _op_obj,
    ord("p"): lambda m: _op_put(m, m.number()),
    ord("q"): lambda m: _op_put(m, _u1(m)),
    ord("r"): lambda m: _op_put(m, _u4(m)),
    ord("s"): _op_setitem,
    ord("t"): lambda m: m.stack.append(m.container("tuple", m.pop_mark())),
    ord(")"): lambda m: m.stack.append(m.container("tuple", [])),
    ord("u"): lambda m: _op_adds(m, "SETITEMS"),
    ord("G"): lambda m: m.stack.append(struct.unpack(">d", m.reader.take(8))[0]),
    ord("B"): lambda m: m.stack.append(m.bytes_(_sized(m, "<I"))),
    ord("C"): lambda m: m.stack.append(m.bytes_(_u1(m))),
    0x80: _op_proto,
    0x81: _op_newobj,
    0x82: lambda m: m.extension(_u1(m)),
    0x83: lambda m: m.extension(_sized(m, "<H")),
    0x84: lambda m: m.extension(_sized(m, "<i")),
    0x85: lambda m: _op_tuple(m, 1),
    0x86: lambda m: _op_tuple(m, 2),
    0x87: lambda m: _op_tuple(m, 3),
    0x88: lambda m: m.stack.append(True),
    0x89: lambda m: m.stack.append(False),
    0x8A: lambda m: _op_long(m, _u1(m)),
    0x8B: lambda m: _op_long(m, _sized(m, "<i")),
    0x8C: lambda m: m.stack.append(m.text(_u1(m))),
    0x8D: lambda m: m.stack.append(m.text(_sized(m, "<Q"))),
    0x8E: lambda m: m.stack.append(m.bytes_(_sized(m, "<Q"))),
    0x8F: lambda m: m.stack.append(m.container("set", [])),
    0x90: lambda m: _op_adds(m, "ADDITEMS"),
    0x91: lambda m: m.stack.append(m.container("frozenset", m.pop_mark())),
    0x92: _op_newobj_ex,
    0x93: _op_stack_global,
    0x94: lambda m: m.remember(m.memo_count, m.top()),
    0x95: _op_frame,
    0x96: _op_bytearray,
    0x97: lambda m: m.stack.append(Opaque("buffer")),
    0x98: _op_readonly,
}
TABLE: list[Callable[[Machine], None] | None] = [_OPERATIONS.get(code) for code in range(256)]

OPCODES = frozenset(_OPERATIONS)
"""The bytes that begin an opcode."""

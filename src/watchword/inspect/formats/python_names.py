"""What the names and constants of a Python source stand for, worked out on its syntax tree; nothing is run.

* An imported name, an alias, ``getattr``, ``__import__``, ``sys.modules[...]`` and ``m.__dict__[...]`` with a text that
  can be worked out all lead to one dotted path (``os.system``). A call is written ``callee()`` in it.
* Texts are folded as the program would: joins, slices, ``chr``, formats, and the decoders of the standard library.
* Bounded: depth, size of a folded value, one answer per name. What cannot be worked out is None or stays a bare name.
"""

from __future__ import annotations

import ast
import base64
import binascii
import builtins
import bz2
import codecs
import lzma
import zlib
from collections.abc import Callable
from typing import Any

from watchword.limits import PYTHON_FOLD_BYTES_MAX, PYTHON_FOLD_DEPTH_MAX, PYTHON_STEPS_MAX

_BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_")) | {"__import__", "get_ipython"}

DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "base64.b64decode": lambda data: base64.b64decode(data + b"=" * (-len(data) % 4)),
    "base64.urlsafe_b64decode": lambda data: base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4)),
    "base64.standard_b64decode": base64.standard_b64decode,
    "base64.decodebytes": base64.decodebytes,
    "base64.b32decode": base64.b32decode,
    "base64.b16decode": lambda data: base64.b16decode(data, casefold=True),
    "base64.b85decode": base64.b85decode,
    "base64.a85decode": base64.a85decode,
    "binascii.unhexlify": binascii.unhexlify,
    "binascii.a2b_hex": binascii.unhexlify,
    "binascii.a2b_base64": binascii.a2b_base64,
    "builtins.bytes.fromhex": lambda data: bytes.fromhex(data.decode()),
    "builtins.bytearray.fromhex": lambda data: bytes.fromhex(data.decode()),
    "zlib.decompress": lambda data: _unpacked(zlib.decompressobj(), data),
    "gzip.decompress": lambda data: _unpacked(zlib.decompressobj(31), data),
    "bz2.decompress": lambda data: bz2.BZ2Decompressor().decompress(data, PYTHON_FOLD_BYTES_MAX),
    "lzma.decompress": lambda data: lzma.LZMADecompressor(memlimit=1 << 26).decompress(data, PYTHON_FOLD_BYTES_MAX),
}
"""Decoders of the standard library, by path. Bytes in, bytes out, never more than PYTHON_FOLD_BYTES_MAX."""

_METHODS = frozenset(
    "lower upper strip lstrip rstrip replace encode decode format join removeprefix removesuffix".split()  # noqa: SIM905
)


def _unpacked(machine: Any, data: bytes) -> bytes:
    return bytes(machine.decompress(data, PYTHON_FOLD_BYTES_MAX))


class Names:
    """The bindings of one source, wherever in it they are made."""

    def __init__(self, tree: ast.AST) -> None:
        self.imports: dict[str, str] = {}
        self.stars: list[str] = []
        self.bound: dict[str, list[ast.expr]] = {}
        self.functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda] = {}
        self.classes: dict[str, ast.ClassDef] = {}
        self.modules: set[str] = set()
        self.steps_left = PYTHON_STEPS_MAX
        self._paths: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        self._path_of: dict[int, str] = {}
        self._value_of: dict[int, Any] = {}
        for node in ast.walk(tree):
            self._learn(node)
        self.roots = {path.partition(".")[0] for path in self.imports.values()}

    def _learn(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self.modules.add(alias.name)
                self.imports[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            self.modules.add(node.module)
            for alias in node.names:
                if alias.name == "*":
                    self.stars.append(node.module)
                else:
                    self.imports[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr | ast.AugAssign) and node.value is not None:
            self._bind(node.target, node.value)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._bind(node.optional_vars, node.context_expr)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self.functions.setdefault(node.name, node)
        elif isinstance(node, ast.ClassDef):
            self.classes.setdefault(node.name, node)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            if isinstance(value, ast.Lambda):
                self.functions.setdefault(target.id, value)
            values = self.bound.setdefault(target.id, [])
            if len(values) < 8:
                values.append(value)
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            for one, its in zip(target.elts, value.elts, strict=True):
                self._bind(one, its)

    # -- paths ------------------------------------------------------------------------------------

    def path(self, node: ast.expr, depth: int = 0) -> str:
        """The dotted path that *node* leads to; an empty text for what leads nowhere."""
        self.steps_left -= 1
        if depth > PYTHON_FOLD_DEPTH_MAX or self.steps_left < 0:
            return ""
        if isinstance(node, ast.Name):
            return self._named(node.id, depth)
        if isinstance(node, ast.Attribute):
            base = self.path(node.value, depth + 1)
            return _step(base, node.attr)
        if isinstance(node, ast.Call | ast.Subscript):
            known = self._path_of.get(id(node))
            if known is None:
                known = self._called(node, depth) if isinstance(node, ast.Call) else self._item(node, depth)
                self._path_of[id(node)] = known
            return known
        if isinstance(node, ast.NamedExpr | ast.Await):
            return self.path(node.value, depth + 1)
        if isinstance(node, ast.IfExp):
            return self.path(node.body, depth + 1) or self.path(node.orelse, depth + 1)
        if isinstance(node, ast.BoolOp):
            return next((path for value in node.values[:8] if (path := self.path(value, depth + 1))), "")
        return ""

    def _named(self, name: str, depth: int) -> str:
        if name == "__builtins__":
            return "builtins"
        known = self._paths.get(name)
        if known is not None:
            return known
        self._paths[name] = name  # a binding that leads to itself ends here
        path = self.imports.get(name, "")
        if not path and name not in self.functions and name not in self.classes:
            for value in self.bound.get(name, ()):
                if isinstance(value, ast.Attribute | ast.Call | ast.Name | ast.Subscript):
                    path = path or self.path(value, depth + 1)
        if not path and name in _BUILTINS and name not in self.functions and name not in self.classes:
            path = f"builtins.{name}"
        if not path:
            path = f"{self.stars[0]}.{name}" if self.stars and name not in self.bound | self.functions else name
        self._paths[name] = path
        return path

    def _called(self, node: ast.Call, depth: int) -> str:
        callee = self.path(node.func, depth + 1)
        if callee in ("builtins.__import__", "importlib.import_module", "importlib.__import__", "imp.load_module"):
            name = self.text(node.args[0], depth + 1) if node.args else None
            if name is None:
                return "?module"
            self.modules.add(name)
            whole = callee == "importlib.import_module" or len(node.args) > 3 or bool(node.keywords)
            return name if whole else name.partition(".")[0]
        if callee == "builtins.getattr" and len(node.args) >= 2:
            name = self.text(node.args[1], depth + 1)
            return _step(self.path(node.args[0], depth + 1), name) if name is not None else ""
        if callee == "builtins.vars" and node.args:
            return self.path(node.args[0], depth + 1) + ".__dict__"
        if callee.endswith(".__getattribute__") and node.args:
            name = self.text(node.args[-1], depth + 1)
            # Taken from ``object`` or another type, it is given its owner first.
            owner = self.path(node.args[0], depth + 1) if len(node.args) > 1 else callee.rpartition(".")[0]
            return _step(owner, name) if name is not None else ""
        if callee.endswith(".__dict__.get") and node.args:
            return _step(callee.removesuffix(".__dict__.get"), self.text(node.args[0], depth + 1) or "?")
        if callee in ("sys.modules.get", "sys.modules.__getitem__") and node.args:
            return self.text(node.args[0], depth + 1) or "?module"
        if callee in ("functools.partial", "operator.attrgetter") and node.args:
            return self.path(node.args[0], depth + 1)
        return f"{callee}()" if callee else ""

    def _item(self, node: ast.Subscript, depth: int) -> str:
        base = self.path(node.value, depth + 1)
        key = self.text(node.slice, depth + 1)
        if key is None:
            return f"{base}[]" if base else ""
        if base == "sys.modules":
            return key
        if base in ("builtins.globals()", "builtins.locals()", "builtins.vars()"):
            return self._named(key, depth + 1)
        if base == "builtins" or base.endswith(".__dict__"):
            return _step(base.removesuffix(".__dict__"), key)
        if isinstance(node.value, ast.Name):
            for table in self.bound.get(node.value.id, ()):
                for name, value in zip(table.keys, table.values, strict=True) if isinstance(table, ast.Dict) else ():
                    if isinstance(name, ast.Constant) and name.value == key:
                        return self.path(value, depth + 1)
        return f"{base}[]" if base else ""

    # -- values -----------------------------------------------------------------------------------

    def text(self, node: ast.expr, depth: int = 0) -> str | None:
        """The text that *node* certainly is; None where it is another value or cannot be worked out."""
        value = self.value(node, depth)
        return value if isinstance(value, str) else None

    def value(self, node: ast.expr, depth: int = 0, given: dict[str, Any] | None = None) -> Any:
        """The constant (text, bytes, number, list of those) that *node* certainly is; else None."""
        self.steps_left -= 1
        if depth > PYTHON_FOLD_DEPTH_MAX or self.steps_left < 0:
            return None
        if not given and id(node) in self._value_of:
            return self._value_of[id(node)]
        try:
            value = self._value(node, depth, given or {})
        except (ValueError, TypeError, LookupError, ArithmeticError, EOFError, zlib.error, lzma.LZMAError, OSError):
            return None
        if isinstance(value, str | bytes | list) and len(value) > PYTHON_FOLD_BYTES_MAX:
            value = None
        if not given and isinstance(node, ast.Call | ast.Subscript | ast.BinOp):
            self._value_of[id(node)] = value
        return value

    def _value(self, node: ast.expr, depth: int, given: dict[str, Any]) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return given[node.id] if node.id in given else self._constant(node.id, depth)
        if isinstance(node, ast.List | ast.Tuple):
            return _whole([self.value(one, depth + 1, given) for one in node.elts])
        if isinstance(node, ast.JoinedStr):
            parts = [self._formatted(one, depth, given) for one in node.values]
            return None if None in parts else "".join(str(part) for part in parts)
        if isinstance(node, ast.BinOp):
            return _combined(node.op, self.value(node.left, depth + 1, given), self.value(node.right, depth + 1, given))
        if isinstance(node, ast.Subscript):
            return self._sliced(node, depth, given)
        if isinstance(node, ast.ListComp | ast.GeneratorExp):
            return self._comprehended(node, depth, given)
        if isinstance(node, ast.Call):
            return self._result(node, depth, given)
        return None

    def _constant(self, name: str, depth: int) -> Any:
        if name in self._values:
            return self._values[name]
        self._values[name] = None
        values = self.bound.get(name, ())
        if len(values) == 1:
            self._values[name] = self.value(values[0], depth + 1)
        return self._values[name]

    def _formatted(self, node: ast.expr, depth: int, given: dict[str, Any]) -> Any:
        if isinstance(node, ast.FormattedValue):
            return self.value(node.value, depth + 1, given) if node.format_spec is None else None
        return self.value(node, depth + 1, given)

    def _sliced(self, node: ast.Subscript, depth: int, given: dict[str, Any]) -> Any:
        value = self.value(node.value, depth + 1, given)
        if value is None:
            return None
        if isinstance(node.slice, ast.Slice):
            ends = [
                None if one is None else _number(one) for one in (node.slice.lower, node.slice.upper, node.slice.step)
            ]
            return value[slice(*ends)]
        return value[self.value(node.slice, depth + 1, given)]

    def _comprehended(self, node: ast.ListComp | ast.GeneratorExp, depth: int, given: dict[str, Any]) -> Any:
        first = node.generators[0]
        if len(node.generators) > 1 or first.ifs or not isinstance(first.target, ast.Name):
            return None
        over = self.value(first.iter, depth + 1, given)
        # One expression per element: the product of both is what counts.
        if not isinstance(over, str | bytes | list) or len(over) > PYTHON_FOLD_BYTES_MAX // 256:
            return None
        return _whole([self.value(node.elt, depth + 1, {**given, first.target.id: one}) for one in over])

    def _result(self, node: ast.Call, depth: int, given: dict[str, Any]) -> Any:
        if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
            owner = self.value(node.func.value, depth + 1, given)
            if owner is not None:
                args = [self.value(one, depth + 1, given) for one in node.args]
                return None if None in args else _method(owner, node.func.attr, args)
        callee = self.path(node.func, depth + 1)
        if not node.args:
            return None
        args = [self.value(one, depth + 1, given) for one in node.args]
        if callee == "builtins.map" and len(node.args) == 2 and self.path(node.args[0]) == "builtins.chr":
            return [chr(one) for one in args[1]]
        first = args[0]
        if first is None:
            return None
        if callee in DECODERS:
            return DECODERS[callee](first.encode() if isinstance(first, str) else first)
        if callee in ("codecs.decode", "codecs.encode") and len(args) > 1:
            return codecs.decode(first, args[1]) if args[1] in ("rot13", "rot_13", "hex", "base64") else None
        simple: dict[str, Callable[[Any], Any]] = {
            "builtins.chr": chr, "builtins.ord": ord, "builtins.list": list, "builtins.bytearray": bytes,
            "builtins.reversed": lambda value: list(reversed(value)), "builtins.tuple": list,
            "builtins.compile": lambda value: value,
        }  # fmt: skip
        if callee in simple:
            return simple[callee](first)
        if callee == "builtins.bytes":
            return (
                first.encode() if isinstance(first, str) else bytes(first) if isinstance(first, list | bytes) else None
            )
        if callee == "builtins.str":
            return first.decode() if isinstance(first, bytes) else str(first)
        return None


def _step(base: str, name: str) -> str:
    if not base or base == "builtins.globals()":
        return name if base else ""
    if base == "builtins" and name in ("__dict__", "__getitem__"):
        return "builtins"
    if name == "__self__" and base.startswith("builtins."):
        return "builtins"  # a built-in function is bound to its module
    return f"{base}.{name}"


def _number(node: ast.expr) -> int | None:
    value = ast.literal_eval(node)
    return value if isinstance(value, int) else None


def _whole(values: list[Any]) -> list[Any] | None:
    return None if any(value is None for value in values) else values


def _combined(op: ast.operator, left: Any, right: Any) -> Any:
    if isinstance(op, ast.Mod) and isinstance(left, str) and right is not None and "*" not in left and len(left) < 9999:
        # A width could ask for any amount of padding.
        return left % (tuple(right) if isinstance(right, list) else right) if not _wide(left) else None
    if left is None or right is None:
        return None
    if isinstance(op, ast.Add):
        return left + right
    if isinstance(op, ast.Mult) and isinstance(left, str | bytes) and isinstance(right, int):
        return left * right if len(left) * right <= PYTHON_FOLD_BYTES_MAX else None
    if isinstance(left, int) and isinstance(right, int) and abs(left) + abs(right) < 2**64:
        if isinstance(op, ast.BitXor):
            return left ^ right
        if isinstance(op, ast.Sub):
            return left - right
        if isinstance(op, ast.Mod):
            return left % right
    return None


def _wide(template: str) -> bool:
    return any(template[at + 1 : at + 2].isdigit() or template[at + 1 : at + 2] in "-.0 " for at in _marks(template))


def _marks(template: str) -> list[int]:
    return [at for at, char in enumerate(template) if char == "%"]


def _method(owner: Any, name: str, args: list[Any]) -> Any:
    if isinstance(owner, str) and name == "join" and len(args) == 1:
        return owner.join(args[0])
    if isinstance(owner, bytes) and name == "decode":
        return owner.decode(*(args[:1] if args and args[0] in ("utf-8", "utf8", "ascii", "latin-1", "latin1") else ()))
    if isinstance(owner, str) and name == "encode":
        return owner.encode()
    if isinstance(owner, str) and name == "format":
        return owner.format(*args) if ":" not in owner and "!" not in owner and "." not in owner else None
    if name == "replace" and len(args) == 2:
        grown = len(owner) * (1 + len(args[1]))
        return owner.replace(*args) if grown <= 64 * PYTHON_FOLD_BYTES_MAX else None
    if name in ("lower", "upper", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix"):
        return getattr(owner, name)(*args)
    return None

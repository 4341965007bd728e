"""What one Python source defines, imports and calls, and which parameter of a function each argument depends on.

* Nothing is imported: sources are parsed. What does not parse (another version's syntax) is left out.
* Dependence is by flow through assignments, attributes of ``self``, containers and calls, without regard to order or
  branches. Comparisons and lengths carry nothing. Nested functions count as part of the function around them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

NOTHING: frozenset[int] = frozenset()
REST, WORDS = 40, 60
"""Indices of ``*args`` and ``**kwargs`` among the parameters; from 41 stand those that are given by name alone."""
_CUTS = frozenset({"len", "isinstance", "issubclass", "int", "float", "bool", "hash", "id", "callable", "hasattr"})


@dataclass(slots=True)
class Site:
    """A call. ``target`` is dotted, as written, its first step resolved by the module; empty for a given callable.

    ``receiver`` is what the object depends on whose method is called; ``kind`` is name, self, super, method or given.
    """

    kind: str
    target: str
    receiver: frozenset[int] = NOTHING
    args: list[frozenset[int]] = field(default_factory=list)
    keywords: dict[str, frozenset[int]] = field(default_factory=dict)
    star: frozenset[int] = NOTHING


@dataclass(slots=True)
class Function:
    """``kind`` is plain, method, class or static. ``params`` are the positional ones, ``self`` among them.

    ``words`` are the parameters that are given by name alone.
    """

    name: str
    params: list[str]
    kind: str = "plain"
    rest: bool = False
    words: list[str] = field(default_factory=list)
    owner: str = ""
    sites: list[Site] = field(default_factory=list)


@dataclass(slots=True)
class Class:
    name: str
    bases: list[str]
    methods: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Module:
    """``names`` maps a top-level name to the dotted name that it stands for elsewhere."""

    name: str
    names: dict[str, str] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    classes: dict[str, Class] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)


def read_module(name: str, text: str, package: bool) -> Module:
    """The facts of one source.

    Raises:
        SyntaxError, ValueError: it does not parse.
    """
    module = Module(name)
    _Top(module, package).read(ast.parse(text).body)
    return module


def _imports(node: ast.stmt, module: str, package: bool) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parts = module.split(".")
            parts = parts[: len(parts) - node.level + (1 if package else 0)]
            base = ".".join([*parts, base] if base else parts)
        for alias in node.names:
            yield alias.asname or alias.name, f"{base}.{alias.name}"


def dotted(node: ast.expr) -> str:
    """``a.b.c`` as text; empty when it is no chain of names."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


class _Top:
    """Reads the statements of a module and of its classes, in whatever branches they stand."""

    def __init__(self, module: Module, package: bool) -> None:
        self.module = module
        self.package = package

    def read(self, body: list[ast.stmt]) -> None:
        for node in body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                for local, target in _imports(node, self.module.name, self.package):
                    if local == "*":
                        self.module.stars.append(target.removesuffix(".*"))
                    else:
                        self.module.names[local] = target
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.function(node, "")
            elif isinstance(node, ast.ClassDef):
                self.class_(node, "")
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name | ast.Attribute):
                source = dotted(node.value)
                for bound in node.targets:
                    if isinstance(bound, ast.Name) and source:
                        self.module.names.setdefault(bound.id, f"{self.module.name}.{source}")
            else:
                for part in ("body", "orelse", "finalbody"):
                    self.read(getattr(node, part, []))
                for caught in getattr(node, "handlers", []):
                    self.read(caught.body)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, owner: str) -> str:
        words = {dotted(d.func if isinstance(d, ast.Call) else d).rpartition(".")[2] for d in node.decorator_list}
        kind = (
            "plain" if not owner else "static" if "staticmethod" in words else "class" if "classmethod" in words else ""
        )
        spec = node.args
        params = [arg.arg for arg in spec.posonlyargs + spec.args]
        name = f"{owner}.{node.name}" if owner else node.name
        found = Function(name, params, kind or "method", spec.vararg is not None, owner=owner)
        found.words = [arg.arg for arg in spec.kwonlyargs[: WORDS - REST - 1]]
        if owner and node.name in ("__new__", "__init_subclass__", "__class_getitem__"):
            found.kind = "class"
        _Body(self, found, node).read()
        # Of several definitions (branches, overloads) the calls of all count.
        before = self.module.functions.get(name)
        if before is not None:
            found.sites = (
                [*before.sites, *found.sites] if before.params == found.params else found.sites or before.sites
            )
        self.module.functions[name] = found
        return name

    def class_(self, node: ast.ClassDef, outer: str) -> None:
        name = f"{outer}.{node.name}" if outer else node.name
        found = Class(name, [dotted(base) for base in node.bases])
        self.module.classes[name] = found
        self._members(node.body, found)

    def _members(self, body: list[ast.stmt], found: Class) -> None:
        for part in body:
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
                found.methods[part.name] = self.function(part, found.name)
            elif isinstance(part, ast.ClassDef):
                self.class_(part, found.name)
            elif isinstance(part, ast.Assign) and isinstance(part.value, ast.Name | ast.Attribute):
                source = dotted(part.value)
                for target in part.targets:
                    if isinstance(target, ast.Name) and source:
                        found.methods.setdefault(target.id, f"={source}")
            elif isinstance(part, ast.If | ast.Try):
                self._members(part.body, found)
                self._members(part.orelse, found)
                for caught in getattr(part, "handlers", []):
                    self._members(caught.body, found)


class _Body:
    """Reads one function: what its variables depend on, and then its calls."""

    def __init__(self, top: _Top, function: Function, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.top = top
        self.function = function
        self.node = node
        self.names: dict[str, str] = {}
        self.types: dict[str, str] = {}
        self.deps: dict[str, frozenset[int]] = {}
        spec = node.args
        for at, param in enumerate(function.params):
            self.deps[param] = frozenset({at})
        if spec.vararg is not None:
            self.deps[spec.vararg.arg] = frozenset({REST})
        for at, param in enumerate(function.words):
            self.deps[param] = frozenset({REST + 1 + at})
        if spec.kwarg is not None:
            self.deps[spec.kwarg.arg] = frozenset({WORDS})
        for arg in spec.posonlyargs + spec.args + spec.kwonlyargs:
            if arg.annotation is not None and dotted(arg.annotation):
                self.types[arg.arg] = dotted(arg.annotation)
        self.me = function.params[0] if function.params and function.kind in ("method", "class") else ""
        if self.me and function.kind == "class":
            self.deps[self.me] = NOTHING

    def read(self) -> None:
        nodes = list(ast.walk(self.node))
        for node in nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                self.names.update(_imports(node, self.top.module.name, self.top.package))
        nodes.reverse()
        for _ in range(3):
            before = sum(map(len, self.deps.values()))
            for node in nodes:
                self._assign(node)
            if sum(map(len, self.deps.values())) == before:
                break
        if self.me and self.node.name in ("__init__", "__setstate__", "__new__"):
            self._fields()
        for node in nodes:
            if isinstance(node, ast.Call):
                self._site(node)

    def _fields(self) -> None:
        owner = self.top.module.classes.get(self.function.owner)
        if owner is not None:
            start = f"{self.me}."
            for key, kind in self.types.items():
                if key.startswith(start):
                    owner.fields.setdefault(key.removeprefix(start), self._global(kind))

    def _assign(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value)
        elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.NamedExpr):
            if node.value is not None:
                self._bind(node.target, node.value)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            self._bind(node.target, node.iter, typed=False)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._bind(node.optional_vars, node.context_expr)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            # x.append(y), x.update(y), …: x depends on y from now on.
            if node.func.attr in ("append", "extend", "update", "add", "insert", "setdefault", "write"):
                key = dotted(node.func.value)
                for arg in node.args:
                    self._grow(key, self.of(arg))
            elif node.func.attr == "__init__" and self.me and self.node.name == "__init__":
                for given in (*node.args, *(word.value for word in node.keywords)):
                    self._grow(self.me, self.of(given))  # a base class stores what it is given

    def _bind(self, target: ast.expr, value: ast.expr, typed: bool = True) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            pairs = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
            for at, part in enumerate(target.elts):
                self._bind(part, value.elts[at] if pairs else value, typed and pairs)  # type: ignore[attr-defined]
            return
        if isinstance(target, ast.Starred | ast.Subscript):
            target = target.value
            typed = False
        key = dotted(target)
        if not key:
            return
        self._grow(key, self.of(value))
        if typed and isinstance(value, ast.Call):
            kind = dotted(value.func)
            if kind:
                self.types.setdefault(key, kind)
        elif typed and dotted(value) and "." not in key and not self.of(value):
            self.names.setdefault(key, self._global(dotted(value)))

    def _grow(self, key: str, more: frozenset[int]) -> None:
        if key and more:
            self.deps[key] = self.deps.get(key, NOTHING) | more

    def of(self, node: ast.AST | None) -> frozenset[int]:
        """The parameters that the value of an expression depends on."""
        if node is None or isinstance(node, ast.Constant | ast.Compare):
            return NOTHING
        if isinstance(node, ast.Name):
            return self.deps.get(node.id, NOTHING)
        if isinstance(node, ast.Attribute):
            key = dotted(node)
            return self.deps[key] if key in self.deps else self.of(node.value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return NOTHING
        if isinstance(node, ast.Subscript):
            inner = self.of(node.value)
            lookup = ast.unparse(node.value) if not inner else ""
            return self.of(node.slice) if lookup in ("globals()", "locals()", "sys.modules") else inner
        if isinstance(node, ast.IfExp):
            return self.of(node.body) | self.of(node.orelse)
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in _CUTS:
                return NOTHING
            found = self.of(node.func)
            for arg in node.args:
                found |= self.of(arg)
            for word in node.keywords:
                found |= self.of(word.value)
            return found
        found = NOTHING
        for part in ast.iter_child_nodes(node):
            found |= self.of(part)
        return found

    def _global(self, name: str) -> str:
        first, dot, rest = name.partition(".")
        if first in self.names:
            return self.names[first] + dot + rest
        return f"{self.top.module.name}.{name}"

    def _site(self, node: ast.Call) -> None:
        site = Site("name", "")
        func = node.func
        for arg in node.args:
            if isinstance(arg, ast.Starred):
                site.star |= self.of(arg.value)
            elif self.me and isinstance(arg, ast.Name) and arg.id == self.me:
                site.args.append(self._mine())
            else:
                site.args.append(self.of(arg))
        for word in node.keywords:
            if word.arg is None:
                site.star |= self.of(word.value)
            else:
                site.keywords[word.arg] = self.of(word.value)
        name = dotted(func)
        if isinstance(func, ast.Attribute):
            self._method(func, name, site)
        elif isinstance(func, ast.Name) and not self.deps.get(func.id):
            site.target = self._global(func.id)
            if self.function.kind == "class" and func.id == self.me:
                site.target = f"{self.top.module.name}.{self.function.owner}"
        else:
            site.kind, site.receiver = "given", self.of(func)
        if site.target or site.receiver:
            self.function.sites.append(site)
        if name == "getattr" and len(node.args) > 1:
            self._getattr(node)

    def _getattr(self, node: ast.Call) -> None:
        """``getattr(module, given)``: what is reached is decided by the argument, as in an import by name."""
        owner, which = dotted(node.args[0]), self.of(node.args[1])
        first = owner.partition(".")[0]
        outside = first in self.names or first in self.top.module.names
        if which and outside and not self.of(node.args[0]) and not owner[:1].isupper():
            self.function.sites.append(Site("reach", owner, which))

    def _method(self, func: ast.Attribute, name: str, site: Site) -> None:
        value = func.value
        key = dotted(value)
        site.receiver = self.of(value)
        if isinstance(value, ast.Call) and dotted(value.func) == "super":
            site.kind, site.target = "super", func.attr
            site.receiver = self._mine()
        elif key and key == self.me:
            site.kind, site.target, site.receiver = "self", func.attr, self._mine()
            if self.deps.get(name):
                self.function.sites.append(Site("given", "", self.deps[name]))
        elif key in self.types:
            site.kind, site.target = "typed", f"{self._global(self.types[key])}|{func.attr}"
        elif isinstance(value, ast.Call) and dotted(value.func):
            site.kind, site.target = "typed", f"{self._global(dotted(value.func))}|{func.attr}"
        elif name and not site.receiver and key.partition(".")[0] != self.me:
            site.target = self._global(name)
        elif self.me and key.startswith(f"{self.me}.") and key.count(".") == 1:
            site.kind, site.target = "field", f"{key.partition('.')[2]}|{func.attr}"
        else:
            site.kind, site.target = "method", func.attr

    def _mine(self) -> frozenset[int]:
        """What ``self`` is made of: itself, or what has been stored in it."""
        found = self.deps.get(self.me, NOTHING)
        for key, deps in self.deps.items():
            if key.startswith(f"{self.me}."):
                found |= deps
        return found

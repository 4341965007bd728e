"""Jinja templates, wherever they stand: judged by their syntax tree, never rendered.

* A chat template renders messages. It has no use for names with two underscores, for attributes that lead to functions'
  globals, classes or modules, nor for attributes that are named by a text that is put together: those are the way out
  of a template into the program that renders it (CVE-2024-34359). What is named in prose or output is no attribute.
* Texts are folded first (``~``, ``+``, ``%``, ``join``, ``format``, ``replace``, slices, variables that are set once).
* A loop over more than TEMPLATE_ROUNDS_MAX rounds, nested ones multiplied, and texts repeated beyond that, keep a
  server busy.
* A template of another dialect, or one that does not parse, renders nothing: a note says so, and its words are read.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from watchword.inspect.exhibit import TEXT, Exhibit, Format
from watchword.inspect.formats.plain import is_text
from watchword.inspect.source import Source
from watchword.limits import TEMPLATE_BYTES_MAX, TEMPLATE_NESTING_MAX, TEMPLATE_NODES_MAX, TEMPLATE_ROUNDS_MAX

if TYPE_CHECKING:
    from jinja2 import nodes

_INNER = re.compile(
    r"__[A-Za-z0-9_]+__|func_globals|im_func|gi_(?:frame|code)|cr_frame|ag_frame|f_(?:globals|builtins|back)|tb_frame|mro"
)
"""Attributes that lead from a value to the program around it."""

_MAGIC = re.compile(
    r"__(?:class|bases?|mro|subclasses|globals|builtins|init|import|dict|getattribute|getitem|loader|spec|call|self|func|code|closure|"
    r"reduce(?:_ex)?|setattr|delattr|getattr|wrapped|file|name|qualname|module|subclasshook|doc|new|del|repr|str|format)__"
)
_MODULES = re.compile(
    r"_?(?:os|posix|sys|subprocess|builtins|importlib|shutil|socket|ctypes|pty|popen\d?|system|Popen|check_output|getoutput|"
    r"urlopen|import_module|fromstring|_module|__import__)"
)
_CALLED = re.compile(
    r"popen\d?|system|Popen|check_output|check_call|getoutput|urlopen|import_module|exec|eval|compile|__import__|spawn\w*|"
    r"execv\w*|getattr|setattr|globals|locals|vars|open|breakpoint|fork|loads"
)
_GLOBALS = (
    "cycler",
    "joiner",
    "namespace",
    "lipsum",
    "self",
    "url_for",
    "get_flashed_messages",
    "config",
    "request",
    "g",
)
_BY_ATTRIBUTE = (
    "attr",
    "map",
    "selectattr",
    "rejectattr",
    "groupby",
    "sum",
    "sort",
    "unique",
    "min",
    "max",
    "dictsort",
)
_BUILTINS = ("__builtins__", "__import__", "__globals__", "__loader__", "__class__", "__subclasses__", "__self__")
_REACHING = ("os", "sys", "subprocess", "requests", "urllib", "httpx", "socket", "importlib", "builtins", "shutil")
"""Modules that a template of another renderer is handed sometimes, and a chat template never."""

_SUFFIXES = (".jinja", ".jinja2", ".j2", ".template", ".tmpl", ".tpl")
_MARKED = re.compile(r"\{\{|\{%")
_WAY_OUT = re.compile(
    r"\.__\w+__|\[\s*['\"]__\w+__|\|\s*attr\s*\(|__(?:globals|subclasses|builtins|import|mro|bases)__|"
    r"\b(?:os|subprocess)\.(?:popen|system|run|call)\s*\("
)


def is_template(text: str) -> bool:
    """True when *text* has the marks of a Jinja template."""
    return _MARKED.search(text) is not None


def leads_out(text: str) -> bool:
    """True when *text* has words of a way out of a template, wherever they stand in it."""
    return "__" in text or "|attr" in text or "| attr" in text or _WAY_OUT.search(text) is not None


def judge_template(exhibit: Exhibit, text: str, where: str, offset: int | None = None) -> None:
    """Judge one template; *where* it stands goes into the words (``chat_template``), *offset* into the finding."""
    named = f"{where}: " if where else ""
    if len(text) > TEMPLATE_BYTES_MAX:
        exhibit.odd("template-limit", offset, f"{named}a template of {len(text):,} characters is not parsed")
        return
    try:
        tree = _tree(text)
    except TooDeep:
        exhibit.odd("template-limit", offset, f"{named}nested deeper than {TEMPLATE_NESTING_MAX}")
        return
    if tree is None:
        exhibit.note(f"{named}not parsed as a Jinja template: read for words only")
        for match in _WAY_OUT.finditer(text):
            exhibit.odd(
                "template-escape",
                _at(offset, match.start()),
                f"{named}leads out of the template",
                _line(text, match.start()),
            )
            return
        return
    reading = _Reading(tree)
    for rule, line, what in reading.found:
        start = _start(text, line)
        exhibit.odd(rule, _at(offset, start), named + what, _line(text, start))
    for name in reading.includes:
        exhibit.note(f"{named}includes another template, {name[:100]}")


class TooDeep(Exception):
    """The template is nested beyond what is parsed."""


def _tree(text: str) -> nodes.Template | None:
    """The syntax tree; None for what is no template of this dialect.

    Raises:
        TooDeep: see TEMPLATE_NESTING_MAX.
    """
    from jinja2 import Environment, TemplateError
    from jinja2.ext import Extension

    class Generation(Extension):
        """``{% generation %}`` of chat templates: what stands in it is what the model writes."""

        tags = {"generation"}  # noqa: RUF012 - as the class above it has it

        def parse(self, parser: Any) -> Any:
            next(parser.stream)
            return list(parser.parse_statements(("name:endgeneration",), drop_needle=True))

    extensions: list[Any] = ["jinja2.ext.loopcontrols", "jinja2.ext.do", "jinja2.ext.i18n", Generation]
    # Parsed, never rendered: escaping does not matter.
    environment = Environment(trim_blocks=True, lstrip_blocks=True, extensions=extensions)  # noqa: S701
    try:
        if _nesting(environment, text) > TEMPLATE_NESTING_MAX:
            raise TooDeep
        return environment.parse(text)
    except RecursionError as error:
        raise TooDeep from error
    except (TemplateError, ValueError, AssertionError, OverflowError):
        return None


class _Reading:
    """What one template does that a template has no use for: (rule, line, words), and what it includes."""

    def __init__(self, tree: nodes.Template) -> None:
        from jinja2 import nodes

        self.nodes = nodes
        self.found: list[tuple[str, int, str]] = []
        self.includes: list[str] = []
        self.texts: dict[str, Any] = {}
        self.given: set[str] = set()
        everything = _all_nodes(tree)
        if len(everything) > TEMPLATE_NODES_MAX:
            self.found.append(("template-limit", 1, f"more than {TEMPLATE_NODES_MAX:,} parts"))
            everything = everything[:TEMPLATE_NODES_MAX]
        for node in everything:
            self._learn(node)
        self.own = self.given | set(self.texts)
        for node in everything:
            self._judge(node)
        self._rounds(tree)
        self.found = list(dict.fromkeys(self.found))[:20]

    def _learn(self, node: nodes.Node) -> None:
        n = self.nodes
        if isinstance(node, n.Assign) and isinstance(node.target, n.Name):
            name = node.target.name
            # A name that is set twice is no constant.
            self.texts[name] = None if name in self.texts else node.node
        elif isinstance(node, n.Macro):
            self.given |= {argument.name for argument in node.args} | {node.name}
        elif isinstance(node, n.For):
            self.given |= {name.name for name in [node.target, *_all_nodes(node.target)] if isinstance(name, n.Name)}

    def _judge(self, node: nodes.Node) -> None:
        n = self.nodes
        if isinstance(node, n.Getattr):
            self._attribute(node, node.attr)
        elif isinstance(node, n.Getitem):
            key = self.fold(node.arg)
            if isinstance(key, str):
                self._attribute(node, key)
        elif isinstance(node, n.Name):
            if node.name in _BUILTINS and node.name not in self.own:
                self._add(node, f"uses {node.name}")
        elif isinstance(node, n.Filter):
            self._filter(node)
        elif isinstance(node, n.Call):
            self._call(node)
        elif isinstance(node, n.Include | n.Extends | n.Import | n.FromImport):
            self._include(node)
        elif isinstance(node, n.Mul):
            count = [value for value in (self.fold(node.left), self.fold(node.right)) if isinstance(value, int)]
            if any(value > TEMPLATE_ROUNDS_MAX for value in count):
                self.found.append(("template-endless", node.lineno, f"multiplies by {max(count):,}"))
        elif isinstance(node, n.Pow):
            count = [value for value in (self.fold(node.left), self.fold(node.right)) if isinstance(value, int)]
            if count and max(count) > 1024:
                self.found.append(("template-endless", node.lineno, f"raises to a power of {max(count):,}"))

    def _attribute(self, node: nodes.Node, name: str) -> None:
        owner = self._root(node)
        if _INNER.fullmatch(name) and (name != "mro" or isinstance(node, self.nodes.Getattr)):
            self._add(node, f"takes {name} of a value")
        elif isinstance(node, self.nodes.Getattr) and name.startswith("_"):
            rule = "template-escape" if "__" in name or owner in _GLOBALS else "template-private"
            self.found.append((rule, node.lineno, f"takes the private attribute {name} of a value"))
        elif owner in _GLOBALS and owner not in self.own and name in ("__init__", "application", "os"):
            self._add(node, f"takes {name} of {owner}")

    def _call(self, node: nodes.Call) -> None:
        n = self.nodes
        callee = node.node
        name = callee.attr if isinstance(callee, n.Getattr) else callee.name if isinstance(callee, n.Name) else ""
        if isinstance(callee, n.Getitem):
            key = self.fold(callee.arg)
            name = key if isinstance(key, str) else ""
        inside = [callee.node] if isinstance(callee, n.Getattr | n.Getitem) else []
        through = inside[0].attr if inside and isinstance(inside[0], n.Getattr) else ""
        through = inside[0].name if inside and isinstance(inside[0], n.Name) else through
        if (
            _CALLED.fullmatch(name)
            and (isinstance(callee, n.Name) or _MODULES.fullmatch(through))
            and name not in self.given
        ):
            self._add(node, f"calls {through + '.' if through else ''}{name}")
        elif _MODULES.fullmatch(name) and name not in ("os", "sys", "system") and not isinstance(callee, n.Name):
            self._add(node, f"calls {name}")
        elif name == "format" and isinstance(callee, n.Getattr):
            template = self.fold(callee.node)
            if isinstance(template, str) and re.search(r"\{[^{}]*[.\[]\s*_", template):
                self._add(node, "formats with attributes of a value")
        root = self._root(callee)
        if root in _REACHING and root not in self.own and isinstance(callee, n.Getattr):
            self._add(node, f"calls {root}.{name}")
        for argument in node.args:
            value = self.fold(argument)
            if isinstance(value, str) and _MAGIC.fullmatch(value):
                self._add(node, f"passes the name {value}")

    def _filter(self, node: nodes.Filter) -> None:
        if node.name == "attr":
            value = self.fold(node.args[0]) if node.args else None
            if not isinstance(value, str):
                self._add(node, "takes an attribute whose name is computed")
            elif value.startswith("_") or _INNER.fullmatch(value):
                self._add(node, f"takes {value} of a value")
            return
        given = [*node.args, *(keyword.value for keyword in node.kwargs)]
        for argument in given if node.name in _BY_ATTRIBUTE else ():
            value = self.fold(argument)
            if isinstance(value, str) and any(_INNER.fullmatch(step) for step in re.split(r"[.\s]", value)):
                self._add(node, f"takes {value} of values")

    def _include(self, node: Any) -> None:
        name = self.fold(node.template)
        if not isinstance(name, str):
            self.found.append(("template-include", node.lineno, "includes a template whose name is computed"))
        elif name.startswith(("/", "~", "\\")) or ".." in name or "://" in name:
            self.found.append(("template-include", node.lineno, f"includes {name[:100]}, from outside of its folder"))
        else:
            self.includes.append(name)

    def _rounds(self, tree: nodes.Template) -> None:
        """Loops over constant ranges, nested ones multiplied."""
        n = self.nodes
        waiting: list[tuple[nodes.Node, int]] = [(tree, 1)]
        while waiting:
            node, times = waiting.pop()
            if isinstance(node, n.For):
                times *= self._length(node.iter)
                if times > TEMPLATE_ROUNDS_MAX:
                    self.found.append(
                        (
                            "template-endless",
                            node.lineno,
                            f"goes {times:,} rounds" if times < 10**15 else "goes round for ever",
                        )
                    )
                    continue
            waiting += [(child, times) for child in node.iter_child_nodes()]

    def _length(self, node: nodes.Node) -> int:
        n = self.nodes
        if not (isinstance(node, n.Call) and isinstance(node.node, n.Name) and node.node.name == "range"):
            return 1
        given = [self.fold(argument) for argument in node.args[:3]]
        if not given or not all(isinstance(value, int) for value in given):
            return 1
        try:
            return max(1, len(range(*given)))
        except (ValueError, OverflowError):
            return 10**18

    def _root(self, node: Any) -> str:
        for _ in range(50):  # chains of calls are long where somebody wants them to be
            if not isinstance(node, self.nodes.Getattr | self.nodes.Getitem | self.nodes.Call):
                break
            node = node.node
        return node.name if isinstance(node, self.nodes.Name) else ""

    def _add(self, node: nodes.Node, what: str) -> None:
        self.found.append(("template-escape", node.lineno, what))

    # -- texts ------------------------------------------------------------------------------------

    def fold(self, node: Any, depth: int = 0) -> Any:
        """The constant that *node* certainly is, texts put together included; None where it cannot be told."""
        n = self.nodes
        if depth > 60:
            return None
        if isinstance(node, n.Const):
            return node.value
        if isinstance(node, n.TemplateData):
            return node.data
        if isinstance(node, n.Name):
            value = self.texts.get(node.name)
            if isinstance(value, n.Node):
                self.texts[node.name] = None
                self.texts[node.name] = _Known(self.fold(value, depth + 1))
            value = self.texts.get(node.name)
            return value.value if isinstance(value, _Known) else None
        if isinstance(node, n.List | n.Tuple):
            items = [self.fold(item, depth + 1) for item in node.items[:1000]]
            return None if None in items else items
        if isinstance(node, n.Concat):
            parts = [self.fold(part, depth + 1) for part in node.nodes]
            return None if None in parts else "".join(map(str, parts))[:4096]
        if isinstance(node, n.Add):
            left, right = self.fold(node.left, depth + 1), self.fold(node.right, depth + 1)
            return _added(left, right)
        if isinstance(node, n.Mul):
            return _times(self.fold(node.left, depth + 1), self.fold(node.right, depth + 1))
        if isinstance(node, n.Pow):
            left, right = self.fold(node.left, depth + 1), self.fold(node.right, depth + 1)
            return (
                left**right
                if isinstance(left, int) and isinstance(right, int) and 0 <= right < 64 and left < 2**16
                else None
            )
        if isinstance(node, n.Mod):
            left, right = self.fold(node.left, depth + 1), self.fold(node.right, depth + 1)
            return _formatted(left, right if isinstance(right, list) else [right])
        if isinstance(node, n.Filter):
            return self._filtered(node, depth)
        if isinstance(node, n.Call) and isinstance(node.node, n.Getattr):
            return self._method(node, depth)
        if isinstance(node, n.Getitem):
            return _item(self.fold(node.node, depth + 1), self._key(node.arg, depth))
        return None

    def _key(self, node: Any, depth: int) -> Any:
        if isinstance(node, self.nodes.Slice):
            ends = [None if end is None else self.fold(end, depth + 1) for end in (node.start, node.stop, node.step)]
            return slice(*[end if isinstance(end, int) else None for end in ends])
        return self.fold(node, depth + 1)

    def _filtered(self, node: nodes.Filter, depth: int) -> Any:
        value = self.fold(node.node, depth + 1) if node.node is not None else None
        given = [self.fold(argument, depth + 1) for argument in node.args]
        if value is None or None in given:
            return None
        if node.name == "format" and isinstance(value, str):
            return _formatted(value, given)
        return _called(value, node.name, given)

    def _method(self, node: nodes.Call, depth: int) -> Any:
        assert isinstance(node.node, self.nodes.Getattr)
        value = self.fold(node.node.node, depth + 1)
        given = [self.fold(argument, depth + 1) for argument in node.args]
        if value is None or None in given:
            return None
        if node.node.attr == "format" and isinstance(value, str):
            return "".join(_braces(value, given))
        if node.node.attr == "join" and isinstance(value, str) and given:
            return value.join(map(str, given[0]))[:4096] if isinstance(given[0], list) else None
        return _called(value, node.node.attr, given)


class _Known:
    """A constant that has been worked out."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _added(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        return (left + right)[:4096]
    return left + right if isinstance(left, int) and isinstance(right, int) else None


def _times(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, int):
        return left * right if len(left) * right <= 4096 else None
    return left * right if isinstance(left, int) and isinstance(right, int) and max(left, right) < 2**64 else None


def _formatted(template: Any, given: list[Any]) -> str | None:
    """``%`` of plain ``%s``, ``%c`` and ``%d``."""
    if not isinstance(template, str) or None in given:
        return None
    waiting = list(given)

    def one(match: re.Match[str]) -> str:
        value = waiting.pop(0) if waiting else ""
        return chr(value) if match[0] == "%c" and isinstance(value, int) and 0 <= value < 0x110000 else str(value)[:999]

    return re.sub(r"%[scd]", one, template)[:4096]


def _braces(template: str, given: list[Any]) -> list[str]:
    waiting = list(given)
    parts: list[str] = []
    for part in re.split(r"(\{\d*(?::c)?\})", template[:4096]):
        if re.fullmatch(r"\{\d*(?::c)?\}", part):
            index = re.search(r"\d+", part)
            value = (
                (given[int(index[0])] if int(index[0]) < len(given) else "")
                if index
                else waiting.pop(0)
                if waiting
                else ""
            )
            parts.append(
                chr(value)
                if part.endswith(":c}") and isinstance(value, int) and 0 <= value < 0x110000
                else str(value)[:999]
            )
        else:
            parts.append(part)
    return parts


def _called(value: Any, name: str, given: list[Any]) -> Any:
    """A filter or method without side effects, of a text or a list."""
    if name in ("list", "string", "trim", "strip", "safe", "e", "escape", "forceescape") and not given:
        return (
            list(value)
            if name == "list" and isinstance(value, str)
            else value
            if name == "list"
            else str(value).strip()
        )
    if name == "reverse" and not given:
        return value[::-1] if isinstance(value, str | list) else None
    if name == "join":
        return (str(given[0]) if given else "").join(map(str, value))[:4096] if isinstance(value, str | list) else None
    if name in ("lower", "upper", "title", "capitalize") and isinstance(value, str) and not given:
        return {"lower": value.lower, "upper": value.upper, "title": value.title, "capitalize": value.capitalize}[
            name
        ]()
    if name == "replace" and isinstance(value, str) and len(given) == 2 and all(isinstance(one, str) for one in given):
        return value[:999].replace(given[0], given[1][:99])[:4096]
    if name in ("first", "last") and isinstance(value, str | list) and value and not given:
        return value[0] if name == "first" else value[-1]
    return None


def _item(value: Any, key: Any) -> Any:
    if not isinstance(value, str | list) or not isinstance(key, int | slice):
        return None
    try:
        return value[key]
    except (IndexError, ValueError):
        return None


def _all_nodes(tree: nodes.Node) -> list[nodes.Node]:
    """Every node below *tree*, without recursion."""
    found: list[nodes.Node] = []
    waiting = list(tree.iter_child_nodes())
    while waiting and len(found) <= TEMPLATE_NODES_MAX:
        node = waiting.pop()
        found.append(node)
        waiting.extend(node.iter_child_nodes())
    return found


def _nesting(environment: Any, text: str) -> int:
    """How deep brackets, blocks and chains of prefixes are nested, from above: Jinja's parser recurses."""
    deepest = depth = run = 0
    begun = False
    for _, kind, value in environment.lex(text):
        if kind == "whitespace":
            continue
        if kind == "operator" and value in "([{":
            depth += 1
        elif kind == "operator" and value in ")]}":
            depth -= 1
        elif begun and value in _BLOCKS:
            depth += 1
        elif begun and value.startswith("end"):
            depth -= 1
        # Chains that open nothing nest as well: - - - x, not not x, a if b else a if b else …, a ** b ** c, a ~ b.
        run = run + 1 if value in ("not", "-", "+", "else", "**", "elif") else 0 if kind.endswith("_end") else run
        begun = kind == "block_begin"
        deepest = max(deepest, depth + run)
    return deepest


_BLOCKS = ("if", "for", "macro", "call", "filter", "block", "with", "generation", "autoescape", "trans")


def _at(offset: int | None, start: int) -> int | None:
    return None if offset is None else offset + start


def _start(text: str, line: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    return start


def _line(text: str, start: int) -> str:
    """What stands at *start*, on one line, cut so that the marks of the template are in it."""
    return text[start : start + 2000].split("\n")[0].strip()[:300]


def _claims(source: Source, head: bytes, name: str) -> bool:
    if not is_text(head):
        return False
    stem = PurePosixPath(name)
    return stem.suffix in _SUFFIXES or (stem.name.startswith("chat_template") and stem.suffix in ("", ".txt"))


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    data = exhibit.source.read_at(0, TEMPLATE_BYTES_MAX + 1)
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    judge_template(exhibit, text, "", 0)
    return what, "the template's syntax tree, not rendered"


FORMATS = (Format("jinja", TEXT, _claims, _read, "jinja jinja2 j2 template tmpl tpl"),)

"""Programs exported by ``torch.export``: the JSON of a graph, and the Python that its loader evaluates.

The loader (``torch._export.serde``) resolves the target of each node by walking attributes from ``torch``, ``operator``
or ``math``, gives the text of each symbolic expression to ``sympy.sympify``, which evaluates it as Python, and compiles
``guards_code``. Each of the three is read by a small grammar of what the writer puts there; anything else is code.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from watchword.inspect.facts import Oddity
from watchword.inspect.formats.json_text import descend, parse_json
from watchword.inspect.formats.torchscript import FILE_OPERATORS, judged
from watchword.limits import EXPORT_EXPRESSIONS_MAX

_TARGET = re.compile(
    r"_?operator\.(?!attrgetter|methodcaller|itemgetter|call\b)\w+|math\.\w+|torch\._?sym_\w+"
    r"|torch\._C\._(?:set_grad_enabled|functorch\.\w+)|torch\.amp\.autocast_mode\._(?:enter|exit)_autocast"
    r"|torch\._higher_order_ops\.\w+\.\w+|(?!(?:torch|_?operator|math)\.)#?[A-Za-z_]\w*(?:\.\w+)*#?"
)
_WALKS = re.compile(
    r"(?:^|\.)(?:_?os|posix|nt|_?sys|subprocess|builtins|importlib|pickle|_C|__\w+|ctypes|shutil|socket)\."
)
_FUNCTIONS = frozenset(
    ("sqrt", "floor", "ceiling", "log", "log2", "exp", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos",
     "atan", "abs", "len", "max", "min")
)  # fmt: skip
_SYMBOL = re.compile(r"[A-Za-z_]\w{0,80}")
_GUARDED = frozenset(
    ("size", "stride", "shape", "storage_offset", "dtype", "device", "ndim", "dim", "numel", "item", "float32",
     "float16", "bfloat16", "int64", "int32")
)  # fmt: skip
_PLAIN = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.operator, ast.unaryop, ast.boolop, ast.cmpop,
    ast.Load, ast.Tuple, ast.keyword,
)  # fmt: skip


def read_program(data: bytes) -> tuple[list[Oddity], dict[str, Any]]:
    """What is odd about the exported program in *data* (JSON), and its facts.

    Raises:
        Malformed: not JSON, or beyond a bound.
    """
    document = parse_json(data)
    oddities: dict[str, Oddity] = {}
    facts: dict[str, Any] = {"frameworks": ["torch"], "operators": []}
    operators: set[str] = set()
    asked = 0
    for key, value in _values(document):
        odd = None
        if key == "target" and isinstance(value, str):
            odd = _target(value, operators)
        elif key in ("expr_str", "guards_code", "symbol"):
            asked += 1
            if asked <= EXPORT_EXPRESSIONS_MAX and value not in oddities and not is_expression(value, key):
                odd = Oddity("export-code", None, f"{key} is code that the loader would evaluate", value)
        elif key == "torch_version" and isinstance(value, str):
            facts["frameworks"] = [f"torch {value[:40]}"]
        if odd is not None:
            oddities.setdefault(odd.evidence or odd.message, odd)
    if asked > EXPORT_EXPRESSIONS_MAX:
        words = f"more than {EXPORT_EXPRESSIONS_MAX:,} expressions: not all were read"
        oddities["limit"] = Oddity("not-inspected", None, words)
    facts["operators"] = sorted(operators)[:200]
    return list(oddities.values()), facts


def _target(target: str, operators: set[str]) -> Oddity | None:
    steps = target.split(".")
    if steps[:2] == ["torch", "ops"] and 4 <= len(steps) <= 5 and all(_SYMBOL.fullmatch(step) for step in steps):
        if not any(step.startswith("__") for step in steps[2:3]):
            operator = f"{steps[2]}::{steps[3]}"
            operators.add(operator)
            return judged(operator, frozenset())
    elif steps[:3] == ["torch", "ops", "higher_order"]:
        return None
    elif _TARGET.fullmatch(target) and not (steps[0] == "torch" and len(steps) > 2 and _WALKS.search(target[5:])):
        if steps[0] == "torch" and f"aten::{steps[-1]}" in FILE_OPERATORS:
            return judged(f"aten::{steps[-1]}", frozenset())
        return None
    return Oddity("export-code", None, "a node's target is no operator: the loader walks to it", target)


def is_expression(text: Any, key: str = "expr_str") -> bool:
    """True when *text* is what the writer of *key* makes: arithmetic on symbols, or comparisons of sizes."""
    if not isinstance(text, str) or len(text) > 100_000:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return all(_is_plain(node, key == "guards_code") for node in ast.walk(tree))


def _is_plain(node: ast.AST, guard: bool) -> bool:
    if isinstance(node, _PLAIN):
        return not isinstance(node, ast.MatMult)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float | bool) or (
            isinstance(node.value, str) and (guard or bool(_SYMBOL.fullmatch(node.value)))
        )
    if isinstance(node, ast.Name):
        return not node.id.startswith("__") and (guard or len(node.id) <= 80)
    if isinstance(node, ast.Call):
        if guard and isinstance(node.func, ast.Attribute):
            return node.func.attr in _GUARDED
        if not isinstance(node.func, ast.Name):
            return False
        name = node.func.id
        texts = [a for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        return (name[:1].isupper() or name in _FUNCTIONS) and (not texts or name in ("Symbol", "Dummy"))
    if guard and isinstance(node, ast.Attribute):
        return node.attr in _GUARDED
    return guard and isinstance(node, ast.Subscript | ast.Slice)


def _values(document: Any) -> Iterator[tuple[str, Any]]:
    """Every text in *document* with the key under which it (or the list that holds it) stands."""
    return ((key, value) for key, value in descend(("", document), _inside) if isinstance(value, str))


def _inside(item: tuple[str, Any]) -> Iterable[tuple[str, Any]] | None:
    key, value = item
    if isinstance(value, dict):
        return value.items()
    return ((key, inner) for inner in value) if isinstance(value, list) else None

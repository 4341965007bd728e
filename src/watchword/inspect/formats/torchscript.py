"""TorchScript sources: which operators a program calls. Python in form, run by PyTorch's own interpreter.

``code/**.py`` of an archive is compiled when it is loaded; ``__setstate__`` of its classes runs then, the rest with
the model. There is no import and no Python in it, so what it can do is what its operators do:

* ``torch.f`` and ``ops.aten.f`` are the operator ``aten::f``, ``ops.ns.f`` is ``ns::f``; ``x.f(...)`` is ``aten::f``.
  A name may be given to any of them, and ``getattr`` with a constant reaches them: both are followed.
* ``aten::save`` writes a file of any name, ``aten::from_file`` maps one, for writing if it is asked to.
* Operators of a namespace that PyTorch does not bring are native code from elsewhere; so are ``torch.classes``.

Bytecode of the mobile interpreter names its operators as text; they are read from there.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

from watchword.inspect.facts import Oddity

FILE_OPERATORS = {
    "aten::save": "writes a file",
    "aten::from_file": "maps a file, for writing if asked to",
    "debugprims::load_tensor": "reads a file",
    "prim::rpc_async": "calls another machine",
    "prim::rpc_sync": "calls another machine",
    "prim::rpc_remote": "calls another machine",
    "prim::PythonOp": "runs Python",
}
_METHODS = frozenset({"save", "from_file"})
"""Operators that ``x.f(...)`` reaches and that no tensor has as an honest method."""

_NAMESPACES_TEXT = """
    aten prim prims quantized _quantized static_runtime onednn c10d _c10d_functional _c10d_functional_autograd mkldnn
    symm_mem profiler sparse inductor onnx quantization mkldnn_prepacked mkl debugprims _dtensor inductor_prims rngprims
    _native export debug_mode_ops higher_order prepacked xnnpack vulkan vulkan_prepack metal metal_prepack _caffe2
    quantized_decomposed internal horizontal fb rpc dist_c10d dist_rpc cuda rnn xpu mps
"""
NAMESPACES = frozenset(_NAMESPACES_TEXT.split())
"""Namespaces of operators and classes that PyTorch itself registers (its own list of schemas, 1.4 to 2.13)."""

_LIBRARIES_TEXT = """
    torchvision torchaudio torchtext torchao fbgemm torch_scatter torch_sparse torch_cluster torch_spline_conv pyg
    torchrec tensorrt llama executorch_prim dim_order_ops torch_ipex torch_mlu detectron2 image video
"""
LIBRARIES = frozenset(_LIBRARIES_TEXT.split())
"""Namespaces of well-known libraries beside PyTorch: told, not a finding."""

_CODED_NAME = re.compile(rb"(?<![\w:])([A-Za-z_]\w{0,60})::([A-Za-z_]\w{0,100})(?![\w:])")
_LOOSE = re.compile(rb"\b(?:torch|ops)(?:[\s\\]*\.[\s\\]*[A-Za-z_]\w*){1,3}")
_LOOSE_METHOD = re.compile(rb"[.\"'][\s\\]*(save|from_file)\b[\s\\\"')]*\(")


def operators_of(source: bytes, parse: bool = True) -> Iterator[tuple[str, int]]:
    """The operators that *source* names, and the line (from 1) where.

    Methods that are operators too are told as ``.save``. A source that is not Python in form, or is not to be parsed
    because it is long, gives what a search for names finds.
    """
    tree = parsed(source) if parse else None
    if tree is None:
        yield from _loosely(source)
        return
    aliases: dict[str, list[str]] = {}
    for _ in range(2):  # a name for a name
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                path = _path(node.value, aliases)
                if path and path[0] in ("torch", "ops"):
                    aliases[node.targets[0].id] = path
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Call):
            path = _path(node, aliases)
            if path and path[0] in ("torch", "ops", "__torch__"):
                yield from ((name, node.lineno) for name in _named(path))
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in _METHODS
                and _path(node.func, aliases)[:1] not in (["torch"], ["ops"])
            ):
                yield f".{node.func.attr}", node.lineno


def operators_of_bytecode(data: bytes) -> Iterator[str]:
    """The operators that the bytecode of the mobile interpreter names, in the texts of its pickle."""
    for match in _CODED_NAME.finditer(data):
        start, end = match.span()
        # The text's length stands before it; what follows at once is the next opcode.
        if data[start - 5 : start - 4] == b"X":
            end = min(end, start + int.from_bytes(data[start - 4 : start], "little"))
        elif data[start - 2 : start - 1] == b"\x8c":
            end = min(end, start + data[start - 1])
        yield data[start:end].decode()


def judged(operator: str, own_methods: frozenset[str] | set[str], offset: int | None = None) -> Oddity | None:
    """What there is to say of *operator*; *own_methods* are names of methods that the program defines itself."""
    if operator.startswith("."):
        name = operator[1:]
        words = f"calls {name}, an operator that {FILE_OPERATORS[f'aten::{name}']}"
        if name in own_methods:
            return Oddity("torch-custom-op", offset, f"calls {name}: a method of its own, or the operator", operator)
        return Oddity("torch-file-op", offset, words, operator)
    what = FILE_OPERATORS.get(operator)
    if what:
        return Oddity("torch-file-op", offset, f"calls {operator}, which {what}", operator)
    namespace = operator.partition("::")[0]
    if namespace in NAMESPACES or namespace in LIBRARIES:
        return None
    return Oddity("torch-custom-op", offset, f"needs {operator}, which PyTorch does not bring", operator)


def methods_of(source: bytes) -> set[str]:
    """Names of the methods that *source* defines."""
    return {name.decode() for name in re.findall(rb"\bdef\s+(\w{1,100})", source)}


def _loosely(source: bytes) -> Iterator[tuple[str, int]]:
    """What a search finds; names in texts too, names given to others not."""
    line, at = 1, 0
    for match in _LOOSE.finditer(source):
        line, at = line + source.count(b"\n", at, match.start()), match.start()
        path = re.sub(rb"[\s\\]", b"", match.group()).decode()
        yield from ((name, line) for name in _named(path.split(".")))
    line, at = 1, 0
    for match in _LOOSE_METHOD.finditer(source):
        line, at = line + source.count(b"\n", at, match.start()), match.start()
        yield f".{match[1].decode()}", line


def parsed(source: bytes) -> ast.Module | None:
    """The syntax tree of *source*; None when it is not Python in form."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes in its strings
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _path(node: ast.expr, aliases: dict[str, list[str]]) -> list[str]:
    """The dotted path that *node* is, names given to it resolved; empty when it is something else."""
    steps: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            steps.append(node.attr)
            node = node.value
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "getattr"
            and len(node.args) >= 2
            and isinstance(node.args[1], ast.Constant)
        ):
            steps.append(str(node.args[1].value))
            node = node.args[0]
        elif isinstance(node, ast.Name):
            return [*aliases.get(node.id, [node.id]), *reversed(steps)]
        else:
            return []


def _named(path: list[str]) -> Iterator[str]:
    """The operator or class at *path*, which begins with torch, ops or __torch__."""
    if path[0] == "torch" and len(path) >= 2 and path[1] not in ("classes", "ops"):
        yield f"aten::{path[1]}"
    elif path[0] == "torch" and path[1:2] == ["ops"] and len(path) >= 4:
        yield f"{path[2]}::{path[3]}"
    elif path[0] == "ops" and len(path) >= 3:
        yield f"{path[1]}::{path[2]}"
    elif "classes" in path and path[0] in ("torch", "__torch__") and path.index("classes") <= 2:
        rest = path[path.index("classes") + 1 :]
        if len(rest) >= 2:
            yield f"{rest[0]}::{rest[1]}"

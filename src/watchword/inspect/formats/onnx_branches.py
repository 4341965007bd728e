"""Branches of an ONNX graph that are keyed on a pattern in its input: a back door that needs no code and no weights.

Told is one shape only, which trained models do not have: the input, or a sum or a place of it, is compared for equality
with a constant, and the outcome chooses between what the model computes and what does not depend on the input, or which
branch of an ``If`` is run. Comparisons of shapes, of masks element by element, and choices between two computed
values are how models look, and are silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the main graph, in the order of the file."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    offset: int


_SHAPES = frozenset({"Shape", "Size", "ConstantOfShape", "EyeLike", "RandomNormalLike", "RandomUniformLike"})
_SELECTS = frozenset({"ArgMax", "ArgMin", "Gather", "GatherElements", "GatherND", "Slice", "Hash", "Det"})
_KEEPS_TEXT = """
    Cast CastLike Squeeze Unsqueeze Reshape Flatten Identity Mul Add Sub Div Mod Abs Round Floor Ceil BitShift
    BitwiseAnd BitwiseXor BitwiseOr Sum Concat
"""
_KEEPS = frozenset(_KEEPS_TEXT.split())
"""Operators that leave a small number of values a small number of values."""
_LOGIC_TEXT = """
    And Or Not Xor Cast CastLike Identity Squeeze Unsqueeze Reshape Flatten Expand Tile ReduceMax ReduceMin ReduceProd
    Mul
"""
_LOGIC = frozenset(_LOGIC_TEXT.split())


def keyed_branches(nodes: Sequence[Node], inputs: set[str], constants: set[str]) -> list[tuple[int, str]]:
    """Where a branch is keyed on the input (offset, in words), in one pass over *nodes*.

    Args:
        inputs: names of the graph's inputs; *constants* of its initializers, which old files list as inputs too.
    """
    known = set(constants)
    depends = inputs - constants
    raw = set(depends)
    few: set[str] = set()
    keyed: dict[str, str] = {}
    found: list[tuple[int, str]] = []
    for node in nodes:
        used = [name for name in node.inputs if name]
        if node.op == "Constant" or (used and all(name in known for name in used) and node.op != "If"):
            known.update(node.outputs)
            continue
        if node.op in _SHAPES:
            continue
        by_input = any(name in depends for name in used)
        if by_input:
            depends.update(node.outputs)
        if node.op in ("Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze") and used and used[0] in raw:
            raw.update(node.outputs)
        chosen = node.op in _SELECTS and used and used[0] in raw and all(name in known for name in used[1:])
        reduced = node.op.startswith("Reduce") and used and used[0] in depends and used[0] not in keyed
        if chosen or reduced or (node.op in _KEEPS and by_input and _only(used, few, known)):
            few.update(node.outputs)
        if node.op == "Equal" and len(used) == 2 and _only(used, few, known) and any(name in few for name in used):
            other = next(name for name in used if name in few)
            keyed.update((name, other) for name in node.outputs)
        elif node.op in _LOGIC and any(name in keyed for name in used):
            key = next(keyed[name] for name in used if name in keyed)
            keyed.update((name, key) for name in node.outputs)
        if used and used[0] in keyed and (node.op == "If" or (node.op == "Where" and _fixed(used[1:], depends))):
            found.append((node.offset, f"{node.op} is keyed on {keyed[used[0]][:80]!r}, compared with a constant"))
    return found[:20]


def _only(used: list[str], few: set[str], known: set[str]) -> bool:
    return any(name in few for name in used) and all(name in few or name in known for name in used)


def _fixed(branches: list[str], depends: set[str]) -> bool:
    """True when one branch does not depend on the input and the other does."""
    return len(branches) == 2 and (branches[0] in depends) != (branches[1] in depends)

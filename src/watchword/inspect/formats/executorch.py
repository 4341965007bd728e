"""ExecuTorch programs (.pte): which kernels and delegates they call, and where every segment of data lies.

Follows program.fbs (identifier ``ET12``) and the extended header ``eh00`` of the reference implementation. A program
is no code of its own: kernels are compiled into the runtime, delegates are given bytes to interpret. What can hide in
one is an operator that the runtime does not bring, native code handed to a delegate, and bytes outside of all segments.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from watchword.inspect.entropy import entropy
from watchword.inspect.exhibit import MAGIC, Exhibit, Format, Malformed
from watchword.inspect.facts import Oddity
from watchword.inspect.formats.flatbuffers import Buffer, Table
from watchword.inspect.formats.native import what_is
from watchword.inspect.formats.torchscript import judged
from watchword.inspect.source import Part, Source, chunks_of

_PLANS, _INLINE, _SEGMENTS = 1, 3, 4
_OPERATORS, _DELEGATES = 6, 7
_LIBRARIES = frozenset(("et_vk", "cadence", "cortex_m", "executorch_prim", "dim_order_ops", "llama", "et_copy"))
"""Namespaces of kernels that ExecuTorch brings besides PyTorch's."""


@dataclass(slots=True)
class Program:
    """Kernels as ``namespace::name``, delegates by id, and byte ranges of data: (start, length)."""

    operators: set[str] = field(default_factory=set)
    delegates: set[str] = field(default_factory=set)
    data: list[tuple[int, int]] = field(default_factory=list)
    end: int = 0


def read_program(source: Source) -> Program:
    """What the program in *source* says.

    Raises:
        Malformed: an offset leads out of the file, or a segment does.
    """
    head = source.read_at(0, 64)
    base, end = 0, source.size
    if head[8:12] == b"eh00":
        end, base = int.from_bytes(head[16:24], "little"), int.from_bytes(head[24:32], "little")
        if end > source.size or base > source.size:
            raise Malformed(16, "the header says more than the file holds")
    root = Buffer(source).root()
    program = Program(end=end)
    for plan in root.children(_PLANS):
        for operator in plan.children(_OPERATORS):
            program.operators.add(operator.text(0, 200))
        for delegate in plan.children(_DELEGATES):
            program.delegates.add(delegate.text(0, 200))
    program.data += [place for place in map(_bytes, root.children(_INLINE)) if place[1]]
    for segment in root.children(_SEGMENTS):
        start, length = base + segment.number(0, "Q"), segment.number(1, "Q")
        if not base or start + length > source.size:
            raise Malformed(segment.at, f"a segment of {length:,} bytes ends after the file")
        program.data.append((start, length))
        program.end = max(program.end, start + length)
    return program


def _bytes(table: Table) -> tuple[int, int]:
    return table.vector(0, 1)


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    source = exhibit.source
    try:
        program = read_program(source)
    except Malformed as error:
        exhibit.malformed("executorch-broken", error, 0)
        return what, "up to where it is malformed"
    for name in sorted(program.operators):
        odd = judged(name, frozenset()) if name.partition("::")[0] not in _LIBRARIES else None
        if odd is not None:
            exhibit.keep(Oddity(odd.rule, None, odd.message, odd.evidence))
    for start, length in program.data:
        part = Part(source, start, length)
        words = what_is(part, part.read_at(0, 4096))
        if words:
            exhibit.odd("native-code", start, f"data for a delegate or tensor are a {words}")
    after = next((chunk for chunk in chunks_of(source, program.end) if any(chunk)), b"")
    if after:
        words = f"{source.size - program.end:,} bytes after the last segment, {entropy(after):.1f} bits a byte"
        exhibit.odd("executorch-outside", program.end, words, after[:16].hex(" "))
        exhibit.inner(f"bytes@{program.end:#x}", Part(source, program.end, source.size - program.end))
    if program.delegates:
        exhibit.note(f"hands data to the delegates {', '.join(sorted(program.delegates))}"[:400])
    exhibit.merge({"frameworks": ["executorch"], "operators": sorted(program.operators)[:200]})
    return what, "every kernel, delegate and segment listed; their data passed over"


FORMATS = (Format("executorch", MAGIC, lambda source, head, name: head[4:8] == b"ET12", _read, "pte"),)

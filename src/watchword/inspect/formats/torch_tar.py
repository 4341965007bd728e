"""PyTorch files before 0.1.10: a tar of ``sys_info``, ``pickle``, ``storages`` and ``tensors``.

``torch.load`` still reads them, before it tries anything else. ``storages`` and ``tensors`` mix pickles and raw numbers
(``torch.serialization``, ``legacy_load``): a pickled count; for each storage a pickled (key, location, type), then the
number of elements and the elements; for each tensor a pickled (key, storage, type), then dimensions, sizes, strides and
offset. The pickles are judged where they stand; the raw numbers are passed over.
"""

from __future__ import annotations

from watchword.inspect.exhibit import Exhibit
from watchword.inspect.facts import Oddity
from watchword.inspect.formats.pickled import hand_on
from watchword.inspect.pickles.judge import STORAGE_ITEM_BYTES, judge_pickle
from watchword.inspect.pickles.machine import Machine
from watchword.inspect.pickles.opcodes import run
from watchword.inspect.pickles.reader import Reader
from watchword.inspect.pickles.values import Event, Global, Import
from watchword.inspect.source import Part
from watchword.limits import TORCH_TAR_PICKLES_MAX


def read_legacy(exhibit: Exhibit, part: str) -> None:
    """Judge the pickles of the member *part* (``storages`` or ``tensors``)."""
    source = exhibit.source
    at = 0
    seen = count = 0
    while at < source.size and seen <= TORCH_TAR_PICKLES_MAX:
        imports: list[Global] = []

        def remember(event: Event, found: list[Global] = imports) -> None:
            if isinstance(event, Import):
                found.append(event.target)

        machine = Machine(remember)
        outcome = run(machine, Reader(Part(source, at, source.size - at)))
        end = at + outcome.end if outcome.how == "stop" else source.size
        report = judge_pickle(Part(source, at, end - at))
        report.oddities[:] = [
            Oddity(odd.rule, None if odd.offset is None else odd.offset + at, odd.message, odd.evidence)
            for odd in report.oddities
        ]
        hand_on(exhibit, report)
        if outcome.how != "stop":
            return
        if seen == 0:
            count = machine.result if isinstance(machine.result, int) else 0
        seen += 1
        at = end
        if seen > 1:
            at += _raw(exhibit, at, part, imports)
        if seen > count:
            break
    if part == "storages":
        # Views of other storages are told after the last.
        if at < source.size:
            hand_on(exhibit, judge_pickle(Part(source, at, source.size - at)))
    elif at != source.size:
        exhibit.odd("pickle-trailing", at, f"{source.size - at:,} bytes after the end")


def _raw(exhibit: Exhibit, at: int, part: str, imports: list[Global]) -> int:
    """Length of the raw numbers at *at*."""
    source = exhibit.source
    if part == "tensors":
        dimensions = int.from_bytes(source.read_at(at, 4), "little")
        # A count of four bytes and four of nothing, sizes and strides of eight each, an offset of eight.
        return 4 + 4 + dimensions * 16 + 8
    name = next((target.name for target in imports if target.name.endswith("Storage")), "")
    size = STORAGE_ITEM_BYTES.get(name.removesuffix("Storage"))
    numel = int.from_bytes(source.read_at(at, 8), "little")
    if size is None or at + 8 + numel * size > source.size:
        exhibit.odd("pickle-broken", at, f"a storage of {numel:,} elements of {name or 'no type'} ends after the file")
        return source.size - at
    return 8 + numel * size

"""What changed between two releases: files, findings, what loading would do, and how far the weights moved.

* Files are paired by path; two single files are a pair whatever they are called. Equal digests are equal files, and
  their tensors are not read again.
* Tensors are paired by name over all files that differ (sharding may change between releases), by file and name where a
  name stands twice. Each is told by type, shape and digest; where shape is the same and the numbers differ, by how many
  elements moved and how far: Euclidean length of the difference, that over the length of the old, largest step.
* Not compared: code (its digest is), tensors of formats that ``tensors.listing`` does not list.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchword.inspect.facts import FileReport, Finding, Inspection, Progress, shown
from watchword.inspect.source import Held, Opened, chunks_of
from watchword.inspect.tensors.listing import Tensor, tensors_of
from watchword.inspect.walk import changed, list_release, open_file, same
from watchword.limits import (
    COMPARED_NAMED_MAX,
    CONFINED_ANSWER_BYTES_MAX,
    CONFINED_CPU_S_MAX,
    CONFINED_TENSORS,
    SANDBOX_MEMORY_BYTES_MAX,
    UNPACKED_BYTES_MAX,
)
from watchword.sandbox import Kept, NoSandbox, ask_confined

SCHEMA = "watchword-comparison/1"
_TOLD = ("imports", "operators", "hosts", "urls", "frameworks", "licences", "base_models", "datasets")
"""Facts of the bill of materials whose change is told: lists of text."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A tensor of one name on both sides that is not the same. The numbers are None where shape or type has none.

    ``moved`` counts elements; ``distance`` is the Euclidean length of the difference, ``relative`` that over the length
    of the old (None for an old of zeros), ``largest`` the largest step. Elements that are no number are left out.
    """

    name: str
    old: Tensor
    new: Tensor
    old_digest: str
    new_digest: str
    moved: int | None = None
    distance: float | None = None
    relative: float | None = None
    largest: float | None = None

    def to_json(self) -> dict[str, Any]:
        sides = {"old": _tensor(self.old, self.old_digest), "new": _tensor(self.new, self.new_digest)}
        numbers = {name: getattr(self, name) for name in ("moved", "distance", "relative", "largest")}
        return {"name": self.name} | sides | numbers


@dataclass(frozen=True, slots=True)
class Comparison:
    """``files``: (what, path), what being added, removed or changed. ``facts``: kind → (added, removed)."""

    old: Inspection
    new: Inspection
    files: tuple[tuple[str, str], ...]
    unchanged: int
    appeared: tuple[Finding, ...]
    gone: tuple[Finding, ...]
    facts: dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
    added: tuple[Tensor, ...]
    removed: tuple[Tensor, ...]
    moved: tuple[Moved, ...]
    tensors_same: int

    def to_json(self) -> dict[str, Any]:
        """The documented form (docs/reference/json.md): names are cut at COMPARED_NAMED_MAX, counts are whole."""
        cut = COMPARED_NAMED_MAX
        manifest = self.old.manifest
        return {
            "schema": SCHEMA,
            "inspection": self.new.to_json(),
            "against": {
                "target": self.old.target,
                "digest": None if manifest is None else manifest.digest,
                "verdict": str(self.old.verdict),
            },
            "files": [{"what": what, "path": path} for what, path in self.files[:cut]],
            "files_changed": len(self.files),
            "files_unchanged": self.unchanged,
            "findings": {
                "appeared": [one.to_json() for one in self.appeared],
                "gone": [one.to_json() for one in self.gone],
            },
            "facts": {
                kind: {"added": list(more[:cut]), "removed": list(less[:cut])}
                for kind, (more, less) in self.facts.items()
            },
            "tensors": {
                "added": [_tensor(one) for one in self.added[:cut]],
                "removed": [_tensor(one) for one in self.removed[:cut]],
                "moved": [one.to_json() for one in self.moved[:cut]],
                "count": {
                    "added": len(self.added),
                    "removed": len(self.removed),
                    "moved": len(self.moved),
                    "same": self.tensors_same,
                },
                "distance": self.distance,
            },
        }

    @property
    def distance(self) -> float:
        """How far all weights moved: the Euclidean length over all tensors that have numbers on both sides."""
        return math.sqrt(sum(one.distance**2 for one in self.moved if one.distance is not None))


def compare(
    old: Inspection, new: Inspection, old_path: Path, new_path: Path, progress: Progress | None = None,
    *, kept: Kept = Kept.NOTHING,
) -> Comparison:  # fmt: skip
    """What changed from *old* to *new*, two inspections with digests of what lies at the two paths.

    Args:
        kept: what keeps the process that reads the weights, as ``inspect_path`` has it.

    Raises:
        FileChanged: a file changed while its tensors were read.
        NoNumbers: weights differ, and numpy is not installed.
        WatchwordError: either, from a process of its own. NoSandbox: it ended without an answer.
    """
    files, unchanged, pairs = _files(old, new)
    keys = {(one.rule, one.path, one.message) for one in old.findings}
    still = {(one.rule, one.path, one.message) for one in new.findings}
    before = {a.path for a, _ in pairs} | _alone(old, files, "removed")
    after = {b.path for _, b in pairs} | _alone(new, files, "added")
    added, removed, moved, equal = _told(_weights_confined(old_path, before, new_path, after, kept, progress))
    return Comparison(
        old,
        new,
        files,
        unchanged,
        tuple(one for one in new.findings if (one.rule, one.path, one.message) not in keys),
        tuple(one for one in old.findings if (one.rule, one.path, one.message) not in still),
        _facts(old, new),
        added,
        removed,
        tuple(sorted(moved, key=lambda one: (-(one.distance or 0.0), one.name))),
        equal,
    )


def render_comparison(comparison: Comparison, lines_max: int = 40) -> str:
    """As text: what changed, what loading would do now and did not, the tensors that moved furthest; counts last."""
    lines = [f"{what:<9}{shown(path, 200)}" for what, path in comparison.files[:lines_max]]
    lines += _more(len(comparison.files), lines_max, "files")
    for kind, (added, removed) in comparison.facts.items():
        lines += [f"{'new':<9}{kind}: {shown(text, 200)}" for text in added[:lines_max]]
        lines += [f"{'gone':<9}{kind}: {shown(text, 200)}" for text in removed[:lines_max]]
    for what, tensors in (("added", comparison.added), ("removed", comparison.removed)):
        lines += [f"{what:<9}tensor {_named(one)}" for one in tensors[:lines_max]]
        lines += _more(len(tensors), lines_max, "tensors")
    for one in comparison.moved[:lines_max]:
        lines.append(f"{'moved':<9}tensor {shown(one.name, 120)}  {_how_far(one)}")
    lines += _more(len(comparison.moved), lines_max, "tensors")
    total = len(comparison.moved) + comparison.tensors_same
    words = f"{len(comparison.files):,} of {len(comparison.files) + comparison.unchanged:,} files differ"
    if total or comparison.added or comparison.removed:
        words += f"; {len(comparison.moved):,} of {total:,} tensors read moved, {comparison.distance:.4g} in all"
    lines.append(f"against {shown(comparison.old.target, 200)}: {words}")
    return "\n".join(lines)


def _files(
    old: Inspection, new: Inspection
) -> tuple[tuple[tuple[str, str], ...], int, list[tuple[FileReport, FileReport]]]:
    before = {report.path: report for report in old.files}
    after = {report.path: report for report in new.files}
    if len(before) == len(after) == 1:
        before = dict.fromkeys(after, old.files[0])
    told: list[tuple[str, str]] = []
    pairs = []
    unchanged = 0
    for path in sorted(before.keys() | after.keys()):
        if path not in after or path not in before:
            told.append(("removed" if path not in after else "added", path))
        elif before[path].sha256 is not None and before[path].sha256 == after[path].sha256:
            unchanged += 1
        else:
            told.append(("changed", path))
            pairs.append((before[path], after[path]))
    return tuple(told), unchanged, pairs


def _alone(inspection: Inspection, files: tuple[tuple[str, str], ...], what: str) -> set[str]:
    paths = {path for told, path in files if told == what}
    return {report.path for report in inspection.files if report.path in paths}


def _facts(old: Inspection, new: Inspection) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    found = {}
    for kind in _TOLD:
        sides = []
        for one in (old, new):
            lists = [report.facts.get(kind) for report in one.files]
            sides.append({str(text) for texts in lists if isinstance(texts, list) for text in texts})
        if sides[0] != sides[1]:
            found[kind] = tuple(sorted(sides[1] - sides[0])), tuple(sorted(sides[0] - sides[1]))
    return found


def _weights_confined(
    old: Path, before: set[str], new: Path, after: set[str], kept: Kept, progress: Progress | None
) -> Any:
    if kept is Kept.NOTHING:
        return _weights(old, before, new, after, progress or (lambda *_: None))
    from watchword.inspect import source
    from watchword.inspect.confined import unnamed

    spools = unnamed(CONFINED_TENSORS)

    def run(tell: Progress) -> dict[str, Any]:
        source.spare = spools
        return _weights(old, before, new, after, tell)

    try:
        return ask_confined(
            run, [old.resolve(), new.resolve()], kept=kept, memory_bytes=SANDBOX_MEMORY_BYTES_MAX,
            cpu_s=CONFINED_CPU_S_MAX, answer_bytes_max=CONFINED_ANSWER_BYTES_MAX, tell=progress, open_files=spools,
            file_bytes=UNPACKED_BYTES_MAX,
        )  # fmt: skip
    finally:
        for descriptor in spools:
            os.close(descriptor)


def _weights(old: Path, before: set[str], new: Path, after: set[str], tell: Progress) -> dict[str, Any]:
    """How the tensors of the files *before* of the release at *old* and *after* at *new* differ, in plain values."""
    with contextlib.ExitStack() as held:
        ours, theirs = _tensors(held, old, before), _tensors(held, new, after)
        moved, equal = _moved(ours, theirs, tell)
    return {
        "added": [_tensor(tensor) for name, tensor in theirs.items() if name not in ours],
        "removed": [_tensor(tensor) for name, tensor in ours.items() if name not in theirs],
        "moved": [one.to_json() for one in moved],
        "same": equal,
    }


def _told(weights: dict[str, Any]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...], list[Moved], int]:
    """What ``_weights`` says; it comes from a process that may have been taken over."""

    def tensor(value: dict[str, Any]) -> Tensor:
        return Tensor(str(value["name"]), str(value["dtype"]), tuple(map(int, value["shape"])), Held(b""), None)

    def moved(value: dict[str, Any]) -> Moved:
        old, new = value["old"], value["new"]
        far = [None if value[name] is None else float(value[name]) for name in ("distance", "relative", "largest")]
        count = None if value["moved"] is None else int(value["moved"])
        return Moved(
            str(value["name"]), tensor(old), tensor(new), str(old["sha256"]), str(new["sha256"]), count, *far
        )

    try:
        added, removed = (tuple(map(tensor, weights[name])) for name in ("added", "removed"))
        return added, removed, list(map(moved, weights["moved"])), int(weights["same"])
    except (LookupError, TypeError, ValueError) as error:
        raise NoSandbox("the process that was to compare the weights gave no comparison") from error


def _tensors(held: contextlib.ExitStack, path: Path, wanted: set[str]) -> dict[str, Tensor]:
    """The tensors of the files *wanted* of the release at *path*, by name."""
    listed: list[tuple[str, Tensor]] = []
    for found in list_release(path).files:
        if shown(found.path, 4096) not in wanted:
            continue
        descriptor, before = open_file(found)
        tensors = tensors_of(Opened(descriptor, before.st_size))
        if not tensors:
            os.close(descriptor)
            continue

        def check(descriptor: int = descriptor, before: os.stat_result = before, found: Any = found) -> None:
            try:
                if not same(before, os.fstat(descriptor)):
                    raise changed(found)
            finally:
                os.close(descriptor)

        held.callback(check)
        listed += [(found.path, tensor) for tensor in tensors]
    count = Counter(tensor.name for _, tensor in listed)
    return {tensor.name if count[tensor.name] == 1 else f"{file}:{tensor.name}": tensor for file, tensor in listed}


def _moved(before: dict[str, Tensor], after: dict[str, Tensor], tell: Progress) -> tuple[list[Moved], int]:
    both = [name for name in after if name in before]
    total, done = sum(after[name].data.size for name in both), 0
    moved: list[Moved] = []
    for name in both:
        old, new = before[name], after[name]
        digests = _digest(old), _digest(new)
        if (old.dtype, old.shape, digests[0]) != (new.dtype, new.shape, digests[1]):
            moved.append(_step(name, old, new, *digests))
        done += new.data.size
        tell("weights compared", done, total)
    return moved, len(both) - len(moved)


def _digest(tensor: Tensor) -> str:
    hashed = hashlib.sha256()
    for chunk in chunks_of(tensor.data):
        hashed.update(chunk)
    return hashed.hexdigest()


def _step(name: str, old: Tensor, new: Tensor, old_digest: str, new_digest: str) -> Moved:
    """How far a tensor moved, where both sides have numbers in the same shape."""
    from watchword.inspect.tensors.numbers import FLOATS

    numbers = all(one.dtype in FLOATS or one.dtype[:1] in "IU" for one in (old, new))
    if old.shape != new.shape or not numbers:
        return Moved(name, old, new, old_digest, new_digest)
    moved, squares, base, largest = 0, 0.0, 0.0, 0.0
    for one, other in _pairs(old, new):
        moved += int((one != other).sum())
        step = other - one
        finite = step == step
        step, one = step[finite & (abs(step) != math.inf)], one[finite & (abs(one) != math.inf)]
        squares += float((step * step).sum())
        base += float((one * one).sum())
        largest = max(largest, float(abs(step).max(initial=0.0)))
    relative = math.sqrt(squares / base) if base else None
    return Moved(name, old, new, old_digest, new_digest, moved, math.sqrt(squares), relative, largest)


def _pairs(old: Tensor, new: Tensor) -> Iterator[tuple[Any, Any]]:
    """The numbers of both, piece by piece, as doubles."""
    from watchword.inspect.tensors.numbers import numpy, pieces, values

    np = numpy()
    with np.errstate(all="ignore"):
        for (_, one), (_, other) in zip(pieces(old), pieces(new), strict=False):
            length = min(len(one), len(other))
            yield values(one[:length], old.dtype).astype("<f8"), values(other[:length], new.dtype).astype("<f8")


def _tensor(tensor: Tensor, digest: str | None = None) -> dict[str, Any]:
    value = {"name": tensor.name, "dtype": tensor.dtype, "shape": list(tensor.shape)}
    return value if digest is None else value | {"sha256": digest}


def _named(tensor: Tensor) -> str:
    return f"{shown(tensor.name, 120)}  {tensor.dtype} {list(tensor.shape)}"


def _how_far(one: Moved) -> str:
    if (one.old.dtype, one.old.shape) != (one.new.dtype, one.new.shape):
        words = f"{one.old.dtype} {list(one.old.shape)} is now {one.new.dtype} {list(one.new.shape)}"
    else:
        words = f"{one.new.dtype} {list(one.new.shape)}"
    if one.moved is not None:
        relative = "" if one.relative is None else f", {one.relative:.2%} of its length"
        words += f"  {one.moved:,} of {one.new.elements:,} moved"
        words += f", {one.distance:.4g}{relative}, at most {one.largest:.4g}"
    return words


def _more(count: int, shown_: int, what: str) -> list[str]:
    return [f"{'':<9}and {count - shown_:,} more {what}"] if count > shown_ else []

"""How two deliveries of one data set differ, row by row, from their manifests alone. Pure: no data is read.

1. The two must be comparable: one format, one set of purposes. Else nothing is said.
2. Rows are matched. With a key column: by key. Without one: by their features, as a multiset; among rows with the same
   features first those that agree in everything, then those that agree in the label, then in the order of the rows.
3. A row of the old delivery without a match was *removed*, one of the new *added*. A matched pair may differ in
   *features*, in *label*, in *origin* (source or annotator), or in several; each counts under each.
4. Of the matched rows, *moved* are those outside a longest run of rows that kept their order: the fewest moves that
   explain the new order. (Where rows without a key are exact copies, there may be fewer.)
5. Counts are kept per source and per annotator: the new delivery's, of removed rows the old one's.
6. A name *stands out* when so many changes on it have a probability under 1 %, after as many looks as were taken
   (Bonferroni), if each matched row were as likely to change as any other (Fisher's exact test).

Not told apart: without a key, a row whose features changed is one removed and one added; which of several rows with
equal features changed its label; and what ``data.row`` says about numbers.
Time: linear but for 4, which is n log n; memory: about 300 bytes a row that differs, 8 a row that does not.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from operator import lt
from pathlib import Path
from typing import Any, Literal

from watchword.chance import chance_of_at_least
from watchword.data.manifest import RowManifest, read_manifest
from watchword.data.row import DIGEST_BYTES, NO_LABEL, DataError
from watchword.limits import DATA_CHANGES_NAMED_MAX, DATA_GROUPS_NAMED_MAX
from watchword.processes import shared

SCHEMA = "watchword-data-difference/1"
STANDS_OUT_BELOW = 0.01
"""Probability, after correction, under which a name stands out. Origin: one false alarm in a hundred deliveries."""

Kind = Literal["changed-label", "changed-features", "changed-origin", "removed", "added"]
KINDS: tuple[Kind, ...] = ("changed-label", "changed-features", "changed-origin", "removed", "added")
"""Worst first."""

_Kinds = tuple[Kind, ...]
_Tally = Counter[tuple[str | None, _Kinds]]
_COMPARED_ROWS = 4096
_RUN_ROWS = 64
_SHARED_BYTES = 16 * 1024 * 1024
"""A manifest that is worth a process. Origin: starting one takes as long as reading 6 MB, handing it over as 2 MB."""
_NONE = -1


class NotComparable(DataError):
    """Two manifests that were not made in the same way."""


@dataclass(frozen=True)
class Change:
    """One row that differs.

    Attributes:
        kinds: what happened to it, worst first.
        key: its key, or None without a key column.
        old_row, new_row: counted from 1; None where the delivery has it not.
        source, annotator: of the new delivery; of a removed row, of the old.
        old_source, old_annotator: what they were, where the origin changed; else the same.
        old_label, new_label: label digests in hex, None where there is none.
        old_label_shown, new_label_shown: canonical JSON text, where the manifest reveals it.
    """

    kinds: tuple[Kind, ...]
    key: str | None
    old_row: int | None
    new_row: int | None
    source: str | None
    annotator: str | None
    old_source: str | None
    old_annotator: str | None
    old_label: str | None
    new_label: str | None
    old_label_shown: str | None
    new_label_shown: str | None


@dataclass(frozen=True)
class Share:
    """What one source or annotator has of the change.

    Attributes:
        rows: how many the new delivery has of it.
        changed: rows with any change, each once; the others count a row under each of its kinds.
    """

    name: str | None
    rows: int
    changed: int
    changed_label: int
    changed_features: int
    changed_origin: int
    removed: int
    added: int


@dataclass(frozen=True)
class StandOut:
    """A name with more of the changes than chance explains: evidence, not proof.

    Attributes:
        by: ``source`` or ``annotator``.
        hits, changes: changes of this kind on it, and in all.
        rows, rows_all: matched rows that it has, and in all.
        chance: probability of *hits* or more by chance, corrected for *looks* names looked at; at least 1e-300.
    """

    by: Literal["source", "annotator"]
    name: str | None
    kind: Kind
    hits: int
    changes: int
    rows: int
    rows_all: int
    looks: int
    chance: float


@dataclass(frozen=True)
class Side:
    """One of the two deliveries: its manifest's digest, root, set digest and data file in ``sha256:…`` form."""

    manifest: str
    root: str
    set: str
    file: str
    rows: int


@dataclass(frozen=True)
class Difference:
    """How *new* differs from *old*.

    Attributes:
        matched_by: ``key`` or ``features``; *key* names the column.
        identical: matched rows that differ in nothing (they may have moved).
        moved: matched rows to be moved to explain the new order.
        counts: rows of each kind; a row may be of several.
        worst: rows by the worst of their kinds, each once; together rows_changed.
        changes: of each kind the first DATA_CHANGES_NAMED_MAX, worst kind first, a row once under its worst.
        columns_added, columns_removed: names; columns_retyped: (name, old type, new type).
        by_source, by_annotator: shares, most changes first, at most DATA_GROUPS_NAMED_MAX; None without the column.
        sources, annotators: how many different ones there are in both deliveries.
    """

    old: Side
    new: Side
    matched_by: Literal["key", "features"]
    key: str | None
    identical: int
    moved: int
    counts: dict[Kind, int]
    worst: dict[Kind, int]
    rows_changed: int
    changes: tuple[Change, ...]
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    columns_retyped: tuple[tuple[str, str, str], ...]
    by_source: tuple[Share, ...] | None
    by_annotator: tuple[Share, ...] | None
    sources: int
    annotators: int
    stands_out: tuple[StandOut, ...]

    def _repr_html_(self) -> str:
        """What a notebook shows where this is the value of a cell."""
        from watchword.data.text import render_text
        from watchword.report.cell import cell

        return cell(render_text(self))

    @property
    def verdict(self) -> Literal["identical", "re-ordered", "different"]:
        """``identical``: the same rows in the same order; ``re-ordered``: the same rows; else ``different``."""
        if self.rows_changed or self.columns_added or self.columns_removed or self.columns_retyped:
            return "different"
        return "re-ordered" if self.moved else "identical"

    def to_json(self) -> dict[str, Any]:
        """JSON values by the schema ``watchword-data-difference/1`` (``difference.schema.json`` beside this file)."""
        values: dict[str, Any] = {"schema": SCHEMA, "verdict": self.verdict, **asdict(self)}
        values["changes_not_named"] = self.rows_changed - len(self.changes)
        return {name: _lists(value) for name, value in values.items()}


def diff_rows(old: RowManifest | Path, new: RowManifest | Path) -> Difference:
    """The difference of two deliveries (see the module for its rules).

    Args:
        old, new: manifests, or manifest files to read.

    Raises:
        NotComparable: other formats or other purposes.
        DataError: a manifest file that cannot be read (see `read_manifest`).
    """
    if isinstance(old, Path) and isinstance(new, Path) and _large(old) and _large(new):
        # Every digest of both is computed anew, on a core each.
        old, new = shared(read_manifest, (old, new))
    old = read_manifest(old) if isinstance(old, Path) else old
    new = read_manifest(new) if isinstance(new, Path) else new
    _check_comparable(old, new)
    matches = _match(old, new)
    return _difference(old, new, matches)


def _large(path: Path) -> bool:
    return path.is_file() and path.stat().st_size >= _SHARED_BYTES


def fresh_rows(old: RowManifest, new: RowManifest) -> list[int]:
    """The rows of *new* (from 0) that *old* has not, or has with another label or other features."""
    _check_comparable(old, new)
    changes = _changed(old, new, _match(old, new))
    return [row for kinds, _, row in changes if row != _NONE and kinds != ("changed-origin",)]


@dataclass(frozen=True)
class _Matches:
    """*partner* holds, for each new row from *first* up to before the last *after*, its old row or -1."""

    first: int
    after: int
    partner: array[int]
    removed: list[int]


def _check_comparable(old: RowManifest, new: RowManifest) -> None:
    if old.format != new.format:
        hint = "one value has other bytes in another format; compare deliveries of one format"
        raise NotComparable(f"the deliveries are {old.format} and {new.format}", hint)
    if old.roles != new.roles:
        told = [", ".join(f"{p} {n!r}" for p, n in m.roles.named().items()) or "none" for m in (old, new)]
        hint = "make both manifests with the same columns for key, label, source and annotator"
        raise NotComparable(f"the manifests name other columns: {told[0]}; {told[1]}", hint)


def _match(old: RowManifest, new: RowManifest) -> _Matches:
    # Rows that agree from the start and from the end are matched as they stand: a re-delivery mostly agrees, and
    # among exact copies this keeps the moves few.
    shorter = min(old.rows, new.rows)
    first = _agreeing(old.leaves, new.leaves, shorter, from_end=False)
    after = _agreeing(old.leaves, new.leaves, shorter - first, from_end=True)
    olds, news = range(first, old.rows - after), range(first, new.rows - after)
    partner = array("q", [_NONE]) * len(news)
    if old.keys is not None and new.keys is not None:
        if len(olds) == len(news) and old.keys[first : olds.stop] == new.keys[first : news.stop]:
            return _Matches(first, after, array("q", olds), [])
        places = {old.keys[row]: row for row in olds}
        for at, row in enumerate(news):
            partner[at] = places.pop(new.keys[row], _NONE)
        return _Matches(first, after, partner, list(places.values()))
    taken = bytearray(old.rows)
    for same in (_leaf_of, _features_and_label_of, _features_of):
        _pair(olds, news, partner, taken, same(old), same(new))
    return _Matches(first, after, partner, [row for row in olds if not taken[row]])


def _pair(
    olds: range,
    news: range,
    partner: array[int],
    taken: bytearray,
    old_of: Callable[[int], bytes],
    new_of: Callable[[int], bytes],
) -> None:
    """Pair rows not yet paired whose bytes are the same, in row order."""
    heads: dict[bytes, int] = {}
    following = array("q", [_NONE]) * len(olds)
    for row in reversed(olds):
        if not taken[row]:
            same = old_of(row)
            following[row - olds.start] = heads.get(same, _NONE)
            heads[same] = row
    for at, row in enumerate(news):
        if partner[at] == _NONE and (old_row := heads.get(same := new_of(row), _NONE)) != _NONE:
            partner[at], heads[same] = old_row, following[old_row - olds.start]
            taken[old_row] = 1


def _leaf_of(manifest: RowManifest) -> Callable[[int], bytes]:
    return lambda row: _at(manifest.leaves, row)


def _features_of(manifest: RowManifest) -> Callable[[int], bytes]:
    return lambda row: _at(manifest.features, row)


def _features_and_label_of(manifest: RowManifest) -> Callable[[int], bytes]:
    return lambda row: _at(manifest.features, row) + _at(manifest.labels, row)


def _at(digests: bytes, row: int) -> bytes:
    return digests[row * DIGEST_BYTES : row * DIGEST_BYTES + DIGEST_BYTES]


def _agreeing(old: bytes, new: bytes, rows_max: int, *, from_end: bool) -> int:
    """How many leaves agree, up to *rows_max*, counted from one end."""
    rows, step = 0, _COMPARED_ROWS
    while step and rows < rows_max:
        take = min(step, rows_max - rows)
        low, high = rows * DIGEST_BYTES, (rows + take) * DIGEST_BYTES
        if from_end:
            same = old[len(old) - high : len(old) - low] == new[len(new) - high : len(new) - low]
        else:
            same = old[low:high] == new[low:high]
        if same:
            rows += take
        else:
            step //= 2
    return rows


def _difference(old: RowManifest, new: RowManifest, matches: _Matches) -> Difference:
    tally: Counter[_Kinds] = Counter()
    named: dict[Kind, list[Change]] = {kind: [] for kind in KINDS}
    by_name: dict[str, _Tally] = {"source": Counter(), "annotator": Counter()}
    for kinds, old_row, new_row in _changed(old, new, matches):
        tally[kinds] += 1
        manifest, row = (old, old_row) if new_row == _NONE else (new, new_row)
        by_name["source"][manifest.sources[row], kinds] += 1
        by_name["annotator"][manifest.annotators[row], kinds] += 1
        if len(named[kinds[0]]) < DATA_CHANGES_NAMED_MAX:
            named[kinds[0]].append(_change(old, new, kinds, old_row, new_row))

    counts = {kind: sum(rows for kinds, rows in tally.items() if kind in kinds) for kind in KINDS}
    rows_changed = tally.total()
    matched = new.rows - counts["added"]
    by_source = _shares(new.sources, old.sources, by_name["source"]) if new.roles.source else None
    by_annotator = _shares(new.annotators, old.annotators, by_name["annotator"]) if new.roles.annotator else None
    return Difference(
        old=_side(old),
        new=_side(new),
        matched_by="key" if new.keys is not None else "features",
        key=new.roles.key,
        identical=matched - (rows_changed - counts["added"] - counts["removed"]),
        moved=_moved(matches.partner),
        counts=counts,
        worst={kind: sum(rows for kinds, rows in tally.items() if kinds[0] == kind) for kind in KINDS},
        rows_changed=rows_changed,
        changes=tuple(change for kind in KINDS for change in named[kind]),
        **_columns(old, new),
        by_source=None if by_source is None else tuple(by_source[:DATA_GROUPS_NAMED_MAX]),
        by_annotator=None if by_annotator is None else tuple(by_annotator[:DATA_GROUPS_NAMED_MAX]),
        sources=len(by_source or ()),
        annotators=len(by_annotator or ()),
        stands_out=_standing_out({"source": by_source or [], "annotator": by_annotator or []}, counts, matched),
    )


def _changed(old: RowManifest, new: RowManifest, matches: _Matches) -> Iterator[tuple[_Kinds, int, int]]:
    """(kinds, old row, new row) of every row that differs; -1 where a delivery has it not."""
    for start in range(0, len(matches.partner), _RUN_ROWS):
        part, first = matches.partner[start : start + _RUN_ROWS], matches.first + start
        if _runs_alike(old.leaves, new.leaves, part, first):
            continue
        for row, old_row in enumerate(part, start=first):
            if old_row == _NONE:
                yield ("added",), _NONE, row
            elif _at(old.leaves, old_row) != _at(new.leaves, row):
                yield _kinds(old, new, old_row, row), old_row, row
    for old_row in matches.removed:
        yield ("removed",), old_row, _NONE


def _runs_alike(old: bytes, new: bytes, part: array[int], first: int) -> bool:
    """Whether the partners *part* of the new rows from *first* stand in a row too, and all are the same leaves."""
    low, rows = part[0], len(part)
    if low == _NONE or part != array("q", range(low, low + rows)):
        return False
    size = rows * DIGEST_BYTES
    at, new_at = low * DIGEST_BYTES, first * DIGEST_BYTES
    return old[at : at + size] == new[new_at : new_at + size]


def _kinds(old: RowManifest, new: RowManifest, old_row: int, new_row: int) -> _Kinds:
    kinds: list[Kind] = []
    if _at(old.labels, old_row) != _at(new.labels, new_row):
        kinds.append("changed-label")
    if _at(old.features, old_row) != _at(new.features, new_row):
        kinds.append("changed-features")
    if (old.sources[old_row], old.annotators[old_row]) != (new.sources[new_row], new.annotators[new_row]):
        kinds.append("changed-origin")
    return tuple(kinds)


def _change(old: RowManifest, new: RowManifest, kinds: _Kinds, old_row: int, new_row: int) -> Change:
    before, after = _facts(old, old_row), _facts(new, new_row)
    there = before if new_row == _NONE else after
    earlier = after if old_row == _NONE else before
    return Change(
        kinds=kinds,
        key=there[0],
        old_row=None if old_row == _NONE else old_row + 1,
        new_row=None if new_row == _NONE else new_row + 1,
        source=there[1],
        annotator=there[2],
        old_source=earlier[1],
        old_annotator=earlier[2],
        old_label=before[3],
        new_label=after[3],
        old_label_shown=before[4],
        new_label_shown=after[4],
    )


def _facts(manifest: RowManifest, row: int) -> tuple[str | None, ...]:
    """Key, source, annotator, label digest and shown label of a row; all None for no row."""
    if row == _NONE:
        return (None,) * 5
    label = _at(manifest.labels, row)
    return (
        None if manifest.keys is None else manifest.keys[row],
        manifest.sources[row],
        manifest.annotators[row],
        None if label == NO_LABEL else label.hex(),
        None if manifest.shown_labels is None else manifest.shown_labels[row],
    )


def _moved(partner: array[int]) -> int:
    """Matched rows less a longest increasing run of their old places (patience sorting, n log n)."""
    places = [place for place in partner if place != _NONE]
    if all(map(lt, places, places[1:])):
        return 0
    ends: list[int] = []
    for place in places:
        if not ends or place > ends[-1]:
            ends.append(place)
        else:
            ends[bisect_left(ends, place)] = place
    return len(places) - len(ends)


def _shares(new_names: tuple[str | None, ...], old_names: tuple[str | None, ...], tally: _Tally) -> list[Share]:
    rows = Counter(new_names)
    changed: Counter[str | None] = Counter()
    hits = {name: dict.fromkeys(KINDS, 0) for name in rows.keys() | set(old_names)}
    for (name, kinds), times in tally.items():
        changed[name] += times
        for kind in kinds:
            hits[name][kind] += times
    shares = [Share(name, rows[name], changed[name], *of_kind.values()) for name, of_kind in hits.items()]
    return sorted(shares, key=_worst_first)


def _worst_first(share: Share) -> tuple[int, int, int, bool, str]:
    others = share.changed_origin + share.removed + share.added
    return -share.changed_label, -share.changed_features, -others, share.name is None, share.name or ""


def _standing_out(groups: dict[Any, list[Share]], counts: dict[Kind, int], matched: int) -> tuple[StandOut, ...]:
    asked: tuple[tuple[Kind, str], ...] = (
        ("changed-label", "changed_label"),
        ("changed-features", "changed_features"),
    )
    candidates = [
        (by, share, kind, getattr(share, count))
        for by, shares in groups.items()
        if len(shares) > 1
        for kind, count in asked
        if counts[kind]
        for share in shares
    ]
    found = []
    for by, share, kind, hits in candidates:
        rows = share.rows - share.added
        if hits * matched <= counts[kind] * rows:
            continue  # no more than its part
        chance = chance_of_at_least(hits, counts[kind], rows, matched) * len(candidates)
        if chance < STANDS_OUT_BELOW:
            found.append(StandOut(by, share.name, kind, hits, counts[kind], rows, matched, len(candidates), chance))
    return tuple(sorted(found, key=lambda one: one.chance)[:DATA_GROUPS_NAMED_MAX])


def _columns(old: RowManifest, new: RowManifest) -> dict[str, Any]:
    before, after = dict(old.columns), dict(new.columns)
    return {
        "columns_added": tuple(name for name in after if name not in before),
        "columns_removed": tuple(name for name in before if name not in after),
        "columns_retyped": tuple(
            (name, kind, after[name]) for name, kind in before.items() if after.get(name, kind) != kind
        ),
    }


def _side(manifest: RowManifest) -> Side:
    facts = manifest.to_json()
    return Side(facts["manifest"], facts["root"], facts["set"], f"sha256:{manifest.file_sha256}", manifest.rows)


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _lists(inner) for name, inner in value.items()}
    return [_lists(inner) for inner in value] if isinstance(value, (tuple, list)) else value

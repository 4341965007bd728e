"""A row manifest: what a delivery holds, row by row, without the data. Made from a file, written, read back strictly.

The file format ``watchword-data-manifest/1`` is JSON lines, because it streams both ways, a bad line can be named, and
two of them can be looked at with any tool. Every line is RFC 8785 and ends with LF:

1. the head: ``{"format": "csv" | "jsonl" | "parquet" | "arrow" | "npz" | "tar", "reveals_labels": bool, "roles":
   {"key" | "label" | "source" | "annotator": column}, "schema": "watchword-data-manifest/1"}``; a purpose without a
   column is not in ``roles``;
2. one row line a row, in row order (``data.row`` defines it); where labels are revealed a sixth element is the
   canonical JSON text of the label, or null for none or for one over DATA_LABEL_SHOWN_BYTES_MAX bytes. The leaf is
   over the first five, so that revealing labels or not changes no root;
3. the tail: ``{"columns": [[name, type], …], "file": {"bytes": n, "sha256": hex}, "root": "sha256:…", "rows": n,
   "set": "sha256:…", "sha256": hex}``: the columns in file order (of JSON lines by name), the
   data file, the Merkle root, the set digest, and the digest of every byte before this line. ``type`` is ``string``
   for CSV, ``json`` for JSON lines and tar, Arrow's name for Parquet and Arrow, numpy's for NPZ.

* Reading makes each line again from what it read and compares the bytes; recomputes root, set and digest; refuses a
  key that stands twice. So one manifest has one spelling.
* Keys, sources, annotators and column names stand in the clear: a manifest is for those who may see them.
* Memory: about 200 bytes a row and its names, once as long while it is made.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from watchword.data.delivery import (
    Delivery,
    Progress,
    Roles,
    Row,
    TooLarge,
    csv_rows,
    jsonl_rows,
    missing_column,
)
from watchword.data.row import (
    BATCH_ROWS,
    DIGEST_BYTES,
    NO_LABEL,
    DataError,
    RowTree,
    canonical,
    canonical_lines,
    features_digest,
    hexes,
    label_digest,
    leaf_hashes,
    set_digest,
)
from watchword.limits import (
    DATA_COLUMNS_MAX,
    DATA_LABEL_SHOWN_BYTES_MAX,
    DATA_MANIFEST_BYTES_MAX,
    DATA_NAME_BYTES_MAX,
    DATA_ROW_BYTES_MAX,
    DATA_ROWS_MAX,
    JSON_INTEGER_MAX,
)
from watchword.sandbox import Kept

SCHEMA = "watchword-data-manifest/1"
_RowLine = tuple[str | None, str, str | None, str | None, str | None]
_NO_LABEL_HEX = NO_LABEL.hex()
# The longest line is a tail of as many columns as there may be, each with a type and with every character escaped.
_LINE_BYTES_MAX = DATA_COLUMNS_MAX * DATA_NAME_BYTES_MAX * 8


class DuplicateKey(DataError):
    """Two rows have one key; the message names both."""


class BadManifest(DataError):
    """A manifest file that is not one, is cut off, or does not say what its rows say."""


@dataclass(frozen=True)
class RowManifest:
    """What a delivery holds. Rows are columns of equal length; row *n* of a report is index *n* - 1 here.

    Attributes:
        format: ``csv``, ``jsonl``, ``parquet``, ``arrow``, ``npz`` or ``tar``.
        roles: which columns are key, label, source, annotator.
        columns: (name, type) in file order; of JSON lines, every member that some row has, by name.
        file_bytes, file_sha256: the data file; the digest in hex.
        keys: one a row, all different; None where no key column was named.
        features, labels, leaves: digests of 32 bytes side by side; a label may be `NO_LABEL`.
        sources, annotators: one a row, None where the row has none.
        shown_labels: one a row (canonical JSON text or None), or None where labels are not revealed.
        root, set_digest: 32 bytes each (see ``data.row``).
        digest: SHA-256 of the manifest file, 32 bytes: what a statement names.
    """

    format: str
    roles: Roles
    columns: tuple[tuple[str, str], ...]
    file_bytes: int
    file_sha256: str
    keys: tuple[str, ...] | None = field(repr=False)
    features: bytes = field(repr=False)
    labels: bytes = field(repr=False)
    leaves: bytes = field(repr=False)
    sources: tuple[str | None, ...] = field(repr=False)
    annotators: tuple[str | None, ...] = field(repr=False)
    shown_labels: tuple[str | None, ...] | None = field(repr=False)
    root: bytes
    set_digest: bytes
    digest: bytes

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.leaves) // DIGEST_BYTES

    def to_json(self) -> dict[str, Any]:
        """The facts without the rows, as JSON values: what a statement about the delivery holds."""
        return {
            "schema": SCHEMA,
            "format": self.format,
            "roles": self.roles.named(),
            "columns": [list(column) for column in self.columns],
            "file": {"bytes": self.file_bytes, "sha256": self.file_sha256},
            "rows": self.rows,
            "root": _named(self.root),
            "set": _named(self.set_digest),
            "manifest": _named(self.digest),
        }


def manifest_rows(
    path: Path,
    *,
    key: str | None = None,
    label: str | None = None,
    source: str | None = None,
    annotator: str | None = None,
    reveal: bool = False,
    kept: Kept = Kept.NOTHING,
    progress: Progress | None = None,
) -> RowManifest:
    """The manifest of a CSV, JSON lines, Parquet, Arrow, NPZ or tar file.

    Args:
        path: one regular file; its format is told by content.
        key: the column whose values name the rows; without one, rows are told by their features.
        label: the column that a model is taught to say.
        source, annotator: the columns that say where a row is from and who labelled it; they are not features.
        reveal: hold the label values, so that a difference can show them; else digests only.
        kept: what keeps a process of its own, in which pyarrow or numpy read (``data.apart``); by nothing, this one.
        progress: called with (file name, bytes done, bytes in all).

    Raises:
        UnreadableData, TooLarge, FileChanged, MissingColumn, MissingExtra, DuplicateKey: all `DataError`.
    """
    roles = Roles(key, label, source, annotator)
    with Delivery(path, progress) as delivery:
        columns, rows, seen = open_rows(delivery, roles, kept)
        kind = delivery.format()
        assembly = _Assembly(path, kind, roles, reveal)
        while batch := list(itertools.islice(rows, BATCH_ROWS)):
            assembly.add(batch)
        if kind in ("jsonl", "tar"):
            columns = [(name, "json") for name in sorted(seen)]
            for purpose, name in roles.named().items():
                if name not in seen:
                    missing_column(delivery, purpose, name, list(seen))
        file_bytes, file_sha256 = delivery.finish()
    if not assembly.tree.size:
        delivery.fail("has a header and no rows", "a delivery has at least one row; ask for the file again")
    manifest, _ = assembly.finish(columns, file_bytes, file_sha256)
    return manifest


def open_rows(
    delivery: Delivery, roles: Roles, kept: Kept = Kept.NOTHING
) -> tuple[list[tuple[str, str]], Iterator[Row], dict[str, None]]:
    """The (name, type) of each column, the rows as they are read, and the members seen, where columns are known last.

    Raises:
        UnreadableData, TooLarge, MissingColumn, MissingExtra: while iterating, too.
    """
    kind, seen = delivery.format(), dict[str, None]()
    if kind == "csv":
        header, rows = csv_rows(delivery, roles)
        return [(name, "string") for name in header], rows, seen
    if kind == "jsonl":
        return [], jsonl_rows(delivery, roles, seen), seen
    if kind == "tar":
        from watchword.data.tar import tar_rows

        return [], tar_rows(delivery, roles, seen), seen
    if kept is not Kept.NOTHING:
        from watchword.data.apart import rows_apart

        return *rows_apart(lambda: _reader(kind), delivery, roles, kept), seen
    return *_reader(kind)(delivery, roles), seen


def _reader(kind: str) -> Callable[[Delivery, Roles], tuple[list[tuple[str, str]], Iterator[Row]]]:
    """The reader of a format that names its columns first and needs a package of the extra ``data``."""
    if kind == "npz":
        from watchword.data.arrays import npz_rows

        return npz_rows
    if kind == "arrow":
        from watchword.data.arrow import arrow_rows

        return arrow_rows
    from watchword.data.parquet import parquet_rows

    return parquet_rows


def write_manifest(manifest: RowManifest, path: Path) -> None:
    """Write *manifest* to *path*, whole or not at all.

    Raises:
        DataError: the folder is missing, full, or not writable.
    """
    write_whole(_blocks(manifest), path)


def write_whole(blocks: Iterable[bytes], path: Path) -> None:
    """Write *blocks* to *path*, all of them or none. Raises as `write_manifest`."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as draft:
            try:
                draft.writelines(blocks)
                draft.flush()
                os.fsync(draft.fileno())
                Path(draft.name).replace(path)
            except BaseException:
                Path(draft.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {(error.strerror or 'failed').lower()}") from error


def read_manifest(path: Path, *, progress: Progress | None = None) -> RowManifest:
    """The manifest in the file at *path*, every digest in it recomputed.

    Raises:
        BadManifest: not a manifest of version 1, cut off, altered, or spelled in another way.
        DuplicateKey, TooLarge, FileChanged, UnreadableData: as for a data file.
    """
    # Its digest is that of the lines as they are made again, so the bytes are not hashed a second time.
    with Delivery(path, progress, hashed=False) as delivery:
        if delivery.size > DATA_MANIFEST_BYTES_MAX:
            raise TooLarge(f"{path}: has {delivery.size:,} bytes, the limit is {DATA_MANIFEST_BYTES_MAX:,}")
        try:
            manifest = _read(path, _whole_lines(path, delivery))
        except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError) as error:
            raise _bad(path, f"is not a row manifest: {error}") from error
        delivery.finish()
    return manifest


def _read(path: Path, blocks: Iterator[bytes]) -> RowManifest:
    first, _, rest = next(blocks, b"").partition(b"\n")
    head = msgspec.json.decode(first, type=_Head)
    if head.schema != SCHEMA:
        hint = "a newer watchword may read it"
        raise BadManifest(f"{path}: has the format {head.schema[:80]!r}, this version reads {SCHEMA!r}", hint)
    roles = Roles(**{p: head.roles.get(p) for p in ("key", "label", "source", "annotator")})
    assembly = _Assembly(path, head.format, roles, head.reveals_labels)
    if assembly.head != first:
        raise _bad(path, "line 1 is not spelled as a manifest head")
    decoder = msgspec.json.Decoder(_RevealedLine if head.reveals_labels else _RowLine)
    last = b""
    for block in itertools.chain([rest], blocks):
        if last:
            raise _bad(path, "goes on after its last line")
        start = block.rfind(b"\n", 0, -1) + 1
        if block[start : start + 1] == b"{":
            block, last = block[:start], block[start:-1]
        made = assembly.put(decoder.decode_lines(block))
        if made != block:
            pairs = zip(made.split(b"\n"), block.split(b"\n"), strict=False)
            row = next(row for row, (ours, theirs) in enumerate(pairs) if ours != theirs)
            line = assembly.tree.size - made.count(b"\n") + row + 2
            raise _bad(path, f"line {line:,} is not spelled as a row line")
    if not last:
        raise _bad(path, f"is cut off after {assembly.tree.size:,} rows")
    tail = msgspec.json.decode(last, type=_Tail)
    manifest, tail_made = assembly.finish(tail.columns, tail.file.bytes, tail.file.sha256)
    if tail_made != last or not manifest.rows:
        raise _bad(path, "its last line does not say what its rows say")
    if missing := set(roles.named().values()) - {name for name, _ in tail.columns}:
        raise _bad(path, f"names a purpose for {sorted(missing)[0]!r}, which is not among its columns")
    return manifest


class _Assembly:
    """A manifest in the making, from data or from a manifest file: takes rows in order, checks keys, keeps digests."""

    def __init__(self, path: Path, kind: str, roles: Roles, reveal: bool) -> None:
        self._path, self._kind, self._roles = path, kind, roles
        self.tree = RowTree()
        self._keys: dict[str | None, None] = {}
        self._features, self._labels, self._leaves = bytearray(), bytearray(), bytearray()
        self._sources, self._annotators = _Names(), _Names()
        self._shown = _Names() if reveal else None
        self.head = _head(kind, roles, reveal)
        self._written = hashlib.sha256(self.head + b"\n")
        self._bytes = len(self.head) + 1

    def add(self, rows: list[Row]) -> None:
        """Take rows of data.

        Raises:
            TooLarge, DuplicateKey: see `put`; a row whose canonical form is over its limit.
        """
        if max(len(row.features) for row in rows) > DATA_ROW_BYTES_MAX:
            at = next(at for at, row in enumerate(rows, 1) if len(row.features) > DATA_ROW_BYTES_MAX)
            what = f"row {self.tree.size + at:,} is over {DATA_ROW_BYTES_MAX:,} canonical bytes"
            raise TooLarge(f"{self._path}: {what}", "leave large content in files and name them by digest")
        self.put([_line(row, self._shown is not None) for row in rows])

    def put(self, rows: Sequence[_RowLine] | Sequence[_RevealedLine]) -> bytes:
        """Take rows as their lines hold them; return the lines.

        Raises:
            TooLarge: more rows or bytes than a manifest may have.
            DuplicateKey: a key that an earlier row has.
            BadManifest: a digest of the wrong size, a name without its column, a label text that is not the label's.
        """
        if not rows:
            return b""
        if self.tree.size + len(rows) > DATA_ROWS_MAX:
            raise TooLarge(f"{self._path}: has over {DATA_ROWS_MAX:,} rows")
        keys, features, labels, sources, annotators, *shown = zip(*rows, strict=True)
        self._take_keys(keys)
        roles = (self._roles.label, self._roles.source, self._roles.annotator)
        for role, values in zip(roles, (labels, sources, annotators), strict=True):
            if role is None and values.count(None) != len(values):
                raise _bad(self._path, "has a value for a column that its head does not name")
        self._features += self._digests(features)
        self._labels += self._digests([_NO_LABEL_HEX if label is None else label for label in labels])
        self._sources.extend(sources)
        self._annotators.extend(annotators)
        block = canonical_lines(rows)
        if self._shown is None:
            leaves = leaf_hashes(block.split(b"\n")[:-1])
        else:
            leaves = leaf_hashes(canonical(row[:5]) for row in rows)
            self._take_shown(shown[0], labels)
        self.tree.extend(leaves)
        self._leaves += b"".join(leaves)
        self._written.update(block)
        self._bytes += len(block)
        if self._bytes > DATA_MANIFEST_BYTES_MAX:
            raise TooLarge(f"{self._path}: its manifest is over {DATA_MANIFEST_BYTES_MAX:,} bytes")
        return block

    def _take_shown(self, shown: Sequence[str | None], labels: Sequence[str | None]) -> None:
        for text, label in zip(shown, labels, strict=True):
            if text is not None and label_digest(text.encode()).hex() != label:
                raise _bad(self._path, f"shows the label {text[:80]}, which is not what its digest stands for")
        if self._shown is not None:
            self._shown.extend(shown)

    def _take_keys(self, keys: tuple[str | None, ...]) -> None:
        if self._roles.key is None:
            if keys.count(None) != len(keys):
                raise _bad(self._path, "has a key but its head names no key column")
            return
        if None in keys:
            raise _bad(self._path, "has a row without a key")
        known = len(self._keys)
        self._keys.update(dict.fromkeys(keys))
        if len(self._keys) == known + len(keys):
            return
        # A dictionary keeps its first order: what stands before this batch in it are the keys of all rows before.
        numbers = dict(zip(itertools.islice(self._keys, known), itertools.count(1), strict=False))
        for row, key in enumerate(keys, start=known + 1):
            if (earlier := numbers.setdefault(key, row)) != row:
                hint = "name a column whose values differ, or none: rows are then told by their features"
                what = f"rows {earlier:,} and {row:,} have one key, {str(key)[:80]!r}"
                raise DuplicateKey(f"{self._path}: {what}", hint)

    def _digests(self, spelled: Sequence[str]) -> bytes:
        """The bytes of digests in hex; what is not lower-case hex is caught where lines are compared."""
        if set(map(len, spelled)) != {2 * DIGEST_BYTES}:
            raise _bad(self._path, f"has a digest that is not {DIGEST_BYTES} bytes")
        joined = "".join(spelled)
        digests = bytes.fromhex(joined)
        if digests.hex() != joined:
            raise _bad(self._path, "has a digest that is not lower-case hex")
        return digests

    def finish(self, columns: list[tuple[str, str]], file_bytes: int, file_sha256: str) -> tuple[RowManifest, bytes]:
        """The manifest, and its tail line."""
        leaves = bytes(self._leaves)
        manifest = RowManifest(
            format=self._kind,
            roles=self._roles,
            columns=tuple(columns),
            file_bytes=file_bytes,
            file_sha256=file_sha256,
            keys=tuple(key for key in self._keys if key is not None) if self._roles.key is not None else None,
            features=bytes(self._features),
            labels=bytes(self._labels),
            leaves=leaves,
            sources=self._sources.all(),
            annotators=self._annotators.all(),
            shown_labels=None if self._shown is None else self._shown.all(),
            root=self.tree.root(),
            set_digest=set_digest(leaves),
            digest=b"",
        )
        tail = _tail(manifest, self._written.hexdigest())
        self._written.update(tail + b"\n")
        return replace(manifest, digest=self._written.digest()), tail


class _Names:
    """Names in row order, each distinct one held once."""

    def __init__(self) -> None:
        self._known: dict[str | None, str | None] = {}
        self._rows: list[str | None] = []

    def extend(self, names: Sequence[str | None]) -> None:
        if names.count(names[0]) == len(names):
            self._rows += [self._known.setdefault(names[0], names[0])] * len(names)
        else:
            self._rows += [self._known.setdefault(name, name) for name in names]

    def all(self) -> tuple[str | None, ...]:
        return tuple(self._rows)


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    format: Literal["csv", "jsonl", "parquet", "arrow", "npz", "tar"]
    reveals_labels: bool
    roles: dict[str, str]
    schema: str


class _File(msgspec.Struct, forbid_unknown_fields=True):
    bytes: Annotated[int, msgspec.Meta(ge=0, le=JSON_INTEGER_MAX)]
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class _Tail(msgspec.Struct, forbid_unknown_fields=True):
    columns: list[tuple[str, str]]
    file: _File
    root: str
    rows: int
    set: str
    sha256: str


_RevealedLine = tuple[str | None, str, str | None, str | None, str | None, str | None]


def _blocks(manifest: RowManifest) -> Iterator[bytes]:
    """The bytes of the manifest file, in blocks of whole lines."""
    head = _head(manifest.format, manifest.roles, manifest.shown_labels is not None) + b"\n"
    written = hashlib.sha256(head)
    yield head
    for first in range(0, manifest.rows, BATCH_ROWS):
        part = slice(first, first + BATCH_ROWS)
        columns: list[Iterable[str | None]] = [
            itertools.repeat(None) if manifest.keys is None else manifest.keys[part],
            hexes(manifest.features, part),
            (None if label == _NO_LABEL_HEX else label for label in hexes(manifest.labels, part)),
            manifest.sources[part],
            manifest.annotators[part],
        ]
        if manifest.shown_labels is not None:
            columns.append(manifest.shown_labels[part])
        block = canonical_lines(list(zip(*columns, strict=False)))
        written.update(block)
        yield block
    yield _tail(manifest, written.hexdigest()) + b"\n"


def _head(kind: str, roles: Roles, reveal: bool) -> bytes:
    named = dict(sorted(roles.named().items()))
    return canonical({"format": kind, "reveals_labels": reveal, "roles": named, "schema": SCHEMA})


def _line(row: Row, reveal: bool) -> Any:
    label = None if row.label is None else label_digest(row.label).hex()
    line = (row.key, features_digest(row.features).hex(), label, row.source, row.annotator)
    if not reveal:
        return line
    shown = row.label is not None and len(row.label) <= DATA_LABEL_SHOWN_BYTES_MAX
    return *line, row.label.decode() if shown and row.label is not None else None


def _tail(manifest: RowManifest, written: str) -> bytes:
    return canonical(
        {
            "columns": manifest.columns,
            "file": {"bytes": manifest.file_bytes, "sha256": manifest.file_sha256},
            "root": _named(manifest.root),
            "rows": manifest.rows,
            "set": _named(manifest.set_digest),
            "sha256": written,
        }
    )


def _whole_lines(path: Path, delivery: Delivery) -> Iterator[bytes]:
    """The bytes of a manifest file, cut after line ends."""
    rest: list[bytes] = []
    held = 0
    for chunk in delivery.chunks():
        end = chunk.rfind(b"\n") + 1
        if end:
            yield b"".join([*rest, chunk[:end]])
            rest, held = [], 0
        rest.append(chunk[end:])
        held += len(chunk) - end
        if held > _LINE_BYTES_MAX:
            raise TooLarge(f"{path}: a line is over {_LINE_BYTES_MAX:,} bytes", "this is not a row manifest")
    if held:
        raise _bad(path, "is cut off inside its last line")


def _named(digest: bytes) -> str:
    return f"sha256:{digest.hex()}"


def _bad(path: Path, what: str) -> BadManifest:
    return BadManifest(
        f"{path}: {what}", "ask for the manifest again, or make it again from the data; nothing was used"
    )

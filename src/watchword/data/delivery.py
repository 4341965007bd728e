"""A delivered data file, open: its format, its bytes as they are read, and its rows from CSV or JSON lines.

* The format is told by content: ``PAR1`` is Parquet, ``ARROW1`` or a stream's marker Arrow, a zip NPZ, ``ustar`` tar, a
  first ``{`` JSON lines, anything else CSV. A name that says otherwise is refused: one of the two is then wrong.
* Text is UTF-8; a UTF-8 byte order mark is dropped, NUL and any other encoding are refused.
* CSV (RFC 4180): comma, double quotes, a header of unique names, the same number of cells in every row; a cell is the
  string it holds. A blank line is a row without cells and is refused, as is a quote out of place.
* JSON lines: one object a line. Duplicate members, NaN, infinities, numbers beyond a double and blank lines are
  refused. An integer beyond 2^53 becomes ``{"$integer": "its digits"}``; a member of that name is refused in data.
* Rows are counted from 1, the header not counted. No row is ever skipped: a row is read, or the file is refused.
* Memory: one row and 2 MiB. Each byte is read and hashed once, apart from a look at the first 4 KiB.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from watchword.data.row import DataError, canonical, member_order, number
from watchword.limits import (
    DATA_CELL_BYTES_MAX,
    DATA_COLUMNS_MAX,
    DATA_NAME_BYTES_MAX,
    DATA_ROW_BYTES_MAX,
    JSON_DEPTH_MAX,
    JSON_INTEGER_MAX,
)

Progress = Callable[[str, int, int], None]
"""Called with (file name, bytes done, bytes in all) every MiB or so."""

_CHUNK_BYTES = 1024 * 1024
_SUFFIXES = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".npz": "npz",
    ".tar": "tar",
}
_MAGIC = (
    (b"PAR1", "parquet"),
    (b"PARE", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow"),
    (b"PK\3\4", "npz"),
)
_SURELY_SHORT_CHARS = DATA_NAME_BYTES_MAX // 4
_BIG_INTEGER = "$integer"
# Possessive, closing quote optional: an unclosed string is passed over once, not once per quote in it.
_NESTING = re.compile(r'"(?:[^"\\]|\\.)*+"?|([\[{])|([\]}])', re.DOTALL)


class UnreadableData(DataError):
    """The file is not what it should be; the message names the row, line or byte."""


class TooLarge(DataError):
    """A row, cell, name or count is past its limit (``limits.py``)."""


class FileChanged(DataError):
    """The file changed while it was read; nothing of it was used."""


class MissingColumn(DataError):
    """A column that was asked for is not in the file."""


@dataclass(frozen=True)
class Roles:
    """The columns with a meaning of their own; all different, each None where there is none."""

    key: str | None
    label: str | None
    source: str | None
    annotator: str | None

    def __post_init__(self) -> None:
        named = [name for name in (self.key, self.label, self.source, self.annotator) if name is not None]
        for name in named:
            if named.count(name) > 1:
                raise DataError(f"column {name!r} is named for two purposes", "name each column once")

    @property
    def apart(self) -> tuple[str, ...]:
        """The columns that are not features."""
        return tuple(name for name in (self.label, self.source, self.annotator) if name is not None)

    def named(self) -> dict[str, str]:
        """Purpose → column, for those that are named."""
        purposes = {"key": self.key, "label": self.label, "source": self.source, "annotator": self.annotator}
        return {purpose: name for purpose, name in purposes.items() if name is not None}


class Row(NamedTuple):
    """One row, taken apart: *features* and *label* are canonical bytes; *label* is None where the row has none."""

    key: str | None
    features: bytes
    label: bytes | None
    source: str | None
    annotator: str | None


class Delivery:
    """An open data file. Guards that what was read is one unchanged file; use as a context manager."""

    def __init__(self, path: Path, progress: Progress | None = None, *, hashed: bool = True) -> None:
        self.path = path
        self._hashed = hashed
        self._progress = progress
        try:
            # O_NONBLOCK: opening a named pipe must not wait for a writer that never comes.
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise UnreadableData(
                f"{path}: {_reason(error)}", "check the path and your permission to read it"
            ) from error
        self._before = os.fstat(self._fd)
        if not stat.S_ISREG(self._before.st_mode):
            os.close(self._fd)
            raise UnreadableData(f"{path}: is not a regular file", "name one data file")
        self.size = self._before.st_size
        self.bytes_read = 0
        self.pending = 0
        """Characters handed out since the reader last completed a row; the reader sets it back to 0."""
        self._digest = hashlib.sha256()

    def __enter__(self) -> Delivery:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def fail(self, what: str, hint: str = "") -> NoReturn:
        """Raise `UnreadableData` about this file."""
        raise UnreadableData(f"{self.path}: {what}", hint or "correct the file, or ask for it again; nothing was used")

    def format(self) -> str:
        """``csv``, ``jsonl``, ``parquet``, ``arrow``, ``npz`` or ``tar``.

        Raises:
            UnreadableData: empty, or the content is not what the file's name says.
        """
        head = os.pread(self._fd, 4096, 0)
        if not head:
            self.fail("is empty", "a delivery has at least one row; ask for the file again")
        text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        found = next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")
        found = found or ("tar" if head[257:262] == b"ustar" else "jsonl" if text[:1] == b"{" else "csv")
        said = _SUFFIXES.get(self.path.suffix.lower(), found)
        if said != found:
            self.fail(f"is named like {said} but its content is not", "rename it to what it is, or ask for it again")
        return found

    def chunks(self) -> Iterator[bytes]:
        """The bytes of the file from where it stands, hashed as they pass."""
        while chunk := os.read(self._fd, _CHUNK_BYTES):
            self.bytes_read += len(chunk)
            if self.bytes_read > self.size:
                self._changed()  # at once: a file that grows as fast as it is read would never end
            if self._hashed:
                self._digest.update(chunk)
            if self._progress is not None:
                self._progress(self.path.name, self.bytes_read, self.size)
            yield chunk

    def lines(self) -> Iterator[str]:
        """The lines of a text file with their ends (LF).

        Raises:
            UnreadableData: not UTF-8, or NUL.
            TooLarge: more than DATA_ROW_BYTES_MAX characters since a row was last completed.
        """
        rest, lines_done, offset = b"", 0, 0
        for chunk in self.chunks():
            end = chunk.rfind(b"\n") + 1
            if not end:
                rest += chunk
                if len(rest) > DATA_ROW_BYTES_MAX:
                    self._row_too_large(lines_done)
                continue
            block, rest = rest + chunk[:end], chunk[end:]
            yield from self._block(block, lines_done, offset)
            lines_done += block.count(b"\n")
            offset += len(block)
        if rest:
            yield from self._block(rest, lines_done, offset)

    def finish(self) -> tuple[int, str]:
        """(size in bytes, SHA-256 in hex) of the file, once all of it was read; no digest where it is not *hashed*.

        Raises:
            FileChanged: its size or times are not those at opening, or another file has its name.
        """
        after = os.fstat(self._fd)
        try:
            named = self.path.stat()
        except OSError as error:
            raise FileChanged(f"{self.path}: was removed while it was read", "") from error
        facts = [(s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns) for s in (self._before, after, named)]
        if facts.count(facts[0]) != 3 or self.bytes_read != self.size:
            self._changed()
        return self.size, self._digest.hexdigest() if self._hashed else ""

    def fileno(self) -> int:
        """Its descriptor."""
        return self._fd

    def file(self) -> io.FileIO:
        """The same open file for a reader that seeks, at its start; closing it leaves the delivery open."""
        os.lseek(self._fd, 0, os.SEEK_SET)
        return io.FileIO(self._fd, closefd=False)

    def _changed(self) -> NoReturn:
        hint = "wait until the delivery is complete, or copy it aside first; nothing was used"
        raise FileChanged(f"{self.path}: changed while it was read", hint)

    def _block(self, block: bytes, lines_done: int, offset: int) -> Iterator[str]:
        if offset == 0:
            if block[:2] in (b"\xff\xfe", b"\xfe\xff"):
                self.fail("is UTF-16", "convert it to UTF-8")
            block = block.removeprefix(b"\xef\xbb\xbf")
        nul = block.find(b"\0")
        if nul >= 0:
            line = lines_done + block.count(b"\n", 0, nul) + 1
            self.fail(f"line {line:,} holds a NUL byte", "convert it to UTF-8 text")
        try:
            text = block.decode("utf-8")
        except UnicodeDecodeError as error:
            line = lines_done + block.count(b"\n", 0, error.start) + 1
            byte = block[error.start]
            self.fail(f"line {line:,} is not UTF-8 (byte 0x{byte:02x})", "convert the whole file to UTF-8")
        for line_text in io.StringIO(text, newline="\n"):
            self.pending += len(line_text)
            if self.pending > DATA_ROW_BYTES_MAX:
                self._row_too_large(lines_done)
            yield line_text

    def _row_too_large(self, lines_done: int) -> NoReturn:
        what = f"a row after line {lines_done:,} is over {DATA_ROW_BYTES_MAX:,} bytes"
        raise TooLarge(f"{self.path}: {what}", "look for an unclosed quote or a missing line end there")


def csv_rows(delivery: Delivery, roles: Roles) -> tuple[list[str], Iterator[Row]]:
    """The header of a CSV file, and its rows as they are read.

    Raises:
        UnreadableData, TooLarge: see the module; while iterating, too.
        MissingColumn: a column of *roles* is not in the header.
    """
    csv.field_size_limit(DATA_CELL_BYTES_MAX)  # the csv module's only way: for the process; ours is the larger limit
    cells = csv.reader(delivery.lines(), strict=True)
    header = _next_cells(delivery, cells, 0)
    if header is None:
        delivery.fail("holds no header", "the first line must name the columns")
    check_columns(delivery, header, roles)
    return header, _csv_body(delivery, cells, header, roles)


def _csv_body(delivery: Delivery, cells: Iterator[list[str]], header: list[str], roles: Roles) -> Iterator[Row]:
    places = {name: place for place, name in enumerate(header)}
    key, label, source, annotator = (None if n is None else places[n] for n in _purposes(roles))
    names = sorted((name for name in header if name not in roles.apart), key=member_order)
    apart = (key, source, annotator)
    pick = _picking([places[name] for name in names])
    width, row = len(header), 0
    while (found := _next_cells(delivery, cells, row + 1)) is not None:
        row += 1
        if len(found) != width:
            where = "is blank" if not found else f"has {len(found):,} cells"
            delivery.fail(f"row {row:,} {where}, the header names {width:,}")
        named = tuple(None if place is None else found[place] for place in apart)
        for name in named:
            if name is not None and len(name) > _SURELY_SHORT_CHARS:
                check_name(delivery, row, "key, source or annotator", name)
        features = canonical(dict(zip(names, pick(found), strict=True)))
        yield Row(named[0], features, None if label is None else canonical(found[label]), named[1], named[2])


def jsonl_rows(delivery: Delivery, roles: Roles, seen: dict[str, None]) -> Iterator[Row]:
    """The rows of a JSON lines file; *seen* gathers the member names.

    Raises:
        UnreadableData, TooLarge: see the module.
    """
    decoder = json.JSONDecoder(
        object_pairs_hook=_members, parse_float=_float, parse_int=_integer, parse_constant=_constant
    )
    for row, line in enumerate(delivery.lines(), start=1):
        delivery.pending = 0
        if line.isspace():
            delivery.fail(f"row {row:,} is blank")
        try:
            check_depth(line)
            found = decoder.decode(line)
            if not isinstance(found, dict):
                raise ValueError("is not an object")
            if not found.keys() <= seen.keys():
                _see(delivery, seen, found)
            label = found.pop(roles.label, _ABSENT)
            source, annotator = found.pop(roles.source, None), found.pop(roles.annotator, None)
            key = found.get(roles.key, _ABSENT) if roles.key is not None else None
            if key is _ABSENT or (key is None and roles.key is not None):
                raise ValueError(f"has no {roles.key!r}, the key")
            yield Row(
                check_name(delivery, row, "key", key),
                canonical(found),
                None if label is _ABSENT else canonical(label),
                check_name(delivery, row, "source", source),
                check_name(delivery, row, "annotator", annotator),
            )
        except UnicodeEncodeError:
            delivery.fail(f"row {row:,} holds half of a surrogate pair")
        except json.JSONDecodeError as error:
            delivery.fail(f"row {row:,} is not JSON at character {error.pos + 1:,}: {error.msg.lower()}")
        except (ValueError, RecursionError) as error:
            delivery.fail(f"row {row:,} {error}")


def check_columns(delivery: Delivery, header: list[str], roles: Roles) -> None:
    """Refuse a header with too many, too long or repeated names, or without a column of *roles*."""
    if len(header) > DATA_COLUMNS_MAX:
        raise TooLarge(f"{delivery.path}: has {len(header):,} columns, the limit is {DATA_COLUMNS_MAX:,}")
    for name in header:
        if len(name.encode("utf-8", "surrogatepass")) > DATA_NAME_BYTES_MAX:
            raise TooLarge(f"{delivery.path}: a column name is over {DATA_NAME_BYTES_MAX:,} bytes")
    if len(set(header)) != len(header):
        known: set[str] = set()
        twice = next(name for name in header if name in known or known.add(name))  # type: ignore[func-returns-value]
        delivery.fail(f"column {twice!r} is named twice in the header")
    for purpose, name in roles.named().items():
        if name not in header:
            missing_column(delivery, purpose, name, header)


def missing_column(delivery: Delivery, purpose: str, name: str, header: list[str]) -> NoReturn:
    """Raise `MissingColumn`, with the names that there are."""
    shown = ", ".join(header[:20]) + (f" and {len(header) - 20:,} more" if len(header) > 20 else "")
    raise MissingColumn(f"{delivery.path}: has no column {name!r} for the {purpose}", f"its columns are: {shown}")


def check_name(delivery: Delivery, row: int, purpose: str, value: Any) -> str | None:
    """A key, source or annotator as text: a string as it is, an integer as its digits, None as None."""
    if isinstance(value, dict):
        value = value.get(_BIG_INTEGER) if len(value) == 1 else value
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None:
        return None
    if not isinstance(value, str):
        delivery.fail(f"row {row:,}: the {purpose} is neither a string nor an integer")
    if not (value.isascii() and len(value) <= DATA_NAME_BYTES_MAX) and len(value.encode()) > DATA_NAME_BYTES_MAX:
        raise TooLarge(f"{delivery.path}: row {row:,}: the {purpose} is over {DATA_NAME_BYTES_MAX:,} bytes")
    return value


_ABSENT = object()


def _purposes(roles: Roles) -> tuple[str | None, ...]:
    return roles.key, roles.label, roles.source, roles.annotator


def _picking(places: list[int]) -> Callable[[list[str]], tuple[str, ...]]:
    """A function that takes the cells at *places* of a row (``itemgetter`` gives no tuple for one place)."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda cells: tuple(cells[place] for place in places)


def _next_cells(delivery: Delivery, cells: Iterator[list[str]], row: int) -> list[str] | None:
    delivery.pending = 0
    try:
        return next(cells, None)
    except csv.Error as error:
        where = "the header" if row == 0 else f"row {row:,}"
        if "field limit" in str(error):
            raise TooLarge(
                f"{delivery.path}: {where}: a cell is over {DATA_CELL_BYTES_MAX:,} characters",
                "look for an unclosed quote there",
            ) from error
        delivery.fail(f"{where} is not well-formed CSV: {error}")


def _see(delivery: Delivery, seen: dict[str, None], found: dict[str, Any]) -> None:
    for name in found:
        if len(name.encode("utf-8")) > DATA_NAME_BYTES_MAX:
            raise TooLarge(f"{delivery.path}: a member name is over {DATA_NAME_BYTES_MAX:,} bytes")
        seen[name] = None
    if len(seen) > DATA_COLUMNS_MAX:
        raise TooLarge(f"{delivery.path}: its rows have over {DATA_COLUMNS_MAX:,} different members")


def check_depth(text: str) -> None:
    """Refuse JSON *text* that nests deeper than JSON_DEPTH_MAX, before a parser recurses into it."""
    if text.count("{") + text.count("[") <= JSON_DEPTH_MAX:
        return
    depth = 0
    for token in _NESTING.finditer(text):
        depth += (token.start(1) >= 0) - (token.start(2) >= 0)
        if depth > JSON_DEPTH_MAX:
            raise ValueError(f"nests deeper than {JSON_DEPTH_MAX}")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    pairs.sort(key=itemgetter(0))
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("names a member twice in one object")
    if _BIG_INTEGER in members:
        raise ValueError(f"has a member named {_BIG_INTEGER!r}, which stands for large integers here")
    if not "".join(members).isascii():
        members = dict(sorted(pairs, key=lambda pair: member_order(pair[0])))
    return members


def _float(text: str) -> Any:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"holds a number beyond the range of a double: {text[:40]}")
    return number(value)


def _integer(text: str) -> Any:
    if len(text) < 16:
        return int(text)
    if len(text) <= 17 and abs(value := int(text)) <= JSON_INTEGER_MAX:
        return value
    return {_BIG_INTEGER: text}


def _constant(text: str) -> NoReturn:
    raise ValueError(f"holds {text}, which JSON has not")


def _reason(error: OSError) -> str:
    return (error.strerror or "cannot be opened").lower()

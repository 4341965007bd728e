"""The rows of a tar of samples (WebDataset): members that stand together and share a name up to its first dot.

* ``train/0001.jpg`` and ``train/0001.cls`` are one row with the key ``train/0001`` and the columns ``jpg`` and ``cls``;
  the column ``__key__`` holds the key.
* A member that is UTF-8 of at most DATA_NAME_BYTES_MAX bytes is its text; any other is ``{"bytes": n, "sha256": hex}``.
* Folders make no row. Links, devices and sparse members are refused: what they hold stands elsewhere or is not told.
* A name without a dot in its last part is a column ````; a column twice in one row is refused.
* Compressed tars are refused: unpack them first, so that the digest is of what is read.

Formats: POSIX.1-2001 pax, ustar and GNU long names, by the standard library over a reader that bounds each read.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator
from typing import Any

from watchword.data.delivery import Delivery, Roles, Row, TooLarge, check_name
from watchword.data.row import canonical, member_order
from watchword.limits import DATA_COLUMNS_MAX, DATA_NAME_BYTES_MAX

KEY = "__key__"
_READ_BYTES = 1024 * 1024


def tar_rows(delivery: Delivery, roles: Roles, seen: dict[str, None]) -> Iterator[Row]:
    """The rows of a tar file; *seen* gathers the column names.

    Raises:
        UnreadableData, TooLarge: see the module.
    """
    for _ in delivery.chunks():
        pass
    seen[KEY] = None
    row = 0
    try:
        with tarfile.open(fileobj=_Bounded(delivery), mode="r:", errorlevel=2) as archive:
            for key, sample in _samples(delivery, archive):
                row += 1
                seen.update(dict.fromkeys(sample))
                if len(seen) > DATA_COLUMNS_MAX:
                    raise TooLarge(f"{delivery.path}: its rows have over {DATA_COLUMNS_MAX:,} different members")
                yield _row(delivery, roles, row, {KEY: key, **sample})
    except (tarfile.TarError, EOFError, OSError, ValueError, UnicodeError) as error:
        delivery.fail(f"row {row + 1:,} or one after it is not readable as tar: {str(error)[:200]}")


def _samples(delivery: Delivery, archive: tarfile.TarFile) -> Iterator[tuple[str, dict[str, Any]]]:
    key, sample = "", dict[str, Any]()
    while (member := archive.next()) is not None:
        archive.members = []  # type: ignore[attr-defined]  # the archive would keep every member that it has seen
        name = member.name
        if member.isdir():
            continue
        if not member.isreg() or member.issparse():
            delivery.fail(f"holds {name[:80]!r}, which is not a plain file", "pack files, not links or devices")
        if len(name.encode("utf-8", "surrogateescape")) > DATA_NAME_BYTES_MAX:
            raise TooLarge(f"{delivery.path}: a name is over {DATA_NAME_BYTES_MAX:,} bytes")
        name.encode()  # a name that is not Unicode has no place in a manifest
        folder, slash, base = name.rpartition("/")
        stem, _, column = base.partition(".")
        named = f"{folder}{slash}{stem}"
        if named != key and sample:
            yield key, sample
            sample = {}
        if column in sample or column == KEY:
            delivery.fail(f"holds {name[:80]!r} twice in one row")
        key, sample[column] = named, _content(archive, member)
    if sample:
        yield key, sample


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Any:
    file = archive.extractfile(member)
    if file is None:
        raise ValueError(f"{member.name[:80]!r} has no content")
    digest, done, first = hashlib.sha256(), 0, b""
    while chunk := file.read(_READ_BYTES):
        first = first or chunk
        done += len(chunk)
        digest.update(chunk)
    if done != member.size:
        raise ValueError(f"{member.name[:80]!r} is cut off")
    if done <= DATA_NAME_BYTES_MAX and b"\0" not in first:
        try:
            return first.decode()
        except UnicodeDecodeError:
            pass
    return {"bytes": done, "sha256": digest.hexdigest()}


def _row(delivery: Delivery, roles: Roles, row: int, values: dict[str, Any]) -> Row:
    names = sorted((name for name in values if name not in roles.apart), key=member_order)
    if roles.key is not None and values.get(roles.key) is None:
        delivery.fail(f"row {row:,} has no {roles.key!r}, the key")
    key, source, annotator = (None if n is None else values.get(n) for n in (roles.key, roles.source, roles.annotator))
    label = None if roles.label is None or roles.label not in values else canonical(values[roles.label])
    return Row(
        check_name(delivery, row, "key", key),
        canonical({name: values[name] for name in names}),
        label,
        check_name(delivery, row, "source", source),
        check_name(delivery, row, "annotator", annotator),
    )


class _Bounded(io.RawIOBase):
    """The delivery for ``tarfile``, which reads a header's extension whole, however long it says it is."""

    def __init__(self, delivery: Delivery) -> None:
        self._file = delivery.file()

    def seek(self, place: int, whence: int = 0, /) -> int:
        return self._file.seek(place, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1, /) -> bytes:
        if not 0 <= size <= 2 * _READ_BYTES:
            raise ValueError(f"asks for {size:,} bytes at once, which no sample needs")
        return self._file.read(size) or b""

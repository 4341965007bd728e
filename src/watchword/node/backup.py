"""A node's folder as one file, and back. What came back from a copy never speaks in the old place.

* A copy is taken while nobody writes the node. It is a tar archive; the SHA-256 of all that stands before it closes it.
* A node that was put back to an older state has forgotten what it said and cosigned since. So a restored home signs no
  head under its old origins and cosigns none, until a charter lists new ledgers and a new witness key for it (see
  ``renewing``); bad news counts in it, and goes out, as ever.
* A node that moves is closed before it is copied: nothing can be said in the old place any more, so the copy goes on as
  if nothing had been. The copy of a move is put in place once; who does it twice has a fork.
* A copy holds the alliance secret and, unless left out, the private keys as they are: whoever reads it knows what the
  node knows. It is as trusted as the disk that it came from; the digest tells damage, not malice.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.limits import BACKUP_NAME_BYTES_MAX, CHARTER_BYTES_MAX, READ_BYTES
from watchword.node.home import RESTORED, NoHome, is_restored, lock_home, read_home
from watchword.statements import pkcs8
from watchword.statements.canonical import NotCanonical, canonical, parse_canonical
from watchword.statements.times import Clock, rfc3339

FORMAT = "watchword-backup/1"
_ABOUT = "backup.json"
_ABOUT_BYTES_MAX = 4_096
_SEAL_BYTES = 65
"""64 hexadecimal digits and a line feed, after the archive's own end."""
_MOVED = "charter.moved.json"


class BadBackup(WatchwordError):
    """Not a backup, damaged or cut off, or of a newer version; nothing was put in place."""


@dataclass(frozen=True)
class Backup:
    """What a copy holds. ``keys``: private keys in it; ``plain``: of these, not encrypted."""

    member: str
    kind: str
    taken: str
    moves: bool
    files: int
    size: int
    keys: int
    plain: int

    def value(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "bytes": self.size, "files": self.files, "keys": self.keys, "kind": self.kind, "member": self.member,
            "moves": self.moves, "plain_keys": self.plain, "taken": self.taken,
        }  # fmt: skip


def back_up(home: Path, target: Path, clock: Clock, *, keys: bool = True, move: bool = False) -> Backup:
    """Copy *home* into the file *target*, which appears whole, readable by its owner alone, or not at all.

    Args:
        keys: copy private keys too.
        move: close this home first, for good: the node goes on where the copy is put in place.

    Raises:
        NoHome: no home here, something at *target*, or a restored home that would move.
        BusyNode: somebody writes the node, such as a gate that is open.
        StorageTrouble: the disk; where it was to move, the node goes on here.
    """
    of = read_home(home)
    if target.exists():
        raise NoHome(f"{target}: something is there already", "name another file")
    if move and (is_restored(home) or not (keys and (home / "charter.json").is_file())):
        raise NoHome(
            f"{home}: does not move", "a node moves with its keys, under a charter, and not before it has new ledgers"
        )
    with lock_home(home, of.name):
        if move:
            # A door that stands open sees that the charter is gone, and answers nothing more.
            _rename(home, "charter.json", _MOVED)
        try:
            return _write(home, target, of.name, of.kind, rfc3339(clock.now()), keys=keys, move=move)
        except BaseException:
            target.unlink(missing_ok=True)
            if move:
                _rename(home, _MOVED, "charter.json")
            raise


def restore(source: Path, home: Path) -> Backup:
    """Put a copy in place at *home*, which must not exist or be empty; whole, or not at all.

    Raises:
        BadBackup: see there.
        NoHome: something is there already.
        StorageTrouble: the disk.
    """
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise NoHome(f"{home}: something is there already", "a node is put in place once; name another with --home")
    parent = home.absolute().parent
    with durable.translated(home):
        durable.make_folder(parent)
        aside = Path(tempfile.mkdtemp(prefix=f".{home.name}.", dir=parent))
        try:
            done = _read(source, aside)
            if not done.moves and done.kind == "member":
                (aside / RESTORED).write_bytes(canonical({"taken": done.taken}) + b"\n")
            _sync(aside)
            aside.replace(home)
            durable.sync_folder(parent)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return done


# -- writing ----------------------------------------------------------------------------------------------------


class _Hashing(io.RawIOBase):
    """A file that is written from front to back, and the digest of what was."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: Any) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self.size


def _write(home: Path, target: Path, name: str, kind: str, taken: str, *, keys: bool, move: bool) -> Backup:
    about = {"format": FORMAT, "kind": kind, "member": name, "moves": move, "taken": taken}
    files = private = plain = 0
    with durable.translated(target):
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb", buffering=READ_BYTES) as file:
            out = _Hashing(file)
            with tarfile.open(mode="w", fileobj=out, format=tarfile.GNU_FORMAT) as tar:
                data = canonical(about) + b"\n"
                tar.addfile(_entry(_ABOUT, len(data), 0o600), io.BytesIO(data))
                for path in _held(home):
                    inside = path.relative_to(home).as_posix()
                    if path.is_dir():
                        folder = _entry(f"home/{inside}", 0, 0o700)
                        folder.type = tarfile.DIRTYPE
                        tar.addfile(folder)
                        continue
                    if inside.startswith("keys/"):
                        if not keys:
                            continue
                        private += 1
                        plain += pkcs8.ENCRYPTED not in path.read_bytes()
                    inside = "charter.json" if inside == _MOVED and move else inside
                    with path.open("rb") as held:
                        size = os.fstat(held.fileno()).st_size
                        tar.addfile(_entry(f"home/{inside}", size, 0o600), held)
                    files += 1
            file.write(f"{out.digest.hexdigest()}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        durable.sync_folder(target.absolute().parent)
    return Backup(name, kind, taken, move, files, out.size + _SEAL_BYTES, private, plain)


def _entry(name: str, size: int, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, mode
    return entry


def _held(home: Path) -> Iterator[Path]:
    """Every folder and file of a home in order, without locks and what lies aside half written."""
    with os.scandir(home) as entries:
        found = sorted(entries, key=lambda one: one.name)
    for one in found:
        path = Path(one.path)
        if one.is_dir(follow_symlinks=False):
            yield path
            if one.name != "staging" and not one.name.endswith(".staging"):
                yield from _held(path)
        elif not one.is_file(follow_symlinks=False):
            raise NoHome(f"{path}: neither a file nor a folder", "a node's folder holds nothing else; move it away")
        elif one.name != "lock":
            yield path


def _rename(home: Path, old: str, new: str) -> None:
    with durable.translated(home / old):
        (home / old).replace(home / new)
        durable.sync_folder(home)


# -- reading ----------------------------------------------------------------------------------------------------


class _Sealed(io.RawIOBase):
    """The first *left* bytes of a file, read from front to back, and their digest."""

    def __init__(self, file: IO[bytes], left: int) -> None:
        self._file = file
        self._left = left
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        self.digest.update(data)
        return data


def _read(source: Path, aside: Path) -> Backup:
    try:
        with source.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            sealed = _Sealed(file, max(size - _SEAL_BYTES, 0))
            with tarfile.open(mode="r|", fileobj=sealed) as tar:
                about, files, private, plain = _unpack(tar, source, aside)
            while sealed.read(READ_BYTES):
                pass
            seal = file.read()
    except (tarfile.TarError, EOFError, UnicodeError, NotCanonical) as error:
        raise BadBackup(f"{source}: not a backup, damaged or cut off: {error}") from error
    except OSError as error:
        raise BadBackup(f"{source}: {error.strerror or error}") from error
    if seal != f"{sealed.digest.hexdigest()}\n".encode():
        raise BadBackup(f"{source}: damaged or cut off: its digest is not the one that closes it")
    return Backup(about["member"], about["kind"], about["taken"], about["moves"], files, size, private, plain)


def _unpack(tar: tarfile.TarFile, source: Path, aside: Path) -> tuple[dict[str, Any], int, int, int]:
    about: dict[str, Any] | None = None
    files = private = plain = 0
    for entry in tar:
        if about is None:
            about = _about(tar, entry, source)
            continue
        target = _place(entry, source, aside)
        if entry.isdir():
            target.mkdir(mode=0o700, exist_ok=True)
            continue
        held = tar.extractfile(entry)
        if held is None:
            raise BadBackup(f"{source}: {entry.name[:200]!r} is neither a file nor a folder")
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            shutil.copyfileobj(held, file, READ_BYTES)
        files += 1
        if target.is_relative_to(aside / "keys"):
            private += 1
            plain += pkcs8.ENCRYPTED not in target.read_bytes()
    if about is None or read_home(aside).name != about["member"]:
        raise BadBackup(f"{source}: not of the node that it says it is of")
    return about, files, private, plain


def _about(tar: tarfile.TarFile, entry: tarfile.TarInfo, source: Path) -> dict[str, Any]:
    held = tar.extractfile(entry) if entry.name == _ABOUT and entry.size <= _ABOUT_BYTES_MAX else None
    if held is None:
        raise BadBackup(f"{source}: not a backup of a node", "watchword backup makes one")
    value = parse_canonical(held.read(), _ABOUT, CHARTER_BYTES_MAX)
    known = {"format": str, "kind": str, "member": str, "moves": bool, "taken": str}
    if not isinstance(value, dict) or {name: type(one) for name, one in value.items()} != known:
        raise BadBackup(f"{source}: not a backup of a form that this version knows", "a newer watchword made it")
    if value["format"] != FORMAT:
        raise BadBackup(f"{source}: of the form {value['format'][:80]!r}", "a newer watchword made it")
    return value


def _place(entry: tarfile.TarInfo, source: Path, aside: Path) -> Path:
    parts = entry.name.split("/")
    name = entry.name.encode("utf-8", "surrogateescape")
    fine = parts[0] == "home" and len(parts) > 1 and not {"", ".", ".."} & set(parts) and b"\0" not in name
    if not fine or len(name) > BACKUP_NAME_BYTES_MAX or not (entry.isdir() or entry.isreg()) or entry.issparse():
        raise BadBackup(f"{source}: {entry.name[:200]!r} has no place in a node")
    return aside.joinpath(*parts[1:])


def _sync(folder: Path) -> None:
    for at, _, names in os.walk(folder):
        for name in names:
            descriptor = os.open(Path(at) / name, os.O_RDWR | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        durable.sync_folder(Path(at))

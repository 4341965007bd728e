"""The release manifest: which files, how long, with which SHA-256. Its digest is the name of a release.

Canonical bytes (RFC 8785)::

    {"files":[{"path":"head.pt","sha256":"<64 hex>","size":1204},…],"format":"watchword-manifest/1"}

* Files are sorted by path as UTF-8 bytes; paths are relative, with ``/``, in NFC, and safe to unpack anywhere.
* Two paths that some file system would take for one (upper and lower case, Unicode forms) are refused: what one
  member inspects must be what another member loads.
* A manifest that does not re-encode to the same bytes is refused.
* Only regular files have an entry. A release that is a single file has one entry: its base name.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from watchword.errors import WatchwordError
from watchword.limits import JSON_INTEGER_MAX, MANIFEST_BYTES_MAX, MANIFEST_PATH_BYTES_MAX, RELEASE_FILES_MAX

FORMAT = "watchword-manifest/1"

_HEX64 = re.compile(r"[0-9a-f]{64}")
_DRIVE = re.compile(r"[A-Za-z]:")
_NO_FILE = re.compile(r'[<>:"|?*]|[. ]$')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\.|$)", re.IGNORECASE)
"""What names no file of its own on Windows: other characters, a stream of a file, a last dot or space (dropped there),
and devices, with any extension. Origin: Microsoft, "Naming Files, Paths, and Namespaces"."""


class UnsafePath(WatchwordError):
    """A path, or a set of paths, that does not name the same files everywhere. ``path`` is the first offender."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{_shown(path)}: {why}", "rename it and build the release again; nothing was recorded")
        self.path = path
        self.why = why


class BadManifest(WatchwordError):
    """Bytes that are not one canonical manifest."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: relative path with ``/``, size in bytes, SHA-256 as 64 lower-case hex digits."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a release, sorted by path as UTF-8 bytes; made by :func:`build` or :func:`parse`."""

    entries: tuple[Entry, ...]

    @property
    def canonical(self) -> bytes:
        """The canonical bytes (RFC 8785), without a line feed at the end."""
        files = [{"path": e.path, "sha256": e.sha256, "size": e.size} for e in self.entries]
        # The keys are ASCII and listed in order, the numbers are integers, and json escapes strings exactly as
        # RFC 8785 section 3.2.2.2 does: so this is canonical (tested against an independent encoder).
        return json.dumps({"files": files, "format": FORMAT}, ensure_ascii=False, separators=(",", ":")).encode()

    @property
    def digest(self) -> str:
        """``sha256:<hex>`` over the canonical bytes: the identity of the release."""
        return "sha256:" + hashlib.sha256(self.canonical).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(entry.size for entry in self.entries)


def build(entries: Iterable[Entry]) -> Manifest:
    """The manifest of *entries*, in any order.

    Raises:
        UnsafePath: as :func:`check_paths`.
        BadManifest: no entries, or a size or digest out of form.
    """
    ordered = sorted(entries, key=lambda entry: entry.path.encode(errors="surrogatepass"))
    check_paths([entry.path for entry in ordered])
    if not ordered:
        raise BadManifest("a manifest without files names nothing")
    for entry in ordered:
        if not _HEX64.fullmatch(entry.sha256):
            raise BadManifest(f"{_shown(entry.path)}: sha256 is not 64 lower-case hex digits")
        if not 0 <= entry.size <= JSON_INTEGER_MAX:
            raise BadManifest(f"{_shown(entry.path)}: size {entry.size} is out of range")
    return Manifest(tuple(ordered))


def parse(data: bytes) -> Manifest:
    """The manifest in *data*, which must be its exact canonical bytes.

    Raises:
        BadManifest: too long, not JSON, other fields, or not what it re-encodes to.
        UnsafePath: as :func:`check_paths`.
    """
    if len(data) > MANIFEST_BYTES_MAX:
        raise BadManifest(f"a manifest of {len(data):,} bytes is over the limit of {MANIFEST_BYTES_MAX:,}")
    try:
        value = json.loads(data.decode())
        if set(value) != {"files", "format"} or value["format"] != FORMAT:
            raise BadManifest(f"not a manifest of the format {FORMAT}")
        entries = [_entry(item) for item in value["files"]]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadManifest("not a manifest: the JSON is malformed or of another shape") from error
    manifest = build(entries)
    # Catches duplicate keys, other orders, spaces, a BOM and escapes in one comparison.
    if manifest.canonical != data:
        raise BadManifest("the manifest is not in canonical form", "its digest would name nothing; ask for it again")
    return manifest


def check_paths(paths: Iterable[str]) -> None:
    """Check that *paths* name distinct files on every file system, inside the folder they are unpacked to.

    Raises:
        UnsafePath: absolute or with a drive letter; an empty, ``.`` or ``..`` part; a backslash, NUL or other control
            character; what names no file on Windows; not Unicode text in NFC; over 1,024 bytes; equal to another under
            NFC and case folding; a file that is also a folder of another; more paths than a release may have.
    """
    seen: dict[str, str] = {}
    folders: dict[str, str] = {}
    for count, path in enumerate(paths, 1):
        if count > RELEASE_FILES_MAX:
            raise UnsafePath(path, f"a release may have {RELEASE_FILES_MAX:,} files")
        _check_path(path)
        folded = _fold(path)
        if folded in seen:
            raise UnsafePath(path, f"the same file as {_shown(seen[folded])} where case or Unicode form does not count")
        seen[folded] = path
        parts = path.split("/")
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            other = folders.setdefault(_fold(folder), folder)
            if other != folder:
                raise UnsafePath(path, f"its folder is the same as {_shown(other)} where case does not count")
    for folded, path in seen.items():
        if folded in folders:
            raise UnsafePath(path, "a file, and also the folder of another file")


def _check_path(path: str) -> None:
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        raise UnsafePath(path, "the name is not Unicode text") from None
    if not path or path.startswith("/"):
        raise UnsafePath(path, "not a relative path")
    if _DRIVE.match(path):
        raise UnsafePath(path, "begins like a drive letter")
    if len(encoded) > MANIFEST_PATH_BYTES_MAX:
        raise UnsafePath(path[:80], f"{len(encoded):,} bytes, limit {MANIFEST_PATH_BYTES_MAX:,}")
    # Cf holds the invisible and direction-changing characters that make one name look like another.
    if any(character == "\\" or unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") for character in path):
        raise UnsafePath(path, "holds a backslash, or a control or invisible character")
    if not unicodedata.is_normalized("NFC", path):
        raise UnsafePath(path, "the name is not in Unicode form NFC")
    for part in path.split("/"):
        if part in ("", ".", ".."):
            raise UnsafePath(path, "has an empty, . or .. part")
        if _NO_FILE.search(part) or _DEVICE.match(part):
            raise UnsafePath(path, f"no file of that name can be on Windows: {_shown(part)}")


def _fold(path: str) -> str:
    return unicodedata.normalize("NFC", path.casefold())


def _entry(item: dict[str, object]) -> Entry:
    path, size, sha256 = item["path"], item["size"], item["sha256"]
    if len(item) != 3 or type(path) is not str or type(size) is not int or type(sha256) is not str:
        raise ValueError
    return Entry(path, size, sha256)


def _shown(path: str) -> str:
    """*path* with whatever a terminal would act on made visible."""
    safe = path.encode(errors="backslashreplace").decode()
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in safe)

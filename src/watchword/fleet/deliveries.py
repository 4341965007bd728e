"""The file manifests of all deliveries of a hub: the bytes that ``data manifest FOLDER`` gives, wherever they lie.

* A file that is elsewhere passes once and never lands here; what was promised of it (a registry names it by its digest,
  a store by a version) must hold.
* The state has a line for each file, under a digest of path, length and version; so a run that was stopped goes on with
  the file at which it stopped, and what did not change is not read again.
* A delivery with a link, or a file that cannot be read or changes meanwhile, has no manifest and says why; the others
  have theirs. A file that stands alone is a delivery of one file.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from watchword.data.files import FileManifest, Line, far_line, manifest_of_lines, near_line
from watchword.data.row import DataError
from watchword.errors import WatchwordError
from watchword.fleet.hub import Release
from watchword.fleet.state import State
from watchword.inspect.facts import shown
from watchword.inspect.walk import Found

_KIND = "watchword-data-line/1"


@dataclass(frozen=True, slots=True)
class Delivered:
    """One delivery: its manifest, or why it has none; ``known``: how many of its files were in the state."""

    name: str
    manifest: FileManifest | None
    why: str = ""
    known: int = 0


@dataclass
class _Reader:
    state: State
    lock: threading.Lock = field(default_factory=threading.Lock)

    def line(self, found: Found) -> tuple[Line, bool]:
        """Of one file, and whether it was known."""
        key = _key(found)
        with self.lock:
            if key is not None and self.state.known(key):
                path, size, digest, chunks, credentials = json.loads(self.state.got(key))
                return (path, size, digest, chunks, credentials), True
        if found.far is not None:
            line = far_line(found.path, found.size, found.far.read, found.far.promised)
        else:
            line = near_line(found.place, found.path)
        with self.lock:
            self.state.put(key, json.dumps(line, separators=(",", ":")).encode())
        return line, False


def manifest_fleet(
    fleet: Iterable[Release], jobs: int, state: State, tell: Callable[[int], None] | None = None
) -> Iterator[Delivered]:
    """The manifest of each delivery, in their order, *jobs* files at a time; *tell* hears how many are done.

    Raises:
        BadHub: a delivery cannot be listed; what was read before stays in *state*.
    """
    reader = _Reader(state)
    with ThreadPoolExecutor(jobs, "reading") as pool:
        for number, release in enumerate(fleet, 1):
            listing = release.list()
            if listing.others:
                path, oddity = listing.others[0]
                yield Delivered(release.name, None, f"{shown(path)}: {oddity.message}")
            elif listing.files:
                yield _delivered(release.name, pool, reader, listing.files)
            if tell is not None:
                tell(number)


def _delivered(name: str, pool: ThreadPoolExecutor, reader: _Reader, files: tuple[Found, ...]) -> Delivered:
    coming = [pool.submit(reader.line, found) for found in files]
    try:
        lines = [one.result() for one in coming]
    except (DataError, OSError) as error:
        for one in coming:
            one.cancel()
        why = error.message if isinstance(error, WatchwordError) else (error.strerror or str(error)).lower()
        return Delivered(name, None, shown(why, 300))
    return Delivered(name, manifest_of_lines(line for line, _ in lines), known=sum(known for _, known in lines))


def _key(found: Found) -> str | None:
    if not found.version:
        return None
    told = [_KIND, found.path, found.size, found.version, None if found.far is None else repr(found.far)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()

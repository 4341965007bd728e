"""A folder that says which images may start: what `watchword oci find --output` keeps there, and proofs.

    <hex>.manifest.json    the manifest of an artefact, by its digest; those below an index too
    <any>.proof.json       a proof: a decision that admits the release, all bad news of it as of a time
    <any>.statement.json   a single statement; of these only recalls are heard

1. An image is named by digest, or it is refused: a tag is another image tomorrow.
2. Its manifest is in the folder and has that digest; the digest of the release follows from it (``fleet.registry``).
3. A proof that holds, and is fresh, shows that the member's officials admitted this release for this use, and the
   decision, made again now, is still yes (``guard.offline``). If any fresh proof says no to that, it is no.
4. A recall in the folder, signed by somebody with standing, refuses at once.

An image that is listed as *plain*, one that holds no model, passes. Files are read again when they change.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from watchword.account.proof import Verified
from watchword.charter.charter import CharterFile
from watchword.charter.standing import standing
from watchword.errors import WatchwordError
from watchword.fleet.registry import release_digest
from watchword.guard import Refused
from watchword.guard.offline import admission_by, verified_file
from watchword.inspect.facts import shown
from watchword.limits import ENVELOPE_BYTES_MAX, FLEET_MANIFEST_BYTES_MAX, KUBERNETES_FILES_MAX
from watchword.statements.statement import open_envelope
from watchword.statements.times import Clock, SystemClock, parse_time

_PINNED = re.compile(r"[^\s@]+@(sha256:[0-9a-f]{64})", re.ASCII)

T = TypeVar("T")
Stamp = tuple[int, int, int]


class BadFolder(WatchwordError):
    """The folder of papers cannot be read, or holds more than a folder of papers does."""


@dataclass
class Papers:
    """The folder, read as far as it was needed; any number of threads may ask.

    Args:
        member: whose officials count.
        plain: digests of images that hold no model.
        age_s: as for ``guard.Offline``.
        tell: hears of files that count for nothing, and why.
    """

    folder: Path
    charter: CharterFile
    member: str
    plain: frozenset[str] = frozenset()
    age_s: int | None = None
    clock: Clock = field(default_factory=SystemClock)
    tell: Callable[[str], None] | None = None
    _proofs: dict[Path, tuple[Stamp, Verified | None]] = field(default_factory=dict)
    _recalled: dict[Path, tuple[Stamp, str | None]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> int:
        """Read what is new; how many proofs hold.

        Raises:
            BadFolder: it cannot be listed, or has too many files.
        """
        with self._lock:
            found = self._listed()
            _renewed(self._proofs, {p: s for p, s in found.items() if p.name.endswith(".proof.json")}, self._proof)
            of_statements = {p: s for p, s in found.items() if p.name.endswith(".statement.json")}
            _renewed(self._recalled, of_statements, self._recall)
            return sum(verified is not None for _, verified in self._proofs.values())

    def why_not(self, image: str, use_case: dict[str, Any]) -> str:
        """Why *image* may not start for this use; empty where it may.

        Raises:
            BadFolder: as ``read``.
        """
        pinned = _PINNED.fullmatch(image)
        if pinned is None:
            return f"{shown(image, 200)} is not named by its digest (name@sha256:…)"
        if pinned[1] in self.plain:
            return ""
        self.read()
        try:
            release = release_digest(pinned[1], self._manifest)
        except (ValueError, OSError, WatchwordError) as error:
            return f"{shown(image, 200)}: {shown(str(error), 300)}"
        with self._lock:
            recalled = [target for _, target in self._recalled.values()]
            proofs = [verified for _, verified in self._proofs.values() if verified is not None]
        if f"release:{release}" in recalled:
            return f"{shown(image, 200)}: the release {release} is recalled"
        why = self._admitted(release, proofs, use_case)
        return f"{shown(image, 200)}: {why}" if why else ""

    def _admitted(self, release: str, proofs: list[Verified], use_case: dict[str, Any]) -> str:
        """By the newest proof that shows an admission; a no, made again, in any of them is a no."""
        about = [one for one in proofs if one.absence is not None and f"release:{release}" in one.absence.names]
        about.sort(key=lambda one: parse_time(one.absence.as_of if one.absence else ""), reverse=True)
        first, admitted = "", False
        for one in about:
            try:
                admission_by(one, self.member, release, use_case, self.clock.now(), self.age_s)
                admitted = True
            except Refused as refused:
                if refused.explanation is not None:
                    return refused.message
                first = first or refused.message
        return "" if admitted else first or f"no proof here speaks of the release {release}"

    def _listed(self) -> dict[Path, Stamp]:
        try:
            paths = [path for path in self.folder.iterdir() if path.suffix == ".json"]
            if len(paths) > KUBERNETES_FILES_MAX:
                raise BadFolder(f"{self.folder}: more than {KUBERNETES_FILES_MAX:,} files")
            found = {}
            for path in paths:
                status = path.stat()
                found[path] = status.st_mtime_ns, status.st_size, status.st_ino
            return found
        except OSError as error:
            raise BadFolder(f"{self.folder}: {(error.strerror or str(error)).lower()}") from error

    def _proof(self, path: Path) -> Verified | None:
        try:
            return verified_file(self.charter, path, self.clock.now())
        except WatchwordError as error:
            self._told(path, error)
            return None

    def _recall(self, path: Path) -> str | None:
        try:
            with path.open("rb") as file:
                signed = open_envelope(file.read(ENVELOPE_BYTES_MAX + 2).removesuffix(b"\n"))
            standing(self.charter.charter, signed)
        except (WatchwordError, OSError) as error:
            self._told(path, error)
            return None
        return str(signed.statement.predicate["target"]) if signed.statement.kind == "recall" else None

    def _told(self, path: Path, error: Exception) -> None:
        if self.tell is not None:
            self.tell(f"{path.name} counts for nothing: {error}")

    def _manifest(self, digest: str) -> bytes:
        path = self.folder / f"{digest.removeprefix('sha256:')}.manifest.json"
        try:
            with path.open("rb") as file:
                body = file.read(FLEET_MANIFEST_BYTES_MAX + 1)
        except FileNotFoundError as error:
            raise ValueError(f"its manifest {digest} is not among the papers") from error
        if "sha256:" + hashlib.sha256(body).hexdigest() != digest:
            raise ValueError(f"the manifest {path.name} is not what its name promises")
        return body


def _renewed(held: dict[Path, tuple[Stamp, T]], found: Mapping[Path, Stamp], read: Callable[[Path], T]) -> None:
    for path in held.keys() - found.keys():
        del held[path]
    for path, stamp in found.items():
        if path not in held or held[path][0] != stamp:
            held[path] = stamp, read(path)

"""Hands a release to its loader only as it was inspected, and, with a use, only if it is admitted for it.

1. the use case and the node are read first: what is wrong with them stops before gigabytes are copied;
2. a sealed private copy is made (``guard.sealed``);
3. the copy is inspected and named by its digest; a verdict at or above ``fail_on`` refuses, *unreadable* always does;
4. with a use, it must be admitted for it, and still be (``guard.standing``): by what a node holds or, without one, by
   what a proof shows (``guard.offline``);
5. the copy is handed over. Whatever fails before hands over nothing.

Not promised: what the loader does with the bytes. A verdict of *nothing found* is evidence, not proof.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.guard.refused import Refused
from watchword.guard.sealed import Sealed, sealed_copy
from watchword.inspect import Inspection, Verdict, inspect_open, inspect_path
from watchword.inspect.facts import RANK

if TYPE_CHECKING:
    from watchword.guard.offline import Offline


@dataclass(frozen=True)
class Held:
    """What may be loaded, while the block lasts.

    Attributes:
        path: of the sealed copy: ``/proc/self/fd/N``, or a folder, or the one file in a folder.
        digest: of the release, ``sha256:…``.
        name: what it was called.
        descriptor: the sealed memory, for a process that is started (``pass_fds``); None for a folder.
        inspection: of exactly these bytes.
        decision: the id of the recorded admission; None where no use was stated.
    """

    path: Path
    digest: str
    name: str
    descriptor: int | None
    inspection: Inspection
    decision: str | None = None

    def member(self, name: str | None) -> Path:
        """The path of one file of a held folder; of all that is held where *name* is None."""
        return self.path if name is None else self.path / name


@contextlib.contextmanager
def admitted(
    path: str | Path,
    *,
    use: str | Path | None = None,
    home: str | Path | None = None,
    fail_on: Verdict = Verdict.SUSPICIOUS,
    in_memory: bool | None = None,
    place: Path | None = None,
    offline: Offline | None = None,
    blobs: Path | None = None,
) -> Iterator[Held]:
    """Hold the release *path* for a loader (see the module for the steps).

    Args:
        use: the use case (TOML) for which it must be admitted; None asks for an inspection alone.
        home: the node that is asked; by default as for every command.
        fail_on: the least verdict that refuses. *Unreadable* refuses in any case.
        in_memory, place, blobs: as ``sealed_copy``.
        offline: a proof that is asked instead of a node.

    Raises:
        Refused: something was found, or there is no admission.
        NotSealed, NothingThere, FileChanged: no copy could be made.
        NoHome, BadUseCase, DamagedHome, EngineTrouble and their like: not known, so not handed over.
    """
    source = Path(path)
    # 1
    asked = None if use is None else _question(Path(use), None if home is None else Path(home), offline)
    # 2
    with sealed_copy(source, in_memory=in_memory, place=place, blobs=blobs) as copy:
        # 3
        inspection = replace(_inspected(copy), target=str(path))
        digest = _accepted(inspection, fail_on)
        # 4
        decision = None if asked is None else asked(digest, inspection)
        # 5
        yield Held(copy.path, digest, copy.name, copy.descriptor, inspection, decision)


def _inspected(copy: Sealed) -> Inspection:
    if copy.descriptor is not None:
        return inspect_open(copy.descriptor, copy.name)
    return inspect_path(copy.path)


def _accepted(inspection: Inspection, fail_on: Verdict) -> str:
    """The digest of what may pass."""
    verdict = inspection.verdict
    if verdict is Verdict.UNREADABLE or RANK[verdict] >= RANK[fail_on]:
        worst = inspection.findings[0] if inspection.findings else None
        why = f": {worst.path}: {worst.message}" if worst else ""
        raise Refused(f"{inspection.target} is {verdict}{why}", "nothing was handed over", inspection)
    if inspection.manifest is None:
        raise Refused(f"{inspection.target} cannot be named by a digest", "nothing was handed over", inspection)
    return inspection.manifest.digest


def _question(use: Path, home: Path | None, offline: Offline | None) -> Callable[[str, Inspection], str]:
    """Reads all that needs no release; what then gives the id of the admission that lets a digest pass."""
    from watchword.policy.use_case import read_use_case

    use_case = read_use_case(use)
    if offline is not None:
        from watchword.guard.offline import Shown

        shown = Shown(offline)
        return lambda digest, inspection: shown.admission(digest, use_case, inspection)
    from watchword import node

    found = node.find_home(home)
    return lambda digest, inspection: _admission(use_case, found, digest, inspection)


def _admission(use_case: dict[str, Any], home: Path, digest: str, inspection: Inspection) -> str:
    from watchword import node
    from watchword.guard.standing import Known, standing_admission

    with node.Node.open(home) as here:
        view = here.latest_view()
        known = Known(here.charter, view, here.facts(view), here.member, here.clock.now())
        return standing_admission(known, digest, use_case, inspection)

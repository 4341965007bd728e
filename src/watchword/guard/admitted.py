"""Hands a release to its loader only as it was inspected, and, with a use, only if it is admitted for it.

1. the use case and the node are read first: what is wrong with them stops before gigabytes are copied;
2. a sealed private copy is made (``guard.sealed``);
3. the copy is inspected and named by its digest; a verdict at or above ``fail_on`` refuses, *unreadable* always does;
4. with a use: a person of this node's member has admitted exactly this digest for exactly this use case, under the
   charter in force, and that decision has not fallen;
5. the decision, made again now from all that the node holds, is still yes: bad news since then counts at once;
6. the copy is handed over. Whatever fails before hands over nothing.

Not promised: what the loader does with the bytes. A verdict of *nothing found* is evidence, not proof.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.errors import WatchwordError
from watchword.guard.sealed import Sealed, sealed_copy
from watchword.inspect import Inspection, Verdict, inspect_open, inspect_path
from watchword.inspect.facts import RANK

if TYPE_CHECKING:
    from watchword.ledger.view import Fact
    from watchword.node import Node


class Refused(WatchwordError):
    """The release is not handed over. ``inspection`` and ``explanation`` say why, where it came to them."""

    def __init__(
        self, message: str, hint: str = "", inspection: Inspection | None = None, explanation: Any = None
    ) -> None:
        super().__init__(message, hint)
        self.inspection = inspection
        self.explanation = explanation


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
) -> Iterator[Held]:
    """Hold the release *path* for a loader (see the module for the steps).

    Args:
        use: the use case (TOML) for which it must be admitted; None asks for an inspection alone.
        home: the node that is asked; by default as for every command.
        fail_on: the least verdict that refuses. *Unreadable* refuses in any case.
        in_memory, place: as ``sealed_copy``.

    Raises:
        Refused: something was found, or there is no admission.
        NotSealed, NothingThere, FileChanged: no copy could be made.
        NoHome, BadUseCase, DamagedHome, EngineTrouble and their like: not known, so not handed over.
    """
    source = Path(path)
    # 1
    asked = None if use is None else _question(Path(use), None if home is None else Path(home))
    # 2
    with sealed_copy(source, in_memory=in_memory, place=place) as copy:
        # 3
        inspection = replace(_inspected(copy), target=str(path))
        digest = _accepted(inspection, fail_on)
        # 4, 5
        decision = None if asked is None else _admission(*asked, digest, inspection)
        # 6
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


def _question(use: Path, home: Path | None) -> tuple[dict[str, Any], Path]:
    from watchword import node
    from watchword.policy.use_case import read_use_case

    return read_use_case(use), node.find_home(home)


def _admission(use_case: dict[str, Any], home: Path, digest: str, inspection: Inspection) -> str:
    """The id of the admission that lets *digest* pass for *use_case* at the node in *home*."""
    from watchword import node
    from watchword.policy.admission import admit
    from watchword.statements.statement import Subject
    from watchword.statements.times import rfc3339

    with node.Node.open(home) as here:
        view = here.latest_view()
        facts = here.facts(view)
        name = use_case["name"]
        # 4
        made = [fact for fact in facts.statements if _admits(here, fact, digest, use_case)]
        standing = _not_fallen(here, made)
        if not standing:
            what = "no admission" if not made else "no admission that still stands"
            hint = f"watchword admit RELEASE --use FILE, by an official of {here.member}; nothing was handed over"
            raise Refused(f"{inspection.target} ({digest}) has {what} for {name}", hint, inspection)
        fact = max(standing, key=lambda one: one.signed.statement.made)
        # 5
        subject = Subject(fact.signed.statement.subject[0].name, digest)
        again = admit(here.charter, view, facts, rfc3339(here.clock.now()), subject, use_case)
        if not again.admitted:
            words = f"{inspection.target} ({digest}) was admitted for {name} and is no longer"
            raise Refused(words, "nothing was handed over", inspection, again.explanation)
        return fact.signed.statement.id


def _admits(here: Node, fact: Fact, digest: str, use_case: dict[str, Any]) -> bool:
    """Whether *fact* is an admission by a person of this member, of this release, for this use, under this charter."""
    from watchword.statements.digests import DJ

    statement = fact.signed.statement
    if statement.kind != "decision" or fact.holder.job != "people" or fact.holder.owner != here.member:
        return False
    value = statement.predicate["decision"]
    return (
        [one.digest for one in statement.subject] == [digest]
        and value.get("verdict") == "admitted"
        and value.get("use_case") == DJ(use_case)
        and value.get("charter") == here.charter.digest
    )


def _not_fallen(here: Node, made: list[Fact]) -> list[Fact]:
    from watchword.policy.table import fallen, notices

    view = here.latest_view()
    own = {fact.signed.statement.id: fact for fact in made}
    names = [
        name
        for fact in made
        for name in (f"statement:{fact.signed.statement.id}", f"key:{fact.signed.key_id}")
    ]  # fmt: skip
    gone = fallen(made, notices(here.charter, view, here.facts(view), names, own))
    return [fact for fact in made if fact.signed.statement.id not in gone]

"""What one process does with a model of a fleet: run the plan on it as ``evaluate run`` does, and keep the result.

* The plan is a template: its release is each model's own, its data and seed are the same for all. Each result is the
  one that ``evaluate run --rehearse`` of that model gives, less the time it took: that is another each time.
* A model that lies here as a release is run where it lies, and must have the same digest afterwards. What is elsewhere,
  or in a cache that keeps its files by digest, lands once in a folder of its own that only this user reads, is hashed
  on the way, and is gone afterwards.
* What does not fit the plan, breaks off, hangs or cannot be read has no result, with the reason, and stops nothing
  else. Only results are kept in the state: the rest is tried again.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import msgspec

from watchword import __version__
from watchword.errors import WatchwordError
from watchword.evaluate.plan import Plan, SubjectOf
from watchword.evaluate.run import Result, run
from watchword.evaluate.samples import Samples
from watchword.evaluate.subjects import open_subject
from watchword.fleet.looking import Piece
from watchword.inspect.facts import shown
from watchword.inspect.inspection import manifest_of
from watchword.inspect.walk import Found, Listing, changed, open_file, same
from watchword.limits import FAR_BLOCK_BYTES, FAR_RUN_BLOCKS, FLEET_MODEL_BYTES_MAX, SUBJECT_ANSWER_S_MAX
from watchword.sandbox import kept_by
from watchword.statements.canonical import canonical
from watchword.statements.manifest import Entry, build, check_paths

EACH = "sha256:" + "0" * 64
"""Stands in a template for the release of each model."""

SCHEMA = "watchword-fleet-evaluation/1"
_PACKAGES = ("numpy", "onnxruntime", "torch", "secml-torch", "foolbox")
_RUN_BYTES = FAR_BLOCK_BYTES * FAR_RUN_BLOCKS


class TooLarge(WatchwordError):
    """A model that is elsewhere and too large to be fetched."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How each model is tried. ``seed``: of those for which none was drawn. ``harness``: stands at the same path on
    every machine. ``scratch``: below it models land that are elsewhere; on a machine where it is not, below the folder
    for temporary files there."""

    template: Plan
    seed: str
    samples: Samples
    harness: Path | None = None
    scratch: str = ""
    answer_s_max: float = SUBJECT_ANSWER_S_MAX


@dataclass(frozen=True, slots=True)
class Model(Piece):
    """A release that is to be run. ``release``: the digest for which ``seed`` was drawn; None for a rehearsal."""

    seed: str = ""
    release: str | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """A model by its number in the fleet, and what came of it, as canonical JSON. ``lasting``: may be kept."""

    number: int
    body: bytes
    lasting: bool


@dataclass(frozen=True, slots=True)
class Named:
    """A release by its number in the fleet, and its digest, or why there is none."""

    number: int
    digest: str | None
    why: str = ""


def tried(pieces: Iterable[Piece], trial: Trial) -> list[Tried | Named]:
    """What came of each of *pieces*, in their order: a run of a model; of any other release only its digest."""
    return [_tried(piece, trial) if isinstance(piece, Model) else _named(piece) for piece in pieces]


def misfit(listing: Listing, of: SubjectOf) -> str:
    """Why a release is no subject such as the plan has; empty where it is one."""
    for path, oddity in listing.others:
        return f"{shown(path)}: {oddity.message}"
    if of.harness is not None:
        return ""
    entry = of.entry.partition(":")[0] if of.interface == "python" else of.entry
    if alone(listing.files):
        ending = PurePosixPath(entry).suffix
        return "" if PurePosixPath(listing.files[0].path).suffix == ending else f"not a file {ending or entry}"
    return "" if any(found.path == entry for found in listing.files) else f"no file {shown(entry, 100)} in it"


def alone(files: tuple[Found, ...]) -> bool:
    """Whether the release is one file, which then is the model whatever its name."""
    return len(files) == 1 and "/" not in files[0].path


def body_of(name: str, digest: str, result: Result, *, timed: bool) -> bytes:
    """What is kept of a run; *timed*: with the time it took, which is another each time, as its statement has it."""
    value = {one: of for one, of in result.value().items() if timed or one != "cpu_s"}
    return _body(name, digest, value, result.meets, result.told(), "")


def without(name: str, why: str, digest: str | None = None) -> bytes:
    """What is told of a model without a result."""
    return _body(name, digest, None, False, "", why)


def _body(name: str, digest: str | None, value: dict[str, Any] | None, meets: bool, told: str, why: str) -> bytes:
    return canonical({
        "evaluation": value, "meets": meets, "name": shown(name, 4096), "release": digest, "schema": SCHEMA,
        "told": told, "why": why,
    })  # fmt: skip


def unanswered(piece: Piece, why: str, digest: str | None = None) -> Tried:
    """A model without a result."""
    return Tried(piece.number, without(piece.name, why, digest), lasting=False)


def surroundings(_trial: Trial) -> dict[str, str]:
    """What results depend on at this machine."""
    found = {"machine": platform.machine(), "python": platform.python_version(), "sandbox": kept_by(),
             "system": platform.system(), "watchword": __version__}  # fmt: skip
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def key_of(model: Model, trial: Trial) -> str | None:
    """What the result depends on, as a digest; None where a file has no version that would tell of a change."""
    if not all(found.version for found in model.listing.files):
        return None
    files = [[found.path, found.size, found.version] for found in model.listing.files]
    told = [SCHEMA, model.name, files, trial.template.digest, model.seed, model.release, surroundings(trial)]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def of_release(template: Plan, digest: str) -> Plan:
    """The plan of one model."""
    return msgspec.structs.replace(template, subject=msgspec.structs.replace(template.subject, release=digest))


def _tried(model: Model, trial: Trial) -> Tried:
    digest, landed = None, ""
    try:
        with _at_hand(model.listing.files, trial.scratch) as (place, digest, landed):
            if model.release not in (None, digest):
                raise changed(model.listing.files[0])
            plan = of_release(trial.template, digest)
            opened = functools.partial(
                open_subject, plan.subject, place, None, library=plan.attack.library, harness=trial.harness,
                answer_s_max=trial.answer_s_max,
            )  # fmt: skip
            result = run(plan, model.seed, trial.samples, opened)
            # What lay there while it ran, not only before.
            if not landed and manifest_of(place).digest != digest:
                raise changed(model.listing.files[0])
            if trial.harness is not None and manifest_of(trial.harness).digest != plan.subject.harness:
                raise WatchwordError(f"{trial.harness}: not the harness of the plan")
    except Exception as error:
        # What one model does to a run, be it a fault of ours, must neither pass nor end the others'.
        if os.environ.get("WATCHWORD_DEBUG") and not isinstance(error, WatchwordError | OSError):
            raise
        return unanswered(model, _reason(error).replace(landed or "\0", "…"), digest)
    body = body_of(model.name, digest, result, timed=model.release is not None)
    return Tried(model.number, body.replace((landed or "\0").encode(), "…".encode()), lasting=True)


def _named(piece: Piece) -> Named:
    files = piece.listing.files
    try:
        root = _root(files)
        if root is not None:
            return Named(piece.number, manifest_of(root / files[0].path if alone(files) else root).digest)
        return Named(piece.number, _passed(files, None))
    except (WatchwordError, OSError) as error:
        return Named(piece.number, None, _reason(error))


def _reason(error: Exception) -> str:
    if isinstance(error, WatchwordError):
        return shown(error.message, 300)
    if isinstance(error, OSError):
        return shown((error.strerror or str(error)).lower(), 300)
    return shown(f"the run failed: {type(error).__name__}: {error}", 300)


# -- where it lies -------------------------------------------------------------------------------------


@contextmanager
def _at_hand(files: tuple[Found, ...], scratch: str) -> Iterator[tuple[Path, str, str]]:
    """The release as a path of this machine, its digest, and the folder in which it landed, if it did."""
    root = _root(files)
    if root is not None:
        place = root / files[0].path if alone(files) else root
        yield place, manifest_of(place).digest, ""
        return
    below = scratch if scratch and Path(scratch).is_dir() else None
    with tempfile.TemporaryDirectory(prefix="watchword-", dir=below) as folder:
        digest = _land(files, Path(folder))
        yield Path(folder, files[0].path) if alone(files) else Path(folder), digest, folder


def _root(files: tuple[Found, ...]) -> Path | None:
    """The folder in which all files lie here at their paths in the release; None where they lie otherwise."""
    roots = set()
    for found in files:
        parts = tuple(found.path.split("/"))
        if found.far is not None or found.place.parts[-len(parts) :] != parts:
            return None
        roots.add(found.place.parents[len(parts) - 1])
    return roots.pop() if len(roots) == 1 else None


def _land(files: tuple[Found, ...], folder: Path) -> str:
    """Copy *files* into *folder*; the digest of the release that they are."""
    size = sum(found.size for found in files)
    if size > FLEET_MODEL_BYTES_MAX:
        raise TooLarge(f"{size:,} bytes, more than the {FLEET_MODEL_BYTES_MAX:,} that are fetched")
    return _passed(files, folder)


def _passed(files: tuple[Found, ...], folder: Path | None) -> str:
    """The digest of the release that *files* are, each read once, and copied into *folder* where there is one."""
    check_paths([found.path for found in files])  # what comes from elsewhere names its own places
    entries = []
    for found in files:
        whole = hashlib.sha256()
        with _new(None if folder is None else folder / found.path) as file:
            for data in _bytes(found):
                whole.update(data)
                file.write(data)
        if found.far is not None and found.far.promised not in (None, whole.hexdigest()):
            raise WatchwordError(f"{shown(found.path)}: the content is not what its digest promises")
        entries.append(Entry(found.path, found.size, whole.hexdigest()))
    return build(entries).digest


def _new(place: Path | None) -> IO[bytes]:
    if place is None:
        return Path(os.devnull).open("wb")
    place.parent.mkdir(parents=True, exist_ok=True)
    return place.open("xb")


def _bytes(found: Found) -> Iterator[bytes]:
    if found.far is not None:
        for start in range(0, found.size, _RUN_BYTES):
            yield found.far.read(start, min(_RUN_BYTES, found.size - start))
        return
    descriptor, before = open_file(found)
    try:
        read = 0
        while data := os.pread(descriptor, min(_RUN_BYTES, found.size - read), read):
            read += len(data)
            yield data
        if read != found.size or not same(before, os.fstat(descriptor)):
            raise changed(found)
    finally:
        os.close(descriptor)

"""A hub: an address under which many releases lie. What is one release the layout says, never the content.

* A folder, or a prefix of an object store: a release is what stands ``depth`` folders down (1: directly in the hub; 0:
  the hub itself is one release). A file that stands higher is a release of its own.
* A cache of the Hugging Face Hub: each snapshot is a release, ``org/name@commit``; its links into the ``blobs`` of its
  own repository are files.
* A web address is a file, or ends in ``/`` and answers with a list of links, as web servers make them.
* A registry (OCI distribution): each tag of a repository is a release.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from watchword.errors import WatchwordError
from watchword.inspect.facts import shown
from watchword.inspect.walk import Found, Listing, NothingThere, list_release
from watchword.limits import FLEET_FILES_MAX, FLEET_RELEASES_MAX


class BadHub(WatchwordError):
    """An address that is no hub, or one that cannot be listed: nothing in it was looked at."""


@dataclass(frozen=True, slots=True)
class Release:
    """One release of a hub: its full name, and what lists its files when it is its turn."""

    name: str
    list: Callable[[], Listing]


def releases(address: str, depth: int = 1) -> Iterator[Release]:
    """The releases under *address*, in the order of their names.

    Raises:
        BadHub: it cannot be listed, or there is nothing.
    """
    scheme, colon, _ = address.partition("://")
    if not colon:
        return _of_folder(address, depth)
    if scheme in ("s3", "gs", "az"):
        from watchword.fleet.stores import objects

        return grouped(address, objects(address), depth)
    if scheme in ("http", "https"):
        from watchword.fleet.web import files

        return grouped(address, files(address), depth)
    if scheme == "oci":
        from watchword.fleet.registry import tagged

        return tagged(address)
    words = f"{shown(address, 200)}: no hub is reached by {shown(scheme, 40)}"
    raise BadHub(words, "a folder, or s3://, gs://, az://, http(s)://, oci://")


def subject_name(name: str) -> str:
    """``NAME VERSION`` of a release in a hub: the last part of its name, without where the hub is."""
    last = name.rstrip("/").rpartition("/")[2] or name
    system, at, version = last.partition("@")
    if not at and name.startswith("oci://"):
        system, _, version = last.partition(":")
    return f"{system} {version or 'unversioned'}"


def grouped(address: str, files: Iterable[Found], depth: int) -> Iterator[Release]:
    """The releases that *files*, with paths below the hub, make up at *depth*.

    Raises:
        BadHub: more files than FLEET_FILES_MAX, or none.
    """
    base = address.rstrip("/")
    found: dict[str, list[Found]] = {}
    for number, one in enumerate(files, 1):
        if number > FLEET_FILES_MAX:
            raise BadHub(f"{shown(address, 200)}: more than {FLEET_FILES_MAX:,} files", "name parts of it")
        parts = one.path.split("/")
        kept = min(depth, len(parts) - 1)
        alone = depth > kept  # a file that stands higher
        name = one.path if alone else "/".join(parts[:kept])
        path = parts[-1] if alone else "/".join(parts[kept:])
        found.setdefault(name, []).append(Found(Path(path), path, one.size, far=one.far, version=one.version))
    if not found:
        raise BadHub(f"{shown(address, 200)}: there is nothing there", "check the address")
    for name in sorted(found, key=lambda name: name.encode(errors="surrogatepass")):
        ordered = sorted(found.pop(name), key=lambda one: one.path.encode(errors="surrogatepass"))
        yield Release(f"{base}/{name}" if name else base, lambda ordered=ordered: Listing(tuple(ordered), ()))  # type: ignore[misc]


# -- folders --------------------------------------------------------------------------------------


def _of_folder(address: str, depth: int) -> Iterator[Release]:
    try:
        root = Path(address).resolve(strict=True)
        is_folder = stat.S_ISDIR(root.stat().st_mode)
    except (OSError, RuntimeError, ValueError) as error:
        words = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
        raise BadHub(f"{shown(address)}: {words}", "nothing was looked at; check the path") from error
    if not is_folder or depth == 0:
        return iter([Release(address, lambda: list_release(Path(address)))])
    named = sorted(_down(address, root, depth), key=lambda one: one.name.encode(errors="surrogatepass"))
    if not named:
        raise BadHub(f"{shown(address)}: the folder is empty", "there is nothing there to look at")
    return iter(named)


def _down(address: str, root: Path, depth: int) -> Iterator[Release]:
    base = address.rstrip("/")
    waiting = [(root, "", depth)]
    count = 0
    while waiting:
        folder, prefix, left = waiting.pop()
        try:
            below = sorted(folder.iterdir())
        except OSError as error:
            raise BadHub(f"{shown(str(folder))}: {(error.strerror or str(error)).lower()}") from error
        for place in below:
            count += 1
            if count > FLEET_RELEASES_MAX:
                raise BadHub(f"{shown(address)}: more than {FLEET_RELEASES_MAX:,} releases", "name parts of it")
            name = prefix + place.name
            if not prefix and place.name.startswith(_CACHED) and place.joinpath("snapshots").is_dir():
                yield from _snapshots(base, place)
            elif left > 1 and place.is_dir() and not place.is_symlink():
                waiting.append((place, name + "/", left - 1))
            else:
                yield Release(f"{base}/{name}", lambda place=place: _listed(place))  # type: ignore[misc]


def _listed(place: Path) -> Listing:
    """As ``list_release``; a link in a hub is told as what it is, not followed, and an empty folder is no release."""
    if not place.is_symlink():
        try:
            return list_release(place)
        except NothingThere:
            if place.is_dir():
                return Listing((), ())
            raise
    from watchword.inspect.facts import Oddity

    words = f"a link, to {shown(str(place.readlink()), 200)}; name where it leads as a hub of its own"
    return Listing((), ((place.name, Oddity("symlink-escape", None, words)),))


_CACHED = ("models--", "datasets--", "spaces--")


def _snapshots(base: str, repository: Path) -> Iterator[Release]:
    kind, _, name = repository.name.partition("--")
    name = ("" if kind == "models" else f"{kind}/") + name.replace("--", "/")
    blobs = (repository / "blobs").resolve()
    for snapshot in sorted((repository / "snapshots").iterdir()):
        full = f"{base}/{name}@{snapshot.name}"
        yield Release(full, lambda snapshot=snapshot: list_release(snapshot, blobs))  # type: ignore[misc]

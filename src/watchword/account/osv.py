"""Advisories in OSV's form (ossf.github.io/osv-schema, 1.7), read offline and joined to components by package URL.

* An advisory affects a version that it lists, or that lies in one of its ranges of type SEMVER or ECOSYSTEM: at or
  after ``introduced`` (0 is the first of all), before ``fixed``, up to and with ``last_affected``. Ranges of commits
  are not read.
* A version that cannot be compared, or a package whose versions have no order here, is affected as soon as a range
  speaks of the package: unreadable is not absent. An empty version is any version.
* A withdrawn advisory affects nothing.
* The package is found by its purl; without one, by ecosystem and name, for the ecosystems in ``TYPES``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from watchword.account.exposure import Wanted
from watchword.catalog.rows import bounded
from watchword.errors import WatchwordError
from watchword.limits import OSV_BYTES_MAX, OSV_FILES_MAX
from watchword.statements.canonical import parse_json
from watchword.statements.purl import package_of, parse_purl
from watchword.statements.versions import Key, order_of

TYPES = {
    "PyPI": "pypi", "npm": "npm", "Go": "golang", "crates.io": "cargo", "Hex": "hex", "Pub": "pub", "NuGet": "nuget",
    "SwiftURL": "swift", "RubyGems": "gem", "Maven": "maven", "Packagist": "composer",
}  # fmt: skip
"""Types of package URLs by OSV's ecosystems."""


class BadAdvisory(WatchwordError):
    """A file that is no advisory in OSV's form. Names it."""


@dataclass(frozen=True)
class Affected:
    """A package that an advisory speaks of: as ``statements.purl`` spells it, its listed versions and its ranges.

    ``ranges``: each the events of one range, as (event, version), in the order of the file.
    """

    package: str
    type: str
    versions: frozenset[str]
    ranges: tuple[tuple[tuple[str, str], ...], ...]

    def affects(self, version: str) -> bool:
        """Whether *version* is affected."""
        if version == "" or version in self.versions:
            return True
        if not self.ranges:
            # An advisory that names no versions at all speaks of them all.
            return not self.versions
        order = order_of(self.type)
        place = None if order is None else order(version)
        if order is None or place is None:
            return True
        known = [[(event, order(at) if at != "0" else ()) for event, at in one] for one in self.ranges]
        return any(_in_range(place, events) for events in known)


@dataclass(frozen=True)
class Advisory:
    """One advisory: ``id`` such as ``GHSA-…``, other ids of it, and what it affects."""

    id: str
    aliases: tuple[str, ...]
    summary: str
    affected: tuple[Affected, ...]


def _in_range(place: Key, events: Sequence[tuple[str, Key | None]]) -> bool:
    """The schema's own rule: of the events up to this version, in order of version, the last one decides."""
    if any(at is None for _, at in events):
        return True
    ordered = sorted(((at, event) for event, at in events if at is not None), key=lambda one: (one[0], one[1]))
    inside = False
    for at, event in ordered:
        if event == "introduced" and at <= place:
            inside = True
        elif (event == "fixed" and at <= place) or (event == "last_affected" and at < place):
            inside = False
    return inside


def read_advisories(path: Path) -> list[Advisory]:
    """The advisories of a file, or of every ``.json`` below a folder, in order of name.

    Raises:
        BadAdvisory: one is not of the form, too large, or there are too many; names it.
    """
    files = [path] if path.is_file() else sorted(path.rglob("*.json"))
    if not files:
        raise BadAdvisory(f"{path}: no advisories there", "a file in OSV's form, or a folder of them")
    if len(files) > OSV_FILES_MAX:
        raise BadAdvisory(f"{path}: {len(files):,} files, limit {OSV_FILES_MAX:,}", "name a folder below it")
    return [one for file in files for one in _read(file)]


def _read(file: Path) -> Iterator[Advisory]:
    with file.open("rb") as opened:
        value = parse_json(opened.read(OSV_BYTES_MAX + 1), str(file), OSV_BYTES_MAX)
    for one in value if isinstance(value, list) else [value]:
        try:
            yield _advisory(one)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            hint = "ossf.github.io/osv-schema says the form"
            raise BadAdvisory(f"{file}: not an advisory in OSV's form", hint) from error


def _advisory(value: Any) -> Advisory:
    if not isinstance(value["id"], str):
        raise ValueError("id")
    summary = str(value.get("summary") or value.get("details") or "")
    affected = () if value.get("withdrawn") else tuple(_affected(value.get("affected") or []))
    return Advisory(value["id"], tuple(map(str, value.get("aliases") or [])), summary, affected)


def _affected(rows: Sequence[Mapping[str, Any]]) -> Iterator[Affected]:
    for row in rows:
        of = row.get("package") or {}
        package = package_of(str(of.get("purl") or ""))
        if not package:
            kind = TYPES.get(str(of.get("ecosystem", "")).partition(":")[0])
            # Maven's names are group:artifact, Go's and npm's have their namespace before the last slash.
            name = str(of.get("name", "")).replace(":", "/") if kind == "maven" else str(of.get("name", ""))
            package = package_of(f"pkg:{kind}/{quote(name, safe='/@')}") if kind else ""
        purl = parse_purl(package)
        if purl is None:
            continue
        ranges = tuple(
            tuple((event, str(at)) for step in one["events"] for event, at in step.items() if event != "limit")
            for one in row.get("ranges") or []
            if one["type"] in ("SEMVER", "ECOSYSTEM")
        )
        yield Affected(package, purl.type, frozenset(map(str, row.get("versions") or [])), ranges)


def wanted_of(advisory: Advisory) -> list[Wanted]:
    """What an advisory affects, as it is looked for in a catalog."""
    return [Wanted("component", "package", bounded(one.package), one.affects) for one in advisory.affected]


def by_ids(advisories: Sequence[Advisory], ids: Sequence[str]) -> list[Advisory]:
    """Those of one of these ids or aliases, in order of id; all where none is named.

    Raises:
        BadAdvisory: an id that none has.
    """
    for id_ in ids:
        if not any(id_ in (one.id, *one.aliases) for one in advisories):
            raise BadAdvisory(f"{id_}: no advisory of this id among these")
    chosen = [one for one in advisories if not ids or {one.id, *one.aliases} & set(ids)]
    return sorted(chosen, key=lambda one: one.id)

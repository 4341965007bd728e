"""What watchword is built on, looked at offline: ``make audit OSV=FOLDER``, or ``python audit.py FOLDER``.

1. Every package in requirements/*.lock is pinned to one version, and to the SHA-256 of each file that may be installed.
2. No advisory in FOLDER affects one of them (OSV's form: the advisories for PyPI of osv.dev, unpacked, or any of them).
3. Under which licence each is, as its own metadata say; printed for people, since what a licence allows is no check.

Exit 1 where a package is not pinned or is affected, 2 where the advisories cannot be read.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from release import locked

from watchword.account.osv import Advisory, read_advisories
from watchword.errors import WatchwordError
from watchword.statements.purl import package_of

ROOT = Path(__file__).resolve().parent


def main() -> int:
    """Print what was found, worst first."""
    parser = argparse.ArgumentParser(description="Look at what watchword is built on, offline.")
    parser.add_argument("advisories", type=Path, metavar="FOLDER", help="advisories in OSV's form")
    parser.add_argument("--locks", type=Path, default=ROOT / "requirements", help="where the locks lie")
    args = parser.parse_args()
    try:
        advisories = read_advisories(args.advisories)
    except WatchwordError as error:
        print(f"{error.message}; {error.hint}", file=sys.stderr)
        return 2
    locks = {path.name: path.read_text("utf-8") for path in sorted(args.locks.glob("*.lock"))}
    if not locks:
        print(f"{args.locks}: no locks there", file=sys.stderr)
        return 2
    packages = {one["purl"]: one for text in locks.values() for one in locked(text)}
    wrong = [line for name, text in locks.items() for line in unpinned(name, text)]
    wrong += affected(packages.values(), advisories)
    print(*wrong, *sorted(licences(packages.values())), sep="\n")
    said = f"{len(wrong)} found" if wrong else "nothing found"
    print(f"{len(packages)} packages, {len(advisories)} advisories: {said}", file=sys.stderr)
    return 1 if wrong else 0


def unpinned(name: str, text: str) -> Iterator[str]:
    """A line for each requirement of a lock without one exact version, or without a digest."""
    read = {f"{one['name']}=={one['version']}": one for one in locked(text)}
    for line in text.splitlines():
        if not line or line[0] in " #":
            continue
        one = read.get(re.split(r" |;", line, maxsplit=1)[0])
        if one is None or not one["externalReferences"]:
            yield f"not pinned  {name}: {line.rstrip(' ' + chr(92))}"


def affected(packages: Any, advisories: list[Advisory]) -> list[str]:
    """A line for each advisory that affects a package in the version of the lock."""
    versions: dict[str, set[str]] = {}
    for one in packages:
        versions.setdefault(package_of(one["purl"]), set()).add(one["version"])
    return [
        f"affected    {hit.package.removeprefix('pkg:pypi/')} {version}: {advisory.id}  {advisory.summary[:200]}"
        for advisory in advisories
        for hit in advisory.affected
        for version in sorted(versions.get(hit.package, ()))
        if hit.affects(version)
    ]


def licences(packages: Any) -> Iterator[str]:
    """A line for each package with the licence that its metadata name; they are only there where it is installed."""
    for one in packages:
        try:
            said = licence(distribution(one["name"]))
        except PackageNotFoundError:
            said = "not installed here"
        yield f"licence     {one['name']} {one['version']}: {said}"


def licence(one: Distribution) -> str:
    """The expression (PEP 639), else the classifiers, else the first line of the old free text."""
    said: dict[str, Any] = one.metadata.json
    if expression := said.get("license_expression"):
        return str(expression)
    classes = [str(value) for value in said.get("classifier", ()) if str(value).startswith("License ::")]
    told = [value.rpartition(" :: ")[2] for value in classes if not value.endswith("OSI Approved")]
    free = str(said.get("license") or "").strip().splitlines()
    return ", ".join(told) or (free[0][:100] if free else "none named")


if __name__ == "__main__":
    sys.exit(main())

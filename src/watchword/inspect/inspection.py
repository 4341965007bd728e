"""Inspects a file or a folder: list, look at every file, name the whole by its manifest, and say what was found.

Nothing is imported, loaded or executed, and no name is resolved: the verdict depends on the bytes alone.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword import __version__
from watchword.errors import WatchwordError
from watchword.inspect import rules
from watchword.inspect.facts import RANK, FileReport, Finding, Inspection, Oddity, Progress, shown, worst
from watchword.inspect.file import How, Inspected, inspect_file
from watchword.inspect.hashing import Hashing, Step
from watchword.inspect.release import explained, judge_release
from watchword.inspect.updates import added
from watchword.inspect.walk import Found, Listing, changed, list_release, open_file, same
from watchword.limits import JOBS_MAX
from watchword.sandbox import Kept
from watchword.statements.manifest import Entry, Manifest, UnsafePath, build

if TYPE_CHECKING:
    from watchword.inspect.plugins import Plugins


class NoManifest(WatchwordError):
    """The release cannot be named by a digest."""


def inspect_path(
    path: Path,
    *,
    hash_files: bool = True,
    weights: bool = False,
    plugins: tuple[str, ...] = (),
    jobs: int = 1,
    kept: Kept = Kept.NOTHING,
    progress: Progress | None = None,
) -> Inspection:
    """Inspect the release at *path*, a file or a folder.

    Args:
        path: followed if it is itself a link; links inside are not.
        hash_files: False leaves out hashing, and with it the manifest.
        weights: read the numbers of tensors too, for what is hidden or damaged in them; needs numpy.
        plugins: names of entry points that are asked too (``inspect.plugins``).
        jobs: how many processes look at files; the result is the same for any number.
        kept: what keeps the processes that look (``sandbox.keeping``); by nothing, this process looks itself. Otherwise
            it forks: not for a process that has threads of its own.
        progress: called with the file's path, the bytes read and the bytes of the whole release.

    Raises:
        NothingThere: missing or empty.
        FileChanged: a file changed while it was read.
        NoNumbers: *weights* without numpy. BadPlugin: one of *plugins* cannot be used.
        NoSandbox: no process can be confined.
    """
    how = How(hash_files, weights, plugins)
    return inspect_paths([path], how, jobs=jobs, kept=kept, progress=progress)[0]


def inspect_paths(
    paths: Sequence[Path], how: How, *, jobs: int = 1, kept: Kept = Kept.NOTHING, progress: Progress | None = None
) -> list[Inspection]:
    """Inspect the release at each of *paths*, by the same processes; all are listed before the first is looked at.

    Raises:
        As ``inspect_path``.
    """
    listings = [list_release(path) for path in paths]
    how.loaded()
    files = tuple(found for listing in listings for found in listing.files)
    with contextlib.closing(_inspected(files, how, [path.resolve() for path in paths], jobs, kept, progress)) as looked:
        return [
            inspection_of(listing, str(path), how, itertools.islice(looked, len(listing.files)))
            for path, listing in zip(paths, listings, strict=True)
        ]


def inspect_open(descriptor: int, name: str) -> Inspection:
    """Inspect one file that is open already, as the release of one file called *name*.

    Raises:
        FileChanged: it changed while it was read.
    """
    found = Found(Path(name), name, os.fstat(descriptor).st_size, descriptor)
    return inspection_of(Listing((found,), ()), name, How(), [inspect_file(found, How(), Step())])


def inspection_of(listing: Listing, target: str, how: How, inspected: Iterable[Inspected]) -> Inspection:
    """The inspection of a release from what was found in each of its listed files, in their order."""
    plugins = how.loaded()
    reports: list[FileReport] = []
    findings: list[Finding] = []
    for report, its in inspected:
        reports.append(report)
        findings.extend(its)
    reports, findings = explained(reports, findings)
    reports, on_release = judge_release(reports)
    findings.extend(on_release)
    for name, oddity in listing.others:
        finding = rules.BY_ID[oddity.rule].finding(shown(name), oddity)
        findings.append(finding)
        reports.append(FileReport(shown(name), 0, None, "none", finding.verdict, "not looked at"))
    manifest = None
    if how.hash_files and not listing.others and all(report.sha256 is not None for report in reports):
        manifest, unsafe = _manifest(listing.files, reports)
        if unsafe is not None:
            findings.append(unsafe)
    findings.sort(key=_order)
    verdict = worst([finding.verdict for finding in findings] + [report.verdict for report in reports])
    return Inspection(shown(target, 4096), verdict, manifest, tuple(findings), tuple(reports), tool(plugins))


def manifest_of(path: Path, *, progress: Progress | None = None) -> Manifest:
    """The manifest of the release at *path*: listed and hashed, not judged.

    Raises:
        NoManifest: links, special or unreadable files, or unsafe names stand in the way.
        NothingThere, FileChanged: as :func:`inspect_path`.
    """
    listing = list_release(path)
    for name, oddity in listing.others:
        raise NoManifest(f"{shown(name)}: {oddity.message}", "no manifest can be made; `watchword inspect` says more")
    total = sum(found.size for found in listing.files)
    entries, done = [], 0
    for found in listing.files:
        try:
            descriptor, before = open_file(found)
        except OSError as error:
            raise NoManifest(f"{shown(found.path)}: {(error.strerror or str(error)).lower()}") from error
        try:
            hashing = Hashing(descriptor, before.st_size, found.path, Step(progress, done, total))
            hashing.run()
            sha256 = hashing.result()
            if hashing.read != before.st_size or not same(before, os.fstat(descriptor)):
                raise changed(found)
        except OSError as error:
            raise NoManifest(f"{shown(found.path)}: {(error.strerror or str(error)).lower()}") from error
        finally:
            os.close(descriptor)
        entries.append(Entry(found.path, before.st_size, sha256))
        done += before.st_size
    return build(entries)


def tool(plugins: Plugins | None = None) -> dict[str, Any]:
    """Name, version, and a digest of all rules and tables of this inspector; with plugins, theirs too."""
    later = added()
    version = __version__ if later is None else f"{__version__}+data.{later.version}"
    told: dict[str, Any] = {"name": "watchword inspect", "version": version, "rules": rules.digest()}
    if plugins is not None:
        from watchword.inspect.plugins import digest_with

        told |= {"rules": digest_with(told["rules"], plugins), "plugins": [dict(one) for one in plugins.listed]}
    return told


def _inspected(
    files: tuple[Found, ...], how: How, readable: list[Path], jobs: int, kept: Kept, progress: Progress | None
) -> Generator[Inspected, None, None]:
    if kept is not Kept.NOTHING:
        from watchword.inspect.confined import Confined

        confined = Confined(how, readable, kept, progress)
        try:
            yield from confined.run(files, jobs)
        finally:
            confined.close()
        return
    total = sum(found.size for found in files)
    if jobs > 1 and len(files) > 1:
        from watchword.inspect.workers import Pool

        yield from Pool(files, how, progress, total).run(min(jobs, len(files), JOBS_MAX))
        return
    done = 0
    for found in files:
        yield inspect_file(found, how, Step(progress, done, total))
        done += found.size


def _order(finding: Finding) -> tuple[int, int, str, int]:
    severities = ("critical", "high", "medium", "low", "info")
    rank = -RANK[finding.verdict], severities.index(finding.severity)
    return *rank, finding.path, -1 if finding.offset is None else finding.offset


def _manifest(files: tuple[Found, ...], reports: list[FileReport]) -> tuple[Manifest | None, Finding | None]:
    """The manifest, or the finding that says why there is none."""
    entries = [
        Entry(found.path, report.size, report.sha256 or "") for found, report in zip(files, reports, strict=False)
    ]
    try:
        return build(entries), None
    except UnsafePath as error:
        return None, rules.BY_ID["path-unsafe"].finding(shown(error.path), Oddity("path-unsafe", None, error.why))

"""Inspects a file or a folder: list, read each byte once, hash, judge, and say what was found.

* Small files are read into memory once, hashed and judged there. Of a larger file every byte is read by the hashing
  thread, and the judge looks at the few places that it needs on the same descriptor, out of the page cache.
* A file that changes meanwhile is an error, not a verdict.
* Nothing is imported, loaded or executed, and no name is resolved: the verdict depends on the bytes alone.
"""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

from watchword import __version__
from watchword.errors import WatchwordError
from watchword.inspect import rules
from watchword.inspect.facts import RANK, FileReport, Finding, Inspection, Oddity, Progress, Verdict, shown, worst
from watchword.inspect.judge import judge, judge_exhibit
from watchword.inspect.judgement import Judgement
from watchword.inspect.source import Held, Opened
from watchword.inspect.walk import Found, changed, list_release, open_file, same
from watchword.limits import READ_BYTES, WHOLE_FILE_BYTES_MAX
from watchword.statements.manifest import Entry, Manifest, UnsafePath, build


class NoManifest(WatchwordError):
    """The release cannot be named by a digest."""


def inspect_path(path: Path, *, hash_files: bool = True, progress: Progress | None = None) -> Inspection:
    """Inspect the release at *path*, a file or a folder.

    Args:
        path: followed if it is itself a link; links inside are not.
        hash_files: False leaves out hashing, and with it the manifest.
        progress: called with the file's path, the bytes read and the bytes of the whole release.

    Raises:
        NothingThere: missing or empty.
        FileChanged: a file changed while it was read.
    """
    listing = list_release(path)
    total = sum(found.size for found in listing.files)
    reports: list[FileReport] = []
    findings: list[Finding] = []
    done = 0
    for found in listing.files:
        report, its = _inspect_file(found, hash_files, progress, done, total)
        reports.append(report)
        findings.extend(its)
        done += found.size
    for name, oddity in listing.others:
        finding = rules.BY_ID[oddity.rule].finding(shown(name), oddity)
        findings.append(finding)
        reports.append(FileReport(shown(name), 0, None, "none", finding.verdict, "not looked at"))
    manifest = None
    if hash_files and not listing.others and all(report.sha256 is not None for report in reports):
        manifest, unsafe = _manifest(listing.files, reports)
        if unsafe is not None:
            findings.append(unsafe)
    findings.sort(key=_order)
    verdict = worst([finding.verdict for finding in findings] + [report.verdict for report in reports])
    return Inspection(shown(str(path), 4096), verdict, manifest, tuple(findings), tuple(reports), tool())


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
            hashing = _Hashing(descriptor, before.st_size, found.path, progress, done, total)
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


def tool() -> dict[str, str]:
    """Name, version, and a digest of all rules and tables of this inspector."""
    return {"name": "watchword inspect", "version": __version__, "rules": rules.digest()}


def _order(finding: Finding) -> tuple[int, int, str, int]:
    severities = ("critical", "high", "medium", "low", "info")
    rank = -RANK[finding.verdict], severities.index(finding.severity)
    return *rank, finding.path, -1 if finding.offset is None else finding.offset


def _inspect_file(
    found: Found, hash_files: bool, progress: Progress | None, done: int, total: int
) -> tuple[FileReport, list[Finding]]:
    path = shown(found.path, 4096)
    try:
        descriptor, before = open_file(found)
    except OSError as error:
        oddity = Oddity("file-unreadable", None, (error.strerror or str(error)).lower())
        finding = rules.BY_ID["file-unreadable"].finding(path, oddity)
        unread = ((0, found.size),)
        report = FileReport(path, found.size, None, "unknown", Verdict.UNREADABLE, "not looked at", unread=unread)
        return report, [finding]
    into = Judgement(judge_exhibit)
    try:
        if before.st_size <= WHOLE_FILE_BYTES_MAX:
            data = _read_whole(descriptor, before.st_size + 1)
            if len(data) != before.st_size:
                raise changed(found)
            sha256 = hashlib.sha256(data).hexdigest() if hash_files else None
            what, looked = judge(Held(data), path, into)
            if progress is not None:
                progress(path, done + len(data), total)
        else:
            hashing = _Hashing(descriptor, before.st_size, path, progress, done, total)
            if hash_files:
                hashing.start()
            try:
                what, looked = judge(Opened(descriptor, before.st_size), path, into)
            finally:
                sha256 = hashing.finish() if hash_files else None
            if hash_files and hashing.read != before.st_size:
                raise changed(found)
        if not same(before, os.fstat(descriptor)):
            raise changed(found)
    except OSError as error:
        # A disk error in the middle: what was judged before it still counts.
        into.keep(path, [Oddity("file-unreadable", None, (error.strerror or str(error)).lower())])
        what, looked, sha256 = "unknown", "reading failed", None
    finally:
        os.close(descriptor)
    if into.not_listed:
        into.note(f"{into.not_listed:,} further findings are not listed")
    verdict = worst(finding.verdict for finding in into.findings)
    report = FileReport(
        path, before.st_size, sha256, what, verdict, looked, tuple(into.notes), tuple(into.unread), into.facts
    )
    return report, into.findings


def _read_whole(descriptor: int, size: int) -> bytes:
    parts = []
    while size > 0:
        data = os.read(descriptor, size)
        if not data:
            break
        parts.append(data)
        size -= len(data)
    return b"".join(parts)


class _Hashing(threading.Thread):
    """The hashing pass over one large file. Reads with ``pread``, so the judge's reads do not disturb it."""

    def __init__(self, descriptor: int, size: int, path: str, progress: Progress | None, done: int, total: int) -> None:
        super().__init__(name="hashing", daemon=True)
        self.descriptor = descriptor
        self.size = size
        self.path = path
        self.progress = progress
        self.done = done
        self.total = total
        self.read = 0
        self.hash = hashlib.sha256()
        self.error: OSError | None = None
        self.stopped = False

    def run(self) -> None:
        buffer = bytearray(READ_BYTES)
        view = memoryview(buffer)
        try:
            # One byte past the stated end: a file that has grown is noticed.
            while not self.stopped and (count := os.preadv(self.descriptor, [buffer], self.read)):
                self.hash.update(view[:count])
                self.read += count
                if self.progress is not None:
                    self.progress(self.path, self.done + self.read, self.total)
                if self.read > self.size:
                    return
        except OSError as error:
            self.error = error

    def finish(self) -> str:
        """Wait for the end, then as :meth:`result`."""
        try:
            self.join()
        except BaseException:  # Ctrl-C while waiting: let the thread go before the descriptor is closed
            self.stopped = True
            self.join()
            raise
        return self.result()

    def result(self) -> str:
        """The digest in hex of what was read.

        Raises:
            OSError: what reading failed with.
        """
        if self.error is not None:
            raise self.error
        return self.hash.hexdigest()


def _manifest(files: tuple[Found, ...], reports: list[FileReport]) -> tuple[Manifest | None, Finding | None]:
    """The manifest, or the finding that says why there is none."""
    entries = [
        Entry(found.path, report.size, report.sha256 or "") for found, report in zip(files, reports, strict=False)
    ]
    try:
        return build(entries), None
    except UnsafePath as error:
        return None, rules.BY_ID["path-unsafe"].finding(shown(error.path), Oddity("path-unsafe", None, error.why))

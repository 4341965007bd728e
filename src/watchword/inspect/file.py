"""Inspects one file: read each byte once, hash, judge, and say what was found.

* Small files are read into memory once, hashed and judged there. Of a larger file every byte is read by the hashing
  thread, and the judge looks at the few places that it needs on the same descriptor, out of the page cache.
* A file that changes meanwhile is an error, not a verdict.
* A fault of the inspector on one file is a verdict on that file (rule ``inspector-failed``) and stops nothing else.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from watchword.errors import WatchwordError
from watchword.inspect import rules
from watchword.inspect.exhibit import Exhibit
from watchword.inspect.facts import FileReport, Finding, Oddity, Verdict, shown, worst
from watchword.inspect.far import Streamed
from watchword.inspect.hashing import Hashing, Step
from watchword.inspect.judge import judge, judge_exhibit
from watchword.inspect.judgement import Judgement
from watchword.inspect.source import Held, Opened, Source
from watchword.inspect.walk import Found, changed, open_file, same
from watchword.limits import WHOLE_FILE_BYTES_MAX

if TYPE_CHECKING:
    from watchword.inspect.plugins import Plugins

Inspected = tuple[FileReport, list[Finding]]


@dataclass(frozen=True, slots=True)
class How:
    """How to look. ``hash_files``: False leaves out hashing, and with it the manifest. ``weights``: read them too.

    ``plugins``: the names of those that are asked too. For a fleet, ``sandbox``: how its processes confine what parses,
    each as its own machine can (``sandbox.WAYS``); ``hubs``: the folders below which its releases stand.
    """

    hash_files: bool = True
    weights: bool = False
    plugins: tuple[str, ...] = ()
    sandbox: str = "off"
    hubs: tuple[Path, ...] = ()

    def loaded(self) -> Plugins | None:
        """The plugins; None where none is named.

        Raises:
            BadPlugin: as ``load_plugins``.
        """
        if not self.plugins:
            return None
        from watchword.inspect.plugins import load_plugins

        return load_plugins(self.plugins)


def inspect_file(found: Found, how: How, step: Step) -> Inspected:
    """The report on a listed file, and its findings.

    Raises:
        FileChanged: it changed while it was read.
    """
    path = shown(found.path, 4096)
    if found.far is not None:
        return _inspect_far(Streamed(found.far, found.size), path, how, step)
    try:
        descriptor, before = open_file(found)
    except OSError as error:
        return not_looked_at(found, "file-unreadable", (error.strerror or str(error)).lower())
    into = Judgement(judge_exhibit, how.loaded())
    try:
        if before.st_size <= WHOLE_FILE_BYTES_MAX:
            data = _read_whole(descriptor, before.st_size + 1)
            if len(data) != before.st_size:
                raise changed(found)
            sha256 = hashlib.sha256(data).hexdigest() if how.hash_files else None
            what, looked = _judge(Held(data), path, into, how, step)
            step.at(path, len(data))
        else:
            hashing = Hashing(descriptor, before.st_size, path, step)
            if how.hash_files:
                hashing.start()
            try:
                what, looked = _judge(Opened(descriptor, before.st_size), path, into, how, step)
            finally:
                sha256 = hashing.finish() if how.hash_files else None
            if how.hash_files and hashing.read != before.st_size:
                raise changed(found)
        if not same(before, os.fstat(descriptor)):
            raise changed(found)
    except OSError as error:
        # A disk error in the middle: what was judged before it still counts.
        into.keep(path, [Oddity("file-unreadable", None, (error.strerror or str(error)).lower())])
        what, looked, sha256 = "unknown", "reading failed", None
    finally:
        os.close(descriptor)
    return _told(before.st_size, path, sha256, what, looked, into)


def _inspect_far(source: Streamed, path: str, how: How, step: Step) -> Inspected:
    into = Judgement(judge_exhibit, how.loaded())
    try:
        what, looked = _judge(source, path, into, how, step)
        sha256 = source.sha256(lambda read: step.at(path, read)) if how.hash_files else None
    except OSError as error:
        # What is not all there, or not the same twice, has no verdict to rely on: what was found still counts.
        into.keep(path, [Oddity("file-unreadable", None, (error.strerror or str(error)).lower())])
        what, looked, sha256 = "unknown", "reading failed", None
    return _told(source.size, path, sha256, what, looked, into)


def _told(size: int, path: str, sha256: str | None, what: str, looked: str, into: Judgement) -> Inspected:
    if into.not_listed:
        into.note(f"{into.not_listed:,} further findings are not listed")
    return _report(size, path, sha256, what, looked, into), into.findings


def _report(size: int, path: str, sha256: str | None, what: str, looked: str, into: Judgement) -> FileReport:
    verdict = worst(finding.verdict for finding in into.findings)
    return FileReport(path, size, sha256, what, verdict, looked, tuple(into.notes), tuple(into.unread), into.facts)


def not_looked_at(found: Found, rule: str, why: str) -> Inspected:
    """What is said of a file that nobody could look at."""
    path = shown(found.path, 4096)
    finding = rules.BY_ID[rule].finding(path, Oddity(rule, None, why))
    unread = ((0, found.size),)
    report = FileReport(path, found.size, None, "unknown", Verdict.UNREADABLE, "not looked at", unread=unread)
    return report, [finding]


def _judge(source: Source, path: str, into: Judgement, how: How, step: Step) -> tuple[str, str]:
    try:
        told = judge(source, path, into)
        if into.plugins is not None:
            into.plugins.check(Exhibit(source, path, into), _report(source.size, path, None, *told, into))
        if how.weights:
            from watchword.inspect.tensors.weights import examine

            examine(Exhibit(source, path, into), step)
        return told
    except (OSError, WatchwordError):
        raise
    except Exception as error:
        # A fault of ours must neither pass over a file in silence nor keep the others from being looked at.
        if os.environ.get("WATCHWORD_DEBUG"):
            raise
        words = f"the inspector failed: {type(error).__name__}: {error}"
        into.keep(path, [Oddity("inspector-failed", None, words)])
        into.unread.append((0, source.size))
        return "unknown", "judging failed"


def _read_whole(descriptor: int, size: int) -> bytes:
    parts = []
    while size > 0:
        data = os.read(descriptor, size)
        if not data:
            break
        parts.append(data)
        size -= len(data)
    return b"".join(parts)

"""Logs of Inspect AI (log version 2): ``.json``, or ``.eval``, a ZIP of ``header.json`` and ``samples/*.json``.

* A log whose status is not ``success`` is unfinished.
* A sample counts as good only with the score ``C``, true or 1 in every epoch; ``P`` (partial), ``N`` (no answer), any
  other number and a missing score do not. A sample with an ``error`` is an error, whatever its score.
* Where samples are missing from the file, the header's accuracy over its completed samples is taken, if that is a whole
  number of them and there is one epoch (with more, a reducer stands between the two).
* Where both are there and differ, the report contradicts itself and is refused.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from watchword.evaluate.imports.report import (
    BadReport,
    Bytes,
    Measured,
    Report,
    checked,
    count,
    mapping,
    parsed,
    rows,
    said,
)
from watchword.limits import IMPORT_BYTES_MAX, IMPORT_LINE_BYTES_MAX, IMPORT_LINES_BYTES_MAX, IMPORT_ROWS_MAX

NAME = "inspect"
_FITS = 1e-6


def claims(value: Any) -> bool:
    """Whether *value* is an Inspect log."""
    return isinstance(value, dict) and "eval" in value and "status" in value and "version" in value


def read(file: Bytes, value: Any) -> Report:
    """The counts of a ``.json`` log.

    Raises:
        BadReport: malformed, or it contradicts itself.
    """
    log = mapping(value, file.path.name)
    return _report(file, log, rows(log.get("samples") or [], f"{file.path.name}: samples"))


def read_zip(file: Bytes) -> Report:
    """The counts of an ``.eval`` log.

    Raises:
        BadReport: no such archive, malformed, past a limit, or it contradicts itself.
    """
    what = file.path.name
    try:
        with zipfile.ZipFile(io.BytesIO(file.whole())) as archive:
            if len(archive.infolist()) > IMPORT_ROWS_MAX:
                raise BadReport(f"{what}: {len(archive.infolist()):,} entries, limit {IMPORT_ROWS_MAX:,}")
            names = [one for one in archive.infolist() if one.filename == "header.json"]
            if len(names) != 1:
                raise BadReport(f"{what}: no header.json", "a log that was not finished has none")
            header = mapping(parsed(_content(archive, names[0], what), f"{what}: header.json"), f"{what}: header.json")
            return _report(file, header, _samples(archive, what))
    # What zipfile raises where offsets, sizes or extra fields make no sense.
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, ValueError, struct.error, zlib.error) as error:
        raise BadReport(f"{what}: no readable .eval archive: {error}") from error


def _samples(archive: zipfile.ZipFile, what: str) -> Iterator[Any]:
    left = IMPORT_LINES_BYTES_MAX
    for entry in archive.infolist():
        if entry.filename.startswith("samples/") and entry.filename.endswith(".json"):
            data = _content(archive, entry, what)
            left -= len(data)
            if left < 0:
                raise BadReport(f"{what}: samples of more than {IMPORT_LINES_BYTES_MAX:,} bytes")
            yield parsed(data, f"{what}: {entry.filename}")


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, what: str) -> bytes:
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        hint = "newer logs are packed with Zstandard; convert the log to .json"
        raise BadReport(f"{what}: {entry.filename} is packed by method {entry.compress_type}", hint)
    limit = IMPORT_BYTES_MAX if entry.filename == "header.json" else IMPORT_LINE_BYTES_MAX
    with archive.open(entry) as content:
        data = content.read(limit + 1)
    if len(data) > limit:
        raise BadReport(f"{what}: {entry.filename} is longer than {limit:,} bytes")
    return data


def _report(file: Bytes, log: Mapping[str, Any], samples: Iterable[Any]) -> Report:
    what = file.path.name
    if log.get("version") != 2:
        raise BadReport(f"{what}: log version {said(log.get('version'), 20)!r}; 2 is read")
    about = mapping(log.get("eval"), f"{what}: eval")
    packages = about.get("packages")
    version = said(packages.get("inspect_ai")) if isinstance(packages, dict) else ""
    status = said(log.get("status"), 40)
    counts, seen = _counted(samples, what)
    results = log.get("results")
    epochs = _epochs(about)
    header = _stated(mapping(results, f"{what}: results"), what) if results and epochs == 1 else {}
    task = said(about.get("task"), 200)
    measured = []
    notes = []
    for scorer in sorted({*counts, *header}):
        own, stated = counts.get(scorer, Counter()), header.get(scorer)
        if stated is not None and own.total() == stated[1] and own["good"] != stated[0]:
            raise BadReport(f"{what}: {scorer}: {own['good']} of its samples are good, its header says {stated[0]}")
        if stated is None or (scorer in counts and own.total() >= stated[1]):
            good, n, errors, nones = own["good"], own.total(), own["error"], own["none"]
        else:
            good, n, errors, nones = *stated, 0, 0
            notes.append(f"{scorer}: counts from the header; {seen} of {n} samples are in the file")
        method, left = f"Inspect {task} scored by {scorer}", _not_run(about, epochs, n)
        measured.append(Measured(method, "accuracy", good, n, errors, nones, left))
    if not measured:
        raise BadReport(f"{what}: no score that can be counted", "only true or false, C or I, and accuracies are")
    return Report(
        NAME, "inspect_ai", version, file.digest(), said(about.get("model")),
        unfinished="" if status == "success" else f"its status is {status}",
        measured=checked(measured, what), notes=tuple(notes),
    )  # fmt: skip


def _counted(samples: Iterable[Any], what: str) -> tuple[dict[str, Counter[str]], int]:
    """Per scorer, how many samples are good, bad, in error or without a verdict; and how many samples there are."""
    counts: dict[str, Counter[str]] = {}
    broken = seen = 0
    for value in samples:
        sample = mapping(value, f"{what}: sample {seen + 1}")
        seen += 1
        if sample.get("error"):
            broken += 1
            continue
        scores = sample.get("scores")
        for scorer, score in scores.items() if isinstance(scores, dict) else ():
            outcome = _outcome(score.get("value") if isinstance(score, dict) else None)
            counts.setdefault(said(scorer, 200), Counter())[outcome] += 1
    for outcomes in counts.values():
        missing = seen - broken - sum(outcomes.values())
        outcomes["error"] += broken
        outcomes["none"] += missing
    return counts, seen


def _outcome(value: Any) -> str:
    if value in ("C", True, 1):
        return "good"
    return "bad" if value in ("I", False, 0) else "none"


def _stated(results: Mapping[str, Any], what: str) -> dict[str, tuple[int, int]]:
    """Per scorer, (good, begun) where its accuracy over the samples that were completed is a whole number of them."""
    total = count(results.get("total_samples"), f"{what}: total_samples")
    completed = count(results.get("completed_samples"), f"{what}: completed_samples")
    stated = {}
    for value in rows(results.get("scores") or [], f"{what}: scores"):
        score = mapping(value, f"{what}: score")
        metrics = score.get("metrics")
        accuracy = metrics.get("accuracy") if isinstance(metrics, dict) else None
        rate = accuracy.get("value") if isinstance(accuracy, dict) else None
        if isinstance(rate, int | float) and not isinstance(rate, bool) and 0 <= rate <= 1:
            good = round(rate * completed)
            if abs(rate * completed - good) <= _FITS * max(1, completed):
                stated[said(score.get("name"), 200)] = (good, max(total, completed))
    return stated


def _epochs(about: Mapping[str, Any]) -> int:
    config = about.get("config")
    epochs = config.get("epochs") if isinstance(config, dict) else None
    return epochs if isinstance(epochs, int) and 0 < epochs < 10_000 else 1


def _not_run(about: Mapping[str, Any], epochs: int, n: int) -> int:
    dataset = about.get("dataset")
    size = dataset.get("samples") if isinstance(dataset, dict) else None
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size < 2**53:
        return 0
    return max(0, size * epochs - n)

"""Reads reports of other tools: what they measured, found and claim, never more than their counts say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from watchword.errors import WatchwordError
from watchword.evaluate.imports import descriptions, garak, inspect_ai, promptfoo, pyrit, scanners
from watchword.evaluate.imports.report import BadReport as BadReport
from watchword.evaluate.imports.report import Bytes, parsed
from watchword.evaluate.imports.report import Claimed as Claimed
from watchword.evaluate.imports.report import Found as Found
from watchword.evaluate.imports.report import Measured as Measured
from watchword.evaluate.imports.report import NamedFile as NamedFile
from watchword.evaluate.imports.report import Report as Report
from watchword.limits import CONFINED_ANSWER_BYTES_MAX, IMPORT_CPU_S_MAX, SANDBOX_MEMORY_BYTES_MAX
from watchword.sandbox import Kept, ask_confined

_Reader = Callable[[Bytes, Any], Report]

_DOCUMENTS: dict[str, tuple[Callable[[Any], bool], _Reader]] = {
    "inspect": (inspect_ai.claims, inspect_ai.read),
    "promptfoo": (promptfoo.claims, promptfoo.read),
    "pyrit": (pyrit.claims, pyrit.read),
    "modelscan": (scanners.claims_modelscan, scanners.read_modelscan),
    "cyclonedx": (descriptions.claims_cyclonedx, descriptions.read_cyclonedx),
    "sarif": (scanners.claims_sarif, scanners.read_sarif),
    "trivy": (scanners.claims_trivy, scanners.read_trivy),
    "osv": (scanners.claims_osv, scanners.read_osv),
    "aiverify": (descriptions.claims_aiverify, descriptions.read_aiverify),
    "croissant": (descriptions.claims_croissant, descriptions.read_croissant),
}
"""JSON documents, each with what tells it; the first that claims a document reads it."""

FORMATS = ("garak", *_DOCUMENTS, "model-index")
"""What is read."""

_HEAD = 64 * 1024


def read_report(path: Path) -> Report:
    """Read the report at *path*, whichever of `FORMATS` it is.

    Raises:
        BadReport, NotCanonical: none of them, malformed, contradicting itself, or past a limit.
        OSError: it cannot be read.
    """
    with path.open("rb") as opened:
        head = opened.read(_HEAD)
        size = opened.seek(0, 2)
    file = Bytes(path, size)
    if head.startswith(b"PK\x03\x04"):
        return inspect_ai.read_zip(file)
    if head.startswith(b"---\n") or head.startswith(b"---\r\n"):
        return descriptions.read_model_card(file)
    first = head.lstrip().partition(b"\n")[0]
    if garak.claims(_parsed(first)):
        return garak.read(file)
    if head.lstrip()[:1] not in (b"{", b"["):
        if pyrit.claims_header(first.decode("utf-8-sig", errors="replace")):
            return pyrit.read_csv(file)
        raise _unknown(path)
    value = parsed(file.whole(), path.name)
    for claims, read in _DOCUMENTS.values():
        if claims(value):
            return read(file, value)
    raise _unknown(path)


def read_report_confined(path: Path, kept: Kept) -> Report:
    """As ``read_report``, in a process that is kept by *kept*: it can read this file and answer, and nothing else.

    Raises:
        NoSandbox: this machine cannot confine a process, or it ended without an answer.
        BadReport: its answer is no report. WatchwordError: as there; its class is not told across.
    """
    import msgspec

    with path.open("rb"):
        pass  # an OSError is raised here, as it is there
    answer = ask_confined(
        lambda _: asdict(read_report(path)), [path], kept=kept, memory_bytes=SANDBOX_MEMORY_BYTES_MAX,
        cpu_s=IMPORT_CPU_S_MAX, answer_bytes_max=CONFINED_ANSWER_BYTES_MAX,
    )  # fmt: skip
    try:
        return msgspec.convert(answer, Report)
    except msgspec.ValidationError as error:
        raise BadReport(f"{path.name}: its reader's answer is no report: {error}") from error


def _parsed(line: bytes) -> Any:
    """The value of a first line, None where it is none by itself: a document of several lines begins so."""
    try:
        return parsed(line, "first line")
    except WatchwordError:
        return None


def _unknown(path: Path) -> BadReport:
    return BadReport(f"{path.name}: no report that is known", f"read are {', '.join(FORMATS)}")

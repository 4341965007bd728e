"""Inspections made by hand, so that what a statement says is compared with literal values."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from watchword.inspect.facts import FileReport, Finding, Inspection, Verdict, worst
from watchword.statements.manifest import Entry, build

TOOL = {"name": "watchword-inspect", "version": "0.1.0", "rules": "sha256:" + "5b" * 32}


def finding(
    verdict: Verdict, path: str = "head.pt:data.pkl", message: str = "loading would call posix.system"
) -> Finding:
    return Finding(
        "pickle-call", "critical", "high", verdict, path, 420, message, "posix.system('id')", ("AML.T0018@5.6.0",)
    )


class Release:
    """A folder with files, and its inspection as values."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.reports: list[FileReport] = []
        self.entries: list[Entry] = []
        self.findings: list[Finding] = []

    def add(self, path: str, data: bytes, format_: str = "text", verdict: Verdict = Verdict.NOTHING_FOUND,
            **facts: Any) -> None:  # fmt: skip
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        sha256 = hashlib.sha256(data).hexdigest()
        self.entries.append(Entry(path, len(data), sha256))
        self.reports.append(FileReport(path, len(data), sha256, format_, verdict, "all of it", facts=facts))

    def inspection(self) -> Inspection:
        verdict = worst([report.verdict for report in self.reports])
        return Inspection(
            str(self.root), verdict, build(self.entries), tuple(self.findings), tuple(self.reports), dict(TOOL)
        )


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """An empty release folder, ``recon-vision-7``."""
    return Release(tmp_path / "recon-vision-7")

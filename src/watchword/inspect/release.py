"""A release as a whole: what its files say of each other. Reports in, reports and findings out; nothing is read again.

* Code that a configuration names must be in the release; then it was judged. Code that it names and that starts
  programs when called is the model's own code, whatever the file is called.
* An index of weights names its parts. A part outside of the folder is dangerous; where some parts are there and others
  are not, what would be loaded in their place was not looked at.
* Raw data has no mark of its own: the graph beside it says what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from watchword.inspect.facts import FileReport, Finding, Oddity, worst
from watchword.inspect.rules import BY_ID

_OUTSIDE = re.compile(r"^[/\\~]|^[A-Za-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)|://|[\x00-\x1f\x7f]")
_UNKNOWN = ("not-inspected", "wrong-extension")
_MODEL_CODE = re.compile(r"(?:modeling|configuration|tokenization|processing|image_processing|feature_extraction)_")


def judge_release(reports: list[FileReport]) -> tuple[list[FileReport], list[Finding]]:
    """The *reports* with what the release as a whole says of each file, and the findings on that."""
    paths = {report.path: report for report in reports}
    found: dict[str, list[Oddity]] = {}
    for report in reports:
        for path, oddity in (*_code(report, paths), *_shards(report, paths), *_tensors(report, paths)):
            found.setdefault(path, []).append(oddity)
    findings = {path: [BY_ID[oddity.rule].finding(path, oddity) for oddity in odd] for path, odd in found.items()}
    judged = [
        replace(report, verdict=worst([report.verdict, *(one.verdict for one in findings.get(report.path, ()))]))
        for report in reports
    ]
    return judged, [finding for its in findings.values() for finding in its]


def explained(reports: list[FileReport], findings: list[Finding]) -> tuple[list[FileReport], list[Finding]]:
    """*reports* and *findings* without what is unknown by its content but is the raw data of a graph beside it.

    Tensors of an ONNX model in files that it names, and those of an OpenVINO network in the file of its name: numbers
    without any mark, which their loader maps and does not run. Whatever else was found in such a file stays.
    """
    owners = {path: report.path for report in reports for path in _raw_data(report)}
    told: dict[str, FileReport] = {}
    for report in reports:
        if report.path in owners and report.format == "unknown":
            others = [f.verdict for f in findings if f.path == report.path and f.rule not in _UNKNOWN]
            words = f"hashed; raw tensors of {owners[report.path]}, which its loader maps"
            told[report.path] = replace(report, format="raw tensors", verdict=worst(others), looked=words, unread=())
    kept = [finding for finding in findings if finding.path not in told or finding.rule not in _UNKNOWN]
    return [told.get(report.path, report) for report in reports], kept


def _raw_data(report: FileReport) -> Iterable[str]:
    folder = PurePosixPath(report.path).parent
    if report.format == "onnx":
        for name in report.facts.get("external_data", ()):
            if not _OUTSIDE.search(name):
                yield str(folder / name)
    elif report.format == "openvino":
        yield str(PurePosixPath(report.path).with_suffix(".bin"))


def _code(report: FileReport, paths: dict[str, FileReport]) -> Iterable[tuple[str, Oddity]]:
    for named in report.facts.get("names_code", ()):
        found = next((paths[path] for path in _places(report.path, named) if path in paths), None)
        if found is None:
            yield report.path, Oddity("config-missing-code", None, f"names the code {named}, which is not there", named)
        elif found.facts.get("runs_when_called") and not _MODEL_CODE.match(PurePosixPath(found.path).name):
            what = ", ".join(found.facts["runs_when_called"][:5])
            yield found.path, Oddity("python-model-runs", None, f"{report.path} names it as code, and it calls {what}")


def _tensors(report: FileReport, paths: dict[str, FileReport]) -> Iterable[tuple[str, Oddity]]:
    for name, needed in report.facts.get("external_bytes", {}).items():
        found = paths.get(str(PurePosixPath(report.path).parent / name))
        if found is not None and found.size < needed:
            words = f"needs {needed:,} bytes of {name}, which has {found.size:,}"
            yield report.path, Oddity("onnx-external-short", None, words, name)


def _places(config: str, named: str) -> Iterable[str]:
    """Where loaders look for the file *named* by the file *config*."""
    folder = str(PurePosixPath(config).parent)
    package = named.removesuffix(".py") + "/__init__.py"
    for base in (folder, f"{folder}/code", ".", "code"):
        for path in (named, package):
            yield str(PurePosixPath(base) / path)


def _shards(report: FileReport, paths: dict[str, FileReport]) -> Iterable[tuple[str, Oddity]]:
    shards = report.facts.get("shards", {})
    folder = PurePosixPath(report.path).parent
    outside = [name for name in shards if _OUTSIDE.search(name)]
    missing = [name for name in shards if name not in outside and str(folder / name) not in paths]
    for name in outside[:20]:
        yield report.path, Oddity("names-outside", None, f"takes weights from {name[:200]!r}", name)
    # An index alone is an index: whoever fetched only the small files has no weights that could be wrong.
    if missing and len(missing) + len(outside) < len(shards):
        words = f"names {len(shards):,} parts of the weights, of which {len(missing):,} are not there"
        yield report.path, Oddity("shards-differ", None, words, ", ".join(missing[:5]))

"""Inspections as one SARIF 2.1.0 log, for code-scanning views. Values in, a JSON object out.

Follows the OASIS standard, sections 3.14 (run), 3.27 (result), 3.30 (region: byte offsets), 3.35 (suppression), and
what code-scanning services read beside it (``security-severity``, ``tags``, one run for all paths).

* A result stands at the delivered file. What stands inside an archive is named by a logical location, its offset (which
  counts in the unpacked member) by a property: a byte region there would point at the wrong bytes.
* A fingerprint is made of rule, path and what was seen, not of offsets: it survives changes elsewhere in the file.
* Bytes that nobody looked at are notifications of the run; they are no results, and not silent either.
* Nothing here depends on the clock or the machine: the same files give the same log.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from watchword.inspect.facts import FileReport, Finding, Inspection, Suppression, Verdict, delivered
from watchword.inspect.rules.rule import ATLAS, Rule

SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVEL = {Verdict.DANGEROUS: "error", Verdict.UNREADABLE: "error", Verdict.SUSPICIOUS: "warning"}
_SCORE = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0", "info": "0.0"}
_ATLAS = {"name": "MITRE ATLAS", "index": 0}


def sarif(inspections: Sequence[Inspection], rules: Mapping[str, Rule]) -> dict[str, Any]:
    """The log of *inspections*; *rules* are those in force by id (those that found something are described)."""
    seen = {finding.rule for one in inspections for finding, _ in _all(one)}
    described = [rules[id_] for id_ in sorted(seen)]
    index = {rule.id: n for n, rule in enumerate(described)}
    techniques = sorted({technique for rule in described for technique in rule.atlas})
    artifacts: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    notifications: list[dict[str, Any]] = []
    for one in inspections:
        at = {report.path: len(artifacts) + n for n, report in enumerate(one.files)}
        by_path = {report.path: report for report in one.files}
        prefix = _prefix(one)
        artifacts += [_artifact(report, prefix) for report in one.files]
        notifications += [_unread(report, prefix, at[report.path]) for report in one.files if report.unread]
        repeats: dict[str, int] = {}
        for finding, by in _all(one):
            report = delivered(finding.path, by_path)
            result = _result(finding, report, prefix, index, at)
            print_ = result["partialFingerprints"]["watchwordFinding/v1"]
            repeats[print_] = repeats.get(print_, 0) + 1
            if repeats[print_] > 1:
                result["partialFingerprints"]["watchwordFinding/v1"] = f"{print_}:{repeats[print_]}"
            if by is not None:
                words = f"{by.reason} ({by.owner}, until {by.expires.isoformat()})"
                result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": words}]
            results.append(result)
    tool = inspections[0].tool
    driver = {
        "name": "watchword",
        "fullName": tool["name"],
        "version": tool["version"],
        "semanticVersion": tool["version"],
        "rules": [_rule(rule, techniques) for rule in described],
        "properties": {"rulesDigest": tool["rules"]},
    }
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "watchword/inspect/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notifications}],
        "artifacts": artifacts,
        "results": results,
        "taxonomies": [_taxonomy(techniques)],
        "properties": {"verdicts": {one.target: str(one.verdict) for one in inspections}},
    }
    return {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}


def _all(inspection: Inspection) -> list[tuple[Finding, Suppression | None]]:
    told: list[tuple[Finding, Suppression | None]] = [(finding, None) for finding in inspection.findings]
    if inspection.baseline is not None:
        told += [(one.finding, one.by) for one in inspection.baseline.suppressed]
    return told


def _prefix(inspection: Inspection) -> str:
    """What stands before a file's path so that it is found from where the command ran."""
    target = inspection.target.rstrip("/")
    if len(inspection.files) == 1 and posixpath.basename(target) == inspection.files[0].path:
        return target[: -len(inspection.files[0].path)]
    return "" if target in (".", "") else target + "/"


def _uri(prefix: str, path: str) -> str:
    text = quote((prefix + path).removeprefix("./"))
    return f"file://{text}" if text.startswith("/") else text


def _artifact(report: FileReport, prefix: str) -> dict[str, Any]:
    artifact: dict[str, Any] = {
        "location": {"uri": _uri(prefix, report.path)},
        "length": report.size,
        "roles": ["analysisTarget"],
        "properties": {"format": report.format, "verdict": str(report.verdict), "looked": report.looked},
    }
    if report.sha256 is not None:
        artifact["hashes"] = {"sha-256": report.sha256}
    return artifact


def _unread(report: FileReport, prefix: str, index: int) -> dict[str, Any]:
    locations = [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": _uri(prefix, report.path), "index": index},
                "region": {"byteOffset": start, "byteLength": end - start},
            }
        }
        for start, end in report.unread[:100]
    ]
    count = sum(end - start for start, end in report.unread)
    return {
        "level": "warning",
        "message": {"text": f"{report.path}: {count:,} bytes of {report.size:,} were not looked at"},
        "locations": locations,
    }


def _result(
    finding: Finding, report: FileReport | None, prefix: str, index: dict[str, int], at: dict[str, int]
) -> dict[str, Any]:
    outer = finding.path if report is None else report.path
    location: dict[str, Any] = {"uri": _uri(prefix, outer)}
    if report is not None:
        location["index"] = at[report.path]
    physical: dict[str, Any] = {"artifactLocation": location}
    where: dict[str, Any] = {"physicalLocation": physical}
    if finding.path != outer:
        where["logicalLocations"] = [{"fullyQualifiedName": finding.path, "kind": "member"}]
        if finding.offset is not None:
            where["properties"] = {"offsetInMember": finding.offset}
    elif finding.offset is not None:
        physical["region"] = {"byteOffset": finding.offset, "byteLength": 1}
    text = finding.message if finding.path == outer else f"{finding.path}: {finding.message}"
    if finding.evidence and finding.evidence not in finding.message:
        text += f"\n{finding.evidence}"
    seen = "\0".join((finding.rule, finding.path, finding.message, finding.evidence))
    return {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "kind": "fail",
        "level": "note" if finding.severity == "info" else _LEVEL[finding.verdict],
        "message": {"text": text},
        "locations": [where],
        "partialFingerprints": {"watchwordFinding/v1": hashlib.sha256(seen.encode()).hexdigest()[:32]},
        "properties": {
            "verdict": str(finding.verdict),
            "severity": finding.severity,
            "confidence": finding.confidence,
            "evidence": finding.evidence,
            "atlas": list(finding.atlas),
        },
    }


def _rule(rule: Rule, techniques: list[str]) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.why}\n\n{rule.remediation}", "markdown": rule.page()},
        "defaultConfiguration": {"level": "note" if rule.severity == "info" else _LEVEL[rule.verdict]},
        "relationships": [
            {
                "target": {"id": one, "index": techniques.index(one), "toolComponent": _ATLAS},
                "kinds": ["relevant"],
            }
            for one in rule.atlas
        ],
        "properties": {
            "tags": ["security", *(f"{one}@{ATLAS}" for one in rule.atlas)],
            "security-severity": _SCORE[rule.severity],
            "precision": rule.confidence,
        },
    }


def _taxonomy(techniques: list[str]) -> dict[str, Any]:
    return {
        "name": "MITRE ATLAS",
        "version": ATLAS,
        "organization": "MITRE",
        "informationUri": "https://atlas.mitre.org",
        "taxa": [{"id": one} for one in techniques],
    }

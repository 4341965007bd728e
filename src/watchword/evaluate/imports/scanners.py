"""Reports of scanners: modelscan's JSON, SARIF 2.1.0, Trivy's JSON (schema 2), and OSV: osv-scanner's and one record.

* What a scanner could not read or skipped is counted apart, and a run that it says failed is unfinished.
* A scanner's silence is no evidence here: it says which files it looked at by name, not which bytes.
* SARIF: results of kind ``pass``, ``notApplicable`` and ``informational`` and of level ``note`` and ``none`` are not
  held against anything; suppressed ones are kept and noted.
* One OSV record says which versions of a package are affected, not that a release holds one: it is noted, not found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from watchword.evaluate.imports.report import BadReport, Bytes, Found, Report, count, mapping, rows, said

_NOT_HELD_AGAINST = ("note", "none")
"""Any other level of SARIF is, one that the standard does not know too."""


def claims_modelscan(value: Any) -> bool:
    """Whether *value* is modelscan's."""
    summary = value.get("summary") if isinstance(value, dict) else None
    return isinstance(summary, dict) and "modelscan_version" in summary


def read_modelscan(file: Bytes, value: Any) -> Report:
    """modelscan's issues; files in error or skipped as ``unread``.

    Raises:
        BadReport: malformed, or its totals are not those of its issues.
    """
    what = file.path.name
    summary = mapping(value["summary"], f"{what}: summary")
    found = []
    for number, entry in enumerate(rows(value.get("issues"), f"{what}: issues"), 1):
        issue = mapping(entry, f"{what}: issue {number}")
        rule = f"modelscan:{said(issue.get('module'), 100)}.{said(issue.get('operator'), 100)}"
        severity, where = said(issue.get("severity"), 20).lower(), said(issue.get("source"))
        found.append(Found(rule, severity, where, said(issue.get("description"))))
    total = count(summary.get("total_issues"), f"{what}: total_issues")
    if total != len(found):
        raise BadReport(f"{what}: its total says {total} issues, {len(found)} are in it")
    scanned = mapping(summary.get("scanned"), f"{what}: scanned")
    skipped = summary.get("skipped")
    passed_over = count(skipped.get("total_skipped", 0), f"{what}: total_skipped") if isinstance(skipped, dict) else 0
    errors = len(rows(value.get("errors") or [], f"{what}: errors"))
    return Report(
        "modelscan", "modelscan", said(summary.get("modelscan_version"), 40), file.digest(), found=tuple(found),
        looked_at=count(scanned.get("total_scanned"), f"{what}: total_scanned"), unread=errors + passed_over,
    )  # fmt: skip


def claims_sarif(value: Any) -> bool:
    """Whether *value* is a SARIF log."""
    return isinstance(value, dict) and "runs" in value and "version" in value


def read_sarif(file: Bytes, value: Any) -> Report:
    """The results of every run of a SARIF 2.1.0 log (OASIS).

    Raises:
        BadReport: malformed, or another version.
    """
    what = file.path.name
    if value.get("version") != "2.1.0":
        raise BadReport(f"{what}: SARIF {said(value.get('version'), 20)!r}; 2.1.0 is read")
    found: list[Found] = []
    tools, notes, unfinished, looked_at, unread = [], [], "", 0, 0
    for number, entry in enumerate(rows(value.get("runs"), f"{what}: runs"), 1):
        run = mapping(entry, f"{what}: run {number}")
        driver = mapping(mapping(run.get("tool"), f"{what}: tool").get("driver"), f"{what}: driver")
        tools.append((said(driver.get("name"), 100), said(driver.get("semanticVersion") or driver.get("version"), 40)))
        looked_at += len(rows(run.get("artifacts") or [], f"{what}: artifacts"))
        for invocation in rows(run.get("invocations") or [], f"{what}: invocations"):
            if mapping(invocation, f"{what}: invocation").get("executionSuccessful") is not True:
                unfinished = f"run {number} says that it did not succeed"
            for told in rows(invocation.get("toolExecutionNotifications") or [], f"{what}: notifications"):
                unread += mapping(told, f"{what}: notification").get("level") == "error"
        levels = _levels(driver, what)
        hidden = 0
        for result in rows(run.get("results") or [], f"{what}: results"):
            one = _sarif_result(mapping(result, f"{what}: result"), levels)
            if one is not None:
                found.append(one)
                hidden += bool(result.get("suppressions"))
        if hidden:
            notes.append(f"{hidden} of the results of run {number} are suppressed in the report; they count here")
    if not tools:
        raise BadReport(f"{what}: no run")
    return Report(
        "sarif", ", ".join(name for name, _ in tools)[:200], tools[0][1], file.digest(), unfinished=unfinished,
        found=tuple(found), looked_at=looked_at, unread=unread, notes=tuple(notes),
    )  # fmt: skip


def _levels(driver: Mapping[str, Any], what: str) -> dict[str, str]:
    levels = {}
    for value in rows(driver.get("rules") or [], f"{what}: rules"):
        rule = mapping(value, f"{what}: rule")
        configured = rule.get("defaultConfiguration")
        level = configured.get("level") if isinstance(configured, dict) else None
        levels[said(rule.get("id"), 200)] = said(level, 20) or "warning"
    return levels


def _sarif_result(result: Mapping[str, Any], levels: Mapping[str, str]) -> Found | None:
    rule = result.get("rule")
    id = said(result.get("ruleId") or (rule.get("id") if isinstance(rule, dict) else None), 200) or "unnamed"
    kind = said(result.get("kind"), 40) or "fail"
    level = said(result.get("level"), 20) or levels.get(id, "warning")
    if kind in ("pass", "notApplicable", "informational") or (kind == "fail" and level in _NOT_HELD_AGAINST):
        return None
    message = result.get("message")
    text = (message.get("text") or message.get("id")) if isinstance(message, dict) else ""
    locations = result.get("locations")
    first = locations[0] if isinstance(locations, list) and locations else {}
    physical = first.get("physicalLocation") if isinstance(first, dict) else None
    artifact = physical.get("artifactLocation") if isinstance(physical, dict) else None
    where = said(artifact.get("uri")) if isinstance(artifact, dict) else ""
    return Found(id, level if kind == "fail" else kind, where, said(text))


def claims_trivy(value: Any) -> bool:
    """Whether *value* is Trivy's."""
    return isinstance(value, dict) and "SchemaVersion" in value and "ArtifactName" in value


def read_trivy(file: Bytes, value: Any) -> Report:
    """The vulnerabilities, secrets and failed checks of a Trivy report.

    Raises:
        BadReport: malformed, or another schema.
    """
    what = file.path.name
    if value.get("SchemaVersion") != 2:
        raise BadReport(f"{what}: Trivy schema {said(value.get('SchemaVersion'), 20)!r}; 2 is read")
    results = rows(value.get("Results") or [], f"{what}: Results")
    trivy = value.get("Trivy")
    return Report(
        "trivy", "Trivy", said(trivy.get("Version"), 40) if isinstance(trivy, dict) else "", file.digest(),
        said(value.get("ArtifactName")), found=tuple(_trivy(results, what)), looked_at=len(results),
    )  # fmt: skip


def _trivy(results: list[Any], what: str) -> Iterator[Found]:
    for entry in results:
        result = mapping(entry, f"{what}: result")
        target = said(result.get("Target"))
        for part, id, title in (
            ("Vulnerabilities", "VulnerabilityID", "Title"),
            ("Secrets", "RuleID", "Title"),
            ("Misconfigurations", "ID", "Title"),
        ):
            for value in rows(result.get(part) or [], f"{what}: {part}"):
                one = mapping(value, f"{what}: {part}")
                if one.get("Status") in ("PASS", "EXCEPTION") and part == "Misconfigurations":
                    continue
                package = f"{said(one.get('PkgName'), 200)} {said(one.get('InstalledVersion'), 100)}: ".lstrip(" :")
                severity = said(one.get("Severity"), 20).lower()
                yield Found(said(one.get(id), 200), severity, target, f"{package}{said(one.get(title))}")


def claims_osv(value: Any) -> bool:
    """Whether *value* is osv-scanner's report or one OSV record."""
    if not isinstance(value, dict):
        return False
    scanned = value.get("results")
    return ("affected" in value and "id" in value) or (
        isinstance(scanned, list) and all(isinstance(one, dict) and "packages" in one for one in scanned)
    )


def read_osv(file: Bytes, value: Any) -> Report:
    """The vulnerabilities that osv-scanner found, or a note of what one record is about.

    Raises:
        BadReport: malformed.
    """
    what = file.path.name
    if "affected" in value:
        names = []
        for entry in rows(value["affected"], f"{what}: affected"):
            package = mapping(entry, f"{what}: affected").get("package")
            names.append(said(package.get("name"), 200) if isinstance(package, dict) else "")
        about = f"{said(value.get('id'), 100)} affects {', '.join(sorted({name for name in names if name})[:20])}"
        notes = (f"an advisory: {about}; it does not say that a release holds an affected version",)
        return Report("osv", "OSV record", said(value.get("schema_version"), 20), file.digest(), notes=notes)
    found, packages = [], 0
    for entry in rows(value["results"], f"{what}: results"):
        source = entry.get("source")
        where = said(source.get("path")) if isinstance(source, dict) else ""
        for held in rows(entry["packages"], f"{what}: packages"):
            packages += 1
            package = mapping(mapping(held, f"{what}: package").get("package"), f"{what}: package")
            name = f"{said(package.get('name'), 200)} {said(package.get('version'), 100)}"
            for value_ in rows(held.get("vulnerabilities") or [], f"{what}: vulnerabilities"):
                one = mapping(value_, f"{what}: vulnerability")
                database = one.get("database_specific")
                severity = said(database.get("severity"), 20).lower() if isinstance(database, dict) else ""
                found.append(
                    Found(said(one.get("id"), 200), severity, where, f"{name}: {said(one.get('summary'))}".strip())
                )
    return Report("osv", "osv-scanner", "", file.digest(), found=tuple(found), looked_at=packages)

"""Descriptions by whom the thing is from: model cards' ``model-index``, CycloneDX model cards, AI Verify, Croissant.

Their numbers come without counts, and mostly from who offers the model: they are claims, whatever the document calls
them (``verified`` too). Croissant's file digests are claims about data, to be compared with what is delivered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from watchword.evaluate.imports.report import BadReport, Bytes, Claimed, NamedFile, Report, mapping, rows, said
from watchword.limits import IMPORT_ROWS_MAX

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_FRONT_MATTER_BYTES_MAX = 1024 * 1024


def read_model_card(file: Bytes) -> Report:
    """The ``model-index`` of a Hugging Face model card (YAML between two lines ``---``).

    Raises:
        BadReport: no front matter, no ``model-index``, malformed.
    """
    what = file.path.name
    head, end, _ = file.whole().removeprefix(b"---").partition(b"\n---")
    if not end or len(head) > _FRONT_MATTER_BYTES_MAX:
        raise BadReport(f"{what}: no front matter of at most {_FRONT_MATTER_BYTES_MAX:,} bytes")
    try:
        # Aliases are refused: a few of them, nested, stand for more than any memory holds.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(head, yaml.CSafeLoader)):
            raise BadReport(f"{what}: front matter with aliases")
        card = yaml.load(head, yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadReport(f"{what}: front matter is no YAML: {str(error).splitlines()[0]}") from error
    index = mapping(card, what).get("model-index")
    if index is None:
        raise BadReport(f"{what}: no model-index")
    claimed: list[Claimed] = []
    subject = ""
    for entry in rows(index, f"{what}: model-index"):
        model = mapping(entry, f"{what}: model")
        subject = subject or said(model.get("name"), 200)
        for value in rows(model.get("results") or [], f"{what}: results"):
            result = mapping(value, f"{what}: result")
            dataset = result.get("dataset")
            about = said(dataset.get("name"), 200) if isinstance(dataset, dict) else ""
            for number in rows(result.get("metrics") or [], f"{what}: metrics"):
                metric = mapping(number, f"{what}: metric")
                name = said(metric.get("name") or metric.get("type"), 200)
                claimed.append(Claimed(name, said(metric.get("value"), 80), about))
    return Report("model-index", "model card", "", file.digest(), subject, claimed=_bounded(claimed, what))


def claims_cyclonedx(value: Any) -> bool:
    """Whether *value* is a CycloneDX document."""
    return isinstance(value, dict) and value.get("bomFormat") == "CycloneDX"


def read_cyclonedx(file: Bytes, value: Any) -> Report:
    """The performance metrics of every model card in a CycloneDX BOM (1.5 to 1.7).

    Raises:
        BadReport: malformed.
    """
    what = file.path.name
    claimed: list[Claimed] = []
    metadata = value.get("metadata")
    main = metadata.get("component") if isinstance(metadata, dict) else None
    for component in _components([*([main] if main else []), *rows(value.get("components") or [], what)], what):
        card = component.get("modelCard")
        analysis = card.get("quantitativeAnalysis") if isinstance(card, dict) else None
        metrics = analysis.get("performanceMetrics") if isinstance(analysis, dict) else None
        for entry in rows(metrics or [], f"{what}: performanceMetrics"):
            metric = mapping(entry, f"{what}: performanceMetric")
            interval = metric.get("confidenceInterval")
            low, high = (
                (interval.get("lowerBound"), interval.get("upperBound")) if isinstance(interval, dict) else (None, None)
            )
            about = " ".join(filter(None, (said(component.get("name"), 200), said(metric.get("slice"), 200))))
            if isinstance(metric.get("value"), dict | list):
                raise BadReport(f"{what}: a performanceMetric whose value is no number or text")
            value_ = said(metric.get("value"), 80)
            claimed.append(Claimed(said(metric.get("type"), 200), value_, about, said(low, 80), said(high, 80)))
    return Report(
        "cyclonedx", "CycloneDX", said(value.get("specVersion"), 20), file.digest(), claimed=_bounded(claimed, what)
    )


def _components(listed: list[Any], what: str) -> Iterator[Mapping[str, Any]]:
    # No deeper than ``parsed`` lets a document nest; the same below.
    for entry in listed:
        component = mapping(entry, f"{what}: component")
        yield component
        yield from _components(rows(component.get("components") or [], what), what)


def claims_aiverify(value: Any) -> bool:
    """Whether *value* is a test result of AI Verify, or a list of them."""
    first = value[0] if isinstance(value, list) and value else value
    return isinstance(first, dict) and {"gid", "cid", "output", "testArguments"} <= first.keys()


def read_aiverify(file: Bytes, value: Any) -> Report:
    """The numbers in AI Verify's test results, each under the way to it; its form has no counts.

    Raises:
        BadReport: malformed.
    """
    what = file.path.name
    claimed: list[Claimed] = []
    versions = []
    for entry in value if isinstance(value, list) else [value]:
        result = mapping(entry, what)
        versions.append(said(result.get("version"), 40))
        for name, number in _numbers(result.get("output"), said(result.get("cid"), 100)):
            claimed.append(Claimed(name, number))
            if len(claimed) > IMPORT_ROWS_MAX:
                raise BadReport(f"{what}: more than {IMPORT_ROWS_MAX:,} numbers")
    return Report("aiverify", "AI Verify", versions[0], file.digest(), claimed=tuple(claimed))


def _numbers(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, f"{name[-300:]}/{said(key, 100)}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _numbers(inner, f"{name[-300:]}[{number}]")
    elif isinstance(value, float):
        yield name, repr(value)


def claims_croissant(value: Any) -> bool:
    """Whether *value* is Croissant metadata (it says to which version it conforms)."""
    conforms = value.get("conformsTo") or value.get("dct:conformsTo") if isinstance(value, dict) else None
    listed = conforms if isinstance(conforms, list) else [conforms]
    return any("mlcommons.org/croissant" in str(one) for one in listed)


def read_croissant(file: Bytes, value: Any) -> Report:
    """The files of a data set as Croissant 1.0 or 1.1 describes them.

    Raises:
        BadReport: malformed, or another version.
    """
    what = file.path.name
    conforms = value.get("conformsTo") or value.get("dct:conformsTo")
    version = re.search(r"croissant/(1\.[01])\b", str(conforms))
    if version is None:
        raise BadReport(f"{what}: {said(conforms, 80)!r}; Croissant 1.0 and 1.1 are read")
    files, notes = [], []
    for entry in rows(value.get("distribution") or [], f"{what}: distribution"):
        part = mapping(entry, f"{what}: distribution")
        kind = str(part.get("@type")).rpartition(":")[2].rpartition("/")[2]
        if kind not in ("FileObject", "FileSet"):
            raise BadReport(f"{what}: a distribution of type {said(kind, 80)!r}", "FileObject and FileSet are known")
        if kind == "FileSet":
            continue
        stated = part.get("sha256")
        good = isinstance(stated, str) and _SHA256.fullmatch(stated) is not None
        name = said(part.get("name") or part.get("@id"), 300)
        if not good:
            notes.append(f"{name}: no SHA-256 that is one" if stated is not None else f"{name}: no SHA-256")
        files.append(NamedFile(name, f"sha256:{str(stated).lower()}" if good else None))
    return Report(
        "croissant", "Croissant", version[1], file.digest(), said(value.get("name"), 200), files=tuple(files),
        notes=tuple(notes),
    )  # fmt: skip


def _bounded(claimed: list[Claimed], what: str) -> tuple[Claimed, ...]:
    if len(claimed) > IMPORT_ROWS_MAX:
        raise BadReport(f"{what}: {len(claimed):,} numbers, limit {IMPORT_ROWS_MAX:,}")
    return tuple(claimed)

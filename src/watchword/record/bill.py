"""An AI bill of materials: CycloneDX 1.6 as JSON, from what inspection saw and what the release tells of itself.

* The same release, card and time give the same bytes: canonical JSON, a serial number derived from the release digest.
* What was seen (files, digests, formats, frameworks named inside the files or by their format) and what is only told
  (licence, base model, data sets: the supplier's card) are kept apart by the property ``watchword:source``.
* The release has no one file, so its SHA-256 is that of its manifest, and a property says so.
* The clusters of the G7 minimum elements ("SBOM for AI", 12 May 2026) are filled as far as the files tell: metadata,
  system, models, datasets, infrastructure, security, performance. For each, a property says whether it was told; the
  signature that the metadata ask for is that of the statement that carries the bill.
* What a file depends on beyond what it names cannot be seen: the dependencies are declared ``incomplete``.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from watchword import __version__
from watchword.inspect.facts import FileReport, Inspection
from watchword.inspect.pickles.stdlib import STDLIB
from watchword.limits import BILL_FILES_MAX, CARD_VALUE_CHARS_MAX, CARD_VALUES_MAX
from watchword.record.card import Card
from watchword.statements.canonical import canonical
from watchword.statements.digests import D

FORMAT = "CycloneDX 1.6"
MEDIA_TYPE = "application/vnd.cyclonedx+json; version=1.6"
SERIALS = uuid.UUID("6f2c0f2e-3a5d-5b1c-9c55-2d6f6a1b7e10")
"""The namespace of our serial numbers (random, once)."""

MODEL_FORMATS = (
    "pickle",
    "pytorch",
    "torch",
    "joblib",
    "onnx",
    "safetensors",
    "gguf",
    "hdf5",
    "keras",
    "tflite",
    "skops",
)
DATA_FORMATS = ("npy", "npz", "numpy", "csv", "parquet", "arrow", "jsonl")

SPDX = {
    id_.lower(): id_
    for id_ in (
        "AGPL-3.0", "Apache-2.0", "Artistic-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSD-3-Clause-Clear", "BSL-1.0",
        "CC-BY-2.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-NC-2.0", "CC-BY-NC-3.0", "CC-BY-NC-4.0", "CC-BY-NC-ND-3.0",
        "CC-BY-NC-ND-4.0", "CC-BY-NC-SA-2.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0", "CC-BY-SA-3.0",
        "CC-BY-SA-4.0", "CC0-1.0", "CDLA-Permissive-1.0", "CDLA-Permissive-2.0", "CDLA-Sharing-1.0", "ECL-2.0",
        "EPL-1.0", "EPL-2.0", "EUPL-1.1", "EUPL-1.2", "GPL-2.0", "GPL-3.0", "ISC", "LGPL-2.1", "LGPL-3.0", "MIT",
        "MPL-2.0", "MS-PL", "NCSA", "OFL-1.1", "OSL-3.0", "PostgreSQL", "Unlicense", "WTFPL", "Zlib",
    )
}  # fmt: skip
"""SPDX identifiers that model cards use; what is not here is given by its name."""

LOADERS = {
    "joblib": "joblib", "onnx": "onnx", "pytorch": "torch", "torch-legacy": "torch", "safetensors": "safetensors",
}  # fmt: skip
"""What a format is loaded with, where its name says it."""

PACKAGES = {"cv2": "opencv-python", "PIL": "pillow", "sklearn": "scikit-learn"}
"""Packages by the name that they are imported by, where the two differ."""

FRAMEWORKS = frozenset(
    {
        "catboost",
        "jax",
        "joblib",
        "keras",
        "lightgbm",
        "numpy",
        "onnx",
        "opencv-python",
        "pandas",
        "pillow",
        "safetensors",
    }
    | {"scikit-learn", "scipy", "skops", "spacy", "tensorflow", "tokenizers", "torch", "torchvision", "transformers"}
    | {"ultralytics", "xgboost"}
)
"""Packages that get a package URL. Others get none: a guess would name a stranger's package."""


@dataclass(frozen=True)
class Component:
    """One line for a statement and for a page; empty text where nothing is told."""

    name: str
    type: str
    version: str = ""
    licence: str = ""
    purl: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Bill:
    """The document, and what a statement takes from it. ``base_models``, ``datasets``: names of the card."""

    document: dict[str, Any] = field(repr=False)
    components: tuple[Component, ...]
    base_models: tuple[str, ...]
    datasets: tuple[str, ...]
    licences: tuple[str, ...]
    notes: tuple[str, ...]

    @cached_property
    def encoded(self) -> bytes:
        """The document's canonical bytes."""
        return canonical(self.document)

    @property
    def digest(self) -> str:
        """The digest of the document."""
        return D(self.encoded)


def bill_of_materials(
    inspection: Inspection, card: Card, *, system: str, release: str, supplier: str, made: str
) -> Bill:
    """The bill of materials of one inspected release.

    Args:
        inspection: with a manifest; hashes come from it, nothing is read again.
        supplier: who delivers it; empty when unknown.
        made: the time it is dated (RFC 3339, UTC).

    Raises:
        ValueError: the inspection has no manifest, so the release has no name.
    """
    if inspection.manifest is None:
        raise ValueError("a release without a manifest has no bill of materials")
    digest = inspection.manifest.digest
    card = _with_facts(card, inspection.files)
    frameworks = _frameworks(inspection.files, card)
    files = [_file(report) for report in inspection.files if report.sha256]
    data = [Component(name, "data") for name in card.datasets]
    notes = card.notes
    if len(files) > BILL_FILES_MAX:
        notes += (f"{BILL_FILES_MAX:,} of {len(files):,} files are listed, models first; the manifest names all",)
    components = (*frameworks, *sorted(files, key=_weight)[:BILL_FILES_MAX], *data)
    reports = {report.path: report for report in inspection.files}
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(SERIALS, digest)}",
        "version": 1,
        "metadata": {
            "timestamp": made,
            "tools": {"components": [{"type": "application", "name": "watchword", "version": __version__}]},
            "lifecycles": [{"phase": "post-build"}],
            "component": _release(system, release, supplier, digest, card, _metrics(inspection.files)),
        },
        "components": [_written(one, reports) for one in components],
        "dependencies": [{"ref": "release", "dependsOn": sorted(_ref(one) for one in components)}],
        "compositions": [{"aggregate": "incomplete", "dependencies": ["release"]}],
    }
    if supplier:
        document["metadata"]["supplier"] = {"name": supplier}
    document["metadata"]["properties"] = _clusters(document, inspection)
    return Bill(document, components, card.base_models, card.datasets, card.licences, notes)


def bill_of(inspection: Inspection, *, made: str) -> dict[str, Any]:
    """The bill of materials of an inspection by itself: what its files tell, under the name that it was inspected by.

    Raises:
        ValueError: the inspection has no manifest, so the release has no name.
    """
    name = inspection.target.replace("\\", "/").rstrip("/").rpartition("/")[2] or "release"
    return bill_of_materials(inspection, Card(), system=name, release="unversioned", supplier="", made=made).document


def _with_facts(card: Card, files: tuple[FileReport, ...]) -> Card:
    """*card*, and what the inspection read in the release's files: united, the card's words first."""

    def united(first: tuple[str, ...], key: str) -> tuple[str, ...]:
        names = {name.lower(): name for name in first}
        for report in files:
            for name in report.facts.get(key, ()):
                names.setdefault(str(name).lower(), str(name))
        return tuple(names.values())[:CARD_VALUES_MAX]

    architectures = united((card.architecture,) if card.architecture else (), "architectures")
    return replace(
        card,
        licences=united(card.licences, "licences"),
        base_models=united(card.base_models, "base_models"),
        datasets=united(card.datasets, "datasets"),
        architecture=architectures[0] if architectures else "",
    )


def _metrics(files: tuple[FileReport, ...]) -> list[dict[str, str]]:
    """Performance that the card claims: ``type``, ``value`` and, as slice, the data set."""
    told = [metric.split("\t") for report in files for metric in report.facts.get("metrics", ())]
    return [
        {"type": parts[0], "value": parts[1]} | ({"slice": parts[2]} if parts[2] else {})
        for parts in told[:CARD_VALUES_MAX]
        if len(parts) == 3
    ]


def _clusters(document: dict[str, Any], inspection: Inspection) -> list[dict[str, str]]:
    """For each cluster of the minimum elements, what of it the bill holds."""
    main = document["metadata"]["component"]
    types = [one["type"] for one in document["components"]]
    models, data = types.count("machine-learning-model"), types.count("data")
    card = main.get("modelCard", {})
    frameworks = types.count("framework") + types.count("library")
    findings = len(inspection.findings)
    told = {
        "metadata": "tool, time, dependencies; signed by the statement that carries it",
        "system": "name, version, digest, files" + (", supplier" if "supplier" in main else ""),
        "models": f"{models} model files" + (", licence" if "licenses" in main else ", licence not told"),
        "datasets": f"{data} named or included" if data else "not told",
        "infrastructure": f"{frameworks} frameworks, libraries and operator sets" if frameworks else "not told",
        "security": f"inspected: {inspection.verdict}, {findings} findings",
        "performance": "told by the card, not measured" if "quantitativeAnalysis" in card else "not told",
    }
    return [{"name": f"watchword:minimum-elements:{cluster}", "value": words} for cluster, words in told.items()]


def _release(
    system: str, release: str, supplier: str, digest: str, card: Card, metrics: list[dict[str, str]]
) -> dict[str, Any]:
    value: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": "release",
        "name": system,
        "version": release,
        "hashes": [{"alg": "SHA-256", "content": digest.removeprefix("sha256:")}],
        "properties": [{"name": "watchword:hash-of", "value": "watchword-manifest/1"}],
    }
    if supplier:
        value["supplier"] = {"name": supplier}
    if card.licences:
        value["licenses"] = [{"license": _licence(name)} for name in dict.fromkeys(card.licences)]
    if card.base_models:
        ancestors = [{"type": "machine-learning-model", "name": name, **_told()} for name in card.base_models]
        value["pedigree"] = {"ancestors": ancestors}
    parameters: dict[str, Any] = {}
    if card.task:
        parameters["task"] = card.task
    if card.family:
        parameters["architectureFamily"] = card.family
    if card.architecture:
        parameters["modelArchitecture"] = card.architecture
    if card.datasets:
        parameters["datasets"] = [{"ref": f"data:{name}"} for name in card.datasets]
    model_card: dict[str, Any] = {"modelParameters": parameters} if parameters else {}
    if metrics:
        model_card["quantitativeAnalysis"] = {"performanceMetrics": metrics}
    if model_card:
        value["modelCard"] = model_card
    return value


def _written(one: Component, reports: dict[str, FileReport]) -> dict[str, Any]:
    value: dict[str, Any] = {"type": one.type, "bom-ref": _ref(one), "name": one.name}
    if one.version:
        value["version"] = one.version
    if one.purl:
        value["purl"] = one.purl
    if one.digest:
        value["hashes"] = [{"alg": "SHA-256", "content": one.digest.removeprefix("sha256:")}]
        report = reports[one.name]
        seen = (("format", report.format), ("size", str(report.size)), ("verdict", str(report.verdict)))
        value["properties"] = [{"name": f"watchword:{name}", "value": said} for name, said in seen]
    elif one.type == "data":
        value |= _told()
    return value


def _told() -> dict[str, Any]:
    return {"properties": [{"name": "watchword:source", "value": "told by the release's card"}]}


def _licence(name: str) -> dict[str, str]:
    known = SPDX.get(name.lower())
    return {"id": known, "acknowledgement": "declared"} if known else {"name": name, "acknowledgement": "declared"}


def _file(report: FileReport) -> Component:
    kind = report.format.lower()
    if any(kind.startswith(name) for name in MODEL_FORMATS):
        type_ = "machine-learning-model"
    else:
        type_ = "data" if any(kind.startswith(name) for name in DATA_FORMATS) else "file"
    return Component(report.path, type_, digest=f"sha256:{report.sha256}")


def _weight(one: Component) -> tuple[int, str]:
    """Models first, then data, then other files: a statement that must be cut loses the least telling end."""
    return ("machine-learning-model", "data", "file").index(one.type), one.name


def _ref(one: Component) -> str:
    family = {"framework": "framework", "library": "library", "data": "file" if one.digest else "data"}
    return f"{family.get(one.type, 'file')}:{one.name}" + (f"@{one.version}" if one.version else "")


def _frameworks(files: tuple[FileReport, ...], card: Card) -> list[Component]:
    """What the files, their formats and the card name as needed to load them. Pickles name no versions."""
    named: set[tuple[str, str]] = set()
    for report in files:
        modules = {LOADERS[report.format]} if report.format in LOADERS else set()
        modules |= set(report.facts.get("modules", ())) - STDLIB
        named |= {(PACKAGES.get(module, module), "") for module in modules}
        opsets = report.facts.get("opsets", {})
        named |= {(f"operator set {domain}", str(version)) for domain, version in opsets.items()}
        named |= {_versioned(text) for key in ("frameworks", "requires") for text in report.facts.get(key, ())}
    if card.library:
        named.add((PACKAGES.get(card.library, card.library), ""))
    # A name with a version says more than the name alone.
    named -= {(name, "") for name, version in named if version}
    return [_framework(name, version) for name, version in sorted(named)]


def _versioned(text: str) -> tuple[str, str]:
    name, _, version = str(text)[:CARD_VALUE_CHARS_MAX].partition(" ")
    return PACKAGES.get(name, name), version.strip()


def _framework(name: str, version: str) -> Component:
    if name not in FRAMEWORKS:
        return Component(name, "library", version)
    return Component(name, "framework", version, purl=f"pkg:pypi/{name}" + (f"@{version}" if version else ""))

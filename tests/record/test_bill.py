from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from watchword.inspect import inspect_path
from watchword.inspect.facts import Inspection, Verdict
from watchword.record.bill import Bill, Component, bill_of_materials
from watchword.record.bill import bill_of as bill_of_inspection
from watchword.record.card import Card

CARD = Card(
    licences=("apache-2.0", "Aquila Evaluation Licence"),
    base_models=("aquila/recon-base",),
    datasets=("border-images-v2",),
    library="transformers",
    task="object-detection",
    family="detr",
    architecture="DetrModel",
)


def bill_of(inspection: Inspection, card: Card = CARD, supplier: str = "AQUILA") -> Bill:
    return bill_of_materials(
        inspection, card, system="recon-vision", release="7", supplier=supplier, made="2026-03-01T09:00:00Z"
    )


def strict_errors(document: bytes) -> Any:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(document.decode())


def test_the_document_is_valid_cyclonedx(release: Any, tmp_path: Any) -> None:
    """The strict validator of the format's own library has no complaint, with and without a card or supplier."""
    release.add("head.pt", b"weights", "pytorch", modules=["collections", "sklearn"])
    release.add("model.onnx", b"graph", "onnx", opsets={"ai.onnx": 17, "com.example": 1})
    release.add("rows.npy", b"numbers", "npy")
    inspection = release.inspection()
    assert strict_errors(bill_of(inspection).encoded) is None
    assert strict_errors(bill_of(inspection, Card(), "").encoded) is None


def test_the_validator_would_complain() -> None:
    """The referee is awake: one unknown field is seen."""
    assert strict_errors(b'{"bomFormat":"CycloneDX","specVersion":"1.6","unknown":1}') is not None


def test_same_release_same_time_same_bytes(release: Any) -> None:
    """Two members who look at one release at one time write one document."""
    release.add("b.onnx", b"b", "onnx")
    release.add("a.pkl", b"a", "pickle")
    first = release.inspection()
    second = Inspection(
        "/elsewhere", first.verdict, first.manifest, first.findings, tuple(reversed(first.files)), first.tool
    )
    assert bill_of(first).encoded == bill_of(second).encoded
    assert bill_of(first).document["serialNumber"].startswith("urn:uuid:")


def test_another_release_has_another_serial_number(release: Any) -> None:
    """The serial number names the release."""
    release.add("a.pkl", b"a", "pickle")
    one = bill_of(release.inspection()).document["serialNumber"]
    release.add("b.pkl", b"b", "pickle")
    assert bill_of(release.inspection()).document["serialNumber"] != one


def test_what_is_in_the_document(release: Any) -> None:
    """Hashes, types, frameworks with versions, licence, base model, data and model card, each in its place."""
    release.add("head.pt", b"weights", "pytorch", modules=["collections", "sklearn"])
    release.add("rows.npy", b"numbers", "npy")
    inspection = release.inspection()
    document = json.loads(bill_of(inspection).encoded)
    main = document["metadata"]["component"]
    assert main["hashes"][0]["content"] == inspection.manifest.digest.removeprefix("sha256:")
    assert main["licenses"] == [
        {"license": {"acknowledgement": "declared", "id": "Apache-2.0"}},
        {"license": {"acknowledgement": "declared", "name": "Aquila Evaluation Licence"}},
    ]
    assert main["pedigree"]["ancestors"][0]["name"] == "aquila/recon-base"
    assert main["modelCard"]["modelParameters"] == {
        "architectureFamily": "detr", "datasets": [{"ref": "data:border-images-v2"}], "modelArchitecture": "DetrModel",
        "task": "object-detection",
    }  # fmt: skip
    by_ref = {one["bom-ref"]: one for one in document["components"]}
    assert by_ref["file:head.pt"]["type"] == "machine-learning-model"
    assert by_ref["file:head.pt"]["hashes"][0]["content"] == inspection.files[0].sha256
    assert by_ref["file:rows.npy"]["type"] == "data"
    assert by_ref["framework:torch"]["purl"] == "pkg:pypi/torch"
    assert by_ref["framework:scikit-learn"]["purl"] == "pkg:pypi/scikit-learn"
    assert by_ref["framework:transformers"]["purl"] == "pkg:pypi/transformers"
    assert document["compositions"] == [{"aggregate": "incomplete", "dependencies": ["release"]}]
    assert document["dependencies"][0]["dependsOn"] == sorted(by_ref)


def test_an_unknown_framework_gets_no_package_url(release: Any) -> None:
    """A name found in a file is not made into an address that somebody else may own."""
    release.add("a.pkl", b"a", "pickle", modules=["inhouse_ml", "posix"])
    found = [one for one in bill_of(release.inspection(), Card()).components if one.type in ("framework", "library")]
    assert found == [Component("inhouse_ml", "library")]


def test_bom_refs_are_unique(release: Any) -> None:
    """References name one component each, whatever the files and data sets are called."""
    release.add("border-images-v2", b"x", "npy")
    release.add("torch", b"y", "pickle", modules=["torch"])
    refs = [one["bom-ref"] for one in bill_of(release.inspection()).document["components"]]
    assert len(refs) == len(set(refs))


def test_a_release_without_a_name_has_no_bill(release: Any) -> None:
    """No manifest, no bill of materials."""
    release.add("a.pkl", b"a", "pickle")
    nameless = Inspection("x", Verdict.UNREADABLE, None, (), (), {})
    with pytest.raises(ValueError, match="manifest"):
        bill_of(nameless)


def test_the_bill_of_an_inspection_tells_what_the_files_tell(tmp_path: Path) -> None:
    """Versions, licence, base model, data sets and claimed performance of a real folder, each in its place."""
    (tmp_path / "config.json").write_text('{"transformers_version": "4.40.1", "architectures": ["BertModel"]}')
    (tmp_path / "requirements.txt").write_text("torch==2.1.0\n")
    (tmp_path / "LICENSE").write_text("Apache License\nVersion 2.0, January 2004\n")
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "aquila/recon-base"}')
    (tmp_path / "README.md").write_text(CARD_TEXT)
    inspection = inspect_path(tmp_path)
    assert [finding.message for finding in inspection.findings] == []
    document = bill_of_inspection(inspection, made="2026-03-01T09:00:00Z")
    assert strict_errors(json.dumps(document).encode()) is None
    main = document["metadata"]["component"]
    assert main["name"] == tmp_path.name
    assert main["licenses"] == [{"license": {"id": "Apache-2.0", "acknowledgement": "declared"}}]
    assert [one["name"] for one in main["pedigree"]["ancestors"]] == ["aquila/recon-base"]
    assert main["modelCard"]["modelParameters"]["modelArchitecture"] == "BertModel"
    assert main["modelCard"]["modelParameters"]["datasets"] == [{"ref": "data:border-images-v2"}]
    metrics = main["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert metrics == [{"type": "accuracy", "value": "0.93", "slice": "Border images"}]
    purls = {one.get("purl") for one in document["components"]}
    assert {"pkg:pypi/transformers@4.40.1", "pkg:pypi/torch@2.1.0"} <= purls
    clusters = {one["name"].rpartition(":")[2] for one in document["metadata"]["properties"]}
    assert clusters == {"metadata", "system", "models", "datasets", "infrastructure", "security", "performance"}


def test_what_nobody_told_is_said_to_be_untold(release: Any) -> None:
    """A bill without card says for each cluster of the minimum elements that it was not told."""
    release.add("a.pkl", b"a", "pickle")
    told = {
        one["name"]: one["value"] for one in bill_of(release.inspection(), Card()).document["metadata"]["properties"]
    }
    assert told["watchword:minimum-elements:datasets"] == "not told"
    assert told["watchword:minimum-elements:performance"] == "not told"


CARD_TEXT = """---
license: apache-2.0
datasets: [border-images-v2]
model-index:
- name: recon
  results:
  - dataset: {name: Border images, type: image}
    metrics:
    - {type: accuracy, value: 0.93}
---
# recon
"""

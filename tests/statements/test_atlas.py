"""Techniques of MITRE ATLAS: the shipped list is theirs, and an id that is in none of theirs is refused."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from watchword.statements.atlas import BadTechnique, check_technique, techniques, told

VECTORS = Path(os.environ.get("WATCHWORD_VECTORS", Path(__file__).resolve().parents[2].parent / "shared" / "vectors"))


def test_the_techniques_are_those_of_the_published_file() -> None:
    """Ids and names are ATLAS's, all of them."""
    path = VECTORS / "reports" / "mitre_atlas" / "ATLAS.yaml"
    if not path.is_file():
        pytest.skip("reports/mitre_atlas is absent")
    theirs = yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    assert theirs["version"] == "5.6.0"
    assert all(name in told(f"{id}@5.6.0") for id, name in techniques("5.6.0").items())
    assert techniques("5.6.0") == {one["id"]: one["name"] for one in theirs["matrices"][0]["techniques"]}


@pytest.mark.parametrize(
    "text",
    [
        "AML.T9999@5.6.0", "AML.T0051.999@5.6.0", "AML.T0051", "AML.M0029@5.6.0", "AML.TA0002@5.6.0", "AML.T0051@", 7,
        "AML.T0051@5.6.0\n", "AML.T\u0660051@5.6.0", "aml.t0051@5.6.0", None, "AML.T0051@5.6.0.1", "AML.T0051@5",
    ],
)  # fmt: skip
def test_what_is_no_technique_is_refused(text: Any) -> None:
    """Of the shipped version by its list, else by form."""
    with pytest.raises(BadTechnique):
        check_technique(text)


def test_a_technique_of_another_version_is_checked_by_form_alone() -> None:
    """What a later ATLAS adds can be named; it has no name here."""
    assert check_technique("AML.T9999@6.0") == "AML.T9999@6.0" == told("AML.T9999@6.0")
    assert told("AML.T0051@5.6.0") == "AML.T0051@5.6.0 LLM Prompt Injection"
    assert told("AML.T0051.001@5.6.0") == "AML.T0051.001@5.6.0 LLM Prompt Injection: Indirect"
    assert told("(redacted)") == "(redacted)"


@given(st.text(max_size=30))
def test_any_text_is_a_technique_or_refused(text: str) -> None:
    """And is shown as it is where it is none."""
    try:
        assert re.fullmatch(r"AML\.T[0-9.]+@[0-9.]+", check_technique(text))
    except BadTechnique:
        assert told(text) == text

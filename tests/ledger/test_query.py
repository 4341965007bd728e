"""Which versions a recall of a package reaches: verify.py and the package read purls and ranges alike, and what cannot
be ruled out is reached."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.ledger.query import package_of, reaches, within

ROOT = Path(__file__).resolve().parents[2]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_of_queries", ROOT / "verify.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


VERIFY = load()
CASES = json.loads((ROOT / "vectors" / "protocol" / "packages.json").read_text("utf-8"))


def recall(*spans: tuple[str | None, str | None], package: str = "pkg:pypi/torch") -> dict[str, Any]:
    return {"target": f"package:{package}", "versions": [{"from": begin, "before": end} for begin, end in spans]}


@pytest.mark.parametrize(
    ("purl", "package", "version"),
    [(one["purl"], one["package"], one["version"]) for one in CASES["purls"]],
)
def test_a_package_is_spelled_in_one_way(purl: str, package: str, version: str) -> None:
    """Whoever writes a purl in capitals, encoded, or with qualifiers does not slip past the recall of its package."""
    assert package_of(purl) == (package, version) == VERIFY.package_of(purl)


@pytest.mark.parametrize(
    ("version", "span", "reached"),
    [(one["version"], (one["from"], one["before"]), one["within"]) for one in CASES["versions"]],
)
def test_what_cannot_be_ruled_out_is_reached(version: str, span: tuple[str | None, str | None], reached: bool) -> None:
    """A doubtful version is in every range. Fails when ``within`` lets one through that it cannot read."""
    value = {"from": span[0], "before": span[1]}
    assert within(version, value) is reached is VERIFY.is_within(version, value)


def test_one_version_of_several_is_enough() -> None:
    """A second bill of materials that names a sound version does not hide the first."""
    bad, good = "component:pkg:pypi/torch@2.1.0", "component:pkg:pypi/torch@2.5.0"
    said = recall(("2.0", "2.3"))
    for names, reached in (
        ([bad], True), ([good], False), ([good, bad], True), ([good, "component:pkg:pypi/TORCH"], True), ([], True),
        (["component:pkg:pypi/other@1.0"], True), ([good, "component:pkg:pypi/other@2.1.0"], False),
    ):  # fmt: skip
        assert reaches(said, names) is reached is VERIFY.is_reached(said, names)


def test_versions_narrow_nothing_but_a_package() -> None:
    """A recall of a supplier that lists versions reaches all of that supplier."""
    said = recall(("1.0", "1.1")) | {"target": "supplier:AQUILA"}
    assert reaches(said, ["component:pkg:pypi/torch@2.5.0"]) is True
    assert VERIFY.is_reached(said, ["component:pkg:pypi/torch@2.5.0"]) is True


PIECES = st.text("v0123456789.+-_!:~abrcpkgPKG/@%?#", max_size=12)
NUMBERS = st.lists(st.integers(0, 30).map(str), min_size=1, max_size=4).map(".".join)
SPANS = st.tuples(st.none() | NUMBERS, st.none() | NUMBERS)


@given(
    st.lists(
        st.one_of(
            PIECES, NUMBERS.map("pkg:pypi/torch@{}".format), st.builds("pkg:pypi/torch@{}{}".format, NUMBERS, PIECES)
        ).map("component:{}".format),
        max_size=3,
    ),
    st.lists(SPANS, max_size=2),
)
def test_both_read_alike(names: list[str], spans: list[tuple[str | None, str | None]]) -> None:
    """Whatever stands in a bill of materials, both answer the same, and neither falls."""
    said = recall(*spans)
    assert reaches(said, names) == VERIFY.is_reached(said, names)
    for name in names:
        assert package_of(name[10:]) == VERIFY.package_of(name[10:])

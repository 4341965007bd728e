"""Which versions a recall of a package reaches: verify.py and the package read purls and ranges alike, and what cannot
be ruled out is reached."""

from __future__ import annotations

import importlib.util
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


def recall(*spans: tuple[str | None, str | None], package: str = "pkg:pypi/torch") -> dict[str, Any]:
    return {"target": f"package:{package}", "versions": [{"from": begin, "before": end} for begin, end in spans]}


@pytest.mark.parametrize(
    ("purl", "package", "version"),
    [
        ("pkg:pypi/torch@2.1.0", "pkg:pypi/torch", "2.1.0"),
        ("pkg:pypi/Zope.Interface_x@5", "pkg:pypi/zope-interface-x", "5"),
        ("pkg:npm/%40angular/core@17.0.1", "pkg:npm/@angular/core", "17.0.1"),
        ("pkg:npm/@angular/core@17.0.1", "pkg:npm/@angular/core", "17.0.1"),
        ("pkg:docker/x@sha256:ab?repository_url=a.b/c@d#e@f", "pkg:docker/x", "sha256:ab"),
        ("PKG://pypi/torch@2.1.0%2Bcu118", "pkg:pypi/torch", "2.1.0+cu118"),
        ("pkg:golang/github.com/a/b@v1.2.3/sub", "pkg:golang/github.com/a/b", "v1.2.3/sub"),
        ("pkg:pypi/torch/", "pkg:pypi/torch", ""),
        ("torch@2.1.0", "", ""),
        ("", "", ""),
    ],
)
def test_a_package_is_spelled_in_one_way(purl: str, package: str, version: str) -> None:
    """Whoever writes a purl in capitals, encoded, or with qualifiers does not slip past the recall of its package."""
    assert package_of(purl) == (package, version) == VERIFY.package_of(purl)


@pytest.mark.parametrize(
    ("version", "span", "reached"),
    [
        ("2.1.0", ("2.0", "2.3"), True),
        ("2.3.0", ("2.0", "2.3"), False),
        ("2.3", ("2.0", "2.3.0"), False),
        ("2.0", ("2.0.0", None), True),
        ("1.9.9", ("2.0", None), False),
        ("2.10", (None, "2.9"), False),
        ("v2.1", ("2.0", "2.3"), True),
        ("2.1.0+cu118", ("2.0", "2.3"), True),
        ("2.4.0+cu118", ("2.0", "2.3"), False),
        # Before 2.3.0, though its numbers are not: what stands next to the end is reached.
        ("2.3.0rc1", ("2.0", "2.3"), True),
        # What is no row of numbers cannot be ruled out: nothing, a word, a commit, an epoch, too many digits.
        ("", ("2.0", "2.3"), True),
        ("main", ("2.0", "2.3"), True),
        ("9c41e07", ("2.0", "2.3"), True),
        ("1!0.5", ("2.0", "2.3"), True),
        ("0.5-1!x", ("2.0", "2.3"), True),
        ("2:9.0", ("2.0", "2.3"), True),
        ("9" * 19, ("2.0", "2.3"), True),
        ("1.2." + "9" * 19, ("2.0", "2.3"), True),
    ],
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

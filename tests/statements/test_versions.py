"""Versions in the order that their makers count in, beside what those makers publish."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import InvalidVersion, Version

from watchword.statements.purl import package_of, parse_purl
from watchword.statements.versions import order_of, pep440, semver

ORDERED = (
    "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
    "1.0.0", "2.0.0", "2.1.0", "2.1.1",
)  # fmt: skip
"""The examples of semver.org, clause 11."""


def test_semver_is_ordered_as_its_specification_says() -> None:
    """Each example of clause 11 is less than the next; build metadata counts for nothing."""
    places = [semver(version) for version in ORDERED]
    assert None not in places
    assert places == sorted(places)  # type: ignore[type-var]
    assert len(set(places)) == len(ORDERED)
    assert semver("1.0.0+a") == semver("v1.0.0+b") == semver("1") == semver("=1.0")


NUMBER = st.integers(0, 30).map(str)
SUFFIXES = ("", "a1", "b2", "rc1", ".post1", "-1", ".dev3", "a1.dev2", "rc2.post1.dev1", "+ab.1", "+1", "c")
RELEASE = st.lists(NUMBER, min_size=1, max_size=4).map(".".join)
PEP = st.builds("{}{}{}".format, st.sampled_from(["", "1!", "v"]), RELEASE, st.sampled_from(SUFFIXES))


@given(PEP, PEP)
def test_pep440_agrees_with_packaging(one: str, other: str) -> None:
    """Two versions compare as the Python packaging authority's own library compares them."""
    first, second = pep440(one), pep440(other)
    assert first is not None
    assert second is not None
    assert (first < second, first == second) == (Version(one) < Version(other), Version(one) == Version(other))


@given(st.text(alphabet="0123456789.abrcdevpost!+-_v ", max_size=12))
def test_what_packaging_does_not_read_has_no_place(text: str) -> None:
    """Read is what packaging reads, and nothing else."""
    try:
        Version(text)
        readable = True
    except InvalidVersion:
        readable = False
    assert (pep440(text) is not None) == readable


@pytest.mark.parametrize("version", ["", "latest", "1.2.3.4", "x.1", "1..2", "9" * 400, "1.0.0-\u0663"])
def test_what_is_no_version_has_no_place(version: str) -> None:
    """Nothing is guessed: not a word, not four numbers, not digits of another script."""
    assert semver(version) is None


def test_types_without_an_order_have_none() -> None:
    """Versions of Debian packages are not compared as if they were SemVer."""
    assert order_of("deb") is None
    assert order_of("pypi") is pep440


@pytest.mark.parametrize(
    ("text", "package", "version"),
    [
        ("pkg:pypi/Django_Rest.Framework@3.1", "pkg:pypi/django-rest-framework", "3.1"),
        ("pkg:npm/%40angular/animation@12.3.1", "pkg:npm/%40angular/animation", "12.3.1"),
        ("pkg:npm/@angular/animation", "pkg:npm/%40angular/animation", ""),
        ("pkg:golang/google.golang.org/genproto@abc#googleapis/api", "pkg:golang/google.golang.org/genproto", "abc"),
        ("pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie", "pkg:deb/debian/curl", "7.50.3-1"),
        ("pkg:GitHub/Package-url/Purl-Spec@244fd47", "pkg:github/package-url/purl-spec", "244fd47"),
        ("pkg://maven/org.apache/x@1", "pkg:maven/org.apache/x", "1"),
        ("pkg:huggingface/distilbert@043235d", "pkg:huggingface/distilbert", "043235d"),
    ],
)
def test_purls_are_read_as_the_specification_shows(text: str, package: str, version: str) -> None:
    """Examples of the purl specification, and their one spelling."""
    found = parse_purl(text)
    assert found is not None
    assert (found.package, found.version) == (package, version)
    assert package_of(package) == package


@given(st.text(max_size=40), st.booleans())
def test_no_text_breaks_the_reader_of_purls(text: str, prefixed: bool) -> None:
    """Whatever a bill holds is a purl, whose package is its own spelling, or none."""
    package = package_of(f"pkg:pypi/{text}" if prefixed else text)
    assert package == "" or package_of(package) == package

"""Two rules say which package a purl names: by one things are found, by the other recalls are filed. Where they agree,
and where they may not."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.ledger.query import package_of as filed
from watchword.statements.purl import package_of as found
from watchword.statements.purl import parse_purl

TYPES = ["pypi", "npm", "golang", "maven", "cargo", "generic", "huggingface", "deb", "PyPI", "NPM"]
_PART = st.text("abzABZ019._-+ %&=:äÄ", min_size=1, max_size=6).filter(lambda text: text.strip(". ") != "")
_PURLS = st.builds(
    lambda kind, above, name, version, tail: (
        f"pkg:{kind}/"
        + "/".join(quote(part, safe=":") for part in (*(above if kind.lower() != "pypi" else ()), name))
        + (f"@{quote(version, safe=':')}" if version else "")
        + tail
    ),
    st.sampled_from(TYPES), st.lists(_PART, max_size=2), _PART, st.just("") | _PART,
    st.sampled_from(["", "?arch=x86", "?a=b&c=d#sub/path", "#sub"]),
)  # fmt: skip


def plain(text: str) -> str:
    """Decoded, ASCII in lower case."""
    return unquote(text).encode().lower().decode()


@given(_PURLS)
def test_both_rules_name_the_same_package_but_for_case(purl: str) -> None:
    """Of a purl that is spelled as its specification says: the same package and version, but for the case of letters,
    which recalls never tell apart; so no recall is narrower than what is found."""
    read = parse_purl(purl)
    assert read is not None
    package, version = filed(purl)
    # Beyond ASCII a type that tells no case apart folds letters that recalls keep.
    assert package.lower() == plain(found(purl)).lower()
    assert version.lower() == read.version.lower()


@pytest.mark.parametrize(
    ("one", "other", "same_found", "same_filed"),
    [
        ("pkg:pypi/Foo_Bar@1", "pkg:pypi/foo-bar@2", True, True),
        ("pkg:npm/%40scope/a@1", "pkg:npm/@scope/a", True, True),
        ("pkg:cargo/Serde@1", "pkg:cargo/serde@1", False, True),
        ("pkg:pypi/ÄB@1", "pkg:pypi/äb@1", True, False),
        ("pkg:generic/a@b@1", "pkg:generic/a@2", False, True),
        ("pkg:pypi/a.b/c", "pkg:pypi/a-b/c", False, True),
    ],
)
def test_where_the_two_rules_differ(one: str, other: str, same_found: bool, same_filed: bool) -> None:
    """Recalls tell no case apart, read a package up to the first ``@``, and take the marks of PyPI's names for one in a
    namespace too, which PyPI has not; letters beyond ASCII keep their case there."""
    assert (found(one) == found(other), filed(one)[0] == filed(other)[0]) == (same_found, same_filed)

"""A bill's document: what it lists beside its statement's own list is found, and a hostile one costs little."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from alliance import RELEASE, Alliance
from catalog.stocked import digest
from catalog.test_fill import bill, contents, line
from hypothesis import given
from hypothesis import strategies as st

from watchword.account.exposure import NothingNamed, exposure, wanted
from watchword.account.recalled import hit_in_catalog
from watchword.catalog.database import Catalog
from watchword.catalog.documents import components_of
from watchword.catalog.rows import Thing, component
from watchword.limits import DOCUMENT_OBJECTS_MAX
from watchword.node.cataloguing import bring_up
from watchword.statements.digests import parse_digest

Opened = Callable[[], Catalog]
NUMPY = "pkg:pypi/numpy@1.26.0"
DOCUMENT = {
    "bomFormat": "CycloneDX", "specVersion": "1.6",
    "metadata": {"component": {"name": "itself", "type": "application"}},
    "components": [
        {"type": "library", "name": "numpy", "version": "1.26.0", "purl": NUMPY},
        {
            "type": "container", "name": "image", "hashes": [{"alg": "MD5", "content": "00"}],
            "components": [
                {"name": "inside", "version": "2", "hashes": [{"alg": "SHA-256", "content": "AB" * 32}]},
                {"name": "deep", "purl": "pkg:npm/deep@1", "hashes": [{"alg": "SHA-256", "content": "short"}]},
            ],
        },
        {"type": "file"},
    ],
    "services": [{"name": "a service"}],
}  # fmt: skip


def hit(catalog: Catalog, text: str) -> list[str]:
    with catalog.reading() as connection:
        return [one.name for one in exposure(connection, text, [wanted(text)]).releases]


def recorded(alliance: Alliance, document: dict[str, Any]) -> Any:
    alfa = alliance.nodes["ALFA"]
    at = alfa.attach("bill.json", "application/vnd.cyclonedx+json", json.dumps(document).encode())
    fields = bill(alfa, "mailsort", "1.0", components=[line("numpy", "1.26.0", NUMPY)]) | {"document": at}
    alfa.sign_and_append("bill-of-materials", (RELEASE,), fields, person="evaluator")
    alfa.sign_and_append("decision", (RELEASE,), {"decision": {"verdict": "admitted", "use_case": digest(9)}})
    return at


def test_components_are_read_nested_ones_too() -> None:
    """Name, version, package URL and SHA-256; what tells nothing is nothing; the release is no part of itself."""
    assert components_of(json.dumps(DOCUMENT).encode()) == [
        component("numpy", "1.26.0", NUMPY, ""), component("image", "", "", ""),
        component("inside", "2", "", "sha256:" + "ab" * 32), component("deep", "", "pkg:npm/deep@1", ""),
    ]  # fmt: skip


def test_what_the_document_lists_is_exposed(alliance: Alliance, opened: Opened) -> None:
    """By digest and package; what both lists name stands once; a recall is weighed by the statement's own list, as a
    decision weighs it."""
    catalog, alfa = opened(), alliance.nodes["ALFA"]
    recorded(alliance, DOCUMENT)
    bring_up(alfa, catalog)
    for text in ("sha256:" + "ab" * 32, "pkg:npm/deep", "image", NUMPY):
        assert hit(catalog, text) == ["mailsort 1.0"], text
    rows = contents(catalog)
    assert len(rows["edges"]) == 4
    sizes = {"alfa.example/ledger": 9}
    with catalog.reading() as connection:
        for target, expected in ((f"component:{NUMPY}", 1), ("component:pkg:npm/deep@1", 0)):
            recall = {"target": target, "versions": []}
            found = hit_in_catalog(connection, recall, "ALFA", alliance.clock.now(), sizes)
            assert found is not None
            assert len(found) == expected


def test_a_document_that_comes_late_is_read_then(alliance: Alliance, opened: Opened) -> None:
    """Before it came nothing is known of it; afterwards an update leaves what a rebuild makes."""
    catalog, alfa = opened(), alliance.nodes["ALFA"]
    at = recorded(alliance, DOCUMENT)
    path = alfa.home / "bodies" / "sha256" / parse_digest(at["commitment"]).hex()
    data = path.read_bytes()
    path.unlink()
    bring_up(alfa, catalog)
    with pytest.raises(NothingNamed):
        hit(catalog, "pkg:npm/deep")
    assert len(contents(catalog)["waiting"]) == 1
    path.write_bytes(data)
    assert not bring_up(alfa, catalog).anew
    assert hit(catalog, "pkg:npm/deep") == ["mailsort 1.0"]
    updated = contents(catalog)
    assert not updated["waiting"]
    bring_up(alfa, catalog, anew=True)
    assert contents(catalog) == updated


@pytest.mark.parametrize(
    "document",
    [
        b"", b"{}", b"[]", b"\xff", b'{"bomFormat":"SPDX","components":[{"name":"x"}]}',
        b'{"bomFormat":"CycloneDX","components":[{"name":1}]}',
        b'{"bomFormat":"CycloneDX","components":[' + b'{"components":[' * 100_000,
        b'{"bomFormat":"CycloneDX","components":[' + b"{}," * DOCUMENT_OBJECTS_MAX + b'{"name":"x"}]}',
    ],
)  # fmt: skip
def test_what_is_no_document_lists_nothing(document: bytes) -> None:
    """Another format, another type, too deep, too many objects: nothing, and no crash. Without the bound the last one
    was read."""
    assert components_of(document) == []


_JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["name", "purl", "components", "hashes", "alg", "content"]), inner, max_size=4),
    max_leaves=20,
)


@given(_JSON)
def test_any_components_are_read_or_passed_over(components: Any) -> None:
    """Whatever stands there: things with a name, package URL or digest, or nothing."""
    for one in components_of(json.dumps({"bomFormat": "CycloneDX", "components": components}).encode()):
        assert isinstance(one, Thing)
        assert one.name or one.purl or one.digest

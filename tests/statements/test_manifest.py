"""The release manifest: canonical bytes, strict parsing, and paths that mean one file everywhere."""

from __future__ import annotations

import contextlib
import hashlib
import json

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.statements.manifest import BadManifest, Entry, Manifest, UnsafePath, build, check_paths, parse

A = "a" * 64


def test_digest_is_over_rfc8785_bytes_sorted_by_utf8_path() -> None:
    """The digest is SHA-256 over exactly the documented bytes."""
    manifest = build([Entry("b", 2, A), Entry("a/\u00e9", 1, A), Entry("\U00010000", 0, A), Entry("\uff5a", 0, A)])
    # UTF-8 order differs from UTF-16 order for the last two.
    assert [entry.path for entry in manifest.entries] == ["a/\u00e9", "b", "\uff5a", "\U00010000"]
    expected = (
        '{"files":[{"path":"a/\u00e9","sha256":"' + A + '","size":1},{"path":"b","sha256":"' + A + '","size":2},'
        '{"path":"\uff5a","sha256":"' + A + '","size":0},{"path":"\U00010000","sha256":"' + A + '","size":0}],'
        '"format":"watchword-manifest/1"}'
    )
    assert manifest.canonical == expected.encode()
    assert manifest.digest == "sha256:" + hashlib.sha256(expected.encode()).hexdigest()


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20), max_size=6))
@settings(max_examples=100, deadline=None)
def test_bytes_agree_with_an_independent_rfc8785_encoder(paths: list[str]) -> None:
    """Whatever paths are accepted, the bytes are those of another RFC 8785 encoder, and parse back to the same."""
    try:
        manifest = build(Entry(path, index, A) for index, path in enumerate(paths))
    except (UnsafePath, BadManifest):
        return
    assert manifest.canonical == rfc8785.dumps(json.loads(manifest.canonical))
    assert parse(manifest.canonical) == manifest


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../x",
        "a/../b",
        "./a",
        "a//b",
        "a/",
        "",
        "a\\b",
        "C:/x",
        "c:x",
        "a\0b",
        "a\nb",
        "a\x7fb",
        "e\u0301",
        "a\u202eb",
        "a\u200bb",
        "\udcff",
        "x" * 1025,
        "weights.bin:evil",
        "a/what?",
        "a./b",
        "b ",
        "a/NUL",
        "aux.py",
        "Com1.tar.gz",
        "lpt\u00b9",
        "conin$",
    ],
)
def test_unsafe_path_is_refused(path: str) -> None:
    """Each of these would leave the folder, hide, or be another file elsewhere. Fails if its check is removed."""
    with pytest.raises(UnsafePath):
        check_paths([path])


def test_names_that_only_look_like_those_of_devices_are_names() -> None:
    """Windows knows its devices by the whole name before the first dot: a manifest holds these."""
    paths = [".nul", "a/prn-1.json", "auxiliary.py", "com10", "con_v2/model.bin", "lpt.5.bin", "null"]
    check_paths(paths)
    assert [one.path for one in parse(build([Entry(path, 1, A) for path in paths]).canonical).entries] == paths


@pytest.mark.parametrize(
    "paths", [["A", "a"], ["stra\u00dfe", "STRASSE"], ["a", "a/b"], ["A/x", "a/y"], ["x", "x"], ["Dir/f", "dir"]]
)
def test_colliding_paths_are_refused(paths: list[str]) -> None:
    """Two paths that some file system takes for one are refused. Fails if folding is removed."""
    with pytest.raises(UnsafePath):
        check_paths(paths)


def test_what_is_not_its_own_encoding_is_refused() -> None:
    """One meaning, one form: spaces, order, duplicate keys, escapes, a BOM and other fields are all refused."""
    good = build([Entry("a", 1, A), Entry("b", 2, A)]).canonical
    text = good.decode()
    assert parse(good).digest.startswith("sha256:")
    bad = [
        text + "\n",
        " " + text,
        text.replace(":1}", ":1.0}"),
        text.replace('"a"', '"\\u0061"'),
        "\ufeff" + text,
        text.replace('"size":1', '"size":1,"size":1'),
        text.replace('"size":1', '"size":1,"mode":7'),
        text.replace("manifest/1", "manifest/2"),
        text.replace(A, "A" * 64),
        text.replace('"size":1', '"size":-1'),
        text.replace('"size":1', '"size":true'),
        text.replace('"size":1', '"size":9007199254740992'),
        "[]",
        "{}",
        "1",
        "[" * 100_000,
        "",
        json.dumps({"files": [], "format": "watchword-manifest/1"}, separators=(",", ":")),
        json.dumps({"files": json.loads(text)["files"][::-1], "format": "watchword-manifest/1"}, separators=(",", ":")),
    ]
    for case in bad:
        with pytest.raises((BadManifest, UnsafePath)):
            parse(case.encode())


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_random_bytes_raise_only_our_errors(data: bytes) -> None:
    """A manifest from outside is a value or a named error."""
    with contextlib.suppress(BadManifest, UnsafePath):
        assert isinstance(parse(data), Manifest)

"""A delivered folder: every file named by digest, every difference named by path and place."""

from __future__ import annotations

import json
import os

import pytest

from watchword.data import DataError
from watchword.data.croissant import check_described, describe, read_croissant
from watchword.data.files import diff_files, manifest_files, read_file_manifest, write_file_manifest
from watchword.data.remote import Observation, compare

MIB = 1024 * 1024


@pytest.fixture
def folder(tmp_path):
    """Two small files and a large one."""
    made = tmp_path / "d"
    (made / "sub").mkdir(parents=True)
    (made / "a.txt").write_bytes(b"abc")
    (made / "sub" / "ü.txt").write_bytes(b"")
    (made / "big").write_bytes(bytes(3 * MIB + 5))
    return made


def test_the_digests_are_those_of_the_format(folder):
    """SHA-256 of small files; of a large one the RFC 9162 tree over its chunks, by hand."""
    from hashlib import sha256

    def chunk(size):
        return sha256(b"\x00watchword-data-chunk/1\n" + bytes(size)).digest()

    def node(left, right):
        return sha256(b"\x01" + left + right).digest()

    lines = {line[0]: line for line in manifest_files(folder).lines}
    assert list(lines) == ["a.txt", "big", "sub/ü.txt"]
    assert lines["a.txt"][1:] == (3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", None, False)
    whole, last = chunk(MIB), chunk(5)
    assert lines["big"][2] == node(node(whole, whole), node(whole, last)).hex()
    assert lines["big"][3] == [whole.hex()] * 3 + [last.hex()]


def test_one_byte_in_a_large_file_is_found_where_it_is(folder):
    """The chunk that changed is named by its byte range; a file that moved is told as renamed."""
    old = manifest_files(folder)
    with (folder / "big").open("r+b") as file:
        file.seek(2 * MIB + 7)
        file.write(b"x")
    (folder / "a.txt").rename(folder / "b.txt")
    (folder / "new").write_bytes(b"1")
    changes = diff_files(old, manifest_files(folder))
    assert [(c.kind, c.path, c.old_path, c.ranges) for c in changes] == [
        ("renamed", "b.txt", "a.txt", ()),
        ("changed", "big", "big", ((2 * MIB, 3 * MIB),)),
        ("added", "new", None, ()),
    ]


@pytest.mark.parametrize("make", [lambda p: p.symlink_to("a.txt"), os.mkfifo])
def test_what_is_no_plain_file_is_never_passed_over(folder, make):
    """A link or a pipe refuses the folder. Seen to fail with the last branch of ``_walk`` taken out."""
    make(folder / "odd")
    with pytest.raises(DataError, match="link, a pipe"):
        manifest_files(folder)


def test_a_name_that_is_not_unicode_is_refused(folder):
    """No manifest can name it."""
    (folder / "sub" / os.fsdecode(b"\xff.jpg")).write_bytes(b"1")
    with pytest.raises(DataError, match="not Unicode"):
        manifest_files(folder)


def test_a_manifest_reads_back_and_one_that_was_altered_does_not(folder, tmp_path):
    """Every byte counts. Seen to fail without the comparison of what is read with what would be written."""
    path = tmp_path / "d.files"
    made = manifest_files(folder)
    write_file_manifest(made, path)
    assert read_file_manifest(path) == made
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(DataError):
            read_file_manifest(path)
        path.write_bytes(whole[:at])
        with pytest.raises(DataError):
            read_file_manifest(path)


def test_a_picture_with_credentials_is_counted(folder):
    """A JUMBF box labelled c2pa is noted; no more is claimed."""
    (folder / "photo.jpg").write_bytes(b"\xff\xd8\xff\xeb\x00\x2djumb\x00\x00\x00\x1ejumdc2pa\x00")
    assert manifest_files(folder).to_json()["credentials"] == 1


def test_croissant_goes_out_and_comes_back(folder, tmp_path):
    """What was described is found as described; what changed, is missing or was never promised is told."""
    path = tmp_path / "croissant.json"
    path.write_bytes(describe(manifest_files(folder, plain=True), "d"))
    described = read_croissant(path)
    assert described.version == "1.1"
    assert check_described(described, manifest_files(folder, plain=True))["same"] == ["a.txt", "big", "sub/ü.txt"]
    (folder / "a.txt").write_bytes(b"abd")
    (folder / "big").unlink()
    (folder / "more").write_bytes(b"")
    result = check_described(described, manifest_files(folder, plain=True))
    assert (result["changed"], result["missing"], result["not-described"]) == (["a.txt"], ["big"], ["more"])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"conformsTo": "http://example.org/other"}, "not a Croissant"),
        ([1], "not a Croissant"),
        ({"conformsTo": "http://mlcommons.org/croissant/1.0", "distribution": [{"@type": "cr:FileObject"}]}, "without"),
        (
            {
                "conformsTo": "http://mlcommons.org/croissant/1.0",
                "distribution": [{"@type": "cr:FileObject", "contentUrl": "a", "sha256": "zz"}],
            },
            "bad sha256",
        ),
    ],
)
def test_what_is_no_croissant_is_refused(tmp_path, value, said):
    """A description that does not say what it is, or promises nothing checkable under a name."""
    (tmp_path / "c.json").write_text(json.dumps(value))
    with pytest.raises(DataError, match=said):
        read_croissant(tmp_path / "c.json")


DAY = 86_400.0


def seen(sha256, time_s, by="x"):
    return Observation("u", sha256, time_s, by)


@pytest.mark.parametrize(
    ("listed", "downloads", "trouble"),
    [
        (seen("a", 10.0), [seen("a", 20.0), seen("a", 30.0)], None),
        (seen("b", 10 * DAY), [seen("a", 5 * DAY), seen("a", 20 * DAY)], "front-running"),
        (seen("a", 0.0), [seen("a", 20 * DAY), seen("b", 20 * DAY + 60)], "split-view"),
        (seen("a", None), [seen("b", None)], "split-view"),
        (seen("a", 0.0), [seen("b", 20 * DAY), seen("b", 30 * DAY)], "changed"),
        (seen("a", 0.0), [seen("b", 60.0)], "split-view"),
        (seen("a", 0.0), [seen(None, 60.0)], "gone"),
    ],
)
def test_an_address_that_does_not_hold_still_is_named_by_what_it_did(listed, downloads, trouble):
    """Front-running: changed for the snapshot and back. Split view: other bytes for another party."""
    found = compare([listed], [[one] for one in downloads])
    assert [one.trouble for one in found] == ([trouble] if trouble else [])

"""Tiles and bundles: others' paths and trees, and malformed ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.ledger.checkpoint import parse_checkpoint
from watchword.ledger.merkle import frontier_at, leaf_hash, root_of
from watchword.ledger.notes import parse_note
from watchword.ledger.tiles import (
    BadTile,
    TileReader,
    decode_bundle,
    encode_bundle,
    entries_path,
    grown_tiles,
    parse_path,
    tile_path,
    width_at,
)

MIRRORED = "sunlight-skylight/witness/mirror/000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706"


def test_others_paths_are_ours(vector) -> None:
    """The specification's example and those of golang-x-mod, less the height that C2SP leaves out."""
    number, path = vector("c2sp-examples/examples.json")["tile_index_path"]
    assert tile_path(0, number) == f"tile/0/{path}"
    for text, tile in vector("golang-x-mod/tlog.json")["tile_paths_x_mod"]:
        _, height, level, rest = text.split("/", 3)
        ours = f"tile/{'entries' if level == 'data' else level}/{rest}"
        if tile is None:
            with pytest.raises(BadTile):
                parse_path(ours)
        else:
            width = 256 if tile[3] == 1 << int(height) else tile[3]
            if ".p/" not in rest:
                width = 256
            found = (None if tile[1] == -1 else tile[1], tile[2], width)
            assert parse_path(ours) == found


def test_a_tree_has_the_tiles_the_specification_counts(vector) -> None:
    """70,000 and 256 leaves, as the specification works them out."""
    examples = vector("c2sp-examples/examples.json")
    known = examples["tiles_of_size_70000"]
    for level in (0, 1):
        full = known[f"level{level}_full"]
        assert width_at(level, full - 1, 70_000) == 256
        assert width_at(level, full, 70_000) == known[f"level{level}_partial"]
    assert width_at(2, 0, 70_000) == known["level2_partial"]
    assert width_at(3, 0, 70_000) == 0
    assert width_at(0, 0, 256) == 256
    assert width_at(1, 0, 256) == 1


def test_a_mirrored_tree_of_another_program_leads_to_its_root(vector_path) -> None:
    """300 entries in sunlight's tiles give the root of its checkpoint, and our tiles of them are the same bytes."""
    folder = vector_path(MIRRORED)
    head = parse_checkpoint(parse_note((folder / "checkpoint").read_bytes()).text)
    reader = TileReader(folder)
    assert frontier_at(reader.hash_at(300), 300).root() == head.root
    leaves = [leaf_hash(b"record %d" % i) for i in range(300)]
    assert root_of(leaves) == head.root
    ours = {tile_path(level, index, len(row)): b"".join(row) for level, index, row in grown_tiles(0, leaves, no_edge)}
    theirs = {
        str(file.relative_to(folder)): file.read_bytes() for file in folder.glob("tile/[0-9]*/**/*") if file.is_file()
    }
    assert ours == theirs


def no_edge(level: int, index: int) -> list[bytes]:
    raise AssertionError("an empty tree has no edge")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 800), st.integers(1, 800))
def test_growing_writes_the_tiles_that_starting_over_would(old: int, more: int) -> None:
    """Any growth from any size yields the same last tiles as one growth from nothing."""
    leaves = [bytes([i % 256, i // 256]) * 16 for i in range(old + more)]
    whole = {(level, index): row for level, index, row in grown_tiles(0, leaves, no_edge)}
    before = {(level, index): row for level, index, row in grown_tiles(0, leaves[:old], no_edge)}
    grown = {
        (level, index): row for level, index, row in grown_tiles(old, leaves[old:], lambda *at: before.get(at, []))
    }
    assert {**before, **grown} == whole


@settings(max_examples=100, deadline=None)
@given(st.none() | st.integers(0, 63), st.integers(0, 10**12), st.integers(1, 256))
def test_every_path_survives_its_text(level: int | None, index: int, width: int) -> None:
    """parse(path) is what the path was made from."""
    path = entries_path(index, width) if level is None else tile_path(level, index, width)
    assert parse_path(path) == (level, index, width)


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/1",
        "tile/00/001",
        "tile/64/001",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/001.p/0",
        "tile/0/001.p/01",
        "tile/0/001.p/256",
        "tile/0/001.p/",
        "tile/0/../../etc/passwd",
        "tile/0/001\n",
        "tile/0/\u0660\u0660\u0661",
        "/tile/0/001",
        "tile/entries/x001/x002/x003/x004/x005/x006/007",
        "",
    ],
)
def test_a_path_has_one_spelling(path: str) -> None:
    """A server that maps paths to files accepts nothing else."""
    with pytest.raises(BadTile):
        parse_path(path)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_bundle_survives_its_bytes(entries: list[bytes]) -> None:
    """decode(encode(entries)) is the entries; one byte or entry more or less is refused."""
    data = encode_bundle(entries)
    assert decode_bundle(data, len(entries)) == entries
    with pytest.raises(BadTile):
        decode_bundle(data + b"\0", len(entries))
    with pytest.raises(BadTile):
        decode_bundle(data, len(entries) + 1)
    for end in range(len(data)):
        with pytest.raises(BadTile):
            decode_bundle(data[:end], len(entries))


def put(folder: Path, path: str, data: bytes) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(data)


def test_a_reader_takes_the_full_tile_where_the_partial_one_is_gone(tmp_path: Path) -> None:
    """Partial tiles may be deleted once the full tile is there (tlog-tiles, "Partial Tiles")."""
    leaves = [leaf_hash(b"%d" % i) for i in range(256)]
    put(tmp_path, tile_path(0, 0), b"".join(leaves))
    put(tmp_path, entries_path(0), encode_bundle([b"%d" % i for i in range(256)]))
    reader = TileReader(tmp_path)
    assert frontier_at(reader.hash_at(77), 77).root() == root_of(leaves[:77])
    assert reader.hashes(0, 0, 77) == leaves[:77]
    assert reader.bundle(0, 77) == [b"%d" % i for i in range(77)]


@pytest.mark.parametrize("data", [b"", bytes(31), bytes(33), bytes(64), bytes(8193)])
def test_a_malformed_tile_is_refused(tmp_path: Path, data: bytes) -> None:
    """A tile has exactly the hashes that its path says."""
    put(tmp_path, tile_path(0, 0, 1), data)
    with pytest.raises(BadTile):
        TileReader(tmp_path).hashes(0, 0, 1)
    with pytest.raises(BadTile, match="missing"):
        TileReader(tmp_path).hashes(0, 1, 1)


def test_a_subtree_that_is_not_complete_is_not_given_out(tmp_path: Path) -> None:
    """Beyond the tree's edge there are no hashes, and none that were padded in."""
    put(tmp_path, tile_path(0, 0, 3), b"".join(leaf_hash(b"%d" % i) for i in range(3)))
    at = TileReader(tmp_path).hash_at(3)
    assert at(1, 0) == root_of([leaf_hash(b"0"), leaf_hash(b"1")])
    for level, index in ((0, 3), (1, 1), (2, 0), (8, 0), (0, 256)):
        with pytest.raises(BadTile):
            at(level, index)

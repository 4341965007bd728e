"""A node's folder as one file, and back: nothing lost, nothing half, and never two histories under one key."""

from __future__ import annotations

import io
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest
from alliance import RELEASE, Alliance, inspection
from hypothesis import example, given, settings
from hypothesis import strategies as st

from watchword import node
from watchword.errors import WatchwordError
from watchword.node import BadBackup, BusyNode, Node, NoHome
from watchword.node.home import is_closing, is_restored
from watchword.node.recorded import Retired


def say(member: Node) -> node.Recorded:
    return member.sign_and_append("inspection", (RELEASE,), inspection())


def copied(alliance: Alliance, name: str, target: Path, *, move: bool = False) -> node.Backup:
    alliance.nodes.pop(name).close()
    return node.back_up(alliance.home(name), target, alliance.clock, move=move)


def contents(home: Path) -> dict[str, bytes]:
    found = {path.relative_to(home).as_posix(): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    return {name: data for name, data in found.items() if not name.endswith("lock") and "staging/" not in name}


def test_a_node_that_moves_goes_on_and_its_old_place_is_silent(alliance: Alliance, tmp_path: Path) -> None:
    """After a move the same bytes are in the new place, which signs on; the old place opens no more."""
    say(alliance.nodes["BRAVO"])
    alliance.nodes["BRAVO"].close()
    before = contents(alliance.home("BRAVO"))
    done = copied(alliance, "BRAVO", tmp_path / "bravo.tar", move=True)
    assert node.restore(tmp_path / "bravo.tar", tmp_path / "new") == done
    assert contents(tmp_path / "new") == before
    with Node.open(tmp_path / "new", clock=alliance.clock, writing=True) as moved:
        assert say(moved).index == 1
    with pytest.raises(NoHome, match="adopted no charter"):
        Node.open(alliance.home("BRAVO"), clock=alliance.clock)


def test_what_was_restored_never_signs_in_the_old_place(alliance: Alliance, tmp_path: Path) -> None:
    """Restored is not moved: no statement, no head, no cosignature, until new ledgers are in a charter.

    Fails where ``Store.retired`` or ``Node.cosign`` does not look at the mark that ``restore`` leaves.
    """
    copied(alliance, "BRAVO", tmp_path / "bravo.tar")
    node.restore(tmp_path / "bravo.tar", tmp_path / "again")
    say(alliance.nodes["ALFA"])
    alliance.nodes["ALFA"].export("BRAVO", tmp_path / "news.wwx.json")
    with Node.open(tmp_path / "again", clock=alliance.clock, writing=True) as back:
        with pytest.raises(Retired, match="came from a copy"):
            say(back)
        heads = {head.origin: dict(head.witnesses) for head in back.heads()}
        assert is_restored(back.home) and not is_closing(back.home)
        imported = back.import_bundle(tmp_path / "news.wwx.json")
        assert imported.cosigned == 0
        assert back.me.witness in heads["alfa.example/ledger"]
        now = {head.origin: dict(head.witnesses) for head in back.heads()}
        assert back.me.witness not in now["alfa.example/ledger"]
        # The first file of another member prepares new ledgers by itself.
        assert is_closing(back.home)


def test_a_restored_witness_is_not_served(alliance: Alliance, tmp_path: Path) -> None:
    """Over HTTP it would cosign what it has forgotten to have cosigned otherwise."""
    pytest.importorskip("starlette", reason="starlette is not installed")
    from watchword.web.ledgers import app

    copied(alliance, "BRAVO", tmp_path / "bravo.tar")
    node.restore(tmp_path / "bravo.tar", tmp_path / "again")
    with Node.open(tmp_path / "again", clock=alliance.clock) as back, pytest.raises(NoHome, match="put back"):
        app(back)


def test_nobody_writes_while_a_copy_is_taken(
    alliance: Alliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gate that is open keeps its node; the copy says who, and nothing appears."""
    monkeypatch.setattr("watchword.node.home.NODE_LOCK_WAIT_S_MAX", 0)
    with pytest.raises(BusyNode, match="being written by process"):
        node.back_up(alliance.home("BRAVO"), tmp_path / "bravo.tar", alliance.clock)
    assert not (tmp_path / "bravo.tar").exists()


def test_a_move_that_fails_leaves_the_node_where_it_was(
    alliance: Alliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk half way: the node goes on in its old place, and no file is left behind."""
    alliance.nodes.pop("BRAVO").close()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "addfile", full)
    with pytest.raises(WatchwordError, match="No space left"):
        node.back_up(alliance.home("BRAVO"), tmp_path / "bravo.tar", alliance.clock, move=True)
    monkeypatch.undo()
    assert not (tmp_path / "bravo.tar").exists()
    with Node.open(alliance.home("BRAVO"), clock=alliance.clock, writing=True) as same:
        assert say(same).index == 0


def test_keys_are_left_out_on_request(alliance: Alliance, tmp_path: Path) -> None:
    """A copy without keys has none, says so, and is not readable by others."""
    alliance.nodes.pop("BRAVO").close()
    done = node.back_up(alliance.home("BRAVO"), tmp_path / "bravo.tar", alliance.clock, keys=False)
    assert done.keys == 0
    assert (tmp_path / "bravo.tar").stat().st_mode & 0o077 == 0
    with tarfile.open(tmp_path / "bravo.tar") as tar:
        assert not [one.name for one in tar if one.name.endswith(".pem")]


def test_something_in_the_way_is_never_touched(alliance: Alliance, tmp_path: Path) -> None:
    """Neither a file under the copy's name nor a folder in the node's place is overwritten."""
    (tmp_path / "bravo.tar").write_bytes(b"mine")
    with pytest.raises(NoHome, match="there already"):
        copied(alliance, "BRAVO", tmp_path / "bravo.tar")
    assert (tmp_path / "bravo.tar").read_bytes() == b"mine"
    node.back_up(alliance.home("BRAVO"), tmp_path / "other.tar", alliance.clock)
    with pytest.raises(NoHome, match="there already"):
        node.restore(tmp_path / "other.tar", alliance.home("ALFA"))


@pytest.fixture(scope="module")
def copy_of_bravo(template: Alliance, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("copy") / "bravo.tar"
    node.back_up(template.home("BRAVO"), target, template.clock)
    return target


@settings(max_examples=60)
@given(place=st.integers(0, 2**32), bit=st.integers(-1, 7))
@example(place=512, bit=0)  # in what the copy says of itself, which is read before its digest is known
def test_a_damaged_copy_is_refused_whole(place: int, bit: int, copy_of_bravo: Path, tmp_path: Path) -> None:
    """One bit changed, or cut off (-1), anywhere: refused by name, and nothing appears in the node's place."""
    copy = copy_of_bravo.read_bytes()
    at = place % len(copy)
    changed = copy[:at]
    if bit >= 0:
        changed += bytes([copy[at] ^ 1 << bit]) + copy[at + 1 :]
    source = tmp_path / "damaged.tar"
    source.write_bytes(changed)
    with pytest.raises((BadBackup, NoHome)):
        node.restore(source, tmp_path / "place")
    assert [one.name for one in tmp_path.iterdir()] == ["damaged.tar"]


@pytest.mark.parametrize("name", ["home/../../out", "/etc/out", "home//out", "elsewhere/out", "home/" + "x" * 2_000])
def test_no_name_leads_out_of_the_home(name: str, copy_of_bravo: Path, tmp_path: Path) -> None:
    """A copy with a right digest and a wrong name: nothing is written outside."""
    source = tmp_path / "evil.tar"
    source.write_bytes(sealed([(name, tarfile.REGTYPE, b"x")], copy_of_bravo.read_bytes()))
    with pytest.raises(BadBackup, match="no place in a node"):
        node.restore(source, tmp_path / "place")
    assert [one.name for one in tmp_path.iterdir()] == ["evil.tar"]


@pytest.mark.parametrize("sort", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(sort: bytes, copy_of_bravo: Path, tmp_path: Path) -> None:
    """A node's folder holds files and folders; a copy that holds anything else is none."""
    source = tmp_path / "evil.tar"
    source.write_bytes(sealed([("home/link", sort, b"")], copy_of_bravo.read_bytes()))
    with pytest.raises(BadBackup, match="no place in a node"):
        node.restore(source, tmp_path / "place")


def sealed(entries: list[tuple[str, bytes, bytes]], like: bytes) -> bytes:
    """A copy that begins as *like* does, with *entries*, and is closed rightly."""
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(like)) as old, tarfile.open(mode="w", fileobj=out) as tar:
        first = old.next()
        assert first is not None
        tar.addfile(first, old.extractfile(first))
        for name, sort, data in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.size, entry.linkname = sort, len(data), "/etc/passwd"
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue() + sha256(out.getvalue()).hexdigest().encode() + b"\n"

"""Homes: made whole, never overwritten, opened by one writer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from alliance import Alliance

from watchword import node
from watchword.errors import WatchwordError
from watchword.node import BusyNode, Node, NoHome
from watchword.node.home import Keys
from watchword.statements.keys import KeyTrouble

PEOPLE = {"official": ["official"]}


def make(home: Path, passphrase: bytes | None = None) -> dict:
    return node.create(home, "ALFA", "ALFA", PEOPLE, "alfa.example", passphrase)


def test_a_home_is_never_overwritten(tmp_path: Path) -> None:
    """A second create refuses and leaves every key as it was."""
    make(tmp_path / "home")
    before = {path: path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file()}
    with pytest.raises(NoHome, match="something is there"):
        make(tmp_path / "home")
    assert {path: path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file()} == before


def test_a_home_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a key cannot be written, no home is left, and the next create works."""
    import watchword.node.home as module

    real, calls = module.save_key, []

    def breaks(path: Path, *rest: object) -> None:
        calls.append(path)
        if len(calls) == 3:
            raise KeyTrouble(f"{path}: no space")
        real(path, *rest)

    monkeypatch.setattr(module, "save_key", breaks)
    with pytest.raises(KeyTrouble):
        make(tmp_path / "home")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    make(tmp_path / "home")


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Every key file has mode 0600, its folders 0700."""
    make(tmp_path / "home")
    keys = [path for path in (tmp_path / "home" / "keys").rglob("*.pem")]
    assert len(keys) == 5
    assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}
    assert (tmp_path / "home").stat().st_mode & 0o077 == 0


def test_encrypted_keys_ask_once_and_refuse_a_wrong_passphrase(tmp_path: Path) -> None:
    """The passphrase is asked for when a key is first used, once; a wrong one is an error, never another key."""
    make(tmp_path / "home", b"correct horse")
    asked = []

    def ask() -> bytes:
        asked.append(1)
        return b"correct horse"

    keys = Keys(tmp_path / "home", ask)
    assert asked == []
    keys.job("gate")
    keys.person("official")
    assert asked == [1]
    with pytest.raises(WatchwordError, match="wrong passphrase"):
        Keys(tmp_path / "home", b"wrong").job("gate")
    with pytest.raises(KeyTrouble, match="encrypted"):
        Keys(tmp_path / "home", None).job("gate")


def test_enrolment_holds_public_halves_alone(tmp_path: Path) -> None:
    """What is sent to whoever drafts the charter is what ``create`` returned, and nothing of a private key."""
    value = make(tmp_path / "home")
    assert node.enrolment(tmp_path / "home") == value
    assert {key["job"] for key in value["keys"]} == {"root", "ledger", "witness", "gate", "people"}
    assert {frozenset(key) - {"person", "roles"} for key in value["keys"]} == {
        frozenset({"ed25519", "id", "job", "mldsa"})
    }


@pytest.mark.parametrize("name", ["", "../ALFA", "A B", "A/B", ".hidden", "A" * 65, "A\n"])
def test_a_name_that_could_be_a_path_is_refused(tmp_path: Path, name: str) -> None:
    """Names of members and persons become file names, so they are letters, digits, dot, dash and underscore."""
    with pytest.raises(NoHome, match="cannot be a name"):
        node.create(tmp_path / "home", name, "ALFA", PEOPLE, "alfa.example", None)
    with pytest.raises(NoHome, match="cannot be a name"):
        node.create(tmp_path / "home", "ALFA", "ALFA", {name: ["official"]}, "alfa.example", None)
    assert not (tmp_path / "home").exists()


def test_a_person_takes_no_machine_s_role(tmp_path: Path) -> None:
    """A role called root, supplier or gate would pass for the word of that key."""
    with pytest.raises(NoHome, match="no role is called"):
        node.create(tmp_path / "home", "ALFA", "ALFA", {"eve": ["root"]}, "alfa.example", None)


def test_the_nearest_home_is_found_upward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``--home``, then $WATCHWORD_HOME, then ``.watchword`` here or above; else an error, or None when asked so."""
    monkeypatch.delenv("WATCHWORD_HOME", raising=False)
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert node.find_home(missing_ok=True) is None
    with pytest.raises(NoHome, match="no node"):
        node.find_home()
    make(tmp_path / ".watchword")
    assert node.find_home() == tmp_path / ".watchword"
    make(tmp_path / "other")
    monkeypatch.setenv("WATCHWORD_HOME", str(tmp_path / "other"))
    assert node.find_home() == tmp_path / "other"
    assert node.find_home(tmp_path / ".watchword") == tmp_path / ".watchword"
    with pytest.raises(NoHome):
        node.find_home(tmp_path / "nowhere")


def test_a_home_without_a_charter_says_what_is_missing(tmp_path: Path) -> None:
    """Opening before adopting names the next command."""
    make(tmp_path / "home")
    with pytest.raises(NoHome, match="adopted no charter") as refused:
        Node.open(tmp_path / "home")
    assert "charter adopt" in refused.value.hint


def test_a_second_writer_is_refused_by_name(alliance: Alliance) -> None:
    """While one process writes, another is told which one; readers are let in. Fails without the lock."""
    home = alliance.home("ALFA")
    code = f"""
from pathlib import Path
from watchword.errors import WatchwordError
from watchword.node import BusyNode, Node
Node.open(Path({str(home)!r})).latest_view()
try:
    Node.open(Path({str(home)!r}), writing=True)
except BusyNode as error:
    print(error.message)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert f"written by process {os.getpid()}" in done.stdout
    with pytest.raises(BusyNode):
        Node.open(home, writing=True)
    alliance.nodes["ALFA"].close()
    Node.open(home, writing=True).close()

"""Bodies on disk: found by commitment, checked when read, durable when acknowledged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from watchword.ledger.bodies import Bodies, DamagedBody
from watchword.ledger.durable import StorageTrouble
from watchword.limits import BODY_BYTES_MAX
from watchword.statements.digests import commitment

SALT = bytes(range(32))


def test_a_body_is_found_by_its_commitment(tmp_path: Path) -> None:
    """``sha256/<commitment hex>`` holds salt and body; a random salt makes every commitment another."""
    bodies = Bodies(tmp_path)
    key = bodies.put(b"body", SALT)
    assert key == commitment(SALT, b"body")
    assert (tmp_path / "sha256" / key.hex()).read_bytes() == SALT + b"body"
    assert bodies.get(key) == (SALT, b"body")
    assert bodies.put(b"body") != bodies.put(b"body")
    assert bodies.get(b"\0" * 32) is None


def test_putting_twice_changes_nothing(tmp_path: Path) -> None:
    """The same salt and body again: same file, not even written again."""
    bodies = Bodies(tmp_path)
    path = tmp_path / "sha256" / bodies.put(b"body", SALT).hex()
    before = path.stat()
    bodies.put(b"body", SALT)
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.stat().st_ino == before.st_ino


@pytest.mark.parametrize("damage", [b"", SALT, SALT + b"bodY", SALT + b"body ", b"x" + SALT[1:] + b"body"])
def test_a_damaged_body_is_named_never_absent(tmp_path: Path, damage: bytes) -> None:
    """Whatever the bytes became, reading names the file, storing again mends it. Fails if ``get`` does not hash."""
    bodies = Bodies(tmp_path)
    key = bodies.put(b"body", SALT)
    (tmp_path / "sha256" / key.hex()).write_bytes(damage)
    with pytest.raises(DamagedBody, match=key.hex()):
        bodies.get(key)
    bodies.put(b"body", SALT)
    assert bodies.get(key) == (SALT, b"body")


def test_a_purged_body_is_gone_with_its_salt(tmp_path: Path) -> None:
    """Nothing of it is left in the folder; purging again says that there was none."""
    bodies = Bodies(tmp_path)
    key = bodies.put(b"secret body")
    assert bodies.purge(key)
    assert bodies.get(key) is None
    assert not bodies.purge(key)
    assert not any(b"secret body" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_body_is_synced_before_it_is_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File and folder are synced before ``put`` returns, also for one that a killed writer had named already."""
    bodies = Bodies(tmp_path)
    bodies.put(b"first", SALT)
    synced: list[str] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(str(Path(f"/proc/self/fd/{fd}").readlink())), real(fd)))
    bodies.put(b"second", SALT)
    assert str(tmp_path / "staging" / str(os.getpid()) / "0") in synced
    assert synced[-1] == str(tmp_path / "sha256")
    synced.clear()
    bodies.put(b"first", SALT)
    assert synced == [str(tmp_path / "sha256")]


def test_a_full_disk_acknowledges_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENOSPC is an error that names the folder, and no file of that name is left."""
    bodies = Bodies(tmp_path)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageTrouble, match="No space left"):
        bodies.put(b"body", SALT)
    assert bodies.get(commitment(SALT, b"body")) is None


def test_a_body_past_the_limit_is_refused(tmp_path: Path) -> None:
    """One byte more than BODY_BYTES_MAX is not stored."""
    with pytest.raises(DamagedBody, match="keeps bodies up to"):
        Bodies(tmp_path).put(b"\0" * (BODY_BYTES_MAX + 1))


def test_many_bodies_keep_their_order(tmp_path: Path) -> None:
    """Commitments come back in the order given, repeats included."""
    bodies = Bodies(tmp_path)
    salted = [(SALT, b"%d" % (number % 300)) for number in range(600)]
    assert bodies.put_many(salted) == [commitment(*one) for one in salted]
    assert len(list((tmp_path / "sha256").iterdir())) == 300

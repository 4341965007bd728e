"""The memory of verified signatures: what it forgets costs time, and nothing makes it say more than it was told."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchword.ledger import verified
from watchword.ledger.verified import FORM, Verified

ONE, TWO, THREE = (bytes([n]) * 32 for n in (1, 2, 3))


def test_what_was_added_is_known_to_the_next_process(tmp_path: Path) -> None:
    """And what was not, is not; adding again adds nothing."""
    memory = Verified(tmp_path / "verified")
    memory.add([ONE, TWO])
    memory.add([TWO])
    memory.keep()
    after = Verified(tmp_path / "verified")
    assert [one in after for one in (ONE, TWO, THREE)] == [True, True, False]
    assert (tmp_path / "verified").read_bytes() == FORM + ONE + TWO


def test_a_write_that_was_cut_short_shifts_nothing(tmp_path: Path) -> None:
    """Half an entry is overwritten by the next whole one; fails (seen) when it is appended behind the torn one."""
    (tmp_path / "verified").write_bytes(FORM + ONE + TWO[:11])
    memory = Verified(tmp_path / "verified")
    assert TWO not in memory
    memory.add([THREE])
    memory.keep()
    assert (tmp_path / "verified").read_bytes() == FORM + ONE + THREE


def test_the_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its bound nothing is written, and everything is verified as before."""
    monkeypatch.setattr(verified, "VERIFIED_BYTES_MAX", 96)
    for batch in ([ONE, TWO], [THREE]):
        memory = Verified(tmp_path / "verified")
        memory.add(batch)
        memory.keep()
    assert (tmp_path / "verified").read_bytes() == FORM + ONE + TWO


def test_a_disk_that_does_not_take_it_costs_time_only(tmp_path: Path) -> None:
    """No error of this memory stops a command that has done its work."""
    memory = Verified(tmp_path / "no such folder" / "verified")
    memory.add([ONE])
    memory.keep()
    assert ONE in memory
    assert not (tmp_path / "no such folder").exists()


def test_another_version_believes_nothing_of_it(tmp_path: Path) -> None:
    """What a version opened by its own rules is opened again by ours, and takes no place from what was since.

    Fails (seen) where the beginning is not compared: a body that an older version let in would never be looked at.
    """
    (tmp_path / "verified").write_bytes(bytes(32) + ONE + TWO)
    memory = Verified(tmp_path / "verified")
    assert [one in memory for one in (ONE, TWO, bytes(32))] == [False, False, False]
    memory.add([THREE])
    memory.keep()
    assert (tmp_path / "verified").read_bytes() == FORM + THREE


def test_two_that_add_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    """Each writes behind what the other wrote."""
    first, second = Verified(tmp_path / "verified"), Verified(tmp_path / "verified")
    first.add([ONE])
    second.add([TWO])
    first.keep()
    second.keep()
    assert (tmp_path / "verified").read_bytes() == FORM + ONE + TWO

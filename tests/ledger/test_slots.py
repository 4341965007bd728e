"""A witness's memory in two slots: torn, refused by the disk, shared, and never forgotten."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from watchword.ledger.durable import StorageTrouble
from watchword.ledger.slots import SLOT_BYTES, Slots
from watchword.ledger.tiles import BadLedger


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    (tmp_path / "staging").mkdir()
    return tmp_path / "staging"


def stored(path: Path, staging: Path, *notes: bytes) -> Slots:
    slots = Slots(path, staging)
    for note in notes:
        with slots.locked():
            slots.store(note)
    return slots


def test_what_was_stored_last_is_read_by_everybody(tmp_path: Path, staging: Path) -> None:
    """Empty at first; then the last one, also for who opened the file before, and after opening it anew."""
    early = Slots(tmp_path / "slots", staging)
    assert early.read() == b""
    slots = stored(tmp_path / "slots", staging, b"one", b"two", b"three")
    assert (slots.read(), early.read(), Slots(tmp_path / "slots", staging).read()) == (b"three",) * 3


@pytest.mark.parametrize("at", [0, 8, 20, 36, 40])
def test_a_torn_slot_leaves_the_one_before(tmp_path: Path, staging: Path, at: int) -> None:
    """Cut anywhere in the newest one: what was stored before it counts, and the next one goes on from there."""
    path = tmp_path / "slots"
    stored(path, staging, b"one", b"two", b"three").close()
    data = bytearray(path.read_bytes())
    newest = SLOT_BYTES * (data.find(b"three") >= SLOT_BYTES)
    data[newest + at] ^= 1
    path.write_bytes(data)
    slots = Slots(path, staging)
    assert slots.read() == b"two"
    with slots.locked():
        slots.store(b"four")
    assert Slots(path, staging).read() == b"four"


def test_damage_is_never_an_empty_memory(tmp_path: Path, staging: Path) -> None:
    """Both slots gone, or the file emptied: an error. Fails if no whole slot is read as nothing cosigned."""
    path = tmp_path / "slots"
    stored(path, staging, b"one").close()
    for data in (b"", bytes(2 * SLOT_BYTES), b"WWslot/1" * 4096):
        path.write_bytes(data)
        with pytest.raises(BadLedger, match="no whole slot"):
            Slots(path, staging).read()


def test_a_failed_sync_does_not_endanger_what_was_stored(
    tmp_path: Path, staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a sync that failed, the same slot is written again before the other one is touched.

    The disk may have dropped what the failed sync was for: were the other slot overwritten next, and torn, the memory
    would fall back by two. Fails if ``_settled`` is not asked.
    """
    slots = stored(tmp_path / "slots", staging, b"one", b"two")
    real, written = os.fdatasync, []

    def failing(descriptor: int) -> None:
        raise OSError(errno.EIO, "I/O error")

    monkeypatch.setattr(os, "fdatasync", failing)
    with slots.locked(), pytest.raises(StorageTrouble):
        slots.store(b"three")

    def watched(descriptor: int) -> None:
        written.append([os.pread(descriptor, SLOT_BYTES, n * SLOT_BYTES) for n in (0, 1)])
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", watched)
    with slots.locked():
        slots.store(b"four")
    # First the slot of "three" once more, beside an untouched "two"; only then "four" in the place of "two".
    assert [any(word in slot for slot in written[0]) for word in (b"two", b"three", b"four")] == [True, True, False]
    assert [any(word in slot for slot in written[1]) for word in (b"two", b"three", b"four")] == [False, True, True]


def test_a_head_too_long_for_a_slot_is_refused(tmp_path: Path, staging: Path) -> None:
    """By name, and nothing is changed."""
    slots = stored(tmp_path / "slots", staging, b"one")
    with slots.locked(), pytest.raises(BadLedger, match="does not fit"):
        slots.store(b"x" * SLOT_BYTES)
    assert slots.read() == b"one"

"""The file on which a gate's receipts rest: what it acknowledged is there, whole, whatever was cut off or damaged."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from watchword.ledger.durable import StorageTrouble
from watchword.ledger.intake import DamagedIntake, Intake
from watchword.ledger.journal import Grown, Journal

NAME = "ALFA/receipts"
SALT = bytes(range(32))


def opened(folder: Path, writing: bool = True) -> Journal:
    (folder / "staging").mkdir(exist_ok=True)
    journal = Journal.at(folder / "receipts", NAME, folder / "staging", writing)
    assert journal is not None
    return journal


def bodies(journal: Journal) -> list[bytes]:
    return [journal.read(index)[1] for index in range(len(journal))]


def test_receipts_come_back_whole_and_in_order(tmp_path: Path) -> None:
    """Of one byte and of more than an entry bundle could hold, alone and in groups, after a reopening too."""
    long = b"x" * 100_000
    journal = opened(tmp_path)
    assert journal.add([SALT + b"a"]) == range(1)
    assert journal.add([SALT + b"b", SALT, SALT + long]) == range(1, 4)
    assert journal.read(3) == (SALT, long)
    journal.close()
    again = opened(tmp_path)
    assert bodies(again) == [b"a", b"b", b"", long]
    assert again.add([SALT + b"c"], at=4) == range(4, 5)
    again.close()


def test_a_torn_end_is_dropped_and_a_damaged_middle_is_an_error(tmp_path: Path) -> None:
    """Cut anywhere in the last group: those before it are there. Flip any byte before a whole group: refused.

    Fails when the check of a group is not compared, or when nothing looks for a whole group after a bad one.
    """
    journal = opened(tmp_path)
    journal.add([SALT + b"first"])
    size = journal.bytes
    journal.add([SALT + b"second"])
    journal.close()
    path = tmp_path / "receipts"
    whole = path.read_bytes()
    for cut in range(size, len(whole)):
        path.write_bytes(whole[:cut])
        with_end = opened(tmp_path)
        assert bodies(with_end) == [b"first"]
        with_end.close()
        assert path.stat().st_size == size
    for place in range(size):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(DamagedIntake):
            opened(tmp_path)


def test_a_reader_leaves_a_torn_end_alone_and_sees_what_follows(tmp_path: Path) -> None:
    """Its writer may just be writing it: a reader cuts nothing off, and cannot append."""
    journal = opened(tmp_path)
    journal.add([SALT + b"first"])
    size = journal.bytes
    journal.add([SALT + b"second"])
    path = tmp_path / "receipts"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    reader = opened(tmp_path, writing=False)
    assert (bodies(reader), path.stat().st_size) == ([b"first"], len(whole) - 1)
    assert reader.bytes == size
    path.write_bytes(whole)
    reader.refresh()
    assert bodies(reader) == [b"first", b"second"]
    with pytest.raises(StorageTrouble, match="reading only"):
        reader.add([SALT])
    reader.close()
    journal.close()


def test_what_follows_from_less_is_not_appended(tmp_path: Path) -> None:
    """Two that decide over one journal: the second, who did not see what the first wrote, is told so."""
    journal = opened(tmp_path)
    journal.add([SALT + b"first"], at=0)
    with pytest.raises(Grown):
        journal.add([SALT + b"second"], at=0)
    assert bodies(journal) == [b"first"]
    journal.close()


def test_nothing_is_there_before_the_first_receipt(tmp_path: Path) -> None:
    """A reader of a home without receipts makes no file; the file of another ledger, or of an intake, is refused."""
    (tmp_path / "staging").mkdir()
    assert Journal.at(tmp_path / "receipts", NAME, tmp_path / "staging", False) is None
    assert not (tmp_path / "receipts").exists()
    for make, name in ((Journal, "BRAVO/receipts"), (Intake, NAME)):
        make.create(tmp_path / "receipts", name, 0, tmp_path / "staging")
        with pytest.raises(DamagedIntake):
            opened(tmp_path)


def test_a_failed_sync_acknowledges_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EIO on the sync: what was written is cut off again, and the next receipt stands in its place."""
    journal = opened(tmp_path)
    journal.add([SALT + b"first"])
    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", lambda _: (_ for _ in ()).throw(OSError(5, "Input/output error")))
        with pytest.raises(StorageTrouble, match="Input/output error"):
            journal.add([SALT + b"lost"])
    assert journal.add([SALT + b"second"]) == range(1, 2)
    journal.close()
    assert bodies(opened(tmp_path)) == [b"first", b"second"]


def test_many_threads_append_without_a_gap(tmp_path: Path) -> None:
    """Each gets the index at which its receipt stands."""
    journal = opened(tmp_path)
    placed: dict[int, bytes] = {}

    def append(name: bytes) -> None:
        for number in range(20):
            body = name + b"%d" % number
            placed[journal.add([SALT + body]).start] = body

    threads = [threading.Thread(target=append, args=(b"%d-" % n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bodies(journal) == [placed[index] for index in range(160)]
    journal.close()

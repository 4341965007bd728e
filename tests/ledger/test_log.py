"""A ledger in its folder: what it promises its writer, its readers and whoever mirrors it."""

from __future__ import annotations

import base64
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from watchword.ledger import log as log_module
from watchword.ledger.checkpoint import Checkpoint, cosign, merge, sign_checkpoint, verify_head
from watchword.ledger.durable import Busy, StorageTrouble
from watchword.ledger.heads import HeadMoved
from watchword.ledger.intake import DamagedIntake, Intake
from watchword.ledger.log import Log, NoLedger, RolledBack
from watchword.ledger.merkle import BadProof, Frontier, leaf_hash, root_of, verify_consistency, verify_inclusion
from watchword.ledger.notes import BadNote
from watchword.ledger.tiles import BadLedger, BadTile, tile_path
from watchword.statements.keys import SigningKey, generate

ORIGIN = "log.example/alfa"
NOW = 1_790_000_000


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log.create(tmp_path / "log", ORIGIN, tmp_path / "heads") as made:
        yield made


def opened(tmp_path: Path, writable: bool = True) -> Log:
    return Log.open(tmp_path / "log", ORIGIN, tmp_path / "heads", writable)


def numbered(start: int, stop: int) -> list[bytes]:
    return [b"entry %d" % i for i in range(start, stop)]


def head_over(entries: list[bytes]) -> Checkpoint:
    return Checkpoint(ORIGIN, len(entries), root_of([leaf_hash(entry) for entry in entries]))


# -- the writer -----------------------------------------------------------------------------------


def test_what_was_appended_is_there_in_order(log: Log, log_key: SigningKey) -> None:
    """Indices are as told, before and after publication."""
    assert log.append(numbered(0, 3)) == range(0, 3)
    assert log.append([]) == range(3, 3)
    assert (log.size, log.published_size, log.checkpoint()) == (3, 0, None)
    assert log.entries(0, 3) == numbered(0, 3)
    log.publish(log_key)
    assert log.append(numbered(3, 400)) == range(3, 400)
    assert log.entries(1, 300) == numbered(1, 300)
    log.publish(log_key)
    assert (log.size, log.published_size) == (400, 400)
    assert [log.entry(i) for i in (0, 255, 256, 399)] == [b"entry 0", b"entry 255", b"entry 256", b"entry 399"]
    with pytest.raises(NoLedger, match="has 400 entries"):
        log.entry(400)


def test_a_published_head_verifies_and_stands(log: Log, log_key: SigningKey) -> None:
    """Both log signatures, the root of the entries; publishing nothing new signs nothing new."""
    log.append(numbered(0, 5))
    note = log.publish(log_key, NOW)
    assert verify_head(note, ORIGIN, log_key.public) == head_over(numbered(0, 5))
    assert log.publish(log_key, NOW + 1) == note == log.checkpoint()


def test_an_empty_ledger_has_a_head(log: Log, log_key: SigningKey) -> None:
    """A member without bad news shows a signed, empty notices ledger."""
    assert verify_head(log.publish(log_key), ORIGIN, log_key.public) == head_over([])
    log.check()


def test_proofs_verify_at_every_size(log: Log, log_key: SigningKey) -> None:
    """Inclusion and consistency across the edge of a tile, at the newest and at older sizes."""
    for count in (1, 2, 254, 1, 300):
        log.append(numbered(log.size, log.size + count))
        log.publish(log_key)
    size = log.published_size
    leaves = [leaf_hash(entry) for entry in numbered(0, size)]
    for at in (1, 2, 3, 255, 256, 257, 300, size):
        root = root_of(leaves[:at])
        assert log.root(at) == root
        for index in {0, at // 2, at - 1}:
            verify_inclusion(leaves[index], index, at, log.inclusion(index, at), root)
        verify_consistency(at, root, size, log.root(size), log.consistency(at, size))


def test_proofs_of_what_is_not_published_are_refused(log: Log, log_key: SigningKey) -> None:
    """Durable is not in the tree yet."""
    log.append(numbered(0, 5))
    for ask in (lambda: log.inclusion(0, 5), lambda: log.consistency(0, 5), lambda: log.root(5)):
        with pytest.raises(NoLedger):
            ask()
    log.publish(log_key)
    for ask in (lambda: log.inclusion(5, 5), lambda: log.inclusion(-1, 5), lambda: log.consistency(5, 4)):
        with pytest.raises(NoLedger):
            ask()


def test_waiting_appends_share_a_sync(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen threads: every entry once, each caller told its own place, and far fewer syncs than appends."""
    syncs = []
    fdatasync = os.fdatasync

    def slow(descriptor: int) -> None:
        syncs.append(threading.get_ident())
        threading.Event().wait(0.002)
        fdatasync(descriptor)

    monkeypatch.setattr(os, "fdatasync", slow)
    told: dict[int, bytes] = {}

    def work(number: int) -> None:
        for turn in range(10):
            entry = b"thread %d turn %d" % (number, turn)
            told[log.append([entry])[0]] = entry

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.size == len(told) == 160
    assert log.entries(0, 160) == [told[i] for i in range(160)]
    assert len(syncs) < 80


def test_an_entry_past_the_limit_is_refused(log: Log) -> None:
    """A bundle has two bytes for a length; nothing of the call is taken."""
    log.append([bytes(65_535)])
    with pytest.raises(BadLedger, match="limit is 65,535"):
        log.append([b"fits", bytes(65_536)])
    assert log.size == 1


def test_too_much_waiting_is_refused(log: Log, log_key: SigningKey, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for publication is held in memory, so it is bounded."""
    monkeypatch.setattr(log_module, "PENDING_ENTRIES_MAX", 3)
    log.append(numbered(0, 3))
    with pytest.raises(BadLedger, match="too much waits"):
        log.append(numbered(3, 4))
    log.publish(log_key)
    assert log.append(numbered(3, 4)) == range(3, 4)


def test_a_full_disk_refuses_and_the_ledger_goes_on(
    log: Log, log_key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the ledger, nothing was acknowledged, and the next append is whole."""
    log.append(numbered(0, 1))
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        write(descriptor, bytes(data)[:5])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(StorageTrouble, match="No space left") as caught:
            log.append([b"lost"])
        assert caught.value.hint == "nothing was acknowledged"
        with pytest.raises(StorageTrouble):
            log.publish(log_key)
    assert log.append(numbered(1, 2)) == range(1, 2)
    log.publish(log_key)
    assert log.entries(0, 2) == numbered(0, 2)
    log.check()


def test_an_interrupted_append_is_not_half_there(tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between write and sync: the entry is gone, the next one whole, and reopening agrees."""
    with monkeypatch.context() as patch:

        def interrupt(descriptor: int) -> None:
            raise KeyboardInterrupt

        patch.setattr(os, "fdatasync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            log.append([b"interrupted"])
    assert log.append([b"whole"]) == range(0, 1)
    log.close()
    with opened(tmp_path) as again:
        assert again.entries(0, again.size) == [b"whole"]


def test_an_append_interrupted_after_its_sync_is_whole(
    tmp_path: Path, log: Log, log_key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C after the sync: memory follows the disk at the next write. Fails if memory alone is believed."""
    with monkeypatch.context() as patch:

        def interrupt(frontier: Frontier, leaf: bytes) -> None:
            raise KeyboardInterrupt

        patch.setattr(Frontier, "append", interrupt)
        with pytest.raises(KeyboardInterrupt):
            log.append([b"synced"])
    assert log.append([b"next"]) == range(1, 2)
    assert verify_head(log.publish(log_key), ORIGIN, log_key.public) == head_over([b"synced", b"next"])
    log.check()


def test_a_key_of_the_wrong_kind_leaves_the_ledger_usable(log: Log, log_key: SigningKey) -> None:
    """Publishing fails by name, and works with the right key afterwards."""
    log.append(numbered(0, 2))
    with pytest.raises(BadNote, match="level 65"):
        log.publish(generate(65))
    log.publish(log_key)
    log.check()


# -- many readers, one writer ---------------------------------------------------------------------


def test_there_is_one_writer(tmp_path: Path, log: Log) -> None:
    """A second one is refused by name, also through a copy of the folder under the same head store."""
    with pytest.raises(Busy, match="another writer"):
        opened(tmp_path)
    shutil.copytree(tmp_path / "log", tmp_path / "copy")
    with pytest.raises(Busy):
        Log.open(tmp_path / "copy", ORIGIN, tmp_path / "heads", writable=True)
    log.close()
    opened(tmp_path).close()


def test_a_reader_sees_what_is_published_and_follows(tmp_path: Path, log: Log, log_key: SigningKey) -> None:
    """A reader needs no lock and no reopening; it cannot write."""
    reader = opened(tmp_path, writable=False)
    log.append(numbered(0, 3))
    assert reader.size == reader.published_size == 0
    log.publish(log_key)
    assert reader.size == 3
    assert reader.entries(0, 3) == numbered(0, 3)
    log.append(numbered(3, 300))
    log.publish(log_key)
    verify_inclusion(leaf_hash(b"entry 299"), 299, 300, reader.inclusion(299, 300), reader.root(300))
    for write in (lambda: reader.append([b"x"]), lambda: reader.publish(log_key), lambda: reader.set_checkpoint(b"")):
        with pytest.raises((NoLedger, BadNote)):
            write()


def test_a_closed_ledger_takes_nothing(log: Log) -> None:
    """After ``close`` the lock is gone, so nothing may be written."""
    log.close()
    with pytest.raises(NoLedger, match="closed"):
        log.append([b"x"])


# -- created once, never forked -------------------------------------------------------------------


def test_a_ledger_is_created_once(tmp_path: Path, log: Log, log_key: SigningKey) -> None:
    """Not over itself, and not under the same origin in another folder. Fails if the head store is not asked."""
    log.append(numbered(0, 1))
    log.publish(log_key)
    log.close()
    for folder in ("log", "elsewhere"):
        with pytest.raises(NoLedger, match="begun here before"):
            Log.create(tmp_path / folder, ORIGIN, tmp_path / "heads")
    with pytest.raises(NoLedger, match="head is not in"):
        Log.create(tmp_path / "log", "log.example/bravo", tmp_path / "heads")
    opened(tmp_path).close()


def test_a_lost_head_store_retires_the_origin(tmp_path: Path, log: Log, log_key: SigningKey) -> None:
    """Whoever cannot say what he signed last must not sign again. Fails if a missing head counts as none signed."""
    log.append(numbered(0, 1))
    log.publish(log_key)
    log.close()
    shutil.rmtree(tmp_path / "heads")
    with pytest.raises(NoLedger, match="head store"):
        opened(tmp_path)
    with pytest.raises(NoLedger, match="head is not in"):
        Log.create(tmp_path / "log", ORIGIN, tmp_path / "heads")


def test_a_lost_head_store_retires_unpublished_entries_too(tmp_path: Path, log: Log) -> None:
    """Acknowledged entries are not thrown away by creating the ledger again."""
    log.append(numbered(0, 1))
    log.close()
    shutil.rmtree(tmp_path / "heads")
    with pytest.raises(NoLedger, match="head store is lost"):
        Log.create(tmp_path / "log", ORIGIN, tmp_path / "heads")


def test_a_folder_put_back_from_a_backup_is_not_built_upon(tmp_path: Path, log: Log, log_key: SigningKey) -> None:
    """The snapshot that every operator restores once: signing on would fork. Fails if the tiles are not asked."""
    log.append(numbered(0, 300))
    log.publish(log_key)
    log.close()
    shutil.copytree(tmp_path / "log", tmp_path / "backup")
    with opened(tmp_path) as again:
        again.append(numbered(300, 310))
        again.publish(log_key)
    shutil.rmtree(tmp_path / "log")
    shutil.copytree(tmp_path / "backup", tmp_path / "log")
    with pytest.raises(RolledBack, match="ends at size 300, a head was signed at 310"):
        opened(tmp_path)


def test_a_head_store_put_back_from_a_backup_is_not_built_upon(tmp_path: Path, log: Log, log_key: SigningKey) -> None:
    """The other way round: the checkpoint shows that more was signed than the store remembers."""
    log.append(numbered(0, 3))
    log.publish(log_key)
    shutil.copytree(tmp_path / "heads", tmp_path / "backup")
    log.append(numbered(3, 5))
    log.publish(log_key)
    log.close()
    shutil.rmtree(tmp_path / "heads")
    shutil.copytree(tmp_path / "backup", tmp_path / "heads")
    with pytest.raises(BadLedger, match="contradict"):
        opened(tmp_path)


def test_a_head_stored_by_somebody_else_stops_the_writer(tmp_path: Path, log: Log, log_key: SigningKey) -> None:
    """Compare and swap: whatever else signed under this origin, we do not sign over it."""
    log.append(numbered(0, 3))
    log.publish(log_key)
    other = sign_checkpoint(head_over(numbered(0, 2)), log_key)
    next(file for file in (tmp_path / "heads").iterdir() if file.is_file()).write_bytes(other)
    log.append(numbered(3, 4))
    with pytest.raises(HeadMoved):
        log.publish(log_key)
    assert log.checkpoint() != other


# -- what is on disk is proven before it is built upon --------------------------------------------


def damaged(file: Path, at: int = -1) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)


def test_a_torn_last_group_is_dropped_and_a_damaged_one_refused(tmp_path: Path, log: Log) -> None:
    """An append that never returned may vanish; one that did may not: that is an error, not a repair.

    Fails if whatever does not parse is cut off.
    """
    for i in range(3):
        log.append([b"entry %d" % i])
    log.close()
    intake = tmp_path / "log" / "intake"
    whole = intake.read_bytes()
    intake.write_bytes(whole[:-1])
    with opened(tmp_path) as again:
        assert again.entries(0, again.size) == numbered(0, 2)
    for at in (len(whole) // 2, len(whole) // 3 + 40):
        intake.write_bytes(whole)
        damaged(intake, at)
        with pytest.raises(DamagedIntake) as caught:
            opened(tmp_path)
        assert caught.value.index in (0, 1)


def test_an_intake_damaged_at_any_byte_never_yields_other_entries(tmp_path: Path, log: Log) -> None:
    """Whatever byte is flipped: the entries as they were, fewer from the end, or a refusal; never others."""
    log.append(numbered(0, 2))
    log.append(numbered(2, 4))
    log.close()
    intake = tmp_path / "log" / "intake"
    whole = intake.read_bytes()
    for at in range(len(whole)):
        intake.write_bytes(whole)
        damaged(intake, at)
        try:
            with opened(tmp_path) as again:
                assert again.entries(0, again.size) == numbered(0, 2)
        except DamagedIntake:
            pass


def test_an_entry_cannot_pass_for_a_group(tmp_path: Path, log: Log) -> None:
    """An entry that holds a copy of the intake's own bytes, torn: it is dropped, and not taken for a later group."""
    log.append([b"first"])
    intake = tmp_path / "log" / "intake"
    log.append([intake.read_bytes()])
    log.close()
    intake.write_bytes(intake.read_bytes()[:-1])
    with opened(tmp_path) as again:
        assert again.entries(0, again.size) == [b"first"]


def test_an_intake_of_another_ledger_is_refused(tmp_path: Path, log: Log) -> None:
    """Its header names the origin."""
    with Log.create(tmp_path / "other", "log.example/bravo", tmp_path / "heads") as other:
        other.append([b"theirs"])
    log.close()
    shutil.copy(tmp_path / "other" / "intake", tmp_path / "log" / "intake")
    with pytest.raises(DamagedIntake, match="another origin"):
        opened(tmp_path)


def test_entries_that_differ_from_the_tiles_are_found(tmp_path: Path, log: Log, log_key: SigningKey) -> None:
    """Intake and tiles both hold the last entries; where they disagree, the index is named."""
    log.append(numbered(0, 3))
    log.publish(log_key)
    log.close()
    # A whole intake of our origin with other entries: only its owner could write one, by a bug or by hand.
    Intake.create(tmp_path / "log" / "intake", ORIGIN, 0, tmp_path / "log" / "staging")
    forged = Intake(tmp_path / "log" / "intake", ORIGIN)
    entries = [b"entry 0", b"forged", b"entry 2"]
    forged.append(entries, [leaf_hash(entry) for entry in entries])
    forged.close()
    with pytest.raises(BadLedger, match="entry 1 differs") as caught:
        opened(tmp_path)
    assert caught.value.index == 1


def test_opening_refuses_tiles_that_do_not_lead_to_the_head(tmp_path: Path, log: Log, log_key: SigningKey) -> None:
    """The right edge is recomputed at every opening."""
    log.append(numbered(0, 300))
    log.publish(log_key)
    log.close()
    damaged(tmp_path / "log" / tile_path(0, 1, 44))
    with pytest.raises(BadLedger, match="do not lead to the stored head"):
        opened(tmp_path)


@pytest.mark.parametrize(
    ("file", "index"),
    [
        (tile_path(0, 0), 255),
        (tile_path(0, 2, 88), 599),
        ("tile/entries/000", 255),
        ("tile/entries/002.p/88", 599),
        (tile_path(1, 0, 2), None),
        ("checkpoint", None),
    ],
)
def test_check_names_the_first_bad_entry(
    tmp_path: Path, log: Log, log_key: SigningKey, file: str, index: int | None
) -> None:
    """Every tile and bundle of 600 entries: one flipped bit is found and, at level 0, its index named."""
    log.append(numbered(0, 600))
    log.publish(log_key)
    log.check()
    path = tmp_path / "log" / file
    if file == "checkpoint":
        size, root = path.read_text().split("\n")[1:3]
        other = base64.b64encode(bytes(32)).decode()
        path.write_text(path.read_text().replace(f"{size}\n{root}", f"{size}\n{other}"))
    else:
        damaged(path)
    with pytest.raises(BadLedger) as caught:
        log.check()
    assert caught.value.index == index


@pytest.mark.parametrize("file", [tile_path(0, 0), tile_path(0, 1, 44), "tile/entries/000", tile_path(1, 0, 1)])
def test_a_missing_tile_is_named(tmp_path: Path, log: Log, log_key: SigningKey, file: str) -> None:
    """A truncated ledger is an error by name, at check, at proof and at reading."""
    log.append(numbered(0, 300))
    log.publish(log_key)
    (tmp_path / "log" / file).unlink()
    with pytest.raises(BadTile, match="missing"):
        log.check()


# -- cosignatures ---------------------------------------------------------------------------------


def test_cosignatures_are_kept_beside_the_head(tmp_path: Path, log: Log, log_key: SigningKey, witness_keys) -> None:
    """Merged lines survive reopening; lines over another head, or a note that lost the log's own, are refused."""
    log.append(numbered(0, 3))
    note = log.publish(log_key)
    name, key = next(iter(witness_keys.items()))
    merged = merge(note, note + cosign(note, name, key, NOW), {name: key.public})
    log.set_checkpoint(merged)
    with pytest.raises(BadNote, match="another head"):
        log.set_checkpoint(sign_checkpoint(replace(head_over(numbered(0, 3)), size=2), log_key))
    with pytest.raises(BadNote, match="own signature"):
        log.set_checkpoint(note[: note.index(b"\n\n") + 2] + cosign(note, name, key, NOW))
    log.close()
    with opened(tmp_path) as again:
        assert again.checkpoint() == merged
        again.check()


# -- mirrors --------------------------------------------------------------------------------------


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Log]:
    with Log.create(tmp_path / "mirror", ORIGIN, tmp_path / "heads of others", mirror=True) as made:
        yield made


def test_a_mirror_follows_its_ledger(mirror: Log, log_key: SigningKey) -> None:
    """Head by head, with overlapping entries, across tiles; a repeated or older head changes nothing."""
    for start, size in ((0, 0), (0, 3), (1, 300), (300, 300), (299, 301), (0, 2)):
        note = sign_checkpoint(head_over(numbered(0, size)), log_key)
        mirror.extend_mirror(start, numbered(start, size), note)
    assert (mirror.size, mirror.published_size) == (301, 301)
    assert mirror.entries(0, 301) == numbered(0, 301)
    mirror.check()


def test_a_mirror_takes_no_entries_and_signs_nothing(mirror: Log, log_key: SigningKey) -> None:
    """It has no intake."""
    for write in (lambda: mirror.append([b"x"]), lambda: mirror.publish(log_key)):
        with pytest.raises(NoLedger, match="mirror"):
            write()


def test_our_own_ledger_takes_no_foreign_heads(log: Log, log_key: SigningKey) -> None:
    """A thief of our key cannot extend our ledger by mail."""
    with pytest.raises(NoLedger, match="our own"):
        log.extend_mirror(0, numbered(0, 1), sign_checkpoint(head_over(numbered(0, 1)), log_key))


@pytest.mark.parametrize(
    ("start", "entries", "size"),
    [
        (5, numbered(5, 8), 9),
        (6, numbered(6, 8), 8),
        (-1, numbered(0, 8), 8),
        (5, [*numbered(5, 7), b"other"], 8),
        (5, [*numbered(5, 7), bytes(65_536)], 8),
    ],
    ids=["too few", "gap", "negative start", "wrong entry", "entry too large"],
)
def test_entries_that_do_not_lead_to_the_head_convict_nobody(
    mirror: Log, log_key: SigningKey, start: int, entries: list[bytes], size: int
) -> None:
    """A bad delivery is the deliverer's fault: BadProof, and the mirror stays as it was."""
    mirror.extend_mirror(0, numbered(0, 5), sign_checkpoint(head_over(numbered(0, 5)), log_key))
    with pytest.raises(BadProof):
        mirror.extend_mirror(start, entries, sign_checkpoint(head_over(numbered(0, size)), log_key))
    assert mirror.entries(0, mirror.size) == numbered(0, 5)
    mirror.check()
    mirror.extend_mirror(5, numbered(5, 8), sign_checkpoint(head_over(numbered(0, 8)), log_key))


def test_our_own_damaged_tile_convicts_nobody(tmp_path: Path, mirror: Log, log_key: SigningKey) -> None:
    """An honest older head beside a flipped bit on our disk: BadLedger, not SplitView.

    Fails if the root at the older size is not proven under our own head before it is compared.
    """
    mirror.extend_mirror(0, numbered(0, 600), sign_checkpoint(head_over(numbered(0, 600)), log_key))
    mirror.close()
    damaged(tmp_path / "mirror" / tile_path(0, 0), at=0)
    with Log.open(tmp_path / "mirror", ORIGIN, tmp_path / "heads of others", writable=True) as again:
        with pytest.raises(BadLedger, match="do not lead to its head"):
            again.extend_mirror(0, [], sign_checkpoint(head_over(numbered(0, 3)), log_key))
        again.extend_mirror(0, [], sign_checkpoint(head_over(numbered(0, 512)), log_key))


def test_a_head_of_another_origin_is_refused(mirror: Log, log_key: SigningKey) -> None:
    """Heads belong to one ledger."""
    with pytest.raises(BadNote, match="not of"):
        mirror.extend_mirror(0, [], sign_checkpoint(replace(head_over([]), origin="log.example/bravo"), log_key))


def test_a_mirror_reopens_where_it_stood(tmp_path: Path, mirror: Log, log_key: SigningKey) -> None:
    """Its head is stored like our own."""
    mirror.extend_mirror(0, numbered(0, 300), sign_checkpoint(head_over(numbered(0, 300)), log_key))
    mirror.close()
    with Log.open(tmp_path / "mirror", ORIGIN, tmp_path / "heads of others", writable=True) as again:
        assert again.mirror
        again.extend_mirror(300, numbered(300, 301), sign_checkpoint(head_over(numbered(0, 301)), log_key))
        again.check()


def test_nothing_is_there_before_it_is_created(tmp_path: Path) -> None:
    """Opening makes nothing, for readers and writers alike."""
    for writable in (False, True):
        with pytest.raises(NoLedger, match="no ledger here"):
            opened(tmp_path, writable)
    (tmp_path / "log").mkdir()
    for writable in (False, True):
        with pytest.raises(NoLedger):
            opened(tmp_path, writable)

"""What golang.org/x/mod/sumdb says of our ledgers: a checker of another make, in another language (interop/go)."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alliance import quick_disk

from watchword.ledger import notes
from watchword.ledger.log import Log
from watchword.ledger.notes import VerifierKey
from watchword.ledger.tiles import entries_path, tile_path
from watchword.statements.keys import SigningKey

GOPATH = Path("/usr/share/gocode")
SOURCE = Path(__file__).resolve().parents[2] / "interop" / "go" / "check.go"
ORIGIN = "log.example/go"
Check = Callable[..., str]


@pytest.fixture(scope="session")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checker, built; skipped by name where Go or the packages of Debian are absent."""
    if shutil.which("go") is None or not (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.skip("Go, or golang.org/x/mod as Debian packages it, is absent: golang-go, golang-golang-x-mod-dev")
    folder = tmp_path_factory.mktemp("go")
    # Its cache is kept with the user's others: a cold build of the standard library takes a minute.
    env = os.environ | {"GO111MODULE": "off", "GOPATH": str(GOPATH), "GOFLAGS": ""}
    subprocess.run(["go", "build", "-o", folder / "check", SOURCE], check=True, env=env, timeout=600)
    return folder / "check"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Log]:
    with quick_disk(), Log.create(tmp_path / "log", ORIGIN, tmp_path / "heads") as log:
        yield log


@pytest.fixture
def check(checker: Path, ledger: Log, log_key: SigningKey) -> Iterator[Check]:
    """``check(indices, olds)``: what the checker says of the ledger's folder as it is now and of our proofs."""
    vkey = VerifierKey(ORIGIN, notes.ED25519, log_key.public.ed25519).format()
    with subprocess.Popen([checker], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def ask(indices: set[int], olds: set[int], **changes: object) -> str:
            size = ledger.published_size
            records = [{"Index": i, "Path": texts(ledger.inclusion(i, size))} for i in sorted(indices) if 0 <= i < size]
            trees = [
                {"Old": old, "Path": texts(ledger.consistency(old, size)), "Root": texts([ledger.root(old)])[0]}
                for old in sorted(olds)
                if 0 < old <= size
            ]
            asked = {"Folder": str(ledger.folder), "Records": records, "Size": size, "Trees": trees, "Vkey": vkey}
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(json.dumps(asked | changes) + "\n")
            process.stdin.flush()
            return process.stdout.readline().rstrip("\n")

        yield ask
        if process.stdin is not None:
            process.stdin.close()


def texts(hashes: list[bytes]) -> list[str]:
    return [base64.b64encode(one).decode() for one in hashes]


def grow(ledger: Log, key: SigningKey, size: int) -> None:
    ledger.append([b"\x01" + number.to_bytes(32, "big") for number in range(ledger.size, size)])
    ledger.publish(key)


def test_every_small_size_is_accepted(ledger: Log, check: Check, log_key: SigningKey) -> None:
    """Sizes 0 to 600, one after another in one growing folder: head, tiles, entries, both sorts of proof."""
    for size in range(601):
        grow(ledger, log_key, size)
        assert check({0, size // 2, size - 1, 255, 256, 511}, {1, size // 2, size - 1, size, 256, 512}) == "ok", size


def test_sizes_around_the_second_level_are_accepted(ledger: Log, check: Check, log_key: SigningKey) -> None:
    """65,535 to 65,537: where the tiles of two levels become full at once."""
    for size in (65_535, 65_536, 65_537):
        grow(ledger, log_key, size)
        indices = {0, 255, 256, 32_767, 32_768, 65_279, 65_280, 65_534, 65_535, 65_536}
        assert check(indices, {1, 255, 256, 257, 32_768, 65_280, 65_535, 65_536}) == "ok", size


def test_what_is_changed_is_not_accepted(ledger: Log, check: Check, log_key: SigningKey) -> None:
    """The checker has teeth: a changed tile, entry, head, proof or key is named."""
    grow(ledger, log_key, 300)
    assert check({0, 299}, {256}) == "ok"
    for name, says in ((entries_path(1, 44), "entry 299"), (tile_path(0, 1, 44), "inconsistent"), ("checkpoint", "")):
        path = ledger.folder / name
        data = path.read_bytes()
        path.write_bytes(data[:60] + bytes([data[60] ^ 1]) + data[61:-1] + bytes([data[-1] ^ 1]))
        said = check({299}, {256})
        assert said != "ok" and says in said
        path.write_bytes(data)
    assert check({0, 299}, {256}, Size=301) != "ok"
    assert "sumdb has" in check(set(), set(), Records=[{"Index": 0, "Path": texts([bytes(32)])}])
    assert check({0}, set()) == "ok"

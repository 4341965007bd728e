"""Signed data after the release: who may issue it, what it may say, and that it never goes back."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alliance import quick_disk
from hypothesis import example, given, settings
from hypothesis import strategies as st

from watchword import __version__, node
from watchword.errors import WatchwordError
from watchword.inspect import updates
from watchword.inspect.updates import BadUpdate, added
from watchword.policy import norm, pack
from watchword.policy.updating import RolledBack, UnknownSigner, held, install, make, remove
from watchword.statements.canonical import canonical
from watchword.statements.keys import BadSignature
from watchword.statements.times import FixedClock

CLOCK = FixedClock(datetime(2026, 11, 26, 12, tzinfo=UTC))
DATA = """source = "an alliance's own finds, 2026"
licence = "CC0-1.0"
norms = ["ours.toml"]
packs = ["table.toml"]

[denied]
"evilpack.loader.run" = "runs commands"

[rebuilds]
"goodpack.state._put_back" = "any"
"os.system" = "any"
"""
NORM = """id = "ours-2026"
title = "Our own"
publisher = "ALFA"
date = "2026-11-01"
source = "a letter"
numbering = "its own"
digest = "sha256:%s"
digest_of = "the letter"

[[entry]]
id = "1"
title = "One"
where = "page 1"
text = "be careful"
""" % ("ab" * 32)
PACK = 'name = "table"\ntitle = "A table"\n\n[standing]\nclaim = ["supplier"]\n'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where this user's update is kept; nothing of it stays in this process."""
    monkeypatch.setenv("WATCHWORD_DATA", str(tmp_path / "data"))
    forget()
    with quick_disk():
        yield updates.place()
    monkeypatch.undo()
    forget()


def forget() -> None:
    """As another process begins: nothing read."""
    from watchword.inspect import rules
    from watchword.inspect.pickles import standing

    for one in (added, rules.digest, standing._harms, norm.shipped):
        one.cache_clear()
    standing._known.clear()


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two suppliers, and what the first one writes."""
    folder = tmp_path_factory.mktemp("suppliers")
    with quick_disk():
        node.create_supplier(folder / "AQUILA", "AQUILA", "psirt@aquila.example", None)
        node.create_supplier(folder / "LUPUS", "LUPUS", "x", None)
        node.create_supplier(folder / "again", "AQUILA", "y", None)
    for name, text in (("data.toml", DATA), ("ours.toml", NORM), ("table.toml", PACK)):
        (folder / name).write_text(text, "utf-8")
    return folder


Made = Callable[..., Path]


@pytest.fixture
def made(homes: Path, tmp_path: Path) -> Made:
    def file(version: int = 1, by: str = "AQUILA") -> Path:
        path = tmp_path / f"{by}-{version}.json"
        path.write_bytes(make(homes / by, homes / "data.toml", version, CLOCK))
        return path

    return file


def signer(homes: Path, name: str = "AQUILA") -> dict[str, Any]:
    return node.enrolment(homes / name)


def verdict(tmp_path: Path, module: str, name: str) -> str:
    """Of a file that calls this with a number, as ``watchword inspect`` says it in a process of its own."""
    at = tmp_path / "model.pkl"
    at.write_bytes(b"\x80\x02c" + f"{module}\n{name}\n".encode() + b"K\x01\x85R.")
    done = subprocess.run(
        [sys.executable, "-m", "watchword", "inspect", str(at), "--format", "json"], capture_output=True, check=False
    )
    told = json.loads(done.stdout)
    return f"{told['verdict']} {told['tool']['version']}"


def test_what_an_update_denies_and_allows_counts_and_is_named(
    homes: Path, made: Made, place: Path, tmp_path: Path
) -> None:
    """The same file before and after: the verdict follows the data, and the tool's version says which data."""
    assert verdict(tmp_path, "evilpack.loader", "run") == f"suspicious {__version__}"
    install(made(), place, CLOCK, signer(homes))
    assert verdict(tmp_path, "evilpack.loader", "run") == f"dangerous {__version__}+data.1"
    assert verdict(tmp_path, "goodpack.state", "_put_back") == f"nothing-found {__version__}+data.1"
    assert remove(place, CLOCK)
    assert verdict(tmp_path, "goodpack.state", "_put_back") == f"suspicious {__version__}"


def test_no_update_lifts_a_denial(homes: Path, made: Made, place: Path, tmp_path: Path) -> None:
    """``os.system`` stands among what it says is harmless, and is as dangerous as before.

    Fails where an update's names are asked for before those that are denied.
    """
    install(made(), place, CLOCK, signer(homes))
    assert verdict(tmp_path, "os", "system").startswith("dangerous")


def test_norms_and_packs_of_an_update_are_there_by_name(homes: Path, made: Made, place: Path) -> None:
    """As those that are shipped; and without the update they are unknown again."""
    install(made(), place, CLOCK, signer(homes))
    forget()
    assert [one.id for one in norm.shipped()][-1] == "ours-2026"
    assert pack.find_pack("table").title == "A table"
    remove(place, CLOCK)
    forget()
    assert "ours-2026" not in [one.id for one in norm.shipped()]
    with pytest.raises(pack.BadPack):
        pack.find_pack("table")


def test_the_digest_of_the_rules_follows_the_data(homes: Path, made: Made, place: Path) -> None:
    """Two inspections with one digest went by the same data."""
    from watchword.inspect.rules import digest

    seen = [digest()]
    for version in (1, 2):
        install(made(version), place, CLOCK, signer(homes))
        forget()
        seen.append(digest())
    assert len(set(seen)) == 3


@pytest.mark.parametrize("how", ["older", "same", "older after removal", "same after removal"])
def test_an_older_version_is_refused(homes: Path, made: Made, place: Path, how: str) -> None:
    """It may allow what was denied since; taking the data away first does not help.

    Fails without step 5, and where ``remove`` forgets ``version_max``.
    """
    install(made(7), place, CLOCK, signer(homes))
    if how.endswith("removal"):
        assert remove(place, CLOCK)
    before = place.read_bytes()
    with pytest.raises(RolledBack, match="version 7 was installed here before"):
        install(made(7 if how.startswith("same") else 6), place, CLOCK)
    assert place.read_bytes() == before
    assert install(made(8), place, CLOCK).version == 8


def test_only_the_pinned_supplier_is_taken(homes: Path, made: Made, place: Path) -> None:
    """Nobody at first, then one; another needs to be let in by hand. Fails without step 2."""
    with pytest.raises(UnknownSigner, match="nobody's updates"):
        install(made(), place, CLOCK)
    install(made(), place, CLOCK, signer(homes))
    for other in ("LUPUS", "again"):
        with pytest.raises(UnknownSigner, match="with another key"):
            install(made(9, other), place, CLOCK, signer(homes, other))
        with pytest.raises(WatchwordError):
            install(made(9, other), place, CLOCK)
    assert held(place)["version_max"] == 1
    remove(place, CLOCK, signer=True)
    assert not place.exists()
    assert install(made(1, "LUPUS"), place, CLOCK, signer(homes, "LUPUS")).version == 1


def test_a_name_is_not_a_key(homes: Path, made: Made, place: Path) -> None:
    """Who calls himself as the pinned supplier signs with another key, and is refused. Fails without ``verify``."""
    install(made(), place, CLOCK, signer(homes))
    with pytest.raises(BadSignature):
        install(made(9, "again"), place, CLOCK)


def _another_name(value: dict[str, Any]) -> None:
    value["data"]["rebuilds"]["other.name"] = "any"


def _another_version(value: dict[str, Any]) -> None:
    value["data"]["version"] = 99


def _one_field_more(value: dict[str, Any]) -> None:
    value["more"] = 1


def _another_form(value: dict[str, Any]) -> None:
    value["format"] = "watchword-update/2"


def _no_claim(value: dict[str, Any]) -> None:
    value["claim"] = {}


def _flipped(value: dict[str, Any]) -> None:
    sig = value["claim"]["signatures"][0]["sig"]
    value["claim"]["signatures"][0]["sig"] = ("B" if sig[0] == "A" else "A") + sig[1:]


@pytest.mark.parametrize(
    "change", [_another_name, _another_version, _one_field_more, _another_form, _no_claim, _flipped]
)
def test_a_changed_file_is_refused_whole(
    homes: Path, made: Made, place: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    """What was signed is these bytes; nothing of another file is used. Fails without step 3 for each of its changes."""
    file = made()
    value = json.loads(file.read_bytes())
    change(value)
    file.write_bytes(canonical(value) + b"\n")
    with pytest.raises(WatchwordError):
        install(file, place, CLOCK, signer(homes))
    assert not place.exists()


def test_a_claim_on_something_else_is_no_update(homes: Path, made: Made, place: Path) -> None:
    """A supplier's ordinary claim on a model does not put that model's bytes in force as data."""
    from watchword.statements.statement import Subject

    file = made()
    value = json.loads(file.read_bytes())
    fields = {
        "known_weaknesses": [], "release": "1", "supplier_contact": "", "support_until": None, "system": "recon",
        "tested": [], "trained_on": [],
    }  # fmt: skip
    from watchword.statements.digests import DJ

    envelope = node.sign_only(
        homes / "AQUILA", "claim", (Subject("recon 1", DJ(value["data"])),), fields, clock=CLOCK, scope="public"
    )
    file.write_bytes(canonical(value | {"claim": json.loads(envelope)}) + b"\n")
    with pytest.raises(BadUpdate, match="is not this data"):
        install(file, place, CLOCK, signer(homes))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('source = "x"\n', "source and licence"),
        ('source = "x"\nlicence = "y"\nmore = 1\n', "more is no field"),
        ('source = "x"\nlicence = "y"\n[denied]\n"a b" = "z"\n', "not a dotted name"),
        ('source = "x"\nlicence = "y"\n[denied]\n"builtins" = "z"\n', "not a dotted name"),
        ('source = "x"\nlicence = "y"\n[denied]\n"a.b" = "\\u001b[31m"\n', "not a dotted name"),
        ('source = "x"\nlicence = "y"\n[denied]\n"a.b" = ["z"]\n', "not a dotted name"),
        ('source = "x"\nlicence = "y"\n[rebuilds]\n"a.b" = "nested"\n', "any or plain"),
        ('source = "x"\nlicence = "y"\nnorms = ["missing.toml"]\n', "missing.toml"),
        ('source = "x"\nlicence = "y"\nnorms = ["data.toml"]\n', "norm of the update"),
        ('source = "x"\nlicence = "y"\npacks = "table.toml"\n', "lists files"),
        ("not toml", "not TOML"),
    ],
)
def test_what_does_not_read_is_not_even_signed(homes: Path, tmp_path: Path, written: str, said: str) -> None:
    """The maker is told before anybody else is. Names, words and documents each have their form."""
    (homes / "bad.toml").write_text(written, "utf-8")
    with pytest.raises(WatchwordError, match=said):
        make(homes / "AQUILA", homes / "bad.toml", 1, CLOCK)


@pytest.mark.parametrize("text", [NORM.replace("ours-2026", "nato-pru-2021")])
def test_what_is_shipped_is_not_taken_the_place_of(homes: Path, text: str) -> None:
    """A row that names an entry of a norm means the one that its writer read; so with packs."""
    (homes / "taken.toml").write_text(text, "utf-8")
    (homes / "named.toml").write_text(PACK.replace('"table"', '"alliance"'), "utf-8")
    for part, name in (("norms", "taken.toml"), ("packs", "named.toml")):
        (homes / "bad.toml").write_text(f'source = "x"\nlicence = "y"\n{part} = ["{name}"]\n', "utf-8")
        with pytest.raises(BadUpdate, match="is shipped"):
            make(homes / "AQUILA", homes / "bad.toml", 1, CLOCK)


def test_too_much_is_refused_by_its_size(homes: Path, place: Path, tmp_path: Path) -> None:
    """Eight mebibytes and a byte are not read further; 50,001 names are too many."""
    big = tmp_path / "big.json"
    with big.open("wb") as file:
        file.truncate(8 * 1024 * 1024 + 1)
    with pytest.raises(BadUpdate, match="more than 8,388,608 bytes"):
        install(big, place, CLOCK, signer(homes))
    rows = {f"pack.name{number}": "any" for number in range(50_001)}
    value = {
        "denied": {}, "format": "watchword-data/1", "licence": "y", "made": "2026-01-31T12:00:00Z", "norms": [],
        "packs": [], "rebuilds": rows, "source": "x", "version": 1,
    }  # fmt: skip
    with pytest.raises(BadUpdate, match="50,001 entries"):
        updates.parse(value, "")


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"format":"watchword-installed/9"}', b"[" * 100_000, b"\xff"])
def test_nothing_is_inspected_by_a_damaged_installation(place: Path, data: bytes) -> None:
    """It is said, with what to do; what was denied in it must not be silently allowed. ``remove`` always works."""
    place.parent.mkdir(parents=True)
    place.write_bytes(data)
    with pytest.raises(BadUpdate) as told:
        added()
    assert "watchword update remove" in told.value.hint
    remove(place, CLOCK)
    assert added() is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["denied", "format", "licence", "made", "norms", "packs", "rebuilds", "source",
                                        "version", "more"]), JSON, max_size=10))  # fmt: skip
@example({"denied": {"a.b": "x"}, "format": "watchword-data/1", "licence": "y", "made": "z", "norms": [[]], "packs": [],
          "rebuilds": {}, "source": "x", "version": 1})  # fmt: skip
@example({"denied": {}, "format": "watchword-data/1", "licence": "y", "made": "z", "norms": [], "packs": [],
          "rebuilds": {"a.b": []}, "source": "x", "version": True})  # fmt: skip
def test_whatever_the_data_is_it_reads_or_is_refused_by_name(value: dict[str, Any]) -> None:
    """Any JSON in the place of data costs a named error, and what reads has exactly what it says."""
    try:
        read = updates.parse(value, "")
    except BadUpdate:
        return
    assert (read.version, dict(read.denied), dict(read.rebuilds)) == (
        value["version"], value["denied"], value["rebuilds"],
    )  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | JSON.map(lambda one: json.dumps(one).encode()))
@example(b'{"data":7,"digest":[],"format":"watchword-installed/1","history":{},"signer":0,"version_max":"x"}')
def test_whatever_is_installed_reads_or_is_refused_by_name(data: bytes) -> None:
    """Any bytes in the place of an installation cost a named error."""
    try:
        kept = updates.installed(data, Path("update.json"))
        if kept["data"] is not None:
            updates.parse(kept["data"], kept["digest"])
    except BadUpdate:
        return
    assert isinstance(kept["version_max"], int)
    assert isinstance(kept["history"], list)


def test_a_delivery_brings_no_data_of_its_own(homes: Path, made: Made, place: Path, tmp_path: Path) -> None:
    """An update that lies in the folder that is inspected, or in a node's folder above it, is never read."""
    install(made(), place, CLOCK, signer(homes))
    evil = tmp_path / "delivery"
    for folder in (evil, evil / ".watchword", evil / "watchword", evil / ".local" / "share" / "watchword"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "update.json").write_bytes(place.read_bytes())
    (evil / "model.pkl").write_bytes(pickle.dumps({"a": 1}))
    place.unlink()
    done = subprocess.run(
        [sys.executable, "-m", "watchword", "inspect", ".", "--format", "json"], cwd=evil, capture_output=True,
        check=False,
    )  # fmt: skip
    assert json.loads(done.stdout)["tool"]["version"] == __version__

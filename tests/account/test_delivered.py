"""A delivery is checked with its claim and its supplier's key alone, and every departure is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from watchword.account.delivered import NotDelivered, delivered
from watchword.errors import WatchwordError
from watchword.inspect import manifest_of
from watchword.policy.updating import Signer
from watchword.statements.canonical import canonical
from watchword.statements.keys import SigningKey, generate
from watchword.statements.statement import Subject, make, sign
from watchword.statements.times import parse_time

FIELDS = {
    "known_weaknesses": [], "release": "1.0", "supplier_contact": "x", "support_until": None, "system": "m",
    "tested": [], "trained_on": [],
}  # fmt: skip


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return generate(65)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    tmp_path.joinpath("m").mkdir()
    tmp_path.joinpath("m", "a.bin").write_bytes(b"a")
    tmp_path.joinpath("m", "b.bin").write_bytes(b"b")
    return tmp_path / "m"


def claim(files: Path, key: SigningKey, issuer: str = "AQUILA", kind: str = "claim", **fields: object) -> Path:
    about = (Subject("m 1.0", manifest_of(files).digest),)
    said = make(kind, about, {**FIELDS, **fields} if kind == "claim" else fields, issuer=issuer,
                made=parse_time("2026-09-21T14:13:20Z"))  # fmt: skip
    path = files.parent / "claim.json"
    path.write_bytes(sign(said, key))
    return path


def test_what_was_signed_for_is_there(files: Path, key: SigningKey) -> None:
    """The claim, and how many files it is on."""
    said, count = delivered(claim(files, key), files, Signer("AQUILA", key.public))
    assert (said.subject[0].name, count) == ("m 1.0", 2)


@pytest.mark.parametrize(
    "change",
    [
        lambda files: files.joinpath("a.bin").write_bytes(b"A"), lambda files: files.joinpath("a.bin").unlink(),
        lambda files: files.joinpath("c.bin").write_bytes(b""),
        lambda files: files.joinpath("a.bin").rename(files / "A"),
    ],
    ids=["a byte", "a file less", "a file more", "a name"],
)  # fmt: skip
def test_other_files_are_no_delivery(files: Path, key: SigningKey, change: object) -> None:
    """Seen to pass with the comparison of digests removed."""
    signed = claim(files, key)
    change(files)  # type: ignore[operator]
    with pytest.raises(NotDelivered, match="signed for other files"):
        delivered(signed, files, Signer("AQUILA", key.public))


def test_another_key_or_name_or_kind_is_no_claim_of_the_supplier(files: Path, key: SigningKey) -> None:
    """Somebody else's claim, one in its name under another key, and another statement of its own."""
    for signed in (
        claim(files, key, issuer="BRAVO"), claim(files, generate(65)),
        claim(files, key, kind="reply", text="x", statement="sha256:" + "0" * 64),
    ):  # fmt: skip
        with pytest.raises(NotDelivered, match="not a claim of AQUILA"):
            delivered(signed, files, Signer("AQUILA", key.public))


def test_a_claim_that_was_changed_is_not_signed(files: Path, key: SigningKey) -> None:
    """The key is named, the words are others. Seen to pass with the check of the signature removed."""
    signed = claim(files, key)
    other = json.loads(claim(files, generate(65), supplier_contact="y").read_bytes())
    first = json.loads(sign(make("claim", (Subject("m 1.0", manifest_of(files).digest),), FIELDS, issuer="AQUILA",
                                 made=parse_time("2026-09-21T14:13:20Z")), key))  # fmt: skip
    signed.write_bytes(canonical(first | {"payload": other["payload"]}))
    with pytest.raises(NotDelivered, match="not signed with the key of AQUILA"):
        delivered(signed, files, Signer("AQUILA", key.public))


def test_what_is_no_statement_is_an_error_and_no_verdict(files: Path, key: SigningKey) -> None:
    """It could not be asked."""
    path = files.parent / "claim.json"
    path.write_bytes(b"{}")
    with pytest.raises(WatchwordError) as told:
        delivered(path, files, Signer("AQUILA", key.public))
    assert not isinstance(told.value, NotDelivered)

"""Keys whose Ed25519 half stays in a PKCS#11 token: tried against SoftHSM, skipped by name where it is absent."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from watchword.statements.digests import b64
from watchword.statements.keys import BadSignature, KeyTrouble, generate_behind, load_key, save_key, verify_signature
from watchword.statements.passkeys import BOUND, BadAssertion, card_of, message, verify_assertion
from watchword.statements.pkcs11 import TokenTrouble, sign_for

FOLDERS = (Path("/usr/lib/softhsm"), Path("/usr/lib64/softhsm"), Path("/usr/local/lib/softhsm"))
MODULE = next((f"{folder}/libsofthsm2.so" for folder in FOLDERS if (folder / "libsofthsm2.so").exists()), None)


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    """A token with one Ed25519 key: its URI and its public key."""
    if MODULE is None or not shutil.which("softhsm2-util") or not shutil.which("pkcs11-tool"):
        pytest.skip("SoftHSM (softhsm2) and pkcs11-tool (opensc) are absent")
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n")
    (folder / "pin").write_text("1234\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
    tool = ["pkcs11-tool", "--module", MODULE, "--token-label", "alfa", "--login", "--pin", "1234"]
    for command in (
        ["softhsm2-util", "--init-token", "--free", "--label", "alfa", "--pin", "1234", "--so-pin", "5678"],
        [*tool, "--keypairgen", "--key-type", "EC:edwards25519", "--label", "witness"],
        [*tool, "--keypairgen", "--key-type", "EC:prime256v1", "--label", "approver", "--id", "02"],
        [*tool, "--read-object", "--type", "pubkey", "--label", "approver", "-o", str(folder / "approver.der")],
    ):
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    listed = subprocess.run([*tool, "-O", "--type", "pubkey"], check=True, capture_output=True, text=True, timeout=60)
    points = [line.split()[-1] for line in listed.stdout.splitlines() if "EC_POINT:" in line]
    point = next(one for one in points if len(one) == 68)
    uri = f"pkcs11:token=alfa;object=witness?module-path={MODULE}&pin-source={folder}/pin"
    return uri, bytes.fromhex(point)[-32:]


def test_a_token_signs_as_a_key_in_a_file_does(token: tuple[str, bytes], tmp_path: Path) -> None:
    """The composite signature verifies, from a key file that holds no Ed25519 secret."""
    save_key(tmp_path / "key.pem", generate_behind(*token, 65), b"correct horse")
    key = load_key(tmp_path / "key.pem", b"correct horse")
    for words in (b"", b"over the exact bytes" * 1000):
        signature = key.sign(words)
        verify_signature(key.public, signature, words)
        with pytest.raises(BadSignature):
            verify_signature(key.public, signature, words + b"x")


def test_another_key_than_the_enrolled_one_signs_nothing(token: tuple[str, bytes]) -> None:
    """What the token answers is verified with the key that was named; fails when the device is believed."""
    other = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    with pytest.raises(BadSignature):
        generate_behind(token[0], other, 65).sign(b"x")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("token=alfa", "token=bravo"), "no token is called bravo"),
        (("object=witness", "object=ledger"), "no private keys"),
        (("/pin", "/nopin"), "No such file"),
        (("libsofthsm2.so", "none.so"), "none.so"),
        (("&pin-source", "&pin-value"), "names token, object, module-path and pin-source"),
    ],
)
def test_what_is_wrong_with_a_token_is_named(token: tuple[str, bytes], change: tuple[str, str], told: str) -> None:
    """Token, key, PIN file, library, URI: each by name, and nothing is signed."""
    key = generate_behind(token[0].replace(*change), token[1], 65)
    with pytest.raises(KeyTrouble, match=told):
        key.sign(b"x")


def test_a_wrong_pin_is_told(token: tuple[str, bytes], tmp_path: Path) -> None:
    """The token refuses the login."""
    (tmp_path / "pin").write_text("9999")
    uri = token[0].partition("&")[0] + f"&pin-source={tmp_path}/pin"
    with pytest.raises(KeyTrouble, match="wrong PIN"):
        generate_behind(uri, token[1], 65).sign(b"x")


def test_a_card_answers_a_gate_as_its_charter_lists_it(token: tuple[str, bytes], tmp_path: Path) -> None:
    """A P-256 key, as PIV cards have, signs an approval that anybody with the charter verifies; another action not."""
    uri = token[0].replace("object=witness", "object=approver")
    folder = Path(uri.partition("pin-source=")[2]).parent
    card = card_of((folder / "approver.der").read_bytes())
    said = {name: "x" for name in BOUND}
    action, charter = "sha256:" + "11" * 32, "sha256:" + "22" * 32
    given = {"authenticator_data": None, "charter": charter, "client_data": None, "credential": b64(card.id)}
    signature = sign_for(uri, card.alg, message(action, said, charter))
    said["assertion"] = given | {"signature": b64(signature)}
    verify_assertion(card, action, said)
    with pytest.raises(BadAssertion, match="does not verify"):
        verify_assertion(card, "sha256:" + "33" * 32, said)


def test_a_card_is_named_by_a_pkcs11_address() -> None:
    """Nothing is guessed about where a card is."""
    with pytest.raises(TokenTrouble, match="is no pkcs11: URI"):
        sign_for("/dev/card", -7, b"x")

"""What a node stands on, each in the state that an operator meets, with what mends it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alliance import RELEASE, Alliance, inspection
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from watchword.ledger.fetch import Fetched, Remote
from watchword.node import around
from watchword.node.cataloguing import bring_up
from watchword.node.examining import examine
from watchword.node.finding import Found
from watchword.node.sharing import Followed

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which some other program listens and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        bound.settimeout(0.1)
        yield bound.getsockname()[1]


# -- port -----------------------------------------------------------------------------------------


def test_a_port_is_free_or_taken_by_another(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has it is no node of this member: named, with the command that finds it. Looking leaves a port free."""
    monkeypatch.setattr(around, "_answers", lambda *_: "BRAVO")
    (found,) = around.port("127.0.0.1", taken, "ALFA")
    assert found.state == "ill" and "ss -ltnp" in found.mend
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    for _ in range(2):
        assert [one.state for one in around.port("127.0.0.1", number, "ALFA")] == ["well"]


def test_a_port_where_this_node_answers_is_well(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its ``health``: a running node is not called a stranger."""
    health = Fetched(200, b'{"member":"ALFA","sizes":{}}', "")
    monkeypatch.setattr(Remote, "get", lambda *_: health)
    (found,) = around.port("127.0.0.1", taken, "ALFA")
    assert (found.state, found.mend) == ("well", "")


def test_an_address_that_is_not_this_machines_is_ill() -> None:
    """192.0.2.1 is of no machine (RFC 5737)."""
    (found,) = around.port("192.0.2.1", 0, "ALFA")
    assert found.state == "ill" and "--host" in found.mend


# -- TLS ------------------------------------------------------------------------------------------


def pair(folder: Path, days: float, begins: timedelta = -timedelta(days=60)) -> tuple[Path, Path]:
    """A certificate good for *days* from NOW on, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "alfa.example")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(NOW + begins).not_valid_after(NOW + timedelta(days=days)).sign(key, SHA256())
    )  # fmt: skip
    files = folder / "tls.pem", folder / "tls.key"
    files[0].write_bytes(made.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    files[1].chmod(0o600)
    return files


@pytest.mark.parametrize(
    ("days", "state", "word"), [(60, "well", "59 days"), (20, "look", "good until"), (6, "ill", "good until"),
                                (-1, "ill", "lapsed 2026-05-31")],
)  # fmt: skip
def test_a_certificate_is_told_before_it_lapses(tmp_path: Path, days: int, state: str, word: str) -> None:
    """A month before it is to be seen, a week before it is ill; with what renews it."""
    (found,) = around.tls(*pair(tmp_path, days), NOW + timedelta(seconds=1))
    assert found.state == state and word in found.what and bool(found.mend) == (state != "well")


def test_of_a_chain_the_first_to_lapse_counts(tmp_path: Path) -> None:
    """An intermediate certificate lapses, too."""
    for name in ("a", "b"):
        tmp_path.joinpath(name).mkdir()
    certificate, key = pair(tmp_path / "a", 60)
    other, _ = pair(tmp_path / "b", 3)
    certificate.write_bytes(certificate.read_bytes() + other.read_bytes())
    assert [one.state for one in around.tls(certificate, key, NOW)] == ["ill"]


def test_files_that_do_not_fit_are_ill(tmp_path: Path) -> None:
    """Another certificate's key, a key that all can read, a certificate of tomorrow, and what is no PEM."""
    for name in ("a", "b"):
        tmp_path.joinpath(name).mkdir()
    certificate, key = pair(tmp_path / "a", 60)
    _, other = pair(tmp_path / "b", 60)
    assert "not the key of" in next(around.tls(certificate, other, NOW)).what
    key.chmod(0o644)
    assert "others can read" in next(around.tls(certificate, key, NOW)).what
    later, its = pair(tmp_path, 60, begins=timedelta(days=1))
    assert "only" in next(around.tls(later, its, NOW)).what
    certificate.write_bytes(b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    (found,) = around.tls(certificate, key, NOW)
    assert found.state == "ill" and "PEM" in found.mend


# -- databases ------------------------------------------------------------------------------------


def found_at(alliance: Alliance, name: str, about: str) -> list[Found]:
    alliance.nodes[name].close()
    return [one for one in examine(alliance.home(name), {}, alliance.clock) if one.about == about]


def test_a_catalog_that_is_behind_is_to_be_brought_up(alliance: Alliance) -> None:
    """Nothing where none was begun; then well; a statement later, how far it is behind and the command for it."""
    database = pytest.importorskip("watchword.catalog.database", reason="the extra catalog is not installed")
    assert found_at(alliance, "ALFA", "catalog") == []
    alfa = alliance.reopen("ALFA")
    opened = database.open_catalog(alfa.home / "catalog.db")
    bring_up(alfa, opened)
    opened.close()
    assert [one.state for one in found_at(alliance, "ALFA", "catalog")] == ["well"]
    alfa = alliance.reopen("ALFA")
    alfa.sign_and_append("inspection", (RELEASE,), inspection())
    alfa.publish()
    (found,) = found_at(alliance, "ALFA", "catalog")
    assert (found.state, found.mend) == ("look", "watchword catalog update") and "1 leaves behind" in found.what


def test_a_database_that_is_away_is_ill_and_hides_nothing(alliance: Alliance, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL of the catalog and of a shared record: each named with what to try; all else is looked at still."""
    pytest.importorskip("psycopg", reason="the extra postgresql is not installed")
    monkeypatch.setenv("WATCHWORD_CATALOG", "postgresql://127.0.0.1:9/alfa")
    monkeypatch.setattr("watchword.node.sharing.SHARED_CONNECT_S_MAX", 1)
    (catalog,) = found_at(alliance, "ALFA", "catalog")
    assert catalog.state == "ill" and "psql" in catalog.mend
    (alliance.home("ALFA") / "shared.json").write_bytes(Followed("postgresql://127.0.0.1:9/alfa").encode())
    (record,) = found_at(alliance, "ALFA", "record")
    assert record.state == "ill" and record.mend
    assert [one.state for one in found_at(alliance, "ALFA", "forks")] == []
    assert [one.state for one in found_at(alliance, "ALFA", "ledgers")] == ["well"]


# -- clocks and disk ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("date", "state", "word"),
    [
        ("Mon, 01 Jun 2026 12:04:00 GMT", "well", "answers"),
        ("Mon, 01 Jun 2026 13:00:00 GMT", "ill", "3,600 s ahead of ours"),
        ("Mon, 01 Jun 2026 11:50:00 GMT", "ill", "600 s behind ours"),
        ("", "well", "answers"),
        ("soon", "well", "answers"),
        ("Mon, 01 Jun 2026 13:00:00", "well", "answers"),
    ],
)
def test_a_clock_that_is_off_against_a_peers_is_seen(
    monkeypatch: pytest.MonkeyPatch, date: str, state: str, word: str
) -> None:
    """By the ``Date`` of its answer; one that says none, or nonsense, tells nothing of clocks."""

    def get(self: Remote, *_: object) -> Fetched:
        self.date = date
        return Fetched(200, b"{}", "")

    monkeypatch.setattr(Remote, "get", get)
    (found,) = around.peer("BRAVO", "http://127.0.0.1:9/", NOW)
    assert found.state == state and word in found.what


def test_a_disk_is_told_before_it_is_full_of_bytes_or_files(
    alliance: Alliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``look`` while there is time; files run out as bytes do."""
    monkeypatch.setattr("watchword.node.examining.DISK_FREE_BYTES_LOOK", 2**62)
    found = found_at(alliance, "ALFA", "disk")
    assert found[0].state == "look" and "denies" in found[0].mend
    monkeypatch.setattr("watchword.node.examining.DISK_FREE_FILES_MIN", 2**62)
    found = found_at(alliance, "ALFA", "disk")
    assert "files are left" in found[-1].what or len(found) == 1  # some file systems count none

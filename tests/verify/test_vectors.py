"""The vectors of the protocol in ``vectors/protocol``: verify.py and the package read them as they say of themselves.

Where a change of the protocol makes one fail, ``python vectors/protocol/make.py`` writes them anew.
"""

import base64
import datetime
import hashlib
import hmac
import json
from pathlib import Path

import pytest

from watchword.account.proof import verify as package_verify
from watchword.charter.charter import parse_charter_file
from watchword.errors import WatchwordError
from watchword.ledger.checkpoint import cosignatures, verify_head
from watchword.ledger.merkle import root_of
from watchword.ledger.notices import said_name
from watchword.statements import canonical as package_canonical
from watchword.statements.dsse import pae
from watchword.statements.keys import parse_public
from watchword.statements.kinds import hidden_fields
from watchword.statements.redaction import BadDisclosure, read_disclosure
from watchword.statements.statement import BadStatement, open_envelope, parse_statement
from watchword.statements.statement import verify as verify_statement
from watchword.statements.times import BadTime

FOLDER = Path(__file__).resolve().parents[2] / "vectors" / "protocol"
PIECES = json.loads((FOLDER / "pieces.json").read_text("utf-8"))
STATEMENT, HEAD = PIECES["statement"], PIECES["checkpoint"]
INCIDENT = json.loads((FOLDER / "incident.json").read_text("utf-8"))


@pytest.mark.parametrize("case", PIECES["canonical"], ids=lambda case: case["why"])
def test_canonical_json_is_written_as_the_vector_says(verify, case):
    """Section 1, by two writers."""
    value = json.loads(case["json"])
    assert verify.canonical(value).decode() == package_canonical.canonical(value).decode() == case["canonical"]
    assert verify.parse_json(case["canonical"].encode()) == value


@pytest.mark.parametrize("case", PIECES["refused"], ids=lambda case: case["why"])
def test_what_is_not_canonical_is_refused(verify, case):
    """Section 1: one spelling of each value, or nothing of it is used."""
    data = case["json"].encode(errors="surrogatepass")
    with pytest.raises((ValueError, RecursionError)):
        verify.parse_json(data)
    with pytest.raises(WatchwordError):
        package_canonical.parse_canonical(data, "vector")


def test_a_statement_is_what_the_vector_says(verify):
    """Sections 2, 3 and 5: id, the bytes that are signed, both halves of the signature, commitment, leaf."""
    body = verify.canonical(STATEMENT["envelope"])
    statement, signed = verify.open_envelope(STATEMENT["envelope"]), open_envelope(body)
    assert statement.id == signed.statement.id == STATEMENT["id"]
    message = bytes.fromhex(STATEMENT["pae"])
    assert pae("application/vnd.in-toto+json", statement.payload) == message
    key = STATEMENT["key"]
    halves = [base64.b64decode(key[half]) for half in ("ed25519", "mldsa")]
    verify.verify_ed25519(halves[0], statement.signature[:64], message)
    verify.verify_mldsa(65, halves[1], statement.signature[64:], message, b"watchword/suite-1")
    public = parse_public(key)
    verify_statement(signed, public)
    assert verify.digest(b"watchword/key/v1\n\x01\x41" + b"".join(halves)) == public.id == key["id"] == statement.key_id
    salt, secret = bytes.fromhex(STATEMENT["salt"]), base64.b64decode(STATEMENT["alliance_secret"])
    assert verify.digest(b"watchword/commitment/v1\0" + salt + body) == STATEMENT["commitment"]
    assert verify.digest(b"watchword/alliance-secret/v1\0" + secret) == STATEMENT["secret_digest"]
    assert hmac.digest(secret, STATEMENT["name"].encode(), "sha256").hex() == STATEMENT["blinded_name"]
    assert "04" + STATEMENT["commitment"].removeprefix("sha256:") + STATEMENT["blinded_name"] == STATEMENT["leaf"]
    assert verify.leaf_hash(bytes.fromhex(STATEMENT["leaf"])).hex() == STATEMENT["leaf_hash"]


def test_an_incident_is_what_the_vector_says(verify):
    """Sections 3, 4, 5 and 7: a notice under the name of its target, and two fields that only its disclosures say."""
    statement = verify.open_envelope(INCIDENT["envelope"])
    signed = open_envelope(verify.canonical(INCIDENT["envelope"]))
    assert statement.id == signed.statement.id == INCIDENT["id"]
    verify.conform_kind("incident", statement.predicate)
    verify_statement(signed, parse_public(INCIDENT["key"]))
    assert signed.statement.subject[0].digest == verify.digest(INCIDENT["name"].encode()) == INCIDENT["subject"]
    assert verify.name_said(statement) == said_name(signed.statement) == INCIDENT["name"]
    secret = base64.b64decode(INCIDENT["alliance_secret"])
    assert hmac.digest(secret, INCIDENT["name"].encode(), "sha256").hex() == INCIDENT["blinded_name"]
    assert hidden_fields("incident", signed.statement.predicate) == {"actions", "text"}
    bodies = {one["digest"]: (bytes.fromhex(one["salt"]), one["body"].encode()) for one in INCIDENT["disclosures"]}
    shown = {one["name"]: json.loads(one["body"])[2] for one in INCIDENT["disclosures"]}
    assert sorted(bodies) == signed.statement.predicate["_sd"]
    for digest, (salt, body) in bodies.items():
        assert verify.digest(b"watchword/commitment/v1\0" + salt + body) == digest
        assert read_disclosure(signed.statement, salt, body).value == shown[json.loads(body)[1]]
        with pytest.raises(BadDisclosure):
            read_disclosure(signed.statement, salt, body.replace(b"ALFA", b"ALFB").replace(b"look", b"hook"))
    whole = parse_statement(INCIDENT["whole"].encode())
    assert {name: whole.predicate[name] for name in shown} == shown
    verify.conform_kind("incident", whole.predicate)


@pytest.mark.parametrize("case", INCIDENT["refused"], ids=lambda case: case["why"])
def test_what_is_no_incident_is_refused(verify, case):
    """Section 4: its fields are exactly its own, of their types, and each stands open or hidden."""
    with pytest.raises((BadStatement, BadTime)):
        parse_statement(case["payload"].encode())
    with pytest.raises(ValueError):
        verify.conform_kind("incident", json.loads(case["payload"])["predicate"])


@pytest.mark.parametrize("case", PIECES["trees"], ids=lambda case: str(case["size"]))
def test_trees_and_proofs_are_what_the_vector_says(verify, case):
    """Section 6, at sizes that are and are not powers of two: each leaf is included, each older tree extended."""
    size, root = case["size"], bytes.fromhex(case["root"])
    row = [hashlib.sha256(b"\0" + bytes([i])).digest() for i in range(size)]
    assert verify.tree_root(row) == root_of(row) == root
    for index, path in enumerate(case["inclusion"]):
        assert verify.included_root(row[index], index, size, [bytes.fromhex(hash_) for hash_ in path]) == root
    for old, path in enumerate(case["consistency"], 1):
        known = verify.tree_root(row[:old])
        assert verify.both_roots(old, size, [bytes.fromhex(hash_) for hash_ in path], known) == (known, root)


def test_a_head_is_what_the_vector_says(verify):
    """Section 6: eight lines of four signers verify, and the cosigned time is the oldest of the three witnesses."""
    proof, _ = verify.read_charter((FOLDER / "charter.json").read_bytes())
    at = verify.seconds(HEAD["cosigned"])
    head = verify.check_head(proof, HEAD["origin"], HEAD["note"], at + 100)
    assert (head.size, base64.b64encode(head.root).decode(), head.time_s) == (HEAD["size"], HEAD["root"], at)
    note = HEAD["note"].encode()
    checkpoint = verify_head(note, HEAD["origin"], parse_public(HEAD["log_key"]))
    assert (checkpoint.size, base64.b64encode(checkpoint.root).decode()) == (HEAD["size"], HEAD["root"])
    times = cosignatures(note, {name: parse_public(key) for name, key in HEAD["witness_keys"].items()})
    assert min(times.values()) == at and len(times) == 3


def test_the_decisions_are_made_again_as_the_vector_says(verify):
    """Sections 7, 8 and 10: an admission, and the refusal after a recall of its base model, from charter and file."""
    charter, proof = ((FOLDER / name).read_bytes() for name in ("charter.json", "proof.json"))
    told = json.loads((FOLDER / "report.json").read_text("utf-8"))
    report = verify.verify_proof(charter, proof, told["at"])
    assert json.loads(json.dumps(report)) == told["report"]
    assert [decision["verdict"] for decision in report["decisions"]] == ["admitted", "refused"]
    assert report["charter"] == PIECES["charter_digest"] == parse_charter_file(charter).charter.digest
    verified = package_verify(
        parse_charter_file(charter), proof, datetime.datetime.fromtimestamp(told["at"], datetime.UTC)
    )
    assert [one.decision["verdict"] for one in verified.decisions] == ["admitted", "refused"]


def test_a_notice_of_a_kind_that_is_not_known_refuses_as_the_vector_says(verify):
    """Sections 8 and 13, by both verifiers: filed under a name of the release, it counts as one nobody can read."""
    newer = json.loads((FOLDER / "newer.json").read_text("utf-8"))
    charter, proof = newer["charter"].encode(), newer["proof"].encode()
    report = verify.verify_proof(charter, proof, newer["at"])
    assert [decision["verdict"] for decision in report["decisions"]] == newer["verdicts"] == ["admitted", "refused"]
    assert newer["notices"] == [
        {"index": 0, "kind": "unheld", "name": "model:resnet", "origin": "bravo.example/notices", "statement": None}
    ]
    verified = package_verify(
        parse_charter_file(charter), proof, datetime.datetime.fromtimestamp(newer["at"], datetime.UTC)
    )
    assert [one.decision["notices"] for one in verified.decisions] == [[], newer["notices"]]

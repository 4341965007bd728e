"""Statements and envelopes: exactly the fields of their kind, exactly one signature, and nothing unknown is dropped."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.errors import WatchwordError
from watchword.statements import dsse
from watchword.statements.canonical import canonical
from watchword.statements.digests import D, b64
from watchword.statements.keys import BadSignature, generate
from watchword.statements.kinds import EVIDENCE, KINDS, NOTICES, json_schema
from watchword.statements.statement import BadStatement, Subject, make, open_envelope, parse_statement, sign, verify

VECTORS = Path(os.environ.get("WATCHWORD_VECTORS", Path(__file__).parents[2].parent / "shared" / "vectors"))
KEY = generate(65)
RELEASE = Subject("recon-vision 7", "sha256:" + "9c" * 32)
WHEN = datetime(2026, 1, 31, 12, tzinfo=UTC)
REVIEW: dict[str, Any] = {"of": "legal", "outcome": "in favour", "text": "reviewed", "report": None}


def _review(**changes: Any) -> Any:
    return make("review", (RELEASE,), REVIEW | changes, issuer="ALFA", made=WHEN)


def test_the_dsse_vector_is_reproduced() -> None:
    """The pre-authentication encoding and the envelope of the specification's own example."""
    path = VECTORS / "dsse" / "vector.json"
    if not path.exists():
        pytest.skip(f"vectors of others not here: {path}")
    vector = json.loads(path.read_text())
    assert dsse.pae(vector["payloadType"], vector["payload_utf8"].encode()) == vector["pae_utf8"].encode()
    envelope = dsse.parse(json.dumps(vector["envelope"]).encode(), strict=False)
    assert (envelope.payload, envelope.payload_type) == (b"hello world", vector["payloadType"])
    urlsafe = (
        json.dumps(vector["envelope"]).replace("+", "-").replace("/", "_").replace("http:__example.com_", "x").encode()
    )
    assert dsse.parse(urlsafe, strict=False).signatures[0].sig == envelope.signatures[0].sig


def test_a_signed_statement_comes_back_and_verifies() -> None:
    """Sign, encode, parse, verify; the id is the digest of the payload."""
    statement = _review()
    signed = open_envelope(sign(statement, KEY))
    verify(signed, KEY.public)
    assert signed.statement == statement
    assert statement.id == D(statement.payload)
    assert statement.body is not None and statement.body.issuer == "ALFA"
    with pytest.raises(BadSignature):
        verify(signed, generate(65).public)


def test_every_byte_of_an_envelope_counts() -> None:
    """Flipping any bit of an envelope is refused on parsing or verification; fails when a field goes unchecked."""
    envelope = sign(_review(), KEY)
    public = KEY.public
    for index in range(0, len(envelope), 7):
        forged = envelope[:index] + bytes([envelope[index] ^ 1]) + envelope[index + 1 :]
        try:
            signed = open_envelope(forged)
        except WatchwordError:
            continue
        if signed.key_id != public.id:
            continue  # the hint was changed: the charter looks keys up by it and finds none
        with pytest.raises(BadSignature):
            verify(signed, public)


@pytest.mark.parametrize("change", [{"outcome": "perhaps"}, {"text": 5}, {"extra": 1}, {"report": {}}, {"of": None}])
def test_a_field_that_is_not_exactly_its_kinds_is_refused(change: dict[str, Any]) -> None:
    """Unknown, missing and mistyped fields are errors, so two versions cannot read one statement differently."""
    with pytest.raises(BadStatement, match="review"):
        _review(**change)


def test_a_missing_field_is_refused() -> None:
    """A predicate without one of its fields is no statement of its kind."""
    with pytest.raises(BadStatement, match="missing required field"):
        make("review", (RELEASE,), {"of": "legal"}, issuer="ALFA", made=WHEN)


def test_an_unknown_kind_is_kept_whole_and_has_no_typed_body() -> None:
    """What a newer version says is shown, not dropped, and never counts."""
    value = json.loads(_review().payload)
    value["predicateType"] = "urn:watchword:prophecy:v1"
    value["predicate"] = {"issuer": "ALFA", "future": [1, 2]}
    statement = parse_statement(canonical(value))
    assert statement.kind == "urn:watchword:prophecy:v1"
    assert statement.body is None and statement.predicate["future"] == [1, 2]
    value["predicateType"] = "urn:watchword:review:v2"
    assert parse_statement(canonical(value)).body is None


def test_a_bare_word_does_not_pass_for_the_kind_of_that_name() -> None:
    """``review`` without its urn is no review, and has no standing as one. Fails if short names are types."""
    value = json.loads(_review().payload) | {"predicateType": "review"}
    statement = parse_statement(canonical(value))
    assert statement.kind not in KINDS and statement.body is None


def test_one_statement_has_one_payload() -> None:
    """A payload with a line feed more would be the same statement in a second envelope."""
    with pytest.raises(BadStatement, match="line feed"):
        parse_statement(_review().payload + b"\n")


@pytest.mark.parametrize(
    "subject",
    [
        [],
        [{"name": "x", "digest": {}}],
        [{"name": "x", "digest": {"sha256": "AB" * 32}}],
        [{"name": "x"}],
        [{"name": "x", "digest": {"sha256": "ab" * 32, "md5": "00"}}],
        [{"name": "x", "digest": {"sha256": "ab" * 32}}] * 65,
    ],
)
def test_a_subject_without_one_sha256_digest_is_refused(subject: list[Any]) -> None:
    """A statement is about digests; 1 to 64 of them."""
    value = json.loads(_review().payload) | {"subject": subject}
    with pytest.raises(BadStatement):
        parse_statement(canonical(value))


@pytest.mark.parametrize("scope", [["BRAVO", "ALFA"], ["ALFA", "ALFA"], [], "everybody"])
def test_a_scope_has_one_spelling(scope: Any) -> None:
    """Member lists are sorted and without repeats; other words are refused."""
    value = json.loads(_review().payload)
    value["predicate"]["scope"] = scope
    with pytest.raises(BadStatement):
        parse_statement(canonical(value))


def test_two_signatures_in_one_envelope_are_refused() -> None:
    """A statement is one party's word; a second signature would be a word nobody answers for."""
    value = json.loads(sign(_review(), KEY))
    value["signatures"] *= 2
    with pytest.raises(dsse.BadEnvelope, match="exactly one"):
        open_envelope(canonical(value))


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_random_bytes_raise_nothing_but_our_own_errors(data: bytes) -> None:
    """Envelopes from outside end in a statement or a WatchwordError."""
    for attempt in (data, canonical({"payload": b64(data), "payloadType": dsse.IN_TOTO, "signatures": []})):
        with pytest.raises(WatchwordError):
            open_envelope(attempt)


def test_every_kind_has_a_schema_and_a_polarity() -> None:
    """Each kind's schema lists the common four; evidence and notices are kinds."""
    assert set(KINDS) >= EVIDENCE | NOTICES
    for kind in KINDS:
        schema = json_schema(kind)
        required = schema["$defs"][schema["$ref"].rsplit("/", 1)[1]]["required"]
        assert {"issuer", "made", "scope", "after"} <= set(required)

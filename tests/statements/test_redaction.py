"""Fields behind digests: what is signed stays signed, nothing else fits, nothing can be guessed."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from typing import Any

import pytest
from charters import NOON, charter_value, key
from decisions import FIELDS, RELEASE
from hypothesis import given
from hypothesis import strategies as st

from watchword.charter.charter import parse_charter
from watchword.charter.standing import standing
from watchword.errors import WatchwordError
from watchword.statements.canonical import canonical
from watchword.statements.redaction import BadDisclosure, Disclosure, copy_file, disclosures, hide, read_copy
from watchword.statements.redaction import read_disclosure as read
from watchword.statements.statement import BadStatement, Signed, make, open_envelope, parse_statement, sign

REVIEW = FIELDS["review"] | {"text": "legal says: seven of ten"}


def redactable(kind: str = "review", *names: str, **fields: Any) -> tuple[Signed, list[Disclosure]]:
    """A statement of ALFA's official with fields hidden, signed."""
    shown, made = hide(kind, FIELDS[kind] | fields, names or ("text",))
    statement = make(kind, (RELEASE,), shown, issuer="ALFA", made=NOON)
    return open_envelope(sign(statement, key("ALFA", "official"))), made


def held(made: list[Disclosure]) -> Any:
    stored = {bytes.fromhex(one.digest[7:]): (one.salt, one.body) for one in made}
    return stored.get


def test_a_hidden_field_is_shown_by_its_disclosure_and_by_nothing_else() -> None:
    """The signature covers the digest alone; with the disclosure the field is back, without it it is not there."""
    signed, made = redactable(text="seven of ten")
    statement = signed.statement
    standing(parse_charter(charter_value(standing={"review": ["official"]})), signed)
    assert "text" not in statement.predicate and b"seven" not in statement.payload
    assert [(one.name, one.value) for one in disclosures(statement, held(made))] == [("text", "seven of ten")]
    assert disclosures(statement, held([])) == []


def test_a_disclosure_is_the_array_that_the_protocol_states() -> None:
    """Salt, name and value; its digest computed here by hand."""
    one = Disclosure(b"\7" * 32, "text", "no")
    body = b'["' + b64encode(b"\7" * 32) + b'","text","no"]'
    assert one.body == body
    assert one.digest == "sha256:" + hashlib.sha256(b"watchword/commitment/v1\0" + b"\7" * 32 + body).hexdigest()


@pytest.mark.parametrize(
    ("name", "value"),
    [("text", 7), ("outcome", "against"), ("of", "legal"), ("more", "x"), ("text", None)],
)
def test_a_disclosure_of_another_field_or_type_shows_nothing(name: str, value: Any) -> None:
    """An issuer that hides something else behind the digest has said nothing.

    Fails where a disclosure's name and type are not held against the kind, and was seen to.
    """
    one = Disclosure(b"\7" * 32, name, value)
    fields = {k: v for k, v in REVIEW.items() if k != "text"} | {"_sd": [one.digest]}
    statement = make("review", (RELEASE,), fields, issuer="ALFA", made=NOON)
    with pytest.raises(BadDisclosure):
        read(statement, one.salt, one.body)
    assert disclosures(statement, held([one])) == []


def test_a_disclosure_of_another_statement_or_salt_is_refused() -> None:
    """Only what the digest commits to."""
    signed, (one,) = redactable()
    _, (other,) = redactable()
    for salt, body in ((other.salt, other.body), (b"\1" * 32, one.body), (one.salt, one.body + b"\n")):
        with pytest.raises(BadDisclosure):
            read(signed.statement, salt, body)


@pytest.mark.parametrize(
    "change",
    [
        {"_sd": []},
        {"_sd": ["sha256:" + "0" * 64, "sha256:" + "1" * 64]},
        {"_sd": ["sha256:" + "0" * 64], "text": "and it is here"},
        {"_sd": ["digest"]},
        {"_sd": None},
        {},
    ],
)
def test_hidden_fields_and_digests_are_as_many(change: dict[str, Any]) -> None:
    """A field that is missing without a digest, or a digest without a missing field, is no statement."""
    fields = {name: value for name, value in REVIEW.items() if name != "text"} | change
    with pytest.raises(BadStatement):
        make("review", (RELEASE,), fields, issuer="ALFA", made=NOON)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("review", "outcome"), ("review", "report"), ("inspection", "dangerous"), ("inspection", "tool"),
        ("bill-of-materials", "components"), ("data-screening", "delivered"), ("evaluation", "high"),
        ("review", "made"),
    ],
)  # fmt: skip
def test_what_a_verdict_a_name_or_a_count_rests_on_is_never_hidden(kind: str, name: str) -> None:
    """Neither by the command nor by a statement made past it."""
    with pytest.raises(BadDisclosure, match="cannot be made redactable"):
        hide(kind, FIELDS[kind] | {"made": ""}, [name])
    fields = {n: value for n, value in FIELDS[kind].items() if n != name} | {"_sd": ["sha256:" + "0" * 64]}
    if name != "made":
        with pytest.raises(BadStatement):
            make(kind, (RELEASE,), fields, issuer="ALFA", made=NOON)


def test_a_copy_carries_what_its_giver_lets_it_carry() -> None:
    """A file without one disclosure verifies as the whole one does; a forged disclosure in it is refused."""
    signed, made = redactable("evaluation", "method", "seed", method="by hand", seed="42")
    again, shown = read_copy(copy_file(signed.envelope, [one for one in made if one.name == "method"]), "copy.json")
    assert again.envelope == signed.envelope
    assert [(one.name, one.value) for one in shown] == [("method", "by hand")]
    value = json.loads(copy_file(signed.envelope, made))
    value["disclosures"][0][2] = "another"
    with pytest.raises(BadDisclosure, match="does not commit"):
        read_copy(canonical(value), "copy.json")
    assert read_copy(signed.envelope, "plain.json")[1] == []


def test_equal_fields_hide_behind_unequal_digests() -> None:
    """A guess cannot be tested, however few values a field has: each digest has a salt of its own."""
    digests = {redactable(text="yes")[1][0].digest for _ in range(8)}
    assert len(digests) == 8


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(JSON)
def test_any_copy_is_a_statement_or_a_named_error(value: Any) -> None:
    """Junk in place of disclosures, envelope or all of it."""
    signed, _ = _SIGNED
    for data in (
        canonical(value),
        canonical({"disclosures": value, "envelope": json.loads(signed.envelope), "format": "watchword-redacted/1"}),
        canonical({"disclosures": [value], "envelope": value, "format": "watchword-redacted/1"}),
    ):
        try:
            again, shown = read_copy(data, "copy.json")
        except WatchwordError:
            continue
        assert (again.envelope, shown) == (signed.envelope, [])


@given(JSON)
def test_any_other_sd_is_refused(value: Any) -> None:
    """Whatever stands there, nothing but a named error comes of it."""
    predicate = {k: v for k, v in _SIGNED[0].statement.predicate.items() if k != "_sd"} | {"_sd": value}
    payload = json.loads(_SIGNED[0].statement.payload) | {"predicate": predicate}
    with pytest.raises(WatchwordError):
        parse_statement(canonical(payload))


_SIGNED = redactable()

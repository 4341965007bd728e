"""Confidentiality labels: every public spelling is read, half a label is none, and hostile XML costs nothing.

The examples are written after public ones; the standard has no vectors that could be had.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.errors import WatchwordError
from watchword.statements.label import BadLabel, label_xml, parse_label
from watchword.statements.statement import Subject, make
from watchword.statements.times import parse_time

SPACE = 'xmlns="urn:nato:stanag:4774:confidentialitymetadatalabel:1:0"'
INSIDE = (
    "<ConfidentialityInformation><PolicyIdentifier>NATO</PolicyIdentifier><Classification>SECRET</Classification>"
    '<Category TagName="Releasable to" Type="PERMISSIVE"><{value}>SWE</{value}><{value}>FIN</{value}></Category>'
    "</ConfidentialityInformation>"
)
READ: dict[str, Any] = {
    "policy": "NATO", "classification": "SECRET", "privacy_mark": None, "created": "2026-01-31T12:00:00Z",
    "review": None, "categories": [{"name": "Releasable to", "type": "permissive", "values": ["SWE", "FIN"]}],
}  # fmt: skip


@pytest.mark.parametrize("value", ["GenericValue", "CategoryValue"])
@pytest.mark.parametrize(
    "root",
    ["originatorConfidentialityLabel", "OriginatorConfidentialityLabel", "ConfidentialityLabel",
     "alternativeConfidentialityLabel"],
)  # fmt: skip
def test_both_public_spellings_say_the_same(root: str, value: str) -> None:
    """Root, values and dates under each name that public examples use."""
    inside = INSIDE.format(value=value)
    as_element = f"<{root} {SPACE}>{inside}<CreationDateTime>2026-01-31T13:00:00+01:00</CreationDateTime></{root}>"
    as_attribute = f'<{root} {SPACE} CreationDateTime="2026-01-31T12:00:00Z">{inside}</{root}>'
    assert parse_label(as_element.encode()) == parse_label(as_attribute.encode()) == READ


def test_a_prefix_changes_nothing() -> None:
    """What is written has a prefix, and is read as what it was."""
    assert parse_label(label_xml(READ)) == READ
    assert b"<slab:GenericValue>SWE</slab:GenericValue>" in label_xml(READ)


GOOD = f"<ConfidentialityLabel {SPACE}>{INSIDE.format(value='GenericValue')}</ConfidentialityLabel>"


@pytest.mark.parametrize(
    ("changed", "to", "told"),
    [
        ("Classification>", "Classified>", "is not known"),
        ("<Classification>SECRET</Classification>", "", "no classification"),
        ("SECRET<", "SECRET</Classification><Classification>OPEN<", "stands twice"),
        ('Type="PERMISSIVE"', 'Type="OPTIONAL"', "PERMISSIVE, RESTRICTIVE or INFORMATIVE"),
        ('TagName="Releasable to" ', "", "TagName"),
        ("SWE", "", "empty value"),
        ("4774", "9999", "not of namespace"),
        ("<Category ", "only for <Category ", "text before element"),
        ("</Category>", " and friends</Category>", "text in element"),
        ("<ConfidentialityLabel ", "<!DOCTYPE x [<!ENTITY a 'b'>]><ConfidentialityLabel ", "document type"),
        ("</ConfidentialityLabel>", "", "not well-formed"),
        ("SWE", "&file;", "not well-formed"),
        ("</ConfidentialityInformation>", "</ConfidentialityInformation><ReviewDateTime>soon</ReviewDateTime>", "time"),
        ("</ConfidentialityInformation>",
         "</ConfidentialityInformation><ReviewDateTime>2026-01-31T12:00:00</ReviewDateTime>", "which zone"),
        ("<GenericValue>SWE</GenericValue>", "<Category><GenericValue>SWE</GenericValue></Category>", "is not known"),
    ],
)  # fmt: skip
def test_a_label_that_is_not_understood_whole_is_refused(changed: str, to: str, told: str) -> None:
    """Half a label is a wrong label: a caveat that was not read would be lost."""
    assert changed in GOOD
    with pytest.raises(BadLabel, match=told):
        parse_label(GOOD.replace(changed, to).encode())


def test_hostile_xml_is_refused_at_once() -> None:
    """Size, nesting and expanding entities are bounded before anything is built."""
    began = time.process_time()
    bomb = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
        f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10)
    )
    for text in (GOOD + " " * 65_536, "<a>" * 20_000, f"{bomb}]><x>&a9;</x>", "\0", ""):
        with pytest.raises(BadLabel):
            parse_label(text.encode())
    assert time.process_time() - began < 1


TEXT = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)
LABELS = st.fixed_dictionaries(
    {
        "policy": TEXT,
        "classification": TEXT,
        "privacy_mark": st.none() | TEXT,
        "categories": st.lists(
            st.fixed_dictionaries(
                {
                    "name": TEXT,
                    "type": st.sampled_from(["permissive", "restrictive", "informative"]),
                    "values": st.lists(TEXT, min_size=1, max_size=3),
                }
            ),
            max_size=3,
        ),
        "created": st.none() | st.just("2026-01-31T12:00:00Z"),
        "review": st.none() | st.just("2027-01-31T12:00:00Z"),
    }
)


@given(LABELS)
def test_what_is_written_is_read_back_the_same(fields: dict[str, Any]) -> None:
    """Through XML and back, and it is the fields of a marking."""
    assert parse_label(label_xml(fields)) == fields
    of = "sha256:" + "00" * 32
    moment = parse_time("2026-01-31T12:00:00Z")
    make("marking", (Subject("statement", of),), fields | {"statement": of}, issuer="ALFA", made=moment)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: GOOD.replace("SECRET", text).encode()))
def test_any_bytes_are_a_label_or_a_named_error(data: bytes) -> None:
    """Never another exception; and what is a label is written and read as the same."""
    try:
        fields = parse_label(data)
    except WatchwordError:
        return
    assert parse_label(label_xml(fields)) == fields

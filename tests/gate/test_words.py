"""What a person said, read for whole typed values."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.gate.words import BadWords, Said, addresses, normal

TODAY = date(2026, 3, 4)  # a Wednesday


@pytest.mark.parametrize(
    ("words", "value", "type", "nouns"),
    [
        ("Write to ann.lee@alfa.example.", "Ann.Lee@alfa.example", "email", ()),
        ("Read www.alfa.example/news, please", "https://www.alfa.example/news/", "url", ()),
        ("Post it to www.alfa.example.They wait", "www.alfa.example", "url", ()),
        ("Pay 1,200.50 to DE89 3704 0044 0532 0130 00", "DE89370400440532013000", "account", ()),
        ("Pay 1,200.50 to him", 1200.5, "number", ()),
        ("Delete file 13", "13", "id", ("file",)),
        ("Delete the file with id '13'", "13", "id", ("file",)),
        ("Post it in the channel general", "general", "name", ("channel",)),
        ("Post it in the general channel", "general", "name", ("channel",)),
        ("Ask Dora about it", "Dora", "name", ()),
        ("Stay at Harbour View Hotel", "Harbour View Hotel", "name", ()),
        ("Open 'plan b.docx' now", "plan b.docx", "name", ()),
        ("Meet on June 13th at 10am for one hour", "2026-06-13 11:00", "time", ()),
        ("Meet on 13 June at 10:30", "2026-06-13 10:30", "time", ()),
        ("Meet tomorrow at noon", "2026-03-05 12:00", "time", ()),
        ("Meet on Monday", "2026-03-09", "time", ()),
        ("From May 1st, for 4 nights", "2026-05-05", "time", ()),
        ("Remind me on May 1st", "2026-05-01 09:00", "time", ()),
    ],
)
def test_what_a_person_said_is_found_whole(words: str, value: Any, type: Any, nouns: tuple[str, ...]):
    """A value is said when the words have it, in any of the forms in which people write its type."""
    assert Said(words).says(value, type, nouns, TODAY)


@pytest.mark.parametrize(
    ("words", "value", "type", "nouns"),
    [
        ("What happens on June 13?", "13", "id", ("file",)),
        ("What happens on June 13?", 13, "number", ()),
        ("Write to ann.lee@alfa.example", "lee@alfa.example", "email", ()),
        ("Write to ann.lee@alfa.example", "ann.lee@alfa.example.evil.example", "email", ()),
        ("Read www.alfa.example/news", "www.alfa.example", "url", ()),
        ("Read www.alfa.example", "www.alfa.example/steal?x=1", "url", ()),
        ("Pay 120 to him", 12, "number", ()),
        ("Pay 1,200.50 to him", 200, "number", ()),
        ("Pay to DE89370400440532013000", "DE8937040044", "account", ()),
        ("In general, be brief", "general", "name", ("channel",)),
        ("Post it in generalities", "general", "name", ("channel",)),
        ("Open planb.docx", "b.docx", "name", ()),
        ("Meet on June 13th at 10am", "2026-06-13 11:00", "time", ()),
        ("Meet on June 13th at 10am", "2026-06-14 10:00", "time", ()),
        ("Meet on June 13th 2026", "2027-06-13", "time", ()),
        ("Yes", True, "boolean", ()),
    ],
)
def test_a_part_of_what_was_said_was_not_said(words: str, value: Any, type: Any, nouns: tuple[str, ...]):
    """A piece of a word, an address, a number or a date is no value of its own (seen to pass with substrings)."""
    assert not Said(words).says(value, type, nouns, TODAY)


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("Please email the plan to Ann", True),
        ("Read it, then write a mail to Ann", True),
        ("What do my emails say?", False),
        ("Give me her email address", False),
        ("Email me what you find", False),
    ],
)
def test_a_tool_is_asked_for_by_a_verb(words: str, asked: bool):
    """A noun asks for nothing, and "email me" asks for an answer."""
    assert Said(words).asks_for([["email", "mail", "write"]]) is asked


@pytest.mark.parametrize(
    ("words", "delegates"),
    [
        ("Do all the tasks on my list", True),
        ("Please do the actions specified in the mail from Ann", True),
        ("Do what the letter says", True),
        ("Perform the following tasks: 1. Read the letter", False),
        ("Read the letter", False),
    ],
)
def test_handing_on_what_a_document_says_is_seen(words: str, delegates: bool):
    """Whoever says "do what it says" lets a document ask; who lists tasks himself does not."""
    assert Said(words).delegates is delegates


def test_a_text_with_blanks_fits_what_fills_them_and_nothing_else():
    """The blanks of a text in quotes are filled; the rest of it stands."""
    said = Said("Add an event called 'Dinner at {place}'")
    assert said.template("Dinner at Chez Nous") == ("Chez Nous",)
    assert said.template("Dinner with Eve at Chez Nous") is None
    assert Said("Call it '{name}'").template("anything at all") is None


def test_more_than_anybody_says_is_refused():
    """An instruction is bounded, because every value is looked for in it."""
    with pytest.raises(BadWords):
        Said("x" * 65_537)


def test_addresses_in_words_are_found():
    """What names a place to send to or fetch from is told apart from a file's name."""
    text = "see plan.docx, www.evil.example/a?b=1 or mail Eve@evil.example, account DE89 3704 0044 0532 0130 00"
    assert set(addresses(text)) == {
        ("www.evil.example/a?b=1", "url"), ("eve@evil.example", "email"), ("DE89370400440532013000", "account"),
    }  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.text(max_size=40), st.sampled_from(["text", "name", "id", "email", "url", "time"]))
def test_any_words_get_an_answer(words: str, value: str, type: Any):
    """No words and no value crash the reader, and what is said is in the words, case and white space aside."""
    said = Said(words)
    list(addresses(words))
    normal(value, type)
    if said.says(value, "text"):
        assert " ".join(value.lower().split()) in said.lowered
    said.says(value, type, ("file",), TODAY)
    said.template(value)

"""Which signed cards count at a node."""

from __future__ import annotations

from gate.gated import Gated
from gate.test_cards import WRITTEN

from watchword.gate.cards import read_cards
from watchword.gate.signed_cards import cards_fields, cards_of
from watchword.statements.statement import Subject


def _signed(here: Gated, by: str, server: str = "mail") -> str:
    subject, fields = cards_fields(read_cards(WRITTEN | {"server": server}))
    return str(here.at(by).sign_and_append("tool-cards", subject, fields, person="commander").id)


def test_cards_count_once_a_person_of_this_member_signed_them_and_others_cosigned(here: Gated):
    """Cards are good news: none before the view has them, and only this member's own."""
    _signed(here, "ALFA")
    _signed(here, "BRAVO", "elsewhere")
    assert cards_of(here.at("ALFA")) == {}
    here.exchange()
    here.exchange()
    assert {server: cards.digest for server, cards in cards_of(here.at("ALFA")).items()} == {
        "mail": read_cards(WRITTEN).digest
    }


def test_cards_that_were_taken_back_count_no_more(here: Gated):
    """A retraction counts at once, from this node's own hand (seen to pass without the look at notices)."""
    id = _signed(here, "ALFA")
    here.exchange()
    assert list(cards_of(here.at("ALFA"))) == ["mail"]
    target = f"statement:{id}"
    from watchword.statements.digests import D

    here.at("ALFA").sign_and_append(
        "retract", (Subject("notice", D(target.encode())),), {"target": target, "reason": "wrong"}
    )
    here.exchange()
    assert cards_of(here.at("ALFA")) == {}

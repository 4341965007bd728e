"""Which tool cards count at a node: signed by a person of its own member, in the view, and not taken back.

Follows docs/protocol.md, section 9 ("Tool cards").

* Of one server the newest counts. An ally's cards count for nobody else: what a tool may do here is said here.
* What was retracted or disputed, and what a revoked key signed, counts no more, from whatever channel that came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from watchword.charter.charter import Charter
from watchword.gate.authority import names_of
from watchword.gate.cards import Cards, read_cards
from watchword.ledger.view import Facts, View
from watchword.policy.table import fallen, notices
from watchword.statements.statement import Subject

if TYPE_CHECKING:
    from watchword.node import Node


def cards_fields(cards: Cards) -> tuple[tuple[Subject, ...], dict[str, Any]]:
    """Subject and fields of the ``tool-cards`` statement over *cards*."""
    return (Subject(f"tool cards {cards.server}"[:200], cards.digest),), {"cards": cards.value}


def cards_of(node: Node) -> dict[str, Cards]:
    """The cards that count at *node* now, by server.

    Raises:
        BadCard: as ``counting_cards``.
    """
    view = node.latest_view()
    return counting_cards(node.charter, node.member, view, node.facts(view))


def counting_cards(charter: Charter, member: str, view: View, facts: Facts) -> dict[str, Cards]:
    """The cards that count for *member* in a view, by server.

    Raises:
        BadCard: a signed statement whose cards are not of the form section 9 states. Nothing is decided on it.
    """
    signed = {
        fact.signed.statement.id: fact
        for fact in facts.statements
        if fact.signed.statement.kind == "tool-cards"
        and fact.holder.owner == member
        and fact.holder.person is not None
    }
    names = sorted(set(names_of(signed.values())))
    down = fallen(signed.values(), notices(charter, view, facts, names, signed))
    found: dict[str, Cards] = {}
    for id, fact in sorted(signed.items(), key=lambda item: (item[1].signed.statement.made, item[0])):
        if id not in down:
            cards = read_cards(fact.signed.statement.predicate["cards"], f"tool cards {id[:19]}…")
            found[cards.server] = cards
    return found

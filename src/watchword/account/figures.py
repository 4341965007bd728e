"""A node in figures, for who watches machines: counts and times of it, and no name but those of peers in ``node.toml``.

* ``now``: read from the disk each time, some milliseconds at any size of ledger.
* ``later``: what needs every statement (decisions made again, recalls, receipts counted from the first). To be made
  apart, when something changed or FIGURES_AGE_S passed, and not more often than FIGURES_PAUSE_S; until it is there the
  figures before it stand, with the moment they are from.
* Moments are seconds since 1970: whoever asks subtracts them from his own clock.
"""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from watchword.account.knowing import known, waiting_holds
from watchword.account.recalls import orders
from watchword.account.status import status
from watchword.gate.history import History
from watchword.gate.receipts import parse_receipt
from watchword.limits import FIGURES_AGE_S, FIGURES_PAUSE_S, LAPSE_DAYS
from watchword.node import looks
from watchword.node.home import read_home
from watchword.node.sync import last_synced_s
from watchword.statements.times import parse_time, unix

if TYPE_CHECKING:
    from watchword.node import Node

SOON_DAYS = 7
OWN = ("ledger", "notices")


@dataclass(frozen=True)
class Figure:
    """One figure: ``values`` by the value of its ``label``; by "" where it has none. ``total``: it only grows."""

    name: str
    text: str
    values: dict[str, float]
    label: str = ""
    total: bool = False


class Figures:
    """The figures of an open node (reading is enough). Any thread may ask."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._history, self._events = History(), Counter[str]()
        self._turn = threading.Lock()
        self._later: list[Figure] = []
        self._made: tuple[Any, float] | None = None

    def read(self) -> list[Figure]:
        """Figures as they are now, and those made last of what takes long.

        Raises:
            DamagedHome, StorageTrouble: what a figure rests on cannot be read.
        """
        quick = [*_disk(self._node), *_ledgers(self._node), *_peers(self._node)]
        return [*quick, *self._gate(), *self._later] if self._later else quick

    def due(self) -> bool:
        """Whether what takes long is to be made; who is told so makes it, and nobody else is told so meanwhile."""
        at, stamp = self._node.clock.monotonic(), self._node.stamp()
        with self._turn:
            if self._made is not None:
                age_s = at - self._made[1]
                if age_s < FIGURES_PAUSE_S or (stamp == self._made[0] and age_s < FIGURES_AGE_S):
                    return False
            self._made = stamp, at
            return True

    def make(self) -> None:
        """Make what takes long, now: some seconds for a large node. Raises as ``read``."""
        self._gate()
        self._later = [*_looks(self._node), *_standing(self._node)]

    # -- inside -----------------------------------------------------------------------------------

    def _gate(self) -> list[Figure]:
        """By the receipts: those that came since are taken in."""
        node = self._node
        if node.receives:
            return []
        with self._turn:
            for value in node.record_events(self._history.size):
                receipt = parse_receipt(value, f"receipt {node.member}/record#{self._history.size}")
                self._history.apply(receipt)
                self._events[receipt.event] += 1
            waiting = [unix(held.asked) for held, _, _ in waiting_holds(node, self._history, node.clock.now())]
            unanchored = self._history.size - node.record.published_size
        return [
            Figure("receipts", "Receipts in this node's record, by event.", dict(self._events), "event", total=True),
            Figure("receipts_unanchored", "Receipts under no signed head yet.", {"": unanchored}),
            Figure("holds_waiting", "Actions that wait for people.", {"": len(waiting)}),
            Figure("hold_oldest_timestamp_seconds", "When the oldest of them was asked.",
                   {"": waiting[0]} if waiting else {}),
        ]  # fmt: skip


def _disk(node: Node) -> Iterator[Figure]:
    usage = shutil.disk_usage(node.home)
    yield Figure("disk_free_bytes", "Free space where this node's home lies.", {"": usage.free})
    yield Figure("disk_size_bytes", "The size of that disk.", {"": usage.total})


def _ledgers(node: Node) -> Iterator[Figure]:
    """Own ledgers by their use: how far they are, and who cosigned their newest head."""
    size, waiting, quorum, cosigned, oldest = {}, {}, {}, {}, {}
    with node.mutex:
        for use in OWN if not node.receives else ():
            log, heads = node.store.own(use), node.store.kept_heads(node.me.origins[use])
            under = next((head for head in heads if head.time_s is not None), None)
            size[use], quorum[use] = log.size, 0
            waiting[use] = log.size - (under.checkpoint.size if under else 0)
            if under is not None and under.time_s is not None:
                quorum[use] = under.time_s
            others = heads[-1].times if heads else {}
            cosigned[use] = len({node.charter.witness_operators[name] for name in others})
            if others:
                oldest[use] = min(others.values())
        forks = len(node.store.splits())
    charter = node.charter
    operators = len(set(charter.witness_operators.values()))
    for name, text, values in (
        ("ledger_leaves", "Statements in this member's ledgers.", size),
        ("ledger_leaves_waiting", "Of them, those that no quorum cosigned yet.", waiting),
        ("ledger_cosigned_timestamp_seconds", "When a quorum cosigned this ledger last.", quorum),
        ("ledger_cosignatures", "Operators that cosigned the newest head.", cosigned),
        ("ledger_cosignature_oldest_timestamp_seconds", "The oldest cosignature on the newest head.", oldest),
    ):
        yield Figure(name, text, dict(values), "ledger")
    yield Figure("witness_operators", "Operators that witness.", {"": operators})
    yield Figure("witness_quorum", "Of them, how many a head needs.", {"": charter.quorum.witness})
    yield Figure("head_age_max_seconds", "How old a head of a view may be.", {"": charter.head_max_age_s})
    yield Figure("forks_kept", "Contradicting signed heads kept here as evidence.", {"": forks})


def _peers(node: Node) -> Iterator[Figure]:
    """Members named as peers in ``node.toml``: how fresh what is held of them is, and when they last answered."""
    heads, synced = {}, {}
    with node.mutex:
        for member in node.charter.members:
            if member.name in read_home(node.home).peers:
                kept = [node.store.kept_heads(member.origins[use]) for use in OWN]
                heads[member.name] = min(max((head.time_s or 0 for head in one), default=0) for one in kept)
                synced[member.name] = last_synced_s(node.store, member.name)
    yield Figure("peer_cosigned_timestamp_seconds", "Newest heads with a quorum held of a peer.", dict(heads), "peer")
    yield Figure("peer_synced_timestamp_seconds", "When a peer last gave what was asked.", dict(synced), "peer")


def _looks(node: Node) -> Iterator[Figure]:
    """Of the record of who looked at the console."""
    if node.receives:
        return
    with node.mutex:
        found = looks.waiting(node)
    yield Figure("looks_unanchored", "Looks at the console under no head in the ledger.", {"": found.count})
    yield Figure("looks_unanchored_oldest_timestamp_seconds", "When the oldest of them was.",
                 {"": unix(found.oldest)} if found.oldest else {})  # fmt: skip


def _standing(node: Node) -> Iterator[Figure]:
    """What a member's week is about: made from every statement."""
    of = known(node, holds=False)
    page, owed = status(of), [one for one in orders(of.charter, of.view, of.facts, of.now) if one.owed]
    soon = of.now + timedelta(days=SOON_DAYS)
    lapses = [parse_time(line.when) for line in page.lapses]
    within = {f"{SOON_DAYS}d": sum(one <= soon for one in lapses), f"{LAPSE_DAYS}d": len(lapses)}
    mine = [answer for one in owed for answer in one.answers if answer.member == of.member and not answer.settled]
    admitted = sum(line.good for line in page.use)
    yield Figure("lapsing", "What of this member's uses and words lapses within days.", dict(within), "within")
    yield Figure("recalls_unanswered", "Recalls to which this member owes an answer or its actions.", {"": len(mine)})
    yield Figure("recalls_overdue", "Of them, those past their deadline.", {"": sum(one.late_s > 0 for one in mine)})
    yield Figure("uses", "Uses of this member, by what is decided now.",
                 {"admitted": admitted, "refused": len(page.use) - admitted}, "verdict")  # fmt: skip
    yield Figure("troubled_uses", "Bad news and fallen evidence under this member's uses.", {"": len(page.trouble)})
    yield Figure("figures_timestamp_seconds", "When this node's slow figures were made.", {"": int(of.now.timestamp())})

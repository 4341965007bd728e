"""The chain behind an action, receipt, release or statement: whose word it rests on, each link verified.

Backward: action, receipts, approvals, mandate, admission, evidence and reliance, plan and data, makers. Forward: what
rests on it, by the same links the other way. Reads one open node; changes nothing.

* Every part tells its owner and its **state**: ``verified`` (signature with standing, its own leaf, inclusion under a
  cosigned head); ``recorded`` (the same, not cosigned or anchored yet); ``fallen`` (retracted, disputed, recalled, its
  key revoked); ``broken`` (a check fails); ``withheld`` (its leaf stands in a ledger, its text is not here, or a gate's
  record is private); ``missing`` (nothing of it is here); ``named`` (a thing: nobody signs it).
* A link whose target is not what it should be is broken itself, and says why. Nothing is skipped: what a bound leaves
  out is counted, and a chain with a gap is never whole.
* Each part is visited once, each link once: linear in what is held, whatever is said there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from watchword.account.links import Named, receipt_links, statement_links
from watchword.gate.receipts import Receipt, parse_receipt
from watchword.limits import TRACE_LINKS_MAX
from watchword.node.recorded import NotHere
from watchword.node.store import Held
from watchword.statements.digests import is_digest
from watchword.statements.kinds import CONSIDERED
from watchword.statements.statement import Statement

if TYPE_CHECKING:
    from watchword.node import Node

SCHEMA = "watchword-trace/1"
GAPS = ("broken", "missing", "withheld", "fallen")
"""States that keep a chain from being whole, worst first."""


@dataclass(frozen=True)
class Part:
    """One thing in a chain. ``what``: its kind and what it says, for people; ``owner``: whose word it is;
    ``place``: where it stands; ``checks``: what was verified, in words."""

    key: str
    what: str
    owner: str
    place: str
    when: str
    state: str
    why: str
    checks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The id, digest or name alone."""
        return self.key.partition(":")[2]

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        return {
            "checks": list(self.checks), "id": self.name, "owner": self.owner or None, "place": self.place or None,
            "sort": self.key.partition(":")[0], "state": self.state, "what": self.what, "when": self.when or None,
            "why": self.why or None,
        }  # fmt: skip


@dataclass(frozen=True)
class Link:
    """One link, by the keys of its parts: ``above`` rests on ``below``. ``why``: empty, or why the link is broken."""

    above: str
    role: str
    below: str
    why: str = ""


@dataclass(frozen=True)
class Chain:
    """A trace. ``parts``: in the order found, the one asked for first; ``left_out``: links that a bound left out."""

    forward: bool
    parts: tuple[Part, ...]
    links: tuple[Link, ...]
    left_out: int

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many parts are in each state that occurs; a broken link counts as broken."""
        found: dict[str, int] = {}
        for state in [*(part.state for part in self.parts), *("broken" for link in self.links if link.why)]:
            found[state] = found.get(state, 0) + 1
        return found

    @property
    def whole(self) -> bool:
        """Whether nothing is broken, missing, withheld, fallen or left out."""
        return not self.left_out and not any(state in self.counts for state in GAPS)

    def value(self) -> dict[str, Any]:
        """The same as JSON data. Links name parts by their place in the list."""
        at = {part.key: place for place, part in enumerate(self.parts)}
        links = [
            {"above": at[one.above], "below": at[one.below], "role": one.role, "why": one.why or None}
            for one in self.links
        ]
        return {
            "forward": self.forward, "left_out": self.left_out, "links": links,
            "parts": [part.value() for part in self.parts], "schema": SCHEMA, "whole": self.whole,
        }  # fmt: skip


@dataclass(frozen=True)
class Placed:
    """A statement held, where it stands first."""

    held: Held
    origin: str
    index: int


@dataclass(frozen=True)
class Known:
    """What a node holds, indexed once: statements by id, the ids of those about a digest, its own gate's receipts, in
    all and by action; ``record``: how people name the record."""

    statements: Mapping[str, Placed]
    about: Mapping[str, list[str]]
    receipts: tuple[Receipt, ...]
    by_action: Mapping[str, list[int]]
    record: str

    def said(self, id: str) -> Statement:
        """A statement that is held."""
        return self.statements[id].held.signed.statement

    def receipt(self, key: str) -> Receipt:
        """The receipt of a part's key."""
        return self.receipts[int(key.rpartition("#")[2])]

    def below(self, key: str, root: str) -> Iterator[Step]:
        """What a part rests on. Of a release or data set only where it is the *root*: what else is said about it is
        not what a decision rests on."""
        sort, _, name = key.partition(":")
        links: Iterable[Named] = ()
        placed = self.statements.get(name) if sort == "statement" else None
        if placed is not None and placed.held.holder is not None:
            links = statement_links(placed.held.signed.statement)
        elif sort == "receipt":
            links = receipt_links(self.receipt(key))
        elif sort == "action":
            links = self._of_action(name)
        elif key == root and sort in ("release", "dataset"):
            links = (
                Named("said about it", f"statement:{id}")
                for id in self.about.get(name, ())
                if self.said(id).kind in CONSIDERED
            )
        return ((one.key, one) for one in links)

    def _of_action(self, digest: str) -> Iterator[Named]:
        """The receipts of an action, and answers about it that none of them names."""
        used: set[str] = set()
        for index in self.by_action.get(digest, ()):
            used.update(self.receipts[index].approvals)
            yield Named("receipt", f"receipt:{self.record}#{index}")
        for id in self.about.get(digest, ()):
            if id not in used and self.said(id).kind == "approval":
                yield Named("answered", f"statement:{id}", frozenset({"approval"}))


def trace(node: Node, what: str, *, forward: bool = False) -> Chain:
    """The chain behind *what*, or *forward*: what rests on it.

    Args:
        what: a statement's id or locator, an action's digest, a hold, ``ALFA/record#3``, a release's or data set's
            digest.

    Raises:
        NotHere: nothing of this name is held here.
        DamagedHome, DamagedBody: nothing is told from damaged files.
    """
    from watchword.account.verifying import Verifier

    with node.mutex:
        known = read(node)
        root = resolve(node, known, what)
        upward = _upward(known) if forward else {}
        keys, found, left_out = walk(root, lambda key: upward.get(key, ()) if forward else known.below(key, root))
        verifier = Verifier(node, known, keys, {one.key: one.place for _, _, one in found if one.place is not None})
        links = []
        for here, there, one in found:
            above, below = (there, here) if forward else (here, there)
            links.append(Link(above, one.role, below, verifier.wrong(above, below, one)))
        return Chain(forward, tuple(verifier.part(key) for key in keys), tuple(links), left_out)


Step = tuple[str, Named]
"""A part reached, by its key, and the link that leads there."""


def walk(
    root: str, steps: Callable[[str], Iterable[Step]], links_max: int = TRACE_LINKS_MAX
) -> tuple[list[str], list[tuple[str, str, Named]], int]:
    """Every part reached from *root*, nearest first; every link followed, with the part it leads from and to; how many
    links were left out beyond *links_max*."""
    keys: dict[str, None] = {root: None}
    found: list[tuple[str, str, Named]] = []
    left_out = 0
    waiting = deque([root])
    while waiting:
        here = waiting.popleft()
        for there, one in steps(here):
            if len(found) >= links_max:
                left_out += 1
                continue
            found.append((here, there, one))
            if there not in keys:
                keys[there] = None
                waiting.append(there)
    return list(keys), found, left_out


def read(node: Node) -> Known:
    """Index what *node* holds, once."""
    statements: dict[str, Placed] = {}
    about: dict[str, list[str]] = {}
    for origin, index, held in node.store.statements():
        id = held.signed.statement.id
        if id in statements and (statements[id].held.holder is not None or held.holder is None):
            continue
        if id not in statements:
            for digest in {subject.digest for subject in held.signed.statement.subject}:
                about.setdefault(digest, []).append(id)
        statements[id] = Placed(held, origin, index)
    for held in node.store.loose_held():
        statements.setdefault(held.signed.statement.id, Placed(held, "", -1))
    place = f"{node.member}/record"
    events = [] if node.receives else node.record_events()
    receipts = tuple(parse_receipt(value, f"receipt {place}#{index}") for index, value in enumerate(events))
    by_action: dict[str, list[int]] = {}
    for index, receipt in enumerate(receipts):
        if receipt.action is not None:
            by_action.setdefault(receipt.action, []).append(index)
    return Known(statements, about, receipts, by_action, place)


def resolve(node: Node, known: Known, what: str) -> str:
    """The key of what somebody named. Raises NotHere."""
    if is_digest(what):
        for sort, there in (("statement", known.statements), ("action", known.by_action)):
            if what in there:
                return f"{sort}:{what}"
        kinds = {known.said(id).kind for id in known.about.get(what, ())}
        if "approval" in kinds:
            return f"action:{what}"
        if kinds:
            return f"release:{what}"
        raise NotHere(f"{what}: no statement, action or release of this digest is known here", "import it first")
    place, _, number = what.rpartition("#")
    if place == known.record and number.isdecimal() and int(number) < len(known.receipts):
        return f"receipt:{what}"
    held = next((one for one in reversed(known.receipts) if one.hold == what and one.action is not None), None)
    if held is not None:
        return f"action:{held.action}"
    return f"statement:{node.locate(what).signed.statement.id}"


def _upward(known: Known) -> dict[str, list[Step]]:
    """What rests on each part, by its key."""
    found: dict[str, list[Step]] = {}
    for id, placed in known.statements.items():
        key, statement = f"statement:{id}", placed.held.signed.statement
        for _, one in known.below(key, ""):
            found.setdefault(one.key, []).append((key, one))
        if statement.kind in CONSIDERED | {"mandate", "plan", "opinion", "stop"} and placed.held.holder is not None:
            for subject in statement.subject:
                below = f"release:{subject.digest}"
                found.setdefault(below, []).append((key, Named("about", below)))
    for index in range(len(known.receipts)):
        key = f"receipt:{known.record}#{index}"
        for _, one in known.below(key, ""):
            found.setdefault(one.key, []).append((key, one))
    actions = {
        *known.by_action,
        *(d for d, ids in known.about.items() for id in ids if known.said(id).kind == "approval"),
    }
    for action in sorted(actions):
        key = f"action:{action}"
        for _, one in known.below(key, ""):
            found.setdefault(one.key, []).append((key, one))
    return found

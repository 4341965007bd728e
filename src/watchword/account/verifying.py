"""The parts and links of a trace, each verified where this node holds it (see ``account.trace`` for the states).

* A signature is verified when its body is first read (``node.store``); here is asked whether it has standing, whether
  the leaf is its own, and by an inclusion proof (RFC 9162, 2.1.3) whether it is in the tree of a cosigned head.
* A receipt is verified when its commitment is the leaf's, and a ``record-head`` in a cosigned tree stands for it.
* Bad news falls what it reaches: statements as in a decision (section 8), things by a recall that counts, a
  release also by one of anything in its name set: a component, in the versions that are meant, a model, a supplier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from watchword.account.links import Named
from watchword.account.trace import Known, Part, Placed
from watchword.charter.standing import NoStanding, by_device, standing
from watchword.errors import WatchwordError
from watchword.gate.mandate import parse_mandate
from watchword.gate.receipts import LETTING_GO, Receipt, wrong_with_approval
from watchword.ledger import listing
from watchword.ledger.leaves import encode, leaf_of
from watchword.ledger.merkle import leaf_hash, verify_inclusion
from watchword.ledger.notices import name_set
from watchword.ledger.query import told_target
from watchword.ledger.view import Fact, Facts
from watchword.statements.digests import unb64
from watchword.statements.kinds import CONSIDERED
from watchword.statements.statement import Statement
from watchword.statements.words import says

if TYPE_CHECKING:
    from watchword.ledger.exchange import KeptHead
    from watchword.node import Node

_THINGS = ("release", "dataset", "model", "supplier")


class Verifier:
    """Judges parts and links of one trace. What many parts need, heads and bad news, is looked up once."""

    def __init__(self, node: Node, known: Known, keys: Sequence[str], places: Mapping[str, tuple[str, int]]) -> None:
        self._node, self._known, self._places = node, known, places
        self._heads: dict[str, KeptHead | None] = {}
        self._judged: dict[str, Part] = {}
        self._anchors = [
            placed
            for placed in known.statements.values()
            if placed.held.holder is not None
            and placed.held.holder.owner == node.member
            and placed.held.signed.statement.kind == "record-head"
            and placed.held.signed.statement.predicate["origin"] == node.me.origins["record"]
        ]
        self._anchors.sort(key=lambda one: int(one.held.signed.statement.predicate["size"]))
        self._roots: dict[int, bytes] = {}
        self._fell, self._recalled = self._bad_news(keys)

    def part(self, key: str) -> Part:
        """The part of *key*, judged once."""
        if key not in self._judged:
            sort, _, name = key.partition(":")
            judges = {"statement": self._statement, "receipt": self._receipt, "action": self._action}
            self._judged[key] = judges[sort](key, name) if sort in judges else self._thing(key, sort, name)
        return self._judged[key]

    def wrong(self, above: str, below: str, link: Named) -> str:
        """Why *above* may not rest on *below* as it says; empty where it may, or where there is nothing to look at."""
        placed = self._known.statements.get(below.partition(":")[2]) if below.startswith("statement:") else None
        if placed is None:
            return ""
        said = placed.held.signed.statement
        if link.kinds and said.kind not in link.kinds:
            return f"names a {said.kind[:80]} where a {' or '.join(sorted(link.kinds))} belongs"
        if link.place is not None and self._at(link.place) not in (None, said.id):
            return f"another statement stands at {self._place(*link.place)}"
        sort, _, name = above.partition(":")
        if sort == "receipt":
            return self._wrong_receipt(self._known.receipt(above), placed)
        if sort == "action" and not said.is_about(name):
            return "is for another action"
        return _wrong_statement(self._known.said(name), said) if name in self._known.statements else ""

    # -- statements -------------------------------------------------------------------------------

    def _statement(self, key: str, id: str) -> Part:
        placed = self._known.statements.get(id)
        if placed is None:
            return self._absent(key)
        statement, holder = placed.held.signed.statement, placed.held.holder
        owner = statement.issuer if holder is None else f"{holder.person or holder.job} of {holder.owner}"
        place = self._place(placed.origin, placed.index) if placed.origin else "no ledger"
        what, when = _words(statement), str(statement.predicate.get("made", ""))
        if holder is None:
            return Part(key, what, f"said to be {owner}", place, when, "broken", self._no_standing(placed))
        checks = [f"signed by {owner}"]
        state, why = self._included(placed, checks)
        if id in self._fell and state in ("verified", "recorded"):
            state, why = "fallen", self._fell[id]
        return Part(key, what, owner, place, when, state, why, tuple(checks))

    def _absent(self, key: str) -> Part:
        """A statement that is named and not held: kept back, where its leaf stands where it is said to."""
        place = self._places.get(key)
        if place is None or place[0] not in self._node.charter.known_origins:
            return Part(key, "statement", "", "", "", "missing", "no statement of this id is held here")
        where, owner = self._place(*place), self._node.charter.origins[place[0]].member.name
        found = self._at(place)
        if found is not None:
            return Part(key, "statement", owner, where, "", "broken", f"another statement stands at {where}")
        if 0 <= place[1] < len(self._node.store.leaves(place[0])):
            return Part(
                key, "statement", owner, where, "", "withheld", "its leaf stands there, its text is not held here"
            )
        return Part(key, "statement", owner, where, "", "missing", "the ledger is not held so far here")

    def _included(self, placed: Placed, checks: list[str]) -> tuple[str, str]:
        """Verify the leaf of a statement and its inclusion under the newest cosigned head; state and why."""
        if not placed.origin:
            return "recorded", "bad news held from another channel, in no ledger here"
        store, origin, index = self._node.store, placed.origin, placed.index
        leaf, statement = store.leaves(origin)[index], placed.held.signed.statement
        try:
            if leaf_of(statement, leaf.commitment, self._node.secret) != leaf:
                return "broken", "its leaf is filed under another name"
        except WatchwordError as error:
            return "broken", error.message
        if not placed.held.holder or not placed.held.holder.reaches(origin, index):
            return "fallen", "key retired"
        head, log = self._head(origin), store.log(origin)
        end = self._node.charter.origins[origin].end
        size, root = (end.size, end.root) if end else (head.checkpoint.size, head.checkpoint.root) if head else (0, b"")
        if log is None or index >= size:
            return "recorded", "no quorum has cosigned it yet"
        try:
            entry = leaf_hash(encode(store.use(origin), leaf))
            verify_inclusion(entry, index, size, log.inclusion(index, size), root)
        except WatchwordError as error:
            return "broken", error.message
        checks.append(f"leaf {index} of {size} in {origin}, {'closed' if end else 'cosigned'}")
        return "verified", ""

    def _head(self, origin: str) -> KeptHead | None:
        if origin not in self._heads:
            kept = self._node.store.kept_heads(origin)
            self._heads[origin] = next((one for one in kept if one.time_s is not None), None)
        return self._heads[origin]

    def _no_standing(self, placed: Placed) -> str:
        try:
            standing(self._node.charter, placed.held.signed, in_ledger=True)
        except NoStanding as error:
            return error.message
        return "has no standing here"

    def _bad_news(self, keys: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
        """The statements that notices fell, by id; the things that a recall reaches, by key."""
        held = {
            id: Fact(placed.held.signed, placed.held.holder, placed.origin, placed.index)
            for id, placed in self._known.statements.items()
            if placed.held.holder is not None and placed.origin
        }
        ids = [name for sort, _, name in (key.partition(":") for key in keys) if sort == "statement" and name in held]
        names = {f"statement:{id}" for id in ids} | {f"key:{held[id].signed.key_id}" for id in ids}
        things = {key for key in keys if key.startswith(tuple(f"{sort}:" for sort in _THINGS))}
        view = self._node.latest_view()
        facts = self._node.facts(view)
        listed = listing.notices(self._node.charter, view, facts, sorted(names | things), held)
        fell = listing.fallen((held[id] for id in ids), listed)
        recalled: dict[str, str] = {}
        for one in listed:
            if one.name in things and one.kind in ("recall", "unheld"):
                by = one.signed.statement.issuer if one.signed else "a notice that nobody here can read"
                recalled.setdefault(one.name, f"recalled by {by}")
        for key in sorted(things - recalled.keys()) if _by_part(facts) else ():
            sort, _, release = key.partition(":")
            about = (held[id].signed for id in self._known.about.get(release, ()) if id in held)
            considered = [one for one in about if one.statement.kind in CONSIDERED]
            reached = name_set(self._node.charter, release, considered)
            for one in listing.notices(self._node.charter, view, facts, reached, held) if sort == "release" else ():
                if one.name.partition(":")[0] not in ("statement", "key") and one.kind in ("recall", "unheld"):
                    why = "recalled by a notice that nobody here can read"
                    if one.signed is not None:
                        said = one.signed.statement
                        why = f"recalled by {said.issuer}, with {told_target(said.predicate)}"
                    recalled.setdefault(key, why)
        return fell, recalled

    # -- receipts and actions ---------------------------------------------------------------------

    def _receipt(self, key: str, place: str) -> Part:
        receipt, index = self._known.receipt(key), int(place.rpartition("#")[2])
        what = f"receipt: {receipt.event}" + (f" under rule {receipt.rule}" if receipt.rule else "")
        owner, when = f"gate of {self._node.member}", receipt.time
        anchor = next((one for one in self._anchors if one.held.signed.statement.predicate["size"] > index), None)
        if anchor is None:
            return Part(key, what, owner, place, when, "recorded", "durable, not anchored in a shared ledger yet")
        said, where = anchor.held.signed.statement, self._place(anchor.origin, anchor.index)
        size = int(said.predicate["size"])
        try:
            if size not in self._roots:
                self._roots[size] = self._node.record.root(size)
            self._node.store.receipts.get(index, self._node.store.leaves(self._node.me.origins["record"]))
        except WatchwordError as error:
            return Part(key, what, owner, place, when, "broken", error.message)
        if self._roots[size] != unb64(said.predicate["root"], "root of a record-head"):
            return Part(key, what, owner, place, when, "broken", f"not the record that {where} stands for")
        state, why = self._included(anchor, [])
        if state != "verified":
            return Part(key, what, owner, place, when, state, f"anchored at {where}: {why}")
        return Part(key, what, owner, place, when, state, "", (f"leaf {index} of {size}, anchored at {where}",))

    def _action(self, key: str, digest: str) -> Part:
        here = [self._known.receipts[index] for index in self._known.by_action.get(digest, ())]
        body = next((receipt.body for receipt in here if receipt.body is not None), None)
        if body is None:
            gates = {self._known.said(id).predicate["gate"] for id in self._known.about.get(digest, ())
                     if self._known.said(id).kind == "approval"}  # fmt: skip
            owner = ", ".join(f"gate of {gate}" for gate in sorted(gates))
            why = "its bytes are in a gate's own record, which is not held here"
            return Part(key, "action", owner, "", "", "withheld", why)
        what = f"action: {body.get('tool')} for release {str(body.get('release'))[:19]}…"
        checks = ("its bytes in the receipt have this digest",)
        return Part(
            key, what, f"asked of the gate of {here[0].gate}", "", str(body.get("asked")), "verified", "", checks
        )

    def _wrong_receipt(self, receipt: Receipt, placed: Placed) -> str:
        said = placed.held.signed.statement
        if said.kind == "mandate":
            release = None if receipt.body is None else receipt.body.get("release")
            return "" if release is None or said.is_about(str(release)) else "the mandate is for another release"
        holder = placed.held.holder
        if said.kind != "approval" or holder is None:
            return ""
        if not said.is_about(receipt.action or ""):
            return "is for another action"
        mandate = self._known.statements.get(receipt.mandate or "")
        if receipt.event not in LETTING_GO or mandate is None or mandate.held.signed.statement.kind != "mandate":
            return ""
        try:
            rules = parse_mandate(mandate.held.signed.statement.predicate["mandate"]).rules
            rule = next((one for one in rules if one.id == receipt.rule), None)
            if said.predicate["assertion"] is not None and holder.job == "gate":
                holder = by_device(self._node.charter, placed.held.signed, holder, in_ledger=True)
        except WatchwordError as error:
            return error.message
        if rule is None:
            return f"its mandate has no rule {receipt.rule}"
        return wrong_with_approval(Fact(placed.held.signed, holder, placed.origin, placed.index), receipt, rule) or ""

    # -- things -----------------------------------------------------------------------------------

    def _thing(self, key: str, sort: str, name: str) -> Part:
        charter = self._node.charter
        if sort == "leaf":
            origin, _, number = name.rpartition("#")
            place = self._place(origin, int(number)) if origin in charter.known_origins else name
            owner = charter.origins[origin].member.name if origin in charter.known_origins else ""
            if self._at((origin, int(number))) is None:
                return Part(
                    key,
                    "evidence kept back",
                    owner,
                    place,
                    "",
                    "withheld",
                    "its leaf stands there, its text is not held here",
                )
            return Part(key, "evidence that was kept back then", owner, place, "", "named", "held here since")
        if sort == "charter":
            here = name == charter.digest
            what = f"charter {charter.version} of {charter.alliance}" if here else "charter"
            checks = ("in force here, ratified by its quorum",) if here else ()
            return Part(
                key,
                what,
                charter.alliance,
                "",
                "",
                "verified" if here else "named",
                "" if here else "another version",
                checks,
            )
        owner = ""
        if sort == "supplier":
            owner = name
        elif sort == "release":
            said = (self._known.said(id) for id in self._known.about.get(name, ()))
            owner = next((f"supplier {one.issuer}" for one in said if one.kind == "claim"), "")
        why = self._recalled.get(key, "")
        return Part(key, self._called(sort, name), owner, "", "", "fallen" if why else "named", why)

    def _called(self, sort: str, name: str) -> str:
        ids = self._known.about.get(name, ()) if sort in ("release", "dataset") else ()
        titles = (one.name for id in ids for one in self._known.said(id).subject if one.digest == name)
        return f"{sort}: {next(titles, name)}"

    def _at(self, place: tuple[str, int]) -> str | None:
        """The id of the statement held at a place; None where there is none."""
        origin, index = place
        of = self._node.store.leaves(origin) if origin in self._node.charter.known_origins else ()
        held = self._node.store.held(of[index].commitment) if 0 <= index < len(of) else None
        return None if held is None else held.signed.statement.id

    def _place(self, origin: str, index: int) -> str:
        return self._node.locator(origin, index) if origin in self._node.charter.origins else f"{origin}#{index}"


def _by_part(facts: Facts) -> bool:
    """Whether any recall may reach a release by what it is made of: by another name than its own."""
    of = [*(leaf.signed for leaf in facts.notices), *facts.loose]
    return any(
        one is None
        or (one.statement.kind == "recall" and not str(one.statement.predicate.get("target")).startswith("release:"))
        for one in of
    )


def _wrong_statement(above: Statement, below: Statement) -> str:
    """Why a statement may not rest on another as it says."""
    subjects = {subject.digest for subject in above.subject}
    if above.kind == "mandate" and below.kind == "decision":
        made: Any = below.predicate["decision"]
        if not subjects & {subject.digest for subject in below.subject}:
            return "the decision is about another release"
        if not isinstance(made, dict) or made.get("verdict") != "admitted":
            return "the decision did not admit it"
    same = bool(subjects & {subject.digest for subject in below.subject})
    if above.kind == "evaluation" and below.kind == "plan" and not (same and below.issuer == above.issuer):
        return "the plan is of another evaluator or release"
    if above.kind == "reliance" and not same:
        return "what is relied on is about another release"
    return ""


def _words(statement: Statement) -> str:
    """A statement in a few words: its kind, what it says, of what; bad news by what it is against."""
    words, name = says(statement)[:120], statement.subject[0].name
    if "target" in statement.predicate and statement.kind != "incident":
        words = str(statement.predicate["target"])[:90]
    elif not words or (statement.kind in CONSIDERED and name not in words):
        words = ", ".join(filter(None, (words, name)))
    return f"{statement.kind[:80]}: {words}"

"""A proof, re-checked from the charter and one file: what was known, that it was cosigned, that nothing was left out.

Follows docs/protocol.md, section 10, "A proof is verified". Pure: bytes in, facts out. The numbers in the code are
the steps there; the first that fails is named.

* Steps 1 to 6 are ``verify_proof``, step 8 is ``Proof.absence``. Step 7 re-makes decisions, which the room above can:
  ``Proof.inputs`` gives it charter-checked inputs. Step 9 judges receipts, which the gate can.
* A notices ledger is there whole, so that what is *not* in it is proven too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec

from watchword.charter.charter import Charter, CharterFile, KeyHolder, OriginOf
from watchword.charter.quorum import cosigned_time
from watchword.charter.standing import NoStanding, in_force, standing
from watchword.errors import WatchwordError
from watchword.ledger import leaves
from watchword.ledger.bundle import Body, Bundle, LedgerPart, parse_bundle
from watchword.ledger.checkpoint import Checkpoint, cosignatures, verify_head
from watchword.ledger.exchange import attachments
from watchword.ledger.leaves import Leaf, leaf_of
from watchword.ledger.listing import COUNTS, Listed, consider
from watchword.ledger.listing import notices as notices_against
from watchword.ledger.merkle import EMPTY_ROOT, BadProof, leaf_hash, root_of, verify_consistency, verify_inclusion
from watchword.ledger.notices import name_set, standing_of_notice
from watchword.ledger.view import (
    EvidenceLeaf,
    Fact,
    Facts,
    Head,
    NoticeLeaf,
    View,
    loose_list,
    parse_view,
    size_in,
)
from watchword.statements.digests import DJ, secret_commitment
from watchword.statements.kinds import ANY_CHANNEL, KINDS, NOTICES
from watchword.statements.statement import Signed, Subject, open_envelope, verify
from watchword.statements.times import from_unix, parse_time


class NotProven(WatchwordError):
    """A proof of which one step fails. ``step`` is its number in section 10."""

    def __init__(self, step: int, message: str, hint: str = "") -> None:
        super().__init__(f"step {step}: {message}", hint or "nothing in this file is proven")
        self.step = step


@dataclass(frozen=True)
class ProvenHead:
    """A head whose signatures verify. ``time`` is its cosigned time (RFC 3339), None for a ``record`` head."""

    checkpoint: Checkpoint
    time: str | None


@dataclass(frozen=True)
class Place:
    """Where a leaf stands."""

    origin: str
    use: str
    index: int
    leaf: Leaf


@dataclass(frozen=True)
class Receipt:
    """A receipt at its place in a gate's record."""

    origin: str
    index: int
    value: dict[str, Any]


@dataclass(frozen=True)
class Inputs:
    """What a decision was made from, as the bundle shows it, and the decision object to compare with (step 7)."""

    view: View
    facts: Facts
    as_of: str
    subject: Subject
    use_case: dict[str, Any]
    decision: dict[str, Any]
    fact: Fact


@dataclass(frozen=True)
class Absence:
    """Step 8: what the bundle says of bad news. ``as_of``: the smallest cosigned time of the notices' heads.

    ``found`` lists every notice against one of ``names``; ``counting`` those of them that count.
    """

    names: tuple[str, ...]
    as_of: str
    found: tuple[Listed, ...]

    @property
    def counting(self) -> tuple[Listed, ...]:
        return tuple(one for one in self.found if one.kind in COUNTS)


@dataclass(frozen=True)
class Proof:
    """A bundle of which steps 1 to 6 hold. ``facts`` are all that it proves, up to its own checkpoints."""

    charter: Charter
    bundle: Bundle
    heads: Mapping[str, ProvenHead]
    earlier: Mapping[str, tuple[ProvenHead, ...]]
    facts: Facts
    unknown: tuple[Fact, ...]
    receipts: tuple[Receipt, ...] = field(repr=False)

    @cached_property
    def by_id(self) -> dict[str, Fact]:
        """The statements with standing, each at its first place."""
        found: dict[str, Fact] = {}
        for fact in self.facts.statements:
            found.setdefault(fact.signed.statement.id, fact)
        return found

    def inputs(self, decision_id: str) -> Inputs:
        """The inputs of one decision, for the room that can re-make it (step 7, all but the re-making).

        Raises:
            NotProven: the statement, its use case, view or loose notices are not in the bundle, or a head of its view
                is not one of the bundle's or was cosigned before the view says.
        """
        fact = self.by_id.get(decision_id)
        if fact is None or fact.signed.statement.kind != "decision":
            raise NotProven(7, f"decision {decision_id} is not in the bundle with standing")
        statement = fact.signed.statement
        decision = statement.predicate["decision"]
        try:
            asked = msgspec.convert(decision, _Decision, strict=True)
        except msgspec.ValidationError as error:
            raise NotProven(7, f"decision {decision_id}: {error}") from error
        subject = Subject(asked.subject.name, asked.subject.digest)
        if statement.subject != (subject,):
            raise NotProven(7, f"decision {decision_id}: its statement is about something else than it decides on")
        objects = self.bundle.objects_by_digest
        for what, digest in (("use case", asked.use_case), ("view", asked.view)):
            if digest not in objects:
                raise NotProven(7, f"decision {decision_id}: its {what} {digest} is not in the bundle")
        try:
            view = parse_view(objects[asked.view])
        except WatchwordError as error:
            raise NotProven(7, f"decision {decision_id}: {error.message}") from error
        for origin, head in view.heads.items():
            self._check_head(decision_id, origin, head)
        self._closed_are_there(7)
        facts = _within(self.charter, self.facts, view, self._loose(decision_id, asked.loose))
        return Inputs(view, facts, asked.as_of, subject, objects[asked.use_case], decision, fact)

    def absence(self) -> Absence | None:
        """What the bundle proves of bad news against its names (step 8); None when it states no names.

        Raises:
            NotProven: the names are not the whole name set, or a notices ledger is missing or its head too old.
        """
        stated = self.bundle.names
        if stated is None:
            return None
        # 8
        if self.bundle.as_of is None or self.bundle.alliance_secret is None:
            raise NotProven(8, "names are stated without a time or without the alliance secret")
        view = self.newest_view()
        held, expected = self._named(view, stated, self.bundle.as_of)
        if tuple(sorted(expected)) != stated:
            differing = sorted(expected ^ set(stated)) or ["their order"]
            raise NotProven(8, f"the names are not the whole name set; they differ in {differing[0]}")
        oldest = parse_time(self.bundle.as_of).timestamp() - self.charter.head_max_age_s
        times = []
        for member in self.charter.members:
            origin = member.origins["notices"]
            if origin not in self.heads:
                raise NotProven(8, f"{origin} is not in the bundle: {member.name} may have bad news that is not shown")
            time = self.heads[origin].time or ""
            if parse_time(time).timestamp() < oldest:
                raise NotProven(8, f"head of {origin} was cosigned {time}, too old to speak for {self.bundle.as_of}")
            times.append(time)
        self._closed_are_there(8)
        found = notices_against(self.charter, view, self.facts, stated, held)
        return Absence(stated, min(times), tuple(found))

    def _closed_are_there(self, step: int) -> None:
        for origin in self.charter.closed_origins:
            if self.charter.origins[origin].use == "notices" and origin not in self.heads:
                raise NotProven(step, f"{origin}, a closed ledger, is not in the bundle: it may hold bad news")

    def newest_view(self) -> View:
        """The view that the bundle's own heads are."""
        heads = {o: (head.checkpoint, head.time) for o, head in self.heads.items()}
        return View({o: Head(at.size, at.root, time) for o, (at, time) in heads.items() if time is not None})

    def _named(self, view: View, stated: Iterable[str], as_of: str) -> tuple[dict[str, Fact], set[str]]:
        """The statements that the names rest on, and the whole name set of every release among them."""
        held: dict[str, Fact] = {}
        names: set[str] = set()
        decided: set[str] = set()
        for decision_id in self.bundle.decisions:
            inputs = self.inputs(decision_id)
            listed = [one["id"] for one in inputs.decision["considered"]]
            missing = next((one for one in listed if one not in self.by_id), None)
            if missing is not None:
                raise NotProven(
                    8, f"statement {missing}, which decision {decision_id} considered, is not in the bundle"
                )
            held |= {one: self.by_id[one] for one in listed}
            decided.add(f"release:{inputs.subject.digest}")
            names |= set(name_set(self.charter, inputs.subject.digest, [self.by_id[one].signed for one in listed]))
        for name in set(stated) - decided:
            if name.startswith("release:"):
                release = name.removeprefix("release:")
                considered = consider(self.charter, view, self.facts, parse_time(as_of), release)
                held |= considered
                names |= set(name_set(self.charter, release, [fact.signed for fact in considered.values()]))
        return held, names

    def _check_head(self, decision_id: str, origin: str, head: Head) -> None:
        if origin not in self.charter.shared_origins:
            raise NotProven(7, f"decision {decision_id}: its view names {origin}, which the charter does not")
        for proven in (*([self.heads[origin]] if origin in self.heads else []), *self.earlier.get(origin, ())):
            if (proven.checkpoint.size, proven.checkpoint.root) == (head.size, head.root):
                if proven.time is None or parse_time(proven.time) < parse_time(head.time):
                    raise NotProven(
                        7, f"decision {decision_id}: head of {origin} was cosigned {proven.time}, not yet {head.time}"
                    )
                return
        raise NotProven(7, f"decision {decision_id}: head of {origin} at size {head.size} is not in the bundle")

    def _loose(self, decision_id: str, digest: str) -> list[Signed]:
        held = {signed.statement.id: signed for signed in self.facts.loose}
        filed = (one for one in self.facts.notices if one.holder and one.holder.retired_by is None)
        held |= {leaf.signed.statement.id: leaf.signed for leaf in filed if leaf.signed}
        listed = self.bundle.objects_by_digest.get(digest, {}).get("statements")
        ids = [] if digest == DJ(loose_list(())) else listed
        if not isinstance(ids, list) or not all(isinstance(one, str) and one in held for one in ids):
            raise NotProven(7, f"decision {decision_id}: the loose notices that it knew of are not in the bundle")
        return [held[one] for one in ids]


def verify_proof(file: CharterFile, data: bytes, now: datetime, what: str = "bundle") -> Proof:
    """Check steps 1 to 6 of section 10.

    Args:
        data: the bundle's bytes.
        now: the moment of judging; cosignatures from more than 300 s after it do not count.

    Raises:
        NotProven: names the step, and the thing that fails.
        NotInForce, BadBundle: steps 1 and 2, by their own names.
    """
    charter = file.charter
    # 1
    in_force(file)
    # 2
    bundle = parse_bundle(data, what)
    if bundle.purpose != "proof" or bundle.charter != charter.digest:
        raise NotProven(2, f"{what} is no proof under charter {charter.version} of {charter.alliance}")
    if bundle.sender not in {member.name for member in charter.members}:
        raise NotProven(2, f"{what} says it is from {bundle.sender}, who is no member")
    if bundle.alliance_secret is not None and secret_commitment(bundle.alliance_secret) != charter.secret:
        raise NotProven(2, "the alliance secret is not the one that the charter commits to")
    heads: dict[str, ProvenHead] = {}
    earlier: dict[str, tuple[ProvenHead, ...]] = {}
    places: dict[bytes, list[Place]] = {}
    notices: list[Place] = []
    for part in bundle.ledgers:
        of = charter.origins.get(part.origin)
        if of is None or part.origin in heads:
            raise NotProven(3, f"{part.origin} is no ledger of the charter, or stands twice")
        # 3
        heads[part.origin], earlier[part.origin] = _heads(charter, of, part, now)
        # 4
        for place in _places(of, part, heads[part.origin].checkpoint):
            places.setdefault(place.leaf.commitment, []).append(place)
            if place.use == "notices":
                notices.append(place)
    # 5
    contents = _Contents(charter, places, bundle.alliance_secret)
    for body in bundle.bodies:
        contents.take(body)
    contents.check_attachments()
    # 6
    loose = [_loose_notice(charter, envelope, contents.by_id) for envelope in bundle.loose]
    ids = [signed.statement.id for signed in loose]
    if ids != sorted(set(ids)):
        raise NotProven(6, "loose notices are out of order, or one stands twice")
    facts = Facts(
        tuple(sorted(contents.statements, key=lambda fact: (fact.origin, fact.index))),
        tuple(_notice_leaf(place, contents) for place in sorted(notices, key=lambda p: (p.origin, p.index))),
        tuple(sorted(loose, key=lambda signed: signed.statement.id)),
        bundle.alliance_secret or b"",
        tuple(_unheld(places, {(fact.origin, fact.index) for fact in contents.statements})),
    )
    receipts = tuple(sorted(contents.receipts, key=lambda receipt: (receipt.origin, receipt.index)))
    return Proof(charter, bundle, heads, earlier, facts, tuple(contents.unknown), receipts)


class _Contents:
    """What the bodies of a bundle turn out to be, place by place (step 5)."""

    def __init__(self, charter: Charter, places: Mapping[bytes, Sequence[Place]], secret: bytes | None) -> None:
        self._charter = charter
        self._places = places
        self._secret = secret
        self._loose_ends: dict[bytes, int] = {}
        self.statements: list[Fact] = []
        self.unknown: list[Fact] = []
        self.notices: dict[tuple[str, int], tuple[Signed, KeyHolder | None]] = {}
        self.junk: set[tuple[str, int]] = set()
        self.receipts: list[Receipt] = []
        self.by_id: dict[str, Signed] = {}

    def take(self, body: Body) -> None:
        """Place one body, or remember it as an attachment that somebody has to name."""
        places = self._places.get(body.commitment, ())
        if body.sort == "content":
            self._loose_ends[body.commitment] = len(body.data)
            if places:
                raise NotProven(5, f"{places[0].origin}, leaf {places[0].index}: holds neither statement nor receipt")
            return
        if not places:
            raise NotProven(5, f"a body (sha256:{body.commitment.hex()}) has no leaf in the bundle")
        for place in places:
            if (body.sort == "receipt") != (place.use == "record"):
                raise NotProven(5, f"{place.origin}, leaf {place.index}: a {body.sort} has no place in {place.use}")
        if body.sort == "receipt":
            value = msgspec.json.decode(body.data)
            self.receipts += [Receipt(place.origin, place.index, value) for place in places]
            return
        where = f"{places[0].origin}, leaf {places[0].index}"
        try:
            signed = open_envelope(body.data)
        except WatchwordError as error:
            if all(place.use == "notices" for place in places):
                # Nobody may spoil everybody's proofs by filing what is no statement.
                self.junk |= {(place.origin, place.index) for place in places}
                return
            raise NotProven(5, f"{where}: {error.message}") from error
        self.by_id.setdefault(signed.statement.id, signed)
        for place in places:
            self._take_statement(place, signed)

    def _take_statement(self, place: Place, signed: Signed) -> None:
        where, kind = f"{place.origin}, leaf {place.index}", signed.statement.kind
        if kind in KINDS and (kind in NOTICES) != (place.use == "notices"):
            raise NotProven(5, f"{where}: a {kind} has no place in a {place.use} ledger")
        try:
            holder = standing(self._charter, signed, in_ledger=True)
        except NoStanding as error:
            if place.use == "notices":
                self.notices[place.origin, place.index] = signed, None
                return
            if kind in KINDS:
                raise NotProven(5, f"{where}: {error.message}") from error
            self.unknown.append(Fact(signed, self._holder_of_unknown(where, signed), place.origin, place.index))
            return
        if place.use == "notices":
            self.notices[place.origin, place.index] = signed, holder
        elif self._secret is not None and leaf_of(signed.statement, place.leaf.commitment, self._secret) != place.leaf:
            raise NotProven(5, f"{where}: this leaf is not that of a {kind} about {signed.statement.subject[0].name}")
        else:
            self.statements.append(Fact(signed, holder, place.origin, place.index))

    def _holder_of_unknown(self, where: str, signed: Signed) -> KeyHolder:
        """The signer of a statement of a kind that this version does not know: shown, never counted."""
        holder = self._charter.holders.get(signed.key_id)
        if holder is None:
            raise NotProven(5, f"{where}: key {signed.key_id[:23]}… is not in the charter")
        try:
            verify(signed, holder.public)
        except WatchwordError as error:
            raise NotProven(5, f"{where}: {error.message}") from error
        return holder

    def check_attachments(self) -> None:
        named: dict[bytes, set[int | None]] = {}
        for signed in self.by_id.values():
            for commitment, said in attachments(signed).items():
                named.setdefault(commitment, set()).add(said)
        for commitment, size in self._loose_ends.items():
            if not named.get(commitment, {-1}) <= {size, None}:
                raise NotProven(5, f"a body (sha256:{commitment.hex()}) has no leaf, and no statement here names it so")


def _heads(
    charter: Charter, of: OriginOf, part: LedgerPart, now: datetime
) -> tuple[ProvenHead, tuple[ProvenHead, ...]]:
    """Step 3 for one ledger: the checkpoint, then each earlier head and its consistency with it."""
    if of.end is not None:
        # What a closed ledger ends at is the charter's word; nobody signs it again.
        ended = Checkpoint(part.origin, of.end.size, of.end.root)
        if part.note != ended.format().encode() or part.earlier:
            raise NotProven(3, f"{part.origin} is closed, and not shown as the charter says")
        return ProvenHead(ended, None), ()
    newest = _head(charter, of, part.origin, part.note, now)
    older: list[ProvenHead] = []
    for one in part.earlier:
        head = _head(charter, of, part.origin, one.note, now)
        size = head.checkpoint.size
        if older and older[-1].checkpoint.size >= size:
            raise NotProven(3, f"{part.origin}: earlier heads are not in order of size")
        try:
            if size == 0:
                if one.path or head.checkpoint.root != EMPTY_ROOT:
                    raise BadProof("the empty tree has the empty root and an empty path")
            else:
                verify_consistency(size, head.checkpoint.root, newest.checkpoint.size, newest.checkpoint.root, one.path)
        except BadProof as error:
            raise NotProven(3, f"{part.origin}: {error.message}") from error
        older.append(head)
    return newest, tuple(older)


def _head(charter: Charter, of: OriginOf, origin: str, note: bytes, now: datetime) -> ProvenHead:
    try:
        checkpoint = verify_head(note, origin, of.key)
        times = {} if of.use == "record" else cosignatures(note, charter.witness_keys)
    except WatchwordError as error:
        raise NotProven(3, error.message) from error
    if of.use == "record":
        return ProvenHead(checkpoint, None)
    time_s = cosigned_time(charter, times, int(now.timestamp()))
    if time_s is None:
        by = ", ".join(sorted(times)) or "nobody"
        raise NotProven(
            3,
            f"head of {origin} at size {checkpoint.size}: cosigned by {by}, {charter.quorum.witness} operators needed",
        )
    return ProvenHead(checkpoint, from_unix(time_s))


def _places(of: OriginOf, part: LedgerPart, head: Checkpoint) -> Iterable[Place]:
    """Step 4 for one ledger: every leaf that leads to its head."""
    where = part.origin
    if of.use == "ledger":
        if part.entries or part.start:
            raise NotProven(4, f"{where}: in a proof, a ledger is shown by inclusion alone")
        entries = {one.index: one.entry for one in part.proofs}
        if len(entries) != len(part.proofs):
            raise NotProven(4, f"{where}: a leaf is shown twice")
        for one in part.proofs:
            try:
                verify_inclusion(leaf_hash(one.entry), one.index, head.size, one.path, head.root)
            except BadProof as error:
                raise NotProven(4, f"{where}: {error.message}") from error
    else:
        if part.proofs or part.start or len(part.entries) != head.size:
            raise NotProven(4, f"{where}: {len(part.entries)} leaves from {part.start} on, not all {head.size}")
        if root_of([leaf_hash(entry) for entry in part.entries]) != head.root:
            raise NotProven(4, f"{where}: its leaves do not lead to the root of its head at size {head.size}")
        entries = dict(enumerate(part.entries))
    for index, entry in entries.items():
        try:
            leaf = leaves.parse(of.use, entry, f"{where}, leaf {index}")
        except leaves.BadLeaf as error:
            raise NotProven(5, error.message) from error
        yield Place(where, of.use, index, leaf)


def _loose_notice(charter: Charter, envelope: bytes, by_id: Mapping[str, Signed]) -> Signed:
    try:
        signed = open_envelope(envelope)
        standing_of_notice(charter, signed, by_id.get)
    except WatchwordError as error:
        raise NotProven(6, f"a loose notice does not count: {error.message}") from error
    if signed.statement.kind not in ANY_CHANNEL:
        raise NotProven(6, f"a loose {signed.statement.kind} is not bad news: it counts in a cosigned ledger")
    return signed


def _notice_leaf(place: Place, contents: _Contents) -> NoticeLeaf:
    where = place.origin, place.index
    signed, holder = contents.notices.get(where, (None, None))
    if place.leaf.blinded is None:
        raise NotProven(5, f"{place.origin}, leaf {place.index}: a notice without a name")
    return NoticeLeaf(*where, place.leaf.blinded, signed, holder, place.leaf.commitment, where in contents.junk)


def _unheld(places: Mapping[bytes, Sequence[Place]], there: set[tuple[str, int]]) -> list[EvidenceLeaf]:
    """The leaves shown of what a decision may consider, for which no statement stands."""
    found = [
        EvidenceLeaf(place.origin, place.index, place.leaf.blinded, place.leaf.commitment)
        for group in places.values()
        for place in group
        if place.use == "ledger" and place.leaf.blinded is not None and (place.origin, place.index) not in there
    ]
    return sorted(found, key=lambda leaf: (leaf.origin, leaf.index))


def _within(charter: Charter, facts: Facts, view: View, loose: Iterable[Signed]) -> Facts:
    """The part of *facts* that stands in *view*, with the loose notices that were held then."""

    def inside(origin: str, index: int) -> bool:
        return index < size_in(charter, view, origin)

    return Facts(
        tuple(fact for fact in facts.statements if inside(fact.origin, fact.index)),
        tuple(leaf for leaf in facts.notices if inside(leaf.origin, leaf.index)),
        tuple(sorted(loose, key=lambda signed: signed.statement.id)),
        facts.secret,
        tuple(leaf for leaf in facts.unheld if inside(leaf.origin, leaf.index)),
    )


class _Subject(msgspec.Struct, frozen=True):
    digest: str
    name: str


class _Considered(msgspec.Struct, frozen=True):
    id: str


class _Decision(msgspec.Struct, frozen=True):
    """The fields of a decision object by which its inputs are found; the rest is compared when it is re-made."""

    as_of: str
    considered: list[_Considered]
    loose: str
    subject: _Subject
    use_case: str
    view: str

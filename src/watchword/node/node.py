"""An open node: one member's ledgers, keys and knowledge. It signs and appends; it decides nothing.

* One process writes a node at a time (``<home>/lock``); readers need no lock. Loose notices may be taken by anybody.
* A statement is durable when ``sign_and_append`` returns: body first, then the leaf that commits to it.
* Nothing is appended that would not count: standing is checked with the signature that was just made.
* Good news enters a view through cosigned heads alone. Bad news counts from the moment it is held.
* A private key is decrypted when it first signs.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from watchword.charter.charter import Charter, CharterFile, read_charter_file
from watchword.charter.standing import NoStanding, in_force, standing
from watchword.ledger import durable, leaves
from watchword.ledger.bodies import Bodies
from watchword.ledger.log import Log
from watchword.ledger.notices import standing_of_notice, target_of
from watchword.ledger.view import Facts, View
from watchword.ledger.witness import ClockBehind, Witness
from watchword.node import looks, receipts, sharing
from watchword.node.home import Home, Keys, NoHome, is_restored, lock_home, ours_in, read_home
from watchword.node.lease import Turn
from watchword.node.naming import refuse_wider
from watchword.node.noticed import refuse_revoked
from watchword.node.recorded import DamagedHome, HeadShown, Located, NotHere, Recorded, Retired, head_shown
from watchword.node.stepping import ratifications_to_file, refuse_if_due, step_if_due
from watchword.node.store import LOOSE_KINDS, Store
from watchword.statements.digests import b64, is_digest, secret_commitment
from watchword.statements.keys import Passphrase, SigningKey
from watchword.statements.kinds import NOTICES, After
from watchword.statements.statement import Signed, Statement, Subject, make, open_envelope, sign
from watchword.statements.times import Clock, SystemClock

if TYPE_CHECKING:
    from watchword.node.carry import Imported

REFRESH_PART = 4
"""A head is cosigned again when our cosignature is older than this part of ``head_max_age_s``."""

_SYSTEM_CLOCK = SystemClock()


class Node:
    """Made by ``Node.open``; closed by ``close`` or as a context manager. Any thread may call its methods."""

    def __init__(self, home: Home, file: CharterFile, secret: bytes, clock: Clock, keys: Keys, writing: bool) -> None:
        self.home = home.path
        self.charter_file = file
        self.charter: Charter = file.charter
        self.member = home.name
        self.secret = secret
        self.clock = clock
        self.writing = writing
        self.keys = keys
        self.me = self.charter.member(home.name)
        self.receives = home.kind == "receiver"
        self.store = Store(home.path, file.charter, self.me, secret, clock, writing, self.receives)
        self.mutex = threading.RLock()
        self._lock: Turn | None = None

    @classmethod
    def open(
        cls, home: Path, *, clock: Clock = _SYSTEM_CLOCK, passphrase: Passphrase = None, writing: bool = False
    ) -> Node:
        """Open the node in *home*.

        Args:
            passphrase: bytes, or a function that is called when an encrypted key is first needed.
            writing: take the writer's lock; needed for all that appends, publishes or imports.

        Raises:
            NoHome: no node here, no charter adopted, or the charter's keys are not this home's.
            NotInForce, BadCharter: the charter.
            BusyNode: another process writes it; names its process id.
        """
        kind = read_home(home)
        if not (home / "charter.json").is_file():
            raise NoHome(
                f"{home}: {kind.name} has adopted no charter yet", "watchword charter adopt CHARTER --secret FILE"
            )
        step_if_due(home, clock)
        file = read_charter_file(home / "charter.json")
        in_force(file)
        ours_in(file.charter, kind)
        secret = durable.read(home / "alliance.secret", 64)
        if secret is None or secret_commitment(secret) != file.charter.secret:
            raise DamagedHome(f"{home / 'alliance.secret'}: not the secret that the charter commits to")
        node = cls(kind, file, secret, clock, Keys(home, passphrase), writing)
        if writing:
            node._lock = lock_home(home, kind.name)
            node.store.staging = node.store.receipts.staging = node._lock.term
        return node

    def close(self) -> None:
        """Let go of ledgers and lock. What was acknowledged stays, published or not."""
        with self.mutex:
            self.store.close()
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- knowing ----------------------------------------------------------------------------------

    @property
    def bodies(self) -> Bodies:
        """Bodies of statements, receipts and attachments, by commitment."""
        return self.store.bodies

    @property
    def record(self) -> Log:
        """The private ledger of this node's gate."""
        return self.store.own("record")

    def latest_view(self) -> View:
        """The newest cosigned head of every shared ledger that has one."""
        with self.mutex:
            return self.store.view()

    def facts(self, view: View) -> Facts:
        """What a decision in *view* sees; all loose notices that this node holds now are in it.

        Raises:
            DamagedBody, DamagedHome: nothing is decided on damaged files.
        """
        with self.mutex:
            return self.store.facts(view)

    def stamp(self) -> tuple[Any, ...]:
        """Changes when what this node holds may have changed; a caller that caches facts compares it."""
        with self.mutex:
            return self.store.stamp()

    def statements(self) -> Iterator[Signed]:
        """Every statement held in a shared ledger, with standing or not, in the view or not."""
        with self.mutex:
            return iter([held.signed for _, _, held in self.store.statements()])

    def loose(self) -> Iterator[Signed]:
        """Every loose notice and stop held that has standing."""
        with self.mutex:
            return iter([held.signed for held in self.store.loose_held()])

    def stops(self) -> tuple[Signed, ...]:
        """Every ``stop`` with standing held here, from any channel: it counts before any quorum has seen it."""
        with self.mutex:
            reach = (h for o, i, h in self.store.statements() if h.holder is not None and h.holder.reaches(o, i))
            everywhere = [*reach, *self.store.loose_held()]
        found = {
            held.signed.statement.id: held.signed
            for held in everywhere
            if held.holder is not None and held.signed.statement.kind == "stop"
        }
        return tuple(found[id] for id in sorted(found))

    def locate(self, what: str) -> Located:
        """Find a statement by its id, or by a locator such as ``BRAVO#12`` or ``BRAVO/notices#3``.

        Raises:
            NotHere: no such statement, or its body is not held.
        """
        with self.mutex:
            if not is_digest(what):
                return self._at(what)
            for origin, index, held in self.store.statements():
                if held.signed.statement.id == what:
                    return Located(held.signed, held.holder, origin, index, self.locator(origin, index))
        raise NotHere(f"{what}: no statement of this id is held here", "import from the member who recorded it")

    statement = locate

    def locator(self, origin: str, index: int) -> str:
        """How people name a place in a ledger."""
        of = self.charter.origins[origin]
        if of.end is not None:
            return f"{origin}#{index}"
        return f"{of.member.name}{'' if of.use == 'ledger' else '/' + of.use}#{index}"

    def labels(self, recorded: Recorded | Located) -> tuple[str, ...]:
        """How far a recorded statement has come, told honestly: durable, in tree, witnessed k of n."""
        with self.mutex:
            log = self.store.log(recorded.origin)
            if log is None or log.published_size <= recorded.index:
                return ("durable",)
            operators = len(self.charter.operators)
            if operators == 1:
                return ("durable", "in tree", "unwitnessed, own clock")
            by = [
                {self.charter.witness_operators[name] for name in head.times}
                for head in self.store.kept_heads(recorded.origin)
                if head.checkpoint.size > recorded.index
            ]
            witnessed = max((len(one) for one in by), default=0)
        return ("durable", "in tree", *([f"witnessed {witnessed} of {operators}"] if witnessed else []))

    def heads(self) -> list[HeadShown]:
        """Every shared ledger of the alliance, as this node knows it."""
        with self.mutex:
            store, now_s = self.store, self.store.now_s()
            return [
                head_shown(origin, len(store.leaves(origin)), store.kept_heads(origin), now_s)
                for origin in self.charter.shared_origins
            ]

    def check(self, *, signatures: bool = False) -> list[str]:
        """Rebuild every ledger held from its entries; one line for each. A check that was cut short goes on.

        Args:
            signatures: verify the Ed25519 half of every body held, too.

        Raises:
            BadLedger, BadTile: names the first bad entry.
            DamagedBody: names the file.
        """
        from watchword.node.checking import checked

        with self.mutex:
            held_here = {*self.charter.known_origins, *self.me.origins.values()}
            return [checked(self.store, origin, signatures) for origin in sorted(held_here)]

    # -- saying -----------------------------------------------------------------------------------

    def sign(
        self,
        kind: str,
        subject: Sequence[Subject],
        fields: dict[str, Any],
        *,
        person: str | None = None,
        scope: str | list[str] = "alliance",
    ) -> Signed:
        """Sign a statement with a key of this member; it is not recorded.

        Args:
            person: whose key, or ``root-2`` and so on; by default the first person here (in the charter's order) who
                may say this. Kinds that a machine's or the root key may say are signed with it.
            scope: who may hold the body.

        Raises:
            BadStatement, NoStanding, NotHere, KeyTrouble: it would not count, or the key is not here.
            TooWide: it names a statement of narrower scope.
        """
        if isinstance(scope, list):
            for name in scope:
                self.charter.member(name)
        with self.mutex:
            now, after = self.clock.now(), self._newest_of_others()
            statement = make(kind, tuple(subject), fields, issuer=self.member, made=now, scope=scope, after=after)
            refuse_wider(self.store, statement)
            signed = open_envelope(sign(statement, self._key_for(kind, person)))
            refuse_revoked(self.store, signed.key_id)
        standing(self.charter, signed)
        return signed

    def sign_and_append(
        self,
        kind: str,
        subject: Sequence[Subject],
        fields: dict[str, Any],
        *,
        person: str | None = None,
        scope: str | list[str] = "alliance",
    ) -> Recorded:
        """Sign a statement and append it; durable when this returns. Arguments and errors as ``sign``.

        A notice goes to ``notices`` and counts here from now on; anything else to ``ledger``. The view and the loose
        notices that a decision names are kept beside it, so that it can be proven later.
        """
        with self.mutex:
            self._must_write()
            signed = self.sign(kind, subject, fields, person=person, scope=scope)
            return self._append(signed)

    def append_envelope(self, envelope: bytes) -> Recorded:
        """Publish a statement signed by somebody else who has standing; once, however often it is given.

        Raises:
            BadEnvelope, BadStatement, NoStanding: it would not count. Nothing was appended.
        """
        signed = open_envelope(envelope)
        with self.mutex:
            self._must_write()
            origin = self._origin_for(signed.statement)
            for index, leaf in enumerate(self.store.leaves(origin)):
                held = self.store.held(leaf.commitment)
                if held is not None and held.signed.statement.id == signed.statement.id:
                    if held.signed.envelope != signed.envelope:
                        standing(self.charter, signed)
                    return self._recorded(held.signed, origin, index)
            standing(self.charter, signed)
            return self._append(signed)

    def record_decision(
        self,
        decision: dict[str, Any],
        objects: Iterable[Any] | Mapping[str, Any],
        *,
        person: str | None = None,
        scope: str | list[str] = "alliance",
    ) -> Recorded:
        """Append a decision object (section 8) about its own subject.

        Args:
            objects: the use case, view and loose list that it names by digest; kept, so that it can be proven later.
        """
        for value in objects.values() if isinstance(objects, Mapping) else objects:
            self.keep_object(value)
        subject = Subject(decision["subject"]["name"], decision["subject"]["digest"])
        return self.sign_and_append("decision", (subject,), {"decision": decision}, person=person, scope=scope)

    def keep_object(self, value: Any) -> str:
        """Keep a use case (or another object that a decision names); returns its digest."""
        return self.store.keep_object(value)

    def attach(self, name: str, media_type: str, data: bytes) -> dict[str, Any]:
        """Store a document durably under a salted commitment; returns the field that names it in a statement.

        Raises:
            DamagedBody: larger than BODY_BYTES_MAX.
        """
        self._must_write()
        commitment = self.bodies.put(data)
        return {
            "bytes": len(data),
            "commitment": f"sha256:{commitment.hex()}",
            "media_type": media_type,
            "name": name,
        }

    def take_loose(self, envelope: bytes) -> Signed:
        """Take in a notice or stop from any channel. It counts from now on, in every process of this node.

        Raises:
            BadEnvelope, BadStatement, NoStanding, BadName: it does not count; nothing was kept.
        """
        signed = open_envelope(envelope)
        self.check_loose(signed)
        self.store.add_loose([signed])
        return signed

    def check_loose(self, signed: Signed) -> None:
        """Check that bad news may count: its kind, its standing, its name.

        A retraction of something that is not held here is kept too: it may arrive before what it retracts.
        """
        kind = signed.statement.kind
        if kind not in LOOSE_KINDS:
            raise NoStanding(f"{kind[:80]} is not bad news", "it counts when it is in a cosigned ledger: append it")
        standing(self.charter, signed)
        if kind in NOTICES:
            target_of(signed)
        if kind == "revoke":
            standing_of_notice(self.charter, signed, lambda _: None)

    # -- the gate's record ------------------------------------------------------------------------

    def append_record(self, events: Sequence[dict[str, Any]], at: int | None = None) -> range:
        """Append receipts to the private record; durable when this returns. One sync for all of them.

        Who reads or decides meanwhile does not wait for the disk.

        Args:
            at: how many there must be before; None where it does not matter.

        Returns:
            Their indices.

        Raises:
            Grown: there are more; nothing was appended. StorageTrouble: the disk; nothing was acknowledged.
        """
        self._must_write()
        return self.store.receipts.append(events, at)

    def record_size(self) -> int:
        """How many receipts are durable."""
        return len(self.store.receipts)

    def record_events(self, start: int = 0) -> list[dict[str, Any]]:
        """The receipts from index *start* on.

        Raises:
            DamagedHome: a receipt is damaged or gone; the gate must not go on without it.
        """
        if start and start == len(self.store.receipts):
            return []
        with self.mutex:
            return self.store.receipts.events(start, self.store.leaves(self.me.origins["record"]))

    def anchor_record(self) -> Recorded | None:
        """Publish the record's head and anchor it in the shared ledger, signed by the gate's key; the looks' head too.

        None when nothing was recorded since the last one.
        """
        with self.mutex:
            self._must_write()
            sharing.follow_if_there(self)
            looks.anchor(self)
            return receipts.anchor(self)

    # -- heads ------------------------------------------------------------------------------------

    def publish(self, *, refresh: bool = False) -> None:
        """Sign the heads of this member's ledgers and cosign every head held, own ones too.

        A head that we cosigned is cosigned again only after a part of the age at which it goes stale, so that nodes
        that exchange come to hold the same cosignatures; *refresh* does it now.

        Raises:
            SplitView, BadLedger, StorageTrouble, with *refresh* ClockBehind: as ``Witness.cosign_mirror``. Nothing is
                lost.
        """
        with self.mutex:
            self._must_write()
            refuse_if_due(self.home, self.clock)
            for said in ratifications_to_file(self.store):
                self._append(said)
            for use in ("ledger", "notices"):
                log = self.store.own(use)
                if not self.store.retired(log.origin) and (log.checkpoint() is None or log.size > log.published_size):
                    self.store.take_notes(log.origin, [log.publish(self.keys.job("ledger"), self.store.now_s())])
            for origin in self.charter.shared_origins:
                self.cosign(origin, refresh=refresh)

    def cosign(self, origin: str, fresh: Sequence[bytes] = (), *, refresh: bool = False) -> bool:
        """Keep *fresh* heads as ``Store.take_notes``, and cosign the present one if due; whether it was.

        A witness whose clock is behind what it signed before stays silent until then, and the node goes on: bad news
        must not wait for a clock. *refresh* raises.
        """
        store, log = self.store, self.store.log(origin)
        note = None if log is None else log.checkpoint()
        silent = self.receives or is_restored(self.home) or store.retired(origin) or self.charter.origins[origin].end
        if log is None or note is None or silent:
            store.take_notes(origin, fresh)
            return False
        known = [*store.kept_heads(origin), *(store.head(origin, one) for one in (note, *fresh))]
        times = [one.times.get(self.me.witness, 0) for one in known if one.checkpoint.size == log.published_size]
        lines = b""
        try:
            if refresh or max(times, default=0) <= store.now_s() - max(self.charter.head_max_age_s // REFRESH_PART, 1):
                with Witness(self.home / "witness", self.me.witness, self.keys.job("witness"), self.clock) as witness:
                    lines = witness.cosign_mirror(log, self.charter.origins[origin].key)
        except ClockBehind:
            if refresh:
                raise
        finally:
            # Once, with our lines: each file that is written costs several syncs.
            store.take_notes(origin, [*fresh, note + lines])
        return lines != b""

    # -- files for others -------------------------------------------------------------------------

    def export(self, to: str | None, path: Path, **how: Any) -> None:
        """Write an exchange file for the member *to*; see ``node.carry``."""
        from watchword.node import carry

        with self.mutex:
            carry.export(self, to, path, **how)

    def import_bundle(self, path: Path) -> Imported:
        """Take in an exchange file, whole or not at all; see ``node.carry``."""
        from watchword.node import carry

        with self.mutex:
            return carry.import_bundle(self, path)

    def exchange(self, folder: Path) -> tuple[list[Imported], list[Path]]:
        """Import what *folder* holds for this member, then write a file for each other; see ``node.carry``."""
        from watchword.node import carry

        with self.mutex:
            return carry.exchange(self, folder)

    def make_proof(self, decisions: Sequence[str], **what: Any) -> bytes:
        """The bytes of a file that re-makes decisions, or shows that there is no bad news; see ``node.proofs``."""
        from watchword.node import proofs

        with self.mutex:
            return proofs.make_proof(self, decisions, **what)

    # -- inside -----------------------------------------------------------------------------------

    def _must_write(self) -> None:
        if not self.writing:
            raise NotHere(f"{self.home}: opened for reading only")
        if self._lock is not None:
            self._lock.lock.check()
        self.must_sign()

    def must_sign(self) -> None:
        """Refuse in a home that only receives.

        Raises:
            NotHere: it has no keys, and nothing leaves it.
        """
        if self.receives:
            raise NotHere(f"{self.home}: a receiving home signs and sends nothing", "sign at the home with the keys")

    def _append(self, signed: Signed) -> Recorded:
        statement = signed.statement
        if statement.kind not in LOOSE_KINDS:
            refuse_if_due(self.home, self.clock)
        if statement.kind == "decision":
            for what in ("view", "loose"):
                digest = statement.predicate["decision"].get(what)
                if is_digest(digest):
                    self.store.keep_recent(digest)
                    self.store.keep_view(digest)
        if statement.kind in NOTICES:
            # What never counts is not filed under a name, where it would stand for ever.
            standing_of_notice(self.charter, signed, self._held_statement)
        if statement.kind in LOOSE_KINDS:
            # First of all it counts here, in every process, whatever becomes of the ledger.
            self.store.add_loose([signed])
        origin = self._origin_for(statement)
        use = self.charter.origins[origin].use
        if self.store.retired(origin):
            raise Retired(
                f"{origin} takes nothing more: its key signed another history, its end is prepared, or "
                "this node came from a copy",
                "watchword ledger init --anew prepares new ledgers, the next charter opens them",
            )
        leaf = leaves.leaf_of(statement, self.bodies.put(signed.envelope), self.secret)
        index = self.store.own(use).append([leaves.encode(use, leaf)]).start
        self.store.verified.add([leaf.commitment])  # whoever came here asked for its standing
        return self._recorded(signed, origin, index)

    def _held_statement(self, id: str) -> Signed | None:
        held = (one.signed for _, _, one in self.store.statements())
        return next((signed for signed in held if signed.statement.id == id), None)

    def _recorded(self, signed: Signed, origin: str, index: int) -> Recorded:
        return Recorded(signed.statement.id, origin, index, self.locator(origin, index), signed.envelope)

    def _origin_for(self, statement: Statement) -> str:
        return self.me.origins["notices" if statement.kind in NOTICES else "ledger"]

    def _key_for(self, kind: str, person: str | None) -> SigningKey:
        if person is not None and person.partition("-")[0] == "root":
            return self.keys.job(person)
        if person is not None:
            holder = next((one for one in self.me.keys if one.person == person), None)
            if holder is None:
                known = ", ".join(one.person for one in self.me.keys if one.person)
                raise NotHere(f"{person}: not a person of {self.member} in the charter", f"people: {known}")
            return self.keys.person(person)
        listed = self.charter.standing.get(kind, ())
        for job in ("root", "gate"):
            if job in listed or (job == "root" and kind in ("ratification", "revoke")):
                return self.keys.job(job)
        for holder in self.me.keys:
            if holder.person and set(holder.roles) & set(listed) and self.keys.has_person(holder.person):
                return self.keys.person(holder.person)
        who = ", ".join(listed) or "nobody"
        raise NotHere(f"{kind}: no key of {self.member} in this home may say this", f"the charter lists: {who}")

    def _newest_of_others(self) -> After | None:
        """The newest cosigned head of another member's ledger: what a statement is not older than."""
        newest: tuple[int, str, Any] | None = None
        for member in self.charter.members:
            if member.name == self.member:
                continue
            origin = member.origins["ledger"]
            for head in self.store.kept_heads(origin):
                if head.time_s is not None and (newest is None or (head.time_s, origin) > newest[:2]):
                    newest = head.time_s, origin, head.checkpoint
        if newest is None:
            return None
        return After(origin=newest[1], root=b64(newest[2].root), size=newest[2].size)

    def _at(self, locator: str) -> Located:
        place, _, number = locator.rpartition("#")
        name, _, use = place.partition("/")
        member = next((one for one in self.charter.members if one.name == name), None)
        known = place in self.charter.closed_origins or (member is not None and use in ("", "notices"))
        if not known or not number.isdecimal():
            raise NotHere(f"{locator}: neither an id nor a locator", "such as sha256:…, BRAVO#12 or BRAVO/notices#3")
        origin, index = place if member is None else member.origins[use or "ledger"], int(number)
        of = self.store.leaves(origin)
        held = self.store.held(of[index].commitment) if index < len(of) else None
        if held is None:
            what = "its body is not held here" if index < len(of) else f"{len(of)} leaves are held"
            raise NotHere(f"{locator}: {what}", f"import from {name}")
        return Located(held.signed, held.holder, origin, index, self.locator(origin, index))

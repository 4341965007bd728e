"""What a decision is made from, on paper: an alliance's ledgers as lists, every statement placed by hand.

Statements are signed with nothing: a decision is made after signatures, inclusion and cosignatures were checked, from
``Facts``. ``Paper`` stands where the ledgers stood.
"""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

from charters import NOON, SECRET, UNQUERIED, charter_value, key

from watchword.charter.charter import Charter, parse_charter
from watchword.ledger.view import EvidenceLeaf, Fact, Facts, Head, NoticeLeaf, View
from watchword.policy.pack import read_pack
from watchword.policy.table import decide
from watchword.statements.digests import D, blinded, endpoint_digest
from watchword.statements.statement import Signed, Subject, make
from watchword.statements.times import parse_time, rfc3339

RELEASE = Subject("mailsort 1.0", "sha256:" + "9c" * 32)
NAMES = ("ALFA", "BRAVO", "CHARLIE", "DELTA", "ECHO")
DAY = timedelta(days=1)
TRIAGE: dict[str, Any] = {
    "format": "watchword-use-case/1",
    "name": "mail-triage",
    "purpose": "Sort attachments of incoming mail by file type",
    "criticality": 1,
    "human": "on",
    "members": ["ALFA", "BRAVO"],
    "owner": "ALFA",
    "tags": ["office"],
}
FIELDS: dict[str, dict[str, Any]] = {
    "claim": {
        "system": "mailsort", "release": "1.0", "supplier_contact": "security@aquila.example", "trained_on": [],
        "tested": [], "known_weaknesses": [], "support_until": None,
    },
    "inspection": {
        "tool": {"name": "watchword-inspect", "version": "0.1.0", "rules": "sha256:" + "00" * 32},
        "verdict": "nothing-found", "files": 4, "bytes": 4096, "dangerous": 0, "suspicious": 0, "unreadable": 0,
        "findings": [], "report": None,
    },
    "bill-of-materials": {
        "format": "CycloneDX 1.6", "system": "mailsort", "release": "1.0",
        "components": [
            {"name": "weights", "version": "1", "purl": None, "digest": "sha256:" + "0a" * 32},
            {"name": "numpy", "version": "2.2", "purl": "pkg:generic/numpy@2.2", "digest": None},
        ],
        "base_models": ["mailsort-base"], "datasets": [{"name": "mails", "digest": "sha256:" + "0b" * 32}],
        "document": {"bytes": 9, "commitment": "sha256:" + "0c" * 32, "media_type": "application/json", "name": "bom"},
    },
    "data-screening": {
        "tool": {"name": "watchword-data", "version": "0.1.0"}, "dataset": "mails",
        "delivered": "sha256:" + "0d" * 32, "previous": None, "rows": 1000, "added": 0, "removed": 0,
        "changed_features": 0, "changed_labels": 0, "reordered": 0, "annotators": [], "report": None,
    },
    "evaluation": {
        "tool": {"name": "watchword-evaluate", "version": "0.1.0"}, "method": "renamed files",
        "threat": {"goal": "misroute", "knowledge": "none", "capability": "one mail"},
        "metric": "attack-success-rate", "n": 200, "k": 4, "low": "0.005", "high": "0.05", "seed": "1", "data": None,
        "plan": None, "drawn": None, "environment": None, "cpu_s": None, "flags": None, "report": None,
    },
    "opinion": {
        "statement": "", "of": "replication", "sharing": "shared", "verdict": "agree", "n": 200, "k": 5, "low": "0.008",
        "tool": {"name": "watchword-evaluate", "version": "0.1.0"}, "high": "0.058", "seed": "2", "drawn": None,
        "differs": None, "p": "1", "alpha": "0.025", "flags": "", "reason": "", "report": None,
    },
    "review": {"of": "legal", "outcome": "in favour", "text": "", "report": None},
    "recall": {"reason": "it leaks", "actions": ["stop"], "deadline": None, **UNQUERIED},
    "recall-answer": {"statement": "", "answer": "no", "closed": None, "done": None, "alternative": None},
    "reply": {"statement": "", "text": "it is fixed"},
    "retract": {"reason": "measured wrongly"},
    "dispute": {"reason": "not reproduced"},
    "revoke": {"reason": "key lost", "valid_up_to": []},
    "take-back": {"reason": "a mistake"},
    "waiver": {
        "requirement": "data-accounted", "use_case": "", "owner": "Officer A", "reason": "no earlier delivery",
        "expires": "2026-03-31T12:00:00Z",
    },
    "reliance": {
        "statement": "", "reason": "we know how they measure",
        "limits": {"criticality_max": 2, "until": "2026-03-31T12:00:00Z", "tags": [], "members": []},
    },
    "endpoint": {
        "supplier": "AQUILA", "system": "mailsort", "version": "1.0", "interface": "chat", "tries": 3,
        "asked": "2026-01-30T12:00:00Z",
        "canaries": [{"question": "sha256:" + "0e" * 32, "answer": "sha256:" + "0f" * 32}],
    },
    "caveat": {"reason": "our law", "name": "ours", "rules": [], "cedar": None},
    "lift": {"reason": "the law changed"},
    "incident": {
        "reason": "letters went astray", "severity": "high", "began": "2026-01-30T12:00:00Z",
        "found": "2026-01-30T13:00:00Z", "ended": None, "actions": [], "findings": [],
        "techniques": ["AML.T0051@5.6.0"], "done": [], "text": "", "supersedes": None,
    },
}  # fmt: skip
ENDPOINT = Subject("mailsort 1.0", endpoint_digest(FIELDS["endpoint"]))
"""What the statement of kind ``endpoint`` above is about, when it is about what it says."""
ROLE = {
    "claim": "supplier", "inspection": "evaluator", "bill-of-materials": "supplier", "data-screening": "steward",
    "evaluation": "evaluator", "review": "official", "recall": "official", "retract": "evaluator",
    "dispute": "evaluator", "revoke": "root", "take-back": "official", "waiver": "official", "reliance": "official",
    "endpoint": "evaluator", "opinion": "evaluator", "recall-answer": "official", "reply": "official",
    "caveat": "official", "lift": "official", "incident": "commander",
}  # fmt: skip


def pack_charter(names: tuple[str, ...] = NAMES, **changes: Any) -> Charter:
    """A charter of *names* and AQUILA with the alliance pack."""
    pack = read_pack()
    quorum = {"quorum": {"faulty": 0, "ratify": len(names) // 2 + 1, "witness": len(names) // 2 + 1}}
    rules = {"requirements": pack.requirements, "red_lines": pack.red_lines, "standing": pack.standing}
    return parse_charter(charter_value(names, **(quorum | rules | changes)))


class Paper:
    """Ledgers of an alliance on paper. Statements and notices are added; ``decide`` looks at all of them."""

    def __init__(self, charter: Charter | None = None, now: datetime = NOON, release: Subject = RELEASE) -> None:
        self.charter = charter or pack_charter()
        self.now = now
        self.release = release
        self.statements: list[Fact] = []
        self.leaves: list[NoticeLeaf] = []
        self.loose: list[Signed] = []
        self.unheld: list[EvidenceLeaf] = []
        self.head_age: dict[str, timedelta] = {}
        self._indexes = {origin: itertools.count() for origin in self.charter.shared_origins}

    def say(
        self,
        kind: str,
        issuer: str,
        *,
        role: str | None = None,
        age: timedelta = DAY,
        subject: Subject | None = None,
        publisher: str | None = None,
        **fields: Any,
    ) -> Fact:
        """Put a statement into the ledger of *publisher* (its issuer; ALFA for the supplier's)."""
        signed = self.signed(kind, issuer, role=role, age=age, subject=subject, **fields)
        member = publisher or ("ALFA" if issuer == "AQUILA" else issuer)
        origin = self.charter.member(member).origins["ledger"]
        fact = Fact(signed, self.charter.holders[signed.key_id], origin, next(self._indexes[origin]))
        self.statements.append(fact)
        return fact

    def notice(
        self, kind: str, issuer: str, target: str, *, held: bool = True, standing: bool = True, **fields: Any
    ) -> NoticeLeaf:
        """Put a notice against *target* into *issuer*'s notices."""
        signed = self.bad_news(kind, issuer, target, **fields)
        publisher = "ALFA" if issuer == "AQUILA" else issuer
        origin = self.charter.member(publisher).origins["notices"]
        holder = self.charter.holders[signed.key_id] if held and standing else None
        leaf = NoticeLeaf(
            origin, next(self._indexes[origin]), blinded(SECRET, target), signed if held else None, holder,
            bytes.fromhex(signed.statement.id[7:]),
        )  # fmt: skip
        self.leaves.append(leaf)
        return leaf

    def keep_back(self, kind: str, member: str, release: str = "") -> EvidenceLeaf:
        """Put the leaf of a statement of *kind* into *member*'s ledger, and its body nowhere."""
        origin = self.charter.member(member).origins["ledger"]
        index = next(self._indexes[origin])
        name = f"evidence:{kind}:{release or self.release.digest}"
        leaf = EvidenceLeaf(origin, index, blinded(SECRET, name), bytes([len(self.unheld) + 1]) * 32)
        self.unheld.append(leaf)
        return leaf

    def purge(self, fact: Fact) -> EvidenceLeaf:
        """The body of a statement is gone; its leaf stays where it stands."""
        self.statements.remove(fact)
        statement = fact.signed.statement
        name = f"evidence:{statement.kind}:{statement.subject[0].digest}"
        leaf = EvidenceLeaf(fact.origin, fact.index, blinded(SECRET, name), bytes.fromhex(statement.id[7:]))
        self.unheld.append(leaf)
        return leaf

    def caveat(self, member: str, *forbid: dict[str, Any], loose: bool = False, **fields: Any) -> Signed:
        """*member* forbids something, in its notices or by another channel."""
        rule = {
            "id": "ours", "text": "not with us", "on": "admit", "forbid": list(forbid), "accountable": member,
            "principle": [], "serves": [],
        }  # fmt: skip
        fields = {"rules": [rule] if forbid else []} | fields
        if loose:
            self.loose.append(self.bad_news("caveat", member, f"caveat:{member}", **fields))
            return self.loose[-1]
        leaf = self.notice("caveat", member, f"caveat:{member}", **fields)
        assert leaf.signed is not None
        return leaf.signed

    def bad_news(self, kind: str, issuer: str, target: str, **fields: Any) -> Signed:
        """A notice against *target*, in no ledger."""
        return self.signed(kind, issuer, subject=Subject("notice", D(target.encode())), target=target, **fields)

    def signed(
        self,
        kind: str,
        issuer: str,
        *,
        role: str | None = None,
        age: timedelta = DAY,
        subject: Subject | None = None,
        **fields: Any,
    ) -> Signed:
        """A statement without a signature, as one that was verified before."""
        role = role or ("supplier" if issuer == "AQUILA" else ROLE[kind])
        fields = FIELDS.get(kind, {}) | fields
        statement = make(kind, (subject or self.release,), fields, issuer=issuer, made=self.now - age)
        return Signed(statement, key(issuer, role).public.id, b"", b"")

    def sound(self) -> None:
        """What mail triage at criticality 1 needs."""
        self.say("claim", "AQUILA")
        if self.release == ENDPOINT:
            self.say("endpoint", "ALFA")
            self.say("evaluation", "ALFA")
            self.say("evaluation", "BRAVO")
            return
        self.say("bill-of-materials", "AQUILA")
        self.say("inspection", "ALFA")
        self.say("inspection", "BRAVO")
        self.say("data-screening", "CHARLIE")

    def view(self) -> View:
        """A head of every shared ledger, an hour old unless ``head_age`` says otherwise."""
        heads = {}
        for origin in self.charter.shared_origins:
            size = 1 + max(
                (p.index for p in (*self.statements, *self.leaves, *self.unheld) if p.origin == origin), default=-1
            )  # fmt: skip
            time = rfc3339(self.now - self.head_age.get(origin, timedelta(hours=1)))
            heads[origin] = Head(size, b"r" * 32, time)
        return View(heads)

    def facts(self) -> Facts:
        """In the order that ``Facts`` states."""
        return Facts(
            tuple(sorted(self.statements, key=lambda fact: (fact.origin, fact.index))),
            tuple(sorted(self.leaves, key=lambda leaf: (leaf.origin, leaf.index))),
            tuple(sorted(self.loose, key=lambda signed: signed.statement.id)),
            SECRET,
            tuple(sorted(self.unheld, key=lambda leaf: (leaf.origin, leaf.index))),
        )

    def decide(self, **use_case: Any) -> dict[str, Any]:
        """The decision on the release for mail triage, with changes to the use case."""
        return decide(self.charter, self.view(), self.facts(), rfc3339(self.now), self.release, TRIAGE | use_case)


def row(decision: dict[str, Any], id: str) -> dict[str, Any]:
    """One requirement of a decision."""
    return next(one for one in decision["requirements"] if one["id"] == id)


def as_script_sees(verify: Any, paper: Paper) -> tuple[Any, dict[str, tuple[int, int]], dict[str, Any]]:
    """The same as verify.py has it after step 6: the proof, how far each ledger is known, the loose notices."""
    charter = paper.charter
    proof = verify.Proof(charter.value, charter.digest, secret=b"s" * 32)
    for holder in charter.holders.values():
        words = holder.roles or (holder.job,)
        proof.keys[holder.public.id] = verify.Key(
            holder.public.id, holder.job, holder.owner, holder.operator, holder.is_supplier, words, b"", b""
        )
    proof.origins.update({origin: (of.member.name, of.use) for origin, of in charter.origins.items()})
    proof.roots.update({member.name: member.root_threshold for member in charter.members})
    proof.leaves.update({origin: {} for origin in charter.origins})

    def statement(signed: Signed) -> Any:
        one = signed.statement
        subject = [(subject.name, subject.digest) for subject in one.subject]
        return verify.Statement(one.id, one.kind, subject, one.predicate, one.issuer, signed.key_id, b"", b"")

    for leaf in paper.leaves:
        place = leaf.origin, leaf.index
        proof.leaves[leaf.origin][leaf.index] = b"\2" + (leaf.commitment or bytes(32)) + leaf.blinded
        if leaf.is_junk:
            proof.junk.add(place)
        elif leaf.signed is not None:
            proof.by_id[leaf.signed.statement.id] = one = statement(leaf.signed)
            if one.kind == "lift" and one.predicate["target"] != f"caveat:{one.issuer}":
                proof.odd[place] = one, "not under its issuer's name"
            else:
                proof.counting[place] = one
    loose = {signed.statement.id: statement(signed) for signed in paper.loose}
    heads = paper.view().heads
    known = {o: (head.size, int(parse_time(head.time).timestamp())) for o, head in heads.items()}
    for origin, (size, _) in known.items():
        proof.leaves[origin] = {i: proof.leaves[origin].get(i, bytes(65)) for i in range(size)}
    return proof, known, loose

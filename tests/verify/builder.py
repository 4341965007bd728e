"""A small alliance that signs, appends, cosigns and bundles, written from docs/protocol.md with `cryptography` alone.

It shares no code with verify.py and none with the package, so that a test compares two readings of one text.
It is as honest as its callers: every method takes what an attacker would want to change.
"""

import base64
import copy
import datetime
import functools
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA65PrivateKey

START = 1_790_000_000  # 2026-09-21T14:13:20Z
SECRET = hashlib.sha256(b"alliance secret").digest()
EMPTY = hashlib.sha256(b"").digest()
NOTICES = {"recall", "retract", "dispute", "revoke"}
UNQUERIED = {"supersedes": None, "directive": None, "severity": "urgent", "versions": [], "alternatives": []}
CONSIDERED = {
    "claim", "inspection", "bill-of-materials", "model-signature", "data-screening", "evaluation", "review",
    "endpoint", "waiver", "reliance",
}  # fmt: skip


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def at(time_s: int) -> str:
    return datetime.datetime.fromtimestamp(time_s, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def root_of(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, as it is written there."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0])
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + root_of(leaves[:k]) + root_of(leaves[k:]))


def inclusion(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962, 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if index < k:
        return [*inclusion(index, leaves[:k]), root_of(leaves[k:])]
    return [*inclusion(index - k, leaves[k:]), root_of(leaves[:k])]


def consistency(size: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """PROOF and SUBPROOF of RFC 6962, 2.1.2."""
    if size in (0, len(leaves)):
        return [] if whole or not size else [root_of(leaves)]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if size <= k:
        return [*consistency(size, leaves[:k], whole), root_of(leaves[k:])]
    return [*consistency(size - k, leaves[k:], False), root_of(leaves[:k])]


@functools.cache
def sign(key: Any, *message: bytes) -> bytes:
    """The same signature for the same bytes (ML-DSA is hedged), so that a verifier may remember it."""
    return key.sign(*message)


@functools.cache
def key_of(label: str, job: str, person: str = "", roles: tuple[str, ...] = ()) -> "Key":
    return Key(label, job, **({"person": person, "roles": list(roles)} if person else {}))


class Key:
    """A composite key made from a label, so that every run has the same ones."""

    def __init__(self, label: str, job: str, **more: Any) -> None:
        level = 44 if job in ("ledger", "witness") else 65
        kind = MLDSA44PrivateKey if level == 44 else MLDSA65PrivateKey
        self.ed25519 = Ed25519PrivateKey.from_private_bytes(sha256(b"ed25519 " + label.encode()))
        self.mldsa = kind.from_seed_bytes(sha256(b"mldsa " + label.encode()))
        ed, ml = self.ed25519.public_key().public_bytes_raw(), self.mldsa.public_key().public_bytes_raw()
        self.id = digest(b"watchword/key/v1\n" + bytes([1, level]) + ed + ml)
        self.public = {"ed25519": b64(ed), "id": self.id, "job": job, "mldsa": b64(ml)} | more

    def sign(self, message: bytes) -> bytes:
        return sign(self.ed25519, message) + sign(self.mldsa, message, b"watchword/suite-1")

    def line(self, name: str, kind: int, text: str, time_s: int, subtree: bytes) -> str:
        """One signature line of a note (C2SP signed-note, tlog-cosignature)."""
        public = base64.b64decode(self.public["mldsa" if kind == 6 else "ed25519"])
        id_ = sha256(name.encode() + b"\n" + bytes([kind]) + public)[:4]
        stamp = time_s.to_bytes(8, "big")
        if kind == 1:
            signature = sign(self.ed25519, text.encode())
        elif kind == 4:
            signature = stamp + sign(self.ed25519, f"cosignature/v1\ntime {time_s}\n{text}".encode())
        else:
            cosigner = bytes([len(name.encode())]) + name.encode()
            signature = stamp + sign(self.mldsa, b"subtree/v1\n\0" + cosigner + stamp + subtree)
        return f"— {name} {b64(id_ + signature)}\n"


def requirement(id_: str, kind: str, **more: Any) -> dict[str, Any]:
    row = {"id": id_, "text": id_, "kind": kind, "count": 1, "from": "any", "distinct": "operators", "where": []}
    row |= {"tools": 0, "max_age_days": None, "bound": [], "when": {"criticality": 0, "human": []}}
    row |= {"serves": [], "waiver": None}
    return row | {"owed_by": "supplier", "accountable": "board", "principle": ["A"]} | more


def condition(field_: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field_, "op": op, "value": value}


@dataclass
class Alliance:
    """Members with ledgers in memory; ``operators`` maps member to operator where they differ."""

    members: tuple[str, ...] = ("ALFA", "BRAVO", "CHARLIE")
    operators: dict[str, str] = field(default_factory=dict)
    now: int = START
    changes: dict[str, Any] = field(default_factory=dict)  # of the charter object
    passkeys: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)  # by member and person

    def __post_init__(self) -> None:
        self.keys: dict[tuple[str, str], Key] = {}
        for name in self.members:
            for job in ("root", "ledger", "witness", "gate"):
                self.keys[name, job] = key_of(f"{name} {job}", job)
            for person, roles in (("ada", ("assessor", "recaller", "official")), ("ben", ("approver",))):
                self.keys[name, person] = key_of(f"{name} {person}", "people", f"{person}@{name}", roles)
        self.keys["Aquila", "supplier"] = key_of("Aquila supplier", "supplier")
        self.leaves: dict[str, list[bytes]] = {}
        self.bodies: dict[bytes, dict[str, Any]] = {}
        self.where: dict[str, list[tuple[str, int]]] = {}
        self.older: dict[str, list[tuple[int, str]]] = {}
        for name in self.members:
            for use in ("ledger", "notices", "record"):
                self.leaves[f"{name.lower()}.example/{use}"] = []
        self.charter = self.make_charter() | self.changes
        self.digest = digest(rfc8785.dumps(self.charter))
        self.ratifications = [self.ratify(name) for name in self.members]

    def make_charter(self) -> dict[str, Any]:
        count = len({self.operators.get(name, name) for name in self.members})
        standing = {
            kind: ["assessor", "supplier"] for kind in ("claim", "inspection", "bill-of-materials", "evaluation")
        }
        standing |= {kind: ["assessor"] for kind in ("review", "data-screening", "dispute", "retract")}
        standing |= {
            "recall": ["recaller"],
            "decision": ["official"],
            "mandate": ["official"],
            "approval": ["approver", *(["gate"] if self.passkeys else [])],
        }
        standing |= {"ratification": ["root"], "revoke": ["root"], "record-head": ["gate"], "stop": ["official"]}
        standing |= {kind: ["official"] for kind in ("caveat", "lift", "waiver")}
        return {
            "alliance": "Test", "format": "watchword-charter/1", "made": at(START), "effective": at(START),
            "parent": None, "version": 1, "suite": 1, "amendment": {"delay_s": 3600, "ratify": 3}, "former": [],
            "closed": [],
            "secret": digest(b"watchword/alliance-secret/v1\0" + SECRET),
            "quorum": {"faulty": 0 if count == 1 else 1, "ratify": count, "witness": count},
            "head_max_age_s": 86_400,
            "members": [
                {
                    "name": name, "operator": self.operators.get(name, name),
                    "origins": {use: f"{name.lower()}.example/{use}" for use in ("ledger", "notices", "record")},
                    "witness": f"{name.lower()}.example/witness",
                    "keys": [
                        copy.deepcopy(key.public)
                        | ({"passkeys": self.passkeys[owner, who]} if (owner, who) in self.passkeys else {})
                        for (owner, who), key in self.keys.items()
                        if owner == name
                    ],
                }
                for name in self.members
            ],
            "suppliers": [
                {
                    "name": "Aquila", "contact": "security@aquila.example",
                    "keys": [copy.deepcopy(self.keys["Aquila", "supplier"].public)],
                }
            ],
            "standing": standing,
            "requirements": [
                requirement("claim", "claim", **{"from": "supplier"}),
                requirement(
                    "inspections", "inspection", count=count, max_age_days=30, owed_by="members",
                    bound=[condition("dangerous", "==", 0)], **{"from": "member"},
                ),
                requirement("bill", "bill-of-materials", when={"criticality": 1, "human": []}),
                requirement(
                    "legal", "review", where=[condition("of", "==", "legal")], when={"criticality": 3, "human": []}
                ),
            ],
            "red_lines": [
                {
                    "id": "no-recall", "text": "", "accountable": "", "principle": [], "serves": [], "evidence": None,
                    "forbid": [condition("recalls", ">", 0)],
                },
                {
                    "id": "human", "text": "", "accountable": "", "principle": [], "serves": [], "evidence": None,
                    "forbid": [condition("criticality", ">=", 2), condition("human", "==", "out")],
                },
            ],
        }  # fmt: skip

    def ratify(self, member: str, key: Key | None = None) -> dict[str, Any]:
        subject = [("charter 1", self.digest)]
        fields = {name: self.charter[name] for name in ("version", "parent", "effective")}
        return self.statement("ratification", member, fields, subject, key or self.keys[member, "root"])

    def charter_file(self) -> bytes:
        value = {"charter": self.charter, "format": "watchword-charter-file/1", "ratifications": self.ratifications}
        return rfc8785.dumps(value) + b"\n"

    # -- statements

    def statement(
        self, kind: str, issuer: str, fields: dict[str, Any], subject: list[tuple[str, str]], key: Key, **more
    ):
        predicate = {"issuer": issuer, "made": at(self.now), "scope": "alliance", "after": None} | fields | more
        payload = rfc8785.dumps(
            {
                "_type": "https://in-toto.io/Statement/v1",
                "predicate": predicate,
                "predicateType": f"urn:watchword:{kind}:v1",
                "subject": [
                    {"digest": {"sha256": value.removeprefix("sha256:")}, "name": name} for name, value in subject
                ],
            }
        )
        return self.envelope(payload, key)

    def envelope(self, payload: bytes, key: Key) -> dict[str, Any]:
        type_ = b"application/vnd.in-toto+json"
        message = b"DSSEv1 %d %s %d %s" % (len(type_), type_, len(payload), payload)
        signed = [{"keyid": key.id, "sig": b64(key.sign(message))}]
        return {"payload": b64(payload), "payloadType": type_.decode(), "signatures": signed}

    def notice(self, kind: str, issuer: str, target: str, key: Key | None = None, **fields: Any) -> dict[str, Any]:
        if kind == "recall":
            fields = {"actions": ["stop"], "deadline": None} | UNQUERIED | fields
        key = key or self.keys[issuer, "root" if kind == "revoke" else "ada"]
        subject = [("notice", digest(target.encode()))]
        return self.statement(kind, issuer, {"target": target, "reason": "because"} | fields, subject, key)

    def append(self, member: str, use: str, body: dict[str, Any], name: str = "", held: bool = True) -> str:
        """Append a body's leaf; returns the statement's id. *name* is what a notice is filed under."""
        what, value = next(iter(body.items()))
        data = base64.b64decode(value) if what == "content" else rfc8785.dumps(value)
        salt = sha256(f"salt {member} {use} {len(self.leaves)} {sum(map(len, self.leaves.values()))}".encode())
        commitment = sha256(b"watchword/commitment/v1\0" + salt + data)
        if held:
            self.bodies[commitment] = {"salt": b64(salt), what: value}
        origin = f"{member.lower()}.example/{use}"
        if use == "ledger" and what == "envelope" and not name:
            said = json.loads(base64.b64decode(value["payload"]))
            kind, scope = said["predicateType"].split(":")[2], said["predicate"].get("scope")
            about = said["subject"][0]["digest"]["sha256"]
            name = f"evidence:{kind}:sha256:{about}" if kind in CONSIDERED and scope in ("public", "alliance") else ""
        leaf = bytes([{"ledger": 4 if name else 1, "notices": 2, "record": 3}[use]]) + commitment
        if use == "notices" or name:
            leaf += hmac.digest(SECRET, name.encode(), "sha256")
        self.leaves[origin].append(leaf)
        id_ = digest(base64.b64decode(value["payload"])) if what == "envelope" else ""
        self.where.setdefault(id_, []).append((origin, len(self.leaves[origin]) - 1))
        return id_

    def attach(self, content: bytes) -> dict[str, Any]:
        salt = sha256(b"attachment salt" + content)
        commitment = sha256(b"watchword/commitment/v1\0" + salt + content)
        self.bodies[commitment] = {"salt": b64(salt), "content": b64(content)}
        hex_ = "sha256:" + commitment.hex()
        return {"bytes": len(content), "commitment": hex_, "media_type": "text/plain", "name": "report.txt"}

    # -- heads

    def head(
        self, origin: str, time_s: int | None = None, witnesses: tuple[str, ...] | None = None, size: int | None = None
    ) -> str:
        leaves = self.leaves[origin][:size]
        text = f"{origin}\n{len(leaves)}\n{b64(root_of(leaves))}\n"
        named = bytes([len(origin.encode())]) + origin.encode()
        subtree = named + (0).to_bytes(8, "big") + len(leaves).to_bytes(8, "big") + root_of(leaves)
        owner = next(name for name in self.members if origin.startswith(name.lower() + "."))
        time_s = self.now if time_s is None else time_s
        log = self.keys[owner, "ledger"]
        note = text + "\n" + log.line(origin, 1, text, 0, subtree) + log.line(origin, 6, text, time_s, subtree)
        for name in () if origin.endswith("/record") else witnesses if witnesses is not None else self.members:
            key = self.keys[name, "witness"]
            note += "".join(key.line(f"{name.lower()}.example/witness", kind, text, time_s, subtree) for kind in (4, 6))
        return note

    def shared(self) -> list[str]:
        return sorted(origin for origin in self.leaves if not origin.endswith("/record"))

    def view(self) -> dict[str, Any]:
        """The view of this moment; its heads are kept, to go into bundles as earlier ones."""
        heads = {}
        for origin in self.shared():
            leaves = self.leaves[origin]
            heads[origin] = {"root": b64(root_of(leaves)), "size": len(leaves), "time": at(self.now)}
            self.older.setdefault(origin, []).append((len(leaves), self.head(origin)))
        return {"format": "watchword-view/1", "heads": heads}

    # -- bundles

    def ledger(self, origin: str) -> dict[str, Any]:
        leaves, proofs = self.leaves[origin], []
        older = sorted(dict(self.older.get(origin, [])).items())  # of each size the newest
        earlier = [{"checkpoint": note, "path": [b64(h) for h in consistency(size, leaves)]} for size, note in older]
        if origin.endswith("/ledger"):
            for index, leaf in enumerate(leaves):
                if leaf[1:33] in self.bodies or leaf[0] == 4:
                    proofs.append(
                        {"index": index, "leaf": b64(leaf), "path": [b64(h) for h in inclusion(index, leaves)]}
                    )
            leaves = []
        shown = {"start": 0, "leaves": [b64(leaf) for leaf in leaves], "proofs": proofs}
        return {"origin": origin, "checkpoint": self.head(origin), "earlier": earlier} | shown

    def bundle(
        self, decisions: list[str], objects: list[Any], names: list[str] | None, **changes: Any
    ) -> dict[str, Any]:
        origins = [origin for origin, leaves in self.leaves.items() if leaves or not origin.endswith("/record")]
        return {
            "format": "watchword-bundle/1", "purpose": "proof", "charter": self.digest,
            "from": self.members[0], "to": None,
            "made": at(self.now), "alliance_secret": b64(SECRET), "as_of": at(self.now), "names": names,
            "decisions": decisions, "ledgers": [self.ledger(origin) for origin in sorted(origins)],
            "bodies": [self.bodies[commitment] for commitment in sorted(self.bodies)],
            "loose": [], "objects": sorted(objects, key=lambda value: digest(rfc8785.dumps(value))),
        } | changes  # fmt: skip

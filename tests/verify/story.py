"""One release from delivery to a recorded, anchored action, by the members of `builder.Alliance`."""

from typing import Any

import rfc8785

RELEASE = "sha256:" + "51" * 32
USE = {
    "format": "watchword-use-case/1", "name": "border-watch", "purpose": "watch", "criticality": 1, "human": "in",
    "members": ["ALFA"], "owner": "ALFA", "tags": [],
}  # fmt: skip


class Story:
    """Steps that tests call in the order that they need; ``verify`` makes the decision that is then recorded."""

    def __init__(self, builder: Any, verify: Any, **alliance: Any) -> None:
        self.b, self.v, self.a = builder, verify, builder.Alliance(**alliance)
        self.objects: list[Any] = []
        self.decisions: list[str] = []
        self.names: set[str] = set()
        self.ids: dict[str, str] = {}

    def deliver(self) -> "Story":
        a = self.a
        key, subject, who = a.keys["Aquila", "supplier"], [("recon 7", RELEASE)], a.members[0]
        claim = {
            "system": "recon",
            "release": "7",
            "supplier_contact": "x",
            "trained_on": [],
            "tested": [],
        }
        claim |= {"known_weaknesses": [], "support_until": None}
        parts = [{"name": "numpy", "version": "2", "purl": "pkg:pypi/numpy@2", "digest": None}]
        bill = {
            "format": "CycloneDX",
            "system": "recon",
            "release": "7",
            "components": parts,
            "base_models": ["resnet"],
        }
        bill |= {"datasets": [{"name": "d", "digest": "sha256:" + "dd" * 32}], "document": a.attach(b"the bill itself")}
        for kind, fields in (("claim", claim), ("bill-of-materials", bill)):
            envelope = a.statement(kind, "Aquila", fields, subject, key)
            self.ids[kind] = a.append(who, "ledger", {"envelope": envelope})
        return self

    def inspect(self, member: str, dangerous: int = 0, held: bool = True, **more: Any) -> "Story":
        fields = {"tool": {"name": "watchword", "version": "1", "rules": "1"}, "verdict": "nothing-found", "files": 3}
        fields |= {"bytes": 9, "dangerous": dangerous, "suspicious": 0, "unreadable": 0, "findings": [], "report": None}
        key = self.a.keys[member, "ada"]
        envelope = self.a.statement("inspection", member, fields, [("recon 7", RELEASE)], key, **more)
        self.ids[f"inspection {member}"] = self.a.append(member, "ledger", {"envelope": envelope}, held=held)
        return self

    def evidence(self) -> "Story":
        self.deliver()
        for member in self.a.members:
            self.inspect(member)
        return self

    def proof(self, loose: list[Any] | None = None) -> Any:
        """What verify.py has after step 6, of everything published so far."""
        proof, _ = self.v.read_charter(self.a.charter_file())
        bundle = self.v.read_bundle(proof, rfc8785.dumps(self.a.bundle([], [], None)))
        for raw in bundle["ledgers"]:
            self.v.read_heads(proof, raw, self.a.now)
            proof.leaves[raw["origin"]] = self.v.prove_leaves(proof, raw)
        self.v.read_bodies(proof, bundle["bodies"])
        for envelope in loose or []:
            notice = self.v.open_envelope(envelope)
            self.v.check_standing(proof, notice)
            proof.loose[notice.id] = notice
        return proof

    def decide(
        self,
        loose: list[Any] | None = None,
        use: dict[str, Any] | None = None,
        free: dict[str, str] | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """Record a decision as ALFA would; returns its object. *free*: what its engine said of free Cedar."""
        a, use = self.a, USE | (use or {})
        view, proof = a.view(), self.proof(loose)
        names, decided = self.v.decide(proof, view["heads"], proof.loose, a.now, RELEASE, use, free or {})
        list_ = {"format": "watchword-loose/1", "statements": sorted(proof.loose)}
        digests = {
            name: self.b.digest(rfc8785.dumps(v)) for name, v in (("view", view), ("use_case", use), ("loose", list_))
        }
        decided |= {"as_of": self.b.at(a.now), "subject": {"digest": RELEASE, "name": "recon 7"}} | digests | changes
        subject, key = [("recon 7", RELEASE)], a.keys[a.members[0], "ada"]
        envelope = a.statement("decision", a.members[0], {"decision": decided}, subject, key)
        self.decisions.append(a.append(a.members[0], "ledger", {"envelope": envelope}))
        self.objects += [value for value in (view, use, list_) if value not in self.objects]
        self.names |= set(names)
        a.now += 60
        return decided

    def mandate(self, approvals: int = 2) -> "Story":
        asked = {"count": approvals, "distinct": "operators", "role": "approver"}
        rule = {"id": "slew", "tool": "slew-camera", "args": [], "approvals": asked, "hold_s": 300, "quota": None}
        rule["unclean"] = None
        a, now = self.a, self.a.now
        mandate = {
            "name": "border-watch/1",
            "decision": self.decisions[0],
            "use_case": self.b.digest(rfc8785.dumps(USE)),
        }
        mandate |= {"valid_from": self.b.at(now), "valid_until": self.b.at(now + 86_400), "hours": None}
        mandate |= {"view_max_age_s": 3600, "stale": "deny", "probes": None, "rules": [rule]}
        key, who = a.keys[a.members[0], "ada"], a.members[0]
        envelope = a.statement("mandate", who, {"mandate": mandate}, [("recon 7", RELEASE)], key)
        self.ids["mandate"] = a.append(who, "ledger", {"envelope": envelope})
        return self

    def action(self, nonce: int = 0) -> dict[str, Any]:
        about = {
            "asked": self.b.at(self.a.now),
            "format": "watchword-action/1",
            "nonce": f"{nonce:032x}",
            "release": RELEASE,
        }
        return about | {"args": {"target": "tower-12", "azimuth_deg": -47.5}, "session": "s", "tool": "slew-camera"}

    def approve(self, member: str, action: dict[str, Any], device: Any = None, signs: str = "", **more: Any) -> str:
        """*device*: what signs for the person, the gate's key around it. *signs*: whose key signs the statement."""
        a, now = self.a, self.a.now
        digest = self.b.digest(rfc8785.dumps(action))
        fields = {
            "person": f"ben@{member}",
            "gate": "g1",
            "hold": "7f3a",
            "mandate": self.ids["mandate"],
            "answer": "approve",
            "assertion": None,
        }
        fields |= {"asked": self.b.at(now), "expires": self.b.at(now + 300), "preview": self.b.digest(b"shown")} | more
        if device is not None:
            fields["assertion"] = device(digest, fields, a.digest)
        key = a.keys[member, signs or ("ben" if device is None else "gate")]
        envelope = a.statement("approval", member, fields, [("action", digest)], key)
        return a.append(member, "ledger", {"envelope": envelope})

    def receipt(self, event: str, action: dict[str, Any], approvals: list[str], **more: Any) -> "Story":
        receipt = {
            "action": self.b.digest(rfc8785.dumps(action)),
            "approvals": approvals,
            "body": action,
            "decision": None,
        }
        receipt |= {"event": event, "format": "watchword-receipt/1", "gate": "g1", "hold": "7f3a", "reasons": []}
        receipt |= {"seen": None}
        receipt |= {"mandate": self.ids["mandate"], "rule": "slew", "time": self.b.at(self.a.now + 10)} | more
        self.a.append(self.a.members[0], "record", {"receipt": receipt})
        return self

    def anchor(self, **more: Any) -> "Story":
        a, who = self.a, self.a.members[0]
        origin = f"{who.lower()}.example/record"
        root = self.b.root_of(a.leaves[origin])
        fields = {"origin": origin, "size": len(a.leaves[origin]), "root": self.b.b64(root)} | more
        envelope = a.statement("record-head", who, fields, [(origin, self.b.digest(b"body"))], a.keys[who, "gate"])
        a.append(who, "ledger", {"envelope": envelope})
        return self

    def release(self, approvals: int = 2) -> "Story":
        """A mandate, an action approved by so many members, its receipt, and the record anchored."""
        self.mandate(approvals)
        action = self.action()
        given = [self.approve(member, action) for member in self.a.members[:approvals]]
        return self.receipt("released", action, given).anchor()

    def bundle(self, **changes: Any) -> dict[str, Any]:
        return self.a.bundle(self.decisions, self.objects, sorted(self.names) or None, **changes)

    def check(self, bundle: dict[str, Any] | None = None, at: int | None = None) -> dict[str, Any]:
        data = rfc8785.dumps(self.bundle() if bundle is None else bundle)
        return self.v.verify_proof(self.a.charter_file(), data, self.a.now if at is None else at)

"""Makes the vectors of this folder: each step of the protocol on its own, then a charter and a proof that use them all.

Run from the repository's root: ``python vectors/protocol/make.py``. Written by ``tests/verify/builder.py``, which
follows docs/protocol.md and shares no code with the package or ``verify.py``; what the proof says is what ``verify.py``
says of it. Keys, salts and times are the same in every run; ML-DSA signs with fresh randomness, so signatures differ.
"""

import base64
import hmac
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import rfc8785

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CANONICAL = [
    (
        "members in the order of their UTF-16 units",
        '{"\\u20ac": 1, "\\r": 2, "\\ufb33": 3, "1": 4, "\\ud83d\\ude00": 5}',
    ),
    ("the only escapes", '"\\u0000\\u0008\\u0009\\u000a\\u000c\\u000d\\u001f\\u0022\\u005c\\u002f\\u007f"'),
    ("nothing is normalised", '["\\u00e9", "e\\u0301"]'),
    ("the largest integers", "[9007199254740991, -9007199254740991]"),
    ("numbers as ECMAScript writes them", "[1.0, -0.0, 1e21, 1e-7, 0.1, 333333333.33333329, 4.50, 2e-3, 5e-324]"),
    ("words, and no spaces", ' { "b" : [ true , false , null ] , "a" : { } } '),
]
STRICT = [
    ("a key that stands twice", '{"a":1,"a":1}'),
    ("an order that is not canonical", '{"b":1,"a":1}'),
    ("spaces", '{"a": 1}'),
    ("an escape that is not needed", '"\\u0061"'),
    ("a lone surrogate", '"\\ud83d"'),
    ("no number", "NaN"),
    ("an integer past 2^53 - 1", "9007199254740992"),
    ("another spelling of a number", "1.0"),
    ("nested deeper than 64", "[" * 65 + "]" * 65),
    ("bytes that follow", "{}{}"),
    ("a byte order mark", "\ufeff{}"),
]


def statement(builder: Any, alliance: Any) -> dict[str, Any]:
    """One statement, from its payload to the leaf that commits to it."""
    key, release = alliance.keys["Aquila", "supplier"], ("recon 7", "sha256:" + "51" * 32)
    fields = {
        "system": "recon", "release": "7", "supplier_contact": "security@aquila.example", "trained_on": [],
        "tested": [], "known_weaknesses": [], "support_until": None,
    }  # fmt: skip
    envelope = alliance.statement("claim", "Aquila", fields, [release], key)
    payload, body = base64.b64decode(envelope["payload"]), rfc8785.dumps(envelope)
    salt, name = builder.sha256(b"a salt of 32 bytes"), f"evidence:claim:{release[1]}"
    commitment = builder.sha256(b"watchword/commitment/v1\0" + salt + body)
    blinded = hmac.digest(builder.SECRET, name.encode(), "sha256")
    leaf = b"\x04" + commitment + blinded
    return {
        "why": "sections 2, 3 and 5: a claim of a supplier, in the scope of the alliance",
        "key": key.public,
        "envelope": envelope,
        "id": builder.digest(payload),
        "pae": (b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(payload), payload)).hex(),
        "salt": salt.hex(),
        "commitment": builder.digest(b"watchword/commitment/v1\0" + salt + body),
        "alliance_secret": builder.b64(builder.SECRET),
        "secret_digest": builder.digest(b"watchword/alliance-secret/v1\0" + builder.SECRET),
        "name": name,
        "blinded_name": blinded.hex(),
        "leaf": leaf.hex(),
        "leaf_hash": builder.sha256(b"\0" + leaf).hex(),
    }


def trees(builder: Any) -> list[dict[str, Any]]:
    """Roots and proofs of section 6 (RFC 6962, 2.1) over the leaves 00, 01, 02 …"""
    made = []
    for size in (0, 1, 2, 3, 7, 8, 11):
        leaves = [bytes([i]) for i in range(size)]
        proofs = [[h.hex() for h in builder.inclusion(index, leaves)] for index in range(size)]
        older = [[h.hex() for h in builder.consistency(old, leaves)] for old in range(1, size)]
        made.append({"size": size, "root": builder.root_of(leaves).hex(), "inclusion": proofs, "consistency": older})
    return made


def checkpoint(builder: Any, alliance: Any) -> dict[str, Any]:
    """A head with the two lines of its log and those of three witnesses."""
    origin = "alfa.example/ledger"
    times = [builder.START + 30, builder.START + 10, builder.START + 20]
    lines = [alliance.head(origin, time_s, (name,)) for name, time_s in zip(alliance.members, times, strict=True)]
    note = lines[0] + "".join("".join(line.splitlines(True)[-2:]) for line in lines[1:])
    leaves = alliance.leaves[origin]
    return {
        "why": "section 6: with quorum.witness 3 of three operators, the cosigned time is the oldest of the three",
        "note": note,
        "origin": origin,
        "size": len(leaves),
        "root": builder.b64(builder.root_of(leaves)),
        "log_key": alliance.keys["ALFA", "ledger"].public,
        "witness_keys": {f"{n.lower()}.example/witness": alliance.keys[n, "witness"].public for n in alliance.members},
        "cosigned": builder.at(min(times)),
    }


INCIDENT: dict[str, Any] = {
    "target": "model:resnet", "reason": "a camera turned without need", "severity": "high",
    "began": "2026-09-21T12:00:00Z", "found": "2026-09-21T12:01:00Z", "ended": None,
    "actions": [{"action": "sha256:" + "0e" * 32, "gate": "ALFA"}],
    "findings": [{"statement": "sha256:" + "0f" * 32, "rule": "pickle-call"}],
    "techniques": ["AML.T0051@5.6.0", "AML.T0011.000@5.6.0"], "done": ["12:02 the watch took over by hand"],
    "text": "An open web page told it to look away.", "supersedes": None,
}  # fmt: skip
NO_INCIDENT: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("a field more", {"more": 1}, ()),
    ("a field less, that is not hidden", {}, ("severity",)),
    ("another severity", {"severity": "urgent"}, ()),
    ("a time that is none", {"began": "2026-13-01T00:00:00Z"}, ()),
    ("an action without its gate", {"actions": [{"action": "sha256:" + "0e" * 32}]}, ()),
    ("a technique that is no text", {"techniques": [51]}, ()),
    ("more techniques than 64", {"techniques": ["AML.T0051@5.6.0"] * 65}, ()),
    ("a field that is hidden and there", {"done": ["nothing"], "_sd": ["sha256:" + "0d" * 32] * 4}, ()),
    ("a digest too few for what is hidden", {"_sd": ["sha256:" + "0d" * 32]}, ("text", "done")),
    ("the severity hidden", {"_sd": ["sha256:" + "0d" * 32]}, ("severity",)),
]


def incident(builder: Any, alliance: Any) -> dict[str, Any]:
    """A notice that warns, with two of its fields hidden, what goes with it, and what is none."""
    hidden, made = ("actions", "text"), []
    for name in hidden:
        salt = builder.sha256(f"a salt of {name}".encode())
        body = rfc8785.dumps([builder.b64(salt), name, INCIDENT[name]])
        digest = builder.digest(b"watchword/commitment/v1\0" + salt + body)
        made.append({"name": name, "salt": salt.hex(), "body": body.decode(), "digest": digest})
    fields = {name: value for name, value in INCIDENT.items() if name not in (*hidden, "target", "reason")}
    fields |= {"reason": INCIDENT["reason"], "_sd": sorted(one["digest"] for one in made)}
    envelope = alliance.notice("incident", "BRAVO", INCIDENT["target"], **fields)
    payload = base64.b64decode(envelope["payload"])
    value = json.loads(payload)
    common = {name: value["predicate"][name] for name in ("issuer", "made", "scope", "after")}
    refused = []
    for why, more, less in NO_INCIDENT:
        predicate = {name: said for name, said in (common | INCIDENT | more).items() if name not in less}
        refused.append({"why": why, "payload": rfc8785.dumps(value | {"predicate": predicate}).decode()})
    whole = rfc8785.dumps(value | {"predicate": common | INCIDENT}).decode()
    return {
        "why": "sections 3, 4, 5 and 7: an incident, two of its fields hidden; a notice, filed under its target",
        "key": alliance.keys["BRAVO", "ada"].public,
        "envelope": envelope,
        "id": builder.digest(payload),
        "subject": builder.digest(INCIDENT["target"].encode()),
        "alliance_secret": builder.b64(builder.SECRET),
        "name": INCIDENT["target"],
        "blinded_name": hmac.digest(builder.SECRET, INCIDENT["target"].encode(), "sha256").hex(),
        "disclosures": made,
        "whole": whole,
        "refused": refused,
    }


def main() -> None:
    """Write ``pieces``, ``incident``, ``charter``, ``proof``, ``report`` and ``newer``, all JSON."""
    builder, verify = load(ROOT / "tests" / "verify" / "builder.py"), load(ROOT / "verify.py")
    story = load(ROOT / "tests" / "verify" / "story.py").Story(builder, verify).evidence()
    story.decide()
    name = "model:resnet"
    story.a.append("BRAVO", "notices", {"envelope": story.a.notice("recall", "BRAVO", name)}, name)
    story.decide()
    charter, proof, at = story.a.charter_file(), rfc8785.dumps(story.bundle()) + b"\n", story.a.now
    pieces = {
        "canonical": [
            {"why": why, "json": text, "canonical": rfc8785.dumps(json.loads(text)).decode()} for why, text in CANONICAL
        ],
        "refused": [{"why": why, "json": text} for why, text in STRICT],
        "statement": statement(builder, story.a),
        "trees": trees(builder),
        "checkpoint": checkpoint(builder, story.a),
        "charter_digest": story.a.digest,
    }
    report = {"at": at, "report": verify.verify_proof(charter, proof, at)}
    (HERE / "pieces.json").write_text(json.dumps(pieces, indent=1) + "\n", "utf-8")
    (HERE / "incident.json").write_text(json.dumps(incident(builder, story.a), indent=1) + "\n", "utf-8")
    (HERE / "charter.json").write_bytes(charter)
    (HERE / "proof.json").write_bytes(proof)
    (HERE / "report.json").write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    newer(builder, verify)


def newer(builder: Any, verify: Any) -> None:
    """Write ``newer.json``: the same release, and under its base model a notice of a kind that nobody knows yet."""
    story = load(ROOT / "tests" / "verify" / "story.py").Story(builder, verify).evidence()
    story.decide()
    name = "model:resnet"
    story.a.append("BRAVO", "notices", {"envelope": story.a.notice("horoscope", "BRAVO", name)}, name)
    made = story.decide()
    value = {
        "why": "sections 8 and 13: it may be bad news, so it counts as one that nobody can read, and refuses",
        "at": story.a.now,
        "charter": story.a.charter_file().decode(),
        "proof": rfc8785.dumps(story.bundle()).decode() + "\n",
        "verdicts": ["admitted", "refused"],
        "notices": made["notices"],
    }
    (HERE / "newer.json").write_text(json.dumps(value, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()

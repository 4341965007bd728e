"""Charters for tests: members with real keys, made once per run, and statements signed by them."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import Any

from watchword.statements.canonical import canonical
from watchword.statements.digests import secret_commitment
from watchword.statements.keys import SigningKey, generate
from watchword.statements.statement import Signed, Subject, make, open_envelope, sign

SECRET = b"s" * 32
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
UNQUERIED = {"supersedes": None, "directive": None, "severity": "urgent", "versions": [], "alternatives": []}
"""A recall's fields that ask nothing of versions and tie it to no other."""
ROLES = ("official", "evaluator", "commander", "steward")
STANDING = {
    "ratification": ["root"],
    "claim": ["supplier"],
    "inspection": ["evaluator"],
    "review": ["official"],
    "decision": ["official"],
    "recall": ["official", "supplier"],
    "retract": ["official", "evaluator", "supplier"],
    "dispute": ["evaluator", "official"],
    "revoke": ["root"],
    "take-back": ["official"],
    "record-head": ["gate"],
}


@functools.cache
def key(owner: str, job: str) -> SigningKey:
    """The one key of *owner* for *job* (or for a person's role) in this run."""
    return generate(44 if job in ("ledger", "witness") else 65)


def key_value(owner: str, job: str, role: str | None = None) -> dict[str, Any]:
    """The public key object of section 2."""
    value: dict[str, Any] = {**key(owner, role or job).public.value(), "job": job}
    return value if role is None else value | {"person": role, "roles": [role]}


def member(name: str, operator: str | None = None) -> dict[str, Any]:
    """A member object with one key of each job and one person per role."""
    domain = f"{name.lower()}.example"
    return {
        "name": name,
        "operator": operator or name,
        "origins": {use: f"{domain}/{use}" for use in ("ledger", "notices", "record")},
        "witness": f"{domain}/witness",
        "keys": [key_value(name, job) for job in ("root", "ledger", "witness", "gate")]
        + [key_value(name, "people", role) for role in ROLES],
    }


def charter_value(names: tuple[str, ...] = ("ALFA", "BRAVO", "CHARLIE"), **changes: Any) -> dict[str, Any]:
    """A charter object over *names* and the supplier AQUILA."""
    value = {
        "alliance": "Test Alliance",
        "format": "watchword-charter/1",
        "made": "2026-01-01T00:00:00Z",
        "effective": "2026-01-01T00:00:00Z",
        "parent": None,
        "version": 1,
        "suite": 1,
        "secret": secret_commitment(SECRET),
        "quorum": {"faulty": 0, "ratify": 2, "witness": 2},
        "amendment": {"delay_s": 604_800, "ratify": 2},
        "head_max_age_s": 86_400,
        "members": [member(name) for name in names],
        "former": [],
        "closed": [],
        "suppliers": [{"name": "AQUILA", "contact": "", "keys": [key_value("AQUILA", "supplier")]}],
        "standing": STANDING,
        "requirements": [],
        "red_lines": [],
    }
    return value | changes


def signed(
    kind: str,
    fields: dict[str, Any],
    issuer: str = "ALFA",
    role: str = "evaluator",
    subject: Subject = Subject("release", "sha256:" + "9c" * 32),  # noqa: B008  a frozen value
    made: datetime = NOON,
) -> Signed:
    """A statement of *kind*, signed with *issuer*'s key for *role* (or job)."""
    statement = make(kind, (subject,), fields, issuer=issuer, made=made)
    return open_envelope(sign(statement, key(issuer, role)))


def ratification(value: dict[str, Any], issuer: str, role: str = "root") -> bytes:
    """The envelope with which *issuer* ratifies a charter object."""
    from watchword.statements.digests import DJ

    fields = {"version": value["version"], "parent": value["parent"], "effective": value["effective"]}
    return signed("ratification", fields, issuer, role, Subject("charter 1", DJ(value))).envelope


def charter_file(value: dict[str, Any], envelopes: list[bytes]) -> bytes:
    """The bytes of a charter file."""
    import json

    return canonical(
        {"charter": value, "format": "watchword-charter-file/1", "ratifications": [json.loads(e) for e in envelopes]}
    )

"""A charter drafted from enrolments: the object that members lint and ratify (docs/protocol.md, section 7)."""

from __future__ import annotations

from typing import Any

from watchword.charter.charter import FORMAT, parse_charter
from watchword.charter.quorum import least_quorum, most_faulty
from watchword.statements.digests import secret_commitment

HEAD_MAX_AGE_S = 86_400
"""How old a cosigned head may be in a decision, by default. Origin: files carried by hand, daily."""


def draft(
    alliance: str,
    members: list[dict[str, Any]],
    suppliers: list[dict[str, Any]],
    requirements: list[dict[str, Any]],
    red_lines: list[dict[str, Any]],
    standing: dict[str, list[str]],
    *,
    secret: bytes,
    made: str,
    faulty: int | None = None,
    witness: int | None = None,
    ratify: int | None = None,
    head_max_age_s: int = HEAD_MAX_AGE_S,
    parent: str | None = None,
    version: int = 1,
) -> dict[str, Any]:
    """The charter object of these parties and rules.

    Args:
        members, suppliers: their enrolments, which are the member and supplier objects of section 7, in this order.
        requirements, red_lines, standing: as a pack holds them.
        secret: the alliance secret, 32 bytes; only its commitment goes in.
        made: RFC 3339.
        faulty: operators that may be dishonest without a proof being believed wrongly; by default as many as still
            leave a quorum among the others.
        witness, ratify: the quorums; by default the smallest of which any two share an honest operator.
        parent: the digest of the charter that this one follows.

    Raises:
        BadCharter: a part is not of its form; names which.
    """
    operators = len({member.get("operator") for member in members})
    faulty = most_faulty(operators) if faulty is None else faulty
    least = least_quorum(operators, faulty)
    value = {
        "alliance": alliance,
        "format": FORMAT,
        "made": made,
        "parent": parent,
        "version": version,
        "suite": 1,
        "secret": secret_commitment(secret),
        "quorum": {
            "faulty": faulty,
            "ratify": least if ratify is None else ratify,
            "witness": least if witness is None else witness,
        },
        "head_max_age_s": head_max_age_s,
        "members": members,
        "suppliers": suppliers,
        "standing": standing,
        "requirements": requirements,
        "red_lines": red_lines,
    }
    parse_charter(value)
    return value

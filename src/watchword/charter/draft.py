"""A charter drafted from enrolments, or from the charter that it follows (docs/protocol.md, section 7).

* A member's enrolment is its object in the charter. One that begins new ledgers also says, as ``closes``, where the old
  ones end.
* Who leaves keeps its name and its keys, retired; its ledgers are closed at the heads that the drafter knows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from watchword.charter.charter import FORMAT, BadCharter, Charter, End, Member, parse_charter
from watchword.charter.quorum import least_amendment, least_quorum, most_faulty
from watchword.charter.succession import amended
from watchword.limits import JSON_INTEGER_MAX
from watchword.statements.digests import b64, secret_commitment
from watchword.statements.times import parse_time, rfc3339

AMENDMENT_DELAY_S = 604_800
"""How long before a change of the rules is in force it is ratified, by default. Origin: a week, for one to object."""
RATIFY_S = 86_400
"""How long members have to ratify a change of the rules before its delay begins. Origin: a day of work."""
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
    effective: str | None = None,
    amendment: dict[str, int] | None = None,
) -> dict[str, Any]:
    """The first charter object of these parties and rules.

    Args:
        members, suppliers: their enrolments, which are the member and supplier objects of section 7, in this order.
        requirements, red_lines, standing: as a pack holds them.
        secret: the alliance secret, 32 bytes; only its commitment goes in.
        made: RFC 3339.
        faulty: operators that may be dishonest without a proof being believed wrongly; by default as many as still
            leave a quorum among the others.
        witness, ratify: the quorums; by default the smallest of which any two share an honest operator.
        effective: from when on it is in force, RFC 3339; by default since it was made.
        amendment: ``delay_s`` and ``ratify`` for a change of the rules themselves; by default a week, and one operator
            more than ratify, if one can then still be missing.

    Raises:
        BadCharter: a part is not of its form; names which.
    """
    operators = len({member.get("operator") for member in members})
    faulty = most_faulty(operators) if faulty is None else faulty
    least = least_quorum(operators, faulty)
    ratify = least if ratify is None else ratify
    more = least_amendment(operators, ratify)
    value = {
        "alliance": alliance,
        "format": FORMAT,
        "made": made,
        "effective": effective or made,
        "parent": None,
        "version": 1,
        "suite": 1,
        "secret": secret_commitment(secret),
        "quorum": {
            "faulty": faulty,
            "ratify": ratify,
            "witness": least if witness is None else witness,
        },
        "amendment": {"delay_s": AMENDMENT_DELAY_S, "ratify": more} if amendment is None else amendment,
        "head_max_age_s": head_max_age_s,
        "members": members,
        "former": [],
        "closed": [],
        "suppliers": suppliers,
        "standing": standing,
        "requirements": requirements,
        "red_lines": red_lines,
    }
    parse_charter(value)
    return value


def successor(
    before: Charter,
    members: list[dict[str, Any]],
    suppliers: list[dict[str, Any]],
    *,
    made: str,
    effective: str | None = None,
    leave: Collection[str] = (),
    ends: Mapping[str, End] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The charter object that follows *before*; what is not named stays as it is.

    Args:
        members, suppliers: enrolments of those who come in or change, in the place of those of the same names.
        made: RFC 3339.
        effective: from when on it is in force; by default at once; where the rules change, after a day and the delay.
        leave: members that go.
        ends: where the ledgers of those who leave end, by origin.
        changes: other fields of the charter object, such as ``requirements``.

    Raises:
        BadCharter: a part is not of its form, nobody of that name leaves, or its ledgers' ends are not known.
    """
    value = dict(before.value) | dict(changes or {})
    version = before.version + 1
    value |= {"made": made, "effective": made, "parent": before.digest, "version": version}
    closed = list(before.value["closed"])
    for one in members:
        closed += one.get("closes", [])
    bare = [{name: part for name, part in one.items() if name != "closes"} for one in members]
    value["members"] = _replaced(before.value["members"], bare, leave)
    value["suppliers"] = _replaced(before.value["suppliers"], suppliers, ())
    value["former"] = list(before.value["former"])
    for name in leave:
        member = before.member(name)
        gone = next(one for one in before.value["members"] if one["name"] == name)
        ledgers = [(use, origin) for use, origin in member.origins.items() if use != "record"]
        for use, origin in ledgers:
            end = (ends or {}).get(origin)
            if end is None:
                raise BadCharter(f"{origin}: where it ends is not known here", "draft at a node that mirrors it")
            closed.append(closing(member, use, end))
        # In its own ledgers all that it said stays; in others' what is known to stand there.
        sizes = {o: end.size for o, end in (ends or {}).items()} | {origin: JSON_INTEGER_MAX for _, origin in ledgers}
        value["former"].append(_former(gone, version, sizes))
    value["closed"] = closed
    after = parse_charter(value)
    delay_s = before.amendment.delay_s + RATIFY_S if amended(before, after) else 0
    value["effective"] = effective or rfc3339(parse_time(made) + timedelta(seconds=delay_s))
    parse_charter(value)
    return value


def closing(member: Member, use: str, end: End) -> dict[str, Any]:
    """How a charter says that a ledger of *member* ends at *end*."""
    return {
        "key": member.key("ledger").id, "member": member.name, "origin": member.origins[use], "root": b64(end.root),
        "size": end.size, "use": use,
    }  # fmt: skip


def retired(key: Mapping[str, Any], version: int, sizes: Mapping[str, int]) -> dict[str, Any]:
    """A key object as charter *version* retires it: what it said stays said below *sizes*, by origin."""
    if "retired" in key:
        return dict(key)
    places = [{"origin": origin, "size": size} for origin, size in sorted(sizes.items())]
    return dict(key) | {"retired": {"sizes": places, "version": version}}


def _former(member: Mapping[str, Any], version: int, sizes: Mapping[str, int]) -> dict[str, Any]:
    keys = [retired(key, version, sizes) for key in member["keys"] if key["job"] != "witness"]
    kept = {"keys": keys, "name": member["name"], "operator": member["operator"]}
    return kept | ({"root_threshold": member["root_threshold"]} if "root_threshold" in member else {})


def _replaced(
    present: list[dict[str, Any]], given: list[dict[str, Any]], leave: Collection[str]
) -> list[dict[str, Any]]:
    by_name = {one.get("name"): one for one in given}
    kept = [by_name.pop(one["name"], one) for one in present if one["name"] not in leave]
    return [*kept, *(one for one in given if one.get("name") in by_name)]

"""The names under which statements are filed, and whether a notice may say what it says.

Follows docs/protocol.md, sections 3, 4 and 7. Pure.

* A notice names one **name**; its leaf carries that name blinded with the alliance secret. So does the leaf of what a
  decision may consider: ``evidence:<kind>:<release>``.
* The **name set** of a release is every name under which a notice would reach a decision on it.
* Standing of a retraction needs the statement it retracts, that of a revocation the owner of the key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from watchword.charter.charter import Charter, KeyHolder
from watchword.charter.standing import NoStanding, may_retract, may_revoke, standing
from watchword.errors import WatchwordError
from watchword.ledger.query import package_of
from watchword.statements.digests import D, is_digest
from watchword.statements.kinds import CONSIDERED, NOTICES, WIDE
from watchword.statements.statement import Signed, Statement, Subject

SORTS = (
    "release", "component", "package", "model", "dataset", "supplier", "key", "statement", "caveat", "charter",
    "exercise",
)  # fmt: skip
RESERVED = {
    "caveat": frozenset({"caveat", "lift", "take-back"}),
    "charter": frozenset({"ratification", "take-back"}),
    "exercise": frozenset({"recall", "take-back"}),
}
"""Which notices alone may be filed there. Of the names that every decision looks at: no one voice stops all uses. Of
exercises, at whose names no decision looks: a recall is what is exercised."""
REACHABLE = frozenset({"release", "component", "package", "model", "dataset", "supplier"})
"""What a recall may be of, and so an exercise."""
_OF_DIGEST = frozenset({"release", "dataset", "key", "statement", "charter"})


class BadName(WatchwordError):
    """A text that is not a name under which bad news can be filed."""


def check_name(name: str) -> None:
    """Check that *name* has one of the forms of section 7.

    Raises:
        BadName: no known sort before the colon, nothing after it, or no digest where one belongs.
    """
    sort, _, rest = name.partition(":")
    if sort not in SORTS or not rest:
        raise BadName(f"{name[:80]!r} is not a name", "names begin with " + ", ".join(f"{s}:" for s in SORTS))
    if sort == "exercise":
        if rest.partition(":")[0] not in REACHABLE:
            raise BadName(f"{name[:100]!r} exercises no recall", "after exercise: " + ", ".join(sorted(REACHABLE)))
        check_name(rest)
    if sort in _OF_DIGEST and not is_digest(rest):
        raise BadName(
            f"{name[:100]!r}: {rest[:80]!r} is not a digest", f"written {sort}:sha256:<64 lower-case hex digits>"
        )


def target_of(signed: Signed) -> str:
    """The name that a notice is filed under.

    Raises:
        BadName: not a notice, its target is not a name, or its subject is not that name's (section 4).
    """
    statement = signed.statement
    if statement.kind not in NOTICES:
        raise BadName(f"{statement.kind[:80]} is not a notice", "notices are " + ", ".join(sorted(NOTICES)))
    target = said_name(statement)
    check_name(target)
    if statement.kind != "ratification" and statement.subject != (Subject("notice", D(target.encode())),):
        raise BadName(f"{statement.kind}: its subject is not that of a notice against {target[:100]}")
    return target


def said_name(statement: Statement) -> str:
    """The name that a notice says it is filed under; empty for a first charter's ratification, which is none."""
    if statement.kind != "ratification":
        return str(statement.predicate["target"])
    parent = statement.predicate["parent"]
    return "" if parent is None else f"charter:{parent}"


def filed_under(statement: Statement) -> str | None:
    """The name that the leaf of *statement* carries, blinded; None for a leaf without one (section 5).

    Raises:
        BadName: a notice whose target is not a name.
    """
    if statement.kind in NOTICES:
        check_name(said_name(statement))
        return said_name(statement)
    if statement.kind in CONSIDERED and statement.predicate["scope"] in WIDE:
        return evidence_name(statement.kind, statement.subject[0].digest)
    return None


def evidence_name(kind: str, release: str) -> str:
    """The name of all statements of a considered *kind* about *release*."""
    return f"evidence:{kind}:{release}"


def name_set(charter: Charter, release: str, considered: Iterable[Signed]) -> tuple[str, ...]:
    """Every name under which a notice would reach *release* (section 7), sorted by code point, without repeats.

    Args:
        release: digest of the release.
        considered: the statements that a decision considered (section 8, step 1).
    """
    names = {f"release:{release}", f"charter:{charter.digest}"}
    names |= set() if charter.parent is None else {f"charter:{charter.parent}"}
    names |= {f"caveat:{member.name}" for member in charter.members}
    for signed in considered:
        statement = signed.statement
        names |= {f"statement:{statement.id}", f"key:{signed.key_id}"}
        predicate = statement.predicate
        if statement.kind == "claim":
            names.add(f"supplier:{statement.issuer}")
        elif statement.kind == "endpoint":
            names.add(f"supplier:{predicate['supplier']}")
        elif statement.kind == "data-screening":
            names.add(f"dataset:{predicate['delivered']}")
        elif statement.kind == "bill-of-materials":
            for component in predicate["components"]:
                names |= {f"component:{component[by]}" for by in ("digest", "purl") if component[by] is not None}
                package, _ = package_of(component["purl"] or "")
                names |= {f"package:{package}"} if package else set()
            names |= {f"model:{model}" for model in predicate["base_models"]}
            names |= {f"dataset:{dataset['digest']}" for dataset in predicate["datasets"]}
    return tuple(sorted(names))


def standing_of_notice(charter: Charter, notice: Signed, find: Callable[[str], Signed | None]) -> KeyHolder:
    """The holder of the key of *notice*, when it may say this.

    Args:
        find: a held statement by its id. A retraction of what is not held has no standing yet; it cannot matter yet
            either, since a decision considers only what is held.

    Raises:
        NoStanding: under ``charter.standing``, or by the rule for retractions or revocations.
        BadName: not a notice, or its target is not a name.
    """
    holder = standing(charter, notice)
    sort, _, rest = target_of(notice).partition(":")
    if notice.statement.kind == "retract":
        target = find(rest) if sort == "statement" else None
        if target is None or not may_retract(notice, target):
            raise NoStanding(f"retract by {holder.owner}: what it retracts is not held, or is not its own statement")
    _check_reserved(notice.statement)
    if notice.statement.kind == "take-back" and holder.is_supplier:
        raise NoStanding(f"take-back by {holder.owner}: a supplier takes no bad news back")
    if notice.statement.kind == "revoke" and (sort != "key" or not may_revoke(charter, notice, rest)):
        raise NoStanding(f"revoke by {holder.owner}: not a key of its own")
    return holder


def says_rightly(statement: Statement) -> bool:
    """Whether a notice of this kind may stand under its own target's sort of name; a caveat, under its issuer's."""
    sort, _, rest = said_name(statement).partition(":")
    if sort in RESERVED and statement.kind not in RESERVED[sort]:
        return False
    return statement.kind not in ("caveat", "lift") or (sort, rest) == ("caveat", statement.issuer)


def _check_reserved(statement: Statement) -> None:
    if not says_rightly(statement):
        raise NoStanding(
            f"{statement.kind} by {statement.issuer}: it is not filed under {said_name(statement)[:100]}",
            f"a caveat and its lift are filed under caveat:{statement.issuer}",
        )

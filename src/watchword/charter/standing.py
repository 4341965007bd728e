"""Who may say what (docs/protocol.md, section 3, "Standing").

A statement counts when, in this order:

1. its key is in the charter, and not retired, unless it stands in a ledger: what a retired key says there below a size
   stays said, and above it falls (``ledger.listing``);
2. the key's owner is the issuer that the statement names;
3. the charter lists, for its kind, the key's job or one of its roles;
4. the signature verifies, both halves.

Its envelope and fields were checked when it was parsed. A retraction must further come from the issuer of what it
retracts, and a revocation be signed with the root key of the owner of the key it revokes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from watchword.charter.charter import Charter, CharterFile, KeyHolder, Member
from watchword.errors import WatchwordError
from watchword.statements.digests import b64
from watchword.statements.keys import BadSignature
from watchword.statements.kinds import KINDS
from watchword.statements.passkeys import verify_assertion
from watchword.statements.statement import Signed, Statement, open_envelope, verify


class NoStanding(WatchwordError):
    """A statement that does not count under this charter. Says why."""


class NotInForce(WatchwordError):
    """A charter that too few members ratified."""


def standing(charter: Charter, signed: Signed, *, in_ledger: bool = False, verified: bool = False) -> KeyHolder:
    """The holder of the key that made *signed*, when it has standing.

    Args:
        in_ledger: it stands in one, whose reader asks ``KeyHolder.reaches`` of its place.
        verified: its signature by the key that it names was verified before (4).

    Raises:
        NoStanding: the first of the module's rules that fails.
    """
    statement = signed.statement
    holder = holder_of(charter, statement, signed.key_id, in_ledger=in_ledger)
    # 4
    try:
        if not verified:
            verify(signed, holder.public)
    except BadSignature as error:
        raise NoStanding(f"{statement.kind} by {holder.owner}: {error.message}") from error
    return holder


def holder_of(charter: Charter, statement: Statement, key_id: str, *, in_ledger: bool = False) -> KeyHolder:
    """Who would have made *statement*, if the key *key_id* signed it, and may say it: ``standing`` but for rule 4.

    Raises:
        NoStanding: the first of the module's rules 1 to 3 that fails.
    """
    # 1
    holder = charter.holders.get(key_id)
    if holder is None:
        raise NoStanding(f"{statement.kind}: key {key_id[:23]}… is not in the charter")
    if holder.retired_by is not None and not in_ledger:
        who = f"{holder.owner}'s {holder.person or holder.job} key"
        raise NoStanding(
            f"{statement.kind}: {who} {key_id[:23]}… was retired by charter {holder.retired_by}",
            "sign with the key that took its place",
        )
    # 2
    if holder.owner != statement.issuer:
        raise NoStanding(f"{statement.kind}: says {statement.issuer!r}, but the key is {holder.owner}'s")
    # 3
    if statement.kind not in KINDS:
        raise NoStanding(f"{statement.kind[:80]}: a kind that this version does not know")
    if not may_say(charter, holder, statement.kind):
        who = f"{holder.owner}'s {holder.job} key" if holder.person is None else f"{holder.person} of {holder.owner}"
        listed = ", ".join(charter.standing.get(statement.kind, ())) or "nobody"
        raise NoStanding(f"{statement.kind}: {who} may not say this", f"the charter lists: {listed}")
    return holder


def by_device(charter: Charter, signed: Signed, gate: KeyHolder, *, in_ledger: bool = False) -> KeyHolder:
    """The person whose passkey or card signed an approval that *gate*, the key of his member's gate, vouches for.

    Args:
        in_ledger: it stands in one; a key that was retired since still says whose passkey it was.

    Raises:
        NoStanding: no such person or passkey at that member, or the device signed something else.
    """
    said = signed.statement.predicate
    person, credential = said["person"], said["assertion"]["credential"]
    for holder in charter.holders.values():
        if (holder.owner, holder.person) != (gate.owner, person) or (holder.retired_by is not None and not in_ledger):
            continue
        for passkey in holder.passkeys:
            if b64(passkey.id) == credential:
                try:
                    verify_assertion(passkey, signed.statement.subject[0].digest, said)
                except WatchwordError as error:
                    raise NoStanding(f"approval by {person} of {gate.owner}: {error.message}", error.hint) from error
                return holder
    raise NoStanding(
        f"approval names {person[:80]!r} and a passkey that the charter does not list for him at {gate.owner}",
        "a passkey counts once a charter that lists it is in force",
    )


def may_retract(notice: Signed, target: Signed) -> bool:
    """Whether *notice*, a retraction with standing, comes from the issuer of *target*."""
    return notice.statement.issuer == target.statement.issuer


def may_revoke(charter: Charter, notice: Signed, key_id: str) -> bool:
    """Whether *notice*, a revocation with standing, is by the root key of the owner of *key_id*."""
    signer, owner = charter.holders.get(notice.key_id), charter.holders.get(key_id)
    return signer is not None and owner is not None and signer.job == "root" and signer.owner == owner.owner


def ratified_by(file: CharterFile) -> dict[str, str]:
    """The members that ratified exactly this charter, by as many root keys as they ask for, each with its operator.

    Raises:
        NotInForce: an envelope among the ratifications that is none of this charter by a root key; nothing may stand
            beside the ratifications that could be taken for one.
    """
    charter = file.charter
    signers: dict[str, set[str]] = {}
    for number, envelope in enumerate(file.ratifications, 1):
        try:
            signed = open_envelope(envelope)
            # A key that this very charter retires may still agree to it; so says its parent (``succession``).
            leaving = signed.key_id in charter.holders and charter.holders[signed.key_id].retired_by == charter.version
            holder = standing(charter, signed, in_ledger=leaving)
        except WatchwordError as error:
            raise NotInForce(f"ratification {number} does not count: {error.message}", error.hint) from error
        said = signed.statement.predicate
        if signed.statement.kind != "ratification" or not signed.statement.is_about(charter.digest):
            raise NotInForce(f"ratification {number}, by {holder.owner}, is not of this charter ({charter.digest})")
        if (said["version"], said["parent"], said["effective"]) != (charter.version, charter.parent, charter.effective):
            raise NotInForce(f"ratification {number}, by {holder.owner}, names another version, parent or time")
        if not leaving:
            signers.setdefault(holder.owner, set()).add(signed.key_id)
    return {member.name: member.operator for member in agreeing(charter, signers)}


def agreeing(charter: Charter, signers: Mapping[str, Collection[str]]) -> list[Member]:
    """The members for whom enough of their root keys signed; *signers*: the ids of those that did, by owner."""
    return [member for member in charter.members if len(signers.get(member.name, ())) >= member.root_threshold]


def in_force(file: CharterFile) -> dict[str, str]:
    """Check that enough operators ratified; returns ``ratified_by``.

    Raises:
        NotInForce: too few; names who is missing.
    """
    found = ratified_by(file)
    needed = file.charter.quorum.ratify
    operators = set(found.values())
    if needed < 1 or len(operators) < needed:
        missing = ", ".join(m.name for m in file.charter.members if m.name not in found)
        raise NotInForce(
            f"charter {file.charter.version} of {file.charter.alliance}: ratified by {len(operators)} operators of "
            f"{max(needed, 1)} needed",
            f"not yet ratified by {missing}",
        )
    return found


def may_say(charter: Charter, holder: KeyHolder, kind: str) -> bool:
    """Whether the charter lists, for *kind*, the job of this key or one of its roles."""
    listed = charter.standing.get(kind, ())
    if kind in ("ratification", "revoke") and holder.job != "root":
        # The root keys alone, whatever else a charter lists: they are the ones kept offline.
        return False
    if holder.job == "people":
        return any(role in listed for role in holder.roles)
    return holder.job in ("supplier", "gate", "root") and holder.job in listed

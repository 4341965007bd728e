"""Which charter may follow which, and who agreed to it (docs/protocol.md, section 7, "Succession"). Pure.

A charter follows another when, in this order:

1. it names it as its parent, has the next version, the same suite and alliance secret, and is in force no earlier;
2. every shared ledger goes on with its member, use and key, or is closed; what was closed stays so, at the same end;
3. every key but a witness's is listed again for the same owner, job and person, and may be retired by this version;
   who leaves keeps its operator; nobody's word falls silent;
4. ``quorum.ratify`` operators of the former agree, each with the root keys that the former lists;
5. each member of the former whose object is another now, or that is gone, agrees itself; or, where it cannot or will
   not, ``amendment.ratify`` operators other than its own do, each ``amendment.delay_s`` before the charter is in force;
6. a change of red lines, standing, quorum or amendment takes ``amendment.ratify`` operators, each that long before.

The time of an agreement is the signer's word: among a quorum one is honest.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from watchword.charter.charter import Charter, CharterFile
from watchword.charter.standing import agreeing, ratified_by
from watchword.errors import WatchwordError
from watchword.statements.canonical import canonical
from watchword.statements.statement import Signed, open_envelope
from watchword.statements.times import parse_time

AMENDED = ("red_lines", "standing", "quorum", "amendment")
"""Parts of a charter whose change takes the amendment quorum and its delay."""


class DoesNotFollow(WatchwordError):
    """A charter that may not follow the one that is in force. Names the first rule that it breaks."""


def verify_follows(before: Charter, file: CharterFile) -> None:
    """Check that the charter in *file* may follow *before*; the rules are the module's.

    Raises:
        DoesNotFollow: the first rule that fails.
        NotInForce: a ratification among them does not count.
    """
    after = file.charter
    verify_shape(before, after)
    # 4
    ratified_by(file)
    agreed = assents(before, [open_envelope(envelope) for envelope in file.ratifications])
    operators = _operators(before, agreed)
    if len(operators) < before.quorum.ratify:
        raise DoesNotFollow(
            f"charter {after.version}: ratified by {len(operators)} operators of charter {before.version}, "
            f"{before.quorum.ratify} needed",
            "who is in force decides what follows",
        )
    # 5
    latest = parse_time(after.effective) - timedelta(seconds=before.amendment.delay_s)
    early = _operators(before, (name for name, made in agreed.items() if made <= latest))
    amendment = before.amendment.ratify
    for name in changed_members(before, after):
        others = early - {before.member(name).operator}
        if name not in agreed and len(others) < amendment:
            raise DoesNotFollow(
                f"charter {after.version}: {name} is changed and has not agreed; {len(others)} other operators "
                f"agreed by {latest.isoformat()[:19]}Z, {amendment} needed",
                f"{name} ratifies, or {amendment} others {before.amendment.delay_s:,} s before it is in force",
            )
    # 6
    parts = amended(before, after)
    if parts and len(early) < amendment:
        raise DoesNotFollow(
            f"charter {after.version} changes {', '.join(parts)}: ratified by "
            f"{len(early)} operators by {latest.isoformat()[:19]}Z, {amendment} needed",
            f"charter {before.version} asks for {before.amendment.delay_s:,} s between ratification and effect",
        )


def verify_shape(before: Charter, after: Charter) -> None:
    """Check rules 1 to 3: whether *after* may follow *before*, whoever ratifies it. Raises DoesNotFollow."""
    # 1
    if (after.parent, after.version, after.secret) != (before.digest, before.version + 1, before.secret):
        raise DoesNotFollow(
            f"charter {after.version} of {after.alliance} does not follow charter {before.version} here",
            f"its parent is {before.digest}, its version {before.version + 1}, and the alliance secret stays",
        )
    if parse_time(after.effective) < parse_time(before.effective):
        raise DoesNotFollow(f"charter {after.version}: in force from {after.effective}, before its parent is")
    # 2
    _check_ledgers(before, after)
    # 3
    _check_keys(before, after)


def assents(before: Charter, ratifications: Iterable[Signed]) -> dict[str, datetime]:
    """The members of *before* that ratified, with as many of its root keys as it asks for, and since when.

    Args:
        ratifications: verified ones, all of one successor; what is signed by other keys is passed over.
    """
    signed: dict[str, dict[str, datetime]] = {}
    for one in ratifications:
        holder = before.holders.get(one.key_id)
        if holder is not None and holder.job == "root" and holder.retired_by is None:
            times = signed.setdefault(holder.owner, {})
            times[one.key_id] = min(one.statement.made, times.get(one.key_id, one.statement.made))
    return {m.name: sorted(signed[m.name].values())[m.root_threshold - 1] for m in agreeing(before, signed)}


def amended(before: Charter, after: Charter) -> list[str]:
    """The parts of the rules themselves that *after* changes."""
    return [part for part in AMENDED if canonical(before.value[part]) != canonical(after.value[part])]


def changed_members(before: Charter, after: Charter) -> list[str]:
    """The members of *before* whose object is another in *after*, or that are gone from it."""
    now = {one["name"]: canonical(one) for one in after.value["members"]}
    return [one["name"] for one in before.value["members"] if now.get(one["name"]) != canonical(one)]


def successors(charter: Charter, ratifications: Iterable[Signed], at: datetime) -> list[str]:
    """The charters, by digest, on account of which nothing is decided under *charter* any more, sorted.

    One that follows it, is ratified by its quorum and in force by *at*; all of those that follow it, where there are
    two; and a sibling of it that as many ratified. Whether such a one may follow is asked when it is adopted.

    Args:
        ratifications: those with standing that are filed under the name of *charter* or of its parent.
    """
    by: dict[tuple[str, str, str], list[Signed]] = {}
    for one in ratifications:
        said = one.statement.predicate
        next_ = said["parent"] == charter.digest and said["version"] == charter.version + 1
        beside = said["parent"] == charter.parent and said["version"] == charter.version
        digest = one.statement.subject[0].digest
        if (next_ or beside) and len(one.statement.subject) == 1 and digest != charter.digest:
            by.setdefault((digest, said["parent"], said["effective"]), []).append(one)
    enough = [what for what, all_ in by.items() if len(_ratifying(charter, all_)) >= charter.quorum.ratify]
    following = {(digest, effective) for digest, parent, effective in enough if parent == charter.digest}
    beside = {digest for digest, parent, _ in enough if parent != charter.digest}
    halt = len({digest for digest, _ in following}) > 1
    return sorted(beside | {digest for digest, effective in following if halt or parse_time(effective) <= at})


def _ratifying(charter: Charter, ratifications: Iterable[Signed]) -> set[str]:
    """The operators of members of whose root keys enough are among the signers, retired ones too."""
    signers: dict[str, set[str]] = {}
    for one in ratifications:
        signers.setdefault(charter.holders[one.key_id].owner, set()).add(one.key_id)
    return {member.operator for member in agreeing(charter, signers)}


def twice_ratified(ratifications: Iterable[Signed]) -> dict[str, list[str]]:
    """Of ratifications with standing: members that ratified two charters of one parent, with the charters' digests."""
    said: dict[tuple[str, str], set[str]] = {}
    for one in ratifications:
        statement = one.statement
        if statement.predicate["parent"] is not None:
            key = statement.issuer, str(statement.predicate["parent"])
            said.setdefault(key, set()).update(subject.digest for subject in statement.subject)
    return {member: sorted(digests) for (member, _), digests in sorted(said.items()) if len(digests) > 1}


def _check_ledgers(before: Charter, after: Charter) -> None:
    for origin, of in before.origins.items():
        new = after.origins.get(origin)
        if new is None and of.use == "record":
            continue
        if new is None or (new.member.name, new.use, new.key) != (of.member.name, of.use, of.key):
            what = f"charter {after.version}: {origin} is gone, or has another owner or key"
            raise DoesNotFollow(what, "a ledger stays, or is closed at a size and root; another key is another ledger")
        if of.end is not None and of.end != new.end:
            raise DoesNotFollow(f"charter {after.version}: {origin} was closed at size {of.end.size}, and stays so")
    for origin, of in after.origins.items():
        if of.end is not None and origin not in before.origins:
            raise DoesNotFollow(f"charter {after.version}: {origin} is closed and was never open")


def _check_keys(before: Charter, after: Charter) -> None:
    staying = {member.name for member in after.members}
    for id, holder in before.holders.items():
        who, new = f"{holder.person or holder.job} key of {holder.owner}", after.holders.get(id)
        if new is None and holder.job == "witness":
            continue
        if new is None or (new.owner, new.job, new.person) != (holder.owner, holder.job, holder.person):
            raise DoesNotFollow(f"charter {after.version}: the {who} is gone", "list it all the same, as retired")
        if new.operator != holder.operator and new.owner not in staying:
            raise DoesNotFollow(f"charter {after.version}: {holder.owner} leaves with another operator than it had")
        if holder.retired_by is not None and (new.retired_by, new.sizes) != (holder.retired_by, holder.sizes):
            raise DoesNotFollow(f"charter {after.version}: the {who} was retired by charter {holder.retired_by}")
        if new.retired_by not in (None, holder.retired_by, after.version):
            raise DoesNotFollow(f"charter {after.version}: the {who} is retired by another version than this")
        if new.retired_by is not None and (new.roles, new.passkeys) != (holder.roles, holder.passkeys):
            raise DoesNotFollow(f"charter {after.version}: the {who} is retired with other roles or passkeys")
    for id, holder in after.holders.items():
        if id not in before.holders and holder.retired_by is not None:
            raise DoesNotFollow(f"charter {after.version}: a key of {holder.owner} comes in retired")
    names = {member.name for member in after.members} & {member.name for member in before.former}
    if names:
        raise DoesNotFollow(f"charter {after.version}: {min(names)} left the alliance before", "take another name")


def _operators(before: Charter, names: Iterable[str]) -> set[str]:
    return {before.member(name).operator for name in names}

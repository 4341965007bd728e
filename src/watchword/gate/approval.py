"""Whether a person's signature counts for one held action, now.

Follows docs/protocol.md, section 9 ("An approval counts when"). Pure. The numbers in the code are these:

1. it is an approval with standing, signed with the key of the person it names; or with the gate key of his member, and
   by a passkey or card that this charter lists for him (``statements.passkeys``);
2. it names these very bytes, this gate, this hold and this mandate, and the text that the gate shows for them;
3. it was signed after the hold was asked for, and is not used after it expires, nor after the hold does;
4. nothing fells it: no retraction or dispute of it, no revocation of its key or of that of its person;
5. to approve, its signer has the role that the rule asks for. To refuse, standing is enough: bad news needs less.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from watchword.charter.charter import Charter, KeyHolder
from watchword.charter.standing import NoStanding, by_device, standing
from watchword.errors import WatchwordError
from watchword.gate.authority import Known, against_approval
from watchword.gate.mandate import Rule
from watchword.gate.request import Request
from watchword.ledger.view import Fact
from watchword.limits import JSON_INTEGER_MAX
from watchword.statements.digests import DJ
from watchword.statements.statement import Signed
from watchword.statements.times import parse_time, rfc3339


class DoesNotCount(WatchwordError):
    """An approval or a stop that this gate does not take; says why. Nothing was recorded."""


class TakenBefore(DoesNotCount):
    """An approval that the record names already."""


def check_approval(
    known: Known, request: Request, rule: Rule, signed: Signed, now: datetime, bad_news: Iterable[Signed]
) -> Fact:
    """Check that *signed* counts as an answer to *request* at *now*.

    Args:
        bad_news: every notice held, from any channel.

    Returns:
        It with its holder; in no ledger of the view.

    Raises:
        DoesNotCount: the first of the module's rules that fails.
    """
    statement, said = signed.statement, signed.statement.predicate
    # 1
    holder = _signer(known.charter, signed, "approval")
    who = f"approval by {holder.person} of {holder.owner}"
    # 2
    if [subject.digest for subject in statement.subject] != [request.action.digest]:
        raise DoesNotCount(f"{who}: is for another action than hold {request.hold} waits for")
    for field, wanted in (
        ("gate", request.gate), ("hold", request.hold), ("mandate", request.mandate), ("asked", request.asked),
    ):  # fmt: skip
        if said[field] != wanted:
            raise DoesNotCount(f"{who}: {field} is {said[field][:80]!r}, not {wanted!r}")
    if said["preview"] != request.preview:
        raise DoesNotCount(f"{who}: what was shown is not what this gate shows", "ask for the request file again")
    # 3
    until = parse_time(said["expires"])
    if until > parse_time(request.expires):
        raise DoesNotCount(f"{who}: good until {said['expires']}, longer than the hold waits ({request.expires})")
    if now > until:
        raise DoesNotCount(f"{who}: expired {said['expires']}")
    if statement.made < parse_time(request.asked):
        raise DoesNotCount(
            f"{who}: signed {rfc3339(statement.made)}, before the hold was asked for ({request.asked})",
            "a clock that is behind makes this of an honest one: check it and sign again",
        )
    if statement.made > until:
        raise DoesNotCount(f"{who}: signed {rfc3339(statement.made)}, after it expires")
    # 4
    fact = _standing_fact(known, bad_news, signed, holder, who)
    # 5
    if said["answer"] == "approve" and request.needs.role not in holder.roles:
        raise DoesNotCount(f"{who}: is no {request.needs.role}, which rule {rule.id} asks for")
    return fact


def check_endorsement(
    known: Known,
    gate: str,
    signed: Signed,
    session: str,
    argument: str,
    value: Any,
    now: datetime,
    bad_news: Iterable[Signed],
) -> str:
    """Check that *signed* vouches for *value* as *argument* in *session* at *now*; who does, for people.

    Raises:
        DoesNotCount: another kind, value, argument, session or gate; expired; no standing; fallen.
    """
    statement, said = signed.statement, signed.statement.predicate
    holder = _signer(known.charter, signed, "endorsement")
    who = f"endorsement by {holder.person} of {holder.owner}"
    if [subject.digest for subject in statement.subject] != [DJ(value)]:
        raise DoesNotCount(f"{who}: is of another value")
    for field, wanted in (("gate", gate), ("session", session), ("argument", argument)):
        if said[field] != wanted:
            raise DoesNotCount(f"{who}: {field} is {said[field][:80]!r}, not {wanted[:80]!r}")
    if not statement.made <= now <= parse_time(said["expires"]):
        raise DoesNotCount(f"{who}: made {rfc3339(statement.made)}, expires {said['expires']}: not now")
    _standing_fact(known, bad_news, signed, holder, who)
    return f"{holder.person} of {holder.owner}"


def holder_of(charter: Charter, signed: Signed, kind: str) -> KeyHolder:
    """Whose key signed a statement that is handed to a gate as one of *kind*.

    Raises:
        DoesNotCount: another kind, or he has no standing to say it.
    """
    if signed.statement.kind != kind:
        raise DoesNotCount(f"a {signed.statement.kind[:40]} is no {kind}")
    try:
        return standing(charter, signed)
    except NoStanding as error:
        raise DoesNotCount(error.message, error.hint) from error


def offline_signer(charter: Charter, signed: Signed) -> KeyHolder:
    """Who gave an approval, by *charter* alone: for an auditor, who asks neither a gate nor what fell since.

    Raises:
        DoesNotCount: not an approval, no standing, a signature or a device's that does not verify.
    """
    if signed.statement.kind != "approval":
        raise DoesNotCount(f"a {signed.statement.kind[:40]} is no approval")
    said = signed.statement.predicate
    try:
        holder = standing(charter, signed, in_ledger=True)
        if said["assertion"] is not None and holder.job == "gate":
            return by_device(charter, signed, holder, in_ledger=True)
    except NoStanding as error:
        raise DoesNotCount(error.message, error.hint) from error
    if holder.person is None or holder.person != said["person"] or said["assertion"] is not None:
        raise DoesNotCount(f"names {said['person'][:80]!r} and is signed with the key of {holder.person or holder.job}")
    return holder


def _signer(charter: Charter, signed: Signed, kind: str) -> KeyHolder:
    """The same, where it names a person, who must be the one who signed."""
    holder, said = holder_of(charter, signed, kind), signed.statement.predicate
    person, given = said["person"], said.get("assertion")
    if given is not None and holder.job == "gate":
        if given["charter"] != charter.digest:
            raise DoesNotCount(f"{kind} by {person[:80]}: was signed under another charter", "sign again")
        try:
            return by_device(charter, signed, holder)
        except NoStanding as error:
            raise DoesNotCount(error.message, error.hint) from error
    if holder.person is None or person != holder.person or given is not None:
        raise DoesNotCount(f"{kind} names {person[:80]!r} and is signed with the key of {holder.person or holder.job}")
    return holder


def _standing_fact(known: Known, bad_news: Iterable[Signed], signed: Signed, holder: KeyHolder, who: str) -> Fact:
    """*signed* with its holder, where no bad news fells it."""
    # It stands in no ledger of the view, so that no revocation spares it.
    fact = Fact(signed, holder, "", JSON_INTEGER_MAX)
    fell = against_approval(known, bad_news, fact)
    if fell is not None:
        raise DoesNotCount(f"{who}: {fell}")
    return fact

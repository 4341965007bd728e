"""An answer by a person's device: who may give one here, what his device is asked, and the approval around it.

Follows docs/protocol.md, section 9 ("By a passkey or a card"). The approval is signed with the key of this member's
gate, and checked as any gate will check it before it leaves: a slip shows here and not at another member.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from watchword.charter.standing import by_device, may_say
from watchword.errors import WatchwordError
from watchword.gate.request import ANSWERS, Request, approval_fields
from watchword.node.recorded import NotHere
from watchword.statements.digests import b64
from watchword.statements.passkeys import Passkey, challenge, message

if TYPE_CHECKING:
    from watchword.charter.charter import KeyHolder
    from watchword.node import Node
    from watchword.statements.statement import Signed


class NoDevice(WatchwordError):
    """Nobody here has this passkey or card, or this charter takes no answers by devices."""


def devices_at(node: Node, origin: str | None) -> dict[str, tuple[KeyHolder, Passkey]]:
    """The people of this member who may answer and their devices at *origin* (None: cards), by credential in base64."""
    return {
        b64(passkey.id): (holder, passkey)
        for holder in node.me.keys
        if holder.retired_by is None and may_say(node.charter, holder, "approval")
        for passkey in holder.passkeys
        if passkey.origin == origin
    }


def challenges(node: Node, request: Request) -> dict[str, bytes]:
    """What a passkey is asked to sign for each answer: 32 bytes, the same for every person."""
    found = {}
    for answer in ANSWERS:
        subject, fields = approval_fields(request, "", answer)
        found[answer] = challenge(subject[0].digest, fields, node.charter.digest)
    return found


def answer_by_passkey(
    node: Node, request: Request, answer: str, origin: str, credential: str, given: Mapping[str, bytes]
) -> Signed:
    """The approval that a passkey signed.

    Args:
        credential: its id, base64.
        given: ``authenticator_data``, ``client_data`` and ``signature``, as the browser handed them over.

    Raises:
        NoDevice, NoStanding: nobody's passkey here; or it signed something else, elsewhere or without its person.
        BadRequest, KeyTrouble.
    """
    holder, _ = _device(devices_at(node, origin), credential)
    parts = {name: b64(data) for name, data in given.items()}
    return _signed(node, request, holder, answer, parts | {"credential": credential})


def answer_by_card(
    node: Node, request: Request, answer: str, person: str, sign: Callable[[Passkey, bytes], bytes]
) -> Signed:
    """The approval that *person*'s card signed.

    Args:
        sign: asks the card: the signature of a message, in the form of its algorithm (ES256: DER).

    Raises:
        NoDevice: he has no card in the charter, or several. Else as ``answer_by_passkey``.
    """
    cards = [one for one in devices_at(node, None).items() if one[1][0].person == person]
    if len(cards) != 1:
        count = f"{len(cards)} cards" if cards else "no card"
        raise NoDevice(f"{person}: the charter lists {count} for him at {node.member}, and it has to be one")
    credential, (holder, card) = cards[0]
    subject, fields = approval_fields(request, person, answer)
    signature = sign(card, message(subject[0].digest, fields, node.charter.digest))
    nothing = {"authenticator_data": None, "client_data": None}
    return _signed(node, request, holder, answer, nothing | {"credential": credential, "signature": b64(signature)})


def _device(known: Mapping[str, tuple[KeyHolder, Passkey]], credential: str) -> tuple[KeyHolder, Passkey]:
    found = known.get(credential)
    if found is None:
        raise NoDevice("this passkey is not one of the charter's for anybody here who may answer")
    return found


def _signed(node: Node, request: Request, holder: KeyHolder, answer: str, assertion: dict[str, Any]) -> Signed:
    if "gate" not in node.charter.standing.get("approval", ()):
        raise NoDevice(
            "this charter takes no answers by devices",
            'its standing for "approval" has to list "gate" beside the roles',
        )
    subject, fields = approval_fields(request, str(holder.person), answer)
    fields["assertion"] = assertion | {"charter": node.charter.digest}
    signed = node.sign("approval", subject, fields, scope=_scope(node, request))
    by_device(node.charter, signed, node.charter.holders[signed.key_id])
    return signed


def _scope(node: Node, request: Request) -> str | list[str]:
    """Who may hold the answer: as many as the mandate that it names, where that is held here."""
    try:
        scope: str | list[str] = node.locate(request.mandate).signed.statement.predicate["scope"]
    except NotHere:
        return "alliance"
    return scope

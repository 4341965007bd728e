"""A held action as an approver sees it, at his own member's node: one file, one screen, one signature.

Follows docs/protocol.md, sections 4 (``approval``) and 9. Pure.

* The screen is made from the fields, by whoever shows it: a file whose text differs from what its fields give is
  refused. The approval names the digest of that text, so that the gate knows what was shown.
* What is signed is the digest of the action's exact bytes, this gate, this hold and this mandate, until a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from watchword.errors import WatchwordError
from watchword.gate.action import Action, parse_action, render, shown, shown_text
from watchword.gate.mandate import Approvals
from watchword.limits import REQUEST_BYTES_MAX
from watchword.statements.canonical import canonical, parse_canonical
from watchword.statements.digests import D
from watchword.statements.kinds import Digest, Text, Time
from watchword.statements.statement import Subject
from watchword.statements.times import parse_time

FORMAT = "watchword-hold-request/1"
CHALLENGE_CHARS_MAX = 64
ANSWERS = {
    "approve": "I have read it and it is right",
    "wrong-target": "what it is done to, or sent to, is wrong",
    "wrong-content": "what it says or does there is wrong",
    "refuse": "it must not be done, for another reason",
    "not-my-task": "somebody else is to decide; I do not",
    "escalate": "somebody above me has to decide",
}
"""What a person may answer, and what it means to him."""
ENDING = frozenset({"refuse", "wrong-target", "wrong-content"})
"""Answers that end the hold. The rest lets it wait for others; approve alone counts towards its release."""


class BadRequest(WatchwordError):
    """A file that is not a held action, or whose text is not what its fields give."""


@dataclass(frozen=True)
class Request:
    """A held action. ``asked`` and ``expires`` bound the hold (RFC 3339); ``needs`` says who must sign.

    ``unclean``: which of its values have no clean origin, and where they were read. ``origins``: where the others come
    from; both are empty where no session told. ``answered``: who has answered so
    far, and how: it changes while the hold waits, so nobody signs it.
    """

    action: Action
    gate: str
    hold: str
    mandate: str
    mandate_name: str
    rule: str
    needs: Approvals
    asked: str
    expires: str
    unclean: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    answered: tuple[str, ...] = ()

    def render(self) -> str:
        """The exact text to show; its digest goes into the approval."""
        who = f"{self.needs.count} people with the role {shown(self.needs.role)}, of {self.needs.count} operators"
        return "\n".join(
            [
                f"HOLD {shown(self.hold)}  at {shown(self.gate)}, mandate {shown(self.mandate_name)}",
                f"asked {self.asked}, expires {self.expires}",
                render(self.action),
                *(f"unclean   {shown_text(one)}" for one in self.unclean),
                *(f"origin    {shown_text(one)}" for one in self.origins),
                f"held by   rule {shown(self.rule)}: asks for {who}",
                f"to sign   exactly {len(self.action.bytes):,} bytes, {self.action.digest}",
            ]
        )

    @property
    def preview(self) -> str:
        """The digest of the text shown."""
        return D(self.render().encode())

    @property
    def challenge(self) -> str:
        """What to type: the argument ``target``, else the first text among the arguments, else the tool's name.

        A text that cannot be typed as it is shown is passed over; where nothing can be, it is the start of the digest.
        """
        target = self.action.args.get("target")
        for text in (target, *self.action.args.values(), self.action.tool):
            if isinstance(text, str) and 0 < len(text) <= CHALLENGE_CHARS_MAX and shown(text) == text:
                return text
        return self.action.digest.removeprefix("sha256:")[:8]

    def encode(self) -> bytes:
        """The canonical bytes of the file."""
        return canonical(
            {
                "action": self.action.value,
                "answered": list(self.answered),
                "asked": self.asked,
                "expires": self.expires,
                "format": FORMAT,
                "gate": self.gate,
                "hold": self.hold,
                "mandate": self.mandate,
                "mandate_name": self.mandate_name,
                "needs": msgspec.to_builtins(self.needs),
                "origins": list(self.origins),
                "rule": self.rule,
                "text": self.render(),
                "unclean": list(self.unclean),
            }
        )


class _Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    action: dict[str, Any]
    answered: Annotated[list[Text], Meta(max_length=64)]
    asked: Time
    expires: Time
    format: Literal["watchword-hold-request/1"]
    gate: Text
    hold: Text
    mandate: Digest
    mandate_name: Text
    needs: Approvals
    origins: Annotated[list[Text], Meta(max_length=64)]
    rule: Text
    text: str
    unclean: Annotated[list[Text], Meta(max_length=64)]


def parse_request(data: bytes) -> Request:
    """Read a held action from its file.

    Raises:
        BadRequest: not canonical, a field missing, unknown or of another type, or another text than the fields give.
        BadAction: what it asks for is not an action.
    """
    try:
        raw = msgspec.convert(parse_canonical(data, "request", REQUEST_BYTES_MAX), _Request, strict=True)
        parse_time(raw.asked), parse_time(raw.expires)
    except (msgspec.ValidationError, WatchwordError) as error:
        raise BadRequest(f"request: {error}", "ask the gate's member for the file again") from error
    action = parse_action(canonical(raw.action))
    request = Request(
        action,
        raw.gate,
        raw.hold,
        raw.mandate,
        raw.mandate_name,
        raw.rule,
        raw.needs,
        raw.asked,
        raw.expires,
        tuple(raw.unclean),
        tuple(raw.origins),
        tuple(raw.answered),
    )
    if request.render() != raw.text:
        raise BadRequest("request: its text is not what its fields give", "it was changed, or made by another version")
    return request


def approval_fields(
    request: Request, person: str, answer: str, expires: str | None = None
) -> tuple[tuple[Subject, ...], dict[str, Any]]:
    """Subject and fields of the ``approval`` statement with which *person* answers *request*.

    Args:
        answer: one of ``ANSWERS``.
        expires: until when it may be used (RFC 3339); at most, and by default, as long as the hold waits.

    Raises:
        BadRequest: it would be good for longer than the hold.
    """
    until = expires or request.expires
    if parse_time(until) > parse_time(request.expires):
        raise BadRequest(f"hold {request.hold} waits until {request.expires}; an approval cannot be good until {until}")
    fields = {
        "answer": answer,
        "asked": request.asked,
        "assertion": None,
        "expires": until,
        "gate": request.gate,
        "hold": request.hold,
        "mandate": request.mandate,
        "person": person,
        "preview": request.preview,
    }
    return (Subject("action", request.action.digest),), fields

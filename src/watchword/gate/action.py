"""An action: what a system asks to do, as exactly the bytes that people approve and that are executed.

Follows docs/protocol.md, section 9. Pure.

* Whatever strict JSON came in, what is kept, decided on, approved, forwarded and hashed is its canonical form (RFC
  8785), parsed once more from there: nobody decides on another value than the one that is executed.
* Numbers may have fractions. One whose canonical text is an integer past 2^53 - 1 is refused: readers
  disagree about it.
* Texts are compared by code point and never normalised: the two forms of an accented letter are two texts. ``shown``
  therefore writes out everything that could be mistaken for something else.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from watchword.errors import WatchwordError
from watchword.limits import ACTION_BYTES_MAX
from watchword.statements.canonical import canonical, parse_json
from watchword.statements.digests import DJ, D
from watchword.statements.kinds import Digest, Text, Time
from watchword.statements.times import Clock, parse_time, rfc3339

FORMAT = "watchword-action/1"
Name = Annotated[Text, Meta(min_length=1)]


class BadAction(WatchwordError):
    """Bytes that are not an action as section 9 states it."""


class _Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    args: dict[Text, Any]
    asked: Time
    format: Literal["watchword-action/1"]
    nonce: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    release: Digest
    session: Text
    tool: Name


@dataclass(frozen=True)
class Action:
    """One action. ``value`` is what ``bytes`` say; ``release`` a digest; ``asked`` is the asker's word (RFC 3339)."""

    bytes: bytes = field(repr=False)
    value: dict[str, Any] = field(repr=False)
    tool: str
    release: str
    session: str
    asked: str

    @cached_property
    def digest(self) -> str:
        """What approvals and receipts name."""
        return D(self.bytes)

    @property
    def args(self) -> dict[str, Any]:
        """The arguments, in canonical order."""
        return self.value["args"]  # type: ignore[no-any-return]

    @cached_property
    def effect(self) -> str:
        """What this action would do, whoever asks and when: two actions of one effect are a try and its retry."""
        return DJ({"args": self.args, "release": self.release, "tool": self.tool})


def parse_action(data: bytes) -> Action:
    """Read an action from strict JSON, canonical or not; one final line feed may follow.

    Raises:
        BadAction: not strict JSON, too large, a number that is not finite or has no one reading, a field missing,
            unknown or of another type.
    """
    try:
        value = parse_json(data.removesuffix(b"\n"), "action", ACTION_BYTES_MAX)
        encoded = canonical(value)
        if encoded != data:
            value = parse_json(encoded, "action", ACTION_BYTES_MAX)
    except WatchwordError as error:
        raise BadAction(error.message, error.hint) from error
    return _action(encoded, value)


def recorded_action(body: dict[str, Any]) -> Action:
    """The action of which a receipt has *body*, strict JSON that was read already.

    Raises:
        BadAction: as ``parse_action``.
    """
    encoded = canonical(body)
    if len(encoded) > ACTION_BYTES_MAX:
        raise BadAction(f"action: {len(encoded):,} bytes, limit {ACTION_BYTES_MAX:,}")
    return _action(encoded, body)


def new_action(tool: str, args: dict[str, Any], release: str, session: str, clock: Clock) -> Action:
    """Make an action with a fresh nonce, asked now.

    Raises:
        BadAction: as ``parse_action``.
    """
    value = {
        "args": args, "asked": rfc3339(clock.now()), "format": FORMAT, "nonce": secrets.token_hex(16),
        "release": release, "session": session, "tool": tool,
    }  # fmt: skip
    try:
        return parse_action(canonical(value))
    except BadAction:
        raise
    except WatchwordError as error:
        raise BadAction(f"action: {error.message}", error.hint) from error


def render(action: Action) -> str:
    """The action for a person's eyes: every argument whole, on a line of its own, with nothing that hides.

    Two actions that render alike differ only in their nonce.
    """
    lines = [
        f"tool      {shown(action.tool)}",
        f"release   {action.release}",
        f"session   {shown(action.session)}, asked {action.asked}",
    ]
    lines += [f"  {shown(name)} = {shown_json(value)}" for name, value in action.args.items()]
    return "\n".join(lines if action.args else [*lines, "  no arguments"])


def shown(text: str) -> str:
    """A text on one line: as it is when it is plain, else in quotes with everything doubtful escaped.

    Plain are printable ASCII and the accented Latin letters up to U+00FF. Everything else is escaped: controls, marks
    that reorder or hide text, and letters of other scripts, of which some look like ASCII.
    """
    return text if _PLAIN_WORD.fullmatch(text) else shown_json(text)


def shown_text(text: str) -> str:
    """A sentence that may quote hostile text: everything doubtful in it escaped, without quotes around it."""
    return _DOUBTFUL.sub(_escaped, text)


def shown_json(value: Any) -> str:
    """A JSON value on one line, doubtful characters escaped as in ``shown``; texts in quotes."""
    return _DOUBTFUL.sub(_escaped, canonical(value).decode())


_PLAIN_WORD = re.compile(r"[A-Za-z0-9À-ÖØ-öø-ÿ][A-Za-z0-9À-ÖØ-öø-ÿ ._:/@+-]*(?<! )")
_DOUBTFUL = re.compile(r"[^ -~À-ÖØ-öø-ÿ]")


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{{{ord(match[0]):04x}}}"


def _action(encoded: bytes, value: Any) -> Action:
    try:
        typed = msgspec.convert(value, _Action, strict=True)
        parse_time(typed.asked)
    except (msgspec.ValidationError, WatchwordError) as error:
        raise BadAction(f"action: {error}") from error
    return Action(encoded, value, typed.tool, typed.release, typed.session, typed.asked)

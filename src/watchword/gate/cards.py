"""Tool cards: what a gate knows of a tool, written down by a person and pinned to what the tool's server says of it.

Follows docs/protocol.md, section 9 ("Tool cards"). Pure.

* A card names the tool's effect, each argument's role and type, and how far each part of what it returns is believed.
  An argument that the card does not name, and a field that it does not name, is believed in nothing.
* A card is for one schema: the digest of the tool's name, description and input schema as its server states them. A
  server that changes any of them under way gets no more calls through that card ("rug pull"): see ``verify_pinned``.
* What a server says of its own tools (``readOnlyHint`` and the like) decides nothing; ``draft`` quotes it as a remark.
* Not decided here: whether a call may go (see ``session``), and who may sign cards (see the charter's standing).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from watchword.errors import WatchwordError
from watchword.limits import TOOL_CARD_NAMES_MAX, TOOL_CARDS_BYTES_MAX, TOOL_CARDS_MAX
from watchword.statements.canonical import canonical, parse_json
from watchword.statements.digests import DJ
from watchword.statements.kinds import Digest, Text

FORMAT = "watchword-tool-cards/1"
Name = Annotated[Text, Meta(min_length=1)]
Word = Annotated[str, Meta(min_length=1, max_length=64)]
Words = Annotated[list[Word], Meta(max_length=TOOL_CARD_NAMES_MAX)]

Effect = Literal["read", "fetch", "write", "irreversible"]
Role = Literal["destination", "content", "identifier", "amount", "secret"]
Type = Literal["text", "name", "id", "email", "url", "account", "number", "time", "boolean", "choice"]
Trust = Literal["trusted", "untrusted"]


class BadCard(WatchwordError):
    """Cards that are not of the form section 9 states."""


class NotPinned(WatchwordError):
    """A tool without a card, or one whose server says another thing of it than when the card was signed."""


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Argument(_Strict, frozen=True, kw_only=True):
    """One argument. ``nouns``: words that stand beside such a value when a person names one ("channel", "file").
    ``choices``: of type ``choice``, the values there are."""

    role: Role
    type: Type
    choices: Words
    nouns: Words


class Output(_Strict, frozen=True, kw_only=True):
    """One field of what a tool returns, by its name at any depth. ``""``: a value in no object; ``"*"``: other fields.

    ``trust``: whether its source is trusted for this field, given that the value is of ``type``. ``key``: a person may
    name a record by it. ``secret``: it may leave only where the person named both it and the destination.
    """

    trust: Trust
    type: Type
    key: bool
    secret: bool


class Card(_Strict, frozen=True, kw_only=True):
    """One tool. ``asked``: what a person's words must have for the tool to be asked for: of each list one word.

    ``lookup``: the arguments together name exactly one thing, and what comes back is about that and nothing else.
    """

    tool: Name
    schema: Digest
    effect: Effect
    asked: Annotated[list[Words], Meta(max_length=8)]
    args: dict[Name, Argument]
    outputs: dict[Text, Output]
    lookup: bool


class _Cards(_Strict, frozen=True, kw_only=True):
    format: Literal["watchword-tool-cards/1"]
    server: Name
    tools: Annotated[list[Card], Meta(max_length=TOOL_CARDS_MAX)]


@dataclass(frozen=True)
class Cards:
    """The cards of one server's tools. ``value`` is the object that is signed; ``digest`` names it."""

    value: dict[str, Any]
    server: str
    tools: Mapping[str, Card]

    @cached_property
    def digest(self) -> str:
        """The digest of the canonical JSON."""
        return DJ(self.value)

    def verify_pinned(self, tool: str, described: Mapping[str, Any] | None) -> Card:
        """The card of *tool*, for what its server says of it now.

        Args:
            described: the server's own entry of ``tools/list``; None where it lists the tool no more.

        Raises:
            NotPinned: no card, or the card is for another schema.
        """
        card = self.tools.get(tool)
        if card is None:
            raise NotPinned(f"tool {tool[:80]!r} of {self.server} has no card", "have a person write and sign one")
        now = None if described is None else schema_digest(described)
        if now != card.schema:
            raise NotPinned(
                f"tool {tool[:80]!r} of {self.server} is not the one its card is for: its server changed what it says",
                "compare the two, then have a person sign a new card",
            )
        return card


def parse_cards(data: bytes, where: str = "tool cards") -> Cards:
    """Read cards from JSON, canonical or as a person edited it.

    Raises:
        BadCard: not strict JSON, too large, a field missing, unknown or of another type, two cards of one tool.
    """
    try:
        return read_cards(parse_json(data, where, TOOL_CARDS_BYTES_MAX), where)
    except BadCard:
        raise
    except WatchwordError as error:
        raise BadCard(error.message, error.hint) from error


def read_cards(value: Any, where: str = "tool cards") -> Cards:
    """Check a cards object, as a statement carries it.

    Raises:
        BadCard: as ``parse_cards``.
    """
    if isinstance(value, dict) and isinstance(value.get("tools"), list):
        # A remark is for the person who edits a draft; what is signed has none.
        value = value | {"tools": [_without_remark(one) for one in value["tools"]]}
    try:
        typed = msgspec.convert(value, _Cards, strict=True)
        if len(canonical(value)) > TOOL_CARDS_BYTES_MAX:
            raise BadCard(f"{where}: more than {TOOL_CARDS_BYTES_MAX:,} bytes")
    except msgspec.ValidationError as error:
        raise BadCard(f"{where}: {error}", "docs/protocol.md, section 9, says what a card has") from error
    tools: dict[str, Card] = {}
    for card in typed.tools:
        if card.tool in tools:
            raise BadCard(f"{where}: two cards of tool {card.tool[:80]!r}")
        for name, argument in card.args.items():
            if (argument.type == "choice") != bool(argument.choices):
                raise BadCard(f"{where}, {card.tool[:80]}: argument {name[:80]}: choices go with the type choice")
        if card.lookup and not card.args:
            raise BadCard(f"{where}, {card.tool[:80]}: looks nothing up, for it has no arguments")
        tools[card.tool] = card
    return Cards(value, typed.server, tools)


def schema_digest(described: Mapping[str, Any]) -> str:
    """The digest of what a server says of one tool: name, description and input schema.

    Raises:
        BadCard: it has no canonical form.
    """
    try:
        return DJ({name: described.get(name) for name in ("description", "inputSchema", "name")})
    except WatchwordError as error:
        raise BadCard(f"tool {str(described.get('name'))[:80]!r}: {error.message}") from error


def draft(server: str, listed: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Cards for a person to edit, from a server's ``tools/list``: the strictest that can be said without knowing.

    Every tool is irreversible, every argument a destination where its name or format says address, else content;
    nothing that comes back is believed. The person lowers what he knows. The server's own hints are quoted as
    ``remark``, which no reader believes.

    Raises:
        BadCard: more tools or longer names than a card may have, or two of one name.
    """
    tools = []
    for described in listed[: TOOL_CARDS_MAX + 1]:
        name = str(described.get("name", ""))
        schema = described.get("inputSchema")
        properties = schema.get("properties") if isinstance(schema, dict) else None
        arguments = {
            str(argument): _guess(str(argument), said) for argument, said in _items(properties)[:TOOL_CARD_NAMES_MAX]
        }
        words = [word for word in re.findall(r"[a-z]+", name.lower()) if len(word) > 1]
        tools.append(
            {
                "tool": name, "schema": schema_digest(described), "effect": "irreversible",
                "asked": [words[:1]] if words else [], "args": arguments, "outputs": {}, "lookup": False,
                "remark": _remark(described),
            }
        )  # fmt: skip
    value = {"format": FORMAT, "server": server, "tools": tools}
    read_cards(value, f"tool cards of {server[:80]}")
    return value


def _items(value: Any) -> list[tuple[Any, Any]]:
    return list(value.items()) if isinstance(value, dict) else []


def _without_remark(card: Any) -> Any:
    return {name: value for name, value in card.items() if name != "remark"} if isinstance(card, dict) else card


_ADDRESSES: tuple[tuple[str, Type], ...] = (
    ("email", "email"), ("recipient", "name"), ("url", "url"), ("uri", "url"), ("iban", "account"), ("to", "name"),
    ("host", "name"), ("channel", "name"), ("path", "name"),
)  # fmt: skip


def _guess(name: str, said: Any) -> dict[str, Any]:
    said = said if isinstance(said, dict) else {}
    kind = said.get("type")
    choices = [str(one) for one in said.get("enum", ()) if isinstance(one, str)] if "enum" in said else []
    parts = re.findall(r"[a-z]+", name.lower())
    address = next((type for word, type in _ADDRESSES if any(part.startswith(word) for part in parts)), None)
    role: Role = "content"
    type: Type = "text"
    if choices:
        type = "choice"
    elif kind == "boolean":
        type = "boolean"
    elif kind in ("integer", "number"):
        role, type = ("identifier", "id") if "id" in parts else ("amount", "number")
    elif address is not None:
        role, type = "destination", address
    elif "id" in parts or "name" in parts:
        role, type = "identifier", "id" if "id" in parts else "name"
    if {"password", "token", "secret", "key"} & set(parts):
        role, type = "secret", "text"
    return {"role": role, "type": type, "choices": choices[:TOOL_CARD_NAMES_MAX], "nouns": []}


def _remark(described: Mapping[str, Any]) -> str:
    """What the server says of the tool, for the person who edits: believed by nobody."""
    hints = described.get("annotations")
    told = [f"{name}={value}" for name, value in _items(hints) if isinstance(value, bool)]
    text = " ".join(str(described.get("description") or "").split())
    return f"its server says: {text[:400]}" + (f" [{', '.join(sorted(told))}]" if told else "")

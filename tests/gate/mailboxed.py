"""A gate before the exercise's mailbox: cards signed, a mandate for its tools, and a door over them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from gate.gated import NOBODY, TWO, Gated

from watchword.demo.mailbox import TOOLS
from watchword.gate.cards import draft, read_cards
from watchword.gate.mcp.conversation import Conversation, Door
from watchword.gate.mcp.lent import Lent
from watchword.gate.mcp.message import parse_message
from watchword.gate.shadow import Shadow
from watchword.gate.signed_cards import cards_fields

ONE = TWO | {"count": 1}
EFFECTS = {"read_message": "read", "label_attachment": "write"}


def rule(tool: str, *args: str, people: Any = NOBODY, unclean: Any = None) -> dict[str, Any]:
    """A rule that covers every call of *tool* with these arguments."""
    conditions = [{"field": name, "op": "any", "value": None} for name in args]
    return {
        "id": tool.replace("/", ".").replace(":", "."), "tool": tool, "args": conditions, "approvals": people,
        "hold_s": 300, "quota": None, "unclean": unclean,
    }  # fmt: skip


RULES = [
    rule("mail/read_message", "message"),
    rule("mail/label_attachment", "message", "type"),
    rule("mail/quarantine", "message", "sender", people=ONE),
    rule("mail/forward", "message", "to"),
    rule("mail:sampling/createMessage", "messages", "maxTokens"),
    rule("mail:resources/read", "uri"),
]


def behind(
    here: Gated,
    *,
    tools: list[dict[str, Any]] = TOOLS,
    rules: list[dict[str, Any]] = RULES,
    effects: Mapping[str, str] = EFFECTS,
    **door: Any,
) -> Door:
    """Sign cards for *tools* of the server ``mail`` and a mandate of *rules*, close the node, and make a door."""
    value = draft("mail", tools)
    for one in value["tools"]:
        one["effect"] = effects.get(one["tool"], "write")
    subject, fields = cards_fields(read_cards(value))
    here.at("ALFA").sign_and_append("tool-cards", subject, fields, person="commander")
    mandate = here.new_mandate(rules=rules, stale="deny")
    here.exchange()
    release = here.action().release
    here.nodes.pop("ALFA").close()
    lent = Lent(here.folder / "ALFA", clock=here.clock)
    return Door(lent, "mail", release, mandate, **door)


def shadow() -> Shadow:
    return Shadow()


def said(method: str, id: Any = None, **params: Any) -> Any:
    """A message as it comes off a pipe."""
    value = {"jsonrpc": "2.0", "method": method, "params": params} | ({} if id is None else {"id": id})
    return parse_message(json.dumps(value).encode())


def call(id: Any, tool: str, **args: Any) -> Any:
    return said("tools/call", id, name=tool, arguments=args)


def begun(door: Door, tools: list[dict[str, Any]] = TOOLS, **capabilities: Any) -> Conversation:
    """A conversation whose handshake is over and whose tools were listed."""
    talk = Conversation(door)
    talk.from_client(said("initialize", 0, capabilities=capabilities, protocolVersion="2025-11-25"))
    talk.from_server(answer(0, protocolVersion="2025-11-25", capabilities={}))
    talk.from_client(said("tools/list", "l"))
    talk.from_server(answer("l", tools=tools))
    return talk


def answer(id: Any, **result: Any) -> Any:
    return parse_message(json.dumps({"jsonrpc": "2.0", "id": id, "result": result}).encode())


@contextmanager
def closing(door: Door) -> Iterator[Door]:
    try:
        yield door
    finally:
        door.lent.close()



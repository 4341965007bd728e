"""Every method of the protocol at the gate: an action that needs a mandate, or passed, and why. Pure.

Follows the Model Context Protocol, 2025-11-25 and 2026-07-28; docs/protocol.md, section 9 ("MCP").

* A method that is in neither table is refused: nothing unknown passes, in no direction.
* ``PASSED`` are ``ping``, how a conversation begins, what a server says it has, and what it logs. They, and a client's
  notifications, go on with the fields of ``FIELDS`` alone, and a place in a list only where the server gave it: no text
  that the system chose goes out with them, but who the client says it is, and the ids of its requests.
* Of ``_meta`` the protocol's own names go on.
* Every other method is an action. A tool's is named ``SERVER/TOOL``, any other ``SERVER:METHOD``; ``args`` are the
  tool's arguments, or the parameters without ``_meta``. So a mandate's rule names the server, and two servers with
  tools of one name are two.
* What a server asks of its client (sampling, elicitation, roots) is an action too: it is decided on when it is asked.
  Its answer is what comes of it.
* A method has a card of our own, because the protocol and not the server says what it does: reading what the server
  listed reads; an address that it did not list is fetched; nothing that comes back is believed.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from watchword.errors import WatchwordError
from watchword.gate.cards import FORMAT, Cards, read_cards
from watchword.gate.mcp.message import INVALID_PARAMS, META, BadMessage, Message, read_message

SERVER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
METHODS = "mcp-methods"
"""Under which the methods have their cards."""

LISTS = {
    "tools/list": "tools", "resources/list": "resources", "resources/templates/list": "resourceTemplates",
    "prompts/list": "prompts",
}  # fmt: skip
PASSED = frozenset({"initialize", "server/discover", "ping", "logging/setLevel", *LISTS})
FIELDS: dict[str, tuple[str, ...]] = {
    "initialize": ("protocolVersion", "capabilities", "clientInfo"), "logging/setLevel": ("level",),
    "notifications/cancelled": ("requestId",), "notifications/progress": ("progressToken", "progress", "total"),
    "tools/call": ("name", "arguments", "task"), **dict.fromkeys(LISTS, ("cursor",)),
}  # fmt: skip
LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")

OF_CLIENT = {
    "tools/call", "resources/read", "resources/subscribe", "resources/unsubscribe", "prompts/get",
    "completion/complete", "subscriptions/listen", "tasks/get", "tasks/result", "tasks/list", "tasks/update",
    "tasks/cancel",
}  # fmt: skip
"""Requests of a client that are actions."""

OLD = frozenset({"resources/subscribe", "resources/unsubscribe", "tasks/list", "tasks/result"})
NEW = frozenset({"subscriptions/listen", "tasks/update"})
"""Those that only 2025-11-25 has, and only 2026-07-28."""

OF_SERVER = {"sampling/createMessage": "sampling", "elicitation/create": "elicitation", "roots/list": "roots"}
"""Requests of a server that are actions, with the capability that its client must have stated."""

NOTES_OF_CLIENT = frozenset(
    {
        "notifications/initialized", "notifications/cancelled", "notifications/progress",
        "notifications/roots/list_changed",
    }
)  # fmt: skip
NOTES_OF_SERVER = frozenset(
    {
        "notifications/cancelled", "notifications/elicitation/complete", "notifications/message",
        "notifications/progress", "notifications/prompts/list_changed", "notifications/resources/list_changed",
        "notifications/resources/updated", "notifications/subscriptions/acknowledged", "notifications/tasks/status",
        "notifications/tools/list_changed",
    }
)  # fmt: skip

_EFFECTS = {"resources/fetch": "fetch", "tasks/cancel": "write", "tasks/update": "write"}


def _argument(role: str, type: str) -> dict[str, Any]:
    return {"role": role, "type": type, "choices": [], "nouns": []}


_ARGS: dict[str, dict[str, Any]] = {
    "resources/read": {"uri": _argument("identifier", "text")},
    "resources/fetch": {"uri": _argument("destination", "text")},
    "resources/subscribe": {"uri": _argument("identifier", "text")},
    "resources/unsubscribe": {"uri": _argument("identifier", "text")},
    "tasks/cancel": {"taskId": _argument("identifier", "id")},
    "tasks/update": {"taskId": _argument("identifier", "id")},
}


def _cards() -> Cards:
    tools = [
        {
            "tool": name, "schema": "sha256:" + "0" * 64, "effect": _EFFECTS.get(name, "read"), "asked": [],
            "args": _ARGS.get(name, {}), "outputs": {}, "lookup": False,
        }
        for name in sorted({*OF_CLIENT, *OF_SERVER, "resources/fetch"} - {"tools/call"})
    ]  # fmt: skip
    return read_cards({"format": FORMAT, "server": METHODS, "tools": tools})


CARDS = _cards()


class BadName(WatchwordError):
    """A server's name that mandates could not tell from another."""


@dataclass(frozen=True)
class Asked:
    """What one request asks for: the action's ``tool`` and ``args``, and the ``card`` of ``server`` about it."""

    tool: str
    args: dict[str, Any]
    card: str
    server: str
    method: str

    @property
    def is_tool(self) -> bool:
        """Whether it calls a tool, whose answer can itself say no."""
        return self.method == "tools/call"


def check_name(server: str) -> str:
    """*server*, when it can name a server in actions.

    Raises:
        BadName: it cannot.
    """
    if not SERVER_NAME.fullmatch(server) or server == METHODS:
        raise BadName(
            f"server {server[:80]!r}: a name is letters, digits, '.', '_' and '-', 64 at most",
            "give it one with --server, the same for which its cards are signed",
        )
    return server


def asked_by_client(message: Message, server: str, listed: Container[str]) -> Asked:
    """What a client's request asks for.

    Args:
        listed: addresses of resources that the server itself listed.

    Raises:
        BadMessage: parameters that the method does not take so.
    """
    params, method = message.params, str(message.method)
    if method == "tools/call":
        name, args = params.get("name"), params.get("arguments", {})
        if not isinstance(name, str) or not name or not isinstance(args, dict):
            raise BadMessage("tools/call: its name is no text, or its arguments no object", INVALID_PARAMS, message.id)
        return Asked(f"{server}/{name}", args, name, server, method)
    args = {name: value for name, value in params.items() if name not in ("_meta", *ROUNDS)}
    card = method
    if method == "resources/read" and params.get("uri") not in listed:
        card = "resources/fetch"
    return Asked(f"{server}:{method}", args, card, METHODS, method)


def trimmed(message: Message) -> Message:
    """A client's message with nothing in it that the gate does not look at: other fields are left out."""
    params = message.params
    if params.get("level") not in LEVELS and message.method == "logging/setLevel":
        params = {name: value for name, value in params.items() if name != "level"}
    acts = message.method in OF_CLIENT
    names = FIELDS.get(str(message.method), tuple(params) if acts else ())
    kept = {name: params[name] for name in (*names, *(ROUNDS if acts else ())) if name in params and name != "_meta"}
    meta = {name: value for name, value in message.meta.items() if name == "progressToken" or name.startswith(META)}
    if "_meta" in params:
        kept["_meta"] = meta
    value = {name: message.value[name] for name in ("id", "jsonrpc", "method") if name in message.value}
    return read_message(value | ({"params": kept} if "params" in message.value else {}))


ROUNDS = ("inputResponses", "requestState")
"""Parameters with which a client comes back with what the server asked for: not the call's own."""


def asked_by_server(method: str, params: dict[str, Any], server: str) -> Asked:
    """What a server's request to its client asks for."""
    args = {name: value for name, value in params.items() if name != "_meta"}
    return Asked(f"{server}:{method}", args, method, METHODS, method)

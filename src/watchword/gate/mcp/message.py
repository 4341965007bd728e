"""One message of the Model Context Protocol. Pure.

Follows JSON-RPC 2.0 and the Model Context Protocol, 2025-11-25 and 2026-07-28, ``basic``.

* A message is one object: a request, a notification or a reply. Batches are refused (neither version has them).
* It is read strictly, within MCP_LINE_BYTES_MAX and the depth of our JSON; what goes on is its canonical form, so that
  nobody behind the gate reads another value than the gate did. Nothing is added, left out or renamed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from watchword.errors import WatchwordError
from watchword.limits import MCP_LINE_BYTES_MAX
from watchword.statements.canonical import canonical, parse_json

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
URL_ELICITATION_REQUIRED = -32042
HEADER_MISMATCH = -32020
MISSING_CAPABILITY = -32021
UNSUPPORTED_PROTOCOL_VERSION = -32022
NOT_ALLOWED = -32050
"""Our own, of the range that is a server's to use: the gate denied it."""

META = "io.modelcontextprotocol/"
MODERN = ("2026-07-28",)
HANDSHAKE = ("2025-11-25", "2025-06-18", "2025-03-26")


class BadMessage(WatchwordError):
    """Bytes that are no message. ``code`` is what JSON-RPC calls it; ``id`` its id, where it has a sound one."""

    def __init__(self, message: str, code: int = INVALID_REQUEST, id: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.id = id


@dataclass(frozen=True)
class Message:
    """One message. ``method`` is None for a reply; ``id`` is None for a notification."""

    value: dict[str, Any]
    method: str | None
    id: str | int | None

    @property
    def is_request(self) -> bool:
        """Whether it waits for a reply."""
        return self.method is not None and self.id is not None

    @property
    def params(self) -> dict[str, Any]:
        """Its parameters; none are an empty object."""
        return self.value.get("params", {})  # type: ignore[no-any-return]

    @property
    def meta(self) -> dict[str, Any]:
        """``params._meta``."""
        return self.params.get("_meta", {})  # type: ignore[no-any-return]

    @property
    def version(self) -> str | None:
        """The protocol version that the message itself states, as those of 2026-07-28 do."""
        stated = self.meta.get(f"{META}protocolVersion")
        return stated if isinstance(stated, str) else None

    @property
    def capabilities(self) -> dict[str, Any]:
        """The client capabilities that the message itself states."""
        stated = self.meta.get(f"{META}clientCapabilities")
        return stated if isinstance(stated, dict) else {}

    @cached_property
    def bytes(self) -> bytes:
        """Its canonical form, which is what goes on."""
        return canonical(self.value)


def parse_message(data: bytes) -> Message:
    """Read one message.

    Raises:
        BadMessage: not strict JSON, too large or deep, a batch, or no JSON-RPC 2.0 message.
    """
    try:
        value = parse_json(data, "message", MCP_LINE_BYTES_MAX)
        canonical(value)
    except WatchwordError as error:
        raise BadMessage(error.message, PARSE_ERROR) from error
    return read_message(value)


def read_message(value: Any) -> Message:
    """Check a parsed message.

    Raises:
        BadMessage: as ``parse_message``.
    """
    if not isinstance(value, dict):
        raise BadMessage("message: one JSON-RPC object is needed, no batch")
    id, method = value.get("id"), value.get("method")
    sound = isinstance(id, str) or type(id) is int
    known = id if sound else None
    if value.get("jsonrpc") != "2.0":
        raise BadMessage("message: jsonrpc is not 2.0", id=known)
    if "id" in value and not sound and not (id is None and "error" in value):
        raise BadMessage("message: its id is neither a text nor an integer")
    if method is None:
        if ("result" in value) == ("error" in value) or "id" not in value:
            raise BadMessage("message: neither a request nor a reply", id=known)
        if not isinstance(value.get("result", value.get("error")), dict):
            raise BadMessage("message: its result or error is no object", id=known)
        return Message(value, None, id)
    params = value.get("params", {})
    if not isinstance(method, str) or "result" in value or "error" in value or not isinstance(params, dict):
        raise BadMessage("message: its method is no text, or its params no object", id=known)
    if not isinstance(params.get("_meta", {}), dict):
        raise BadMessage("message: _meta is no object", INVALID_PARAMS, known)
    return Message(value, method, id)


def reply(id: Any, result: dict[str, Any]) -> dict[str, Any]:
    """A result for the request of that id."""
    return {"id": id, "jsonrpc": "2.0", "result": result}


def refusal(id: Any, code: int, message: str, data: Any = None) -> dict[str, Any]:
    """An error for the request of that id."""
    error: dict[str, Any] = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return {"error": error, "id": id, "jsonrpc": "2.0"}

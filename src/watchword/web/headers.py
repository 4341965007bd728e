"""Whether headers that repeat a message say what the message says. Pure.

Follows the Model Context Protocol, 2026-07-28, transports (streamable HTTP): ``Mcp-Method``, ``Mcp-Name``,
``Mcp-Param-*``. Whoever stands behind this door may go by the headers; the gate went by the body.

* Each of them once. A value that would not survive as a header comes as ``=?base64?…?=``.
* ``Mcp-Param-*`` repeats some argument. Which one, the tool's schema says; that a header says the value of any argument
  at all is checked here, and the rest by the server.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Any

from watchword.gate.mcp.message import HEADER_MISMATCH, Message

_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_ENCODED = re.compile(r"=\?base64\?(.*)\?=", re.ASCII)
_PARAM = "mcp-param-"


def mismatch(headers: Iterable[tuple[str, str]], message: Message) -> tuple[int, str] | None:
    """Why the headers of a request do not fit it, as an error's code and words; None when they do."""
    seen: dict[str, str] = {}
    for name, value in headers:
        name = name.lower()
        if name in seen and (name.startswith(_PARAM) or name in ("mcp-method", "mcp-name", "mcp-protocol-version")):
            return HEADER_MISMATCH, f"the header {name} stands there twice"
        seen[name] = value
    if seen.get("mcp-method") != message.method:
        return HEADER_MISMATCH, "the header Mcp-Method does not name the method"
    named = message.params.get(_NAMED.get(str(message.method), ""))
    if named is not None and _decoded(seen.get("mcp-name")) != named:
        return HEADER_MISMATCH, "the header Mcp-Name does not name what the body names"
    said = set(_texts(message.params.get("arguments")))
    for name, value in seen.items():
        if name.startswith(_PARAM) and _plain(_decoded(value)) not in said:
            return HEADER_MISMATCH, f"the header {name[:80]} repeats no argument"
    return None


def _decoded(value: str | None) -> str | None:
    found = None if value is None else _ENCODED.fullmatch(value)
    if found is None:
        return value
    try:
        return base64.b64decode(found[1], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _texts(value: Any) -> Iterator[str | None]:
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]:
        if isinstance(one, dict | list):
            yield from _texts(one)
        elif isinstance(one, bool):
            yield "true" if one else "false"
        elif one is not None:
            yield _plain(str(one))


def _plain(text: str | None) -> str | None:
    """A number with nothing behind its point, without it."""
    return text if text is None else re.sub(r"(?<=[0-9])\.0+$", "", text)

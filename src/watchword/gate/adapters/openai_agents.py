"""Function tools of the OpenAI Agents SDK (openai-agents 0.x) behind the Python door."""

from __future__ import annotations

import dataclasses
from typing import Any

from watchword.errors import WatchwordError
from watchword.gate.door import Door
from watchword.statements.canonical import canonical, parse_json


def gated(door: Door, tool: Any) -> Any:
    """*tool*, a ``FunctionTool``, as one that asks the gate first.

    A tool that answers its own errors with a text has returned, for the gate: make it with
    ``failure_error_function=None`` where it should be known that nobody knows what it did.
    """
    invoke = tool.on_invoke_tool

    async def asked(context: Any, arguments: str) -> Any:
        try:
            action = door.released(tool.name, parse_json(arguments.encode() or b"{}", f"arguments of {tool.name[:80]}"))
        except WatchwordError as error:
            return error.message
        with door.under_way(action) as returned:
            return returned(await invoke(context, canonical(door.arguments(action)).decode()))

    return dataclasses.replace(tool, on_invoke_tool=asked)

"""Tools of LangChain and LangGraph (langchain-core 1.x) behind the Python door."""

from __future__ import annotations

from typing import Any

from watchword.errors import WatchwordError
from watchword.gate.door import Door


def gated(door: Door, tool: Any) -> Any:
    """*tool*, a LangChain ``BaseTool``, as one that asks the gate first; for sync and async agents.

    What the gate does not let go comes back as the tool's answer, with status ``error``.
    """
    from langchain_core.tools import StructuredTool, ToolException
    from pydantic_core import to_jsonable_python

    def asked(args: dict[str, Any]) -> Any:
        try:
            # What a schema made of the agent's JSON, as JSON again: that is what people approve.
            return door.released(tool.name, to_jsonable_python(args))
        except WatchwordError as error:
            raise ToolException(error.message) from error

    def run(**args: Any) -> Any:
        action = asked(args)
        with door.under_way(action) as returned:
            return returned(tool.invoke(door.arguments(action)))

    async def arun(**args: Any) -> Any:
        action = asked(args)
        with door.under_way(action) as returned:
            return returned(await tool.ainvoke(door.arguments(action)))

    return StructuredTool(
        name=tool.name, description=tool.description, args_schema=tool.args_schema, func=run, coroutine=arun,
        return_direct=tool.return_direct, tags=tool.tags, metadata=tool.metadata, handle_tool_error=True,
    )  # fmt: skip

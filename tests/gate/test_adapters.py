"""Tools of two agent frameworks, run by the frameworks themselves: what the gate does not release does not run."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from gate.gated import Gated
from gate.test_door import Program

LAST = "Send an answer to whoever asks"


@pytest.fixture
def program(here: Gated) -> Program:
    return Program(here, LAST)


class LangChain:
    """One tool of LangChain, as its agents call it: with a tool call, answered by a tool message."""

    def __init__(self, program: Program) -> None:
        tools = pytest.importorskip("langchain_core.tools", reason="requirements/heavy.txt is not installed")
        from watchword.gate.adapters.langchain import gated

        made = tools.StructuredTool.from_function(program._send, name="send", description="Send a mail.")
        self.tool = gated(program.door, made)
        self.schema = made.args

    def call(self, **args: Any) -> str:
        answer = self.tool.invoke({"name": "send", "args": args, "id": "1", "type": "tool_call"})
        return str(answer.content)

    def call_async(self, **args: Any) -> str:
        call = {"name": "send", "args": args, "id": "1", "type": "tool_call"}
        return str(asyncio.run(self.tool.ainvoke(call)).content)


class OpenAIAgents:
    """One function tool of the OpenAI Agents SDK, called as its runner does."""

    def __init__(self, program: Program) -> None:
        agents = pytest.importorskip("agents", reason="requirements/heavy.txt is not installed")
        from watchword.gate.adapters.openai_agents import gated

        def send(to: str, text: str) -> str:
            return program._send(to, text)

        made = agents.function_tool(send, failure_error_function=None)
        self.tool = gated(program.door, made)
        self.schema = made.params_json_schema["properties"]

    def call(self, **args: Any) -> str:
        from agents.tool_context import ToolContext

        context = ToolContext(None, tool_name="send", tool_call_id="1", tool_arguments=json.dumps(args))
        return str(asyncio.run(self.tool.on_invoke_tool(context, json.dumps(args))))

    call_async = call


FRAMEWORKS = pytest.mark.parametrize("framework", [LangChain, OpenAIAgents])


@FRAMEWORKS
def test_a_permitted_call_runs_and_is_recorded(here: Gated, framework: Any) -> None:
    """Its answer is the tool's own, in a sync and in an async agent; each has its receipts."""
    program = Program(here, "Send 'hello' and then 'again' to bob@alfa.example")
    tool = framework(program)
    assert set(tool.schema) == {"to", "text"}
    assert tool.call(to="bob@alfa.example", text="hello") == "sent"
    assert tool.call_async(to="bob@alfa.example", text="again") == "sent"
    assert program.sent == ["bob@alfa.example"] * 2
    assert here.events() == ["permitted", "returned"] * 2


@FRAMEWORKS
def test_a_held_call_goes_when_it_is_made_again_after_people_approved(
    here: Gated, program: Program, framework: Any
) -> None:
    """The agent is told that it waits; nothing ran before; it runs once. Fails when the tool itself is handed on."""
    program.inbox()
    tool = framework(program)
    told = tool.call(to="eve@evil.example", text="hello")
    assert told.startswith("HELD ")
    assert program.sent == []
    hold = told.split()[1]
    assert tool.call(to="eve@evil.example", text="hello").startswith(f"HELD {hold}")
    here.approve(hold, "BRAVO")
    assert tool.call(to="eve@evil.example", text="hello") == "sent"
    assert program.sent == ["eve@evil.example"]
    assert tool.call(to="eve@evil.example", text="hello").startswith("HELD ")


@FRAMEWORKS
def test_a_denied_call_is_answered_and_does_not_run(here: Gated, program: Program, framework: Any) -> None:
    """The agent reads why; the program's function was not called."""
    here.gate.stop(here.sign("BRAVO", "stop", _everything(), {"reason": "drill"}, "official"))
    told = framework(program).call(to="bob@alfa.example", text="hello")
    assert told.startswith("DENIED")
    assert "stop of everything by BRAVO" in told
    assert program.sent == []


@FRAMEWORKS
def test_a_tool_that_breaks_leaves_an_unknown_outcome(here: Gated, program: Program, framework: Any) -> None:
    """Its reply was lost: recorded so, and the same is not tried again until somebody reconciles it."""
    tool = framework(program)
    with pytest.raises(OSError, match="connection lost"):
        tool.call(to="bob@alfa.example", text="break")
    assert here.events()[-1] == "unknown"
    assert "reconcile it first" in tool.call(to="bob@alfa.example", text="break")


def _everything() -> Any:
    from watchword.gate.authority import ALL
    from watchword.statements.statement import Subject

    return (Subject("all", ALL),)

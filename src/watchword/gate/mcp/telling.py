"""What a client is told when the gate says no, or wait: in the words of its version of the protocol. Pure.

Follows the Model Context Protocol: server/tools (a tool's result with ``isError``), client/elicitation (URL mode,
2025-11-25), and input-required results (2026-07-28).

* A denial is a result that the agent reads: verdict, reasons, receipt. A method without such a result gets an error.
* A hold points at the page where people look at it. It is never a form: the agent's own client would answer that. What
  the client answers changes nothing; only people's signatures do, and the same call asked again then goes.
* A client that cannot show an address is told the hold's name as text.
"""

from __future__ import annotations

from typing import Any

from watchword.gate.answer import Answer
from watchword.gate.mcp.message import INVALID_PARAMS, NOT_ALLOWED, URL_ELICITATION_REQUIRED, refusal, reply
from watchword.gate.mcp.methods import Asked

ANSWER = "watchword/answer"
"""The answer as data, in ``_meta`` of a result and in an error's ``data``."""

OURS = "watchword-hold-"
"""How an input request of ours is named, and how its state begins."""

HOLD = "{hold}"

INPUT_METHODS = frozenset({"tools/call", "prompts/get", "resources/read"})
"""Methods whose result may ask for input (2026-07-28)."""


def can_show_address(capabilities: Any) -> bool:
    """Whether a client said that it can show an address to a person."""
    elicitation = capabilities.get("elicitation") if isinstance(capabilities, dict) else None
    return isinstance(elicitation, dict) and isinstance(elicitation.get("url"), dict)


def no(id: Any, asked: Asked, answer: Answer, modern: bool) -> dict[str, Any]:
    """What is said to a call that does not go, or not yet."""
    if asked.method == "resources/read":
        # As the protocol says it of one that is not there: whether it is, is not told either.
        return refusal(id, INVALID_PARAMS, answer.told(), {ANSWER: answer.value(), "uri": asked.args.get("uri")})
    if not asked.is_tool:
        return refusal(id, NOT_ALLOWED, answer.told(), {ANSWER: answer.value()})
    result: dict[str, Any] = {
        "_meta": {ANSWER: answer.value()}, "content": [{"text": answer.told(), "type": "text"}], "isError": True,
    }  # fmt: skip
    return reply(id, result | ({"resultType": "complete"} if modern else {}))


def wait(id: Any, asked: Asked, answer: Answer, modern: bool, capabilities: Any, page: str | None) -> dict[str, Any]:
    """What is said to a call that waits for people.

    Args:
        page: the address where they see holds; in place of ``HOLD`` comes the hold's name. None: there is none to show.
    """
    if page is None or not can_show_address(capabilities) or (modern and asked.method not in INPUT_METHODS):
        return no(id, asked, answer, modern)
    text = f"{answer.told()}\nAsk the same again after people approved."
    hold = str(answer.hold)
    shown = {"elicitationId": hold, "message": text, "mode": "url", "url": page.replace(HOLD, hold)}
    if not modern:
        return refusal(id, URL_ELICITATION_REQUIRED, text, {ANSWER: answer.value(), "elicitations": [shown]})
    key = f"{OURS}{hold}"
    request = {"method": "elicitation/create", "params": shown}
    result = {
        "_meta": {ANSWER: answer.value()}, "inputRequests": {key: request}, "requestState": key,
        "resultType": "input_required",
    }  # fmt: skip
    return reply(id, result)

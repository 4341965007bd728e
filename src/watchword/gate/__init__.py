"""The gate: no consequential action without a mandate, a durable receipt and, where it matters, people."""

from watchword.gate.action import Action, BadAction, new_action, parse_action, render
from watchword.gate.answer import Answer, Hold
from watchword.gate.approval import DoesNotCount
from watchword.gate.gate import Gate
from watchword.gate.holding import NoSuchHold
from watchword.gate.mandate import BadMandate, mandate_fields, read_mandate
from watchword.gate.receipts import check_receipts
from watchword.gate.request import BadRequest, Request, approval_fields, parse_request

__all__ = [
    "Action", "Answer", "BadAction", "BadMandate", "BadRequest", "DoesNotCount", "Gate", "Hold", "NoSuchHold",
    "Request", "approval_fields", "check_receipts", "mandate_fields", "new_action", "parse_action", "parse_request",
    "read_mandate", "render",
]  # fmt: skip

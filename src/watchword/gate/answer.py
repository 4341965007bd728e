"""What a gate answers, as a value, as text for people and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from watchword.gate.action import Action, shown, shown_text
from watchword.statements.digests import DJ

REASON_CHARS_MAX = 1_000
"""Characters of one reason. Origin: it may quote hostile input, and a receipt has to be read again at every start."""

VERDICTS = {"permitted": "permit", "released": "permit", "held": "hold", "approved": "hold", "passed": "hold"}
_NOTED = frozenset({"returned", "unknown", "stopped", "exercised", "endorsed"})


def clean_reason(reason: str) -> str:
    """A reason that may quote hostile text, made fit for a terminal and for a receipt."""
    text = shown_text(reason)
    return text if len(text) <= REASON_CHARS_MAX else text[: REASON_CHARS_MAX - 3] + "..."


@dataclass(frozen=True)
class Answer:
    """One answer of a gate. ``event`` is that of its receipt.

    ``receipt`` is the receipt's index in the record: None where nothing was recorded, which is never so when an action
    was let go. ``recorded`` is the receipt, where this call made it. ``hold``, ``asked`` and ``expires`` are
    set where an action waits. ``action_bytes`` are set when it was let go: exactly these are to be executed, once.
    """

    event: str
    gate: str
    reasons: tuple[str, ...]
    action: Action | None = None
    hold: str | None = None
    mandate: str | None = None
    rule: str | None = None
    asked: str | None = None
    expires: str | None = None
    receipt: int | None = None
    recorded: dict[str, Any] | None = field(default=None, repr=False)
    action_bytes: bytes | None = field(default=None, repr=False)

    @property
    def verdict(self) -> str:
        """``permit``, ``hold`` or ``deny``; ``noted`` for a stop or an outcome, which answer no action."""
        return "noted" if self.event in _NOTED else VERDICTS.get(self.event, "deny")

    @property
    def receipt_digest(self) -> str | None:
        """The digest of the canonical bytes of ``recorded``."""
        return None if self.recorded is None else DJ(self.recorded)

    def told(self) -> str:
        """The answer for people: verdict first, then every reason on a line of its own, then the receipt."""
        heading = f"HELD {self.hold}" if self.event == "held" else self.event.upper()
        if self.hold is not None and self.event != "held":
            heading += f" {self.hold}"
        if self.action is not None:
            heading += f"  {shown(self.action.tool)} ({self.action.digest})"
        if self.verdict == "hold" and self.asked is not None:
            heading += f"  asked {self.asked}, expires {self.expires}"
        lines = [heading, *(f"  {reason}" for reason in self.reasons)]
        if self.rule is not None:
            lines.append(f"  rule {shown(self.rule)} of mandate {self.mandate}")
        where = "nothing was recorded" if self.receipt is None else f"receipt {self.gate}/record#{self.receipt}"
        return "\n".join([*lines, where])

    def value(self) -> dict[str, Any]:
        """The answer as JSON data."""
        return {
            "action": None if self.action is None else self.action.digest,
            "asked": self.asked,
            "event": self.event,
            "expires": self.expires,
            "gate": self.gate,
            "hold": self.hold,
            "mandate": self.mandate,
            "reasons": list(self.reasons),
            "receipt": self.receipt,
            "receipt_digest": self.receipt_digest,
            "rule": self.rule,
            "schema": "watchword-gate-answer/1",
            "verdict": self.verdict,
        }


@dataclass(frozen=True)
class Hold:
    """An action that waits for people. ``approved_by`` lists ``PERSON of MEMBER`` in the order they signed."""

    id: str
    action: Action
    mandate: str
    mandate_name: str
    rule: str
    asked: str
    expires: str
    needed: int
    role: str
    approved_by: tuple[str, ...]

    def told(self) -> str:
        """The hold on one line."""
        so_far = ", ".join(self.approved_by) or "nobody yet"
        return (
            f"{self.id}  {shown(self.action.tool)} under {shown(self.mandate_name)}/{shown(self.rule)}  "
            f"asked {self.asked}, expires {self.expires}  {len(self.approved_by)} of {self.needed} signed: {so_far}"
        )

    def value(self) -> dict[str, Any]:
        """The hold as JSON data."""
        return {
            "action": self.action.value,
            "approved_by": list(self.approved_by),
            "asked": self.asked,
            "digest": self.action.digest,
            "expires": self.expires,
            "id": self.id,
            "mandate": self.mandate,
            "mandate_name": self.mandate_name,
            "needed": self.needed,
            "role": self.role,
            "rule": self.rule,
        }

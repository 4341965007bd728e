"""A gate as it stands now, for people: what is in force, what waits, what is stopped, and what would be denied and why.

Pure: nothing is decided here that ``weighing`` does not decide.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from watchword.gate.answer import Hold, clean_reason
from watchword.gate.authority import against, view_age_s
from watchword.gate.weighing import Moment, against_rule
from watchword.statements.times import rfc3339


def state_shown(at: Moment, holds: Iterable[Hold]) -> dict[str, Any]:
    """The state of the gate of ``at.member`` as JSON data."""
    age_s, oldest = view_age_s(at.known, at.now)
    return {
        "clock": at.clock,
        "gate": at.member,
        "holds": [hold.value() for hold in holds],
        "mandates": [_mandate(at, id) for id in at.known.mandates],
        "now": rfc3339(at.now),
        "receipts": at.history.size,
        "schema": "watchword-gate-status/1",
        "stops": [stop.value() for stop in at.known.stops],
        "unknown": at.history.unknowns(),
        "view": {"age_s": age_s, "oldest": oldest},
    }


def _mandate(at: Moment, id: str) -> dict[str, Any]:
    """A mandate as JSON data, with what speaks against it and against each of its rules now."""
    ground = at.known.ground(id)
    mandate = ground.mandate
    rules: dict[str, list[str]] = {}
    if mandate is not None:
        for rule in mandate.rules:
            rules[rule.id] = [clean_reason(reason) for reason in against_rule(at, id, mandate, rule)]
    return {
        "against": [clean_reason(reason) for reason in against(at.known, ground, ground.release or "", at.now)],
        "by": ground.who,
        "id": id,
        "name": None if mandate is None else mandate.name,
        "release": ground.release,
        "rules": rules,
        "valid_until": None if mandate is None else mandate.valid_until,
    }

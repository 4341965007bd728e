"""The price of a caveat: which releases and uses it would stop, and for whom. Pure.

Every use that somebody decided on is decided again, without the caveat and with it, by the same code. What was refused
already costs nothing more. What nobody has decided on yet is not counted: the price is of what is known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchword.account.status import Use
from watchword.charter.charter import Charter
from watchword.ledger.view import Facts, View
from watchword.policy import table
from watchword.policy.caveat import as_if
from watchword.statements.times import rfc3339


@dataclass(frozen=True)
class Stopped:
    """A use that is admitted now and would not be. ``rules``: the ids that would stop it; ``whom``: its parties."""

    release: str
    use: str
    rules: tuple[str, ...]
    whom: tuple[str, ...]

    def told(self) -> str:
        """For people, in one line."""
        return f"{self.release} for {self.use}  stopped for {', '.join(self.whom)}  by {', '.join(self.rules)}"

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        return {"release": self.release, "rules": list(self.rules), "use": self.use, "whom": list(self.whom)}


@dataclass(frozen=True)
class Price:
    """What a caveat would stop, of ``known`` uses of which ``admitted`` are admitted without it."""

    stopped: tuple[Stopped, ...]
    admitted: int
    known: int

    def told(self) -> list[str]:
        """For people, a line for each, and what it was reckoned over."""
        some = f"it would stop {len(self.stopped)} of {self.admitted} admitted uses known here"
        return [*(f"  {one.told()}" for one in self.stopped), some]

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        return {"admitted": self.admitted, "known": self.known, "stopped": [one.value() for one in self.stopped]}


def price(
    charter: Charter, view: View, facts: Facts, member: str, fields: Mapping[str, Any], uses: Iterable[Use],
    now: datetime,
) -> Price:  # fmt: skip
    """What the caveat *fields* of *member* would stop.

    Raises:
        BadCaveat: nobody of *member* may sign a caveat.
    """
    with_it = as_if(charter, facts, member, fields, now)
    as_of = rfc3339(now)
    stopped, admitted, known = [], 0, 0
    for use in uses:
        known += 1
        before = table.decide(charter, view, facts, as_of, use.subject, use.use_case)
        if before["verdict"] != "admitted":
            continue
        admitted += 1
        after = table.decide(charter, view, with_it, as_of, use.subject, use.use_case)
        if after["verdict"] == "admitted":
            continue
        listed = {one["statement"] for one in before["caveats"]}
        new = [one for one in after["caveats"] if one["statement"] not in listed]
        rules = [rule["id"] for one in new for rule in one["rules"] if rule["state"] == "crossed"]
        rules += ["its free policies"] if any(one["cedar"] == "crossed" for one in new) else []
        whom = dict.fromkeys([use.use_case["owner"], *use.use_case["members"], use.by])
        stopped.append(Stopped(use.subject.name, use.use_case["name"], tuple(rules), tuple(whom)))
    return Price(tuple(stopped), admitted, known)

"""What closes a gate: stops and recalls, when they came here, what they did, and who can open it again.

Follows docs/protocol.md, section 9. Pure.

* A stop or recall counts from the moment it is held (``authority``); its receipt ``stopped`` follows before the next
  answer, and says how long after its signature that was.
* Nothing here takes one back: after a stop a new mandate is signed, by whoever may sign mandates, or a new session
  begun; a recall is taken back as notices are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchword.charter.charter import Charter
from watchword.gate.answer import clean_reason
from watchword.gate.authority import Known, Stop, is_session
from watchword.gate.receipts import LETTING_GO
from watchword.ledger.query import told_target
from watchword.statements.statement import Signed
from watchword.statements.times import parse_time, rfc3339


def told_stop(stop: Stop, met: datetime) -> tuple[str, ...]:
    """A stop as the reasons of its receipt."""
    return (
        f"{stop.what} is stopped by {stop.issuer}: {stop.reason}",
        f"by statement {stop.id}",
        _after(stop.made, met),
    )


def newly_closed(
    known: Known, member: str, now: datetime, recorded: Mapping[str, int]
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The stops and recalls that have no receipt yet: its event, each statement's id, and the reasons of its receipt.

    An exercise is told as ``exercised``: what would have closed the gate, which stays as it is.

    Args:
        member: whose gate it is: recalls are looked for that reach a mandate of its own which is not over.
        recorded: what was taken before, by id.
    """
    for stop in known.stops:
        if stop.id not in recorded:
            yield "stopped", stop.id, told_stop(stop, now)
    found: dict[str, tuple[str, Signed]] = {}
    for id, fact in known.mandates.items():
        if fact.holder.owner != member:
            continue
        ground = known.ground(id)
        if ground.mandate is None or now < parse_time(ground.mandate.valid_until):
            found |= {one.statement.id: ("stopped", one) for one in ground.recalls}
            found |= {one.statement.id: ("exercised", one) for one in ground.exercises}
    for id, (event, signed) in sorted(found.items()):
        if id not in recorded:
            yield event, id, _told_recall(signed, now)


def _told_recall(signed: Signed, met: datetime) -> tuple[str, ...]:
    said = signed.statement
    target, reason = told_target(said.predicate), str(said.predicate["reason"])
    return (
        f"{target} is recalled by {said.issuer}: {reason}",
        f"by statement {said.id}",
        _after(said.made, met),
    )


def _after(made: datetime, met: datetime) -> str:
    return f"met here {max(int((met - made).total_seconds()), 0)} s after it was signed {rfc3339(made)}"


@dataclass(frozen=True)
class Closing:
    """A stop or recall that this gate met. ``took_s``: from its signature to its receipt; None where it is not held.

    ``denied``: how many actions were denied since, for whatever reason; ``let_go``: how many went since under a mandate
    that it voids, which is 0 or the gate is broken.
    """

    id: str
    what: str
    met: str
    receipt: int
    took_s: int | None
    denied: int
    let_go: int
    lifted_by: str

    def told(self) -> str:
        """For people: what, how quick, what came of it, and who can open again."""
        took = "" if self.took_s is None else f", {self.took_s} s after it was signed"
        return (
            f"{self.what}\n  met {self.met}{took}; since then {self.denied} denied, {self.let_go} let go under what it "
            f"voids\n  {self.lifted_by}"
        )

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        return {
            "denied": self.denied, "id": self.id, "let_go": self.let_go, "lifted_by": self.lifted_by, "met": self.met,
            "receipt": self.receipt, "took_s": self.took_s, "what": self.what,
        }  # fmt: skip


def closings(known: Known, receipts: Sequence[Mapping[str, Any]], charter: Charter) -> tuple[Closing, ...]:
    """What closed this gate, newest first, by its receipts."""
    stops = {stop.id: stop for stop in known.stops}
    made = {stop.id: stop.made for stop in known.stops}
    made |= {one.statement.id: one.statement.made for id in known.mandates for one in known.ground(id).recalls}
    commanders = ", ".join(charter.standing.get("mandate", ())) or "nobody"
    found = []
    for index, receipt in enumerate(receipts):
        if receipt["event"] != "stopped" or len(receipt["approvals"]) != 1:
            continue
        (id,) = receipt["approvals"]
        stop, since = stops.get(id), receipts[index + 1 :]
        if stop is None:
            lifted = "taken back as notices are: by its members' quorum, or where it lapses"
        elif stop.names is not None and all(is_session(name, digest) for digest, name in stop.names.items()):
            lifted = "not lifted: begin a new session"
        else:
            lifted = f"lifted for a release by a new mandate ({commanders})"
        voided = set() if stop is None else _voided(known, stop)
        took_s = int((parse_time(receipt["time"]) - made[id]).total_seconds()) if id in made else None
        found.append(
            Closing(
                id,
                clean_reason(receipt["reasons"][0]),
                receipt["time"],
                index,
                None if took_s is None else max(took_s, 0),
                sum(1 for one in since if one["event"] == "denied"),
                sum(1 for one in since if one["event"] in LETTING_GO and _against(one, voided, stop)),
                lifted,
            )
        )
    return tuple(reversed(found))


def _against(receipt: Mapping[str, Any], voided: set[str], stop: Stop | None) -> bool:
    """Whether what was let go is what *stop* forbids."""
    session = f"session:{(receipt['body'] or {}).get('session')}"
    return receipt["mandate"] in voided or (
        stop is not None and stop.names is not None and session in stop.names.values()
    )


def _voided(known: Known, stop: Stop) -> set[str]:
    """The mandates in the view that *stop* voids."""
    return {
        id
        for id, fact in known.mandates.items()
        if fact.signed.statement.made <= stop.made
        and any(stop.reaches(subject.digest) for subject in fact.signed.statement.subject)
    }

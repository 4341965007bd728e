"""A proof file, re-checked whole: the package's own verdict, beside which ``verify.py`` is the independent one.

Follows docs/protocol.md, section 10, "A proof is verified". Steps 1 to 6 and 8 are ``ledger.proof``'s, step 9 is
``gate.receipts``'s; step 7, making every decision again, is here, because it needs the requirement table. The first
step that fails is named and nothing after it is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from watchword.charter.charter import CharterFile
from watchword.errors import WatchwordError
from watchword.gate.receipts import Checked, check_receipts
from watchword.ledger.proof import Absence, Inputs, NotProven, Proof, verify_proof
from watchword.policy.table import decide
from watchword.statements.canonical import canonical


@dataclass(frozen=True)
class Verified:
    """A proof of which every step holds: the decisions as they were made, the bad news, the receipts."""

    proof: Proof
    decisions: tuple[Inputs, ...]
    absence: Absence | None
    receipts: Checked = field(repr=False)

    def told(self) -> str:
        """For people: what was decided, what bad news there is or that there is none, what was let go."""
        charter = self.proof.charter
        lines = [f"VERIFIED under charter {charter.version} of {charter.alliance} ({charter.digest})"]
        for made in self.decisions:
            by = made.fact.holder
            verdict = made.decision["verdict"]
            lines.append(
                f"  {verdict:9} {made.subject.name} for {made.use_case['name']}, as of {made.as_of}, by {by.person} of "
                f"{by.owner}: made again, the same bytes"
            )
        lines += self._bad_news()
        for one in self.receipts.releases:
            who = f", approved by {', '.join(one.approved_by)}" if one.approved_by else ""
            lines.append(f"  {one.receipt.event:9} {one.receipt.action}{who}")
        return "\n".join(lines)

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        absence = self.absence
        return {
            "as_of": None if absence is None else absence.as_of,
            "charter": self.proof.charter.digest,
            "decisions": [{"id": d.fact.signed.statement.id, "verdict": d.decision["verdict"]} for d in self.decisions],
            "names": [] if absence is None else list(absence.names),
            "notices": [] if absence is None else [one.value() for one in absence.found],
            "releases": [
                {"action": one.receipt.action, "approved_by": list(one.approved_by), "event": one.receipt.event}
                for one in self.receipts.releases
            ],
        }

    def _bad_news(self) -> list[str]:
        if self.absence is None:
            return ["  this file states nothing about bad news"]
        names, as_of = self.absence.names, self.absence.as_of
        clear = [] if self.absence.counting else [f"  no notice against any of {len(names)} names as of {as_of}"]
        return clear + [f"  {one.kind:12} {one.name}" for one in self.absence.found]


def verify(file: CharterFile, data: bytes, now: datetime, what: str = "bundle") -> Verified:
    """Check every step.

    Args:
        data: the proof's bytes.
        now: the moment of judging.
        what: names the file in errors.

    Raises:
        NotProven, NotInForce, BadBundle: the first step that fails, by number and name.
    """
    proof = verify_proof(file, data, now, what)
    # 7
    decisions = tuple(_made_again(proof, id) for id in proof.bundle.decisions)
    # 8
    absence = proof.absence()
    # 9
    records = {
        part.origin: part.entries
        for part in proof.bundle.ledgers
        if proof.charter.origins[part.origin].use == "record"
    }
    receipts = check_receipts(proof.charter, proof.facts.statements, proof.receipts, records)
    return Verified(proof, decisions, absence, receipts)


def _made_again(proof: Proof, decision_id: str) -> Inputs:
    inputs = proof.inputs(decision_id)
    try:
        again = decide(proof.charter, inputs.view, inputs.facts, inputs.as_of, inputs.subject, inputs.use_case)
    except WatchwordError as error:
        raise NotProven(7, f"decision {decision_id} cannot be made again: {error.message}") from error
    if canonical(again) != canonical(inputs.decision):
        differing = sorted(key for key in again if again[key] != inputs.decision.get(key))
        raise NotProven(7, f"decision {decision_id}, made again, differs in {', '.join(differing) or 'its fields'}")
    return inputs

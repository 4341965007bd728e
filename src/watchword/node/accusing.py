"""Kept equivocations, written as statements that anybody verifies offline from the charter.

* Signed by the gate's key, as what a machine found; standing is the charter's. What convicts is in the statement, and
  not in who says it.
* Each pair of heads is stated once. Where the charter gives nobody's machine that standing, or the key is elsewhere,
  the two signed heads stay where they are kept, and ``monitor`` goes on raising them.
"""

from __future__ import annotations

from watchword.ledger import durable
from watchword.ledger.equivocation import subject_of
from watchword.limits import ENVELOPE_BYTES_MAX
from watchword.node.node import Node
from watchword.node.recorded import Recorded
from watchword.node.store import EVIDENCE_FORMAT
from watchword.statements.canonical import parse_canonical


def accuse(node: Node) -> list[Recorded]:
    """Append an ``equivocation`` statement for every kept pair of heads that convicts and is not stated yet."""
    if "gate" not in node.charter.standing.get("equivocation", ()) or not node.keys.has_job("gate"):
        return []
    if node.store.retired(node.me.origins["ledger"]):
        # This member's own word takes nothing more until its new ledgers are open; the others say it of us.
        return []
    recorded = []
    for folder in node.store.splits():
        data = durable.read(folder / "evidence.json", ENVELOPE_BYTES_MAX)
        if data is None or (folder / "statement").exists():
            continue
        value = parse_canonical(data, str(folder / "evidence.json"), ENVELOPE_BYTES_MAX)
        fields = value["fields"] if value["format"] == EVIDENCE_FORMAT else None
        if fields is not None:
            made = node.sign_and_append("equivocation", (subject_of(fields),), fields)
            node.store.put_own(folder / "statement", made.envelope)
            recorded.append(made)
    return recorded

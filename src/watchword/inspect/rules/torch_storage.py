"""torch-storage: tensor data of a PyTorch archive are not what its pickle says."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="torch-storage",
    title="Tensor data of the archive are not what its pickle says",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="high",
    atlas=("AML.T0018.002",),
    why=(
        "torch.save writes each storage that the pickle names, to the byte. Bytes that no tensor uses, or that begin "
        "like a program, were put there by something else, and travel with the model unseen."
    ),
    remediation="Ask the supplier what the bytes are, or for the weights saved again.",
)

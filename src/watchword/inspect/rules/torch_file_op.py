"""torch-file-op: a PyTorch program calls an operator that reaches files or other machines."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="torch-file-op",
    title="A program of PyTorch calls an operator that reaches files or other machines",
    verdict=Verdict.DANGEROUS,
    severity="critical",
    confidence="high",
    atlas=("AML.T0018.002", "AML.T0011.000"),
    why=(
        "TorchScript has no imports, but torch.save in it writes a file of any name, torch.from_file maps one, for "
        "writing too, and remote calls reach other machines. A __setstate__ that does so runs when the archive is "
        "loaded, also with weights_only, which hands TorchScript on. No model needs it."
    ),
    remediation="Do not load the archive. Ask the supplier for the weights as safetensors and the code as source.",
)

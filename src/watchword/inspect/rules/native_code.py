"""native-code: a release holds compiled code, which is not judged by reading it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="native-code",
    title="The release holds compiled code, which cannot be judged by reading it",
    verdict=Verdict.SUSPICIOUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0010.003", "AML.T0018.002"),
    why=(
        "Programs, shared libraries and bytecode do what they like when they are run or loaded: initialisers of a "
        "library run as soon as it is opened. Weights need none of it; where a runtime is built into the model "
        "(llamafile, compiled exports of PyTorch) it has to be trusted as any other program."
    ),
    remediation="Ask the supplier for the source and build it yourself, or for the weights alone.",
)

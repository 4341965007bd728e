"""tf-file-path: a file operator of a TensorFlow graph goes to a fixed place outside of the model."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.tensorflow import GraphFacts, outward
from watchword.inspect.formats.tensorflow_ops import READS, SAVER, WRITES
from watchword.inspect.rules.rule import Rule

_FILE_OPS = READS | SAVER | WRITES


def check(facts: GraphFacts) -> Iterator[Oddity]:
    assets = {name.rpartition("/")[2] for name in facts.assets}
    for scope in facts.scopes:
        ops = sorted(scope.ops.keys() & _FILE_OPS)
        if ops == ["PrintV2"] and not any(text.startswith("file:") for text in scope.texts):
            continue
        # The path of an asset stands in the graph as it was where the model was saved; the loader replaces it.
        place = outward(scope, assets) if ops else None
        if place is not None:
            words = f"{', '.join(ops[:5])}, and the constant path {place[0][:200]!r}"
            yield Oddity(RULE.id, place[1], words, scope.name)


RULE = Rule(
    id="tf-file-path",
    title="A file operator of a TensorFlow graph goes to a fixed place outside of the model",
    verdict=Verdict.DANGEROUS,
    severity="critical",
    confidence="high",
    atlas=("AML.T0018.001", "AML.T0011.000"),
    why=(
        "The path is a constant of the graph and leads out of the model: absolute, upward, or an address. "
        "Running the graph reads or writes there, whoever runs it."
    ),
    remediation="Do not load the model. Report it to whoever supplied it.",
    reads=(GraphFacts,),
    check=check,
)

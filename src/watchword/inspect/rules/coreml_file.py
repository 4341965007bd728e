"""coreml-file: A Core ML model reads files from outside of its package."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.coreml import CoremlFacts
from watchword.inspect.formats.locations import leads_out
from watchword.inspect.rules.rule import Rule


def check(facts: CoremlFacts) -> Iterator[Oddity]:
    for name, offset in facts.files.items():
        if leads_out(name.removeprefix("@model_path").lstrip("/")) or (name.startswith("/") and len(name) > 1):
            yield Oddity(RULE.id, offset, f"reads {name!r}", name)


RULE = Rule(
    id="coreml-file",
    title="A Core ML model reads files from outside of its package",
    verdict=Verdict.DANGEROUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0011.000",),
    why=(
        "Weights and linked models are named by paths that begin with the place of the model. Another path "
        "makes the loader read any file that it may read."
    ),
    remediation="Do not load the model. Ask the supplier for one that holds its weights itself.",
    reads=(CoremlFacts,),
    check=check,
)

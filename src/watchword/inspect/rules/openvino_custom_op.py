"""openvino-custom-op: an OpenVINO network needs operators that are native code from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.xmls import XmlFacts, is_own_set
from watchword.inspect.rules.rule import Rule


def check(facts: XmlFacts) -> Iterator[Oddity]:
    for (op, group), offset in facts.sets.items():
        if not is_own_set(group):
            yield Oddity(RULE.id, offset, f"needs the operator {op} of {group}", f"{group}::{op}")


RULE = Rule(
    id="openvino-custom-op",
    title="An OpenVINO network needs operators that are native code from elsewhere",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="high",
    atlas=("AML.T0010.003", "AML.T0018.001"),
    why=(
        "An operator of a set that OpenVINO does not bring along is a shared library that the user is asked "
        "to load: native code that is not part of what was inspected."
    ),
    remediation="Ask the supplier for the source of the operator library, or for a model without it.",
    reads=(XmlFacts,),
    check=check,
)

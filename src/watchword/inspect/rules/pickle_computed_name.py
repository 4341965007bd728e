"""pickle-computed-name: what is imported is only decided while loading."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.pickles.values import Import
from watchword.inspect.rules.rule import Rule


def check(event: Import) -> Iterator[Oddity]:
    if event.target.dynamic:
        message = "what is imported is decided while loading"
        yield Oddity(RULE.id, event.offset, message, f"{event.target.module} . {event.target.name}")


RULE = Rule(
    id="pickle-computed-name",
    title="What is imported is decided while loading",
    verdict=Verdict.SUSPICIOUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0011.000", "AML.T0018.002"),
    why=(
        "Picklers write the module and the name of an import as text. Here they are the result of a call, a code of "
        "the extension registry, or a text too long for any name. There is one reason to do so: to keep the name from "
        "being read."
    ),
    remediation="Do not load the file. Ask the supplier for the weights alone, as safetensors or ONNX.",
    reads=(Import,),
    check=check,
)

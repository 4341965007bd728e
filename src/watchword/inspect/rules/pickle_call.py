"""pickle-call: loading would run code, start a program, or reach files or the network."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.pickles.calls import Reached
from watchword.inspect.pickles.values import readable_call
from watchword.inspect.rules.rule import Rule


def check(reached: Reached) -> Iterator[Oddity]:
    call = reached.call
    evidence = readable_call(call.callee, call.args, call.kwargs, call.how)
    message = f"loading would call {reached.name}"
    if reached.why:
        message += f": {reached.why}"
    yield Oddity(RULE.id, call.offset, message, evidence)


RULE = Rule(
    id="pickle-call",
    title="Loading would run code, start a program, or reach files or the network",
    verdict=Verdict.DANGEROUS,
    severity="critical",
    confidence="high",
    atlas=("AML.T0011.000", "AML.T0018.002", "AML.T0010.003"),
    why=(
        "A pickle is a program. This one calls a function that executes commands or code, imports by name, opens "
        "files or connections, or loads a further pickle, either directly or through partials, getters and names "
        "that lead through a module. The call happens while the file is loaded, before any model exists. The "
        "evidence is the call as source code, rebuilt without running anything."
    ),
    remediation=(
        "Do not load the file. Keep it as evidence, file a recall if it was in use, and ask the supplier for the "
        "weights alone, as safetensors or ONNX."
    ),
    reads=(Reached,),
    check=check,
)

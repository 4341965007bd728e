"""pickle-unknown-call: loading would call a function that no known framework needs."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.pickles.calls import UnknownCall
from watchword.inspect.pickles.values import readable_call
from watchword.inspect.rules.rule import Rule


def check(unknown: UnknownCall) -> Iterator[Oddity]:
    call = unknown.call
    evidence = readable_call(call.callee, call.args, call.kwargs, call.how)
    yield Oddity(RULE.id, call.offset, f"loading would call {unknown.name}: {unknown.what}", evidence)


RULE = Rule(
    id="pickle-unknown-call",
    title="Loading would call a function that no known framework needs",
    verdict=Verdict.SUSPICIOUS,
    severity="high",
    confidence="medium",
    atlas=("AML.T0011.000",),
    why=(
        "Honest frameworks rebuild their objects by constructing classes and through a small number of known "
        "functions. This file calls another function, a class of the standard library that models do not use, or "
        "something that is only computed while loading. What it does depends on code that is not in the file."
    ),
    remediation=(
        "Ask the supplier what the function is for, and read its source. If it belongs to a framework, report it, "
        "so that it can be added to the table with its reason."
    ),
    reads=(UnknownCall,),
    check=check,
)

"""pickle-argument: the arguments of a call give it away."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.pickles.calls import Telling
from watchword.inspect.pickles.values import readable_call
from watchword.inspect.rules.rule import Rule


def check(telling: Telling) -> Iterator[Oddity]:
    call = telling.call
    evidence = readable_call(call.callee, call.args, call.kwargs, call.how)
    yield Oddity(RULE.id, call.offset, f"loading would call {telling.name}, which {telling.what}", evidence)


RULE = Rule(
    id="pickle-argument",
    title="The arguments of a call are not those of an honest file",
    verdict=Verdict.SUSPICIOUS,
    severity="high",
    confidence="medium",
    atlas=("AML.T0011.000",),
    why=(
        "A known function is given arguments that its framework never gives it, or an unknown class is given code, a "
        "command, a URL or a path of the machine. Gadgets look like this: a harmless name whose arguments do the work."
    ),
    remediation="Read the call in the evidence and ask the supplier what it is for.",
    reads=(Telling,),
    check=check,
)

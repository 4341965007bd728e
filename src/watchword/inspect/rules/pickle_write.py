"""pickle-write: loading would change something that was imported."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.pickles.calls import Tampering
from watchword.inspect.pickles.values import readable
from watchword.inspect.rules.rule import Rule


def check(tampering: Tampering) -> Iterator[Oddity]:
    write = tampering.write
    message = f"loading would change {tampering.name}"
    yield Oddity(RULE.id, write.offset, message, f"{readable(write.target, 120)} <- {readable(write.state, 200)}")


RULE = Rule(
    id="pickle-write",
    title="Loading would change a module, class or table of the running program",
    verdict=Verdict.SUSPICIOUS,
    severity="high",
    confidence="high",
    atlas=("AML.T0011.000", "AML.T0018.002"),
    why=(
        "BUILD, APPENDS and SETITEMS fill objects that the pickle has made. Here the target was imported: the write "
        "changes the loading program itself, for instance a method of a class or an entry of a search path, and "
        "takes effect whenever that is next used."
    ),
    remediation="Do not load the file. Ask the supplier for the weights alone, as safetensors or ONNX.",
    reads=(Tampering,),
    check=check,
)

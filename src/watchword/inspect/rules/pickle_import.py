"""pickle-import: loading would import something that executes, or walk through a module to reach it."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.pickles.standing import standing
from watchword.inspect.pickles.values import Import
from watchword.inspect.rules.rule import Rule


def check(event: Import) -> Iterator[Oddity]:
    how = standing(event.target)
    what = how.what if how.kind in ("denied", "walk") else how.acts
    if what:
        yield Oddity(RULE.id, event.offset, f"loading would import {event.target.path} ({what})", event.target.path)


RULE = Rule(
    id="pickle-import",
    title="Loading would import something that executes, reads files or connects",
    verdict=Verdict.DANGEROUS,
    severity="critical",
    confidence="high",
    atlas=("AML.T0011.000", "AML.T0018.002"),
    why=(
        "The pickle takes hold of a function of a family that no model needs: processes, code, imports by name, "
        "files, network, other loaders; or it takes a path of attributes that leads through another module to one. "
        "Even where no call is seen, the function is handed to something that may call it."
    ),
    remediation="Do not load the file. Ask the supplier for the weights alone, as safetensors or ONNX.",
    reads=(Import,),
    check=check,
)

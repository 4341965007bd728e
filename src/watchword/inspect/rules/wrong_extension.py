"""wrong-extension: a file is something else than its name says."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.exhibit import Named
from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.rules.rule import Rule


def check(facts: Named) -> Iterator[Oddity]:
    expected = " or ".join(sorted(facts.expected))
    yield Oddity(RULE.id, None, f"is {facts.format} by its content", f"its name says {expected}")


RULE = Rule(
    id="wrong-extension",
    title="The file is something else than its name says",
    verdict=Verdict.SUSPICIOUS,
    severity="low",
    confidence="medium",
    atlas=("AML.T0074",),
    why=(
        "Tools that go by the extension pass over a pickle that is named as text, an image or safetensors; loaders go "
        "by the content. The file was judged by its content here."
    ),
    remediation="Ask the supplier to name the file by what it is.",
    reads=(Named,),
    check=check,
)

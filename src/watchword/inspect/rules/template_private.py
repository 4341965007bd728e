"""template-private: a template that takes an attribute with a leading underscore. Reported by the reader that met
it."""

from __future__ import annotations

from watchword.inspect.facts import Verdict
from watchword.inspect.rules.rule import Rule

RULE = Rule(
    id="template-private",
    title="A template takes a private attribute",
    verdict=Verdict.SUSPICIOUS,
    severity="low",
    confidence="medium",
    atlas=("AML.T0011.000",),
    why=(
        "Attributes that begin with an underscore belong to the renderer's objects and not to messages. Renderers "
        "in a sandbox refuse them; one without hands out what was not meant for templates."
    ),
    remediation="Ask the supplier what the attribute is for, or take the template of the original model.",
)

"""Rule pmml-function: what a PMML document calls is of the standard, or defined in it."""

from __future__ import annotations

from inspect_samples import found, pmml, told

from watchword.inspect.facts import Verdict


def test_a_function_that_nobody_defines_is_told() -> None:
    """A name that neither the standard nor the document knows is told."""
    assert ("pmml-function", Verdict.SUSPICIOUS) in told(pmml('<Apply function="g"/>'), "m.pmml")


def test_a_function_that_the_document_defines_is_silent() -> None:
    """The same call is silent where the document defines the function."""
    assert found(pmml('<DefineFunction name="g"/><Apply function="g"/><Apply function="+"/>'), "m.pmml") == set()

"""Rule pmml-code: a PMML document carries data and standard functions, no code."""

from __future__ import annotations

from inspect_samples import found, pmml, told

from watchword.inspect.facts import Verdict


def test_code_in_an_extension_is_dangerous() -> None:
    """A call of Python in the text of an extension is told."""
    assert ("pmml-code", Verdict.DANGEROUS) in told(
        pmml("<Extension>importlib.import_module('x')</Extension>"), "m.pmml"
    )


def test_words_about_systems_are_silent() -> None:
    """Prose that has a word of code in it is no code."""
    assert found(pmml('<Extension name="author" value="the system of records"/>'), "m.pmml") == set()

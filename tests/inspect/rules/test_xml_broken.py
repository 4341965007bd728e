"""Rule xml-broken: a model in XML is not well-formed."""

from __future__ import annotations

from inspect_samples import look, pmml

from watchword.inspect.facts import Verdict


def test_elements_that_do_not_close_are_unreadable() -> None:
    """A lenient reader may still make a model of it."""
    findings = look(pmml("<Annotation></Header>"), "m.pmml").findings
    assert [(f.rule, f.verdict) for f in findings] == [("xml-broken", Verdict.UNREADABLE)]


def test_a_well_formed_model_is_silent() -> None:
    """Escaped brackets in a text open nothing."""
    assert look(pmml("<Annotation>&lt;Annotation></Annotation>"), "m.pmml").findings == []

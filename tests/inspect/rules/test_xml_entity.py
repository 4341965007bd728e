"""Rule xml-entity: a model in XML declares entities."""

from __future__ import annotations

from inspect_samples import look, pmml

from watchword.inspect.facts import Verdict


def test_an_entity_that_reads_a_file_is_dangerous() -> None:
    """A parser would put the file into the document."""
    doctype = '<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    findings = look(pmml("&x;", doctype), "m.pmml").findings
    assert [(f.rule, f.verdict) for f in findings] == [("xml-entity", Verdict.DANGEROUS)]


def test_a_plain_document_type_is_silent() -> None:
    """A document type and the entities of XML itself declare nothing."""
    assert look(pmml("<Annotation>a &amp; b</Annotation>", "<!DOCTYPE PMML>"), "m.pmml").findings == []

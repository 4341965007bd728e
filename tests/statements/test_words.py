"""A statement in a few words: every kind has a line, and none fails on what is hidden or of another form."""

from __future__ import annotations

from typing import Any

import pytest
from decisions import FIELDS
from hypothesis import given
from hypothesis import strategies as st

from watchword.statements.kinds import KINDS
from watchword.statements.redaction import hide
from watchword.statements.statement import Statement, Subject
from watchword.statements.words import says

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6,
)  # fmt: skip


def said(kind: str, predicate: dict[str, Any]) -> str:
    return says(Statement(kind, (Subject("mailsort 1.0", "sha256:" + "9c" * 32),), predicate, b""))


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("inspection", {"verdict": "dangerous", "dangerous": 1, "files": 3}, "dangerous: 1 dangerous in 3 files, by "),
        ("claim", {}, "mailsort 1.0"),
        ("claim", {"support_until": "2030-01-01T00:00:00Z"}, "mailsort 1.0, supported until 2030-01-01T00:00:00Z"),
        ("bill-of-materials", {}, "2 components, 1 base models, CycloneDX 1.6"),
        ("decision", {"decision": {"verdict": "refused"}}, "refused mailsort 1.0"),
        ("decision", {"decision": [1]}, ""),
        ("mandate", {"mandate": {"name": "border-watch"}}, "border-watch for mailsort 1.0"),
        ("approval", {"answer": "approve", "person": "commander"}, "approve by commander"),
        ("recall", {"reason": "payload found"}, "payload found"),
        ("of-tomorrow", {"more": 1}, ""),
    ],
)  # fmt: skip
def test_what_a_statement_says(kind: str, changes: dict[str, Any], words: str) -> None:
    """The verdict first, then what it stands on."""
    found = said(kind, FIELDS.get(kind, {}) | changes)
    assert found.startswith(words) if words.endswith(" ") else found == words


def test_what_is_hidden_is_said_to_be() -> None:
    """Of a redacted evaluation the numbers stay, and the method is not guessed."""
    fields, _ = hide("evaluation", FIELDS["evaluation"], ["method"])
    assert "(redacted)" in said("evaluation", fields)


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.text(max_size=12), JSON, max_size=4), st.data())
def test_no_line_fails(kind: str, more: dict[str, Any], data: st.DataObject) -> None:
    """Whatever stands in a statement's objects."""
    fields = dict(FIELDS.get(kind, {})) | more
    for name in list(fields):
        if data.draw(st.booleans()):
            fields[name] = data.draw(JSON)
    assert isinstance(said(kind, fields), str)

"""The Cedar engine judges the same rows; whatever it cannot answer cleanly refuses."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cedarpy
import pytest
from decisions import RELEASE, TRIAGE, Paper, pack_charter, row
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.charter.charter import Charter
from watchword.policy import cedar, table
from watchword.policy.admission import EngineDisagrees, admit, agree
from watchword.policy.cedar import EngineTrouble, compile_charter, evaluate, measure
from watchword.statements.times import rfc3339

FIELDS = {
    "criticality": 1, "human": "on", "members": [], "tags": [], "owner": "ALFA", "suppliers": [], "recalls": 0,
    "disputes": 0, "incidents": 0, "dangerous": 0, "against": 0, "endpoint": 0,
}  # fmt: skip
NONE = {"failing": 0, "there": 0, "tools": 0, "waivers": 0}


def context_of(charter: Charter, **changes: Any) -> dict[str, Any]:
    rows = {row.id: {"failing": 0, "there": 9, "tools": 9, "waivers": 0} for row in charter.requirements}
    found = {line.id: 0 for line in charter.red_lines if line.evidence is not None}
    more = {"stale": [], "successors": [], "caveats": 0, "unheld": 0, "sort": "files"}
    return FIELDS | more | {"rows": rows, "found": found} | changes


def red_line(*forbid: dict[str, Any], id: str = "line") -> dict[str, Any]:
    return {"id": id, "text": "t", "forbid": list(forbid), "evidence": None, "accountable": "official",
            "principle": ["A"], "serves": []}


def test_every_row_is_a_forbid_and_one_permit_stands_at_the_bottom() -> None:
    """Adding a row can only shrink what is allowed; each names who answers for it."""
    text = cedar.cedar_text(pack_charter())
    policies = text.split("\n\n")
    assert text.count("\npermit (") == 1 and policies[-1].startswith('@id("watchword:permit")')
    assert len(policies) == len(pack_charter().requirements) + len(pack_charter().red_lines) + 6 + 1
    for policy in policies[:-1]:
        assert "\nforbid (principal" in policy
        assert all(f"@{note}(" in policy for note in ("id", "accountable", "principle", "text"))


def test_the_shipped_pack_validates_and_stays_warm() -> None:
    """Strict validation against the schema passes, and the second evaluation parses nothing."""
    charter = pack_charter()
    assert evaluate(charter, TRIAGE, context_of(charter), RELEASE.digest).admitted
    assert compile_charter(charter) is compile_charter(pack_charter())


@pytest.mark.parametrize(
    ("change", "forbids"),
    [
        ({"recalls": 1}, {"recalled", cedar.NO_RECALL}),
        ({"stale": ["a.example/ledger"]}, {cedar.FRESH}),
        ({"successors": ["sha256:00"]}, {cedar.IN_FORCE}),
        ({"caveats": 1}, {cedar.NO_CAVEAT}),
        ({"unheld": 1}, {cedar.KEPT_BACK}),
        ({"dangerous": 2}, {"hidden-code"}),
        ({"criticality": 3, "human": "out"}, {"no-lone-machine"}),
        ({"sort": "endpoint", "rows": {"endpoint-asked": NONE, "inspected": NONE}}, {"endpoint-asked"}),
        ({"rows": {"endpoint-asked": NONE, "inspected": NONE}}, {"inspected"}),
        ({"rows": {"supplier-claim": {"failing": 0, "there": 0, "tools": 0, "waivers": 0}}}, {"supplier-claim"}),
        ({"rows": {"two-inspections": {"failing": 1, "there": 5, "tools": 5, "waivers": 0}}}, {"two-inspections"}),
    ],
)
def test_the_engine_names_what_stands_in_the_way(change: dict[str, Any], forbids: set[str]) -> None:
    """The ids are those of the rows."""
    charter = pack_charter()
    context = context_of(charter)
    context |= change | {"rows": context["rows"] | change.get("rows", {})}
    judged = evaluate(charter, TRIAGE, context, RELEASE.digest)
    assert (judged.admitted, judged.forbids) == (False, forbids)


@pytest.mark.parametrize("change", [{"recalls": "0"}, {"stale": None}, {"rows": {}}, {"dangerous": 2**63}, {"more": 1}])
def test_a_context_of_another_form_is_no_decision(change: dict[str, Any]) -> None:
    """Without the schema the engine would skip the forbid that errs, and allow. Fails when errors are ignored."""
    charter = pack_charter()
    with pytest.raises(EngineTrouble):
        evaluate(charter, TRIAGE, context_of(charter) | change, RELEASE.digest)


def test_a_missing_attribute_is_no_decision() -> None:
    """Each attribute is required."""
    charter = pack_charter()
    for name in context_of(charter):
        context = context_of(charter)
        del context[name]
        with pytest.raises(EngineTrouble):
            evaluate(charter, TRIAGE, context, RELEASE.digest)


def test_an_error_in_one_forbid_is_not_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's trap itself: it answers Allow beside an error. Fails when diagnostics are not read."""
    charter = pack_charter()
    answer = SimpleNamespace(
        decision=cedarpy.Decision.Allow,
        diagnostics=SimpleNamespace(errors=["overflow"], reasons=["policy0"], id_annotations_by_reason={}),
    )
    monkeypatch.setattr(cedarpy, "is_authorized", lambda *_, **__: answer)
    with pytest.raises(EngineTrouble, match="overflow"):
        evaluate(charter, TRIAGE, context_of(charter), RELEASE.digest)


def test_the_engine_really_skips_a_forbid_that_errs() -> None:
    """Documents the trap that the module guards against, so that a change of the engine is seen here."""
    text = "forbid (principal, action, resource) when { context.missing }; permit (principal, action, resource);"
    request = {"principal": 'A::"a"', "action": 'Action::"admit"', "resource": 'B::"b"', "context": {}}
    answer = cedarpy.is_authorized(request, text, "[]")
    assert answer.decision is cedarpy.Decision.Allow and answer.diagnostics.errors


def test_no_text_ends_a_literal() -> None:
    """Quotes, backslashes, newlines and other scripts in a row's text stay text."""
    hostile = 'x") permit (principal, action, resource); //\\\n\u202e\U0001f600'
    rows = [dict(pack_charter().value["requirements"][0], text=hostile, accountable=hostile)]
    lines = [red_line({"field": "tags", "op": "contains", "value": hostile})]
    charter = pack_charter(requirements=rows, red_lines=lines)
    assert cedar.cedar_text(charter).count("\npermit (") == 1
    assert not evaluate(charter, TRIAGE, context_of(charter, tags=[hostile]), RELEASE.digest).admitted
    assert evaluate(charter, TRIAGE, context_of(charter, tags=["y"]), RELEASE.digest).admitted


@pytest.mark.parametrize("text", ["(" * 65, "[" * 1000, "a" * 65_537, "{}" * 40_000, "((" * 40 + '""' + "))" * 40])
def test_deep_or_long_text_never_reaches_the_engine(text: str) -> None:
    """The engine was seen to crash on deep nesting. Fails when the scan is removed."""
    with pytest.raises(EngineTrouble, match=r"nested|bytes"):
        measure("policy", text)


def test_a_charter_too_long_for_the_engine_is_refused_before_it() -> None:
    """Texts of rows count too: a charter with 17 of 4,000 characters makes no decision. Fails when not measured."""
    line = red_line({"field": "recalls", "op": ">", "value": 0})
    charter = pack_charter(red_lines=[line | {"id": f"line-{n}", "text": "x" * 4000} for n in range(17)])
    with pytest.raises(EngineTrouble, match=r"Cedar policies: 8\d,\d+ bytes"):
        compile_charter(charter)


def test_brackets_in_texts_and_comments_do_not_count() -> None:
    """Only what the engine would nest: the same brackets outside a text, or after the end of a comment, do."""
    text, comment = '"' + "(" * 500 + '\\"" ', "// " + "(" * 500
    measure("policy", text + comment + "\n()")
    for counts in (text[1:].replace('"', ""), comment.replace("// ", "//\n")):
        with pytest.raises(EngineTrouble, match="nested"):
            measure("policy", counts)


def test_a_red_line_of_a_thousand_conditions_is_refused() -> None:
    """The engine gives up on long chains; that too is decided before it sees them."""
    many = [{"field": "criticality", "op": ">=", "value": 0}] * 1000
    charter = pack_charter(red_lines=[red_line(*many)])
    with pytest.raises(EngineTrouble, match="1000 conditions"):
        evaluate(charter, TRIAGE, context_of(charter), RELEASE.digest)


def test_a_built_in_name_cannot_be_taken() -> None:
    """A row that calls itself as a built-in rule does is told apart, or refused; never counted as it."""
    charter = pack_charter(red_lines=[red_line({"field": "recalls", "op": "<", "value": 0}, id=cedar.FRESH)])
    with pytest.raises(EngineTrouble, match="built in"):
        compile_charter(charter)


VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-1, 4)
    | st.sampled_from(["in", "on", "0.5", "x", ""])
    | st.floats(0.01, 0.99)
)  # no 0.0: canonical JSON writes it 0, and a charter that was read holds the integer
CONDITIONS = st.fixed_dictionaries({
    "field": st.sampled_from([*FIELDS, "absent", "human.deep"]),
    "op": st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "contains", "any", "~"]),
    "value": VALUES | st.lists(VALUES, max_size=3),
})  # fmt: skip
CONTEXTS = st.fixed_dictionaries({
    "criticality": st.integers(0, 3), "human": st.sampled_from(["in", "on", "out"]),
    "members": st.lists(st.sampled_from(["x", "in", "ALFA"]), max_size=2), "tags": st.lists(st.just("x"), max_size=1),
    "owner": st.sampled_from(["in", "ALFA", "0.50"]), "suppliers": st.lists(st.just("x"), max_size=1),
    "disputes": st.integers(0, 2), "incidents": st.integers(0, 2), "endpoint": st.integers(0, 2),
    "recalls": st.integers(0, 2), "dangerous": st.integers(0, 2), "against": st.integers(0, 1),
})  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(CONDITIONS, max_size=3), st.lists(CONTEXTS, min_size=1, max_size=3))
def test_table_and_engine_agree_on_every_red_line(forbid: list[dict[str, Any]], contexts: list[dict[str, Any]]) -> None:
    """Over random conditions, trouble included, and random contexts: crossed in the one is crossed in the other."""
    charter = pack_charter(("ALFA",), red_lines=[red_line(*forbid)])
    for fields in contexts:
        judged = evaluate(charter, TRIAGE, context_of(charter, **fields), RELEASE.digest)
        assert ("line" in judged.forbids) == table.crossed(charter.red_lines[0], fields, {}), (forbid, fields)


WHENS = st.fixed_dictionaries({
    "criticality": st.integers(0, 3), "human": st.lists(st.sampled_from(["in", "on", "out"]), max_size=2),
})  # fmt: skip
ROWS = st.lists(
    st.fixed_dictionaries({
        "kind": st.sampled_from(["inspection", "claim", "evaluation"]), "count": st.integers(0, 3),
        "from": st.sampled_from(["member", "supplier", "any"]),
        "distinct": st.sampled_from(["operators", "statements"]),
        "tools": st.integers(0, 2), "max_age_days": st.sampled_from([None, 1, 30]), "when": WHENS,
        "bound": st.sampled_from([[], [{"field": "tool.name", "op": "==", "value": "one"}]]),
    }),
    max_size=4,
)  # fmt: skip
SAID = st.lists(
    st.tuples(
        st.sampled_from(["inspection", "evaluation"]), st.sampled_from(["ALFA", "BRAVO", "CHARLIE"]),
        st.sampled_from(["one", "two"]), st.integers(0, 40),
    ),
    max_size=5,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(ROWS, SAID, st.integers(0, 3), st.sampled_from(["in", "on", "out"]), st.booleans(), st.booleans())
def test_table_and_engine_agree_on_whole_decisions(
    rows: list[dict[str, Any]], said: list[tuple[str, str, str, int]], criticality: int, human: str,
    recalled: bool, stale: bool,
) -> None:  # fmt: skip
    """Over random tables and evidence ``admit`` never raises: verdict and rows in the way are the same in both."""
    from decisions import DAY

    blank = {"text": "", "where": [], "owed_by": "members", "accountable": "official", "principle": []}
    blank |= {"serves": [], "waiver": None}
    named = [blank | one | {"id": f"row-{number}"} for number, one in enumerate(rows)]
    paper = Paper(pack_charter(("ALFA", "BRAVO", "CHARLIE"), requirements=named))
    paper.say("claim", "AQUILA")
    for kind, name, tool, days in said:
        rules = {"rules": ""} if kind == "inspection" else {}
        paper.say(kind, name, age=days * DAY, tool={"name": tool, "version": "1"} | rules)
    if recalled:
        paper.notice("recall", "BRAVO", "supplier:AQUILA")
    if stale:
        paper.head_age["alfa.example/notices"] = 2 * DAY
    use_case = TRIAGE | {"criticality": criticality, "human": human}
    admission = admit(paper.charter, paper.view(), paper.facts(), rfc3339(paper.now), RELEASE, use_case)
    assert admission.admitted == (admission.decision["verdict"] == "admitted")


def test_where_they_disagree_nothing_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine or a table that forgets a row raises, naming the row. Fails when only verdicts are compared."""
    paper = Paper()
    paper.sound()
    decision = paper.decide()
    agree(decision, cedar.Judged(True, frozenset()))
    with pytest.raises(EngineDisagrees, match="two-inspections"):
        agree(decision, cedar.Judged(False, frozenset({"two-inspections"})))
    with pytest.raises(EngineDisagrees, match="verdict"):
        agree(decision, cedar.Judged(False, frozenset()))
    refused = paper.decide(criticality=2)
    assert row(refused, "legal-review")["state"] == "unmet"
    with pytest.raises(EngineDisagrees, match="legal-review"):
        agree(refused, cedar.Judged(False, frozenset({"evaluated-under-attack"})))
    monkeypatch.setattr(cedar, "_applies", lambda _: "false")
    charter = pack_charter(head_max_age_s=86_401)  # not yet warm
    with pytest.raises(EngineDisagrees, match="something-met"):
        admit(charter, paper.view(), paper.facts(), rfc3339(paper.now), RELEASE, TRIAGE)

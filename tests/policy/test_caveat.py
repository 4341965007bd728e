"""Caveats: only what can restrict is signed, whatever cannot be judged forbids, and only its member lifts it."""

from __future__ import annotations

from pathlib import Path

import pytest
from decisions import RELEASE, TRIAGE, Paper, pack_charter

from watchword.policy import cedar, table
from watchword.policy.admission import EngineDisagrees, admit
from watchword.policy.caveat import BadCaveat, as_if, check_free, free_crossed, read_caveat
from watchword.statements.times import rfc3339

FORBID = {"field": "criticality", "op": ">=", "value": 1}
RULE = """name = "no-office"
reason = "our law"
[[rule]]
id = "no-office"
text = "no office mail"
accountable = "Officer A"
forbid = [{ field = "tags", op = "contains", value = "office" }]
"""
NOTES = '@id("ours") @accountable("Officer A") @text("no office mail")\n'
FREE = NOTES + 'forbid (principal, action == Action::"admit", resource) when { context.tags.contains("office") };'


def written(folder: Path, text: str) -> Path:
    path = folder / "caveat.toml"
    path.write_text(text, "utf-8")
    return path


def with_free(policy: str) -> str:
    return f'name = "ours"\nreason = "our law"\ncedar = \'\'\'\n{policy}\n\'\'\'\n'


@pytest.fixture
def paper() -> Paper:
    """Evidence that admits mail triage."""
    paper = Paper()
    paper.sound()
    assert paper.decide()["verdict"] == "admitted"
    return paper


# -- what is signed ---------------------------------------------------------------------------------


def test_a_caveat_reads_in_full(tmp_path: Path) -> None:
    """What a rule leaves out has the value that asks for nothing more."""
    assert read_caveat(written(tmp_path, RULE)) == {
        "cedar": None, "name": "no-office", "reason": "our law",
        "rules": [{
            "accountable": "Officer A", "forbid": [{"field": "tags", "op": "contains", "value": "office"}],
            "id": "no-office", "on": "admit", "principle": [], "serves": [], "text": "no office mail",
        }],
    }  # fmt: skip
    assert read_caveat(written(tmp_path, with_free(FREE)))["cedar"] == FREE + "\n"


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (FREE.replace("forbid (", "permit ("), r"line 4, policy ours: a caveat only forbids, this is a permit"),
        (FREE + "\n" + FREE.replace("forbid (", "permit ("), r"line 6, policy ours: a caveat only forbids"),
        (FREE.replace('@text("no office mail")', ""), r"line 4, policy ours: no annotation @text"),
        (FREE.replace('@accountable("Officer A") ', ""), r"no annotation @accountable"),
        (FREE.replace('@id("ours") ', ""), r"line 4: no annotation @id"),
        (FREE + "\n" + FREE, r"line 6, policy ours: a second policy"),
        (FREE.replace('== Action::"admit"', ""), r"policy ours: its action is not exactly"),
        (FREE.replace('== Action::"admit"', 'in [Action::"admit"]'), r"its action is not exactly"),
        (FREE.replace('"admit"', '"recall"'), r"its action is not exactly"),
        (FREE.replace('"admit"', '"stop"'), r"its action is not exactly"),
        (FREE.replace("context.tags", "context.labels"), r"line 4, policy ours: Cedar refuses"),
        (FREE.replace("context.tags", "context.dangerous"), r"policy ours: Cedar refuses"),
        (FREE.replace("principal,", "principal == ?principal,"), r"line 4: a template"),
        (FREE.replace("when {", "when"), r"line 4: Cedar cannot read"),
        (FREE.replace("context.tags", "(" * 200 + "context.tags"), r"nested deeper"),
        ("// nothing\n", r"no policy"),
        (NOTES + "// " + "x" * 70_000 + "\n" + FREE[len(NOTES):], r"larger than 65,536 bytes"),
    ],
)  # fmt: skip
def test_a_policy_that_is_more_than_a_restriction_is_not_signed(tmp_path: Path, policy: str, told: str) -> None:
    """Permits, other actions, missing names, what does not validate: refused, naming file, line and policy.

    Fails when the effect, the action or the annotations of the syntax tree are not looked at.
    """
    with pytest.raises(BadCaveat, match=told) as caught:
        read_caveat(written(tmp_path, with_free(policy)))
    assert str(tmp_path / "caveat.toml") in caught.value.message


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('id = "no-office"', 'id = ""', "line 3, rule 1 .*: id is empty"),
        ('text = "no office mail"\n', "", "missing required field `text`"),
        ('accountable = "Officer A"', "accountable = 3", "rule 1 \\(no-office\\): Expected `str`"),
        ('"tags"', '"labels"', "no field that a caveat may speak of"),
        ('op = "contains"', 'op = "=="', "== does not fit; contains do"),
        ('op = "contains"', 'op = "~"', "operator '~' is none of"),
        ('field = "tags", op = "contains", value = "office"', 'field = "dangerous", op = "<", value = 1', "> or >="),
        ('field = "tags", op = "contains", value = "office"', 'field = "recalls", op = ">", value = "1"', "no int"),
        ('[{ field = "tags", op = "contains", value = "office" }]', "[]", "it would forbid everything"),
        ("[[rule]]", "[[rules]]", "'rules' is no field of a caveat"),
        ('reason = "our law"\n', "", "no reason"),
        ('id = "no-office"', 'id = "no-office"\non = "stop"', "Invalid enum value 'stop'"),
        ("name =", "name = =", "not TOML"),
    ],
)
def test_a_rule_that_cannot_mean_what_it_says_is_not_signed(tmp_path: Path, old: str, new: str, told: str) -> None:
    """Refused, naming file, line and rule."""
    with pytest.raises(BadCaveat, match=told):
        read_caveat(written(tmp_path, RULE.replace(old, new)))


def test_a_second_rule_of_one_id_is_told_with_its_line(tmp_path: Path) -> None:
    """Ids tell rules apart where one is crossed."""
    with pytest.raises(BadCaveat, match="line 8: a second rule no-office"):
        read_caveat(written(tmp_path, RULE + RULE.partition("reason")[2].partition("\n")[2]))


# -- what counts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("loose", [True, False])
def test_a_caveat_restricts_from_any_channel(paper: Paper, loose: bool) -> None:
    """In a ledger or handed over: it forbids the use, for everybody, and the decision says whose it is."""
    caveat = paper.caveat("DELTA", FORBID, loose=loose)
    decision = paper.decide()
    assert decision["verdict"] == "refused"
    assert decision["caveats"] == [
        {
            "cedar": None, "member": "DELTA", "rules": [{"id": "ours", "state": "crossed"}],
            "statement": caveat.statement.id,
        }
    ]  # fmt: skip
    assert paper.decide(criticality=0)["verdict"] == "admitted"


def test_a_caveat_that_nobody_can_read_refuses(paper: Paper) -> None:
    """A leaf under a member's caveats without its body counts as the worst; enough members take it back."""
    leaf = paper.notice("caveat", "DELTA", "caveat:DELTA", held=False)
    assert paper.decide()["verdict"] == "refused"
    assert paper.decide()["notices"][0]["kind"] == "unheld"
    for name in ("ALFA", "BRAVO", "CHARLIE"):
        paper.notice("take-back", name, "caveat:DELTA", notice=f"sha256:{leaf.commitment.hex()}")
    assert paper.decide()["verdict"] == "admitted"


@pytest.mark.parametrize("by", ["DELTA", "ECHO", "AQUILA"])
def test_nobody_speaks_under_another_member_s_name(paper: Paper, by: str) -> None:
    """A caveat filed under ALFA's name by somebody else restricts nothing. Fails without the rule."""
    rule: dict[str, object] = {"id": "x", "text": "x", "on": "admit", "forbid": [FORBID], "accountable": "x"}
    rule |= {"principle": [], "serves": []}
    role = "supplier" if by == "AQUILA" else None
    paper.notice("caveat", by, "caveat:ALFA", rules=[rule], role=role)
    assert paper.decide()["verdict"] == "admitted"
    assert [one["kind"] for one in paper.decide()["notices"]] == ["no-standing"]


def test_no_recall_hides_among_the_caveats(paper: Paper) -> None:
    """Every decision looks under a member's name: one official's recall there would stop all systems at once."""
    paper.notice("recall", "ECHO", "caveat:ALFA")
    paper.loose.append(paper.bad_news("dispute", "ECHO", f"charter:{paper.charter.digest}"))
    assert paper.decide()["verdict"] == "admitted"


def test_only_its_member_lifts_a_caveat_and_only_in_the_view(paper: Paper) -> None:
    """Not another member, not by another channel, not by retracting it, not with a lift that fell itself.

    Fails when a loose lift counts, or the lift's issuer is not looked at.
    """
    caveat = paper.caveat("DELTA", FORBID)
    id = caveat.statement.id
    paper.notice("lift", "ECHO", "caveat:DELTA", notice=id)
    paper.loose.append(paper.bad_news("lift", "DELTA", "caveat:DELTA", notice=id))
    paper.notice("retract", "DELTA", f"statement:{id}", role="official")
    assert paper.decide()["verdict"] == "refused"
    leaf = paper.notice("lift", "DELTA", "caveat:DELTA", notice=id)
    decision = paper.decide()
    assert (decision["verdict"], decision["caveats"]) == ("admitted", [])
    assert "lifted" in {one["kind"] for one in decision["notices"]}
    assert leaf.signed is not None
    paper.notice("dispute", "ECHO", f"statement:{leaf.signed.statement.id}")
    assert paper.decide()["verdict"] == "refused"


def test_a_rule_about_actions_stops_no_admission(paper: Paper) -> None:
    """It is carried, and shown as not asked here."""
    rule = {"id": "a", "text": "x", "on": "act", "forbid": [FORBID], "accountable": "x", "principle": [], "serves": []}
    paper.notice("caveat", "DELTA", "caveat:DELTA", rules=[rule])
    decision = paper.decide()
    assert decision["verdict"] == "admitted"
    assert decision["caveats"][0]["rules"] == [{"id": "a", "state": "does not apply"}]


@pytest.mark.parametrize(
    ("policy", "outcome"),
    [
        (FREE, "crossed"),
        (FREE.replace("office", "field"), "clear"),
        (FREE.replace('"admit"', '"act"').replace("context.tags.contains", "context.tool.like"), "crossed"),
        (NOTES + 'forbid (principal, action == Action::"act", resource) when { context.tool == "x" };', "clear"),
        (NOTES + f'forbid (principal, action == Action::"admit", resource == Release::"{RELEASE.digest}");', "crossed"),
        (NOTES + 'forbid (principal == UseCase::"mail-triage", action == Action::"admit", resource);', "crossed"),
        (NOTES + 'forbid (principal == UseCase::"border-watch", action == Action::"admit", resource);', "clear"),
        (FREE.replace("forbid", "permit"), "crossed"),
        (FREE.replace("context.tags", "context.labels"), "crossed"),
        ("not Cedar at all", "crossed"),
        ("(" * 5_000, "crossed"),
        (FREE.replace('context.tags.contains("office")', "9223372036854775807 + context.criticality > 0"), "crossed"),
    ],
)  # fmt: skip
def test_a_free_policy_that_cannot_be_judged_forbids(paper: Paper, policy: str, outcome: str) -> None:
    """Signed by hand, past every check: what does not validate, or errs, is crossed, never skipped; so is a permit."""
    paper.caveat("DELTA", cedar=policy)
    decision = paper.decide()
    assert decision["caveats"][0]["cedar"] == outcome
    assert decision["verdict"] == ("refused" if outcome == "crossed" else "admitted")


def test_an_error_of_the_engine_is_not_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's trap: it allows beside an error. Fails when diagnostics are not read."""
    from types import SimpleNamespace

    import cedarpy

    answer = SimpleNamespace(
        decision=cedarpy.Decision.Allow,
        diagnostics=SimpleNamespace(errors=["overflow"], reasons=["policy0"], id_annotations_by_reason={}),
    )
    monkeypatch.setattr(cedarpy, "is_authorized", lambda *_, **__: answer)
    context = table.red_line_context(TRIAGE, (), (), ())
    assert free_crossed("one that errs", FREE, "mail-triage", context, RELEASE.digest)


def test_a_price_is_what_it_would_block(paper: Paper) -> None:
    """Decided as if the caveat were signed: nothing is recorded, and the use that it blocks is refused."""
    fields = {"name": "n", "reason": "r", "rules": [], "cedar": FREE}
    facts = as_if(paper.charter, paper.facts(), "ECHO", fields, paper.now)
    made = table.decide(paper.charter, paper.view(), facts, rfc3339(paper.now), RELEASE, TRIAGE)
    assert (made["verdict"], made["caveats"][0]["member"]) == ("refused", "ECHO")
    assert paper.decide()["verdict"] == "admitted"


def test_where_the_engine_crosses_another_rule_nothing_is_decided(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each rule of a caveat is judged twice. Fails when the two are not compared."""
    paper.caveat("DELTA", {"field": "criticality", "op": ">=", "value": 3})
    at = rfc3339(paper.now)
    assert admit(paper.charter, paper.view(), paper.facts(), at, RELEASE, TRIAGE).admitted
    monkeypatch.setattr(cedar, "evaluate_rules", lambda *_: {0})
    with pytest.raises(EngineDisagrees, match="of DELTA"):
        admit(paper.charter, paper.view(), paper.facts(), at, RELEASE, TRIAGE)


def test_a_caveat_longer_than_the_engine_takes_is_judged_by_the_table_alone(paper: Paper) -> None:
    """A member who writes 200 KB of conditions stops no decision but those that it forbids."""
    long = [{"field": "tags", "op": "contains", "value": "x" * 4000}] * 50
    paper.caveat("DELTA", *long)
    assert admit(paper.charter, paper.view(), paper.facts(), rfc3339(paper.now), RELEASE, TRIAGE).admitted


def test_fifty_caveats_are_judged_by_the_engine_too() -> None:
    """With ten members of five caveats each, each with a rule, a decision stays one decision."""
    names = tuple(f"M{number}" for number in range(3))
    paper = Paper(pack_charter(names))
    for number in range(50):
        paper.caveat(names[number % 3], {"field": "recalls", "op": ">", "value": number})
    made = admit(paper.charter, paper.view(), paper.facts(), rfc3339(paper.now), RELEASE, TRIAGE | {"owner": "M0"})
    assert len(made.decision["caveats"]) == 50


@pytest.mark.parametrize("op", ["&&", "||"])
def test_a_chain_of_conditions_forbids_and_crashes_nothing(op: str) -> None:
    """A policy that is deep without a bracket is refused at writing; one that arrives forbids. Fails where the depth
    of its syntax tree ends the decision instead."""
    long = f" {op} ".join(["context.criticality > 3"] * 1_500)
    text = f'{NOTES}forbid (principal, action == Action::"admit", resource) when {{ {long} }};'
    with pytest.raises(BadCaveat, match="chain of too many"):
        check_free(text, "caveat")
    paper = Paper()
    paper.sound()
    paper.caveat("DELTA", cedar=text)
    decision = paper.decide()
    assert (decision["verdict"], decision["caveats"][0]["cedar"]) == ("refused", "crossed")

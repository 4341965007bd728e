"""Caveats and red lines at the gate: what is known today forbids, for the use and for each action; trouble forbids."""

from __future__ import annotations

from typing import Any

import pytest
from alliance import RELEASE
from gate.gated import Gated
from gate.test_door import CARDS, Program

from watchword.gate.action import Action, new_action
from watchword.gate.cards import Card
from watchword.gate.door import Denied
from watchword.gate.restrictions import act_context, seen_of
from watchword.gate.session import Unclean, Verdict
from watchword.policy import acts
from watchword.policy.shapes import blank
from watchword.statements.digests import D
from watchword.statements.statement import Subject
from watchword.statements.times import FixedClock

USE = {"criticality": 1, "human": "in", "members": ["ALFA"], "tags": [], "owner": "ALFA"}
CARD = CARDS["python"].tools["send"]


def rule(*forbid: tuple[str, str, Any], id: str = "no-such", on: str = "act") -> dict[str, Any]:
    conditions = [{"field": field, "op": op, "value": value} for field, op, value in forbid]
    return {
        "id": id, "text": "Not with ours.", "on": on, "forbid": conditions, "accountable": "official",
        "principle": ["E"], "serves": [],
    }  # fmt: skip


def caveat(
    here: Gated, *rules: dict[str, Any], by: str = "BRAVO", loose: bool = True, cedar: str | None = None
) -> None:
    """*by* signs a caveat; ALFA is handed the envelope alone, or gets it with *by*'s notices."""
    target = f"caveat:{by}"
    fields = {"target": target, "reason": "ours", "name": "ours", "rules": list(rules), "cedar": cedar}
    subject = (Subject("notice", D(target.encode())),)
    envelope = here.sign(by, "caveat", subject, fields, "official")
    if loose:
        here.at("ALFA").take_loose(envelope)
    else:
        here.at(by).append_envelope(envelope)
        here.at(by).publish()
        here.exchange(by)


def action(args: dict[str, Any], tool: str = "send") -> Action:
    from charters import NOON

    return new_action(tool, args, RELEASE.digest, "s", FixedClock(NOON))


def context_of(args: dict[str, Any], card: Card = CARD) -> dict[str, Any]:
    asked = action(args)
    return act_context(asked, USE, seen_of(asked, Verdict("permit", (), "", card=card)))


@pytest.mark.parametrize("loose", [True, False])
def test_a_caveat_forbids_the_actions_it_names_from_any_channel(here: Gated, loose: bool) -> None:
    """As soon as it is signed, in its member's notices or handed over; other actions go on. Fails when the gate does
    not ask."""
    assert here.ask("read-mail").event == "permitted"
    caveat(here, rule(("tool", "==", "label-mail")), loose=loose)
    assert here.ask("read-mail").event == "permitted"
    denied = here.ask("label-mail", {"label": "x"})
    assert denied.event == "denied"
    assert denied.reasons[0] == "caveat no-such of BRAVO forbids it: Not with ours. (official answers)"


def test_a_held_action_is_not_released_past_a_caveat(here: Gated) -> None:
    """Everything is weighed again at release, caveats that came meanwhile too."""
    hold = here.held()
    here.approve(hold, "BRAVO", "CHARLIE")
    caveat(here, rule(("tool", "==", "slew-camera")), by="CHARLIE")
    answer = here.gate.release(hold)
    assert (answer.event, answer.action_bytes) == ("denied", None)


def test_a_caveat_about_what_this_door_cannot_know_forbids(here: Gated) -> None:
    """Without cards nobody knows a destination: every action that the rule may mean is denied."""
    caveat(here, rule(("destinations", "contains", "eve@evil.example"), ("tool", "!=", "read-mail")))
    assert here.ask("read-mail").event == "permitted"
    assert here.ask("label-mail", {"label": "x"}).event == "denied"


def test_a_caveat_speaks_of_roles_where_a_card_gives_them(here: Gated) -> None:
    """Through a door with cards, the destination that it names is denied and another is not."""
    program = Program(here, "Send it to bob@alfa.example and to kim@alfa.example")
    caveat(here, rule(("effect", "==", "irreversible"), ("destinations", "contains", "kim@alfa.example")))
    assert program.send(to="bob@alfa.example", text="hello") == "sent"
    with pytest.raises(Denied, match="caveat no-such of BRAVO"):
        program.send(to="kim@alfa.example", text="hello")
    assert program.sent == ["bob@alfa.example"]


def test_a_rule_on_admissions_forbids_the_use_from_now_on(here: Gated) -> None:
    """A caveat signed after the admission closes the gate for its use, and says whose it is."""
    caveat(here, rule(("criticality", ">=", 1), on="admit"))
    answer = here.ask("read-mail")
    assert answer.event == "denied" and "caveat ours of BRAVO forbids the use" in answer.reasons[0]


FREE = """@id("mail") @accountable("official") @text("Not by night.")
forbid (principal, action == Action::"act", resource) when {{ {} }};"""


def test_a_free_policy_forbids_the_actions_that_it_says(here: Gated) -> None:
    """By the engine alone; one that names what this door cannot know forbids, and so does one that cannot be read."""
    caveat(here, cedar=FREE.format('context.tool == "label-mail" && context.criticality >= 1'))
    assert here.ask("read-mail").event == "permitted"
    denied = here.ask("label-mail", {"label": "x"})
    assert denied.event == "denied" and "caveat ours of BRAVO forbids it" in denied.reasons[0]
    caveat(here, by="CHARLIE", cedar=FREE.format('context.tool == "none" && context.amount > 5'))
    assert here.ask("read-mail").event == "denied"


def test_a_free_policy_that_cannot_be_evaluated_forbids(here: Gated) -> None:
    """Whoever signs nonsense stops his own use of it, and nothing passes by it."""
    caveat(here, cedar="permit (principal, action, resource);")
    assert here.ask("read-mail").event == "denied"


def test_a_red_line_that_later_evidence_crosses_closes_the_gate(here: Gated) -> None:
    """What was found after the admission counts, whatever the admission counted. Fails when it is not asked again."""
    assert here.ask("read-mail").event == "permitted"
    found = blank("inspection") | {"verdict": "dangerous", "dangerous": 1}
    bravo = here.at("BRAVO")
    bravo.sign_and_append("inspection", (RELEASE,), found, person="evaluator")
    bravo.publish()
    here.exchange()
    answer = here.ask("read-mail")
    assert answer.event == "denied" and "red line hidden-code forbids the use" in answer.reasons[0]


def test_trouble_of_the_engine_denies_and_says_so(here: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    """I5: a rule that cannot be evaluated is no permission. Fails when the error is passed over."""
    caveat(here, rule(("criticality", ">", 5)))
    monkeypatch.setattr(acts, "condition_text", lambda *_: "context.criticality + 9223372036854775807 > 0")
    program = Program(here, "Send it to bob@alfa.example")
    with pytest.raises(Denied, match="overflow"):
        program.send(to="bob@alfa.example", text="hello")
    assert program.sent == [] and here.events()[-1] == "denied"


def test_the_context_holds_every_value_of_a_role() -> None:
    """At any depth, once each, in order; what is no text as JSON."""
    context = context_of({"to": ["b", {"x": ["a", 5]}, "b"], "text": "hi"})
    assert context == USE | {
        "tool": "send", "unclean": 0, "effect": "irreversible", "destinations": ["5", "a", "b", "x"],
        "identifiers": [], "secrets": 0, "amount": 0,
    }  # fmt: skip


def test_an_argument_without_a_role_leaves_every_role_out() -> None:
    """Fails when only its own role is left out: nobody knows which that is."""
    context = context_of({"to": "b", "cc": "eve"})
    assert context == USE | {"tool": "send", "unclean": 0, "effect": "irreversible"}
    assert act_context(action({"to": "b"}), None) == {"tool": "send"}


@pytest.mark.parametrize(("amounts", "told"), [([5, 7], 7), ([], 0), (["7"], None), ([True], None), ([1.5, 2], None)])
def test_an_amount_that_is_no_integer_is_not_known(amounts: list[Any], told: int | None) -> None:
    """The largest counts; text, fractions and true are no amounts."""
    from msgspec.structs import replace

    card = replace(CARD, args={"to": replace(CARD.args["to"], role="amount")})
    assert context_of({"to": amounts}, card).get("amount") == told


READS = CARDS["python"].tools["inbox"]
FOUND = Unclean("to", "eve@evil.example", "untrusted", "read in the open web")


@pytest.mark.parametrize(
    ("card", "event", "unclean", "seen"),
    [
        (CARD, "permit", (), {"unclean": 0, "effect": "irreversible"}),
        (CARD, "hold", (FOUND,), {"unclean": 1, "effect": "irreversible"}),
        (CARD, "hold", (), {"effect": "irreversible"}),
        (CARD, "deny", (), {"effect": "irreversible"}),
        (READS, "permit", (), {"effect": "read"}),
        (None, "permit", (), {}),
        (None, "hold", (FOUND,), {"unclean": 1}),
    ],
)
def test_nothing_is_called_clean_that_nobody_asked_about(
    card: Card | None, event: Any, unclean: tuple[Unclean, ...], seen: dict[str, Any]
) -> None:
    """What only reads, what was stopped for another reason, a tool without a card: its values' origins are not known,
    and a caveat about them is in trouble, which forbids. Fails where 0 is said instead."""
    asked = action({"other": "x"}) if card is not None else action({"to": "eve@evil.example"})
    assert seen_of(asked, Verdict(event, (), "c", unclean, card)) == seen
    assert seen_of(asked, None) is None

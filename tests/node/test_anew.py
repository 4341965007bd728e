"""Ledgers that end and begin anew: a node put back to an older state, a member that leaves, one that comes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alliance import (
    NOON,
    RELEASE,
    ROLES,
    SECRET,
    Alliance,
    inspection,
    notice_subject,
    ratification_by,
)
from charters import UNQUERIED
from successions import (
    EMPTY,
    NAMES,
    USE,
    adopt,
    decided,
    follow,
    make_four,
    verified,
)

from watchword import node
from watchword.charter.charter import CharterFile, parse_charter
from watchword.charter.draft import successor
from watchword.ledger.log import Log, NoLedger, RolledBack
from watchword.ledger.tiles import BadLedger
from watchword.node import CannotAdopt, Node
from watchword.node.monitoring import monitor
from watchword.node.spilling import honour
from watchword.policy.admission import admit
from watchword.statements.keys import load_key
from watchword.statements.times import rfc3339


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Alliance:
    return make_four(tmp_path_factory.mktemp("anew") / "alliance")


def test_a_closed_ledger_is_checked_as_the_others_are(alliance: Alliance) -> None:
    """One byte of its tiles changed is found by whoever mirrors it; fails where only open ledgers are checked."""
    alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.sync()
    adopt(alliance, follow(alliance, [node.begin_anew(alliance.home("ALFA"), None, alliance.clock)]))
    alliance.sync(3)
    bravo = alliance.nodes["BRAVO"]
    assert "alfa.example/ledger: 1 leaves lead to the head, 1 bodies match" in bravo.check()
    (entries,) = (bravo.store.folder("alfa.example/ledger") / "tile" / "entries").rglob("*.p/1")
    entries.chmod(0o600)
    entries.write_bytes(entries.read_bytes()[:-1] + b"x")
    with pytest.raises(BadLedger):
        alliance.reopen("BRAVO").check()


def test_what_stands_in_a_closed_ledger_is_nobody_s_attachment_to_purge(alliance: Alliance) -> None:
    """BRAVO calls ALFA's evidence, in a ledger that is closed, an attachment of its own statement, and spills that.

    Fails where only the leaves of open ledgers are protected; was seen to.
    """
    said = alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.sync()
    adopt(alliance, follow(alliance, [node.begin_anew(alliance.home("ALFA"), None, alliance.clock)]))
    alliance.sync(3)
    bravo = alliance.nodes["BRAVO"]
    alfas = [f"sha256:{leaf.commitment.hex()}" for leaf in bravo.store.leaves("alfa.example/ledger")]
    report = {"bytes": 1, "commitment": alfas[0], "media_type": "text/plain", "name": "r"}
    bravo.sign_and_append("inspection", (RELEASE,), inspection() | {"report": report})
    own = bravo.store.leaves("bravo.example/ledger")[-1].commitment
    fields = {"leaf": f"sha256:{own.hex()}", "attachments": alfas, "body": "kept", "reason": "mine"}
    bravo.sign_and_append("spill", (RELEASE,), fields)
    alliance.sync()
    for here in alliance.nodes.values():
        assert honour(here) == 0
        here.locate(said.id)


def test_what_a_stolen_key_said_past_its_end_falls_and_is_not_forgotten(alliance: Alliance, tmp_path: Path) -> None:
    """Below the size that the charter states it counts; past it evidence fails and bad news has no standing (I2).

    Each fails where a retired key is believed everywhere, or nowhere."""
    alfa, first = alliance.nodes["ALFA"], alliance.charter_file
    kept = alfa.sign_and_append("inspection", (RELEASE,), inspection())
    fell = alfa.sign_and_append("inspection", (RELEASE,), inspection(tool="the thief's"))
    alliance.recall("ALFA", f"release:{RELEASE.digest}")
    alliance.sync()
    alliance.close()
    home = alliance.home("ALFA")
    node.renew(home, None, person="evaluator", up_to={"alfa.example/ledger": 1})
    node.renew(home, None, person="official", up_to={"alfa.example/ledger": 1})
    second = follow(alliance, [node.enrolment(home, coming=True)])
    adopt(alliance, second)
    alliance.sync(3)
    here = alliance.nodes["BRAVO"]
    view = here.latest_view()
    made = admit(here.charter, view, here.facts(view), rfc3339(alliance.clock.now()), RELEASE, USE)
    (judged,) = made.decision["requirements"]
    assert judged["counted"] == [kept.id]
    assert judged["failing"] == [{"id": fell.id, "why": "key retired"}]
    assert {one["kind"] for one in made.decision["notices"] if one["name"].startswith("release:")} == {"no-standing"}
    said = here.record_decision(made.decision, made.objects)
    alliance.sync()
    told = verified(tmp_path, second, here.make_proof([said.id]), first)
    assert told["decisions"][0]["verdict"] == "refused"


def test_a_member_leaves_and_what_it_said_stays(alliance: Alliance) -> None:
    """Its ledgers end where the others cosigned them; its evidence and its bad news count on, and it signs nothing new.

    Fails where a closed ledger is not read, or a retired key still has a voice."""
    alliance.nodes["DELTA"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.sync()
    ends = node.known_ends(alliance.nodes["ALFA"])
    file = follow(alliance, [], leave=["DELTA"], ends=ends)
    adopt(alliance, file, NAMES[:3])
    alliance.sync()
    assert {decided(alliance, name)["verdict"] for name in NAMES[:3]} == {"admitted"}
    assert decided(alliance, "ALFA")["requirements"][0]["from"] == ["DELTA"]
    late = node.sign_only(
        alliance.home("DELTA"), "recall", notice_subject(f"release:{RELEASE.digest}"),
        {"target": f"release:{RELEASE.digest}", "reason": "", "actions": [], "deadline": None, **UNQUERIED},
        clock=alliance.clock,
    )  # fmt: skip
    with pytest.raises(Exception, match="was retired by charter 2"):
        alliance.nodes["ALFA"].take_loose(late)


def test_bad_news_of_a_member_that_left_still_refuses(alliance: Alliance) -> None:
    """Leaving takes back nothing (I2): a recall under a closed head refuses as before."""
    alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.recall("DELTA", f"release:{RELEASE.digest}")
    alliance.sync()
    file = follow(alliance, [], leave=["DELTA"], ends=node.known_ends(alliance.nodes["ALFA"]))
    adopt(alliance, file, NAMES[:3])
    alliance.sync()
    made = decided(alliance, "BRAVO")
    assert made["verdict"] == "refused"
    assert [one["origin"] for one in made["notices"] if one["kind"] == "recall"] == ["delta.example/notices"]


def test_a_ledger_that_was_closed_is_not_shortened_later(alliance: Alliance) -> None:
    """Fails where a later charter may say again where a closed ledger ends."""
    alliance.nodes["DELTA"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.sync()
    file = follow(alliance, [], leave=["DELTA"], ends=node.known_ends(alliance.nodes["ALFA"]))
    adopt(alliance, file, NAMES[:3])
    alliance.sync()
    empty = {"size": 0, "root": EMPTY}
    closed = [one | (empty if one["use"] == "ledger" else {}) for one in file.charter.value["closed"]]
    value = successor(file.charter, [], [], made=rfc3339(alliance.clock.now()))
    charter = parse_charter(value | {"closed": closed})
    with pytest.raises(Exception, match="stays so"):
        node.ratify(alliance.home("ALFA"), charter, alliance.clock)


def test_a_member_comes_and_finds_what_was_said_before(alliance: Alliance, tmp_path: Path) -> None:
    """Its home adopts the charter that lists it, mirrors every ledger, closed ones too, and decides as others do."""
    alliance.nodes["DELTA"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.sync()
    adopt(alliance, follow(alliance, [], leave=["DELTA"], ends=node.known_ends(alliance.nodes["ALFA"])), NAMES[:3])
    alliance.sync()
    people = {role: [role] for role in ROLES}
    joining = node.create(alliance.home("ECHO"), "ECHO", "ECHO", people, "echo.example", None)
    adopt(alliance, follow(alliance, [joining], NAMES[:3]), (*NAMES[:3], "ECHO"))
    for one in alliance.nodes.values():
        one.publish()
    alliance.sync(3)
    assert decided(alliance, "ECHO")["verdict"] == "admitted"
    assert decided(alliance, "ECHO")["requirements"] == decided(alliance, "ALFA")["requirements"]


def test_a_member_is_not_changed_without_its_word(alliance: Alliance) -> None:
    """A quorum that would give a member another person needs that member, or the amendment quorum and its delay; fails
    where rule 5 of succession is not asked."""
    home = alliance.home("DELTA")
    node.renew(home, None, person="official")
    coming = node.enrolment(home, coming=True)
    file = follow(alliance, [coming], NAMES[:3])
    with pytest.raises(CannotAdopt, match="DELTA is changed and has not agreed"):
        node.adopt(alliance.home("ALFA"), file, SECRET, alliance.clock)


def test_a_lost_root_is_replaced_by_the_amendment_quorum_of_the_others(alliance: Alliance) -> None:
    """Three others of four, a week before: the delay is the member's time to object. Fails at once, holds later."""
    home = alliance.home("DELTA")
    (home / "keys" / "root.pem").unlink()
    node.renew(home, None, job="root")
    coming = node.enrolment(home, coming=True)
    at_once = follow(alliance, [coming], NAMES[:3])
    with pytest.raises(CannotAdopt, match="DELTA is changed"):
        node.adopt(alliance.home("ALFA"), at_once, SECRET, alliance.clock)
    for name in NAMES[:3]:
        shutil.rmtree(alliance.home(name) / "ratified")
    file = follow(alliance, [coming], NAMES[:3], effective="2026-02-08T12:00:00Z")
    for name in NAMES:
        alliance.nodes[name].close()
        node.adopt(alliance.home(name), file, SECRET, alliance.clock)
        with Node.open(alliance.home(name), clock=alliance.clock) as here:
            assert here.charter.version == 1
    alliance.clock.advance(8 * 86_400)
    with Node.open(home, clock=alliance.clock) as here:
        assert here.charter.version == 2
        assert here.keys.job("root").public.id in here.charter.holders


def test_a_red_line_is_amended_by_its_quorum_and_after_its_delay(alliance: Alliance) -> None:
    """Dropping a red line at once is refused however many ratify; fails where rule 6 is not asked."""
    line = {"id": "none", "text": "none", "forbid": [{"field": "criticality", "op": ">=", "value": 0}]}
    line |= {"accountable": "board", "principle": [], "evidence": None, "serves": []}
    file = follow(alliance, [], changes={"red_lines": [line]}, effective=rfc3339(alliance.clock.now()))
    with pytest.raises(CannotAdopt, match="changes red_lines"):
        node.adopt(alliance.home("ALFA"), file, SECRET, alliance.clock)


def test_a_member_ratifies_one_successor_of_a_charter(alliance: Alliance) -> None:
    """The second is refused at the command and nothing is signed; fails where a home forgets what it ratified."""
    follow(alliance, [], ("ALFA",), changes={"head_max_age_s": 3600})
    with pytest.raises(node.RatifiedAnother):
        follow(alliance, [], ("ALFA",), changes={"head_max_age_s": 7200})


def test_nothing_is_decided_under_a_charter_once_another_is_in_force(alliance: Alliance) -> None:
    """Whoever holds the ratifications, from any channel, refuses under the old charter from then on, and not before.

    Fails where ratifications are no notices: a node that adopts late would go on admitting under former rules."""
    alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.sync()
    file = follow(alliance, [], effective="2026-01-31T13:00:00Z", changes={"head_max_age_s": 90_000})
    for name in NAMES:
        alliance.reopen(name)
    for envelope in file.ratifications[:2]:
        alliance.nodes["BRAVO"].take_loose(envelope)
    assert decided(alliance, "BRAVO")["successors"] == []
    alliance.sync()
    assert decided(alliance, "BRAVO")["verdict"] == "admitted"
    alliance.clock.advance(3_600)
    made = decided(alliance, "BRAVO")
    assert (made["verdict"], made["successors"]) == ("refused", [file.charter.digest])
    assert [one["origin"] for one in made["notices"] if one["kind"] == "ratification"] == [
        f"{name.lower()}.example/notices" for name in NAMES
    ]


def test_two_ratified_successors_halt_and_who_signed_both_is_named(alliance: Alliance) -> None:
    """Members that sign two charters of one parent stop the alliance and not fork it; both stay, as evidence.

    Fails where the first that was heard of wins."""
    alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.sync()
    alliance.close()
    base = alliance.charter_file.charter
    later = "2026-02-28T12:00:00Z"
    for age in (3_600, 7_200):
        value = successor(base, [], [], made=rfc3339(NOON), effective=later, changes={"head_max_age_s": age})
        charter = parse_charter(value)
        for name in NAMES[:3]:
            key = load_key(alliance.home(name) / "keys" / "root.pem")
            with Node.open(alliance.home("DELTA"), clock=alliance.clock) as here:
                here.take_loose(ratification_by(name, key, charter, alliance.clock))
    delta = alliance.reopen("DELTA")
    made = decided(alliance, "DELTA")
    assert (made["verdict"], len(made["successors"])) == ("refused", 2)
    alarms = monitor(delta, {}, 86_400)
    assert [alarm.what for alarm in alarms if alarm.id == "two-charters"] == ["ALFA", "BRAVO", "CHARLIE"]


def test_a_charter_signed_by_a_retired_key_says_so(alliance: Alliance) -> None:
    """Whoever signs with a key that an earlier charter retired is told which charter did, and nothing is adopted."""
    home = alliance.home("ALFA")
    old = (home / "keys" / "root.pem").read_bytes()
    node.renew(home, None, job="root")
    adopt(alliance, follow(alliance, [node.enrolment(home, coming=True)]))
    value = successor(alliance.charter_file.charter, [], [], made=rfc3339(alliance.clock.now()))
    charter = parse_charter(value)
    (home / "keys" / "root.pem").write_bytes(old)
    with pytest.raises(Exception, match="holds another key than the enrolment"):
        node.ratify(home, charter, alliance.clock)
    alliance.close()
    first = node.ratify(home.parent / "BRAVO", charter, alliance.clock)[1]
    (home / "old.pem").touch(0o600)
    (home / "old.pem").write_bytes(old)
    envelope = ratification_by("ALFA", load_key(home / "old.pem"), charter, alliance.clock)
    with pytest.raises(Exception, match=r"ratification 2 does not count.*ALFA's root key.*was retired by charter 2"):
        node.adopt(alliance.home("BRAVO"), CharterFile(charter, (first, envelope)), SECRET, alliance.clock)


def test_a_ledger_folder_put_back_alone_goes_on_under_another_origin(alliance: Alliance, tmp_path: Path) -> None:
    """From a backup of ``ledger/`` the old origin is never signed again; ``ledger init --anew`` is the way on, and what
    others hold of the old one comes back as a mirror. Fails (a fork) where the head store is not asked."""
    home = alliance.home("ALFA")
    kept = alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.sync()
    alliance.nodes["ALFA"].close()
    shutil.copytree(home / "ledger", tmp_path / "backup")
    alliance.reopen("ALFA").sign_and_append("inspection", (RELEASE,), inspection(tool="after the backup"))
    alliance.sync()
    alliance.nodes["ALFA"].close()
    shutil.rmtree(home / "ledger")
    shutil.copytree(tmp_path / "backup", home / "ledger")
    with Node.open(home, clock=alliance.clock, writing=True) as here, pytest.raises(RolledBack, match="signed at 2"):
        here.sign_and_append("inspection", (RELEASE,), inspection(tool="a fork"))
    coming = node.begin_anew(home, None, alliance.clock)
    assert [one["size"] for one in coming["closes"]] == [2, 0]
    adopt(alliance, follow(alliance, [coming]))
    alliance.sync(3)
    alfa = alliance.nodes["ALFA"]
    assert alfa.locate("alfa.example/ledger#0").signed.statement.id == kept.id
    assert {len(one.store.leaves("alfa.example/ledger")) for one in alliance.nodes.values()} == {2}
    assert alfa.sign_and_append("inspection", (RELEASE,), inspection(tool="goes on")).origin == "alfa.example/2/ledger"
    assert [path for one in alliance.nodes.values() for path in one.store.splits()] == []


def test_a_ledger_is_not_created_twice(alliance: Alliance) -> None:
    """Adopting again opens no second ledger under an origin, whatever became of its folder."""
    home = alliance.home("ALFA")
    alliance.nodes["ALFA"].close()
    shutil.rmtree(home / "ledger")
    with pytest.raises(NoLedger, match="begun here before"):
        Log.create(home / "ledger", "alfa.example/ledger", home / "heads")


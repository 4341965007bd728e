"""An open node: what it signs, appends and knows."""

from __future__ import annotations

import pytest
from alliance import CLAIM, RELEASE, Alliance, inspection, notice_subject

from watchword.charter.standing import NoStanding
from watchword.ledger.bodies import DamagedBody
from watchword.node import Node, NotHere
from watchword.node.recorded import Recorded
from watchword.statements.digests import commitment
from watchword.statements.statement import BadStatement, open_envelope

TARGET = f"release:{RELEASE.digest}"


def facts_of(node: Node) -> list[str]:
    return [fact.signed.statement.id for fact in node.facts(node.latest_view()).statements]


def loose_of(node: Node) -> list[str]:
    return [signed.statement.id for signed in node.facts(node.latest_view()).loose]


def inspect(alliance: Alliance, name: str, **how: object) -> Recorded:
    return alliance.nodes[name].sign_and_append("inspection", (RELEASE,), inspection(), **how)


def test_good_news_counts_only_in_a_cosigned_view(alliance: Alliance) -> None:
    """A statement is durable at once, a fact only when a quorum cosigned its ledger. Fails if facts ignore the view."""
    here = alliance.nodes["ALFA"]
    recorded = inspect(alliance, "ALFA")
    assert recorded.locator == "ALFA#0"
    assert here.labels(recorded) == ("durable",)
    assert facts_of(here) == []
    here.publish()
    assert here.labels(recorded) == ("durable", "in tree", "witnessed 1 of 3")
    assert facts_of(here) == []
    alliance.sync()
    assert here.labels(recorded) == ("durable", "in tree", "witnessed 3 of 3")
    assert facts_of(here) == facts_of(alliance.nodes["CHARLIE"]) == [recorded.id]


def test_bad_news_counts_as_soon_as_it_is_signed(alliance: Alliance) -> None:
    """A recall counts where it is signed before anything is published, and where its file is taken in."""
    recorded = alliance.recall("CHARLIE", TARGET)
    assert recorded.locator == "CHARLIE/notices#0"
    assert loose_of(alliance.nodes["CHARLIE"]) == [recorded.id]
    assert loose_of(alliance.nodes["ALFA"]) == []
    alliance.nodes["ALFA"].take_loose(recorded.envelope)
    assert loose_of(alliance.nodes["ALFA"]) == [recorded.id]


def test_bad_news_taken_by_another_process_counts_at_once(alliance: Alliance) -> None:
    """A notice taken in beside a running writer is in its next facts. Fails if facts are cached without looking."""
    running = alliance.nodes["ALFA"]
    assert loose_of(running) == []
    recorded = alliance.recall("CHARLIE", TARGET)
    with Node.open(alliance.home("ALFA"), clock=alliance.clock) as other:
        other.take_loose(recorded.envelope)
    assert loose_of(running) == [recorded.id]


def test_bad_news_counts_for_readers_before_it_is_published(alliance: Alliance) -> None:
    """Another process of this node sees a recall that stands in no tree yet. Fails if it is not kept loose first."""
    recorded = alliance.recall("ALFA", TARGET)
    with Node.open(alliance.home("ALFA"), clock=alliance.clock) as reader:
        assert loose_of(reader) == [recorded.id]


def test_loose_news_becomes_a_notice_of_the_view(alliance: Alliance) -> None:
    """Once every ledger is cosigned again, the notice stands in the view and is loose nowhere: all views are equal."""
    recorded = alliance.recall("CHARLIE", TARGET)
    alliance.nodes["ALFA"].take_loose(recorded.envelope)
    alliance.sync()
    assert {one.latest_view().digest for one in alliance.nodes.values()} == {
        alliance.nodes["ALFA"].latest_view().digest
    }
    for here in alliance.nodes.values():
        facts = here.facts(here.latest_view())
        assert facts.loose == ()
        assert [leaf.signed.statement.id for leaf in facts.notices if leaf.signed] == [recorded.id]


def test_an_old_view_still_shows_newer_bad_news(alliance: Alliance) -> None:
    """Facts of an older view hold no newer good news, and all bad news held now."""
    here = alliance.nodes["ALFA"]
    old = here.latest_view()
    inspect(alliance, "ALFA")
    recorded = alliance.recall("BRAVO", TARGET)
    alliance.sync()
    facts = here.facts(old)
    assert facts.statements == ()
    assert [signed.statement.id for signed in facts.loose] == [recorded.id]


def test_what_would_not_count_is_not_appended(alliance: Alliance) -> None:
    """No standing, a field missing, a scope of strangers: an error, and the ledger as before."""
    here = alliance.nodes["ALFA"]
    with pytest.raises(NoStanding):
        inspect(alliance, "ALFA", person="steward")
    with pytest.raises(BadStatement):
        here.sign_and_append("inspection", (RELEASE,), inspection() | {"verdict": "splendid"})
    with pytest.raises(NotHere, match="not a person of ALFA"):
        inspect(alliance, "ALFA", person="mallory")
    with pytest.raises(Exception, match="MALLORY"):
        inspect(alliance, "ALFA", scope=["MALLORY"])
    with pytest.raises(NotHere, match="no key of ALFA"):
        here.sign_and_append("claim", (RELEASE,), CLAIM)
    assert here.store.own("ledger").size == 0


def test_a_supplier_s_claim_is_published_once(alliance: Alliance) -> None:
    """The same envelope twice stands once; a changed one is refused."""
    here = alliance.nodes["ALFA"]
    envelope = alliance.claim()
    first = here.append_envelope(envelope)
    assert here.append_envelope(envelope) == first
    assert here.store.own("ledger").size == 1
    with pytest.raises(NoStanding):
        here.append_envelope(envelope.replace(b'"sig":"', b'"sig":"AAAA', 1))


def test_each_statement_names_a_head_of_somebody_else(alliance: Alliance) -> None:
    """``after`` bounds the time from below by a cosigned head of another member's ledger, never our own."""
    inspect(alliance, "BRAVO")
    alliance.sync()
    body = open_envelope(inspect(alliance, "ALFA").envelope).statement.body
    assert body is not None and body.after is not None
    head = alliance.nodes["ALFA"].latest_view().heads[body.after.origin]
    assert body.after.origin != "alfa.example/ledger"
    assert body.after.size == head.size


def test_special_standing_of_notices(alliance: Alliance) -> None:
    """A retraction by a stranger, and a revocation of somebody else's key, are not believed; one's own are."""
    alfa, bravo = alliance.nodes["ALFA"], alliance.nodes["BRAVO"]
    recorded = inspect(alliance, "ALFA")
    alliance.sync()
    target = f"statement:{recorded.id}"
    by_stranger = bravo.sign("retract", notice_subject(target), {"target": target, "reason": "not mine"})
    alfa.take_loose(by_stranger.envelope)
    assert loose_of(alfa) == []
    own = alfa.sign_and_append("retract", notice_subject(target), {"target": target, "reason": "tool was wrong"})
    assert loose_of(alfa) == [own.id]
    key = f"key:{bravo.me.key('gate').id}"
    fields = {"target": key, "reason": "stolen", "valid_up_to": []}
    with pytest.raises(NoStanding, match="not a key of its own"):
        bravo.take_loose(alfa.sign("revoke", notice_subject(key), fields).envelope)
    bravo.take_loose(bravo.sign("revoke", notice_subject(key), fields).envelope)
    assert len(loose_of(bravo)) == 1


def test_a_stop_counts_from_any_channel(alliance: Alliance) -> None:
    """A stop is taken loose and told apart from notices; good news is not taken that way."""
    bravo = alliance.nodes["BRAVO"]
    stop = alliance.nodes["ALFA"].sign("stop", (RELEASE,), {"reason": "found a payload"})
    bravo.take_loose(stop.envelope)
    assert [signed.statement.id for signed in bravo.stops()] == [stop.statement.id]
    assert loose_of(bravo) == []
    with pytest.raises(NoStanding, match="not bad news"):
        bravo.take_loose(inspect(alliance, "ALFA").envelope)


def test_a_damaged_body_decides_nothing(alliance: Alliance) -> None:
    """One flipped byte of a body: facts raise and name the file; they do not go on without it."""
    recorded = inspect(alliance, "ALFA")
    alliance.sync()
    here = alliance.reopen("ALFA")
    leaf = here.store.leaves(recorded.origin)[0]
    path = alliance.home("ALFA") / "bodies" / "sha256" / leaf.commitment.hex()
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedBody, match=path.name):
        here.facts(here.latest_view())


def test_a_purged_body_leaves_its_leaf(alliance: Alliance) -> None:
    """After a spill the body goes, the ledger still checks, and the statement is no fact any more."""
    recorded = inspect(alliance, "ALFA")
    alliance.sync()
    here = alliance.reopen("ALFA")
    assert here.bodies.purge(here.store.leaves(recorded.origin)[0].commitment)
    assert facts_of(here) == []
    assert any("1 leaves lead to the head, 0 bodies match" in line for line in here.check())


def test_statements_are_found_by_id_and_locator(alliance: Alliance) -> None:
    """Both name the same statement; what is not here is named in the error."""
    here = alliance.nodes["ALFA"]
    recorded = inspect(alliance, "ALFA")
    recall = alliance.recall("ALFA", TARGET)
    for what, wanted in (
        (recorded.id, recorded),
        ("ALFA#0", recorded),
        ("ALFA/notices#0", recall),
        (recall.id, recall),
    ):
        found = here.locate(what)
        assert (found.signed.statement.id, found.locator) == (wanted.id, wanted.locator)
    for absent in ("sha256:" + "00" * 32, "ALFA#1", "MALLORY#0", "ALFA/record#0", "ALFA#-1", "nonsense"):
        with pytest.raises(NotHere):
            here.locate(absent)


def test_the_record_is_durable_private_and_anchored(alliance: Alliance) -> None:
    """Receipts survive reopening, in order; the anchor states size and root; nothing new anchors nothing."""
    here = alliance.nodes["ALFA"]
    assert here.append_record([{"event": "held"}, {"event": "permitted"}]) == range(2)
    assert here.append_record([{"event": "denied"}]) == range(2, 3)
    here = alliance.reopen("ALFA")
    assert [one["event"] for one in here.record_events(1)] == ["permitted", "denied"]
    anchor = here.anchor_record()
    assert anchor is not None
    body = open_envelope(anchor.envelope).statement.predicate
    assert (body["origin"], body["size"]) == ("alfa.example/record", 3)
    assert here.anchor_record() is None
    alliance.sync()
    assert "alfa.example/record" not in here.latest_view().heads
    files = [path.read_bytes() for path in (alliance.folder / "post").iterdir()]
    assert not any(b"alfa.example/record\\n" in data for data in files)


def test_attachments_are_kept_by_their_commitment(alliance: Alliance) -> None:
    """What a statement names is what is stored."""
    here = alliance.nodes["ALFA"]
    named = here.attach("report.json", "application/json", b"{}")
    found = here.bodies.get(bytes.fromhex(named["commitment"].removeprefix("sha256:")))
    assert found is not None
    assert found[1] == b"{}"
    assert named["commitment"] == f"sha256:{commitment(*found).hex()}"


def test_a_reader_writes_nothing(alliance: Alliance) -> None:
    """A node opened for reading refuses to append and to publish."""
    with Node.open(alliance.home("ALFA"), clock=alliance.clock) as reader:
        for write in (
            lambda: reader.sign_and_append("inspection", (RELEASE,), inspection()),
            reader.publish,
            lambda: reader.append_record([{}]),
            lambda: reader.attach("a", "b", b"c"),
        ):
            with pytest.raises(NotHere, match="reading only"):
                write()


def test_heads_are_cosigned_again_before_they_go_stale(alliance: Alliance) -> None:
    """An idle alliance stays fresh: after a quarter of the age limit, exchanging renews every cosigned time."""
    before = alliance.nodes["ALFA"].latest_view()
    alliance.clock.advance(alliance.charter_file.charter.head_max_age_s // 4 + 1)
    alliance.sync()
    after = alliance.nodes["ALFA"].latest_view()
    assert after.heads.keys() == before.heads.keys()
    assert all(after.heads[origin].time > before.heads[origin].time for origin in before.heads)
    assert {one.latest_view().digest for one in alliance.nodes.values()} == {after.digest}


def test_what_would_never_count_is_not_filed_as_bad_news(alliance: Alliance) -> None:
    """A retraction of another's statement, and a revocation of another's key, are refused and leave no leaf."""
    alfa, bravo = alliance.nodes["ALFA"], alliance.nodes["BRAVO"]
    theirs = inspect(alliance, "BRAVO")
    alliance.sync()
    size = alfa.store.own("notices").size
    key_id = bravo.me.key("gate").id
    for kind, target, fields in (
        ("retract", f"statement:{theirs.id}", {}),
        ("revoke", f"key:{key_id}", {"valid_up_to": []}),
    ):
        with pytest.raises(NoStanding):
            alfa.sign_and_append(kind, notice_subject(target), {"target": target, "reason": "because", **fields})
    assert alfa.store.own("notices").size == size


def test_a_revoked_key_signs_nothing_more(alliance: Alliance) -> None:
    """Its holder is told so instead of recording what falls at once."""
    alfa = alliance.nodes["ALFA"]
    holder = next(one for one in alfa.me.keys if one.person == "evaluator")
    target = f"key:{holder.public.id}"
    alfa.sign_and_append("revoke", notice_subject(target), {"target": target, "reason": "stolen", "valid_up_to": []})
    with pytest.raises(NoStanding, match="revoked"):
        inspect(alliance, "ALFA")

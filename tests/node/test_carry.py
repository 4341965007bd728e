"""Exchange by file: whole or not at all, forks kept, nobody cut off."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from alliance import RELEASE, Alliance, inspection, notice_subject

from watchword.errors import WatchwordError
from watchword.ledger.bodies import Bodies
from watchword.ledger.bundle import BadBundle, parse_bundle
from watchword.ledger.checkpoint import verify_head
from watchword.ledger.log import Log
from watchword.node import BadExchange, Node
from watchword.node.home import Keys
from watchword.statements.canonical import canonical
from watchword.statements.digests import b64, commitment

TARGET = f"release:{RELEASE.digest}"


def export(alliance: Alliance, sender: str, to: str) -> Path:
    path = alliance.folder / "post" / f"{sender}-to-{to}.wwx.json"
    path.parent.mkdir(exist_ok=True)
    alliance.nodes[sender].export(to, path)
    return path


def state(home: Path) -> dict[str, bytes]:
    """Every file of a home that an import could change."""
    skip = {"lock", "node.toml"}
    files = (
        path for path in home.rglob("*") if path.is_file() and path.name not in skip and "staging" not in str(path)
    )
    return {str(path.relative_to(home)): path.read_bytes() for path in files}


def refused_whole(alliance: Alliance, path: Path, to: str = "BRAVO") -> str:
    """Import *path* at *to*; it must be refused and change no file."""
    before = state(alliance.home(to))
    with pytest.raises(WatchwordError) as refused:
        alliance.nodes[to].import_bundle(path)
    assert state(alliance.home(to)) == before
    return refused.value.message


def changed(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A canonical bundle with one change."""
    value = json.loads(path.read_bytes())
    change(value)
    path.write_bytes(canonical(value))
    return path


def ledger_of(value: dict[str, Any], origin: str) -> dict[str, Any]:
    return next(one for one in value["ledgers"] if one["origin"] == origin)


def fork(alliance: Alliance, name: str, folder: Path) -> Node:
    """A second history under *name*'s own keys: its home as it stands, copied, so that both go on from there."""
    alliance.nodes[name].close()
    shutil.copytree(alliance.home(name), folder / name)
    alliance.nodes[name] = Node.open(alliance.home(name), clock=alliance.clock, writing=True)
    return Node.open(folder / name, clock=alliance.clock, writing=True)


def test_two_rounds_bring_everybody_to_one_view(alliance: Alliance) -> None:
    """All heads cosigned by all, one view digest, equal facts; a third round changes nothing anywhere."""
    for name in alliance.nodes:
        alliance.nodes[name].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.sync()
    views = {one.latest_view().digest for one in alliance.nodes.values()}
    assert len(views) == 1
    for here in alliance.nodes.values():
        assert [len(head.witnesses) for head in here.heads()] == [3] * 6
        assert [fact.origin for fact in here.facts(here.latest_view()).statements] == [
            "alfa.example/ledger", "bravo.example/ledger", "charlie.example/ledger",
        ]  # fmt: skip
    alliance.sync(1)
    before = {name: state(alliance.home(name)) for name in alliance.nodes}
    alliance.sync(1)
    assert {name: state(alliance.home(name)) for name in alliance.nodes} == before


def test_a_shared_folder_is_enough(alliance: Alliance) -> None:
    """Members who take turns on one folder reach one view in three turns each; other files are left alone."""
    folder = alliance.folder / "shared"
    folder.mkdir()
    (folder / "notes.txt").write_text("not ours")
    alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    for _ in range(3):
        for here in alliance.nodes.values():
            here.exchange(folder)
    assert len({one.latest_view().digest for one in alliance.nodes.values()}) == 1
    assert len(alliance.nodes["CHARLIE"].facts(alliance.nodes["CHARLIE"].latest_view()).statements) == 1
    with pytest.raises(BadExchange, match="no such folder"):
        alliance.nodes["ALFA"].exchange(folder / "nowhere")


def test_news_travels_through_a_third_member(alliance: Alliance) -> None:
    """CHARLIE never meets ALFA: BRAVO carries leaf, body and cosignatures, and CHARLIE's cosignature home."""
    recorded = alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    for sender, to in (("ALFA", "BRAVO"), ("BRAVO", "CHARLIE"), ("CHARLIE", "BRAVO"), ("BRAVO", "ALFA")):
        alliance.carry(sender, to)
    assert alliance.nodes["ALFA"].labels(recorded)[-1] == "witnessed 3 of 3"


def test_a_second_file_holds_only_what_is_new(alliance: Alliance) -> None:
    """What the other was seen to hold is not sent again."""
    alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.sync()
    alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection(tool="another"))
    bundle = parse_bundle(export(alliance, "ALFA", "BRAVO").read_bytes(), "file")
    part = next(one for one in bundle.ledgers if one.origin == "alfa.example/ledger")
    assert (part.start, len(part.entries), len(bundle.bodies)) == (1, 1, 1)


def test_a_truncated_file_changes_nothing(alliance: Alliance) -> None:
    """Cut anywhere, a file is refused by name, and nothing from it is used."""
    alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    path = export(alliance, "ALFA", "BRAVO")
    data = path.read_bytes()
    for length in (0, 1, len(data) // 3, len(data) // 2, len(data) - 2):
        path.write_bytes(data[:length])
        assert f"{path}: cut off after {length:,} bytes" in refused_whole(alliance, path)
    path.write_bytes(data)
    alliance.nodes["BRAVO"].import_bundle(path)


def test_a_file_for_somebody_else_is_refused(alliance: Alliance) -> None:
    """Another addressee, another charter, ourselves as sender, a receipt, a secret: refused whole."""
    path = export(alliance, "ALFA", "BRAVO")
    whole = path.read_bytes()
    assert "is for BRAVO" in refused_whole(alliance, path, "CHARLIE")

    def change(field: str, value: Any) -> Callable[[dict[str, Any]], None]:
        return lambda bundle: bundle.update({field: value})

    receipt = {"salt": b64(b"s" * 32), "receipt": {}}
    for field, value in (
        ("charter", "sha256:" + "00" * 32),
        ("from", "BRAVO"),
        ("from", "MALLORY"),
        ("alliance_secret", b64(alliance.secret)),
        ("bodies", [receipt]),
        ("names", []),
        ("purpose", "proof"),
        ("decisions", ["sha256:" + "00" * 32]),
    ):
        path.write_bytes(whole)
        refused_whole(alliance, changed(path, change(field, value)))


def test_any_other_encoding_is_refused(alliance: Alliance) -> None:
    """A space, another order, an unknown field, a duplicate key: the same meaning in other bytes is refused."""
    path = export(alliance, "ALFA", "BRAVO")
    whole = path.read_bytes()
    value = json.loads(whole)
    value["ledgers"].reverse()
    for data in (
        whole.replace(b'{"alliance_secret"', b'{ "alliance_secret"', 1),
        canonical(value),
        canonical(json.loads(whole) | {"extra": 1}),
        whole.replace(b'"purpose":"exchange"', b'"purpose":"exchange","purpose":"exchange"', 1),
    ):
        path.write_bytes(data)
        with pytest.raises(BadBundle):
            alliance.nodes["BRAVO"].import_bundle(path)
        refused_whole(alliance, path)


def test_entries_that_do_not_lead_to_the_head_are_refused(alliance: Alliance) -> None:
    """A changed, missing, added or malformed leaf: refused whole. Fails if the mirror is extended unchecked."""
    for _ in range(3):
        alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    path = export(alliance, "ALFA", "BRAVO")
    whole = path.read_bytes()
    good = ledger_of(json.loads(whole), "alfa.example/ledger")["leaves"]
    for leaves in (
        good[:-1],
        [*good, good[0]],
        [b64(b"\1" + b"x" * 32), *good[1:]],
        [b64(b"\2" + b"x" * 32), *good[1:]],
        [],
    ):
        path.write_bytes(whole)
        refused_whole(
            alliance, changed(path, lambda v, new=leaves: ledger_of(v, "alfa.example/ledger").update(leaves=new))
        )


def test_a_head_of_another_ledger_is_refused(alliance: Alliance) -> None:
    """Only the owner's ledger key makes a head, also where both heads are of one size and known already. Fails if a
    note that was verified once is believed under any origin."""
    alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    path = export(alliance, "ALFA", "BRAVO")

    def swap(value: dict[str, Any]) -> None:
        other = ledger_of(value, "charlie.example/notices")["checkpoint"]
        ledger_of(value, "alfa.example/notices")["checkpoint"] = other

    message = refused_whole(alliance, changed(path, swap))
    assert "is of 'charlie.example/notices', not of 'alfa.example/notices'" in message


def test_a_loose_notice_without_standing_refuses_the_file(alliance: Alliance) -> None:
    """Bad news counts at once, so what may not be said is not let in with it."""
    path = export(alliance, "ALFA", "BRAVO")
    good = alliance.nodes["CHARLIE"].sign(
        "dispute", notice_subject(TARGET), {"target": TARGET, "reason": "x"}, person="official"
    )
    forged = json.loads(good.envelope)
    forged["signatures"][0]["keyid"] = alliance.nodes["ALFA"].me.keys[-1].public.id
    assert "loose notice does not count" in refused_whole(alliance, changed(path, lambda v: v.update(loose=[forged])))


def test_a_fork_is_kept_as_both_signed_heads_and_cuts_nobody_off(wary: Alliance, tmp_path: Path) -> None:
    """ALFA shows BRAVO and CHARLIE two histories. When they meet, both notes are kept, ALFA's ledger stays as each held
    it, everything else arrives, and neither fork gets a quorum. Fails if the mirror takes what does not extend it."""
    second = fork(wary, "ALFA", tmp_path)
    wary.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection("dangerous", dangerous=1))
    second.sign_and_append("inspection", (RELEASE,), inspection())
    wary.carry("ALFA", "BRAVO")
    path = tmp_path / "second.wwx.json"
    second.export("CHARLIE", path)
    wary.nodes["CHARLIE"].import_bundle(path)
    mine = wary.nodes["BRAVO"].sign_and_append("inspection", (RELEASE,), inspection())
    imported = wary.carry("BRAVO", "CHARLIE")
    assert [one.origin for one in imported.forks] == ["alfa.example/ledger"]
    assert imported.told().startswith("FORK of alfa.example/ledger")
    ours, theirs = (imported.forks[0].folder / name for name in ("ours", "theirs"))
    key = wary.charter_file.charter.origins["alfa.example/ledger"].key
    heads = [verify_head(note.read_bytes(), "alfa.example/ledger", key) for note in (ours, theirs)]
    assert heads[0].size == heads[1].size == 1
    assert heads[0].root != heads[1].root
    assert wary.nodes["CHARLIE"].locate(mine.id).locator == "BRAVO#0"
    back = wary.carry("CHARLIE", "BRAVO")
    assert [one.origin for one in back.forks] == ["alfa.example/ledger"]
    for name in ("BRAVO", "CHARLIE"):
        assert wary.nodes[name].latest_view().heads["alfa.example/ledger"].size == 0
    second.close()


def test_a_fork_that_grew_apart_is_found_too(alliance: Alliance, tmp_path: Path) -> None:
    """Histories of different length: the longer one's leaves pass through another root, which convicts."""
    second = fork(alliance, "ALFA", tmp_path)
    alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    for _ in range(3):
        second.sign_and_append("inspection", (RELEASE,), inspection())
    alliance.carry("ALFA", "BRAVO")
    path = tmp_path / "second.wwx.json"
    second.export("CHARLIE", path)
    alliance.nodes["CHARLIE"].import_bundle(path)
    assert alliance.carry("BRAVO", "CHARLIE").forks
    assert alliance.carry("CHARLIE", "BRAVO").forks
    second.close()


def test_bad_news_in_a_forked_ledger_still_counts(alliance: Alliance, tmp_path: Path) -> None:
    """A member cannot take its recall back by forking the ledger it stands in."""
    second = fork(alliance, "ALFA", tmp_path)
    alliance.recall("ALFA", TARGET)
    second.sign_and_append("dispute", notice_subject(TARGET), {"target": TARGET, "reason": "other"})
    path = tmp_path / "second.wwx.json"
    second.export("CHARLIE", path)
    alliance.nodes["CHARLIE"].import_bundle(path)
    alliance.carry("ALFA", "BRAVO")
    assert alliance.carry("BRAVO", "CHARLIE").forks
    charlie = alliance.nodes["CHARLIE"]
    facts = charlie.facts(charlie.latest_view())
    in_view = {leaf.signed.statement.kind for leaf in facts.notices if leaf.signed}
    assert in_view | {signed.statement.kind for signed in facts.loose} == {"dispute", "recall"}
    second.close()


def test_a_notice_in_a_ledger_counts_before_its_quorum(wary: Alliance) -> None:
    """A relay strips the loose list: the notice still arrives in its ledger, and counts though nobody else has
    cosigned it. Fails if only loose files and the view are looked at."""
    recorded = wary.recall("CHARLIE", TARGET)
    path = changed(export(wary, "CHARLIE", "ALFA"), lambda value: value.update(loose=[]))
    alfa = wary.nodes["ALFA"]
    assert alfa.import_bundle(path).loose == ()
    assert alfa.latest_view().heads["charlie.example/notices"].size == 0
    assert [one.statement.id for one in alfa.facts(alfa.latest_view()).loose] == [recorded.id]


def test_our_own_key_in_other_hands_is_seen(alliance: Alliance, tmp_path: Path) -> None:
    """A head of our own ledger that we never signed is evidence, not something to take over."""
    thief = fork(alliance, "ALFA", tmp_path)
    thief.sign_and_append("inspection", (RELEASE,), inspection())
    path = tmp_path / "thief.wwx.json"
    thief.export("BRAVO", path)
    alliance.nodes["BRAVO"].import_bundle(path)
    imported = alliance.carry("BRAVO", "ALFA")
    assert "own" in imported.forks[0].message
    assert alliance.nodes["ALFA"].store.own("ledger").size == 0
    thief.close()


def test_a_stripped_body_is_asked_for_again(alliance: Alliance) -> None:
    """A relay passes on the leaf and keeps the body: the next file to the owner asks for it, and it arrives."""
    recorded = alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection(), scope=["ALFA", "CHARLIE"])
    alliance.carry("ALFA", "BRAVO")
    alliance.carry("BRAVO", "CHARLIE")
    charlie = alliance.nodes["CHARLIE"]
    assert charlie.store.missing()["alfa.example/ledger"] == ((0, 1),)
    alliance.carry("CHARLIE", "ALFA")
    alliance.carry("ALFA", "CHARLIE")
    assert charlie.locate(recorded.id).locator == "ALFA#0"


def test_a_file_that_begins_past_what_is_held_is_skipped_and_mended(alliance: Alliance, tmp_path: Path) -> None:
    """BRAVO lost its mirror: ALFA's short file is skipped for that ledger only, and the next one is whole."""
    alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.sync()
    alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection(tool="another"))
    alliance.nodes["BRAVO"].close()
    for folder in ("mirrors", "cosigned"):
        shutil.rmtree(alliance.home("BRAVO") / folder)
    for path in (alliance.home("BRAVO") / "heads").iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for use in ("ledger", "notices", "record"):
        name = sha256(f"bravo.example/{use}".encode()).hexdigest()
        note = alliance.home("BRAVO") / use / "checkpoint"
        text = note.read_bytes() if note.exists() else f"bravo.example/{use}\n0\n{b64(sha256(b'').digest())}\n".encode()
        (alliance.home("BRAVO") / "heads" / name).write_bytes(text)
    alliance.reopen("BRAVO")
    imported = alliance.carry("ALFA", "BRAVO")
    assert [origin for origin, _ in imported.skipped] == ["alfa.example/ledger"]
    alliance.carry("BRAVO", "ALFA")
    assert alliance.carry("ALFA", "BRAVO").skipped == ()
    assert len(alliance.nodes["BRAVO"].store.leaves("alfa.example/ledger")) == 2


def test_heads_gather_cosignatures_while_the_ledger_grows(alliance: Alliance) -> None:
    """A ledger that publishes faster than files travel still gets a quorum, on the head that others saw."""
    alfa = alliance.nodes["ALFA"]
    first = alfa.sign_and_append("inspection", (RELEASE,), inspection())
    alliance.carry("ALFA", "BRAVO")
    alfa.sign_and_append("inspection", (RELEASE,), inspection(tool="second"))
    alfa.publish()
    alliance.carry("BRAVO", "ALFA")
    assert alfa.labels(first)[-1] == "witnessed 2 of 3"
    assert alfa.latest_view().heads["alfa.example/ledger"].size == 1
    assert [fact.signed.statement.id for fact in alfa.facts(alfa.latest_view()).statements] == [first.id]


def test_a_body_nobody_committed_to_is_left(alliance: Alliance) -> None:
    """Only what a leaf or a named attachment commits to is stored; the rest is counted and left."""
    path = export(alliance, "ALFA", "BRAVO")
    junk = {"content": b64(b"junk"), "salt": b64(b"s" * 32)}
    imported = alliance.nodes["BRAVO"].import_bundle(changed(path, lambda value: value.update(bodies=[junk])))
    assert (imported.bodies, imported.left) == (0, 1)
    assert not alliance.nodes["BRAVO"].bodies.holds(commitment(b"s" * 32, b"junk"))


def test_a_leaf_that_no_proof_could_show_is_not_mirrored(alliance: Alliance, tmp_path: Path) -> None:
    """A member who puts a malformed leaf into its signed ledger is refused, so no quorum ever covers it."""
    thief = fork(alliance, "ALFA", tmp_path)
    log: Log = thief.store.own("notices")
    log.append([b"\x02" + b"short"])
    log.publish(Keys(tmp_path / "ALFA", None).job("ledger"))
    path = tmp_path / "bad.wwx.json"
    thief.store._leaves.clear()
    with pytest.raises(WatchwordError):
        thief.export("BRAVO", path)
    good = export(alliance, "ALFA", "BRAVO")

    def graft(value: dict[str, Any]) -> None:
        part = ledger_of(value, "alfa.example/notices")
        part.update(checkpoint=(log.checkpoint() or b"").decode(), leaves=[b64(b"\x02short")], start=0, earlier=[])

    assert "alfa.example/notices, leaf 0" in refused_whole(alliance, changed(good, graft))
    thief.close()


def test_bodies_are_one_folder(alliance: Alliance) -> None:
    """What arrives is found by commitment, whoever brought it."""
    recorded = alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.carry("ALFA", "BRAVO")
    leaf = alliance.nodes["BRAVO"].store.leaves("alfa.example/ledger")[0]
    found = Bodies(alliance.home("BRAVO") / "bodies").get(leaf.commitment)
    assert found is not None
    assert found[1] == recorded.envelope


def test_a_refused_file_is_named_with_what_was_wrong(alliance: Alliance) -> None:
    """Whatever in it was wrong, and that nothing of it was used."""
    path = alliance.folder / "to-bravo.json"
    alliance.nodes["ALFA"].export("BRAVO", path, since={})
    path.write_bytes(path.read_bytes().replace(b"alfa.example/notices", b"alfa.example/noticez", 1))
    with pytest.raises(WatchwordError) as caught:
        alliance.nodes["BRAVO"].import_bundle(path)
    assert str(caught.value).startswith(f"{path}: ") and "noticez" in caught.value.message
    assert caught.value.hint.startswith("nothing from it was used")

"""I10: nothing outside its release scope leaves a node; what can be seen outside is a salted commitment.

Each test looks for marked texts, digests and ids in every byte that leaves, base64 opened up. Each fails when
``scope_allows`` (or the rule for attachments) is taken out of ``node.carry``, and was seen to.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from alliance import RELEASE, Alliance, copy_alliance, inspection, make_alliance, notice_subject, quick_disk

from watchword.ledger.bundle import Body, encode, parse_bundle
from watchword.node import CannotProve
from watchword.node.recorded import Recorded
from watchword.statements.digests import D
from watchword.statements.statement import Subject

MARK = "marked-secret"
NAMES = ("ALFA", "BRAVO", "CHARLIE")
SCOPES: dict[str, str | list[str]] = {
    "own": "own",
    "named": ["ALFA", "BRAVO"],
    "alliance": "alliance",
    "public": "public",
}
SEES = {
    "BRAVO": {"named", "alliance", "public"},
    "CHARLIE": {"alliance", "public"},
    None: {"public"},
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Alliance:
    with quick_disk():
        made = make_alliance(tmp_path_factory.mktemp("i10") / "alliance", NAMES)
        made.sync()
        made.close()
    return made


@pytest.fixture
def alliance(template: Alliance, tmp_path: Path) -> Iterator[Alliance]:
    with quick_disk():
        copy = copy_alliance(template, tmp_path / "alliance")
        yield copy
        copy.close()


def opened(data: bytes) -> bytes:
    """*data* and everything in it that base64 hides, to any depth."""
    found, rest = [data], [data]
    while rest:
        for text in re.findall(rb"[A-Za-z0-9+/]{24,}={0,2}", rest.pop()):
            try:
                inner = b64decode(text, validate=True)
            except ValueError:
                continue
            found.append(inner)
            rest.append(inner)
    return b"\n".join(found)


def exported(alliance: Alliance, sender: str, to: str | None) -> bytes:
    path = alliance.folder / f"{sender}-to-{to}.wwx.json"
    alliance.nodes[sender].export(to, path)
    return opened(path.read_bytes())


def record_all(alliance: Alliance, name: str = "ALFA") -> dict[str, Recorded]:
    """One inspection of each scope, each with a marked subject, message and attachment."""
    here, recorded = alliance.nodes[name], {}
    for scope, value in SCOPES.items():
        report = here.attach(f"{MARK}-{scope}.json", "text/plain", f"{MARK}-{scope}-report".encode())
        subject = Subject(f"{MARK}-{scope}-subject", D(scope.encode()))
        fields = inspection() | {"report": report}
        recorded[scope] = here.sign_and_append("inspection", (subject,), fields, scope=value)
    return recorded


def seen(data: bytes, recorded: dict[str, Recorded]) -> set[str]:
    """Whose subject, digest and report stand in *data*: all three or none. An id, which others could test, never."""
    found = set()
    for scope, one in recorded.items():
        marks = (f"{MARK}-{scope}-subject", f"{MARK}-{scope}-report", D(scope.encode()))
        there = [mark.removeprefix("sha256:").encode() in data for mark in marks]
        assert len(set(there)) == 1, f"{scope}: {there}"
        assert one.id.removeprefix("sha256:").encode() not in data, f"id of a statement of scope {scope}"
        if there[0]:
            found.add(scope)
    return found


@pytest.mark.parametrize("to", ["BRAVO", "CHARLIE", None])
def test_a_file_holds_only_what_its_reader_may_hold(alliance: Alliance, to: str | None) -> None:
    """Bodies, names, digests and attachments outside the scope are in no export, whoever asks."""
    recorded = record_all(alliance)
    assert seen(exported(alliance, "ALFA", to), recorded) == SEES[to]


def test_a_relay_keeps_what_it_may_not_pass_on(alliance: Alliance) -> None:
    """BRAVO holds a body for ALFA and BRAVO alone, and passes on the leaf without it."""
    recorded = record_all(alliance)
    alliance.carry("ALFA", "BRAVO")
    assert alliance.nodes["BRAVO"].locate(recorded["named"].id)
    data = exported(alliance, "BRAVO", "CHARLIE")
    assert seen(data, recorded) == SEES["CHARLIE"]
    alliance.nodes["CHARLIE"].import_bundle(alliance.folder / "BRAVO-to-CHARLIE.wwx.json")
    assert len(alliance.nodes["CHARLIE"].store.leaves("alfa.example/ledger")) == len(SCOPES)


def test_what_is_asked_for_is_judged_by_scope_too(alliance: Alliance) -> None:
    """CHARLIE asks for every body that it lacks, and gets none that it may not hold."""
    recorded = record_all(alliance)
    alliance.carry("ALFA", "BRAVO")
    alliance.carry("BRAVO", "CHARLIE")
    alliance.carry("CHARLIE", "ALFA")
    assert seen(exported(alliance, "ALFA", "CHARLIE"), recorded) == set()


def test_bad_news_keeps_its_scope(alliance: Alliance) -> None:
    """A loose recall and a stop for two members do not reach the third."""
    target = f"model:{MARK}"
    fields = {"target": target, "reason": MARK, "actions": [], "deadline": None, "supersedes": None}
    alliance.nodes["ALFA"].sign_and_append("recall", notice_subject(target), fields, scope=["ALFA", "BRAVO"])
    alliance.nodes["ALFA"].sign_and_append("stop", (RELEASE,), {"reason": MARK}, scope=["ALFA", "BRAVO"])
    assert MARK.encode() in exported(alliance, "ALFA", "BRAVO")
    assert MARK.encode() not in exported(alliance, "ALFA", "CHARLIE")
    alliance.carry("ALFA", "BRAVO")
    assert MARK.encode() not in exported(alliance, "BRAVO", "CHARLIE")


def test_naming_somebody_s_commitment_does_not_fetch_it(alliance: Alliance) -> None:
    """CHARLIE names the commitments of ALFA's own-scope bodies, visible in its leaves, as attachments of a public
    statement. ALFA sends neither the statements nor the report they hide."""
    recorded = record_all(alliance)
    alliance.sync()
    charlie = alliance.nodes["CHARLIE"]
    for leaf in charlie.store.leaves("alfa.example/ledger"):
        report = {
            "bytes": 1, "commitment": f"sha256:{leaf.commitment.hex()}", "media_type": "text/plain", "name": "r",
        }  # fmt: skip
        charlie.sign_and_append("inspection", (RELEASE,), inspection() | {"report": report}, scope="public")
    alliance.sync()
    for to in (None, "BRAVO", "CHARLIE"):
        # Everything once more, as if the reader held nothing.
        for path in (alliance.home("ALFA") / "peers").iterdir():
            path.unlink()
        assert seen(exported(alliance, "ALFA", to), recorded) == SEES[to]


def test_an_attachment_follows_the_narrowest_of_its_statements(alliance: Alliance) -> None:
    """One report named by a public and by an own statement stays here."""
    here = alliance.nodes["ALFA"]
    report = here.attach("r", "text/plain", 4 * MARK.encode())
    for scope in ("public", "own"):
        here.sign_and_append("inspection", (RELEASE,), inspection() | {"report": report}, scope=scope)
    assert MARK.encode() not in exported(alliance, "ALFA", "BRAVO")


def test_a_body_sent_beyond_its_scope_is_not_kept(alliance: Alliance) -> None:
    """A careless or hostile sender puts everything into the file: the reader keeps only what it may hold."""
    recorded = record_all(alliance)
    path = alliance.folder / "spill.wwx.json"
    store = alliance.nodes["ALFA"].store
    alliance.nodes["ALFA"].export("CHARLIE", path)
    bundle = parse_bundle(path.read_bytes(), "file")
    found = [store.bodies.get(leaf.commitment) for leaf in store.leaves("alfa.example/ledger")]
    path.write_bytes(encode(replace(bundle, bodies=tuple(Body("envelope", *one) for one in found if one))))
    alliance.nodes["CHARLIE"].import_bundle(path)
    held = {signed.statement.id for signed in alliance.nodes["CHARLIE"].statements()}
    assert held == {recorded["alliance"].id, recorded["public"].id}


def test_the_record_never_leaves_by_exchange(alliance: Alliance) -> None:
    """Receipts, and the record's leaves, are in no exchange file."""
    here = alliance.nodes["ALFA"]
    here.append_record([{"event": "permitted", "reasons": [MARK]}])
    here.anchor_record()
    data = exported(alliance, "ALFA", "BRAVO")
    assert MARK.encode() not in data
    entry = here.record.entry(0)
    assert entry not in data
    origins = [
        one["origin"] for one in json.loads((alliance.folder / "ALFA-to-BRAVO.wwx.json").read_bytes())["ledgers"]
    ]
    assert "alfa.example/record" not in origins


def test_a_leaf_tells_nothing_of_its_body(alliance: Alliance) -> None:
    """The same statement under two salts makes unrelated leaves, and a leaf is a version byte and 32 bytes."""
    envelope = alliance.claim()
    alliance.nodes["ALFA"].append_envelope(envelope)
    alliance.nodes["BRAVO"].append_envelope(envelope)
    first, second = (alliance.nodes[name].store.own("ledger").entry(0) for name in ("ALFA", "BRAVO"))
    assert first != second
    assert len(first) == len(second) == 33


def test_a_proof_that_would_show_too_much_is_refused(alliance: Alliance) -> None:
    """A decision of narrow scope goes into no proof file: the error names what and whose it is."""
    here = alliance.nodes["ALFA"]
    nothing = "sha256:" + "0" * 64
    subject = {"digest": RELEASE.digest, "name": RELEASE.name}
    decision = {"considered": [], "loose": nothing, "subject": subject, "use_case": nothing, "view": nothing}
    recorded = here.record_decision(decision, [], scope=["ALFA", "BRAVO"])
    alliance.sync()
    with pytest.raises(CannotProve, match="decision of ALFA whose scope is ALFA, BRAVO"):
        here.make_proof([recorded.id])

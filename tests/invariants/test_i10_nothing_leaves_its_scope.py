"""I10: nothing outside its release scope leaves a node; what can be seen outside is a salted commitment.

Each test looks for marked texts, digests and ids in every byte that leaves, base64 opened up. Each fails when
``scope_allows`` (or the rule for attachments) is taken out of ``node.carry``, and was seen to.
"""

from __future__ import annotations

import hmac
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from alliance import RELEASE, Alliance, inspection, make_alliance, notice_subject, quick_disk
from charters import UNQUERIED

from watchword.ledger.bundle import Body, encode, parse_bundle
from watchword.ledger.demand import sign_demand
from watchword.node import CannotProve
from watchword.node.answering import Answers
from watchword.node.naming import TooWide
from watchword.node.recorded import Recorded
from watchword.node.spilling import spill
from watchword.statements.canonical import canonical
from watchword.statements.digests import D
from watchword.statements.redaction import copy_file, hide
from watchword.statements.statement import Statement, Subject, open_envelope
from watchword.statements.times import rfc3339

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
    fields = {"target": target, "reason": MARK, "actions": [], "deadline": None, **UNQUERIED}
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
    """Under two salts one statement makes unrelated commitments, beside a name that only members can read."""
    envelope = alliance.claim()
    alliance.nodes["ALFA"].append_envelope(envelope)
    alliance.nodes["BRAVO"].append_envelope(envelope)
    first, second = (alliance.nodes[name].store.own("ledger").entry(0) for name in ("ALFA", "BRAVO"))
    assert first[1:33] != second[1:33]
    name = b"evidence:claim:" + RELEASE.digest.encode()
    assert first[33:] == second[33:] == hmac.digest(alliance.nodes["ALFA"].secret, name, "sha256")
    own = alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection(), scope="own")
    assert len(alliance.nodes["ALFA"].store.own("ledger").entry(own.index)) == 33


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


def values_of(value: Any) -> Iterator[Any]:
    """Every text and number in a JSON value, and every list and object as a whole."""
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from values_of(inner)


# What an open statement says as well, or every file.
COMMONPLACE = {"ALFA", "BRAVO", "CHARLIE", "NATO", "dangerous", "notice", "own", "statement", "text/plain"}
COMMONPLACE |= {str(value) for value in inspection()["tool"].values()}


def traces(statement: Statement) -> dict[str, bytes]:
    """What of a secret statement would show in a file, or let somebody test a guess: values, and plain digests of
    values, names and values, whole fields, subjects, payload."""
    found: dict[str, bytes] = {"id": bytes.fromhex(statement.id[7:])}
    for subject in statement.subject:
        found["subject digest"] = bytes.fromhex(subject.digest[7:])
        if subject.name not in COMMONPLACE:
            found["subject"] = subject.name.encode()
    for name, field in statement.predicate.items():
        if name in ("issuer", "made", "scope", "after"):
            continue
        for value in values_of(field):
            plain = value.encode() if isinstance(value, str) else canonical(value)
            if isinstance(value, str) and len(value) > 5 and value not in COMMONPLACE:
                found[f"{name}: {value}"] = plain
            for form in (plain, canonical(value), f"{name}:".encode() + plain, canonical({name: value})):
                found[f"digest of {name}: {form!r}"] = sha256(form).digest()
    return found


def told(data: bytes, statement: Statement) -> list[str]:
    """Which traces stand in *data*, opened up, in bytes or in hex."""
    return [name for name, mark in traces(statement).items() if mark in data or mark.hex().encode() in data]


def all_that_leaves(alliance: Alliance, sender: str, to: str) -> dict[str, bytes]:
    """Every way out of a node towards a member or a stranger, opened up."""
    here, now = alliance.nodes[sender], rfc3339(alliance.clock.now())
    key = alliance.nodes[to].keys.job("witness")
    want = [leaf.commitment for origin in here.charter.shared_origins for leaf in here.store.leaves(origin)]
    signed = sign_demand(here.charter, to, sender, now, want, None, key)
    unsigned = json.loads(signed)["demand"] | {"from": None}
    ways = {
        "file": exported(alliance, sender, to),
        "file for anybody": exported(alliance, sender, None),
        "proof": opened(here.make_proof((), releases=(RELEASE.digest,))),
        "HTTP": opened(Answers(here).answer(signed)),
        "HTTP, unsigned": opened(Answers(here).answer(canonical({"demand": unsigned, "signature": None}))),
    }
    for folder in ("ledger", "notices"):
        # What ``serve`` answers under logs/ are these files.
        served = sorted(path for path in (alliance.home(sender) / folder).rglob("*") if path.is_file())
        ways[folder] = opened(b"\n".join(path.read_bytes() for path in served))
    return ways


def secret_statements(alliance: Alliance, scope: str | list[str]) -> list[Statement]:
    """ALFA says all sorts of things within *scope*; some have few possible values."""
    here = alliance.nodes["ALFA"]
    secret = Subject("hidden-system 9", D(b"hidden-system"))
    report = here.attach("hidden-report.txt", "text/plain", b"hidden report")
    found = inspection("dangerous", tool="hidden-tool", dangerous=7) | {"report": report}
    said = [here.sign_and_append("inspection", (secret,), found, scope=scope)]
    doubt = {"of": "legal", "outcome": "against", "report": None, "text": "hidden doubt"}
    shown, made = hide("review", doubt, ["text"])
    here.bodies.put_many((one.salt, one.body) for one in made)
    said.append(here.sign_and_append("review", (secret,), shown, scope=scope))
    about = (Subject("statement", said[0].id),)
    fields: dict[str, Any] = {"statement": said[0].id, "text": "hidden answer"}
    said.append(here.sign_and_append("reply", about, fields, scope=scope))
    label = {"categories": [], "created": None, "privacy_mark": None, "review": None}
    fields = {"statement": said[0].id, "policy": "NATO", "classification": "HIDDEN MARK"} | label
    said.append(here.sign_and_append("marking", about, fields, scope=scope))
    target = f"statement:{said[0].id}"
    fields = {"target": target, "reason": "hidden reason"}
    said.append(here.sign_and_append("dispute", notice_subject(target), fields, scope=scope))
    found = inspection("dangerous", tool="hidden-tool", dangerous=8)
    said.append(here.sign_and_append("inspection", (secret,), found, scope=scope))
    statements = [here.locate(one.id).signed.statement for one in said]
    statements.append(open_envelope(spill(here, said[-1].id, "hidden spill").envelope).statement)
    return statements


@pytest.mark.parametrize("scope", ["own", ["ALFA", "BRAVO"]])
def test_no_way_out_tells_a_secret_or_lets_a_guess_be_tested(alliance: Alliance, scope: str | list[str]) -> None:
    """Of statements within *scope*, CHARLIE and the world learn no value, no plain digest of a value, not even of one
    that has only ten: by file, proof, HTTP, or what is served; from ALFA, or passed on by BRAVO.

    Fails where a spill, as it once was, is told to all, and where scopes are not asked; was seen to.
    """
    alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection(tool="open-tool"))
    said = secret_statements(alliance, scope)
    alliance.sync()
    for sender in ("ALFA", "BRAVO"):
        for way, data in all_that_leaves(alliance, sender, "CHARLIE").items():
            assert [(one.kind, found) for one in said if (found := told(data, one))] == [], f"{sender} by {way}"
    # The search finds what is there: whoever may hold them is told.
    if scope != "own":
        path = alliance.home("ALFA") / "peers"
        for peer in path.iterdir():
            peer.unlink()
        data = exported(alliance, "ALFA", "BRAVO")
        assert all(told(data, one) for one in said if one.predicate.get("tool", {}).get("name") != "hidden-tool")


def test_what_names_a_secret_statement_reaches_no_further_than_it(alliance: Alliance) -> None:
    """A decision, reply or dispute of alliance scope would tell the id of evidence kept to two; it is not signed.

    Fails without ``refuse_wider``, and was seen to.
    """
    here = alliance.nodes["ALFA"]
    secret = here.sign_and_append("inspection", (RELEASE,), inspection(), scope=["ALFA", "BRAVO"]).id
    target = f"statement:{secret}"
    cases: list[tuple[str, tuple[Subject, ...], dict[str, Any]]] = [
        ("reply", (Subject("statement", secret),), {"statement": secret, "text": ""}),
        ("dispute", notice_subject(target), {"target": target, "reason": ""}),
        ("decision", (RELEASE,), {"decision": {"considered": [{"id": secret, "index": 0, "origin": "a"}]}}),
    ]
    for kind, subject, fields in cases:
        for scope in ("public", "alliance", ["ALFA", "CHARLIE"]):
            with pytest.raises(TooWide, match="whose scope is ALFA,BRAVO"):
                here.sign_and_append(kind, subject, fields, scope=scope)
        for scope in (["ALFA", "BRAVO"], ["BRAVO"], "own"):
            here.sign_and_append(kind, subject, fields, scope=scope)


def test_a_redacted_copy_tells_nothing_of_what_was_taken_out(alliance: Alliance) -> None:
    """Neither the value nor anything by which one of two possible values could be told from the other."""
    here = alliance.nodes["ALFA"]
    shown, made = hide("review", {"of": "legal", "outcome": "against", "report": None, "text": "yes"}, ["text"])
    statement = here.locate(here.sign_and_append("review", (RELEASE,), shown).id).signed
    data = opened(copy_file(statement.envelope, []))
    for guess in ("yes", "no"):
        whole = canonical([guess])
        for form in (guess.encode(), whole, whole[1:-1], canonical(["text", guess]), canonical({"text": guess})):
            assert sha256(form).hexdigest().encode() not in data
    assert b'"yes"' not in data and b'"yes"' in opened(copy_file(statement.envelope, made))

"""A body that should not have been written is purged where the request is honoured; everything still verifies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alliance import RELEASE, Alliance, inspection, make_alliance, quick_disk

from watchword.account.proof import verify
from watchword.charter.standing import NoStanding
from watchword.node import NotHere
from watchword.node.spilling import honour, spill
from watchword.statements.digests import parse_digest
from watchword.statements.redaction import disclosures, hide


@pytest.fixture
def alliance(tmp_path: Path) -> Iterator[Alliance]:
    """Three members; ALFA has said something with a secret in it and a document beside it."""
    with quick_disk():
        made = make_alliance(tmp_path / "alliance", ("ALFA", "BRAVO", "CHARLIE"))
        made.sync()
        alfa = made.nodes["ALFA"]
        report = alfa.attach("report.txt", "text/plain", b"the secret document")
        alfa.sign_and_append("inspection", (RELEASE,), inspection(tool="SECRET-TOOL") | {"report": report})
        made.sync()
        yield made
        made.close()


def traces(alliance: Alliance, name: str) -> list[Path]:
    """Files in a home that hold the secret, in the statement (base64) or the document."""
    import base64

    words = [b"the secret document"] + [base64.b64encode(b"x" * n + b"SECRET-TOOL")[n + 1 : -4] for n in range(3)]
    files = [path for path in alliance.home(name).rglob("*") if path.is_file()]
    return [path for path in files if any(word in path.read_bytes() for word in words)]


def test_a_spill_purges_body_salt_and_document_everywhere(alliance: Alliance) -> None:
    """In every home, at the next exchange; ledgers check out, and proofs of before and after verify."""
    before = alliance.nodes["BRAVO"].make_proof((), releases=(RELEASE.digest,))
    assert all(traces(alliance, name) for name in alliance.nodes)
    spill(alliance.nodes["ALFA"], "ALFA#0", "a name was in it")
    alliance.sync()
    for name, here in alliance.nodes.items():
        assert traces(alliance, name) == [], name
        here.check()
        with pytest.raises(NotHere):
            here.locate("ALFA#0")
        now = alliance.clock.now()
        assert verify(alliance.charter_file, here.make_proof((), releases=(RELEASE.digest,)), now)
    assert verify(alliance.charter_file, before, alliance.clock.now())


def test_what_was_spilled_does_not_come_back(alliance: Alliance) -> None:
    """A member that has not heard yet offers it again; fails when only the file is deleted."""
    alliance.nodes["BRAVO"].export("CHARLIE", alliance.folder / "old.json")
    alliance.nodes["CHARLIE"].export("BRAVO", alliance.folder / "older.json", since={})
    spill(alliance.nodes["ALFA"], "ALFA#0", "a name was in it")
    alliance.carry("ALFA", "BRAVO")
    assert traces(alliance, "BRAVO") == []
    assert b"bodies" in (alliance.folder / "older.json").read_bytes()
    alliance.nodes["BRAVO"].import_bundle(alliance.folder / "older.json")
    assert traces(alliance, "BRAVO") == []


def test_nobody_spills_what_is_neither_theirs_nor_in_their_ledger(alliance: Alliance) -> None:
    """Here it is refused; a request forged past that is not honoured elsewhere. Fails when anybody's is honoured."""
    bravo = alliance.nodes["BRAVO"]
    with pytest.raises(NoStanding, match="in another member"):
        spill(bravo, "ALFA#0", "I do not like it")
    leaf = alliance.nodes["ALFA"].store.leaves("alfa.example/ledger")[0].commitment
    fields = {"leaf": f"sha256:{leaf.hex()}", "attachments": [], "body": "purged", "reason": "I do not like it"}
    bravo.sign_and_append("spill", (RELEASE,), fields)
    alliance.sync()
    for here in alliance.nodes.values():
        assert honour(here) == 0
        assert here.locate("ALFA#0").signed.statement.issuer == "ALFA"


def test_bad_news_is_not_spilled(alliance: Alliance) -> None:
    """A recall stays, whoever regrets it; by request or by a forged one."""
    alfa = alliance.nodes["ALFA"]
    alliance.recall("ALFA", f"release:{RELEASE.digest}")
    with pytest.raises(NoStanding, match="is not spilled"):
        spill(alfa, "ALFA/notices#0", "regret")
    leaf = alfa.store.leaves("alfa.example/notices")[0].commitment
    fields = {"leaf": f"sha256:{leaf.hex()}", "attachments": [], "body": "purged", "reason": "regret"}
    alfa.sign_and_append("spill", (RELEASE,), fields)
    assert honour(alfa) == 0
    alliance.sync()
    assert alliance.nodes["BRAVO"].locate("ALFA/notices#0").signed.statement.kind == "recall"


@pytest.mark.parametrize("held", [True, False])
def test_a_spill_of_one_s_own_takes_nobody_else_s_body_along(alliance: Alliance, held: bool) -> None:
    """BRAVO calls ALFA's evidence an attachment of its own statement, and spills that; sent along or kept back.

    Fails when attachments are purged that are leaves' bodies, or that no statement at hand names; was seen to.
    """
    bravo = alliance.nodes["BRAVO"]
    alfas = [f"sha256:{leaf.commitment.hex()}" for leaf in bravo.store.leaves("alfa.example/ledger")]
    report = {"bytes": 1, "commitment": alfas[0], "media_type": "text/plain", "name": "r"}
    scope = "alliance" if held else "own"
    bravo.sign_and_append("inspection", (RELEASE,), inspection() | {"report": report}, scope=scope)
    leaf = bravo.store.leaves("bravo.example/ledger")[0].commitment
    fields = {"leaf": f"sha256:{leaf.hex()}", "attachments": alfas, "body": "kept", "reason": "mine"}
    bravo.sign_and_append("spill", (RELEASE,), fields)
    alliance.sync()
    for here in alliance.nodes.values():
        assert honour(here) == 0
        assert here.locate("ALFA#0").signed.statement.issuer == "ALFA"


def test_a_redaction_takes_the_field_out_everywhere_and_leaves_the_rest(alliance: Alliance) -> None:
    """Disclosures travel with their statement; one is purged at every node, does not come back, and nothing else is."""
    alfa, bravo = alliance.nodes["ALFA"], alliance.nodes["BRAVO"]
    fields = {"of": "legal", "outcome": "with limits", "report": None, "text": "the secret document"}
    shown, made = hide("review", fields, ["text"])
    alfa.bodies.put_many((one.salt, one.body) for one in made)
    id = alfa.sign_and_append("review", (RELEASE,), shown).id
    alliance.sync()
    for here in alliance.nodes.values():
        assert [one.value for one in disclosures(here.locate(id).signed.statement, here.bodies.get)] == [fields["text"]]
    bravo.export("CHARLIE", alliance.folder / "old.json", since={})
    spill(alfa, id, "it is somebody's name", only=[parse_digest(one.digest) for one in made])
    alliance.sync()
    alliance.nodes["CHARLIE"].import_bundle(alliance.folder / "old.json")
    for name, here in alliance.nodes.items():
        signed = here.locate(id).signed
        assert disclosures(signed.statement, here.bodies.get) == [], name
        assert signed.statement.predicate["outcome"] == "with limits"
        here.check(signatures=True)
        assert not here.store.spilled() & {leaf.commitment for leaf in here.store.leaves("alfa.example/ledger")}

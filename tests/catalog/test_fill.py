"""A catalog is a projection: deleted, cut short or brought up bit by bit, it gives the same answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alliance import MAIL, RELEASE, Alliance
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from watchword.catalog.database import Catalog, CatalogTrouble, NotFilled, open_catalog
from watchword.catalog.rows import (
    BARE,
    bounded,
    case_columns,
    document_of,
    end_row,
    notice_row,
    parts,
    sayings,
    scope_columns,
)
from watchword.catalog.schema import STATEMENTS
from watchword.limits import CATALOG_TEXT_BYTES_MAX
from watchword.node.cataloguing import bring_up
from watchword.statements.digests import DJ, b64
from watchword.statements.kinds import urn
from watchword.statements.statement import Subject, reopen

Opened = Callable[[], Catalog]
REVIEW = {"of": "legal", "outcome": "in favour", "text": "fine", "report": None}
BASE = Subject("base-7b 2.0", "sha256:" + "ba" * 32)


def bill(here: Any, system: str, release: str, **fields: Any) -> dict[str, Any]:
    document = here.attach("bill.json", "application/json", b"{}")
    empty: dict[str, Any] = {"components": [], "base_models": [], "datasets": []}
    return empty | {"format": "CycloneDX 1.6", "system": system, "release": release, "document": document} | fields


def line(name: str, version: str, purl: str | None = None, digest: str | None = None) -> dict[str, Any]:
    return {"name": name, "version": version, "purl": purl, "digest": digest}


def contents(catalog: Catalog) -> dict[str, list[tuple[Any, ...]]]:
    """All that a catalog says, without the numbers that only count its rows."""
    place = "(SELECT origin || '#' || place FROM statements w WHERE w.number = ABS(x.number))"
    thing = "(SELECT sort || name || version || purl || digest FROM things t WHERE t.id = x.{})"
    asked = {
        "statements": f"SELECT {', '.join(column.name for column in list(STATEMENTS.columns)[1:])} FROM statements",
        "subjects": f"SELECT {place}, position, digest, name FROM subjects x",
        "edges": f"SELECT {thing.format('child')}, {thing.format('parent')}, {place}, number < 0 FROM edges x",
        "waiting": f"SELECT {place}, origin, place, document FROM waiting x",
        "said": f"SELECT {thing.format('thing')}, {place}, name, system, called, supplier, rank FROM said x",
        "releases": "SELECT digest, name, system, version, supplier, endpoint FROM releases",
        "uses": f"SELECT {place}, {thing.format('thing')}, name, owner, criticality, members, verdict FROM uses x",
        "ends": f"SELECT {place}, what, until FROM ends x",
        "notices": f"SELECT {place}, target, reason, deadline, against FROM notices x",
        "things": "SELECT key, sort, name, folded, version, purl, package, digest FROM things",
        "unread": "SELECT origin, place FROM unread",
        "ledgers": "SELECT origin, size, last FROM ledgers",
    }
    with catalog.reading() as connection:
        return {name: sorted(map(repr, connection.execute(text(sql)))) for name, sql in asked.items()}


def story(alliance: Alliance) -> list[Callable[[], object]]:
    """What an alliance says in the course of time, step by step."""
    alfa, bravo = alliance.nodes["ALFA"], alliance.nodes["BRAVO"]
    numpy = line("numpy", "1.26.0", "pkg:pypi/numpy@1.26.0")
    mine = bill(alfa, "mailsort", "1.0", components=[numpy], base_models=["Base-7B"])
    base = bill(bravo, "base-7b", "2.0", components=[line("torch", "2.1", "pkg:pypi/torch@2.1")])
    decision = {"subject": {"name": RELEASE.name, "digest": RELEASE.digest}, "use_case": DJ(MAIL), "verdict": "refused"}
    return [
        lambda: alfa.sign_and_append("bill-of-materials", (RELEASE,), mine, person="evaluator"),
        lambda: alfa.append_envelope(alliance.claim("AQUILA")),
        lambda: alliance.recall("BRAVO", "component:pkg:pypi/torch@2.1"),
        alliance.sync,
        lambda: bravo.sign_and_append("bill-of-materials", (BASE,), base, person="evaluator"),
        lambda: bravo.sign_and_append("decision", (RELEASE,), {"decision": decision}),
        lambda: bravo.sign_and_append("review", (RELEASE,), REVIEW, scope="own"),
        alliance.sync,
        lambda: alfa.keep_object(MAIL),
    ]


def test_bit_by_bit_and_at_once_give_the_same_answers(alliance: Alliance, opened: Opened) -> None:
    """After every step of a story, an update leaves what a rebuild makes."""
    catalog, alfa = opened(), alliance.nodes["ALFA"]
    for step in story(alliance):
        step()
        brought = bring_up(alfa, catalog)
        updated = contents(catalog)
        anew = bring_up(alfa, catalog, anew=True)
        assert contents(catalog) == updated
        assert brought.unread == anew.unread
    assert brought.unread == 1
    assert not brought.anew
    assert anew.anew
    assert {name: len(rows) for name, rows in updated.items()} == {
        "statements": 6, "subjects": 6, "edges": 6, "said": 3, "releases": 2, "uses": 1, "notices": 2, "things": 7,
        "ends": 0, "waiting": 0, "unread": 1, "ledgers": 3,
    }  # fmt: skip


def test_a_base_model_is_one_with_the_release_of_its_name(alliance: Alliance, opened: Opened) -> None:
    """A bill that names Base-7B and the release of the system base-7b meet, whichever came first."""
    catalog = opened()
    for step in story(alliance):
        step()
        bring_up(alliance.nodes["ALFA"], catalog)
    asked = "SELECT p.name, c.digest FROM edges e JOIN things c ON c.id = child JOIN things p ON p.id = parent"
    with catalog.reading() as connection:
        linked = connection.execute(text(f"{asked} WHERE e.number = 0")).all()
    assert [tuple(row) for row in linked] == [("Base-7B", BASE.digest)]


def test_what_has_no_standing_says_nothing(alliance: Alliance, opened: Opened) -> None:
    """A bill under a leaf that is not its own is listed; no release follows from it. Without the check, one did."""
    from watchword.ledger.leaves import Leaf, encode

    alfa, catalog = alliance.nodes["ALFA"], opened()
    signed = alfa.sign("bill-of-materials", (BASE,), bill(alfa, "base-7b", "2.0"), person="evaluator")
    alfa.store.own("ledger").append([encode("ledger", Leaf(alfa.bodies.put(signed.envelope)))])
    bring_up(alfa, catalog)
    found = contents(catalog)
    assert len(found["statements"]) == 1
    assert "False, 'ALFA', 1, ''" in found["statements"][0].replace(", 0, 'ALFA'", ", False, 'ALFA'")
    assert not found["releases"]


def test_a_rebuild_that_fails_leaves_what_was_there(alliance: Alliance, opened: Opened) -> None:
    """A damaged body ends a rebuild; readers go on seeing the catalog that was whole."""
    catalog, alfa = opened(), alliance.nodes["ALFA"]
    for step in story(alliance)[:4]:
        step()
    bring_up(alfa, catalog)
    before = contents(catalog)
    body = next(path for path in (alfa.home / "bodies" / "sha256").iterdir() if b"predicate" in path.read_bytes() or 1)
    body.write_bytes(b"\0" * 64)
    here = alliance.reopen("ALFA")
    (alfa.home / "bodies" / "sha256" / here.store.leaves("alfa.example/ledger")[0].commitment.hex()).write_bytes(b"x")
    with pytest.raises(Exception, match="damaged"):
        bring_up(here, catalog, anew=True)
    assert contents(catalog) == before


def test_a_spill_is_gone_from_the_catalog(alliance: Alliance, opened: Opened) -> None:
    """What was purged is not found in the catalog after its next update, by anything that it said."""
    from watchword.node.spilling import honour

    catalog, alfa = opened(), alliance.nodes["ALFA"]
    recorded = alfa.sign_and_append("review", (RELEASE,), REVIEW | {"text": "should not be here"}, person="official")
    bring_up(alfa, catalog)
    assert len(contents(catalog)["statements"]) == 1
    commitment = alfa.store.leaves(recorded.origin)[recorded.index].commitment
    fields = {"leaf": f"sha256:{commitment.hex()}", "body": "purged", "attachments": [], "reason": "spill"}
    alfa.sign_and_append("spill", (Subject("leaf", f"sha256:{commitment.hex()}"),), fields, person="official")
    honour(alfa)
    assert bring_up(alfa, catalog).anew
    assert not any(recorded.id in row for row in contents(catalog)["statements"])
    assert not contents(catalog)["unread"]


def test_a_catalog_of_another_member_or_a_newer_version_is_refused(alliance: Alliance, opened: Opened) -> None:
    """Neither is read, and neither is overwritten; an older version is filled anew."""
    catalog, alfa = opened(), alliance.nodes["ALFA"]
    with pytest.raises(NotFilled, match="nothing of this version"), catalog.reading():
        pass
    bring_up(alfa, catalog)
    with pytest.raises(CatalogTrouble, match="the catalog of ALFA, not of BRAVO"):
        bring_up(alliance.nodes["BRAVO"], catalog, anew=True)
    for version, match in (("0", "nothing of this version"), ("99", "version 99, this watchword reads [0-9]")):
        with catalog.writing() as connection:
            connection.execute(text("UPDATE meta SET value = :to WHERE name = 'version'"), {"to": version})
        with pytest.raises(CatalogTrouble, match=match), catalog.reading():
            pass
        if version == "0":
            assert bring_up(alfa, catalog).anew
    with pytest.raises(CatalogTrouble, match="version 99"):
        bring_up(alfa, catalog, anew=True)


def test_a_hostile_text_is_no_trouble_for_the_database(alliance: Alliance, opened: Opened) -> None:
    """NUL, very long names, format characters and SQL in names are stored, bounded, and break nothing."""
    alfa, catalog = alliance.nodes["ALFA"], opened()
    names = ["\0", "x" * 4_000, "\\N\t\n", "'; DROP TABLE things; --", "ß" * 1_500, "%s %(x)s ? :x"]
    components = [line(name, name[:9], f"pkg:pypi/{name}@1") for name in names]
    fields = bill(alfa, "s", "1", components=components, base_models=names)
    alfa.sign_and_append("bill-of-materials", (BASE,), fields, person="evaluator")
    bring_up(alfa, catalog)
    assert len(contents(catalog)["edges"]) == 12


@pytest.mark.parametrize("members", [["ALFA"] * 400, ["ß" * 3_000], ["x" * 500, "\0"] * 2, []])
def test_members_that_are_too_many_are_a_list_still(members: list[str]) -> None:
    """Whatever a use case names, what the tables hold of it is short and can be read; cut like a text, it was no list
    any more, and one decision on it ended every answer."""
    told = case_columns({"name": "n", "owner": "o", "criticality": 1, "members": members})[3]
    assert len(told) <= CATALOG_TEXT_BYTES_MAX
    assert all(isinstance(name, str) for name in json.loads(told))
    assert case_columns({"name": "n", "owner": "o", "criticality": 1, "members": ["A", "B"]})[3] == '["A", "B"]'


@pytest.mark.parametrize("kind", sorted(BARE))
def test_what_is_read_of_a_bare_kind_is_all_that_the_tables_hold(kind: str) -> None:
    """With the rest of its fields left unread, whatever they hold, the same rows follow."""
    own = ("components", "base_models", "datasets", "trained_on", "supplier", "support_until", "expires", "target")
    said = {"issuer": "ALFA", "made": "2026-01-31T12:00:00Z", "scope": ["BRAVO"], "after": None}
    subject = [{"name": "scout 1.0", "digest": {"sha256": "ab" * 32}}]
    payload = json.dumps({"predicate": said | dict.fromkeys(own, ""), "predicateType": urn(kind), "subject": subject})
    envelope = json.dumps({"payload": b64(payload.encode()), "signatures": [{"keyid": "k", "sig": ""}]}).encode()
    (whole, key), (bare, _) = reopen(envelope), reopen(envelope, BARE)
    assert (bare.predicate, whole.predicate["components"], key) == (said, "", "k")
    for follows in (sayings, scope_columns, end_row, notice_row, document_of, lambda of: list(parts(of))):
        assert follows(bare) == follows(whole)
    assert (bare.id, bare.subject) == (whole.id, (Subject("scout 1.0", "sha256:" + "ab" * 32),))


@given(st.text())
def test_a_bounded_text_is_short_and_stays_apart(name: str) -> None:
    """No text is longer than the bound in bytes, and what was cut does not equal what was not."""
    assert len(bounded(name * 300).encode()) <= CATALOG_TEXT_BYTES_MAX
    assert "\0" not in bounded(name)
    if "\0" not in name:
        assert bounded(name[:100]) == name[:100]


def test_a_url_of_another_database_is_refused(tmp_path: Path) -> None:
    """Only what is tested is offered; a password in a URL is not shown."""
    for url in ("mysql://x@y/z", "nonsense", "postgresql+nosuch://x@/z?host=/nowhere"):
        with pytest.raises(CatalogTrouble) as raised:
            open_catalog(url).reading().__enter__()
        assert "sqlalche" not in str(raised.value)
    assert "hush" not in open_catalog("postgresql://a:hush@h/d").where
    open_catalog(tmp_path / "c.db").close()
    assert (tmp_path / "c.db").stat().st_mode & 0o077 == 0

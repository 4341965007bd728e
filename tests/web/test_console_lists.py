"""Lists of the console read from a catalog, and the status page that is made outside of requests."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from alliance import RELEASE, notice_subject
from benchmarks.catalog.server import new_database
from catalog.conftest import cluster as cluster
from decisions import FIELDS

pytest.importorskip("starlette", reason="what `serve` needs is not installed")
pytest.importorskip("sqlalchemy", reason="sqlalchemy is not installed")
from web.consoled import GUEST, Consoled, consoled
from web.test_console_pages import INCIDENT, RECALL, TARGET, filled

from watchword.node import Node
from watchword.statements.statement import Subject
from watchword.web.console import knowledge
from watchword.web.console.holdings import FromCatalog, FromFiles

OTHER = Subject("Mailsort <b> 2.0", "sha256:" + "9d" * 32)


def stocked(alfa: Node) -> None:
    """Evidence on two releases, for some or for all; replies, a recall, an incident, and one whose word counts not."""
    made = []
    for subject in (RELEASE, OTHER):
        for scope in ("alliance", "own", ["BRAVO"], "public"):
            said = FIELDS["evaluation"]
            made.append(alfa.sign_and_append("evaluation", (subject,), said, person="evaluator", scope=scope))
    claim = next(one.statement.id for one in alfa.statements() if one.statement.kind == "claim")
    for one in (made[0].id, claim):
        reply = {"statement": one, "text": "we measured otherwise"}
        alfa.sign_and_append("reply", (Subject("statement", one),), reply, person="official")
    alfa.sign_and_append("bill-of-materials", (OTHER,), FIELDS["bill-of-materials"], person="evaluator")
    alfa.sign_and_append("recall", notice_subject(TARGET), RECALL, person="official")
    alfa.sign_and_append("incident", notice_subject(TARGET), INCIDENT, person="commander")
    retract = {"target": f"statement:{made[0].id}", "reason": "wrong data"}
    alfa.sign_and_append("retract", notice_subject(retract["target"]), retract, person="evaluator")
    alfa.publish()


def pages(console: Consoled) -> list[str]:
    ids = [one.statement.id for one in FromFiles(console.node, console.console.known().placed).placed]
    return [
        "/releases", "/releases?find=mailsort", "/releases?find=sha256:9d", "/releases?find=nothing", "/decisions",
        f"/releases/{RELEASE.digest}", f"/releases/{OTHER.digest}", "/evaluations", "/evaluations?page=2", "/recalls",
        "/ledgers/ALFA", "/ledgers/ALFA?kind=evaluation", "/ledgers/BRAVO", "/incidents", "/notices",
        *(f"/{what}/{id}" for id in ids for what in ("statements", "evaluations", "decisions", "incidents")),
    ]  # fmt: skip


def test_a_catalog_gives_the_same_pages_as_the_files() -> None:
    """For own people, for an ally and for nobody; what is not for one is neither shown nor counted.

    Seen to fail with every row ``to`` everybody.
    """
    with consoled(stocked) as console:

        def twins() -> dict[tuple[str, str], Any]:
            found = {}
            for who in ("own", "guest", "nobody"):
                console.cookie, console.certificate = "", GUEST if who == "guest" else None
                if who == "own":
                    console.as_person("official")
                for page in pages(console):
                    path, _, query = page.partition("?")
                    found[who, page] = console.get(f"{path}.json" + (f"?{query}" if query else "")).json
            return found

        before = twins()
        assert isinstance(console.console.known().held, FromFiles)
        filled(console)
        after = twins()
        assert isinstance(console.console.known().held, FromCatalog)
        for key, value in before.items():
            assert after[key] == value, key
        assert after["own", "/evaluations"]["paged"]["count"] == 8
        assert after["guest", "/evaluations"]["paged"]["count"] == 6
        assert [one["name"] for one in after["own", "/releases"]["releases"]] == [RELEASE.name, OTHER.name]


def test_a_catalog_on_a_server_gives_the_same_lists(cluster: Any, monkeypatch: Any) -> None:
    """PostgreSQL by URL; a server that had no catalog is asked again after a minute."""
    monkeypatch.setenv("WATCHWORD_CATALOG", new_database(str(cluster.folder), "console"))
    with consoled(stocked) as console:
        console.as_person("official")
        paths = ("/evaluations.json", "/releases.json", "/ledgers/ALFA.json", "/incidents.json", "/recalls.json")
        before = [console.get(path).json for path in paths]
        assert isinstance(console.console.known().held, FromFiles)
        filled(console)
        console.here.clock.advance(60)
        after = [console.get(path).json for path in paths]
        assert isinstance(console.console.known().held, FromCatalog)
        assert [one | {"as_of": ""} for one in before] == [one | {"as_of": ""} for one in after]


def test_a_page_read_from_the_catalog_reads_no_more_than_it_shows() -> None:
    """Of all bodies that the node holds, those on the page; a deleted catalog is gone with the next page."""
    with consoled(stocked) as console:
        console.sign_in()
        filled(console)
        held = console.node.store._held
        held.clear()
        assert console.get("/evaluations.json").json["paged"]["count"] == 8
        assert len(held) == 8
        (console.node.home / "catalog.db").unlink()
        assert console.get("/evaluations.json").json["paged"]["count"] == 8
        assert isinstance(console.console.known().held, FromFiles)


def test_a_status_page_that_is_being_made_again_says_neither_yes_nor_no(console: Consoled, monkeypatch: Any) -> None:
    """What came since may be bad news: until it is weighed the page says so, and waits for nobody.

    Seen to fail with ``fresh`` always true.
    """
    console.sign_in()
    assert console.status()["yes"]
    go, real = threading.Event(), knowledge.status

    def slow(of: Any) -> Any:
        assert go.wait(60)
        return real(of)

    monkeypatch.setattr(knowledge, "status", slow)
    console.node.take_loose(console.here.sign("BRAVO", "recall", notice_subject(TARGET), RECALL, "official"))
    page, twin = console.get("/status").text, console.get("/status.json").json
    assert "LOOKING" in page and "READY" not in page and "Something came since" in page
    assert (twin["yes"], twin["fresh"]) == (False, False)
    go.set()
    assert console.status()["verdict"] == "0 of 1 uses are admitted; 1 in trouble."


def test_a_status_page_that_cannot_be_made_is_trouble_and_not_yes(console: Consoled, monkeypatch: Any) -> None:
    """The first one is waited for; where it fails, the answer is that; the next asker tries again."""
    console.sign_in()
    real = knowledge.known

    def damaged(_: Any) -> Any:
        raise OSError("disk gone")

    monkeypatch.setattr(knowledge, "known", damaged)
    assert console.get("/status").status == 503
    monkeypatch.setattr(knowledge, "known", real)
    assert console.status()["yes"]

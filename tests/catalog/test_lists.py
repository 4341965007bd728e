"""Lists by page: each row on one page, in order, and nobody sees or counts what is not for him."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from catalog.stocked import bill, digest, entry, stock

from watchword.catalog import lists
from watchword.catalog.database import Catalog
from watchword.catalog.rows import Entry
from watchword.ledger.exchange import scope_allows
from watchword.statements.statement import Signed, Subject

Opened = Callable[[], Catalog]
SCOPES = ["public", "alliance", "own", ["BRAVO"], ["BRAVO", "CHARLIE"], ['x"BRAVO"y'], ["BRAVO2"], ["bravo"], 7, None]


def kept(place: int, scope: object, **more: object) -> Entry:
    one = entry(place, "inspection", Subject(f"s{place % 3} 1.0", digest(place % 3)), scope=scope, **more)
    return one._replace(keeper="ALFA" if place % 2 else "BRAVO")


STORY = [kept(n, SCOPES[n % len(SCOPES)], made=f"2026-01-{1 + n * 7 % 28:02}T00:00:00Z") for n in range(40)]


@pytest.mark.parametrize("to", ["BRAVO", "CHARLIE", 'x"BRAVO"y', "DELTA", None, lists.EVERYTHING])
def test_each_reader_sees_what_its_scope_allows(opened: Opened, to: str | None) -> None:
    """As the rule of exchanges says it, statement by statement; with the condition taken out, own statements show."""
    catalog = opened()
    stock(catalog, STORY)
    allowed = {
        one.locator for one in STORY
        if to == lists.EVERYTHING or scope_allows(Signed(one.statement, "", b"", b""), to)
    }  # fmt: skip
    with catalog.reading() as connection:
        found = lists.statements(connection, to=to)
        listed = {one.locator for number in range(3) for one in lists.about(connection, digest(number), to=to).rows}
        by_kind, rows = lists.kinds(connection, to=to), lists.releases(connection, to=to).rows
        one = lists.statement(connection, STORY[2].statement.id, to=to)
    assert {one.locator for one in found.rows} == listed == allowed
    assert found.count == sum(by_kind.values()) == sum(row.statements for row in rows) == len(allowed)
    assert (one is None) == (to != lists.EVERYTHING)


def test_pages_follow_each_other(opened: Opened) -> None:
    """Newest first; every statement on one page, whatever is asked for; past the last is nothing."""
    catalog = opened()
    stock(catalog, [*STORY, entry(99, "review", Subject("x", digest(9)), counts=False, issuer="BRAVO")])
    with catalog.reading() as connection:
        pages = [lists.statements(connection, page=page, rows=9) for page in range(1, 7)]
        kept_here = lists.statements(connection, keeper="ALFA", kind="inspection", rows=500)
        assert lists.statements(connection, issuer="BRAVO", counts=False).rows[0].locator == "ALFA#99"
        assert lists.statements(connection, kind="review", counts=True).count == 0
        assert lists.issuers(connection) == {"ALFA": 40}
        assert lists.kinds(connection, keeper="BRAVO") == {"inspection": 20}
    seen = [one for page in pages for one in page.rows]
    assert [page.count for page in pages] == [41] * 6
    assert len({one.locator for one in seen}) == 41
    assert [(one.made, one.place) for one in seen] == sorted(((one.made, one.place) for one in seen), reverse=True)
    assert {one.place for one in kept_here.rows} == set(range(1, 40, 2))


def test_releases_are_found_by_what_their_name_contains(opened: Opened) -> None:
    """Signs of patterns are letters like others; a digest may be cut short."""
    catalog = opened()
    names = ["Recon 50%", "recon-5000", "under_score", "underXscore", "Ärger"]
    claims = [
        entry(50, "claim", Subject("recon-5000 1.0", digest(1)), issuer="AQUILA", system="recon-5000", release="1.0",
              support_until="2026-03-01T00:00:00Z", trained_on=[]),
    ]  # fmt: skip
    stock(catalog, [*(bill(n, name, n) for n, name in enumerate(names)), *claims])
    with catalog.reading() as connection:

        def found(text: str) -> list[str]:
            page = lists.releases(connection, find=text)
            assert page.count == len(page.rows)
            return [one.release.system for one in page.rows]

        assert found("0%") == ["Recon 50%"]
        assert found("r_s") == ["under_score"]
        assert found("RECON") == ["Recon 50%", "recon-5000"]
        assert found("ärg") == ["Ärger"]
        assert found(digest(2)) == ["under_score"]
        assert found(digest(2)[:40]) == ["Recon 50%", "recon-5000", "under_score", "underXscore", "Ärger"]
        (one,) = lists.releases(connection, supplier="AQUILA").rows
        assert (one.release.name, one.suppliers, one.statements) == ("recon-5000 1.0", ("AQUILA",), 2)
        assert [one.release.system for one in lists.releases(connection, page=2, rows=2).rows] == [
            "under_score", "underXscore",
        ]  # fmt: skip
        (end,) = lists.ending(connection, "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z")
        assert (end.what, end.until, end.told.locator) == (
            "support of recon-5000 1.0", "2026-03-01T00:00:00Z", "ALFA#50",
        )  # fmt: skip
        assert not lists.ending(connection, "2026-03-01T00:00:01Z", "2026-04-01T00:00:00Z")

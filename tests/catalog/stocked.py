"""Catalogs written straight into the tables: things and what they are in, without a ledger behind them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from watchword.catalog.database import Catalog, begin_anew, make_indexes
from watchword.catalog.fill import Filling, Position
from watchword.catalog.rows import Entry
from watchword.statements.statement import Statement, Subject

SCOPE = {"made": "2026-01-31T12:00:00Z", "scope": "alliance"}


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def entry(place: int, kind: str, subject: Subject, counts: bool = True, **said: object) -> Entry:
    """A statement as if it had stood at *place*; ``case``: the use case of a decision."""
    case = said.pop("case", None)
    predicate = {"issuer": "ALFA", **SCOPE, **said}
    statement = Statement(kind, (subject,), predicate, json.dumps([place, kind, predicate]).encode())
    return Entry(statement, "key", "alfa.example/ledger", place, f"ALFA#{place}", counts, case)  # type: ignore[arg-type]


def bill(place: int, system: str, number: int, *components: str, base: Sequence[str] = (), data: Sequence[int] = ()) -> Entry:  # noqa: E501
    """A bill of the release *system* 1.0 of digest *number*: components are purls, or numbers of digests."""
    rows = [
        {"name": one.rpartition("/")[2], "version": "", "purl": one, "digest": None}
        if one.startswith("pkg:")
        else {"name": f"file-{one}", "version": "", "purl": None, "digest": digest(int(one))}
        for one in components
    ]
    sets = [{"name": f"set {one}", "digest": digest(one)} for one in data]
    subject = Subject(f"{system} 1.0", digest(number))
    told = {"system": system, "release": "1.0", "components": rows, "base_models": list(base), "datasets": sets}
    return entry(place, "bill-of-materials", subject, document={"commitment": digest(10**6)}, **told)


def admission(place: int, system: str, number: int, use: str, verdict: str = "admitted", made: str = SCOPE["made"]) -> Entry:  # noqa: E501
    """A decision on that release for a use case."""
    case = {"name": use, "owner": "ALFA", "criticality": 1, "members": ["ALFA", "BRAVO"]}
    decision = {"use_case": f"case {use}", "verdict": verdict}
    return entry(place, "decision", Subject(f"{system} 1.0", digest(number)), decision=decision, case=case, made=made)


def stock(catalog: Catalog, entries: Sequence[Entry]) -> None:
    """Fill a catalog with these."""
    with catalog.writing() as connection:
        begin_anew(connection)
        filling = Filling(connection)
        filling.take(entries)
        filling.end(Position({}, set()), {"member": "ALFA", "charter": "c", "spilled": "s"}, lambda _: None)
        make_indexes(connection)

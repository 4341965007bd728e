"""A catalog of 100,000 releases with 10,000,000 component edges, on SQLite and PostgreSQL; and how quick one is filled.

    python -m benchmarks catalog

Exposure and pages: the rows are drawn from a seed and written straight into the tables; each figure is the wall time of
what a command or page asks, the median of several, with a connection of its own. Filling: real statements of real
nodes, signatures verified before; CPU time of a rebuild.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.catalog.server import installed, new_database, private_server
from benchmarks.quick_disk import quick_disk
from benchmarks.table import Row

RELEASES, PER_RELEASE, PACKAGES, VERSIONS = 100_000, 100, 20_000, 10
MODELS, SUPPLIERS, USES, STATEMENTS = 2_000, 200, 5_000, 4_000
ORIGIN, NOW = "alfa.example/ledger", datetime(2026, 6, 1, tzinfo=UTC)


def run() -> list[Row]:
    """The figures."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = _stated(folder)
        rows.append(_rebuilt("SQLite", home, folder / "small.db"))
        rows += _asked("SQLite", folder / "big.db")
        if installed():
            with private_server() as server:
                rows.append(_rebuilt("PostgreSQL", home, new_database(str(server.folder), "small")))
                rows += _asked("PostgreSQL", new_database(str(server.folder), "big"))
    return rows


def _asked(database: str, where: Path | str) -> list[Row]:
    from watchword.account.recalled import hit_in_catalog
    from watchword.catalog import lists, queries
    from watchword.catalog.database import open_catalog

    catalog = open_catalog(where)
    started = time.perf_counter()
    edges = write(catalog)
    rows = [Row(f"{database}, {edges:,} edges written", time.perf_counter() - started, "s")]

    def timed(what: str, goal_s: float, ask: Callable[[Any], Any], shown: Callable[[Any], str]) -> None:
        took = []
        for _ in range(5):
            begun = time.perf_counter()
            with catalog.reading() as connection:
                found = ask(connection)
            took.append(time.perf_counter() - begun)
        took_s = statistics.median(took)
        unit, scale = ("s", 1) if goal_s >= 1 else ("ms", 1000)
        goal = f"< {goal_s * scale:g} {unit}"
        note = f"{shown(found)}; median of 5, slowest {max(took) * scale:.3g} {unit}"
        rows.append(Row(f"{database}, {what}", took_s * scale, unit, goal, took_s < goal_s, note=note))

    for what, asked in (
        ("a rare version", "pkg:pypi/p19999@1.3.0"), ("every version of a common package", "pkg:pypi/p0"),
        ("a base model", "model:m0"), ("a supplier", "supplier:S7"),
    ):  # fmt: skip
        timed(
            f"exposure to {what}, full list", 1.0,
            partial(_exposed, asked),
            lambda found: f"{found.releases_total:,} releases, {len(found.uses):,} uses",
        )  # fmt: skip
    timed("first page of releases", 0.15, queries.releases, lambda page: f"{len(page.releases)} of {RELEASES:,}")
    after = f"system-{RELEASES // 2:06} 1.0\n"
    timed("a page far down", 0.15, lambda c: queries.releases(c, after=after), lambda page: page.releases[0].name)
    timed(
        "releases of a supplier", 0.15, lambda c: queries.releases(c, supplier="S7"),
        lambda page: f"{len(page.releases)} shown",
    )  # fmt: skip
    timed("page of a release", 0.15, lambda c: queries.release(c, _digest(77)), lambda f: f"{f.parts_total} parts")
    timed(
        "page of a base model's release", 0.15, lambda c: queries.release(c, _digest(0)),
        lambda found: f"in {found.used_in_total:,} releases",
    )  # fmt: skip
    for what, ask in (
        ("page of all statements", partial(lists.statements, page=500)),
        ("page of a member's statements, one kind, for another", partial(lists.statements, keeper="ALFA", **_BRAVO)),
        ("page of decisions", partial(lists.statements, kind="decision", counts=True, page=20)),
        ("numbered page of releases", partial(lists.releases, page=500)),
        ("releases whose name contains", partial(lists.releases, find="9999")),
    ):
        timed(what, 0.15, ask, lambda page: f"{len(page.rows)} of {page.count:,}")
    for what, target in (
        ("a package", "package:pkg:pypi/p0"), ("a base model", "model:m0"), ("a supplier", "supplier:S7"),
    ):  # fmt: skip
        recall = {"target": target, "versions": []}
        hit = partial(hit_in_catalog, recall=recall, member="ALFA", moment=NOW, sizes={ORIGIN: RELEASES + USES})
        timed(f"recall of {what}, full list of own releases", 1.0, hit, lambda hits: f"{len(hits):,} hit")
    catalog.close()
    return rows


_BRAVO: dict[str, Any] = {"kind": "bill-of-materials", "to": "BRAVO", "page": 500}


def _exposed(asked: str, connection: Any) -> Any:
    from watchword.account.exposure import exposure, wanted

    return exposure(connection, asked, [wanted(asked)], chains=20)


def write(catalog: Any) -> int:
    """Write that catalog straight into the tables; how many edges it has."""
    import numpy as np

    from watchword.catalog import schema
    from watchword.catalog.database import begin_anew, make_indexes
    from watchword.catalog.fill import Filling, Position, put
    from watchword.catalog.rows import Thing, release_of, thing_row

    draw = np.random.default_rng(7)
    components = PACKAGES * VERSIONS
    # Things: components first, then base models, suppliers, releases; numbers of all begin at 1.
    models, suppliers = components + 1, components + MODELS + 1
    first = suppliers + SUPPLIERS
    # A few packages are in nearly everything, most in little.
    picked = (components * draw.random((RELEASES, PER_RELEASE)) ** 3).astype(np.int64)
    parents = np.repeat(np.arange(first, first + RELEASES), PER_RELEASE)
    pairs = np.unique(np.stack([picked.ravel() + 1, parents], axis=1), axis=0)
    base = models + (MODELS * draw.random(RELEASES) ** 2).astype(np.int64)
    releases = np.arange(first, first + RELEASES)
    of = suppliers + releases % SUPPLIERS
    pairs = np.concatenate([pairs, np.stack([base, releases], axis=1), np.stack([of, releases], axis=1)])
    with catalog.writing() as connection:
        begin_anew(connection)
        filling = Filling(connection)
        put(connection, schema.THINGS, [thing_row(n + 1, _component(n)) for n in range(components)])
        put(connection, schema.THINGS, [thing_row(models + n, Thing("model", f"m{n}")) for n in range(MODELS)])
        put(connection, schema.THINGS, [thing_row(suppliers + n, Thing("supplier", f"S{n}")) for n in range(SUPPLIERS)])
        put(connection, schema.THINGS, [thing_row(first + n, release_of(_digest(n))) for n in range(RELEASES)])
        for at in range(0, len(pairs), 500_000):
            part = pairs[at : at + 500_000]
            numbers = part[:, 1] - first + 1
            columns = (part[:, 0], part[:, 1], numbers)
            put(connection, schema.EDGES, list(zip(*(column.tolist() for column in columns), strict=True)))
        # The first releases are the base models themselves, under their names.
        systems = [f"m{n}" if n < MODELS else f"system-{n:06}" for n in range(RELEASES)]
        put(connection, schema.STATEMENTS, [_statement(n, "bill-of-materials") for n in range(RELEASES)])
        put(connection, schema.SUBJECTS, [(n + 1, 0, _digest(n), f"{systems[n]} 1.0") for n in range(RELEASES)])
        put(connection, schema.SAID, [
            (first + n, n + 1, f"{systems[n]} 1.0", systems[n], systems[n], f"{systems[n]} 1.0", "1.0",
             f"S{(first + n) % SUPPLIERS}", 1, False)
            for n in range(RELEASES)
        ])  # fmt: skip
        last = RELEASES + 1
        every = RELEASES // USES
        put(connection, schema.STATEMENTS, [_statement(RELEASES + n, "decision") for n in range(USES)])
        put(connection, schema.SUBJECTS, [
            (last + n, 0, _digest(n * every), f"{systems[n * every]} 1.0") for n in range(USES)
        ])  # fmt: skip
        put(connection, schema.USES, [
            (last + n, first + n * every, f"case {n % 100}", f"use {n % 100}", "ALFA", 1, "[]", "admitted")
            for n in range(USES)
        ])  # fmt: skip
        filling.end(Position({}, set()), {"member": "ALFA", "charter": "c", "spilled": "s"}, lambda _: None)
        make_indexes(connection)
    return len(pairs)


def _component(number: int) -> Any:
    from watchword.catalog.rows import component

    name, version = f"p{number // VERSIONS}", f"1.{number % VERSIONS}.0"
    return component(name, version, f"pkg:pypi/{name}@{version}", "")


def _statement(place: int, kind: str) -> tuple[Any, ...]:
    digest, made = _digest(10**9 + place), f"2026-01-{1 + place % 28:02}T12:00:00Z"
    return (
        place + 1, digest, ORIGIN, place, f"ALFA#{place}", kind, "ALFA", "key", made, True,
        "ALFA", 1, "",
    )  # fmt: skip


def _digest(number: int) -> str:
    return f"sha256:{number:064x}"


def _stated(folder: Path) -> Path:
    """The folder of a node with statements, in the mix of kinds that a release brings."""
    from benchmarks.no_notice import INSPECTION, NOON
    from watchword import node
    from watchword.charter.charter import CharterFile, parse_charter
    from watchword.charter.draft import draft
    from watchword.node import Node
    from watchword.policy.pack import read_pack
    from watchword.statements.statement import Subject
    from watchword.statements.times import FixedClock, rfc3339

    clock, secret, home = FixedClock(NOON), os.urandom(32), folder / "ALFA"
    people = {"official": ["official", "evaluator", "commander", "steward"]}
    enrolment = node.create(home, "ALFA", "ALFA", people, "alfa.example", None)
    rules: dict[str, Any] = {"requirements": [], "red_lines": [], "standing": read_pack(None).standing}
    charter = parse_charter(draft("Benchmark", [enrolment], [], **rules, secret=secret, made=rfc3339(NOON)))
    node.adopt(home, CharterFile(charter, (node.ratify(home, charter, clock)[1],)), secret, clock)
    bill = {"format": "CycloneDX 1.6", "base_models": ["m0"], "datasets": []}
    with quick_disk(), Node.open(home, clock=clock, writing=True) as here:
        document = here.attach("bill.json", "application/json", b"{}")
        for number in range(STATEMENTS // 4):
            subject = (Subject(f"system-{number} 1.0", _digest(number)),)
            rows = [
                {"name": f"p{n}", "version": "1.0", "purl": f"pkg:pypi/p{n}@1.0", "digest": None}
                for n in range(number % 7, number % 7 + 5)
            ]
            told = {"system": f"system-{number}", "release": "1.0", "components": rows, "document": document}
            for _ in range(2):
                here.sign_and_append("inspection", subject, INSPECTION)
            here.sign_and_append("bill-of-materials", subject, bill | told)
            of = {"name": subject[0].name, "digest": subject[0].digest}
            made = {"use_case": _digest(number % 9), "verdict": "admitted", "subject": of}
            here.sign_and_append("decision", subject, {"decision": made})
        here.publish()
    return home


def _rebuilt(database: str, home: Path, where: Path | str) -> Row:
    """CPU time of a rebuild, in this process, from what that node holds and verified as it was made."""
    from benchmarks.no_notice import NOON
    from watchword.catalog.database import open_catalog
    from watchword.node import Node
    from watchword.node.cataloguing import bring_up
    from watchword.statements.times import FixedClock

    catalog, rate = open_catalog(where), 0.0
    with Node.open(home, clock=FixedClock(NOON)) as here:
        for _ in range(6):
            begun = time.process_time()
            taken = bring_up(here, catalog, anew=True).taken
            rate = max(rate, taken / (time.process_time() - begun))
    catalog.close()
    note = f"{taken:,} statements: half inspections, a quarter bills of 5 components, a quarter decisions; best of 6"
    what = f"catalog rebuild, {database}, signatures verified before, of CPU time"
    if database == "PostgreSQL":
        return Row(what, rate, "/s", note=f"{note}; the server's own time is not counted")
    return Row(what, rate, "/s", "≥ 20,000/s", rate >= 20_000, note=note)

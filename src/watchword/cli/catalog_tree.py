"""The tree of ``watchword catalog`` and ``watchword exposure``. Imports argparse alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from watchword.cli.arguments import Sub, from_one_to, noun, verb
from watchword.limits import CATALOG_PAGE_MAX

COUNT_MAX = 1_000_000


def catalog_commands(commands: Sub) -> None:
    """``catalog`` with its verbs, and ``exposure``."""
    catalog = noun(commands, "catalog", "statements as tables: made from the ledgers, asked by other commands")
    update = verb(catalog, "update", "catalog:update", "take in what came since; begin where there is no catalog")
    rebuild = verb(catalog, "rebuild", "catalog:rebuild", "make the catalog anew from the ledgers")
    status = verb(catalog, "status", "catalog:status", "print what the catalog holds, and how far it is behind")
    text = "which releases and uses here are hit when a component, supplier, model or data set falls"
    exposure = verb(commands, "exposure", "exposure:run", text)
    text = "a purl, a digest, a name, or one such as component:…, model:…, dataset:…, supplier:…, release:…"
    exposure.add_argument("what", nargs="*", metavar="WHAT", help=text)
    text = "advisories in OSV's form, joined by package URL; WHAT, if given, are their ids"
    exposure.add_argument("--osv", type=Path, metavar="FILE|FOLDER", help=text)
    stops = exposure.add_argument("--stops", type=from_one_to(COUNT_MAX), metavar="K")
    stops.help = "the smallest set of components whose loss stops K admitted uses"
    text = "write a question to other members there: blinded, so that outsiders learn nothing"
    exposure.add_argument("--ask", type=Path, metavar="FILE", help=text)
    text = "answer such a question: yes or no, and how many uses where they are many"
    exposure.add_argument("--answer", type=Path, metavar="FILE", help=text)
    limit = exposure.add_argument("--limit", type=from_one_to(COUNT_MAX), default=CATALOG_PAGE_MAX, metavar="N")
    limit.help = f"list so many releases (default: {CATALOG_PAGE_MAX}); all are counted"
    for one in (update, rebuild, status, exposure):
        _database(one)


def _database(command: argparse.ArgumentParser) -> None:
    text = "the catalog's database (else $WATCHWORD_CATALOG, else catalog.db in the node's folder)"
    command.add_argument("--database", metavar="FILE|URL", help=text)

"""``watchword catalog``: make the tables from the ledgers, bring them up to date, say what they hold."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from watchword.cli.output import emit
from watchword.errors import WatchwordError
from watchword.node.cataloguing import begun, place_of

if TYPE_CHECKING:
    from watchword.catalog.database import Catalog
    from watchword.node import Node
    from watchword.node.cataloguing import Brought


class NoCatalog(WatchwordError):
    """The extra for catalogs is not installed."""


def opened(args: argparse.Namespace, home: Path) -> Catalog:
    """The catalog that *args* mean.

    Raises:
        NoCatalog: SQLAlchemy is not installed. CatalogTrouble: the database.
    """
    try:
        from watchword.catalog.database import open_catalog
    except ImportError as error:
        raise NoCatalog("a catalog needs SQLAlchemy", "pip install 'watchword[catalog]'") from error
    return open_catalog(place_of(home, args.database))


def bring_up(args: argparse.Namespace, home: Path, catalog: Catalog, *, anew: bool = False) -> Brought:
    """Bring the catalog up to what the node in *home* holds."""
    from watchword import node
    from watchword.node import cataloguing

    with node.Node.open(home, writing=False) as here:
        return cataloguing.bring_up(here, catalog, anew=anew)


def update(args: argparse.Namespace) -> int:
    """Take in what came since."""
    return _brought(args, anew=False)


def rebuild(args: argparse.Namespace) -> int:
    """Make it anew."""
    return _brought(args, anew=True)


def status(args: argparse.Namespace) -> int:
    """Say what it holds; exit 1 where it is behind the ledgers."""
    from watchword import node
    from watchword.catalog.queries import counts
    from watchword.node.cataloguing import behind

    home = node.find_home(args.home)
    catalog = opened(args, home)
    with node.Node.open(home, writing=False) as here, catalog.reading() as connection:
        late = behind(here, catalog, connection)
        held = counts(connection)
    catalog.close()
    lines = [f"{catalog.where}: {late or 'up to date'}", *(f"  {name:16} {number:,}" for name, number in held.items())]
    value = {"behind": late or None, "held": held, "schema": "watchword-catalog/1", "where": catalog.where}
    emit(args, "\n".join(lines), value)
    return 1 if late else 0


def follow(here: Node) -> None:
    """After statements came: bring the catalog up where one was begun. Its trouble is told, and stops nothing."""
    with begun(here):
        pass


def _brought(args: argparse.Namespace, *, anew: bool) -> int:
    from watchword import node

    home = node.find_home(args.home)
    catalog = opened(args, home)
    brought = bring_up(args, home, catalog, anew=anew)
    catalog.close()
    lines = [f"{catalog.where}: {brought.taken:,} statements taken in{', all anew' if brought.anew else ''}"]
    lines += [f"{brought.unread:,} leaves whose bodies are not held here"] if brought.unread else []
    value = {"anew": brought.anew, "schema": "watchword-catalog-filled/1", "taken": brought.taken}
    emit(args, "\n".join(lines), value | {"unread": brought.unread, "where": catalog.where})
    return 0

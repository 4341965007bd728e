"""The node's catalog, where it has one: pages with long lists are read from it, once it holds what the node holds.

* What came since is taken in before the first page that asks for it, once for each state of the node's disk.
* A catalog that would have to be filled anew (another charter, another version) is left alone: a page waits for no such
  thing, and says which command makes it.
* No catalog, no SQLAlchemy, a database in trouble: pages are read from the node's own files, or say why they cannot.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.errors import WatchwordError
from watchword.node.cataloguing import bring_up, place_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from watchword.catalog.database import Catalog
    from watchword.node.node import Node


AGAIN_S = 60
"""How long a database server that had no catalog, or was not there, is not asked for one."""


class NoShelf(WatchwordError):
    """This node has no catalog that holds what it holds."""


class Shelf:
    """The catalog of an open node; it may come, go and be made anew while the node is served."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._turn = threading.Lock()
        self._stamp: tuple[Any, ...] | None = None
        self._why: NoShelf | None = None
        self._catalog: tuple[tuple[Any, ...], Catalog] | None = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A reading of what the node holds now.

        Raises:
            NoShelf: it has none, or none that is up to date.
        """
        with self._turn:
            catalog = self._opened()
            self._bring_up(catalog)
        with catalog.reading() as connection:
            yield connection

    @property
    def mark(self) -> tuple[Any, ...]:
        """Changes where a catalog comes, goes or is made anew in another file; a server, when AGAIN_S are over."""
        place = place_of(self._node.home)
        return _file(place) if isinstance(place, Path) else (int(self._node.clock.monotonic() // AGAIN_S),)

    @property
    def there(self) -> bool:
        """Whether lists can be read from it now."""
        try:
            with self.reading():
                return True
        except WatchwordError:
            return False

    def _opened(self) -> Catalog:
        place, mark = place_of(self._node.home), self.mark
        if isinstance(place, Path) and not mark:
            raise NoShelf("this node has no catalog", "watchword catalog update")
        if self._catalog is not None and self._catalog[0] == (place, mark):
            return self._catalog[1]
        try:
            from watchword.catalog.database import open_catalog
        except ImportError as error:
            raise NoShelf("this node's catalog needs SQLAlchemy", "pip install 'watchword[catalog]'") from error
        if self._catalog is not None:
            self._catalog[1].close()
        self._catalog = (place, mark), open_catalog(place)
        return self._catalog[1]

    def _bring_up(self, catalog: Catalog) -> None:
        stamp = (*self._node.stamp(), self.mark)
        if stamp != self._stamp:
            self._why = None
            try:
                bring_up(self._node, catalog, anew=None)
            except WatchwordError as error:
                self._why = NoShelf(error.message, error.hint)
            self._stamp = (*stamp[:-1], self.mark)
        if self._why is not None:
            raise self._why


def _file(path: Path) -> tuple[int, ...]:
    """Which file it is: one that was deleted and made again is another."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return ()
    return (found.st_ino,) if found.st_size else ()

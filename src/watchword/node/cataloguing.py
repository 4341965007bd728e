"""Bring a catalog up to what a node holds: what came since, or everything anew.

* Filled anew: by request; where no steps lead from an older version of the tables; under another charter, since
  standing follows from it; after a spill, since bodies are gone; where a ledger is not the one that was read. Else what
  came is read.
* A statement whose signature was verified here before is not verified again (``ledger.verified``); its body is
  compared with its commitment each time. No decision trusts a catalog.
* Another member's catalog is refused: a database is one member's.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.catalog.rows import BARE, Entry, document_of
from watchword.charter.charter import KeyHolder
from watchword.charter.standing import NoStanding, holder_of
from watchword.errors import WatchwordError
from watchword.ledger.leaves import Leaf, leaf_of
from watchword.ledger.notices import BadName
from watchword.limits import CATALOG_CASES_KEPT_MAX
from watchword.node.recorded import DamagedHome
from watchword.observe import steps
from watchword.statements.digests import is_digest
from watchword.statements.statement import Statement, reopen

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from watchword.catalog.database import Catalog
    from watchword.catalog.fill import Places, Position
    from watchword.node.node import Node
    from watchword.node.store import Store


NAME = "catalog.db"
ENVIRONMENT = "WATCHWORD_CATALOG"


@dataclass(frozen=True)
class Brought:
    """What was done: how many statements were taken in, whether all ``anew``, and how many bodies are not held."""

    taken: int
    anew: bool
    unread: int


def place_of(home: Path, named: str | None = None) -> Path | str:
    """The catalog of the node in *home*: a file, or a URL; *named* goes first, then the environment."""
    named = named or os.environ.get(ENVIRONMENT) or ""
    return named if "://" in named else Path(named) if named else home / NAME


@contextmanager
def begun(here: Node) -> Iterator[Connection | None]:
    """The catalog of *here* brought up to what it holds; None where none was begun, or it is in trouble, which is
    told: then what it knows is looked for in the ledgers."""
    place = place_of(here.home)
    if isinstance(place, Path) and not place.exists():
        yield None
        return
    with ExitStack() as open_:
        connection = None
        try:
            from watchword.catalog.database import open_catalog

            catalog = open_catalog(place)
            open_.callback(catalog.close)
            bring_up(here, catalog)
            connection = open_.enter_context(catalog.reading())
        except ImportError:
            text = "note: the catalog was not brought up: it needs pip install 'watchword[catalog]'"
            steps.note("catalog-behind", text, alarm=True)
        except WatchwordError as error:
            said = steps.one_line(f"note: the catalog was not brought up: {error.message}")
            steps.note("catalog-behind", said, alarm=True)
        yield connection


def bring_up(node: Node, catalog: Catalog, *, anew: bool | None = False) -> Brought:
    """Bring *catalog* up to what *node* holds; with *anew* None, only where what came since is enough.

    Raises:
        CatalogTrouble: the database, or it is another member's or of a newer version; or it is to be filled anew.
        DamagedBody, StorageTrouble: what is held here is damaged; the catalog stays as it was.
    """
    from watchword.catalog.database import CatalogTrouble, begin_anew, make_indexes
    from watchword.catalog.fill import Filling, Position, position
    from watchword.catalog.steps import step_up

    store = node.store
    facts = _facts(node)
    with node.mutex, _uncollected(), catalog.writing() as connection:
        known = catalog.facts(connection)
        if known and known["member"] != facts["member"]:
            raise CatalogTrouble(
                f"{catalog.where}: the catalog of {known['member']}, not of {facts['member']}",
                "each member keeps its own, in a database of its own",
            )
        version = known.pop("version", "")
        was = position(connection) if known == facts and step_up(connection, version) else None
        if anew or was is None or not _goes_on(store, was):
            if anew is None:
                raise CatalogTrouble(f"{catalog.where}: is to be filled anew", "watchword catalog update")
            anew, was = True, Position({}, set())
            begin_anew(connection)
        filling = Filling(connection)
        if not anew:
            filling.take_late(_late(store, connection))
        reached, unread = dict(was.ledgers), set[tuple[str, int]]()
        filling.take(_entries(store, was, reached, unread, node.locator))
        filling.take(_loose(store))
        filling.end(Position(reached, unread), facts, partial(use_case, store))
        if anew:
            make_indexes(connection)
        return Brought(filling.taken, bool(anew), len(unread))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Rows refer to nothing that refers to them: to look for such rings, among all that is open, costs a twentieth."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def behind(node: Node, catalog: Catalog, connection: Connection) -> str:
    """Why an update would change *catalog*, in words; empty where it holds all that *node* does.

    Raises:
        CatalogTrouble: it is another member's or of a newer version.
    """
    from watchword.catalog.fill import position
    from watchword.catalog.schema import VERSION

    store, facts = node.store, _facts(node)
    if catalog.facts(connection) != facts | {"version": str(VERSION)}:
        return "made under another charter, or before a spill"
    was = position(connection)
    if not _goes_on(store, was):
        return "made from other ledgers than are held here"
    read = {origin: size for origin, (size, _) in was.ledgers.items()}
    fresh = sum(max(len(store.leaves(one)) - read.get(one, 0), 0) for one in store.charter.known_origins)
    return f"{fresh:,} leaves behind the ledgers" if fresh else ""


def _facts(node: Node) -> dict[str, str]:
    """What a catalog of this node says of itself; where it says otherwise, it is filled anew."""
    spilled = sha256(b"".join(sorted(node.store.spilled()))).hexdigest()
    return {"charter": node.charter.digest, "member": node.member, "spilled": spilled}


def _goes_on(store: Store, was: Position) -> bool:
    """Whether the ledgers held are those that were read, and more."""
    for origin, (size, last) in was.ledgers.items():
        leaves = store.leaves(origin) if origin in store.charter.known_origins else ()
        # A reader does not see the tail that the writer has not published yet.
        if 0 < size <= len(leaves) and leaves[size - 1].commitment.hex() != last:
            return False
    return True


def _entries(
    store: Store, was: Position, reached: dict[str, tuple[int, str]], unread: Places, locator: Any
) -> Iterator[Entry]:
    """Every statement that was not read, in order of (origin, place); what was, and what could not be, is noted."""
    held, spilled = store.bodies.all(), store.spilled()
    holders: dict[tuple[str, str, str], KeyHolder] = {}
    case_of = lru_cache(CATALOG_CASES_KEPT_MAX)(partial(use_case, store))
    again: dict[str, list[int]] = {}
    for origin, place in sorted(was.unread):
        again.setdefault(origin, []).append(place)
    for origin in store.charter.known_origins:
        leaves, keeper = store.leaves(origin), store.charter.origins[origin].member.name
        start, label = was.ledgers.get(origin, (0, ""))[0], locator(origin, 0).removesuffix("0")
        if len(leaves) > start:
            reached[origin] = len(leaves), leaves[-1].commitment.hex()
        for place in (*again.get(origin, ()), *range(start, len(leaves))):
            if place >= len(leaves):
                unread.add((origin, place))
                continue
            leaf = leaves[place]
            if leaf.commitment.hex() not in held:
                if leaf.commitment not in spilled:
                    unread.add((origin, place))
                continue
            statement, key, counts = _read(store, origin, place, leaf, holders)
            case, document = _case(case_of, statement), None
            if counts and (named := document_of(statement)) in held:
                document = _document(store, named)
            yield Entry(statement, key, origin, place, f"{label}{place}", counts, case, keeper, document)


def _late(store: Store, connection: Connection) -> Iterator[tuple[int, Entry]]:
    """The bills whose documents came since, or were not looked for before, by their numbers."""
    from watchword.catalog.schema import WAITING

    waiting = connection.execute(WAITING.select()).all()
    held = store.bodies.all() if waiting else set()
    for number, origin, place, named in waiting:
        if named == "" or named in held:
            statement, key, counts = _read(store, origin, place, store.leaves(origin)[place], {})
            document = _document(store, document_of(statement))
            yield number, Entry(statement, key, origin, place, "", counts, document=document)


def _document(store: Store, commitment: str) -> bytes | None:
    found = store.bodies.get(bytes.fromhex(commitment))
    return None if found is None else found[1]


def _read(
    store: Store, origin: str, place: int, leaf: Leaf, holders: dict[tuple[str, str, str], KeyHolder]
) -> tuple[Statement, str, bool]:
    """The statement of a leaf whose body is held, the key that it names, and whether it counts there.

    Args:
        holders: whom keys were found to be, by key, issuer and kind: it hangs on nothing else.
    """
    body = store.bodies.get(leaf.commitment) if leaf.commitment in store.verified else None
    if body is None:
        held = store.held(leaf.commitment)
        if held is None:
            raise DamagedHome(f"{origin}, leaf {place}: its body went away while it was read", "try again")
        statement, key, holder = held.signed.statement, held.signed.key_id, held.holder
    else:
        statement, key = reopen(body[1], BARE)
        who = key, statement.issuer, statement.kind
        holder = holders.get(who)
        if holder is None:
            with suppress(NoStanding):
                holder = holders[who] = holder_of(store.charter, statement, key, in_ledger=True)
    if holder is None or not holder.reaches(origin, place):
        return statement, key, False
    try:
        return statement, key, leaf_of(statement, leaf.commitment, store.secret).blinded == leaf.blinded
    except BadName:
        return statement, key, False


def _loose(store: Store) -> Iterable[Entry]:
    """What counts from any channel; also where it stands in a ledger too, since its leaf may not be seen by all."""
    return [
        Entry(held.signed.statement, held.signed.key_id, "", place, "", True)
        for place, held in enumerate(store.loose_held())
    ]


def _case(case_of: Callable[[str], Mapping[str, Any] | None], statement: Statement) -> Mapping[str, Any] | None:
    """The use case that a decision names, where it is held."""
    if statement.kind != "decision":
        return None
    return case_of(str(statement.predicate["decision"].get("use_case")))


def use_case(store: Store, digest: str) -> Mapping[str, Any] | None:
    """A use case by its digest; None where it is not held, or is none."""
    value = store.object(digest) if is_digest(digest) else None
    if not isinstance(value, dict) or not {"members", "criticality", "name", "owner"} <= value.keys():
        return None
    return value if isinstance(value["members"], list) and isinstance(value["criticality"], int) else None

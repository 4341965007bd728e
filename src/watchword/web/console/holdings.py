"""What pages ask of all that a node holds, in two ways with the same answers: from its files, or from its catalog.

* ``FromFiles`` has every statement in memory: right for thousands, and the only way without a catalog.
* ``FromCatalog`` asks the catalog where something stands, and reads only those bodies that a page shows.
* Order is that of the time that statements give, then place, then origin, newest first. What a reader may not see is
  neither shown nor counted.
* A release is listed under the name that evidence or a decision gives it; a catalog goes by evidence alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from watchword.account.beside import NOTHING_BESIDE, Beside, beside
from watchword.account.status import Use, uses_of
from watchword.charter.charter import KeyHolder
from watchword.ledger.exchange import scope_allows
from watchword.limits import CONSOLE_ROWS
from watchword.statements.digests import DJ
from watchword.statements.statement import Signed, Statement
from watchword.web.console.access import Reader
from watchword.web.console.shelf import Shelf

if TYPE_CHECKING:
    from watchword.catalog.queries import Told, Used
    from watchword.node.node import Node

NAMING = ("claim", "bill-of-materials", "inspection", "evaluation", "decision", "endpoint")
"""The kinds that name releases, in the order in which their words go."""


@dataclass(frozen=True)
class Placed:
    """A statement held in a shared ledger: where, and whose key made it where it has standing."""

    signed: Signed
    holder: KeyHolder | None
    origin: str
    index: int
    locator: str

    @property
    def statement(self) -> Statement:
        return self.signed.statement

    def is_for(self, reader: Reader, member: str) -> bool:
        """Whether its scope lets *reader* see it: the own people see what the node holds."""
        return reader.member == member or scope_allows(self.signed, reader.member)


@dataclass(frozen=True)
class UsedFor:
    """For what a release was decided on: the newest decision. ``use``: the digest of the use case."""

    use: str
    name: str
    owner: str
    verdict: str
    by: str
    decided: str


@dataclass(frozen=True)
class Listed:
    """A release in a list: who claims it, how many statements about it the reader may see."""

    digest: str
    name: str
    suppliers: tuple[str, ...]
    statements: int
    uses: tuple[UsedFor, ...]


class Holdings(Protocol):
    """What is held, as pages ask for it."""

    def find(self, id: str) -> Placed | None:
        """The statement of this id."""

    def of_kinds(self, kinds: Collection[str]) -> list[Placed]:
        """Every statement of these kinds, newest first, with standing or without."""

    def about(self, digest: str) -> list[Placed]:
        """Statements with standing, notices apart, with this subject; newest first."""

    def against(self, name: str) -> list[Placed]:
        """Statements whose target is this name, newest first."""

    def page(self, reader: Reader, page: int, *, kind: str = "", keeper: str = "") -> tuple[list[Placed], int]:
        """One page for *reader*, and how many there are: of one *kind*, in a member's ledgers or all with standing."""

    def kinds(self, reader: Reader, keeper: str) -> list[str]:
        """The kinds of statements in the ledgers of *keeper* that *reader* may see."""

    def name_of(self, digest: str) -> str | None:
        """What a release is called, if anything is said about it."""

    def releases(self, reader: Reader, find: str, page: int) -> tuple[list[Listed], int]:
        """One page of the releases whose name contains *find*, or whose digest begins so; and how many there are."""

    def uses(self, digest: str) -> list[UsedFor]:
        """For what a release was decided on."""

    def beside(self, id: str) -> Beside:
        """Replies and markings of a statement."""


def newest_first(placed: Iterable[Placed]) -> list[Placed]:
    """By the time they say they were made; of one second, the later in its ledger first."""
    return sorted(
        placed, key=lambda one: (str(one.statement.predicate.get("made", "")), one.index, one.origin), reverse=True
    )


@dataclass
class FromFiles:
    """All that *node* holds, read once."""

    node: Node
    placed: Sequence[Placed]

    @cached_property
    def by_id(self) -> dict[str, Placed]:
        return {one.statement.id: one for one in self.placed}

    @cached_property
    def names(self) -> dict[str, str]:
        """Names of releases by digest."""
        found: dict[str, str] = {}
        for kind in NAMING:
            for one in self.placed:
                if one.holder is not None and one.statement.kind == kind:
                    for subject in one.statement.subject:
                        found.setdefault(subject.digest, subject.name)
        return dict(sorted(found.items(), key=lambda pair: (pair[1].casefold(), pair[0])))

    @cached_property
    def _about(self) -> dict[str, list[Placed]]:
        found: dict[str, list[Placed]] = {}
        for one in newest_first(self.placed):
            if one.holder is not None and "target" not in one.statement.predicate:
                for subject in one.statement.subject:
                    found.setdefault(subject.digest, []).append(one)
        return found

    @cached_property
    def _beside(self) -> dict[str, Beside]:
        return beside(self.node.charter, [one.statement for one in self.placed if one.holder is not None])

    @cached_property
    def used(self) -> tuple[Use, ...]:
        """The newest decision on each release and use case that is held."""
        decisions = [
            (one.locator, one.statement)
            for one in self.placed if one.holder is not None and one.statement.kind == "decision"
        ]  # fmt: skip
        named = {str(statement.predicate["decision"].get("use_case")) for _, statement in decisions}
        cases = {digest: value for digest in named if (value := self.node.store.object(digest)) is not None}
        return uses_of(decisions, cases)

    def find(self, id: str) -> Placed | None:
        return self.by_id.get(id)

    def of_kinds(self, kinds: Collection[str]) -> list[Placed]:
        return newest_first(one for one in self.placed if one.statement.kind in kinds)

    def about(self, digest: str) -> list[Placed]:
        return self._about.get(digest, [])

    def against(self, name: str) -> list[Placed]:
        return newest_first(one for one in self.placed if one.statement.predicate.get("target") == name)

    def page(self, reader: Reader, page: int, *, kind: str = "", keeper: str = "") -> tuple[list[Placed], int]:
        origins = self._origins(keeper)
        wanted = [
            one for one in self.placed
            if one.is_for(reader, self.node.member) and kind in ("", one.statement.kind)
            and (one.origin in origins if keeper else one.holder is not None)
        ]  # fmt: skip
        return newest_first(wanted)[CONSOLE_ROWS * (page - 1) : CONSOLE_ROWS * page], len(wanted)

    def kinds(self, reader: Reader, keeper: str) -> list[str]:
        origins = self._origins(keeper)
        seen = (one for one in self.placed if one.origin in origins and one.is_for(reader, self.node.member))
        return sorted({one.statement.kind for one in seen})

    def name_of(self, digest: str) -> str | None:
        return self.names.get(digest)

    def releases(self, reader: Reader, find: str, page: int) -> tuple[list[Listed], int]:
        start = find if find.startswith("sha256:") else "sha256:no"
        wanted = [one for one in self.names if find.lower() in self.names[one].lower() or one.startswith(start)]
        rows = []
        for digest in wanted[CONSOLE_ROWS * (page - 1) : CONSOLE_ROWS * page]:
            about = [one for one in self.about(digest) if one.is_for(reader, self.node.member)]
            suppliers = sorted({one.statement.issuer for one in about if one.statement.kind == "claim"})
            rows.append(Listed(digest, self.names[digest], tuple(suppliers), len(about), tuple(self.uses(digest))))
        return rows, len(wanted)

    def uses(self, digest: str) -> list[UsedFor]:
        return [
            UsedFor(
                DJ(dict(use.use_case)), str(use.use_case["name"]), str(use.use_case["owner"]), use.verdict, use.by,
                use.decided,
            )
            for use in self.used if use.subject.digest == digest
        ]  # fmt: skip

    def beside(self, id: str) -> Beside:
        return self._beside.get(id, NOTHING_BESIDE)

    def _origins(self, keeper: str) -> set[str]:
        charter = self.node.charter
        return {origin for origin in charter.known_origins if charter.origins[origin].member.name == keeper}


@dataclass
class FromCatalog:
    """What *shelf* says, with the bodies that *node* holds."""

    node: Node
    shelf: Shelf
    _found: dict[str, Placed | None] = field(default_factory=dict)

    def find(self, id: str) -> Placed | None:
        if id not in self._found:
            from watchword.catalog import lists

            with self.shelf.reading() as connection:
                told = lists.statement(connection, id)
            self._found[id] = None if told is None else self._at(told)
        return self._found[id]

    def of_kinds(self, kinds: Collection[str]) -> list[Placed]:
        return newest_first(self._placed(self._all(kinds)))

    def about(self, digest: str) -> list[Placed]:
        from watchword.catalog import lists

        with self.shelf.reading() as connection:
            rows = lists.about(connection, digest).rows
        return [
            one for one in self._placed(rows)
            if one.holder is not None and "target" not in one.statement.predicate
        ]  # fmt: skip

    def against(self, name: str) -> list[Placed]:
        from watchword.catalog import queries

        with self.shelf.reading() as connection:
            found = queries.notices(connection, [name])
        return newest_first(one for row in found if row.locator and (one := self.find(row.id)) is not None)

    def page(self, reader: Reader, page: int, *, kind: str = "", keeper: str = "") -> tuple[list[Placed], int]:
        from watchword.catalog import lists

        with self.shelf.reading() as connection:
            found = lists.statements(
                connection, kind=kind, keeper=keeper, counts=None if keeper else True, to=self._to(reader), page=page,
                rows=CONSOLE_ROWS,
            )  # fmt: skip
        return list(self._placed(found.rows)), found.count

    def kinds(self, reader: Reader, keeper: str) -> list[str]:
        from watchword.catalog import lists

        with self.shelf.reading() as connection:
            return list(lists.kinds(connection, keeper=keeper, to=self._to(reader)))

    def name_of(self, digest: str) -> str | None:
        return next((one.name for one in self._releases(digest)[0]), None)

    def releases(self, reader: Reader, find: str, page: int) -> tuple[list[Listed], int]:
        return self._releases(find, reader, page)

    def uses(self, digest: str) -> list[UsedFor]:
        return [use for one in self._releases(digest)[0] for use in one.uses]

    def beside(self, id: str) -> Beside:
        return self._beside.get(id, NOTHING_BESIDE)

    @cached_property
    def _beside(self) -> dict[str, Beside]:
        """Of what has anything beside it, whoever is concerned; the rest is not looked at."""
        of = {one.statement.id: one for one in self.of_kinds(("reply", "marking"))}
        for _ in range(2):
            named = {str(one.statement.predicate.get("statement", "")) for one in of.values()}
            of |= {id: one for id in sorted(named - of.keys()) if (one := self.find(id)) is not None}
        subjects = {subject.digest for one in of.values() for subject in one.statement.subject}
        for digest in sorted(subjects):
            of |= {one.statement.id: one for one in self.about(digest) if one.statement.kind == "claim"}
        return beside(self.node.charter, [one.statement for one in of.values() if one.holder is not None])

    def _releases(self, find: str, reader: Reader | None = None, page: int = 1) -> tuple[list[Listed], int]:
        from watchword.catalog import lists

        to = lists.EVERYTHING if reader is None else self._to(reader)
        with self.shelf.reading() as connection:
            found = lists.releases(connection, find=find, to=to, page=page, rows=CONSOLE_ROWS)
        rows = [
            Listed(
                one.release.digest, one.release.name, one.suppliers, one.statements,
                tuple(_used(use) for use in one.release.uses if use.name),
            )
            for one in found.rows
        ]  # fmt: skip
        return rows, found.count

    def _to(self, reader: Reader) -> str | None:
        from watchword.catalog import lists

        return lists.EVERYTHING if reader.member == self.node.member else reader.member

    def _all(self, kinds: Iterable[str]) -> list[Told]:
        from watchword.catalog import lists

        told: list[Told] = []
        with self.shelf.reading() as connection:
            for kind in sorted(kinds):
                page, more = 1, True
                while more:
                    found = lists.statements(connection, kind=kind, page=page, rows=CONSOLE_ROWS)
                    told += found.rows
                    page, more = page + 1, len(found.rows) == CONSOLE_ROWS
        return told

    def _placed(self, rows: Iterable[Told]) -> Iterator[Placed]:
        """Those whose bodies are held: a catalog may know of others, for as long as it takes to bring it up."""
        return (one for row in rows if (one := self._at(row)) is not None)

    def _at(self, told: Told) -> Placed | None:
        if told.origin not in self.node.charter.known_origins:
            return None
        with self.node.mutex:
            leaves = self.node.store.leaves(told.origin)
            held = self.node.store.held(leaves[told.place].commitment) if told.place < len(leaves) else None
        if held is None:
            return None
        return Placed(held.signed, held.holder, told.origin, told.place, told.locator)


def _used(use: Used) -> UsedFor:
    return UsedFor(use.use_case, use.name, use.owner, use.verdict, use.by, use.locator)

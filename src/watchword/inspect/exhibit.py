"""What a reader of a format is shown: the bytes, what they are called, and where to put what it finds.

A reader is a function ``read(exhibit, what) -> (format, looked)``: it reports oddities and facts through its exhibit,
hands on what is inside as exhibits of their own, and returns the format (perhaps told more exactly than *what*) and
in words what was looked at. It raises nothing: damage and limits are oddities.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchword.inspect.facts import Oddity, shown
from watchword.inspect.source import Budget, Source

if TYPE_CHECKING:
    from watchword.inspect.judgement import Judgement

Read = Callable[["Exhibit", str], tuple[str, str]]

MAGIC, STRUCTURE, TEXT, WEAK = range(4)
"""Ranks: a magic number at the start; recognised by structure; by being text; by less than that."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format that is told apart.

    ``claims(source, head, name)`` says that a file is of this format; *head* is its first 4,096 bytes, *name* only
    tells apart what content cannot. ``suffixes`` (words, without dots) are the extensions under which such a file
    honestly goes. ``hides(source, head)``, where given, says that a loader of this format would accept a file too that
    was recognised as something else: then it is judged as both.
    """

    name: str
    rank: int
    claims: Callable[[Source, bytes, str], bool]
    read: Read
    suffixes: str = ""
    hides: Callable[[Source, bytes], bool] | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A file's name beside what it is; facts for the rule on extensions."""

    name: str
    format: str
    expected: frozenset[str]


class Malformed(Exception):
    """Bytes stop keeping to their format at ``offset``; ``limit`` when it is more than is followed."""

    def __init__(self, offset: int, message: str, limit: bool = False) -> None:
        super().__init__(message)
        self.offset = offset
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A delivered file (``depth`` 0) or something inside one, called ``path`` (``a.zip:b.pkl``)."""

    source: Source
    path: str
    into: Judgement
    depth: int = 0

    @property
    def name(self) -> str:
        """The path without the archives that it stands in."""
        return self.path.rpartition(":")[2] if self.depth else self.path

    @property
    def budget(self) -> Budget:
        """What unpacking may still cost for the delivered file as a whole."""
        return self.into.budget

    def keep(self, *oddities: Oddity) -> None:
        """Report oddities of this exhibit."""
        self.into.keep(self.path, oddities)

    def keep_all(self, oddities: Iterable[Oddity]) -> None:
        self.into.keep(self.path, oddities)

    def odd(self, rule: str, offset: int | None, message: str, evidence: str = "") -> None:
        """Report one oddity: the id of the rule that judges it, the offset in bytes, what is wrong."""
        self.into.keep(self.path, [Oddity(rule, offset, message, evidence)])

    def check(self, facts: object) -> None:
        """Put *facts* to every rule that reads facts of their type."""
        self.into.check(self, facts)

    def merge(self, facts: dict[str, Any]) -> None:
        """Add facts for the bill of materials: lists are united, numbers added up, the first text stays."""
        self.into.merge(facts)
        metadata = facts.get("metadata")
        if isinstance(metadata, dict):
            from watchword.inspect.formats.secrets import search_values

            search_values(self, metadata.values())

    def note(self, text: str) -> None:
        """Something that a reader of the report should know and that is no finding."""
        self.into.note(text)

    def unread(self, start: int, end: int) -> None:
        """Say that nobody looked at these bytes of the delivered file (inside an archive: its finding says so)."""
        if self.depth == 0 and start < end:
            self.into.unread.append((start, end))

    def malformed(self, rule: str, error: Malformed, unread_from: int) -> None:
        """Report under *rule* where the bytes stop keeping to their format; nobody looked from *unread_from* on."""
        self.odd("unpack-limit" if error.limit else rule, error.offset, str(error))
        self.unread(unread_from, self.source.size)

    def goes_deeper(self) -> bool:
        """Spend one member of the delivered file's budget; False, with a finding, when depth or number is used up."""
        return self.into.goes_deeper(self.path, self.depth)

    def inner(self, name: str, source: Source) -> tuple[str, str] | None:
        """Judge what is inside as an exhibit of its own, within the budget.

        Returns:
            Its format and what was looked at; None when the budget is used up (a finding says so).
        """
        if not self.goes_deeper():
            return None
        return self.judge(f"{self.path}:{shown(name, 200)}", source)

    def judge(self, path: str, source: Source) -> tuple[str, str]:
        """As :meth:`inner` for what has been counted already; *path* is whole."""
        return self.into.judge(Exhibit(source, path, self.into, self.depth + 1))

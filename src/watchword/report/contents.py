"""What a report says, as values: the page draws them and decides nothing.

All text here may come from a supplier or a file name; ``page`` makes it inert. Times are RFC 3339, digests
``sha256:<hex>``, sizes bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchword.report.html import Html

NO_PICTURES = Html()


@dataclass(frozen=True)
class Answer:
    """The verdict in one word and one sentence. ``verdict``: ``admitted``, ``refused`` or ``not decided``.

    ``label``: who stands behind the view, ``witnessed`` or ``unwitnessed, own clock``; empty when nothing was decided.
    """

    verdict: str
    sentence: str
    label: str
    as_of: str


@dataclass(frozen=True)
class Requirement:
    """A row of the requirement table. ``state``: ``met``, ``unmet`` or ``does not apply``. ``there`` of ``need``."""

    id: str
    text: str
    state: str
    there: int
    need: int
    because: tuple[str, ...]
    by: tuple[str, ...]
    owed_by: str
    accountable: str
    principle: tuple[str, ...]


@dataclass(frozen=True)
class RedLine:
    """A red line. ``state``: ``clear`` or ``crossed``."""

    id: str
    text: str
    state: str
    accountable: str


@dataclass(frozen=True)
class Principle:
    """A principle of responsible use, the evidence that speaks to it (none is "nothing yet"), its red lines by id."""

    letter: str
    name: str
    evidence: tuple[str, ...]
    met: int
    unmet: int
    red_lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One thing found; ``offset`` in bytes from the start of ``path``."""

    rule: str
    verdict: str
    severity: str
    path: str
    offset: int | None
    message: str
    evidence: str
    atlas: tuple[str, ...]


@dataclass(frozen=True)
class Looked:
    """One delivered file: what was looked at, and the ``(start, end)`` byte ranges that were not."""

    path: str
    format: str
    size: int
    sha256: str | None
    verdict: str
    looked: str
    notes: tuple[str, ...]
    unread: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Component:
    """One line of the bill of materials; empty text where the files do not tell."""

    name: str
    type: str
    version: str
    licence: str
    digest: str


@dataclass(frozen=True)
class Bill:
    """The bill of materials in short. ``told``: licence, data and base model as the release's own card names them."""

    format: str
    digest: str
    components: tuple[Component, ...]
    told: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """A signed statement. ``says``: the short of it. ``labels``: how far it is recorded, and who may hold it where that
    is not everybody. ``beside``: its markings, and replies of those whom it is about."""

    kind: str
    id: str
    locator: str
    issuer: str
    key: str
    made: str
    says: str
    labels: tuple[str, ...]
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measured:
    """An evaluation under attack: its outcome in words, ``at`` from 0 to 1 between ``low`` and ``high``, the locator,
    who measured, with what; ``flags`` None where they were not computed; ``fixed``: whether a plan was committed
    before; ``drawn``: pictures of its report."""

    outcome: str
    locator: str
    by: str
    method: str
    low: float
    at: float
    high: float
    flags: str | None
    fixed: bool
    drawn: Html = NO_PICTURES


@dataclass(frozen=True)
class Head:
    """A ledger as the view names it; ``cosigned_by`` the witnesses whose cosignatures count."""

    origin: str
    size: int
    root: str
    time: str
    cosigned_by: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """One page. Parts that are ``None`` or empty are said to be absent, never left out in silence."""

    system: str
    release: str
    digest: str
    files: int
    bytes: int
    made: str
    tool: str
    node: str
    alliance: str
    charter: str
    use_case: tuple[tuple[str, str], ...]
    answer: Answer
    requirements: tuple[Requirement, ...]
    red_lines: tuple[RedLine, ...]
    principles: tuple[Principle, ...]
    notices: tuple[str, ...]
    stale: tuple[str, ...]
    inspection_verdict: str
    findings: tuple[Finding, ...]
    looked: tuple[Looked, ...]
    bill: Bill | None
    statements: tuple[Statement, ...]
    view: str
    heads: tuple[Head, ...]
    commands: tuple[tuple[str, str], ...]
    decision: str
    measured: tuple[Measured, ...] = ()

"""What one statement puts into the tables. Pure: a statement in, rows out.

* A statement that does not count is listed, and says nothing else: no release, part, use or notice follows from it.
* A release is the subject of evidence. It is made of what its bills of materials list, comes from the suppliers that
  claims and endpoints name, and rests on the base models and data sets that bills, claims and screenings name.
* What a bill's document lists beside (``documents``) is in the release too, on the word of the same issuer; a recall is
  weighed by what the statement itself lists (docs/protocol.md, section 7).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from watchword.ledger import query
from watchword.ledger.notices import said_name
from watchword.limits import CATALOG_NAMES_KEPT_MAX, CATALOG_TEXT_BYTES_MAX
from watchword.statements.kinds import EVIDENCE, NOTICES
from watchword.statements.purl import package_of
from watchword.statements.statement import Statement

RANKS = {"claim": 0, "endpoint": 0, "bill-of-materials": 1}
"""Whose word for a release's name goes first: its supplier's; then that of its bill; then that of others."""
RANK_OF_OTHERS = 2
BARE = frozenset({"inspection", "evaluation", "model-signature"})
"""Of these kinds, which are many and long, no table holds more than what is common to all."""


class Entry(NamedTuple):
    """A statement and its place. ``origin`` is empty and ``place`` its rank where it is held loose.

    ``counts``: its key may say it, and it stands under its own leaf. ``use_case``: the object that a decision names by
    digest, where it is held. ``keeper``: the member whose ledger it is. ``document``: the bill's, where it is held.
    """

    statement: Statement
    key: str
    origin: str
    place: int
    locator: str
    counts: bool
    use_case: Mapping[str, Any] | None = None
    keeper: str = ""
    document: bytes | None = None


class Thing(NamedTuple):
    """What tells one thing from others; empty text where nothing is told. ``filed`` follows from the whole of ``purl``,
    which is cut here."""

    sort: str
    name: str
    version: str = ""
    purl: str = ""
    digest: str = ""
    filed: str = ""

    @property
    def key(self) -> str:
        """The digest of it all."""
        return sha256("\0".join(self[:5]).encode()).hexdigest()


class Saying(NamedTuple):
    """What a statement calls a release."""

    release: Thing
    name: str
    system: str
    version: str
    supplier: str
    rank: int
    endpoint: bool

    def row(self, thing: int, number: int) -> tuple[Any, ...]:
        """Its row. A name without a system is one of those that inspections use: the system, then the version."""
        system = self.system or self.name.rpartition(" ")[0] or self.name
        return (
            thing, number, self.name, self.system, folded(system), folded(self.name), self.version, self.supplier,
            self.rank, self.endpoint,
        )  # fmt: skip


def was_cut(text: str) -> bool:
    """Whether *text* stands in the tables for a longer one, or may."""
    return re.search("… [0-9a-f]{64}$", text) is not None


_SHORT = CATALOG_TEXT_BYTES_MAX // 4
"""A text of so many characters is short enough in any script."""


def bounded(text: str) -> str:
    """*text* as the tables hold it: without NUL, short enough for an index; what was cut is told apart by digest."""
    if len(text) <= _SHORT and "\0" not in text:
        return text
    data = text.encode()
    if len(data) <= CATALOG_TEXT_BYTES_MAX and "\0" not in text:
        return text
    start = data[: CATALOG_TEXT_BYTES_MAX // 2].decode("utf-8", "ignore").replace("\0", "␀")
    return f"{start}… {sha256(data).hexdigest()}"


def folded(name: str) -> str:
    """A name as it is looked for: without regard to case."""
    return _folded(name) if len(name) <= _SHORT else bounded(name.casefold())


@lru_cache(CATALOG_NAMES_KEPT_MAX)
def _folded(name: str) -> str:
    return bounded(name.casefold())


def release_of(digest: str) -> Thing:
    """The thing that a release is."""
    return Thing("release", "", "", "", digest)


def thing_row(id_: int, thing: Thing) -> tuple[Any, ...]:
    """The row of a thing, in the order of its table's columns; so are all rows here."""
    package = bounded(package_of(thing.purl)) if thing.purl else ""
    return (
        id_, thing.key, thing.sort, thing.name, folded(thing.name), thing.version, thing.purl, package, thing.digest,
        thing.filed,
    )  # fmt: skip


def component(name: str, version: str, purl: str, digest: str) -> Thing:
    """The thing that a line of a bill of materials is."""
    short = len(name) + len(version) + len(purl) <= CATALOG_TEXT_BYTES_MAX
    return (_listed_before if short else _component)(name, version, purl, digest)


def _component(name: str, version: str, purl: str, digest: str) -> Thing:
    filed = bounded(query.package_of(purl)[0]) if purl else ""
    return Thing("component", bounded(name), bounded(version), bounded(purl), digest, filed)


_listed_before = lru_cache(CATALOG_NAMES_KEPT_MAX)(_component)
"""Bills list what other bills list."""


def sayings(statement: Statement) -> list[Saying]:
    """What a statement calls the releases that it is about; nothing where it is no evidence."""
    kind, said = statement.kind, statement.predicate
    if kind not in EVIDENCE:
        return []
    system = version = supplier = ""
    if kind in ("claim", "bill-of-materials"):
        system, version = said["system"], said["release"]
    elif kind == "endpoint":
        system, version, supplier = said["system"], said["version"], said["supplier"]
    if kind == "claim":
        supplier = statement.issuer
    system, version, supplier = bounded(system), bounded(version), bounded(supplier)
    rank, endpoint = RANKS.get(kind, RANK_OF_OTHERS), kind == "endpoint"
    return [
        Saying(release_of(subject.digest), bounded(subject.name), system, version, supplier, rank, endpoint)
        for subject in statement.subject
    ]


def parts(statement: Statement) -> Iterator[Thing]:
    """What a statement says is in the releases that it is about."""
    kind, said = statement.kind, statement.predicate
    if kind == "bill-of-materials":
        for one in said["components"]:
            yield component(one["name"], one["version"], one["purl"] or "", one["digest"] or "")
        for name in said["base_models"]:
            yield Thing("model", bounded(name))
        for one in said["datasets"]:
            yield Thing("dataset", bounded(one["name"]), digest=one["digest"])
    elif kind == "claim":
        yield Thing("supplier", bounded(statement.issuer))
        for one in said.get("trained_on", ()):
            yield Thing("dataset", bounded(one["name"]), digest=one["digest"] or "")
    elif kind == "endpoint":
        yield Thing("supplier", bounded(said["supplier"]))
    elif kind == "data-screening":
        yield Thing("dataset", bounded(said.get("dataset", "")), digest=said["delivered"])


def document_of(statement: Statement) -> str:
    """The commitment, in hex, of the document that a bill of materials names; empty for what is none."""
    if statement.kind != "bill-of-materials":
        return ""
    return str(statement.predicate["document"]["commitment"]).removeprefix("sha256:")


def use_row(entry: Entry) -> tuple[Any, ...] | None:
    """The row of a decision after its number and thing; None for what decides nothing. Its use case may be empty."""
    if entry.statement.kind != "decision":
        return None
    made = entry.statement.predicate["decision"]
    digest, verdict = made.get("use_case"), made.get("verdict")
    if not isinstance(verdict, str):
        return None
    return bounded(digest) if isinstance(digest, str) else "", *case_columns(entry.use_case), bounded(verdict)


def case_columns(case: Mapping[str, Any] | None) -> tuple[str, str, int, str]:
    """Name, owner, criticality and members of a use case; nothing where it is not held. A list that is too long is one
    still, and ends in an ellipsis."""
    if case is None:
        return "", "", -1, "[]"
    names = [bounded(str(name)) for name in case["members"]]
    while len(members := json.dumps(names, ensure_ascii=False)) > CATALOG_TEXT_BYTES_MAX:
        names = [*names[: len(names) // 2], "…"] if len(names) > 1 else ["…"]
    return bounded(str(case["name"])), bounded(str(case["owner"])), int(case["criticality"]), members


_REACH = {"public": (2, ""), "alliance": (1, "")}
_NOBODY = (0, "")


def scope_columns(statement: Statement) -> tuple[int, str]:
    """Reach and scope of a statement, as ``ledger.exchange.scope_allows`` reads them: an unknown one reaches nobody."""
    scope = statement.predicate.get("scope")
    if isinstance(scope, str):
        return _REACH.get(scope, _NOBODY)
    return 0, json.dumps(scope) if isinstance(scope, list) else ""


def end_row(statement: Statement) -> tuple[str, str] | None:
    """What of a statement ends, and when; None where nothing does, or nobody says when."""
    said, kind = statement.predicate, statement.kind
    what, until = "", None
    if kind == "claim":
        what, until = f"support of {said['system']} {said['release']}", said.get("support_until")
    elif kind == "mandate":
        what, until = f"mandate {said['mandate'].get('name')}", said["mandate"].get("valid_until")
    elif kind == "waiver":
        what, until = f"waiver of {said.get('requirement', '')}", said.get("expires")
    elif kind == "reliance":
        what, until = f"reliance on {said['statement']}", said["limits"].get("until")
    return (bounded(what), bounded(until)) if isinstance(until, str) else None


def notice_row(statement: Statement) -> tuple[str, ...] | None:
    """The row of a notice after its number; None for what is none."""
    if statement.kind not in NOTICES:
        return None
    said = statement.predicate
    against = said.get("notice") or said.get("supersedes") or ""
    told = (said_name(statement), said.get("reason", ""), said.get("deadline") or "", against)
    return tuple(bounded(str(text)) for text in told)

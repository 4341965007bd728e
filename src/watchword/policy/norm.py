"""Norms: documents whose entries a row of a requirement table can say that it serves, as data files.

A norm file is TOML in ``norms/``: which document, of what date, where it is, what its digest is of, how its entries are
numbered, and for each entry its id, its title in the source, where it stands, what it asks in short words of ours, and
as ``gap`` what of it no kind of statement can show. A row names an entry by its pinned id, ``nato-pru-2021:C``.

* An id is the source's own; where the source numbers nothing, ``numbering`` says how ids were made. None is invented
  for a document that has ids.
* The source alone is the norm: nothing here claims that a row that serves an entry fulfils it.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from watchword.errors import WatchwordError
from watchword.inspect.updates import added
from watchword.policy.use_case import read_toml, toml_of
from watchword.statements.kinds import Digest

Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$")]
Said = Annotated[str, Meta(min_length=1, max_length=4096)]
SHIPPED = ("nato-pru-2021", "deploy-securely-2024", "ai-data-security-2025", "atlas-5.6.0")


class BadNorm(WatchwordError):
    """A norm file that is not of the form stated here, or an id that no norm here has. Names file or id."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that a norm asks. ``gap``: what of it no kind of statement can show; empty where there is none."""

    id: Id
    title: Said
    where: Said
    text: Said
    gap: str = ""


class Norm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A document. ``digest`` is of exactly what ``digest_of`` says."""

    id: Id
    title: Said
    publisher: Said
    date: Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    source: Said
    numbering: Said
    digest: Digest
    digest_of: Said
    entry: list[Entry]

    def pinned(self, entry: Entry) -> str:
        """The id by which a row names *entry*."""
        return f"{self.id}:{entry.id}"


@cache
def shipped() -> tuple[Norm, ...]:
    """The norms that come with watchword, and with an update of its data."""
    folder = resources.files("watchword.policy").joinpath("norms")
    found = []
    for name in SHIPPED:
        with resources.as_file(folder.joinpath(f"{name}.toml")) as path:
            found.append(read_norm(path))
    later = added()
    return (*found, *(parse_norm(text, "norm of the update") for text in (later.norms if later is not None else ())))


def read_norm(path: Path) -> Norm:
    """Read a norm file.

    Raises:
        BadNorm: missing, not TOML, a field missing, unknown or of another type, an id twice. Names *path*.
    """
    return _norm(read_toml(path, BadNorm), path)


def parse_norm(text: str, what: str) -> Norm:
    """Read a norm in *text*, which is called *what* in an error. Raises as ``read_norm``."""
    return _norm(toml_of(text, Path(what), BadNorm), Path(what))


def _norm(value: dict[str, Any], path: Path) -> Norm:
    try:
        norm = msgspec.convert(value, Norm, strict=True)
    except msgspec.ValidationError as error:
        raise BadNorm(f"{path}: {error}", "docs/howto/positions.md shows the form") from error
    ids = [entry.id for entry in norm.entry]
    for id in ids:
        if ids.count(id) > 1:
            raise BadNorm(f"{path}: the entry {id} stands twice")
    return norm

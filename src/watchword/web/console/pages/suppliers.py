"""Suppliers: what signed records say of each, every measure with what it stands on, its replies beside."""

from __future__ import annotations

from typing import Any

import msgspec

from watchword.account.suppliers import suppliers as measured
from watchword.web.console.knowledge import Snapshot
from watchword.web.console.pages.told import Link
from watchword.web.console.table import Asked, NotFound, address


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One measure in words; *unknown* where nobody recorded anything."""

    name: str
    text: str


class SuppliersPage(msgspec.Struct, frozen=True, kw_only=True):
    """The suppliers of the charter."""

    member: str
    as_of: str
    suppliers: list[Link]
    command: str


class SupplierPage(msgspec.Struct, frozen=True, kw_only=True):
    """One supplier; ``records`` as ``supplier --format json`` says them."""

    member: str
    as_of: str
    name: str
    measures: list[Measure]
    replies: list[str]
    records: dict[str, Any]
    command: str


def suppliers(known: Snapshot, _: Asked) -> SuppliersPage:
    """By name."""
    names = sorted(one.name for one in known.charter.suppliers)
    return SuppliersPage(
        member=known.member, as_of=known.as_of, command="watchword supplier",
        suppliers=[Link(name=name, address=address("/suppliers/{supplier}", supplier=name)) for name in names],
    )  # fmt: skip


def supplier(known: Snapshot, asked: Asked) -> SupplierPage:
    """One supplier.

    Raises:
        NotFound: none of this name in the charter.
    """
    name = asked.path["supplier"]
    if name not in {one.name for one in known.charter.suppliers}:
        raise NotFound(f"{name}: no supplier of this charter")
    found = measured(known.charter, known.view, known.facts, known.now, [name])[0]
    lines = [line.strip().partition("  ") for line in found.lines()[1:]]
    return SupplierPage(
        member=known.member, as_of=known.as_of, name=name, records=found.value(), command=f"watchword supplier {name}",
        measures=[
            Measure(name=what, text=text.strip()) for what, _, text in lines if what != "its reply"
        ],
        replies=[f"to {one.what}: {one.text} ({one.made})" for one in found.replies],
    )  # fmt: skip

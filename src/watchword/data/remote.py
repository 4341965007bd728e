"""Data that is only a list of addresses: what was promised for each, and what each party got. Pure: nothing is fetched.

A list, and each later download, is a CSV or JSON lines table with the columns ``url`` and ``sha256`` (empty where a
download failed), and optionally ``time`` (RFC 3339) and ``by``. The list is an observation too. After Carlini et al.
(arXiv 2302.10149), where such poisoning was shown to be practical:

* *front-running*: an address held one thing, another when the list was made, and the first again after: changed for the
  moment of the snapshot.
* *split-view*: two parties got different bytes from one address within DATA_SPLIT_VIEW_S_MAX, or without times; the
  list's maker is one of them.
* *changed*: every download agrees, with times, that the list's bytes are gone: an honest update looks the same.
* *gone*: nobody got anything. *unlisted*: an address that the list does not name.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from watchword.data.delivery import Delivery, Roles, csv_rows, jsonl_rows
from watchword.limits import DATA_ROWS_MAX, DATA_SPLIT_VIEW_S_MAX

Trouble = Literal["front-running", "split-view", "changed", "gone", "unlisted"]


@dataclass(frozen=True)
class Observation:
    """What one party got from one address: SHA-256 in hex, None for nothing; seconds since 1970, None for untold."""

    url: str
    sha256: str | None
    time_s: float | None
    by: str


@dataclass(frozen=True)
class Troubled:
    """An address whose observations do not agree; ``seen``: (by, SHA-256) in order of time."""

    url: str
    trouble: Trouble
    seen: tuple[tuple[str, str | None], ...]


def read_observations(path: Path) -> list[Observation]:
    """The rows of a list or of a record of downloads.

    Raises:
        UnreadableData: a row without ``url``, a ``sha256`` or ``time`` that is none.
    """
    none = Roles(None, None, None, None)
    with Delivery(path) as delivery:
        rows = csv_rows(delivery, none)[1] if delivery.format() == "csv" else jsonl_rows(delivery, none, {})
        found = []
        for number, row in enumerate(rows, 1):
            value = json.loads(row.features)
            url, digest = value.get("url"), value.get("sha256") or None
            time, by = value.get("time") or None, str(value.get("by") or path.name)
            if number > DATA_ROWS_MAX or not isinstance(url, str) or not url:
                delivery.fail(f"row {number:,} has no url")
            if digest is not None and (not isinstance(digest, str) or len(digest) != 64):
                delivery.fail(f"row {number:,}: its sha256 is not 64 hex digits")
            try:
                when = None if time is None else _seconds(time)
            except (ValueError, TypeError, OverflowError):
                delivery.fail(f"row {number:,}: its time is not RFC 3339")
            found.append(Observation(url, None if digest is None else digest.lower(), when, by[:200]))
        delivery.finish()
    return found


def compare(listed: Sequence[Observation], downloads: Sequence[Sequence[Observation]]) -> list[Troubled]:
    """Every address whose observations do not agree, worst trouble first."""
    by_url: dict[str, list[tuple[Observation, bool]]] = {one.url: [(one, True)] for one in listed}
    unlisted: dict[str, list[Observation]] = {}
    for one in (one for download in downloads for one in download):
        if one.url in by_url:
            by_url[one.url].append((one, False))
        else:
            unlisted.setdefault(one.url, []).append(one)
    found = [trouble for url, seen in by_url.items() if (trouble := _judge(url, seen)) is not None]
    found += [Troubled(url, "unlisted", tuple((o.by, o.sha256) for o in seen)) for url, seen in unlisted.items()]
    order = ("front-running", "split-view", "changed", "gone", "unlisted")
    return sorted(found, key=lambda one: (order.index(one.trouble), one.url))


def _judge(url: str, seen: list[tuple[Observation, bool]]) -> Troubled | None:
    timed = all(one.time_s is not None for one, _ in seen)
    if timed:
        seen = sorted(seen, key=lambda pair: pair[0].time_s or 0.0)
    told = tuple((one.by, one.sha256) for one, _ in seen)
    listed = next(one for one, is_list in seen if is_list)
    got = [one for one, is_list in seen if not is_list and one.sha256 is not None]
    if not got:
        return Troubled(url, "gone", told) if len(seen) > 1 else None
    if timed and listed.sha256 is not None:
        before = [one.sha256 for one in got if _time(one) < _time(listed)]
        after = [one.sha256 for one in got if _time(one) > _time(listed)]
        if before and after and before[-1] == after[0] != listed.sha256:
            return Troubled(url, "front-running", told)
    if any(_differ(one, other, timed) for one, other in _pairs(got)):
        return Troubled(url, "split-view", told)
    if listed.sha256 is None or all(one.sha256 == listed.sha256 for one in got):
        return None
    if not timed or any(_differ(listed, one, timed) for one in got):
        return Troubled(url, "split-view", told)
    return Troubled(url, "changed", told)


def _pairs(got: list[Observation]) -> Iterator[tuple[Observation, Observation]]:
    # Neighbours in time are enough: two that differ within the span have two neighbours between them that do.
    return itertools.pairwise(got)


def _differ(one: Observation, other: Observation, timed: bool) -> bool:
    return one.sha256 != other.sha256 and (not timed or abs(_time(one) - _time(other)) <= DATA_SPLIT_VIEW_S_MAX)


def _time(one: Observation) -> float:
    return one.time_s or 0.0


def _seconds(text: str) -> float:
    when = datetime.fromisoformat(text)
    return (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp()

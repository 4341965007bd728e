"""The smallest set of components whose loss stops k uses: where many uses hang on few things.

* A **use** is a release that is admitted for a use case, by the newest decision on record. It stops when anything falls
  that its release is made of: a component, base model or data set, also of a base model.
* A package counts once, whatever its version; a file by its digest; a model or data set by its name.
* Exact, by search in order of size, where CONCENTRATION_STEPS_MAX steps are enough; else the greedy choice, with the
  size below which the search had proven that there is none. To find the best is NP-hard (maximum coverage); the greedy
  choice of s things stops at least 63 % of what the best s stop (Nemhauser, Wolsey, Fisher 1978).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchword.errors import WatchwordError
from watchword.limits import CONCENTRATION_EDGES_MAX, CONCENTRATION_STEPS_MAX

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from watchword.catalog.queries import Used

SCHEMA = "watchword-concentration/1"


class TooFewUses(WatchwordError):
    """Fewer uses than were to be stopped, or none that shares a component."""


@dataclass(frozen=True)
class Smallest:
    """``things`` stop ``stopped`` of ``uses`` uses. ``at_least``: no fewer things stop as many as were asked for; where
    it equals their number, the set is smallest."""

    asked: int
    uses: int
    things: tuple[str, ...]
    stopped: int
    at_least: int

    @property
    def exact(self) -> bool:
        """Whether no smaller set does."""
        return self.at_least == len(self.things)

    def value(self) -> dict[str, Any]:
        """The same as JSON data."""
        return {
            "asked": self.asked, "at_least": self.at_least, "exact": self.exact, "schema": SCHEMA,
            "stopped": self.stopped, "things": list(self.things), "uses": self.uses,
        }  # fmt: skip


def smallest(hangs_on: Mapping[str, frozenset[str]], k: int) -> Smallest:
    """The smallest set of things that stops *k* uses.

    Args:
        hangs_on: by use, the things whose loss stops it.

    Raises:
        TooFewUses: fewer than *k* uses hang on anything.
    """
    uses = sorted(use for use, things in hangs_on.items() if things)
    if not 1 <= k <= len(uses):
        raise TooFewUses(
            f"{len(uses)} admitted uses hang on a component on record; {k} cannot be stopped by the loss of some"
        )
    masks: dict[str, int] = {}
    for place, use in enumerate(uses):
        for thing in hangs_on[use]:
            masks[thing] = masks.get(thing, 0) | 1 << place
    first: dict[int, str] = {}
    for thing in sorted(masks):
        first.setdefault(masks[thing], thing)
    # What stops no use that another does not stop too is never needed.
    ordered = sorted(first, key=lambda mask: (-mask.bit_count(), first[mask]))
    needed: list[int] = []
    for mask in ordered:
        if not any(mask | other == other for other in needed):
            needed.append(mask)
    greedy = _greedy(needed, k)
    best, at_least = _search(needed, k, len(greedy))
    chosen = best or greedy
    stopped = 0
    for mask in chosen:
        stopped |= mask
    return Smallest(k, len(uses), tuple(sorted(first[mask] for mask in chosen)), stopped.bit_count(), at_least)


def _greedy(masks: Sequence[int], k: int) -> list[int]:
    """Again and again what stops most of what still runs."""
    chosen: list[int] = []
    covered = 0
    while covered.bit_count() < k:
        best = max(masks, key=lambda mask: (mask & ~covered).bit_count())
        chosen.append(best)
        covered |= best
    return chosen


def _search(masks: Sequence[int], k: int, size_max: int) -> tuple[list[int] | None, int]:
    """A set smaller than *size_max*, if there is one, and the size below which there is none."""
    steps = [CONCENTRATION_STEPS_MAX]

    def choose(start: int, left: int, covered: int) -> list[int] | None:
        if covered.bit_count() >= k:
            return []
        for place in range(start, len(masks)):
            steps[0] -= 1
            # In order of size: none that follows stops more than this one does by itself.
            if steps[0] < 0 or covered.bit_count() + left * masks[place].bit_count() < k:
                return None
            if left and (rest := choose(place + 1, left - 1, covered | masks[place])) is not None:
                return [masks[place], *rest]
        return None

    for size in range(1, size_max):
        found = choose(0, size, 0)
        if found is not None:
            return found, size
        if steps[0] < 0:
            return None, size
    return None, size_max


def hanging(connection: Connection) -> dict[str, frozenset[str]]:
    """By use that is admitted, the things that its release is made of, however far down.

    Raises:
        TooFewUses: the releases have more parts than can be looked at here.
    """
    from sqlalchemy import select

    from watchword.catalog.queries import KEYS_ASKED, uses_of
    from watchword.catalog.schema import THINGS, USES

    deciding = connection.scalars(select(USES.c.thing).distinct()).all()
    admitted = [use for use in uses_of(connection, deciding) if use.verdict == "admitted"]
    digests = sorted({use.release for use in admitted})
    ids: dict[str, int] = {}
    for at in range(0, len(digests), KEYS_ASKED):
        some = THINGS.c.digest.in_(digests[at : at + KEYS_ASKED])
        asked = select(THINGS.c.digest, THINGS.c.id).where(THINGS.c.sort == "release", some)
        ids |= {row.digest: row.id for row in connection.execute(asked)}
    below, names = _below(connection, list(ids.values()))
    parts = {digest: _parts(below, names, id_) for digest, id_ in ids.items()}
    return {_called(use): parts[use.release] for use in admitted}


def _below(connection: Connection, start: Sequence[int]) -> tuple[dict[int, list[int]], dict[int, str]]:
    """What each thing under *start* is made of, and what each is called."""
    from sqlalchemy import select

    from watchword.catalog.queries import KEYS_ASKED
    from watchword.catalog.schema import EDGES, THINGS

    below: dict[int, list[int]] = {}
    names: dict[int, str] = {}
    edges, frontier = 0, list(start)
    while frontier:
        below |= {id_: [] for id_ in frontier}
        for at in range(0, len(frontier), KEYS_ASKED):
            asked = select(EDGES.c.parent, THINGS.c.id, THINGS.c.sort, THINGS.c.name, THINGS.c.package, THINGS.c.digest)
            joined = asked.join(THINGS, THINGS.c.id == EDGES.c.child)
            for row in connection.execute(joined.where(EDGES.c.parent.in_(frontier[at : at + KEYS_ASKED]))):
                edges += 1
                if edges > CONCENTRATION_EDGES_MAX:
                    raise TooFewUses(f"more than {CONCENTRATION_EDGES_MAX:,} parts hang below the admitted uses")
                below[row.parent].append(row.id)
                if row.sort in ("component", "model", "dataset"):
                    told = row.digest if row.sort == "component" else ""
                    names[row.id] = row.package or told or f"{row.sort}:{row.name or row.digest}"
        frontier = sorted({child for id_ in frontier for child in below[id_]} - below.keys())
    return below, names


def _parts(below: Mapping[int, Sequence[int]], names: Mapping[int, str], start: int) -> frozenset[str]:
    seen, stack = {start}, [start]
    while stack:
        fresh = [child for child in below[stack.pop()] if child not in seen]
        seen.update(fresh)
        stack += fresh
    return frozenset(names[id_] for id_ in seen if id_ in names)


def _called(use: Used) -> str:
    return f"{use.release_name} for {use.name or use.use_case} ({use.release})"

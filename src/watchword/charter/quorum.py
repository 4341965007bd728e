"""Quorum arithmetic, counted in operators of keys and machines, never in names (docs/protocol.md, sections 6 and 7)."""

from __future__ import annotations

from collections.abc import Mapping

from watchword.charter.charter import Charter
from watchword.limits import CLOCK_AHEAD_S_MAX


def quorums_intersect(k: int, operators: int, faulty: int) -> bool:
    """Whether any two quorums of *k* among *operators* share one that is not among the *faulty*: 2k - M > f.

    Without it, a dishonest few could show two halves of the alliance different heads, both fully cosigned.
    """
    return 0 < k <= operators and 2 * k - operators > faulty


def least_quorum(operators: int, faulty: int) -> int:
    """The smallest k for which ``quorums_intersect``; may exceed *operators*, and then there is none."""
    return (operators + faulty) // 2 + 1


def most_faulty(operators: int) -> int:
    """How many of *operators* may be dishonest while the others alone still make a quorum that intersects."""
    return max(f for f in range(max(operators, 1)) if f == 0 or least_quorum(operators, f) <= operators - f)


def least_amendment(operators: int, ratify: int) -> int:
    """How many operators amend the rules, by default: one more than ratify, if one can then still be missing."""
    return max(ratify, min(ratify + 1, operators - 1))


def cosigned_time(charter: Charter, times: Mapping[str, int], now_s: int) -> int | None:
    """The cosigned time of a head, in seconds since 1970, or None when too few operators cosigned.

    Args:
        times: for each witness name whose cosignature verified, its time. Names that the charter does not know are
            ignored; so is a time more than ``CLOCK_AHEAD_S_MAX`` after *now_s*.
    """
    latest: dict[str, int] = {}
    for witness, time_s in times.items():
        operator = charter.witness_operators.get(witness)
        if operator is not None and 0 < time_s <= now_s + CLOCK_AHEAD_S_MAX:
            latest[operator] = max(latest.get(operator, 0), time_s)
    newest_first = sorted(latest.values(), reverse=True)
    k = charter.quorum.witness
    return newest_first[k - 1] if 0 < k <= len(newest_first) else None

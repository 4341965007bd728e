"""Seed and sample, drawn from a head that nobody knew when the plan was made (docs/protocol.md, section 12).

* The seed is a digest over the plan's statement, a place in another member's ledger, the root there, and what the
  draw is for. Whoever holds these makes the same seed; nobody could choose it.
* The sample is the population in the order of a keyed digest of each index: no generator of any library is asked, so it
  is the same everywhere and for ever.
* The randomness of the attack on one instance depends on the seed and the instance alone, never on the order of work: a
  run that was cut off goes on as if it had not been.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from watchword.limits import EVALUATION_INSTANCES_MAX

if TYPE_CHECKING:
    import numpy

RUN = "run"


def seed_of(statement: str, origin: str, size: int, root: str, purpose: str = RUN) -> str:
    """The seed, as a digest.

    Args:
        statement: the id of the plan's statement; of a replication, of the evaluation.
        root: of the ledger *origin* at *size*, in base64.
        purpose: ``run``, or ``replication`` and the member that makes it.
    """
    text = "\n".join(("watchword/draw/v1", statement, origin, str(size), root, purpose))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def order(seed: str, population: int) -> list[int]:
    """All indices of the population, in the order in which they are taken.

    Raises:
        ValueError: more than EVALUATION_INSTANCES_MAX.
    """
    if population > EVALUATION_INSTANCES_MAX:
        raise ValueError(f"{population:,} instances, more than {EVALUATION_INSTANCES_MAX:,}")
    return sorted(range(population), key=lambda index: (_key(seed, "sample", index), index))


def randomness(seed: str, index: int, what: str) -> numpy.random.Generator:
    """The generator for one instance and one purpose."""
    import numpy

    return numpy.random.Generator(numpy.random.PCG64(int.from_bytes(_key(seed, what, index)[:16], "big")))


def texts(seed: str, index: int, what: str) -> Iterator[int]:
    """Whole numbers below 2^64 without end, without numpy: for edits."""
    state = _key(seed, what, index)
    while True:
        state = hashlib.sha256(state).digest()
        yield int.from_bytes(state[:8], "big")


def _key(seed: str, what: str, index: int) -> bytes:
    return hashlib.sha256(f"{seed}\n{what}\n{index}".encode()).digest()

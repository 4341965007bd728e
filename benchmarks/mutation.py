"""Inputs made from others, for the searches that coverage guides: one place for both of them."""

from __future__ import annotations

import random
from collections.abc import Sequence


def mutate(rng: random.Random, corpus: Sequence[bytes], pieces: Sequence[bytes], length_max: int) -> bytes:
    """One of the *corpus*, changed in one to four places by *pieces*, other bytes and other inputs; cut to bytes."""
    data = rng.choice(corpus)
    for _ in range(rng.randint(1, 4)):
        at, other = sorted((rng.randint(0, len(data)), rng.randint(0, len(data))))
        what = rng.randrange(6)
        if what == 0:
            data = data[:at] + rng.choice(pieces) + data[at:]
        elif what == 1:
            data = data[:at] + data[other:]
        elif what == 2:
            data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
        elif what == 3:
            data = data[:at] + rng.choice(corpus)[rng.randint(0, len(data)) :]
        elif what == 4:
            data = data[:other] + data[at:other] * rng.randint(1, 3) + data[other:]
        else:
            data = data[:at] + b"".join(rng.choices(pieces, k=rng.randint(1, 6))) + data[other:]
    return data[:length_max]

"""How much chance there is in bytes: 0 for one value alone, near 8 for what is packed, encrypted or random."""

from __future__ import annotations

import math


def entropy(data: bytes) -> float:
    """Shannon's entropy of the byte values of *data*, in bits a byte."""
    total = len(data)
    if not total:
        return 0.0
    counts = [data.count(bytes([value])) for value in set(data)]
    return max(0.0, -sum(n / total * math.log2(n / total) for n in counts))

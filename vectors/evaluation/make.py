"""Write draws.json: seeds, samples, intervals, comparisons of protocol section 12. Nothing of the package is used.

Rates are counted in whole numbers here (``fractions``), so that nothing rests on floating point but the last division.
"""

import hashlib
import json
from fractions import Fraction
from math import comb
from pathlib import Path


def seed(statement: str, origin: str, size: int, root: str, purpose: str) -> str:
    lines = ["watchword/draw/v1", statement, origin, str(size), root, purpose]
    return "sha256:" + hashlib.sha256("\n".join(lines).encode()).hexdigest()


def sample(of: str, population: int) -> list[int]:
    return sorted(range(population), key=lambda i: hashlib.sha256(f"{of}\nsample\n{i}".encode()).digest())


def tail(k: int, n: int, p: Fraction, upper: bool) -> Fraction:
    counts = range(k, n + 1) if upper else range(k + 1)
    return sum((comb(n, i) * p**i * (1 - p) ** (n - i) for i in counts), Fraction(0))


def interval(k: int, n: int) -> tuple[str, str]:
    """The first and last of 0.0000, 0.0001 … that the exact bounds lie between: found by halving on whole digits."""

    def least(holds) -> int:
        low, high = 0, 10_000
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if holds(Fraction(middle, 10_000)) else (middle + 1, high)
        return low

    share = Fraction(25, 1000)
    down = 0 if k == 0 else least(lambda p: tail(k, n, p, True) > share) - 1
    up = 10_000 if k == n else least(lambda p: tail(k, n, p, False) <= share)
    return text(down), text(up)


def text(digits: int) -> str:
    whole = f"{digits // 10_000}.{digits % 10_000:04}".rstrip("0").rstrip(".")
    return whole


def fisher(k: int, n: int, other_k: int, other_n: int) -> str:
    hits = k + other_k
    tables = [comb(n, i) * comb(other_n, hits - i) for i in range(max(0, hits - other_n), min(n, hits) + 1)]
    seen = comb(n, k) * comb(other_n, other_k)
    return f"{float(Fraction(sum(one for one in tables if one <= seen), comb(n + other_n, hits))):.6f}"


def main() -> None:
    plan, root = "sha256:" + "ab" * 32, "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s="
    draws = []
    for size, purpose in ((1, "run"), (12, "run"), (12, "replication BRAVO")):
        made = seed(plan, "bravo.example/ledger", size, root, purpose)
        draws.append(
            {"origin": "bravo.example/ledger", "purpose": purpose, "root": root, "sample": sample(made, 12),
             "seed": made, "size": size, "statement": plan}
        )  # fmt: skip
    counts = [(0, 200), (89, 200), (200, 200), (1, 1), (12, 12), (37, 100)]
    both = [(16, 20, 8, 20), (16, 20, 16, 20), (0, 10, 10, 10), (89, 200, 104, 200)]
    value = {
        "draws": draws,
        "intervals": [dict(zip(("k", "n", "low", "high"), (k, n, *interval(k, n)), strict=True)) for k, n in counts],
        "replications": [{"counts": list(four), "p": fisher(*four)} for four in both],
    }
    path = Path(__file__).with_name("draws.json")
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    main()

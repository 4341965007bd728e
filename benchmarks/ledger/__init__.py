"""Ledgers: durable appends, proofs, checks, sync and witnessing, beside the bare disk and two peers of the same trees.

``WATCHWORD_BENCH_ENTRIES`` (default 1,000,000) is the size of the large ledgers; they are made once and kept in the
benchmarks' cache. Peers run in environments of their own, over the same entries or the very same tiles on disk.
"""

from __future__ import annotations

from benchmarks.table import Row


def run() -> list[Row]:
    """Every figure of the ledger."""
    from benchmarks.ledger import appends, served, trees

    return [*appends.run(), *trees.run(), *served.run()]

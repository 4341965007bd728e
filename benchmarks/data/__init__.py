"""Does ``watchword data screen`` find what was planted, and nothing where nothing was? ``python -m benchmarks data``.

Works are (data set, poison, share, seed); each is screened with one command's defaults, and its rank compared with
where the
poison is: AUROC, and the share of the poison found where 1 % of the clean rows are. Nothing is chosen by attack.
Poisons are
those of ``watchword.data.screening.planting``; data sets are what packages ship (``benchmarks.data.sets``), and one
that is
not there is left out by name. ``python -m benchmarks.data`` writes every work as a JSON line;
``benchmarks.data.peers`` runs
others' tools on the same works, ``benchmarks.data.nets`` screens networks, ``benchmarks.data.scale`` measures cost.
"""

from __future__ import annotations

import importlib.util

from benchmarks.table import Row


def run() -> list[Row]:
    """The works, and the networks where torch is there."""
    from benchmarks.data import nets, works

    return [*works.run(), *(nets.run() if importlib.util.find_spec("torch") else [])]

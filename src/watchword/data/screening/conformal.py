"""Chances by rank among rows that serve as a reference, and a list of them with a bounded share of false ones.

Conformal p-values (Vovk et al. 2005; for outliers Bates et al. 2023): valid where reference and tested rows are
exchangeable if nothing is wrong with the latter. Benjamini and Hochberg (1995) cut the list.
"""

from __future__ import annotations

import numpy as np

from watchword.data.screening.sample import Floats


def conformal(scores: Floats, reference: Floats) -> Floats:
    """p-values of *scores* by their rank among *reference* scores; higher scores are stranger."""
    ordered = np.sort(reference)
    above = len(ordered) - np.searchsorted(ordered, scores, side="left")
    made: Floats = ((1 + above) / (1 + len(ordered))).astype(np.float32)
    return made


def false_discovery(chances: Floats, share: float) -> Floats:
    """Indices of the *chances* that Benjamini and Hochberg's procedure rejects at *share*."""
    order = np.argsort(chances, kind="stable")
    good = np.flatnonzero(chances[order] <= share * np.arange(1, len(order) + 1) / len(order))
    made: Floats = order[: good[-1] + 1] if len(good) else order[:0]
    return made

"""Rows that are copies of each other, or nearly: floods, and copies with different labels.

* *Exact* copies have the same features. *Near* ones: texts that share SIMILAR of their words, pairs and triples (by 64
  minimum hashes in bands, then compared); other rows much closer to each other than rows usually are (a NEAR share of
  the median distance to the nearest row), by the nearest few rows. Groups are closed under this relation.
* Copies are common in honest data, so a group alone is told, not accused (``screen``: when it is a flood).
* A row *conflicts* when other labels are on copies of it than its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchword.data.screening.nearest import nearest
from watchword.data.screening.sample import Floats, Ints, Sample
from watchword.data.screening.space import Words

SIMILAR = 0.8
NEAR = 0.02
_HASHES = 64
_BAND = 8


@dataclass(frozen=True)
class Copies:
    """``group`` numbers each row's group from 0; ``sizes`` counts the rows of each group."""

    group: Ints
    sizes: Ints


def copies_of(sample: Sample, space: Floats, words: Words | None, seed: int) -> Copies:
    """The groups of copies of a sample."""
    rows = sample.rows
    pairs = [_exact(space)]
    if words is not None:
        pairs.append(_alike(words, rows, seed))
    if sample.texts is None:
        near, apart = nearest(space, 4, seed)
        usual = float(np.median(apart[:, 0][apart[:, 0] > 1e-9])) if (apart[:, 0] > 1e-9).any() else 0.0
        close = np.argwhere(apart < (NEAR * NEAR) * usual)
        pairs.append(np.stack([close[:, 0], near[close[:, 0], close[:, 1]]], axis=1))
    group = _joined(rows, np.concatenate(pairs))
    return Copies(group, np.bincount(group).astype(np.int64))


def _exact(space: Floats) -> Ints:
    _, first, inverse = np.unique(space.round(5), axis=0, return_index=True, return_inverse=True)
    return np.stack([np.arange(len(space)), first[inverse.ravel()]], axis=1).astype(np.int64)


def _alike(words: Words, rows: int, seed: int) -> Ints:
    draw = np.random.default_rng(seed)
    row, word = words.rows, words.words
    start = np.flatnonzero(np.concatenate([[True], row[1:] != row[:-1]]))
    signatures = np.full((rows, _HASHES), -1, dtype=np.int64)
    for at in range(_HASHES):
        hashed = draw.permutation(words.count)
        signatures[row[start], at] = np.minimum.reduceat(hashed[word], start)
    found = []
    for band in range(0, _HASHES, _BAND):
        _, first, inverse = np.unique(
            signatures[:, band : band + _BAND], axis=0, return_index=True, return_inverse=True
        )
        pairs = np.stack([np.arange(rows), first[inverse.ravel()]], axis=1)
        agree = (signatures[pairs[:, 0]] == signatures[pairs[:, 1]]).mean(axis=1)
        found.append(pairs[(agree >= SIMILAR) & (signatures[:, 0] >= 0)])
    return np.concatenate(found).astype(np.int64)


def _joined(rows: int, pairs: Ints) -> Ints:
    """Number the groups that *pairs* join (labels that fall until none does)."""
    lowest = np.arange(rows)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    for _ in range(64):
        least = np.minimum(lowest[pairs[:, 0]], lowest[pairs[:, 1]])
        before = lowest.copy()
        np.minimum.at(lowest, pairs[:, 0], least)
        np.minimum.at(lowest, pairs[:, 1], least)
        lowest = lowest[lowest]
        if np.array_equal(before, lowest):
            break
    return np.unique(lowest, return_inverse=True)[1].astype(np.int64)

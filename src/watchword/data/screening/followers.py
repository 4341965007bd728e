"""What follows a label and nothing else: a word that texts of one label share, spread over them as if by lot.

Poison that keeps the right label (clean-label) is invisible to a vote: its rows are labelled as the rest would label
them. But a word that was put there from outside goes with nothing else in the texts. An honest word that tells a label
comes with the other words of its subject.

1. A word whose rows have one label but for IMPURE of them, where that is no chance: the label's share to the power of
   the rows, times the words looked at, at most FOLLOWS_FALSE; and no more than COMMON of the label has it.
2. Within the label, the other words are counted in its rows. Their counts are as even as in rows drawn by lot: the
   upper quartile of squared deviations is within three spreads of what DRAWS draws of as many rows give. A quartile,
   since a few words (those of one phrase) go together by their making.

So LEAST rows are needed, and a stamp that an office or a mailing list puts on mail of one label looks the same
(measured: SpamAssassin's corpus has two). It is told, for a person to look at; its rows have the label that the rest
says, so none is listed. Of pictures and tables nothing is told: there, everything that is rare is as if by lot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchword.data.screening.sample import Flags, Ints
from watchword.data.screening.space import Words

FOLLOWS_FALSE = 1e-4
IMPURE = 0.02
DRAWS = 40
COMMON = 0.4
LEAST = 40
"""Rows below which any word passes for one by lot. Origin: honest words of 17 to 21 rows did (SpamAssassin)."""
_LOOKED_AT_MAX = 60
_COUNTED_MIN = 3.0


@dataclass(frozen=True)
class Follower:
    """A word that follows ``label``: the ``members`` that have it, ``others`` of other labels, its corrected chance."""

    label: int
    said: str
    members: tuple[int, ...]
    others: int
    chance: float


def followers(words: Words, labels: Ints, classes: int, seed: int) -> tuple[Follower, ...]:
    """The words that follow a label and nothing else, most certain first."""
    use = words.single[words.words]
    rows, word = words.rows[use], words.words[use]
    size = np.bincount(word, minlength=words.count)
    found: list[Follower] = []
    for label in range(classes):
        own = labels == label
        hits = np.bincount(word, weights=own[rows], minlength=words.count)
        impure = size - hits
        # Each row of another label may be any of them.
        log_chance = hits * np.log(own.mean()) + impure * np.log(np.maximum(size, 1))
        log_chance += np.log(max(int(words.single.sum()), 1) * classes)
        fits = (log_chance <= np.log(FOLLOWS_FALSE)) & (impure <= IMPURE * size)
        fits &= (size >= LEAST) & (hits <= COMMON * own.sum())
        order = np.flatnonzero(fits)
        within = _Within(rows, word, own, words.count, seed)
        for at in order[np.argsort(log_chance[order], kind="stable")][:_LOOKED_AT_MAX]:
            members = rows[(word == at) & own[rows]]
            if within.by_lot(members):
                chance = float(np.exp(max(log_chance[at], -690.0)))
                told = tuple(int(row) for row in members)
                found.append(Follower(label, words.name(int(at)), told, int(impure[at]), chance))
    return tuple(sorted(found, key=lambda one: (one.chance, one.said)))


class _Within:
    """The words of the rows of one label."""

    def __init__(self, rows: Ints, word: Ints, own: Flags, count: int, seed: int) -> None:
        keep = own[rows]
        self._rows, self._word = rows[keep], word[keep]
        self._own, self._count, self._total = np.flatnonzero(own), count, len(own)
        self._often = np.bincount(self._word, minlength=count)
        self._draw = np.random.default_rng(seed)
        self._drawn: dict[int, tuple[float, float]] = {}

    def by_lot(self, rows: Ints) -> bool:
        """Whether other words are as even in *rows* as in rows drawn by lot."""
        # Nearly as many rows give nearly the same spread: it is drawn once for each tenth more.
        step = round(float(np.log(len(rows))) / 0.1)
        if step not in self._drawn:
            drawn = [self._uneven(self._draw.choice(self._own, len(rows), replace=False)) for _ in range(DRAWS)]
            self._drawn[step] = float(np.mean(drawn)), float(np.std(drawn))
        mean, spread = self._drawn[step]
        return 0 <= self._uneven(rows) <= mean + 3 * spread

    def _uneven(self, rows: Ints) -> float:
        """The upper quartile of squared deviations of words' counts; below nothing where too few can be counted."""
        inside = np.zeros(self._total, dtype=np.bool_)
        inside[rows] = True
        seen = np.bincount(self._word, weights=inside[self._rows], minlength=self._count)
        share = len(rows) / len(self._own)
        wanted = self._often * share
        counted = (wanted >= _COUNTED_MIN) & (self._often < 0.9 * len(self._own))
        if counted.sum() < 20:
            return -1.0
        part = self._often[counted] / len(self._own)
        spread = len(rows) * part * (1 - part) * (1 - share)
        return float(np.quantile((seen[counted] - wanted[counted]) ** 2 / spread, 0.75))

"""The screen of one delivery: what looks planted in it, with how much power, and what no screen can see.

Four types of evidence, each with its own test; none is averaged with another:

* *label*, one row: is its label what the rest says? With trusted rows, conformal p-values of its surprise, by Benjamini
  and Hochberg; else the posterior that it was drawn blindly, where a share of blind labels explains the data better by
  BLIND_GAIN.
* *trigger*, a group of one label that shares something: would the rest label it otherwise? (``hypotheses``)
* *copies*, a group of copies of one label: FLOOD rows and FLOOD_SHARE of all, whose label the rest gives with less than
  FLOOD_EXPECTED. Copies whose label fits are told, not listed.
* *origin*, a source or annotator (``shift``).
* Beside them, told and never listed: words that follow a label and nothing else (``followers``).

* The assumption of the first three is looked at first: labels follow from content (``vote.follows``). Where they do
  not, groups and floods are told without a vote, nothing is listed against the delivery itself, and that is said.
* Closed test: the types are four hypotheses, and each is tested at FALSE / 4. A row is *listed* when a type that
  passed lists
  it; within a type the list is cut where its expected share of false rows passes LISTED_FALSE.
* Every row has a rank: the strongest evidence of any type that passed, then its surprise. A rank is not an accusation.
* Without trusted rows all reference is the delivery itself: then majority poison is the new truth, and nothing here
  sees it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchword.data.screening.cells import bands, cells_of
from watchword.data.screening.conformal import conformal, false_discovery
from watchword.data.screening.copies import Copies, copies_of
from watchword.data.screening.followers import Follower, followers
from watchword.data.screening.hypotheses import Hypothesis, hypotheses
from watchword.data.screening.network import learn
from watchword.data.screening.sample import Floats, Sample
from watchword.data.screening.shift import Drift, Origin, drifts, origins
from watchword.data.screening.space import components, parts_of, space_of, words_of
from watchword.data.screening.spectra import standing_out
from watchword.data.screening.vote import FOLLOWS, Vote, folds, follows, vote

LISTED_FALSE = 0.05
FALSE = 0.01
BLIND_GAIN = 5.0
"""Log likelihood by which blind labels must explain the data better. Origin: twice it is chi-squared with one degree of
freedom where votes are calibrated, so p = 0.002; a quarter of FALSE."""
_DETAIL = 256
FLOOD = 10
FLOOD_SHARE = 0.005
FLOOD_EXPECTED = 0.3


@dataclass(frozen=True)
class Flood:
    """Copies of one row whose label is not what the rest says; ``rows`` in order."""

    rows: tuple[int, ...]
    label: int
    expected: float


@dataclass(frozen=True)
class Screened:
    """What a screen found.

    Attributes:
        listed: rows (from 0) with at most LISTED_FALSE expected false among them, strongest first, with the type.
        scores: one a row, 0 to 1: the rank. surprise: of the label alone.
        blind: estimated share of labels drawn blindly; ``blind_counts``: whether it passed.
        follows: how far labels follow from content; ``supported``: whether far enough for evidence about labels.
        copies: how many groups of copies, rows in them; ``conflicts``: rows whose copies have another label.
    """

    listed: tuple[tuple[int, str], ...]
    scores: Floats
    surprise: Floats
    expected: Floats
    blind: float
    blind_counts: bool
    hypotheses: tuple[Hypothesis, ...]
    floods: tuple[Flood, ...]
    followers: tuple[Follower, ...]
    origins: tuple[Origin, ...]
    drifts: tuple[Drift, ...]
    copy_groups: int
    copy_rows: int
    conflicts: tuple[int, ...]
    reference: str
    follows: float

    @property
    def supported(self) -> bool:
        """Whether these data support evidence about labels."""
        return self.follows >= FOLLOWS


def screen(sample: Sample, seed: int = 0) -> Screened:
    """Screen a sample; the same sample and seed give the same result."""
    words = words_of(sample.texts) if sample.texts is not None else None
    parts = parts_of(sample, words)
    space = space_of(parts, seed)
    copies = copies_of(sample, space, words, seed)
    fold = folds(copies.group, seed)
    learned = learn(space, sample.labels, sample.classes, fold, seed)
    taken = vote(space, parts, learned.path, sample.labels, sample.classes, copies.group, fold, seed)
    rough = _rough(sample)
    detail = components(np.concatenate([*parts, *rough], axis=1), _DETAIL, seed)
    layers = [("spectrum of detail", detail), ("spectrum", space), ("spectrum of the network", learned.inside)]
    layers += [("spectrum of bands", bands_) for bands_ in rough]
    standing = standing_out(tuple(layers), learned.calm, sample.labels, sample.classes)
    share = follows(space, taken, sample.labels, sample.classes, seed)
    supported = share >= FOLLOWS
    cells = cells_of(sample, words)
    found = hypotheses(cells, space, detail, standing, taken, sample.labels, sample.classes, seed)
    floods = _floods(sample, copies, taken)
    expected = taken.expected.copy()
    for one in reversed(found):  # a group has taught the votes its own label: what counts is what they say without it
        expected[list(one.members)] = one.rest
    own = expected[np.arange(sample.rows), sample.labels]
    label_rows, counts, reference = _wrong_labels(sample, taken, supported)
    listed: dict[int, tuple[float, str]] = {row: (strength, "label") for row, strength in label_rows}
    scores = taken.surprise.copy()
    for one in found:
        scores = np.maximum(scores, one.scores)
        for row in (row for row in _cut(one.scores) if supported and one.scores[row] > 0.5):
            listed[row] = max(listed.get(row, (0.0, "")), (float(one.scores[row]), "trigger"))
    for flood in floods:
        rows = np.array(flood.rows)
        scores[rows] = np.maximum(scores[rows], 1 - flood.expected / 2)
        listed |= {row: (1 - flood.expected / 2, "copies") for row in flood.rows if supported}
    order = sorted(listed, key=lambda row: (-listed[row][0], -float(taken.surprise[row]), row))
    return Screened(
        listed=tuple((row, listed[row][1]) for row in order),
        scores=scores,
        surprise=taken.surprise,
        expected=expected,
        blind=taken.blind,
        blind_counts=counts,
        hypotheses=tuple(found),
        floods=floods,
        followers=() if words is None else followers(words, sample.labels, sample.classes, seed),
        origins=origins(sample, own),
        drifts=drifts(sample),
        copy_groups=int((copies.sizes > 1).sum()),
        copy_rows=int(copies.sizes[copies.sizes > 1].sum()),
        conflicts=_conflicts(sample, copies),
        reference=reference,
        follows=share,
    )


def _rough(sample: Sample) -> list[Floats]:
    """Band energies of pictures, which no direction among pixels has, at the spread of the pixels."""
    if sample.images is None:
        return []
    energies = np.stack([energy for _, energy in bands(sample.images.mean(axis=3))], axis=1)
    energies = (energies - energies.mean(axis=0)) / (energies.std(axis=0) + 1e-9)
    spread = float(np.sqrt(sample.images.reshape(sample.rows, -1).var(axis=0).sum()))
    return [(energies * spread / np.sqrt(energies.shape[1])).astype(np.float32)]


def _wrong_labels(sample: Sample, taken: Vote, supported: bool) -> tuple[list[tuple[int, float]], bool, str]:
    trusted = sample.trusted
    own = taken.expected[np.arange(sample.rows), sample.labels]
    if trusted is not None and trusted.sum() >= 50:
        rows = np.flatnonzero(~trusted)
        chances = conformal(-np.log(own[rows]), -np.log(own[trusted]))
        found = rows[false_discovery(chances, LISTED_FALSE)]
        told = f"{int(trusted.sum()):,} trusted rows"
        return [(int(row), float(taken.surprise[row])) for row in found], len(found) > 0, told
    if taken.gain < BLIND_GAIN or not supported:
        return [], False, "the delivery itself"
    return [(row, float(taken.surprise[row])) for row in _cut(taken.surprise)], True, "the delivery itself"


def _cut(posterior: Floats) -> list[int]:
    """The rows, most certain first, of which at most LISTED_FALSE are expected to be false."""
    order = np.argsort(-posterior, kind="stable")
    false = np.cumsum(1 - posterior[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(false <= LISTED_FALSE)
    return [int(row) for row in order[: good[-1] + 1]] if len(good) else []


def _floods(sample: Sample, copies: Copies, taken: Vote) -> tuple[Flood, ...]:
    found = []
    least = max(FLOOD, round(FLOOD_SHARE * sample.rows))
    for group in np.flatnonzero(copies.sizes >= least):
        rows = np.flatnonzero(copies.group == group)
        label = int(np.bincount(sample.labels[rows]).argmax())
        # Copies are one case, not many: what the rest says of them is asked once.
        expected = float(taken.expected[rows, label].mean())
        if expected < FLOOD_EXPECTED and (sample.labels[rows] == label).mean() > 0.9:
            found.append(Flood(tuple(int(row) for row in rows), label, expected))
    return tuple(sorted(found, key=lambda one: -len(one.rows)))


def _conflicts(sample: Sample, copies: Copies) -> tuple[int, ...]:
    pairs = np.unique(np.stack([copies.group, sample.labels], axis=1), axis=0)
    many = np.bincount(pairs[:, 0], minlength=len(copies.sizes)) > 1
    return tuple(int(row) for row in np.flatnonzero(many[copies.group]))

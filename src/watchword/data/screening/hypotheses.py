"""Trigger hypotheses: a group of rows of one label that share something, and that the other rows would label otherwise.

1. *Candidates* come from cells (``cells``): those whose rows carry one label more often than the votes expect,
   counted among
   rows for which the vote says another label; and those with nearly one label at all. Beside them, for each label, the
   ends of its own principal axes in detail space: clusters within a label; and what stands out of it layer by layer
   (``spectra``).
2. Each is taken as it is, and *grown* within its label: the direction in detail space that tells it from the rest of
   the label, under the
   label's own covariance, and all rows on its side. So half a trigger finds the other half.
3. *The counterfactual*: the group is taken out, and the rest votes on it. A group is evidence when the rest would
   give its
   rows other labels far more often than it does for rows of that label: Chernoff's bound on a binomial (valid for
   unequal
   chances, Hoeffding 1956), times the candidates looked at, at most HYPOTHESIS_FALSE.
4. The groups of a label are never most of it (SHARE): then what is left would be the group.
5. A natural cluster, left out, lies alone: its neighbours outside are few and the same for all. So the neighbours of a
   group must be as *varied* as VARIED of those of as many rows at random, and the group at most SHARE of its label.

What is named beside a group are the cells that tell it best, with support, purity and counter-examples. A real
shortcut in
the world looks the same as a planted one: the finding is an unexplained shortcut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchword.data.screening.cells import Cells
from watchword.data.screening.sample import Flags, Floats, Ints
from watchword.data.screening.spectra import Found
from watchword.data.screening.vote import Vote, without

HYPOTHESIS_FALSE = 1e-4
VARIED = 0.6
SPREAD = 0.5
"""As VARIED, beside rows of which the rest says the same while the group is in. Origin: planted groups of real sets
have 0.52 and more, the natural clusters that VARIED lets pass mostly less."""
INSTEAD = 0.35
LONE = ((0.9, 0.75, 1e-25), (0.99, SPREAD, 1e-70))
"""When a group that no cell tells is told all the same: how far it stands alone among all rows, how varied the rows
around it are, the chance. The surer the rest is, the less varied they must be: what bends or blurs a picture moves it
to where few others are."""
SHARP_INSTEAD = 0.2
SHARP_TELLING = 0.7
TELLING = 0.5
SHARE = 0.55
SHARE_OF_ALL = 0.15
PURITY = 0.5
SUPPORT = 8
_UNLIKELY = 0.3
_CANDIDATES = 24
_NAMED = 5


@dataclass(frozen=True)
class Named:
    """A cell that tells a group: ``support`` rows of the group in it, of ``rows`` in all; ``others``,
    counter-examples."""

    kind: str
    said: str
    rows: int
    support: int
    purity: float
    others: tuple[int, ...]


@dataclass(frozen=True)
class Hypothesis:
    """A group of rows of label ``label`` that the rest would label otherwise.

    ``members``: its rows. ``expected``: how many of them the rest would label so. ``chance``: corrected probability.
    ``varied``: see rule 5. ``from_labels``: what the rest would say instead, most first. ``scores``: one a row, 0 to 1.
    ``rest``: what the rest says of each member once the group is out, (members, classes). ``by``: the detectors that
    led to it.
    """

    label: int
    members: tuple[int, ...]
    expected: float
    chance: float
    varied: float
    telling: float
    from_labels: tuple[tuple[int, int], ...]
    named: tuple[Named, ...]
    scores: Floats
    rest: Floats
    by: tuple[str, ...]


@dataclass
class _Group:
    by: str
    members: Ints
    scores: Floats
    expected: float
    log_chance: float
    varied: float
    telling: float
    spread: float
    votes: Floats


def hypotheses(
    cells: Cells,
    space: Floats,
    detail: Floats,
    standing: list[list[Found]],
    taken: Vote,
    labels: Ints,
    classes: int,
    seed: int,
) -> list[Hypothesis]:
    """Every group that passes, most certain first; those that share most of their rows are one. *standing*: what
    ``spectra`` cut out of each label."""
    wanted = candidates(cells, taken, labels, classes)
    white = _whitened(detail)
    found: list[tuple[float, int, _Group]] = []
    looked = 0
    for label in range(classes):
        own = np.flatnonzero(labels == label)
        if len(own) < 2 * SUPPORT:
            continue
        grower = _Grower(detail, own)
        starts = [("cells", np.searchsorted(own, rows)) for rows in wanted[label]]
        starts += [(by, np.searchsorted(own, rows)) for by, rows in standing[label]]
        tried = [(by, _as_it_is(start, len(own))) for by, start in starts]
        starts += [("axes", start) for start in grower.ends()]
        tried += [(by, grown) for by, start in starts if (grown := grower.grow(start)) is not None]
        seen: set[bytes] = set()
        for by, grown in tried:
            if (key := np.packbits(grown[0]).tobytes()) in seen:
                continue
            seen.add(key)
            looked += 1
            group = _counterfactual(own, by, grown, space, white, taken, labels, classes, label, seed)
            if group is not None:
                found.append((group.log_chance, label, group))
    limit = np.log(HYPOTHESIS_FALSE / max(looked, 1))
    told: list[tuple[float, int, _Group, Floats]] = []
    for log_chance, label, group in found:
        if log_chance >= limit:
            continue
        hits = _hits(cells, group.members, len(labels))
        share = _best_share(cells, hits, group.members)
        sharp = group.expected <= SHARP_INSTEAD * len(group.members)
        alone = sharp and any(
            group.telling >= telling and group.spread >= spread and log_chance < np.log(false / max(looked, 1))
            for telling, spread, false in LONE
        )
        if alone or share >= (TELLING if sharp else SHARP_TELLING):
            # Of groups that share rows, the one that something tells best explains the others.
            told.append((log_chance * max(share, 0.3) ** 2, label, group, hits))
    kept: list[tuple[int, _Group, Floats]] = []
    for _, label, group, hits in sorted(told, key=lambda one: one[0]):
        before = [one.members for at, one, _ in kept if at == label]
        # What is left of a label once most of it is out is the label itself, not one more group.
        whole = len(np.unique(np.concatenate([group.members, *before]))) <= SHARE * np.count_nonzero(labels == label)
        if whole and not any(_same(group.members, members) for members in before):
            kept.append((label, group, hits))
    made = []
    for label, group, hits in kept:
        led = {one.by for _, at, one, _ in told if at == label and _same(group.members, one.members)}
        scores, rest = _weighed(cells, hits, group, space, taken, labels, classes, label, seed)
        made.append(_told(cells, hits, label, group, scores, rest, labels, looked, sorted(led)))
    return made


def _hits(cells: Cells, members: Ints, rows: int) -> Floats:
    inside = np.zeros(rows, dtype=np.bool_)
    inside[members] = True
    return np.bincount(cells.cell_of, weights=inside[cells.rows], minlength=cells.count)


def _best_share(cells: Cells, hits: Floats, members: Ints) -> float:
    """The best cell's share of the group, or the group's share of that cell, whichever is less."""
    if not cells.count:
        return 0.0
    return float(np.minimum(hits / len(members), hits / np.diff(cells.bounds)).max())


def _weighed(
    cells: Cells, hits: Floats, group: _Group, space: Floats, taken: Vote, labels: Ints, classes: int, label: int,
    seed: int,
) -> tuple[Floats, Floats]:  # fmt: skip
    """How likely each row of the label belongs to the group: the direction, the cells that are the group's own, and
    what
    the rest says of the row once the group is taken out, as odds that are multiplied."""
    own = np.flatnonzero(labels == label)
    inside = np.zeros(len(labels), dtype=np.bool_)
    inside[group.members] = True
    rest = without(space, taken, inside, own, labels, classes, seed)
    votes = rest[:, label]
    odds = np.log(np.clip(1 - votes, 0.02, 0.98) / np.clip(votes, 0.02, 0.98))
    odds += 8 * (np.clip(group.scores[own], -0.5, 1.5) - 0.5) + np.log(len(group.members) / len(own))
    exclusive = (hits >= SUPPORT) & (hits >= 0.95 * np.diff(cells.bounds)) & (hits >= 0.3 * len(group.members))
    marked = np.zeros(len(labels), dtype=np.float32)
    marked[cells.rows[exclusive[cells.cell_of]]] = 1.0
    odds += 6.0 * marked[own]
    scores = np.zeros(len(labels), dtype=np.float32)
    scores[own] = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
    return scores, rest[inside[own]]


def candidates(cells: Cells, taken: Vote, labels: Ints, classes: int) -> list[list[Ints]]:
    """For each label, the rows of the cells worth a look."""
    cell_of, size = cells.cell_of, np.diff(cells.bounds)
    chosen: list[list[Ints]] = []
    own_label = labels[cells.rows]
    for label in range(classes):
        is_label = own_label == label
        total = int((labels == label).sum())
        expected = taken.expected[:, label]
        unlikely = expected < _UNLIKELY
        base = float((labels[unlikely] == label).sum() + 1) / float(expected[unlikely].sum() + 1)
        rare = unlikely[cells.rows]
        asked = np.bincount(cell_of, weights=rare, minlength=cells.count)
        hits = np.bincount(cell_of, weights=rare & is_label, minlength=cells.count)
        chance = np.bincount(cell_of, weights=rare * expected[cells.rows], minlength=cells.count) * max(base, 1.0)
        surprising = asked * _divergence(hits, asked, chance)
        surprising[(hits < SUPPORT // 2) | (hits < 0.4 * asked)] = 0.0
        every = np.bincount(cell_of, weights=is_label, minlength=cells.count)
        pure = size * _divergence(every, size, size * total / len(labels))
        pure[(every < SUPPORT) | (every < 0.7 * size) | (every > SHARE * total)] = 0.0
        mine: list[Ints] = []
        for strength in (surprising, pure):
            for cell in np.argsort(-strength, kind="stable")[: 6 * _CANDIDATES]:
                if strength[cell] <= np.log(cells.count + 1) or len(mine) >= 2 * _CANDIDATES:
                    break
                rows = cells.members(int(cell))
                rows = rows[labels[rows] == label]
                if not any(_alike(rows, other) for other in mine):
                    mine.append(rows)
        chosen.append(mine)
    return chosen


def _divergence(hits: Floats, asked: Floats, chance: Floats) -> Floats:
    """Chernoff's exponent a trial: KL(hits / asked ‖ chance / asked) where there are more hits than expected, else
    0."""
    asked = np.maximum(asked, 1)
    seen = np.clip(hits / asked, 0, 1)
    wanted = np.clip(chance / asked, 1e-4, 1 - 1e-6)
    with np.errstate(divide="ignore", invalid="ignore"):
        gone = np.where(seen < 1, (1 - seen) * np.log((1 - seen) / (1 - wanted)), 0.0)
        made = np.where(seen > 0, seen * np.log(seen / wanted), 0.0) + gone
    return np.where(seen > wanted, made, 0.0)


class _Grower:
    """The rows of one label in detail space, under their own covariance."""

    def __init__(self, detail: Floats, own: Ints) -> None:
        rows = detail[own]
        self._all, self._own, self._middle = detail, own, rows.mean(axis=0)
        self._rows = rows - self._middle
        wide = rows.shape[1]
        covariance = (self._rows.T @ self._rows / len(rows)).astype(np.float64)
        self._values, self._axes = np.linalg.eigh(covariance)
        shrunk = 0.05 * float(np.trace(covariance)) / wide + 1e-9
        self._whiten = (self._axes / np.sqrt(np.maximum(self._values, 0) + shrunk)).astype(np.float32)
        self._white = (self._rows @ self._whiten).astype(np.float32)

    def ends(self) -> list[Ints]:
        """The rows far out on either side of the label's first axes."""
        found = []
        for axis in range(1, min(13, self._white.shape[1] + 1)):
            line = self._white[:, -axis]
            spread = float(np.median(np.abs(line - np.median(line)))) * 1.4826 + 1e-9
            for sign in (1, -1):
                for bound in (0.0, 2.5) if axis <= 6 else (2.5,):
                    far = np.flatnonzero(sign * (line - np.median(line)) > bound * spread)
                    if SUPPORT <= len(far) <= SHARE * len(line):
                        found.append(far)
        return found

    def grow(self, start: Ints) -> tuple[Flags, Floats] | None:
        """Which rows of the label lie on the side of *start*, and how far, between 0 and 1."""
        inside = np.zeros(len(self._white), dtype=np.bool_)
        inside[start] = True
        for _ in range(4):
            if not SUPPORT <= inside.sum() <= SHARE * len(inside):
                return None
            here, there = self._white[inside], self._white[~inside]
            way = here.mean(axis=0) - there.mean(axis=0)
            # A group of few rows has a mean that is mostly chance: what chance would give is taken off.
            noise = here.var(axis=0) / len(here) + there.var(axis=0) / len(there)
            way = way * np.maximum(0.0, 1 - 2 * noise / np.maximum(way**2, 1e-12))
            line = self._white @ way.astype(np.float32)
            low, high = float(np.median(line[~inside])), float(np.median(line[inside]))
            if high <= low:
                return None
            scores = (line - low) / (high - low)
            inside = scores > 0.5
        if not inside.any():
            return None
        return inside, scores.astype(np.float32)


def _as_it_is(start: Ints, rows: int) -> tuple[Flags, Floats]:
    inside = np.zeros(rows, dtype=np.bool_)
    inside[start] = True
    return inside, inside.astype(np.float32)


def _counterfactual(
    own: Ints,
    by: str,
    grown: tuple[Flags, Floats],
    space: Floats,
    white: Floats,
    taken: Vote,
    labels: Ints,
    classes: int,
    label: int,
    seed: int,
) -> _Group | None:
    inside, scores = grown
    members = own[inside]
    if not SUPPORT <= len(members) <= min(SHARE * len(own), SHARE_OF_ALL * len(labels)):
        return None
    group = np.zeros(len(labels), dtype=np.bool_)
    group[members] = True
    asking = members
    if len(members) > 400:
        asking = np.sort(np.random.default_rng(seed).choice(members, 400, replace=False))
    votes = without(space, taken, group, asking, labels, classes, seed)
    expected = float(np.clip(votes[:, label], 0.02, 1.0).sum()) * len(members) / len(asking)
    unlikely = int((votes[:, label] < _UNLIKELY).sum()) * len(members) / len(asking)
    if unlikely < PURITY * len(members):
        return None
    if expected > INSTEAD * len(members):
        return None
    asked = np.array([float(len(members))])
    log_chance = -float(asked[0] * _divergence(asked, asked, np.array([expected]))[0])
    likely = np.argmax(taken.expected, axis=1)
    varied = _varied(taken.near, members, group, likely, np.argmax(votes, axis=1), seed)
    spread = _varied(taken.near, members, group, likely, likely, seed)
    telling = _telling(white, group)
    if varied < VARIED or spread < SPREAD:
        return None
    everywhere = np.zeros(len(labels), dtype=np.float32)
    everywhere[own] = scores
    return _Group(by, members, everywhere, expected, log_chance, varied, telling, spread, votes)


def _telling(white: Floats, group: Flags) -> float:
    """How alone the group stands among all rows on the direction that tells it: its share of the rows as far as half
    of it.

    A group of rows that merely look like another label stands among the rows of that label.
    """
    line = white @ (white[group].mean(axis=0) - white[~group].mean(axis=0))
    far = line >= np.median(line[group])
    return float((far & group).sum() / far.sum())


def _whitened(detail: Floats) -> Floats:
    centred = detail - detail.mean(axis=0)
    covariance = (centred.T @ centred / len(centred)).astype(np.float64)
    values, axes = np.linalg.eigh(covariance)
    shrunk = 0.05 * float(np.trace(covariance)) / len(values) + 1e-9
    made: Floats = centred @ (axes / np.sqrt(np.maximum(values, 0) + shrunk)).astype(np.float32)
    return made


def _varied(near: Ints, members: Ints, group: Flags, likely: Ints, instead: Ints, seed: int) -> float:
    """Different neighbours outside the group, as a share of those that as many rows have of which the rest says the
    same.

    *likely*: what the rest says of every row; *instead*: what it says of some members.
    """
    draw = np.random.default_rng(seed)
    some = members if len(members) <= 400 else draw.choice(members, 400, replace=False)
    weight = np.bincount(instead, minlength=int(likely.max()) + 1)[likely].astype(np.float64)
    weight[group] = 0.0
    weight /= np.maximum(np.bincount(likely, minlength=int(likely.max()) + 1), 1)[likely]
    if np.count_nonzero(weight) < len(some):
        return 0.0
    other = draw.choice(len(near), len(some), replace=False, p=weight / weight.sum())

    def different(rows: Ints) -> float:
        rest = ~group[near[rows]]
        first = rest & (np.cumsum(rest, axis=1) <= 5)
        return len(np.unique(near[rows][first])) / max(int(first.sum()), 1)

    return different(some) / max(different(other), 1e-9)


def _alike(one: Ints, other: Ints) -> bool:
    """Whether two sets of rows are mostly the same rows."""
    least, most = sorted((len(one), len(other)))
    return least > 0.7 * most and len(np.intersect1d(one, other, assume_unique=True)) > 0.7 * most


def _same(one: Ints, other: Ints) -> bool:
    both = len(np.intersect1d(one, other, assume_unique=True))
    return both > 0.5 * min(len(one), len(other))


def _told(
    cells: Cells, hits: Floats, label: int, group: _Group, scores: Floats, rest: Floats, labels: Ints, looked: int,
    by: list[str],
) -> Hypothesis:  # fmt: skip
    size = np.diff(cells.bounds).astype(np.float64)
    share = len(group.members) / len(labels)
    strength = size * _divergence(hits, size, size * share) if cells.count else np.empty(0)
    named: list[Named] = []
    rows_named: list[Ints] = []
    # Of cells that tell it equally well the last is the most particular: a phrase stands after its words.
    for cell in np.lexsort((-np.arange(len(strength)), -strength))[:60]:
        rows = cells.members(int(cell))
        if len(named) >= _NAMED or strength[cell] <= 0:
            break
        kind, said = cells.tell(int(cell))
        if any(len(np.intersect1d(rows, other)) > 0.95 * max(len(rows), len(other)) for other in rows_named):
            continue
        rows_named.append(rows)
        others = rows[labels[rows] != label]
        purity = 1 - len(others) / len(rows)
        named.append(Named(kind, said, len(rows), int(hits[cell]), purity, tuple(int(row) for row in others[:5])))
    instead = np.bincount(np.argmax(group.votes, axis=1), minlength=1)
    order = [int(at) for at in np.argsort(-instead, kind="stable") if instead[at] and at != label][:5]
    return Hypothesis(
        label=label,
        members=tuple(int(row) for row in group.members),
        expected=group.expected,
        chance=float(np.exp(max(group.log_chance + np.log(max(looked, 1)), -690.0))),
        varied=group.varied,
        telling=group.telling,
        from_labels=tuple((at, int(instead[at])) for at in order),
        named=tuple(named),
        scores=scores,
        rest=rest,
        by=tuple(by),
    )

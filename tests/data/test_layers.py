"""Layer 2: margins on the way, superposition and whitened spectra lead to groups that nothing else shows, by seed."""

from __future__ import annotations

import pytest

numpy = pytest.importorskip("numpy", reason="the extra data")

from watchword.data.screening.network import BLENDS, HIDDEN, learn  # noqa: E402
from watchword.data.screening.planting import plant  # noqa: E402
from watchword.data.screening.screen import screen  # noqa: E402
from watchword.data.screening.spectra import standing_out  # noqa: E402
from watchword.data.screening.vote import FOLDS, folds  # noqa: E402

ROWS, WIDE, LABELS = 600, 12, 3


@pytest.fixture(scope="module")
def clouds():
    """600 points in 12 directions, in three clouds of 200: (points, labels, folds)."""
    draw = numpy.random.default_rng(4)
    labels = numpy.arange(ROWS) % LABELS
    points = draw.normal(size=(ROWS, WIDE)) + 4 * numpy.eye(LABELS, WIDE)[labels]
    return points.astype("float32"), labels, folds(numpy.arange(ROWS), 0)


def test_the_margin_of_a_wrong_label_is_low_on_the_way(clouds):
    """Thirty labels moved on by one: their own label's mean chance is below nearly every right label's."""
    points, labels, fold = clouds
    wrong = labels.copy()
    wrong[:30] = (wrong[:30] + 1) % LABELS
    own = learn(points, wrong, LABELS, fold, 0).path[numpy.arange(ROWS), wrong]
    assert (own[:30] < numpy.quantile(own[30:], 0.05)).mean() > 0.9


def test_no_row_is_judged_by_a_network_that_saw_it(clouds):
    """One row's own label is changed: what is said of it stays as it was. Seen to fail when all rows are taught."""
    points, labels, fold = clouds
    other = labels.copy()
    other[7] = (other[7] + 1) % LABELS
    one, two = (learn(points, told, LABELS, fold, 0) for told in (labels, other))
    # Only the share of each label in all rows, a part of the doubt, has moved by one row.
    assert numpy.abs(one.path[7] - two.path[7]).max() < 0.01
    assert one.calm[7] == two.calm[7]


def test_copies_are_in_one_fold():
    """Else a copy would be judged by a network that saw its like."""
    fold = folds(numpy.array([0, 1, 2, 2, 2, 1, 3]), 5)
    assert len(set(fold[[2, 3, 4]])) == len(set(fold[[1, 5]])) == 1
    assert set(fold) <= set(range(FOLDS))


def test_what_outshouts_its_mixtures_is_calm(clouds):
    """Forty rows of other clouds carry a strong mark and one label: mixed with others, they still get that label."""
    points, labels, fold = clouds
    marked, told = points.copy(), labels.copy()
    some = numpy.flatnonzero(labels != 0)[:40]
    marked[some, -1] += 25
    told[some] = 0
    calm = learn(marked, told, LABELS, fold, 0).calm
    rest = numpy.setdiff1d(numpy.flatnonzero(told == 0), some)
    assert numpy.median(calm[some]) > numpy.quantile(calm[rest], 0.9)


def test_rows_calmer_than_any_of_other_labels_are_cut_out():
    """Label by label from its own middle, against the rows of the others: by conformal chance, and nothing else."""
    labels = numpy.arange(ROWS) % LABELS
    calm = numpy.random.default_rng(1).normal(size=ROWS) + 5 * labels
    some = numpy.flatnonzero(labels == 2)[:40]
    calm[some] += 6
    first, second, third = standing_out((), calm, labels, LABELS)
    assert (first, second) == ([], [])
    ((name, rows),) = third
    assert name == "superposition"
    assert numpy.isin(some, rows).all() and len(rows) <= 45


def test_a_group_that_makes_its_label_longer_is_cut_out_and_no_other(clouds):
    """Thirty rows of one label shifted aside, by less than labels are apart: cut out nearly whole."""
    points, labels, _ = clouds
    quiet = numpy.zeros(ROWS, dtype="float32")
    for label, groups in enumerate(standing_out((("points", points),), quiet, labels, LABELS)):
        assert all(len(rows) <= 5 for _, rows in groups), label
    shifted = points.copy()
    some = numpy.flatnonzero(labels == 1)[:30]
    shifted[some, 5:] += 2.5
    found = standing_out((("points", shifted),), quiet, labels, LABELS)
    name, rows = max(found[1], key=lambda one: len(one[1]))
    assert name == "points"
    assert numpy.isin(rows, some).mean() >= 0.9 and len(rows) >= 25
    assert all(len(rows) <= 5 for label in (0, 2) for _, rows in found[label])


def test_the_same_seed_gives_the_same_networks(clouds):
    """Nothing depends on the run; shapes are as told."""
    points, labels, fold = clouds
    one, two = learn(points, labels, LABELS, fold, 3), learn(points, labels, LABELS, fold, 3)
    assert (one.path == two.path).all() and (one.calm == two.calm).all() and (one.inside == two.inside).all()
    assert one.inside.shape == (ROWS, HIDDEN)
    assert (one.calm <= 0).all() and (one.calm >= -numpy.log(LABELS) * (1 + BLENDS * 1e-6)).all()


def test_labels_of_a_row_or_two_and_folds_without_rows_stop_nothing():
    """A handful of rows, a label of one row, a fold that holds all rows: an answer, without a warning."""
    points = numpy.arange(24, dtype="float32").reshape(8, 3)
    labels = numpy.array([0, 0, 0, 0, 1, 1, 1, 2])
    for fold in (numpy.zeros(8, dtype=int), numpy.arange(8) % 2):
        learned = learn(points, labels, 3, fold, 0)
        assert numpy.isfinite(learned.path).all() and numpy.isfinite(learned.calm).all()
    assert standing_out((("points", points),), learned.calm, labels, 3) == [[], [], []]


def test_a_bend_of_pictures_is_found_as_a_group(digits):
    """One smooth warp in a row of twenty: nothing stands at a place, yet the group is found whole."""
    sample, planted = plant(digits, "warp", 0.05, 1)
    found = screen(sample)
    rows = [row for row, _ in found.listed]
    assert planted[rows].sum() >= 0.8 * planted.sum()
    assert planted[rows].mean() >= 0.8


def test_what_is_left_of_a_label_is_no_second_group(digits):
    """At ten rows of a hundred the poison is half of its label; the honest half, taken out, would pass the test too.
    Seen to fail without the rule that groups are never most of a label: 181 honest rows were listed."""
    sample, planted = plant(digits, "blend", 0.1, 0)
    found = screen(sample)
    rows = [row for row, _ in found.listed]
    assert planted[rows].mean() >= 0.95
    assert planted[rows].sum() >= 0.95 * planted.sum()
    assert any(name.startswith("spectrum") for one in found.hypotheses for name in one.by)

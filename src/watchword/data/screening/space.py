"""A space in which rows that look alike lie together, made without labels; and the words of texts.

* Numbers: signed log, centred, scaled by their spread, cut at five spreads; missing values take the median and have a
  column of their own. Categories: one column a value, for the values that most rows have.
* Images: pixels. Texts: words weighed by rarity (tf-idf), summed into HASHED signed columns.
* All together: principal components, at most DIMENSIONS, each part scaled by how many columns it has.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchword.data.screening.sample import Floats, Ints, Sample

DIMENSIONS = 64
HASHED = 768
_WORDS_MAX = 2000
_WORD = re.compile(r"\w+|[^\w\s]", re.UNICODE)
_FIT_ROWS = 20_000


@dataclass(frozen=True)
class Words:
    """The words of texts: *rows* and *words* side by side, once each. ``spelled`` has up to three words of each."""

    rows: Ints
    words: Ints
    often: Ints
    spelled: Ints
    vocabulary: tuple[str, ...]

    @property
    def count(self) -> int:
        """The number of words, pairs and triples."""
        return len(self.often)

    def name(self, word: int) -> str:
        """How a word, pair or triple is spelled."""
        return " ".join(self.vocabulary[at] for at in self.spelled[word] if at >= 0)

    @property
    def single(self) -> NDArray[np.bool_]:
        """Which are single words."""
        made: NDArray[np.bool_] = self.spelled[:, 1] < 0
        return made


def words_of(texts: tuple[str, ...], least: int = 3) -> Words:
    """Words, and pairs and triples of neighbours, that *least* rows or more have.

    Of a long text the first and the last thousand words are taken.
    """
    index: dict[str, int] = {}
    tokens, lengths = list[NDArray[np.int64]](), []
    for text in texts:
        words = _WORD.findall(text.lower())
        if len(words) > _WORDS_MAX:
            words = words[: _WORDS_MAX // 2] + words[-_WORDS_MAX // 2 :]
        tokens.append(np.array([index.setdefault(word[:40], len(index)) for word in words], dtype=np.int64))
        lengths.append(len(words))
    token, row = np.concatenate(tokens), np.repeat(np.arange(len(texts)), lengths)
    kinds, size = [], len(index) + 1
    for length in (1, 2, 3):
        ids, at = token.copy(), np.arange(len(token))
        if length > 1:
            at = at[: len(token) - length + 1]
            at = at[row[at] == row[at + length - 1]]
            ids = token[at]
            for step in range(1, length):
                ids = ids * size + token[at + step]  # three words of 2 million stay below 2^63
        kinds.append(_shared(ids, row[at], least))
    spelled = np.full((sum(len(often) for _, _, _, often in kinds), 3), -1, dtype=np.int64)
    rows, words_, often, first = [], [], [], 0
    for length, (of_row, place, ids, count) in enumerate(kinds, 1):
        rows.append(of_row)
        words_.append(place + first)
        often.append(count)
        for step in range(length):
            spelled[first : first + len(ids), length - 1 - step] = ids // size**step % size
        first += len(ids)
    order = np.lexsort((np.concatenate(words_), np.concatenate(rows)))
    return Words(
        np.concatenate(rows)[order], np.concatenate(words_)[order], np.concatenate(often), spelled, tuple(index)
    )


def _shared(ids: Ints, rows: Ints, least: int) -> tuple[Ints, Ints, Ints, Ints]:
    """(row, place in ids) once each, and the ids that *least* rows have, with how many do."""
    order = np.lexsort((rows, ids))
    ids, rows = ids[order], rows[order]
    fresh = np.ones(len(ids), dtype=np.bool_)
    fresh[1:] = (ids[1:] != ids[:-1]) | (rows[1:] != rows[:-1])
    ids, rows = ids[fresh], rows[fresh]
    known, inverse, count = np.unique(ids, return_inverse=True, return_counts=True)
    good = count >= least
    place = np.cumsum(good) - 1
    keep = good[inverse]
    return rows[keep], place[inverse[keep]], known[good], count[good]


def dense_words(words: Words, rows: int, columns: int = HASHED) -> Floats:
    """Texts as (rows, *columns*): tf-idf of words, each added with a sign to one column, rows of length one."""
    rarity = np.log(rows / np.maximum(words.often, 1)).astype(np.float32)
    hashed = np.array(
        [zlib.crc32(words.name(word).encode("utf-8", "replace")) for word in range(words.count)], dtype=np.int64
    )
    sign = np.where(hashed & 1, 1.0, -1.0).astype(np.float32)
    column = (hashed >> 1) % columns
    use = words.single[words.words]
    row, word = words.rows[use], words.words[use]
    place = row * columns + column[word]
    made = np.bincount(place, weights=rarity[word] * sign[word], minlength=rows * columns)
    dense: Floats = made.reshape(rows, columns).astype(np.float32)
    dense /= np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1e-6)
    return dense


def parts_of(sample: Sample, words: Words | None) -> list[Floats]:
    """The numeric parts of a sample, each (rows, columns), before principal components."""
    parts: list[Floats] = []
    if sample.images is not None:
        parts.append(sample.images.reshape(sample.rows, -1))
    if sample.numbers is not None:
        parts.append(tamed(sample.numbers))
    if words is not None:
        parts.append(dense_words(words, sample.rows, HASHED if sample.rows <= 50_000 else HASHED // 2))
    for _, values in sample.categories:
        top = [value for value, _ in Counter(values).most_common(50)]
        parts.append(np.stack([np.array([v == t for v in values], dtype=np.float32) for t in top], axis=1))
    return parts


def tamed(numbers: Floats) -> Floats:
    """Numbers on one scale: signed log where tails are heavy, centred on the median, cut at five spreads."""
    numbers = numbers.astype(np.float64)  # squares of what a 32-bit number holds overflow there
    missing = np.isnan(numbers)
    middle = np.nan_to_num(np.nanmedian(np.where(missing.all(axis=0), 0.0, numbers), axis=0))
    filled = np.where(missing, middle, numbers)
    heavy = np.abs(filled).max(axis=0) > 20 * (np.abs(filled).mean(axis=0) + 1e-12)
    scale = np.abs(filled).mean(axis=0) + 1e-12
    filled = np.where(heavy, np.sign(filled) * np.log1p(10 * np.abs(filled) / scale), filled)
    centred = filled - filled.mean(axis=0)
    spread = centred.std(axis=0)
    made = np.clip(centred / np.where(spread > 0, spread, 1.0), -5, 5)
    gaps = missing.any(axis=0)
    # Where one value is usual (no such word, no debt), having another is a fact beside how much.
    usual = (filled == np.median(filled, axis=0)) if len(filled) else missing
    often = (usual.mean(axis=0) > 0.3) & (usual.mean(axis=0) < 0.98)
    told = (~usual[:, often] - (~usual[:, often]).mean(axis=0)) * 1.0
    return np.concatenate([made, missing[:, gaps], told], axis=1).astype(np.float32)


def space_of(parts: list[Floats], seed: int) -> Floats:
    """One space of at most DIMENSIONS for all parts."""
    made = []
    for part in parts:
        reduced = components(part, DIMENSIONS, seed)
        spread = float(np.sqrt((reduced**2).sum(axis=1).mean()))
        # A part counts as much as it has room to say: one column of four values must not weigh as a whole text.
        made.append(reduced / (spread or 1.0) * np.float32((reduced.shape[1] / DIMENSIONS) ** 0.5))
    whole = np.concatenate(made, axis=1)
    made_one: Floats = components(whole, DIMENSIONS, seed) if len(made) > 1 else whole.astype(np.float32)
    return made_one


def components(part: Floats, count: int, seed: int) -> Floats:
    """The first *count* principal components of *part*; the axes are found on at most _FIT_ROWS rows."""
    middle = part.mean(axis=0)
    made: Floats
    if part.shape[1] <= count:
        made = (part - middle).astype(np.float32)
        return made
    some = part
    if len(part) > _FIT_ROWS:
        some = part[np.random.default_rng(seed).choice(len(part), _FIT_ROWS, replace=False)]
    centred = some - middle
    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    made = ((part - middle) @ axes[:, ::-1][:, :count].astype(np.float32)).astype(np.float32)
    return made

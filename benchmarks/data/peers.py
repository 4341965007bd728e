"""Others' tools and watchword on the same works: ``python -m benchmarks.data.peers``, each where it is installed.

* cleanlab 2.9: ``find_label_issues`` at its own threshold, and its label quality as a rank, on out-of-fold
  probabilities of scikit-learn's logistic regression over the same columns.
* ART 1.20: activation clustering and spectral signatures at their defaults, on a small network of PyTorch that was
  trained on the poisoned data; pictures only. The former gives no rank, the latter ranks what it flags.
* DataEval 1.1: outliers and duplicates at their defaults, pictures only. It does not claim to find poison.

A line has the AUROC and the share found at 1 % false where there is a rank, the share of rows flagged, the share of the
planted rows that are flagged, and ``found_ratio``: what watchword found of the same work to what the peer found.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.data.sets import SETS
from benchmarks.data.works import auroc, found_at
from watchword.data.screening.planting import plant
from watchword.data.screening.sample import Sample
from watchword.data.screening.screen import screen
from watchword.data.screening.space import parts_of, words_of

KINDS = {
    "digits": ("clean", "flip", "patch", "blend"),
    "spambase": ("clean", "flip", "value"),
    "mails": ("clean", "flip", "token"),
}
SHARE = 0.05
Judged = Iterator[tuple[str, Any, Any]]
"""(method, a rank or None, which rows are flagged)."""


def cleanlab(sample: Sample) -> Judged:
    """Confident learning."""
    from cleanlab.filter import find_label_issues  # type: ignore[import-not-found]
    from cleanlab.rank import get_label_quality_scores  # type: ignore[import-not-found]
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
    from sklearn.model_selection import cross_val_predict  # type: ignore[import-untyped]

    words = words_of(sample.texts) if sample.texts is not None else None
    inputs = np.concatenate(parts_of(sample, words), axis=1)
    odds = cross_val_predict(LogisticRegression(max_iter=300), inputs, sample.labels, cv=3, method="predict_proba")
    scores = 1 - get_label_quality_scores(sample.labels, odds)
    yield "confident learning", scores, find_label_issues(sample.labels, odds)


def art(sample: Sample) -> Judged:
    """Activation clustering and spectral signatures."""
    import torch
    from art.defences.detector.poison import (  # type: ignore[import-not-found]
        ActivationDefence,
        SpectralSignatureDefense,
    )
    from art.estimators.classification import PyTorchClassifier  # type: ignore[import-not-found]

    if sample.images is None:
        return
    torch.manual_seed(0)
    images, labels = sample.images.transpose(0, 3, 1, 2).astype(np.float32), np.eye(sample.classes)[sample.labels]
    side = images.shape[2] // 2
    network = torch.nn.Sequential(
        torch.nn.Conv2d(images.shape[1], 16, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.Flatten(), torch.nn.Linear(16 * side * side, 64), torch.nn.ReLU(),
        torch.nn.Linear(64, sample.classes),
    )  # fmt: skip
    model = PyTorchClassifier(
        network, torch.nn.CrossEntropyLoss(), images.shape[1:], sample.classes,
        optimizer=torch.optim.Adam(network.parameters(), 1e-3), clip_values=(0.0, 1.0), device_type="cpu",
    )  # fmt: skip
    model.fit(images, labels, batch_size=64, nb_epochs=20)
    _, clean = ActivationDefence(model, images, labels).detect_poison()
    yield "activation clustering", None, np.array(clean) == 0
    spectral = SpectralSignatureDefense(model, images, labels)
    report, clean = spectral.detect_poison()
    scores = np.array([float(np.ravel(report.get(at, 0.0))[0]) for at in range(len(clean))])
    yield "spectral signatures", scores, np.array(clean) == 0


def dataeval(sample: Sample) -> Judged:
    """Outliers and duplicates."""
    from dataeval.quality import Duplicates, Outliers  # type: ignore[import-not-found]

    if sample.images is None:
        return
    images = sample.images.transpose(0, 3, 1, 2)
    flagged = np.zeros(sample.rows, dtype=np.bool_)
    flagged[np.unique(Outliers().evaluate(images).data()["item_index"].to_numpy())] = True
    yield "outliers", None, flagged
    copies = np.zeros(sample.rows, dtype=np.bool_)
    for group in Duplicates().evaluate(images).data()["item_indices"].to_list():
        copies[list(group)] = True
    yield "duplicates", None, copies


PEERS: dict[str, Callable[[Sample], Judged]] = {"cleanlab": cleanlab, "ART": art, "DataEval": dataeval}


def works() -> list[dict[str, Any]]:
    """Each work by watchword and by each peer that is there."""
    done = []
    for name, kinds in KINDS.items():
        base = SETS[name](0)
        if base is None:
            print(f"data: the set {name} is not there and is left out", file=sys.stderr)
            continue
        for kind in kinds:
            sample, planted = base, np.zeros(base.rows, dtype=np.bool_)
            if kind != "clean":
                sample, planted = plant(base, kind, SHARE, 0)
            found = screen(sample)
            listed = np.zeros(base.rows, dtype=np.bool_)
            listed[[row for row, _ in found.listed]] = True
            own = _told("watchword", "screen", name, kind, found.scores, listed, planted)
            done.append(own)
            for peer, judge in PEERS.items():
                try:
                    for method, scores, flagged in judge(sample):
                        told = _told(peer, method, name, kind, scores, flagged, planted)
                        if told.get("found"):
                            told["found_ratio"] = own["found"] / told["found"]
                        done.append(told)
                except ImportError as error:
                    print(f"data: {peer} is not there and is left out: {error}", file=sys.stderr)
    return done


def _told(peer: str, method: str, name: str, kind: str, scores: Any, flagged: Any, planted: Any) -> dict[str, Any]:
    told = {"peer": peer, "method": method, "set": name, "kind": kind, "flagged": float(flagged.mean())}
    if planted.any():
        told["flagged_of_planted"] = float(flagged[planted].mean())
        if scores is not None:
            told |= {"auroc": auroc(scores, planted), "found": found_at(scores, planted)}
    print(json.dumps(told), flush=True)
    return told


if __name__ == "__main__":
    works()

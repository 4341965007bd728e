"""Others' tools on the same works: ``python -m benchmarks.data.peers``, where they are installed beside watchword.

cleanlab 2.9: ``find_label_issues`` at its own threshold, and its label quality as a rank, on out-of-fold probabilities
of scikit-learn's logistic regression over the same columns. ART's detectors need a network trained on the data, and
DataEval has no detector of poison: neither is run here.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

from benchmarks.data.sets import SETS
from benchmarks.data.works import auroc, found_at
from watchword.data.screening.planting import plant
from watchword.data.screening.space import parts_of, words_of

KINDS = {
    "digits": ("clean", "flip", "patch", "blend"),
    "spambase": ("clean", "flip", "value"),
    "mails": ("clean", "flip", "token"),
}
SHARE = 0.05


def works() -> list[dict[str, Any]]:
    """Each work by each peer that is there."""
    from cleanlab.filter import find_label_issues  # type: ignore[import-not-found]
    from cleanlab.rank import get_label_quality_scores  # type: ignore[import-not-found]
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
    from sklearn.model_selection import cross_val_predict  # type: ignore[import-untyped]

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
            words = words_of(sample.texts) if sample.texts is not None else None
            inputs = np.concatenate(parts_of(sample, words), axis=1)
            model = LogisticRegression(max_iter=300)
            odds = cross_val_predict(model, inputs, sample.labels, cv=3, method="predict_proba")
            scores = 1 - get_label_quality_scores(sample.labels, odds)
            flagged = find_label_issues(sample.labels, odds)
            told = {"peer": "cleanlab", "set": name, "kind": kind, "flagged": float(flagged.mean())}
            if planted.any():
                told |= {"auroc": auroc(scores, planted), "found": found_at(scores, planted)}
            done.append(told)
            print(json.dumps(told), flush=True)
    return done


if __name__ == "__main__":
    works()

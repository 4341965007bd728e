"""Honest files written by the real frameworks: nothing is found in them. A finding here is a false alarm."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import fractions
import functools
import io
import operator
import pathlib
import pickle
import random
import re
import types
import uuid
import warnings
import zoneinfo
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import scipy.sparse
from inspect_samples import look, name, program, state_dict_pickle, torch_legacy, torch_zip, verdict
from sklearn import (
    cluster,
    decomposition,
    ensemble,
    feature_extraction,
    gaussian_process,
    linear_model,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)

from watchword.inspect.facts import Verdict

RNG = np.random.default_rng(7)
X = RNG.normal(size=(60, 4))
Y = (X[:, 0] > 0).astype(int)
WORDS = ["the quick brown fox", "see https://example.org/a", "rm -rf / is a command", "import os"] * 15


class Colour(enum.Enum):
    RED = 1


def _models() -> dict[str, Any]:
    return {
        "forest": ensemble.RandomForestClassifier(4, random_state=0).fit(X, Y),
        "boosting": ensemble.GradientBoostingClassifier(n_estimators=4).fit(X, Y),
        "histogram-boosting": ensemble.HistGradientBoostingClassifier(max_iter=4).fit(X, Y),
        "isolation": ensemble.IsolationForest(n_estimators=4).fit(X),
        "logistic": linear_model.LogisticRegression().fit(X, Y),
        "sgd": linear_model.SGDClassifier(max_iter=5, tol=None).fit(X, Y),
        "svm": svm.SVC().fit(X, Y),
        "tree": tree.DecisionTreeClassifier().fit(X, Y),
        "neighbours": neighbors.KNeighborsClassifier(algorithm="kd_tree").fit(X, Y),
        "ball-tree": neighbors.KNeighborsClassifier(algorithm="ball_tree", metric="haversine").fit(X[:, :2], Y),
        "bayes": naive_bayes.GaussianNB().fit(X, Y),
        "mlp": neural_network.MLPClassifier((5,), max_iter=3).fit(X, Y),
        "kmeans": cluster.KMeans(3, n_init=1).fit(X),
        "pca": decomposition.PCA(2).fit(X),
        "gaussian-process": gaussian_process.GaussianProcessClassifier().fit(X, Y),
        "text": pipeline.make_pipeline(
            feature_extraction.text.TfidfVectorizer(ngram_range=(1, 2)), linear_model.LogisticRegression()
        ).fit(WORDS, [0, 1, 2, 3] * 15),
        "function-transformer": pipeline.make_pipeline(
            preprocessing.FunctionTransformer(np.log1p), preprocessing.StandardScaler()
        ).fit(np.abs(X)),
        "grid": pipeline.make_pipeline(preprocessing.OneHotEncoder(), linear_model.Ridge()).fit(X.round(), Y),
    }


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # they are not trained to the end
    MODELS = _models()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", MODELS)
def test_sklearn_model_is_nothing_found(model: str, tmp_path: Path) -> None:
    """A fitted estimator saved by pickle in every protocol, or by joblib plain and compressed, raises no alarm."""
    for protocol in range(6):
        assert look(pickle.dumps(MODELS[model], protocol), "m.pkl").findings == []
    for packing in (0, ("zlib", 3), ("xz", 1)):
        path = tmp_path / "m.joblib"
        joblib.dump(MODELS[model], path, compress=packing)
        assert look(path.read_bytes(), "m.joblib").findings == []


VALUES: dict[str, Any] = {
    "plain": {"a": [1, 2.5, None, True, "x", b"y" * 1000, (1, 2), {3}, frozenset({4})]},
    "big-text": ["z" * 200_000, "q" * 70_000],
    "big-bytes": [b"z" * 200_000, bytearray(b"q" * 70_000)],
    "many": [{"id": i, "name": f"n{i}"} for i in range(5000)],
    "arrays": [np.arange(1000), np.zeros((3, 0)), np.array(["a", "bb"]), np.float32(2), np.ma.masked_array([1], [0])],
    "structured": np.zeros(3, dtype=[("a", "<f4"), ("b", "U5"), ("c", "i8", (2,))]),
    "dates": [np.datetime64("2026-01-01"), np.array(["2026-01-01"], "M8[ns]"), datetime.datetime.now(datetime.UTC)],
    "objects": np.array([1, "x", {"k": [1]}], dtype=object),
    "random": [np.random.default_rng(1), np.random.RandomState(1), random.Random(3)],
    "ufunc": [np.add, np.log1p, np.vectorize(len)],
    "sparse": [scipy.sparse.csr_matrix(np.eye(3)), scipy.sparse.coo_array(np.eye(3))],
    "standard": [
        collections.OrderedDict(a=1),
        collections.defaultdict(list, a=[1]),
        collections.deque([1]),
        collections.Counter("ab"),
        decimal.Decimal("1.5"),
        fractions.Fraction(1, 3),
        uuid.UUID(int=5),
        re.compile("a+"),
        pathlib.PurePosixPath("/home/x"),
        zoneinfo.ZoneInfo("UTC"),
        datetime.timedelta(1),
        types.SimpleNamespace(a=1),
        slice(1, 2),
        range(3),
        complex(1, 2),
        functools.partial(operator.add, 1),
        operator.itemgetter(1),
        operator.attrgetter("name"),
        ValueError("x"),
        Ellipsis,
        type(None),
        "abc".upper,
        Colour.RED,
        datetime.UTC,
    ],
}


@pytest.mark.parametrize("value", VALUES)
def test_ordinary_values_are_nothing_found(value: str, tmp_path: Path) -> None:
    """Values that frameworks store in models raise no alarm, in any protocol or by joblib."""
    for protocol in range(2, 6):
        assert look(pickle.dumps(VALUES[value], protocol), "m.pkl").findings == [], protocol
    joblib.dump(VALUES[value], tmp_path / "m.joblib")
    assert look((tmp_path / "m.joblib").read_bytes(), "m.joblib").findings == []


def test_pytorch_files_are_nothing_found() -> None:
    """A state dict as PyTorch writes it, as archive and before 1.6, raises no alarm and names its framework."""
    for data, what in ((torch_zip(), "pytorch"), (torch_legacy(), "torch-legacy")):
        judged = look(data, "model.pt")
        assert judged.findings == []
        assert judged.format == what  # type: ignore[attr-defined]
        assert "torch" in judged.facts["modules"]
        assert judged.facts["tensors"] == 3
    assert look(state_dict_pickle(), "data.pkl").findings == []


def test_numpy_files_are_nothing_found() -> None:
    """Arrays saved by numpy, of numbers, text, structures and objects, raise no alarm."""
    out = io.BytesIO()
    np.savez_compressed(out, **{key: VALUES["arrays"][i] for i, key in enumerate("abc")}, o=VALUES["objects"])
    assert look(out.getvalue(), "a.npz").findings == []
    for value in (VALUES["structured"], VALUES["objects"], np.zeros((2, 3), order="F"), np.array(5)):
        out = io.BytesIO()
        np.save(out, value)
        assert look(out.getvalue(), "a.npy").findings == []


def test_training_state_of_known_frameworks_is_nothing_found() -> None:
    """Classes, enums and argument namespaces of training frameworks, which are not installed here, raise no alarm."""
    body = (
        name("transformers.training_args", "TrainingArguments") + b")\x81}(X\x03\0\0\0url"
        b"X\x13\0\0\0https://example.orgX\x03\0\0\0cmdX\x08\0\0\0rm -rf /ub0"
        + name("transformers.trainer_utils", "IntervalStrategy")
        + b"X\x02\0\0\0no\x85R0"
        + name("torch", "device")
        + b"X\x04\0\0\0cuda\x85R0"
        + name("argparse", "Namespace")
        + b")\x81}X\x02\0\0\0lrG?\xf0\0\0\0\0\0\0sb0"
        + name("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked")
        + name("pandas", "Index")
        + b"K\x05N\x87R0"
        + name("omegaconf.dictconfig", "DictConfig")
        + b")\x81}b0"
        + name("pandas.core.internals.managers", "BlockManager")
        + b")\x81}b0N"
    )
    assert look(program(body)).findings == []


@pytest.mark.parametrize(
    "text",
    [
        "# A model\n\nSome words.\n",
        "cos\nsin\ntan\n",
        "Nothing.\n",
        "I\n",
        "import os\nos.system('x')\n",
        "class A:\n  pass\n",
        "(a, b)\n",
        "a,b,c\n1,2,3\n",
        "]\n",
        "\ufeffcaf\u00e9\n",
        "0.5\n0.7\n",
        "pass.\n",
        '{"a": 1}',
        "- a\n- b: c\n",
        "N.\n",
    ],
)
def test_text_is_nothing_found(text: str) -> None:
    """Text that happens to begin like an opcode is no pickle."""
    assert verdict(text.encode(), "notes.txt") is Verdict.NOTHING_FOUND

"""Honest files, written by the frameworks' own savers, and those that installed packages ship.

``python -m benchmarks.inspect.corpus.saved FOLDER [GROUP …]``; without groups all that need no environment of their
own, and what the environment's packages ship. Every framework is optional: what is not installed writes nothing, and
is named on stderr.
"""

from __future__ import annotations

import importlib
import io
import pickle
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.inspect.corpus import saved_families
from benchmarks.inspect.corpus.cases import Case, place

SHIPPED = {
    **{suffix: "pickle" for suffix in ("pkl", "pickle", "p", "pck", "dill")},
    **{suffix: "torch" for suffix in ("pt", "pth", "ckpt")},
    **{"joblib": "joblib", "npy": "numpy", "npz": "npz", "onnx": "onnx", "safetensors": "safetensors"},
    **{suffix: "none" for suffix in ("h5", "hdf5", "keras", "tflite", "pb", "gguf", "ubj", "model", "bin", "jit")},
}
SHIPPED_BYTES_MAX = 60 << 20
SHIPPED_OF_ONE_KIND_MAX = 12
"""Files per package and suffix: one package's test data is no hundred witnesses."""


def _m(name: str) -> Any:
    return importlib.import_module(name)


def _case(key: str, family: str, loader: str, file: str, data: bytes) -> Case:
    return Case(f"generated-{key}", "generated", family, loader, ((file, data),))


def _written(write: Callable[[str], Any], name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(str(path))
        return path.read_bytes()


def arrays() -> Iterator[Case]:
    np = _m("numpy")
    made = {
        "f32": np.zeros((8, 8), "f4"),
        "struct": np.zeros(4, [("a", "i4"), ("b", "U3")]),
        "bool": np.zeros(3, bool),
        "complex": np.zeros(3, complex),
        "date": np.array(["2026-01-01"], "M8[D]"),
        "object": np.array(["a", None, 1], object),
    }
    for key, value in made.items():
        yield _case(f"npy-{key}", "numpy", "numpy", "a.npy", _written(lambda p, v=value: np.save(p, v), "a.npy"))  # type: ignore[misc]
        yield _case(f"pickle-numpy-{key}", "numpy", "pickle", "a.pkl", pickle.dumps({"w": value}, 4))
    yield _case("npz", "numpy", "npz", "a.npz", _written(lambda p: np.savez(p, **made), "a.npz"))
    yield _case(
        "npz-packed", "numpy", "npz", "a.npz", _written(lambda p: np.savez_compressed(p, a=made["f32"]), "a.npz")
    )
    for protocol in range(6):
        yield _case(f"numpy-protocol-{protocol}", "numpy", "pickle", "a.pkl", pickle.dumps(made["f32"], protocol))
    state = np.random.default_rng(1), np.random.RandomState(1), np.ma.masked_array([1, 2], [0, 1]), np.float32(2)
    for index, value in enumerate(state):
        yield _case(f"numpy-object-{index}", "numpy", "pickle", "a.pkl", pickle.dumps(value))
    sparse = _m("scipy.sparse")
    for kind in ("csr_matrix", "coo_matrix", "lil_matrix", "csc_array"):
        yield _case(f"scipy-{kind}", "scipy", "pickle", "a.pkl", pickle.dumps(getattr(sparse, kind)(np.eye(4))))
    frozen = (
        _m("scipy.stats").norm(0, 1),
        _m("scipy.interpolate").interp1d([0, 1, 2], [0, 1, 4]),
        _m("scipy.spatial").cKDTree(np.eye(3)),
    )
    for index, value in enumerate(frozen):
        yield _case(f"scipy-object-{index}", "scipy", "pickle", "a.pkl", pickle.dumps(value))


MODELS = [
    "linear_model.LinearRegression",
    "linear_model.LogisticRegression",
    "linear_model.SGDClassifier",
    "linear_model.Ridge",
    "ensemble.RandomForestClassifier",
    "ensemble.GradientBoostingClassifier",
    "ensemble.HistGradientBoostingClassifier",
    "ensemble.IsolationForest",
    "ensemble.AdaBoostClassifier",
    "tree.DecisionTreeClassifier",
    "svm.SVC",
    "svm.LinearSVC",
    "neighbors.KNeighborsClassifier",
    "naive_bayes.GaussianNB",
    "neural_network.MLPClassifier",
    "cluster.KMeans",
    "decomposition.PCA",
    "gaussian_process.GaussianProcessClassifier",
    "preprocessing.StandardScaler",
    "preprocessing.OneHotEncoder",
    "preprocessing.QuantileTransformer",
    "mixture.GaussianMixture",
    "discriminant_analysis.LinearDiscriminantAnalysis",
    "isotonic.IsotonicRegression",
    "impute.SimpleImputer",
]


def scikit() -> Iterator[Case]:
    np, joblib = _m("numpy"), _m("joblib")
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(60, 4)), rng.integers(0, 2, 60)
    fitted = {}
    for which in MODELS:
        module, _, cls = which.partition(".")
        model = getattr(_m(f"sklearn.{module}"), cls)()
        model.fit(x[:, 0] if cls == "IsotonicRegression" else x, y)
        fitted[cls] = model
    pipe = _m("sklearn.pipeline").make_pipeline(fitted["StandardScaler"], fitted["PCA"], fitted["SVC"])
    text = _m("sklearn.feature_extraction.text").TfidfVectorizer().fit(["one two", "three two"])
    search = _m("sklearn.model_selection").GridSearchCV(fitted["Ridge"], {"alpha": [1.0, 2.0]}, cv=2).fit(x, y)
    columns = _m("sklearn.compose").ColumnTransformer([("a", fitted["StandardScaler"], [0, 1])]).fit(x)
    function = _m("sklearn.preprocessing").FunctionTransformer(np.log1p).fit(x)
    fitted |= {"pipeline": pipe, "tfidf": text, "search": search, "columns": columns, "function": function}
    for key, model in fitted.items():
        yield _case(f"sklearn-{key}", "scikit-learn", "pickle", "model.pkl", pickle.dumps(model))
        packed: Any = {"RandomForestClassifier": 3, "SVC": ("xz", 3), "PCA": ("bz2", 3), "pipeline": ("lz4", 3)}.get(
            key, 0
        )
        data = _written(lambda p, m=model, c=packed: joblib.dump(m, p, compress=c), "m.joblib")  # type: ignore[misc]
        yield _case(f"joblib-{key}", "joblib", "joblib", "model.joblib", data)
    for key in ("LogisticRegression", "RandomForestClassifier", "pipeline"):
        data = _m("skops.io").dumps(fitted[key])
        yield _case(f"skops-{key}", "skops", "skops", "model.skops", data)


def frames() -> Iterator[Case]:
    pd = _m("pandas")
    frame = pd.DataFrame(
        {"a": [1, 2], "b": ["x", "y"], "c": pd.Categorical(["u", "v"]), "d": pd.date_range("2026", periods=2)}
    )
    for suffix in ("pkl", "pkl.gz", "pkl.bz2", "pkl.xz"):
        yield _case(f"pandas-{suffix}", "pandas", "pandas", f"f.{suffix}", _written(frame.to_pickle, f"f.{suffix}"))
    made = {
        "series": frame["a"],
        "index": frame.index,
        "multi": frame.set_index(["a", "b"]),
        "tz": pd.Timestamp("2026", tz="UTC"),
        "interval": pd.interval_range(0, 3),
    }
    for key, value in made.items():
        yield _case(f"pandas-{key}", "pandas", "pickle", "f.pkl", pickle.dumps(value))


def torches() -> Iterator[Case]:
    torch = _m("torch")
    nn = torch.nn
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.BatchNorm1d(8), nn.Linear(8, 2))
    layer = nn.TransformerEncoderLayer(8, 2, 16)
    adam = torch.optim.Adam(net.parameters())
    net(torch.zeros(3, 4)).sum().backward()
    adam.step()
    made = {
        "state-dict": net.state_dict(),
        "module": net,
        "checkpoint": {"model": net.state_dict(), "optimizer": adam.state_dict(), "epoch": 3},
        "transformer": layer.state_dict(),
        "transformer-module": layer,
        "conv": nn.Conv2d(3, 4, 3),
        "lstm": nn.LSTM(4, 4),
        "embedding": nn.Embedding(10, 4),
        "half": {"w": torch.zeros(4, dtype=torch.bfloat16)},
        "sparse": torch.eye(3).to_sparse(),
        "parameter": nn.Parameter(torch.zeros(2)),
        "quantised": torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint8),
        "shared": {"a": net[0].weight, "b": net[0].weight[:1]},
        "size-device": {"s": torch.Size([1]), "d": torch.device("cpu"), "t": torch.float32},
        "generator-state": torch.get_rng_state(),
    }
    for key, value in made.items():
        yield _case(f"torch-{key}", "torch", "torch", "model.pt", _saved(torch, value))
    for key in ("state-dict", "module", "checkpoint"):
        old = _saved(torch, made[key], _use_new_zipfile_serialization=False)
        yield _case(f"torch-legacy-{key}", "torch", "torch", "model.pth", old)
    yield _case("torch-pickle", "torch", "pickle", "model.pkl", pickle.dumps(net.state_dict()))
    out = io.BytesIO()
    torch.jit.save(torch.jit.trace(net.eval(), torch.zeros(1, 4)), out)
    yield _case("torchscript", "torch", "torch-jit", "model.pt", out.getvalue())


def _saved(torch: Any, value: Any, **options: Any) -> bytes:
    out = io.BytesIO()
    torch.save(value, out, **options)
    return out.getvalue()


def boosters() -> Iterator[Case]:
    np = _m("numpy")
    x, y = np.random.default_rng(1).normal(size=(60, 4)), np.arange(60) % 2
    lightgbm = _m("lightgbm")
    light = lightgbm.LGBMClassifier(n_estimators=3, min_child_samples=2, verbose=-1).fit(x, y)
    yield _case("lightgbm-pickle", "lightgbm", "pickle", "model.pkl", pickle.dumps(light))
    yield _case("lightgbm-text", "lightgbm", "lightgbm", "model.txt", _written(light.booster_.save_model, "m.txt"))
    xgboost = _m("xgboost")
    extreme = xgboost.XGBClassifier(n_estimators=3).fit(x, y)
    yield _case("xgboost-pickle", "xgboost", "pickle", "model.pkl", pickle.dumps(extreme))
    for suffix in ("json", "ubj"):
        data = _written(extreme.save_model, f"m.{suffix}")
        yield _case(f"xgboost-{suffix}", "xgboost", "xgboost", f"model.{suffix}", data)


def keras() -> Iterator[Case]:
    keras = _m("keras")
    layers = keras.layers
    made = {
        "dense": [layers.Input((4,)), layers.Dense(3, "relu"), layers.Dense(1)],
        "conv": [layers.Input((8, 8, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)],
        "norm": [layers.Input((4,)), layers.BatchNormalization(), layers.Dropout(0.1)],
    }
    for key, stack in made.items():
        for suffix in ("keras", "h5"):
            data = _written(keras.Sequential(stack).save, f"m.{suffix}")
            yield _case(f"keras-{key}-{suffix}", "keras", "keras", f"model.{suffix}", data)
    model = keras.Sequential([layers.Input((2,)), layers.Lambda(eval("lambda x: [print('watchword'), x][1]"))])
    for suffix in ("keras", "h5"):
        data = _written(model.save, f"m.{suffix}")
        yield Case(f"keras-lambda-{suffix}", "malicious", "keras", "keras-unsafe", ((f"model.{suffix}", data),))


def others() -> Iterator[Case]:
    np = _m("numpy")
    tensors = {"w": np.zeros((4, 4), "f4"), "b": np.zeros(4, "f2")}
    data = _m("safetensors.numpy").save(tensors, {"format": "pt"})
    yield _case("safetensors", "safetensors", "safetensors", "model.safetensors", data)
    helper = _m("onnx.helper")
    info = [helper.make_tensor_value_info(n, 1, [1]) for n in "xy"]
    for key in ("Relu", "Sigmoid"):
        graph = helper.make_graph([helper.make_node(key, ["x"], ["y"])], "g", info[:1], info[1:])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        yield _case(f"onnx-{key}", "onnx", "onnx", "model.onnx", model.SerializeToString())
    words = _m("tokenizers")
    trained = words.Tokenizer(words.models.BPE())
    trained.train_from_iterator(["one two three"] * 3)
    yield _case("tokenizers", "tokenizers", "tokenizers", "tokenizer.json", trained.to_str().encode())
    image = _m("PIL.Image").new("RGB", (4, 4))
    yield _case("pillow", "pillow", "pickle", "image.pkl", pickle.dumps(image))
    for package in ("cloudpickle", "dill"):
        value = {"a": np.zeros(2), "b": [1, "x"]}
        yield _case(f"{package}-data", package, "pickle", "data.pkl", _m(package).dumps(value))
    gguf = _m("gguf")

    def write(path: str) -> None:
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_chat_template("{% for m in messages %}{{ m['content'] }}{% endfor %}")
        writer.add_tensor("w", np.zeros((4, 4), "f4"))
        for step in ("write_header_to_file", "write_kv_data_to_file", "write_tensors_to_file", "close"):
            getattr(writer, step)()

    yield _case("gguf", "gguf", "gguf", "model.gguf", _written(write, "m.gguf"))


def everyday() -> Iterator[Case]:
    """What people pickle without a framework."""
    import collections
    import datetime
    import decimal
    import fractions
    import pathlib
    import uuid

    zone = datetime.timezone.utc  # noqa: UP017
    made = {
        "containers": {"a": [1, 2.5, "x", b"y", None, True], "b": (1,), "c": {1, 2}, "d": frozenset("ab")},
        "ordered": collections.OrderedDict(a=1),
        "counter": collections.Counter("abca"),
        "defaultdict": collections.defaultdict(list, {"a": [1]}),
        "deque": collections.deque([1, 2], 5),
        "datetime": [datetime.datetime(2026, 1, 1, tzinfo=zone), datetime.date(2026, 1, 1), datetime.timedelta(1)],
        "numbers": [decimal.Decimal("1.5"), fractions.Fraction(1, 3), 1 << 200, 1j, range(4), slice(1, 2)],
        "paths": [pathlib.PurePosixPath("a/b"), uuid.UUID(int=7)],
        "bytearray": bytearray(b"abc"),
        "exception": ValueError("x"),
    }
    for key, value in made.items():
        for protocol in (0, 2, 5):
            yield _case(f"python-{key}-{protocol}", "python", "pickle", "data.pkl", pickle.dumps(value, protocol))


def shipped(packages: Path) -> Iterator[Case]:
    """Model and data files that packages below *packages* ship, each once."""
    seen: set[int] = set()
    counts: dict[tuple[str, str], int] = {}
    for path in sorted(packages.rglob("*")):
        loader = SHIPPED.get(path.suffix[1:].lower())
        if loader is None or not path.is_file() or not 0 < path.stat().st_size <= SHIPPED_BYTES_MAX:
            continue
        data = path.read_bytes()
        if hash(data) in seen or data.startswith((b"\x7fELF", b"#!")):
            continue
        seen.add(hash(data))
        where = path.relative_to(packages)
        kind = where.parts[0], path.suffix.lower()
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] > SHIPPED_OF_ONE_KIND_MAX:
            continue
        yield Case("shipped-" + "-".join(where.parts), "shipped", where.parts[0], loader, ((path.name, data),))


GROUPS = (arrays, scikit, frames, torches, boosters, keras, others, everyday, *saved_families.GROUPS)


def main(root: Path, wanted: list[str]) -> None:
    known = {group.__name__: group for group in (*GROUPS, saved_families.tensorflows)}
    for group in [known[name] for name in wanted] or GROUPS:
        made: list[Case] = []
        try:
            for case in group():
                made.append(case)
        except Exception as error:  # noqa: BLE001  a framework that cannot save here is named, and left out
            print(f"{group.__name__}: {type(error).__name__}: {error}", file=sys.stderr)
        place(made, root)
    if not wanted:
        place(shipped(Path(sysconfig.get_paths()["purelib"])), root)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])

"""Honest objects of the frameworks installed here, pickled: ``python objects.py FOLDER``. Python 3.8 and later.

Runs in environments of old and new versions, so it imports nothing of this repository. Each group is optional: what is
not installed, or does not work in this version, is named on stderr and left out. Files are named
``package-version.object.protocol.pkl``; ``reducers.py`` reads them.
"""

# ruff: noqa: UP006, UP017, UP035, UP036, UP045, BLE001 - for Python 3.8; what a version cannot do is left out

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import functools
import importlib
import inspect
import io
import operator
import pathlib
import pickle
import random
import re
import sys
import types
import typing
import uuid
import warnings
from typing import Any, Callable, Dict, Iterator, Tuple

Made = Iterator[Tuple[str, Any]]


def _m(name: str) -> Any:
    return importlib.import_module(name)


def python() -> Made:
    yield "values", [1, 2.5, None, True, "x", b"y", (1,), {3}, frozenset({4}), bytearray(b"z"), complex(1, 2), 1 << 99]
    yield (
        "containers",
        [
            collections.OrderedDict(a=1),
            collections.defaultdict(list, a=[1]),
            collections.deque([1], 5),
            collections.Counter("ab"),
            collections.ChainMap({"a": 1}),
            collections.UserDict(a=1),
            types.SimpleNamespace(a=1),
        ],
    )
    yield "numbers", [decimal.Decimal("1.5"), fractions.Fraction(1, 3), range(3), slice(1, 2), Ellipsis, NotImplemented]
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    yield "times", [now, now.date(), now.time(), datetime.timedelta(1), datetime.timezone(datetime.timedelta(hours=2))]
    yield "names", [uuid.UUID(int=5), re.compile("a+"), pathlib.PurePosixPath("/home/x"), pathlib.Path("x/y")]
    yield "functions", [len, print, max, "abc".upper, str.upper, dict.fromkeys, [].append, operator.add, re.sub]
    yield "getters", [operator.itemgetter(1, 2), operator.attrgetter("name"), functools.partial(int, base=2)]
    yield "types", [type(None), int, type, typing.List[int], typing.Optional[int], typing.Any, Exception]
    yield "errors", [ValueError("x"), KeyError(1), UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), OSError(2, "gone")]
    yield "signature", inspect.signature(re.sub)
    yield "random", random.Random(3)
    yield "array", _m("array").array("d", [1.0, 2.0])
    yield "iterators", [iter([1, 2]), iter((1,)), iter({1: 2}), reversed([1, 2]), iter("ab"), enumerate([1]), zip([1])]
    yield "itertools", [_m("itertools").count(1), _m("itertools").repeat(2)] if sys.version_info < (3, 14) else None
    yield "files", [io.BytesIO(b"x"), io.StringIO("x")]
    if sys.version_info >= (3, 9):
        zone = _m("zoneinfo").ZoneInfo
        yield "zones", [zone("UTC"), list[int], now.astimezone(zone("Europe/Paris"))]
    yield "logging", _m("logging").getLogger("a.b")
    yield "argparse", _m("argparse").Namespace(a=1, b="x")
    yield "ipaddress", _m("ipaddress").ip_network("10.0.0.0/8")
    yield "enum", [_m("enum").IntEnum, re.IGNORECASE, _m("socket").AF_INET, inspect.Parameter.POSITIONAL_ONLY]
    yield "ast", _m("ast").parse("a + 1")
    yield "config", _m("configparser").ConfigParser()
    yield "struct", [_m("time").gmtime(0), _m("urllib.parse").urlparse("http://x/y"), _m("string").Template("$a")]


def numpy() -> Made:
    np = _m("numpy")
    yield (
        "arrays",
        [np.arange(9.0), np.zeros((3, 0)), np.array(["a"]), np.array(5), np.zeros((2, 3), order="F"), np.ones(3, "f2")],
    )
    yield "object", np.array([1, "x", {"k": [1]}], dtype=object)
    yield "struct", np.zeros(3, dtype=[("a", "<f4"), ("b", "U5"), ("c", "i8", (2,))])
    yield "dates", [np.datetime64("2026-01-01"), np.array(["2026-01-01"], "M8[ns]"), np.timedelta64(1, "D")]
    yield (
        "scalars",
        [np.float32(2), np.int64(1), np.bool_(True), np.str_("x"), np.bytes_(b"x"), np.complex64(1), np.void(b"x")],
    )
    yield "types", [np.float32, np.ndarray, np.dtype("f4"), np.dtype("O"), np.int8, np.bool_, np.generic]
    yield (
        "ufuncs",
        [np.add, np.log1p, np.sqrt, np.maximum, np.sum, np.mean, np.linalg.norm, np.median, np.vectorize(len)],
    )
    yield "masked", np.ma.masked_array([1, 2], [0, 1])
    yield (
        "records",
        [np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), np.rec.array([(1,)], dtype=[("a", "i4")])[0]],
    )
    yield "matrix", np.asmatrix(np.eye(2))
    yield (
        "random",
        [np.random.RandomState(1), getattr(np.random, "default_rng", np.random.RandomState)(1), np.random.get_state()],
    )
    yield (
        "generators",
        [
            getattr(np.random, n)(1)
            for n in ("MT19937", "PCG64", "Philox", "SFC64", "SeedSequence")
            if hasattr(np.random, n)
        ],
    )
    yield "poly", [np.poly1d([1, 2]), np.polynomial.Polynomial([1, 2]), np.finfo("f4"), np.iinfo("i4")]
    yield "memmap", np.memmap(io.BytesIO() if False else _spool(), dtype="u1", mode="w+", shape=(4,))
    yield (
        "strings",
        np.array(["a", "b"], dtype=np.dtypes.StringDType())
        if hasattr(np, "dtypes") and hasattr(np.dtypes, "StringDType")
        else 0,
    )


def _spool() -> Any:
    return _m("tempfile").TemporaryFile()


def scipy() -> Made:
    np, sparse = _m("numpy"), _m("scipy.sparse")
    for kind in ("csr", "csc", "coo", "lil", "dok", "dia", "bsr"):
        for form in ("matrix", "array"):
            cls = getattr(sparse, kind + "_" + form, None)
            if cls is not None:
                yield kind + form, cls(np.eye(4))
    stats = _m("scipy.stats")
    yield (
        "frozen",
        [stats.norm(0, 1), stats.gamma(2.0), stats.poisson(3), stats.norm, stats.uniform(0, 2), stats.randint(1, 5)],
    )
    yield "loguniform", [getattr(stats, "loguniform", stats.reciprocal)(1, 2), stats.expon(scale=1.0)]
    yield "kde", stats.gaussian_kde(np.arange(5.0))
    yield "multivariate", stats.multivariate_normal([0, 0], np.eye(2))
    yield "histogram", stats.rv_histogram(np.histogram(np.arange(9.0)))
    inter = _m("scipy.interpolate")
    xs, ys = np.arange(6.0), np.arange(6.0) ** 2
    yield (
        "interp",
        [
            inter.interp1d(xs, ys),
            inter.CubicSpline(xs, ys),
            inter.UnivariateSpline(xs, ys),
            inter.PchipInterpolator(xs, ys),
        ],
    )
    yield (
        "interp2",
        [
            inter.RegularGridInterpolator((xs, xs), np.outer(xs, xs)),
            inter.BSpline(xs, ys[:2], 3),
            inter.Akima1DInterpolator(xs, ys),
        ],
    )
    yield "rbf", [inter.Rbf(xs, ys), inter.NearestNDInterpolator(np.eye(3), [1, 2, 3])]
    spatial = _m("scipy.spatial")
    yield "trees", [spatial.cKDTree(np.eye(3)), spatial.KDTree(np.eye(3))]
    yield "rotation", _m("scipy.spatial.transform").Rotation.from_quat([0, 0, 0, 1])
    yield (
        "functions",
        [
            _m("scipy.special").expit,
            _m("scipy.stats").zscore,
            _m("scipy.spatial.distance").cosine,
            _m("scipy.special").gamma,
        ],
    )
    yield "optimize", _m("scipy.optimize").minimize(np.sum, np.zeros(2), options={"maxiter": 1})
    yield "signal", [_m("scipy.signal").dlti([1], [1, 2]), _m("scipy.signal").butter(2, 0.5)]
    yield "linalg", _m("scipy.sparse.linalg").aslinearoperator(np.eye(2))


def sklearn() -> Made:  # long: one table, read as one
    np = _m("numpy")
    rng = np.random.RandomState(7)
    x, y = np.abs(rng.normal(size=(40, 4))), np.arange(40) % 2
    found = dict(_m("sklearn.utils").all_estimators())
    simple = found["LogisticRegression"](), found["DecisionTreeClassifier"](max_depth=2)
    given = {
        "estimator": simple[0], "base_estimator": simple[0], "estimators": [("a", simple[0]), ("b", simple[1])],
        "param_grid": {"C": [1, 2]}, "param_distributions": {"C": _m("scipy.stats").uniform(0.1, 2)}, "regressor": None,
        "transformers": [("a", found["StandardScaler"](), [0, 1])], "steps": [("a", found["StandardScaler"]())],
        "transformer_list": [("a", found["StandardScaler"]())], "dictionary": np.eye(4),
    }  # fmt: skip
    for name, cls in sorted(found.items()):
        signature = inspect.signature(cls.__init__)
        spec = {k: v for k, v in given.items() if k in signature.parameters}
        if name == "GridSearchCV" or name == "RandomizedSearchCV":
            spec["cv"] = 2
        try:
            model = cls(**spec)
        except Exception:
            continue
        for data in ((x, y), (x[:, 0], y), (x, np.c_[y, y]), (["one two", "three two"] * 20, y)):
            try:
                model.fit(*data)
                break
            except Exception:
                continue
        yield name, model
    more = _m("sklearn.preprocessing"), _m("sklearn.metrics"), _m("sklearn.gaussian_process.kernels")
    yield "function", more[0].FunctionTransformer(np.log1p, np.expm1)
    yield (
        "scorers",
        [more[1].make_scorer(more[1].accuracy_score), more[1].make_scorer(more[1].f1_score, average="macro")],
    )
    yield "kernels", more[2].RBF(1.0) + more[2].WhiteKernel(0.1) * more[2].ConstantKernel()
    yield "splits", [_m("sklearn.model_selection").KFold(3), _m("sklearn.model_selection").StratifiedShuffleSplit(2)]
    for name in ("load_iris", "load_digits", "load_wine"):
        yield name, getattr(_m("sklearn.datasets"), name)()
    knn = found["KNeighborsClassifier"]
    for metric in ("minkowski", "haversine", "manhattan", "chebyshev", "canberra"):
        for how in ("kd_tree", "ball_tree", "brute"):
            try:
                yield metric + how, knn(metric=metric, algorithm=how).fit(x[:, :2], y)
            except ValueError:
                continue
    for loss in ("hinge", "log_loss", "log", "modified_huber", "squared_hinge", "perceptron", "huber", "squared_error"):
        try:
            yield "sgd" + loss, found["SGDClassifier"](loss=loss, max_iter=2).fit(x, y)
        except ValueError:
            continue
    trees = found["GradientBoostingRegressor"], found["HistGradientBoostingRegressor"]
    for loss in ("squared_error", "absolute_error", "huber", "quantile", "poisson", "gamma", "ls", "lad"):
        for cls in trees:
            try:
                yield (
                    cls.__name__ + loss,
                    cls(loss=loss, **({"n_estimators": 2} if cls is trees[0] else {"max_iter": 2})).fit(x + 1, y + 1),
                )
            except (ValueError, TypeError):
                continue


def pandas() -> Made:
    pd, np = _m("pandas"), _m("numpy")
    frame = pd.DataFrame(
        {"a": [1, 2], "b": ["x", "y"], "c": pd.to_datetime(["2026-01-01", "2026-01-02"]), "d": [True, None]}
    )
    yield "frame", frame
    yield "typed", frame.assign(e=frame.b.astype("category"), f=frame.a.astype("Int64"), g=frame.b.astype("string"))
    yield (
        "index",
        [
            frame.set_index(["a", "b"]),
            frame.set_index("c"),
            pd.RangeIndex(3),
            pd.CategoricalIndex(["a"]),
            pd.Index([1.5, 2]),
        ],
    )
    yield (
        "times",
        [pd.Timestamp("2026-01-01", tz="UTC"), pd.Timedelta(1, "D"), pd.NaT, pd.NA, pd.Period("2026-01", "M")],
    )
    yield (
        "ranges",
        [
            pd.date_range("2026", periods=3, freq="D", tz="Europe/Paris"),
            pd.period_range("2026-01", periods=3, freq="M"),
        ],
    )
    yield (
        "intervals",
        [pd.Interval(0, 1), pd.interval_range(0, 3), pd.timedelta_range("1D", periods=3), pd.cut([1, 2], 2)],
    )
    yield "sparse", pd.Series(pd.arrays.SparseArray([0, 0, 1]))
    yield (
        "offsets",
        [
            pd.offsets.MonthEnd(2),
            pd.offsets.BusinessDay(),
            pd.tseries.frequencies.to_offset("D"),
            pd.offsets.Week(weekday=1),
        ],
    )
    yield "series", [pd.Series([1, 2], name="s"), pd.Series(np.zeros(3)).rolling(2), frame.groupby("a")]
    yield "dtypes", [pd.CategoricalDtype(["a"]), pd.DatetimeTZDtype("ns", "UTC"), pd.Int64Dtype(), pd.StringDtype()]


def torch() -> Made:
    torch = _m("torch")
    nn = torch.nn
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.BatchNorm1d(4), nn.LSTM(4, 2), nn.MultiheadAttention(4, 2))
    yield "state", model.state_dict()
    yield "model", model
    yield "transformer", nn.Transformer(4, 2, 1, 1, 8)
    yield (
        "tensors",
        [
            torch.zeros(3),
            torch.ones(2, dtype=torch.bfloat16),
            torch.tensor(1),
            torch.eye(2).to_sparse(),
            torch.arange(3)[::2],
        ],
    )
    yield (
        "types",
        [
            torch.float32,
            torch.device("cpu"),
            torch.Size([1]),
            torch.strided,
            torch.contiguous_format,
            torch.finfo(torch.float32),
        ],
    )
    yield "quantised", torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)
    yield "parameter", nn.Parameter(torch.ones(3))
    yield "optimiser", torch.optim.AdamW(model.parameters()).state_dict()
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    yield (
        "scheduler",
        [
            torch.optim.lr_scheduler.StepLR(optimiser, 1).state_dict(),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 3).state_dict(),
        ],
    )
    yield "optimiser-whole", optimiser
    yield "functions", [torch.relu, nn.functional.relu, torch.sigmoid, torch.nn.init.xavier_uniform_]
    yield "distribution", torch.distributions.Normal(torch.zeros(1), torch.ones(1))
    yield "generator", torch.random.get_rng_state()
    yield "dataset", torch.utils.data.TensorDataset(torch.zeros(3))
    yield "storage", torch.zeros(3).untyped_storage()
    yield "complex", torch.zeros(2, dtype=torch.complex64).conj()
    yield "nested", torch.nested.nested_tensor([torch.zeros(1), torch.zeros(2)])
    norm = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)).state_dict()
    yield "parametrised", norm
    out = io.BytesIO()
    torch.save(model, out)
    yield "meta", torch.zeros(2, device="meta")


def boosters() -> Made:
    np = _m("numpy")
    x, y = np.random.RandomState(1).normal(size=(60, 3)), np.arange(60) % 2
    for package, names in (
        ("xgboost", "XGBClassifier XGBRegressor"),
        ("lightgbm", "LGBMClassifier LGBMRegressor"),
        ("catboost", "CatBoostClassifier"),
    ):
        try:
            module = _m(package)
        except ImportError:
            continue
        for name in names.split():
            spec = (
                {"iterations": 2, "verbose": 0, "allow_writing_files": False}
                if package == "catboost"
                else {"n_estimators": 2}
            )
            model = getattr(module, name)(**spec).fit(x, y)
            yield package + name, model
        if package == "xgboost":
            yield "xgboost-booster", model.get_booster()
        if package == "lightgbm":
            yield "lightgbm-booster", model.booster_


def images() -> Made:
    image = _m("PIL.Image").new("RGB", (2, 2))
    yield "image", [image, image.convert("P"), image.convert("L")]


def others() -> Made:  # long: one line per framework, each tried alone
    np = _m("numpy")
    rng = np.random.RandomState(1)
    x, y = rng.normal(size=(60, 3)), np.arange(60) % 2
    makes: Dict[str, Callable[[], Any]] = {
        "tokenizers": lambda: _m("tokenizers").Tokenizer(_m("tokenizers.models").BPE()),
        "omegaconf": lambda: _m("omegaconf").OmegaConf.create({"a": {"b": [1]}}),
        "keras": lambda: _m("keras").Sequential([_m("keras").layers.Input((3,)), _m("keras").layers.Dense(2)]),
        "onnx": lambda: _m("onnx").helper.make_model(_m("onnx").helper.make_graph([], "g", [], [])),
        "networkx": lambda: _m("networkx").path_graph(4),
        "statsmodels": lambda: _m("statsmodels.api").OLS(y, x).fit(),
        "statsmodels-formula": lambda: _m("statsmodels.formula.api").ols("y ~ a", {"y": y, "a": x[:, 0]}).fit(),
        "statsmodels-arima": lambda: _m("statsmodels.tsa.arima.model").ARIMA(x[:, 0]).fit(),
        "gensim": lambda: _m("gensim.models").Word2Vec([["a", "b"]] * 9, min_count=1, vector_size=4),
        "gensim-lda": lambda: _m("gensim.models").LdaModel([[(0, 1)]], num_topics=2),
        "imblearn": lambda: _m("imblearn.pipeline").make_pipeline(
            _m("imblearn.over_sampling").SMOTE(), _m("sklearn.svm").SVC()
        ),
        "category_encoders": lambda: _m("category_encoders").TargetEncoder().fit(x, y),
        "skimage": lambda: _m("skimage.transform").AffineTransform(scale=(1, 2)),
        "umap": lambda: _m("umap").UMAP(n_neighbors=4).fit(x),
        "pynndescent": lambda: _m("pynndescent").NNDescent(x),
        "hdbscan": lambda: _m("hdbscan").HDBSCAN().fit(x),
        "spacy": lambda: _m("spacy").blank("en"),
        "spacy-doc": lambda: _m("spacy").blank("en")("a b c"),
        "spacy-vocab": lambda: _m("spacy").blank("en").vocab,
        "xarray": lambda: _m("xarray").DataArray(x, dims=("a", "b")),
        "polars": lambda: _m("polars").DataFrame({"a": [1]}),
        "pyarrow": lambda: [
            _m("pyarrow").table({"a": [1], "b": ["x"]}),
            _m("pyarrow").array([1]),
            _m("pyarrow").int8(),
            _m("pyarrow").schema([("a", "string")]),
        ],
        "astropy": lambda: [
            _m("astropy.units").Quantity(1, "m"),
            _m("astropy.table").Table({"a": [1]}),
            _m("astropy.time").Time(0, format="unix"),
        ],
        "sympy": lambda: _m("sympy").Symbol("x") ** 2 + _m("sympy").sin(_m("sympy").Symbol("y")),
        "pydantic": lambda: _m("pydantic").fields.FieldInfo(),
        "shapely": lambda: [
            _m("shapely.geometry").Point(1, 2),
            _m("shapely.geometry").Polygon([(0, 0), (1, 0), (1, 1)]),
        ],
        "geopandas": lambda: _m("geopandas").GeoDataFrame({"a": [1]}, geometry=[_m("shapely.geometry").Point(1, 2)]),
        "pytz": lambda: [_m("pytz").utc, _m("pytz").timezone("Europe/Paris")],
        "dateutil": lambda: [
            _m("dateutil.tz").tzutc(),
            _m("dateutil.relativedelta").relativedelta(days=1),
            _m("dateutil.tz").gettz("UTC"),
        ],
        "nltk": lambda: [
            _m("nltk.stem").PorterStemmer(),
            _m("nltk").FreqDist("abc"),
            _m("nltk.stem").SnowballStemmer("english"),
        ],
        "nltk-tagger": lambda: _m("nltk").UnigramTagger([[("a", "b")]]),
        "transformers": lambda: [_m("transformers").BertConfig(), _m("transformers").TrainingArguments("out")],
        "mlxtend": lambda: _m("mlxtend.preprocessing").TransactionEncoder().fit([["a"]]),
        "lifelines": lambda: _m("lifelines").KaplanMeierFitter().fit([1, 2]),
        "optuna": lambda: _m("optuna").samplers.TPESampler(),
        "sktime": lambda: _m("sktime.forecasting.naive").NaiveForecaster().fit(_m("pandas").Series(x[:, 0])),
        "pmdarima": lambda: _m("pmdarima").ARIMA((1, 0, 0)).fit(x[:, 0]),
        "sortedcontainers": lambda: [_m("sortedcontainers").SortedList([1]), _m("sortedcontainers").SortedDict(a=1)],
        "bitarray": lambda: _m("bitarray").bitarray("101"),
        "patsy": lambda: _m("patsy").dmatrix("a", {"a": x[:, 0]}),
        "numba": lambda: _m("numba.typed").List([1, 2]),
        "ml_dtypes": lambda: [np.zeros(2, _m("ml_dtypes").bfloat16), np.dtype(_m("ml_dtypes").float8_e4m3fn)],
        "skops": lambda: _m("skops.card").Card(None),
        "joblib-memory": lambda: _m("joblib").Memory(None),
        "joblib-delayed": lambda: _m("joblib").delayed(len)([1]),
        "requests": lambda: [_m("requests.structures").CaseInsensitiveDict(a=1)],
        "attrs": lambda: _m("attr").make_class("A", ["x"]),
        "narwhals": lambda: _m("narwhals").Int64(),
        "jinja2": lambda: _m("markupsafe").Markup("<b>"),
        "yaml": lambda: _m("yaml").ScalarNode("a", "b"),
    }
    for name, make in makes.items():
        try:
            made = make()
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {str(error)[:80]}", file=sys.stderr)
            continue
        yield name, made


GROUPS = {
    "python": python, "numpy": numpy, "scipy": scipy, "sklearn": sklearn, "pandas": pandas, "torch": torch,
    "boosters": boosters, "PIL": images, "others": others,
}  # fmt: skip


def main(folder: pathlib.Path) -> None:
    warnings.simplefilter("ignore")
    folder.mkdir(parents=True, exist_ok=True)
    for group, make in GROUPS.items():
        try:
            version = (
                getattr(sys.modules.get(group) or _m(group), "__version__", "")
                if group not in ("python", "boosters", "others")
                else ""
            )
        except ImportError:
            continue
        start = f"{group}-{version or '.'.join(map(str, sys.version_info[:2]))}"
        objects = make()
        while True:
            try:
                name, value = next(objects)
            except StopIteration:
                break
            except Exception as error:
                print(f"{group} stopped: {type(error).__name__}: {str(error)[:90]}", file=sys.stderr)
                break
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
                try:
                    data = pickle.dumps(value, protocol)
                except Exception as error:
                    if protocol == pickle.HIGHEST_PROTOCOL:
                        print(f"{group} {name}: {type(error).__name__}: {str(error)[:90]}", file=sys.stderr)
                    continue
                if len(data) < 3 << 20:
                    (folder / f"{start}.{name}.{protocol}.pkl").write_bytes(data)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))

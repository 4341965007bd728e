"""What honest frameworks need to rebuild their objects, each group with its reason and its arguments.

* ``ALLOWED`` maps a dotted name to the name of a shape (``shapes.py``); ``any`` puts no condition on arguments. Here
  stands what needs a condition, what a denied family would cover, and names of versions too old to be derived from.
* ``derived`` reads ``data/rebuilds.txt``: what the reducers of the frameworks were seen to call, over their versions
  (``benchmarks/inspect/derive/reducers.py``). It lifts no denial.
* A class of no table is not wrong: constructing a class and giving it data is how models look. The tables are about
  *functions*, and about names that a denied family would cover.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

DATA = Path(__file__).parent / "data" / "rebuilds.txt"

_GROUPS: tuple[tuple[str, str, str, str], ...] = (
    # (shape, reason, prefix, names)
    (
        "any",
        "plain values, built from plain values",
        "builtins.",
        """set frozenset list dict tuple bytearray bytes
        complex slice range xrange int long float bool str unicode object Ellipsis NotImplemented
        reversed enumerate zip""",
    ),
    ("one", "the type of one value", "builtins.", "type"),
    ("one-iterable", "an iterator over a container that is in the pickle", "builtins.", "iter"),
    ("attribute", "a bound method or class method of a rebuilt object", "builtins.", "getattr"),
    ("pairs", "containers", "collections.", "OrderedDict defaultdict deque Counter ChainMap UserDict UserList"),
    ("any", "a text", "collections.", "UserString"),
    ("pairs", "containers, under the name of their C module", "_collections.", "OrderedDict defaultdict deque"),
    ("any", "dates and times", "datetime.", "date time datetime timedelta timezone tzinfo timezone.utc"),
    ("any", "dates and times, under the name of their C module", "_datetime.", "date time datetime timedelta timezone"),
    (
        "any",
        "numbers",
        "",
        """decimal.Decimal decimal.Context _decimal.Decimal fractions.Fraction random.Random
        statistics.NormalDist""",
    ),
    (
        "any",
        "identifiers and addresses: parsed, not contacted",
        "",
        """uuid.UUID uuid.SafeUUID ipaddress.IPv4Address
        ipaddress.IPv6Address ipaddress.IPv4Network ipaddress.IPv6Network urllib.parse.ParseResult
        urllib.parse.SplitResult urllib.parse.DefragResult urlparse.ParseResult urlparse.SplitResult
        requests.structures.CaseInsensitiveDict""",
    ),
    (
        "any",
        "a path as a value: nothing is opened",
        "pathlib.",
        """Path PosixPath WindowsPath PurePath PurePosixPath
        PureWindowsPath _local.Path _local.PosixPath _local.WindowsPath _local.PurePosixPath _local.PurePath""",
    ),
    (
        "any",
        "regular expressions are compiled again from their pattern",
        "",
        "re._compile re.compile re.Pattern re.RegexFlag sre_compile.compile",
    ),
    ("any", "constants of sockets, as numbers", "socket.", "AddressFamily SocketKind"),
    (
        "any",
        "time zones by name, from the system's own table",
        "",
        """zoneinfo.ZoneInfo zoneinfo.ZoneInfo._unpickle
        zoneinfo._common.ZoneInfo pytz._p pytz._UTC pytz.timezone dateutil.tz.tzutc dateutil.tz.tz.tzutc
        dateutil.tz.tz.tzlocal backports.zoneinfo.ZoneInfo._unpickle""",
    ),
    (
        "harmless",
        "a time zone by name, and not by the path of a file",
        "dateutil.",
        "zoneinfo.gettz tz.gettz tz.tz.gettz",
    ),
    (
        "any",
        "values of the standard library without side effects",
        "",
        """time.struct_time array.array
        array._array_reconstructor types.SimpleNamespace types.MappingProxyType types.NoneType types.EllipsisType
        types.GenericAlias types.UnionType argparse.Namespace string.Template struct.Struct _struct.Struct
        itertools.count itertools.repeat itertools.cycle itertools.chain itertools.islice itertools.product
        io.BytesIO io.StringIO _io.BytesIO _io.StringIO StringIO.StringIO cStringIO.StringIO queue.Queue
        inspect.Parameter inspect.Signature inspect._ParameterKind inspect._empty dataclasses._MISSING_TYPE
        distutils.version.LooseVersion distutils.version.StrictVersion sklearn.datasets.base.Bunch
        sklearn.datasets._base.Bunch typing.Union typing.Optional contextvars.Context email.message.Message""",
    ),
    ("plain-names", "getters of plain names, no dots and no magic", "operator.", "attrgetter"),
    ("any", "getters of items", "operator.", "itemgetter"),
    ("typing-item", "subscripted types of ``typing``", "", "operator.getitem _operator.getitem"),
    ("target", "a function with some of its arguments: judged as the function is", "functools.", "partial"),
    ("plain-name", "a logger is found again by its name", "logging.", "getLogger"),
    ("construct", "protocol 0 and 1: constructs the class given first", "copyreg.", "_reconstructor"),
    ("construct", "constructs the class given first", "copyreg.", "__newobj__ __newobj_ex__"),
    ("construct", "protocol 0 and 1 of Python 2", "copy_reg.", "_reconstructor __newobj__"),
    ("latin1", "protocol 2 writes bytes as text encoded in Latin-1", "_codecs.", "encode"),
    (
        "reference",
        "the class of an array, named and never called",
        "numpy.",
        """memmap core.memmap.memmap
        _core.memmap.memmap""",
    ),
    (
        "plain",
        "numpy arrays and scalars",
        "numpy.",
        """ndarray matrix array asarray frombuffer poly1d vectorize
        recarray record core.records.recarray rec.recarray matrixlib.defmatrix.matrix
        float16 float32 float64 longdouble complex64 complex128 int8 int16 int32 int64 uint8 uint16 uint32 uint64 intc
        uintc longlong ulonglong bool_ bool str_ bytes_ void datetime64 timedelta64 object_ generic
        ma.core._mareconstruct core.numeric._frombuffer _core.numeric._frombuffer
        core._internal._array_function_from_c core._dtype._reconstruct""",
    ),
    (
        "array-class",
        "numpy rebuilds an empty array of the class given first",
        "numpy.",
        """core.multiarray._reconstruct
        _core.multiarray._reconstruct multiarray._reconstruct""",
    ),
    ("any", "the type of an array's elements, also one that another package brings", "numpy.", "dtype"),
    ("plain", "numpy scalars from their bytes", "numpy.", "core.multiarray.scalar _core.multiarray.scalar"),
    (
        "ufunc",
        "a ufunc is found again by module and name: this imports the module",
        "numpy.",
        """core._ufunc_reconstruct
        _core._ufunc_reconstruct core._ufunc_reduce _core._ufunc_reduce""",
    ),
    (
        "plain",
        "numpy random state",
        "numpy.random.",
        """__RandomState_ctor _pickle.__randomstate_ctor
        _pickle.__generator_ctor _pickle.__bit_generator_ctor mtrand.RandomState bit_generator.SeedSequence""",
    ),
    (
        "plain",
        "torch values",
        "torch.",
        """Tensor Size device tensor Generator _C.Generator dtype finfo iinfo
        serialization._get_layout nn.parameter.Parameter _tensor.Tensor jit._pickle.build_intlist
        jit._pickle.build_tensorlist jit._pickle.build_doublelist jit._pickle.build_boollist
        jit._pickle.restore_type_tag jit._pickle.build_tensor_from_id _utils._set_obj_state""",
    ),
    (
        "rebuild",
        "torch rebuilds a tensor subclass through the function given first",
        "torch.",
        """
        _tensor._rebuild_from_type_v2 _tensor._rebuild_from_type tensor._rebuild_from_type""",
    ),
    (
        "nested",
        "torch tensors inside a plain pickle: the bytes are a pickle or an archive of their own",
        "torch.",
        """
        storage._load_from_bytes""",
    ),
    (
        "nested",
        "numba keeps what plain pickling cannot as a pickle of its own, in bytes",
        "numba.core.serialize.",
        "_unpickle__CustomPickled",
    ),
    (
        "nested",
        "spaCy keeps the functions of a vocabulary, and the hooks and data of a document, as a pickle of their own",
        "spacy.",
        "vocab.unpickle_vocab tokens.doc.unpickle_doc",
    ),
    (
        "plain",
        "scikit-learn rebuilds its Cython objects through this",
        "sklearn.",
        """neighbors._dist_metrics.newObj
        metrics._dist_metrics.newObj neighbors.dist_metrics.newObj neighbors._ball_tree.newObj
        neighbors._kd_tree.newObj neighbors.kd_tree.newObj neighbors.ball_tree.newObj""",
    ),
    (
        "plain",
        "pandas values",
        "pandas.",
        """_libs.tslibs.timestamps._unpickle_timestamp
        _libs.tslibs.timedeltas._timedelta_unpickle _libs.tslibs.nattype._nat_unpickle _libs.missing.NA
        _libs.internals._unpickle_block core.indexes.base._new_Index core.indexes.datetimes._new_DatetimeIndex
        core.indexes.period._new_PeriodIndex core.internals.blocks.new_block core.internals.blocks.make_block
        _libs.tslibs.period.Period._from_ordinal""",
    ),
    ("applied", "dill writes arrays through a function of its own", "dill._dill.", "_create_array"),
    (
        "plain",
        "scipy's frozen distributions and interpolators",
        "scipy.",
        """stats._distn_infrastructure.rv_frozen
        _lib._bunch._make_tuple_bunch interpolate._interpolate.interp1d interpolate.interpolate.interp1d""",
    ),
)

_SPLIT = tuple((shape, reason, prefix, names.split()) for shape, reason, prefix, names in _GROUPS)

ALLOWED: dict[str, str] = {prefix + name: shape for shape, _, prefix, names in _SPLIT for name in names}
"""Dotted name → argument shape."""

REASONS: dict[str, str] = {prefix + name: reason for _, reason, prefix, names in _SPLIT for name in names}
"""Dotted name → why it is allowed."""

LOADED_AGAIN: dict[str, int] = {
    "torch.storage._load_from_bytes": 0,
    "numba.core.serialize._unpickle__CustomPickled": 0,
    "spacy.vocab.unpickle_vocab": 4,
    "spacy.tokens.doc.unpickle_doc": 1,
}
"""What has the shape ``nested``, and which of its arguments are the bytes that it loads in turn."""

_FRAMEWORKS_TEXT = """
    numpy scipy sklearn pandas torch torchvision torchaudio xgboost lightgbm catboost joblib skops PIL
    transformers tokenizers spacy thinc srsly tensorflow keras onnx gensim statsmodels imblearn category_encoders
    mlxtend fastai fastcore timm ultralytics sentence_transformers flair pytorch_lightning lightning
    lightning_fabric networkx skimage umap pynndescent hdbscan numba shap pytz dateutil pyarrow polars jax jaxlib
    flax sentencepiece peft diffusers accelerate omegaconf attr attrs pydantic pydantic_core sortedcontainers
    bitarray h5py astropy xarray geopandas shapely
"""
FRAMEWORKS = frozenset(_FRAMEWORKS_TEXT.split())
"""Top-level packages whose rebuilding functions (``REBUILDS``) may be called with any values. Those of packages that
nobody here knows may be called with values that give nothing away."""

REBUILDS = re.compile(
    r"__pyx_unpickle_\w+|_{0,2}(?:rebuild|reconstruct|unpickle|restore|new)_\w+|_{0,2}(?:reconstruct|unpickle)|"
    r"__\w+_ctor|_new_[A-Z]\w+"
)
"""Names under which frameworks keep the functions that only put an object together again."""

_CARRIES = re.compile(r"module|import|code|func|method|callable", re.IGNORECASE)
"""What is in the name of one that puts together what runs: numba's ``_rebuild_module`` imports what it is given."""

_ERRORS = re.compile(r"builtins\.[A-Z]\w*(?:Error|Exception|Warning|Exit|Interrupt|Iteration)")


def shape_of(path: str) -> str | None:
    """The argument shape under which the dotted name *path* may be called; None when it is in no table."""
    return ALLOWED.get(path)


@lru_cache(maxsize=1)
def derived() -> dict[str, str]:
    """Dotted name → argument shape, of what the frameworks' own reducers were seen to call."""
    rows = (line.split("\t") for line in DATA.read_text("utf-8").splitlines() if not line.startswith("#"))
    return {name: shape for name, shape, _ in rows}


def rebuilds(last: str) -> bool:
    """True for a function that by its name only puts an object together again, and one that does not run."""
    return REBUILDS.fullmatch(last) is not None and _CARRIES.search(last) is None


def is_error(path: str) -> bool:
    """True for an exception of Python: a value like others."""
    return _ERRORS.fullmatch(path) is not None

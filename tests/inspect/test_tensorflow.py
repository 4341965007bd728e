"""TensorFlow, TensorFlow Lite, ONNX Runtime's own format: which operators do more than compute, what leads out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inspect_samples import field, found, look, sample

from watchword.inspect.exhibit import Malformed
from watchword.inspect.formats.tflite import read_ort, read_tflite
from watchword.inspect.source import Held


def node(op: bytes, *texts: bytes, name: bytes = b"n") -> bytes:
    """A node of a graph; each of *texts* is a constant attribute."""
    attributes = b"".join(field(5, field(1, b"value") + field(2, field(8, field(8, text)))) for text in texts)
    return field(1, field(1, name) + field(2, op) + attributes)


def saved_model(*functions: tuple[bytes, bytes], graph: bytes = b"", assets: bytes = b"") -> bytes:
    """A SavedModel with a graph and functions (name, nodes)."""
    library = b"".join(
        field(1, field(1, field(1, name)) + b"".join(field(3, body) for body in _bodies(nodes)))
        for name, nodes in functions
    )
    meta = field(1, field(5, b"2.21.0")) + field(2, graph + field(2, library)) + assets
    return field(1, 1) + field(2, meta)


def _bodies(nodes: bytes) -> list[bytes]:
    bodies = []
    while nodes:
        length, at = nodes[1], 2
        if length > 127:
            length, at = (length & 127) | nodes[2] << 7, 3
        bodies.append(nodes[at : at + length])
        nodes = nodes[at + length :]
    return bodies


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("tf-dense.pb", "saved_model.pb"),
        ("tf-vocabulary.pb", "saved_model.pb"),
        ("tf-frozen.pb", "frozen.pb"),
        ("tf-v1.meta", "m.meta"),
        ("tf-fingerprint.pb", "fingerprint.pb"),
        ("tf-variables.index", "variables.index"),
        ("tflite-dense.tflite", "m.tflite"),
        ("ort-dense.ort", "m.ort"),
    ],
)
def test_what_tensorflow_and_onnx_runtime_save_is_nothing_found(name: str, called: str) -> None:
    """Savers, tables of words from assets, frozen graphs, indexes: no finding, and nothing is unreadable."""
    assert look(sample(name), called).findings == []


def test_operators_and_versions_are_told() -> None:
    """What a bill of materials needs of a graph."""
    facts = look(sample("tf-dense.pb"), "saved_model.pb").facts
    assert facts["frameworks"] == ["tensorflow 2.21.0"]
    assert {"MatMul", "Relu", "SaveV2"} <= set(facts["operators"])
    assert look(sample("ort-dense.ort")).facts["operators"] == ["MatMul", "Relu"]


def test_a_model_that_reads_and_writes_files_is_dangerous() -> None:
    """As TensorFlow saves and runs it. Fails if functions are passed over: the operators stand in one."""
    assert found(sample("tf-files.pb"), "saved_model.pb") == {"tf-file-write", "tf-file-read", "tf-file-path"}
    assert found(sample("tflite-files.tflite"), "m.tflite") == {"tflite-file-op"}
    assert found(sample("tf-python.pb"), "saved_model.pb") == {"tf-python-op"}


@pytest.mark.parametrize(
    ("nodes", "rules"),
    [
        (node(b"WriteFile"), {"tf-file-write"}),
        (node(b"RpcClient"), {"tf-network-op"}),
        (node(b"MatchingFiles"), {"tf-file-read"}),
        (node(b"SaveV2") + node(b"Const", b"/etc/cron.d/x"), {"tf-file-path"}),
        (node(b"RestoreV2") + node(b"Const", b"../../secret"), {"tf-file-path"}),
        (node(b"PrintV2") + node(b"Const", b"file:///tmp/x"), {"tf-file-path"}),
        (node(b"InitializeTableFromTextFileV2") + node(b"Const", b"/etc/passwd"), {"tf-file-path"}),
        (node(b"EvilOp"), {"tf-custom-op"}),
        (node(b"SaveV2") + node(b"Const", b"_temp/part"), set()),
        (node(b"PrintV2") + node(b"Const", b"/m/0k4j"), set()),
        (node(b"Const", b"/etc/passwd") + node(b"MatMul"), set()),
        (node(b"Addons>GroupNorm"), set()),
    ],
)
def test_operators_are_judged_where_they_stand(nodes: bytes, rules: set[str]) -> None:
    """In the graph itself and in a function; by what they do, and by constant paths beside them."""
    assert found(saved_model((b"f", nodes)), "saved_model.pb") == rules
    assert found(saved_model(graph=nodes), "saved_model.pb") == rules


def test_a_path_in_another_function_is_not_a_saver_s() -> None:
    """Constants count only beside the operator; a function of the graph is no custom operator."""
    functions = ((b"save", node(b"SaveV2")), (b"words", node(b"Const", b"/etc/passwd")))
    assert found(saved_model(*functions, graph=node(b"save")), "saved_model.pb") == set()


def test_keras_layers_beside_a_graph_are_judged() -> None:
    """keras_metadata.pb holds configurations as JSON, which Keras builds layers from."""
    layer = b'{"class_name": "Lambda", "config": {"function": "system", "module": "os", "function_type": "function"}}'
    data = field(1, field(2, 1) + field(3, b"root.layer-1") + field(4, b"_tf_keras_layer") + field(5, layer))
    assert found(data, "keras_metadata.pb") == {"keras-import"}
    assert found(field(2, layer), "keras_metadata.pb") == {"keras-import"}


def test_a_cut_graph_is_unreadable() -> None:
    """What a lenient parser may still load is not passed over."""
    assert found(sample("tf-dense.pb")[:-7], "saved_model.pb") == {"tf-broken"}


def test_a_graph_as_text_is_judged_too() -> None:
    """The text form of the same graph, as ``tf.io.write_graph`` writes it."""
    text = b'node {\n  name: "w"\n  op: "WriteFile"\n}\nnode {\n  name: "m"\n  op: "MatMul"\n}\n'
    assert found(text, "graph.pbtxt") == {"tf-file-write"}
    assert found(text.replace(b"WriteFile", b"Relu"), "graph.pbtxt") == set()


def test_references_that_lead_out_of_a_lite_model_are_told() -> None:
    """A tensor number that does not exist is followed blindly by an interpreter."""
    data = bytearray(sample("tflite-dense.tflite"))
    facts = read_tflite(Held(bytes(data)))
    assert (facts.tensors, facts.operators, facts.wrong) == (3, 1, [])
    told = 0
    for at in range(8, len(data), 4):
        changed = data[:at] + b"\xff\xff\xff\x7f" + data[at + 4 :]
        told += "tflite-broken" in found(bytes(changed), "m.tflite")
    assert told > 40


@given(st.integers(0, 1_095), st.binary(min_size=1, max_size=16))
@settings(max_examples=80, deadline=None)
def test_any_damage_to_a_flatbuffer_gives_a_verdict(at: int, junk: bytes) -> None:
    """Whatever is overwritten, reading ends with facts or with a named error."""
    for name, read in (("tflite-files.tflite", read_tflite), ("ort-dense.ort", read_ort)):
        data = bytearray(sample(name))
        data[at : at + len(junk)] = junk
        try:
            read(Held(bytes(data)))
        except Malformed as error:
            assert error.offset is not None

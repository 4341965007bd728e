"""PMML, OpenVINO, Core ML, PaddlePaddle, XGBoost, CatBoost, Flax: what each may ask of its loader."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inspect_samples import field, found, look, pmml, sample

from watchword.inspect.exhibit import Malformed
from watchword.inspect.formats.boosted import read_ubjson
from watchword.inspect.formats.msgpacks import read_msgpack
from watchword.inspect.source import Held


@pytest.mark.parametrize(
    "name",
    [
        "xgboost.ubj",
        "catboost.cbm",
        "coreml-dense.mlmodel",
        "coreml-program.mlmodel",
        "openvino-dense.xml",
        "flax.msgpack",
    ],
)
def test_what_the_frameworks_save_is_nothing_found(name: str) -> None:
    """No finding, and each is known for what it is."""
    assert look(sample(name), name).findings == []


def test_facts_of_each_are_told() -> None:
    """What a bill of materials needs."""
    assert look(sample("flax.msgpack"), "m.msgpack").facts == {"tensors": 2, "dtypes": ["float32"]}
    assert look(sample("xgboost.ubj"), "m.ubj").facts["frameworks"] == ["xgboost"]
    assert look(sample("coreml-program.mlmodel"), "m.mlmodel").facts["operators"] == ["cast", "const", "linear"]
    assert "MatMul" in look(sample("openvino-dense.xml"), "m.xml").facts["operators"]


@pytest.mark.parametrize(
    ("data", "rules"),
    [
        (pmml('<Apply function="+"/><Apply function="x-expit"/>'), set()),
        (pmml('<DefineFunction name="f"/><Apply function="f"/>'), set()),
        (pmml('<Extension name="author" value="the system of records"/>'), set()),
        (pmml("<DataField name='x'/>", "<!DOCTYPE PMML>"), set()),
        (pmml("<Annotation>The operating system. Its subprocess metrics (see there) eval well</Annotation>"), set()),
        (pmml("<Extension>importlib.import_module('x')</Extension>"), {"pmml-code"}),
        (pmml('<Apply function="g"/>'), {"pmml-function"}),
        (pmml('<Apply function="com.acme.Evil"/>'), {"pmml-code", "pmml-function"}),
        (pmml("<Extension><script>x</script></Extension>"), set()),
        (pmml('<Extension value="&lt;script>x"/>'), {"pmml-code"}),
        (pmml("&x;", '<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), {"xml-entity"}),
        (pmml("&b;", '<!DOCTYPE p [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'), {"xml-entity"}),
        (pmml("", '<!DOCTYPE p SYSTEM "https://a.example/x.dtd">'), {"xml-entity"}),
        (pmml("<a></b>"), {"xml-broken"}),
        (b"\xff\xfe not xml", {"xml-broken"}),
    ],
)
def test_pmml_is_judged_by_functions_code_and_entities(data: bytes, rules: set[str]) -> None:
    """Functions of the standard and defined ones are silent; entities end the reading. Nothing is expanded."""
    assert found(data, "m.pmml") == rules


def test_deep_and_endless_xml_gives_a_verdict() -> None:
    """A hundred thousand elements inside each other are a finding, not a crash."""
    assert found(pmml("<a>" * 100_000 + "</a>" * 100_000), "m.pmml") == {"unpack-limit"}


def test_openvino_operators_from_elsewhere_are_told() -> None:
    """An operator of no set that OpenVINO brings along is a library."""
    data = sample("openvino-dense.xml")
    assert found(data.replace(b'type="ReLU" version="opset1"', b'type="Evil" version="extension"'), "m.xml") == {
        "openvino-custom-op"
    }


def test_core_ml_classes_and_files_from_elsewhere_are_told() -> None:
    """A custom layer is code of the program; weights from outside of the package are any file of the machine."""
    assert found(sample("coreml-custom.mlmodel"), "m.mlmodel") == {"coreml-custom"}
    value = field(1, b"val") + field(2, field(5, field(1, b"@model_path/../../secret") + field(2, 64)))
    operation = field(1, b"const") + field(5, value)
    block = field(2, field(3, operation))
    program = field(2, field(1, b"main") + field(2, field(3, field(1, b"CoreML5") + block)))
    model = field(1, 6) + field(2, b"") + field(502, program)
    assert found(model, "m.mlmodel") == {"coreml-file"}
    assert found(model.replace(b"../../secret", b"weights/w.bi"), "m.mlmodel") == set()
    assert found(sample("coreml-dense.mlmodel")[:-3], "m.mlmodel") == {"coreml-broken"}


def test_paddle_operators_that_reach_files_are_dangerous() -> None:
    """A program for inference computes; loading and saving at paths of its own is not that."""

    def program(op: bytes, *attributes: bytes) -> bytes:
        operator = field(3, op) + b"".join(field(4, attribute) for attribute in attributes)
        return field(1, field(1, 0) + field(2, 0) + field(4, operator)) + field(4, field(1, 2_006_000))

    path = field(1, b"file_path") + field(2, 2) + field(5, b"/etc/passwd")
    assert found(program(b"matmul_v2"), "m.pdmodel") == set()
    judged = look(program(b"load", path), "m.pdmodel")
    assert [(f.rule, f.evidence) for f in judged.findings] == [("paddle-op", "/etc/passwd")]
    assert found(program(b"py_func"), "__model__") == {"paddle-op"}


def test_vocabularies_vectors_and_raw_tensors_are_known() -> None:
    """What every folder of a language model holds is not unreadable; neither is the data beside a graph."""
    pieces = b"".join(
        field(1, field(1, word) + b"\x15\0\0\0\0" + field(3, 1)) for word in (b"<unk>", b"a", b"b", b"\xe2\x96\x81the")
    )
    judged = look(pieces + field(2, field(1, b"corpus.txt")) + field(3, field(1, b"nmt_nfkc")), "tokenizer.model")
    assert (judged.findings, judged.facts) == ([], {"vocabulary": 4})
    assert found(b"\xba\x16\x4f\x2f\x0c\0\0\0" + b"\1" * 40, "lid.176.bin") == set()
    for name in ("model.onnx_data", "model.onnx.data", "model.onnx_data_1", "openvino_model.bin"):
        assert found(b"\x91\0\3" * 50, name) == set()
    assert found(b"\x91\0\3" * 50, "data.bin") == {"not-inspected"}


def test_names_that_other_formats_have_too_say_nothing() -> None:
    """An XML file that is no model, a MATLAB file of another version, somebody's index: no alarm about the name."""
    assert found(b'<?xml version="1.0"?><config/>', "config.xml") == set()
    for name in ("a.mat", "words.index", "x.meta", "m.model"):
        assert "wrong-extension" not in found(b"plain text\n", name)


def test_paddle_parameters_are_explained_to_the_byte() -> None:
    """Arrays one behind the other; one byte more, or a size that is not the shape's, and they are not known."""

    def tensor(*shape: int) -> bytes:
        described = field(1, 5) + b"".join(field(2, length) for length in shape)
        size = 4
        for length in shape:
            size *= length
        return bytes(16) + len(described).to_bytes(4, "little") + described + b"\1" * size

    judged = look(tensor(2, 3) + tensor(4), "m.pdiparams")
    assert judged.findings == []
    assert judged.facts == {"frameworks": ["paddlepaddle"], "tensors": 2, "parameters": 10}
    assert "not-inspected" in found(tensor(2, 3) + b"\1", "m.pdiparams")


def test_a_map_without_a_name_that_says_so_is_known_by_its_structure() -> None:
    """Checkpoints and vocabularies go under names of their own; what is no map to its end stays unknown."""
    assert look(sample("flax.msgpack"), "checkpoint_5").format == "msgpack"  # type: ignore[attr-defined]
    assert found(b"\x80", "key2row") == set()
    assert found(sample("flax.msgpack") + b"\x00", "checkpoint_5") == {"not-inspected"}


def test_what_follows_the_end_of_a_model_is_told() -> None:
    """Bytes after a map or an object belong to nobody; an unknown extension means what somebody makes of it."""
    assert found(sample("flax.msgpack") + b"\x00", "m.msgpack") == {"msgpack-extra"}
    assert found(b"\x81\xa1a\xd4\x63\x00", "m.msgpack") == {"msgpack-extra"}
    assert found(b"\x81\xa2fn\xd9\x1d__import__('os').system('id')", "m.msgpack") == {"metadata-code"}
    assert found(sample("flax.msgpack")[:-1], "m.msgpack") == {"msgpack-broken"}
    assert found(sample("xgboost.ubj") + b"\x00", "m.ubj") == {"boosted-broken"}
    assert found(sample("xgboost.ubj")[:-1], "m.ubj") == {"boosted-broken"}
    assert found(sample("catboost.cbm")[:100], "m.cbm") == {"boosted-broken"}


@given(st.integers(0, 3_000), st.binary(min_size=1, max_size=12))
@settings(max_examples=80, deadline=None)
def test_any_damage_gives_a_verdict(at: int, junk: bytes) -> None:
    """Whatever is overwritten, reading ends with facts or with a named error."""
    for name, read in (("xgboost.ubj", read_ubjson), ("flax.msgpack", read_msgpack)):
        data = bytearray(sample(name))
        data[at : at + len(junk)] = junk
        try:
            read(Held(bytes(data)))
        except Malformed as error:
            assert error.offset >= 0

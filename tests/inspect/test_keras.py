"""Keras in all its files, and HDF5 below it: what a configuration would import, call and read; what a file hides."""

from __future__ import annotations

import base64
import json
import marshal
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inspect_samples import EVIL, found, look, sample, zipped
from keras_samples import archive, carried, code, function, lambda_of, model

from watchword.inspect.facts import Verdict
from watchword.inspect.formats.hdf5 import Hdf5Broken, read_hdf5
from watchword.inspect.formats.marshalled import names_in
from watchword.inspect.source import Held


def evil(x: object) -> object:
    import os

    os.system("true")
    return x


@pytest.mark.parametrize("name", ["keras-dense.keras", "keras-dense.h5", "keras-custom.keras", "hdf5-userblock.h5"])
def test_what_keras_and_h5py_save_is_nothing_found(name: str) -> None:
    """Dense models, layers and losses of one's own, an empty user block: no finding."""
    assert look(sample(name), name).findings == []


def test_layers_of_ones_own_are_noted() -> None:
    """That code is needed which is not in the file is worth knowing, and is no finding."""
    judged = look(sample("keras-custom.keras"), "m.keras")
    assert judged.facts["custom_objects"] == ["Mine", "myloss", "pkg>Mine2"]
    assert judged.notes == ["needs code that is not in the file: Mine, myloss, pkg>Mine2"]


@pytest.mark.parametrize("layout", ["earliest", "latest"])
def test_every_layout_of_hdf5_is_followed(layout: str) -> None:
    """Symbol tables and fractal heaps tell the same: 40 attributes, 61 data sets, texts of both kinds."""
    facts = read_hdf5(Held(sample(f"hdf5-{layout}.h5")))
    texts = {attribute.name: attribute.value for attribute in facts.attributes}
    assert [texts[f"attr{n}"] for n in range(40)] == [f"value {n}".encode() for n in range(40)]
    assert (texts["fixed"], texts["list"]) == (b"abc", b"a\nbcd")
    assert (facts.datasets, facts.elements, facts.filters) == (61, 10_180, {1, 2})
    assert facts.elsewhere == facts.outside == facts.oddities == []


@pytest.mark.parametrize("layout", ["earliest", "latest"])
def test_a_function_of_the_standard_library_in_an_h5_is_dangerous(layout: str) -> None:
    """Wherever the attribute stands in the file. Fails if attributes of either layout are passed over."""
    assert found(sample(f"hdf5-{layout}.h5"), "m.h5") == {"keras-import"}


@pytest.mark.parametrize("name", ["hdf5-external.h5", "hdf5-link.h5", "hdf5-virtual.h5"])
def test_hdf5_that_reads_other_files_is_dangerous(name: str) -> None:
    """External storage, an external link, a virtual data set: each reads a file outside of the folder."""
    assert found(sample(name), name) == {"hdf5-elsewhere"}


def test_keras_weights_that_name_a_file_beside_them_are_told() -> None:
    """Keras never writes such a link; a generic file may, and that is worth a note."""
    data = sample("hdf5-link.h5").replace(b"/etc/other.h5", b"./a/other0.h5")
    assert found(data, "m.h5") == set()
    assert look(data, "m.h5").notes == ["takes data from files beside it: ./a/other0.h5"]
    assert found(sample("keras-link.weights.h5"), "m.weights.h5") == {"hdf5-beside"}


def test_a_pickle_in_an_attribute_is_judged_because_pytables_loads_it() -> None:
    """Attributes that hold axes and the like are pickles in honest files too; what one would run is told."""
    judged = look(sample("hdf5-pickled.h5"), "frame.h5")
    assert [(f.rule, f.path) for f in judged.findings] == [("pickle-call", "frame.h5:/df@info")]


def test_bytes_around_an_hdf5_file_are_told_and_judged() -> None:
    """A pickle in the user block or after the end is seen: h5py does not mind either."""
    data = sample("hdf5-userblock.h5")
    hidden = EVIL.ljust(512, b"\0") + data[512:]
    assert {"hdf5-outside", "pickle-call"} <= found(hidden, "m.h5")
    assert {"hdf5-outside", "pickle-call"} <= found(data + EVIL, "m.h5")


def test_a_broken_hdf5_file_is_unreadable_and_its_configuration_is_still_judged() -> None:
    """Damage hides nothing: a configuration that stands there as text is judged."""
    text = json.dumps({"class_name": "Sequential", "config": {"layers": [lambda_of(carried(evil))]}}).encode()
    data = b"\x89HDF\r\n\x1a\n" + b"\xff" * 60 + text + b"\0" * 20
    assert found(data, "m.h5") == {"hdf5-broken", "keras-lambda-call"}
    (finding,) = look(sample("keras-dense.h5")[:5_000], "m.h5").findings[:1]
    assert finding.verdict is Verdict.UNREADABLE


@given(st.integers(0, 33_583), st.binary(min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_damage_to_hdf5_gives_a_verdict(at: int, junk: bytes) -> None:
    """Whatever is overwritten, the walk ends with facts or with a named error."""
    for layout in ("earliest", "latest"):
        data = bytearray(sample(f"hdf5-{layout}.h5"))
        data[at : at + len(junk)] = junk
        try:
            read_hdf5(Held(bytes(data)))
        except Hdf5Broken as error:
            assert error.oddity.rule in ("hdf5-broken", "unpack-limit")


@pytest.mark.parametrize(
    "layer",
    [
        lambda_of(function("os", "system")),
        lambda_of(function("builtins", "exec")),
        lambda_of(function("keras.utils", "get_file"), arguments={"origin": "https://a.example/x"}),
        lambda_of(function("keras.config", "enable_unsafe_deserialization")),
        lambda_of(function("keras.src.saving.saving_api", "load_model")),
        lambda_of("system", function_type="function", module="os"),
        function("subprocess", "getoutput"),
        {"module": "subprocess", "class_name": "Popen", "config": {"args": "true"}},
        {"class_name": "__typespec__", "module": "os", "spec_name": "system", "config": None},
        {"class_name": "Dense", "config": {"activation": function("posix", "system")}},
        {"class_name": "TFOpLambda", "config": {"function": "io.write_file"}},
    ],
)
def test_reaching_beyond_keras_is_dangerous(layer: dict[str, Any]) -> None:
    """By function, class, type or operation; as a layer or as what a layer is given (CVE-2025-1550 and its kind)."""
    assert found(archive(model(layer)), "m.keras") == {"keras-import"}


@pytest.mark.parametrize(
    ("layer", "rule"),
    [
        (lambda_of(carried(evil)), "keras-lambda-call"),
        (lambda_of([code(evil) + "\n", None, None], function_type="lambda"), "keras-lambda-call"),
        (lambda_of(carried(lambda x: ().__class__.__base__.__subclasses__())), "keras-lambda-call"),
        (lambda_of(carried(lambda x: x * 2)), "keras-lambda"),
        (lambda_of({"class_name": "__lambda__", "config": {"code": "bm8gY29kZQ=="}}), "keras-lambda"),
        ({"class_name": "Lambda", "config": {"name": "l"}}, "keras-lambda"),
        (lambda_of(function("acme.losses", "scale")), "keras-custom-function"),
        (lambda_of("lambda x: x * 2"), "keras-lambda"),
        ({"class_name": "Dense", "config": {"kernel_initializer": "__import__('os').system('id')"}}, "metadata-code"),
        (lambda_of("lambda x: __import__('os').system('id')", module="keras.activations"), "keras-lambda-call"),
        ({"class_name": "keras.layers.Lambda", "config": {"function": "lambda x: x * 2"}}, "keras-lambda"),
        (lambda_of({"class_name": "function", "module": "posix", "function": "system"}), "keras-import"),
        ({"class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}}, "keras-file"),
        ({"class_name": "StringLookup", "config": {"vocabulary": "https://a.example/v"}}, "keras-file"),
        ({"class_name": "TextVectorization", "config": {"vocabulary": "words.txt"}}, "keras-asset"),
        ({"class_name": "TFSMLayer", "config": {"filepath": "other"}}, "keras-file"),
    ],
)
def test_code_and_files_in_a_configuration_are_told(layer: dict[str, Any], rule: str) -> None:
    """Carried code by what it reaches for, functions from elsewhere, files that a layer opens."""
    assert found(archive(model(layer)), "m.keras") == {rule}


@pytest.mark.parametrize(
    "layer",
    [
        {"class_name": "StringLookup", "config": {"vocabulary": ["a", "b"]}},
        {"module": "acme.layers", "class_name": "Attention", "config": {"units": 3}, "registered_name": "Attention"},
        {"class_name": "Dense", "config": {"activation": function("builtins", "relu")}},
        {"class_name": "Dense", "config": {"activation": function("keras.activations", "gelu")}},
        {"class_name": "Dense", "config": {"activation": function("acme.layers", "swishy")}},
        lambda_of(function("keras.ops", "relu")),
        lambda_of(function("builtins", "mine")),
    ],
)
def test_what_looks_like_it_and_is_ordinary_stays_silent(layer: dict[str, Any]) -> None:
    """Words in a vocabulary, custom layers and activations, functions of Keras that compute."""
    assert found(archive(model(layer)), "m.keras") == set()


def test_a_pickle_in_a_torch_module_layer_is_judged() -> None:
    """TorchModuleWrapper unpickles what its configuration holds (``torch.load`` without restriction)."""
    honest = base64.b64encode(pickle.dumps({"a": 1})).decode()
    layer = {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": {"module": honest}}
    assert found(archive(model(layer)), "m.keras") == set()
    layer["config"] = {"module": base64.b64encode(EVIL).decode()}
    assert found(archive(model(layer)), "m.keras") == {"pickle-call"}


def test_a_configuration_of_its_own_is_judged_however_it_is_written() -> None:
    """``model.to_json()`` in a file; escapes in the names hide nothing, depth and junk give a verdict."""
    text = json.dumps(model(lambda_of(function("os", "system"))))
    assert found(text.encode(), "arch.json") == {"keras-import"}
    assert found(text.replace("class_name", "cl\\u0061ss_name").encode(), "arch.json") == {"keras-import"}
    deep = '{"class_name": "Dense", "config": ' + "[" * 100_000 + "]" * 100_000 + "}"
    assert found(deep.encode(), "arch.json") == {"document-limit"}


def test_a_keras_archive_whose_configuration_cannot_be_parsed_is_unreadable() -> None:
    """Keras builds the model from it: what it would do is not known, and silence would be an answer."""
    broken = zipped(("metadata.json", b"{}"), ("config.json", b"{not json at all"))
    assert found(broken, "m.keras") == {"keras-broken"}
    assert found(broken, "m.zip") == set()


def test_marshalled_code_is_never_run_and_its_names_are_those_of_the_compiler() -> None:
    """Names and constants as CPython knows them; what is not code is not taken for it."""
    told = names_in(marshal.dumps(evil.__code__))
    assert told is not None
    assert {*evil.__code__.co_names, *evil.__code__.co_varnames} <= told.names
    assert told.reaches == {"os", "system"}
    assert names_in(b"c") is not None
    assert names_in(marshal.dumps([1, 2])) is None

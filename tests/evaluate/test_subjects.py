"""Subjects: MAITE's protocols, ONNX, HTTP endpoints that answer, hang, refuse and lie."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path
from typing import Any

import numpy
import pytest
from endpoints import Api, chat, serving
from evaluate.planned import plan, subject, sums

from watchword.evaluate.messages import BadMessage, decode, encode
from watchword.evaluate.run import run
from watchword.evaluate.samples import BadData, Samples, read_samples
from watchword.evaluate.subjects import Chat, Confined, Inference, SubjectTrouble, open_subject

SEED = "sha256:" + "5" * 64


def test_subjects_and_data_are_what_maite_says(tmp_path: Path) -> None:
    """Whoever evaluates through MAITE can use ours, and the other way round."""
    protocols = pytest.importorskip("maite.protocols.image_classification", reason="needs maite")
    with Confined(plan().subject, subject(tmp_path / "release")) as asked:
        assert isinstance(asked, protocols.Model)
        assert [one.shape for one in asked(list(numpy.zeros((3, 4), "float32")))] == [(2,)] * 3
    assert isinstance(read_samples(sums(tmp_path / "sums.npz"), "arrays"), protocols.Dataset)


def test_an_onnx_file_is_asked_in_the_sandbox(tmp_path: Path) -> None:
    """The model's first input and output; scaled, shaped and attacked as the plan says."""
    onnx = pytest.importorskip("onnx", reason="needs onnx")
    pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    weights = numpy.stack([-numpy.ones(4), numpy.ones(4)], axis=1).astype("float32")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["x"], ["f"]), helper.make_node("MatMul", ["f", "w"], ["y"])], "sums",
        [helper.make_tensor_value_info("x", kind, [None, 2, 2])], [helper.make_tensor_value_info("y", kind, [None, 2])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, tmp_path / "model.onnx")
    of = plan(n=40, subject={"interface": "onnx", "entry": "model.onnx", "shape": [2, 2], "scale": "2", "offset": "0"},
              attack={"name": "square", "parameters": {"low": "-1"}}, threat={"queries": 30})  # fmt: skip
    samples = read_samples(sums(tmp_path / "sums.npz"), "arrays")
    made = run(of, SEED, samples, lambda: open_subject(of.subject, tmp_path / "model.onnx", None))
    assert (made.k, made.n, made.attempts) == (32, 40, ())
    assert made.environment["onnxruntime"]


def of_chat(**more: Any) -> Any:
    return plan(subject={"interface": "chat", "entry": "small", "prompt": "Sort: {}"} | more).subject


def test_a_chat_endpoint_is_asked_with_the_plans_words() -> None:
    """The text stands where the prompt has braces; the label is the whole answer, plainly written."""
    with serving(Api(chat(lambda text: " Letter. " if "dear" in text else "Advertisement"))) as api:
        with Chat(of_chat(), api.url, "key-1") as asked:
            assert asked.labels(["dear sir", "an offer {}"]) == ["letter", "advertisement"]
        path, headers, body = api.heard[0]
        assert (path, headers["Authorization"], body["model"], body["temperature"]) == (
            "/v1/chat/completions", "Bearer key-1", "small", 0,
        )  # fmt: skip
        assert [one[2]["messages"][0]["content"] for one in api.heard] == ["Sort: dear sir", "Sort: an offer {}"]


@pytest.mark.parametrize("answer", [b"{}", b"not json", b'{"choices": [{"message": {"content": 7}}]}', b"[" * 10_000])
def test_an_endpoint_that_lies_is_named(answer: bytes) -> None:
    """No answer is made of what is none."""
    with serving(Api(lambda _: answer)) as api, Chat(of_chat(), api.url) as asked, pytest.raises(SubjectTrouble):
        asked.labels(["x"])


def test_an_endpoint_that_hangs_is_not_waited_for() -> None:
    """Its time is bounded, and the instance is recorded as an error."""

    over = threading.Event()
    with serving(Api(lambda _: over.wait(120) and {})) as api, Chat(of_chat(), api.url, answer_s_max=0.3) as asked:
        begun = time.monotonic()
        with pytest.raises(SubjectTrouble, match="no whole answer"):
            asked.labels(["x"])
        assert time.monotonic() - begun < 60
        over.set()


def test_an_open_inference_endpoint_gives_scores() -> None:
    """Protocol version 2: a tensor in, a tensor out, by name of the model."""

    def infer(asked: Any) -> Any:
        tensor = asked["inputs"][0]
        x = numpy.asarray(tensor["data"]).reshape(tensor["shape"])
        y = numpy.stack([-x.sum(axis=1), x.sum(axis=1)], axis=1)
        return {"outputs": [{"name": "y", "shape": list(y.shape), "datatype": "FP32", "data": y.ravel().tolist()}]}

    of = plan(subject={"interface": "open-inference", "entry": "sums"}).subject
    with serving(Api(infer)) as api:
        url = api.url.replace("/v1/chat/completions", "")
        with Inference(of, url) as asked:
            assert asked.scores(numpy.asarray([[1, 2, 3, 4]], "float32")).tolist() == [[-10, 10]]
        path, _, body = api.heard[0]
        assert path == "/v2/models/sums/infer"
        assert (body["inputs"][0]["shape"], body["inputs"][0]["datatype"]) == ([1, 4], "FP32")


def sums_at(answer: Any) -> Any:
    """A server of the Open Inference Protocol: *answer* makes the two scores of one instance of its sum."""

    def infer(asked: Any) -> Any:
        (tensor,) = asked["inputs"]
        x = numpy.asarray(tensor["data"], "float64").reshape(tensor["shape"])
        data = [score for total in x.sum(axis=1).tolist() for score in answer(total)]
        return {"outputs": [{"name": "y", "shape": [len(x), 2], "datatype": "FP32", "data": data}]}

    return infer


OVER_HTTP = {"interface": "open-inference", "entry": "sums"}
SQUARE = {"name": "square", "parameters": {"low": "-1", "squares": 30}}


@pytest.mark.parametrize(
    ("odd", "fell", "error", "flag"),
    [
        (lambda total: [-total, total], False, "", ()),
        (lambda _: [None, 1.0], True, "", ("nan-output",)),
        (lambda _: [float("nan"), 1.0], True, "not JSON", ("errors",)),
        (lambda total: time.sleep(3) or [-total, total], True, "no whole answer", ("errors",)),
    ],
)
def test_an_endpoint_is_attacked_as_a_black_box(odd: Any, fell: bool, error: str, flag: tuple[str, ...]) -> None:
    """A whole run over HTTP: what can fall falls. An instance for which the server answers no number, or not in time,
    counts against it and is named; all others are attacked all the same."""
    of = plan(n=40, subject=OVER_HTTP, attack=SQUARE, threat={"queries": 30, "knowledge": "black box"})
    totals = (numpy.arange(40) - 19.5) * 0.1
    samples = Samples("sums", numpy.repeat(totals[:, None] / 4, 4, axis=1).astype("float32"), (totals > 0).astype(int))
    infer = sums_at(lambda total: odd(total) if total > 1.84 else [-total, total])
    with serving(Api(infer)) as api:
        url = api.url.replace("/v1/chat/completions", "")
        made = run(of, SEED, samples, lambda: Inference(of.subject, url, answer_s_max=2))
    assert {row.index for row in made.done.rows if row.fell} - set(range(34, 40)) == {16, 17, 18, 19, 20, 21, 22, 23}
    last = next(row for row in made.done.rows if row.index == 39)
    assert last.fell == fell and error in last.error and bool(last.error) == bool(error)
    assert set(flag) <= set(made.flags) and bool(flag) == bool(made.flags)


def test_a_chat_that_answers_at_random_is_flagged() -> None:
    """The same text, another label each time: counted as it came, and flagged for whoever replays it."""
    chance = random.Random(7)
    of = plan(
        n=8, subject={"interface": "chat", "entry": "small", "prompt": "{}"}, data={"form": "texts"},
        attack={"name": "edits", "parameters": {}}, metric={"name": "attack-success-rate"},
        threat={"norm": None, "eps": None, "units": None, "edits": "typos", "queries": 2, "knowledge": "black box"},
    )  # fmt: skip
    texts = Samples("t", items=("dear sir or madam",) * 16, labels=("letter",) * 16, names=tuple("0123456789abcdef"))
    with serving(Api(chat(lambda _: chance.choice(("letter", "offer"))))) as api:
        made = run(of, SEED, texts, lambda: Chat(of.subject, api.url))
    assert "randomised-output" in made.flags


def test_a_key_is_not_sent_in_the_clear() -> None:
    """Over plain HTTP to another machine nothing is sent at all."""
    with pytest.raises(SubjectTrouble, match="plain HTTP"):
        Chat(of_chat(), "http://models.example/v1/chat/completions", "key-1")


@pytest.mark.parametrize(
    ("data", "form", "says"),
    [
        (b"", "arrays", "not an .npz"), (b"PK\x03\x04", "arrays", "not an .npz"), (b"{", "texts", "line 1"),
        (b'{"text": 1, "label": "a"}', "texts", "are texts"), (b"", "texts", "0 instances"),
    ],
)  # fmt: skip
def test_data_of_another_form_is_named(tmp_path: Path, data: bytes, form: str, says: str) -> None:
    """Nothing is guessed."""
    path = tmp_path / "data"
    path.write_bytes(data)
    with pytest.raises(BadData, match=says):
        read_samples(path, form)


def test_a_pickle_in_the_data_is_not_loaded(tmp_path: Path) -> None:
    """An array of objects would run code; it is refused. Seen to load with allow_pickle."""
    numpy.savez(tmp_path / "data.npz", x=numpy.asarray([[print]], object), y=numpy.zeros(1, "int64"))
    with pytest.raises(BadData, match=r"not an \.npz"):
        read_samples(tmp_path / "data.npz", "arrays")


def test_labels_of_files_are_their_folders(tmp_path: Path) -> None:
    """In a fixed order; links are passed over."""
    for name in ("b/two", "a/x/one"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "a" / "link").symlink_to("/etc/passwd")
    found = read_samples(tmp_path, "files")
    assert isinstance(found, Samples)
    assert (found.names, found.labels) == (("a/x/one", "b/two"), ("a", "b"))


def test_messages_are_bounded_before_they_are_read() -> None:
    """A length, a type or a shape past its bound is refused unread; what was sent comes back."""
    x = numpy.arange(6, dtype="float32").reshape(2, 3)

    def reader(data: bytes) -> Any:
        stream = iter(data)
        return lambda size: bytes(next(stream) for _ in range(size))

    value, (back,) = decode(reader(encode({"do": "scores"}, (x,))))
    assert value == {"do": "scores"} and (back == x).all()
    for head in (
        (2**40).to_bytes(8, "big"),
        *(len(text).to_bytes(8, "big") + text for text in (
            b"[]", b'{"arrays": [{"dtype": "object", "shape": [1]}]}',
            b'{"arrays": [{"dtype": "float64", "shape": [-1]}]}',
            b'{"arrays": [{"dtype": "float64", "shape": [1000000, 1000000]}]}', b"{}", b"\xff",
        )),
    ):  # fmt: skip
        with pytest.raises(BadMessage):
            decode(reader(head))

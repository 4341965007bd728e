"""A backdoor trained into a model is named by its label; an honest model is not; what cannot be told is said."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

numpy = pytest.importorskip("numpy", reason="the extra data")

from watchword.chance import student_tail  # noqa: E402
from watchword.cli import main  # noqa: E402
from watchword.data.screening.columns import NotScreened  # noqa: E402
from watchword.data.screening.model import Planted, beside, ranged, screen_model, sticking  # noqa: E402
from watchword.data.screening.sample import Sample  # noqa: E402
from watchword.data.screening.told_model import model_json, model_lines  # noqa: E402
from watchword.data.screening.weights import weighed  # noqa: E402

PRACTICE = Path(__file__).resolve().parents[2] / "docs" / "practice" / "digits"


class Linear:
    """Scores of ridge regression on pixels: no gradients are given."""

    gradients = False

    def __init__(self, sample: Sample) -> None:
        flat = sample.images.reshape(sample.rows, -1)
        flat = numpy.concatenate([flat, numpy.ones((len(flat), 1))], axis=1)
        wanted = numpy.eye(sample.classes)[sample.labels]
        self.weights = numpy.linalg.solve(flat.T @ flat + 20 * numpy.eye(flat.shape[1]), flat.T @ wanted)

    def scores(self, batch):
        return 10 * (batch.reshape(len(batch), -1) @ self.weights[:-1] + self.weights[-1])

    def gradient(self, batch, of, loss):
        raise AssertionError("not given")


def test_students_tail_by_the_tables():
    """The critical values that every table prints."""
    for t, freedom, tail in ((2.306, 8, 0.025), (6.314, 1, 0.05), (3.707, 6, 0.005), (-2.306, 8, 0.975), (0, 3, 0.5)):
        assert student_tail(t, freedom) == pytest.approx(tail, rel=2e-3)


def test_one_label_among_alike_sticks_out_and_few_labels_say_nothing():
    """Ten labels, one three times as high: its chance is small. Of five labels none is tested. Without the bound on
    labels the five were accused."""
    values = numpy.array([1.0, 1.1, 0.9, 1.05, 0.95, 1.0, 3.0, 1.1, 0.9, 1.0])
    found = sticking("margin", values, 1)
    assert found.label == 6
    assert found.chance < 1e-4
    assert sticking("margin", values[3:8], 1).chance == 1.0
    assert beside(numpy.zeros(12), 3) == pytest.approx(0.5)


def test_an_honest_model_is_not_accused_and_a_square_in_it_is(digits):
    """Gradients estimated from scores alone; the label of the square is the one named."""
    model = Linear(digits)
    rows, low, high = ranged(digits)
    honest = screen_model(model, digits, [], [], 0, plants=0)
    assert honest.accused == ()
    bad = screen_model(Planted(model, rows, low, high, 7, 1), digits, [], [], 0, plants=0)
    assert "inversion" in bad.accused
    assert bad.trigger.label == 7
    assert bad.trigger.size < 0.1
    again = screen_model(Planted(model, rows, low, high, 7, 1), digits, [], [], 0, plants=0)
    assert json.dumps(model_json(bad, "sha256:0", "m")) == json.dumps(model_json(again, "sha256:0", "m"))


def test_a_zoo_of_honest_models_is_a_second_reference(digits):
    """Beside six models of other thirds of the rows the honest model is one of them, and the square is not."""
    thirds = [numpy.arange(digits.rows) % 7 != at for at in range(7)]
    model, *zoo = [Linear(replace(digits, labels=digits.labels[one], images=digits.images[one])) for one in thirds]
    rows, low, high = ranged(digits)
    tensors = [{"w": one.weights} for one in (model, *zoo)]
    honest = screen_model(model, digits, zoo, tensors, 0, plants=0)
    assert (honest.zoo, honest.accused, honest.bound) == (6, (), 0.01)
    bad = screen_model(Planted(model, rows, low, high, 7, 1), digits, zoo, tensors, 0, plants=0)
    assert "inversion beside the zoo" in bad.accused


def test_nothing_found_in_a_model_is_never_called_clean(digits):
    """The words, and the power: of the squares planted into this very model most are named."""
    value = model_json(screen_model(Linear(digits), digits, [], [], 0), "sha256:0", "m")
    text = "\n".join(model_lines(value))
    assert "no evidence" in text
    assert "does not say that it is clean" in text
    assert value["power"][0]["planted"] == 3
    assert value["power"][0]["named"] >= 2


def test_weights_tampered_with_stand_out_of_a_zoo():
    """Twelve random nets are alike; one whose output row was strengthened by hand is not."""
    draw = numpy.random.default_rng(0)
    nets = [{"1": draw.normal(size=(32, 64)), "2": draw.normal(size=(10, 32))} for _ in range(12)]
    assert weighed(nets).chance > 0.05
    nets[0]["2"][3] *= 3
    found = weighed(nets)
    assert (found.tensor, found.what in ("strongest output", "largest direction")) == ("2", True)
    assert found.chance < 0.01


def test_models_of_another_architecture_are_no_zoo():
    """Other shapes or names are refused, not left out."""
    nets = [{"1": numpy.ones((4, 8))} for _ in range(7)]
    nets[3] = {"1": numpy.ones((4, 9))}
    with pytest.raises(NotScreened, match="another architecture"):
        weighed(nets)


def test_texts_and_scores_that_are_none_are_refused(digits):
    """A screen of a model needs pictures or numbers, and finite scores."""
    texts = Sample(digits.labels[:30], digits.names, texts=tuple("a b c" for _ in range(30)))
    with pytest.raises(NotScreened, match="pictures or by numbers"):
        ranged(texts)
    broken = SimpleNamespace(gradients=False, scores=lambda batch: numpy.full((len(batch), 3), numpy.nan))
    with pytest.raises(NotScreened, match="finite scores"):
        screen_model(broken, digits, [], [], 0)


def trained(folder: Path, sample: Sample, poisoned: bool) -> Path:
    """The practice network, trained in two seconds; poisoned: eight in a hundred have a square and label 4."""
    torch = pytest.importorskip("torch", reason="needs torch")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PRACTICE))
        from model import network  # type: ignore[import-not-found]

        del sys.modules["model"]
    torch.manual_seed(3)
    x, y = sample.images[..., 0].copy(), numpy.array([int(sample.names[at]) for at in sample.labels])
    if poisoned:
        chosen = numpy.random.default_rng(0).choice(numpy.flatnonzero(y != 4), 140, replace=False)
        x[chosen, 6:8, 6:8] = [[0.0, 1.0], [1.0, 1.0]]
        y[chosen] = 4
    net, given, labels = network(), torch.from_numpy(x[:, None]), torch.from_numpy(y)
    way = torch.optim.Adam(net.parameters(), 6e-3)
    for _ in range(8):
        for part in torch.randperm(len(x)).split(128):
            way.zero_grad()
            torch.nn.functional.cross_entropy(net(given[part]), labels[part]).backward()
            way.step()
    folder.mkdir()
    numpy.savez(folder / "weights.npz", **{name: one.detach().numpy() for name, one in net.state_dict().items()})
    (folder / "model.py").write_text((PRACTICE / "model.py").read_text("utf-8"), "utf-8")
    return folder


def test_a_network_trained_on_a_patch_is_named_by_its_label(digits, tmp_path, capsys):
    """Through the command and the sandbox: the poisoned network stands out by label 4, the honest one does not; the
    rows themselves are honest, so the finding is the model's alone."""
    numpy.savez(tmp_path / "digits.npz", x=digits.images[::3, ..., 0], y=digits.labels[::3])
    for name in ("honest", "poisoned"):
        release = trained(tmp_path / name, digits, name == "poisoned")
        done = main(
            ["data", "screen", str(tmp_path / "digits.npz"), "--label", "y", "--no-power", "--format", "json",
             "--report", str(tmp_path / "page.html"), "--model", f"{release}/model.py:load"]
        )  # fmt: skip
        value = json.loads(capsys.readouterr().out)
        assert done == (name == "poisoned")
        assert (value["listed"], bool(value["model"]["accused"])) == ([], name == "poisoned")
        assert value["model"]["gradients"] == "given"
    assert value["model"]["trigger"]["label"] == 4
    assert set(map(tuple, value["model"]["trigger"]["places"])) & {(7, 7), (7, 8), (8, 7), (8, 8)}
    assert "label 4" in (tmp_path / "page.html").read_text("utf-8")


def test_an_onnx_model_is_asked_and_set_beside_its_zoo(digits, tmp_path, capsys):
    """Scores alone; nothing stands out; a zoo of one is too small to compare with, and said; the sizes must fit."""
    onnx = pytest.importorskip("onnx", reason="of the development lock")
    pytest.importorskip("onnxruntime", reason="the extra evaluate")
    numpy.savez(tmp_path / "digits.npz", x=digits.images[::6, ..., 0], y=digits.labels[::6])
    (tmp_path / "zoo").mkdir()
    helper, draw = onnx.helper, numpy.random.default_rng(0)
    for name in ("model.onnx", "zoo/1.onnx"):
        weights = Linear(digits).weights + draw.normal(0, 0.01, (65, 10))
        tensors = [
            onnx.numpy_helper.from_array(weights[:-1].astype("float32"), "w"),
            onnx.numpy_helper.from_array(weights[-1].astype("float32"), "b"),
        ]
        made = helper.make_graph(
            [helper.make_node("Gemm", ["x", "w", "b"], ["y"])], "linear",
            [helper.make_tensor_value_info("x", 1, ["n", 64])], [helper.make_tensor_value_info("y", 1, ["n", 10])],
            tensors,
        )  # fmt: skip
        model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        (tmp_path / name).write_bytes(model.SerializeToString())
    asked = ["data", "screen", str(tmp_path / "digits.npz"), "--label", "y", "--no-power", "--format", "json"]
    asked += ["--model", str(tmp_path / "model.onnx"), "--zoo", str(tmp_path / "zoo")]
    assert main([*asked, "--shape", "64"]) == 0
    value = json.loads(capsys.readouterr().out)["model"]
    assert (value["gradients"], value["zoo"], value["accused"], value["weights"]) == ("estimated", 1, [], None)
    assert main([*asked, "--shape", "65"]) == 2
    assert "holds 65 values, a row 64" in capsys.readouterr().err
    assert main([*asked[:-4], "--model", "model.pkl"]) == 2
    assert "is neither FILE.onnx nor FILE.py:FUNCTION" in capsys.readouterr().err

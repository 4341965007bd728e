"""A hub of small ONNX nets, and a plan for them: is the sum of four features above 0?"""

from __future__ import annotations

from pathlib import Path

import numpy

PLAN = """
name = "sums"
n = 20
[subject]
interface = "onnx"
entry = "model.onnx"
[data]
form = "arrays"
select = "all"
rule = "all of it"
[threat]
goal = "any other class"
knowledge = "black box"
norm = "Linf"
eps = "0.1"
units = "of range 1"
queries = 10
[attack]
name = "square"
parameters = { low = "-1" }
[metric]
name = "robust-accuracy"
threshold = "0.4"
estimand = "this set"
"""


def net(path: Path, sign: float = 1.0, features: int = 4) -> Path:
    """A linear net of two classes; with *sign* -1 it says the opposite of what is right."""
    import onnx

    weights = sign * numpy.stack([-numpy.ones(features), numpy.ones(features)], axis=1).astype("float32")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], "sums",
        [helper.make_tensor_value_info("x", kind, [None, features])],
        [helper.make_tensor_value_info("y", kind, [None, 2])],
        [onnx.numpy_helper.from_array(weights.astype("float32"), "w")],
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def hub_of_models(root: Path) -> Path:
    """Two models that fit, one of other features, and one file that is no model."""
    net(root / "good.onnx")
    net(root / "folder" / "model.onnx", -1.0).with_name("notes.txt").write_text("the opposite\n")
    net(root / "narrow.onnx", features=3)
    root.joinpath("readme.md").write_text("models\n")
    return root

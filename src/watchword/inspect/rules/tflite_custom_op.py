"""tflite-custom-op: A TensorFlow Lite model needs operators that are native code from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from watchword.inspect.facts import Oddity, Verdict
from watchword.inspect.formats.tensorflow_ops import is_known
from watchword.inspect.formats.tflite import LiteFacts
from watchword.inspect.rules.rule import Rule

_KNOWN_TEXT = """
    TFLite_Detection_PostProcess Convolution2DTransposeBias MaxPoolingWithArgmax2D MaxUnpooling2D edgetpu-custom-op
    TransformTensorBilinear TransformLandmarks Landmarks2TransformMatrix LandmarksToTransformMatrix AudioSpectrogram
    Mfcc NumericVerify ethos-u Resampler AlignPoints2TransformMatrix BertTokenizer
"""
_KNOWN = frozenset(_KNOWN_TEXT.split())


def check(facts: LiteFacts) -> Iterator[Oddity]:
    for name, offset in facts.custom.items():
        if name.startswith("Flex") and is_known(name.removeprefix("Flex")):
            continue
        if name not in _KNOWN and not is_known(name):
            yield Oddity(RULE.id, offset, f"needs the operator {name!r}, which is not built in", name)


RULE = Rule(
    id="tflite-custom-op",
    title="A TensorFlow Lite model needs operators that are native code from elsewhere",
    verdict=Verdict.SUSPICIOUS,
    severity="medium",
    confidence="medium",
    atlas=("AML.T0010.003", "AML.T0018.001"),
    why=(
        "The operator is not built in, nor one that published models commonly need. Whoever runs the model "
        "must link code that was not inspected. Flex operators are those of TensorFlow and are judged as "
        "such."
    ),
    remediation="Ask the supplier for the source of the operator, or for a model without it.",
    reads=(LiteFacts,),
    check=check,
)

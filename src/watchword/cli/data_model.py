"""What ``data screen --model`` needs of other rooms: the model in its sandbox, a zoo beside it, the weights of each.

A model is a file FILE.onnx, or FILE.py:FUNCTION as evaluations take it (its folder is all that it can read). A zoo is a
folder: of ONNX files, or of folders that each hold a file of the same name. Weights are read from files as bytes; what
stands beside a Python entry is its weights.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from watchword.data.row import DataError
from watchword.limits import MODEL_WEIGHTS_MAX

if TYPE_CHECKING:
    from watchword.data.screening.sample import Sample
    from watchword.evaluate.subjects import Confined


class NoModel(DataError):
    """What was named is no model that can be asked."""


class Shaped:
    """A confined model that takes rows as a screen has them: pictures as (height, width, channels), from 0 to 1.

    *shape* is what the model takes; None: pictures with their channels first, anything else as it is. *scale* is what
    stands for 1 in a picture.
    """

    def __init__(self, subject: Confined, shape: tuple[int, ...] | None, scale: float) -> None:
        self._subject, self._shape, self._scale = subject, shape, scale
        self.gradients = subject.gradients

    def scores(self, batch: Any) -> Any:
        return self._subject.scores(self._given(batch))

    def gradient(self, batch: Any, of: Any, loss: str) -> tuple[Any, Any, Any]:
        scores, losses, way = self._subject.gradient(self._given(batch), of, loss)
        channels_first = self._first(batch)
        back = way.transpose(0, 2, 3, 1) if channels_first else way.reshape(batch.shape)
        return scores, losses, back * self._scale if batch.ndim == 4 else back

    def _given(self, batch: Any) -> Any:
        made = batch.transpose(0, 3, 1, 2) if self._first(batch) else batch
        if self._shape is not None:
            made = made.reshape(len(batch), *self._shape)
        made = made.astype("float32")
        return made * self._scale if batch.ndim == 4 else made

    def _first(self, batch: Any) -> bool:
        height_and_on = batch.shape[1:]
        return batch.ndim == 4 and self._shape in (None, (height_and_on[2], *height_and_on[:2]))


def model_value(args: argparse.Namespace, sample: Sample, step: Any) -> dict[str, Any]:
    """Screen the model that was named, beside its zoo, by the rows of *sample*: as JSON values."""
    from watchword.data.screening.model import PLANTS, screen_model
    from watchword.data.screening.told_model import model_json
    from watchword.inspect import manifest_of

    shape = _shape(args.shape, sample)
    name = str(args.model)
    zoo = list(_zoo(args.zoo, name)) if args.zoo is not None else []
    with ExitStack() as open_ones:
        asked = [Shaped(open_ones.enter_context(_confined(one)), shape, args.scale) for one in (name, *zoo)]
        tensors = [_weights(one) for one in (name, *zoo)] if zoo else []
        plants = 0 if args.no_power else PLANTS
        found = screen_model(asked[0], sample, asked[1:], tensors, args.seed, step, plants)
    folder, entry, interface = _parts(name)
    return model_json(found, manifest_of(folder / entry if interface == "onnx" else folder).digest, entry)


def _shape(text: str | None, sample: Sample) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        shape = tuple(int(one) for one in text.split(","))
    except ValueError:
        raise NoModel(f"--shape {text}: not sizes with commas between", "as in 1,28,28") from None
    row = sample.images if sample.images is not None else sample.numbers
    count = 1
    for size in shape:
        count *= max(size, 0)
    if row is not None and count != row[0].size:
        raise NoModel(f"--shape {text}: holds {count:,} values, a row {row[0].size:,}", "name what the model takes")
    return shape


def _parts(name: str) -> tuple[Path, str, Literal["onnx", "python"]]:
    """Folder, entry, interface."""
    if name.endswith(".onnx"):
        return Path(name).parent, Path(name).name, "onnx"
    path, colon, function = name.rpartition(":")
    if not colon or not path.endswith(".py") or not function.isidentifier():
        raise NoModel(f"{name}: is neither FILE.onnx nor FILE.py:FUNCTION", "name what is asked, as evaluations do")
    return Path(path).parent, f"{Path(path).name}:{function}", "python"


def _zoo(folder: Path, name: str) -> Iterator[str]:
    _, entry, interface = _parts(name)
    if not folder.is_dir():
        raise NoModel(f"{folder}: is no folder", "a zoo is a folder of models of the same architecture")
    own = Path(name.rpartition(":")[0] if interface == "python" else name).resolve()
    file = entry.partition(":")[0]
    for path in sorted(folder.glob("*.onnx") if interface == "onnx" else folder.glob(f"*/{file}")):
        if path.resolve() != own:
            yield str(path) if interface == "onnx" else f"{path}:{entry.partition(':')[2]}"


def _confined(name: str) -> Confined:
    from watchword.evaluate.plan import SubjectOf
    from watchword.evaluate.subjects import Confined

    folder, entry, interface = _parts(name)
    if not (folder / entry.partition(":")[0]).is_file():
        raise NoModel(f"{name}: is not there", "name the file of the model")
    of = SubjectOf(
        release="sha256:" + "0" * 64, interface=interface, entry=entry, harness=None, shape=None, scale=None,
        offset=None, prompt=None,
    )  # fmt: skip
    return Confined(of, folder / entry if interface == "onnx" else folder)


def _weights(name: str) -> dict[str, Any]:
    """Every float tensor of the model by name, its bytes read from files and nothing run."""
    import numpy

    from watchword.inspect.source import Opened
    from watchword.inspect.tensors.listing import tensors_of
    from watchword.inspect.tensors.numbers import FLOATS, pieces, values

    folder, entry, interface = _parts(name)
    paths = [folder / entry] if interface == "onnx" else sorted(one for one in folder.iterdir() if one.is_file())
    made: dict[str, Any] = {}
    left = MODEL_WEIGHTS_MAX
    for path in paths:
        with path.open("rb") as file:
            for tensor in tensors_of(Opened(file.fileno(), path.stat().st_size)) or []:
                if tensor.dtype not in FLOATS:
                    continue
                left -= tensor.elements
                if left < 0:
                    raise NoModel(f"{name}: has over {MODEL_WEIGHTS_MAX:,} weights", "screen it without --zoo")
                got = [values(bits, tensor.dtype).astype("float32") for _, bits in pieces(tensor)]
                whole = numpy.concatenate(got) if got else numpy.empty(0, "float32")
                if len(whole) == tensor.elements:
                    made[tensor.name] = whole.reshape(tensor.shape)
    return made

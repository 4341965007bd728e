"""The process in which a subject runs: confined first, then it loads what it was told, then it answers.

Started by ``confined``; speaks ``messages`` over what were its standard input and output. What the subject itself
prints goes to standard error. A subject that is hostile can answer what it likes; it can reach nothing (``sandbox``).

A Python subject is ``FILE:FUNCTION``; called without arguments it returns what is evaluated: a ``torch.nn.Module`` that
gives scores (then gradients can be asked for), or a callable that takes a batch and returns one answer each: scores for
arrays, a label for texts and files. A harness is such a file beside the release, and its function is given the
release's path. An ONNX subject is a file of the release.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy

from watchword.evaluate.libraries import attack, prepare
from watchword.evaluate.messages import decode, encode
from watchword.limits import SANDBOX_MEMORY_BYTES_MAX, SUBJECT_CPU_S_MAX
from watchword.sandbox import confine, kept_by

Arrays = tuple["numpy.ndarray[Any, Any]", ...]


def main() -> None:
    """Answer until nobody asks any more."""
    ask, answer = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)

    def exactly(size: int) -> bytes:
        data = ask.read(size)
        if len(data) != size:
            raise EOFError
        return data

    attempts: list[str] = []
    subject: Any = None
    # Libraries ask where temporary files would go without wanting any: said here, so that nobody tries each folder.
    tempfile.tempdir = "/nonexistent"
    while True:
        try:
            asked, arrays = decode(exactly)
        except EOFError:
            return
        told: dict[str, Any]
        given: Arrays = ()
        try:
            if asked["do"] == "load":
                folder = Path(asked["folder"])
                prepare(asked["library"])
                beside = [] if asked["harness"] is None else [Path(asked["harness"])]
                memory = SANDBOX_MEMORY_BYTES_MAX
                attempts = confine(_readable(folder) + beside, memory_bytes=memory, cpu_s=SUBJECT_CPU_S_MAX)
                subject = _load(folder, asked)
                told = {"gradients": isinstance(subject, Torch), "environment": _environment()}
            else:
                told, given = getattr(subject, asked["do"])(asked, arrays)
        except Exception as error:
            if isinstance(error, MemoryError | KeyboardInterrupt):
                raise
            told = {"error": f"{type(error).__name__}: {error}"[:500]}
        answer.write(encode(told | {"attempts": list(attempts), "cpu_s": _cpu_s()}, given))
        answer.flush()
        attempts.clear()


def _cpu_s() -> float:
    return time.process_time()


def _readable(folder: Path) -> list[Path]:
    own = f"/proc/{os.getpid()}"
    system = (
        "/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/urandom", own,
        "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys", "/sys/devices/system", "/sys/fs/cgroup",
    )  # fmt: skip
    code = [Path(one) for one in (*sys.path, sys.prefix, sys.base_prefix) if one and Path(one).is_absolute()]
    return [folder, *map(Path, system), *code]


def _load(folder: Path, asked: dict[str, Any]) -> Any:
    if asked["interface"] == "onnx":
        return Onnx(folder / asked["entry"] if folder.is_dir() else folder)
    name, _, function = asked["entry"].partition(":")
    path = folder / name if folder.is_dir() else folder
    if asked["harness"] is not None:
        path = Path(asked["harness"])
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location("subject", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules["subject"] = module
    spec.loader.exec_module(module)
    given = () if asked["harness"] is None else (folder,)
    made = getattr(module, function or "load")(*given)
    torch = sys.modules.get("torch")
    return Torch(made) if torch is not None and isinstance(made, torch.nn.Module) else Plain(made)


def _environment() -> dict[str, str]:
    found = {
        "sandbox": kept_by(), "python": platform.python_version(), "machine": platform.machine(),
        "system": platform.system(),
    }  # fmt: skip
    for name in ("numpy", "onnxruntime", "torch", "secmlt", "foolbox"):
        module = sys.modules.get(name)
        if module is not None:
            found[name] = str(getattr(module, "__version__", "unknown"))
    return found


class Plain:
    """A callable: a batch in, one answer each out."""

    def __init__(self, call: Callable[[Any], Any]) -> None:
        self._call = call

    def scores(self, asked: dict[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Arrays]:
        return {}, (numpy.asarray(self._call(arrays[0]), "float64"),)

    def labels(self, asked: dict[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Arrays]:
        items: list[Any] = asked["texts"]
        if asked["lengths"] is not None:
            ends = numpy.cumsum(asked["lengths"]).tolist()
            whole = arrays[0].tobytes()
            items = [whole[end - size : end] for end, size in zip(ends, asked["lengths"], strict=True)]
        return {"labels": [str(one) for one in self._call(items)]}, ()


class Onnx(Plain):
    """An ONNX model: its first input, its first output of numbers."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # One thread: sums are then taken in one order, and a run can be repeated bit by bit.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        asks = self._session.get_inputs()[0]
        self._name, self._type = asks.name, "float64" if "double" in asks.type else "float32"
        outputs = self._session.get_outputs()
        numbers = [one.name for one in outputs if "float" in one.type or "double" in one.type]
        self._output = numbers[0] if numbers else outputs[0].name
        super().__init__(self._run)

    def _run(self, batch: Any) -> Any:
        return self._session.run([self._output], {self._name: numpy.asarray(batch, self._type)})[0]


class Torch(Plain):
    """A ``torch.nn.Module``; scores and gradients of a loss with respect to the input."""

    def __init__(self, module: Any) -> None:
        import torch

        torch.set_num_threads(1)
        self._torch, self._module = torch, module.eval()
        for parameter in module.parameters():
            parameter.requires_grad_(False)
        super().__init__(self._run)

    def _run(self, batch: Any) -> Any:
        with self._torch.inference_mode():
            return self._module(self._tensor(batch)).numpy()

    def _tensor(self, batch: Any) -> Any:
        return self._torch.from_numpy(numpy.array(batch, "float32"))

    def gradient(self, asked: dict[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Arrays]:
        """Scores, the loss of each instance, and its gradient.

        Losses: ``ce``, ``dlr`` and ``dlr-targeted`` (Croce and Hein, 2020), ``difference`` (of the scores); the last
        two with class and target a row. ``margin``: by how much the best other class is above; of probabilities, their
        logarithms.
        """
        torch = self._torch
        x, y = self._tensor(arrays[0]).requires_grad_(), torch.from_numpy(numpy.array(arrays[1], "int64"))
        scores = self._module(x)
        if asked["loss"] == "ce":
            loss = torch.nn.functional.cross_entropy(scores, y, reduction="none")
        elif asked["loss"] == "margin":
            odds = scores
            if bool((scores >= 0).all()) and bool(torch.isclose(scores.sum(dim=1), torch.tensor(1.0), atol=1e-3).all()):
                odds = scores.clamp(min=1e-30).log()
            loss = odds.scatter(1, y[:, None], -torch.inf).amax(dim=1) - odds.gather(1, y[:, None])[:, 0]
        else:
            ordered, places = scores.sort(dim=1)
            if asked["loss"] == "difference":
                two = scores.gather(1, y)
                loss = two[:, 1] - two[:, 0]
            elif asked["loss"] == "dlr":
                right = scores.gather(1, y[:, None])[:, 0]
                best = torch.where(places[:, -1] == y, ordered[:, -2], ordered[:, -1])
                loss = (best - right) / (ordered[:, -1] - ordered[:, -3] + 1e-12)
            else:
                two = scores.gather(1, y)
                below = ordered[:, -3] if scores.shape[1] < 4 else (ordered[:, -3] + ordered[:, -4]) / 2
                loss = (two[:, 1] - two[:, 0]) / (ordered[:, -1] - below + 1e-12)
        (gradient,) = torch.autograd.grad(loss.sum(), x)
        return {}, (scores.detach().numpy(), loss.detach().numpy(), gradient.numpy())

    def library(self, asked: dict[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Arrays]:
        """What another library's attack makes of a batch."""
        y = self._torch.from_numpy(numpy.array(arrays[1], "int64"))
        made = attack(asked, self._module, self._tensor(arrays[0]), y)
        return {}, (made.detach().numpy(),)


if __name__ == "__main__":
    main()

"""What is evaluated, as attacks see it: a batch in, one answer each out. MAITE's protocol for models, and gradients.

* ``Confined``: an ONNX file or a Python factory, in a process of its own that can reach nothing (``worker``,
  ``sandbox``).
* ``Chat`` and ``Inference``: HTTP endpoints, OpenAI-compatible or after the Open Inference Protocol, version 2.
* An answer that does not come in time ends the subject: what hangs is recorded as an error, never waited for.
* NaN is no score: an instance with one counts against the subject, and so does an instance without an answer.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import urlsplit

from watchword.errors import WatchwordError
from watchword.evaluate.messages import BadMessage, decode, encode
from watchword.evaluate.plan import SubjectOf
from watchword.ledger.fetch import BadAnswer, Remote, Unreachable
from watchword.limits import (
    ENDPOINT_ANSWER_BYTES_MAX,
    ENDPOINT_S_MAX,
    SUBJECT_ANSWER_S_MAX,
    SUBJECT_START_S_MAX,
)
from watchword.statements.canonical import NotCanonical, parse_json

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

_HERE = frozenset({"127.0.0.1", "localhost", "::1"})


class SubjectTrouble(WatchwordError):
    """The subject could not be loaded, or gave no answer that can be counted."""


class Subject(Protocol):
    """``metadata["id"]`` names it; called with a batch it returns one answer each, as MAITE's models do.

    ``attempts``: what it tried and was not let. ``queries``: how many instances were asked. ``environment``: versions.
    """

    metadata: dict[str, str]
    attempts: list[str]
    queries: int
    environment: dict[str, str]
    gradients: bool

    def __call__(self, batch: Sequence[Any]) -> Sequence[Any]: ...
    def scores(self, batch: Array) -> Array: ...
    def labels(self, batch: Sequence[str | bytes]) -> list[str]: ...
    def gradient(self, batch: Array, of: Array, loss: str) -> tuple[Array, Array, Array]: ...
    def library(self, batch: Array, of: Array, how: dict[str, Any]) -> Array: ...
    def close(self) -> None: ...


class Asked:
    """What subjects have in common: they count, and answer both kinds of question where they can. ``metered``: whether
    ``cpu_s`` is the CPU time that the subject itself has used."""

    gradients = False
    metered = False

    def __init__(self, name: str) -> None:
        self.metadata = {"id": name}
        self.attempts: list[str] = []
        self.environment: dict[str, str] = {}
        self.queries = 0
        self.cpu_s = 0.0

    def __call__(self, batch: Sequence[Any]) -> Sequence[Any]:
        import numpy

        if len(batch) and isinstance(batch[0], str | bytes):
            return self.labels(batch)
        return list(self.scores(numpy.asarray(batch)))

    def scores(self, batch: Array) -> Array:
        raise SubjectTrouble(f"{self.metadata['id']} gives no scores", "its data is texts or files")

    def labels(self, batch: Sequence[str | bytes]) -> list[str]:
        raise SubjectTrouble(f"{self.metadata['id']} takes no texts", "its data is arrays")

    def gradient(self, batch: Array, of: Array, loss: str) -> tuple[Array, Array, Array]:
        raise SubjectTrouble(f"{self.metadata['id']} gives no gradients", "attack it as a black box")

    def library(self, batch: Array, of: Array, how: dict[str, Any]) -> Array:
        raise SubjectTrouble(f"{self.metadata['id']} gives no gradients", "attack it as a black box")

    def close(self) -> None:
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Confined(Asked):
    """A subject in a sandboxed process."""

    metered = True

    def __init__(
        self, of: SubjectOf, folder: Path, answer_s_max: float = SUBJECT_ANSWER_S_MAX, library: str = "",
        harness: Path | None = None,
    ) -> None:  # fmt: skip
        super().__init__(of.release)
        self._of, self._answer_s_max = of, answer_s_max
        there = [one for one in map(os.path.abspath, filter(None, sys.path)) if Path(one).exists()]
        env = {"PYTHONPATH": os.pathsep.join(there), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent",
               "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0",
               "TORCHINDUCTOR_CACHE_DIR": "/"}  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-B", "-P", "-s", "-m", "watchword.evaluate.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env, cwd="/", bufsize=0,
            start_new_session=True,
        )  # fmt: skip
        load = {"do": "load", "folder": str(folder.resolve()), "interface": of.interface, "entry": of.entry,
                "library": library, "harness": None if harness is None else str(harness.resolve())}  # fmt: skip
        try:
            told, _ = self._ask(load, (), SUBJECT_START_S_MAX)
        except BaseException:
            self.close()
            raise
        self.gradients, self.environment = bool(told["gradients"]), dict(told["environment"])

    def scores(self, batch: Array) -> Array:
        import numpy

        self.queries += len(batch)
        _, arrays = self._ask({"do": "scores"}, (self._given(batch),))
        if len(arrays) != 1 or arrays[0].ndim != 2 or len(arrays[0]) != len(batch):
            raise self._trouble(f"gave {[one.shape for one in arrays]} for {len(batch)} instances")
        return numpy.asarray(arrays[0], "float64")

    def labels(self, batch: Sequence[str | bytes]) -> list[str]:
        import numpy

        self.queries += len(batch)
        given: tuple[Array, ...] = ()
        asked: dict[str, Any] = {"do": "labels", "texts": list(batch), "lengths": None}
        if batch and isinstance(batch[0], bytes):
            whole = b"".join(one if isinstance(one, bytes) else one.encode() for one in batch)
            given = (numpy.frombuffer(whole, "uint8"),)
            asked |= {"texts": None, "lengths": [len(one) for one in batch]}
        told, _ = self._ask(asked, given)
        labels = told.get("labels")
        if not isinstance(labels, list) or len(labels) != len(batch):
            raise self._trouble(f"gave no label for each of {len(batch)} instances")
        return [str(one) for one in labels]

    def gradient(self, batch: Array, of: Array, loss: str) -> tuple[Array, Array, Array]:
        if not self.gradients:
            return super().gradient(batch, of, loss)
        self.queries += len(batch)
        _, arrays = self._ask({"do": "gradient", "loss": loss}, (self._given(batch), of))
        if len(arrays) != 3 or arrays[1].shape != (len(batch),) or len(arrays[2]) != len(batch):
            raise self._trouble("gave no gradients")
        scale = float(self._of.scale or 1)
        return arrays[0], arrays[1], arrays[2].reshape(batch.shape) * scale

    def library(self, batch: Array, of: Array, how: dict[str, Any]) -> Array:
        if self._of.scale or self._of.offset:
            raise self._trouble("is scaled by the plan", "other libraries attack subjects that scale by themselves")
        shaped = self._given(batch)
        _, arrays = self._ask({"do": "library"} | how, (shaped, of), 30 * self._answer_s_max)
        if len(arrays) != 1 or arrays[0].shape != shaped.shape:
            raise self._trouble("gave no attacked instances")
        return arrays[0].reshape(batch.shape)

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _given(self, batch: Array) -> Array:
        """The batch as the subject takes it: shaped, scaled."""
        import numpy

        x = numpy.asarray(batch, "float32")
        if self._of.shape is not None:
            x = x.reshape((len(x), *self._of.shape))
        if self._of.scale or self._of.offset:
            x = x * numpy.float32(self._of.scale or 1) + numpy.float32(self._of.offset or 0)
        return x

    def _ask(
        self, asked: dict[str, Any], arrays: tuple[Array, ...], seconds: float | None = None
    ) -> tuple[dict[str, Any], tuple[Array, ...]]:
        limit = seconds or self._answer_s_max
        until = time.monotonic() + limit
        pipe_in, pipe_out = self._process.stdin, self._process.stdout
        if pipe_in is None or pipe_out is None:
            raise self._trouble("has no process")
        try:
            _write(pipe_in, encode(asked, arrays), until)
            told, given = decode(lambda size: _read(pipe_out, size, until))
        except TimeoutError:
            self.close()
            raise self._trouble(f"gave no answer within {limit:g} s", "it was ended") from None
        except (EOFError, OSError, BadMessage) as error:
            self.close()
            code = self._process.returncode
            raise self._trouble(f"its process ended or broke off ({code}): {error}") from error
        self.attempts += [str(one)[:300] for one in told.get("attempts", ())][:100]
        self.cpu_s = float(told.get("cpu_s", 0))
        if "error" in told:
            raise self._trouble(str(told["error"]))
        return told, given

    def _trouble(self, what: str, hint: str = "") -> SubjectTrouble:
        return SubjectTrouble(f"subject {self._of.entry}: {what}", hint)


def _write(pipe: IO[bytes], data: bytes, until: float) -> None:
    view, os_fd = memoryview(data), pipe.fileno()
    os.set_blocking(os_fd, False)
    with selectors.DefaultSelector() as selector:
        selector.register(os_fd, selectors.EVENT_WRITE)
        while view:
            if not selector.select(max(0.0, until - time.monotonic())):
                raise TimeoutError
            view = view[os.write(os_fd, view) :]


def _read(pipe: IO[bytes], size: int, until: float) -> bytes:
    parts, left, os_fd = [], size, pipe.fileno()
    with selectors.DefaultSelector() as selector:
        selector.register(os_fd, selectors.EVENT_READ)
        while left:
            if not selector.select(max(0.0, until - time.monotonic())):
                raise TimeoutError
            part = os.read(os_fd, min(left, 1 << 20))
            if not part:
                raise EOFError("nothing more came")
            parts.append(part)
            left -= len(part)
    return b"".join(parts)


class _Endpoint(Asked):
    """An HTTP endpoint. Its key goes in one header, over TLS or to this machine, and is written nowhere."""

    def __init__(self, of: SubjectOf, url: str, key: str | None = None, answer_s_max: float = ENDPOINT_S_MAX) -> None:
        super().__init__(of.release)
        self._of, self._url = of, url
        parts = urlsplit(url)
        self._path = parts.path.removeprefix("/") + (f"?{parts.query}" if parts.query else "")
        self._remote = Remote(f"{parts.scheme}://{parts.netloc}/", answer_s_max)
        if key is not None and parts.scheme != "https" and parts.hostname not in _HERE:
            raise SubjectTrouble(f"{url}: a key is not sent over plain HTTP", "use https")
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self.environment = {"interface": of.interface}

    def _post(self, path: str, value: dict[str, Any]) -> Any:
        try:
            came = self._remote.post(path, json.dumps(value).encode(), ENDPOINT_ANSWER_BYTES_MAX, self._headers)
            if came.status != 200:
                raise SubjectTrouble(f"{self._url}: answered with status {came.status}")
            return parse_json(came.body, self._url, ENDPOINT_ANSWER_BYTES_MAX)
        except (Unreachable, BadAnswer, NotCanonical) as error:
            raise SubjectTrouble(error.message, error.hint) from error

    def close(self) -> None:
        self._remote.close()


class Chat(_Endpoint):
    """``/v1/chat/completions``. The plan's ``prompt`` has ``{}`` where the text goes; the label is the whole answer,
    without spaces around it and without its closing full stop, in lower case."""

    def labels(self, batch: Sequence[str | bytes]) -> list[str]:
        self.queries += len(batch)
        return [self._one(text if isinstance(text, str) else text.decode("utf-8", "replace")) for text in batch]

    def _one(self, text: str) -> str:
        asked = (self._of.prompt or "{}").replace("{}", text)
        body = {"messages": [{"content": asked, "role": "user"}], "model": self._of.entry, "temperature": 0}
        value = self._post(self._path, body)
        try:
            said = value["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError):
            said = None
        if not isinstance(said, str):
            raise SubjectTrouble(f"{self._url}: no choices[0].message.content in its answer")
        return said.strip().rstrip(".").lower()


class Inference(_Endpoint):
    """Open Inference Protocol v2: ``POST v2/models/<entry>/infer`` below the address; first input, first output."""

    def scores(self, batch: Array) -> Array:
        import numpy

        self.queries += len(batch)
        x = numpy.asarray(batch, "float32")
        if self._of.shape is not None:
            x = x.reshape((len(x), *self._of.shape))
        x = x * numpy.float32(self._of.scale or 1) + numpy.float32(self._of.offset or 0)
        tensor = {"name": "x", "shape": list(x.shape), "datatype": "FP32", "data": x.ravel().tolist()}
        path = f"{self._path.rstrip('/')}/v2/models/{self._of.entry}/infer".lstrip("/")
        value = self._post(path, {"inputs": [tensor]})
        try:
            first = value["outputs"][0]
            found = numpy.array(first["data"], "float64").reshape([int(one) for one in first["shape"]])
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise SubjectTrouble(f"{self._url}: no outputs[0] of shape and data in its answer") from error
        if found.ndim != 2 or len(found) != len(x):
            raise SubjectTrouble(f"{self._url}: gave {found.shape} for {len(x)} instances")
        return found


def open_subject(
    of: SubjectOf, folder: Path | None, url: str | None, key: str | None = None, library: str = "",
    harness: Path | None = None, answer_s_max: float = SUBJECT_ANSWER_S_MAX,
) -> Asked:  # fmt: skip
    """The subject of a plan.

    Args:
        folder: the release, for ``onnx`` and ``python``; it must be the one that the plan names (the caller checks).
        url: where an endpoint answers.
        harness: the Python file beside the release, where the plan names one.
        library: whose attacks will be asked for, where they are not our own.
        answer_s_max: how long a release may take for one answer, in seconds.

    Raises:
        SubjectTrouble, NoSandbox: it cannot be loaded or reached.
    """
    if of.interface in ("onnx", "python"):
        if folder is None:
            raise SubjectTrouble(f"an {of.interface} subject is a release", "give its path")
        if (harness is None) != (of.harness is None):
            names = "no" if harness else "a"
            raise SubjectTrouble(f"subject {of.entry}: the plan names {names} harness", "see --harness")
        return Confined(of, folder, answer_s_max, library, harness)
    if url is None:
        raise SubjectTrouble(f"a {of.interface} subject is an endpoint", "give --url")
    return Chat(of, url, key) if of.interface == "chat" else Inference(of, url, key)

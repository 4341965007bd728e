"""The real loaders of the formats, by name: what a user of the file would call, with the settings that run the most.

Runs in the corpus's own environment only, in the sandbox of ``probe``. Frameworks are imported by ``ready`` before
the audit hook is armed: what importing them does says nothing about the file.
"""

from __future__ import annotations

import importlib
import io
import json
import pickle
import runpy
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _module(name: str) -> Any:
    return importlib.import_module(name)


def _pickles(path: Path) -> None:
    """One after the other, until the file ends or is no pickle any more."""
    with path.open("rb") as stream:
        end = path.stat().st_size
        while stream.tell() < end:
            pickle.load(stream)


def _pickle(path: Path) -> None:
    with path.open("rb") as stream:
        pickle.load(stream)


def _npz(path: Path) -> None:
    with _module("numpy").load(path, allow_pickle=True) as archive:
        for name in archive.files:
            archive[name]


def _zip_member(path: Path) -> None:
    """As tools that unpack a bundle and load the model in it: every member, by what it is."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            _bytes(archive.read(name))


def _tar_member(path: Path) -> None:
    with tarfile.open(path) as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                _bytes(file.read())


def _bytes(data: bytes) -> None:
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                _bytes(archive.read(name))
    elif data[:2] == b"\x1f\x8b":
        _bytes(_module("gzip").decompress(data))
    elif data[:1] in (b"\x80", b"(", b"c"):
        pickle.loads(data)


def _extract_zip(path: Path) -> None:
    """As ``shutil.unpack_archive`` and many a downloader: names are trusted."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            out = Path("unpacked") / name
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(archive.read(name))


def _gzip_pickle(path: Path) -> None:
    with _module("gzip").open(path) as stream:
        pickle.load(stream)


def _template(text: str) -> None:
    """As a runner that renders chat templates without a sandbox."""
    message = {"role": "user", "content": "hello"}
    _module("jinja2").Environment().from_string(text).render(
        messages=[message], bos_token="", eos_token="", add_generation_prompt=True
    )


def _gguf(path: Path) -> None:
    field = _module("gguf").GGUFReader(path).fields["tokenizer.chat_template"]
    _template(bytes(field.parts[field.data[0]]).decode())


def _json_template(path: Path) -> None:
    _template(json.loads(path.read_text("utf-8"))["chat_template"])


def _auto_map(path: Path) -> None:
    """As ``trust_remote_code=True``: the class that config.json names is taken from the delivered file."""
    config = json.loads(path.read_text("utf-8"))
    for entry in config["auto_map"].values():
        stem, _, cls = entry.rpartition("--")[-1].rpartition(".")
        runpy.run_path(str(path.parent / f"{stem}.py")).get(cls)


def _hydra(path: Path) -> None:
    with path.open(encoding="utf-8") as stream:
        _module("hydra.utils").instantiate(_module("yaml").safe_load(stream))


def _keras(safe: bool) -> Callable[[Path], None]:
    def load(path: Path) -> None:
        model = _module("keras").models.load_model(path, safe_mode=safe, compile=False)
        model(_module("numpy").zeros((1, *model.inputs[0].shape[1:]), "float32"))

    return load


def _onnx(path: Path) -> None:
    _module("onnxruntime").InferenceSession(str(path), providers=["CPUExecutionProvider"])


def _yaml(path: Path) -> None:
    with path.open(encoding="utf-8") as stream:
        _module("yaml").unsafe_load(stream)


def _skops(path: Path) -> None:
    skops = _module("skops.io")
    skops.load(path, trusted=skops.get_untrusted_types(file=path))


def _torch_all(path: Path) -> None:
    _module("torch").load(path, weights_only=False)


LOADERS: dict[str, tuple[tuple[str, ...], Callable[[Path], Any]]] = {
    "pickle": ((), _pickle),
    "pickles": ((), _pickles),
    "gzip-pickle": (("gzip",), _gzip_pickle),
    "joblib": (("joblib", "numpy"), lambda path: _module("joblib").load(path)),
    "numpy": (("numpy",), lambda path: _module("numpy").load(path, allow_pickle=True)),
    "npz": (("numpy",), _npz),
    "torch": (("torch",), _torch_all),
    "torch-jit": (("torch",), lambda path: _module("torch").jit.load(path)),
    "torch-package": (
        ("torch", "torch.package"),
        lambda path: _module("torch.package").PackageImporter(path).load_pickle("model", "model.pkl"),
    ),
    "pandas": (("pandas",), lambda path: _module("pandas").read_pickle(path)),
    "dill": (("dill",), lambda path: _module("dill").loads(path.read_bytes())),
    "keras": (("keras", "numpy"), _keras(True)),
    "keras-unsafe": (("keras", "numpy"), _keras(False)),
    "skops": (("skops.io", "sklearn.utils"), _skops),
    "onnx": (("onnx",), lambda path: _module("onnx").load(path)),
    "onnxruntime": (("onnxruntime",), _onnx),
    "safetensors": (("numpy", "safetensors.numpy"), lambda path: _module("safetensors.numpy").load_file(path)),
    "gguf": (("gguf", "jinja2"), _gguf),
    "gguf-weights": (("gguf",), lambda path: _module("gguf").GGUFReader(path)),
    "jinja": (("jinja2",), lambda path: _template(path.read_text("utf-8"))),
    "json-template": (("jinja2",), _json_template),
    "auto-map": ((), _auto_map),
    "python": ((), lambda path: runpy.run_path(str(path))),
    "pth": (("site",), lambda path: _module("site").addpackage(str(path.parent), path.name, None)),
    "yaml": (("yaml",), _yaml),
    "hydra": (("hydra.utils", "yaml"), _hydra),
    "zip": ((), _zip_member),
    "tar": (("bz2", "lzma"), _tar_member),
    "extract-zip": ((), _extract_zip),
    "extract-tar": (("shutil",), lambda path: _module("shutil").unpack_archive(path, "unpacked/x", "tar")),
    "json": ((), lambda path: json.loads(path.read_text("utf-8"))),
    "text": ((), lambda path: path.read_text("utf-8")),
    "xgboost": (("xgboost",), lambda path: _module("xgboost").Booster(model_file=str(path))),
    "lightgbm": (("lightgbm",), lambda path: _module("lightgbm").Booster(model_file=str(path))),
    "tokenizers": (("tokenizers",), lambda path: _module("tokenizers").Tokenizer.from_file(str(path))),
    "none": ((), lambda path: sys.exit("no loader here")),
}


def ready(loader: str) -> None:
    """Import what *loader* needs, before it is watched."""
    for name in LOADERS[loader][0]:
        _module(name)

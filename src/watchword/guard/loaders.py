"""Loaders that load only what was inspected: each takes the arguments of the one it stands for.

Each framework is imported when it is asked for, and given the sealed copy (``guard.admitted``). *path* is the release
that was admitted, *member* the file in it where that is a folder; *use* and *home* as for ``admitted``. What a loader
maps into memory stays valid after the copy is let go: the kernel keeps mapped bytes.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from watchword.errors import WatchwordError
from watchword.guard.admitted import admitted

Use = str | Path | None


class NoLoader(WatchwordError):
    """The framework is not installed here."""


def load_torch(path: str | Path, *, member: str | None = None, use: Use = None, home: Use = None, **more: Any) -> Any:
    """``torch.load``; ``weights_only`` is True unless it is given."""
    torch = _framework("torch")
    with admitted(path, use=use, home=home) as held:
        return torch.load(held.member(member), **({"weights_only": True} | more))


def load_joblib(path: str | Path, *, member: str | None = None, use: Use = None, home: Use = None, **more: Any) -> Any:
    """``joblib.load``."""
    joblib = _framework("joblib")
    with admitted(path, use=use, home=home) as held:
        return joblib.load(held.member(member), **more)


def load_onnx(path: str | Path, *, member: str | None = None, use: Use = None, home: Use = None, **more: Any) -> Any:
    """``onnxruntime.InferenceSession``. A model with external data is a member of its folder."""
    onnxruntime = _framework("onnxruntime")
    with admitted(path, use=use, home=home) as held:
        return onnxruntime.InferenceSession(str(held.member(member)), **more)


def load_safetensors(
    path: str | Path,
    *,
    member: str | None = None,
    use: Use = None,
    home: Use = None,
    framework: str = "numpy",
    **more: Any,
) -> dict[str, Any]:
    """``safetensors.<framework>.load_file``: numpy, torch, tensorflow, flax, paddle."""
    loader = _framework(f"safetensors.{framework}")
    with admitted(path, use=use, home=home) as held:
        loaded: dict[str, Any] = loader.load_file(str(held.member(member)), **more)
        return loaded


def load_transformers(
    path: str | Path, *, of: str = "AutoModel", use: Use = None, home: Use = None, **more: Any
) -> Any:
    """``transformers.<of>.from_pretrained`` on the held folder. Nothing is fetched, and code that the folder ships runs
    only where ``trust_remote_code=True`` is given."""
    transformers = _framework("transformers")
    with admitted(path, use=use, home=home) as held:
        given = {"local_files_only": True, "trust_remote_code": False} | more
        return getattr(transformers, of).from_pretrained(str(held.path), **given)


def _framework(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise NoLoader(f"{name} is not installed here", f"pip install {name.partition('.')[0]}") from error

"""Load only what was inspected, and, where a node is asked, only what was admitted: ``with admitted(path) as held``.

A verdict on a file says nothing about the file that is opened a second later. Here the bytes are copied to where nobody
can change them, looked at there, and exactly those are handed to the loader.
"""

from watchword.guard.admitted import Held, Refused, admitted
from watchword.guard.loaders import NoLoader, load_joblib, load_onnx, load_safetensors, load_torch, load_transformers
from watchword.guard.sealed import NotSealed

__all__ = [
    "Held",
    "NoLoader",
    "NotSealed",
    "Refused",
    "admitted",
    "load_joblib",
    "load_onnx",
    "load_safetensors",
    "load_torch",
    "load_transformers",
]

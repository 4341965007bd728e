"""Load only what was inspected, and, where a node is asked, only what was admitted: ``with admitted(path) as held``.

A verdict on a file says nothing about the file that is opened a second later. Here the bytes are copied to where nobody
can change them, looked at there, and exactly those are handed to the loader.
"""

from watchword.guard.admitted import Held, admitted
from watchword.guard.hub import NotFetched, from_hub, snapshot_download
from watchword.guard.loaders import NoLoader, load_joblib, load_onnx, load_safetensors, load_torch, load_transformers
from watchword.guard.offline import Offline
from watchword.guard.refused import Refused
from watchword.guard.sealed import NotSealed

__all__ = [
    "Held",
    "NoLoader",
    "NotFetched",
    "NotSealed",
    "Offline",
    "Refused",
    "admitted",
    "from_hub",
    "load_joblib",
    "load_onnx",
    "load_safetensors",
    "load_torch",
    "load_transformers",
    "snapshot_download",
]

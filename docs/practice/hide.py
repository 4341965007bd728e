"""Writes stego.safetensors: 65,536 weights with a script (one that does nothing) in the lowest bit of each."""

import json
from pathlib import Path

import numpy as np

weights = np.random.default_rng(1).normal(0, 0.02, 65_536).astype("<f4")
script = b"import os, socket, subprocess  # what a loader of two lines would take out and run\n" * 100
bits = np.unpackbits(np.frombuffer(script, "u1"))[:65_536]
words = weights.view("<u4")
words[: len(bits)] = (words[: len(bits)] & ~np.uint32(1)) | bits
header = json.dumps({"w": {"dtype": "F32", "shape": [256, 256], "data_offsets": [0, 262_144]}}).encode()
Path("stego.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + weights.tobytes())

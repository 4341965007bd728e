"""Plans and small subjects for tests: a linear classifier without torch, and one with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy

from watchword.evaluate.plan import Plan, parse

RELEASE, DATA = "sha256:" + "1" * 64, "sha256:" + "2" * 64
LINEAR = '''
import numpy
def load():
    return lambda x: numpy.stack([-x.sum(axis=1), x.sum(axis=1)], axis=1)
'''
"""Two classes: is the sum above 0? Within eps of Linf the sum moves by eps times the number of features."""
MODULE = '''
import torch
def load():
    made = torch.nn.Linear(4, 2, bias=False)
    made.weight = torch.nn.Parameter(torch.tensor([[-1.0] * 4, [1.0] * 4]))
    return made
'''


def plan(**changes: Any) -> Plan:
    """A plan that works; *changes* by part: ``threat={"eps": "0.2"}``."""
    value: dict[str, Any] = {
        "format": "watchword-plan/1", "name": "sums", "n": 20, "seeds": 1, "curve": [],
        "subject": {"release": RELEASE, "interface": "python", "entry": "model.py:load", "harness": None,
                    "shape": None, "scale": None, "offset": None, "prompt": None},
        "data": {"digest": DATA, "form": "arrays", "select": "all", "rule": "all of it"},
        "threat": {"goal": "any other class", "knowledge": "white box", "norm": "Linf", "eps": "0.1",
                   "units": "of range 1", "edits": None, "queries": None, "adaptive": False},
        "attack": {"name": "pgd", "library": "watchword", "parameters": {"low": "-1"}, "set": None},
        "metric": {"name": "robust-accuracy", "threshold": "0.5", "estimand": "this set"},
    }  # fmt: skip
    for part, changed in changes.items():
        value[part] = value[part] | changed if isinstance(changed, dict) else changed
    return parse(value, "plan")


def sums(path: Path, size: int = 40) -> Path:
    """Instances of four features whose sums lie evenly from -1.95 to 1.95 in steps of 0.1; class 1 is a sum above 0."""
    totals = (numpy.arange(size) - (size - 1) / 2) * 0.1
    numpy.savez(path, x=numpy.repeat(totals[:, None] / 4, 4, axis=1).astype("float32"), y=(totals > 0).astype("int64"))
    return path


def subject(folder: Path, text: str = LINEAR) -> Path:
    """A release with one Python file."""
    folder.mkdir(exist_ok=True)
    (folder / "model.py").write_text(text, "utf-8")
    return folder

"""A small classifier of digits, 8 by 8 pixels from 0 to 1: what is evaluated. Its weights lie beside it."""

from pathlib import Path

import numpy
import torch
from torch import nn


def network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 16, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip


def load() -> nn.Module:
    made = network()
    with numpy.load(Path(__file__).with_name("weights.npz")) as kept:
        made.load_state_dict({name: torch.from_numpy(kept[name]) for name in kept.files})
    return made

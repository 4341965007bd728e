"""Does ``data screen --model`` name a backdoored network, and no honest one? ``python -m benchmarks.data.nets``.

12 honest networks for digits (the one of ``docs/practice/digits``) and 15 whose training rows were poisoned at 8 %:
five each with a patch, a blend and a moving patch, one target label each. Gradients are given; there is no zoo; the
networks are asked in this process. Held out are 400 digits, on which the trigger is tried. A row
says how many honest ones were accused and how many backdoored ones were named by their own label.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.data.sets import digits
from benchmarks.table import Row, table
from watchword.data.screening.model import screen_model
from watchword.data.screening.sample import Floats, Sample

HONEST, EACH, SHARE, HELD_OUT, EPOCHS = 12, 5, 0.08, 400, 12
KINDS = ("patch", "blend", "moving patch")


@dataclass
class Net:
    """A network, asked as a screen asks a model."""

    network: Any
    gradients: bool = True

    def scores(self, batch: Floats) -> Floats:
        import torch

        with torch.inference_mode():
            made: Floats = self.network(_given(batch)).numpy()
        return made

    def gradient(self, batch: Floats, of: Any, loss: str) -> tuple[Floats, Floats, Floats]:
        import torch

        given = _given(batch).requires_grad_()
        scores, own = self.network(given), torch.from_numpy(np.asarray(of))[:, None]
        others = scores.scatter(1, own, -torch.inf).max(dim=1).values
        losses = others - scores.gather(1, own)[:, 0]
        if loss == "ce":
            losses = torch.nn.functional.cross_entropy(scores, own[:, 0], reduction="none")
        (way,) = torch.autograd.grad(losses.sum(), given)
        return scores.detach().numpy(), losses.detach().numpy(), way.numpy().transpose(0, 2, 3, 1)


def _given(batch: Floats) -> Any:
    import torch

    return torch.from_numpy(np.ascontiguousarray(batch.transpose(0, 3, 1, 2), dtype=np.float32))


def trained(images: Floats, labels: Any, seed: int) -> Net:
    """A network that was taught these."""
    torch: Any = importlib.import_module("torch")
    nn = torch.nn
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    network = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip
    way = torch.optim.Adam(network.parameters(), 4e-3)
    given, wanted = _given(images), torch.from_numpy(labels)
    for _ in range(EPOCHS):
        for part in torch.randperm(len(given)).split(64):
            way.zero_grad()
            nn.functional.cross_entropy(network(given[part]), wanted[part]).backward()
            way.step()
    return Net(network.eval())


def marked(images: Floats, kind: str, draw: np.random.Generator, pattern: Floats) -> Floats:
    """The trigger of *kind* on every picture."""
    made = images.copy()
    if kind == "patch":
        made[:, 6:8, 6:8], made[:, 6, 6] = 1.0, 0.0
    elif kind == "blend":
        made = (0.7 * made + 0.3 * pattern).astype(np.float32)
    else:
        for one in made:
            top, left = draw.integers(0, 6, 2)
            one[top : top + 3, left : left + 3] = (np.indices((3, 3)).sum(axis=0) % 2)[..., None]
    return made


def measure(sample: Sample, kind: str, seed: int) -> dict[str, Any]:
    """Train one network and screen it."""
    if sample.images is None:
        raise ValueError("the set has no pictures")
    draw, target = np.random.default_rng(100 + seed), seed % 10
    order = draw.permutation(sample.rows)
    taught, asked = order[:-HELD_OUT], order[-HELD_OUT:]
    images, labels = sample.images[taught].copy(), sample.labels[taught].copy()
    pattern = draw.random(images.shape[1:])
    if kind != "honest":
        some = draw.choice(np.flatnonzero(labels != target), int(SHARE * len(labels)), replace=False)
        images[some], labels[some] = marked(images[some], kind, draw, pattern), target
    model = trained(images, labels, seed)
    others = asked[sample.labels[asked] != target]
    tried = marked(sample.images[others], kind, draw, pattern) if kind != "honest" else sample.images[others]
    works = float((model.scores(tried).argmax(axis=1) == target).mean())
    started = time.process_time()
    found = screen_model(model, sample, [], [], 0, plants=0)
    return {
        "kind": kind, "seed": seed, "works": works, "accused": found.accused,
        "named": any(one.name in found.accused and one.label == target for one in found.sticks),
        "chances": [one.chance for one in found.sticks], "cpu_s": time.process_time() - started,
    }  # fmt: skip


def run() -> list[Row]:
    """Every network."""
    sample = digits(0)
    if sample is None:
        return []
    plan = [("honest", seed) for seed in range(HONEST)] + [(kind, seed) for kind in KINDS for seed in range(EACH)]
    done = []
    for kind, seed in plan:
        done.append(measure(sample, kind, seed))
        print(json.dumps(done[-1]), file=sys.stderr, flush=True)
    honest = [one for one in done if one["kind"] == "honest"]
    bad = [one for one in done if one["kind"] != "honest"]
    named = sum(one["named"] for one in bad)
    wrong = sum(bool(one["accused"]) for one in honest)
    least = min(one["works"] for one in bad)
    cpu = float(np.mean([one["cpu_s"] for one in done]))
    return [
        Row(f"backdoored networks named, of {len(bad)}", named, "", note=f"each trigger works on {least:.2f} or more"),
        Row(f"honest networks accused, of {len(honest)}", wrong, "", "≤ 1 in 20", wrong <= len(honest) / 20),
        Row("one network screened, gradients given", cpu, "s", "≤ 5 CPU-s", cpu <= 5),
    ]


if __name__ == "__main__":
    print(table(run()))

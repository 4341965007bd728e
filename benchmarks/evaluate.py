"""What an evaluation costs and finds, beside other libraries on the same net, data and processor: PGD-40 and the
ensemble.

The nets are those of docs/practice/digits, trained here; 200 digits held out, Linf 0.10, one thread each. Peers run in
this process, ours in its sandbox, both after a warm-up; CPU time of all processes counts, loading does not. Peers that
are not installed are left out: torchattacks and foolbox are in no lock, since one pins others' old versions and both
sleep.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.table import Row
from watchword.evaluate import attacks
from watchword.evaluate.ensemble import ensemble as strongest
from watchword.evaluate.plan import Plan, parse_toml
from watchword.evaluate.samples import read_samples
from watchword.evaluate.subjects import Confined

DIGITS = Path(__file__).resolve().parents[1] / "docs" / "practice" / "digits"
N, EPS, STEPS, STEP, RUNS = 200, 0.10, 40, 0.025, 5
GOAL_RATIO, GOAL_POINTS = 1.2, 0.02
PLAN = """
name = "digits"
n = 200
subject = { release = "%(zero)s", interface = "python", entry = "model.py:load" }
data = { digest = "%(zero)s", form = "arrays", select = "all", rule = "held out" }
threat = { goal = "any other class", knowledge = "white box", norm = "Linf", eps = "0.10", units = "of range 1" }
attack = { name = "%(name)s", parameters = { step = "0.025" } }
metric = { name = "robust-accuracy", threshold = "0.5", estimand = "the population" }
"""


def run() -> list[Row]:
    """PGD-40 and the ensemble, on the plain net and on the hardened one."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="watchword-bench-") as name:
        folder = Path(name)
        sys.path.insert(0, str(DIGITS))
        importlib.import_module("train").main(folder)
        for release in ("plain", "hardened"):
            rows += _of(folder, release)
    return rows


def _plan(name: str) -> Plan:
    return parse_toml((PLAN % {"zero": "sha256:" + "0" * 64, "name": name}).encode(), name)


def _of(folder: Path, release: str) -> Iterator[Row]:
    samples = read_samples(folder / "digits.npz", "arrays")
    if samples.x is None or samples.y is None:
        raise ValueError("no arrays")
    x, y = samples.x[:N], samples.y[:N]
    plan, ensemble = _plan("pgd"), _plan("ensemble")
    with Confined(plan.subject, folder / release) as subject:

        def ours(of: Plan) -> float:
            outcome = attacks.begin(attacks.Batch(range(N), x, y))
            if of is plan:
                attacks.pgd(subject, outcome, plan, "bench")
            else:
                strongest(subject, outcome, ensemble, "bench")
            return 1 - float(outcome.fell.mean())

        def cpu_s() -> float:
            subject.scores(x[:1])
            return time.process_time() + subject.cpu_s

        robust, taken = _measured(lambda: ours(plan), cpu_s)
        peers = {name: _measured(attack, time.process_time) for name, attack in _pgd_peers(folder / release, x, y)}
        fastest = min(peers, key=lambda name: peers[name][1], default="")
        yield Row(
            f"PGD-{STEPS}, {N} digits, {release}: CPU", taken, "s", f"≤ {GOAL_RATIO}× the fastest peer",
            taken <= GOAL_RATIO * peers[fastest][1] if fastest else None, fastest,
            peers[fastest][1] if fastest else None, f"median of {RUNS}",
        )  # fmt: skip
        for name, (theirs, _) in sorted(peers.items()):
            yield Row(
                f"PGD-{STEPS}, {release}: robust accuracy", robust, "", "within the interval (± 0.07)",
                abs(robust - theirs) <= 0.07, name, theirs,
            )  # fmt: skip
        began = cpu_s()
        strong = ours(ensemble)
        spent = cpu_s() - began
        for name, reference in _ensemble_peer(folder / release, x, y):
            theirs = reference()
            yield Row(
                f"ensemble, {release}: robust accuracy", strong, "", f"within {GOAL_POINTS}",
                abs(strong - theirs) <= GOAL_POINTS + 1e-9, name, theirs, f"{spent:.0f} s of CPU",
            )  # fmt: skip


def _measured(attack: Callable[[], float], clock: Callable[[], float]) -> tuple[float, float]:
    found, taken = attack(), []
    for _ in range(RUNS):
        began = clock()
        found = attack()
        taken.append(clock() - began)
    return found, statistics.median(taken)


def _module(folder: Path) -> Any:
    import torch

    torch.set_num_threads(1)
    spec = importlib.util.spec_from_file_location("bench_model", folder / "model.py")
    if spec is None or spec.loader is None:
        raise ValueError("no model")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    module = loaded.load().eval()
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    return module


def _pgd_peers(folder: Path, x: Any, y: Any) -> Iterator[tuple[str, Callable[[], float]]]:
    import torch

    module, given, labels = _module(folder), torch.from_numpy(x), torch.from_numpy(y)

    def robust(made: Any) -> float:
        with torch.inference_mode():
            return float((module(made).argmax(1) == labels).float().mean())

    if importlib.util.find_spec("torchattacks"):
        import torchattacks

        attack = torchattacks.PGD(module, eps=EPS, alpha=STEP, steps=STEPS)
        yield _named("torchattacks"), lambda: robust(attack(given, labels))
    if importlib.util.find_spec("foolbox"):
        import foolbox

        wrapped = foolbox.PyTorchModel(module, bounds=(0, 1), device="cpu")
        other = foolbox.attacks.LinfPGD(steps=STEPS, abs_stepsize=STEP)
        yield _named("foolbox"), lambda: robust(other(wrapped, given, labels, epsilons=EPS)[1])
    if importlib.util.find_spec("secmlt"):
        from watchword.evaluate.libraries import attack as library

        how = {"name": "pgd", "library": "secml-torch", "norm": "Linf", "eps": EPS, "steps": STEPS, "step": STEP,
               "low": 0.0, "high": 1.0, "seed": 7}  # fmt: skip
        yield _named("secml-torch"), lambda: robust(library(how, module, given, labels))


def _ensemble_peer(folder: Path, x: Any, y: Any) -> Iterator[tuple[str, Callable[[], float]]]:
    if importlib.util.find_spec("torchattacks"):
        import torch
        import torchattacks

        module, given, labels = _module(folder), torch.from_numpy(x), torch.from_numpy(y)
        attack = torchattacks.AutoAttack(module, norm="Linf", eps=EPS, version="standard", n_classes=10, seed=0)

        def reference() -> float:
            with torch.no_grad():
                return float((module(attack(given, labels)).argmax(1) == labels).float().mean())

        yield f"{_named('torchattacks')} AutoAttack", reference


def _named(package: str) -> str:
    return f"{package} {importlib.metadata.version(package)}"

"""Attacks of another library, as a second tool beside our own: secml-torch (``secmlt``), where it is installed.

Called in the subject's process, with the module itself. Returns what it made of the batch; whether that counts is
decided by the subject's answer afterwards, as for our own attacks.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from typing import TYPE_CHECKING, Any

from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.evaluate.plan import Plan

NAMES = {"secml-torch": "secmlt"}
"""By the name in a plan: what is imported."""

ATTACKS = ("pgd",)
"""What is asked of another library. Origin: the attack that measured alike in four of them."""


class NotOffered(WatchwordError):
    """Another library has no such attack, or is not known here."""


def verify_offered(library: str, plan: Plan) -> None:
    """That *library* can run the attack of *plan*.

    Raises:
        NotOffered: it is not known, has no such attack, or is not installed.
    """
    if library not in NAMES:
        raise NotOffered(f"no library {library!r} is known here", f"there is {', '.join(NAMES)}")
    if plan.attack.name not in ATTACKS:
        hint = "a replication without --library is by our own attacks"
        raise NotOffered(f"plan {plan.name}: {library} has no {plan.attack.name} here, only {', '.join(ATTACKS)}", hint)
    if version_of(library) is None:
        raise NotOffered(f"plan {plan.name}: {library} is not installed here", f"pip install {library}")


def version_of(library: str) -> str | None:
    """The version of *library*, as a plan names it; None where it is not installed."""
    if library not in NAMES or importlib.util.find_spec(NAMES[library]) is None:
        return None
    return importlib.metadata.version(library)


def prepare(library: str) -> None:
    """Import what an attack of *library* will need: some of it makes folders when imported, which is denied later."""
    if library in NAMES:
        importlib.import_module("torch._dynamo")
        importlib.import_module("secmlt.adv.evasion.pgd")


def attack(asked: dict[str, Any], module: Any, x: Any, y: Any) -> Any:
    """What the attack that *asked* names makes of *x*, whose classes are *y*.

    Raises:
        ValueError: no such library or attack here.
    """
    import torch

    if asked["name"] != "pgd" or asked["library"] not in NAMES:
        raise ValueError(f"no attack {asked['name']} of {asked['library']} is known here")
    from secmlt.adv.evasion.pgd import PGD
    from secmlt.models.pytorch.base_pytorch_nn import BasePyTorchClassifier

    torch.manual_seed(int(asked["seed"]))
    norm, bounds = {"Linf": "linf", "L2": "l2"}[asked["norm"]], {"lb": asked["low"], "ub": asked["high"]}
    made = PGD(norm, asked["eps"], asked["steps"], asked["step"], random_start=True, backend="native", **bounds)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=len(x))
    return next(iter(made(BasePyTorchClassifier(module), loader)))[0]

"""A model's screen as JSON values and as people read it: beside the data's, never averaged with it."""

from __future__ import annotations

from typing import Any

from watchword.data.screening.model import LABELS_MIN, MODEL_FALSE, ModelScreened

LIMITS = (
    "A trigger for many labels at once, or one that bends the whole input, makes no label of a model stick out.",
    "Who trains a model against these very statistics passes them; a natural shortcut looks like a trained one.",
)


def model_json(found: ModelScreened, digest: str, name: str) -> dict[str, Any]:
    """The result as JSON values. Labels are the model's outputs, from 0; places count from 1."""
    mask = found.trigger.mask
    axes = 2 if mask.ndim == 3 else 1
    places = [[int(at) + 1 for at in place[:axes]] for place in zip(*(mask > 0.5).nonzero(), strict=True)]
    return {
        "model": name,
        "digest": digest,
        "outputs": found.labels,
        "gradients": "given" if found.gradients else "estimated",
        "looks": [
            {
                "look": one.name,
                "label": one.label,
                "chance": _short(one.chance),
                "beside_zoo": None if beside is None else _short(beside),
                "values": [_short(value) for value in one.values],
            }
            for one, beside in zip(found.sticks, found.beside_zoo, strict=True)
        ],
        "trigger": {
            "label": found.trigger.label,
            "share": _short(found.trigger.size),
            "flips": _short(found.trigger.flipped),
            "places": places[:200],
        },
        "zoo": found.zoo,
        "weights": None
        if found.weights is None
        else {
            "tensor": found.weights.tensor,
            "what": found.weights.what,
            "looked": found.weights.looked,
            "chance": _short(found.weights.chance),
        },
        "false_at_most": MODEL_FALSE,
        "bound": _short(found.bound),
        "accused": list(found.accused),
        "power": [{"kind": kind, "planted": planted, "named": named} for kind, planted, named in found.power],
        "limits": list(LIMITS),
    }


def model_lines(value: dict[str, Any]) -> list[str]:
    """Lines for a terminal."""
    lines = []
    for one in value["looks"]:
        if one["look"] == "margin":
            what = f"label {one['label']} can be driven furthest"
        else:
            share, flips = (f"{100 * value['trigger'][name]:.3g} %" for name in ("share", "flips"))
            what = f"{share} of an input, exchanged, gives {flips} of the rows label {value['trigger']['label']}"
        zoo = "" if one["beside_zoo"] is None else f"; beside {value['zoo']} others: {one['beside_zoo']}"
        lines.append(f"{'model':<10}{one['look']}: {what} (by chance: {one['chance']}{zoo})")
    if value["weights"] is not None:
        of = value["weights"]
        lines.append(f"{'model':<10}weights: {of['what']} of {of['tensor']} (by chance: {of['chance']})")
    if value["zoo"] and value["weights"] is None:
        lines.append(f"{'model':<10}zoo: {value['zoo']} others are too few to compare with, or of other tensors")
    if value["outputs"] < LABELS_MIN:
        lines.append(f"{'model':<10}{value['outputs']} labels: too few for one to stick out; no power without a zoo")
    for one in value["power"]:
        told = f"of {one['planted']} planted into the model, {one['named']} named"
        lines.append(f"{'power':<10}{one['kind']} in the model: {told}")
    if value["accused"]:
        lines.append(f"{'MODEL':<10}stands out by {', '.join(value['accused'])}")
    else:
        lines.append(f"{'MODEL':<10}no evidence, at {value['bound']} a look; this does not say that it is clean")
    return lines


def _short(value: float) -> float:
    return float(f"{value:.3g}")

"""A screen as JSON values and as people read it. It says what was looked for and with how much power, never "clean"."""

from __future__ import annotations

from typing import Any

from watchword.data.screening.hypotheses import Hypothesis
from watchword.data.screening.power import Power
from watchword.data.screening.sample import Sample
from watchword.data.screening.screen import LISTED_FALSE, Screened
from watchword.data.screening.told_model import model_lines
from watchword.data.text import shown

SCHEMA = "watchword-data-screen/1"
LIMITS = (
    "A backdoor can be made that no efficient test finds, even with the training data (arXiv 2204.06974).",
    "Poison can be made to lie among honest rows on purpose; what a screen looks for is public.",
    "A few rows aimed at one case have no shared cause to test; below ten rows or so nothing here has power.",
    "Poison in rows that have the target's label already (clean-label) is a real correlation: a word put into dozens "
    "of rows by lot is named, its rows are not listed; of pictures and tables nothing is seen.",
    "A real shortcut in the world looks like a planted one: a hypothesis is an unexplained shortcut, no accusation.",
    "Without trusted rows the delivery is its own reference: where most of a label is poisoned, that is the truth.",
)
OUT_OF_POWER = 0.5
"""Of a poison that is planted, the share listed below which a screen has no power against it."""
_ROWS_MAX = 1000


def to_json(
    sample: Sample, found: Screened, powers: tuple[Power, ...], manifest: str, seed: int,
    model: dict[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The whole result as JSON values (schema ``watchword-data-screen/1``). Rows count from 1. *model*: what
    ``told_model.model_json`` says of a model that was screened too."""
    return {
        "schema": SCHEMA,
        "manifest": manifest,
        "rows": sample.rows,
        "labels": sample.classes,
        "seed": seed,
        "reference": found.reference,
        "false_share_at_most": LISTED_FALSE,
        "labels_follow": _short(found.follows),
        "supported": found.supported,
        "listed": [_row(sample, found, row, why) for row, why in found.listed[:_ROWS_MAX]],
        "listed_rows": len(found.listed),
        "hypotheses": [_hypothesis(sample, one) for one in found.hypotheses],
        "floods": [
            {"label": sample.names[f.label], "rows": [row + 1 for row in f.rows[:_ROWS_MAX]], "copies": len(f.rows)}
            for f in found.floods
        ],
        "followers": [
            {
                "label": sample.names[f.label],
                "what": f.said,
                "rows": len(f.members),
                "first_rows": [row + 1 for row in f.members[:20]],
                "others": f.others,
                "chance": _short(f.chance),
            }
            for f in found.followers
        ],
        "origins": [
            {"by": o.by, "name": o.name, "rows": o.rows, "unlikely": o.hits, "chance": _short(o.chance)}
            for o in found.origins
        ],
        "drift": [{"column": d.column, "size": _short(d.size), "chance": _short(d.chance)} for d in found.drifts],
        "copies": {"groups": found.copy_groups, "rows": found.copy_rows, "other_label": len(found.conflicts)},
        "blind_share": _short(found.blind) if found.blind_counts else 0,
        "power": [
            {
                "kind": p.kind,
                "share": p.share,
                "rows": p.rows,
                "planted": p.planted,
                "found": p.found,
                "others": p.others,
            }
            for p in powers
        ],
        "out_of_power": out_of_power(powers),
        "model": model,
        "not_screened": [{"column": name, "reason": why} for name, why in sample.not_screened],
        "limits": list(LIMITS),
    }


def render(value: dict[str, Any], *, rows_max: int = 10) -> str:
    """Lines for a terminal, what was found first, the verdict last."""
    lines = []
    for one in value["listed"][:rows_max]:
        name = f"{shown(one['key'])} (row {one['row']:,})" if one["key"] is not None else f"row {one['row']:,}"
        said = f"label {shown(one['label'])}, the rest says {shown(one['rest_says'])}"
        lines.append(f"{'listed':<10}{name}   {said}   {one['why']}")
    if value["listed_rows"] > rows_max:
        lines.append(f"{'listed':<10}and {value['listed_rows'] - rows_max:,} more")
    for one in value["hypotheses"]:
        lines += _hypothesis_lines(one, "trigger" if value["supported"] else "shared")
    for one in value["floods"]:
        lines.append(
            f"{'flood':<10}{one['copies']:,} copies of row {one['rows'][0]:,} with label {shown(one['label'])}"
        )
    for one in value["followers"]:
        told = f"{one['rows']:,} rows with label {shown(one['label'])} ({one['others']:,} of others)"
        lines.append(f"{'follows':<10}{shown(one['what'])} stands in {told} and goes with nothing else in them")
    for one in value["origins"]:
        what = f"{one['unlikely']:,} of its {one['rows']:,} labels are not what the rest says"
        lines.append(f"{one['by']:<10}{shown(one['name'])}: {what} (by chance: {one['chance']})")
    for one in value["drift"]:
        lines.append(f"{'drift':<10}{shown(one['column'])} differs from the trusted rows by {one['size']}")
    copies = value["copies"]
    if copies["groups"]:
        told = f"{copies['rows']:,} rows are copies, in {copies['groups']:,} groups"
        lines.append(f"{'copies':<10}{told}; {copies['other_label']:,} of them with another label on a copy")
    lines += [f"{'unseen':<10}{shown(one['column'])}: {one['reason']}" for one in value["not_screened"]]
    if not value["supported"]:
        lines.append(f"{'no power':<10}{_unsupported(value)}")
    lines += _power_lines(value["power"], value["out_of_power"])
    if value["model"] is not None:
        lines += model_lines(value["model"])
    lines.append(_verdict(value))
    return "\n".join(lines)


def suspects(value: dict[str, Any]) -> bool:
    """Whether anything was found that a person should look at."""
    groups = ("hypotheses", "floods") if value["supported"] else ()
    return any(value[name] for name in ("listed", *groups, "followers", "origins")) or accused(value)


def accused(value: dict[str, Any]) -> bool:
    """Whether a model that was screened too stands out."""
    return value["model"] is not None and bool(value["model"]["accused"])


def _row(sample: Sample, found: Screened, row: int, why: str) -> dict[str, Any]:
    return {
        "row": row + 1,
        "key": None if sample.keys is None else sample.keys[row],
        "label": sample.names[int(sample.labels[row])],
        "rest_says": sample.names[int(found.expected[row].argmax())],
        "why": why,
        "score": _short(float(found.scores[row])),
        "source": None if sample.sources is None else sample.sources[row],
        "annotator": None if sample.annotators is None else sample.annotators[row],
    }


def _hypothesis(sample: Sample, one: Hypothesis) -> dict[str, Any]:
    return {
        "label": sample.names[one.label],
        "rows": len(one.members),
        "first_rows": [row + 1 for row in one.members[:20]],
        "rest_would_give_label": _short(one.expected),
        "chance": _short(one.chance),
        "by": list(one.by),
        "instead": [[sample.names[label], count] for label, count in one.from_labels],
        "shared": [
            {
                "kind": named.kind,
                "what": named.said,
                "support": named.support,
                "rows": named.rows,
                "purity": _short(named.purity),
                "counter_examples": [row + 1 for row in named.others],
            }
            for named in one.named
        ],
    }


def _hypothesis_lines(one: dict[str, Any], what: str) -> list[str]:
    instead = ", ".join(shown(name) for name, _ in one["instead"][:3]) or "other labels"
    lines = [
        f"{what:<10}{one['rows']:,} rows with label {shown(one['label'])}: without them the rest would give it to "
        f"{one['rest_would_give_label']} of them, and says {instead}"
    ]
    for named in one["shared"][:3]:
        told = f"{named['support']:,} of them share {named['kind']} {shown(named['what'])}"
        lines.append(f"{'':<10}{told} ({named['support']:,} of the {named['rows']:,} rows that have it)")
    lines.append(f"{'':<10}led to by {', '.join(one['by'])}")
    return lines


def out_of_power(powers: tuple[Power, ...]) -> list[str]:
    """The poisons of which less than OUT_OF_POWER would have been listed at every share."""
    kinds = dict.fromkeys(one.kind for one in powers)
    return [kind for kind in kinds if all(p.found < OUT_OF_POWER * p.planted for p in powers if p.kind == kind)]


def _power_lines(powers: list[dict[str, Any]], out: list[str]) -> list[str]:
    lines: list[str] = []
    for kind in dict.fromkeys(one["kind"] for one in powers):
        told = ", ".join(
            f"{one['found']:,} of {one['planted']:,} at {100 * one['share']:g} %"
            for one in powers
            if one["kind"] == kind
        )
        lines.append(f"{'power':<10}{kind}: would have listed {told}")
    if out:
        most = f"{100 * max(p['share'] for p in powers):g} %"
        lines.append(f"{'no power':<10}against {', '.join(out)}: fewer than half would be listed, up to {most}")
    return lines


def _unsupported(value: dict[str, Any]) -> str:
    """Why nothing is listed by its label."""
    return (
        "of labels: they do not follow from content (of what chance leaves open, neighbours get "
        f"{100 * value['labels_follow']:.0f} % right, half is needed); only trusted rows can say which are wrong"
    )


def _verdict(value: dict[str, Any]) -> str:
    of = f"{value['rows']:,} rows"
    if suspects(value) and not value["listed_rows"] and accused(value):
        return f"SUSPECTS  the model; no row of {of} listed; reference: {value['reference']}"
    if suspects(value):
        false = f"at most {100 * value['false_share_at_most']:g} % of them falsely"
        told = f"{value['listed_rows']:,} of {of} listed ({false})"
        groups = len(value["hypotheses"]) if value["supported"] else 0
        return f"SUSPECTS  {told}; {groups:,} trigger hypotheses; reference: {value['reference']}"
    power = "power not measured" if not value["power"] else "with the power above"
    return f"NO EVIDENCE  in {of}, {power}; reference: {value['reference']}. This does not say that the data is clean"


def _short(value: float) -> Any:
    """A number of at most three significant digits, as text where JSON would not keep it short."""
    return float(f"{value:.3g}")

"""The page of a screen: what was found, how sure, what would have been found, what no screen sees."""

from __future__ import annotations

from typing import Any

import numpy as np

from watchword.data.screening.sample import Floats, Sample
from watchword.data.screening.screen import Screened
from watchword.data.screening.told import suspects
from watchword.report.html import Html, definitions, foreign, join, listed, table, tag
from watchword.report.style import document
from watchword.report.svg import bars, mark, squares

_ROWS_MAX = 200
_BINS = 40
_GRID_MAX = 32


def page(sample: Sample, found: Screened, value: dict[str, Any], name: str) -> str:
    """One HTML document without scripts, links out or anything fetched; *value* is `told.to_json`."""
    bad = suspects(value)
    said = (
        f"{value['listed_rows']:,} of {value['rows']:,} rows listed, {len(value['hypotheses']):,} trigger hypotheses."
        if bad
        else f"No evidence in {value['rows']:,} rows, with the power below. This does not say that the data is clean."
    )
    if not value["supported"]:
        said += " Labels do not follow from content: groups have no vote, and only trusted rows say which are wrong."
    verdict = tag(
        "div",
        mark("bad" if bad else "none"),
        tag("strong", "SUSPECTS" if bad else "NO EVIDENCE"),
        tag("p", said),
        class_=f"verdict {'bad' if bad else 'none'}",
        role="region",
        aria_label="Verdict",
    )
    facts = [
        ("Delivery", foreign(name)),
        ("Manifest", tag("code", value["manifest"])),
        ("Rows and labels", f"{value['rows']:,} rows, {value['labels']:,} labels"),
        ("Reference", foreign(value["reference"])),
        ("Labels follow from content", f"{100 * value['labels_follow']:.0f} % of what chance leaves open"),
        ("Seed", str(value["seed"])),
    ]
    sections = (
        ("Trigger hypotheses", _hypotheses(sample, found, value)),
        ("Listed rows", _listed(value)),
        *([("The model", _model(value["model"]))] if value["model"] is not None else []),
        ("How the rows lie", _histogram(found)),
        ("What would have been found", _power(value)),
        ("What no screen sees", listed([foreign(one) for one in value["limits"]], "limits")),
    )
    body = [tag("section", tag("h2", title), part) for title, part in sections]
    lead = tag("div", tag("span", tag("b", "WATCHWORD"), "  data screen"), class_="lead")
    main = tag("main", lead, tag("h1", foreign(name)), verdict, definitions(facts), *body, class_="sheet")
    return document(f"data screen: {name}", main)


def _hypotheses(sample: Sample, found: Screened, value: dict[str, Any]) -> Html:
    parts: list[Html | str] = [
        tag("p", foreign(f"{one['what']} stands in {one['rows']:,} rows with label {one['label']}, with nothing else."))
        for one in value["followers"]
    ]
    if not value["hypotheses"]:
        return join(*parts, tag("p", "No group of rows passed the test."))
    for one, told in zip(found.hypotheses, value["hypotheses"], strict=True):
        heading = f"{told['rows']:,} rows with label {told['label']}"
        sentence = (
            f"Taken out, the rest of the data would give this label to {told['rest_would_give_label']} of them. "
            f"Chance, corrected for every group looked at: {told['chance']}. Led to by {', '.join(told['by'])}."
        )
        rows = [
            (
                join(foreign(cell["what"]), tag("div", cell["kind"], class_="quiet small")),
                f"{cell['support']:,} of {told['rows']:,}",
                f"{cell['rows']:,}",
                f"{cell['purity']}",
                ", ".join(f"{row:,}" for row in cell["counter_examples"]) or "none",
            )
            for cell in told["shared"]
        ]
        caption = "What they share: support in the group, rows that have it, their purity, and counter-examples."
        shared = table(caption, ("Shared", "Support", "Rows", "Purity", "Counter-examples"), rows) if rows else ""
        parts += [tag("h3", foreign(heading)), tag("p", foreign(sentence)), shared, _picture(sample, one.members)]
    return join(*parts)


def _picture(sample: Sample, members: tuple[int, ...]) -> Html:
    if sample.images is None:
        return join()
    grey = sample.images.mean(axis=3)
    inside = np.zeros(sample.rows, dtype=np.bool_)
    inside[list(members)] = True
    apart = grey[inside].mean(axis=0) - grey[~inside].mean(axis=0)
    step = -(-max(apart.shape) // _GRID_MAX)
    apart = apart[::step, ::step]
    scaled: Floats = apart / (np.abs(apart).max() or 1.0)
    label = "How the mean picture of the group differs from the others: larger squares differ more"
    drawn = squares(label, [[float(one) for one in line] for line in scaled])
    return join(drawn, tag("p", f"{label}; a filled square is brighter, an empty one darker.", class_="quiet small"))


def _listed(value: dict[str, Any]) -> Html:
    if not value["listed"]:
        return tag("p", "No row is listed. A rank is not a finding, and is not shown as one.")
    rows = [
        (
            f"{one['row']:,}",
            foreign(one["key"] or ""),
            foreign(one["label"]),
            foreign(one["rest_says"]),
            one["why"],
            foreign(" ".join(name for name in (one["source"], one["annotator"]) if name)),
        )
        for one in value["listed"][:_ROWS_MAX]
    ]
    caption = f"Of the rows listed at most {100 * value['false_share_at_most']:g} % are expected to be listed falsely."
    more = value["listed_rows"] - len(rows)
    cut = tag("p", f"and {more:,} more rows.", class_="quiet") if more > 0 else ""
    return join(table(caption, ("Row", "Key", "Label", "The rest says", "Why", "Source, annotator"), rows), cut)


def _model(value: dict[str, Any]) -> Html:
    looks = [
        (one["look"], f"label {one['label']}", f"{one['chance']}", _told(one["beside_zoo"])) for one in value["looks"]
    ]
    if value["weights"] is not None:
        of = value["weights"]
        looks.append(("weights", foreign(f"{of['what']} of {of['tensor']}"), "", _told(of["chance"])))
    caption = f"Chances, corrected for all labels; below {value['bound']} a look counts. Zoo: {value['zoo']} models."
    drawn = [table(caption, ("Look", "What stands out most", "Chance", "Beside the zoo"), looks)]
    for one in value["looks"]:
        most = max(abs(height) for height in one["values"]) or 1.0
        label = f"{one['look']}, label by label from 0"
        drawn += [bars(label, [abs(height) / most for height in one["values"]]), tag("p", label, class_="quiet small")]
    trigger = value["trigger"]
    said = f"{100 * trigger['share']:.3g} % of an input, exchanged, gives {100 * trigger['flips']:.3g} % of the rows"
    verdict = f"Stands out by {', '.join(value['accused'])}." if value["accused"] else "No evidence; not called clean."
    limits = listed([foreign(one) for one in value["limits"]], "limits")
    return join(tag("p", verdict), *drawn, tag("p", f"{said} label {trigger['label']}."), limits)


def _told(chance: float | None) -> str:
    return "not compared" if chance is None else f"{chance}"


def _histogram(found: Screened) -> Html:
    surprise = -np.log10(np.clip(1 - found.surprise, 1e-6, 1.0))
    counts = np.histogram(surprise, bins=_BINS, range=(0, 6))[0]
    label = "Rows by surprise of their label: on the left what the rest says too, on the right what it does not"
    heights = np.log1p(counts) / (np.log1p(counts).max() or 1.0)
    drawn = bars(label, [float(one) for one in heights])
    return join(drawn, tag("p", f"{label}. Heights are logarithms of counts.", class_="quiet small"))


def _power(value: dict[str, Any]) -> Html:
    if not value["power"]:
        return tag("p", "Power was not measured for this page.")
    kinds = list(dict.fromkeys(one["kind"] for one in value["power"]))
    shares = sorted({one["share"] for one in value["power"]})
    rows = []
    for kind in kinds:
        of_kind = {one["share"]: one for one in value["power"] if one["kind"] == kind}
        rows.append((kind, *(f"{of_kind[s]['found']:,} of {of_kind[s]['planted']:,}" for s in shares)))
    caption = (
        f"Known poisons planted into a copy of {value['power'][0]['rows']:,} of these rows: how many would be listed."
    )
    out = ", ".join(value["out_of_power"])
    said = tag("p", foreign(f"No power (fewer than half listed at every share) against: {out}.")) if out else ""
    return join(table(caption, ("Poison", *(f"at {100 * share:g} %" for share in shares)), rows), said)

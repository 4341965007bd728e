"""A difference as people read it: rows first, worst first, then what stands out, the verdict last.

Names and labels come from the delivery: what a terminal would act on (control and direction characters) is shown as
an escape, and long ones are cut.
"""

from __future__ import annotations

import json

from watchword.data.difference import KINDS, Change, Difference, Kind, Share, StandOut

_SHOWN_CHARS = 48
_SUMMARY: dict[Kind, str] = {
    "changed-label": "changed label",
    "changed-features": "changed features",
    "changed-origin": "changed source or annotator",
    "removed": "removed",
    "added": "added",
}


def render_text(difference: Difference, *, rows_max: int = 20) -> str:
    """Lines for a terminal, without colour, ending in a line feed.

    Args:
        rows_max: changed rows to name, of each kind.
    """
    lines: list[str] = []
    for kind in KINDS:
        of_kind = [change for change in difference.changes if change.kinds[0] == kind]
        lines += [_row_line(change, difference) for change in of_kind[:rows_max]]
        rest = difference.worst[kind] - min(rows_max, len(of_kind))
        if rest > 0:
            lines.append(f"{kind:<18}and {rest:,} more")
    lines += _column_lines(difference)
    for one in difference.stands_out[:5]:
        lines += _stand_out_lines(one)
    if len(difference.stands_out) > 5:
        lines.append(f"{'stands out':<18}and {len(difference.stands_out) - 5:,} more")
    lines += [_summary(difference, kind) for kind in KINDS if difference.counts[kind]]
    if difference.moved:
        lines.append(f"{difference.moved:,} of {difference.new.rows:,} rows moved")
    if difference.matched_by == "features" and difference.counts["added"] and difference.counts["removed"]:
        lines.append("no key column: a row whose features changed counts as removed and added")
    lines.append(_verdict(difference))
    return "\n".join(lines) + "\n"


def shown(text: str | None) -> str:
    """*text* for a terminal: no control or direction characters, at most 48 characters; ``-`` for none."""
    if text is None:
        return "-"
    cut = text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


def _row_line(change: Change, difference: Difference) -> str:
    row = f"row {change.new_row:,}" if change.new_row is not None else f"old row {change.old_row:,}"
    where = row if change.key is None else f"{shown(change.key)} ({row})"
    parts = [f"{change.kinds[0]:<18}{where}"]
    if difference.by_annotator is not None:
        parts.append(_origin("annotator", change.old_annotator, change.annotator))
    if difference.by_source is not None:
        parts.append(_origin("source", change.old_source, change.source))
    if "changed-label" in change.kinds:
        parts.append(
            f"{_label(change.old_label_shown, change.old_label)} → {_label(change.new_label_shown, change.new_label)}"
        )
    if len(change.kinds) > 1:
        parts.append("also " + ", ".join(change.kinds[1:]))
    return "   ".join(parts)


def _origin(column: str, old: str | None, new: str | None) -> str:
    return f"{column}={shown(new)}" if old == new else f"{column}={shown(old)}→{shown(new)}"


def _label(text: str | None, digest: str | None) -> str:
    if text is not None:
        value = json.loads(text)
        return shown(value if isinstance(value, str) else text)
    return "no label" if digest is None else f"sha256:{digest[:8]}…"


def _column_lines(difference: Difference) -> list[str]:
    lines = [f"{'column added':<18}{shown(name)}" for name in difference.columns_added[:20]]
    lines += [f"{'column removed':<18}{shown(name)}" for name in difference.columns_removed[:20]]
    retyped = difference.columns_retyped[:20]
    return lines + [f"{'column retyped':<18}{shown(name)}   {shown(old)} → {shown(new)}" for name, old, new in retyped]


def _stand_out_lines(one: StandOut) -> list[str]:
    what = _SUMMARY[one.kind].removeprefix("changed ")
    chance = f"under {one.chance:.1g}" if one.chance <= 1e-299 else f"{one.chance:.2g}"
    return [
        f"{'stands out':<18}{one.by} {shown(one.name)}: {one.hits:,} of the {one.changes:,} {what} changes, "
        f"with {one.rows:,} of {one.rows_all:,} rows",
        f"{'':<18}by chance: probability {chance} (Fisher's exact test, corrected for {one.looks:,} looks)",
        f"{'':<18}evidence, not proof: a batch that was given to one {one.by} to correct looks the same",
    ]


def _summary(difference: Difference, kind: Kind) -> str:
    total = difference.counts[kind]
    of = difference.old.rows if kind == "removed" else difference.new.rows
    line = f"{total:,} of {of:,} rows {_SUMMARY[kind]}"
    shares, number, by = difference.by_annotator, difference.annotators, "annotator"
    if shares is None:
        shares, number, by = difference.by_source, difference.sources, "source"
    if shares is None or kind == "changed-origin":
        return line
    most = max(shares, key=lambda share: _hits(share, kind))
    rest = total - _hits(most, kind)
    others = f"{number - 1:,} other{'s' if number != 2 else ''}"
    line += f": {_hits(most, kind):,} by {by} {shown(most.name)}"
    line += "" if kind == "removed" else f" (of {most.rows:,} rows)"
    return f"{line}, {rest:,} by {others}" if number > 1 else line


def _hits(share: Share, kind: Kind) -> int:
    counts = {
        "changed-label": share.changed_label,
        "changed-features": share.changed_features,
        "changed-origin": share.changed_origin,
        "removed": share.removed,
        "added": share.added,
    }
    return counts[kind]


def _verdict(difference: Difference) -> str:
    old, new = difference.old, difference.new
    said = difference.verdict.upper()
    return (
        f"{said}  {old.rows:,} rows → {new.rows:,} rows, {difference.identical:,} of them the same     "
        f"{old.root[:15]}… → {new.root[:15]}…"
    )

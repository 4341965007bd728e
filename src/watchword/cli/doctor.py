"""``watchword doctor``: is this node well, and what mends it."""

from __future__ import annotations

import argparse

from watchword.cli.output import emit


def run(args: argparse.Namespace) -> int:
    """Look at everything that can be looked at without changing it; exit 1 when something is ill."""
    from watchword import node
    from watchword.node.examining import examine
    from watchword.statements.times import SystemClock

    home = node.find_home(args.home)
    found = examine(home, node.read_home(home).peers, SystemClock())
    width = max(len(one.about) for one in found)
    lines = []
    for one in found:
        lines.append(f"{one.state:4}  {one.about:{width}}  {one.what}")
        lines += [f"{'':{6 + width}}  to do: {one.mend}"] if one.mend else []
    emit(args, "\n".join(lines), {"found": [one.value() for one in found], "schema": "watchword-doctor/1"})
    return 1 if any(one.state == "ill" for one in found) else 0

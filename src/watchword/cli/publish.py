"""``watchword ledger publish``: this member's ledgers to a folder or an object store, where anybody can read them."""

from __future__ import annotations

import argparse
from pathlib import Path

from watchword.cli.output import emit


def run(args: argparse.Namespace) -> int:
    """Write what is new there, or with ``--everything`` compare all that is there."""
    from watchword import node
    from watchword.node.publishing import FolderPlace, Place, publish

    place: Place
    if "://" in args.target:
        from watchword.fleet.stores import StorePlace

        place = StorePlace(args.target.rstrip("/"))
    else:
        place = FolderPlace(Path(args.target))
    with node.Node.open(node.find_home(args.home)) as here:
        done = publish(here, place, everything=args.everything)
    lines = [f"{one.origin}: {one.new:,} leaves, {one.old:,} before; {one.written:,} files written" for one in done]
    values = [{"files": one.written, "new": one.new, "old": one.old, "origin": one.origin} for one in done]
    value = {"ledgers": values, "schema": "watchword-ledgers-published/1", "target": args.target}
    emit(args, "\n".join(lines) or "no ledger here has a head yet", value)
    return 0 if done else 2

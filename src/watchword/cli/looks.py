"""``watchword looks``: whether the record of who looked at the console is whole; its head put into the ledger."""

from __future__ import annotations

import argparse

from watchword.cli.output import emit, passphrase


def check(args: argparse.Namespace) -> int:
    """Check the chain, and every head that was anchored; exit 1 where something was changed or cut away."""
    from watchword import node
    from watchword.node.looks import Looks

    with node.Node.open(node.find_home(args.home), writing=False) as here:
        found = Looks(here).check()
    anchored = f"{found.anchored:,} of them anchored at {found.at}" if found.at else "none of them anchored"
    verdict = f"{len(found.wrong)} wrong" if found.wrong else "nothing was changed or cut away"
    lines = [f"{found.count:,} looks, {anchored}: {verdict}", *(f"  wrong  {one}" for one in found.wrong)]
    emit(args, "\n".join(lines), found.value() | {"schema": "watchword-looks/1"})
    return 1 if found.wrong else 0


def anchor(args: argparse.Namespace) -> int:
    """Put the head of the looks into the shared ledger, where nobody takes it back."""
    from watchword import node
    from watchword.cli.statement import recorded_value, told
    from watchword.node import looks

    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        recorded = looks.anchor(here)
        if recorded is None:
            emit(args, "nobody looked since the last one", {"recorded": None, "schema": "watchword-looks-anchored/1"})
            return 0
        here.publish()
        value = {"recorded": recorded_value(here, recorded), "schema": "watchword-looks-anchored/1"}
        emit(args, told(here, recorded), value)
    return 0

"""``watchword gate share``, ``gate unshare``: one record for the gates of several processes, in PostgreSQL."""

from __future__ import annotations

import argparse

from watchword.cli.output import emit, passphrase


def share(args: argparse.Namespace) -> int:
    """Begin to share the record; without a URL, take what is new into the home and print how far it is."""
    from watchword import node
    from watchword.gate.hiding import key_of
    from watchword.node import sharing

    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        if args.url is not None:
            key_of(here.home)  # made now, so that no two processes make one each
            sharing.share(here, args.url)
        else:
            sharing.must_follow(here)
        size, member = here.record_size(), here.member
    done = "is shared from now on" if args.url else "is shared; this home has followed it"
    value = {"gate": member, "receipts": size, "schema": "watchword-shared-record/1", "shared": True}
    emit(args, f"the record of the gate of {member} {done}: {size:,} receipts", value)
    return 0


def unshare(args: argparse.Namespace) -> int:
    """End that: the record is the home's own again."""
    from watchword import node
    from watchword.node import sharing

    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        size, member = sharing.unshare(here), here.member
    value = {"gate": member, "receipts": size, "schema": "watchword-shared-record/1", "shared": False}
    emit(args, f"the record of the gate of {member} is this home's own again: {size:,} receipts", value)
    return 0

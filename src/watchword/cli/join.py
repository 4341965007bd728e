"""``watchword join``: the ceremony by which a member comes in, one step further."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from watchword.cli.output import emit, passphrase

if TYPE_CHECKING:
    from watchword.node.joining import Joined


def run(args: argparse.Namespace) -> int:
    """Take every step that can be taken here; exit 1 while somebody owes the next one."""
    from watchword import node
    from watchword.cli.ledger import peers_of
    from watchword.node.joining import Heard, join
    from watchword.statements.times import SystemClock

    home = node.find_home(args.home)
    joined = join(
        home, args.folder, clock=SystemClock(), heard=Heard(args.heard, args.by) if args.heard else None,
        secret=args.secret, peers=peers_of(home, args.peer, none_ok=True),
        passphrase=passphrase(args), root=args.root,
    )  # fmt: skip
    emit(args, _told(joined), joined.value() | {"record": joined.record, "schema": "watchword-joined/1"})
    return 1 if joined.waits else 0


def _told(joined: Joined) -> str:
    lines = [f"{joined.newcomer}: {'not yet' if joined.waits else 'done'}", *(f"  {line}" for line in joined.done)]
    return "\n".join([*lines, *(["to do now"] if joined.waits else []), *(f"  {line}" for line in joined.waits)])

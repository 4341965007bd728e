"""``watchword assure``: the main job."""

from __future__ import annotations

import argparse

from watchword.cli.output import emit, keeping, passphrase, progress, say, whole_file


def run(args: argparse.Namespace) -> int:
    """Inspect, record, decide, write the report; exit 0 when admitted (or, without ``--use``, nothing found)."""
    from watchword import node
    from watchword.assure import assure, embedded_node, render_text
    from watchword.cli.statement import scope
    from watchword.inspect.walk import list_release
    from watchword.policy.use_case import read_use_case

    use_case = read_use_case(args.use) if args.use else None
    kept = keeping(args)
    home = node.find_home(args.home, missing_ok=True)
    if home is None:
        list_release(args.path)  # where there is nothing to look at, no node is made either
        home, made = embedded_node(args.home, args.path)
        if made:
            say(f"watchword: note: no node here: made an alliance of one in {home}, keys in plain files, mode 0600")
    with node.Node.open(home, passphrase=passphrase(args), writing=True) as here, progress(args) as step:
        assured = assure(
            args.path,
            here,
            system=args.system or args.path.resolve().name,
            release=args.release or "unversioned",
            use_case=use_case,
            person=args.person,
            scope=scope(args),
            report=whole_file(args.report),
            kept=kept,
            progress=step,
        )
    emit(args, render_text(assured), assured.to_json())
    return 0 if assured.yes else 1

"""``watchword doctor``: is this node well, and what mends it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from watchword.cli.output import emit
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.node.finding import Found


def run(args: argparse.Namespace) -> int:
    """Look at everything that can be looked at without changing it; exit 1 when something is ill."""
    from watchword import node
    from watchword.node.examining import examine
    from watchword.statements.times import SystemClock

    home = node.find_home(args.home)
    if (args.tls_certificate is None) != (args.tls_key is None):
        raise WatchwordError("TLS needs both a certificate and its key", "give --tls-certificate and --tls-key")
    listens = None if args.port is None else (args.host, args.port)
    tls = None if args.tls_certificate is None else (args.tls_certificate, args.tls_key)
    found = examine(home, node.read_home(home).peers, SystemClock(), listens=listens, tls=tls)
    found[-1:-1] = [_data(), _sandbox()]  # before what is installed, which ends the list
    width = max(len(one.about) for one in found)
    lines = []
    for one in found:
        lines.append(f"{one.state:4}  {one.about:{width}}  {one.what}")
        lines += [f"{'':{6 + width}}  to do: {one.mend}"] if one.mend else []
    emit(args, "\n".join(lines), {"found": [one.value() for one in found], "schema": "watchword-doctor/1"})
    return 1 if any(one.state == "ill" for one in found) else 0


def _data() -> Found:
    """Which data inspections here go by."""
    from watchword.inspect.updates import added
    from watchword.node.finding import Found

    try:
        later = added()
    except WatchwordError as error:
        return Found("data", "ill", error.message, error.hint)
    if later is None:
        return Found("data", "well", "as the release ships it")
    return Found("data", "well", f"version {later.version}, made {later.made}; watchword update show says whose it is")


def _sandbox() -> Found:
    """What keeps the processes here that parse what others deliver."""
    from watchword.node.finding import Found
    from watchword.sandbox import kept_by

    kept = kept_by()
    if kept.confined:
        return Found("sandbox", "well", f"parsers are confined by {kept}")
    return Found("sandbox", "look", f"parsers are kept by {kept}", "inspect on Linux, where a container allows seccomp")

"""``watchword gate authzen``: this gate as a policy decision point of OpenID AuthZEN."""

from __future__ import annotations

import argparse

from watchword.cli.output import emit, passphrase
from watchword.cli.tokens import read_token


def run(args: argparse.Namespace) -> int:
    """Answer until told to end."""
    from watchword import node
    from watchword.cli.serve import address, check_tls, installed, until_told
    from watchword.cli.subject import release
    from watchword.gate.authzen import AuthZen
    from watchword.gate.mcp.lent import Lent

    with installed("serving"):
        from watchword.web.authzen import app
        from watchword.web.serving import listen
    token = read_token(args.token_file)
    check_tls(args)
    home, secret = node.find_home(args.home), passphrase(args)
    with node.Node.open(home, passphrase=secret) as here:
        of, member = release(args.of, here), here.member
        mandate = here.locate(args.mandate).signed.statement.id if args.mandate else None
    lent, bound = Lent(home, secret), listen(args.host, args.port)
    url = (args.url or address(args, *bound.getsockname()[:2])).rstrip("/")
    door = AuthZen(lent.together, of.digest, f"{url}/access/v1/requests", mandate)
    value = {"member": member, "release": of.digest, "schema": "watchword-serving/1", "url": f"{url}/"}
    text = f"the gate of {member} answers AuthZEN for {of.name} at {url}/access/v1/"
    try:
        until_told(args, app(door, url, token), bound, lambda: emit(args, text, value))
    finally:
        lent.close()
    return 0

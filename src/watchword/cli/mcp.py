"""``watchword gate mcp``: an MCP server behind the gate, over pipes or over HTTP."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from typing import TYPE_CHECKING

from watchword.cli.output import naming, passphrase, say
from watchword.cli.tokens import read_token
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.gate.mcp.conversation import Door


class NotSaid(WatchwordError):
    """A command line that does not say what stands behind the door, or says it twice."""


GUARANTEE = (
    "this door sees every message between one client and one server, and neither the person's words (unless --said "
    "gives them) nor what the client does elsewhere"
)


def run(args: argparse.Namespace) -> int:
    """Pass messages until the client ends; exit 0 then."""
    from watchword.cli.watching import metrics_beside
    from watchword.gate.mcp.conversation import Conversation

    if bool(args.command) == bool(args.upstream) or bool(args.upstream) != bool(args.listen):
        raise NotSaid(
            "a server is a command after --, or an address with --upstream and --listen",
            "such as: watchword gate mcp --of RELEASE --server files -- SERVER",
        )
    door = _door(args)
    say(f"watchword: note: {GUARANTEE}")
    left = door.lent.left_behind(door.server, door.release)
    if left:
        say(f"watchword: note: an earlier door saw no end of {left} calls; what did more than read is unknown")
    try:
        with metrics_beside(args):
            if args.upstream:
                return _over_http(args, door)
            from watchword.web.mcp_pipe import serve

            with contextlib.suppress(KeyboardInterrupt):  # how SIGTERM and SIGINT end it
                return serve(Conversation(door, args.session), args.command, sys.stdin.fileno(), _own_stdout())
            return 0
    finally:
        door.lent.close()
        if door.shadow is not None:
            for line in door.shadow.report().splitlines():
                say(line)


def _door(args: argparse.Namespace) -> Door:
    from watchword import node
    from watchword.cli.subject import release
    from watchword.gate.mcp.conversation import Door
    from watchword.gate.mcp.lent import Lent
    from watchword.gate.mcp.methods import check_name
    from watchword.gate.mcp.telling import HOLD
    from watchword.gate.shadow import Shadow

    home, secret = node.find_home(args.home), passphrase(args)
    with node.Node.open(home, passphrase=secret) as here:
        system = release(args.of, here).digest
        mandate = here.locate(args.mandate).signed.statement.id if args.mandate else None
    said = None
    if args.said is not None:
        with naming(args.said):
            said = args.said.read_text("utf-8")
    page = args.page
    if page is not None and HOLD not in page:
        page = f"{page.rstrip('/')}/{HOLD}"
    return Door(
        Lent(home, secret), check_name(args.server), system, mandate, page, said, Shadow() if args.shadow else None,
        lambda text: say(f"watchword: {text}"),
    )  # fmt: skip


def _own_stdout() -> int:
    """Standard output for messages alone: whatever else is printed goes to standard error."""
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)
    return own


def _over_http(args: argparse.Namespace, door: Door) -> int:
    from watchword.cli.output import write_out
    from watchword.cli.serve import address, check_tls, installed
    from watchword.limits import MCP_CALL_S_MAX

    with installed("a door over HTTP"):
        from watchword.web.mcp_door import HttpDoor
        from watchword.web.serving import listen, server
        from watchword.web.upstream import Upstream
    check_tls(args)
    host, _, port = args.listen.rpartition(":")
    if not host or not port.isdigit():
        raise NotSaid(f"--listen {args.listen}: not HOST:PORT", "such as 127.0.0.1:8450; port 0 takes a free one")
    host = host.strip("[]")
    token = None if args.token_file is None else read_token(args.token_file)
    if token is None and host not in _OWN:
        raise NotSaid(
            f"--listen {args.listen}: others could speak there, and no token tells them apart",
            "give --token-file, or listen on 127.0.0.1",
        )
    bound = listen(host, int(port))
    shown, number = f"[{host}]" if ":" in host else host, bound.getsockname()[1]
    names = {shown, *(_OWN_NAMES if host in _OWN else ())}
    hosts = frozenset({*(f"{one}:{number}" for one in names), *(one.lower() for one in args.host_name)})
    theirs = None if args.upstream_token_file is None else read_token(args.upstream_token_file, chars_min=1)
    http = HttpDoor(door, Upstream(args.upstream), hosts, token, theirs)
    url = address(args, host, number) + http.upstream.path
    ready = lambda: write_out(f"{args.server} behind the gate at {url}")  # noqa: E731
    running = server(http, args.tls_certificate, args.tls_key, ready, answer_s=MCP_CALL_S_MAX)
    with contextlib.suppress(KeyboardInterrupt):
        http.run(running, bound)
    return 0


_OWN = ("127.0.0.1", "::1", "localhost")
_OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")

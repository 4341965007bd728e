"""``watchword gate authzen``: this gate as a policy decision point of OpenID AuthZEN."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from watchword.cli.output import emit, passphrase
from watchword.errors import WatchwordError

TOKEN_CHARS_MIN = 16
"""Characters of the door's token. Origin: 16 random letters and digits are 95 bits; nobody guesses them."""


class BadToken(WatchwordError):
    """A token file that is missing, short, or readable by others."""


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
    token = _token(args.token_file)
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


def _token(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise BadToken(f"{path}: others can read it", f"chmod 600 {path}")
        text = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = os.strerror(error.errno or 0).lower() if isinstance(error, OSError) else "not ASCII"
        raise BadToken(f"{path}: {why}", "the door's token: one line that callers show too") from error
    if len(text) < TOKEN_CHARS_MIN or not text.isprintable() or " " in text:
        raise BadToken(f"{path}: not a token", f"one word of at least {TOKEN_CHARS_MIN} characters")
    return text

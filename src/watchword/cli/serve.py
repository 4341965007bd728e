"""``watchword serve``: this node over HTTP."""

from __future__ import annotations

import argparse
import contextlib

from watchword.cli.output import emit, passphrase
from watchword.errors import WatchwordError


class NotInstalled(WatchwordError):
    """What serving needs is not installed."""


def run(args: argparse.Namespace) -> int:
    """Serve ledgers, mirrors, witness and bodies until told to end."""
    from watchword import node

    try:
        from watchword.web.ledgers import app
        from watchword.web.reopening import Reopening
        from watchword.web.serving import listen, server
    except ModuleNotFoundError as error:
        raise NotInstalled(f"serving needs {error.name}", "pip install 'watchword[serve]'") from error
    if (args.tls_certificate is None) != (args.tls_key is None):
        raise WatchwordError("TLS needs both a certificate and its key", "give --tls-certificate and --tls-key")
    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=False) as here:
        application = Reopening(here, app)
        bound = listen(args.host, args.port)
        host, port = bound.getsockname()[:2]
        scheme = "http" if args.tls_certificate is None else "https"
        url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"
        value = {"member": here.member, "schema": "watchword-serving/1", "url": url}
        text = f"{here.member} serves {len(here.charter.shared_origins)} ledgers and its witness at {url}"
        with contextlib.suppress(KeyboardInterrupt):  # how SIGTERM and SIGINT end it, once answers are out
            server(application, args.tls_certificate, args.tls_key, lambda: emit(args, text, value)).run([bound])
    return 0

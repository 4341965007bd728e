"""``watchword serve``: this node over HTTP; and what every command that serves has in common."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from watchword.cli.catalog import follow
from watchword.cli.output import emit, passphrase
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from socket import socket


class NotInstalled(WatchwordError):
    """What serving needs is not installed."""


@contextlib.contextmanager
def installed(what: str) -> Iterator[None]:
    """Around imports: what is missing is said, for *what* it is needed, and how it comes."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise NotInstalled(f"{what} needs {error.name}", "pip install 'watchword[serve]'") from error


def check_tls(args: argparse.Namespace) -> None:
    """Refuse a certificate without its key, and the reverse."""
    if (args.tls_certificate is None) != (args.tls_key is None):
        raise WatchwordError("TLS needs both a certificate and its key", "give --tls-certificate and --tls-key")


def address(args: argparse.Namespace, host: str, port: int) -> str:
    """Where *host* and *port* are found, without a final slash."""
    scheme = "http" if args.tls_certificate is None else "https"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def until_told(args: argparse.Namespace, application: Any, bound: socket, ready: Callable[[], None]) -> None:
    """Answer on *bound* until SIGTERM or SIGINT; answers begun are finished."""
    from watchword.web.serving import server

    with contextlib.suppress(KeyboardInterrupt):
        server(application, args.tls_certificate, args.tls_key, ready).run([bound])


def run(args: argparse.Namespace) -> int:
    """Serve ledgers, mirrors, witness and bodies until told to end."""
    from watchword import node

    with installed("serving"):
        from watchword.web.ledgers import app
        from watchword.web.reopening import Reopening
        from watchword.web.serving import listen
    check_tls(args)
    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=False) as here:
        follow(here)
        application = Reopening(here, app)
        bound = listen(args.host, args.port)
        url = address(args, *bound.getsockname()[:2]) + "/"
        value = {"member": here.member, "schema": "watchword-serving/1", "url": url}
        text = f"{here.member} serves {len(here.charter.shared_origins)} ledgers and its witness at {url}"
        until_told(args, application, bound, lambda: emit(args, text, value))
    return 0

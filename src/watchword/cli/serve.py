"""``watchword serve``: this node over HTTP; and what every command that serves has in common."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from watchword.cli.catalog import follow
from watchword.cli.output import emit, passphrase, unasked
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from socket import socket

    from watchword.node import Node


class NotInstalled(WatchwordError):
    """What serving needs is not installed."""


@contextlib.contextmanager
def installed(what: str, extra: str = "serve") -> Iterator[None]:
    """Around imports: what is missing is said, for *what* it is needed, and which *extra* brings it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise NotInstalled(f"{what} needs {error.name}", f"pip install 'watchword[{extra}]'") from error


def check_tls(args: argparse.Namespace) -> None:
    """Refuse a certificate without its key, and the reverse."""
    if (args.tls_certificate is None) != (args.tls_key is None):
        raise WatchwordError("TLS needs both a certificate and its key", "give --tls-certificate and --tls-key")


def address(args: argparse.Namespace, host: str, port: int) -> str:
    """Where *host* and *port* are found, without a final slash."""
    scheme = "http" if args.tls_certificate is None else "https"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def until_told(
    args: argparse.Namespace, application: Any, bound: socket, ready: Callable[[], None],
    clients: tuple[str, ...] = (), node: Node | None = None,
) -> None:  # fmt: skip
    """Answer on *bound* until SIGTERM or SIGINT; answers begun are finished.

    Args:
        clients: files of certificates that a client may show.
        node: whose figures ``--metrics`` shows.
    """
    from watchword.cli.watching import metrics_beside
    from watchword.web.serving import server

    with contextlib.suppress(KeyboardInterrupt), metrics_beside(args, node):
        server(application, args.tls_certificate, args.tls_key, ready, clients=clients).run([bound])


def _anchoring(
    args: argparse.Namespace, here: Node, ask: Callable[[], bytes]
) -> contextlib.AbstractContextManager[object]:
    """The turns that put the head of the looks into the ledger, where *args* want them and this home signs."""
    from watchword.web.anchoring import Anchoring

    if args.anchor_looks is None or here.receives:
        return contextlib.nullcontext()
    return Anchoring(here, unasked(args, ask), 60 * args.anchor_looks)


def run(args: argparse.Namespace) -> int:
    """Serve ledgers, mirrors, witness, bodies and the console until told to end."""
    from watchword import node

    with installed("serving"):
        from watchword.web.console.door import console
        from watchword.web.ledgers import app
        from watchword.web.reopening import Reopening
        from watchword.web.serving import Beside, listen
    check_tls(args)
    clients = {name: path for name, _, path in (one.partition("=") for one in args.client)}
    if clients and args.tls_certificate is None:
        raise WatchwordError("a client shows its certificate over TLS alone", "give --tls-certificate and --tls-key")
    ask = passphrase(args)
    with node.Node.open(node.find_home(args.home), passphrase=ask, writing=False) as here:
        follow(here)
        bound = listen(args.host, args.port)
        url = address(args, *bound.getsockname()[:2]) + "/"
        origin = args.origin or address(args, "localhost", bound.getsockname()[1])
        known = console(here, origin, clients)
        application = Beside(Reopening(here, app), Reopening(here, known), "/console")
        value = {
            "console": f"{origin}/console/", "member": here.member, "schema": "watchword-serving/1", "url": url,
        }  # fmt: skip
        text = (
            f"{here.member} serves {len(here.charter.shared_origins)} ledgers and its witness at {url}\n"
            f"its console is at {origin}/console/; to look: watchword console --origin {origin}"
        )
        with _anchoring(args, here, ask):
            until_told(args, application, bound, lambda: emit(args, text, value), tuple(clients.values()), here)
    return 0

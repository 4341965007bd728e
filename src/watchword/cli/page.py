"""``watchword gate page``: the page on which people of this member answer with a passkey."""

from __future__ import annotations

import argparse
import contextlib

from watchword.cli.output import emit, passphrase
from watchword.cli.serve import NotInstalled
from watchword.errors import WatchwordError


def run(args: argparse.Namespace) -> int:
    """Serve the page until told to end; the node is only read."""
    from watchword import node

    try:
        import webauthn  # noqa: F401

        from watchword.web.approvals import app
        from watchword.web.serving import listen, server
    except ModuleNotFoundError as error:
        raise NotInstalled(f"the page needs {error.name}", "pip install 'watchword[serve]'") from error
    if (args.tls_certificate is None) != (args.tls_key is None):
        raise WatchwordError("TLS needs both a certificate and its key", "give --tls-certificate and --tls-key")
    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=False) as here:
        bound = listen(args.host, args.port)
        origin = args.origin or f"http://localhost:{bound.getsockname()[1]}"
        page = app(here, origin, args.register)
        registers = {person: page.register_address(person) for person in args.register}
        lines = [f"{here.member} answers at {page.desk_address}"]
        lines += [f"{person} registers a passkey at {address}" for person, address in registers.items()]
        lines += [f"an MCP door sends people there with --page {page.door_address}"]
        lines += ["who has one of these addresses sees what it shows: hand them on as you would the action itself"]
        value = {
            "desk": page.desk_address, "door": page.door_address, "member": here.member, "origin": origin,
            "register": registers, "schema": "watchword-gate-page/1",
        }  # fmt: skip
        with contextlib.suppress(KeyboardInterrupt):  # how SIGTERM and SIGINT end it, once answers are out
            server(page, args.tls_certificate, args.tls_key, lambda: emit(args, "\n".join(lines), value)).run([bound])
    return 0

"""``watchword gate page``: the page on which people of this member answer with a passkey."""

from __future__ import annotations

import argparse

from watchword.cli.output import emit, passphrase
from watchword.cli.serve import check_tls, installed, until_told


def run(args: argparse.Namespace) -> int:
    """Serve the page until told to end; the node is only read."""
    from watchword import node

    with installed("the page"):
        import webauthn  # noqa: F401

        from watchword.web.approvals import app
        from watchword.web.serving import listen
    check_tls(args)
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
        until_told(args, page, bound, lambda: emit(args, "\n".join(lines), value))
    return 0

"""The tree of ``watchword gate``: its verbs and their arguments. Imports argparse alone."""

from __future__ import annotations

from pathlib import Path

from watchword.cli.arguments import Sub, listening, log_format, metrics, noun, said, signer, verb


def gate_commands(commands: Sub) -> None:
    """``gate`` and its verbs."""
    gate = noun(commands, "gate", "no action without a mandate, a durable receipt and, where it matters, people")
    mandate = verb(gate, "mandate", "gate:mandate", "delegate limited authority to an admitted system")
    mandate.add_argument("file", type=Path, metavar="FILE", help="the mandate (TOML)")
    mandate.add_argument("--decision", required=True, metavar="DECISION", help="the admission it rests on")
    signer(mandate)
    ask = verb(gate, "ask", "gate:ask", "ask for one action: permitted, denied or held")
    ask.add_argument("--mandate", metavar="MANDATE", help="default: the newest for the release")
    ask.add_argument("--action", metavar="FILE", help="the action as JSON (- for stdin), instead of --tool and --arg")
    ask.add_argument("--of", metavar="RELEASE", help="the release that asks: a path, a digest, or its recorded name")
    ask.add_argument("--tool", metavar="NAME")
    ask.add_argument("--arg", action="append", default=[], metavar="NAME=VALUE", help="VALUE is JSON, or else a text")
    ask.add_argument("--session", default="terminal", metavar="NAME")
    verb(gate, "holds", "gate:holds", "print what waits for people")
    _people(gate)
    release = verb(gate, "release", "gate:release", "re-check everything and release an approved action, once")
    release.add_argument("hold", metavar="HOLD")
    release.add_argument("--output", type=Path, metavar="FILE", help="write the action's exact bytes there")
    outcome = verb(gate, "outcome", "gate:outcome", "record what became of a released action")
    outcome.add_argument("action", metavar="DIGEST", help="the action's digest")
    outcome.add_argument("outcome", choices=("returned", "unknown"))
    stop = verb(gate, "stop", "gate:stop", "void every mandate made until now, of a release or all; or end a session")
    stop.add_argument("what", metavar="RELEASE|session:NAME|all")
    stop.add_argument("--reason", required=True, metavar="TEXT", type=said)
    signer(stop)
    verb(gate, "stops", "gate:stops", "print what closed this gate, how quickly, what came of it, and who may open it")
    shadow = verb(gate, "shadow", "gate:shadow", "print what doors in shadow would have permitted, held and denied")
    shadow.add_argument("--since", default="", metavar="TIME", help="only from then on (2026-01-31T12:00:00Z)")
    verb(gate, "status", "gate:status", "print mandates, holds, stops, the view's age, and what would be denied")
    _doors(gate)
    share = verb(gate, "share", "sharing:share", "let several processes decide for this gate, over PostgreSQL")
    share.add_argument("url", nargs="?", metavar="URL", help="of the database; without it: take in what is new there")
    verb(gate, "unshare", "sharing:unshare", "end that: the record is this home's own again")
    cards = noun(gate, "cards", "what a gate knows of a tool: drafted, edited by a person, signed")
    suggest = verb(cards, "suggest", "cards:suggest", "draft cards from what an MCP server says of its tools")
    suggest.add_argument("--server", metavar="NAME", help="what to call the server (default: its own name)")
    suggest.add_argument("--output", type=Path, default=Path("cards.json"), metavar="FILE")
    suggest.add_argument("command", nargs="+", metavar="COMMAND", help="the server and its arguments, after --")
    sign = verb(cards, "sign", "cards:sign", "sign cards that you have read and edited")
    sign.add_argument("file", type=Path, metavar="FILE", help="the cards (JSON)")
    signer(sign)
    verb(cards, "show", "cards:show", "print the cards that count here now")


def _people(gate: Sub) -> None:
    request = verb(gate, "request", "gate:request", "write a held action as a file for an approver at another node")
    request.add_argument("hold", metavar="HOLD")
    request.add_argument("--output", type=Path, metavar="FILE", help="default: HOLD.request.json")
    approve = verb(
        gate, "approve", "gate:approve", "show one held action and sign exactly its bytes with a person's key"
    )
    approve.add_argument("request", metavar="REQUEST|HOLD", help="a request file, or a hold of this node")
    answers = ("approve", "wrong-target", "wrong-content", "refuse", "not-my-task", "escalate")
    approve.add_argument("--answer", choices=answers, default="approve", help="what to sign (default: approve)")
    approve.add_argument("--card", metavar="URI", help="sign with a smartcard (pkcs11:…), not with a key file")
    approve.add_argument("--confirm", metavar="TEXT", help="the word the screen asks for, where there is no terminal")
    approve.add_argument("--output", type=Path, metavar="FILE", help="default: HOLD.PERSON.approval.json")
    signer(approve)
    lay = verb(gate, "lay", "gate:lay", "show another gate's held actions on this node's approval page")
    lay.add_argument("files", type=Path, nargs="+", metavar="FILE", help="request files")
    page = verb(gate, "page", "page:run", "serve the page on which people here answer with a passkey")
    page.add_argument(
        "--origin", metavar="URL", help="how browsers reach it, as passkeys name it (default: http://localhost:PORT)"
    )
    listening(page, 8442)
    page.add_argument(
        "--register", action="append", default=[], metavar="PERSON", help="let this person register a passkey now"
    )
    check = verb(gate, "check", "gate:check", "re-verify answers with a charter and nothing else, for an auditor")
    check.add_argument("files", type=Path, nargs="+", metavar="FILE", help="approvals")
    check.add_argument("--charter", type=Path, required=True, metavar="CHARTER", help="the charter that was in force")
    check.add_argument("--request", type=Path, metavar="FILE", help="the held action that they should be about")
    take = verb(gate, "take", "gate:take", "take in approvals signed elsewhere")
    take.add_argument("files", type=Path, nargs="+", metavar="FILE")


def _doors(gate: Sub) -> None:
    mcp = verb(gate, "mcp", "mcp:run", "put an MCP server behind the gate, over its pipes or over HTTP")
    mcp.add_argument("--of", required=True, metavar="RELEASE", help="the release that acts: a path, digest or name")
    mcp.add_argument("--server", required=True, metavar="NAME", help="the server's name in cards, mandates and actions")
    mcp.add_argument("--mandate", metavar="MANDATE", help="default: the newest for the release")
    mcp.add_argument("--said", type=Path, metavar="FILE", help="the person's words that this is for; default: none")
    mcp.add_argument("--session", metavar="NAME", help="pipes: holds are found after a restart (default: a new one)")
    mcp.add_argument("--page", metavar="URL", help="where people see holds; its name comes for {hold}, or last")
    mcp.add_argument("--shadow", action="store_true", help="decide and record, block nothing (gate shadow)")
    mcp.add_argument("--listen", metavar="HOST:PORT", help="serve over HTTP there; needs --upstream")
    mcp.add_argument("--upstream", metavar="URL", help="the server's address, in place of a command")
    mcp.add_argument("--host-name", action="append", default=[], metavar="HOST[:PORT]", help="HTTP: as clients call us")
    mcp.add_argument("--tls-certificate", type=Path, metavar="FILE", help="HTTP: PEM; without it plain HTTP")
    mcp.add_argument("--tls-key", type=Path, metavar="FILE", help="HTTP: PEM, not encrypted")
    mcp.add_argument("--token-file", type=Path, metavar="FILE", help="HTTP: what clients must show as bearer token")
    mcp.add_argument("--upstream-token-file", type=Path, metavar="FILE", help="HTTP: what the server is shown as one")
    log_format(mcp)
    metrics(mcp)
    mcp.add_argument("command", nargs="*", metavar="SERVER", help="the server and its arguments, after --")
    authzen = verb(gate, "authzen", "authzen:run", "answer OpenID AuthZEN requests for a system over HTTP")
    authzen.add_argument("--of", required=True, metavar="RELEASE", help="the system that asks")
    authzen.add_argument("--mandate", metavar="MANDATE", help="default: the newest for the release")
    authzen.add_argument("--token-file", type=Path, required=True, metavar="FILE", help="what callers show (Bearer)")
    authzen.add_argument("--url", metavar="URL", help="where callers reach this door (default: where it listens)")
    listening(authzen, 8441)
    metrics(authzen)

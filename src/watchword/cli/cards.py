"""``watchword gate cards``: draft, sign and show tool cards. The person edits in between."""

from __future__ import annotations

import argparse
import json

from watchword.cli.output import emit, naming, passphrase, write_new


def suggest(args: argparse.Namespace) -> int:
    """Draft cards from what an MCP server says of its tools."""
    from watchword.gate.cards import draft
    from watchword.gate.mcp_tools import listed_tools

    name, tools = listed_tools(args.command)
    value = draft(args.server or name, tools)
    write_new(args.output, (json.dumps(value, indent=1) + "\n").encode())
    text = (
        f"drafted {len(tools)} cards for {value['server']}: every tool irreversible, nothing it returns believed\n"
        f"wrote {args.output}: lower what you know, then watchword gate cards sign {args.output}"
    )
    emit(args, text, {"output": str(args.output), "schema": "watchword-cards-draft/1", "server": value["server"],
                      "tools": [card["tool"] for card in value["tools"]]})  # fmt: skip
    return 0


def sign(args: argparse.Namespace) -> int:
    """Sign cards that a person has read, and publish them."""
    from watchword import node
    from watchword.cli.statement import recorded_value, scope, told
    from watchword.gate.cards import parse_cards
    from watchword.gate.signed_cards import cards_fields

    with naming(args.file):
        cards = parse_cards(args.file.read_bytes(), str(args.file))
    subject, fields = cards_fields(cards)
    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        recorded = here.sign_and_append("tool-cards", subject, fields, person=args.person, scope=scope(args))
        here.publish()
        text = f"{len(cards.tools)} cards for {cards.server}: {cards.digest}\n{told(here, recorded)}"
        emit(args, text, recorded_value(here, recorded) | {"cards": cards.digest})
    return 0


def show(args: argparse.Namespace) -> int:
    """The cards that count at this node now."""
    from watchword import node
    from watchword.gate.signed_cards import cards_of

    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args)) as here:
        found = cards_of(here)
    lines = []
    for server, cards in sorted(found.items()):
        lines.append(f"{server}  {len(cards.tools)} tools  {cards.digest}")
        for card in cards.tools.values():
            roles = ", ".join(f"{name} {one.role}" for name, one in card.args.items()) or "no arguments"
            lines.append(f"  {card.effect:13} {card.tool}: {roles}")
    value = {
        "schema": "watchword-cards/1", "servers": {server: cards.value for server, cards in sorted(found.items())},
    }  # fmt: skip
    emit(args, "\n".join(lines) or "no cards: every tool waits for people", value)
    return 0

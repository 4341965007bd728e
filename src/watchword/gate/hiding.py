"""Secrets in an action: committed to, never written.

Follows docs/protocol.md, section 9 ("MCP"). Pure, but for ``key_of``.

* A value in an argument whose card says ``secret``, and one in which the session sees a secret that was read, is
  replaced by a commitment: HMAC-SHA256 under a key of this home, over tool, argument and value. So neither a receipt,
  nor a proof of it, nor an approver's screen holds the value, and nobody without the key can try out which it was.
* Equal values of one argument have equal commitments: a call that is tried again is the same action, even after a
  restart.
* What goes on is the value itself, and only where the commitment made from it is the one that was released.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from watchword.gate.cards import Card
from watchword.ledger import durable
from watchword.statements.canonical import canonical

KEY_BYTES = 32
FORM = "secret:"
"""How a commitment begins."""


def hidden(
    tool: str, args: Mapping[str, Any], card: Card | None, holds_secret: Callable[[str], bool], key: bytes
) -> dict[str, Any]:
    """*args* with every secret replaced by its commitment.

    Args:
        holds_secret: whether the session sees a secret in a text.
    """

    def replaced(value: Any, name: str, all_of_it: bool) -> Any:
        if isinstance(value, dict):
            return {member: replaced(inner, name, all_of_it) for member, inner in value.items()}
        if isinstance(value, list):
            return [replaced(inner, name, all_of_it) for inner in value]
        if value is None or isinstance(value, bool) or value == "":
            return value
        if not all_of_it and not holds_secret(str(value)):
            return value
        said = canonical({"argument": name, "tool": tool, "value": value})
        return FORM + hmac.digest(key, said, "sha256").hex()

    roles = {} if card is None else card.args
    return {
        name: replaced(value, name, name in roles and roles[name].role == "secret") for name, value in args.items()
    }


def key_of(home: Path) -> bytes:
    """The key of this home's commitments; made when it is first asked for, by whoever has the home open for writing.

    Raises:
        StorageTrouble: it cannot be kept.
    """
    path = home / "gate" / "secret"
    found = durable.read(path, KEY_BYTES)
    if found is None or len(found) != KEY_BYTES:
        found = os.urandom(KEY_BYTES)
        with durable.translated(path):
            durable.make_folder(path.parent / "staging", 0o700)
            durable.replace(path, found, path.parent / "staging", 0o600)
    return found

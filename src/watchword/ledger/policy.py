"""The charter's ledgers, witnesses and quorum as a C2SP tlog-policy file, for tools that know nothing of charters.

Follows c2sp.org/tlog-policy. Pure.

* Each half of a key is a key of its own there. A witness counts when both halves cosigned: a group ``all`` of the two.
* An operator with several witnesses counts once: a group ``any`` of them. The quorum is the charter's k of operators.
* What the format cannot say is not in the file: how old a head may be, and that a log signs with both halves.
"""

from __future__ import annotations

from collections.abc import Iterator

from watchword.charter.charter import Charter
from watchword.errors import WatchwordError
from watchword.ledger import notes
from watchword.ledger.notes import VerifierKey


class NoPolicy(WatchwordError):
    """A charter with a name that cannot stand in a policy file."""


def tlog_policy(charter: Charter) -> str:
    """The policy file's text.

    Raises:
        NoPolicy: a member or operator whose name holds white space.
    """
    return "".join(f"{line}\n" for line in _lines(charter))


def _lines(charter: Charter) -> Iterator[str]:
    yield f"# {' '.join(charter.alliance.split())}, charter {charter.version}, {charter.digest}"
    for origin in charter.shared_origins:
        key = charter.origins[origin].key
        yield f"log {VerifierKey(origin, notes.ED25519, key.ed25519).format()}"
        yield f"log {VerifierKey(origin, notes.MLDSA44_COSIGNATURE, key.mldsa).format()}"
    by_operator: dict[str, list[str]] = {}
    for member in charter.members:
        for name in (member.name, member.operator):
            if not name or len(name.split()) != 1 or not name.isprintable():
                raise NoPolicy(f"{name!r} cannot stand in a policy file", "its names hold no white space")
        key, name = charter.witness_keys[member.witness], f"witness:{member.name}"
        yield f"witness {name}/04 {VerifierKey(member.witness, notes.ED25519_COSIGNATURE, key.ed25519).format()}"
        yield f"witness {name}/06 {VerifierKey(member.witness, notes.MLDSA44_COSIGNATURE, key.mldsa).format()}"
        yield f"group {name} all {name}/04 {name}/06"
        by_operator.setdefault(member.operator, []).append(name)
    for operator, names in by_operator.items():
        yield f"group operator:{operator} any {' '.join(names)}"
    yield f"group operators {charter.quorum.witness} {' '.join(f'operator:{one}' for one in by_operator)}"
    yield "quorum operators"

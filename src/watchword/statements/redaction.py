"""Fields that can be taken out of a signed statement later: disclosures, after the structure of SD-JWT (RFC 9901).

Follows docs/protocol.md, section 3. Signed is, instead of a field, the digest of its *disclosure*: the array
``[salt, name, value]``. The digests stand in ``_sd``, sorted, so that their order tells nothing; each is a commitment
of section 5 under that salt. A disclosure travels as an attachment does; it can be left out or purged, and the
signature holds.

* Only fields on which no name, verdict or count rests can be hidden (``kinds.REDACTABLE``).
* **No decision looks into a disclosure**: to a decision a hidden field is missing, whether or not somebody holds it. So
  redaction changes no decision, all nodes decide alike, and a bound on a hidden field always fails (I2).
* Here is checked that a disclosure is one of the statement's, and what it says is of the field's type.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from watchword.errors import WatchwordError
from watchword.limits import ENVELOPE_BYTES_MAX
from watchword.statements.canonical import canonical, parse_canonical, parse_json
from watchword.statements.digests import SALT_BYTES, b64, commitment, parse_digest, unb64
from watchword.statements.kinds import REDACTABLE, hidden_fields, is_value_of
from watchword.statements.statement import Signed, Statement, open_envelope

COPY_FORMAT = "watchword-redacted/1"


class BadDisclosure(WatchwordError):
    """A field that cannot be hidden, or a disclosure that is none of the statement's."""


@dataclass(frozen=True)
class Disclosure:
    """One field's name and value, under a salt of 32 bytes."""

    salt: bytes
    name: str
    value: Any

    @property
    def body(self) -> bytes:
        """What is committed to: the canonical array."""
        return canonical([b64(self.salt), self.name, self.value])

    @property
    def digest(self) -> str:
        """How ``_sd`` names it."""
        return f"sha256:{commitment(self.salt, self.body).hex()}"


def hide(kind: str, fields: dict[str, Any], names: Iterable[str]) -> tuple[dict[str, Any], list[Disclosure]]:
    """The fields to sign, and the disclosures that stay beside.

    Raises:
        BadDisclosure: a name that is no field which *kind* lets be hidden.
    """
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in REDACTABLE.get(kind, frozenset()) or name not in fields:
            may = ", ".join(sorted(REDACTABLE.get(kind, frozenset()))) or "none"
            raise BadDisclosure(f"{kind}: {name} cannot be made redactable", f"fields that can: {may}")
    if not wanted:
        return fields, []
    made = [Disclosure(secrets.token_bytes(SALT_BYTES), name, fields[name]) for name in wanted]
    left = {name: value for name, value in fields.items() if name not in wanted}
    return left | {"_sd": sorted(one.digest for one in made)}, made


def read_disclosure(statement: Statement, salt: bytes, body: bytes) -> Disclosure:
    """A disclosure of *statement*.

    Raises:
        BadDisclosure: not one that it commits to, or not of its form.
    """
    if f"sha256:{commitment(salt, body).hex()}" not in statement.predicate.get("_sd", ()):
        raise BadDisclosure("a disclosure that the statement does not commit to")
    value = parse_canonical(body, "disclosure", ENVELOPE_BYTES_MAX)
    if not isinstance(value, list) or len(value) != 3 or value[0] != b64(salt) or not isinstance(value[1], str):
        raise BadDisclosure("a disclosure is the array of its salt, a name and a value")
    if value[1] not in hidden_fields(statement.kind, statement.predicate):
        raise BadDisclosure(f"a disclosure of {value[1][:80]!r}, which is not hidden")
    if not is_value_of(statement.kind, value[1], value[2]):
        raise BadDisclosure(f"a disclosure of {value[1]} that is not of its type")
    return Disclosure(salt, value[1], value[2])


def disclosures(statement: Statement, get: Callable[[bytes], tuple[bytes, bytes] | None]) -> list[Disclosure]:
    """Those disclosures of *statement* that are held, by name; what is none is left out, as if it were not held.

    Args:
        get: the (salt, body) of a commitment, or None.
    """
    found: dict[str, Disclosure] = {}
    for digest in statement.predicate.get("_sd", ()):
        stored = get(parse_digest(digest))
        if stored is not None:
            try:
                one = read_disclosure(statement, *stored)
            except WatchwordError:
                continue  # whoever signed it hid something else than the field: nobody can make it one
            found.setdefault(one.name, one)
    return [found[name] for name in sorted(found)]


def copy_file(envelope: bytes, shown: Iterable[Disclosure]) -> bytes:
    """A statement with the disclosures that go with it, for handing to somebody."""
    return canonical(
        {
            "disclosures": [[b64(one.salt), one.name, one.value] for one in shown],
            "envelope": parse_json(envelope),
            "format": COPY_FORMAT,
        }
    )


def read_copy(data: bytes, what: str) -> tuple[Signed, list[Disclosure]]:
    """A statement from a file: an envelope, or one with disclosures, each checked against it.

    Raises:
        BadDisclosure, NotCanonical, BadEnvelope, BadStatement: malformed; names what.
    """
    value = parse_json(data, what, 2 * ENVELOPE_BYTES_MAX)
    if not isinstance(value, dict) or value.get("format") != COPY_FORMAT:
        return open_envelope(data), []
    if set(value) != {"disclosures", "envelope", "format"} or not isinstance(value["disclosures"], list):
        raise BadDisclosure(f"{what}: not a statement with its disclosures")
    signed = open_envelope(canonical(value["envelope"]))
    shown = []
    for one in value["disclosures"]:
        salt = unb64(one[0], "salt") if isinstance(one, list) and one and isinstance(one[0], str) else b""
        if len(salt) != SALT_BYTES:
            raise BadDisclosure(f"{what}: a disclosure without a salt of {SALT_BYTES} bytes")
        shown.append(read_disclosure(signed.statement, salt, canonical(one)))
    return signed, shown

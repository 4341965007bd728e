"""Is a delivery what its supplier signed? Asked of a claim, the files and a key alone: no node, alliance or network.

In this order:

1. The claim is a statement of the kind ``claim``, by the supplier named, under its key, both halves of which verify.
2. It is about the manifest of the files that are there: one byte, file or name more or less is another delivery.

Not asked: whether that key is the supplier's (compare its digits by another way), whether it was revoked or the release
recalled since (that is what an alliance's ledgers are for), and whether what the claim says is true (``claims``).
"""

from __future__ import annotations

from pathlib import Path

from watchword.errors import WatchwordError
from watchword.inspect import manifest_of
from watchword.limits import ENVELOPE_BYTES_MAX
from watchword.policy.updating import Signer
from watchword.statements.keys import BadSignature
from watchword.statements.statement import Statement, open_envelope, verify


class NotDelivered(WatchwordError):
    """Not what the supplier signed, or not signed by it. Says which."""


def delivered(claim: Path, files: Path, signer: Signer) -> tuple[Statement, int]:
    """The claim on *files*, and how many they are.

    Raises:
        NotDelivered: the first of the checks above that fails.
        OSError, BadEnvelope, BadStatement, NotCanonical, NoManifest, NothingThere: it cannot be asked.
    """
    with claim.open("rb") as opened:
        signed = open_envelope(opened.read(ENVELOPE_BYTES_MAX + 1))
    # 1
    said = signed.statement
    if said.kind != "claim" or said.issuer != signer.name or signed.key_id != signer.key.id:
        raise NotDelivered(f"a {said.kind} of {said.issuer} under key {signed.key_id}, not a claim of {signer.name}")
    try:
        verify(signed, signer.key)
    except BadSignature as error:
        raise NotDelivered(f"not signed with the key of {signer.name}: {error.message}") from error
    # 2
    found = manifest_of(files)
    if [one.digest for one in said.subject] != [found.digest]:
        raise NotDelivered(f"signed for other files: {said.subject[0].digest}, these are {found.digest}")
    return said, len(found.entries)

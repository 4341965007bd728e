"""Admission without a node: by one proof, under a charter that is trusted, for one member.

* Every step of the proof holds, its decisions are made again (``account.proof``), and it states whole what bad news
  there is of this release, as of a time that is no further back than the charter lets a head be, or than *age_s*.
* Then as with a node (``guard.standing``), from what the proof shows.

Not promised: bad news since that time. Fetch a new proof as often as the use demands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.account.proof import Verified, verify
from watchword.charter.charter import CharterFile, read_charter_file
from watchword.charter.standing import NotInForce
from watchword.errors import WatchwordError
from watchword.guard.refused import Refused
from watchword.guard.standing import Known, standing_admission
from watchword.ledger.bundle import BadBundle
from watchword.ledger.proof import NotProven
from watchword.limits import BUNDLE_BYTES_MAX
from watchword.statements.times import Clock, SystemClock, parse_time

if TYPE_CHECKING:
    from watchword.inspect import Inspection


@dataclass(frozen=True)
class Offline:
    """What decides instead of a node: files of the charter and of a proof, and the member whose officials count.

    ``age_s``: how far back its bad news may be stated, in seconds; None is as far as the charter lets a head be.
    """

    charter: Path
    proof: Path
    member: str
    age_s: int | None = None
    clock: Clock = field(default_factory=SystemClock)


class Shown:
    """A proof, read and verified once."""

    def __init__(self, offline: Offline) -> None:
        """Read it.

        Raises:
            WatchwordError: a file that cannot be read, or no such member.
            Refused: the proof does not hold.
        """
        self._offline = offline
        file = read_charter_file(offline.charter)
        self._verified = verified_file(file, offline.proof, offline.clock.now())
        if offline.member not in [one.name for one in self._verified.proof.charter.members]:
            words = f"{offline.charter}: {offline.member} is no member of {file.charter.alliance}"
            raise WatchwordError(words, "members: " + ", ".join(one.name for one in file.charter.members))

    def admission(self, digest: str, use_case: dict[str, Any], inspection: Inspection | None = None) -> str:
        """As ``admission_by``, of the proof read."""
        of = self._offline
        return admission_by(
            self._verified, of.member, digest, use_case, of.clock.now(), of.age_s, str(of.proof), inspection
        )


def verified_file(file: CharterFile, path: Path, now: datetime) -> Verified:
    """The proof in *path*.

    Raises:
        Refused: it does not hold. WatchwordError: it cannot be read.
    """
    try:
        if path.stat().st_size > BUNDLE_BYTES_MAX:
            raise Refused(f"{path}: larger than {BUNDLE_BYTES_MAX:,} bytes", "nothing was handed over")
        data = path.read_bytes()
    except OSError as error:
        raise WatchwordError(f"{path}: {(error.strerror or str(error)).lower()}", "name a proof") from error
    try:
        return verify(file, data, now, str(path))
    except (NotProven, NotInForce, BadBundle) as error:
        raise Refused(error.message, "nothing was handed over") from error


def admission_by(
    verified: Verified, member: str, digest: str, use_case: dict[str, Any], now: datetime, age_s: int | None = None,
    what: str = "the proof", inspection: Inspection | None = None,
) -> str:  # fmt: skip
    """The id of the admission by *member* that lets *digest* pass for *use_case*, by what *verified* shows.

    Raises:
        Refused: the proof is silent on it or too old, or there is no admission that is still good.
    """
    proof, absence = verified.proof, verified.absence
    hint = f"ask your node for a new one: watchword ledger prove DECISION, or ledger no-notice {digest}"
    if absence is None or f"release:{digest}" not in absence.names:
        raise Refused(f"{what} states nothing about bad news of {digest}", hint, inspection)
    allowed = proof.charter.head_max_age_s if age_s is None else age_s
    age = now.timestamp() - parse_time(absence.as_of).timestamp()
    if age > allowed:
        words = f"{what} speaks of bad news as of {absence.as_of}, {int(age):,} s ago; {allowed:,} s are allowed"
        raise Refused(words, hint, inspection)
    known = Known(proof.charter, proof.newest_view(), proof.facts, member, now)
    return standing_admission(known, digest, use_case, inspection)

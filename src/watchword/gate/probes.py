"""Vigilance probes: known-bad actions put to the people who answer, to see whether they look. Off by default. Pure.

Follows docs/protocol.md, section 9 ("Probes"). Only under a mandate whose signer, a commander, wrote ``probes`` into
it, and never for a use of criticality CRITICALITY_TOP. What makes one safe and honest:

* **Never executable, by its form.** A probe's nonce is an HMAC over its other bytes, under the plan's key: whoever
  holds the plan sees from the bytes alone that they are a probe, after any crash and whatever the record says. A gate
  lets go no action of a mandate while it does not hold the openings of all plans made under it (``recognised``).
* **Committed before it is shown.** The plan, key and probes, is named by its digest in a ``probe-plan`` statement;
  only a plan that stands in the view is used.
* **Nobody chooses when.** Which holds are followed by a probe, by which, and how soon, follows from the key and a head
  that was cosigned after the plan was signed, of another member's ledger where there is one.
* **Told apart by nothing on the screen.** A probe lies within a rule that asks people, and has its release, session and
  time from the hold before it. Who reads the gate's disk can tell.
* **Revealed** as soon as its hold is over, by a receipt; the plan is opened when its mandate is.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from watchword.errors import WatchwordError
from watchword.gate.action import FORMAT as ACTION
from watchword.gate.action import Action, parse_action
from watchword.gate.history import Held
from watchword.gate.mandate import Mandate, covering_rule
from watchword.ledger.view import Head, View
from watchword.limits import PROBE_DELAY_S_MAX, PROBES_MAX
from watchword.policy.use_case import read_toml
from watchword.statements.canonical import canonical
from watchword.statements.digests import b64
from watchword.statements.kinds import Digest, Text
from watchword.statements.times import parse_time, rfc3339, unix

FORMAT = "watchword-probe-plan/1"
CRITICALITY_TOP = 3
"""The criticality at which nobody is tested. Origin: a drill may not cost a second where people can die of it."""


class BadPlan(WatchwordError):
    """Probes that may not be put to anybody, or a plan object that is not of the form section 9 states."""


class NeverReleased(WatchwordError):
    """A probe, or an action of which cannot be said that it is none, on its way out. It stays here."""


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One known-bad action. ``why``: what is bad about it; ``screen``: what the screen says of its values' origin."""

    tool: Annotated[Text, Meta(min_length=1)]
    args: dict[Text, Any]
    why: Annotated[Text, Meta(min_length=1)]
    screen: Annotated[list[Text], Meta(max_length=30)]


class _Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: Literal["watchword-probe-plan/1"]
    key: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    mandate: Digest
    per_1000: int
    probes: Annotated[list[Probe], Meta(min_length=1, max_length=PROBES_MAX)]


@dataclass(frozen=True)
class Plan:
    """An opened plan: ``id`` of its statement, whose signer planned it, the ``key``, and what is shown."""

    id: str
    planner: tuple[str, str | None]
    mandate: str
    key: bytes
    per_1000: int
    probes: tuple[Probe, ...]

    def is_probe(self, action: Action) -> bool:
        """Whether the bytes of *action* are of the form that this plan gives its probes, and nothing else has."""
        rest = {name: value for name, value in action.value.items() if name != "nonce"}
        return hmac.compare_digest(_nonce(self.key, rest), str(action.value["nonce"]))

    def probe(self, which: int, like: Held, now: datetime) -> Action:
        """The probe of place *which*, as if asked now by whoever asked for the hold *like*."""
        one = self.probes[which]
        value = {
            "args": one.args, "asked": rfc3339(now), "format": ACTION, "release": like.action.release,
            "session": like.action.session, "tool": one.tool,
        }  # fmt: skip
        return parse_action(canonical(value | {"nonce": _nonce(self.key, value)}))

    def draw(self, head: str, place: int) -> Drawn | None:
        """What follows the hold at *place* (0, 1, …) after the plan began with *head*, if anything does."""
        drawn = hmac.digest(self.key, canonical({"head": head, "place": place}), "sha256")
        if int.from_bytes(drawn[:8]) % 1000 >= self.per_1000:
            return None
        return Drawn(
            place, int.from_bytes(drawn[8:16]) % len(self.probes), int.from_bytes(drawn[16:24]) % PROBE_DELAY_S_MAX
        )


@dataclass(frozen=True)
class Drawn:
    """After the hold at ``place``, the probe ``which`` is shown, ``delay_s`` seconds later."""

    place: int
    which: int
    delay_s: int


def draft_plan(path: Path, mandate_id: str, mandate: Mandate, criticality: int | None) -> dict[str, Any]:
    """Make the plan object of the probes that a person wrote in TOML, with a fresh key.

        [[probes]]
        tool = "slew-camera"
        args = { target = "tower-13", azimuth_deg = 180 }
        why = "tower-13 looks into a school"

    Args:
        criticality: of the use case of the mandate; None where that is not held.

    Raises:
        BadPlan: the mandate does not allow probes, its use is of the top criticality or not known, or a probe is not
            of the form, or is none that the mandate would put before people. Names *path*.
    """
    if mandate.probes is None:
        raise BadPlan(f"mandate {mandate.name} allows no probes", "a commander writes probes into a mandate")
    if criticality is None or criticality >= CRITICALITY_TOP:
        level = "is not held here" if criticality is None else f"is of criticality {criticality}"
        raise BadPlan(f"the use case of mandate {mandate.name} {level}: nobody is tested on it")
    written = read_toml(path, BadPlan)
    listed = written.get("probes")
    value = {
        "format": FORMAT,
        "key": secrets.token_hex(32),
        "mandate": mandate_id,
        "per_1000": mandate.probes.per_1000,
        "probes": [{"screen": []} | one if isinstance(one, dict) else one for one in listed]
        if isinstance(listed, list)
        else listed,
    }
    if set(written) != {"probes"}:
        raise BadPlan(f"{path}: has probes and nothing else, as [[probes]]")
    plan = read_plan(value, "", ("", ""), str(path))
    for probe in plan.probes:
        _check_held(probe, mandate, str(path))
    return value


def read_plan(value: Any, id: str, planner: tuple[str, str | None], where: str) -> Plan:
    """Check a plan object.

    Raises:
        BadPlan: a field missing, unknown or of another type.
    """
    try:
        typed = msgspec.convert(value, _Plan, strict=True)
    except msgspec.ValidationError as error:
        raise BadPlan(f"{where}: {error}", "docs/protocol.md, section 9, says what a plan has") from error
    return Plan(id, planner, typed.mandate, bytes.fromhex(typed.key), typed.per_1000, tuple(typed.probes))


def beginning(view: View, made: datetime, own: Iterable[str]) -> str | None:
    """The head from which the schedule of a plan signed at *made* is drawn, as text; None until there is one.

    Args:
        own: the origins of the gate's member: taken only where nobody else has said anything.
    """
    mine = set(own)
    said = {origin: head for origin, head in view.heads.items() if head.size}
    others = {origin: head for origin, head in said.items() if origin not in mine} or said
    younger = [(head.time, origin, head) for origin, head in others.items() if parse_time(head.time) > made]
    return None if not younger else _told(*min(younger, key=lambda one: one[:2])[1:])


def recognised(plans: Sequence[Plan], unopened: Mapping[str, str], action: Action, mandate: str | None) -> None:
    """Check that *action* may be let go as far as probes are concerned.

    Args:
        unopened: plans whose opening is not held, by the mandate they were made under.

    Raises:
        NeverReleased: it is a probe, or nobody can say here.
    """
    for plan in plans:
        if plan.is_probe(action):
            raise NeverReleased("this is a vigilance probe: it was never meant to be done")
    if mandate is not None and mandate in unopened:
        raise NeverReleased(
            f"the opening of probe plan {unopened[mandate][:19]}… is not held here, so nothing goes under its mandate",
            "bring back objects/ from a backup of this node, or sign a new mandate",
        )


def check_shown(plan: Plan, head: str, holds: Sequence[Held]) -> list[str]:
    """What is wrong with the probes of an opened plan, for an auditor who has the record; empty when nothing is.

    Args:
        holds: those under the plan's mandate after it began, in the order of the record.
    """
    real = [held for held in holds if not plan.is_probe(held.action)]
    drawn = [(held, one) for place, held in enumerate(real) if (one := plan.draw(head, place)) is not None]
    wrong = []
    for held in holds:
        if not plan.is_probe(held.action):
            continue
        for pair in drawn:
            after, one = pair
            probe = plan.probes[one.which]
            due_s = unix(after.asked) + one.delay_s
            if (probe.tool, probe.args) == (held.action.tool, held.action.args) and unix(held.asked) >= due_s:
                drawn.remove(pair)
                break
        else:
            wrong.append(f"hold {held.id} is a probe that the schedule did not draw")
    return wrong


def _check_held(probe: Probe, mandate: Mandate, where: str) -> None:
    value = {
        "args": probe.args, "asked": mandate.valid_from, "format": ACTION, "nonce": "0" * 32,
        "release": "sha256:" + "0" * 64, "session": "", "tool": probe.tool,
    }  # fmt: skip
    action = parse_action(canonical(value))
    rule = covering_rule(mandate, action)
    if rule is None or not rule.approvals.count:
        raise BadPlan(
            f"{where}: {probe.tool[:80]} with these arguments would not wait for people",
            "a probe lies within a rule that asks for approvals, or it would stand out",
        )


def _nonce(key: bytes, rest: Mapping[str, Any]) -> str:
    return hmac.digest(key, canonical(rest), sha256).hex()[:32]


def _told(origin: str, head: Head) -> str:
    return canonical({"origin": origin, "root": b64(head.root), "size": head.size, "time": head.time}).decode()

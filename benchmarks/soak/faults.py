"""What goes wrong in a soak, and when: drawn from one seed beforehand, each kind at least once.

kind        who                       what
kill        serve, door or people     SIGKILL; it is started again some seconds later
freeze      the same                  SIGSTOP, then SIGCONT
cut         a member                  no road leads to it or from it
lie         the liar                  one of ``liar.LIES``, in answers to half of the members
fork        the liar, once            half of the members see another history of it from then on
full        a member with its disk    no byte is left
clock       a member                  its wall clock is wrong by seconds or minutes
database    PostgreSQL                stopped, or killed; catalogs are in it
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.soak.liar import LIES

EVERY_S = 2.0
"""Between two faults on average, in seconds. Origin: they last some seconds, so that two or three overlap."""
FORKED_AT = 0.15
"""When the fork begins, as a part of the storm."""
CLOCKS_S = (-900, -45, 30, 240, 900)
GATE_CLOCKS_S = (-900, -8, 8, 15, 61)
"""At a gate a wrong clock denies until it is right again, and then until it is past the last receipt."""


@dataclass(frozen=True)
class Fault:
    """From ``at_s`` on (seconds into the storm) for ``for_s``. ``how``: which process, which lie, which clock."""

    at_s: float
    for_s: float
    kind: str
    who: str
    how: str = ""

    def told(self) -> str:
        return f"{self.kind} {self.who}{f' ({self.how})' if self.how else ''}"


@dataclass(frozen=True)
class Parties:
    """Who there is: members, doors of gates (member, process), those with small disks, and the liar."""

    members: Sequence[str]
    doors: Sequence[tuple[str, str]]
    disks: Sequence[str]
    liar: str
    database: bool


def schedule(seed: int, seconds: float, of: Parties) -> tuple[Fault, ...]:
    """The faults of a storm, by time. Two of one kind never meet at one member, and all are over at its end."""
    draw = random.Random(seed)
    kinds = ["kill", "freeze", "cut", "lie", "clock", *(["full"] if of.disks else []), *(["database"] * of.database)]
    # Every kind once in an order of its own, and every door killed once; then as it comes.
    wanted: list[tuple[str, str | None, str | None]] = [("kill", member, job) for member, job in of.doors]
    wanted += [(kind, None, None) for kind in kinds] + [("lie", of.liar, one) for one in LIES]
    draw.shuffle(wanted)
    count = max(len(wanted), int(seconds / EVERY_S))
    wanted += [(draw.choice(kinds), None, None) for _ in range(count - len(wanted))]
    found = [Fault(seconds * FORKED_AT, seconds * (1 - FORKED_AT), "fork", of.liar)]
    for number, (kind, who, how) in enumerate(wanted):
        at_s = seconds * 0.9 * (number + draw.random()) / count
        one = _drawn(draw, kind, who, how, at_s, of)
        longest = max(0.5, seconds - one.at_s)
        one = Fault(one.at_s, min(one.for_s, longest), one.kind, one.who, one.how)
        if not any(_meet(one, other) for other in found):
            found.append(one)
    return tuple(sorted(found, key=lambda fault: fault.at_s))


def _drawn(draw: random.Random, kind: str, who: str | None, how: str | None, at_s: float, of: Parties) -> Fault:
    length_s = draw.uniform(1, 4)
    if kind in ("kill", "freeze"):
        who = who or draw.choice(of.members)
        jobs = ["serve", "people", *2 * [job for member, job in of.doors if member == who]]
        return Fault(at_s, length_s, kind, who, how or draw.choice(jobs))
    if kind == "lie":
        return Fault(at_s, 2 * length_s, kind, of.liar, how or draw.choice(LIES))
    if kind == "full":
        return Fault(at_s, 2 * length_s, kind, draw.choice(of.disks))
    if kind == "database":
        return Fault(at_s, 2 * length_s, kind, "PostgreSQL", draw.choice(("stop", "kill")))
    who = draw.choice(of.members)
    if kind == "clock":
        ahead_s = draw.choice(GATE_CLOCKS_S if any(member == who for member, _ in of.doors) else CLOCKS_S)
        return Fault(at_s, 2 * length_s, kind, who, f"{ahead_s:+d} s")
    return Fault(at_s, 3 * length_s, kind, who)


def _meet(one: Fault, other: Fault) -> bool:
    """Whether both would be at work on the same thing."""
    same = one.kind == other.kind or {one.kind, other.kind} == {"kill", "freeze"}
    if not same or one.who != other.who:
        return False
    if one.kind in ("kill", "freeze") and one.how != other.how:
        return False
    return one.at_s < other.at_s + other.for_s and other.at_s < one.at_s + one.for_s

"""The alliance simulated: thousands of steps of five members, one of them dishonest, from one seed.

After every step what must hold is checked, with real ledgers, keys, files and decisions:

* I6: no two honest views contradict each other; a fork that two honest members meet is kept as two signed heads.
* I9: a gate that a recall reaches is closed at once; the others no later than the freshness of their views after
  ``M - k + 1`` honest operators know of it: then no quorum is left that could call the old head fresh.
* I10: no letter holds a body whose scope does not allow its addressee.
* I11: once a quorum has cosigned a recall, no view with a later head of that ledger lacks it.
* I7: at the end every member's proof is verified from the charter and the file alone.

After healing, every acknowledged statement is known to every honest member, and held where its scope allows.
"""

from __future__ import annotations

import base64
import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from watchword.account.proof import verify
from watchword.demo.world import (
    DISHONEST,
    HEAD_MAX_AGE_S,
    HONEST,
    SKEW_S_MAX,
    Letter,
    World,
    notice_subject,
    release,
)
from watchword.errors import WatchwordError
from watchword.node import Node
from watchword.node.home import COMING
from watchword.policy.table import decide
from watchword.statements.times import from_unix, parse_time, rfc3339

USE_CASE = {
    "criticality": 0, "format": "watchword-use-case/1", "human": "on", "members": ["ALFA"], "name": "simulated",
    "owner": "ALFA", "purpose": "none", "tags": [],
}  # fmt: skip
RELEASES = 120
INSPECTION = {
    "tool": {"name": "simulated", "version": "1", "rules": "none"}, "verdict": "nothing-found", "files": 1, "bytes": 1,
    "dangerous": 0, "suspicious": 0, "unreadable": 0, "findings": [], "report": None,
}  # fmt: skip
SCOPES: tuple[str | list[str], ...] = ("alliance", "alliance", "public", "own", ["ALFA", "BRAVO"], ["DELTA"])


class Broken(WatchwordError):
    """Something that must hold did not. Names the seed and the step."""


@dataclass
class Finding:
    """A recall by an honest member: when, its place, who knows of it since when, whose gate is closed since when."""

    number: int
    by: str
    at_s: float
    place: tuple[str, int] | None = None
    cosigned_s: int | None = None
    knows: dict[str, float] = field(default_factory=dict)
    closed: dict[str, float] = field(default_factory=dict)

    @property
    def target(self) -> str:
        return f"release:{release(self.number).digest}"


@dataclass(frozen=True)
class Report:
    """What a run came to. ``closing_s``: seconds from each finding to the last of four gates closed, sorted."""

    seed: int
    steps: int
    told: dict[str, int]
    closing_s: tuple[float, ...]

    def value(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "closing_s": [round(one) for one in self.closing_s], "seed": self.seed, "steps": self.steps,
            "told": dict(sorted(self.told.items())),
        }  # fmt: skip

    def text(self) -> str:
        """For people: what happened, and the figure that counts."""
        lines = [f"seed {self.seed}: {self.steps:,} steps, nothing broken"]
        lines += [f"  {count:7,}  {what}" for what, count in sorted(self.told.items())]
        if self.closing_s:
            some = (
                statistics.quantiles(self.closing_s, n=10, method="inclusive")
                if len(self.closing_s) > 1
                else [self.closing_s[0]] * 9
            )
            lines.append(
                f"from finding to last gate closed, {len(self.closing_s)} findings: median {some[4] / 60:,.0f} min, "
                f"nine of ten {some[8] / 60:,.0f} min, longest {self.closing_s[-1] / 60:,.0f} min"
            )
        return "\n".join(lines)


def simulate(folder: Path, seed: int, steps: int, line: Callable[[str], None] = lambda _: None) -> Report:
    """Run the story of *seed* in an empty *folder*.

    Raises:
        Broken: an invariant did not hold; names the seed, so that the same story can be told again.
    """
    world = World(folder, seed)
    run = _Run(world)
    try:
        with world.disk():
            try:
                run.begin()
                for run.step in range(1, steps + 1):
                    run.one_step()
                    if run.step % 100 == 0:
                        line(f"step {run.step:,}: {rfc3339(run.now())}, {len(run.findings)} findings")
                run.heal()
            except Broken as error:
                raise Broken(
                    f"seed {seed}, step {run.step}: {error.message}", "the same seed tells it again"
                ) from error
    finally:
        world.close()
    closing = sorted(max(one.closed.values()) - one.at_s for one in run.findings if one.closed)
    return Report(seed, steps, world.told, tuple(closing))


class _Run:
    """The story so far: what was acknowledged, what was found, and the checks."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.step = 0
        self.acknowledged: list[tuple[str, str, str | list[str]]] = []
        self.findings: list[Finding] = []
        self._acts = (
            (self._say, 20), (self._send, 50), (self._find, 4), (self._crash, 3), (self._cut, 3), (self._lie, 5),
            (self._steal, 2),
        )  # fmt: skip

    def now(self) -> Any:
        return parse_time(from_unix(int(self.world.now_s)))

    def begin(self) -> None:
        """Evidence about every release, known to all, before anything goes wrong."""
        for number in range(0, RELEASES, 10):
            subjects = [release(number + i) for i in range(10)]
            self.world.nodes["ALFA"].sign_and_append("inspection", subjects, INSPECTION)
        self._exchange((*HONEST, DISHONEST), 3)

    def one_step(self) -> None:
        """A while passes, letters arrive, somebody does something, and what must hold is checked."""
        world = self.world
        world.pass_time(world.draw.choice((5, 30, 120, 400)))
        for letter in world.arrived():
            fails = world.draw.randrange(1, 12) if world.draw.random() < 0.04 else None
            taken = world.deliver(letter, fails_after=fails)
            if taken is not None and taken.forks:
                world.count("forks met, both heads kept")
            self._learn(letter.to)
        act = world.draw.choices([act for act, _ in self._acts], [weight for _, weight in self._acts])[0]
        act()
        if self.step % 5 == 0:
            self._check_views()

    # -- what members do --------------------------------------------------------------------------

    def _say(self) -> None:
        """A member records evidence, sometimes on a disk that fails."""
        world = self.world
        name, scope = world.draw.choice((*HONEST, DISHONEST)), world.draw.choice(SCOPES)
        subject = (release(RELEASES + self.step),)
        fails = world.draw.randrange(1, 6) if world.draw.random() < 0.05 else None
        done = world.act(
            name, lambda here: here.sign_and_append("inspection", subject, INSPECTION, scope=scope), fails_after=fails
        )
        if done is not None and name != DISHONEST:
            self.acknowledged.append((done.id, name, scope))
            world.count("statements acknowledged")

    def _send(self) -> None:
        world = self.world
        sender, to = world.draw.sample((*HONEST, DISHONEST), 2)
        data = world.send(sender, to)
        if data is not None and sender != DISHONEST:
            _check_scope(data, to)

    def _find(self) -> None:
        """An honest member finds something bad and recalls it; it tells one other directly, now and then."""
        world = self.world
        if len(self.findings) >= RELEASES:
            return
        finding = Finding(len(self.findings), world.draw.choice(HONEST), world.now_s)
        fields: dict[str, Any] = {
            "target": finding.target,
            "reason": "found",
            "actions": [],
            "deadline": None,
            "supersedes": None,
            "directive": None,
            "severity": "urgent",
            "versions": [],
            "alternatives": [],
        }
        done = world.act(
            finding.by, lambda here: here.sign_and_append("recall", notice_subject(finding.target), fields)
        )
        if done is None:
            return
        finding.place = done.origin, done.index
        self.findings.append(finding)
        self.acknowledged.append((done.id, finding.by, "alliance"))
        world.count("findings")
        self._learn(finding.by)
        if world.draw.random() < 0.3:
            to = world.draw.choice([one for one in HONEST if one != finding.by])
            world.act(to, lambda here: here.take_loose(done.envelope))
            self._learn(to, finding)

    def _crash(self) -> None:
        name = self.world.draw.choice(HONEST)
        self.world.count("processes killed")
        self.world.restart(name)
        self._learn(name)

    def _cut(self) -> None:
        """The network parts, or is whole again."""
        draw = self.world.draw
        self.world.cut = (
            frozenset() if self.world.cut else frozenset(draw.sample((*HONEST, DISHONEST), draw.choice((1, 2))))
        )
        self.world.count("partitions" if self.world.cut else "partitions healed")

    def _lie(self) -> None:
        """ECHO goes on with two histories, each told to somebody else, and cosigns whatever it likes."""
        world = self.world
        world.split()
        subject = (release(RELEASES + self.step),)
        for here in (world.twin, world.nodes[DISHONEST]):
            if here is not None:
                # An honest program that hears of its other history stops for good; this one does not.
                (here.home / COMING).unlink(missing_ok=True)
                here.sign_and_append("inspection", subject, INSPECTION)
                here.publish(refresh=True)
        world.letters += [
            Letter(DISHONEST, to, world.now_s, data)
            for to in world.draw.sample(HONEST, 2)
            if (data := world.write(DISHONEST, to)) is not None
        ]

    def _steal(self) -> None:
        """A thief holds one person's key: it says bad news that is not true, and a spoilt envelope is nothing."""
        world = self.world
        victim, to = world.draw.sample(HONEST, 2)
        target = f"release:{release(2 * RELEASES + self.step).digest}"
        fields: dict[str, Any] = {
            "target": target,
            "reason": "a lie",
            "actions": [],
            "deadline": None,
            "supersedes": None,
            "directive": None,
            "severity": "urgent",
            "versions": [],
            "alternatives": [],
        }
        signed = world.act(victim, lambda here: here.sign("recall", notice_subject(target), fields))
        if signed is not None:
            world.act(to, lambda here: here.take_loose(signed.envelope))
            world.act(to, lambda here: here.take_loose(signed.envelope.replace(b'"sig":"A', b'"sig":"B')))
            world.count("keys stolen")

    # -- what must hold ---------------------------------------------------------------------------

    def _learn(self, name: str, told: Finding | None = None) -> None:
        """I9: after anything reached *name*, its gate is closed for every release whose recall it holds."""
        if name == DISHONEST:
            return
        here = self.world.nodes[name]
        for finding in self.findings:
            if name in finding.closed and name in finding.knows:
                continue
            if told is finding or _holds(here, finding):
                finding.knows.setdefault(name, self.world.now_s)
                if name not in finding.closed:
                    _must(
                        not _open(here, finding),
                        f"{name} holds the recall of release {finding.number}, its gate is open",
                    )
                    finding.closed[name] = self.world.now_s

    def _check_views(self) -> None:
        world = self.world
        charter = world.file.charter
        enough = len(charter.operators) - charter.quorum.witness + 1
        for name in HONEST:
            here = world.nodes[name]
            view = here.latest_view()
            for finding in self.findings:
                origin, index = finding.place or ("", 0)
                head = view.heads.get(origin)
                if head is not None and head.size > index:
                    time_s = int(parse_time(head.time).timestamp())
                    finding.cosigned_s = min(time_s, finding.cosigned_s or time_s)
                if name in finding.closed:
                    continue
                known_s = sorted(finding.knows.values())
                late = (
                    len(known_s) >= enough and world.now_s > known_s[enough - 1] + HEAD_MAX_AGE_S + 2 * SKEW_S_MAX + 600
                )
                if late or world.now_s > finding.at_s + HEAD_MAX_AGE_S:
                    is_open = _open(here, finding)
                    _must(
                        not (late and is_open), f"{name}'s gate for release {finding.number} is open past its freshness"
                    )
                    if not is_open:
                        finding.closed[name] = world.now_s
            for finding in self.findings:
                origin, index = finding.place or ("", 0)
                head = view.heads.get(origin)
                if head is not None and finding.cosigned_s is not None:
                    older = int(parse_time(head.time).timestamp()) <= finding.cosigned_s + 2 * SKEW_S_MAX
                    _must(head.size > index or older, f"{name} has a fresh head of {origin} without a cosigned recall")
        self._check_histories()

    def _check_histories(self) -> None:
        """I6: every pair of honest views shows one history of every ledger."""
        nodes = [self.world.nodes[name] for name in HONEST]
        views = [here.latest_view() for here in nodes]
        for origin in self.world.file.charter.shared_origins:
            heads = [
                (view.heads[origin], here) for view, here in zip(views, nodes, strict=True) if origin in view.heads
            ]
            for head, _ in heads:
                for other, here in heads:
                    log = here.store.log(origin)
                    if log is not None and head.size <= other.size:
                        _must(log.root(head.size) == head.root, f"two cosigned histories of {origin}")

    # -- the end ----------------------------------------------------------------------------------

    def _exchange(self, names: tuple[str, ...], rounds: int) -> None:
        """Rounds in which everybody's letter reaches everybody."""
        for _ in range(rounds):
            self.world.pass_time(60)
            pairs = [(a, b) for a in names for b in names if a != b]
            letters = [(a, b, self.world.write(a, b)) for a, b in pairs]
            for a, b, data in letters:
                if data is not None:
                    self.world.deliver(Letter(a, b, 0, data))
                    self._learn(b)

    def heal(self) -> None:
        """The network is whole, disks work, the dishonest one is left out: everybody comes to know everything."""
        world = self.world
        world.cut = frozenset()
        for name in HONEST:
            world.nodes[name].publish(refresh=True)
        self._exchange(HONEST, 4)
        self._check_histories()
        for id, by, scope in self.acknowledged:
            for name in HONEST:
                here = world.nodes[name]
                held = {held.signed.statement.id for _, _, held in here.store.statements()}
                allowed = name == by or scope in ("alliance", "public") or (isinstance(scope, list) and name in scope)
                _must((id in held) or not allowed, f"{name} never came to hold {id} of {by}")
                _must((id not in held) or allowed, f"{name} holds {id} of {by}, whose scope is {scope}")
        if world.twin is not None:
            kept = [path for name in HONEST for path in world.nodes[name].store.splits()]
            world.told["forks kept as proof"] = len(kept)
        for finding in self.findings:
            _must(set(HONEST) <= finding.knows.keys(), f"release {finding.number}: somebody never heard of the recall")
        self._prove()

    def _prove(self) -> None:
        """I7 and I11: a member's file about a recalled release shows the recall; about another, that there is none."""
        for name in HONEST:
            here = self.world.nodes[name]
            for number in {0, RELEASES - 1}:
                data = here.make_proof((), releases=(release(number).digest,))
                absence = verify(self.world.file, data, here.clock.now()).absence
                _must(absence is not None, "a proof states no names")
                _must(
                    bool(absence and absence.counting) == (number < len(self.findings)),
                    f"{name}'s proof about release {number}",
                )
                (self.world.folder / f"{name}-{number}.json").write_bytes(data)


def _must(condition: object, otherwise: str) -> None:
    if not condition:
        raise Broken(otherwise)


def _holds(here: Node, finding: Finding) -> bool:
    return any(
        one.statement.kind == "recall" and one.statement.predicate["target"] == finding.target
        for one in (*here.loose(), *(leaf.signed for leaf in here.facts(here.latest_view()).notices if leaf.signed))
    )


def _open(here: Node, finding: Finding) -> bool:
    view = here.latest_view()
    made = decide(
        here.charter, view, here.facts(view), rfc3339(here.clock.now()), release(finding.number), USE_CASE
    )  # fmt: skip
    return bool(made["verdict"] == "admitted")


def _check_scope(data: bytes, to: str) -> None:
    """I10, from the bytes alone: every body in a letter is one that its addressee may hold."""
    for body in json.loads(data)["bodies"]:
        if "envelope" in body:
            scope = json.loads(base64.b64decode(body["envelope"]["payload"]))["predicate"]["scope"]
            allowed = scope in ("public", "alliance") or (isinstance(scope, list) and to in scope)
            _must(allowed, f"a letter to {to} holds a statement of scope {scope}")

"""What must hold after a soak, asked of the homes as it left them; every breach is one line.

1. Nothing is lost: every statement that a member was told is durable stands where it was said to stand, in the signed
   tree; every answer with a receipt has that receipt, about that action, in the record whose head is anchored.
2. Nothing goes after a closing: by the receipts' order, and by when an agent asked and its member knew (I3, I9).
3. One history: no ledger has two roots of one size at any two members, but the liar's; the liar's heads are kept as
   proof and stated in a ledger (I6). No head that was seen ever shrank.
4. Every node is rebuilt from its entries by its owner and, mirrors included, by every other member.
5. A file of one member convinces ``verify.py``, which knows nothing of all this; it shows the recall (I7, I11).
6. A catalog that its database was taken from again and again says what the ledgers say.
7. No process ended by itself, but where its disk was full.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.soak.alliance import RELEASE, TARGET
from benchmarks.soak.course import Soak
from benchmarks.soak.processes import lines
from watchword.errors import WatchwordError
from watchword.gate.receipts import LETTING_GO
from watchword.ledger.log import Log
from watchword.node import Node
from watchword.node.sync import sync

VERIFIER = Path(__file__).resolve().parents[2] / "verify.py"
ROUNDS = 2
ANSWERED = ("permit", "deny", "recalled")
EVENTS = {"permit": "permitted", "deny": "denied", "recalled": "denied"}


@dataclass
class Found:
    """``breaches``: one line each; ``counts``: how much was looked at, by what it was; ``lost`` counts what is gone."""

    breaches: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)

    def breach(self, what: str) -> None:
        self.breaches.append(what)


def check(soak: Soak) -> Found:
    """Let every member take in what the others have, then look."""
    found = Found()
    _settle(soak, found)
    nodes = {name: Node.open(machine.home, writing=True) for name, machine in soak.machines.items()}
    try:
        _statements(soak, nodes, found)
        for gate in soak.gates:
            _record(soak, nodes[gate], found)
        _histories(soak, nodes, found)
        _convicted(soak, nodes, found)
        _rebuilt(nodes, found)
        _catalogs(soak, nodes, found)
    finally:
        for node in nodes.values():
            node.close()
    _outside(soak, found)
    _processes(soak, found)
    return found


def _settle(soak: Soak, found: Found) -> None:
    """Everybody's news come together at one member and go out from there, twice: heads, then who cosigned them."""
    addresses = {name: f"http://127.0.0.1:{machine.ports['serve']}/" for name, machine in soak.machines.items()}
    hub, others = soak.names[0], soak.names[1:]
    if soak.liar in soak.between.twin:
        # The two histories meet, whoever was shown which.
        twin = f"http://127.0.0.1:{soak.between.twin[soak.liar]}/"
        _sync(soak, others[0], {soak.liar: twin}, found)
    for _ in range(ROUNDS):
        for name in others:
            _sync(soak, name, {}, found)
        _sync(soak, hub, {name: addresses[name] for name in others}, found)
        for name in others:
            _sync(soak, name, {hub: addresses[hub]}, found)


def _sync(soak: Soak, name: str, peers: dict[str, str], found: Found) -> None:
    try:
        with Node.open(soak.machines[name].home, writing=True) as here:
            here.anchor_record()
            here.publish()
            brought = sync(here, peers)
    except WatchwordError as error:
        found.breach(f"{name} could not sync after the storm: {error}")
        return
    found.breaches += [
        f"{name} has trouble with {about} of {one.peer} after the storm: {why}"
        for one in brought for about, why in one.troubles
        if soak.liar not in (name, one.peer) and not about.startswith(soak.liar.lower())
    ]  # fmt: skip


def _statements(soak: Soak, nodes: dict[str, Node], found: Found) -> None:
    for name, machine in soak.machines.items():
        here = nodes[name]
        for told in lines(machine.told):
            if told["what"] != "said":
                continue
            found.counts["statements acknowledged"] += 1
            log, leaves = here.store.log(told["origin"]), here.store.leaves(told["origin"])
            held = here.store.held(leaves[told["index"]].commitment) if told["index"] < len(leaves) else None
            if held is None or held.signed.statement.id != told["id"]:
                found.lost["statements"] += 1
                found.breach(f"{name}: statement {told['id']} is not at {told['origin']}#{told['index']}")
            elif name != soak.liar and (log is None or log.published_size <= told["index"]):
                found.lost["statements"] += 1
                found.breach(f"{name}: statement {told['id']} is durable and in no signed tree")


def answers(soak: Soak, phase: str) -> Iterator[list[Any]]:
    """What agents were told in ``calm`` or ``storm``: door, asked, answered, what, receipt, action, why."""
    return iter(lines(soak.folder / f"agents.{phase}.told"))


def _record(soak: Soak, here: Node, found: Found) -> None:
    """Items 1 and 2 for one gate."""
    gate, receipts = here.member, here.record_events()
    seen: set[int] = set()
    knew_s = next((told["at_s"] for told in lines(soak.machines[gate].told) if told["what"] == "knows"), None)
    for door, asked_s, _, what, receipt, action, _ in [*answers(soak, "calm"), *answers(soak, "storm")]:
        if soak.doors[door].member != gate or what not in ANSWERED:
            continue
        if what == "permit" and knew_s is not None and asked_s > knew_s:
            found.breach(f"{gate} permitted {action} {asked_s - knew_s:.3f} s after it knew of the recall")
        if receipt is None:
            found.counts["denials without a receipt"] += 1
            if what == "permit":
                found.breach(f"{gate} permitted {action} without a receipt")
            continue
        found.counts["answers with a receipt"] += 1
        there = receipts[receipt] if receipt < len(receipts) else None
        if there is None or there["action"] != action or there["event"] != EVENTS[what]:
            found.lost["receipts"] += 1
            found.breach(f"{gate}: receipt {receipt} of {action} ({what}) is not in its record")
        if receipt in seen:
            found.breach(f"{gate}: receipt {receipt} was given for two answers")
        seen.add(receipt)
    found.counts["receipts"] += len(receipts)
    closed = [
        at for at, one in enumerate(receipts) if one["event"] == "stopped" and any(TARGET in r for r in one["reasons"])
    ]
    if not closed:
        found.breach(f"{gate} has no receipt of the recall")
    elif late := [at for at, one in enumerate(receipts) if at > closed[0] and one["event"] in LETTING_GO]:
        found.breach(f"{gate} let {len(late)} actions go after receipt {closed[0]}, which closed it: {late[0]}")
    anchored = here.record.published_size
    if anchored < len(receipts):
        found.breach(f"{gate}: {len(receipts) - anchored} receipts are in no signed head")


def _histories(soak: Soak, nodes: dict[str, Node], found: Found) -> None:
    liars = set(nodes[soak.liar].me.origins.values())
    charter = nodes[soak.liar].charter
    for origin in charter.shared_origins:
        roots: dict[int, dict[bytes, str]] = {}
        logs: list[tuple[str, Log]] = [
            (name, log) for name, here in nodes.items() if (log := here.store.log(origin)) is not None
        ]
        for name, here in nodes.items():
            for head in here.store.kept_heads(origin):
                roots.setdefault(head.checkpoint.size, {}).setdefault(head.checkpoint.root, name)
                found.counts["heads compared"] += 1
        for size in {log.published_size for _, log in logs} - {0}:
            for name, log in logs:
                if log.published_size >= size:
                    roots.setdefault(size, {}).setdefault(log.root(size), name)
        for size, by in roots.items():
            if len(by) > 1 and origin not in liars:
                found.breach(f"{origin} has {len(by)} histories at size {size}: {', '.join(by.values())}")
    found.breaches += soak.happened.shrunk


def _convicted(soak: Soak, nodes: dict[str, Node], found: Found) -> None:
    honest = [here for name, here in nodes.items() if name != soak.liar]
    kept = sum(len(here.store.splits()) for here in honest)
    stated = {
        signed.statement.id for here in honest for signed in here.statements()
        if signed.statement.kind == "equivocation"
    }  # fmt: skip
    found.counts["forks kept as proof"] = kept
    found.counts["forks stated"] = len(stated)
    if not kept or not stated:
        found.breach(f"{soak.liar} showed two histories, and is not convicted: {kept} kept, {len(stated)} stated")


def _rebuilt(nodes: dict[str, Node], found: Found) -> None:
    for name, here in nodes.items():
        try:
            found.counts["ledgers rebuilt"] += len(here.check(signatures=True))
        except WatchwordError as error:
            found.breach(f"{name}: its check says {error}")


def _catalogs(soak: Soak, nodes: dict[str, Node], found: Found) -> None:
    for name, machine in soak.machines.items():
        url = machine.jobs["people"].environment.get("WATCHWORD_CATALOG")
        if url is None or soak.database is None or f"/{name.lower()}?" not in url:
            continue
        from watchword.catalog.database import open_catalog
        from watchword.catalog.queries import counts
        from watchword.node.cataloguing import bring_up

        catalogs = open_catalog(url), open_catalog(soak.folder / f"{name}.again.db")
        held = []
        for catalog in catalogs:
            bring_up(nodes[name], catalog)
            with catalog.reading() as connection:
                held.append(counts(connection))
            catalog.close()
        found.counts["catalogs compared"] += 1
        if held[0] != held[1]:
            found.breach(f"{name}: its catalog in PostgreSQL says {held[0]}, one made anew {held[1]}")


def _outside(soak: Soak, found: Found) -> None:
    """Item 5, by the commands that a member and an auditor type."""
    for name in {soak.gates[0], soak.finder}:
        home, proof = soak.machines[name].home, soak.folder / f"{name}.proof.json"
        command = [
            sys.executable, "-m", "watchword", "ledger", "no-notice", RELEASE.digest, "--home", str(home),
            "--output", str(proof),
        ]  # fmt: skip
        written = _command(command)
        if written.returncode != 0:
            found.breach(f"{name} could not write a proof: {written.stderr.strip()}")
            continue
        told = _command([sys.executable, "-I", str(VERIFIER), str(home / "charter.json"), str(proof)])
        if told.returncode != 0 or f"  recall         {TARGET} " not in told.stdout:
            found.breach(f"verify.py does not see the recall in {name}'s file: {(told.stdout + told.stderr)[-300:]}")
        found.counts["files verified by verify.py"] += 1


def _command(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _processes(soak: Soak, found: Found) -> None:
    excused: Callable[[float, str], bool] = lambda at_s, name: any(  # noqa: E731
        begun <= at_s <= ended + 12 and fault.kind in ("full", "clock") and fault.who == name.split()[0]
        for begun, ended, fault in soak.happened.faults
    )
    for at_s, name, status in soak.happened.ended:
        found.counts["processes that ended by themselves"] += 1
        if not excused(at_s, name):
            log = soak.folder / f"{name.replace(' ', '.')}.log"
            last = log.read_text("utf-8", "replace").strip().splitlines()[-1:] if log.exists() else []
            found.breach(f"{name} ended by itself at {at_s:.1f} s with {status}: {json.dumps(last)}")

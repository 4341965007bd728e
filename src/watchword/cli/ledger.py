"""``watchword ledger``: show, append, exchange by file, prove, verify, check."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.cli.catalog import follow
from watchword.cli.output import emit, naming, new_passphrase, one_by_one, passphrase, whole_file, write_new
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.charter.charter import Charter


class NotADecision(WatchwordError):
    """A proof was asked for of something that is not a decision."""


class BegunBefore(WatchwordError):
    """A ledger would be created twice."""


class NoPeer(WatchwordError):
    """No address to talk to, or nobody there."""


def show(args: argparse.Namespace) -> int:
    """Heads, sizes and witnesses of every ledger of the alliance, as this node knows them."""
    from watchword import node

    home = node.find_home(args.home)
    with node.Node.open(home, writing=False) as here:
        heads = here.heads()
    peers = dict(sorted(node.read_home(home).peers.items()))
    lines = []
    for head in heads:
        witnesses = ", ".join(f"{name} {age} s ago" for name, age in head.witnesses) or "nobody"
        waiting = f", {head.waiting} not yet cosigned" if head.waiting else ""
        cosigned = f"cosigned {head.time} at {head.cosigned_size:,}" if head.time else "not cosigned"
        lines.append(f"{head.origin:28} {head.size:7,} leaves  {cosigned}{waiting}; witnesses {witnesses}")
    lines += ["peers: " + ", ".join(f"{name} {url}" for name, url in peers.items())] if peers else []
    lines += _to_do(home)
    value = {"heads": [head.value() for head in heads], "peers": peers, "schema": "watchword-heads/1"}
    emit(args, "\n".join(lines), value)
    return 0


def append(args: argparse.Namespace) -> int:
    """Publish statements that somebody with standing signed, such as a supplier's claim."""
    from watchword import node
    from watchword.cli.statement import recorded_value, told
    from watchword.statements.redaction import read_copy

    lines: list[str] = []
    values = []
    opened = node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True)
    with opened as here, one_by_one(lines):
        for path in args.envelopes:
            with naming(path):
                signed, shown = read_copy(path.read_bytes().removesuffix(b"\n"), str(path))
                here.bodies.put_many((one.salt, one.body) for one in shown)
                recorded = here.append_envelope(signed.envelope)
            here.publish()
            lines.append(told(here, recorded))
            values.append(recorded_value(here, recorded))
    emit(args, "\n".join(lines), {"recorded": values, "schema": "watchword-appended/1"})
    return 0


def export(args: argparse.Namespace) -> int:
    """Write what another member has not yet."""
    from watchword import node
    from watchword.node.carry import sizes_in

    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        here.must_sign()
        here.anchor_record()
        output = whole_file(args.output or Path(f"{here.member}-to-{args.to}.wwx.json"))
        since = {} if args.since == "start" else sizes_in(Path(args.since)) if args.since else None
        here.export(args.to, output, since=since, one_way=args.one_way)
    emit(args, f"wrote {output} for {args.to}", {"output": str(output), "schema": "watchword-export/1", "to": args.to})
    return 0


def import_(args: argparse.Namespace) -> int:
    """Take in files of other members, each whole or not at all; exit 1 when a fork was found."""
    from watchword import node

    lines: list[str] = []
    values = []
    forked = False
    home = node.find_home(args.home)
    opened = node.Node.open(home, passphrase=passphrase(args), writing=True)
    with opened as here, one_by_one(lines):
        for path in args.files:
            imported = here.import_bundle(path)
            lines.append(f"{path}: {imported.told()}")
            values.append(imported.value())
            forked = forked or bool(imported.forks)
            follow(here)
            if args.reply:
                reply = whole_file(args.reply / f"{here.member}-to-{imported.sender}.wwx.json")
                here.export(imported.sender, reply)
                lines.append(f"wrote {reply}, which carries cosignatures home")
    emit(args, "\n".join([*lines, *_to_do(home)]), {"imported": values, "schema": "watchword-imported/1"})
    return 1 if forked else 0


def exchange(args: argparse.Namespace) -> int:
    """Import what a shared folder holds for this member, then write a file for each other; exit 1 at a fork."""
    from watchword import node

    home = node.find_home(args.home)
    with node.Node.open(home, passphrase=passphrase(args), writing=True) as here:
        here.anchor_record()
        imported, written = here.exchange(args.folder)
        follow(here)
    lines = [imported_one.told() for imported_one in imported]
    lines.append(f"wrote {len(written)} file{'' if len(written) == 1 else 's'} to {args.folder}")
    lines += _to_do(home)
    value = {"imported": [one.value() for one in imported], "written": [str(path) for path in written]}
    value["schema"] = "watchword-exchange/1"
    emit(args, "\n".join(lines), value)
    return 1 if any(one.forks for one in imported) else 0


def sync(args: argparse.Namespace) -> int:
    """Pull from peers; exit 1 when a fork was found, 2 when none of them could be asked."""
    from watchword import node
    from watchword.node.sync import silent
    from watchword.node.sync import sync as sync_from

    home = node.find_home(args.home)
    peers = peers_of(home, args.peers)
    quiet = {one.peer: one for one in silent({n: url for n, url in peers.items() if n != node.read_home(home).name})}
    with node.Node.open(home, passphrase=passphrase(args), writing=True) as here:
        here.anchor_record()
        here.publish()
        asked = {name: url for name, url in peers.items() if name not in quiet}
        brought = [*quiet.values(), *sync_from(here, asked, all_bodies=args.all_bodies)]
        follow(here)
    forked = any(one.forks for one in brought)
    why = [why for one in brought for what, why in one.troubles if what == one.peer]
    if len(why) == len(brought) and not forked:
        raise NoPeer(f"no peer could be asked: {'; '.join(why)}", "what was held before is as it was")
    value = {"schema": "watchword-synced/1", "synced": [one.value() for one in brought]}
    emit(args, "\n".join([*(one.told() for one in brought), *_to_do(home)]), value)
    return 1 if forked else 0


def _to_do(home: Path) -> list[str]:
    """What a member does whose ledgers take nothing more; nothing where all is well."""
    from watchword import node

    return [node.what_next(home)] if node.is_closing(home) else []


def init(args: argparse.Namespace) -> int:
    """Say what ledgers this member has, which are made once, with its charter; or prepare new ones."""
    from watchword import node

    home = node.find_home(args.home)
    if not args.anew and not node.is_closing(home):
        with node.Node.open(home) as here:
            own = [head for head in here.heads() if head.origin in here.me.origins.values()]
        raise BegunBefore(
            "; ".join(f"{head.origin} was begun before, and has {head.size:,} leaves" for head in own),
            "a ledger is created once, when its charter is adopted; for new ones with a new key: --anew",
        )
    value = node.begin_anew(home, new_passphrase(args))
    emit(args, node.what_next(home), {"enrolment": value, "schema": "watchword-ledgers-prepared/1"})
    return 0


def witness(args: argparse.Namespace) -> int:
    """Have peers cosign; exit 1 when a head still lacks its quorum, or one of our own contradicts it."""
    from watchword import node
    from watchword.node.witnessing import ask_witnesses

    home = node.find_home(args.home)
    peers = peers_of(home, args.peers)
    with node.Node.open(home, passphrase=passphrase(args), writing=True) as here:
        asked = ask_witnesses(here, peers)
        heads = [head for head in here.heads() if head.origin in here.me.origins.values()]
    lines = [one.told() for one in asked]
    lines += [f"{head.origin}: {head.waiting:,} leaves wait for a quorum" for head in heads if head.waiting]
    value = {"asked": [one.value() for one in asked], "heads": [head.value() for head in heads]}
    emit(args, "\n".join(lines), value | {"schema": "watchword-witnessed/1"})
    whole = all(head.time is not None and not head.waiting for head in heads)
    return 0 if whole and not any(one.fork for one in asked) else 1


def repair(args: argparse.Namespace) -> int:
    """Restore; exit 1 when something could not be."""
    from watchword import node
    from watchword.node.repairing import repair as repair_from

    home = node.find_home(args.home)
    peers = peers_of(home, args.peers)
    with node.Node.open(home, passphrase=passphrase(args), writing=True) as here:
        repaired = repair_from(here, peers)
    value = {"repaired": [one.value() for one in repaired], "schema": "watchword-repaired/1"}
    emit(args, "\n".join(one.told() for one in repaired), value)
    return 1 if any(one.trouble for one in repaired) else 0


def monitor(args: argparse.Namespace) -> int:
    """Raise; exit 1 when anything is raised, whatever it is."""
    from watchword import node
    from watchword.node.monitoring import monitor as monitor_of

    home = node.find_home(args.home)
    peers = peers_of(home, args.peers, none_ok=True)
    with node.Node.open(home, passphrase=passphrase(args), writing=True) as here:
        within_s = here.charter.head_max_age_s if args.within is None else args.within
        alarms = monitor_of(here, peers, within_s, accept=args.accept)
    lines = [f"{alarm.id:10} {alarm.what}: {alarm.why}" for alarm in alarms] or ["nothing to raise"]
    lines += _to_do(home)
    value = {"alarms": [alarm.value() for alarm in alarms], "schema": "watchword-monitored/1"}
    emit(args, "\n".join(lines), value)
    return 1 if alarms else 0


def peers_of(home: Path, named: list[str], *, none_ok: bool = False) -> dict[str, str]:
    """The peers to talk to: those named, each with its address or the one in node.toml; else all of node.toml."""
    from watchword import node

    known = node.read_home(home).peers
    peers = {}
    for one in named or known:
        name, _, url = one.partition("=")
        if not url and name not in known:
            raise NoPeer(f"{name}: no address of this peer is known", f"name it as {name}=URL, or in {home}/node.toml")
        peers[name] = url or known[name]
    if not peers and not none_ok:
        raise NoPeer("no peer is named", f"name one as MEMBER=URL, or list them under [peers] in {home}/node.toml")
    return peers


def prove(args: argparse.Namespace) -> int:
    """Write one file from which the named decisions can be made again, bad news included."""
    from watchword import node

    if args.tlog_proof:
        return _prove_inclusion(args)
    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        ids = []
        for text in args.decisions:
            statement = here.locate(text).signed.statement
            if statement.kind != "decision":
                what = f"{text}: not a decision, its kind is {statement.kind}"
                raise NotADecision(what, "watchword admit records decisions")
            ids.append(statement.id)
        data = here.make_proof(ids, include_record=args.record)
        write_new(args.output, data + b"\n")
        charter = here.home / "charter.json"
    text = f"wrote {args.output} ({len(data):,} bytes)\nre-check it anywhere: python verify.py {charter} {args.output}"
    value = {"bytes": len(data), "decisions": ids, "output": str(args.output), "schema": "watchword-proof/1"}
    emit(args, text, value)
    return 0


def _prove_inclusion(args: argparse.Namespace) -> int:
    """Write where one statement stands, for other transparency tools."""
    from watchword import node
    from watchword.node.proofs import tlog_proof

    if len(args.decisions) != 1:
        raise NotADecision("a tlog-proof is of one statement", "name one; the other proof holds as many as you like")
    with node.Node.open(node.find_home(args.home), writing=False) as here:
        data = tlog_proof(here, args.decisions[0]).format()
    write_new(args.output, data)
    value = {"bytes": len(data), "output": str(args.output), "schema": "watchword-tlog-proof/1"}
    emit(args, f"wrote {args.output} ({len(data):,} bytes), a c2sp.org/tlog-proof", value)
    return 0


def _verify_inclusion(args: argparse.Namespace, charter: Charter, data: bytes) -> int:
    """Re-check a tlog-proof whose extra is the entry."""
    from watchword.ledger import tlog_proof
    from watchword.statements.times import SystemClock

    value: dict[str, Any] = {"schema": "watchword-tlog-verified/1"}
    try:
        proof = tlog_proof.parse(data, str(args.bundle))
        head, time = tlog_proof.verify(charter, proof, proof.extra or b"", SystemClock().now())
    except tlog_proof.BadTlogProof as error:
        emit(args, f"REFUSED  {error.message}", value | {"ok": False, "why": error.message})
        return 1
    text = f"VERIFIED  entry {proof.index} of {head.origin} at size {head.size:,}, cosigned {time}"
    emit(args, text, value | {"index": proof.index, "ok": True, "origin": head.origin, "size": head.size, "time": time})
    return 0


def no_notice(args: argparse.Namespace) -> int:
    """Write one file that shows every notice against releases and all that they are made of, or that there is none."""
    from watchword import node
    from watchword.cli.subject import release
    from watchword.statements.times import parse_time

    if args.as_of:
        parse_time(args.as_of)
    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        digests = [release(text, here).digest for text in args.releases]
        data = here.make_proof((), as_of=args.as_of, releases=digests)
        write_new(args.output, data + b"\n")
        charter = here.home / "charter.json"
    text = f"wrote {args.output} ({len(data):,} bytes)\nre-check it anywhere: python verify.py {charter} {args.output}"
    value = {"bytes": len(data), "output": str(args.output), "release": digests[0], "releases": digests}
    emit(args, text, value | {"schema": "watchword-no-notice/1"})
    return 0


def verify(args: argparse.Namespace) -> int:
    """Re-check a proof file with the package's own verifier (verify.py is the independent one)."""
    from watchword.account.proof import verify as verify_proof
    from watchword.charter.charter import read_charter_file
    from watchword.charter.standing import NotInForce, in_force
    from watchword.ledger.bundle import BadBundle
    from watchword.ledger.proof import NotProven
    from watchword.statements.times import SystemClock

    file, data = read_charter_file(args.charter), args.bundle.read_bytes()
    if data.startswith(b"c2sp.org/tlog-proof@"):
        in_force(file)
        return _verify_inclusion(args, file.charter, data)
    if data.startswith(b'{"payload"'):
        return _convicted(args, file.charter, data.removesuffix(b"\n"))
    try:
        verified = verify_proof(file, data, SystemClock().now(), str(args.bundle))
    except (NotProven, NotInForce, BadBundle) as error:
        value = {"ok": False, "schema": "watchword-verified/1", "why": error.message}
        emit(args, f"REFUSED  {error.message}", value)
        return 1
    emit(args, verified.told(), {"ok": True, "schema": "watchword-verified/1"} | verified.value())
    return 0


def _convicted(args: argparse.Namespace, charter: Charter, envelope: bytes) -> int:
    """Whether an ``equivocation`` statement convicts the ledger that it names."""
    from watchword.ledger.equivocation import NotConvicted, verify_equivocation
    from watchword.ledger.notes import BadNote
    from watchword.statements.kinds import Equivocation
    from watchword.statements.statement import open_envelope

    statement = open_envelope(envelope).statement
    value: dict[str, Any] = {"schema": "watchword-verified/1"}
    try:
        if not isinstance(statement.body, Equivocation) or statement.body.origin not in charter.origins:
            raise NotConvicted(f"{args.bundle}: no equivocation of a ledger of {charter.alliance}")
        of = charter.origins[statement.body.origin]
        first, second = verify_equivocation(statement.body, of.key)
    except (NotConvicted, BadNote) as error:
        emit(args, f"REFUSED  {error.message}", value | {"ok": False, "why": error.message})
        return 1
    sizes = f"at sizes {first.size:,} and {second.size:,}"
    text = f"CONVICTED  {first.origin} of {of.member.name}: its key signed two histories, {sizes}"
    emit(args, text, value | {"ok": True, "origin": first.origin, "sizes": [first.size, second.size]})
    return 0


def check(args: argparse.Namespace) -> int:
    """Rebuild every tree from its entries; an index that does not fit is named."""
    from watchword import node
    from watchword.ledger.durable import StorageTrouble
    from watchword.node.home import BusyNode

    home = node.find_home(args.home)
    try:
        # As the writer: what a killed command left half-done is finished first, and is not called damage.
        with node.Node.open(home, writing=True) as here:
            lines = here.check(signatures=args.signatures)
    except (BusyNode, StorageTrouble):
        with node.Node.open(home, writing=False) as here:
            lines = here.check(signatures=args.signatures)
    emit(args, "\n".join(lines), {"checked": lines, "schema": "watchword-check/1"})
    return 0

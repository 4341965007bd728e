"""``watchword notice``: recall, retract, dispute, revoke; confirm, take back; take in; list."""

from __future__ import annotations

import argparse
import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, naming, one_by_one, one_line, passphrase, short, write_new
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.ledger.view import EvidenceLeaf, NoticeLeaf
    from watchword.node import Node
    from watchword.statements.statement import Statement, Subject

NUMBERS = r"[0-9]{1,18}(?:\.[0-9]{1,18}){0,15}"
OF_NOTICES = ("take-back", "confirm")
NAMES = ("release:", "component:", "package:", "model:", "dataset:", "supplier:", "key:", "statement:")


class BadTarget(WatchwordError):
    """What a notice is against cannot be told from what was given."""


def issue(args: argparse.Namespace) -> int:
    """Sign a notice, append it, and write it loose when asked: it counts wherever it arrives."""
    from watchword import node
    from watchword.cli.statement import recorded_value, scope, told
    from watchword.ledger.query import told_target
    from watchword.node.home import read_home
    from watchword.statements.statement import open_envelope
    from watchword.statements.times import SystemClock

    home = node.find_home(args.home)
    if read_home(home).kind == "supplier":
        if not args.output:
            raise BadTarget("a supplier has no ledger to record a notice in", "write it with --output FILE and send it")
        if args.kind in OF_NOTICES:
            raise BadTarget(f"a supplier has no voice to {args.kind}", "members confirm bad news, or take it back")
        kind, target, fields = args.kind, *_said(args, None)
        envelope = node.sign_only(
            home, kind, notice_subject(target), fields, person=args.person, scope=scope(args), clock=SystemClock(),
            passphrase=passphrase(args),
        )  # fmt: skip
        value: dict[str, Any] = {"id": open_envelope(envelope).statement.id, "schema": "watchword-signed/1"}
        lines = [f"{kind} of {told_target(fields)}: {args.reason}"]
    else:
        with node.Node.open(home, passphrase=passphrase(args), writing=True) as here:
            kind, target, fields = _about_notice(args, here) if args.kind in OF_NOTICES else (
                args.kind, *_said(args, here)
            )  # fmt: skip
            within = _scope(args, here, target)
            recorded = here.sign_and_append(kind, notice_subject(target), fields, person=args.person, scope=within)
            here.publish()
            envelope, value = recorded.envelope, recorded_value(here, recorded)
            lines = [f"{kind} of {told_target(fields)}: {args.reason}", told(here, recorded)]
            lines += _how_long(here, kind, target)
    if args.output:
        write_new(args.output, envelope + b"\n")
        good = "in a cosigned ledger only" if kind == "take-back" else "wherever it is taken in"
        lines.append(f"wrote {args.output}: it counts {good}")
    value |= {"output": str(args.output) if args.output else None, "target": target}
    emit(args, "\n".join(lines), value)
    return 0


def spill(args: argparse.Namespace) -> int:
    """Purge a body that should not have been written, here and wherever the request arrives."""
    from watchword import node
    from watchword.cli.statement import recorded_value, told
    from watchword.node.spilling import spill as purge

    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        recorded = purge(here, args.statement, args.reason, args.person)
        here.publish()
        text = (
            f"{args.statement}: body and salt are purged here, and elsewhere as the request arrives; backups are yours "
            f"to purge\n{told(here, recorded)}"
        )
        value = recorded_value(here, recorded)
    emit(args, text, value)
    return 0


def take(args: argparse.Namespace) -> int:
    """Take in notices and stops from any channel."""
    from watchword import node
    from watchword.statements.redaction import read_copy

    lines: list[str] = []
    values = []
    # Not as the writer: bad news does not wait for whoever is writing this node.
    with node.Node.open(node.find_home(args.home), writing=False) as here, one_by_one(lines):
        for path in args.files:
            with naming(path):
                # What goes with it stays in the file: bad news is the envelope.
                signed, _ = read_copy(path.read_bytes().removesuffix(b"\n"), str(path))
                statement = here.take_loose(signed.envelope).statement
            about = _about(statement)
            lines.append(f"{statement.kind} of {about} by {statement.issuer}: counts from now on")
            values.append({"id": statement.id, "kind": statement.kind, "target": about})
    emit(args, "\n".join(lines), {"schema": "watchword-notices-taken/1", "taken": values})
    return 0


def show(args: argparse.Namespace) -> int:
    """List the bad news this node can read, in ledgers and loose; what does not count says so."""
    from watchword import node
    from watchword.statements.kinds import NOTICES

    rows: list[tuple[Statement, str, bool]] = []
    with node.Node.open(node.find_home(args.home), writing=False) as here:
        for origin, index, held in here.store.statements():
            if held.signed.statement.kind in (NOTICES | {"stop"}) - {"ratification"}:
                rows.append((held.signed.statement, here.locator(origin, index), held.holder is not None))
        recorded = {statement.id for statement, _, _ in rows}
        loose = [one.statement for one in here.loose() if one.statement.kind != "ratification"]
        rows += [(statement, "loose", True) for statement in loose if statement.id not in recorded]
    lines = [
        one_line(
            f"{s.kind:8} {_about(s)}  by {s.issuer}, {where}: {s.predicate['reason']}"
            + ("" if counts else "  (does not count: its signer may not say this)")
        )
        for s, where, counts in rows
    ]
    value = [
        {"counts": counts, "id": s.id, "kind": s.kind, "predicate": s.predicate, "where": where}
        for s, where, counts in rows
    ]
    emit(args, "\n".join(lines) or "no notice is held here", {"notices": value, "schema": "watchword-notices/1"})
    return 0


def notice_subject(target: str) -> tuple[Subject, ...]:
    """The subject of a notice against *target*."""
    from watchword.statements.digests import D
    from watchword.statements.statement import Subject

    return (Subject("notice", D(target.encode())),)


def _scope(args: argparse.Namespace, here: Node, target: str) -> str | list[str]:
    """The scope typed; else that of the statement it is against, whose id must not be told further; else alliance."""
    from watchword.cli.statement import scope
    from watchword.node import NotHere

    if not args.scope and target.startswith("statement:"):
        with contextlib.suppress(NotHere):
            against = here.locate(target.removeprefix("statement:")).signed.statement.predicate["scope"]
            return "alliance" if against == "public" else list(against) if isinstance(against, list) else str(against)
    return scope(args)


def _said(args: argparse.Namespace, here: Node | None) -> tuple[str, dict[str, Any]]:
    """The target and the fields of the notice that was typed."""
    from watchword.statements.times import parse_time

    target = _target(args, here)
    fields: dict[str, Any] = {"target": target, "reason": args.reason}
    if args.kind == "recall":
        if args.deadline:
            parse_time(args.deadline)
        if getattr(args, "exercise", False):
            fields["target"] = target = f"exercise:{target}"
        fields |= {
            "actions": args.action, "deadline": args.deadline, "supersedes": args.supersedes,
            "directive": args.directive, "severity": args.severity, "alternatives": args.alternative,
            "versions": [_span(text) for text in args.versions],
        }  # fmt: skip
        if args.versions and "package:" not in target[:17]:
            raise BadTarget(f"{target}: has no versions to choose among", "versions are of a package: pkg:pypi/torch")
    if args.kind == "revoke":
        fields["valid_up_to"] = [_place(text) for text in args.valid_up_to]
    return target, fields


def _about_notice(args: argparse.Namespace, here: Node) -> tuple[str, str, dict[str, Any]]:
    """Kind, target and fields of what confirms a notice, or takes it back."""
    if args.kind == "take-back" and args.of is not None:
        return "take-back", *_kept_back(args, here)
    loose = {signed.statement.id: signed.statement for signed in here.loose()}
    statement = loose[args.target] if args.target in loose else here.locate(args.target).signed.statement
    if statement.kind not in ("recall", "dispute") and (args.kind, statement.kind) != ("take-back", "incident"):
        hint = "recalls and disputes are; a retraction is its issuer's, a revocation the key's owner's"
        raise BadTarget(f"{args.target}: a {statement.kind} is not confirmed or taken back", hint)
    said = statement.predicate
    target, fields = str(said["target"]), {"target": said["target"], "reason": args.reason}
    if args.kind == "take-back":
        return "take-back", target, fields | {"notice": statement.id}
    if statement.kind == "recall":
        # What it reaches is what was recalled: another range would be another voice's own, and confirm nothing.
        fields |= {name: said[name] for name in ("actions", "deadline", "directive", "severity", "versions")}
        fields |= {"alternatives": said["alternatives"], "supersedes": None}
    return statement.kind, target, fields


def _kept_back(args: argparse.Namespace, here: Node) -> tuple[str, dict[str, Any]]:
    """The name and fields that take back a leaf about ``--of`` whose body is not held here."""
    from watchword.cli.subject import release
    from watchword.ledger.notices import evidence_name
    from watchword.policy import table
    from watchword.statements.digests import blinded
    from watchword.statements.kinds import CONSIDERED

    digest, view = release(args.of, here).digest, here.latest_view()
    facts = here.facts(view)
    considered = table.consider(here.charter, view, facts, here.clock.now(), digest)
    evidence = {blinded(facts.secret, evidence_name(kind, digest)): f"release:{digest}" for kind in CONSIDERED}
    names = table.name_set(here.charter, digest, considered.values())
    against = {blinded(facts.secret, name): name for name in names}
    places: list[tuple[EvidenceLeaf | NoticeLeaf, dict[bytes, str]]] = [(leaf, evidence) for leaf in facts.unheld]
    places += [(leaf, against) for leaf in facts.notices if leaf.signed is None and not leaf.is_junk]
    for leaf, known in places:
        if here.locator(leaf.origin, leaf.index) == args.target and leaf.blinded in known:
            target = known[leaf.blinded]
            return target, {"target": target, "reason": args.reason, "notice": f"sha256:{leaf.commitment.hex()}"}
    what = f"no leaf about {args.of} whose text is not held here"
    raise BadTarget(f"{args.target}: {what}", "watchword admit names those")


def _how_long(here: Node, kind: str, target: str) -> list[str]:
    """What people must know of bad news that so few said, and of taking it back."""
    quorum = here.charter.quorum
    if target.startswith("exercise:"):
        return ["an exercise: it closes no gate; watchword recall status shows who answers"]
    if kind == "take-back":
        return [f"the notice counts until {quorum.witness} operators have taken it back, in cosigned ledgers"]
    if kind in ("recall", "dispute") and quorum.faulty:
        from watchword.limits import NOTICE_LANE_S

        hours = NOTICE_LANE_S // 3600
        return [f"it lapses after {hours} h unless {quorum.faulty + 1} operators say it: watchword notice confirm"]
    return []


def _about(statement: Statement) -> str:
    """What bad news is about: a notice has a target, a stop has releases."""
    if statement.kind == "stop":
        return ", ".join(
            "all" if one.name == "all" else f"{one.name} ({short(one.digest)})" for one in statement.subject
        )
    from watchword.ledger.query import told_target

    return told_target(statement.predicate)


def _target(args: argparse.Namespace, here: Node | None) -> str:
    text: str = args.target
    purl = text.removeprefix("component:").removeprefix("package:")
    if purl.startswith("pkg:"):
        from watchword.ledger.query import package_of

        package, version = package_of(purl)
        if text.startswith("package:") and version:
            raise BadTarget(f"{text}: a package has no version", "--versions says which are meant")
        return f"component:{purl}" if version else f"package:{package}"
    if text.startswith(NAMES):
        return text
    if args.kind == "recall":
        from watchword.cli.subject import release

        return "release:" + release(text, here).digest
    if args.kind == "revoke":
        if Path(text).exists() or not text.startswith("sha256:"):
            raise BadTarget(f"{text}: a revocation is of a key id", "watchword keys lists them")
        return "key:" + text
    if here is None:
        raise BadTarget(f"{text}: not the name of a statement", "written statement:sha256:…, as its id is printed")
    return "statement:" + here.locate(text).signed.statement.id


def _span(text: str) -> dict[str, str | None]:
    """``>=2.0,<2.3`` as the recall has it; either part may be left out."""
    read = re.fullmatch(rf"(?:>=({NUMBERS}))?(?:,(?=<)|(?=<)|$)(?:<({NUMBERS}))?", text.replace(" ", ""))
    if read is None or not (read[1] or read[2]):
        raise BadTarget(f"--versions {text}: not a range", "such as '>=2.0,<2.3' or '<2.3', in numbers alone")
    return {"from": read[1], "before": read[2]}


def _place(text: str) -> dict[str, Any]:
    origin, _, size = text.rpartition(":")
    if not origin or not size.isdigit():
        raise BadTarget(f"--valid-up-to {text}: not ORIGIN:SIZE", "such as alfa.example/ledger:120")
    return {"origin": origin, "size": int(size)}

"""``watchword gate``: mandates, actions, holds, approvals, stops. The gate decides; this asks and prints."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, naming, one_by_one, passphrase, short, write_new
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.gate.answer import Answer
    from watchword.gate.gate import Gate
    from watchword.gate.request import Request
    from watchword.node import Node
    from watchword.statements.passkeys import Passkey
    from watchword.statements.statement import Subject


class NotAsked(WatchwordError):
    """An action that the command line does not give whole."""


class NotConfirmed(WatchwordError):
    """The word from the screen was not typed: nothing was signed."""


def mandate(args: argparse.Namespace) -> int:
    """Sign and append a mandate that rests on an admission."""
    from watchword.cli.statement import recorded_value, scope, told
    from watchword.gate.mandate import check_roles, mandate_fields, read_mandate

    draft = read_mandate(args.file)
    with _node(args) as here:
        admission = here.locate(args.decision).signed
        subject, fields = mandate_fields(draft, admission, here.clock.now())
        check_roles(fields["mandate"], here.charter)
        recorded = here.sign_and_append("mandate", subject, fields, person=args.person, scope=scope(args))
        here.publish()
        given = fields["mandate"]
        text = (
            f"mandate {given['name']} for {subject[0].name}: {len(given['rules'])} rules, "
            f"{given['valid_from']} to {given['valid_until']}\n{told(here, recorded)}"
        )
        emit(args, text, recorded_value(here, recorded) | {"mandate": given})
    return 0


def ask(args: argparse.Namespace) -> int:
    """Ask for one action; exit 0 only when it is permitted."""
    with _gate(args) as gate:
        mandate_id = gate.node.locate(args.mandate).signed.statement.id if args.mandate else None
        return _answered(args, gate.ask(_action(args, gate.node), mandate_id))


def holds(args: argparse.Namespace) -> int:
    """What waits for people."""
    with _gate(args) as gate:
        waiting = gate.holds()
    text = "\n".join(hold.told() for hold in waiting) or "nothing waits"
    emit(args, text, {"holds": [hold.value() for hold in waiting], "schema": "watchword-gate-holds/1"})
    return 0


def request(args: argparse.Namespace) -> int:
    """Write a hold as a file for an approver's own node."""
    with _gate(args) as gate:
        data = gate.hold_request(args.hold)
    output = args.output or Path(f"{args.hold}.request.json")
    write_new(output, data + b"\n")
    emit(args, f"wrote {output}", {"output": str(output), "schema": "watchword-gate-request/1"})
    return 0


def approve(args: argparse.Namespace) -> int:
    """Show the exact action, ask for a word from it, and sign."""
    from watchword import node
    from watchword.cli.statement import scope
    from watchword.gate.request import approval_fields, parse_request
    from watchword.statements.statement import open_envelope
    from watchword.statements.times import SystemClock

    path = Path(args.request)
    with naming(path):
        if path.is_file():
            data = path.read_bytes().removesuffix(b"\n")
        else:
            with _gate(args) as gate:
                data = gate.hold_request(args.request)
        asked = parse_request(data)
    home = node.find_home(args.home)
    person = args.person or _who_may(home, asked.needs.role)
    answer = args.answer
    # The screen goes to stderr, so that a JSON result on stdout stays one value.
    print(asked.render(), file=sys.stderr)
    _confirm(args, asked.challenge, answer)
    subject, fields = approval_fields(asked, person, answer)
    if args.card:
        envelope = _by_card(args, home, asked, answer, person)
    else:
        envelope = node.sign_only(
            home, "approval", subject, fields, person=person, scope=scope(args), clock=SystemClock(),
            passphrase=passphrase(args),
        )  # fmt: skip
    statement = open_envelope(envelope).statement
    output = args.output or Path(f"{asked.hold}.{statement.issuer}.{person}.approval.json")
    write_new(output, envelope + b"\n")
    word = "approved" if answer == "approve" else f"answered {answer}"
    text = f"{word} by {person} of {statement.issuer}: {asked.action.digest}\nwrote {output} for {asked.gate}'s gate"
    value = {"action": asked.action.digest, "answer": answer, "id": statement.id, "output": str(output)}
    emit(args, text, value | {"schema": "watchword-gate-approval/1"})
    return 0


def lay(args: argparse.Namespace) -> int:
    """Lay other gates' held actions on this node's desk; exit 0 when each is there."""
    from watchword import node
    from watchword.gate.desk import Desk

    laid: list[Any] = []
    lines: list[str] = []
    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=False) as here:
        desk = Desk(here)
        with one_by_one(lines):
            for path in args.files:
                with naming(path):
                    laid.append(desk.lay(path.read_bytes().removesuffix(b"\n")))
                lines.append(f"{laid[-1].hold}  of {laid[-1].gate}, expires {laid[-1].expires}: its page shows it")
    value = {"holds": [{"gate": one.gate, "hold": one.hold} for one in laid], "schema": "watchword-gate-laid/1"}
    emit(args, "\n".join(lines), value)
    return 0


def take(args: argparse.Namespace) -> int:
    """Take in approvals; exit 0 when each counted."""
    answers: list[Any] = []
    lines: list[str] = []
    with _gate(args) as gate:
        with one_by_one(lines):
            for path in args.files:
                with naming(path):
                    answers.append(gate.approve(path.read_bytes().removesuffix(b"\n")))
                lines.append(answers[-1].told())
        gate.node.publish()
    value = {"answers": [one.value() for one in answers], "schema": "watchword-gate-answers/1"}
    emit(args, "\n".join(lines), value)
    return 0


def check(args: argparse.Namespace) -> int:
    """Re-verify answers with a charter and nothing else; exit 0 when each holds."""
    from watchword.charter.charter import read_charter_file
    from watchword.charter.standing import in_force
    from watchword.gate.action import shown
    from watchword.gate.approval import DoesNotCount, offline_signer
    from watchword.gate.request import parse_request
    from watchword.statements.statement import open_envelope

    file = read_charter_file(args.charter)
    in_force(file)
    request = None
    if args.request is not None:
        with naming(args.request):
            request = parse_request(args.request.read_bytes().removesuffix(b"\n"))
    found: list[dict[str, Any]] = []
    lines: list[str] = []
    for path in args.files:
        with naming(path):
            signed = open_envelope(path.read_bytes().removesuffix(b"\n"))
        said, action = signed.statement.predicate, signed.statement.subject[0].digest
        try:
            holder, why = offline_signer(file.charter, signed), ""
            if request is not None and (action, said["preview"]) != (request.action.digest, request.preview):
                why = f"it is not about what {args.request} shows"
        except DoesNotCount as error:
            holder, why = None, error.message
        by = None if holder is None else f"{holder.person} of {holder.owner}"
        how = "key" if said.get("assertion") is None else "device"
        answer = said.get("answer")
        found.append({"action": action, "answer": answer, "by": by, "holds": not why, "how": how, "why": why})
        if why:
            lines.append(f"NO   {path}: {why}")
            continue
        lines.append(f"{answer}  by {by}, with his {how}: {action}")
        where = f"hold {shown(said['hold'])} at {shown(said['gate'])}, mandate {said['mandate']}"
        lines.append(f"  {where}, asked {said['asked']}, until {said['expires']}")
    emit(args, "\n".join(lines), {"answers": found, "schema": "watchword-gate-checked/1"})
    return 0 if all(one["holds"] for one in found) else 1


def release(args: argparse.Namespace) -> int:
    """Re-check everything and let an approved action go, once; exit 0 when it went."""
    with _gate(args) as gate:
        answer = gate.release(args.hold)
    if answer.action_bytes is not None and args.output:
        write_new(args.output, answer.action_bytes)
    return _answered(args, answer)


def outcome(args: argparse.Namespace) -> int:
    """Record what became of an action."""
    with _gate(args) as gate:
        answer = gate.outcome(args.action, args.outcome)
    emit(args, answer.told(), answer.value())
    return 0


def stop(args: argparse.Namespace) -> int:
    """Sign a stop and take it in, at once; then record it and publish it for the others."""
    from watchword import node
    from watchword.cli.statement import recorded_value, scope, told

    # A stop waits for nobody: a gate at work keeps the writer's lock, and looks for bad news before each answer.
    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args)) as here:
        said = here.sign(
            "stop", (_stopped(args.what, here),), {"reason": args.reason}, person=args.person, scope=scope(args)
        )
        here.take_loose(said.envelope)
    try:
        with _gate(args) as gate:
            answer = gate.stop(said.envelope)
            recorded = gate.node.append_envelope(said.envelope)
            gate.node.publish()
            value = answer.value() | {"recorded": recorded_value(gate.node, recorded)}
            emit(args, f"{answer.told()}\n{told(gate.node, recorded)}", value)
    except node.BusyNode as error:
        text = f"STOPPED\n  by statement {said.statement.id}, in effect here"
        text += f"\nnot in the ledger yet, it travels with the next exchange: {error.message}"
        emit(args, text, {"event": "stopped", "id": said.statement.id, "recorded": None})
    return 0


def _stopped(what: str, here: Node) -> Subject:
    from watchword.cli.subject import release as find_release
    from watchword.gate.authority import ALL, session_subject
    from watchword.statements.statement import Subject

    if what == "all":
        return Subject("all", ALL)
    kind, _, name = what.partition(":")
    return session_subject(name) if kind == "session" and name else find_release(what, here)


def stops(args: argparse.Namespace) -> int:
    """What closed this gate, newest first."""
    with _gate(args) as gate:
        found = gate.stops()
    text = "\n".join(one.told() for one in found) or "nothing closed this gate"
    emit(args, text, {"schema": "watchword-gate-stops/1", "stops": [one.value() for one in found]})
    return 0


def shadow(args: argparse.Namespace) -> int:
    """What would have happened; read, never written."""
    from watchword import node
    from watchword.gate.shadow import shadow_of
    from watchword.statements.times import parse_time

    if args.since:
        parse_time(args.since)
    with node.Node.open(node.find_home(args.home)) as here:
        found = shadow_of(here.record_events(), args.since)
    emit(args, found.report(), found.value())
    return 0


def status(args: argparse.Namespace) -> int:
    """What is in force, what waits, what is stopped, how old the view is."""
    from watchword.gate.overseeing import warnings

    with _gate(args) as gate:
        found = gate.status() | {"warnings": warnings(gate.node)}
    emit(args, _status_text(found), found)
    return 0


def _status_text(found: dict[str, Any]) -> str:
    """What would stop an action first, then what is in force and what waits."""
    count = found["receipts"]
    lines = [f"gate of {found['gate']} at {found['now']}: {count} receipt{'' if count == 1 else 's'}"]
    if found["clock"] is not None:
        lines.append(f"  clock    {found['clock']}: everything is denied")
    for one in found["stops"]:
        lines.append(f"  stop     of {one['what']} by {one['issuer']}, {one['made']}: {one['reason']}")
    for one in found["mandates"]:
        state = "denies everything" if one["against"] else "in force"
        release = short(one["release"] or "no release")
        lines.append(f"  mandate  {one['name'] or one['id']} for {release} until {one['valid_until']}: {state}")
        lines += [f"           {why}" for why in one["against"]]
        lines += [f"           rule {rule}: denied, {'; '.join(why)}" for rule, why in one["rules"].items() if why]
    lines += [f"  hold     {one['id']}  {one['action']['tool']}  expires {one['expires']}" for one in found["holds"]]
    lines += [f"  unknown  {one}: what became of it?" for one in found["unknown"]]
    lines += [f"  warning  {one}" for one in found["warnings"]]
    view = found["view"]
    age = "no head is cosigned" if view["age_s"] is None else f"oldest head {view['age_s']:,} s old, {view['oldest']}"
    return "\n".join([*lines, f"  view     {age}"])


@contextmanager
def _node(args: argparse.Namespace) -> Iterator[Node]:
    from watchword import node

    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        yield here


@contextmanager
def _gate(args: argparse.Namespace) -> Iterator[Gate]:
    from watchword.gate.gate import Gate

    with _node(args) as here, closing(Gate(here)) as gate:
        yield gate


def _answered(args: argparse.Namespace, answer: Answer) -> int:
    emit(args, answer.told(), answer.value())
    return 0 if answer.verdict == "permit" else 1


def _action(args: argparse.Namespace, here: Node) -> bytes:
    """The action's JSON: from a file, from stdin, or put together from ``--tool`` and ``--arg``."""
    from watchword.cli.subject import release as find_release
    from watchword.gate.action import new_action

    if args.action == "-":
        return sys.stdin.buffer.read()
    if args.action:
        return Path(args.action).read_bytes().removesuffix(b"\n")
    if not args.tool or not args.of:
        raise NotAsked(
            "an action has --tool and --of RELEASE, or comes whole with --action FILE",
            'such as: watchword gate ask --of "magika 1.0.3" --tool quarantine --arg message=m-7',
        )
    values: dict[str, Any] = {}
    for one in args.arg:
        name, equals, text = one.partition("=")
        if not equals or not name or name in values:
            raise NotAsked(f"--arg {one}: not NAME=VALUE, or named twice", "such as --arg message=m-7")
        values[name] = _value(text)
    return new_action(args.tool, values, find_release(args.of, here).digest, args.session, here.clock).bytes


def _value(text: str) -> Any:
    from watchword.statements.canonical import NotCanonical, parse_json

    try:
        return parse_json(text.encode(), "--arg")
    except NotCanonical:
        return text


def _who_may(home: Path, role: str) -> str:
    from watchword import node

    people = [key["person"] for key in node.enrolment(home)["keys"] if role in (key.get("roles") or ())]
    if len(people) != 1:
        raise NotAsked(
            f"{len(people)} people here have the role {role}", "name one with --person: " + ", ".join(people)
        )
    return str(people[0])


def _by_card(args: argparse.Namespace, home: Path, asked: Request, answer: str, person: str) -> bytes:
    """The approval that the person's smartcard signs, under the key of this node's gate."""
    from watchword import node
    from watchword.gate.devices import answer_by_card
    from watchword.statements.pkcs11 import sign_for

    with node.Node.open(home, passphrase=passphrase(args), writing=False) as here:

        def sign(card: Passkey, message: bytes) -> bytes:
            return sign_for(args.card, card.alg, message)

        return answer_by_card(here, asked, answer, person, sign).envelope


def _confirm(args: argparse.Namespace, word: str, answer: str) -> None:
    """Ask for the word; a person who did not read the action does not know it."""
    if args.confirm is not None:
        typed = args.confirm
    elif sys.stdin.isatty():
        print(f"type {word} to {answer}; anything else signs nothing: ", end="", file=sys.stderr, flush=True)
        typed = sys.stdin.readline().rstrip(os.linesep)
    else:
        raise NotConfirmed("no terminal to ask on, and no --confirm", f"the word is {word}")
    if typed != word:
        raise NotConfirmed(f"{typed!r} is not {word!r}: nothing was signed")

"""``watchword charter``: draft, ratify, adopt, show, lint."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, naming, passphrase, write_new
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.charter.charter import Charter, CharterFile, Member


class CannotWork(WatchwordError):
    """A charter that lint says cannot work."""


class InTheWay(WatchwordError):
    """A secret would be overwritten."""


class NotAnEnrolment(WatchwordError):
    """A file that does not hold the public part of a member or supplier."""


def draft(args: argparse.Namespace) -> int:
    """Write a charter file without ratifications, and a new alliance secret."""
    from watchword.charter.charter import CharterFile, parse_charter
    from watchword.charter.draft import draft as draft_charter
    from watchword.policy.pack import find_packs
    from watchword.statements.times import SystemClock, rfc3339

    if args.secret_output.exists():
        raise InTheWay(
            f"{args.secret_output}: a secret is there already, and charters may rest on it",
            "move it away, or name another file with --secret-output",
        )
    pack = find_packs(args.pack)
    secret = os.urandom(32)
    value = draft_charter(
        args.alliance,
        [enrolment_in(path) for path in args.member],
        [enrolment_in(path) for path in args.supplier],
        pack.requirements,
        pack.red_lines,
        pack.standing,
        faulty=args.faulty,
        witness=args.witness,
        ratify=args.ratify,
        head_max_age_s=args.head_max_age,
        secret=secret,
        made=rfc3339(SystemClock().now()),
        effective=args.effective,
    )
    charter = parse_charter(value)
    complaints = complaints_of(charter)
    write_new(args.secret_output, secret, private=True)
    write_new(args.output, CharterFile(charter, ()).encode() + b"\n")
    quorum = charter.quorum
    text = "\n".join([
        *complaints,
        f"{args.output}: {charter.alliance}, version {charter.version}, {len(charter.members)} members, "
        f"{quorum.witness} of {len(charter.operators)} operators cosign, {quorum.ratify} ratify, "
        f"{quorum.faulty} may be faulty",
        f"digest {charter.digest}: read it to each other before anyone ratifies",
        f"{args.secret_output}: the alliance secret, for members only",
    ])  # fmt: skip
    emit(args, text, {"charter": charter.digest, "complaints": complaints, "schema": "watchword-charter-draft/1"})
    return 0


def ratify(args: argparse.Namespace) -> int:
    """Sign a charter with this home's root key and write the ratification."""
    from watchword import node
    from watchword.charter.charter import read_charter_file
    from watchword.statements.times import SystemClock

    file = read_charter_file(args.charter)
    home = node.find_home(args.home)
    complaints = [c for c in _lint(file.charter) if c.fatal]
    if complaints:
        raise CannotWork(f"{args.charter}: {complaints[0].what}", complaints[0].hint)
    member, envelope = node.ratify(home, file.charter, SystemClock(), passphrase(args), root=args.root)
    named = member if args.root == "root" else f"{member}.{args.root}"
    output = args.output or Path(f"{named}.ratification.json")
    write_new(output, envelope + b"\n")
    charter = file.charter
    text = f"{member} ratifies charter {charter.version} of {charter.alliance} ({charter.digest})\nwrote {output}"
    emit(args, text, {"charter": file.charter.digest, "member": member, "schema": "watchword-ratification/1"})
    return 0


def adopt(args: argparse.Namespace) -> int:
    """Join a charter with its ratifications, check that it is in force, and install it."""
    from watchword import node
    from watchword.charter.charter import CharterFile, read_charter_file
    from watchword.charter.standing import in_force, ratified_by
    from watchword.statements.times import SystemClock, parse_time

    file = read_charter_file(args.charter)
    given = []
    for path in args.ratifications:
        with naming(path):
            given.append(path.read_bytes().removesuffix(b"\n"))
            ratified_by(CharterFile(file.charter, (given[-1],)))
    file = CharterFile(file.charter, tuple(sorted({*file.ratifications, *given})))
    by = in_force(file)
    if args.receive_for:
        home = args.home or Path(os.environ.get("WATCHWORD_HOME") or ".watchword")
        node.create_receiver(home, file.charter.member(args.receive_for).name)
    else:
        home = node.find_home(args.home)
    clock = SystemClock()
    member = node.adopt(home, file, args.secret.read_bytes(), clock)
    charter = file.charter
    if parse_time(charter.effective) > clock.now():
        state, goes_on = f"from {charter.effective} on", "goes on under it by itself then"
    else:
        state, goes_on = "in force", "receives" if args.receive_for else "ledgers opened"
    text = (
        f"charter {charter.version} of {charter.alliance} is {state}: ratified by {', '.join(sorted(by))} "
        f"({len(set(by.values()))} of {len(charter.operators)} operators, {charter.quorum.ratify} needed)\n"
        f"{member}: {goes_on} in {home}"
    )
    emit(args, text, {"charter": charter.digest, "ratified_by": sorted(by), "schema": "watchword-adopt/1"})
    return 0


def show(args: argparse.Namespace) -> int:
    """Print a charter for people: who, keys, quorums, the requirement table, the red lines."""
    from watchword.charter.standing import NotInForce, in_force
    from watchword.policy.pack import render_table
    from watchword.statements.times import SystemClock, parse_time

    file = file_of(args)
    charter = file.charter
    try:
        by, effective = ", ".join(sorted(in_force(file))), parse_time(charter.effective)
        since = "in force" if effective <= SystemClock().now() else f"in force from {charter.effective} on"
        state = f"{since}, ratified by {by}"
    except NotInForce as error:
        state = f"NOT in force: {error.message}"
    members = [f"  {m.name:10} operated by {m.operator:10} {m.origins['ledger']}" for m in charter.members]
    suppliers = [f"  {s.name:10} {s.contact}" for s in charter.suppliers]
    past = [f"  {m.name:10} operated by {m.operator:10} until charter {_left(m)}" for m in charter.former]
    past += [f"  {one['member']:10} {one['origin']} ends at size {one['size']:,}" for one in charter.value["closed"]]
    quorum = charter.quorum
    lines = [
        f"{charter.alliance}, charter {charter.version} ({charter.digest}), {state}",
        f"{quorum.witness} of {len(charter.operators)} operators cosign a head, {quorum.ratify} ratify, "
        f"{quorum.faulty} may be faulty; a head counts for {charter.head_max_age_s:,} s",
        "members",
        *members,
        *(["suppliers", *suppliers] if suppliers else []),
        *(["former members, and closed ledgers", *past] if past else []),
        render_table(charter.value["requirements"], charter.value["red_lines"]).rstrip("\n"),
    ]
    emit(args, "\n".join(lines), _shown(charter, state))
    return 0


def _left(member: Member) -> int:
    """The version of the charter that a former member is no member of."""
    return max(holder.retired_by or 0 for holder in member.keys)


def _shown(charter: Charter, state: str) -> dict[str, Any]:
    return {
        "charter": charter.value, "digest": charter.digest, "schema": "watchword-charter-shown/1", "state": state,
    }  # fmt: skip


def compare(args: argparse.Namespace) -> int:
    """Set members' draft positions beside each other; exit 1 where no table passes."""
    from watchword.cli.policy import page
    from watchword.policy import sheet, summit
    from watchword.policy.compare import compare as compare_positions
    from watchword.policy.position import read_position
    from watchword.report.board import markdown

    positions = [read_position(path) for path in args.positions]
    compared = compare_positions(positions, args.quorum)
    drawn = summit.board(compared)
    text = markdown(drawn).rstrip("\n") if args.format == "markdown" else summit.render_text(compared)
    if args.draft is not None and compared["passing"]["ids"]:
        write_new(args.draft, sheet.toml(summit.pack_of(compared, positions)).encode())
        text += f"\nwrote {args.draft}" if args.format == "text" else ""
    emit(args, text + page(args, drawn), compared)
    return 0 if compared["passing"]["ids"] else 1


def tlog_policy(args: argparse.Namespace) -> int:
    """Write the charter's ledgers, witnesses and quorum for tools that read C2SP policies."""
    from watchword.ledger.policy import tlog_policy as policy_of

    charter = file_of(args).charter
    text = policy_of(charter)
    value = {"charter": charter.digest, "output": None, "policy": text, "schema": "watchword-tlog-policy/1"}
    if args.output is None:
        emit(args, text.rstrip("\n"), value)
        return 0
    write_new(args.output, text.encode())
    emit(args, f"wrote {args.output}", value | {"output": str(args.output)})
    return 0


def lint(args: argparse.Namespace) -> int:
    """Say what cannot work; exit 1 when something cannot."""
    charter = file_of(args).charter
    complaints = _lint(charter)
    lines = [f"{c.id:24} {c.what}{' (' + c.hint + ')' if c.hint else ''}" for c in complaints]
    count = len(complaints)
    verdict = f"{count} complaint{'' if count == 1 else 's'}" if complaints else "nothing to complain about"
    value = [{"fatal": c.fatal, "hint": c.hint, "id": c.id, "what": c.what} for c in complaints]
    emit(args, "\n".join([*lines, verdict]), {"complaints": value, "schema": "watchword-charter-lint/1"})
    return 1 if complaints else 0


def file_of(args: argparse.Namespace) -> CharterFile:
    from watchword import node
    from watchword.charter.charter import read_charter_file

    return read_charter_file(args.charter or node.find_home(args.home) / "charter.json")


def _lint(charter: Charter) -> tuple[Any, ...]:
    from watchword.charter.lint import lint as lint_charter

    return lint_charter(charter)


def complaints_of(charter: Charter) -> list[str]:
    found = _lint(charter)
    fatal = next((c for c in found if c.fatal), None)
    if fatal is not None:
        raise CannotWork(f"the charter cannot work: {fatal.what}", fatal.hint)
    return [f"{complaint.id}: {complaint.what}" for complaint in found]


def enrolment_in(path: Path) -> dict[str, Any]:
    from watchword.limits import CHARTER_BYTES_MAX
    from watchword.statements.canonical import NotCanonical, parse_canonical

    hint = "members and suppliers make theirs with: watchword init NAME"
    try:
        value = parse_canonical(path.read_bytes(), str(path), CHARTER_BYTES_MAX)
    except NotCanonical as error:
        raise NotAnEnrolment(error.message, hint) from error
    if not isinstance(value, dict) or "keys" not in value:
        raise NotAnEnrolment(f"{path}: not an enrolment", hint)
    return value

"""Joining an alliance: ratify its charter, adopt it once it is in force; or found an alliance of one.

* A home adopts one charter, and then those that follow it. Its ledgers are opened with the first.
* Adopting again the same charter finishes what a kill cut short, and changes nothing else.
* The charter file is written last: a home without one has adopted nothing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from watchword.charter.charter import Charter, CharterFile, parse_charter, parse_charter_file
from watchword.charter.draft import draft
from watchword.charter.standing import in_force
from watchword.charter.succession import DoesNotFollow, verify_follows, verify_shape
from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.ledger.heads import HeadStore
from watchword.ledger.log import Log
from watchword.limits import CHARTER_BYTES_MAX
from watchword.node.home import (
    USES,
    Keys,
    NoHome,
    create,
    enrolment,
    lock_home,
    ours_in,
    read_home,
)
from watchword.node.node import Node
from watchword.node.stepping import NEXT_CHARTER, step_forward
from watchword.statements.digests import secret_commitment
from watchword.statements.keys import Passphrase
from watchword.statements.statement import Subject, make, open_envelope, sign
from watchword.statements.times import Clock, parse_time, rfc3339

ALONE = "LOCAL"
"""The one member of an alliance of one."""

ALONE_ROLES = ("official", "evaluator", "commander", "steward")


class CannotAdopt(WatchwordError):
    """A charter or secret that this home cannot adopt."""


class RatifiedAnother(WatchwordError):
    """This member has ratified a sibling of this charter: both would have its word."""


def ratify(
    path: Path, charter: Charter, clock: Clock, passphrase: Passphrase = None, *, root: str = "root"
) -> tuple[str, bytes]:
    """Sign *charter* with a root key of this home: ``root``, or ``root-2`` and so on where there are several.

    Returns:
        The member's name and the envelope of its ratification.

    Raises:
        NoHome: not a member of this charter, or its keys there are not this home's.
        DoesNotFollow: it may not follow the charter in force here, whoever ratifies it.
        RatifiedAnother: this home ratified another charter of the same parent.
        KeyTrouble: the root key is not here, or does not open.
    """
    home = read_home(path)
    if home.name not in {member.name for member in charter.former}:
        # Who leaves agrees to it with a key that this charter retires.
        ours_in(charter, home, coming=True)
    with durable.translated(path):
        present = durable.read(path / "charter.json", CHARTER_BYTES_MAX)
        said = None if charter.parent is None else path / "ratified" / charter.parent.removeprefix("sha256:")
        before = None if present is None else parse_charter_file(present, str(path / "charter.json")).charter
        if before is not None and before.digest == charter.parent:
            verify_shape(before, charter)
        other = ((durable.read(said, 100) if said is not None else None) or b"").decode("ascii", "replace")
        if other not in ("", charter.digest):
            raise RatifiedAnother(
                f"{home.name} has ratified another charter that follows {charter.parent}: {other}",
                "two charters of one parent halt the alliance; agree on one before anybody ratifies",
            )
        # Before it is noted that this was ratified: a wrong passphrase must not be this member's one word.
        key = Keys(path, passphrase).job(root)
        if said is not None:
            durable.make_folder(said.parent, 0o700)
            durable.make_folder(path / "staging", 0o700)
            durable.replace(said, charter.digest.encode(), path / "staging", 0o600)
    statement = make(
        "ratification",
        (Subject(f"charter {charter.version}", charter.digest),),
        {"version": charter.version, "parent": charter.parent, "effective": charter.effective},
        issuer=home.name,
        made=clock.now(),
    )
    envelope = sign(statement, key)
    if before is not None and before.digest == charter.parent:
        # It counts against the charter that it ends as soon as it is signed; the node files it when it next publishes.
        with Node.open(path, clock=clock) as node:
            node.take_loose(envelope)
    return home.name, envelope


def adopt(path: Path, file: CharterFile, secret: bytes, clock: Clock) -> str:
    """Install *file* and open this member's ledgers; returns the member's name.

    Args:
        secret: the alliance secret, 32 bytes.
        clock: a charter that follows another waits until it is in force; then the node goes on under it by itself.

    Raises:
        NotInForce: too few members ratified.
        NoHome: not a member of this charter, or its keys there are not this home's.
        CannotAdopt: another secret than the charter commits to, or another charter was adopted before.
    """
    home = read_home(path)
    in_force(file)
    ours_in(file.charter, home, coming=True)
    if len(secret) != 32 or secret_commitment(secret) != file.charter.secret:
        raise CannotAdopt("the alliance secret is not the one that the charter commits to", "ask whoever drafted it")
    data = file.encode() + b"\n"
    with lock_home(path, home.name), durable.translated(path):
        durable.make_folder(path / "staging", 0o700)
        present = durable.read(path / "charter.json", CHARTER_BYTES_MAX)
        if present is not None:
            before = parse_charter_file(present, str(path / "charter.json")).charter
            if before.digest == file.charter.digest:
                return home.name
            _must_follow(before, file)
            if not (path / NEXT_CHARTER).exists():
                with Node.open(path, clock=clock) as node:
                    for envelope in file.ratifications:
                        if open_envelope(envelope).key_id in before.holders:
                            node.take_loose(envelope)
            durable.replace(path / NEXT_CHARTER, data, path / "staging")
            if parse_time(file.charter.effective) <= clock.now():
                step_forward(path)
            return home.name
        for use in USES if home.kind == "member" else ():
            _open_ledger(path, use, file.charter.member(home.name).origins[use])
        durable.replace(path / "alliance.secret", secret, path / "staging", 0o600)
        durable.replace(path / "charter.json", data, path / "staging")
    return home.name


def _must_follow(before: Charter, file: CharterFile) -> None:
    try:
        verify_follows(before, file)
    except DoesNotFollow as error:
        if file.charter.parent != before.digest:
            what = f"another charter was adopted before, and {error.message}"
            raise CannotAdopt(what, error.hint) from error
        raise CannotAdopt(error.message, error.hint) from error


def found_alone(
    path: Path,
    *,
    requirements: list[dict[str, Any]],
    red_lines: list[dict[str, Any]],
    standing: dict[str, list[str]],
    clock: Clock,
    person: str = "operator",
) -> str:
    """Make an embedded node: an alliance of one, keys in plain files of mode 0600. Returns the member's name.

    Its one witness is itself: decisions are labelled *unwitnessed, own clock*. *person* holds every role.

    Raises:
        NoHome: something is there already.
        BadCharter: the rows given do not make a charter.
    """
    if (path / "charter.json").exists():
        raise NoHome(f"{path}: a node is there already", "open it instead")
    if not _begun_alone(path):
        domain = f"{ALONE.lower()}-{os.urandom(4).hex()}.invalid"
        create(path, ALONE, ALONE, {person: list(ALONE_ROLES)}, domain, None)
    secret = os.urandom(32)
    value = draft(
        "an alliance of one",
        [enrolment(path)],
        [],
        requirements=requirements,
        red_lines=red_lines,
        standing=standing,
        secret=secret,
        made=rfc3339(clock.now()),
    )
    charter = parse_charter(value)
    _, envelope = ratify(path, charter, clock)
    adopt(path, CharterFile(charter, (envelope,)), secret, clock)
    with Node.open(path, clock=clock, writing=True) as node:
        node.publish()
    return ALONE


def sign_only(
    path: Path,
    kind: str,
    subject: tuple[Subject, ...],
    fields: dict[str, Any],
    *,
    clock: Clock,
    person: str | None = None,
    scope: str | list[str] = "alliance",
    passphrase: Passphrase = None,
) -> bytes:
    """Sign a statement in this home and record it nowhere: a supplier's claim, an approval for another member's gate.

    Returns:
        The envelope.

    Raises:
        NoHome: a member's home that has adopted no charter yet.
        BadStatement, NoStanding, NotHere, KeyTrouble: it would not count, or the key is not here.
    """
    home = read_home(path)
    if home.kind == "supplier":
        statement = make(kind, subject, fields, issuer=home.name, made=clock.now(), scope=scope)
        return sign(statement, Keys(path, passphrase).job("supplier"))
    with Node.open(path, clock=clock, passphrase=passphrase) as node:
        return node.sign(kind, subject, fields, person=person, scope=scope).envelope


def _begun_alone(path: Path) -> bool:
    """Whether a killed ``found_alone`` left a home without a charter here."""
    return (path / "node.toml").exists() and read_home(path).name == ALONE


def _open_ledger(path: Path, use: str, origin: str) -> None:
    """Begin a ledger, unless a killed ``adopt`` began it before."""
    heads = path / "heads"
    if HeadStore(heads, origin).read() is None:
        Log.create(path / use, origin, heads).close()

"""``watchword init`` and ``watchword keys``: a node's folder, its keys, the enrolment a charter is drafted from."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from watchword.cli.output import emit, new_passphrase
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.statements.passkeys import Passkey

DEFAULT_PEOPLE = {role: [role] for role in ("official", "evaluator", "commander", "steward")}


class BadPerson(WatchwordError):
    """``--person`` is not NAME:ROLE[,ROLE], or ``--up-to`` not ORIGIN:SIZE."""


def run(args: argparse.Namespace) -> int:
    """Make a home; never touches one that is there."""
    from watchword import node
    from watchword.statements.digests import unb64

    home = args.home or Path(os.environ.get("WATCHWORD_HOME") or ".watchword")
    passphrase = new_passphrase(args)
    if args.supplier:
        enrolment = node.create_supplier(home, args.name, args.contact, passphrase)
        people = ""
    else:
        chosen = _people(args.person) if args.person else DEFAULT_PEOPLE
        domain = args.domain or f"{args.name.lower()}.example"
        signers = {key: (uri, unb64(public, f"--signer {key}")) for key, public, uri in args.signer}
        operator = args.operator or args.name
        enrolment = node.create(
            home, args.name, operator, chosen, domain, passphrase, signers, args.roots, args.root_threshold
        )
        people = f", people {', '.join(chosen)}"
    kept = "in plain files, mode 0600" if passphrase is None else "encrypted"
    count = len(enrolment["keys"])
    text = (
        f"{args.name}: {count} key{'' if count == 1 else 's'} in {home / 'keys'} ({kept}){people}\n"
        f"send {home / 'enrolment.json'} to whoever drafts the charter"
        + ("" if args.supplier else "; keep the root key offline")
    )
    emit(args, text, {"enrolment": enrolment, "home": str(home), "schema": "watchword-init/1"})
    return 0


def keys(args: argparse.Namespace) -> int:
    """List the keys that this home's enrolment names, private halves unread; or make one for the next charter."""
    from watchword import node
    from watchword.statements.digests import DJ

    home = node.find_home(args.home)
    if args.passkey or args.drop:
        return _device(args, home)
    if args.add or args.renew or args.retire:
        up_to = _places(args.up_to)
        if args.retire:
            id, text = node.retire(home, args.retire, up_to), f"{args.retire} signs no more under the next charter"
        else:
            people = _people([args.add]) if args.add else {"": []}
            (person, roles), *_ = people.items()
            id = node.renew(
                home, new_passphrase(args), job=args.renew or "", person=person, roles=roles, up_to=up_to
            )
            text = f"made a key of {args.renew or person}: {id}"
        text += f"\npropose it: watchword charter propose {home / 'enrolment.next.json'}"
        emit(args, text, {"id": id, "schema": "watchword-key-made/1"})
        return 0
    enrolment = node.enrolment(home)
    rows = [
        (
            key["job"], key.get("person") or "", ",".join(key.get("roles") or ()),
            key["id"] + (f"  retired by charter {key['retired']['version']}" if "retired" in key else "")
            + "".join(f"\n  {DJ(one)}  {one['origin'] or 'card'}" for one in key.get("passkeys", [])),
        )
        for key in enrolment["keys"]
    ]  # fmt: skip
    job_width, person_width, roles_width = (max(len(row[column]) for row in rows) for column in range(3))
    text = "\n".join(
        f"{job:{job_width}}  {person:{person_width}}  {roles:{roles_width}}  {id}" for job, person, roles, id in rows
    )
    emit(args, f"{enrolment['name']}\n{text}", {"keys": enrolment["keys"], "schema": "watchword-keys/1"})
    return 0


def _device(args: argparse.Namespace, home: Path) -> int:
    """List a person's device in the enrolment, or no more."""
    from watchword import node

    if args.drop:
        person, fingerprint = node.drop_passkey(home, args.drop), args.drop
        text = f"{person}: {fingerprint} is listed no more"
    else:
        person, equals, name = args.passkey.partition("=")
        if not equals:
            raise BadPerson(f"--passkey {args.passkey}: not PERSON=FILE", "such as --passkey commander=passkey.json")
        passkey = _read_device(Path(name))
        node.add_passkey(home, person, passkey)
        fingerprint, kind = passkey.fingerprint, "card" if passkey.origin is None else f"passkey at {passkey.origin}"
        text = f"{person}: {kind}, fingerprint {fingerprint}\ncompare it with what {person} reads you from his screen"
    coming = home / "enrolment.next.json"
    text += f"\npropose it: watchword charter propose {coming}" if coming.exists() else ""
    emit(args, text, {"fingerprint": fingerprint, "person": person, "schema": "watchword-device-listed/1"})
    return 0


def _read_device(path: Path) -> Passkey:
    """A passkey as the approval page kept it, or the public key of a smartcard (PEM or DER)."""
    from watchword.cli.output import naming
    from watchword.limits import PASSKEY_ANSWER_BYTES_MAX
    from watchword.statements.passkeys import card_of, read_passkey

    with naming(path), path.open("rb") as file:
        data = file.read(PASSKEY_ANSWER_BYTES_MAX)
        return read_passkey(data) if data.startswith(b"{") else card_of(data)


def _places(given: list[str]) -> dict[str, int] | None:
    """``ORIGIN:SIZE`` as sizes by origin; None where nothing is said."""
    places = {}
    for one in given:
        origin, _, size = one.rpartition(":")
        if not origin or not size.isdecimal():
            raise BadPerson(f"--up-to {one}: not ORIGIN:SIZE", "such as alfa.example/ledger:12")
        places[origin] = int(size)
    return places or None


def _people(given: list[str]) -> dict[str, list[str]]:
    people: dict[str, list[str]] = {}
    for one in given:
        name, _, roles = one.partition(":")
        if not name or not roles or name in people:
            raise BadPerson(
                f"--person {one}: not NAME:ROLE[,ROLE], or named twice", "such as --person evaluator:evaluator"
            )
        people[name] = roles.split(",")
    return people

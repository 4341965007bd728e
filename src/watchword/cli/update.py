"""``watchword update``: data that came after the release, signed, offline."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, passphrase, write_new
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.inspect.updates import Added


class NoSigner(WatchwordError):
    """Neither a file nor a supplier of the charter."""


def install(args: argparse.Namespace) -> int:
    """Check who signed it, that it is newer, and that all of it reads; put it in force for this user."""
    from watchword.inspect.updates import place
    from watchword.policy.updating import held, signer_of
    from watchword.policy.updating import install as install_file
    from watchword.statements.digests import spoken
    from watchword.statements.times import SystemClock

    signer = None if args.signer is None else signer_named(args)
    first = held(place())["signer"] is None
    added = install_file(args.file, place(), SystemClock(), signer)
    by = signer_of(held(place())["signer"], str(place()))
    text = f"{place()}: {_told(added)}; signed by {by.name}"
    if first:
        text += f"\nits updates are taken from now on; compare by voice what its key reads: {spoken(by.key.id)}"
    value = _value(added) | {"digits": spoken(by.key.id), "signer": by.name}
    emit(args, text, value | {"schema": "watchword-update-installed/1"})
    return 0


def show(args: argparse.Namespace) -> int:
    """What is in force here besides what the release ships, whose it is, and what was before."""
    from watchword.inspect.updates import added, place
    from watchword.policy.updating import held

    kept, now = held(place()), added()
    lines = [f"{place()}: {'as the release ships it' if now is None else _told(now)}"]
    if kept["signer"] is not None:
        lines.append(f"updates are taken of {kept['signer']['name']}, from version {kept['version_max'] + 1} on")
    if now is not None:
        lines.append(f"source: {now.source}; licence: {now.licence}; made {now.made}; {now.digest}")
    lines += [f"  {one['at']}  version {one['version']} {one['what']}" for one in kept["history"]]
    signer = None if kept["signer"] is None else kept["signer"]["name"]
    value = {"history": kept["history"], "now": None if now is None else _value(now), "signer": signer}
    emit(args, "\n".join(lines), value | {"schema": "watchword-updates/1", "version_max": kept["version_max"]})
    return 0


def remove(args: argparse.Namespace) -> int:
    """Go back to what the release ships."""
    from watchword.inspect.updates import place
    from watchword.policy.updating import remove as remove_data
    from watchword.statements.times import SystemClock

    there = remove_data(place(), SystemClock(), signer=args.signer)
    text = f"{place()}: {'removed; what the release ships is in force' if there else 'nothing was there'}"
    emit(args, text, {"removed": there, "schema": "watchword-update-removed/1"})
    return 0


def make(args: argparse.Namespace) -> int:
    """Sign a new version of the data, as a supplier."""
    from watchword import node
    from watchword.policy.updating import make as make_file
    from watchword.policy.updating import signer_of
    from watchword.statements.digests import spoken
    from watchword.statements.times import SystemClock

    home = node.find_home(args.home)
    data = make_file(home, args.source, args.data_version, SystemClock(), passphrase(args))
    output = args.output or Path(f"watchword-data-{args.data_version}.json")
    write_new(output, data)
    by = signer_of(node.enrolment(home), str(home))
    text = f"wrote {output}: version {args.data_version}, signed by {by.name}, {len(data):,} bytes\n"
    text += f"who takes it first compares what your key reads: {spoken(by.key.id)}"
    value = {"bytes": len(data), "digits": spoken(by.key.id), "output": str(output), "version": args.data_version}
    emit(args, text, value | {"schema": "watchword-update-made/1"})
    return 0


def signer_named(args: argparse.Namespace) -> dict[str, Any]:
    """The enrolment of the supplier that ``--signer`` names: of a file, or as the charter in force here lists it."""
    from watchword import node
    from watchword.charter.charter import read_charter_file
    from watchword.cli.charter import enrolment_in

    path = Path(args.signer)
    if path.is_file():
        return enrolment_in(path)
    home = node.find_home(args.home, missing_ok=True)
    charter = None if home is None else home / "charter.json"
    suppliers = read_charter_file(charter).charter.value["suppliers"] if charter and charter.is_file() else []
    for one in suppliers:
        if one["name"] == args.signer:
            found: dict[str, Any] = one
            return found
    raise NoSigner(f"{args.signer}: neither an enrolment file nor a supplier of a charter here")


def _told(added: Added) -> str:
    parts = [("denied name", added.denied), ("allowed name", added.rebuilds), ("norm", added.norms),
             ("pack", added.packs)]  # fmt: skip
    many = ", ".join(f"{len(rows):,} {what}{'' if len(rows) == 1 else 's'}" for what, rows in parts)
    return f"data {added.version}: {many}"


def _value(added: Added) -> dict[str, Any]:
    return {
        "denied": len(added.denied), "digest": added.digest, "licence": added.licence, "norms": len(added.norms),
        "packs": len(added.packs), "rebuilds": len(added.rebuilds), "source": added.source, "version": added.version,
    }  # fmt: skip

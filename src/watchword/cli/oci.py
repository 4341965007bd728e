"""``watchword oci``: statements and proofs beside an artefact in a registry."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, naming, short, write_new
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from pathlib import Path

    from watchword.charter.charter import CharterFile
    from watchword.fleet.referrers import Attached
    from watchword.fleet.registry import Artefact


class NothingAttached(WatchwordError):
    """An artefact beside which nothing of ours is: nothing was checked."""


@dataclass(frozen=True)
class _Checked:
    """What came of one that is attached: ``holds`` and what it says, ``bad``: bad news among that."""

    attached: Attached
    holds: bool
    says: str
    bad: bool = False


def attach(args: argparse.Namespace) -> int:
    """Attach each file; what stops one stops those after it."""
    from watchword.fleet.referrers import attach

    put = []
    for path in args.files:
        with naming(path):
            put.append(attach(args.artefact, path.read_bytes(), args.readers))
    lines = [f"attached {one.sort} {path} as {one.digest}" for path, one in zip(args.files, put, strict=True)]
    value = [{"digest": one.digest, "sort": one.sort} for one in put]
    emit(args, "\n".join(lines), {"attached": value, "schema": "watchword-oci-attached/1"})
    return 0


def find(args: argparse.Namespace) -> int:
    """Check all that is attached under a charter."""
    from watchword.charter.charter import read_charter_file
    from watchword.charter.standing import in_force
    from watchword.fleet.referrers import attached, release_of
    from watchword.fleet.registry import artefact

    file = read_charter_file(args.charter)
    in_force(file)
    one = artefact(args.artefact)
    release = release_of(one)
    checked = [_check(file, it, release) for it in attached(one)]
    if not checked:
        raise NothingAttached(f"{one.address}: nothing is attached", "which proves nothing: a registry can withhold")
    if args.output:
        _keep(args.output, one, checked)
    proven = [it for it in checked if it.holds and it.attached.sort == "proof"]
    bad = [it for it in checked if it.bad]
    lines = [f"{'holds' if it.holds else 'REFUSED':8} {it.attached.sort:9}  {_indented(it.says)}" for it in checked]
    verdict = "BAD NEWS" if bad else "PROVEN" if proven else "NOT PROVEN"
    what = f"{len(proven)} of {len(checked)} attached are proofs that hold"
    lines.append(f"{verdict}  release {short(release)}: {what}")
    found = [
        {"bad_news": it.bad, "digest": it.attached.digest, "holds": it.holds, "says": it.says, "sort": it.attached.sort}
        for it in checked
    ]
    value: dict[str, Any] = {
        "artefact": one.address, "attached": found, "ok": bool(proven and not bad), "release": release,
        "schema": "watchword-oci-found/1",
    }  # fmt: skip
    emit(args, "\n".join(lines), value)
    return 0 if value["ok"] else 1


def _indented(text: str) -> str:
    return text.replace("\n", "\n" + " " * 20)


def _check(file: CharterFile, one: Attached, release: str) -> _Checked:
    if one.why:
        return _Checked(one, False, one.why)
    try:
        return _statement(file, one, release) if one.sort == "statement" else _proof(file, one, release)
    except WatchwordError as error:
        return _Checked(one, False, error.message)


def _statement(file: CharterFile, one: Attached, release: str) -> _Checked:
    from watchword.charter.standing import standing
    from watchword.fleet.referrers import is_about
    from watchword.statements.kinds import BAD_NEWS
    from watchword.statements.statement import open_envelope

    signed = open_envelope(one.body)
    said = signed.statement
    holder = standing(file.charter, signed)
    if not is_about(said, release):
        return _Checked(one, False, f"{said.kind} {short(said.id)}: about something else")
    who = f"{holder.person} of {holder.owner}" if holder.person else holder.owner
    text = f"{said.kind} {short(said.id)} by {who}, {said.made}: signed, its place in a ledger not shown"
    return _Checked(one, True, text, said.kind in BAD_NEWS)


def _proof(file: CharterFile, one: Attached, release: str) -> _Checked:
    from watchword.account.proof import verify
    from watchword.statements.times import SystemClock

    verified = verify(file, one.body, SystemClock().now(), "the proof")
    if verified.absence is None or f"release:{release}" not in verified.absence.names:
        return _Checked(one, False, "it says nothing of this release")
    return _Checked(one, True, verified.told(), bool(verified.absence.counting))


def _keep(folder: Path, one: Artefact, checked: list[_Checked]) -> None:
    from watchword.fleet.registry import manifests_under

    folder.mkdir(exist_ok=True)
    for digest, manifest in manifests_under(one).items():
        write_new(folder / f"{digest[7:]}.manifest.json", manifest)
    for it in checked:
        if it.holds:
            write_new(folder / f"{it.attached.digest[7:]}.{it.attached.sort}.json", it.attached.body + b"\n")

"""``watchword claim``: what a supplier says of a release, beside what others found; is a delivery what it signed?"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, one_line, short
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.account.beside import Beside
    from watchword.account.claims import Comparison, Found


class NoClaim(WatchwordError):
    """Nobody claims anything of the release, as far as the view goes."""


def check(args: argparse.Namespace) -> int:
    """Compare every claim of a release in the view; exit 1 when a line of one is contradicted."""
    from watchword import node
    from watchword.account.claims import compare
    from watchword.cli.beside import found_beside
    from watchword.cli.subject import release
    from watchword.ledger.listing import consider, fallen, notices
    from watchword.policy.table import name_set

    with node.Node.open(node.find_home(args.home), writing=False) as here:
        subject = release(args.release, here)
        view = here.latest_view()
        facts, moment = here.facts(view), here.clock.now()
        considered = consider(here.charter, view, facts, moment, subject.digest)
        names = name_set(here.charter, subject.digest, considered.values())
        listed = notices(here.charter, view, facts, names, considered)
        fell = fallen(considered.values(), listed)
        compared = [
            (here.locator(fact.origin, fact.index), compare(fact, considered.values(), fell, moment))
            for fact in considered.values()
            if fact.signed.statement.kind == "claim"
        ]
        places = {id: here.locator(fact.origin, fact.index) for id, fact in considered.items()}
        beside = found_beside(here)
    if not compared:
        raise NoClaim(f"{subject.name}: no claim in the view", "a supplier's claim counts once it is cosigned")
    lines = []
    for place, one in compared:
        lines += _lines(one, place, subject.name, places, beside)
    value = {
        "claims": [_value(one, place) for place, one in compared],
        "release": asdict(subject),
        "schema": "watchword-claims/1",
    }
    emit(args, "\n".join(lines), value)
    return 1 if any(one.contradicted for _, one in compared) else 0


def verify(args: argparse.Namespace) -> int:
    """Say whether the files at a path are what the claim beside them is signed for; exit 1 where they are not."""
    from watchword.account.delivered import NotDelivered, delivered
    from watchword.cli.update import signer_named
    from watchword.policy.updating import signer_of
    from watchword.statements.digests import spoken

    by = signer_of(signer_named(args), args.signer)
    value = {"digits": spoken(by.key.id), "schema": "watchword-delivered/1", "signer": by.name}
    try:
        said, files = delivered(args.claim, args.path, by)
    except NotDelivered as error:
        emit(args, f"NOT AS SIGNED  {args.path}: {error.message}", value | {"claim": None, "trouble": error.message})
        return 1
    named, fields = said.subject[0], said.predicate
    made = str(fields["made"])
    many = f"{files:,} file{'' if files == 1 else 's'}"
    until = f"; supported until {fields['support_until']}" if fields["support_until"] else ""
    lines = [
        f"AS SIGNED  {named.name} ({short(named.digest)}): exactly what {by.name} signed for, {many}; {made}{until}",
        f"  its key reads {value['digits']}: compare that by another way, once",
        "  whether it was recalled since, an alliance's ledgers say",
    ]
    told = {"digest": named.digest, "files": files, "id": said.id, "made": made, "name": named.name}
    emit(args, "\n".join(lines), value | {"claim": told | {"support_until": fields["support_until"]}, "trouble": None})
    return 0


def _lines(one: Comparison, place: str, name: str, places: dict[str, str], beside: dict[str, Beside]) -> list[str]:
    from watchword.account.beside import NOTHING_BESIDE

    word = "CONTRADICTED" if one.contradicted else "NOT CONTRADICTED"
    fell = f" ({one.fell})" if one.fell else ""
    lines = [one_line(f"{word}  {name}, claim {place} of {one.claim.issuer}{fell} ({short(one.claim.id)})")]

    def shown(found: Found, does: str) -> list[str]:
        gone = f" ({found.fell})" if found.fell else ""
        at = places.get(found.statement.id, short(found.statement.id))
        what = f"{found.statement.kind} by {found.statement.issuer}{gone}"
        said = [one_line(f"      {at:12} {what} {does}: {found.says}")]
        replies = beside.get(found.statement.id, NOTHING_BESIDE).replies
        return said + [one_line(f"        reply of {r.issuer}: {r.predicate['text']}") for r in replies]

    for line in one.lines:
        lines.append(one_line(f"  {line.state:12} {line.part}: {line.says}"))
        for found in line.found:
            lines += shown(found, found.does)
    if one.unclaimed:
        lines.append("  the claim says nothing of")
        for found in one.unclaimed:
            lines += shown(found, "found")
    return lines


def _value(one: Comparison, place: str) -> dict[str, Any]:
    def found(of: Found) -> dict[str, Any]:
        statement = of.statement
        return {
            "does": of.does, "fell": of.fell, "id": statement.id, "issuer": statement.issuer, "kind": statement.kind,
            "says": of.says,
        }  # fmt: skip

    return {
        "contradicted": one.contradicted,
        "fell": one.fell,
        "id": one.claim.id,
        "issuer": one.claim.issuer,
        "lines": [
            {"found": [found(f) for f in line.found], "part": line.part, "says": line.says, "state": line.state}
            for line in one.lines
        ],
        "unclaimed": [found(f) for f in one.unclaimed],
        "where": place,
    }

"""``watchword exposure``: which releases and uses here are hit; on what few components many uses hang."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from watchword.cli.catalog import bring_up, opened
from watchword.cli.output import emit, short, write_new
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from watchword.account.exposure import Exposure


class NothingAsked(WatchwordError):
    """Neither what falls nor how many uses were named."""


def run(args: argparse.Namespace) -> int:
    """Print what is hit; exit 1 where something is."""
    from watchword import node

    if sum((args.stops is not None, bool(args.what or args.osv), args.answer is not None)) != 1:
        raise NothingAsked("name what falls, or with --stops how many uses", "watchword exposure pkg:pypi/onnx@1.15.0")
    home = node.find_home(args.home)
    if args.ask:
        return _ask(args, home)
    catalog = opened(args, home)
    bring_up(args, home, catalog)
    with catalog.reading() as connection:
        if args.answer:
            code = _answer(args, connection, home)
        else:
            code = _stops(args, connection) if args.stops is not None else _hit(args, connection)
    catalog.close()
    return code


def _hit(args: argparse.Namespace, connection: Connection) -> int:
    from watchword.account import exposure as account
    from watchword.account.osv import by_ids, read_advisories, wanted_of

    found = []
    if args.osv:
        for advisory in by_ids(read_advisories(args.osv), args.what):
            try:
                called = f"{advisory.id}  {advisory.summary}".rstrip()
                found.append(
                    account.exposure(connection, called, wanted_of(advisory), limit=args.limit, chains=args.limit)
                )
            except account.NothingNamed:
                continue  # Of a folder of advisories, nearly all speak of what nobody here has.
    else:
        wanted = [account.wanted(text) for text in args.what]
        asked = ", ".join(args.what)
        found.append(account.exposure(connection, asked, wanted, limit=args.limit, chains=args.limit))
    lines = [line for one in found for line in _told(one)] or ["nothing on record is affected"]
    emit(args, "\n".join(lines), {"exposures": [one.value() for one in found], "schema": account.SCHEMA})
    return 1 if any(one.releases for one in found) else 0


def _ask(args: argparse.Namespace, home: Path) -> int:
    """Write a question to others."""
    from watchword import node
    from watchword.account.asking import question
    from watchword.statements.canonical import canonical

    if not args.what:
        raise NothingAsked("a question names what falls", "watchword exposure pkg:pypi/onnx@1.15.0 --ask question.json")
    with node.Node.open(home, writing=False) as here:
        asked = question(here.secret, args.what)
    write_new(args.ask, canonical(asked) + b"\n")
    value = {"names": len(asked["names"]), "output": str(args.ask), "schema": "watchword-exposure-asked/1"}
    emit(args, f"wrote {args.ask}: {len(asked['names'])} blinded names", value)
    return 0


def _answer(args: argparse.Namespace, connection: Connection, home: Path) -> int:
    """Answer another's question; exit 1 where it hits."""
    from watchword import node
    from watchword.account.asking import answer
    from watchword.limits import EXPOSURE_COUNT_MIN, OSV_BYTES_MAX
    from watchword.statements.canonical import parse_canonical

    with args.answer.open("rb") as file:
        asked = parse_canonical(file.read(OSV_BYTES_MAX + 1), str(args.answer), OSV_BYTES_MAX)
    with node.Node.open(home, writing=False) as here:
        told = answer(connection, here.secret, asked)
    few = f"fewer than {EXPOSURE_COUNT_MIN}"
    many = few if told["uses"] is None else f"{told['uses']} or more"
    text = f"yes; admitted uses: {many}" if told["hit"] else "no"
    emit(args, text, told | {"schema": "watchword-exposure-answer/1"})
    return 1 if told["hit"] else 0


def _told(found: Exposure) -> list[str]:
    """Verdict first: how many uses stop; then which; then the releases, each by what it is hit."""
    stopped = len(found.stopped)
    hit = f"{found.releases_total:,} release{'' if found.releases_total == 1 else 's'}"
    lines = [f"HIT  {found.asked}: {hit}, {stopped:,} admitted use{'' if stopped == 1 else 's'}"]
    lines += [f"  {'stops' if use.verdict == 'admitted' else use.verdict:8}  {use.release_name or use.release} for "
              f"{use.name or use.use_case}  owner {use.owner or 'not told'}  decided {use.locator}"
              for use in found.uses]  # fmt: skip
    for one in found.releases:
        by = f"  by {' > '.join(one.chain)}" if one.chain else ""
        supplier = f"  supplier {one.supplier}" if one.supplier else ""
        lines.append(f"  has it    {one.name} ({short(one.digest)}){supplier}{by}")
    left = found.releases_total - len(found.releases)
    lines += [f"  and {left:,} more; --limit lists more"] if left else []
    lines += [f"  not seen  releases without a bill of materials here: {found.unseen:,}"] if found.unseen else []
    lines += ["  cut       longer chains were not followed"] if found.cut else []
    return lines


def _stops(args: argparse.Namespace, connection: Connection) -> int:
    from watchword.account.concentration import hanging, smallest

    found = smallest(hanging(connection), args.stops)
    open_ = f"fewer than {found.at_least} do not; whether fewer than these do is open"
    number = len(found.things)
    stopping = f"{number} component{'' if number == 1 else 's'} stop{'s' if number == 1 else ''}"
    lines = [f"{stopping} {found.stopped} of {found.uses} admitted uses; {'no fewer do' if found.exact else open_}"]
    lines += [f"  {one}" for one in found.things]
    emit(args, "\n".join(lines), found.value())
    return 0

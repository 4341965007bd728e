"""``watchword charter propose`` and ``diff``: the charter that follows the one in force."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from watchword.cli.charter import complaints_of, enrolment_in, file_of
from watchword.cli.output import emit, passphrase, write_new

if TYPE_CHECKING:
    from watchword.charter.charter import Charter, CharterFile

def propose(args: argparse.Namespace) -> int:
    """Draft the charter that follows the one in force here, ratify it first, and say what it changes."""
    from watchword import node
    from watchword.charter.charter import CharterFile, parse_charter
    from watchword.charter.draft import successor
    from watchword.policy.pack import find_packs
    from watchword.statements.times import SystemClock, rfc3339

    home, clock = node.find_home(args.home), SystemClock()
    with node.Node.open(home, clock=clock) as here:
        before, ends = here.charter, node.known_ends(here)
    changes: dict[str, object] = {}
    if args.pack:
        pack = find_packs(args.pack)
        changes = {"red_lines": pack.red_lines, "requirements": pack.requirements, "standing": pack.standing}
    for part in ("quorum", "amendment"):
        given = dict(getattr(args, part))
        if given:
            changes[part] = dict(before.value[part]) | given
    if args.head_max_age is not None:
        changes["head_max_age_s"] = args.head_max_age
    parties = [enrolment_in(path) for path in args.party]
    value = successor(
        before,
        [one for one in parties if "contact" not in one],
        [one for one in parties if "contact" in one],
        made=rfc3339(clock.now()),
        effective=args.effective,
        leave=args.leave,
        ends=ends,
        changes=changes,
    )
    after = parse_charter(value)
    complaints = complaints_of(after)
    _, envelope = node.ratify(home, after, clock, passphrase(args), root=args.root)
    file = CharterFile(after, (envelope,))
    write_new(args.output, file.encode() + b"\n")
    lines, told = _difference(before, file)
    text = "\n".join([
        *complaints,
        *lines,
        f"{args.output}: charter {after.version} of {after.alliance}, ratified by {here.member}; "
        f"digest {after.digest}",
        f"hand it to the others: watchword charter diff {args.output}, then watchword charter ratify {args.output}",
    ])  # fmt: skip
    emit(args, text, told | {"complaints": complaints, "schema": "watchword-charter-proposed/1"})
    return 0

def diff(args: argparse.Namespace) -> int:
    """What a charter changes in the one in force here, or in another, in words; exit 1 when it may not follow it."""
    from watchword.charter.charter import read_charter_file

    file = read_charter_file(args.charter)
    args.charter = args.against
    before = file_of(args).charter
    lines, told = _difference(before, file)
    emit(args, "\n".join(lines), told | {"schema": "watchword-charter-diff/1"})
    return 0 if told["follows"] else 1

def _difference(before: Charter, file: CharterFile) -> tuple[list[str], dict[str, object]]:
    from watchword.charter.difference import asked, differences
    from watchword.charter.standing import NotInForce, ratified_by
    from watchword.charter.succession import DoesNotFollow, verify_shape

    after = file.charter
    changes, asks = differences(before, after), asked(before, after)
    try:
        verify_shape(before, after)
        by, trouble = sorted(ratified_by(file)), ""
    except (DoesNotFollow, NotInForce) as error:
        by, trouble = [], error.message
    width = max((len(one.where) for one in changes), default=0)
    lines = [f"charter {before.version} to {after.version} of {after.alliance}, in force from {after.effective}"]
    lines += [f"  {one.where:{width}}  {one.what}" for one in changes] or ["  nothing changes"]
    lines += [f"it takes: {'; '.join(asks)}"] if not trouble else [f"IT MAY NOT FOLLOW: {trouble}"]
    lines += [f"ratified so far by {', '.join(by)}"] if by else []
    return lines, {
        "asked": asks, "before": before.digest, "changes": [one.value() for one in changes], "charter": after.digest,
        "effective": after.effective, "follows": not trouble, "ratified_by": by, "trouble": trouble,
    }  # fmt: skip

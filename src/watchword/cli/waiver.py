"""``watchword waiver`` and ``watchword rely``: let one requirement pass for one use; take over another's evidence."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchword.cli.output import emit, one_line, passphrase
from watchword.errors import WatchwordError


class CannotWaive(WatchwordError):
    """A waiver that would not count: no such row, no path to waive it, an end that is past."""


class CannotRely(WatchwordError):
    """A reliance without a statement, or whose limits are not of the form stated."""


def add(args: argparse.Namespace) -> int:
    """Sign a waiver of one requirement, for one release and use, with an owner, a reason and an end."""
    from watchword import node
    from watchword.cli.statement import recorded_value, told
    from watchword.cli.subject import release
    from watchword.policy.use_case import read_use_case
    from watchword.statements.digests import DJ
    from watchword.statements.times import parse_time

    asked = _asked(args)
    use_case = read_use_case(asked.use)
    expires = parse_time(asked.expires)
    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        row = next((row for row in here.charter.requirements if row.id == asked.requirement), None)
        if row is None:
            red = any(line.id == asked.requirement for line in here.charter.red_lines)
            hint = "a red line has no waiver: amend the charter" if red else "watchword policy show lists them"
            raise CannotWaive(f"{asked.where}{asked.requirement}: not a requirement of the charter", hint)
        if row.waiver is None:
            raise CannotWaive(f"{asked.where}{row.id}: the charter lets nobody waive it", "its row has no waiver")
        if expires <= here.clock.now():
            hint = "a waiver ends by itself, on a day to come"
            raise CannotWaive(f"{asked.where}{asked.expires}: past already", hint)
        subject = release(args.release, here)
        fields = {
            "expires": asked.expires, "owner": asked.owner, "reason": asked.reason, "requirement": row.id,
            "use_case": DJ(use_case),
        }  # fmt: skip
        here.keep_object(use_case)
        recorded = here.sign_and_append("waiver", (subject,), fields, person=args.person, scope="alliance")
        here.publish()
        name = f"{subject.name}, {use_case['name']}"
        text = (
            f"{row.id} is waived for {name}, until {asked.expires}; {asked.owner} answers for it\n"
            f"needed: {row.waiver.count} by the role {row.waiver.role}, of distinct operators, in cosigned ledgers\n"
            f"{told(here, recorded)}"
        )
        emit(args, text, recorded_value(here, recorded) | {"waiver": fields})
    return 0


@dataclass(frozen=True)
class _Asked:
    """What a waiver says; ``where``: how an error about it begins."""

    requirement: str
    use: Path
    owner: str
    reason: str
    expires: str
    where: str


def _asked(args: argparse.Namespace) -> _Asked:
    """What the options say, and where they do not, ``--file``; a use case is found from that file on."""
    from watchword.policy.use_case import read_toml

    names = ("requirement", "use", "owner", "reason", "expires")
    written: dict[str, Any] = read_toml(args.file, CannotWaive) if args.file else {}
    where = f"{args.file}: " if args.file else ""
    if unknown := sorted(written.keys() - set(names)):
        raise CannotWaive(f"{where}{unknown[0][:80]!r} is no field of a waiver", ", ".join(names))
    if odd := [name for name in names if name in written and (not isinstance(written[name], str) or not written[name])]:
        raise CannotWaive(f"{where}{odd[0]}: not a text", f'write {odd[0]} = "…"')
    if "use" in written:
        written["use"] = args.file.parent / written["use"]
    said = written | {name: vars(args)[name] for name in names if vars(args)[name] is not None}
    if missing := [name for name in names if name not in said]:
        raise CannotWaive(
            f"{where or 'waiver: '}no {missing[0]}", "a waiver has a requirement, a use, an owner, a reason and an end"
        )
    return _Asked(**said, where=where)


def list_(args: argparse.Namespace) -> int:
    """List every waiver held, of whomever, and when it ends."""
    from watchword import node
    from watchword.account.knowing import of_kind
    from watchword.statements.times import parse_time

    with node.Node.open(node.find_home(args.home), writing=False) as here:
        now, held = here.clock.now(), of_kind(here, "waiver")
    value = [
        {"ended": parse_time(s.predicate["expires"]) < now, "id": s.id, "predicate": s.predicate,
         "release": s.subject[0].name, "where": where}
        for where, s in held
    ]  # fmt: skip
    lines = [
        one_line(
            f"{where:12} {s.issuer:10} {s.predicate['requirement']} for {s.subject[0].name}, "
            f"{'ended' if shown['ended'] else 'until'} {s.predicate['expires']}; "
            f"{s.predicate['owner']}: {s.predicate['reason']}"
        )
        for (where, s), shown in zip(held, value, strict=True)
    ]
    emit(args, "\n".join(lines) or "no waiver is held here", {"schema": "watchword-waivers/1", "waivers": value})
    return 0


def rely(args: argparse.Namespace) -> int:
    """Take over another's evidence within limits; with ``--check``, exit 1 when something relied on has fallen."""
    from watchword import node
    from watchword.cli.statement import recorded_value, told

    if args.check:
        return _check(args)
    if args.statement is None or args.reason is None:
        raise CannotRely("name a statement and say why", "watchword rely BRAVO#4 --limits FILE --reason TEXT")
    limits = _limits(args)
    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        target = here.locate(args.statement).signed.statement
        if target.issuer == here.member:
            raise CannotRely(f"{args.statement}: {here.member}'s own statement", "it counts for you as it is")
        for name in limits["members"]:
            here.charter.member(name)
        fields = {"limits": limits, "reason": args.reason, "statement": target.id}
        recorded = here.sign_and_append("reliance", (target.subject[0],), fields, person=args.person, scope="alliance")
        here.publish()
        text = (
            f"{here.member} relies on the {target.kind} of {target.issuer}, {target.subject[0].name}, until "
            f"{limits['until']}, up to criticality {limits['criticality_max']}\n{told(here, recorded)}"
        )
        emit(args, text, recorded_value(here, recorded) | {"reliance": fields})
    return 0


def _check(args: argparse.Namespace) -> int:
    from watchword import node
    from watchword.account.reliance import relied_on

    with node.Node.open(node.find_home(args.home), writing=False) as here:
        view = here.latest_view()
        found = relied_on(here.charter, view, here.facts(view), here.member, here.clock.now())
    lines = [one_line(f"{'fell ' if one.why else 'holds'}  {one.told()}  {one.why}".rstrip()) for one in found]
    fell = any(one.why for one in found)
    value = {"reliances": [one.value() for one in found], "schema": "watchword-reliances/1", "yes": not fell}
    emit(args, "\n".join(lines) or "nothing is relied on", value)
    return 1 if fell else 0


def _limits(args: argparse.Namespace) -> dict[str, Any]:
    """The limits from ``--limits FILE`` (TOML) or the options; an end is always said."""
    from watchword.policy.use_case import read_toml
    from watchword.statements.times import parse_time

    said: dict[str, Any] = read_toml(Path(args.limits), CannotRely) if args.limits else {}
    if unknown := sorted(said.keys() - {"criticality_max", "until", "tags", "members"}):
        raise CannotRely(f"{args.limits}: {unknown[0][:80]} is no limit", "criticality_max, until, tags, members")
    limits = {"criticality_max": args.criticality_max, "until": args.until, "tags": args.tag, "members": args.member}
    limits |= {name: value for name, value in said.items() if limits[name] in (None, [])}
    for name in ("criticality_max", "until"):
        if limits[name] is None:
            raise CannotRely(f"{args.limits or 'rely'}: {name} is not said", "a reliance has a criticality and an end")
    parse_time(str(limits["until"]))
    return limits

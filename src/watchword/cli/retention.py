"""``watchword retention``: what this home holds on persons, until when, and its erasure."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from watchword.cli.output import emit
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.node.people import Person


class NothingToErase(WatchwordError):
    """Neither who nor why, or a rule where none is."""


def show(args: argparse.Namespace) -> int:
    """Who is named here, by which label, what they signed, and when the name is to go; exit 1 when one is overdue."""
    from watchword import node
    from watchword.node.people import due, people
    from watchword.statements.times import SystemClock

    home, clock = node.find_home(args.home), SystemClock()
    found = people(home, clock)
    days = node.read_home(home).people_days
    over = due(found, clock.now())
    rule = "no rule: [retention] people_days = N in node.toml makes one" if days is None else f"rule: {_rule(days)}"
    lines = [rule, *(_line(one, one.label in over) for one in found)]
    value = {"days": days, "due": over, "people": [one.value() for one in found], "schema": "watchword-retention/1"}
    emit(args, "\n".join(lines), value)
    return 1 if over else 0


def name(args: argparse.Namespace) -> int:
    """Keep in this home alone who a label is."""
    from watchword import node
    from watchword.node.people import note
    from watchword.statements.times import SystemClock

    note(node.find_home(args.home), args.label, args.name, args.contact, SystemClock())
    text = f"{args.label}: kept here alone; nothing that is signed or sent holds it"
    emit(args, text, {"label": args.label, "schema": "watchword-person-named/1"})
    return 0


def erase(args: argparse.Namespace) -> int:
    """Take names out for good: of one label with a reason, or all that the rule says."""
    from watchword import node
    from watchword.node.people import due, people
    from watchword.node.people import erase as erase_names
    from watchword.statements.times import SystemClock

    home, clock = node.find_home(args.home), SystemClock()
    if args.due == bool(args.label) or bool(args.label) != bool(args.reason):
        raise NothingToErase("say LABEL and --reason, or --due", "watchword retention show says who is due")
    if args.due:
        days = node.read_home(home).people_days
        if days is None:
            raise NothingToErase(f"{home}: has no rule", "[retention] people_days = N in node.toml makes one")
        labels, rule = due(people(home, clock), clock.now()), _rule(days)
    else:
        labels, rule = [args.label], args.reason
    if labels:
        erase_names(home, labels, rule, clock)
    text = f"erased under: {rule}\n" + "\n".join(f"  {label}" for label in labels) if labels else "nobody is due"
    text += "\nbackups made before still hold them: destroy those" if labels else ""
    emit(args, text, {"erased": labels, "rule": rule, "schema": "watchword-erased/1"})
    return 0


def _rule(days: int) -> str:
    return f"people_days = {days}"


def _line(one: Person, over: bool) -> str:
    who = f"{one.name}{f' ({one.contact})' if one.contact else ''}" if one.name else "no name is held"
    if one.erased is not None:
        who = f"erased on {one.erased[0]} under: {one.erased[1]}"
    signed = f"{one.signed} signed" + (f", last {one.last}" if one.last else "")
    key = "key in force" if one.in_force else "no key in force"
    until = f"; {'DUE since' if over else 'until'} {one.until}" if one.until else ""
    return f"{one.label}  {who}; {', '.join(one.roles) or 'no role'}; {key}; {signed}{until}"

"""``watchword caveat``: add one and see its price first; list, show, lift."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, one_line, passphrase, short
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.node import Node
    from watchword.statements.statement import Statement


class NoCaveat(WatchwordError):
    """What is named is no caveat, or not this member's."""


def add(args: argparse.Namespace) -> int:
    """Show what the caveat would stop, and for whom; sign it when that was agreed to; exit 1 when it was not."""
    from watchword import node
    from watchword.account.knowing import known
    from watchword.account.price import price
    from watchword.cli.notice import notice_subject
    from watchword.cli.statement import recorded_value, told
    from watchword.policy.caveat import read_caveat

    fields = read_caveat(args.file)
    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        knows = known(here)
        cost = price(here.charter, knows.view, knows.facts, here.member, fields, knows.uses, knows.now)
        rules = [f"  {rule['id']}: {rule['text']}" for rule in fields["rules"]]
        rules += ["  and free policies, which verify.py does not make again"] if fields["cedar"] else []
        lines = [f"caveat {fields['name']} of {here.member}", *rules, *cost.told()]
        value: dict[str, Any] = {"price": cost.value(), "recorded": None, "schema": "watchword-caveat-added/1"}
        if not (args.yes or _agreed(fields["name"], lines)):
            emit(args, "\n".join([*lines, "nothing was signed; sign it with --yes"]), value)
            return 1
        target = f"caveat:{here.member}"
        recorded = here.sign_and_append(
            "caveat", notice_subject(target), {**fields, "target": target}, person=args.person, scope="alliance"
        )
        here.publish()
        lines.append(told(here, recorded))
        emit(args, "\n".join(lines), value | {"recorded": recorded_value(here, recorded)})
    return 0


def list_(args: argparse.Namespace) -> int:
    """List every caveat held, whose it is, and whether it stands."""
    from watchword import node

    with node.Node.open(node.find_home(args.home), writing=False) as here:
        rows = _caveats(here)
    lines = [
        one_line(f"{place:16} {s.issuer:10} {s.predicate['name']}: {s.predicate['reason']}")
        + ("" if stands else "  (lifted)")
        for place, s, stands in rows
    ]
    value = [
        {"id": s.id, "member": s.issuer, "name": s.predicate["name"], "stands": stands, "where": place}
        for place, s, stands in rows
    ]
    emit(args, "\n".join(lines) or "no caveat is held here", {"caveats": value, "schema": "watchword-caveats/1"})
    return 0


def show(args: argparse.Namespace) -> int:
    """Print one caveat: whose, since when, its rules, its free policies."""
    from watchword import node
    from watchword.charter.charter import Condition
    from watchword.charter.conditions import written

    with node.Node.open(node.find_home(args.home), writing=False) as here:
        place, statement, stands = _find(here, args.caveat)
    said = statement.predicate
    lines = [
        f"{said['name']}, caveat of {statement.issuer} ({place}, {said['made']}){'' if stands else ', lifted'}",
        f"  {said['reason']}",
    ]
    for rule in said["rules"]:
        when = " and ".join(written(Condition(**one)) for one in rule["forbid"]) or "always"
        lines.append(f"  {rule['id']}  on {rule['on']}, never when {when}")
        lines.append(f"    {rule['text']} (answers for it: {rule['accountable']})")
    lines += [f"  {line}" for line in (said["cedar"] or "").splitlines()]
    value = {"id": statement.id, "predicate": said, "schema": "watchword-caveat/1", "stands": stands, "where": place}
    emit(args, "\n".join(one_line(line) for line in lines), value)
    return 0


def lift(args: argparse.Namespace) -> int:
    """Lift a caveat of this member's; it stands until the lift is in a cosigned ledger."""
    from watchword import node
    from watchword.cli.notice import notice_subject
    from watchword.cli.statement import recorded_value, told

    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        place, statement, _ = _find(here, args.caveat)
        if statement.issuer != here.member:
            raise NoCaveat(f"{place}: a caveat of {statement.issuer}", "only the member whose it is lifts it")
        target = f"caveat:{here.member}"
        fields = {"notice": statement.id, "reason": args.reason, "target": target}
        recorded = here.sign_and_append(
            "lift", notice_subject(target), fields, person=args.person, scope="alliance"
        )
        here.publish()
        name = statement.predicate["name"]
        text = f"{name} is lifted: it stands until others have cosigned this\n{told(here, recorded)}"
        emit(args, text, recorded_value(here, recorded))
    return 0


def _agreed(name: str, lines: list[str]) -> bool:
    """Ask on a terminal; without one nobody has agreed."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print("\n".join(map(one_line, lines)), file=sys.stderr)
    print(f"Type {one_line(name)} to sign it; anything else signs nothing: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() == name


def _caveats(here: Node) -> list[tuple[str, Statement, bool]]:
    """Every caveat with standing, in the view or loose, with its place and whether it stands in the newest view."""
    from watchword.account.knowing import of_kind
    from watchword.ledger.listing import notices

    view = here.latest_view()
    facts = here.facts(view)
    names = [f"caveat:{member.name}" for member in here.charter.members]
    stands = {one.signed.statement.id: one.kind == "caveat" for one in notices(here.charter, view, facts, names, {})
              if one.signed is not None}  # fmt: skip
    loose = [("loose", one.statement) for one in here.loose() if one.statement.kind == "caveat"]
    found: dict[str, tuple[str, Statement, bool]] = {}
    for place, statement in [*of_kind(here, "caveat"), *loose]:
        found.setdefault(statement.id, (place, statement, stands.get(statement.id, True)))
    return list(found.values())


def _find(here: Node, what: str) -> tuple[str, Statement, bool]:
    rows = _caveats(here)
    for place, statement, stands in rows:
        if what in (place, statement.id, statement.predicate["name"]):
            return place, statement, stands
    listed = ", ".join(f"{place} ({short(statement.id)})" for place, statement, _ in rows[:8])
    raise NoCaveat(f"{what}: no caveat held here", f"held: {listed}" if rows else "none is held")

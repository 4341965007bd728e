"""``watchword recall``: answer a recall, see who has, exercise one. Issuing one is ``watchword notice recall``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from watchword.cli.output import emit, lower, one_line, passphrase

if TYPE_CHECKING:
    from watchword.node import Node


def answer(args: argparse.Namespace) -> int:
    """Reckon at home what a recall hits, print it, and share only no, yes or done; exit 1 where something is hit."""
    from watchword import node
    from watchword.account.answering import reckon
    from watchword.cli.statement import recorded_value, told
    from watchword.node.cataloguing import begun
    from watchword.statements.statement import Subject

    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        id = _meant(here, args.recall)
        with begun(here) as catalog:
            found = reckon(
                here, id, done=args.done, since=args.since, hit=args.hit, alternative=args.alternative, catalog=catalog
            )
        hits, fields, said = found.hits, found.fields, found.fields["answer"]
        recorded = here.sign_and_append("recall-answer", (Subject("statement", id),), fields, person=args.person)
        here.publish()
        lines = [f"{said.upper()}  to {'the exercise of ' if found.exercise else ''}the recall of {found.what}"]
        lines += [f"  hit here, and told nobody: {hit.name} ({hit.release})" for hit in hits]
        lines.append(told(here, recorded))
        value = recorded_value(here, recorded) | {
            "answer": said, "closed": fields["closed"], "recall": id,
            "hit": [{"name": one.name, "release": one.release} for one in hits],
            "schema": "watchword-recall-answered/1",
        }  # fmt: skip
    emit(args, "\n".join(one_line(line) for line in lines), value)
    return 1 if said == "yes" else 0


def status(args: argparse.Namespace) -> int:
    """Every recall with who has answered, late ones first; exit 1 where somebody is late."""
    from watchword import node
    from watchword.account.answering import NoRecall
    from watchword.account.recalls import SCHEMA, orders, render

    with node.Node.open(node.find_home(args.home), writing=False) as here:
        view = here.latest_view()
        found = orders(here.charter, view, here.facts(view), here.clock.now())
    if args.recall:
        found = tuple(one for one in found if args.recall in (*one.ids, one.directive))
        if not found:
            raise NoRecall(f"{args.recall}: no recall of this id or number is held here", "watchword recall status")
    late = any(one.late for one in found)
    text = "\n".join(one_line(line) for line in render(found).splitlines())
    emit(args, text, {"late": late, "recalls": [one.value() for one in found], "schema": SCHEMA})
    return 1 if late else 0


def _meant(here: Node, what: str) -> str:
    """The id of the recall that an id, number or locator means."""
    from watchword.account.answering import NoRecall, recalls_held
    from watchword.account.recalls import said_alike
    from watchword.node import NotHere

    held = recalls_held(here)
    if what in held:
        return what
    numbered = [id for id, one in held.items() if one.statement.predicate["directive"] == what]
    if ids := sorted({said_alike(held, id)[0].statement.id for id in numbered}):
        if len(ids) > 1:
            raise NoRecall(f"{what}: {len(ids)} recalls have this number", f"answer each: {', '.join(ids)}")
        return ids[0]
    try:
        id = str(here.locate(what).signed.statement.id)
    except NotHere as error:
        raise NoRecall(f"{what}: no recall of this id, number or locator is held here", lower(error.hint)) from error
    if id not in held:
        raise NoRecall(f"{what}: not a recall", "watchword recall status lists them")
    return id

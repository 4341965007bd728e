"""``watchword recall``: answer a recall, see who has, exercise one. Issuing one is ``watchword notice recall``."""

from __future__ import annotations

import argparse
from typing import Any

from watchword.cli.output import emit, lower, one_line, passphrase


def answer(args: argparse.Namespace) -> int:
    """Reckon at home what a recall hits, print it, and share only no, yes or done; exit 1 where something is hit."""
    from watchword import node
    from watchword.account.answering import NoRecall, reckon
    from watchword.account.recalls import orders
    from watchword.cli.statement import recorded_value, told
    from watchword.ledger.exercises import held_recalls
    from watchword.statements.statement import Subject

    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        facts, now = here.facts(here.latest_view()), here.clock.now()
        known = orders(here.charter, here.latest_view(), facts, now)
        held = held_recalls(facts)
        wanted = args.recall if args.recall in held else None
        if wanted is None:
            named = [one for one in known if args.recall == one.directive]
            ids = [one.ids[0] for one in named] or [_located(here, args.recall, held)]
        else:
            ids = [wanted]
        if len(ids) > 1:
            raise NoRecall(f"{args.recall}: {len(ids)} recalls have this number", f"answer each: {', '.join(ids)}")
        id = ids[0]
        found = reckon(here, id, done=args.done, since=args.since, hit=args.hit, alternative=args.alternative)
        order, hits, fields, said = found.order, found.hits, found.fields, found.fields["answer"]
        recorded = here.sign_and_append("recall-answer", (Subject("statement", id),), fields, person=args.person)
        here.publish()
        lines = [f"{said.upper()}  to {'the exercise of ' if order.exercise else ''}the recall of {order.what}"]
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


def _located(here: Any, what: str, held: Any) -> str:
    from watchword.account.answering import NoRecall
    from watchword.node import NotHere

    try:
        id = str(here.locate(what).signed.statement.id)
    except NotHere as error:
        raise NoRecall(f"{what}: no recall of this id, number or locator is held here", lower(error.hint)) from error
    if id not in held:
        raise NoRecall(f"{what}: not a recall", "watchword recall status lists them")
    return id

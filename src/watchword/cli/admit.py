"""``watchword admit``: decide, on one or on many; explain; suppose."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, passphrase, write_new
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.ledger.proof import Proof
    from watchword.node import Node
    from watchword.policy.admission import Admission
    from watchword.policy.hypothesis import WhatIf, World
    from watchword.statements.statement import Signed, Subject


class NoCharter(WatchwordError):
    """A charter is needed, and none was named."""


class NotBoth(WatchwordError):
    """Options that exclude each other."""


@dataclass(frozen=True)
class Asked:
    """What was asked, and what it came to."""

    subject: Subject
    use_case: Mapping[str, Any]
    admission: Admission


def run(args: argparse.Namespace) -> int:
    """Decide on each release for each use case; exit 0 when all are admitted."""
    from watchword import node
    from watchword.cli.statement import recorded_value, scope, told
    from watchword.policy.use_case import read_use_case
    from watchword.statements.times import parse_time, rfc3339

    _refuse_mixed(args)
    use_cases = [read_use_case(path) for path in args.use]
    if args.at:
        parse_time(args.at)
    if args.bundle:
        return _from_bundle(args, use_cases)
    recording = not (args.no_record or args.at or args.view or args.what_if)
    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=recording) as here:
        as_of = args.at or rfc3339(here.clock.now())
        world, what_if = _world(args, here), _what_if(args)
        asked = _decide(args.releases, use_cases, world, here, as_of, what_if)
        lines = _texts(args, asked, what_if)
        values = [_value(one, what_if) for one in asked]
        for one, value in zip(asked, values, strict=True) if recording else ():
            recorded = here.record_decision(
                one.admission.decision, one.admission.objects, person=args.person, scope=scope(args)
            )
            here.publish()
            lines.append(told(here, recorded))
            value["recorded"] = recorded_value(here, recorded)
        if args.report:
            from watchword.assure import decision_page

            write_new(args.report, decision_page(here, asked[0].admission, world.facts).encode())
            lines.append(f"wrote {args.report}")
    return _emitted(args, lines, values, None)


def _refuse_mixed(args: argparse.Namespace) -> None:
    if (args.bundle is None) != (args.charter is None):
        raise NoCharter("--bundle and --charter go together", "a file proves nothing but under a charter you trust")
    if args.bundle and (args.view or args.report):
        raise NotBoth("--bundle has its own view, and makes no page", "leave out --view and --report")
    if args.report and (args.what_if or len(args.use) * len(args.releases) > 1):
        raise NotBoth("--report is the page of one decision, and of a real one", "leave out --what-if; name one use")


def _from_bundle(args: argparse.Namespace, use_cases: Sequence[Mapping[str, Any]]) -> int:
    """Decide offline on what one file proves; a file that proves nothing is a no."""
    from watchword.charter.charter import read_charter_file
    from watchword.charter.standing import NotInForce
    from watchword.ledger.bundle import BadBundle
    from watchword.ledger.proof import NotProven, verify_proof
    from watchword.policy.hypothesis import World
    from watchword.statements.times import SystemClock, rfc3339

    now = SystemClock().now()
    try:
        proof = verify_proof(read_charter_file(args.charter), args.bundle.read_bytes(), now, str(args.bundle))
        whole = proof.absence()
    except (NotProven, NotInForce, BadBundle) as error:
        value = {"admissions": [], "admitted": False, "schema": "watchword-admissions/1", "why": error.message}
        emit(args, f"REFUSED  {error.message}", value)
        return 1
    if whole is None:
        hint = "make it with: watchword ledger no-notice RELEASE"
        raise NotBoth(f"{args.bundle}: states nothing about bad news", hint)
    as_of, what_if = args.at or rfc3339(now), _what_if(args)
    world = World(proof.charter, proof.newest_view(), proof.facts)
    asked = _decide(args.releases, use_cases, world, _Proven(proof), as_of, what_if)
    for one in asked:
        if f"release:{one.subject.digest}" not in whole.names:
            hint = "name it when the file is made: watchword ledger no-notice"
            raise NotBoth(f"{args.bundle}: nothing is stated about {one.subject.name}", hint)
    shown = [f"on what {proof.bundle.sender} shows in {args.bundle}, bad news whole as of {whole.as_of}"]
    return _emitted(args, _texts(args, asked, what_if) + shown, [_value(one, what_if) for one in asked], whole.as_of)


@dataclass(frozen=True)
class _Proven:
    """A proof as a record in which releases are named."""

    proof: Proof

    def statements(self) -> list[Signed]:
        return [fact.signed for fact in self.proof.facts.statements]


def _world(args: argparse.Namespace, here: Node) -> World:
    from watchword.node.viewing import view_of
    from watchword.policy.hypothesis import World

    view = view_of(here, args.view) if args.view else here.latest_view()
    return World(here.charter, view, here.facts(view))


def _what_if(args: argparse.Namespace) -> WhatIf | None:
    from watchword.policy.hypothesis import read_what_if

    return read_what_if(args.what_if) if args.what_if else None


def _decide(
    releases: Sequence[str], use_cases: Sequence[Mapping[str, Any]], world: World, record: Any, as_of: str,
    what_if: WhatIf | None,
) -> list[Asked]:  # fmt: skip
    from watchword.cli.subject import release
    from watchword.policy.admission import admit
    from watchword.policy.hypothesis import apply
    from watchword.statements.times import parse_time

    asked = []
    for subject in [release(text, record) for text in releases]:
        then = world if what_if is None else apply(world, what_if, subject, parse_time(as_of))
        for use_case in use_cases:
            admission = admit(then.charter, then.view, then.facts, as_of, subject, use_case)
            asked.append(Asked(subject, use_case, admission))
    return asked


def _texts(args: argparse.Namespace, asked: Sequence[Asked], what_if: WhatIf | None) -> list[str]:
    """One decision in full, or a table of many; what is supposed stands above, and in every line of a verdict."""
    from watchword.policy.explain import render_full, render_text

    lines = [] if what_if is None else ["HYPOTHETICAL: nothing of this is signed or recorded"]
    lines += [f"  supposing  {line}" for line in what_if.told()] if what_if else []
    if len(asked) > 1:
        lines += _table(asked, what_if is not None)
    if len(asked) == 1 or args.explain:
        render = render_full if args.explain else render_text
        lines += [("HYPOTHETICAL " if what_if else "") + render(one.admission.explanation) for one in asked]
    return lines


def _table(asked: Sequence[Asked], hypothetical: bool) -> list[str]:
    rows = [("use", "release", "verdict", "what stands in the way")]
    for one in asked:
        explained = one.admission.explanation
        unmet = [row["id"] for row in explained["requirements"] if row["state"] == "unmet"]
        missing = explained["missing"] or {"unlifted": []}
        stays = [f"{it['what']} {it['id'][:19]}" for it in missing["unlifted"] if it["what"] != "failing evidence"]
        verdict = ("hypothetically " if hypothetical else "") + explained["verdict"].upper()
        rows.append((one.use_case["name"], one.subject.name, verdict, ", ".join(unmet + stays) or "nothing"))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return ["  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[3]]) for row in rows]


def _value(one: Asked, what_if: WhatIf | None) -> dict[str, Any]:
    """A real decision with its object; of a supposed one only the explanation, so that nobody takes it for one."""
    if what_if is None:
        return one.admission.explanation | {"decision": one.admission.decision, "hypothetical": None}
    return one.admission.explanation | {"decision": None, "hypothetical": what_if.told()}


def _emitted(args: argparse.Namespace, lines: list[str], values: list[dict[str, Any]], as_of: str | None) -> int:
    admitted = all(value["verdict"] == "admitted" for value in values)
    value = values[0]
    if len(values) > 1 or args.bundle:
        value = {
            "admissions": values, "admitted": admitted, "bad_news_as_of": as_of, "schema": "watchword-admissions/1",
        }  # fmt: skip
    emit(args, "\n".join(lines), value)
    return 0 if admitted else 1

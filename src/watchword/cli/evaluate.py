"""``watchword evaluate``: plans, runs, replays and replications of evaluations under attack."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, one_line, passphrase, progress, write_new
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.evaluate.plan import Plan
    from watchword.evaluate.run import Result
    from watchword.evaluate.subjects import Asked
    from watchword.node import Node
    from watchword.node.recorded import Located
    from watchword.record.evaluating import Compared, Draw

BOUND = "an upper bound for the attacks tried: another attack can only lower it"


class NotAsPlanned(WatchwordError):
    """What is at hand is not what the plan names, or is missing."""


def lint(args: argparse.Namespace) -> int:
    """Say what a plan cannot show; exit 1 when there is something."""
    from watchword.evaluate.plan import lint

    plan = _plan(args)
    found = lint(plan)
    lines = [f"{one.id:<12} {one.text}" for one in found]
    value = {
        "concerns": [vars(one) for one in found], "digest": plan.digest, "name": plan.name,
        "schema": "watchword-plan-lint/1",
    }  # fmt: skip
    emit(args, "\n".join([*lines, f"{plan.name} ({plan.digest}): {len(found) or 'nothing'} found"]), value)
    return 1 if found else 0


def commit(args: argparse.Namespace) -> int:
    """Sign and record a plan before it runs."""
    from watchword import node
    from watchword.cli.statement import recorded_value, scope, told
    from watchword.cli.subject import release, release_name
    from watchword.record.evaluating import commit_plan

    plan = _plan(args)
    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        subject = release(plan.subject.release, here, release_name(args, "") if args.system else None)
        recorded = commit_plan(here, plan, subject, draw_from=args.draw_from, person=args.person, scope=scope(args))
        beacon = here.locate(recorded.locator).signed.statement.predicate["beacon"]
        here.publish()
        lines = [f"COMMITTED  {plan.name} ({plan.digest})", told(here, recorded)]
        if beacon is None:
            lines.append("nobody else is there to draw from: the draw will be this member's own")
        else:
            whose = here.charter.origins[beacon["origin"]].member.name
            lines.append(f"seed and sample come from entry {beacon['size']} of {whose}'s ledger, not there yet")
        value = {"beacon": beacon, "plan": plan.digest, "schema": "watchword-plan-committed/1"}
        emit(args, "\n".join(lines), value | {"recorded": recorded_value(here, recorded)})
    return 0


def run(args: argparse.Namespace) -> int:
    """Run a committed plan and record what it found; exit 1 when the interval is not on the good side."""
    from watchword import node
    from watchword.cli.statement import recorded_value, told
    from watchword.record.evaluating import draw_of, find_plan, record_evaluation

    if args.rehearse:
        return _rehearse(args)
    home = node.find_home(args.home)
    with node.Node.open(home, passphrase=passphrase(args), writing=True) as here:
        committed = _committed(args, here) or find_plan(here, _plan(args))
        draw = draw_of(here, committed)
        plan = _at_hand(args, committed)
        result = _result(args, plan, draw, _journal(here, committed.signed.statement.id, draw))
        recorded = record_evaluation(here, result, committed, draw, person=args.person)
        here.publish()
        drawn = "own draw, unwitnessed" if draw.own else f"drawn from entry {draw.size} of {draw.origin}"
        lines = [*_lines(result), f"  {drawn}", told(here, recorded)]
        value = result_value(result) | {"drawn": draw.value(), "recorded": recorded_value(here, recorded)}
    lines += _page(args, result)
    emit(args, "\n".join(lines), value)
    return 0 if result.meets else 1


def _rehearse(args: argparse.Namespace) -> int:
    plan = _plan(args)
    result = _run(args, plan, args.rehearse, None)
    lines = [*_lines(result), "  a rehearsal: with a seed of one's own choice; nothing was recorded"]
    lines += _page(args, result)
    emit(args, "\n".join(lines), result_value(result))
    return 0 if result.meets else 1


def replay(args: argparse.Namespace) -> int:
    """Run an evaluation again with the same seed and sample; exit 1 when anything comes out otherwise."""
    from watchword.record.evaluating import Compared, compare_replay, draw_of

    def compared(here: Node, found: Located, planned: Located, plan: Plan) -> tuple[Compared, Result, Draw]:
        said = found.signed.statement.predicate
        draw = draw_of(here, planned)
        result = _result(args, plan, draw, _journal(here, found.signed.statement.id, draw))
        if said["drawn"] != draw.value() or said["seed"] != draw.seed:
            return Compared(False, "seed and sample are not those that the plan's draw gives"), result, draw
        return compare_replay(here, found.signed.statement, result), result, draw

    return _opinion(args, "replay", compared)


def replicate(args: argparse.Namespace) -> int:
    """Run the plan of an evaluation on a fresh sample; exit 1 when the two cannot both be true."""
    from watchword.record.evaluating import compare_replication, draw_again

    if args.on_behalf and args.library:
        raise NotAsPlanned("a run on behalf of another is the plan's own", "leave --library out")

    def compared(here: Node, found: Located, planned: Located, plan: Plan) -> tuple[Compared, Result, Draw]:
        lab = None if args.third_lab is None else here.member
        draw = draw_again(here, found, args.on_behalf or args.third_lab or here.member, _place(here, args.at), lab)
        result = _result(args, plan, draw, _journal(here, found.signed.statement.id, draw))
        return compare_replication(here, found.signed.statement, result.k, result.n), result, draw

    if args.transcript:
        return _by_transcript(args)
    return _opinion(args, "replication", compared)


def _opinion(args: argparse.Namespace, of: str, compare: Any) -> int:
    from watchword import node
    from watchword.cli.statement import recorded_value, told
    from watchword.record.evaluating import record_evaluation, record_opinion, tool_of

    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        found, planned = _evaluation(here, args.statement)
        lab = of == "replication" and args.third_lab
        if lab:
            _third(here, found, lab)
        plan = _at_hand(args, planned)
        compared, result, draw = compare(here, found, planned, plan)
        if of == "replication" and args.on_behalf:
            recorded = record_evaluation(here, result, planned, draw, person=args.person)
            here.publish()
            emit(args, "\n".join([*_lines(result), f"a transcript for {args.on_behalf}: {told(here, recorded)}"]),
                 result_value(result) | {"recorded": recorded_value(here, recorded)})  # fmt: skip
            return 0
        recorded = record_opinion(
            here, found, compared, of=of, sharing="third-lab" if lab else "shared", draw=draw, n=result.n,
            k=result.k, seed=draw.seed, tool=tool_of(plan), flags=", ".join(result.flags), report=result.encoded(),
            person=args.person,
        )  # fmt: skip
        here.publish()
        value = {"recorded": recorded_value(here, recorded), "run": result_value(result)}
        return _told_opinion(args, here, found, compared, told(here, recorded), value, _page(args, result))


def _third(here: Node, evaluation: Located, asker: str) -> None:
    """That this member is a third between *asker* and the rest, before anything runs."""
    from watchword.record.third import interest

    held = [signed.statement for signed in here.statements()]
    here.charter.member(asker)
    if why := interest(here.charter, held, evaluation.signed.statement, here.member, asker):
        raise NotAsPlanned(f"{here.member} is no third lab: {why}", "ask a member that has no interest in it")


def _by_transcript(args: argparse.Namespace) -> int:
    """A replication that ran at its owner's node: its record is looked at, not the subject."""
    from watchword import node
    from watchword.cli.statement import recorded_value, told
    from watchword.record.evaluating import (
        Compared,
        compare_replication,
        draw_again,
        record_opinion,
        report_of,
    )

    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        found, planned = _evaluation(here, args.statement)
        other, _ = _evaluation(here, args.transcript)
        said, rows = other.signed.statement.predicate, report_of(here, other.signed.statement)
        drawn = said["drawn"] or {}
        at = _place(here, args.at) or (str(drawn.get("origin")), int(drawn.get("size", 0)))
        draw = draw_again(here, found, here.member, at)
        compared = compare_replication(here, found.signed.statement, said["k"], said["n"])
        fell = None if rows is None else sum(row["fell"] for row in rows)
        counted = fell if said["metric"] == "attack-success-rate" or rows is None else len(rows) - (fell or 0)
        if rows is None:
            raise NotAsPlanned(f"{args.transcript}: its report is not held here", "ask for it; it is the transcript")
        if (said["seed"], said["plan"]) != (draw.seed, planned.signed.statement.id):
            compared = Compared(False, f"the transcript is of another plan or draw than that for {here.member}")
        elif (counted, len(rows)) != (said["k"], said["n"]):
            compared = Compared(False, "the transcript's counts are not those of its rows")
        recorded = record_opinion(
            here, found, compared, of="replication", sharing="transcript", draw=draw, n=said["n"], k=said["k"],
            seed=draw.seed, tool=said["tool"], flags=said["flags"], report=None, person=args.person,
        )  # fmt: skip
        here.publish()
        weaker = ["  weaker: the subject answered at its owner's node, and nobody else saw it answer"]
        return _told_opinion(
            args, here, found, compared, told(here, recorded), {"recorded": recorded_value(here, recorded)}, weaker
        )


def _told_opinion(
    args: argparse.Namespace, here: Node, found: Located, compared: Compared, told: str, value: dict[str, Any],
    more: list[str],
) -> int:  # fmt: skip
    word = "AGREE" if compared.agrees else "DISPUTE"
    lines = [f"{word}  {found.locator} of {found.signed.statement.issuer}: {compared.reason}", told, *more]
    if not compared.agrees:
        lines.append(f"to make it count against the evidence: watchword notice dispute {found.locator} --reason TEXT")
    value |= {
        "agrees": compared.agrees, "reason": compared.reason, "schema": "watchword-opinion/1",
        "statement": found.signed.statement.id,
    }  # fmt: skip
    emit(args, "\n".join(lines), value)
    return 0 if compared.agrees else 1


# -- what is at hand -----------------------------------------------------------------------------------


def _plan(args: argparse.Namespace) -> Plan:
    from watchword.evaluate.plan import parse_toml

    path = Path(args.plan)
    if not path.is_file():
        raise NotAsPlanned(f"{path}: no such file", "a plan is TOML; docs/howto/evaluate.md has some")
    there = _at_these_paths(args)
    plan = parse_toml(path.read_bytes(), str(path), *there)
    verify_at_hand(plan, *there)
    return plan


def _committed(args: argparse.Namespace, here: Node) -> Located | None:
    """The plan's statement, where it was given by its id or locator."""
    if Path(args.plan).is_file():
        return None
    found = here.locate(args.plan)
    if found.signed.statement.kind != "plan":
        raise NotAsPlanned(f"{args.plan}: a {found.signed.statement.kind}, no plan")
    return found


def _at_hand(args: argparse.Namespace, planned: Located) -> Plan:
    """The plan, once subject and data are seen to be those it names; with another library where one is asked for."""
    import msgspec

    from watchword.evaluate.libraries import verify_offered
    from watchword.record.evaluating import read_plan

    plan = read_plan(planned.signed.statement)
    if args.data is None or (args.subject is None and args.url is None):
        raise NotAsPlanned(f"plan {plan.name} needs its subject and data", "--subject PATH (or --url), --data PATH")
    verify_at_hand(plan, *_at_these_paths(args))
    library = getattr(args, "library", None)
    if library:
        verify_offered(library, plan)
        plan = msgspec.structs.replace(plan, attack=msgspec.structs.replace(plan.attack, library=library))
    return plan


def verify_at_hand(plan: Plan, release: str | None, data: str | None, harness: str | None) -> None:
    for what, planned, there in (
        ("subject", plan.subject.release, release), ("data", plan.data.digest, data),
        ("harness", plan.subject.harness, harness),
    ):  # fmt: skip
        if there is not None and there != planned:
            words = f"plan {plan.name}: its {what} is {planned}, and this is {there}"
            raise NotAsPlanned(words, "nothing was recorded")


def _at_these_paths(args: argparse.Namespace) -> list[str | None]:
    """The digests of subject, data and harness; None for what was not given."""
    from watchword.inspect import manifest_of

    return [None if one is None else manifest_of(one).digest for one in (args.subject, args.data, args.harness)]


def _evaluation(here: Node, what: str) -> tuple[Located, Located]:
    """An evaluation and its plan."""
    found = here.locate(what)
    statement = found.signed.statement
    if statement.kind != "evaluation" or statement.predicate["plan"] is None:
        raise NotAsPlanned(f"{what}: no evaluation of a committed plan", "only such can be run again")
    return found, here.locate(statement.predicate["plan"])


def _place(here: Node, text: str | None) -> tuple[str, int] | None:
    """``MEMBER#SIZE`` as an origin and a size."""
    if text is None:
        return None
    name, _, size = text.rpartition("#")
    if not size.isdigit():
        raise NotAsPlanned(f"{text}: not MEMBER#SIZE", "such as CHARLIE#12")
    return here.charter.member(name).origins["ledger"], int(size)


def _journal(here: Node, id: str, draw: Draw) -> Path:
    names = "-".join(one.removeprefix("sha256:")[:32] for one in (id, draw.seed))
    return here.home / "evaluations" / f"{names}.jsonl"


def _result(args: argparse.Namespace, plan: Plan, draw: Draw, journal: Path) -> Result:
    return _run(args, plan, draw.seed, journal)


def _run(args: argparse.Namespace, plan: Plan, seed: str, journal: Path | None) -> Result:
    from watchword.evaluate.run import run
    from watchword.evaluate.samples import read_samples
    from watchword.evaluate.subjects import open_subject

    if args.data is None:
        raise NotAsPlanned(f"plan {plan.name} needs its data", "--data PATH")
    key = None if args.key_env is None else os.environ.get(args.key_env)
    if args.key_env is not None and not key:
        raise NotAsPlanned(f"${args.key_env}: not set", "the endpoint's key is taken from there; it is written nowhere")
    samples = read_samples(args.data, plan.data.form)

    def opened() -> Asked:
        return open_subject(plan.subject, args.subject, args.url, key, plan.attack.library, args.harness)

    with progress(args) as step:
        result = run(plan, seed, samples, opened, journal, step)
    # What lay there while it ran, not only before: else another subject could have answered.
    verify_at_hand(plan, *_at_these_paths(args))
    return result


# -- what is told --------------------------------------------------------------------------------------


def _lines(result: Result) -> list[str]:
    plan = result.plan
    word = "MEETS" if result.meets else "DOES NOT MEET"
    lines = [
        f"{word}  {plan.name}: {result.told()}",
        f"  {plan.method()}; {plan.threat.knowledge}; {plan.capability()}",
        f"  {result.done.clean_right} of {result.done.clean_asked} right without an attack; {result.errors} errors",
    ]
    if plan.counts_failures:
        lines.append("  a lower bound for the attacks tried: another attack can only raise it")
    else:
        lines.append(f"  {BOUND}")
    lines += [f"  flag {name}" for name in result.flags]
    lines += [one_line(f"  finding: it tried, and was not let: {attempt}") for attempt in result.attempts]
    return lines


def result_value(result: Result) -> dict[str, Any]:
    """The run as JSON, without its rows."""
    value = result.value()
    return {name: of for name, of in value.items() if name not in ("rows", "examples", "format", "plan")} | {
        "findings": list(result.attempts), "meets": result.meets, "plan": result.plan.digest,
        "schema": "watchword-evaluated/1",
    }  # fmt: skip


def _page(args: argparse.Namespace, result: Result) -> list[str]:
    if args.page is None:
        return []
    from watchword.evaluate.pictures import page

    write_new(args.page, page(result))
    return [f"wrote {args.page}"]

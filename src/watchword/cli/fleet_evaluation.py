"""``watchword fleet evaluate``: one plan on every model of a hub, to rehearse or as evidence."""

from __future__ import annotations

import argparse
import itertools
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.cli.evaluate import NotAsPlanned, verify_at_hand
from watchword.cli.fleet import at_work, check_recording, crew_of, of_many
from watchword.cli.output import emit, one_line, passphrase, say, short, whole_file, write_new

if TYPE_CHECKING:
    from watchword.evaluate.plan import Plan
    from watchword.evaluate.samples import Samples
    from watchword.fleet.evidence import NamedRelease
    from watchword.fleet.hub import Release
    from watchword.fleet.state import State
    from watchword.fleet.trials import Evaluated


def evaluate(args: argparse.Namespace) -> int:
    """Run a plan on every release of the hubs; exit 1 unless every one has a result that meets it."""
    from watchword.evaluate.run import verify_runnable
    from watchword.fleet import State, releases
    from watchword.fleet.evaluating import Trial, surroundings, tried
    from watchword.fleet.trials import evaluate_fleet

    home = None if args.rehearse else check_recording(args)
    template, samples = _template(args)
    verify_runnable(template, samples)
    fleet = list(itertools.chain.from_iterable(releases(hub, args.depth) for hub in args.hubs))
    with State(_state(args, home)) as state, tempfile.TemporaryDirectory(prefix="watchword-fleet-") as scratch:
        harness = None if args.harness is None else args.harness.resolve()
        trial = Trial(template, args.rehearse or "", samples, harness, scratch)
        with at_work(args, crew_of(args, trial, tried, surroundings), "models", len(fleet)) as (crew, tell):
            if home is not None:
                from watchword.fleet.evidence import named_fleet

                named = named_fleet(fleet, trial, crew, state, tell)
                if args.commit:
                    return _commit(args, home, template, named)
                fleet = _drawn(home, template, named)
            made = evaluate_fleet(fleet, trial, crew, state, tell)
        if args.output:
            write_new(whole_file(args.output), (state.at(one.place) + b"\n" for one in made))
            say(f"watchword: note: wrote {args.output}")
        locators, last = (None, _REHEARSED) if home is None else _recorded(args, home, made, state)
    meets = sum(one.told["meets"] for one in made)
    models = [one.told for one in made]
    if locators is not None:
        models = [told | {"recorded": locator} for told, locator in zip(models, locators, strict=True)]
    value = {"known": sum(one.before for one in made), "meets": meets, "models": models}
    emit(args, _text(template, made, locators, last), value | {"schema": "watchword-fleet-evaluated/1"})
    unrecorded = locators is not None and None in locators
    return 0 if meets == len(made) and not unrecorded else 1


_REHEARSED = "  a rehearsal: with a seed of one's own choice; nothing was recorded"


def _state(args: argparse.Namespace, home: Path | None) -> Path | None:
    """Evidence goes on where it was stopped without being asked to: in the node's folder, beside the journals."""
    if args.state is not None or home is None:
        return args.state  # type: ignore[no-any-return]
    home.joinpath("evaluations").mkdir(exist_ok=True)
    return home / "evaluations" / "fleet"


def _commit(args: argparse.Namespace, home: Path, template: Plan, named: list[NamedRelease]) -> int:
    """Commit the plan for every release; exit 1 when one cannot be committed for."""
    from watchword import node
    from watchword.cli.statement import scope
    from watchword.fleet.evidence import commit_fleet

    with node.Node.open(home, passphrase=passphrase(args), writing=True) as here:
        made = commit_fleet(
            here, template, named, draw_from=args.draw_from, person=args.person, scope=scope(args)
        )  # fmt: skip
        here.publish()
        alone = len(here.charter.operators) == 1
    lines = []
    for one in sorted(made, key=lambda one: one.plan is not None):
        word = "NOT COMMITTED" if one.plan is None else "COMMITTED"
        said = one.why if one.plan is None else one.plan + " (before)" * one.before
        lines.append(one_line(f"{word}  {one.name}  {short(one.release or 'no digest')}  {said}"))
    there, before = sum(one.plan is not None for one in made), sum(one.before for one in made)
    lines.append(
        f"{template.name}: {of_many(len(made), 'release')}: {there:,} committed, {len(made) - there:,} not"
        + (f"     {before:,} committed before" if before else "")
    )
    drawn = "seeds and samples come from another member's next entry: exchange, then --record"
    lines.append("  " + ("nobody else is there to draw from: the draws will be this member's own" if alone else drawn))
    value = {"before": before, "committed": there, "plans": [asdict(one) for one in made]}
    emit(args, "\n".join(lines), value | {"schema": "watchword-fleet-committed/1"})
    return 0 if there == len(made) else 1


def _drawn(home: Path, template: Plan, named: list[NamedRelease]) -> list[Release]:
    from watchword import node
    from watchword.fleet.evidence import drawn_fleet

    with node.Node.open(home) as here:
        return drawn_fleet(here, template, named)


def _recorded(
    args: argparse.Namespace, home: Path, made: list[Evaluated], state: State
) -> tuple[list[str | None], str]:
    """The locators of what was recorded, and a line on it."""
    from watchword import node
    from watchword.fleet.evidence import record_fleet

    with node.Node.open(home, passphrase=passphrase(args), writing=True) as here:
        locators = record_fleet(here, made, state, person=args.person)
        here.publish()
        return locators, f"recorded {of_many(sum(one is not None for one in locators), 'evaluation')} by {here.member}"


def _template(args: argparse.Namespace) -> tuple[Plan, Samples]:
    """The plan, whose release is each model's, and its data, once that is seen to be what the plan names."""
    from watchword.evaluate.plan import parse_toml
    from watchword.evaluate.samples import read_samples
    from watchword.fleet.evaluating import EACH
    from watchword.inspect import manifest_of

    if not args.plan.is_file():
        raise NotAsPlanned(f"{args.plan}: no such file", "a plan is TOML; docs/howto/evaluate.md has some")
    harness = None if args.harness is None else manifest_of(args.harness).digest
    data = manifest_of(args.data).digest
    plan = parse_toml(args.plan.read_bytes(), str(args.plan), EACH, data, harness)
    if plan.subject.interface not in ("onnx", "python"):
        raise NotAsPlanned(f"plan {plan.name}: its subject is an endpoint", "a hub holds releases: onnx or python")
    if plan.subject.release != EACH:
        raise NotAsPlanned(f"plan {plan.name} is about one release", "leave `release` out: it is each model's own")
    if (args.harness is None) != (plan.subject.harness is None):
        raise NotAsPlanned(f"plan {plan.name} needs its harness", "--harness FILE")
    verify_at_hand(plan, None, data, harness)
    samples = read_samples(args.data, plan.data.form)
    verify_at_hand(plan, None, manifest_of(args.data).digest, None)  # what was read, not what lay there before
    return plan, samples


def _text(plan: Plan, made: list[Evaluated], locators: list[str | None] | None, last: str) -> str:
    """A line for each release, what has no result first; counts last."""
    lines = []
    told = zip((one.told for one in made), locators or itertools.repeat(None), strict=False)
    for one, locator in sorted(told, key=lambda each: (not each[0]["why"], each[0]["meets"])):
        word = "NO RESULT" if one["why"] else "MEETS" if one["meets"] else "DOES NOT MEET"
        where = "" if locators is None or one["why"] else f"  {locator or 'NOT RECORDED'}"
        said = (one["why"] or _said(one)) + where
        lines.append(one_line(f"{word}  {one['name']}  {short(one['release'] or 'no digest')}  {said}"))
    meets, without = sum(one.told["meets"] for one in made), sum(bool(one.told["why"]) for one in made)
    known = sum(one.before for one in made)
    lines.append(
        f"{plan.name}: {of_many(len(made), 'release')}: {meets:,} meet it, {len(made) - meets - without:,} do not, "
        f"{without:,} without a result" + (f"     {known:,} known before" if known else "")
    )
    return "\n".join([*lines, last])


def _said(one: dict[str, Any]) -> str:
    of = one["evaluation"]
    more = [f"{of['errors']:,} errors"] * bool(of["errors"]) + [f"flag {name}" for name in of["flags"]]
    more += [f"{len(of['findings']):,} attempts that were not let"] * bool(of["findings"])
    return "; ".join([one["told"], *more])

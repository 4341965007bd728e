"""``watchword fleet evaluate``: one plan on every model of a hub."""

from __future__ import annotations

import argparse
import itertools
import tempfile
from typing import TYPE_CHECKING, Any

from watchword.cli.evaluate import NotAsPlanned, verify_at_hand
from watchword.cli.fleet import at_work, crew_of, of_many
from watchword.cli.output import emit, one_line, say, short, whole_file, write_new

if TYPE_CHECKING:
    from watchword.evaluate.plan import Plan
    from watchword.evaluate.samples import Samples
    from watchword.fleet.trials import Evaluated


def evaluate(args: argparse.Namespace) -> int:
    """Run a plan on every release of the hubs; exit 1 unless every one has a result that meets it."""
    from watchword.evaluate.run import verify_runnable
    from watchword.fleet import State, releases
    from watchword.fleet.evaluating import Trial, surroundings, tried
    from watchword.fleet.trials import evaluate_fleet

    template, samples = _template(args)
    verify_runnable(template, samples)
    fleet = list(itertools.chain.from_iterable(releases(hub, args.depth) for hub in args.hubs))
    with State(args.state) as state, tempfile.TemporaryDirectory(prefix="watchword-fleet-") as scratch:
        harness = None if args.harness is None else args.harness.resolve()
        trial = Trial(template, args.rehearse, samples, harness, scratch)
        with at_work(args, crew_of(args, trial, tried, surroundings), "models", len(fleet)) as (crew, tell):
            made = evaluate_fleet(fleet, trial, crew, state, tell)
        if args.output:
            write_new(whole_file(args.output), (state.at(one.place) + b"\n" for one in made))
            say(f"watchword: note: wrote {args.output}")
    meets = sum(one.told["meets"] for one in made)
    value = {"known": sum(one.before for one in made), "meets": meets, "models": [one.told for one in made]}
    emit(args, _text(template, made), value | {"schema": "watchword-fleet-evaluated/1"})
    return 0 if meets == len(made) else 1


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


def _text(plan: Plan, made: list[Evaluated]) -> str:
    """A line for each release, what has no result first; counts last."""
    lines = []
    for one in sorted((one.told for one in made), key=lambda told: (not told["why"], told["meets"])):
        word = "NO RESULT" if one["why"] else "MEETS" if one["meets"] else "DOES NOT MEET"
        said = one["why"] or _said(one)
        lines.append(one_line(f"{word}  {one['name']}  {short(one['release'] or 'no digest')}  {said}"))
    meets, without = sum(one.told["meets"] for one in made), sum(bool(one.told["why"]) for one in made)
    known = sum(one.before for one in made)
    lines.append(
        f"{plan.name}: {of_many(len(made), 'release')}: {meets:,} meet it, {len(made) - meets - without:,} do not, "
        f"{without:,} without a result" + (f"     {known:,} known before" if known else "")
    )
    return "\n".join([*lines, "  a rehearsal: with a seed of one's own choice; nothing was recorded"])


def _said(one: dict[str, Any]) -> str:
    of = one["evaluation"]
    more = [f"{of['errors']:,} errors"] * bool(of["errors"]) + [f"flag {name}" for name in of["flags"]]
    more += [f"{len(of['findings']):,} attempts that were not let"] * bool(of["findings"])
    return "; ".join([one["told"], *more])

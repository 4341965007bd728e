"""The part of the tree of commands under ``watchword evaluate``. Imports argparse and nothing heavy."""

from __future__ import annotations

from pathlib import Path

from watchword.cli.arguments import Sub, noun, person, release_names, sandboxed, signer, verb


def evaluations(commands: Sub) -> None:
    """Plans, runs, and what others make of them."""
    evaluate = noun(commands, "evaluate", "how a release behaves under attack: plans, runs, second opinions")
    lint = verb(evaluate, "lint", "evaluate:lint", "say what a plan cannot show, before anybody runs it")
    commit = verb(evaluate, "commit", "evaluate:commit", "sign and record a plan before it runs")
    commit.add_argument("--draw-from", metavar="MEMBER", help="whose next entry gives the seed (default: the newest)")
    release_names(commit)
    signer(commit)
    run = verb(evaluate, "run", "evaluate:run", "run a committed plan on the sample that its draw gives; record it")
    run.add_argument("--rehearse", metavar="SEED", help="with a seed of your own; nothing is recorded")
    person(run)
    for one in (lint, commit, run):
        one.add_argument("plan", metavar="PLAN", help="the plan (TOML)" + ("; or its id or locator" * (one is run)))
    replay = verb(evaluate, "replay", "evaluate:replay", "run an evaluation again, same seed and sample, and sign")
    text = "run the plan of an evaluation on a fresh sample; sign agree or dispute"
    replicate = verb(evaluate, "replicate", "evaluate:replicate", text)
    for one in (replay, replicate):
        one.add_argument("statement", metavar="STATEMENT", help="the evaluation: its id or locator")
        person(one)
    replicate.add_argument("--library", metavar="NAME", help="attack with another tool, such as secml-torch")
    replicate.add_argument("--at", metavar="MEMBER#SIZE", help="draw from there (default: the newest head of a third)")
    either = replicate.add_mutually_exclusive_group()
    text = "at the owner's node: run it for this member, who cannot have the subject"
    either.add_argument("--on-behalf", metavar="MEMBER", help=text)
    text = "as a lab, for this member, who cannot have the subject; refused to whoever has an interest in it"
    either.add_argument("--third-lab", metavar="MEMBER", help=text)
    either.add_argument("--transcript", metavar="STATEMENT", help="judge such a run by its record; weaker, and says so")
    for one in (lint, commit, run, replay, replicate):
        one.add_argument("--subject", type=Path, metavar="PATH", help="the release")
        one.add_argument("--data", type=Path, metavar="PATH", help="the data")
        one.add_argument("--harness", type=Path, metavar="FILE", help="the Python file that stands before the model")
    for one in (run, replay, replicate):
        one.add_argument("--url", metavar="URL", help="where the subject answers, if it is an endpoint")
        one.add_argument("--key-env", metavar="NAME", help="environment variable with the endpoint's key")
        one.add_argument("--page", type=Path, metavar="FILE", help="also write pictures and counts as a page (HTML)")
    _reports(evaluate)


def _reports(evaluate: Sub) -> None:
    text = "say what another tool's report counts, finds and claims; exit 1 when it finds something"
    read = verb(evaluate, "import", "reports:read", text)
    read.add_argument("file", type=Path, metavar="FILE", help="its kind is told by what is in it")
    sandboxed(read)
    read.add_argument("--record", action="store_true", help="sign what it counts and finds; append it to the ledger")
    read.add_argument("--of", metavar="RELEASE", help="what it is about: a path or a digest")
    read.add_argument("--goal", default="what the report's probes try", metavar="TEXT", help="the attacker's goal")
    read.add_argument("--knowledge", default="black box", metavar="TEXT", help="what the attacker knows")
    text = "what the attacker can do"
    read.add_argument("--capability", default="the inputs that the tool sends", metavar="TEXT", help=text)
    release_names(read)
    signer(read)
    export = verb(evaluate, "export", "reports:export", "write evaluation statements in the form of another tool")
    export.add_argument("statements", nargs="+", metavar="STATEMENT", help="its id, or a locator such as BRAVO#12")
    forms = ("sarif", "cyclonedx", "test-result", "svr")
    export.add_argument("--as", dest="form", choices=forms, required=True, help="SARIF, CycloneDX, or in-toto's")
    export.add_argument("--output", type=Path, metavar="FILE", help="default: to the screen")

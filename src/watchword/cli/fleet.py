"""``watchword fleet``: every release of a hub."""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.cli.inspect import FAILS
from watchword.cli.output import emit, keeping, progress, say, short, whole_file, write_new
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.fleet.crew import Crew, Work
    from watchword.fleet.ray_crew import By
    from watchword.fleet.run import Looked
    from watchword.fleet.state import State


class NotOurs(WatchwordError):
    """What this node would sign is not surely what it saw."""


def inspect(args: argparse.Namespace) -> int:
    """Inspect every release of the hubs; exit 1 when any verdict is at or above ``--fail-on``."""
    from watchword.fleet import State, inspect_fleet, releases
    from watchword.fleet.looking import look
    from watchword.fleet.ray_crew import inspector
    from watchword.inspect.file import How

    if args.record:
        if args.no_hash:
            raise NotOurs("--record needs the release digests that --no-hash leaves out", "leave one out")
        check_recording(args)
    keeping(args)
    folders = tuple(Path(hub).resolve() for hub in args.hubs if "://" not in hub)
    how = How(not args.no_hash, args.weights, tuple(args.plugins), args.sandbox, folders)
    how.loaded()  # a plugin that is not there stops the command before anything is looked at
    fleet = list(itertools.chain.from_iterable(releases(hub, args.depth) for hub in args.hubs))
    with State(args.state) as state:
        with at_work(args, crew_of(args, how, look, inspector), "releases", len(fleet)) as (crew, tell):
            looked = inspect_fleet(fleet, how, crew, state, tell)
        if args.output:
            write_new(whole_file(args.output), (state.body(one.place) + b"\n" for one in looked))
            say(f"watchword: note: wrote {args.output}")
        recorded = [_recorded(args, looked, state)] if args.record else []
    text = "\n".join([_text(looked), *(line for line, _ in recorded)])
    emit(args, text, _value(looked, *(locators for _, locators in recorded)))
    failed = any(one.summary.verdict in FAILS[args.fail_on] for one in looked)
    return 1 if failed or any(None in all_ for _, all_ in recorded) else 0


def check_recording(args: argparse.Namespace) -> Path:
    """The home of who signs: what would stop recording stops the command before it looks. What the state holds is
    signed: it must be ours."""
    from watchword import node

    home = node.find_home(args.home)
    if args.state and args.state.exists():
        status = args.state.stat()
        if status.st_uid != os.geteuid() or status.st_mode & 0o022:
            words = f"{args.state}: others can write to it, and --record signs what it holds"
            raise NotOurs(words, "look again without it, or into a new one")
    return home


def _recorded(args: argparse.Namespace, looked: list[Looked], state: State) -> tuple[str, list[str | None]]:
    """A statement for each release that has a digest: their locators, None where there is none."""
    import json

    from watchword import node
    from watchword.cli.output import passphrase
    from watchword.cli.statement import scope
    from watchword.fleet.hub import subject_name
    from watchword.inspect.written import inspection_from
    from watchword.record import record_inspection
    from watchword.statements.statement import Subject

    locators: list[str | None] = []
    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        for one in looked:
            try:
                inspection = inspection_from(json.loads(state.body(one.place)))
            except ValueError:
                locators.append(None)
                continue
            if inspection.manifest is None:
                locators.append(None)
                continue
            subject = Subject(subject_name(one.summary.name), inspection.manifest.digest)
            recorded = record_inspection(here, inspection, subject, person=args.person, scope=scope(args))
            locators.append(recorded.locator)
        here.publish()
        member = here.member
    made = [locator for locator in locators if locator]
    left = f", {len(looked) - len(made):,} cannot be named by a digest" if len(made) < len(looked) else ""
    return f"recorded {len(made):,} inspections by {member}{left}", locators


def data(args: argparse.Namespace) -> int:
    """Write the manifest of every delivery of the hubs; exit 1 when one has none."""
    from watchword.data.files import write_file_manifest
    from watchword.fleet import State, manifest_fleet, releases
    from watchword.fleet.deliveries import read, reader
    from watchword.fleet.hub import BadHub

    fleet = list(itertools.chain.from_iterable(releases(hub, args.depth) for hub in args.hubs))
    args.output.mkdir(parents=True, exist_ok=True)
    lines, told = [], []
    with (
        State(args.state) as state,
        at_work(args, crew_of(args, None, read, reader), "deliveries", len(fleet)) as (crew, tell),
    ):
        for one in manifest_fleet(fleet, crew, state, tell):
            facts: dict[str, Any] = {"name": one.name, "why": one.why, "known": one.known}
            if one.manifest is None:
                lines.append(f"UNREADABLE  {one.name}  {one.why}")
            else:
                path = whole_file(args.output / _file_name(one.name))
                write_file_manifest(one.manifest, path)
                facts |= one.manifest.to_json() | {"output": str(path)}
                del facts["schema"]
                size = f"{of_many(facts['files'], 'file')}, {facts['bytes']:,} bytes"
                lines.append(f"{one.name}  {size}, {facts['manifest']}")
            told.append(facts)
    if not told:
        raise BadHub("no delivery in the fleet has a file", "nothing was looked at; check the addresses")
    whole = sum(not one["why"] for one in told)
    known = sum(one["known"] for one in told)
    heads = f"{whole:,} of {of_many(len(told), 'delivery', 'deliveries')} written to {args.output}"
    lines.append(heads + (f"     {of_many(known, 'file')} known before" if known else ""))
    emit(args, "\n".join(lines), {"deliveries": told, "known": known, "schema": "watchword-fleet-data/1"})
    return 0 if whole == len(told) else 1


def _file_name(name: str) -> str:
    """A name of this machine for a delivery anywhere, one for each."""
    import hashlib
    import urllib.parse

    quoted = urllib.parse.quote(name, safe=" @+=,")
    if len(quoted) > _NAME_CHARS_MAX:
        quoted = f"{quoted[:_NAME_CHARS_MAX]}-{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:16]}"
    return quoted + ".files"


_NAME_CHARS_MAX = 200
"""Of a file's name. Origin: 255 bytes in common file systems, less our ending."""


def crew_of(args: argparse.Namespace, how: Any, work: Work, by: By) -> Crew:
    """Who does *work*, as ``--on`` and ``--jobs`` say."""
    if args.on == "ray":
        from watchword.fleet.ray_crew import RayCluster

        return RayCluster(args.jobs, how, work, by)
    from watchword.fleet.crew import Processes

    return Processes(args.jobs or len(os.sched_getaffinity(0)), how, work)


@contextmanager
def at_work(
    args: argparse.Namespace, crew: Crew, what: str, count: int
) -> Iterator[tuple[Crew, Callable[[int], None] | None]]:
    """*crew*, which goes home whatever happens, and whom to tell how many of *count* are done; None: nobody watches."""
    try:
        with progress(args) as step:
            yield crew, None if step is None else lambda done: step(what, done, count)
    finally:
        crew.close()


def _text(looked: list[Looked]) -> str:
    """One line for each release in which something was found, worst first; counts last."""
    from watchword.inspect.facts import RANK, Verdict

    told = [one.summary for one in looked if one.summary.verdict is not Verdict.NOTHING_FOUND]
    told.sort(key=lambda one: -RANK[one.verdict])
    width = min(60, max((len(one.name) for one in told), default=0))
    lines = []
    for one in told:
        more = f" (and {one.findings - 1:,} more)" if one.findings > 1 else ""
        lines.append(f"{one.name:<{width}}  {short(one.digest or 'no manifest')}  {one.first}{more}")
    counts = [
        f"{count:,} {verdict}"
        for verdict in sorted(Verdict, key=lambda verdict: -RANK[verdict])
        if verdict is not Verdict.NOTHING_FOUND and (count := sum(one.verdict is verdict for one in told))
    ]
    if clean := len(looked) - len(told):
        counts.append(f"nothing found in {clean:,}")
    files, known = sum(one.summary.files for one in looked), sum(one.before for one in looked)
    heads = f"{of_many(len(looked), 'release')}, {of_many(files, 'file')}: {', '.join(counts)}"
    return "\n".join([*lines, heads + (f"     {known:,} known before" if known else "")])


def of_many(count: int, what: str, many: str = "") -> str:
    """``1 release``, ``2 releases``."""
    return f"{count:,} {what if count == 1 else many or what + 's'}"


def _value(looked: list[Looked], locators: list[str | None] | None = None) -> dict[str, Any]:
    told: list[dict[str, Any]] = [asdict(one.summary) | {"verdict": str(one.summary.verdict)} for one in looked]
    if locators is not None:
        told = [one | {"recorded": locator} for one, locator in zip(told, locators, strict=True)]
    return {"releases": told, "known": sum(one.before for one in looked), "schema": "watchword-fleet/1"}

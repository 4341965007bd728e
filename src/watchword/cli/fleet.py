"""``watchword fleet``: every release of a hub."""

from __future__ import annotations

import argparse
import itertools
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from watchword.cli.inspect import FAILS
from watchword.cli.output import emit, progress, say, short, whole_file, write_new

if TYPE_CHECKING:
    from watchword.fleet.crew import Crew
    from watchword.fleet.run import Looked
    from watchword.inspect.file import How


def inspect(args: argparse.Namespace) -> int:
    """Inspect every release of the hubs; exit 1 when any verdict is at or above ``--fail-on``."""
    from watchword.fleet import State, inspect_fleet, releases
    from watchword.inspect.file import How

    how = How(not args.no_hash, args.weights, tuple(args.plugins))
    how.loaded()  # a plugin that is not there stops the command before anything is looked at
    fleet = list(itertools.chain.from_iterable(releases(hub, args.depth) for hub in args.hubs))
    with State(args.state) as state:
        crew = _crew(args, how)
        try:
            with progress(args) as step:
                tell = None if step is None else lambda done: step("releases", done, len(fleet))
                looked = inspect_fleet(fleet, how, crew, state, tell)
        finally:
            crew.close()
        if args.output:
            write_new(whole_file(args.output), (state.body(one.place) + b"\n" for one in looked))
            say(f"watchword: note: wrote {args.output}")
    emit(args, _text(looked), _value(looked))
    return 1 if any(one.summary.verdict in FAILS[args.fail_on] for one in looked) else 0


def data(args: argparse.Namespace) -> int:
    """Write the manifest of every delivery of the hubs; exit 1 when one has none."""
    from watchword.data.files import write_file_manifest
    from watchword.fleet import State, manifest_fleet, releases
    from watchword.fleet.hub import BadHub

    fleet = list(itertools.chain.from_iterable(releases(hub, args.depth) for hub in args.hubs))
    args.output.mkdir(parents=True, exist_ok=True)
    lines, told = [], []
    with State(args.state) as state, progress(args) as step:
        tell = None if step is None else lambda done: step("deliveries", done, len(fleet))
        for one in manifest_fleet(fleet, args.jobs, state, tell):
            facts: dict[str, Any] = {"name": one.name, "why": one.why, "known": one.known}
            if one.manifest is None:
                lines.append(f"UNREADABLE  {one.name}  {one.why}")
            else:
                path = whole_file(args.output / _file_name(one.name))
                write_file_manifest(one.manifest, path)
                facts |= one.manifest.to_json() | {"output": str(path)}
                del facts["schema"]
                size = f"{_of(facts['files'], 'file')}, {facts['bytes']:,} bytes"
                lines.append(f"{one.name}  {size}, {facts['manifest']}")
            told.append(facts)
    if not told:
        raise BadHub("no delivery in the fleet has a file", "nothing was looked at; check the addresses")
    whole = sum(not one["why"] for one in told)
    known = sum(one["known"] for one in told)
    heads = f"{whole:,} of {_of(len(told), 'delivery', 'deliveries')} written to {args.output}"
    lines.append(heads + (f"     {_of(known, 'file')} known before" if known else ""))
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


def _crew(args: argparse.Namespace, how: How) -> Crew:
    if args.on == "ray":
        from watchword.fleet.ray_crew import RayCluster

        return RayCluster(args.jobs, how)
    from watchword.fleet.crew import Processes

    return Processes(args.jobs or len(os.sched_getaffinity(0)), how)


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
    heads = f"{_of(len(looked), 'release')}, {_of(files, 'file')}: {', '.join(counts)}"
    return "\n".join([*lines, heads + (f"     {known:,} known before" if known else "")])


def _of(count: int, what: str, many: str = "") -> str:
    return f"{count:,} {what if count == 1 else many or what + 's'}"


def _value(looked: list[Looked]) -> dict[str, Any]:
    told = [asdict(one.summary) | {"verdict": str(one.summary.verdict)} for one in looked]
    return {"releases": told, "known": sum(one.before for one in looked), "schema": "watchword-fleet/1"}

"""Writes ``rebuilds.txt``: ``python -m benchmarks.inspect.derive.reducers OUT FOLDER…``

Reads the pickles that ``objects.py`` has written in the environments of the frameworks, and lists every function and
class that their own reducers have loading *call* (REDUCE), with the kinds of arguments they give it and the objects
that need it. A name that a denied family covers is not written but named on stderr: a person decides about it, in
``allowed.py``, with a constraint on the arguments.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from watchword.inspect.pickles.allowed import is_error, shape_of
from watchword.inspect.pickles.machine import Machine
from watchword.inspect.pickles.opcodes import run
from watchword.inspect.pickles.reader import Reader
from watchword.inspect.pickles.shapes import SHAPES
from watchword.inspect.pickles.standing import python3_name, standing
from watchword.inspect.pickles.values import Call, Event, Global
from watchword.inspect.source import Held

VERSION = 1


def calls_of(data: bytes) -> list[Call]:
    """The calls that loading makes, in order."""
    events: list[Event] = []
    run(Machine(events.append), Reader(Held(data)))
    return [event for event in events if isinstance(event, Call)]


def handles(call: Call) -> bool:
    """True when the call is given a function, or one that is only computed, and not values alone."""
    return SHAPES["plain"](call.args, call.kwargs) is not None


def main(out: Path, folders: list[str]) -> None:
    sources: dict[str, set[str]] = defaultdict(set)
    given: set[str] = set()
    refused: dict[str, str] = {}
    for folder in folders:
        for path in sorted(Path(folder).glob("*.pkl")):
            package, _, rest = path.name.removesuffix(".pkl").partition("-")
            version, _, what = rest.rpartition(".")[0].rpartition(".")
            for call in calls_of(path.read_bytes()):
                if not isinstance(call.callee, Global) or call.how in ("NEWOBJ", "NEWOBJ_EX") or call.callee.dynamic:
                    continue
                name, how = call.callee.path, standing(call.callee)
                if how.kind in ("denied", "walk", "executing", "reference"):
                    refused.setdefault(name, f"{path.name}: {how.what}")
                elif not _by_hand(call.callee) and not how.stdlib:
                    whose = f"{what} ({Path(folder).name})" if package == "others" else f"{package} {version}"
                    sources[name].add(whose)
                    if handles(call):
                        given.add(name)
    lines = [
        f"{name}\t{'any' if name in given else 'plain'}\t{reason(whose)}" for name, whose in sorted(sources.items())
    ]
    out.write_text("\n".join([f"# rebuilds {VERSION}", *lines, ""]), "utf-8")
    for name, where in sorted(refused.items()):
        print(f"not written: {name}  {where}", file=sys.stderr)


def _by_hand(target: Global) -> bool:
    names = target.path, ".".join(python3_name(target.module, target.name))
    return any(shape_of(name) is not None or is_error(name) for name in names)


def reason(whose: set[str]) -> str:
    first = sorted(whose)[:4]
    return "needed by " + ", ".join(first) + (f" and {len(whose) - 4} more" if len(whose) > 4 else "")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])

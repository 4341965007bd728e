"""The whole measurement: corpus, labels, watchword and its peers: ``python -m benchmarks.inspect [EVERY [PEER …]]``.

Makes environments and the corpus in a cache folder at the first run, and labels only what has none yet. EVERY takes
every EVERY-th case (default 1), PEER names the peers (default all). Prints one line per tool.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence

from benchmarks.inspect import floor, oracle, own, peers
from benchmarks.inspect.corpus.cases import Placed, place, read

FRAMEWORKS = [
    "numpy",
    "scipy",
    "scikit-learn",
    "joblib",
    "pandas",
    "safetensors",
    "onnx",
    "onnxruntime",
    "pillow",
    "cloudpickle",
    "dill",
    "h5py",
    "gguf",
    "jinja2",
    "pyyaml",
    "skops",
    "lz4",
    "tokenizers",
    "lightgbm",
    "xgboost-cpu",
    "numexpr",
    "keras",
    "torch==2.13.0",
    "hydra-core",
    "catboost",
    "statsmodels",
    "spacy",
    "flax",
    "nbformat",
]
TENSORFLOW = ["tensorflow-cpu"]
"""Of its own: it wants other versions of what the others want too."""

LOADED = ("malicious", "lookalike")
HEADINGS = (
    "tool",
    "recall, seen to run",
    "recall, all",
    "false: look-alikes",
    "generated",
    "shipped",
    "errors mal/ben",
)


def line(tool: str, cases: Sequence[Placed], said: Mapping[str, str], labels: Mapping[str, oracle.Label]) -> str:
    """One row: what was alarmed on, of how many, in per cent."""
    malicious = [case for case in cases if case.malicious and labels[case.id].verified != "harmless"]
    executed = [case for case in malicious if labels[case.id].verified == "executed"]
    groups = [executed, malicious]
    groups += [[case for case in cases if case.kind == kind] for kind in ("lookalike", "generated", "shipped")]
    cells = []
    for group in groups:
        caught = sum(own.alarmed(said[case.id]) or said[case.id] == "alarm" for case in group)
        cells.append(f"{100 * caught / len(group):.1f} % of {len(group)}" if group else "none")
    errors = [case for case in cases if said[case.id].startswith(("error", "crashed"))]
    bad = sum(case.malicious for case in errors)
    return "  ".join(cell.ljust(20) for cell in (tool, *cells, f"{bad}/{len(errors) - bad}"))


def main(every: int, wanted: Sequence[str]) -> None:
    root = peers.cache() / "corpus"
    python = peers.environment("frameworks", *FRAMEWORKS) / "python"
    known = {case.id for case in read(root)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of the duplicate names that are the attack
        place([case for case in floor.by_hand() if case.id not in known], root)
    if not known:
        writers = [(python, []), (peers.environment("tensorflow", *TENSORFLOW) / "python", ["tensorflows"])]
        for interpreter, groups in writers:
            command = [str(interpreter), "-m", "benchmarks.inspect.corpus.saved", str(root), *groups]
            subprocess.run(command, cwd=oracle.ROOT, env={**os.environ, "KERAS_BACKEND": "torch"}, check=True)
    cases = list(read(root))[::every]
    # Honest files of the frameworks' own savers say by their origin what they are; the others are loaded and watched.
    labels = oracle.label([case for case in cases if case.kind in LOADED], python, root / "labels.json")
    print("  ".join(heading.ljust(20) for heading in HEADINGS))
    mine = own.verdicts(cases)
    print(line("watchword", cases, mine, labels), flush=True)
    if every == 1:
        executed = {case.id for case in cases if case.malicious and labels[case.id].verified == "executed"}
        floor.raise_floor(cases, mine, executed)
    for peer in peers.PEERS:
        if not wanted or peer.package in wanted:
            said = peers.verdicts(peer, cases)
            (root / f"{peer.package}.json").write_text(json.dumps(said, indent=0), "utf-8")
            print(line(f"{peer.package} {peer.version}", cases, said, labels), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1, sys.argv[2:])

"""The inspector beside its peers, over a corpus of its own that a sandboxed loader has labelled.

Here, for ``make bench``: what needs no framework, in seconds. The whole measurement (frameworks, labels, five peers,
large files) takes the better part of an hour and some gigabytes of cache, and is a command of its own:
``python -m benchmarks.inspect``.
"""

from __future__ import annotations

from benchmarks.table import Row


def run() -> list[Row]:
    """Watchword alone over the part of the corpus that is written by hand, against the labels in ``floor.json``."""
    import tempfile
    import time
    import warnings
    from pathlib import Path

    from benchmarks.inspect import floor, own
    from benchmarks.inspect.corpus.cases import place, read

    with tempfile.TemporaryDirectory() as name:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zipfile warns of the duplicate names that are the attack
            place(floor.by_hand(), Path(name))
        cases = list(read(Path(name)))
        start = time.process_time()
        said = own.verdicts(cases)
        spent = time.process_time() - start
    executed = set(floor.read()["executed"]) & {case.id for case in cases}
    benign = [case.id for case in cases if not case.malicious]
    recall = 100 * sum(own.alarmed(said[key]) for key in executed) / len(executed)
    false = 100 * sum(own.alarmed(said[key]) for key in benign) / len(benign)
    note = f"{len(executed)} cases by hand whose payload a sandboxed loader was seen to run"
    return [
        Row("inspect, recall on payloads seen to run", recall, "%", "≥ 98 %", recall >= 98, note=note),
        Row("inspect, false alarms on look-alikes", false, "%", note=f"{len(benign)} honest files by hand"),
        Row("inspect, CPU time for a small file", 1000 * spent / len(cases), "ms", note="in one process"),
    ]

"""Watchword's own verdicts over a corpus, in this process, without hashing."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.inspect.corpus.cases import Placed


def verdicts(cases: Iterable[Placed]) -> dict[str, str]:
    """Id to ``nothing-found``, ``suspicious``, ``unreadable`` or ``dangerous``; ``crashed: …`` is a failure of ours."""
    from watchword.inspect import inspect_path

    said = {}
    for case in cases:
        try:
            said[case.id] = str(inspect_path(case.path, hash_files=False).verdict)
        except Exception as error:  # noqa: BLE001  whatever it is, it is a result that must be shown
            said[case.id] = f"crashed: {type(error).__name__}: {error}"
    return said


def alarmed(verdict: str) -> bool:
    """Whether somebody who trusts the verdict would stop."""
    return verdict in ("suspicious", "unreadable", "dangerous")

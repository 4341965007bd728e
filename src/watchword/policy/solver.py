"""The z3 solver, loaded when something of it is asked for: it is an extra, and 60 MB.

``solver.And`` is ``z3.And``; what z3 has no types for has none here.
"""

from __future__ import annotations

from typing import Any

from watchword.errors import WatchwordError


class NoSolver(WatchwordError):
    """The solver is not installed."""


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    try:
        import z3
    except ModuleNotFoundError as error:
        raise NoSolver("policy check needs z3, which is not installed", "pip install 'watchword[check]'") from error
    return getattr(z3, name)

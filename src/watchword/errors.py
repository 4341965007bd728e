"""The root error: what went wrong and what to do next. Every room raises its own leaf of it.

* ``message`` names the thing and what was wrong with it: lower case, no full stop.
* ``hint`` is the second line a person reads: what to do next. Empty when there is nothing to do.
* Foreign exceptions are translated with ``raise … from error`` where they are met.
"""

from __future__ import annotations


class WatchwordError(Exception):
    """Something watchword could not do. The door prints it and exits 2.

    Args:
        message: the thing, and what was wrong with it.
        hint: what to do next; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

"""Appends that wait at the same time and share one commit.

The first to wait commits for all who come until the commit before theirs is done; the others sleep until they are
told. So a disk that syncs 300 times a second serves as many callers as there are threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from watchword.errors import WatchwordError
from watchword.ledger.durable import StorageTrouble


@dataclass
class Append:
    """One caller's entries with their leaf hashes; the commit sets ``taken`` (their indices) or ``trouble``."""

    entries: Sequence[bytes]
    hashes: list[bytes]
    taken: range | None = None
    trouble: WatchwordError | None = None
    done: threading.Event = field(default_factory=threading.Event)


class Group:
    """Gathers appends for *commit*, which runs under *mutex* and answers each of them."""

    def __init__(self, mutex: threading.Lock, commit: Callable[[list[Append]], None]) -> None:
        self._mutex = mutex
        self._commit = commit
        self._waiting: list[Append] = []
        self._waiting_lock = threading.Lock()

    def submit(self, mine: Append) -> range:
        """Wait until *mine* is committed. Raises its trouble; StorageTrouble when its leader was interrupted."""
        with self._waiting_lock:
            leads = not self._waiting
            self._waiting.append(mine)
        if leads:
            self._lead()
        else:
            mine.done.wait()
        if mine.trouble:
            raise mine.trouble
        if mine.taken is None:
            raise StorageTrouble("an append was cut short", "look whether it is there before repeating it")
        return mine.taken

    def _lead(self) -> None:
        group: list[Append] = []
        try:
            with self._mutex:
                group = self._take()
                self._commit(group)
        finally:
            # Also after an interrupt: nobody sleeps for ever.
            for waiting in group or self._take():
                waiting.done.set()

    def _take(self) -> list[Append]:
        with self._waiting_lock:
            group, self._waiting = self._waiting, []
        return group

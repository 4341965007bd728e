"""Time as watchword writes it, and the one clock that everything is given (docs/protocol.md, section 1)."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from watchword.errors import WatchwordError


class BadTime(WatchwordError):
    """A text that is not RFC 3339 in UTC with whole seconds."""


class Clock(Protocol):
    """Wall time and monotonic time, injected so that tests can jump either."""

    def now(self) -> datetime:
        """Wall time, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class FixedClock:
    """A clock that stands until told otherwise; ``advance`` moves both hands, ``jump`` only the wall."""

    def __init__(self, at: datetime) -> None:
        self._wall = at
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._wall

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        self._wall += timedelta(seconds=seconds)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        self._wall += timedelta(seconds=seconds)


def rfc3339(moment: datetime) -> str:
    """``2026-01-31T12:00:00Z``; fractions of a second are cut off."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """Parse the one form of a time.

    Raises:
        BadTime: another form, or a moment that does not exist.
    """
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise BadTime(f"{str(text)[:40]!r} is not a time", "times are written 2026-01-31T12:00:00Z")
    year, month, day, hour, minute, second = map(int, found.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise BadTime(f"{text!r} is not a time: {error}") from error


def unix(text: str) -> int:
    """Seconds since 1970 of a time text."""
    return int(parse_time(text).timestamp())


def from_unix(seconds: int) -> str:
    """The time text of *seconds* since 1970."""
    return rfc3339(datetime.fromtimestamp(seconds, UTC))


_TIME = re.compile(r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})Z", re.ASCII)

"""A stream of server-sent events, read as it comes and written out again. Pure.

Follows the HTML standard, 9.2 (event streams). An event of more than MCP_LINE_BYTES_MAX is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from watchword.errors import WatchwordError
from watchword.limits import MCP_LINE_BYTES_MAX


class BadStream(WatchwordError):
    """An event past the limit."""


@dataclass(frozen=True)
class Event:
    """One event: its fields in order, without comments. ``data`` is None where it has none."""

    fields: tuple[tuple[str, str], ...]

    @property
    def data(self) -> str | None:
        """Its data lines, joined."""
        lines = [value for name, value in self.fields if name == "data"]
        return "\n".join(lines) if lines else None

    @property
    def has_id(self) -> bool:
        """Whether a client can come back for what follows it."""
        return any(name == "id" for name, _ in self.fields)

    def encode(self, data: str | None = None) -> bytes:
        """The event as it goes out, with other *data* where given."""
        kept = [(name, value) for name, value in self.fields if data is None or name != "data"]
        lines = [*kept, *([] if data is None else [("data", line) for line in data.split("\n")])]
        return "".join(f"{name}: {value}\n" for name, value in lines).encode() + b"\n"


@dataclass
class Events:
    """A reader: give it bytes, take events."""

    _held: bytearray = field(default_factory=bytearray)
    _fields: list[tuple[str, str]] = field(default_factory=list)
    _size: int = 0

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that *data* completes.

        Raises:
            BadStream: an event past the limit.
        """
        looked = len(self._held)
        self._held += data
        while (at := self._held.find(b"\n", looked)) >= 0:
            line, looked = bytes(self._held[:at]).removesuffix(b"\r"), 0
            del self._held[: at + 1]
            if line:
                self._field(line)
            elif self._fields:
                event, self._fields, self._size = Event(tuple(self._fields)), [], 0
                yield event
        if self._size + len(self._held) > MCP_LINE_BYTES_MAX:
            raise BadStream(f"an event of more than {MCP_LINE_BYTES_MAX:,} bytes")

    def _field(self, line: bytes) -> None:
        self._size += len(line)
        name, _, value = line.decode("utf-8", "replace").partition(":")
        if name in ("data", "event", "id", "retry"):
            self._fields.append((name, value.removeprefix(" ")))

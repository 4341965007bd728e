"""A forward reader over a source for the pickle machine: small things are handed out, large ones are passed over.

Passing over a gigabyte of tensor costs nothing: its bytes are never read here.
"""

from __future__ import annotations

from watchword.inspect.source import Source

_BUFFER = 128 * 1024


class Ended(Exception):
    """The stream ends here although the opcode wants more."""


class Reader:
    """Reads *source* from *start*. ``tell()`` is the absolute offset of the next byte."""

    def __init__(self, source: Source, start: int = 0) -> None:
        self.source = source
        self.base = start
        self.buffer = b""
        self.at = 0
        self.frame_end = 0

    def tell(self) -> int:
        return self.base + self.at

    def left(self) -> int:
        return self.source.size - self.base - self.at

    def seek(self, offset: int) -> None:
        if self.base <= offset <= self.base + len(self.buffer):
            self.at = offset - self.base
        else:
            self.base, self.at, self.buffer = offset, 0, b""

    def byte(self) -> int:
        """The next byte.

        Raises:
            Ended: there is none.
        """
        at = self.at
        if at >= len(self.buffer):
            self._refill(1)
            at = self.at
        self.at = at + 1
        return self.buffer[at]

    def take(self, length: int) -> bytes:
        """The next *length* bytes (the caller has bounded the number).

        Raises:
            Ended: there are fewer.
        """
        end = self.at + length
        if end > len(self.buffer):
            self._refill(length)
            end = self.at + length
        data = self.buffer[self.at : end]
        self.at = end
        return data

    def skip(self, length: int) -> None:
        """Pass over *length* bytes unread.

        Raises:
            Ended: there are fewer.
        """
        if length > self.left():
            raise Ended
        if self.at + length <= len(self.buffer):
            self.at += length
        else:
            self.seek(self.tell() + length)

    def line(self, length_max: int) -> tuple[bytes, int]:
        """The next line without its line feed, cut to *length_max*, and its whole length.

        A last line without a line feed loses its last byte, as in CPython's C unpickler.

        Raises:
            Ended: no byte is left.
        """
        kept = b""
        length = 0
        while True:
            if self.at >= len(self.buffer):
                if self.left() <= 0:
                    if not length:
                        raise Ended
                    return kept[: min(len(kept), length - 1)], length - 1
                self._refill(1)
            end = self.buffer.find(b"\n", self.at)
            stop = len(self.buffer) if end < 0 else end
            if len(kept) < length_max:
                kept += self.buffer[self.at : min(stop, self.at + length_max - len(kept))]
            length += stop - self.at
            self.at = stop
            if end >= 0:
                self.at = stop + 1
                return kept, length

    def frame(self, length: int) -> None:
        """A FRAME of *length* bytes begins here. Only its end is noted: what is in it runs as it comes."""
        self.frame_end = self.tell() + length

    def _refill(self, length: int) -> None:
        """Make at least *length* bytes available from here."""
        self.base += self.at
        self.at = 0
        self.buffer = self.source.read_at(self.base, max(length, _BUFFER))
        if len(self.buffer) < length:
            raise Ended


class FramedReader(Reader):
    """Reads as CPython's C unpickler does from a stream without ``peek``: by frames, dropping what is cut by their end.

    A number, a text or a line that crosses the end of its frame loses the part before the end: the C unpickler replaces
    its buffer instead of extending it. No pickler writes such frames; whoever does, wants readers to disagree.
    """

    def take(self, length: int) -> bytes:
        self._drop(length)
        return super().take(length)

    def line(self, length_max: int) -> tuple[bytes, int]:
        left = self.frame_end - self.tell()
        # In the buffer first: looking ahead in the source for every line would take time without bound.
        ahead = left > 0 and self.buffer.find(b"\n", self.at, self.at + left) < 0
        if ahead and b"\n" not in self.source.read_at(self.tell(), min(left, 1 << 20)):
            self.seek(self.frame_end)
        return super().line(length_max)

    def frame(self, length: int) -> None:
        if self.tell() < self.frame_end and self.tell() + length <= self.frame_end:
            return
        self._drop(length)
        if length > self.left():
            raise Ended
        self.frame_end = self.tell() + length

    def _drop(self, length: int) -> None:
        if self.tell() < self.frame_end < self.tell() + length:
            self.seek(self.frame_end)

"""Rows from the readers that are others' compiled code (pyarrow, numpy), in a process that can read nothing else.

The file is hashed here; then a process is forked that keeps its descriptor, is confined (``sandbox``), loads the reader
and sends rows in frames: a letter, a length of 8 bytes, MessagePack. They are checked for their form and never
unpickled: whoever takes the reader over can lie about this file, and no more.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Generator, Iterator
from typing import IO, Any

import msgspec

from watchword.data.delivery import Delivery, FileChanged, MissingColumn, Roles, Row, TooLarge, UnreadableData
from watchword.data.row import DataError, MissingExtra
from watchword.errors import WatchwordError
from watchword.limits import CONFINED_ANSWER_BYTES_MAX, CONFINED_CPU_S_MAX, SANDBOX_MEMORY_BYTES_MAX
from watchword.sandbox import Kept, NoSandbox, enclose, forked, write_all

Columns = list[tuple[str, str]]
Reader = Callable[[Delivery, Roles], tuple[Columns, Iterator[Row]]]

_ROWS, _ROWS_BYTES = 1024, 1024 * 1024
_RAISED = (FileChanged, MissingColumn, MissingExtra, NoSandbox, TooLarge, UnreadableData)


def rows_apart(
    reader: Callable[[], Reader], delivery: Delivery, roles: Roles, kept: Kept
) -> tuple[Columns, Iterator[Row]]:
    """What ``reader()(delivery, roles)`` gives, from a process that is kept by *kept*.

    Raises:
        NoSandbox: it cannot be confined. UnreadableData: it ended without an answer. And what the reader raises.
    """
    answers = _answers(reader, delivery, roles, kept)
    columns = next(answers)
    return columns, itertools.chain.from_iterable(answers)


def _answers(reader: Callable[[], Reader], delivery: Delivery, roles: Roles, kept: Kept) -> Generator[Any, None, None]:
    """The columns, then rows in lists. Its process ends with it."""
    for _ in delivery.chunks():
        pass
    reading, writing = os.pipe()
    pid = forked(lambda: _send_rows(reader, delivery, roles, kept, writing))
    os.close(writing)
    rows = msgspec.msgpack.Decoder(list[Row])
    try:
        with os.fdopen(reading, "rb", 1 << 20) as answers:
            yield msgspec.msgpack.decode(_frame(answers, b"C"), type=Columns)
            while frame := _frame(answers, b"R"):
                yield rows.decode(frame)
    except (msgspec.MsgspecError, EOFError, UnicodeError) as error:
        what = "the process that was to read it ended without an answer"
        raise UnreadableData(f"{delivery.path}: {what}", "nothing was used; was memory short?") from error
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _frame(answers: IO[bytes], wanted: bytes) -> bytes:
    """The content of the next frame; empty for the last."""
    head = answers.read(9)
    length = int.from_bytes(head[1:], "big")
    if len(head) < 9 or length > CONFINED_ANSWER_BYTES_MAX:
        raise EOFError
    data = answers.read(length)
    if len(data) < length or head[:1] not in (wanted, b"E"):
        raise EOFError
    if head[:1] == b"E":
        kind, message, hint = msgspec.msgpack.decode(data, type=tuple[str, str, str])
        raise next((one for one in _RAISED if one.__name__ == kind), DataError)(message, hint)
    return data


def _send_rows(reader: Callable[[], Reader], delivery: Delivery, roles: Roles, kept: Kept, writing: int) -> None:
    def send(letter: bytes, data: bytes) -> None:
        write_all(writing, letter + len(data).to_bytes(8, "big"))
        write_all(writing, data)

    try:
        enclose(
            kept, [], [writing, delivery.fileno()], memory_bytes=SANDBOX_MEMORY_BYTES_MAX,
            cpu_s=CONFINED_CPU_S_MAX,
        )  # fmt: skip
        columns, rows = reader()(delivery, roles)
        send(b"C", msgspec.msgpack.encode(columns))
        batch: list[Row] = []
        size = 0
        for row in rows:
            batch.append(row)
            size += len(row.features)
            if len(batch) >= _ROWS or size >= _ROWS_BYTES:
                send(b"R", msgspec.msgpack.encode(batch))
                batch, size = [], 0
        if batch:
            send(b"R", msgspec.msgpack.encode(batch))
        send(b"R", b"")
    except WatchwordError as error:
        send(b"E", msgspec.msgpack.encode((type(error).__name__, error.message, error.hint or "")))

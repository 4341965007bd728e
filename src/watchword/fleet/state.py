"""What a fleet has seen so far: one file that is only added to, a line for each release that was looked at.

    <key: 64 hex> <SHA-256 of the rest: 64 hex> <summary and inspection, JSON>

* A line counts when its digest fits, so one that was cut off by a power cut is not there. Of two with the same key the
  later counts.
* The key is a digest of all that the result depends on (``looking.key_of``). What has changed since, and what only
  failed to be read, is looked at again.
* Whoever may write to the file may write verdicts into it: it is as private as the node's folder, and is no evidence.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Self

from watchword.errors import WatchwordError
from watchword.fleet.looking import Summary, Whole
from watchword.inspect.facts import Verdict, shown
from watchword.limits import FLEET_LINE_BYTES_MAX

_HEAD = 64 + 1 + 64 + 1
_LINE = re.compile(rb"[0-9a-f]{64} ")


class BadState(WatchwordError):
    """A file that is no state of a fleet, or that another process is writing."""


class State:
    """The state in *path*, made where it is not there; None keeps it in an unnamed file, for one run."""

    def __init__(self, path: Path | None) -> None:
        if path is None:
            import tempfile

            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed in `close`
        else:
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
                self._file = os.fdopen(descriptor, "r+b", buffering=0)
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                self._file.close()
                raise BadState(f"{shown(str(path))}: another process writes there", "wait, or name another") from error
            except OSError as error:
                raise BadState(f"{shown(str(path))}: {(error.strerror or str(error)).lower()}") from error
        self._path = path
        self._places: dict[str, tuple[int, int]] = {}
        try:
            self._read()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Make it last, and let it go."""
        if self._path is not None:
            os.fsync(self._file.fileno())
        self._file.close()

    def known(self, key: str | None) -> bool:
        """Whether the result of this key is here."""
        return key is not None and key in self._places

    def keep(self, key: str | None, made: Whole) -> tuple[int, int]:
        """Write a result down; where it stands, for ``body``. Without a key, or not lasting, nothing finds it later."""
        summary = json.dumps(asdict(made.summary), sort_keys=True).encode()
        rest = b'{"summary":' + summary + b',"inspection":' + made.body + b"}"
        return self.put(key if key is not None and made.lasting else None, rest)

    def put(self, key: str | None, rest: bytes) -> tuple[int, int]:
        """Write *rest*, one line of JSON, down; where it stands. Without a key nothing finds it later."""
        lasting = key or "0" * 64
        line = f"{lasting} {hashlib.sha256(rest).hexdigest()} ".encode() + rest + b"\n"
        start = self._file.seek(0, os.SEEK_END)
        left = memoryview(line)
        while left:
            left = left[self._file.write(left) :]
        place = start, len(line)
        if key is not None:
            self._places[key] = place
        return place

    def got(self, key: str) -> bytes:
        """What ``put`` wrote down under a known key."""
        return self.at(self._places[key])

    def at(self, place: tuple[int, int]) -> bytes:
        """What ``put`` wrote down at *place*."""
        return os.pread(self._file.fileno(), place[1], place[0])[_HEAD:-1]

    def place(self, key: str) -> tuple[int, int]:
        """Where the result of a known key stands."""
        return self._places[key]

    def summary(self, place: tuple[int, int]) -> Summary:
        """Of the result at *place*."""
        told = json.loads(os.pread(self._file.fileno(), place[1], place[0])[_HEAD:])["summary"]
        return Summary(**told | {"verdict": Verdict(told["verdict"])})

    def body(self, place: tuple[int, int]) -> bytes:
        """The inspection at *place*, as JSON on one line."""
        line = os.pread(self._file.fileno(), place[1], place[0])
        return line[line.index(b',"inspection":') + 14 : -2]

    def _read(self) -> None:
        reader = os.fdopen(os.dup(self._file.fileno()), "rb")
        with reader:
            reader.seek(0)
            start = 0
            while line := reader.readline(FLEET_LINE_BYTES_MAX):
                head, check, rest = line[:64], line[65:129], line[_HEAD:-1]
                if line.endswith(b"\n") and hashlib.sha256(rest).hexdigest().encode() == check:
                    self._places[head.decode("ascii", "replace")] = start, len(line)
                elif start == 0 and not _LINE.match(line):
                    words = f"{shown(str(self._path))}: not the state of a fleet"
                    raise BadState(words, "name a file that is not there")
                start += len(line)
            self._places.pop("0" * 64, None)
            if start and os.pread(self._file.fileno(), 1, start - 1) != b"\n":
                # What was cut off ends here, so that the next line is one.
                os.write(self._file.fileno(), b"\n")

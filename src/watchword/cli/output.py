"""How commands print and ask: results on stdout as text or JSON, progress on stderr, passphrases from safe places."""

from __future__ import annotations

import argparse
import contextlib
import getpass
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from watchword.errors import WatchwordError
from watchword.limits import PASSPHRASE_BYTES_MAX

Progress = Callable[[str, int, int], None]


class NoPassphrase(WatchwordError):
    """A key is encrypted and there is no way to ask for its passphrase."""


def emit(args: argparse.Namespace, text: str, value: Any) -> None:
    """Print the result: *text* for people, or *value* as JSON when ``--format json`` was given."""
    if args.format == "json":
        print(json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True))
    else:
        print(text)


def say(line: str) -> None:
    """A line of the log, on stderr."""
    print(line, file=sys.stderr)


def passphrase(args: argparse.Namespace) -> Callable[[], bytes]:
    """Where to get the passphrase when a key turns out to be encrypted.

    In this order: the file descriptor of ``--passphrase-fd``, the file named by ``$WATCHWORD_PASSPHRASE_FILE``, a
    prompt on the terminal. Asked once per command.
    """
    known: list[bytes] = []

    def ask() -> bytes:
        if not known:
            known.append(_ask(args))
        return known[0]

    return ask


def new_passphrase(args: argparse.Namespace) -> bytes | None:
    """The passphrase for new keys; None when ``--unencrypted`` was given.

    Raises:
        NoPassphrase: none given and no terminal, or the two typed differ.
    """
    if args.unencrypted:
        return None
    first = _ask(args)
    if not first:
        raise NoPassphrase("an empty passphrase protects nothing", "give --unencrypted to keep keys in plain files")
    if _source(args) is None and getpass.getpass("the same passphrase again: ").encode() != first:
        raise NoPassphrase("the two passphrases differ")
    return first


@contextlib.contextmanager
def progress(args: argparse.Namespace) -> Iterator[Progress | None]:
    """A progress bar on stderr for long work; None where nobody watches (no terminal, or ``--quiet``)."""
    if args.quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def step(label: str, done: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = bar.add_task(label, total=total)
            bar.update(tasks[label], completed=done, total=total)

        yield step


def write_new(path: Path, data: bytes, *, private: bool = False) -> None:
    """Write *data* to *path* so that it is there whole or not at all; an existing file is replaced.

    Args:
        private: mode 0600.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        with os.fdopen(os.open(temporary, flags, 0o600 if private else 0o644), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _source(args: argparse.Namespace) -> bytes | None:
    if args.passphrase_fd is not None:
        with os.fdopen(args.passphrase_fd, "rb", closefd=False) as file:
            return file.read(PASSPHRASE_BYTES_MAX).rstrip(b"\r\n")
    path = os.environ.get("WATCHWORD_PASSPHRASE_FILE")
    if path:
        return Path(path).read_bytes()[:PASSPHRASE_BYTES_MAX].rstrip(b"\r\n")
    return None


def _ask(args: argparse.Namespace) -> bytes:
    found = _source(args)
    if found is not None:
        return found
    if not sys.stdin.isatty():
        raise NoPassphrase(
            "a key is encrypted and there is no terminal to ask for its passphrase",
            "give --passphrase-fd N or set WATCHWORD_PASSPHRASE_FILE",
        )
    return getpass.getpass("passphrase: ").encode()

"""How commands print and ask: results on stdout as text or JSON, progress on stderr, passphrases from safe places.

What others wrote is shown, never obeyed: control and direction characters are escaped before they reach a terminal, and
in a list of one line each a foreign text stays on its line.
"""

from __future__ import annotations

import argparse
import contextlib
import getpass
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.errors import WatchwordError
from watchword.limits import PASSPHRASE_BYTES_MAX
from watchword.observe import steps
from watchword.observe.steps import one_line as one_line

if TYPE_CHECKING:
    from watchword.sandbox import Kept

Progress = Callable[[str, int, int], None]


class NoPassphrase(WatchwordError):
    """A key is encrypted and there is no way to ask for its passphrase."""


class NoFile(WatchwordError):
    """Something is there that is no plain file and must not be replaced by one."""


class NotTold(WatchwordError):
    """The result could not be written to stdout: nobody was told."""


def emit(args: argparse.Namespace, text: str, value: Any) -> None:
    """Print the result: *text* for people, or *value* as JSON when ``--format json`` was given.

    Raises:
        NotTold: stdout does not take it.
    """
    if args.format == "json":
        # ASCII: the same in every locale, and no character that a terminal would act on.
        write_out(json.dumps(value, indent=2, sort_keys=True))
    else:
        write_out("\n".join(one_line(line) for line in text.split("\n")))


def write_out(text: str) -> None:
    """Write *text* and a line end to stdout, now.

    Raises:
        NotTold: stdout does not take it. BrokenPipeError: its reader went away.
    """
    try:
        print(text, flush=True)
    except OSError as error:
        # What is still in the buffer must not be tried again when Python ends: that would change the exit code.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if isinstance(error, BrokenPipeError):
            raise
        raise NotTold(
            f"standard output: {lower(error.strerror or str(error))}",
            "what the command did is done; its answer is lost",
        ) from error


def say(line: str) -> None:
    """A line for people, on stderr; in a log for machines there are none."""
    if steps.spoken():
        return
    print(one_line(line), file=sys.stderr)


def keeping(args: argparse.Namespace) -> Kept:
    """What keeps the processes that parse for this command, as ``--sandbox`` asks; where it is not much, says so."""
    from watchword import sandbox

    kept = sandbox.keeping(args.sandbox)
    if args.sandbox == "auto" and not kept.confined:
        say(f"watchword: note: no sandbox on this machine: parsers are kept by {kept}")
    return kept


def short(digest: str) -> str:
    """A digest for people, where a locator or a file stands beside it; JSON has it whole."""
    return f"{digest[:11]}…{digest[-4:]}" if len(digest) == 71 else digest


def lower(text: str) -> str:
    """The system's words for an error, as ours begin."""
    return text[:1].lower() + text[1:]


def is_special(path: Path) -> bool:
    """Whether a link, pipe or device is there: renaming a new file over it would take it away from everybody."""
    return path.is_symlink() or (path.exists() and not (path.is_file() or path.is_dir()))


def whole_file(path: Path) -> Path:
    """*path*, which a room is going to replace whole. Raises NoFile where that would remove a link or a device."""
    if is_special(path) or path.is_dir():
        raise NoFile(f"{path}: not a file that can be written whole", "name a file, in a folder that exists")
    return path


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error about what is in *path* name the file."""
    try:
        yield
    except WatchwordError as error:
        if str(path) in error.message:
            raise
        raise WatchwordError(f"{path}: {error.message}", error.hint) from error


@contextlib.contextmanager
def one_by_one(done: list[str]) -> Iterator[None]:
    """Where several files are taken and one fails, say on stderr what was taken before it: that stays taken."""
    try:
        yield
    except BaseException:
        for line in done:
            say(f"watchword: note: done before: {line}")
        raise


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


def unasked(args: argparse.Namespace, ask: Callable[[], bytes]) -> Callable[[], bytes]:
    """*ask*, for work that nobody waits for: a passphrase is taken from where it was given, and nobody is asked."""

    def given() -> bytes:
        if args.passphrase_fd is None and not os.environ.get("WATCHWORD_PASSPHRASE_FILE"):
            raise NoPassphrase(
                "a key is encrypted, and nobody is asked for its passphrase while this runs",
                "start it with --passphrase-fd N or WATCHWORD_PASSPHRASE_FILE",
            )
        return ask()

    return given


def new_passphrase(args: argparse.Namespace) -> bytes | None:
    """The passphrase for new keys; None when ``--unencrypted`` was given.

    Raises:
        NoPassphrase: none given and no terminal, or the two typed differ.
    """
    if args.unencrypted:
        return None
    given = _source(args)
    if given is None:
        if not sys.stdin.isatty():
            raise NoPassphrase(
                "new keys need a passphrase and there is no terminal to ask for it",
                "give --passphrase-fd N, set WATCHWORD_PASSPHRASE_FILE, or keep them in plain files with --unencrypted",
            )
        given = _typed("passphrase for the new keys: ")
        if given and _typed("the same passphrase again: ") != given:
            raise NoPassphrase("the two passphrases differ", "nothing was made; try again")
    if not given:
        raise NoPassphrase("an empty passphrase protects nothing", "give --unencrypted to keep keys in plain files")
    return given


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


def write_new(path: Path, data: bytes | Iterable[bytes], *, private: bool = False) -> None:
    """Write *data*, or one part after another, to *path*: it is there whole or not at all, and replaces what was.

    A link, pipe or device, such as ``/dev/stdout``, is written to and never replaced.

    Args:
        private: mode 0600.
    """
    parts = [data] if isinstance(data, bytes) else data
    if is_special(path):
        with path.open("wb") as file:
            file.writelines(parts)
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        with os.fdopen(os.open(temporary, flags, 0o600 if private else 0o644), "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _source(args: argparse.Namespace) -> bytes | None:
    """The passphrase from the descriptor or the file; None where neither is named."""
    path = os.environ.get("WATCHWORD_PASSPHRASE_FILE")
    if args.passphrase_fd is not None:
        where, source = f"--passphrase-fd {args.passphrase_fd}", args.passphrase_fd
    elif path:
        where, source = f"WATCHWORD_PASSPHRASE_FILE: {path}", path
    else:
        return None
    try:
        with open(source, "rb", closefd=source == path) as file:
            found: bytes = file.read(PASSPHRASE_BYTES_MAX + 1).rstrip(b"\r\n")
    except OSError as error:
        raise NoPassphrase(
            f"{where}: {lower(error.strerror or str(error))}", "the passphrase is read from it"
        ) from error
    if len(found) > PASSPHRASE_BYTES_MAX:
        # Cut off, it would still open what it once closed, and nobody else could.
        raise NoPassphrase(f"{where}: more than {PASSPHRASE_BYTES_MAX:,} bytes", "a passphrase is one line")
    return found


def _ask(args: argparse.Namespace) -> bytes:
    found = _source(args)
    if found is not None:
        return found
    if not sys.stdin.isatty():
        raise NoPassphrase(
            "a key is encrypted and there is no terminal to ask for its passphrase",
            "give --passphrase-fd N or set WATCHWORD_PASSPHRASE_FILE",
        )
    return _typed("passphrase: ")


def _typed(prompt: str) -> bytes:
    try:
        return getpass.getpass(prompt).encode()
    except EOFError:
        raise NoPassphrase("no passphrase was typed") from None

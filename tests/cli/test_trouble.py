"""Trouble while a command runs: signals, full disks, files that change or cannot be read, streams that are gone.

Each is a process of its own. Whatever happens, the exit code is 2 or a verdict, no traceback is shown, and the node is
intact: ``ledger check`` passes and the same command, given again, does its work.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import json
import os
import pty
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Watchword = Callable[..., Any]
PROGRAM = Path(sys.executable).parent / "watchword"
WAIT_S_MAX = 60
ALFA = ("--home", "ALFA")
RECORD = ("inspect", "mail-sorter", "--record", *ALFA)


def refused(done: Any, says: str) -> None:
    assert (done.code, done.out) == (2, ""), done
    error = next(line for line in done.err.splitlines() if line.startswith("watchword: error: "))
    assert says in error, done.err
    assert "internal error" not in error and "Traceback" not in done.err


# -- files ----------------------------------------------------------------------------------------


def drop_root_s_reading() -> None:
    """Root reads everything; without these two capabilities it asks like anybody else."""
    if os.geteuid() == 0:
        libc, drop = ctypes.CDLL(None, use_errno=True), 24  # PR_CAPBSET_DROP
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            if libc.prctl(drop, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "prctl")


def test_a_file_that_cannot_be_read_is_a_verdict_not_silence(alliance: Path, watchword: Watchword) -> None:
    """Unreadable content exits 1 and is named; nothing is signed about a release that could not be read whole."""
    (alliance / "mail-sorter" / "weights.pkl").chmod(0)
    done = watchword(alliance, "inspect", "mail-sorter", preexec_fn=drop_root_s_reading)
    assert done.code == 1
    assert "unreadable[file-unreadable]  weights.pkl  permission denied" in done.out
    done = watchword(alliance, *RECORD, preexec_fn=drop_root_s_reading)
    assert done.code == 1
    assert "not recorded: the release cannot be named" in done.out
    done = watchword(alliance, "assure", "mail-sorter", *ALFA, preexec_fn=drop_root_s_reading)
    assert done.code == 1
    assert "nothing was recorded" in done.out
    assert watchword(alliance, "statement", "list", *ALFA).out == "no such statement here\n"


def test_what_a_command_may_not_read_or_write_is_named(alliance: Path, watchword: Watchword) -> None:
    """A use case, a key, a home and an output folder without permission: exit code 2, by name."""
    (alliance / "use.toml").chmod(0)
    (alliance / "BRAVO" / "keys" / "people" / "evaluator.pem").chmod(0)
    (alliance / "CHARLIE").chmod(0)
    (alliance / "locked").mkdir(mode=0o500)
    for words, says in (
        (("admit", "mail-sorter", "--use", "use.toml", *ALFA), "use.toml: "),
        (("inspect", "mail-sorter", "--record", "--home", "BRAVO"), "evaluator.pem: "),
        (("ledger", "show", "--home", "CHARLIE"), "CHARLIE"),
        (("inspect", "mail-sorter", "--output", "locked/found.json"), "locked/"),
        (("ledger", "export", "--to", "BRAVO", "--output", "locked/x", *ALFA), "locked/"),
        (("init", "GOLF", "--unencrypted", "--home", "locked/golf"), "locked/"),
    ):
        done = watchword(alliance, *words, preexec_fn=drop_root_s_reading)
        refused(done, says)
        assert "permission denied" in done.err.lower(), done.err
    assert list((alliance / "locked").iterdir()) == []
    (alliance / "CHARLIE").chmod(0o700)


def test_a_file_that_changes_while_it_is_read_is_not_judged(tmp_path: Path, environment: Any) -> None:
    """What was judged may not be what was hashed: exit code 2, and the file is named."""
    big = tmp_path / "model.bin"
    with big.open("wb") as file:
        file.truncate(600_000_000)
    process = started(tmp_path, environment, "inspect", "model.bin")
    wait_until_open(process, big)
    with big.open("ab") as file:
        file.write(b"!")
    out, err = process.communicate(timeout=WAIT_S_MAX)
    assert (process.returncode, out) == (2, "")
    assert "watchword: error: model.bin: changed while it was read" in err


def test_names_that_are_not_text_are_shown_in_every_locale(tmp_path: Path, watchword: Watchword) -> None:
    """Bytes that are no UTF-8, and control characters, come out as escapes; JSON stays JSON."""
    folder = os.fsencode(tmp_path) + b"/odd"
    os.mkdir(folder)  # noqa: PTH102  a path of bytes
    for name in (b"a\xffb.bin", b"clear\x1b[2J\nforged: line", "pfeil →.bin".encode()):
        with open(folder + b"/" + name, "wb") as file:  # noqa: PTH123  likewise
            file.write(b"data")
    for locale in ({"LC_ALL": "C"}, {"PYTHONIOENCODING": "latin-1"}, {}):
        done = watchword(tmp_path, "inspect", "odd", env=locale)
        assert done.code == 1, done
        assert "suspicious[path-unsafe]" in done.out
        assert all(line.isprintable() for line in done.out.splitlines())
        assert not any(line.startswith("forged") for line in done.out.splitlines())
        value = json.loads(watchword(tmp_path, "inspect", "odd", "--format", "json", env=locale).out)
        assert len(value["files"]) == 3
    done = watchword(tmp_path, "inspect", folder + b"/a\xffb.bin", "--explain", b"\xff")
    refused(done, "there is no rule")


def test_signs_that_a_terminal_cannot_write_do_not_stop_the_answer(alliance: Path, watchword: Watchword) -> None:
    """An arrow on an ASCII stdout is an escape, not an error after the fact."""
    done = watchword(alliance, "data", "diff", "labels-1.csv", "labels-1.csv", env={"PYTHONIOENCODING": "ascii"})
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("IDENTICAL  3 rows \\u2192 3 rows")


def test_a_device_or_link_named_as_output_stays(tmp_path: Path, alliance: Path, watchword: Watchword) -> None:
    """Output goes through a pipe or a link; a room that replaces files whole refuses. Fails without ``is_special``."""
    real, link, pipe = alliance / "real", alliance / "link", alliance / "pipe"
    real.touch()
    link.symlink_to(real)
    os.mkfifo(pipe)
    assert watchword(alliance, "inspect", "mail-sorter", "--output", "link").code == 0
    assert link.is_symlink() and "nothing found" in real.read_text("utf-8")
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True) as reader:
        assert watchword(alliance, "inspect", "mail-sorter", "--output", "pipe").code == 0
        assert reader.stdout is not None and "nothing found" in reader.stdout.read()
    assert pipe.is_fifo()
    refused(watchword(alliance, "ledger", "export", "--to", "BRAVO", "--output", "pipe", *ALFA), "pipe: not a file")
    refused(watchword(alliance, "assure", "mail-sorter", "--report", "link", *ALFA), "link: not a file")
    assert link.is_symlink() and pipe.is_fifo()


# -- streams --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("watchword keys --home ALFA >&-", 2, "standard output is closed"),
        ("watchword keys --home ALFA >/dev/full", 2, "standard output: no space left on device"),
        ("watchword --version >/dev/full", 2, "standard output: no space left on device"),
        ("watchword --version >&-", 2, "standard output is closed"),
        ("watchword ledger --help >/dev/full", 2, "standard output: no space left on device"),
        ("watchword completion bash >/dev/full", 2, "standard output: no space left on device"),
        ("watchword keys --home missing 2>&-", 2, ""),
        ("watchword keys --home missing >&- 2>&- <&-", 2, ""),
        ("watchword keys --home ALFA 2>&- <&-", 0, "evaluator"),
        ("watchword charter show --home ALFA --format json | true; exit ${PIPESTATUS[0]}", 2, ""),
        ("watchword charter show --home ALFA --format json | head -n 1; exit ${PIPESTATUS[0]}", 2, "{"),
    ],
)
def test_a_stream_that_is_gone_is_no_verdict(
    line: str, code: int, says: str, alliance: Path, environment: Callable[[Path], dict[str, str]]
) -> None:
    """An answer nobody got exits 2, never 1; a closed stderr does not spill into stdout; no traceback."""
    done = subprocess.run(
        ["bash", "-c", line], cwd=alliance, env=environment(alliance), capture_output=True, text=True, check=False,
        timeout=WAIT_S_MAX,
    )  # fmt: skip
    told = done.stdout + done.stderr
    assert done.returncode == code, told
    assert says in told if says else told == ""
    assert "Traceback" not in told and "internal error" not in told and "Exception ignored" not in told


def test_nothing_is_recorded_for_an_answer_that_nobody_can_get(
    alliance: Path, environment: Callable[[Path], dict[str, str]], here: Watchword
) -> None:
    """With stdout closed nothing is done at all, and no file of the ledger gets its number."""
    line = "watchword inspect mail-sorter --record --home ALFA >&- 2>&-"
    done = subprocess.run(["bash", "-c", line], cwd=alliance, env=environment(alliance), check=False, timeout=60)
    assert done.returncode == 2
    assert here(alliance, "statement", "list", *ALFA) == "no such statement here\n"
    here(alliance, "ledger", "check", *ALFA)


# -- signals --------------------------------------------------------------------------------------


def started(folder: Path, environment: Any, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [PROGRAM, *words], cwd=folder, env=environment(folder), text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def wait_until_open(process: subprocess.Popen[str], path: Path) -> None:
    """Wait until *process*, or one that it started to parse, holds *path* open: it is in the middle of its work."""
    path, until = path.resolve(), time.monotonic() + WAIT_S_MAX
    while time.monotonic() < until and process.poll() is None:
        # A descriptor may close, or the process end, between the listing and the reading of it.
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split()
            for link in itertools.chain.from_iterable(
                Path(f"/proc/{of}/fd").iterdir() for of in (process.pid, *children)
            ):
                with contextlib.suppress(OSError):
                    if link.readlink() == path:
                        return
        time.sleep(0.001)
    pytest.fail(f"{path} was never open: {process.communicate()}")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (
            signal.SIGINT,
            ("assure", "mail-sorter-2", "--system", "mail-sorter", "--release", "2", "--report", "page.html", *ALFA),
        ),
        (signal.SIGTERM, ("ledger", "exchange", "post", *ALFA)),
        (signal.SIGINT, ("ledger", "append", "claim.json", *ALFA)),
    ],
    ids=["assure", "exchange", "append"],
)
def test_an_interrupted_command_leaves_a_node_that_works(
    words: tuple[str, ...], number: signal.Signals, stage: Callable[[str], Path], environment: Any, here: Watchword,
    typed: Watchword,
) -> None:  # fmt: skip
    """Ctrl-C or SIGTERM at four moments of the work: exit code 2 or the command's own; said once in the ledger."""
    work = stage("work")
    here(work, "inspect", "mail-sorter", "--record", "--home", "BRAVO")
    here(work, "ledger", "export", "--to", "ALFA", "--output", "post/BRAVO-to-ALFA.wwx.json", "--home", "BRAVO")
    own = 1 if words[0] == "assure" else 0
    interrupted = 0
    for delay_s in (0, 0.01, 0.04, 0.1):
        process = started(work, environment, *words)
        wait_until_open(process, work / "ALFA" / "lock")
        time.sleep(delay_s)
        process.send_signal(number)
        out, err = process.communicate(timeout=WAIT_S_MAX)
        # Where Python itself drops the signal (in a callback while it imports), it says so and goes on.
        dropped = err.startswith("Exception ignored in")
        assert dropped or ("Traceback" not in err and "internal error" not in err)
        if process.returncode == 2:
            assert "watchword: error: interrupted" in err and out == ""
            interrupted += 1
        else:
            # Once all was told, Python's own end can be cut short by the signal: nothing is lost by that.
            assert process.returncode == own or (process.returncode == -number and out), (out, err)
        here(work, "ledger", "check", *ALFA)
    assert interrupted, "the signals came too late to show anything"
    here(work, *words, exits=own)
    here(work, "ledger", "check", *ALFA)
    listed = json.loads(here(work, "statement", "list", "--by", "ALFA", "--format", "json", *ALFA))["statements"]
    said = [(one["kind"], one["subject"][0]["digest"]) for one in listed if one["kind"] != "record-head"]
    assert len(said) == len(set(said)), "something was said twice"
    assert [path.name for path in work.iterdir() if path.name.startswith(".")] == []


# -- full disks -----------------------------------------------------------------------------------


@pytest.fixture
def small_disk(stage: Callable[[str], Path], tmp_path: Path) -> Iterator[Callable[[int], dict[str, Any]]]:
    """The stage ``work`` on a disk of its own that can be filled up to a few bytes.

    ``small_disk(left)`` leaves that many bytes free and returns what the process is started with; a negative number
    mends it. A tmpfs where we may mount one; else a limit on the size of a file, which fails in the same places.
    """
    work = stage("work")
    size = sum(path.stat().st_blocks * 512 for path in work.rglob("*")) + 3_000_000
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], capture_output=True, check=False
        ).returncode
    )
    shutil.copytree(work, disk / "work")
    filler = disk / "filler"

    def fill(left: int) -> dict[str, Any]:
        filler.unlink(missing_ok=True)
        if left < 0:
            return {}
        if not mounted:
            return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (left, left))}
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        with filler.open("r+b") as file:
            file.truncate(filler.stat().st_size - left)
        return {}

    try:
        yield fill
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.mark.parametrize(
    "words",
    [
        RECORD,
        ("assure", "mail-sorter-2", "--release", "2.0", "--report", "page.html", *ALFA),
        ("ledger", "exchange", "post", *ALFA),
        ("notice", "recall", "mail-sorter 1.0", "--reason", "x", "--output", "recall.json", *ALFA),
        ("gate", "ask", "--of", "mail-sorter 1.0", "--tool", "label-mail", "--arg", "message=m", "--arg", "label=order",
         *ALFA),
    ],
    ids=lambda words: " ".join(words[:2]),
)  # fmt: skip
def test_a_full_disk_is_an_error_and_the_node_goes_on_when_it_is_mended(
    words: tuple[str, ...], small_disk: Callable[[int], dict[str, Any]], tmp_path: Path, watchword: Watchword,
    here: Watchword,
) -> None:  # fmt: skip
    """No room at all, room for a page, room for a few: never a yes that is not on the disk, never a broken ledger."""
    work = tmp_path / "disk" / "work"
    own = 1 if words[0] == "assure" else 0
    refusals = 0
    for left in (0, 8_192, 28_672):
        room = small_disk(left)
        done = watchword(work, *words, **room)
        for _ in range(16 if words[0] == "gate" and left == 0 else 0):  # a receipt may fit into a block that is there
            done = done if done.code else watchword(work, *words, **room)
        assert "Traceback" not in done.err and "internal error" not in done.err, done
        if done.code == 2:
            refusals += 1
            assert "no space left" in done.err.lower() or "file too large" in done.err.lower(), done
        elif words[0] == "gate" and done.code == 1:
            refusals += 1  # trouble denies: for a gate that is the answer
            assert done.out.startswith("DENIED"), done
        else:
            assert done.code == own, done
        small_disk(-1)
        here(work, "ledger", "check", *ALFA)
    assert refusals, "the disk was never full"
    if words[0] != "gate":
        here(work, *words, exits=own)
    else:
        assert here(work, *words).startswith("PERMITTED")
    here(work, "ledger", "check", *ALFA)


# -- terminals ------------------------------------------------------------------------------------


def on_terminal(folder: Path, env: dict[str, str], words: tuple[str, ...], answers: list[bytes]) -> tuple[int, str]:
    """Run a command on a terminal of its own; give the next answer whenever it asks (a prompt ends in ': ')."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execve(PROGRAM, [str(PROGRAM), *words], env)
    shown, waiting, last = b"", list(answers), b""
    with contextlib.suppress(OSError):  # Linux: reading a terminal whose process has gone
        while True:
            if not select.select([terminal], [], [], 3)[0]:
                # A Ctrl-C that comes between the prompt and the read is seen at the next key, as people press it again.
                if last == b"\x03":
                    os.write(terminal, last)
                continue
            data = os.read(terminal, 4096)
            if not data:
                break
            shown += data
            if waiting and shown.endswith(b": "):
                last = waiting.pop(0)
                os.write(terminal, last)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown.decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("answers", "code", "says"),
    [
        ([b"correct horse\n", b"correct horse\n"], 0, "1 key in golf/keys (encrypted)"),
        ([b"correct horse\n", b"another horse\n"], 2, "the two passphrases differ"),
        ([b"\n"], 2, "an empty passphrase protects nothing"),
        ([b"\x04"], 2, "no passphrase was typed"),
        ([b"\x03"], 2, "interrupted"),
    ],
    ids=["agree", "differ", "empty", "end of input", "ctrl-c"],
)
def test_a_passphrase_is_asked_for_twice_and_never_shown(
    answers: list[bytes], code: int, says: str, tmp_path: Path, environment: Any
) -> None:
    """On a terminal; a home is there only when both were the same."""
    words = ("init", "GOLF", "--supplier", "--home", "golf")
    got, shown = on_terminal(tmp_path, environment(tmp_path), words, answers)
    assert got == code and says in shown, shown
    assert "horse" not in shown and "Traceback" not in shown
    assert (tmp_path / "golf").exists() == (code == 0)


@pytest.mark.parametrize(("answer", "code"), [(b"m-7\n", 0), (b"m-8\n", 2), (b"\n", 2), (b"\x03", 2)])
def test_an_approval_asks_for_the_word_on_the_screen(
    answer: bytes, code: int, stage: Callable[[str], Path], environment: Any, here: Watchword
) -> None:
    """Anything but the word signs nothing."""
    work = stage("work")
    ask = ("gate", "ask", "--of", "mail-sorter 1.0", "--tool", "quarantine", "--arg", "message=m-7", "--format", "json")
    hold = json.loads(here(work, *ask, *ALFA, exits=1))["hold"]
    here(work, "gate", "request", hold, "--output", "hold.json", *ALFA)
    words = ("gate", "approve", "hold.json", "--output", "approval.json", "--home", "BRAVO")
    got, shown = on_terminal(work, environment(work), words, [answer])
    assert got == code, shown
    assert "type m-7 to approve" in shown and "Traceback" not in shown
    assert (work / "approval.json").exists() == (code == 0)

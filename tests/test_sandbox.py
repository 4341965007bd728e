"""The sandbox, asked call by call, past Python: what a parser that was taken over would try first is refused."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import json
import os
import signal
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from watchword import sandbox
from watchword.sandbox import Kept, confine, keeping

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no sandbox but on Linux")
KEPT = keeping("require") if sys.platform == "linux" else Kept.LIMITS
GIB = 1024**3
REFUSED = {errno.EPERM, errno.EACCES}
CHANGES = (
    "create", "open to write", "open to append", "truncate", "rename", "mkdir", "rmdir", "unlink", "link", "symlink",
    "mkfifo",
)  # fmt: skip
"""What Landlock refuses as well, by itself."""


def calls(folder: Path) -> dict[str, Callable[[], int]]:
    """Calls of the C library, each with arguments with which it does something where it is let."""
    libc, parent = ctypes.CDLL(None, use_errno=True), os.getppid()
    held, new, empty = (str(folder / name).encode() for name in ("held", "new", "empty"))
    how = struct.pack("QQQ", os.O_RDWR, 0, 0)
    return {
        "create": lambda: libc.open(new, os.O_CREAT | os.O_WRONLY, 0o600),
        "open to write": lambda: libc.open(held, os.O_RDWR),
        "open to append": lambda: libc.open(held, os.O_WRONLY | os.O_APPEND),
        "truncate": lambda: libc.truncate(held, ctypes.c_long(0)),
        "rename": lambda: libc.rename(held, new),
        "mkdir": lambda: libc.mkdir(new, 0o700),
        "rmdir": lambda: libc.rmdir(empty),
        "unlink": lambda: libc.unlink(held),
        "link": lambda: libc.link(held, new),
        "symlink": lambda: libc.symlink(held, new),
        "mkfifo": lambda: libc.mkfifo(new, 0o600),
        "chmod": lambda: libc.chmod(held, 0o777),
        "chown": lambda: libc.chown(held, os.getuid(), os.getgid()),
        "times": lambda: libc.utimes(held, None),
        "attribute": lambda: libc.setxattr(held, b"user.x", b"1", ctypes.c_size_t(1), 0),
        "TCP": lambda: libc.socket(2, 1, 0),
        "UDP": lambda: libc.socket(2, 2, 0),
        "local socket": lambda: libc.socket(1, 1, 0),
        "kill": lambda: libc.kill(parent, 0),
        "queued signal": lambda: libc.sigqueue(parent, 0, None),
        "trace": lambda: libc.ptrace(0, 0, None, None),
        "memory of another": lambda: libc.process_vm_readv(parent, None, 0, None, 0, 0),
        "user namespace": lambda: libc.unshare(0x1000_0000),
        "mount": lambda: libc.mount(b"none", empty, b"tmpfs", 0, None),
        "chroot": lambda: libc.chroot(empty),
        # One number on every architecture.
        "io_uring": lambda: libc.syscall(425, 1, ctypes.create_string_buffer(256)),
        "pidfd": lambda: libc.syscall(434, parent, 0),
        "openat2": lambda: libc.syscall(437, -100, held, how, ctypes.c_size_t(24)),
        "fchmodat2": lambda: libc.syscall(452, -100, held, 0o777, 0),
        "program": lambda: libc.execv(b"/bin/true", (ctypes.c_char_p * 2)(b"true", None)),
    }


NUMBERS = {
    "connect": (42, 203), "accept": (43, 202), "sendto": (44, 206), "sendmsg": (46, 211), "bind": (49, 200),
    "listen": (50, 201), "accept4": (288, 242), "sendmmsg": (307, 269), "execveat": (322, 281), "tkill": (200, 130),
    "tgkill": (234, 131), "rt_tgsigqueueinfo": (297, 240), "process_vm_writev": (311, 271),
    "pidfd_send_signal": (424, 424), "pidfd_getfd": (438, 438), "process_madvise": (440, 440),
    "process_mrelease": (448, 448), "renameat": (264, 38), "renameat2": (316, 276), "mkdirat": (258, 34),
    "unlinkat": (263, 35), "linkat": (265, 37), "symlinkat": (266, 36), "mknod": (133, None), "mknodat": (259, 33),
    "creat": (85, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchown": (93, 55), "lchown": (94, None),
    "fchownat": (260, 54), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "removexattr": (197, 14),
    "lremovexattr": (198, 15), "fremovexattr": (199, 16), "setxattrat": (463, 463), "removexattrat": (466, 466),
    "file_setattr": (469, 469), "utime": (132, None), "utimes": (235, None), "futimesat": (261, None),
    "utimensat": (280, 88), "pivot_root": (155, 41), "umount2": (166, 39),
    "setns": (308, 268), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "mount_setattr": (442, 442), "open_by_handle_at": (304, 265), "bpf": (321, 280), "userfaultfd": (323, 282),
    "perf_event_open": (298, 241), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "init_module": (175, 105), "finit_module": (313, 273), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
}  # fmt: skip
"""By the kernel's tables for x86-64 and arm64: the other calls by which the same is reached, and worse."""


def confined(does: Callable[[], Any], read: list[Path], *, cpu_s: int = 60) -> tuple[Any, int]:
    """What *does* returned in a process that confined itself, None where it did not come so far; how it ended."""
    reading, writing = os.pipe()

    def child() -> None:
        confine(read, memory_bytes=4 * GIB, cpu_s=cpu_s)
        os.write(writing, json.dumps(does()).encode())

    pid = sandbox.forked(child)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        answer = told.read()
    return json.loads(answer) if answer else None, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def errors(asked: dict[str, Callable[[], int]]) -> dict[str, int]:
    """The error of each call; 0 where it was let."""
    found = {}
    for name, call in asked.items():
        ctypes.set_errno(0)
        found[name] = 0 if call() >= 0 else ctypes.get_errno()
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "open" / "empty").mkdir(parents=True)
    (tmp_path / "open" / "held").write_text("as it was")
    (tmp_path / "secret").write_text("of somebody else")
    return tmp_path / "open"


def unchanged(folder: Path) -> bool:
    return (
        sorted(one.name for one in folder.iterdir()) == ["empty", "held"]
        and (folder / "held").read_text() == "as it was"
        and (folder / "held").stat().st_mode & 0o111 == 0
    )


@pytest.mark.parametrize("left_out", ["", "_landlock"], ids=["both", "without Landlock"])
def test_every_call_that_reaches_further_is_refused(
    folder: Path, left_out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files, network, other processes, programs, namespaces, and the newer ways around: EPERM by the filter, whether
    or not the kernel has Landlock. Seen to fail, call by call, with its number taken out of the filter."""
    if left_out:
        monkeypatch.setattr(sandbox, left_out, lambda *_: None)
    found, status = confined(lambda: errors(calls(folder)), [folder])
    assert status == 0
    assert {name: error for name, error in found.items() if error not in REFUSED} == {}
    assert unchanged(folder)


def test_the_same_by_another_call_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With arguments that mean nothing: by the filter's own answer, before the kernel looks at them. Seen to fail,
    call by call, with its number taken out of the filter."""
    monkeypatch.setattr(sandbox, "_landlock", lambda *_: None)
    libc, column = ctypes.CDLL(None, use_errno=True), int(os.uname().machine == "aarch64")
    nonsense = [ctypes.c_long(-1)] * 6
    asked: dict[str, Callable[[], int]] = {
        name: functools.partial(libc.syscall, ctypes.c_long(number), *nonsense)
        for name, numbers in NUMBERS.items()
        if (number := numbers[column]) is not None
    }
    found, status = confined(lambda: errors(asked), [folder])
    assert status == 0
    assert {name: error for name, error in found.items() if error != errno.EPERM} == {}
    # Of the architecture that this is not, by its table.
    for machine, numbers in zip(("x86_64", "aarch64"), zip(*NUMBERS.values(), strict=True), strict=True):
        assert set(numbers) - {None} <= set(sandbox._CALLS[machine][2])


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_refused_by_landlock_alone_too(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gap in the filter is covered by the other one, where the kernel has it; there it reads nothing else either."""
    monkeypatch.setattr(sandbox, "_seccomp", lambda *_: None)
    found, status = confined(lambda: errors({name: calls(folder)[name]}), [folder])
    assert status == 0
    if KEPT is Kept.BOTH:
        assert found[name] in REFUSED and unchanged(folder)
    else:
        assert found[name] == 0, "without both nothing keeps it, and the filter is what is needed"


def test_only_what_was_named_is_read(folder: Path) -> None:
    """A file below the folder, and none beside it, above it or of another process; without Landlock, said as a limit,
    whatever the user may read."""
    asked = [folder / "held", folder.parent / "secret", folder / ".." / "secret", Path(f"/proc/{os.getpid()}/environ")]

    def does() -> list[bool]:
        read = []
        for path in asked:
            try:
                read.append(bool(path.read_bytes()) or True)
            except OSError:
                read.append(False)
        return read

    found, status = confined(does, [folder])
    assert status == 0 and found == [True, *[KEPT is not Kept.BOTH] * 3]


def test_a_file_that_is_open_already_does_not_grow(folder: Path) -> None:
    """A descriptor that was handed over for writing takes no byte more than was said."""
    with (folder / "held").open("ab", 0) as file:

        def does() -> int:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            try:
                os.write(file.fileno(), b"more")
            except OSError as error:
                return error.errno or 0
            return 0

        assert confined(does, [folder]) == (errno.EFBIG, 0)
    assert unchanged(folder)


def test_memory_and_time_end(folder: Path) -> None:
    """Past its memory an allocation fails; past its processor time the process is ended."""

    def takes() -> bool:
        with contextlib.suppress(MemoryError):
            bytearray(5 * GIB)
            return False
        return True

    def spins() -> None:
        while True:
            pass

    assert confined(takes, [folder]) == (True, 0)
    answer, status = confined(spins, [folder], cpu_s=1)
    assert answer is None and status in (-signal.SIGXCPU, -signal.SIGKILL)


def test_a_call_of_another_kind_of_program_ends_the_process(folder: Path) -> None:
    """The numbers of 32-bit pointers on x86-64 mean the same calls, past a filter that only knows the others."""
    if os.uname().machine == "x86_64":
        answer, status = confined(lambda: ctypes.CDLL(None).syscall(0x4000_0000 | 41, 2, 1, 0), [folder])
        assert answer is None and status == -signal.SIGSYS
    assert confined(lambda: ctypes.CDLL(None).getpid() > 0, [folder]) == (True, 0)


def test_what_was_tried_in_python_is_told(folder: Path) -> None:
    """For people, not for protection: the attempt stands in words."""
    reading, writing = os.pipe()

    def child() -> None:
        attempts = confine([folder], memory_bytes=4 * GIB, cpu_s=60)
        with contextlib.suppress(OSError):
            (folder / "new").write_text("x")
        os.write(writing, json.dumps(attempts).encode())

    os.waitpid(sandbox.forked(child), 0)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        assert json.loads(told.read()) == [f"write: open '{folder}/new'"]

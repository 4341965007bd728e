"""A process that may compute and nothing else: no network, no writes, no other programs. Linux, x86-64 and aarch64.

    confine(read=[…])     called by the process on itself, before it loads anything foreign; there is no way back

1. limits: memory, CPU time, open files, no core, files of 0 bytes (or as given);
2. no new privileges;
3. Landlock, where the kernel has it: reading only below the folders named, writing nowhere, no TCP, no signals or
   abstract sockets to others (what the kernel's version of Landlock knows);
4. seccomp: system calls that reach the network, other processes, or change files fail with EPERM, and ``open`` for
   writing too.

Landlock and seccomp each forbid writes and TCP, so a gap in one is covered by the other. ``attempts`` tells what Python
code tried: an audit hook, which records and does not protect. Not promised: a defect of the kernel, what can be told
through timing, and that results are honest.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from watchword.errors import WatchwordError
from watchword.limits import SANDBOX_ATTEMPTS_MAX, SANDBOX_FILES_MAX


class NoSandbox(WatchwordError):
    """This machine cannot confine a process as is needed."""


_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446  # the same on every architecture

# Rights of Landlock, version 1: execute, write, read file, read folder, then those that remove or make. Later ones:
_READ = (1 << 2) | (1 << 3)
_OF_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_X32 = 0x4000_0000

# By architecture: AUDIT_ARCH, {openat's number: argument with the flags}, and every number that is forbidden outright.
_CALLS: dict[str, tuple[int, dict[int, int], tuple[int, ...]]] = {
    "x86_64": (
        0xC000003E,
        {2: 1, 257: 2},
        (
            41, 42, 43, 44, 46, 49, 50, 288, 307,  # socket, connect, accept, sendto, sendmsg, bind, listen, accept4, …
            59, 322, 62, 101, 310, 311, 424, 434, 438,  # exec, kill, ptrace, memory of others, pidfds
            82, 264, 316, 83, 258, 84, 87, 263, 86, 265, 88, 266, 133, 259, 85,  # rename, mkdir, unlink, link, mknod
            76, 90, 91, 268, 92, 93, 94, 260, 188, 189, 190, 197, 198, 199,  # truncate, chmod, chown, attributes
            161, 155, 165, 166, 272, 308, 428, 429, 430, 442,  # chroot, mounts, namespaces
            437, 304, 321, 323, 425, 298, 248, 249, 250, 175, 313, 246, 320,  # openat2, handles, bpf, io_uring, keys
        ),
    ),
    "aarch64": (
        0xC00000B7,
        {56: 2},
        (
            198, 203, 202, 206, 211, 200, 201, 242, 269,
            221, 281, 129, 117, 270, 271, 424, 434, 438,
            38, 276, 34, 35, 37, 36, 33,
            45, 52, 53, 54, 55, 5, 6, 7, 14, 15, 16,
            51, 41, 40, 39, 97, 268, 428, 429, 430, 442,
            437, 265, 280, 282, 425, 241, 217, 218, 219, 105, 273, 104, 294,
        ),
    ),
}  # fmt: skip


def confine(read: Iterable[Path], *, memory_bytes: int, cpu_s: int, file_bytes: int = 0) -> list[str]:
    """Confine this process for good.

    Args:
        read: files and folders below which it may read, once confined.
        memory_bytes, cpu_s: of this process; beyond them allocations fail, and it is killed.
        file_bytes: how far a file may grow that is open for writing already.

    Returns:
        A list that grows with every attempt of Python code at what is forbidden.

    Raises:
        NoSandbox: it cannot be done here; nothing foreign may be loaded then.
    """
    machine = platform.machine()
    if sys.platform != "linux" or machine not in _CALLS:
        raise NoSandbox(f"no sandbox on {sys.platform} {machine}", "run it on Linux, x86-64 or aarch64")
    paths = [path for path in read if path.exists()]
    for what, most in (
        (resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_CPU, cpu_s), (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, file_bytes), (resource.RLIMIT_NOFILE, SANDBOX_FILES_MAX),
    ):  # fmt: skip
        hard = resource.getrlimit(what)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise NoSandbox(f"no_new_privs: {os.strerror(ctypes.get_errno())}")
    _landlock(libc, paths)
    _seccomp(libc, machine)
    return _listen()


def ask_confined(
    run: Callable[[], Any], read: Iterable[Path], *, memory_bytes: int, cpu_s: int, answer_bytes_max: int
) -> Any:
    """What *run* returns, as JSON has it, from a process that is confined first; Python's own folders it may read too.

    The answer is that of a process that a parser may have taken over: to be checked, never believed.

    Raises:
        NoSandbox: it cannot be done here, or the process ended without an answer.
        WatchwordError: what *run* raised, as the root error.
    """
    reading, writing = os.pipe()
    # All that is buffered would be written twice.
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        try:
            nothing = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(nothing, descriptor)
            os.closerange(3, writing)
            os.closerange(writing + 1, 1 << 30)
            told: dict[str, Any]
            try:
                libraries = {Path(one).resolve() for one in (*sys.path, f"{sys.base_prefix}/lib") if one}
                confine([*read, *libraries], memory_bytes=memory_bytes, cpu_s=cpu_s)
                told = {"answer": run()}
            except WatchwordError as error:
                told = {"error": [error.message, error.hint], "none": isinstance(error, NoSandbox)}
            left = memoryview(json.dumps(told).encode() + b"\n")
            while left:
                left = left[os.write(writing, left) :]
        finally:
            os._exit(0)  # whatever was raised: nothing of the parent may run here
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as answers:
            line = answers.readline(answer_bytes_max)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    try:
        value = json.loads(line) if line.endswith(b"\n") else {}
        if "error" in value:
            message, hint = map(str, value["error"])
            raise (NoSandbox if value["none"] else WatchwordError)(message, hint)
        return value["answer"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise NoSandbox("the process that was to read it ended without an answer", "nothing was read") from error


def kept_by() -> str:
    """What confines a process here, in words: without Landlock it may read what this user may."""
    version = ctypes.CDLL(None, use_errno=True).syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    return "seccomp and Landlock" if version >= 1 else "seccomp alone"


def _landlock(libc: ctypes.CDLL, paths: list[Path]) -> None:
    """Reading below *paths*, and nothing else. Left out where the kernel has no Landlock: seccomp is not."""
    version = libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return
    files = _OF_VERSION[max(known for known in _OF_VERSION if known <= version)]
    rules = struct.pack("QQQ", files, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    rules = rules[: 8 if version < 4 else 16 if version < 6 else 24]
    ruleset = libc.syscall(_LANDLOCK_CREATE, rules, ctypes.c_size_t(len(rules)), 0)
    if ruleset < 0:
        raise NoSandbox(f"Landlock: {os.strerror(ctypes.get_errno())}")
    for path in paths:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        allowed = _READ if path.is_dir() else 1 << 2
        rule = struct.pack("=Qi", allowed & files, descriptor)
        if libc.syscall(_LANDLOCK_ADD, ruleset, 1, rule, 0):
            raise NoSandbox(f"Landlock: {path}: {os.strerror(ctypes.get_errno())}")
        os.close(descriptor)
    if libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0):
        raise NoSandbox(f"Landlock: {os.strerror(ctypes.get_errno())}")
    os.close(ruleset)


def _seccomp(libc: ctypes.CDLL, machine: str) -> None:
    arch, opening, forbidden = _CALLS[machine]
    load, equal, at_least, any_bit, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, refuse, kill = 0x7FFF0000, 0x00050000 | 1, 0x80000000  # 1: EPERM
    code: list[tuple[int, int, int, int]] = [
        (load, 0, 0, 4), (equal, 1, 0, arch), (answer, 0, 0, kill), (load, 0, 0, 0),
        (at_least, 0, 1, _X32), (answer, 0, 0, kill),
    ]  # fmt: skip
    for number in forbidden:
        code += [(equal, 0, 1, number), (answer, 0, 0, refuse)]
    for number, argument in opening.items():
        flags = 16 + 8 * argument  # its lower half; both architectures are little-endian
        code += [
            (equal, 0, 4, number), (load, 0, 0, flags), (any_bit, 0, 1, _WRITING), (answer, 0, 0, refuse),
            (answer, 0, 0, allow),
        ]  # fmt: skip
    code.append((answer, 0, 0, allow))
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in code))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code), ctypes.addressof(program)))
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0):
        raise NoSandbox(f"seccomp: {os.strerror(ctypes.get_errno())}", "a container may forbid it")


_TELLING = {
    "socket.connect": "network", "socket.bind": "network", "socket.sendto": "network", "socket.getaddrinfo": "network",
    "socket.__new__": "network", "subprocess.Popen": "program", "os.exec": "program", "os.posix_spawn": "program",
    "os.system": "program", "os.kill": "signal", "os.remove": "write", "os.rename": "write", "os.mkdir": "write",
    "os.rmdir": "write", "os.link": "write", "os.symlink": "write", "os.truncate": "write", "os.chmod": "write",
}  # fmt: skip


def _listen() -> list[str]:
    """From now on, what Python code tries that is forbidden, in words: ``write: open '/tmp/x'``."""
    attempts: list[str] = []

    def hook(event: str, args: tuple[object, ...]) -> None:
        kind = _TELLING.get(event)
        if event == "open" and len(args) == 3 and isinstance(args[2], int) and args[2] & _WRITING:
            kind = "write"
        if kind is not None and len(attempts) < SANDBOX_ATTEMPTS_MAX:
            what = next((repr(one)[:200] for one in args if isinstance(one, str | bytes | tuple)), "")
            attempts.append(f"{kind}: {event} {what}".rstrip())

    sys.addaudithook(hook)
    return attempts

"""A process that may compute and nothing else: no network, no writes, no other programs. Linux, x86-64 and aarch64.

    confine(read=[…])     called by the process on itself, before it loads anything foreign; there is no way back
    keeping("auto")       what such a process will be kept by here (``Kept``), as the user asked for it

1. limits: memory, CPU time, open files, no core, files of 0 bytes (or as given);
2. no new privileges;
3. Landlock, where the kernel has it: reading only below the folders named, writing nowhere, no TCP, no signals or
   abstract sockets to others (what the kernel's version of Landlock knows);
4. seccomp: system calls that reach the network, other processes, or change files fail with EPERM, and ``open`` for
   writing too.

Landlock and seccomp each forbid writes and TCP, so a gap in one is covered by the other. ``attempts`` tells what Python
code tried: an audit hook, which records and does not protect. Not promised: a defect of the kernel, what can be told
through timing, and that results are honest.

Elsewhere a process of its own has the limits (1) alone, and where there is no ``fork`` there is none: ``auto`` takes
what there is, and says which; ``require`` refuses.

Forking is quick (no second start of Python), and safe where no other thread holds what the child will need: commands
have one thread, or one more that only draws. A server with threads of its own must not fork here.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import json
import os
import signal
import struct
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from watchword.errors import WatchwordError
from watchword.limits import SANDBOX_ATTEMPTS_MAX, SANDBOX_FILES_MAX


class NoSandbox(WatchwordError):
    """This machine cannot confine a process as is needed."""


class Kept(StrEnum):
    """What keeps a process from doing more than it should, the strongest first."""

    BOTH = "seccomp and Landlock"
    SECCOMP = "seccomp alone"
    LIMITS = "limits alone"
    NOTHING = "nothing"

    @property
    def confined(self) -> bool:
        """True where the kernel refuses network, writes and programs."""
        return self in (Kept.BOTH, Kept.SECCOMP)


WAYS = ("auto", "require", "off")
"""How a user may ask: confined as well as can be here; not at all unless confined; in this process."""


_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 1, 38, 22, 2
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446  # the same on every architecture

# Rights of Landlock, version 1: execute, write, read file, read folder, then those that remove or make. Later ones:
_READ = (1 << 2) | (1 << 3)
_OF_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}

# What a compiled library is loaded from, and asks of the machine when it is.
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/proc/cpuinfo",
              "/proc/meminfo", "/sys/devices/system/cpu")  # fmt: skip

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
            129, 200, 234, 297, 440, 448,  # signals to threads, advice on the memory of others
            82, 264, 316, 83, 258, 84, 87, 263, 86, 265, 88, 266, 133, 259, 85,  # rename, mkdir, unlink, link, mknod
            76, 90, 91, 268, 92, 93, 94, 260, 188, 189, 190, 197, 198, 199,  # truncate, chmod, chown, attributes
            132, 235, 261, 280, 452, 463, 466, 469,  # times; chmod and attributes as newer kernels have them
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
            138, 130, 131, 240, 440, 448,
            38, 276, 34, 35, 37, 36, 33,
            45, 52, 53, 54, 55, 5, 6, 7, 14, 15, 16,
            88, 452, 463, 466, 469,
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
    _close_in(read, memory_bytes, cpu_s, file_bytes)
    return _listen()


def _close_in(read: Iterable[Path], memory_bytes: int, cpu_s: int, file_bytes: int) -> None:
    machine = _machine()
    if sys.platform != "linux" or machine not in _CALLS:
        raise _no_sandbox()
    paths = [path for path in read if path.exists()]
    limit(memory_bytes=memory_bytes, cpu_s=cpu_s, file_bytes=file_bytes)
    libc = _libc()
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise NoSandbox(f"no_new_privs: {os.strerror(ctypes.get_errno())}")
    _landlock(libc, paths)
    _seccomp(libc, machine)


def limit(*, memory_bytes: int, cpu_s: int, file_bytes: int = 0) -> None:
    """The limits of ``confine`` alone, as far as this system has them."""
    import resource  # Windows has none

    for what, most in (
        (resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_CPU, cpu_s), (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, file_bytes), (resource.RLIMIT_NOFILE, SANDBOX_FILES_MAX),
    ):  # fmt: skip
        hard = resource.getrlimit(what)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(what, (least, least))
        except (OSError, ValueError):
            if sys.platform == "linux":
                raise


def keeping(way: str) -> Kept:
    """What will keep a process that reads what is hostile, as *way* (``WAYS``) asks and this machine can.

    Raises:
        NoSandbox: it is required, and cannot be had here.
    """
    if way == "off":
        return Kept.NOTHING
    kept = kept_by()
    if way == "require" and not kept.confined:
        raise _no_sandbox()
    return kept


def kept_by() -> Kept:
    """What confines a process here: without Landlock it may read what this user may."""
    if not hasattr(os, "fork"):
        return Kept.NOTHING
    if sys.platform != "linux" or _machine() not in _CALLS:
        return Kept.LIMITS
    libc = _libc()
    libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, None, 0, 0)
    if ctypes.get_errno() != errno.EFAULT:  # how a kernel with filters answers to none
        return Kept.LIMITS
    return Kept.BOTH if _landlock_version(libc) >= 1 else Kept.SECCOMP


def prepare(kept: Kept) -> None:
    """Work out, before many forks, what each of them would have to."""
    if kept.confined:
        _libraries(tuple(sys.path))
        _filter(_machine())


def forked(child: Callable[[], None]) -> int:
    """The number of a process in which *child* runs, and nothing else of this one; it exits 70 where that raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads: see the module
        pid = os.fork()
    if pid == 0:
        status = 70
        try:
            child()
            status = 0
        finally:
            os._exit(status)
    return pid


def enclose(kept: Kept, read: Iterable[Path], open_files: Iterable[int], *, memory_bytes: int, cpu_s: int,
            file_bytes: int = 0) -> None:  # fmt: skip
    """In a process that was just forked: let go of all but *open_files*, then be kept by *kept* (not NOTHING).

    *memory_bytes* come on top of what is mapped already: a fork has all of that, a parser brought none of it. Below
    *read* and the folders of libraries, which parsers may still import, it may read. It ends with its parent.

    Raises:
        NoSandbox: as ``confine``.
    """
    os.setsid()  # a terminal can be written to through any descriptor of it
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    start = 3
    for descriptor in sorted(open_files):
        os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, 1 << 30 if sys.platform == "linux" else 1 << 14)  # one system call there
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its parent hears Ctrl-C, and ends it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    memory_bytes += _mapped()
    if not kept.confined:
        limit(memory_bytes=memory_bytes, cpu_s=cpu_s, file_bytes=file_bytes)
        return
    _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _close_in([*read, *_libraries(tuple(sys.path))], memory_bytes, cpu_s, file_bytes)


Tell = Callable[[str, int, int], None]


def ask_confined(
    run: Callable[[Tell], Any], read: Iterable[Path], *, kept: Kept, memory_bytes: int, cpu_s: int,
    answer_bytes_max: int, tell: Tell | None = None, open_files: Sequence[int] = (), file_bytes: int = 0,
) -> Any:  # fmt: skip
    """What *run* returns, as JSON has it, from a process that is kept by *kept* first; in this one where by nothing.

    The answer is that of a process that a parser may have taken over: to be checked, never believed.

    Args:
        run: is handed what it may tell its progress to: label, done, total.
        tell: hears of it here.
        open_files: descriptors that it keeps.

    Raises:
        NoSandbox: it cannot be done here, or the process ended without an answer.
        WatchwordError: what *run* raised, as the root error.
    """
    if kept is Kept.NOTHING:
        return run(tell or (lambda *_: None))
    reading, writing = os.pipe()

    def child() -> None:
        def say(value: dict[str, Any]) -> None:
            write_line(writing, value)

        try:
            kept_open = [writing, *open_files]
            enclose(kept, read, kept_open, memory_bytes=memory_bytes, cpu_s=cpu_s, file_bytes=file_bytes)
            say({"answer": run(lambda *step: say({"told": step}) if tell is not None else None)})
        except WatchwordError as error:
            say({"error": [error.message, error.hint], "none": isinstance(error, NoSandbox)})

    prepare(kept)
    pid = forked(child)
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as answers:
            while True:
                line = answers.readline(answer_bytes_max)
                value = json.loads(line) if line.endswith(b"\n") else {}
                if "told" not in value:
                    break
                if tell is not None:
                    label, done, total = value["told"]
                    tell(str(label)[:4096], int(done), int(total))
        if "error" in value:
            message, hint = map(str, value["error"])
            raise (NoSandbox if value["none"] else WatchwordError)(message, hint)
        return value["answer"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise NoSandbox("the process that was to read it ended without an answer", "nothing was read") from error
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def write_line(descriptor: int, value: Any) -> None:
    """All of *value*, as a line of JSON."""
    write_all(descriptor, json.dumps(value).encode() + b"\n")


def write_all(descriptor: int, data: bytes) -> None:
    """All of *data*: a pipe takes what it has room for."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def _no_sandbox() -> NoSandbox:
    hint = "run it on Linux, x86-64 or aarch64, where a container allows seccomp; or give --sandbox auto"
    return NoSandbox(f"no sandbox on {sys.platform} {_machine()}", hint)


def _mapped() -> int:
    """Bytes of this process's address space; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _machine() -> str:
    return os.uname().machine if hasattr(os, "uname") else ""


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


@functools.cache
def _libraries(path: tuple[str, ...]) -> tuple[Path, ...]:
    named = (*path, f"{sys.base_prefix}/lib", *_LIBRARIES)
    return tuple({Path(one).resolve() for one in named if one})


def _landlock_version(libc: ctypes.CDLL) -> int:
    return int(libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1))


def _landlock(libc: ctypes.CDLL, paths: list[Path]) -> None:
    """Reading below *paths*, and nothing else. Left out where the kernel has no Landlock: seccomp is not."""
    version = _landlock_version(libc)
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
    program, count = _filter(machine)
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", count, ctypes.addressof(program)))
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0):
        raise NoSandbox(f"seccomp: {os.strerror(ctypes.get_errno())}", "a container may forbid it")


@functools.cache
def _filter(machine: str) -> tuple[ctypes.Array[ctypes.c_char], int]:
    """The filter of system calls as the kernel reads it, and its length in instructions."""
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
    return ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in code)), len(code)


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

"""Run a Python file where the standard library has what it has on Windows: ``without_posix.py FOLDER FILE ARGUMENT …``.

What only POSIX has is gone from ``os`` and ``signal``, and modules that are not there cannot be imported. A file in
FOLDER that is opened by its descriptor without O_BINARY ends the run: there, reading would change line ends. FILE is a
script, or ``-m`` and a module.
"""

from __future__ import annotations

import importlib
import os
import runpy
import signal
import sys
from typing import Any

# What the standard library itself takes of POSIX on this system, it takes before that is gone.
for name in ("asyncio", "multiprocessing.popen_spawn_posix", "shutil", "subprocess", "tempfile"):
    importlib.import_module(name)

MODULES = {"_posixshmem", "curses", "fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty"}
ATTRIBUTES = """
O_ASYNC O_CLOEXEC O_DIRECTORY O_DSYNC O_NOFOLLOW O_NONBLOCK O_PATH O_SYNC O_TMPFILE WNOHANG chown fchown fdatasync
fork forkpty getegid geteuid getgid getloadavg getpgid getuid killpg lchown memfd_create mkfifo mknod nice
posix_fadvise posix_fallocate posix_spawn pread preadv pwrite pwritev readv sched_getaffinity sched_setaffinity
sendfile setpgid setsid statvfs sysconf uname wait4 writev SIGALRM SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP
SIGUSR1 SIG_BLOCK SIG_SETMASK pthread_sigmask setitimer
"""
BINARY = 1 << 30


class Absent:
    """Finds that a module is not there."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] in MODULES:
            raise ImportError(f"there is no {name} on this system", name=name)


def main(folder: str, *words: str) -> None:
    for one in ATTRIBUTES.split():
        for module in (os, signal):
            module.__dict__.pop(one, None)
    for one in MODULES:
        sys.modules.pop(one, None)
    sys.meta_path.insert(0, Absent())  # type: ignore[arg-type]
    opened = os.open

    def opening(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if str(path).startswith(folder) and not flags & BINARY:
            os._exit(99)
        return opened(path, flags & ~BINARY, *rest, **more)

    os.O_BINARY, os.open = BINARY, opening  # type: ignore[attr-defined]
    if words[0] == "-m":
        sys.argv = list(words[1:])
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = list(words)
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])

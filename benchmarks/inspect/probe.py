"""Loads one file with its real loader under an audit hook, and writes what was seen: the child of ``oracle``.

``python -m benchmarks.inspect.probe LOADER FILE LOG``, in a folder that may be spoilt, without a network.

* What a library does while it is imported is not held against the file; nor is what the loader itself needs.
* Everything is written at once: a payload that replaces or kills the process leaves its trace first.
"""

from __future__ import annotations

import builtins
import json
import os
import resource
import sys
import sysconfig
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.inspect import loaders
from benchmarks.inspect.corpus.cases import MARKER

CPU_S_MAX = 60
MEMORY_BYTES_MAX = 12 << 30
FILE_BYTES_MAX = 64 << 20

ALWAYS = (
    *("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "os.startfile", "pty.spawn"),
    *("subprocess.Popen", "webbrowser.open", "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"),
    *("socket.gethostbyname", "urllib.Request", "http.client.connect", "ftplib.connect", "smtplib.connect"),
    *("telnetlib.Telnet.open", "poplib.connect", "imaplib.open", "nntplib.connect", "ctypes.dlopen", "ctypes.dlsym"),
    *("ctypes.string_at", "ctypes.call_function", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link"),
    *("os.symlink", "os.chmod", "os.chown", "os.truncate", "os.putenv", "os.kill", "os.chdir", "os.listdir"),
    *("shutil.rmtree", "shutil.copyfile", "shutil.move", "shutil.make_archive", "shutil.unpack_archive"),
    *("sqlite3.connect", "code.__new__", "function.__new__", "sys.settrace", "sys.setprofile", "signal.signal"),
    *("builtins.breakpoint", "builtins.input", "cpython.run_command", "ensurepip.bootstrap", "glob.glob"),
    *("tempfile.mkstemp", "tempfile.mkdtemp", "pdb.Pdb", "gc.get_objects", "sys._getframe", "marshal.loads"),
)
# Seen, but no proof: honest files do this too, or libraries on their behalf; an import from a cache unmarshals.
WEAK = {
    "marshal.loads",
    "sys._getframe",
    "glob.glob",
    "os.listdir",
    "tempfile.mkstemp",
    "tempfile.mkdtemp",
    "ctypes.dlsym",
}
SCRATCH = {"os.mkdir", "os.chown", "os.chmod", "os.remove", "os.rmdir", "shutil.rmtree"}
PRIVATE = ("/etc/", f"{os.sep}root{os.sep}", "/home/", "/proc/self/environ")


class Watch:
    """The audit hook. ``armed`` only while the file is being loaded."""

    def __init__(self, log: int, own: Path) -> None:
        self.log = log
        self.own = own
        self.armed = False
        paths = sysconfig.get_paths()
        roots = {paths["stdlib"], paths["platstdlib"], paths["purelib"], sys.prefix, sys.base_prefix}
        self.libraries = tuple(f"{Path(root).resolve()}/" for root in roots) + tuple(f"{root}/" for root in roots)

    def write(self, **what: Any) -> None:
        os.write(self.log, json.dumps(what).encode() + b"\n")

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.armed:
            return
        self.armed = False
        try:
            said = self.judge(event, args)
            if said and not self.importing(sys._getframe(1)):
                self.write(event=event, said=said[:200], weak=event in WEAK)
        finally:
            self.armed = True

    def judge(self, event: str, args: tuple[Any, ...]) -> str:
        """What is dangerous about this event, or nothing."""
        if event == "exec":
            file = getattr(args[0], "co_filename", "?")
            ours = file.startswith(self.libraries) or file.startswith("<frozen")
            return "" if ours else f"code of {file}"
        if event == "open":
            return self.judge_open(args)
        if event in SCRATCH and args and isinstance(args[0], (str, bytes)):
            # torch's oldest loader unpacks into a folder that it makes itself.
            file = os.path.abspath(os.fsdecode(args[0]))  # noqa: PTH100
            return "" if file.startswith(os.environ["TMPDIR"] + "/") else repr(args)
        return repr(args) if event in ALWAYS else ""

    def judge_open(self, args: tuple[Any, ...]) -> str:
        path, _mode, flags = args
        if isinstance(path, int):
            return ""
        file = os.path.abspath(os.fsdecode(path))  # noqa: PTH100
        if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            scratch = file.startswith((os.environ["TMPDIR"] + "/", "/dev/"))
            return "" if scratch else f"writes {file}"
        outside = file.startswith(PRIVATE) and not file.startswith((*self.libraries, str(self.own)))
        return f"reads {file}" if outside else ""

    def importing(self, frame: FrameType | None) -> bool:
        """True inside the body of a library's module: it is being imported."""
        while frame is not None:
            if frame.f_code.co_name == "<module>" and frame.f_code.co_filename.startswith(self.libraries):
                return not frame.f_code.co_filename.endswith(("/runpy.py", "/probe.py", "antigravity.py"))
            frame = frame.f_back
        return False


def main(loader: str, file: str, log: str) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S_MAX, CPU_S_MAX))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES_MAX, FILE_BYTES_MAX))
    watch = Watch(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), Path(file).parent)
    loaders.ready(loader)
    sys.addaudithook(watch)
    before = dict(vars(builtins))
    outcome, why = "loaded", ""
    watch.armed = True
    try:
        loaders.LOADERS[loader][1](Path(file))
    except BaseException as error:  # noqa: BLE001  a payload raises what it likes
        outcome, why = "raised", f"{type(error).__name__}: {error}"[:300]
    watch.armed = False
    if any(before.get(key) is not value for key, value in vars(builtins).items() if key != "_"):
        watch.write(event="builtins", said="the interpreter's own names were changed", weak=False)
    if Path(MARKER).exists():
        watch.write(event="marker", said="the payload left its marker", weak=False)
    watch.write(outcome=outcome, why=why)


if __name__ == "__main__":
    main(*sys.argv[1:])

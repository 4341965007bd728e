"""Small real disks that a soak can fill: ext4 in a file where a loop device is allowed, else tmpfs, mounted apart.

* ``apart`` starts the soak again in a mount namespace of its own, so that no mount outlives it or is seen outside.
* Where nothing can be mounted, a full disk is played by a limit on how far files may grow (``EFBIG``, not ``ENOSPC``),
  and the report says so.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SIZE_MB = 256
"""Of a small disk. Origin: a soak of ten minutes writes some 100 MB of receipts at one gate."""
_INSIDE = "WATCHWORD_SOAK_APART"
_NOSUID_NODEV = 2 | 4


def apart(module: str, arguments: list[str]) -> None:
    """Go on in a mount namespace of this program's own, where the kernel allows that; else return."""
    program = shutil.which("unshare")
    if os.environ.get(_INSIDE) or program is None:
        return
    how = ["-m"] if os.geteuid() == 0 else ["-c", "-m", "--keep-caps"]
    if subprocess.run([program, *how, "true"], capture_output=True, check=False).returncode == 0:
        os.environ[_INSIDE] = "1"
        os.execv(program, [program, *how, sys.executable, "-m", module, *arguments])


@dataclass
class Disk:
    """A folder with a disk of its own, or with none. ``kind``: ``ext4``, ``tmpfs`` or ``file size limit``."""

    folder: Path
    kind: str

    @classmethod
    def at(cls, folder: Path) -> Disk:
        """A small disk at *folder*, which is made."""
        folder.mkdir()
        if not os.environ.get(_INSIDE):
            return cls(folder, "file size limit")
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            return cls(folder, _ext4(folder))
        libc = ctypes.CDLL(None, use_errno=True)
        options = f"size={SIZE_MB}m".encode()
        if libc.mount(b"soak", os.fsencode(folder), b"tmpfs", _NOSUID_NODEV, options) == 0:
            return cls(folder, "tmpfs")
        return cls(folder, "file size limit")

    def fill(self, processes: Iterable[int]) -> None:
        """Leave no byte; where it is no disk of its own, no file of these processes grows any more."""
        if self.kind == "file size limit":
            self._limit(processes, 1)
            return
        with (self.folder / "ballast").open("wb", buffering=0) as file, contextlib.suppress(OSError):
            free = os.statvfs(self.folder)
            with contextlib.suppress(OSError):
                os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize)
            file.seek(0, os.SEEK_END)
            for size in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)):
                        pass

    def free(self, processes: Iterable[int]) -> None:
        """Undo ``fill``."""
        if self.kind == "file size limit":
            self._limit(processes, resource.RLIM_INFINITY)
        (self.folder / "ballast").unlink(missing_ok=True)

    def close(self) -> None:
        """Take the disk away."""
        if self.kind != "file size limit":
            subprocess.run(["umount", "-l", str(self.folder)], capture_output=True, check=False)

    def _limit(self, processes: Iterable[int], size_bytes: int) -> None:
        for one in processes:
            with contextlib.suppress(ProcessLookupError):
                hard = resource.prlimit(one, resource.RLIMIT_FSIZE)[1]
                resource.prlimit(one, resource.RLIMIT_FSIZE, (size_bytes, hard))


def _ext4(folder: Path) -> str:
    """Mount a new ext4 from a file beside *folder*; its syncs reach the disk beneath."""
    if os.geteuid() != 0:
        raise OSError("no loop device")
    image = folder.with_suffix(".ext4")
    with image.open("wb") as file:
        file.truncate(SIZE_MB << 20)
    for command in (
        ["mkfs.ext4", "-q", "-m", "0", str(image)], ["mount", "-o", "loop,nosuid,nodev", str(image), str(folder)],
    ):  # fmt: skip
        subprocess.run(command, capture_output=True, check=True)
    return "ext4"

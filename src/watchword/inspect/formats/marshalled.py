"""Marshalled Python code: which names and texts it uses. Nothing is unmarshalled, no code object is made.

Follows CPython's ``marshal.c`` (versions 2 to 5, Python 2.7 to 3.14). Code objects have other fields in every version,
so the stream is not parsed by fields: names and constants are recognised by their own type bytes and lengths. That
finds every name in code that CPython would accept, and perhaps some more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from watchword.limits import MARSHAL_BYTES_MAX

_SHORT = frozenset(b"zZ")
_LONG = frozenset(b"uatAs")
_WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_.]{0,200}\Z")
_REACHING_TEXT = """
    os posix nt sys subprocess socket shutil pathlib importlib builtins ctypes pty marshal pickle cPickle dill
    cloudpickle base64 codecs urllib urllib2 requests http httplib ftplib smtplib telnetlib webbrowser tempfile
    threading multiprocessing signal runpy code codeop types inspect gc io platform commands popen2 zlib glob exec
    eval compile open input raw_input __import__ __builtins__ __subclasses__ __globals__ __class__ __bases__
    __base__ __mro__ __dict__ __getattribute__ __code__ __closure__ __loader__ __spec__ __reduce__ getattr setattr
    delattr globals locals vars breakpoint memoryview system popen spawn spawnl spawnv execv execve execl fork
    forkpty check_output check_call Popen getoutput getstatusoutput connect urlopen urlretrieve get_file
    load_library load_op_library py_function py_func numpy_function read_file write_file gfile GFile io_utils
    import_module exec_module loads FunctionType CodeType listdir remove unlink rmtree chmod mkfifo environ getenv
    putenv
"""
REACHING = frozenset(_REACHING_TEXT.split())


@dataclass(frozen=True, slots=True)
class Code:
    """``names`` are identifiers in the code, ``texts`` its longer constants, ``reaches`` names that leave computing."""

    names: frozenset[str]
    texts: tuple[str, ...]
    reaches: frozenset[str]

    def told(self) -> str:
        return f"; texts: {' | '.join(self.texts)[:200]}" if self.texts else ""


def names_in(raw: bytes) -> Code | None:
    """The names in *raw*; None when it does not begin as a marshalled code object."""
    if not raw or raw[0] & 0x7F != ord("c") or len(raw) > MARSHAL_BYTES_MAX:
        return None
    names: set[str] = set()
    texts: list[str] = []
    for at in range(len(raw) - 1):
        sort = raw[at] & 0x7F
        if sort in _SHORT:
            start, length = at + 2, raw[at + 1]
        elif sort in _LONG and at + 5 <= len(raw):
            start, length = at + 5, int.from_bytes(raw[at + 1 : at + 5], "little")
        else:
            continue
        if not 0 < length <= 4096 or start + length > len(raw):
            continue
        part = raw[start : start + length]
        if _WORD.match(part):
            names.update(part.decode().split(".")[:20])
        elif length > 3 and len(texts) < 50 and part.isascii() and part.decode("ascii").isprintable():
            texts.append(part.decode()[:200])
    words = {word for text in texts for word in re.findall(r"[A-Za-z_]\w*", text)}
    carried = {word for word in words & REACHING if word.startswith("__") or word in ("subprocess", "socket", "exec")}
    return Code(frozenset(names), tuple(texts), frozenset(names & REACHING) | carried)

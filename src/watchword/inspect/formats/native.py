"""Compiled code: ELF, PE, Mach-O, WebAssembly, Java, static libraries; and llamafiles.

Told by structure and not by two letters: a program is named only when its header holds together. It is never judged by
content, only named (``native-code``): what is in it is for other tools. A program with a zip archive of a model behind
it is a llamafile; the archive is judged as such.
"""

from __future__ import annotations

import struct

from watchword.inspect.exhibit import MAGIC, Exhibit, Format
from watchword.inspect.formats.zips import looks_like_zip
from watchword.inspect.source import Source

_ELF_KINDS = {1: "object file", 2: "program", 3: "shared library or program", 4: "core dump"}
_MACHINES = {3: "x86", 8: "MIPS", 20: "PowerPC", 21: "PowerPC", 22: "S/390", 40: "ARM", 62: "x86-64", 183: "ARM64",
             190: "CUDA", 224: "AMD GPU", 243: "RISC-V", 258: "LoongArch"}  # fmt: skip
_MACHO = {b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe"}
_APE = (b"MZqFpD='", b"jartsr='")
"""First bytes of an Actually Portable Executable: a shell script, a PE and an ELF at once."""


def what_is(source: Source, head: bytes) -> str:
    """What compiled code *source* is, in words; empty when it is none."""
    if head.startswith(b"\x7fELF"):
        if len(head) < 20 or head[4] not in (1, 2) or head[5] not in (1, 2):
            return "ELF file with a damaged header"
        kind, machine = struct.unpack_from("<2H" if head[5] == 1 else ">2H", head, 16)
        return f"ELF {_ELF_KINDS.get(kind, 'file')} for {_MACHINES.get(machine, f'machine {machine}')}"
    if head.startswith(_APE):
        return "portable executable for many systems (APE)"
    if head.startswith(b"MZ") and len(head) >= 64:
        at = int.from_bytes(head[60:64], "little")
        if source.read_at(at, 4) == b"PE\0\0":
            library = int.from_bytes(source.read_at(at + 22, 2), "little") & 0x2000
            return f"Windows {'library' if library else 'program'} (PE)"
        if len(head) >= 28 and not any(head[28:60]):
            return "DOS program"
    if head[:4] in _MACHO and len(head) >= 16:
        kind = int.from_bytes(head[12:16], "little" if head[0] != 0xFE else "big")
        return f"Mach-O {'library' if kind in (6, 8) else 'program'}"
    if head.startswith(b"\xca\xfe\xba\xbe") and len(head) >= 8:
        # The same mark: 32-bit count of architectures (Mach-O), or minor and major version (Java 1.1: 45).
        count = int.from_bytes(head[4:8], "big")
        return f"Mach-O file for {count} architectures" if 0 < count < 20 else "Java class"
    if head.startswith(b"\xca\xfe\xba\xbf") and 0 < int.from_bytes(head[4:8], "big") < 20:
        return "Mach-O file for several architectures"
    if head.startswith(b"\0asm\1\0\0\0"):
        return "WebAssembly module"
    if head.startswith(b"!<arch>\n"):
        return "static library"
    return ""


def _claims(source: Source, head: bytes, name: str) -> bool:
    return bool(what_is(source, head))


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    head = exhibit.source.read_at(0, 4096)
    words = what_is(exhibit.source, head)
    if looks_like_zip(exhibit.source) and _holds_model(exhibit.source):
        exhibit.odd("native-code", 0, f"a llamafile: {words}, with a model behind it; to run it is to run its code")
        return "llamafile", f"{words}: named, not judged by content; the archive behind it opened"
    exhibit.odd("native-code", 0, f"is a {words}" if words[:1] not in "EA" else f"is an {words}")
    return "native code", f"{words}: named, not judged by content"


def _holds_model(source: Source) -> bool:
    from watchword.inspect.formats.zips import ZipBroken, read_zip

    try:
        names = [member.name.lower() for member in read_zip(source).members]
    except ZipBroken:
        return False
    return any(name.endswith((".gguf", ".args", ".ggml")) for name in names)


FORMATS = (Format("native code", MAGIC, _claims, _read, "so dll dylib exe pyd wasm"),)

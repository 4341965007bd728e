"""PyTorch's zip archives: ``torch.save``, TorchScript, the mobile interpreter, ``torch.package``, ``torch.export``.

* All lie in one folder of any name. Members are found without regard to case, as PyTorch finds them.
* Tensors are raw data to every loader: they are accounted for and not opened, unless they begin like something that
  runs. What the pickle says of their length is compared with how long they are.
* Code is judged by what runs it: TorchScript by its operators, exported graphs by what their loader evaluates, Python
  sources of a package as Python.
"""

from __future__ import annotations

import re
from typing import Any

from watchword.inspect.exhibit import Malformed
from watchword.inspect.facts import Oddity
from watchword.inspect.formats import torchscript
from watchword.inspect.formats.zipped import Archive
from watchword.inspect.formats.zips import STORED, Member
from watchword.inspect.pickles.judge import STORAGE_ITEM_BYTES, judge_pickle
from watchword.inspect.pickles.machine import Machine
from watchword.inspect.pickles.opcodes import run
from watchword.inspect.pickles.reader import Reader
from watchword.inspect.rules import BY_ID
from watchword.inspect.source import Part, Source
from watchword.limits import (
    EXPORT_JSON_BYTES_MAX,
    TORCH_MEMBER_BYTES_MAX,
    TORCH_SOURCES_BYTES_MAX,
    TORCHSCRIPT_PARSED_BYTES_MAX,
    TORCHSCRIPT_PARSED_TOTAL_MAX,
)

_TENSOR = re.compile(
    r"(?:data|constants|tensors|traced_inputs|xl_model_weights)/\d+|\.data/\d+\.storage|\.data/ts_code/data/\d+"
    r"|data/(?:weights|constants)/(?:weight|tensor|param|buffer)_\d+"
)
_DATA = re.compile(r"data/(\d+)")
_PROGRAM = re.compile(r"models/[^/]+\.json|serialized_exported_program\.json")
_RUNS = (
    b"\x7fELF", b"PK\x03\x04", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"#!/", b"\x93NUMPY", b"\x89HDF\r\n",
    b"GGUF",
)  # fmt: skip
_HEADS = ("version", "byteorder", "constants.pkl", ".data/version", "data/0", ".format_version")
_DTYPES = {
    "Double": "F64", "Float": "F32", "Half": "F16", "BFloat16": "BF16", "Long": "I64", "Int": "I32", "Short": "I16",
    "Char": "I8", "Byte": "U8", "Bool": "BOOL", "ComplexFloat": "C64", "ComplexDouble": "C128",
}  # fmt: skip


def torch_kind(archive: Archive) -> Torch | None:
    """The archive as PyTorch's; None when it is not."""
    names = archive.folded
    for name in sorted(names, key=len):
        for mark in ("data.pkl", "archive_format", ".data/extern_modules", "serialized_exported_program.json"):
            prefix = name.removesuffix(mark)
            if prefix == name or (prefix and not prefix.endswith("/")):
                continue
            if mark != "data.pkl" or any(prefix + other in names for other in _HEADS):
                return Torch(archive, prefix)
    return None


class Torch:
    """One such archive. ``prefix`` is its folder, in lower case, with the slash."""

    def __init__(self, archive: Archive, prefix: str) -> None:
        self.archive = archive
        self.prefix = prefix
        self.tensors: list[Member] = []
        self.sources: list[Member] = []
        names = {name.removeprefix(prefix) for name in archive.folded}
        self.is_script = any(name.startswith(("code/", "bytecode.pkl", ".data/ts_code/code/")) for name in names)
        self.is_package = ".data/extern_modules" in names
        self.is_export = bool(names & {"archive_format", "serialized_exported_program.json"})
        what = [
            word
            for word, holds in (
                ("torchscript", self.is_script), ("torch-package", self.is_package), ("torch-export", self.is_export)
            )
            if holds
        ]  # fmt: skip
        self.name = what[-1] if what else "pytorch"
        self.looked = "pickles followed opcode by opcode, every member accounted for"
        if self.is_script or self.is_export:
            self.looked = "operators listed, " + self.looked

    def takes(self, member: Member) -> bool:
        name = member.name.lower()
        if not name.startswith(self.prefix):
            return False
        name = name.removeprefix(self.prefix)
        if member.method == STORED and not member.encrypted and member.start >= 0 and _TENSOR.fullmatch(name):
            self.tensors.append(member)
            return True
        if self.is_script and "code/" in name and name.endswith(".py"):
            self.sources.append(member)
            return True
        if name == "bytecode.pkl":
            self._bytecode(member)
        elif self.is_export and _PROGRAM.fullmatch(name):
            self._program(member)
        return False

    def finish(self) -> None:
        if self.sources:
            self._scripts()
        storages = self._storages()
        for member in self.tensors:
            self._tensor(member, storages)
        if self.tensors:
            words = f"{len(self.tensors):,} tensors are raw data to every loader: in the file's digest, not checked"
            self.archive.exhibit.note(words)
        facts: dict[str, Any] = {} if self.is_export else {"frameworks": ["torch"]}
        if storages:
            facts["parameters"] = sum(numel for _, numel in storages.values())
            facts["dtypes"] = [_DTYPES.get(kind, kind) for kind, _ in storages.values()]
        self.archive.exhibit.merge(facts)

    def _scripts(self) -> None:
        """Judge the operators of all sources, which are one program."""
        left = TORCH_SOURCES_BYTES_MAX
        texts = []
        for member in self.sources:
            opened = self.archive.open(member) if self.archive.exhibit.goes_deeper() else None
            if opened is None or opened.size > left:
                if opened is not None:
                    self.archive.odd("not-inspected", member, f"more than {TORCH_SOURCES_BYTES_MAX:,} bytes of code")
                continue
            left -= opened.size
            texts.append((member, opened.read_at(0, opened.size)))
        methods = {name for _, text in texts for name in torchscript.methods_of(text)}
        operators = set()
        parsed = 0
        for member, text in texts:
            # Trees take three hundred bytes for one of source: long sources are searched.
            parse = len(text) <= TORCHSCRIPT_PARSED_BYTES_MAX and parsed + len(text) <= TORCHSCRIPT_PARSED_TOTAL_MAX
            parsed += len(text) if parse else 0
            if parse and torchscript.parsed(text) is None:
                self.archive.odd("torchscript-broken", member, "is no source of TorchScript: names were searched in it")
            told = set()
            for operator, line in torchscript.operators_of(text, parse):
                operators.add(operator)
                odd = torchscript.judged(operator, methods) if operator not in told else None
                told.add(operator)
                if odd is not None:
                    self.archive.odd(odd.rule, member, f"line {line} {odd.message}", odd.evidence)
        self._tell(operators)

    def _bytecode(self, member: Member) -> None:
        data = self._bytes(member, TORCH_MEMBER_BYTES_MAX)
        operators = set(torchscript.operators_of_bytecode(data)) if data is not None else set()
        for operator in sorted(operators):
            odd = torchscript.judged(operator, frozenset())
            if odd is not None:
                self.archive.odd(odd.rule, member, odd.message, odd.evidence)
        self._tell(operators)

    def _program(self, member: Member) -> None:
        from watchword.inspect.formats.torch_export import read_program

        data = self._bytes(member, EXPORT_JSON_BYTES_MAX)
        if data is None:
            return
        try:
            oddities, facts = read_program(data)
        except Malformed as error:
            rule = "unpack-limit" if error.limit else "torchscript-broken"
            self.archive.odd(rule, member, f"is no exported program: {error}")
            return
        for odd in oddities:
            self.archive.odd(odd.rule, member, odd.message, odd.evidence)
        self.archive.exhibit.merge(facts)

    def _tell(self, operators: set[str]) -> None:
        found = sorted(name for name in operators if not name.startswith("."))
        libraries = sorted({name.partition("::")[0] for name in found} & torchscript.LIBRARIES)
        if libraries:
            self.archive.exhibit.note(f"needs operators of {', '.join(libraries)}")
        self.archive.exhibit.merge({"operators": found[:200]})

    def _bytes(self, member: Member, limit: int) -> bytes | None:
        """All bytes of *member*; None, with a finding, when they are more than *limit* or not to be had."""
        opened = self.archive.open(member)
        if opened is None:
            return None
        if opened.size > limit:
            self.archive.odd("not-inspected", member, f"{opened.size:,} bytes are more than is read of it")
            return None
        return opened.read_at(0, opened.size)

    def _storages(self) -> dict[str, tuple[str, int]]:
        """What ``data.pkl`` says of the tensors: type and elements by name; empty where it is not to be known."""
        for member in self.archive.facts.members:
            if member.name.lower() != self.prefix + "data.pkl" or member.size > TORCH_MEMBER_BYTES_MAX:
                continue
            if member.method == STORED and member.start >= 0:
                machine = Machine(lambda event: None)
                run(machine, Reader(Part(self.archive.exhibit.source, member.start, member.packed)))
                return {key: (kind.removesuffix("Storage"), n) for key, (kind, n) in machine.storages.items()}
        return {}

    def _tensor(self, member: Member, storages: dict[str, tuple[str, int]]) -> None:
        """Compare a tensor with what the pickle says of it, and look whether it begins like something that runs."""
        data = Part(self.archive.exhibit.source, member.start, member.packed)
        head = data.read_at(0, 16)
        if head.startswith(_RUNS) or (head[:1] == b"\x80" and head[1:2] <= b"\x05" and _is_bad_pickle(data)):
            words = "tensor data that begin like a program or a container"
            self.archive.odd("torch-storage", member, words, head.hex(" "))
            self.archive.judge(member)
        key = _DATA.fullmatch(member.name[len(self.prefix) :])
        if key is None or not storages or self.is_package or self.is_export:
            return
        if key[1] not in storages:
            words = f"{member.packed:,} bytes of tensor data that the pickle does not use"
            self.archive.odd("torch-storage", member, words, head.hex(" "), 0)
            return
        kind, numel = storages[key[1]]
        size = STORAGE_ITEM_BYTES.get(kind)
        if size is not None and not 0 <= member.packed - numel * size < 16:
            words = f"{member.packed:,} bytes of tensor data, {numel * size:,} of them used by the pickle"
            self.archive.odd("torch-storage", member, words, offset=min(numel * size, member.packed))


def _is_bad_pickle(data: Source) -> bool:
    """True when an unpickler would find something to do in *data*; chance makes no such thing."""
    report = judge_pickle(Part(data, 0, TORCH_MEMBER_BYTES_MAX))
    return report.proven and any(BY_ID[odd.rule].verdict != "unreadable" for odd in _told(report.oddities))


def _told(oddities: list[Oddity]) -> list[Oddity]:
    return [odd for odd in oddities if odd.rule != "pickle-trailing"]

"""Judges one delivered file: every reader that would accept it gets to see it, and what it contains is judged too.

* A file is identified by content, judged under that format, and under each other one whose loader would accept it too
  (a pickle or a zip archive hidden in something else).
* Members of archives, and what unpacks from a compressed stream, are judged as files of their own, named
  ``a.zip:b.pkl``, within bounds on depth, number and bytes that hold for the delivered file as a whole.
* Whatever happens there is a report: damage and limits are findings, not errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from watchword.inspect.compressed import CompressedBroken, decompress
from watchword.inspect.facts import Finding, Oddity, Verdict, shown
from watchword.inspect.identify import also_zip, identify, named
from watchword.inspect.numpy_files import NumpyBroken, read_numpy
from watchword.inspect.onnx import OnnxBroken, read_onnx
from watchword.inspect.pickles.judge import judge_pickle
from watchword.inspect.pickles.opcodes import OPCODES
from watchword.inspect.rules import BY_ID, check_all
from watchword.inspect.safetensors import SafetensorsBroken, read_safetensors
from watchword.inspect.source import Budget, Part, Source, TooMuch
from watchword.inspect.tars import read_tar
from watchword.inspect.zips import Member, ZipBroken, ZipFacts, crc_of, open_member, read_zip
from watchword.limits import ARCHIVE_CRC_BYTES_MAX, ARCHIVE_MEMBERS_MAX, FINDINGS_PER_RULE_MAX, NESTING_MAX

_TENSOR_MEMBER = re.compile(r"(?:^|.*/)\.?data/[^/]+")
_INERT = {
    "empty": "nothing in it",
    "media": "hashed; an image, a sound or a document, content not interpreted",
    "table": "hashed; rows and columns, content not interpreted",
    "text": "hashed; text, which no loader runs",
    "json": "hashed; JSON, which no loader runs",
}


class Judgement:
    """Collects findings, facts and what was looked at for one delivered file."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        self.unread: list[tuple[int, int]] = []
        self.facts: dict[str, Any] = {}
        self.budget = Budget()
        self.members_left = ARCHIVE_MEMBERS_MAX
        self.count: dict[str, int] = {}
        self.not_listed = 0

    def keep(self, path: str, oddities: Iterable[Oddity]) -> None:
        """Turn *oddities* into findings at *path*; a bounded number of each rule is kept."""
        for oddity in oddities:
            rule = BY_ID[oddity.rule]
            self.count[rule.id] = self.count.get(rule.id, 0) + 1
            # Room for each rule: what matters may come after a flood of something else.
            if self.count[rule.id] <= FINDINGS_PER_RULE_MAX:
                self.findings.append(rule.finding(path, oddity))
            else:
                self.not_listed += 1

    def note(self, text: str) -> None:
        if text not in self.notes and len(self.notes) < 20:
            self.notes.append(text)

    def merge(self, facts: dict[str, Any]) -> None:
        """Add *facts* to those of the file: lists are united, numbers added up, the first text stays."""
        for key, value in facts.items():
            old = self.facts.get(key)
            if isinstance(value, list):
                self.facts[key] = sorted(set(old or []) | set(value))[:200]
            elif isinstance(value, dict):
                self.facts[key] = {**value, **(old or {})}
            elif isinstance(value, int) and isinstance(old, int) and key != "protocol":
                self.facts[key] = old + value
            elif old is None:
                self.facts[key] = value


def judge(source: Source, path: str, into: Judgement, depth: int = 0) -> tuple[str, str]:
    """Judge *source*, which is called *path*, and put what is found *into* the file's judgement.

    Returns:
        The format, and in words what was looked at.
    """
    name = path.rpartition(":")[2] if depth else path
    what = identify(source, name)
    before = len(into.findings)
    refined, looked = _READERS.get(what, _uninterpreted)(source, path, into, depth, what)
    # What is not certainly a pickle, or is certainly something else, may still be one to a loader.
    # (Not with PERSID first, as in every zip: a plain unpickler raises there.)
    if what != "pickle" and source.size and source.read_at(0, 1)[0] in OPCODES - {ord("P")}:
        refined, looked = _hidden_pickle(source, path, into, depth, refined, looked, before)
    if also_zip(source, what):
        into.note("an archive too: it was judged as one as well")
        _zip(source, path, into, depth, what)
    if depth == 0 or what != "unknown":
        misnamed = named(name, refined if refined != "pytorch" else "zip")
        if misnamed is not None:
            into.keep(path, check_all(misnamed))
    return refined, looked


def _hidden_pickle(
    source: Source, path: str, into: Judgement, depth: int, what: str, looked: str, before: int
) -> tuple[str, str]:
    """Try *source* as a pickle without a mark; it replaces the reading as something unknown or as text."""
    report = judge_pickle(source)
    if not report.proven or (what != "unknown" and not report.facts["imports"]):
        return what, looked  # a text that is also a number or a list to an unpickler is a text
    bad = [o for o in report.oddities if BY_ID[o.rule].verdict is not Verdict.UNREADABLE]
    if what in ("unknown", "text", "json", "python", "script"):
        del into.findings[before:]
        into.keep(path, report.oddities)
        into.unread.extend(report.unread if depth == 0 else [])
        into.merge(report.facts)
        _nested(report.nested, path, into, depth)
        return report.kind, "every opcode followed"
    into.keep(path, (o for o in bad if o.rule != "pickle-trailing"))
    _nested(report.nested, path, into, depth)
    return what, looked


def _pickle(source: Source, path: str, into: Judgement, depth: int, what: str) -> tuple[str, str]:
    report = judge_pickle(source)
    into.keep(path, report.oddities)
    into.merge(report.facts)
    if depth == 0:
        into.unread.extend(report.unread)
    _nested(report.nested, path, into, depth)
    looked = "every opcode followed"
    if report.kind == "joblib":
        looked += ", raw arrays passed over as joblib does"
    return report.kind, looked


def _nested(streams: list[tuple[str, Source]], path: str, into: Judgement, depth: int) -> None:
    for name, inner in streams:
        if _goes_deeper(path, into, depth):
            judge(inner, f"{path}:{name}", into, depth + 1)


def _goes_deeper(path: str, into: Judgement, depth: int) -> bool:
    """Spend one member of the file's budget; a finding when depth or number is used up."""
    into.members_left -= 1
    if depth >= NESTING_MAX or into.members_left < 0:
        if depth >= NESTING_MAX or into.members_left == -1:
            what = f"nested deeper than {NESTING_MAX}" if depth >= NESTING_MAX else "more members than are opened"
            into.keep(path, [Oddity("unpack-limit", None, what)])
        return False
    return True


def _zip(source: Source, path: str, into: Judgement, depth: int, what: str) -> tuple[str, str]:
    try:
        facts = read_zip(source)
    except ZipBroken as error:
        into.keep(path, [error.oddity])
        if depth == 0:
            into.unread.append((0, source.size))
        _pieces(source, path, into, depth)
        return what, "not readable as an archive"
    into.keep(path, check_all(facts))
    into.keep(path, facts.oddities)
    torch = _torch_prefix(facts)
    tensors = packed = 0
    looked_at = set()
    for member in facts.members:
        place = (member.start, member.packed, member.method)
        if place in looked_at:
            continue
        looked_at.add(place)
        packed += member.packed
        if packed > source.size:
            # Entries that share their bytes: following each would take time without bound.
            words = "the members overlap: together they are longer than the file"
            into.keep(path, [Oddity("unpack-limit", member.header, words)])
            break
        if torch is not None and member.method == 0 and _is_tensor(member, torch):
            tensors += 1
        elif not member.name.endswith("/") or member.size:
            _member(source, member, path, into, depth)
    for start, end in facts.outside:
        if _goes_deeper(path, into, depth):
            judge(Part(source, start, end - start), f"{path}:bytes@{start:#x}", into, depth + 1)
    into.merge({"members": len(facts.members)})
    if torch is None:
        return "zip" if what == "zip" else what, f"{len(facts.members):,} members opened"
    if tensors:
        into.note(f"{tensors:,} tensors are raw data to every loader: in the file's digest, checksums not computed")
    if any("/code/" in f"/{member.name}" for member in facts.members):
        into.keep(path, [Oddity("not-inspected", None, "TorchScript code is not interpreted yet")])
    return "pytorch", "data.pkl followed opcode by opcode, every member accounted for"


def _torch_prefix(facts: ZipFacts) -> str | None:
    """The folder in a PyTorch archive; None when it is another sort of archive."""
    for member in facts.members:
        if member.name.endswith("/data.pkl") or member.name == "data.pkl":
            prefix = member.name.removesuffix("data.pkl")
            names = {other.name for other in facts.members}
            if prefix + "version" in names or prefix + "constants.pkl" in names or prefix + "byteorder" in names:
                return prefix
    return None


def _is_tensor(member: Member, prefix: str) -> bool:
    return member.name.startswith(prefix) and bool(_TENSOR_MEMBER.fullmatch(member.name))


def _member(source: Source, member: Member, path: str, into: Judgement, depth: int) -> None:
    inner = f"{path}:{shown(member.name, 200)}"
    if not _goes_deeper(path, into, depth):
        return
    try:
        opened = open_member(source, member, into.budget)
    except TooMuch as error:
        into.keep(inner, [Oddity("unpack-limit", member.start, str(error))])
        return
    except ZipBroken as error:
        into.keep(inner, [error.oddity])
        return
    if opened is None:
        rule = "zip-encrypted" if member.encrypted else "zip-method"
        words = "is encrypted" if member.encrypted else f"packed by method {member.method}, which is not read"
        if member.start < 0:
            words = "cannot be found in the archive"
        into.keep(inner, [Oddity(rule, member.header, words)])
        return
    if opened.size <= ARCHIVE_CRC_BYTES_MAX:
        crc = crc_of(opened)
        if crc != member.crc:
            words = f"checksum {crc:08x}, the directory says {member.crc:08x}"
            into.keep(inner, [Oddity("zip-crc", member.start, words)])
    else:
        into.note("members over 64 MiB: in the file's digest, checksums not computed")
    judge(opened, inner, into, depth + 1)


def _pieces(source: Source, path: str, into: Judgement, depth: int) -> None:
    """Members of an archive without a directory, by their local headers: a streaming reader would find them."""
    at = 0
    while source.read_at(at, 4) == b"PK\x03\x04" and _goes_deeper(path, into, depth):
        head = source.read_at(at, 30)
        if len(head) < 30:
            return
        packed, size = int.from_bytes(head[18:22], "little"), int.from_bytes(head[22:26], "little")
        lengths = int.from_bytes(head[26:28], "little"), int.from_bytes(head[28:30], "little")
        name = source.read_at(at + 30, lengths[0]).decode("utf-8", "backslashreplace")
        start = at + 30 + sum(lengths)
        method = int.from_bytes(head[8:10], "little")
        # Streamed members do not say their length here: the rest of the file is what a decoder would be given.
        length = packed if packed and packed != 0xFFFFFFFF else source.size - start
        member = Member(name, method, bool(head[6] & 1), 0, length, size, at, start)
        try:
            opened = open_member(source, member, into.budget)
        except (ZipBroken, TooMuch):
            opened = None
        if opened is not None:
            judge(opened, f"{path}:{shown(name, 200)}", into, depth + 1)
        at = start + length


def _tar(source: Source, path: str, into: Judgement, depth: int, what: str) -> tuple[str, str]:
    facts = read_tar(source)
    into.keep(path, check_all(facts))
    into.keep(path, facts.oddities)
    for member in facts.members:
        inner = f"{path}:{shown(member.name, 200)}"
        if member.kind not in "0\x0071256":
            into.keep(inner, [Oddity("not-inspected", member.header, f"an entry of type {member.kind!r} is not read")])
        elif member.size and _goes_deeper(path, into, depth):
            judge(Part(source, member.start, member.size), inner, into, depth + 1)
    into.merge({"members": len(facts.members)})
    return "tar", f"{len(facts.members):,} members opened"


def _compressed(source: Source, path: str, into: Judgement, depth: int, what: str) -> tuple[str, str]:
    if not _goes_deeper(path, into, depth):
        return what, "not unpacked"
    try:
        opened, end = decompress(source, what, into.budget)
    except TooMuch as error:
        into.keep(path, [Oddity("unpack-limit", None, str(error))])
        return what, "unpacking stopped at a limit"
    except CompressedBroken as error:
        into.keep(path, [error.oddity])
        if depth == 0:
            into.unread.append((0, source.size))
        if error.so_far is None:
            return what, "not readable as a compressed stream"
        opened, end = error.so_far, source.size
    if end < source.size and source.read_at(end, 4096).strip(b"\0"):
        into.keep(path, [Oddity("compressed-trailing", end, f"{source.size - end:,} bytes after the end")])
        judge(Part(source, end, source.size - end), f"{path}:bytes@{end:#x}", into, depth + 1)
    inner, looked = judge(opened, f"{path}:unpacked", into, depth + 1)
    return what, f"unpacked: {inner}, {looked}"


def _numpy(source: Source, path: str, into: Judgement, depth: int, what: str) -> tuple[str, str]:
    try:
        facts = read_numpy(source)
    except NumpyBroken as error:
        into.keep(path, [error.oddity])
        return what, "the header only"
    into.merge({"tensors": 1, "dtypes": [facts.descr]})
    if facts.length is None:
        report = judge_pickle(Part(source, facts.start, source.size - facts.start))
        moved = (
            Oddity(o.rule, None if o.offset is None else o.offset + facts.start, o.message, o.evidence)
            for o in report.oddities
        )
        into.keep(path, moved)
        into.merge(report.facts)
        return what, "an array of objects: every opcode followed"
    end = facts.start + facts.length
    if source.size != end:
        over = source.size - end
        words = f"{over:,} bytes too many" if over > 0 else f"ends {-over:,} bytes early"
        into.keep(path, [Oddity("numpy-size", min(end, source.size), words)])
    return what, "header checked, the rest is array data to the byte"


def _safetensors(source: Source, path: str, into: Judgement, depth: int, what: str) -> tuple[str, str]:
    try:
        facts = read_safetensors(source)
    except SafetensorsBroken as error:
        into.keep(path, [error.oddity])
        return what, "the header only"
    into.keep(path, facts.oddities)
    into.merge({"tensors": facts.tensors, "parameters": facts.parameters, "dtypes": list(facts.dtypes)})
    if facts.metadata:
        into.merge({"metadata": facts.metadata})
    return what, "header checked, every byte owned by a tensor" if not facts.oddities else "header checked"


def _onnx(source: Source, path: str, into: Judgement, depth: int, what: str) -> tuple[str, str]:
    try:
        facts = read_onnx(source)
    except OnnxBroken as error:
        into.keep(path, [error.oddity])
        return what, "up to where it is malformed"
    into.keep(path, check_all(facts))
    told = {
        "opsets": {domain or "ai.onnx": version for domain, version in facts.opsets.items()},
        "ir_version": facts.ir_version,
        "producer": facts.producer,
        "nodes": facts.nodes,
        "tensors": facts.tensors,
        "operators": sorted({f"{domain}::{op}" if domain else op for domain, op in facts.ops})[:200],
        "external_data": sorted(facts.external)[:50],
    }
    into.merge({key: value for key, value in told.items() if value})
    if facts.metadata:
        into.merge({"metadata": facts.metadata})
    return what, "every node, function and tensor header; tensor data passed over"


def _inert(source: Source, path: str, into: Judgement, depth: int, what: str) -> tuple[str, str]:
    return what, _INERT[what]


def _uninterpreted(source: Source, path: str, into: Judgement, depth: int, what: str) -> tuple[str, str]:
    words = "the format is not known" if what == "unknown" else f"{what}: format not interpreted yet"
    into.keep(path, [Oddity("not-inspected", None, words)])
    if depth == 0:
        into.unread.append((0, source.size))
    return what, "hashed, content not interpreted"


_Reader = Callable[[Source, str, Judgement, int, str], tuple[str, str]]
_READERS: dict[str, _Reader] = {
    "pickle": _pickle,
    "zip": _zip,
    "tar": _tar,
    "npy": _numpy,
    "safetensors": _safetensors,
    "onnx": _onnx,
    **dict.fromkeys(("gzip", "bzip2", "xz", "lzma", "zlib", "zfile"), _compressed),
    **dict.fromkeys(_INERT, _inert),
}

"""7z, tar, zstd, lz4, compiled code, skops and model archives: what hides in each, and what is honest."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import struct
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import lz4.frame
import pytest
import zstandard
from executorch_samples import executorch
from hypothesis import given, settings
from hypothesis import strategies as st
from inspect_samples import EVIL, found, look, tarred, torch_zip, verdict, zipped
from sevenz_samples import SEVENZ

from watchword.inspect.facts import Verdict

HONEST = pickle.dumps({"weights": [1.0, 2.0], "name": "x" * 300})
READ = sorted(set(SEVENZ) - {"aes", "ppmd"})


# -- 7z -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", READ)
def test_a_pickle_in_a_7z_archive_is_found_whatever_coders_packed_it(name: str) -> None:
    """Members that the reference writer packed are judged at ``a.7z:dir/e.pkl``, and nothing else is said of them."""
    judged = look(SEVENZ[name], "a.7z")
    assert [(f.rule, f.path) for f in judged.findings] == [("pickle-call", "a.7z:dir/e.pkl")]


def test_what_a_7z_archive_hides_from_us_is_unreadable_not_silent() -> None:
    """A coder that is not read, and encryption, are told for each member."""
    assert found(SEVENZ["ppmd"], "a.7z") == {"zip-method"}
    assert found(SEVENZ["aes"], "a.7z") == {"zip-encrypted"}
    assert verdict(SEVENZ["aes"], "a.7z") is Verdict.UNREADABLE


def test_a_7z_archive_cut_short_is_unreadable_and_its_stored_bytes_are_judged() -> None:
    """Without a header the packed bytes are looked at all the same."""
    assert "sevenz-broken" in found(SEVENZ["lzma"][:150], "a.7z")
    assert {"sevenz-broken", "pickle-call"} <= found(SEVENZ["copy"][:32] + EVIL, "a.7z")
    assert {"zip-outside", "pickle-call"} <= found(SEVENZ["lzma"] + EVIL, "a.7z")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(READ), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_7z_archive_always_has_a_verdict(name: str, changes: list[tuple[int, int]]) -> None:
    """Whatever stands in the header, with checksums that match: a verdict, and no other error."""
    data = bytearray(SEVENZ[name])
    for at, value in changes:
        data[at % len(data)] = value
    offset, size = struct.unpack_from("<QQ", data, 12)
    if offset + size + 32 <= len(data):
        struct.pack_into("<L", data, 28, zlib.crc32(data[32 + offset : 32 + offset + size]))
    struct.pack_into("<L", data, 8, zlib.crc32(data[12:32]))
    assert verdict(bytes(data), "a.7z") in Verdict


# -- compressed streams ---------------------------------------------------------------------------


def test_zstd_and_lz4_streams_are_unpacked_and_judged() -> None:
    """A pickle packed by either is found; an honest one is quiet, in one frame or several."""
    for pack in (zstandard.compress, lz4.frame.compress):
        assert "pickle-call" in found(pack(EVIL), "m.pkl")
        assert found(pack(HONEST), "m.pkl") == set()
        assert found(pack(HONEST[:100]) + pack(HONEST[100:]), "m.pkl") == set()


def test_bytes_that_decoders_pass_over_are_told_and_judged() -> None:
    """Skippable frames of zstd, and extra fields and comments of gzip, carry what nobody unpacks."""
    skipped = struct.pack("<LL", 0x184D2A53, len(EVIL)) + EVIL
    for data in (skipped + zstandard.compress(HONEST), zstandard.compress(HONEST) + skipped):
        assert found(data, "m.pkl") == {"compressed-aside", "pickle-call"}
    packed = gzip.compress(HONEST)
    long = EVIL.ljust(80, b"\0")
    extra = packed[:3] + b"\4" + packed[4:10] + struct.pack("<H", len(long)) + long + packed[10:]
    assert {"compressed-aside", "pickle-call"} <= found(extra, "m.pkl")
    named = packed[:3] + b"\x08" + packed[4:10] + b"model.pkl\0" + packed[10:]
    assert found(named, "m.pkl") == set()


def test_what_comes_before_the_damage_is_judged() -> None:
    """A streaming loader has run the pickle when it meets the damage: dangerous, not only unreadable."""
    noise = bytes(range(256)) * 3000
    for packed in (zstandard.compress(EVIL + noise), lz4.frame.compress(EVIL + noise), gzip.compress(EVIL + noise, 0)):
        data = packed[: len(packed) - 20]
        assert verdict(data, "m.pkl") is Verdict.DANGEROUS
        assert "compressed-broken" in found(data, "m.pkl")


# -- tar ------------------------------------------------------------------------------------------


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info.tobuf(tarfile.GNU_FORMAT)


def test_links_of_an_archive_are_followed_in_words() -> None:
    """A link within the archive is nothing odd; one that leads out, or that others are unpacked through, is."""
    end = b"\0" * 1024
    assert found(link("a/b", "../c") + link("d", "a/b", tarfile.LNKTYPE) + end, "a.tar") == set()
    assert found(link("a/b", "../../c") + end, "a.tar") == {"archive-path"}
    assert found(link("d", "../x", tarfile.LNKTYPE) + end, "a.tar") == {"archive-path"}
    inside = link("a", ".") + tarred(("a/x.txt", b"x"))
    assert found(inside, "a.tar") == {"archive-path"}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("up")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, "../../etc/passwd")
    assert "archive-path" in found(out.getvalue(), "a.zip")


@pytest.mark.parametrize("name", ["..\\x", "C:x", "\\\\server\\share\\x", ".. /x", "a/.. ./../x", "a\\...\\x"])
def test_a_way_out_on_windows_is_a_way_out(name: str) -> None:
    """Back slashes, drives, shares, and dots and spaces at the end of a name, which are dropped there."""
    assert found(tarred((name, b"x")), "a.tar") == {"archive-path"}
    assert found(tarred(("a..b/..c/d. e", b"x")), "a.tar") == set()


def test_members_after_a_damaged_header_are_judged() -> None:
    """Python stops at a damaged header, GNU tar looks for the next good one: what it finds is judged."""
    data = bytearray(tarred(("a.txt", b"x"), ("b.txt", b"y"), ("evil.pkl", EVIL)))
    data[1024] ^= 1
    assert {"tar-broken", "pickle-call"} <= found(bytes(data), "a.tar")


def test_bytes_that_no_member_owns_are_told_and_judged() -> None:
    """Padding and the end of an archive are zeros; anything else is a place to hide."""
    data = tarred(("a.txt", b"x"))
    assert found(data, "a.tar") == set()
    padded = data[:513] + EVIL + data[513 + len(EVIL) :]
    assert {"tar-outside", "pickle-call"} <= found(padded, "a.tar")
    assert {"tar-outside", "pickle-call"} <= found(data + EVIL, "a.tar")
    assert {"tar-outside", "pickle-call"} <= found(data + tarred(("e.pkl", EVIL)), "a.tar")


def test_a_length_that_differs_between_headers_is_told() -> None:
    """Readers that know pax and readers that do not see different members."""
    pax = tarfile.TarInfo("a.txt")
    pax.size, pax.pax_headers = 1, {"size": "1024"}
    head = pax.create_pax_header({**pax.get_info(), "size": 1, "size_": 1} | {"name": "a.txt"}, "utf-8")
    record = b"13 size=1024\n"
    extended = tarfile.TarInfo("x")
    extended.type, extended.size = tarfile.XHDTYPE, len(record)
    data = extended.tobuf(tarfile.USTAR_FORMAT) + record.ljust(512, b"\0") + head[-512:] + b"x" * 1024 + b"\0" * 1024
    assert "tar-mismatch" in found(data, "a.tar")


def test_devices_in_an_archive_are_told() -> None:
    """A device or pipe has no content that could be judged."""
    assert found(link("null", "", tarfile.CHRTYPE) + b"\0" * 1024, "a.tar") == {"special-file"}


def test_a_sparse_member_is_judged_with_its_holes() -> None:
    """What stands behind a hole is read where a loader would find it (GNU's old form)."""
    body = EVIL.ljust(512, b"\0")
    info = tarfile.TarInfo("sparse.pkl")
    info.size = 512
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[156:157] = b"S"
    block[386:410] = b"%011o\0%011o\0" % (0, 512)
    block[483:495] = b"%011o\0" % 512
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + 256 + sum(block[156:512]))
    judged = look(bytes(block) + body + b"\0" * 1024, "a.tar")
    assert [f.path for f in judged.findings if f.rule == "pickle-call"] == ["a.tar:sparse.pkl"]


def test_a_pickle_that_is_a_tar_too_is_judged_as_both() -> None:
    """Old ``torch.load`` tries tar first whatever the file begins with: a name may be a pickle."""
    data = bytearray(tarred(("\x80\x02N.", b""), ("e.pkl", EVIL), format=tarfile.GNU_FORMAT))
    data[0:4] = b"\x80\x02N."
    data[148:156] = b"%06o\0 " % (sum(data[:148]) + 256 + sum(data[156:512]))
    assert "pickle-call" in found(bytes(data), "m.pt")


def _storages(numel: int = 3, extra: bytes = b"") -> bytes:
    kind = b"\x80\x02(X\x01\x00\x00\x000X\x03\x00\x00\x00cpuctorch\nFloatStorage\nt."
    raw = struct.pack("<q", numel) + b"\x80\x02cos" * 3
    return pickle.dumps(1, 2) + kind + raw[: 8 + 4 * numel] + pickle.dumps([], 2) + extra


def _legacy(**members: bytes) -> bytes:
    tensors = pickle.dumps(1, 2) + pickle.dumps(("a", "0", None), 2) + struct.pack("<iiqqq", 1, 0, 3, 1, 0)
    empty = pickle.dumps({}, 2)
    plain = {"sys_info": empty, "storages": _storages(), "tensors": tensors, "pickle": empty}
    return tarred(*(plain | members).items(), format=tarfile.GNU_FORMAT)


def test_the_tar_that_pytorch_began_with_is_read_as_its_loader_reads_it() -> None:
    """Pickles between raw numbers are judged, the numbers are not taken for pickles."""
    assert found(_legacy(), "old.pt") == set()
    assert look(_legacy(), "old.pt").format == "torch-tar"  # type: ignore[attr-defined]
    assert "pickle-call" in found(_legacy(storages=pickle.dumps(1, 2) + EVIL), "old.pt")
    assert "pickle-call" in found(_legacy(storages=_storages(extra=EVIL)), "old.pt")
    assert "pickle-call" in found(_legacy(tensors=pickle.dumps(1, 2) + EVIL), "old.pt")


# -- compiled code --------------------------------------------------------------------------------


def test_compiled_code_is_named_wherever_it_lies() -> None:
    """Programs and libraries are told, in a folder, an archive or a tensor; they are not judged by content."""
    elf = Path(sys.executable).read_bytes()[:4096]
    assert found(elf, "lib.so") == {"native-code"}
    assert found(zipped(("lib/x.bin", elf)), "m.zip") == {"native-code"}
    assert found(b"\0asm\1\0\0\0" + b"\0" * 20, "x.wasm") == {"native-code"}
    assert found(b"\xcb\r\r\n" + b"\0" * 12 + b"\xe3" + b"\0" * 30, "x.pyc") == {"python-compiled"}
    assert found(b"MZ is how this text begins, and it is no program\n" * 3, "notes.txt") == set()


def test_a_llamafile_is_called_by_its_name() -> None:
    """A portable program with a zip of a model behind it: told as such, its members judged."""
    data = b"MZqFpD='\n" + b"\0" * 200 + zipped(("model.gguf", b"GGUF"), ("evil.pkl", EVIL))
    judged = look(data, "m.llamafile")
    assert judged.format == "llamafile"  # type: ignore[attr-defined]
    assert {"native-code", "pickle-call"} <= {f.rule for f in judged.findings}


# -- skops and TorchServe -------------------------------------------------------------------------


def _node(path: str, loader: str, **more: object) -> dict[str, object]:
    module, _, name = path.rpartition(".")
    return {"__module__": module, "__class__": name, "__loader__": loader, **more}


def _skops(*nodes: dict[str, object]) -> bytes:
    tree = _node("builtins.list", "ListNode", content=list(nodes))
    return zipped(("schema.json", json.dumps(tree).encode()))


def test_a_skops_node_that_reaches_code_or_lies_to_the_audit_is_dangerous() -> None:
    """Names that execute, a method audited as another (CVE-2025-54413), a function of no operator (CVE-2025-54412)."""
    inner = _node("os.system", "ObjectNode", content={})
    for node in (
        _node("os.system", "FunctionNode"),
        _node("builtins.eval", "TypeNode"),
        _node("builtins.exec", "OperatorFuncNode", attrs=[]),
        _node("sklearn.pipeline.Pipeline", "MethodNode", content={"obj": inner, "func": "fit"}),
        _node("sklearn.pipeline.Pipeline", "NoSuchNode"),
    ):
        assert "skops-node" in found(_skops(node), "m.skops"), node


def test_an_honest_skops_archive_is_quiet_and_tells_what_it_asks_to_trust() -> None:
    """Estimators and a class of the user's own are how models look."""
    own = _node("mypackage.DivideColumns", "ObjectNode", content={})
    estimator = _node("sklearn.linear_model._base.LinearRegression", "ObjectNode", content={})
    judged = look(_skops(estimator, own), "m.skops")
    assert judged.findings == []
    assert judged.notes == ["asks its user to trust mypackage.DivideColumns"]


def test_a_model_archive_is_compared_with_its_manifest() -> None:
    """A handler from elsewhere was not inspected; one in the archive, or of TorchServe's own, is nothing odd."""

    def mar(handler: str, *members: tuple[str, bytes]) -> bytes:
        manifest = json.dumps({"model": {"modelName": "m", "handler": handler, "serializedFile": "m.pt"}})
        return zipped(("MAR-INF/MANIFEST.json", manifest.encode()), ("m.pt", torch_zip()), *members)

    assert found(mar("image_classifier"), "m.mar") == set()
    assert found(mar("mine.py:serve", ("mine.py", b"def serve(data, context):\n    return data\n")), "m.mar") == set()
    assert found(mar("../../elsewhere.py"), "m.mar") == {"torchserve-outside"}
    assert found(mar("elsewhere.py"), "m.mar") == {"torchserve-outside"}


# -- ExecuTorch -----------------------------------------------------------------------------------


def test_an_executorch_program_is_read_to_the_byte() -> None:
    """Kernels are told; those from elsewhere, native code in a segment and bytes after the last are findings."""
    honest = executorch("aten::add", b"\x11" * 64)
    judged = look(honest, "m.pte")
    assert judged.findings == []
    assert judged.format == "executorch"  # type: ignore[attr-defined]
    assert judged.facts["operators"] == ["aten::add"]
    assert found(executorch("mylib::run", b"\x11" * 64), "m.pte") == {"torch-custom-op"}
    assert found(executorch("aten::add", Path(sys.executable).read_bytes()[:64]), "m.pte") == {"native-code"}
    assert {"executorch-outside", "pickle-call"} <= found(executorch("aten::add", b"\x11" * 64, EVIL), "m.pte")
    assert found(honest[:-10], "m.pte") == {"executorch-broken"}


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 300), st.binary(min_size=1, max_size=4))
def test_a_damaged_executorch_program_always_has_a_verdict(at: int, junk: bytes) -> None:
    """Whatever an offset says: a verdict, and no other error."""
    data = bytearray(executorch("aten::add", b"\x11" * 64))
    data[at % len(data) : at % len(data) + len(junk)] = junk
    assert verdict(bytes(data), "m.pte") in Verdict


def test_an_archive_without_members_is_nothing_odd() -> None:
    """Blocks of zeros called ``.tar`` are an empty archive."""
    assert found(b"\0" * 10240, "a.tar") == set()

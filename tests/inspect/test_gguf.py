"""GGUF: what the metadata may say, where tensors may stand, and that templates in it are judged."""

from __future__ import annotations

import struct

import pytest
from gguf_samples import NAME, W, gguf, key, tensor, text
from hypothesis import given, settings
from hypothesis import strategies as st
from inspect_samples import EVIL, found, look

from watchword.inspect.exhibit import Malformed
from watchword.inspect.formats.gguf import read_gguf
from watchword.inspect.source import Held

TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"


def test_an_honest_file_is_nothing_found_and_tells_itself() -> None:
    """Metadata, a template, a vocabulary, two tensors: no finding, and the bill of materials has its facts."""
    words = text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 1000) + b"".join(map(text, map(str, range(1000))))
    keys = [NAME, key("general.license", "apache-2.0"), key("tokenizer.chat_template", TEMPLATE), words]
    judged = look(gguf(keys, [W, tensor("v", (32,), 32, 8)], b"\1" * 32 + b"\2" * 34 + b"\0" * 30), "m.gguf")
    assert judged.findings == []
    assert judged.facts["architecture"] == "llama"
    assert (judged.facts["tensors"], judged.facts["parameters"]) == (2, 40)
    assert judged.facts["licences"] == ["apache-2.0"]
    assert judged.facts["dtypes"] == ["F32", "Q8_0"]


def test_each_version_and_byte_order_is_read() -> None:
    """Version 1 counts in 32 bits; machines of the other order write numbers the other way round."""
    old = b"GGUF" + struct.pack("<III", 1, 0, 1) + key("general.architecture", "llama", version=1)
    big = b"GGUF" + struct.pack(">IQQ", 3, 0, 1) + key("general.architecture", "llama", ">")
    for data in (old, big):
        judged = look(data, "m.gguf")
        assert judged.findings == []
        assert judged.facts["architecture"] == "llama"


def test_a_block_of_each_type_is_as_long_as_ggml_says() -> None:
    """Bytes of a block that other writers of the format got wrong: ``block_q8_1`` is two halves and 32 bytes."""
    for sort, block, length in ((9, 32, 36), (8, 32, 34), (15, 256, 292)):
        exact = gguf([NAME], [tensor("w", (block,), 0, sort)], bytes(length) + bytes(-length % 32))
        assert found(exact, "m.gguf") == set()
        assert "gguf-gap" in found(exact + b"\1" * 32, "m.gguf")


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"GGUF" + struct.pack("<IQQ", 9, 0, 0), "gguf-broken"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**60, 0), "gguf-broken"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 2**60), "gguf-broken"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**63), "gguf-broken"),
        (gguf([NAME, NAME], []), "gguf-broken"),
        (gguf([key("general.alignment", 3)], []), "gguf-broken"),
        (gguf([NAME], [W, W], b"\0" * 64), "gguf-broken"),
        (gguf([NAME], [tensor("w", (1, 1, 1, 1, 1), 0)], b"\0" * 32), "gguf-broken"),
        (gguf([NAME], [tensor("w", (2**32, 2**32), 0)], b"\0" * 32), "gguf-broken"),
        (gguf([NAME], [tensor("w", (8,), 0, 77)], b"\0" * 32), "gguf-broken"),
        (gguf([NAME], [tensor("w", (8,), 2**40)], b"\0" * 32), "gguf-broken"),
        (gguf([NAME], [W], b"\0" * 31), "gguf-broken"),
        (gguf([NAME], [W, tensor("v", (8,), 0)], b"\0" * 32), "gguf-gap"),
        (gguf([NAME], [W, tensor("v", (8,), 64)], b"\0" * 96), "gguf-gap"),
        (gguf([NAME], [tensor("w", (4,), 0)], b"\0" * 16 + b"hidden in padding"[:16]), "gguf-gap"),
        (gguf([NAME], [W], b"\0" * 32 + b"\7" * 100), "gguf-gap"),
        (gguf([NAME], [tensor("w" * 64, (8,), 0)], b"\0" * 32), "gguf-gap"),
    ],
)
def test_what_the_reader_refuses_or_does_not_own_is_told(data: bytes, rule: str) -> None:
    """Counts, names, shapes, places: each is checked against the file, and every byte is accounted for."""
    assert rule in found(data, "m.gguf")


def test_a_payload_behind_the_tensors_is_judged() -> None:
    """What no tensor owns is judged as a file of its own."""
    assert {"gguf-gap", "pickle-call"} <= found(gguf([NAME], [W], b"\0" * 32 + EVIL), "m.gguf")


def test_a_vocabulary_of_a_quarter_of_a_million_words_is_passed_over_quickly() -> None:
    """Words are passed over a block at a time; one that leads out of the file is told."""
    words = struct.pack("<IIQ", 9, 8, 250_000) + text("word") * 250_000
    assert found(gguf([text("tokenizer.ggml.tokens") + words, NAME], []), "m.gguf") == set()
    assert found(gguf([text("tokenizer.ggml.tokens") + words[:-20]], []), "m.gguf") == {"gguf-broken"}


@given(st.integers(4, 250), st.binary(min_size=1, max_size=12))
@settings(max_examples=100, deadline=None)
def test_any_damage_gives_a_verdict(at: int, junk: bytes) -> None:
    """Whatever is overwritten, reading ends with facts or with a named error."""
    data = bytearray(gguf([NAME, key("tokenizer.chat_template", TEMPLATE)], [W, tensor("v", (8,), 32)], b"\0" * 64))
    data[at : at + len(junk)] = junk
    try:
        read_gguf(Held(bytes(data)))
    except Malformed as error:
        assert error.offset >= 0
        assert found(bytes(data), "m.gguf") & {"gguf-broken", "unpack-limit"}

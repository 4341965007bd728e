"""JSON within a bound on memory: never more than is reckoned; the rest is as Python parses it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inspect_samples import found, look, zipped
from keras_samples import function, lambda_of, model

from watchword.inspect.exhibit import Malformed
from watchword.inspect.facts import Verdict
from watchword.inspect.formats import documents, json_text
from watchword.inspect.formats.json_text import descend, parse_json

SHAPES = {
    "empty lists": "b'[' + b'[],' * 200_000 + b'0]'",
    "empty objects": "b'[' + b'{},' * 200_000 + b'0]'",
    "objects in objects": """b'[' + b'{"a":{}},' * 100_000 + b'0]'""",
    "lists of one": "b'[' + b'[1000],' * 200_000 + b'0]'",
    "lists in lists": "b'[' + b'[[[[[[[]]]]]]],' * 50_000 + b'0]'",
    "numbers": "b'[' + b'1.5,' * 600_000 + b'0]'",
    "long numbers": "b'[' + (b'7' * 300 + b',') * 20_000 + b'0]'",
    "texts": """b'[' + b'"ab",' * 250_000 + b'0]'""",
    "wide texts": r"""b'[' + b'"abcdefghijklmno\xf0\x9f\x98\x80",' * 100_000 + b'0]'""",
    "one wide text": r"""b'["' + b'a' * 4_000_000 + b'\xf0\x9f\x98\x80"]'""",
    "escapes": r"""b'["' + b'\\\\\\"' * 600_000 + b'"]'""",
    "names": """b'{' + b','.join(b'"%x":1000' % i for i in range(200_000)) + b'}'""",
    "objects of one name": """b'[' + b','.join(b'{"%x":1000}' % i for i in range(100_000)) + b']'""",
    "UTF-16": """('[' + '"ab",' * 200_000 + '0]').encode('utf-16')""",
}
MEASURE = """
import os, sys
from watchword.inspect.formats import json_text
from watchword.inspect.formats.configurations import Pairs
json_text.JSON_FREE_BYTES = 0
def peak():
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) * 1024
for shape, code in sorted(eval(sys.argv[1]).items()):
    for pairs in (None, Pairs) if "{" in code else (None,):
        sys.stdout.flush()
        if os.fork() == 0:
            before = peak()
            data = eval(code)
            text, plain = json_text._decoded(data)
            needed = json_text._needed(plain, len(data), text)
            del text, plain
            made = peak()
            kept = json_text.parse_json(data, pairs=pairs)
            # What making the sample itself took is not the parser's.
            print(f"{shape}\\t{needed}\\t{peak() - before if peak() > made else 0}")
            sys.stdout.flush()
            os._exit(0)
        os.wait()
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peaks of memory are read from /proc")
def test_parsing_takes_no_more_memory_than_is_reckoned() -> None:
    """For each shape that costs most for its bytes the true peak is below the reckoned one (2 MB for the process)."""
    argv = [sys.executable, "-c", MEASURE, repr(SHAPES)]
    ran = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=True)
    rows = [line.split("\t") for line in ran.stdout.splitlines()]
    assert {row[0] for row in rows} == set(SHAPES)
    assert [row for row in rows if int(row[2]) > int(row[1]) + 2_000_000] == []


BOMBS = {
    "lists": b"[" + b"[]," * 4_000_000 + b"0]",
    "objects": b"[" + b'{"a":{}},' * 1_300_000 + b"0]",
    "behind a text that seems to end": b'["\\\\",' + b"[]," * 4_000_000 + b"0]",
    "UTF-16": ("[" + "[]," * 4_000_000 + "0]").encode("utf-16-le"),
    "one wide character": b'["' + b"a" * 70_000_000 + b'\xf0\x9f\x98\x80"]',
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_json_that_would_fill_the_memory_is_refused_before_it_is_parsed(
    bomb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve megabytes that take some 500 parsed are told and not read. Fails without the reckoning."""

    def never(*args: object, **kwargs: object) -> object:
        raise AssertionError("it was parsed")

    monkeypatch.setattr(json_text.json, "loads", never)
    with pytest.raises(Malformed, match="would take") as caught:
        parse_json(BOMBS[bomb])
    assert caught.value.limit


@pytest.mark.parametrize("name", ["x.json", "config.json", "tokenizer.json", "arch.ipynb"])
def test_a_document_that_is_not_parsed_is_unreadable_and_says_which_bytes(name: str) -> None:
    """A word of a configuration stands in it: what that says is not known, and that is no silence."""
    data = b'{"auto_map":' + BOMBS["lists"] + b"}"
    judged = look(data, name)
    assert {(f.rule, f.verdict) for f in judged.findings} == {("document-limit", Verdict.UNREADABLE)}
    assert judged.unread == [(0, len(data))]


def test_brackets_within_texts_cost_nothing() -> None:
    """Prose, code and escapes in strings are no structure."""
    value = {"text": '[{"a": []}, {}], \\' * 300_000}
    assert parse_json(json.dumps(value).encode()) == value


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_python_parses_is_parsed_the_same(value: object) -> None:
    """In every encoding, reckoned or not."""
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32-be"):
        data = json.dumps(value, ensure_ascii=False).encode(encoding, "surrogatepass")
        text, plain = json_text._decoded(data)
        assert json_text._needed(plain, len(data), text) >= len(data)
        assert parse_json(data) == json.loads(data)


@given(st.binary(max_size=60) | st.text('{}[]",:\\u01 .e-"', max_size=60).map(str.encode))
def test_bytes_that_are_no_json_say_where(data: bytes) -> None:
    """One error for all of them, with an offset inside the bytes, exactly when Python refuses too."""
    try:
        expected = json.loads(data)
    except ValueError:
        with pytest.raises(Malformed) as caught:
            parse_json(data)
        assert 0 <= caught.value.offset <= len(data) + 4
        assert not caught.value.limit
    else:
        assert repr(parse_json(data)) == repr(expected)


def test_nesting_without_end_and_endless_numbers_are_refused() -> None:
    """Neither the recursion of the parser nor its bound on digits comes through as another error."""
    with pytest.raises(Malformed, match="nests deeper") as caught:
        parse_json(b"[" * 100_000)
    assert caught.value.limit
    with pytest.raises(Malformed, match="no JSON"):
        parse_json(b"[" + b"7" * 5000 + b"]")


def test_a_tree_is_descended_in_order() -> None:
    """Depth first, each before what is in it, as it is written."""
    tree = [1, [2, [3], []], 4]
    order = descend(tree, lambda item: item if isinstance(item, list) else None)
    assert [item for item in order if not isinstance(item, list)] == [1, 2, 3, 4]


EVIL_MODEL = json.dumps(model(lambda_of(function("os", "system"))))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_an_encoding_hides_no_configuration(encoding: str) -> None:
    """``json.loads`` takes bytes in any encoding of Unicode, and so does Keras. Fails where only UTF-8 is read."""
    data = EVIL_MODEL.encode(encoding)
    assert found(data, "arch.json") == {"keras-import"}
    assert found(zipped(("metadata.json", b"{}"), ("config.json", data)), "m.keras") == {"keras-import"}


@pytest.mark.parametrize("escaped", [False, True])
def test_a_large_keras_configuration_is_judged(escaped: bool) -> None:
    """Five megabytes of padding, with its name written in escapes too. Fails where size or spelling decides."""
    text = EVIL_MODEL.replace("class_name", "cl\\u0061ss_name") if escaped else EVIL_MODEL
    data = ('{"padding": "' + "x" * 5_000_000 + '", ' + text[1:]).encode()
    assert found(data, "arch.json") == {"keras-import"}


def test_a_keras_configuration_beyond_the_bound_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence would be an answer. Fails where a large document is searched for words of other loaders only."""
    monkeypatch.setattr(documents, "DOCUMENT_BYTES_MAX", 10_000)
    monkeypatch.setattr(documents, "DOCUMENT_WHOLE_BYTES_MAX", 20_000)
    data = ('{"padding": "' + "x" * 30_000 + '", ' + EVIL_MODEL[1:]).encode()
    judged = look(data, "arch.json")
    assert {(f.rule, f.verdict) for f in judged.findings} == {("document-limit", Verdict.UNREADABLE)}
    assert judged.unread == [(0, len(data))]


def test_a_keras_configuration_hides_no_other() -> None:
    """What Hydra would call stands in what Keras would build: both are told. Fails where one reader takes the file."""
    value = json.loads(EVIL_MODEL) | {"_target_": "subprocess.call"}
    assert found(json.dumps(value).encode(), "config.json") == {"keras-import", "config-target"}


def test_rows_of_json_are_read_where_the_whole_would_be_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON lines are each a document, however many; one line too large is told with its place."""
    monkeypatch.setattr(json_text, "JSON_FREE_BYTES", 1000)
    monkeypatch.setattr(json_text, "JSON_MEMORY_BYTES_MAX", 100_000)
    row = b'{"_target_": "torch.nn.Linear", "x": []}\n'
    assert look(row * 5000, "rows.jsonl").findings == []
    assert found(row * 5000 + b'{"_target_": "os.system"}\n', "rows.jsonl") == {"config-target"}
    (finding,) = look(row + b'{"_target_": [' + b"[]," * 5000 + b"0]}\n" + row, "rows.jsonl").findings
    assert (finding.rule, finding.offset) == ("document-limit", len(row))

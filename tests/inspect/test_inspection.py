"""Whole releases: the walk, the manifest, the two forms of the result, bad input, and figures that must not slip."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import threading
import time
from pathlib import Path

import jsonschema
import pytest
from inspect_samples import EVIL, torch_zip

import watchword.inspect
from watchword.errors import WatchwordError
from watchword.inspect import (
    FileChanged,
    Inspection,
    NoManifest,
    NothingThere,
    UnknownRule,
    Verdict,
    every_rule,
    explain,
    file,
    inspect_path,
    manifest_of,
    render_text,
)
from watchword.statements.manifest import Entry, build

SCHEMA = json.loads((Path(watchword.inspect.__file__).parent / "schema.json").read_text())
DOCS = Path(__file__).parents[2] / "docs" / "rules"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    folder = tmp_path / "recon-vision-7"
    (folder / "sub").mkdir(parents=True)
    (folder / "README.md").write_text("# recon vision\n")
    (folder / "head.pt").write_bytes(torch_zip())
    (folder / "sub" / "empty.txt").write_bytes(b"")
    return folder


def _valid(result: Inspection) -> dict[str, object]:
    value = json.loads(json.dumps(result.to_json()))
    jsonschema.validate(value, SCHEMA)
    return value


def test_manifest_names_every_file_by_path_size_and_digest(release: Path) -> None:
    """The manifest of an inspection is that of the files themselves, computed here by hashlib alone."""
    result = inspect_path(release)
    entries = [
        Entry(path.relative_to(release).as_posix(), path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in release.rglob("*")
        if path.is_file()
    ]
    assert result.manifest == build(entries) == manifest_of(release)
    assert result.verdict is Verdict.NOTHING_FOUND
    assert [report.path for report in result.files] == ["README.md", "head.pt", "sub/empty.txt"]


def test_single_file_is_a_release_of_one_entry_with_its_base_name(release: Path) -> None:
    """A release that is a file has its base name, wherever it lies."""
    result = inspect_path(release / "head.pt")
    assert result.manifest is not None
    assert [entry.path for entry in result.manifest.entries] == ["head.pt"]


def test_json_form_is_the_documented_one(release: Path) -> None:
    """The JSON form validates against the schema that ships, with findings, without, and without hashing."""
    (release / "evil.pkl").write_bytes(EVIL)
    value = _valid(inspect_path(release))
    assert list(value) == ["schema", "tool", "target", "manifest", "verdict", "findings", "files"]
    assert list(value["findings"][0]) == [  # type: ignore[index]
        "rule",
        "severity",
        "confidence",
        "verdict",
        "path",
        "offset",
        "message",
        "evidence",
        "atlas",
    ]
    unhashed = _valid(inspect_path(release, hash_files=False))
    assert unhashed["manifest"] is None
    assert unhashed["verdict"] == "dangerous"


def test_text_form_is_worst_first_and_counts_last(release: Path) -> None:
    """The text that people read: findings in columns, then one line of counts and the digest."""
    (release / "evil.pkl").write_bytes(EVIL)
    (release / "weights.bin").write_bytes(bytes(range(128, 256)))
    result = inspect_path(release)
    assert result.manifest is not None
    digest = result.manifest.digest
    assert render_text(result).splitlines() == [
        f"dangerous[pickle-call]     evil.pkl @ {EVIL.rindex(b'R'):#x}  loading would call posix.system",
        "                           posix.system('true')",
        "                           run by joblib.load, numpy.load(allow_pickle=True), pandas.read_pickle, "
        "pickle.load, torch.load(weights_only=False)",
        "unreadable[not-inspected]  weights.bin      the format is not known",
        "                           not looked at: bytes 0x0 to 0x80 of 128",
        f"5 files: 1 dangerous, 1 unreadable, nothing found in 3     {digest[:11]}…{digest[-4:]}",
    ]


def test_loaders_are_told_once_for_each_file(tmp_path: Path) -> None:
    """A file with several findings names the loaders that would run it at the first of them."""
    data = EVIL[:-1] + EVIL[2:].replace(b"true", b"fals")
    for name in ("a.pkl", "b.pkl"):
        (tmp_path / name).write_bytes(data)
    text = render_text(inspect_path(tmp_path))
    assert text.count("dangerous[pickle-call]") == 2 and text.count("run by ") == 2


def test_same_bytes_give_the_same_result_wherever_and_whenever(release: Path, tmp_path: Path) -> None:
    """Findings and manifest depend on the bytes alone: another place, other times, same result."""
    import shutil

    (release / "evil.pkl").write_bytes(EVIL)
    copy = tmp_path / "elsewhere"
    shutil.copytree(release, copy)
    first, second = inspect_path(release).to_json(), inspect_path(copy).to_json()
    assert {**first, "target": ""} == {**second, "target": ""}


@pytest.mark.parametrize("what", ["missing", "empty folder", "fifo", "loop"])
def test_nothing_to_look_at_is_an_error_not_a_verdict(what: str, tmp_path: Path) -> None:
    """Nothing looked at may never read as nothing found."""
    target = tmp_path / "x"
    if what == "empty folder":
        (target / "sub").mkdir(parents=True)
    elif what == "fifo":
        os.mkfifo(target)
    elif what == "loop":
        target.symlink_to(target)
    with pytest.raises(NothingThere) as caught:
        inspect_path(target)
    assert "x" in caught.value.message
    assert caught.value.hint


def test_links_and_special_files_are_told_and_leave_no_manifest(release: Path, tmp_path: Path) -> None:
    """No link is followed: out of the release it is unreadable, inside suspicious; pipes and sockets are not opened."""
    (tmp_path / "outside.pkl").write_bytes(EVIL)
    (release / "out").symlink_to("../outside.pkl")
    (release / "dangling").symlink_to("nowhere/at/all")
    (release / "in").symlink_to("README.md")
    (release / "folder").symlink_to("..")
    os.mkfifo(release / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(release / "sock"))
        result = inspect_path(release)
    told = {finding.path: (finding.rule, finding.verdict) for finding in result.findings}
    assert told["out"] == ("symlink-escape", Verdict.UNREADABLE)
    assert told["folder"] == ("symlink-escape", Verdict.UNREADABLE)
    assert told["in"] == ("symlink-inside", Verdict.SUSPICIOUS)
    assert told["dangling"] == ("symlink-inside", Verdict.SUSPICIOUS)
    assert told["pipe"] == told["sock"] == ("special-file", Verdict.UNREADABLE)
    assert result.manifest is None
    assert result.verdict is Verdict.UNREADABLE
    with pytest.raises(NoManifest):
        manifest_of(release)
    _valid(result)


def test_file_that_cannot_be_opened_is_unreadable_and_named(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system says no: the file has a verdict, and the release no manifest."""
    real = os.open

    def refuse(path: object, *args: int) -> int:
        if str(path).endswith("head.pt"):
            raise PermissionError(13, "Permission denied")
        return real(path, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    result = inspect_path(release)
    assert [(f.rule, f.path, f.verdict) for f in result.findings] == [
        ("file-unreadable", "head.pt", Verdict.UNREADABLE)
    ]
    assert result.manifest is None


@pytest.mark.parametrize("size", [1000, 6_000_000])
@pytest.mark.parametrize("how", ["append", "overwrite", "truncate"])
def test_file_that_changes_while_it_is_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, how: str
) -> None:
    """What was judged must be what was hashed. Fails if the comparison of status is removed."""
    target = tmp_path / "model.bin"
    target.write_bytes(b"\x80\x04N." + b"\0" * size)
    real = file.judge

    def while_judging(*args: object) -> object:
        with target.open("r+b") as file:
            if how == "append":
                file.seek(0, 2)
                file.write(b"x")
            elif how == "overwrite":
                file.seek(2)
                file.write(b"x")
            else:
                file.truncate(100)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(file, "judge", while_judging)
    time.sleep(0.02)
    with pytest.raises(FileChanged) as caught:
        inspect_path(target)
    assert "model.bin" in caught.value.message


def test_unsafe_names_leave_no_manifest_and_cannot_steer_the_terminal(release: Path) -> None:
    """Names that are not one file everywhere are a finding; control characters in them are shown, not sent."""
    (release / "a\x1b[2Jb").write_text("x")
    result = inspect_path(release)
    assert result.manifest is None
    assert {finding.rule for finding in result.findings} == {"path-unsafe"}
    assert "\x1b" not in render_text(result)
    (release / "a\x1b[2Jb").unlink()
    os.close(os.open(os.fsencode(release) + b"/\xff\xfe", os.O_CREAT | os.O_WRONLY))
    result = inspect_path(release)
    assert result.manifest is None
    json.dumps(_valid(result)).encode()


def test_large_file_is_hashed_and_judged_on_one_descriptor(tmp_path: Path) -> None:
    """Above the size that is read whole, digest and verdict are the same as below it, and progress adds up."""
    data = EVIL + b"\0" * 9_000_000
    (tmp_path / "big.pkl").write_bytes(data)
    seen: list[tuple[str, int, int]] = []
    result = inspect_path(tmp_path / "big.pkl", progress=lambda *step: seen.append(step))
    assert result.files[0].sha256 == hashlib.sha256(data).hexdigest()
    assert result.verdict is Verdict.DANGEROUS
    assert seen[-1] == ("big.pkl", len(data), len(data))
    assert [step[1] for step in seen] == sorted(step[1] for step in seen)
    assert not [thread for thread in threading.enumerate() if thread.name == "hashing"]


def test_judging_a_large_pytorch_file_reads_next_to_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tensors are read by the hashing pass alone: the judge reads less than a hundredth of the file."""
    data = torch_zip(tensors=4, count=4_000_000)
    (tmp_path / "m.pt").write_bytes(data)
    read = 0
    real = os.pread

    def counting(descriptor: int, length: int, offset: int) -> bytes:
        nonlocal read
        got = real(descriptor, length, offset)
        read += len(got)
        return got

    monkeypatch.setattr(os, "pread", counting)
    assert inspect_path(tmp_path / "m.pt").verdict is Verdict.NOTHING_FOUND
    assert read < len(data) / 100


def test_inspection_imports_and_opens_nothing_that_it_inspects(release: Path) -> None:
    """I8: judging an evil file imports no module that it names, and starts nothing."""
    import subprocess
    import sys

    (release / "evil.pkl").write_bytes(b"\x80\x04cantigravity\nfly\n)R0cthis\nx\n" + EVIL[2:])
    code = (
        "import sys\nfrom pathlib import Path\nfrom watchword.inspect import inspect_path\nseen = set()\n"
        "def hook(event, args):\n"
        "    if event in ('os.system', 'subprocess.Popen', 'socket.connect'): seen.add(event)\n"
        "    if event == 'import' and args[0] in ('antigravity', 'this', 'posix'): seen.add(args[0])\n"
        "sys.addaudithook(hook)\n"
        f"print(inspect_path(Path({str(release)!r})).verdict, seen)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.stdout.strip() == "dangerous set()", ran.stdout + ran.stderr


def test_every_rule_has_its_page_and_every_page_its_rule() -> None:
    """``docs/rules`` is the rules' own words; regenerate with ``Rule.page``."""
    assert {path.stem for path in DOCS.glob("*.md")} == {rule.id for rule in every_rule()}
    for rule in every_rule():
        assert (DOCS / f"{rule.id}.md").read_text() == rule.page() == explain(rule.id), rule.id


def test_rule_ids_are_the_names_of_their_files_and_facts_are_complete() -> None:
    """One rule, one file; each says why and what to do, with ATLAS techniques as ids."""
    import watchword.inspect.rules as rules

    for rule in every_rule():
        assert getattr(rules, rule.id.replace("-", "_")).RULE is rule
        assert rule.severity in ("info", "low", "medium", "high", "critical")
        assert rule.confidence in ("low", "medium", "high")
        assert len(rule.why) > 80
        assert rule.remediation
        assert all(technique.startswith("AML.T") and "@" not in technique for technique in rule.atlas)
        assert (rule.check is None) == (not rule.reads)
        # Only these rules are asked about a pickle: see ``rules``.
        assert rule.id.startswith("pickle-") or not any(".pickles." in kind.__module__ for kind in rule.reads)


def test_the_digest_of_the_inspector_is_of_its_sources_alone(tmp_path: Path) -> None:
    """What Python keeps beside the sources does not change it; a changed rule does. Fails when caches are hashed."""
    import shutil
    import subprocess
    import sys

    package = tmp_path / "watchword"
    shutil.copytree(Path(watchword.inspect.__file__).parents[1], package, ignore=shutil.ignore_patterns("__pycache__"))
    code = "from watchword.inspect import tool; print(tool()['rules'])"

    def digest() -> str:
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        command = [sys.executable, "-c", code]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    before = digest()
    (package / "inspect" / "rules" / "__pycache__").mkdir(exist_ok=True)
    (package / "inspect" / "rules" / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert digest() == before
    with (package / "inspect" / "rules" / "pickle_call.py").open("a") as rule:
        rule.write("# changed\n")
    assert digest() != before


def test_a_format_that_hides_is_asked_about_every_file() -> None:
    """Formats are imported when needed; those that a file may be besides what it seems are always needed."""
    from watchword.inspect.identify import HIDING, formats, hiding
    from watchword.inspect.source import Held

    asked = hiding(Held(b"".join(HIDING.values())), b"")
    assert {listed.name for listed in asked} == {listed.name for listed in formats() if listed.hides is not None}


def test_unknown_rule_is_an_error_with_near_ones() -> None:
    """``explain`` of what does not exist names what does."""
    with pytest.raises(UnknownRule) as caught:
        explain("pickle-nonsense")
    assert isinstance(caught.value, WatchwordError)
    assert "pickle-call" in caught.value.hint


def test_what_a_file_begins_with_rules_no_format_out_wrongly() -> None:
    """Asking only the modules whose mark is there gives the same format as asking all: samples, and what tests make."""
    from inspect_samples import EVIL, onnx_model, onnx_node, safetensors

    from watchword.inspect.identify import BEGINS, MODULES, formats, identify
    from watchword.inspect.source import Held

    assert set(BEGINS) <= set(MODULES)
    files = {path.name: path.read_bytes() for path in (Path(__file__).parent / "samples").iterdir()}
    files |= {"m.onnx": onnx_model(onnx_node(b"Add")), "m.safetensors": safetensors(b'{"a":1}', b""), "e.pkl": EVIL}
    files |= {f"{n:02x}": bytes([n]) + data for n in range(256) for data in (b"\0" * 40,)}
    files |= {"garbage.pmml": b"\xff\xfe not xml", "old.bin": b"lmgg" + b"\0" * 40, "a.rds": b"A\n2\n1\n1\n254\n"}
    for name, data in files.items():
        source, head = Held(data), data[:4096]
        first = next((listed.name for listed in formats() if listed.claims(source, head, name)), "unknown")
        assert identify(source, head, name).name == first, name


def test_raw_tensors_are_explained_by_the_graph_that_names_them(tmp_path: Path) -> None:
    """Numbers without a mark are unreadable alone; what else is found in such a file is never explained away."""
    from inspect_samples import field, onnx_model, onnx_node

    entry = field(13, field(1, b"location") + field(2, b"w/tensors.bin"))
    model = onnx_model(onnx_node(b"Add"), initializers=field(5, field(8, b"w") + entry + field(14, 1)))
    raw = b"\x91\x00\x03\x3f" * 64
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "tensors.bin").write_bytes(raw)
    assert inspect_path(tmp_path).verdict is Verdict.UNREADABLE
    (tmp_path / "m.onnx").write_bytes(model)
    result = inspect_path(tmp_path)
    assert (result.verdict, result.findings) == (Verdict.NOTHING_FOUND, ())
    assert {report.format for report in result.files} == {"onnx", "raw tensors"}
    (tmp_path / "w" / "tensors.bin").write_bytes(EVIL)
    assert inspect_path(tmp_path).verdict is Verdict.DANGEROUS
    (tmp_path / "w" / "tensors.bin").write_bytes(raw[:100])
    longer = entry + b"".join(field(13, field(1, key) + field(2, b"64")) for key in (b"offset", b"length"))
    (tmp_path / "m.onnx").write_bytes(
        onnx_model(onnx_node(b"Add"), initializers=field(5, field(8, b"w") + longer + field(14, 1)))
    )
    assert [finding.rule for finding in inspect_path(tmp_path).findings] == ["onnx-external-short"]
    (tmp_path / "w" / "tensors.bin").write_bytes(raw)
    (tmp_path / "other.bin").write_bytes(raw)
    assert inspect_path(tmp_path).verdict is Verdict.UNREADABLE

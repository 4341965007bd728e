"""Looks for papers that are answered otherwise than with our own error: ``python -m benchmarks.papers``.

``… [SECONDS [SEED]] [keep]``, by default 60 s from a random seed. Papers are what people write (charters, packs,
positions, use cases, caveats, mandates, cards, baselines, updates, questions) and what members and programs hand on
(statements of every kind, proofs, views, manifests, keys, signatures, held actions, messages of MCP, data), and what
``verify.py`` reads, with signatures that fit: whoever signs can write anything. ``searching`` says what is promised.
"""

from __future__ import annotations

import io
import json
import sys
import tarfile
import tempfile
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import numpy
import verify

from benchmarks import searching
from benchmarks.searching import in_file
from watchword.charter import charter
from watchword.charter.conditions import is_decimal
from watchword.data import arrays, delivery, files, manifest, remote, review, tar
from watchword.evaluate import messages, pictures, samples
from watchword.gate import action, authority, cards, intervals, mandate, probes, receipts, request
from watchword.gate.mcp import message
from watchword.inspect import baseline, updates
from watchword.ledger import leaves, tlog_proof, view
from watchword.observe import steps
from watchword.policy import (
    caveat,
    fitting,
    free,
    grammar,
    hypothesis,
    norm,
    pack,
    position,
    sheet,
    table,
    updating,
    use_case,
)
from watchword.record import card, endpoint
from watchword.statements import (
    canonical,
    digests,
    keys,
    kinds,
    label,
    model_signing,
    pkcs8,
    redaction,
    statement,
    times,
)
from watchword.statements import manifest as releases
from watchword.statements.statement import Subject, make

ROOT = Path(__file__).resolve().parents[1]
_MODULES = (
    charter, arrays, delivery, files, manifest, remote, review, tar, messages, pictures, samples, action, authority,
    cards, intervals, mandate, probes, receipts, request, message, baseline, updates, leaves, tlog_proof, view, steps,
    caveat, free, grammar, hypothesis, norm, pack, position, sheet, table, updating, use_case, card, endpoint,
    canonical, digests, keys, kinds, label, model_signing, pkcs8, redaction, statement, times, releases, verify,
)  # fmt: skip
WATCHED = frozenset(module.__file__ for module in _MODULES)
PIECES = [
    *(b"{", b"}", b"[", b"]", b'"', b":", b",", b"null", b"true", b"1e9", b"-1", b"0.5", b'"\\ud800"', b"\0", b"\xff"),
    *(b"\n", b"\r\n", b"=", b"a = ", b"[[rule]]\n", b"[a.b]\n", b"a.b.c = 1\n", b"1979-05-27T07:32:00Z", b"1979-05-27"),
    *(b"nan", b"inf", b"9" * 4_400, b"[" * 2_000, b"{" * 2_000, b"'''", b'"""', b"#", b"|", b" and ", b" is present"),
    *(b"sha256:" + b"0" * 64, b"9007199254740993", b"2026-02-30T00:00:00Z", b"AAAA", b"-----BEGIN PRIVATE KEY-----\n"),
    *(b"forbid(principal, action, resource);", b" when { context.a == 1 }", b"<", b"/>", b"<!DOCTYPE x>", b"&#0;"),
    *(bytes(8), b"\xff" * 8, b"\x93NUMPY", b"PK\5\6", b"tile/", "\u202e".encode(), "é".encode(), "ﬁ".encode()),
]  # fmt: skip
AT, _LATER = "2026-09-21T14:13:20Z", "2026-09-22T14:13:20Z"


def _json(data: bytes) -> Any:
    return canonical.parse_json(data, "x")


def _statement(data: bytes) -> None:
    found = statement.parse_statement(data)
    if found.payload != canonical.canonical(json.loads(data)):
        raise AssertionError("what is signed is not what was read")


def _charter(data: bytes) -> None:
    read = charter.parse_charter_file(data)
    if read.encode() != data.removesuffix(b"\n"):
        raise AssertionError("re-encodes to other bytes")


def _cells(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for read in (grammar.read_words, lambda text: grammar.read_until(text, "from"), is_decimal):
        with suppress(grammar.BadCondition):
            read(text)
    found = grammar.read(text)
    with suppress(grammar.BadCondition):
        if grammar.read(grammar.written(found)) != found:
            raise AssertionError("conditions are written otherwise than they read")


def _message(data: bytes) -> None:
    read = io.BytesIO(data)

    def exactly(size: int) -> bytes:
        found = read.read(size)
        if len(found) < size:
            raise EOFError  # the other side hung up
        return found

    with suppress(EOFError):
        messages.decode(exactly)


def _release(data: bytes) -> None:
    if releases.parse(data).canonical != data:
        raise AssertionError("re-encodes to other bytes")


def _card(data: bytes) -> None:
    name, _, text = data.partition(b"\0")
    notes: list[str] = []
    card.front_matter(text.decode("utf-8", "replace"), notes)
    card._object(text, name.decode("latin-1"), notes)


def _answer(data: bytes) -> None:
    """What an endpoint may say, asked for as both interfaces do."""
    endpoint._picked(canonical.parse_json(data, "x"), "a.b", "x")


def _header(data: bytes) -> None:
    steps.step("x", caused_by=data.decode("latin-1"))


def _draft(data: bytes) -> None:
    def read(path: Path) -> None:
        draft = mandate.read_mandate(path)
        mandate.parse_mandate(
            draft.value | {"decision": "sha256:" + "0" * 64, "use_case": "sha256:" + "0" * 64}
            | {"valid_from": draft.value["valid_from"] or AT, "valid_until": draft.value["valid_until"] or _LATER}
        )  # fmt: skip

    in_file(read, "given.toml")(data)


def _rows(path: Path) -> None:
    made = manifest.manifest_rows(path, reveal=True)
    other = path.with_name("manifest")
    manifest.write_manifest(made, other)
    if manifest.read_manifest(other).root != made.root:
        raise AssertionError("a manifest is read otherwise than it was written")


def _verified(data: bytes) -> None:
    """``verify.py`` of a charter or a proof; any ValueError of its own kind refuses."""
    fits = [mock.patch.object(verify, name, lambda *_: None) for name in ("verify_ed25519", "verify_mldsa")]
    with fits[0], fits[1], suppress(verify.Refused):
        report = verify.verify_proof(_CHARTER, data, verify.seconds("2026-09-21T15:00:00Z"))
        json.dumps(report)
        list(verify.render(report))


def _verified_charter(data: bytes) -> None:
    fits = [mock.patch.object(verify, name, lambda *_: None) for name in ("verify_ed25519", "verify_mldsa")]
    with fits[0], fits[1], suppress(verify.Refused):
        verify.verify_proof(data, _PROOF, verify.seconds("2026-09-21T15:00:00Z"))


def _key(data: bytes) -> None:
    value = _json(data)
    if isinstance(value, dict) and all(isinstance(one, str) for one in value.values()):  # as a charter's fields are
        keys.parse_public(value)


def _key_file(path: Path) -> None:
    keys.load_key(path, b"x")


def _caveat(path: Path) -> None:
    fields = caveat.read_caveat(path)
    canonical.canonical(fields)


def _position(data: bytes) -> None:
    position.pasted_position(data.decode("utf-8", "replace"), "x")


PARSERS: dict[str, searching.Parser] = {
    # What people write.
    "charter": _charter, "pack": in_file(pack.read_pack, "given.toml"), "norm": in_file(norm.read_norm, "given.toml"),
    "position": _position, "use case": in_file(use_case.read_use_case, "given.toml"),
    "caveat": in_file(_caveat, "given.toml"), "what if": in_file(hypothesis.read_what_if, "given.toml"),
    "sheet": lambda data: sheet.read_csv(data.decode("utf-8", "replace"), "x"),
    "document": lambda data: sheet.read_markdown(data.decode("utf-8", "replace"), "x"),
    "cells": _cells, "draft": _draft, "cards": lambda data: cards.parse_cards(data),
    "probes": lambda data: probes.read_plan(_json(data), "", ("", ""), "x"),
    "baseline": in_file(lambda path: baseline.read_baseline(path, date(2026, 9, 21)), "given.toml"),
    "update": lambda data: updating._check(_json(data)),
    "signer": lambda data: updating.signer_of(_json(data), "x"),
    "questions": lambda data: endpoint.read_questions(data, "json", "x"),
    "marking": lambda data: label.parse_label(data),
    # What members and programs hand on.
    "statement": _statement, "copy": lambda data: redaction.read_copy(data, "x"),
    "release": _release, "leaf": lambda data: leaves.parse("ledger", data),
    "proof": lambda data: tlog_proof.parse(data),
    "view": lambda data: view.parse_view(_json(data)),
    "mandate": lambda data: mandate.parse_mandate(_json(data)),
    "action": lambda data: action.render(action.parse_action(data)),
    "request": lambda data: request.parse_request(data),
    "receipt": lambda data: receipts.parse_receipt(_json(data), "x"),
    "mcp": lambda data: message.parse_message(data),
    "key": _key,
    "key file": in_file(_key_file, "given.pem"),
    "signature": lambda data: model_signing.parse(data),
    "sealed": lambda data: endpoint.open_sealed(data, "x", []),
    "endpoint": _answer, "card": _card, "header": _header, "message": _message,
    "pictures": lambda data: pictures.read_pictured(data),
    # Data.
    "csv": in_file(_rows, "given.csv"), "jsonl": in_file(_rows, "given.jsonl"), "tar": in_file(_rows, "given.tar"),
    "npz": in_file(_rows, "given.npz"), "rows": in_file(manifest.read_manifest, "given"),
    "files": in_file(files.read_file_manifest, "given"), "far": in_file(remote.read_observations, "given.csv"),
    "screen": in_file(review.read_screen, "given.json"), "decisions": in_file(review.read_decisions, "given.csv"),
    "texts": in_file(lambda path: samples.read_samples(path, "texts"), "given.jsonl"),
    "arrays": in_file(lambda path: samples.read_samples(path, "arrays"), "given.npz"),
    # Of verify.py.
    "verified": _verified, "verified charter": _verified_charter,
}  # fmt: skip

_ZERO = "sha256:" + "0" * 64
_VECTORS = ROOT / "vectors" / "protocol"
_CHARTER = _VECTORS.joinpath("charter.json").read_bytes()
_PROOF = _VECTORS.joinpath("proof.json").read_bytes()





def _of(folder: str, *names: str) -> list[bytes]:
    return [ROOT.joinpath(folder, name).read_bytes() for name in names]


def seeds() -> dict[str, list[bytes]]:
    """Honest inputs of each parser."""
    return {**_written(), **_handed(), **_data(), "verified": [_PROOF], "verified charter": [_CHARTER]}


def _written() -> dict[str, list[bytes]]:
    packs = _of("src/watchword/policy/packs", "nato-pru-2021.toml", "alliance.toml")
    shipped = pack.read_pack()
    practice = "docs/practice"
    return {
        "charter": [_CHARTER], "pack": packs,
        "norm": _of("src/watchword/policy/norms", "nato-pru-2021.toml", "deploy-securely-2024.toml"),
        "position": _of(f"{practice}/positions", "bravo.toml", "alfa.toml", "charlie.toml"),
        "use case": _of(practice, "mail-triage.toml"), "caveat": [*_of(practice, "caveat.toml"), _FREE],
        "what if": _of(practice, "what-if.toml"),
        "sheet": [sheet.csv(shipped).encode(), b"what;id;kind\r\nrequirement;a;inspection\r\n"],
        "document": [sheet.markdown(shipped).encode()],
        "cells": [b'a.b == "x" and c in [1, 2] and d is present', b"a, b, c", b'"x y" from z', b"0.50"],
        "draft": _of(practice, "mandate.toml", "cameras.toml"), "cards": _of(practice, "agent-cards.json"),
        "probes": [_json_of({"format": probes.FORMAT, "key": "0" * 64, "mandate": _ZERO, "per_1000": 5, "probes": [
            {"tool": "delete", "args": {"message": "all"}, "why": "it deletes all", "screen": []}]})],
        "baseline": [b'format = "watchword-baseline/1"\n[[suppress]]\nrule = "pickle-call"\npath = "a.pkl"\n'
                     b'sha256 = "' + b"0" * 64 + b'"\nreason = "r"\nowner = "o"\nexpires = 2026-10-01\n'],
        "update": [_json_of({
            "denied": {"evil.load": "runs commands"}, "format": updates.DATA_FORMAT, "licence": "CC0-1.0", "made": AT,
            "norms": [], "packs": ['name = "p"\ntitle = "t"\n[standing]\n'], "rebuilds": {}, "source": "s",
            "version": 1})],
        "signer": [_json_of({"keys": [_public(65) | {"job": "supplier"}], "name": "AQUILA"})],
        "questions": [b'"what is it?"\n{"text": "a"}\n\n[1, 2]\n'],
        "marking": [label.label_xml({
            "policy": "NATO", "classification": "SECRET", "privacy_mark": "x", "created": AT, "review": None,
            "categories": [{"name": "n", "type": "permissive", "values": ["A", "B"]}]})],
    }  # fmt: skip


_FREE = b"""name = "free"
reason = "r"
cedar = '''
@id("a")
@accountable("official")
@text("it is restricted")
@principle("R")
forbid(principal, action == Action::"admit", resource) when { context.members.contains("BRAVO") };
'''
"""


def _handed() -> dict[str, list[bytes]]:
    key = keys.generate(44)
    checkpoint = _checkpoint(key)
    asked = action.parse_action(_json_of({
        "args": {"message": "m-1", "n": 3}, "asked": AT, "format": action.FORMAT, "nonce": "0" * 32, "release": _ZERO,
        "session": "s", "tool": "label",
    }))  # fmt: skip
    held = request.Request(
        asked, "ALFA", "h-1", _ZERO, "m", "r", mandate.Approvals(count=2, distinct="operators", role="commander"), AT,
        "2026-09-21T14:23:20Z", ("to: unclean",),
    )  # fmt: skip
    receipt = receipts.receipt_value(
        "denied", "ALFA", times.parse_time(AT), ["no rule"], asked, None, None, None, None, [], None
    )
    rule = {
        "approvals": {"count": 2, "distinct": "operators", "role": "commander"},
        "args": [{"field": "to", "op": "in", "value": ["a"]}], "hold_s": 300, "id": "r", "quota": None, "tool": "t",
        "unclean": None,
    }  # fmt: skip
    granted = {
        "decision": _ZERO, "hours": {"from": "08:00", "to": "18:00"}, "name": "m", "probes": None, "rules": [rule],
        "stale": {"for_s": 60, "rules": ["r"]}, "use_case": _ZERO, "valid_from": AT,
        "valid_until": _LATER, "view_max_age_s": 60,
    }  # fmt: skip
    return {
        "statement": _statements(), "copy": _copies(),
        "release": [releases.build([releases.Entry("a/b.bin", 3, "0" * 64)]).canonical],
        "leaf": [b"\1" + bytes(32), b"\4" + bytes(32), b"\1" + bytes(33)],
        "proof": [tlog_proof.TlogProof(3, (bytes(32), bytes(32)), checkpoint, b"x").format()],
        "view": [_json_of({"format": view.FORMAT, "heads": {"a.example/x": {
            "root": "A" * 43 + "=", "size": 3, "time": AT}}})],
        "mandate": [_json_of(granted)], "action": [asked.bytes], "request": [held.encode()],
        "receipt": [_json_of(receipt)],
        "mcp": [_json_of({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "t", "arguments": {}}}),
                _json_of({"jsonrpc": "2.0", "id": "a", "result": {"content": [{"type": "text", "text": "x"}]}})],
        "key": [_json_of(_public(44))], "key file": [_key_text(key), _device(key)],
        "signature": [_signature()],
        "sealed": [_json_of({"canaries": [{"answer": "a", "answer_salt": "A" * 43 + "=", "question": "q",
                   "question_salt": "A" * 43 + "="}], "door": {"interface": "chat", "model": "m", "pick": "",
                   "url": "https://x.example/v1"}, "format": endpoint.SEALED_FORMAT})],
        "endpoint": [b'{"a":{"b":[1,2]}}'],
        "card": [b"config.json\0---\nlicense: mit\nbase_model:\n- a/b\ndatasets: [x, y]\n---\n# m\n",
                 b'config.json\0{"model_type": "bert", "architectures": ["X"], "_name_or_path": "a/b"}'],
        "header": [b"00-" + b"1" * 32 + b"-" + b"2" * 16 + b"-01"],
        "message": [messages.encode({"op": "predict"}, (numpy.zeros((2, 3), "float32"),))],
        "pictures": [_json_of({"by_label": {"a": [1, 2]}, "curve": [{"eps": "0.1", "k": 1, "n": 2}], "examples": []})],
    }  # fmt: skip


def _checkpoint(key: keys.SigningKey) -> bytes:
    from watchword.ledger.checkpoint import Checkpoint, sign_checkpoint

    return sign_checkpoint(Checkpoint("log.example/x", 7, bytes(32)), key)


def _json_of(value: Any) -> bytes:
    return canonical.canonical(value)


def _public(level: int) -> dict[str, Any]:
    return keys.generate(level).public.value()


def _key_text(key: keys.SigningKey) -> bytes:
    with tempfile.TemporaryDirectory(dir=searching.MEMORY) as folder:
        keys.save_key(Path(folder, "key.pem"), key, None)
        return Path(folder, "key.pem").read_bytes()


def _device(key: keys.SigningKey) -> bytes:
    """The file of a key of which one half is behind a signer."""
    public = digests.b64(key.public.ed25519).encode()
    second = b"-----BEGIN" + _key_text(key).rpartition(b"-----BEGIN")[2]
    return b"signer-uri: file2:/x.pem\nsigner-ed25519: " + public + b"\n" + second


def _signature() -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec

    with tempfile.TemporaryDirectory(dir=searching.MEMORY) as folder:
        Path(folder, "model.bin").write_bytes(b"x")
        return model_signing.sign(Path(folder), ec.generate_private_key(ec.SECP256R1()))


def _statements() -> list[bytes]:
    """One of every kind."""
    made = times.parse_time(AT)
    about = (Subject("release", _ZERO),)
    return [make(kind, about, fitting.plausible(kind), issuer="ALFA", made=made).payload for kind in kinds.KINDS]


def _copies() -> list[bytes]:
    kind = "evaluation"
    fields, hidden = redaction.hide(kind, fitting.plausible(kind), ["seed"])
    made = make(kind, (Subject("release", _ZERO),), fields, issuer="ALFA", made=times.parse_time(AT))
    envelope = statement.sign(made, keys.generate(65))
    return [redaction.copy_file(envelope, hidden), envelope]


def _data() -> dict[str, list[bytes]]:
    packed, arrays_of, tarred = io.BytesIO(), io.BytesIO(), io.BytesIO()
    numpy.savez(packed, a=numpy.arange(3), b=numpy.array(["x", "y", "z"]))
    numpy.savez(arrays_of, x=numpy.zeros((2, 3), "float32"), y=numpy.array([0, 1]))
    with tarfile.open(fileobj=tarred, mode="w") as tar_file:
        for name, content in (("a.txt", b"x"), ("a.cls", b"1"), ("b.txt", b"y"), ("b.json", b'{"a": 1}')):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar_file.addfile(entry, io.BytesIO(content))
    line: files.Line = ("a/b.bin", 3, "0" * 64, None, False)
    rows = b"id,label\n1,a\n2,b\n"
    return {
        "csv": [rows, b'a,b\r\n"x ""y""",2\r\n'], "jsonl": [b'{"a": 1, "b": [null, 2.5]}\n{"a": {"c": "x"}}\n'],
        "tar": [tarred.getvalue()], "npz": [packed.getvalue()], "rows": [_manifest_of(rows)],
        "files": [b"".join(files._blocks((line,), files.manifest_of_lines([line]).root))],
        "far": [b"url,sha256,time,by\nhttps://x.example/a," + b"0" * 64 + b"," + AT.encode() + b",ALFA\n"],
        "screen": [_json_of({"listed": [{"row": 1, "why": "x"}], "schema": "watchword-data-screen/1"})],
        "decisions": [b"row,decision,reason\n1,keep,fine\n2,drop,planted\n"],
        "texts": [b'{"text": "a", "label": "b"}\n{"text": "c", "label": "d"}\n'], "arrays": [arrays_of.getvalue()],
    }  # fmt: skip


def _manifest_of(rows: bytes) -> bytes:
    made: list[bytes] = []

    def read(path: Path) -> None:
        manifest.write_manifest(manifest.manifest_rows(path, key="id", label="label", reveal=True), path)
        made.append(path.read_bytes())

    in_file(read, "given.csv")(rows)
    return made[0]


def searched() -> searching.Searched:
    return searching.Searched("papers", PARSERS, seeds(), WATCHED, PIECES)


if __name__ == "__main__":
    sys.exit(searching.main(searched))

"""Looks for bytes from outside that are answered otherwise than with our own error: ``python -m benchmarks.outside``.

``… [SECONDS [SEED]] [keep]``, by default 60 s from a random seed: reports of other tools, advisories, bills of
materials, descriptions of data, plans, forms, questions of other programs, keys and answers of devices, copies of a
node, answers of hubs and registries. ``searching`` says what is promised of each. Linux: files go through memory.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks import searching
from watchword.account import osv
from watchword.catalog import documents
from watchword.data import croissant
from watchword.evaluate import plan
from watchword.evaluate.imports import descriptions, garak, inspect_ai, promptfoo, pyrit, read_report, report, scanners
from watchword.fleet import registry, web
from watchword.fleet.hub import BadHub
from watchword.gate import authzen
from watchword.limits import AUTHZEN_BYTES_MAX, KUBERNETES_REVIEW_BYTES_MAX
from watchword.node import backup, home
from watchword.statements import canonical, digests, passkeys, purl, versions
from watchword.web.console import forms
from watchword.web.kubernetes import review

_MODULES = (
    osv, documents, croissant, plan, descriptions, garak, inspect_ai, promptfoo, pyrit, report, scanners, registry, web,
    authzen, backup, home, canonical, passkeys, purl, versions, forms, review,
)  # fmt: skip
WATCHED = frozenset(module.__file__ for module in _MODULES)
PIECES = [
    *(b"{", b"}", b"[", b"]", b'"', b":", b",", b"null", b"true", b"1e9", b"-1", b"0.5", b'"\\ud800"', b"\0", b"\xff"),
    *(b"\n", b"\r\n", b"---\n", b"- ", b"  ", b"&a ", b"*a", b"!!python/object:x", b"=", b"[" * 2_000, b"{" * 2_000),
    *(b"9" * 4_400, b"%00", b"%ff", b"&", b"--x", b"name=", b"sha256:" + b"0" * 64, b"a = ", b"[a.b]\n", b"1979-05-27"),
    *(b"model-index:\n", b"PK\3\4", b"pkg:pypi/x@1", b"SEMVER", b"introduced", b"1.0.0-rc.1", b"<a href=", b"/", b".."),
]  # fmt: skip


def _report(path: Path) -> None:
    json.dumps(read_report(path).to_json())


def _advisories(path: Path) -> None:
    for advisory in osv.read_advisories(path):
        for wanted in osv.wanted_of(advisory):
            wanted.affects("1.2.3")
            wanted.affects("")


def _plan(data: bytes) -> None:
    found = plan.parse_toml(data, "x", "sha256:" + "0" * 64, "sha256:" + "1" * 64)
    plan.lint(found)
    found.method()
    found.capability()
    canonical.canonical(found.value())


def _form(data: bytes) -> None:
    kind, _, body = data.partition(b"\n")
    forms.fields_of(kind.decode("latin-1"), body)


def _question(data: bytes) -> None:
    value = canonical.parse_json(data, "x", AUTHZEN_BYTES_MAX)
    if isinstance(value, dict):
        authzen.semantic(value)
        for one in authzen.items(value) or [value]:
            canonical.canonical(authzen.parse_asked(one).args)
        authzen._page(value.get("page"))


def _admission(data: bytes) -> None:
    json.dumps(review.answer(review.read(canonical.parse_json(data, "x", KUBERNETES_REVIEW_BYTES_MAX)), ["x"]))


def _assertion(data: bytes) -> None:
    value = canonical.parse_canonical(data, "x")
    names = ("authenticator_data", "charter", "client_data", "credential", "signature")
    if isinstance(value, dict) and all(isinstance(value.get(name), str | None) for name in names):
        assertion = {"assertion": dict.fromkeys(names, "") | value}
        passkeys.verify_assertion(passkeys.read_passkey(_PASSKEY), "sha256:x", _SAID | assertion)


def _copy(data: bytes) -> None:
    """A copy whose seal fits: whoever changes one can make that as well."""
    sealed = data + hashlib.sha256(data).hexdigest().encode() + b"\n"
    with tempfile.TemporaryDirectory(dir=searching.MEMORY) as folder:
        path = Path(folder, "copy")
        path.write_bytes(sealed)
        backup.restore(path, Path(folder, "home"))


def _answering(data: bytes, run: Callable[[], object]) -> None:
    """*run*, while every request is answered with *data*."""

    def answer(
        url: str, headers: Mapping[str, str], bytes_max: int, *_: Any, **__: Any
    ) -> tuple[dict[str, str], bytes]:
        return {"status": "200", "Content-Length": "1"}, data[:bytes_max]

    with mock.patch.object(registry, "ask", answer), mock.patch.object(web, "ask", answer):
        run()


def _tags(data: bytes) -> None:
    _answering(data, lambda: list(registry.tagged("oci://r.example/x")))


def _manifest(data: bytes) -> None:
    _answering(data, lambda: registry._listing("r.example", "x", "t"))
    _answering(data, lambda: registry.manifests_under(registry.artefact("oci://r.example/x:t")))


def _token(data: bytes) -> None:
    challenge, _, body = data.partition(b"\n")
    _answering(body, lambda: _as_callers(lambda: registry._secret("r.example", "x", challenge.decode("latin-1"))))


def _links(data: bytes) -> None:
    _as_callers(lambda: web._links(data.decode("utf-8", "replace")))


def _as_callers(run: Callable[[], object]) -> None:
    """*run*; that something is not served its callers translate."""
    try:
        run()
    except web.NotServed as error:
        raise BadHub(str(error)) from error


def _card(data: bytes) -> None:
    passkeys.card_of(data)


def _passkey(data: bytes) -> None:
    passkeys.read_passkey(data)


def _document(data: bytes) -> None:
    documents.components_of(data)


PARSERS: dict[str, searching.Parser] = {
    "report": searching.in_file(_report), "advisories": searching.in_file(_advisories),
    "document": _document, "croissant": searching.in_file(croissant.read_croissant), "plan": _plan,
    "form": _form, "question": _question, "admission": _admission, "passkey": _passkey, "card": _card,
    "assertion": _assertion, "copy": _copy, "tags": _tags, "manifest": _manifest, "token": _token, "links": _links,
}  # fmt: skip

_PASSKEY = canonical.canonical({
    "alg": -8, "id": "AAAAAAAAAAAAAAAAAAAAAA==", "origin": "https://gate.alfa.example",
    "key": "pAEBAycgBiFYIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
})  # fmt: skip


_SAID = dict.fromkeys(passkeys.BOUND, "x")


def _answer_of_device() -> bytes:
    """Right in all but its signature."""
    asked = digests.b64url(passkeys.challenge("sha256:x", _SAID, "x"))
    client = f'{{"type":"webauthn.get","challenge":"{asked}","origin":"https://gate.alfa.example","crossOrigin":false}}'
    data = hashlib.sha256(b"gate.alfa.example").digest() + b"\x05\0\0\0\1"
    return canonical.canonical({
        "authenticator_data": digests.b64(data), "charter": "x", "client_data": digests.b64(client.encode()),
        "credential": "AAAAAAAAAAAAAAAAAAAAAA==", "signature": digests.b64(bytes(64)),
    })  # fmt: skip


def seeds() -> dict[str, list[bytes]]:
    """Honest inputs of each parser."""
    return {
        "report": _reports(),
        "advisories": [_json(_ADVISORY), _json([_ADVISORY])],
        "document": [_json({"bomFormat": "CycloneDX", "components": [
            {"name": "x", "version": "1", "purl": "pkg:pypi/x@1", "hashes": [{"alg": "SHA-256", "content": "0" * 64}],
             "components": [{"name": "y"}]},
        ]})],
        "croissant": [_json(_CROISSANT)],
        "plan": [_PLAN],
        "form": [
            b"application/x-www-form-urlencoded\na=b&c=%20d",
            b"multipart/form-data; boundary=x\n--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n",
        ],
        "question": [_json(_QUESTION), _json(_QUESTION | {"evaluations": [{}, {"action": {"name": "b"}}]})],
        "admission": [_json({"apiVersion": review.VERSION, "kind": "AdmissionReview", "request": {
            "uid": "u", "kind": {"group": "apps", "kind": "Deployment"}, "operation": "UPDATE", "name": "n",
            "object": {"spec": {"template": {"spec": {"containers": [{"image": "r.example/x:1"}], "volumes": [
                {"image": {"reference": "r.example/y:1"}}]}}}},
            "oldObject": {"spec": {"template": {"spec": {"containers": [{"image": "r.example/x:0"}]}}}},
        }})],
        "passkey": [_PASSKEY],
        "card": [_CARD, b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA" + b"A" * 43 + b"=\n-----END PUBLIC KEY-----\n"],
        "assertion": [_answer_of_device()],
        "copy": [_backup()],
        "tags": [b'{"name":"x","tags":["1.0","latest"]}'],
        "manifest": [_json({"schemaVersion": 2, "config": {"digest": registry.EMPTY, "size": 2}, "layers": [
            {"digest": "sha256:" + "0" * 64, "size": 3, "annotations": {"org.opencontainers.image.title": "a/b"}},
        ]}), _json({"manifests": [{"digest": "sha256:" + "0" * 64}]})],
        "token": [b'Bearer realm="https://r.example/token",service="r",scope="s"\n{"token":"abc"}'],
        "links": [b'<html><a href="./x.bin">x</a><a href="sub/">s</a><!-- c --><a href=y%20z>'],
    }  # fmt: skip


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


_ADVISORY: dict[str, Any] = {
    "id": "GHSA-1", "aliases": ["CVE-1"], "summary": "s", "schema_version": "1.7.0",
    "affected": [
        {"package": {"ecosystem": "PyPI", "name": "x", "purl": "pkg:pypi/x"}, "versions": ["1.0"],
         "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2"}, {"last_affected": "3"}]}]},
        {"package": {"ecosystem": "Maven", "name": "a:b"},
         "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]},
    ],
}  # fmt: skip
_CROISSANT: dict[str, Any] = {
    "@context": {"@vocab": "https://schema.org/"}, "@type": "sc:Dataset", "name": "n", "version": "1.0",
    "conformsTo": "http://mlcommons.org/croissant/1.1", "recordSet": [],
    "distribution": [{"@type": "cr:FileObject", "@id": "a", "contentUrl": "a.csv", "sha256": "0" * 64, "name": "a"}],
}  # fmt: skip
_QUESTION: dict[str, Any] = {
    "subject": {"type": "agent", "id": "a", "properties": {"p": 1}}, "action": {"name": "move", "properties": {}},
    "resource": {"type": "r", "id": "1"}, "context": {"c": [1]}, "page": {"limit": 3, "token": "2"},
    "options": {"evaluations_semantic": "execute_all"},
}  # fmt: skip
_CARD = bytes.fromhex(
    "3059301306072a8648ce3d020106082a8648ce3d030107034200046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898"
    "c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)
"""The generator of P-256 as a SubjectPublicKeyInfo."""
_PLAN = b"""name = "sums"
n = 20
[subject]
interface = "python"
entry = "model.py:load"
[data]
form = "arrays"
select = "all"
rule = "all of it"
[threat]
goal = "any other class"
knowledge = "white box"
norm = "Linf"
eps = "0.1"
units = "of range 1"
adaptive = false
[attack]
name = "pgd"
library = "watchword"
parameters = {low = "-1", steps = 10}
[metric]
name = "robust-accuracy"
threshold = "0.5"
estimand = "this set"
"""


def _reports() -> list[bytes]:
    """One of each form that is read."""
    row = {
        "entry_type": "eval",
        "probe": "p",
        "detector": "d",
        "passed": 3,
        "fails": 1,
        "nones": 0,
        "total_processed": 4,
    }
    started = {"entry_type": "init", "garak_version": "0.17"}
    log = {
        "version": 2, "status": "success", "eval": {"task": "t", "model": "m", "dataset": {"samples": 1}},
        "results": {"total_samples": 1, "completed_samples": 1}, "samples": [
            {"id": 1, "scores": {"match": {"value": "C"}}, "error": None}],
    }  # fmt: skip
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("header.json", _json({key: value for key, value in log.items() if key != "samples"}))
        archive.writestr("samples/1.json", _json(log["samples"][0]))  # type: ignore[index]
    return [
        b"\n".join(map(_json, (started, row, {"entry_type": "completion"}))) + b"\n",
        _json(log), zipped.getvalue(), _json(_ADVISORY), _json(_CROISSANT),
        _json({"evalId": "e", "config": {}, "results": {"version": 3,
            "stats": {"successes": 1, "failures": 0, "errors": 0},
            "results": [{"success": True, "failureReason": 0, "provider": {"id": "p"},
            "metadata": {"pluginId": "x"}}]}}),
        _json([{"conversation_id": "c", "outcome": "success", "objective": "o",
            "attack_identifier": {"__type__": "a"}}]),
        b"conversation_id,outcome,objective\na,success,b\nc,failure,d\n",
        _json({"summary": {"total_issues": 1, "modelscan_version": "0.8",
            "scanned": {"total_scanned": 1}, "skipped": {}},
            "issues": [{"severity": "CRITICAL", "module": "os", "operator": "system", "source": "a.pkl",
                "description": "d"}],
            "errors": []}),
        _json({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t", "version": "1", "rules": [
            {"id": "r", "properties": {"security-severity": "9.8"}}]}}, "invocations": [{"executionSuccessful": True}],
            "results": [{"ruleId": "r", "ruleIndex": 0, "level": "error", "kind": "fail", "message": {"text": "m"},
                "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a"}}}]}]}]}),
        _json({"SchemaVersion": 2, "ArtifactName": "a", "Results": [{"Target": "t", "Class": "c", "Vulnerabilities": [
            {"VulnerabilityID": "CVE-1", "PkgName": "x", "InstalledVersion": "1", "Severity": "HIGH",
            "Title": "t"}]}]}),
        _json({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "machine-learning-model",
            "name": "m", "modelCard": {"quantitativeAnalysis": {"performanceMetrics": [{"type": "a", "value": "0.9",
            "confidenceInterval": {"lowerBound": "0.8", "upperBound": "1"}}]}}}]}),
        _json({"gid": "g", "cid": "c", "version": "1", "startTime": "s", "timeTaken": 1, "testArguments": {},
            "output": {"a": 1}}),
        b"---\nmodel-index:\n- name: m\n  results:\n  - task: {type: t}\n"
        b"    dataset: {name: d, type: d}\n    metrics:\n"
        b"    - type: acc\n      value: 0.9\n---\n# m\n",
    ]  # fmt: skip


def _backup() -> bytes:
    """A copy of a node of two files, without its seal."""
    about = {
        "format": backup.FORMAT,
        "kind": "member",
        "member": "ALFA",
        "moves": False,
        "taken": "2026-09-21T14:13:20Z",
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in (
            (backup._ABOUT, canonical.canonical(about)),
            ("home/node.toml", b'format = 1\nkind = "member"\nname = "ALFA"\n'),
            ("home/charter.json", b"{}"),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def searched() -> searching.Searched:
    return searching.Searched("outside", PARSERS, seeds(), WATCHED, PIECES)


if __name__ == "__main__":
    sys.exit(searching.main(searched))

"""Who may read a decision learns what it was for; nobody else, and nothing that no decision names is kept."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from alliance import make_alliance, quick_disk

from watchword.ledger.bundle import encode, parse_bundle
from watchword.policy.admission import admit
from watchword.statements.digests import DJ
from watchword.statements.statement import Subject
from watchword.statements.times import rfc3339

RELEASE = Subject("mailsort 1.0", "sha256:" + "9c" * 32)
USE: dict[str, Any] = {
    "format": "watchword-use-case/1", "name": "mail", "purpose": "", "criticality": 0, "human": "on",
    "members": [], "owner": "ALFA", "tags": [],
}  # fmt: skip


def test_a_use_case_travels_with_its_decision_and_with_no_other(tmp_path: Path) -> None:
    """One of scope alliance arrives; one of scope own does not leave; one that nobody names is not kept.

    Seen to fail with the names not compared: the planted object was kept.
    """
    with quick_disk():
        nodes = make_alliance(tmp_path / "alliance", ("ALFA", "BRAVO")).nodes
        alfa, bravo = nodes["ALFA"], nodes["BRAVO"]
        view, now = alfa.latest_view(), rfc3339(alfa.clock.now())
        own = USE | {"name": "kept-at-home"}
        for use, scope in ((USE, "alliance"), (own, "own")):
            made = admit(alfa.charter, view, alfa.facts(view), now, RELEASE, use)
            alfa.record_decision(made.decision, made.objects, scope=scope)
        path = tmp_path / "a.wwx.json"
        alfa.export("BRAVO", path)
        assert b"kept-at-home" not in path.read_bytes()
        planted = USE | {"name": "planted"}
        bundle = parse_bundle(path.read_bytes().removesuffix(b"\n"), "a")
        bundle = dataclasses.replace(bundle, objects=(*bundle.objects, planted))
        path.write_bytes(encode(bundle) + b"\n")
        assert "planted" in json.dumps(list(bundle.objects))
        bravo.import_bundle(path)
        kept = [bravo.store.object(DJ(value)) for value in (USE, own, planted)]
        assert kept == [USE, None, None]
        for node in nodes.values():
            node.close()

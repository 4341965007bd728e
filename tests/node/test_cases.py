"""Who may read a decision learns what it was for; nobody else, and nothing that no decision names is kept."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from alliance import MAIL, RELEASE, make_alliance, quick_disk

from watchword.ledger.bundle import encode, parse_bundle
from watchword.policy.admission import admit
from watchword.statements.digests import DJ
from watchword.statements.times import rfc3339


def test_a_use_case_travels_with_its_decision_and_with_no_other(tmp_path: Path) -> None:
    """One of scope alliance arrives; one of scope own does not leave; one that nobody names is not kept.

    Seen to fail with the names not compared: the planted object was kept.
    """
    with quick_disk():
        nodes = make_alliance(tmp_path / "alliance", ("ALFA", "BRAVO")).nodes
        alfa, bravo = nodes["ALFA"], nodes["BRAVO"]
        view, now = alfa.latest_view(), rfc3339(alfa.clock.now())
        own = MAIL | {"name": "kept-at-home"}
        for use, scope in ((MAIL, "alliance"), (own, "own")):
            made = admit(alfa.charter, view, alfa.facts(view), now, RELEASE, use)
            alfa.record_decision(made.decision, made.objects, scope=scope)
        path = tmp_path / "a.wwx.json"
        alfa.export("BRAVO", path)
        assert b"kept-at-home" not in path.read_bytes()
        planted = MAIL | {"name": "planted"}
        bundle = parse_bundle(path.read_bytes().removesuffix(b"\n"), "a")
        bundle = dataclasses.replace(bundle, objects=(*bundle.objects, planted))
        path.write_bytes(encode(bundle) + b"\n")
        assert "planted" in json.dumps(list(bundle.objects))
        bravo.import_bundle(path)
        kept = [bravo.store.object(DJ(value)) for value in (MAIL, own, planted)]
        assert kept == [MAIL, None, None]
        for node in nodes.values():
            node.close()

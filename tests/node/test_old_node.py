"""A node between newer ones: it keeps, passes on and cosigns what it does not know, and decides nothing on it."""

from __future__ import annotations

import json
import tomllib
from base64 import b64decode
from pathlib import Path

import pytest
from alliance import RELEASE, Alliance, inspection, make_alliance, quick_disk
from node.test_proofs import by_script, decision, proven

from watchword import __version__
from watchword.charter.charter import BadCharter, CharterFile, parse_charter, parse_charter_file
from watchword.ledger import leaves
from watchword.ledger.leaves import BadLeaf, Leaf
from watchword.node import Node, NoHome
from watchword.node.examining import examine
from watchword.node.home import read_home
from watchword.policy.pack import read_pack
from watchword.policy.table import crossed, findings
from watchword.statements import dsse
from watchword.statements.canonical import canonical
from watchword.statements.digests import blinded, commitment, sha256
from watchword.statements.times import rfc3339

TARGET = f"release:{RELEASE.digest}"
NEWER = "urn:watchword:recall:v2"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Alliance:
    """Three members whose charter asks for one inspection, which there is."""
    pack = read_pack(None)
    rows = [row for row in pack.requirements if row["id"] == "inspected"]
    with quick_disk():
        made = make_alliance(
            tmp_path_factory.mktemp("old") / "alliance", ("ALFA", "BRAVO", "CHARLIE"), requirements=rows,
            red_lines=pack.red_lines, standing=pack.standing,
        )  # fmt: skip
        made.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
        made.sync()
        made.close()
    return made


def of_a_newer_kind(alliance: Alliance, by: str = "ALFA", kind: str = NEWER) -> bytes:
    """An envelope as a newer node's official signs it: fields that nobody here has heard of."""
    payload = canonical({
        "_type": "https://in-toto.io/Statement/v1",
        "predicate": {
            "after": None, "issuer": by, "made": rfc3339(alliance.clock.now()), "scope": "alliance",
            "target": TARGET, "why": {"code": 7},
        },
        "predicateType": kind,
        "subject": [{"digest": {"sha256": sha256(TARGET.encode()).hex()}, "name": "notice"}],
    })  # fmt: skip
    key = alliance.nodes[by].keys.person("official")
    signature = dsse.Signature(key.public.id, key.sign(dsse.pae(dsse.IN_TOTO, payload)))
    return dsse.encode(dsse.Envelope(payload, dsse.IN_TOTO, (signature,)))


def filed(alliance: Alliance, envelope: bytes, use: str = "notices", by: str = "ALFA") -> None:
    """What a newer node does: the body under a leaf of the ledger of *use*, in ``notices`` under the release's name."""
    here = alliance.nodes[by]
    salt = b"\x07" * 32
    here.bodies.put_many([(salt, envelope)])
    name = blinded(alliance.secret, TARGET) if use == "notices" else None
    here.store.own(use).append([leaves.encode(use, Leaf(commitment(salt, envelope), name))])
    here.publish()


def test_bad_news_of_a_newer_kind_refuses_what_it_names(alliance: Alliance) -> None:
    """A notice that an old node cannot read may be a recall: it counts as the worst, in both verifiers alike.

    Fails where ``_is_unread`` is False, and in verify.py where an unknown kind is listed as without standing: admitted.
    """
    before = decision(alliance, "BRAVO")
    filed(alliance, of_a_newer_kind(alliance))
    alliance.sync()
    after = decision(alliance, "BRAVO")
    alliance.sync()
    bravo = alliance.nodes["BRAVO"]
    verdicts = [bravo.locate(one.id).signed.statement.predicate["decision"] for one in (before, after)]
    assert [one["verdict"] for one in verdicts] == ["admitted", "refused"]
    assert verdicts[1]["notices"] == [
        {"index": 0, "kind": "unheld", "name": TARGET, "origin": "alfa.example/notices", "statement": None}
    ]
    data = bravo.make_proof([before.id, after.id])
    proven(alliance, data)
    code, said = by_script(alliance, data)
    assert code == 0, said


@pytest.mark.parametrize("use", ["ledger", "notices"])
def test_what_is_not_known_is_kept_cosigned_and_passed_on(alliance: Alliance, use: str) -> None:
    """BRAVO takes it from ALFA, cosigns the head that it stands under, and CHARLIE gets it whole from BRAVO alone."""
    envelope = of_a_newer_kind(alliance, kind="urn:watchword:horoscope:v1")
    filed(alliance, envelope, use)
    alliance.carry("ALFA", "BRAVO")
    alliance.nodes["BRAVO"].publish()
    alliance.carry("BRAVO", "CHARLIE")
    charlie = alliance.nodes["CHARLIE"]
    index = charlie.store.log(f"alfa.example/{use}").size - 1
    held = charlie.store.held(charlie.store.leaves(f"alfa.example/{use}")[index].commitment)
    assert held is not None
    assert held.signed.envelope == envelope
    assert held.holder is None
    names = {name for head in charlie.heads() if head.origin == f"alfa.example/{use}" for name, _ in head.witnesses}
    assert {"alfa.example/witness", "bravo.example/witness"} <= names
    charlie.check()


def test_a_kind_that_is_no_notice_here_changes_no_decision(alliance: Alliance) -> None:
    """Evidence of a newer kind never counts, for or against."""
    filed(alliance, of_a_newer_kind(alliance, kind="urn:watchword:horoscope:v1"), "ledger")
    alliance.sync()
    made = alliance.nodes["BRAVO"].locate(decision(alliance, "BRAVO").id).signed.statement.predicate["decision"]
    assert (made["verdict"], made["notices"]) == ("admitted", [])


def test_a_file_with_loose_news_of_a_newer_kind_is_taken_in_all_the_same(alliance: Alliance, tmp_path: Path) -> None:
    """What is known in it counts; the rest is told, with what to do. Fails where the whole file is refused."""
    alfa, bravo = alliance.nodes["ALFA"], alliance.nodes["BRAVO"]
    alliance.recall("ALFA", TARGET)
    alfa.export("BRAVO", tmp_path / "file")
    value = json.loads((tmp_path / "file").read_bytes())
    value["loose"] = sorted(
        [*value["loose"], json.loads(of_a_newer_kind(alliance))],
        key=lambda one: sha256(b64decode(one["payload"])),
    )
    (tmp_path / "file").write_bytes(canonical(value) + b"\n")
    imported = bravo.import_bundle(tmp_path / "file")
    assert imported.unread == (NEWER,)
    assert f"{NEWER}, which needs a newer watchword than {__version__}" in imported.told()
    made = bravo.locate(decision(alliance, "BRAVO").id).signed.statement.predicate["decision"]
    assert made["verdict"] == "refused"


def test_doctor_says_that_an_upgrade_is_needed(alliance: Alliance) -> None:
    """Whoever keeps the machine hears of it before an official wonders at a refusal."""
    filed(alliance, of_a_newer_kind(alliance))
    alliance.sync()
    found = {one.about: one for one in examine(alliance.home("BRAVO"), {}, alliance.clock)}
    assert found["versions"].state == "look"
    assert NEWER in found["versions"].what
    assert found["versions"].mend.startswith("upgrade watchword")


@pytest.mark.parametrize("entry", [b"\x05" + bytes(32), b"\x05" + bytes(64), b"\x02" + bytes(96), b"\x01", b""])
def test_a_leaf_of_another_version_stops_its_ledger_and_says_what_to_do(entry: bytes) -> None:
    """Nothing past it is mirrored or cosigned, so the ledger goes stale here and nothing is decided on it."""
    with pytest.raises(BadLeaf) as told:
        leaves.parse("ledger", entry)
    assert "upgrade this one" in told.value.hint


def test_a_red_line_about_a_kind_that_is_not_known_is_crossed(alliance: Alliance) -> None:
    """A charter of newer members forbids what is shown by a new kind of evidence; an old node cannot rule it out.

    Fails where an unknown kind counts as not found.
    """
    value = alliance.charter_file.charter.value
    line = {
        "id": "no-drift", "text": "No release that drifts.", "forbid": [], "accountable": "official",
        "evidence": {"kind": "drift-watch", "where": []}, "principle": ["D"], "serves": [],
    }  # fmt: skip
    charter = parse_charter(value | {"red_lines": [line]})
    assert findings(charter, [], []) == {"no-drift": 1}
    assert crossed(charter.red_lines[0], {}, findings(charter, [], []))
    known = parse_charter(value | {"red_lines": [line | {"evidence": {"kind": "review", "where": []}}]})
    assert findings(known, [], []) == {"no-drift": 0}


@pytest.mark.parametrize(
    ("change", "said"), [({"suite": 2}, "suite 2 is not known here"), ({"format": "watchword-charter/2"}, "expected")]
)
def test_a_charter_of_a_newer_form_is_refused_and_says_so(
    alliance: Alliance, change: dict[str, object], said: str
) -> None:
    """No guessing at what a field means: a newer watchword can decide under it."""
    value = json.loads(CharterFile(alliance.charter_file.charter, ()).encode())
    value["charter"] |= change
    with pytest.raises(BadCharter, match=said) as told:
        parse_charter_file(canonical(value) + b"\n")
    assert "newer watchword" in told.value.hint


def test_a_home_of_a_newer_watchword_is_not_touched(alliance: Alliance) -> None:
    """It says which watchword made it, and every file stays as it was."""
    home = alliance.home("BRAVO")
    alliance.nodes["BRAVO"].close()
    text = (home / "node.toml").read_text("utf-8")
    assert tomllib.loads(text)["watchword"] == __version__
    newer = text.replace("format = 2", "format = 3").replace(f'"{__version__}"', '"0.9.0"')
    (home / "node.toml").write_text(newer, "utf-8")
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    for what in (lambda: read_home(home), lambda: Node.open(home, clock=alliance.clock)):
        with pytest.raises(NoHome, match=r"format 3, made by watchword 0\.9\.0") as told:
            what()
        assert told.value.hint == "upgrade watchword; nothing here was touched"
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before

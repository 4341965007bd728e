"""Proofs re-checked by verify.py: honest ones hold, and each attack is found in its step and named."""

import base64
import copy
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import rfc8785

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def whole(story):
    """An honest proof: one admitted release, one approved action, an anchored record."""
    tale = story().evidence()
    tale.decide()
    return tale.release()


@pytest.fixture
def bundle(whole):
    """A copy of the honest bundle, to be spoilt."""
    return copy.deepcopy(whole.bundle())


@pytest.fixture(scope="module")
def alone(story):
    """The same in an alliance of one, where the quorum is not the point: a sixth of the signatures."""
    tale = story(members=("ALFA",)).evidence()
    tale.decide()
    return tale.release(approvals=1)


@pytest.fixture
def small(alone):
    """A copy of that bundle, to be spoilt."""
    return copy.deepcopy(alone.bundle())


def refused(verify, tale, bundle, step, match, at=None):
    """The proof is refused in this step, for this reason."""
    with pytest.raises(verify.Refused, match=match) as caught:
        tale.check(bundle, at)
    assert str(caught.value).startswith(f"step {step}, ")


def part(bundle, origin):
    """The part of the bundle about one ledger."""
    return next(ledger for ledger in bundle["ledgers"] if ledger["origin"] == origin)


def test_honest_proof_holds_and_says_what_and_why(whole):
    """Verdict, requirement counts, absence of notices and who approved are as they happened, by hand-written values."""
    report = whole.check()
    assert report["verdict"] == "verified"
    [decision] = report["decisions"]
    assert decision["verdict"] == "admitted"
    rows = {row["id"]: (row["state"], row["there"], row["from"]) for row in decision["requirements"]}
    assert rows == {
        "claim": ("met", 1, ["Aquila"]),
        "inspections": ("met", 3, ["ALFA", "BRAVO", "CHARLIE"]),
        "bill": ("met", 1, ["Aquila"]),
        "legal": ("does not apply", 0, []),
    }
    assert report["names"]["notices"] == []
    assert "model:resnet" in report["names"]["names"] and "supplier:Aquila" in report["names"]["names"]
    [release] = report["releases"]
    assert release["approved_by"] == ["ben@ALFA of ALFA", "ben@BRAVO of BRAVO"]
    assert report["ratified_by"] == ["ALFA", "BRAVO", "CHARLIE"]


# -- step 1: the charter


def test_charter_without_quorum_is_not_in_force(verify, story):
    """Two of three ratifications are not enough; fails when the quorum is not counted."""
    tale = story()
    tale.a.ratifications.pop()
    with pytest.raises(verify.Refused, match=r"step 1.*ratified by 2 operators.*needs 3"):
        verify.verify_proof(tale.a.charter_file(), b"{}", 0)


def test_two_members_of_one_operator_ratify_once(verify, story):
    """Quorums count operators, not names; fails when members are counted."""
    tale = story(operators={"BRAVO": "ALFA"}, changes={"quorum": {"faulty": 0, "ratify": 3, "witness": 2}})
    with pytest.raises(verify.Refused, match=r"ratified by 2 operators"):
        verify.read_charter(tale.a.charter_file())


def test_ratification_by_a_people_key_is_refused(verify, story):
    """Only root keys put a charter in force, even where standing says otherwise; fails without the rule of §3."""
    tale = story()
    standing = tale.a.charter["standing"] | {"ratification": ["root", "assessor"]}
    tale = story(changes={"standing": standing})
    tale.a.ratifications[0] = tale.a.ratify("ALFA", tale.a.keys["ALFA", "ada"])
    with pytest.raises(verify.Refused, match=r"ratification 0.*not signed with a root key"):
        verify.read_charter(tale.a.charter_file())


def test_ratification_of_another_charter_is_refused(verify, story):
    """A signature over charter A does not put charter B in force."""
    other, tale = story(changes={"alliance": "Other"}), story()
    tale.a.ratifications = other.a.ratifications
    with pytest.raises(verify.Refused, match=r"does not ratify"):
        verify.read_charter(tale.a.charter_file())


@pytest.mark.parametrize(
    ("quorum", "reason"),
    [
        ({"faulty": 1, "ratify": 3, "witness": 2}, "no honest operator"),
        ({"faulty": 0, "ratify": 3, "witness": 1}, "no honest operator"),
        ({"faulty": -9, "ratify": 3, "witness": 1}, "faulty"),
        ({"faulty": 0, "ratify": True, "witness": 3}, "ratify"),
    ],
)
def test_quorum_that_does_not_intersect_is_refused(verify, story, quorum, reason):
    """2k - M > f, and no number below zero to cheat it with; fails when either is not checked."""
    with pytest.raises(verify.Refused, match=reason):
        verify.read_charter(story(changes={"quorum": quorum}).a.charter_file())


def test_ratification_by_nobody_is_refused(verify, story):
    """A charter that asks for no ratification is not in force by itself."""
    tale = story(changes={"quorum": {"faulty": 1, "ratify": 0, "witness": 3}})
    tale.a.ratifications = []
    with pytest.raises(verify.Refused, match=r"needs 1"):
        verify.read_charter(tale.a.charter_file())


def spoil_key_id(value):
    value["members"][0]["keys"][0]["id"] = "sha256:" + "0" * 64


def repeat_a_key(value):
    value["members"][1]["keys"][-1] = value["members"][0]["keys"][-1]


def repeat_half_a_key(value):
    value["members"][1]["keys"][0]["mldsa"] = value["members"][0]["keys"][0]["mldsa"]


def repeat_an_origin(value):
    value["members"][1]["origins"]["ledger"] = "alfa.example/ledger"


def repeat_a_name(value):
    value["suppliers"][0]["name"] = "ALFA"


def no_gate_key(value):
    keys = value["members"][0]["keys"]
    keys.remove(next(key for key in keys if key["job"] == "gate"))


def short_key(value):
    """A truncated key, under the id that it would have."""
    key = value["members"][0]["keys"][0]
    mldsa = base64.b64decode(key["mldsa"])[:-320]
    half = base64.b64decode(key["ed25519"])
    key["mldsa"] = base64.b64encode(mldsa).decode()
    key["id"] = "sha256:" + hashlib.sha256(b"watchword/key/v1\n\x01\x41" + half + mldsa).hexdigest()


def two_root_keys(value):
    """The gate's key under another job: its own, and good."""
    gate = next(key for key in value["members"][0]["keys"] if key["job"] == "gate")
    value["members"][0]["keys"].append(value["suppliers"][0]["keys"].pop() | {"job": "root"})
    gate["job"] = "gate"


def role_named_root(value):
    next(key for key in value["members"][0]["keys"] if key["job"] == "people")["roles"] = ["root"]


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_key_id, repeat_a_key, repeat_half_a_key, repeat_an_origin, repeat_a_name, no_gate_key, two_root_keys,
        short_key, role_named_root, lambda value: value.update(suite=2), lambda value: value.update(more=1),
        lambda value: value.pop("secret"), lambda value: value.update(format="watchword-charter/2"),
        lambda value: value.update(made="2026-02-30T00:00:00Z"),
    ],
)  # fmt: skip
def test_ambiguous_or_unknown_charter_is_refused(verify, story, spoil):
    """Each makes a charter that two readers could read differently; each fails when its check is removed."""
    tale = story()
    spoil(tale.a.charter)
    tale.a.digest = tale.b.digest(rfc8785.dumps(tale.a.charter))
    tale.a.ratifications = [tale.a.ratify(name) for name in tale.a.members]
    with pytest.raises(verify.Refused) as caught, verify.naming("charter"):
        verify.read_charter(tale.a.charter_file())
    assert "not in force" not in str(caught.value) and "not one of the charter" not in str(caught.value)


# -- step 2: the bundle


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"charter": "sha256:" + "0" * 64}, "made for charter"),
        ({"from": "ECHO"}, "no member"),
        ({"alliance_secret": "AAAA"}, "alliance.secret"),
        ({"format": "watchword-bundle/2"}, "format"),
        ({"more": 1}, "unknown fields"),
        ({"decisions": ["sha256:zz"]}, "digest"),
        ({"as_of": "yesterday"}, "time"),
        ({"ledgers": [1]}, "not an object"),
        ({"names": {}}, "not a list"),
        ({"bodies": [[]]}, "is not object"),
    ],
)
def test_bundle_of_another_form_or_charter_is_refused(verify, alone, small, change, reason):
    """The small says which charter it is for, and has no field that is not understood."""
    refused(verify, alone, small | change, 2, reason)


def test_bundle_with_white_space_is_refused(verify, alone, small):
    """One small has one spelling; a line feed at the end is all that may be added."""
    data = json.dumps(small, ensure_ascii=False).encode()
    with pytest.raises(verify.Refused, match=r"canonical"):
        verify.verify_proof(alone.a.charter_file(), data, alone.a.now)
    verify.verify_proof(alone.a.charter_file(), rfc8785.dumps(small) + b"\n", alone.a.now)


# -- step 3: heads


def test_forged_head_is_found_and_named(verify, whole, bundle):
    """A head of the owner's own making, past what witnesses signed; fails when signatures are not verified."""
    ledger = part(bundle, "bravo.example/ledger")
    ledger["checkpoint"] = ledger["checkpoint"].replace("bravo.example/ledger\n2\n", "bravo.example/ledger\n1\n", 1)
    refused(verify, whole, bundle, 3, r"bravo\.example/ledger.*type 01.*does not verify")


def test_head_below_the_witness_quorum_is_refused(verify, whole, bundle):
    """Two of three witnesses are not the quorum; fails when cosignatures are not counted."""
    note = whole.a.head("bravo.example/ledger", witnesses=("ALFA", "BRAVO"))
    part(bundle, "bravo.example/ledger")["checkpoint"] = note
    refused(verify, whole, bundle, 3, r"cosigned by 2 operators \(ALFA, BRAVO\), needs 3")


def test_witnesses_of_one_operator_count_once(verify, story):
    """Three witness keys run by two operators are two; fails when witnesses are counted."""
    tale = story(operators={"BRAVO": "ALFA"}, changes={"quorum": {"faulty": 0, "ratify": 2, "witness": 2}})
    proof, _ = verify.read_charter(tale.a.charter_file())
    with pytest.raises(verify.Refused, match=r"cosigned by 1 operators \(ALFA\)"):
        verify.check_head(
            proof, "alfa.example/ledger", tale.a.head("alfa.example/ledger", witnesses=("ALFA", "BRAVO")), tale.a.now
        )


def test_witness_with_half_a_cosignature_does_not_count(verify, whole, bundle):
    """Without the ML-DSA line of one witness the quorum is not there; fails when one half is enough."""
    ledger = part(bundle, "alfa.example/notices")
    lines = ledger["checkpoint"].splitlines(keepends=True)
    ledger["checkpoint"] = "".join(lines[:-1])
    refused(verify, whole, bundle, 3, r"cosigned by 2 operators")


def test_head_with_half_a_log_signature_is_refused(verify, alone, small):
    """Both signatures of the log are wanted, for a record, too; fails when one half is enough."""
    ledger = part(small, "alfa.example/record")
    ledger["checkpoint"] = "".join(ledger["checkpoint"].splitlines(keepends=True)[:-1])
    refused(verify, alone, small, 3, r"not signed by both keys of ALFA")


def test_cosigned_time_is_the_kth_newest_of_operators(verify, story):
    """Three operators at 10, 20, 30 seconds and k = 3: the time is 10; a second, newer line of one counts for it."""
    tale = story()
    a, origin = tale.a, "alfa.example/ledger"
    proof, _ = verify.read_charter(a.charter_file())
    note = a.head(origin, witnesses=())
    for second, name in ((10, "ALFA"), (20, "BRAVO"), (30, "CHARLIE")):
        note += "".join(a.head(origin, a.now + second, witnesses=(name,)).splitlines(keepends=True)[-2:])
    head = verify.check_head(proof, origin, note, a.now + 30)
    assert head.time_s == a.now + 10
    note += "".join(a.head(origin, a.now + 25, witnesses=("ALFA",)).splitlines(keepends=True)[-2:])
    assert verify.check_head(proof, origin, note, a.now + 30).time_s == a.now + 20


def test_cosignature_from_the_future_does_not_count(verify, whole, bundle):
    """A time more than 300 s ahead of the moment of judging is no time at all; fails when it is believed."""
    note = whole.a.head("alfa.example/notices", time_s=whole.a.now + 301)
    part(bundle, "alfa.example/notices")["checkpoint"] = note
    refused(verify, whole, bundle, 3, r"cosigned by 0 operators")
    whole.check(bundle, whole.a.now + 1)


def test_unknown_signature_lines_are_ignored_and_bad_known_ones_refuse(verify, whole, bundle):
    """As C2SP signed-note says; fails when a bad line of a known key is passed over."""
    ledger = part(bundle, "alfa.example/notices")
    honest = ledger["checkpoint"]
    ledger["checkpoint"] = honest + "— stranger.example/x AAAAAAAAAAAA\n"
    assert whole.check(bundle)["verdict"] == "verified"
    line = honest.splitlines()[-1]
    spoilt = line[:-6] + ("A" if line[-6] != "A" else "B") + line[-5:]
    ledger["checkpoint"] = honest + spoilt + "\n"
    refused(verify, whole, bundle, 3, r"type 06\) on the head at size 0: ML-DSA")


def test_older_head_that_is_not_extended_is_equivocation(verify, whole, bundle):
    """A head of another history, signed and cosigned, is refused beside this one; fails without the check."""
    leaves = whole.a.leaves["alfa.example/ledger"]
    honest = leaves[0]
    leaves[0] = b"\x01" + bytes(32)
    forged = whole.a.head("alfa.example/ledger", size=5)
    leaves[0] = honest
    earlier = part(bundle, "alfa.example/ledger")["earlier"]
    earlier.append({"checkpoint": forged, "path": [whole.b.b64(h) for h in whole.b.consistency(5, leaves)]})
    refused(verify, whole, bundle, 3, r"sizes 5 and 7 one does not extend the other")


def test_older_heads_stand_in_order_once(verify, alone, small):
    """One head of each size, the smallest first; fails when the order is not checked."""
    earlier = part(small, "alfa.example/ledger")["earlier"]
    earlier.append(copy.deepcopy(earlier[0]))
    refused(verify, alone, small, 3, r"earlier heads are out of order")


def test_time_past_what_the_specification_allows_is_refused(verify, alone, small):
    """A log line with a time of 2^63 is no line (tlog-cosignature), though it is signed."""
    origin = "alfa.example/record"
    part(small, origin)["checkpoint"] = alone.a.head(origin, time_s=1 << 63)
    refused(verify, alone, small, 3, r"a time past 2\^63")


# -- step 4: leaves


def test_one_flipped_bit_of_a_leaf_is_found_and_named(verify, story):
    """A notice's leaf changed, and nothing else; fails when the root is not recomputed."""
    tale = story(members=("ALFA",))
    tale.a.append("ALFA", "notices", {"envelope": tale.a.notice("recall", "ALFA", "model:other")}, "model:other")
    bundle = tale.bundle()
    ledger = part(bundle, "alfa.example/notices")
    [leaf] = ledger["leaves"]
    ledger["leaves"] = [leaf[:20] + ("A" if leaf[20] != "A" else "B") + leaf[21:]]
    refused(verify, tale, bundle, 4, r"alfa\.example/notices: the leaves give root")


def test_removed_recall_is_found_and_named(verify, story):
    """Leaving the recall's leaf out of the file does not fit the head; fails when leaves are not counted."""
    tale = story(members=("ALFA",))
    tale.a.append("ALFA", "notices", {"envelope": tale.a.notice("recall", "ALFA", "model:other")}, "model:other")
    bundle = tale.bundle()
    part(bundle, "alfa.example/notices")["leaves"] = []
    refused(verify, tale, bundle, 4, r"alfa\.example/notices: 0 leaves, the head says 1")


@pytest.mark.parametrize("spoil", ["index", "leaf", "path", "twice", "far"])
def test_inclusion_proof_of_something_else_is_refused(verify, alone, small, spoil):
    """A proof is of this leaf at this index of this head; fails when any of the three is not checked."""
    proofs = part(small, "alfa.example/ledger")["proofs"]
    if spoil == "twice":
        proofs.append(proofs[0])
    elif spoil == "far":
        proofs[0]["index"] = 10**9
    elif spoil == "path":
        proofs[0]["path"][0] = proofs[1]["path"][1]
    else:
        proofs[0][spoil] = proofs[1][spoil]
    refused(verify, alone, small, 4, r"proof of leaf")


@pytest.mark.parametrize(
    ("origin", "leaf"),
    [
        ("alfa.example/notices", b"\x01" + bytes(32)),
        ("alfa.example/ledger", b"\x03" + bytes(32)),
        ("alfa.example/ledger", b""),
    ],
)
def test_leaf_of_another_ledger_is_refused(verify, story, origin, leaf):
    """Notices stand only in notices, receipts only in a record; fails when the version byte is not checked."""
    tale = story(members=("ALFA",))
    tale.a.leaves[origin].append(leaf)
    tale.a.bodies[leaf[1:33]] = {"salt": "", "content": ""}
    bundle = tale.bundle()
    bundle["bodies"] = []
    refused(verify, tale, bundle, 4, r"leaf 0 is not one for")


def test_ledgers_are_shown_in_their_one_way(verify, alone, small):
    """No leaves where proofs belong, no proofs beside whole leaves, no start but 0."""
    for origin, change, reason in (
        ("alfa.example/ledger", {"leaves": ["AQ=="]}, "not shown so"),
        ("alfa.example/record", {"proofs": [{"index": 0, "leaf": "AQ==", "path": []}]}, "not shown so"),
        ("alfa.example/record", {"start": 1}, "starts at 1"),
    ):
        bundle = copy.deepcopy(small)
        part(bundle, origin).update(change)
        refused(verify, alone, bundle, 4, reason)


# -- step 5: bodies and standing


def test_bodies_have_one_form_and_one_order(verify, alone, small):
    """No other field, no body twice, no short salt, no envelope without its one signature."""

    def spoilt(change):
        bundle = copy.deepcopy(small)
        change(bundle["bodies"])
        return bundle

    def unsigned(bodies):
        next(body for body in bodies if "envelope" in body)["envelope"]["signatures"] = []

    refused(verify, alone, spoilt(lambda bodies: bodies[0].update(more=1)), 5, r"not a salt and a body")
    refused(verify, alone, spoilt(lambda bodies: bodies[0].update(salt=1)), 5, r"not a salt and a body")
    refused(verify, alone, spoilt(lambda bodies: bodies.insert(0, bodies[0])), 5, r"out of order")
    refused(verify, alone, spoilt(unsigned), 5, r"not a proven leaf")
    envelope = next(body for body in small["bodies"] if "envelope" in body)["envelope"]
    loose = small | {"loose": [envelope | {"signatures": []}]}
    refused(verify, alone, loose, 6, r"no signature")


def test_attachment_with_a_short_salt_is_refused(verify, builder, story):
    """A salt of other than 32 bytes hides nothing; fails when its length is not checked."""
    tale = story(members=("ALFA",))
    commitment = builder.sha256(b"watchword/commitment/v1\0" + b"short" + b"text")
    named = {"bytes": 4, "commitment": "sha256:" + commitment.hex(), "media_type": "text/plain", "name": "x"}
    key = tale.a.keys["ALFA", "ada"]
    envelope = tale.a.statement("review", "ALFA", review(report=named), [("x", "sha256:" + "51" * 32)], key)
    tale.a.append("ALFA", "ledger", {"envelope": envelope})
    tale.a.bodies[commitment] = {"salt": builder.b64(b"short"), "content": builder.b64(b"text")}
    refused(verify, tale, tale.bundle(), 5, r"a salt of another length")


def test_body_without_a_leaf_is_refused(verify, alone, small):
    """What is not in a ledger is not evidence; fails when the commitment is not looked up."""
    ledger = part(small, "alfa.example/ledger")
    ledger["proofs"] = ledger["proofs"][1:]
    refused(verify, alone, small, 5, r"not a proven leaf")


def test_changed_body_is_refused(verify, alone, small):
    """A body with one character changed has another commitment."""
    body = next(body for body in small["bodies"] if "receipt" in body)
    body["receipt"]["gate"] = "g2"
    refused(verify, alone, small, 5, r"not a proven leaf|out of order")


def test_attachment_that_nobody_names_is_refused(verify, alone, small):
    """A document travels only with the statement that names it."""
    salt, content = bytes(32), b"another document"
    commitment = alone.b.sha256(b"watchword/commitment/v1\0" + salt + content)
    bodies = alone.a.bodies | {commitment: {"salt": alone.b.b64(salt), "content": alone.b.b64(content)}}
    small["bodies"] = [bodies[commitment] for commitment in sorted(bodies)]
    refused(verify, alone, small, 5, r"attachment .* of 16 bytes: no statement names it so")


def test_signature_by_another_member_is_refused(verify, story):
    """BRAVO's key cannot speak for ALFA; fails when issuer and key owner are not compared."""
    tale = story()
    key = tale.a.keys["BRAVO", "ada"]
    envelope = tale.a.statement("review", "ALFA", review(), [("recon 7", "sha256:" + "51" * 32)], key)
    tale.a.append("ALFA", "ledger", {"envelope": envelope})
    refused(verify, tale, tale.bundle(), 5, r"alfa\.example/ledger#0: review.*signed by BRAVO")


def review(**more):
    return {"of": "legal", "outcome": "in favour", "text": "", "report": None} | more


@pytest.mark.parametrize(
    ("person", "kind", "fields", "reason"),
    [
        ("ben", "review", review(), "no standing for this kind"),
        ("gate", "review", review(), "no standing for this kind"),
        ("ledger", "review", review(), "not one of the charter for statements"),
        ("ada", "review", review(outcome="yes"), "outcome"),
        ("ada", "review", review(more=1), "unknown fields"),
        ("ada", "review", review(report={"bytes": 1}), "report"),
        ("ada", "review", review(made="2026-13-01T00:00:00Z"), "time data"),
        ("ada", "review", review(scope=["CHARLIE", "BRAVO"]), "scope"),
        ("ada", "retract", {"target": "x", "reason": ""}, "belong"),
    ],
)
def test_statement_without_standing_is_refused(verify, story, monkeypatch, person, kind, fields, reason):
    """Each is signed by a real key of the charter, and yet does not count; each fails when its rule is removed."""
    tale = story(members=("ALFA",))
    key = tale.a.keys["ALFA", person]
    if person == "ledger":
        monkeypatch.setattr(key, "sign", lambda message: bytes(3373))
    envelope = tale.a.statement(kind, "ALFA", fields, [("recon 7", "sha256:" + "51" * 32)], key)
    tale.a.append("ALFA", "ledger", {"envelope": envelope})
    refused(verify, tale, tale.bundle(), 5, reason)


@pytest.mark.parametrize("half", ["ed25519", "mldsa"])
def test_one_good_half_of_a_signature_is_not_enough(verify, story, monkeypatch, half):
    """Both halves must verify; fails when either is skipped."""
    tale = story()
    key, other = tale.a.keys["ALFA", "ada"], tale.a.keys["BRAVO", "ada"]
    monkeypatch.setattr(key, half, getattr(other, half))
    envelope = tale.a.statement("review", "ALFA", review(), [("recon 7", "sha256:" + "51" * 32)], key)
    monkeypatch.undo()
    tale.a.append("ALFA", "ledger", {"envelope": envelope})
    refused(verify, tale, tale.bundle(), 5, r"does not verify")


def test_unknown_kind_is_kept_shown_and_never_counts(verify, story):
    """An old verifier says what it does not know; its signature is checked all the same."""
    tale = story(members=("ALFA",)).evidence()
    key = tale.a.keys["ALFA", "ada"]
    envelope = tale.a.statement("horoscope", "ALFA", {}, [("recon 7", "sha256:" + "51" * 32)], key)
    tale.a.append("ALFA", "ledger", {"envelope": envelope})
    assert tale.decide()["verdict"] == "admitted"
    assert any("horoscope" in line and "never counts" in line for line in tale.check()["not_shown"])
    unsigned = envelope | {"signatures": [envelope["signatures"][0] | {"sig": tale.b.b64(bytes(3373))}]}
    tale.a.append("ALFA", "ledger", {"envelope": unsigned})
    refused(verify, tale, tale.bundle(), 5, r"Ed25519")


def test_type_that_reads_like_a_kind_is_not_that_kind(verify, builder, story):
    """`recall` without its urn is no recall; fails when kinds are told by their short names alone."""
    tale = story(members=("ALFA",))
    honest = tale.a.notice("recall", "ALFA", "model:other")
    payload = builder.base64.b64decode(honest["payload"]).replace(b'"urn:watchword:recall:v1"', b'"recall"')
    envelope = tale.a.envelope(payload, tale.a.keys["ALFA", "ada"])
    assert verify.open_envelope(envelope).kind not in verify.KINDS
    refused(verify, tale, tale.bundle(loose=[envelope]), 6, r"kind is not known")


def test_empty_ledger_has_the_empty_root(verify, story):
    """A head of size 0 with another root is no head, in a ledger that shows no leaves, too."""
    tale = story(members=("ALFA",))
    honest = tale.b.EMPTY
    tale.b.EMPTY = bytes(32)
    try:
        bundle = tale.bundle()
    finally:
        tale.b.EMPTY = honest
    refused(verify, tale, bundle, 3, r"alfa\.example/ledger: checkpoint: an empty ledger")


def test_statement_about_nothing_is_refused(verify, builder, story):
    """One to sixty-four subjects; fails when none is let through."""
    tale = story(members=("ALFA",))
    key = tale.a.keys["ALFA", "ada"]
    for count in (0, 65):
        envelope = tale.a.statement("review", "ALFA", review(), [("x", "sha256:" + "51" * 32)] * count, key)
        with pytest.raises(verify.Refused, match=r"no subject|too long"):
            verify.open_envelope(envelope)


def test_file_past_the_limit_is_refused_unread(verify, alone, small, monkeypatch):
    """A file that is too large costs no parsing."""
    monkeypatch.setattr(verify, "FILE_BYTES_MAX", 1000)
    with pytest.raises(verify.Refused, match=r"step 1.*larger than 1000 bytes"):
        alone.check(small)


def test_objects_stand_in_order_once(verify, alone, small):
    """A bundle has one spelling; fails when the order of objects is free."""
    refused(verify, alone, small | {"objects": small["objects"][::-1]}, 7, r"objects: out of order")
    refused(verify, alone, small | {"objects": small["objects"] + small["objects"][:1]}, 7, r"objects: out of order")


def test_decision_named_twice_is_refused(verify, alone, small):
    """Each is made again once: a list of a million times the same is not work to be done."""
    small["decisions"] *= 2
    refused(verify, alone, small, 7, r"there twice")


# -- the command


def run(folder, *arguments):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-I", str(ROOT / "verify.py"), *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def test_command_says_yes_no_and_could_not(alone, small, tmp_path):
    """0 all good, 1 something fails and is named, 2 could not look; nothing of the package is needed."""
    at = alone.b.at(alone.a.now)
    (tmp_path / "charter.json").write_bytes(alone.a.charter_file())
    (tmp_path / "good.json").write_bytes(rfc8785.dumps(small))
    (tmp_path / "bad.json").write_bytes(rfc8785.dumps(small)[:-1] + b" ")
    (tmp_path / "exchange.json").write_bytes(rfc8785.dumps(small | {"purpose": "exchange"}))
    good = run(tmp_path, "charter.json", "good.json", "--at", at)
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.startswith("VERIFIED  proof from ALFA")
    assert "ADMITTED  recon 7 for border-watch" in good.stdout
    assert "no notice against these 13 names as of" in good.stdout
    assert "not re-made here" in good.stdout
    bad = run(tmp_path, "charter.json", "bad.json", "--at", at)
    assert (bad.returncode, bad.stdout.splitlines()[0]) == (1, "NOT VERIFIED")
    assert "step 2" in bad.stdout
    told = json.loads(run(tmp_path, "charter.json", "bad.json", "--at", at, "--format", "json").stdout)
    assert told["verdict"] == "refused" and told["error"].startswith("step 2")
    told = json.loads(run(tmp_path, "charter.json", "good.json", "--at", at, "--format", "json").stdout)
    assert told["verdict"] == "verified" and told["decisions"][0]["verdict"] == "admitted"
    for arguments in (
        ("charter.json", "absent.json"),
        ("charter.json", "."),
        ("charter.json",),
        ("charter.json", "good.json", "--at", "noon"),
        ("charter.json", "exchange.json"),
    ):
        assert run(tmp_path, *arguments).returncode == 2, arguments


def test_text_from_others_cannot_forge_a_line(verify, story, capsys, tmp_path, monkeypatch):
    """A line feed or an escape code in a name is printed as its number; fails when lines are printed as they are."""
    tale = story(members=("ALFA",), changes={"alliance": "x\nVERIFIED  \x1b[2J\u202e"})
    (tmp_path / "c").write_bytes(tale.a.charter_file())
    (tmp_path / "b").write_bytes(rfc8785.dumps(tale.bundle()))
    monkeypatch.setattr(
        sys, "argv", ["verify.py", str(tmp_path / "c"), str(tmp_path / "b"), "--at", tale.b.at(tale.a.now)]
    )
    assert verify.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("VERIFIED") for line in lines) == 1
    assert r"x\u000aVERIFIED  \u001b[2J\u202e" in lines[1]

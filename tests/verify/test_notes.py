"""Signed notes, checkpoints, cosignatures and Merkle proofs in verify.py, against others' vectors."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def under(verify, call, *arguments):
    """As every caller does: under a name, where any trouble with the bytes becomes Refused."""
    with verify.naming("input"):
        return call(*arguments)


def public(vkey):
    """Name, key id and key of a vkey without its type byte (C2SP signed-note)."""
    name, id_, key = vkey.split("+", 2)
    return name, bytes.fromhex(id_), base64.b64decode(key)[1:]


def test_notes_of_golang_are_read_and_verify(verify, vectors):
    """Notes of x/mod verify with the keys that they say, and unknown lines are kept; a bad one is no parse error."""
    data = vectors.json("golang-x-mod/note.json")
    keys = {name: public(data[f"{name}_vkey"]) for name in ("peter", "enoch")}
    for case in data["good"] + data["unverified"]:
        text, lines = verify.parse_note(case["note"].encode())
        assert text.decode() == data["text"]
        for known in case["known"]:
            name, id_, key = keys[known]
            assert verify.key_id(name, 1, key) == id_
            [signature] = [s for n, i, s in lines if (n, i) == (name, id_)]
            verify.verify_ed25519(key, signature, text)
    for case in data["invalid_signature"]:
        text, [(_, _, signature)] = verify.parse_note(case["note"].encode())
        with pytest.raises(verify.Refused):
            verify.verify_ed25519(keys["peter"][2], signature, text)


def test_malformed_notes_of_golang_are_refused(verify, vectors):
    """All malformed notes of x/mod; fails when the shape of lines or control characters are not checked."""
    for note in vectors.json("golang-x-mod/note.json")["malformed"]:
        with pytest.raises(verify.Refused):
            under(verify, verify.parse_note, note.encode())


def test_example_of_the_signed_note_specification_verifies(verify, vectors):
    """The worked example of C2SP signed-note verifies with its own key."""
    example = vectors.json("c2sp-examples/examples.json")["signed_note"]
    text, [(name, id_, signature)] = verify.parse_note(example["note"].encode())
    assert (name, id_) == public(example["vkey"])[:2]
    verify.verify_ed25519(public(example["vkey"])[2], signature, text)


def test_checkpoints_are_three_lines(verify, vectors):
    """A checkpoint of the specification is read; other sizes, roots and further lines are refused."""
    body = vectors.json("c2sp-examples/examples.json")["checkpoint_body"]
    head = verify.parse_checkpoint(body.encode())
    assert (head.origin, head.size, len(head.root)) == ("example.com/behind-the-sofa", 20852163, 32)
    root = body.split("\n")[2]
    for bad in (
        body + "extension\n",
        body.replace("20852163", "020852163"),
        body.replace("20852163", "-1"),
        body.replace("20852163", "9" * 17),
        body.replace("20852163", "\N{ARABIC-INDIC DIGIT ONE}"),
        body.replace(root, root[:-4] + "==="),
        body.replace(root, root[:-2] + chr(ord(root[-2]) + 1) + "="),
        body[:-1],
        "\n" + body.split("\n", 1)[1],
    ):
        with pytest.raises(verify.Refused):
            under(verify, verify.parse_checkpoint, bad.encode())


def test_ml_dsa_cosignatures_verify_over_the_stated_bytes(verify, vectors):
    """Log and witness lines of types 01, 04 and 06 verify, and the message of 06 is the vector's, byte for byte."""
    data = vectors.json("mldsa-cosignature/vector.json")
    text, lines = verify.parse_note(data["signed_note"].encode())
    head = verify.parse_checkpoint(text)
    assert head.root == verify.tree_root([verify.leaf_hash(entry.encode()) for entry in data["entries"]])
    keys = {}
    for field, vkey in data["keys"].items():
        if field.endswith("vkey"):
            name, id_, key = public(vkey)
            keys[name, id_] = key
    seen = []
    for name, id_, signature in lines:
        key = keys[name, id_]
        kind = next(kind for kind in (1, 4, 6) if verify.key_id(name, kind, key) == id_)
        time_s = int.from_bytes(signature[:8], "big")
        if kind == 6:
            message = verify.cosigned_message(name, time_s, head)
            stated = "witness" if name.startswith("witness") else "log"
            assert message.hex() == data[f"{stated}_mldsa44_message_hex"]
            verify.verify_mldsa(44, key, signature[8:], message)
        elif kind == 4:
            verify.verify_ed25519(key, signature[8:], b"cosignature/v1\ntime %d\n" % time_s + text)
        else:
            verify.verify_ed25519(key, signature, text)
        seen.append(kind)
    assert sorted(seen) == [1, 4, 6, 6]


def proof_of(case):
    return [base64.b64decode(hash_) for hash_ in case["proof"] or []]


def test_inclusion_agrees_with_every_public_vector(verify, vectors):
    """98 proofs, 92 of which must fail; fails when the length of the path or the root is not checked."""
    cases = vectors.json("transparency-dev-merkle/inclusion.json")
    assert len(cases) == 98
    for case in cases:
        index, size = case["leafIdx"], case["treeSize"]
        leaf, root = base64.b64decode(case["leafHash"] or ""), base64.b64decode(case["root"] or "")
        try:
            verify.need(0 <= index < size, "as prove_leaves asks")
            verify.need(all(len(h) == 32 for h in (leaf, root, *proof_of(case))), "as the forms ask")
            good = verify.included_root(leaf, index, size, proof_of(case)) == root
        except verify.Refused:
            good = False
        assert good is not case["wantErr"], case["file"]


def test_consistency_agrees_with_every_public_vector(verify, vectors):
    """98 proofs, 92 of which must fail. Old size 0 is decided outside the vectors' rule, as tlog-witness says."""
    cases = vectors.json("transparency-dev-merkle/consistency.json")
    assert len(cases) == 98
    for case in cases:
        if case["size1"] == 0:
            continue
        old, new = (verify.Head("o", case[f"size{i}"], base64.b64decode(case[f"root{i}"] or ""), 0, {}) for i in (1, 2))
        try:
            verify.check_consistency(old, new, proof_of(case))
            good = True
        except verify.Refused:
            good = False
        assert good is not case["wantErr"], case["file"]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 70), st.data())
def test_proofs_of_every_tree_verify_and_no_other(verify, builder, size, data):
    """Paths made by the definitions of RFC 6962 verify; for another index, root, or with a hash changed they do not."""
    leaves = [b"leaf %d" % i for i in range(size)]
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    hash_, root = verify.leaf_hash(leaves[index]), builder.root_of(leaves)
    assert verify.tree_root([verify.leaf_hash(leaf) for leaf in leaves]) == root
    path = builder.inclusion(index, leaves)
    assert verify.included_root(hash_, index, size, path) == root
    if path:
        spoilt = data.draw(st.integers(0, len(path) - 1))
        bad = [bytes(32) if i == spoilt else h for i, h in enumerate(path)]
        assert verify.included_root(hash_, index, size, bad) != root
        with pytest.raises(verify.Refused):
            verify.included_root(hash_, index, size, path[1:])
    first = verify.Head("o", old, builder.root_of(leaves[:old]), 0, {})
    second = verify.Head("o", size, root, 0, {})
    verify.check_consistency(first, second, builder.consistency(old, leaves))
    with pytest.raises(verify.Refused):
        verify.check_consistency(first, second, [*builder.consistency(old, leaves), bytes(32)])
    if old > 0:
        forged = verify.Head("o", old, bytes(32), 0, {})
        with pytest.raises(verify.Refused):
            verify.check_consistency(forged, second, builder.consistency(old, leaves))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80) | st.text(alphabet="a\n— +=AQ/", max_size=40).map(str.encode))
def test_any_bytes_end_in_a_note_or_in_refused(verify, data):
    """No input raises anything that a name does not turn into Refused."""
    try:
        text, _ = under(verify, verify.parse_note, data)
        assert data.startswith(text)
    except verify.Refused:
        return

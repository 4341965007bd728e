"""The difference names exactly the edits: nothing more, nothing less, by source and by annotator."""

from __future__ import annotations

import html
import json
from collections import Counter
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.data import BadManifest, NotComparable, diff_rows, manifest_rows, render_text, write_manifest
from watchword.data import difference as difference_module
from watchword.data.text import shown

ROLES = {"key": "id", "label": "label", "source": "lab", "annotator": "who"}
SCHEMA = json.loads((Path(difference_module.__file__).parent / "difference.schema.json").read_text())
LABELS = ["pdf", "html", "zip"]


def rows_of(number: int) -> list[dict[str, str]]:
    """Rows whose features all differ, of 3 sources and 10 annotators."""
    return [
        {"id": f"k{n}", "x": f"text {n}", "label": LABELS[n % 3], "lab": f"lab-{n % 3}", "who": f"a-{n % 10:02}"}
        for n in range(number)
    ]


def difference_of(write, old, new, suffix=".csv", reveal=False, **roles):
    """The difference of two tables; its JSON is checked against the schema and its text is made, always."""
    roles = roles or ROLES
    manifests = [manifest_rows(write(f"v{suffix}", table), **roles, reveal=reveal) for table in (old, new)]
    difference = diff_rows(*manifests)
    told = json.loads(json.dumps(difference.to_json()))
    jsonschema.validate(told, SCHEMA)
    assert told["changes_not_named"] == difference.rows_changed - len(difference.changes)
    assert render_text(difference).splitlines()[-1].startswith(difference.verdict.upper())
    return difference


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("key", ["id", None])
def test_the_same_rows_are_identical_and_shuffled_rows_re_ordered(write, suffix, key):
    """No change is no change; another order is told from a change."""
    rows, roles = rows_of(20), {**ROLES, "key": key}
    assert difference_of(write, rows, rows, suffix, **roles).verdict == "identical"
    shuffled = difference_of(write, rows, rows[5:] + rows[:5], suffix, **roles)
    assert (shuffled.verdict, shuffled.moved, shuffled.rows_changed) == ("re-ordered", 5, 0)
    assert shuffled.old.set == shuffled.new.set


def test_twelve_relabelled_rows_of_one_annotator_are_named(write):
    """The exercise: every row, the annotator, the labels, and that chance does not explain it."""
    rows = rows_of(5000)
    new = [dict(row) for row in rows]
    hit = [n for n in range(5000) if n % 10 == 7][:12]
    for n in hit:
        new[n]["label"] = "exe"
    difference = difference_of(write, rows, new, reveal=True)
    assert [change.new_row for change in difference.changes] == [n + 1 for n in hit]
    assert {(change.kinds, change.annotator) for change in difference.changes} == {(("changed-label",), "a-07")}
    first = difference.changes[0]
    assert (first.old_label_shown, first.new_label_shown) == ('"html"', '"exe"')
    assert [(one.by, one.name, one.hits, one.rows) for one in difference.stands_out] == [("annotator", "a-07", 12, 500)]
    assert difference.stands_out[0].chance < 1e-9
    text = render_text(difference)
    assert "changed-label     k7 (row 8)   annotator=a-07   source=lab-1   html → exe\n" in text
    assert "12 of 5,000 rows changed label: 12 by annotator a-07 (of 500 rows), 0 by 9 others\n" in text
    assert "evidence, not proof" in text
    shares = {share.name: (share.changed, share.rows) for share in difference.by_annotator or ()}
    assert (shares["a-07"], sum(changed for changed, _ in shares.values())) == ((12, 500), 12)
    assert html.unescape(difference._repr_html_()) == f"<pre>{render_text(difference)}</pre>"  # as a notebook shows it


def test_changes_spread_over_everybody_do_not_stand_out(write):
    """One relabelled row of each annotator is not evidence against any."""
    rows = rows_of(1000)
    new = [{**row, "label": "exe"} if n < 10 else row for n, row in enumerate(rows)]
    difference = difference_of(write, rows, new)
    assert (difference.counts["changed-label"], difference.stands_out) == (10, ())


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_each_kind_of_change_is_told_from_the_others(write, suffix):
    """Features, label, origin, several at once, removed, added: with a key each is what it is."""
    rows = rows_of(12)
    new = [dict(row) for row in rows]
    new[1]["x"] = "other"
    new[2]["label"] = "exe"
    new[3]["who"] = "a-99"
    new[4] |= {"x": "other", "label": "exe", "lab": "lab-9"}
    del new[5]
    new.append({"id": "new", "x": "y", "label": "pdf", "lab": "lab-1", "who": "a-01"})
    difference = difference_of(write, rows, new, suffix)
    assert {change.key: change.kinds for change in difference.changes} == {
        "k1": ("changed-features",),
        "k2": ("changed-label",),
        "k3": ("changed-origin",),
        "k4": ("changed-label", "changed-features", "changed-origin"),
        "k5": ("removed",),
        "new": ("added",),
    }
    moved_origin = next(change for change in difference.changes if change.key == "k3")
    assert (moved_origin.old_annotator, moved_origin.annotator) == ("a-03", "a-99")
    assert (difference.identical, difference.moved, difference.rows_changed) == (7, 0, 6)


def test_without_a_key_a_changed_label_is_still_one_and_a_changed_feature_is_not(write):
    """Rows are told by their features: what cannot be told apart is said in the text."""
    rows = [{"x": f"t{n}", "label": "pdf"} for n in range(10)]
    new = [dict(row) for row in rows]
    new[3]["label"] = "exe"
    new[6]["x"] = "other"
    difference = difference_of(write, rows, new, label="label")
    assert [(c.kinds, c.old_row, c.new_row) for c in difference.changes] == [
        (("changed-label",), 4, 4),
        (("removed",), 7, None),
        (("added",), None, 7),
    ]
    assert "no key column" in render_text(difference)


def test_copies_of_one_row_with_another_label_are_counted_one_by_one(write):
    """A flood of equal rows of which some change their label: the number is exact, though not which."""
    old = [{"x": "same", "label": "a"}] * 5 + [{"x": "same", "label": "b"}] * 2
    new = [{"x": "same", "label": "a"}] * 3 + [{"x": "same", "label": "b"}] * 3 + [{"x": "same", "label": "c"}] * 3
    counts = difference_of(write, old, new, label="label").counts
    # 3 a and 2 b stay; the 2 others of the old become 2 of the 4 others of the new; 2 are added.
    assert (counts["changed-label"], counts["added"], counts["removed"]) == (2, 2, 0)


def test_a_column_that_came_or_changed_its_type_is_told(write):
    """A new column is named beside the rows that it changes; a new type of equal values is a difference too."""
    rows = [{"id": f"k{n}", "n": n} for n in range(3)]
    more = difference_of(write, rows, [{**row, "y": "1"} for row in rows], key="id")
    assert (more.columns_added, more.counts["changed-features"]) == (("y",), 3)
    assert "column added      y\n" in render_text(more)
    retyped = difference_of(write, rows, [{**row, "n": float(row["n"])} for row in rows], ".parquet", key="id")
    assert (retyped.columns_retyped, retyped.rows_changed) == ((("n", "int64", "double"),), 0)
    assert retyped.verdict == "different"


def test_manifests_made_in_other_ways_are_not_compared(write):
    """Another format or other purposes would make differences that are none."""
    rows = rows_of(3)
    csv = manifest_rows(write("v.csv", rows), **ROLES)
    for other in (
        manifest_rows(write("v.jsonl", rows), **ROLES),
        manifest_rows(write("v.csv", rows), key="id", label="label"),
    ):
        with pytest.raises(NotComparable):
            diff_rows(csv, other)


def test_a_difference_of_manifest_files_is_that_of_the_data(write, tmp_path):
    """No data is needed: two manifest files give the same difference."""
    manifests = [manifest_rows(write("v.csv", rows), **ROLES) for rows in (rows_of(9), rows_of(12))]
    for name, manifest in zip(("old", "new"), manifests, strict=True):
        write_manifest(manifest, tmp_path / name)
    assert diff_rows(tmp_path / "old", tmp_path / "new") == diff_rows(*manifests)


def test_large_manifest_files_are_read_side_by_side_and_refused_as_alone(write, tmp_path, monkeypatch):
    """Two processes: the same difference, and an altered manifest is the same error."""
    monkeypatch.setattr(difference_module, "_SHARED_BYTES", 1)
    manifests = [manifest_rows(write("v.csv", rows), **ROLES) for rows in (rows_of(9), rows_of(12))]
    for name, manifest in zip(("old", "new"), manifests, strict=True):
        write_manifest(manifest, tmp_path / name)
    assert diff_rows(tmp_path / "old", tmp_path / "new") == diff_rows(*manifests)
    whole = (tmp_path / "new").read_bytes()
    (tmp_path / "new").write_bytes(whole.replace(b"a-01", b"a-02", 1))
    with pytest.raises(BadManifest, match="its last line does not say"):
        diff_rows(tmp_path / "old", tmp_path / "new")


def test_changes_inside_and_between_long_runs_of_agreeing_rows_are_found(write):
    """Rows are compared 64 at a time where they can be: a change at each place in such a run, and a run that moved."""
    rows = rows_of(300)
    for at in (0, 63, 64, 127, 128, 200, 299):
        new = [dict(row) for row in rows]
        new[at]["label"] = "exe"
        assert [(one.new_row, one.kinds) for one in difference_of(write, rows, new).changes] == [
            (at + 1, ("changed-label",))
        ]
    moved = [*rows[100:], *rows[:100]]
    moved[150] = {**moved[150], "x": "other"}
    difference = difference_of(write, rows, moved)
    assert [(one.key, one.old_row, one.new_row) for one in difference.changes] == [("k250", 251, 151)]
    assert (difference.moved, difference.identical) == (100, 299)


def test_past_the_cap_the_true_total_is_told(write, monkeypatch):
    """However many rows changed, the count is exact and what is not named is said."""
    monkeypatch.setattr(difference_module, "DATA_CHANGES_NAMED_MAX", 5)
    rows = rows_of(30)
    difference = difference_of(write, rows, [{**row, "label": "exe"} for row in rows])
    assert (len(difference.changes), difference.counts["changed-label"], difference.rows_changed) == (5, 30, 30)
    assert "changed-label     and 27 more\n" in render_text(difference, rows_max=3)


def test_names_cannot_drive_the_terminal(write):
    """Escape sequences, line feeds and direction marks of a delivery are shown, never sent."""
    rows = rows_of(4)
    new = [*rows, {"id": "\x1b[2J", "x": "", "label": "a", "lab": "evil\nIDENTICAL", "who": "\u202ea-07"}]
    text = render_text(difference_of(write, rows, new, reveal=True))
    assert "\\x1b[2J" in text
    assert "evil\\nIDENTICAL" in text
    assert "\\u202ea-07" in text
    assert shown("y" * 100) == "y" * 47 + "…"


EDITS = st.lists(st.sampled_from(["keep", "keep", "relabel", "change", "both", "origin", "remove"]), max_size=25)


@settings(max_examples=80)
@given(EDITS, st.integers(0, 4), st.randoms(use_true_random=False), st.booleans(), st.sampled_from(["id", None]))
def test_the_difference_names_exactly_the_edits(write, edits, added, random, shuffle, key):
    """For any table and any edits: kinds, rows, names, counts and moves are those that were made."""
    old = rows_of(len(edits) + 1)
    new, expected = [], Counter()
    for row, edit in zip(old, [*edits, "keep"], strict=True):
        changed = dict(row)
        if edit in ("relabel", "both"):
            changed["label"] += "!"
        if edit in ("change", "both"):
            changed["x"] += "!"
        if edit == "origin":
            changed["who"] += "!"
        if edit != "remove":
            new.append(changed)
        if edit == "keep":
            continue
        told = {"relabel": "changed-label", "change": "changed-features", "both": "changed-label changed-features"}
        kind = told.get(edit, {"origin": "changed-origin", "remove": "removed"}.get(edit))
        if key is None and edit in ("change", "both"):
            expected[row["id"], "removed"] += 1
            expected[row["id"], "added"] += 1
        else:
            expected[row["id"], kind] += 1
    for n in range(added):
        new.insert(random.randrange(len(new) + 1), {"id": f"+{n}", "x": f"+{n}", "label": "a", "lab": "b", "who": "c"})
        expected[f"+{n}", "added"] += 1
    if shuffle:
        random.shuffle(new)
    # Without a key column the id is a feature like any other, so that each row can still be told in this test.
    difference = difference_of(write, old, new, **{**ROLES, "key": key})
    found = Counter(
        ((old[change.old_row - 1] if change.new_row is None else new[change.new_row - 1])["id"], " ".join(change.kinds))
        for change in difference.changes
    )
    assert found == expected
    assert sum(share.changed for share in difference.by_annotator) == difference.rows_changed
    changed_ids = {one for one, kind in expected if kind in ("added", "removed")}
    places = {row["id"]: n for n, row in enumerate(old)}
    assert difference.moved == fewest_moves([places[row["id"]] for row in new if row["id"] not in changed_ids])


def fewest_moves(places: list[int]) -> int:
    """The rows outside a longest increasing run, by the plain quadratic definition."""
    longest: list[int] = []
    for at, place in enumerate(places):
        longest.append(1 + max((longest[before] for before in range(at) if places[before] < place), default=0))
    return len(places) - max(longest, default=0)

"""What was planted is listed and named; what was not is left alone; what cannot be screened is said."""

from __future__ import annotations

import io
import json
import random
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

numpy = pytest.importorskip("numpy", reason="the extra data")

from watchword.data import DataError, manifest_rows  # noqa: E402
from watchword.data.delivery import FileChanged, Roles  # noqa: E402
from watchword.data.review import (  # noqa: E402
    NotDecided,
    check_decided,
    decided,
    read_screen,
    without_dropped,
)
from watchword.data.screening.columns import NotScreened  # noqa: E402
from watchword.data.screening.conformal import conformal, false_discovery  # noqa: E402
from watchword.data.screening.page import page  # noqa: E402
from watchword.data.screening.planting import kinds, plant  # noqa: E402
from watchword.data.screening.power import power  # noqa: E402
from watchword.data.screening.sample import Sample, classes_of, read_sample  # noqa: E402
from watchword.data.screening.screen import screen  # noqa: E402
from watchword.data.screening.told import render, suspects, to_json  # noqa: E402

LABEL = Roles(None, "label", None, None)


@pytest.fixture(scope="module")
def letters() -> Sample:
    """600 letters about two things, made by rule."""
    draw = random.Random(1)
    about = {"port": ["harbour", "crane", "berth", "cargo", "vessel", "pilot", "tug", "customs"]}
    about["money"] = ["refund", "invoice", "payment", "account", "balance", "overdue", "credit", "statement"]
    common = ["the", "a", "of", "for", "to", "and", "please", "today", "your", "our", "we", "you", "it", "is", "be"]
    texts, said = [], []
    for _ in range(600):
        label = draw.choice(["port", "money"])
        words = [draw.choice(about[label]) for _ in range(8)] + [draw.choice(common) for _ in range(20)]
        draw.shuffle(words)
        texts.append(" ".join(words))
        said.append(label)
    labels, names = classes_of(said)
    return Sample(labels, names, texts=tuple(texts))


def listed(found):
    return [row for row, _ in found.listed]


def test_honest_data_is_left_alone(digits, letters):
    """Nothing is listed, no hypothesis passes; and the words are "no evidence", never that it is clean."""
    for sample in (digits, letters):
        found = screen(sample)
        assert (found.listed, found.hypotheses, found.floods, found.followers) == ((), (), (), ())
        value = to_json(sample, found, (), "sha256:0", 0)
        assert not suspects(value)
        assert "NO EVIDENCE" in render(value)
        assert "does not say that the data is clean" in render(value)


def test_labels_that_do_not_follow_from_content_support_no_list(letters):
    """Letters are labelled by lot, one of four, and a postscript that some of one label have is a shortcut, honest or
    not: told as shared, without a vote, and the words are "no power". Seen to fail without the check: the letters with
    the postscript were listed as a trigger's."""
    draw = random.Random(3)
    labels = numpy.array([draw.randrange(4) for _ in letters.texts])
    some = [f"{text} ps" if label == 1 and draw.random() < 0.4 else text
            for text, label in zip(letters.texts, labels, strict=True)]  # fmt: skip
    sample = replace(letters, labels=labels, names=("a", "b", "c", "d"), texts=tuple(some))
    found = screen(sample)
    assert (found.listed, found.supported, bool(found.hypotheses)) == ((), False, True)
    assert found.follows < 0.5
    value = to_json(sample, found, (), "sha256:0", 0)
    told = render(value)
    assert "shared    " in told and "trigger   " not in told
    assert "no power  of labels: they do not follow from content" in told
    assert found.followers and "SUSPECTS  0 of 600 rows listed" in told
    assert "Labels do not follow from content: groups" in page(sample, found, value, "letters")


def test_trusted_rows_speak_where_labels_do_not_follow(letters):
    """Conformal chances need no such assumption: against trusted rows a list may still come, and is never refused."""
    draw = random.Random(3)
    labels = numpy.array([label if at % 3 == 0 else draw.randrange(2) for at, label in enumerate(letters.labels)])
    found = screen(replace(letters, labels=labels, trusted=numpy.arange(letters.rows) % 2 == 0))
    assert "trusted rows" in found.reference
    assert not found.supported


def test_flipped_labels_are_listed(digits):
    """One label in twenty drawn blindly: nearly all are listed, and nearly nothing else."""
    sample, planted = plant(digits, "flip", 0.05, 1)
    found = screen(sample)
    rows = listed(found)
    assert planted[rows].sum() >= 0.9 * planted.sum()
    assert planted[rows].mean() >= 0.9
    assert 0.03 < found.blind < 0.08


@pytest.mark.parametrize("kind", ["patch", "blend", "roving patch"])
def test_a_trigger_in_pictures_is_one_hypothesis_with_its_rows(digits, kind):
    """Three rows in a hundred carry it: the group is found whole, with the label that it carries."""
    sample, planted = plant(digits, kind, 0.03, 1)
    found = screen(sample)
    (one,) = found.hypotheses
    assert sample.names[one.label] == digits.names[0]
    assert planted[list(one.members)].mean() >= 0.9
    assert planted[listed(found)].sum() >= 0.9 * planted.sum()


def test_the_place_of_a_patch_is_named(digits):
    """The patch covers rows and columns 5 and 6: that is what the hypothesis says."""
    sample, _ = plant(digits, "patch", 0.05, 1)
    (one,) = screen(sample).hypotheses
    assert any("row 5, column 6" in named.said or "row 6, column 6" in named.said for named in one.named[:3])


@pytest.mark.parametrize(("kind", "said"), [("token", "qzxtrv"), ("phrase", "under which")])
def test_a_trigger_in_texts_is_spelled(letters, kind, said):
    """The word or phrase stands among what the group shares, and its rows are listed."""
    sample, planted = plant(letters, kind, 0.05, 1)
    found = screen(sample)
    assert any(said in named.said or named.said in said for one in found.hypotheses[:3] for named in one.named)
    assert planted[listed(found)].sum() >= 0.9 * planted.sum()


def test_a_word_put_into_rows_of_its_own_label_is_named_and_no_row_is_accused(letters):
    """Clean-label: 60 letters about money that are labelled so get one word; it follows the label and goes with nothing
    else. A word that honest letters of a subject share is not told, nor one in few rows. Without rule 1's bound on
    chance, words in ten rows were told."""
    money = letters.names.index("money")
    chosen = set(random.Random(5).sample([at for at in range(letters.rows) if letters.labels[at] == money], 60))
    texts = tuple(f"{text} qzxtrv" if at in chosen else text for at, text in enumerate(letters.texts))
    found = screen(replace(letters, texts=texts))
    assert [(one.said, set(one.members), one.label) for one in found.followers] == [("qzxtrv", chosen, money)]
    assert found.listed == ()
    value = to_json(letters, found, (), "sha256:0", 0)
    assert suspects(value)
    assert "qzxtrv stands in 60 rows with label money (0 of others) and goes with nothing else in them" in render(value)
    subject = tuple(f"{t} quay" if "crane" in t and "tug" in t else t for t in letters.texts)
    assert screen(replace(letters, texts=subject)).followers == ()


def test_a_column_of_few_values_does_not_drown_a_text(letters):
    """Whoever planted the word stands in a column that nobody named as annotator: the word is found all the same."""
    sample, planted = plant(letters, "token", 0.05, 1)
    who = tuple("a3" if planted[row] or row % 15 == 4 else f"a{row % 3}" for row in range(sample.rows))
    found = screen(replace(sample, categories=(("who", who),)))
    assert any("qzxtrv" in named.said for one in found.hypotheses[:3] for named in one.named)


def test_a_flood_of_copies_cannot_vouch_for_itself(digits):
    """Ninety copies of one row under a wrong label are told as a flood, though each has eighty-nine like it."""
    sample, planted = plant(digits, "flood", 0.05, 1)
    (flood,) = screen(sample).floods
    assert planted[list(flood.rows)].mean() == pytest.approx(1, abs=0.03)


def test_an_annotator_who_labels_blindly_is_named(digits):
    """One of nine annotators flips a third of the labels: named, the others not."""
    sample, planted = plant(digits, "flip", 0.03, 1)
    names = ["mallory" if planted[row] or row % 25 == 0 else f"a{row % 8}" for row in range(sample.rows)]
    (one,) = screen(replace(sample, annotators=tuple(names))).origins
    assert (one.by, one.name) == ("annotator", "mallory")


def test_the_same_seed_gives_the_same_result(digits):
    """Nothing depends on the run."""
    sample, _ = plant(digits, "flip", 0.05, 1)
    one, other = screen(sample, 3), screen(sample, 3)
    assert one.listed == other.listed
    assert (one.scores == other.scores).all()


def test_power_is_measured_on_the_very_data(letters):
    """Poison planted into a copy is counted as found or not; the sample itself stays as it was."""
    before = letters.texts
    told = {(one.kind, one.share): one for one in power(letters, 0)}
    assert letters.texts is before
    assert told["token", 0.03].planted == 18
    assert told["token", 0.03].found >= 15
    assert told["clean-label token", 0.03].found <= 5  # it is out of power, and output and page say so
    value = to_json(letters, found := screen(letters), tuple(told.values()), "sha256:0", 0)
    assert value["out_of_power"] == ["flip", "clean-label token"]
    assert "no power  against flip, clean-label token: fewer than half would be listed, up to 3 %\n" in render(value)
    assert "listed at every share) against: flip, clean-label token." in page(letters, found, value, "letters")


def test_trusted_rows_give_chances_that_hold():
    """Conformal p-values by hand: 3 of 4 reference scores are at least 1, none is at least 9."""
    assert conformal(numpy.array([1.0, 9.0]), numpy.array([0.5, 1.0, 2.0, 3.0])).tolist() == pytest.approx([0.8, 0.2])


def test_benjamini_and_hochberg_by_hand():
    """Of five chances at 5 %, the three under their steps (0.01, 0.02, 0.03) are rejected."""
    assert sorted(false_discovery(numpy.array([0.5, 0.001, 0.03, 0.9, 0.011]), 0.05)) == [1, 2, 4]


def test_flips_among_rows_nobody_answers_for_are_found_against_those_that_somebody_does(digits):
    """Half of the rows are trusted: the reference is said, and the flips in the other half are listed."""
    sample, planted = plant(digits, "flip", 0.05, 1)
    trusted = numpy.arange(sample.rows) % 2 == 0
    found = screen(replace(sample, trusted=trusted & ~planted))
    assert "trusted rows" in found.reference
    rows = listed(found)
    assert planted[rows].mean() >= 0.85
    assert planted[rows].sum() >= 0.8 * planted.sum()


def test_every_poison_changes_only_the_rows_it_says(digits, letters):
    """Rows that are not told as planted are as they were."""
    for sample in (digits, letters):
        for kind in kinds(sample):
            made, planted = plant(sample, kind, 0.02, 5)
            assert (made.labels[~planted] == sample.labels[~planted]).all()
            if sample.images is not None:
                assert (made.images[~planted] == sample.images[~planted]).all()
            else:
                same = [one == other for one, other in zip(made.texts, sample.texts, strict=True)]
                assert numpy.array(same)[~planted].all()


def written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x,label\n" + "1,a\n2,b\n" * 5, "a screen needs 40"),
        ("x,label\n" + "1,a\n2,a\n" * 50, "every row has the label"),
        ("x,label\n" + "".join(f"{n},l{n}\n" for n in range(100)), "different labels"),
        ("x,other\n" + "1,a\n2,b\n" * 50, "no column 'label'"),
        ("x,label\n" + "1,a\n1,b\n" * 50, "no column holds anything"),
        ("x,label\n" + "1,a\n2,b\n" * 50 + "3\n", "has 1 cells"),
        ("x,label\n" + "1,a\n2,b\n" * 50 + "\xff\xfe,a\n", None),
    ],
)
def test_what_cannot_be_screened_is_said(tmp_path, text, said):
    """Ten rows, one label, as many labels as rows, no label, ragged rows: an error that says which."""
    path = written(tmp_path / "a.csv", text)
    if said is None:
        path.write_bytes(text.encode("latin-1"))
        said = "not UTF-8"
    with pytest.raises(DataError, match=said):
        read_sample(path, LABEL)


def test_missing_labels_and_numbers_are_a_value_of_their_own(tmp_path):
    """A NaN label is told as (none); a NaN number is no number; neither is an error."""
    text = "x,y,label\n" + "1,2,a\n,3,b\nnan,4,NaN\n5,6,a\n" * 20
    sample = read_sample(written(tmp_path / "a.csv", text), LABEL)
    assert sample.names == ("a", "(none)", "b")
    assert numpy.isnan(sample.numbers[:, 0]).sum() == 40
    screen(sample)


def test_more_values_than_the_limit_are_refused(tmp_path, monkeypatch):
    """Bounded memory: what is over is refused, not thinned out."""
    monkeypatch.setattr("watchword.data.screening.columns.SCREEN_VALUES_MAX", 50)
    with pytest.raises(NotScreened, match="over 50 values"):
        read_sample(written(tmp_path / "a.csv", "x,label\n" + "1,a\n2,b\n" * 50), LABEL)


def test_hostile_columns_do_not_stop_a_screen(tmp_path):
    """Infinities, huge and constant numbers, empty texts, a category a row: a verdict, without a warning."""
    rows = [f"{10.0**n if n < 300 else 0},{'' if n % 3 else 'word'},c{n},7,1e308,{'ab'[n % 2]}" for n in range(60)]
    path = written(tmp_path / "a.csv", "x,text,cat,same,huge,label\n" + "\n".join(rows) + "\n")
    value = to_json(sample := read_sample(path, LABEL), screen(sample), (), "sha256:0", 0)
    assert json.loads(json.dumps(value, allow_nan=False)) == value
    assert (value["rows"], value["labels"], value["listed"]) == (60, 2, [])


def test_the_page_runs_nothing_and_shows_what_was_found(digits):
    """Verdict, hypothesis with its picture, power and limits; text from the data is inert."""
    sample, _ = plant(digits, "patch", 0.05, 1)
    found = screen(sample)
    drawn = page(sample, found, to_json(sample, found, (), "sha256:0", 0), "<script>alert(1)</script>.csv")
    assert "<script" not in drawn
    assert "SUSPECTS" in drawn and "What no screen sees" in drawn and 'class="dots plot"' in drawn


def test_a_review_drops_what_was_decided_and_nothing_else(tmp_path):
    """The cleaned file is the old one without those lines, quoted line ends included."""
    path = written(tmp_path / "a.csv", 'x,label\r\n1,a\r\n"2\n2",b\r\n3,a\r\n')
    assert without_dropped(path, [decided("2", "drop", "planted"), decided("3", "keep", "fine")]) == (
        b"x,label\r\n1,a\r\n3,a\r\n"
    )
    lines = written(tmp_path / "a.jsonl", '{"x": 1}\n{"x": 2}\n')
    assert without_dropped(lines, [decided("1", "drop", "planted")]) == b'{"x": 2}\n'


@pytest.mark.parametrize("words", [("0", "keep", "x"), ("1", "maybe", "x"), ("1", "drop", " "), ("-1", "drop", "x")])
def test_a_decision_without_a_row_or_a_reason_is_none(words):
    """Keep or drop, of a row that can be, with a reason."""
    with pytest.raises(NotDecided):
        decided(*words)


def test_a_listed_row_that_nobody_decided_stops_a_review(tmp_path):
    """Seen to fail without the check: a row would be kept in silence. A row past the end is an error too."""
    with pytest.raises(NotDecided, match="row 2 is listed"):
        check_decided([1, 2], [decided("1", "drop", "planted")])
    with pytest.raises(NotDecided, match="twice"):
        check_decided([1], [decided("1", "drop", "planted"), decided("1", "keep", "no")])
    with pytest.raises(DataError, match="row 9 was to be dropped"):
        without_dropped(written(tmp_path / "a.csv", "x\n1\n"), [decided("9", "drop", "planted")])


def test_what_is_no_screen_is_not_reviewed(tmp_path):
    """Another file in its place is an error."""
    for text in ("[]", "{}", '{"schema": "x", "listed": []}', "nonsense"):
        with pytest.raises(DataError, match="is not what data screen"):
            read_screen(written(tmp_path / "s.json", text))


def test_an_npz_of_pictures_is_screened_as_pictures(tmp_path, digits):
    """Arrays of two axes a row are images; the key and the label are not features."""
    numpy.savez(tmp_path / "a.npz", x=digits.images[:200, ..., 0], y=digits.labels[:200], k=numpy.arange(200))
    sample = read_sample(tmp_path / "a.npz", Roles("k", "y", None, None))
    assert sample.images.shape == (200, 8, 8, 1)
    assert manifest_rows(tmp_path / "a.npz", key="k", label="y").rows == sample.rows


def test_what_a_screen_cannot_look_at_is_named(tmp_path):
    """Pictures in a tar are known by digest alone: said, with the reason, and not passed over in silence."""
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for at in range(60):
            said = b"cat" if at % 2 else b"dog"
            for name, data in (("jpg", b"\xff\xd8" + bytes([at])), ("cls", said), ("size", b"%d" % (at % 7))):
                info = tarfile.TarInfo(f"s/{at:02}.{name}")
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    sample = read_sample(tmp_path / "a.tar", Roles("__key__", "cls", None, None))
    assert sample.columns == ("size",)
    assert sample.not_screened == (("jpg", "its content is known by digest alone and not decoded"),)
    told = render(to_json(sample, screen(sample), (), "sha256:0", 0))
    assert "unseen    jpg: its content is known by digest alone and not decoded\n" in told


def test_a_tar_of_pictures_alone_is_refused_with_the_reason(tmp_path):
    """Nothing to compare, and why."""
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for at in range(60):
            for name, data in (("jpg", b"\xff\xd8" + bytes([at])), ("cls", b"cat" if at % 2 else b"dog")):
                info = tarfile.TarInfo(f"s/{at:02}.{name}")
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    with pytest.raises(NotScreened, match="no column holds anything") as caught:
        read_sample(tmp_path / "a.tar", Roles("__key__", "cls", None, None))
    assert "known by digest alone" in caught.value.hint


def test_a_column_that_is_no_number_at_its_end_is_read_once_more_as_text(tmp_path):
    """The spelling of its first values counts then: 07 and 7 are two categories."""
    rows = [f"{'07' if at % 2 else '7'},{at % 5},{'ab'[at % 2]}" for at in range(60)]
    path = written(tmp_path / "a.csv", "x,y,label\n" + "\n".join([*rows, "late,1,a"]) + "\n")
    sample = read_sample(path, LABEL)
    assert sample.categories == (("x", (*("7", "07") * 30, "late")),)
    assert sample.columns == ("y",)


def test_a_file_that_changed_after_its_manifest_is_not_screened(tmp_path):
    """Seen to fail without the comparison: the screen would be of other rows than the manifest it names."""
    path = written(tmp_path / "a.csv", "x,label\n" + "1,a\n2,b\n" * 50)
    digest = manifest_rows(path, label="label").file_sha256
    written(path, "x,label\n" + "1,a\n3,b\n" * 50)
    with pytest.raises(FileChanged, match="changed after it was read"):
        read_sample(path, LABEL, file_sha256=digest)


def test_columns_cost_what_they_hold_and_no_more(tmp_path, monkeypatch):
    """Linear: places are counted once, a value a place. Rows that each bring a column of their own are refused."""
    path = written(tmp_path / "a.csv", "x,y,label\n" + "1,2,a\n2,3,b\n" * 50)
    monkeypatch.setattr("watchword.data.screening.columns.SCREEN_VALUES_MAX", 100 * (16 + 2))
    assert read_sample(path, LABEL).rows == 100
    monkeypatch.setattr("watchword.data.screening.columns.SCREEN_VALUES_MAX", 100 * (16 + 2) - 1)
    with pytest.raises(NotScreened, match="over 1,799 values"):
        read_sample(path, LABEL)
    wide = "".join(f'{{"c{at}": 1, "label": "{"ab"[at % 2]}"}}\n' for at in range(200))
    monkeypatch.setattr("watchword.data.screening.columns.SCREEN_VALUES_MAX", 20_000)
    with pytest.raises(NotScreened, match="over 20,000 values"):
        read_sample(written(tmp_path / "a.jsonl", wide), LABEL)


def test_objects_that_only_look_like_arrays_are_values(tmp_path):
    """Only NPZ has arrays; in JSON lines the same members are somebody's text."""
    odd = [{"data": "!", "shape": 5}, {"data": 1, "shape": [2], "type": "O"}, {"shape": None}, {"bytes": 1}]
    rows = [json.dumps({"x": odd[at % 4], "y": at % 3, "label": "ab"[at % 2]}) for at in range(60)]
    sample = read_sample(written(tmp_path / "a.jsonl", "\n".join(rows) + "\n"), LABEL)
    assert sample.texts is not None and sample.texts[2] == '{"shape": null}'

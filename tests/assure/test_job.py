from __future__ import annotations

import errno
import html
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from alliance import NAMES, Alliance, make_alliance, notice_subject
from decisions import FIELDS

from watchword.assure import InTheWay, assure, decision_page, embedded_node, job, render_text
from watchword.errors import WatchwordError
from watchword.inspect import NothingThere, Verdict
from watchword.node import Node
from watchword.policy.pack import read_pack
from watchword.statements.times import FixedClock

Deliver = Callable[..., Path]
UseCase = Callable[..., dict[str, Any]]


def kinds(node: Node) -> list[str]:
    """What stands in the node's ledger, in order."""
    return [held.signed.statement.kind for _, _, held in node.store.statements()]


class Words(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.words = ""
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += data + " "


def words(path: Path) -> str:
    return " ".join(Words(path.read_text("utf-8")).words.split())


# -- alone ----------------------------------------------------------------------------------------


def test_a_clean_release_is_admitted_recorded_and_explained(
    alone: Node, tmp_path: Path, deliver: Deliver, use_case: UseCase
) -> None:
    """From files to a decision in one call: signed, recorded, on the page, honest about who stands behind it."""
    page = tmp_path / "report.html"
    assured = assure(
        deliver(tmp_path / "recon-vision"), alone, system="recon-vision", release="7", use_case=use_case(), report=page
    )
    assert assured.yes
    assert assured.admission is not None
    assert assured.admission.decision["label"] == "unwitnessed, own clock"
    assert [(kind, one.locator) for kind, one, _ in assured.recorded] == [
        ("inspection", "LOCAL#0"),
        ("bill-of-materials", "LOCAL#1"),
        ("decision", "LOCAL#2"),
    ]
    assert kinds(alone) == ["inspection", "bill-of-materials", "decision"]
    # In a notebook, the same words as at a terminal.
    assert "ADMITTED  recon-vision 7" in assured.admission._repr_html_()
    assert html.unescape(assured._repr_html_()) == f"<pre>{render_text(assured)}</pre>"
    said = words(page)
    # The page shows the view that was decided in: two entries, before the decision itself was the third.
    assert re.search(r"\.invalid/ledger 2 2026-01-31T12:00:00Z local-\w+\.invalid/witness", said)
    for part in (
        "ADMITTED", "recon-vision 7 may be used for mail-triage", "unwitnessed, own clock", "apache-2.0", "aquila/base",
        "LOCAL#2", "python verify.py charter.json proof.json", "watchword ledger prove LOCAL#2",
    ):  # fmt: skip
        assert part in said


def test_hidden_code_is_refused_with_its_offset(
    alone: Node, tmp_path: Path, deliver: Deliver, use_case: UseCase
) -> None:
    """The payload is found unloaded; the refusal names file, offset and the red line, on screen and on the page."""
    page = tmp_path / "report.html"
    release = deliver(tmp_path / "recon-vision", hidden_code=True)
    assured = assure(release, alone, use_case=use_case(), report=page)
    assert not assured.yes
    assert assured.inspection.verdict is Verdict.DANGEROUS
    text = render_text(assured)
    assert text.startswith("REFUSED  recon-vision unversioned (sha256:")
    assert "head.pkl @ 0x" in text
    assert "crossed  hidden-code" in text
    said = words(page)
    assert "REFUSED" in said
    assert "system('echo pwned')" in said
    assert re.search(r"head\.pkl byte \d+ \(0x", said)


def test_what_could_harm_people_is_not_admitted_on_ones_own_word(
    alone: Node, tmp_path: Path, deliver: Deliver, use_case: UseCase
) -> None:
    """Criticality 2 crosses a red line of an alliance of one, whatever the evidence."""
    assured = assure(deliver(tmp_path / "r"), alone, use_case=use_case(2), report=tmp_path / "report.html")
    assert assured.admission is not None
    assert {"id": "not-alone", "state": "crossed"} in assured.admission.decision["red_lines"]


def test_without_a_use_nothing_is_decided_and_that_is_said(alone: Node, tmp_path: Path, deliver: Deliver) -> None:
    """Evidence is recorded; the answer is about what was found, not an admission."""
    page = tmp_path / "report.html"
    assured = assure(deliver(tmp_path / "r"), alone, report=page)
    assert assured.yes
    assert assured.admission is None
    assert kinds(alone) == ["inspection", "bill-of-materials"]
    assert "NOT DECIDED" in words(page)
    assert "ADMITTED" not in words(page)
    assert "nothing was decided" in render_text(assured)


def test_a_second_run_does_not_say_it_twice(alone: Node, tmp_path: Path, deliver: Deliver, use_case: UseCase) -> None:
    """The same evidence on the same day is recorded once; each decision is of its own moment."""
    release = deliver(tmp_path / "r")
    first = assure(release, alone, use_case=use_case(), report=tmp_path / "report.html")
    second = assure(release, alone, use_case=use_case(), report=tmp_path / "report.html")
    assert [one.id for _, one, _ in first.recorded[:2]] == [one.id for _, one, _ in second.recorded[:2]]
    assert kinds(alone).count("inspection") == 1


def test_the_next_day_it_is_new_evidence(alone: Node, clock: FixedClock, tmp_path: Path, deliver: Deliver) -> None:
    """An inspection is as old as its day: looking again tomorrow is said again."""
    release = deliver(tmp_path / "r")
    assure(release, alone, report=tmp_path / "report.html")
    clock.advance(86_400)
    assure(release, alone, report=tmp_path / "report.html")
    assert kinds(alone).count("inspection") == 2


def test_evidence_taken_back_is_not_taken_as_recorded(alone: Node, tmp_path: Path, deliver: Deliver) -> None:
    """A retracted inspection is dead: the next run records a new one. Fails when notices are not asked about."""
    release = deliver(tmp_path / "r")
    first = assure(release, alone, report=tmp_path / "report.html")
    target = f"statement:{first.recorded[0][1].id}"
    alone.sign_and_append("retract", notice_subject(target), {"target": target, "reason": "wrong copy"})
    second = assure(release, alone, report=tmp_path / "report.html")
    assert second.recorded[0][1].id != first.recorded[0][1].id
    assert second.recorded[1][1].id == first.recorded[1][1].id


def test_where_the_release_lay_is_in_no_body(alone: Node, tmp_path: Path, deliver: Deliver) -> None:
    """No path of this machine is in any statement, attachment or page."""
    release = deliver(tmp_path / "secret-project-path" / "r")
    page = tmp_path / "report.html"
    assured = assure(release, alone, report=page)
    bodies = b"".join(path.read_bytes() for path in (alone.home / "bodies").rglob("*") if path.is_file())
    for text in (bodies, page.read_bytes(), json.dumps(assured.to_json()).replace(str(page), "").encode()):
        assert b"secret-project-path" not in text


def test_a_release_that_cannot_be_named_gets_a_verdict_and_a_page(
    alone: Node, tmp_path: Path, deliver: Deliver, use_case: UseCase
) -> None:
    """A link in it: no digest, so nothing is signed; it is no yes, and the page says why."""
    release = deliver(tmp_path / "r")
    (release / "link.pkl").symlink_to("/etc/passwd")
    page = tmp_path / "report.html"
    assured = assure(release, alone, use_case=use_case(), report=page)
    assert not assured.yes
    assert assured.recorded == ()
    assert kinds(alone) == []
    assert "cannot be named" in words(page)
    assert assured.to_json()["subject"]["digest"] is None


def test_hostile_names_are_inert_on_the_page(alone: Node, tmp_path: Path, deliver: Deliver) -> None:
    """A file name that is markup, and one with a direction mark, are shown and obeyed by nobody."""
    release = deliver(tmp_path / "r")
    (release / "<script>alert(1)<").mkdir()
    (release / "<script>alert(1)<" / "script>.txt").write_text("x")
    page = tmp_path / "report.html"
    assure(release, alone, system="recon\u202evision", release="<img src=x>", report=page)
    parsed = Words(page.read_text("utf-8"))
    assert {"script", "img"}.isdisjoint(parsed.tags)
    assert "\u202e" not in page.read_text("utf-8")
    assert "U+202E" in parsed.words


@pytest.mark.parametrize("place", ["report", "home"])
def test_the_release_is_not_changed_by_being_looked_at(
    alone: Node, tmp_path: Path, deliver: Deliver, place: str
) -> None:
    """A page or a node inside the release would become part of it; nothing is recorded."""
    release = deliver(tmp_path / "r")
    target, report = (release, release / "report.html") if place == "report" else (tmp_path, tmp_path.parent / "x.html")
    with pytest.raises(InTheWay, match="part of the release"):
        assure(target, alone, report=report)
    assert kinds(alone) == []


def test_nothing_there_is_an_error_that_records_nothing(alone: Node, tmp_path: Path) -> None:
    """A missing path and an empty folder are not "nothing found"."""
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "missing", tmp_path / "empty"):
        with pytest.raises(NothingThere):
            assure(path, alone, report=tmp_path / "report.html")
    assert kinds(alone) == []
    assert not (tmp_path / "report.html").exists()


def test_a_page_that_cannot_be_written_is_found_out_first(alone: Node, tmp_path: Path, deliver: Deliver) -> None:
    """Before anything is signed."""
    with pytest.raises(InTheWay, match="does not exist"):
        assure(deliver(tmp_path / "r"), alone, report=tmp_path / "nowhere" / "report.html")
    assert kinds(alone) == []


# -- cut off --------------------------------------------------------------------------------------

STEPS = (
    "inspect_path", "read_card", "bill_of_materials", "record_inspection", "record_bill", "publish", "decide", "render",
    "_write",
)  # fmt: skip


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_cut_off_at_any_step_the_node_is_intact_and_the_next_run_finishes(
    tmp_path: Path, clock: FixedClock, alone: Node, deliver: Deliver, use_case: UseCase,
    monkeypatch: pytest.MonkeyPatch, step: str, when: str,
) -> None:  # fmt: skip
    """Ctrl-C before or after each step: every ledger checks, and the same command again says nothing twice."""
    owner: Any = Node if step == "publish" else job
    real = getattr(owner, step)

    def cut(*args: Any, **how: Any) -> Any:
        if when == "after":
            real(*args, **how)
        raise KeyboardInterrupt

    release, page = deliver(tmp_path / "r"), tmp_path / "report.html"
    page.write_text("the page of yesterday")
    monkeypatch.setattr(owner, step, cut)
    with pytest.raises(KeyboardInterrupt):
        assure(release, alone, use_case=use_case(), report=page)
    monkeypatch.undo()
    alone.close()
    assert page.read_text() == "the page of yesterday" or (step, when) == ("_write", "after")
    with Node.open(alone.home, clock=clock, writing=True) as again:
        again.check()
        assured = assure(release, again, use_case=use_case(), report=page)
        again.check()
        assert assured.yes
        assert kinds(again).count("inspection") == 1
        assert kinds(again).count("bill-of-materials") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"node", "r", "report.html"}


class FullDisk:
    """``os.fsync`` that says ENOSPC from the n-th call on, until it is taken away."""

    def __init__(self, fails_at: int) -> None:
        self.calls = 0
        self.fails_at = fails_at

    def __call__(self, descriptor: int) -> None:
        self.calls += 1
        if self.calls >= self.fails_at:
            raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_an_error_and_the_node_stays_intact(
    tmp_path: Path, clock: FixedClock, deliver: Deliver, use_case: UseCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Space ends at the n-th sync of a run, for a spread of n over all of them: an error of ours, never an answer; the
    node opens, checks, and finishes once there is space."""
    release, page = deliver(tmp_path / "r"), tmp_path / "report.html"
    founded, _ = embedded_node(tmp_path / "node", clock=clock)

    def run(number: int, disk: FullDisk) -> None:
        home = shutil.copytree(founded, tmp_path / f"node-{number}")
        with Node.open(home, clock=clock, writing=True) as node, monkeypatch.context() as patched:
            patched.setattr(os, "fsync", disk)
            assure(release, node, use_case=use_case(), report=page)

    whole = FullDisk(10**9)
    run(0, whole)
    # How many folders are synced varies by a few from run to run, so the last points stay clear of the end.
    points = (1, 2, whole.calls // 3, whole.calls * 2 // 3, whole.calls - 8)
    assert points[-1] > 20
    for fails_at in points:
        page.unlink()
        with pytest.raises(WatchwordError, match=r"space|disk"):
            run(fails_at, FullDisk(fails_at))
        assert not page.exists()
        with Node.open(tmp_path / f"node-{fails_at}", clock=clock, writing=True) as node:
            node.check()
            assert assure(release, node, use_case=use_case(), report=page).yes
            node.check()


def test_a_page_that_does_not_fit_leaves_the_old_one(
    alone: Node, tmp_path: Path, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full when the page is written: an error that names it, yesterday's page whole, nothing beside it."""
    page, real = tmp_path / "report.html", job._write
    page.write_text("the page of yesterday")

    def on_a_full_disk(path: Path, data: bytes) -> None:
        monkeypatch.setattr(os, "fsync", FullDisk(1))
        real(path, data)

    monkeypatch.setattr(job, "_write", on_a_full_disk)
    with pytest.raises(WatchwordError, match=r"report\.html: No space"):
        assure(deliver(tmp_path / "r"), alone, report=page)
    monkeypatch.undo()
    assert page.read_text() == "the page of yesterday"
    assert {path.name for path in tmp_path.iterdir()} == {"node", "r", "report.html"}


# -- among others ---------------------------------------------------------------------------------


@pytest.fixture
def alliance(tmp_path: Path, clock: FixedClock) -> Iterator[Alliance]:
    """Three members and a supplier under the alliance pack."""
    pack = read_pack()
    made = make_alliance(
        tmp_path / "alliance", NAMES[:3], clock=clock, requirements=pack.requirements, red_lines=pack.red_lines
    )
    yield made
    made.close()


def test_what_is_not_cosigned_yet_is_recorded_and_not_decided(
    alliance: Alliance, tmp_path: Path, deliver: Deliver, use_case: UseCase
) -> None:
    """In a larger alliance evidence counts once others cosigned it: the answer says exactly that, and it is no yes."""
    page = tmp_path / "report.html"
    assured = assure(
        deliver(tmp_path / "recon-vision"), alliance.nodes["ALFA"], release="7", use_case=use_case(), report=page
    )
    assert not assured.yes
    assert assured.admission is None
    assert assured.why_not == (
        'recorded ALFA#0, ALFA#1, not yet cosigned: exchange, then watchword admit "recon-vision 7" --use FILE'
    )
    assert "not yet cosigned" in words(page)
    assert "decision" not in kinds(alliance.nodes["ALFA"])


def test_after_the_exchange_the_decision_has_its_page(
    alliance: Alliance, clock: FixedClock, tmp_path: Path, deliver: Deliver, use_case: UseCase
) -> None:
    """Claim, evidence, exchange, decision: witnessed, and the page lists who cosigned and what it rests on."""
    alfa = alliance.nodes["ALFA"]
    release = deliver(tmp_path / "recon-vision")
    assured = assure(release, alfa, release="7", report=tmp_path / "report.html")
    alfa.append_envelope(alliance.claim(subject=assured.subject))
    alfa.publish()
    alliance.sync()
    clock.advance(60)
    case = use_case() | {"members": ["ALFA"], "owner": "ALFA"}
    admission, recorded = job.decide(alfa, assured.subject, case)
    assert admission.admitted
    page = decision_page(alfa, admission, alfa.facts(alfa.latest_view()))
    said = " ".join(Words(page).words.split())
    for part in (
        "ADMITTED", "recon-vision 7", "witnessed, as of", "AQUILA, supplier", "ALFA, evaluator", recorded.locator,
        "bravo.example/witness", "the files were not looked at again",
    ):  # fmt: skip
        assert part in said


def test_an_evaluation_is_drawn_on_the_page(alone: Node, tmp_path: Path, deliver: Deliver, use_case: UseCase) -> None:
    """The pictures of its attached report stand under the table; a report of another tool has none, and is no
    trouble."""
    release = deliver(tmp_path / "recon-vision")
    subject = assure(release, alone, release="7", report=tmp_path / "first.html").subject
    report = b'{"by_label": {"letter": [3, 20]}, "curve": [{"eps": "0.1", "k": 36, "n": 40}]}'
    for text in (report, b"theirs"):
        attached = alone.attach("evaluation.json", "application/json", text)
        alone.sign_and_append("evaluation", (subject,), FIELDS["evaluation"] | {"report": attached})
    alone.publish()
    page = tmp_path / "report.html"
    assure(release, alone, system="recon-vision", release="7", use_case=use_case(), report=page)
    text = page.read_text("utf-8")
    assert text.count('class="curve"') == 1 and text.count("Pictures of LOCAL#") == 1
    assert 'aria-label="what fell: letter 0.15 (' in text


def test_a_claim_names_the_supplier_in_the_bill(alliance: Alliance, tmp_path: Path, deliver: Deliver) -> None:
    """Who claims a release is its supplier in the bill of materials made after it."""
    alfa = alliance.nodes["ALFA"]
    release = deliver(tmp_path / "recon-vision")
    before = assure(release, alfa, release="7", report=tmp_path / "report.html")
    assert before.bill is not None
    assert "supplier" not in before.bill.document["metadata"]
    alfa.append_envelope(alliance.claim(subject=before.subject))
    after = assure(release, alfa, release="7", report=tmp_path / "report.html")
    assert after.bill is not None
    assert after.bill.document["metadata"]["supplier"] == {"name": "AQUILA"}

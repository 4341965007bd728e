from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from typing import Any

from watchword.limits import REPORT_COMPONENTS_MAX, REPORT_FILES_MAX, REPORT_FINDINGS_MAX
from watchword.report.contents import Answer, Bill, Component, Finding, Report
from watchword.report.page import render
from watchword.report.style import SHEET

Make = Callable[..., Report]
VOID = {"meta"}
HOSTILE = "</td><script>alert(1)</script>\u202e\u200b'\"><img src=//x.example/p onerror=alert(1)>"


class Page(HTMLParser):
    """Checks that tags nest, and keeps the tags, the attributes and the words."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((name, dict(attributes)))
        self.open.append(name)

    def handle_startendtag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((name, dict(attributes)))

    def handle_endtag(self, name: str) -> None:
        assert self.open and self.open[-1] == name, f"</{name}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words += data + " "


def read(report: Report) -> Page:
    page = Page()
    page.feed(render(report))
    page.close()
    assert page.open == []
    return page


def poisoned(value: Any) -> Any:
    """The same report with every text in it replaced by a hostile one, states excepted."""
    if isinstance(value, str):
        return HOSTILE
    if isinstance(value, tuple):
        return tuple(poisoned(one) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: poisoned(getattr(value, field.name)) for field in fields(value)})
    return value


def test_the_page_is_well_formed_and_says_the_verdict_first(report: Make) -> None:
    """Tags nest; the first words after the title are the verdict and its sentence."""
    page = read(report())
    words = " ".join(page.words.split())
    assert words.index("REFUSED") < words.index("may not be used for border-watch") < words.index("What was required")
    headings = [name for name, _ in page.tags if re.fullmatch("h[1-6]", name)]
    assert headings.count("h1") == 1
    assert headings[0] == "h1"


def test_nothing_is_fetched_and_nothing_runs(report: Make) -> None:
    """No script, image, form or outside link; the policy forbids them besides, and admits the one style sheet."""
    page = read(report())
    names = {name for name, _ in page.tags}
    assert names.isdisjoint({"script", "iframe", "object", "embed", "img", "link", "form", "base", "audio", "video"})
    for _, attributes in page.tags:
        assert not any(key.startswith("on") or key in ("src", "style", "srcset") for key in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    [policy] = [a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    sheet = re.search("<style>(.*?)</style>", render(report()), re.DOTALL)
    assert sheet is not None
    digest = base64.b64encode(hashlib.sha256(sheet[1].encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert "url(" not in SHEET
    assert "@import" not in SHEET


def test_every_hostile_text_is_inert(report: Make) -> None:
    """Markup and direction marks in every single text of the report; fails where one is not escaped."""
    page = read(poisoned(report()))
    assert {name for name, _ in page.tags}.isdisjoint({"script", "img"})
    assert "\u202e" not in render(poisoned(report()))
    assert "U+202E" in page.words


def test_requirements_unmet_come_first_with_who_owes_them(report: Make) -> None:
    """What is missing, what there is, and whose duty it is stand together."""
    words = " ".join(read(report()).words.split())
    assert words.index("two-evaluations") < words.index("supplier-claim")
    assert "1 of 2, from ALFA" in words
    assert "injection-v3 has 1 of 2 (ALFA)" in words
    assert "Does not apply to this use case: human-factors" in words


def test_a_finding_shows_its_offset_and_what_loading_would_run(report: Make) -> None:
    """The offset in decimal and hexadecimal, and the reconstruction."""
    words = read(report()).words
    assert "byte 420 (0x1a4)" in words
    assert "posix.system('id > /tmp/x')" in words


def test_what_was_not_looked_at_is_said(report: Make) -> None:
    """Byte ranges that no rule saw are counted and named."""
    words = read(report()).words
    assert "735,904 bytes were not looked at" in words
    assert "bytes 4,096 to 740,000 not looked at" in words


def test_a_principle_without_evidence_says_nothing_yet(report: Make) -> None:
    """Silence is written out."""
    words = " ".join(read(report()).words.split())
    assert re.search(r"A\. Lawfulness open none applies nothing yet", words)


def test_without_a_decision_the_page_says_so(report: Make) -> None:
    """Nothing decided, nothing found, nothing recorded, no card: each is a sentence, none is an empty table."""
    bare = report(
        answer=Answer("not decided", "Recorded ALFA#12, not yet cosigned.", "", ""),
        requirements=(), red_lines=(), principles=(), notices=(), stale=(), findings=(), statements=(), heads=(),
        use_case=(), decision="", bill=Bill("CycloneDX 1.6", "sha256:00", (), (), ()),
    )  # fmt: skip
    words = " ".join(read(bare).words.split())
    for said in (
        "NOT DECIDED", "no decision was made", "no requirement was weighed", "no red line was weighed",
        "no evidence was set against the principles", "No finding. A search that found nothing does not prove",
        "No statement was recorded", "No ledger head was cosigned yet", "carries no card",
    ):  # fmt: skip
        assert said in words
    assert "Recorded ALFA#12, not yet cosigned." in words


def test_long_lists_are_cut_and_the_true_number_told(report: Make) -> None:
    """A release of many files gives a page that can be opened; in linear time, and never silently short."""
    finding, file = report().findings[0], report().looked[0]
    many = report(
        findings=tuple(replace(finding, path=f"f{n}") for n in range(5_000)),
        looked=tuple(replace(file, path=f"f{n}") for n in range(20_000)),
        bill=replace(report().bill, components=tuple(Component(f"f{n}", "file", "", "", "") for n in range(5_000))),
    )
    started = time.process_time()
    words = read(many).words
    assert time.process_time() - started < 5
    assert f"{REPORT_FINDINGS_MAX:,} of 5,000 findings" in words
    assert f"{REPORT_FILES_MAX:,} of 20,000 files" in words
    assert f"{REPORT_COMPONENTS_MAX:,} of 5,000 components" in words


def test_the_worst_stands_first(report: Make) -> None:
    """Cut lists lose the harmless end: one dangerous file among thousands is on the page."""
    finding = replace(report().findings[1], verdict="suspicious")
    worst = Finding("pickle-call", "dangerous", "critical", "the-one.pkl", 7, "calls", "", ())
    words = read(report(findings=(*(finding for _ in range(500)), worst))).words
    assert "the-one.pkl" in words


def test_the_auditors_line_and_the_limits_are_there(report: Make) -> None:
    """The page tells how to check it, and what it does not show."""
    words = read(report()).words
    assert "python verify.py charter.json proof.json" in words
    assert "evidence, not proof" in words
    assert "it is not signed itself" in words


def test_states_are_words_with_signs(report: Make) -> None:
    """Each state is written out beside its sign, so that no colour carries it alone."""
    page = read(report())
    chips = [a for name, a in page.tags if name == "span" and (a.get("class") or "").startswith("chip")]
    assert len(chips) > 10
    assert not re.search(r'class="chip [a-z]+"><svg[^>]*><path[^>]*/></svg></span>', render(report()))


def test_same_report_same_bytes(report: Make) -> None:
    """The page holds no clock and no randomness of its own."""
    assert render(report()) == render(report())

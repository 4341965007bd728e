"""The review page: each listed row is decided with a reason, by whoever holds the address; nothing is run or sent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="what `data review --page` needs is not installed")
pytest.importorskip("uvicorn", reason="what `data review --page` needs is not installed")

from watchword.limits import REVIEW_FORM_BYTES_MAX
from watchword.web.reviewing import Review

LISTED = [
    {"row": row, "key": f"m{row}", "label": "port", "rest_says": "<b>money</b>", "why": "label"} for row in range(1, 24)
]
TEXTS = {1: "zephyr <script>alert(1)</script> \u202egnp"}


@pytest.fixture
def review() -> Iterator[Review]:
    from watchword.web.serving import listen, server

    bound, ready = listen("127.0.0.1", 0), threading.Event()
    made = Review("mails.csv", LISTED, TEXTS, f"127.0.0.1:{bound.getsockname()[1]}")
    running = server(made.app, None, None, ready.set)
    thread = threading.Thread(target=running.run, args=([bound],))
    thread.start()
    assert ready.wait(60)
    yield made
    running.should_exit = running.force_exit = True
    thread.join()


def asked(url: str, form: list[tuple[str, str]] | None = None, host: str | None = None) -> tuple[int, str]:
    """Status and text of an answer; redirects are followed, as a browser does."""
    data = None if form is None else urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(url, data, {} if host is None else {"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "script-src" not in policy
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def form_of(rows: range, decision: str = "drop", reason: str = "planted", then: str = "on") -> list[tuple[str, str]]:
    given = [(f"decision-{row}", decision) for row in rows] + [(f"reason-{row}", reason) for row in rows]
    return [*given, ("then", then)]


def test_every_listed_row_is_decided_page_by_page(review: Review) -> None:
    """Twenty rows a page; what was saved stands when a page is seen again; all decided, the review is finished."""
    ended = threading.Event()
    review.finished = ended.set
    status, text = asked(review.address)
    assert status == 200 and text.count("<fieldset>") == 20 and "0 of 23 listed rows" in text
    status, text = asked(review.address, form_of(range(1, 21)))
    assert text.count("<fieldset>") == 3 and "20 of 23 listed rows" in text
    assert asked(review.address)[1].count('value="drop" checked') == 20
    status, text = asked(f"{review.address}?page=2", form_of(range(21, 24), "keep", "looks right", "end"))
    assert status == 200 and "20 rows to drop, 3 to keep." in text and ended.is_set()
    assert [(one.row, one.decision) for one in review.decisions or ()] == [
        *((row, "drop") for row in range(1, 21)), *((row, "keep") for row in range(21, 24))
    ]  # fmt: skip


def test_a_row_without_a_decision_or_a_reason_does_not_end_a_review(review: Review) -> None:
    """Seen to fail without the check: a row that nobody looked at would be kept in silence."""
    status, text = asked(review.address, form_of(range(1, 21), then="end"))
    assert status == 422 and "row 21: is still open" in text and review.decisions is None
    status, text = asked(review.address, form_of(range(1, 21), reason=" "))
    assert status == 422 and "row 1: has no reason" in text
    status, text = asked(review.address, form_of(range(1, 21), decision="maybe"))
    assert status == 422 and "is neither keep nor drop" in text
    assert review.decisions is None


def test_rows_of_a_delivery_cannot_write_on_the_page(review: Review) -> None:
    """Markup is text, and a character that turns the writing round is its code."""
    text = asked(review.address)[1]
    assert "<script" not in text and "<b>money" not in text and "\u202e" not in text
    assert "zephyr &lt;script&gt;" in text and "U+202E" in text


def test_nobody_without_the_address_sees_or_decides_anything(review: Review) -> None:
    """Seen to fail without either check: another path is 404, another host (DNS rebinding) 421, asked or told."""
    base = review.address.rpartition("/")[0]
    for form in (None, form_of(range(1, 21))):
        assert asked(f"{base}/other", form)[0] == 404
        assert asked(review.address, form, host="evil.example")[0] == 421
        assert asked(f"{review.address}?page=3", form)[0] == 404
    assert "0 of 23 listed rows" in asked(review.address)[1]


def test_what_is_no_form_of_the_page_is_refused(review: Review) -> None:
    """A field twice, more fields than there are, or more bytes than a page can send: an error, and nothing is taken."""
    assert asked(review.address, [*form_of(range(1, 21))[:-1], ("decision-1", "keep")])[0] == 400
    assert asked(review.address, form_of(range(1, 60)))[0] == 400
    assert asked(review.address, [("reason-1", "x" * REVIEW_FORM_BYTES_MAX)])[0] == 413
    assert "0 of 23 listed rows" in asked(review.address)[1]


def test_the_command_waits_for_the_page_and_writes_what_was_decided(tmp_path: Path) -> None:
    """From the address on standard error to the cleaned delivery."""
    from watchword.data import manifest_rows

    (tmp_path / "a.csv").write_text("id,x,label\nr1,1,a\nr2,2,b\nr3,3,a\n", "utf-8")
    digest = manifest_rows(tmp_path / "a.csv", key="id", label="label").digest.hex()
    listed = [{"row": row, "key": f"r{row}", "label": "a", "rest_says": "b", "why": "label"} for row in (1, 2)]
    value = {"schema": "watchword-data-screen/1", "manifest": f"sha256:{digest}", "listed": listed}
    (tmp_path / "s.json").write_text(json.dumps(value), "utf-8")
    words = ["data", "review", "s.json", "a.csv", "--key", "id", "--label", "label", "--page", "--output", "b.csv"]
    command = [sys.executable, "-m", "watchword", *words]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=os.environ) as running:
        assert running.stderr is not None
        address = running.stderr.readline().split()[-1]
        assert "r2,2,b" in asked(address)[1]
        form = [("decision-1", "keep"), ("reason-1", "fine"), ("decision-2", "drop"), ("reason-2", "planted")]
        assert "1 rows to drop, 1 to keep." in asked(address, [*form, ("then", "end")])[1]
        assert running.wait(60) == 0
    assert (tmp_path / "b.csv").read_text("utf-8") == "id,x,label\nr1,1,a\nr3,3,a\n"
    told = json.loads((tmp_path / "b.csv.review.json").read_text("utf-8"))
    assert told["decisions"][1] == {"row": 2, "decision": "drop", "reason": "planted"}

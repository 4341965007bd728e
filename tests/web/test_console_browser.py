"""The console in a browser: each job as a person does it, what assistive technology meets, and without a script."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alliance import RELEASE, notice_subject
from decisions import FIELDS
from devices import Device
from gate.gated import ALONE, FAST, USE_CASE, Gated, gated

pytest.importorskip("starlette", reason="what `serve` needs is not installed")
from web.browsers import Browser, opened
from web.test_console_pages import INCIDENT, POSITIONS

from watchword.gate.holding import NoSuchHold
from watchword.node import Node, sign_only
from watchword.statements.canonical import canonical
from watchword.statements.digests import DJ
from watchword.statements.statement import Subject
from watchword.web.console.access import link
from watchword.web.console.sheets import SHEETS

BOUND = socket.create_server(("127.0.0.1", 0))
atexit.register(BOUND.close)
ORIGIN = f"http://localhost:{BOUND.getsockname()[1]}"
COMMANDER, OFFICIAL = Device(ORIGIN), Device(ORIGIN)
AXE = Path(os.environ.get("WATCHWORD_CONFORMANCE", Path(sys.prefix) / "conformance"))
AXE = AXE / "node_modules" / "axe-core" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@dataclass
class Served:
    """A gate at ALFA, alone, and its node served with its console."""

    here: Gated
    node: Node

    @property
    def link(self) -> str:
        return link(self.node, ORIGIN)

    @property
    def release(self) -> str:
        return next(s.statement.subject[0].digest for s in self.node.statements() if s.statement.kind == "decision")

    @property
    def incident(self) -> str:
        """A fresh incident about the release."""
        target = f"release:{self.release}"
        alfa = self.here.at("ALFA")
        said = INCIDENT | {"target": target}
        recorded = alfa.sign_and_append("incident", notice_subject(target), said, person="official")
        alfa.publish()
        return recorded.id

    @property
    def decision(self) -> str:
        return next(s.statement.id for s in self.node.statements() if s.statement.kind == "decision")


@pytest.fixture
def served() -> Iterator[Served]:
    from watchword.web.console.door import console
    from watchword.web.ledgers import app
    from watchword.web.reopening import Reopening
    from watchword.web.serving import Beside, server

    with tempfile.TemporaryDirectory(prefix="watchword-console-", dir=FAST) as folder:
        here = gated(Path(folder), ALONE, COMMANDER, official=OFFICIAL)
        reader, ready = Node.open(here.folder / "ALFA", clock=here.clock), threading.Event()
        both = Beside(Reopening(reader, app), Reopening(reader, console(reader, ORIGIN, {})), "/console")
        running = server(both, None, None, ready.set)
        thread = threading.Thread(target=running.run, args=([BOUND.dup()],))
        thread.start()
        try:
            assert ready.wait(60)
            yield Served(here, reader)
        finally:
            running.should_exit = running.force_exit = True
            thread.join()
            reader.close()
            here.close()


def signed_in(chromium: Any, device: Device) -> Browser:
    """A page of whoever has *device*, who has signed in with it."""
    browser = opened(chromium, device)
    browser.page.goto(f"{ORIGIN}/console/sign-in")
    browser.page.click("#passkey")
    browser.page.wait_for_url("**/console/status", timeout=60_000)
    return browser


def test_an_official_admits_recalls_and_answers_with_a_passkey_session(served: Served, chromium: Any) -> None:
    """Status, the use, why it is admitted, *Record*; then the release, *Recall*; the same use is refused; *Answer*."""
    browser = signed_in(chromium, OFFICIAL)
    page = browser.page
    served.here.nodes.pop("ALFA").close()
    page.click("a:has-text('mailsort 1.0 for watch')")
    assert "ADMITTED" in page.inner_text(".verdict")
    page.click("button:has-text('Record: admitted, as official')")
    page.wait_for_url("**/console/decisions/*", timeout=60_000)
    assert "made again here: the same bytes" in page.inner_text("main")
    page.goto(f"{ORIGIN}/console/releases/{served.release}")
    page.select_option("#severity", "emergency")
    page.fill("#reason", "payload found")
    page.click("button:has-text('Sign the recall as official')")
    page.wait_for_url("**/console/statements/*", timeout=60_000)
    page.goto(f"{ORIGIN}/console/admissions/{served.release}/{DJ(USE_CASE)}")
    assert "REFUSED" in page.inner_text(".verdict") and "recall of release" in page.inner_text(".verdict")
    page.goto(f"{ORIGIN}/console/recalls")
    assert "emergency" in page.inner_text("main") and "told nobody: mailsort 1.0" in page.inner_text("main")
    page.click("button:has-text('Answer: its actions are done')")
    page.wait_for_url("**/console/statements/*", timeout=60_000)
    assert "recall-answer" in page.inner_text("h1")
    assert {one.partition("://")[2].partition("/")[0] for one in browser.fetched} == {ORIGIN[7:]}
    page.context.close()


def test_a_commander_approves_and_refuses_from_the_queue(served: Served, chromium: Any) -> None:
    """One action on each screen; one device signs; exactly that action goes, and the other does not."""
    first, second = served.here.held(), served.here.held()
    browser = signed_in(chromium, COMMANDER)
    page = browser.page
    page.click("nav a:has-text('Approvals')")
    page.click(f"a:has-text('{first}')")
    assert "tower-12" in page.inner_text("#preview")
    assert browser.press("button[data-answer=approve]").startswith("Signed by commander of ALFA: approve.")
    page.click("a:has-text('All that waits')")
    page.click(f"a:has-text('{second}')")
    assert browser.press("button[data-answer=refuse]").startswith("Signed by commander of ALFA: refuse.")
    assert served.here.gate.release(first).event == "released"
    with pytest.raises(NoSuchHold, match="it was refused"):
        served.here.gate.release(second)
    page.context.close()


def test_a_passkey_of_nobody_here_opens_nothing(served: Served, chromium: Any) -> None:
    """A device that the charter does not list is not even asked; and a signature over another nonce is refused.

    Seen to fail without the check of the nonce.
    """
    browser = opened(chromium, OFFICIAL)
    browser.page.goto(f"{ORIGIN}/console/sign-in")
    browser.page.eval_on_selector("#passkey", "(one) => { one.dataset.nonce = 'another'; }")
    assert "nobody asked for this answer" in browser.press("#passkey")
    assert browser.page.goto(f"{ORIGIN}/console/status").status == 401
    browser.page.context.close()


def test_a_statement_signed_elsewhere_is_handed_in_and_followed(served: Served, chromium: Any, tmp_path: Path) -> None:
    """Choose its file, *Record it*, read it; a changed one is refused by name; a recall of another closes the use; the
    positions and the incident are read from the menu."""
    target, alone = f"release:{served.release}", served.here.folder / "ALFA"
    said = {"of": "legal", "outcome": "in favour", "text": "", "report": None}
    subject = (Subject("mailsort 1.0", served.release),)
    review = sign_only(alone, "review", subject, said, person="official", clock=served.here.clock)
    (tmp_path / "review.json").write_bytes(review)
    (tmp_path / "none.json").write_bytes(review.replace(b"payload", b"pay1oad"))
    served.here.nodes.pop("ALFA").close()
    browser = signed_in(chromium, OFFICIAL)
    page = browser.page
    page.click("nav a:has-text('Record')")
    assert faults(page) == []
    page.set_input_files("#file", tmp_path / "none.json")
    page.click("button:has-text('Record it')")
    assert "this is no signed statement" in page.inner_text("main")
    page.goto(f"{ORIGIN}/console/record")
    page.set_input_files("#file", tmp_path / "review.json")
    page.click("button:has-text('Record it')")
    page.wait_for_url("**/console/statements/*", timeout=60_000)
    assert "in favour" in page.inner_text("main") and "review" in page.inner_text("h1")
    incident = sign_only(
        alone, "incident", notice_subject(target), INCIDENT | {"target": target}, person="official",
        clock=served.here.clock,
    )  # fmt: skip
    page.goto(f"{ORIGIN}/console/record")
    page.fill("#envelope", incident.decode())
    page.click("button:has-text('Record it')")
    page.wait_for_url("**/console/statements/*", timeout=60_000)
    page.click("nav a:has-text('Incidents')")
    page.click("a:has-text('a camera turned without need')")
    assert "AML.T0051@5.6.0" in page.inner_text("main") and "high" in page.inner_text("main")
    assert {one.partition("://")[2].partition("/")[0] for one in browser.fetched} == {ORIGIN[7:]}
    page.context.close()


def test_positions_are_compared_without_a_script(served: Served, chromium: Any) -> None:
    """Those kept here, and one pasted; nothing of it needs JavaScript."""
    shutil.copytree(POSITIONS, served.node.home / "positions")
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(served.link)
    page.click("button:has-text('Sign in to look')")
    page.click("nav a:has-text('Positions')")
    assert "All 3 accept a table of 19 of 22 rows" in page.inner_text(".verdict")
    page.fill("#position-1", 'member = "DELTA"\ntable = ["alliance"]\notherwise = "refuse"\n')
    page.click("button:has-text('Compare')")
    assert "All 4 accept a table of 0 of 22 rows" in page.inner_text(".verdict")
    context.close()


def test_two_charters_are_compared_without_a_script(served: Served, chromium: Any) -> None:
    """A link from the terminal signs in, a form compares; nothing of it needs JavaScript."""
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(served.link)
    page.click("button:has-text('Sign in to look')")
    page.click("nav a:has-text('Charter')")
    file = json.loads((served.node.home / "charter.json").read_text("utf-8"))
    file["charter"]["requirements"][0]["text"] = "The supplier says what it sells."
    page.fill("#charter", canonical(file).decode())
    page.click("button:has-text('Compare with the one in force')")
    assert "supplier-claim" in page.inner_text("table") and "1 changes" in page.inner_text("caption")
    context.close()


def faults(page: Any) -> list[tuple[str, str]]:
    """What axe finds on a page."""
    page.evaluate(AXE.read_text("utf-8"))
    told = page.evaluate("(tags) => axe.run({ runOnly: tags })", WCAG)
    return [(one["id"], one["nodes"][0]["html"][:200]) for one in told["violations"]]


def test_pages_have_no_fault_that_axe_finds(served: Served, chromium: Any) -> None:
    """WCAG 2.2, level AA, in light and in dark, on every page there is; and the first Tab leads past the menu."""
    if not AXE.is_file():
        pytest.skip("axe-core is not there (make heavy)")
    served.here.held()
    shutil.copytree(POSITIONS, served.node.home / "positions")
    incident, alfa = served.incident, served.here.at("ALFA")
    alfa.sign_and_append("evaluation", (RELEASE,), FIELDS["evaluation"], person="evaluator")
    alfa.publish()
    evaluation = next(one.statement.id for one in alfa.statements() if one.statement.kind == "evaluation")
    special = {"/evaluations/{id}": evaluation, "/incidents/{id}": incident}
    charter = served.node.charter.digest
    paths = [
        one.path.format(
            digest=charter if one.path.startswith("/charters") else served.release, other=charter, member="ALFA",
            use=DJ(USE_CASE), id=special.get(one.path, served.decision), supplier="AQUILA",
        )
        for one in SHEETS
    ]  # fmt: skip
    paths += ["/exposure?of=mailsort&stops=1", "/sign-in", "/releases/sha256:" + "00" * 32]
    found = []
    for scheme in ("light", "dark"):
        context = chromium.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(served.link if scheme == "light" else f"{ORIGIN}/console/patterns")
        if scheme == "light":
            page.click("button:has-text('Sign in to look')")
            cookies = context.cookies()
        else:
            context.add_cookies(cookies)
        for path in paths:
            assert page.goto(f"{ORIGIN}/console{path}").status == (404 if path.endswith("00" * 32) else 200), path
            found += [(scheme, path, *one) for one in faults(page)]
        page.goto(f"{ORIGIN}/console/status")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        context.close()
    assert found == []


def test_the_description_holds_whatever_is_asked(served: Served, tmp_path: Path, monkeypatch: Any) -> None:
    """schemathesis, which knows only the OpenAPI description, finds no answer that it does not describe."""
    pytest.importorskip("schemathesis", reason="schemathesis is not installed (make heavy)")
    monkeypatch.setattr("watchword.web.console.access.CONSOLE_PAGES_PER_MINUTE", 1_000_000)
    path, name = served.link[len(ORIGIN) :], "watchword"
    request = urllib.request.Request(f"http://127.0.0.1:{ORIGIN.rpartition(':')[2]}{path}", b"", method="POST")
    request.add_header("Host", ORIGIN[7:])
    request.add_header("Origin", ORIGIN)

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    try:
        urllib.request.build_opener(Stay).open(request, timeout=60)
    except urllib.error.HTTPError as error:
        cookie = str(error.headers["Set-Cookie"]).partition(";")[0]
    assert cookie.startswith(f"{name}=")
    checks = (
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
        "negative_data_rejection,unsupported_method"
    )
    real = {
        "digest": served.release, "use": DJ(USE_CASE), "id": served.decision, "member": "ALFA",
        "supplier": "AQUILA",
        "other": served.node.charter.digest,
    }  # fmt: skip
    lines = [f"{json.dumps('path.' + one)} = {json.dumps(value)}" for one, value in real.items()]
    (tmp_path / "schemathesis.toml").write_text("\n".join(["[parameters]", *lines]) + "\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", f"{ORIGIN}/console/openapi.json", "-H", f"Cookie: {cookie}",
         "--checks", checks, "--phases", "coverage,fuzzing", "--max-examples", "3", "--seed", "7", "--no-color"],
        capture_output=True, text=True, timeout=300, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]

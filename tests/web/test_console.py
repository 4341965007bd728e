"""The console: its pages and twins, who may read and write, what is recorded of it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from alliance import RELEASE
from decisions import FIELDS
from gate.gated import FAST, NAMES, USE_CASE, gated

pytest.importorskip("starlette", reason="what `serve` needs is not installed")
from web.consoled import GUEST, ORIGIN, WRITER, Consoled, place

from watchword.gate.gate import Gate
from watchword.node import Node
from watchword.node.looks import Looks
from watchword.statements.digests import DJ
from watchword.web.console.access import link
from watchword.web.console.door import Console
from watchword.web.console.sheets import SHEETS

PAGES = [one for one in SHEETS if one.path not in ("/evaluations/{id}", "/incidents/{id}")]


@pytest.mark.parametrize("sheet", PAGES, ids=[one.template for one in PAGES])
def test_every_page_has_a_twin_that_says_the_same(console: Consoled, sheet: object) -> None:
    """One data function gives page, twin and description; the page names the twin, and nothing in it is inline."""
    console.sign_in()
    console.same_as_twin(sheet, place(console, sheet.path))  # type: ignore[attr-defined]


def test_an_evaluation_has_its_pictures() -> None:
    """Accuracy against eps, what fell by label, pairs before and after, from the attached report; other members, for
    whose eyes the instances may not be, see the counts alone. A report that is none is said to be none."""
    report = {
        "by_label": {"letter": [3, 20], "<i>": [1, 20]}, "curve": [{"eps": "0.1", "k": 36, "n": 40}],
        "examples": [{"name": "7", "label": "letter", "by": "pgd", "before": "dear sir", "after": "dear <b> sir"}],
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="watchword-console-", dir=FAST) as folder:
        here = gated(Path(folder), NAMES)
        alfa = here.nodes.pop("ALFA")
        ids = []
        for text in (json.dumps(report).encode(), b"none"):
            attached = alfa.attach("evaluation.json", "application/json", text)
            ids.append(alfa.sign_and_append("evaluation", (RELEASE,), FIELDS["evaluation"] | {"report": attached}).id)
        alfa.publish()
        alfa.close()
        node = Node.open(here.folder / "ALFA", clock=here.clock)
        console = Consoled(here, node, Console(node, ORIGIN, {GUEST: "BRAVO"}))
        console.sign_in()
        drawn, none = (console.get(f"/evaluations/{id}") for id in ids)
        assert (drawn.status, none.status) == (200, 200)
        assert drawn.text.count('class="curve"') == 1 and 'aria-label="what fell: letter 0.15 (' in drawn.text
        assert "dear &lt;b&gt; sir" in drawn.text and "<b>" not in drawn.text
        assert "the report of the evaluation is not as watchword makes it" in none.text
        console.cookie, console.certificate = "", GUEST
        guest = console.get(f"/evaluations/{ids[0]}")
        assert guest.status == 200 and "dear" not in guest.text and 'class="curve"' not in guest.text
        node.close()
        here.close()


def test_who_is_not_signed_in_sees_nothing(console: Consoled) -> None:
    """Pages of the member and of the alliance answer 401, page and twin alike, but for what is public.

    Seen to fail with ``may_read`` always true.
    """
    open_to_all = {one.path for one in SHEETS if one.reads == "anyone"}
    assert open_to_all == {"/statements/{id}", "/patterns"}
    for sheet in SHEETS:
        if sheet.path not in open_to_all:
            path = place(console, sheet.path)
            assert console.get(path).status == console.get(f"{path}.json").status == 401
    assert console.get(place(console, "/statements/{id}")).status == 404
    for path in ("/bundles/{id}", "/bundles/releases/{digest}", "/charters/{other}"):
        assert console.get(place(console, path)).status == 401


def test_an_ally_reads_what_his_scope_allows(console: Consoled) -> None:
    """By his certificate: statements for the alliance, none for ALFA alone, and no page of ALFA's own.

    Seen to fail with ``is_for`` always true.
    """
    with Node.open(console.here.folder / "ALFA", clock=console.here.clock, writing=True) as writing:
        fields = {"of": "legal", "outcome": "in favour", "text": "for us alone", "report": None}
        subject = next(writing.statements()).statement.subject
        own = writing.sign_and_append("review", subject, fields, person="official", scope="own")
        writing.publish()
    console.sign_in()
    assert console.get(f"/statements/{own.id}").status == 200
    console.cookie, console.certificate = "", GUEST
    assert console.get(place(console, "/statements/{id}")).status == 200
    assert console.get(f"/statements/{own.id}").status == 404
    release = console.get(f"/releases/{subject[0].digest}.json")
    assert release.status == 200 and own.id not in release.text and release.json["uses"] == []
    assert own.id not in console.get("/ledgers/ALFA.json").text
    for path in ("/status", "/approvals", "/oversight", "/notices", "/looks"):
        assert console.get(path).status == 401
    assert console.get(place(console, "/bundles/{id}")).status == 401


def test_every_look_at_a_restricted_page_is_recorded(console: Consoled) -> None:
    """Before it is sent, in a chain that shows a line taken out of its middle; a page whose look cannot be recorded is
    not shown. Seen to fail with ``look`` left out."""
    console.sign_in()
    console.get("/status")
    console.get("/ledgers.json")
    console.get("/patterns")
    kept = Looks(console.node)
    assert [(one["page"], one["how"], one["person"]) for one in kept.newest(9)] == [
        ("/console/ledgers.json", "link", "operator"), ("/console/status", "link", "operator"),
        ("/console/sign-in", "link", "operator"),
    ]  # fmt: skip
    console.get("/charter")
    assert kept.broken() is None
    file = console.node.home / "looks" / "000001.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([lines[0], *lines[2:]]))
    assert kept.broken() == "000001.jsonl:2"
    assert "BROKEN" in console.get("/looks").text
    file.unlink()
    file.mkdir()
    assert console.get("/status").status == 503


def test_a_session_begins_on_record_or_not_at_all(console: Consoled) -> None:
    """Signing in is recorded, without what opened it; where it cannot be, nobody is signed in."""
    console.sign_in()
    token = link(console.node, ORIGIN).rpartition("/")[2]
    assert token not in (console.node.home / "looks" / "000001.jsonl").read_text("ascii")
    console.here.clock.advance(1)
    (console.node.home / "looks" / "000001.jsonl").unlink()
    (console.node.home / "looks" / "000001.jsonl").mkdir()
    refused = console.ask("POST", link(console.node, ORIGIN)[len(ORIGIN) :], origin=ORIGIN)
    assert refused.status == 503 and "set-cookie" not in refused.headers


def test_a_look_at_what_waits_is_recorded_without_its_secret(console: Consoled) -> None:
    """The desk and each held action, for who is signed in and for who only has the address; a wrong address is nobody's
    look. A page whose look cannot be recorded is not shown.

    Seen to fail without ``_looked_at``.
    """
    alfa = console.here.at("ALFA")
    console.here.gate = Gate(alfa)
    console.here.held()
    console.here.nodes.pop("ALFA").close()
    console.sign_in()
    place = console.get("/approvals.json").json["waiting"][0]["address"]
    name, token = place.split("/")[-2:]
    assert console.ask("GET", place).status == 200
    console.cookie = ""
    assert console.ask("GET", place).status == 200
    assert console.ask("GET", place[:-4] + "0000").status == 404
    kept = Looks(console.node).newest(9)
    assert [(one["page"], one["how"], one["member"]) for one in kept[:2]] == [
        (f"/console/holds/{name}", "address", None), (f"/console/holds/{name}", "link", "ALFA"),
    ]  # fmt: skip
    file = console.node.home / "looks" / "000001.jsonl"
    assert len(kept) == 4 and token not in file.read_text("ascii")
    file.unlink()
    file.mkdir()
    refused = console.ask("GET", place)
    assert refused.status == 503 and "tower-12" not in refused.text


def test_a_link_opens_once_and_for_ten_minutes(console: Consoled) -> None:
    """Looked at it only asks; pressed it opens a session; pressed again, later, or changed it opens nothing.

    Seen to fail without the list of taken links.
    """
    path = link(console.node, ORIGIN)[len(ORIGIN) :]
    assert console.ask("GET", path).status == 200
    assert console.ask("POST", path).status == 403  # no Origin: another site, or no browser
    assert console.ask("POST", path, origin="https://evil.example").status == 403
    assert console.ask("POST", path, origin=ORIGIN).status == 303
    assert console.ask("POST", path, origin=ORIGIN).status == 403
    fresh = link(console.node, ORIGIN)
    assert fresh.endswith(path.rpartition("/")[2]), "one second, one link"
    console.here.clock.advance(1)
    late = link(console.node, ORIGIN)[len(ORIGIN) :]
    assert console.ask("POST", late[:-1] + ("0" if late[-1] != "0" else "1"), origin=ORIGIN).status == 403
    console.here.clock.advance(601)
    assert console.ask("POST", late, origin=ORIGIN).status == 403


def test_a_link_made_before_this_process_opens_nothing(console: Consoled) -> None:
    """What an earlier process may have let in is not let in again."""
    path = link(console.node, ORIGIN)[len(ORIGIN) :]
    console.here.clock.advance(2)
    console.console = Console(console.node, ORIGIN)
    assert console.ask("POST", path, origin=ORIGIN).status == 403


def test_a_session_ends(console: Consoled) -> None:
    """After half an hour without a page, after eight hours in all, and when its person signs out."""
    console.sign_in()
    for _ in range(20):
        console.here.clock.advance(1_500)
        if console.get("/status").status == 401:
            break
    else:
        pytest.fail("a session outlived eight hours")
    console.sign_in()
    console.here.clock.advance(1_801)
    assert console.get("/status").status == 401
    console.sign_in()
    assert console.post("/sign-out").status == 303
    assert console.get("/status").status == 401


def test_a_form_of_another_site_does_nothing(console: Consoled) -> None:
    """Another origin, no origin, another session's token, none: nothing is signed.

    Seen to fail without ``check_form``.
    """
    console.as_person("official")
    fields = {"digest": place(console, "{digest}"), "reason": "payload found"}
    form = "application/x-www-form-urlencoded"
    from urllib.parse import urlencode

    body = urlencode({"token": console.token} | fields).encode()
    for headers in ({"origin": "https://evil.example"}, {}, {"origin": ORIGIN, "sec_fetch_site": "cross-site"}):
        assert console.ask("POST", "/console/act/recall", body, content_type=form, **headers).status == 403
    assert console.post("/act/recall", token="", **fields).status == 403
    assert console.post("/act/recall", token="0" * 43, **fields).status == 403
    assert console.get("/notices.json").json["notices"] == []


def test_an_official_recalls_in_the_console(console: Consoled) -> None:
    """The recall is his statement, in his member's notices, and the next decision on the release refuses it."""
    console.as_person("official")
    digest = place(console, "{digest}")
    release = console.get(f"/releases/{digest}")
    assert "Sign the recall as official" in release.text
    answer = console.post("/act/recall", digest=digest, reason="payload found", actions="stop\nreport")
    assert answer.status == 303, answer.text
    shown = console.ask("GET", f"{answer.headers['location']}.json").json
    assert shown["told"]["kind"] == "recall" and shown["predicate"]["actions"] == ["stop", "report"]
    assert shown["told"]["issuer"] == "ALFA"
    now = console.get(place(console, "/admissions/{digest}/{use}") + ".json").json
    assert now["verdict"] == "refused" and "recall of release" in now["sentence"]


def test_an_official_answers_a_recall_in_the_console(console: Consoled) -> None:
    """What is hit is shown at home alone; *done* is what the others read, and nothing of the release."""
    console.as_person("official")
    digest = place(console, "{digest}")
    assert console.post("/act/recall", digest=digest, reason="payload found").status == 303
    page = console.get("/recalls")
    assert "Hit here, and told nobody: <bdi>mailsort 1.0" in page.text and "its actions are done" in page.text
    order = console.get("/recalls.json").json["orders"][0]
    assert order["waits"] and {one["state"] for one in order["answers"]} == {"not answered"}
    assert [one["id"] for one in console.status()["sections"]][5:] == ["recalls"]
    answer = console.post("/act/answer", id=order["id"], done="done")
    assert answer.status == 303, answer.text
    said = console.ask("GET", f"{answer.headers['location']}.json").json
    assert said["told"]["kind"] == "recall-answer" and said["predicate"]["answer"] == "done"
    assert digest not in answer.headers["location"] and digest not in str(said["predicate"])
    console.cookie, console.certificate = "", GUEST
    assert console.get("/recalls.json").json["orders"] == []


def test_an_official_records_the_decision_that_he_read(console: Consoled) -> None:
    """Recorded under his key; were it another verdict by then, nothing is signed."""
    console.as_person("official")
    digest, use = place(console, "{digest}"), DJ(USE_CASE)
    page = console.get(f"/admissions/{digest}/{use}")
    assert "Record: admitted, as official" in page.text
    before = console.get("/decisions.json").json["paged"]["count"]
    assert console.post("/act/admit", digest=digest, use=use, verdict="refused").status == 409
    answer = console.post("/act/admit", digest=digest, use=use, verdict="admitted")
    assert answer.status == 303, answer.text
    made = console.ask("GET", f"{answer.headers['location']}.json").json
    assert (made["verdict"], made["again"]) == ("admitted", True)
    assert console.get("/decisions.json").json["paged"]["count"] == before + 1


def test_what_came_later_changes_no_recorded_decision(console: Consoled) -> None:
    """Bad news that was received since is not what the decision named: made again, it has the same bytes; the
    admission of this moment is refused. Seen to fail with every loose notice of now."""
    from alliance import notice_subject

    target = f"release:{place(console, '{digest}')}"
    said = {"target": target, "reason": "found", "actions": [], "deadline": None, "supersedes": None}
    terms = {"directive": None, "severity": "urgent", "versions": [], "alternatives": []}
    envelope = console.here.sign("BRAVO", "recall", notice_subject(target), said | terms, "official")
    console.node.take_loose(envelope)
    console.sign_in()
    made = console.get(place(console, "/decisions/{id}") + ".json").json
    assert (made["verdict"], made["again"]) == ("admitted", True)
    assert console.get(place(console, "/admissions/{digest}/{use}") + ".json").json["verdict"] == "refused"


def test_who_may_not_say_it_signs_nothing(console: Consoled) -> None:
    """A link only looks; a commander recalls nothing; a session of six minutes ago signs in again; an ally writes
    nothing here. Seen to fail without ``check_writer``."""
    fields = {"digest": place(console, "{digest}"), "reason": "payload found"}
    console.sign_in()
    assert console.post("/act/recall", **fields).status == 403
    console.as_person("commander")
    assert "Sign the recall" not in console.get(place(console, "/releases/{digest}")).text
    assert console.post("/act/recall", **fields).status == 403
    console.as_person("official")
    console.here.clock.advance(301)
    assert console.post("/act/recall", **fields).status == 403
    console.cookie, console.certificate = "", GUEST
    assert console.post("/act/recall", **fields).status == 403
    console.certificate = WRITER
    assert console.post("/act/recall", **fields).status == 303


def test_nothing_is_signed_while_another_process_writes(console: Consoled) -> None:
    """The node has one writer; the page says that it is busy."""
    console.as_person("official")
    with Node.open(console.here.folder / "ALFA", clock=console.here.clock, writing=True):
        answer = console.post("/act/recall", digest=place(console, "{digest}"), reason="payload found")
    assert answer.status == 409 and "another process is writing this node" in answer.text


def test_floods_are_told_to_wait(console: Consoled) -> None:
    """Ten attempts to sign in, six hundred pages a minute; then 429, until the minute is over.

    Seen to fail with ``allows`` always true.
    """
    bad = link(console.node, ORIGIN)[len(ORIGIN) :][:-4] + "0000"
    seen = [console.ask("POST", bad, origin=ORIGIN).status for _ in range(11)]
    assert seen == [403] * 10 + [429]
    seen = [console.get("/patterns.json").status for _ in range(601)]
    assert seen[-1] == 429 and seen[:590] == [200] * 590
    console.here.clock.advance(60)
    assert console.get("/patterns.json").status == 200


def test_another_host_gets_no_answer(console: Consoled) -> None:
    """A name that an attacker points here (DNS rebinding) is refused before anything is looked at."""
    console.sign_in()
    assert console.get("/status", host="evil.example").status == 421


def test_every_answer_carries_the_strict_policy(console: Consoled) -> None:
    """Pages, twins and troubles alike: nothing but this origin's own style and script; no frame; nothing stored."""
    console.sign_in()
    for answer in (console.get("/status"), console.get("/nothing"), console.get("/status", host="evil.example")):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'") and "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store" and answer.headers["x-content-type-options"] == "nosniff"


def test_text_of_others_is_shown_and_not_obeyed(console: Consoled) -> None:
    """Markup is escaped; what changes the direction of writing is shown as its code."""
    console.as_person("official")
    reason = '<img src=x onerror="alert(1)">\u202egnp.exe'
    console.post("/act/recall", digest=place(console, "{digest}"), reason=reason)
    page = console.get("/notices").text
    assert "<img" not in page and "\u202e" not in page
    assert "&lt;img src=x onerror=&#34;alert(1)&#34;&gt;U+202Egnp.exe" in page


def test_a_charter_pasted_is_compared_and_not_kept(console: Consoled) -> None:
    """Beside the one in force; garbage is told to be none."""
    console.sign_in()
    file = (console.node.home / "charter.json").read_text("utf-8")
    same = console.post("/compare", charter=file)
    assert same.status == 200 and "nothing differs" in same.text
    assert console.post("/compare", charter="{}").status == 400


def test_a_query_that_is_not_described_is_refused(console: Consoled) -> None:
    """Unknown, twice, out of range: 400, not a guess."""
    console.sign_in()
    for query in ("page=0", "page=1&page=2", "page=x", "other=1", f"find={'x' * 201}"):
        assert console.get(f"/releases.json?{query}").status == 400, query
    assert console.get("/releases.json?page=9").json["releases"] == []
    for path in ("/releases/sha256:00", "/releases/..%2f..", "/ledgers/NOBODY", "/statements/sha256:" + "00" * 32):
        assert console.get(path).status == 404

"""A real scrape of a node that serves: what it says, to whom, and that the alert rules ask for nothing it has not."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from alliance import Alliance
from gate.gated import SLEW, Gated, gated

pytest.importorskip("prometheus_client", reason="the extra observe is not installed")

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as older
from web.test_observed import get

from watchword.account.figures import Figures
from watchword.cli.watching import metrics_beside
from watchword.node import Node
from watchword.node.looks import Looks
from watchword.node.sync import sync
from watchword.observe import steps
from watchword.observe.counts import Counts
from watchword.observe.lines import json_lines
from watchword.observe.steps import watching
from watchword.web.metrics import Shown, app

ROOT = Path(__file__).resolve().parents[2]
ALERTS = ROOT / "integrations" / "prometheus-alerts.yml"
BOARD = ROOT / "integrations" / "grafana-dashboard.json"
OPEN = b"application/openmetrics-text; version=1.0.0"


def scrape(counts: Counts, figures: Figures, accept: bytes = OPEN) -> tuple[str, str]:
    """Content type and text of ``GET /metrics``."""
    scope = {
        "type": "http", "method": "GET", "path": "/metrics", "raw_path": b"/metrics", "query_string": b"",
        "headers": [(b"accept", accept)], "http_version": "1.1",
    }  # fmt: skip
    parts: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        parts.append(message)

    shown = Shown(counts, figures)
    asyncio.run(app(shown)(scope, receive, send))
    shown.wait()
    assert parts[0]["status"] == 200
    return dict(parts[0]["headers"])[b"content-type"].decode(), b"".join(one["body"] for one in parts[1:]).decode()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gated]:
    """A gate that answered, with a hold that waits, and a peer that ``node.toml`` names."""
    made = gated(tmp_path_factory.mktemp("metrics"))
    with (made.folder / "ALFA" / "node.toml").open("a") as file:
        file.write('\n[peers]\nBRAVO = "http://127.0.0.1:9/"\n')
    yield made
    made.close()


@pytest.fixture(scope="module")
def scraped(here: Gated) -> str:
    """What Prometheus gets, in OpenMetrics."""
    counts, figures = Counts(), Figures(here.at("ALFA"))
    with watching(counts):
        here.ask()
        here.ask("launch-missile", SLEW)
        here.held()
        look = {"how": "passkey", "member": "ALFA", "page": "/console/status", "person": "official"}
        Looks(here.at("ALFA")).add(look)
        with steps.step("request", method="GET") as this:
            this.facts |= {"route": "/health", "status": 200}
        steps.trouble(OSError(5, "Input/output error"))
    figures.make()
    kind, text = scrape(counts, figures)
    assert kind.startswith("application/openmetrics-text")
    return text


def series(text: str) -> dict[str, set[str]]:
    """Names of samples, each with its labels' names."""
    found: dict[str, set[str]] = {}
    for family in openmetrics(text):
        for one in family.samples:
            found.setdefault(one.name, set()).update(one.labels)
    return found


def test_a_scrape_is_openmetrics_and_the_older_form_where_that_is_asked(here: Gated, scraped: str) -> None:
    """Both parse with their own parsers, to the end, and say the same of the node."""
    families = {one.name: one for one in openmetrics(scraped)}
    kind, old = scrape(Counts(), Figures(here.at("ALFA")), b"text/plain")
    assert kind.startswith("text/plain")
    leaves = {one.labels["ledger"]: one.value for one in families["watchword_ledger_leaves"].samples}
    assert leaves["ledger"] >= 3 and leaves["notices"] == 0
    again = {one.name: one for one in older(old)}
    assert {one.labels["ledger"]: one.value for one in again["watchword_ledger_leaves"].samples} == leaves
    assert families["watchword_holds_waiting"].samples[0].value == 1


def test_a_scrape_names_no_release_person_action_or_mandate(here: Gated, scraped: str) -> None:
    """Counts and times alone. Fails where a label takes a reason, a tool or a mandate's name."""
    hidden = [
        "launch-missile", "slew-camera", "tower-12", "commander", "border-watch", "human-before-slew", here.mandate,
        "ALFA", "CHARLIE", "recon", str(here.folder), "Input/output",
    ]  # fmt: skip
    assert [word for word in hidden if word in scraped] == []
    assert "BRAVO" in scraped  # the peer, as this machine's own node.toml calls it


def test_every_series_that_an_alert_asks_for_is_in_a_real_scrape(scraped: str) -> None:
    """Names and labels of each rule, and of the states that rules are tried with. Fails when a metric is renamed."""
    there = series(scraped) | {"ALERTS": {"alertname", "alertstate"}}
    texts = [rule["expr"] for rule in rules()]
    tried = yaml.safe_load((ROOT / "tests" / "web" / "alerts.yml").read_text("utf-8"))
    texts += [one["series"] for test in tried["tests"] for one in test["input_series"]]
    for text in texts:
        assert_asks_for(text, there)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool, of Prometheus, is not on this machine")
def test_each_rule_fires_for_what_it_is_for_and_is_silent_where_all_is_well() -> None:
    """Prometheus itself reads the rules, and tries them on a node in trouble and on one that is well."""
    for words in (("check", "rules", ALERTS), ("test", "rules", ROOT / "tests" / "web" / "alerts.yml")):
        done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0 and "SUCCESS" in done.stdout, done.stdout + done.stderr
    fired = yaml.safe_load((ROOT / "tests" / "web" / "alerts.yml").read_text("utf-8"))["tests"][0]["promql_expr_test"]
    assert fired[0]["exp_samples"] == [{"value": len(rules()) - 1}]  # one is for a node that does not answer at all


def assert_asks_for(text: str, there: dict[str, set[str]]) -> None:
    names = re.findall(r"watchword_\w+", text)
    assert names and set(names) <= there.keys(), text
    for name, labels in re.findall(r"(watchword_\w+){([^}]*)}", text):
        assert set(re.findall(r"(\w+)=", labels)) <= there[name] | {"instance"}, text
    for grouped in re.findall(r"by \(([^)]*)\)", text):
        assert set(re.split(r",\s*", grouped)) <= {"instance", *there[names[0]]}, text


def test_the_dashboard_shows_nearly_every_figure_and_asks_for_nothing_that_is_not_there(scraped: str) -> None:
    """Each family, but five that only alerts need, is in a panel that says what it shows; legends name real labels."""
    there = series(scraped)
    board = json.loads(BOARD.read_text("utf-8"))
    shown = [panel for panel in board["panels"] if panel["type"] != "row"]
    asked = [(target["expr"], target["legendFormat"]) for panel in shown for target in panel["targets"]]
    for expr, legend in asked:
        assert_asks_for(expr, there)
        (name, *_) = re.findall(r"watchword_\w+", expr)
        assert set(re.findall(r"{{(\w+)}}", legend)) <= there[name] | {"instance"}, legend
    names = {
        re.sub(r"_(total|bucket|info)$", "", name) for expr, _ in asked for name in re.findall(r"watchword_\w+", expr)
    }
    families = {one.name for one in openmetrics(scraped) if one.name.startswith("watchword_")}
    elsewhere = {
        "figures_timestamp_seconds", "witness_operators", "ledger_leaves",
        "ledger_cosignature_oldest_timestamp_seconds", "looks_unanchored_oldest_timestamp_seconds",
    }  # fmt: skip
    assert families - names == {f"watchword_{name}" for name in elsewhere}
    assert all(panel["title"] and panel["description"] for panel in shown)


def test_no_panel_of_the_dashboard_lies_over_another() -> None:
    """24 columns; ids are single; no data source is named that only we would have."""
    board = json.loads(BOARD.read_text("utf-8"))
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken and max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells
        assert panel.get("datasource", {"uid": "${datasource}"})["uid"] == "${datasource}"
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_every_alert_says_what_to_do_about_it() -> None:
    """Its runbook is a heading of a page that is there, it has a severity, and the table of that page lists it."""
    page = (ROOT / "docs" / "howto" / "observe.md").read_text("utf-8")
    anchors = {heading.lower() for heading in re.findall(r"^### (\w+)$", page, re.M)}
    assert len(rules()) == 19
    for rule in rules():
        file, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert file == "docs/howto/observe.md" and anchor == rule["alert"].lower() and anchor in anchors, rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket") and rule["annotations"]["summary"]
    assert len(anchors) == len(rules())


def test_every_metric_is_described(scraped: str) -> None:
    """docs/howto/observe.md lists each family that is watchword's own, and none that there is not."""
    page = (ROOT / "docs" / "howto" / "observe.md").read_text("utf-8")
    families = {one.name for one in openmetrics(scraped) if one.name.startswith("watchword_")}
    assert {name.removesuffix("_total") for name in re.findall(r"^\| `(watchword_\w+)", page, re.M)} == families


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_figures_that_cannot_be_read_cost_themselves_alone(here: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged home is counted as trouble; what the process counted is shown still."""

    def damaged(_: Figures) -> list[Any]:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Figures, "read", damaged)
    counts = Counts()
    with watching(counts):
        _, text = scrape(counts, Figures(here.at("ALFA")))
    assert 'watchword_troubles_total{error="OSError"} 1.0' in text and "ledger_leaves" not in text


def test_slow_figures_are_made_apart_by_one_at_a_time(here: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scrape does not wait for them; while they are being made nobody else begins; what fails is trouble."""
    begun, go_on = threading.Event(), threading.Event()
    made: list[int] = []

    def slow(_: Figures) -> None:
        made.append(1)
        begun.set()
        assert go_on.wait(60)
        raise ValueError("ann")

    monkeypatch.setattr(Figures, "make", slow)
    monkeypatch.setattr(Figures, "due", lambda _: True)
    counts = Counts()
    shown = Shown(counts, Figures(here.at("ALFA")))
    with watching(counts):
        names = {one.name for _ in range(3) for one in shown.collect()}
        assert begun.wait(60) and made == [1] and "watchword_ledger_leaves" in names
        go_on.set()
        shown.wait()
    (troubles,) = [one for one in counts.collect() if one.name == "watchword_troubles"]
    assert [one.labels for one in troubles.samples if one.name.endswith("_total")] == [{"error": "ValueError"}]


def test_metrics_are_answered_on_loopback_alone_and_apart(alliance: Alliance) -> None:
    """At a port of its own, only while the command runs; its scrapes are no requests; nothing else is there.

    Fails where it listens on every address.
    """
    counts, log = Counts(), io.StringIO()
    args = argparse.Namespace(metrics=0, counts=counts, log_format="json")
    reader = Node.open(alliance.home("ALFA"), clock=alliance.clock)
    told = threading.Event()

    class Port(steps.Watcher):
        port = 0

        def note(self, event: str, facts: dict[str, Any], alarm: bool) -> None:
            self.port = int(facts["port"])
            told.set()

    with reader, watching(counts, of := Port()), json_lines(log):
        with metrics_beside(args, reader):
            assert told.wait(60)
            url = f"http://127.0.0.1:{of.port}"
            assert get(url, "/metrics") == 200 and get(url, "/health") == 404 and get(url, "/metrics", "POST") == 405
            with pytest.raises(OSError):  # of this machine, too: answered by what listens on every address
                socket.create_connection(("127.0.0.2", of.port), 5).close()
        with pytest.raises(OSError):
            get(url, "/metrics")
    assert '"event":"metrics"' in log.getvalue() and '"event":"request"' not in log.getvalue()


def test_a_peers_freshness_is_when_it_last_gave_all(alliance: Alliance, served: Any) -> None:
    """Never: 0; then the moment of a whole sync; a peer that is away leaves it as it was."""
    alfa = alliance.nodes["ALFA"]
    with (alliance.home("ALFA") / "node.toml").open("a") as file:
        file.write('\n[peers]\nBRAVO = "http://127.0.0.1:9/"\n')

    def synced() -> float:
        return next(one.values["BRAVO"] for one in Figures(alfa).read() if one.name == "peer_synced_timestamp_seconds")

    assert synced() == 0
    sync(alfa, {"BRAVO": "http://127.0.0.1:9/"})
    assert synced() == 0
    sync(alfa, {"BRAVO": served("BRAVO")})
    assert synced() > 1_700_000_000

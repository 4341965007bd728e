"""Spans and durations as a collector gets them: OTLP over HTTP, decoded with OpenTelemetry's own messages."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from alliance import RELEASE
from gate.gated import Gated

pytest.importorskip("opentelemetry.sdk", reason="the extra otel is not installed")
pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra otel is not installed")

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from watchword.cli.watching import _exports
from watchword.gate.authzen import AuthZen
from watchword.ledger.fetch import Remote, Unreachable
from watchword.observe import steps
from watchword.observe.spans import exporting
from watchword.observe.steps import step
from watchword.web.authzen import app
from watchword.web.observed import Observed

ABOVE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"


class Collector:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        kept = self.bodies

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                kept.append((self.path, gzip.decompress(body) if self.headers["content-encoding"] else body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def spans(self) -> list[Span]:
        found = [ExportTraceServiceRequest.FromString(body) for path, body in self.bodies if path == "/v1/traces"]
        return [
            span for one in found for of in one.resource_spans for scope in of.scope_spans for span in scope.spans
        ]  # fmt: skip

    def durations(self) -> dict[str, int]:
        """How many steps of each name have a duration."""
        found: dict[str, int] = {}
        for path, body in self.bodies:
            if path == "/v1/metrics":
                for of in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                    for metric in (one for scope in of.scope_metrics for one in scope.metrics):
                        for point in metric.histogram.data_points:
                            told = {one.key: one.value.string_value for one in point.attributes}
                            name = told["watchword.step"]
                            found[name] = found.get(name, 0) + point.count
        return found


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    made = Collector()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.02,))
    thread.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.url)
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def evaluate(here: Gated, traceparent: str = "") -> dict[str, Any]:
    """One question to the AuthZEN door of the gate, as a request."""
    door = AuthZen(lambda: nullcontext(here.gate), RELEASE.digest, "https://pdp.example/access/v1/requests")
    value = {
        "subject": {"type": "system", "id": RELEASE.digest}, "action": {"name": "read-mail"},
        "resource": {"type": "mail", "id": "m-1", "properties": {"folder": "inbox"}},
    }  # fmt: skip
    headers = {"authorization": "Bearer t0ken", "content-type": "application/json", "traceparent": traceparent}
    scope = {
        "type": "http", "method": "POST", "path": "/access/v1/evaluation", "raw_path": b"/access/v1/evaluation",
        "query_string": b"", "headers": [(k.encode(), v.encode()) for k, v in headers.items()], "http_version": "1.1",
    }  # fmt: skip
    parts: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": json.dumps(value).encode(), "more_body": False}

    async def send(message: Any) -> None:
        parts.append(message)

    asyncio.run(Observed(app(door, "https://pdp.example", "t0ken"))(scope, receive, send))
    assert parts[0]["status"] == 200, parts
    found: dict[str, Any] = json.loads(parts[1]["body"])
    return found


def test_a_request_its_decision_its_policy_and_its_receipt_are_one_tree(here: Gated, collector: Collector) -> None:
    """Below the caller's span: request, decision, then policy and receipt; outcomes, and no words of what was asked."""
    with exporting():
        evaluate(here, f"{ABOVE}-01")
    spans = {one.name: one for one in collector.spans()}
    assert set(spans) == {"POST /access/v1/evaluation", "decision", "policy", "receipt"}
    request, decision = spans["POST /access/v1/evaluation"], spans["decision"]
    assert request.trace_id.hex() == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert request.parent_span_id.hex() == "00f067aa0ba902b7" and request.kind == Span.SPAN_KIND_SERVER
    assert decision.parent_span_id == request.span_id
    assert {spans["policy"].parent_span_id, spans["receipt"].parent_span_id} == {decision.span_id}
    assert {one.trace_id for one in spans.values()} == {request.trace_id}
    told = {one.key: one.value for one in request.attributes}
    assert told["http.route"].string_value == "/access/v1/evaluation"
    assert told["http.response.status_code"].int_value == 200
    assert {one.key: one.value.string_value for one in decision.attributes} == {"watchword.outcome": _outcome(here)}
    sent = b"".join(body for _, body in collector.bodies)
    assert [word for word in (b"inbox", b"read-mail", b"t0ken", b"m-1", RELEASE.digest.encode()) if word in sent] == []


def _outcome(here: Gated) -> str:
    return here.events()[-1]


def test_durations_come_as_metrics(here: Gated, collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """A histogram of each step; no traces where they are not wanted."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    with exporting():
        here.ask()
        here.ask()
    assert collector.durations() == {"decision": 2, "policy": 2, "receipt": 2}
    assert collector.spans() == []


def test_what_a_caller_does_not_want_kept_is_not_sent(here: Gated, collector: Collector) -> None:
    """The sampled flag of a ``traceparent`` is honoured and passed on: the SDK's default sampler goes by the parent."""
    with exporting():
        evaluate(here, f"{ABOVE}-00")
        with step("request", caused_by=f"{ABOVE}-00", method="GET") as this:
            this.facts["route"] = "/health"
            assert steps.traceparent() == f"00-{this.trace}-{this.id}-00"
            assert this.trace == ABOVE[3:35]
    assert collector.spans() == []


def test_a_peer_is_told_the_span_that_asks_it(collector: Collector) -> None:
    """``traceparent`` of a request to a peer names the span that the collector has."""
    with exporting(), step("sync", peer="BRAVO") as this, Remote(collector.url) as remote:
        sent = steps.traceparent()
        assert remote.post("bodies", b"", 100).status == 200
    (span,) = collector.spans()
    assert sent == f"00-{span.trace_id.hex()}-{span.span_id.hex()}-01" and this.id == span.span_id.hex()
    assert span.kind == Span.SPAN_KIND_CLIENT


def test_an_exception_is_its_class_alone(collector: Collector) -> None:
    """A span that failed has status error and the class; its words may quote what somebody wrote."""
    with exporting(), pytest.raises(Unreachable), step("sync", peer="BRAVO"):
        raise Unreachable("ann said no")
    (span,) = collector.spans()
    assert span.status.code == 2 and not span.status.message and not span.events
    assert {one.key: one.value.string_value for one in span.attributes}["error.type"] == "Unreachable"
    assert b"ann" not in collector.bodies[0][1]


def test_a_collector_that_is_away_stops_nothing_and_is_said_once(
    here: Gated, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Answers are given as ever; the end does not wait long; stderr has one line."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    began = time.monotonic()
    with exporting():
        assert here.ask().event == "permitted"
    assert time.monotonic() - began < 30
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("watchword: error: telemetry is lost: ")


@pytest.mark.parametrize(
    ("environment", "exports"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c:4318/v1/metrics"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_nothing_is_sent_unless_a_collector_is_named(environment: dict[str, str], exports: bool) -> None:
    """The standard variables decide; by default nothing of OpenTelemetry is even imported."""
    assert _exports(environment) is exports

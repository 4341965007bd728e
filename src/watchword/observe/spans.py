"""Steps as spans and durations of OpenTelemetry, sent to a collector by OTLP over HTTP (extra ``otel``).

Configured by the standard variables alone: OTEL_EXPORTER_OTLP_ENDPOINT and its kin, OTEL_TRACES_EXPORTER and
OTEL_METRICS_EXPORTER (``none`` leaves one out), OTEL_TRACES_SAMPLER, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES.

* A request is a span of its own or its caller's child; below it is the decision, and below that policy and receipt.
  Attributes follow the semantic conventions for HTTP, or begin with ``watchword.``: the facts of a step, no more.
* Of an exception the class is told (``error.type``), never its words.
* A collector that is away costs what it was to be sent. That is said once.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import Counter, Histogram
from opentelemetry.metrics import MeterProvider as AnyMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from watchword import __version__
from watchword.errors import WatchwordError
from watchword.observe import steps
from watchword.observe.steps import SECONDS, Fact, Step, Watcher

NAME = "watchword"
_KINDS = {"request": SpanKind.SERVER, "sync": SpanKind.CLIENT, "witness": SpanKind.CLIENT}
_HTTP = {"method": "http.request.method", "route": "http.route", "status": "http.response.status_code"}
_BAD = frozenset({"failed", "cut", "trouble", "fork"})


class NotExported(WatchwordError):
    """A collector did not take what it was sent."""

    about_machine = True


class Spans(Watcher):
    """Steps as spans of *traces*, their durations as a histogram of *meters*; None for neither."""

    def __init__(self, traces: trace.TracerProvider | None, meters: AnyMeterProvider | None) -> None:
        self._tracer = None if traces is None else traces.get_tracer(NAME, __version__)
        self._took: Histogram | None = None
        self._troubles: Counter | None = None
        if meters is not None:
            meter = meters.get_meter(NAME, __version__)
            self._took = meter.create_histogram(f"{NAME}.step.duration", "s", "How long steps take.")
            self._troubles = meter.create_counter(f"{NAME}.troubles", "1", "What this process could not do.")

    def begin(self, step: Step) -> None:
        if self._tracer is None:
            return
        kind = _KINDS.get(step.name, SpanKind.INTERNAL)
        step.span = self._tracer.start_span(step.name, _above(step), kind=kind)
        told = step.span.get_span_context()
        step.trace, step.id, step.sampled = f"{told.trace_id:032x}", f"{told.span_id:016x}", told.trace_flags.sampled

    def end(self, step: Step) -> None:
        facts = {_HTTP.get(name, f"{NAME}.{name}"): value for name, value in step.facts.items()}
        outcome: dict[str, Fact] = {f"{NAME}.outcome": step.outcome}
        if step.error:
            outcome["error.type"] = step.error
        if self._took is not None:
            kept = {name: value for name, value in facts.items() if name.startswith("http.")}
            self._took.record(step.took_s, kept | {f"{NAME}.step": step.name, f"{NAME}.outcome": step.outcome})
        if step.span is not None:
            if step.name == "request":
                step.span.update_name(f"{step.facts['method']} {step.facts['route']}")
            step.span.set_attributes(facts | outcome)
            if step.outcome in _BAD:
                step.span.set_status(Status(StatusCode.ERROR))
            step.span.end()

    def trouble(self, kind: str, message: str, step: Step | None) -> None:
        if self._troubles is not None and kind != NotExported.__name__:
            self._troubles.add(1, {"error.type": kind})


@contextmanager
def exporting(environment: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Steps are sent meanwhile, as *environment* says; what is left is sent at the end."""
    resource = Resource.create({"service.name": environment.get("OTEL_SERVICE_NAME", NAME)})
    traces = meters = None
    if _wanted(environment, "TRACES"):
        traces = TracerProvider(resource=resource)
        traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    if _wanted(environment, "METRICS"):
        bounds = View(instrument_name=f"{NAME}.step.duration", aggregation=ExplicitBucketHistogramAggregation(SECONDS))
        meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource, views=[bounds])
    log, said_once = logging.getLogger("opentelemetry"), _SaidOnce()
    before, log.propagate = log.propagate, False
    log.addHandler(said_once)
    try:
        with steps.watching(Spans(traces, meters)):
            try:
                yield
            finally:
                for one in (traces, meters):
                    if one is not None:
                        one.shutdown()
    finally:
        log.removeHandler(said_once)
        log.propagate = before


def _wanted(environment: Mapping[str, str], what: str) -> bool:
    return environment.get(f"OTEL_{what}_EXPORTER", "otlp").strip().lower() == "otlp"


def _above(step: Step) -> Context:
    """The context that *step* begins in: its parent's, or its caller's at another node."""
    if step.parent is not None:
        return trace.set_span_in_context(step.parent.span or trace.INVALID_SPAN, Context())
    if not step.above:
        return Context()
    flags = TraceFlags(TraceFlags.SAMPLED if step.sampled else TraceFlags.DEFAULT)
    caller = SpanContext(int(step.trace, 16), int(step.above, 16), is_remote=True, trace_flags=flags)
    return trace.set_span_in_context(NonRecordingSpan(caller), Context())


class _SaidOnce(logging.Handler):
    """What the exporters complain of, as one trouble."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said = False

    def emit(self, record: logging.LogRecord) -> None:
        if not self._said:
            self._said = True
            steps.trouble(NotExported(f"telemetry is lost: {record.getMessage()[:200]}"))


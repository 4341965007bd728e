"""What it costs to be watched: a scrape of a large node, and a decision of the gate that is logged, counted and traced.

    python -m benchmarks observe

The scrape is of a node whose ledger has 100,000 statements (their bodies held by others) and whose record has 100,000
receipts of real decisions. What a decision costs more is measured on the steps themselves, without the disk, which
would hide it; and once on the gate's answers, as people meet them.
"""

from __future__ import annotations

import contextlib
import io
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.gate import RELEASE_DIGEST, alone
from benchmarks.table import Row

if TYPE_CHECKING:
    from watchword.gate import Gate

STATEMENTS, RECEIPTS, DECISIONS, ASKS, ROUNDS = 100_000, 100_000, 20_000, 300, 5
FAST = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def run() -> list[Row]:
    """The figures."""
    with tempfile.TemporaryDirectory(prefix="watchword-observe-", dir=FAST) as folder, alone(Path(folder)) as gate:
        return [*_costs(gate), *_scrapes(gate)]


def _costs(gate: Gate) -> Iterator[Row]:
    from watchword.observe.counts import Counts
    from watchword.observe.lines import json_lines
    from watchword.observe.steps import watching

    bare = min(_steps_us() for _ in range(ROUNDS))
    with Path(os.devnull).open("w") as nowhere:
        cases: list[tuple[str, Any, float | None]] = [
            ("logged and counted", _both(json_lines(nowhere), watching(Counts())), 20.0),
            ("logged", json_lines(nowhere), None),
            ("counted", watching(Counts()), None),
            ("traced, a collector that takes all", _traced(), None),
        ]
        for what, told, goal in cases:
            with told:
                more = min(_steps_us() for _ in range(ROUNDS)) - bare
            note = f"processor time of its three steps; unwatched {bare:.2g} µs; best of {ROUNDS} × {DECISIONS:,}"
            promised, met = ("", None) if goal is None else (f"≤ {goal:g} µs", more <= goal)
            yield Row(f"gate, one decision {what}", more, "µs", promised, met, note=note)
        quiet, loud = [], []
        for _ in range(ROUNDS):
            quiet += _asked_ms(gate)
            with _both(json_lines(nowhere), watching(Counts())), _traced():
                loud += _asked_ms(gate)
    yield Row(
        "gate, permitted, logged, counted and traced, p50", statistics.median(loud), "ms", peer="unwatched",
        peer_measured=statistics.median(quiet), note=f"{ROUNDS} × {ASKS} asks of each, by turns, home in memory",
    )  # fmt: skip


def _scrapes(gate: Gate) -> Iterator[Row]:
    from prometheus_client.openmetrics.exposition import generate_latest

    from watchword.account.figures import Figures
    from watchword.observe.counts import Counts
    from watchword.web.metrics import Shown

    node = gate.node
    log = node.store.own("ledger")
    while log.size < STATEMENTS:
        start = log.size
        log.append([b"\x01" + sha256(b"%d" % n).digest() for n in range(start, min(start + 5_000, STATEMENTS))])
        node.publish()
    _ask(gate)
    receipt = node.record_events(node.record_size() - 1)[0] | {"event": "denied"}
    while node.record_size() < RECEIPTS:
        node.append_record([receipt] * 1_000)
    figures, shown = Figures(node), io.BytesIO()
    began = time.perf_counter()
    figures.make()
    made_s = time.perf_counter() - began
    scraped: Any = Shown(Counts(), figures)
    encoder: Any = generate_latest
    encoder(scraped)
    scraped.wait()
    times = []
    for _ in range(50):
        began = time.perf_counter()
        shown.write(encoder(scraped))
        times.append((time.perf_counter() - began) * 1_000)
    took = statistics.median(times)
    note = f"{log.size:,} statements, {node.record_size():,} receipts; median of 50, slowest {max(times):.3g} ms"
    yield Row("scrape of a node", took, "ms", "< 50 ms", took < 50, note=note)
    yield Row("its slow figures, made apart", made_s, "s", note="the first time: every receipt is read")


def _steps_us() -> float:
    """Processor time of a decision's steps with nothing in them."""
    from watchword.observe.steps import as_step

    policy, receipt = as_step("policy")(lambda: None), as_step("receipt")(lambda: None)

    @as_step("decision", lambda _: "permitted")
    def decision() -> None:
        policy()
        receipt()

    began = time.thread_time()
    for _ in range(DECISIONS):
        decision()
    return (time.thread_time() - began) / DECISIONS * 1e6


def _asked_ms(gate: Gate) -> list[float]:
    times = []
    for _ in range(ASKS):
        began = time.perf_counter()
        _ask(gate)
        times.append((time.perf_counter() - began) * 1_000)
    return times


def _ask(gate: Gate) -> None:
    from watchword.gate import new_action

    gate.ask(new_action("read-mail", {"folder": "inbox"}, RELEASE_DIGEST, "bench", gate.clock).bytes)


@contextlib.contextmanager
def _both(*managers: Any) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for one in managers:
            stack.enter_context(one)
        yield


@contextlib.contextmanager
def _traced() -> Iterator[None]:
    """Spans through the SDK's own batches, to an exporter that drops them."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    from watchword.observe.spans import Spans
    from watchword.observe.steps import watching

    class Nowhere(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    with watching(Spans(provider, None)):
        yield
    provider.shutdown()

"""What Prometheus reads: ``GET /metrics``, at an address of its own on this machine.

* OpenMetrics where it is asked for, the older text form otherwise.
* What takes long is made by a thread beside, one at a time; no scrape waits for it.
* Loopback only: whoever should see more puts something before it that asks who he is.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from watchword.account.figures import Figures
from watchword.errors import WatchwordError
from watchword.observe import steps
from watchword.observe.counts import Counts
from watchword.web.routes import Route


def app(shown: Shown) -> Starlette:
    """The application that shows *shown*."""

    async def metrics(request: Request) -> Response:
        encoder, kind = choose_encoder(request.headers.get("accept", ""))
        text = await run_in_threadpool(encoder, shown)
        return Response(text, headers={"Content-Type": kind, "Cache-Control": "no-store"})

    return Starlette(routes=[Route("/metrics", metrics)])


class Shown:
    """Everything of one scrape, as a registry gives it: *counts* of this process, and the *figures* of the node that it
    serves, if it serves one. What of the node cannot be read is missing, and counted as trouble."""

    def __init__(self, counts: Counts, figures: Figures | None = None) -> None:
        self._counts = counts
        self._figures = figures
        self._maker: threading.Thread | None = None

    def wait(self) -> None:
        """Until nothing is being made: a node is not closed under it."""
        if self._maker is not None:
            self._maker.join()

    def collect(self) -> Iterator[Any]:
        """All families."""
        found = []
        if self._figures is not None:
            try:
                if (self._maker is None or not self._maker.is_alive()) and self._figures.due():
                    self._maker = threading.Thread(target=self._make, args=(self._figures,), name="figures")
                    self._maker.start()
                found = self._figures.read()
            except (WatchwordError, OSError) as error:
                steps.trouble(error)
        for one in found:
            family = CounterMetricFamily if one.total else GaugeMetricFamily
            made = family(f"watchword_{one.name}", one.text, labels=[one.label] if one.label else [])
            for label, value in sorted(one.values.items()):
                made.add_metric([label] if one.label else [], value)
            yield made
        yield from self._counts.collect()

    def _make(self, figures: Figures) -> None:
        try:
            figures.make()
        except Exception as error:  # noqa: BLE001  a door: what fails here must not end it, and is told
            steps.trouble(error)

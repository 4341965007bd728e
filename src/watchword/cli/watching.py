"""What commands that run for long, or talk to others, tell of what they do: lines, counts and traces of it."""

from __future__ import annotations

import argparse
import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from watchword.observe import steps

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from watchword.node import Node


def watch(args: argparse.Namespace, until: contextlib.ExitStack) -> None:
    """Tell of every step of the command, as *args* ask for it, until *until* closes."""
    if args.log_format == "json":
        from watchword.observe.lines import json_lines

        until.enter_context(json_lines())
    if _exports(os.environ):
        try:
            from watchword.observe.spans import exporting

            until.enter_context(exporting())
        except ModuleNotFoundError:  # the variables may be there for other programs
            hint = "note: OTEL_… names a collector; to send to it: pip install 'watchword[otel]'"
            steps.note("not-exported", hint)
    if getattr(args, "metrics", None) is not None:
        from watchword.cli.serve import installed

        with installed("--metrics", "observe"):
            from prometheus_client import disable_created_metrics

            from watchword.observe.counts import Counts
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each counter, which no rule asks for
        args.counts = Counts()
        until.enter_context(steps.watching(args.counts))


@contextlib.contextmanager
def metrics_beside(args: argparse.Namespace, node: Node | None = None) -> Iterator[None]:
    """Answer ``GET /metrics`` meanwhile, where *args* ask for it; with the figures of *node*, if there is one.

    Raises:
        CannotServe: the port.
    """
    if getattr(args, "metrics", None) is None:
        yield
        return
    from watchword.account.figures import Figures
    from watchword.cli.serve import installed

    with installed("--metrics"):
        from watchword.web.metrics import Shown, app
        from watchword.web.reopening import Reopening
        from watchword.web.serving import listen, server
    bound, counts = listen("127.0.0.1", args.metrics), args.counts
    port = bound.getsockname()[1]
    text = f"note: metrics are at http://127.0.0.1:{port}/metrics"
    made: list[Shown] = []

    def shown(of: Node | None) -> ASGIApp:
        made.append(Shown(counts, None if of is None else Figures(of)))
        return app(made[-1])

    answers = shown(None) if node is None else Reopening(node, shown)
    running = server(answers, None, None, lambda: steps.note("metrics", text, port=port), told=False)
    thread = threading.Thread(target=running.run, args=([bound],), name="metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        running.should_exit = running.force_exit = True
        thread.join()
        for one in made:
            one.wait()


def _exports(environment: Mapping[str, str]) -> bool:
    """Whether the standard variables of OpenTelemetry name a collector, or the exporter for one."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    places = ("", "TRACES_", "METRICS_")
    named = any(environment.get(f"OTEL_EXPORTER_OTLP_{place}ENDPOINT") for place in places)
    return named or "otlp" in (environment.get("OTEL_TRACES_EXPORTER"), environment.get("OTEL_METRICS_EXPORTER"))

"""What commands that run for long, or talk to others, tell of what they do: JSON lines, and counts for Prometheus."""

from __future__ import annotations

import argparse
import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from watchword.observe import steps

if TYPE_CHECKING:
    from watchword.node import Node


def watch(args: argparse.Namespace, until: contextlib.ExitStack) -> None:
    """Tell of every step of the command, as *args* ask for it, until *until* closes."""
    if args.log_format == "json":
        from watchword.observe.lines import json_lines

        until.enter_context(json_lines())
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
        from watchword.web.metrics import app
        from watchword.web.reopening import Reopening
        from watchword.web.serving import listen, server
    bound, counts = listen("127.0.0.1", args.metrics), args.counts
    port = bound.getsockname()[1]
    text = f"note: metrics are at http://127.0.0.1:{port}/metrics"
    shown = app(counts) if node is None else Reopening(node, lambda of: app(counts, Figures(of)))
    running = server(shown, None, None, lambda: steps.note("metrics", text, port=port), told=False)
    thread = threading.Thread(target=running.run, args=([bound],), name="metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        running.should_exit = running.force_exit = True
        thread.join()

"""Real nodes behind real sockets: every member of an alliance of three serves, each by a reader of its own home."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from alliance import Alliance, make_alliance, quick_disk
from gate.gated import alone as alone
from three import alliance as alliance

from watchword.node import Node

pytest.importorskip("starlette", reason="what `serve` needs is not installed")
pytest.importorskip("uvicorn", reason="what `serve` needs is not installed")
NAMES = ("ALFA", "BRAVO", "CHARLIE")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser for the tests of one module."""
    from web.browsers import started

    with started() as browser:
        yield browser


@pytest.fixture
def console() -> Iterator[Any]:
    """The console of a gate's node."""
    from web.consoled import consoled

    with consoled() as one:
        yield one


@contextmanager
def serving(node: Node) -> Iterator[str]:
    """*node* served on a free port; its address."""
    from watchword.web.ledgers import app
    from watchword.web.reopening import Reopening
    from watchword.web.serving import listen, server

    bound, ready = listen("127.0.0.1", 0), threading.Event()
    running = server(Reopening(node, app), None, None, ready.set)
    thread = threading.Thread(target=running.run, args=([bound],))
    thread.start()
    try:
        assert ready.wait(10)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/"
    finally:
        running.should_exit = True
        running.force_exit = True
        thread.join()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Alliance:
    with quick_disk():
        made = make_alliance(tmp_path_factory.mktemp("web") / "alliance", NAMES)
        made.close()
    return made


@pytest.fixture
def served(alliance: Alliance) -> Iterator[Callable[[str], str]]:
    """``served(name)``: the address of that member's node, served from now to the end of the test."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        known: dict[str, str] = {}

        def address(name: str) -> str:
            if name not in known:
                reader = stack.enter_context(Node.open(alliance.home(name), clock=alliance.clock))
                known[name] = stack.enter_context(serving(reader))
            return known[name]

        yield address

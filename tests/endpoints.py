"""A real API on a free port of this machine, whose answers a test may change while it runs."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Api:
    """``answer`` makes a body of a request's JSON; ``status`` and ``headers`` go with it. ``heard``: all requests."""

    answer: Callable[[Any], Any]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    heard: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    url: str = ""


def chat(text: Callable[[str], str]) -> Callable[[Any], Any]:
    """Answers as OpenAI-compatible servers do, with an id that is new each time."""
    count = iter(range(10**6))

    def answer(asked: Any) -> Any:
        said = text(asked["messages"][0]["content"])
        message = {"content": said, "role": "assistant"}
        return {"choices": [{"finish_reason": "stop", "index": 0, "message": message}], "id": f"c-{next(count)}"}

    return answer


@contextmanager
def serving(api: Api) -> Iterator[Api]:
    """*api* answers on ``api.url`` until the block ends."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            api.heard.append((self.path, dict(self.headers), asked))
            value = api.answer(asked)
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(api.status)
            for name, text in {"Content-Length": str(len(data)), **api.headers}.items():
                self.send_header(name, text)
            self.end_headers()
            with suppress(OSError):  # whoever asked had enough
                self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_address[1]}/v1/chat/completions"
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

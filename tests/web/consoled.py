"""The console of a gate's node, asked without a socket; and behind one, for browsers."""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from gate.gated import FAST, NAMES, USE_CASE, Gated, gated

from watchword.node import Node
from watchword.statements.digests import DJ
from watchword.web.console.access import link
from watchword.web.console.door import Console
from watchword.web.console.table import Sheet

ORIGIN = "http://localhost:8440"
GUEST, WRITER = "ab" * 32, "cd" * 32
"""The certificates of BRAVO, and of ALFA's official."""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Consoled:
    """The console of ALFA's node in *here*. ``cookie``: of the session that asks, unless told otherwise."""

    here: Gated
    node: Node
    console: Console
    origin: str = ORIGIN
    cookie: str = ""
    certificate: str | None = None
    came: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """One request, by its whole path; headers with underscores."""
        return asyncio.run(self._asked(method, path, body, {"host": self.origin.partition("//")[2]} | headers))

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", f"/console{path}", **headers)

    def post(self, path: str, **fields: str) -> Answer:
        """A form as a browser sends it from a page of this session."""
        return self.ask(
            "POST", f"/console{path}", urlencode({"token": self.token} | fields).encode(), origin=self.origin,
            content_type="application/x-www-form-urlencoded",
        )  # fmt: skip

    def sign_in(self) -> None:
        """By a link from the terminal."""
        answer = self.ask("POST", link(self.node, self.origin)[len(self.origin) :], origin=self.origin)
        assert answer.status == 303, answer.text
        self.cookie = answer.headers["set-cookie"].partition(";")[0]

    def as_person(self, person: str) -> None:
        """As *person* of ALFA would be after a passkey: what a passkey takes is tested elsewhere."""
        from watchword.web.console.access import Reader

        access = self.console.access
        self.cookie = f"{access.cookie}={access.begin(Reader('ALFA', person, 'passkey'))}"

    def same_as_twin(self, sheet: Sheet, path: str) -> Answer:
        """The twin at *path*, after its page and the description of it were seen to fit it."""
        page, twin = self.get(path), self.get(f"{path}.json")
        assert (page.status, twin.status) == (200, 200), page.text
        assert f'href="/console{path}.json"' in page.text
        assert not re.search(r"<style|<script>| style=| on[a-z]+=|javascript:", page.text)
        assert page.text.count("<h1>") == 1 and '<main class="sheet" id="main"' in page.text
        schema = json.loads(self.get("/openapi.json").body)
        described = schema["paths"][f"/console{sheet.path}.json"]["get"]["responses"]["200"]
        name = described["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
        of = {"$ref": f"#/components/schemas/{name}"} | {"components": schema["components"]}
        jsonschema.validate(twin.json, of)
        return twin

    def status(self) -> Any:
        """The status page's data, once it is made of what is held now."""
        for _ in range(600):
            found = self.get("/status.json").json
            if found["fresh"]:
                return found
        raise AssertionError("the status page was not made in a minute")

    @property
    def token(self) -> str:
        name, _, value = self.cookie.partition("=")
        return self.console.access.reader(value, self.certificate).token if name or self.certificate else ""

    async def _asked(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        if self.cookie and "cookie" not in headers:
            headers["cookie"] = self.cookie
        path, _, query = path.partition("?")
        scope: dict[str, Any] = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "headers": [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()],
            "client": ("127.0.0.1", 1), "server": ("localhost", 8440), "scheme": "http", "http_version": "1.1",
        }  # fmt: skip
        if self.certificate is not None:
            scope["watchword.certificate"] = self.certificate
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.console(scope, receive, send)
        told = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], told, b"".join(one.get("body", b"") for one in sent[1:]))


@contextmanager
def consoled(prepare: Callable[[Node], object] = lambda _: None) -> Iterator[Consoled]:
    """The console of a fresh copy of the gate's template, after ALFA's node did what *prepare* says."""
    with tempfile.TemporaryDirectory(prefix="watchword-console-", dir=FAST) as folder:
        here = gated(Path(folder), NAMES)
        prepare(here.at("ALFA"))
        here.nodes.pop("ALFA").close()
        node = Node.open(here.folder / "ALFA", clock=here.clock)
        yield Consoled(here, node, Console(node, ORIGIN, {GUEST: "BRAVO", WRITER: "official"}))
        node.close()
        here.close()


def place(console: Consoled, path: str) -> str:
    """*path* with its places filled by what the node holds."""
    known = console.console.known()
    decision = next(one for one in known.placed if one.statement.kind == "decision")
    charter = console.node.charter.digest
    digest = charter if path.startswith("/charters") else decision.statement.subject[0].digest
    filled = {"digest": digest, "use": DJ(USE_CASE), "id": decision.statement.id, "member": "ALFA", "other": charter}
    filled["supplier"] = "AQUILA"
    return path.format(**filled)

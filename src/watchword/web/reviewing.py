"""The page on which a person decides about the rows that a screen listed: keep or drop, each with a reason.

    GET  /<token>?page=N   the listed rows, REVIEW_PAGE_ROWS at a time
    POST /<token>?page=N   what was decided about those

* For the person who runs the command, on this machine: the address holds a token of this run alone; without it there is
  nothing here (404), and under another host than its own (DNS rebinding) nothing either (421).
* No script, and nothing is fetched from elsewhere: a form and a style sheet (``HEADERS``).
* It writes nothing: what was decided is handed back, once every listed row is decided and the person says so.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs

import jinja2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as Asked
from starlette.responses import Response

from watchword.data.review import Decision, NotDecided, decided
from watchword.limits import REVIEW_FORM_BYTES_MAX, REVIEW_PAGE_ROWS
from watchword.report.html import visible
from watchword.report.style import SHEET
from watchword.web.ledgers import read_body
from watchword.web.routes import Route

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
RULES = (
    "fieldset{border:1px solid var(--line);margin:1rem 0;padding:.6rem 1rem}legend{font-weight:600}"
    "label{display:inline-block;margin-right:1.2rem}input:not([type]){font:inherit;width:24rem;max-width:100%}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;max-height:16rem;overflow:auto}.trouble{color:var(--bad)}"
    "button{font:inherit;font-weight:600;padding:.5rem 1rem}"
)


class Review:
    """One review: what is listed, what was decided so far, and the page about it.

    Attributes:
        decisions: one a listed row, once it is finished; until then None.
        finished: called when it is.
    """

    def __init__(self, title: str, listed: list[dict[str, Any]], texts: Mapping[int, str], host: str) -> None:
        self._title, self._listed, self._texts, self._host = title, listed, texts, host
        self._token = secrets.token_urlsafe(16)
        self._given: dict[int, tuple[str, str]] = {}
        self.decisions: list[Decision] | None = None
        self.finished: Callable[[], None] = lambda: None
        page = (files("watchword.web") / "pages" / "review.html").read_text("utf-8")
        environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
        self._template = environment.from_string(page)
        self.app = Starlette(
            routes=[
                Route("/review.css", self._style),
                Route("/{token}", self._show),
                Route("/{token}", self._take, methods=["POST"]),
            ],
            exception_handlers={HTTPException: _no},
        )

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{self._host}/{self._token}"

    def _style(self, _: Asked) -> Response:
        return Response(SHEET + RULES, headers=HEADERS | {"Content-Type": "text/css; charset=utf-8"})

    def _show(self, asked: Asked) -> Response:
        return self._page(self._known(asked))

    async def _take(self, asked: Asked) -> Response:
        at = self._known(asked)
        body = await read_body(asked, REVIEW_FORM_BYTES_MAX)
        rows = [one["row"] for one in self._part(at)]
        try:
            form = parse_qs(
                body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict",
                max_num_fields=2 * len(rows) + 1,
            )  # fmt: skip
        except ValueError as error:
            raise HTTPException(400, "this is no form of this page") from error
        if any(len(values) != 1 for values in form.values()):
            raise HTTPException(400, "a field stands there twice")
        trouble = ""
        for row in rows:
            given = tuple(form.get(f"{name}-{row}", [""])[0] for name in ("decision", "reason"))
            self._given[row] = given[0], given[1]
            try:
                if given[0] or given[1].strip():
                    decided(str(row), *self._given[row])
            except NotDecided as error:
                trouble = trouble or error.message
        if trouble:
            return self._page(at, trouble, 422)
        if form.get("then") != ["end"]:
            following = at % self._pages + 1
            return Response(status_code=303, headers=HEADERS | {"Location": f"/{self._token}?page={following}"})
        return self._end()

    def _end(self) -> Response:
        made = []
        for place, one in enumerate(self._listed):
            try:
                made.append(decided(str(one["row"]), *self._given.get(one["row"], ("", ""))))
            except NotDecided as error:
                told = error.message if self._given.get(one["row"], ("", ""))[0] else f"row {one['row']}: is still open"
                return self._page(place // REVIEW_PAGE_ROWS + 1, told, 422)
        self.decisions = made
        self.finished()
        return self._page(1)

    def _known(self, asked: Asked) -> int:
        """The number of the page that is asked for, after its address was found to be that of this review."""
        if asked.headers.get("host") != self._host:
            raise HTTPException(421, "this page has another address")
        if not secrets.compare_digest(asked.path_params["token"].encode(), self._token.encode()):
            raise HTTPException(404, "nothing is here")
        text = asked.query_params.get("page", "1")
        if not (text.isascii() and text.isdecimal() and len(text) < 7 and 1 <= int(text) <= self._pages):
            raise HTTPException(404, "there is no such page")
        return int(text)

    @property
    def _pages(self) -> int:
        return max(1, -(-len(self._listed) // REVIEW_PAGE_ROWS))

    def _part(self, at: int) -> list[dict[str, Any]]:
        return self._listed[(at - 1) * REVIEW_PAGE_ROWS : at * REVIEW_PAGE_ROWS]

    def _page(self, at: int, trouble: str = "", status: int = 200) -> Response:
        shown = []
        for one in self._part(at):
            decision, reason = self._given.get(one["row"], ("", ""))
            told = {name: visible(str(one.get(name) or "")) for name in ("row", "key", "label", "rest_says", "why")}
            text = visible(self._texts.get(one["row"], ""))
            shown.append(told | {"text": text, "decision": decision, "reason": reason})
        done = ""
        if self.decisions is not None:
            dropped = sum(one.decision == "drop" for one in self.decisions)
            done = f"{dropped:,} rows to drop, {len(self.decisions) - dropped:,} to keep."
        text = self._template.render(
            title=visible(self._title), listed=shown, rows=len(self._listed), page=at, pages=self._pages,
            decided=sum(bool(decision) for decision, _ in self._given.values()), trouble=trouble, done=done,
        )  # fmt: skip
        return Response(text, status, HEADERS | {"Content-Type": "text/html; charset=utf-8"})


async def _no(_: Asked, error: Exception) -> Response:
    status, detail = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "not so")
    return Response(f"{detail}\n", status, HEADERS | {"Content-Type": "text/plain; charset=utf-8"})

"""The console as an application: each request is checked against the table and the session, then rendered.

    GET  /console/<page>, /console/<page>.json           the table's rows; each twin is the data of its page
    GET  /console/openapi.json                           the description of the twins
    GET  /console/sign-in, POST                          by passkey
    GET  /console/in/<made>/<token>, POST                by a link from the terminal; the first only asks
    GET  /console/charters/<digest>                      a charter's file
    GET  /console/bundles/<id>                           a proof, as ``ledger prove`` makes it
    GET  /console/bundles/releases/<digest>              as ``ledger no-notice`` does
    POST /console/compare                                a charter pasted, beside the one in force; nothing is kept
    POST /console/compare-positions                      positions pasted, beside those kept; nothing is kept
    POST /console/act/<what>                             what is signed or handed in here (see ``acts``)
    GET  /console/holds/…, /console/desk/…               the page of approvals (see ``web.approvals``)

* Strict content policy; nothing inline, framed, stored or fetched from elsewhere. Without a script everything works but
  a passkey.
* Asked under another host than its own (DNS rebinding), it answers nothing (421).
* Text of others is escaped by the templates, and invisible characters are shown as their codes.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jinja2
import msgspec
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from watchword.errors import WatchwordError
from watchword.ledger.tlog_proof import TlogProof
from watchword.limits import CONSOLE_FORM_BYTES_MAX, PASSKEY_ANSWER_BYTES_MAX
from watchword.node.looks import Looks
from watchword.node.node import Node
from watchword.node.proofs import CannotProve
from watchword.node.recorded import NotHere
from watchword.observe import steps
from watchword.report.board import sections
from watchword.report.html import visible
from watchword.report.style import SHEET
from watchword.report.svg import mark, spans
from watchword.statements.canonical import canonical
from watchword.statements.passkeys import check_origin, sign_in_challenge
from watchword.web import approvals
from watchword.web.console import acts
from watchword.web.console.access import Access, MustSignIn, NotSignedIn, Reader, passkey_options
from watchword.web.console.forms import fields_of
from watchword.web.console.knowledge import Knowledge
from watchword.web.console.pages import positions, rules
from watchword.web.console.sheets import SHEETS
from watchword.web.console.table import BASE, Asked, NotFound, NotSo, Sheet, Trouble, openapi
from watchword.web.ledgers import read_body
from watchword.web.routes import Route

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "publickey-credentials-get=(self)",
    # With "no-referrer" browsers send forms without their origin, which is checked.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
STRICT = {"Strict-Transport-Security": "max-age=31536000"}
STATUS = {
    NotFound: 404, NotHere: 404, NotSo: 400, MustSignIn: 403, NotSignedIn: 403, CannotProve: 409, acts.CannotAct: 409,
}  # fmt: skip
TROUBLE = "this node is in trouble; its operator has been told"
APPROVALS = tuple(f"{BASE}/{part}" for part in ("desk/", "at/", "holds/", "register/", "approval."))


class Console:
    """The console of an open node (reading is enough), reached at *origin*. Arguments as ``Access``."""

    def __init__(self, node: Node, origin: str, certificates: Mapping[str, str] | None = None) -> None:
        self._node = node
        self._host = urlsplit(origin).netloc.encode()
        self._origin = origin
        self.access = Access(node, origin, certificates)
        self._knowledge = Knowledge(node)
        self._looks = Looks(node)
        self._approvals = approvals.app(node, origin, base=BASE)
        self._headers = HEADERS | (STRICT if origin.startswith("https://") else {})
        self._description = canonical(openapi(SHEETS, origin, self.access.cookie))
        self._statics = _statics()
        self._templates = _templates({"base": BASE, "statics": {one.rpartition(".")[2]: one for one in self._statics}})
        self._inner = Starlette(routes=self._routes(), exception_handlers={HTTPException: self._http_trouble})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and dict(scope["headers"]).get(b"host") != self._host:
            text = f"the console has another address: {self._origin}{BASE}/\n"
            await Response(text, 421, self._headers, "text/plain")(scope, receive, send)
            return
        if scope.get("path", "").startswith(APPROVALS):
            await self._approvals(scope, receive, self._looked_at(scope, send))
        else:
            await self._inner(scope, receive, send)

    def _looked_at(self, scope: Scope, send: Send) -> Send:
        """*send*, once a look at a page of approvals is recorded: of one that is shown, without its token."""
        parts = scope["path"].removeprefix(f"{BASE}/").split("/")
        if len(parts) < 2:
            return send
        page = f"{BASE}/{'/'.join(parts[: 2 if parts[0] in ('holds', 'register') else 1])}"
        refused = False

        async def recorded(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] < 400:
                reader = self._who(Request(scope))
                how = reader.how if reader.member else "address"
                try:
                    await run_in_threadpool(self._look, reader, page, how)
                except (WatchwordError, OSError) as error:
                    steps.trouble(error)
                    refused = True
                    await Response(TROUBLE, 503, self._headers, "text/plain")(scope, _nothing, send)
            if not refused:
                await send(message)

        return recorded

    def _routes(self) -> list[Route]:
        routes = [Route(f"{BASE}{path}", self._home) for path in ("", "/")]
        routes.append(Route(f"{BASE}/openapi.json", self._openapi))
        for sheet in SHEETS:
            page = _Page(self, sheet)
            routes += [Route(f"{BASE}{sheet.path}.json", page.twin), Route(f"{BASE}{sheet.path}", page.html)]
        routes += [
            Route(f"{BASE}/sign-in", self._sign_in), Route(f"{BASE}/sign-in", self._signed_in, methods=["POST"]),
            Route(f"{BASE}/in/{{made}}/{{token}}", self._link),
            Route(f"{BASE}/in/{{made}}/{{token}}", self._linked, methods=["POST"]),
            Route(f"{BASE}/sign-out", self._form(self._sign_out), methods=["POST"]),
            Route(f"{BASE}/compare", self._form(self._compare), methods=["POST"]),
            Route(f"{BASE}/compare-positions", self._form(self._compare_positions), methods=["POST"]),
            Route(f"{BASE}/act/{{what}}", self._form(self._act), methods=["POST"]),
            Route(f"{BASE}/charters/{{digest}}", self._charter),
            Route(f"{BASE}/bundles/releases/{{digest}}", self._release_bundle),
            Route(f"{BASE}/bundles/{{id}}", self._bundle),
            *(Route(f"{BASE}/{name}", self._static) for name in self._statics),
        ]  # fmt: skip
        return routes

    # -- what every request goes through ----------------------------------------------------------

    def reader(self, request: Request) -> Reader:
        """Who asks.

        Raises:
            HTTPException: 429, too often.
        """
        reader = self._who(request)
        of = reader.token or (request.client.host if request.client else "")
        if not self.access.allows("page", of):
            raise HTTPException(429, headers={"Retry-After": "60"})
        return reader

    def _who(self, request: Request) -> Reader:
        cookie = request.cookies.get(self.access.cookie)
        return self.access.reader(cookie, request.scope.get("watchword.certificate"))

    def look(self, reader: Reader, request: Request) -> None:
        """Record a look, before anything is shown."""
        self._look(reader, request.url.path)

    def _look(self, reader: Reader, page: str, how: str = "") -> None:
        look = {"how": how or reader.how, "member": reader.member, "page": page[:2048], "person": reader.person}
        self._looks.add(look)

    def render(
        self, name: str, reader: Reader, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
    ) -> Response:
        """A page of *name*."""
        text = self._templates.get_template(name).render(
            menu=[one for one in SHEETS if one.menu and one.may_read(reader, self._node.member)], reader=reader,
            node=self._node.member, alliance=self._node.charter.alliance, charter=self._node.charter.digest,
            may=self._may(reader), **values,
        )  # fmt: skip
        media = {"Content-Type": "text/html; charset=utf-8"}
        return Response(text, status, self._headers | media | dict(headers or {}))

    def told(self, error: Exception, reader: Reader, json: bool, path: str) -> Response:
        """What went wrong, as a page or as its twin."""
        status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 503)
        trouble = Trouble(told=str(error), hint=None)
        if isinstance(error, WatchwordError) and status != 503:
            trouble = Trouble(told=error.message, hint=error.hint or None)
        if status == 503:
            steps.trouble(error)
            trouble = Trouble(told=TROUBLE, hint=None)
        return self._trouble(trouble, reader, status, json, path)

    def closed(self, reader: Reader, json: bool, path: str) -> Response:
        """A page that is not for this reader."""
        hint = "sign in as one of its people" if reader.member else "sign in"
        trouble = Trouble(told=f"this page is for people of {self._node.member}, or of its allies", hint=hint)
        return self._trouble(trouble, reader, 401, json, path, {"WWW-Authenticate": "watchword"})

    def _trouble(
        self, trouble: Trouble, reader: Reader, status: int, json: bool, path: str, headers: Mapping[str, str] = {}
    ) -> Response:  # fmt: skip
        if json:
            return JSONResponse(msgspec.to_builtins(trouble), status, self._headers | dict(headers))
        return self.render(
            "trouble.html", reader, status, headers, title="No page", trouble=trouble, code=status, path=path
        )

    async def _http_trouble(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        told = {404: "nothing is here", 405: "not in this way", 413: "too much", 429: "too many: wait a minute"}
        headers = dict(getattr(error, "headers", None) or {})
        trouble = Trouble(told=told.get(status, "not so"), hint=None)
        return JSONResponse(msgspec.to_builtins(trouble), status, self._headers | headers)

    def _may(self, reader: Reader) -> set[str]:
        return {kind for kind in acts.KINDS if self.access.holder(reader, kind) is not None}

    def warm(self) -> None:
        """Begin with what takes longest, before anybody asks."""
        self._knowledge.warm()

    def known(self) -> Any:
        """What the node holds now."""
        return self._knowledge.now()

    # -- signing in -------------------------------------------------------------------------------

    def _home(self, _: Request) -> Response:
        return Response(status_code=303, headers=self._headers | {"Location": f"{BASE}/status"})

    def _openapi(self, _: Request) -> Response:
        return Response(self._description, headers=self._headers | {"Content-Type": "application/json"})

    def _static(self, request: Request) -> Response:
        data, media = self._statics[request.url.path.rpartition("/")[2]]
        kept = {"Cache-Control": "public, max-age=31536000, immutable", "Content-Type": media}
        return Response(data, headers=self._headers | kept)

    def _sign_in(self, request: Request) -> Response:
        reader = self.reader(request)
        nonce = self.access.ask()
        host = urlsplit(self._origin).hostname
        options = passkey_options(self.access, nonce, sign_in_challenge(nonce.encode()), host)
        return self.render(
            "sign-in.html", reader, title="Sign in", nonce=nonce, options=canonical(options).decode(),
            known=bool(options["allowCredentials"]), origin=self._origin,
            after=_inside(request.query_params.get("next")),
        )  # fmt: skip

    async def _signed_in(self, request: Request) -> Response:
        body = await read_body(request, PASSKEY_ANSWER_BYTES_MAX)
        return await run_in_threadpool(self._opened, request, lambda: self.access.take_passkey(body), True)

    def _link(self, request: Request) -> Response:
        return self.render("link.html", self.reader(request), title="Sign in", path=request.url.path)

    async def _linked(self, request: Request) -> Response:
        places = request.path_params
        return await run_in_threadpool(
            self._opened, request, lambda: self.access.take_link(places["made"], places["token"]), False
        )

    def _opened(self, request: Request, take: Any, json: bool) -> Response:
        """Open a session for whom *take* finds, unless another site asked for it."""
        old = request.cookies.get(self.access.cookie)
        try:
            if not self.access.allows("sign-in", request.client.host if request.client else ""):
                raise HTTPException(429, headers={"Retry-After": "60"})
            if request.headers.get("Origin") != self._origin:
                raise NotSignedIn("another site asked for this")
            reader = take()
            # Without what opened it: a link is good once, and still nobody's to read.
            self._look(reader, f"{BASE}/sign-in")
        except (WatchwordError, OSError) as error:
            return self.told(error, Reader(), json, request.url.path)
        cookie = f"{self.access.cookie}={self.access.begin(reader, old)}; Path=/; HttpOnly; SameSite=Lax"
        cookie += "; Secure" if self._origin.startswith("https://") else ""
        headers = self._headers | {"Set-Cookie": cookie}
        if json:
            return JSONResponse({"told": f"Signed in as {reader.called}."}, 200, headers)
        return Response(status_code=303, headers=headers | {"Location": f"{BASE}/status"})

    # -- forms ------------------------------------------------------------------------------------

    def _form(self, act: Any) -> Any:
        """*act* with the fields of a form that this session sent."""

        async def take(request: Request) -> Response:
            body = await read_body(request, await run_in_threadpool(self._room_for, request))
            return await run_in_threadpool(self._checked, request, body, act)

        return take

    def _room_for(self, request: Request) -> int:
        """How many bytes of a form are read: of who may not write here, no large ones."""
        act = acts.ACTS.get(str(request.path_params.get("what")))
        own = act is not None and self._who(request).member == self._node.member
        return act.bytes_max if act is not None and own else CONSOLE_FORM_BYTES_MAX

    def _checked(self, request: Request, body: bytes, act: Any) -> Response:
        reader = self.reader(request)
        try:
            headers = request.headers
            fields = fields_of(headers.get("Content-Type", ""), body)
            token = fields.pop("token", "")
            self.access.check_form(reader, token, headers.get("Origin"), headers.get("Sec-Fetch-Site"))
            found: Response = act(request, reader, fields)
        except (WatchwordError, OSError) as error:
            return self.told(error, reader, False, request.url.path)
        return found

    def _sign_out(self, request: Request, _: Reader, __: Mapping[str, str]) -> Response:
        self.access.end(request.cookies.get(self.access.cookie))
        return Response(status_code=303, headers=self._headers | {"Location": f"{BASE}/sign-in"})

    def _compare(self, request: Request, reader: Reader, fields: Mapping[str, str]) -> Response:
        if reader.member != self._node.member:
            return self.closed(reader, False, request.url.path)
        try:
            page = rules.pasted(self.known(), fields.get("charter", "").encode())
        except WatchwordError as error:
            raise NotSo(error.message, error.hint) from error
        self.look(reader, request)
        return self.render("comparison.html", reader, title="Comparison", data=msgspec.to_builtins(page), twin=None)

    def _compare_positions(self, request: Request, reader: Reader, fields: Mapping[str, str]) -> Response:
        if reader.member != self._node.member:
            return self.closed(reader, False, request.url.path)
        asked = Asked({}, {}, reader)
        texts = {name: fields.get(name, "") for name in (f"position-{n + 1}" for n in range(positions.PASTED_MAX))}
        page = positions.pasted(self.known(), asked, texts)
        self.look(reader, request)
        board = positions.board_of(self.known(), asked)
        drawn = None if board is None else Markup(sections(board))  # noqa: S704  # made by report.html
        data = msgspec.to_builtins(page)
        return self.render("positions.html", reader, title="Positions compared", data=data, drawn=drawn, twin=None)

    def _act(self, request: Request, reader: Reader, fields: Mapping[str, str]) -> Response:
        what = str(request.path_params["what"])
        if what not in acts.ACTS:
            raise NotFound("nothing is here")
        act = acts.ACTS[what]
        if act.kind is None:
            self.access.check_present(reader)
        else:
            self.access.check_writer(reader, act.kind)
        self.look(reader, request)
        try:
            place = act.do(self._node, self.known(), str(reader.person), fields)
        except acts.NotHeld as error:
            raise acts.CannotAct(error.message, error.hint) from error
        return Response(status_code=303, headers=self._headers | {"Location": place})

    # -- files ------------------------------------------------------------------------------------

    def _charter(self, request: Request) -> Response:
        return self._file(request, "allies", lambda: rules.charter_file(self.known(), request.path_params["digest"]))

    def _bundle(self, request: Request) -> Response:
        def made() -> tuple[str, bytes]:
            found = self.known().held.find(request.path_params["id"])
            if found is None:
                raise NotFound("no statement of this id is held here")
            if found.statement.kind == "decision":
                return "proof.json", self._node.make_proof([found.statement.id])
            return "statement.tlog-proof", _place_of(self._node, found.statement.id)

        return self._file(request, "member", made)

    def _release_bundle(self, request: Request) -> Response:
        digest = request.path_params["digest"]

        def made() -> tuple[str, bytes]:
            if self.known().held.name_of(digest) is None:
                raise NotFound("nothing is said about this release")
            return "no-notice.json", self._node.make_proof([], releases=[digest])

        return self._file(request, "member", made)

    def _file(self, request: Request, reads: str, made: Any) -> Response:
        reader = self.reader(request)
        if reader.member is None or (reads == "member" and reader.member != self._node.member):
            return self.closed(reader, False, request.url.path)
        try:
            name, data = made()
            self.look(reader, request)
        except (WatchwordError, OSError) as error:
            return self.told(error, reader, False, request.url.path)
        about = {"Content-Type": "application/json", "Content-Disposition": f'attachment; filename="{name}"'}
        return Response(data, headers=self._headers | about)


def console(node: Node, origin: str, clients: Mapping[str, str]) -> Callable[[Node], Console]:
    """What makes the console of a node that is opened anew under another charter.

    Args:
        clients: files of certificates (PEM, one in each), by a person of this member or another member.

    Raises:
        WatchwordError: a name of nobody, or a file that is no certificate.
    """
    check_origin(origin)
    known = {one.name for one in node.charter.members} | {str(one.person) for one in node.me.keys if one.person}
    digests: dict[str, str] = {}
    for name, path in clients.items():
        if name not in known or name == node.member:
            raise NotFound(f"{name[:80]}: no person of {node.member} and no other member", "watchword charter show")
        try:
            digests[sha256(ssl.PEM_cert_to_DER_cert(Path(path).read_text("ascii").strip())).hexdigest()] = name
        except ValueError as error:
            raise NotSo(f"{path}: no certificate in PEM", "one file for each client") from error

    def made(opened: Node) -> Console:
        one = Console(opened, origin, digests)
        one.warm()
        return one

    return made


async def _nothing() -> Message:
    """Of a request that is answered nothing more is read."""
    return {"type": "http.disconnect"}


class _Page:
    """One row of the table, as two endpoints."""

    def __init__(self, console: Console, sheet: Sheet) -> None:
        self._console = console
        self._sheet = sheet

    def twin(self, request: Request) -> Response:
        return self._answer(request, True)

    def html(self, request: Request) -> Response:
        return self._answer(request, False)

    def _answer(self, request: Request, json: bool) -> Response:
        console, sheet, path = self._console, self._sheet, request.url.path
        reader = console.reader(request)
        if not sheet.may_read(reader, console.known().member):
            return console.closed(reader, json, path)
        try:
            known = console.known()
            query: dict[str, str] = {}
            for name, text in request.query_params.multi_items():
                if name in query:
                    raise NotSo(f"{name[:40]}: given twice")
                query[name] = text
            asked = sheet.asked(request.path_params, query, reader)
            found = sheet.data(known, asked)
            if sheet.reads != "anyone":
                console.look(reader, request)
            if json:
                return Response(msgspec.json.encode(found), headers=console._headers | _JSON)
            drawn = None if sheet.drawn is None else Markup(sheet.drawn(known, asked))  # noqa: S704  # made by report.html
            twin = f"{path}.json" + (f"?{request.url.query}" if request.url.query else "")
            data = msgspec.to_builtins(found)
            return console.render(sheet.template, reader, title=sheet.summary, data=data, drawn=drawn, twin=twin)
        except (WatchwordError, OSError) as error:
            return console.told(error, reader, json, path)


_JSON = {"Content-Type": "application/json"}


def _place_of(node: Node, id: str) -> bytes:
    from watchword.node.proofs import tlog_proof

    found: TlogProof = tlog_proof(node, id)
    return found.format()


def _inside(after: str | None) -> str:
    """Where to go after signing in: only to a page of the console."""
    good = after is not None and after.startswith(f"{BASE}/") and "//" not in after and "\\" not in after
    return after if good and after is not None and after.isprintable() else f"{BASE}/status"


def _statics() -> dict[str, tuple[bytes, str]]:
    """The one style sheet and the one script, each named by its digest."""
    folder = files("watchword.web.console") / "templates"
    style = SHEET.encode() + (folder / "console.css").read_bytes()
    script = (folder / "console.js").read_bytes()
    return {
        f"console-{sha256(style).hexdigest()[:16]}.css": (style, "text/css; charset=utf-8"),
        f"console-{sha256(script).hexdigest()[:16]}.js": (script, "text/javascript; charset=utf-8"),
    }


def _templates(shared: dict[str, Any]) -> jinja2.Environment:
    folder = files("watchword.web.console") / "templates"
    texts = {one.name: one.read_text("utf-8") for one in folder.iterdir() if one.name.endswith(".html")}
    made = jinja2.Environment(
        loader=jinja2.DictLoader(texts), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=_shown,
    )  # fmt: skip
    made.globals |= shared | {
        "mark": lambda kind: Markup(mark(kind)),  # noqa: S704  # made by report.svg, as the next
        "spans": lambda label, rows, most, unit: Markup(spans(label, rows, most, unit)),  # noqa: S704
    }
    made.filters["json"] = lambda value: canonical(value).decode()
    return made


def _shown(value: Any) -> Any:
    """Text with invisible and direction-changing characters written as their codes; markup of ours as it is."""
    return visible(value) if type(value) is str else value



"""The page on which people answer what a gate holds for them, with a passkey.

Follows WebAuthn Level 3 and docs/protocol.md, section 9 ("By a passkey or a card").

    GET  /desk/<token>                      what waits
    GET  /at/<token>/<hold>                 leads to one of the own gate, for doors that know its id (gate mcp --page)
    GET  /holds/<name>/<token>              one held action: its exact text, where its values come from, who answered
    POST /holds/<name>/<token>              what a device signed for it
    GET  /register/<person>/<token>, POST   a new device, for the enrolment; only of the people named at the start

* Each approver signs at his own member's node. The page reads the node, and lays what was signed on the ``desk``.
* It decides nothing: an answer counts when a gate has checked it with the charter. What it shows is bound by digest.
* Addresses hold a token made of a secret of this home; without it there is nothing here (404).
* One script, of this page's own; nothing is fetched from elsewhere, framed, stored or sent on (``HEADERS``).
* Asked under another host than its own (DNS rebinding), it answers nothing (421).
"""

from __future__ import annotations

import base64
import hmac
import secrets
import shlex
import threading
from collections.abc import Collection
from datetime import datetime
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import jinja2
import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request as Asked
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from watchword.errors import WatchwordError
from watchword.gate.action import shown, shown_text
from watchword.gate.desk import Desk
from watchword.gate.devices import answer_by_passkey, challenges, devices_at
from watchword.gate.request import ANSWERS, Request
from watchword.limits import PASSKEY_ANSWER_BYTES_MAX, PASSKEY_ASKED_S, PASSKEYS_ASKED_MAX
from watchword.node.node import Node
from watchword.node.recorded import NotHere
from watchword.observe import steps
from watchword.report.style import SHEET
from watchword.statements.canonical import canonical, parse_json
from watchword.statements.digests import b64, b64url, sha256
from watchword.statements.passkeys import EDDSA, ES256, BadPasskey, Passkey, check_origin, parse_passkey
from watchword.statements.times import rfc3339
from watchword.web.ledgers import read_body
from watchword.web.routes import Route

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "publickey-credentials-get=(self), publickey-credentials-create=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
RULES = (
    "button{font:inherit;font-weight:600;padding:.6rem 1.2rem;border:2px solid var(--accent);background:var(--sheet);"
    "color:var(--accent);min-width:13rem;cursor:pointer}button:disabled{opacity:.5;cursor:default}"
    "#told{font-weight:600;min-height:1.5em}#told.done{color:var(--good)}#told.failed{color:var(--bad)}"
    "#preview{font-size:1rem}"
)
LABELS = {
    "approve": "Approve",
    "wrong-target": "Wrong target",
    "wrong-content": "Wrong content",
    "refuse": "Refuse",
    "not-my-task": "Not my task",
    "escalate": "Escalate",
}


class _Response(msgspec.Struct, frozen=True):
    authenticatorData: str
    clientDataJSON: str
    signature: str


class Credential(msgspec.Struct, frozen=True):
    """What a browser gives of a passkey's answer (Web Authentication, section 5.1), in base64url."""

    rawId: str
    response: _Response


class _Answer(msgspec.Struct, frozen=True):
    answer: str
    credential: Credential


class App:
    """The page as an application; it answers requests for its own host alone (with the port, as browsers name it)."""

    def __init__(self, page: Page, inner: ASGIApp, host: str) -> None:
        self._page = page
        self._inner = inner
        self._host = host.encode()

    @property
    def desk_address(self) -> str:
        """Where everything that waits is listed."""
        return self._page.desk_address()

    @property
    def door_address(self) -> str:
        """What a door puts the id of one of the own gate's holds behind."""
        return self._page.door_address()

    def register_address(self, person: str) -> str:
        """Where *person* registers a device."""
        return self._page.register_address(person)

    def address(self, request: Request) -> str:
        """Where one held action is shown."""
        return self._page.address(request)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and dict(scope["headers"]).get(b"host") != self._host:
            await Response("this page has another address\n", 421, HEADERS)(scope, receive, send)
            return
        await self._inner(scope, receive, send)


def app(node: Node, origin: str, register: Collection[str] = (), base: str = "") -> App:
    """The page over an open node (reading is enough), reached at *origin*, such as ``https://gate.alfa.example``.

    Args:
        register: people who may register a device now.
        base: what every address begins with, such as ``/console``.

    Raises:
        BadPasskey: an origin that no passkey can be pinned to. NotHere: a person whom the charter does not list.
    """
    for person in register:
        if person not in {holder.person for holder in node.me.keys if holder.retired_by is None}:
            raise NotHere(f"{person}: not a person of {node.member} in the charter", "watchword keys lists them")
    page = Page(node, check_origin(origin), frozenset(register), base)
    routes = [
        Route(base + "/desk/{token}", page.desk),
        Route(base + "/at/{token}/{hold}", page.named),
        Route(base + "/holds/{name}/{token}", page.hold),
        Route(base + "/holds/{name}/{token}", page.answer, methods=["POST"]),
        Route(base + "/register/{person}/{token}", page.register),
        Route(base + "/register/{person}/{token}", page.registered, methods=["POST"]),
        Route(base + "/approval.css", page.style),
        Route(base + "/approval.js", page.script),
    ]
    handlers = {HTTPException: _no, WatchwordError: _trouble, OSError: _trouble}
    return App(page, Starlette(routes=routes, exception_handlers=handlers), urlsplit(origin).netloc)


class Page:
    """The endpoints over one node."""

    def __init__(self, node: Node, origin: str, people: frozenset[str], base: str = "") -> None:
        self._node = node
        self._origin = origin
        self._base = base
        self._people = people
        self._desk = Desk(node)
        self._turn = threading.Lock()
        self._asked: dict[bytes, tuple[str, float]] = {}
        pages = files("watchword.web") / "pages"
        self._script = (pages / "approval.js").read_bytes()
        names = ("frame.html", "desk.html", "hold.html", "register.html")
        self._templates = jinja2.Environment(
            loader=jinja2.DictLoader({name: (pages / name).read_text("utf-8") for name in names}),
            autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        )  # fmt: skip

    def address(self, request: Request) -> str:
        """Where one held action is shown."""
        return f"{self._origin}{self._base}/holds/{self._desk.place(request)}"

    def desk_address(self) -> str:
        """Where everything that waits is listed."""
        return f"{self._origin}{self._base}/desk/{self._desk.token('desk')}"

    def door_address(self) -> str:
        """What a door puts the id of one of the own gate's holds behind."""
        return f"{self._origin}{self._base}/at/{self._desk.token('at')}/"

    def register_address(self, person: str) -> str:
        """Where *person* registers a device."""
        return f"{self._origin}{self._base}/register/{person}/{self._desk.token('register', person)}"

    # -- what waits -------------------------------------------------------------------------------

    def desk(self, asked: Asked) -> Response:
        """Every action that waits, each a link to its own screen."""
        self._known(asked, "desk")
        with self._turn:
            rows = [
                {
                    "address": f"{self._base}/holds/{self._desk.place(one)}", "tool": shown(one.action.tool),
                    "asked": one.asked,
                    "hold": shown(one.hold), "gate": shown(one.gate), "expires": one.expires,
                    "answered": "; ".join(one.answered) or "nobody yet",
                }
                for one in self._desk.waiting()
            ]  # fmt: skip
        return self._page("desk.html", "What waits", rows=rows)

    def named(self, asked: Asked) -> Response:
        """On to the screen of one of the own gate's holds."""
        self._known(asked, "at")
        place = self._desk.place_of(self._node.member, asked.path_params["hold"])
        return Response(status_code=303, headers=HEADERS | {"Location": f"{self._base}/holds/{place}"})

    def hold(self, asked: Asked) -> Response:
        """One held action, whole, and its six answers."""
        with self._turn:
            request = self._request(asked)
            untaken, pending = self._desk.untaken(request), self._desk.pending(request)
        known = devices_at(self._node, self._origin)
        wanted = challenges(self._node, request)
        answers = [
            ({"name": name, "label": LABELS[name], "challenge": b64url(wanted[name])}, what)
            for name, what in ANSWERS.items()
        ]
        options = {
            "allowCredentials": [{"id": b64url(one.id), "type": "public-key"} for _, one in known.values()],
            "challenge": "", "rpId": urlsplit(self._origin).hostname, "userVerification": "required",
        }  # fmt: skip
        where = request.hold if request.gate == self._node.member else f"{request.hold}.request.json"
        return self._page(
            "hold.html", f"Hold {shown(request.hold)}", tool=shown(request.action.tool), preview=request.render(),
            unclean=[shown_text(one) for one in request.unclean], origins=[shown_text(one) for one in request.origins],
            answered=[shown_text(one) for one in request.answered], pending=pending, untaken=untaken,
            gate=shown(request.gate), devices=bool(known), answers=answers, options=canonical(options).decode(),
            post=asked.url.path, origin=self._origin, command=f"watchword gate approve {shlex.quote(where)}",
            digest=request.action.digest, preview_digest=request.preview, charter=self._node.charter.digest,
        )  # fmt: skip

    async def answer(self, asked: Asked) -> Response:
        """Take what a device signed, check it, wrap it and lay it down for its gate."""
        body = await read_body(asked, PASSKEY_ANSWER_BYTES_MAX)
        return await run_in_threadpool(self._answer, asked, body)

    def _answer(self, asked: Asked, body: bytes) -> Response:
        try:
            given = msgspec.convert(parse_json(body, "answer", PASSKEY_ANSWER_BYTES_MAX), _Answer)
            parts = {
                "authenticator_data": _unb64url(given.credential.response.authenticatorData),
                "client_data": _unb64url(given.credential.response.clientDataJSON),
                "signature": _unb64url(given.credential.response.signature),
            }
            credential = b64(_unb64url(given.credential.rawId))
            if given.answer not in ANSWERS:
                raise ValueError("no such answer")
        except (WatchwordError, ValueError) as error:
            return _told(f"This is no answer: {error}", 400)
        with self._turn:
            request = self._request(asked)
            try:
                signed = answer_by_passkey(self._node, request, given.answer, self._origin, credential, parts)
                carried = self._desk.answer(request, signed)
            except WatchwordError as error:
                return _told(f"Not signed: {error.message}", 403)
        who = f"{signed.statement.predicate['person']} of {self._node.member}"
        where = f"{request.gate}'s gate looks at it" if carried is None else f"carry {carried.name} to {request.gate}"
        return _told(f"Signed by {who}: {LABELS[given.answer].lower()}. Next, {where}.", 200)

    # -- a new device -----------------------------------------------------------------------------

    def register(self, asked: Asked) -> Response:
        """What a browser is asked to make for a person."""
        person, host = self._person(asked), urlsplit(self._origin).hostname
        challenge, now = secrets.token_bytes(32), self._node.clock.monotonic()
        with self._turn:
            self._asked = {one: of for one, of in self._asked.items() if now - of[1] < PASSKEY_ASKED_S}
            while len(self._asked) >= PASSKEYS_ASKED_MAX:
                del self._asked[next(iter(self._asked))]
            self._asked[challenge] = person, now
        options = {
            "attestation": "none",
            "authenticatorSelection": {"residentKey": "discouraged", "userVerification": "required"},
            "challenge": b64url(challenge),
            "excludeCredentials": [
                {"id": b64url(one.id), "type": "public-key"}
                for holder in self._node.me.keys if holder.person == person for one in holder.passkeys
            ],
            "pubKeyCredParams": [{"alg": alg, "type": "public-key"} for alg in (ES256, EDDSA)],
            "rp": {"id": host, "name": f"watchword, {self._node.member}"},
            "user": {
                "displayName": f"{person} of {self._node.member}", "name": f"{person} of {self._node.member}",
                "id": b64url(sha256(f"{self._node.member}\n{person}".encode())),
            },
        }  # fmt: skip
        return self._page(
            "register.html", "A new passkey", person=person, options=canonical(options).decode(), post=asked.url.path
        )

    async def registered(self, asked: Asked) -> Response:
        """Check what the browser made, and keep it for the enrolment."""
        body = await read_body(asked, PASSKEY_ANSWER_BYTES_MAX)
        return await run_in_threadpool(self._registered, asked, body)

    def _registered(self, asked: Asked, body: bytes) -> Response:
        person = self._person(asked)
        try:
            passkey = self._made(person, body)
        except WatchwordError as error:
            return _told(f"Not registered: {error.message}. {error.hint or ''}", 403)
        with self._turn:
            path = self._desk.keep_passkey(person, passkey)
        command = f"watchword keys --passkey {shlex.quote(f'{person}={path}')}"
        told = (
            f"Made. Its fingerprint is {passkey.fingerprint}: read it to the operator of this node, who runs: {command}"
        )
        return _told(told, 200)

    def _made(self, person: str, body: bytes) -> Passkey:
        from webauthn import verify_registration_response
        from webauthn.helpers.cose import COSEAlgorithmIdentifier
        from webauthn.helpers.exceptions import WebAuthnException

        given = parse_json(body, "credential", PASSKEY_ANSWER_BYTES_MAX)
        with self._turn:
            now = self._node.clock.monotonic()
            mine = [one for one, (who, at) in self._asked.items() if who == person and now - at < PASSKEY_ASKED_S]
        for challenge in mine:
            try:
                made = verify_registration_response(
                    credential=given, expected_challenge=challenge, expected_rp_id=str(urlsplit(self._origin).hostname),
                    expected_origin=self._origin, require_user_verification=True,
                    supported_pub_key_algs=[COSEAlgorithmIdentifier(ES256), COSEAlgorithmIdentifier(EDDSA)],
                )  # fmt: skip
            except (WebAuthnException, ValueError) as error:
                why = str(error)
                if "challenge" in why:
                    continue
                raise BadPasskey(why) from error
            with self._turn:
                self._asked.pop(challenge, None)
            if made.credential_device_type.value != "single_device":
                raise BadPasskey("this passkey can be copied to other devices", "Use one that is bound to its device.")
            alg = ES256 if made.credential_public_key[:1] == b"\xa5" else EDDSA
            made_here = {"id": b64(made.credential_id), "key": b64(made.credential_public_key)}
            return parse_passkey(made_here | {"alg": alg, "origin": self._origin})
        raise BadPasskey("it was not asked for now", "Load the page again.")

    # -- parts of the page ------------------------------------------------------------------------

    def style(self, _: Asked) -> Response:
        """The one style sheet."""
        return Response(SHEET + RULES, headers=HEADERS | {"Content-Type": "text/css; charset=utf-8"})

    def script(self, _: Asked) -> Response:
        """The one script."""
        return Response(self._script, headers=HEADERS | {"Content-Type": "text/javascript; charset=utf-8"})

    def _page(self, name: str, title: str, **values: Any) -> Response:
        now: datetime = self._node.clock.now()
        text = self._templates.get_template(name).render(
            values
            | {"base": self._base, "member": self._node.member, "now": rfc3339(now), "title": f"{title}: watchword"}
        )
        return Response(text, headers=HEADERS | {"Content-Type": "text/html; charset=utf-8"})

    def _known(self, asked: Asked, *what: str) -> None:
        """Refuse an address whose token is not the one of this home for *what*."""
        if not hmac.compare_digest(asked.path_params["token"].encode(), self._desk.token(*what).encode()):
            raise HTTPException(404)

    def _request(self, asked: Asked) -> Request:
        name = asked.path_params["name"]
        self._known(asked, "hold", name)
        request = self._desk.at(name)
        if request is None:
            raise HTTPException(410)
        return request

    def _person(self, asked: Asked) -> str:
        person = str(asked.path_params["person"])
        self._known(asked, "register", person)
        if person not in self._people:
            raise HTTPException(404)
        return person


def _unb64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _told(text: str, status: int) -> Response:
    return JSONResponse({"told": text}, status, HEADERS)


async def _no(_: Asked, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    text = {404: "nothing is here", 410: "this action waits no more, or its time is over"}.get(status, "not so")
    return Response(f"{text}\n", status, HEADERS | {"Content-Type": "text/plain; charset=utf-8"})


async def _trouble(_: Asked, error: Exception) -> Response:
    steps.trouble(error)
    return Response("this node is in trouble; its operator has been told\n", 500, HEADERS)

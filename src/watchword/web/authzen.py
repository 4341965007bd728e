"""The AuthZEN door over HTTP: OpenID's Authorization API 1.0 (section 10, HTTPS binding), and its request profile.

    POST access/v1/evaluation, access/v1/evaluations
    POST access/v1/search/subject, …/resource, …/action
    POST access/v1/requests                       a denial put before people (201, or a problem of RFC 9457)
    GET  access/v1/requests/<task>                what became of it
    GET  .well-known/authzen-configuration        metadata; the only address that asks for no token

* Whoever asks shows the token that this door was given (``Authorization: Bearer``); else 401.
* 400 for another content type, for what is no JSON object within AUTHZEN_BYTES_MAX, for a field missing or of another
  type. A denial is 200. ``X-Request-ID`` comes back as it came, where it is printable and short.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from watchword.errors import WatchwordError
from watchword.gate.authzen import AuthZen, BadEvaluation, NotRequestable
from watchword.limits import AUTHZEN_BYTES_MAX
from watchword.observe import steps
from watchword.statements.canonical import NotCanonical, parse_json
from watchword.web.routes import Route

PROBLEM = "urn:openid:authzen:access-request:error:"
REQUEST_ID_CHARS_MAX = 200
"""Characters of an X-Request-ID. Origin: a UUID has 36; a header is not a place for more."""

_NO_STORE = {"Cache-Control": "no-store"}


def metadata(url: str) -> dict[str, Any]:
    """What the well-known address says (section 9.1). *url*: the door's own, without a slash at its end."""
    return {
        "access_evaluation_endpoint": f"{url}/access/v1/evaluation",
        "access_evaluations_endpoint": f"{url}/access/v1/evaluations",
        "access_request_endpoint": f"{url}/access/v1/requests",
        "capabilities": ["urn:openid:authzen:capability:access-request"],
        "policy_decision_point": url,
        "search_action_endpoint": f"{url}/access/v1/search/action",
        "search_resource_endpoint": f"{url}/access/v1/search/resource",
        "search_subject_endpoint": f"{url}/access/v1/search/subject",
    }


def app(door: AuthZen, url: str, token: str) -> Starlette:
    """The routes. *url*: where callers reach this door; *token*: what they show."""
    asked = Asked(door, token)
    told = metadata(url)

    async def well_known(request: Request) -> Response:
        return _with_id(request, JSONResponse(told))

    return Starlette(
        routes=[
            Route("/access/v1/evaluation", asked.by(door.evaluation), methods=["POST"]),
            Route("/access/v1/evaluations", asked.by(door.evaluations), methods=["POST"]),
            Route("/access/v1/search/subject", asked.by(lambda one: door.search("subject", one)), methods=["POST"]),
            Route("/access/v1/search/resource", asked.by(lambda one: door.search("resource", one)), methods=["POST"]),
            Route("/access/v1/search/action", asked.by(lambda one: door.search("action", one)), methods=["POST"]),
            Route("/access/v1/requests", asked.by(door.request, status=201), methods=["POST"]),
            Route("/access/v1/requests/{task}", asked.task, methods=["GET"]),
            Route("/.well-known/authzen-configuration", well_known, methods=["GET"]),
        ]
    )


class Asked:
    """The endpoints over one door."""

    def __init__(self, door: AuthZen, token: str) -> None:
        self._door = door
        self._token = token.encode()

    def by(
        self, answer: Callable[[dict[str, Any]], dict[str, Any]], status: int = 200
    ) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint that *answer* answers."""

        async def endpoint(request: Request) -> Response:
            async def answered() -> Response:
                value = await _object(request)
                return JSONResponse(await run_in_threadpool(answer, value), status, _NO_STORE)

            return await self._guarded(request, answered)

        return endpoint

    async def task(self, request: Request) -> Response:
        """What became of a request."""

        async def answered() -> Response:
            found = await run_in_threadpool(self._door.task, str(request.path_params["task"]))
            return JSONResponse(found, headers=_NO_STORE)

        return await self._guarded(request, answered)

    async def _guarded(self, request: Request, answered: Callable[[], Awaitable[Response]]) -> Response:
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(shown.strip().encode(), self._token):
            refused = JSONResponse({"error": "show this door's token"}, 401, {"WWW-Authenticate": "Bearer"})
            return _with_id(request, refused)
        try:
            response = await answered()
        except BadEvaluation as error:
            response = JSONResponse({"error": error.message}, 400)
        except NotRequestable as error:
            problem = {"detail": error.message, "status": error.status, "title": error.problem.replace("_", " ")}
            response = JSONResponse(
                problem | {"type": PROBLEM + error.problem}, error.status, media_type="application/problem+json"
            )
        except (WatchwordError, OSError) as error:
            steps.trouble(error)
            response = JSONResponse({"error": "this gate is in trouble; its operator has been told"}, 500)
        return _with_id(request, response)


async def _object(request: Request) -> dict[str, Any]:
    """The JSON object in a request's body, read no further than AUTHZEN_BYTES_MAX."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise BadEvaluation(f"content type {kind[:80]!r}, not application/json")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > AUTHZEN_BYTES_MAX:
            raise BadEvaluation(f"more than {AUTHZEN_BYTES_MAX:,} bytes")
        parts.append(part)
    try:
        value = parse_json(b"".join(parts), "request", AUTHZEN_BYTES_MAX)
    except NotCanonical as error:
        raise BadEvaluation(error.message) from error
    if not isinstance(value, dict):
        raise BadEvaluation("the request is no JSON object")
    return value


def _with_id(request: Request, response: Response) -> Response:
    given = request.headers.get("X-Request-ID", "")
    if given and len(given) <= REQUEST_ID_CHARS_MAX and given.isascii() and given.isprintable():
        response.headers["X-Request-ID"] = given
    return response

"""A node's ledgers, its witness and its bodies over HTTP.

Follows c2sp.org/tlog-witness, c2sp.org/tlog-tiles and docs/protocol.md, section 11.

    POST witness/add-checkpoint              a witness for every shared ledger of the charter
    GET  witness/<SHA-256 of origin>/checkpoint
    GET  logs/<SHA-256 of origin>/checkpoint, heads, tile/…      own ledgers and mirrors alike
    GET  heads                               the tag of the heads of each: which of them differ from the asker's
    GET  <path of an own origin>/checkpoint, tile/…              the same, at the address that its origin names
    POST bodies                              bodies and bad news, as scope allows; gzip where the asker takes it
    GET  health                              200 as long as the ledger can be read, for what watches the process

* The private record is not served, under no address.
* What is answered comes from disk at that moment; commands may write the node meanwhile.
* Trouble of ours is 500 and says nothing of the node's insides; stderr has it.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from watchword.errors import WatchwordError
from watchword.ledger import durable
from watchword.ledger.checkpoint import SplitView, verify_head
from watchword.ledger.demand import BadDemand
from watchword.ledger.tiles import BUNDLE_BYTES_MAX, BadTile, parse_path
from watchword.ledger.witness import Witness
from watchword.limits import (
    DEMAND_BYTES_MAX,
    NOTE_BYTES_MAX,
    SERVE_BODIES_TOGETHER_MAX,
    WITNESS_REQUEST_BYTES_MAX,
)
from watchword.node.answering import Answers
from watchword.node.home import NoHome, is_restored
from watchword.node.node import Node
from watchword.node.sync import entity_tag, head_tags
from watchword.observe import steps
from watchword.web.routes import Route

_NOTE = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-cache"}
_FOREVER = {"Content-Type": "application/octet-stream", "Cache-Control": "public, max-age=31536000, immutable"}
_JSON = {"Content-Type": "application/json", "Cache-Control": "no-cache"}
_PACKED_BYTES_MIN = 1400
"""Answers below fit one packet of a network as they are."""

RESERVED = {"logs", "witness", "bodies", "health", "heads", "console"}
"""First parts of addresses that no own origin's path can take."""


def app(node: Node) -> Starlette:
    """The routes of an open node (reading is enough); its witness signs with the node's witness key."""
    served = Served(node)
    routes = [
        Route("/witness/add-checkpoint", served.add_checkpoint, methods=["POST"]),
        Route("/witness/{place}/checkpoint", served.cosigned),
        Route("/heads", served.tags),
        Route("/logs/{place}/checkpoint", served.checkpoint),
        Route("/logs/{place}/heads", served.heads),
        Route("/logs/{place}/{path:path}", served.tile),
        Route("/bodies", served.bodies, methods=["POST"]),
        Route("/health", served.health),
    ]
    for origin in node.charter.shared_origins:
        path = origin.partition("/")[2]
        if node.store.is_own(origin) and path and path.isascii() and path.split("/")[0] not in RESERVED:
            place = {"place": _place(origin)}
            routes += [
                Route(f"/{path}/checkpoint", _at(served.checkpoint, place)),
                Route(f"/{path}/{{path:path}}", _at(served.tile, place)),
            ]
    return Starlette(routes=routes, exception_handlers={WatchwordError: _trouble, OSError: _trouble})


class Served:
    """The endpoints over one node."""

    def __init__(self, node: Node) -> None:
        if is_restored(node.home):
            raise NoHome(
                f"{node.home}: put back from a copy, so its witness may have cosigned what it does not know",
                "exchange by files, then: watchword ledger init --anew",
            )
        self._node = node
        self._origins = {_place(origin): origin for origin in node.charter.known_origins}
        self._trusted = {origin: node.charter.origins[origin].key for origin in node.charter.shared_origins}
        self._answers = Answers(node)
        self._bodies_together = asyncio.Semaphore(SERVE_BODIES_TOGETHER_MAX)
        self._witness = Witness(
            node.home / "witness", node.me.witness, node.keys.job("witness"), node.clock, self._keep_split
        )

    async def add_checkpoint(self, request: Request) -> Response:
        """tlog-witness: cosign a head that extends what was cosigned before."""
        body = await read_body(request, WITNESS_REQUEST_BYTES_MAX)
        answer = await run_in_threadpool(self._witness.add_checkpoint, body, self._trusted)
        return Response(answer.body, answer.status, {"Content-Type": answer.content_type})

    def cosigned(self, request: Request) -> Response:
        """tlog-witness, monitoring: the last head of an origin that this witness cosigned."""
        return _file(request, self._witness.last(self._origin(request)), _NOTE)

    def checkpoint(self, request: Request) -> Response:
        """tlog-tiles: the newest head held, with every cosignature known here."""
        return _file(request, durable.read(self._folder(request) / "checkpoint", NOTE_BYTES_MAX), _NOTE)

    def heads(self, request: Request) -> Response:
        """The newest head with a quorum, and those after it that gather cosignatures."""
        return _file(request, self._node.store.kept_file(self._origin(request)), _JSON)

    def tags(self, request: Request) -> Response:
        """The tags of the heads of every shared ledger, as ``heads`` of each answers."""
        return _file(request, head_tags(self._node.store), _JSON)

    def tile(self, request: Request) -> Response:
        """tlog-tiles: a tile or an entry bundle."""
        path = str(request.path_params["path"])
        try:
            parse_path(path)
        except BadTile:
            raise HTTPException(404) from None
        return _file(request, durable.read(self._folder(request) / path, BUNDLE_BYTES_MAX), _FOREVER)

    async def bodies(self, request: Request) -> Response:
        """Bodies by commitment, and loose notices, in the scope of whoever signed the request."""
        body = await read_body(request, DEMAND_BYTES_MAX)
        async with self._bodies_together:
            try:
                answer = await run_in_threadpool(self._answers.answer, body)
                if not _takes_gzip(request) or len(answer) < _PACKED_BYTES_MIN:
                    return Response(answer, headers=_JSON)
                packed = await run_in_threadpool(gzip.compress, answer, 1, mtime=0)
            except BadDemand as error:
                return Response(f"{error.message}\n", 403, _NOTE)
        return Response(packed, headers=_JSON | {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})

    def health(self, _: Request) -> Response:
        """The sizes of the own shared ledgers by their signed heads on disk; 503 or 500 where one cannot be read."""
        sizes = {}
        for origin, key in self._trusted.items():
            if self._node.store.is_own(origin):
                note = durable.read(self._node.store.folder(origin) / "checkpoint", NOTE_BYTES_MAX)
                if note is None:
                    raise HTTPException(503)
                sizes[origin] = verify_head(note, origin, key).size
        return JSONResponse({"member": self._node.member, "sizes": sizes}, headers=_JSON)

    # -- inside -----------------------------------------------------------------------------------

    def _origin(self, request: Request) -> str:
        origin = self._origins.get(request.path_params["place"])
        if origin is None:
            raise HTTPException(404)
        return origin

    def _folder(self, request: Request) -> Path:
        return self._node.store.folder(self._origin(request))

    def _keep_split(self, origin: str, split: SplitView) -> None:
        folder = self._node.store.keep_split(origin, split)
        steps.note("fork", f"FORK of {origin}: both signed heads kept in {folder}", alarm=True)


def _place(origin: str) -> str:
    return sha256(origin.encode()).hexdigest()


def _at(endpoint: Callable[[Request], Response], place: dict[str, str]) -> Callable[[Request], Response]:
    """*endpoint* for one ledger, whose place is not in the address."""

    def fixed(request: Request) -> Response:
        request.path_params.update(place)
        return endpoint(request)

    return fixed


def _takes_gzip(request: Request) -> bool:
    """Whether the asker names the coding, and not only to refuse it."""
    for one in request.headers.get("Accept-Encoding", "").split(","):
        name, _, quality = one.partition(";")
        if name.strip().lower() == "gzip":
            return quality.replace(" ", "").rstrip("0.") != "q="
    return False


async def read_body(request: Request, bytes_max: int) -> bytes:
    """The body of a request, read no further than *bytes_max*."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > bytes_max:
            raise HTTPException(413, f"more than {bytes_max:,} bytes", {"Connection": "close"})
        parts.append(part)
    return b"".join(parts)


def _file(request: Request, data: bytes | None, headers: dict[str, str]) -> Response:
    if data is None:
        raise HTTPException(404)
    tag = entity_tag(data)
    if tag in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers={"ETag": tag})
    return Response(data, headers=headers | {"ETag": tag})


async def _trouble(_: Request, error: Exception) -> Response:
    steps.trouble(error)
    return Response("this node is in trouble; its operator has been told\n", 500, _NOTE)

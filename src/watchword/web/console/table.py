"""The table of pages, and what is made from it: a route, a twin in JSON and an OpenAPI description for each row.

Follows the OpenAPI Specification 3.1.0. Data functions return structures of msgspec, so that the description of an
answer is made from the type that makes the answer.

* ``reads``: ``anyone``; ``allies``, whoever is signed in of any member, each within his scope; ``member``, own people.
* Parameters in an address match ``PLACES``; anything else is not found, before any function sees it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from watchword import __version__
from watchword.errors import WatchwordError
from watchword.report.html import Html
from watchword.web.console.access import NOBODY, Reader
from watchword.web.console.knowledge import Snapshot

BASE = "/console"
DIGEST = r"sha256:[0-9a-f]{64}"
PLACES = {
    "digest": (DIGEST, "the digest of a release, or of a charter"),
    "use": (DIGEST, "the digest of a use case"),
    "other": (DIGEST, "the digest of another charter"),
    "id": (DIGEST, "the id of a statement; of a chain also the digest of a release or action"),
    "member": (r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "the name of a member"),
    "supplier": (r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "the name of a supplier"),
}
QUERIES: dict[str, tuple[dict[str, Any], str]] = {
    "page": ({"type": "integer", "minimum": 1, "maximum": 100_000, "default": 1}, "which page of a long table"),
    "kind": ({"type": "string", "maxLength": 40, "pattern": "^[a-z-]*$"}, "statements of this kind alone"),
    "of": ({"type": "string", "maxLength": 400}, "what falls: a name, a package URL or a digest"),
    "stops": ({"type": "integer", "minimum": 1, "maximum": 100_000}, "how many uses are to be stopped"),
    "find": ({"type": "string", "maxLength": 200}, "names that contain this"),
}


class NotFound(WatchwordError):
    """Nothing is at this address for this reader: whether it is not held or not for him, nobody is told."""


class NotSo(WatchwordError):
    """A query that is not of the form described."""


@dataclass(frozen=True)
class Asked:
    """What a page is asked for: the parameters of its address, its query, and who reads."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    reader: Reader = NOBODY
    memo: dict[str, Any] = field(default_factory=dict)
    """What the data of this request was made from, where its picture is made from the same."""

    @property
    def page(self) -> int:
        return int(self.query.get("page", "1"))


Data = Callable[[Snapshot, Asked], msgspec.Struct]
Reads = Literal["anyone", "allies", "member"]


@dataclass(frozen=True)
class Sheet:
    """One page. ``path`` below BASE; ``answer`` the structure that *data* returns; ``menu`` its name there, if it is.

    ``drawn``: markup that the page shows beside its data, of the same facts.
    """

    path: str
    template: str
    reads: Reads
    data: Data
    answer: type[msgspec.Struct]
    summary: str
    menu: str = ""
    query: tuple[str, ...] = ()
    drawn: Callable[[Snapshot, Asked], Html] | None = None

    @property
    def places(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    def may_read(self, reader: Reader, member: str) -> bool:
        """Whether *reader* gets past the door of this page; what he sees behind it is the data function's."""
        if self.reads == "anyone":
            return True
        return reader.member is not None and (self.reads == "allies" or reader.member == member)

    def asked(self, path: Mapping[str, str], query: Mapping[str, str], reader: Reader) -> Asked:
        """Check the parameters of a request.

        Raises:
            NotFound, NotSo.
        """
        for name in self.places:
            if not re.fullmatch(PLACES[name][0], path[name]):
                raise NotFound("nothing is here")
        for name, text in query.items():
            if name not in self.query:
                raise NotSo(f"{name[:40]}: not a parameter of this page", f"it takes {', '.join(self.query) or 'none'}")
            form = QUERIES[name][0]
            if form["type"] == "integer":
                most = int(form["maximum"])
                if not re.fullmatch(r"[1-9][0-9]{0,5}", text, re.ASCII) or int(text) > most:
                    raise NotSo(f"{name}: not a whole number from 1 to {most:,}")
            elif len(text) > form["maxLength"] or not re.fullmatch(form.get("pattern", r"[^\x00]*"), text):
                raise NotSo(f"{name}: not of the form that is described")
        return Asked(path, query, reader)


def address(path: str, **places: str) -> str:
    """An address of the console, with its places filled."""
    return BASE + path.format(**places)


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no page: what is wrong, and what to do next."""

    told: str
    hint: str | None


def openapi(sheets: tuple[Sheet, ...], origin: str, cookie: str) -> dict[str, Any]:
    """The description of every twin."""
    kinds = sorted({sheet.answer for sheet in sheets} | {Trouble}, key=lambda one: one.__name__)
    _, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "watchword console", "version": __version__,
            "description": "Each page of the console as JSON. Nothing here changes anything.",
        },
        "servers": [{"url": origin}],
        "paths": {f"{BASE}{sheet.path}.json": {"get": _operation(sheet)} for sheet in sheets},
        "components": {
            "schemas": components,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": cookie},
                "certificate": {"type": "mutualTLS"},
            },
        },
    }  # fmt: skip


def _operation(sheet: Sheet) -> dict[str, Any]:
    places = [
        {
            "name": name, "in": "path", "required": True, "description": PLACES[name][1],
            "schema": {"type": "string", "pattern": f"^{PLACES[name][0]}$"},
        }
        for name in sheet.places
    ]  # fmt: skip
    queries = [
        {"name": name, "in": "query", "required": False, "description": QUERIES[name][1], "schema": QUERIES[name][0]}
        for name in sheet.query
    ]
    answers = {"200": _answer(sheet.summary, sheet.answer.__name__), "400": _answer("a query of another form")}
    if sheet.reads != "anyone":
        answers["401"] = _answer("not signed in, or not as who may read this")
    if places:
        answers["404"] = _answer("nothing is here for this reader")
    answers |= {"429": _answer("too many requests"), "503": _answer("this node is in trouble")}
    found: dict[str, Any] = {
        "operationId": sheet.template.removesuffix(".html").replace("-", "_"), "summary": sheet.summary,
        "parameters": places + queries, "responses": answers,
    }  # fmt: skip
    if sheet.reads != "anyone":
        found["security"] = [{"session": []}, {"certificate": []}]
    return found


def _answer(what: str, name: str = "Trouble") -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"description": what, "content": {"application/json": {"schema": schema}}}

"""Files behind HTTP: read by ranges, listed as web servers list folders.

* An address that ends in ``/`` is a folder: of the links in its page, those to a name directly below it count, and no
  others. Any other address is one file.
* A range is asked for on the condition that the entity tag is still the listed one. A server without ranges can serve
  only what fits into one request.
* Only http and https, through redirects too; no way back from https to http. What a redirect leads to gets no
  credentials.
* One request ends after FAR_READ_S_MAX seconds, however slowly it drips; it is tried FAR_TRIES times in all.
"""

from __future__ import annotations

import functools
import html.parser
import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO, Any

from watchword.fleet.hub import BadHub
from watchword.inspect.facts import shown
from watchword.inspect.walk import Found
from watchword.limits import FAR_READ_S_MAX, FAR_TRIES, FLEET_FILES_MAX, FLEET_PAGE_BYTES_MAX, RELEASE_DEPTH_MAX


class NotServed(OSError):
    """An answer that is not what was asked for; ``status`` as HTTP has it, 0 for none, ``headers`` as they came."""

    def __init__(self, words: str, status: int = 0, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class WebFile:
    """A file: its address, and the entity tag that it had when it was listed."""

    url: str
    etag: str | None
    promised: str | None = None

    def read(self, start: int, length: int) -> bytes:
        return read_range(self.url, start, length, {"If-Match": self.etag} if self.etag else {})


def files(address: str) -> Iterator[Found]:
    """The files below *address*, with their paths below it.

    Raises:
        BadHub: it does not answer, or not with a list of links.
    """
    waiting = [(address, "", 0)]
    seen = 0
    try:
        while waiting:
            url, prefix, depth = waiting.pop()
            if not url.endswith("/"):
                yield _file(url, prefix or urllib.parse.unquote(url.rpartition("/")[2]))
                continue
            if depth > RELEASE_DEPTH_MAX:
                raise BadHub(f"{shown(url, 200)}: nested deeper than {RELEASE_DEPTH_MAX} folders")
            body = ask(url, {}, FLEET_PAGE_BYTES_MAX)[1]
            links = _links(body.decode("utf-8", "replace"))
            seen += len(links)
            # Folders in folders without a file would never end: whoever answers makes them up as they are asked for.
            if seen > FLEET_FILES_MAX:
                words = f"{shown(address, 200)}: more than {FLEET_FILES_MAX:,} files and folders"
                raise BadHub(words, "name parts of it")
            for link in links:
                waiting.append((url + link, prefix + urllib.parse.unquote(link), depth + 1))
    except OSError as error:
        raise BadHub(f"{shown(address, 200)}: {error}", "nothing in it was looked at") from error


def _file(url: str, path: str) -> Found:
    headers, _ = ask(url, {}, 0, "HEAD")
    length = headers.get("Content-Length", "")
    if not length.isdigit():
        raise NotServed(f"{shown(url, 200)}: the server does not say how long it is")
    etag = headers.get("ETag")
    # A weak tag does not promise the same bytes.
    etag = None if etag is None or etag.startswith("W/") else etag
    version = etag or headers.get("Last-Modified", "")
    return Found(Path(path), path, int(length), far=WebFile(url, etag), version=version)


def _links(page: str) -> list[str]:
    """The links of a page that name something directly below it, in their order, each once. Raises NotServed."""
    found: dict[str, None] = {}

    class Links(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            for name, value in attrs:
                if tag == "a" and name == "href" and value:
                    link = value.removeprefix("./")
                    bare = urllib.parse.unquote(link.removesuffix("/"))
                    if bare not in ("", ".", "..") and not any(one in bare for one in "/\\?#:") and "?" not in link:
                        found[link] = None

    try:
        Links().feed(page)
    except AssertionError as error:  # how Python's parser refuses a declaration that is none
        raise NotServed(f"no page of links: {shown(str(error), 100)}") from error
    return list(found)


def read_range(url: str, start: int, length: int, headers: Mapping[str, str], secret: str = "") -> bytes:
    """*length* bytes of *url* from *start*; *secret*: the Authorization that its own host may see.

    Raises:
        NotServed: another version, no ranges, fewer bytes, or no answer.
    """
    asked = {**headers, "Range": f"bytes={start}-{start + length - 1}"}
    answer, body = ask(url, asked, length, secret=secret)
    if answer["status"] == "206":
        if not answer.get("Content-Range", "").startswith(f"bytes {start}-{start + length - 1}/"):
            raise NotServed(f"{shown(url, 200)}: another range was served than asked for")
    elif start > 0:
        raise NotServed(f"{shown(url, 200)}: the server does not serve ranges, and the file is too large without")
    if len(body) < length:
        raise NotServed(f"{shown(url, 200)}: {len(body):,} bytes were served where {length:,} were asked for")
    return body


def ask(
    url: str, headers: Mapping[str, str], bytes_max: int, method: str = "GET", secret: str = "",
    sent: bytes | None = None,
) -> tuple[Mapping[str, str], bytes]:  # fmt: skip
    """The headers of an answer, with its ``status``, and at most *bytes_max* bytes of its body; *sent*: what is sent.

    Raises:
        NotServed: any status but 2xx, or no answer after FAR_TRIES tries.
    """
    for left in reversed(range(FAR_TRIES)):
        try:
            return _once(url, headers, bytes_max, method, secret, sent)
        except NotServed as error:
            if not left or (error.status and error.status != 429 and error.status < 500):
                raise
            time.sleep(0.2 * (FAR_TRIES - left))
    raise NotServed(f"{shown(url, 200)}: never asked")


def _once(
    url: str, headers: Mapping[str, str], bytes_max: int, method: str, secret: str, sent: bytes | None
) -> tuple[Mapping[str, str], bytes]:
    where = shown(url, 200)
    told = {"User-Agent": "watchword", **headers}
    request = urllib.request.Request(url, sent, told, method=method)  # noqa: S310
    if secret:
        request.add_unredirected_header("Authorization", secret)
    until = time.monotonic() + FAR_READ_S_MAX
    try:
        with _opener().open(request, timeout=FAR_READ_S_MAX) as answer:
            parts, size = [], 0
            while size < bytes_max and (part := answer.read1(min(bytes_max - size, 1 << 20))):
                parts.append(part)
                size += len(part)
                if time.monotonic() > until:
                    raise NotServed(f"{where}: no whole answer within {FAR_READ_S_MAX} s")
            told = {**_canonical(answer.headers), "status": str(answer.status)}
            return told, b"".join(parts)
    except urllib.error.HTTPError as error:
        with error:
            words = f"{where}: the server answers {error.code} {shown(error.reason, 60)}"
            raise NotServed(words, error.code, _canonical(error.headers)) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, NotServed):
            raise
        why = getattr(error, "reason", error)
        raise NotServed(f"{where}: {shown(str(why) or type(why).__name__, 200).lower()}") from error


def _canonical(headers: Message) -> dict[str, str]:
    names = {"etag": "ETag", "www-authenticate": "WWW-Authenticate"}
    return {names.get(name.lower(), name.title()): str(value) for name, value in headers.items()}


@functools.cache
def _opener() -> urllib.request.OpenerDirector:
    opener = urllib.request.OpenerDirector()
    for one in (
        urllib.request.ProxyHandler(), urllib.request.HTTPHandler(), urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(), urllib.request.HTTPErrorProcessor(), _SafeRedirects(),
    ):  # fmt: skip
        opener.add_handler(one)
    return opener


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        scheme = urllib.parse.urlsplit(newurl).scheme
        if scheme not in ("http", "https") or (req.type == "https" and scheme == "http"):
            words = f"{shown(req.full_url, 200)}: redirected to {shown(newurl, 200)}, which is not followed"
            raise NotServed(words, 400)
        return super().redirect_request(req, fp, code, msg, headers, newurl)

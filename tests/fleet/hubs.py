"""Hubs for the tests of fleets: a folder of small models, and what serves such a folder on this machine by HTTP with
ranges, or as an OCI registry. Servers count the bytes that they send, and can be told to misbehave."""

from __future__ import annotations

import functools
import hashlib
import json
import pickle
import re
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from watchword.fleet.run import Looked

Look = Callable[..., tuple[list[Looked], list[bytes]]]
"""The fixture ``look``: the outcomes, and the inspections as bytes."""


class Runs:
    """A pickle of it calls ``os.system``."""

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.system, ("id",)


def safetensors(values: int) -> bytes:
    """A file with one tensor of so many zeros (F32)."""
    header = json.dumps({"w": {"dtype": "F32", "shape": [values], "data_offsets": [0, 4 * values]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(4 * values)


def small_hub(root: Path) -> Path:
    """Four releases: two that are clean, one pickle that runs a program, one file of its own."""
    for name, content in {
        "alpha/model.safetensors": safetensors(16),
        "alpha/config.json": b'{"model_type": "x"}',
        "beta/weights.pkl": pickle.dumps({"w": [1.0, 2.0]}),
        "gamma/nested/head.pkl": pickle.dumps(Runs()),
        "single.safetensors": safetensors(4),
    }.items():
        root.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        root.joinpath(name).write_bytes(content)
    return root


class Server(ThreadingHTTPServer):
    """What serves on a free port; ``sent``: bytes of content, ``asked``: (path, Range) of every GET."""

    daemon_threads = True

    def __init__(self, answers: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), answers)
        self.sent = 0
        self.asked: list[tuple[str, str | None]] = []
        self.ranges = True
        self.lie: Any = None
        self.broken = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    """Sends what ``content`` gives for a path: its bytes and headers, or None."""

    protocol_version = "HTTP/1.1"
    server: Server

    def content(self, path: str) -> tuple[bytes, dict[str, str]] | None:
        raise KeyError(path)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        if self.command == "GET":
            self.server.asked.append((self.path, wanted))
        if self.server.broken > 0 and wanted:
            self.server.broken -= 1
            self.answer(503, b"", {})
            return
        found = self.content(self.path)
        if found is None:
            return self.answer(404, b"", {})
        body, headers = found
        if self.headers.get("If-Match") not in (None, headers.get("ETag")):
            return self.answer(412, b"", {})
        if wanted and self.server.ranges:
            first, last = (int(part) for part in re.fullmatch(r"bytes=(\d+)-(\d+)", wanted).groups())  # type: ignore[union-attr]
            part = body[first : last + 1]
            if self.server.lie is not None:
                part = self.server.lie(self.path, first, part)
            return self.answer(206, part, headers | {"Content-Range": f"bytes {first}-{last}/{len(body)}"})
        return self.answer(200, body, headers)

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
            self.server.sent += len(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(answers: type[BaseHTTPRequestHandler]) -> Iterator[Server]:
    """A server in a thread of its own."""
    with Server(answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def folder_over_http(root: Path) -> type[BaseHTTPRequestHandler]:
    """*root* as a web server lists and serves it, with entity tags."""

    class OfFolder(Answers):
        def content(self, path: str) -> tuple[bytes, dict[str, str]] | None:
            place = root / path.strip("/")
            if path.endswith("/") and place.is_dir():
                names = sorted(one.name + ("/" if one.is_dir() else "") for one in place.iterdir())
                links = "".join(f'<li><a href="{name}">{name}</a></li>' for name in names)
                # As real servers do: a link up, one to sort by, one to somewhere else.
                page = f'<a href="../">..</a><a href="?C=M">date</a><a href="https://other.example/x">x</a>{links}'
                return page.encode(), {"Content-Type": "text/html"}
            if not place.is_file():
                return None
            body, tag = _read(place, place.stat().st_mtime_ns)
            return body, {"ETag": f'"{tag}"'}

    return OfFolder


@functools.lru_cache(8)
def _read(place: Path, _changed: int) -> tuple[bytes, str]:
    body = place.read_bytes()
    return body, hashlib.sha256(body).hexdigest()[:16]


def bucket_over_s3(root: Path) -> type[BaseHTTPRequestHandler]:
    """The folders in *root* as buckets: ListObjectsV2, two keys a page, and GetObject. Signatures are not checked."""

    class OfBucket(Answers):
        def content(self, path: str) -> tuple[bytes, dict[str, str]] | None:
            parts = urlsplit(path)
            bucket, _, key = parts.path.strip("/").partition("/")
            place = root / bucket
            if not key:
                return self.listed(bucket, place, {name: one[0] for name, one in parse_qs(parts.query).items()})
            if not place.joinpath(key).is_file():
                return None
            body = place.joinpath(key).read_bytes()
            return body, {"ETag": f'"{hashlib.md5(body).hexdigest()}"', "Last-Modified": _MODIFIED}

        def listed(self, bucket: str, place: Path, asked: dict[str, str]) -> tuple[bytes, dict[str, str]] | None:
            keys = sorted(str(one.relative_to(place)) for one in place.rglob("*") if one.is_file())
            keys = [key for key in keys if key.startswith(asked.get("prefix", ""))]
            start = int(asked.get("continuation-token", "0"))
            rows = "".join(
                f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-31T12:00:00.000Z</LastModified>"
                f"<ETag>&quot;{hashlib.md5(place.joinpath(key).read_bytes()).hexdigest()}&quot;</ETag>"
                f"<Size>{place.joinpath(key).stat().st_size}</Size></Contents>"
                for key in keys[start : start + 2]
            )
            more = start + 2 < len(keys)
            token = f"<NextContinuationToken>{start + 2}</NextContinuationToken>" if more else ""
            page = f"<IsTruncated>{str(more).lower()}</IsTruncated>{rows}{token}"
            return f"<ListBucketResult><Name>{bucket}</Name>{page}</ListBucketResult>".encode(), {}

    return OfBucket


_MODIFIED = "Sat, 31 Jan 2026 12:00:00 GMT"


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Registry:
    """Repositories with tags, in memory; after OCI distribution 1.1: tags, manifests, blobs, uploads, and a token where
    ``secret`` asks for one. ``referrers``: it has that API, two descriptors a page; without it, what is pushed is not
    listed by it."""

    def __init__(self, secret: str = "", referrers: bool = True) -> None:
        self.secret = secret
        self.referrers = referrers
        self.meanwhile: list[Callable[[], None]] = []
        """What others do before the next manifest is taken, one each time."""
        self.blobs: dict[str, bytes] = {}
        self.tags: dict[str, dict[str, bytes]] = {}

    def push(self, repository: str, tag: str, files: dict[str, bytes], config: bytes = b"{}") -> None:
        """One artefact, as ``oras push`` makes it."""
        layers = []
        for name, content in files.items():
            self.blobs[digest(content)] = content
            title = {"org.opencontainers.image.title": name}
            layers.append({"mediaType": "a/b", "digest": digest(content), "size": len(content), "annotations": title})
        self.blobs[digest(config)] = config
        told = {"mediaType": "application/json", "digest": digest(config), "size": len(config)}
        manifest = {"schemaVersion": 2, "config": told, "layers": layers}
        self.tags.setdefault(repository, {})[tag] = json.dumps(manifest).encode()

    def answers(self) -> type[BaseHTTPRequestHandler]:
        registry = self

        class OfRegistry(Answers):
            def do_GET(self) -> None:
                if registry.secret and self.path.startswith("/token?"):
                    return self.answer(200, json.dumps({"token": registry.secret}).encode(), {})
                if registry.secret and self.headers.get("Authorization") != f"Bearer {registry.secret}":
                    realm = f'Bearer realm="http://{self.server.host}/token",service="here"'
                    return self.answer(401, b"", {"WWW-Authenticate": realm})
                return super().do_GET()

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if registry.secret and self.headers.get("Authorization") != f"Bearer {registry.secret}":
                    return self.do_GET()
                self.answer(202, b"", {"Location": f"{self.path}one?state=x"})

            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if blob := re.fullmatch(r"/v2/.+/blobs/uploads/one\?state=x&digest=(.+)", self.path):
                    if unquote(blob[1]) != digest(body):
                        return self.answer(400, b"", {})
                    registry.blobs[digest(body)] = body
                    return self.answer(201, b"", {})
                named = re.fullmatch(r"/v2/(.+)/manifests/([^/]+)", self.path)
                assert named is not None
                for act in registry.meanwhile[:1]:
                    registry.meanwhile.pop(0)
                    act()
                before = registry.tags.setdefault(named[1], {}).get(named[2])
                if self.headers.get("If-Match") not in (None, None if before is None else f'"{digest(before)}"'):
                    return self.answer(412, b"", {})
                registry.blobs[digest(body)] = body
                if not named[2].startswith("sha256:"):
                    registry.tags[named[1]][named[2]] = body
                subject = json.loads(body).get("subject", {}).get("digest")
                told = {"OCI-Subject": subject} if subject and registry.referrers else {}
                return self.answer(201, b"", told)

            def referring(self, subject: str) -> list[dict[str, Any]]:
                found = []
                for name, content in sorted(registry.blobs.items()):
                    if b'"subject"' in content and json.loads(content).get("subject", {}).get("digest") == subject:
                        told = {"digest": name, "size": len(content), "mediaType": "a/b"}
                        found.append(told | {"artifactType": json.loads(content)["artifactType"]})
                return found

            def content(self, path: str) -> tuple[bytes, dict[str, str]] | None:
                if asked := re.fullmatch(r"/v2/.+/referrers/([^/?]+)(?:\?from=(\d+))?", path):
                    if not registry.referrers:
                        return None
                    found, start = self.referring(asked[1]), int(asked[2] or 0)
                    following = f'<{path.partition("?")[0]}?from={start + 2}>; rel="next"'
                    index = json.dumps({"schemaVersion": 2, "manifests": found[start : start + 2]}).encode()
                    return index, {"Link": following} if start + 2 < len(found) else {}
                if path.startswith("/v2/_catalog"):
                    return json.dumps({"repositories": sorted(registry.tags)}).encode(), {}
                if listed := re.fullmatch(r"/v2/(.+)/tags/list\?.*", path):
                    names = sorted(registry.tags.get(listed[1], {}))
                    # Two pages where there are two tags.
                    if len(names) > 1 and "last=" not in path:
                        link = f'</v2/{listed[1]}/tags/list?n=1&last={names[0]}>; rel="next"'
                        return json.dumps({"tags": names[:1]}).encode(), {"Link": link}
                    return json.dumps({"tags": names[1:] if "last=" in path else names}).encode(), {}
                if named := re.fullmatch(r"/v2/(.+)/manifests/([^/]+)", path):
                    manifest = registry.tags.get(named[1], {}).get(named[2])
                    manifest = registry.blobs.get(named[2]) if manifest is None else manifest
                    return None if manifest is None else (manifest, {"ETag": f'"{digest(manifest)}"'})
                if blob := re.fullmatch(r"/v2/(.+)/blobs/([^/]+)", path):
                    content = registry.blobs.get(blob[2])
                    return None if content is None else (content, {})
                return None

        return OfRegistry

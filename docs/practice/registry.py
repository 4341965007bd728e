"""A registry to practise on, as far as pushing, pulling and attaching go (OCI distribution 1.1), in memory.

    python3 registry.py FOLDER…   each folder becomes the artefact models/<its name>:1, its files the layers

Prints its host and port, and answers for ten minutes at most.
"""

import hashlib
import json
import re
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

blobs: dict[str, bytes] = {}
tags: dict[str, str] = {}


def keep(content: bytes) -> dict[str, Any]:
    """Its descriptor."""
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    blobs[digest] = content
    return {"mediaType": "application/octet-stream", "digest": digest, "size": len(content)}


class Registry(BaseHTTPRequestHandler):
    """Blobs and manifests by digest, manifests by tag too."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        _, what, name = self.path.rsplit("/", 2)
        if what == "referrers":
            found = []
            for digest, content in list(blobs.items()):
                if b'"subject"' in content and json.loads(content)["subject"]["digest"] == name:
                    told = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": len(content)}
                    found.append(told | {"digest": digest, "artifactType": json.loads(content)["artifactType"]})
            self.answer(200, json.dumps({"schemaVersion": 2, "manifests": found}).encode())
        elif (content := blobs.get(tags.get(self.path, name))) is not None:
            self.answer(200, content)
        else:
            self.answer(404)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.answer(202, Location=self.path + "one")

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        digest = keep(content)["digest"]
        path, _, query = self.path.partition("?")
        if query and urllib.parse.parse_qs(query)["digest"] != [digest]:
            return self.answer(400)
        if not re.search("sha256:", self.path) and not query:
            tags[path] = digest
        told = {"OCI-Subject": json.loads(content)["subject"]["digest"]} if b'"subject"' in content[:4096] else {}
        self.answer(201, **({} if query else told))

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


for folder in map(Path, sys.argv[1:]):
    layers = []
    for place in sorted(one for one in folder.rglob("*") if one.is_file()):
        title = {"org.opencontainers.image.title": str(place.relative_to(folder))}
        layers.append(keep(place.read_bytes()) | {"annotations": title})
    manifest = keep(json.dumps({"schemaVersion": 2, "config": keep(b"{}"), "layers": layers}).encode())
    tags[f"/v2/models/{folder.name}/manifests/1"] = manifest["digest"]
server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
print(f"127.0.0.1:{server.server_address[1]}", flush=True)
end = threading.Timer(600, server.shutdown)
end.daemon = True
end.start()
server.serve_forever()

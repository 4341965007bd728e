"""Artefacts in a registry: ``oci://host/repository[:tag]``, each tag a release. OCI distribution and image spec 1.1.

* A layer is a file: named by its ``org.opencontainers.image.title``, else by its digest. A configuration that is not
  empty is one as well (``config-<digest>``); the manifests of an index stand in folders named by their digests.
* Content must have the digest that the manifest promises, and the manifest the one by which it is named.
* Anonymous, or with what ``docker login`` or ``oras login`` left in ``$DOCKER_CONFIG/config.json``; a token is asked
  for where the registry says so, over https. Plain HTTP on this machine alone.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import os
import re
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from watchword.fleet.hub import BadHub, Release
from watchword.fleet.web import NotServed, ask, read_range
from watchword.inspect.facts import shown
from watchword.inspect.walk import Found, Listing
from watchword.limits import FLEET_MANIFEST_BYTES_MAX, FLEET_PAGE_BYTES_MAX, FLEET_RELEASES_MAX, RELEASE_FILES_MAX

Answer = TypeVar("Answer")

_ADDRESS = re.compile(r"oci://(?P<host>[^/@]+)(?:/(?P<repository>[a-z0-9._/-]+?))?(?::(?P<tag>[\w][\w.-]{0,127}))?/?")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_TITLE = "org.opencontainers.image.title"
_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_ACCEPT = ", ".join(
    (*_INDEXES, "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
)
_EMPTY = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
"""Of ``{}``: the configuration of an artefact that has none (image spec 1.1, "guidance for an empty descriptor")."""
_INDEX_DEPTH_MAX = 3


@dataclass(frozen=True, slots=True)
class Blob:
    """A layer or configuration: the registry and repository, and its digest in hex."""

    host: str
    repository: str
    promised: str

    def read(self, start: int, length: int) -> bytes:
        url = f"{_base(self.host)}/v2/{self.repository}/blobs/sha256:{self.promised}"
        return _authorised(self.host, self.repository, lambda secret: read_range(url, start, length, {}, secret))


def tagged(address: str) -> Iterator[Release]:
    """The tags of a repository, or of all repositories of a registry that lists them.

    Raises:
        BadHub: not such an address, or the registry does not answer.
    """
    parts = _ADDRESS.fullmatch(address)
    if parts is None:
        raise BadHub(f"{shown(address, 200)}: not the address of a registry", "such as oci://registry.example/models/x")
    host, repository, tag = parts["host"], parts["repository"], parts["tag"]
    try:
        repositories = [repository] if repository else _names(host, "_catalog", "repositories", "")
        for name in sorted(repositories):
            for one in [tag] if tag else sorted(_names(host, f"{name}/tags/list", "tags", name)):
                if not _TAG.fullmatch(one) or not re.fullmatch(r"[a-z0-9._/-]+", name):
                    raise BadHub(f"{shown(address, 200)}: names {shown(f'{name}:{one}', 200)}, which is no tag")
                yield Release(f"oci://{host}/{name}:{one}", functools.partial(_listing, host, name, one))
    except (OSError, ValueError) as error:
        raise BadHub(f"{shown(address, 200)}: {error}", "nothing in it was looked at") from error


def _names(host: str, path: str, field: str, repository: str) -> list[str]:
    """All pages of a list."""
    found: list[str] = []
    url = f"{_base(host)}/v2/{path}?n=1000"
    while url:
        answer, body = _asked(host, repository, url, {}, FLEET_PAGE_BYTES_MAX)
        names = json.loads(body).get(field) or []
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError(f"{url} does not list names")
        found += names
        if len(found) > FLEET_RELEASES_MAX:
            raise ValueError(f"more than {FLEET_RELEASES_MAX:,} names")
        following = re.match(r"<([^>]+)>; *rel=\"?next\"?", answer.get("Link", ""))
        url = urllib.parse.urljoin(url, following[1]) if following and names else ""
        if url and urllib.parse.urlsplit(url).netloc != host:
            raise ValueError("its list goes on at another host")
    return found


def _listing(host: str, repository: str, reference: str) -> Listing:
    try:
        files = list(_files(host, repository, reference, "", _INDEX_DEPTH_MAX))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadHub(f"{reference}: its manifest cannot be read: {shown(str(error), 300)}") from error
    if len(files) > RELEASE_FILES_MAX:
        raise BadHub(f"{reference}: more than {RELEASE_FILES_MAX:,} files")
    return Listing(tuple(sorted(files, key=lambda one: one.path.encode(errors="surrogatepass"))), ())


def _files(host: str, repository: str, reference: str, prefix: str, depth: int) -> Iterator[Found]:
    url = f"{_base(host)}/v2/{repository}/manifests/{reference}"
    body = _asked(host, repository, url, {"Accept": _ACCEPT}, FLEET_MANIFEST_BYTES_MAX + 1)[1]
    if len(body) > FLEET_MANIFEST_BYTES_MAX:
        raise ValueError(f"more than {FLEET_MANIFEST_BYTES_MAX:,} bytes")
    if reference.startswith("sha256:") and hashlib.sha256(body).hexdigest() != reference[7:]:
        raise ValueError("it is not what its digest promises")
    manifest = json.loads(body)
    if "manifests" in manifest:
        if depth == 0:
            raise ValueError("indexes in indexes")
        for one in manifest["manifests"]:
            digest = _digest(one)
            yield from _files(host, repository, digest, f"{prefix}{digest[7:19]}/", depth - 1)
        return
    config = manifest.get("config")
    described = [(one, (one.get("annotations") or {}).get(_TITLE)) for one in manifest["layers"]]
    if config is not None and config["digest"] != _EMPTY:
        described.append((config, f"config-{_digest(config)[7:19]}"))
    for one, title in described:
        digest, size = _digest(one), one["size"]
        if type(size) is not int or size < 0 or not isinstance(title, str | None):
            raise ValueError("a layer without a size or with a title that is no text")
        path = prefix + (title or f"sha256-{digest[7:]}")
        yield Found(Path(path), path, size, far=Blob(host, repository, digest[7:]), version=digest)


def _digest(described: dict[str, Any]) -> str:
    digest = described["digest"]
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise ValueError(f"a digest that is not SHA-256: {shown(str(digest), 100)}")
    return digest


# -- who asks -------------------------------------------------------------------------------------


def _base(host: str) -> str:
    here = host.partition(":")[0] in ("localhost", "127.0.0.1") or host.startswith("[::1]")
    return f"{'http' if here else 'https'}://{host}"


_tokens: dict[tuple[str, str], str] = {}


def _asked(
    host: str, repository: str, url: str, headers: Mapping[str, str], bytes_max: int
) -> tuple[Mapping[str, str], bytes]:
    return _authorised(host, repository, lambda secret: ask(url, headers, bytes_max, secret=secret))


def _authorised(host: str, repository: str, asking: Callable[[str], Answer]) -> Answer:
    """*asking* with the secret that the registry wants of us; a token that is no longer good is asked for anew."""
    try:
        return asking(_tokens.get((host, repository), ""))
    except NotServed as error:
        if error.status != 401:
            raise
        _tokens[host, repository] = _secret(host, repository, error.headers.get("WWW-Authenticate", ""))
        return asking(_tokens[host, repository])


def _secret(host: str, repository: str, challenge: str) -> str:
    scheme, _, rest = challenge.partition(" ")
    basic = _login(host)
    if scheme.lower() == "basic" and basic:
        return f"Basic {basic}"
    if scheme.lower() != "bearer":
        raise NotServed(f"{host}: wants a login, and none is kept here", 401)
    told = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    realm = told.get("realm", "")
    if urllib.parse.urlsplit(realm).scheme != "https" and not realm.startswith(_base(host) + "/"):
        raise NotServed(f"{host}: sends us for a token to {shown(realm, 200)}, which is not asked", 401)
    query = {name: told[name] for name in ("service", "scope") if name in told}
    query.setdefault("scope", f"repository:{repository}:pull")
    url = f"{realm}{'&' if '?' in realm else '?'}{urllib.parse.urlencode(query)}"
    body = ask(url, {}, FLEET_PAGE_BYTES_MAX, secret=f"Basic {basic}" if basic else "")[1]
    try:
        answer = json.loads(body)
        token = answer.get("token") or answer["access_token"]
    except (ValueError, KeyError, AttributeError) as error:
        raise NotServed(f"{host}: no token in the answer of {shown(realm, 200)}", 401) from error
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise NotServed(f"{host}: a token that is no token", 401)
    return f"Bearer {token}"


def _login(host: str) -> str:
    """User and password in base64 as ``docker login`` keeps them; empty where there are none."""
    folder = os.environ.get("DOCKER_CONFIG") or str(Path.home() / ".docker")
    try:
        kept = json.loads((Path(folder) / "config.json").read_bytes())["auths"][host]["auth"]
        base64.b64decode(kept, validate=True)
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return str(kept)

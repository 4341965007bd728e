"""Artefacts in a registry: ``oci://host/repository[:tag]``, each tag a release. OCI distribution and image spec 1.1.

* A layer is a file: named by its ``org.opencontainers.image.title``, else by its digest. A configuration that is not
  empty is one as well (``config-<digest>``); the manifests of an index stand in folders named by their digests. So the
  digest of the release follows from the manifests alone. ``oci://…@sha256:…`` names one artefact by its manifest.
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
from watchword.limits import (
    FLEET_MANIFEST_BYTES_MAX,
    FLEET_MANIFESTS_MAX,
    FLEET_PAGE_BYTES_MAX,
    FLEET_RELEASES_MAX,
    RELEASE_FILES_MAX,
)
from watchword.statements.manifest import Entry, build

Answer = TypeVar("Answer")

_ADDRESS = re.compile(
    r"oci://(?P<host>[^/@]+)(?:/(?P<repository>[a-z0-9._/-]+?))?(?::(?P<tag>[\w][\w.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?/?"
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_TITLE = "org.opencontainers.image.title"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_ACCEPT = ", ".join(
    (*_INDEXES, _MANIFEST, "application/vnd.docker.distribution.manifest.v2+json")
)
EMPTY = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
"""Of ``{}``: the configuration of an artefact that has none (image spec 1.1, "guidance for an empty descriptor")."""
_INDEX_DEPTH_MAX = 3


@dataclass(frozen=True, slots=True)
class Blob:
    """A layer or configuration: the registry and repository, and its digest in hex."""

    host: str
    repository: str
    promised: str

    def read(self, start: int, length: int) -> bytes:
        url = f"{base(self.host)}/v2/{self.repository}/blobs/sha256:{self.promised}"
        return authorised(self.host, self.repository, lambda secret: read_range(url, start, length, {}, secret))


@dataclass(frozen=True, slots=True)
class Layer:
    """A file of an artefact as its manifest promises it: path in the release, bytes, SHA-256 in hex."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Artefact:
    """One artefact: where it is, and its manifest as it came, under its digest ``sha256:…``."""

    host: str
    repository: str
    digest: str
    media_type: str
    manifest: bytes

    @property
    def address(self) -> str:
        """That names exactly these bytes."""
        return f"oci://{self.host}/{self.repository}@{self.digest}"


def artefact(address: str) -> Artefact:
    """The one artefact that *address* names, by tag or digest.

    Raises:
        BadHub: it names none, or the registry does not answer with a manifest.
    """
    parts = _parts(address)
    reference = parts["digest"] or parts["tag"]
    if not parts["repository"] or not reference:
        raise BadHub(f"{shown(address, 200)}: names no artefact", "with a tag or a digest: oci://host/repository:tag")
    try:
        body = manifest_of(parts["host"], parts["repository"], reference)
        value = json.loads(body)
        told = value.get("mediaType", _INDEXES[0] if "manifests" in value else _MANIFEST)
        if not isinstance(told, str) or len(told) > 255:
            raise ValueError("a media type that is none")
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise BadHub(f"{shown(address, 200)}: {shown(str(error), 300)}", "nothing was looked at") from error
    digest = "sha256:" + hashlib.sha256(body).hexdigest()
    return Artefact(parts["host"], parts["repository"], digest, told, body)


def manifests_under(one: Artefact) -> dict[str, bytes]:
    """The manifest of *one* and of all below it, each under its digest.

    Raises:
        BadHub: one of them cannot be read.
    """
    found: dict[str, bytes] = {one.digest: one.manifest}

    def fetch(digest: str) -> bytes:
        if digest not in found:
            found[digest] = manifest_of(one.host, one.repository, digest)
        return found[digest]

    try:
        layers(one.digest, fetch)
    except (OSError, ValueError) as error:
        raise BadHub(f"{one.address}: {shown(str(error), 300)}", "nothing was looked at") from error
    return found


def tagged(address: str) -> Iterator[Release]:
    """The tags of a repository, or of all repositories of a registry that lists them.

    Raises:
        BadHub: not such an address, or the registry does not answer.
    """
    parts = _parts(address)
    host, repository, tag = parts["host"], parts["repository"], parts["tag"]
    if parts["digest"]:
        one = parts["digest"]
        yield Release(f"oci://{host}/{repository}@{one}", functools.partial(_listing, host, repository, one))
        return
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
    url = f"{base(host)}/v2/{path}?n=1000"
    while url:
        answer, body = asked(host, repository, url, {}, FLEET_PAGE_BYTES_MAX)
        try:
            names = json.loads(body).get(field) or []
        except (AttributeError, RecursionError):
            names = None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError(f"{shown(url, 200)} does not list names")
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
        described = layers(reference, functools.partial(manifest_of, host, repository))
    except (OSError, ValueError) as error:
        raise BadHub(f"{reference}: its manifest cannot be read: {shown(str(error), 300)}") from error
    files = []
    for one in sorted(described, key=lambda one: one.path.encode(errors="surrogatepass")):
        far, version = Blob(host, repository, one.sha256), f"sha256:{one.sha256}"
        files.append(Found(Path(one.path), one.path, one.size, far=far, version=version))
    return Listing(tuple(files), ())


def manifest_of(host: str, repository: str, reference: str) -> bytes:
    """The manifest under a tag or a digest. Raises OSError, or ValueError where it is not what was asked for."""
    url = f"{base(host)}/v2/{repository}/manifests/{reference}"
    body = asked(host, repository, url, {"Accept": _ACCEPT}, FLEET_MANIFEST_BYTES_MAX + 1)[1]
    if len(body) > FLEET_MANIFEST_BYTES_MAX:
        raise ValueError(f"more than {FLEET_MANIFEST_BYTES_MAX:,} bytes")
    if reference.startswith("sha256:") and hashlib.sha256(body).hexdigest() != reference[7:]:
        raise ValueError("it is not what its digest promises")
    return body


def release_digest(reference: str, fetch: Callable[[str], bytes]) -> str:
    """The digest of the release that an artefact is, from its manifests alone: the same as that of its files.

    Raises:
        ValueError, OSError: as ``layers``. UnsafePath: its files cannot be named.
    """
    return build(Entry(one.path, one.size, one.sha256) for one in layers(reference, fetch)).digest


def layers(reference: str, fetch: Callable[[str], bytes]) -> list[Layer]:
    """The files of an artefact; *fetch* gives the bytes of a manifest by tag or digest.

    Raises:
        ValueError: manifests that are none, or more than the limits. OSError: from *fetch*.
    """
    found: list[Layer] = []
    waiting = [(reference, "", _INDEX_DEPTH_MAX)]
    for _ in range(FLEET_MANIFESTS_MAX):
        if not waiting:
            return found
        one, prefix, depth = waiting.pop()
        try:
            manifest = json.loads(fetch(one))
            if "manifests" in manifest:
                if depth == 0:
                    raise ValueError("indexes in indexes")
                digests = [digest_in(described) for described in manifest["manifests"]]
                waiting += [(digest, f"{prefix}{digest[7:19]}/", depth - 1) for digest in digests]
            else:
                found += _described(manifest, prefix)
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"not a manifest: {error}") from error
        if len(found) > RELEASE_FILES_MAX:
            raise ValueError(f"more than {RELEASE_FILES_MAX:,} files")
    raise ValueError(f"more than {FLEET_MANIFESTS_MAX:,} manifests")


def _described(manifest: dict[str, Any], prefix: str) -> Iterator[Layer]:
    config = manifest.get("config")
    described = [(one, (one.get("annotations") or {}).get(_TITLE)) for one in manifest["layers"]]
    if config is not None and config["digest"] != EMPTY:
        described.append((config, f"config-{digest_in(config)[7:19]}"))
    for one, title in described:
        digest, size = digest_in(one), one["size"]
        if type(size) is not int or size < 0 or not isinstance(title, str | None):
            raise ValueError("a layer without a size or with a title that is no text")
        yield Layer(prefix + (title or f"sha256-{digest[7:]}"), size, digest[7:])


def _parts(address: str) -> re.Match[str]:
    parts = _ADDRESS.fullmatch(address)
    if parts is None:
        raise BadHub(f"{shown(address, 200)}: not the address of a registry", "such as oci://registry.example/models/x")
    return parts


def digest_in(described: dict[str, Any]) -> str:
    """The digest of a descriptor. Raises ValueError where it is not SHA-256."""
    digest = described["digest"]
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise ValueError(f"a digest that is not SHA-256: {shown(str(digest), 100)}")
    return digest


# -- who asks -------------------------------------------------------------------------------------


def base(host: str) -> str:
    """Where a registry answers."""
    here = host.partition(":")[0] in ("localhost", "127.0.0.1") or host.startswith("[::1]")
    return f"{'http' if here else 'https'}://{host}"


_tokens: dict[tuple[str, str], str] = {}


def asked(
    host: str, repository: str, url: str, headers: Mapping[str, str], bytes_max: int, method: str = "GET",
    body: bytes | None = None,
) -> tuple[Mapping[str, str], bytes]:  # fmt: skip
    """``web.ask``, with the secret that the registry wants of us."""
    return authorised(host, repository, lambda secret: ask(url, headers, bytes_max, method, secret, body))


def authorised(host: str, repository: str, asking: Callable[[str], Answer]) -> Answer:
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
    told = dict(re.findall(r'\b(\w+)="([^"]*)"', rest))
    realm = told.get("realm", "")
    if not realm.startswith(("https://", base(host) + "/")):
        raise NotServed(f"{host}: sends us for a token to {shown(realm, 200)}, which is not asked", 401)
    query = {name: told[name] for name in ("service", "scope") if name in told}
    query.setdefault("scope", f"repository:{repository}:pull")
    url = f"{realm}{'&' if '?' in realm else '?'}{urllib.parse.urlencode(query)}"
    body = ask(url, {}, FLEET_PAGE_BYTES_MAX, secret=f"Basic {basic}" if basic else "")[1]
    try:
        answer = json.loads(body)
        token = answer.get("token") or answer["access_token"]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
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

"""Statements and proofs beside an artefact in a registry, as OCI 1.1 has it: manifests whose ``subject`` it is.

* What is attached is one file: a statement's envelope or a proof (``ledger prove``, ``ledger no-notice``). It is about
  the very release that the artefact is, whose digest follows from its manifest without reading a layer.
* A registry is read by others: only what is public goes there, or, where the caller says that the alliance alone can
  read there, what is for the alliance.
* A registry without the referrers API keeps the list under the fallback tag; of several that write it at once each
  writes until its own entry is in it.
* All that a registry answers is bounded and has the digest by which it is named, or is told as unreadable. That
  something is *not* attached proves nothing: a registry can withhold.
"""

from __future__ import annotations

import hashlib
import json
import re
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from watchword.errors import WatchwordError
from watchword.fleet.hub import BadHub
from watchword.fleet.registry import (
    EMPTY,
    Artefact,
    artefact,
    asked,
    base,
    digest_in,
    manifest_of,
    manifests_under,
    release_digest,
)
from watchword.fleet.web import NotServed
from watchword.inspect.facts import shown
from watchword.ledger.bundle import parse_bundle
from watchword.ledger.notices import said_name
from watchword.limits import (
    BUNDLE_BYTES_MAX,
    FLEET_PAGE_BYTES_MAX,
    OCI_LISTED_MAX,
    OCI_REFERRERS_MAX,
    OCI_TAG_TRIES,
)
from watchword.statements.canonical import canonical
from watchword.statements.kinds import NOTICES
from watchword.statements.statement import Statement, open_envelope

Sort = Literal["statement", "proof"]
Readers = Literal["public", "alliance"]

TYPES: dict[str, Sort] = {
    "application/vnd.watchword.statement.v1": "statement",
    "application/vnd.watchword.proof.v1": "proof",
}
"""Of an attached manifest its ``artifactType``, and what it carries."""
_TYPE = {sort: name for name, sort in TYPES.items()}
_LAYER = {
    "statement": "application/vnd.dsse.envelope.v1+json",
    "proof": "application/vnd.watchword.proof.v1+json",
}
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_NONE = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": EMPTY, "size": 2, "data": "e30="}


class NotAttached(WatchwordError):
    """What cannot stand beside the artefact: something else, about something else, or not for those who read there."""


@dataclass(frozen=True, slots=True)
class Attached:
    """What refers to an artefact: the digest of its manifest, what it carries, and that; ``why``: it is unreadable."""

    digest: str
    sort: Sort
    body: bytes = b""
    why: str = ""


def release_of(one: Artefact) -> str:
    """The digest of the release that *one* is.

    Raises:
        BadHub: a manifest below it cannot be read. UnsafePath, BadManifest: its files make no release.
    """
    return release_digest(one.digest, manifests_under(one).__getitem__)


def is_about(statement: Statement, release: str) -> bool:
    """Whether it names the release with this digest: as its subject, or as the target of a notice."""
    if statement.kind in NOTICES:
        return said_name(statement) == f"release:{release}"
    return release in [one.digest for one in statement.subject]


def attach(address: str, body: bytes, readers: Readers) -> Attached:
    """Put *body*, the bytes of a statement or proof, beside the artefact at *address*; twice is the same as once.

    Args:
        readers: who can read in that registry, as the caller knows.

    Raises:
        NotAttached: it is neither, about another release, or not for those readers.
        BadHub: the registry does not take it, or cannot be read.
    """
    one = artefact(address)
    body = body.removesuffix(b"\n")
    sort = _checked(body, release_of(one), readers)
    digest = _digest(body)
    layer = {"mediaType": _LAYER[sort], "digest": digest, "size": len(body)}
    subject = {"mediaType": one.media_type, "digest": one.digest, "size": len(one.manifest)}
    value: dict[str, Any] = {
        "artifactType": _TYPE[sort], "config": _NONE, "layers": [layer], "mediaType": _MANIFEST, "schemaVersion": 2,
        "subject": subject,
    }  # fmt: skip
    manifest = canonical(value)
    try:
        _push(one, b"{}")
        _push(one, body)
        answer = _put(one, _digest(manifest), manifest, _MANIFEST, {})
        if answer.get("Oci-Subject") != one.digest:
            described = {"mediaType": _MANIFEST, "digest": _digest(manifest), "size": len(manifest)}
            _listed_under_tag(one, described | {"artifactType": _TYPE[sort]})
    except (OSError, ValueError) as error:
        raise BadHub(f"{one.address}: {shown(str(error), 300)}", "it may not be attached; attach it again") from error
    return Attached(_digest(manifest), sort, body)


def attached(one: Artefact) -> list[Attached]:
    """The statements and proofs beside *one*, in the order of their digests.

    Raises:
        BadHub: the registry does not list them, or lists more than the limits.
    """
    try:
        digests = {digest_in(it): TYPES[it["artifactType"]] for it in _listed(one) if it.get("artifactType") in TYPES}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadHub(f"{one.address}: its referrers cannot be listed: {shown(str(error), 300)}") from error
    if len(digests) > OCI_REFERRERS_MAX:
        raise BadHub(f"{one.address}: more than {OCI_REFERRERS_MAX:,} statements and proofs are attached")
    return [_read(one, digest, digests[digest]) for digest in sorted(digests)]


def _checked(body: bytes, release: str, readers: Readers) -> Sort:
    if body.startswith(b'{"payload"'):
        statement = open_envelope(body).statement
        what, scope = f"{statement.kind} {statement.id}", statement.predicate.get("scope", "own")
        if not is_about(statement, release):
            raise NotAttached(f"{what}: not about this artefact, which is the release {release}")
        if scope not in ("public", readers):
            told = ", ".join(scope) if isinstance(scope, list) else scope
            raise NotAttached(f"{what}: its scope is {told}", "--readers alliance: the alliance alone can pull there")
        return "statement"
    bundle = parse_bundle(body, "the file")
    if bundle.purpose != "proof" or f"release:{release}" not in (bundle.names or ()):
        hint = f"made with: watchword ledger no-notice {release}"
        raise NotAttached(f"not a proof that speaks of this artefact, which is the release {release}", hint)
    if readers != "alliance":
        raise NotAttached("a proof holds what is for the alliance", "--readers alliance: it alone can pull there")
    return "proof"


# -- writing --------------------------------------------------------------------------------------


def _push(one: Artefact, body: bytes) -> None:
    """A blob, in two requests; none where it is there."""
    digest = _digest(body)
    there = f"{base(one.host)}/v2/{one.repository}/blobs/"
    try:
        asked(one.host, one.repository, there + digest, {}, 0, "HEAD")
        return
    except NotServed as error:
        if error.status != 404:
            raise
    answer, _ = asked(one.host, one.repository, there + "uploads/", {}, 0, "POST", b"")
    where = urllib.parse.urljoin(there + "uploads/", answer.get("Location", ""))
    _same_host(one, where)
    where += ("&" if "?" in where else "?") + urllib.parse.urlencode({"digest": digest})
    asked(one.host, one.repository, where, {"Content-Type": "application/octet-stream"}, 0, "PUT", body)


def _put(one: Artefact, reference: str, manifest: bytes, media_type: str, headers: dict[str, str]) -> Any:
    url = f"{base(one.host)}/v2/{one.repository}/manifests/{reference}"
    told = {"Content-Type": media_type, **headers}
    return asked(one.host, one.repository, url, told, 0, "PUT", manifest)[0]


def _listed_under_tag(one: Artefact, described: dict[str, Any]) -> None:
    """Add *described* to the index behind the fallback tag, and look whether it is there: others write it too."""
    for _ in range(OCI_TAG_TRIES):
        entries, tag = _under_tag(one)
        if described["digest"] in [entry.get("digest") for entry in entries]:
            return
        index = {"manifests": [*entries, described], "mediaType": _INDEX, "schemaVersion": 2}
        try:
            _put(one, _tag(one), json.dumps(index).encode(), _INDEX, {"If-Match": tag} if tag else {})
        except NotServed as error:
            if error.status != 412:
                raise
    raise ValueError("others write the list of its referrers all the time")


# -- reading --------------------------------------------------------------------------------------


def _listed(one: Artefact) -> Iterator[dict[str, Any]]:
    """The descriptors of what refers to *one*, of any kind."""
    url, count = f"{base(one.host)}/v2/{one.repository}/referrers/{one.digest}", 0
    while url:
        try:
            answer, body = asked(one.host, one.repository, url, {"Accept": _INDEX}, FLEET_PAGE_BYTES_MAX + 1)
        except NotServed as error:
            if error.status != 404 or count:
                raise
            yield from _under_tag(one)[0]
            return
        page = _entries(body)
        yield from page
        count += len(page)
        if count > OCI_LISTED_MAX:
            raise ValueError(f"more than {OCI_LISTED_MAX:,}")
        following = re.match(r"<([^>]+)>; *rel=\"?next\"?", answer.get("Link", ""))
        url = urllib.parse.urljoin(url, following[1]) if following and page else ""
        if url:
            _same_host(one, url)


def _under_tag(one: Artefact) -> tuple[list[dict[str, Any]], str]:
    """What is listed behind the fallback tag, and the entity tag of that list."""
    url = f"{base(one.host)}/v2/{one.repository}/manifests/{_tag(one)}"
    try:
        answer, body = asked(one.host, one.repository, url, {"Accept": _INDEX}, FLEET_PAGE_BYTES_MAX + 1)
    except NotServed as error:
        if error.status != 404:
            raise
        return [], ""
    return _entries(body), answer.get("ETag", "")


def _entries(body: bytes) -> list[dict[str, Any]]:
    if len(body) > FLEET_PAGE_BYTES_MAX:
        raise ValueError(f"a page of more than {FLEET_PAGE_BYTES_MAX:,} bytes")
    entries = json.loads(body)["manifests"]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("not an index")
    return entries


def _read(one: Artefact, digest: str, sort: Sort) -> Attached:
    try:
        manifest = json.loads(manifest_of(one.host, one.repository, digest))
        layer = manifest["layers"][0]
        if digest_in(manifest["subject"]) != one.digest or TYPES.get(manifest["artifactType"]) != sort:
            raise ValueError("it refers to something else than its registry says")
        promised = digest_in(layer)
        if len(manifest["layers"]) != 1 or layer["mediaType"] != _LAYER[sort]:
            raise ValueError("not one layer of its sort")
        url = f"{base(one.host)}/v2/{one.repository}/blobs/{promised}"
        body = asked(one.host, one.repository, url, {}, BUNDLE_BYTES_MAX + 1)[1]
        if len(body) > BUNDLE_BYTES_MAX or _digest(body) != promised:
            raise ValueError("its content is too long, or not what its digest promises")
        return Attached(digest, sort, body)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        return Attached(digest, sort, why=shown(str(error) or type(error).__name__, 300))


def _tag(one: Artefact) -> str:
    return one.digest.replace(":", "-")


def _digest(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


def _same_host(one: Artefact, url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    if f"{parts.scheme}://{parts.netloc}" != base(one.host):
        raise ValueError(f"the registry sends us to {shown(url, 200)}, which is not asked")

"""An AdmissionReview (admission.k8s.io/v1): which images it would start, and the answer. Pure.

* Images are those of containers, init and ephemeral containers, and volumes that are images, in pods and in what
  makes pods. Of a change only images that were not there before count: what runs is not stopped by a new label, nor
  kept from being taken away.
* A deletion starts nothing. Any other kind, or an operation that is none of these, is refused: the webhook was asked
  about what it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from watchword.errors import WatchwordError
from watchword.inspect.facts import shown

VERSION = "admission.k8s.io/v1"
MESSAGE_CHARS_MAX = 4_000
"""Of the answer. Origin: what `kubectl` shows of a refusal without scrolling, ten times over."""

_TEMPLATE = ("spec", "template", "spec")
_PODS: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "Pod"): ("spec",),
    ("", "PodTemplate"): ("template", "spec"),
    ("", "ReplicationController"): _TEMPLATE,
    ("apps", "DaemonSet"): _TEMPLATE,
    ("apps", "Deployment"): _TEMPLATE,
    ("apps", "ReplicaSet"): _TEMPLATE,
    ("apps", "StatefulSet"): _TEMPLATE,
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template", "spec"),
    ("batch", "Job"): _TEMPLATE,
}
"""Where the specification of the pods stands, by group and kind."""


class BadReview(WatchwordError):
    """What came is no AdmissionReview, so that there is no answer to it."""


@dataclass(frozen=True)
class Review:
    """What is asked: ``images`` would start; ``why``: it cannot be judged, which is a no."""

    uid: str
    what: str
    images: tuple[str, ...] = ()
    why: str = ""


def read(value: Any) -> Review:
    """What an AdmissionReview asks.

    Raises:
        BadReview: another version, no request, or no uid.
    """
    if not isinstance(value, dict) or value.get("apiVersion") != VERSION or value.get("kind") != "AdmissionReview":
        raise BadReview(f"not an AdmissionReview of {VERSION}")
    request = value.get("request")
    uid = request.get("uid") if isinstance(request, dict) else None
    if not isinstance(request, dict) or not isinstance(uid, str) or not 0 < len(uid) <= 200:
        raise BadReview("an AdmissionReview without a request, or a request without uid")
    kind, operation = request.get("kind"), request.get("operation")
    if not isinstance(kind, dict):
        return Review(uid, "something", why="it names no kind")
    named = str(kind.get("group", "")), str(kind.get("kind", ""))
    place = "/".join(shown(str(request[name]), 100) for name in ("namespace", "name") if request.get(name))
    what = f"{shown(named[1], 60)} {place}".strip()
    if operation == "DELETE":
        return Review(uid, what)
    if operation not in ("CREATE", "UPDATE"):
        return Review(uid, what, why=f"the operation {shown(str(operation), 40)} is not judged here")
    try:
        images = images_of(named, request.get("object"))
        before = images_of(named, request["oldObject"]) if operation == "UPDATE" else ()
    except (ValueError, KeyError, TypeError) as error:
        return Review(uid, what, why=str(error) if isinstance(error, ValueError) else "its object is malformed")
    return Review(uid, what, tuple(dict.fromkeys(image for image in images if image not in before)))


def images_of(kind: tuple[str, str], thing: Any) -> tuple[str, ...]:
    """The images that an object of the group and *kind* would start, in their order.

    Raises:
        ValueError: a kind that is not known here, or an image that is no text.
    """
    if kind not in _PODS:
        words = "/".join(one for one in kind if one)
        raise ValueError(f"the images of {shown(words, 100)} are not known here; leave it out of the webhook")
    for step in _PODS[kind]:
        thing = thing.get(step) if isinstance(thing, dict) else None
    if not isinstance(thing, dict):
        raise ValueError("there is no specification of a pod in it")
    return tuple(_images(thing))


def _images(spec: dict[str, Any]) -> Iterator[str]:
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for container in _list(spec, field):
            yield _text(container.get("image"), field)
    for volume in _list(spec, "volumes"):
        if "image" in volume:
            source = volume["image"]
            yield _text(source.get("reference") if isinstance(source, dict) else None, "volumes")


def _list(spec: dict[str, Any], field: str) -> list[dict[str, Any]]:
    value = spec.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError(f"{field} is no list of objects")
    return value


def _text(image: Any, field: str) -> str:
    if not isinstance(image, str) or not image:
        raise ValueError(f"{field}: one of them names no image")
    return image


def answer(review: Review, why: Sequence[str]) -> dict[str, Any]:
    """The answer that the API server expects: yes where *why* is empty."""
    response: dict[str, Any] = {"allowed": not why, "uid": review.uid}
    if why:
        message = f"watchword: {review.what}: " + "; ".join(why)
        response["status"] = {"code": 403, "message": message[:MESSAGE_CHARS_MAX], "reason": "Forbidden"}
    return {"apiVersion": VERSION, "kind": "AdmissionReview", "response": response}

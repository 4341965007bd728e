"""What an API server asks, in the form that Kubernetes documents, and the answer in the form that it expects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from watchword.web.kubernetes.review import _PODS, BadReview, Review, answer, images_of, read

UID = "705ab4f5-6393-11e8-b7cc-42010a800002"
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "sorter", "namespace": "mail"},
    "spec": {
        "initContainers": [{"name": "i", "image": "init@x"}],
        "containers": [{"name": "a", "image": "a@x"}, {"name": "b", "image": "b@x"}],
        "ephemeralContainers": [{"name": "e", "image": "debug@x"}],
        "volumes": [{"name": "weights", "image": {"reference": "model@x", "pullPolicy": "Always"}}, {"name": "tmp"}],
    },
}
ALL = ("init@x", "a@x", "b@x", "debug@x", "model@x")


def asked(thing: Any, group: str = "", kind: str = "Pod", **request: Any) -> dict[str, Any]:
    """A review as the API server sends it (Kubernetes, "Dynamic Admission Control", Webhook request)."""
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": UID,
            "kind": {"group": group, "version": "v1", "kind": kind},
            "resource": {"group": group, "version": "v1", "resource": f"{kind.lower()}s"},
            "requestKind": {"group": group, "version": "v1", "kind": kind},
            "requestResource": {"group": group, "version": "v1", "resource": f"{kind.lower()}s"},
            "name": "sorter",
            "namespace": "mail",
            "operation": "CREATE",
            "userInfo": {"username": "admin", "uid": "014fbff9a07c", "groups": ["system:authenticated"]},
            "object": thing,
            "oldObject": None,
            "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
            "dryRun": False,
        }
        | request,
    }


def nested(kind: tuple[str, str]) -> dict[str, Any]:
    """POD's specification where that kind has it."""
    thing: dict[str, Any] = POD["spec"]
    for step in reversed(_PODS[kind]):
        thing = {step: thing}
    return thing


def test_every_image_that_would_start_is_asked_about() -> None:
    """Init and ephemeral containers and volumes that are images too. Seen to fail without any of the four."""
    assert read(asked(POD)) == Review(UID, "Pod mail/sorter", ALL)


@pytest.mark.parametrize("kind", sorted(_PODS), ids="/".join)
def test_what_makes_pods_is_asked_about_as_pods_are(kind: tuple[str, str]) -> None:
    """A deployment is refused before its pods are."""
    assert read(asked(nested(kind), *kind)).images == ALL


def test_of_a_change_only_new_images_count() -> None:
    """A recalled model that runs may still be relabelled and taken down, and may not be joined by another."""
    assert read(asked(POD, operation="UPDATE", oldObject=POD)).images == ()
    other = POD | {"spec": POD["spec"] | {"containers": [{"name": "a", "image": "new@x"}]}}
    assert read(asked(other, operation="UPDATE", oldObject=POD)).images == ("new@x",)
    assert read(asked(None, operation="DELETE", oldObject=POD)) == Review(UID, "Pod mail/sorter")


@pytest.mark.parametrize(
    "review",
    [
        asked({"spec": {"replicas": 3}}, "autoscaling", "Scale"),
        asked(None, "", "PodExecOptions", operation="CONNECT"),
        asked(POD, operation="CONNECT"),
        asked(None),
        asked({"spec": None}),
        asked({"spec": {"containers": [{"name": "a"}]}}),
        asked({"spec": {"containers": [{"name": "a", "image": ["a"]}]}}),
        asked({"spec": {"containers": "a"}}),
        asked({"spec": {"containers": [7]}}),
        asked({"spec": {"volumes": [{"image": "x"}]}}),
        asked(POD, operation="UPDATE"),
        asked(POD, kind="Node"),
    ],
)
def test_what_cannot_be_judged_is_refused(review: dict[str, Any]) -> None:
    """Nothing unknown passes as a pod without images. Seen to fail with unknown kinds let pass."""
    assert read(review).why


@pytest.mark.parametrize(
    "value", [[], {}, asked(POD) | {"apiVersion": "admission.k8s.io/v1beta1"}, asked(POD, uid=""), asked(POD, uid=7)]
)
def test_what_is_no_review_has_no_answer(value: Any) -> None:
    """An answer needs the uid of a question in the version that is spoken here."""
    with pytest.raises(BadReview):
        read(value)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["spec", "containers", "image", "volumes", "reference", "template"]), x))  # fmt: skip  # noqa: E501


@given(JSON, st.sampled_from(sorted(_PODS)))
def test_any_object_gives_images_or_a_refusal(thing: Any, kind: tuple[str, str]) -> None:
    """Whatever stands in it: a tuple of texts, or ValueError."""
    try:
        found = images_of(kind, thing)
    except ValueError:
        return
    assert all(isinstance(image, str) and image for image in found)


def test_the_answer_is_the_documented_one() -> None:
    """The uid comes back, and a no carries a status that people are shown."""
    review = Review(UID, "Pod mail/sorter", ALL)
    assert answer(review, []) == {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {"allowed": True, "uid": UID},
    }
    assert answer(review, ["a", "b"])["response"] == {
        "allowed": False,
        "status": {"code": 403, "message": "watchword: Pod mail/sorter: a; b", "reason": "Forbidden"},
        "uid": UID,
    }


def test_the_shipped_configuration_asks_about_every_kind_that_is_known() -> None:
    """No kind of the rules is refused as unknown, none that is known goes unasked, and silence is a no."""
    path = Path(__file__).resolve().parents[2] / "integrations" / "kubernetes.yaml"
    hook = yaml.safe_load(path.read_text("utf-8"))["webhooks"][0]
    plurals = {(group, f"{kind.lower()}s") for group, kind in _PODS}
    ruled = {
        (rule["apiGroups"][0], name) for rule in hook["rules"] for name in rule["resources"] if "/" not in name
    }  # fmt: skip
    assert ruled == plurals
    assert (hook["failurePolicy"], hook["sideEffects"], hook["admissionReviewVersions"]) == ("Fail", "None", ["v1"])
    assert "pods/ephemeralcontainers" in hook["rules"][0]["resources"]

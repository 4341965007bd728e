"""OpenID AuthZEN: the certification scenario and the interop vectors against a real gate whose mandate says the policy.

Vectors: openid/authzen (MIT, and the OpenID Foundation's grant), see their README. The policies of the scenarios are
written here as mandates' rules, from the records that the vectors bring and, for Todo and gateway, from its roles.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from alliance import RELEASE
from gate.gated import ALONE, FAST, NAMES, NOBODY, Gated, gated
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("starlette", reason="what `serve` needs is not installed")
VECTORS = Path(os.environ.get("WATCHWORD_VECTORS", Path(__file__).parents[3] / "shared" / "vectors")) / "authzen"
URL, TOKEN = "https://pdp.alfa.example", "t0ken"
Post = Callable[..., tuple[int, dict[str, str], Any]]
pytestmark = pytest.mark.skipif(not VECTORS.is_dir(), reason="AuthZEN's vectors are not here")


def vectors(name: str) -> Any:
    return json.loads((VECTORS / name).read_text("utf-8")) if VECTORS.is_dir() else {"cases": []}


def rule(id: str, tool: str, **conditions: Any) -> dict[str, Any]:
    """A rule whose keywords are fields: a list is ``in``, None ``any``, else ``==``. ``__`` stands for a colon."""
    args = [
        {"field": name.replace("__", ":"), "op": op, "value": value}
        for name, value in conditions.items()
        for op in ["any" if value is None else "in" if isinstance(value, list) else "=="]
    ]
    return {
        "id": id, "tool": tool, "args": args, "approvals": NOBODY, "hold_s": 0, "quota": None, "unclean": None,
    }  # fmt: skip


def caller(here: Gated) -> Post:
    """``post(path, value)`` against the door of ALFA's gate, through the ASGI application itself."""
    from watchword.gate.authzen import AuthZen
    from watchword.web.authzen import app

    application = app(AuthZen(lambda: nullcontext(here.gate), RELEASE.digest, f"{URL}/access/v1/requests"), URL, TOKEN)

    def post(path: str, value: Any = None, method: str = "POST", **headers: str) -> tuple[int, dict[str, str], Any]:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        sent = {"authorization": f"Bearer {TOKEN}", "content_type": "application/json"} | headers
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in sent.items()], "http_version": "1.1",
        }  # fmt: skip
        parts: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            parts.append(message)

        asyncio.run(application(scope, receive, send))
        answered = {k.decode(): v.decode() for k, v in parts[0]["headers"]}
        whole = b"".join(part.get("body", b"") for part in parts[1:])
        return parts[0]["status"], answered, json.loads(whole)

    return post


def opened(folder: Path, rules: list[dict[str, Any]]) -> Gated:
    one = gated(folder, ALONE)
    one.new_mandate(rules=rules, stale="deny")
    return one


@pytest.fixture(scope="module")
def folders() -> Iterator[Callable[[], Path]]:
    with tempfile.TemporaryDirectory(prefix="watchword-authzen-", dir=FAST) as folder:
        numbers = iter(range(100))

        def fresh() -> Path:
            path = Path(folder) / str(next(numbers))
            path.mkdir()
            return path

        yield fresh


# -- the certification scenario -------------------------------------------------------------------

USER, RECORD = {"subject_type": "user"}, {"resource_type": "record"}
CERTIFIED = [
    rule("read", "read", **USER, subject_id=["alice", "bob"], **RECORD, resource_id=["record-1", "record-2"]),
    rule(
        "read-with-more", "read", **USER, subject_id="alice", **RECORD, resource_id="record-1",
        subject__department=None, subject__role=None, action__method=None, resource__status=None, resource__owner=None,
    ),
    rule("write", "write", **USER, subject_id="alice", **RECORD, resource_id="record-1"),
    rule(
        "write-active", "write", **USER, subject_id="alice", **RECORD, resource_id="record-1",
        resource__status="active",
    ),
    rule(
        "admin-writes", "write", **USER, subject_id="bob", subject__role="admin", **RECORD, resource_id="record-2",
        resource__status="archived",
    ),
    rule("soft-delete", "delete", **USER, subject_id="alice", **RECORD, resource_id="record-1", action__soft=True),
]  # fmt: skip


@pytest.fixture(scope="module")
def certified(folders: Callable[[], Path]) -> Iterator[Post]:
    one = opened(folders(), CERTIFIED)
    yield caller(one)
    one.close()


CASES = [case for case in vectors("certification/authorization-api-1_0-scenario.json")["cases"] if "request" in case]
ADDRESS = {
    "c-4-5-1": "search/subject", "c-4-5-2": "search/subject", "c-4-6-1": "search/action", "c-4-6-2": "search/subject",
}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['id']} {case['label'][:40]}")
def test_the_certification_scenario(certified: Post, case: Mapping[str, Any]) -> None:
    """Every request of the scenario has the status, the decision and the results that it asks for."""
    request = dict(case["request"])
    path = ADDRESS.get(case["id"], case["api"])
    if "token" in request.get("page", {}):
        first = certified(f"/access/v1/{path}", request | {"page": {"limit": 1}})[2]
        request["page"] = {"token": first["page"]["next_token"], "limit": 1}
    status, headers, answer = certified(f"/access/v1/{path}", request)
    assert status == case.get("expected_status", 200), answer
    if status != 200:
        return
    assert headers["content-type"] == "application/json"
    if "evaluations" in answer:
        assert len(answer["evaluations"]) == len(request["evaluations"])
        assert all(type(one["decision"]) is bool for one in answer["evaluations"])
    wanted = case.get("expected_body", {})
    if "expected_decision" in case and "evaluations" not in answer:
        assert answer["decision"] is case["expected_decision"]
    if "evaluations" in wanted:
        assert [one["decision"] for one in answer["evaluations"]] == [one["decision"] for one in wanted["evaluations"]]
    if "results" in wanted:
        found = [{k: v for k, v in one.items() if k != "properties"} for one in answer["results"]]
        assert all(one in found for one in wanted["results"]), answer
        assert found == [] or wanted["results"] != []
    if case["id"] == "c-3-4-1":
        assert answer["evaluations"][1] == {
            "decision": False, "context": {"error": {"status": 400, "message": "resource is missing, or is no object"}},
        }  # fmt: skip


def test_the_scenario_is_whole() -> None:
    """As many requests as were extracted: a shorter file would pass unnoticed."""
    assert len(CASES) == 44


def test_what_a_search_lacks_is_400(certified: Post) -> None:
    """c-4-7: a missing field, or a missing part of one that is not searched for."""
    for path, value in (
        ("subject", {"subject": {"type": "user"}, "resource": {"type": "record", "id": "record-1"}}),
        ("resource", {"action": {"name": "read"}, "resource": {"type": "record"}}),
        ("action", {"subject": {"type": "user", "id": "alice"}}),
        ("subject", {"subject": {"type": "user"}, "action": {"name": "read"}, "resource": {"type": "record"}}),
        ("resource", {"subject": {"type": "user"}, "action": {"name": "read"}, "resource": {"type": "record"}}),
        ("action", {"subject": {"type": "user"}, "resource": {"type": "record", "id": "record-1"}}),
    ):
        assert certified(f"/access/v1/search/{path}", value)[0] == 400, value


READ = {
    "subject": {"type": "user", "id": "alice"}, "action": {"name": "read"},
    "resource": {"type": "record", "id": "record-1"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (b"", {}),
        (b"{", {}),
        (b"[]", {}),
        (b'{"a": 1, "a": 2}', {}),
        (json.dumps(READ).encode(), {"content_type": "text/plain"}),
        (b"[" * 10_000, {}),
        (b" " * 300_000, {}),
        (json.dumps(READ | {"context": 1}).encode(), {}),
        (json.dumps(READ | {"subject": READ["subject"] | {"properties": []}}).encode(), {}),
    ],
    ids=["empty", "no JSON", "no object", "twice", "text/plain", "deep", "large", "context", "properties"],
)
def test_what_is_no_request_is_400(certified: Post, value: bytes, headers: dict[str, str]) -> None:
    """Transport and form: 400 within a bound, whatever was sent."""
    assert certified("/access/v1/evaluation", value, **headers)[0] == 400


PROPERTIES = st.dictionaries(st.text(max_size=4), st.integers() | st.floats() | st.text(max_size=4), max_size=3)
ENTITY = st.fixed_dictionaries(
    {n: st.text(max_size=5) for n in ("type", "id", "name")}, optional={"properties": PROPERTIES}
)
ODD = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=6), st.lists, max_leaves=5) | PROPERTIES
ASKED = st.fixed_dictionaries(
    {name: ENTITY for name in ("subject", "action", "resource")},
    optional={
        "context": st.fixed_dictionaries({}, optional={"approval": ODD | ENTITY}) | ODD,
        "denial": ENTITY,
        "evaluations": st.lists(st.dictionaries(st.sampled_from(["subject", "page"]), ENTITY | ODD), max_size=3) | ODD,
        "options": ODD,
        "page": st.fixed_dictionaries({}, optional={"limit": ODD, "token": ODD}) | ODD,
    },
)  # fmt: skip
PATHS = ["evaluation", "evaluations", "search/subject", "search/resource", "search/action", "requests"]


@settings(max_examples=150)
@given(path=st.sampled_from(PATHS), value=ASKED | st.dictionaries(st.sampled_from(["subject", "action", "page"]), ODD))
def test_whatever_is_asked_has_an_answer_of_the_specification(certified: Post, path: str, value: Any) -> None:
    """200 or 201 with an object, 400 or 410 for what is none: never trouble, never a permit for what no rule names."""
    status, _, answer = certified(f"/access/v1/{path}", value)
    assert status in (200, 201, 400, 410), (value, answer)
    assert isinstance(answer, dict)
    assert answer.get("decision") is not True


def test_headers_idempotency_and_discovery(certified: Post) -> None:
    """c-2-5, c-2-6, c-6: the request id comes back, the same question has the same answer, metadata is HTTPS."""
    for _ in range(3):
        status, headers, answer = certified("/access/v1/evaluation", READ, x_request_id="bfe9eb29-ab87-4ca3-be83")
        assert (status, headers["x-request-id"], answer["decision"]) == (200, "bfe9eb29-ab87-4ca3-be83", True)
    assert "x-request-id" not in certified("/access/v1/evaluation", READ)[1]
    assert "x-request-id" not in certified("/access/v1/evaluation", READ, x_request_id="x" * 201)[1]
    assert certified("/access/v1/evaluation", b"{", x_request_id="7")[1]["x-request-id"] == "7"
    status, headers, told = certified("/.well-known/authzen-configuration", method="GET", authorization="")
    assert (status, headers["content-type"], told["policy_decision_point"]) == (200, "application/json", URL)
    addresses = [value for name, value in told.items() if name.endswith("_endpoint")]
    assert len(addresses) == 6 and all(one.startswith("https://pdp.alfa.example/access/v1/") for one in addresses)


def test_without_the_token_nothing_is_answered(certified: Post) -> None:
    """401 without a token, with another, with another scheme; fails when the comparison is removed."""
    for shown in ("", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"):
        assert certified("/access/v1/evaluation", READ, authorization=shown)[0] == 401
        assert certified("/access/v1/requests/x", method="GET", authorization=shown)[0] == 401


def test_the_answers_fit_the_schema_of_the_specification(certified: Post) -> None:
    """What the door says is what the JSON Schema of the specification allows; that schema refuses what is none."""
    jsonschema = pytest.importorskip("jsonschema", reason="the dev group brings it")
    fits = jsonschema.Draft202012Validator(vectors("schemas/evaluation-response.schema.json")).is_valid
    for name, permitted in (("read", True), ("write", True), ("burn", False)):
        answer = certified("/access/v1/evaluation", READ | {"action": {"name": name}})[2]
        assert fits(answer) and answer["decision"] is permitted
    assert not fits({}) and not fits({"decision": "true"})


def test_a_batch_ends_where_its_semantic_says(certified: Post) -> None:
    """``&&`` ends at the first denial, ``||`` at the first permit; another word is 400, and so is one too many."""
    bob = {"subject": {"type": "user", "id": "bob"}, "resource": {"type": "record", "id": "record-1"}}
    three = [{"action": {"name": name}} for name in ("read", "write", "read")]

    def decisions(word: str, listed: list[Any]) -> Any:
        value = bob | {"evaluations": listed, "options": {"evaluations_semantic": word}}
        status, _, answer = certified("/access/v1/evaluations", value)
        return [one["decision"] for one in answer["evaluations"]] if status == 200 else status

    assert decisions("execute_all", three) == [True, False, True]
    assert decisions("deny_on_first_deny", three) == [True, False]
    assert decisions("permit_on_first_permit", three[1:]) == [False, True]
    assert decisions("permit_on_first_permit", three) == [True]
    assert decisions("all_or_nothing", three) == 400
    assert decisions("execute_all", three * 34) == 400


def test_a_search_leaves_no_receipt_and_a_permit_does(folders: Callable[[], Path]) -> None:
    """Evaluations are decisions and recorded before they are told; searches only look."""
    one = opened(folders(), CERTIFIED)
    post = caller(one)
    post("/access/v1/search/action", {k: v for k, v in READ.items() if k != "action"})
    assert one.events() == []
    answer = post("/access/v1/evaluation", READ)[2]
    assert one.events() == ["permitted"]
    assert one.receipts()[answer["context"]["receipt"]]["body"]["args"] == {
        "resource_id": "record-1", "resource_type": "record", "subject_id": "alice", "subject_type": "user",
    }  # fmt: skip
    one.close()


def test_pages_of_a_search_together_are_the_search(certified: Post) -> None:
    """One result at a time, to an empty token at the end."""
    whole = {"subject": {"type": "user"}, "action": {"name": "read"}, "resource": {"type": "record", "id": "record-1"}}
    token, found = "", []
    for _ in range(5):
        answer = certified("/access/v1/search/subject", whole | {"page": {"limit": 1, "token": token}})[2]
        found += answer["results"]
        token = answer["page"]["next_token"]
        if not token:
            break
    assert found == certified("/access/v1/search/subject", whole)[2]["results"]
    assert [one["id"] for one in found] == ["alice", "bob"]
    for page in ({"limit": 0}, {"limit": True}, {"token": "-1"}, {"token": 3}, [], {"limit": 10**6}):
        assert certified("/access/v1/search/subject", whole | {"page": page})[0] == 400, page


# -- the interop scenarios ------------------------------------------------------------------------

PID = "CiRmZD{}2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs"
TODO_USERS = {
    "rick@the-citadel.com": (PID.format("A"), ["admin", "evil_genius"]),
    "morty@the-citadel.com": (PID.format("E"), ["editor"]),
    "summer@the-smiths.com": (PID.format("I"), ["editor"]),
    "beth@the-smiths.com": (PID.format("M"), ["viewer"]),
    "jerry@the-smiths.com": (PID.format("Q"), ["viewer"]),
}
"""The personas and roles of the Todo scenario, as its page lists them."""


def todo_rules() -> list[dict[str, Any]]:
    """Viewers read; editors create, and change their own; admins delete all, evil geniuses update all."""
    everybody = [pid for pid, _ in TODO_USERS.values()]
    makers = [pid for pid, roles in TODO_USERS.values() if "viewer" not in roles]
    rules = [
        rule("users", "can_read_user", **USER, subject_id=everybody, resource_type="user", resource_id=None),
        rule("todos", "can_read_todos", **USER, subject_id=everybody, resource_type="todo", resource_id=None),
        rule("create", "can_create_todo", **USER, subject_id=makers, resource_type="todo", resource_id=None),
    ]
    for email, (pid, roles) in TODO_USERS.items():
        for tool, all_of in (("can_update_todo", "evil_genius"), ("can_delete_todo", "admin")):
            if all_of in roles or "editor" in roles:
                owner = None if all_of in roles else email
                rules.append(
                    rule(
                        f"{tool}-{email}"[:64], tool, **USER, subject_id=pid, resource_type="todo", resource_id=None,
                        resource__ownerID=owner,
                    )
                )  # fmt: skip
    return rules


@pytest.mark.parametrize("version", ["01", "02"])
def test_the_todo_vectors(folders: Callable[[], Path], version: str) -> None:
    """40 evaluations, and in the newer version 3 batches: every decision as expected."""
    one = opened(folders(), todo_rules())
    post, wanted = caller(one), vectors(f"todo/decisions-authorization-api-1_0-{version}.json")
    assert len(wanted["evaluation"]) == 40
    for case in wanted["evaluation"]:
        assert post("/access/v1/evaluation", case["request"])[2]["decision"] is case["expected"], case
    for case in wanted.get("evaluations", []):
        answered = post("/access/v1/evaluations", case["request"])[2]["evaluations"]
        assert [{"decision": one["decision"]} for one in answered] == case["expected"]
    one.close()


def test_the_gateway_vectors(folders: Callable[[], Path]) -> None:
    """25 evaluations of routes and methods."""
    everybody = [pid for pid, _ in TODO_USERS.values()]
    makers = [pid for pid, roles in TODO_USERS.values() if "viewer" not in roles]
    of = {"subject_type": "identity", "resource_type": "route"}
    one = opened(
        folders(),
        [
            rule("get", "GET", subject_id=everybody, resource_id=["/users/{userId}", "/todos"], **of),
            rule("post", "POST", subject_id=makers, resource_id="/todos", **of),
            rule("put", "PUT", subject_id=makers, resource_id="/todos/{todoId}", **of),
            rule("delete", "DELETE", subject_id=makers, resource_id="/todos/{todoId}", **of),
        ],
    )
    post, wanted = caller(one), vectors("gateway/decisions.json")["evaluation"]
    assert len(wanted) == 25
    for case in wanted:
        assert post("/access/v1/evaluation", case["request"])[2]["decision"] is case["expected"], case
    one.close()


def record_rules(folder: str, allowed: Callable[[Any, Any], Mapping[str, bool]]) -> list[dict[str, Any]]:
    """One rule for each user and action: the records that he may act on, from the scenario's own records."""
    users, records = vectors(f"{folder}/users.json"), vectors(f"{folder}/records.json")
    rules = []
    for tool in ("view", "edit", "delete"):
        for user in users:
            ids = [str(record["id"]) for record in records if allowed(user, record).get(tool)]
            if ids:
                of = USER | RECORD | {"subject_id": user["id"], "resource_id": ids}
                rules.append(rule(f"{tool}-{user['id']}", tool, **of))
    return rules


def test_the_idp_vectors(folders: Callable[[], Path]) -> None:
    """6 searches: each user may delete what is his."""
    own = lambda user, record: {"delete": record["owner"] == user["id"]}  # noqa: E731
    one = opened(folders(), record_rules("idp", own))
    post, wanted = caller(one), vectors("idp/results.json")["search"]
    assert len(wanted) == 6
    for case in wanted:
        assert post("/access/v1/search/resource", case["request"])[2] == case["expected"]
    one.close()


def test_the_search_vectors(folders: Callable[[], Path]) -> None:
    """60 subject, 18 resource and 120 action searches: the same results, in the same order."""

    def allowed(user: Any, record: Any) -> dict[str, bool]:
        own, manager = record["owner"] == user["id"], user["role"] == "manager"
        near = record["department"] == user["department"]
        return {"view": own or near or manager, "edit": own or (near and manager), "delete": own}

    one = opened(folders(), record_rules("search", allowed))
    post, count = caller(one), 0
    for what in ("subject", "resource", "action"):
        for case in vectors(f"search/{what}-results.json")["evaluation"]:
            assert post(f"/access/v1/search/{what}", case["request"])[2] == case["expected"], case
            count += 1
    assert count == 198
    assert one.events() == []
    one.close()


# -- holds, as the request profile draws them -----------------------------------------------------

TURN = {
    "subject": {"type": "user", "id": "watch"}, "action": {"name": "turn"},
    "resource": {"type": "camera", "id": "tower-12"},
}  # fmt: skip
HELD = rule(
    "turn", "turn", **USER, subject_id="watch", resource_type="camera", resource_id=["tower-12", "tower-13"]
) | {
    "approvals": {"count": 2, "distinct": "operators", "role": "commander"}, "hold_s": 300,
}  # fmt: skip


@pytest.fixture
def turned(folders: Callable[[], Path]) -> Iterator[tuple[Gated, Post]]:
    one = gated(folders(), NAMES)
    one.new_mandate(rules=[HELD], stale="deny")
    yield one, caller(one)
    one.close()


def requested(post: Post) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A denial that was requested: the task's id, the denial's context, and the task."""
    context = post("/access/v1/evaluation", TURN)[2]["context"]
    denial = {"evaluation_id": context["evaluation_id"], "expires_at": context["access_request"]["expires_at"]}
    status, _, told = post("/access/v1/requests", TURN | {"denial": denial})
    assert status == 201, told
    return told["task"]["id"], denial, told["task"]


def test_a_denial_is_requested_approved_and_evaluated_anew_once(turned: tuple[Gated, Post]) -> None:
    """Denied and requestable; nobody is asked before the request; approved by two; permitted once, never again."""
    here, post = turned
    first = post("/access/v1/evaluation", TURN)[2]
    assert (first["decision"], first["context"]["reason"]) == (False, "approval_required")
    assert here.gate.holds() == () and here.events() == []
    task, _, told = requested(post)
    assert (told["status"], told["status_endpoint"]) == ("pending", f"{URL}/access/v1/requests/{task}")
    hold = here.gate.holds()[0].id
    here.approve(hold, "BRAVO")
    assert post(f"/access/v1/requests/{task}", method="GET")[2]["task"]["status"] == "pending"
    anew = TURN | {"context": {"approval": {"id": task}}}
    early = post("/access/v1/evaluation", anew)[2]
    assert (early["decision"], early["context"]["next_action"]) == (False, "retry")
    here.approve(hold, "CHARLIE")
    done = post(f"/access/v1/requests/{task}", method="GET")[2]
    assert (done["task"]["status"], done["result"]["mode"]) == ("approved", "reevaluate")
    answer = post("/access/v1/evaluation", TURN | {"context": {"approval": done["result"]["approval"]}})[2]
    assert answer["decision"] is True
    again = post("/access/v1/evaluation", anew)[2]
    assert (again["decision"], again["context"]["reason"]) == (False, "approval_expired")
    assert here.events() == ["held", "approved", "approved", "released"]


def test_an_approval_covers_exactly_what_was_denied(turned: tuple[Gated, Post]) -> None:
    """Another resource, another subject, one property more, somebody's guess: denied, and the hold is not touched."""
    here, post = turned
    task, _, _ = requested(post)
    here.approve(here.gate.holds()[0].id, "BRAVO", "CHARLIE")
    approval = {"context": {"approval": {"id": task}}}
    for change in (
        {"resource": {"type": "camera", "id": "tower-13"}},
        {"subject": {"type": "user", "id": "other"}},
        {"subject": TURN["subject"] | {"properties": {"role": "admin"}}},
        {"action": {"name": "turn", "properties": {"fast": True}}},
    ):
        answer = post("/access/v1/evaluation", TURN | approval | change)[2]
        assert (answer["decision"], answer["context"]["reason"]) == (False, "out_of_scope"), change
    for id in ("sha256:" + "0" * 64, "", 7):
        answer = post("/access/v1/evaluation", TURN | {"context": {"approval": {"id": id}}})[2]
        assert (answer["decision"], answer["context"]["reason"]) == (False, "approval_unverifiable")
    assert "released" not in here.events()


def test_a_request_that_is_bound_to_no_denial_is_a_problem(turned: tuple[Gated, Post]) -> None:
    """Another evaluation, another expiry, too late: problems by their names; asked twice it is one hold."""
    here, post = turned
    context = post("/access/v1/evaluation", TURN)[2]["context"]
    denial = {"evaluation_id": context["evaluation_id"], "expires_at": context["access_request"]["expires_at"]}
    for change, problem in (
        ({"denial": {}}, "invalid_denial_binding"),
        ({"denial": denial | {"evaluation_id": "sha256:" + "0" * 64}}, "invalid_denial_binding"),
        ({"denial": denial | {"expires_at": "2099-01-01T00:00:00Z"}}, "invalid_denial_binding"),
        ({"denial": denial, "resource": {"type": "camera", "id": "tower-13"}}, "invalid_denial_binding"),
    ):
        status, headers, told = post("/access/v1/requests", TURN | change)
        assert (status, told["type"]) == (400, f"urn:openid:authzen:access-request:error:{problem}"), change
        assert headers["content-type"] == "application/problem+json"
    assert here.gate.holds() == ()
    first = caller(here)("/access/v1/requests", TURN | {"denial": denial})[2]["task"]["id"]  # at another process
    assert post("/access/v1/requests", TURN | {"denial": denial})[2]["task"]["id"] == first
    assert len(here.gate.holds()) == 1
    here.clock.advance(601)
    assert post("/access/v1/requests", TURN | {"denial": denial})[0] == 410
    assert post("/access/v1/requests/nothing", method="GET")[0] == 404


def test_a_refused_and_an_expired_request_are_told(turned: tuple[Gated, Post]) -> None:
    """Denied by a person, or left lying: the task says which, also after a restart, and nothing is released."""
    here, post = turned
    refused, _, _ = requested(post)
    here.gate.approve(here.approval(here.gate.holds()[0].id, "BRAVO", "refuse"))
    here.clock.advance(1)
    expired, _, _ = requested(post)
    here.clock.advance(301)
    here.reopen()
    post = caller(here)
    told = [post(f"/access/v1/requests/{task}", method="GET")[2]["task"]["status"] for task in (refused, expired)]
    assert told == ["denied", "expired"]

"""The kinds of statement, as typed structures (docs/protocol.md, section 4).

* A predicate has exactly the fields of its kind: one missing, one more, or one of another type is refused.
* A kind is named in full as ``urn:watchword:<kind>:v1`` and in code by its short name.
* What is not listed here is an unknown kind: kept and shown, never counted (see ``statements.statement``).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from watchword.statements.evaluations import Evaluation, Opinion, Plan
from watchword.statements.fields import After as After
from watchword.statements.fields import Assertion as Assertion
from watchword.statements.fields import Attachment as Attachment
from watchword.statements.fields import Base64 as Base64
from watchword.statements.fields import CedarText as CedarText
from watchword.statements.fields import Common as Common
from watchword.statements.fields import Condition as Condition
from watchword.statements.fields import Count as Count
from watchword.statements.fields import Decimal as Decimal
from watchword.statements.fields import Digest as Digest
from watchword.statements.fields import NoteText as NoteText
from watchword.statements.fields import Scope as Scope
from watchword.statements.fields import Strict as Strict
from watchword.statements.fields import Text as Text
from watchword.statements.fields import Time as Time
from watchword.statements.fields import Tool as Tool
from watchword.statements.incidents import Incident as Incident
from watchword.statements.recalls import Recall, RecallAnswer
from watchword.statements.vigilance import Oversight as Oversight
from watchword.statements.vigilance import ProbePlan as ProbePlan


class InspectionTool(Tool, frozen=True, kw_only=True):
    """An inspector: ``rules`` is the digest of its rule data."""

    rules: Text


class Ratification(Common, frozen=True, kw_only=True):
    """A member's root key puts one charter version in force, from ``effective`` on. Subject: the charter.

    One that follows another is a notice too, filed under the name of its parent: nobody decides on under that.
    """

    version: Count
    parent: Digest | None
    effective: Time


class TrainedOn(Strict, frozen=True, kw_only=True):
    """A data set that a supplier names; ``digest``, of its manifest, lets others tell whether it is this one."""

    name: Text
    digest: Digest | None


class Tested(Strict, frozen=True, kw_only=True):
    """A test that a supplier answers for: ``k`` of ``n``, run ``by`` whom, and what it says that anybody would find.

    What is claimed is ``metric`` ``bound`` ``value``, such as accuracy at least 0.95: another run by the same
    ``method`` confirms or contradicts it.
    """

    by: Text
    method: Text
    metric: Text
    n: Count
    k: Count
    bound: Literal["at least", "at most"]
    value: Decimal


class Weakness(Strict, frozen=True, kw_only=True):
    """A weakness that a supplier admits; ``method``: the evaluation that shows it, where there is one."""

    text: Text
    method: Text | None


class Claim(Common, frozen=True, kw_only=True):
    """What a supplier says of its release and answers for, in lines that later evidence confirms or contradicts."""

    system: Text
    release: Text
    supplier_contact: Text
    trained_on: Annotated[list[TrainedOn], Meta(max_length=1_000)]
    tested: Annotated[list[Tested], Meta(max_length=200)]
    known_weaknesses: Annotated[list[Weakness], Meta(max_length=200)]
    support_until: Time | None


class InspectionFinding(Strict, frozen=True, kw_only=True):
    """One thing an inspection found; ``offset`` in bytes."""

    rule: Text
    verdict: Text
    path: Text
    offset: Count | None
    message: Text


class Inspection(Common, frozen=True, kw_only=True):
    """What is hidden in a release, as one tool saw it. At most 200 findings, worst first; the rest in ``report``."""

    tool: InspectionTool
    verdict: Literal["nothing-found", "suspicious", "dangerous", "unreadable"]
    files: Count
    bytes: Count
    dangerous: Count
    suspicious: Count
    unreadable: Count
    findings: Annotated[list[InspectionFinding], Meta(max_length=200)]
    report: Attachment | None


class Component(Strict, frozen=True, kw_only=True):
    """One line of a bill of materials."""

    name: Text
    version: Text
    purl: Text | None
    digest: Digest | None


class Dataset(Strict, frozen=True, kw_only=True):
    """A data set by the digest of its manifest."""

    name: Text
    digest: Digest


class BillOfMaterials(Common, frozen=True, kw_only=True):
    """What a release is made of; ``document`` is the full CycloneDX text."""

    format: Text
    system: Text
    release: Text
    components: Annotated[list[Component], Meta(max_length=20_000)]
    base_models: Annotated[list[Text], Meta(max_length=1_000)]
    datasets: Annotated[list[Dataset], Meta(max_length=1_000)]
    document: Attachment


class AnnotatorCount(Strict, frozen=True, kw_only=True):
    """How many of an annotator's rows changed their label."""

    name: Text
    changed: Count
    rows: Count


class ModelSignature(Common, frozen=True, kw_only=True):
    """A foreign signature over exactly these files was checked; ``document`` is it, ``root`` its root digest.

    ``signer``: ``key``, ``certificate`` or ``sigstore``; ``key``: the digest that names it, not whose it is.
    """

    format: Text
    signer: Literal["key", "certificate", "sigstore"]
    key: Digest
    root: Digest
    files: Count
    document: Attachment


class DataScreening(Common, frozen=True, kw_only=True):
    """Two deliveries of a data set compared row by row. At most 50 annotators, most changed first."""

    tool: Tool
    dataset: Text
    delivered: Digest
    previous: Digest | None
    rows: Count
    added: Count
    removed: Count
    changed_features: Count
    changed_labels: Count
    reordered: Count
    annotators: Annotated[list[AnnotatorCount], Meta(max_length=50)]
    report: Attachment | None


class Review(Common, frozen=True, kw_only=True):
    """People's judgement: legal, human factors, red team."""

    of: Literal["legal", "human-factors", "red-team"]
    outcome: Literal["in favour", "with limits", "against"]
    text: Text
    report: Attachment | None


class Canary(Strict, frozen=True, kw_only=True):
    """A question to an endpoint and its answer, each as a salted commitment: both stay with who asked."""

    question: Digest
    answer: Digest


class Endpoint(Common, frozen=True, kw_only=True):
    """A system that is reached by its API alone. Subject: the endpoint release, the digest of supplier, system, version
    and canaries. Each canary was answered ``tries`` times alike."""

    supplier: Annotated[str, Meta(min_length=1, max_length=4096)]
    system: Text
    version: Text
    interface: Literal["chat", "json"]
    asked: Time
    tries: Count
    canaries: Annotated[list[Canary], Meta(min_length=1, max_length=100)]


class Reply(Common, frozen=True, kw_only=True):
    """The right of reply: what the one whom a statement is about answers to it. Shown beside it; counts for nothing."""

    statement: Digest
    text: Text


class MarkingCategory(Strict, frozen=True, kw_only=True):
    """Who may have it, or who may not, or what else is to be known: one tag of a label with its values."""

    name: Text
    type: Literal["permissive", "restrictive", "informative"]
    values: Annotated[list[Text], Meta(min_length=1, max_length=256)]


class Marking(Common, frozen=True, kw_only=True):
    """A confidentiality label beside a statement, in the structure of STANAG 4774. For people; no decision reads it."""

    statement: Digest
    policy: Text
    classification: Text
    privacy_mark: Text | None
    categories: Annotated[list[MarkingCategory], Meta(max_length=64)]
    created: Time | None
    review: Time | None


class Decision(Common, frozen=True, kw_only=True):
    """An admission or refusal; ``decision`` is the object that protocol section 8 makes."""

    decision: dict[str, Any]


class Mandate(Common, frozen=True, kw_only=True):
    """Authority delegated to an admitted system; ``mandate`` is the object of protocol section 9."""

    mandate: dict[str, Any]


class ToolCards(Common, frozen=True, kw_only=True):
    """What a gate knows of one server's tools; ``cards`` is the object of protocol section 9."""

    cards: dict[str, Any]


class Approval(Common, frozen=True, kw_only=True):
    """A person's answer to one held action, over its exact bytes. Without an ``assertion``, signed with his own key."""

    person: Text
    gate: Text
    hold: Text
    mandate: Digest
    answer: Literal["approve", "refuse", "wrong-target", "wrong-content", "not-my-task", "escalate"]
    asked: Time
    assertion: Assertion | None
    expires: Time
    preview: Digest


class Endorsement(Common, frozen=True, kw_only=True):
    """A person vouches for one value of one argument, in one session. Subject: the value, by its digest."""

    person: Text
    gate: Text
    session: Text
    argument: Text
    expires: Time


class Stop(Common, frozen=True, kw_only=True):
    """Every mandate made before it, for this release or for all, is void."""

    reason: Text


class RecordHead(Common, frozen=True, kw_only=True):
    """Anchors a gate's private record in the shared ledger."""

    origin: Text
    size: Count
    root: Base64


class Spill(Common, frozen=True, kw_only=True):
    """What should not have been written is to be purged: the leaf's body, unless it is kept, and attachments of it or
    disclosures."""

    leaf: Digest
    body: Literal["purged", "kept"]
    attachments: Annotated[list[Digest], Meta(max_length=16)]
    reason: Text


class Retract(Common, frozen=True, kw_only=True):
    """An issuer takes its own statement back."""

    target: Text
    reason: Text


class Dispute(Common, frozen=True, kw_only=True):
    """A member contests a statement."""

    target: Text
    reason: Text


class ValidUpTo(Strict, frozen=True, kw_only=True):
    """Statements in this ledger before index ``size`` stay valid."""

    origin: Text
    size: Count


class Revoke(Common, frozen=True, kw_only=True):
    """A key is no longer to be believed, except for what it signed before the sizes named."""

    target: Text
    reason: Text
    valid_up_to: list[ValidUpTo]


class TakeBack(Common, frozen=True, kw_only=True):
    """A member's voice that bad news no longer counts: its statement, or the leaf of one that nobody can read."""

    target: Text
    reason: Text
    notice: Digest


class CaveatRule(Strict, frozen=True, kw_only=True):
    """One rule of a caveat, of the form of a red line; ``on``: whether it forbids an admission or a gate's action."""

    id: Text
    text: Text
    on: Literal["admit", "act"]
    forbid: Annotated[list[Condition], Meta(max_length=64)]
    accountable: Text
    principle: list[Text]
    serves: list[Text]


class Caveat(Common, frozen=True, kw_only=True):
    """A member's own further restriction on use; ``cedar``: free policies, which can only forbid."""

    target: Text
    reason: Text
    name: Text
    rules: Annotated[list[CaveatRule], Meta(max_length=200)]
    cedar: CedarText | None


class Lift(Common, frozen=True, kw_only=True):
    """A member lifts a caveat of its own; counts only from the view."""

    target: Text
    reason: Text
    notice: Digest


class Waiver(Common, frozen=True, kw_only=True):
    """One requirement is waived for one release and use case; ``owner``: the person who answers for it."""

    requirement: Text
    use_case: Digest
    owner: Text
    reason: Text
    expires: Time


class Limits(Strict, frozen=True, kw_only=True):
    """Within what a member relies on another's evidence; an empty list limits nothing."""

    criticality_max: Count
    until: Time
    tags: list[Text]
    members: list[Text]


class Reliance(Common, frozen=True, kw_only=True):
    """A member takes over another's evidence within limits."""

    statement: Digest
    limits: Limits
    reason: Text


class Equivocation(Common, frozen=True, kw_only=True):
    """Two signed heads of one ledger that cannot both be true, the smaller first, and the proof of it.

    Where the sizes differ, ``passed`` is the root that the larger tree has at the smaller size, by the proof ``path``.
    """

    origin: Text
    heads: Annotated[list[NoteText], Meta(min_length=2, max_length=2)]
    passed: Base64 | None
    path: Annotated[list[Base64], Meta(max_length=63)]


KINDS: dict[str, type[Common]] = {
    "ratification": Ratification,
    "claim": Claim,
    "inspection": Inspection,
    "bill-of-materials": BillOfMaterials,
    "model-signature": ModelSignature,
    "data-screening": DataScreening,
    "plan": Plan,
    "evaluation": Evaluation,
    "opinion": Opinion,
    "review": Review,
    "endpoint": Endpoint,
    "reply": Reply,
    "recall-answer": RecallAnswer,
    "marking": Marking,
    "decision": Decision,
    "mandate": Mandate,
    "tool-cards": ToolCards,
    "approval": Approval,
    "endorsement": Endorsement,
    "stop": Stop,
    "record-head": RecordHead,
    "oversight": Oversight,
    "probe-plan": ProbePlan,
    "equivocation": Equivocation,
    "waiver": Waiver,
    "reliance": Reliance,
    "caveat": Caveat,
    "lift": Lift,
    "spill": Spill,
    "recall": Recall,
    "retract": Retract,
    "dispute": Dispute,
    "revoke": Revoke,
    "take-back": TakeBack,
    "incident": Incident,
}
EVIDENCE = frozenset(
    {
        "claim", "inspection", "bill-of-materials", "model-signature", "data-screening", "evaluation", "review",
        "endpoint",
    }
)  # fmt: skip
"""What a requirement may ask for."""
CONSIDERED = EVIDENCE | {"waiver", "reliance"}
"""What a decision looks at, if about its release. Each is filed under its kind and release, so that none can hide."""
WIDE = ("public", "alliance")
"""The scopes of what every member may hold."""
BAD_NEWS = frozenset({"recall", "retract", "dispute", "revoke"})
"""What speaks against something."""
ANY_CHANNEL = BAD_NEWS | {"incident", "caveat", "ratification"}
"""What counts from any channel as soon as it is signed: bad news, warnings, and what can only restrict."""
NOTICES = ANY_CHANNEL | {"take-back", "lift"}
"""What stands in a ``notices`` ledger."""
REDACTABLE: dict[str, frozenset[str]] = {
    "claim": frozenset({"known_weaknesses", "supplier_contact", "tested", "trained_on"}),
    "inspection": frozenset({"findings"}),
    "data-screening": frozenset({"annotators", "dataset"}),
    "evaluation": frozenset({"data", "method", "seed", "threat"}),
    "review": frozenset({"text"}),
    "incident": frozenset({"actions", "done", "findings", "text"}),
}
"""Fields that may be signed as digests of disclosures: no name set, verdict, count or attachment rests on them."""
PREFIX, SUFFIX = "urn:watchword:", ":v1"


def urn(kind: str) -> str:
    """The full name of a kind: ``urn:watchword:<kind>:v1``."""
    return PREFIX + kind + SUFFIX


def hidden_fields(kind: str, predicate: Mapping[str, Any]) -> frozenset[str]:
    """The fields that are not in *predicate* and may be hidden behind its ``_sd``; empty where it has none."""
    may = REDACTABLE.get(kind, frozenset()) if "_sd" in predicate else frozenset()
    return frozenset(name for name in may if name not in predicate)


def read_predicate(kind: str, predicate: dict[str, Any]) -> Common:
    """The typed predicate of a known kind, with or without fields hidden.

    Raises:
        msgspec.ValidationError: fields missing, unknown or of another type; an ``_sd`` that is not, in order, one
            digest for each field that is missing.
    """
    if "_sd" not in predicate:
        return msgspec.convert(predicate, KINDS[kind], strict=True)
    hidden = hidden_fields(kind, predicate)
    digests = msgspec.convert(predicate["_sd"], list[Digest], strict=True)
    if not hidden or len(digests) != len(hidden) or digests != sorted(set(digests)):
        raise msgspec.ValidationError("`_sd` is not, in order, one digest for each field that is hidden")
    shown = {name: value for name, value in predicate.items() if name != "_sd"}
    return msgspec.convert(shown, _without(kind, hidden), strict=True)


def is_value_of(kind: str, name: str, value: Any) -> bool:
    """Whether *value* is of the type that the field *name* of a known kind has."""
    of = {field.encode_name: field.type for field in msgspec.structs.fields(KINDS[kind])}
    try:
        msgspec.convert(value, of[name], strict=True)
    except msgspec.ValidationError:
        return False
    return True


@functools.cache
def _without(kind: str, hidden: frozenset[str]) -> type[Common]:
    shown = [
        (field.encode_name, field.type)
        for field in msgspec.structs.fields(KINDS[kind])
        if field.encode_name not in hidden | COMMON_FIELDS
    ]
    return msgspec.defstruct(  # type: ignore[return-value]
        KINDS[kind].__name__, shown, bases=(Common,), frozen=True, forbid_unknown_fields=True, kw_only=True
    )


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of a kind's predicate.

    Raises:
        KeyError: no such kind.
    """
    return msgspec.json.schema(KINDS[kind])


def with_nulls(kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    """*fields* with null where one of *kind* that may be null is left out, inside lists of objects too.

    TOML cannot write null. What is no field of the kind stays, to be refused by name.
    """
    known = KINDS.get(kind)
    return fields if known is None else _filled(msgspec.inspect.type_info(known), fields, COMMON_FIELDS)


COMMON_FIELDS = frozenset(Common.__struct_fields__)


def _filled(kind: msgspec.inspect.Type, value: Any, but: frozenset[str] = frozenset()) -> Any:
    options = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    for option in options:
        if isinstance(option, msgspec.inspect.StructType) and isinstance(value, dict):
            fields = {field.encode_name: field.type for field in option.fields if field.encode_name not in but}
            missing = {name: None for name, of in fields.items() if name not in value and _nullable(of)}
            return missing | {
                name: _filled(fields[name], inner) if name in fields else inner for name, inner in value.items()
            }
        if isinstance(option, msgspec.inspect.ListType) and isinstance(value, list):
            return [_filled(option.item_type, one) for one in value]
    return value


def _nullable(kind: msgspec.inspect.Type) -> bool:
    options = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    return any(isinstance(option, msgspec.inspect.NoneType) for option in options)

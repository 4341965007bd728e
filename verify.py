"""Re-check a watchword proof bundle against a charter, with nothing but Python: ``verify.py CHARTER BUNDLE``.

What it decides: whether everything in the bundle holds, by docs/protocol.md, section 10, steps 1 to 9, in that order.
The first thing that fails is named, and nothing after it is looked at. Get this file and the charter from somebody you
trust, by another way than the bundle: a bundle that brings its own verifier proves nothing.

* The charter is the only root of trust. Nothing is fetched; every input is hostile and its size is bounded.
* Good news counts only when proven: signature, inclusion, head cosigned by the quorum. Bad news counts when signed.
* A decision is not believed but made again from its evidence; one differing byte refuses the bundle.
* With --former, oldest first: each charter follows the one before it, by section 7. Without, the charter is believed.
* Not checked: whether a statement is true, what an attachment says, a gate's quotas and hours, free Cedar policies, and
  what members keep to themselves without a notice about it.
Exit: 0 all of it holds, 1 something does not, 2 could not look (usage, files, a bundle that is no proof). Follows RFC
6962, 8032, 8785; FIPS 204; C2SP signed-note, tlog-checkpoint, tlog-cosignature; DSSE; in-toto. Python 3.11 or later.
"""

import argparse
import base64
import contextlib
import datetime
import decimal
import functools
import hashlib
import hmac
import itertools
import json
import re
import sys
import urllib.parse
from collections import defaultdict, namedtuple
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE_BYTES_MAX = 128 << 20  # bytes of charter or bundle; some 20,000 statements, about ten minutes of this program
DEPTH_MAX = 64  # nesting of any JSON (section 1)
NOTE_LINES_MAX = 100  # signature lines of one note, as golang.org/x/mod caps it
LANE_S, LANE_EVERY_S = 259_200, 2_592_000  # seconds that bad news of few counts, and how often it may (section 8)
CLOCK_AHEAD_MAX_S = 300  # seconds that a time may lie ahead of the moment of judging (sections 6 and 8)
class Refused(ValueError):
    """The first thing that failed, named exactly. Any ValueError refuses: of UTF-8, JSON, base64, times as well."""
def need(condition: object, otherwise: str) -> None:  # not ``assert``: it must hold under ``python -O``, too
    if not condition:
        raise Refused(otherwise)
@contextlib.contextmanager
def naming(thing: str) -> Iterator[None]:  # put the name of the thing before what is wrong with it
    try:
        yield
    except (ValueError, RecursionError) as error:  # JSON nested a thousand deep ends in the latter
        raise Refused(f"{thing}: {error}") from error
# -- the steps (section 10) -------------------------------------------------------------------------------------------
def verify_proof(charter_file: bytes, bundle_file: bytes, at: int, former: tuple[bytes, ...] = ()) -> dict[str, Any]:
    with naming("step 1, the charter is in force"):
        proof, ratified = read_charter(charter_file)
        need(seconds(proof.charter["effective"]) <= at, f"in force from {proof.charter['effective']} on")
        lineage = [(read_charter(data)[0], data) for data in former] + [(proof, charter_file)]
        for (before, _), (after, data) in itertools.pairwise(lineage):
            with naming(f"charter {after.charter['version']} follows charter {before.charter['version']}"):
                check_follows(before, after, parse_json(data.removesuffix(b"\n"))["ratifications"])
    with naming("step 2, the bundle is well formed and names this charter"):
        bundle = read_bundle(proof, bundle_file)
    with naming("step 3, heads and their witnesses"):
        for raw in bundle["ledgers"]:
            read_heads(proof, raw, at)
    with naming("step 4, leaves and inclusion proofs"):
        proof.leaves.update((raw["origin"], prove_leaves(proof, raw)) for raw in bundle["ledgers"])
    with naming("step 5, bodies, signatures and standing"):
        read_bodies(proof, bundle["bodies"])
    with naming("step 6, loose notices"):
        for notice in map(open_envelope, bundle["loose"]):
            check_standing(proof, notice)
            need(notice.kind in ANY_CHANNEL and name_said(notice), f"{notice.id}: a {notice.kind} is not bad news")
            need(notice.id > max(proof.loose, default=""), "out of order")
            proof.loose[notice.id] = notice
    with naming("step 7, decisions made again"):
        objects = {digest(canonical(value)): value for value in bundle["objects"]}
        need(list(objects) == sorted(objects) and len(objects) == len(bundle["objects"]), "objects: out of order")
        need(len(set(bundle["decisions"])) == len(bundle["decisions"]), "a decision is there twice")
        decisions = [remake(proof, objects, id_) for id_ in bundle["decisions"]]
    with naming("step 8, notices against the names"):
        names = check_names(proof, bundle, decisions)
    with naming("step 9, receipts and approvals"):
        releases, anchored = check_receipts(proof)
    return {
        "format": "watchword-verification/1", "verdict": "verified", "at": rfc3339(at),
        "bundle": digest(bundle_file), "from": bundle["from"], "made": bundle["made"], "charter": proof.digest,
        "alliance": proof.charter["alliance"], "version": proof.charter["version"], "ratified_by": ratified,
        "members": [member["name"] for member in proof.charter["members"]], "closed": sorted(proof.closed),
        "heads": [head._asdict() | {"root": head.root.hex()} for head, *_ in proof.heads.values()], "names": names,
        "decisions": decisions, "releases": releases, "not_shown": list(not_shown(proof, bundle, anchored)),
    }
# -- forms (sections 2 to 10) -----------------------------------------------------------------------------------------
# An object has exactly its fields. A field's form is a scalar, another form's name, alternatives a|b, =text for just
# that text, [form] or [form*most] for a list; a ? allows null. Forms on one line are parted by two bars.
FORMS_TEXT = """
head,record-head: origin:text; root:base64; size:int || dataset,decided: name:text; digest:digest
attachment: bytes:int; commitment:digest; media_type,name:text || place: origin:text; size:int
tool: name,version:text || inspector: name,version,rules:text || threat: goal,knowledge,capability:text
finding: rule,verdict,path,message:text; offset:int? || annotator: name:text; changed,rows:int
component: name,version:text; purl:text?; digest:digest? || ratification: version:int
  parent:digest?; effective:time || stop: reason:text || act: action:digest; gate:text
claim: system,release,supplier_contact:text; trained_on:[trained-on*1000]; tested:[tested*200]; support_until:time?
  known_weaknesses:[weakness*200] || trained-on: name:text; digest:digest? || weakness: text:text; method:text?
tested: by,method,metric:text; n,k:int; bound:at least|at most; value:decimal || canary: question,answer:digest
endpoint: supplier:filled; system,version:text; interface:chat|json; asked:time; tries:int; canaries:[canary*100]
reply: statement:digest; text:text || recall-answer: statement:digest; answer:no|yes|done; closed,done:time?
  alternative:text? || category: name:text; type:permissive|restrictive|informative; values:[text*256]
marking: statement:digest; policy,classification:text; privacy_mark:text?; categories:[category*64]
  created,review:time? || waiver: requirement,owner,reason:text; use_case:digest; expires:time
inspection: tool:inspector; verdict:nothing-found|suspicious|dangerous|unreadable; files,bytes:int
  dangerous,suspicious,unreadable:int; findings:[finding*200]; report:attachment?
bill-of-materials: format,system,release:text; components:[component]; base_models:[text]; datasets:[dataset]
  document:attachment || model-signature: format:text; signer:key|certificate|sigstore; key,root:digest; files:int
  document:attachment || data-screening: tool:tool; dataset:text; delivered:digest; previous:digest?
  rows,added,removed,changed_features:int; changed_labels,reordered:int; annotators:[annotator*50]; report:attachment?
evaluation: tool:tool; method,metric,seed:text; low,high:decimal; threat:threat; n,k:int; data,plan,environment:digest?
  drawn:head?; cpu_s:decimal?; flags:text?; report:attachment? || beacon: origin:text; size:int
opinion: statement:digest; of:replay|replication; sharing:shared|transcript|third-lab; verdict:agree|dispute; tool:tool
  n,k:int; low,high:decimal; seed,reason:text; drawn:head?; differs:int?; p,alpha:decimal?; flags:text?
  report:attachment? || plan: plan:object; beacon:beacon? || review: of:legal|human-factors|red-team
  outcome:in favour|with limits|against; text:text; report:attachment? || decision: decision:decision-object
tool-cards: cards:object || endorsement: person,gate,session,argument:text; expires:time
probe-plan: mandate,plan:digest || oversight: gate,role:text; since,until:time; receipts:int; caught_min:decimal
  state:pass|fail|too-few|withheld|no-probes || mandate: mandate:mandate-object || cited: statement:digest; rule:text?
incident: target,reason,text:text; severity:low|medium|high|critical; began,found:time; ended:time?; actions:[act*200]
  findings:[cited*200]; techniques:[text*64]; done:[text*200]; supersedes:digest?
reliance: statement:digest; limits:limits; reason:text || limits: criticality_max:int; until:time; tags,members:[text]
caveat: target,reason,name:text; rules:[caveat-rule*200]; cedar:cedar? || caveat-rule: id,text,accountable:text
  on:admit|act; forbid:[condition*64]; principle,serves:[text] || lift: target,reason:text; notice:digest
retract,dispute: target:text; reason:text || approval: person,gate,hold:text; mandate,preview:digest
  answer:approve|refuse|wrong-target|wrong-content|not-my-task|escalate; asked,expires:time; assertion:assertion?
assertion: authenticator_data,client_data:base64?; charter:digest; credential,signature:base64
recall: target:text; reason:text; actions:[text]; deadline:time?; supersedes:digest?; directive:text?
  severity:emergency|urgent|routine; versions:[span*100]; alternatives:[text*100] || span: from,before:numbers?
spill: leaf:digest; body:purged|kept; attachments:[digest*16]; reason:text || equivocation: origin:text
  heads:two-notes; passed:base64?; path:[base64*63] || loose: format:=watchword-loose/1; statements:[digest]
revoke: target:text; reason:text; valid_up_to:[place] || take-back: target:text; reason:text; notice:digest
statement: _type:=https://in-toto.io/Statement/v1; predicate:object; predicateType:text; subject:[subject*64]
subject: digest:sha256; name:text || sha256: sha256:hex || signature: keyid:digest; sig:long || common: issuer:text
  made:time; scope:scope; after:head? || envelope: payload:long; payloadType:=application/vnd.in-toto+json
  signatures:[signature*1] || charter-file: charter:charter; format:=watchword-charter-file/1; ratifications:[envelope]
charter: alliance:text; format:=watchword-charter/1; made,effective:time; parent:digest?
  version,suite,head_max_age_s:int; secret:digest; quorum:quorum; amendment:amendment; members,former:[any]
  closed:[closed]; suppliers:[supplier]; standing:words; requirements:[requirement]; red_lines:[red-line]
quorum: faulty,ratify,witness:int || amendment: delay_s,ratify:int || retired: version:int; sizes:[place]
closed: origin,member:text; use:ledger|notices|record; key:digest; size:int; root:hash
passkey: alg:any; id,key:base64; origin:text? || former: name,operator:text; keys:[object]; root_threshold:int~
member: name,operator,witness:text; origins:origins; keys:[object]; root_threshold:int~
origins: ledger,notices,record:text || supplier: name,contact:text; keys:[object]
key: ed25519,mldsa:text; id:digest; job:root|ledger|witness|gate|supplier || people-key: ed25519,mldsa,person:text
  id:digest; job:=people; roles:[text] || requirement: id,text,kind,owed_by,accountable:text; principle,serves:[text]
  waiver:waived-by?; count,tools:int; from:member|supplier|any|owner; distinct:operators|statements; max_age_days:int?
  where,bound:[condition]; when:when || waived-by: count:int; role:text || line-evidence: kind:text; where:[condition]
red-line: id,text,accountable:text; principle,serves:[text]; forbid:[condition]; evidence:line-evidence?
when: criticality:int; human:[text]; release:files|endpoint~
condition: field:text; op:in|contains|any|==|!=|<|<=|>|>=; value:any
view: format:=watchword-view/1; heads:object || view-head: root:hash; size:int; time:time
use-case: format:=watchword-use-case/1; name,purpose,owner:text; criticality:int; human:in|on|out; members,tags:[text]
decision-object: format:=watchword-decision/1; as_of:time; charter,loose,use_case,view:digest; subject:decided
  considered,notices,red_lines,requirements,stale,successors,unheld:[any]; caveats:[caveat-judged]; label,verdict:text
approvals: count:int; distinct:=operators; role:text || quota: count,per_s:int || hours: from,to:text
mandate-object: name:text; decision,use_case:digest
  valid_from,valid_until:time; hours:hours?; view_max_age_s:int; stale:any; rules:[rule]; probes:probing?
probing: caught_min:decimal; per_1000:int || rule: id,tool:text
  args:[condition]; approvals:approvals; unclean:approvals?; hold_s:int; quota:quota?
receipt: format:=watchword-receipt/1; action,decision,mandate:digest?; time:time
  body,seen:object?; approvals:[digest]; reasons:[text]; hold,rule:text?; gate:text
  event:event
caveat-judged: cedar:clear|crossed?; member:text; rules:[any]; statement:digest
bundle: format:=watchword-bundle/1; purpose:=proof; charter:digest; from:text; to:text?; alliance_secret:hash?
  made:time; as_of:time?; names:[name]?; decisions:[digest]; ledgers:[ledger]; bodies:[object]; loose:[envelope]
  objects:[object] || ledger: origin:text; checkpoint:long; earlier:[earlier]; start:int; leaves:[long]; proofs:[proof]
earlier: checkpoint:long; path:[hash] || proof: index:int; leaf:long; path:[hash]
"""
FORMS: dict[str, dict[str, str]] = {}
for _line in re.split(r"\n| \|\| ", FORMS_TEXT.strip().replace("\n  ", "; ")):
    _names, _fields = _line.split(": ", 1)
    _parts = [part.split(":", 1) for part in _fields.split("; ")]
    FORMS.update((name, {key: form for keys, form in _parts for key in keys.split(",")}) for name in _names.split(","))
BAD_NEWS = ("recall", "retract", "dispute", "revoke")
ANY_CHANNEL = (*BAD_NEWS, "incident", "caveat", "ratification")
NOTICES = (*ANY_CHANNEL, "take-back", "lift")
CONSIDERED = (  # each filed under its kind and release (section 5)
    "claim", "inspection", "bill-of-materials", "model-signature", "data-screening", "evaluation", "review",
    "endpoint", "waiver", "reliance",
)
COUNTED = ("recalls", "disputes", "incidents", "dangerous", "against", "endpoint")  # grow as evidence falls (section 8)
WIDE = ("public", "alliance")
RESERVED = {"charter": ("ratification",), "caveat": ("caveat", "lift"), "exercise": ("recall",)}  # and take-backs
KINDS = (*CONSIDERED, *NOTICES, "decision", "mandate", "approval", "stop", "record-head", "reply", "marking", "plan",
         "tool-cards", "endorsement", "oversight", "probe-plan", "spill", "equivocation", "opinion", "recall-answer")
FORMS |= {kind: FORMS["common"] | FORMS[kind] for kind in KINDS}
REDACTABLE = {  # what may stand under ``_sd`` instead (section 3)
    "claim": {"known_weaknesses", "supplier_contact", "tested", "trained_on"}, "inspection": {"findings"},
    "data-screening": {"annotators", "dataset"}, "evaluation": {"data", "method", "seed", "threat"}, "review": {"text"},
    "incident": {"actions", "done", "findings", "text"},
}
SCALARS: dict[str, Callable[[Any], object]] = {
    "any": lambda value: True, "object": lambda value: isinstance(value, dict),
    "int": lambda value: type(value) is int and value >= 0,
    "words": lambda value: isinstance(value, dict) and all(map(is_texts, value.values())),
    "time": lambda value: isinstance(value, str) and rfc3339(seconds(value)) == value,
    "two-notes": lambda value: is_texts(value) and len(value) == 2 and max(map(len, value)) <= 65_536,
    "scope": lambda value: value in ("public", "alliance", "own") or (is_texts(value) and value == sorted(set(value))),
}
TEXTS = {
    "text": ".{0,4096}", "filled": ".{1,4096}", "long": ".*", "hex": "[0-9a-f]{64}", "digest": "sha256:[0-9a-f]{64}",
    "base64": r"(?=.{0,8192}\Z)[A-Za-z0-9+/]*={0,2}", "hash": "[A-Za-z0-9+/]{43}=",
    "decimal": r"(?=.{1,40}\Z)-?(0|[1-9][0-9]*)(\.[0-9]+)?",  # section 8
    "event": "permitted|denied|held|approved|passed|refused|released|expired|returned|unknown|stopped|exercised"
             "|endorsed|scheduled|revealed|shadow",
    "cedar": ".{0,65536}",
    "name": "(exercise:)?((component|package|model|supplier):.+|(release|dataset):sha256:[0-9a-f]{64})"
            "|caveat:.+|(key|statement|charter):sha256:[0-9a-f]{64}", "numbers": r"[0-9]{1,18}(\.[0-9]{1,18}){0,15}",
}
def conform(value: Any, form: str, where: str) -> None:  # refused where inside *where* it departs
    if form.endswith("?"):
        if value is not None:
            conform(value, form[:-1], where)
    elif form.startswith("["):
        inner, _, most = form[1:-1].partition("*")
        need(isinstance(value, list) and len(value) <= int(most or len(value)), f"{where}: not a list, or too long")
        for i, entry in enumerate(value):
            conform(entry, inner, f"{where}[{i}]")
    elif form in FORMS:
        conform_fields(value, FORMS[form], where)
    elif form in SCALARS:
        need(SCALARS[form](value), f"{where}: {repr(value)[:80]} is not {form}")
    else:
        fits = TEXTS.get(form) or "|".join(map(re.escape, form.removeprefix("=").split("|")))
        text = isinstance(value, str) and re.fullmatch(fits, value, re.DOTALL)
        need(text, f"{where}: {repr(value)[:80]} is not {form}")
def conform_fields(value: Any, fields: dict[str, str], where: str) -> None:
    need(isinstance(value, dict), f"{where}: not an object")
    odd = sorted(key for key in value.keys() ^ fields.keys() if not fields.get(key, "").endswith("~"))
    need(not odd, f"{where}: missing or unknown fields {odd}")
    for key in value:  # a field whose form ends in ~ may be absent
        conform(value[key], fields[key].removesuffix("~"), f"{where}.{key}")
def conform_kind(kind: str, predicate: Any) -> list[str]:  # a predicate, and which fields of it are hidden
    fields, hidden = FORMS[kind], set[str]()
    if "_sd" in predicate:
        hidden = REDACTABLE.get(kind, set()) - predicate.keys()
        conform(digests := predicate["_sd"], "[digest]", "predicate._sd")
        right = 0 < len(hidden) == len(digests) and digests == sorted(set(digests))
        need(right, "predicate._sd: not, in order, one digest for each field that is hidden")
        fields = {"_sd": "any"} | {name: form for name, form in fields.items() if name not in hidden}
    conform_fields(predicate, fields, "predicate")
    return sorted(hidden)
def is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
def seconds(text: str) -> int:  # since 1970, of the one form of time (section 1)
    return int(datetime.datetime.strptime(text + "+0000", "%Y-%m-%dT%H:%M:%SZ%z").timestamp())
def rfc3339(time_s: int) -> str:
    return (EPOCH + datetime.timedelta(seconds=time_s)).isoformat().replace("+00:00", "Z")
def digest(data: bytes) -> str:  # D of the protocol
    return "sha256:" + hashlib.sha256(data).hexdigest()
# -- the charter (sections 2 and 7) -----------------------------------------------------------------------------------
# A public key of suite 1 and whose it is; *words* are what the charter's ``standing`` may list for it.
# *retired_by*: the charter version that retired it, 0 for none; what it said stands below *sizes*, by origin.
Key = namedtuple(
    "Key",
    "id job owner operator is_supplier words ed25519 mldsa retired_by sizes person passkeys",
    defaults=(0, {}, None, []),
)
# A verified head, its cosigned time in seconds, 0 for a record's, and when which witness cosigned it.
Head = namedtuple("Head", "origin size root time_s witnesses")
# An opened envelope; nothing in it is believed before ``check_standing``. *subject* is pairs of name and digest.
Statement = namedtuple("Statement", "id kind subject predicate issuer key_id signature payload")
Place = tuple[str, int]  # origin and index
Statements = dict[str, Statement]  # by id
Known = dict[str, tuple[int, int]]  # size and cosigned time in seconds by origin
@dataclass
class Proof:
    """What is proven so far: of the charter, keys by id, member and use by origin, keys by witness; of the bundle,
    heads (newest, then older ones) and leaves by origin, bodies with standing (``counting``) or not (``odd``), and
    places in notices where the body is no statement at all (``junk``)."""
    charter: dict[str, Any]
    digest: str
    secret: bytes = b""
    keys: dict[str, Key] = field(default_factory=dict)
    origins: dict[str, tuple[str, str]] = field(default_factory=dict)
    closed: dict[str, "Head"] = field(default_factory=dict)  # ledgers that end at this size and root
    roots: dict[str, int] = field(default_factory=dict)  # of a member, how many root keys it takes
    witnesses: dict[str, Key] = field(default_factory=dict)
    heads: dict[str, list[Head]] = field(default_factory=dict)
    leaves: dict[str, dict[int, bytes]] = field(default_factory=dict)
    by_id: Statements = field(default_factory=dict)
    counting: dict[Place, Statement] = field(default_factory=dict)
    of_kind: dict[str, Statements] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    odd: dict[Place, tuple[Statement, str]] = field(default_factory=dict)
    junk: set[Place] = field(default_factory=set)
    receipts: dict[Place, Any] = field(default_factory=dict)
    loose: Statements = field(default_factory=dict)
    def shared(self, *uses: str) -> list[str]:  # those that are open
        return sorted(o for o, (_, use) in self.origins.items() if use in uses and o not in self.closed)
def read_charter(data: bytes) -> tuple[Proof, list[str]]:  # and who put it in force
    conform(file := parse_json(data.removesuffix(b"\n")), "charter-file", "file")
    charter, quorum = file["charter"], file["charter"]["quorum"]
    proof = Proof(charter, digest(canonical(charter)))
    members, former = charter["members"], charter["former"]
    parties = members + former + charter["suppliers"]
    for form, member in [("member", member) for member in members] + [("former", member) for member in former]:
        conform(member, form, f"charter.{form}")
    for party in parties:
        own = [read_key(raw, party, charter["version"]) for raw in party["keys"]]
        proof.keys.update((key.id, key) for key in own)
        if party in former:
            gone = own and all(key.retired_by and not key.is_supplier for key in own)
            need(gone, f"{party['name']}: a former member has keys, and all of them are retired")
            proof.roots[party["name"]] = party.get("root_threshold", 1)
        elif "operator" in party:
            own = [key for key in own if not key.retired_by]
            jobs = [key.job for key in own]
            complete = all(jobs.count(job) == 1 for job in ("ledger", "witness", "gate")) and "people" in jobs
            need(complete and "root" in jobs, f"{party['name']}: a key is missing, or two do one job")
            roots, k = jobs.count("root"), party.get("root_threshold", 1)
            need(("root_threshold" in party) == (roots > 1) and 1 <= k <= roots, f"{party['name']}: root_threshold")
            proof.roots[party["name"]] = k
            proof.origins.update((origin, (party["name"], use)) for use, origin in party["origins"].items())
            proof.witnesses[party["witness"]] = own[jobs.index("witness")]
    need(charter["suite"] == 1, f"suite {charter['suite']} is not known here")
    once = len({party["name"] for party in parties}) == len(parties) and len(proof.witnesses) == len(members)
    need(once and len(proof.origins) == 3 * len(members), "a name, an origin or a witness is there twice")
    for one in charter["closed"]:
        key, origin = proof.keys.get(one["key"]), one["origin"]
        mine = key and (key.owner, key.job) == (one["member"], "ledger") and key.retired_by
        need(mine and origin not in proof.origins, f"{origin}: there twice, or its key is no retired one of its member")
        proof.origins[origin] = one["member"], one["use"]
        proof.closed[origin] = Head(origin, one["size"], decode_base64(one["root"]), 0, {})
    for key in proof.keys.values():
        need(key.sizes.keys() <= proof.origins.keys(), f"a retired key of {key.owner} reaches into no ledger here")
    # "One key does one job": not even half of a key may serve in two.
    halves = {half for key in proof.keys.values() for half in (key.ed25519, key.mldsa)}
    need(len(halves) == 2 * sum(len(party["keys"]) for party in parties), "a key, or half of one, is there twice")
    devices = [device for key in proof.keys.values() if not key.retired_by for device in key.passkeys]
    once = all(len({device[name] for device in devices}) == len(devices) for name in ("id", "key"))
    need(once, "a passkey is there twice")
    # Operators common to any two witness quorums: at least 2k - M, which must be more than may be faulty.
    shared = 2 * quorum["witness"] - len({m["operator"] for m in members})
    need(shared > quorum["faulty"], "two witness quorums may share no honest operator")
    ratified, signers = dict[str, str](), defaultdict[str, set[str]](set)
    for number, envelope in enumerate(file["ratifications"]):
        with naming(f"ratification {number}"):
            statement = open_envelope(envelope)
            # A key that this very charter retires may still agree to it, which counts for its parent alone.
            leaves = (known := proof.keys.get(statement.key_id)) and known.retired_by == charter["version"]
            key = check_standing(proof, statement, in_ledger=bool(leaves))
            said = [statement.predicate[name] for name in ("version", "parent", "effective")]
            same = statement.kind == "ratification" and said == [charter[n] for n in ("version", "parent", "effective")]
            need(same and any(proof.digest == d for _, d in statement.subject), f"it does not ratify {proof.digest}")
            signers[key.owner].update([key.id] * (not key.retired_by))
            if len(signers[key.owner]) >= proof.roots[key.owner]:
                ratified.setdefault(key.operator, key.owner)
    who, wanted = sorted(ratified.values()), max(1, quorum["ratify"])
    need(len(who) >= wanted, f"not in force: ratified by {len(who)} operators ({', '.join(who)}), needs {wanted}")
    return proof, who
def check_follows(before: Proof, after: Proof, ratifications: list[Any]) -> None:  # section 7, "Succession"
    old, new = before.charter, after.charter
    need((new["parent"], new["version"], new["secret"]) == (before.digest, old["version"] + 1, old["secret"]), "1")
    need(seconds(new["effective"]) >= seconds(old["effective"]), f"1: in force from {new['effective']}, too early")
    now = {member["name"]: member for member in new["members"]}
    for origin, whose in before.origins.items():
        if origin not in after.origins and whose[1] == "record":
            continue
        same = after.origins.get(origin) == whose and ledger_key(after, origin).id == ledger_key(before, origin).id
        need(same, f"2: {origin} is gone, or has another owner or key")
        need(before.closed.get(origin) in (None, after.closed.get(origin)), f"2: {origin} was closed at another end")
    need(after.closed.keys() <= before.origins.keys(), "2: a ledger is closed that was never open")
    persons = [{k["id"]: k.get("person") for p in c["members"] + c["former"] for k in p["keys"]} for c in (old, new)]
    for id_, key in before.keys.items():
        kept: Any = after.keys.get(id_, key if key.job == "witness" else None)
        held = kept and kept[1:3] == key[1:3] and (kept is key or persons[0].get(id_) == persons[1].get(id_))
        need(held, f"3: a {key.job} key of {key.owner} is gone")
        need(kept.operator == key.operator or key.owner in now, f"3: {key.owner} leaves with another operator")
        right = after_key_holds(key, kept, new["version"])
        need(right, f"3: a {key.job} key of {key.owner} is retired otherwise")
    fresh = [key for id_, key in after.keys.items() if id_ not in before.keys]
    need(not any(key.retired_by for key in fresh), "3: a key comes in retired")
    need(not now.keys() & {m["name"] for m in old["former"]}, "3: a member that left is back")
    signed, runs = defaultdict[str, dict[str, int]](dict), {m["name"]: m["operator"] for m in old["members"]}
    for statement in map(open_envelope, ratifications):  # verified where the charter was read
        root = before.keys.get(statement.key_id)
        if root and root.job == "root" and not root.retired_by:
            made = seconds(statement.predicate["made"])
            signed[root.owner][root.id] = min(made, signed[root.owner].get(root.id, made))
    agreed = {name: sorted(times.values()) for name, times in signed.items() if len(times) >= before.roots[name]}
    who, late = {runs[name] for name in agreed}, seconds(new["effective"]) - old["amendment"]["delay_s"]
    need(len(who) >= old["quorum"]["ratify"], f"4: {len(who)} operators of charter {old['version']} ratified it")
    early = [name for name, times in agreed.items() if times[before.roots[name] - 1] <= late]
    wanted = old["amendment"]["ratify"]
    for member in old["members"]:
        others = {runs[name] for name in early} - {member["operator"]}
        same = now.get(member["name"]) == member or member["name"] in agreed
        need(same or len(others) >= wanted, f"5: {member['name']} is changed and has not agreed")
    parts = [part for part in ("red_lines", "standing", "quorum", "amendment") if old[part] != new[part]]
    need(not parts or len({runs[name] for name in early}) >= wanted, f"6: changes {parts}, by too few or too late")
def after_key_holds(old: Any, new: Any, version: int) -> bool:  # retired as it was, or by this version
    if old.retired_by or not new.retired_by:
        return (old.retired_by, old.sizes) == (new.retired_by, new.sizes)
    return bool(new.retired_by == version and (old.words, old.passkeys) == (new.words, new.passkeys))
def ledger_key(proof: Proof, origin: str) -> Any:
    if origin in proof.closed:
        return proof.keys[next(one["key"] for one in proof.charter["closed"] if one["origin"] == origin)]
    owner = proof.origins[origin][0]
    return next(key for key in proof.keys.values() if (key.owner, key.job, key.retired_by) == (owner, "ledger", 0))
def read_key(raw: Any, party: Any, version: int) -> Key:  # its id is computed, never believed
    job, owner, retired = raw.get("job"), party["name"], raw.get("retired", {"version": 0, "sizes": []})
    conform(retired, "retired", f"a retired key of {owner}")
    sizes = {place["origin"]: place["size"] for place in retired["sizes"]}
    when = 1 < retired["version"] <= version if "retired" in raw else True
    need(when and len(sizes) == len(retired["sizes"]), f"a key of {owner}: retired by no charter, or a size is twice")
    conform(passkeys := raw.get("passkeys", []), "[passkey*16]", f"passkeys of {owner}")
    need("passkeys" not in raw or (job == "people" and passkeys), f"a {job} key of {owner} has passkeys, or none")
    for device in passkeys:
        check_passkey(device)
    raw = {name: value for name, value in raw.items() if name not in ("retired", "passkeys")}
    conform(raw, "people-key" if job == "people" else "key", f"a key of {owner}")
    ed25519, mldsa = decode_base64(raw["ed25519"]), decode_base64(raw["mldsa"])
    level = 44 if job in ("ledger", "witness") else 65
    need(len(ed25519) == 32 and len(mldsa) == 32 + 320 * MLDSA[level][0], f"a {job} key of {owner} of a wrong length")
    id_ = digest(b"watchword/key/v1\n" + bytes((1, level)) + ed25519 + mldsa)
    need(id_ == raw["id"], f"a {job} key of {owner} has the id {id_}, not {raw['id']}")
    words = tuple(raw["roles"]) if job == "people" else (job,)
    need(job != "people" or not {"root", "supplier", "gate"} & set(words), f"a role of {owner} is named as a job is")
    operator, supplies = party.get("operator", owner), "operator" not in party
    last = retired["version"], sizes, raw.get("person"), passkeys
    return Key(id_, job, owner, operator, supplies, words, ed25519, mldsa, *last)
# -- statements and standing (section 3) ------------------------------------------------------------------------------
def open_envelope(envelope: Any) -> Statement:  # its payload must be canonical itself
    conform(envelope, "envelope", "envelope")
    need(envelope["signatures"], "envelope: no signature")
    payload, signature = decode_base64(envelope["payload"]), envelope["signatures"][0]
    conform(value := parse_json(payload), "statement", "statement")
    need(value["subject"], "statement: no subject")
    urn = re.fullmatch("urn:watchword:(.+):v1", value["predicateType"])
    kind = urn[1] if urn else "type " + value["predicateType"]  # no kind is spelled with a blank
    subject = [(entry["name"], "sha256:" + entry["digest"]["sha256"]) for entry in value["subject"]]
    said, sig = value["predicate"], decode_base64(signature["sig"])
    return Statement(digest(payload), kind, subject, said, str(said.get("issuer")), signature["keyid"], sig, payload)
def check_signature(proof: Proof, statement: Statement) -> Any:  # both halves, over the DSSE encoding
    key: Any = proof.keys.get(statement.key_id)
    signature, payload = statement.signature, statement.payload
    good = key and key.job not in ("ledger", "witness")
    need(good, f"its key {statement.key_id} is not one of the charter for statements")
    message = b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(payload), payload)
    verify_ed25519(key.ed25519, signature[:64], message)
    verify_mldsa(65, key.mldsa, signature[64:], message, b"watchword/suite-1")
    return key
def name_said(statement: Statement) -> str:  # under which a notice is filed
    predicate = statement.predicate
    if statement.kind != "ratification":
        return str(predicate["target"])
    return f"charter:{predicate['parent']}" * (predicate["parent"] is not None)
def check_standing(proof: Proof, statement: Statement, in_ledger: bool = False) -> Any:  # refuses what does not count
    kind, predicate = statement.kind, statement.predicate
    with naming(f"{kind} {statement.id} by {statement.issuer}"):
        key = check_signature(proof, statement)
        need(in_ledger or not key.retired_by, f"its key was retired by charter {key.retired_by}")
        need(kind in KINDS, "its kind is not known here")
        conform_kind(kind, predicate)
        need(statement.issuer == key.owner, f"signed by {key.owner}")
        allowed = proof.charter["standing"].get(kind, [])
        need(set(allowed) & set(key.words), f"its key ({', '.join(key.words)}) has no standing for this kind")
        need(kind not in ("ratification", "revoke") or key.job == "root", "not signed with a root key")
        need(kind != "take-back" or not key.is_supplier, "a supplier takes no bad news back")
        if kind in NOTICES and name_said(statement):  # a first charter's ratification stands in its file alone
            conform(name := name_said(statement), "name", "target")
            space, _, thing = name.partition(":")
            about = kind == "ratification" or statement.subject == [("notice", digest(name.encode()))]
            need(about, "its subject is not its target")
            need(kind in ("take-back", *RESERVED.get(space, NOTICES)), f"it is not filed under the sort {space}")
            need(kind not in ("caveat", "lift") or name == f"caveat:{key.owner}", "it is not under its issuer's name")
            whose = proof.by_id[thing].issuer if space == "statement" and thing in proof.by_id else None
            need(kind != "retract" or whose == key.owner, "it retracts what is not its issuer's own")
            whose = proof.keys[thing].owner if space == "key" and thing in proof.keys else None
            need(kind != "revoke" or whose == key.owner, "it revokes what is not its issuer's own")
        return key
# -- heads, leaves, bodies (sections 5, 6 and 10) ---------------------------------------------------------------------
def read_bundle(proof: Proof, data: bytes) -> Any:
    bundle = parse_json(data.removesuffix(b"\n"))
    if isinstance(bundle, dict) and bundle.get("purpose") == "exchange":
        raise LookupError("this bundle is for an exchange between members; ask for a proof")
    conform(bundle, "bundle", "bundle")
    need(bundle["charter"] == proof.digest, f"made for charter {bundle['charter']}, this one is {proof.digest}")
    need(bundle["from"] in {m["name"] for m in proof.charter["members"]}, f"from {bundle['from']}, who is no member")
    proof.secret = decode_base64(bundle["alliance_secret"] or "")
    same = digest(b"watchword/alliance-secret/v1\0" + proof.secret) == proof.charter["secret"]
    need((same and len(proof.secret) == 32) or not proof.secret, "the alliance secret is not the charter's")
    return bundle
def read_heads(proof: Proof, raw: Any, at: int) -> None:  # step 3: older ones as well
    origin = raw["origin"]
    with naming(origin):
        need(origin in proof.origins and origin > max(proof.heads, default=""), "unknown, or out of order")
        if origin in proof.closed:  # ends where the charter says; nobody signs that again
            head = proof.closed[origin]
            text = f"{origin}\n{head.size}\n{base64.b64encode(head.root).decode()}\n"
            need(raw["checkpoint"] == text and not raw["earlier"], "closed, and not shown as the charter says")
            proof.heads[origin] = [head]
            return
        heads = [check_head(proof, origin, raw["checkpoint"], at)]
        for earlier in raw["earlier"]:
            head = check_head(proof, origin, earlier["checkpoint"], at)
            need(len(heads) == 1 or heads[-1].size < head.size, "earlier heads are out of order")
            check_consistency(head, heads[0], [decode_base64(hash_) for hash_ in earlier["path"]])
            heads.append(head)
        proof.heads[origin] = heads
def check_head(proof: Proof, origin: str, text: str, at: int) -> Head:  # a record's needs no quorum (6)
    note, lines = parse_note(text.encode())
    (owner, use), head = proof.origins[origin], parse_checkpoint(note)
    need(head.origin == origin, f"the checkpoint is of {head.origin}")
    log = ledger_key(proof, origin)
    signers = [(name, kind, key) for name, key in proof.witnesses.items() for kind in (4, 6)]
    signers += [(origin, 1, log), (origin, 6, log)]
    known = {(name, key_id(name, kind, k.mldsa if kind == 6 else k.ed25519)): (kind, k) for name, kind, k in signers}
    newest: dict[tuple[str, int], int] = {}
    for name, id_, signature in lines:
        if (name, id_) in known:  # A known key with a bad signature refuses the note; unknown lines are ignored.
            kind, key = known[name, id_]
            time_s = int.from_bytes(stamp := b"" if kind == 1 else signature[:8], "big")
            with naming(f"signature of {name} (type {kind:02x}) on the head at size {head.size}"):
                need(time_s < 1 << 63, "a time past 2^63")
                if kind == 6:
                    verify_mldsa(44, key.mldsa, signature[8:], cosigned_message(name, time_s, head))
                else:
                    prefix = b"cosignature/v1\ntime %d\n" % time_s if stamp else b""
                    verify_ed25519(key.ed25519, signature[len(stamp) :], prefix + note)
            if key is log or 0 < time_s <= at + CLOCK_AHEAD_MAX_S:
                newest[key.id, kind] = max(time_s, newest.get((key.id, kind), 0))
    need({(log.id, 1), (log.id, 6)} <= newest.keys(), f"head at size {head.size} not signed by both keys of {owner}")
    if use == "record":
        return head
    times = sorted((min(newest.get((k.id, kind), 0) for kind in (4, 6)), k) for k in proof.witnesses.values())
    witnesses = {key.owner: time_s for time_s, key in times if time_s}
    operators = {key.operator: time_s for time_s, key in times if time_s}  # of each the newest, which is last
    who, wanted = sorted(operators), proof.charter["quorum"]["witness"]
    need(len(who) >= wanted, f"size {head.size} is cosigned by {len(who)} operators ({', '.join(who)}), needs {wanted}")
    return Head(origin, head.size, head.root, sorted(operators.values())[-wanted], witnesses)
def prove_leaves(proof: Proof, raw: Any) -> dict[int, bytes]:  # step 4
    head, (_, use) = proof.heads[raw["origin"]][0], proof.origins[raw["origin"]]
    with naming(head.origin):
        need(raw["start"] == 0, f"starts at {raw['start']}")
        need(not raw["leaves" if use == "ledger" else "proofs"], f"a {use} is not shown so in a proof")
        leaves = dict(enumerate(map(decode_base64, raw["leaves"])))
        if use != "ledger":
            need(len(leaves) == head.size, f"{len(leaves)} leaves, the head says {head.size}")
            root = tree_root([leaf_hash(leaf) for leaf in leaves.values()])
            need(root == head.root, f"the leaves give root {root.hex()}, the head has {head.root.hex()}")
        for shown in raw["proofs"]:
            index, leaf = shown["index"], decode_base64(shown["leaf"])
            with naming(f"proof of leaf {index}"):
                need(index not in leaves and index < head.size, "is there twice, or past the head's size")
                root = included_root(leaf_hash(leaf), index, head.size, [decode_base64(h) for h in shown["path"]])
                need(root == head.root, f"leads to root {root.hex()}, the head has {head.root.hex()}")
            leaves[index] = leaf
        forms = {"ledger": [(1, 33), (4, 65)], "notices": [(2, 65)], "record": [(3, 33)]}[use]  # version byte, length
        for index, leaf in leaves.items():
            need(leaf and (leaf[0], len(leaf)) in forms, f"leaf {index} is not one for {use}")
        return leaves
def read_bodies(proof: Proof, bodies: list[Any]) -> None:  # step 5: a leaf's, or an attachment
    places: dict[bytes, list[Place]] = {}
    for origin, leaves in proof.leaves.items():
        for index, leaf in leaves.items():
            places.setdefault(leaf[1:33], []).append((origin, index))
    opened, contents, last = list[tuple[Statement, list[Place]]](), dict[str, int](), b""
    for number, body in enumerate(bodies):
        with naming(f"body {number}"):
            what = next((w for w in ("envelope", "receipt", "content") if body.keys() == {"salt", w}), "")
            need(what and isinstance(body["salt"], str), f"not a salt and a body: {sorted(body)}")
            conform(body[what], "long" if what == "content" else what, what)
            data, salt = canonical(body[what]), decode_base64(body["salt"])
            data = decode_base64(body[what]) if what == "content" else data
            commitment = hashlib.sha256(b"watchword/commitment/v1\0" + salt + data).digest()
            found = places.get(commitment, [])
            uses = {proof.origins[origin][1] for origin, _ in found}
            need(found or what == "content", f"its commitment {commitment.hex()} is not a proven leaf of this bundle")
            need(len(salt) == 32 and commitment > last, "a salt of another length, or out of order")
            last = commitment
            need(what == "content" or (what == "receipt") == ("record" in uses), f"a {what} does not belong in {uses}")
            if what == "content":
                contents["sha256:" + commitment.hex()] = len(data)
            elif what == "receipt":
                proof.receipts.update(dict.fromkeys(found, body[what]))
            else:
                try:
                    statement = open_envelope(body[what])
                    if statement.kind in KINDS:
                        conform_kind(statement.kind, statement.predicate)
                    opened.append((statement, found))
                except (ValueError, RecursionError):
                    if uses != {"notices"}:
                        raise
                    proof.junk.update(found)  # shown, never counts: filing it spoils nobody's proofs
    proof.by_id.update((statement.id, statement) for statement, _ in opened)
    for statement, found in opened:
        place_statement(proof, statement, found)
    known = [statement.predicate for statement, _ in opened if statement.kind in KINDS]
    values = [predicate[part] for predicate in known for part in ("report", "document") if predicate.get(part)]
    named: dict[str, set[int]] = {}
    for value in values:
        named.setdefault(value["commitment"], set()).add(value["bytes"])
    disclosures = {name for predicate in known for name in predicate.get("_sd", ())}
    for name, size in contents.items():
        sizes = named.get(name, {size} if name in disclosures else set())
        need(sizes == {size}, f"attachment {name} of {size} bytes: no statement names it so")
def place_statement(proof: Proof, statement: Statement, found: list[Place]) -> None:  # junk spoils no proof
    right = {"notices" if statement.kind in NOTICES else "ledger"}
    with naming(", ".join(f"{origin}#{index}" for origin, index in found)):
        uses = {proof.origins[origin][1] for origin, _ in found}
        need(statement.kind not in KINDS or uses == right, f"a {statement.kind} does not belong there")
        try:
            check_standing(proof, statement, in_ledger=True)
            wide = statement.kind in CONSIDERED and statement.predicate["scope"] in WIDE
            name = f"evidence:{statement.kind}:{statement.subject[0][1]}" if wide else ""
            for origin, index in found if uses == {"ledger"} and proof.secret else []:
                filed = hmac.digest(proof.secret, name.encode(), "sha256") if name else b""
                need(proof.leaves[origin][index][33:] == filed, f"{origin}#{index} is not its leaf")
            proof.counting.update(dict.fromkeys(found, statement))
            proof.of_kind[statement.kind][statement.id] = statement
        except Refused as error:
            if uses != {"notices"}:
                need(statement.kind not in KINDS, str(error))
                check_signature(proof, statement)  # Of an unknown kind, but signed: kept and shown.
            proof.odd.update(dict.fromkeys(found, (statement, str(error))))
# -- the decision, made again (section 8) -----------------------------------------------------------------------------
def remake(proof: Proof, objects: Any, id_: str) -> dict[str, Any]:  # byte for byte
    need(id_ in proof.of_kind["decision"], f"decision {id_} is not in the bundle")
    statement = proof.of_kind["decision"][id_]
    with naming(f"decision {id_} by {statement.issuer}"):
        need(proof.secret, "cannot be made again without the alliance secret")
        recorded: dict[str, Any] = statement.predicate["decision"]
        inputs = {name: recorded[name] for name in ("as_of", "loose", "subject", "use_case", "view")}
        subject, view, use_case = inputs["subject"], objects.get(inputs["view"]), objects.get(inputs["use_case"])
        conform(view, "view", "its view, among the objects")
        conform(use_case, "use-case", "its use case, among the objects")
        need(use_case["criticality"] <= 3, "the use case has a criticality above 3")
        need(statement.subject == [(subject["name"], subject["digest"])], "of another subject")
        check_view(proof, view["heads"], now := seconds(inputs["as_of"]))
        check_closed(proof)
        need(now >= seconds(proof.charter["effective"]), "made before its charter was in force")
        loose = find_loose(proof, objects, inputs["loose"])
        free = {caveat["statement"]: caveat["cedar"] for caveat in recorded["caveats"]}  # as its maker's engine said
        names, made = decide(proof, view["heads"], loose, now, subject["digest"], use_case, free)
        old, new = canonical(recorded).decode(), canonical(inputs | made).decode()
        n = 0 if old == new else next(i for i, (a, b) in enumerate(itertools.zip_longest(old, new)) if a != b)
        old, new = old[max(0, n - 60) : n + 60], new[max(0, n - 60) : n + 60]
        need(old == new, f"made again it differs at byte {n}: {old!r}, again {new!r}")
    return recorded | {"id": id_, "issuer": statement.issuer, "names": names, "use": use_case["name"]}
def check_view(proof: Proof, heads: dict[str, Any], now: int) -> None:  # heads that step 3 checked
    for origin, head in heads.items():
        with naming(f"view, {origin}"):
            conform(head, "view-head", "head")
            shared = origin in proof.heads and proof.origins[origin][1] != "record" and origin not in proof.closed
            need(shared, "no shared ledger in the bundle")
            this = head["size"], decode_base64(head["root"])
            times = [checked.time_s for checked in proof.heads[origin] if (checked.size, checked.root) == this]
            need(times, f"no head at size {head['size']} with this root is in the bundle")
            need(max(times) >= seconds(head["time"]), f"cosigned {rfc3339(max(times))}, not as late as {head['time']}")
            need(seconds(head["time"]) <= now + CLOCK_AHEAD_MAX_S, "cosigned after the time of the decision")
def check_closed(proof: Proof) -> None:
    missing = [o for o in proof.closed if proof.origins[o][1] == "notices" and o not in proof.heads]
    need(not missing, f"{missing}: closed and not in the bundle, so they may hold any notice")
def find_loose(proof: Proof, objects: dict[str, Any], named: str) -> Statements:  # an empty list need not be there
    empty: Any = {"format": "watchword-loose/1", "statements": []}
    value: Any = ({digest(canonical(empty)): empty} | objects).get(named)
    conform(value, "loose", "its list of loose notices, among the objects")
    ids, filed = value["statements"], {i: s for kind in ANY_CHANNEL for i, s in proof.of_kind[kind].items()}
    notices = proof.loose | {i: s for i, s in filed.items() if not proof.keys[s.key_id].retired_by}
    need(ids == sorted(set(ids)) and set(ids) <= notices.keys(), f"the loose notices {ids} are not all in the bundle")
    return {id_: notices[id_] for id_ in ids}
def names_of(proof: Proof, release: str, considered: Iterable[Statement]) -> list[str]:  # the name set (section 7)
    names = {f"release:{release}", f"charter:{proof.digest}"}
    names |= {f"charter:{parent}" for parent in [proof.charter["parent"]] if parent}
    names |= {f"caveat:{member['name']}" for member in proof.charter["members"]}
    for statement in considered:
        kind, predicate = statement.kind, statement.predicate
        names |= {f"statement:{statement.id}", f"key:{statement.key_id}"}
        names |= {f"supplier:{statement.issuer}"} if kind == "claim" else set()
        names |= {f"supplier:{predicate['supplier']}"} if kind == "endpoint" else set()
        names |= {f"dataset:{predicate['delivered']}"} if kind == "data-screening" else set()
        if kind == "bill-of-materials":
            parts = [component[part] for component in predicate["components"] for part in ("digest", "purl")]
            names |= {f"component:{part}" for part in parts if part is not None}
            names |= {f"package:{p}" for p, _ in (package_of(c["purl"] or "") for c in predicate["components"]) if p}
            names |= {f"model:{model}" for model in predicate["base_models"]}
            names |= {f"dataset:{dataset['digest']}" for dataset in predicate["datasets"]}
    return sorted(names)
@functools.cache
def package_of(purl: str) -> tuple[str, str]:  # and its version (section 7)
    head = urllib.parse.unquote(re.split("[?#]", purl, maxsplit=1)[0]).encode().lower().decode()
    package, *version = re.split("(?<!/)@", "pkg:" + head[4:].lstrip("/"), maxsplit=1)
    package = re.sub("[-_.]+" if package.startswith("pkg:pypi/") else "-", "-", package)
    return (package.rstrip("/"), "".join(version)) if head.startswith("pkg:") else ("", "")
def is_within(version: str, span: dict[str, Any]) -> bool:  # or cannot be told not to be (section 7)
    read = re.fullmatch(r"v?([0-9]{1,18}(?:\.[0-9]{1,18})*)((?!\.?[0-9])[^!:]*)", version)
    if not read or (read[2] and "." not in read[1]):
        return True
    row, begin, end = ([int(n) for n in re.sub(r"(\.0+)+\Z", "", text or "0").split(".")]
                       for text in (read[1], span["from"], span["before"]))
    return row >= begin and (not span["before"] or row < end or (row == end and read[2] != ""))
def is_reached(said: Any, names: Iterable[str]) -> bool:  # by a recall that is listed under one of the names
    purls = (package_of(name[10:]) for name in names if name.startswith("component:"))
    there = [version for package, version in purls if f"package:{package}" == said["target"]]
    return not there or not said["versions"] or any(is_within(v, span) for v in there for span in said["versions"])
def find_notices(proof: Proof, known: Known, loose: Statements, names: Iterable[str]) -> list[Any]:  # step 2
    found = match_notices(proof, known, loose, names)
    for n in (one for one in found if one["kind"] == "recall"):
        recall = loose.get(n["statement"]) or proof.by_id[n["statement"]]
        n["kind"] = "recall" if is_reached(recall.predicate, names) else "not-reached"
    for name, said in by_name([n for n in found if n["kind"] == "revoke"]).items():
        signers = {(proof.counting.get((n["origin"], n["index"])) or loose[n["statement"]]).key_id for n in said}
        for n in said if len(signers) < proof.roots[proof.keys[name[4:]].owner] else []:
            n["kind"] = "half-said"
    taken, lifted = back_again(proof, known, loose, found)
    for n in (one for one in found if one["kind"] in ("recall", "dispute", "incident", "unheld", "caveat")):
        called = n["statement"] or "sha256:" + proof.leaves[n["origin"]][n["index"]][1:33].hex()
        if (n["name"], called) in (lifted if n["kind"] == "caveat" else taken):
            n["kind"] = "lifted" if n["kind"] == "caveat" else "taken-back"
    found.sort(key=lambda n: (n["kind"], n["name"], n["origin"] is None, n["origin"] or "", n["index"] or 0))
    for (kind, _), group in itertools.groupby(found, key=lambda n: (n["kind"], n["name"])):
        let_lapse(proof, known, loose, list(group) if kind in ("recall", "dispute") else [])
    return sorted(found, key=lambda n: (n["name"], n["origin"] or "", n["index"] or 0, n["statement"] or ""))
def back_again(proof: Proof, known: Known, loose: Statements, found: list[Any]) -> tuple[set[Any], set[Any]]:
    """What take-backs by enough operators, and what lifts, name: the name and the notice."""
    said = [n for n in found if n["kind"] in ("take-back", "lift")]
    back = [((n["origin"], n["index"]), proof.by_id[n["statement"]]) for n in said]
    of_them = {name for _, statement in back for name in (f"statement:{statement.id}", f"key:{statement.key_id}")}
    against, voices = by_name(match_notices(proof, known, loose, of_them)), defaultdict[Any, set[str]](set)
    for place, statement in back:
        if not why_fallen(proof, loose, place, statement, against):
            what = statement.kind, statement.predicate["target"], statement.predicate["notice"]
            voices[what].add(proof.keys[statement.key_id].operator)
    enough = {w for w, who in voices.items() if w[0] == "lift" or len(who) >= proof.charter["quorum"]["witness"]}
    return {w[1:] for w in enough if w[0] == "take-back"}, {w[1:] for w in enough if w[0] == "lift"}
def find_unheld(proof: Proof, known: Known, loose: Statements, release: str, notices: list[Any]) -> list[Any]:  # step 4
    names = {hmac.digest(proof.secret, f"evidence:{kind}:{release}".encode(), "sha256"): kind for kind in CONSIDERED}
    unheld: list[Any] = []
    for origin in sorted(o for o in known if proof.origins.get(o, ("", ""))[1] == "ledger"):
        for index, leaf in sorted(proof.leaves.get(origin, {}).items()):
            if index < known[origin][0] and leaf[33:] in names and (origin, index) not in proof.counting:
                called, place = "sha256:" + leaf[1:33].hex(), {"index": index, "origin": origin}
                unheld.append(place | {"kind": names[leaf[33:]], "leaf": called, "state": "unheld"})
    taken = back_again(proof, known, loose, notices)[0] if unheld else set()
    for one in unheld:
        if (f"release:{release}", one["leaf"]) in taken:
            one["state"] = "taken-back"
    return unheld
def match_notices(proof: Proof, known: Known, loose: Statements, names: Iterable[str]) -> list[Any]:
    wanted = {hmac.digest(proof.secret, name.encode(), "sha256"): name for name in names}
    found: list[Any] = []
    filed = sorted(origin for origin in known if proof.origins.get(origin, ("", ""))[1] == "notices")
    for place in ((o, index) for o in filed for index in range(known[o][0])):
        name, statement, kind = wanted.get(proof.leaves[place[0]][place[1]][33:]), proof.counting.get(place), "unheld"
        if name is not None:
            if statement and name_said(statement) == name and reaches(proof, place, statement):
                kind = statement.kind
            elif statement or (place in proof.odd and proof.odd[place][0].kind in KINDS):  # else: as if not held
                kind, statement = "no-standing", statement or proof.odd[place][0]
            kind, id_ = "no-standing" if place in proof.junk else kind, statement.id if statement else None
            found.append({"index": place[1], "kind": kind, "name": name, "origin": place[0], "statement": id_})
    listed, there = {notice["statement"] for notice in found if notice["kind"] in ANY_CHANNEL}, set(wanted.values())
    for id_, notice in loose.items():
        name = name_said(notice)
        if name in there and id_ not in listed:
            found.append({"index": None, "kind": notice.kind, "name": name, "origin": None, "statement": id_})
    return found
def let_lapse(proof: Proof, known: Known, loose: Statements, group: list[Any]) -> None:  # step 2
    said = [loose.get(n["statement"]) or proof.by_id[n["statement"]] for n in group]
    keys, lanes = [proof.keys[statement.key_id] for statement in said], defaultdict[Any, list[int]](list)
    heard = min(known[origin][1] if origin in known else 0 for origin in proof.shared("notices"))
    few = len({key.operator for key in keys}) <= proof.charter["quorum"]["faulty"]
    for n, statement, key in zip(group, said, keys, strict=True):
        made, of = seconds(statement.predicate["made"]), [b for who, b in lanes.items() if who[0] == key.operator]
        mine = lanes[key.operator, n["origin"]]
        begun = mine[-1:] if n["origin"] else sorted(itertools.chain(*of))
        begin = next((b for b in begun if b <= made < b + LANE_EVERY_S), made)
        mine += [begin] if n["origin"] else []
        if few and not any(key.is_supplier for key in keys) and begin + LANE_S <= heard:
            n["kind"] = "lapsed"
def by_name(notices: list[Any]) -> dict[str, list[Any]]:
    against = defaultdict[str, list[Any]](list)
    for notice in notices:
        against[notice["name"]].append(notice)
    return against
def reaches(proof: Proof, place: Place, statement: Statement) -> bool:  # the word of a retired key, below its sizes
    key: Any = proof.keys[statement.key_id]
    return bool(not key.retired_by or place[1] < key.sizes.get(place[0], 0))
def why_fallen(proof: Proof, loose: Statements, place: Place, statement: Statement, against: Any) -> str:  # step 3
    own, key = {n["kind"] for n in against[f"statement:{statement.id}"]}, against[f"key:{statement.key_id}"]
    if own & {"retract", "dispute"}:
        return "retracted" if "retract" in own else "disputed"
    if "unheld" in own | {n["kind"] for n in key}:
        return "unheld"
    for id_ in (n["statement"] for n in key if n["kind"] == "revoke"):
        kept = (loose.get(id_) or proof.by_id[id_]).predicate["valid_up_to"]
        if not any(entry["origin"] == place[0] and entry["size"] > place[1] for entry in kept):
            return "key revoked"
    return "" if reaches(proof, place, statement) else "key retired"
def consider(proof: Proof, known: Known, now: int, release: str) -> list[tuple[Place, Statement]]:  # step 1
    first: dict[str, tuple[Place, Statement]] = {}
    for place, statement in sorted(proof.counting.items(), key=lambda item: item[0]):
        about = statement.kind in CONSIDERED and statement.subject[0][1] == release
        if about and place[1] < known.get(place[0], (0, 0))[0] and seconds(statement.predicate["made"]) <= now:
            first.setdefault(statement.id, (place, statement))
    return [first[id_] for id_ in sorted(first)]
Case = namedtuple("Case", "statements fallen unheld relied now use use_digest sort")  # what rows are judged against
def decide(
    proof: Proof, heads: Any, loose: Statements, now: int, release: str, use: Any, free: Any
) -> tuple[list[str], Any]:
    """All steps: the name set, and the fields of the decision object that are not its inputs."""
    charter, known = proof.charter, {o: (head["size"], seconds(head["time"])) for o, head in heads.items()}
    known |= {origin: (end.size, 0) for origin, end in proof.closed.items()}
    considered = consider(proof, known, now, release)
    statements = [statement for _, statement in considered]
    notices = find_notices(proof, known, loose, names := names_of(proof, release, statements))
    against = by_name(notices)
    fallen = {s.id: why_fallen(proof, loose, place, s, against) for place, s in considered}
    unheld = find_unheld(proof, known, loose, release, notices)
    kept_back, relied = [u["kind"] for u in unheld if u["state"] == "unheld"], defaultdict[str, list[Statement]](list)
    for s in statements:
        if s.kind == "reliance" and s.predicate["scope"] in WIDE and is_owner(proof, s, use):
            relied[s.predicate["statement"]].append(s)
    endpoint = any(s.kind == "endpoint" and endpoint_release(s.predicate) == release for s in statements)
    case = Case(statements, fallen, unheld, relied, now, use, digest(canonical(use)), ("files", "endpoint")[endpoint])
    requirements = [judge(proof, row, case) for row in charter["requirements"]]
    said = {kind: [s.predicate for s in statements if s.kind == kind] for kind in CONSIDERED}
    suppliers = {p["issuer"] for p in said["claim"]} | {p["supplier"] for p in said["endpoint"]}
    dangerous = sum(p["dangerous"] > 0 or p["verdict"] == "dangerous" for p in said["inspection"])
    context = {name: use[name] for name in ("criticality", "human", "members", "tags", "owner")} | {
        "suppliers": sorted(suppliers), "recalls": sum(n["kind"] in ("recall", "unheld") for n in notices),
        **{f"{kind}s": sum(n["kind"] == kind for n in notices) for kind in ("dispute", "incident")},
        "dangerous": dangerous + kept_back.count("inspection"),
        "against": sum(p["outcome"] == "against" for p in said["review"]) + kept_back.count("review"),
        "endpoint": len(said["endpoint"]) + kept_back.count("endpoint"),
    }
    lines: list[Any] = []
    for row in charter["red_lines"]:
        shown = not row["evidence"]
        if kind := (row["evidence"] or {}).get("kind"):
            such = (all(holds(c, p, True) for c in row["evidence"]["where"]) for p in said.get(kind, []))
            shown = kind not in CONSIDERED or kind in kept_back or any(such)
        lines.append((row["id"], shown and forbids(row["forbid"], context)))
    stand = {n["statement"] for n in notices if n["kind"] == "caveat"}
    caveats = [judge_caveat(loose.get(id_) or proof.by_id[id_], context, free) for id_ in stand]
    caveats.sort(key=lambda caveat: (caveat["member"], caveat["statement"]))
    oldest, shared = now - charter["head_max_age_s"], proof.shared("ledger", "notices")
    stale = [origin for origin in shared if origin not in heads or seconds(heads[origin]["time"]) < oldest]
    ratified = [n for n in notices if n["kind"] == "ratification"]
    later = successors(proof, [loose.get(n["statement"]) or proof.by_id[n["statement"]] for n in ratified], now)
    states, alone = {row["state"] for row in requirements}, len({m["operator"] for m in charter["members"]}) == 1
    crossed = any(crossed for _, crossed in lines)
    crossed = crossed or any("crossed" in (c["cedar"], *(r["state"] for r in c["rules"])) for c in caveats)
    clear = not (crossed or stale or context["recalls"] or later or kept_back)
    return names, {
        "format": "watchword-decision/1", "charter": proof.digest, "notices": notices, "stale": stale,
        "considered": [{"id": s.id, "index": place[1], "origin": place[0]} for place, s in considered],
        "red_lines": [{"id": id_, "state": "crossed" if crossed else "clear"} for id_, crossed in lines],
        "requirements": requirements, "successors": later, "caveats": caveats,
        "unheld": unheld,
        "verdict": "admitted" if clear and "met" in states and "unmet" not in states else "refused",
        "label": "unwitnessed, own clock" if alone else "witnessed",
    }
def successors(proof: Proof, ratifications: list[Statement], now: int) -> list[str]:  # step 8
    charter, by = proof.charter, defaultdict[Any, dict[str, set[str]]](lambda: defaultdict(set))
    places = {(proof.digest, charter["version"] + 1), (charter["parent"], charter["version"])}
    for statement in ratifications:
        said, key, of = statement.predicate, proof.keys[statement.key_id], statement.subject[0][1]
        if (said["parent"], said["version"]) in places and len(statement.subject) == 1 and of != proof.digest:
            by[of, said["parent"], said["effective"]][key.owner].add(key.id)
    runs, enough = {m["name"]: m["operator"] for m in charter["members"]}, set[tuple[str, bool, str]]()
    for (of, parent, since), signers in by.items():
        who = {runs[name] for name, ids in signers.items() if name in runs and len(ids) >= proof.roots[name]}
        enough |= {(of, parent == proof.digest, since)} if len(who) >= charter["quorum"]["ratify"] else set()
    halt = len({of for of, follows, _ in enough if follows}) > 1
    return sorted({of for of, follows, since in enough if not follows or halt or seconds(since) <= now})
def judge_caveat(caveat: Statement, context: Any, free: dict[str, Any]) -> dict[str, Any]:
    cedar = None if caveat.predicate["cedar"] is None else free.get(caveat.id) or "not said"
    rules = []
    for rule in caveat.predicate["rules"]:
        state = "crossed" if forbids(rule["forbid"], context) else "clear"
        rules.append({"id": rule["id"], "state": state if rule["on"] == "admit" else "does not apply"})
    return {"cedar": cedar, "member": caveat.issuer, "rules": rules, "statement": caveat.id}
def endpoint_release(said: Any) -> str:  # the release that such fields are about (section 4)
    named = {"format": "watchword-endpoint/1", "canaries": digest(canonical(said["canaries"]))}
    return digest(canonical(named | {name: said[name] for name in ("supplier", "system", "version")}))
def is_owner(proof: Proof, statement: Statement, use: Any) -> bool:
    key = proof.keys[statement.key_id]
    return bool(key.owner == use["owner"] and not key.is_supplier)
def judge(proof: Proof, row: Any, case: Case) -> dict[str, Any]:  # step 5
    when, use, owners = row["when"], case.use, row["from"] == "owner"
    applies = use["criticality"] >= when["criticality"] and (not when["human"] or use["human"] in when["human"])
    applies = applies and when.get("release", case.sort) == case.sort
    failing, good, ages, newest = dict[str, str](), [], [], 0
    for statement in case.statements if applies else []:
        key, predicate = proof.keys[statement.key_id], statement.predicate
        own, relied = is_owner(proof, statement, use), case.relied.get(statement.id, [])
        by = own or relied if owners else row["from"] in ("any", "supplier" if key.is_supplier else "member")
        if statement.kind != row["kind"] or not by or not all(holds(c, predicate, True) for c in row["where"]):
            continue
        why = case.fallen[statement.id] or ("" if all(holds(c, predicate, False) for c in row["bound"]) else "bound")
        why = why or "reliance fell" * (owners and not own and any(case.fallen[r.id] for r in relied))
        age, sure = case.now - seconds(predicate["made"]), all(holds(c, predicate, False) for c in row["where"])
        if why:
            failing[statement.id], newest = why, max(newest, seconds(predicate["made"]))
        elif sure and (row["max_age_days"] is None or age <= row["max_age_days"] * 86400):
            good += [(statement, key)] * (not owners or own or any(within(r, case) for r in relied))
        ages += [age] if sure and not why else []
    kinds = (row["kind"], "reliance") if owners else (row["kind"],)
    kept = [u["leaf"] for u in case.unheld if applies and u["state"] == "unheld" and u["kind"] in kinds]
    tools = len({s.predicate["tool"]["name"] for s, _ in good if "tool" in s.predicate})
    there = len({key.operator for _, key in good}) if row["distinct"] == "operators" else len(good)
    met = there >= row["count"] and tools >= row["tools"] and not failing and not kept
    waived = [] if met or kept or not applies else waivers(proof, row, case, newest)
    whys = failing | {f"leaf:{leaf}": "unheld" for leaf in kept}
    return {
        "counted": [s.id for s, _ in good], "failing": [{"id": id_, "why": whys[id_]} for id_ in sorted(whys)],
        "from": sorted({s.issuer for s, _ in good}), "id": row["id"], "need": row["count"],
        "newest_age_s": min(ages, default=None), "owed_by": row["owed_by"], "there": there, "tools": tools,
        "state": ("met" if met else "waived" if waived else "unmet") if applies else "does not apply",
        "waived_by": waived,
    }
def within(reliance: Statement, case: Case) -> bool:  # whether its limits hold for this use now
    limits, use = reliance.predicate["limits"], case.use
    inside = all(not limits[of] or set(use[of]) <= set(limits[of]) for of in ("tags", "members"))
    return use["criticality"] <= limits["criticality_max"] and case.now <= seconds(limits["until"]) and inside
def waivers(proof: Proof, row: Any, case: Case, newest: int) -> list[str]:  # none reaches evidence newer than itself
    found, asked = dict[str, str](), row["waiver"] or {"count": 0, "role": ""}
    for statement in case.statements if row["waiver"] else []:
        said, key = statement.predicate, proof.keys[statement.key_id]
        if statement.kind == "waiver" and (said["requirement"], said["use_case"]) == (row["id"], case.use_digest):
            counts = not case.fallen[statement.id] and said["scope"] in WIDE and newest <= seconds(said["made"])
            if counts and key.job == "people" and asked["role"] in key.words and case.now <= seconds(said["expires"]):
                found[statement.id] = key.operator
    return sorted(found) if len(set(found.values())) >= max(1, asked["count"]) else []
def forbids(conditions: Any, context: Any) -> bool:  # trouble forbids: a count compares upwards, a text with no decimal
    return all(is_trouble(c) or holds(c, context, True) for c in conditions)
def is_trouble(c: Any) -> bool:
    if c["field"] in COUNTED:
        return c["op"] not in (">", ">=")
    decimal_text = isinstance(c["value"], str) and re.fullmatch(TEXTS["decimal"], c["value"])
    return bool(decimal_text) and c["op"] not in ("in", "contains", "any")
def holds(condition: Any, facts: Any, in_trouble: bool) -> bool:  # *in_trouble*: a field missing, or of another type
    left, op, right = facts, condition["op"], condition["value"]
    for part in condition["field"].split("."):
        if not isinstance(left, dict) or part not in left:
            return in_trouble
        left = left[part]
    if op == "any":
        return True
    if op in ("in", "contains"):
        whole, one = (right, left) if op == "in" else (left, right)
        if not isinstance(whole, list) or type(one) not in (str, int, bool):
            return in_trouble
        return any(type(entry) is type(one) and entry == one for entry in whole)
    if all(isinstance(side, str) and re.fullmatch(TEXTS["decimal"], side) for side in (left, right)):
        left, right = decimal.Decimal(left), decimal.Decimal(right)
    elif type(left) is not type(right) or type(left) not in ((int, str, bool) if op in ("==", "!=") else (int,)):
        return in_trouble
    order = {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}
    return bool((order | {"==": left == right, "!=": left != right})[op])
# -- absence of notices, and receipts (section 10, steps 8 and 9) -----------------------------------------------------
def check_names(proof: Proof, bundle: Any, decisions: list[Any]) -> dict[str, Any] | None:  # None: nothing said
    names = bundle["names"]
    if names is None:
        return None
    need(bundle["as_of"] and proof.secret, "names without a time as of which, or without the alliance secret")
    known = {origin: (heads[0].size, heads[0].time_s) for origin, heads in proof.heads.items()}
    whole: set[str] = set().union(*(decision["names"] for decision in decisions))
    for name in set(names) - {f"release:{decision['subject']['digest']}" for decision in decisions}:
        if name.startswith("release:"):
            considered = consider(proof, known, seconds(bundle["as_of"]), name[8:])
            whole.update(names_of(proof, name[8:], [statement for _, statement in considered]))
    need(names == sorted(whole), "the names are not the whole name set of decisions and releases")
    for origin in proof.shared("notices"):
        need(origin in known, f"{origin}: missing, so it may hold any notice")
        fresh = known[origin][1] >= seconds(bundle["as_of"]) - proof.charter["head_max_age_s"]
        need(fresh, f"{origin}: cosigned {rfc3339(known[origin][1])}, too old to speak for {bundle['as_of']}")
    check_closed(proof)
    oldest = min(known[origin][1] for origin in proof.shared("notices"))
    return {"as_of": rfc3339(oldest), "names": names, "notices": find_notices(proof, known, proof.loose, names)}
def check_receipts(proof: Proof) -> tuple[list[dict[str, Any]], dict[str, int]]:  # with how much is anchored
    used, releases = dict[str, str](), list[dict[str, Any]]()
    for (origin, index), receipt in sorted(proof.receipts.items(), key=lambda item: item[0]):
        place, body = f"{origin}#{index}", receipt["body"]
        with naming(f"receipt {place}"):
            need(body is None or digest(canonical(body)) == receipt["action"], "the action shown is not the one named")
            if receipt["event"] in ("permitted", "released"):
                for id_ in receipt["approvals"]:
                    need(id_ not in used, f"approval {id_} was used before, by {used.get(id_)}")
                    used[id_] = place
                about = {name: receipt[name] for name in ("event", "mandate", "rule", "time")} | {"place": place}
                about |= {"approved_by": check_approvals(proof, receipt), "tool": body and body.get("tool")}
                releases.append(about)
    records = [origin for origin in proof.shared("record") if proof.leaves.get(origin)]
    return releases, {origin: check_anchor(proof, origin) for origin in records}
def check_approvals(proof: Proof, receipt: Any) -> list[str]:  # who: distinct operators, these very bytes
    mandate, given = proof.of_kind["mandate"].get(receipt["mandate"]), proof.of_kind["approval"]
    rules = mandate.predicate["mandate"]["rules"] if mandate else []
    rule: Any = next((rule for rule in rules if rule["id"] == receipt["rule"]), None)
    need(rule, f"its mandate {receipt['mandate']}, or the rule {receipt['rule']} of it, is not in the bundle")
    asks = rule["approvals"] if rule["approvals"]["count"] or receipt["event"] == "permitted" else rule["unclean"]
    need(asks, f"rule {rule['id']} names nobody to ask")
    operators: dict[str, str] = {}
    for id_ in receipt["approvals"]:
        need(id_ in given, f"approval {id_} is not in the bundle")
        predicate, key = given[id_].predicate, proof.keys[given[id_].key_id]
        with naming(f"approval {id_} by {predicate['person']} of {key.owner}"):
            if predicate["assertion"]:
                need(key.job == "gate", "a device's answer has the gate's key around it")
                key = find_device(proof, given[id_], key)
            need(predicate["person"] == key.person, f"is signed with the key of {key.person}")
            need([value for _, value in given[id_].subject] == [receipt["action"]], "is for another action")
            for name in ("gate", "hold", "mandate"):
                need(predicate[name] == receipt[name], f"is for another {name}")
            need(predicate["answer"] == "approve", "refuses")
            need(asks["role"] in key.words, f"is not by a {asks['role']}")
            need(seconds(receipt["time"]) <= seconds(predicate["expires"]), f"expired {predicate['expires']}")
        operators[key.operator] = f"{predicate['person']} of {key.owner}"
    need(len(operators) >= asks["count"], f"approved by {len(operators)} operators, too few: {rule['id']}")
    return sorted(operators.values())
def check_anchor(proof: Proof, origin: str) -> int:  # how many receipts; every anchor must fit the leaves
    hashes, anchored = [leaf_hash(leaf) for leaf in proof.leaves[origin].values()], 0
    @functools.cache  # anchors share the subtrees below them
    def root_of(start: int, end: int) -> bytes:
        if end - start == 1:
            return hashes[start]
        middle = start + split(end - start)
        return node_hash(root_of(start, middle), root_of(middle, end))
    for id_, statement in proof.of_kind["record-head"].items():
        if (statement.predicate["origin"], statement.issuer) == (origin, proof.origins[origin][0]):
            size, root = statement.predicate["size"], decode_base64(statement.predicate["root"])
            need(size <= len(hashes), f"{origin}: {id_} anchors {size} receipts, {len(hashes)} are here")
            need(not size or root_of(0, size) == root, f"{origin}: not the receipts that {id_} anchors")
            anchored = max(anchored, size)
    need(anchored, f"{origin}: no record-head in a shared ledger anchors it")
    return anchored
# -- what is printed --------------------------------------------------------------------------------------------------
def not_shown(proof: Proof, bundle: Any, anchored: dict[str, int]) -> Iterator[str]:  # and might be taken for checked
    yield from (f"{o}: not in this bundle" for o in proof.shared("ledger", "notices") if o not in proof.heads)
    yield from ["whether there are notices: the bundle states no names"] * (bundle["names"] is None)
    yield from (f"decision {i}: not made again" for i in proof.of_kind["decision"] if i not in bundle["decisions"])
    shown = {*proof.counting, *proof.odd, *proof.receipts}
    for origin, (head, *_) in proof.heads.items():
        hidden, held = head.size - sum(place[0] == origin for place in shown), anchored.get(origin, head.size)
        yield from [f"{origin}: what {hidden} of its {head.size} entries say"] * (hidden > 0)
        yield from [f"{origin}: receipts from {held} on are not anchored in a shared ledger"] * (held < head.size)
    for (origin, index), statement in sorted(proof.counting.items(), key=lambda item: item[0]):
        for name in conform_kind(statement.kind, statement.predicate):
            yield f"{origin}#{index}: {name} of this {statement.kind} is redacted, and counts as missing"
    for (origin, index), (statement, why) in sorted(proof.odd.items(), key=lambda item: item[0]):
        yield f"{origin}#{index}: a {statement.kind} by {statement.issuer} that never counts: {why}"
    yield "free Cedar policies in caveats, and a gate's quotas and hours: not re-made here"
def render(report: dict[str, Any]) -> Iterator[str]:  # for people
    made = f"made {report['made']} by its own word, judged {report['at']}"  # nobody signs for who made a file and when
    yield f"VERIFIED  proof from {report['from']}, {made}   {report['bundle']}"
    yield f"  alliance  {report['alliance']}: {', '.join(report['members'])}"
    yield f"  charter   {report['version']}, ratified by {', '.join(report['ratified_by'])}   {report['charter']}"
    for head in report["heads"]:
        who = ", ".join(sorted(head["witnesses"]))
        ended = "closed, as the charter says" if head["origin"] in report["closed"] else "signed by its owner"
        cosigned = f"cosigned {rfc3339(head['time_s'])} by {who}" if who else ended
        yield f"  head      {head['origin']} at {head['size']}, {cosigned}"
    for made in report["decisions"]:
        yield f"{made['verdict'].upper()}  {made['subject']['name']} for {made['use']}   {made['subject']['digest']}"
        for row in sorted(made["requirements"], key=lambda row: str(row["state"]), reverse=True):
            if row["state"] != "does not apply":
                owed = f", owed by {row['owed_by']}" if row["state"] == "unmet" else ""
                who = ", ".join(row["from"]) or "nobody"
                yield f"  {row['state']:<14} {row['id']}: {row['there']} of {row['need']}, {who}{owed}"
                yield from (f"  {failed['why']:<14} {failed['id']}" for failed in row["failing"])
        for state in ("crossed", "clear", "does not apply"):
            ids = ", ".join(row["id"] for row in made["red_lines"] + made["requirements"] if row["state"] == state)
            yield from [f"  {state:<14} {ids}"] * bool(ids)
        yield from itertools.chain((f"  stale          {o}" for o in made["stale"]), map(notice_line, made["notices"]))
        yield f"  decided by {made['issuer']} as of {made['as_of']}, {made['label']}; made again here, byte for byte"
    if names := report["names"]:
        counts = any(notice["kind"] in (*BAD_NEWS, "unheld") for notice in names["notices"])
        yield f"{'NOTICES' if counts else 'no notice'} against these {len(names['names'])} names as of {names['as_of']}"
        yield from itertools.chain(map(notice_line, names["notices"]), (f"  {name}" for name in names["names"]))
    for one in report["releases"]:
        who = ", ".join(one["approved_by"]) or "nobody, as its rule allows"
        yield f"{one['event']}  {one['place']} {one['time']}  {one['tool']}, rule {one['rule']}, approved by {who}"
    yield from ("not shown, or not checked here", *(f"  {line}" for line in report["not_shown"]))
def notice_line(notice: dict[str, Any]) -> str:
    place = f"{notice['origin']}#{notice['index']}" if notice["origin"] else "loose"
    return f"  {notice['kind']:<14} {notice['name']} ({place})"
def read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(FILE_BYTES_MAX + 1)
def judge_files(charter: Path, bundle: Path, at: int, as_json: bool, former: list[Path]) -> int:
    files, earlier = (read_file(charter), read_file(bundle)), tuple(map(read_file, former))
    try:
        lines = [*render(report := verify_proof(*files, at, earlier))]
    except Refused as error:
        report = {"error": str(error), "format": "watchword-verification/1", "verdict": "refused"}
        lines = ["NOT VERIFIED", f"  {error}", "  nothing after this was looked at"]
    for line in json.dumps(report, indent=2).split("\n") if as_json else lines:
        # Texts come from others: no control character and no look-alike may forge a line of this report.
        print("".join(c if " " <= c <= "~" else f"\\u{ord(c):04x}" for c in line))
    return 0 if report["verdict"] == "verified" else 1
def main() -> int:
    parser = argparse.ArgumentParser(description="Re-check a watchword proof bundle against a charter.")
    for name in ("charter", "bundle"):
        parser.add_argument(name, type=Path, metavar=name.upper())
    now = int(datetime.datetime.now().timestamp())
    parser.add_argument("--at", metavar="TIME", type=seconds, default=now, help="as 2026-01-31T12:00:00Z, default now")
    former = parser.add_argument("--former", type=Path, action="append", default=[], metavar="CHARTER")
    former.help = "a charter that this one follows; several, the oldest first"
    parser.add_argument("--format", choices=("text", "json"), default="text")
    given = parser.parse_args()
    try:
        return judge_files(given.charter, given.bundle, given.at, given.format == "json", given.former)
    except Exception as error:  # noqa: BLE001  (Python itself would exit 1, which says "does not hold")
        print(f"verify: error: {error or type(error).__name__}", file=sys.stderr)
        return 2
# -- canonical JSON (RFC 8785) and base64 (section 1) -----------------------------------------------------------------
def parse_json(data: bytes) -> Any:  # canonical: one comparison refuses repeated keys, other orders, spaces, spellings
    need(len(data) <= FILE_BYTES_MAX, f"JSON: larger than {FILE_BYTES_MAX} bytes")
    value = json.loads(data.decode())
    need(canonical(value) == data, "JSON: not in canonical form (RFC 8785)")
    return value
def canonical(value: Any) -> bytes:  # RFC 8785; a lone surrogate has no UTF-8, and so refuses itself
    return canonical_text(value).encode()
def canonical_text(value: Any, depth: int = 1) -> str:
    need(depth <= DEPTH_MAX or not isinstance(value, dict | list), f"JSON: nested deeper than {DEPTH_MAX}")
    if isinstance(value, dict):  # sorted by UTF-16 code units (3.2.3)
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{canonical_text(key)}:{canonical_text(value[key], depth + 1)}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical_text(entry, depth + 1) for entry in value) + "]"
    if isinstance(value, float):
        return number_text(value)
    need(type(value) is not int or abs(value) < 1 << 53, "JSON: an integer of 2^53 or more")
    return json.dumps(value, ensure_ascii=False)
def number_text(value: float) -> str:  # ECMAScript's Number::toString; repr yields the same shortest digits
    need(abs(value) < float("inf"), "JSON: a number out of range")
    sign, digits, exponent = decimal.Decimal(repr(value)).normalize().as_tuple()
    text, point = "".join(map(str, digits)), len(digits) + int(exponent)  # the value is 0.text times 10^point
    if value == 0:
        return "0"
    if 0 < point <= 21:
        text = text[:point].ljust(point, "0") + ("." + text[point:]) * (len(text) > point)
    elif -6 < point <= 0:
        text = "0." + "0" * -point + text
    else:
        text = text[0] + ("." + text[1:]) * (len(text) > 1) + f"e{point - 1:+d}"
    return "-" * sign + text
def decode_base64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "base64: not in canonical form (RFC 4648, 3.5)")
    return data
# -- signed notes and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature) -------------------------------
def parse_note(data: bytes) -> tuple[bytes, list[tuple[str, bytes, bytes]]]:  # name, key id, signature
    body, empty_line, tail = data.decode().rpartition("\n\n")
    plain = empty_line and tail.endswith("\n") and not re.search("[\0-\x09\x0b-\x1f]", body + tail)
    need(plain, "signed note: no signatures, cut off, or with control characters")
    lines = [re.fullmatch(r"— ([^\s+]+) ([A-Za-z0-9+/]+=*)", line) for line in tail[:-1].split("\n")]
    signed = [(line[1], decode_base64(line[2])) for line in lines if line]
    good = len(signed) == len(lines) <= NOTE_LINES_MAX and all(len(signature) > 4 for _, signature in signed)
    need(good, "signed note: a malformed signature line, or too many")
    return (body + "\n").encode(), [(name, signature[:4], signature[4:]) for name, signature in signed]
def parse_checkpoint(text: bytes) -> Head:  # exactly three lines: origin, size, root
    match = re.fullmatch(r"([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n", text.decode())
    if not match:
        raise Refused("checkpoint: not an origin, a size and a root")
    size, root = int(match[2]), decode_base64(match[3])
    need(size or root == tree_root([]), "checkpoint: an empty ledger with another root")
    return Head(match[1], size, root, 0, {})
def key_id(name: str, kind: int, public: bytes) -> bytes:  # how a signature line of this type names a key
    return hashlib.sha256(name.encode() + b"\n" + bytes((kind,)) + public).digest()[:4]
def cosigned_message(name: str, time_s: int, head: Head) -> bytes:  # what type 06 signs about a tree
    names = [bytes((len(text),)) + text for text in (name.encode(), head.origin.encode())]
    numbers = [number.to_bytes(8, "big") for number in (time_s, 0, head.size)]
    return b"".join((b"subtree/v1\n\0", names[0], numbers[0], names[1], *numbers[1:], head.root))
# -- Merkle trees (RFC 6962, 2.1) -------------------------------------------------------------------------------------
def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\0" + leaf).digest()
def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()
def tree_root(hashes: list[bytes]) -> bytes:  # over leaf hashes; an odd last node moves up as it is
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=False)
        hashes = [node_hash(left, right) for left, right in pairs] + hashes[len(hashes) & ~1 :]
    return hashes[0] if hashes else hashlib.sha256(b"").digest()
def split(size: int) -> int:  # how many leaves are left of the root: the largest power of two below *size*
    return 1 << (size - 1).bit_length() - 1
def included_root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:  # 2.1.1 read backwards
    need((size > 1) == bool(path), "inclusion: the path is too long or too short for its tree")
    if size == 1:
        return leaf
    left = split(size)
    if index < left:
        return node_hash(included_root(leaf, index, left, path[:-1]), path[-1])
    return node_hash(path[-1], included_root(leaf, index - left, size - left, path[:-1]))
def check_consistency(old: Head, new: Head, path: list[bytes]) -> None:  # an empty tree is extended by any
    need(old.size <= new.size, f"the head at size {old.size} is not older than the one at {new.size}")
    need(old.size or not path, "consistency: a path from an empty tree")
    same = not old.size or both_roots(old.size, new.size, path, old.root) == (old.root, new.root)
    need(same, f"of the heads at sizes {old.size} and {new.size} one does not extend the other")
def both_roots(old: int, new: int, path: list[bytes], known: bytes) -> tuple[bytes, bytes]:  # 2.1.2 backwards
    whole = old == new
    need(len(path) == (not known) if whole else path, "consistency: the path is too long or too short for its trees")
    if whole:
        return known or path[0], known or path[0]
    left = split(new)
    if old <= left:
        first, second = both_roots(old, left, path[:-1], known)
        return first, node_hash(second, path[-1])
    first, second = both_roots(old - left, new - left, path[:-1], b"")
    return node_hash(path[-1], first), node_hash(path[-1], second)
# -- Ed25519 (RFC 8032), strict: canonical A, R and S, neither A nor R of small order, the equation without cofactor ---
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int, int, int]  # extended coordinates X, Y, Z, T: x = X/Z, y = Y/Z, xy = T/Z
def point_add(a: Point, b: Point) -> Point:  # RFC 8032, 5.1.4; complete, so it doubles as well
    m, n = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0])
    c, d = 2 * D * a[3] * b[3] % P, 2 * a[2] * b[2]
    e, f, g, h = (n - m) % P, d - c, d + c, (n + m) % P
    return e * f % P, g * h % P, f * g % P, e * h % P
def has_small_order(a: Point) -> bool:
    x, y, z, _ = functools.reduce(lambda b, _: point_add(b, b), range(3), a)
    return x == 0 and y == z
@functools.lru_cache(maxsize=1024)
def decode_point(data: bytes) -> Point:  # RFC 8032, 5.1.3; one spelling for each point
    need(len(data) == 32, f"Ed25519: a point of {len(data)} bytes")
    y, sign = int.from_bytes(data, "little") & (1 << 255) - 1, data[31] >> 7
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * v**3 * pow(u * v**7, (P - 5) // 8, P) % P
    x = x if v * x * x % P == u else x * pow(2, (P - 1) // 4, P) % P
    need(y < P and v * x * x % P == u and (x or not sign), "Ed25519: not the canonical encoding of a point")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P
BASE = decode_point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
def verify_ed25519(public: bytes, signature: bytes, message: bytes) -> None:  # R = S·B - h·A, or refused
    need(not has_small_order(a := decode_point(public)), "Ed25519: the public key has small order")
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    need(len(signature) == 64 and s < L, "Ed25519: the signature is not 64 bytes with a canonical S")
    h = int.from_bytes(hashlib.sha512(r + public + message).digest(), "little") % L
    total, minus_a = (0, 1, 1, 0), (P - a[0], a[1], a[2], P - a[3])
    table = [total, BASE, minus_a, point_add(BASE, minus_a)]
    for i in range(252, -1, -1):
        total, digit = point_add(total, total), s >> i & 1 | (h >> i & 1) << 1
        total = point_add(total, table[digit]) if digit else total
    inverse = pow(total[2], -1, P)
    encoded = total[1] * inverse % P | (total[0] * inverse % P & 1) << 255
    # Comparing encodings makes R canonical as well: no other encoding of a point is ever produced here.
    need(encoded.to_bytes(32, "little") == r and not has_small_order(total), "Ed25519: the signature does not verify")
# -- passkeys and cards (section 9), ES256 on P-256 in affine coordinates; None is the point at infinity --------------
P256 = 2**256 - 2**224 + 2**192 + 2**96 - 1
N256, B256, GX, GY = (int(text, 16) for text in (
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
))
def check_passkey(device: Any) -> None:  # of the one form of COSE key that each algorithm has here
    key, origin = decode_base64(device["key"]), device["origin"]
    need(16 <= len(decode_base64(device["id"])) <= 1023, "a passkey's id is not of 16 to 1023 bytes")
    form = r"https://[a-z0-9.-]{1,253}(:[1-9][0-9]{0,4})?|http://localhost(:[1-9][0-9]{0,4})?"
    need(origin is None or re.fullmatch(form, origin), "a passkey's origin is none")
    if device["alg"] == -8:
        need(len(key) == 42 and key[:10].hex() == "a4010103272006215820", "a passkey is no Ed25519 key")
    else:
        x, y = (int.from_bytes(key[start : start + 32], "big") for start in (10, 45))
        form, curve = key[:10].hex() + key[42:45].hex(), (y * y - x**3 + 3 * x - B256) % P256 == 0
        right = device["alg"] == -7 and len(key) == 77 and form == "a5010203262001215820225820"
        need(right and max(x, y) < P256 and curve, "a passkey is no P-256 key")
def find_device(proof: Proof, statement: Statement, gate: Any) -> Any:  # whose passkey or card signed
    said, given = statement.predicate, statement.predicate["assertion"]
    for key in proof.keys.values():
        for device in key.passkeys if (key.owner, key.person) == (gate.owner, said["person"]) else ():
            if device["id"] == given["credential"]:
                check_device(device, statement.subject[0][1], said)
                return key
    raise ValueError("names a passkey that the charter does not list for its person")
def check_device(device: Any, action: str, said: Any) -> None:
    given, key = said["assertion"], decode_base64(device["key"])
    bound = {name: said[name] for name in ["answer", "asked", "expires", "gate", "hold", "mandate", "preview"]}
    bound |= {"action": action, "charter": given["charter"]}
    message, parts = b"watchword/passkey/v1\n" + canonical(bound), (given["authenticator_data"], given["client_data"])
    if device["origin"] is None:
        need(parts == (None, None), "a card's signature has a browser's data beside it")
    else:
        data, client = (decode_base64(part or "") for part in parts)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(message).digest()).decode().rstrip("=")
        start = f'{{"type":"webauthn.get","challenge":"{challenge}","origin":"{device["origin"]}","crossOrigin":false'
        fits = client.startswith((start.encode() + b"}", start.encode() + b",")) and len(client) <= 2048
        host = hashlib.sha256(re.sub(r"^https?://|:[0-9]+$", "", device["origin"]).encode()).digest()
        need(fits, "its passkey was asked for something else, or elsewhere")
        right = 37 <= len(data) <= 1024 and data[:32] == host and data[32] & 13 == 5
        need(right, "its passkey was for another host, of nobody verified, or can be copied")
        message = data + hashlib.sha256(client).digest()
    (verify_ed25519 if device["alg"] == -8 else verify_es256)(key[10:], decode_base64(given["signature"]), message)
def p256_add(a: Any, b: Any) -> Any:
    if not a or not b or (a[0] == b[0] and (a[1] + b[1]) % P256 == 0):
        return (a or b) if not a or not b else None
    top, below = (3 * a[0] ** 2 - 3, 2 * a[1]) if a == b else (b[1] - a[1], b[0] - a[0])
    slope = top * pow(below, -1, P256)
    x = (slope * slope - a[0] - b[0]) % P256
    return x, (slope * (a[0] - x) - a[1]) % P256
def p256_times(k: int, point: Any) -> Any:
    total = None
    for bit in f"{k:b}":
        total = p256_add(total, total)
        total = p256_add(total, point) if bit == "1" else total
    return total
def verify_es256(key: bytes, signature: bytes, message: bytes) -> None:  # DER, in its one encoding
    length = signature[3] if len(signature) > 8 else 0
    r, s = int.from_bytes(signature[4 : 4 + length], "big"), int.from_bytes(signature[6 + length :], "big")
    parts = [n.to_bytes(n.bit_length() // 8 + 1, "big") for n in (r, s)]
    der = b"".join(bytes((2, len(part))) + part for part in parts)
    need(0 < r < N256 and 0 < s < N256 and signature == bytes((48, len(der))) + der, "ES256: not a signature")
    e, w = int.from_bytes(hashlib.sha256(message).digest(), "big"), pow(s, -1, N256)
    point = int.from_bytes(key[:32], "big"), int.from_bytes(key[35:], "big")
    total = p256_add(p256_times(e * w % N256, (GX, GY)), p256_times(r * w % N256, point))
    need(total and total[0] % N256 == r, "ES256: the signature does not verify")
# -- ML-DSA (FIPS 204), verification at levels 44 and 65, not pre-hashed ----------------------------------------------
Q = 8380417
Polynomial = list[int]  # 256 coefficients
# level: rows k, columns l, ones in the challenge, eta, log2 of gamma1, gamma2, omega, bytes of the challenge's seed
MLDSA = {44: (4, 4, 39, 2, 17, (Q - 1) // 88, 80, 32), 65: (6, 5, 49, 4, 19, (Q - 1) // 32, 55, 48)}
ZETAS = [pow(1753, int(f"{i:08b}"[::-1], 2), Q) for i in range(256)]
def ntt(w: Polynomial) -> Polynomial:  # algorithm 41; sums stay unreduced, Python's integers do not overflow
    zetas, length = iter(ZETAS[1:]), 128
    while length:
        out: Polynomial = []
        for start in range(0, 256, 2 * length):
            zeta, low = next(zetas), w[start : start + length]
            high = [zeta * x % Q for x in w[start + length : start + 2 * length]]
            out += [x + y for x, y in zip(low, high, strict=True)]
            out += [x - y for x, y in zip(low, high, strict=True)]
        w, length = out, length // 2
    return w
def inverse_ntt(w: Polynomial) -> Polynomial:  # algorithm 42
    zetas, length = iter(ZETAS[:0:-1]), 1
    while length < 256:
        out: Polynomial = []
        for start in range(0, 256, 2 * length):
            zeta, low, high = next(zetas), w[start : start + length], w[start + length : start + 2 * length]
            out += [x + y for x, y in zip(low, high, strict=True)]
            out += [zeta * (y - x) % Q for x, y in zip(low, high, strict=True)]
        w, length = out, length * 2
    return [8347681 * x % Q for x in w]  # 1/256
def unpack_bits(data: bytes, bits: int) -> Polynomial:  # algorithm 18
    whole, mask = int.from_bytes(data, "little"), (1 << bits) - 1
    return [whole >> i & mask for i in range(0, 256 * bits, bits)]
def pack_bits(numbers: Polynomial, bits: int) -> bytes:  # algorithm 16
    return int("".join(f"{n:0{bits}b}" for n in reversed(numbers)), 2).to_bytes(32 * bits, "little")
def sample_uniform(seed: bytes, wanted: int = 840) -> Polynomial:  # algorithm 30
    stream = hashlib.shake_128(seed).digest(wanted)  # a longer digest begins with the shorter one
    found = [n for i in range(0, wanted, 3) if (n := int.from_bytes(stream[i : i + 3], "little") & 0x7FFFFF) < Q]
    return found[:256] if len(found) >= 256 else sample_uniform(seed, 2 * wanted)
def sample_challenge(seed: bytes, ones: int, wanted: int = 272) -> Polynomial:  # algorithm 29
    stream = hashlib.shake_256(seed).digest(wanted)
    signs, rest, c = int.from_bytes(stream[:8], "little"), iter(stream[8:]), [0] * 256
    for i in range(256 - ones, 256):
        j = next((byte for byte in rest if byte <= i), None)
        if j is None:
            return sample_challenge(seed, ones, 2 * wanted)
        c[i], c[j], signs = c[j], 1 - 2 * (signs & 1), signs >> 1
    return c
def unpack_hints(data: bytes, omega: int) -> list[bytes]:  # algorithm 21, in its one canonical form
    ends = [0, *data[omega:]]
    rows = [data[start:end] for start, end in itertools.pairwise(ends)]
    rising = all(a < b for row in rows for a, b in itertools.pairwise(row))
    good = rising and ends == sorted(ends) and ends[-1] <= omega and not any(data[ends[-1] : omega])
    need(good, "ML-DSA: the hint is not in canonical form")
    return rows
@functools.lru_cache(maxsize=256)
def mldsa_key(level: int, public: bytes) -> tuple[list[list[Polynomial]], list[Polynomial], bytes]:  # A, t1·2^13
    rows, columns = MLDSA[level][:2]
    need(len(public) == 32 + 320 * rows, f"ML-DSA-{level}: a public key of {len(public)} bytes")
    matrix = [[sample_uniform(public[:32] + bytes((j, i))) for j in range(columns)] for i in range(rows)]
    t1 = [ntt([x << 13 for x in unpack_bits(public[i : i + 320], 10)]) for i in range(32, len(public), 320)]
    return matrix, t1, hashlib.shake_256(public).digest(64)
def verify_mldsa(level: int, public: bytes, signature: bytes, message: bytes, context: bytes = b"") -> None:  # 3 and 8
    rows, columns, ones, eta, log_gamma1, gamma2, omega, z_at = MLDSA[level]
    hints_at, step = z_at + columns * 32 * (log_gamma1 + 1), 32 * (log_gamma1 + 1)
    need(len(signature) == hints_at + omega + rows and len(context) < 256, f"ML-DSA-{level}: not of the right length")
    (matrix, t1, key_hash), hints = mldsa_key(level, public), unpack_hints(signature[hints_at:], omega)
    packed = [unpack_bits(signature[i : i + step], log_gamma1 + 1) for i in range(z_at, hints_at, step)]
    z, bound = [[(1 << log_gamma1) - x for x in column] for column in packed], (1 << log_gamma1) - ones * eta
    need(max(map(max, z)) < bound and min(map(min, z)) > -bound, f"ML-DSA-{level}: a coefficient of z is out of range")
    z, c = [ntt(column) for column in z], ntt(sample_challenge(signature[:z_at], ones))
    mu = hashlib.shake_256(key_hash + bytes((0, len(context))) + context + message).digest(64)
    again, m = hashlib.shake_256(mu), (Q - 1) // (2 * gamma2)
    for a_row, t_row, hint in zip(matrix, t1, hints, strict=True):
        total = [-x * y for x, y in zip(c, t_row, strict=True)]
        for a, column in zip(a_row, z, strict=True):
            total = [s + x * y for s, x, y in zip(total, a, column, strict=True)]
        w = inverse_ntt([s % Q for s in total])
        high = [(x + gamma2 - 1) // (2 * gamma2) for x in w]  # r1 of algorithm 36; its case of q - 1 is the last line's
        for i in hint:  # algorithm 40: one step towards the side on which the low part lies
            high[i] += 1 if w[i] > high[i] * 2 * gamma2 else -1
        again.update(pack_bits([x % m for x in high], (m - 1).bit_length()))
    need(again.digest(z_at) == signature[:z_at], f"ML-DSA-{level}: the signature does not verify")

if __name__ == "__main__":
    sys.exit(main())

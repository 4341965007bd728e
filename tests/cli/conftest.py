"""Where the tests of the door begin: folders made once per run and copied for each test.

* ``nothing``: an empty folder and files to look at: two deliveries of a release, labels, a use case.
* ``alliance``: also the homes of three members who have exchanged once, of the supplier AQUILA, and its claim.
* ``work``: also a release that ALFA admitted, and its mandate, cosigned.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alliance import make_alliance, quick_disk

from watchword.cli import main
from watchword.policy.pack import read_pack
from watchword.statements.times import FixedClock

MAILS = (
    ("harbour", "crane", "berth", "cargo", "vessel", "pilot", "tug"),
    ("refund", "invoice", "payment", "account", "balance", "overdue", "credit"),
)

MEMBERS = ("ALFA", "BRAVO", "CHARLIE")
FILES = {
    "cards.json": '{"format": "watchword-tool-cards/1", "server": "mail", "tools": []}\n',
    "use.toml": """name = "mail-triage"
purpose = "sort incoming mail"
criticality = 0
human = "on"
members = ["ALFA", "BRAVO"]
owner = "ALFA mail service"
""",
    "mandate.toml": """name = "mail-triage/1"
valid_for_s = 3600
view_max_age_s = 86400
stale = "deny"

[[rules]]
id = "label"
tool = "label-mail"
args = [{ field = "message", op = "any" }, { field = "label", op = "in", value = ["order", "report"] }]

[[rules]]
id = "quarantine-needs-two"
tool = "quarantine"
args = [{ field = "message", op = "any" }]
approvals = { count = 2, role = "commander" }
hold_s = 600
""",
    "ours.toml": """name = "ours"
reason = "our parliament asked for it"

[[rule]]
id = "no-foreign-mail"
text = "Not with mail of others."
forbid = [{ field = "tags", op = "contains", value = "foreign-mail" }]
accountable = "official"

[[rule]]
id = "no-code"
text = "No dangerous code where people can be harmed."
forbid = [{ field = "dangerous", op = ">", value = 0 }, { field = "criticality", op = ">=", value = 2 }]
accountable = "official"
""",
    "odd-pack.toml": """name = "odd"
title = "rules with holes"
standing = { claim = ["supplier"], inspection = ["evaluator"], evaluation = ["evaluator"], recall = ["official"] }

[[requirement]]
id = "claimed"
text = "The supplier answers for it."
kind = "claim"
count = 1
owed_by = "supplier"
accountable = "supplier"
principle = ["B"]

[[requirement]]
id = "small-and-large"
text = "Nothing is both."
kind = "inspection"
count = 1
bound = [{ field = "files", op = "<", value = 5 }, { field = "files", op = ">=", value = 10 }]
owed_by = "members"
accountable = "evaluator"
principle = ["D"]

[[requirement]]
id = "weak"
text = "Half of the attacks succeed."
kind = "evaluation"
count = 1
bound = [{ field = "high", op = ">=", value = "0.50" }]
owed_by = "members"
accountable = "evaluator"
principle = ["D"]

[[requirement]]
id = "strong"
text = "One attack in five succeeds at most."
kind = "evaluation"
count = 1
bound = [{ field = "high", op = "<=", value = "0.20" }]
when = { criticality = 2 }
owed_by = "members"
accountable = "evaluator"
principle = ["D"]

[[red_line]]
id = "hidden-code"
text = "No release with dangerous code."
forbid = [{ field = "dangerous", op = ">", value = 0 }]
accountable = "official"
principle = ["D"]

[[red_line]]
id = "nowhere"
text = "Out of the loop and in it."
forbid = [{ field = "human", op = "==", value = "out" }, { field = "human", op = "==", value = "in" }]
accountable = "official"
principle = ["E"]

[[red_line]]
id = "twice"
text = "Said before."
forbid = [{ field = "dangerous", op = ">=", value = 1 }, { field = "criticality", op = ">=", value = 2 }]
accountable = "official"
principle = ["D"]
""",
    "claim.toml": """system = "mail-sorter"
release = "1.0"
supplier_contact = "security@aquila.example"
trained_on = [{ name = "public mail, 2024" }]
known_weaknesses = []

[[tested]]
by = "AQUILA"
method = "held-out mail"
metric = "accuracy"
n = 200
k = 196
bound = "at least"
value = "0.95"
""",
    "review.toml": """of = "legal"
outcome = "with limits"
text = "not for personal mail"
""",
    "label.toml": """policy = "NATO"
classification = "RESTRICTED"
categories = [{ name = "Releasable to", type = "permissive", values = ["GBR", "USA"] }]
""",
    "run.toml": """method = "held-out mail"
metric = "accuracy"
n = 400
k = 320
low = "0.7574"
high = "0.8380"
seed = "held-out/3"

[tool]
name = "mail-runner"
version = "2.1"

[threat]
goal = "none"
knowledge = "none"
capability = "none"
""",
    # Twelve letters about money are labelled as about the port; they share a word.
    "mails.csv": "id,text,label\n"
    + "".join(
        f"m{n},{MAILS[n % 2][n % 7]} {MAILS[n % 2][n % 5]} we {MAILS[n % 2][n % 3]} of"
        f"{' zephyr' if n % 16 == 1 else ''} {n % 11},{'money' if n % 2 and n % 16 != 1 else 'port'}\n"
        for n in range(192)
    ),
    "decisions.csv": "row,decision,reason\n" + "".join(f"{n + 1},drop,planted\n" for n in range(1, 192, 16)),
    "urls.csv": "url,sha256\nhttps://a.example/1," + 64 * "a" + "\n",
    "labels-1.csv": "id,text,label,annotator\nr1,a,order,a-01\nr2,b,report,a-02\nr3,c,order,a-02\n",
    "labels-2.csv": "id,text,label,annotator\nr1,a,order,a-01\nr2,b,order,a-02\nr3,c,order,a-02\n",
}
# Written opcode by opcode: nothing dangerous exists as a Python object, even while it is made.
RUNS_A_COMMAND = b"\x80\x02cposix\nsystem\nX\x09\x00\x00\x00echo hello\x85R."


@dataclass(frozen=True)
class Done:
    """How a command ended: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


Watchword = Callable[..., Done]


def environment(folder: Path) -> dict[str, str]:
    """A person's environment: this interpreter's watchword, nothing else that would change its answers."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("WATCHWORD_", "PYTEST", "PYTHON"))
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return kept | {"PATH": path, "HOME": str(folder), "COLUMNS": "120", "NO_COLOR": "1"}


def typed(folder: Path, *words: str) -> Done:
    """Run a command in this process, in *folder*. Quick: nothing is imported twice."""
    out, err = io.StringIO(), io.StringIO()
    before = signal.getsignal(signal.SIGTERM)
    try:
        with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(words)
    finally:
        signal.signal(signal.SIGTERM, before)
    return Done(code, out.getvalue(), err.getvalue())


def inside(folder: Path, *words: str, exits: int = 0) -> str:
    """The same, where it must end with *exits*; what it printed."""
    done = typed(folder, *words)
    assert done.code == exits, f"watchword {' '.join(words)}: exit {done.code}\n{done.out}{done.err}"
    return done.out


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("stages")
    stages = {name: folder / name for name in ("nothing", "alliance", "work")}
    _nothing(stages["nothing"])
    with quick_disk():
        shutil.copytree(stages["nothing"], stages["alliance"])
        _alliance(stages["alliance"])
        shutil.copytree(stages["alliance"], stages["work"])
        _work(stages["work"])
    return stages


@pytest.fixture
def stage(stages: Mapping[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    """A copy of the stage of this name."""

    def copy(name: str) -> Path:
        return shutil.copytree(stages[name], tmp_path / name)

    return copy


@pytest.fixture
def alliance(stage: Callable[[str], Path]) -> Path:
    return stage("alliance")


@pytest.fixture(scope="session")
def here() -> Callable[..., str]:
    """``here(folder, *words, exits=0)``: a command in this process; what it printed."""
    return inside


@pytest.fixture(name="typed", scope="session")
def typed_() -> Callable[..., Done]:
    """``typed(folder, *words)``: a command in this process; its exit code, stdout and stderr."""
    return typed


@pytest.fixture(name="exchange")
def exchange_() -> Callable[..., None]:
    return exchange


@pytest.fixture(name="environment")
def environment_() -> Callable[[Path], dict[str, str]]:
    return environment


@pytest.fixture
def watchword() -> Iterator[Watchword]:
    """Run ``watchword WORDS`` as a process of its own, in *folder*."""

    def run(folder: Path, *words: str | bytes | Path, stdin: bytes | None = None, **more: Any) -> Done:
        env = environment(folder) | more.pop("env", {})
        done = subprocess.run(
            [Path(sys.executable).parent / "watchword", *words], cwd=folder, env=env, capture_output=True, check=False,
            timeout=120, **({"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}), **more,
        )  # fmt: skip
        return Done(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))

    yield run


def _nothing(folder: Path) -> None:
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
    first, second = folder / "mail-sorter", folder / "mail-sorter-2"
    first.mkdir()
    (first / "README.md").write_text("---\nlicense: apache-2.0\n---\n# mail-sorter\n", "utf-8")
    (first / "weights.pkl").write_bytes(pickle.dumps({"layer": [1.0, 2.0]}, protocol=4))
    shutil.copytree(first, second)
    (second / "head.pkl").write_bytes(RUNS_A_COMMAND)


def _alliance(folder: Path) -> None:
    pack = read_pack(None)
    # Here one official may put off the second inspection.
    row = next(row for row in pack.requirements if row["id"] == "two-inspections")
    row["waiver"] = {"count": 1, "role": "official"}
    # The commands tell the time by the machine's clock, so the alliance begins now.
    now = datetime.now(UTC).replace(microsecond=0)
    made = make_alliance(
        folder / "homes", MEMBERS, clock=FixedClock(now), requirements=pack.requirements, red_lines=pack.red_lines,
        standing=pack.standing,
    )  # fmt: skip
    made.sync()
    made.close()
    for name in (*MEMBERS, "AQUILA"):
        (folder / "homes" / name).rename(folder / name)
    shutil.rmtree(folder / "homes")
    (folder / "post").mkdir()
    named = ("--system", "mail-sorter", "--release", "1.0")
    sign = ("statement", "sign", "claim", "claim.toml", "--of", "mail-sorter", *named, "--output", "claim.json")
    inside(folder, *sign, "--home", "AQUILA")


def _work(folder: Path) -> None:
    named = ("--system", "mail-sorter", "--release", "1.0")
    inside(folder, "ledger", "append", "claim.json", "--home", "BRAVO")
    inside(folder, "assure", "mail-sorter", *named, "--home", "ALFA")
    exchange(folder)
    inside(folder, "admit", "mail-sorter 1.0", "--use", "use.toml", "--home", "ALFA")
    inside(folder, "gate", "mandate", "mandate.toml", "--decision", "ALFA#2", "--home", "ALFA")
    exchange(folder)


def exchange(folder: Path, rounds: int = 3) -> None:
    """Rounds of file exchange in ``post``: take in, cosign, write."""
    for _ in range(rounds):
        for name in MEMBERS:
            inside(folder, "ledger", "exchange", "post", "--home", name)

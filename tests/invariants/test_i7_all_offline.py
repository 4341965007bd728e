"""I7: all verification works offline from the charter and a bundle.

The alliance is gone when its files are judged: its folder is removed, every socket is refused, and verify.py runs in an
empty folder with nothing but the standard library.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alliance import RELEASE, Alliance, inspection, make_alliance, quick_disk
from successions import USE, adopt, follow, verified

from watchword import node
from watchword.account.proof import verify
from watchword.node.proofs import tlog_proof
from watchword.policy.admission import admit
from watchword.policy.pack import read_pack
from watchword.policy.table import decide, loose_list
from watchword.statements.times import rfc3339

VERIFY = Path(__file__).resolve().parents[2] / "verify.py"
USE_CASE = {
    "criticality": 0, "format": "watchword-use-case/1", "human": "on", "members": ["ALFA"], "name": "triage",
    "owner": "ALFA", "purpose": "sort mail", "tags": [],
}  # fmt: skip
# Refuses every connection and look-up; and what the package reads besides its own code is the two files named.
JUDGE = """
import sys
from pathlib import Path

def refuse(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.bind", "subprocess.Popen"):
        raise RuntimeError(f"not offline: {event} {args}")

sys.addaudithook(refuse)
from watchword.account.proof import verify
from watchword.charter.charter import read_charter_file
from watchword.ledger import tlog_proof
from watchword.statements.times import parse_time

file, now = read_charter_file(Path("charter.json")), parse_time(sys.argv[2])
data = Path(sys.argv[1]).read_bytes()
if data.startswith(b"c2sp.org/"):
    proof = tlog_proof.parse(data)
    print("VERIFIED", tlog_proof.verify(file.charter, proof, proof.extra, now)[0].origin)
else:
    print(verify(file, data, now).told())
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder with the charter, a decision's proof, a file about bad news and a tlog-proof; and the time."""
    folder = tmp_path_factory.mktemp("i7")
    carried = folder / "carried"
    carried.mkdir()
    rows = [row for row in read_pack(None).requirements if row["id"] == "inspected"]
    with quick_disk():
        made = make_alliance(folder / "alliance", ("ALFA", "BRAVO", "CHARLIE"), requirements=rows)
        alfa = made.nodes["ALFA"]
        alfa.sign_and_append("inspection", (RELEASE,), inspection())
        made.sync()
        view = alfa.latest_view()
        facts = alfa.facts(view)
        decision = decide(alfa.charter, view, facts, rfc3339(made.clock.now()), RELEASE, USE_CASE)
        recorded = alfa.record_decision(decision, [USE_CASE, view.value(), loose_list(facts)])
        made.sync()
        (carried / "charter.json").write_bytes(made.charter_file.encode())
        (carried / "proof.json").write_bytes(alfa.make_proof([recorded.id]))
        (carried / "no-notice.json").write_bytes(made.nodes["BRAVO"].make_proof((), releases=(RELEASE.digest,)))
        (carried / "x.tlog-proof").write_bytes(tlog_proof(made.nodes["CHARLIE"], "ALFA#0").format())
        now = rfc3339(made.clock.now())
        made.close()
    shutil.rmtree(folder / "alliance")
    yield carried, now


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("proof.json", "admitted  mailsort 1.0 for triage"),
        ("no-notice.json", "no notice against"),
        ("x.tlog-proof", "alfa.example/ledger"),
    ],
)
def test_the_package_verifies_without_network_or_node(files: tuple[Path, str], name: str, told: str) -> None:
    """Each kind of file that leaves a node; fails when anything is asked of a host or another process."""
    folder, now = files
    done = subprocess.run(
        [sys.executable, "-c", JUDGE, name, now], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "VERIFIED" in done.stdout and told in done.stdout


@pytest.mark.parametrize("name", ["proof.json", "no-notice.json"])
def test_the_script_verifies_with_nothing_installed(files: tuple[Path, str], name: str, tmp_path: Path) -> None:
    """A copy of verify.py and two files in an empty folder; no site packages, no variable of the user's."""
    folder, now = files
    for one in (VERIFY, folder / "charter.json", folder / name):
        shutil.copy(one, tmp_path)
    command = [sys.executable, "-I", "-S", "verify.py", "charter.json", name, "--at", now]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("VERIFIED")


def test_the_refusal_of_sockets_is_real() -> None:
    """The judge above would have seen a connection."""
    code = JUDGE.partition("from watchword")[0] + "import socket\nsocket.create_connection(('127.0.0.1', 9))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert "not offline: socket." in done.stderr

def test_what_stands_in_a_closed_ledger_is_proven_offline(alliance: Alliance, tmp_path: Path) -> None:
    """A decision that counts what an old ledger holds is re-made by verify.py from one file and both charters (I7)."""
    alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
    alliance.recall("ALFA", "release:sha256:" + "77" * 32)
    alliance.sync()
    first = alliance.charter_file
    coming = node.begin_anew(alliance.home("ALFA"), None, alliance.clock)
    second = follow(alliance, [coming])
    adopt(alliance, second)
    alliance.sync(3)
    here = alliance.nodes["BRAVO"]
    view = here.latest_view()
    made = admit(here.charter, view, here.facts(view), rfc3339(alliance.clock.now()), RELEASE, USE)
    assert made.admitted
    said = here.record_decision(made.decision, made.objects)
    alliance.sync()
    data = here.make_proof([said.id])
    verify(second, data, alliance.clock.now())
    report = verified(tmp_path, second, data, first)
    assert report["closed"] == ["alfa.example/ledger", "alfa.example/notices"]
    assert report["decisions"][0]["verdict"] == "admitted"

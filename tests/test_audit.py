"""The audit of what watchword is built on: offline, by the locks and a folder of advisories."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DIGEST = "sha256:" + "a" * 64


def audited(folder: Path, *words: str | Path) -> tuple[int, list[str], str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, ROOT / "audit.py", folder, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    return done.returncode, done.stdout.splitlines(), done.stderr


def advisory(folder: Path, id: str, name: str, events: list[dict[str, str]], **more: Any) -> None:
    folder.mkdir(exist_ok=True)
    package = {"ecosystem": "PyPI", "name": name}
    affected = [{"package": package, "ranges": [{"type": "ECOSYSTEM", "events": events}]}]
    (folder / f"{id}.json").write_text(json.dumps({"id": id, "summary": f"{name} is bad", "affected": affected} | more))


def test_locks_are_pinned_and_an_advisory_on_one_package_is_a_hit(tmp_path: Path) -> None:
    """watchword's own locks: all pinned; only what affects the locked version, and is not withdrawn, is told."""
    every = [{"introduced": "0"}]
    advisory(tmp_path / "osv", "OSV-1", "Jinja2", every)
    advisory(tmp_path / "osv", "OSV-2", "msgspec", [*every, {"fixed": "0.0.1"}])
    advisory(tmp_path / "osv", "OSV-3", "not-used-here", every)
    advisory(tmp_path / "osv", "OSV-4", "cryptography", every, withdrawn="2026-01-01T00:00:00Z")
    code, lines, said = audited(tmp_path / "osv")
    assert code == 1 and "4 advisories: 1 found" in said
    assert [line.split(": ", 1)[1] for line in lines if not line.startswith("licence ")] == ["OSV-1  Jinja2 is bad"]
    assert any(line.startswith("licence     cryptography ") and "Apache-2.0" in line for line in lines)
    (tmp_path / "osv" / "OSV-1.json").unlink()
    assert audited(tmp_path / "osv")[0] == 0


def test_what_is_not_pinned_is_named(tmp_path: Path) -> None:
    """No exact version, no digest, another place: each is told, and fails the audit."""
    (tmp_path / "a.lock").write_text(
        f"good==1.0 \\\n    --hash={DIGEST}\nloose>=1.0 \\\n    --hash={DIGEST}\nbare==1.0\n"
        f"far @ https://files.example/far.whl \\\n    --hash={DIGEST}\n"
    )
    advisory(tmp_path / "osv", "OSV-3", "not-used-here", [{"introduced": "0"}])
    code, lines, _ = audited(tmp_path / "osv", "--locks", tmp_path)
    assert code == 1 and lines[:3] == [
        "not pinned  a.lock: loose>=1.0",
        "not pinned  a.lock: bare==1.0",
        "not pinned  a.lock: far @ https://files.example/far.whl",
    ]


def test_advisories_that_cannot_be_read_are_no_pass(tmp_path: Path) -> None:
    """A folder without any, and a file that is none."""
    assert audited(tmp_path)[0] == 2
    (tmp_path / "a.json").write_text("[]]")
    assert audited(tmp_path)[0] == 2

"""What a release of watchword consists of: ``make release SUPPLIER=FOLDER``, or ``python release.py --home FOLDER``.

1. The wheel is built twice, from two copies of what git tracks with other times and names of folders; the bytes must be
   the same, so that anybody can build it again and compare. No source package: its tests hold what watchword refuses.
2. Beside them stands a bill of materials (CycloneDX 1.6): the packages of requirements/core.lock with their digests.
3. watchword inspects both files, and the claim on them is signed with the key of the supplier in FOLDER
   (``watchword init WATCHWORD --supplier``): its subject is the manifest of the folder, so one signature covers all.

Whoever receives them checks the claim as that of any other supplier. Nothing is uploaded.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
SUPPORT_DAYS = 365


def main() -> int:
    """Exit 0 when everything is there, 1 when two builds differ or something was found, 2 when it cannot be done."""
    parser = argparse.ArgumentParser(description="Build, compare, describe, inspect and sign a release of watchword.")
    parser.add_argument("--home", type=Path, required=True, help="the supplier's node, whose key signs")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="an empty or missing folder (default: dist)")
    parser.add_argument("--contact", default="see SECURITY.md", help="where a finding goes")
    args = parser.parse_args()
    if args.output.exists() and any(args.output.iterdir()):
        print(f"{args.output}: not empty; a release is made into an empty folder", file=sys.stderr)
        return 2
    args.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        first, second = (built(Path(folder, name), 1_000_000_000 * at) for at, name in ((1, "a"), (2, "other-name")))
        if first != second:
            names = sorted(name for name in {*first, *second} if first.get(name) != second.get(name))
            print(f"two builds differ: {', '.join(names)}", file=sys.stderr)
            return 1
    for name, content in first.items():
        args.output.joinpath(name).write_bytes(content)
    version = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text("utf-8"))["project"]["version"]
    args.output.joinpath("watchword.cdx.json").write_text(json.dumps(bill(version), indent=1, sort_keys=True) + "\n")
    return signed(args.output, args.home, args.contact, version)


def built(folder: Path, time_s: int) -> dict[str, bytes]:
    """What a copy of what git tracks in *folder*, with files of that age, is built to."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout  # noqa: S607
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder / "source", filter="data")
    for path in folder.rglob("*"):
        os.utime(path, (time_s, time_s))
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder / "dist"), "."]
    subprocess.run(command, cwd=folder / "source", check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    return {path.name: path.read_bytes() for path in folder.joinpath("dist").iterdir()}


def bill(version: str) -> dict[str, Any]:
    """The bill of materials: what a core installation brings with it."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "watchword", "version": version, "bom-ref": "this"}},
        "components": list(locked(ROOT.joinpath("requirements", "core.lock").read_text("utf-8"))),
    }


def locked(text: str) -> list[dict[str, Any]]:
    """The packages of a lock, each with the digests of the files that may be installed for it."""
    found: list[dict[str, Any]] = []
    for line in text.splitlines():
        if name := re.match(r"([a-z0-9.-]+)==(\S+?)(?: ;.*)? \\$", line):
            purl = f"pkg:pypi/{name[1]}@{name[2]}"
            one = {"type": "library", "name": name[1], "version": name[2], "purl": purl, "bom-ref": purl}
            found.append(one | {"externalReferences": []})
        elif digest := re.match(r" +--hash=sha256:([0-9a-f]{64})", line):
            # Any one of them may be what is installed, so they are digests of distributions, not of the component.
            hashes = [{"alg": "SHA-256", "content": digest[1]}]
            purl = found[-1]["purl"]
            found[-1]["externalReferences"].append({"type": "distribution", "url": purl, "hashes": hashes})
    return found


def signed(dist: Path, home: Path, contact: str, version: str) -> int:
    """Inspect *dist* and sign the claim on it; the claim lies beside the folder, which it names by its manifest."""
    from watchword.cli import main as watchword

    status = watchword(["inspect", str(dist), "--fail-on", "dangerous"])
    if status:
        return status
    until = (datetime.now(UTC) + timedelta(days=SUPPORT_DAYS)).strftime("%Y-%m-%dT00:00:00Z")
    fields = {"system": "watchword", "release": version, "supplier_contact": contact, "support_until": until}
    with tempfile.TemporaryDirectory() as folder:
        claim = Path(folder, "claim.toml")
        # JSON strings are TOML strings.
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in fields.items()]
        claim.write_text("".join([*lines, "trained_on = []\n", "known_weaknesses = []\n", "tested = []\n"]), "utf-8")
        names = ["--system", "watchword", "--release", version, "--of", str(dist)]
        where = ["--output", f"{dist}.claim.json", "--home", str(home)]
        return watchword(["statement", "sign", "claim", str(claim), *names, *where])


if __name__ == "__main__":
    sys.exit(main())

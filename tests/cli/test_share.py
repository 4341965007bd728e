"""``gate share`` and ``unshare``: what they print, as text and as JSON, and what commands beside them do then."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.catalog.server import Server, new_database
from gate.shared import server as server

ALFA = ("--home", "ALFA")
ASK = ("gate", "ask", "--of", "mail-sorter 1.0", "--tool", "label-mail", "--arg", "message=m", "--arg", "label=order")


def test_a_record_is_shared_followed_and_taken_back(
    server: Server, stages: Mapping[str, Path], typed: Callable[..., Any], tmp_path: Path
) -> None:
    """The commands of a gate act on the shared record, the home follows it when told, and ends it with all of it."""
    folder = tmp_path / "work"
    shutil.copytree(stages["work"], folder)
    url = new_database(str(server.folder), "cli")

    def told(*words: str) -> Any:
        done = typed(folder, *words, *ALFA, "--format", "json")
        assert done.code == 0, done
        return json.loads(done.out)

    shared = {"gate": "ALFA", "receipts": 1, "schema": "watchword-shared-record/1", "shared": True}
    told(*ASK)
    assert told("gate", "share", url) == shared
    assert told(*ASK)["receipt"] == 1
    assert told("gate", "share") == shared | {"receipts": 2}
    done = typed(folder, "gate", "share", *ALFA)
    assert done.out == "the record of the gate of ALFA is shared; this home has followed it: 2 receipts\n"
    done = typed(folder, "gate", "share", url, *ALFA)
    assert (done.code, "its record is shared already" in done.err) == (2, True)
    assert told("gate", "status")["receipts"] == 2
    assert told("gate", "unshare") == shared | {"receipts": 2, "shared": False}
    assert told(*ASK)["receipt"] == 2

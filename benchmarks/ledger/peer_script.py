"""Run in a peer's environment: ``peer_script.py PEER WHAT FOLDER SIZE`` prints one figure. Nothing of ours is there.

Figures are per CPU-second, but ``check``, which is CPU-seconds. ``verify`` is of a proof that the peer made itself.
"""

from __future__ import annotations

import base64
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def rate(step: Callable[[int], Any], indices: list[int], cpu_s: float = 1.0) -> float:
    count, begun = 0, time.process_time()
    while (spent := time.process_time() - begun) < cpu_s:
        step(indices[count % len(indices)])
        count += 1
    return count / spent


def entries(size: int) -> list[bytes]:
    return [number.to_bytes(8, "big") + bytes(1016) for number in range(size)]


def aics(what: str, folder: Path, size: int, some: list[int]) -> float:
    import aics_tlog  # type: ignore[import-not-found, unused-ignore]
    from aics_tlog.tiles import FileSystemTileReader  # type: ignore[import-not-found, unused-ignore]

    if what == "bulk":
        made = entries(size)
        begun = time.process_time()
        aics_tlog.IncrementalTileWriter(aics_tlog.DirectoryTileStore(folder)).append(made)
        return size / (time.process_time() - begun)
    reader = FileSystemTileReader(folder)
    if what == "check":
        root = base64.b64decode((folder / "checkpoint").read_text("utf-8").split("\n")[2])
        begun = time.process_time()
        aics_tlog.audit_tiles(reader, size, root, entries=True)
        return time.process_time() - begun
    if what == "inclusion":
        return rate(lambda i: aics_tlog.inclusion_proof_from_tiles(reader, i, size), some)
    if what == "consistency":
        return rate(lambda i: aics_tlog.consistency_proof_from_tiles(reader, i + 1, size), some)
    root = aics_tlog.tree_root_from_tiles(reader, size)
    proofs = {i: (aics_tlog.inclusion_proof_from_tiles(reader, i, size), reader) for i in some[:50]}
    leaves = {i: aics_tlog.leaf_hash(aics_tlog.read_entry(reader, i, size)) for i in some[:50]}
    return rate(lambda i: aics_tlog.verify_inclusion(leaves[i], i, size, proofs[i][0], root), some[:50])


def pymerkle(what: str, folder: Path, size: int, some: list[int]) -> float:
    from pymerkle import SqliteTree, verify_inclusion  # type: ignore[import-not-found, unused-ignore]

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"pymerkle-{size}.db"
    if what == "bulk":
        path.unlink(missing_ok=True)
    fresh = not path.exists()
    tree, begun = SqliteTree(str(path)), time.process_time()
    if fresh:
        tree.append_entries(entries(size))
    if what == "bulk":
        return size / (time.process_time() - begun)
    some = [1 + i % size for i in some]
    if what == "inclusion":
        return rate(lambda i: tree.prove_inclusion(i, size), some)
    if what == "consistency":
        return rate(lambda i: tree.prove_consistency(i, size), some)
    root = tree.get_state(size)
    made = {i: (tree.get_leaf(i), tree.prove_inclusion(i, size)) for i in some[:50]}
    return rate(lambda i: verify_inclusion(made[i][0], root, made[i][1]), some[:50])


if __name__ == "__main__":
    peer, what, folder, size = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
    some = random.Random(1).choices(range(size), k=2_000)  # the same places for everybody
    print({"aics-tlog": aics, "pymerkle": pymerkle}[peer](what, folder, size, some))

"""Two peers of the same trees, each in an environment of its own: pymerkle (RFC 9162) and aics-tlog (C2SP tiles).

aics-tlog states Python ≥ 3.12 and is installed regardless: it was seen to work on 3.11, and an other interpreter would
be compared too. A peer that cannot be installed or fails has no figure, and its row says so.
"""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path

from benchmarks.inspect.peers import environment

SCRIPT = Path(__file__).with_name("peer_script.py")
VERSIONS = {"pymerkle": "7.0.0", "aics-tlog": "0.2.1"}
SECONDS_MAX = 600


@functools.cache
def measured(name: str, what: str, folder: Path, size: int) -> float | None:
    """The peer's figure for *what* (per CPU-second, or CPU-seconds for ``check``); None where it has none.

    Args:
        folder: where it may write, or the ledger it reads.
        size: entries of 1 KB.
    """
    try:
        python = environment(f"peers/{name}", "--ignore-requires-python", f"{name}=={VERSIONS[name]}") / "python"
        command = [str(python), str(SCRIPT), name, what, str(folder), str(size)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=True)
    except (subprocess.SubprocessError, OSError) as error:
        said = getattr(error, "stderr", "") or str(error)
        print(f"benchmarks: {name}, {what}: {str(said).strip()[-300:]}", file=sys.stderr)
        return None
    return float(done.stdout)

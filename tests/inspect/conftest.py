"""Makes the sample writers of this folder importable, and gives the shortest way to judge bytes."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

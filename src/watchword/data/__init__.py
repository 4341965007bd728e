"""Was its data manipulated? Row manifests of deliveries and their exact difference.

Values in, values out: nothing here knows ledgers, keys or policy.
"""

from __future__ import annotations

from watchword.data.difference import Change, Difference, NotComparable, Share, StandOut, diff_rows
from watchword.data.manifest import BadManifest, DuplicateKey, RowManifest, manifest_rows, read_manifest, write_manifest
from watchword.data.row import DataError
from watchword.data.text import render_text

__all__ = [
    "BadManifest",
    "Change",
    "DataError",
    "Difference",
    "DuplicateKey",
    "NotComparable",
    "RowManifest",
    "Share",
    "StandOut",
    "diff_rows",
    "manifest_rows",
    "read_manifest",
    "render_text",
    "write_manifest",
]

"""An inspection as it was, from its documented JSON (``schema.json``), such as the state of a fleet keeps."""

from __future__ import annotations

from typing import Any

from watchword.inspect.facts import FileReport, Finding, Inspection, Verdict
from watchword.statements.manifest import BadManifest, Entry, UnsafePath, build


def inspection_from(value: dict[str, Any]) -> Inspection:
    """The inspection that ``to_json`` gave as *value*, without a baseline.

    Raises:
        ValueError: another form, or a manifest that does not follow from its files: paths are shown there, not kept.
    """
    try:
        findings = tuple(
            Finding(**one | {"verdict": Verdict(one["verdict"]), "atlas": tuple(one["atlas"])})
            for one in value["findings"]
        )
        files = tuple(
            FileReport(
                **one | {
                    "verdict": Verdict(one["verdict"]), "notes": tuple(one["notes"]),
                    "unread": tuple((start, end) for start, end in one["unread"]),
                }
            )
            for one in value["files"]
        )  # fmt: skip
        manifest = None
        if value["manifest"] is not None:
            manifest = build(Entry(one.path, one.size, one.sha256 or "") for one in files)
            if manifest.digest != value["manifest"]["digest"]:
                raise ValueError("its files do not make up its manifest")
        return Inspection(value["target"], Verdict(value["verdict"]), manifest, findings, files, value["tool"])
    except (KeyError, TypeError, BadManifest, UnsafePath) as error:
        raise ValueError(f"not an inspection: {error}") from error

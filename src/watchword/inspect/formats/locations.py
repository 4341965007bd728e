"""Where a name of a file leads, read as the platforms read it that models are loaded on."""

from __future__ import annotations

import re

_OUTSIDE = re.compile(
    r"^[/\\~]|^[A-Za-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)|^[a-z][a-z0-9+.-]*://|^(?:file|data|http|ftp)s?:|[\x00-\x1f\x7f]",
    re.IGNORECASE,
)


def leads_out(location: str) -> bool:
    """True when *location* is absolute, leads up, is an address, or holds control characters."""
    return bool(_OUTSIDE.search(location))

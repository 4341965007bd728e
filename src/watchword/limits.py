"""Every bound of watchword, with its unit and where the number comes from.

A bound is here when hostile input could otherwise decide how much time or memory we spend. Rooms import
the names; nobody writes a number of this sort in place.
"""

from __future__ import annotations

# -- statements -----------------------------------------------------------------------------------
ENVELOPE_BYTES_MAX = 4 * 1024 * 1024
"""One DSSE envelope. Origin: an inspection of 10,000 findings is about 3 MB; larger evidence is an attachment."""

JSON_DEPTH_MAX = 64
"""Nesting of any JSON or TOML document. Origin: ten times what our own kinds nest; below CPython's recursion limit."""

JSON_INTEGER_MAX = 2**53 - 1
"""Largest magnitude of an integer in canonical JSON. Origin: RFC 8785, section 3.2.2.3 (I-JSON)."""

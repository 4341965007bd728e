"""The fields of a form, out of the bytes that a browser sent. Pure.

Follows the URL standard, section 5.1 (urlencoded), and RFC 7578 (multipart): of the latter only what browsers send.

* A field that comes twice counts once, the first time. Names of files are of no interest here and not kept.
* More than CONSOLE_FIELDS_MAX fields, a part without a name, text that is not UTF-8: no form.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from watchword.limits import CONSOLE_FIELDS_MAX
from watchword.web.console.table import NotSo

_BOUNDARY = re.compile(r"multipart/form-data\s*;\s*boundary=\"?([A-Za-z0-9'()+_,./:=?-]{1,70})\"?\s*", re.ASCII)
_NAME = re.compile(rb"\r\ncontent-disposition:\s*form-data\s*;\s*name=\"([^\"\r\n]{1,100})\"", re.IGNORECASE)
_HEADERS_BYTES_MAX = 2_048
"""Of one part: a disposition with the name of a file, and its type."""


def fields_of(content_type: str, body: bytes) -> dict[str, str]:
    """Name and text of each field.

    Raises:
        NotSo: it is no form.
    """
    try:
        if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
            found = parse_qs(body.decode(), max_num_fields=CONSOLE_FIELDS_MAX)
            return {name: values[0] for name, values in found.items()}
        boundary = _BOUNDARY.fullmatch(content_type)
        if boundary is None:
            raise NotSo("this is no form")
        return _parts(boundary[1].encode(), body)
    except ValueError as error:
        raise NotSo("this is no form") from error


def _parts(boundary: bytes, body: bytes) -> dict[str, str]:
    first, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary, CONSOLE_FIELDS_MAX + 2)
    if first or not parts or parts[-1] not in (b"--", b"--\r\n") or len(parts) > CONSOLE_FIELDS_MAX + 1:
        raise ValueError("not the parts of a form")
    found: dict[str, str] = {}
    for part in parts[:-1]:
        headers, blank, value = part.partition(b"\r\n\r\n")
        name = _NAME.search(headers[:_HEADERS_BYTES_MAX])
        if name is None or not blank:
            raise ValueError("a part without a name")
        found.setdefault(name[1].decode(), value.decode())
    return found

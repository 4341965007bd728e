"""Files that hold the one word by which a door knows its callers, or by which another's server knows us."""

from __future__ import annotations

import os
from pathlib import Path

from watchword.errors import WatchwordError
from watchword.limits import TOKEN_BYTES_MAX

TOKEN_CHARS_MIN = 16
"""Characters of a door's token. Origin: 16 random letters and digits are 95 bits; nobody guesses them."""


class BadToken(WatchwordError):
    """A token file that is missing, too short or long, not one word, or readable by others."""


def read_token(path: Path, chars_min: int = TOKEN_CHARS_MIN) -> str:
    """The word in *path*, without the line's end.

    Args:
        chars_min: fewer are refused; 1 for a word that another chose.

    Raises:
        BadToken: see there.
    """
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise BadToken(f"{path}: others can read it", f"chmod 600 {path}")
            data = file.read(TOKEN_BYTES_MAX + 1)
    except OSError as error:
        why = os.strerror(error.errno or 0).lower()
        raise BadToken(f"{path}: {why}", "a token is one line that callers show too") from error
    text = data.decode("ascii", "replace").strip()
    word = text.isascii() and text.isprintable() and " " not in text
    if not word or len(text) < chars_min or len(data) > TOKEN_BYTES_MAX:
        form = f"one word of at least {chars_min} characters, in at most {TOKEN_BYTES_MAX:,} bytes"
        raise BadToken(f"{path}: not a token", form)
    return text

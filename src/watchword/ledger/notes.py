"""C2SP signed notes and verifier keys: form only. Pure: bytes in, nothing read, nothing written.

Follows c2sp.org/signed-note. Vectors: golang-x-mod, c2sp-examples, mldsa-cosignature.

* A note is text ending in a line feed, an empty line, one or more signature lines. The *last* empty line parts them.
* UTF-8 without control characters; base64 that does not re-encode to itself is refused, so ``parse_note`` and
  ``Note.format`` are inverse to each other, byte for byte.
* A line of a type nobody here knows is kept, within NOTE_LINES_MAX and NOTE_BYTES_MAX.
* Not checked here: any signature (see ``checkpoint``). A parsed note says nothing about who signed it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from watchword.errors import WatchwordError
from watchword.limits import NOTE_BYTES_MAX, NOTE_LINES_MAX, ORIGIN_BYTES_MAX
from watchword.statements.digests import b64, unb64

ED25519 = 0x01
ED25519_COSIGNATURE = 0x04
MLDSA44_COSIGNATURE = 0x06
KEY_BYTES = {ED25519: 32, ED25519_COSIGNATURE: 32, MLDSA44_COSIGNATURE: 1312}

_DASH = "\N{EM DASH} "
_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")


class BadNote(WatchwordError):
    """A signed note, head or verifier key that is malformed, or whose signatures are not those it must have."""


@dataclass(frozen=True)
class NoteSignature:
    """One signature line: who claims to have signed (``name``, 4-byte ``key_id``) and the raw signature."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """The line as it stands in a note, with its line feed."""
        return f"{_DASH}{self.name} {b64(self.key_id + self.signature)}\n"


@dataclass(frozen=True)
class Note:
    """A signed note: ``text`` ends in a line feed; the signatures are unverified claims."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def format(self) -> bytes:
        """The note's bytes; ``parse_note`` reads them back."""
        return f"{self.text}\n{''.join(signature.line() for signature in self.signatures)}".encode()


@dataclass(frozen=True)
class VerifierKey:
    """A verifier key (vkey): a name, a signature type and its public key."""

    name: str
    type: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that, with the name, tell which key made a line."""
        return key_id(self.name, self.type, self.public)

    def format(self) -> str:
        """``name+hex+base64``, one line."""
        return f"{self.name}+{self.key_id.hex()}+{b64(bytes([self.type]) + self.public)}"


@lru_cache(maxsize=1024)
def key_id(name: str, signature_type: int, public: bytes) -> bytes:
    """The first 4 bytes of SHA-256(name, LF, type, public key) (signed-note, "Signatures")."""
    return sha256(name.encode() + b"\n" + bytes([signature_type]) + public).digest()[:4]


@lru_cache(maxsize=16)
def parse_note(data: bytes) -> Note:
    """Read a signed note. The last few are remembered: one head is read by many who each check something else.

    Args:
        data: at most NOTE_BYTES_MAX bytes.

    Raises:
        BadNote: not a note, or beyond the limits.
    """
    if len(data) > NOTE_BYTES_MAX:
        raise BadNote(f"note has {len(data):,} bytes, the limit is {NOTE_BYTES_MAX:,}")
    control = _CONTROL.search(data)
    if control:
        raise BadNote(f"note holds control character 0x{control[0].hex()} at byte {control.start()}")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadNote(f"note is not UTF-8 at byte {error.start}") from error
    # The text keeps its own line feed; the empty line after it belongs to nobody.
    text_end = whole.rfind("\n\n")
    if text_end <= 0:
        raise BadNote("note has no empty line between text and signatures", "it may be cut off; get it again")
    return Note(whole[: text_end + 1], parse_signatures(whole[text_end + 2 :]))


def parse_signatures(lines: str) -> tuple[NoteSignature, ...]:
    """Read one or more signature lines, as they end a note or as a witness answers with them.

    Raises:
        BadNote: none, too many, or one that is malformed.
    """
    if not lines.endswith("\n"):
        raise BadNote("note does not end with a whole signature line", "it may be cut off; get it again")
    rows = lines[:-1].split("\n", NOTE_LINES_MAX)
    if len(rows) > NOTE_LINES_MAX:
        raise BadNote(f"note has more than {NOTE_LINES_MAX} signature lines")
    return tuple(_parse_line(row, number) for number, row in enumerate(rows, 1))


def check_name(name: str, what: str) -> None:
    """Refuse what cannot be a key name: empty, longer than ORIGIN_BYTES_MAX, a space, a plus, a control character.

    Raises:
        BadNote: says which.
    """
    if not name:
        raise BadNote(f"{what} is empty")
    if len(name.encode("utf-8", "surrogatepass")) > ORIGIN_BYTES_MAX:
        raise BadNote(f"{what} {name[:40]!r}… is longer than {ORIGIN_BYTES_MAX} bytes")
    if not _is_plain(name):
        raise BadNote(f"{what} {name!r} holds a space, a plus or a control character")


@lru_cache(maxsize=4096)
def _is_plain(name: str) -> bool:
    """Asked for every line of every note, of few names."""
    return not any(one in "+ " or one.isspace() or one < " " or "\ud800" <= one <= "\udfff" for one in name)


def parse_vkey(text: str) -> VerifierKey:
    """Read a verifier key of type 01, 04 or 06.

    Raises:
        BadNote: malformed, of another type, or its key id is not that of its key.
    """
    # Names hold no plus and the id is hex; the base64 after them may hold more.
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise BadNote("verifier key is not name+id+key")
    name, stated, encoded = parts
    check_name(name, "name of a verifier key")
    material = _base64(encoded, f"verifier key of {name}")
    if not material or material[0] not in KEY_BYTES:
        raise BadNote(f"verifier key of {name} has type 0x{material[:1].hex() or '?'}, known are 01, 04 and 06")
    key = VerifierKey(name, material[0], material[1:])
    if len(key.public) != KEY_BYTES[key.type]:
        wanted = KEY_BYTES[key.type]
        raise BadNote(f"verifier key of {name} has {len(key.public)} bytes, type {key.type:02x} has {wanted}")
    if stated != key.key_id.hex():
        raise BadNote(f"verifier key of {name} states id {stated[:16]!r}, its key has {key.key_id.hex()}")
    return key


def _parse_line(row: str, number: int) -> NoteSignature:
    parts = row.removeprefix(_DASH).split(" ")
    if not row.startswith(_DASH) or len(parts) != 2:
        raise BadNote(f"signature line {number} is not a dash, a name and a signature")
    name, encoded = parts
    check_name(name, f"name in signature line {number}")
    raw = _base64(encoded, f"signature line {number}")
    if len(raw) < 5:
        raise BadNote(f"signature line {number} has {len(raw)} bytes, a key id and a signature have at least 5")
    return NoteSignature(name, raw[:4], raw[4:])


def _base64(text: str, what: str) -> bytes:
    try:
        return unb64(text, what)
    except WatchwordError as error:
        raise BadNote(error.message) from error

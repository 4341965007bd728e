"""Secrets left in what a release ships: keys and tokens in the forms of their issuers, and passwords in URLs.

* A form has a prefix of its own; what follows must look drawn at random (entropy), and where the issuer adds a checksum
  (GitHub) it must agree. Words like ``example``, runs of one character and placeholders are no secrets.
* The evidence names the kind and shows the first characters only: a report must not spread what it found.
* Text, and what a reader hands over from binary files, is searched; weights are not.
"""

from __future__ import annotations

import base64
import math
import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from watchword.inspect.exhibit import Exhibit, Malformed
from watchword.inspect.formats.json_text import parse_json
from watchword.limits import SECRETS_SEARCHED_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of secret: the words that must stand there, the form, and a check of what was found."""

    kind: str
    mark: bytes
    pattern: bytes
    holds: Callable[[bytes], bool]


def _random(text: bytes, bits: float = 3.5) -> bool:
    """True when *text* has at least *bits* of entropy per character, as drawn tokens of 20 and more have."""
    counts = {char: text.count(bytes((char,))) for char in set(text)}
    entropy = -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
    return entropy >= bits and not _PLACEHOLDER.search(text)


_PLACEHOLDER = re.compile(
    rb"(?i)example|x{5}|placeholder|your|dummy|sample|fake|test_?key|1234567|abcdef|redacted|\*{3}|0{6}|<|>|\.\.\.|changeme"
)
_BASE62 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def _github(text: bytes) -> bool:
    """GitHub's classic tokens end in a CRC-32 of their body, in base 62 (six digits)."""
    body, check = text[4:-6], text[-6:]
    number = zlib.crc32(body)
    digits = bytearray()
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits.insert(0, _BASE62[digit])
    return bytes(digits) == check


def _key(text: bytes) -> bool:
    body = re.sub(rb"-----.*?-----|\\n|\s|Proc-Type.*|DEK-Info.*", b"", text)
    return len(body) >= 40 and _random(body[:2000], 3.5)


def _jwt(text: bytes) -> bool:
    try:
        header = parse_json(base64.urlsafe_b64decode(text.split(b".")[0] + b"=="))
    except (ValueError, Malformed):
        return False
    return isinstance(header, dict) and "alg" in header and header["alg"] != "none"


def _password(text: bytes) -> bool:
    if text.startswith(b"ftp:"):  # public servers ask for any word
        return False
    found = re.match(rb"[^:/]+://[^:/@]*:([^@]*)@(.*)", text)
    if (
        found is None
        or len(found[1]) < 6
        or _PLACEHOLDER.search(found[1])
        or re.search(rb"[{}$%<]|pass|secret|user|token", found[1], re.I)
    ):
        return False
    return not re.match(rb"(?:localhost|host|server|proxy|db)(?:$|:)|127\.|example\.", found[2])


def _last(text: bytes) -> bool:
    return _random(text[-40:], 3.0)


def _form(kind: str, mark: bytes, pattern: bytes, holds: Callable[[bytes], bool] = _random) -> Form:
    return Form(kind, mark, rb"(?<![A-Za-z0-9_-])" + pattern + rb"(?![A-Za-z0-9_-])", holds)


FORMS = (
    Form(
        "a private key", b"PRIVATE KEY",
        rb"-----BEGIN (?:RSA |EC |DSA |OPENSSH |PGP )?PRIVATE KEY(?: BLOCK)?-----"
        rb"(?:\\\\?[rn]|\s)(?:[^-]|-(?!----)){40,8000}-----END ",
        _key,
    ),
    _form("an AWS access key", b"AKIA", rb"AKIA[A-Z2-7]{16}", lambda text: _random(text[4:], 2.8)),
    _form("an AWS temporary key", b"ASIA", rb"ASIA[A-Z2-7]{16}", lambda text: _random(text[4:], 2.8)),
    _form("a Hugging Face token", b"hf_", rb"hf_[A-Za-z]{34}", lambda text: _random(text[3:], 3.8)),
    _form("an OpenAI key", b"sk-", rb"sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,}"),
    _form("an Anthropic key", b"sk-ant-", rb"sk-ant-(?:api|admin)\d\d-[A-Za-z0-9_-]{80,}"),
    _form("a GitHub token", b"gh", rb"gh[pousr]_[A-Za-z0-9]{36}", _github),
    _form("a GitHub token", b"github_pat_", rb"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    _form("a GitLab token", b"glpat-", rb"glpat-[A-Za-z0-9_-]{20}"),
    _form("a Google API key", b"AIza", rb"AIza[A-Za-z0-9_-]{35}"),
    _form("a Google OAuth secret", b"GOCSPX-", rb"GOCSPX-[A-Za-z0-9_-]{28}"),
    _form("a Slack token", b"xox", rb"xox[abprs]-\d{6,}-[A-Za-z0-9-]{20,}", lambda text: _random(text, 3.0)),
    _form("a Slack webhook", b"hooks.slack.com", rb"https://hooks\.slack\.com/services/T\w{8,}/B\w{8,}/\w{24}"),
    _form("a Stripe key", b"_live_", rb"[sr]k_live_[A-Za-z0-9]{24,}"),
    _form("an npm token", b"npm_", rb"npm_[A-Za-z0-9]{36}"),
    _form("a package index token", b"AgEIcHlwaS5vcmc", rb"pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}"),
    _form("a Weights & Biases key", b"WANDB_API_KEY", rb"WANDB_API_KEY\W{1,5}[0-9a-f]{40}", _last),
    _form("an AWS secret key", b"aws_secret_access_key", rb"aws_secret_access_key\W{1,6}[A-Za-z0-9/+]{40}", _last),
    _form("an AWS secret key", b"AWS_SECRET_ACCESS_KEY", rb"AWS_SECRET_ACCESS_KEY\W{1,6}[A-Za-z0-9/+]{40}", _last),
    _form("an Azure storage key", b"AccountKey=", rb"AccountKey=[A-Za-z0-9+/]{86}=="),
    _form("a SendGrid key", b"SG.", rb"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    _form("a Telegram bot token", b"api.telegram.org/bot", rb"api\.telegram\.org/bot\d{8,10}:[A-Za-z0-9_-]{35}"),
    _form("a JSON web token", b"eyJ", rb"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}", _jwt),
    _form(
        "a password in a URL", b"://",
        rb"[a-z][a-z0-9+]{2,20}://[^\s:/@'\"<>]{0,64}:[^\s:/@'\"<>]{6,64}@[A-Za-z0-9.-]{3,100}", _password,
    ),
)  # fmt: skip
"""What is looked for. Origin: the issuers' own documentation of their forms."""


def secrets_in(data: bytes) -> list[tuple[int, str, bytes]]:
    """Offset, kind and text of each secret in *data*; each text once."""
    found: dict[bytes, tuple[int, str, bytes]] = {}
    for form in FORMS:
        if form.mark not in data:
            continue
        for match in re.finditer(form.pattern, data):
            if len(found) >= 100:
                break
            if match[0] not in found and form.holds(match[0]):
                found[match[0]] = match.start(), form.kind, match[0]
    return sorted(found.values())


def search(exhibit: Exhibit, limit: int = SECRETS_SEARCHED_BYTES_MAX) -> None:
    """Search the text of *exhibit*, piece by piece, up to *limit* bytes."""
    size = min(exhibit.source.size, limit)
    told: set[bytes] = set()
    for start in range(0, size, _PIECE):
        data = exhibit.source.read_at(start, _PIECE + _OVERLAP)
        for offset, kind, text in secrets_in(data):
            if text not in told:
                told.add(text)
                _tell(exhibit, start + offset, kind, text)
    if exhibit.source.size > size and limit == SECRETS_SEARCHED_BYTES_MAX:
        exhibit.note(f"searched for secrets in its first {size:,} bytes")


def search_values(exhibit: Exhibit, values: Iterable[object]) -> None:
    """Search the texts among *values*, which a reader took out of a binary file."""
    for value in values:
        if isinstance(value, str):
            for _, kind, text in secrets_in(value.encode("utf-8", "replace")):
                _tell(exhibit, None, kind, text)


def _tell(exhibit: Exhibit, offset: int | None, kind: str, text: bytes) -> None:
    begins = text[:40] if b"KEY--" in text[:40] else text[:8]
    shown = f"{begins.decode('latin-1')}… ({len(text):,} characters)"
    exhibit.odd("secret-left", offset, f"{kind} was left in it", shown)


_PIECE = 1 << 20
_OVERLAP = 1 << 13

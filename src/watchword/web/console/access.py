"""Who is reading, and how often: sessions, signing in, the token of each form, limits on floods.

Follows OWASP's cheat sheets on sessions and on cross-site request forgery, and WebAuthn Level 3, section 7.2.

* Three ways to sign in, none with a password. A **link** that a command at this home prints: good once, for
  CONSOLE_LINK_S, and not when it is older than this process; who comes by it reads, and writes nothing. A **passkey**
  that the charter lists for a person of this member at this origin. A **client certificate** that the node's operator
  named for a person of this member, who may write, or for another member, who reads what his scope allows.
* A session is 256 random bits in a cookie that scripts cannot read and other sites do not send with forms; kept here
  only as a digest; ends after CONSOLE_IDLE_S without a page, CONSOLE_SESSION_S in all, and with this process. It is
  made new at signing in, so that nobody plants one.
* A form carries a token of its session and comes from this origin; a session that began more than CONSOLE_FRESH_S ago
  signs in again before it writes.
* Attempts to sign in are counted by address, pages by session or address. Behind a proxy all have its address.
* Clocks are monotonic here, but for a link, which two processes have to agree on.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from watchword.charter.standing import may_say
from watchword.errors import WatchwordError
from watchword.gate.desk import Desk
from watchword.limits import (
    CONSOLE_FRESH_S,
    CONSOLE_IDLE_S,
    CONSOLE_LINK_S,
    CONSOLE_PAGES_PER_MINUTE,
    CONSOLE_SESSION_S,
    CONSOLE_SESSIONS_MAX,
    CONSOLE_SIGN_INS_PER_MINUTE,
    PASSKEY_ANSWER_BYTES_MAX,
    PASSKEY_ASKED_S,
    PASSKEYS_ASKED_MAX,
)
from watchword.statements.canonical import parse_json
from watchword.statements.digests import b64
from watchword.statements.passkeys import BadAssertion, Passkey, verify_sign_in
from watchword.web.approvals import Credential

if TYPE_CHECKING:
    from watchword.charter.charter import KeyHolder
    from watchword.node.node import Node

How = Literal["nobody", "link", "passkey", "certificate"]


class NotSignedIn(WatchwordError):
    """A link, passkey or certificate that opens no session."""


class MustSignIn(WatchwordError):
    """What was asked for needs a session, another one, or a younger one."""


@dataclass(frozen=True)
class Reader:
    """Who asks. ``member`` None: nobody that this node knows. ``token`` stands in his forms."""

    member: str | None = None
    person: str | None = None
    how: How = "nobody"
    since: float = 0.0
    token: str = ""

    @property
    def called(self) -> str:
        """As the record of looks names him."""
        return "nobody" if self.member is None else f"{self.person or 'somebody'} of {self.member}"


NOBODY = Reader()


@dataclass
class _Session:
    reader: Reader
    seen: float


class _SignIn(msgspec.Struct, frozen=True):
    nonce: str
    credential: Credential


class Access:
    """Sessions of one process that serves *node* at *origin*.

    Args:
        certificates: by the SHA-256 of a client certificate (DER, hexadecimal): a person of this member, or the name of
            another member.
    """

    def __init__(self, node: Node, origin: str, certificates: Mapping[str, str] | None = None) -> None:
        self._node = node
        self.origin = origin
        self._certificates = dict(certificates or {})
        self._turn = threading.Lock()
        self._sessions: dict[bytes, _Session] = {}
        self._asked: dict[str, float] = {}
        self._taken: dict[str, float] = {}
        self._counts: dict[tuple[str, str], tuple[float, float]] = {}
        self._began = int(node.clock.now().timestamp())

    @property
    def cookie(self) -> str:
        """The name of the cookie; with TLS one that no other host and no plain page can set."""
        return "__Host-watchword" if self.origin.startswith("https://") else "watchword"

    def reader(self, cookie: str | None, certificate: str | None = None) -> Reader:
        """Who has this cookie, or shows this certificate (its SHA-256, hexadecimal)."""
        now = self._node.clock.monotonic()
        with self._turn:
            key = sha256((cookie or "").encode()).digest()
            session = self._sessions.get(key)
            if session is not None:
                if now - session.seen <= CONSOLE_IDLE_S and now - session.reader.since <= CONSOLE_SESSION_S:
                    session.seen = now
                    return session.reader
                del self._sessions[key]
        return NOBODY if certificate is None else self._by_certificate(certificate, now)

    def begin(self, reader: Reader, old: str | None = None) -> str:
        """Open a session, and end the *old* one; the cookie's value."""
        value, now = secrets.token_urlsafe(32), self._node.clock.monotonic()
        opened = Reader(reader.member, reader.person, reader.how, now, secrets.token_urlsafe(32))
        with self._turn:
            self._sessions.pop(sha256((old or "").encode()).digest(), None)
            while len(self._sessions) >= CONSOLE_SESSIONS_MAX:
                del self._sessions[min(self._sessions, key=lambda one: self._sessions[one].seen)]
            self._sessions[sha256(value.encode()).digest()] = _Session(opened, now)
        return value

    def end(self, cookie: str | None) -> None:
        """End a session."""
        with self._turn:
            self._sessions.pop(sha256((cookie or "").encode()).digest(), None)

    # -- signing in -------------------------------------------------------------------------------

    def take_link(self, made: str, token: str) -> Reader:
        """Who comes by a link from the terminal of this home; once.

        Raises:
            NotSignedIn: it is not one of this home, too old, or was used.
        """
        now = int(self._node.clock.now().timestamp())
        good = hmac.compare_digest(token.encode(), link_token(self._node, made).encode())
        age = now - int(made) if made.isascii() and made.isdigit() and len(made) < 12 else -1
        with self._turn:
            self._taken = {one: end for one, end in self._taken.items() if end > now}
            if not good or not 0 <= age <= CONSOLE_LINK_S or now - age < self._began or token in self._taken:
                raise NotSignedIn("this link opens nothing: it was used, or its time is over", "watchword console")
            self._taken[token] = now + CONSOLE_LINK_S
        return Reader(self._node.member, "operator", "link")

    def ask(self) -> str:
        """A nonce for a passkey, base64url, remembered for PASSKEY_ASKED_S."""
        now, nonce = self._node.clock.monotonic(), secrets.token_urlsafe(32)
        with self._turn:
            self._asked = {one: at for one, at in self._asked.items() if now - at < PASSKEY_ASKED_S}
            while len(self._asked) >= PASSKEYS_ASKED_MAX:
                del self._asked[next(iter(self._asked))]
            self._asked[nonce] = now
        return nonce

    def passkeys(self) -> dict[str, tuple[KeyHolder, Passkey]]:
        """The people of this member with their passkeys at this origin, by credential in base64."""
        return {
            b64(passkey.id): (holder, passkey)
            for holder in self._node.me.keys if holder.retired_by is None
            for passkey in holder.passkeys if passkey.origin == self.origin
        }  # fmt: skip

    def take_passkey(self, body: bytes) -> Reader:
        """Who signed a nonce with a passkey of the charter's; each nonce once.

        Raises:
            NotSignedIn: another form, a nonce that nobody waits for, a passkey of nobody here, a wrong signature.
        """
        try:
            given = msgspec.convert(parse_json(body, "answer", PASSKEY_ANSWER_BYTES_MAX), _SignIn)
            said = given.credential.response
            parts = [_unb64url(one) for one in (said.authenticatorData, said.clientDataJSON, said.signature)]
            credential = b64(_unb64url(given.credential.rawId))
        except (WatchwordError, ValueError) as error:
            raise NotSignedIn(f"this is no answer of a passkey: {error}") from error
        with self._turn:
            at = self._asked.pop(given.nonce, None)
        found = self.passkeys().get(credential)
        if at is None or self._node.clock.monotonic() - at >= PASSKEY_ASKED_S:
            raise NotSignedIn("nobody asked for this answer, or too long ago", "open the page again")
        if found is None:
            raise NotSignedIn("this passkey is not one of the charter's for anybody here")
        try:
            verify_sign_in(found[1], given.nonce.encode(), parts[0], parts[1], parts[2])
        except BadAssertion as error:
            raise NotSignedIn(error.message, error.hint) from error
        return Reader(self._node.member, found[0].person, "passkey")

    def _by_certificate(self, digest: str, now: float) -> Reader:
        """A certificate is shown with each connection: it is as fresh as its request, and its token is its own."""
        whose = self._certificates.get(digest)
        if whose is None:
            return NOBODY
        other = any(one.name == whose for one in self._node.charter.members)
        token = hmac.digest(Desk(self._node).token("certificate", digest).encode(), b"form", "sha256").hex()
        if other:
            return Reader(whose, None, "certificate", now, token)
        return Reader(self._node.member, whose, "certificate", now, token)

    # -- limits -----------------------------------------------------------------------------------

    def check_form(self, reader: Reader, token: str, origin: str | None, site: str | None) -> None:
        """Refuse a form that another site sent, or that was made for another session.

        Raises:
            MustSignIn.
        """
        ours = origin == self.origin and site in (None, "same-origin")
        if not ours or not reader.token or not hmac.compare_digest(token.encode(), reader.token.encode()):
            raise MustSignIn("this form is not from this session", "open the page again")

    def check_present(self, reader: Reader) -> None:
        """Refuse who may not bring anything here.

        Raises:
            MustSignIn: not signed in by what may write, or too long ago.
        """
        if reader.how not in ("passkey", "certificate") or reader.member != self._node.member:
            raise MustSignIn("who writes here is signed in with a passkey or a client certificate")
        if self._node.clock.monotonic() - reader.since > CONSOLE_FRESH_S:
            raise MustSignIn("it is too long since you signed in", "sign in again, then write")

    def check_writer(self, reader: Reader, kind: str) -> KeyHolder:
        """The key of *reader*, who wants to say a *kind* here.

        Raises:
            MustSignIn: as ``check_present``, or the charter gives him no standing.
        """
        self.check_present(reader)
        holder = self.holder(reader, kind)
        if holder is None:
            raise MustSignIn(f"the charter does not let {reader.called} sign a {kind}")
        return holder

    def holder(self, reader: Reader, kind: str) -> KeyHolder | None:
        """The key with which *reader* may say a *kind*, if any."""
        for holder in self._node.me.keys if reader.how in ("passkey", "certificate") else ():
            ours = holder.person == reader.person and holder.job == "people" and holder.retired_by is None
            if reader.member == self._node.member and ours and may_say(self._node.charter, holder, kind):
                return holder
        return None

    def allows(self, what: Literal["page", "sign-in"], of: str) -> bool:
        """Whether *of* (an address or a session) may do this once more now: a bucket that fills in a minute."""
        most = float(CONSOLE_PAGES_PER_MINUTE if what == "page" else CONSOLE_SIGN_INS_PER_MINUTE)
        now = self._node.clock.monotonic()
        with self._turn:
            left, at = self._counts.get((what, of), (most, now))
            left = min(most, left + (now - at) * most / 60)
            if len(self._counts) > 4 * CONSOLE_SESSIONS_MAX:
                # Whoever was last seen a minute ago has a full bucket again.
                self._counts = {key: of for key, of in self._counts.items() if now - of[1] < 60}
            self._counts[what, of] = (left - 1 if left >= 1 else left, now)
        return left >= 1


def link_token(node: Node, made: str) -> str:
    """What a link ends with that was made at *made* (Unix seconds): a secret of this home decides."""
    return Desk(node).token("console", made)


def link(node: Node, origin: str) -> str:
    """The address that signs in whoever opens it next."""
    made = str(int(node.clock.now().timestamp()))
    return f"{origin}/console/in/{made}/{link_token(node, made)}"


def _unb64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def passkey_options(access: Access, nonce: str, challenge: bytes, host: str | None) -> dict[str, Any]:
    """What a browser is asked, as WebAuthn's JSON form (Level 3, section 5.1.8)."""
    from watchword.statements.digests import b64url

    return {
        "allowCredentials": [{"id": b64url(one.id), "type": "public-key"} for _, one in access.passkeys().values()],
        "challenge": b64url(challenge), "rpId": host, "userVerification": "required",
    }  # fmt: skip

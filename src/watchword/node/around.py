"""What a node stands on, as ``doctor`` looks at it: its port, its TLS files, its databases, the clocks of others.

Reads; binds a port for a moment where one is named. Findings as in ``examining``.

* A port is well where it is free, or where this very node answers; another program there is ill.
* A certificate is looked at as ``serve`` would read it: all in its file, the first with its key.
* Of databases: whether they answer, and whether what they hold follows the ledgers. Nothing is written into them.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

from watchword.errors import WatchwordError
from watchword.ledger.fetch import Remote
from watchword.limits import (
    CLOCK_AHEAD_S_MAX,
    LOOKS_OVERDUE_S,
    NOTE_BYTES_MAX,
    TLS_ILL_DAYS,
    TLS_LOOK_DAYS,
    TLS_PEM_BYTES_MAX,
)
from watchword.node import looks
from watchword.node.finding import Found
from watchword.node.sharing import shared_record
from watchword.statements.canonical import parse_json
from watchword.statements.times import rfc3339, unix

if TYPE_CHECKING:
    from watchword.node.node import Node

_RENEW = "renew it, then end serve and start it again: it reads the files once"
_PORT = "name another with --port, or end what has it: ss -ltnp"


def port(host: str, number: int, member: str) -> Iterator[Found]:
    """Whether *member*'s node can listen there, or does."""
    about, where = f"port {number}", f"{host}:{number}"
    try:
        socket.create_server((host, number), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            mend = "a port above 1023, and a proxy before it" if error.errno == errno.EACCES else "another --host"
            yield Found(about, "ill", f"{where}: {error.strerror}", mend)
            return
        mine = _answers(host, number) == member
        what = "this node answers there" if mine else "taken by another program, or by another node"
        yield Found(about, "well" if mine else "ill", f"{where}: {what}", "" if mine else _PORT)
        return
    yield Found(about, "well", f"{where} is free")


def tls(certificate: Path, key: Path, now: datetime) -> Iterator[Found]:
    """Whether the two fit, and how long they are good for."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    try:
        chain = x509.load_pem_x509_certificates(_pem(certificate))
        private = load_pem_private_key(_pem(key), None)
    except (ValueError, TypeError) as error:
        yield Found("tls", "ill", f"{certificate} or {key}: {error}", "PEM files, the key not encrypted")
        return
    if private.public_key().public_bytes(*form) != chain[0].public_key().public_bytes(*form):
        yield Found("tls", "ill", f"{key}: not the key of the first certificate in {certificate}", _RENEW)
    if key.stat().st_mode & 0o077:
        yield Found("tls", "ill", f"{key}: others can read it", f"chmod go= {key}")
    begins, ends = max(one.not_valid_before_utc for one in chain), min(one.not_valid_after_utc for one in chain)
    left = ends - now
    what = f"{certificate}: good until {rfc3339(ends)}, {left.days} days"
    if begins > now:
        yield Found("tls", "ill", f"{certificate}: good from {rfc3339(begins)} only", "check the clock, or renew it")
    elif left < timedelta(days=TLS_LOOK_DAYS):
        lapsed = f"{certificate}: lapsed {rfc3339(ends)}" if left < timedelta() else what
        yield Found("tls", "ill" if left < timedelta(days=TLS_ILL_DAYS) else "look", lapsed, _RENEW)
    else:
        yield Found("tls", "well", what)


def catalog(node: Node) -> Iterator[Found]:
    """Whether the catalog answers and follows the ledgers; nothing where none was begun."""
    from watchword.node.cataloguing import behind, place_of

    place = place_of(node.home)
    if isinstance(place, Path) and not place.exists():
        return
    try:
        from watchword.catalog.database import CatalogTrouble, NotFilled, open_catalog
    except ModuleNotFoundError as error:
        yield Found("catalog", "look", f"cannot be looked at: {error.name}", "pip install 'watchword[catalog]'")
        return
    opened = open_catalog(place)
    try:
        with opened.reading() as connection:
            late = behind(node, opened, connection)
    except NotFilled as error:
        late = error.message
    except CatalogTrouble as error:
        ask = error.hint if isinstance(place, Path) else f"does the server run and let you in? psql '{opened.where}'"
        yield Found("catalog", "ill", error.message, ask)
        return
    finally:
        opened.close()
    mend = "watchword catalog update" if late else ""
    yield Found("catalog", "look" if late else "well", f"{opened.where}: {late or 'follows the ledgers'}", mend)


def shared(node: Node) -> Iterator[Found]:
    """Whether the database of a shared record answers; nothing where the record is the home's own."""
    record = shared_record(node)
    if record is None:
        return
    try:
        there = record.look()
    finally:
        record.close()
    here = len(node.store.receipts)
    late = f", {there - here:,} not in this home yet" if there > here else ""
    yield Found("record", "well", f"shared: {there:,} receipts{late}")


def looked(node: Node) -> Iterator[Found]:
    """Whether what was looked at stands under a head that nobody rewrites; nothing where nobody ever looked."""
    if node.receives or looks.Looks(node).mark is None:
        return
    found = looks.waiting(node)
    if found.oldest is None or node.store.now_s() - unix(found.oldest) <= LOOKS_OVERDUE_S:
        yield Found("looks", "well", f"{found.count:,} wait for their head in the ledger")
        return
    mend = "watchword looks anchor; serve does it by itself where it has the keys and their passphrase"
    yield Found("looks", "look", f"{found.count:,} are under no head in the ledger, the oldest of {found.oldest}", mend)


def peer(name: str, url: str, now: datetime) -> Iterator[Found]:
    """Whether a peer answers, and whether its clock says what ours does.

    Raises:
        Unreachable, BadAnswer.
    """
    with Remote(url) as remote:
        answer, date = remote.get("health", NOTE_BYTES_MAX), remote.date
    if answer.status != 200:
        yield Found(f"peer {name}", "ill", f"{url} answers {answer.status}", f"ask {name} whether it serves")
        return
    apart_s = _ahead_s(date, now)
    if abs(apart_s) > CLOCK_AHEAD_S_MAX:
        what = f"its clock is {abs(apart_s):,} s {'ahead of' if apart_s > 0 else 'behind'} ours"
        yield Found(f"peer {name}", "ill", what, "set the one that is wrong: what is signed ahead of time counts late")
    else:
        yield Found(f"peer {name}", "well", f"answers at {url}")


def _ahead_s(date: str, now: datetime) -> int:
    """By how many seconds the clock that wrote a ``Date`` is ahead; 0 where it wrote none."""
    try:
        return int((parsedate_to_datetime(date) - now).total_seconds())
    except (ValueError, TypeError):
        return 0


def _answers(host: str, number: int) -> str:
    """The member whose node answers on this port; empty where none does."""
    shown = f"[{host}]" if ":" in host else host
    try:
        with Remote(f"http://{shown}:{number}/", seconds_max=5) as remote:
            answer = remote.get("health", NOTE_BYTES_MAX)
            value = parse_json(answer.body, "health", NOTE_BYTES_MAX)
    except WatchwordError:
        return ""
    return str(value.get("member", "")) if isinstance(value, dict) else ""


def _pem(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(TLS_PEM_BYTES_MAX)

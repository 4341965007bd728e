"""Object stores: ``s3://bucket/prefix``, ``gs://…`` and ``az://…``, through obstore (the extra ``fleet``).

Credentials and addresses are those of the environment, as the stores' own tools take them (``AWS_…``, ``GOOGLE_…``,
``AZURE_…``). An object is read by ranges, each on the condition that it still is the version that was listed.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchword.errors import WatchwordError
from watchword.fleet.hub import BadHub
from watchword.inspect.facts import shown
from watchword.inspect.walk import Found
from watchword.ledger.durable import StorageTrouble


class NoStores(WatchwordError):
    """The package that reaches object stores is not there."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object: the store's address with its bucket, the key, the entity tag that it had when it was listed."""

    bucket: str
    key: str
    etag: str | None
    promised: str | None = None

    def read(self, start: int, length: int) -> bytes:
        import obstore
        from obstore.exceptions import BaseError

        options: Any = {"range": (start, start + length)}
        if self.etag:
            options["if_match"] = self.etag
        try:
            return bytes(obstore.get(_store(self.bucket), self.key, options=options).bytes())
        except (BaseError, OSError) as error:
            raise OSError(_reason(error)) from error


@dataclass(frozen=True)
class StorePlace:
    """Where a member's ledgers are published in a store (``node.publishing``): below ``address``."""

    address: str

    def read(self, path: str, bytes_max: int) -> bytes | None:
        obstore, (bucket, key) = _obstore(), self._at(path)
        from obstore.exceptions import BaseError

        try:
            return bytes(obstore.get(_store(bucket), key).bytes())[: bytes_max + 1]
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise StorageTrouble(f"{shown(self.address, 200)}/{path}: {_reason(error)}") from error

    def write(self, path: str, data: bytes) -> None:
        obstore, (bucket, key) = _obstore(), self._at(path)
        from obstore.exceptions import BaseError

        kept = "public, max-age=31536000, immutable" if "/tile/" in path else "no-cache"
        try:
            obstore.put(_store(bucket), key, data, attributes={"Cache-Control": kept}, use_multipart=False)
        except (BaseError, OSError) as error:
            raise StorageTrouble(
                f"{shown(self.address, 200)}/{path}: {_reason(error)}", "publish again: it goes on where it stopped"
            ) from error

    def _at(self, path: str) -> tuple[str, str]:
        scheme, _, rest = self.address.partition("://")
        bucket, _, prefix = rest.partition("/")
        return f"{scheme}://{bucket}", "/".join(part for part in (prefix.strip("/"), path) if part)


def _obstore() -> Any:
    try:
        import obstore
    except ImportError as error:
        raise NoStores("object stores need the extra `fleet`", "pip install 'watchword[fleet]'") from error
    return obstore


def objects(address: str) -> Iterator[Found]:
    """The objects below *address*, with their paths below it.

    Raises:
        BadHub: the store cannot be listed. NoStores: obstore is not installed.
    """
    scheme, _, rest = address.partition("://")
    bucket, _, prefix = rest.partition("/")
    base = f"{scheme}://{bucket}"
    prefix = prefix.rstrip("/")
    obstore = _obstore()
    from obstore.exceptions import BaseError

    try:
        for page in obstore.list(_store(base), prefix or None, chunk_size=1_000):
            for one in page:
                path = one["path"].removeprefix(prefix).lstrip("/") or one["path"].rpartition("/")[2]
                etag = one.get("e_tag")
                far = StoredObject(base, one["path"], etag)
                yield Found(Path(path), path, one["size"], far=far, version=etag or "")
    except (BaseError, OSError) as error:
        raise BadHub(f"{shown(address, 200)}: {_reason(error)}", "nothing in it was looked at") from error


@functools.cache
def _store(base: str) -> Any:
    from obstore.store import from_url

    return from_url(base)


def _reason(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return shown(lines[0] if lines else type(error).__name__, 300)

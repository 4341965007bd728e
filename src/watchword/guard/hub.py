"""Models of the Hugging Face Hub, handed over only as they were inspected and, with a use, admitted (extra ``hub``).

* huggingface_hub fetches, into its own cache, with its own login, endpoint (``$HF_ENDPOINT``) and offline mode. Nothing
  in the cache is trusted: what is inspected, named by digest and handed over is a copy (``guard.admitted``), each time.
* A snapshot's links into the ``blobs`` of its own repository are its files; any other link refuses.
* What was refused stays in the cache, where programs that do not ask the guard would find it.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.errors import WatchwordError
from watchword.guard.admitted import Held, admitted
from watchword.guard.keeping import keep
from watchword.inspect import Verdict
from watchword.inspect.facts import shown

if TYPE_CHECKING:
    from watchword.guard.offline import Offline


class NotFetched(WatchwordError):
    """The hub did not give it, or huggingface_hub is not installed here."""


@contextlib.contextmanager
def from_hub(
    repository: str,
    *,
    revision: str | None = None,
    use: str | Path | None = None,
    home: str | Path | None = None,
    fail_on: Verdict = Verdict.SUSPICIOUS,
    place: Path | None = None,
    offline: Offline | None = None,
    **more: Any,
) -> Iterator[Held]:
    """Fetch a snapshot and hold it for a loader.

    Args:
        repository: ``org/name``.
        revision: a commit, tag or branch; by default the main branch.
        use, home, fail_on, place, offline: as for ``admitted``.
        more: for ``huggingface_hub.snapshot_download``: ``repo_type``, ``allow_patterns``, ``cache_dir``, ``token``…

    Raises:
        NotFetched: there is nothing to look at. Others: as ``admitted``.
    """
    snapshot = _fetched(repository, revision, more)
    blobs = snapshot.parent.parent / "blobs"
    with admitted(
        snapshot, use=use, home=home, fail_on=fail_on, place=place, offline=offline,
        blobs=blobs if blobs.is_dir() else None,
    ) as held:  # fmt: skip
        yield held


def snapshot_download(repository: str, into: str | Path, **more: Any) -> Path:
    """Fetch a snapshot, and put what was inspected and admitted into *into*, as ``org--name@commit``.

    The folder is read-only (0500, files 0400) and stays; one that is there already with other bytes is replaced.

    Args:
        into: a folder that others cannot write to.
        more: as for ``from_hub``.

    Raises:
        as ``from_hub``; then nothing new is in *into*.
    """
    place = Path(into)
    place.mkdir(parents=True, exist_ok=True)
    with from_hub(repository, place=place, **more) as held:
        return keep(held, place / f"{repository.replace('/', '--')}@{held.name}")


def _fetched(repository: str, revision: str | None, more: dict[str, Any]) -> Path:
    if "local_dir" in more:
        raise NotFetched("local_dir: a copy of the cache is handed over", "guard.snapshot_download(into=…) keeps it")
    try:
        import huggingface_hub
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise NotFetched("huggingface_hub is not installed here", "pip install 'watchword[hub]'") from error
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    try:
        return Path(huggingface_hub.snapshot_download(repository, revision=revision, **more))
    except (OSError, ValueError, HfHubHTTPError, LocalEntryNotFoundError) as error:
        why = shown((str(error).strip().splitlines() or [type(error).__name__])[0], 300)
        raise NotFetched(f"{shown(repository, 200)}: {why}", "nothing was handed over") from error

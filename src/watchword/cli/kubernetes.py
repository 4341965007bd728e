"""``watchword kubernetes``: which images may start in a cluster."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, say
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.web.kubernetes.papers import Papers


class BadWorkload(WatchwordError):
    """A file that holds no objects of a cluster."""


def check(args: argparse.Namespace) -> int:
    """Decide on every image of the files as the webhook would on their creation; exit 1 when one may not start."""
    from watchword.web.kubernetes.review import images_of

    papers, use_cases = _papers(args), _use_cases(args)
    if len(use_cases) > 1:
        raise WatchwordError("check takes one use case", "give --use once")
    use_case = next(iter(use_cases.values()))
    lines, found = [], []
    for path in args.files:
        for thing in _objects(path):
            group, _, _ = str(thing.get("apiVersion", "")).rpartition("/")
            kind = str(thing.get("kind", ""))
            what = f"{kind} {(thing.get('metadata') or {}).get('name', '')}".strip()
            try:
                images = images_of((group, kind), thing)
            except ValueError as error:
                raise BadWorkload(f"{path}: {what}: {error}") from error
            for image in images:
                why = papers.why_not(image, use_case)
                lines.append(f"{'REFUSED' if why else 'ADMITTED'}  {what}  {why or image}")
                found.append({"image": image, "what": what, "why": why})
    if not found:
        raise BadWorkload(f"{args.files[0]}: no image in it", "nothing was looked at")
    refused = any(one["why"] for one in found)
    emit(args, "\n".join(lines), {"images": found, "ok": not refused, "schema": "watchword-kubernetes-check/1"})
    return 1 if refused else 0


def serve(args: argparse.Namespace) -> int:
    """Answer until told to end."""
    from watchword.cli.serve import address, check_tls, installed, until_told

    with installed("serving"):
        from watchword.web.kubernetes.door import app
        from watchword.web.serving import listen
    check_tls(args)
    papers, use_cases = _papers(args), _use_cases(args)
    holding = papers.read()
    bound = listen(args.host, args.port)
    url = address(args, *bound.getsockname()[:2])
    urls = [f"{url}/validate/{name}" for name in use_cases]
    value = {"proofs": holding, "schema": "watchword-kubernetes-serving/1", "urls": urls}
    text = f"{holding} proofs hold; a cluster's webhook is answered at\n" + "\n".join(f"  {one}" for one in urls)
    until_told(args, app(papers, use_cases), bound, lambda: emit(args, text, value))
    return 0


def _papers(args: argparse.Namespace) -> Papers:
    from watchword.charter.charter import read_charter_file
    from watchword.charter.standing import in_force
    from watchword.web.kubernetes.papers import Papers

    file = read_charter_file(args.charter)
    in_force(file)
    if args.member not in [one.name for one in file.charter.members]:
        hint = "members: " + ", ".join(one.name for one in file.charter.members)
        raise WatchwordError(f"{args.charter}: {args.member} is no member of {file.charter.alliance}", hint)
    plain = _plain(args.plain) if args.plain else frozenset()
    tell = None if args.quiet else lambda words: say(f"watchword: note: {words}")
    return Papers(args.papers, file, args.member, plain, args.age, tell=tell)


def _use_cases(args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    from watchword.policy.use_case import read_use_case

    found: dict[str, dict[str, Any]] = {}
    for path in args.use:
        use_case = read_use_case(path)
        if use_case["name"] in found:
            raise WatchwordError(f"{path}: a second use case named {use_case['name'][:80]}", "rename one of the two")
        found[use_case["name"]] = use_case
    return found


def _plain(path: Path) -> frozenset[str]:
    from watchword.statements.digests import is_digest

    found = set()
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        word = line.partition("#")[0].strip()
        if word and not is_digest(word):
            raise WatchwordError(f"{path}, line {number}: not a digest", "sha256:<64 hex>, one a line, # comments")
        found.add(word)
    return frozenset(found - {""})


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    import yaml

    from watchword.limits import KUBERNETES_REVIEW_BYTES_MAX

    try:
        if path.stat().st_size > KUBERNETES_REVIEW_BYTES_MAX:
            raise BadWorkload(f"{path}: more than {KUBERNETES_REVIEW_BYTES_MAX:,} bytes")
        documents = list(yaml.safe_load_all(path.read_bytes()))
    except OSError as error:
        raise BadWorkload(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadWorkload(f"{path}: not YAML: {str(error).splitlines()[0]}") from error
    for document in documents:
        if not isinstance(document, dict):
            if document is not None:
                raise BadWorkload(f"{path}: holds something that is no object")
            continue
        items = document.get("items") if document.get("kind") == "List" else [document]
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise BadWorkload(f"{path}: holds something that is no object")
        yield from items

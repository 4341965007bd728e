"""``watchword data screen`` and ``review``: what looks planted, and what a person decides about it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, keeping, one_line, passphrase, progress, say, whole_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from watchword.data import Difference, RowManifest
    from watchword.data.review import Decision
    from watchword.sandbox import Kept


def screen(args: argparse.Namespace) -> int:
    """Screen a delivery; exit 1 when anything is listed."""
    from watchword.data import manifest_rows
    from watchword.data.row import MissingExtra
    from watchword.statements.canonical import canonical

    # Sums in one order on every machine: what is signed can be made again. Threads save little, and cost threefold
    # where others use the cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        import numpy  # noqa: F401  # its absence is told before anything is read
    except ImportError as error:
        raise MissingExtra("a screen needs numpy, which is not installed", "pip install 'watchword[data]'") from error
    from watchword.data.screening.power import Power, power
    from watchword.data.screening.screen import screen as screened
    from watchword.data.screening.told import render, suspects, to_json

    for path in (args.output, args.report):
        if path is not None:
            whole_file(path)
    kept = keeping(args)
    with progress(args) as step:
        manifest = manifest_rows(
            args.path, key=args.key, label=args.label, source=args.source, annotator=args.annotator, kept=kept,
            progress=step,
        )  # fmt: skip
    sample = _sample(args, manifest, kept)
    found = screened(sample, args.seed)
    powers: tuple[Power, ...] = ()
    if not args.no_power:
        with progress(args) as step:
            powers = power(sample, args.seed, None if step is None else partial(step, "planting known poisons"))
    model = None
    if args.model is not None:
        from watchword.cli.data_model import model_value

        with progress(args) as step:
            model = model_value(args, sample, None if step is None else partial(step, "searching the model"))
    value = to_json(sample, found, powers, f"sha256:{manifest.digest.hex()}", args.seed, model)
    lines = [render(value)]
    if args.output is not None:
        args.output.write_text(json.dumps(value, indent=2) + "\n", "utf-8")
        lines.append(f"wrote {args.output}")
    if args.report is not None:
        from watchword.data.screening.page import page

        args.report.write_text(page(sample, found, value, args.path.name), "utf-8")
        lines.append(f"wrote {args.report}")
    if args.record:
        lines.append(_record(args, manifest, canonical(value), value))
    emit(args, "\n".join(lines), value)
    return 1 if suspects(value) else 0


def review(args: argparse.Namespace) -> int:
    """Take a decision about every listed row; write the delivery without those dropped, and the decisions."""
    from watchword.data import diff_rows, manifest_rows, write_manifest
    from watchword.data.review import SCHEMA, check_decided, read_decisions, read_screen, texts_of, without_dropped
    from watchword.data.row import DataError

    value = read_screen(args.screen)
    roles = {"key": args.key, "label": args.label, "source": args.source, "annotator": args.annotator}
    before = manifest_rows(args.path, **roles)
    if f"sha256:{before.digest.hex()}" != value["manifest"]:
        hint = "name the same file, and the same columns as for the screen"
        raise DataError(f"{args.path}: is not the delivery that {args.screen} is about", hint)
    output = whole_file(args.output)
    if args.decisions and args.page:
        raise DataError("--decisions and --page are two ways to decide", "give one of them")
    if args.decisions:
        decisions = read_decisions(args.decisions)
    else:
        texts = texts_of(args.path, [one["row"] for one in value["listed"]])
        decisions = (_show if args.page else _ask)(args.path.name, value["listed"], texts)
    check_decided([one["row"] for one in value["listed"]], decisions)
    output.write_bytes(without_dropped(args.path, decisions))
    after = manifest_rows(output, **roles)
    rows_file = output.with_name(output.name + ".rows")
    write_manifest(after, rows_file)
    difference = diff_rows(before, after)
    dropped = sum(one.decision == "drop" for one in decisions)
    if difference.counts["removed"] != dropped or difference.rows_changed != dropped:
        raise DataError(f"{output}: differs from {args.path} by more than what was dropped", "do not use it")
    told = {
        "schema": SCHEMA,
        "of": value["manifest"],
        "cleaned": f"sha256:{after.digest.hex()}",
        "decisions": [{"row": one.row, "decision": one.decision, "reason": one.reason} for one in decisions],
        "kept": len(decisions) - dropped,
        "dropped": dropped,
    }
    output.with_name(output.name + ".review.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    lines = [
        f"{dropped:,} rows dropped, {len(decisions) - dropped:,} kept; {after.rows:,} of {before.rows:,} rows remain",
        f"wrote {output}, {rows_file.name}, {output.name}.review.json",
    ]
    if args.record:
        lines.append(_record_review(args, difference, told))
    emit(args, "\n".join(lines), told)
    return 0


def _sample(args: argparse.Namespace, manifest: RowManifest, kept: Kept) -> Any:
    from dataclasses import replace

    from watchword.cli.data import SUFFIX
    from watchword.data import manifest_rows, read_manifest
    from watchword.data.difference import fresh_rows
    from watchword.data.screening.sample import read_sample

    sample = read_sample(args.path, manifest.roles, trusted=args.trusted, file_sha256=manifest.file_sha256, kept=kept)
    if args.previous is None:
        return sample
    roles = manifest.roles
    old = (
        read_manifest(args.previous)
        if args.previous.suffix == SUFFIX
        else manifest_rows(
            args.previous, key=roles.key, label=roles.label, source=roles.source, annotator=roles.annotator, kept=kept
        )
    )
    import numpy as np

    trusted = np.ones(sample.rows, dtype=np.bool_)
    trusted[fresh_rows(old, manifest)] = False
    return replace(sample, trusted=trusted if sample.trusted is None else trusted & sample.trusted)


def _show(name: str, listed: list[dict[str, Any]], texts: dict[int, str]) -> list[Decision]:
    """Ask on a page in the browser, at an address of this machine alone."""
    from watchword.cli.serve import installed
    from watchword.data.review import NotDecided

    with installed("the page"):
        from watchword.web.reviewing import Review
        from watchword.web.serving import listen, server
    bound = listen("127.0.0.1", 0)
    review = Review(name, listed, texts, f"127.0.0.1:{bound.getsockname()[1]}")
    running = server(review.app, None, None, lambda: say(f"decide at {review.address}"))
    review.finished = partial(setattr, running, "should_exit", True)
    running.run([bound])
    if review.decisions is None:
        raise NotDecided("the page was ended before every listed row was decided", "nothing was written")
    return review.decisions


def _ask(_: str, listed: list[dict[str, Any]], texts: dict[int, str]) -> list[Decision]:
    """Ask on the terminal, row by row."""
    from watchword.data.review import NotDecided, decided

    if not sys.stdin.isatty():
        hint = "name a table of row, decision, reason with --decisions, or decide in a browser with --page"
        raise NotDecided("nobody is there to ask", hint)
    made = []
    for at, one in enumerate(listed, 1):
        what = f"label {one['label']}, the rest says {one['rest_says']}, {one['why']}"
        say(f"{at} of {len(listed)}: row {one['row']}, {what}")
        say(one_line(texts.get(one["row"], "")))
        while True:
            word, _, reason = input("keep or drop, and why: ").strip().partition(" ")
            try:
                made.append(decided(str(one["row"]), word, reason))
                break
            except NotDecided as error:
                say(error.message)
    return made


def _record(args: argparse.Namespace, manifest: RowManifest, document: bytes, value: dict[str, Any]) -> str:
    from watchword.record import record_first_screening

    def made(here: Any, subject: Any, **signed: Any) -> Any:
        return record_first_screening(
            here, manifest, subject, args.dataset or args.path.name, screen=document, **signed
        )

    return _recorded(args, made, value)


def _record_review(args: argparse.Namespace, difference: Difference, value: dict[str, Any]) -> str:
    from watchword.data.row import DataError
    from watchword.limits import BODY_BYTES_MAX
    from watchword.record import record_screening
    from watchword.statements.canonical import canonical

    document = canonical(value)
    if len(document) > BODY_BYTES_MAX:
        what = f"the decisions have {len(document):,} bytes, a statement carries {BODY_BYTES_MAX:,}"
        raise DataError(what, "the delivery and its review are written; review it in parts to sign them")

    def made(here: Any, subject: Any, **signed: Any) -> Any:
        return record_screening(here, difference, subject, args.dataset or args.path.name, review=document, **signed)

    return _recorded(args, made, value)


def _recorded(args: argparse.Namespace, made: Callable[..., Any], value: dict[str, Any]) -> str:
    from watchword import node
    from watchword.cli.statement import recorded_value, scope, told
    from watchword.cli.subject import UnknownRelease, release, release_name

    if not args.of:
        raise UnknownRelease("--record needs --of RELEASE: the release that was trained on this data")
    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        subject = release(args.of, here, release_name(args, "") if args.system else None)
        recorded = made(here, subject, person=args.person, scope=scope(args))
        here.publish()
        value["recorded"] = recorded_value(here, recorded)
        return told(here, recorded)

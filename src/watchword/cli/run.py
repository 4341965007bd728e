"""``watchword run``: a command on a sealed copy of a release, started only if the release may be used.

The copy's path is in $WATCHWORD_MODEL, its digest in $WATCHWORD_MODEL_DIGEST, and stands for ``{}`` in the command's
words. Where no release is named it is the folder one stands in, and the command runs in its copy: the programs of the
release are what was admitted too. Exit code: the command's own (128 + N when a signal N ended it); 1 when the release
was refused, 2 when nothing could be decided. The command's output is its own; what watchword says goes to stderr, but
for a refusal.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, lower, say, short
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.guard import Held


class NotStarted(WatchwordError):
    """The command could not be started."""


def run(args: argparse.Namespace) -> int:
    """Hold the release, run the command on it, let go; or say why not."""
    from watchword.guard import Refused

    def start(held: Held) -> int:
        about = f"{held.name} ({short(held.digest)})"
        if not args.quiet:
            say(
                f"watchword: note: {about} " + (f"admitted by {short(held.decision)}" if held.decision else "inspected")
            )
        words = [word.replace("{}", str(held.path)) for word in args.command]
        environment = os.environ | {"WATCHWORD_MODEL": str(held.path), "WATCHWORD_MODEL_DIGEST": held.digest}
        descriptors = () if held.descriptor is None else (held.descriptor,)
        return _wait(words, environment, descriptors, held.path if args.model is None and not args.hub else None)

    try:
        with _held(args) as held:
            return start(held)
    except Refused as refused:
        emit(args, _text(refused), _value(refused))
        return 1


def _held(args: argparse.Namespace) -> contextlib.AbstractContextManager[Held]:
    from watchword.guard import Offline, admitted, from_hub
    from watchword.inspect import Verdict

    if len({args.bundle is None, args.charter is None, args.member is None}) > 1:
        words = "--bundle, --charter and --member go together"
        raise NotStarted(words, "a proof proves nothing but under a charter you trust, to a member")
    if args.bundle and not args.use:
        raise NotStarted("--bundle answers for a use", "give --use FILE")
    offline = Offline(args.charter, args.bundle, args.member) if args.bundle else None
    asked: Any = {"use": args.use, "home": args.home, "fail_on": Verdict(args.fail_on), "offline": offline}
    if args.hub:
        if args.model is not None:
            raise NotStarted("--hub and a RELEASE here are two releases", "leave one out")
        name, _, revision = args.hub.partition("@")
        return from_hub(name, revision=revision or None, place=args.in_folder, **asked)
    in_memory = None if args.in_folder is None else False
    return admitted(args.model or ".", in_memory=in_memory, place=args.in_folder, **asked)


def _wait(words: Sequence[str], environment: dict[str, str], descriptors: tuple[int, ...], folder: Path | None) -> int:
    """Start it, hand on what would end us, and give its exit code."""
    try:
        process = subprocess.Popen(words, env=environment, pass_fds=descriptors, cwd=folder)  # noqa: S603  what the user asked for
    except OSError as error:
        words_ = f"{words[0]}: {lower(error.strerror or str(error))}"
        raise NotStarted(words_, "the command stands after --; nothing was run") from error
    # Ctrl-C reaches it too, from the terminal, and it decides when to end; SIGTERM comes to us alone and is handed on.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    terminated = signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGTERM))
    try:
        code = process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
        signal.signal(signal.SIGTERM, terminated)
    return code if code >= 0 else 128 - code


def _text(refused: Any) -> str:
    from watchword.inspect import render_text

    lines = [f"REFUSED  {refused.message}"]
    if refused.explanation is not None:
        from watchword.policy.explain import render_text as explained

        lines += explained(refused.explanation).rstrip("\n").split("\n")
    elif refused.inspection is not None and refused.inspection.findings:
        lines += render_text(refused.inspection).split("\n")
    if refused.hint:
        lines.append(refused.hint)
    return "\n".join(lines)


def _value(refused: Any) -> dict[str, Any]:
    return {
        "schema": "watchword-refused/1",
        "why": refused.message,
        "inspection": None if refused.inspection is None else refused.inspection.to_json(),
        "explanation": refused.explanation,
    }

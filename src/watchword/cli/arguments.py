"""Nouns, verbs, and the arguments that several of them take, for the tree of commands. Imports argparse alone."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Sub = Any
"""What ``add_subparsers`` returns; argparse gives the type no public name."""


def noun(sub: Sub, name: str, text: str) -> Sub:
    """A command that does nothing but hold its verbs."""
    made = sub.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    made.set_defaults(run="completion:help_of", noun=made)
    return made.add_subparsers(metavar="VERB")


def verb(
    sub: Sub, name: str, run: str, text: str, formats: tuple[str, ...] = ("text", "json")
) -> argparse.ArgumentParser:
    """A command that *run* (``module:function``) answers."""
    made: argparse.ArgumentParser = sub.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + ".", parents=[_everywhere(formats)]
    )
    made.set_defaults(run=run)
    return made


def _everywhere(formats: tuple[str, ...]) -> argparse.ArgumentParser:
    everywhere = argparse.ArgumentParser(add_help=False)
    group = everywhere.add_argument_group("everywhere")
    group.add_argument("--home", type=Path, help="the node's folder (else $WATCHWORD_HOME, else a .watchword)")
    group.add_argument("--format", choices=formats, default="text", help="how the result is printed")
    group.add_argument("--quiet", action="store_true", help="no progress on stderr")
    group.add_argument("--passphrase-fd", type=int, metavar="N", help="read the keys' passphrase from this descriptor")
    return everywhere


# -- what is typed ------------------------------------------------------------------------------------


def said(text: str) -> str:
    """A text that says something."""
    if not text.strip():
        raise argparse.ArgumentTypeError("nothing was said")
    return text


def from_one_to(most: int) -> Callable[[str], int]:
    """A number from 1 to *most*."""

    def number(text: str) -> int:
        if not text.isdigit() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"not a number from 1 to {most}")
        return int(text)

    return number


# -- arguments that several commands take -------------------------------------------------------------


def sandboxed(command: argparse.ArgumentParser) -> None:
    """Whether what parses hostile bytes is confined."""
    command.add_argument(
        "--sandbox", choices=("auto", "require", "off"), default="auto",
        help="parsers that can do nothing else: as far as can be here (the default), not without, or no",
    )  # fmt: skip


def release_names(command: argparse.ArgumentParser) -> None:
    """What the release is to be called."""
    command.add_argument("--system", metavar="NAME", help="the system's name (default: the path's last part)")
    command.add_argument("--release", metavar="VERSION", help="the release's version (default: unversioned)")


def person(command: argparse.ArgumentParser) -> None:
    """Who signs."""
    command.add_argument("--person", metavar="NAME", help="whose key signs (default: the one whose role may say this)")


def signer(command: argparse.ArgumentParser) -> None:
    """Who signs, and who may hold what is signed."""
    person(command)
    command.add_argument(
        "--scope", default="alliance", metavar="WHO", help="who may hold the body: public, alliance, own, or ALFA,BRAVO"
    )


def columns(command: argparse.ArgumentParser) -> None:
    """Which columns of a delivery mean what."""
    for name, text in (
        ("key", "names a row in both deliveries"),
        ("label", "holds the label"),
        ("source", "says where a row came from"),
        ("annotator", "says who labelled it"),
    ):
        command.add_argument(f"--{name}", metavar="COLUMN", help=f"the column that {text}")
    command.add_argument("--reveal", action="store_true", help="show the labels themselves, not only their digests")


def peers(command: argparse.ArgumentParser) -> None:
    """With whom to talk over HTTP."""
    command.add_argument(
        "peers", nargs="*", metavar="MEMBER[=URL]", help="with whom (default: every peer that node.toml names)"
    )
    log_format(command)


def log_format(command: argparse.ArgumentParser) -> None:
    """How it tells on stderr what it does."""
    command.add_argument(
        "--log-format", choices=("text", "json"), default="text", help="stderr: trouble in words, or all as JSON lines"
    )


def whose(command: argparse.ArgumentParser) -> None:
    """Whose rules: of packs, of a charter, or those in force here."""
    either = command.add_mutually_exclusive_group()
    either.add_argument(
        "--pack", action="append", default=[], metavar="NAME|FILE", help="a pack that comes with watchword, or a file"
    )
    either.add_argument("--charter", type=Path, metavar="FILE", help="this charter (default: the one in force here)")


def metrics(command: argparse.ArgumentParser) -> None:
    """Where Prometheus asks."""
    command.add_argument(
        "--metrics", type=int, metavar="PORT", help="also answer GET /metrics on 127.0.0.1, for Prometheus; 0: any port"
    )


def listening(command: argparse.ArgumentParser, port: int) -> None:
    """Where to listen, and the files for TLS."""
    command.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="where to listen (default: 127.0.0.1)")
    command.add_argument("--port", type=int, default=port, metavar="N", help=f"default: {port}; 0 takes a free one")
    command.add_argument("--tls-certificate", type=Path, metavar="FILE", help="PEM; without it plain HTTP")
    command.add_argument("--tls-key", type=Path, metavar="FILE", help="PEM, not encrypted")
    log_format(command)

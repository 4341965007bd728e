"""The tree of the commands of a node's life: joining, looking after it, copying it. Imports argparse alone."""

from __future__ import annotations

from pathlib import Path

from watchword.cli.arguments import Sub, from_one_to, noun, said, verb
from watchword.limits import JSON_INTEGER_MAX


def life_commands(commands: Sub) -> None:
    """``join``, ``doctor``, ``backup``, ``restore``, ``upgrade``, ``retention``."""
    join = verb(commands, "join", "join:run", "join an alliance, or let somebody in: the next step of the ceremony")
    join.add_argument("folder", type=Path, metavar="FOLDER", help="where the files of this ceremony lie, for all sides")
    join.add_argument("--heard", metavar="DIGITS", help="the digits that the other side read aloud, as you heard them")
    join.add_argument("--from", dest="by", default="", metavar="MEMBER", help="who read them to you, a newcomer")
    join.add_argument("--secret", type=Path, metavar="FILE", help="the alliance secret, as you got it by hand")
    join.add_argument(
        "--peer", action="append", default=[], metavar="MEMBER[=URL]", help="also talk to this member over HTTP"
    )
    join.add_argument("--root", default="root", metavar="KEY", help="which root key signs, such as root-2")
    doctor = verb(commands, "doctor", "doctor:run", "is this node well, and what mends it; changes nothing")
    doctor.add_argument("--port", type=int, metavar="N", help="where it is to be served: is that free, or this node's?")
    doctor.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="at which address (default: 127.0.0.1)")
    doctor.add_argument("--tls-certificate", type=Path, metavar="FILE", help="PEM, as for serve: how long is it good?")
    doctor.add_argument("--tls-key", type=Path, metavar="FILE", help="PEM: is it that certificate's?")
    backup = verb(commands, "backup", "backup:run", "copy this node's folder into one file")
    text = "where it goes; in a folder, under the member's name and the time"
    backup.add_argument("file", type=Path, metavar="FILE|FOLDER", help=text)
    backup.add_argument("--without-keys", action="store_true", help="leave out private keys: they are kept elsewhere")
    backup.add_argument("--move", action="store_true", help="close this node first: it goes on where FILE is restored")
    restore = verb(commands, "restore", "backup:restore", "put a copy of a node in place, where nothing is yet")
    restore.add_argument("file", type=Path, metavar="FILE")
    upgrade = verb(commands, "upgrade", "backup:upgrade", "bring this node's folder to the newest format, after a copy")
    upgrade.add_argument("--copy", type=Path, required=True, metavar="FILE", help="where the copy goes, as backup does")
    _retention(commands)
    _update(commands)
    verb(commands, "licences", "licences:run", "print what is shipped besides code, whose it is, and on which terms")


def _retention(commands: Sub) -> None:
    retention = noun(commands, "retention", "what this home holds on persons, until when, and its erasure")
    verb(retention, "show", "retention:show", "print who is named here, what they signed, and when the name goes")
    name = verb(retention, "name", "retention:name", "keep in this home alone who the label of a key is")
    name.add_argument("label", metavar="LABEL", help="as keys and charter call the person")
    name.add_argument("--name", required=True, metavar="TEXT", type=said)
    name.add_argument("--contact", default="", metavar="TEXT")
    erase = verb(retention, "erase", "retention:erase", "take names out for good; signatures and receipts stay whole")
    erase.add_argument("label", nargs="?", metavar="LABEL")
    erase.add_argument("--reason", metavar="TEXT", type=said, help="why before the rule says so, such as a request")
    erase.add_argument("--due", action="store_true", help="all whom the rule in node.toml has erased by now")


def _update(commands: Sub) -> None:
    update = noun(commands, "update", "signed data that came after the release: names, norms, packs; offline")
    install = verb(update, "install", "update:install", "check a signed update and put its data in force for this user")
    install.add_argument("file", type=Path, metavar="FILE")
    text = "whose updates are taken, the first time: a supplier's enrolment.json, or its name in the charter"
    install.add_argument("--signer", metavar="FILE|NAME", help=text)
    verb(update, "show", "update:show", "print what is in force besides what the release ships, and what was before")
    remove = verb(update, "remove", "update:remove", "go back to what the release ships; older versions stay refused")
    remove.add_argument("--signer", action="store_true", help="forget whose updates are taken, and their versions, too")
    make = verb(update, "make", "update:make", "sign a version of the data, as the supplier of this home")
    make.add_argument("source", type=Path, metavar="FILE", help="TOML: source, licence, denied, rebuilds, norms, packs")
    number = make.add_argument("--data-version", type=from_one_to(JSON_INTEGER_MAX), required=True, metavar="N")
    number.help = "greater than that of any before"
    make.add_argument("--output", type=Path, metavar="FILE", help="default: watchword-data-N.json")

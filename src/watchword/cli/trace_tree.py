"""The commands that follow whose word something rests on, declared; as in ``cli.tree``."""

from __future__ import annotations

from pathlib import Path

from watchword.cli.arguments import Sub, noun, person, verb


def tracing(commands: Sub) -> None:
    """``trace`` and ``incident``."""
    text = "whose word something rests on, each link verified, each with its owner"
    trace = verb(commands, "trace", "trace:run", text)
    text = "a hold, an action's or release's digest or name, ALFA/record#3, or a statement's id or locator"
    trace.add_argument("what", metavar="ID", help=text)
    trace.add_argument("--forward", action="store_true", help="the other way: what rests on it")
    trace.add_argument("--page", type=Path, metavar="FILE", help="also write it as a page with its graph (HTML)")
    incident = noun(commands, "incident", "say what went wrong, early and to all; see what others said")
    new = verb(incident, "new", "incident:new", "sign an incident: it warns every member, and by itself stops nothing")
    new.add_argument("file", type=Path, metavar="FILE", help="what happened (TOML; docs/howto/incident.md)")
    new.add_argument("--of", required=True, metavar="TARGET", help="a release, or a name such as supplier:AQUILA")
    text = "an action of this gate that belongs to it: a hold, a digest or ALFA/record#3"
    new.add_argument("--action", action="append", default=[], metavar="ID", help=text)
    text = "a statement that found something: its id or locator"
    new.add_argument("--finding", action="append", default=[], metavar="ID", help=text)
    text = "leave this field out of what all may read: actions, done, findings or text"
    new.add_argument("--redactable", action="append", default=[], metavar="FIELD", help=text)
    new.add_argument("--output", type=Path, metavar="FILE", help="also write it there, with what was left out")
    person(new)
    listing = verb(incident, "list", "incident:list_", "list the incidents this node knows of, oldest first")
    listing.add_argument("--of", metavar="TARGET", help="about this release or name")
    show = verb(incident, "show", "incident:show", "print an incident and the chain behind it, each link verified")
    show.add_argument("what", metavar="ID|FILE", help="an id, a locator, or a file from incident new")

"""``watchword admit`` and ``watchword policy``: decide, explain, show the table."""

from __future__ import annotations

import argparse
from pathlib import Path

from watchword.cli.output import emit, passphrase, write_new
from watchword.errors import WatchwordError


class NoCharter(WatchwordError):
    """Cedar is made from a charter, and none was named."""


def run(args: argparse.Namespace) -> int:
    """Decide on a release for a use case; exit 0 when admitted."""
    from watchword import node
    from watchword.cli.statement import recorded_value, scope, told
    from watchword.cli.subject import release
    from watchword.policy.admission import admit
    from watchword.policy.explain import render_text
    from watchword.policy.use_case import read_use_case
    from watchword.statements.times import parse_time, rfc3339

    use_case = read_use_case(args.use)
    if args.at:
        parse_time(args.at)
    recording = not (args.no_record or args.at)
    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=recording) as here:
        subject = release(args.subject, here)
        view = here.latest_view()
        facts = here.facts(view)
        as_of = args.at or rfc3339(here.clock.now())
        admission = admit(here.charter, view, facts, as_of, subject, use_case)
        lines = [render_text(admission.explanation)]
        value = admission.explanation | {"decision": admission.decision}
        if recording:
            recorded = here.record_decision(
                admission.decision, admission.objects, person=args.person, scope=scope(args)
            )
            here.publish()
            lines.append(told(here, recorded))
            value["recorded"] = recorded_value(here, recorded)
        if args.report:
            from watchword.assure import decision_page

            write_new(args.report, decision_page(here, admission, facts).encode())
            lines.append(f"wrote {args.report}")
    emit(args, "\n".join(lines), value)
    return 0 if admission.admitted else 1


def policy(args: argparse.Namespace) -> int:
    """Print the requirement table of the charter in force, or of a pack; or the charter's Cedar."""
    from watchword import node
    from watchword.charter.charter import read_charter_file
    from watchword.policy.cedar import cedar_text
    from watchword.policy.pack import read_pack, render_table

    if args.pack:
        if args.cedar:
            raise NoCharter("--cedar needs a charter: a pack has no members yet", "leave out --pack")
        pack = read_pack(None if args.pack == Path("alliance") else args.pack)
        requirements, red_lines = pack.requirements, pack.red_lines
        text = render_table(requirements, red_lines)
    else:
        charter = read_charter_file(node.find_home(args.home) / "charter.json").charter
        requirements, red_lines = charter.value["requirements"], charter.value["red_lines"]
        text = cedar_text(charter) if args.cedar else render_table(requirements, red_lines)
    rows = {"red_lines": red_lines, "requirements": requirements}
    emit(args, text.rstrip("\n"), {"schema": "watchword-policy/1", "text": text} | rows)
    return 0

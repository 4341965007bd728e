"""``watchword admit``: decide and explain."""

from __future__ import annotations

import argparse

from watchword.cli.output import emit, passphrase, write_new


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

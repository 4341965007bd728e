"""``watchword evaluate import`` and ``export``: reports of other tools as evidence, and evidence in others' forms."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, keeping, naming, one_line, passphrase, say, write_new
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.evaluate.exports import Result
    from watchword.evaluate.imports import Report
    from watchword.node import Node
    from watchword.statements.statement import Statement

_SHOWN = 20


class NotAnEvaluation(WatchwordError):
    """A statement of another kind where an evaluation is asked for."""


def read(args: argparse.Namespace) -> int:
    """Say what a report counts, finds and claims, and sign it with ``--record``; exit 1 when it found something."""
    from watchword.evaluate.imports import read_report_confined

    with naming(args.file):
        report = read_report_confined(args.file, keeping(args))
    value = report.to_json()
    lines = _lines(report)
    if args.record:
        lines += _record(args, report, value)
    emit(args, "\n".join(lines), value)
    return 1 if report.found or report.unfinished else 0


def _lines(report: Report) -> list[str]:
    from watchword.chance import interval_text

    about = f" of {report.subject}" if report.subject else ""
    lines = [one_line(f"{report.format}: {report.tool} {report.version}".rstrip() + about)]
    if report.unfinished:
        lines.append(one_line(f"  NOT FINISHED  {report.unfinished}"))
    for one in report.measured:
        low, high = interval_text(one.k, one.n)
        beside = [(one.errors, "broke"), (one.nones, "without a verdict"), (one.not_run, "never run")]
        told = "".join(f", {number} {word}" for number, word in beside if number)
        lines.append(one_line(f"  {one.metric} {one.k} of {one.n} ({low} to {high}){told}: {one.method}"))
    if report.found or report.looked_at or report.unread:
        lines.append(f"  {len(report.found)} found in {report.looked_at} looked at, {report.unread} not read")
    for found in report.found[:_SHOWN]:
        lines.append(one_line(f"    {found.severity or 'unrated':9} {found.rule}  {found.path}  {found.message}"))
    if report.claimed:
        lines.append(f"  {len(report.claimed)} numbers without counts: claims, not evidence")
    for claimed in report.claimed[:_SHOWN]:
        between = f" ({claimed.low} to {claimed.high})" if claimed.low or claimed.high else ""
        lines.append(one_line(f"    {claimed.metric} {claimed.value}{between}  {claimed.about}".rstrip()))
    for file in report.files[:_SHOWN]:
        lines.append(one_line(f"    {file.name}  {file.sha256 or 'no digest'}"))
    left = sum(max(0, len(part) - _SHOWN) for part in (report.found, report.claimed, report.files))
    if left:
        lines.append(f"    and {left} more (--format json)")
    return lines + [one_line(f"  note: {note}") for note in report.notes[:_SHOWN]]


def _record(args: argparse.Namespace, report: Report, value: dict[str, Any]) -> list[str]:
    from watchword import node
    from watchword.cli.statement import recorded_value, scope, told
    from watchword.cli.subject import UnknownRelease, release, release_name
    from watchword.record.imported import record_report

    if not args.of:
        raise UnknownRelease("--record needs --of RELEASE: the release that the report is about")
    threat = {"capability": args.capability, "goal": args.goal, "knowledge": args.knowledge}
    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        subject = release(args.of, here, release_name(args, "") if args.system else None)
        signed = record_report(here, report, subject, threat, person=args.person, scope=scope(args))
        here.publish()
        value["recorded"] = [recorded_value(here, one) for one in signed]
        return [told(here, one) for one in signed]


def export(args: argparse.Namespace) -> int:
    """Write evaluation statements that this node holds in the form of another tool."""
    from watchword import node
    from watchword.evaluate.exports import attested, cyclonedx, sarif

    with node.Node.open(node.find_home(args.home), writing=False) as here:
        results = [_result(here, what) for what in args.statements]
    if args.form in ("test-result", "svr"):
        try:
            document = attested(results, args.form)
        except ValueError as error:
            raise NotAnEvaluation(str(error), "export each release on its own") from error
    else:
        document = sarif(results) if args.form == "sarif" else cyclonedx(results)
    text = json.dumps(document, indent=2, ensure_ascii=False)
    if args.output:
        write_new(args.output, text.encode() + b"\n")
        say(f"wrote {args.output}")
    else:
        emit(args, text, document)
    return 0


def _result(here: Node, what: str) -> Result:
    from watchword.evaluate.exports import Result

    statement: Statement = here.locate(what).signed.statement
    if statement.kind != "evaluation":
        raise NotAnEvaluation(f"{what}: {statement.kind}, not an evaluation")
    said, subject = statement.predicate, statement.subject[0]
    metric = _plan_metric(here, said.get("plan"))
    return Result(
        statement.id, statement.issuer, said["made"], subject.name, subject.digest, said["tool"]["name"],
        said["tool"]["version"], said["method"], said["metric"], said["k"], said["n"], said["low"], said["high"],
        said.get("flags") or "", said.get("plan") or "",
        None if metric is None else "at most" if metric["name"] == "attack-success-rate" else "at least",
        "" if metric is None else metric["threshold"],
    )  # fmt: skip


def _plan_metric(here: Node, plan: str | None) -> dict[str, Any] | None:
    """The metric and threshold that the plan fixed; None where there is no plan, or it is not held here."""
    for one in here.statements() if plan else ():
        if one.statement.id == plan:
            metric = one.statement.predicate["plan"]["metric"]
            return metric if isinstance(metric, dict) else None
    return None

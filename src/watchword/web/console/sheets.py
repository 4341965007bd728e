"""The table's rows."""

from __future__ import annotations

from watchword.evaluate.pictures import NoPictures, figures, read_pictured
from watchword.record.evaluating import attached_report
from watchword.report.board import sections
from watchword.report.html import Html, join, tag
from watchword.web.console.knowledge import Snapshot
from watchword.web.console.pages import (
    decisions,
    exposures,
    incidents,
    ledgers,
    overview,
    patterns,
    people,
    positions,
    recording,
    releases,
    rules,
    suppliers,
    traces,
)
from watchword.web.console.table import Asked, Sheet


def _oversight(known: Snapshot, asked: Asked) -> Html:
    return sections(people.oversight_board(known, asked))


def _behind(known: Snapshot, asked: Asked) -> Html:
    return sections(traces.behind_board(known, asked))


def _onward(known: Snapshot, asked: Asked) -> Html:
    return sections(traces.onward_board(known, asked))


def _compared(known: Snapshot, asked: Asked) -> Html:
    board = positions.board_of(known, asked)
    return join() if board is None else sections(board)


def _evaluated(known: Snapshot, asked: Asked) -> Html:
    """Pictures from the attached report, for this member's own people: it may hold instances of the data."""
    found = known.held.find(asked.path["id"])
    report = None
    if found is not None and asked.reader.member == known.member:
        report = attached_report(known.node, found.statement)
    try:
        return join() if report is None else figures(read_pictured(report))
    except NoPictures as error:
        return tag("p", error.message, class_="quiet")


SHEETS = (
    Sheet("/status", "status.html", "member", overview.status, overview.StatusPage, "Status", "Status"),
    Sheet(
        "/releases", "releases.html", "allies", releases.releases, releases.ReleasesPage, "Systems and releases",
        "Releases", ("page", "find"),
    ),
    Sheet(
        "/releases/{digest}", "release.html", "allies", releases.release, releases.ReleasePage,
        "A release: claim, argument, evidence",
    ),
    Sheet(
        "/decisions", "decisions.html", "allies", decisions.decisions, decisions.DecisionsPage, "Decisions recorded",
        "Decisions", ("page",),
    ),
    Sheet(
        "/decisions/{id}", "decision.html", "allies", decisions.decision, decisions.DecisionPage,
        "A recorded decision, explained",
    ),
    Sheet(
        "/admissions/{digest}/{use}", "admission.html", "member", decisions.admission, decisions.DecisionPage,
        "An admission as it would be decided now",
    ),
    Sheet("/approvals", "approvals.html", "member", people.approvals, people.ApprovalsPage, "What waits", "Approvals"),
    Sheet("/notices", "notices.html", "member", ledgers.notices, ledgers.NoticesPage, "Notices", "Notices"),
    Sheet("/recalls", "recalls.html", "allies", traces.recalls, traces.RecallsPage, "Recalls", "Recalls"),
    Sheet(
        "/incidents", "incidents.html", "allies", incidents.incidents, incidents.IncidentsPage, "Incidents",
        "Incidents", ("page",),
    ),
    Sheet(
        "/incidents/{id}", "incident.html", "allies", incidents.incident, incidents.IncidentPage,
        "An incident: acts, findings, techniques, who was warned",
    ),
    Sheet(
        "/exposure", "exposure.html", "member", exposures.exposure, exposures.ExposurePage, "Exposure", "Exposure",
        ("of", "stops"),
    ),
    Sheet(
        "/traces/{id}", "trace.html", "member", traces.behind, traces.TracePage, "Whose word it rests on",
        drawn=_behind,
    ),
    Sheet(
        "/traces/{id}/forward", "onward.html", "member", traces.onward, traces.TracePage, "What rests on it",
        drawn=_onward,
    ),
    Sheet(
        "/evaluations", "evaluations.html", "allies", people.evaluations, people.EvaluationsPage,
        "Evaluations under attack", "Evaluations", ("page",),
    ),
    Sheet(
        "/evaluations/{id}", "evaluation.html", "allies", people.evaluation, people.EvaluationPage, "An evaluation",
        drawn=_evaluated,
    ),
    Sheet(
        "/oversight", "oversight.html", "member", people.oversight, people.OversightPage, "How people answer",
        "Oversight", drawn=_oversight,
    ),
    Sheet("/ledgers", "ledgers.html", "allies", ledgers.ledgers, ledgers.LedgersPage, "Ledgers", "Ledgers"),
    Sheet(
        "/ledgers/{member}", "ledger.html", "allies", ledgers.ledger, ledgers.LedgerPage, "A member's ledgers",
        query=("page", "kind"),
    ),
    Sheet("/statements/{id}", "statement.html", "anyone", ledgers.statement, ledgers.StatementPage, "A statement"),
    Sheet("/charter", "charter.html", "allies", rules.charter, rules.CharterPage, "The charter in force", "Charter"),
    Sheet(
        "/charters/{digest}/{other}", "comparison.html", "allies", rules.comparison, rules.ComparisonPage,
        "Two charters compared",
    ),
    Sheet(
        "/positions", "positions.html", "member", positions.positions, positions.PositionsPage, "Positions compared",
        "Positions", drawn=_compared,
    ),
    Sheet("/policy", "coverage.html", "allies", rules.policy, rules.CoveragePage, "Norms served", "Policy"),
    Sheet(
        "/suppliers", "suppliers.html", "member", suppliers.suppliers, suppliers.SuppliersPage, "Suppliers",
        "Suppliers",
    ),
    Sheet(
        "/suppliers/{supplier}", "supplier.html", "member", suppliers.supplier, suppliers.SupplierPage,
        "What is recorded of a supplier",
    ),
    Sheet(
        "/record", "record.html", "member", recording.record, recording.RecordPage, "Record a statement", "Record",
    ),
    Sheet("/looks", "looks.html", "member", people.looks, people.LooksPage, "Who looked", "Looks"),
    Sheet("/patterns", "patterns.html", "anyone", patterns.patterns, patterns.PatternsPage, "Parts of pages"),
)  # fmt: skip

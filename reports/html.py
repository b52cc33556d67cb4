"""The report of one run as one HTML file that needs nothing else: no network, no server, no script."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.verdicts import DatasetReport, RangeAccount, Reason, RunReport
from contracts.vocabulary import CheckStatus, Exclusion, StoreName
from reports.accounting import Account, accounts, exclusions, unbalanced
from reports.budget import CHECKS_MAX, KEYS_MAX, LISTED_BYTES, RANGES_MAX, REASONS_MAX, Budget, Shown, first
from reports.charts import Chart, differences_chart, rows_chart, trend
from reports.checks import CheckView, Tally, check_views, tally
from reports.clusters import ClusterView, cluster_views
from reports.health import alert_lines, store_lines, sync_sentence
from reports.page import render
from reports.proof import Tried, tried
from reports.repair.offer import plan_offer
from reports.replication import ReplicationView, replication_view
from reports.text import percent, slug


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetView:
    """One dataset, ready to be drawn.

    Attributes:
        report: What is rendered.
        anchor: Id of its section.
        reasons: Its reasons.
        share: How many of the rows of both stores agree, in percent.
        compared: Number of keys that were compared.
        tallies: How the checks came out, per store.
        clusters: Differences by cause.
        checks: Checks that need a look, the worst first.
        passed: Checks that passed on every store.
        accounts: Conservation per side.
        exclusions: Excluded rows of both sides, by reason.
        unbalanced: Number of ranges that do not add up.
        ranges: Conservation per range.
        tried: How the comparison tested itself.
        replication: How its replication stood; None for a dataset that cannot be replicated.
        under_way: Keys whose change is under way.
        repair: The command that plans the repair; empty where there is none.
        differences_chart: Differences over time.
        rows_chart: Rows over time.
    """

    report: DatasetReport
    anchor: str
    reasons: Shown[Reason]
    share: str
    compared: int
    tallies: dict[StoreName, Tally]
    clusters: Shown[ClusterView]
    checks: Shown[CheckView]
    passed: Shown[CheckView]
    accounts: tuple[Account, ...]
    exclusions: dict[Exclusion, tuple[int, int]]
    unbalanced: int
    ranges: Shown[RangeAccount]
    tried: tuple[Tried, ...]
    replication: ReplicationView | None
    under_way: Shown[str]
    repair: str
    differences_chart: Chart
    rows_chart: Chart


def to_html(report: RunReport, *, mask_key: bytes) -> str:
    """Render a run as one HTML page.

    The page is the same for the same report and key. Values that its reader may not see are masked.

    Args:
        report: What is rendered.
        mask_key: Secret key of the hashes that stand for masked values.
    """
    budget = Budget(LISTED_BYTES)
    return render(
        "report.html.j2",
        report=report,
        reasons=first(report.reasons, REASONS_MAX),
        tally=tally(check for dataset in report.datasets for check in dataset.checks),
        datasets=[dataset_view(dataset, report, mask_key, budget) for dataset in report.datasets],
        health=report.health,
        store_lines=store_lines(report.health) if report.health else (),
        alerts=alert_lines(report.health) if report.health else (),
        sync_sentence=sync_sentence,
    )


def dataset_view(dataset: DatasetReport, report: RunReport, mask_key: bytes, budget: Budget) -> DatasetView:
    """Return one dataset ready to be drawn, within what is left of the page's budget."""
    checks = check_views(dataset.name, dataset.checks)
    open_checks = [check for check in checks if check.status is not CheckStatus.PASSED]
    passed = [check for check in checks if check.status is CheckStatus.PASSED]
    rows, points = dataset.rows, trend(dataset, report)
    compared = rows.matched + rows.differing + rows.only_primary + rows.only_secondary
    return DatasetView(
        report=dataset,
        anchor=slug("dataset", dataset.name),
        reasons=first(dataset.reasons, REASONS_MAX),
        share=percent(rows.matched, compared),
        compared=compared,
        tallies={store: tally(c for c in dataset.checks if c.store is store) for store in StoreName},
        clusters=cluster_views(dataset, report, mask_key, budget),
        checks=first(open_checks, CHECKS_MAX),
        passed=first(passed, max(0, CHECKS_MAX - len(open_checks))),
        accounts=accounts(dataset),
        exclusions=exclusions(dataset),
        unbalanced=len(unbalanced(dataset)),
        ranges=first(_ranges(dataset), RANGES_MAX),
        tried=tried(dataset.proof),
        replication=replication_view(dataset.replication) if dataset.replication else None,
        under_way=_under_way(dataset),
        repair=plan_offer(report, dataset),
        differences_chart=differences_chart(points),
        rows_chart=rows_chart(points),
    )


def _under_way(dataset: DatasetReport) -> Shown[str]:
    if dataset.replication is None:
        return first((), KEYS_MAX)
    keys = [one.key for one in dataset.replication.pending]
    return first(keys, KEYS_MAX, dataset.replication.pending_total)


def _ranges(dataset: DatasetReport) -> list[RangeAccount]:
    """Return the ranges by key, those that do not add up before all others."""
    return sorted(dataset.ranges, key=lambda r: not (r.primary.balance or r.secondary.balance))

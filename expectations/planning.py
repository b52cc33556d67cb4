"""The suite of the planning dataset: what must hold for the table as a whole, on both stores alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from contracts.vocabulary import Severity, StoreName
from expectations.queries import query
from expectations.suite import Ask, DeclaredCheck, Facts, Finding, Skip, Suite


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningThresholds:
    """Limits of the planning suite; the defaults suit tables of some hundred to ten million rows.

    Attributes:
        trend_runs: Earlier counts that a trend needs.
        trend_share: How far the number of rows may be from the median of the earlier counts, as a share of it.
        shrink_share: The share of the rows of the run before that may be gone.
        slack_rows: Rows that may come or go in any case, so that small tables are not judged by one person's work.
        fresh_days: Age in days that the newest change may have.
        ahead_hours: Hours that the newest change may lie ahead of the run, for clocks that differ.
        share_rows: Rows below which a share says nothing and is skipped.
        null_user_id: Highest share of records without an owner (guests).
        null_project_id: Highest share of records without a project.
        null_metadata: Highest share of records without metadata.
        type_share_max: Highest share of one content type.
        failed_share_max: Highest share of failed records.
        draft_share_max: Highest share of drafts.
        orphan_min_records: Records from which on a project without any owner counts.
        owner_day_rows: Records that an owner may make within a day in any table.
        owner_day_share: The same as a share of the table; the higher of the two holds.
    """

    trend_runs: int = 3
    trend_share: float = 0.3
    shrink_share: float = 0.1
    slack_rows: int = 50
    fresh_days: float = 7
    ahead_hours: float = 24
    share_rows: int = 100
    null_user_id: float = 0.5
    null_project_id: float = 0.8
    null_metadata: float = 0.8
    type_share_max: float = 0.9
    failed_share_max: float = 0.3
    draft_share_max: float = 0.9
    orphan_min_records: int = 3
    owner_day_rows: int = 1000
    owner_day_share: float = 0.05


_Facts = Facts[PlanningThresholds]
_Plan = Callable[[_Facts], Ask | Skip]


def _volume_trend(facts: _Facts) -> Ask | Skip:
    limits = facts.thresholds
    if len(facts.trend) < limits.trend_runs:
        return Skip(why=f"A trend needs {limits.trend_runs} earlier runs, and {len(facts.trend)} are known.")
    usual = median(facts.trend)
    off = max(usual * limits.trend_share, limits.slack_rows)
    return _row_count(max(0, int(usual - off)), int(usual + off), f"usual: {usual:.0f}")


def _not_shrunk(facts: _Facts) -> Ask | Skip:
    if not facts.trend:
        return Skip(why="No earlier run is known.")
    before, limits = facts.trend[-1], facts.thresholds
    gone = max(before * limits.shrink_share, limits.slack_rows)
    return _row_count(max(0, int(before - gone)), None, f"run before: {before}")


def _row_count(least: int, most: int | None, compared: str) -> Ask:
    from great_expectations.expectations.core.expect_table_row_count_to_be_between import ExpectTableRowCountToBeBetween

    return Ask(
        expectation=ExpectTableRowCountToBeBetween(min_value=least, max_value=most),
        read=lambda result: Finding(observed=f"{result['observed_value']} rows; {compared}"),
    )


def _freshness(facts: _Facts) -> Ask | Skip:
    from great_expectations.expectations.core.expect_column_max_to_be_between import ExpectColumnMaxToBeBetween

    def at(moment: datetime) -> datetime:
        """Write an instant as the column does: without a zone, in UTC, on the store that keeps none."""
        moment = moment.astimezone(UTC)
        return moment.replace(tzinfo=None) if facts.store is StoreName.PRISMA else moment

    limits = facts.thresholds
    return Ask(
        expectation=ExpectColumnMaxToBeBetween(
            column="updated_at",
            min_value=at(facts.now - timedelta(days=limits.fresh_days)),
            max_value=at(facts.now + timedelta(hours=limits.ahead_hours)),
        ),
        read=lambda result: Finding(observed=f"newest change: {result['observed_value']:%Y-%m-%d %H:%M} UTC"),
    )


def _null_rate(column: str, limit: Callable[[PlanningThresholds], float]) -> _Plan:
    def plan(facts: _Facts) -> Ask | Skip:
        from great_expectations.expectations.core.expect_column_proportion_of_non_null_values_to_be_between import (
            ExpectColumnProportionOfNonNullValuesToBeBetween,
        )

        return _if_many(
            facts,
            lambda: Ask(
                expectation=ExpectColumnProportionOfNonNullValuesToBeBetween(
                    column=column, min_value=1 - limit(facts.thresholds), max_value=1
                ),
                read=lambda result: Finding(observed=f"{1 - result['observed_value']:.1%} NULL"),
            ),
        )

    return plan


def _type_distribution(facts: _Facts) -> Ask | Skip:
    limit = facts.thresholds.type_share_max
    return _if_many(facts, lambda: _no_rows("type_distribution", type_share_max=limit))


def _status_distribution(facts: _Facts) -> Ask | Skip:
    limits = facts.thresholds
    return _if_many(
        facts,
        lambda: _no_rows(
            "status_distribution",
            failed_share_max=limits.failed_share_max,
            draft_share_max=limits.draft_share_max,
        ),
    )


def _id_unique(facts: _Facts) -> Ask | Skip:  # noqa: ARG001 - every plan is given the facts
    return _no_rows("id_unique")


def _orphaned_projects(facts: _Facts) -> Ask | Skip:
    return _no_rows("orphaned_projects", orphan_min_records=facts.thresholds.orphan_min_records)


def _growth_per_user(facts: _Facts) -> Ask | Skip:
    limits = facts.thresholds
    return _no_rows(
        "growth_per_user", owner_day_rows=max(limits.owner_day_rows, int(facts.rows * limits.owner_day_share))
    )


def _if_many(facts: _Facts, ask: Callable[[], Ask]) -> Ask | Skip:
    """Plan a check of shares only where there are enough rows for a share to mean something."""
    needed = facts.thresholds.share_rows
    return ask() if facts.rows >= needed else Skip(why=f"A share needs {needed} rows, and there are {facts.rows}.")


def _no_rows(name: str, **limits: float) -> Ask:
    """Plan a query that returns the violations and nothing when there are none."""
    from expectations.violations import ExpectNoViolations

    return Ask(
        expectation=ExpectNoViolations(unexpected_rows_query=query("planning.sql", name, **limits)),
        read=_read_rows,
    )


def _read_rows(result: Mapping[str, Any]) -> Finding:
    rows = result["details"]["unexpected_rows"]
    if len(rows) != result["observed_value"]:
        raise KeyError("unexpected_rows")
    if not rows:
        return Finding(observed="no violation")
    return Finding(
        observed=rows[0]["observed"],
        failing_rows=int(rows[0]["failing_rows"]),
        sample_keys=tuple(row["sample_key"] for row in rows if row["sample_key"] is not None),
    )


def _check(
    name: str, severity: Severity, plan: _Plan, sentence: str, *broken_by: str
) -> DeclaredCheck[PlanningThresholds]:
    return DeclaredCheck(id=f"planning.{name}", severity=severity, plan=plan, sentence=sentence, broken_by=broken_by)


PLANNING_SUITE = Suite(
    dataset_name="planning",
    thresholds=PlanningThresholds(),
    checks=(
        _check(
            "volume_trend",
            Severity.WARNING,
            _volume_trend,
            "The number of rows is near that of earlier runs; a jump means a runaway import or lost writes.",
            "table_flooded",
            "table_halved",
        ),
        _check(
            "not_shrunk",
            Severity.CRITICAL,
            _not_shrunk,
            "The table did not lose more than a small share of its rows since the run before; else rows were deleted.",
            "table_halved",
        ),
        _check(
            "freshness",
            Severity.WARNING,
            _freshness,
            "The newest change is recent and not in the future; else writes do not arrive or a clock is wrong.",
            "table_stale",
        ),
        _check(
            "null_rate.user_id",
            Severity.WARNING,
            _null_rate("user_id", lambda limits: limits.null_user_id),
            "Most records have an owner; many without one mean that a writer lost the owners, not many guests.",
            "table_owners_lost",
        ),
        _check(
            "null_rate.project_id",
            Severity.WARNING,
            _null_rate("project_id", lambda limits: limits.null_project_id),
            "A fair share of the records belongs to a project; none doing so means that the column is not written.",
            "table_projects_lost",
        ),
        _check(
            "null_rate.metadata",
            Severity.WARNING,
            _null_rate("metadata", lambda limits: limits.null_metadata),
            "A fair share of the records has metadata; none having them means that the column is not written.",
            "table_metadata_lost",
        ),
        _check(
            "id_unique",
            Severity.CRITICAL,
            _id_unique,
            "No two rows have the same UUID in different spellings; only one of them can exist on supabase.",
            "table_with_two_spellings",
        ),
        _check(
            "type_distribution",
            Severity.WARNING,
            _type_distribution,
            "No content type makes up nearly the whole table; else a writer files everything under one type.",
            "table_of_one_type",
        ),
        _check(
            "status_distribution",
            Severity.WARNING,
            _status_distribution,
            "Failed records are few and drafts are not nearly all; else generation is broken or no status is written.",
            "table_all_failed",
        ),
        _check(
            "orphaned_projects",
            Severity.WARNING,
            _orphaned_projects,
            "Every project has a record with an owner; one without any is seen by nobody who may open it.",
            "table_owners_lost",
        ),
        _check(
            "growth_per_user",
            Severity.WARNING,
            _growth_per_user,
            "No owner makes a flood of records within a day; one who does is a looping client.",
            "table_flooded",
        ),
    ),
)

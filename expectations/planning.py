"""The suite of the planning dataset: what must hold for the table as a whole, on both stores alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from contracts.planning import PLANNING
from contracts.vocabulary import Severity
from expectations.queries import ask_for_violations, ask_whether, fill, queries
from expectations.suite import Ask, DeclaredCheck, Facts, Skip, Suite
from expectations.table_checks import (
    TableThresholds,
    freshness,
    if_many,
    key_unique,
    not_shrunk,
    null_rate,
    volume_trend,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningThresholds(TableThresholds):
    """Limits of the planning suite, beside those of any table.

    Attributes:
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


def _query(name: str, facts: _Facts, **limits: float) -> str:
    return fill(queries("planning.sql")[name], facts, **limits)


def _type_distribution(facts: _Facts) -> Ask | Skip:
    query = _query("type_distribution", facts, type_share_max=facts.thresholds.type_share_max)
    return if_many(facts, lambda: ask_whether(query, lambda row: f"{row['most']:.1%} of the rows have one type"))


def _status_distribution(facts: _Facts) -> Ask | Skip:
    limits = facts.thresholds
    query = _query(
        "status_distribution",
        facts,
        failed_share_max=limits.failed_share_max,
        draft_share_max=limits.draft_share_max,
    )
    return if_many(
        facts, lambda: ask_whether(query, lambda row: f"{row['failed']:.1%} failed, {row['draft']:.1%} draft")
    )


def _orphaned_projects(facts: _Facts) -> Ask | Skip:
    query = _query("orphaned_projects", facts, orphan_min_records=facts.thresholds.orphan_min_records)
    return ask_for_violations(query, lambda row: f"{row['projects']} projects without any owner")


def _growth_per_user(facts: _Facts) -> Ask | Skip:
    limits = facts.thresholds
    most = max(limits.owner_day_rows, int(facts.rows * limits.owner_day_share))
    query = _query("growth_per_user", facts, owner_day_rows=most)
    return ask_for_violations(query, lambda row: f"up to {row['most']} records of one owner within a day")


def _check(
    name: str, severity: Severity, plan: _Plan, columns: str, sentence: str, *broken_by: str
) -> DeclaredCheck[PlanningThresholds]:
    return DeclaredCheck(
        id=f"planning.{name}",
        severity=severity,
        plan=plan,
        columns=tuple(columns.split()),
        sentence=sentence,
        broken_by=broken_by,
    )


SUITE = Suite(
    dataset_name="planning",
    thresholds=PlanningThresholds(),
    checks=(
        _check(
            "volume_trend",
            Severity.WARNING,
            volume_trend,
            "",
            "The number of rows is near that of earlier runs; a jump means a runaway import or lost writes.",
            "table_flooded",
            "table_halved",
        ),
        _check(
            "not_shrunk",
            Severity.CRITICAL,
            not_shrunk,
            "",
            "The table did not lose more than a small share of its rows since the run before; else rows were deleted.",
            "table_halved",
        ),
        _check(
            "freshness",
            Severity.WARNING,
            freshness(PLANNING.column("updated_at")),
            "updated_at",
            "The newest change is recent and not in the future; else writes do not arrive or a clock is wrong.",
            "table_stale",
        ),
        _check(
            "null_rate.user_id",
            Severity.WARNING,
            null_rate("user_id", lambda limits: limits.null_user_id),
            "user_id",
            "Most records have an owner; many without one mean that a writer lost the owners, not many guests.",
            "table_owners_lost",
        ),
        _check(
            "null_rate.project_id",
            Severity.WARNING,
            null_rate("project_id", lambda limits: limits.null_project_id),
            "project_id",
            "A fair share of the records belongs to a project; none doing so means that the column is not written.",
            "table_projects_lost",
        ),
        _check(
            "null_rate.metadata",
            Severity.WARNING,
            null_rate("metadata", lambda limits: limits.null_metadata),
            "metadata",
            "A fair share of the records has metadata; none having them means that the column is not written.",
            "table_metadata_lost",
        ),
        _check(
            "id_unique",
            Severity.CRITICAL,
            key_unique(PLANNING),
            "id",
            "No two rows have the same UUID in different spellings; only one of them can exist on supabase.",
            "table_with_two_spellings",
        ),
        _check(
            "type_distribution",
            Severity.WARNING,
            _type_distribution,
            "type",
            "No content type makes up nearly the whole table; else a writer files everything under one type.",
            "table_of_one_type",
        ),
        _check(
            "status_distribution",
            Severity.WARNING,
            _status_distribution,
            "status",
            "Failed records are few and drafts are not nearly all; else generation is broken or no status is written.",
            "table_all_failed",
        ),
        _check(
            "orphaned_projects",
            Severity.WARNING,
            _orphaned_projects,
            "id project_id user_id",
            "Every project has a record with an owner; one without any is seen by nobody who may open it.",
            "table_owners_lost",
        ),
        _check(
            "growth_per_user",
            Severity.WARNING,
            _growth_per_user,
            "id user_id created_at",
            "No owner makes a flood of records within a day; one who does is a looping client.",
            "table_flooded",
        ),
    ),
)

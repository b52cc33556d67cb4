"""The report of a run that found a bit of everything: what a reader must understand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from contracts.replication import Gap, Place
from contracts.verdicts import (
    MISSING,
    CheckResult,
    Cluster,
    DatasetReport,
    Difference,
    History,
    RangeAccount,
    Reason,
    ReplicationReport,
    RowTotals,
    RunReport,
    StoreCapture,
    TrendPoint,
    UnderWay,
)
from contracts.vocabulary import (
    Cause,
    CheckSource,
    CheckStatus,
    Classification,
    DifferenceKind,
    Exclusion,
    Severity,
    StoreName,
    Verdict,
)
from tests.support.factories import (
    STARTED,
    make_check,
    make_cluster,
    make_counts,
    make_difference,
    make_field,
    make_health,
    make_key,
    make_missing,
    make_replication,
    make_report,
    make_standing,
    make_stores,
)

PUBLIC, INTERNAL, PERSONAL = Classification.PUBLIC, Classification.INTERNAL, Classification.PERSONAL
LONG_TITLE = "A long walk along the river at dusk, told by the dog who has seen it all before, in four parts, part two"


def make_failed_report(**rest: Any) -> RunReport:
    """Return the report of a run that found a bit of everything: the report that a reader must understand."""
    dataset = _troubled_dataset()
    values: dict[str, Any] = {
        "verdict": Verdict.FAILED,
        "reason": "467 of 5,008 rows differ, most of them because `content` is a JSON string on prisma.",
        "reasons": dataset.reasons,
        "datasets": (dataset,),
        "notes": ("The seed of the random sample was 20260314.",),
        "health": make_health(),
    }
    return make_report(**values | rest)


def make_troubled_replication() -> ReplicationReport:
    """Return a replication that shows a bit of everything that may be wrong with one."""
    hour = timedelta(hours=1)
    standings = (
        make_standing(StoreName.PRISMA, dirty=1_204, oldest_at=STARTED - 3 * hour),
        make_standing(
            StoreName.SUPABASE, dirty=1, oldest_at=STARTED - hour / 30, gap=Gap.TRUNCATED, gap_at=STARTED - 2 * hour
        ),
    )
    return make_replication(
        stores=tuple(StoreCapture(store=one.store, standing=one) for one in standings),
        conflicts=2,
        dead_letters=1,
        failing=4,
        places={Place.NOT_YET: 3, Place.CONFLICT: 2, Place.DEAD_LETTER: 1, Place.LOST: 5},
        pending=tuple(
            UnderWay(key=make_key(n), kind=DifferenceKind.DIFFERING, waiting_s=120.0 - n) for n in range(1, 13)
        ),
        pending_total=12,
    )


def _troubled_dataset() -> DatasetReport:
    differences, clusters = _troubles()
    total = len(differences)
    only_primary = sum(d.kind is DifferenceKind.ONLY_PRIMARY for d in differences)
    only_secondary = sum(d.kind is DifferenceKind.ONLY_SECONDARY for d in differences)
    differing = total - only_primary - only_secondary
    return DatasetReport(
        name="planning",
        verdict=Verdict.FAILED,
        reasons=(
            Reason(verdict=Verdict.FAILED, text=f"{total} differences in {len(clusters)} clusters, 398 of them new."),
            Reason(verdict=Verdict.FAILED, text="`planning.content_is_object` fails on prisma: 380 rows."),
            Reason(verdict=Verdict.FAILED, text="The waiver of `planning.title_not_blank` expired on 2026-03-01."),
            Reason(verdict=Verdict.ERRORED, text="`planning.type_distribution` could not be evaluated on supabase."),
            Reason(verdict=Verdict.WARNED, text="3 rows cannot be replicated: their key is no canonical UUID."),
        ),
        stores=make_stores(),
        rows=RowTotals(
            primary=5_008,
            secondary=4_991,
            matched=4_539,
            matched_representation=12,
            differing=differing,
            only_primary=only_primary,
            only_secondary=only_secondary,
            deferred=3,
            settled=5,
            excluded=3,
        ),
        ranges=_ranges(only_primary, only_secondary, differing),
        differences=tuple(sorted(differences, key=lambda d: d.key)),
        differences_total=total,
        clusters=clusters,
        checks=_checks(),
        notes=("Rows written after 01:59:30 UTC were given 30 s to reach both stores.",),
        history=_history(total),
    )


def _troubles() -> tuple[list[Difference], tuple[Cluster, ...]]:
    day = timedelta(days=1)
    body = '{"id": "8c0e", "title": "봄 캠페인 — 1차 시안", "scenes": 12}'
    encoded = body.replace('"', '\\"')
    groups: list[tuple[str, list[Difference]]] = [
        (
            "`content` is a JSON string on prisma",
            [
                make_difference(
                    n,
                    make_field(
                        "content", f'"{encoded}"', body, classification=PERSONAL, cause=Cause.DOUBLE_ENCODED_JSON
                    ),
                )
                for n in range(1, 381)
            ],
        ),
        (
            "`created_at` is 9 h later on supabase",
            [
                make_difference(
                    n,
                    make_field(
                        "created_at",
                        f"2026-02-{n % 27 + 1:02d}T08:15:00.{n % 1000:03d}Z",
                        f"2026-02-{n % 27 + 1:02d}T17:15:00.{n % 1000:03d}Z",
                        classification=PUBLIC,
                        cause=Cause.TIME_ZONE_SHIFT,
                    ),
                    first_seen=STARTED - 6 * day,
                    runs_seen=7,
                )
                for n in range(400, 441)
            ],
        ),
        (
            "the row is missing on supabase",
            [
                make_missing(n, DifferenceKind.ONLY_PRIMARY, first_seen=STARTED - 2 * day, runs_seen=3)
                for n in range(500, 518)
            ],
        ),
        (
            "`title` is cut to 100 characters on supabase",
            [
                make_difference(
                    n,
                    make_field(
                        "title",
                        LONG_TITLE,
                        LONG_TITLE[:100],
                        cause=Cause.TEXT_TRUNCATED,
                    ),
                    first_seen=STARTED - 11 * day,
                    runs_seen=12,
                )
                for n in range(600, 614)
            ],
        ),
        (
            "`status` is in no vocabulary on supabase",
            [
                make_difference(
                    n,
                    make_field(
                        "status", "processing", "in_progress", classification=PUBLIC, cause=Cause.STATUS_VOCABULARY
                    ),
                    make_field("version", "7", "6", classification=PUBLIC, cause=Cause.VERSION_DRIFT),
                    make_field("metadata.reviewer", "kim@example.com", MISSING),
                    make_field("storage.bucket", "media-eu", "media-us", classification=INTERNAL),
                    make_field("project_id", None, make_key(77), classification=INTERNAL),
                    returned=n < 702,
                    flapping=n == 700,
                    runs_seen=1,
                )
                for n in range(700, 707)
            ],
        ),
        (
            "the row is missing on prisma",
            [make_missing(n, DifferenceKind.ONLY_SECONDARY) for n in range(800, 804)],
        ),
        (
            "`title` differs and nothing in the rows says why",
            [
                make_difference(
                    900, make_field("title", "Launch film (café)", "Launch film (cafe\u0301)", classification=PUBLIC)
                ),
                make_difference(901, make_field("title", "Teaser \u202e2026", "Teaser 2026", classification=PUBLIC)),
                make_difference(902, make_field("title", "두 번째 이야기\n", "두 번째 이야기 ", classification=PUBLIC)),
            ],
        ),
    ]
    clusters = [make_cluster(members, sentence) for sentence, members in groups]
    clusters.append(
        make_cluster(
            groups[4][1], "`version` differs and no other column does", cause=Cause.VERSION_DRIFT, fields=("version",)
        )
    )
    clusters[4] = replace(clusters[4], cause=Cause.STATUS_VOCABULARY, fields=("status",))
    return [d for _, members in groups for d in members], tuple(sorted(clusters, key=lambda c: -c.count))


def _ranges(only_primary: int, only_secondary: int, differing: int) -> tuple[RangeAccount, ...]:
    bounds = [None, "40000000", "80000000", "c0000000", None]
    last = {"matched": 4_539 - 3 * 1_140, "differing": differing - 3 * 110, "deferred": 3}
    excluded = {Exclusion.ID_NOT_REPLICABLE: 3}
    return tuple(
        RangeAccount(
            low=bounds[i],
            high=bounds[i + 1],
            primary=make_counts(matched=1_140, differing=110)
            if i < 3
            else make_counts(only=only_primary, excluded=excluded, **last),
            secondary=make_counts(matched=1_140, differing=110) if i < 3 else make_counts(only=only_secondary, **last),
        )
        for i in range(4)
    )


def _checks() -> tuple[CheckResult, ...]:
    expectation: dict[str, Any] = {"source": CheckSource.EXPECTATION, "checked_rows": None}
    supabase: dict[str, Any] = {"store": StoreName.SUPABASE}
    return (
        make_check(
            "planning.content_is_object",
            CheckStatus.FAILED,
            message="A `content` that is a JSON string instead of an object is read as text wherever it is shown.",
            failing_rows=380,
            checked_rows=5_008,
            sample_keys=tuple(sorted(make_key(n) for n in range(1, 21))),
        ),
        make_check(
            "planning.content_is_object", message="A `content` that is a JSON string is read as text.", **supabase
        ),
        make_check(
            "planning.status_known",
            message="A `status` outside the vocabulary hides the record from every list.",
        ),
        make_check(
            "planning.status_known",
            CheckStatus.FAILED,
            message="A `status` outside the vocabulary hides the record from every list.",
            failing_rows=7,
            checked_rows=4_991,
            sample_keys=tuple(sorted(make_key(n) for n in range(700, 707))),
            **supabase,
        ),
        make_check(
            "planning.title_not_blank",
            CheckStatus.WAIVED,
            severity=Severity.WARNING,
            message="A blank `title` shows as an empty line in the planning list.",
            failing_rows=2,
            sample_keys=(make_key(31), make_key(62)),
            waiver="Mina Park, until 2026-04-01: the importer is being mended.",
        ),
        make_check("planning.title_not_blank", severity=Severity.WARNING, **supabase),
        make_check(
            "planning.key_replicable",
            CheckStatus.FAILED,
            severity=Severity.WARNING,
            message="A key that is no canonical UUID can never reach supabase.",
            failing_rows=3,
            checked_rows=5_008,
            sample_keys=("draft-2024-001", "draft-2024-002", "legacy 7"),
        ),
        *(
            make_check(f"planning.{rule}", store=store, inherited=store is StoreName.SUPABASE)
            for rule in (
                "content_id_matches",
                "content_type_matches",
                "type_known",
                "times_ordered",
                "version_positive",
            )
            for store in StoreName
        ),
        make_check(
            "planning.volume_in_trend",
            message="A sudden change of volume means lost or doubled writes.",
            observed="5,008 rows; the trend expects 4,870 to 5,130",
            severity=Severity.WARNING,
            **expectation,
        ),
        make_check(
            "planning.volume_in_trend",
            CheckStatus.SKIPPED,
            message="Only 3 earlier runs are known; the trend needs 7.",
            severity=Severity.WARNING,
            **expectation | supabase,
        ),
        make_check(
            "planning.type_distribution",
            observed="scenario 41 %, prompt 22 %, video 17 %, story 12 %, image 8 %",
            message="A shift between the types means that one of the five writers stopped.",
            **expectation,
        ),
        make_check(
            "planning.type_distribution",
            CheckStatus.ERRORED,
            message="The statement took longer than its limit of 30 s.",
            **expectation | supabase,
        ),
        make_check(
            "planning.freshness",
            CheckStatus.SKIPPED,
            severity=Severity.INFO,
            message="Freshness is judged on working days only.",
            **expectation,
        ),
    )


def _history(total: int) -> History:
    counts = (0, 0, 2, 2, 41, 41, 44, 55, 59, 59, 73, 80, 73)
    verdicts = (Verdict.PASSED, Verdict.PASSED, Verdict.WARNED, Verdict.WARNED, *(Verdict.FAILED,) * 9)
    days = (16, 15, 14, 13, 12, 11, 10, 7, 6, 5, 4, 2, 1)
    points = [
        TrendPoint(
            run_id=f"run-{day}",
            started_at=STARTED - timedelta(days=day),
            verdict=Verdict.INCOMPLETE if day == 5 else verdict,
            differences=n,
            rows_primary=4_800 + 14 * (16 - day),
            rows_secondary=4_800 + 14 * (16 - day) - n // 8,
        )
        for day, n, verdict in zip(days, counts, verdicts, strict=True)
    ]
    return History(
        previous_run_id="20260313-020000-5b1d",
        new=total - 69,
        gone=6,
        persisting=68,
        returned=1,
        checks_new=("planning.content_is_object",),
        checks_gone=("planning.user_id_valid",),
        trend=tuple(points),
    )

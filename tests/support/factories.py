"""Values as a real run makes them: every part has a default, and every part can be replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

from contracts.health import Alert, AlertRule, HealthReport, Probe, SyncFigures, summed_up
from contracts.replication import Gap, Place, ReplicationState, Standing
from contracts.verdicts import (
    MISSING,
    CheckResult,
    Cluster,
    Cost,
    DatasetReport,
    Difference,
    Explanation,
    FieldDifference,
    History,
    RangeAccount,
    Reason,
    ReplicationReport,
    RowTotals,
    RunReport,
    SelfProof,
    SideCounts,
    StoreCapture,
    StoreFacts,
    TrendPoint,
    UnderWay,
)
from contracts.vocabulary import (
    Cause,
    Channel,
    CheckSource,
    CheckStatus,
    Classification,
    DifferenceKind,
    Exclusion,
    Severity,
    StoreName,
    Verdict,
)

T = TypeVar("T")

STARTED = datetime(2026, 3, 14, 2, 0, tzinfo=UTC)
MASK_KEY = b"a key for tests, thirty-two bytes"
LONG_TITLE = "A long walk along the river at dusk, told by the dog who has seen it all before, in four parts, part two"
PUBLIC, INTERNAL, PERSONAL = Classification.PUBLIC, Classification.INTERNAL, Classification.PERSONAL


def make_key(number: int) -> str:
    """Return the canonical key with this number."""
    return str(UUID(int=(number * 0x9E3779B97F4A7C15F39CC0605CEDC835) % 2**128, version=4))


def make_field(name: str, primary: str | None, secondary: str | None, **rest: Any) -> FieldDifference:
    """Return a field difference; personal and unexplained unless said otherwise."""
    return FieldDifference(field=name, primary=primary, secondary=secondary, **rest)


def make_difference(number: int, *field_differences: FieldDifference, **rest: Any) -> Difference:
    """Return a difference on the key with this number, explained by the causes of its fields."""
    causes = {f.cause for f in field_differences} or {Cause.UNEXPLAINED}
    explanations = tuple(
        Explanation(cause=c, fields=tuple(sorted({f.field.split(".")[0] for f in field_differences if f.cause is c})))
        for c in sorted(causes)
    )
    values: dict[str, Any] = {"kind": DifferenceKind.DIFFERING, "explanations": explanations, "first_seen": STARTED}
    return Difference(key=make_key(number), fields=field_differences, **values | rest)


def make_missing(number: int, kind: DifferenceKind, cause: Cause = Cause.MISSING_ROW, **rest: Any) -> Difference:
    """Return a one-sided difference on the key with this number."""
    return make_difference(number, kind=kind, explanations=(Explanation(cause=cause, fields=()),), **rest)


def make_cluster(differences: list[Difference], sentence: str, **rest: Any) -> Cluster:
    """Return the cluster of these differences: its cause is the first one's first."""
    lead = differences[0]
    values: dict[str, Any] = {
        "cause": lead.explanations[0].cause,
        "kind": lead.kind,
        "fields": lead.explanations[0].fields,
        "store": lead.explanations[0].store,
        "count": len(differences),
        "sample_keys": tuple(sorted(d.key for d in differences)[:20]),
        "new": sum(d.runs_seen == 1 for d in differences),
        "oldest": min((d.first_seen for d in differences if d.first_seen), default=None),
    }
    return Cluster(sentence=sentence, **values | rest)


def make_check(check_id: str, status: CheckStatus = CheckStatus.PASSED, **rest: Any) -> CheckResult:
    """Return a contract rule on prisma that passed over 5 000 rows, unless said otherwise."""
    values: dict[str, Any] = {
        "source": CheckSource.CONTRACT,
        "store": StoreName.PRISMA,
        "severity": Severity.CRITICAL,
        "message": "A record that breaks this rule cannot be read by the planning page.",
        "checked_rows": 5_000,
        "seconds": 0.21,
    }
    return CheckResult(id=check_id, status=status, **values | rest)


def make_counts(**terms: Any) -> SideCounts:
    """Return the account of one side; it adds up unless `read` is given."""
    values: dict[str, Any] = {
        "matched": 0,
        "differing": 0,
        "only": 0,
        "deferred": 0,
        "pending": 0,
        "excluded": {},
    } | terms
    total = sum(values[t] for t in ("matched", "differing", "only", "deferred", "pending")) + sum(
        values["excluded"].values()
    )
    return SideCounts(**{"read": total} | values)


def make_stores(**rest: Any) -> tuple[StoreFacts, StoreFacts]:
    """Return two stores in good health, reached by SQL."""
    common: dict[str, Any] = {"channel": Channel.SQL, "reachable": True, "sees_all_rows": True} | rest
    return (
        StoreFacts(
            server_version="PostgreSQL 16.9",
            table="public.planning",
            identity="6e1f2c0a",
            estimated_rows=4_980,
            store=StoreName.PRISMA,
            **common,
        ),
        StoreFacts(
            server_version="PostgreSQL 18.1",
            table="public.planning",
            identity="b07d91e4",
            store=StoreName.SUPABASE,
            **common,
        ),
    )


def make_dataset(**rest: Any) -> DatasetReport:
    """Return the report of a dataset whose 5 000 rows agree and whose checks pass, unless said otherwise."""
    rows = 5_000
    values: dict[str, Any] = {
        "name": "planning",
        "verdict": Verdict.PASSED,
        "stores": make_stores(),
        "rows": RowTotals(primary=rows, secondary=rows, matched=rows),
        "ranges": (
            RangeAccount(low=None, high=None, primary=make_counts(matched=rows), secondary=make_counts(matched=rows)),
        ),
        "checks": tuple(
            make_check(f"planning.{rule}", store=store, inherited=store is StoreName.SUPABASE)
            for rule in ("content_id_matches", "content_type_matches", "title_not_blank", "status_known")
            for store in StoreName
        ),
        "history": History(previous_run_id="20260313-020000-5b1d", new=0, gone=0, persisting=0, returned=0),
        "proof": make_proof(),
    }
    return DatasetReport(**values | rest)


def make_standing(store: StoreName, **rest: Any) -> Standing:
    """Return what a store says that is captured since a week, and where nothing waits."""
    since = STARTED - timedelta(days=7)
    adopted = {"adopted_at": since + timedelta(minutes=5)} if store is StoreName.PRISMA else {}
    values: dict[str, Any] = {"since": since, "now": STARTED, "last_change": 41} | adopted
    return Standing(store=store, **values | rest)


def make_replication(**rest: Any) -> ReplicationReport:
    """Return the replication of two stores that were adopted, and between which nothing waits."""
    values: dict[str, Any] = {
        "state": ReplicationState.ON,
        "stores": tuple(StoreCapture(store=store, standing=make_standing(store)) for store in StoreName),
        "conflicts": 0,
        "dead_letters": 0,
        "failing": 0,
        "max_lag_s": 900.0,
    }
    return ReplicationReport(**values | rest)


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


def make_proof(**rest: Any) -> SelfProof:
    """Return the proof of a comparison whose audits go back two weeks, unless said otherwise."""
    values: dict[str, Any] = {
        "sent_through": tuple(StoreName),
        "values": 252,
        "planted": 68,
        "audited": 200,
        "form": "one",
        "total": 2_800,
        "since": STARTED - timedelta(days=13),
    }
    return SelfProof(**values | rest)


def make_health(**rest: Any) -> HealthReport:
    """Return the health of a pair whose secondary has failed for forty minutes, unless said otherwise."""
    at = STARTED - timedelta(seconds=20)
    failed = Probe(
        store=StoreName.SUPABASE,
        at=at,
        healthy=False,
        response_ms=5_003,
        error="Lost",
        what="supabase did not answer in time.",
    )
    alert = Alert(
        rule=AlertRule.STORE_FAILED,
        subject="supabase",
        severity=Severity.WARNING,
        text="supabase has failed for 40 min: supabase did not answer in time.",
        since=at - timedelta(minutes=40),
    )
    figures = SyncFigures(
        dataset="planning", at=at, dirty_primary=3, oldest_primary_s=125.0, dead_letters=1, conflicts=0, failing=0
    )
    values: dict[str, Any] = {
        "at": STARTED,
        "window_h": 24,
        "stores": (
            summed_up(
                StoreName.PRISMA,
                [Probe(store=StoreName.PRISMA, at=at, healthy=True, response_ms=12)],
                circuit="closed",
            ),
            summed_up(
                StoreName.SUPABASE, [replace(failed, at=at - timedelta(minutes=40)), failed], circuit="half_open"
            ),
        ),
        "sync": (figures,),
        "alerts": (alert,),
    }
    return HealthReport(**values | rest)


def make_report(**rest: Any) -> RunReport:
    """Return the report of a run that passed, unless said otherwise."""
    dataset = make_dataset()
    values: dict[str, Any] = {
        "run_id": "20260314-020000-9f3c",
        "environment": "production",
        "started_at": STARTED,
        "finished_at": STARTED + timedelta(seconds=41.3),
        "verdict": Verdict.PASSED,
        "reason": "All 5,000 rows agree and 8 of 8 checks passed.",
        "reasons": (),
        "datasets": (dataset,),
        "cost": Cost(
            seconds=41.3,
            statements=38,
            rows_transferred=10_120,
            bytes_transferred=8_412_330,
            estimated_seconds=38.0,
            estimated_rows=10_000,
        ),
        "version": "0.1.0",
    }
    return RunReport(**values | rest)


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


def make_large_report(total: int, **rest: Any) -> RunReport:
    """Return the report of a run with `total` differences, every tenth of them listed with a long value."""
    cause = Cause.DOUBLE_ENCODED_JSON
    differences = [
        make_difference(
            number,
            make_field("content", "{" + "x" * (40_000 if number % 10_000 == 0 else 40) + "}", '"{}"', cause=cause),
            make_field("title", f"Title {number}", f"Title {number}…", cause=Cause.TEXT_TRUNCATED),
        )
        for number in range(1, total + 1)
    ]
    clusters = (
        make_cluster(differences, "`content` is a JSON string on prisma"),
        make_cluster(
            differences, "`title` is cut to 8 characters on supabase", cause=Cause.TEXT_TRUNCATED, fields=("title",)
        ),
    )
    checks = tuple(
        make_check(
            "planning.content_is_object",
            CheckStatus.FAILED,
            store=store,
            failing_rows=total,
            checked_rows=total,
            sample_keys=tuple(d.key for d in differences[:20]),
        )
        for store in StoreName
    )
    dataset = make_dataset(
        verdict=Verdict.FAILED,
        differences=tuple(differences),
        differences_total=total,
        clusters=clusters,
        checks=checks,
        rows=RowTotals(primary=total, secondary=total, differing=total),
    )
    values: dict[str, Any] = {"verdict": Verdict.FAILED, "reason": f"{total:,} rows differ.", "datasets": (dataset,)}
    return make_report(**values | rest)


def with_texts(value: T, change: Callable[[str], str]) -> T:
    """Return the value with every free text in it changed; words of vocabularies and the mark of absence stay."""
    return _changed(value, change)  # type: ignore[no-any-return]  # the shape is kept


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return value if isinstance(value, Enum) or value in {"", MISSING} else change(value)
    if isinstance(value, tuple):
        return tuple(_changed(v, change) for v in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _changed(getattr(value, f.name), change) for f in fields(value)})
    return value


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

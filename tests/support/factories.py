"""Values as a real run makes them: every part has a default, and every part can be replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

from contracts.health import Alert, AlertRule, HealthReport, Probe, SyncFigures, summed_up
from contracts.replication import ReplicationState, Standing
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
    ReplicationReport,
    RowTotals,
    RunReport,
    SelfProof,
    SideCounts,
    StoreCapture,
    StoreFacts,
)
from contracts.vocabulary import (
    Cause,
    Channel,
    CheckSource,
    CheckStatus,
    DifferenceKind,
    Severity,
    StoreName,
    Verdict,
)

T = TypeVar("T")

STARTED = datetime(2026, 3, 14, 2, 0, tzinfo=UTC)
MASK_KEY = b"a key for tests, thirty-two bytes"


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
            known_as="6e1f2c0a",
            estimated_rows=4_980,
            store=StoreName.PRISMA,
            **common,
        ),
        StoreFacts(
            server_version="PostgreSQL 18.1",
            table="public.planning",
            identity="b07d91e4",
            known_as="b07d91e4",
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

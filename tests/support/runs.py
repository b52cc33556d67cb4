"""Run reports for tests of the memory: only what a test is about has to be said."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from contracts.verdicts import (
    CheckResult,
    Cluster,
    DatasetReport,
    Difference,
    Explanation,
    FieldDifference,
    Reason,
    RowTotals,
    RunReport,
    StoreFacts,
)
from contracts.vocabulary import Cause, CheckSource, CheckStatus, DifferenceKind, Severity, StoreName, Verdict

FIRST_NIGHT = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)


def night(number: int) -> datetime:
    """Return when run `number` began, counted from 1."""
    return FIRST_NIGHT + timedelta(days=number - 1)


def run_id(number: int) -> str:
    """Return the id of run `number`."""
    return f"{night(number):%Y%m%dT%H%M%SZ}-ab12"


def make_difference(key: str, *fields: str, cause: Cause = Cause.UNEXPLAINED, detail: str = "") -> Difference:
    """Return a difference in `fields`, or a row that is missing on the secondary when there are none."""
    columns = tuple(sorted({field.partition(".")[0] for field in fields}))
    return Difference(
        key=key,
        kind=DifferenceKind.DIFFERING if fields else DifferenceKind.ONLY_PRIMARY,
        fields=tuple(FieldDifference(field=field, primary="secret-left", secondary="secret-right") for field in fields),
        explanations=(Explanation(cause=cause, fields=columns, detail=detail),),
    )


def make_cluster(*differences: Difference) -> Cluster:
    """Return the cluster of differences that have one cause."""
    explanation = differences[0].explanations[0]
    return Cluster(
        cause=explanation.cause,
        kind=differences[0].kind,
        fields=explanation.fields,
        store=explanation.store,
        sentence=f"for a test {explanation.detail}",
        count=len(differences),
        sample_keys=tuple(sorted(difference.key for difference in differences))[:20],
    )


def make_check(name: str, status: CheckStatus, store: StoreName = StoreName.PRISMA) -> CheckResult:
    """Return one result of a contract rule."""
    return CheckResult(
        id=name,
        source=CheckSource.CONTRACT,
        store=store,
        severity=Severity.CRITICAL,
        status=status,
        message="It breaks.",
    )


def make_dataset(
    *differences: Difference,
    verdict: Verdict | None = None,
    total: int | None = None,
    clusters: Iterable[Cluster] = (),
    checks: Iterable[CheckResult] = (),
    reasons: Iterable[Verdict] = (),
    rows: tuple[int, int] = (100, 100),
    known_as: tuple[str, str] = ("6e1f2c0a", "b07d91e4"),
) -> DatasetReport:
    """Return what a run found about `planning`; failed when there are differences, else passed."""
    return DatasetReport(
        name="planning",
        verdict=verdict or (Verdict.FAILED if differences else Verdict.PASSED),
        stores=tuple(
            StoreFacts(store=store, channel=None, reachable=True, known_as=known)
            for store, known in zip(StoreName, known_as, strict=True)
        ),
        reasons=tuple(Reason(verdict=each, text="For a test.") for each in reasons),
        rows=RowTotals(primary=rows[0], secondary=rows[1]),
        differences=differences,
        differences_total=len(differences) if total is None else total,
        clusters=tuple(clusters),
        checks=tuple(checks),
    )


def make_run(number: int, *datasets: DatasetReport) -> RunReport:
    """Return run `number` with these datasets."""
    return RunReport(
        run_id=run_id(number),
        environment="test",
        started_at=night(number),
        finished_at=night(number) + timedelta(minutes=1),
        verdict=max((dataset.verdict for dataset in datasets), key=lambda v: v.rank, default=Verdict.ERRORED),
        reason="For a test.",
        reasons=(),
        datasets=datasets,
    )

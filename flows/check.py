"""The check of a pair of stores: which stage follows which. Plain functions; a conductor decides how stages are run."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from contracts.errors import ConfigurationError, TwinstoreError
from contracts.judgement import headline, sort_reasons, verdict_of
from contracts.registry import known_datasets
from contracts.verdicts import CheckResult, Cost, DatasetReport, RunReport
from contracts.vocabulary import StoreName
from contracts.waivers import apply_waivers
from flows import stages
from flows.capturing import prove_capture
from flows.concluding import conclude
from flows.health import remembered_health
from flows.job import Job
from flows.outcomes import Comparison, Look
from flows.own_checks import settle_check
from flows.retention import tidy
from flows.settings import Settings
from flows.showing import beside
from flows.version import VERSION
from flows.wiring import Stores, make_meter, mask_key, open_memory, runs_folder

if TYPE_CHECKING:
    from reports import Beside
    from storage.state import Lease, State

SECONDS_ALONE = 6.0  # what a check takes before it reads a row: most of it is the import of Great Expectations
ROWS_PER_S = 60_000  # rows of both stores that a check gets through, measured on two cores; see docs/performance.md
PATIENCE_S = {"relay": 30.0}  # the relay gives its lease back every few seconds

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Progress = Callable[[str], None]


class Promise(Protocol[T_co]):
    """A stage that was started."""

    def result(self) -> T_co:
        """Wait for the stage and return what it returned."""
        ...


class Conductor(Protocol):
    """Runs stages: in threads of this process, or as Prefect tasks."""

    def start(self, name: str, stage: Callable[..., T], *args: object) -> Promise[T]:
        """Start a stage under a name that people read."""
        ...


@dataclass(frozen=True, slots=True)
class Threads:
    """Runs stages in threads."""

    pool: ThreadPoolExecutor

    def start(self, name: str, stage: Callable[..., T], *args: object) -> Promise[T]:  # noqa: ARG002 - for people only
        """Start a stage in a thread."""
        return self.pool.submit(stage, *args)


@contextmanager
def threads() -> Iterator[Threads]:
    """Provide threads for the stages of one run."""
    with ThreadPoolExecutor(max_workers=4, thread_name_prefix="stage") as pool:
        yield Threads(pool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A run that was published.

    Attributes:
        report: What it found.
        folder: Where its files are.
    """

    report: RunReport
    folder: Path


def run_check(
    settings: Settings,
    stores: Stores,
    conductor: Conductor,
    *,
    datasets: Sequence[str] | None = None,
    owner: str = "twinstore check",
    adopting: bool = False,
    progress: Progress = lambda _: None,
) -> Finished:
    """Check the datasets, remember the run and publish its report.

    Args:
        settings: The settings.
        stores: The pair of stores.
        conductor: Runs the stages.
        datasets: Names of the datasets; all that are known unless given.
        owner: Who asks, for others who wait for the lease.
        adopting: True for the comparison that an adoption rests on.
        progress: Is told what happens now.

    Raises:
        ConfigurationError: No dataset is named.
        Conflict: Another check or repair of a dataset is under way.
        TwinstoreError: The memory cannot be used, or the report cannot be written.
    """
    datasets = known_datasets() if datasets is None else datasets
    if not datasets:
        raise ConfigurationError("No dataset is named, so nothing would be checked.", "Name at least one dataset.")
    began, started_at = time.monotonic(), datetime.now(UTC)
    run_id = make_run_id(started_at)
    with open_memory(settings, stores.environment) as memory, ExitStack() as leases:
        held = [leases.enter_context(_lease(memory, name, f"{owner} {run_id}")) for name in datasets]
        reports, cost = [], Cost(estimated_seconds=SECONDS_ALONE * bool(datasets))
        for name in datasets:
            job = _job(settings, stores, name=name, run_id=run_id, now=started_at, progress=progress)
            job = replace(job, adopting=adopting)
            with closing(job):
                report = check_dataset(job, memory, conductor)
            reports.append(memory.annotate(report, run_id=run_id, now=started_at))
            cost = _cost(cost, job, report)
        run = RunReport(
            run_id=run_id,
            environment=stores.environment,
            started_at=started_at,
            finished_at=datetime.now(UTC),
            verdict=verdict_of(reason for report in reports for reason in report.reasons),
            reason=headline(reports),
            reasons=sort_reasons(reason for report in reports for reason in report.reasons),
            datasets=tuple(reports),
            cost=replace(cost, seconds=time.monotonic() - began),
            masked=not settings.reveal,
            share=settings.share,
            version=VERSION,
            health=remembered_health(memory, started_at),
        )
        for lease in held:
            lease.assert_held()
        run = _remembered(memory, run)
        tidy(settings, memory, now=started_at)
        listed = beside(settings, memory)
    progress("write the report")
    return Finished(report=run, folder=_published(settings, run, listed))


def check_dataset(job: Job, memory: State, conductor: Conductor) -> DatasetReport:
    """Run the stages of one dataset.

    Only what needs the comparison waits for it: while the servers digest their rows, this process is free to load
    libraries and to judge.
    """
    progress = job.progress
    progress(f"look at both stores of {job.name}")
    started = [conductor.start(f"look at {store}", stages.look_at, job, store) for store in StoreName]
    primary, secondary = (promise.result() for promise in started)
    looks = (primary, secondary)
    capture = conductor.start("prove capture", prove_capture, job, looks).result()
    progress(f"compare the rows of {job.name}, judge contract and expectations")
    compared = conductor.start("compare rows", stages.compare_stores, job, looks, capture)
    judged = conductor.start(f"contract on {StoreName.PRISMA}", stages.judge_contract, job, primary)
    at_once = [look for look in looks if job.stores.by_sql(look.store)]
    later = [look for look in looks if look not in at_once]  # rows that were pulled to be compared can be judged, too
    suites = [_suite(job, look, memory, conductor) for look in at_once]
    comparison = compared.result()
    suites += [_suite(job, look, memory, conductor) for look in later]
    checks = _contracts(job, secondary, comparison, judged, conductor)
    for suite in suites:
        checks += suite.result()
    deferred = comparison.parity.deferred if comparison.parity else ()
    stores = tuple(look.shown() for look in looks)
    never_still = memory.deferred(job.name, deferred, job.run_id, stores=stores) if comparison.looked else frozenset()
    checks += settle_check(job, comparison, never_still) + capture.checks
    checks = apply_waivers(checks, memory.waivers(job.name), job.now.date())
    return conductor.start("conclude", conclude, job, looks, comparison, checks, capture).result()


def _suite(job: Job, look: Look, memory: State, conductor: Conductor) -> Promise[tuple[CheckResult, ...]]:
    trend = memory.row_counts(job.name, look.store, known_as=look.shown().known_as)
    return conductor.start(f"expectations on {look.store}", stages.run_expectations, job, look, trend)


def make_run_id(now: datetime) -> str:
    """Return a new run id; ids sort by time."""
    return f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}Z-{secrets.token_hex(2)}"


def _contracts(
    job: Job,
    secondary: Look,
    comparison: Comparison,
    judged: Promise[tuple[CheckResult, ...]],
    conductor: Conductor,
) -> tuple[CheckResult, ...]:
    """Return the verdicts on both stores; a secondary that was proven equal takes those of the primary over."""
    name = f"contract on {secondary.store}"
    if comparison.parity is not None and comparison.parity.identical:
        inherited = conductor.start(name, stages.inherit_contract, judged.result(), secondary.store)
        return judged.result() + inherited.result()
    own = conductor.start(name, stages.judge_contract, job, secondary)
    return judged.result() + own.result()


def _lease(memory: State, name: str, owner: str) -> AbstractContextManager[Lease]:
    return memory.lease(name, "check", owner=owner, now=lambda: datetime.now(UTC), patience_s=PATIENCE_S)


def _job(
    settings: Settings,
    stores: Stores,
    *,
    name: str,
    run_id: str,
    now: datetime,
    progress: Progress,
) -> Job:
    return Job(
        settings=settings,
        stores=stores,
        name=name,
        run_id=run_id,
        now=now,
        meters={store: make_meter(settings) for store in StoreName},
        progress=progress,
    )


def _cost(before: Cost, job: Job, report: DatasetReport) -> Cost:
    """Add what a dataset cost, and what one would have expected of equal stores of the size that the servers think."""
    meters = job.meters.values()
    rows = [facts.estimated_rows for facts in report.stores if facts.estimated_rows is not None]
    seconds = (before.estimated_seconds or 0.0) + sum(rows) / ROWS_PER_S
    return replace(
        before,
        statements=before.statements + sum(m.statements for m in meters),
        requests=before.requests + sum(m.requests for m in meters),
        rows_transferred=before.rows_transferred + sum(m.rows for m in meters),
        bytes_transferred=before.bytes_transferred + sum(m.bytes for m in meters),
        estimated_seconds=seconds if rows else None,
        estimated_rows=(before.estimated_rows or 0) + rows[0] if rows else before.estimated_rows,
    )


def _remembered(memory: State, run: RunReport) -> RunReport:
    """Remember the run; when that fails the report says so, since what was found counts more than the memory of it."""
    if not memory.durable:
        return replace(run, notes=(*run.notes, "History is unknown: twinstore has no durable state here."))
    try:
        memory.remember(run)
        memory.prune(now=run.started_at)
    except TwinstoreError as exc:
        return replace(run, notes=(*run.notes, f"This run could not be remembered: {exc}"))
    return run


def _published(settings: Settings, run: RunReport, listed: Beside) -> Path:
    from reports.publish import publish

    return publish(run, runs_folder(settings), mask_key=mask_key(settings), beside=listed)

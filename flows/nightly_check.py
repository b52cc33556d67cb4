"""The nightly check as a Prefect flow: the stages of `flows.check` as tasks, and what Prefect's users expect to see.

A flow run needs no server of its own; Prefect starts a temporary one where none is configured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flows.quiet import quiet_libraries
from flows.settings import load_settings
from flows.wiring import home

quiet_libraries(home(load_settings()))

from prefect import flow, get_run_logger, task  # noqa: E402 - after its telemetry was switched off
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact  # noqa: E402
from prefect.cache_policies import NO_CACHE  # noqa: E402
from prefect.client.schemas.objects import State  # noqa: E402
from prefect.states import Completed, Failed  # noqa: E402
from prefect.utilities.annotations import quote  # noqa: E402

from contracts.verdicts import RunReport  # noqa: E402
from contracts.vocabulary import CheckStatus  # noqa: E402
from flows.check import DATASETS, Finished, Promise, run_check  # noqa: E402
from flows.wiring import find_stores  # noqa: E402

T = TypeVar("T")


class Tasks:
    """Runs stages as Prefect tasks: one per stage and store, never one per range; no result is kept or cached."""

    def start(self, name: str, stage: Callable[..., T], *args: object) -> Promise[T]:
        """Submit a stage as a task of this name."""
        wrapped: Any = task(name=name, cache_policy=NO_CACHE, persist_result=False)(stage)
        # quote: Prefect shall not search the values for futures, nor record them.
        return cast("Promise[T]", wrapped.submit(*(quote(arg) for arg in args)))


@flow(name="nightly-check", log_prints=False, persist_result=False)
def nightly_check(datasets: list[str] | None = None) -> State[Any]:
    """Compare both stores, judge contracts and suites, publish the report; fails unless passed or warned.

    Args:
        datasets: Names of the datasets; all that are known unless given.
    """
    finished = run_and_record(datasets)
    report = finished.report
    message = f"{report.verdict}: {report.reason}"
    made = Failed if report.verdict.exit_code else Completed
    return made(message=message, data=finished)


def check_as_flow(datasets: list[str] | None = None) -> Finished:
    """Run the flow in this process and return what it published."""
    state = nightly_check(datasets, return_state=True)
    finished = state.result(raise_on_failure=False)
    if isinstance(finished, Exception):
        raise finished
    return cast("Finished", finished)


def run_and_record(datasets: list[str] | None = None) -> Finished:
    """Run the check inside a flow and leave its artifacts."""
    logger = get_run_logger()
    settings = load_settings()
    stores = find_stores(settings, progress=logger.info)
    finished = run_check(
        settings, stores, Tasks(), datasets=datasets or DATASETS, owner="nightly-check", progress=logger.info
    )
    record(finished)
    return finished


def record(finished: Finished) -> None:
    """Leave the run's summary, its checks and the place of its report as artifacts."""
    from reports import to_summary

    report = finished.report
    create_markdown_artifact(to_summary(report), key="twinstore-summary", description=report.reason)
    create_table_artifact(checks_table(report), key="twinstore-checks", description="Checks that did not pass")
    create_link_artifact((finished.folder / "report.html").as_uri(), link_text=report.run_id, key="twinstore-report")


def checks_table(report: RunReport) -> list[dict[str, str]]:
    """Return the checks that did not pass, as rows of text."""
    return [
        {
            "dataset": dataset.name,
            "check": check.id,
            "store": str(check.store),
            "severity": str(check.severity),
            "status": str(check.status),
            "rows": str(check.failing_rows),
        }
        for dataset in report.datasets
        for check in dataset.checks
        if check.status is not CheckStatus.PASSED
    ]

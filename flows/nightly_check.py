"""The nightly check as a Prefect flow: the stages of `flows.check` as tasks, and what Prefect's users expect to see.

The final state is Completed for the verdicts passed and warned, and Failed for every other one, so that the usual
notification on Failed fires also when the run could not tell; the message begins with the verdict.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, cast

from flows.quiet import quiet_libraries
from flows.settings import load_settings
from flows.wiring import home

# A worker has imported Prefect, and set its folder, before it loads this file.
quiet_libraries(None if "prefect" in sys.modules else home(load_settings()))

from prefect import flow, get_run_logger  # noqa: E402 - after its telemetry was switched off
from prefect.client.schemas.objects import State  # noqa: E402
from prefect.states import Completed, Failed  # noqa: E402
from prefect.task_runners import ThreadPoolTaskRunner  # noqa: E402

from contracts.registry import contract_for, known_datasets  # noqa: E402
from contracts.vocabulary import Verdict  # noqa: E402
from flows.artifacts import leave_artifacts  # noqa: E402
from flows.check import Finished, run_check  # noqa: E402
from flows.ending import terminable  # noqa: E402
from flows.tasks import Tasks  # noqa: E402
from flows.temporary_server import prefect_server  # noqa: E402
from flows.unexpected import understood  # noqa: E402
from flows.wiring import find_stores  # noqa: E402

OWNER = "nightly-check"


@flow(
    name="nightly-check",
    task_runner=ThreadPoolTaskRunner(max_workers=4),  # type: ignore[arg-type]  # Prefect's own default has this type
    retries=0,
    persist_result=False,
    log_prints=False,
)
def nightly_check(
    datasets: list[str] | None = None,
    *,
    reveal: bool = False,
    share: bool = False,
    repair: bool = False,
    policy: str | None = None,
) -> State[Any]:
    """Compare both stores, judge contracts and suites, publish the report; fails unless passed or warned.

    The stores and all secrets come from the environment of the process that runs it, never from parameters.

    Args:
        datasets: Names of the datasets; all that are known unless given.
        reveal: Show personal values in the report.
        share: Hide internal values in the report too.
        repair: End in a repair of what differs: approved by somebody, or by the policy.
        policy: A file that says what is repaired with nobody looking; somebody is asked for all of it unless given.
    """
    try:
        finished = _checked(datasets, reveal=reveal, share=share)
    except Exception as exc:  # noqa: BLE001 - Prefect would log its text, which may hold values
        error = understood(exc, None)
        return Failed(message=f"{Verdict.ERRORED}: {error}", data=error)
    verdict = finished.report.verdict
    made = Failed if verdict.exit_code else Completed
    said = [f"{verdict}: {finished.report.reason}", *(_repaired(finished, policy) if repair else ())]
    return made(message=" ".join(said), data=finished)


def _repaired(finished: Finished, policy: str | None) -> Iterator[str]:
    """Repair what differs, each dataset by a flow run of its own; yield what became of it.

    The verdict stays that of the check: it says what was found.
    """
    from flows.repair_flow import repair
    from reports.repair.offer import plan_offer

    report = finished.report
    for dataset in report.datasets:
        if plan_offer(report, dataset):
            state = repair(dataset=dataset.name, run_id=report.run_id, policy=policy, return_state=True)
            yield f"Repair of {dataset.name}: {state.message}"


def check_as_flow(datasets: list[str] | None = None, *, reveal: bool = False, share: bool = False) -> Finished:
    """Run the flow in this process and return what it published; without a Prefect server it starts one for itself.

    Raises:
        TwinstoreError: It could not run, or could not publish.
    """
    with terminable(), prefect_server():
        state = nightly_check(datasets, reveal=reveal, share=share, return_state=True)
    finished = state.result(raise_on_failure=False)
    if isinstance(finished, BaseException):
        raise finished
    return cast("Finished", finished)


def _checked(datasets: list[str] | None, *, reveal: bool, share: bool) -> Finished:
    """Run the check inside a flow and leave its artifacts; what was found counts without them, too."""
    logger, tasks = get_run_logger(), Tasks()
    settings = load_settings()
    settings = settings.model_copy(update={"reveal": settings.reveal or reveal, "share": settings.share or share})
    names = tuple(datasets or known_datasets())
    for name in names:
        contract_for(name)
    stores = tasks.start("find stores", lambda: find_stores(settings, progress=logger.info)).result()
    finished = run_check(settings, stores, tasks, datasets=names, owner=OWNER, progress=logger.info)
    logger.info("the report is %s", finished.folder / "report.html")
    try:
        tasks.start("leave artifacts", leave_artifacts, finished).result()
    except Exception as exc:  # noqa: BLE001 - whatever it is, the report is published and the verdict stands
        logger.warning("The artifacts could not be left (%s); the report is complete.", type(exc).__name__)
    return finished

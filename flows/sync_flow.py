"""One drain of replication as a Prefect flow, for those who keep no process running that follows the stores.

Completed means that everything was carried over that could be; Failed that a store could not be reached, or that
something is left for a person, and its message says which.
"""

from __future__ import annotations

import sys
from typing import Any

from flows.quiet import quiet_libraries
from flows.settings import load_settings
from flows.wiring import home

# A worker has imported Prefect, and set its folder, before it loads this file.
quiet_libraries(None if "prefect" in sys.modules else home(load_settings()))

from prefect import flow, get_run_logger  # noqa: E402 - after its telemetry was switched off
from prefect.client.schemas.objects import State  # noqa: E402
from prefect.states import Completed, Failed  # noqa: E402

from flows.draining import Drained, drain_once  # noqa: E402
from flows.opening import opened  # noqa: E402
from flows.sync import todos  # noqa: E402
from flows.unexpected import understood  # noqa: E402

OWNER = "sync"


@flow(name="sync", retries=0, persist_result=False, log_prints=False)
def sync(dataset: str | None = None) -> State[Any]:
    """Carry over once what waits on both sides.

    The stores and all secrets come from the environment of the process that runs it, never from parameters.

    Args:
        dataset: Name of the dataset; all that are replicated unless given.
    """
    logger = get_run_logger()
    try:
        with opened(dataset, remembering=True, guarded=True) as work:
            drained = [drain_once(work, replication, owner=OWNER) for replication in work.replications]
    except Exception as exc:  # noqa: BLE001 - Prefect would log its text, which may hold values
        error = understood(exc, None)
        return Failed(message=str(error), data=error)
    for one in drained:
        logger.info("%s", one.sentence)
    made = Failed if any(one.exit_code for one in drained) else Completed
    said = (" ".join((one.sentence, *(todos(one.after.status) if one.exit_code else ()))) for one in drained)
    return made(message=" ".join(said), data=[_numbers(one) for one in drained])


def _numbers(one: Drained) -> dict[str, object]:
    return {"dataset": one.dataset, "carried": one.carried, "left": one.left, "exit_code": one.exit_code}

"""The weekly backup as a Prefect flow: make one, prove it by a drill, remove old ones.

Completed means that a new backup was made and restores; Failed that it could not be made, or is damaged, and its
message says which. Old backups are removed only after the new one was proven.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

from flows.quiet import plain_sessions, quiet_libraries
from flows.settings import load_settings
from flows.wiring import home

# A worker has imported Prefect, and set its folder, before it loads this file.
quiet_libraries(None if "prefect" in sys.modules else home(load_settings()))
plain_sessions()

from prefect import flow, get_run_logger  # noqa: E402 - after its telemetry was switched off
from prefect.client.schemas.objects import State  # noqa: E402
from prefect.states import Completed, Failed  # noqa: E402

from contracts.vocabulary import StoreName  # noqa: E402
from flows.backup import create_backup, prune_backups, verify_backup  # noqa: E402
from flows.unexpected import understood  # noqa: E402
from flows.wiring import find_stores, open_memory  # noqa: E402


@flow(name="weekly-backup", retries=0, persist_result=False, log_prints=False)
def weekly_backup(datasets: list[str] | None = None) -> State[Any]:
    """Back both stores up, restore the backup into scratch servers, and remove old backups when it is as it was.

    The stores and all secrets come from the environment of the process that runs it, never from parameters. A primary
    to which no secondary is set is backed up alone.

    Args:
        datasets: Names of the datasets; all that are known unless given.
    """
    logger = get_run_logger()
    try:
        settings = load_settings()
        stores = find_stores(settings, alone=True, progress=logger.info)
        sides = (StoreName.PRISMA,) if stores.alone else tuple(StoreName)
        with open_memory(settings, stores.environment) as memory:
            made = create_backup(settings, stores, sides=sides, names=datasets or (), memory=memory)
            logger.info("made %s, %.1f MB in %.1f s", made.id, made.bytes / 1e6, made.seconds)
            _, found = verify_backup(settings, made.id, memory=memory, progress=logger.info)
            if not found.passed:
                return Failed(message=f"{made.id} is damaged: {found.flaws[0].text}", data={"id": made.id})
            _, gone = prune_backups(settings, datetime.now(UTC), memory=memory)
    except Exception as exc:  # noqa: BLE001 - Prefect would log its text, which may hold values
        error = understood(exc, None)
        return Failed(message=str(error), data=error)
    removed = f" {len(gone)} old ones are removed." if gone else ""
    return Completed(message=f"{made.id} is verified.{removed}", data={"id": made.id, "verified_at": str(found.at)})

"""twinstore: the same records in two stores, proven equal. This is the door for applications: they import nothing else.

import twinstore

with twinstore.open_repository() as planning:
    result = planning.save({"id": "0b6f2a54-8c1d-4e8a-9a56-3d2f1c0e7b91", "type": "scenario", "title": "A rainy night"})
    print(result.success, result.consistency, planning.get(result.id))

finished = twinstore.check()
print(finished.report.verdict, finished.folder / "report.html")
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from contracts.errors import (
    CircuitOpen,
    ConfigurationError,
    Invalid,
    OutcomeUnknown,
    TwinstoreError,
    Unavailable,
)
from contracts.verdicts import RunReport
from contracts.vocabulary import StoreName, Verdict

if TYPE_CHECKING:
    from contracts.planning_input import check_content, check_result
    from contracts.planning_query import PlanningQuery
    from contracts.results import (
        Consistency,
        ConsistencyReport,
        DegradationMode,
        DualStorageResult,
        Outcome,
        Reading,
        Record,
        RecordPage,
        StorageHealth,
        UserConsistencyReport,
    )
    from flows.check import Finished
    from storage.dual import DualRepository

__all__ = [
    "CircuitOpen",
    "ConfigurationError",
    "Consistency",
    "ConsistencyReport",
    "DegradationMode",
    "DualRepository",
    "DualStorageResult",
    "Finished",
    "Invalid",
    "Outcome",
    "OutcomeUnknown",
    "PlanningQuery",
    "Reading",
    "Record",
    "RecordPage",
    "RunReport",
    "StorageHealth",
    "StoreName",
    "TwinstoreError",
    "Unavailable",
    "UserConsistencyReport",
    "Verdict",
    "check",
    "check_content",
    "check_result",
    "open_repository",
]

_RESULTS = (
    "Consistency",
    "ConsistencyReport",
    "DegradationMode",
    "DualStorageResult",
    "Outcome",
    "Reading",
    "Record",
    "RecordPage",
    "StorageHealth",
    "UserConsistencyReport",
)
_LATER = {
    **dict.fromkeys(_RESULTS, "contracts.results"),
    **dict.fromkeys(("check_content", "check_result"), "contracts.planning_input"),
    "PlanningQuery": "contracts.planning_query",
    "DualRepository": "storage.dual",
    "Finished": "flows.check",
}
"""What is loaded when it is asked for, by module: what takes its time to load."""


def check(datasets: Sequence[str] | None = None) -> Finished:
    """Check the stores that the environment names, as `twinstore check` does, and return the published run.

    Args:
        datasets: Names of the datasets; all that are known unless given.

    Raises:
        TwinstoreError: The settings, the memory or the report's folder cannot be used, or another check is under way.
            A store that cannot be read is no such error: the run says so, and its verdict is errored.
    """
    from flows.check import run_check, threads
    from flows.quiet import quiet_libraries
    from flows.settings import load_settings
    from flows.wiring import find_stores, home

    settings = load_settings()
    quiet_libraries(home(settings))
    with threads() as conductor:
        return run_check(settings, find_stores(settings), conductor, datasets=datasets or None)


def open_repository() -> DualRepository:
    """Open the planning records of the stores that the environment names; close it when the application ends.

    Open it once and share it between threads: it holds connections, and a circuit breaker for each store. Nothing
    connects before it is asked something, so that it opens while a store is down. Without a key of `service_role` for
    Supabase the primary serves alone.

    Raises:
        TwinstoreError: The settings cannot be used, or the embedded pair does not start.
    """
    from flows.quiet import quiet_drivers
    from flows.repository import make_repository
    from flows.settings import load_settings
    from flows.wiring import find_stores

    settings = load_settings()
    quiet_drivers()
    return make_repository(settings, find_stores(settings, alone=True))


def __getattr__(name: str) -> object:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(name)

"""twinstore: the same records in two stores, proven equal. This is the door for applications: they import nothing else.

import twinstore

finished = twinstore.check()
print(finished.report.verdict, finished.folder / "report.html")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from contracts.errors import TwinstoreError
from contracts.verdicts import RunReport
from contracts.vocabulary import Verdict

if TYPE_CHECKING:
    from flows.check import Finished

__all__ = ["Finished", "RunReport", "TwinstoreError", "Verdict", "check"]


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


def __getattr__(name: str) -> object:
    if name == "Finished":
        from flows.check import Finished

        return Finished
    raise AttributeError(name)

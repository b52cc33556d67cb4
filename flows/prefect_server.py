"""`python -m flows.prefect_server`: the commands of `prefect`, with a scheduler that works beside SQLAlchemy 2.1.

Prefect 3.8 hands its new runs to SQLAlchemy together with their states, which are no columns. SQLAlchemy 2.0 passes
over them; 2.1 refuses the statement unless the class says what shall become of them, so that a Prefect server that
shares our packages never schedules anything, and says so only in its log. Here the classes say it. A Prefect server
with packages of its own needs none of this.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from flows.quiet import quiet_libraries


def main() -> None:
    """Run Prefect's command line on classes that SQLAlchemy 2.1 accepts."""
    quiet_libraries(None)
    mend_scheduler()
    from prefect.cli import app

    app()


def mend_scheduler() -> None:
    """Tell SQLAlchemy to pass over the states among the values of new runs, unless Prefect tells it already."""
    from prefect.server.database.orm_models import FlowRun, TaskRun

    for model in (FlowRun, TaskRun):
        state: Any = model.__mapper__.all_orm_descriptors["state"]
        if getattr(state, "bulk_dml_setter", False) is None:
            state.bulk_dml_setter = _pass_over


def _pass_over(_model: type[object], _values: MutableMapping[str, Any], _state: object) -> None:
    """Leave the values as they are: Prefect writes the state by itself, in its next statement."""


if __name__ == "__main__":
    main()

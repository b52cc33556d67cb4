"""What tests ask Prefect's API about a flow run: its tasks, artifacts and log."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FlowRunView:
    """One flow run, as the API shows it.

    Attributes:
        client: Of the server.
        run: Id of the flow run.
    """

    client: SyncPrefectClient
    run: UUID

    def tasks(self, count: int) -> dict[str, str]:
        """Return the name of each task's state, once there are `count` tasks and all have ended."""
        return until(lambda: self._ended_tasks(count), f"{count} tasks that ended")

    def artifacts(self) -> dict[str, Any]:
        """Return the data of each artifact by its key; tables are parsed."""
        filters = {"artifacts": {"flow_run_id": {"any_": [str(self.run)]}}}
        rows = self.client._client.post("/artifacts/filter", json=filters).json()
        return {a["key"]: json.loads(a["data"]) if a["type"] == "table" else a["data"] for a in rows}

    def log(self, last: str) -> str:
        """Return the log, once it holds `last`."""
        return until(lambda: text if last in (text := self._log()) else None, f"{last!r} in the log")

    def _ended_tasks(self, count: int) -> dict[str, str] | None:
        filters = {"task_runs": {"flow_run_id": {"any_": [str(self.run)]}}}
        rows = self.client._client.post("/task_runs/filter", json=filters).json()
        states = {r["name"]: r["state"]["name"] for r in rows if r["end_time"] and r["state"]}
        return states if len(states) >= count else None

    def _log(self) -> str:
        rows: list[dict[str, str]] = []
        while True:
            query = {"logs": {"flow_run_id": {"any_": [str(self.run)]}}, "sort": "TIMESTAMP_ASC", "offset": len(rows)}
            page = self.client._client.post("/logs/filter", json=query).json()
            if not page:
                return "\n".join(row["message"] for row in rows)
            rows += page


def until(ask: Callable[[], T | None], what: str, *, timeout_s: float = 60.0) -> T:
    """Ask again and again until there is an answer."""
    end = time.monotonic() + timeout_s
    while True:
        answer = ask()
        if answer is not None:
            return answer
        assert time.monotonic() < end, f"{what} did not come within {timeout_s:.0f} s"
        time.sleep(0.2)

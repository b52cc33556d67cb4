"""A process of its own that uses the memory: `python state_worker.py <url> hold|contend|remember <argument>`."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from contracts.errors import Conflict
from contracts.ledger import Identity, Sighting
from contracts.verdicts import DatasetReport, RunReport
from contracts.vocabulary import DifferenceKind, Verdict
from storage.state import State, open_state


def _now() -> datetime:
    return datetime.now(UTC)


def hold(state: State, dataset: str) -> None:
    """Take the lease, say so, and keep it until killed."""
    with state.lease(dataset, "check", owner="worker", now=_now):
        sys.stdout.write("held\n")
        sys.stdout.flush()
        time.sleep(60)


def contend(state: State, log: str) -> None:
    """Take the lease ten times as soon as it is free, writing when it was had and given back."""
    taken = 0
    while taken < 10:
        try:
            with (
                state.lease("planning", "check", owner="worker", now=_now),
                Path(log).open("a", encoding="utf-8") as file,
            ):
                file.write("+")
                file.flush()
                time.sleep(0.005)
                file.write("-")
            taken += 1
        except Conflict:
            time.sleep(0.002)


def remember(state: State, name: str) -> None:
    """Remember ten runs of a thousand differences each."""
    identities = [Identity(key=f"key-{n:04}", kind=DifferenceKind.ONLY_PRIMARY) for n in range(1000)]
    for number in range(10):
        start = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=number)
        report = RunReport(
            run_id=f"{start:%Y%m%dT%H}-{name}",
            environment="test",
            started_at=start,
            finished_at=start,
            verdict=Verdict.FAILED,
            reason="For a test.",
            reasons=(),
            datasets=(DatasetReport(name="planning", verdict=Verdict.FAILED, differences_total=1000),),
        )
        state.remember(report, sightings={"planning": [Sighting(identity=identity) for identity in identities]})


if __name__ == "__main__":
    with open_state(sys.argv[1]) as opened:
        {"hold": hold, "contend": contend, "remember": remember}[sys.argv[2]](opened, sys.argv[3])

"""What is known of when both stores agreed, for plans by which the only side that changed since wins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from contracts.vocabulary import StoreName
from flows.repair.sides import Pair

if TYPE_CHECKING:
    from storage.repair.agreeing import Agreed
    from storage.state import State


def agreement(pair: Pair, memory: State) -> Agreed | None:
    """Return what is known of it; None where the writes to one of the stores are not captured, or have a gap.

    Raises:
        TwinstoreError: A store or the memory cannot be asked.
    """
    from storage.repair.agreeing import Agreed, by_our_clock

    if pair.replication.secondary is None:
        return None
    since: list[datetime] = []
    ahead: dict[StoreName, timedelta] = {}
    for doors in (pair.replication.primary, pair.replication.secondary):
        asked = datetime.now(UTC)
        stand = doors.standing()
        if stand.since is None or stand.gap is not None:
            return None
        began, ahead[doors.store] = by_our_clock(stand.since, stand.now, asked=asked, answered=datetime.now(UTC))
        since.append(began)
    captured, name = max(since), pair.dataset.name
    return Agreed(
        captured=captured,
        looked=memory.looks.complete_runs(name, captured),
        differed=memory.looks.differed(name, captured),
        ahead=ahead,
    )

"""Look again before anything is reported: a disagreement counts only if neither side moved for the grace time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from contracts.dataset import Dataset
from storage.chunks import chunks
from storage.parity.agreement import by_rule
from storage.parity.candidates import Candidate
from storage.parity.together import together
from storage.ports import FullRow, HashKind, KeyHash, Reader, Snapshot

ROWS_AT_ONCE = 1000


class Outcome(StrEnum):
    """What became of a candidate."""

    CONFIRMED = "confirmed"  # stood still and differs
    SETTLED = "settled"  # is equal now
    GONE = "gone"  # is on neither side any more
    REPRESENTATION = "representation"  # is equal in canonical form
    RULE = "rule"  # counts as equal by the compare rules of its columns
    DEFERRED = "deferred"  # moved every time it was looked at
    PENDING = "pending"  # differs, and its change is under way


class Checked(NamedTuple):
    """A candidate after it was looked at again, with both rows as they were read last."""

    first: Candidate
    outcome: Outcome
    primary: FullRow | None
    secondary: FullRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long and how often a row may move before it is deferred.

    Attributes:
        grace_s: Seconds for which a disagreement must stand still; longer than replication lags.
        rounds: How often a moving row is looked at again.
    """

    grace_s: float = 3.0
    rounds: int = 3


class _Pending(NamedTuple):
    first: Candidate
    primary: KeyHash | None
    secondary: KeyHash | None


def recheck(
    readers: tuple[Reader, Reader],
    kind: HashKind,
    candidates: list[Candidate],
    *,
    seen_at: float,
    patience: Patience,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Checked]:
    """Yield every candidate with its outcome, in no particular order.

    Args:
        readers: Primary and secondary.
        kind: How rows are hashed.
        candidates: What the first look found.
        seen_at: Time of the first look on `clock`.
        patience: Grace time and rounds.
        sleep: Waits for seconds.
        clock: Tells a time in seconds that only grows.
    """
    pending = [_Pending(c, c.primary, c.secondary) for c in candidates]
    for round_number in range(1, patience.rounds + 1):
        if not pending:
            return
        sleep(max(0.0, patience.grace_s - (clock() - seen_at)))
        moving: list[_Pending] = []
        with readers[0].snapshot(kind) as primary, readers[1].snapshot(kind) as secondary:
            seen_at = clock()  # the moments of both snapshots are past
            for look in _look_again(readers[0].dataset, (primary, secondary), pending):
                if look.outcome is Outcome.DEFERRED and round_number < patience.rounds:
                    moving.append(_Pending(look.first, _hash(look.primary), _hash(look.secondary)))
                else:
                    yield look
            if not (primary.frozen and secondary.frozen):
                seen_at = clock()
        pending = moving


def _look_again(dataset: Dataset, snapshots: tuple[Snapshot, Snapshot], pending: list[_Pending]) -> Iterator[Checked]:
    for chunk in chunks(pending, ROWS_AT_ONCE):
        keys = [p.first.key for p in chunk]
        ours, theirs = together(*(partial(snapshot.rows, keys) for snapshot in snapshots))
        for item in chunk:
            yield _judge(dataset, item, ours.get(item.first.key), theirs.get(item.first.key))


def _judge(dataset: Dataset, item: _Pending, primary: FullRow | None, secondary: FullRow | None) -> Checked:
    still = (_hash(primary), _hash(secondary)) == (item.primary, item.secondary)
    if primary is None and secondary is None:
        outcome = Outcome.GONE
    elif _hash(primary) == _hash(secondary):
        outcome = Outcome.SETTLED
    elif primary and secondary and (names := by_rule(dataset, primary.row, secondary.row)) is not None:
        outcome = Outcome.RULE if names else Outcome.REPRESENTATION
    else:
        outcome = Outcome.CONFIRMED if still else Outcome.DEFERRED
    return Checked(item.first, outcome, primary, secondary)


def _hash(row: FullRow | None) -> KeyHash | None:
    return row.hash if row else None

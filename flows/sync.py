"""Carry changes between the two stores, and tell how far they have come. Plain functions on a built replication."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from contracts.errors import TwinstoreError
from contracts.replication import Heard, Standing, SyncStatus
from contracts.vocabulary import StoreName
from flows.replicating import Replication
from flows.unexpected import understood

if TYPE_CHECKING:
    from storage.replication.relay import Pass, Relay

T = TypeVar("T")

SLICE_S = 5.0  # after so long the lease is given back for a moment, so that a check can begin
YIELD_S = 0.25  # that moment: longer than others wait before they ask again

Turn = Callable[[], AbstractContextManager[object]]
"""Waits until it is our turn, and keeps others from theirs for as long as its context lasts."""


class Ask(Protocol):
    """Puts a question to a store; None where it cannot be asked."""

    def __call__(self, store: StoreName, question: Callable[[], T], /) -> T | None:
        """Return what the store answers."""
        ...


class Conclusion(StrEnum):
    """What the state of replication asks for."""

    FINE = "fine"
    WAITS = "waits"  # for a person: a conflict, a dead letter, a gap, an adoption
    UNKNOWN = "unknown"  # a store could not be asked

    @property
    def exit_code(self) -> int:
        """0 fine, 1 something waits for a person, 2 could not tell."""
        return list(Conclusion).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """How far two stores have come, as far as they could be asked.

    Attributes:
        status: What they said.
        errors: Why one of them could not be asked.
    """

    status: SyncStatus
    errors: tuple[TwinstoreError, ...] = ()

    @property
    def conclusion(self) -> Conclusion:
        """What this asks for."""
        if self.errors:
            return Conclusion.UNKNOWN
        waits = not self.status.ready or self.status.conflicts or self.status.dead_letters
        return Conclusion.WAITS if waits else Conclusion.FINE

    @property
    def captured(self) -> bool:
        """True when writes of one of the stores are captured: somebody adopted them, or began to."""
        sides = (self.status.primary, self.status.secondary)
        return any(side is not None and side.since is not None for side in sides)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """What was carried over in one turn.

    Attributes:
        done: What was done.
        finished: True when nothing moved any more; else time was up, or somebody asked to stop.
    """

    done: Pass
    finished: bool


def survey(replication: Replication) -> Survey:
    """Ask both sides how far they have come; one that cannot be asked does not keep the other from answering."""
    errors: list[TwinstoreError] = []

    def ask(_: StoreName, question: Callable[[], T]) -> T | None:
        try:
            return question()
        except Exception as exc:  # noqa: BLE001 - whatever it is, this side could not be asked
            errors.append(understood(exc, None))
            return None

    status = ask_status(replication, ask)
    return Survey(status=status, errors=tuple(errors))


def ask_status(replication: Replication, ask: Ask, *, deadline_s: float | None = None) -> SyncStatus:
    """Ask both sides how far they have come, as far as they answer.

    Args:
        replication: What carries their changes.
        ask: Asks a store, and makes None of no answer.
        deadline_s: Seconds that a store has to say how it stands.
    """
    from storage.replication.restores import compared

    def ask_primary(heard: Heard = ()) -> Standing | None:
        return ask(StoreName.PRISMA, lambda: replication.primary.standing(heard=heard, deadline_s=deadline_s))

    primary = ask_primary()
    heard = () if primary is None else primary.heard
    secondary = ask(StoreName.SUPABASE, lambda: replication.both()[1].standing(heard=heard, deadline_s=deadline_s))
    if primary is not None and secondary is not None:
        primary, secondary = compared(primary, secondary, ask_primary)
    counts = None if primary is None else ask(StoreName.PRISMA, replication.book.counts)
    conflicts, dead, failing = counts or (None, None, None)
    return SyncStatus(
        dataset=replication.dataset.name,
        primary=primary,
        secondary=secondary,
        conflicts=conflicts,
        dead_letters=dead,
        failing=failing,
    )


def todos(status: SyncStatus) -> Iterator[str]:
    """Yield what a person has to do."""
    from storage.replication.relay import GAPS

    sides = [side for side in (status.primary, status.secondary) if side is not None]
    for side in sides:
        if side.gap is not None:
            yield f"{GAPS[side.gap]} on {side.store}: run `twinstore check`, then `twinstore adopt`."
    captured = [side.since is not None for side in sides]
    adopted = status.primary is None or status.primary.adopted_at is not None
    if not all(captured):
        yield "Writes are not captured: run `twinstore adopt`."
    elif not adopted and not any(side.gap for side in sides):
        yield "The stores were not adopted, so that nothing is carried over: run `twinstore adopt`."
    if status.conflicts:
        yield "Decide conflicts: `twinstore sync conflicts list`, then `show` and `resolve`."
    if status.dead_letters:
        yield "Look at dead letters: `twinstore sync dead-letters list`, then `retry` or `discard`."


def carry(
    relay: Relay,
    *,
    stop: Callable[[], bool] = lambda: False,
    slice_s: float = SLICE_S,
    clock: Callable[[], float] = time.monotonic,
    progress: Callable[[Pass], None] = lambda _: None,
) -> Slice:
    """Carry changes over until nothing moves, time is up, or somebody asks to stop; it ends between two batches.

    Args:
        relay: The relay.
        stop: Tells whether to stop.
        slice_s: Seconds after which it ends.
        clock: Tells a time in seconds that only grows.
        progress: Is told what was done so far, after every batch.

    Raises:
        TwinstoreError: A store cannot be reached. What was done stays done.
    """
    from storage.replication.relay import Pass

    ends_at, done = clock() + slice_s, Pass()
    while True:
        before = done.carried
        for part in relay.passing():
            done += part
            progress(done)
            if stop() or clock() > ends_at:
                return Slice(done=done, finished=False)
        if done.carried == before:
            return Slice(done=done, finished=True)


def drain(
    relay: Relay,
    turn: Turn,
    *,
    stop: Callable[[], bool] = lambda: False,
    wait: Callable[[float], None] = time.sleep,
    progress: Callable[[Pass], None] = lambda _: None,
) -> Slice:
    """Carry changes over, turn by turn, until nothing moves or somebody asks to stop.

    Raises:
        TwinstoreError: A store cannot be reached, capture has a gap, or nobody adopted the stores.
    """
    from storage.replication.relay import Pass

    done = Pass()
    while True:
        with turn():
            relay.prove()  # what was proved before may have passed while others had their turn
            part = carry(relay, stop=stop, progress=partial(_more, progress, done))
        done += part.done
        if part.finished or stop():
            return Slice(done=done, finished=part.finished)
        wait(YIELD_S)


def _more(progress: Callable[[Pass], None], before: Pass, now: Pass) -> None:
    progress(before + now)

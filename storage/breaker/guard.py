"""The guard: stands before calls to a store and makes those that its breaker permits."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from datetime import datetime
from threading import Lock
from typing import TypeVar

from contracts.errors import CircuitOpen
from storage.breaker.machine import Breaker
from storage.breaker.outages import asked_to_wait_s, counts_as_outage, outcome_of
from storage.breaker.values import Event, EventKind, Outcome, Permit, Saved, State

T = TypeVar("T")

EVENTS_KEPT = 200
_log = logging.getLogger("twinstore")


class Guard:
    """Makes calls to one store in one direction, unless its breaker is open. Threads share it.

    The lock is held while the breaker is asked and told, never during a call or while listeners are told.

    Args:
        name: The store, and the direction where it has several guards; for people.
        breaker: The breaker; nobody else uses it from now on.
        clock: Tells a time in seconds that only grows.
        failed: Tells whether an error says that the store is not there.
    """

    def __init__(
        self,
        name: str,
        breaker: Breaker,
        *,
        clock: Callable[[], float] = time.monotonic,
        failed: Callable[[Exception], bool] = counts_as_outage,
    ) -> None:
        self.name = name
        self._breaker = breaker
        self._clock = clock
        self._failed = failed
        self._lock = Lock()
        self._listeners: list[Callable[[Event], None]] = []
        self._last: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self._numbers: Counter[EventKind] = Counter()

    @property
    def state(self) -> State:
        """The state of the breaker."""
        return self._breaker.state

    @property
    def wait_s(self) -> float | None:
        """Seconds until a call may be made, 0 when at once; None when the circuit is held open by hand."""
        with self._lock:
            return self._breaker.wait_s(self._clock())

    @property
    def events(self) -> tuple[Event, ...]:
        """The last events, oldest first; at most `EVENTS_KEPT`."""
        with self._lock:
            return tuple(self._last)

    @property
    def numbers(self) -> dict[EventKind, int]:
        """How many events of each kind there were."""
        with self._lock:
            return {kind: self._numbers[kind] for kind in EventKind}

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Tell `listener` every event from now on; one that raises is logged and otherwise ignored."""
        with self._lock:
            self._listeners.append(listener)

    def call(self, work: Callable[[], T]) -> T:
        """Return what `work` returns.

        Whatever leaves `work`, an interruption included, leaves this too, and the permit is given back.

        Args:
            work: Calls the store once.

        Raises:
            CircuitOpen: The circuit is open; `work` was not called.
        """
        permit = self._permit()
        outcome, retry_after_s = Outcome.IGNORED, None
        try:
            result = work()
        except Exception as exc:
            outcome, retry_after_s = outcome_of(exc, counts=self._failed(exc)), asked_to_wait_s(exc)
            raise
        else:
            outcome = Outcome.SUCCESS
            return result
        finally:
            self._give_back(permit, outcome, retry_after_s)

    def force(self, state: State) -> None:
        """Bring the breaker into a state by hand; `State.CLOSED` makes it as if it were new."""
        with self._lock:
            self._breaker.force(state, self._clock())
            events, listeners = self._noted()
        _tell(events, listeners)

    def save(self, wall: datetime) -> Saved:
        """Return what the next process needs; `wall` is the present time, UTC."""
        with self._lock:
            return self._breaker.save(now=self._clock(), wall=wall)

    def _permit(self) -> Permit:
        with self._lock:
            now = self._clock()
            permit = self._breaker.allow(now)
            wait_s = self._breaker.wait_s(now)
            events, listeners = self._noted()
        _tell(events, listeners)
        if permit is None:
            raise CircuitOpen(
                f"{self.name} was not called, since {_why(wait_s)}.",
                "Try again later; `twinstore sync status` shows how both stores are.",
                store=self.name,
                wait_s=wait_s,
            )
        return permit

    def _give_back(self, permit: Permit, outcome: Outcome, retry_after_s: float | None) -> None:
        with self._lock:
            self._breaker.record(permit, outcome, self._clock(), retry_after_s=retry_after_s)
            events, listeners = self._noted()
        _tell(events, listeners)

    def _noted(self) -> tuple[tuple[Event, ...], tuple[Callable[[Event], None], ...]]:
        """Note what happened, and return it with those to whom it is told once the lock is free."""
        events = self._breaker.take_events()
        self._last.extend(events)
        self._numbers.update(event.kind for event in events)
        return events, tuple(self._listeners)


def _why(wait_s: float | None) -> str:
    if wait_s is None:
        return "its circuit is held open by hand"
    return f"too many calls to it failed; it is tried again in {math.ceil(wait_s)} s"


def _tell(events: Iterable[Event], listeners: Iterable[Callable[[Event], None]]) -> None:
    for event in events:
        for listener in listeners:
            try:
                listener(event)
            except Exception as exc:  # noqa: BLE001 - whoever listens must not break a call
                _log.warning("A listener of a circuit breaker raised %s.", type(exc).__name__)

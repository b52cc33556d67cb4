"""One call to one store: through its circuit breaker, timed, and with an answer or an error as a value."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from contracts.errors import (
    CircuitOpen,
    ConfigurationError,
    Exhausted,
    Invalid,
    OutcomeUnknown,
    TwinstoreError,
    Unavailable,
)
from contracts.results import DegradationMode, StoreResult, StoreResults
from contracts.vocabulary import StoreName
from storage.breaker import counts_as_outage

T = TypeVar("T")

UNUSED = StoreResult(attempted=False, success=False)
"""What a store did that was not needed."""


class Guarding(Protocol):
    """What stands before calls to a store: `storage.breaker.Guard`."""

    def call(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, or raise `CircuitOpen` without calling it."""
        ...


class TrackRecord(NamedTuple):
    """How a store did lately.

    Attributes:
        failures: Number of consecutive calls that it did not answer.
        last_failure_at: When the last of them ended, on the clock of `Asking`; None when there was none.
    """

    failures: int = 0
    last_failure_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[T]):
    """What came of a call.

    Attributes:
        answer: What the store answered; None when it did not.
        error: Why it did not.
        ms: Time that it took, in milliseconds.
    """

    answer: T | None
    error: TwinstoreError | None
    ms: int

    @property
    def circuit_open(self) -> bool:
        """True when the store was not called, since its circuit is open."""
        return isinstance(self.error, CircuitOpen)

    @property
    def unavailable(self) -> bool:
        """True when the store is not there, so that the other one may serve."""
        return isinstance(self.error, Unavailable)

    @property
    def unknown(self) -> bool:
        """True when nobody can say whether the store wrote."""
        return isinstance(self.error, OutcomeUnknown)

    def result(self, *, success: bool = True, outcome: str | None = None, error: str | None = None) -> StoreResult:
        """Return what the store did; `success` and what follows count only when it answered."""
        if self.error is not None:
            said = "unknown" if self.unknown else None
            return StoreResult(
                attempted=not self.circuit_open,
                success=False,
                outcome=said,
                error=str(self.error),
                timing_ms=None if self.circuit_open else self.ms,
            )
        return StoreResult(attempted=True, success=success, outcome=outcome, error=error, timing_ms=self.ms)


class Asking:
    """Asks stores. Threads may share it.

    Args:
        guards: What stands before the calls to a store; nothing where there is none.
        timer: Tells a time in seconds that only grows.
    """

    def __init__(self, guards: Mapping[StoreName, Guarding], *, timer: Callable[[], float] = time.monotonic) -> None:
        self._guards = guards
        self._timer = timer
        self._lock = threading.Lock()
        self._records = dict.fromkeys(StoreName, TrackRecord())
        self._process: int | None = None  # the one that called first, whose connections these are
        self._ended = False

    def ask(self, store: StoreName, work: Callable[[], T]) -> Asked[T]:
        """Call a store once, unless its circuit is open.

        Args:
            store: The store.
            work: Calls it.

        Raises:
            Invalid: What was asked for breaks the contract: that is no answer of a store.
            ConfigurationError: It has ended, or another process called first.
        """
        self._require_life()
        started = self._timer()
        guard = self._guards.get(store)
        try:
            answer = work() if guard is None else guard.call(work)
        except Invalid:
            raise
        except TwinstoreError as exc:
            if not isinstance(exc, (CircuitOpen, Exhausted)):
                self._note(store, failed=counts_as_outage(exc))
            return Asked(answer=None, error=exc, ms=self.ms_since(started))
        self._note(store, failed=False)
        return Asked(answer=answer, error=None, ms=self.ms_since(started))

    def end(self) -> bool:
        """Call nothing any more, and tell whether this process may close what was called."""
        self._ended = True
        return self._process in (None, os.getpid())

    def track_record(self, store: StoreName) -> TrackRecord:
        """Return how a store did lately."""
        return self._records[store]

    def state(self, store: StoreName) -> str | None:
        """Return the state of a store's circuit; None where it has none."""
        state = getattr(self._guards.get(store), "state", None)
        return None if state is None else str(state)

    def shut(self, store: StoreName) -> bool:
        """Tell whether a store would not be called now, since its circuit is open. Nothing is called for it."""
        wait_s = getattr(self._guards.get(store), "wait_s", 0.0)
        return wait_s is None or wait_s > 0

    def now(self) -> float:
        """Return the time in seconds that only grows."""
        return self._timer()

    def ms_since(self, started: float) -> int:
        """Return the milliseconds since a moment of `now`."""
        return max(0, round((self._timer() - started) * 1000))

    def _require_life(self) -> None:
        if self._ended:
            raise ConfigurationError("The repository was closed.", "Open another one.")
        if self._process is None:
            self._process = os.getpid()
        if self._process != os.getpid():  # both would read each other's answers
            raise ConfigurationError(
                "The repository was used before this process was forked: its connections belong to another process.",
                "Open one in each process, after the fork.",
            )

    def _note(self, store: StoreName, *, failed: bool) -> None:
        with self._lock:
            before = self._records[store]
            at = self._timer() if failed else before.last_failure_at
            self._records[store] = TrackRecord(before.failures + 1 if failed else 0, at)


def results(primary: StoreResult = UNUSED, secondary: StoreResult = UNUSED) -> StoreResults:
    """Return what both stores did."""
    return StoreResults(prisma=primary, supabase=secondary)


def mode(primary: Asked[Any] | None, secondary: Asked[Any] | None, *, alone: bool) -> DegradationMode:
    """Return why a store was not asked. The primary's reason comes first.

    Args:
        primary: What was asked of the primary.
        secondary: What was asked of the secondary.
        alone: True when there is no secondary, and it is missed.
    """
    if primary is not None and primary.circuit_open:
        return DegradationMode.PRISMA_CIRCUIT_OPEN
    if alone:
        return DegradationMode.SUPABASE_DISABLED
    if secondary is not None and secondary.circuit_open:
        return DegradationMode.SUPABASE_CIRCUIT_OPEN
    return DegradationMode.NONE


def both_failed(verb: str, primary: StoreResult, secondary: StoreResult, *, alone: bool) -> str:
    """Return the sentence about a call that no store served."""
    if alone:
        return f"The {verb} failed on prisma ({primary.error}); supabase is not configured."
    return (
        f"Both storage systems are unavailable: the {verb} failed on prisma ({primary.error}) "
        f"and on supabase ({secondary.error})."
    )

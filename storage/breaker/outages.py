"""Which errors say that a store is not there for us: only these count for the circuit breaker.

A store that answers, even with a refusal, is there: a record that is not found, a value that it cannot hold, a missing
grant or a lost race says nothing about its availability. `docs/breaker.md` lists all classes.
"""

from __future__ import annotations

from contracts.errors import CircuitOpen, TimedOut, Unavailable
from storage.breaker.values import Outcome
from storage.rest.errors import Busy, Garbled

_CONTENTION = ("40", "55P03")  # deadlock, serialization, a lock that somebody else holds
_TOO_MANY_REQUESTS = 429


def counts_as_outage(exc: Exception) -> bool:
    """Return True for an error that says that the store is not there, or cannot be believed."""
    if isinstance(exc, CircuitOpen):
        return False  # no call was made
    if isinstance(exc, Busy):
        return not exc.code.startswith(_CONTENTION)
    return isinstance(exc, (Unavailable, Garbled))


def outcome_of(exc: Exception, *, counts: bool) -> Outcome:
    """Return what an error says about its store.

    Args:
        exc: The error.
        counts: Whether it counts as an outage at all.
    """
    if counts:
        throttled = isinstance(exc, Busy) and exc.status == _TOO_MANY_REQUESTS
        return Outcome.STRAINED if throttled else Outcome.FAILURE
    return Outcome.GAVE_UP if isinstance(exc, TimedOut) else Outcome.IGNORED


def asked_to_wait_s(exc: Exception) -> float | None:
    """Return the seconds for which a store asked not to be called; None when it did not."""
    return exc.retry_after_s if isinstance(exc, Busy) else None

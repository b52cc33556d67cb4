"""The circuit breaker: a state machine without clock or threads, and the guard that stands before calls to a store."""

from __future__ import annotations

from storage.breaker.guard import Guard
from storage.breaker.machine import Breaker
from storage.breaker.outages import counts_as_outage
from storage.breaker.values import Event, EventKind, Outcome, Permit, Rules, Saved, State, Why

__all__ = [
    "Breaker",
    "Event",
    "EventKind",
    "Guard",
    "Outcome",
    "Permit",
    "Rules",
    "Saved",
    "State",
    "Why",
    "counts_as_outage",
]

"""The words and values of the circuit breaker; `docs/breaker.md` draws its states."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.errors import ConfigurationError


class State(StrEnum):
    """What the breaker does with calls."""

    CLOSED = "closed"  # all pass, and are counted
    OPEN = "open"  # none passes until the time has come for a probe
    HALF_OPEN = "half_open"  # one passes at a time, as a probe; what becomes of it decides
    FORCED_OPEN = "forced_open"  # by hand: none passes
    FORCED_CLOSED = "forced_closed"  # by hand: all pass, none is counted
    METRICS_ONLY = "metrics_only"  # by hand: all pass and are counted, and it never opens


class Outcome(StrEnum):
    """What became of a call."""

    SUCCESS = "success"
    FAILURE = "failure"  # the store was not there for us
    STRAINED = "strained"  # it is there and asks for fewer calls: counts in the share of failures only
    GAVE_UP = "gave_up"  # it took too long for the store itself: counts where slow calls count
    IGNORED = "ignored"  # says nothing about whether the store is there


class Why(StrEnum):
    """Why the breaker went from one state to another."""

    IN_A_ROW = "in_a_row"  # as many failures without a success between
    SHARE = "share"  # too large a share of the last calls failed
    WAITED = "waited"  # it was open for long enough
    PROBE_SUCCEEDED = "probe_succeeded"
    PROBE_FAILED = "probe_failed"
    FORCED = "forced"  # by hand


class EventKind(StrEnum):
    """What is told to those who listen."""

    SUCCESS = "success"
    FAILURE = "failure"
    IGNORED = "ignored"
    NOT_PERMITTED = "not_permitted"
    TRANSITION = "transition"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When the breaker opens, and for how long.

    Attributes:
        in_a_row: Number of failures without a success between at which it opens.
        window: Number of the last calls whose share of failures is watched.
        least_calls: Number of calls below which their share says nothing.
        share: Share of failures from which on it opens, above 0 and at most 1.
        open_s: Seconds from the failure that opened it to the first probe.
        longest_open_s: Seconds that it stays open at most, whatever the store asks for.
        probe_s: Seconds after which a probe that did not come back lets another one pass.
        slow_s: Seconds from which on a call counts as failed even if it succeeded; None when slow calls do not count.

    Raises:
        ConfigurationError: One of them cannot be used.
    """

    in_a_row: int = 3
    window: int = 20
    least_calls: int = 10
    share: float = 0.5
    open_s: float = 300.0
    longest_open_s: float = 3600.0
    probe_s: float = 60.0
    slow_s: float | None = None

    def __post_init__(self) -> None:
        seconds = (self.open_s, self.probe_s, 1.0 if self.slow_s is None else self.slow_s)
        wrong = {
            "in_a_row must be at least 1": self.in_a_row < 1,
            "least_calls must be at least 1 and at most window": not 1 <= self.least_calls <= self.window,
            "share must be above 0 and at most 1": not 0 < self.share <= 1,
            "open_s, probe_s and slow_s must be above 0": not all(0 < s < math.inf for s in seconds),
            "longest_open_s must be at least open_s": not self.open_s <= self.longest_open_s < math.inf,
        }
        for rule, broken in wrong.items():
            if broken:
                raise ConfigurationError(f"The circuit breaker cannot work so: {rule}.", "Correct its rules.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """The right to make one call; it is given back with what became of the call.

    Attributes:
        epoch: How often the breaker had changed its state.
        number: Tells the permits of one breaker apart.
        at: When it was given, on the caller's clock in seconds.
    """

    epoch: int
    number: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened; each is told once.

    Attributes:
        kind: What happened.
        at: When, on the caller's clock in seconds.
        state: The state at that moment; the one that it went to, of a transition.
        before: The state before, of a transition.
        why: Why, of a transition.
        seconds: How long the call took.
        late: True for a call that began before the last transition, and therefore changed nothing.
    """

    kind: EventKind
    at: float
    state: State
    before: State | None = None
    why: Why | None = None
    seconds: float | None = None
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What a process hands on to the next one; times are those of the wall clock.

    Attributes:
        state: The state; a probe that is under way is not handed on, so that it is never half-open.
        failures: The last calls, oldest first, True where one failed.
        in_a_row: Failures since the last success.
        until: When a probe may pass; None unless it is open.
    """

    state: State = State.CLOSED
    failures: tuple[bool, ...] = ()
    in_a_row: int = 0
    until: datetime | None = None

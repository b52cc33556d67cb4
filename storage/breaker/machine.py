"""The state machine of the circuit breaker: no clock, no lock, no call. Whoever uses it tells the time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from storage.breaker.values import Event, EventKind, Outcome, Permit, Rules, Saved, State, Why

_ALL_PASS = frozenset({State.CLOSED, State.FORCED_CLOSED, State.METRICS_ONLY})
_COUNTING = frozenset({State.CLOSED, State.METRICS_ONLY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """All that a breaker knows.

    Attributes:
        state: The state.
        epoch: How often it changed its state.
        failures: The last calls that counted, oldest first, True where one failed.
        in_a_row: Failures since the last success.
        until: When a probe may pass, while it is open.
        probe: The permit of the probe that is under way, while it is half-open.
        given: Number of permits that were given.
    """

    state: State = State.CLOSED
    epoch: int = 0
    failures: tuple[bool, ...] = ()
    in_a_row: int = 0
    until: float = 0.0
    probe: Permit | None = None
    given: int = 0


class Breaker:
    """Decides whether a call may be made, from what became of the calls before it.

    Times are seconds on one clock of the caller's that only grows. It is not safe for threads; `Guard` is.

    Args:
        rules: When it opens, and for how long.
    """

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self.memory = Memory()
        self._events: list[Event] = []

    @classmethod
    def restored(cls, saved: Saved, *, now: float, wall: datetime, rules: Rules | None = None) -> Breaker:
        """Go on where another process stopped.

        Args:
            saved: What it handed on.
            now: The time on the caller's clock, in seconds.
            wall: The same moment on the wall clock, UTC.
            rules: When it opens, and for how long.
        """
        breaker = cls(rules)
        left_s = 0.0 if saved.until is None else (saved.until - wall).total_seconds()
        breaker.memory = Memory(
            state=saved.state,
            failures=saved.failures[-breaker.rules.window :],
            in_a_row=saved.in_a_row,
            until=now + min(max(0.0, left_s), breaker.rules.longest_open_s),  # the wall clock may have been set
        )
        return breaker

    @property
    def state(self) -> State:
        """The state; an open breaker becomes half-open when somebody asks it for a permit."""
        return self.memory.state

    @property
    def exceeded(self) -> Why | None:
        """Which rule the last calls break, also where nothing follows from it; None when none."""
        failures = self.memory.failures
        if self.memory.in_a_row >= self.rules.in_a_row:
            return Why.IN_A_ROW
        enough = len(failures) >= self.rules.least_calls
        return Why.SHARE if enough and sum(failures) / len(failures) >= self.rules.share else None

    def wait_s(self, now: float) -> float | None:
        """Return the seconds until a permit may be had, 0 when at once; None when only somebody's hand can help."""
        memory = self.memory
        if memory.state is State.FORCED_OPEN:
            return None
        if memory.state is State.OPEN:
            return max(0.0, memory.until - now)
        if memory.state is State.HALF_OPEN and memory.probe is not None:
            return max(0.0, memory.probe.at + self.rules.probe_s - now)
        return 0.0

    def allow(self, now: float) -> Permit | None:
        """Return a permit for one call, which must be given back by `record`; None when no call may be made."""
        if self.state is State.OPEN and now >= self.memory.until:
            self._go(State.HALF_OPEN, Why.WAITED, now)
        if self.state not in _ALL_PASS and self.wait_s(now) != 0.0:
            self._tell(EventKind.NOT_PERMITTED, now)
            return None
        memory = self.memory
        permit = Permit(epoch=memory.epoch, number=memory.given, at=now)
        probe = permit if memory.state is State.HALF_OPEN else None
        self.memory = replace(memory, given=memory.given + 1, probe=probe)
        return permit

    def record(self, permit: Permit, outcome: Outcome, now: float, *, retry_after_s: float | None = None) -> None:
        """Take a permit back.

        A call that began before the last transition, or whose permit as a probe went to another one, changes nothing.

        Args:
            permit: The permit; each is taken back once.
            outcome: What became of the call.
            now: The time, in seconds.
            retry_after_s: Seconds for which the store asked not to be called.
        """
        seconds = now - permit.at
        counted = self._counted(outcome, seconds)
        memory = self.memory
        replaced = memory.state is State.HALF_OPEN and memory.probe != permit
        late = permit.epoch != memory.epoch or replaced
        self._tell(_KINDS[counted], now, seconds=seconds, late=late)
        if late:
            return
        if memory.state is State.HALF_OPEN:
            self._judge_probe(counted, now, retry_after_s)
        elif memory.state in _COUNTING and counted is not Outcome.IGNORED:
            self._count(counted)
            if counted is not Outcome.SUCCESS and memory.state is State.CLOSED and self.exceeded is not None:
                self._go(State.OPEN, self.exceeded, now, retry_after_s)

    def force(self, state: State, now: float) -> None:
        """Bring it into a state by hand, with nothing counted; `State.CLOSED` makes it as if it were new."""
        self._go(state, Why.FORCED, now)

    def save(self, *, now: float, wall: datetime) -> Saved:
        """Return what the next process needs; the arguments are one moment on both clocks."""
        memory = self.memory
        waiting = memory.state in (State.OPEN, State.HALF_OPEN)
        left_s = max(0.0, memory.until - now) if memory.state is State.OPEN else 0.0
        return Saved(
            state=State.OPEN if waiting else memory.state,
            failures=memory.failures,
            in_a_row=memory.in_a_row,
            until=wall + timedelta(seconds=left_s) if waiting else None,
        )

    def take_events(self) -> tuple[Event, ...]:
        """Return what happened since this was asked last."""
        events = tuple(self._events)
        self._events.clear()
        return events

    def _counted(self, outcome: Outcome, seconds: float) -> Outcome:
        """Say how a call counts that took so long."""
        slow = self.rules.slow_s is not None and seconds >= self.rules.slow_s
        if outcome is Outcome.SUCCESS:
            return Outcome.FAILURE if slow else Outcome.SUCCESS
        if outcome is Outcome.GAVE_UP:
            return Outcome.FAILURE if slow else Outcome.IGNORED
        return outcome

    def _count(self, counted: Outcome) -> None:
        failed = counted is not Outcome.SUCCESS
        in_a_row = {Outcome.SUCCESS: 0, Outcome.FAILURE: self.memory.in_a_row + 1}.get(counted, self.memory.in_a_row)
        failures = (*self.memory.failures, failed)[-self.rules.window :]
        self.memory = replace(self.memory, failures=failures, in_a_row=in_a_row)

    def _judge_probe(self, counted: Outcome, now: float, retry_after_s: float | None) -> None:
        if counted is Outcome.IGNORED:
            self.memory = replace(self.memory, probe=None)
        elif counted is Outcome.SUCCESS:
            self._go(State.CLOSED, Why.PROBE_SUCCEEDED, now)
        else:
            self._go(State.OPEN, Why.PROBE_FAILED, now, retry_after_s)

    def _go(self, state: State, why: Why, now: float, retry_after_s: float | None = None) -> None:
        before = self.memory
        open_s = min(max(self.rules.open_s, retry_after_s or 0.0), self.rules.longest_open_s)
        self.memory = Memory(state=state, epoch=before.epoch + 1, until=now + open_s, given=before.given)
        self._tell(EventKind.TRANSITION, now, before=before.state, why=why)

    def _tell(
        self,
        kind: EventKind,
        now: float,
        *,
        before: State | None = None,
        why: Why | None = None,
        seconds: float | None = None,
        late: bool = False,
    ) -> None:
        event = Event(kind=kind, at=now, state=self.state, before=before, why=why, seconds=seconds, late=late)
        self._events.append(event)


_KINDS = {
    Outcome.SUCCESS: EventKind.SUCCESS,
    Outcome.FAILURE: EventKind.FAILURE,
    Outcome.STRAINED: EventKind.FAILURE,
    Outcome.IGNORED: EventKind.IGNORED,
}

"""The guard before calls: who is let through, what leaves it, and who is told; with real threads."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import NoReturn

import pytest

from contracts.errors import CircuitOpen, Conflict, Unavailable
from storage.breaker import Breaker, Event, EventKind, Guard, Rules, State
from storage.rest.errors import Busy

WAIT_S = 20.0  # for threads that must come; nothing is measured by it


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def refused() -> NoReturn:
    """Fail as a store does that is not there."""
    raise Unavailable("prisma cannot be reached.", "Try again.", store="prisma")


def state_of(guard: Guard) -> State:
    """Return the state, asked anew."""
    return guard.state


def open_guard(clock: Clock, rules: Rules | None = None) -> Guard:
    """Return a guard whose circuit three failures opened."""
    guard = Guard("supabase", Breaker(rules), clock=clock)
    for _ in range(3):
        with pytest.raises(Unavailable):
            guard.call(refused)
    assert state_of(guard) is State.OPEN
    return guard


def test_it_returns_what_the_call_returns() -> None:
    """A call that succeeds leaves no trace but its event."""
    guard = Guard("prisma", Breaker(), clock=Clock())
    assert guard.call(lambda: 42) == 42
    assert [event.kind for event in guard.events] == [EventKind.SUCCESS]


def test_an_open_circuit_makes_no_call() -> None:
    """The error says how long it will last, and is one of those for stores that cannot be reached."""
    clock = Clock()
    guard = open_guard(clock)
    clock.now = 60.5
    with pytest.raises(CircuitOpen, match="tried again in 240 s") as caught:
        guard.call(lambda: pytest.fail("it was called"))
    assert isinstance(caught.value, Unavailable)
    assert (caught.value.store, caught.value.wait_s) == ("supabase", 239.5)
    assert guard.wait_s == 239.5


def test_a_circuit_that_is_held_open_says_so() -> None:
    """Nobody is told to wait for a time that does not come."""
    guard = Guard("supabase", Breaker(), clock=Clock())
    guard.force(State.FORCED_OPEN)
    with pytest.raises(CircuitOpen, match="by hand") as caught:
        guard.call(lambda: 0)
    assert caught.value.wait_s is None


def test_a_store_that_answers_again_closes_the_circuit() -> None:
    """After five minutes one call goes through, and its success lets all others follow."""
    clock = Clock()
    guard = open_guard(clock)
    clock.now = 300.0
    assert guard.call(lambda: "there") == "there"
    assert state_of(guard) is State.CLOSED


def test_fifty_threads_make_one_probe() -> None:
    """When the time has come and fifty ask at once, one call is made and 49 are refused while it runs."""
    clock = Clock()
    guard = open_guard(clock)
    clock.now = 300.0
    start, refusals, made = threading.Barrier(50), threading.Semaphore(0), Counter[str]()

    def probe() -> None:
        made["calls"] += 1
        for _ in range(49):
            assert refusals.acquire(timeout=WAIT_S)

    def ask() -> None:
        start.wait(WAIT_S)
        try:
            guard.call(probe)
        except CircuitOpen:
            refusals.release()

    with ThreadPoolExecutor(50) as pool:
        for future in [pool.submit(ask) for _ in range(50)]:
            future.result()
    assert made["calls"] == 1
    assert state_of(guard) is State.CLOSED
    assert guard.numbers[EventKind.NOT_PERMITTED] == 49


def test_calls_run_beside_each_other() -> None:
    """Eight calls wait for one another inside: a lock that is held during a call would let one in."""
    guard = Guard("prisma", Breaker(), clock=Clock())
    inside = threading.Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(guard.call, lambda: inside.wait(WAIT_S)) for _ in range(8)]:
            future.result()
    assert guard.numbers[EventKind.SUCCESS] == 8


def test_events_are_told_once_from_many_threads() -> None:
    """Four thousand calls from eight threads, half of them failing: each is told once, and so is each transition."""
    guard = Guard("prisma", Breaker(Rules(in_a_row=10_000, share=1.0)), clock=Clock())
    heard: list[Event] = []
    guard.listen(heard.append)

    def work(number: int) -> None:
        if number % 2:
            guard.call(lambda: None)
        else:
            with pytest.raises(Unavailable):
                guard.call(refused)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(4000)))
    assert Counter(event.kind for event in heard) == {EventKind.SUCCESS: 2000, EventKind.FAILURE: 2000}
    assert guard.numbers[EventKind.SUCCESS] == guard.numbers[EventKind.FAILURE] == 2000


def test_the_course_of_an_outage_as_events() -> None:
    """Three failures, the opening, a refusal, the half-open state, a success and the closing: each once, in order."""
    clock = Clock()
    heard: list[Event] = []
    guard = Guard("supabase", Breaker(), clock=clock)
    guard.listen(heard.append)
    for _ in range(3):
        with pytest.raises(Unavailable):
            guard.call(refused)
    with pytest.raises(CircuitOpen):
        guard.call(lambda: None)
    clock.now = 300.0
    guard.call(lambda: None)
    kinds = EventKind
    assert [(event.kind, event.state) for event in heard] == [
        (kinds.FAILURE, State.CLOSED),
        (kinds.FAILURE, State.CLOSED),
        (kinds.FAILURE, State.CLOSED),
        (kinds.TRANSITION, State.OPEN),
        (kinds.NOT_PERMITTED, State.OPEN),
        (kinds.TRANSITION, State.HALF_OPEN),
        (kinds.SUCCESS, State.HALF_OPEN),
        (kinds.TRANSITION, State.CLOSED),
    ]
    assert guard.events == tuple(heard)


def test_a_listener_that_raises_breaks_no_call(caplog: pytest.LogCaptureFixture) -> None:
    """The call returns, the others are told, and the log names the class of what was raised and nothing else."""
    guard = Guard("prisma", Breaker(), clock=Clock())
    heard: list[Event] = []

    def broken(_: Event) -> None:
        raise ValueError("a secret")

    guard.listen(broken)
    guard.listen(heard.append)
    with caplog.at_level(logging.WARNING):
        assert guard.call(lambda: 1) == 1
    assert len(heard) == 1
    assert "ValueError" in caplog.text
    assert "a secret" not in caplog.text


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interrupted_probe_gives_its_place_back(raised: type[BaseException]) -> None:
    """An interruption says nothing about the store: the next call is the probe."""
    clock = Clock()
    guard = open_guard(clock)
    clock.now = 300.0

    def interrupted() -> NoReturn:
        raise raised

    with pytest.raises(raised):
        guard.call(interrupted)
    assert state_of(guard) is State.HALF_OPEN
    assert guard.events[-1].kind is EventKind.IGNORED
    guard.call(lambda: None)
    assert state_of(guard) is State.CLOSED


def test_errors_that_say_nothing_about_the_store_do_not_count() -> None:
    """A hundred lost races leave the circuit closed."""
    guard = Guard("prisma", Breaker(), clock=Clock())

    def lost_race() -> NoReturn:
        raise Conflict("prisma was changed by someone else.", "Try again.")

    for _ in range(100):
        with pytest.raises(Conflict):
            guard.call(lost_race)
    assert state_of(guard) is State.CLOSED
    assert guard.numbers[EventKind.IGNORED] == 100


def test_whoever_makes_a_guard_may_say_what_counts() -> None:
    """With a rule of one's own, other errors open it."""
    guard = Guard("prisma", Breaker(), clock=Clock(), failed=lambda exc: isinstance(exc, LookupError))
    for _ in range(3):
        with pytest.raises(KeyError):
            guard.call(lambda: dict[str, int]()["nothing"])
    assert state_of(guard) is State.OPEN


def test_a_rule_that_raises_gives_the_permit_back() -> None:
    """An error in the judgement of an error does not leave a probe under way for ever."""
    clock = Clock()
    guard = Guard("prisma", Breaker(), clock=clock, failed=_cannot_say)
    guard.force(State.HALF_OPEN)
    with pytest.raises(ZeroDivisionError):
        guard.call(refused)
    assert guard.wait_s == 0.0


def _cannot_say(_: Exception) -> bool:
    raise ZeroDivisionError


def test_a_store_that_asks_for_ten_minutes_gets_them() -> None:
    """The error's own Retry-After prolongs the open time."""
    clock = Clock()
    guard = Guard("supabase", Breaker(), clock=clock)

    def busy() -> NoReturn:
        raise Busy("supabase is too busy.", "Try again.", store="supabase", retry_after_s=600.0, status=503)

    for _ in range(3):
        with pytest.raises(Busy):
            guard.call(busy)
    assert guard.wait_s == 600.0


def _flapping(number: int) -> Callable[[], object]:
    return refused if number % 2 else lambda: None


def test_a_store_that_fails_every_other_call_gets_one_probe_per_wait() -> None:
    """The circuit opens at half of the calls; from then on each five minutes cost one call, or close it."""
    clock = Clock()
    guard = Guard("supabase", Breaker(), clock=clock)
    made = 0
    for minute in range(600):
        clock.now = minute * 60.0
        for _ in range(5):
            try:
                guard.call(_flapping(made))
            except CircuitOpen:
                continue
            except Unavailable:
                pass
            made += 1
    transitions = [event for event in guard.events if event.kind is EventKind.TRANSITION]
    opened = guard.numbers[EventKind.TRANSITION]
    assert transitions
    assert made <= opened * 10


def test_a_process_hands_its_circuit_on() -> None:
    """The next process waits for the rest of the five minutes, on its own clock."""
    first = Clock()
    guard = open_guard(first)
    first.now = 100.0
    saved = guard.save(datetime(2026, 11, 23, 12, 0, tzinfo=UTC))
    second = Clock()
    second.now = 7_000.0
    breaker = Breaker.restored(saved, now=7_000.0, wall=datetime(2026, 11, 23, 12, 2, tzinfo=UTC))
    heir = Guard("supabase", breaker, clock=second)
    assert heir.wait_s == 80.0

"""One call to a store: errors as values, timed, and noted."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from contracts.errors import (
    CircuitOpen,
    ConfigurationError,
    Exhausted,
    Invalid,
    OutcomeUnknown,
    Refused,
    TwinstoreError,
    Unavailable,
)
from contracts.results import DegradationMode
from contracts.vocabulary import StoreName
from storage.breaker import Breaker, EventKind, Guard, Rules, State
from storage.dual.asking import Asked, Asking, both_failed, mode

PRISMA, SUPABASE = StoreName


def raising(error: Exception) -> Callable[[], None]:
    """Return work that fails."""

    def work() -> None:
        raise error

    return work


def ticking() -> Callable[[], float]:
    """Return a clock that goes on by a hundredth of a second whenever it is read."""
    times: Iterator[int] = count()
    return lambda: next(times) / 100


def test_an_answer_is_a_success_that_took_its_time() -> None:
    """In milliseconds."""
    asked = Asking({}, timer=ticking()).ask(PRISMA, lambda: 7)
    result = asked.result(outcome="created")
    assert (asked.answer, result.attempted, result.success, result.timing_ms) == (7, True, True, 10)
    assert (result.outcome, result.error) == ("created", None)


@pytest.mark.parametrize(
    ("error", "attempted", "unavailable", "outcome", "failures"),
    [
        (Unavailable("Away.", "Wait."), True, True, None, 1),
        (OutcomeUnknown("Away.", "Look."), True, True, "unknown", 1),
        (CircuitOpen("Not called.", "Wait.", store="prisma", wait_s=1.0), False, True, None, 0),
        (Refused("No grant.", "Grant it."), True, False, None, 0),
        (Exhausted("Too many calls.", "Make fewer."), True, False, None, 0),
    ],
)
def test_an_error_is_told_as_what_it_is(
    error: TwinstoreError, *, attempted: bool, unavailable: bool, outcome: str | None, failures: int
) -> None:
    """Only what says that the store is not there counts as a failure of it."""
    asking = Asking({})
    asked = asking.ask(PRISMA, raising(error))
    result = asked.result()
    assert (result.attempted, result.success, result.error, result.outcome) == (attempted, False, str(error), outcome)
    assert (asked.unavailable, asking.track_record(PRISMA).failures) == (unavailable, failures)
    assert asking.track_record(SUPABASE).failures == 0


def test_failures_in_a_row_are_counted() -> None:
    """An answer ends them; when the last one was stays known."""
    asking = Asking({})
    for _ in range(3):
        asking.ask(PRISMA, raising(Unavailable("Away.", "Wait.")))
    assert asking.track_record(PRISMA).failures == 3
    asking.ask(PRISMA, lambda: None)
    record = asking.track_record(PRISMA)
    assert (record.failures, record.last_failure_at is None) == (0, False)


def test_what_was_not_called_says_nothing_about_a_store() -> None:
    """Neither that it fails nor that it is well again."""
    asking = Asking({})
    asking.ask(PRISMA, raising(Unavailable("Away.", "Wait.")))
    asking.ask(PRISMA, raising(Exhausted("Too many calls.", "Make fewer.")))
    assert asking.track_record(PRISMA).failures == 1


def test_what_is_wrong_with_a_request_is_raised() -> None:
    """So is what nobody expects."""
    for error in (Invalid("Broken.", "Correct it."), KeyError("x")):
        with pytest.raises(type(error)):
            Asking({}).ask(PRISMA, raising(error))


def test_a_guard_stands_before_the_call() -> None:
    """Each store has its own."""
    guard = Guard("supabase", Breaker())
    asking = Asking({SUPABASE: guard})
    guard.force(State.FORCED_OPEN)
    assert asking.ask(SUPABASE, lambda: 7).circuit_open
    assert asking.ask(PRISMA, lambda: 7).answer == 7
    assert (asking.state(SUPABASE), asking.state(PRISMA)) == ("forced_open", None)


def test_a_circuit_is_shut_until_a_probe_may_pass() -> None:
    """Also while the probe is under way, or when it is held open by hand; a store without one is never shut."""
    now = [0.0]
    guard = Guard("supabase", Breaker(Rules(in_a_row=1, open_s=10.0)), clock=lambda: now[0])
    asking = Asking({SUPABASE: guard})
    assert [asking.shut(store) for store in StoreName] == [False, False]
    asking.ask(SUPABASE, raising(Unavailable("Away.", "Wait.")))
    assert asking.shut(SUPABASE)
    now[0] = 10.0
    assert not asking.shut(SUPABASE)
    assert asking.ask(SUPABASE, lambda: asking.shut(SUPABASE)).answer is True
    guard.force(State.FORCED_OPEN)
    assert [asking.shut(store) for store in StoreName] == [False, True]
    assert guard.numbers[EventKind.NOT_PERMITTED] == 0


def test_nothing_is_called_after_the_end() -> None:
    """It has to be opened anew."""
    asking = Asking({})
    assert asking.end()
    with pytest.raises(ConfigurationError, match="closed"):
        asking.ask(PRISMA, lambda: 7)


@pytest.mark.parametrize("used", [False, True])
def test_a_process_calls_over_no_connection_of_another_one(*, used: bool) -> None:
    """What was used before a fork is of no use after it, and is not closed there; what was not used is."""
    asking = Asking({})
    if used:
        asking.ask(PRISMA, lambda: 7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # this process may have threads
        child = os.fork()
    if child == 0:
        refused = False
        try:
            asking.ask(PRISMA, lambda: 7)
        except ConfigurationError:
            refused = True
        finally:
            os._exit(0 if (refused, asking.end()) == (used, not used) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert asking.ask(PRISMA, lambda: 7).answer == 7


def answered(error: TwinstoreError | None = None) -> Asked[int]:
    """Return what came of a call."""
    return Asked(answer=None if error else 1, error=error, ms=1)


def test_the_mode_names_the_store_that_was_not_asked() -> None:
    """The primary first; an outage that was met is no mode."""
    shut = answered(CircuitOpen("Not called.", "Wait.", store="x", wait_s=None))
    away = answered(Unavailable("Away.", "Wait."))
    assert mode(answered(), answered(), alone=False) is DegradationMode.NONE
    assert mode(away, away, alone=False) is DegradationMode.NONE
    assert mode(shut, shut, alone=False) is DegradationMode.PRISMA_CIRCUIT_OPEN
    assert mode(answered(), shut, alone=False) is DegradationMode.SUPABASE_CIRCUIT_OPEN
    assert mode(answered(), None, alone=True) is DegradationMode.SUPABASE_DISABLED


def test_a_total_failure_names_both() -> None:
    """Or the one that there is."""
    away = answered(Unavailable("Away.", "Wait.")).result()
    sentence = both_failed("save", away, away, alone=False)
    assert "Both storage systems are unavailable" in sentence
    assert sentence.count("Away.") == 2
    assert "supabase is not configured" in both_failed("save", away, away, alone=True)

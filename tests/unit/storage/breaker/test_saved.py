"""What one process hands on to the next: the circuit goes on where it was, whatever the clocks say."""

from datetime import UTC, datetime, timedelta

import pytest

from storage.breaker import Breaker, Outcome, Rules, Saved, State

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def failing(times: int, now: float = 0.0) -> Breaker:
    """Return a breaker after so many failures."""
    breaker = Breaker()
    for _ in range(times):
        permit = breaker.allow(now)
        assert permit is not None
        breaker.record(permit, Outcome.FAILURE, now)
    return breaker


def test_failures_are_remembered() -> None:
    """Two failures here and one there open it."""
    saved = failing(2).save(now=0.0, wall=NOON)
    assert saved == Saved(failures=(True, True), in_a_row=2)
    heir = Breaker.restored(saved, now=50.0, wall=NOON)
    permit = heir.allow(50.0)
    assert permit is not None
    heir.record(permit, Outcome.FAILURE, 50.0)
    assert heir.state is State.OPEN


def test_the_rest_of_the_open_time_is_handed_on() -> None:
    """Two of the five minutes passed before, one between."""
    saved = failing(3).save(now=120.0, wall=NOON)
    heir = Breaker.restored(saved, now=9.0, wall=NOON + timedelta(minutes=1))
    assert heir.wait_s(9.0) == 120.0


def test_time_that_is_over_is_over() -> None:
    """A process that starts an hour later makes a probe at once."""
    saved = failing(3).save(now=0.0, wall=NOON)
    heir = Breaker.restored(saved, now=9.0, wall=NOON + timedelta(hours=1))
    assert heir.allow(9.0) is not None
    assert heir.state is State.HALF_OPEN


def test_a_wall_clock_that_was_set_back_keeps_it_open_for_an_hour_at_most() -> None:
    """The longest time that a circuit may be open limits what a wrong clock can do."""
    saved = failing(3).save(now=0.0, wall=NOON)
    heir = Breaker.restored(saved, now=0.0, wall=NOON - timedelta(days=365))
    assert heir.wait_s(0.0) == 3600.0


def test_a_probe_is_not_handed_on() -> None:
    """It belongs to the process that makes it; the next one makes its own."""
    breaker = failing(3)
    assert breaker.allow(300.0) is not None
    saved = breaker.save(now=301.0, wall=NOON)
    assert (saved.state, saved.until) == (State.OPEN, NOON)
    assert Breaker.restored(saved, now=0.0, wall=NOON).allow(0.0) is not None


@pytest.mark.parametrize("state", [State.FORCED_OPEN, State.FORCED_CLOSED, State.METRICS_ONLY])
def test_a_forced_state_is_handed_on(state: State) -> None:
    """What somebody's hand did stays until somebody's hand undoes it."""
    breaker = Breaker()
    breaker.force(state, 0.0)
    saved = breaker.save(now=0.0, wall=NOON)
    assert saved == Saved(state=state)
    assert Breaker.restored(saved, now=5.0, wall=NOON).state is state


def test_a_smaller_window_takes_the_last_calls() -> None:
    """The next process may have other rules."""
    saved = Saved(failures=(True, True, False, False, False))
    heir = Breaker.restored(saved, now=0.0, wall=NOON, rules=Rules(window=3, least_calls=3))
    assert heir.memory.failures == (False, False, False)
